/* shrink.c: first halves, then quarters, ... then single lines are left out, until no one can be spared, and
 * no lines that belong together (shrink_story.c): events, and clients, too. A line that is left out leaves
 * its waiting time to the next, or takes it along: whichever still fails. With each line that goes all dice
 * fall otherwise, and what needs some luck to break is not broken any more though the line had nothing to do
 * with it: so while a schedule is long, what is left is played with other luck, too. Then each line that is
 * left says less, if it can (shrink_line.c), and there are fewer nodes. */
#include "shrink.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "base/vec.h"
#include "shrink_line.h"
#include "shrink_story.h"

#define BROKEN_BYTES 300
#define ENDLESS_S    1  /* of CPU time; most runs take a few hundredths */
#define SHORT        15 /* events: no other luck is tried for fewer */
#define THROWS_FIRST 8  /* for one attempt, and twice as many each time, */
#define THROWS_MOST  32 /* up to this */
#define FOUND        7  /* a child's exit code */

/* A schedule to be played, and whether its dice fall otherwise than before. */
struct form {
    char *schedule; /* NULL: as the job makes it */
    bool thrown;
};

/* With the children. */
struct shared {
    size_t at; /* which form is played */
    unsigned runs;
    char broken[BROKEN_BYTES]; /* what the last run broke; "": nothing */
};

struct attempt {
    const struct shrink *job;
    struct story story;        /* the smallest so far */
    char breaks[BROKEN_BYTES]; /* what it breaks */
    char promise[16];
    unsigned run_limit_s; /* of CPU time, for one */
    unsigned throws;      /* so many for each attempt, beside the luck that it has */
    unsigned long last_luck;
    time_t until;
    unsigned runs_most; /* 0: no limit but the time */
    bool *gone;         /* as many as the first story had lines */
    VEC(struct form) forms;
    struct shared *shared;
};

static const char crashed[] = "crash: an assertion failed, or the program was ended by a signal";
static const char endless[] = "endless: it does not come to an end";

static bool is_over(const struct attempt *a)
{
    return time(NULL) >= a->until || (a->runs_most && a->shared->runs >= a->runs_most);
}

/* In the same words, whatever the numbers. */
static bool same_words(const char *a, const char *b)
{
    while (*a && *b) {
        a += strspn(a, "0123456789");
        b += strspn(b, "0123456789");
        if (*a != *b)
            return false;
        a += *a != '\0';
        b += *b != '\0';
    }
    return *a == *b;
}

/* The promise is enough where only lines went; where the dice fall otherwise it is to be the same failure. */
static bool breaks_it(const struct attempt *a, const struct form *f, const char *broken)
{
    /* a schedule whose lines went does not keep what its world promised, to have one fault at a time */
    static const char driver[] = "with one fault at a time";
    bool by_driver = strstr(broken, driver) && !strstr(a->breaks, driver);
    return *broken && !by_driver && strncmp(broken, a->promise, strlen(a->promise)) == 0 &&
           (!f->thrown || same_words(broken, a->breaks));
}

static void limit_cpu(unsigned s)
{
    struct itimerval limit = {.it_value.tv_sec = s};
    setitimer(ITIMER_PROF, &limit, NULL);
}

/* In a child: one form after the other, until one breaks the promise. */
static _Noreturn void play_from(struct attempt *a, size_t first)
{
    struct plan p;
    if (!freopen("/dev/null", "w", stderr))
        _exit(3);
    a->job->make(&p, a->job->arg);
    for (size_t i = first; i < a->forms.len && !is_over(a); i++) {
        const struct form *f = &a->forms.items[i];
        struct plan_result r;
        a->shared->at = i;
        a->shared->runs++;
        if (f->schedule) {
            text_clear(&p.schedule);
            text_add(&p.schedule, f->schedule);
        }
        limit_cpu(a->run_limit_s);
        plan_run(&p, &r);
        limit_cpu(0);
        snprintf(a->shared->broken, BROKEN_BYTES, "%s", r.failure ? r.failure : "");
        free(r.failure);
        if (breaks_it(a, f, a->shared->broken))
            _exit(FOUND);
    }
    _exit(0);
}

/* Plays all forms; the first one that breaks the promise is a->shared->at. They are gone then. */
static bool some_form_fails(struct attempt *a)
{
    bool found = false;
    for (size_t next = 0; next < a->forms.len && !found && !is_over(a);) {
        a->shared->at = next;
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0)
            play_from(a, next);
        int status = 0;
        waitpid(pid, &status, 0);
        next = WIFSIGNALED(status) ? a->shared->at + 1 : a->forms.len;
        if (WIFSIGNALED(status))
            snprintf(a->shared->broken, BROKEN_BYTES, "%s", WTERMSIG(status) == SIGPROF ? endless : crashed);
        found = WIFSIGNALED(status) ? breaks_it(a, &a->forms.items[a->shared->at], a->shared->broken)
                                    : WIFEXITED(status) && WEXITSTATUS(status) == FOUND;
    }
    if (found)
        snprintf(a->breaks, BROKEN_BYTES, "%s", a->shared->broken);
    for (size_t i = 0; i < a->forms.len; i++)
        free(a->forms.items[i].schedule);
    a->forms.len = 0;
    return found;
}

static void add_form(struct attempt *a, const bool *gone, bool keep_time, bool thrown)
{
    struct text t = {0};
    story_write(&a->story, &t, gone, keep_time);
    VEC_PUSH(&a->forms, (struct form){t.s, thrown});
}

static bool still_fails(struct attempt *a)
{
    add_form(a, NULL, false, false);
    return some_form_fails(a);
}

/* ---- other luck ---- */

/* Plays it with so many other throws from line i on, too; the one that fails is kept. */
static void add_throws(struct attempt *a, const bool *gone, size_t i)
{
    unsigned long was = a->story.lines.items[i].luck;
    for (unsigned k = 1; k <= a->throws; k++) {
        a->story.lines.items[i].luck = a->last_luck + k;
        add_form(a, gone, true, true);
    }
    a->story.lines.items[i].luck = was;
}

/* The first event that is left behind those that are gone; the number of lines: there is none. */
static size_t first_behind(const struct story *s, const bool *gone)
{
    size_t i = s->lines.len;
    while (i > 0 && !gone[i - 1])
        i--;
    while (i < s->lines.len && !s->lines.items[i].event)
        i++;
    return i;
}

static bool spares(struct attempt *a, const bool *gone)
{
    size_t behind = first_behind(&a->story, gone);
    add_form(a, gone, true, false);
    add_form(a, gone, false, false);
    if (behind < a->story.lines.len)
        add_throws(a, gone, behind);
    if (!some_form_fails(a)) {
        a->last_luck += a->throws;
        return false;
    }
    if (a->shared->at >= 2)
        a->story.lines.items[behind].luck = a->last_luck + a->shared->at - 1;
    a->last_luck += a->throws;
    story_leave_out(&a->story, gone, a->shared->at != 1);
    return true;
}

/* From the last event to the first: what comes behind such a line falls as it does, whatever goes before it.
 */
static void pin_luck(struct attempt *a)
{
    for (size_t i = a->story.lines.len; i-- > 0 && !is_over(a);) {
        struct story_line *l = &a->story.lines.items[i];
        if (!l->event || l->luck)
            continue;
        add_throws(a, NULL, i);
        if (some_form_fails(a))
            l->luck = a->last_luck + a->shared->at + 1;
        a->last_luck += a->throws;
    }
}

static bool own_luck(struct attempt *a, struct story_line *l)
{
    unsigned long was = l->luck;
    if (was == 0)
        return false;
    l->luck = 0;
    if (still_fails(a))
        return true;
    l->luck = was;
    return false;
}

/* ---- fewer lines ---- */

static bool fewer_by(struct attempt *a, size_t chunk)
{
    bool smaller = false;
    for (size_t to = a->story.lines.len; to > 0;) { /* from the end: that is cheap to spare */
        size_t from = to > chunk ? to - chunk : 0;
        for (size_t i = 0; i < a->story.lines.len; i++)
            a->gone[i] = i >= from && i < to;
        smaller = spares(a, a->gone) || smaller;
        to = from;
    }
    return smaller;
}

static bool fewer_groups(struct attempt *a)
{
    bool smaller = false;
    for (size_t k = 0; story_group(&a->story, k, a->gone) && !is_over(a); k++) {
        size_t count = 0;
        for (size_t i = 0; i < a->story.lines.len; i++)
            count += a->gone[i];
        if (count > 1)
            smaller = spares(a, a->gone) || smaller;
    }
    return smaller;
}

static bool fewer_lines(struct attempt *a)
{
    bool smaller = false;
    for (size_t chunk = (a->story.lines.len + 1) / 2; chunk > 0; chunk = chunk > 1 ? (chunk + 1) / 2 : 0)
        smaller = fewer_by(a, chunk) || smaller;
    return smaller;
}

static bool merged_lines(struct attempt *a)
{
    bool smaller = false;
    for (size_t i = a->story.lines.len; i-- > 0;) {
        char *both = story_merged(&a->story, i), *was = a->story.lines.items[i].what;
        if (!both)
            continue;
        memset(a->gone, 0, a->story.lines.len * sizeof(a->gone[0]));
        a->gone[i + 1] = true;
        a->story.lines.items[i].what = both;
        bool now = spares(a, a->gone);
        if (!now)
            a->story.lines.items[i].what = was;
        free(now ? was : both);
        smaller = smaller || now;
    }
    return smaller;
}

static void fewer_events(struct attempt *a)
{
    fewer_lines(a);
    for (a->throws = THROWS_FIRST; a->throws <= THROWS_MOST && story_events(&a->story) > SHORT;
         a->throws *= 2) {
        pin_luck(a);
        bool smaller = true;
        while (smaller && story_events(&a->story) > SHORT) {
            smaller = fewer_lines(a);
            smaller = fewer_groups(a) || smaller;
            smaller = merged_lines(a) || smaller;
        }
    }
    a->throws = 0;
}

/* ---- lines that say less ---- */

static bool plainer_words(struct attempt *a, struct story_line *l)
{
    struct simpler s;
    bool smaller = false;
    simpler_find(&s, l->what);
    for (size_t i = 0; i < s.forms.len && !smaller; i++) {
        char *was = l->what;
        l->what = s.forms.items[i];
        smaller = still_fails(a);
        s.forms.items[i] = smaller ? was : s.forms.items[i];
        l->what = smaller ? l->what : was;
    }
    simpler_finish(&s);
    return smaller;
}

static bool shorter_wait(struct attempt *a, struct story_line *l)
{
    unsigned long waits[3], was = l->wait_ms;
    size_t count = l->event ? simpler_waits(was, waits) : 0;
    for (size_t i = 0; i < count; i++) {
        l->wait_ms = waits[i];
        if (still_fails(a))
            return true;
    }
    l->wait_ms = was;
    return false;
}

static bool plainer_lines(struct attempt *a)
{
    bool smaller = false;
    for (size_t i = a->story.lines.len; i-- > 0;) {
        while (plainer_words(a, &a->story.lines.items[i]))
            smaller = true;
        smaller = shorter_wait(a, &a->story.lines.items[i]) || smaller;
        smaller = own_luck(a, &a->story.lines.items[i]) || smaller;
    }
    return smaller;
}

static bool fewer_nodes(struct attempt *a)
{
    unsigned was = a->story.nodes;
    while (a->story.nodes > 1) {
        a->story.nodes--;
        if (still_fails(a))
            continue;
        a->story.nodes++;
        break;
    }
    return a->story.nodes < was;
}

/* ---- the whole ---- */

static void make_small(struct attempt *a)
{
    bool smaller = true;
    a->until -= a->job->limit_s / 4; /* the rest is for plainer words */
    a->runs_most = a->job->limit_runs - a->job->limit_runs / 4;
    fewer_events(a);
    a->until += a->job->limit_s / 4;
    a->runs_most = a->job->limit_runs;
    while (smaller && !is_over(a)) {
        smaller = fewer_nodes(a);
        smaller = plainer_lines(a) || smaller;
        smaller = fewer_lines(a) || smaller;
        smaller = fewer_groups(a) || smaller;
        smaller = merged_lines(a) || smaller;
    }
}

static char *tell(const struct attempt *a)
{
    struct text t = {0};
    text_printf(&t, "# breaks %s\n", a->breaks);
    story_write(&a->story, &t, NULL, false);
    return t.s;
}

void shrink(const struct shrink *job, struct shrunk *out)
{
    struct attempt a = {.job = job, .run_limit_s = job->run_limit_s, .until = time(NULL) + job->limit_s};
    *out = (struct shrunk){0};
    a.shared = mmap(NULL, sizeof(*a.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (a.shared == MAP_FAILED)
        return;
    VEC_PUSH(&a.forms, (struct form){0});
    if (some_form_fails(&a)) {
        struct plan p;
        if (strcmp(a.breaks, endless) == 0) /* each that fails takes all of it */
            a.run_limit_s = ENDLESS_S;
        snprintf(a.promise, sizeof(a.promise), "%.*s", (int)strcspn(a.breaks, ":") + 1, a.breaks);
        job->make(&p, job->arg);
        story_split(&a.story, text_str(&p.schedule));
        plan_finish(&p);
        a.gone = xcalloc(a.story.lines.len + 1, sizeof(a.gone[0]));
        make_small(&a);
        out->schedule = tell(&a);
        out->events = story_events(&a.story);
        snprintf(out->broken, sizeof(out->broken), "%s", a.breaks);
    }
    out->runs = a.shared->runs;
    story_finish(&a.story);
    free(a.gone);
    VEC_FREE(&a.forms);
    munmap(a.shared, sizeof(*a.shared));
}

/* shrink.c: first halves, then quarters, ... then single lines are left out, until no one can be spared:
 * events, and clients, too. An event that is left out leaves its waiting time to the next, or takes it along:
 * whichever still fails. Then each line that is left says less, if it can (shrink_line.c), and there are
 * fewer nodes. */
#include "shrink.h"

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

#define BROKEN_BYTES 300
#define ENDLESS_S    1 /* of CPU time; most runs take a few hundredths */

struct line {
    bool event; /* else a client: it has no time */
    unsigned long wait_ms;
    char *what;
};

struct attempt {
    const struct shrink *job;
    struct text head; /* what the world is like */
    unsigned nodes;
    VEC(struct line) lines; /* clients first */
    char *broken;           /* what the last run broke; shared with the children; "": nothing */
    unsigned run_limit_s;   /* of CPU time, for one */
    char promise[16];
    char *story; /* what the smallest so far breaks */
    time_t until;
};

static const char crashed[] = "crash: an assertion failed, or the program was ended by a signal";
static const char endless[] = "endless: it does not come to an end";

/* What this schedule breaks, in a->broken. */
static void play(struct attempt *a, const char *schedule)
{
    a->broken[0] = '\0';
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct itimerval limit = {.it_value.tv_sec = a->run_limit_s};
        struct plan p;
        struct plan_result r;
        if (!freopen("/dev/null", "w", stderr))
            _exit(3);
        setitimer(ITIMER_PROF, &limit, NULL);
        a->job->make(&p, a->job->arg);
        if (schedule) {
            text_clear(&p.schedule);
            text_add(&p.schedule, schedule);
        }
        plan_run(&p, &r);
        if (r.failure)
            snprintf(a->broken, BROKEN_BYTES, "%s", r.failure);
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        snprintf(a->broken, BROKEN_BYTES, "%s", WTERMSIG(status) == SIGPROF ? endless : crashed);
}

/* Without lines [from, to). keep_time: what they waited is waited by the next one. */
static void write_without(const struct attempt *a, struct text *t, size_t from, size_t to, bool keep_time)
{
    unsigned long owed = 0;
    text_printf(t, "%snodes %u\n", text_str(&a->head), a->nodes);
    for (size_t i = 0; i < a->lines.len; i++) {
        const struct line *l = &a->lines.items[i];
        if (i >= from && i < to) {
            owed += keep_time ? l->wait_ms : 0;
            continue;
        }
        if (l->event)
            text_printf(t, "+%lu ", l->wait_ms + owed);
        text_printf(t, "%s\n", l->what);
        owed = l->event ? 0 : owed;
    }
}

static bool still_fails(struct attempt *a, size_t from, size_t to, bool keep_time)
{
    struct text t = {0};
    if (time(NULL) >= a->until)
        return false;
    write_without(a, &t, from, to, keep_time);
    play(a, text_str(&t));
    text_finish(&t);
    if (strncmp(a->broken, a->promise, strlen(a->promise)) != 0)
        return false;
    free(a->story);
    a->story = xstrdup(a->broken);
    return true;
}

/* ---- fewer lines ---- */

static void leave_out(struct attempt *a, size_t from, size_t to, bool keep_time)
{
    unsigned long owed = 0;
    for (size_t i = from; i < to; i++) {
        owed += keep_time ? a->lines.items[i].wait_ms : 0;
        free(a->lines.items[i].what);
    }
    memmove(&a->lines.items[from], &a->lines.items[to], (a->lines.len - to) * sizeof(a->lines.items[0]));
    a->lines.len -= to - from;
    if (from < a->lines.len)
        a->lines.items[from].wait_ms += owed;
}

static bool fewer_by(struct attempt *a, size_t chunk)
{
    bool smaller = false;
    for (size_t to = a->lines.len; to > 0;) { /* from the end: that is cheap to spare */
        size_t from = to > chunk ? to - chunk : 0;
        for (unsigned keep = 1; keep < 2; keep--)
            if (still_fails(a, from, to, keep == 1)) {
                leave_out(a, from, to, keep == 1);
                smaller = true;
                break;
            }
        to = from;
    }
    return smaller;
}

static bool fewer_lines(struct attempt *a)
{
    bool smaller = false;
    for (size_t chunk = (a->lines.len + 1) / 2; chunk > 0;) {
        bool now = fewer_by(a, chunk);
        smaller = smaller || now;
        chunk = chunk > 1 ? (chunk + 1) / 2 : now ? 1 : 0;
    }
    return smaller;
}

/* ---- lines that say less ---- */

static bool plainer_words(struct attempt *a, struct line *l)
{
    struct simpler s;
    bool smaller = false;
    simpler_find(&s, l->what);
    for (size_t i = 0; i < s.forms.len && !smaller; i++) {
        char *was = l->what;
        l->what = s.forms.items[i];
        smaller = still_fails(a, 0, 0, false);
        s.forms.items[i] = smaller ? was : s.forms.items[i];
        l->what = smaller ? l->what : was;
    }
    simpler_finish(&s);
    return smaller;
}

static bool shorter_wait(struct attempt *a, struct line *l)
{
    unsigned long waits[3], was = l->wait_ms;
    size_t count = l->event ? simpler_waits(was, waits) : 0;
    for (size_t i = 0; i < count; i++) {
        l->wait_ms = waits[i];
        if (still_fails(a, 0, 0, false))
            return true;
    }
    l->wait_ms = was;
    return false;
}

static bool plainer_lines(struct attempt *a)
{
    bool smaller = false;
    for (size_t i = a->lines.len; i-- > 0;) {
        while (plainer_words(a, &a->lines.items[i]))
            smaller = true;
        smaller = shorter_wait(a, &a->lines.items[i]) || smaller;
    }
    return smaller;
}

static bool fewer_nodes(struct attempt *a)
{
    unsigned was = a->nodes;
    while (a->nodes > 1) {
        a->nodes--;
        if (still_fails(a, 0, 0, false))
            continue;
        a->nodes++;
        break;
    }
    return a->nodes < was;
}

/* ---- the whole ---- */

static void split(struct attempt *a, const char *schedule)
{
    while (*schedule) {
        size_t len = strcspn(schedule, "\n"), word_len = strcspn(schedule, " \n");
        char *word = xstrndup(schedule, word_len), *what;
        bool client = false;
        for (unsigned k = 0; k < SCHED_CLIENT_COUNT_; k++)
            client = client || strcmp(word, sched_client_word((enum sched_client_kind)k)) == 0;
        if (*schedule == '+') {
            unsigned long wait_ms = strtoul(schedule + 1, &what, 10);
            what += strspn(what, " ");
            struct line l = {true, wait_ms, xstrndup(what, len - (size_t)(what - schedule))};
            VEC_PUSH(&a->lines, l);
        } else if (client) {
            struct line l = {false, 0, xstrndup(schedule, len)};
            VEC_PUSH(&a->lines, l);
        } else if (strcmp(word, "nodes") == 0) {
            a->nodes = (unsigned)strtoul(schedule + word_len, NULL, 10);
        } else if (a->lines.len == 0) {
            text_add_bytes(&a->head, schedule, len);
            text_add(&a->head, "\n");
        }
        free(word);
        schedule += len + (schedule[len] == '\n');
    }
}

static char *tell(const struct attempt *a, size_t *events)
{
    struct text t = {0};
    text_printf(&t, "# breaks %s\n", a->story);
    write_without(a, &t, 0, 0, false);
    *events = 0;
    for (size_t i = 0; i < a->lines.len; i++)
        *events += a->lines.items[i].event;
    return t.s;
}

char *shrink(const struct shrink *job, size_t *events, char broken[BROKEN_BYTES])
{
    struct attempt a = {.job = job, .run_limit_s = job->run_limit_s, .until = time(NULL) + job->limit_s};
    a.broken = mmap(NULL, BROKEN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (a.broken == MAP_FAILED)
        return NULL;
    play(&a, NULL);
    char *result = NULL;
    if (a.broken[0]) {
        struct plan p;
        a.story = xstrdup(a.broken);
        if (strcmp(a.broken, endless) == 0) /* each that fails takes all of it */
            a.run_limit_s = ENDLESS_S;
        snprintf(a.promise, sizeof(a.promise), "%.*s", (int)strcspn(a.broken, ":") + 1, a.broken);
        job->make(&p, job->arg);
        split(&a, text_str(&p.schedule));
        plan_finish(&p);
        bool smaller = true;
        while (smaller) {
            smaller = fewer_lines(&a);
            smaller = plainer_lines(&a) || smaller;
            smaller = fewer_nodes(&a) || smaller;
        }
        result = tell(&a, events);
    }
    snprintf(broken, BROKEN_BYTES, "%s", a.story ? a.story : "");
    for (size_t i = 0; i < a.lines.len; i++)
        free(a.lines.items[i].what);
    VEC_FREE(&a.lines);
    text_finish(&a.head);
    free(a.story);
    munmap(a.broken, BROKEN_BYTES);
    return result;
}

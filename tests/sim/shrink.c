/* shrink.c: first halves, then quarters, ... then single events are left out, until no one can be spared. An
 * event that is left out leaves its waiting time to the next, or takes it along: whichever still fails. */
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

struct line {
    unsigned long wait_ms;
    char *what;
};

struct attempt {
    const struct shrink *job;
    struct text head; /* what names the seed */
    VEC(struct line) lines;
    char *broken; /* what the last run broke; shared with the children; "": nothing */
    char promise[16];
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
        struct itimerval limit = {.it_value.tv_sec = a->job->run_limit_s};
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
            snprintf(a->broken, 300, "%s", r.failure);
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        snprintf(a->broken, 300, "%s", WTERMSIG(status) == SIGPROF ? endless : crashed);
}

/* Without lines [from, to). keep_time: what they waited is waited by the next one. */
static bool still_fails(struct attempt *a, size_t from, size_t to, bool keep_time)
{
    struct text t = {0};
    unsigned long owed = 0;
    text_add(&t, text_str(&a->head));
    for (size_t i = 0; i < a->lines.len; i++) {
        if (i >= from && i < to) {
            owed += keep_time ? a->lines.items[i].wait_ms : 0;
            continue;
        }
        text_printf(&t, "+%lu %s\n", a->lines.items[i].wait_ms + owed, a->lines.items[i].what);
        owed = 0;
    }
    play(a, text_str(&t));
    text_finish(&t);
    return strncmp(a->broken, a->promise, strlen(a->promise)) == 0;
}

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

static bool one_round(struct attempt *a, size_t chunk)
{
    bool smaller = false;
    for (size_t to = a->lines.len;
         to > 0 && time(NULL) < a->until;) { /* from the end: that is cheap to spare */
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

static void split(struct attempt *a, const char *schedule)
{
    while (*schedule) {
        size_t len = strcspn(schedule, "\n");
        char *what;
        if (*schedule == '+') {
            unsigned long wait_ms = strtoul(schedule + 1, &what, 10);
            what += strspn(what, " ");
            struct line l = {wait_ms, xstrndup(what, len - (size_t)(what - schedule))};
            VEC_PUSH(&a->lines, l);
        } else if (a->lines.len == 0) {
            text_add_bytes(&a->head, schedule, len);
            text_add(&a->head, "\n");
        }
        schedule += len + (schedule[len] == '\n');
    }
}

char *shrink(const struct shrink *job, size_t *events, char broken[300])
{
    struct attempt a = {.job = job, .until = time(NULL) + job->limit_s};
    a.broken = mmap(NULL, 300, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (a.broken == MAP_FAILED)
        return NULL;
    play(&a, NULL);
    snprintf(broken, 300, "%s", a.broken);
    char *result = NULL;
    if (*broken) {
        struct plan p;
        snprintf(a.promise, sizeof(a.promise), "%.*s", (int)strcspn(broken, ":") + 1, broken);
        job->make(&p, job->arg);
        split(&a, text_str(&p.schedule));
        plan_finish(&p);
        size_t chunk = (a.lines.len + 1) / 2;
        while (chunk > 0 && time(NULL) < a.until) {
            bool smaller = one_round(&a, chunk);
            chunk = chunk > 1 ? (chunk + 1) / 2 : smaller ? 1 : 0;
        }
        struct text t = {0};
        text_add(&t, text_str(&a.head));
        text_printf(&t, "# breaks %s\n", broken);
        for (size_t i = 0; i < a.lines.len; i++) {
            text_printf(&t, "+%lu %s\n", a.lines.items[i].wait_ms, a.lines.items[i].what);
            free(a.lines.items[i].what);
        }
        *events = a.lines.len;
        result = t.s;
    }
    VEC_FREE(&a.lines);
    text_finish(&a.head);
    munmap(a.broken, 300);
    return result;
}

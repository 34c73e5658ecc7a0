/* swarm.c: many seeds, each a world of its own with its own faults, policies and clients (sim/plan.h).
 *
 *   swarm                        as a test: seeds 1..20000, or 1..$SEEDS
 *   swarm --seeds A..B [--jobs N] [--keep-going] [--limit SECONDS of CPU time for each]
 *   swarm --seeds A..B --first   ends at the first failure, and does not shrink it
 *   swarm --seed N [--trace]     one of them, with every step
 *   swarm --seed N --schedule    what it is made of
 *   swarm --sched FILE [--trace] a schedule that was kept: the world of its seed, its clients and events
 *   swarm ... --faults LIST      what seeds may draw from: all, classic, cuts, clogs, clocks, disks, forget
 *   swarm --seed N --shrink      the fewest lines of its schedule that still break the same promise
 *
 * A failure prints the broken promise, the last lines of the trace, and the command that plays it again. The
 * first one is shrunk to the shortest schedule that breaks the same promise (shrink.h), kept beside this
 * program. Seeds run in child processes, so that a failed assertion or an endless loop is a failure with a
 * seed, too. Every hundredth seed runs twice, and the two traces must be the same byte for byte. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "shrink.h"
#include "sim/plan.h"

#define TAIL_LINES      40
#define TAIL_WIDTH      240
#define JOBS_MAX        64
#define TWICE_EVERY     100
#define FAILURES_TOLD   5
#define SHRINK_LIMIT_S  60
#define EVENTS_READABLE 30u

#ifndef COMMIT /* the Makefile says which one this was built from */
#define COMMIT "unknown"
#endif

struct totals {
    uint64_t seeds, twice, steps, virtual_us, messages, confirmed, refused, unknown, consumed, redelivered,
        promotions, unsynced_promotions, lost[DOOR_L5 + 1];
    uint64_t runs_with[SIM_COUNT_]; /* in how many seeds a fault happened */
};

/* shared with the children */
struct shared {
    uint64_t current[JOBS_MAX]; /* the seed that job i is at */
    struct totals totals[JOBS_MAX];
    char failure[1000];
    uint64_t lines;
    char tail[TAIL_LINES][TAIL_WIDTH];
};

static struct shared *shared;
static const char *program_name;
static unsigned seed_limit_s = 20; /* of CPU time; a seed takes a few hundredths */
static unsigned faults = FAULTS_DEFAULT;
static bool first_only;               /* a failure is all one wants to know */
static const char *faults_named = ""; /* as an option, for the command that plays a seed again */

/* ---- one seed ---- */

static void keep_tail(void *arg, const char *line)
{
    (void)arg;
    snprintf(shared->tail[shared->lines++ % TAIL_LINES], TAIL_WIDTH, "%s", line);
}

static void print_line(void *arg, const char *line)
{
    (void)arg;
    puts(line);
}

static void keep_all(void *arg, const char *line)
{
    text_add(arg, line);
    text_add(arg, "\n");
}

static void run_seed(uint64_t seed, void (*trace)(void *, const char *), void *arg, struct plan_result *out)
{
    struct plan p;
    plan_make(&p, seed, faults);
    p.options.trace = trace;
    p.options.trace_arg = arg;
    plan_run(&p, out);
    plan_finish(&p);
}

/* Runs it again, twice, and compares the traces. NULL: the same; else the first line that differs. */
static char *run_twice(uint64_t seed)
{
    struct text traces[2] = {{0}};
    for (unsigned i = 0; i < 2; i++) {
        struct plan_result r;
        run_seed(seed, keep_all, &traces[i], &r);
        free(r.failure);
    }
    char *differs = NULL;
    const char *a = text_str(&traces[0]), *b = text_str(&traces[1]);
    if (strcmp(a, b) != 0) {
        size_t line = 0;
        for (size_t i = 0; a[i] == b[i]; i++)
            line = a[i] == '\n' ? i + 1 : line;
        differs = format_text("the same seed gave two traces: '%.*s' and '%.*s'",
                              (int)strcspn(a + line, "\n"), a + line, (int)strcspn(b + line, "\n"), b + line);
    }
    text_finish(&traces[0]);
    text_finish(&traces[1]);
    return differs;
}

static void limit_cpu(void)
{
    struct itimerval limit = {.it_value.tv_sec = seed_limit_s};
    setitimer(ITIMER_PROF, &limit, NULL);
}

static void add(struct totals *t, const struct plan_result *r)
{
    t->seeds++;
    t->steps += r->steps;
    t->virtual_us += r->now_us;
    t->messages += r->messages;
    t->confirmed += r->confirmed;
    t->refused += r->refused;
    t->unknown += r->unknown;
    t->consumed += r->consumed;
    t->redelivered += r->redelivered;
    t->promotions += r->promotions;
    t->unsynced_promotions += r->unsynced_promotions;
    for (unsigned d = 0; d <= DOOR_L5; d++)
        t->lost[d] += r->lost[d];
    for (unsigned c = 0; c < SIM_COUNT_; c++)
        t->runs_with[c] += r->counts[c] > 0;
}

/* ---- shrinking ---- */

static void make_seed(struct plan *p, void *arg)
{
    plan_make(p, *(uint64_t *)arg, faults);
}

/* Beside this program: seed-N.sched. Its path, the caller's to free; NULL: it could not be written. */
static char *keep_schedule(uint64_t seed, const char *schedule)
{
    const char *slash = strrchr(program_name, '/');
    char *path = format_text("%.*sseed-%llu.sched", slash ? (int)(slash - program_name) + 1 : 0, program_name,
                             (unsigned long long)seed);
    FILE *f = fopen(path, "w");
    bool written = f && fputs(schedule, f) >= 0;
    written = f && fclose(f) == 0 && written;
    if (!written) {
        perror(path);
        free(path);
        return NULL;
    }
    return path;
}

/* Tells the smallest story that breaks the same promise; 0: it breaks none. */
static int tell_shrunk(uint64_t seed)
{
    struct shrink job = {
        .make = make_seed, .arg = &seed, .limit_s = SHRINK_LIMIT_S, .run_limit_s = seed_limit_s};
    struct shrunk shrunk;
    time_t began = time(NULL);
    shrink(&job, &shrunk);
    if (!shrunk.schedule) {
        printf("seed %llu keeps every promise: nothing to shrink\n", (unsigned long long)seed);
        return 0;
    }
    char *path = keep_schedule(seed, shrunk.schedule);
    printf("%s# %zu events (%u runs, %d s)", shrunk.schedule, shrunk.events, shrunk.runs,
           (int)(time(NULL) - began));
    if (shrunk.events > EVENTS_READABLE)
        printf("; more than %u: shrink.c leaves more than a story has", EVENTS_READABLE);
    if (path)
        printf("; play them: %s --sched %s --trace", program_name, path);
    printf("\n");
    fflush(stdout);
    free(path);
    free(shrunk.schedule);
    return 1;
}

/* ---- many, in children ---- */

static _Noreturn void work(unsigned job, uint64_t first, uint64_t last, unsigned jobs)
{
    if (!freopen("/dev/null", "w", stderr)) /* an assertion is told by the one who reports */
        _exit(3);
    for (uint64_t seed = first; seed <= last; seed += jobs) {
        shared->current[job] = seed;
        limit_cpu();
        struct plan_result r;
        run_seed(seed, NULL, NULL, &r);
        if (r.failure)
            _exit(2);
        add(&shared->totals[job], &r);
        if (seed % TWICE_EVERY == 0) {
            char *differs = run_twice(seed);
            if (differs)
                _exit(2);
            shared->totals[job].twice++;
        }
    }
    _exit(0);
}

static pid_t start(unsigned job, uint64_t first, uint64_t last, unsigned jobs)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        work(job, first, last, jobs);
    return pid;
}

/* Plays a failed seed once more with a trace, in a child, and tells what is to be told. */
static void report(uint64_t seed, int status, bool brief, bool shrinks, const char *program)
{
    shared->lines = 0;
    shared->failure[0] = '\0';
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct plan_result r;
        limit_cpu();
        run_seed(seed, keep_tail, NULL, &r);
        char *differs = r.failure ? NULL : run_twice(seed);
        snprintf(shared->failure, sizeof(shared->failure), "%s",
                 r.failure ? r.failure
                 : differs ? differs
                           : "it did not fail when it was played again");
        _exit(0);
    }
    int again = 0;
    waitpid(pid, &again, 0);
    printf("%sseed %llu: ", brief ? "" : "\n", (unsigned long long)seed);
    if (WIFSIGNALED(again) && WTERMSIG(again) == SIGPROF)
        printf("does not come to an end (%u s of CPU time)\n", seed_limit_s);
    else if (WIFSIGNALED(again))
        printf("ended by signal %d (an assertion is told above)\n", WTERMSIG(again));
    else
        printf("%s\n", shared->failure[0] ? shared->failure : WIFSIGNALED(status) ? "crashed" : "failed");
    uint64_t from = shared->lines > TAIL_LINES ? shared->lines - TAIL_LINES : 0;
    for (uint64_t i = from; i < shared->lines && !brief; i++)
        printf("  %s\n", shared->tail[i % TAIL_LINES]);
    if (!brief)
        printf("commit " COMMIT "\nplay it again: %s --seed %llu%s%s --trace\n", program,
               (unsigned long long)seed, *faults_named ? " --faults " : "", faults_named);
    fflush(stdout);
    if (shrinks)
        tell_shrunk(seed);
}

/* Number of failed seeds. */
static unsigned swarm(uint64_t first, uint64_t last, unsigned jobs, bool keep_going, const char *program)
{
    pid_t pids[JOBS_MAX];
    unsigned running = 0, failures = 0;
    memset(shared, 0, sizeof(*shared));
    for (unsigned j = 0; j < jobs; j++) {
        pids[j] = first + j <= last ? start(j, first + j, last, jobs) : 0;
        running += pids[j] > 0;
    }
    while (running > 0) {
        int status;
        pid_t done = wait(&status);
        unsigned job = 0;
        while (job < jobs && pids[job] != done)
            job++;
        if (job == jobs)
            continue;
        running--;
        pids[job] = 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            continue;
        failures++;
        report(shared->current[job], status, failures > FAILURES_TOLD,
               failures == 1 && !keep_going && !first_only, program);
        uint64_t next = shared->current[job] + jobs;
        if (next <= last && !first_only && (keep_going || failures < FAILURES_TOLD)) {
            pids[job] = start(job, next, last, jobs);
            running++;
        }
    }
    return failures;
}

static struct totals sum_up(unsigned jobs)
{
    struct totals t = {0};
    for (unsigned j = 0; j < jobs; j++) {
        const uint64_t *from = (const uint64_t *)&shared->totals[j];
        uint64_t *to = (uint64_t *)&t;
        for (size_t i = 0; i < sizeof(t) / sizeof(*to); i++)
            to[i] += from[i];
    }
    return t;
}

static void print_totals(unsigned jobs)
{
    struct totals t = sum_up(jobs);
    printf("%llu seeds (%llu of them twice), %llu steps, %.0f s of virtual time; %llu messages: %llu "
           "confirmed, %llu "
           "refused, %llu unknown; %llu consumed, %llu redelivered\n",
           (unsigned long long)t.seeds, (unsigned long long)t.twice, (unsigned long long)t.steps,
           (double)t.virtual_us / 1e6, (unsigned long long)t.messages, (unsigned long long)t.confirmed,
           (unsigned long long)t.refused, (unsigned long long)t.unknown, (unsigned long long)t.consumed,
           (unsigned long long)t.redelivered);
    printf("%llu promotions, %llu of them of unsynchronised mirrors; lost through",
           (unsigned long long)t.promotions, (unsigned long long)t.unsynced_promotions);
    for (unsigned d = DOOR_L1; d <= DOOR_L5; d++)
        printf(" %s %llu", door_name((enum door)d), (unsigned long long)t.lost[d]);
    printf("\nseeds with");
    for (unsigned c = 0; c < SIM_COUNT_; c++)
        printf("%s %s %llu", c ? "," : "", sim_count_name((enum sim_count)c),
               (unsigned long long)t.runs_with[c]);
    printf("\n");
}

static unsigned default_jobs(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > JOBS_MAX ? JOBS_MAX : (unsigned)n;
}

static bool read_seeds(const char *text, uint64_t *seeds)
{
    char *end;
    errno = 0;
    *seeds = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *seeds > 0;
}

static void test_every_seed_keeps_its_promises(void **state)
{
    (void)state;
    const char *seeds = getenv("SEEDS");
    uint64_t last = 20000;
    if (seeds && !read_seeds(seeds, &last))
        fail_msg("SEEDS=%s: write how many, 1 or more, such as SEEDS=1000000", seeds);
    unsigned failures = swarm(1, last, default_jobs(), false, program_name);
    print_totals(default_jobs());
    assert_int_equal(failures, 0);
    struct totals t = sum_up(default_jobs());
    for (unsigned c = 0; c < SIM_COUNT_ && last >= 20000; c++)
        if (t.runs_with[c] == 0 && plan_can_happen(FAULTS_DEFAULT, (enum sim_count)c))
            fail_msg("%s: never happened, so nothing is proven about them",
                     sim_count_name((enum sim_count)c));
}

/* ---- as a tool ---- */

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    struct text t = {0};
    char buffer[4096];
    size_t got;
    if (!f) {
        perror(path);
        exit(66);
    }
    text_add(&t, "");
    while ((got = fread(buffer, 1, sizeof(buffer), f)) > 0)
        text_add_bytes(&t, buffer, got);
    fclose(f);
    return t.s;
}

static void make_one(struct plan *p, uint64_t seed, const char *file)
{
    char *error = NULL, *text = file ? read_file(file) : NULL;
    if (!file)
        plan_make(p, seed, faults);
    else if (plan_read(p, file, text, &error)) {
        fprintf(stderr, "%s\n", error);
        exit(65);
    }
    free(text);
}

static int one(uint64_t seed, bool trace, bool schedule, const char *file)
{
    struct plan p;
    struct plan_result r;
    make_one(&p, seed, file);
    if (schedule) {
        fputs(text_str(&p.schedule), stdout);
        plan_finish(&p);
        return 0;
    }
    p.options.trace = trace ? print_line : NULL;
    setvbuf(stdout, NULL, _IOLBF, 0);
    plan_run(&p, &r);
    printf("seed %llu: %s (%llu steps, hash %016llx, %llu messages, %llu confirmed, %llu consumed)\n",
           (unsigned long long)p.seed, r.failure ? r.failure : "every promise held",
           (unsigned long long)r.steps, (unsigned long long)r.hash, (unsigned long long)r.messages,
           (unsigned long long)r.confirmed, (unsigned long long)r.consumed);
    int code = r.failure ? 1 : 0;
    free(r.failure);
    plan_finish(&p);
    return code;
}

int main(int argc, char **argv)
{
    program_name = argv[0];
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        return 71;
    }
    unsigned long long first = 0, last = 0, seed = 0;
    unsigned jobs = default_jobs();
    bool shrinks = false, one_seed = false, trace = false, schedule = false, keep_going = false;
    const char *file = NULL;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--seeds") == 0 && sscanf(value, "%llu..%llu", &first, &last) == 2 &&
            first >= 1 && first <= last)
            i++;
        else if (strcmp(argv[i], "--seed") == 0 && sscanf(value, "%llu", &seed) == 1)
            one_seed = true, i++;
        else if (strcmp(argv[i], "--jobs") == 0 && sscanf(value, "%u", &jobs) == 1 && jobs >= 1 &&
                 jobs <= JOBS_MAX)
            i++;
        else if (strcmp(argv[i], "--limit") == 0 && sscanf(value, "%u", &seed_limit_s) == 1 &&
                 seed_limit_s > 0)
            i++;
        else if (strcmp(argv[i], "--faults") == 0 && plan_faults_named(value, &faults))
            faults_named = value, i++;
        else if (strcmp(argv[i], "--sched") == 0 && *value)
            file = value, i++;
        else if (strcmp(argv[i], "--trace") == 0)
            trace = true;
        else if (strcmp(argv[i], "--shrink") == 0)
            shrinks = true;
        else if (strcmp(argv[i], "--schedule") == 0)
            schedule = true;
        else if (strcmp(argv[i], "--keep-going") == 0)
            keep_going = true;
        else if (strcmp(argv[i], "--first") == 0)
            first_only = true;
        else {
            fprintf(stderr,
                    "%s: what is '%s'? There is --seeds A..B [--jobs N] [--keep-going | --first] [--limit "
                    "SECONDS], "
                    "--seed N [--trace | --schedule | --shrink], --sched FILE [--trace]; seeds with "
                    "--faults LIST (all, classic, cuts, clogs, clocks, disks, forget)\n",
                    argv[0], argv[i]);
            return 64;
        }
    }
    if (one_seed && shrinks)
        return tell_shrunk(seed);
    if (one_seed || file)
        return one(seed, trace, schedule, file);
    if (last) {
        unsigned failures = swarm(first, last, jobs, keep_going, argv[0]);
        print_totals(jobs);
        printf("%u failed\n", failures);
        return failures > 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_seed_keeps_its_promises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

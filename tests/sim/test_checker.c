/* test_checker.c: the checker on wrong answers. A fault is planted between the library and the checker (or
 * one of the library's rules is switched off); within a number of seeds the checker must complain, and name
 * the promise that this fault breaks. Without the fault the same seeds pass: that is what swarm.c tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "shrink.h"
#include "sim/plan.h"
#include "sim/world.h"

#define SEEDS 1000

struct wrong {
    const char *what;
    enum sim_sabotage sabotage;
    bool no_mirrors, no_disk, newest; /* the library's rules that are off */
    unsigned faults;                  /* that seeds draw from */
    const char *promises[3];          /* one of these is named; none: any */
    const char *says;                 /* in some seed, in these words; NULL: in any */
};

static bool named(const struct wrong *w, const char *failure)
{
    for (size_t i = 0; i < 3 && w->promises[i]; i++)
        if (strncmp(failure, w->promises[i], strlen(w->promises[i])) == 0 &&
            failure[strlen(w->promises[i])] == ':')
            return true;
    return !w->promises[0];
}

static void make_wrong(struct plan *p, uint64_t seed, const struct wrong *w)
{
    plan_make(p, seed, w->faults);
    p->options.sabotage = w->sabotage;
    p->options.confirm_after_mirrors = !w->no_mirrors;
    p->options.confirm_after_disk = !w->no_disk;
    p->options.oldest_promoted = !w->newest;
}

/* In a child: the library may stop the process when it finds itself betrayed, which is a complaint as well.
 */
static int play(const struct wrong *w, uint64_t seed)
{
    struct plan p;
    struct plan_result r;
    make_wrong(&p, seed, w);
    plan_run(&p, &r);
    plan_finish(&p);
    if (!r.failure)
        return 0;
    int code = !named(w, r.failure) ? 2 : !w->says || strstr(r.failure, w->says) ? 1 : 0;
    printf("%s: seed %llu: %s\n", w->what, (unsigned long long)seed, r.failure);
    fflush(stdout);
    free(r.failure);
    return code;
}

static void is_caught(const struct wrong *w)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            int code = play(w, seed);
            if (code)
                _exit(code);
        }
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        fail_msg("%s: nobody noticed in %d seeds", w->what, SEEDS);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
        fail_msg("%s: another promise was named than should be", w->what);
}

static const struct wrong wrongs[] = {
    {.what = "a confirm is told twice", .sabotage = SABOTAGE_CONFIRM_TWICE, .promises = {"I2"}},
    {.what = "a confirm is swallowed", .sabotage = SABOTAGE_CONFIRM_SWALLOWED, .promises = {"I2"}},
    {.what = "a confirm is told at once", .sabotage = SABOTAGE_CONFIRM_EARLY, .promises = {"I1", "I3"}},
    {.what = "a disk loses what was synced",
     .sabotage = SABOTAGE_DISK_LIES}, /* no promise is safe from that */
    {.what = "a link loses a message", .sabotage = SABOTAGE_MESSAGE_DROPPED}, /* nor from this */
    {.what = "redelivered is not told", .sabotage = SABOTAGE_REDELIVERED_HIDDEN, .promises = {"I6"}},
    {.what = "an answer comes twice", .sabotage = SABOTAGE_ANSWER_TWICE, .promises = {"I2"}},
    {.what = "confirmed before the mirrors have it", .no_mirrors = true, .promises = {"I1"}},
    {.what = "confirmed before it is on disk", .no_disk = true, .promises = {"I1"}},
    {.what = "the newest mirror is promoted", .newest = true, .promises = {"I9"}},
    {.what = "a failed sync is ignored",
     .sabotage = SABOTAGE_SYNC_ERROR_IGNORED,
     .faults = FAULT_DISKS}, /* whatever is lost then */
    {.what = "what was synced rots", .sabotage = SABOTAGE_DISK_ROTS, .promises = {"log"}},
    {.what = "deliveries come in another order", .sabotage = SABOTAGE_ORDER_SWAPPED, .promises = {"I7"}},
    {.what = "acknowledgements are not heard",
     .sabotage = SABOTAGE_ACK_SWALLOWED,
     .promises = {"I5", "I12", "prefetch"}},
    {.what = "transient messages do not survive a failover",
     .sabotage = SABOTAGE_TRANSIENT_FORGOTTEN,
     .promises = {"I4", "I8", "I1"}},
    {.what = "a mirror has a hole", .sabotage = SABOTAGE_MIRROR_HOLE, .promises = {"I8", "I1"}},
    {.what = "a queue has two masters", .sabotage = SABOTAGE_TWO_MASTERS, .promises = {"I9"}},
    {.what = "another policy is set", .sabotage = SABOTAGE_POLICY_IGNORED, .promises = {"I10"}},
    {.what = "who is told to pause goes on",
     .sabotage = SABOTAGE_NEVER_PAUSES,
     .faults = FAULT_CUTS,
     .promises = {"I11", "I3", "I12"}},
    {.what = "nobody lists a partition",
     .sabotage = SABOTAGE_PARTITIONS_HIDDEN,
     .faults = FAULT_CUTS,
     .promises = {"I11"}},
    {.what = "a queue holds one more than it may", .sabotage = SABOTAGE_LENGTH_LOWER, .promises = {"limits"}},
    {.what = "messages and queues end too early",
     .sabotage = SABOTAGE_TIMES_LONGER,
     .promises = {"I3", "dead-letter", "I1"}},
    {.what = "messages and queues stay too long", .sabotage = SABOTAGE_TIMES_SHORTER, .promises = {"limits"}},
    {.what = "low priorities come first", .sabotage = SABOTAGE_PRIORITY_TURNED, .promises = {"I7"}},
    {.what = "of single active consumers there are several",
     .sabotage = SABOTAGE_SINGLE_SHOWN,
     .promises = {"single"},
     .says = "whose single active consumer is"},
    {.what = "of single active consumers the youngest is next",
     .sabotage = SABOTAGE_YOUNGEST_FIRST,
     .promises = {"single"},
     .says = "came before it"},
    {.what = "a get is answered with what an earlier master took",
     .sabotage = SABOTAGE_GOT_EARLIER,
     .promises = {"taken"},
     .says = "which an earlier master took for it"},
    {.what = "a master takes publishes in another order",
     .sabotage = SABOTAGE_PUBLISH_SWAPPED,
     .promises = {"I7"},
     .says = "which its channel published later"},
    {.what = "what is given up is not dead-lettered",
     .sabotage = SABOTAGE_DEAD_LETTER_SWALLOWED,
     .promises = {"dead-letter"}},
    {.what = "what is given up is dead-lettered twice",
     .sabotage = SABOTAGE_DEAD_LETTER_TWICE,
     .promises = {"dead-letter"}},
    {.what = "a consumer does not hear that it was cancelled",
     .sabotage = SABOTAGE_CANCEL_SWALLOWED,
     .promises = {"cancel", "I12", "I2"}},
    {.what = "what a consumer has is given to another",
     .sabotage = SABOTAGE_RETURN_HIDDEN,
     .promises = {"taken", "prefetch"}},
    {.what = "a publish is refused without need",
     .sabotage = SABOTAGE_CONFIRM_TURNED,
     .promises = {"limits"}},
    {.what = "an exclusive queue outlives its connection",
     .sabotage = SABOTAGE_OWNER_STAYS,
     .promises = {"exclusive"}},
    {.what = "who does not acknowledge gets a message twice",
     .sabotage = SABOTAGE_GOT_TWICE,
     .promises = {"I5", "I6"}},
    {.what = "a master forgets its consumers", .sabotage = SABOTAGE_CONSUMER_HIDDEN, .promises = {"I12"}},
    {.what = "a node waits for who stopped before it",
     .sabotage = SABOTAGE_LEFT_WAITED_FOR,
     .promises = {"I12"}},
    {.what = "a node waits for nobody who went on without it",
     .sabotage = SABOTAGE_STAYED_FORGOTTEN,
     .promises = {"I12"}},
    {.what = "two views have one number",
     .sabotage = SABOTAGE_EPOCH_CUT,
     .faults = FAULT_CUTS,
     .promises = {"I9"}},
    {.what = "what was confirmed has another id with a mirror than its master gave it",
     .sabotage = SABOTAGE_PLACE_MOVED,
     .faults = FAULT_CUTS,
     .promises = {"once"},
     .says = "confirmed it was id"},
    {.what = "a mirror has what its master has not given yet",
     .sabotage = SABOTAGE_MIRROR_AHEAD,
     .promises = {"I8"},
     .says = "never had"},
    {.what = "a healed link stays down",
     .sabotage = SABOTAGE_NO_RECONNECT,
     .faults = FAULT_CUTS,
     .promises = {"I12", "I11"}},
};

/* Needs faults to show: a confirm that comes before the mirrors have it is not yet a loss. */
static const struct wrong shrinkable = {
    .what = "the newest mirror is promoted", .newest = true, .faults = FAULTS_ALL, .promises = {"I9"}};

static void each_planted_fault_is_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++)
        is_caught(&wrongs[i]);
}

struct planted {
    const struct wrong *w;
    uint64_t seed;
};

static void make_planted(struct plan *p, void *arg)
{
    const struct planted *planted = arg;
    make_wrong(p, planted->seed, planted->w);
}

/* Whatever breaks is told as a story that one can read, before one is tired of waiting. */
static void a_failure_shrinks_to_a_story(void **state)
{
    (void)state;
    unsigned shrunk = 0;
    for (uint64_t seed = 1; seed <= SEEDS && shrunk < 5; seed++) {
        struct planted planted = {.w = &shrinkable, .seed = seed};
        struct shrink job = {.make = make_planted, .arg = &planted, .limit_s = 60, .run_limit_s = 2};
        struct shrunk found;
        time_t began = time(NULL);
        shrink(&job, &found);
        if (!found.schedule)
            continue;
        assert_in_range(time(NULL) - began, 0, 61);
        assert_in_range(found.events, 0, SHRINK_EVENTS);
        /* and it is the same failure */
        struct plan p;
        struct plan_result r;
        make_planted(&p, &planted);
        text_clear(&p.schedule);
        text_add(&p.schedule, found.schedule);
        plan_run(&p, &r);
        assert_non_null(r.failure);
        assert_memory_equal(r.failure, found.broken, strcspn(found.broken, ":"));
        free(r.failure);
        plan_finish(&p);
        free(found.schedule);
        shrunk++;
    }
    assert_int_equal(shrunk, 5);
}

/* It takes a kill in the millisecond in which its node took in two messages, at a step whose number is a
 * multiple of eight: whatever line goes, all dice fall otherwise. What it takes is counted, not timed. */
static void what_needs_luck_shrinks_too(void **state)
{
    (void)state;
    const struct wrong unlucky = {.sabotage = SABOTAGE_UNLUCKY_KILL, .faults = FAULTS_ALL};
    struct planted planted = {.w = &unlucky, .seed = 3217};
    struct shrink job = {
        .make = make_planted, .arg = &planted, .limit_s = 3600, .limit_runs = 2000, .run_limit_s = 20};
    struct shrunk found;
    shrink(&job, &found);
    assert_non_null(found.schedule);
    assert_int_equal(strncmp(found.broken, "luck:", 5), 0);
    assert_in_range(found.runs, 1, job.limit_runs);
    print_message("%zu events are left after %u runs\n", found.events, found.runs);
    assert_in_range(found.events, 1, SHRINK_EVENTS);
    free(found.schedule);
}

/* What one side had lost may go once more only if another side, which does not come from the one that lost
 * it, holds it: each of these facts is needed. (That it is asked is seen by
 * tests/sim/found/lost-twice-on-one-side.sched.) */
static void a_second_loss_needs_another_side(void **state)
{
    (void)state;
    enum { NEW, OTHER, OFF };
    struct sim_options o;
    sim_options_defaults(&o);
    o.partition_handling = PARTITION_AUTOHEAL;
    struct sim *s = sim_create(&o);
    sim_start(s, OTHER);
    while (!sim_mirror(s, OTHER) && sim_step(s)) {
    }
    uint32_t loser = (uint32_t)s->check.views.len, after = loser + 1, beside = loser + 2, apart = loser + 3;
    struct ledger_message m = {.lost_in = loser, .memory = node_bit(OTHER)};
    VEC_PUSH(&s->check.views, (struct seen_view){.parent = 0});
    VEC_PUSH(&s->check.views, (struct seen_view){.parent = loser});
    VEC_PUSH(&s->check.views, (struct seen_view){.parent = 0});
    VEC_PUSH(&s->check.views, (struct seen_view){.parent = 0});
    s->cuts = 1;
    s->check.nodes[NEW].at = after;
    s->check.nodes[NEW].view.members = node_bit(NEW);
    s->check.nodes[OTHER].at = beside;
    assert_true(check_lost_before(s, NEW, &m));
    s->cuts = 0; /* nothing was ever cut */
    assert_false(check_lost_before(s, NEW, &m));
    s->cuts = 1;
    s->options.partition_handling = PARTITION_PAUSE_MINORITY; /* no second side serves */
    assert_false(check_lost_before(s, NEW, &m));
    s->options.partition_handling = PARTITION_IGNORE;
    assert_true(check_lost_before(s, NEW, &m));
    m.lost_in = 0; /* nobody had lost it */
    assert_false(check_lost_before(s, NEW, &m));
    m.lost_in = apart; /* a third side had */
    assert_false(check_lost_before(s, NEW, &m));
    m.lost_in = loser;
    m.memory = 0; /* nobody holds it */
    assert_false(check_lost_before(s, NEW, &m));
    m.memory = node_bit(OFF); /* who holds it does not run */
    assert_false(check_lost_before(s, NEW, &m));
    m.memory = node_bit(OTHER);
    s->check.nodes[NEW].view.members |= node_bit(OTHER); /* who holds it is on this side */
    assert_false(check_lost_before(s, NEW, &m));
    s->check.nodes[NEW].view.members = node_bit(NEW);
    s->check.nodes[OTHER].at = after; /* comes from the view that lost it */
    assert_false(check_lost_before(s, NEW, &m));
    sim_destroy(s);
}

static void the_same_seed_gives_the_same_run(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct plan_result r[2];
        for (unsigned i = 0; i < 2; i++) {
            struct plan p;
            plan_make(&p, seed, FAULTS_ALL);
            plan_run(&p, &r[i]);
            plan_finish(&p);
            free(r[i].failure);
        }
        assert_int_equal(r[0].hash, r[1].hash);
        assert_int_equal(r[0].steps, r[1].steps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_planted_fault_is_noticed),
        cmocka_unit_test(a_failure_shrinks_to_a_story),
        cmocka_unit_test(what_needs_luck_shrinks_too),
        cmocka_unit_test(a_second_loss_needs_another_side),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

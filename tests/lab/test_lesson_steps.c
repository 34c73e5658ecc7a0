/* test_lesson_steps.c: what becomes of a step that was ticked: what lasts is looked at further, what happened
 * has happened; a step that only looks is the learner's; the question is decided by what was seen. */
#include "tests/lab/look.h"
#include "tests/temporary.h"

/* What a step's title says of what lasts: since when that is over, which is never before what it came of. */
static void what_stops_to_be_true_says_when(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    observe_times(l, &policy_set, 2);
    int64_t held = wall_of(now);
    const struct look none = {0};
    observe(l, &none);
    int64_t missed = wall_of(now);
    assert_true(missed > held);
    assert_int_equal(l->steps[0].state, STEP_SEEN); /* once may be a slip */
    observe(l, &none);
    assert_int_equal(l->steps[0].state, STEP_WAS);
    int64_t when = l->steps[0].seen_wall_ms;
    assert_int_equal(when, missed);         /* when it was first seen not to be so */
    assert_seen(l, 0, "no policy mirrior"); /* what is so instead */
    assert_int_equal(lesson_current(l), 1); /* it was proved all the same */
    observe_times(l, &policy_set, 3);       /* the same again is not the same fact */
    assert_int_equal(l->steps[0].state, STEP_WAS);
    assert_int_equal(l->steps[0].seen_wall_ms, when);
    assert_int_equal(lesson_current(l), 1);
    lesson_destroy(l);
}

/* What happened has happened: the message that was published may be taken, the master may be another one. */
static void what_happened_stays(void **state)
{
    (void)state;
    struct lesson *l = load_until_stopped();
    observe_times(l, &promoted, 2);
    lesson_look(l, 4);
    observe_times(l, &hello_lost, 4);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(l->steps[i].state, STEP_SEEN);
    lesson_destroy(l);
}

/* A step that only looks is passed by who looks; what was there to be seen then is enough, also if it is over
 * by now. It does not take the place of what was never shown. */
static void a_look_is_the_learners(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    lesson_look(l, 0); /* it has something to run: looking is not enough */
    assert_false(l->steps[0].acted);
    observe_times(l, &policy_set, 2);
    observe_times(l, &compared, 2);
    observe_times(l, &mirrored, 2);
    observe_times(l, &node1_stopped, 2);
    lesson_look(l, 4);
    observe_times(l, &node1_stopped, 3);
    assert_int_equal(lesson_current(l), 4);
    l->steps[4].acted = false;
    observe_times(l, &promoted, 5);
    assert_int_equal(lesson_current(l), 4);
    int64_t held = wall_of(now);
    observe_times(l, &consumed, 3);
    assert_int_equal(lesson_current(l), 4);
    lesson_look(l, 4);
    assert_int_equal(lesson_current(l), 5);
    assert_seen(l, 4, "master=node2; kept 1 of 1");
    assert_int_equal(l->steps[4].seen_wall_ms, held);
    lesson_look(l, l->steps_len); /* after the last there is nothing to look at */
    lesson_destroy(l);
}

/* What came out is what was seen when the step was ticked, not what was answered. */
static void the_question_is_decided_by_what_is_seen(void **state)
{
    (void)state;
    for (int error = 0; error <= 1; error++) {
        struct lesson *l = load(2);
        for (size_t i = 0; i < 3; i++)
            l->steps[i].state = STEP_SEEN;
        assert_true(lesson_asks(l));
        assert_true(lesson_answer(l, lesson_next_answer(l)));
        const struct look gone = {.node1 = "not running", .queues = HELLO(",'was_messages':1", "stopped")};
        static const char *const printed[] = {
            "received: 404 NOT_FOUND - queue 'hello' in vhost '/' process is stopped by supervisor\n",
            "404 NOT_FOUND - queue 'hello' in vhost '/' process is stopped by supervisor\n"};
        lesson_begin_action(l, 3);
        lesson_output(l, 3, printed[error], strlen(printed[error]));
        lesson_action_ended(l, 3, 1);
        observe(l, &gone);
        assert_int_equal(l->predict.was, -1);
        observe(l, &gone);
        assert_int_equal(lesson_current(l), 4);
        assert_int_equal(l->predict.was, error ? 2 : 0);
        assert_int_equal(l->predict.said, 0);
        struct labdir lab = {0}; /* both are there when one comes back */
        assert_true(temporary_folder_in(lab.path, sizeof(lab.path), "proof"));
        assert_int_equal(lesson_keep(l, &lab), 0);
        struct lesson *again = load(2);
        assert_true(lesson_take_up(again, &lab));
        assert_int_equal(again->predict.was, l->predict.was);
        assert_int_equal(again->predict.said, 0);
        lesson_forget_all(&lab);
        assert_int_equal(rmdir(lab.path), 0);
        lesson_destroy(again);
        lesson_destroy(l);
    }
}

/* The step that decides only looks, and waits for the learner: node1, which the question is about, may be
 * back by then, and no choice holds any more. What was seen while it was away is what came out; what the
 * sides of a partition said is not. */
static void what_came_out_is_not_undone_before_one_looks(void **state)
{
    (void)state;
    struct lesson *l = load_until_stopped(); /* by hand: no step was run */
    struct look back = promoted, apart = promoted;
    back.node1 = NULL;
    back.said_by = "'node1','node2','node3'";
    back.queues = HELLO(MESSAGES(0), "running") "," QUEUE("mirrior_hello", "node2", "'node3'", "'node3'",
                                                          MESSAGES(1), "running", ",'policy':'mirrior'");
    apart.node1 = NULL;
    apart.apart = true;
    observe_times(l, &promoted, 2);
    assert_int_equal(l->predict.was, 1);
    observe(l, &apart);
    assert_int_equal(l->predict.was, -1);
    observe_times(l, &promoted, 2);
    observe_times(l, &back, 3);
    assert_int_equal(lesson_current(l), 4);
    lesson_look(l, 4);
    assert_int_equal(lesson_current(l), 5);
    assert_int_equal(l->predict.was, 1);
    lesson_destroy(l);
}

/* Lesson 6's message may have been replaced by one that came when the mirror was in sync, and was replicated:
 * what the step has shown does not say that it was copied. */
static void a_result_is_true_of_both_ways_to_it(void **state)
{
    (void)state;
    struct lesson *l = load(6);
    for (size_t i = 0; i < 3; i++)
        l->steps[i].state = STEP_SEEN;
#define IN_SYNC(n)                                                                                           \
    QUEUE("mirrior_hello", "node1", "'node2'", "'node2'", MESSAGES(n), "running", ",'policy':'mirrior'")
    const struct look empty = {.policies = POLICY, .queues = IN_SYNC(0)};
    const struct look published = {.policies = POLICY, .queues = IN_SYNC(1)};
    observe_times(l, &empty, 2);
    assert_non_null(l->steps[3].lacks);
    observe_times(l, &published, 2);
    lesson_look(l, 3);
    assert_int_equal(l->steps[3].state, STEP_SEEN);
    assert_non_null(strstr(l->steps[3].result, "ha-sync-mode automatic"));
    assert_null(strstr(l->steps[3].result, "copied"));
    lesson_destroy(l);
}

/* Stopped by hand (the screen's s) while the step lacks what it is about: its facts come, and it is not
 * ticked by them, nor does it forget why. By hand, and with all that it needs, it is. */
static void by_hand_it_needs_what_it_needs(void **state)
{
    (void)state;
    const struct look no_mirror = {.policies = POLICY,
                                   .queues = QUEUE("mirrior_hello", "node1", "", "", MESSAGES(1), "running",
                                                   ",'policy':'mirrior'") "," HELLO(MESSAGES(1), "running")};
    struct lesson *l = load(7);
    observe_times(l, &policy_set, 2);
    observe_times(l, &compared, 2);
    observe_times(l, &mirrored, 2);
    observe_times(l, &no_mirror, 2);
    assert_non_null(strstr(l->steps[3].lacks, "no mirror in sync"));
    observe_times(l, &node1_stopped, 5);
    assert_int_equal(l->steps[3].state, STEP_OPEN);
    assert_int_equal(lesson_current(l), 3);
    assert_non_null(l->steps[3].lacks);
    l = left_and_opened(l); /* nor with the next screen */
    observe_times(l, &node1_stopped, 5);
    assert_int_equal(l->steps[3].state, STEP_OPEN);
    assert_int_equal(lesson_current(l), 3);
    observe_times(l, &mirrored, 2);
    struct look parted = mirrored; /* nor is it by what was done to one side of a partition */
    parted.apart = true;
    observe_times(l, &parted, 4);
    assert_string_equal(l->steps[3].lacks, LESSON_LACKS_PARTED);
    l = left_and_opened(l);
    observe_times(l, &promoted, 5);
    assert_int_equal(lesson_current(l), 3);
    assert_non_null(strstr(l->steps[3].lacks, "master is on %s"));
    assert_string_equal(l->steps[3].lacks_at, "node2");
    observe_times(l, &mirrored, 2); /* it runs again, and a mirror is there */
    assert_null(l->steps[3].lacks);
    observe(l, &node1_stopped);
    assert_int_equal(l->steps[3].state, STEP_OPEN); /* twice, as any other */
    observe(l, &node1_stopped);
    assert_int_equal(l->steps[3].state, STEP_SEEN);
    lesson_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stops_to_be_true_says_when),
        cmocka_unit_test(what_happened_stays),
        cmocka_unit_test(a_look_is_the_learners),
        cmocka_unit_test(the_question_is_decided_by_what_is_seen),
        cmocka_unit_test(what_came_out_is_not_undone_before_one_looks),
        cmocka_unit_test(a_result_is_true_of_both_ways_to_it),
        cmocka_unit_test(by_hand_it_needs_what_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

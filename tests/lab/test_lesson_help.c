/* test_lesson_help.c: what keeps a lesson from its result is named: what a step lacks, a node that was killed
 * where it was to be stopped, a policy of the learner's own, what an earlier run left. */
#include "lab/lesson_private.h"
#include "tests/lab/look.h"
#include "tests/temporary.h"

/* What a step lacks is said before it is run, and no longer when it is there. */
static void what_a_step_lacks_is_said(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    for (size_t i = 0; i < 3; i++)
        l->steps[i].state = STEP_SEEN;
    struct look empty = compared; /* what B alone helps with is said first, so that nothing is done in vain */
    empty.queues = HELLO(MESSAGES(0), "running") "," QUEUE("mirrior_hello", "node1", "", "", MESSAGES(1),
                                                           "running", ",'policy':'mirrior'");
    observe(l, &empty);
    assert_non_null(l->steps[3].lacks);
    assert_non_null(strstr(l->steps[3].lacks, "no mirror in sync"));
#define READY(of_hello, of_mirrior)                                                                          \
    HELLO(MESSAGES(of_hello), "running")                                                                     \
    "," QUEUE("mirrior_hello", "node1", "'node2'", "'node2'", MESSAGES(of_mirrior), "running",               \
              ",'policy':'mirrior'")
    struct look ready = compared;
    ready.queues = READY(1, 0);
    observe(l, &ready);
    assert_non_null(strstr(l->steps[3].lacks, "mirrior_hello holds no message"));
    ready.queues = READY(0, 1);
    observe(l, &ready);
    assert_non_null(strstr(l->steps[3].lacks, "hello holds no message that could be missed"));
    ready.queues = READY(1, 1);
    observe(l, &ready);
    assert_null(l->steps[3].lacks);
    observe(l, &node1_stopped); /* nobody can say: that is no lack */
    assert_null(l->steps[3].lacks);
    l->steps[3].state = STEP_SEEN;
    observe(l, &promoted);
    assert_null(l->steps[4].lacks);
    observe(l, &consumed); /* before one looks: then nothing will show it */
    assert_non_null(strstr(l->steps[4].lacks, "is not all in mirrior_hello any more, and"));
    l->steps[4].state = STEP_SEEN;
    struct look runs = promoted;
    runs.node1 = NULL;
    observe(l, &runs);
    assert_non_null(strstr(l->steps[5].lacks, "node1 runs"));
    observe(l, &promoted);
    assert_null(l->steps[5].lacks);
    observe(l, &consumed);
    assert_non_null(strstr(l->steps[5].lacks, "is not all in mirrior_hello any more, and"));
    runs = consumed; /* stopping it again would not bring the message back */
    runs.node1 = NULL;
    observe(l, &runs);
    assert_non_null(strstr(l->steps[5].lacks, "is not all in mirrior_hello any more, and"));
    /* what came while node1 ran proves nothing of a node that was stopped */
    lesson_begin_action(l, 5);
    lesson_output(l, 5, "received: Hello World\n", 22);
    lesson_action_ended(l, 5, 0);
    struct look back = consumed;
    back.node1 = NULL;
    observe_times(l, &back, 4);
    assert_int_equal(lesson_current(l), 5);
    lesson_destroy(l);
}

/* An orderly stop leaves the process; what ticked the step says where it did not. */
static void a_killed_node_is_told_from_one_that_was_stopped(void **state)
{
    (void)state;
    for (int gone = 0; gone <= 1; gone++) {
        struct lesson *l = load(7);
        for (size_t i = 0; i < 3; i++)
            l->steps[i].state = STEP_SEEN;
        struct look stopped = node1_stopped;
        stopped.gone = gone;
        observe(l, &compared);
        observe_times(l, &stopped, 2);
        assert_int_equal(l->steps[3].state, STEP_SEEN);
        assert_int_equal(lesson_step_process_gone(l, 3), gone);
        assert_seen_part(l, 3, gone ? "node1 not running, its process is gone" : "node2, node3 say so");
        lesson_destroy(l);
        l = load(1);
        l->steps[0].state = STEP_SEEN;
        stopped.source = "";
        stopped.queues = HELLO(",'was_messages':1", "unknown");
        observe_times(l, &stopped, 2);
        assert_int_equal(l->steps[1].state, STEP_SEEN);
        assert_int_equal(lesson_step_process_gone(l, 1), gone);
        lesson_destroy(l);
    }
}

/* lesson 7 as node1 was stopped and the mirror is the master */
static struct lesson *at_the_consumer(void)
{
    struct lesson *l = load(7);
    for (size_t i = 0; i < 3; i++)
        l->steps[i].state = STEP_SEEN;
    struct look ready = compared;
    ready.queues = HELLO(MESSAGES(1), "running") "," QUEUE("mirrior_hello", "node1", "'node2'", "'node2'",
                                                           MESSAGES(1), "running", ",'policy':'mirrior'");
    observe(l, &ready);
    observe_times(l, &node1_stopped, 2);
    lesson_look(l, 4);
    observe_times(l, &promoted, 2);
    assert_int_equal(lesson_current(l), 5);
    assert_null(l->steps[5].lacks);
    return l;
}

/* The message that a step is about was taken, and another one is there: as many, and not the same. */
static void another_message_is_not_the_one_that_it_is_about(void **state)
{
    (void)state;
    struct labdir lab = {0};
    labdir_defaults(&lab, ENGINE_KIT, 3);
    assert_true(temporary_folder_in(lab.path, sizeof(lab.path), "lesson-help"));
    struct lesson *l = at_the_consumer();
    observe(l, &consumed); /* one look alone may have come between two figures */
    observe(l, &promoted);
    assert_null(l->steps[5].lacks);
    observe_times(l, &consumed, 2);
    observe_times(l, &promoted, 2); /* published again, through node2 */
    assert_non_null(l->steps[5].lacks);
    assert_null(strstr(l->steps[5].lacks, "p publishes"));
    assert_non_null(strstr(l->steps[5].lacks, "B begins the lesson again"));
    /* the screen is left and comes back */
    assert_int_equal(lesson_keep(l, &lab), 0);
    lesson_destroy(l);
    l = load(7);
    assert_true(lesson_take_up(l, &lab));
    observe_times(l, &promoted, 2);
    assert_int_equal(lesson_current(l), 5);
    assert_non_null(l->steps[5].lacks);
    lesson_destroy(l);
    lesson_forget_all(&lab);
    assert_int_equal(rmdir(lab.path), 0);

    l = at_the_consumer(); /* one behind it, then the first one taken: as many again */
    struct look two = promoted;
    two.queues = HELLO(",'was_messages':1", "stopped") "," QUEUE(
        "mirrior_hello", "node2", "'node3'", "'node3'", MESSAGES(2), "running", ",'policy':'mirrior'");
    observe_times(l, &two, 2);
    assert_null(l->steps[5].lacks); /* the first one comes first */
    observe_times(l, &promoted, 2);
    assert_non_null(l->steps[5].lacks);
    lesson_destroy(l);
}

#define SIDE(master, mirrors)                                                                                \
    "{'master':'" master "','mirrors':[" mirrors "],'synced':[" mirrors "],'state':'running','messages':1}"
#define TORN                                                                                                 \
    QUEUE("mirrior_hello", "node1", "'node3'", "'node3'", MESSAGES(1), "running",                            \
          ",'policy':'mirrior','sides':[" SIDE("node1", "'node3'") "," SIDE("node2", "") "]")

/* What a partition keeps from a step is said to be the partition's, not a mirror's that is missing. */
static void a_partition_is_why(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    for (size_t i = 0; i < 3; i++)
        l->steps[i].state = STEP_SEEN;
    struct look torn = compared;
    torn.queues = HELLO(MESSAGES(1), "running") "," TORN;
    observe(l, &torn);
    assert_non_null(l->steps[3].lacks);
    assert_string_equal(l->steps[3].lacks, LESSON_LACKS_PARTED);
    for (size_t i = 3; i < 6; i++)
        l->steps[i].state = STEP_SEEN;
    lesson_begin_action(l, 6);
    lesson_action_ended(l, 6, 0);
    torn.queues = HELLO(MESSAGES(0), "running") "," TORN;
    lesson_count(lesson_full(l), "hello")->most = 1;
    assert_help(l, 6, &torn, LESSON_HELP_JOIN,
                "mirrior_hello: a partition: node1, node2 each say they are its master");
    lesson_destroy(l);
}

/* While the nodes are apart a step is not to be run, and nothing that it shows is a proof. */
static void nothing_is_ticked_while_the_nodes_are_apart(void **state)
{
    (void)state;
    struct lesson *l = load(1);
    struct look apart = {.queues = HELLO(MESSAGES(1), "running"), .apart = true}, whole = apart;
    whole.apart = false;
    observe(l, &apart);
    assert_null(l->steps[0].lacks); /* a node that has just come looks so for a moment */
    observe(l, &apart);
    assert_string_equal(l->steps[0].lacks, LESSON_LACKS_PARTED);
    lesson_begin_action(l, 0);
    lesson_action_ended(l, 0, 0);
    observe_times(l, &apart, 4);
    assert_int_equal(lesson_current(l), 0);
    assert_help(l, 0, &apart, LESSON_HELP_JOIN, NULL);
    observe_times(l, &whole, 2);
    assert_int_equal(lesson_current(l), 1);
    assert_null(l->steps[1].lacks);
    observe(l, &(struct look){0}); /* its queue went with the side that began again */
    assert_string_equal(l->steps[1].lacks, LESSON_LACKS_QUEUE);
    assert_string_equal(l->steps[1].lacks_at, "hello");
    lesson_begin_action(l, 1); /* it was run all the same: running it again is no way out */
    lesson_action_ended(l, 1, 0);
    struct look stopped = {.node1 = "not running"};
    observe(l, &stopped);
    assert_help(l, 1, &stopped, LESSON_HELP_RESTART, "no queue hello");
    lesson_destroy(l);
}

#define OWN(pattern, apply_to)                                                                               \
    "{'name':'mine','pattern':'" pattern "','apply_to':'" apply_to "','priority':0,'definition':'{}'}"

/* A policy of the learner's own keeps the lesson from its result: it is named, not "begin again". */
static void a_policy_in_the_way_is_named(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    static const struct {
        const char *policies, *left;
    } cases[] = {{OWN("^hello", "queues"), "policy mine (^hello) would apply to hello"},
                 {OWN("", "all"), "policy mine () would apply to mirrior_hello"},
                 {OWN("^hello", "exchanges"), NULL},
                 {OWN("^hallo", "queues"), NULL},
                 {OWN("[", "queues"), NULL}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct snapshot *s = take(&(struct look){.policies = cases[i].policies});
        json_t *left = lesson_leftover(l, s);
        assert_int_equal(left != NULL, cases[i].left != NULL);
        if (left)
            assert_fact(left, cases[i].left);
        json_decref(left);
        snapshot_destroy(s);
    }
    l->steps[0].state = STEP_SEEN;
    lesson_begin_action(l, 1);
    lesson_action_ended(l, 1, 0);
    struct look applied = {.policies = POLICY "," OWN("^hello", "queues"),
                           .queues =
                               QUEUE("hello", "node1", "", "", MESSAGES(1), "running", ",'policy':'mine'")};
    assert_help(l, 1, &applied, LESSON_HELP_CLEAR, "effective policy=mine, none wanted");
    applied.queues = QUEUE("hello", "node1", "'node2','node3'", "'node2'", MESSAGES(1), "running",
                           ",'policy':'mine'"); /* its mirrors are looked at before its policy */
    assert_help(l, 1, &applied, LESSON_HELP_CLEAR, "+2 on node2, node3, 0 wanted");
    lesson_destroy(l);
}

static void what_an_earlier_run_left_is_named(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    const struct look nothing = {0};
    struct look both = policy_set, other = {0};
    both.queues = QUEUE("mirrior_hello", "node1", "", "", MESSAGES(1), "running", "");
    other.queues = QUEUE("hallo", "node1", "", "", MESSAGES(1), "running", "");
    const struct {
        const struct look *look;
        const char *left;
    } cases[] = {{&nothing, NULL},
                 {&other, NULL},
                 {&policy_set, "The lab holds policy mirrior already"},
                 {&both, "The lab holds mirrior_hello already"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct snapshot *s = take(cases[i].look);
        json_t *left = lesson_leftover(l, s);
        assert_int_equal(left != NULL, cases[i].left != NULL);
        if (left)
            assert_fact(left, cases[i].left);
        json_decref(left);
        snapshot_destroy(s);
    }
    lesson_destroy(l);
}

/* Who stops node1 and speaks of the masters that were there finds them there, or is told where they are. */
static void a_master_that_is_elsewhere_is_named(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    for (size_t i = 0; i < 3; i++)
        l->steps[i].state = STEP_SEEN;
    struct look moved = compared;
    moved.queues = HELLO(MESSAGES(1), "running") "," QUEUE("mirrior_hello", "node2", "'node3'", "'node3'",
                                                           MESSAGES(1), "running", ",'policy':'mirrior'");
    observe(l, &moved);
    assert_non_null(l->steps[3].lacks);
    assert_string_equal(l->steps[3].lacks,
                        "mirrior_hello's master is on %s, and this step needs it on node1: "
                        "B begins the lesson again.");
    assert_string_equal(l->steps[3].lacks_at, "node2");
    moved.queues = HELLO(MESSAGES(1), "running") "," QUEUE("mirrior_hello", "node3", "'node2'", "'node2'",
                                                           MESSAGES(1), "running", ",'policy':'mirrior'");
    struct snapshot *s = take(&moved);
    assert_true(lesson_observe(l, s)); /* that it went on to another one is news */
    assert_string_equal(l->steps[3].lacks_at, "node3");
    snapshot_destroy(s);
    moved.queues = READY(1, 1);
    observe(l, &moved);
    assert_null(l->steps[3].lacks);
    assert_null(l->steps[3].lacks_at);
    lesson_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_step_lacks_is_said),
        cmocka_unit_test(a_killed_node_is_told_from_one_that_was_stopped),
        cmocka_unit_test(another_message_is_not_the_one_that_it_is_about),
        cmocka_unit_test(a_partition_is_why),
        cmocka_unit_test(nothing_is_ticked_while_the_nodes_are_apart),
        cmocka_unit_test(a_master_that_is_elsewhere_is_named),
        cmocka_unit_test(a_policy_in_the_way_is_named),
        cmocka_unit_test(what_an_earlier_run_left_is_named),
    };
    return cmocka_run_group_tests_name("lab/lesson_help", tests, NULL, NULL);
}

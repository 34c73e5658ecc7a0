/* test_lesson_many.c: lessons whose learner published more messages than the lesson does, with p: what was
 * there is counted, and what a step says of one message it does not say of many. */
#include "lab/lesson_private.h"
#include "tests/lab/look.h"
#include "tests/temporary.h"

#define ALONE(messages) QUEUE("hello", "node1", "", "", messages, "running", ",'policy':''")
#define GONE            QUEUE("hello", "node1", "", "", ",'was_messages':7", "stopped", "")
#define PAIR(master, mirror, messages)                                                                       \
    QUEUE("mirrior_hello", master, "'" mirror "'", "'" mirror "'", messages, "running", ",'policy':'mirrior'")
#define BEFORE(messages)                                                                                     \
    {                                                                                                        \
        .queues = ALONE(MESSAGES(7)) "," PAIR("node1", "node2", messages), .policies = POLICY                \
    }
#define AFTER(messages)                                                                                      \
    {                                                                                                        \
        .node1 = "not running", .queues = GONE "," PAIR("node2", "node3", messages), .policies = POLICY      \
    }

/* A hundred thousand more, before node1 is stopped. */
static struct lesson *until_stopped(void)
{
    static const struct look hello = {.queues = ALONE(MESSAGES(7)), .policies = POLICY};
    static const struct look one = BEFORE(MESSAGES(1)), many = BEFORE(MESSAGES(100001)),
                             stopped = AFTER(MESSAGES(100001));
    struct lesson *l = load(7);
    observe_times(l, &policy_set, 2);
    observe_times(l, &hello, 2);
    observe_times(l, &one, 2);
    assert_int_equal(lesson_current(l), 3);
    observe_times(l, &many, 2);
    assert_null(l->steps[3].lacks);
    observe_times(l, &stopped, 2);
    assert_int_equal(lesson_current(l), 4);
    return l;
}

static void lesson_7_counts_what_was_kept(void **state)
{
    static const struct look kept = AFTER(MESSAGES(100001)), taken = AFTER(MESSAGES(100000));
    static const struct look back = {.queues =
                                         ALONE(MESSAGES(0)) "," PAIR("node2", "node3", MESSAGES(100000)),
                                     .policies = POLICY,
                                     .said_by = "'node1','node2','node3'"};
    (void)state;
    struct lesson *l = until_stopped();
    lesson_answer(l, 1);
    lesson_look(l, 4);
    observe_times(l, &kept, 2);
    assert_seen(l, 4, "master=node2; kept 100001 of 100001");
    assert_int_equal(l->predict.was, 1);
    lesson_begin_action(l, 5);
    lesson_output(l, 5, "received: Hello World\n", 22);
    lesson_action_ended(l, 5, 0);
    observe_times(l, &kept, 3);
    assert_int_equal(lesson_current(l), 5); /* it has to be taken out of the queue, too */
    observe_times(l, &taken, 4);
    assert_int_equal(lesson_current(l), 6);
    observe_times(l, &back, 2);
    assert_int_equal(lesson_current(l), 7);
    lesson_destroy(l);
}

/* Who leaves the screen between the stop and the look finds the count again. */
static void the_count_before_the_stop_is_kept(void **state)
{
    static const struct look kept = AFTER(MESSAGES(100001));
    (void)state;
    struct labdir lab = {0};
    assert_true(temporary_folder_in(lab.path, sizeof(lab.path), "lesson-many"));
    struct lesson *l = until_stopped(), *again;
    assert_int_equal(lesson_keep(l, &lab), 0);
    lesson_destroy(l);
    again = load(7);
    assert_true(lesson_take_up(again, &lab));
    assert_int_equal(lesson_current(again), 4);
    lesson_look(again, 4);
    observe_times(again, &kept, 2);
    assert_seen(again, 4, "master=node2; kept 100001 of 100001");
    lesson_destroy(again);
    lesson_forget_all(&lab);
    rmdir(lab.path);
}

/* One fewer is not all, however many there are; more that came later do not hide that for long. */
static void lesson_7_does_not_call_fewer_kept(void **state)
{
    static const struct look fewer = AFTER(MESSAGES(100000)), most = AFTER(MESSAGES(99999));
    (void)state;
    struct lesson *l = until_stopped();
    lesson_look(l, 4);
    observe_times(l, &fewer, 5);
    assert_int_equal(lesson_current(l), 4);
    assert_seen_part(l, 4, "kept 100000 of 100001");
    observe_times(l, &most, 3); /* taken since the stop: what helps is said */
    assert_non_null(strstr(l->steps[4].lacks, "is not all in mirrior_hello any more"));
    lesson_destroy(l);
}

/* Persistent ones would be back with node1, and its texts are about transient ones. */
static void lesson_7_is_about_transient_ones(void **state)
{
    static const struct look hello = {.queues = ALONE(KINDS(2, 1)) "," PAIR("node1", "node2", MESSAGES(1)),
                                      .policies = POLICY},
                             mirrored_one = BEFORE(KINDS(2, 1)), fine = BEFORE(MESSAGES(2));
    (void)state;
    struct lesson *l = load(7);
    l->steps[0].state = l->steps[1].state = l->steps[2].state = STEP_SEEN;
    observe_times(l, &hello, 2);
    assert_non_null(strstr(l->steps[3].lacks, "hello holds a persistent message"));
    observe_times(l, &mirrored_one, 2);
    assert_non_null(strstr(l->steps[3].lacks, "mirrior_hello holds a persistent message"));
    observe_times(l, &fine, 2);
    assert_null(l->steps[3].lacks);
    lesson_destroy(l);
}

/* Its last step asks for two and gets one: with several there it would get two, and that shows nothing. */
static void lesson_6_wants_one_at_its_end(void **state)
{
    static const struct look unmirrored = {
        .queues = QUEUE("mirrior_hello", "node1", "", "", MESSAGES(500), "running", ",'policy':''"),
        .policies = "{'name':'mirrior','pattern':'^mirror','apply_to':'queues','priority':0,"
                    "'definition':'{\\'ha-params\\':2,\\'ha-mode\\':\\'exactly\\',"
                    "\\'ha-sync-mode\\':\\'automatic\\'}'}"};
    static const struct look many = {.queues = PAIR("node1", "node2", MESSAGES(500)), .policies = POLICY},
                             one = {.queues = PAIR("node1", "node2", MESSAGES(1)), .policies = POLICY},
                             none = {.queues = PAIR("node1", "node2", MESSAGES(0)), .policies = POLICY};
    (void)state;
    struct lesson *l = load(6);
    observe_times(l, &unmirrored, 2);
    lesson_begin_action(l, 1);
    lesson_output(l, 1, "all confirmed\n", 14);
    lesson_action_ended(l, 1, 0);
    observe_times(l, &unmirrored, 5);
    observe_times(l, &many, 2);
    lesson_look(l, 3);
    observe_times(l, &many, 2);
    assert_int_equal(lesson_current(l), 4);
    assert_non_null(strstr(l->steps[4].lacks, "holds several messages"));
    assert_non_null(strstr(l->steps[4].lacks, "g takes all but one"));
    observe_times(l, &one, 2);
    assert_null(l->steps[4].lacks);
    lesson_begin_action(l, 4);
    static const char printed[] = "received: Hello World\n1 of 2 received\n";
    lesson_output(l, 4, printed, sizeof(printed) - 1);
    lesson_action_ended(l, 4, 1);
    observe_times(l, &none, 2);
    assert_int_equal(lesson_current(l), 5);
    lesson_destroy(l);
}

/* More in pencil go as the one does; of more in ink it cannot say what it says, and that is said before. */
static void lesson_3_brings_back_the_one_in_ink(void **state)
{
#define RUNS(messages)                                                                                       \
    {                                                                                                        \
        .queues = HELLO(messages, "running")                                                                 \
    }
    static const struct look pencils = RUNS(KINDS(9, 0)), both = RUNS(KINDS(10, 1)),
                             inks = RUNS(KINDS(11, 2)), ink = RUNS(KINDS(1, 1)), none = RUNS(KINDS(0, 0));
    static const struct look gone = {.node1 = "not running",
                                     .queues = HELLO(",'was_messages':10", "stopped")};
    (void)state;
    struct lesson *l = load(3);
    observe_times(l, &pencils, 2);
    observe_times(l, &both, 2);
    assert_int_equal(lesson_current(l), 2);
    observe_times(l, &inks, 2);
    assert_non_null(strstr(l->steps[2].lacks, "does not hold one persistent message"));
    observe_times(l, &both, 2);
    assert_null(l->steps[2].lacks);
    observe_times(l, &gone, 2);
    observe_times(l, &ink, 2);
    assert_int_equal(lesson_current(l), 4);
    assert_seen(l, 3, "messages=1; hello had 11 before");
    static const char printed[] = "received: written in ink\n1 of 2 received\n";
    lesson_begin_action(l, 4);
    lesson_output(l, 4, printed, sizeof(printed) - 1);
    lesson_action_ended(l, 4, 1);
    observe_times(l, &none, 3);
    assert_int_equal(lesson_current(l), 5);
    lesson_destroy(l);
}

/* What comes from node3 when it asks for two; held: what hello holds before that, left: after it. */
static struct lesson *given(const struct look *held, const char *printed, const struct look *left)
{
    static const struct look pencil = RUNS(KINDS(1, 0)), both = RUNS(KINDS(2, 1)), ink = RUNS(KINDS(1, 1));
    static const struct look gone = {.node1 = "not running", .queues = HELLO(",'was_messages':2", "stopped")};
    struct lesson *l = load(3);
    observe_times(l, &pencil, 2);
    observe_times(l, &both, 2);
    observe_times(l, &gone, 2);
    lesson_answer(l, 0);
    observe_times(l, &ink, 2);
    assert_int_equal(lesson_current(l), 4);
    observe_times(l, held, 2);
    assert_null(l->steps[4].lacks);
    lesson_begin_action(l, 4);
    lesson_output(l, 4, printed, strlen(printed));
    lesson_action_ended(l, 4, 0);
    observe_times(l, left, 3);
    return l;
}

/* What is published after node1 is back comes after what came back: it shows nothing, and is in nobody's way.
 */
static void lesson_3_ends_with_more_there(void **state)
{
    static const struct look many = RUNS(KINDS(4, 1)), left = RUNS(KINDS(2, 0)), three = RUNS(KINDS(3, 0));
    static const char ink[] = "received: written in ink\n    it was published persistent\n",
                      pencil[] = "received: written in pencil\n    it was published transient\n",
                      word[] = "received: Hello World\n    it was published transient\n";
    (void)state;
    const char *after[] = {word, pencil}; /* the latter: step 1's action, run once more */
    for (size_t i = 0; i < ARRAY_LEN(after); i++) {
        char *printed = format_text("%s%s", ink, after[i]);
        struct lesson *l = given(&many, printed, &left);
        assert_int_equal(lesson_current(l), 5);
        assert_int_equal(l->predict.was, 1);
        lesson_destroy(l);
        free(printed);
    }
    char *both =
        format_text("%s%s", pencil, ink); /* the one in pencil came back, too: what it says is not so */
    struct lesson *l = given(&many, both, &left);
    assert_int_equal(lesson_current(l), 4);
    lesson_destroy(l);
    free(both);
    l = given(&many, word, &left);
    assert_int_equal(lesson_current(l), 4); /* it gave the one in ink to another one */
    lesson_destroy(l);
    l = given(&many, ink, &left);
    assert_int_equal(lesson_current(l), 4); /* it waits for the other one */
    lesson_destroy(l);
    char *alone = format_text("%s    no other came within 2 s: 1 of 2 received\n", ink);
    l = given(&many, alone, &many);
    assert_int_equal(lesson_current(l), 4); /* it has to be taken out of the queue, too */
    observe_times(l, &three, 3);
    assert_int_equal(lesson_current(l), 5);
    lesson_destroy(l);
    free(alone);
}

/* Taken before its last step, the one in ink cannot come any more: that is said before. */
static void lesson_3_wants_what_came_back(void **state)
{
    static const struct look many = RUNS(KINDS(2, 1)), taken = RUNS(KINDS(1, 0));
    (void)state;
    struct lesson *l = given(&many, "", &many);
    observe_times(l, &taken, 3);
    assert_non_null(l->steps[4].lacks);
    assert_non_null(strstr(l->steps[4].lacks, "does not hold the message that came back"));
    lesson_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lesson_7_counts_what_was_kept),
        cmocka_unit_test(the_count_before_the_stop_is_kept),
        cmocka_unit_test(lesson_7_does_not_call_fewer_kept),
        cmocka_unit_test(lesson_7_is_about_transient_ones),
        cmocka_unit_test(lesson_6_wants_one_at_its_end),
        cmocka_unit_test(lesson_3_brings_back_the_one_in_ink),
        cmocka_unit_test(lesson_3_ends_with_more_there),
        cmocka_unit_test(lesson_3_wants_what_came_back),
    };
    return cmocka_run_group_tests_name("lab/lesson_many", tests, NULL, NULL);
}

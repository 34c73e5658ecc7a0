/* test_unanswered.c: what keys do to nodes that do not answer. On the model alone. */
#include "tests/screen/support.h"

/* Nobody answers: nothing acts but what starts nodes, gives them their links back, or is for one that is
 * stopped. */
static void where_nobody_answers_nodes_are_only_started(void **state)
{
    static const char *const runs[] = {":start\n", ":start_app\n", ":force_boot\n", ":heal\n"};
    struct model m;
    struct command *run = NULL;
    struct lesson *l = sketch_lesson();
    char *stop[] = {"labctl", "-n", "node1", "stop_app", NULL},
         *start[] = {"labctl", "-n", "node1", "start_app", NULL};
    char **action = l->steps[0].action;
    (void)state;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    assert_int_equal(types(&m, "K", &run),
                     EFFECT_DRAW); /* asked while they answer, answered when they do not */
    see(&m, "silent");
    assert_int_equal(types(&m, "y", &run), EFFECT_DRAW);
    assert_null(run);
    assert_contains(model_message(&m),
                    "labctl -n node1 kill: not now, no node answers; a starts the selected one");
    l->steps[0].action = stop;
    for (const char *key = "nrsxKpgPSC"; *key; key++) {
        l->steps[0].acted = *key == 'r'; /* what was not run is not run once more */
        assert_int_equal(model_key(&m, *key, &run), EFFECT_DRAW);
        assert_null(run);
        assert_int_equal(m.overlay, OVERLAY_NONE); /* no form, no question */
        assert_contains(model_message(&m), "not now, no node answers");
    }
    assert_keys_say(&m, ":kill\n", "not now, no node answers");
    assert_int_equal(m.overlay, OVERLAY_NONE);
    assert_keys_say(&m, ":set_policy a b '{}'\n", "not now, no node answers");
    l->steps[0].action = start;
    assert_int_equal(types(&m, "n", &run), EFFECT_RUN); /* what the lesson stopped it starts again */
    command_destroy(run);
    assert_int_equal(types(&m, "a", &run), EFFECT_RUN);
    command_destroy(run);
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        assert_int_equal(types(&m, runs[i], &run), EFFECT_RUN);
        command_destroy(run);
    }
    assert_int_equal(types(&m, ":cluster_status\n", &run), EFFECT_RUN); /* asking is no acting */
    command_destroy(run);
    m.cut = 1;
    assert_int_equal(types(&m, "x", &run), EFFECT_RUN); /* nodes that pause until they see each other */
    assert_string_equal(run->text, "labctl -n node1 heal node1");
    command_destroy(run);
    types(&m, "B", &run); /* begins with starting them */
    assert_int_equal(m.overlay, OVERLAY_CONFIRM);
    assert_int_equal(types(&m, "y", &run), EFFECT_RUN);
    command_destroy(run);
    l->steps[0].action = action;
    model_finish(&m);
    sketch_destroy(l);
}

/* The lab was started again on other ports: that is why nobody answers, and no key here mends it. */
static void a_lab_that_has_moved_says_where_to(void **state)
{
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("silent");
    s->moved_to = 65535;
    model_observe(&m, s);
    snapshot_destroy(s);
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, "STALE");
    assert_contains(frame, "The lab runs on other ports now (AMQP 65535): q, then call lab as before.");
    assert_lacks(frame, "No node answers");
    free(frame);
    types(&m, "p", &run);
    assert_null(run);
    assert_contains(model_message(&m), "p: not now. The lab runs on other ports now (AMQP 65535)");
    assert_lacks(model_message(&m), "a starts the selected one");
    model_finish(&m);
}

/* Lesson 1 asks while its only node is stopped. */
static void a_question_is_answered_where_nobody_answers(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    struct lesson *l = sketch_lesson();
    l->predict.step = 0;
    model_init(&m, l, NULL, false, false);
    see(&m, "silent");
    assert_int_equal(types(&m, "A", &run), EFFECT_ANSWER);
    assert_int_equal(types(&m, "a", &run), EFFECT_ANSWER); /* and no start, which would show what is asked */
    assert_keys_say(&m, "p", ":start starts the selected one");
    l->steps[0].acted = true;
    assert_keys_say(&m, "A", "no question is open");
    model_finish(&m);
    sketch_destroy(l);
}

/* x at node1, and what labctl printed before it ended with 69 */
static void cut(struct model *m, const char *printed)
{
    struct command *run = NULL;
    model_init(m, NULL, NULL, false, false);
    see(m, "rest");
    assert_int_equal(types(m, "x", &run), EFFECT_RUN);
    model_ran(m, run);
    model_output(m, run, printed, strlen(printed));
    model_ended(m, run, 69);
}

/* Whom a cut did not reach it did not cut off; where it reached some, they did as they were told. */
static void a_cut_is_what_was_told(void **state)
{
    struct model m;
    (void)state;
    cut(&m,
        "Cutting links of node1 ...\nError: unable to perform an operation on node 'node1'. Please see\n");
    assert_int_equal(m.cut, 0);
    char *frame = model_frame(&m, 120, 24);
    assert_contains(frame, "x:Cut");
    assert_contains(frame, "node1 does not answer: its process does not run");
    free(frame);
    model_finish(&m);
    cut(&m, "Cutting links of node1 ...\nError: unable to perform an operation on node 'node2'. Please see\n"
            "Told: node1, node3\n");
    assert_int_equal(m.cut, 1);
    frame = model_frame(&m, 120, 24);
    assert_contains(frame, "x:Heal");
    assert_contains(frame, "not all could be told; node1, node3 did as told");
    assert_lacks(frame, "its process does not run");
    free(frame);
    model_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_nobody_answers_nodes_are_only_started),
        cmocka_unit_test(a_lab_that_has_moved_says_where_to),
        cmocka_unit_test(a_question_is_answered_where_nobody_answers),
        cmocka_unit_test(a_cut_is_what_was_told),
    };
    return cmocka_run_group_tests_name("screen/unanswered", tests, NULL, NULL);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_nobody_answers_nodes_are_only_started),
    };
    return cmocka_run_group_tests_name("screen/unanswered", tests, NULL, NULL);
}

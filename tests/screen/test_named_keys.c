/* test_named_keys.c: a key is named only where it does something: neither by a sentence nor in the bar of a
 * screen that is read-only, shows the past, or has nobody left who answers. On the model alone. */
#include "tests/screen/support.h"

/* how sentences name the keys that act; "x heals" and the like */
static const char *const named[] = {"n runs",
                                    "x heals",
                                    "(s, a)",
                                    "a starts",
                                    "p publishes",
                                    "r runs",
                                    "s stops",
                                    "B begins",
                                    "N goes",
                                    "n goes",
                                    "then n",
                                    "Press n",
                                    "press a",
                                    "A answers",
                                    "Ctrl-C ",
                                    "B makes",
                                    "n: what",
                                    "n, when",
                                    "n:Next",
                                    "s:Stop",
                                    "K:Kill-9",
                                    "x:Cut",
                                    "x:Heal",
                                    "p:Publish",
                                    "g:Get",
                                    "P:Policy",
                                    "a:Start",
                                    "A:Answer",
                                    "the selected node again",
                                    "asks first"};

static void assert_names_none(struct model *m)
{
    static const int sizes[][2] = {{80, 24}, {160, 45}};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char *frame = model_frame(m, sizes[i][0], sizes[i][1]);
        for (size_t k = 0; k < ARRAY_LEN(named); k++)
            assert_lacks(frame, named[k]);
        free(frame);
    }
}

/* however far the lesson is, and whatever was seen last */
static void who_only_looks_is_named_no_key_that_acts(void **state)
{
    static const char *const looks[] = {"rest", "stopped", "cut", "apart", "silent"};
    static const enum view views[] = {VIEW_CLUSTER, VIEW_MESSAGE, VIEW_LESSON, VIEW_QUEUE, VIEW_NODE};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        struct lesson *l = sketch_lesson();
        struct model m;
        model_init(&m, l, NULL, true, false);
        see(&m, looks[i]);
        m.cut = 1; /* as if from here: the sentence that names x */
        for (size_t step = 0; step <= l->steps_len; step++) {
            for (size_t v = 0; v < ARRAY_LEN(views); v++) {
                model_show(&m, views[v]);
                assert_names_none(&m);
            }
            if (step == l->steps_len)
                break;
            l->steps[step].acted = true; /* by an earlier screen, and it failed */
            l->steps[step].exit_code = 1;
            l->steps[step].lacks = xstrdup("node1 runs: arrows select it, s stops it.");
            model_show(&m, VIEW_CLUSTER);
            assert_names_none(&m);
            sketch_step(l, step, STEP_SEEN, "so");
        }
        m.lesson = NULL;
        model_show(&m, VIEW_CLUSTER);
        assert_names_none(&m);
        m.overlay = OVERLAY_HELP;
        assert_names_none(&m);
        m.overlay = OVERLAY_NONE;
        m.lesson = l;
        model_finish(&m);
        sketch_destroy(l);
    }
}

/* What the step would run is shown all the same; whether another screen runs it is not known here. */
static void a_projector_shows_the_command_without_a_key(void **state)
{
    (void)state;
    struct lesson *l = sketch_lesson();
    struct model m;
    model_init(&m, l, NULL, true, false);
    see(&m, "rest");
    assert_frame_contains(&m, "its command: ");
    model_show(&m, VIEW_LESSON);
    assert_frame_contains(&m, "its command: ");
    m.readonly = false;
    assert_frame_contains(&m, "n runs: ");
    assert_frame_lacks(&m, "its command: ");
    model_finish(&m);
    sketch_destroy(l);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_only_looks_is_named_no_key_that_acts),
        cmocka_unit_test(a_projector_shows_the_command_without_a_key),
    };
    return cmocka_run_group_tests_name("screen/named_keys", tests, NULL, NULL);
}

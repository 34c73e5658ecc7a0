/* test_named_keys.c: a key is named only where it does something: neither by a sentence nor in the bar of a
 * screen that is read-only, shows the past, or has nobody left who answers. On the model alone. */
#include "tests/screen/support.h"

#include "commands.h"

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

/* It stands in the bar: with its word, or without one. */
static bool is_offered(const char *bar, const struct key_entry *k)
{
    size_t len = strlen(k->name);
    for (const char *at = bar; (at = strstr(at, k->name)); at++)
        if ((at == bar || at[-1] == ' ') && (at[len] == ':' || at[len] == ' ' || !at[len]))
            return true;
    return false;
}

/* Presses each key that is offered, and none of them may be refused for the silence. */
static void assert_offers_what_works(struct model *m, const char *some)
{
    char *frame = model_frame(m, 160, 24), *bar = frame + strlen(frame);
    while (bar > frame && (!bar[0] || bar[0] == '\n' || bar[-1] != '\n'))
        bar--;
    bar[strcspn(bar, "\n")] = '\0';
    char offered[64] = "";
    for (size_t i = 0; i < key_table_len; i++) {
        const struct key_entry *k = &key_table[i];
        struct command *run = NULL;
        if (!is_offered(bar, k))
            continue;
        strcat(offered, strlen(k->name) == 1 ? k->name : "");
        model_key(m, k->key, &run);
        assert_true(!model_message(m) || !strstr(model_message(m), "not now"));
        if (run)
            command_destroy(run);
        m->overlay = OVERLAY_NONE;
    }
    assert_string_equal(offered, some);
    free(frame);
}

/* That a partition is in the way is said all the same: what mends it is a key's only elsewhere. */
static void a_projector_says_that_nodes_are_apart(void **state)
{
    (void)state;
    struct lesson *l = sketch_lesson();
    struct model m;
    model_init(&m, l, NULL, true, false);
    see(&m, "cut");
    l->steps[0].lacks = xstrdup(LESSON_LACKS_PARTED);
    assert_frame_contains(&m, "A partition keeps the nodes apart: that has to be mended first.");
    assert_names_none(&m);
    model_show(&m, VIEW_LESSON);
    assert_frame_contains(&m, "A partition keeps the nodes apart: that has to be mended first.");
    assert_names_none(&m);
    m.readonly = false;
    assert_frame_contains(&m, "x heals");
    model_finish(&m);
    sketch_destroy(l);
}

/* STALE: what is left is to start nodes, to give them their links back, and what needs no node. */
static void nobody_answers_and_the_bar_offers_what_works(void **state)
{
    (void)state;
    struct model m;
    struct lesson *l = sketch_lesson();
    char *stop[] = {"labctl", "-n", "node1", "stop_app", NULL},
         *start[] = {"labctl", "-n", "node1", "start_app", NULL}, **action = l->steps[0].action;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    assert_offers_what_works(&m, "q?saKxpgP");
    see(&m, "silent");
    assert_frame_contains(&m, "No node answers: a starts the selected one, ? shows all keys.");
    assert_offers_what_works(&m, "q?a");
    m.cut = 1; /* x would heal */
    assert_offers_what_works(&m, "q?ax");
    m.cut = 0;
    model_show(&m, VIEW_MESSAGE);
    assert_frame_lacks(&m, "p publishes");
    model_show(&m, VIEW_CLUSTER);
    m.lesson = l;
    free(l->steps[0].action_text);
    l->steps[0].action_text = xstrdup("labctl ...");
    l->steps[0].action = stop;
    assert_frame_contains(&m, "its command: labctl ...");
    assert_frame_lacks(&m, "Press n");
    assert_offers_what_works(&m, "q?a");
    l->steps[0].action = start; /* what it would start wakes them */
    assert_frame_contains(&m, "n runs: labctl ...");
    assert_offers_what_works(&m, "nq?a");
    l->steps[0].action = action;
    model_finish(&m);
    sketch_destroy(l);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_only_looks_is_named_no_key_that_acts),
        cmocka_unit_test(a_projector_shows_the_command_without_a_key),
        cmocka_unit_test(a_projector_says_that_nodes_are_apart),
        cmocka_unit_test(nobody_answers_and_the_bar_offers_what_works),
    };
    return cmocka_run_group_tests_name("screen/named_keys", tests, NULL, NULL);
}

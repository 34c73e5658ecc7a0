/* test_lesson_view.c: how a lesson is shown: its steps, what came out of them, its question, and what is said
 * where there is no room. On the model alone. */
#include "tests/screen/support.h"

#include "commands.h"

/* The error that a lesson is about is on the screen to its end. */
static void a_long_error(void **state)
{
    (void)state;
    struct lesson *l = sketch_two_proved();
    struct model m;
    static const char *const argv[] = {"consumer", "--queue", "hello", NULL};
    static const char error[] = "basic.consume: the broker refused: 404 NOT_FOUND - queue 'hello' in vhost "
                                "'/' process is stopped by supervisor, class-id=60, method-id=20\n";
    show(&m, l, (const char *const[]){"rest", NULL});
    model_ran(&m, command_of(argv, 2));
    model_output(&m, m.command, error, strlen(error));
    model_ended(&m, m.command, 1);
    char *frame = model_frame(&m, 80, 24);
    check_frame("error-80x24", frame);
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

/* Of what a step's program prints the lines are shown that are there to their end; all of it once it has
 * ended. */
static void half_a_line(void **state)
{
    (void)state;
    struct lesson *l = sketch_two_proved();
    struct model m;
    struct command *run;
    static const char *const argv[] = {"consumer", "--queue", "hello", NULL};
    static const char part[] = "received: Hello 1\nreceived: Hel";
    show(&m, l, (const char *const[]){"rest", NULL});
    model_key(&m, '4', &run);
    model_ran(&m, command_of(argv, 2));
    model_output(&m, m.command, part, strlen(part));
    lesson_output(l, 2, part, strlen(part));
    assert_frame_contains(&m, "| received: Hello 1\n");
    assert_frame_lacks(&m, "received: Hel\n");
    model_ended(&m, m.command, 1);
    assert_frame_contains(&m, "| received: Hel\n");
    model_finish(&m);
    sketch_destroy(l);
}

/* Nothing is cut without saying so: what was seen last is read to its end where there are rows for it, and
 * the steps that have none are counted. */
static void what_has_no_room_is_said(void **state)
{
    (void)state;
    struct lesson *l = sketch_two_proved();
    struct model m;
    static const char seen[] =
        "messages=100000; master=node1; state=running; durable; effective policy=mirror";
    sketch_step(l, 1, STEP_SEEN, seen);
    l->predict.step = 4; /* a question would come first */
    show(&m, l, (const char *const[]){"rest", NULL});
    char *frame = model_frame(&m, 80, 24);
    assert_lacks(frame, " below -");
    assert_contains(frame, "\n       seen: messages=100000; master=node1; state=running; durable;");
    assert_contains(frame, "policy=mirror\n>[ ] 3");
    free(frame);
    frame = model_frame(&m, 80, 9);
    assert_contains(frame, " below -");
    assert_lacks(frame, "policy=mirror\n>[ ] 3"); /* what is to be done comes first */
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

/* A step that only looks waits for the learner; once it is ticked, what it has shown is to be read. */
static void a_step_that_only_looks(void **state)
{
    (void)state;
    struct lesson *l = sketch_two_proved();
    struct model m;
    struct command *run;
    sketch_step(l, 2, STEP_SEEN, "node2, node3 both say so");
    show(&m, l, (const char *const[]){"rest", NULL});
    assert_frame_contains(&m, "\n       nothing to run: look, then n");
    assert_int_equal(model_key(&m, 'n', &run), EFFECT_LOOK);
    l->steps[3].acted = true;
    assert_frame_contains(&m, "\n       it is ticked when the nodes show it (n: what is missing)");
    assert_int_equal(model_key(&m, 'n', &run), EFFECT_DRAW);
    assert_non_null(model_message(&m));
    sketch_step(l, 3, STEP_SEEN, "master=node2; sync={node3}");
    assert_frame_contains(&m, "\n       The policy asks for two copies");
    assert_frame_contains(&m, "\n       n runs: consumer --queue mirrior_hello");
    l->steps[4].acted = true;
    char *frame = model_frame(&m, 80, 24);
    assert_lacks(frame, "The policy asks for two copies");
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

/* What came out is told once it was seen: before, only what is done. */
static void a_result_is_told_once_it_was_seen(void **state)
{
    (void)state;
    struct lesson *l = sketch_two_proved();
    struct model m;
    sketch_step(l, 2, STEP_SEEN, "node2, node3 both say so");
    l->steps[3].before = xstrdup("look at mirrior_hello");
    free(l->steps[3].result);
    l->steps[3].result = xstrdup("The mirror was made master.");
    show(&m, l, (const char *const[]){"stopped", NULL});
    for (int half = 0; half <= 1; half++) {
        char *frame = model_frame(&m, 80, 24);
        assert_contains(frame, "4 look at mirrior_hello");
        assert_lacks(frame, "The mirror was made master.");
        assert_lacks(frame, "mirror promoted");
        free(frame);
        sketch_step(l, 3, STEP_HALF, "no mirror");
    }
    sketch_step(l, 3, STEP_SEEN, "master=node2");
    assert_frame_contains(&m, "4 mirror promoted, new mirror in sync");
    assert_frame_contains(&m, "\n       The mirror was made master.");
    /* what the next one lacks stands in the place of what n would run, and n does not run it */
    struct command *run;
    l->steps[4].lacks = xstrdup("node1 runs: s stops it.");
    assert_frame_contains(&m, "\n       node1 runs: s stops it.");
    assert_int_equal(model_key(&m, 'n', &run), EFFECT_DRAW);
    assert_null(run);
    assert_string_equal(model_message(&m), "node1 runs: s stops it.");
    model_finish(&m);
    free(l->steps[3].before);
    sketch_destroy(l);
}

/* f gives the lesson one line, and the queues the rest; again: as it was. */
static void a_lesson_is_folded(void **state)
{
    (void)state;
    struct lesson *l = sketch_two_proved();
    struct model m;
    struct command *run;
    show(&m, l, (const char *const[]){"many", NULL});
    char *before = model_frame(&m, 80, 24);
    assert_int_equal(model_key(&m, 'f', &run), EFFECT_DRAW);
    char *frame = model_frame(&m, 80, 24);
    check_frame("folded-80x24", frame);
    assert_contains(frame, ">[ ] 3 stop node1");
    assert_lacks(frame, "[x] 2");
    free(frame);
    model_key(&m, 'f', &run);
    frame = model_frame(&m, 80, 24);
    assert_string_equal(frame, before);
    free(frame);
    free(before);
    model_finish(&m);
    sketch_destroy(l);
}

static void a_lab_that_does_not_fit(void **state)
{
    (void)state;
    struct lesson *l = sketch_lesson();
    struct model m;
    show(&m, l, (const char *const[]){"rest", NULL});
    assert_frame_contains(&m, "Press n to run the step");
    m.leftover = json_string("The lab holds mirrior_hello already");
    assert_frame_contains(
        &m, "The lab holds mirrior_hello already: B makes it ready for the lesson, n goes on.\n");
    sketch_step(l, 0, STEP_SEEN, "effective policy=mirror"); /* ticked by what was left: still said */
    assert_frame_contains(&m, "B makes it ready");
    l->nodes = 3;
    assert_frame_contains(&m, "B makes it ready");
    l->nodes = 1;
    assert_frame_contains(
        &m, "B makes it ready"); /* what an earlier run left is in the way; more nodes are not */
    json_decref(m.leftover);
    m.leftover = NULL;
    assert_frame_contains(&m,
                          "This lesson is about 1 node; the others of this lab look on. n goes on: step 2.");
    assert_frame_lacks(&m, "Press n to begin");
    sketch_step(l, 0, STEP_OPEN, NULL);
    assert_frame_contains(&m,
                          "This lesson is about 1 node; the others of this lab look on. Press n to begin.");
    m.next_lesson = 8;
    for (size_t i = 0; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "seen");
    assert_frame_contains(&m, "All 5 steps were seen. N goes on to lesson 8, B begins it again, q leaves.");
    model_finish(&m);
    sketch_destroy(l);
}

static void assert_outcome(const struct model *m, const char *words)
{
    char *text = outcome_text(m);
    assert_string_equal(text, words);
    free(text);
}

/* The question stands at its step, before that is run, whole, also where there is little room; A goes through
 * the choices; what came out is said when its step is ticked, and at the end. */
static void predict_first(void **state)
{
    (void)state;
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run;
    show(&m, l, (const char *const[]){"rest", NULL});
    assert_frame_lacks(&m, "Which nodes hold");
    assert_int_equal(model_key(&m, 'A', &run), EFFECT_DRAW);
    assert_contains(model_message(&m), "no question is open");
    sketch_step(l, 0, STEP_SEEN, "so");
    sketch_step(l, 1, STEP_SEEN, "so");
    m.message_step = 0; /* it was said at another step */
    assert_frame_contains(
        &m, "\n       Before you look: Which nodes hold mirrior_hello after node1 was stopped?\n"
            "       a: node2; b: node2 and node3; c: none -- press a, b or c\n"
            "       n runs: labctl -n node1 stop_app\n");
    char *small = model_frame(&m, 60, 20);
    assert_contains(small, "\n       Before you look: Which nodes hold mirrior_hello after\n"
                           "       node1 was stopped? a: node2; b: node2 and node3; c:\n"
                           "       none -- press a, b or c\n");
    free(small);
    for (int said = 0; said < 3; said++) {
        assert_int_equal(model_key(&m, 'A', &run), EFFECT_ANSWER);
        assert_true(lesson_answer(l, lesson_next_answer(l)));
        assert_int_equal(l->predict.said, said);
    }
    assert_frame_contains(&m, "c: none -- you say c; A changes it\n");
    assert_true(lesson_answer(l, lesson_next_answer(l)));
    assert_int_equal(l->predict.said, -1); /* none again */
    lesson_answer(l, lesson_next_answer(l));
    l->steps[2].acted = true;
    assert_frame_lacks(&m, "Before you look");
    assert_false(lesson_answer(l, lesson_next_answer(l))); /* too late */
    sketch_step(l, 2, STEP_SEEN, "so");
    sketch_step(l, 3, STEP_SEEN, "so");
    l->predict.was = 1;
    assert_frame_contains(&m, "\n       You said a: node2. It was b: node2 and node3. The policy asks");
    types(&m, "4", &run); /* in the same order there */
    assert_frame_contains(&m, "\n      You said a: node2. It was b: node2 and node3. The policy asks");
    types(&m, "1", &run);
    sketch_step(l, 4, STEP_SEEN, "so");
    assert_frame_contains(&m,
                          "\n You were asked: Which nodes hold mirrior_hello after node1 was stopped? You\n"
                          " said a: node2. It was b: node2 and node3.\n");
    l->predict.said = 1;
    assert_outcome(&m, "You said b, and so it was: node2 and node3.");
    l->predict.said = -1;
    assert_outcome(&m, "It was b: node2 and node3.");
    l->predict.was = -1; /* none of them was seen */
    assert_null(outcome_text(&m));
    model_finish(&m);
    sketch_destroy(l);
}

/* A lesson longer than the screen says what is cut off, and every line of it can be reached. */
static void a_lesson_is_scrolled(void **state)
{
    (void)state;
    struct lesson *l = sketch_two_proved();
    struct model m;
    struct command *run;
    for (size_t i = 2; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "seen");
    show(&m, l, (const char *const[]){"rest", NULL});
    model_key(&m, '4', &run);
    char *frame = model_frame(&m, 80, 16);
    check_frame("lesson-80x16", frame);
    free(frame);
    model_key(&m, 'k', &run);
    frame = model_frame(&m, 80, 16);
    assert_contains(frame, "v 1 more below (j, PgDn)");
    free(frame);
    for (int i = 0; i < 5; i++) {
        model_key(&m, KEY_PAGE_UP, &run);
        free(model_frame(&m, 80, 16));
    }
    frame = model_frame(&m, 80, 16);
    assert_contains(frame, " Aim: Stop the node");
    assert_lacks(frame, "more above");
    free(frame);
    model_key(&m, 'j', &run); /* no key is spent on what is beyond the top */
    frame = model_frame(&m, 80, 16);
    assert_contains(frame, "^ 1 more above (k, PgUp)");
    free(frame);
    frame = model_frame(&m, 80, 40); /* a larger screen needs none of it */
    assert_contains(frame, " Aim: Stop the node");
    assert_lacks(frame, "more above");
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

static size_t lines_with(const char *frame, const char *part)
{
    size_t found = 0;
    for (const char *at = frame; (at = strstr(at, part)); at += strlen(part))
        found++;
    return found;
}

/* The steps that have no room are counted, those that were passed as well as those to come. */
static void hidden_steps_are_counted(void **state)
{
    static const struct {
        int width, height;
        size_t seen;
        const char *title;
    } all[] = {{80, 24, 0, "- 0/5 --"},
               {80, 12, 0, "- 0/5, +3 below --"},
               {80, 12, 4, "- 4/5, +2 above --"},
               {80, 12, 2, "- 2/5, +1 above, +1 below --"},
               {40, 12, 2, "- 2/5, +2 below --"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct lesson *l = sketch_lesson();
        struct model m;
        l->predict.step = 5; /* no question */
        for (size_t step = 0; step < all[i].seen; step++)
            sketch_step(l, step, STEP_SEEN, "so");
        show(&m, l, (const char *const[]){"rest", NULL});
        char *frame = model_frame(&m, all[i].width, all[i].height);
        assert_contains(frame, all[i].title);
        free(frame);
        model_finish(&m);
        sketch_destroy(l);
    }
}

/* Where there is little room it is seen which nodes run, and how many queues have no row. */
static void what_a_small_screen_leaves_out_is_said(void **state)
{
    static const int heights[] = {12, 14, 18};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(heights); i++)
        for (size_t seen = 0; seen <= 4; seen++) {
            struct lesson *l = sketch_lesson();
            struct model m;
            for (size_t step = 0; step < seen; step++)
                sketch_step(l, step, STEP_SEEN, "so");
            show(&m, l, (const char *const[]){"rest", NULL});
            char *frame = model_frame(&m, 60, heights[i]);
            assert_contains(frame, ">node1 UP");
            assert_contains(frame, "node3 UP");
            bool both = strstr(frame, "mirri..ello running");
            assert_contains_(frame, " QUEUE +1 ", !both, __FILE__, __LINE__);
            free(frame);
            model_finish(&m);
            sketch_destroy(l);
        }
}

/* f: of the lesson the step to do stays, and what happened has its rows; again: all steps are back. */
static void the_lesson_is_folded(void **state)
{
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    char *open = model_frame(&m, 80, 24);
    assert_int_equal(lines_with(open, "[ ] "), 5);
    assert_int_equal(model_key(&m, 'f', &run), EFFECT_DRAW);
    char *folded = model_frame(&m, 80, 24);
    assert_int_equal(lines_with(folded, "[ ] "), 1);
    assert_contains(folded, ">[ ] 1 ");
    assert_true(strstr(folded, "Events (newest") - folded < strstr(open, "Events (newest") - open);
    assert_int_equal(model_key(&m, 'f', &run), EFFECT_DRAW);
    char *again = model_frame(&m, 80, 24);
    assert_string_equal(again, open);
    static const char *const elsewhere[] = {"2", "3", "4", "1\n"};
    for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
        types(&m, elsewhere[i], &run);
        assert_keys_say(&m, "f", "f folds the lesson in view 1: go there first");
        assert_false(m.folded);
    }
    free(open);
    free(folded);
    free(again);
    model_finish(&m);
    sketch_destroy(l);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_error),
        cmocka_unit_test(half_a_line),
        cmocka_unit_test(what_has_no_room_is_said),
        cmocka_unit_test(a_step_that_only_looks),
        cmocka_unit_test(a_result_is_told_once_it_was_seen),
        cmocka_unit_test(a_lesson_is_folded),
        cmocka_unit_test(a_lab_that_does_not_fit),
        cmocka_unit_test(predict_first),
        cmocka_unit_test(a_lesson_is_scrolled),
        cmocka_unit_test(the_lesson_is_folded),
        cmocka_unit_test(hidden_steps_are_counted),
        cmocka_unit_test(what_a_small_screen_leaves_out_is_said),
    };
    return cmocka_run_group_tests_name("screen/lesson_view", tests, NULL, NULL);
}

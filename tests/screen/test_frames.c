/* test_frames.c: whole frames, as text, against files that were looked at; and properties that every frame
 * has, whatever its size. */
#include "tests/screen/support.h"

#include "base/rng.h"
#include "tui.h"

static void check(const char *name, struct lesson *l, int width, int height, const char *const *snapshots)
{
    struct model m;
    show(&m, l, snapshots);
    char *frame = model_frame(&m, width, height);
    check_frame(name, frame);
    free(frame);
    model_finish(&m);
}

#define CHECK(name, lesson, width, height, ...)                                                              \
    check((name), (lesson), (width), (height), (const char *const[]){__VA_ARGS__, NULL})

static void at_rest(void **state)
{
    (void)state;
    struct lesson *l = sketch_two_proved();
    CHECK("rest-80x24", l, 80, 24, "rest");
    CHECK("rest-160x45", l, 160, 45, "rest");
    CHECK("rest-40x12", l, 40, 12, "rest");
    CHECK("rest-60x16", l, 60, 16, "rest");
    sketch_destroy(l);
}

static void node_stopped(void **state)
{
    (void)state;
    struct lesson *l = sketch_two_proved();
    sketch_step(l, 2, STEP_SEEN, "node2, node3 both say so");
    sketch_step(l, 3, STEP_HALF, "sync 60%, 1 in sync wanted (seen: master=node2)");
    CHECK("stopped-80x24", l, 80, 24, "rest", "stopped");
    sketch_step(l, 1, STEP_WAS, "master=node2");
    sketch_step(l, 3, STEP_SEEN, "master=node2; sync={node3}");
    CHECK("down-80x24", l, 80, 24, "rest", "stopped", "down");
    sketch_destroy(l);
}

static void wide_names(void **state)
{
    (void)state;
    CHECK("wide-80x24", NULL, 80, 24, "wide");
    CHECK("wide-47x20", NULL, 47, 20, "wide"); /* edges fall into the middle of double-width characters */
}

static void more_than_four_nodes(void **state)
{
    (void)state;
    CHECK("many-80x24", NULL, 80, 24, "many");
    CHECK("many-100x30", NULL, 100, 30, "many");
}

/* Nodes that all answer and do not see each other: both masters, each with its count; what mends it. The data
 * are of the kit's nodes: node1 cut off, and with its links back; the third of six nodes with one that was
 * stopped (SIGSTOP) for a while. */
static void a_partition(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    CHECK("cut-80x24", NULL, 80, 24, "cut");
    CHECK("apart-80x24", NULL, 80, 24, "apart");
    CHECK("apart-six-80x24", NULL, 80, 24, "apart-six");
    show(&m, NULL, (const char *const[]){"apart", NULL});
    model_key(&m, KEY_RETURN, &run);
    char *frame = model_frame(&m, 80, 24);
    check_frame("apart-queue-80x24", frame);
    assert_contains(frame, "node1 has 3: 3 ready, 0 unacknowledged; mirrors none");
    assert_contains(frame, "node2 has 4: 4 ready, 0 unacknowledged; mirrors node3 in sync");
    assert_lacks(frame, " one side ");
    free(frame);
    model_finish(&m);
    show(&m, NULL, (const char *const[]){"apart-six", NULL});
    model_select_queue(&m, "plain");
    model_key(&m, KEY_RETURN, &run);
    assert_frame_contains(&m,
                          " one side     only the side of node1 serves it; the other does not reach it\n");
    model_finish(&m);
}

/* Cards with room for none of the counts, names longer than a column: nothing is cut into another thing. */
static void counts_that_do_not_fit(void **state)
{
    (void)state;
    struct model m;
    show(&m, NULL, (const char *const[]){"apart", NULL});
    struct queue_seen *q = (struct queue_seen *)snapshot_queue(m.snapshot, "m1");
    q->sides[0].ready = q->sides[1].ready = 123456;
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, "TWO MASTERS 2 views");
    free(frame);
    model_finish(&m);
}

static void nobody_answers(void **state)
{
    (void)state;
    struct lesson *l = sketch_two_proved();
    CHECK("silent-80x24", l, 80, 24, "silent");
    CHECK("frozen-80x24", l, 80, 24, "frozen");
    CHECK("empty-80x24", NULL, 80, 24, "empty");
    sketch_destroy(l);
}

static void overlays(void **state)
{
    (void)state;
    struct lesson *l = sketch_two_proved();
    struct model m;
    struct command *run;
    show(&m, l, (const char *const[]){"rest", NULL});
    static const struct {
        int key;
        const char *name;
    } shown[] = {{'?', "help-80x24"}, {'K', "kill-80x24"}, {'P', "policy-80x24"}};
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        model_key(&m, shown[i].key, &run);
        char *frame = model_frame(&m, 80, 24);
        check_frame(shown[i].name, frame);
        free(frame);
        model_key(&m, KEY_ESCAPE, &run);
        assert_null(run);
    }
    model_key(&m, '4', &run);
    char *frame = model_frame(&m, 80, 24);
    check_frame("lesson-80x24", frame);
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

/* What p and g ask: with a lesson's programs, which they run. */
static void forms(void **state)
{
    static const struct {
        int key;
        const char *name;
    } shown[] = {{'g', "get-80x24"}, {'p', "publish-80x24"}};
    static char *consumer[] = {"consumer", NULL}, *producer[] = {"producer", NULL};
    (void)state;
    struct lesson *l = sketch_two_proved(), *tools = sketch_lesson();
    char **actions[] = {tools->steps[0].action, tools->steps[2].action};
    struct labdir lab = {0};
    struct model m;
    struct command *run;
    labdir_defaults(&lab, ENGINE_KIT, 3);
    tools->steps[0].action = consumer;
    tools->steps[2].action = producer;
    show(&m, l, (const char *const[]){"rest", NULL});
    m.tools = tools;
    m.lab = &lab;
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        model_key(&m, shown[i].key, &run);
        char *frame = model_frame(&m, 80, 24);
        check_frame(shown[i].name, frame);
        free(frame);
        model_key(&m, KEY_ESCAPE, &run);
        assert_null(run);
    }
    tools->steps[0].action = actions[0];
    tools->steps[2].action = actions[1];
    model_finish(&m);
    sketch_destroy(tools);
    sketch_destroy(l);
}

/* Where there is little room, what is to be read is still there to its end: by more rows, and by scrolling.
 */
static void overlays_in_a_small_window(void **state)
{
    (void)state;
    struct lesson *l = sketch_two_proved();
    struct model m;
    struct command *run;
    show(&m, l, (const char *const[]){"rest", NULL});
    model_key(&m, 'K', &run);
    char *frame = model_frame(&m, 40, 12);
    assert_contains(frame, "| gone.  ");
    assert_contains(frame, "| y: do it   Esc: cancel");
    free(frame);
    model_key(&m, KEY_ESCAPE, &run);
    model_key(&m, '?', &run);
    frame = model_frame(&m, 40, 12);
    assert_contains(frame, "|   run the current step once more");
    free(frame);
    for (int i = 0; i < 100; i++)
        model_key(&m, KEY_PAGE_DOWN, &run);
    frame = model_frame(&m, 40, 12); /* as far as there is something, and one key goes back from there */
    assert_contains(frame, "|   type a command");
    assert_contains(frame, " 0 below");
    free(frame);
    model_key(&m, 'k', &run);
    frame = model_frame(&m, 40, 12);
    assert_contains(frame, " 1 below");
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

/* tui_frame_text is the same frame without a model of one's own, and without keys: nobody can press them */
static void frame_text(void **state)
{
    (void)state;
    struct lesson *l = sketch_two_proved();
    struct snapshot *s = load_snapshot("rest");
    char *frame = tui_frame_text(s, l, 80, 24);
    check_frame("rest-text-80x24", frame);
    assert_contains(frame, "n1 n2 n3");
    assert_lacks(frame, "q:Quit");
    assert_lacks(frame, "Press n");
    free(frame);
    snapshot_destroy(s);
    sketch_destroy(l);
}

/* Every size gives as many lines as asked for, none wider; the step to do now is on any screen of two lines.
 */
static void every_size(void **state)
{
    (void)state;
    static const char *const names[] = {"rest", "stopped", "wide", "many", "silent", "empty"};
    struct lesson *l = sketch_two_proved();
    struct rng rng;
    rng_init(&rng, 7);
    for (int i = 0; i < 1500; i++) {
        struct model m;
        struct command *run = NULL;
        struct canvas c;
        show(&m, rng_chance(&rng, 80) ? l : NULL, (const char *const[]){names[rng_below(&rng, 6)], NULL});
        static const int keys[] = {'?', 'K', 'P', '2', '3', '4', '1', '\r', 'x'};
        model_key(&m, keys[rng_below(&rng, ARRAY_LEN(keys))], &run);
        command_destroy(run);
        int width = 1 + (int)rng_below(&rng, 200), height = 1 + (int)rng_below(&rng, 60);
        char *frame = model_frame(&m, width, height);
        canvas_init(&c);
        int lines = 0;
        for (char *line = frame, *end; (end = strchr(line, '\n')); line = end + 1, lines++) {
            *end = '\0';
            if (text_columns(&c, line) > width)
                fail_msg("%d columns in a frame of %dx%d: %s", text_columns(&c, line), width, height, line);
        }
        assert_int_equal(lines, height);
        canvas_finish(&c);
        free(frame);
        model_finish(&m);
    }
    for (int height = 1; height < 10; height++) {
        struct model m;
        show(&m, l, (const char *const[]){"rest", NULL});
        char *frame = model_frame(&m, 40, height);
        assert_contains(frame, ">[ ] 3 stop node1");
        free(frame);
        model_finish(&m);
    }
    sketch_destroy(l);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_rest),        cmocka_unit_test(node_stopped),
        cmocka_unit_test(wide_names),     cmocka_unit_test(more_than_four_nodes),
        cmocka_unit_test(a_partition),    cmocka_unit_test(counts_that_do_not_fit),
        cmocka_unit_test(nobody_answers), cmocka_unit_test(overlays),
        cmocka_unit_test(forms),          cmocka_unit_test(overlays_in_a_small_window),
        cmocka_unit_test(frame_text),     cmocka_unit_test(every_size),
    };
    return cmocka_run_group_tests_name("screen/frames", tests, NULL, NULL);
}

/* test_advice.c: what brings a lesson on is decided in one place: n, r and the step's own line say the same.
 */
#include "lab/notice.h"
#include "tests/lab/look.h"
#include "tests/screen/support.h"

#include "commands.h"

/* One n too many does not skip the question: it is said once that it is open. */
static void a_question_is_skipped_only_on_purpose(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    for (int answered = 0; answered <= 1; answered++) {
        struct lesson *l = sketch_lesson();
        model_init(&m, l, NULL, false, false);
        see(&m, "rest");
        sketch_step(l, 0, STEP_SEEN, "so");
        sketch_step(l, 1, STEP_SEEN, "so"); /* the third asks */
        if (answered)
            lesson_answer(l, lesson_next_answer(l));
        else
            assert_keys_say(&m, "n", "a, b or c answers it; n once more runs the step without an answer.");
        assert_int_equal(types(&m, "n", &run), EFFECT_RUN);
        command_destroy(run);
        model_finish(&m);
        sketch_destroy(l);
    }
}

static void look_at(struct model *m, struct snapshot *s)
{
    lesson_observe(m->lesson, s);
    model_observe(m, s);
    m->now = s->taken_at;
    snapshot_destroy(s);
}

/* Lesson 7's question says where the masters are: while they are elsewhere its step cannot be run, and it is
 * not asked. An answer that was given before stays, and stands there again once the step can be run. */
static void a_question_that_is_not_so_is_not_asked(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    const char *views[] = {"1", "4"};
    for (int answered = 0; answered <= 1; answered++) {
        struct lesson *l = load(7);
        for (size_t i = 0; i < 3; i++)
            l->steps[i].state = STEP_SEEN;
        model_init(&m, l, NULL, false, false);
        struct look moved = mirrored;
        moved.queues = HELLO(MESSAGES(1), "running") "," QUEUE("mirrior_hello", "node2", "'node3'", "'node3'",
                                                               MESSAGES(1), "running", ",'policy':'mirrior'");
        look_at(&m, take(&mirrored));
        assert_frame_contains(&m, "Before you look: node1 has the masters of hello");
        if (answered)
            assert_true(lesson_answer(l, 1));
        look_at(&m, take(&moved));
        for (size_t i = 0; i < ARRAY_LEN(views); i++) {
            types(&m, views[i], &run);
            assert_frame_lacks(&m, "Before you look");
            assert_frame_lacks(&m, "A:Answer");
            assert_keys_say(&m, "A",
                            "mirrior_hello's master is on node2, and this step needs it on node1: B");
            assert_keys_say(&m, "b", "b: no such key");
            assert_keys_run(&m, "a", "labctl -n node1 start_app"); /* the start key, and no answer */
        }
        assert_false(lesson_answer(l, 0));
        assert_int_equal(l->predict.said, answered ? 1 : -1);
        look_at(&m, take(&mirrored));
        assert_frame_contains(&m, answered ? "you say b; A changes it" : "press a, b or c");
        model_finish(&m);
        lesson_destroy(l);
    }
}

/* Lesson 7's fourth step was run while node2 is away: the run is good, and needs node2 to be seen. */
static void n_and_r_and_the_steps_line_agree(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    struct lesson *l = load(7);
    for (size_t i = 0; i < 3; i++)
        l->steps[i].state = STEP_SEEN;
    lesson_begin_action(l, 3);
    lesson_action_ended(l, 3, 0);
    model_init(&m, l, NULL, false, false);
    struct look stopped = node1_stopped;
    stopped.said_by = "'node3'";
    stopped.source = "node3";
    stopped.queues = HELLO(",'was_messages':1", "stopped") "," QUEUE(
        "mirrior_hello", "node1", "", "", ",'was_messages':1", "stopped", ",'policy':'mirrior'");
    struct snapshot *s = take(&stopped);
    s->nodes[1].answers = false;
    s->nodes[1].state = NODE_NOT_RUNNING;
    look_at(&m, s);
    assert_string_equal(l->steps[3].lacks, "mirrior_hello has no mirror in sync, which this step is about: "
                                           "B begins the lesson again."); /* because it was run */
    static const char cure[] = "Start node2: arrows select, a starts.";
    const char *keys[] = {"n", "r"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        assert_int_equal(types(&m, keys[i], &run), EFFECT_DRAW);
        assert_contains(model_message(&m), cure);
    }
    const char *views[] = {"1", "4"};
    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        types(&m, views[i], &run);
        char *frame = model_frame(&m, 100, 40);
        assert_contains(frame, cure);
        assert_contains_(frame, "B begins the lesson again", false, __FILE__, __LINE__);
        free(frame);
    }
    model_finish(&m);
    lesson_destroy(l);
}

/* Lesson 7 after a failover that its steps did not make: node1 is not stopped for nothing, and the master's
 * place is told with what helps. */
static void a_master_that_moved_is_told_before_its_node_is_stopped(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    struct lesson *l = load(7);
    for (size_t i = 0; i < 3; i++)
        l->steps[i].state = STEP_SEEN;
    model_init(&m, l, NULL, false, false);
    struct look moved = compared;
    moved.queues = HELLO(MESSAGES(1), "running") "," QUEUE("mirrior_hello", "node2", "'node3'", "'node3'",
                                                           MESSAGES(1), "running", ",'policy':'mirrior'");
    look_at(&m, take(&moved));
    assert_keys_say(&m, "n", "mirrior_hello's master is on node2, and this step needs it on node1: B begins");
    const char *views[] = {"1", "4"};
    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        types(&m, views[i], &run);
        assert_frame_contains(&m, "mirrior_hello's master is on node2, and this step needs it on node1");
        assert_frame_lacks(&m, "n:Next");
    }
    model_finish(&m);
    lesson_destroy(l);
}

/* A queue that was deleted while its node was stopped comes back with no step: that is said in each view, by
 * n and by r, also of a step whose program ended well; one that publishes to it makes it anew. */
static void a_deleted_queue_names_the_way_out(void **state)
{
    (void)state;
    static const char out[] = "hello is not there any more: B begins the lesson again.";
    struct model m;
    struct command *run;
    struct lesson *l = load(2);
    model_init(&m, l, NULL, false, false);
    look_at(&m, take(&(struct look){0}));
    assert_frame_lacks(&m, out); /* the first step is to make it */
    for (size_t at = 1; at < l->steps_len; at++)
        for (int acted = 0; acted <= 1; acted++) {
            for (size_t i = 0; i < l->steps_len; i++)
                l->steps[i].state = i < at ? STEP_SEEN : STEP_OPEN;
            l->steps[at].acted = acted;
            l->steps[at].exit_code = 0;
            look_at(&m, take(&(struct look){0}));
            static const char *const keys[] = {"n", "r"}, *const views[] = {"1", "4"};
            for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
                assert_keys_say(&m, keys[i], out);
                types(&m, views[i], &run);
                assert_frame_contains(&m, out);
            }
            l->steps[at].acted = false;
        }
    model_finish(&m);
    lesson_destroy(l);
}

/* one that has no events yet */
static struct snapshot *eventless(const char *name)
{
    struct snapshot *s = load_snapshot(name);
    for (size_t i = 0; i < s->events_len; i++)
        snapshot_free_event(&s->events[i]);
    free(s->events);
    s->events = NULL;
    s->events_len = 0;
    return s;
}

static bool told(const struct snapshot *s, const char *text)
{
    for (size_t i = 0; i < s->events_len; i++)
        if (strcmp(s->events[i].text, text) == 0)
            return true;
    return false;
}

/* A queue that only one side of a partition had is gone with it: that is told, once. */
static void a_queue_that_goes_with_its_side_is_told_of(void **state)
{
    (void)state;
    static const char text[] =
        "plain was on the side of node1 alone, with 2 messages: no node that answers knows "
        "it now";
    struct snapshot *apart = load_snapshot("apart"), *there = eventless("apart"), *gone = eventless("rest");
    apart->queues[2].messages = 2;
    assert_string_equal(apart->queues[2].name, "plain");
    notice_events(there, NULL, 0, apart, 0);
    assert_false(told(there, text));
    notice_events(gone, NULL, 0, apart, 0);
    assert_true(told(gone, text));
    char *shown = event_words(&gone->events[gone->events_len - 1]);
    assert_non_null(shown);
    free(shown);
    snapshot_destroy(apart);
    snapshot_destroy(there);
    snapshot_destroy(gone);
}

/* A key that is none is said to be, in one line; a screen without a queue has no verdict. */
static void what_is_not_there(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "empty");
    assert_keys_say(&m, "z", "z: no such key; ? shows them");
    types(&m, "3", &run);
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, "There is no queue.");
    assert_contains_(frame, "VERDICT", false, __FILE__, __LINE__);
    free(frame);
    model_finish(&m);
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    see(&m, "empty"); /* there were some: it does not say "yet" */
    types(&m, "3", &run);
    assert_frame_contains(&m, "There is no queue.");
    assert_keys_say(&m, "]", "There is no queue.");
    model_finish(&m);
}

/* What was run and has no room in its row: o shows all of it. */
static void a_long_command_is_shown_whole(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    static const char *const words[] = {
        "consumer",     "--host",  "127.0.0.1", "--port",    "5674", "--queue", "mirrior_hello",
        "--manual-ack", "--count", "2",         "--timeout", "2",    NULL};
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    struct command *c = command_of(words, COMMAND_OF_KEY);
    model_ran(&m, c);
    model_ended(&m, c, 0);
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, "o shows it whole, y copies it");
    free(frame);
    types(&m, "o", &run);
    frame = model_frame(&m, 80, 24);
    assert_contains(frame, "--count 2 --timeout 2");
    free(frame);
    model_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_skipped_only_on_purpose),
        cmocka_unit_test(a_question_that_is_not_so_is_not_asked),
        cmocka_unit_test(n_and_r_and_the_steps_line_agree),
        cmocka_unit_test(a_deleted_queue_names_the_way_out),
        cmocka_unit_test(a_master_that_moved_is_told_before_its_node_is_stopped),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(a_long_command_is_shown_whole),
        cmocka_unit_test(a_queue_that_goes_with_its_side_is_told_of),
    };
    return cmocka_run_group_tests_name("screen/advice", tests, NULL, NULL);
}

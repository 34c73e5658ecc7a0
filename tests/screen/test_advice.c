/* test_advice.c: what brings a lesson on is decided in one place: n, r and the step's own line say the same.
 */
#include "lab/notice.h"
#include "tests/lab/look.h"
#include "tests/screen/support.h"

#include "commands.h"
#include "record_json.h"

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

/* the lesson stands at this step, from 0 */
static void stand_at(struct lesson *l, size_t at)
{
    for (size_t i = 0; i < l->steps_len; i++)
        l->steps[i].state = i < at ? STEP_SEEN : STEP_OPEN;
}

/* this one does not run, as the others say */
static void set_away(struct snapshot *s, const char *node)
{
    int at = snapshot_node_index(s, node);
    s->nodes[at].answers = false;
    s->nodes[at].state = NODE_NOT_RUNNING;
    s->nodes[at].said_down_by = s->nodes[at].said_up_by & ~((node_bits)1 << at);
    s->nodes[at].said_up_by = 0;
}

/* What was to be stopped was stopped with s: what became of the queues by that is no lack. The step says what
 * its proof wants still, and so do n and r; nothing is asked that is over. */
static void what_was_stopped_by_hand_wants_its_proof(void **state)
{
    (void)state;
    static const char missing[] = "not yet: node1 not running: node2 says so, 2 have to";
    static const char cure[] = "Start node3: arrows select, a starts.";
    struct model m;
    struct command *run;
    struct lesson *l = load(7);
    stand_at(l, 3);
    model_init(&m, l, NULL, false, false);
    look_at(&m, take(&mirrored));
    look_at(&m, take(&mirrored));
    assert_frame_contains(&m, "Before you look");
    for (int i = 0; i < 3; i++) {
        struct look stopped = promoted;
        stopped.said_by = "'node2'";
        stopped.queues = HELLO(",'was_messages':1", "stopped") "," QUEUE(
            "mirrior_hello", "node2", "", "", MESSAGES(1), "running", ",'policy':'mirrior'");
        struct snapshot *s = take(&stopped);
        set_away(s, "node3");
        look_at(&m, s);
    }
    assert_null(l->steps[3].lacks);
    json_t *recorded = record_step(&l->steps[3], false); /* so a recording shows the same */
    assert_true(json_is_true(json_object_get(recorded, "by_hand")));
    json_decref(recorded);
    static const char *const views[] = {"1", "4"}, *const keys[] = {"n", "r"};
    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        types(&m, views[i], &run);
        assert_frame_contains(&m, missing);
        assert_frame_contains(&m, cure);
        assert_frame_lacks(&m, "this step needs it on node1");
        assert_frame_lacks(&m, "n runs: ");
        assert_frame_lacks(&m, "n:Next");
        assert_frame_lacks(&m, "Before you look");
        assert_keys_say(&m, keys[i], cure);
    }
    assert_keys_run(&m, "a", "labctl -n node1 start_app"); /* no answer */
    look_at(&m, take(&promoted));
    look_at(&m, take(&promoted));
    assert_int_equal(l->steps[3].state, STEP_SEEN);
    model_finish(&m);
    lesson_destroy(l);
}

/* A node that is to be stopped is frozen: that is no stop. K makes it one; nothing else is named. So it is
 * after Ctrl-C on the step's own program, too, that waited for it. */
static void what_stands_still_is_killed(void **state)
{
    (void)state;
    static const struct {
        int lesson;
        size_t step;
    } stops[] = {{2, 1}, {3, 2}, {7, 3}};
    static const char kills[] = "node1 stands still, or is cut off from here: arrows select";
    struct model m;
    struct command *run;
    for (size_t i = 0; i < ARRAY_LEN(stops); i++)
        for (int ended = 0; ended <= 1; ended++) {
            struct lesson *l = load(stops[i].lesson);
            struct lesson_step *step = &l->steps[stops[i].step];
            stand_at(l, stops[i].step);
            model_init(&m, l, NULL, false, false);
            struct look full = mirrored, frozen = promoted;
            full.queues = HELLO(KINDS(2, 1), "running");
            full.queues = stops[i].lesson == 7 ? mirrored.queues : full.queues;
            frozen.unrefused = true;
            look_at(&m, take(&full));
            look_at(&m, take(&full));
            if (ended) {
                lesson_begin_action(l, stops[i].step);
                lesson_action_ended(l, stops[i].step, 130);
            }
            for (int looks = 0; looks < 3; looks++)
                look_at(&m, take(&frozen));
            assert_int_not_equal(step->state, STEP_SEEN);
            static const char *const views[] = {"1", "4"}, *const keys[] = {"n", "r"};
            for (size_t v = 0; v < ARRAY_LEN(views); v++) {
                types(&m, views[v], &run);
                assert_frame_contains(&m, kills);
                assert_frame_lacks(&m, "B begins");
                assert_frame_lacks(&m, "a starts it");
                assert_frame_lacks(&m, "n runs: ");
                assert_keys_say(&m, keys[v], kills);
            }
            model_finish(&m);
            lesson_destroy(l);
        }
}

/* the node that its action goes to, read as a learner reads it; NULL: to none */
static const char *goes_to(const struct lesson_step *s)
{
    static const char *const nodes[] = {"node1", "node2", "node3"};
    for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
        for (size_t word = 1; s->action && s->action[word]; word++)
            if (strncmp(s->action[word] + (s->action[word][0] == '@'), nodes[i], strlen(nodes[i])) == 0)
                return nodes[i];
    return NULL;
}

/* In all lessons: what goes to a node that does not run is not offered, but what starts the node; unless the
 * step is about a node that is away. Of one that is frozen K comes before that. */
static void what_goes_to_a_node_wants_it_to_run(void **state)
{
    (void)state;
    static const int lessons[] = {1, 2, 3, 6, 7};
    int seen = 0;
    for (size_t i = 0; i < ARRAY_LEN(lessons); i++)
        for (int frozen = 0; frozen <= 1; frozen++) {
            struct lesson *l = load(lessons[i]);
            for (size_t at = 0; at < l->steps_len; at++) {
                const struct lesson_step *s = &l->steps[at];
                const char *node = goes_to(s);
                bool stops = node && strstr(s->action_text, " stop_app");
                bool away = node && (strstr(s->action_text, " start_app") || (lessons[i] == 1 && at == 2));
                if (!node || stops)
                    continue;
                struct model m;
                model_init(&m, l, NULL, false, false);
                stand_at(l, at);
                struct look there = mirrored;
                there.queues = HELLO(KINDS(1, 0), "running");
                if (lessons[i] >= 6)
                    there.queues = mirrored.queues;
                if (lessons[i] == 7 && at == 5)
                    there = promoted;
                if (lessons[i] == 2 && at == 3)
                    there = node1_stopped;
                struct snapshot *shot = take(&there);
                int it = snapshot_node_index(shot, node);
                shot->source = it == 0 ? 1 : 0;
                set_away(shot, node);
                shot->nodes[it].unrefused = frozen;
                look_at(&m, shot);
                char *starts = format_text("%s does not run, and this step goes to it:", node);
                char *kills = format_text("%s does not answer, nor refuse connections,", node);
                char *frame = model_frame(&m, 80, 24);
                assert_contains_(frame, starts, !frozen && !away, s->action_text, (int)at);
                free(frame);
                if (frozen) {
                    assert_frame_contains(&m, kills);
                    assert_frame_contains(&m, "\nK:Kill-9");
                } else if (!away) {
                    assert_frame_contains(&m, "\na:Start");
                }
                if (frozen || !away) {
                    assert_frame_lacks(&m, "n runs: ");
                    assert_frame_lacks(&m, "n:Next");
                    assert_frame_lacks(&m, "Before you look");
                    assert_keys_say(&m, "n", frozen ? kills : starts);
                    seen++;
                }
                free(starts);
                free(kills);
                model_finish(&m);
            }
            lesson_destroy(l);
        }
    assert_true(seen > 20);
}

/* A step that was run waits for a partition to be mended: n, which would only say the same, is not offered,
 * as before it was run. */
static void a_partition_is_no_reason_for_n(void **state)
{
    (void)state;
    struct model m;
    struct lesson *l = load(7);
    stand_at(l, 6);
    model_init(&m, l, NULL, false, false);
    struct look parted = mirrored;
    parted.apart = true;
    for (int acted = 0; acted <= 1; acted++) {
        if (acted) {
            lesson_begin_action(l, 6);
            lesson_action_ended(l, 6, 0);
        }
        for (int looks = 0; looks < 3; looks++)
            look_at(&m, take(&parted));
        assert_frame_contains(&m, "has to be mended first");
        assert_frame_lacks(&m, "n:Next");
        assert_keys_say(&m, "n", "PARTITIONED");
    }
    look_at(&m, take(&mirrored));
    assert_frame_contains(&m, "n:Next"); /* n says what is missing */
    model_finish(&m);
    lesson_destroy(l);
}

/* What starts or stops a node that stands still waits for it: meanwhile K is named. */
static void who_waits_for_what_stands_still_is_told(void **state)
{
    (void)state;
    static const char kills[] = "node1 stands still, or is cut off from here: arrows select it, K kills it.";
    static const char *const verbs[] = {"start_app", "stop_app", "start"};
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        for (int frozen = 0; frozen <= 1; frozen++) {
            struct model m;
            model_init(&m, NULL, NULL, false, false);
            struct look stopped = promoted;
            stopped.unrefused = frozen;
            struct snapshot *s = take(&stopped);
            model_observe(&m, s);
            m.now = s->taken_at;
            snapshot_destroy(s);
            const char *words[] = {"labctl", "-n", "node1", verbs[i], NULL};
            struct command *c = command_of(words, COMMAND_OF_KEY);
            model_ran(&m, c);
            assert_frame_(&m, kills, frozen, __FILE__, __LINE__);
            model_ended(&m, c, 0);
            assert_frame_lacks(&m, kills);
            model_finish(&m);
        }
}

/* What stands under a step before it is run is there whatever became of the nodes: it claims of none that it
 * runs. */
static void no_step_claims_that_a_node_runs(void **state)
{
    (void)state;
    static const int lessons[] = {1, 2, 3, 6, 7};
    static const char *const claims[] = {"%s runs", "%s answers", "%s is up", "%s takes"};
    for (size_t i = 0; i < ARRAY_LEN(lessons); i++) {
        struct lesson *l = load(lessons[i]);
        for (size_t at = 0; at < l->steps_len; at++)
            for (int claim = 0; claim < 12; claim++) {
                char node[8], *text;
                snprintf(node, sizeof(node), "node%d", claim % 3 + 1);
                text = format_text(claims[claim / 3], node);
                assert_lacks(l->steps[at].why, text);
                free(text);
            }
        lesson_destroy(l);
    }
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
        cmocka_unit_test(what_was_stopped_by_hand_wants_its_proof),
        cmocka_unit_test(what_stands_still_is_killed),
        cmocka_unit_test(what_goes_to_a_node_wants_it_to_run),
        cmocka_unit_test(a_partition_is_no_reason_for_n),
        cmocka_unit_test(who_waits_for_what_stands_still_is_told),
        cmocka_unit_test(no_step_claims_that_a_node_runs),
        cmocka_unit_test(a_deleted_queue_names_the_way_out),
        cmocka_unit_test(a_master_that_moved_is_told_before_its_node_is_stopped),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(a_long_command_is_shown_whole),
        cmocka_unit_test(a_queue_that_goes_with_its_side_is_told_of),
    };
    return cmocka_run_group_tests_name("screen/advice", tests, NULL, NULL);
}

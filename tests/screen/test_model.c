/* test_model.c: what keys and snapshots do: which words are run, what asks first, what is remembered. */
#include "tests/screen/support.h"

static void keys_act_on_the_selection(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    assert_keys_run(&m, "s", "labctl -n node1 stop_app");
    model_key(&m, KEY_ARROW_RIGHT, &run);
    assert_keys_run(&m, "s", "labctl -n node2 stop_app");
    model_key(&m, 'h', &run);
    model_key(&m, 'h', &run); /* around the edge */
    assert_keys_run(&m, "a", "labctl -n node3 start_app");
    assert_keys_run(&m, "S", "labctl -n node3 sync_queue hello");
    model_key(&m, 'j', &run);
    assert_keys_run(&m, "C", "labctl -n node3 cancel_sync_queue mirrior_hello");
    model_finish(&m);
}

static void kill_asks_and_defaults_to_cancel(void **state)
{
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    assert_int_equal(model_key(&m, 'K', &run), EFFECT_DRAW);
    assert_int_equal(m.overlay, OVERLAY_CONFIRM);
    assert_int_equal(model_key(&m, KEY_RETURN, &run), EFFECT_DRAW); /* Enter alone cancels */
    assert_null(run);
    assert_int_equal(m.overlay, OVERLAY_NONE);
    for (const char *no = "nNq\x1b"; *no; no++) {
        model_key(&m, 'K', &run);
        model_key(&m, *no, &run);
        assert_null(run);
        assert_int_equal(m.overlay, OVERLAY_NONE);
    }
    model_key(&m, 'K', &run);
    model_key(&m, 's', &run); /* other keys do nothing while it asks */
    assert_int_equal(m.overlay, OVERLAY_CONFIRM);
    model_key(&m, KEY_ARROW_RIGHT, &run);
    assert_keys_run(&m, "\n", "labctl -n node1 kill");
    model_finish(&m);
}

static void a_killed_node_is_started_as_a_process(void **state)
{
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    model_key(&m, 'K', &run);
    model_key(&m, 'y', &run);
    assert_non_null(run);
    model_ran(&m, run);
    model_ended(&m, m.command, 0);
    see(&m, "stopped");
    assert_keys_run(&m, "a", "labctl -n node1 start");
    see(&m, "rest"); /* it is back */
    assert_keys_run(&m, "a", "labctl -n node1 start_app");
    model_finish(&m);
}

static void a_projector_and_a_replay_change_nothing(void **state)
{
    (void)state;
    for (int replay = 0; replay < 2; replay++) {
        struct lesson *l = sketch_lesson();
        struct model m;
        struct command *run = NULL;
        model_init(&m, l, NULL, !replay, replay);
        see(&m, "rest");
        for (size_t i = 0; i < key_table_len; i++) {
            if (!key_table[i].acts)
                continue;
            assert_int_not_equal(model_key(&m, key_table[i].key, &run), EFFECT_RUN);
            assert_null(run);
            assert_non_null(model_message(&m));
            assert_contains(model_message(&m), "does nothing here");
        }
        assert_int_equal(model_key(&m, 'j', &run), EFFECT_DRAW); /* looking around still works */
        assert_string_equal(m.queue, "mirrior_hello");
        model_finish(&m);
        sketch_destroy(l);
    }
}

/* N and L ask, and what they ask for is not a program. */
static void the_lesson_beside_is_gone_to(void **state)
{
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    assert_keys_say(&m, "N", "there is no lesson after this one");
    m.next_lesson = 8;
    assert_int_equal(model_key(&m, 'N', &run), EFFECT_DRAW);
    assert_int_equal(m.overlay, OVERLAY_CONFIRM);
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, "(go on to lesson 8)");
    assert_contains(frame, "Lesson 7 is not done: 0 steps of 5 were seen. Starts nodes");
    assert_contains(frame, "[ Cancel ]");
    free(frame);
    for (size_t i = 0; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "seen");
    frame = model_frame(&m, 80, 24);
    assert_null(strstr(frame, "is not done"));
    free(frame);
    assert_int_equal(model_key(&m, 'y', &run), EFFECT_RUN);
    assert_int_equal(run->step, COMMAND_GO_ON);
    assert_string_equal(run->argv[COMMAND_GO_ON_TO], "8");
    command_destroy(run);
    assert_keys_say(&m, "L", "there is no lesson before this one"); /* and back */
    m.earlier_lesson = 6;
    assert_int_equal(model_key(&m, 'L', &run), EFFECT_DRAW);
    assert_frame_contains(&m, "(go back to lesson 6)");
    assert_int_equal(model_key(&m, 'y', &run), EFFECT_RUN);
    assert_int_equal(run->step, COMMAND_GO_ON);
    assert_string_equal(run->argv[COMMAND_GO_ON_TO], "6");
    command_destroy(run);
    model_finish(&m);
    sketch_destroy(l);
}

static void next_runs_the_current_step_once(void **state)
{
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    assert_int_equal(model_key(&m, 'n', &run), EFFECT_RUN);
    assert_int_equal(run->step, 0);
    assert_string_equal(run->text, l->steps[0].action_text);
    l->steps[0].acted = true; /* as lesson_begin_action does */
    model_ran(&m, run);
    assert_keys_say(&m, "n", "still running");
    model_ended(&m, m.command, 0);
    assert_keys_say(&m, "n", "the nodes have not shown its result");
    l->steps[0].exit_code = 69;
    assert_keys_say(&m, "n", "exit code 69; r runs it once more");
    see(&m, "stopped"); /* the node that it is for is named, and how to start it */
    assert_keys_say(&m, "n", "exit code 69: node1 does not answer. Arrows select it, a starts it");
    see(&m, "rest");
    assert_int_equal(model_key(&m, 'r', &run), EFFECT_RUN);
    command_destroy(run);
    for (size_t i = 0; i < 3; i++)
        sketch_step(l, i, STEP_SEEN, "seen");
    assert_int_equal(model_key(&m, 'n', &run), EFFECT_LOOK); /* the fourth only looks */
    assert_null(run);
    l->steps[3].acted = true;
    assert_keys_say(&m, "n", "nothing to run");
    for (size_t i = 3; i < 5; i++)
        sketch_step(l, i, STEP_SEEN, "seen");
    assert_keys_say(&m, "n", "All 5 steps were seen. B begins it again, q leaves");
    model_finish(&m);
    sketch_destroy(l);
}

/* Exit code 0 and words of success of a step's program leave its box empty. */
static void a_command_does_not_tick(void **state)
{
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, l, NULL, false, false);
    see(&m, "empty");
    model_key(&m, 'n', &run);
    l->steps[0].acted = true;
    l->steps[0].exit_code = 0;
    model_ran(&m, run);
    model_output(&m, m.command, "policy mirror is listed\n", 24);
    model_ended(&m, m.command, 0);
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, ">[ ] 1 set policy");
    assert_contains(frame, "exit 0");
    assert_contains(frame, "| policy mirror is listed");
    assert_contains(frame, " 0/5 ");
    assert_lacks(frame, "[x]");
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

/* What a command printed last, however it came through the pipe: a line, and those that only continue it,
 * each in a row of its own. A line that is not there to its end is none yet; what a program ends with is one.
 */
static void the_last_line_of_output(void **state)
{
    static const char *const parts[] = {"connected\nrecei", "ved: Hello", " World\n", "    it was",
                                        " transient\n\n"};
    static const char *const lines[] = {"connected", "connected", "received: Hello World",
                                        "received: Hello World", "received: Hello World\nit was transient"};
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    model_key(&m, 's', &run);
    model_ran(&m, run);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        model_output(&m, m.command, parts[i], strlen(parts[i]));
        assert_string_equal(m.command->last_line, lines[i]);
    }
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, "\n| received: Hello World\n| it was transient\n");
    free(frame);
    model_output(&m, m.command, "done\n", 5);
    assert_string_equal(m.command->last_line, "done");
    m.command->typed = m.replay =
        true; /* in the past it does not lie over what is shown; what is typed now does */
    model_ended(&m, m.command, 0);
    assert_int_equal(m.overlay, OVERLAY_NONE);
    m.replay = false;
    model_ended(&m, m.command, 0);
    assert_int_equal(m.overlay, OVERLAY_PAGER);
    m.overlay = OVERLAY_NONE;
    for (int i = 0; i < 10000; i++)
        model_output(&m, m.command, " and so on\n", 11);
    assert_true(strlen(m.command->last_line) < 1100);
    for (int i = 0; i < 10000; i++)
        model_output(&m, m.command, "all in one ", 11);
    assert_true(strlen(m.command->last_line) < 1100);
    model_output(&m, m.command, "\nthe end", 8);
    assert_memory_equal(m.command->last_line, "all in one all", 14);
    assert_true(strlen(m.command->last_line) < 1100);
    model_ended(&m, m.command, 0);
    assert_string_equal(m.command->last_line, "the end");
    model_finish(&m);
}

static void copies_of_a_silent_node_are_remembered(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    assert_null(model_away(&m, "mirrior_hello"));
    see(&m, "stopped");
    assert_int_equal(model_away(&m, "mirrior_hello")->copies, 1); /* node1, though nobody lists it any more */
    assert_int_equal(model_away(&m, "mirrior_hello")->masters, 1);
    see(&m, "silent"); /* nobody says anything: nothing to forget, nothing new */
    assert_int_equal(model_away(&m, "mirrior_hello")->copies, 1);
    see(&m, "rest"); /* back: what it has is what is listed */
    assert_null(model_away(&m, "mirrior_hello"));
    see(&m, "wide");
    assert_int_equal(m.away.len, 4); /* those of queues that are gone are forgotten */
    model_finish(&m);
}

static void the_newest_queue_is_selected_until_one_is_chosen(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "empty");
    assert_null(m.queue);
    assert_keys_say(&m, "p", "there is no queue yet");
    see(&m, "silent");
    assert_string_equal(m.queue, "hello");
    see(&m, "rest");
    assert_string_equal(m.queue, "mirrior_hello");
    model_key(&m, 'k', &run);
    assert_string_equal(m.queue, "hello");
    see(&m, "many");
    assert_string_equal(m.queue, "hello");
    model_key(&m, KEY_PAGE_DOWN, &run);
    assert_string_equal(m.queue, "work-006");
    see(&m, "wide"); /* gone: the one in its place, or the last */
    assert_non_null(snapshot_queue(m.snapshot, m.queue));
    model_finish(&m);
}

static void quitting_says_what_still_runs(void **state)
{
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    model_key(&m, 's', &run);
    model_ran(&m, run);
    assert_int_equal(model_key(&m, 'q', &run), EFFECT_DRAW);
    assert_contains(model_message(&m), "still running");
    assert_int_equal(model_key(&m, 'q', &run), EFFECT_QUIT);
    model_ended(&m, m.command, 0);
    assert_int_equal(model_key(&m, KEY_ESCAPE, &run), EFFECT_DRAW); /* never quits */
    assert_int_equal(model_key(&m, 'q', &run), EFFECT_QUIT);
    model_finish(&m);
}

/* A card that has no room for all copies has the selected queue's among those that it shows. */
static void a_card_shows_the_selected_queue(void **state)
{
    (void)state;
    struct model m;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("many");
    size_t nodes_len = s->nodes_len;
    s->nodes_len = 3; /* so that there are cards */
    for (size_t i = 0; i < s->queues_len; i++) {
        s->queues[i].master %= 3;
        s->queues[i].mirrors &= (node_bits)7 & ~((node_bits)1 << s->queues[i].master);
        s->queues[i].synced &= s->queues[i].mirrors;
    }
    model_observe(&m, s);
    m.now = s->taken_at;
    size_t cut = 0;
    for (size_t i = 0; i < s->queues_len; i++) {
        struct queue_seen *q = &s->queues[i];
        model_select_queue(&m, q->name);
        char *frame = model_frame(&m, 80, 24), *end = strstr(frame, " QUEUE "); /* the cards stand above */
        char text[64];
        *end = '\0';
        cut += strstr(frame, " more") != NULL;
        for (int node = 0; node < 3; node++) {
            enum style style;
            char letter = copy_letter(&m, q, node, &style);
            snprintf(text, sizeof(text), "|%c %s ", letter, q->name);
            if (letter != '.')
                assert_contains(frame, text);
        }
        free(frame);
    }
    assert_true(cut > 0);
    s->nodes_len = nodes_len;
    snapshot_destroy(s);
    model_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_act_on_the_selection),
        cmocka_unit_test(kill_asks_and_defaults_to_cancel),
        cmocka_unit_test(a_killed_node_is_started_as_a_process),
        cmocka_unit_test(a_projector_and_a_replay_change_nothing),
        cmocka_unit_test(the_lesson_beside_is_gone_to),
        cmocka_unit_test(next_runs_the_current_step_once),
        cmocka_unit_test(a_command_does_not_tick),
        cmocka_unit_test(the_last_line_of_output),
        cmocka_unit_test(copies_of_a_silent_node_are_remembered),
        cmocka_unit_test(the_newest_queue_is_selected_until_one_is_chosen),
        cmocka_unit_test(quitting_says_what_still_runs),
        cmocka_unit_test(a_card_shows_the_selected_queue),
    };
    return cmocka_run_group_tests_name("screen/model", tests, NULL, NULL);
}

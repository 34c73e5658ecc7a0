/* test_model.c: what keys and snapshots do: which words are run, what asks first, what is remembered. */
#include "tests/screen/support.h"

#include "commands.h"

/* presses a key that has to run a command; its text, the caller's to free */
static char *runs(struct model *m, int key)
{
    struct command *run = NULL;
    assert_int_equal(model_key(m, key, &run), EFFECT_RUN);
    assert_non_null(run);
    char *text = xstrdup(run->text);
    command_destroy(run);
    return text;
}

static void assert_runs(struct model *m, int key, const char *expected)
{
    char *text = runs(m, key);
    assert_string_equal(text, expected);
    free(text);
}

static void assert_runs_nothing(struct model *m, int key, const char *message)
{
    struct command *run = NULL;
    assert_int_not_equal(model_key(m, key, &run), EFFECT_RUN);
    assert_null(run);
    assert_non_null(model_message(m));
    assert_contains(model_message(m), message);
}

static void keys_act_on_the_selection(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    assert_runs(&m, 's', "labctl -n node1 stop_app");
    model_key(&m, KEY_ARROW_RIGHT, &run);
    assert_runs(&m, 's', "labctl -n node2 stop_app");
    model_key(&m, 'h', &run);
    model_key(&m, 'h', &run); /* around the edge */
    assert_runs(&m, 'a', "labctl -n node3 start_app");
    assert_runs(&m, 'S', "labctl -n node3 sync_queue hello");
    model_key(&m, 'j', &run);
    assert_runs(&m, 'C', "labctl -n node3 cancel_sync_queue mirrior_hello");
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
    assert_runs(&m, KEY_RETURN, "labctl -n node1 kill");
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
    assert_runs(&m, 'a', "labctl -n node1 start");
    see(&m, "rest"); /* it is back */
    assert_runs(&m, 'a', "labctl -n node1 start_app");
    model_finish(&m);
}

static void a_projector_and_a_replay_change_nothing(void **state)
{
    (void)state;
    for (int replay = 0; replay < 2; replay++) {
        struct lesson *l = sketch_lesson();
        struct model m;
        struct command *run;
        model_init(&m, l, NULL, !replay, replay);
        see(&m, "rest");
        for (size_t i = 0; i < key_table_len; i++)
            if (key_table[i].acts)
                assert_runs_nothing(&m, key_table[i].key, "does nothing here");
        assert_int_equal(model_key(&m, 'j', &run), EFFECT_DRAW); /* looking around still works */
        assert_string_equal(m.queue, "mirrior_hello");
        model_finish(&m);
        sketch_destroy(l);
    }
}

static size_t lines_with(const char *frame, const char *part)
{
    size_t found = 0;
    for (const char *at = frame; (at = strstr(at, part)); at += strlen(part))
        found++;
    return found;
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
    free(open);
    free(folded);
    free(again);
    model_finish(&m);
    sketch_destroy(l);
}

/* N asks, and what it asks for is not a program. */
static void the_next_lesson_is_gone_on_to(void **state)
{
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    assert_runs_nothing(&m, 'N', "there is no lesson after this one");
    m.next_lesson = 8;
    assert_int_equal(model_key(&m, 'N', &run), EFFECT_DRAW);
    assert_int_equal(m.overlay, OVERLAY_CONFIRM);
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, "(go on to lesson 8)");
    assert_contains(frame, "Lesson 7 is not done: 0 steps of 5 were seen. Starts the nodes");
    assert_contains(frame, "[ Cancel ]");
    free(frame);
    for (size_t i = 0; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "seen");
    frame = model_frame(&m, 80, 24);
    assert_null(strstr(frame, "is not done"));
    free(frame);
    assert_int_equal(model_key(&m, 'y', &run), EFFECT_RUN);
    assert_int_equal(run->step, COMMAND_GO_ON);
    command_destroy(run);
    model_finish(&m);
    sketch_destroy(l);
}

/* Of a lab of one node nobody is left to tell that it stopped, but for its log: hello's messages go with it.
 * That nobody answers is no reason to call anything lost. */
static void what_the_only_node_lost(void **state)
{
    (void)state;
    for (int stopped = 0; stopped < 2; stopped++) {
        struct model m;
        struct event_seen heard[] = {{.seq = 1, .kind = "node", .text = "node1 is up"},
                                     {.seq = 2, .kind = "node", .text = "node1 was stopped"}};
        model_init(&m, NULL, NULL, false, false);
        struct snapshot *s = load_snapshot("rest"), alone = *s;
        struct queue_seen hello = *snapshot_queue(s, "hello");
        alone.nodes_len = alone.queues_len = 1;
        alone.queues = &hello;
        alone.events = heard;
        alone.events_len = 1;
        alone.traces = 0;
        alone.trace_len = alone.copies_len = 0;
        model_observe(&m, &alone);
        alone.source = -1; /* silence */
        alone.nodes[0].answers = false;
        alone.nodes[0].state = NODE_UNKNOWN;
        alone.events_len += (size_t)stopped;
        hello.state = QUEUE_SEEN_UNKNOWN;
        hello.was_messages = hello.messages;
        hello.messages = -1;
        hello.master = -1;
        model_observe(&m, &alone);
        assert_null(account_text(&m));
        alone.source = 0; /* it is back, with nothing */
        alone.nodes[0].answers = true;
        alone.nodes[0].state = NODE_UP;
        hello.state = QUEUE_SEEN_RUNNING;
        hello.messages = 0;
        hello.master = 0;
        model_observe(&m, &alone);
        char *account = account_text(&m);
        if (stopped)
            assert_string_equal(
                account,
                "hello: 100000 messages are lost: their only copies were on node1, in memory alone.");
        else
            assert_null(account);
        free(account);
        model_finish(&m);
        snapshot_destroy(s);
    }
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
    assert_runs_nothing(&m, 'n', "still running");
    model_ended(&m, m.command, 0);
    assert_runs_nothing(&m, 'n', "the nodes have not shown its result");
    l->steps[0].exit_code = 69;
    assert_runs_nothing(&m, 'n', "exit code 69; r runs it once more");
    see(&m, "stopped"); /* the node that it is for is named, and how to start it */
    assert_runs_nothing(&m, 'n', "exit code 69: node1 does not answer. Arrows select it, a starts it");
    see(&m, "rest");
    assert_int_equal(model_key(&m, 'r', &run), EFFECT_RUN);
    command_destroy(run);
    for (size_t i = 0; i < 3; i++)
        sketch_step(l, i, STEP_SEEN, "seen");
    assert_int_equal(model_key(&m, 'n', &run), EFFECT_LOOK); /* the fourth only looks */
    assert_null(run);
    l->steps[3].acted = true;
    assert_runs_nothing(&m, 'n', "nothing to run");
    for (size_t i = 3; i < 5; i++)
        sketch_step(l, i, STEP_SEEN, "seen");
    assert_runs_nothing(&m, 'n', "All 5 steps were seen. B begins it again, q leaves");
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
 * each in a row of its own. */
static void the_last_line_of_output(void **state)
{
    static const char *const parts[] = {"connected\nrecei", "ved: Hello", " World\n", "    it was",
                                        " transient\n\n"};
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    model_key(&m, 's', &run);
    model_ran(&m, run);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        model_output(&m, m.command, parts[i], strlen(parts[i]));
    assert_string_equal(m.command->last_line, "received: Hello World\nit was transient");
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, "\n| received: Hello World\n| it was transient\n");
    free(frame);
    model_output(&m, m.command, "done", 4);
    assert_string_equal(m.command->last_line, "done");
    for (int i = 0; i < 10000; i++)
        model_output(&m, m.command, " and so on\n", 11);
    assert_true(strlen(m.command->last_line) < 1100);
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
    assert_runs_nothing(&m, 'p', "there is no queue yet");
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

static void the_policy_form_runs_what_it_shows(void **state)
{
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    model_key(&m, 'P', &run);
    assert_runs(&m, KEY_RETURN,
                "labctl -n node1 set_policy mirrior '^mirrior' "
                "'{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}'");
    model_key(&m, 'P', &run);
    for (const char *key = "\t\x15^q'\t\x15nodes\t\x15node1,node2\t\x15"; *key; key++)
        model_key(&m, *key, &run);
    model_key(&m, 0x961f, &run); /* a key of another script */
    model_key(&m, KEY_ERASE, &run);
    assert_runs(&m, KEY_RETURN,
                "labctl -n node1 set_policy mirrior '^q'\\''' "
                "'{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\"]}'");
    model_key(&m, 'P', &run);
    assert_int_equal(model_key(&m, 'q', &run), EFFECT_DRAW); /* typed, not obeyed */
    assert_int_equal(model_key(&m, KEY_ESCAPE, &run), EFFECT_DRAW);
    assert_int_equal(m.overlay, OVERLAY_NONE);
    model_finish(&m);
}

static void type(struct model *m, const char *keys)
{
    struct command *run;
    for (; *keys; keys++)
        model_key(m, *keys, &run);
}

/* Enter runs nothing: the form stays, says what is wrong, and is in the field that is. */
static void assert_form_stays(struct model *m, const char *why)
{
    struct command *run = NULL;
    assert_int_equal(model_key(m, KEY_RETURN, &run), EFFECT_DRAW);
    assert_null(run);
    assert_int_equal(m->overlay, OVERLAY_FORM);
    char *frame = model_frame(m, 80, 24);
    assert_contains(frame, why);
    free(frame);
}

static void what_no_node_would_take_stays_in_the_form(void **state)
{
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    model_key(&m, 'P', &run);
    type(&m, "\x15");
    assert_form_stays(&m, "name is empty: a policy is known by its name");
    type(&m, "p\t([");
    assert_form_stays(&m, "pattern ([ is no regular expression: ");
    type(&m, "^mirrior\t\t0"); /* typed in the place of what is wrong */
    assert_form_stays(&m, "ha-params 0 is no number of copies: for exactly write 1 or more");
    char *frame = NULL;
    type(&m, "2");
    frame = model_frame(&m, 80, 24);
    assert_lacks(frame, "is no number"); /* until the next key */
    free(frame);
    assert_runs(&m, KEY_RETURN,
                "labctl -n node1 set_policy p '^mirrior' "
                "'{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}'");
    model_key(&m, 'P', &run);
    type(&m, "\t\tnodes\t ,");
    input_set(&m.forms[FORM_POLICY].fields[POLICY_HA_MODE], "some");
    assert_form_stays(&m, "ha-mode some is none of: exactly, all, nodes");
    input_set(&m.forms[FORM_POLICY].fields[POLICY_HA_MODE], "nodes");
    assert_form_stays(&m, "ha-params is empty: for nodes write their names, such as node1");
    model_finish(&m);
}

/* Nodes take a policy for every queue, or for nodes that there are not: the form asks once what nobody may
 * have meant. Another key in between, and it asks again. */
static void what_may_not_be_meant_is_asked_once(void **state)
{
    struct model m;
    struct command *run = NULL;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    model_key(&m, 'P', &run);
    type(&m, "\t\x15");
    assert_form_stays(&m, "An empty pattern matches every queue there is and will be.");
    assert_int_equal(m.forms[FORM_POLICY].at, POLICY_PATTERN);
    type(&m, "\t");
    assert_form_stays(&m, "An empty pattern matches every queue there is and will be.");
    assert_runs(&m, KEY_RETURN,
                "labctl -n node1 set_policy mirrior '' "
                "'{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}'");
    model_key(&m, 'P', &run);
    type(&m, "\t^q");
    input_set(&m.forms[FORM_POLICY].fields[POLICY_HA_MODE], "nodes");
    input_set(&m.forms[FORM_POLICY].fields[POLICY_HA_PARAMS], "node7,node2@here, node");
    assert_form_stays(&m, "This cluster has no node called node7, node: no copy can go there.");
    assert_int_equal(m.forms[FORM_POLICY].at, POLICY_HA_PARAMS);
    type(&m, "node1,node2"); /* typed in its place */
    assert_runs(&m, KEY_RETURN,
                "labctl -n node1 set_policy mirrior '^q' "
                "'{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\"],"
                "\"ha-sync-mode\":\"automatic\"}'");
    model_key(&m, 'P', &run); /* both at once */
    input_set(&m.forms[FORM_POLICY].fields[POLICY_PATTERN], "");
    input_set(&m.forms[FORM_POLICY].fields[POLICY_HA_PARAMS], "node9");
    assert_form_stays(&m, "no node called node9");
    model_key(&m, KEY_ESCAPE, &run);
    model_key(&m, 'P', &run); /* asked anew */
    assert_form_stays(&m, "no node called node9");
    model_finish(&m);
}

static void lab_of_three(struct labdir *lab)
{
    *lab = (struct labdir){.nodes_len = 3};
    for (size_t i = 0; i < 3; i++) {
        snprintf(lab->nodes[i].name, sizeof(lab->nodes[i].name), "node%zu", i + 1);
        snprintf(lab->nodes[i].host, sizeof(lab->nodes[i].host), "127.0.0.1");
        lab->nodes[i].amqp_port = (uint16_t)(5672 + i);
    }
}

/* the lesson's first two steps run its producer and its consumer */
static void with_programs(struct lesson *l)
{
    static const char *const paths[] = {"/lessons/07/producer", "/lessons/07/consumer"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        free(l->steps[i].action[0]);
        l->steps[i].action[0] = xstrdup(paths[i]);
    }
}

/* A number, or all that nodes say are ready; what is neither, and what nobody can say, stays in the form. */
static void getting_several(struct model *m)
{
    struct command *run;
    static const char *const wrong[] = {"0", "few", ""};
    model_key(m, 'g', &run);
    type(m, "25");
    assert_runs(m, KEY_RETURN, "consumer --host 127.0.0.1 --port 5673 --queue mirrior_hello --count 25");
    model_key(m, 'g', &run);
    model_key(m, KEY_ARROW_RIGHT, &run); /* the field's choices: 1, all */
    assert_runs(m, KEY_RETURN, "consumer --host 127.0.0.1 --port 5673 --queue mirrior_hello --count 100000");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char *why = format_text("count %s is no number of messages: write 1 or more, or all",
                                *wrong[i] ? wrong[i] : "''");
        model_key(m, 'g', &run);
        model_key(m, 0x15, &run); /* Ctrl-U */
        type(m, wrong[i]);
        assert_form_stays(m, why);
        model_key(m, KEY_ESCAPE, &run);
        free(why);
    }
    struct queue_seen *q = &m->snapshot->queues[model_queue(m) - m->snapshot->queues];
    int64_t ready = q->ready;
    static const char *const says[] = {
        "how many messages mirrior_hello has nobody can say now: write a number",
        "mirrior_hello has no message that is ready"};
    for (int i = 0; i < 2; i++) {
        q->ready = i - 1;
        model_key(m, 'g', &run);
        type(m, "all");
        assert_form_stays(m, says[i]);
        model_key(m, KEY_ESCAPE, &run);
    }
    q->ready = ready;
}

static void publishing_asks_how_many_and_runs_the_lessons_producer(void **state)
{
    struct labdir lab;
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run;
    (void)state;
    lab_of_three(&lab);
    model_init(&m, l, &lab, false, false);
    see(&m, "rest");
    assert_runs_nothing(&m, 'p', "no lesson has a producer that is built");
    with_programs(l);
    assert_int_equal(model_key(&m, 'p', &run), EFFECT_DRAW);
    assert_int_equal(m.overlay, OVERLAY_FORM);
    assert_runs(&m, KEY_RETURN, "producer --host 127.0.0.1 --port 5672 --queue hello");
    model_key(&m, 'j', &run);
    model_key(&m, 'l', &run);
    model_key(&m, 'p', &run);
    /* what is typed takes the place of what a field proposes; after an arrow it goes into it */
    for (const char *key = "6\x7f"
                           "5000\t\x15ni hao\t \t ";
         *key; key++) /* Space: the next choice */
        model_key(&m, *key, &run);
    assert_runs(&m, KEY_RETURN,
                "producer --host 127.0.0.1 --port 5673 --queue mirrior_hello --message 'ni hao' --count 5000 "
                "--persistent --confirm");
    model_key(&m, 'g', &run); /* Enter alone takes one */
    assert_runs(&m, KEY_RETURN, "consumer --host 127.0.0.1 --port 5673 --queue mirrior_hello");
    m.tools = l; /* a consumer that can acknowledge takes what it prints, and leaves the rest */
    model_key(&m, 'g', &run);
    assert_runs(&m, KEY_RETURN, "consumer --host 127.0.0.1 --port 5673 --queue mirrior_hello --manual-ack");
    m.tools = NULL;
    getting_several(&m);
    static const char *const wrong[] = {"-5", "0", "five", "5x", "1000000000000"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char *why = format_text("count %s is no number of messages: write 1 or more", wrong[i]);
        model_key(&m, 'p', &run);
        type(&m, wrong[i]);
        assert_form_stays(&m, why);
        model_key(&m, KEY_ESCAPE, &run);
        free(why);
    }
    static const struct {
        const char *persistent, *confirm, *more; /* more: NULL: the form stays */
    } answers[] = {{"y", "n", "--persistent"},
                   {"YES", "no", "--persistent"},
                   {"n", "Y", "--confirm"},
                   {"是", "否", "--persistent"},
                   {"true", "no", NULL},
                   {"no", "1", NULL},
                   {"", "no", NULL}};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        model_key(&m, 'p', &run);
        type(&m, "1\tHello World\t");
        input_set(&m.forms[FORM_PUBLISH].fields[PUBLISH_PERSISTENT], answers[i].persistent);
        input_set(&m.forms[FORM_PUBLISH].fields[PUBLISH_CONFIRM], answers[i].confirm);
        if (answers[i].more) {
            char *words = format_text("producer --host 127.0.0.1 --port 5673 --queue mirrior_hello %s",
                                      answers[i].more);
            assert_runs(&m, KEY_RETURN, words);
            free(words);
            continue;
        }
        bool confirm = strcmp(answers[i].confirm, "no") != 0;
        char *why = format_text("%s %s is neither yes nor no: write one of them, or y, n",
                                confirm ? "confirm" : "persistent",
                                confirm                     ? answers[i].confirm
                                : !answers[i].persistent[0] ? "''"
                                                            : answers[i].persistent);
        assert_form_stays(&m, why);
        model_key(&m, KEY_ESCAPE, &run);
        free(why);
    }
    model_key(&m, 'h', &run);
    see(&m, "stopped"); /* node1 is selected and does not run: another node will do, and it is said */
    model_key(&m, 'g', &run);
    assert_int_equal(model_key(&m, KEY_RETURN, &run), EFFECT_RUN);
    model_ran(&m, run);
    char *through = model_frame(&m, 80, 24);
    assert_contains(through, "  node1 is away: through node2  running...\n");
    free(through);
    model_ended(&m, run, 0);
    model_key(&m, 'g', &run);
    assert_runs(&m, KEY_RETURN, "consumer --host 127.0.0.1 --port 5673 --queue mirrior_hello");
    model_finish(&m);
    sketch_destroy(l);
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

static void every_key_is_in_the_help(void **state)
{
    struct model m;
    struct command *run;
    struct text all = {0};
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    model_key(&m, '?', &run);
    for (int i = 0; i < 8; i++) { /* page by page, on the smallest terminal that has all parts */
        char *frame = model_frame(&m, 80, 24);
        text_add(&all, frame);
        free(frame);
        model_key(&m, KEY_PAGE_DOWN, &run);
        assert_int_equal(m.overlay, OVERLAY_HELP);
    }
    for (size_t i = 0; i < key_table_len; i++) {
        char *word = format_text(" %s ", key_table[i].name);
        assert_contains(text_str(&all), word);
        if (key_table[i].help)
            assert_contains(text_str(&all), key_table[i].help);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(key_table[i].key, key_table[j].key);
        free(word);
    }
    model_key(&m, 'q', &run); /* closes it, no more */
    assert_int_equal(m.overlay, OVERLAY_NONE);
    text_finish(&all);
    model_finish(&m);
}

/* The manual page's list of keys is the table's: written from it with UPDATE_FRAMES=1, the same afterwards.
 */
static void the_manual_page_has_the_keys(void **state)
{
    static const char file[] = "docs/man/lab.1", begin[] = ".\\\" keys: begin", end[] = ".\\\" keys: end";
    struct text page = {0}, keys = {0};
    char part[4096];
    (void)state;
    FILE *f = fopen(file, "re");
    assert_non_null(f);
    for (size_t got; (got = fread(part, 1, sizeof(part), f)) > 0;)
        text_add_bytes(&page, part, got);
    fclose(f);
    text_add(&keys, ".Bl -tag -width Shift-Tab -compact\n");
    for (size_t i = 0; i < key_table_len; i++) {
        if (!key_table[i].help)
            continue;
        text_add(&keys, ".It Li");
        for (size_t j = i; j < key_table_len && (j == i || !key_table[j].help); j++)
            text_printf(&keys, " \\&%s", key_table[j].name);
        text_printf(&keys, "\n%s%c%s.\n", "", key_table[i].help[0] - (key_table[i].help[0] >= 'a' ? 32 : 0),
                    key_table[i].help + 1);
    }
    text_add(&keys, ".El\n");
    char *from = strstr(page.s, begin), *to = strstr(page.s, end);
    assert_non_null(from);
    assert_non_null(to);
    from = strchr(from, '\n') + 1;
    if (getenv("UPDATE_FRAMES")) {
        f = fopen(file, "we");
        assert_non_null(f);
        fprintf(f, "%.*s%s%s", (int)(from - page.s), page.s, keys.s, to);
        fclose(f);
    } else if (strlen(keys.s) != (size_t)(to - from) || strncmp(from, keys.s, strlen(keys.s)) != 0) {
        fail_msg("%s: its keys are not those of tui/keys.h; UPDATE_FRAMES=1 takes them over:\n%s", file,
                 keys.s);
    }
    text_finish(&page);
    text_finish(&keys);
}

/* The bar: keys of the table with their words, the same in every frame that has room for it. */
static void the_bar_is_the_tables(void **state)
{
    struct lesson *l = sketch_lesson();
    struct model m;
    (void)state;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    char *frame = model_frame(&m, 200, 24);
    for (size_t i = 0; i < key_table_len; i++) {
        const struct key_entry *k = &key_table[i];
        char *word = k->bar && k->acts ? format_text("%s:%s", k->name, k->bar) : NULL;
        if (word)
            assert_contains(frame, word);
        free(word);
    }
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_act_on_the_selection),
        cmocka_unit_test(kill_asks_and_defaults_to_cancel),
        cmocka_unit_test(a_killed_node_is_started_as_a_process),
        cmocka_unit_test(a_projector_and_a_replay_change_nothing),
        cmocka_unit_test(the_lesson_is_folded),
        cmocka_unit_test(the_next_lesson_is_gone_on_to),
        cmocka_unit_test(what_the_only_node_lost),
        cmocka_unit_test(next_runs_the_current_step_once),
        cmocka_unit_test(a_command_does_not_tick),
        cmocka_unit_test(the_last_line_of_output),
        cmocka_unit_test(copies_of_a_silent_node_are_remembered),
        cmocka_unit_test(the_newest_queue_is_selected_until_one_is_chosen),
        cmocka_unit_test(the_policy_form_runs_what_it_shows),
        cmocka_unit_test(what_no_node_would_take_stays_in_the_form),
        cmocka_unit_test(what_may_not_be_meant_is_asked_once),
        cmocka_unit_test(publishing_asks_how_many_and_runs_the_lessons_producer),
        cmocka_unit_test(quitting_says_what_still_runs),
        cmocka_unit_test(every_key_is_in_the_help),
        cmocka_unit_test(the_manual_page_has_the_keys),
        cmocka_unit_test(the_bar_is_the_tables),
    };
    return cmocka_run_group_tests_name("screen/model", tests, NULL, NULL);
}

/* test_refused.c: what the screen makes of a command that a node refused, by the words that labctl and
 * rabbitmqctl have for it. On the model alone. */
#include "tests/screen/support.h"

#include "commands.h"
#include "lab/labdir.h"
#include "ran.h"
#include "record_json.h"

/* What these keys run has been started, in a lab that looks so. */
static struct command *started(struct model *m, const char *snapshot, const char *keys)
{
    struct snapshot *s = load_snapshot(snapshot);
    struct command *run = NULL;
    model_init(m, NULL, NULL, false, false);
    model_observe(m, s);
    m->now = s->taken_at;
    snapshot_destroy(s);
    for (; *keys; keys++)
        model_key(m, *keys == '\n' ? KEY_RETURN : (unsigned char)*keys, &run);
    assert_non_null(run);
    model_ran(m, run);
    return run;
}

static void assert_frame(struct model *m, const char *part, bool there)
{
    char *frame = model_frame(m, 120, 24);
    assert_contains_(frame, part, there, __FILE__, __LINE__);
    free(frame);
}

/* A command's own words for a refusal are a bare word or a page: the screen says what to do next. */
static void a_refusal_says_what_to_do(void **state)
{
    static const struct {
        const char *keys, *printed;
        int code;
        const char *shown;
    } all[] = {
        {"S", "Synchronising queue 'hello' in vhost '/' ...\nError:\nnot_mirrored\n", 69,
         "hello has no mirrors to copy to. P sets a policy"},
        {"C", "Stopping synchronising queue 'hello' in vhost '/' ...\nnot_syncing\n", 0, "S begins it where"},
        {":sync_queue gone\n", "Synchronising queue 'gone' in vhost '/' ...\nError:\nnot_found\n", 69,
         "there is no queue gone"},
        {":clear_policy gone\n",
         "Clearing policy \"gone\" on vhost \"/\" ...\nError:\nParameter does not exist\n", 69,
         "there is no policy gone: :list_policies"},
        {":set_policy a b c\n", "Setting policy ...\nError:\nJSON decoding error. Reason: badarg\n", 69,
         "or press P for a form"},
        {":set_policy a b '{\"ha-mode\":\"some\"}'\n",
         "Setting policy ...\nError:\nValidation failed\n\n<<\"some\">> is not a valid ha-mode value\n", 69,
         "ha-mode is one of all, exactly, nodes"},
        {":set_policy a b '{\"ha-mode\":\"exactly\"}'\n",
         "Setting policy ...\nError:\nValidation failed\n\nha-mode=\"exactly\" takes an integer, none "
         "given\n",
         69, "exactly needs ha-params, how many copies"},
        {":set_policy a b '{\"ha-mode\":\"nodes\"}'\n",
         "Setting policy ...\nError:\nValidation failed\n\nha-mode=\"nodes\" takes a list, none given\n", 69,
         "nodes needs ha-params, a list of their names"},
        {":list_queues bar\n",
         "Error (argument validation): Info key(s) bar are not supported\nArguments given:\n\tlist_queues "
         "bar\n\nUsage\n\nlabctl list_queues\n",
         64, "list_queues has no column bar; Tab completes those it has: name state policy pid"},
        {":join_cluster node2\n",
         "Error: this command requires the 'rabbit' app to be stopped on the target node. Stop it with "
         "'rabbitmqctl stop_app'.\nArguments given:\n\tjoin_cluster\n\nUsage\n\nrabbitmqctl join_cluster\n",
         64, "node1 has to be stopped for this: arrows select it, s stops it"},
        {":-n node2 list_queues\n",
         "Error: this command requires the 'rabbit' app to be running on the target node. Start it with "
         "'labctl start_app'.\nArguments given:\n\tlist_queues\n\nUsage\n\nlabctl list_queues\n",
         64, "node2 is stopped: arrows select it, a starts it"},
        {":-n node9 list_queues\n",
         "Error: unable to perform an operation on node 'node9'. Please see diagnostics\n\nMost common\n", 69,
         "this lab has no node node9: it has node1, node2, node3"},
        {":cut node1 node9\n", "Cutting links of node1 ...\nError:\nthe lab /tmp/lab has no node 'node9'\n",
         69, "this lab has no node node9: it has node1, node2, node3"},
        {":stop_app node9\n",
         "Error (argument validation): too many arguments.\nArguments given:\n\tstop_app node9\n\nUsage\n",
         64,
         "stop_app takes no 'node9' behind it: the node stands before the verb, as in :-n node1 stop_app; "
         "this"},
        {":stop_app --timeout 5 node2\n",
         "Error (argument validation): too many arguments.\nArguments given:\n\tstop_app node2\n\nUsage\n",
         64,
         "stop_app takes no 'node2' behind it: the node stands before the verb, as in :-n node2 stop_app"},
        {":sync_queue hello node2\n",
         "Error (argument validation): too many arguments.\nArguments given:\n\tsync_queue hello\n\nUsage\n",
         64, "sync_queue: too many words; it takes: <queue>"},
        {":forget_cluster_node node9\ny",
         "Removing node node9 from the cluster\nError:\n{:not_a_cluster_node, 'The node selected is not in "
         "the "
         "cluster.'}\n",
         69, "node9 is not in the cluster, so nobody can forget it"},
        {":reset\ny",
         "Resetting node node1 ...\nError:\n{:no_running_cluster_nodes, 'You cannot leave a cluster if no "
         "online "
         "nodes are present.'}\n",
         69, "nobody is left to let node1 go: start another node"},
        {":join_cluster node2\n", "Clustering node node1 with node2\nError:\nmnesia_not_running\n", 69,
         "node2 does not run, so nobody can join it"},
        {"a",
         "Starting node node1@localhost ...\nError: unable to perform an operation on node "
         "'node1@localhost'. "
         "Please see diagnostics information and suggestions below.\n\nMost common reasons\n * a\n * b\n",
         69, "node1 does not answer: its process does not run. Arrows select it, a starts it"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct model m;
        struct command *c = started(&m, "rest", all[i].keys);
        model_output(&m, c, all[i].printed, strlen(all[i].printed));
        assert_frame(&m, all[i].shown, false); /* before it has ended, nothing is refused */
        model_ended(&m, c, all[i].code);
        assert_int_equal(m.overlay, OVERLAY_NONE); /* no page of what is said in a line */
        assert_frame(&m, all[i].shown, true);
        model_finish(&m);
    }
}

/* RabbitMQ's answer is the same for a queue that is not there and for one that nobody serves. */
static void a_queue_that_nobody_serves_is_not_gone(void **state)
{
    struct model m;
    (void)state;
    struct command *c = started(&m, "stopped", ":sync_queue hello\n");
    model_output(&m, c, "Error:\nnot_found\n", strlen("Error:\nnot_found\n"));
    model_ended(&m, c, 69);
    assert_frame(&m, "hello cannot be reached: no node that runs may serve it", true);
    model_finish(&m);
}

/* What nobody could count is not told as a number, though the tool prints one (rabbitmqctl does, too). */
static void what_is_deleted_uncounted_has_no_figure(void **state)
{
    static const char *const snapshots[] = {"stopped", "rest"};
    static const char said[] =
        "Deleting queue 'hello' on vhost '/' ...\nQueue was successfully deleted with 0 ready messages\n";
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(snapshots); i++) {
        struct model m;
        struct command *run, *c = started(&m, snapshots[i], ":delete_queue hello\ny");
        json_t *recorded = record_command(c, 1); /* a replay knows it, wherever it begins */
        assert_true(json_is_true(json_object_get(recorded, "uncounted")) == (i == 0));
        json_decref(recorded);
        model_output(&m, c, said, strlen(said));
        model_ended(&m, c, 0);
        model_key(&m, KEY_ESCAPE, &run); /* the page, where there is one */
        assert_frame(&m, "hello is deleted; how many messages it had is not known: its node is away", i == 0);
        assert_frame(&m, "with 0 ready messages", i == 1);
        model_key(&m, 'o', &run);
        assert_frame(&m, "how many messages it had is not known", i == 0); /* beside what was printed */
        model_finish(&m);
    }
}

/* The broker's words are what a lesson is about: they stay, and what helps stands behind them. */
static void a_program_that_is_refused_a_queue_says_what_helps(void **state)
{
    static const char *const words[] = {
        "basic.consume: the broker refused: 404 NOT_FOUND - queue 'hello' in vhost '/' process is stopped by "
        "supervisor, class-id=60, method-id=20\n",
        "queue.declare: the broker refused: 404 NOT_FOUND - home node 'node1@localhost' of durable queue "
        "'hello' "
        "in vhost '/' is down or inaccessible, class-id=50, method-id=10\n"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct model m;
        struct snapshot *s = load_snapshot("stopped");
        static const char *const argv[] = {"consumer", "--queue", "hello", NULL};
        model_init(&m, NULL, NULL, false, false);
        model_observe(&m, s);
        m.now = s->taken_at;
        snapshot_destroy(s);
        struct command *c = command_of(argv, COMMAND_OF_KEY);
        model_ran(&m, c);
        model_output(&m, c, words[i], strlen(words[i]));
        model_ended(&m, c, 1);
        assert_frame(&m, "404 NOT_FOUND", true);
        assert_frame(&m, "Start the one that holds it: arrows select it, a starts it", true);
        assert_frame(&m, "class-id", false);
        model_finish(&m);
    }
}

/* In a partition whoever is asked in the other view has no queue to serve, though one that runs serves it. */
static void the_other_view_serves_it(void **state)
{
    static const char advice[] = "node2 does not see node1, which serves plain: arrows select node1";
    static const char down[] = "queue.declare: the broker refused: 404 NOT_FOUND - home node 'node1' of "
                               "durable queue 'plain' in vhost '/' is down or inaccessible, class-id=50\n";
    static const char not_found[] = "Error:\nnot_found\n";
    static const char *const get[] = {"consumer", "--port", "5673", "--queue", "plain", NULL};
    struct labdir lab = {.nodes_len = 3};
    struct model m;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        snprintf(lab.nodes[i].name, sizeof(lab.nodes[i].name), "node%zu", i + 1);
        lab.nodes[i].amqp_port = (uint16_t)(5672 + i);
    }
    struct command *c = started(&m, "apart", ":-n node2 sync_queue plain\n");
    model_output(&m, c, not_found, strlen(not_found));
    model_ended(&m, c, 69);
    assert_frame(&m, advice, true);
    m.lab = &lab;
    c = command_of(get, COMMAND_OF_KEY);
    model_ran(&m, c);
    model_output(&m, c, down, strlen(down));
    model_ended(&m, c, 1);
    assert_frame(&m, "404 NOT_FOUND", true);
    assert_frame(&m, "node2 does not see", true);
    assert_frame(&m, "node1, which serves plain: arrows select node1", true);
    assert_frame(&m, "Start the one that holds it", false);
    model_finish(&m);

    /* its mirrors are on the other side: no policy gives it one here */
    c = started(&m, "apart", ":-n node1 sync_queue m1\n");
    model_output(&m, c, "Error:\nnot_mirrored\n", strlen("Error:\nnot_mirrored\n"));
    model_ended(&m, c, 69);
    assert_frame(&m, "not_mirrored: no mirror of m1 is on node1's side of the partition", true);
    model_finish(&m);

    /* its own view has a master of it: then it is not the partition's doing */
    c = started(&m, "apart", ":-n node3 sync_queue m1\n");
    model_output(&m, c, not_found, strlen(not_found));
    model_ended(&m, c, 69);
    assert_frame(&m, "there is no queue m1", true);
    model_finish(&m);
}

/* A node that was cut from here waits for nodes that run: it is not they who have to be started. Once it is
 * up, nothing asks for more. */
static void a_start_of_a_node_that_was_cut_names_the_cut(void **state)
{
    static const char waits[] = "node1 waits for nodes that were running when it left: node2 node3; start "
                                "them, heal what cuts it off from them, or, if they never "
                                "return: labctl -n node1 force_boot, then kill it and start it\n";
    struct model m;
    (void)state;
    struct command *c = started(&m, "stopped", "x");
    assert_frame(&m, "links were cut", false); /* it still runs */
    model_ended(&m, c, 0);
    assert_frame(&m, "links were cut: x heals", true);
    struct command *run = NULL;
    model_key(&m, 'a', &run);
    model_ran(&m, run);
    assert_frame(&m, "its links to them were cut: x heals", false);
    model_output(&m, run, waits, strlen(waits));
    assert_frame(&m, "its links to them were cut: x heals", true);
    assert_frame(&m, "force_boot", false);
    model_output(&m, run, "node1 waits no more: it is up\n", 30);
    model_ended(&m, run, 0);
    assert_string_equal(m.command->last_line, "node1 waits no more: it is up");
    assert_frame(&m, "its links to them", false);
    model_finish(&m);
}

static const char no_ha_mode[] =
    "Setting policy ...\nError:\nValidation failed\n\nha-mode must be specified to "
    "specify ha-params, ha-sync-mode or ha-promote-on-shutdown\n";

static void press(struct model *m, const char *keys)
{
    struct command *run = NULL;
    for (; *keys; keys++)
        model_key(m, *keys == '\n' ? KEY_RETURN : (unsigned char)*keys, &run);
}

/* What only a node can refuse: its reason stands in the form, which is there again with what was typed. */
static void a_policy_that_is_refused_is_in_its_form_again(void **state)
{
    static const char keys[] = "Pmine\t^q\t\x15\n"; /* Ctrl-U: without ha-mode */
    struct model m;
    (void)state;
    struct command *c = started(&m, "rest", keys);
    assert_int_equal(m.overlay, OVERLAY_NONE);
    model_output(&m, c, no_ha_mode, strlen(no_ha_mode));
    model_ended(&m, c, 69);
    assert_int_equal(m.overlay, OVERLAY_FORM);
    assert_int_equal(m.form, FORM_POLICY);
    assert_int_equal(m.forms[FORM_POLICY].at, POLICY_HA_MODE); /* what the reason names first */
    assert_frame(&m, "ha-mode must be specified to specify ha-params", true);
    assert_string_equal(input_text(&m.forms[FORM_POLICY].fields[POLICY_NAME]), "mine");
    assert_string_equal(input_text(&m.forms[FORM_POLICY].fields[POLICY_PATTERN]), "^q");
    press(&m, "all"); /* and it is mended there */
    assert_frame(&m, "'{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}'", true);
    struct command *again = NULL;
    assert_int_equal(model_key(&m, KEY_RETURN, &again), EFFECT_RUN);
    model_ran(&m, again);
    model_ended(&m, again, 0);
    assert_int_equal(m.overlay, OVERLAY_NONE);
    press(&m, "P");
    assert_frame(&m, "must be specified", false);
    model_finish(&m);

    /* a node that cannot be reached refuses it, too, in the screen's words */
    c = started(&m, "rest", "P\n");
    static const char silent[] = "Error: unable to perform an operation on node 'node1'. Please see\n";
    model_output(&m, c, silent, strlen(silent));
    model_ended(&m, c, 69);
    assert_int_equal(m.overlay, OVERLAY_FORM);
    assert_frame(&m, "node1 does not answer: its process does not run", true);
    model_finish(&m);
}

/* Whoever went on meanwhile is not disturbed: what was typed, and why it was refused, is there when P is
 * pressed again. A command of a line is nobody's form. */
static void a_refused_policy_waits_for_who_went_on(void **state)
{
    struct model m;
    (void)state;
    struct command *c = started(&m, "rest", "Pmine\t\t\x15\n");
    press(&m, "2");
    model_output(&m, c, no_ha_mode, strlen(no_ha_mode));
    model_ended(&m, c, 69);
    assert_int_equal(m.overlay, OVERLAY_NONE);
    assert_int_equal(m.view, VIEW_EVENTS);
    press(&m, "P");
    assert_frame(&m, "ha-mode must be specified to specify ha-params", true);
    model_finish(&m);

    c = started(&m, "rest", ":set_policy a b '{\"ha-sync-mode\":\"automatic\"}'\n");
    model_output(&m, c, no_ha_mode, strlen(no_ha_mode));
    model_ended(&m, c, 69);
    assert_int_not_equal(m.overlay, OVERLAY_FORM);
    model_finish(&m);
}

/* The same words of a command that did what it was asked mean nothing. */
static void what_was_not_refused_is_as_printed(void **state)
{
    struct model m;
    (void)state;
    struct command *c = started(&m, "rest", ":list_queues name\n");
    static const char names[] = "not_mirrored\n";
    model_output(&m, c, names, strlen(names));
    model_ended(&m, c, 0);
    assert_frame(&m, "| not_mirrored", true);
    assert_frame(&m, "to copy to", false);
    model_finish(&m);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_says_what_to_do),
        cmocka_unit_test(a_queue_that_nobody_serves_is_not_gone),
        cmocka_unit_test(what_is_deleted_uncounted_has_no_figure),
        cmocka_unit_test(a_program_that_is_refused_a_queue_says_what_helps),
        cmocka_unit_test(the_other_view_serves_it),
        cmocka_unit_test(a_start_of_a_node_that_was_cut_names_the_cut),
        cmocka_unit_test(a_policy_that_is_refused_is_in_its_form_again),
        cmocka_unit_test(a_refused_policy_waits_for_who_went_on),
        cmocka_unit_test(what_was_not_refused_is_as_printed),
    };
    return cmocka_run_group_tests_name("screen/refused", tests, NULL, NULL);
}

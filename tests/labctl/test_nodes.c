/* test_nodes.c: labctl's verbs on real nodes: each returns once it is so, and not before. */
#include "tests/cluster/test.h"

#include <stdlib.h>

static struct lab lab;
static struct text out;

#define CTL(...) LABCTL(&lab, &out, __VA_ARGS__)

static void assert_not(const struct text *t, const char *unwanted)
{
    if (strstr(text_str(t), unwanted))
        print_error("%s\n", text_str(t));
    assert_null(strstr(text_str(t), unwanted));
}

static void put(unsigned node, const char *method, const char *path, const char *body)
{
    struct text answer = {0};
    int status = http_ask(lab_http(&lab, node), method, path, body, 10000, &answer);
    if (status < 200 || status > 299)
        fail_msg("%s %s: %d %s", method, path, status, text_str(&answer));
    text_finish(&answer);
}

static void publish(const char *queue)
{
    char *body = format_text(
        "{\"properties\":{\"delivery_mode\":2},\"routing_key\":\"%s\",\"payload\":\"Hello World\","
        "\"payload_encoding\":\"string\"}",
        queue);
    put(1, "POST", "/api/exchanges/%2F/amq.default/publish", body);
    free(body);
}

static void a_killed_node_is_gone_and_a_started_one_serves(void **state)
{
    (void)state;
    pid_t before = lab_pid(&lab, 2);
    assert_code(CTL("-n", "node2", "kill"), 0, &out);
    assert_false(lab_alive(&lab, 2));
    assert_code(CTL("-n", "node2", "list_queues"), 69, &out);
    assert_says(&out, "Error: unable to perform an operation on node 'node2'.");
    assert_code(CTL("-n", "node2", "start"), 0, &out);
    /* at once, without waiting: */
    assert_code(CTL("-n", "node2", "list_queues"), 0, &out);
    struct text answer = {0};
    assert_int_equal(http_ask(lab_http(&lab, 2), "GET", "/api/whoami", NULL, 5000, &answer), 200);
    text_finish(&answer);
    assert_true(lab_pid(&lab, 2) != before);
}

static void a_stopped_app_leaves_its_process_and_closes_its_ports(void **state)
{
    (void)state;
    pid_t before = lab_pid(&lab, 1);
    assert_code(CTL("-n", "node1", "stop_app"), 0, &out);
    assert_not(&out, "already");
    assert_int_equal(http_ask(lab_http(&lab, 1), "GET", "/api/whoami", NULL, 1000, NULL), 0);
    assert_int_equal(lab_pid(&lab, 1), before);
    assert_true(lab_alive(&lab, 1));
    assert_code(CTL("-n", "node1", "status"), 64, &out);
    assert_says(&out, "this command requires the 'rabbit' app to be running on the target node");
    assert_code(CTL("-n", "node1", "stop_app"), 0, &out);
    assert_says(&out, "node1 is stopped already");
    assert_code(CTL("-n", "node1", "ping"), 0, &out);
    assert_code(CTL("-n", "node2", "cluster_status"), 0, &out);
    assert_says(&out, "Disk Nodes\n\nnode1\nnode2\nnode3\n");
    assert_says(&out, "Running Nodes\n\nnode2\nnode3\n");
    assert_code(CTL("-n", "node1", "start_app"), 0, &out);
    assert_not(&out, "already");
    assert_code(CTL("-n", "node1", "list_queues"), 0, &out);
    assert_code(CTL("-n", "node1", "start_app"), 0, &out);
    assert_says(&out, "node1 runs already");
}

static void status_and_cluster_status_are_json_too(void **state)
{
    (void)state;
    assert_code(CTL("-n", "node3", "status", "--formatter", "json"), 0, &out);
    json_t *status = json_loads(text_str(&out), 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(status, "pid")), lab_pid(&lab, 3));
    assert_int_equal(json_array_size(json_object_get(status, "listeners")), 3);
    json_decref(status);
    assert_code(CTL("-n", "node3", "cluster_status", "--formatter", "json"), 0, &out);
    status = json_loads(text_str(&out), 0, NULL);
    assert_int_equal(json_array_size(json_object_get(status, "running_nodes")), 3);
    assert_non_null(json_object_get(json_object_get(status, "listeners"), "node2"));
    json_decref(status);
}

static void queues_show_their_master_and_mirrors(void **state)
{
    (void)state;
    assert_code(CTL("-n", "node1", "set_policy", "m", "^m-",
                    "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\"]}", "--apply-to", "queues"),
                0, &out);
    put(1, "PUT", "/api/queues/%2F/m-1", "{\"durable\":true}");
    publish("m-1");
    assert_queue(&lab, 1, "m-1", "one mirror in sync", has_a_synced_mirror, NULL);
    assert_code(CTL("-n", "node3", "-q", "list_queues", "name", "messages", "state", "policy"), 0, &out);
    assert_says(&out, "name\tmessages\tstate\tpolicy\nm-1\t1\trunning\tm\n");
    assert_code(CTL("-n", "node3", "-q", "list_queues", "pid", "slave_pids", "synchronised_slave_pids"), 0,
                &out);
    assert_says(&out, "\n<node1.");
    assert_says(&out, "\t[<node2.");
    assert_code(CTL("-n", "node3", "-q", "list_queues", "--local"), 0, &out);
    assert_not(&out, "m-1");
    assert_code(CTL("-n", "node1", "sync_queue", "m-1"), 0, &out); /* in sync already: fine */
    assert_code(CTL("-n", "node1", "cancel_sync_queue", "m-1"), 0, &out);
    assert_says(&out, "not_syncing");
    assert_code(CTL("-n", "node1", "delete_queue", "m-1", "--if-empty"), 64, &out);
    assert_code(CTL("-n", "node2", "purge_queue", "m-1"), 0, &out);
    assert_code(CTL("-n", "node2", "delete_queue", "m-1", "--if-empty"), 0, &out);
    assert_says(&out, "Queue was successfully deleted with 0 ready messages");
    assert_code(CTL("-n", "node1", "clear_policy", "m"), 0, &out);
    assert_code(CTL("-n", "node1", "clear_policy", "m"), 69, &out);
    assert_says(&out, "Parameter does not exist");
}

static void a_bad_policy_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *definition, *says;
    } bad[] = {
        {"^x", "{\"ha-mode\":\"some\"}",
         "Error:\nValidation failed\n\n<<\"some\">> is not a valid ha-mode value\n"},
        {"^x", "{\"ha-mode\":\"exactly\"}",
         "Error:\nValidation failed\n\nha-mode=\"exactly\" takes an integer, none given\n"},
        {"^x(", "{\"ha-mode\":\"all\"}",
         "Error:\nValidation failed\n\npattern should be regular expression but is invalid: {\"missing "
         ")\",3}\n"},
        {"^x", "{\"ha-mode\":", "Error:\nJSON decoding error. Reason: badarg\n"},
        {"^x", "{\"ha-mode\":\"exactly\",\"ha-params\":\"2\"}",
         "Error:\nValidation failed\n\nha-mode=\"exactly\" takes an integer, <<\"2\">> given\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_code(CTL("-n", "node1", "set_policy", "bad", bad[i].pattern, bad[i].definition), 69, &out);
        assert_says(&out, bad[i].says);
    }
    assert_code(CTL("-n", "node1", "-q", "list_policies"), 0, &out);
    assert_not(&out, "bad");
}

static void a_cut_link_parts_two_nodes_and_heals(void **state)
{
    (void)state;
    assert_code(CTL("cut", "node1", "node2"), 0, &out);
    assert_code(CTL("cut", "node1", "node9"), 64, &out);
    assert_says(&out, "has no node 'node9'");
    assert_code(CTL("cut", "node1", "node1"), 64, &out);
    assert_says(&out, "'node1' twice: a link has two ends");
    assert_null(strstr(strstr(text_str(&out), "Error") + 1, "Error")); /* once */
    assert_code(CTL("heal"), 0, &out);
    assert_code(CTL("cut", "node3"), 0, &out); /* from all others */
    assert_code(CTL("heal", "node3"), 0, &out);
    assert_code(CTL("cut", "--one-way", "node1", "node2"), 0, &out); /* what it does: scenario_cut.c */
    assert_code(CTL("heal", "node1", "node2"), 0, &out);
    assert_code(CTL("cut", "--one-way", "node1"), 0, &out);
    assert_code(CTL("heal", "node1"), 0, &out);
    assert_code(CTL("heal", "--one-way", "node1", "node2"), 64, &out);
    assert_says(&out, "Invalid options for this command:\n--one-way");
    assert_code(CTL("cut", "--one-way"), 64, &out);
    assert_says(&out, "Error (argument validation): not enough arguments.");
    assert_code(CTL("cut", "node9"), 64, &out);
    assert_says(&out, "has no node 'node9'");
    assert_code(CTL("cut"), 64, &out);
    assert_says(&out, "Error (argument validation): not enough arguments.");
}

/* All nodes stopped in the order 3, 2, 1: node3 alone cannot know what happened after it left. */
static void a_node_that_waits_says_for_whom(void **state)
{
    (void)state;
    assert_code(CTL("-n", "node3", "stop_app"), 0, &out);
    assert_code(CTL("-n", "node2", "stop_app"), 0, &out);
    assert_code(CTL("-n", "node1", "stop_app"), 0, &out);
    assert_code(CTL("-n", "node3", "-t", "1", "start_app"), 75, &out);
    assert_says(&out, "node3 waits for nodes that were running when it left: node1 node2; start them, heal "
                      "what cuts it off from them, or, if they "
                      "never return: labctl -n node3 force_boot, then kill it and start it");
    assert_code(CTL("-n", "node3", "list_queues"), 64, &out);
    assert_says(&out, "node3 waits for nodes that were running when it left: node1 node2; start them");
    assert_code(CTL("-n", "node3", "status"), 64, &out);
    assert_says(&out, "node3 waits for nodes that were running when it left: node1 node2; start them");
    assert_code(CTL("-n", "node1", "start_app"), 0, &out);
    assert_code(CTL("-n", "node3", "await_startup"), 0, &out);
    assert_code(CTL("-n", "node2", "start_app"), 0, &out);
    for (unsigned node = 1; node <= 3; node++)
        assert_running(&lab, 1, node, 1);
}

/* `start` says so too, of a process that was killed, while it goes on waiting. */
static bool says_it_waits(void *file)
{
    return RUN(NULL, "grep", "-q", "node3 waits for nodes that were running when it left: node1; start them",
               file) == 0;
}

static bool start_has_ended(void *file)
{
    return RUN(NULL, "grep", "-qx", "ended 0", file) == 0;
}

static void start_tells_that_its_node_waits(void **state)
{
    (void)state;
    char *file = format_text("%s/start.txt", lab.dir);
    char *start =
        format_text("(%s/labctl --dir %s -n node3 start; echo ended $?) >%s 2>&1 &", lab.bin, lab.dir, file);
    assert_code(CTL("-n", "node2", "stop_app"), 0, &out);
    assert_code(CTL("-n", "node3", "kill"), 0, &out);
    assert_code(CTL("-n", "node1", "kill"), 0, &out);
    assert_int_equal(RUN(NULL, "sh", "-c", start), 0);
    assert_true(wait_until(says_it_waits, file, 60000));
    assert_false(start_has_ended(file));
    assert_code(CTL("-n", "node1", "start"), 0, &out);
    assert_true(wait_until(start_has_ended, file, 60000));
    assert_code(CTL("-n", "node2", "start_app"), 0, &out);
    for (unsigned node = 1; node <= 3; node++)
        assert_running(&lab, 1, node, 1);
    free(file);
    free(start);
}

static int up(void **state)
{
    (void)state;
    return test_lab_up(&lab, 3);
}

static int down(void **state)
{
    (void)state;
    text_finish(&out);
    return test_lab_down(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_node_is_gone_and_a_started_one_serves),
        cmocka_unit_test(a_stopped_app_leaves_its_process_and_closes_its_ports),
        cmocka_unit_test(status_and_cluster_status_are_json_too),
        cmocka_unit_test(queues_show_their_master_and_mirrors),
        cmocka_unit_test(a_bad_policy_changes_nothing),
        cmocka_unit_test(a_cut_link_parts_two_nodes_and_heals),
        cmocka_unit_test(a_node_that_waits_says_for_whom),
        cmocka_unit_test(start_tells_that_its_node_waits),
    };
    return cmocka_run_group_tests(tests, up, down);
}

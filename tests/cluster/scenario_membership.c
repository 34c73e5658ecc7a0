/* scenario_membership.c: nodes leave the cluster for good and come again: forget_cluster_node, reset,
 * force_reset, join_cluster. What was on others too is still there; what only the node had is lost, and said
 * to be. */
#include "tests/cluster/scenario.h"

#include <stdlib.h>

enum { PATIENCE_MS = 30000 };

static struct lab lab;
static struct text out;

#define CTL(...) LABCTL(&lab, &out, __VA_ARGS__)

static int setup(void **state)
{
    (void)state;
    return test_lab_up(&lab, 3);
}

static int teardown(void **state)
{
    (void)state;
    text_finish(&out);
    return test_lab_down(&lab);
}

/* ---- who is of the cluster, as one node says --------------------------------------------------------------
 */

struct membership {
    const struct lab *lab;
    unsigned asked, wanted, seen;
};

static bool members_are(void *arg)
{
    struct membership *w = arg;
    json_t *all = http_json(lab_http(w->lab, w->asked), "/api/nodes"), *n;
    size_t i;
    w->seen = 0;
    json_array_foreach(all, i, n) w->seen |= ON(node_number(json_string_value(json_object_get(n, "name"))));
    json_decref(all);
    return w->seen == w->wanted;
}

/* It lists these nodes, running or not, and no others. */
static void assert_members(const struct lab *of, unsigned asked, unsigned wanted)
{
    struct membership w = {of, asked, wanted, 0};
    if (!wait_until(members_are, &w, PATIENCE_MS))
        fail_msg("node%u lists the nodes of bits %x instead of %x", asked, w.seen, wanted);
}

/* The queue of every node, ten messages in it. */
static void mirrored(const char *queue)
{
    set_policy(&lab, 1, queue, "{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}");
    declare(&lab, 1, queue);
    assert_placed(&lab, 2, queue, 1, ON(2) | ON(3), ON(2) | ON(3));
    publish(&lab, 1, queue, 1, 10, true);
}

static void assert_no_queue(unsigned asked, const char *queue)
{
    char *text = format_text("404 NOT_FOUND - no queue '%s' in vhost '/'", queue);
    assert_null(lab_queue(&lab, asked, queue));
    assert_refused(&lab, asked, queue, text);
    free(text);
}

/* ---- the tests --------------------------------------------------------------------------------------------
 */

static void a_forgotten_node_takes_along_what_only_it_had(void **state)
{
    (void)state;
    mirrored("everywhere");
    declare(&lab, 3, "only3");
    publish(&lab, 3, "only3", 1, 5, true);

    assert_code(CTL("forget_cluster_node", "node3"), 69, &out); /* it runs: nothing happens */
    assert_says(&out, "RabbitMQ on node node3 must be stopped with 'labctl -n node3 stop_app'");
    assert_members(&lab, 1, ON(1) | ON(2) | ON(3));
    assert_running(&lab, 1, 3, 1);

    stop_node(&lab, 3);
    char *stopped = text_stopped("only3");
    assert_refused(&lab, 1, "only3", stopped); /* unavailable: it could still come back */
    free(stopped);
    assert_code(CTL("-n", "node2", "forget_cluster_node", "node3@localhost"), 0, &out);
    for (unsigned asked = 1; asked <= 2; asked++) {
        assert_members(&lab, asked, ON(1) | ON(2));
        assert_no_queue(asked, "only3"); /* lost by the operator's word, and no queue is left that hides it */
        assert_placed(&lab, asked, "everywhere", 1, ON(2), ON(2));
    }
    assert_code(CTL("forget_cluster_node", "node3"), 69, &out);
    assert_says(&out, "{:not_a_cluster_node, 'The node selected is not in the cluster.'}");
    assert_code(CTL("forget_cluster_node", "node9"), 69, &out);
    assert_code(CTL("forget_cluster_node"), 64, &out);
}

/* after the test before: node3 is stopped, forgotten, and has its old disk */
static void a_forgotten_node_is_told_so_until_it_is_reset(void **state)
{
    (void)state;
    pid_t process = lab_pid(&lab, 3);
    for (int i = 0; i < 2; i++) {
        assert_code(CTL("-n", "node3", "start_app"), 69, &out);
        assert_says(&out, "node3 was removed from the cluster");
        assert_says(&out, "labctl -n node3 reset");
        assert_true(process_alive(process));
        assert_members(&lab, 1, ON(1) | ON(2));
    }
    assert_code(CTL("-n", "node3", "reset"), 0, &out);
    assert_code(CTL("-n", "node3", "start_app"), 0, &out);
    assert_int_equal(lab_pid(&lab, 3), process);
    assert_members(&lab, 2, ON(1) | ON(2) | ON(3));
    assert_running(&lab, 1, 3, 1);
    assert_no_queue(3, "only3"); /* it brought nothing along */
    declare(&lab, 3, "only3");
    assert_count(&lab, 1, "only3", 0);

    assert_placed(&lab, 1, "everywhere", 1, ON(2) | ON(3), ON(2) | ON(3));
    stop_node(&lab, 1);
    stop_node(&lab, 2); /* what it holds now came from the others */
    assert_holds(&lab, 3, "everywhere", 1, 10);
    start_node(&lab, 1);
    start_node(&lab, 2);
}

static void a_process_that_starts_forgotten_ends_and_says_why(void **state)
{
    (void)state;
    pid_t process = lab_pid(&lab, 3);
    kill_node(&lab, 3);
    assert_code(CTL("forget_cluster_node", "node3"), 0, &out);
    assert_members(&lab, 1, ON(1) | ON(2));
    assert_code(CTL("-n", "node3", "start"), 69, &out);
    assert_says(&out, "node3 was removed from the cluster");
    assert_false(lab_alive(&lab, 3));
    assert_code(CTL("-n", "node3", "reset"), 0, &out);
    assert_says(&out, "labctl -n node3 start");
    assert_code(CTL("-n", "node3", "start"), 0, &out);
    assert_true(lab_pid(&lab, 3) != process);
    assert_members(&lab, 1, ON(1) | ON(2) | ON(3));
}

static void a_member_that_is_reset_leaves_first(void **state)
{
    (void)state;
    mirrored("kept");
    assert_code(CTL("-n", "node1", "reset"), 64, &out); /* it runs */
    assert_says(&out, "requires the 'rabbit' app to be stopped");
    stop_node(&lab, 1);
    assert_placed(&lab, 3, "kept", 2, ON(3), ON(3));
    assert_code(CTL("-n", "node1", "reset"), 0, &out);
    assert_members(&lab, 2, ON(2) | ON(3));
    assert_members(&lab, 3, ON(2) | ON(3));
    assert_code(CTL("-n", "node1", "reset"), 0, &out); /* again: there is nothing to do */

    assert_code(CTL("-n", "node1", "join_cluster", "node1"), 70, &out);
    assert_code(CTL("-n", "node1", "join_cluster", "node9"), 69, &out);
    assert_code(CTL("-n", "node1", "join_cluster", "node2@localhost"), 0, &out);
    assert_code(CTL("-n", "node1", "start_app"), 0, &out);
    assert_members(&lab, 3, ON(1) | ON(2) | ON(3));
    assert_placed(&lab, 3, "kept", 2, ON(1) | ON(3), ON(1) | ON(3));
    assert_code(CTL("-n", "node1", "join_cluster", "node2"), 64, &out);
    stop_node(&lab, 1);
    assert_code(CTL("-n", "node1", "join_cluster", "node2"), 0, &out);
    assert_says(&out, "The node is already a member of this cluster");
    start_node(&lab, 1);
    assert_holds(&lab, 1, "kept", 1, 10);
}

static void join_cluster_empties_a_node_that_was_forgotten(void **state)
{
    (void)state;
    mirrored("joined");
    stop_node(&lab, 3);
    assert_code(CTL("forget_cluster_node", "node3"), 0, &out);
    assert_code(CTL("-n", "node3", "start_app"), 69, &out); /* it has its old disk */
    assert_code(CTL("-n", "node3", "join_cluster", "node1"), 0, &out);
    assert_code(CTL("-n", "node3", "start_app"), 0, &out);
    assert_members(&lab, 1, ON(1) | ON(2) | ON(3));
    assert_placed(&lab, 1, "joined", 1, ON(2) | ON(3), ON(2) | ON(3));
    assert_holds(&lab, 3, "joined", 1, 10);
}

static void nobody_to_leave_needs_force(void **state)
{
    (void)state;
    mirrored("forced");
    stop_node(&lab, 3);
    assert_code(CTL("-n", "node2", "stop_app"), 0, &out);
    assert_code(CTL("-n", "node3", "join_cluster", "node2"), 69, &out);
    assert_says(&out, "mnesia_not_running");
    assert_code(CTL("-n", "node1", "stop_app"), 0, &out);
    assert_code(CTL("-n", "node3", "reset"), 69, &out);
    assert_says(&out,
                "{:no_running_cluster_nodes, 'You cannot leave a cluster if no online nodes are present.'}");
    assert_code(CTL("-n", "node3", "force_reset"), 0, &out);
    assert_code(CTL("-n", "node1", "start_app"), 0, &out); /* it was the last: it waits for nobody */
    assert_code(CTL("-n", "node2", "start_app"), 0, &out);
    assert_members(&lab, 1, ON(1) | ON(2) | ON(3)); /* nobody told them */
    assert_code(CTL("-n", "node3", "start_app"), 0, &out);
    assert_placed(&lab, 1, "forced", 1, ON(2) | ON(3), ON(2) | ON(3));
    assert_holds(&lab, 3, "forced", 1, 10);
}

/* ---- 3 ----------------------------------------------------------------------------------------------------
 */

static bool has_three_mirrors(const struct queue_facts *f, void *arg)
{
    (void)arg;
    return is_running(f, NULL) && f->mirrors == 3;
}

/* Five are configured, three are the cluster; then two more join it. */
static void exactly_4_takes_nodes_that_join(void **state)
{
    (void)state;
    struct lab five;
    assert_int_equal(test_lab_up(&five, 5), 0);
    for (unsigned node = 4; node <= 5; node++) {
        char *name = format_text("node%u", node);
        stop_node(&five, node);
        assert_code(LABCTL(&five, &out, "-n", name, "reset"), 0, &out);
        free(name);
    }
    assert_members(&five, 1, ON(1) | ON(2) | ON(3));
    set_policy(&five, 1, "four", "{\"ha-mode\":\"exactly\",\"ha-params\":4}");
    declare(&five, 1, "four");
    assert_placed(&five, 1, "four", 1, ON(2) | ON(3), ANY);
    assert_code(LABCTL(&five, &out, "-n", "node4", "start_app"), 0, &out);
    assert_code(LABCTL(&five, &out, "-n", "node5", "start_app"), 0, &out);
    assert_members(&five, 2, ON(1) | ON(2) | ON(3) | ON(4) | ON(5));
    struct queue_facts f = assert_queue(&five, 1, "four", "three mirrors", has_three_mirrors, NULL);
    unsigned came = f.mirror_bits & ON(4) ? 4 : 5;
    assert_int_equal(f.mirror_bits, ON(2) | ON(3) | ON(came));
    stop_node(&five, came);
    assert_placed(&five, 1, "four", 1, ON(2) | ON(3) | ON(9 - came), ANY);
    assert_int_equal(test_lab_down(&five), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forgotten_node_takes_along_what_only_it_had),
        cmocka_unit_test(a_forgotten_node_is_told_so_until_it_is_reset),
        cmocka_unit_test(a_process_that_starts_forgotten_ends_and_says_why),
        cmocka_unit_test(a_member_that_is_reset_leaves_first),
        cmocka_unit_test(join_cluster_empties_a_node_that_was_forgotten),
        cmocka_unit_test(nobody_to_leave_needs_force),
        cmocka_unit_test(exactly_4_takes_nodes_that_join),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

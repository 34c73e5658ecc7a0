/* scenario_join.c: nodes that join a running cluster, leave it, and are forgotten. Five are configured; node4
 * and node5 leave before a test begins, so that to the other three they are new. */
#include "tests/cluster/scenario.h"

#include <stdio.h>

enum { NODES = 5, PATIENCE_MS = 30000 };

static struct lab lab;
static struct text out;

struct listing {
    unsigned asked, node;
};

static bool is_not_listed(void *arg)
{
    const struct listing *l = arg;
    return lab_running(&lab, l->asked, l->asked) == 1 && lab_running(&lab, l->asked, l->node) == -1;
}

static void assert_not_listed(unsigned asked, unsigned node)
{
    if (!wait_until(is_not_listed, &(struct listing){asked, node}, PATIENCE_MS))
        fail_msg("node%u still lists node%u", asked, node);
}

static void leave(unsigned node)
{
    char name[16];
    snprintf(name, sizeof(name), "node%u", node);
    stop_node(&lab, node);
    assert_code(LABCTL(&lab, &out, "-n", name, "reset"), 0, &out);
    for (unsigned asked = 1; asked <= 3; asked++)
        assert_not_listed(asked, node);
}

static void join(unsigned node)
{
    char name[16];
    snprintf(name, sizeof(name), "node%u", node);
    assert_code(LABCTL(&lab, &out, "-n", name, "join_cluster", "node1"), 0, &out);
    start_node(&lab, node);
}

static int setup(void **state)
{
    (void)state;
    return test_lab_up(&lab, NODES);
}

static int teardown(void **state)
{
    (void)state;
    text_finish(&out);
    return test_lab_down(&lab);
}

/* ---- 3 ------------------------------------------------------------------------------------------------- */

static bool has_three_mirrors(const struct queue_facts *f, void *arg)
{
    (void)arg;
    return is_running(f, NULL) && f->mirrors == 3;
}

static void exactly_4_takes_one_of_two_that_join(void **state)
{
    (void)state;
    leave(4);
    leave(5);
    set_policy(&lab, 1, "four", "{\"ha-mode\":\"exactly\",\"ha-params\":4}");
    declare(&lab, 1, "four");
    assert_placed(&lab, 1, "four", 1, ON(2) | ON(3), ANY);
    join(4);
    join(5);
    struct queue_facts f = assert_queue(&lab, 1, "four", "three mirrors", has_three_mirrors, NULL);
    unsigned came = f.mirror_bits & ON(4) ? 4 : 5;
    assert_int_equal(f.mirror_bits, ON(2) | ON(3) | ON(came));
    stop_node(&lab, came);
    assert_placed(&lab, 1, "four", 1, ON(2) | ON(3) | ON(9 - came), ANY);
}

/* What a forgotten node held alone is gone with it (docs/semantics.md, the fourth door); the rest is not. */
static void a_node_that_is_forgotten_is_listed_no_more(void **state)
{
    (void)state;
    set_policy(&lab, 1, "kept", "{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}");
    declare(&lab, 5, "kept");
    assert_placed(&lab, 1, "kept", 5, ON(1) | ON(2) | ON(3) | ON(4), ON(1) | ON(2) | ON(3) | ON(4));
    publish(&lab, 1, "kept", 1, 10, true);
    kill_node(&lab, 5);
    assert_code(LABCTL(&lab, &out, "-n", "node1", "forget_cluster_node", "node5"), 0, &out);
    for (unsigned asked = 1; asked <= 4; asked++)
        assert_not_listed(asked, 5);
    assert_state(&lab, 3, "kept", "running");
    assert_holds(&lab, 3, "kept", 1, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exactly_4_takes_one_of_two_that_join, setup, teardown),
        cmocka_unit_test_setup_teardown(a_node_that_is_forgotten_is_listed_no_more, setup, teardown),
    };
    return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}

/* scenario_partition.c: node1 (A) is cut off from node2 and node3, with each of the three ways of dealing
 * with it. Who takes care loses nothing; who does not loses what the side that is given up confirmed. */
#include "tests/cluster/scenario.h"

#include <stdio.h>
#include <stdlib.h>

enum { A = 1, B = 2, C = 3, PATIENCE_MS = 60000 };

static struct lab lab;
static struct text out;

static void up(const char *handling)
{
    assert_true(lab_init(&lab, 3));
    char *config = format_text("%s/my.cfg", lab.dir);
    FILE *f = fopen(config, "w");
    assert_non_null(f);
    fprintf(f, "engine = \"kit\";\npartition_handling = \"%s\";\n", handling);
    assert_int_equal(fclose(f), 0);
    if (!lab_up(&lab, NULL, config, &out))
        fail_msg("lab up: %s", text_str(&out));
    free(config);
}

static int teardown(void **state)
{
    (void)state;
    text_finish(&out);
    return test_lab_down(&lab);
}

/* A queue of ten messages on every node, A its master. */
static void mirrored(const char *queue)
{
    set_policy(&lab, A, queue, "{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}");
    declare(&lab, A, queue);
    assert_placed(&lab, C, queue, A, ON(B) | ON(C), ON(B) | ON(C));
    publish(&lab, A, queue, 1, 10, true);
}

static void cut_off_a(void)
{
    assert_code(LABCTL(&lab, &out, "cut", "node1"), 0, &out);
    assert_running(&lab, B, A, 0);
    assert_running(&lab, C, A, 0);
}

/* ---- what a node says of itself: bits of the nodes it lists as partitioned from it; -1: it does not answer
 */

struct partitions {
    unsigned node;
    int wanted, seen;
};

static bool lists(void *arg)
{
    struct partitions *p = arg;
    json_t *all = http_json(lab_http(&lab, p->node), "/api/nodes"), *n, *other;
    size_t i, k;
    p->seen = all ? 0 : -1;
    json_array_foreach(all, i, n)
    {
        if (node_number(json_string_value(json_object_get(n, "name"))) != p->node)
            continue;
        json_array_foreach(json_object_get(n, "partitions"), k, other) p->seen |=
            (int)ON(node_number(json_string_value(other)));
    }
    json_decref(all);
    return p->seen == p->wanted;
}

static void assert_lists(unsigned node, int wanted)
{
    struct partitions p = {node, wanted, 0};
    if (!wait_until(lists, &p, PATIENCE_MS))
        fail_msg("node%u lists as partitioned bits %x instead of %x (-1: it does not answer)", node,
                 (unsigned)p.seen, (unsigned)wanted);
}

static void assert_whole_again(void)
{
    for (unsigned node = 1; node <= 3; node++) {
        for (unsigned other = 1; other <= 3; other++)
            assert_running(&lab, node, other, 1);
        assert_lists(node, 0);
    }
}

/* ---- 17 ------------------------------------------------------------------------------------------------ */

static bool refuses_clients(void *node)
{
    struct user u = {0};
    bool open = user_open(&u, &lab, *(unsigned *)node);
    user_drop(&u);
    return !open;
}

static void a_minority_pauses_and_nothing_is_lost(void **state)
{
    (void)state;
    struct user client = {0};
    struct user_news news;
    up("pause_minority");
    mirrored("paused");
    assert_user(user_open(&client, &lab, A) && user_confirms(&client), &client);
    cut_off_a();
    /* A's clients are closed, nobody new gets in; what one of them still tries is not confirmed */
    assert_false(user_await(&client, USER_ACK, PATIENCE_MS, &news));
    assert_int_equal(news.event, USER_GONE);
    user_drop(&client);
    assert_true(wait_until(refuses_clients, &(unsigned){A}, PATIENCE_MS));
    assert_true(lab_alive(&lab, A)); /* it pauses, it is not dead */

    assert_placed(&lab, C, "paused", B, ON(C), ON(C));
    publish(&lab, B, "paused", 11, 20, true);
    assert_code(LABCTL(&lab, &out, "heal"), 0, &out);
    assert_whole_again();
    assert_placed(&lab, A, "paused", B, ON(A) | ON(C), ON(A) | ON(C));
    assert_holds(&lab, A, "paused", 1, 20);
}

static void ignoring_it_leaves_two_masters_until_one_side_restarts(void **state)
{
    (void)state;
    up("ignore");
    mirrored("split");
    cut_off_a();
    assert_running(&lab, A, B, 0);
    assert_running(&lab, A, C, 0);
    assert_placed(&lab, A, "split", A, 0, 0);
    assert_placed(&lab, B, "split", B, ON(C), ON(C));
    publish(&lab, A, "split", 11, 15, true); /* both sides confirm */
    publish(&lab, B, "split", 21, 25, true);
    assert_count(&lab, A, "split", 15);
    assert_count(&lab, C, "split", 15);

    assert_code(LABCTL(&lab, &out, "heal"), 0, &out);
    /* a round trip over every link has gone by once the others have taken a declaration; nothing has changed
     */
    declare(&lab, B, "meanwhile");
    assert_lists(A, ON(B) | ON(C));
    assert_lists(B, ON(A));
    assert_lists(C, ON(A));

    stop_node(&lab, A);
    start_node(&lab, A);
    assert_whole_again();
    assert_placed(&lab, A, "split", B, ON(A) | ON(C), ON(A) | ON(C));
    struct user u = {0};
    assert_user(user_open(&u, &lab, A), &u);
    assert_count(&lab, A, "split", 15); /* 1..10 and 21..25; what A's side confirmed is lost */
    for (unsigned i = 1; i <= 25; i += i == 10 ? 11 : 1) {
        struct user_news news;
        bool empty;
        assert_user(user_get(&u, "split", true, &news, &empty), &u);
        assert_false(empty);
        assert_int_equal(strtoul(news.body, NULL, 10), i);
    }
    user_drop(&u);
}

static void autoheal_restarts_the_smaller_side(void **state)
{
    (void)state;
    up("autoheal");
    mirrored("healed");
    cut_off_a();
    assert_running(&lab, A, B, 0);
    assert_placed(&lab, A, "healed", A, 0, 0); /* until they meet, it carries on */
    assert_placed(&lab, B, "healed", B, ON(C), ON(C));
    publish(&lab, B, "healed", 11, 20, true);
    assert_code(LABCTL(&lab, &out, "heal"), 0, &out);
    assert_whole_again();
    assert_placed(&lab, A, "healed", B, ON(A) | ON(C), ON(A) | ON(C));
    assert_holds(&lab, A, "healed", 1, 20);
}

static bool one_is_out(void *arg)
{
    (void)arg;
    return lab_running(&lab, C, A) == 0 || lab_running(&lab, C, B) == 0;
}

/* A and B cannot reach each other, C reaches both: two of the three go on, and nothing is lost. */
static void a_partial_cut_pauses_one_and_loses_nothing(void **state)
{
    (void)state;
    up("pause_minority");
    mirrored("partial");
    assert_code(LABCTL(&lab, &out, "cut", "node1", "node2"), 0, &out);
    assert_true(wait_until(one_is_out, NULL, PATIENCE_MS));
    assert_state(&lab, C, "partial", "running");
    publish(&lab, C, "partial", 11, 20, true);
    assert_code(LABCTL(&lab, &out, "heal"), 0, &out);
    assert_whole_again();
    assert_state(&lab, A, "partial", "running");
    assert_holds(&lab, A, "partial", 1, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_minority_pauses_and_nothing_is_lost, teardown),
        cmocka_unit_test_teardown(a_partial_cut_pauses_one_and_loses_nothing, teardown),
        cmocka_unit_test_teardown(ignoring_it_leaves_two_masters_until_one_side_restarts, teardown),
        cmocka_unit_test_teardown(autoheal_restarts_the_smaller_side, teardown),
    };
    return cmocka_run_group_tests_name("partition", tests, NULL, NULL);
}

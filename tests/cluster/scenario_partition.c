/* scenario_partition.c: node1 (A) is cut off from node2 and node3, with each of the three ways of dealing
 * with it. Who takes care loses nothing; who does not loses what the side that is given up confirmed. */
#include "tests/cluster/partition.h"

#include <stdlib.h>
#include <string.h>

enum { A = 1, B = 2, C = 3 };

static struct lab lab;
static struct text out;

static int teardown(void **state)
{
    (void)state;
    text_finish(&out);
    return test_lab_down(&lab);
}

static void a_is_cut_off(void)
{
    assert_running(&lab, B, A, 0);
    assert_running(&lab, C, A, 0);
}

static void cut_off_a(void)
{
    assert_code(LABCTL(&lab, &out, "cut", "node1"), 0, &out);
    a_is_cut_off();
}

static bool is_on_the_other_side(const struct queue_facts *f, void *arg)
{
    (void)arg;
    unsigned mirror = f->master == B ? C : B;
    return is_running(f, NULL) && (f->master == B || f->master == C) && f->mirror_bits == ON(mirror) &&
           f->synced_bits == ON(mirror);
}

/* One of B and C is its master now, the other its mirror: RabbitMQ takes either. */
static unsigned master_there(unsigned asked, const char *queue)
{
    return assert_queue(&lab, asked, queue, "master B or C, the other its mirror, in sync",
                        is_on_the_other_side, NULL)
        .master;
}

/* A is back, as a mirror */
static void assert_a_is_a_mirror(const char *queue, unsigned master)
{
    unsigned mirrors = (ON(A) | ON(B) | ON(C)) & ~ON(master);
    assert_placed(&lab, A, queue, master, mirrors, (int)mirrors);
}

/* ---- 17 ------------------------------------------------------------------------------------------------ */

static bool refuses_clients(void *node)
{
    struct user u = {0};
    bool open = user_open(&u, &lab, *(unsigned *)node);
    user_drop(&u);
    return !open;
}

/* Whoever asks it is told what to do: force_boot, which starts a node without the others, is not it. */
static bool says_it_is_paused(void *arg)
{
    (void)arg;
    return LABCTL(&lab, &out, "-n", "node1", "list_queues") == 64 &&
           strstr(text_str(&out),
                  "node1 is paused (pause_minority): it reaches too few nodes, and waits for node2 "
                  "node3; heal what cuts it off") &&
           !strstr(text_str(&out), "force_boot");
}

static void a_minority_pauses_and_nothing_is_lost(void **state)
{
    (void)state;
    struct user publisher = {0}, consumer = {0};
    struct user_news news;
    up_handling(&lab, "pause_minority", 0);
    mirrored(&lab, "paused");
    assert_user(user_open(&publisher, &lab, A) && user_confirms(&publisher), &publisher);
    assert_user(user_open(&consumer, &lab, A) &&
                    user_consume(&consumer, (struct user_consumer){.queue = "paused", .prefetch = 5}) &&
                    user_await(&consumer, USER_DELIVERY, PARTITION_WAIT_MS, &news),
                &consumer);
    assert_code(LABCTL(&lab, &out, "cut", "node1"), 0, &out);
    /* what one of A's clients still tries is not confirmed (RabbitMQ notices at once, and promises less) */
    for (unsigned i = 0; i < 10 && user_publish(&publisher, "paused", "too late", true, false); i++)
        ;
    news = user_next(&publisher, PARTITION_WAIT_MS);
    while (news.event == USER_ACK && !test_on_kit())
        news = user_next(&publisher, PARTITION_WAIT_MS);
    /* A's clients are closed, nobody new gets in */
    assert_int_equal(news.event, USER_GONE);
    assert_false(user_await(&consumer, USER_CANCEL, PARTITION_WAIT_MS, &news));
    assert_int_equal(news.event, USER_GONE);
    user_drop(&publisher);
    user_drop(&consumer);
    a_is_cut_off();
    assert_true(wait_until(refuses_clients, &(unsigned){A}, PARTITION_WAIT_MS));
    assert_true(lab_alive(&lab, A)); /* it pauses, it is not dead */
    assert_true(!test_on_kit() || wait_until(says_it_is_paused, NULL, PARTITION_WAIT_MS));

    unsigned master = master_there(C, "paused");
    publish(&lab, B, "paused", 11, 20, true);
    assert_code(LABCTL(&lab, &out, "heal"), 0, &out);
    assert_whole_again(&lab);
    assert_a_is_a_mirror("paused", master);
    assert_holds(&lab, A, "paused", 1, 20);
}

static void ignoring_it_leaves_two_masters_until_one_side_restarts(void **state)
{
    (void)state;
    up_handling(&lab, "ignore", 0);
    mirrored(&lab, "split");
    cut_off_a();
    assert_running(&lab, A, B, 0);
    assert_running(&lab, A, C, 0);
    assert_placed(&lab, A, "split", A, 0, 0);
    unsigned master = master_there(B, "split");
    publish(&lab, A, "split", 11, 15, true); /* both sides confirm */
    publish(&lab, B, "split", 21, 25, true);
    assert_count(&lab, A, "split", 15);
    assert_count(&lab, C, "split", 15);

    assert_code(LABCTL(&lab, &out, "heal"), 0, &out);
    /* a round trip over every link has gone by once the others have taken a declaration; nothing has changed
     */
    declare(&lab, B, "meanwhile");
    assert_lists(&lab, A, ON(B) | ON(C));
    assert_lists(&lab, B, ON(A));
    assert_lists(&lab, C, ON(A));

    stop_node(&lab, A);
    start_node(&lab, A);
    assert_whole_again(&lab);
    assert_a_is_a_mirror("split", master);
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
    up_handling(&lab, "autoheal", 0);
    mirrored(&lab, "healed");
    cut_off_a();
    assert_running(&lab, A, B, 0);
    assert_placed(&lab, A, "healed", A, 0, 0); /* until they meet, it carries on */
    unsigned master = master_there(B, "healed");
    publish(&lab, A, "healed", 101, 105, true); /* and then gives it up */
    publish(&lab, B, "healed", 11, 20, true);
    assert_code(LABCTL(&lab, &out, "heal"), 0, &out);
    assert_whole_again(&lab);
    assert_a_is_a_mirror("healed", master);
    assert_holds(&lab, A, "healed", 1, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_minority_pauses_and_nothing_is_lost, teardown),
        cmocka_unit_test_teardown(ignoring_it_leaves_two_masters_until_one_side_restarts, teardown),
        cmocka_unit_test_teardown(autoheal_restarts_the_smaller_side, teardown),
    };
    return cmocka_run_group_tests_name("partition", tests, NULL, NULL);
}

/* scenario_cut.c: links that break between two nodes while a third reaches both: whole cuts of one link, and
 * cuts one way, where A's words do not reach B any more and B's reach A. First what such a cut is, then what
 * the three ways of dealing with a partition make of it: the two cannot stay in one view, so one of them is
 * out. */
#include "tests/cluster/partition.h"

#include <stdio.h>
#include <stdlib.h>

/* the link between A and B is cut; C reaches both */
enum { A = 1, B = 2, C = 3 };

/* longer than a test may take: nobody notices that a link is silent */
enum { NEVER_MS = 600000 };

static struct lab lab;
static struct text out;

static int teardown(void **state)
{
    (void)state;
    text_finish(&out);
    return test_lab_down(&lab);
}

static void heal(void)
{
    assert_code(LABCTL(&lab, &out, "heal"), 0, &out);
}

/* ---- what a cut is ------------------------------------------------------------------------------------- */

struct known {
    unsigned asked;
    const char *queue;
};

static bool knows(void *arg)
{
    const struct known *k = arg;
    json_t *q = lab_queue(&lab, k->asked, k->queue);
    json_decref(q);
    return q != NULL;
}

static void assert_knows(unsigned asked, const char *queue)
{
    if (!wait_until(knows, &(struct known){asked, queue}, PARTITION_WAIT_MS))
        fail_msg("node%u does not know the queue %s", asked, queue);
}

/* Declared through that node; who is to answer does not hear of it yet. */
static void declare_unanswered(struct user *u, unsigned node, const char *queue)
{
    assert_user(user_open(u, &lab, node) && user_declare(u, queue, USER_DURABLE | USER_NOWAIT, NULL), u);
}

static void nobody_noticed(void)
{
    for (unsigned node = A; node <= C; node++)
        for (unsigned other = A; other <= C; other++) {
            char text[32];
            snprintf(text, sizeof(text), "node%u is down", other);
            assert_false(has_told(&lab, node, text));
            assert_int_equal(lab_running(&lab, node, other), 1);
        }
}

/* What is declared is ordered by the node that is longest in the cluster and told by it to all: A's words
 * reach C, and are on their way to B until the link is healed. Then the same the other way round. */
static void a_cut_one_way_stops_one_way_only(void **state)
{
    (void)state;
    struct user through_a = {0}, through_b = {0}, through_c = {0};
    struct user_news news;
    up_handling(&lab, "ignore", NEVER_MS);
    mirrored(&lab, "one");

    assert_code(LABCTL(&lab, &out, "cut", "--one-way", "node1", "node2"), 0, &out);
    declare_unanswered(&through_b, B,
                       "from-b"); /* B's word reaches A, which tells C; but B does not hear it */
    assert_knows(C, "from-b");
    assert_false(knows(&(struct known){B, "from-b"}));
    assert_user(user_open(&through_a, &lab, A) && user_confirms(&through_a) &&
                    user_publish(&through_a, "one", "11", true, false),
                &through_a);
    assert_int_equal(user_next(&through_a, 300).event, USER_NOTHING); /* the mirror on B does not have it */
    nobody_noticed();
    heal(); /* the connection has survived: what waited arrives */
    assert_knows(B, "from-b");
    assert_user(user_await(&through_a, USER_ACK, PARTITION_WAIT_MS, &news), &through_a);
    user_drop(&through_b);

    assert_code(LABCTL(&lab, &out, "cut", "--one-way", "node2", "node1"), 0, &out);
    declare_unanswered(&through_b, B, "late"); /* now A does not hear of it */
    declare_unanswered(&through_c, C, "from-c");
    assert_knows(B, "from-c"); /* by A's word */
    assert_knows(C, "from-c");
    assert_false(knows(&(struct known){C, "late"}));
    nobody_noticed();
    heal();
    assert_knows(C, "late");
    nobody_noticed();
    user_drop(&through_a);
    user_drop(&through_b);
    user_drop(&through_c);
    assert_holds(&lab, B, "one", 1, 11);
}

/* Both ends of a link that is cut whole hear nothing. Of one that is cut one way only the second does; the
 * first is told by the end of the connection. */
static void who_hears_nothing_closes_and_the_other_hears_of_that(void **state)
{
    (void)state;
    up_handling(&lab, "ignore", 0);
    mirrored(&lab, "noticed");
    assert_code(LABCTL(&lab, &out, "cut", "--one-way", "node1", "node2"), 0, &out);
    assert_running(&lab, A, B, 0);
    assert_running(&lab, B, A, 0);
    assert_true(has_told(&lab, B, "node1 has said nothing for 4000 ms: the link to it is closed"));
    assert_false(has_told(&lab, A, "node2 has said nothing"));
    assert_false(has_told(&lab, C, "has said nothing"));
    heal();
}

static void both_ends_of_a_whole_cut_hear_nothing(void **state)
{
    (void)state;
    up_handling(&lab, "ignore", 0);
    assert_code(LABCTL(&lab, &out, "cut", "node1", "node2"), 0, &out);
    assert_running(&lab, A, B, 0);
    assert_running(&lab, B, A, 0);
    assert_true(has_told(&lab, A, "node2 has said nothing for 4000 ms: the link to it is closed"));
    assert_true(has_told(&lab, B, "node1 has said nothing for 4000 ms: the link to it is closed"));
    assert_false(has_told(&lab, C, "has said nothing"));
    heal();
}

/* ---- what becomes of the cluster ----------------------------------------------------------------------- */

static bool one_is_out(void *out_node)
{
    unsigned *node = out_node;
    *node = lab_running(&lab, C, A) == 0 ? A : lab_running(&lab, C, B) == 0 ? B : 0;
    return *node != 0;
}

/* Cuts; which of A and B is out then, as C says. */
static unsigned cut(const char *const *words)
{
    unsigned node = 0;
    assert_code(labctl_words(&lab, &out, words), 0, &out);
    if (!wait_until(one_is_out, &node, PARTITION_WAIT_MS))
        fail_msg("node3 still says that node1 and node2 run: %s", text_str(&out));
    assert_int_equal(lab_running(&lab, C, node == A ? B : A), 1);
    return node;
}

static const char *const cuts[][5] = {
    {"cut", "node1", "node2"},
    {"cut", "--one-way", "node1", "node2"},
    {"cut", "--one-way", "node2", "node1"},
};

/* The queue on the two that stay together: A its master, or B if A is out. */
static void assert_with_c(const char *queue, unsigned gone)
{
    unsigned stays = gone == A ? B : A;
    assert_placed(&lab, C, queue, stays, ON(C), ON(C));
    assert_placed(&lab, stays, queue, stays, ON(C), ON(C));
}

static void pause_minority_pauses_one_and_loses_nothing(void **state)
{
    (void)state;
    up_handling(&lab, "pause_minority", 0);
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        char *queue = format_text("pause-%zu", i);
        mirrored(&lab, queue);
        unsigned gone = cut(cuts[i]);
        assert_with_c(queue, gone);
        assert_lists(&lab, gone, -1); /* it serves nobody */
        assert_true(lab_alive(&lab, gone));
        publish(&lab, C, queue, 11, 20, true);
        heal();
        assert_whole_again(&lab);
        assert_placed(&lab, gone, queue, gone == A ? B : A, ON(gone) | ON(C), ON(gone) | ON(C));
        assert_holds(&lab, gone, queue, 1, 20);
        free(queue);
    }
}

/* Two masters. What is confirmed by the one that is out alone goes when it restarts. */
static void ignore_leaves_two_masters_until_the_one_that_is_out_restarts(void **state)
{
    (void)state;
    up_handling(&lab, "ignore", 0);
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        char *queue = format_text("ignore-%zu", i);
        mirrored(&lab, queue);
        unsigned gone = cut(cuts[i]), stays = gone == A ? B : A;
        assert_with_c(queue, gone);
        assert_placed(&lab, gone, queue, gone, 0, 0);
        publish(&lab, gone, queue, 101, 105, true);
        publish(&lab, C, queue, 11, 20, true);
        assert_count(&lab, gone, queue, 15);
        heal();
        assert_lists(&lab, gone, (int)(ON(stays) | ON(C)));
        assert_lists(&lab, stays, (int)ON(gone));
        assert_lists(&lab, C, (int)ON(gone));
        char name[48];
        snprintf(name, sizeof(name), "Node node3 cannot communicate with node%u\n", gone);
        assert_code(LABCTL(&lab, &out, "-n", "node3", "cluster_status"), 0, &out);
        assert_says(&out, name);
        restart_node(&lab, gone);
        assert_whole_again(&lab);
        assert_placed(&lab, gone, queue, stays, ON(gone) | ON(C), ON(gone) | ON(C));
        assert_holds(&lab, gone, queue, 1, 20);
        free(queue);
    }
}

static void autoheal_restarts_the_one_that_is_out(void **state)
{
    (void)state;
    up_handling(&lab, "autoheal", 0);
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        char *queue = format_text("autoheal-%zu", i);
        mirrored(&lab, queue);
        unsigned gone = cut(cuts[i]), stays = gone == A ? B : A;
        assert_with_c(queue, gone);
        assert_placed(&lab, gone, queue, gone, 0, 0); /* until they meet, it carries on */
        publish(&lab, gone, queue, 101, 105, true);
        publish(&lab, C, queue, 11, 20, true);
        heal();
        assert_whole_again(&lab);
        assert_placed(&lab, gone, queue, stays, ON(gone) | ON(C), ON(gone) | ON(C));
        assert_holds(&lab, gone, queue, 1, 20);
        free(queue);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_cut_one_way_stops_one_way_only, teardown),
        cmocka_unit_test_teardown(who_hears_nothing_closes_and_the_other_hears_of_that, teardown),
        cmocka_unit_test_teardown(both_ends_of_a_whole_cut_hear_nothing, teardown),
        cmocka_unit_test_teardown(pause_minority_pauses_one_and_loses_nothing, teardown),
        cmocka_unit_test_teardown(ignore_leaves_two_masters_until_the_one_that_is_out_restarts, teardown),
        cmocka_unit_test_teardown(autoheal_restarts_the_one_that_is_out, teardown),
    };
    return cmocka_run_group_tests_name("cut", tests, NULL, NULL);
}

/* story_bounds.c: what has no bound by itself is cut, or refused before anything is lost. The links of these
 * worlds carry messages of a few small batches only: one that is longer breaks the promise `frame`. */
#include "story.h"

#include "sim/world.h"

#define BATCH 200 /* bytes: two or three messages */

static struct sim *narrow(unsigned nodes)
{
    struct sim_options o;
    sim_options_defaults(&o);
    o.nodes = nodes;
    o.batch_bytes = BATCH;
    return world_with(o, ((node_set)1 << nodes) - 1);
}

static bool one_holds_it(struct sim *s, void *arg)
{
    return held_by(s, 1, "q") == *(unsigned *)arg;
}

/* The master dies when one mirror has everything and the other nothing: the one tells the other. */
static void a_long_repair_goes_in_batches(void **state_)
{
    (void)state_;
    struct sim *s = narrow(3);
    unsigned many = 100;
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    sim_slow(s, 0, 2, 5000, 10000);
    for (unsigned i = 0; i < many; i++)
        sim_publish(s, 0, "q", i % 2 == 0);
    assert_true(sim_until(s, one_holds_it, &many, 1000));
    assert_int_equal(held_by(s, 2, "q"), 0);
    sim_kill(s, 0);
    calm(s);
    placed(s, 1, "q", "1/2");
    assert_int_equal(count(s, 2, "q"), many);
    assert_int_equal(held_by(s, 2, "q"), many);
    end(s);
}

/* The same, and the one that tells dies in the middle: what the other has by then is the queue. */
static void a_repair_that_breaks_off_leaves_a_beginning(void **state_)
{
    (void)state_;
    struct sim *s = narrow(3);
    unsigned many = 100;
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 1, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    placed(s, 1, "q", "1/20");
    sim_slow(s, 1, 2, 5000, 10000);
    for (unsigned i = 0; i < many; i++)
        sim_publish(s, 0, "q", true);
    sim_run(s, 100); /* node1 has offered them, and node2 has numbered them */
    assert_int_equal(held_by(s, 0, "q"), many);
    assert_int_equal(held_by(s, 2, "q"), 0);
    sim_kill(s, 1);
    sim_slow(s, 0, 2, 50, 60000);
    sim_run(s, 60);
    sim_kill(s, 0); /* INSTALL and the repair are on their way */
    sim_start(s, 0);
    sim_start(s, 1);
    calm(s);
    answers(sim_declare(s, 2, "q", SIM_PASSIVE), ANSWER_OK);
    end(s);
}

/* Deliveries to a consumer that does not acknowledge wait for a slow mirror; the master stops in order. */
static void what_an_old_master_has_left_goes_in_parts(void **state_)
{
    (void)state_;
    struct sim *s = narrow(3);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", false, 60));
    calm(s);
    sim_slow(s, 0, 1, 2000, 5000);
    uint64_t sub = sim_subscribe(s, 2, "q", 0, SIM_NO_ACK);
    assert_int_not_equal(sub, 0);
    sim_run(s, 20);
    assert_int_equal(sim_deliveries(s, sub), 0); /* all are taken, and none is sent */
    assert_int_equal(held_by(s, 0, "q"), 0);
    sim_stop_wait(s, 0);
    calm(s);
    assert_int_equal(sim_deliveries(s, sub), 60);
    for (size_t i = 0; i < 60; i++)
        assert_int_equal(sim_delivery(s, sub, i)->message, i);
    end(s);
}

static void many_settled_at_once_go_in_batches(void **state_)
{
    (void)state_;
    struct sim *s = narrow(2);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 1, "q", true, 300));
    uint64_t sub = sim_subscribe(s, 1, "q", 0, 0);
    calm(s);
    assert_int_equal(sim_deliveries(s, sub), 300);
    assert_int_equal(count(s, 0, "q"), 0);
    unsubscribe(s, sub, true); /* its connection ends: all go back at once */
    calm(s);
    assert_int_equal(count(s, 0, "q"), 300);
    for (uint32_t i = 0; i < 300; i++) {
        struct sim_answer got = sim_get(s, 0, "q", SIM_NO_ACK);
        assert_int_equal(got.message, i);
        assert_true(got.redelivered);
    }
    end(s);
}

enum { QUEUES = 3 * LIMIT_SYNCS };

static const char *numbered(unsigned i)
{
    static char name[16];
    snprintf(name, sizeof(name), "q%u", i);
    return name;
}

struct copying {
    unsigned most, now, left; /* queues that were copied at once, are copied, and are not in sync */
};

static bool all_copied(struct sim *s, void *arg)
{
    struct copying *c = arg;
    c->now = c->left = 0;
    for (unsigned i = 0; i < QUEUES; i++) {
        struct queue_info q;
        if (!sim_queue(s, 0, numbered(i), &q))
            return false;
        c->now += q.state == QUEUE_SYNCING;
        c->left += q.synced != node_bit(1);
    }
    c->most = c->now > c->most ? c->now : c->most;
    return c->left == 0;
}

/* A policy asks for all of them at once. */
static void so_many_queues_are_copied_at_once(void **state_)
{
    (void)state_;
    struct sim *s = world_of(2, 1);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_MANUAL), ANSWER_OK);
    for (unsigned i = 0; i < QUEUES; i++) {
        answers(sim_declare(s, 0, numbered(i), SIM_DURABLE), ANSWER_OK);
        assert_true(sim_publish_confirmed(s, 0, numbered(i), true, 3));
    }
    sim_start(s, 1);
    calm(s);
    struct copying c = {0};
    assert_false(all_copied(s, &c));
    assert_int_equal(c.left, QUEUES);
    sim_slow(s, 0, 1, 20000, 20000);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    assert_true(sim_until(s, all_copied, &c, 60000));
    assert_int_equal(c.most, LIMIT_SYNCS);
    calm(s);
    for (unsigned i = 0; i < QUEUES; i++)
        assert_int_equal(held_by(s, 1, numbered(i)), 3);
    end(s);
}

static void a_full_table_takes_nothing_more(void **state_)
{
    (void)state_;
    struct sim_options o;
    sim_options_defaults(&o);
    o.table_bytes = 10000;
    struct sim *s = world_with(o, 7);
    char name[24];
    unsigned declared = 0;
    struct sim_answer a;
    for (;;) {
        snprintf(name, sizeof(name), "q%u", declared);
        a = sim_declare(s, (node_id)(declared % 3), name, SIM_DURABLE);
        if (a.status != ANSWER_OK || declared == 100)
            break;
        declared++;
    }
    answers(a, ANSWER_FULL);
    assert_non_null(strstr(a.text, "delete some"));
    assert_in_range(declared, 5, 30);
    answers(sim_declare(s, 1, "q0", SIM_DURABLE), ANSWER_OK); /* it is there */
    assert_true(sim_publish_confirmed(s, 2, "q0", true, 5));
    answers(sim_delete(s, 2, "q1", 0), ANSWER_OK);
    answers(sim_declare(s, 0, name, SIM_DURABLE), ANSWER_OK); /* there is room for one again */
    answers(sim_declare(s, 2, "q1", SIM_DURABLE), ANSWER_FULL);
    for (node_id n = 0; n < 3; n++)
        sim_kill(s, n); /* the table is written and read as it is */
    for (node_id n = 0; n < 3; n++)
        sim_start(s, n);
    calm(s);
    assert_int_equal(count(s, 1, "q0"), 5);
    answers(sim_declare(s, 2, "q1", SIM_DURABLE), ANSWER_FULL);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_repair_goes_in_batches),
        cmocka_unit_test(a_repair_that_breaks_off_leaves_a_beginning),
        cmocka_unit_test(what_an_old_master_has_left_goes_in_parts),
        cmocka_unit_test(many_settled_at_once_go_in_batches),
        cmocka_unit_test(so_many_queues_are_copied_at_once),
        cmocka_unit_test(a_full_table_takes_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

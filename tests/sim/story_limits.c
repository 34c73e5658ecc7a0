/* story_limits.c: queues with limits, on several nodes: what a promoted mirror has is what its master had,
 * time that is over stays over, and what a full queue refused is refused whoever is asked. */
#include "story.h"

static struct sim *with_policy(unsigned nodes, const char *definition)
{
    struct sim_options o;
    sim_options_defaults(&o);
    o.nodes = nodes;
    o.silence_ms = 600000; /* a link that says nothing for a while is only slow here */
    struct sim *s = world_with(o, ((node_set)1 << nodes) - 1);
    answers(sim_set_policy(s, 0, "ha", "^q", definition), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    return s;
}

static void expect_next(struct sim *s, node_id n, uint32_t message)
{
    struct sim_answer got = sim_get(s, n, "q", SIM_NO_ACK);
    assert_int_equal(got.status, ANSWER_OK);
    assert_int_equal(got.message, message);
}

static void a_promoted_mirror_has_the_same_tail(void **state_)
{
    (void)state_;
    struct sim *s = with_policy(3, "{\"ha-mode\":\"all\",\"max-length\":4}");
    assert_true(sim_publish_confirmed(s, 2, "q", true, 10));
    calm(s);
    for (node_id n = 0; n < 3; n++)
        assert_int_equal(held_by(s, n, "q"), 4);
    sim_kill(s, 0);
    calm(s);
    placed(s, 1, "q", "1/2");
    assert_true(sim_publish_confirmed(s, 2, "q", true, 1));
    for (uint32_t i = 7; i <= 10; i++)
        expect_next(s, 2, i);
    answers(sim_get(s, 2, "q", SIM_NO_ACK), ANSWER_EMPTY);
    end(s);
}

/* what the policy of a running cluster cuts off is cut off everywhere */
static void a_new_limit_reaches_the_mirrors(void **state_)
{
    (void)state_;
    struct sim *s = with_policy(3, ALL_AUTOMATIC);
    assert_true(sim_publish_confirmed(s, 1, "q", true, 20));
    policy(s, 1, "{\"ha-mode\":\"all\",\"max-length\":3}");
    for (node_id n = 0; n < 3; n++)
        assert_int_equal(held_by(s, n, "q"), 3);
    restart(s, 0); /* and the removals are in the logs: nothing comes back */
    sim_kill(s, 2);
    sim_kill(s, 1);
    sim_kill(s, 0);
    for (node_id n = 0; n < 3; n++)
        sim_start(s, n);
    calm(s);
    assert_int_equal(count(s, 0, "q"), 3);
    expect_next(s, 0, 17);
    end(s);
}

static void time_goes_on_through_failover_and_restart(void **state_)
{
    (void)state_;
    struct sim *s = with_policy(3, "{\"ha-mode\":\"exactly\",\"ha-params\":2,\"message-ttl\":30000}");
    uint64_t began = sim_now_us(s);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 2));
    uint64_t took_ms = (sim_now_us(s) - began) / 1000 + 1;
    sim_run(s, 10000);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 1));
    sim_kill(s, 0); /* the mirror knows when it is over */
    calm(s);
    assert_int_equal(count(s, 2, "q"), 3);
    sim_kill(s, 1); /* and so does a log: nobody is left who has it in memory */
    sim_kill(s, 2);
    sim_run(s, 5000);
    sim_start(s, 0);
    sim_start(s, 1);
    sim_start(s, 2);
    calm(s);
    assert_int_equal(count(s, 2, "q"), 3);
    uint64_t gone_ms = (sim_now_us(s) - began) / 1000;
    assert_true(gone_ms < 30000);
    sim_run(s, 30000 - gone_ms + took_ms);
    assert_int_equal(count(s, 2, "q"), 1);
    expect_next(s, 2, 2);
    end(s);
}

static bool listed(struct sim *s, node_id n, const char *queue)
{
    struct queue_info q;
    return sim_queue(s, n, queue, &q);
}

/* A transient queue that is mirrored: a failover begins the time again, wherever the master is then, and when
 * it is over the queue is gone everywhere. */
static void an_unused_transient_queue_goes_with_its_mirrors(void **state_)
{
    (void)state_;
    struct sim *s = with_policy(3, "{\"ha-mode\":\"all\",\"expires\":20000}");
    answers(sim_declare(s, 0, "q_transient", 0), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 1, "q_transient", false, 5));
    sim_run(s, 12000);
    sim_kill(s, 0);
    calm(s);
    placed(s, 1, "q_transient", "1/2");
    sim_run(s, 12000); /* 24 s since anybody used it */
    assert_true(listed(s, 1, "q_transient"));
    assert_int_equal(held_by(s, 2, "q_transient"), 5);
    sim_run(s, 12000);
    assert_false(listed(s, 1, "q_transient") || listed(s, 2, "q_transient"));
    end(s);
}

/* A queue has expired, and its removal is on its way to the coordinator: it is not used any more. */
static void a_queue_that_is_about_to_go_is_not_used(void **state_)
{
    (void)state_;
    struct sim *s = with_policy(2, "{\"ha-mode\":\"all\",\"expires\":20000}");
    struct queue_info before, after;
    answers(sim_declare(s, 1, "q_transient", 0), ANSWER_OK);
    assert_true(sim_queue(s, 1, "q_transient", &before) && before.local);
    sim_run(s, 19000);
    sim_clog(s, 1, 0, 2000);
    sim_run(s, 1500);
    assert_true(listed(s, 1, "q_transient")); /* that is where it stands now */
    answers(sim_get(s, 1, "q_transient", 0), ANSWER_NOT_FOUND);
    assert_true(listed(s, 1, "q_transient"));
    answers(sim_declare(s, 1, "q_transient", SIM_PASSIVE), ANSWER_NOT_FOUND);
    answers(sim_declare(s, 1, "q_transient", 0), ANSWER_OK); /* another one, once the first has gone */
    assert_true(sim_queue(s, 1, "q_transient", &after));
    assert_int_not_equal(after.uid, before.uid);
    end(s);
}

/* The same messages on both sides of a cut: each master lets them expire. */
static void time_goes_on_on_both_sides_of_a_cut(void **state_)
{
    (void)state_;
    struct sim *s = with_policy(2, "{\"ha-mode\":\"all\",\"message-ttl\":20000}");
    answers(sim_declare(s, 0, "q_transient", 0), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q_transient", false, 5));
    assert_true(sim_publish_confirmed(s, 0, "q", true, 5));
    sim_cut_now(s, 0, 1);
    sim_run(s, 10000);
    for (node_id n = 0; n < 2; n++) {
        placed(s, n, "q_transient", n ? "1/-" : "0/-");
        assert_int_equal(held_by(s, n, "q_transient"), 5);
        assert_int_equal(held_by(s, n, "q"), 5);
    }
    sim_run(s, 11000);
    for (node_id n = 0; n < 2; n++) {
        assert_int_equal(held_by(s, n, "q_transient"), 0);
        assert_int_equal(held_by(s, n, "q"), 0);
    }
    end(s);
}

static void expiry_makes_a_mirror_synchronised(void **state_)
{
    (void)state_;
    struct sim *s = with_policy(2, "{\"ha-mode\":\"all\",\"message-ttl\":60000}");
    assert_true(sim_publish_confirmed(s, 0, "q", true, 5));
    restart(s, 1);
    sim_run(s, 10000);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 1));
    calm(s);
    placed(s, 0, "q", "0/(1)"); /* what it never had is still in the queue */
    sim_run(s, 55000);
    calm(s);
    placed(s, 0, "q", "0/1"); /* nothing that it never had is left */
    assert_int_equal(count(s, 0, "q"), 1);
    end(s);
}

/* Of two publishes the first is refused and the second taken; the news does not reach the publisher's node
 * before the master dies. The next master has the second and must not take the first for one it has. */
static void a_refused_publish_stays_refused(void **state_)
{
    (void)state_;
    struct sim *s = with_policy(3, "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\"],"
                                   "\"max-length\":1,\"overflow\":\"reject-publish\"}");
    assert_true(sim_publish_confirmed(s, 2, "q", true, 1));
    calm(s);
    placed(s, 0, "q", "0/1");
    sim_clog(s, 0, 2, 60000);
    uint32_t refused = sim_publish(s, 2, "q", true);
    sim_run(s, 1000);
    expect_next(s, 0, 0);
    uint32_t taken = sim_publish(s, 2, "q", true);
    sim_run(s, 1000);
    assert_int_equal(held_by(s, 0, "q"), 1);
    assert_int_equal(held_by(s, 1, "q"), 1);
    assert_int_equal(sim_message(s, refused)->fate, FATE_UNCONFIRMED); /* nobody has told it */
    assert_int_equal(sim_message(s, taken)->fate, FATE_UNCONFIRMED);
    sim_kill(s, 0);
    calm(s);
    assert_int_equal(sim_message(s, refused)->fate, FATE_REFUSED);
    assert_int_equal(sim_message(s, taken)->fate, FATE_CONFIRMED);
    expect_next(s, 1, taken);
    answers(sim_get(s, 1, "q", SIM_NO_ACK), ANSWER_EMPTY);
    end(s);
}

/* A queue waits while it is copied, and so does its time; when the copy is complete, both copies have the
 * same left. */
static void a_copy_and_time_do_not_meet(void **state_)
{
    (void)state_;
    struct sim *s = with_policy(2, "{\"ha-mode\":\"all\",\"message-ttl\":3000,\"ha-sync-batch-size\":1}");
    assert_true(sim_publish_confirmed(s, 0, "q", true, 30));
    restart(s, 1);
    placed(s, 0, "q", "0/(1)");
    sim_slow(s, 0, 1, 4000, 20000);
    struct event ev = {.type = EV_SYNC, .u.queue = {.name = "q", .owner.node = NODE_NONE}};
    assert_int_not_equal(sim_ask(s, 0, &ev), 0);
    sim_run(s, 3500); /* over by now; the copy is not */
    assert_int_equal(state(s, 0, "q"), QUEUE_SYNCING);
    assert_int_equal(held_by(s, 0, "q"), 30);
    calm(s);
    placed(s, 0, "q", "0/1");
    assert_int_equal(held_by(s, 0, "q"), 0);
    assert_int_equal(held_by(s, 1, "q"), 0);
    end(s);
}

/* A master has given a message a place far behind, and goes before its mirror knows. The next one takes that
 * message in again, before others, and drops it for them in the same step: nobody has seen where it stood
 * there. */
static void what_comes_and_goes_in_a_step_has_no_place(void **state_)
{
    (void)state_;
    struct sim *s = world(2);
    answers(sim_set_policy(s, 0, "ha", "^q", "{\"ha-mode\":\"all\",\"max-length\":1}"), ANSWER_OK);
    answers(sim_declare(s, 1, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    placed(s, 0, "q", "1/0");
    sim_cut_one_way(s, 1, 0);
    for (unsigned i = 0; i < 10; i++) {
        sim_publish(s, 1, "q", true);
        sim_run(s, 5);
    }
    uint32_t first = sim_publish(s, 0, "q", true);
    sim_run(s, 20);
    assert_int_equal(sim_message(s, first)->memory, node_bit(1));
    sim_kill(s, 1);
    uint32_t second = sim_publish(s, 0, "q", true);
    calm(s);
    assert_int_equal(sim_message(s, first)->fate, FATE_CONFIRMED);
    assert_int_equal(sim_message(s, first)->ending, ENDING_DROPPED);
    assert_int_equal(sim_message(s, first)->id, 10);
    assert_int_equal(sim_message(s, second)->memory, node_bit(0));
    assert_in_range(sim_message(s, second)->id, 1, 9); /* less than the first one's with the master before */
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_and_goes_in_a_step_has_no_place),
        cmocka_unit_test(a_promoted_mirror_has_the_same_tail),
        cmocka_unit_test(a_new_limit_reaches_the_mirrors),
        cmocka_unit_test(time_goes_on_through_failover_and_restart),
        cmocka_unit_test(an_unused_transient_queue_goes_with_its_mirrors),
        cmocka_unit_test(a_queue_that_is_about_to_go_is_not_used),
        cmocka_unit_test(time_goes_on_on_both_sides_of_a_cut),
        cmocka_unit_test(expiry_makes_a_mirror_synchronised),
        cmocka_unit_test(a_refused_publish_stays_refused),
        cmocka_unit_test(a_copy_and_time_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

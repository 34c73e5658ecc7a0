/* story_failover.c: the machine that holds the messages stops. What clients of the others see. */
#include "story.h"

static void a_mirror_takes_over_when_the_master_is_killed(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    placed(s, 2, "q", "0/12");
    assert_true(sim_publish_confirmed(s, 1, "q", true, 10));
    sim_kill(s, 0);
    calm(s);
    placed(s, 1, "q", "1/2");
    assert_int_equal(count(s, 2, "q"), 10);
    for (uint32_t i = 0; i < 10; i++) {
        struct sim_answer got = sim_get(s, 2, "q", SIM_NO_ACK);
        assert_int_equal(got.status, ANSWER_OK);
        assert_int_equal(got.message, i);
        assert_false(got.redelivered);
    }
    answers(sim_get(s, 2, "q", SIM_NO_ACK), ANSWER_EMPTY);
    end(s);
}

/* The article's second part: steps 7 to 10. */
static void an_orderly_stop_hands_over_and_a_new_mirror_is_placed(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 1, "ha", "^mirrior", EXACTLY_2), ANSWER_OK);
    answers(sim_declare(s, 0, "mirrior_hello", SIM_DURABLE), ANSWER_OK);
    calm(s);
    placed(s, 0, "mirrior_hello", "0/1");
    assert_true(sim_publish_confirmed(s, 0, "mirrior_hello", false, 1)); /* transient, as the article's */
    sim_stop_wait(s, 0);
    calm(s);
    placed(s, 2, "mirrior_hello", "1/2");
    struct sim_answer got = sim_get(s, 2, "mirrior_hello", 0);
    assert_int_equal(got.status, ANSWER_OK);
    assert_int_equal(got.message, 0);
    sim_settle_get(s, 2, &got, SETTLE_ACK);
    calm(s);

    sim_start(s, 0); /* it comes back, and its place is taken */
    calm(s);
    placed(s, 0, "mirrior_hello", "1/2");
    end(s);
}

static void exactly_2_places_a_new_mirror_when_its_mirror_dies(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", EXACTLY_2), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 2, "q", true, 5));
    calm(s);
    placed(s, 0, "q", "0/1");
    sim_kill(s, 1);
    calm(s);
    placed(s, 0, "q", "0/2");
    assert_int_equal(held_by(s, 2, "q"), 5);
    sim_start(s, 1);
    calm(s);
    placed(s, 1, "q", "0/2");
    end(s);
}

static void without_mirrors_the_others_cannot_help(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_declare(s, 0, "hello", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "hello", false, 1));
    assert_true(sim_publish_confirmed(s, 0, "hello", true, 1));
    placed(s, 2, "hello", "0/-");

    sim_stop_wait(s, 0);
    calm(s);
    assert_int_equal(state(s, 2, "hello"), QUEUE_STOPPED);
    answers(sim_declare(s, 2, "hello", SIM_PASSIVE), ANSWER_STOPPED);
    answers(sim_get(s, 2, "hello", 0), ANSWER_STOPPED);
    assert_int_equal(sim_subscribe(s, 2, "hello", 0, 0), 0);
    assert_int_equal(sim_publish(s, 1, "hello", true), SIM_UNROUTABLE);
    sim_start(s, 0);
    calm(s);
    assert_int_equal(count(s, 2, "hello"), 1); /* the transient one is lost, the persistent one is back */

    sim_kill(s, 0);
    calm(s);
    assert_int_equal(state(s, 1, "hello"), QUEUE_DOWN);
    answers(sim_declare(s, 1, "hello", SIM_DURABLE), ANSWER_DOWN);
    answers(sim_get(s, 1, "hello", 0), ANSWER_DOWN);
    sim_start(s, 0);
    calm(s);
    struct sim_answer got = sim_get(s, 1, "hello", SIM_NO_ACK);
    assert_int_equal(got.status, ANSWER_OK);
    assert_int_equal(got.message, 1);
    assert_int_equal(sim_message(s, 0)->door, DOOR_L5);
    end(s);
}

static bool none_waits(struct sim *s, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < sim_ledger(s)->messages.len; i++)
        if (sim_message(s, (uint32_t)i)->fate == FATE_UNCONFIRMED)
            return false;
    return true;
}

static void a_failover_costs_a_publisher_a_pause_not_an_error(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    for (unsigned i = 0; i < 20; i++) {
        sim_publish(s, 2, "q", true);
        if (i == 10)
            sim_kill(s, 0); /* with ten on their way */
    }
    assert_true(sim_until(s, none_waits, NULL, 30000));
    calm(s);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(sim_message(s, i)->fate, FATE_CONFIRMED);
    assert_int_equal(count(s, 1, "q"), 20); /* each once */
    end(s);
}

static void what_was_not_acknowledged_comes_back_redelivered(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 1, "q", true, 7));
    uint64_t sub = sim_subscribe(s, 2, "q", 3, 0);
    assert_true(sub != 0);
    calm(s);
    assert_int_equal(sim_deliveries(s, sub), 3);
    sim_kill(s, 0);
    calm(s);
    assert_false(sim_sub_over(s, sub)); /* the consumer goes on without noticing */
    assert_int_equal(sim_deliveries(s, sub), 6);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(sim_delivery(s, sub, 3 + i)->message, i);
        assert_true(sim_delivery(s, sub, 3 + i)->redelivered);
        sim_settle(s, sub, 3 + i, SETTLE_ACK);
    }
    calm(s);
    assert_int_equal(sim_deliveries(s, sub), 9);
    for (size_t i = 6; i < 9; i++) {
        assert_int_equal(sim_delivery(s, sub, i)->message, i - 3);
        assert_false(sim_delivery(s, sub, i)->redelivered);
        sim_settle(s, sub, i, SETTLE_ACK);
    }
    calm(s);
    assert_int_equal(sim_deliveries(s, sub), 10);
    end(s);
}

static void a_consumer_that_asks_for_it_is_told(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 1, "q", true, 4));
    uint64_t told = sim_subscribe(s, 1, "q", 2, SIM_CANCEL_ON_FAILOVER);
    calm(s);
    assert_int_equal(sim_deliveries(s, told), 2);
    sim_stop_wait(s, 0);
    calm(s);
    assert_true(sim_sub_over(s, told));
    uint64_t again = sim_subscribe(s, 1, "q", 0, SIM_CANCEL_ON_FAILOVER);
    calm(s);
    assert_int_equal(sim_deliveries(s, again), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(sim_delivery(s, again, i)->message, i);
        assert_int_equal(sim_delivery(s, again, i)->redelivered, i < 2);
    }
    end(s);
}

static void one_confirmed_message_survives_a_kill_at_once(void **state_)
{
    (void)state_;
    struct sim *s = world(2);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 1));
    sim_kill(s, 0);
    calm(s);
    assert_int_equal(count(s, 1, "q"), 1);
    end(s);
}

static void an_exclusive_queue_goes_with_its_node(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_EXCLUSIVE), ANSWER_OK);
    calm(s);
    placed(s, 1, "q", "0/-"); /* never mirrored */
    answers(sim_declare(s, 1, "q", SIM_PASSIVE), ANSWER_LOCKED);
    sim_kill(s, 0);
    calm(s);
    answers(sim_declare(s, 1, "q", SIM_PASSIVE), ANSWER_NOT_FOUND);
    sim_start(s, 0);
    calm(s);
    for (node_id n = 0; n < 3; n++)
        answers(sim_declare(s, n, "q", SIM_PASSIVE), ANSWER_NOT_FOUND);
    end(s);
}

struct wait {
    uint32_t message;
    node_id at;
};

static bool held_there(struct sim *s, void *arg)
{
    const struct wait *w = arg;
    return node_in(sim_message(s, w->message)->memory, w->at);
}

static void a_confirm_waits_for_the_mirror(void **state_)
{
    (void)state_;
    struct sim *s = world(2);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", 0), ANSWER_OK);
    calm(s);
    sim_slow(s, 0, 1, 1000, 10000); /* half a second and more each way */
    struct wait w = {.message = sim_publish(s, 0, "q", false), .at = 0};
    assert_true(sim_until(s, held_there, &w, 1));
    sim_run(s, 10);
    assert_int_equal(sim_message(s, w.message)->fate, FATE_UNCONFIRMED);
    w.at = 1;
    assert_true(sim_until(s, held_there, &w, 5000));
    assert_int_equal(sim_message(s, w.message)->fate, FATE_UNCONFIRMED);
    calm(s);
    assert_int_equal(sim_message(s, w.message)->fate, FATE_CONFIRMED);
    end(s);
}

static void a_confirm_waits_for_both_disks_if_persistent(void **state_)
{
    (void)state_;
    struct sim_options o;
    sim_options_defaults(&o);
    o.nodes = 2;
    o.disk_min_us = o.disk_max_us = 400000;
    struct sim *s = world_with(o, 3);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    answers(sim_declare(s, 0, "q2", SIM_DURABLE), ANSWER_OK);
    calm(s);
    struct wait w = {.message = sim_publish(s, 0, "q", true), .at = 1};
    uint32_t transient = sim_publish(s, 0, "q2", false);
    assert_true(sim_until(s, held_there, &w, 100));
    sim_run(s, 100);
    assert_int_equal(sim_message(s, w.message)->memory, 3); /* both hold it, no disk does */
    assert_int_equal(sim_message(s, w.message)->fate, FATE_UNCONFIRMED);
    assert_int_equal(sim_message(s, transient)->fate, FATE_CONFIRMED); /* it needs none */
    calm(s);
    assert_int_equal(sim_message(s, w.message)->fate, FATE_CONFIRMED);
    end(s);
}

static void a_requeued_message_takes_its_old_place(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 4));
    struct sim_answer first = sim_get(s, 1, "q", 0), second = sim_get(s, 1, "q", 0);
    assert_int_equal(first.message, 0);
    assert_int_equal(second.message, 1);
    sim_settle_get(s, 1, &second, SETTLE_REQUEUE);
    sim_settle_get(s, 1, &first, SETTLE_REQUEUE);
    calm(s);
    sim_kill(s, 0); /* also on the mirrors */
    calm(s);
    for (uint32_t i = 0; i < 4; i++) {
        struct sim_answer got = sim_get(s, 2, "q", SIM_NO_ACK);
        assert_int_equal(got.message, i);
        assert_int_equal(got.redelivered, i < 2);
    }
    end(s);
}

static void a_mirror_that_dies_is_not_waited_for(void **state_)
{
    (void)state_;
    struct sim *s = world(2);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    sim_slow(s, 0, 1, 10000, 1000);
    uint32_t message = sim_publish(s, 0, "q", true);
    sim_kill(s, 1);
    calm(s);
    assert_int_equal(sim_message(s, message)->fate, FATE_CONFIRMED);
    placed(s, 0, "q", "0/-");
    end(s);
}

/* A queue on node3 that moves to its mirror on node1, so many steps ago. */
static struct sim *world_that_moves(uint64_t *sub, unsigned steps)
{
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node3\"]}"),
            ANSWER_OK);
    answers(sim_declare(s, 2, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    placed(s, 0, "q", "2/0");
    if (sub)
        *sub = sim_subscribe(s, 0, "q", 0, 0);
    struct event move = {.type = EV_SET_POLICY,
                         .u.policy = {.name = "ha",
                                      .pattern = "^q",
                                      .definition = "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\"]}"}};
    sim_ask(s, 2, &move);
    for (unsigned i = 0; i < steps; i++)
        sim_step(s);
    return s;
}

/* Whenever it asks: the master that stays knows the consumer. */
static void a_consumer_that_comes_while_its_queue_moves_is_known(void **state_)
{
    (void)state_;
    for (unsigned steps = 0; steps < 60; steps++) {
        struct sim *s = world_that_moves(NULL, steps);
        uint64_t sub = sim_subscribe(s, 0, "q", 0, 0);
        assert_int_not_equal(sub, 0);
        calm(s);
        placed(s, 2, "q", "0/-");
        assert_true(sim_publish_confirmed(s, 2, "q", true, 1));
        calm(s);
        assert_int_equal(sim_deliveries(s, sub), 1);
        end(s);
    }
}

/* And does not when it has gone. */
static void a_consumer_that_goes_while_its_queue_moves_is_forgotten(void **state_)
{
    (void)state_;
    for (unsigned steps = 0; steps < 60; steps++) {
        uint64_t sub;
        struct sim *s = world_that_moves(&sub, steps);
        sim_unsubscribe(s, sub);
        calm(s);
        assert_true(sim_sub_over(s, sub));
        struct queue_info q;
        assert_true(sim_queue(s, 0, "q", &q));
        assert_int_equal(q.consumers, 0);
        end(s);
    }
}

/* A node that stops waits for its mirrors, 5 s at most by its own clock. That one jumps, and the mirror on
 * node1 has not heard of the acknowledgement: it asks who goes on without node3, and drops what comes late.
 * What was acknowledged comes back, and the checker does not hold that against anybody. */
static void a_clock_that_jumps_ends_the_patience_of_a_stop(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 1, "ha", "^q$", ALL_MANUAL), ANSWER_OK);
    answers(sim_declare(s, 1, "q", 0), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 1, "q", false, 1));
    uint64_t sub = sim_subscribe(s, 1, "q", 0, 0);
    calm(s);
    assert_int_equal(sim_deliveries(s, sub), 1);
    sim_clog(s, 1, 0, 200);
    sim_settle(s, sub, 0, SETTLE_ACK);
    sim_run(s, 5);
    assert_int_equal(held_by(s, 1, "q"), 0);
    sim_stop(s, 1);
    sim_jump_clock(s, 1, 10000);
    sim_stop(s, 2);
    sim_run(s, 1000);
    assert_false(sim_running(s, 1));
    assert_int_equal(count(s, 0, "q"), 1);
    end(s);
}

static bool second_asks(struct sim *s, void *arg)
{
    (void)arg;
    return mirror_view(sim_mirror(s, 1)).phase == PHASE_CHANGING;
}

/* The next leader has not heard of the latest policy, and has it from another member when it decides: an
 * unsynchronised mirror may take over. node4 waits to come in, so that view is left in the same step in which
 * it is served; the old master's node is in it, and gives up what was left of the messages. */
static void a_leader_that_was_behind_decides_by_the_latest_policy(void **state_)
{
    (void)state_;
    struct sim_options o;
    sim_options_defaults(&o);
    o.nodes = 4;
    o.seed = 2; /* with this one the kill takes the policy that is on its way to node2 */
    struct sim *s = world_with(o, 15);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 3));
    answers(
        sim_set_policy(s, 0, "ha", "^q$", "{\"ha-mode\":\"all\",\"ha-promote-on-failure\":\"when-synced\"}"),
        ANSWER_OK);
    calm(s);
    placed(s, 1, "q", "0/(123)");
    sim_clog(s, 0, 1, 200);
    struct event ev = {.type = EV_SET_POLICY,
                       .u.policy = {.name = "ha", .pattern = "^q$", .definition = ALL_MANUAL}};
    sim_ask(s, 0, &ev);
    sim_run(s, 5);
    sim_kill(s, 0);
    sim_start(s, 0);
    sim_slow(s, 1, 2, 50, 1000); /* until node1 is back in reach */
    assert_true(sim_until(s, second_asks, NULL, 1000));
    sim_run(s, 1);
    struct queue_info q;
    assert_true(sim_queue(s, 1, "q", &q));
    assert_non_null(strstr(q.definition, "when-synced"));
    sim_kill(s, 3);
    sim_start(s, 3);
    calm(s);
    assert_int_equal(count(s, 0, "q"), 0);
    assert_int_equal(sim_ledger(s)->lost[DOOR_L1], 3);
    end(s);
}

static bool first_syncs(struct sim *s, void *arg)
{
    (void)arg;
    return state(s, 0, "q") == QUEUE_SYNCING;
}

static bool first_changes(struct sim *s, void *arg)
{
    (void)arg;
    return mirror_view(sim_mirror(s, 0)).phase == PHASE_CHANGING;
}

/* The queue is copied, and what clients of node3 ask waits for that. node3 is killed and comes back with the
 * very view that leaves its earlier life out, for the change was asked of node2, which is slow, and dies.
 * What that life asked for is void: nobody would acknowledge that message, and nobody is that consumer. */
static void what_an_earlier_life_asked_for_is_void(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_MANUAL), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 10));
    restart(s, 1);
    placed(s, 0, "q", "0/2(1)");
    sim_slow(s, 0, 1, 5000, 20000);
    struct event sync = {.type = EV_SYNC, .u.queue = {.name = "q", .owner.node = NODE_NONE}},
                 get = {.type = EV_GET, .u.queue = {.name = "q", .owner.node = NODE_NONE}},
                 consume = {.type = EV_SUBSCRIBE,
                            .u.sub = {.sub = 1, .queue = "q", .no_ack = true, .owner.node = NODE_NONE}};
    sim_ask(s, 0, &sync);
    assert_true(sim_until(s, first_syncs, NULL, 1000));
    sim_ask(s, 2, &get);
    sim_ask(s, 2, &consume);
    sim_run(s, 20);
    sim_kill(s, 2);
    assert_true(sim_until(s, first_changes, NULL, 1000));
    node_set both = node_bit(0) | node_bit(2);
    uint64_t before = mirror_view(sim_mirror(s, 0)).epoch;
    sim_start(s, 2);
    sim_run(s, 50);
    assert_int_equal(mirror_view(sim_mirror(s, 0)).epoch, before); /* no view without node3 */
    sim_kill(s, 1);
    calm(s);
    assert_int_equal(mirror_view(sim_mirror(s, 0)).members, both);
    assert_int_equal(count(s, 0, "q"), 10);
    struct queue_info q;
    assert_true(sim_queue(s, 0, "q", &q));
    assert_int_equal(q.consumers, 0);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mirror_takes_over_when_the_master_is_killed),
        cmocka_unit_test(an_orderly_stop_hands_over_and_a_new_mirror_is_placed),
        cmocka_unit_test(exactly_2_places_a_new_mirror_when_its_mirror_dies),
        cmocka_unit_test(without_mirrors_the_others_cannot_help),
        cmocka_unit_test(a_failover_costs_a_publisher_a_pause_not_an_error),
        cmocka_unit_test(what_was_not_acknowledged_comes_back_redelivered),
        cmocka_unit_test(a_consumer_that_asks_for_it_is_told),
        cmocka_unit_test(one_confirmed_message_survives_a_kill_at_once),
        cmocka_unit_test(an_exclusive_queue_goes_with_its_node),
        cmocka_unit_test(a_confirm_waits_for_the_mirror),
        cmocka_unit_test(a_confirm_waits_for_both_disks_if_persistent),
        cmocka_unit_test(a_requeued_message_takes_its_old_place),
        cmocka_unit_test(a_mirror_that_dies_is_not_waited_for),
        cmocka_unit_test(a_consumer_that_comes_while_its_queue_moves_is_known),
        cmocka_unit_test(a_consumer_that_goes_while_its_queue_moves_is_forgotten),
        cmocka_unit_test(a_clock_that_jumps_ends_the_patience_of_a_stop),
        cmocka_unit_test(a_leader_that_was_behind_decides_by_the_latest_policy),
        cmocka_unit_test(what_an_earlier_life_asked_for_is_void),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* story_sync.c: a mirror that comes back is empty. How it becomes synchronised: by draining, by a sync, by a
 * policy; and what a sync that does not end well leaves behind (scenarios 13, 14 and 20 of
 * docs/semantics.md). */
#include "story.h"

/* Three nodes, a mirror on each, `messages` in the queue, and node 1 restarted. */
static struct sim *returned(unsigned messages, const char *policy)
{
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", policy), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    assert_true(sim_publish_confirmed(s, 0, "q", true, messages));
    sim_kill(s, 1);
    calm(s);
    sim_start(s, 1);
    calm(s);
    return s;
}

static void a_returning_mirror_is_empty_and_gets_what_is_new(void **state_)
{
    (void)state_;
    struct sim *s = returned(10, ALL_MANUAL);
    placed(s, 0, "q", "0/2(1)");
    assert_int_equal(held_by(s, 1, "q"), 0);
    assert_int_equal(held_by(s, 2, "q"), 10);
    assert_true(sim_publish_confirmed(s, 2, "q", true, 5));
    calm(s);
    assert_int_equal(held_by(s, 1, "q"), 5);
    placed(s, 0, "q", "0/2(1)");

    answers(sim_sync(s, 2, "q"), ANSWER_OK);
    calm(s);
    placed(s, 0, "q", "0/21");
    assert_int_equal(held_by(s, 1, "q"), 15);
    end(s);
}

static void a_mirror_is_synchronised_by_draining(void **state_)
{
    (void)state_;
    struct sim *s = returned(3, ALL_MANUAL);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 2));
    for (unsigned i = 0; i < 3; i++) {
        placed(s, 0, "q", "0/2(1)");
        answers(sim_get(s, 1, "q", SIM_NO_ACK), ANSWER_OK);
        calm(s);
    }
    placed(s, 0, "q", "0/21");
    assert_int_equal(held_by(s, 1, "q"), 2);
    end(s);
}

static void unacknowledged_messages_count(void **state_)
{
    (void)state_;
    struct sim *s = returned(1, ALL_MANUAL);
    struct sim_answer got = sim_get(s, 2, "q", 0);
    assert_int_equal(got.status, ANSWER_OK);
    calm(s);
    placed(s, 0, "q", "0/2(1)"); /* it is still there, somewhere */
    sim_settle_get(s, 2, &got, SETTLE_ACK);
    calm(s);
    placed(s, 0, "q", "0/21");
    end(s);
}

static void automatic_synchronises_at_once(void **state_)
{
    (void)state_;
    struct sim *s = returned(10, ALL_AUTOMATIC);
    placed(s, 0, "q", "0/21");
    assert_int_equal(held_by(s, 1, "q"), 10);
    end(s);
}

/* The policy adds a mirror and makes an older one be synchronised: the new one comes while that copy runs. */
static void a_mirror_that_comes_during_a_sync_is_synchronised_next(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\"]}"),
            ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 10));
    sim_kill(s, 1);
    calm(s);
    sim_start(s, 1);
    calm(s);
    placed(s, 0, "q", "0/(1)");
    policy(s, 0, ALL_AUTOMATIC);
    placed(s, 0, "q", "0/12");
    assert_int_equal(held_by(s, 2, "q"), 10);
    end(s);
}

static void a_policy_that_becomes_automatic_synchronises(void **state_)
{
    (void)state_;
    struct sim *s = returned(10, ALL_MANUAL);
    placed(s, 0, "q", "0/2(1)");
    policy(s, 2, ALL_AUTOMATIC);
    placed(s, 0, "q", "0/21");
    end(s);
}

/* One policy asks for a sync of the mirror that is there and for one more, which comes while the first is
 * copied to: it has its turn afterwards. */
static void a_mirror_that_joins_during_a_sync_is_synchronised_too(void **state_)
{
    (void)state_;
    struct sim *s = returned(3, "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\"]}");
    placed(s, 0, "q", "0/(1)");
    policy(s, 0, ALL_AUTOMATIC);
    placed(s, 0, "q", "0/12");
    assert_int_equal(held_by(s, 2, "q"), 3);
    end(s);
}

static void syncing_what_is_synchronised_is_fine(void **state_)
{
    (void)state_;
    struct sim *s = returned(10, ALL_AUTOMATIC);
    answers(sim_sync(s, 1, "q"), ANSWER_OK);
    calm(s);
    answers(sim_cancel_sync(s, 1, "q"), ANSWER_NOT_SYNCING);
    answers(sim_declare(s, 2, "alone", SIM_DURABLE), ANSWER_OK);
    answers(sim_sync(s, 0, "alone"), ANSWER_NOT_MIRRORED);
    end(s);
}

#define ONE_BY_ONE "{\"ha-mode\":\"all\",\"ha-sync-batch-size\":1}"

static bool half_synced(struct sim *s, void *arg)
{
    (void)arg;
    struct queue_info q;
    return sim_queue(s, 0, "q", &q) && q.state == QUEUE_SYNCING && q.sync_messages >= 5;
}

static void half_way(struct sim *s)
{
    struct event ev = {.type = EV_SYNC, .u.queue.name = "q"};
    assert_true(sim_ask(s, 0, &ev) != 0);
    assert_true(sim_until(s, half_synced, NULL, 10000));
}

static void a_cancelled_sync_leaves_the_queue_running_and_the_mirror_unsynchronised(void **state_)
{
    (void)state_;
    struct sim *s = returned(50, ONE_BY_ONE);
    half_way(s);
    struct sim_answer a = sim_cancel_sync(s, 2, "q");
    assert_int_equal(a.status, ANSWER_OK);
    calm(s);
    assert_int_equal(state(s, 0, "q"), QUEUE_RUNNING);
    placed(s, 0, "q", "0/2(1)");
    assert_int_equal(count(s, 1, "q"), 50);
    end(s);
}

static void while_it_syncs_a_queue_waits(void **state_)
{
    (void)state_;
    struct sim *s = returned(50, ONE_BY_ONE);
    half_way(s);
    uint32_t message = sim_publish(s, 2, "q", true);
    assert_true(half_synced(s, NULL));
    assert_int_equal(sim_message(s, message)->fate, FATE_UNCONFIRMED);
    struct sim_answer got = sim_get(s, 1, "q", SIM_NO_ACK); /* answered when the sync is over */
    assert_int_equal(got.status, ANSWER_OK);
    assert_false(half_synced(s, NULL));
    calm(s);
    assert_int_equal(sim_message(s, message)->fate, FATE_CONFIRMED);
    placed(s, 0, "q", "0/21");
    end(s);
}

/* RabbitMQ empties the mirror first; the kit replaces the old content only when the new one is complete. */
static void a_master_that_dies_in_a_sync_takes_nothing_from_the_mirror(void **state_)
{
    (void)state_;
    struct sim *s = world(2);
    answers(sim_set_policy(s, 0, "ha", "^q", ONE_BY_ONE), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 50));
    restart(s, 1);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 7)); /* these the mirror has */
    half_way(s);
    sim_kill(s, 0);
    calm(s);
    placed(s, 1, "q", "1/-");
    assert_int_equal(count(s, 1, "q"), 7);
    end(s);
}

static bool synced_again(struct sim *s, void *arg)
{
    (void)arg;
    struct queue_info q;
    return sim_queue(s, 0, "q", &q) && q.mirrors_len == 2 && node_count(q.synced) == 2;
}

static void a_mirror_joins_while_publishers_run(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    sim_kill(s, 1);
    for (unsigned i = 0; i < 400; i++) {
        sim_publish(s, 2, "q", i % 2 == 0);
        sim_run(s, 1);
        if (i == 100)
            sim_start(s, 1);
    }
    assert_true(sim_until(s, synced_again, NULL, 10000));
    calm(s);
    assert_int_equal(held_by(s, 1, "q"), 400);
    uint64_t sub = sim_subscribe(s, 1, "q", 0, SIM_NO_ACK);
    calm(s);
    for (size_t i = 0; i < 400; i++)
        assert_int_equal(sim_delivery(s, sub, i)->message, i);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_returning_mirror_is_empty_and_gets_what_is_new),
        cmocka_unit_test(a_mirror_is_synchronised_by_draining),
        cmocka_unit_test(unacknowledged_messages_count),
        cmocka_unit_test(automatic_synchronises_at_once),
        cmocka_unit_test(a_mirror_that_comes_during_a_sync_is_synchronised_next),
        cmocka_unit_test(a_policy_that_becomes_automatic_synchronises),
        cmocka_unit_test(a_mirror_that_joins_during_a_sync_is_synchronised_too),
        cmocka_unit_test(syncing_what_is_synchronised_is_fine),
        cmocka_unit_test(a_cancelled_sync_leaves_the_queue_running_and_the_mirror_unsynchronised),
        cmocka_unit_test(while_it_syncs_a_queue_waits),
        cmocka_unit_test(a_master_that_dies_in_a_sync_takes_nothing_from_the_mirror),
        cmocka_unit_test(a_mirror_joins_while_publishers_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* story_promotion.c: who may take over when the mirrors are not synchronised: both ha-promote settings, and
 * the price of each (scenarios 6, 7 and 12 of docs/semantics.md). */
#include "story.h"

/* Two nodes, ten persistent messages on node 0; the mirror on node 1 has been restarted: it holds none of
 * them. */
static struct sim *unsynchronised(const char *more_policy)
{
    struct sim *s = world(2);
    char policy[200];
    snprintf(policy, sizeof(policy), "{\"ha-mode\":\"all\"%s}", more_policy);
    answers(sim_set_policy(s, 0, "ha", "^q", policy), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 10));
    placed(s, 0, "q", "0/1");
    restart(s, 1);
    placed(s, 0, "q", "0/(1)");
    assert_int_equal(held_by(s, 1, "q"), 0);
    return s;
}

#define POS_ALWAYS ",\"ha-promote-on-shutdown\":\"always\""
#define POF_SYNCED ",\"ha-promote-on-failure\":\"when-synced\""

static void a_stopped_queue_can_be_deleted_but_not_if_empty(void **state_)
{
    (void)state_;
    struct sim *s = unsynchronised("");
    sim_stop_wait(s, 0);
    calm(s);
    answers(sim_declare(s, 1, "q", SIM_DURABLE), ANSWER_STOPPED);
    answers(sim_delete(s, 1, "q", SIM_IF_EMPTY), ANSWER_NOT_EMPTY);
    answers(sim_delete(s, 1, "q", 0), ANSWER_OK);
    answers(sim_declare(s, 1, "q", SIM_PASSIVE), ANSWER_NOT_FOUND);
    sim_start(s, 0);
    calm(s);
    answers(sim_declare(s, 0, "q", SIM_PASSIVE), ANSWER_NOT_FOUND);
    end(s);
}

static void promoted_with_nothing(const char *policy, bool kill)
{
    struct sim *s = unsynchronised(policy);
    if (kill)
        sim_kill(s, 0);
    else
        sim_stop_wait(s, 0);
    calm(s);
    placed(s, 1, "q", "1/-");
    assert_int_equal(count(s, 1, "q"), 0);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(sim_message(s, i)->door, DOOR_L1);
    sim_start(s, 0); /* what its disk held is void */
    calm(s);
    assert_int_equal(count(s, 0, "q"), 0);
    assert_int_equal(held_by(s, 0, "q"), 0);
    end(s);
}

static void waits_for_its_master(const char *policy, bool kill)
{
    struct sim *s = unsynchronised(policy);
    if (kill)
        sim_kill(s, 0);
    else
        sim_stop_wait(s, 0);
    calm(s);
    answers(sim_declare(s, 1, "q", SIM_PASSIVE), kill ? ANSWER_DOWN : ANSWER_STOPPED);
    assert_int_equal(sim_publish(s, 1, "q", true), SIM_UNROUTABLE);
    sim_start(s, 0);
    calm(s);
    assert_int_equal(count(s, 1, "q"), 10);
    placed(s, 1, "q", "0/(1)");
    end(s);
}

static void killed_by_default_promotes_and_loses(void **state_)
{
    (void)state_;
    promoted_with_nothing("", true);
}

static void killed_with_pof_when_synced_waits(void **state_)
{
    (void)state_;
    waits_for_its_master(POF_SYNCED, true);
}

static void stopped_by_default_waits(void **state_)
{
    (void)state_;
    waits_for_its_master("", false);
}

static void stopped_with_pos_always_promotes_and_loses(void **state_)
{
    (void)state_;
    promoted_with_nothing(POS_ALWAYS, false);
}

static void pof_when_synced_overrides_pos_always(void **state_)
{
    (void)state_;
    waits_for_its_master(POS_ALWAYS POF_SYNCED, false);
}

static void the_oldest_mirror_is_chosen(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 3));
    calm(s);
    restart(s, 1); /* now node 2 is the older one */
    placed(s, 0, "q", "0/21");
    sim_kill(s, 0);
    calm(s);
    placed(s, 1, "q", "2/1");
    assert_int_equal(count(s, 1, "q"), 3);
    end(s);
}

/* nodes[A,B] and pos=always: A is restarted, then B. Without a sync between, B's copy is the only one. */
static bool both_are_mirrors(struct sim *s, void *arg)
{
    struct queue_info at[2];
    (void)arg;
    return sim_queue(s, 1, "q", &at[0]) && sim_queue(s, 2, "q", &at[1]) && at[0].replica && at[1].replica &&
           at[0].mirrors_len == 2 && at[1].mirrors_len == 2;
}

/* the other one of the two has taken over, and has a mirror in sync */
static bool follows_in_sync(struct sim *s, void *mirror)
{
    struct queue_info q;
    node_id n = *(node_id *)mirror;
    return sim_queue(s, n, "q", &q) && q.master == 3 - n && node_in(q.synced, n);
}

static bool publisher_serves(struct sim *s, void *arg)
{
    (void)arg;
    struct view_info v = mirror_view(sim_mirror(s, 3));
    return v.phase == PHASE_SERVING && !node_in(v.members, 0);
}

/* A publish that was on its way to the disk went with its master: the mirror that takes over never had it,
 * and refuses it. Before its publisher hears so that one dies, too, and the next master, which followed it in
 * sync, is offered the publish once more: it must not take it for one that is there. */
static void what_was_lost_stays_lost_for_the_next_master(void **state_)
{
    (void)state_;
    struct sim_options o;
    sim_options_defaults(&o);
    o.nodes = 4;
    o.disk_min_us = o.disk_max_us = 200000;
    struct sim *s = world_with(o, 15);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    uint32_t message = sim_publish(s, 3, "q", true);
    sim_run(s, 5);
    assert_int_equal(held_by(s, 0, "q"), 1);
    struct event ev = {
        .type = EV_SET_POLICY,
        .u.policy = {.name = "ha",
                     .pattern = "^q",
                     .definition = "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\",\"node3\"]}"}};
    assert_true(sim_ask(s, 1, &ev) > 0);
    assert_true(sim_until(s, both_are_mirrors, NULL, 180));
    assert_int_equal(held_by(s, 1, "q") + held_by(s, 2, "q"), 0);
    sim_kill(s, 0);
    assert_int_equal(sim_message(s, message)->fate, FATE_UNCONFIRMED);
    struct queue_info q;
    assert_true(sim_until(s, publisher_serves, NULL, 5000));
    assert_true(sim_queue(s, 3, "q", &q));
    node_id oldest = q.master, next = 3 - oldest;
    sim_clog(s, oldest, 3, 200);
    assert_true(sim_until(s, follows_in_sync, &next, 5000));
    sim_run(s, 50); /* the oldest has been offered it */
    sim_kill(s, oldest);
    assert_int_equal(sim_message(s, message)->fate, FATE_UNCONFIRMED);
    calm(s);
    assert_true(sim_queue(s, 3, "q", &q));
    assert_int_equal(q.master, next);
    assert_int_equal(sim_message(s, message)->fate, FATE_REFUSED);
    assert_int_equal(count(s, 3, "q"), 0);
    end(s);
}

static void rolling(bool sync, unsigned left)
{
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q",
                           "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\"]" POS_ALWAYS "}"),
            ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    assert_true(sim_publish_confirmed(s, 2, "q", true, 6));
    restart(s, 0);
    placed(s, 2, "q", "1/(0)");
    if (sync) {
        answers(sim_sync(s, 2, "q"), ANSWER_OK);
        calm(s);
        placed(s, 2, "q", "1/0");
    }
    restart(s, 1);
    assert_int_equal(count(s, 2, "q"), left);
    end(s);
}

static void a_rolling_restart_without_sync_loses_everything(void **state_)
{
    (void)state_;
    rolling(false, 0);
}

static void a_rolling_restart_with_sync_loses_nothing(void **state_)
{
    (void)state_;
    rolling(true, 6);
}

static void unacknowledged_messages_survive_a_rolling_restart(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q",
                           "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\"]" POS_ALWAYS "}"),
            ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    assert_true(sim_publish_confirmed(s, 2, "q", true, 6));
    uint64_t two = sim_subscribe(s, 2, "q", 2, 0);
    calm(s);
    assert_int_equal(sim_deliveries(s, two), 2);
    restart(s, 0);
    answers(sim_sync(s, 2, "q"), ANSWER_OK);
    calm(s);
    uint64_t three = sim_subscribe(s, 2, "q", 3, 0);
    calm(s);
    assert_int_equal(sim_deliveries(s, three), 3);
    restart(s, 1);
    sim_unsubscribe(s, two);
    sim_unsubscribe(s, three);
    calm(s);
    struct queue_info q;
    assert_true(sim_queue(s, 0, "q", &q));
    assert_int_equal(q.ready + q.unacked, 6);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stopped_queue_can_be_deleted_but_not_if_empty),
        cmocka_unit_test(killed_by_default_promotes_and_loses),
        cmocka_unit_test(killed_with_pof_when_synced_waits),
        cmocka_unit_test(stopped_by_default_waits),
        cmocka_unit_test(stopped_with_pos_always_promotes_and_loses),
        cmocka_unit_test(pof_when_synced_overrides_pos_always),
        cmocka_unit_test(the_oldest_mirror_is_chosen),
        cmocka_unit_test(what_was_lost_stays_lost_for_the_next_master),
        cmocka_unit_test(a_rolling_restart_without_sync_loses_everything),
        cmocka_unit_test(a_rolling_restart_with_sync_loses_nothing),
        cmocka_unit_test(unacknowledged_messages_survive_a_rolling_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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
        cmocka_unit_test(a_rolling_restart_without_sync_loses_everything),
        cmocka_unit_test(a_rolling_restart_with_sync_loses_nothing),
        cmocka_unit_test(unacknowledged_messages_survive_a_rolling_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

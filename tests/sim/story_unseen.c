/* story_unseen.c: what a master takes and gives up within one turn. Nobody sees it hold that; its mirrors,
 * who hear of the two one after the other, show it for a moment. All is as promised, and the checker knows
 * it. */
#include "story.h"

struct holding {
    node_id node;
    unsigned messages;
};

static bool holds(struct sim *s, void *arg)
{
    const struct holding *h = arg;
    return held_by(s, h->node, "q") == h->messages;
}

/* within 10 s */
static void comes_to_hold(struct sim *s, node_id n, unsigned messages)
{
    struct holding h = {n, messages};
    bool does = sim_until(s, holds, &h, 10000);
    kept(s);
    assert_true(does);
}

static bool node1_changes(struct sim *s, void *arg)
{
    (void)arg;
    return mirror_view(sim_mirror(s, 0)).phase == PHASE_CHANGING;
}

static uint64_t ask(struct sim *s, node_id n, enum event_type type)
{
    struct event ev = {.type = type, .u.queue = {.name = "q", .owner.node = NODE_NONE}};
    return sim_ask(s, n, &ev);
}

/* The publishes wait for the new view, and so do a sync, which sends what led to it first, and a purge. */
static void a_purge_takes_what_came_in_the_same_turn(void **state_)
{
    (void)state_;
    struct sim *s = world_of(3, 3);
    answers(sim_set_policy(s, 0, "ha", "^q", "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\"]}"),
            ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 2));
    calm(s);
    placed(s, 0, "q", "0/1");
    sim_start(s, 2);
    assert_true(sim_until(s, node1_changes, NULL, 10000));
    for (unsigned i = 0; i < 3; i++)
        assert_int_not_equal(sim_publish(s, 0, "q", true), SIM_UNROUTABLE);
    uint64_t sync = ask(s, 0, EV_SYNC), purge = ask(s, 0, EV_PURGE);
    comes_to_hold(s, 1, 5);                  /* the mirror has heard of the publishes alone, */
    assert_int_equal(held_by(s, 0, "q"), 0); /* and at its master they are gone already */
    comes_to_hold(s, 1, 0);
    calm(s);
    answers(*sim_answered(s, sync), ANSWER_OK);
    answers(*sim_answered(s, purge), ANSWER_OK);
    assert_int_equal(sim_answered(s, purge)->messages, 5);
    end(s);
}

/* node1 had node2's publish behind one of its own, and went before anybody heard of either. node2 takes it as
 * the queue's first, and deletes the queue in the same turn: it is confirmed, for the queue is gone. */
static void a_deleted_queue_took_what_was_lost_with_its_master(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", 0), ANSWER_OK);
    calm(s);
    placed(s, 1, "q", "0/12");
    sim_cut_one_way(s, 0, 1);
    sim_cut_one_way(s, 0, 2);
    assert_int_not_equal(sim_publish(s, 0, "q", false), SIM_UNROUTABLE);
    comes_to_hold(s, 0, 1);
    uint32_t again = sim_publish(s, 1, "q", false);
    comes_to_hold(s, 0, 2);
    msg_id before = sim_message(s, again)->id;
    sim_kill(s, 0);
    uint64_t gone = ask(s, 1, EV_DELETE);
    comes_to_hold(s, 2, 1);
    assert_int_equal(sim_message(s, again)->fate, FATE_CONFIRMED);
    assert_int_not_equal(sim_message(s, again)->id, before);
    struct queue_info q;
    assert_false(sim_queue(s, 1, "q", &q));
    sim_heal_all(s);
    calm(s);
    answers(*sim_answered(s, gone), ANSWER_OK);
    assert_false(sim_queue(s, 2, "q", &q));
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_purge_takes_what_came_in_the_same_turn),
        cmocka_unit_test(a_deleted_queue_took_what_was_lost_with_its_master),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

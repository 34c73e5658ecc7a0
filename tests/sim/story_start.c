/* story_start.c: all stop or are killed, and start again: who serves first, who waits for whom, who is
 * forced, and what stands in for a lost disk (scenario 18 of docs/semantics.md). */
#include "story.h"

static bool waits(struct sim *s, void *arg)
{
    const struct mirror *m = sim_mirror(s, *(node_id *)arg);
    if (!m)
        return false; /* not quite up */
    struct view_info v = mirror_view(m);
    return v.phase == PHASE_STARTING && v.waiting_for != 0;
}

static void the_last_to_stop_serves_first(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    policy(s, 0, ALL_AUTOMATIC);
    answers(sim_declare(s, 2, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 1, "q", true, 10));
    calm(s);
    for (node_id n = 3; n-- > 0;) { /* C, B, A */
        sim_stop_wait(s, n);
        calm(s);
        if (n == 1)
            assert_true(sim_publish_confirmed(s, 0, "q", true, 5)); /* only A has these */
    }

    node_id c = 2;
    sim_start(s, c);
    assert_true(sim_until(s, waits, &c, 10000));
    sim_run(s, 20000); /* however long it waits */
    assert_false(sim_serving(s, c));
    struct view_info v = mirror_view(sim_mirror(s, c));
    assert_true(node_in(v.waiting_for, 0)); /* and it says for whom */

    sim_start(s, 0);
    calm(s);
    assert_true(sim_serving(s, 0));
    assert_true(sim_serving(s, 2));
    assert_int_equal(count(s, 2, "q"), 15);
    sim_start(s, 1);
    calm(s);
    placed(s, 1, "q", "0/21");
    end(s);
}

/* node2 left when node1 ran, and node1 was killed when node3 ran: both wait for node3, and say so. */
static void who_waits_for_one_that_waits_says_for_whom(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    sim_stop_wait(s, 2);
    calm(s);
    sim_stop_wait(s, 1);
    calm(s);
    sim_start(s, 2);
    calm(s);
    sim_kill(s, 0);
    sim_kill(s, 2);
    for (node_id n = 0; n < 2; n++) {
        sim_start(s, n);
        assert_true(sim_until(s, waits, &n, 10000));
    }
    calm(s); /* they wait for one that is not there */
    for (node_id n = 0; n < 2; n++) {
        assert_false(sim_serving(s, n));
        assert_int_equal(mirror_view(sim_mirror(s, n)).waiting_for, node_bit(2));
    }
    sim_start(s, 2);
    calm(s);
    for (node_id n = 0; n < 3; n++)
        assert_true(sim_serving(s, n));
    end(s);
}

/* Three are stopped, C first, and only C comes back: it waits for ever, unless it is forced. What it knows is
 * the cluster then; what its queue's master has is there again once that is. */
static void a_forced_node_serves_without_those_it_would_wait_for(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    policy(s, 0, ALL_AUTOMATIC);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 10));
    calm(s);
    sim_stop_wait(s, 2);
    calm(s);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 5));
    answers(sim_declare(s, 0, "late", SIM_DURABLE), ANSWER_OK); /* C never hears of it */
    assert_true(sim_publish_confirmed(s, 0, "late", true, 3));
    calm(s);
    sim_stop_wait(s, 1);
    calm(s);
    sim_stop_wait(s, 0);

    node_id c = 2;
    sim_start(s, c);
    assert_true(sim_until(s, waits, &c, 10000));
    sim_force(s, c);
    sim_run(s, 20000);
    assert_false(sim_serving(s, c)); /* its next start is meant */
    sim_kill(s, c);
    sim_start(s, c);
    calm(s);
    assert_true(sim_serving(s, c));
    assert_int_equal(sim_count(s, SIM_FORCED), 1);
    struct queue_info q;
    assert_true(sim_queue(s, c, "q", &q));
    assert_int_equal(q.state, QUEUE_DOWN);
    answers(sim_declare(s, c, "new", SIM_DURABLE), ANSWER_OK);

    sim_start(s, 0);
    sim_start(s, 1);
    calm(s);
    for (node_id n = 0; n < 3; n++) {
        assert_true(sim_serving(s, n));
        assert_int_equal(count(s, n, "q"), 15);
        answers(sim_declare(s, n, "new", SIM_PASSIVE), ANSWER_OK);
        answers(sim_declare(s, n, "late", SIM_PASSIVE), ANSWER_NOT_FOUND);
    }
    assert_int_equal(sim_ledger(s)->lost[DOOR_L4], 3);
    sim_stop_wait(s, c); /* once is once: it waits for the others again */
    calm(s);
    sim_stop_wait(s, 1);
    calm(s);
    sim_stop_wait(s, 0);
    sim_start(s, c);
    assert_true(sim_until(s, waits, &c, 10000));
    end(s);
}

/* Where somebody serves a forced node joins like any other, and where all that it needs are there it is led
 * by whom the rules say. */
static void force_changes_nothing_where_nobody_is_missed(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    policy(s, 0, ALL_AUTOMATIC);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    sim_kill(s, 2);
    calm(s);
    answers(sim_declare(s, 0, "late", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "late", true, 3));
    sim_force(s, 2);
    sim_start(s, 2);
    calm(s);
    assert_int_equal(count(s, 2, "late"), 3);
    for (node_id n = 0; n < 3; n++)
        sim_kill(s, n);
    sim_force(s, 2);
    for (node_id n = 0; n < 3; n++)
        sim_start(s, n);
    calm(s);
    assert_int_equal(count(s, 2, "late"), 3);
    assert_int_equal(sim_ledger(s)->lost[DOOR_L4], 0);
    end(s);
}

static void the_last_to_stop_serves_alone(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    policy(s, 0, ALL_AUTOMATIC);
    answers(sim_declare(s, 2, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 1, "q", true, 10));
    calm(s);
    for (node_id n = 3; n-- > 0;) {
        sim_stop_wait(s, n);
        calm(s);
    }
    sim_start(s, 0);
    calm(s);
    assert_true(sim_serving(s, 0));
    assert_int_equal(count(s, 0, "q"), 10);
    end(s);
}

static void all_killed_at_once_come_back_with_everything_persistent(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    policy(s, 0, ALL_AUTOMATIC);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    answers(sim_declare(s, 1, "t", 0), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 1, "q", true, 10));
    assert_true(sim_publish_confirmed(s, 1, "q", false, 10));
    for (node_id n = 0; n < 3; n++)
        sim_kill(s, n);
    sim_start(s, 2);
    sim_run(s, 5000);
    assert_false(sim_serving(s, 2)); /* the others were running, too */
    sim_start(s, 1);
    sim_start(s, 0);
    calm(s);
    for (node_id n = 0; n < 3; n++) {
        assert_true(sim_serving(s, n));
        assert_int_equal(count(s, n, "q"), 10);
        answers(sim_declare(s, n, "t", SIM_PASSIVE), ANSWER_NOT_FOUND);
    }
    end(s);
}

static void kill_all_and_lose_the_disk_of(struct sim *s, node_id n)
{
    calm(s);
    for (node_id i = 0; i < 3; i++)
        sim_kill(s, i);
    sim_lose_disk(s, n);
    assert_int_equal(sim_count(s, SIM_DISKS_LOST), 1);
    for (node_id i = 3; i-- > 0;)
        sim_start(s, i);
    calm(s);
}

static void the_oldest_synchronised_copy_stands_in_for_a_lost_disk(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    policy(s, 0, ALL_AUTOMATIC);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    answers(sim_declare(s, 1, "q-other", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 2, "q", true, 5));
    assert_true(sim_publish_confirmed(s, 2, "q-other", true, 5));
    placed(s, 0, "q", "0/12");
    kill_all_and_lose_the_disk_of(s, 0);
    placed(s, 2, "q", "1/20");       /* node2's is the older copy */
    placed(s, 2, "q-other", "1/20"); /* its own node is there */
    for (node_id n = 0; n < 3; n++) {
        assert_int_equal(held_by(s, n, "q"), 5);
        assert_int_equal(held_by(s, n, "q-other"), 5);
    }
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(sim_get(s, 0, "q", SIM_NO_ACK).message, i);
    end(s);
}

static void a_copy_that_is_not_in_sync_does_not_stand_in_for_a_lost_disk(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    policy(s, 0, ALL_MANUAL);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 5));
    restart(s, 1);
    restart(s, 2);
    placed(s, 0, "q", "0/(12)");
    assert_true(sim_publish_confirmed(s, 0, "q", true, 1)); /* they have this one */
    kill_all_and_lose_the_disk_of(s, 0);
    placed(s, 0, "q", "0/12");
    assert_int_equal(count(s, 0, "q"), 0);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(sim_message(s, i)->door, DOOR_L4);
    end(s);
}

/* It holds no message, and is a copy all the same. */
static void an_empty_queue_outlives_a_lost_disk(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    policy(s, 0, ALL_AUTOMATIC);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    answers(sim_declare(s, 0, "single", SIM_DURABLE), ANSWER_OK);
    kill_all_and_lose_the_disk_of(s, 0);
    placed(s, 0, "q", "1/20");
    placed(s, 0, "single", "0/-");
    assert_true(sim_publish_confirmed(s, 0, "q", true, 1));
    assert_true(sim_publish_confirmed(s, 0, "single", true, 1));
    /* once more, and it is another disk: the queue is the new master's now */
    for (node_id i = 0; i < 3; i++)
        sim_kill(s, i);
    for (node_id i = 0; i < 3; i++)
        sim_start(s, i);
    calm(s);
    placed(s, 0, "q", "1/20");
    assert_int_equal(count(s, 0, "q"), 1);
    end(s);
}

static void the_disk_of_a_mirror_is_lost_and_nothing_else(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    policy(s, 0, ALL_AUTOMATIC);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 5));
    kill_all_and_lose_the_disk_of(s, 1);
    placed(s, 0, "q", "0/12");
    for (node_id n = 0; n < 3; n++)
        assert_int_equal(held_by(s, n, "q"), 5);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_to_stop_serves_first),
        cmocka_unit_test(who_waits_for_one_that_waits_says_for_whom),
        cmocka_unit_test(a_forced_node_serves_without_those_it_would_wait_for),
        cmocka_unit_test(force_changes_nothing_where_nobody_is_missed),
        cmocka_unit_test(the_last_to_stop_serves_alone),
        cmocka_unit_test(all_killed_at_once_come_back_with_everything_persistent),
        cmocka_unit_test(the_oldest_synchronised_copy_stands_in_for_a_lost_disk),
        cmocka_unit_test(a_copy_that_is_not_in_sync_does_not_stand_in_for_a_lost_disk),
        cmocka_unit_test(an_empty_queue_outlives_a_lost_disk),
        cmocka_unit_test(the_disk_of_a_mirror_is_lost_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

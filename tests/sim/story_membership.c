/* story_membership.c: nodes are forgotten, reset and taken in again: who knows whom, and what becomes of the
 * queues (scenario 3 of docs/semantics.md). */
#include "story.h"

static bool knows(struct sim *s, node_id who, node_id n)
{
    return node_in(mirror_view(sim_mirror(s, who)).known, n);
}

/* What only the forgotten node had is lost through the operator's door; the rest is on the others. */
static void a_node_that_is_forgotten_comes_again_as_a_new_one(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    policy(s, 0, ALL_AUTOMATIC);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    answers(sim_declare(s, 2, "only2", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 10));
    assert_true(sim_publish_confirmed(s, 2, "only2", true, 5));
    calm(s);
    sim_forget(s, 2); /* it runs: nothing happens */
    calm(s);
    assert_true(knows(s, 0, 2));
    sim_stop_wait(s, 2);
    calm(s);
    answers(sim_declare(s, 0, "only2", SIM_PASSIVE), ANSWER_STOPPED);
    sim_forget(s, 2);
    calm(s);
    assert_false(knows(s, 0, 2) || knows(s, 1, 2));
    answers(sim_declare(s, 0, "only2", SIM_PASSIVE), ANSWER_NOT_FOUND);
    placed(s, 1, "q", "0/1");
    sim_reset(s, 2);
    sim_start(s, 2);
    calm(s);
    assert_true(knows(s, 0, 2) && knows(s, 1, 2));
    answers(sim_declare(s, 2, "only2", SIM_PASSIVE), ANSWER_NOT_FOUND);
    placed(s, 2, "q", "0/12");
    assert_int_equal(held_by(s, 2, "q"), 10);
    end(s);
}

static bool taken_in(struct sim *s, void *arg)
{
    (void)arg;
    struct view_info v = sim_running(s, 1) ? mirror_view(sim_mirror(s, 1)) : (struct view_info){0};
    return v.phase == PHASE_CHANGING && node_in(v.members, 1);
}

/* It was emptied and taken in again, and both were killed before they served so. The other one may have lost
 * that view with its disk's last writes, and still knows it as removed: its past is a later one all the same.
 */
static void a_forgotten_node_that_was_taken_in_is_no_stranger(void **state_)
{
    (void)state_;
    unsigned lost = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_options o;
        sim_options_defaults(&o);
        o.nodes = 2;
        o.seed = seed;
        struct sim *s = world_with(o, 3);
        sim_stop_wait(s, 1);
        calm(s);
        sim_forget(s, 1);
        calm(s);
        sim_reset(s, 1);
        sim_start(s, 1);
        assert_true(sim_until(s, taken_in, NULL, 10000));
        sim_kill(s, 0);
        sim_run(s, 50); /* its log has the view */
        sim_kill(s, 1);
        sim_start(s, 0);
        sim_run(s, 3000);
        lost += mirror_view(sim_mirror(s, 0)).phase == PHASE_SERVING && !knows(s, 0, 1);
        sim_start(s, 1);
        calm(s);
        assert_true(knows(s, 0, 1) && knows(s, 1, 0));
        end(s);
    }
    assert_in_range(lost, 1, 20); /* the view was lost, and so it was tried */
}

/* The cluster's first node, emptied, finds the others running before it begins a cluster of its own. */
static void the_first_node_that_is_reset_begins_no_second_cluster(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    policy(s, 0, ALL_AUTOMATIC);
    answers(sim_declare(s, 1, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 1, "q", true, 10));
    sim_stop_wait(s, 0);
    calm(s);
    sim_forget(s, 0);
    calm(s);
    assert_false(knows(s, 1, 0));
    sim_reset(s, 0);
    sim_start(s, 0);
    calm(s);
    assert_true(knows(s, 0, 1) && knows(s, 1, 0));
    assert_int_equal(node_count(mirror_view(sim_mirror(s, 0)).members), 3);
    placed(s, 0, "q", "1/20");
    end(s);
}

static bool both_serve(struct sim *s, void *arg)
{
    (void)arg;
    return sim_serving(s, 1) && sim_serving(s, 2);
}

/* All are killed at once, and node1 never returns. Forgotten by node2 while nobody runs, it is waited for no
 * more: its mirrored queue goes on with all it had, what only it held is gone. */
static void a_node_that_never_returns_is_forgotten_by_one_that_is_off(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    policy(s, 0, ALL_AUTOMATIC);
    answers(sim_declare(s, 0, "q_mirrored", SIM_DURABLE), ANSWER_OK);
    answers(sim_declare(s, 0, "alone", SIM_DURABLE), ANSWER_OK);
    answers(sim_declare(s, 1, "second", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 2, "q_mirrored", true, 20));
    assert_true(sim_publish_confirmed(s, 2, "second", true, 5));
    calm(s);
    placed(s, 1, "q_mirrored", "0/12");
    for (node_id n = 0; n < 3; n++)
        sim_kill(s, n);
    sim_start(s, 1);
    sim_start(s, 2);
    sim_run(s, 5000);
    assert_int_equal(mirror_view(sim_mirror(s, 1)).waiting_for, node_bit(0)); /* without it they wait */
    sim_kill(s, 1);
    sim_kill(s, 2);
    sim_forget_offline(s, 1, 0);
    sim_start(s, 1);
    sim_run(s, 5000);
    assert_int_equal(mirror_view(sim_mirror(s, 1)).waiting_for, node_bit(2)); /* which was not forgotten */
    sim_kill(s, 1); /* what it was told is in its log */
    sim_start(s, 1);
    sim_start(s, 2);
    assert_true(sim_until(s, both_serve, NULL, 20000));
    calm(s);
    placed(s, 2, "q_mirrored", "1/2");
    assert_int_equal(count(s, 2, "q_mirrored"), 20);
    assert_int_equal(count(s, 2, "second"), 5);
    answers(sim_declare(s, 2, "alone", SIM_PASSIVE), ANSWER_NOT_FOUND);
    assert_false(knows(s, 1, 0) || knows(s, 2, 0));
    sim_start(s, 0); /* it does return: it is told so, and gives up; then somebody resets it */
    calm(s);
    assert_int_equal(sim_count(s, SIM_RESETS), 1);
    placed(s, 0, "q_mirrored", "1/20");
    assert_int_equal(count(s, 0, "q_mirrored"), 20);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_that_is_forgotten_comes_again_as_a_new_one),
        cmocka_unit_test(a_forgotten_node_that_was_taken_in_is_no_stranger),
        cmocka_unit_test(the_first_node_that_is_reset_begins_no_second_cluster),
        cmocka_unit_test(a_node_that_never_returns_is_forgotten_by_one_that_is_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

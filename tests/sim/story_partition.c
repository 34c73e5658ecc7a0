/* story_partition.c: a cluster that is cut in two (scenario 17 of docs/semantics.md), at moments that seeds
 * seldom meet. */
#include "story.h"

#define EVERYBODY (node_set)15

/* all are in a view of all four, and none of them serves in it yet */
static bool installed_everywhere(struct sim *s, void *arg)
{
    (void)arg;
    for (node_id n = 0; n < 4; n++) {
        struct view_info v = sim_running(s, n) ? mirror_view(sim_mirror(s, n)) : (struct view_info){0};
        if (v.phase != PHASE_CHANGING || v.members != EVERYBODY)
            return false;
    }
    return true;
}

/* The first view after a start is made without asking how many there are: whoever left last may come alone.
 * Once it is installed, half of it is a minority as it is of any other. */
static void no_half_serves_before_the_first_view_does(void **state_)
{
    (void)state_;
    struct sim_options o;
    sim_options_defaults(&o);
    o.nodes = 4;
    o.partition_handling = PARTITION_PAUSE_MINORITY;
    struct sim *s = world_with(o, EVERYBODY);
    for (node_id n = 0; n < 4; n++)
        sim_kill(s, n);
    for (node_id n = 0; n < 4; n++)
        sim_start(s, n);
    assert_true(sim_until(s, installed_everywhere, NULL, 10000));
    sim_cut_off(s, node_bit(2) | node_bit(3), true);
    for (unsigned i = 0; i < 100; i++) {
        sim_run(s, 50);
        for (node_id n = 0; n < 4; n++)
            assert_false(sim_serving(s, n));
    }
    sim_heal_all(s);
    calm(s);
    for (node_id n = 0; n < 4; n++)
        assert_int_equal(mirror_view(sim_mirror(s, n)).members, EVERYBODY);
    end(s);
}

static bool third_is_told(struct sim *s, void *arg)
{
    (void)arg;
    return mirror_view(sim_mirror(s, 2)).members == (node_bit(0) | node_bit(1) | node_bit(2));
}

static bool two_go_on(struct sim *s, void *arg)
{
    (void)arg;
    node_set two = node_bit(1) | node_bit(2);
    return sim_serving(s, 1) && sim_serving(s, 2) && mirror_view(sim_mirror(s, 1)).members == two &&
           mirror_view(sim_mirror(s, 2)).members == two;
}

/* node1 leaves out node4, which has lost node3, and dies when node3 has heard of that and node2 has not.
 * node2 leads the old view and counts on both: node4, whom node3 has left out, must say so. */
static void who_was_left_out_tells_a_candidate_that_has_not_heard(void **state_)
{
    (void)state_;
    struct sim *s = world_of(4, EVERYBODY);
    sim_clog(s, 0, 1, 20000);
    sim_cut_now(s, 3, 2);
    sim_run(s, 1);
    sim_heal(s, 3, 2);
    assert_true(sim_until(s, third_is_told, NULL, 10000));
    assert_int_equal(mirror_view(sim_mirror(s, 1)).members, EVERYBODY);
    sim_kill(s, 0);
    assert_true(sim_until(s, two_go_on, NULL, 10000));
    sim_start(s, 0);
    sim_run(s, 5000);
    sim_kill(s, 3);
    sim_start(s, 3);
    calm(s);
    for (node_id n = 0; n < 4; n++)
        assert_int_equal(mirror_view(sim_mirror(s, n)).members, EVERYBODY);
    end(s);
}

static bool two_go_on_without_the_third(struct sim *s)
{
    node_set two = node_bit(0) | node_bit(1);
    return sim_serving(s, 1) && mirror_view(sim_mirror(s, 1)).members == two &&
           mirror_view(sim_mirror(s, 1)).phase == PHASE_SERVING;
}

/* A delivery to a consumer of node3 waits for node3's mirror, which waits for metadata of node1. node1 does
 * not hear node3 any more and leaves it out; node2 can send the delivery now, and node3, which has heard of
 * nothing yet, would take it: it would hand the message out again on its own side, and not know it. */
static void what_waited_for_a_node_that_is_left_out_stays(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 1, "ha", "^q$", ALL_MANUAL), ANSWER_OK);
    answers(sim_declare(s, 1, "q", 0), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 1, "q", false, 1));
    calm(s);
    placed(s, 0, "q", "1/20");
    sim_cut_one_way(s, 2, 0);
    sim_clog(s, 0, 2, 100);
    struct event ev = {
        .type = EV_SET_POLICY,
        .u.policy = {.name = "other", .pattern = "^other$", .definition = ALL_MANUAL}}; /* metadata */
    sim_ask(s, 0, &ev);
    sim_run(s, 20);
    uint64_t sub = sim_subscribe(s, 2, "q", 0, 0);
    for (unsigned i = 0; i < 100 && !two_go_on_without_the_third(s); i++) {
        assert_int_equal(sim_deliveries(s, sub), 0);
        sim_clog(s, 0, 2, 100);
        sim_run(s, 10);
    }
    assert_true(two_go_on_without_the_third(s));
    sim_run(s, 20);
    assert_int_equal(sim_deliveries(s, sub), 0);
    sim_run(s, 5000);
    assert_int_equal(sim_deliveries(s, sub), 1); /* by the master of its own side */
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_half_serves_before_the_first_view_does),
        cmocka_unit_test(who_was_left_out_tells_a_candidate_that_has_not_heard),
        cmocka_unit_test(what_waited_for_a_node_that_is_left_out_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

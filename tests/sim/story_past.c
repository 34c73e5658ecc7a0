/* story_past.c: whose past rules when all start together, where a view was on some disks and never served. */
#include "story.h"

static bool first_and_third_have_installed(struct sim *s, void *arg)
{
    (void)arg;
    for (node_id n = 0; n < 3; n += 2) {
        struct view_info v = mirror_view(sim_mirror(s, n));
        if (v.phase != PHASE_CHANGING || v.members != (node_bit(0) | node_bit(2)))
            return false;
    }
    return true;
}

static bool first_changes(struct sim *s, void *arg)
{
    (void)arg;
    return mirror_view(sim_mirror(s, 0)).phase == PHASE_CHANGING;
}

/* node1 alone takes in node2, which dies, then node3. Both are killed before that view is served: node3 may
 * have it on its disk and node1 not. node1 goes on alone, with a higher number than that view has, for it has
 * promised so: when all start together, what node1 has done since counts, not what nobody was served in. */
static void a_view_that_was_never_served_outranks_nobody(void **state_)
{
    (void)state_;
    unsigned alone = 0; /* node1 came back without that view: else it waits for node3 */
    for (uint64_t seed = 25; seed <= 42; seed++) {
        struct sim_options o;
        sim_options_defaults(&o);
        o.seed = seed;
        o.disk_min_us = 200;
        o.disk_max_us = 30000;
        struct sim *s = world_with(o, 7);
        sim_stop_wait(s, 1);
        sim_stop_wait(s, 2);
        calm(s);
        answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
        assert_true(sim_publish_confirmed(s, 0, "q", true, 5));
        sim_slow(s, 0, 1, 200, 1000);
        sim_start(s, 1);
        assert_true(sim_until(s, first_changes, NULL, 5000));
        sim_start(s, 2);
        sim_run(s, 20);
        sim_kill(s, 1);
        assert_true(sim_until(s, first_and_third_have_installed, NULL, 5000));
        sim_run(s, 6 + seed % 8);
        uint64_t unserved = mirror_view(sim_mirror(s, 0)).epoch;
        bool served = sim_serving(s, 2);
        sim_kill(s, 0);
        sim_kill(s, 2);
        sim_start(s, 0);
        sim_run(s, 3000);
        if (!served && sim_serving(s, 0)) { /* else it waits for node3 */
            alone++;
            assert_true(mirror_view(sim_mirror(s, 0)).epoch > unserved);
            answers(sim_declare(s, 0, "since", SIM_DURABLE), ANSWER_OK);
            assert_true(sim_publish_confirmed(s, 0, "since", true, 5));
        }
        bool declared = !served && sim_serving(s, 0);
        sim_kill(s, 0);
        for (node_id n = 0; n < 3; n++)
            sim_start(s, n);
        calm(s);
        if (declared)
            assert_int_equal(count(s, 2, "since"), 5);
        assert_int_equal(count(s, 2, "q"), 5);
        end(s);
    }
    assert_true(alone >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_that_was_never_served_outranks_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

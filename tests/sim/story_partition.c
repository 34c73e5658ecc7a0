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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_half_serves_before_the_first_view_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

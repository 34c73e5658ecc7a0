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

/* node1 leaves out node4, which it has lost, and dies when node3 has heard of that and node2 has not. node2
 * leads the old view and counts on both: node4, whom node3 has left out, must say so, for no link of theirs
 * was lost. False: node2 has heard first, and all of them live. */
static bool node2_has_not_heard(uint64_t seed)
{
    struct sim_options o;
    sim_options_defaults(&o);
    o.nodes = 4;
    o.seed = seed;
    struct sim *s = world_with(o, EVERYBODY);
    sim_cut_now(s, 0, 3);
    sim_run(s, 1);
    sim_heal(s, 0, 3);
    assert_true(sim_until(s, third_is_told, NULL, 10000));
    bool so = mirror_view(sim_mirror(s, 1)).members == EVERYBODY;
    if (so) {
        sim_kill(s, 0);
        assert_true(sim_until(s, two_go_on, NULL, 10000));
        sim_kill(s, 3); /* it serves alone: who starts must not join it */
        sim_start(s, 0);
        sim_run(s, 5000);
        sim_start(s, 3);
        calm(s);
        for (node_id n = 0; n < 4; n++)
            assert_int_equal(mirror_view(sim_mirror(s, n)).members, EVERYBODY);
    }
    end(s);
    return so;
}

static void who_was_left_out_tells_a_candidate_that_has_not_heard(void **state_)
{
    (void)state_;
    unsigned times = 0;
    for (uint64_t seed = 1; seed <= 40; seed++)
        times += node2_has_not_heard(seed);
    assert_in_range(times, 5, 40);
}

static bool the_youngest_serves(struct sim *s, void *arg)
{
    (void)arg;
    return sim_serving(s, 2);
}

static bool the_older_two_go_on(struct sim *s, void *arg)
{
    (void)arg;
    for (node_id n = 0; n < 2; n++)
        if (!sim_serving(s, n) || mirror_view(sim_mirror(s, n)).members != (node_set)3)
            return false;
    return true;
}

/* node2 and node3 lose each other in the moment in which node3 serves for the first time and does not know
 * yet that node1, the oldest, serves: so it leads, and reports to nobody. Its PREPARE leaves out node2, and
 * waits at node1; node2 has told node1 what it has lost. node1 leads once it takes the one for the other
 * end's report. */
static void a_prepare_that_waits_is_a_report(void **state_)
{
    (void)state_;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_options o;
        sim_options_defaults(&o);
        o.nodes = 3;
        o.seed = seed;
        o.link_min_us = 50;
        o.link_max_us = 20000;
        o.partition_handling = PARTITION_PAUSE_MINORITY;
        struct sim *s = world_with(o, 7);
        for (node_id n = 0; n < 3; n++)
            sim_kill(s, n);
        for (node_id n = 0; n < 3; n++)
            sim_start(s, n);
        assert_true(sim_until(s, the_youngest_serves, NULL, 10000));
        assert_int_equal(mirror_view(sim_mirror(s, 2)).coordinator, 0);
        sim_cut_now(s, 1, 2);
        if (!sim_until(s, the_older_two_go_on, NULL, 10000))
            fail_msg("seed %llu: nobody leads", (unsigned long long)seed);
        sim_heal_all(s);
        calm(s);
        assert_int_equal(mirror_view(sim_mirror(s, 0)).members, 7);
        end(s);
    }
}

static bool lists_the_dead(struct sim *s, void *arg)
{
    node_id dead = *(node_id *)arg;
    for (node_id n = 0; n < sim_nodes(s); n++)
        if (sim_running(s, n) && node_in(mirror_view(sim_mirror(s, n)).partitioned, dead))
            return true;
    return false;
}

/* node3 is killed. node1 knows at once, and node2 is in the new view before its own link to node3 has ended:
 * that is no partition. */
static void who_was_killed_is_not_listed(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    node_id dead = 2;
    sim_slow(s, 1, 2, 5000, 10000);
    sim_kill(s, dead);
    assert_true(sim_until(s, the_older_two_go_on, NULL, 200)); /* much sooner than that link ends */
    assert_false(sim_until(s, lists_the_dead, &dead, 10000));
    calm(s);
    end(s);
}

static bool all_list(struct sim *s, void *arg)
{
    (void)arg;
    return mirror_view(sim_mirror(s, 0)).partitioned == node_bit(2) &&
           mirror_view(sim_mirror(s, 1)).partitioned == node_bit(2) &&
           mirror_view(sim_mirror(s, 2)).partitioned == (node_bit(0) | node_bit(1));
}

/* Nor is one that was listed, and is killed then; who cannot be reached says that he lives when he can. */
static void who_was_listed_and_is_killed_is_not_any_more(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    node_id other = 2;
    sim_cut_off(s, node_bit(other), true);
    sim_run(s, 1000);
    assert_false(lists_the_dead(s, &other));
    sim_heal_all(s);
    assert_true(sim_until(s, all_list, NULL, 10000));
    sim_cut_off(s, node_bit(other), true);
    sim_run(s, 1000);
    assert_false(lists_the_dead(s, &other));
    sim_heal_all(s);
    assert_true(sim_until(s, all_list, NULL, 10000));
    sim_kill(s, other);
    calm(s);
    assert_false(lists_the_dead(s, &other));
    sim_start(s, other);
    calm(s);
    assert_int_equal(mirror_view(sim_mirror(s, 0)).members, 7);
    end(s);
}

#define ON_NODE2 "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node2\"],\"ha-sync-mode\":\"automatic\"}"
#define ON_BOTH  "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node2\",\"node1\"]}"

struct place {
    node_id asked;
    const char *wanted;
};

static bool is_placed(struct sim *s, void *arg)
{
    const struct place *p = arg;
    return sim_serving(s, p->asked) && strcmp(sim_placement(s, p->asked, "q"), p->wanted) == 0;
}

static void will_be_placed(struct sim *s, node_id asked, const char *wanted)
{
    struct place p = {asked, wanted};
    if (!sim_until(s, is_placed, &p, 5000))
        fail_msg("node %u: %s, not %s; %s", asked, sim_placement(s, asked, "q"), wanted,
                 sim_failure(s) ? sim_failure(s) : "no promise broke");
}

static bool is_down(struct sim *s, void *arg)
{
    (void)arg;
    struct queue_info q;
    return mirror_view(sim_mirror(s, 0)).phase == PHASE_SERVING && sim_queue(s, 0, "q", &q) &&
           q.state == QUEUE_DOWN;
}

/* node1 hands q over to node2, and is a mirror until that one serves; later the policy makes it a mirror
 * again, and node2 dies before it has begun it. So there is nobody to promote, whatever node2 does meanwhile
 * on the other side of a partition, before node1 hears of that death. */
static void a_mirror_that_never_began_is_not_promoted(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    sim_cut_off(s, node_bit(2), true);
    will_be_placed(s, 2, "2/-");
    will_be_placed(s, 0, "0/1");
    answers(sim_set_policy(s, 0, "ha", "^q", ON_NODE2), ANSWER_OK);
    will_be_placed(s, 0, "1/-");
    sim_run(s, 1000);
    sim_heal(s, 1, 2);
    sim_run(s, 1000);
    struct event ev = {.type = EV_SET_POLICY,
                       .u.policy = {.name = "ha", .pattern = "^q", .definition = ON_BOTH}};
    assert_true(sim_ask(s, 0, &ev) > 0);
    sim_slow(s, 0, 1, 20000, 60000);
    will_be_placed(s, 0, "1/(0)");
    sim_kill(s, 1);
    sim_start(s, 1);
    will_be_placed(s, 2, "2/1");
    answers(sim_set_policy(s, 2, "ha", "^q", ON_NODE2), ANSWER_OK);
    will_be_placed(s, 2, "1/-");
    placed(s, 0, "q", "1/(0)");
    bool down = sim_until(s, is_down, NULL, 60000);
    kept(s);
    assert_true(down);
    end(s);
}

static bool node3_has_promised(struct sim *s, void *arg)
{
    (void)arg;
    return mirror_view(sim_mirror(s, 2)).phase == PHASE_CHANGING;
}

static bool node3_is_without_node2(struct sim *s, void *arg)
{
    (void)arg;
    return mirror_view(sim_mirror(s, 2)).members == (node_bit(0) | node_bit(2));
}

static bool node2_serves_alone(struct sim *s, void *arg)
{
    (void)arg;
    return sim_serving(s, 1) && mirror_view(sim_mirror(s, 1)).members == node_bit(1);
}

/* node2, a master, gives a message to a consumer on node3, who does not acknowledge, and is left out of the
 * view before its mirrors know. In its own view nobody else has to know, but the others have the message:
 * that consumer gets it from the master of its own side, and not from node2 as well. */
static void a_master_hands_out_within_its_view_only(void **state_)
{
    (void)state_;
    struct sim_options o;
    sim_options_defaults(&o);
    o.nodes = 3;
    o.partition_handling = PARTITION_IGNORE;
    struct sim *s = world_with(o, 7);
    answers(sim_set_policy(s, 0, "ha", "^q", ALL_AUTOMATIC), ANSWER_OK);
    answers(sim_declare(s, 1, "q", SIM_DURABLE), ANSWER_OK);
    uint64_t holder = sim_subscribe(s, 1, "q", 1, 0);
    assert_true(sim_publish_confirmed(s, 1, "q", true, 1));
    uint64_t sub = sim_subscribe(s, 2, "q", 0, SIM_NO_ACK);
    calm(s);
    placed(s, 2, "q", "1/20");
    assert_int_equal(sim_deliveries(s, holder), 1);
    assert_int_equal(sim_deliveries(s, sub), 0);

    sim_cut_one_way(s, 1, 0);
    assert_true(sim_until(s, node3_has_promised, NULL, 5000));
    assert_false(node3_is_without_node2(s, NULL));
    sim_settle(s, holder, 0, SETTLE_REQUEUE); /* it is the other one's turn */
    assert_true(sim_until(s, node3_is_without_node2, NULL, 1000));
    sim_clog(s, 0, 2, o.silence_ms / 2); /* node3 does not serve before node2 does */
    assert_true(sim_until(s, node2_serves_alone, NULL, o.silence_ms / 2));
    assert_int_equal(mirror_view(sim_mirror(s, 2)).phase, PHASE_CHANGING);
    sim_run(s, 2000);
    assert_true(sim_serving(s, 2));
    placed(s, 2, "q", "2/0");
    assert_int_equal(sim_deliveries(s, sub), 1);
    assert_int_equal(sim_delivery(s, sub, 0)->generation, 2);
    assert_true(sim_delivery(s, sub, 0)->redelivered);
    assert_int_equal(sim_deliveries(s, holder), 1);
    sim_heal_all(s);
    sim_run(s, 1000);
    sim_kill(s, 1);
    sim_start(s, 1);
    calm(s);
    end(s);
}

static bool node1_serves_with_node2(struct sim *s, void *arg)
{
    (void)arg;
    return sim_serving(s, 0) && mirror_view(sim_mirror(s, 0)).members == (node_bit(0) | node_bit(1));
}

static bool node3_serves_alone(struct sim *s, void *arg)
{
    (void)arg;
    return sim_serving(s, 2) && mirror_view(sim_mirror(s, 2)).members == node_bit(2);
}

/* node1 and node3 are the losing side. node1 begins again and is the queue's master on the other side by the
 * time that node3, which did not hear of that, loses it: what node3 has is discarded with its side. */
static void a_losing_side_is_discarded_bit_by_bit(void **state_)
{
    (void)state_;
    struct sim_options o;
    sim_options_defaults(&o);
    o.nodes = 3;
    o.partition_handling = PARTITION_AUTOHEAL;
    struct sim *s = world_with(o, 7);
    answers(sim_set_policy(s, 0, "ha", "^q",
                           "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node3\"],"
                           "\"ha-promote-on-failure\":\"when-synced\"}"),
            ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 1));
    sim_kill(s, 2);
    sim_start(s, 2);
    calm(s);
    placed(s, 0, "q", "0/(2)");
    sim_more_clients(s, 1, 10);
    sim_cut_now(s, 0, 1);
    sim_run(s, 100);
    assert_int_equal(mirror_view(sim_mirror(s, 0)).members, node_bit(0) | node_bit(2));
    uint32_t message = sim_publish(s, 0, "q", false);
    sim_run(s, 100);
    assert_int_equal(sim_message(s, message)->fate, FATE_CONFIRMED);
    assert_int_equal(sim_message(s, message)->memory, node_bit(0) | node_bit(2));

    sim_cut(s, 0, 2); /* nobody notices for now */
    sim_heal(s, 0, 1);
    assert_true(sim_until(s, node1_serves_with_node2, NULL, o.silence_ms / 2));
    assert_int_equal(mirror_view(sim_mirror(s, 2)).members, node_bit(0) | node_bit(2));
    placed(s, 0, "q", "0/-");
    assert_int_equal(sim_message(s, message)->memory, node_bit(2));
    sim_heal(s, 0, 2);
    assert_true(sim_until(s, node3_serves_alone, NULL, o.silence_ms));
    assert_int_equal(sim_message(s, message)->memory, 0);
    assert_int_equal(sim_message(s, message)->door, DOOR_L3);
    calm(s);
    placed(s, 2, "q", "0/(2)");
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

static bool third_and_fourth_are_one(struct sim *s, void *arg)
{
    (void)arg;
    node_set two = node_bit(2) | node_bit(3);
    return sim_serving(s, 2) && sim_serving(s, 3) && (mirror_view(sim_mirror(s, 2)).members & two) == two &&
           (mirror_view(sim_mirror(s, 3)).members & two) == two;
}

/* node3 and node4 reach each other, and are on two sides; what keeps them from healing is that node1, on the
 * side of node2 with one of them, does not reach all. When node2 is gone nothing does. */
static void sides_meet_when_who_kept_them_apart_is_gone(void **state_)
{
    (void)state_;
    struct sim_options o;
    sim_options_defaults(&o);
    o.nodes = 4;
    o.partition_handling = PARTITION_AUTOHEAL;
    struct sim *s = world_with(o, EVERYBODY);
    sim_cut_one_way(s, 2, 0);
    sim_run(s, 5000);
    sim_cut_one_way(s, 0, 3);
    sim_run(s, 5000);
    assert_false(third_and_fourth_are_one(s, NULL));
    sim_kill(s, 1);
    assert_true(sim_until(s, third_and_fourth_are_one, NULL, 10000));
    sim_heal_all(s);
    sim_start(s, 1);
    calm(s);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_losing_side_is_discarded_bit_by_bit),
        cmocka_unit_test(a_master_hands_out_within_its_view_only),
        cmocka_unit_test(no_half_serves_before_the_first_view_does),
        cmocka_unit_test(who_was_left_out_tells_a_candidate_that_has_not_heard),
        cmocka_unit_test(sides_meet_when_who_kept_them_apart_is_gone),
        cmocka_unit_test(a_prepare_that_waits_is_a_report),
        cmocka_unit_test(a_mirror_that_never_began_is_not_promoted),
        cmocka_unit_test(who_was_killed_is_not_listed),
        cmocka_unit_test(who_was_listed_and_is_killed_is_not_any_more),
        cmocka_unit_test(what_waited_for_a_node_that_is_left_out_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

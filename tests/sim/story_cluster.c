/* story_cluster.c: the cluster as a whole: policies move mirrors about, nodes join, all stop and start again
 * (scenarios 2, 3, 5 and 18 of docs/semantics.md). */
#include "story.h"

static void policy(struct sim *s, node_id n, const char *definition)
{
    answers(sim_set_policy(s, n, "ha", "^q", definition), ANSWER_OK);
    calm(s);
}

#define NODES(list) "{\"ha-mode\":\"nodes\",\"ha-params\":[" list "]}"

static void policies_change_where_a_queue_is(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    placed(s, 1, "q", "0/-");
    policy(s, 1, ALL_MANUAL);
    placed(s, 1, "q", "0/12");
    policy(s, 2, NODES("\"node1\",\"node2\""));
    placed(s, 1, "q", "0/1");
    policy(s, 0, NODES("\"node1\",\"node3\""));
    placed(s, 1, "q", "0/2");
    answers(sim_clear_policy(s, 1, "ha"), ANSWER_OK);
    calm(s);
    placed(s, 1, "q", "0/-");
    policy(s, 0, NODES("\"node2\",\"node3\""));
    placed(s, 0, "q", "1/2");
    end(s);
}

static void exactly_4_takes_in_a_node_that_joins(void **state_)
{
    (void)state_;
    struct sim *s = world_of(5, 7);
    policy(s, 0, "{\"ha-mode\":\"exactly\",\"ha-params\":4,\"ha-sync-mode\":\"automatic\"}");
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    placed(s, 0, "q", "0/12");
    sim_start(s, 3);
    calm(s);
    placed(s, 3, "q", "0/123");
    sim_start(s, 4);
    calm(s);
    placed(s, 4, "q", "0/123");
    sim_stop_wait(s, 3);
    calm(s);
    placed(s, 4, "q", "0/124");
    end(s);
}

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

static void a_queue_moves_to_a_synchronised_mirror_only(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    policy(s, 0, ALL_AUTOMATIC);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 100));
    calm(s);
    policy(s, 0, NODES("\"node2\""));
    placed(s, 0, "q", "1/-");
    assert_int_equal(count(s, 0, "q"), 100);
    policy(s, 0, NODES("\"node2\",\"node3\""));
    placed(s, 0, "q", "1/(2)");
    policy(s, 0, NODES("\"node3\"")); /* the one that is listed holds nothing: stay */
    placed(s, 0, "q", "1/(2)");
    assert_int_equal(count(s, 2, "q"), 100);
    answers(sim_sync(s, 0, "q"), ANSWER_OK);
    calm(s);
    placed(s, 0, "q", "2/-");
    assert_int_equal(count(s, 0, "q"), 100);
    end(s);
}

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

static void a_bad_policy_changes_nothing(void **state_)
{
    (void)state_;
    struct sim *s = world(3);
    policy(s, 0, ALL_MANUAL);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    answers(sim_set_policy(s, 1, "ha", "^q", "{\"ha-mode\":\"exactly\",\"ha-params\":\"2\"}"),
            ANSWER_INVALID);
    answers(sim_set_policy(s, 1, "ha", "^q(", ALL_MANUAL), ANSWER_INVALID);
    answers(sim_clear_policy(s, 1, "nosuch"), ANSWER_NOT_FOUND);
    calm(s);
    placed(s, 1, "q", "0/12");
    end(s);
}

/* ---- what nodes tell of it: every change once, by one node ---- */

static void keep_told(void *arg, const char *line)
{
    const char *event = strstr(line, "      * ");
    if (event == line)
        text_printf(arg, "%s\n", line);
}

static unsigned times(const struct text *told, const char *part)
{
    unsigned n = 0;
    for (const char *at = told->s; at && (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

static void what_policies_do_is_told_once(void **state_)
{
    (void)state_;
    enum { QUEUES = 12 };
    static const char all3[] = "{\"ha-mode\":\"exactly\",\"ha-params\":3}";
    struct text told = {0};
    struct sim_options o;
    sim_options_defaults(&o);
    o.trace = keep_told;
    o.trace_arg = &told;
    struct sim *s = world_with(o, 7);
    for (node_id i = 0; i < QUEUES; i++) { /* masters on all nodes */
        char name[] = {'q', (char)('a' + i), 0};
        answers(sim_declare(s, i % 3, name, SIM_DURABLE), ANSWER_OK);
    }
    sim_clog(s, 1, 2,
             100); /* what the coordinator says of node2's queues is at node3 before node2's own word */
    policy(s, 1, all3);
    assert_int_equal(times(&told, "* policy - ha set on ^q: {\"ha-mode\""), 1);
    assert_int_equal(times(&told, " added, empty"), 2 * QUEUES);
    assert_int_equal(times(&told, " in sync"), 2 * QUEUES);
    text_clear(&told);
    policy(s, 0, all3); /* it is so already */
    answers(sim_declare(s, 2, "q-born", SIM_DURABLE), ANSWER_OK);
    calm(s);
    assert_int_equal(times(&told, "\n"), 5); /* nothing of the policy; of the queue: */
    assert_int_equal(times(&told, "* queue q-born queue q-born declared on node3\n"), 1);
    for (node_id n = 0; n < 2; n++) {
        char *added = format_text("* mirror q-born mirror of q-born on node%u added, empty\n", n + 1);
        char *in_sync = format_text("* mirror q-born q-born on node%u in sync\n", n + 1);
        assert_int_equal(times(&told, added), 1);
        assert_int_equal(times(&told, in_sync), 1);
        free(added);
        free(in_sync);
    }
    policy(s, 2, ALL_MANUAL);
    assert_int_equal(times(&told, "* policy - ha changed on ^q: {\"ha-mode\":\"all\"}"), 1);
    answers(sim_clear_policy(s, 1, "ha"), ANSWER_OK);
    calm(s);
    assert_int_equal(times(&told, "* policy - ha cleared"), 1);
    assert_int_equal(times(&told, " removed"), 2 * QUEUES + 2);
    text_finish(&told);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_change_where_a_queue_is),
        cmocka_unit_test(what_policies_do_is_told_once),
        cmocka_unit_test(exactly_4_takes_in_a_node_that_joins),
        cmocka_unit_test(a_node_that_is_forgotten_comes_again_as_a_new_one),
        cmocka_unit_test(a_forgotten_node_that_was_taken_in_is_no_stranger),
        cmocka_unit_test(the_first_node_that_is_reset_begins_no_second_cluster),
        cmocka_unit_test(a_node_that_never_returns_is_forgotten_by_one_that_is_off),
        cmocka_unit_test(a_queue_moves_to_a_synchronised_mirror_only),
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
        cmocka_unit_test(a_bad_policy_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

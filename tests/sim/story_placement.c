/* story_placement.c: policies move mirrors and masters about, and what nodes tell of it: every change once,
 * by one node (scenarios 2, 3 and 5 of docs/semantics.md). */
#include "story.h"

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
        cmocka_unit_test(a_queue_moves_to_a_synchronised_mirror_only),
        cmocka_unit_test(a_bad_policy_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

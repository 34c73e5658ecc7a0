/* scenario_placement.c: where a queue's master and mirrors go, as policies and nodes change. */
#include "tests/cluster/scenario.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static struct lab lab;
static struct text out;

static int setup(void **state)
{
    (void)state;
    return test_lab_up(&lab, 3);
}

static int teardown(void **state)
{
    (void)state;
    text_finish(&out);
    return test_lab_down(&lab);
}

/* ---- 2 ------------------------------------------------------------------------------------------------- */

struct place {
    unsigned master, mirrors;
};

struct change {
    const char *definition; /* NULL: the policy is cleared */
    struct place before, after;
    unsigned may_lead, may_mirror; /* bits: what may be seen on the way */
};

struct watching {
    const struct change *change;
    bool arrived;
    struct place seen;
};

/* Looks until the place is reached; what is seen before is one of the places that lie on the way. */
static bool on_the_way(const struct queue_facts *f, void *arg)
{
    struct watching *w = arg;
    const struct change *c = w->change;
    w->seen = (struct place){f->master, f->mirror_bits};
    if (strcmp(f->state, "syncing") != 0 && strcmp(f->state, "running") != 0)
        return false;
    if (!(c->may_lead >> f->master & 1) || (f->mirror_bits & ~c->may_mirror) ||
        f->mirror_bits >> f->master & 1)
        fail_msg("on the way to master node%u, mirrors %x: master node%u, mirrors %x", c->after.master,
                 c->after.mirrors, f->master, f->mirror_bits);
    return f->master == c->after.master && f->mirror_bits == c->after.mirrors;
}

static void a_queue_follows_its_policy(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"{\"ha-mode\":\"all\"}", {1, 0}, {1, ON(2) | ON(3)}, ON(1), ON(2) | ON(3)},
        {"{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1@localhost\",\"node2@localhost\"]}",
         {1, ON(2) | ON(3)},
         {1, ON(2)},
         ON(1),
         ON(2) | ON(3)},
        {"{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1@localhost\",\"node3@localhost\"]}",
         {1, ON(2)},
         {1, ON(3)},
         ON(1),
         ON(2) | ON(3)},
        {NULL, {1, ON(3)}, {1, 0}, ON(1), ON(3)},
        {"{\"ha-mode\":\"nodes\",\"ha-params\":[\"node2@localhost\",\"node3@localhost\"]}",
         {1, 0},
         {2, ON(3)},
         ON(1) | ON(2),
         ON(1) | ON(2) | ON(3)},
    };
    declare(&lab, 1, "placed");
    assert_placed(&lab, 1, "placed", 1, 0, 0);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        const struct change *c = &changes[i];
        assert_placed(&lab, 2, "placed", c->before.master, c->before.mirrors, ANY);
        if (c->definition)
            set_policy(&lab, 1, "placed", c->definition);
        else
            clear_policy(&lab, 1, "placed");
        struct watching w = {.change = c};
        assert_queue(&lab, 2, "placed", "arrived", on_the_way, &w);
    }
}

/* ---- 5 ------------------------------------------------------------------------------------------------- */

static void the_master_moves_only_to_a_synchronised_mirror(void **state)
{
    (void)state;
    enum { MESSAGES = 100000 };
    declare(&lab, 1, "moving");
    publish(&lab, 1, "moving", 1, MESSAGES, false);
    set_policy(&lab, 1, "moving", "{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}");
    assert_placed(&lab, 1, "moving", 1, ON(2) | ON(3), ON(2) | ON(3));

    set_policy(&lab, 1, "moving", "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node3@localhost\"]}");
    assert_placed(&lab, 2, "moving", 3, 0, 0);
    assert_count(&lab, 2, "moving", MESSAGES);

    /* node1 gets a mirror, empty: node3 stays master */
    set_policy(&lab, 1, "moving",
               "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1@localhost\",\"node3@localhost\"]}");
    assert_placed(&lab, 2, "moving", 3, ON(1), 0);
    /* also if only the mirror is listed: it would be the only copy */
    set_policy(&lab, 1, "moving", "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1@localhost\"]}");
    assert_placed(&lab, 2, "moving", 3, ON(1), 0);
    clear_policy(&lab, 1, "moving");
    assert_placed(&lab, 2, "moving", 3, 0, 0);
    assert_holds(&lab, 2, "moving", 1, MESSAGES);
}

/* Who takes the last messages makes the mirror equal to the master; the master moves with deliveries under
 * way. */
static void what_is_on_its_way_moves_too(void **state)
{
    (void)state;
    declare(&lab, 1, "draining");
    publish(&lab, 1, "draining", 1, 20000, false);
    set_policy(&lab, 1, "draining", "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node3@localhost\"]}");
    assert_placed(&lab, 2, "draining", 1, ON(3), 0);
    assert_holds(&lab, 2, "draining", 1, 20000);
    assert_placed(&lab, 2, "draining", 3, 0, 0);
}

/* ---- policies from everywhere ---------------------------------------------------------------------------
 */

struct setter {
    pthread_t thread;
    unsigned node;
    int wrong;      /* an answer that was not wanted */
    unsigned looks; /* between two changes, that saw the queue being copied */
};

/* In a thread of its own: without assertions. */
static void *set_one_after_another(void *arg)
{
    static const char *const definitions[] = {
        "{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\",\"ha-sync-batch-size\":10}",
        "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node2\"]}",
        "{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\",\"ha-sync-batch-size\":10}",
        "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node3\"]}",
    };
    struct setter *s = arg;
    for (unsigned i = 0; i < 6 * ARRAY_LEN(definitions) && !s->wrong; i++) {
        char *body = format_text("{\"pattern\":\"^contested$\",\"apply-to\":\"queues\",\"definition\":%s}",
                                 definitions[(i + s->node) % ARRAY_LEN(definitions)]);
        int status =
            http_ask(lab_http(&lab, s->node), "PUT", "/api/policies/%2F/contested", body, 30000, NULL);
        s->wrong = status == 201 || status == 204 ? 0 : status + 1000;
        struct queue_facts f;
        s->looks += lab_facts(&lab, s->node, "contested", &f) && strcmp(f.state, "syncing") == 0;
        free(body);
    }
    return NULL;
}

static bool on_2_and_3_in_sync(const struct queue_facts *f, void *arg)
{
    (void)arg;
    return is_running(f, NULL) && (ON(f->master) | f->mirror_bits) == (ON(2) | ON(3)) &&
           f->synced_bits == f->mirror_bits;
}

/* Three nodes are told different things, again and again, while the queue is being copied: the last word
 * counts, and every message is there. */
static void policies_from_all_nodes_at_once_lose_nothing(void **state)
{
    (void)state;
    enum { MESSAGES = 60000 };
    struct setter setters[3] = {{.node = 1}, {.node = 2}, {.node = 3}};
    if (!test_on_kit())
        skip(); /* RabbitMQ's queue hung for good: docs/semantics.md */
    declare(&lab, 1, "contested");
    publish(&lab, 1, "contested", 1, MESSAGES, false);
    set_policy(&lab, 1, "contested", "{\"ha-mode\":\"all\"}");
    assert_placed(&lab, 1, "contested", 1, ON(2) | ON(3), 0); /* mirrored, and there is something to copy */
    for (size_t i = 0; i < ARRAY_LEN(setters); i++)
        assert_int_equal(pthread_create(&setters[i].thread, NULL, set_one_after_another, &setters[i]), 0);
    for (size_t i = 0; i < ARRAY_LEN(setters); i++)
        pthread_join(setters[i].thread, NULL);
    unsigned copying = 0;
    for (size_t i = 0; i < ARRAY_LEN(setters); i++) {
        if (setters[i].wrong)
            fail_msg("node%u answered %d", setters[i].node, setters[i].wrong - 1000);
        copying += setters[i].looks;
    }
    print_message("%u looks between changes saw a copy under way\n", copying);
    assert_true(copying > 0);
    set_policy(&lab, 2, "contested",
               "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node2\",\"node3\"],\"ha-sync-mode\":\"automatic\"}");
    for (unsigned node = 1; node <= 3; node++)
        assert_queue(&lab, node, "contested", "on node2 and node3, in sync", on_2_and_3_in_sync, NULL);
    assert_holds(&lab, 3, "contested", 1, MESSAGES);
}

static void there_are_no_operator_policies(void **state)
{
    (void)state;
    if (!test_on_kit())
        skip(); /* RabbitMQ has them */
    static const char one[] = "/api/operator-policies/%2F/one";
    static const char body[] = "{\"pattern\":\"^q$\",\"definition\":{\"max-length\":1}}";
    assert_int_equal(http_ask(lab_http(&lab, 1), "PUT", one, body, 30000, NULL), 404);
    assert_int_equal(http_ask(lab_http(&lab, 1), "GET", "/api/operator-policies", NULL, 30000, &out), 200);
    assert_string_equal(text_str(&out), "[]");
}

/* ---- 16 ------------------------------------------------------------------------------------------------ */

static void declare_many(unsigned node, const char *name, unsigned count)
{
    struct user u = {0};
    assert_user(user_open(&u, &lab, node), &u);
    for (unsigned i = 0; i < count; i++) {
        char queue[32];
        snprintf(queue, sizeof(queue), "%s_%u", name, i);
        assert_user(user_declare(&u, queue, USER_DURABLE, NULL), &u);
    }
    user_drop(&u);
}

/* Masters per node, as node1 lists them. */
static bool masters_are(void *arg)
{
    unsigned *wanted = arg, found[4] = {0};
    json_t *list = http_json(lab_http(&lab, 1), "/api/queues/%2F"), *q;
    size_t i;
    json_array_foreach(list, i, q)
    {
        unsigned node = node_number(json_string_value(json_object_get(q, "node")));
        found[node <= 3 ? node : 0]++;
    }
    json_decref(list);
    return memcmp(found + 1, wanted + 1, 3 * sizeof(found[0])) == 0;
}

static void delete_all(void)
{
    struct user u = {0};
    json_t *list = http_json(lab_http(&lab, 1), "/api/queues/%2F"), *q;
    size_t i;
    assert_user(user_open(&u, &lab, 1), &u);
    json_array_foreach(list, i, q)
        assert_user(user_delete(&u, json_string_value(json_object_get(q, "name")), false, NULL), &u);
    json_decref(list);
    user_drop(&u);
}

static void min_masters_takes_the_node_with_the_fewest(void **state)
{
    (void)state;
    delete_all();
    declare_many(1, "many", 15);
    declare_many(2, "some", 8);
    declare_many(3, "few", 1);
    assert_true(wait_until(masters_are, (unsigned[]){0, 15, 8, 1}, 30000)); /* first: it is so */

    struct user u = {0};
    assert_user(user_open(&u, &lab, 1) && user_declare_with(&u, "located", USER_DURABLE,
                                                            "x-queue-master-locator", "min-masters", NULL),
                &u);
    assert_placed(&lab, 1, "located", 3, 0, 0);
    set_policy(&lab, 2, "located_by_policy", "{\"queue-master-locator\":\"min-masters\"}");
    assert_user(user_declare(&u, "located_by_policy", USER_DURABLE, NULL), &u);
    assert_placed(&lab, 1, "located_by_policy", 3, 0, 0);
    user_drop(&u);
    delete_all();
}

/* random: each of the nodes that run comes up sooner or later, none that does not. */
static void a_random_locator_takes_any_node_that_runs(void **state)
{
    (void)state;
    enum { QUEUES = 60 }; /* that one of three nodes is never taken: once in 10 thousand million runs */
    struct user u = {0};
    unsigned seen = 0;
    assert_user(user_open(&u, &lab, 1), &u);
    for (unsigned i = 0; i < QUEUES; i++) {
        char name[32];
        snprintf(name, sizeof(name), "random%u", i);
        assert_user(user_declare_with(&u, name, USER_DURABLE, "x-queue-master-locator", "random", NULL), &u);
        struct queue_facts f = assert_queue(&lab, 1, name, "running", is_running, NULL);
        seen |= ON(f.master);
        assert_user(user_delete(&u, name, false, NULL), &u);
    }
    assert_int_equal(seen, ON(1) | ON(2) | ON(3));
    stop_node(&lab, 3);
    for (unsigned i = 0; i < 10; i++) {
        assert_user(user_declare_with(&u, "random", USER_DURABLE, "x-queue-master-locator", "random", NULL),
                    &u);
        struct queue_facts f = assert_queue(&lab, 1, "random", "running", is_running, NULL);
        assert_true(f.master == 1 || f.master == 2);
        assert_user(user_delete(&u, "random", false, NULL), &u);
    }
    user_drop(&u);
    start_node(&lab, 3);
}

/* ---- auto-delete ---- */

static bool is_gone(void *queue)
{
    for (unsigned node = 1; node <= lab.nodes; node++) {
        json_t *q = lab_running(&lab, node, node) == 1 ? lab_queue(&lab, node, queue) : NULL;
        json_decref(q);
        if (q)
            return false;
    }
    return true;
}

static void assert_gone(const char *queue)
{
    char *name = xstrdup(queue);
    if (!wait_until(is_gone, name, 60000))
        fail_msg("%s is still there", queue);
    free(name);
}

/* Its last consumer was connected to the node that goes: so does the queue, wherever its master is. One whose
 * consumer is elsewhere stays, with a mirror that takes over. */
static void an_auto_delete_queue_goes_with_its_last_consumers_node(void **state)
{
    (void)state;
    struct user stays = {0}, goes = {0};
    struct user_news news;
    set_policy(&lab, 1, "left", "{\"ha-mode\":\"all\"}");
    set_policy(&lab, 1, "kept", "{\"ha-mode\":\"all\"}");
    assert_user(user_open(&stays, &lab, 1) &&
                    user_declare(&stays, "left", USER_DURABLE | USER_AUTO_DELETE, NULL),
                &stays);
    assert_user(user_open(&goes, &lab, 3) &&
                    user_declare(&goes, "kept", USER_DURABLE | USER_AUTO_DELETE, NULL),
                &goes);
    assert_placed(&lab, 2, "left", 1, ON(2) | ON(3), ON(2) | ON(3));
    assert_placed(&lab, 2, "kept", 3, ON(1) | ON(2), ON(1) | ON(2));
    assert_user(user_consume(&goes, (struct user_consumer){.queue = "left"}), &goes);
    assert_user(user_consume(&stays, (struct user_consumer){.queue = "kept"}), &stays);
    assert_user(user_confirms(&goes) && user_publish(&goes, "left", "1", true, false) &&
                    user_await(&goes, USER_DELIVERY, USER_WAIT_MS, &news),
                &goes);
    kill_node(&lab, 3);
    user_drop(&goes);
    assert_gone("left");
    struct queue_facts f = assert_queue(&lab, 2, "kept", "running", is_running, NULL);
    assert_true(f.master == 1 || f.master == 2);
    publish(&lab, 2, "kept", 1, 1, true);
    assert_user(user_await(&stays, USER_DELIVERY, USER_WAIT_MS, &news), &stays);
    user_drop(&stays);
    revive_node(&lab, 3);
}

static bool has_gone_to(const struct queue_facts *f, void *arg)
{
    return is_running(f, NULL) && f->master != *(unsigned *)arg;
}

static void assert_gets_one(struct user *u, const char *queue)
{
    struct user_news news;
    publish(&lab, 2, queue, 1, 1, true);
    assert_user(user_await(u, USER_DELIVERY, USER_WAIT_MS, &news), u);
}

/* Its master goes. The new one knows the consumers that are left, and goes with the last of them. That the
 * last one went with the old master nobody tells it after a crash: the queue stays until it was consumed
 * again. A node that is stopped sends its clients away first. */
static void mirrored_auto_delete(bool stopped)
{
    static const char *const kill[] = {"here_k", "there_k", "both_k"}, *const stop[] = {"here_s", "there_s",
                                                                                        "both_s"};
    const char *const *name = stopped ? stop : kill;
    struct user here = {0}, there = {0}, one = {0}, other = {0}, again = {0};
    unsigned master = 1;
    assert_user(user_open(&here, &lab, 3) && user_open(&there, &lab, 1) && user_open(&one, &lab, 1) &&
                    user_open(&other, &lab, 3),
                &here);
    for (size_t i = 0; i < 3; i++) {
        set_policy(&lab, 1, name[i], "{\"ha-mode\":\"all\"}");
        assert_user(user_declare(&one, name[i], USER_DURABLE | USER_AUTO_DELETE, NULL), &one);
        assert_placed(&lab, 2, name[i], master, ON(2) | ON(3), ON(2) | ON(3));
    }
    assert_user(user_consume(&here, (struct user_consumer){.queue = name[0]}), &here);
    assert_user(user_consume(&there, (struct user_consumer){.queue = name[1]}), &there);
    assert_user(user_consume(&one, (struct user_consumer){.queue = name[2]}), &one);
    assert_user(user_consume(&other, (struct user_consumer){.queue = name[2]}), &other);
    (stopped ? stop_node : kill_node)(&lab, master);
    user_drop(&there);
    user_drop(&one);

    assert_queue(&lab, 2, name[0], "another master", has_gone_to, &master);
    assert_gets_one(&here, name[0]);
    user_drop(&here);
    assert_gone(name[0]);

    assert_queue(&lab, 2, name[2], "another master", has_gone_to, &master);
    assert_gets_one(&other, name[2]);
    user_drop(&other);
    assert_gone(name[2]);

    if (!stopped) {
        assert_queue(&lab, 2, name[1], "another master", has_gone_to, &master);
        assert_user(user_open(&again, &lab, 2) &&
                        user_consume(&again, (struct user_consumer){.queue = name[1]}),
                    &again);
        user_drop(&again);
    }
    assert_gone(name[1]);
    (stopped ? start_node : revive_node)(&lab, master);
    for (size_t i = 0; i < 3; i++)
        assert_gone(name[i]);
}

static void an_auto_delete_queue_follows_a_crash(void **state)
{
    (void)state;
    mirrored_auto_delete(false);
}

static void an_auto_delete_queue_follows_a_stop(void **state)
{
    (void)state;
    mirrored_auto_delete(true);
}

static void wrong_params_are_refused_and_change_nothing(void **state)
{
    (void)state;
    int code = LABCTL(&lab, &out, "-n", "node1", "set_policy", "wrong", "^wrong",
                      "{\"ha-mode\":\"exactly\",\"ha-params\":\"2\"}");
    assert_true(code != 0);
    assert_says(&out, "Validation failed\n\nha-mode=\"exactly\" takes an integer, <<\"2\">> given\n");
    assert_code(LABCTL(&lab, &out, "-n", "node1", "list_policies"), 0, &out);
    if (strstr(text_str(&out), "wrong"))
        fail_msg("it is listed: %s", text_str(&out));
}

/* ---- 3 ------------------------------------------------------------------------------------------------- */

static bool has_three_mirrors(const struct queue_facts *f, void *arg)
{
    (void)arg;
    return is_running(f, NULL) && f->mirrors == 3;
}

/* Five nodes are configured, two of them stopped: to a running cluster of three they are new. */
static void exactly_4_takes_the_nodes_that_come(void **state)
{
    (void)state;
    struct lab five;
    if (!test_on_kit())
        skip(); /* five Erlang nodes are too much for a small machine */
    assert_int_equal(test_lab_up(&five, 5), 0);
    *state = &five;
    stop_node(&five, 4);
    stop_node(&five, 5);
    set_policy(&five, 1, "four", "{\"ha-mode\":\"exactly\",\"ha-params\":4}");
    declare(&five, 1, "four");
    assert_placed(&five, 1, "four", 1, ON(2) | ON(3), ANY);
    start_node(&five, 4);
    start_node(&five, 5);
    struct queue_facts f = assert_queue(&five, 1, "four", "three mirrors", has_three_mirrors, NULL);
    unsigned came = f.mirror_bits & ON(4) ? 4 : 5;
    assert_int_equal(f.mirror_bits, ON(2) | ON(3) | ON(came));
    stop_node(&five, came);
    assert_placed(&five, 1, "four", 1, ON(2) | ON(3) | ON(9 - came), ANY);
    assert_int_equal(test_lab_down(&five), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_queue_follows_its_policy, setup, NULL),
        cmocka_unit_test(the_master_moves_only_to_a_synchronised_mirror),
        cmocka_unit_test(what_is_on_its_way_moves_too),
        cmocka_unit_test(policies_from_all_nodes_at_once_lose_nothing),
        cmocka_unit_test(there_are_no_operator_policies),
        cmocka_unit_test(min_masters_takes_the_node_with_the_fewest),
        cmocka_unit_test(a_random_locator_takes_any_node_that_runs),
        cmocka_unit_test(an_auto_delete_queue_goes_with_its_last_consumers_node),
        cmocka_unit_test(an_auto_delete_queue_follows_a_crash),
        cmocka_unit_test(an_auto_delete_queue_follows_a_stop),
        cmocka_unit_test_setup_teardown(wrong_params_are_refused_and_change_nothing, NULL, teardown),
        cmocka_unit_test(exactly_4_takes_the_nodes_that_come),
    };
    return cmocka_run_group_tests_name("placement", tests, NULL, NULL);
}

/* scenario_promotion.c: who may take over when the master stops or dies, and what is there then. A is node1,
 * B is node2; node3 holds nothing and is asked. */
#include "tests/cluster/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { A = 1, B = 2, C = 3 };

/* queue Q is mirrored from A to B, never synchronised unless somebody asks for it */
#define ON_A_AND_B "\"ha-mode\":\"nodes\",\"ha-params\":[\"node1@localhost\",\"node2@localhost\"]"

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

/* Ten persistent messages on A, and an empty mirror on B. */
static void ten_and_an_empty_mirror(const char *queue, const char *definition)
{
    declare(&lab, A, queue);
    publish(&lab, A, queue, 1, 10, true);
    set_policy(&lab, A, queue, definition);
    assert_placed(&lab, C, queue, A, ON(B), 0);
}

/* The kit says at once why; RabbitMQ says something vague after 67 s (docs/semantics.md). */
static void assert_waits_for_a(const char *queue, bool stopped)
{
    char *text = stopped ? text_stopped(queue) : text_down(queue, A);
    if (test_on_kit()) {
        assert_refused(&lab, B, queue, text);
        assert_get_refused(&lab, B, queue, text);
        assert_consume_refused(&lab, B, queue, text);
    }
    assert_declare_refused(&lab, B, queue, test_on_kit() ? text : NULL);
    free(text);
}

/* ---- 6 ------------------------------------------------------------------------------------------------- */

/* A queue's end is told once, by its master or, where that is away, by one of those who decide it. */
static void assert_told_once(const char *text)
{
    unsigned tellers = 0;
    for (unsigned node = B; node <= C; node++) {
        assert_code(LABCTL(&lab, &out, "-n", node == B ? "node2" : "node3", "events"), 0, &out);
        tellers += strstr(text_str(&out), text) != NULL;
    }
    assert_int_equal(tellers, 1);
}

/* The table of bindings is every node's (RabbitMQ lists those of a queue that is away only when it is back).
 */
static void assert_bindings_listed(const char *queue)
{
    char *path = format_text("/api/queues/%%2F/%s/bindings", queue);
    json_t *bindings = http_json(lab_http(&lab, B), path);
    size_t count = json_array_size(bindings);
    json_decref(bindings);
    free(path);
    assert_int_equal(count, 1); /* the default exchange's */
}

static void an_empty_mirror_waits_and_can_be_deleted(void **state)
{
    (void)state;
    static const char *const queues[] = {"waits", "deleted", "not_empty"};
    for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
        set_policy(&lab, A, queues[i], "{" ON_A_AND_B "}");
        declare(&lab, A, queues[i]);
        assert_placed(&lab, C, queues[i], A, ON(B), ON(B));
        publish(&lab, A, queues[i], 1, 10, true);
    }
    restart_node(&lab, B);
    for (size_t i = 0; i < ARRAY_LEN(queues); i++)
        assert_placed(&lab, C, queues[i], A, ON(B), 0); /* B's copy began anew */
    stop_node(&lab, A);

    assert_waits_for_a("waits", true);
    struct user u = {0};
    assert_user(user_open(&u, &lab, B), &u);
    assert_user(user_delete(&u, "deleted", false, NULL), &u);
    if (test_on_kit()) {
        assert_told_once("queue deleted deleted");
        assert_bindings_listed("waits");
    }
    assert_false(user_delete(&u, "not_empty", true, NULL));
    assert_string_equal(u.error, "406 PRECONDITION_FAILED - queue 'not_empty' in vhost '/' not empty");
    user_drop(&u);

    start_node(&lab, A);
    assert_state(&lab, B, "waits", "running");
    assert_holds(&lab, B, "waits", 1, 10);
    assert_state(&lab, B, "not_empty", "running");
    assert_holds(&lab, B, "not_empty", 1, 10);
    assert_refused(&lab, B, "deleted", "404 NOT_FOUND - no queue 'deleted' in vhost '/'");
}

/* ---- 7 ------------------------------------------------------------------------------------------------- */

static void killed_without_a_synchronised_mirror(void **state)
{
    (void)state;
    ten_and_an_empty_mirror("killed_always", "{" ON_A_AND_B "}"); /* the default */
    ten_and_an_empty_mirror("killed_synced", "{" ON_A_AND_B ",\"ha-promote-on-failure\":\"when-synced\"}");
    kill_node(&lab, A);
    assert_placed(&lab, C, "killed_always", B, 0, 0);
    assert_count(&lab, C, "killed_always", 0); /* the price of the default */
    assert_waits_for_a("killed_synced", false);
    revive_node(&lab, A);
    assert_placed(&lab, C, "killed_always", B, ON(A), ANY);
    assert_count(&lab, C, "killed_always", 0);
    assert_state(&lab, C, "killed_synced", "running");
    assert_holds(&lab, C, "killed_synced", 1, 10);
}

static void stopped_without_a_synchronised_mirror(void **state)
{
    (void)state;
    ten_and_an_empty_mirror("stopped_default", "{" ON_A_AND_B "}");
    ten_and_an_empty_mirror("stopped_always", "{" ON_A_AND_B ",\"ha-promote-on-shutdown\":\"always\"}");
    ten_and_an_empty_mirror("stopped_both", "{" ON_A_AND_B ",\"ha-promote-on-shutdown\":\"always\","
                                            "\"ha-promote-on-failure\":\"when-synced\"}");
    stop_node(&lab, A);
    assert_placed(&lab, C, "stopped_always", B, 0, 0);
    assert_count(&lab, C, "stopped_always", 0);
    assert_waits_for_a("stopped_default", true);
    assert_waits_for_a("stopped_both", true);
    start_node(&lab, A);
    assert_state(&lab, C, "stopped_default", "running");
    assert_state(&lab, C, "stopped_both", "running");
    assert_holds(&lab, C, "stopped_default", 1, 10);
    assert_holds(&lab, C, "stopped_both", 1, 10);
    assert_count(&lab, C, "stopped_always", 0);
}

/* ---- 8 ------------------------------------------------------------------------------------------------- */

static void a_confirmed_message_survives_its_master_at_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < (test_on_kit() ? 5 : 1); i++) {
        char *queue = format_text("at_once_%u", i);
        set_policy(&lab, A, queue, "{" ON_A_AND_B "}");
        declare(&lab, A, queue);
        assert_placed(&lab, A, queue, A, ON(B), ON(B));
        publish(&lab, A, queue, 1, 1, true);
        kill_node(&lab, A);
        assert_placed(&lab, C, queue, B, 0, 0);
        assert_holds(&lab, C, queue, 1, 1);
        revive_node(&lab, A);
        free(queue);
    }
}

/* ---- 9 ------------------------------------------------------------------------------------------------- */

static bool not_listed(void *queue)
{
    for (unsigned node = 1; node <= 3; node++) {
        json_t *q = lab_running(&lab, node, node) == 1 ? lab_queue(&lab, node, queue) : NULL;
        json_decref(q);
        if (q)
            return false;
    }
    return true;
}

static void an_exclusive_queue_goes_with_its_owners_node(void **state)
{
    (void)state;
    char queue[] = "mine";
    struct user owner = {0}, other = {0};
    set_policy(&lab, A, queue, "{\"ha-mode\":\"all\"}");
    set_policy(&lab, A, "ours", "{\"ha-mode\":\"all\"}");
    assert_user(user_open(&owner, &lab, A), &owner);
    assert_user(user_declare(&owner, queue, USER_DURABLE | USER_EXCLUSIVE, NULL), &owner);
    declare(&lab, A, "ours");
    assert_placed(&lab, C, "ours", A, ON(B) | ON(C), ANY); /* the policy does mirror: */
    assert_placed(&lab, C, queue, A, 0, 0);                /* but never an exclusive queue */
    assert_user(user_open(&other, &lab, B), &other);
    assert_false(user_declare(&other, queue, USER_PASSIVE, NULL));
    assert_string_equal(
        other.error, "405 RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'mine' in vhost "
                     "'/'. It could be originally declared on another connection or the exclusive "
                     "property value does not match that of the original declaration.");
    user_drop(&other);
    kill_node(&lab, A);
    user_drop(&owner);
    assert_true(wait_until(not_listed, queue, 60000));
    assert_refused(&lab, B, queue, "404 NOT_FOUND - no queue 'mine' in vhost '/'");
    revive_node(&lab, A);
    assert_true(wait_until(not_listed, queue, 60000));
    assert_refused(&lab, A, queue, "404 NOT_FOUND - no queue 'mine' in vhost '/'");
}

/* What no disk keeps goes with the node that has it: a transient queue without mirrors. */
static void a_transient_queue_goes_with_its_node(void **state)
{
    (void)state;
    char queue[] = "fleeting";
    struct user u = {0};
    assert_user(user_open(&u, &lab, A), &u);
    assert_user(user_declare(&u, queue, 0, NULL), &u);
    user_drop(&u);
    assert_placed(&lab, C, queue, A, 0, 0);
    publish(&lab, B, queue, 1, 1, true);
    kill_node(&lab, A);
    assert_true(wait_until(not_listed, queue, 60000));
    assert_refused(&lab, B, queue, "404 NOT_FOUND - no queue 'fleeting' in vhost '/'");
    revive_node(&lab, A);
    assert_refused(&lab, B, queue, "404 NOT_FOUND - no queue 'fleeting' in vhost '/'");
    assert_refused(&lab, A, queue, "404 NOT_FOUND - no queue 'fleeting' in vhost '/'");
    assert_true(not_listed(queue));
}

/* ---- 12 ------------------------------------------------------------------------------------------------ */

#define ALWAYS "{" ON_A_AND_B ",\"ha-promote-on-shutdown\":\"always\"}"

static void mirrored(const char *queue)
{
    set_policy(&lab, A, queue, ALWAYS);
    declare(&lab, A, queue);
    assert_placed(&lab, C, queue, A, ON(B), ON(B));
}

static void sync_queue(const char *queue)
{
    assert_code(LABCTL(&lab, &out, "-n", "node3", "sync_queue", queue), 0, &out);
}

static void restarts_in_turn_without_a_sync_lose_all(void **state)
{
    (void)state;
    mirrored("rolling");
    publish(&lab, A, "rolling", 1, 10, true);
    restart_node(&lab, A);
    assert_placed(&lab, C, "rolling", B, ON(A), 0);
    assert_count(&lab, C, "rolling", 10);
    restart_node(&lab, B);
    assert_placed(&lab, C, "rolling", A, ON(B), ANY);
    assert_count(&lab, C, "rolling", 0);
}

static void restarts_in_turn_with_a_sync_between_keep_all(void **state)
{
    (void)state;
    mirrored("synced");
    publish(&lab, A, "synced", 1, 10, true);
    restart_node(&lab, A);
    assert_placed(&lab, C, "synced", B, ON(A), 0);
    sync_queue("synced");
    assert_placed(&lab, C, "synced", B, ON(A), ON(A));
    restart_node(&lab, B);
    assert_placed(&lab, C, "synced", A, ON(B), 0);
    assert_holds(&lab, C, "synced", 1, 10);
}

/* Takes `count` messages and does not acknowledge them. */
static void take(struct user *u, const char *queue, unsigned count)
{
    struct user_news news;
    bool empty;
    for (unsigned i = 0; i < count; i++) {
        assert_user(user_get(u, queue, false, &news, &empty), u);
        assert_false(empty);
    }
}

/* Two are held by a client when the mirror is synchronised, three more are taken after that. */
static void unacknowledged_ones_count_in_a_sync(void **state)
{
    (void)state;
    struct user u = {0};
    struct user_news news;
    bool empty;
    mirrored("held");
    publish(&lab, A, "held", 1, 10, true);
    assert_user(user_open(&u, &lab, C), &u);
    take(&u, "held", 2);
    restart_node(&lab, A);
    assert_placed(&lab, C, "held", B, ON(A), 0);
    assert_count(&lab, C, "held", 10); /* the two went back when the master did */
    take(&u, "held", 2);
    assert_count(&lab, C, "held", 8);
    sync_queue("held");
    assert_placed(&lab, C, "held", B, ON(A), ON(A));
    take(&u, "held", 3);
    assert_count(&lab, C, "held", 5);
    restart_node(&lab, B);
    assert_placed(&lab, C, "held", A, ON(B), 0);
    assert_count(&lab, C, "held", 10);
    for (unsigned i = 1; i <= 10; i++) { /* the five that were held come first, and say that they were */
        assert_user(user_get(&u, "held", true, &news, &empty), &u);
        assert_false(empty);
        assert_int_equal(strtoul(news.body, NULL, 10), i);
        if (i <= 5)
            assert_true(news.redelivered);
        else if (test_on_kit()) /* RabbitMQ says so of everything that a new master has */
            assert_false(news.redelivered);
    }
    user_drop(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_mirror_waits_and_can_be_deleted),
        cmocka_unit_test(killed_without_a_synchronised_mirror),
        cmocka_unit_test(stopped_without_a_synchronised_mirror),
        cmocka_unit_test(a_confirmed_message_survives_its_master_at_once),
        cmocka_unit_test(an_exclusive_queue_goes_with_its_owners_node),
        cmocka_unit_test(a_transient_queue_goes_with_its_node),
        cmocka_unit_test(restarts_in_turn_without_a_sync_lose_all),
        cmocka_unit_test(restarts_in_turn_with_a_sync_between_keep_all),
        cmocka_unit_test(unacknowledged_ones_count_in_a_sync),
    };
    return cmocka_run_group_tests_name("promotion", tests, setup, teardown);
}

/* scenario_sync.c: how a mirror gets what its master has, and how that is stopped. A is node1, B is node2. */
#include "tests/cluster/scenario.h"
#include "tests/cluster/workers.h"

#include <signal.h>
#include <stdio.h>

enum { A = 1, B = 2, C = 3 };

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

static void with_an_empty_mirror(const char *queue, unsigned messages, const char *definition)
{
    declare(&lab, A, queue);
    publish(&lab, A, queue, 1, messages, false);
    set_policy(&lab, A, queue, definition);
    assert_placed(&lab, C, queue, A, ON(B), 0);
}

/* ---- 13 ------------------------------------------------------------------------------------------------ */

static void a_sync_of_what_is_in_sync_is_fine(void **state)
{
    (void)state;
    with_an_empty_mirror("synced", 10, "{" ON_A_AND_B "}");
    for (unsigned i = 0; i < 2; i++) {
        assert_code(LABCTL(&lab, &out, "-n", "node1", "sync_queue", "synced"), 0, &out);
        assert_placed(&lab, C, "synced", A, ON(B), ON(B));
    }
    assert_holds(&lab, C, "synced", 1, 10);
}

static void a_cancel_when_idle_says_so(void **state)
{
    (void)state;
    with_an_empty_mirror("idle", 10, "{" ON_A_AND_B "}");
    assert_code(LABCTL(&lab, &out, "-n", "node1", "cancel_sync_queue", "idle"), 0, &out);
    assert_says(&out, "not_syncing");
    assert_placed(&lab, C, "idle", A, ON(B), 0);
}

/* One line on either engine, where rabbitmqctl by itself prints a page of its verbs; what only rabbitmqctl
 * has is handed on to it. */
static void a_mistyped_verb_is_one_line(void **state)
{
    (void)state;
    assert_code(LABCTL(&lab, &out, "-n", "node1", "sync_queu"), 64, &out);
    assert_string_equal(text_str(&out),
                        "Error: unknown verb 'sync_queu': did you mean 'sync_queue'? labctl help "
                        "lists all verbs\n");
    assert_code(LABCTL(&lab, &out, "-n", "node1", "frobnicate"), 64, &out);
    assert_string_equal(text_str(&out), "Error: unknown verb 'frobnicate'; labctl help lists all verbs\n");
    if (test_on_kit())
        return;
    assert_code(LABCTL(&lab, &out, "-n", "node1", "list_ciphers"), 0, &out);
    assert_code(LABCTL(&lab, &out, "-n", "node1", "list_cipher"), 64, &out);
    assert_says(&out, "did you mean 'list_ciphers'?");
}

static bool syncs(void *queue)
{
    struct queue_facts f;
    return lab_facts(&lab, A, queue, &f) && strcmp(f.state, "syncing") == 0;
}

/* So that a copy is under way, and cannot be over before it is cancelled: the mirror's process stands still.
 * RabbitMQ's master hears of no cancel until every mirror has answered that it is ready (docs/semantics.md);
 * there it may send 4,000 bytes a second, which is a minute for 50,000 bodies of up to 5 bytes. */
static void hold_copies(bool held)
{
    if (test_on_kit())
        assert_int_equal(kill(lab_pid(&lab, B), held ? SIGSTOP : SIGCONT), 0);
    else
        assert_code(LABCTL(&lab, &out, "-n", "node1", "eval",
                           held ? "application:set_env(rabbit, mirroring_sync_max_throughput, 4000)."
                                : "application:unset_env(rabbit, mirroring_sync_max_throughput)."),
                    0, &out);
}

/* How far the copy is, as the API says it: behind the end, for the mirror stands still (on RabbitMQ: is
 * slow). */
static void assert_copied_in_part(json_t *queue, unsigned messages)
{
    const json_t *copied = json_object_get(queue, "sync_messages");
    json_int_t so_far = json_integer_value(copied);
    bool is_number = json_is_integer(copied);
    json_decref(queue);
    assert_true(is_number);
    print_message("%lld of %u copied when it was cancelled\n", (long long)so_far, messages);
    assert_in_range(so_far, 0, messages - 1);
}

static void a_cancel_in_the_middle_leaves_the_mirror_unsynchronised(void **state)
{
    (void)state;
    enum { MESSAGES = 50000 };
    with_an_empty_mirror("stopped", MESSAGES, "{" ON_A_AND_B ",\"ha-sync-batch-size\":1}");
    static const char actions[] = "/api/queues/%2F/stopped/actions";
    hold_copies(true);
    int status = http_ask(lab_http(&lab, A), "POST", actions, "{\"action\":\"sync\"}", 30000, NULL);
    bool middle = wait_until(syncs, "stopped", 15000);
    json_t *queue = lab_queue(&lab, A, "stopped");
    int cancelled = http_ask(lab_http(&lab, A), "POST", actions, "{\"action\":\"cancel_sync\"}", 30000, NULL);
    hold_copies(false);
    assert_int_equal(status, 204);
    assert_int_equal(cancelled, 204);
    assert_true(middle);
    assert_copied_in_part(queue, MESSAGES);
    assert_queue(&lab, A, "stopped", "running", is_running, NULL);
    assert_placed(&lab, C, "stopped", A, ON(B), 0);
    assert_count(&lab, C, "stopped", MESSAGES);
    assert_code(LABCTL(&lab, &out, "-n", "node1", "sync_queue", "stopped"), 0, &out);
    assert_placed(&lab, C, "stopped", A, ON(B), ON(B));
    kill_node(&lab, A); /* the copy is whole */
    assert_placed(&lab, C, "stopped", B, 0, 0);
    assert_holds(&lab, C, "stopped", 1, MESSAGES);
    revive_node(&lab, A);
}

/* ---- 14 ------------------------------------------------------------------------------------------------ */

static void a_policy_that_becomes_automatic_synchronises(void **state)
{
    (void)state;
    with_an_empty_mirror("automatic", 10, "{" ON_A_AND_B "}");
    set_policy(&lab, B, "automatic", "{" ON_A_AND_B ",\"ha-sync-mode\":\"automatic\"}");
    assert_placed(&lab, C, "automatic", A, ON(B), ON(B));
    assert_holds(&lab, C, "automatic", 1, 10);
}

/* ---- 20 ------------------------------------------------------------------------------------------------ */

static struct account account;
static struct workers workers;

static bool so_many_confirmed(void *wanted)
{
    return account.broken[0] || account_sums(&account, 0).confirmed >= *(const unsigned *)wanted;
}

static void await_more(unsigned more)
{
    unsigned wanted = account_sums(&account, 0).confirmed + more;
    bool came = wait_until(so_many_confirmed, &wanted, 120000);
    assert_string_equal(account.broken, "");
    assert_true(came);
}

static bool all_came(void *arg)
{
    (void)arg;
    struct account_sums s = account_sums(&account, 0);
    return account.broken[0] || (s.unconfirmed == 0 && s.missing == 0);
}

static void a_mirror_returns_under_full_load(void **state)
{
    (void)state;
    static const char *const names[] = {"loaded"};
    set_policy(&lab, A, "loaded", "{" ON_A_AND_B ",\"ha-sync-mode\":\"automatic\"}");
    declare(&lab, A, "loaded");
    assert_placed(&lab, C, "loaded", A, ON(B), ON(B));
    account_init(&account, names, 1);
    workers.window = 500;
    workers.backlog = 20000;
    workers.avoid = ON(B);
    atomic_store(&workers.hold, true); /* there is something to copy */
    workers_start(&workers, &lab, &account, 20);
    await_more(2000);
    kill_node(&lab, B);
    await_more(2000);
    atomic_store(&workers.hold, false);
    revive_node(&lab, B);
    assert_placed(&lab, C, "loaded", A, ON(B), ON(B));
    await_more(2000); /* they are still at it */
    assert_placed(&lab, C, "loaded", A, ON(B), ON(B));

    atomic_store(&workers.quiet, true);
    bool came = wait_until(all_came, NULL, 120000);
    struct account_sums s = account_sums(&account, 0);
    workers_end(&workers);
    assert_string_equal(account.broken, "");
    if (!came)
        fail_msg("sent %u, confirmed %u, missing %u", s.sent, s.confirmed, s.missing);
    account_finish(&account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sync_of_what_is_in_sync_is_fine),
        cmocka_unit_test(a_cancel_when_idle_says_so),
        cmocka_unit_test(a_mistyped_verb_is_one_line),
        cmocka_unit_test(a_cancel_in_the_middle_leaves_the_mirror_unsynchronised),
        cmocka_unit_test(a_policy_that_becomes_automatic_synchronises),
        cmocka_unit_test(a_mirror_returns_under_full_load),
    };
    return cmocka_run_group_tests_name("sync", tests, setup, teardown);
}

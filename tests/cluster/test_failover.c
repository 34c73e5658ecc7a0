/* test_failover.c: a publisher at full speed while the nodes under its queue come and go. Every confirmed
 * message is there afterwards, once, in order; the publisher's connection, to a node that lives, notices
 * nothing but a pause. */
#include <signal.h>
#include <stdio.h>

#include "tests/cluster/numbers.h"

enum { MESSAGES = 40000 };

static struct lab lab;
static struct text out;
static struct numbers numbers;
static unsigned publisher_on; /* a node that is not to be touched */

static int setup(void **state)
{
    (void)state;
    if (test_lab_up(&lab, 3))
        return -1;
    int code = LABCTL(&lab, &out, "-n", "node1", "set_policy", "mirrior", "^mirrior",
                      "{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}");
    return code;
}

static int teardown(void **state)
{
    (void)state;
    text_finish(&out);
    return test_lab_down(&lab);
}

static void kill_node(void *arg)
{
    pid_t pid = lab_pid(&lab, *(const unsigned *)arg);
    assert_true(pid > 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
}

static void stop_node(void *arg)
{
    char name[16];
    snprintf(name, sizeof(name), "node%u", *(const unsigned *)arg);
    assert_code(LABCTL(&lab, &out, "-n", name, "stop_app"), 0, &out);
}

/* What happens to the queue's master or mirror while it is published to. */
static void story(const char *queue, bool persistent, bool at_master, void (*fault)(void *arg),
                  const char *again)
{
    memset(&numbers, 0, sizeof(numbers));
    assert_declare(&lab, 1, queue);
    struct queue_facts before =
        assert_queue(&lab, 1, queue, "one mirror, in sync", has_a_synced_mirror, NULL);
    unsigned victim = at_master ? before.master : before.mirror;
    publisher_on = 6 - before.master - before.mirror; /* holds no copy */

    struct message_kind kind = {queue, 100, persistent};
    unsigned count = numbers_publish(&numbers, &lab, publisher_on, kind, MESSAGES, fault, &victim);
    /* first: it did happen */
    assert_running(&lab, publisher_on, victim, 0);
    struct queue_facts after =
        assert_queue(&lab, publisher_on, queue, "one mirror, in sync, again", has_a_synced_mirror, NULL);
    assert_true(after.master != victim && after.mirror != victim);
    assert_int_equal(after.master, at_master ? before.mirror : before.master);

    assert_int_equal(count, MESSAGES); /* nothing was refused, the connection stayed */
    assert_int_equal(numbers_take(&numbers, &lab, publisher_on, queue, 100), MESSAGES);
    assert_confirmed_are_back(&numbers);
    for (unsigned i = 1; i <= MESSAGES; i++)
        if (numbers.back[i] != 1)
            fail_msg("message %u came %u times", i, numbers.back[i]);
    assert_int_equal(numbers.out_of_order, 0);

    char name[16];
    snprintf(name, sizeof(name), "node%u", victim);
    assert_code(LABCTL(&lab, &out, "-n", name, again), 0, &out);
    assert_running(&lab, publisher_on, victim, 1);
}

static void the_master_is_killed(void **state)
{
    (void)state;
    story("mirrior_1", false, true, kill_node, "start");
}

static void the_master_is_killed_with_persistent_messages(void **state)
{
    (void)state;
    story("mirrior_2", true, true, kill_node, "start");
}

static void the_mirror_is_killed(void **state)
{
    (void)state;
    story("mirrior_3", true, false, kill_node, "start");
}

static void the_master_is_stopped(void **state)
{
    (void)state;
    story("mirrior_4", false, true, stop_node, "start_app");
}

static void the_mirror_is_stopped(void **state)
{
    (void)state;
    story("mirrior_5", true, false, stop_node, "start_app");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_master_is_killed),
        cmocka_unit_test(the_master_is_killed_with_persistent_messages),
        cmocka_unit_test(the_mirror_is_killed),
        cmocka_unit_test(the_master_is_stopped),
        cmocka_unit_test(the_mirror_is_stopped),
    };
    return cmocka_run_group_tests_name("failover", tests, setup, teardown);
}

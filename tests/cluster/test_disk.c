/* test_disk.c: what was confirmed is there: after kill -9 of every node at once, and after a disk that was
 * full.
 *
 * Messages are numbered; what the confirms said is compared with what comes back, number by number. */
#include "tests/cluster/numbers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/limits.h"

static struct text out;
static struct numbers numbers;

static int make_lab(void **state)
{
    static struct lab lab;
    *state = &lab;
    memset(&numbers, 0, sizeof(numbers));
    return lab_init(&lab, 3) ? 0 : -1;
}

static int end_lab(void **state)
{
    text_finish(&out);
    return test_lab_down(*state);
}

static void up(struct lab *lab)
{
    if (!lab_up(lab, test_engine(), NULL, &out))
        fail_msg("lab up: %s", text_str(&out));
}

/* kill -9 of all nodes, in the middle of publishing, the log not closed by anyone */
static void killed_all_at_once(struct lab *lab, const char *queue)
{
    assert_int_equal(
        numbers_publish(&numbers, lab, 1, (struct message_kind){queue, 100, true}, 5000, NULL, NULL), 5000);
    pid_t pids[LIMIT_NODES + 1];
    for (unsigned i = 1; i <= lab->nodes; i++) {
        pids[i] = lab_pid(lab, i);
        assert_true(pids[i] > 1);
        assert_int_equal(kill(pids[i], SIGKILL), 0);
    }
    for (unsigned i = 1; i <= lab->nodes; i++)
        assert_true(wait_ended(pids[i], 10000));
    up(lab);
    struct queue_facts f = assert_queue(lab, 2, queue, "running again", is_running, NULL);
    assert_true(f.master >= 1);
    assert_true(numbers_take(&numbers, lab, 2, queue, 100) >= 5000);
    assert_confirmed_are_back(&numbers);
}

static void kill_of_all_nodes_keeps_what_was_confirmed(void **state)
{
    up(*state);
    assert_declare(*state, 1, "kept");
    killed_all_at_once(*state, "kept");
}

static void kill_of_all_nodes_keeps_a_mirrored_queue(void **state)
{
    struct lab *lab = *state;
    up(lab);
    assert_code(LABCTL(lab, &out, "-n", "node1", "set_policy", "mirrior", "^mirrior",
                       "{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}"),
                0, &out);
    assert_declare(lab, 1, "mirrior_kept");
    assert_queue(lab, 1, "mirrior_kept", "one mirror, in sync", has_a_synced_mirror, NULL);
    killed_all_at_once(lab, "mirrior_kept");
}

/* A file-size limit stands for the full disk: the write of the log comes back short and then fails, as with
 * ENOSPC. It is inherited by the nodes; SIGXFSZ is ignored so that write itself gives the error. */
static void a_full_disk_stops_the_node_and_loses_nothing(void **state)
{
    struct lab *lab = *state;
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){.rlim_cur = 4u << 20, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool is_up = lab_up(lab, test_engine(), NULL, &out);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);
    if (!is_up)
        fail_msg("lab up: %s", text_str(&out));

    pid_t node1 = lab_pid(lab, 1);
    assert_declare(lab, 1, "full");
    unsigned count =
        numbers_publish(&numbers, lab, 1, (struct message_kind){"full", 1000, true}, NUMBERS_MAX, NULL, NULL);
    /* first: it did happen. Some messages were confirmed, not all could be, and the node is gone and says
     * why. */
    assert_in_range(count, 100, (4u << 20) / 1000 + 200);
    assert_true(wait_ended(node1, 20000));
    char *log = format_text("%s/node1/log.txt", lab->dir);
    assert_code(RUN(&out, "cat", log), 0, &out);
    assert_says(&out, strerror(EFBIG));
    free(log);
    assert_running(lab, 2, 1, 0);

    /* there is room again */
    assert_code(LABCTL(lab, &out, "-n", "node1", "start"), 0, &out);
    assert_queue(lab, 2, "full", "running again", is_running, NULL);
    assert_true(numbers_take(&numbers, lab, 2, "full", 1000) >= count);
    assert_confirmed_are_back(&numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kill_of_all_nodes_keeps_what_was_confirmed, make_lab, end_lab),
        cmocka_unit_test_setup_teardown(kill_of_all_nodes_keeps_a_mirrored_queue, make_lab, end_lab),
        cmocka_unit_test_setup_teardown(a_full_disk_stops_the_node_and_loses_nothing, make_lab, end_lab),
    };
    return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}

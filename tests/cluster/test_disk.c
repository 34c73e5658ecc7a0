/* test_disk.c: what was confirmed is there: after kill -9 of every node at once, and after a disk that was
 * full.
 *
 * Messages are numbered; what the confirms said is compared with what comes back, number by number. */
#include "tests/bench/amqp.h"
#include "tests/cluster/test.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/limits.h"

enum { MANY = 200000 };

static struct text out;
static uint8_t confirmed[MANY + 1], back[MANY + 1];

static int make_lab(void **state)
{
    static struct lab lab;
    *state = &lab;
    memset(confirmed, 0, sizeof(confirmed));
    memset(back, 0, sizeof(back));
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

/* Publishes numbered persistent messages, `window` unconfirmed at most, until `limit` are confirmed, or until
 * the connection ends or `quiet_ms` pass without a word. Marks what was confirmed; returns how many. */
static unsigned publish(const struct lab *lab, unsigned node, const char *queue, size_t size, unsigned limit,
                        int quiet_ms)
{
    struct amqp_conn c;
    struct amqp_template t;
    struct amqp_frame f;
    unsigned sent = 0, count = 0, low = 1;
    if (!amqp_open(&c, "127.0.0.1", lab_amqp(lab, node), "admin", "123") || !amqp_confirms_on(&c))
        fail_msg("%s", c.error);
    amqp_template_init(&t, queue, size, true);
    while (count < limit) {
        while (sent < limit && sent - count < 200)
            amqp_put_publish(&c, &t, ++sent);
        struct pollfd p = {.fd = c.fd, .events = (short)(POLLIN | (c.out_at < c.out_len ? POLLOUT : 0))};
        if (!amqp_flush(&c) || poll(&p, 1, quiet_ms) <= 0 ||
            ((p.revents & (POLLIN | POLLHUP)) && !amqp_fill(&c)))
            break;
        while (amqp_next(&c, &f) > 0) {
            if (amqp_method(&f) != M_BASIC_ACK)
                continue;
            uint64_t tag = get_u64(f.payload + 4);
            assert_in_range(tag, 1, sent);
            for (uint64_t n = (f.payload[12] & 1) ? low : tag; n <= tag; n++) {
                count += !confirmed[n];
                confirmed[n] = 1;
            }
            while (low <= sent && confirmed[low])
                low++;
        }
    }
    amqp_template_finish(&t);
    amqp_finish(&c);
    return count;
}

/* Takes everything out of the queue and marks the numbers that came; returns how many different ones. */
static unsigned take_all(const struct lab *lab, unsigned node, const char *queue, size_t size)
{
    struct amqp_conn c;
    struct amqp_frame f;
    uint32_t messages = 0;
    unsigned count = 0;
    if (!amqp_open(&c, "127.0.0.1", lab_amqp(lab, node), "admin", "123") ||
        !amqp_declare(&c, queue, true, &messages, 30000) || !amqp_consume(&c, queue, 0, true))
        fail_msg("%s", c.error);
    for (uint32_t i = 0; i < messages;) {
        if (!amqp_wait(&c, &f, 20000))
            fail_msg("%u of %u messages came: %s", i, messages, c.error);
        if (f.type != AMQP_FRAME_BODY)
            continue;
        assert_int_equal(f.len, size);
        uint64_t number = get_u64(f.payload);
        assert_in_range(number, 1, MANY);
        count += !back[number];
        back[number] = 1;
        i++;
    }
    amqp_finish(&c);
    return count;
}

static void assert_confirmed_are_back(void)
{
    unsigned missing = 0, first = 0;
    for (unsigned n = 1; n <= MANY; n++) {
        if (confirmed[n] && !back[n]) {
            first = missing++ ? first : n;
        }
    }
    if (missing)
        fail_msg("%u confirmed messages are missing, the first is number %u", missing, first);
}

static void declare(const struct lab *lab, unsigned node, const char *queue)
{
    struct amqp_conn c;
    if (!amqp_open(&c, "127.0.0.1", lab_amqp(lab, node), "admin", "123") ||
        !amqp_declare(&c, queue, false, NULL, 30000))
        fail_msg("%s", c.error);
    amqp_finish(&c);
}

/* kill -9 of all nodes, in the middle of publishing, the log not closed by anyone */
static void killed_all_at_once(struct lab *lab, const char *queue)
{
    assert_int_equal(publish(lab, 1, queue, 100, 5000, 20000), 5000);
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
    assert_true(take_all(lab, 2, queue, 100) >= 5000);
    assert_confirmed_are_back();
}

static void kill_of_all_nodes_keeps_what_was_confirmed(void **state)
{
    up(*state);
    declare(*state, 1, "kept");
    killed_all_at_once(*state, "kept");
}

static void kill_of_all_nodes_keeps_a_mirrored_queue(void **state)
{
    struct lab *lab = *state;
    up(lab);
    assert_code(LABCTL(lab, &out, "-n", "node1", "set_policy", "mirrior", "^mirrior",
                       "{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}"),
                0, &out);
    declare(lab, 1, "mirrior_kept");
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
    declare(lab, 1, "full");
    unsigned count = publish(lab, 1, "full", 1000, MANY, 20000);
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
    assert_true(take_all(lab, 2, "full", 1000) >= count);
    assert_confirmed_are_back();
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

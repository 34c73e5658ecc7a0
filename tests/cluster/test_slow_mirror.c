/* test_slow_mirror.c: a mirror that is slow slows the publishers and costs its master a bounded amount of
 * memory. Here it does not move at all for a while: its process is stopped, and nobody calls it dead yet. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/cluster/numbers.h"

enum {
    MESSAGES = 24000,
    SIZE = 16 << 10,  /* 375 MiB in all */
    BEFORE = 2000,    /* confirmed before the mirror stops */
    GROWTH_MIB = 128, /* unconfirmed messages at most 32 MiB, once in the queue and once on their way */
    STILL_MS = 2000,  /* nobody takes anything for so long: it stands still */
};

static struct lab lab;
static struct text out;

static int setup(void **state)
{
    (void)state;
    char file[PATH_MAX + 16];
    if (!lab_init(&lab, 3))
        return -1;
    snprintf(file, sizeof(file), "%s/patient.cfg", lab.dir);
    FILE *f = fopen(file, "w");
    bool written = f && fprintf(f, "engine = \"kit\";\nsilence_ms = 60000;\n") > 0;
    written = f && fclose(f) == 0 && written;
    if (!written || !lab_up(&lab, NULL, file, &out)) {
        print_error("lab up: %s\n", text_str(&out));
        return -1;
    }
    return LABCTL(&lab, &out, "-n", "node1", "set_policy", "mirrior", "^mirrior",
                  "{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}");
}

static int teardown(void **state)
{
    (void)state;
    text_finish(&out);
    return test_lab_down(&lab);
}

static long own_mib(pid_t pid)
{
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        sscanf(line, "RssAnon: %ld", &kib);
    if (f)
        fclose(f);
    assert_true(kib >= 0);
    return kib >> 10;
}

/* 'T' as soon as a signal has stopped it */
static bool is_stopped(void *arg)
{
    char path[64], stat[512] = "";
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)*(const pid_t *)arg);
    FILE *f = fopen(path, "r");
    bool read = f && fgets(stat, sizeof(stat), f);
    if (f)
        fclose(f);
    const char *end = strrchr(stat, ')');
    return read && end && end[1] == ' ' && end[2] == 'T';
}

/* ---- a publisher without a window of its own: as fast as the node takes it ---- */

struct publisher {
    struct amqp_conn c;
    struct amqp_template t;
    uint64_t written, confirmed;
};

static void read_confirms(struct publisher *p)
{
    struct amqp_frame f;
    while (amqp_next(&p->c, &f) > 0) {
        assert_int_equal(amqp_method(&f), M_BASIC_ACK);
        uint64_t tag = get_u64(f.payload + 4);
        assert_true(tag > p->confirmed && tag <= p->written);
        p->confirmed = tag;
    }
}

/* Until `confirmed` are, or nothing has moved for still_ms: false. */
static bool publish_until(struct publisher *p, uint64_t confirmed, int still_ms)
{
    while (p->confirmed < confirmed) {
        while (p->written < MESSAGES && p->c.out_len - p->c.out_at < 4 * SIZE)
            amqp_put_publish(&p->c, &p->t, ++p->written);
        short writes = p->c.out_at < p->c.out_len ? POLLOUT : 0;
        struct pollfd fd = {.fd = p->c.fd, .events = (short)(POLLIN | writes)};
        if (poll(&fd, 1, still_ms) == 0)
            return false;
        if ((fd.revents & POLLIN && !amqp_fill(&p->c)) || !amqp_flush(&p->c))
            fail_msg("the publisher's connection: %s", p->c.error);
        read_confirms(p);
    }
    return true;
}

static void publishers_wait_for_a_mirror_that_stands_still(void **state)
{
    (void)state;
    static struct publisher p;
    const char *queue = "mirrior_slow";
    assert_declare(&lab, 1, queue);
    struct queue_facts at = assert_queue(&lab, 1, queue, "one mirror, in sync", has_a_synced_mirror, NULL);
    pid_t master = lab_pid(&lab, at.master), mirror = lab_pid(&lab, at.mirror);
    if (!amqp_open(&p.c, "127.0.0.1", lab_amqp(&lab, at.master), "admin", "123") || !amqp_confirms_on(&p.c))
        fail_msg("%s", p.c.error);
    amqp_template_init(&p.t, queue, SIZE, false);
    assert_true(publish_until(&p, BEFORE, 30000));

    assert_int_equal(kill(mirror, SIGSTOP), 0);
    assert_true(wait_until(is_stopped, &mirror, 10000)); /* it did happen */
    long before = own_mib(master);
    assert_false(publish_until(&p, MESSAGES, STILL_MS));
    uint64_t then = p.confirmed;
    print_message(
        "the mirror stands still: %llu of %d are written, %llu confirmed; the master's own memory went "
        "from %ld to %ld MiB\n",
        (unsigned long long)p.written, MESSAGES, (unsigned long long)then, before, own_mib(master));
    assert_true(p.written < MESSAGES / 2);
    assert_true(own_mib(master) < before + GROWTH_MIB);
    assert_running(&lab, at.master, at.mirror, 1);       /* it is still counted in: that is why all wait */
    assert_false(publish_until(&p, then + 1, STILL_MS)); /* nothing is confirmed that the mirror has not */

    assert_int_equal(kill(mirror, SIGCONT), 0);
    assert_true(publish_until(&p, MESSAGES, 30000));
    long long all = MESSAGES;
    assert_queue(&lab, at.master, queue, "all messages", has_messages, &all);
    struct queue_facts after =
        assert_queue(&lab, at.master, queue, "one mirror, in sync", has_a_synced_mirror, NULL);
    assert_int_equal(after.mirror, at.mirror); /* it never left */
    amqp_template_finish(&p.t);
    amqp_finish(&p.c);

    static struct numbers n;
    assert_int_equal(numbers_take(&n, &lab, at.mirror, queue, SIZE), MESSAGES);
    assert_int_equal(n.out_of_order, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publishers_wait_for_a_mirror_that_stands_still),
    };
    return cmocka_run_group_tests_name("slow mirror", tests, setup, teardown);
}

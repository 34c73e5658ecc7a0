/* test_big_queue.c: queues that are long, and queues that are larger than memory. A million messages in a
 * mirrored queue take what semantics.md says, on every replica, through a failover; what is over the limit
 * goes to the disk and comes back right, also after kill -9 of every node. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/load.h"
#include "tests/cluster/numbers.h"

enum {
    MILLION = 1000000,
    MILLION_MIB = 400, /* the promise, for each replica */
    LIMIT_MIB = 64,    /* of the nodes in the second part */
    LARGE = 64 << 10,  /* bodies there */
    LARGE_MESSAGES = 2400,
    SMALL_MESSAGES = 2 * MILLION,
    PLACE_BYTES = 32,                /* docs/semantics.md: 27 each */
    LARGE_MIB = LARGE_MESSAGES / 16, /* 150: more than twice the limit */
};

static struct text out;

/* ---- what a node takes ---- */

struct memory {
    long resident, own, most; /* MiB: VmRSS, RssAnon, VmHWM */
};

static struct memory memory_of(pid_t pid)
{
    struct memory m = {-1, -1, -1};
    char path[64], line[256];
    snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s cannot be read", path);
    while (fgets(line, sizeof(line), f)) {
        long kib;
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            m.resident = kib >> 10;
        else if (sscanf(line, "RssAnon: %ld", &kib) == 1)
            m.own = kib >> 10;
        else if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            m.most = kib >> 10;
    }
    fclose(f);
    assert_true(m.resident > 0 && m.own >= 0 && m.most > 0);
    return m;
}

static void print_memory(const char *when, unsigned node, const struct memory *m)
{
    print_message("%s: node%u holds %ld MiB (its own: %ld, the most so far: %ld)\n", when, node, m->resident,
                  m->own, m->most);
}

/* Also the most that it ever took is below that. */
static void assert_small(const struct lab *lab, const char *when, unsigned node, long mib)
{
    struct memory m = memory_of(lab_pid(lab, node));
    print_memory(when, node, &m);
    if (m.most >= mib)
        fail_msg("%s: node%u took %ld MiB, the promise is less than %ld", when, node, m.most, mib);
}

/* ---- a million messages ---- */

static struct load_spec millions(const struct lab *lab, unsigned node, const char *queue, bool persistent,
                                 uint64_t count)
{
    return (struct load_spec){.publish_port = lab_amqp(lab, node),
                              .consume_port = lab_amqp(lab, node),
                              .queue = queue,
                              .size = 100,
                              .persistent = persistent,
                              .window = 2000,
                              .prefetch = 1000,
                              .ack_every = 100,
                              .count = count};
}

static void a_million(struct lab *lab, const char *queue, bool persistent)
{
    assert_declare(lab, 1, queue);
    struct queue_facts before = assert_queue(lab, 1, queue, "one mirror, in sync", has_a_synced_mirror, NULL);
    unsigned third = 6 - before.master - before.mirror;
    struct load_spec spec = millions(lab, third, queue, persistent, MILLION);
    struct load_result r;
    if (!load_publish(&spec, &r))
        fail_msg("publishing: %s", r.error);
    assert_int_equal(r.messages, MILLION);
    long long all = MILLION;
    assert_queue(lab, third, queue, "a million", has_messages, &all);
    assert_small(lab, "published", before.master, MILLION_MIB);
    assert_small(lab, "published", before.mirror, MILLION_MIB);

    pid_t master = lab_pid(lab, before.master);
    assert_int_equal(kill(master, SIGKILL), 0);
    assert_true(wait_ended(master, 10000));
    assert_running(lab, third, before.master, 0); /* it did happen */
    struct queue_facts after =
        assert_queue(lab, third, queue, "one mirror, in sync, again", has_a_synced_mirror, NULL);
    assert_int_equal(after.master, before.mirror);
    assert_int_equal(after.mirror, third);
    assert_small(lab, "failed over", after.master, MILLION_MIB);
    assert_small(lab, "failed over, copied", after.mirror, MILLION_MIB);

    spec = millions(lab, third, queue, persistent, MILLION);
    if (!load_consume(&spec, &r)) /* each number once, in order */
        fail_msg("consuming: %s", r.error);
    assert_int_equal(r.messages, MILLION);
    assert_small(lab, "consumed", after.master, MILLION_MIB);
    assert_small(lab, "consumed", after.mirror, MILLION_MIB);
    char name[16];
    snprintf(name, sizeof(name), "node%u", before.master);
    assert_code(LABCTL(lab, &out, "-n", name, "start"), 0, &out);
    assert_null(strstr(text_str(&out), "waits for nodes")); /* however long it read its log: they are there */
    assert_running(lab, third, before.master, 1);
}

static int mirrored(struct lab *lab)
{
    return LABCTL(lab, &out, "-n", "node1", "set_policy", "mirrior", "^mirrior",
                  "{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}");
}

static int million_up(void **state)
{
    static struct lab lab;
    *state = &lab;
    return test_lab_up(&lab, 3) || mirrored(&lab) ? -1 : 0;
}

static int end_lab(void **state)
{
    text_finish(&out);
    return test_lab_down(*state);
}

static void a_million_transient_messages(void **state)
{
    a_million(*state, "mirrior_transient", false);
}

static void a_million_persistent_messages(void **state)
{
    a_million(*state, "mirrior_persistent", true);
}

/* ---- more than memory ---- */

static char config_file[PATH_MAX + 16];

static bool up_with_limit(struct lab *lab)
{
    snprintf(config_file, sizeof(config_file), "%s/limit.cfg", lab->dir);
    FILE *f = fopen(config_file, "w");
    bool written = f && fprintf(f, "engine = \"kit\";\nmemory_limit_mb = %d;\n", LIMIT_MIB) > 0;
    written = f && fclose(f) == 0 && written;
    bool up = written && lab_up(lab, NULL, config_file, &out);
    if (!up)
        print_error("lab up: %s\n", text_str(&out));
    return up;
}

static int limited_up(void **state)
{
    static struct lab lab;
    *state = &lab;
    return lab_init(&lab, 3) && up_with_limit(&lab) && mirrored(&lab) == 0 ? 0 : -1;
}

/* every body is another, from its first byte to its last */
static void fill(uint8_t *body, uint64_t number)
{
    uint64_t x = number * 0x9e3779b97f4a7c15u;
    put_u64(body, number);
    for (size_t i = 8; i < LARGE; i += 8)
        put_u64(body + i, x += 0x9e3779b97f4a7c15u);
}

static void publish_large(struct lab *lab, unsigned node, const char *queue, bool persistent)
{
    struct amqp_conn c;
    struct amqp_template t;
    struct amqp_frame f;
    uint64_t sent = 0, confirmed = 0;
    if (!amqp_open(&c, "127.0.0.1", lab_amqp(lab, node), "admin", "123") || !amqp_confirms_on(&c))
        fail_msg("%s", c.error);
    amqp_template_init(&t, queue, LARGE, persistent);
    while (confirmed < LARGE_MESSAGES) {
        for (; sent < LARGE_MESSAGES && sent - confirmed < 100; amqp_put_publish(&c, &t, sent))
            fill(t.bytes + t.body, ++sent);
        if (!amqp_flush_all(&c, 30000) || !amqp_wait(&c, &f, 30000))
            fail_msg("%llu of %d are confirmed: %s", (unsigned long long)confirmed, LARGE_MESSAGES, c.error);
        do {
            assert_int_equal(amqp_method(&f), M_BASIC_ACK);
            assert_true(get_u64(f.payload + 4) > confirmed);
            confirmed = get_u64(f.payload + 4);
        } while (amqp_next(&c, &f) > 0);
    }
    amqp_template_finish(&t);
    amqp_finish(&c);
}

static void take_large(struct lab *lab, unsigned node, const char *queue)
{
    static uint8_t want[LARGE];
    struct amqp_conn c;
    struct amqp_frame f;
    if (!amqp_open(&c, "127.0.0.1", lab_amqp(lab, node), "admin", "123") ||
        !amqp_consume(&c, queue, 50, false))
        fail_msg("%s", c.error);
    for (uint64_t number = 1; number <= LARGE_MESSAGES;) {
        if (!amqp_flush(&c) || !amqp_wait(&c, &f, 30000))
            fail_msg("message %llu does not come: %s", (unsigned long long)number, c.error);
        if (f.type != AMQP_FRAME_BODY)
            continue;
        fill(want, number);
        assert_int_equal(f.len, LARGE);
        if (memcmp(f.payload, want, LARGE) != 0)
            fail_msg("where message %llu comes next another body came, number %llu",
                     (unsigned long long)number, (unsigned long long)get_u64(f.payload));
        amqp_put_ack(&c, number++, false);
    }
    assert_true(amqp_flush_all(&c, 10000));
    long long none = 0;
    assert_queue(lab, node, queue, "empty", has_messages, &none);
    amqp_finish(&c);
}

static long long figure(const json_t *queue, const char *key)
{
    const json_t *value = json_object_get(queue, key);
    if (!json_is_integer(value))
        fail_msg("the queue has no number %s", key);
    return json_integer_value(value);
}

/* Nothing that was read back from the file stays: what `top` shows is near the limit, too. */
static bool is_small(void *arg)
{
    struct memory m = memory_of(*(pid_t *)arg);
    return m.own <= LIMIT_MIB + LIMIT_MIB / 2 && m.resident <= LIMIT_MIB + LIMIT_MIB / 2;
}

/* The node says that most of the queue is not in memory, and the system says the same of its process. */
static void assert_paged(struct lab *lab, const char *when, const char *queue, const struct queue_facts *at)
{
    json_t *json = lab_queue(lab, at->master, queue);
    long long away = figure(json, "message_bytes_paged_out"), here = figure(json, "message_bytes_ram");
    print_message("%s: of %d MiB %lld are paged out\n", when, LARGE_MIB, away >> 20);
    assert_int_equal(away + here, (long long)LARGE_MESSAGES * LARGE);
    assert_true(here >> 20 < LIMIT_MIB);
    assert_int_equal(figure(json, "messages_paged_out"), away / LARGE);
    assert_int_equal(figure(json, "messages_ram"), here / LARGE);
    json_decref(json);
    const unsigned replicas[] = {at->master, at->mirror};
    for (size_t i = 0; i < 2; i++) {
        struct memory m = memory_of(lab_pid(lab, replicas[i]));
        print_memory(when, replicas[i], &m);
        if (m.own > LIMIT_MIB + LIMIT_MIB / 2)
            fail_msg("%s: node%u has %ld MiB of its own, the limit is %d", when, replicas[i], m.own,
                     LIMIT_MIB);
        pid_t pid = lab_pid(lab, replicas[i]);
        if (!wait_until(is_small, &pid, 5000))
            fail_msg("%s: node%u keeps %ld MiB, the limit is %d", when, replicas[i], memory_of(pid).resident,
                     LIMIT_MIB);
    }
}

static void kill_all_and_start(struct lab *lab)
{
    pid_t pids[4];
    for (unsigned i = 1; i <= 3; i++) {
        pids[i] = lab_pid(lab, i);
        assert_true(pids[i] > 1);
        assert_int_equal(kill(pids[i], SIGKILL), 0);
    }
    for (unsigned i = 1; i <= 3; i++)
        assert_true(wait_ended(pids[i], 10000));
    assert_true(up_with_limit(lab));
}

static void larger_than_memory(struct lab *lab, const char *queue, bool persistent)
{
    assert_declare(lab, 1, queue);
    struct queue_facts at = assert_queue(lab, 1, queue, "one mirror, in sync", has_a_synced_mirror, NULL);
    publish_large(lab, 1, queue, persistent);
    long long all = LARGE_MESSAGES;
    assert_queue(lab, 1, queue, "all messages", has_messages, &all);
    assert_paged(lab, "published", queue, &at);
    if (persistent) {
        kill_all_and_start(lab);
        at = assert_queue(lab, 1, queue, "one mirror, in sync, again", has_a_synced_mirror, NULL);
        assert_queue(lab, 1, queue, "all messages, again", has_messages, &all);
        assert_paged(lab, "after kill -9", queue, &at);
        /* it read its log and copied all of it to the mirror */
        assert_small(lab, "after kill -9, copied", at.master, 2 * LIMIT_MIB);
    }
    take_large(lab, 1, queue);
}

static void transient_messages_larger_than_memory(void **state)
{
    larger_than_memory(*state, "mirrior_transient", false);
}

static void persistent_messages_larger_than_memory_survive_kill(void **state)
{
    larger_than_memory(*state, "mirrior_persistent", true);
}

/* ---- small messages, of which only the places stay ---- */

struct places {
    pid_t pid;
    long before; /* MiB of its own, with an empty queue */
};

static long bytes_each(const struct places *p)
{
    return ((memory_of(p->pid).own - p->before) << 20) / SMALL_MESSAGES;
}

static bool only_places_stay(void *arg)
{
    return bytes_each(arg) < PLACE_BYTES;
}

static void of_millions_only_the_places_stay(void **state)
{
    struct lab *lab = *state;
    const char *queue = "mirrior_small";
    assert_declare(lab, 1, queue);
    struct queue_facts at = assert_queue(lab, 1, queue, "one mirror, in sync", has_a_synced_mirror, NULL);
    struct places replicas[] = {{.pid = lab_pid(lab, at.master)}, {.pid = lab_pid(lab, at.mirror)}};
    for (size_t i = 0; i < ARRAY_LEN(replicas); i++)
        replicas[i].before = memory_of(replicas[i].pid).own;
    struct load_spec spec = millions(lab, at.master, queue, false, SMALL_MESSAGES);
    struct load_result r;
    if (!load_publish(&spec, &r))
        fail_msg("publishing: %s", r.error);
    long long all = SMALL_MESSAGES;
    assert_queue(lab, 1, queue, "all messages", has_messages, &all);
    for (size_t i = 0; i < ARRAY_LEN(replicas); i++) {
        bool small = wait_until(only_places_stay, &replicas[i], 10000);
        print_message("%d messages, %s: %ld bytes each\n", SMALL_MESSAGES, i ? "mirror" : "master",
                      bytes_each(&replicas[i]));
        assert_true(small);
    }
    if (!load_consume(&spec, &r)) /* each number once, in order */
        fail_msg("consuming: %s", r.error);
    assert_int_equal(r.messages, SMALL_MESSAGES);
}

int main(void)
{
    const struct CMUnitTest millions[] = {
        cmocka_unit_test(a_million_transient_messages),
        cmocka_unit_test(a_million_persistent_messages),
    };
    const struct CMUnitTest larger[] = {
        cmocka_unit_test(
            of_millions_only_the_places_stay), /* first: what a node has of its own is still little */
        cmocka_unit_test(transient_messages_larger_than_memory),
        cmocka_unit_test(persistent_messages_larger_than_memory_survive_kill),
    };
    int failed = cmocka_run_group_tests_name("a million", millions, million_up, end_lab);
    return failed + cmocka_run_group_tests_name("larger than memory", larger, limited_up, end_lab);
}

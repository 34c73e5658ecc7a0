/* test_cost.c: what an operation costs does not depend on how long the queue is, nor on how many queues and
 * consumers there are. Counted in machine instructions by callgrind, which are the same on a busy machine and
 * on a quiet one: broker and library alone (rig.h), with few and with many messages and queues; what is
 * compared is each cost_* function below.
 *
 *     cost SIZE KIND   the workload, as callgrind runs it: SIZE messages in the queue, SIZE / 10 other
 * queues, and as many consumers of one of them. KIND: plain; mirrored on a second node, which is counted,
 * too; or with priorities, where content.h has a heap of what is ready
 *
 * What grows with one of them would cost a hundred times as much. */
#include "tests/broker/rig.h"
#include "tests/temporary.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FEW = 1000, MANY = 100000, OPS = 400 };
#define SPREAD 10 /* percent; a table that grows while it is counted costs a little more */

/* callgrind finds them by name */
#define COST(name)                                                                                           \
    __attribute__((noinline)) void name(struct client *c);                                                   \
    __attribute__((noinline)) void name(struct client *c)

static void drop(struct client *c)
{
    c->in.len = c->in_at = 0;
}

static void settle(struct client *c, uint32_t method, void *decoded)
{
    client_method(c, 1, method, decoded);
    drop(c);
}

static uint64_t last_tag; /* of the client's channel */

static uint64_t got(struct client *c)
{
    client_get(c, 1, "q");
    drop(c);
    return ++last_tag;
}

COST(cost_publish)
{
    for (unsigned i = 0; i < OPS; i++)
        client_publish(c, 1, "", "q", "one more message");
    drop(c);
}

COST(cost_get_and_ack)
{
    for (unsigned i = 0; i < OPS; i++)
        settle(c, AMQP_BASIC_ACK_METHOD, &(amqp_basic_ack_t){.delivery_tag = got(c)});
}

COST(cost_nack_and_requeue)
{
    for (unsigned i = 0; i < OPS; i++)
        settle(c, AMQP_BASIC_NACK_METHOD, &(amqp_basic_nack_t){.delivery_tag = got(c), .requeue = 1});
}

COST(cost_reject)
{
    for (unsigned i = 0; i < OPS; i++)
        settle(c, AMQP_BASIC_REJECT_METHOD, &(amqp_basic_reject_t){.delivery_tag = got(c)});
}

/* each of OPS messages that are held goes back at once */
COST(cost_requeue_of_all)
{
    settle(c, AMQP_BASIC_NACK_METHOD, &(amqp_basic_nack_t){.multiple = 1, .requeue = 1});
}

/* c's consumer holds OPS messages */
COST(cost_consumer_lost)
{
    client_hang_up(c);
}

COST(cost_consume_and_cancel)
{
    for (unsigned i = 0; i < OPS; i++) {
        client_consume(c, 1, "watched", "t", false);
        client_method(c, 1, AMQP_BASIC_CANCEL_METHOD, &(amqp_basic_cancel_t){.consumer_tag = words("t")});
    }
    drop(c);
}

COST(cost_declare)
{
    char name[32];
    for (unsigned i = 0; i < OPS; i++) {
        snprintf(name, sizeof(name), "new%u", i);
        client_declare(c, 1, name, true);
        drop(c);
    }
}

COST(cost_declare_again)
{
    for (unsigned i = 0; i < OPS; i++)
        client_declare(c, 1, "watched", true);
    drop(c);
}

COST(cost_bind)
{
    char key[32];
    for (unsigned i = 0; i < OPS; i++) {
        snprintf(key, sizeof(key), "key%u", i);
        client_bind(c, 1, "q", "amq.direct", key);
    }
    drop(c);
}

COST(cost_delete)
{
    char name[32];
    for (unsigned i = 0; i < OPS; i++) {
        snprintf(name, sizeof(name), "new%u", i);
        client_method(c, 1, AMQP_QUEUE_DELETE_METHOD, &(amqp_queue_delete_t){.queue = words(name)});
        drop(c);
    }
}

/* the one that has to look at every queue, for who knows which one the pattern is of: linear, not more */
COST(cost_policy)
{
    rig_policy(c->rig, 0, "^nobody", "{\"max-length\":5}");
}

/* how much of the queue the second node holds; it exits where the queue has no mirror there, in sync */
static uint64_t mirrored_depth(const struct rig *r)
{
    struct queue_info info;
    mirror_queue_info(broker_mirror(r->nodes[1]), mirror_find_queue(broker_mirror(r->nodes[1]), "q"), &info);
    if (!info.replica || !node_in(info.synced, 1))
        exit(1);
    return info.replica_depth;
}

static void work(unsigned size, const char *kind)
{
    bool mirrored = strcmp(kind, "mirrored") == 0, priorities = strcmp(kind, "priorities") == 0;
    struct rig *r = rig_create(mirrored ? 2 : 1);
    r->unchecked = true;
    if (mirrored)
        rig_policy(r, 0, "^q$", "{\"ha-mode\":\"all\"}");
    struct client *c = client_open(r, 0), *consumer = client_open(r, 0), *crowd = client_open(r, 0);
    char name[32];
    if (priorities)
        client_declare_with(c, 1, "q", true, "x-max-priority=10");
    else
        client_declare(c, 1, "q", true);
    if (mirrored)
        (void)mirrored_depth(r);
    client_declare(c, 1, "watched", true);
    for (unsigned i = 0; i < size / 10; i++) {
        snprintf(name, sizeof(name), "other%u", i);
        client_declare(c, 1, name, true);
        drop(c);
        client_method(crowd, 1, AMQP_BASIC_CONSUME_METHOD,
                      &(amqp_basic_consume_t){.queue = words("watched"), .nowait = 1});
    }
    struct wire_buffer b = {0};
    for (unsigned i = 0; i < 100; i++)
        put_publish(&b, 1, "", "q", "a message", 9, false, NULL);
    for (unsigned i = 0; i < size; i += 100) {
        client_send(c, b.items, b.len);
        rig_run(r);
    }
    VEC_FREE(&b);
    drop(c);
    client_confirm(c, 1);
    cost_publish(c);
    cost_get_and_ack(c);
    cost_nack_and_requeue(c);
    cost_reject(c);
    for (unsigned i = 0; i < OPS; i++)
        got(c);
    cost_requeue_of_all(c);
    client_qos(consumer, 1, OPS, false);
    client_consume(consumer, 1, "q", "holds", false);
    cost_consumer_lost(consumer);
    cost_consume_and_cancel(c);
    cost_declare(c);
    cost_declare_again(c);
    cost_bind(c);
    cost_delete(c);
    if (mirrored && mirrored_depth(r) != size - OPS) {
        fprintf(stderr, "the mirror holds %llu\n", (unsigned long long)mirrored_depth(r));
        exit(1);
    }
    cost_policy(c); /* it takes the mirror's policy's place */
    client_method(c, 1, AMQP_QUEUE_DECLARE_METHOD,
                  &(amqp_queue_declare_t){.queue = words("q"), .passive = 1});
    snprintf(name, sizeof(name), "queue.declare-ok q %u 0", size - OPS);
    const char *left = client_read(c); /* all of it was done: published, one settled, one rejected */
    if (!left || !strstr(left, name)) {
        fprintf(stderr, "%s instead of %s\n", left ? left : "nothing", name);
        exit(1);
    }
    rig_destroy(r);
}

/* ---- counting ---- */

static const char *const costs[] = {
    "cost_publish",        "cost_get_and_ack",   "cost_nack_and_requeue", "cost_reject",
    "cost_requeue_of_all", "cost_consumer_lost", "cost_declare",          "cost_consume_and_cancel",
    "cost_declare_again",  "cost_bind",          "cost_delete",           "cost_policy"};

struct counted {
    double each[ARRAY_LEN(costs)]; /* instructions of one call, by costs[] */
};

/* One of callgrind's files: of which function it is, and how many instructions that had. */
static void read_part(const char *path, struct counted *into)
{
    FILE *f = fopen(path, "re");
    char line[512], name[128] = "";
    double total = 0;
    while (f && fgets(line, sizeof(line), f)) {
        (void)sscanf(line, "desc: Trigger: --dump-after=%127s", name);
        (void)sscanf(line, "totals: %lf", &total);
    }
    if (f)
        fclose(f);
    for (size_t i = 0; i < ARRAY_LEN(costs); i++)
        if (strcmp(name, costs[i]) == 0)
            into->each[i] = total;
}

static struct counted count(unsigned size, const char *kind)
{
    struct counted c = {0};
    char self[PATH_MAX], *dir = temporary_folder("cost"), *path;
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    assert_true(len > 0);
    self[len] = '\0';
    assert_non_null(dir);
    struct text command = {0};
    text_printf(&command,
                "valgrind --tool=callgrind --collect-atstart=no --toggle-collect='cost_*' "
                "--callgrind-out-file=%s/out",
                dir);
    for (size_t i = 0; i < ARRAY_LEN(costs); i++)
        text_printf(&command, " --dump-after=%s", costs[i]);
    text_printf(&command, " '%s' %u %s >%s/log 2>&1", self, size, kind, dir);
    int rc = system(command.s);
    if (rc != 0) {
        text_printf(&command, "; tail -5 %s/log", dir);
        print_error("%s\n", command.s);
    }
    assert_int_equal(rc, 0);
    for (unsigned part = 1; part <= 2 * ARRAY_LEN(costs); part++) {
        path = format_text("%s/out.%u", dir, part);
        read_part(path, &c);
        unlink(path);
        free(path);
    }
    path = format_text("rm -r '%s'", dir);
    assert_int_equal(system(path), 0);
    free(path);
    free(dir);
    text_finish(&command);
    return c;
}

/* spread: percent */
static void costs_the_same(const char *kind, unsigned spread)
{
    if (system("valgrind --version >/dev/null 2>&1") != 0)
        skip();
    struct counted few = count(FEW, kind), many = count(MANY, kind);
    unsigned dear = 0;
    for (size_t i = 0; i < ARRAY_LEN(costs); i++) {
        bool policy = strcmp(costs[i], "cost_policy") == 0;
        double a = few.each[i] / (policy ? FEW / 10.0 : OPS), b = many.each[i] / (policy ? MANY / 10.0 : OPS);
        print_message("%-26s %10.0f %10.0f%s\n", costs[i], a, b, policy ? "  for each queue" : "");
        assert_true(a > 0 && b > 0);
        dear += b > a * (100 + spread) / 100;
    }
    assert_int_equal(dear, 0);
}

static void an_operation_costs_the_same_in_a_long_queue_and_among_many(void **state)
{
    (void)state;
    costs_the_same("plain", SPREAD);
}

static void and_with_a_mirror(void **state)
{
    (void)state;
    costs_the_same("mirrored", SPREAD);
}

static void and_with_priorities(void **state)
{
    (void)state;
    costs_the_same("priorities", SPREAD);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        work((unsigned)strtoul(argv[1], NULL, 10), argv[2]);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operation_costs_the_same_in_a_long_queue_and_among_many),
        cmocka_unit_test(and_with_a_mirror),
        cmocka_unit_test(and_with_priorities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* bench.c: measures an engine's three nodes from outside: start-up, memory, publishing, consuming, failover,
 * synchronising. The same code for the kit and for RabbitMQ, on labs that it starts and stops itself.
 *
 * Medians of three runs. Nothing here passes or fails by its speed; a figure is only not there (and the exit
 * code 1) if a promise was broken on the way to it. */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/load.h"
#include "tests/bench/nodes.h"
#include "tests/bench/report.h"
#include "tests/bench/screen.h"

enum {
    LARGE_NODES = 10,
    QUEUES = 200,
    SYNC_MESSAGES = 200000,
    CONSUME_MESSAGES = 200000,
    ROUND_TRIPS = 2000,
    FAILOVER_MESSAGES = 10000,
    SCREEN_WARM_UP_S = 2,
    SCREEN_FLOW = 50000 /* messages a second */
};

enum measure_id {
    M_START,
    M_MEMORY,
    M_TRANSIENT,
    M_PERSISTENT,
    M_PERSISTENT_1K,
    M_UNMIRRORED,
    M_CONSUME,
    M_BOTH,
    M_ROUND_TRIP,
    M_FAILOVER,
    M_SYNC,
    M_SCREEN_IDLE,
    M_SCREEN_FLOW,
    M_SCREEN_IDLE_WIDE,
    M_SCREEN_FLOW_WIDE,
    M_SCREEN_QUEUES, /* its queues stay: the last of the usual lab */
    M_SCREEN_LARGE,  /* in a lab of its own */
    MEASURES
};

static struct measure measures[MEASURES] = {
    [M_START] = {"start-up", "three nodes ready after start", "s", false},
    [M_MEMORY] = {"memory", "resident memory of an idle node", "MiB", false},
    [M_TRANSIENT] = {"publish-transient", "mirrored, 100 B transient, confirmed", "msg/s", true},
    [M_PERSISTENT] = {"publish-persistent", "mirrored, 100 B persistent, confirmed", "msg/s", true},
    [M_PERSISTENT_1K] = {"publish-persistent-1k", "mirrored, 1 KiB persistent, confirmed", "msg/s", true},
    [M_UNMIRRORED] = {"publish-unmirrored", "no mirrors, 100 B transient, confirmed", "msg/s", true},
    [M_CONSUME] = {"consume", "consume, mirrored, acks of 50", "msg/s", true},
    [M_BOTH] = {"both", "publish and consume at once, mirrored", "msg/s", true},
    [M_ROUND_TRIP] = {"round-trip", "one in flight, mirrored, confirm", "ms", false},
    [M_FAILOVER] = {"failover", "kill -9 of the master: longest confirm gap", "ms", false},
    [M_SYNC] = {"sync", "synchronise a new mirror, 200,000 x 100 B", "s", false},
    [M_SCREEN_IDLE] = {"screen-idle", "the screen's processor time, nothing happens", "%", false, 1},
    [M_SCREEN_FLOW] = {"screen-flow", "the same while 50,000 msg/s flow", "%", false, 10},
    [M_SCREEN_IDLE_WIDE] = {"screen-idle-wide", "160x45, nothing happens", "%", false, 1},
    [M_SCREEN_FLOW_WIDE] = {"screen-flow-wide", "160x45 while 50,000 msg/s flow", "%", false, 10},
    [M_SCREEN_QUEUES] = {"screen-queues", "80x24, nothing happens, 200 queues", "%", false, 1},
    [M_SCREEN_LARGE] = {"screen-large", "160x45, nothing happens, 200 queues, 10 nodes", "%", false, 1},
};

static struct {
    const char *only; /* a measure's name, or NULL: all */
    const char *json;
    unsigned runs;
    double warm_up_s, measured_s;
} options = {.runs = 3, .warm_up_s = 1, .measured_s = 3};

/* --only takes names with commas between */
static bool wanted(enum measure_id id)
{
    const char *name = measures[id].name;
    size_t len = strlen(name);
    for (const char *at = options.only; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (!strncmp(at, name, len) && (at[len] == ',' || !at[len]))
            return true;
    return !options.only;
}

/* ---- the measures -------------------------------------------------------------------------------------- */

static struct load_spec spec_for(const struct bench *b, const char *queue)
{
    return (struct load_spec){
        .publish_port = lab_amqp(&b->lab, 1),
        .consume_port = lab_amqp(&b->lab, 1),
        .queue = queue,
        .size = 100,
        .window = 500,
        .prefetch = 500,
        .ack_every = 50,
        .warm_up_s = options.warm_up_s,
        .measured_s = options.measured_s,
    };
}

static bool one_load(struct bench *b, enum measure_id id, const char *queue, double *value)
{
    struct load_spec spec = spec_for(b, queue);
    struct load_result r = {0};
    bool ok = true;
    if (id == M_PERSISTENT || id == M_PERSISTENT_1K)
        spec.persistent = true;
    if (id == M_PERSISTENT_1K)
        spec.size = 1024;
    if (id == M_CONSUME) {
        struct load_spec fill = spec;
        fill.measured_s = 0;
        spec.count = fill.count = CONSUME_MESSAGES;
        ok = load_publish(&fill, &r) && load_consume(&spec, &r);
    } else if (id == M_BOTH) {
        ok = load_both(&spec, &r);
    } else if (id == M_ROUND_TRIP) {
        spec.count = ROUND_TRIPS;
        ok = load_round_trips(&spec, &r);
    } else {
        ok = load_publish(&spec, &r);
    }
    *value = id == M_ROUND_TRIP ? r.median_us / 1000 : r.per_second;
    return ok || fail(b, "%s", r.error);
}

static bool measure_load(struct bench *b, enum measure_id id, unsigned run, double *value)
{
    char queue[64];
    bool mirrored = id != M_UNMIRRORED;
    snprintf(queue, sizeof(queue), "%s-%s-%u", mirrored ? "mirrored" : "single", measures[id].name, run);
    if (!declare(b, 1, queue) || (mirrored && !wait_mirrored(b, 1, queue, NULL)))
        return false;
    bool ok = one_load(b, id, queue, value);
    delete_queue(b, 1, queue);
    return ok;
}

static bool kill_process(void *arg)
{
    pid_t pid = *(const pid_t *)arg;
    return pid > 1 && kill(pid, SIGKILL) == 0;
}

struct node_is {
    const struct lab *lab;
    unsigned asked, node;
    int running;
};
static bool node_is(void *arg)
{
    struct node_is *n = arg;
    return lab_running(n->lab, n->asked, n->node) == n->running;
}

static bool measure_failover(struct bench *b, unsigned run, double *value)
{
    char queue[64], node[16];
    struct queue_facts facts = {0};
    snprintf(queue, sizeof(queue), "mirrored-failover-%u", run);
    if (!declare(b, 1, queue) || !wait_mirrored(b, 1, queue, &facts))
        return false;
    /* The publisher is on the node that holds no copy: what it sees is the whole way, old and new. */
    unsigned master = facts.master, other = 1 + 2 + 3 - facts.master - facts.mirror;
    if (master < 1 || master > 3 || other < 1 || other > 3)
        return fail(b, "%s: cannot tell its master (%u) and mirror (%u)", queue, master, facts.mirror);
    struct load_spec spec = spec_for(b, queue);
    struct load_result r;
    spec.publish_port = lab_amqp(&b->lab, other);
    spec.count = FAILOVER_MESSAGES;
    pid_t pid = node_process(&b->lab, master);
    if (!load_failover(&spec, kill_process, &pid, &r))
        return fail(b, "%s", r.error);
    *value = r.longest_gap_ms;
    struct node_is gone = {&b->lab, other, master, 0}, back = {&b->lab, other, master, 1};
    if (!wait_until(node_is, &gone, 60000))
        return fail(b, "node%u was killed, node%u still calls it running", master, other);
    struct text out = {0};
    snprintf(node, sizeof(node), "node%u", master);
    delete_queue(b, other, queue);
    int code = LABCTL(&b->lab, &out, "-n", node, "start");
    bool ok = code == 0 && wait_until(node_is, &back, 60000) &&
              wait_until(node_is, &(struct node_is){&b->lab, master, master, 1}, 60000);
    if (!ok)
        fail(b, "labctl -n %s start: code %d: %.300s", node, code, text_str(&out));
    text_finish(&out);
    return ok;
}

/* From the policy's arrival until the queue serves again with a mirror in sync. A statistics interval may lie
 * between that and the API's telling it, so the queue itself is asked, over and over: one declare waits while
 * the sync holds the queue, and its end is the sync's. */
static bool measure_sync(struct bench *b, unsigned run, double *value)
{
    char queue[64], pattern[64];
    snprintf(queue, sizeof(queue), "sync-%u", run);
    snprintf(pattern, sizeof(pattern), "^(mirrored|sync-%u$)", run);
    struct load_spec fill = spec_for(b, queue);
    struct load_result r;
    struct amqp_conn c;
    fill.measured_s = 0;
    fill.count = SYNC_MESSAGES;
    if (!declare(b, 1, queue))
        return false;
    if (!load_publish(&fill, &r))
        return fail(b, "%s", r.error);
    if (!with_connection(b, 1, &c))
        return false;
    struct mirrored m = {.lab = &b->lab, .queue = queue, .asked = 1};
    int64_t began = load_now_us(), longest = 0, longest_end = 0;
    bool ok = set_policy(b, pattern), synced = false;
    while (ok && !synced) {
        uint32_t messages = 0;
        int64_t asked = load_now_us();
        ok = amqp_declare(&c, queue, true, &messages, 60000) || fail(b, "%s: %s", queue, c.error);
        int64_t answered = load_now_us();
        if (answered - asked > longest) {
            longest = answered - asked;
            longest_end = answered;
        }
        if (ok && messages != SYNC_MESSAGES)
            ok = fail(b, "%s: %u messages of %u while synchronising", queue, messages, SYNC_MESSAGES);
        synced = is_mirrored(&m);
        if (ok && !synced && load_now_us() - began > 120 * 1000000LL)
            ok = fail(b, "%s: not synchronised after 120 s", queue);
    }
    int64_t end = longest > 30000 ? longest_end : load_now_us();
    *value = (double)(end - began) / 1e6;
    amqp_finish(&c);
    delete_queue(b, 1, queue);
    return ok;
}

static struct screen_spec screen_of(const struct bench *b, enum measure_id id)
{
    bool wide = id == M_SCREEN_IDLE_WIDE || id == M_SCREEN_FLOW_WIDE || id == M_SCREEN_LARGE;
    return (struct screen_spec){.bin = b->lab.bin,
                                .dir = b->lab.dir,
                                .columns = wide ? 160 : 80,
                                .rows = wide ? 45 : 24,
                                .warm_up_s = SCREEN_WARM_UP_S,
                                .measured_s = 2 * options.measured_s};
}

/* Publishes and consumes beside the screen, at the pace that the measure names or as fast as the engine can;
 * what really flowed is printed. */
static bool measure_flow(struct bench *b, enum measure_id id, unsigned run, double *value)
{
    char queue[64];
    const char *why = NULL;
    int rate[2];
    snprintf(queue, sizeof(queue), "%s-%u", measures[id].name, run);
    if (!declare(b, 1, queue) || pipe(rate) < 0)
        return fail(b, "cannot begin the flow");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct load_spec spec = spec_for(b, queue);
        struct load_result r = {0};
        spec.measured_s = SCREEN_WARM_UP_S + 2 * options.measured_s;
        spec.most_per_second = SCREEN_FLOW;
        bool ok = load_both(&spec, &r) && write(rate[1], &r.per_second, sizeof(r.per_second)) > 0;
        if (!ok)
            fprintf(stderr, "bench: %s\n", r.error);
        _exit(ok ? 0 : 1);
    }
    close(rate[1]);
    struct screen_spec screen = screen_of(b, id);
    bool ok = screen_cpu(&screen, value, &why);
    double per_second = 0;
    int status = -1;
    bool flowed = read(rate[0], &per_second, sizeof(per_second)) == (ssize_t)sizeof(per_second);
    close(rate[0]);
    waitpid(pid, &status, 0);
    printf("%-9s beside the screen flowed %.0f msg/s\n", engines[b->engine], per_second);
    measure_beside(&measures[id], b->engine, per_second, SCREEN_FLOW);
    delete_queue(b, 1, queue);
    return (ok || fail(b, "%s", why)) && (flowed || fail(b, "the flow beside the screen broke"));
}

static bool measure_idle_screen(struct bench *b, enum measure_id id, double *value)
{
    const char *why = NULL;
    struct screen_spec screen = screen_of(b, id);
    return screen_cpu(&screen, value, &why) || fail(b, "%s", why);
}

/* The same with many queues: what is heard of them is 100 times more. */
static bool measure_many_queues(struct bench *b, enum measure_id id, double *value)
{
    for (unsigned i = 1; i <= QUEUES; i++) {
        char path[64];
        struct text answer = {0};
        snprintf(path, sizeof(path), "/api/queues/%%2F/idle-%u", i);
        int status = http_ask(lab_http(&b->lab, i % b->lab.nodes + 1), "PUT", path, "{\"durable\":true}",
                              10000, &answer);
        text_finish(&answer);
        if (status / 100 != 2)
            return fail(b, "PUT %s: status %d", path, status);
    }
    return measure_idle_screen(b, id, value);
}

/* ---- all of it ----------------------------------------------------------------------------------------- */

static void note(struct bench *b, enum measure_id id, bool ok, double value)
{
    if (ok) {
        measure_add(&measures[id], b->engine, value);
        printf("%-9s %-46s %12.3f %s\n", engines[b->engine], measures[id].text, value, measures[id].unit);
    } else {
        measure_failed(&measures[id], b->engine, b->reason);
    }
    fflush(stdout);
}

/* Starts the lab as often as there are runs (once if nobody wants to know); leaves the last one up. */
static bool measure_start(struct bench *b)
{
    unsigned runs = wanted(M_START) || wanted(M_MEMORY) ? options.runs : 1;
    for (unsigned run = 1; run <= runs; run++) {
        double seconds = 0, mib = 0;
        bool ok = start_lab(b, &seconds);
        if (wanted(M_START) || !ok)
            note(b, M_START, ok, seconds);
        if (!ok)
            return false;
        if (wanted(M_MEMORY)) {
            poll(NULL, 0, 2000); /* idle means: nothing has happened for a while */
            for (unsigned i = 1; i <= NODES; i++)
                mib += resident_mib(node_process(&b->lab, i)) / NODES;
            note(b, M_MEMORY, mib > 0 || fail(b, "no memory figure"), mib);
        }
        if (run < runs && !lab_finish(&b->lab))
            return fail(b, "lab down failed");
    }
    return true;
}

static void measure_engine(unsigned engine)
{
    struct bench b = {.engine = engine};
    if (measure_start(&b) && (set_policy(&b, "^mirrored") || (note(&b, M_TRANSIENT, false, 0), false))) {
        for (enum measure_id id = M_TRANSIENT; id < M_SCREEN_LARGE; id++) {
            for (unsigned run = 1; wanted(id) && run <= options.runs; run++) {
                double value = 0;
                bool ok =
                    id == M_FAILOVER                                  ? measure_failover(&b, run, &value)
                    : id == M_SYNC                                    ? measure_sync(&b, run, &value)
                    : id == M_SCREEN_QUEUES                           ? measure_many_queues(&b, id, &value)
                    : id == M_SCREEN_IDLE || id == M_SCREEN_IDLE_WIDE ? measure_idle_screen(&b, id, &value)
                    : id == M_SCREEN_FLOW || id == M_SCREEN_FLOW_WIDE ? measure_flow(&b, id, run, &value)
                                                                      : measure_load(&b, id, run, &value);
                note(&b, id, ok, value);
            }
        }
    }
    if (!lab_finish(&b.lab))
        fprintf(stderr, "bench: %s: lab down failed\n", engines[engine]);
}

/* The largest lab that the screen is for: of the kit's nodes, as ten of RabbitMQ's would be a machine's work.
 */
static void measure_large(void)
{
    struct bench b = {.engine = BENCH_KIT};
    struct text out = {0};
    bool up = lab_init(&b.lab, LARGE_NODES) && lab_up(&b.lab, engines[BENCH_KIT], NULL, &out);
    if (!up)
        fail(&b, "lab up with %d nodes: %.300s", LARGE_NODES, text_str(&out));
    text_finish(&out);
    for (unsigned run = 1; run <= options.runs; run++) {
        double value = 0;
        bool ok = up && set_policy(&b, "^idle") && measure_many_queues(&b, M_SCREEN_LARGE, &value);
        note(&b, M_SCREEN_LARGE, ok, value);
    }
    if (!lab_finish(&b.lab))
        fprintf(stderr, "bench: kit: lab down failed\n");
}

static void usage(FILE *to)
{
    fprintf(to, "usage: bench [--engine kit|rabbitmq|both] [--only MEASURE,...] [--runs N] [--seconds S] "
                "[--json FILE]\n"
                "measures:");
    for (size_t i = 0; i < MEASURES; i++)
        fprintf(to, " %s", measures[i].name);
    fprintf(to, "\n");
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"engine", required_argument, NULL, 'e'},
                                          {"only", required_argument, NULL, 'o'},
                                          {"runs", required_argument, NULL, 'r'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {"json", required_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    bool measured[BENCH_ENGINES] = {[BENCH_KIT] = true};
    for (int o; (o = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
        switch (o) {
        case 'e':
            measured[BENCH_KIT] = !strcmp(optarg, "kit") || !strcmp(optarg, "both");
            measured[BENCH_RABBITMQ] = !strcmp(optarg, "rabbitmq") || !strcmp(optarg, "both");
            break;
        case 'o': options.only = optarg; break;
        case 'r': options.runs = (unsigned)atoi(optarg); break;
        case 's': options.measured_s = atof(optarg); break;
        case 'j': options.json = optarg; break;
        case 'h': usage(stdout); return 0;
        default: usage(stderr); return 64;
        }
    }
    bool known = !options.only;
    for (enum measure_id id = 0; id < MEASURES; id++)
        known = known || wanted(id);
    if (optind < argc || !known || !(measured[BENCH_KIT] || measured[BENCH_RABBITMQ]) || options.runs < 1 ||
        options.runs > BENCH_RUNS_MAX || options.measured_s <= 0) {
        usage(stderr);
        return 64;
    }
    for (unsigned e = 0; e < BENCH_ENGINES; e++)
        if (measured[e])
            measure_engine(e);
    if (measured[BENCH_KIT] && wanted(M_SCREEN_LARGE))
        measure_large();
    report_print(measures, MEASURES, measured);
    bool written = !options.json || report_write(measures, MEASURES, measured, options.json);
    return written && report_complete(measures, MEASURES) ? 0 : 1;
}

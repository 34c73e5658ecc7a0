/* plan.c: from a seed to a plan. Each seed also chooses which kinds of faults, policies and clients it has (a
 * swarm): runs that do everything at once hide what a few rare things do together. */
#include "sim/plan_private.h"

#include "base/err.h"

static const struct {
    const char *name;
    unsigned faults;
} fault_names[] = {{"all", FAULTS_ALL},     {"classic", FAULTS_CLASSIC}, {"cuts", FAULT_CUTS},
                   {"clogs", FAULT_CLOGS},  {"clocks", FAULT_CLOCKS},    {"disks", FAULT_DISKS},
                   {"forget", FAULT_FORGET}};

bool plan_faults_named(const char *names, unsigned *faults)
{
    *faults = 0;
    while (*names) {
        size_t len = strcspn(names, ",");
        bool found = false;
        for (size_t i = 0; i < ARRAY_LEN(fault_names); i++)
            if (strlen(fault_names[i].name) == len && strncmp(names, fault_names[i].name, len) == 0) {
                *faults |= fault_names[i].faults;
                found = true;
            }
        if (!found)
            return false;
        names += len + (names[len] == ',');
    }
    return true;
}

/* as plan_faults_named reads them */
static void name_faults(struct text *t, unsigned faults)
{
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(fault_names); i++)
        if (fault_names[i].faults == faults) {
            text_add(t, fault_names[i].name);
            return;
        }
    for (size_t i = 0; i < ARRAY_LEN(fault_names); i++)
        if (node_count(fault_names[i].faults) == 1 && (faults & fault_names[i].faults)) {
            text_printf(t, "%s%s", any ? "," : "", fault_names[i].name);
            any = true;
        }
}

bool plan_can_happen(unsigned faults, enum sim_count c)
{
    switch (c) {
    case SIM_KILLS:
    case SIM_STOPS:
    case SIM_SLOW_LINKS:
    case SIM_OFFERED_AGAIN:
    case SIM_SUBMITTED_AGAIN:
    case SIM_DELIVERED_AGAIN: return true;
    case SIM_CUTS:
    case SIM_ONE_WAY_CUTS:
    case SIM_CUTS_SURVIVED:
    case SIM_LINKS_LOST:
    case SIM_SPLITS:
    case SIM_RESTARTS: return faults & FAULT_CUTS;
    case SIM_CLOGS: return faults & FAULT_CLOGS;
    case SIM_CLOCK_JUMPS: return faults & FAULT_CLOCKS;
    case SIM_TORN_TAILS: return true;
    case SIM_REORDERED_WRITES:
    case SIM_WRITE_ERRORS:
    case SIM_SYNC_ERRORS:
    case SIM_DISK_FULL: return faults & FAULT_DISKS;
    case SIM_FORGOTTEN:
    case SIM_RESETS:
    case SIM_FORCED:
    case SIM_DISKS_LOST: return faults & FAULT_FORGET;
    case SIM_COUNT_: break;
    }
    return false;
}

const char *plan_handling_name(enum partition_handling h)
{
    switch (h) {
    case PARTITION_IGNORE: return "ignore";
    case PARTITION_PAUSE_MINORITY: return "pause_minority";
    case PARTITION_AUTOHEAL: return "autoheal";
    }
    return "?";
}

#define FORCE_PERCENT 3

void plan_line(struct chooser *c, uint64_t wait_ms, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_printf(&c->p->schedule, "+%llu ", (unsigned long long)wait_ms);
    text_vprintf(&c->p->schedule, format, args);
    text_add(&c->p->schedule, "\n");
    va_end(args);
}

static void choose_world(struct chooser *c)
{
    struct sim_options *o = &c->p->options;
    sim_options_defaults(o);
    o->seed = rng_next(&c->r);
    static const unsigned sizes[] = {3, 3, 3, 3, 3, 3, 3, 2, 2, 4, 4, 5, 5, 6, 1};
    o->nodes = sizes[rng_below(&c->r, ARRAY_LEN(sizes))];
    switch (rng_below(&c->r, 4)) {
    case 0: o->link_min_us = 50, o->link_max_us = 500; break;
    case 1: o->link_min_us = 1000, o->link_max_us = 20000; break;
    case 2: o->link_min_us = 50, o->link_max_us = 20000; break;
    default: o->link_min_us = 10, o->link_max_us = 2000; break;
    }
    switch (rng_below(&c->r, 3)) {
    case 0: o->disk_min_us = 20, o->disk_max_us = 300; break;
    case 1: o->disk_min_us = 1000, o->disk_max_us = 30000; break;
    default: o->disk_min_us = 100, o->disk_max_us = 8000; break;
    }
    o->turn_max_us = rng_chance(&c->r, 50) ? 200 : 3000;
    o->one_fault_at_a_time = o->nodes > 1 && rng_chance(&c->r, 20);
    o->torn_sectors = c->disks;
    if (o->nodes == 1)
        c->cuts = c->clogs = false;
    if (c->cuts) {
        o->partition_handling = (enum partition_handling)rng_below(&c->r, 3);
        /* ignore waits for an operator; of two nodes pause_minority takes down both */
        if (o->one_fault_at_a_time && (o->nodes == 2 || o->partition_handling == PARTITION_IGNORE))
            o->partition_handling = PARTITION_AUTOHEAL;
        o->silence_ms = between(&c->r, 20, rng_chance(&c->r, 50) ? 200 : 2000);
        o->reconnect_ms = between(&c->r, 0, 200);
    }
}

static const char *some_queue(struct chooser *c)
{
    return c->queues[rng_below(&c->r, c->queues_len)].name;
}

static unsigned some_node(struct chooser *c)
{
    return (unsigned)rng_below(&c->r, c->p->options.nodes);
}

static unsigned another_node(struct chooser *c, unsigned n)
{
    return (n + 1 + (unsigned)rng_below(&c->r, c->p->options.nodes - 1)) % c->p->options.nodes;
}

/* Two nodes, one direction, or two sides; healed soon, late, or in the end. */
static void choose_cut(struct chooser *c, uint64_t wait_ms)
{
    unsigned nodes = c->p->options.nodes, n = some_node(c), other = another_node(c, n);
    uint64_t silence = c->p->options.silence_ms;
    bool calm = c->p->options.one_fault_at_a_time;
    if (!calm && rng_chance(&c->r, 15)) {
        plan_line(c, wait_ms, "heal");
        return;
    }
    switch (rng_below(&c->r, 5)) {
    case 0: plan_line(c, wait_ms, "cut node%u node%u", n + 1, other + 1); break;
    case 1: plan_line(c, wait_ms, "cut-now node%u node%u", n + 1, other + 1); break;
    case 2: plan_line(c, wait_ms, "cut-one-way node%u node%u", n + 1, other + 1); break;
    default: {
        node_set side = (node_set)between(&c->r, 1, (1u << nodes) - 2);
        struct text names = {0};
        for (unsigned i = 0; i < nodes; i++)
            if (node_in(side, (node_id)i))
                text_printf(&names, "%snode%u", names.len ? "," : "", i + 1);
        plan_line(c, wait_ms, "part %s", text_str(&names));
        text_finish(&names);
    }
    }
    if (calm || rng_chance(&c->r, 60))
        plan_line(c, between(&c->r, 0, silence * 2), "heal");
    if (calm)
        plan_line(c, 0, "calm");
}

/* Each ends the node as a kill does, a little later: the schedule starts it again. */
static void choose_disk_fault(struct chooser *c, uint64_t wait_ms, unsigned n)
{
    bool calm = c->p->options.one_fault_at_a_time, full = rng_chance(&c->r, 30);
    plan_line(c, wait_ms, "%s node%u",
              full                    ? "full-disk"
              : rng_chance(&c->r, 50) ? "fail-write"
                                      : "fail-sync",
              n + 1);
    if (!calm && rng_chance(&c->r, 30))
        return; /* its next start, if it was written to at all, is the last one's */
    if (full)
        plan_line(c, between(&c->r, 0, 600), "free-disk node%u", n + 1);
    plan_line(c, between(&c->r, 0, 600), "start node%u", n + 1);
    if (calm)
        plan_line(c, 0, "calm");
}

static void name_nodes(struct chooser *c, uint64_t wait_ms, const char *verb, unsigned without)
{
    struct text line = {0};
    text_add(&line, verb);
    for (unsigned i = 0; i < c->p->options.nodes; i++)
        if (i != without)
            text_printf(&line, " node%u", i + 1);
    plan_line(c, wait_ms, "%s", line.s);
    text_finish(&line);
}

/* The power fails, and one disk does not survive that. Not the first node's: when it is empty it
 * begins a cluster of its own, if it cannot reach the others in time. */
static void choose_lost_disk(struct chooser *c, uint64_t wait_ms)
{
    unsigned nodes = c->p->options.nodes, n = (unsigned)between(&c->storm_rng, 1, nodes - 1);
    name_nodes(c, wait_ms, "kill", nodes);
    plan_line(c, 0, "lose-disk node%u", n + 1);
    name_nodes(c, between(&c->storm_rng, 0, 100), "start", n);
    plan_line(c, between(&c->storm_rng, 0, 300), "start node%u", n + 1);
    for (unsigned i = 0; i < nodes; i++)
        c->up[i] = true;
}

static void choose_fault(struct chooser *c, uint64_t wait_ms)
{
    unsigned n = some_node(c);
    bool calm = c->p->options.one_fault_at_a_time;
    if (c->loses_disks && rng_chance(&c->storm_rng, 20)) {
        choose_lost_disk(c, wait_ms);
        return;
    }
    if (c->cuts && rng_chance(&c->r, 40)) {
        choose_cut(c, wait_ms);
        return;
    }
    if (c->clocks && rng_chance(&c->r, 15)) {
        plan_line(c, wait_ms, "clock node%u %s%u", n + 1, rng_chance(&c->r, 50) ? "-" : "",
                  (unsigned)between(&c->r, 1, rng_chance(&c->r, 50) ? 1000 : 3600000));
        return;
    }
    if (c->disks && c->up[n] && rng_chance(&c->r, 30)) {
        choose_disk_fault(c, wait_ms, n);
        return;
    }
    if (c->clogs && rng_chance(&c->r, 25)) {
        plan_line(c, wait_ms, "clog node%u node%u %u", n + 1, another_node(c, n) + 1,
                  (unsigned)between(&c->r, 10, 2000));
        return;
    }
    if (c->slow && rng_chance(&c->r, 25) && c->p->options.nodes > 1) {
        plan_line(c, wait_ms, "slow node%u node%u %u %u", n + 1, another_node(c, n) + 1,
                  (unsigned)between(&c->r, 5, 100), (unsigned)between(&c->r, 20, 500));
        return;
    }
    /* not the first: when it is empty it begins a cluster of its own, if nobody else runs just then */
    if (!c->up[n] && n > 0 && c->forgets && !calm && rng_chance(&c->r, 60)) {
        plan_line(c, wait_ms, "forget node%u", n + 1);
        plan_line(c, between(&c->r, 0, 500), "reset node%u", n + 1);
        wait_ms = between(&c->r, 0, 500);
    }
    if (!c->up[n]) {
        plan_line(c, wait_ms, "start node%u", n + 1);
        c->up[n] = true;
        return;
    }
    if (!c->kills && !c->stops)
        return;
    bool kill = c->kills && (!c->stops || rng_chance(&c->r, 50));
    plan_line(c, wait_ms, "%s node%u", kill ? "kill" : "stop", n + 1);
    if (calm || rng_chance(&c->r, 60)) {
        plan_line(c, between(&c->r, 0, rng_chance(&c->r, 50) ? 30 : 600), "start node%u", n + 1);
        if (calm)
            plan_line(c, 0, "calm");
    } else {
        c->up[n] = false;
    }
}

static void choose_operation(struct chooser *c, uint64_t wait_ms)
{
    switch (rng_below(&c->r, 7)) {
    case 0:
        if (c->policies)
            choose_policy(c, wait_ms);
        if (c->policies && c->p->options.one_fault_at_a_time)
            plan_line(c, 0, "calm"); /* new mirrors are to be in sync before anything fails */
        break;
    case 1:
        if (c->policies && !c->p->options.one_fault_at_a_time)
            plan_line(c, wait_ms, "clear ha");
        break;
    case 2:
    case 3:
        if (c->syncs)
            plan_line(c, wait_ms, rng_chance(&c->r, 70) ? "sync %s" : "cancel-sync %s", some_queue(c));
        break;
    case 4:
        if (c->keys && rng_chance(&c->r, 80))
            plan_line(c, wait_ms, "put k%u v%u", (unsigned)between(&c->r, 1, 2),
                      (unsigned)between(&c->r, 1, 999));
        else if (c->keys)
            plan_line(c, wait_ms, "unput k%u", (unsigned)between(&c->r, 1, 2));
        break;
    case 5:
        if (c->purges)
            plan_line(c, wait_ms, "purge %s", some_queue(c));
        break;
    default:
        if (c->deletes)
            plan_line(c, wait_ms, "delete %s", some_queue(c));
    }
}

void add_client(struct chooser *c, struct sched_client like)
{
    like.number = (unsigned)c->clients_len + 1;
    c->clients[c->clients_len++] = like;
}

/* An exclusive queue, durable or not, which the policies' pattern names, too; somebody else may try it. */
static void choose_owner(struct chooser *c)
{
    static char queue[] = "qx";
    add_client(c, (struct sched_client){.kind = SCHED_OWNER,
                                        .queue = queue,
                                        .durable = rng_chance(&c->args_rng, 50),
                                        .every_us = 30000});
    if (c->clients_len < SCHED_CLIENTS && rng_chance(&c->args_rng, 50))
        add_client(c, (struct sched_client){
                          .kind = SCHED_GETTER, .queue = queue, .every_us = 30000, .settle_us = 20000});
}

static void choose_clients(struct chooser *c)
{
    size_t publishers = between(&c->r, 1, 4), consumers = rng_below(&c->r, 5);
    bool auto_ack = rng_chance(&c->r, 15);
    for (size_t i = 0; i < publishers + consumers && c->clients_len < SCHED_CLIENTS - 2; i++) {
        struct plan_queue *q = &c->queues[rng_below(&c->r, c->queues_len)];
        struct sched_client k = {.kind = i < publishers ? SCHED_PUBLISHER : SCHED_CONSUMER,
                                 .queue = q->name,
                                 .every_us = (uint32_t)between(&c->r, 2000, 60000),
                                 .messages = (uint32_t)between(&c->r, 5, 60),
                                 .persistent_percent = (uint32_t[]){0, 50, 100, 100}[rng_below(&c->r, 4)],
                                 .prefetch = (uint32_t[]){0, 1, 3, 10}[rng_below(&c->r, 4)],
                                 .settle_us =
                                     (uint32_t)between(&c->r, 500, rng_chance(&c->r, 50) ? 5000 : 100000),
                                 .requeue_percent = rng_chance(&c->r, 40) ? 20 : 0,
                                 .discard_percent = rng_chance(&c->r, 20) ? 10 : 0,
                                 .leave_percent = rng_chance(&c->r, 50) ? 10 : 0};
        if (k.kind == SCHED_CONSUMER) {
            k.no_ack = auto_ack && rng_chance(&c->r, 50);
            k.cancel_on_failover = rng_chance(&c->r, 25);
        }
        add_client(c, k);
    }
    if (rng_chance(&c->r, 30))
        add_client(c, (struct sched_client){.kind = SCHED_GETTER,
                                            .queue = c->queues[0].name,
                                            .every_us = 20000,
                                            .settle_us = 20000,
                                            .no_ack = auto_ack,
                                            .requeue_percent = 30});
    if (!c->p->options.one_fault_at_a_time && rng_chance(&c->r, 10))
        choose_owner(c);
}

/* All are killed at once, and one does not come back for long: the others would wait for it, so one of them
 * is forced to start. Choices of its own: those of other seeds stay what they were. */
static void choose_force(struct chooser *c)
{
    struct rng r;
    rng_init(&r, c->p->seed ^ 0x666f726365);
    unsigned nodes = c->p->options.nodes;
    if (nodes < 2 || c->cuts || c->clocks || c->p->options.one_fault_at_a_time ||
        !rng_chance(&r, FORCE_PERCENT))
        return;
    unsigned missing = (unsigned)rng_below(&r, nodes),
             forced = (missing + 1 + (unsigned)rng_below(&r, nodes - 1)) % nodes;
    struct text all = {0}, others = {0};
    for (unsigned n = 0; n < nodes; n++) {
        text_printf(&all, " node%u", n + 1);
        if (n != missing)
            text_printf(&others, " node%u", n + 1);
    }
    plan_line(c, between(&r, 0, 600), "kill%s", text_str(&all));
    plan_line(c, 0, "force node%u", forced + 1);
    plan_line(c, between(&r, 0, 600), "start%s", text_str(&others));
    /* not before the others serve: who forces a node while the missing one returns may get two clusters */
    plan_line(c, between(&r, 4000, 8000), "start node%u", missing + 1);
    text_finish(&all);
    text_finish(&others);
}

/* What the schedule says of the world, and, as a comment, what it leaves to the seed. */
static void write_world(struct plan *p)
{
    const struct sim_options *o = &p->options;
    text_printf(&p->schedule, "seed %llu ", (unsigned long long)p->seed);
    name_faults(&p->schedule, p->faults);
    text_printf(
        &p->schedule,
        "\n# a message takes %llu to %llu us, a sync %llu to %llu us; silence of %llu ms is noticed\n",
        (unsigned long long)o->link_min_us, (unsigned long long)o->link_max_us,
        (unsigned long long)o->disk_min_us, (unsigned long long)o->disk_max_us,
        (unsigned long long)o->silence_ms);
    text_printf(&p->schedule, "nodes %u\npartitions %s\n", o->nodes,
                plan_handling_name(o->partition_handling));
}

void plan_make(struct plan *p, uint64_t seed, unsigned allowed)
{
    *p = (struct plan){.seed = seed, .faults = allowed};
    struct chooser c = {.p = p};
    rng_init(&c.r, seed);
    rng_next(&c.r);
    c.kills = rng_chance(&c.r, 70);
    c.stops = rng_chance(&c.r, 60);
    c.slow = rng_chance(&c.r, 40);
    c.policies = rng_chance(&c.r, 40);
    c.syncs = rng_chance(&c.r, 50);
    c.purges = rng_chance(&c.r, 10);
    c.deletes = rng_chance(&c.r, 10);
    c.unmirrored = rng_chance(&c.r, 30);
    c.keys = rng_chance(&c.r, 30);
    c.cuts = (allowed & FAULT_CUTS) && rng_chance(&c.r, 50);
    c.clogs = (allowed & FAULT_CLOGS) && rng_chance(&c.r, 30);
    c.clocks = (allowed & FAULT_CLOCKS) && rng_chance(&c.r, 20);
    c.disks = (allowed & FAULT_DISKS) && rng_chance(&c.r, 40);
    c.forgets = (allowed & FAULT_FORGET) && rng_chance(&c.r, 15);
    rng_init(&c.limits_rng, seed ^ 0x6c696d697473); /* its own: other choices stay what they were */
    c.limits = rng_chance(&c.limits_rng, 15);
    choose_world(&c);
    struct rng sizes;
    rng_init(&sizes, seed ^ 0x73697a65); /* its own, too */
    if (rng_chance(&sizes, 30)) /* so that what is cut into batches is cut: who forgets it is noticed */
        p->options.batch_bytes = between(&sizes, 64, 1000);
    if (c.cuts && p->options.partition_handling != PARTITION_PAUSE_MINORITY)
        c.forgets = false; /* one side would remove a node that serves on the other */
    for (unsigned n = 0; n < p->options.nodes; n++)
        c.up[n] = true;
    rng_init(&c.storm_rng, seed ^ 0x73746f726d);
    choose_storms(&c);
    choose_second_policy(&c);
    choose_restless(&c);
    /* not with cuts: when all are killed, the side of a partition that is to be discarded may be the one
     * whose view is on its disk */
    c.loses_disks = (allowed & FAULT_FORGET) && !c.cuts && p->options.nodes > 1 &&
                    !p->options.one_fault_at_a_time && rng_chance(&c.storm_rng, 10);
    choose_queues(&c);
    rng_init(&c.args_rng, seed ^ 0x61726773);
    choose_arguments(&c);
    choose_clients(&c);
    add_restless_clients(&c);
    write_world(p);
    for (size_t i = 0; i < c.clients_len; i++)
        sched_client_write(&p->schedule, &c.clients[i]);
    choose_policy(&c, 0);
    for (size_t i = 0; i < c.queues_len; i++) {
        const struct plan_queue *q = &c.queues[i];
        plan_line(&c, i == 0 ? 50 : 0, "declare %s %s%s%s", q->name,
                  q->declare & SIM_DURABLE       ? "durable"
                  : q->declare & SIM_AUTO_DELETE ? "auto-delete"
                                                 : "transient",
                  q->args.len ? " " : "", text_str(&q->args));
    }
    if (p->options.one_fault_at_a_time)
        plan_line(&c, between(&c.r, 20, 300), "calm");
    unsigned faults = (unsigned)between(&c.r, 1, rng_chance(&c.r, 20) ? 30 : 10);
    uint64_t hurry = rng_chance(&c.r, 40) ? 30 : 500; /* storms and showers */
    for (unsigned i = 0; i < faults; i++) {
        maybe_storm(&c);
        maybe_second_policy(&c);
        maybe_restless(&c);
        if (rng_chance(&c.r, 50))
            choose_operation(&c, between(&c.r, 0, hurry));
        choose_fault(&c, between(&c.r, 0, hurry));
    }
    if (allowed & FAULT_FORGET)
        choose_force(&c);
    for (size_t i = 0; i < c.queues_len; i++)
        text_finish(&c.queues[i].args);
}

int plan_read(struct plan *p, const char *file, const char *text, char **error)
{
    struct sched s;
    unsigned faults = FAULTS_DEFAULT;
    *p = (struct plan){0};
    int err = sched_parse(&s, file, text, error);
    if (!err && !s.seeded) {
        *error = format_text("%s: it has no seed; write one at the top, such as: seed 77", file);
        err = ERR_INVALID;
    } else if (!err && *s.faults && !plan_faults_named(s.faults, &faults)) {
        *error =
            format_text("%s: seed %llu %s: there are no faults of that name; write all, classic, or names "
                        "with commas between",
                        file, (unsigned long long)s.seed, s.faults);
        err = ERR_INVALID;
    }
    if (!err) {
        plan_make(p, s.seed, faults);
        text_clear(&p->schedule);
        text_add(&p->schedule, text);
    }
    sched_finish(&s);
    return err;
}

void plan_finish(struct plan *p)
{
    text_finish(&p->schedule);
}

/* play.c: plays a plan: boots the nodes, starts the clients, follows the schedule line by line; then heals
 * everything and demands what must hold in the end (I12): all queues run and all that was confirmed comes
 * out. */
#include "sim/plan.h"

#include "base/sched.h"
#include "sim/world.h"

#define BOOT_LIMIT_MS 60000
#define CALM_LIMIT_MS 120000

/* What the schedule says of a queue, event by event. */
struct declared {
    const char *name;
    unsigned flags;
    struct queue_args args;
};

struct played {
    const struct sched *schedule;
    struct declared *declared; /* of event i; name NULL: it declares nothing */
};

/* ---- one line of the schedule ---- */

static node_id some_serving(struct sim *s)
{
    node_id open[SIM_NODES];
    unsigned count = 0;
    for (node_id n = 0; n < s->options.nodes; n++)
        if (sim_serving(s, n))
            open[count++] = n;
    return count ? open[rng_below(&s->client, count)] : NODE_NONE;
}

static void on_queue(struct sim *s, enum event_type type, const char *name)
{
    node_id n = some_serving(s);
    if (n == NODE_NONE)
        return;
    struct event ev = {.type = type};
    ev.u.queue.name = name;
    ev.u.queue.owner.node = n;
    ev.u.queue.owner.incarnation = s->nodes[n].incarnation;
    ev.u.queue.owner.connection = 1;
    sim_ask(s, n, &ev);
}

static void on_policy(struct sim *s, const struct sched_event *e)
{
    node_id n = some_serving(s);
    struct event ev = {.type = e->verb == SCHED_POLICY ? EV_SET_POLICY : EV_CLEAR_POLICY,
                       .u.policy = {.name = e->name,
                                    .pattern = e->second,
                                    .definition = e->third,
                                    .priority = (int32_t)e->numbers[0]}};
    if (n != NODE_NONE)
        sim_ask(s, n, &ev);
}

/* With its declaration's flags and arguments, an operator or a client declares a queue. */
static void declare(struct sim *s, const struct declared *d)
{
    node_id n = some_serving(s);
    if (n == NODE_NONE)
        return;
    struct event ev = declare_event(s, n, d->name, d->flags, 1);
    ev.u.queue.args = &d->args;
    sim_ask(s, n, &ev);
}

/* Synchronises what is not, and waits until nothing is on its way: then the next fault is a single one. */
static void calm(struct sim *s)
{
    clients_pause(s);
    for (unsigned tries = 0; tries < 4 && !s->failure; tries++) {
        if (!sim_calm(s, CALM_LIMIT_MS)) {
            sim_fail(s, "I12", "no calm within %u s of a single fault", CALM_LIMIT_MS / 1000);
            return;
        }
        bool all = true;
        node_id n = some_serving(s);
        size_t at = 0;
        const struct queue *q;
        while (n != NODE_NONE && (q = mirror_next_queue(s->nodes[n].m, &at))) {
            struct queue_info info;
            mirror_queue_info(s->nodes[n].m, q, &info);
            if (node_count(info.synced) < info.mirrors_len) {
                all = false;
                struct event ev = {.type = EV_SYNC, .u.queue.name = info.name};
                sim_ask(s, n, &ev);
                break;
            }
        }
        if (all)
            break;
    }
    clients_resume(s);
}

static void change_key(struct sim *s, const char *key, const char *value)
{
    node_id n = some_serving(s);
    if (n == NODE_NONE)
        return;
    struct event ev = {.type = value ? EV_META_PUT : EV_META_DELETE,
                       .u.meta = {.key = bytes_str(key), .value = bytes_str(value), .durable = true}};
    check_key_asked(s, key, value, s->asks.len + 1);
    sim_ask(s, n, &ev);
}

/* Whoever starts a node has looked after its disk: what has not failed by now will not. */
static void start_node(struct sim *s, node_id n)
{
    s->nodes[n].disk.fails = DISK_FAILS_NOT;
    sim_start(s, n);
}

static void obey(struct sim *s, const struct played *p, size_t i)
{
    const struct sched_event *e = &p->schedule->events.items[i];
    sim_tell(s, "%10.3f  ==== %s", (double)s->now_us / 1000.0, e->text);
    if (e->luck)
        sim_throw(s, e->luck);
    if (e->nodes >> s->options.nodes) {
        sim_fail(s, "schedule", "line %u: there are %u nodes: %s", e->line, s->options.nodes, e->text);
        return;
    }
    for (node_id n = 0; n < s->options.nodes; n++) {
        if (!node_in(e->nodes, n))
            continue;
        if (e->verb == SCHED_KILL)
            sim_kill(s, n);
        else if (e->verb == SCHED_STOP)
            sim_stop(s, n);
        else if (e->verb == SCHED_START)
            start_node(s, n);
    }
    switch (e->verb) {
    case SCHED_KILL:
    case SCHED_STOP:
    case SCHED_START: break;
    case SCHED_SLOW: sim_slow(s, e->node, e->other, (unsigned)e->numbers[0], e->numbers[1]); break;
    case SCHED_CUT: sim_cut(s, e->node, e->other); break;
    case SCHED_CUT_NOW: sim_cut_now(s, e->node, e->other); break;
    case SCHED_CUT_ONE_WAY: sim_cut_one_way(s, e->node, e->other); break;
    case SCHED_PART: sim_cut_off(s, e->nodes, false); break;
    case SCHED_HEAL:
        if (e->node == SCHED_NONE)
            sim_heal_all(s);
        else
            sim_heal(s, e->node, e->other);
        break;
    case SCHED_CLOG: sim_clog(s, e->node, e->other, e->numbers[0]); break;
    case SCHED_FAIL_WRITE: sim_fail_write(s, e->node); break;
    case SCHED_FAIL_SYNC: sim_fail_sync(s, e->node); break;
    case SCHED_FULL_DISK:
    case SCHED_FREE_DISK: sim_fill_disk(s, e->node, e->verb == SCHED_FULL_DISK); break;
    case SCHED_FORGET: sim_forget(s, e->node); break;
    case SCHED_FORGET_OFFLINE: sim_forget_offline(s, e->node, e->other); break;
    case SCHED_FORCE: sim_force(s, e->node); break;
    case SCHED_RESET: sim_reset(s, e->node); break;
    case SCHED_LOSE_DISK: sim_lose_disk(s, e->node); break;
    case SCHED_CLOCK: sim_jump_clock(s, e->node, e->jump_ms); break;
    case SCHED_POLICY:
    case SCHED_CLEAR: on_policy(s, e); break;
    case SCHED_DECLARE: declare(s, &p->declared[i]); break;
    case SCHED_DELETE: on_queue(s, EV_DELETE, e->name); break;
    case SCHED_PURGE: on_queue(s, EV_PURGE, e->name); break;
    case SCHED_SYNC: on_queue(s, EV_SYNC, e->name); break;
    case SCHED_CANCEL_SYNC: on_queue(s, EV_CANCEL_SYNC, e->name); break;
    case SCHED_PUT: change_key(s, e->name, e->second); break;
    case SCHED_UNPUT: change_key(s, e->name, NULL); break;
    case SCHED_CALM: calm(s); break;
    case SCHED_PUBLISH:
    case SCHED_CONSUME:
    case SCHED_VERB_COUNT_:
        sim_fail(s, "schedule", "line %u: a seed's clients publish and consume: %s", e->line, e->text);
        break;
    }
}

/* ---- the whole ---- */

/* As the schedule declares it first: so a client does, too, if it is not there. NULL: nothing is said. */
static const struct declared *declared_as(const struct played *p, const char *queue)
{
    for (size_t i = 0; i < p->schedule->events.len; i++)
        if (p->declared[i].name && strcmp(p->declared[i].name, queue) == 0)
            return &p->declared[i];
    return NULL;
}

static void read_declarations(struct sim *s, struct played *p)
{
    static const unsigned flags[] = {SIM_DURABLE, 0, SIM_AUTO_DELETE};
    p->declared = xcalloc(p->schedule->events.len + 1, sizeof(p->declared[0]));
    for (size_t i = 0; i < p->schedule->events.len; i++) {
        const struct sched_event *e = &p->schedule->events.items[i];
        struct declared *d = &p->declared[i];
        char *error = NULL;
        if (e->verb != SCHED_DECLARE)
            continue;
        if (plan_args_read(&d->args, e->third ? e->third : "{}", &error))
            sim_fail(s, "schedule", "line %u: %s", e->line, error);
        else
            d->name = e->name;
        d->flags = flags[e->queue_kind];
        free(error);
    }
}

static void add_clients(struct sim *s, const struct played *p, uint64_t seed)
{
    for (size_t i = 0; i < p->schedule->clients.len; i++) {
        const struct sched_client *like = &p->schedule->clients.items[i];
        const struct declared *d = like->kind == SCHED_OWNER ? NULL : declared_as(p, like->queue);
        unsigned own = like->kind == SCHED_OWNER && !like->durable ? 0 : SIM_DURABLE;
        struct client_plan c = {like, d ? d->flags : own, d ? &d->args : NULL};
        clients_add(s, &c, seed * 100 + like->number - 1);
    }
}

static void show(const struct sim *s, const struct plan_watch *watch, const struct sched_event *e)
{
    if (watch)
        watch->after(watch->arg, s, e);
}

/* false: a promise broke, and who watches was told */
static bool follow(struct sim *s, const struct played *p, const struct plan_watch *watch)
{
    const struct sched_event *before = NULL;
    for (size_t i = 0; i < p->schedule->events.len && !s->failure; i++) {
        sim_run(s, p->schedule->events.items[i].wait_ms);
        if (s->failure)
            break;
        if (before)
            show(s, watch, before);
        before = &p->schedule->events.items[i];
        obey(s, p, i);
    }
    sim_run(s, 50);
    if (before || s->failure)
        show(s, watch, before);
    return !s->failure;
}

static bool nobody_stops(struct sim *s, void *arg)
{
    (void)arg;
    for (node_id n = 0; n < s->options.nodes; n++)
        if (s->nodes[n].stopping)
            return false;
    return true;
}

/* Mode ignore: the operator lets one side win, and restarts the nodes of the others. */
static void restart_sides(struct sim *s)
{
    if (s->failure)
        return;
    node_id winner = (node_id)rng_below(&s->client, s->options.nodes);
    node_set members = mirror_view(s->nodes[winner].m).members, restarted = 0;
    bool kill = rng_chance(&s->client, 50);
    for (node_id n = 0; n < s->options.nodes; n++) {
        if (node_in(members, n))
            continue;
        sim_tell(s, "%10.3f  ==== the operator restarts %s", (double)s->now_us / 1000.0, s->names[n]);
        restarted |= node_bit(n);
        if (kill)
            sim_kill(s, n);
        else
            sim_stop(s, n);
    }
    if (!sim_until(s, nobody_stops, NULL, BOOT_LIMIT_MS))
        sim_fail(s, "I12", "an orderly stop of one side of a partition does not end");
    for (node_id n = 0; n < s->options.nodes; n++)
        if (node_in(restarted, n))
            sim_start(s, n);
    if (restarted && !sim_calm(s, CALM_LIMIT_MS))
        sim_fail(s, "I12", "no calm within %u s after one side of a partition was restarted",
                 CALM_LIMIT_MS / 1000);
}

static void heal(struct sim *s)
{
    clients_pause(s);
    for (node_id n = 0; n < s->options.nodes; n++) {
        s->nodes[n].disk.fails = DISK_FAILS_NOT;
        sim_fill_disk(s, n, false);
        for (node_id other = 0; other < s->options.nodes; other++)
            s->links[n][other].slow_until_us = s->now_us;
    }
    if (!sim_until(s, nobody_stops, NULL, BOOT_LIMIT_MS))
        sim_fail(s, "I12", "an orderly stop does not end");
    sim_heal_all(s);
    for (node_id n = 0; n < s->options.nodes; n++)
        sim_start(s, n);
    sim_tell(s, "%10.3f  ==== all nodes are started; no more faults", (double)s->now_us / 1000.0);
    if (!sim_calm(s, CALM_LIMIT_MS))
        sim_fail(s, "I12", "no calm within %u s of virtual time after all faults are over",
                 CALM_LIMIT_MS / 1000);
    check_sides(s);
    restart_sides(s);
    if (!s->failure)
        check_healed(s);
}

/* What a master that moves away meanwhile did not hear of comes again, and is settled again. */
static void settle_all(struct sim *s, uint64_t sub)
{
    for (size_t k = 0; k < sim_deliveries(s, sub) && !s->failure; k++) {
        if (!sim_delivery(s, sub, k)->settled)
            sim_settle(s, sub, k, SETTLE_ACK);
        bool last = k + 1 == sim_deliveries(s, sub);
        if (last && !sim_calm(s, CALM_LIMIT_MS) && !s->failure)
            sim_fail(s, "I12", "no calm after a queue was emptied");
    }
}

/* Every queue that is listed, those too that some node had lost on the way: a queue that lives can be
 * emptied. */
static void drain(struct sim *s)
{
    clients_leave(s);
    if (!s->failure && !sim_calm(s, CALM_LIMIT_MS))
        sim_fail(s, "I12", "no calm after all clients left");
    for (uint32_t i = 0; i < s->ledger.queues.len && !s->failure; i++) {
        node_id n = some_serving(s);
        const char *name = s->ledger.queues.items[i].name;
        struct queue_info info;
        if (!sim_queue(s, n, name, &info) || info.uid != s->ledger.queues.items[i].uid)
            continue;
        uint64_t sub = sim_subscribe(s, n, name, 0, 0);
        if (sub == 0 && !s->failure && sim_calm(s, CALM_LIMIT_MS) && !sim_queue(s, n, name, &info))
            continue; /* nobody used it for as long as it says */
        if (sub == 0 && !s->failure)
            sim_fail(s, "I12", "%s cannot be consumed through %s", name, s->names[n]);
        if (sub == 0 || !sim_calm(s, CALM_LIMIT_MS))
            break;
        settle_all(s, sub);
        if (sim_queue(s, n, name, &info) && !s->failure && seen_queue(s, info.master, i)->items.len != 0)
            sim_fail(s, "I12", "%s still holds %zu messages after all were acknowledged", name,
                     seen_queue(s, info.master, i)->items.len);
    }
    if (!s->failure)
        check_drained(s);
}

static void played_finish(struct played *p)
{
    for (size_t i = 0; i < p->schedule->events.len; i++)
        if (p->declared[i].name)
            queue_args_finish(&p->declared[i].args);
    free(p->declared);
}

static struct sim *world(const struct plan *p, const struct sched *schedule)
{
    static const enum partition_handling handlings[] = {[SCHED_IGNORE] = PARTITION_IGNORE,
                                                        [SCHED_PAUSE_MINORITY] = PARTITION_PAUSE_MINORITY,
                                                        [SCHED_AUTOHEAL] = PARTITION_AUTOHEAL};
    struct sim_options o = p->options;
    o.nodes = schedule->nodes;
    o.partition_handling = handlings[schedule->partitions];
    return sim_create(&o);
}

static void boot_all(struct sim *s)
{
    for (node_id n = 0; n < s->options.nodes; n++) {
        sim_start(s, n);
        sim_run(s, rng_below(&s->client, 15));
    }
    if (!sim_calm(s, BOOT_LIMIT_MS))
        sim_fail(s, "I12", "%u fresh nodes did not become one cluster within %u s", s->options.nodes,
                 BOOT_LIMIT_MS / 1000);
}

void plan_run(const struct plan *p, struct plan_result *out)
{
    struct sched schedule;
    char *error = NULL;
    *out = (struct plan_result){0};
    if (sched_parse(&schedule, "schedule", text_str(&p->schedule), &error)) {
        out->failure = format_text("schedule: %s", error);
        free(error);
        return;
    }
    struct played played = {.schedule = &schedule};
    struct sim *s = world(p, &schedule);
    boot_all(s);
    if (p->watch && !s->failure)
        p->watch->begun(p->watch->arg, s);
    read_declarations(s, &played);
    add_clients(s, &played, p->seed);
    if (follow(s, &played, p->watch)) {
        heal(s);
        if (!s->failure)
            drain(s);
        show(s, p->watch, NULL);
    }
    *out = (struct plan_result){.failure = s->failure ? xstrdup(s->failure) : NULL,
                                .steps = s->steps,
                                .hash = s->hash,
                                .now_us = s->now_us,
                                .messages = s->ledger.messages.len,
                                .confirmed = s->ledger.confirmed,
                                .refused = s->ledger.refused,
                                .unknown = s->ledger.unknown,
                                .consumed = s->ledger.consumed,
                                .redelivered = s->ledger.redelivered,
                                .promotions = s->check.promotions,
                                .unsynced_promotions = s->check.unsynced_promotions};
    memcpy(out->lost, s->ledger.lost, sizeof(out->lost));
    memcpy(out->counts, s->counts, sizeof(out->counts));
    sim_destroy(s);
    played_finish(&played);
    sched_finish(&schedule);
}

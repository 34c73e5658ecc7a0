/* hand.c: driving a world by hand: the commands of sim.h, for stories and for what a plan does between
 * storms. */
#include "sim/world.h"

#include <stdio.h>

#define ANSWER_LIMIT_MS 60000

bool sim_running(const struct sim *s, node_id n)
{
    return s->nodes[n].m != NULL;
}

bool sim_serving(const struct sim *s, node_id n)
{
    return s->nodes[n].m && s->nodes[n].serving && !s->nodes[n].stopping;
}

const struct mirror *sim_mirror(const struct sim *s, node_id n)
{
    return s->nodes[n].m;
}

node_set sim_running_set(const struct sim *s)
{
    node_set set = 0;
    for (node_id n = 0; n < s->options.nodes; n++)
        if (s->nodes[n].m)
            set |= node_bit(n);
    return set;
}

node_set sim_removed(const struct sim *s)
{
    return s->removed;
}

unsigned sim_nodes(const struct sim *s)
{
    return s->options.nodes;
}

uint64_t sim_now_us(const struct sim *s)
{
    return s->now_us;
}

uint64_t sim_steps(const struct sim *s)
{
    return s->steps;
}

uint64_t sim_hash(const struct sim *s)
{
    return s->hash;
}

const char *sim_failure(const struct sim *s)
{
    return s->failure;
}

const struct ledger *sim_ledger(const struct sim *s)
{
    return &s->ledger;
}

const struct ledger_message *sim_message(const struct sim *s, uint32_t message)
{
    return &s->ledger.messages.items[message];
}

void sim_slow(struct sim *s, node_id a, node_id b, unsigned factor, uint64_t ms)
{
    s->counts[SIM_SLOW_LINKS]++;
    s->links[a][b].slow_factor = s->links[b][a].slow_factor = factor;
    s->links[a][b].slow_until_us = s->links[b][a].slow_until_us = s->now_us + ms * 1000;
}

static bool is_off(struct sim *s, void *arg)
{
    return !s->nodes[*(node_id *)arg].m;
}

void sim_stop_wait(struct sim *s, node_id n)
{
    sim_stop(s, n);
    if (!sim_until(s, is_off, &n, ANSWER_LIMIT_MS))
        sim_fail(s, "I12", "%s does not come to its orderly end within a minute", s->names[n]);
}

/* ---- commands ---- */

static bool is_answered(struct sim *s, void *arg)
{
    return sim_answered(s, *(uint64_t *)arg) != NULL;
}

struct sim_answer sim_command(struct sim *s, node_id n, struct event *ev)
{
    uint64_t ask = sim_ask(s, n, ev);
    if (ask && sim_until(s, is_answered, &ask, ANSWER_LIMIT_MS))
        return *sim_answered(s, ask);
    return (struct sim_answer){.answered = false, .message = SIM_UNROUTABLE};
}

/* The arguments are the caller's to point to. */
struct event declare_event(struct sim *s, node_id n, const char *queue, unsigned flags, uint64_t connection)
{
    return (struct event){
        .type = EV_DECLARE,
        .u.queue = {.name = queue,
                    .passive = flags & SIM_PASSIVE,
                    .durable = flags & SIM_DURABLE,
                    .exclusive = flags & SIM_EXCLUSIVE,
                    .auto_delete = flags & SIM_AUTO_DELETE,
                    .owner = {.node = n, .incarnation = s->nodes[n].incarnation, .connection = connection}}};
}

struct sim_answer sim_declare_with(struct sim *s, node_id n, const char *queue, unsigned flags,
                                   const struct queue_args *args)
{
    struct event ev = declare_event(s, n, queue, flags, 1);
    ev.u.queue.args = flags & SIM_PASSIVE ? NULL : args;
    return sim_command(s, n, &ev);
}

struct sim_answer sim_declare(struct sim *s, node_id n, const char *queue, unsigned flags)
{
    struct queue_args none;
    queue_args_init(&none);
    struct sim_answer a = sim_declare_with(s, n, queue, flags, &none);
    queue_args_finish(&none);
    return a;
}

static struct sim_answer about_queue(struct sim *s, node_id n, enum event_type type, const char *queue,
                                     unsigned flags)
{
    struct event ev = {
        .type = type,
        .u.queue = {.name = queue,
                    .if_empty = flags & SIM_IF_EMPTY,
                    .no_ack = flags & SIM_NO_ACK,
                    .owner = {.node = n, .incarnation = s->nodes[n].incarnation, .connection = 1}}};
    return sim_command(s, n, &ev);
}

struct sim_answer sim_delete(struct sim *s, node_id n, const char *queue, unsigned flags)
{
    return about_queue(s, n, EV_DELETE, queue, flags);
}

struct sim_answer sim_purge(struct sim *s, node_id n, const char *queue)
{
    return about_queue(s, n, EV_PURGE, queue, 0);
}

struct sim_answer sim_get(struct sim *s, node_id n, const char *queue, unsigned flags)
{
    return about_queue(s, n, EV_GET, queue, flags);
}

struct sim_answer sim_sync(struct sim *s, node_id n, const char *queue)
{
    return about_queue(s, n, EV_SYNC, queue, 0);
}

struct sim_answer sim_cancel_sync(struct sim *s, node_id n, const char *queue)
{
    return about_queue(s, n, EV_CANCEL_SYNC, queue, 0);
}

struct sim_answer sim_set_policy(struct sim *s, node_id n, const char *name, const char *pattern,
                                 const char *definition)
{
    struct event ev = {.type = EV_SET_POLICY,
                       .u.policy = {.name = name, .pattern = pattern, .definition = definition}};
    return sim_command(s, n, &ev);
}

struct sim_answer sim_clear_policy(struct sim *s, node_id n, const char *name)
{
    struct event ev = {.type = EV_CLEAR_POLICY, .u.policy = {.name = name}};
    return sim_command(s, n, &ev);
}

/* ---- publishing and consuming ---- */

uint32_t sim_publish(struct sim *s, node_id n, const char *queue, bool persistent)
{
    /* one channel for each life of a node */
    return publish_as(s, n, queue, persistent, CLIENT_NONE, UINT64_MAX - s->nodes[n].incarnation,
                      (uint32_t)s->ledger.messages.len);
}

struct run {
    uint32_t first, last;
};

static bool all_confirmed(struct sim *s, void *arg)
{
    const struct run *r = arg;
    for (uint32_t i = r->first; i < r->last; i++)
        if (s->ledger.messages.items[i].fate != FATE_CONFIRMED)
            return false;
    return true;
}

bool sim_publish_confirmed(struct sim *s, node_id n, const char *queue, bool persistent, unsigned count)
{
    struct run r = {.first = (uint32_t)s->ledger.messages.len};
    for (unsigned i = 0; i < count; i++)
        if (sim_publish(s, n, queue, persistent) == SIM_UNROUTABLE)
            return false;
    r.last = (uint32_t)s->ledger.messages.len;
    return sim_until(s, all_confirmed, &r, ANSWER_LIMIT_MS);
}

uint64_t subscribe_as(struct sim *s, node_id n, const char *queue, uint32_t prefetch, unsigned flags,
                      uint32_t client, uint64_t connection, uint64_t *ask)
{
    struct queue *q = s->nodes[n].m ? mirror_find_queue(s->nodes[n].m, queue) : NULL;
    if (!q)
        return 0;
    struct queue_info info;
    mirror_queue_info(s->nodes[n].m, q, &info);
    struct sub c = {.node = n,
                    .life = s->nodes[n].lives,
                    .client = client,
                    .queue = ledger_queue_of(&s->ledger, info.name, info.uid),
                    .no_ack = flags & SIM_NO_ACK,
                    .cancel_on_failover = flags & SIM_CANCEL_ON_FAILOVER,
                    .asked_step = s->steps,
                    .prefetch = prefetch};
    VEC_PUSH(&s->subs, c);
    uint64_t sub = s->subs.len;
    struct event ev = {
        .type = EV_SUBSCRIBE,
        .u.sub = {.queue = queue,
                  .sub = sub,
                  .no_ack = c.no_ack,
                  .exclusive = flags & SIM_EXCLUSIVE,
                  .cancel_on_failover = flags & SIM_CANCEL_ON_FAILOVER,
                  .prefetch = prefetch,
                  .priority = s->options.sabotage == SABOTAGE_YOUNGEST_FIRST ? (int32_t)sub : 0,
                  .owner = {.node = n, .incarnation = s->nodes[n].incarnation, .connection = connection}}};
    *ask = ask_as(s, n, &ev, client);
    return sub;
}

uint64_t sim_subscribe(struct sim *s, node_id n, const char *queue, uint32_t prefetch, unsigned flags)
{
    uint64_t ask = 0;
    uint64_t sub = subscribe_as(s, n, queue, prefetch, flags, CLIENT_NONE, 1, &ask);
    if (sub == 0 || !sim_until(s, is_answered, &ask, ANSWER_LIMIT_MS) ||
        sim_answered(s, ask)->status != ANSWER_OK) {
        if (sub)
            s->subs.items[sub - 1].over = true;
        return 0;
    }
    return sub;
}

size_t sim_deliveries(const struct sim *s, uint64_t sub)
{
    return s->subs.items[sub - 1].deliveries.len;
}

const struct sim_delivery *sim_delivery(const struct sim *s, uint64_t sub, size_t i)
{
    const struct sub *c = &s->subs.items[sub - 1];
    return i < c->deliveries.len ? &s->deliveries.items[c->deliveries.items[i]] : NULL;
}

bool sim_sub_over(const struct sim *s, uint64_t sub)
{
    return s->subs.items[sub - 1].over;
}

void sim_settle(struct sim *s, uint64_t sub, size_t i, enum settle how)
{
    const struct sub *c = &s->subs.items[sub - 1];
    uint32_t delivery = c->deliveries.items[i];
    settle_deliveries(s, c->node, &delivery, 1, how);
}

void sim_settle_get(struct sim *s, node_id n, const struct sim_answer *got, enum settle how)
{
    for (uint32_t i = (uint32_t)s->deliveries.len; i > 0; i--) {
        const struct sim_delivery *d = &s->deliveries.items[i - 1];
        if (d->sub == 0 && d->node == n && d->message == got->message && !d->settled) {
            i--;
            settle_deliveries(s, n, &i, 1, how);
            return;
        }
    }
}

void sim_unsubscribe(struct sim *s, uint64_t sub)
{
    unsubscribe(s, sub, false);
}

/* ---- looking ---- */

bool sim_queue(const struct sim *s, node_id n, const char *queue, struct queue_info *out)
{
    struct queue *q = s->nodes[n].m ? mirror_find_queue(s->nodes[n].m, queue) : NULL;
    if (q)
        mirror_queue_info(s->nodes[n].m, q, out);
    return q != NULL;
}

const char *sim_placement(struct sim *s, node_id n, const char *queue)
{
    struct queue_info q;
    text_clear(&s->placement);
    if (!sim_queue(s, n, queue, &q)) {
        text_add(&s->placement, "?");
        return text_str(&s->placement);
    }
    text_printf(&s->placement, "%u/", q.master);
    for (unsigned synced = 1; synced < 2; synced--) {
        bool open = false;
        for (size_t i = 0; i < q.mirrors_len; i++) {
            if (node_in(q.synced, q.mirrors[i]) != (synced == 1))
                continue;
            if (!synced && !open)
                text_add(&s->placement, "(");
            open = true;
            text_printf(&s->placement, "%u", q.mirrors[i]);
        }
        if (!synced && open)
            text_add(&s->placement, ")");
    }
    if (q.mirrors_len == 0)
        text_add(&s->placement, "-");
    return text_str(&s->placement);
}

/* ---- words for the trace ---- */

const char *event_name(enum event_type t)
{
    switch (t) {
    case EV_START: return "START";
    case EV_STOP: return "STOP";
    case EV_TICK: return "TICK";
    case EV_TURN_END: return "TURN_END";
    case EV_DISK_DONE: return "DISK_DONE";
    case EV_CLIENTS: return "CLIENTS";
    case EV_MEMORY: return "MEMORY";
    case EV_PEER_UP: return "PEER_UP";
    case EV_PEER_DOWN: return "PEER_DOWN";
    case EV_PEER_MESSAGE: return "<-";
    case EV_CLIENT_OPEN: return "CLIENT_OPEN";
    case EV_CLIENT_DATA: return "CLIENT_DATA";
    case EV_CLIENT_DRAINED: return "CLIENT_DRAINED";
    case EV_CLIENT_CLOSED: return "CLIENT_CLOSED";
    case EV_DECLARE: return "DECLARE";
    case EV_DELETE: return "DELETE";
    case EV_PURGE: return "PURGE";
    case EV_PUBLISH: return "PUBLISH";
    case EV_GET: return "GET";
    case EV_SUBSCRIBE: return "SUBSCRIBE";
    case EV_UNSUBSCRIBE: return "UNSUBSCRIBE";
    case EV_CREDIT: return "CREDIT";
    case EV_SETTLE: return "SETTLE";
    case EV_OWNER_GONE: return "OWNER_GONE";
    case EV_SET_POLICY: return "SET_POLICY";
    case EV_CLEAR_POLICY: return "CLEAR_POLICY";
    case EV_FORGET_NODE: return "FORGET_NODE";
    case EV_SYNC: return "SYNC";
    case EV_CANCEL_SYNC: return "CANCEL_SYNC";
    case EV_META_PUT: return "META_PUT";
    case EV_META_DELETE: return "META_DELETE";
    }
    return "?";
}

const char *status_name(enum answer_status st)
{
    switch (st) {
    case ANSWER_OK: return "ok";
    case ANSWER_EMPTY: return "empty";
    case ANSWER_NOT_FOUND: return "not found";
    case ANSWER_STOPPED: return "stopped";
    case ANSWER_DOWN: return "down";
    case ANSWER_INEQUIVALENT: return "inequivalent";
    case ANSWER_LOCKED: return "locked";
    case ANSWER_IN_USE: return "in use";
    case ANSWER_NOT_EMPTY: return "not empty";
    case ANSWER_EXCLUSIVE_CONSUMER: return "exclusive consumer";
    case ANSWER_EXISTS: return "exists";
    case ANSWER_INVALID: return "invalid";
    case ANSWER_NOT_MIRRORED: return "not mirrored";
    case ANSWER_NOT_SYNCING: return "not syncing";
    case ANSWER_FULL: return "full";
    case ANSWER_NOT_SERVING: return "not serving";
    }
    return "?";
}

/* clients.c: one small state machine for each kind of client. A client that wakes up looks whether its node
 * is still there, does one thing, and plans when to wake up next. */
#include "sim/clients.h"

#include "sim/world.h"

struct client {
    struct client_plan plan;
    struct rng rng;
    node_id node; /* connected to, */
    uint64_t life, connection;
    bool connected, parked; /* parked: it will wake up at clients_resume */
    uint32_t number;        /* PUBLISHER: of its next message */
    uint64_t ask;           /* waiting for this answer; 0: none */
    uint64_t sub;           /* CONSUMER; 0: none */
    bool declared;          /* OWNER: its exclusive queue is there */
};

struct clients {
    VEC(struct client) items;
    bool paused, gone;
    uint64_t connections;
};

enum { WAKE_ACT, WAKE_SETTLE };

static struct clients *clients(struct sim *s)
{
    if (!s->clients)
        s->clients = xcalloc(1, sizeof(*s->clients));
    return s->clients;
}

void clients_destroy(struct clients *c)
{
    if (!c)
        return;
    VEC_FREE(&c->items);
    free(c);
}

static void wake_in(struct sim *s, uint32_t client, uint64_t us)
{
    heap_push(&s->heap, s->now_us + us, HAPPEN_CLIENT, client, 0, WAKE_ACT);
}

static uint64_t about(struct rng *r, uint64_t us)
{
    return us / 4 + rng_below(r, us + us / 2 + 1);
}

void clients_add(struct sim *s, const struct client_plan *plan, uint64_t seed)
{
    struct client c = {.plan = *plan, .node = NODE_NONE};
    rng_init(&c.rng, seed);
    VEC_PUSH(&clients(s)->items, c);
    wake_in(s, (uint32_t)(s->clients->items.len - 1), rng_below(&c.rng, 20000));
}

/* ---- connections ---- */

static bool connected(const struct sim *s, const struct client *c)
{
    return c->connected && sim_serving(s, c->node) && s->nodes[c->node].lives == c->life;
}

/* Goes to some node that serves; false: there is none now. */
static bool connect(struct sim *s, struct client *c)
{
    if (connected(s, c))
        return true;
    node_id open[SIM_NODES];
    unsigned count = 0;
    for (node_id n = 0; n < s->options.nodes; n++)
        if (sim_serving(s, n))
            open[count++] = n;
    c->connected = count > 0;
    c->ask = c->sub = 0;
    c->declared = false;
    if (count == 0)
        return false;
    c->node = open[rng_below(&c->rng, count)];
    c->life = s->nodes[c->node].lives;
    c->connection = ++s->clients->connections + 1; /* 1 is what stories use */
    sim_tell(s, "%10.3f  ---- %s %u connects to %s", (double)s->now_us / 1000.0,
             sched_client_word(c->plan.like->kind), c->plan.like->number, s->names[c->node]);
    return true;
}

/* Stories have one connection on each node, number 1. */
bool clients_own(const struct sim *s, const struct owner *owner)
{
    if (owner->connection == 1)
        return true;
    for (size_t i = 0; s->clients && i < s->clients->items.len; i++) {
        const struct client *c = &s->clients->items.items[i];
        if (c->connection == owner->connection && c->node == owner->node && connected(s, c))
            return true;
    }
    return false;
}

void clients_count(struct sim *s, node_id n, int more)
{
    struct sim_node *node = &s->nodes[n];
    if (!node->m)
        return;
    node->clients = (uint32_t)((int)node->clients + more);
    struct event ev = {.type = EV_CLIENTS, .u.clients.count = node->clients};
    node_step(s, n, &ev);
}

void sim_more_clients(struct sim *s, node_id n, int count)
{
    clients_count(s, n, count);
}

static void owner_gone(struct sim *s, struct client *c)
{
    struct event ev = {.type = EV_OWNER_GONE,
                       .u.queue.owner = {.node = c->node,
                                         .incarnation = s->nodes[c->node].incarnation,
                                         .connection = c->connection}};
    c->declared = false;
    if (s->options.sabotage != SABOTAGE_OWNER_STAYS)
        node_step(s, c->node, &ev);
}

/* The connection ends while the node lives: what its channels held goes back. */
static void disconnect(struct sim *s, struct client *c)
{
    if (!c->connected)
        return;
    c->connected = false;
    if (!s->nodes[c->node].m || s->nodes[c->node].lives != c->life)
        return;
    if (c->sub)
        unsubscribe(s, c->sub, true);
    if (c->plan.like->kind == SCHED_GETTER)
        for (uint32_t i = 0; i < s->deliveries.len; i++) {
            const struct sim_delivery *d = &s->deliveries.items[i];
            if (d->sub == 0 && !d->settled && d->node == c->node && d->life == c->life)
                settle_deliveries(s, d->node, &i, 1, SETTLE_REQUEUE);
        }
    if (c->declared)
        owner_gone(s, c);
    if (c->plan.like->kind == SCHED_PUBLISHER || c->plan.like->kind == SCHED_OWNER) {
        uint32_t publisher = (uint32_t)(c - s->clients->items.items);
        for (size_t i = 0; i < s->ledger.messages.len; i++) {
            struct ledger_message *m = &s->ledger.messages.items[i];
            if (m->publisher == publisher && m->fate == FATE_UNCONFIRMED) {
                m->fate = FATE_UNKNOWN;
                s->ledger.unknown++;
            }
        }
    }
    c->sub = c->ask = 0;
    clients_count(s, c->node, -1);
}

/* ---- what each kind does when it wakes up ---- */

static void ask_declare(struct sim *s, uint32_t index, const char *queue, unsigned flags)
{
    struct client *c = &s->clients->items.items[index];
    struct queue_args none;
    queue_args_init(&none);
    struct event ev = declare_event(s, c->node, queue, flags, c->connection);
    ev.u.queue.args = c->plan.args ? c->plan.args : &none;
    uint64_t ask = ask_as(s, c->node, &ev, index);
    if (ask && !sim_answered(s, ask))
        s->clients->items.items[index].ask = ask;
    queue_args_finish(&none);
}

static void act_publisher(struct sim *s, uint32_t index)
{
    struct client *c = &s->clients->items.items[index];
    unsigned burst = 1 + (unsigned)rng_below(&c->rng, 4);
    for (unsigned i = 0; i < burst && c->number < c->plan.like->messages && connected(s, c); i++) {
        bool persistent = rng_chance(&c->rng, c->plan.like->persistent_percent);
        uint32_t message =
            publish_as(s, c->node, c->plan.like->queue, persistent, index, c->connection, c->number);
        if (message == SIM_UNROUTABLE) {
            ask_declare(s, index, c->plan.like->queue, c->plan.declare);
            return;
        }
        c->number++;
    }
}

static void act_consumer(struct sim *s, uint32_t index)
{
    struct client *c = &s->clients->items.items[index];
    if (c->sub && s->subs.items[c->sub - 1].over)
        c->sub = 0;
    if (c->sub == 0) {
        uint64_t ask = 0;
        unsigned flags = (c->plan.like->no_ack ? SIM_NO_ACK : 0) |
                         (c->plan.like->cancel_on_failover ? SIM_CANCEL_ON_FAILOVER : 0);
        uint64_t sub = subscribe_as(s, c->node, c->plan.like->queue, c->plan.like->prefetch, flags, index,
                                    c->connection, &ask);
        c = &s->clients->items.items[index];
        c->sub = sub;
        if (sub && ask && !sim_answered(s, ask))
            c->ask = ask;
        if (sub && ask && sim_answered(s, ask) && sim_answered(s, ask)->status != ANSWER_OK) {
            s->subs.items[sub - 1].over = true;
            c->sub = 0;
        }
        return;
    }
    if (!rng_chance(&c->rng, c->plan.like->leave_percent))
        return;
    if (rng_chance(&c->rng, 50)) {
        uint64_t sub = c->sub;
        c->sub = 0;
        unsubscribe(s, sub, false); /* basic.cancel: what it has it may still acknowledge */
    } else {
        disconnect(s, c);
    }
}

static void act_getter(struct sim *s, uint32_t index)
{
    struct client *c = &s->clients->items.items[index];
    struct event ev = {.type = EV_GET,
                       .u.queue = {.name = c->plan.like->queue,
                                   .no_ack = c->plan.like->no_ack,
                                   .owner = {.node = c->node,
                                             .incarnation = s->nodes[c->node].incarnation,
                                             .connection = c->connection}}};
    uint64_t ask = ask_as(s, c->node, &ev, index);
    if (ask && !sim_answered(s, ask))
        s->clients->items.items[index].ask = ask;
}

static void act_owner(struct sim *s, uint32_t index)
{
    struct client *c = &s->clients->items.items[index];
    if (!c->declared) {
        c->declared = true; /* or being declared: the connection's end must clear it away */
        ask_declare(s, index, c->plan.like->queue, SIM_EXCLUSIVE | c->plan.declare);
    } else if (rng_chance(&c->rng, 20)) {
        disconnect(s, c);
    } else if (publish_as(s, c->node, c->plan.like->queue, false, index, c->connection, c->number) !=
               SIM_UNROUTABLE) {
        s->clients->items.items[index].number++;
    }
}

static void act(struct sim *s, uint32_t index)
{
    struct client *c = &s->clients->items.items[index];
    if (s->clients->gone)
        return;
    if (s->clients->paused) {
        c->parked = true;
        return;
    }
    if (!connected(s, c) && connect(s, c)) {
        clients_count(s, c->node, 1);
        c = &s->clients->items.items[index];
    }
    if (connected(s, c) && c->ask == 0) {
        switch (c->plan.like->kind) {
        case SCHED_PUBLISHER: act_publisher(s, index); break;
        case SCHED_CONSUMER: act_consumer(s, index); break;
        case SCHED_GETTER: act_getter(s, index); break;
        case SCHED_OWNER: act_owner(s, index); break;
        case SCHED_CLIENT_COUNT_: break;
        }
    }
    c = &s->clients->items.items[index];
    if (c->plan.like->kind != SCHED_PUBLISHER || c->number < c->plan.like->messages)
        wake_in(s, index, about(&c->rng, c->plan.like->every_us));
}

static void settle_some(struct sim *s, uint32_t index, uint32_t delivery)
{
    struct client *c = &s->clients->items.items[index];
    const struct sim_delivery *d = &s->deliveries.items[delivery];
    if (d->settled || !s->nodes[d->node].m || s->nodes[d->node].lives != d->life ||
        s->nodes[d->node].stopping)
        return;
    bool quiet = s->clients->paused || s->clients->gone;
    enum settle how = quiet                                                ? SETTLE_ACK
                      : rng_chance(&c->rng, c->plan.like->requeue_percent) ? SETTLE_REQUEUE
                      : rng_chance(&c->rng, c->plan.like->discard_percent) ? SETTLE_DISCARD
                                                                           : SETTLE_ACK;
    VEC(uint32_t) batch = {0};
    if (d->sub && rng_chance(&c->rng, 30)) { /* multiple: everything before it too */
        const struct sub *sub = &s->subs.items[d->sub - 1];
        for (size_t i = 0; i < sub->deliveries.len && sub->deliveries.items[i] < delivery; i++) {
            const struct sim_delivery *earlier = &s->deliveries.items[sub->deliveries.items[i]];
            if (!earlier->settled && earlier->generation == d->generation)
                VEC_PUSH(&batch, sub->deliveries.items[i]);
        }
    }
    VEC_PUSH(&batch, delivery);
    settle_deliveries(s, d->node, batch.items, batch.len, how);
    VEC_FREE(&batch);
}

/* ---- hooks ---- */

void clients_wake(struct sim *s, uint32_t client, uint64_t serial)
{
    if (serial % 2 == WAKE_ACT)
        act(s, client);
    else
        settle_some(s, client, (uint32_t)(serial / 2));
}

void clients_answered(struct sim *s, uint32_t client, uint64_t ask)
{
    struct client *c = &s->clients->items.items[client];
    const struct sim_answer *a = sim_answered(s, ask);
    if (c->ask != ask)
        return;
    c->ask = 0;
    if (c->plan.like->kind == SCHED_CONSUMER && c->sub && a->status != ANSWER_OK) {
        s->subs.items[c->sub - 1].over = true;
        c->sub = 0;
    }
}

void clients_delivered(struct sim *s, uint32_t client, uint32_t delivery)
{
    struct client *c = &s->clients->items.items[client];
    if (!s->deliveries.items[delivery].settled)
        heap_push(&s->heap, s->now_us + about(&c->rng, c->plan.like->settle_us), HAPPEN_CLIENT, client, 0,
                  (uint64_t)delivery * 2 + WAKE_SETTLE);
}

void clients_cancelled(struct sim *s, uint32_t client, uint64_t sub)
{
    struct client *c = &s->clients->items.items[client];
    if (c->sub == sub)
        c->sub = 0;
}

void clients_node_gone(struct sim *s, node_id n)
{
    for (size_t i = 0; s->clients && i < s->clients->items.len; i++)
        if (s->clients->items.items[i].node == n)
            s->clients->items.items[i].connected = false;
}

void clients_node_closes(struct sim *s, node_id n)
{
    for (size_t i = 0; s->clients && i < s->clients->items.len; i++)
        if (s->clients->items.items[i].node == n)
            disconnect(s, &s->clients->items.items[i]);
    for (size_t i = 0; i < s->ledger.messages.len; i++) { /* published by hand */
        struct ledger_message *m = &s->ledger.messages.items[i];
        if (m->publisher == CLIENT_NONE && m->fate == FATE_UNCONFIRMED && m->at == n) {
            m->fate = FATE_UNKNOWN;
            s->ledger.unknown++;
        }
    }
    for (uint64_t sub = 1; sub <= s->subs.len && s->nodes[n].m; sub++)
        if (s->subs.items[sub - 1].node == n && s->subs.items[sub - 1].life == s->nodes[n].lives &&
            !s->subs.items[sub - 1].over)
            unsubscribe(s, sub, true);
}

void clients_pause(struct sim *s)
{
    clients(s)->paused = true;
}

void clients_resume(struct sim *s)
{
    clients(s)->paused = false;
    for (uint32_t i = 0; i < s->clients->items.len; i++)
        if (s->clients->items.items[i].parked) {
            s->clients->items.items[i].parked = false;
            wake_in(s, i, 0);
        }
}

void clients_leave(struct sim *s)
{
    clients(s)->gone = true;
    for (size_t i = 0; i < s->clients->items.len; i++)
        disconnect(s, &s->clients->items.items[i]);
}

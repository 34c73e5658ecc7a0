/* world.c: time, and the life of nodes. Everything that happens goes through sim_step: take the next
 * happening, hand it to a node as an event, perform the effects in order, let the checker look. What goes
 * wrong is done to them from outside: faults.c. */
#include "sim/world.h"

#include <stdio.h>

#include "wire/peer.h"

/* ---- telling ---- */

void sim_tell(struct sim *s, const char *format, ...)
{
    if (!TRACING(s))
        return;
    va_list args;
    va_start(args, format);
    text_clear(&s->line);
    text_vprintf(&s->line, format, args);
    va_end(args);
    s->options.trace(s->options.trace_arg, text_str(&s->line));
}

void sim_fail(struct sim *s, const char *promise, const char *format, ...)
{
    if (s->failure)
        return;
    va_list args;
    va_start(args, format);
    struct text t = {0};
    text_printf(&t, "%s: ", promise);
    text_vprintf(&t, format, args);
    va_end(args);
    s->failure = t.s;
    s->failed_step = s->steps;
    sim_tell(s, "BROKEN at step %llu: %s", (unsigned long long)s->steps, s->failure);
}

static void tell_event(struct sim *s, node_id n, const struct event *ev)
{
    if (!TRACING(s))
        return;
    char about[200] = "";
    switch (ev->type) {
    case EV_PEER_UP:
    case EV_PEER_DOWN: snprintf(about, sizeof(about), " %s", s->names[ev->u.peer.node]); break;
    case EV_PEER_MESSAGE:
        snprintf(about, sizeof(about), " %s from %s epoch %llu", peer_type_name(ev->u.peer.msg->type),
                 s->names[ev->u.peer.node], (unsigned long long)ev->u.peer.msg->epoch);
        break;
    case EV_DISK_DONE:
        snprintf(about, sizeof(about), " %llu", (unsigned long long)ev->u.disk.persisted);
        break;
    case EV_DECLARE:
    case EV_DELETE:
    case EV_PURGE:
    case EV_GET:
    case EV_SYNC:
    case EV_CANCEL_SYNC: snprintf(about, sizeof(about), " %s", ev->u.queue.name); break;
    case EV_PUBLISH:
        snprintf(about, sizeof(about), " m%llu", (unsigned long long)ev->u.publish.cookie - 1);
        break;
    case EV_SUBSCRIBE:
        snprintf(about, sizeof(about), " %s sub %llu", ev->u.sub.queue, (unsigned long long)ev->u.sub.sub);
        break;
    case EV_UNSUBSCRIBE:
    case EV_CREDIT: snprintf(about, sizeof(about), " sub %llu", (unsigned long long)ev->u.sub.sub); break;
    case EV_SETTLE:
        snprintf(about, sizeof(about), " %s %zu from id %llu",
                 ev->u.settle.how == SETTLE_ACK       ? "ack"
                 : ev->u.settle.how == SETTLE_REQUEUE ? "requeue"
                                                      : "discard",
                 ev->u.settle.ids_len, (unsigned long long)ev->u.settle.ids[0]);
        break;
    case EV_SET_POLICY:
        snprintf(about, sizeof(about), " %s %s %s", ev->u.policy.name, ev->u.policy.pattern,
                 ev->u.policy.definition);
        break;
    case EV_CLEAR_POLICY: snprintf(about, sizeof(about), " %s", ev->u.policy.name); break;
    case EV_START:
    case EV_STOP:
    case EV_TICK:
    case EV_TURN_END:
    case EV_CLIENTS:
    case EV_MEMORY:
    case EV_CLIENT_OPEN:
    case EV_CLIENT_DATA:
    case EV_CLIENT_DRAINED:
    case EV_CLIENT_CLOSED:
    case EV_OWNER_GONE:
    case EV_META_PUT:
    case EV_META_DELETE:
    case EV_FORGET_NODE: break;
    }
    sim_tell(s, "%10.3f %6llu %s %s%s", (double)s->now_us / 1000.0, (unsigned long long)s->steps, s->names[n],
             event_name(ev->type), about);
}

/* ---- one step of one node ---- */

/* Messages that hold operations, messages or their ids: as many as a queue may have, if nobody cuts them.
 * What carries the table has a limit of its own (limits.h). */
static bool grows_with_a_queue(enum peer_type t)
{
    return t == PEER_OPS || t == PEER_SYNC_BATCH || t == PEER_PUBLISH || t == PEER_DELIVER ||
           t == PEER_SETTLE || t == PEER_INSTALLED || t == PEER_SERVE;
}

/* The longest that any of them may be here: a copy's are four batches long; the small messages of a
 * simulation have as much around them as in them; one goes beyond. */
static size_t longest_frame(const struct sim *s, enum peer_type t)
{
    return (t == PEER_SYNC_BATCH ? 8 : 2) * s->options.batch_bytes + 512;
}

static void perform_send(struct sim *s, node_id n, const struct effect *fx)
{
    link_count_repeats(s, n, fx->u.send.msg);
    text_clear(&s->bytes);
    wire_encode_peer(fx->u.send.msg, &s->bytes);
    sim_mix(s, s->bytes.len);
    enum peer_type type = fx->u.send.msg->type;
    if (grows_with_a_queue(type) && s->bytes.len > longest_frame(s, type))
        sim_fail(s, "frame",
                 "%s sends %s of %zu bytes, and batches are of %zu: its receiver would close the link",
                 s->names[n], peer_type_name(type), s->bytes.len, s->options.batch_bytes);
    for (node_id to = 0; to < s->options.nodes; to++) {
        if (!node_in(fx->u.send.to, to))
            continue;
        sim_tell(s, "      -> %s %s (%zu bytes)", s->names[to], peer_type_name(fx->u.send.msg->type),
                 s->bytes.len);
        link_send(s, n, to, &s->bytes);
    }
}

/* What a step's effects mean for the node's life. */
struct life_end {
    bool closes, stopped, restarted, failed;
};

/* Sabotage: of two deliveries in a row to one consumer the second comes first. */
static void swap_deliveries(struct effects *all, size_t i)
{
    struct effect *fx = &all->items[i];
    if (i + 1 >= all->len || fx->type != FX_DELIVER || fx[1].type != FX_DELIVER ||
        fx->u.deliver.sub != fx[1].u.deliver.sub || fx->u.deliver.id > fx[1].u.deliver.id)
        return;
    struct effect second = fx[1];
    fx[1] = fx[0];
    fx[0] = second;
}

static void perform_all(struct sim *s, node_id n, struct life_end *end)
{
    struct sim_node *node = &s->nodes[n];
    for (size_t i = 0; i < s->effects.len && !s->failure; i++) {
        if (s->options.sabotage == SABOTAGE_ORDER_SWAPPED)
            swap_deliveries(&s->effects, i);
        const struct effect *fx = &s->effects.items[i];
        sim_mix(s, (uint64_t)fx->type);
        switch (fx->type) {
        case FX_SEND: perform_send(s, n, fx); break;
        case FX_PERSIST: disk_append(s, n, fx->u.record); break;
        case FX_EVENT:
            sim_tell(s, "      * %s %s %s", fx->u.event.kind, fx->u.event.queue ? fx->u.event.queue : "-",
                     fx->u.event.text ? fx->u.event.text : "");
            break;
        case FX_SERVING:
            sim_tell(s, "      serving: %s", fx->u.serving.on ? "on" : "off");
            end->closes = end->closes || (node->serving && !fx->u.serving.on);
            node->serving = fx->u.serving.on;
            break;
        case FX_STOPPED: end->stopped = true; break;
        case FX_RESTART: end->restarted = true; break;
        case FX_FAILED:
            sim_tell(s, "      %s gives up: %s", s->names[n], fx->u.failed.text);
            end->failed = true;
            if (!node_in(s->removed, n))
                sim_fail(s, "failed", "%s gives up: %s", s->names[n], fx->u.failed.text);
            break;
        case FX_ANSWER:
        case FX_DELIVER:
        case FX_CONFIRM:
        case FX_CANCELLED: ask_perform(s, n, fx); break;
        case FX_META:
        case FX_META_ALL: check_key_told(s, n, fx); break;
        case FX_DEAD_LETTER:
            if (s->options.sabotage == SABOTAGE_DEAD_LETTER_SWALLOWED && rng_chance(&s->client, 20))
                break;
            check_dead_letter(s, n, fx);
            if (s->options.sabotage == SABOTAGE_DEAD_LETTER_TWICE)
                check_dead_letter(s, n, fx);
            break;
        case FX_QUEUE_GONE:
        case FX_QUEUE_OPEN: break; /* the broker's */
        case FX_REPLY:
        case FX_CLOSE:
        case FX_PAUSE:
        case FX_RESUME:
            sim_fail(s, "effects", "%s: a broker's effect came out of the library", s->names[n]);
            break;
        }
    }
}

/* Its clock, which may jump; what it is told stands still until a clock that was set back has caught up. */
static ms_time node_now(const struct sim *s, node_id n)
{
    const struct sim_node *node = &s->nodes[n];
    int64_t clock_ms = (int64_t)(s->now_us / 1000) + node->clock_ms;
    return clock_ms > 0 ? u64_max(node->told_ms, (ms_time)clock_ms) : node->told_ms;
}

void node_plan_tick(struct sim *s, node_id n)
{
    struct sim_node *node = &s->nodes[n];
    ms_time deadline = mirror_deadline(node->m);
    if (deadline >= node->tick_for) /* also where there is none */
        return;
    bool passed = deadline <= node_now(s, n);
    if (passed && node->turn_due)
        return; /* the end of the turn looks at the time, and comes back here */
    node->tick_for = deadline;
    int64_t wait_ms = (int64_t)deadline - (int64_t)(s->now_us / 1000) - node->clock_ms;
    uint64_t wait_us = passed ? 0 : (uint64_t)wait_ms * 1000;
    heap_push(&s->heap, s->now_us + wait_us, HAPPEN_TICK, n, 0, node->lives);
}

enum going {
    GONE_STOPPED,   /* in order */
    GONE_KILLED,    /* what is not synced may be lost */
    GONE_RESTARTED, /* by itself: the process lives on, writes all to its disk and reads it again */
};

static void node_gone(struct sim *s, node_id n, enum going going)
{
    struct sim_node *node = &s->nodes[n];
    if (node->disk.error) /* a write has failed, and what was to be written last cannot be */
        going = GONE_KILLED;
    bool in_order = going == GONE_STOPPED;
    enum departure how = in_order         ? DEPARTURE_STOPPED
                         : node->stopping ? DEPARTURE_BROKEN_OFF
                                          : DEPARTURE_KILLED;
    if (s->check.nodes[n].holding || node->departure == DEPARTURE_NONE)
        node->departure = how;
    else /* it never served; others may have taken it in already, or not */
        node->departure = DEPARTURE_BROKEN_OFF;
    node->restarted = going == GONE_RESTARTED;
    if (in_order)
        check_left(s, n);
    if (going == GONE_KILLED)
        disk_killed(s, n);
    else
        disk_stopped(s, n);
    link_disconnect_all(s, n, in_order);
    mirror_destroy(node->m);
    node->m = NULL;
    node->serving = node->stopping = node->turn_due = node->let_go = false;
    node->clients = 0;
    ask_node_gone(s, n);
    check_node_gone(s, n, going == GONE_RESTARTED);
    if (node->start_again)
        sim_start(s, n);
}

void node_reset(struct sim *s, node_id n)
{
    sim_tell(s, "%10.3f        %s is reset", (double)s->now_us / 1000.0, s->names[n]);
    s->counts[SIM_RESETS]++;
    s->removed &= ~node_bit(n);
    disk_reset(s, n);
    check_reset(s, n);
}

void node_step(struct sim *s, node_id n, struct event *ev)
{
    struct sim_node *node = &s->nodes[n];
    if (!node->m || s->failure)
        return;
    ev->now = node->told_ms = node_now(s, n);
    s->steps++;
    sim_mix(s, s->now_us);
    sim_mix(s, (uint64_t)ev->type * 64 + n);
    tell_event(s, n, ev);
    s->stepping = ev->type;
    node->let_go = node->let_go || (ev->type == EV_PEER_MESSAGE && ev->u.peer.msg->type == PEER_LEFT);
    struct life_end end = {0};
    ASSERT(s->effects.len == 0); /* effects never step a node themselves */
    int err = mirror_step(node->m, ev, &s->effects);
    if (err)
        sim_fail(s, "step", "%s: %s returns error %d", s->names[n], event_name(ev->type), err);
    mirror_check(node->m);
    check_refresh(s, n);
    perform_all(s, n, &end);
    effects_clear(&s->effects);
    check_after(s, n);
    if (s->failure)
        return;
    if (end.restarted) {
        sim_tell(s, "      %s begins again", s->names[n]);
        s->counts[SIM_RESTARTS]++;
        s->nodes[n].start_again = !s->nodes[n].stopping || s->nodes[n].start_again;
        node_gone(s, n, GONE_RESTARTED);
        return;
    }
    if (end.failed) {
        node_gone(s, n, GONE_KILLED);
        if (!s->options.forgotten_end) {
            node_reset(s, n); /* as it says */
            sim_start(s, n);
        }
        return;
    }
    if (end.stopped) {
        sim_tell(s, "      %s has stopped", s->names[n]);
        s->counts[SIM_STOPS]++;
        node_gone(s, n, GONE_STOPPED);
        return;
    }
    if (!node->turn_due && ev->type != EV_TURN_END) {
        node->turn_due = true;
        uint64_t later = rng_chance(&s->turn, 50) ? 0 : random_between(&s->turn, 0, s->options.turn_max_us);
        heap_push(&s->heap, s->now_us + later, HAPPEN_TURN_END, n, 0, node->lives);
    }
    node_plan_tick(s, n);
    if (end.closes)
        clients_node_closes(s, n);
    ask_after(s, n);
}

/* ---- lives ---- */

static void boot(struct sim *s, node_id n)
{
    struct sim_node *node = &s->nodes[n];
    node->booting = false;
    node->lives++;
    node->start_us = s->now_us;
    node->incarnation = ++s->incarnations;
    node->tick_for = UINT64_MAX;
    node->idle_ticks = 0;
    struct mirror_options o;
    mirror_options_defaults(&o);
    o.names = s->names;
    o.nodes_len = s->options.nodes;
    o.self = n;
    o.incarnation = node->incarnation;
    o.lived = node->lives > 1;
    o.seed = s->options.seed ^ node->incarnation;
    o.confirm_after_mirrors = s->options.confirm_after_mirrors;
    o.confirm_after_disk = s->options.confirm_after_disk;
    o.oldest_promoted = s->options.oldest_promoted;
    o.rules = s->options.rules;
    o.partition_handling = s->options.partition_handling;
    o.forced = node->forced;
    if (node->forced) {
        s->forced = true;
        check_keys_forced(s);
    }
    s->counts[SIM_FORCED] += node->forced;
    node->forced = false;
    o.forgets = node->forgets;
    node_set forgets = node->forgets;
    if (forgets) { /* it does not wait for them */
        s->forced = true;
        check_keys_forced(s);
    }
    node->forgets = 0;
    o.batch_bytes = s->options.batch_bytes;
    o.table_bytes = s->options.table_bytes;
    if (s->options.sabotage == SABOTAGE_NEVER_PAUSES)
        o.partition_handling = PARTITION_IGNORE;
    sim_tell(s, "%10.3f        %s starts, life %llu, %zu log records", (double)s->now_us / 1000.0,
             s->names[n], (unsigned long long)node->lives, node->disk.records);
    node->m = mirror_create(&o);
    if (!disk_recover(s, n))
        return;
    check_node_up(s, n);
    struct event ev = {.type = EV_START};
    node_step(s, n, &ev);
    if (node->m && forgets)
        check_forgotten(s, n, forgets);
    if (node->m)
        link_connect_all(s, n);
}

void sim_start(struct sim *s, node_id n)
{
    struct sim_node *node = &s->nodes[n];
    node->start_again = node->m && (node->stopping || node->disk.error);
    if (node->m || node->booting)
        return;
    node->booting = true;
    heap_push(&s->heap, s->now_us, HAPPEN_BOOT, n, 0, node->lives);
}

void sim_stop(struct sim *s, node_id n)
{
    if (!s->nodes[n].m || s->nodes[n].stopping)
        return;
    s->nodes[n].stopping = true;
    s->nodes[n].stop_ms = node_now(s, n);
    struct event ev = {.type = EV_STOP};
    node_step(s, n, &ev);
}

void sim_kill(struct sim *s, node_id n)
{
    if (!s->nodes[n].m || s->failure)
        return;
    sim_tell(s, "%10.3f        %s is killed", (double)s->now_us / 1000.0, s->names[n]);
    s->counts[SIM_KILLS]++;
    s->steps++;
    sim_mix(s, 0x200 + n);
    sabotage_kill(s, n);
    node_gone(s, n, GONE_KILLED);
}

/* ---- time ---- */

static void tick(struct sim *s, node_id n)
{
    struct sim_node *node = &s->nodes[n];
    node->tick_for = UINT64_MAX;
    if (mirror_deadline(node->m) > node_now(s, n)) {
        node_plan_tick(s, n);
        return;
    }
    struct event ev = {.type = EV_TICK};
    node_step(s, n, &ev);
    if (node->m && mirror_deadline(node->m) <= node_now(s, n)) {
        if (++node->idle_ticks > 1000)
            sim_fail(s, "I12", "%s asks for a tick without end: its deadline %llu ms stays behind",
                     s->names[n], (unsigned long long)mirror_deadline(node->m));
    } else {
        node->idle_ticks = 0;
    }
}

static void happen(struct sim *s, const struct happening *h)
{
    struct sim_node *node = h->a < SIM_NODES ? &s->nodes[h->a] : NULL;
    switch (h->type) {
    case HAPPEN_LINK: link_arrive(s, (node_id)h->a, (node_id)h->b, h->serial); break;
    case HAPPEN_DISK:
        if (node->m && node->lives == h->serial && !disk_sync_done(s, (node_id)h->a))
            node_gone(s, (node_id)h->a, GONE_KILLED); /* it tells why, and stops */
        break;
    case HAPPEN_TURN_END:
        if (node->m && node->lives == h->serial) {
            struct event ev = {.type = EV_TURN_END};
            node->turn_due = false;
            node_step(s, (node_id)h->a, &ev);
        }
        break;
    case HAPPEN_TICK:
        if (node->m && node->lives == h->serial)
            tick(s, (node_id)h->a);
        break;
    case HAPPEN_BOOT: boot(s, (node_id)h->a); break;
    case HAPPEN_CLIENT: clients_wake(s, h->a, h->serial); break;
    case HAPPEN_SILENCE: link_silence(s, (node_id)h->a, (node_id)h->b, h->serial); break;
    case HAPPEN_CONNECT: link_try(s, (node_id)h->a, (node_id)h->b); break;
    case HAPPEN_UNCLOG: link_unclog(s, (node_id)h->a, (node_id)h->b, h->serial); break;
    case HAPPEN_COUNT_: break;
    }
}

bool sim_step(struct sim *s)
{
    struct happening h;
    if (s->failure || !heap_pop(&s->heap, &h))
        return false;
    s->now_us = u64_max(s->now_us, h.at_us);
    happen(s, &h);
    return !s->failure;
}

bool sim_until(struct sim *s, sim_fact *fact, void *arg, uint64_t limit_ms)
{
    uint64_t end = s->now_us + limit_ms * 1000;
    while (!s->failure) {
        if (fact && fact(s, arg))
            return true;
        const struct happening *next = heap_peek(&s->heap);
        if (!next || next->at_us > end) {
            s->now_us = end;
            return fact && fact(s, arg);
        }
        sim_step(s);
    }
    return false;
}

void sim_run(struct sim *s, uint64_t ms)
{
    sim_until(s, NULL, NULL, ms);
}

/* ---- making and ending a world ---- */

void sim_options_defaults(struct sim_options *o)
{
    *o = (struct sim_options){
        .nodes = 3,
        .seed = 1,
        .link_min_us = 50,
        .link_max_us = 500,
        .disk_min_us = 200,
        .disk_max_us = 5000,
        .turn_max_us = 200,
        .silence_ms = 500,
        .reconnect_ms = 100,
        .batch_bytes = LIMIT_BATCH_BYTES,
        .table_bytes = LIMIT_TABLE_BYTES,
        .confirm_after_mirrors = true,
        .confirm_after_disk = true,
        .oldest_promoted = true,
    };
}

static void begin_dice(struct sim *s, uint64_t seed)
{
    rng_init(&s->net, seed * 4 + 1);
    rng_init(&s->disk, seed * 4 + 2);
    rng_init(&s->turn, seed * 4 + 3);
    rng_init(&s->client, seed * 4 + 4);
}

void sim_throw(struct sim *s, uint64_t luck)
{
    struct rng r;
    rng_init(&r, s->options.seed ^ luck);
    begin_dice(s, rng_next(&r));
}

struct sim *sim_create(const struct sim_options *o)
{
    static const char *const names[SIM_NODES] = {"node1", "node2", "node3", "node4", "node5", "node6"};
    ASSERT(o->nodes >= 1 && o->nodes <= SIM_NODES);
    struct sim *s = xcalloc(1, sizeof(*s));
    s->options = *o;
    begin_dice(s, o->seed);
    for (node_id n = 0; n < o->nodes; n++)
        s->names[n] = names[n];
    s->now_us = 1000000; /* no rule may depend on time having begun */
    check_init(s);
    return s;
}

void sim_destroy(struct sim *s)
{
    if (!s)
        return;
    for (node_id n = 0; n < SIM_NODES; n++) {
        mirror_destroy(s->nodes[n].m);
        disk_finish(&s->nodes[n].disk);
        VEC_FREE(&s->nodes[n].offered);
        for (node_id other = 0; other < SIM_NODES; other++)
            link_finish(&s->links[n][other]);
    }
    clients_destroy(s->clients);
    check_finish(s);
    sim_ledger_finish(&s->ledger);
    for (size_t i = 0; i < s->subs.len; i++) {
        VEC_FREE(&s->subs.items[i].deliveries);
        VEC_FREE(&s->subs.items[i].order);
    }
    VEC_FREE(&s->subs);
    VEC_FREE(&s->asks);
    VEC_FREE(&s->deliveries);
    VEC_FREE(&s->strays);
    VEC_FREE(&s->taking);
    heap_finish(&s->heap);
    effects_free(&s->effects);
    text_finish(&s->bytes);
    text_finish(&s->line);
    text_finish(&s->placement);
    free(s->failure);
    free(s);
}

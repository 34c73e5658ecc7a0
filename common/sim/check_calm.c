/* check_calm.c: the end of a storm. Once nothing is on its way, all that was excused by "not there yet" must
 * be there: one view, the same metadata everywhere, mirrors equal to a tail of their masters, placement as
 * the policy wants it, every publish answered (I2, I8, I10, I12). */
#include "sim/world.h"

#include <jansson.h>

/* ---- is it calm? ---- */

static node_set reached(const struct sim *s, node_id n)
{
    node_set found = 0;
    for (node_id other = 0; other < s->options.nodes; other++)
        if (other != n && s->nodes[other].m && !s->links[n][other].cut && !s->links[other][n].cut)
            found |= node_bit(other);
    return found;
}

/* Of those whom n reaches, some through others, not all reach each other. */
static bool between_cuts(const struct sim *s, node_id n)
{
    node_set all = node_bit(n), before = 0;
    while (all != before) {
        before = all;
        for (node_id other = 0; other < s->options.nodes; other++)
            all |= node_in(before, other) ? reached(s, other) : 0;
    }
    for (node_id other = 0; other < s->options.nodes; other++)
        if (node_in(all, other) && (all & ~node_bit(other) & ~reached(s, other)))
            return true;
    return false;
}

/* A node that starts and waits, with no end, for others that do not run, or that cannot all reach each other.
 */
static bool waits_for_absent(const struct sim *s, node_id n)
{
    struct view_info v = mirror_view(s->nodes[n].m);
    node_set there = reached(s, n);
    bool cut_off = (sim_running_set(s) & ~node_bit(n) & ~there) != 0 || between_cuts(s, n);
    bool looks = mirror_deadline(s->nodes[n].m) != UINT64_MAX;
    return v.phase == PHASE_STARTING && !looks &&
           (cut_off || (v.waiting_for != 0 && (v.waiting_for & there) == 0));
}

/* A node that pauses with reason: of all it knows it reaches half or fewer, or not all that run. */
static bool pauses(const struct sim *s, node_id n)
{
    struct view_info v = mirror_view(s->nodes[n].m);
    node_set there = reached(s, n);
    bool cut_off = (sim_running_set(s) & ~node_bit(n) & ~there) != 0;
    return v.phase == PHASE_PAUSED && (cut_off || 2 * (1 + node_count(there)) <= node_count(v.known));
}

/* In two views, and with reason: a link between these is cut, or (mode ignore) was when they parted. */
static bool apart(const struct sim *s, node_id a, node_id b)
{
    struct view_info va = mirror_view(s->nodes[a].m), vb = mirror_view(s->nodes[b].m);
    if (s->options.partition_handling == PARTITION_IGNORE &&
        (node_in(va.partitioned, b) || node_in(vb.partitioned, a)))
        return true;
    if (s->options.partition_handling == PARTITION_AUTOHEAL && between_cuts(s, a) && between_cuts(s, b))
        return true; /* the sides become one when all of them reach each other */
    for (node_id n = 0; n < s->options.nodes; n++)
        if (node_in(va.members, n) && s->nodes[n].m &&
            (vb.members & sim_running_set(s) & ~node_bit(n) & ~reached(s, n)))
            return true;
    return false;
}

/* It serves no view now, and need not. */
static bool stands_by(const struct sim *s, node_id n)
{
    return waits_for_absent(s, n) || pauses(s, n);
}

/* NULL: nothing is on its way; else what is, for a message. */
static const char *busy(const struct sim *s)
{
    const size_t *waiting = s->heap.count;
    if (waiting[HAPPEN_LINK])
        return "messages are on their way";
    if (waiting[HAPPEN_DISK])
        return "a disk is busy";
    if (waiting[HAPPEN_TURN_END] || waiting[HAPPEN_BOOT] || waiting[HAPPEN_CLIENT])
        return "something is about to happen";
    if (waiting[HAPPEN_SILENCE] || waiting[HAPPEN_CONNECT] || waiting[HAPPEN_UNCLOG])
        return "a link is about to change";
    if (s->open_asks)
        return "a question is not answered";
    for (node_id n = 0; n < s->options.nodes; n++) {
        if (!s->nodes[n].m || stands_by(s, n))
            continue;
        struct view_info v = mirror_view(s->nodes[n].m);
        if (v.phase != PHASE_SERVING || s->nodes[n].stopping)
            return "a node does not serve";
        for (node_id other = 0; other < n; other++)
            if (s->nodes[other].m && !stands_by(s, other) &&
                mirror_view(s->nodes[other].m).epoch != v.epoch && !apart(s, n, other))
                return "nodes are in different views";
        size_t at = 0;
        const struct queue *q;
        while ((q = mirror_next_queue(s->nodes[n].m, &at))) {
            struct queue_info info;
            mirror_queue_info(s->nodes[n].m, q, &info);
            if (info.state == QUEUE_SYNCING)
                return "a queue is being synchronised";
        }
    }
    return NULL;
}

/* long enough for anything that waits on a short timer to show itself */
#define QUIET_US 300000

bool sim_calm(struct sim *s, uint64_t limit_ms)
{
    uint64_t end = s->now_us + limit_ms * 1000, since = 0;
    const char *why = busy(s);
    while (!s->failure && s->now_us <= end) {
        if (!why && since == 0)
            since = s->now_us;
        else if (why)
            since = 0;
        const struct happening *next = heap_peek(&s->heap);
        if (!why && (!next || next->at_us > since + QUIET_US)) {
            s->now_us = since + QUIET_US;
            check_calm(s);
            return !s->failure;
        }
        if (!next)
            break;
        sim_step(s);
        why = busy(s);
    }
    for (size_t i = 0; i < s->asks.len; i++)
        if (s->asks.items[i].life && !s->asks.items[i].answer.answered)
            sim_tell(s, "no answer: %s %zu at %s", event_name(s->asks.items[i].type), i + 1,
                     s->names[s->asks.items[i].node]);
    sim_tell(s, "not calm after %llu ms: %s", (unsigned long long)limit_ms, why ? why : "-");
    return false;
}

/* ---- what must hold then ---- */

struct wanted {
    bool known;
    node_set replicas; /* exactly these, if not 0 */
    unsigned count;    /* else so many */
};

static node_set listed(const struct sim *s, const json_t *names)
{
    node_set set = 0;
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name)
    {
        for (node_id n = 0; n < s->options.nodes; n++)
            if (json_is_string(name) && strcmp(json_string_value(name), s->names[n]) == 0)
                set |= node_bit(n);
    }
    return set;
}

/* The placement that semantics.md asks for, given where the master is. */
static struct wanted placement(const struct sim *s, const struct queue_info *q, node_set members)
{
    struct wanted w = {.known = true, .replicas = node_bit(q->master)};
    json_t *definition = q->owner.node == NODE_NONE ? json_loads(q->definition, 0, NULL) : NULL;
    const char *mode = json_string_value(json_object_get(definition, "ha-mode"));
    const json_t *params = json_object_get(definition, "ha-params");
    if (!mode) {
        /* not mirrored */
    } else if (strcmp(mode, "all") == 0) {
        w.replicas = members;
    } else if (strcmp(mode, "exactly") == 0) {
        unsigned k = (unsigned)json_integer_value(params);
        w.replicas = 0;
        w.count = k < node_count(members) ? k : node_count(members);
    } else {
        node_set named = listed(s, params) & members;
        if (named && node_in(named, q->master))
            w.replicas = named;
        else if (named && (q->synced & named)) /* one of these should be master by now */
            w.replicas = named;
        else if (named)
            w.replicas = named | node_bit(q->master);
    }
    json_decref(definition);
    return w;
}

static void check_placement(struct sim *s, const struct queue_info *q, node_set members)
{
    node_set have = node_bit(q->master);
    for (size_t i = 0; i < q->mirrors_len; i++)
        have |= node_bit(q->mirrors[i]);
    struct wanted w = placement(s, q, members);
    if (w.replicas ? have != w.replicas : node_count(have) != w.count)
        sim_fail(s, "I10", "%s is on %x (master %s, synchronised %x), its policy %s wants %s %x", q->name,
                 have, s->names[q->master], q->synced, q->definition,
                 w.replicas ? "the set" : "so many:", w.replicas ? w.replicas : w.count);
}

static void compare_calm(struct sim *s, uint32_t queue, node_id master, node_id mirror)
{
    const struct seen_queue *m = seen_queue(s, master, queue), *r = seen_queue(s, mirror, queue);
    const char *name = s->ledger.queues.items[queue].name;
    if (!r->present || !r->now.replica) {
        sim_fail(s, "I8", "%s is listed as a mirror of %s but is none", s->names[mirror], name);
        return;
    }
    if (r->items.len > m->items.len) {
        sim_fail(s, "I8", "mirror %s of %s holds %zu messages, its master %s %zu", s->names[mirror], name,
                 r->items.len, s->names[master], m->items.len);
        return;
    }
    size_t offset = m->items.len - r->items.len;
    for (size_t i = 0; i < r->items.len; i++) {
        const struct seen_message *a = &m->items.items[offset + i], *b = &r->items.items[i];
        if (a->id != b->id || a->message != b->message) {
            sim_fail(s, "I8", "mirror %s of %s is no tail of its master %s: id %llu where %llu should be",
                     s->names[mirror], name, s->names[master], (unsigned long long)b->id,
                     (unsigned long long)a->id);
            return;
        }
        if (a->unacked != b->unacked || (a->redelivered && !b->redelivered)) {
            sim_fail(s, "I8", "mirror %s of %s has id %llu %s%s, its master %s has it %s%s", s->names[mirror],
                     name, (unsigned long long)b->id, b->unacked ? "unacknowledged" : "ready",
                     b->redelivered ? ", redelivered" : "", s->names[master],
                     a->unacked ? "unacknowledged" : "ready", a->redelivered ? ", redelivered" : "");
            return;
        }
    }
    bool synced = node_in(m->now.synced, mirror);
    if (synced != (offset == 0))
        sim_fail(s, "I8", "mirror %s of %s holds %zu of %zu messages and is %ssynchronised", s->names[mirror],
                 name, r->items.len, m->items.len, synced ? "" : "not ");
}

static bool same_info(const struct queue_info *a, const struct queue_info *b)
{
    bool same = a->uid == b->uid && a->generation == b->generation && a->master == b->master &&
                a->mirrors_len == b->mirrors_len && a->synced == b->synced && a->durable == b->durable &&
                strcmp(a->definition, b->definition) == 0;
    for (size_t i = 0; same && i < a->mirrors_len; i++)
        same = a->mirrors[i] == b->mirrors[i];
    return same;
}

/* ha-sync-mode: automatic, and nobody has stopped a copy: no mirror is left without one. */
static void check_automatic(struct sim *s, const struct queue_info *q, uint32_t queue)
{
    bool automatic = check_says(q->definition, "ha-sync-mode", "automatic");
    for (size_t i = 0; automatic && !s->ledger.queues.items[queue].cancelled && i < q->mirrors_len; i++)
        if (!node_in(q->synced, q->mirrors[i]))
            sim_fail(s, "I12", "%s is to synchronise by itself, and its mirror on %s stays unsynchronised",
                     q->name, s->names[q->mirrors[i]]);
}

static void check_queue_calm(struct sim *s, node_id first, const struct queue_info *q, node_set members)
{
    uint32_t queue = ledger_queue_of(&s->ledger, q->name, q->uid);
    const struct owner *owner = &q->owner;
    if (owner->node != NODE_NONE &&
        (!node_in(members, owner->node) || s->nodes[owner->node].incarnation != owner->incarnation ||
         !clients_own(s, owner)))
        sim_fail(s, "exclusive", "%s is there, and the connection that owned it is gone", q->name);
    for (node_id n = 0; n < s->options.nodes; n++) {
        if (!node_in(members, n) || n == first)
            continue;
        struct queue_info other;
        struct queue *there = mirror_find_queue_uid(s->nodes[n].m, q->uid);
        if (!there) {
            sim_fail(s, "metadata", "%s knows %s, %s does not", s->names[first], q->name, s->names[n]);
            return;
        }
        mirror_queue_info(s->nodes[n].m, there, &other);
        if (!same_info(q, &other)) {
            sim_fail(s, "metadata",
                     "%s and %s disagree about %s: masters %u and %u, mirrors %zu and %zu, "
                     "synchronised %x and %x, generations %llu and %llu, definitions %s and %s",
                     s->names[first], s->names[n], q->name, q->master, other.master, q->mirrors_len,
                     other.mirrors_len, q->synced, other.synced, (unsigned long long)q->generation,
                     (unsigned long long)other.generation, q->definition, other.definition);
            return;
        }
    }
    if (!node_in(members, q->master))
        return; /* stopped or down: check_views has judged that */
    struct queue_info at_master;
    mirror_queue_info(s->nodes[q->master].m, mirror_find_queue_uid(s->nodes[q->master].m, q->uid),
                      &at_master);
    struct queue_args args;
    sabotage_queue(s, &at_master, &args);
    if (!at_master.local || at_master.state != QUEUE_RUNNING) {
        sim_fail(s, "I12", "%s should run on %s and does not", q->name, s->names[q->master]);
        return;
    }
    const struct seen_queue *sq = seen_queue(s, q->master, queue);
    if (at_master.ready + at_master.unacked != sq->items.len)
        sim_fail(s, "I8", "%s counts %llu ready and %llu unacknowledged and holds %zu", q->name,
                 (unsigned long long)at_master.ready, (unsigned long long)at_master.unacked, sq->items.len);
    check_policy_applies(s, q->master, q);
    check_placement(s, q, members);
    check_automatic(s, q, queue);
    check_limits_calm(s, q->master, queue, &at_master);
    check_consumers_calm(s, q->master, queue, &at_master);
    for (size_t i = 0; i < q->mirrors_len; i++)
        if (node_in(members, q->mirrors[i]))
            compare_calm(s, queue, q->master, q->mirrors[i]);
    for (node_id n = 0; n < s->options.nodes && !s->failure; n++)
        if (node_in(members, n) && seen_queue(s, n, queue)->present && seen_queue(s, n, queue)->items.len) {
            bool hosts = n == q->master;
            for (size_t i = 0; i < q->mirrors_len; i++)
                hosts = hosts || q->mirrors[i] == n;
            if (!hosts)
                sim_fail(s, "I8", "%s holds messages of %s and is neither its master nor a mirror",
                         s->names[n], q->name);
        }
}

/* One of the views that are served: all its members agree. */
static void check_view_calm(struct sim *s, node_id first)
{
    struct view_info v = mirror_view(s->nodes[first].m);
    if (v.members & ~sim_running_set(s))
        sim_fail(s, "I12", "%s counts nodes that are gone to its view: %x", s->names[first], v.members);
    for (node_id n = 0; n < s->options.nodes && !s->failure; n++)
        if (node_in(v.members, n) && (stands_by(s, n) || mirror_view(s->nodes[n].m).members != v.members))
            sim_fail(s, "I12", "%s and %s ended in different views", s->names[first], s->names[n]);
    if (s->failure)
        return;
    check_keys_calm(s, v.members);
    size_t at = 0;
    const struct queue *q;
    while (!s->failure && (q = mirror_next_queue(s->nodes[first].m, &at))) {
        struct queue_info info;
        mirror_queue_info(s->nodes[first].m, q, &info);
        check_queue_calm(s, first, &info, v.members);
    }
}

/* All are in one view: what one side of a partition lacked has been given up, or is there. (A node that is
 * off may come back alone, with what its side had.) */
static void forget_sides(struct sim *s)
{
    for (size_t i = 0; i < s->ledger.messages.len; i++)
        s->ledger.messages.items[i].pending = DOOR_NONE;
}

void check_calm(struct sim *s)
{
    node_set checked = 0;
    for (node_id n = 0; n < s->options.nodes && !s->failure; n++) {
        if (!s->nodes[n].m || stands_by(s, n) || node_in(checked, n))
            continue;
        if (checked && s->options.partition_handling == PARTITION_PAUSE_MINORITY && !s->forced)
            sim_fail(s, "I11", "%s serves in a second view (pause_minority)", s->names[n]);
        check_view_calm(s, n);
        checked |= mirror_view(s->nodes[n].m).members;
        if (node_count(mirror_view(s->nodes[n].m).members) == s->options.nodes)
            forget_sides(s);
    }
    for (uint32_t i = 0; i < s->ledger.messages.len && !s->failure; i++)
        if (s->ledger.messages.items[i].fate == FATE_UNCONFIRMED)
            sim_fail(s, "I2", "m%u, published to %s on %s, was never answered", i,
                     s->ledger.queues.items[s->ledger.messages.items[i].queue].name,
                     s->names[s->ledger.messages.items[i].at]);
}

void check_drained(struct sim *s)
{
    for (uint32_t i = 0; i < s->ledger.messages.len && !s->failure; i++) {
        const struct ledger_message *m = &s->ledger.messages.items[i];
        const struct ledger_queue *q = &s->ledger.queues.items[m->queue];
        if (m->fate == FATE_CONFIRMED && !m->consumed && !m->removed && m->door == DOOR_NONE && !q->gone &&
            !q->deletion && !q->purge_unclear && !q->auto_ack)
            sim_fail(s, "I3",
                     "m%u (id %llu of %s, confirmed) was not delivered to anybody though all queues were "
                     "emptied",
                     i, (unsigned long long)m->id, q->name);
    }
}

/* away.c: see away.h. */
#include "away.h"

#include <stdlib.h>

/* at: where it stands if no queue has come or gone since */
static struct away *find_away(struct model *m, const char *queue, size_t at)
{
    if (at < m->away.len && strcmp(m->away.items[at].queue, queue) == 0)
        return &m->away.items[at];
    for (size_t i = 0; i < m->away.len; i++)
        if (strcmp(m->away.items[i].queue, queue) == 0)
            return &m->away.items[i];
    struct away a = {.queue = xstrdup(queue),
                     .served_by = -1,
                     .held = -1,
                     .in_memory = -1,
                     .left = -1,
                     .serves = -1,
                     .count.messages = -1,
                     .unsaid = -1};
    for (size_t i = 0; i < LIMIT_NODES; i++)
        a.told[i] = -1;
    VEC_PUSH(&m->away, a);
    return &m->away.items[m->away.len - 1];
}

/* What is in each copy whose node answers. One that is not in sync has some of it: how many, its node does
 * not say. */
static void remember_told(struct away *a, const struct snapshot *s, const struct queue_seen *q)
{
    for (size_t i = 0; i < s->nodes_len && i < LIMIT_NODES; i++) {
        node_bits full = queue_seen_masters_bits(q) | queue_seen_mirrors(q, true);
        const struct side_seen *side = queue_seen_side(q, (int)i);
        if (s->nodes[i].answers)
            a->told[i] = full & ((node_bits)1 << i) ? side ? side->messages : q->messages : -1;
    }
}

/* Nodes may count a queue's messages late after its return (RabbitMQ does so every 5 s): what is missing at
 * first is not missing if it is there by then. And what they counted last stood for so long: it was all. */
#define COUNTS_MS 10000

static void remember_count(struct away *a, const struct snapshot *s, const struct queue_seen *q,
                           node_bits silent)
{
    struct counted_last *c = &a->count;
    if (q->messages < 0 || q->master < 0 || (silent >> q->master & 1) || q->sides_len)
        return;
    bool same = c->messages == q->messages && c->master == q->master && c->published == q->published &&
                c->taken == q->taken && q->consumers <= 0;
    *c = (struct counted_last){q->master,    q->mirrors, q->messages,
                               q->published, q->taken,   same ? c->since : s->taken_at};
}

/* Before what it counts is remembered. The kit's nodes tell how level they were themselves. */
static void remember_short_of(struct away *a, const struct snapshot *s, const struct queue_seen *q)
{
    struct short_of *k = &a->short_of;
    const struct counted_last *c = &a->count;
    k->open = k->open && q->master == k->to && !q->sides_len;
    if (!k->open || q->messages < 0)
        return;
    if (!k->at) {
        k->at = s->taken_at;
        k->has = q->messages;
    }
    bool more = c->master == k->to ? q->published != c->published || q->taken != c->taken
                                   : q->published > c->published || q->taken > c->taken;
    k->still = k->still && q->messages == k->has && q->consumers <= 0 && !more;
}

/* Another node serves the queue now, and the one that did has fallen silent: who took over, and was it level?
 */
static void remember_taking_over(struct away *a, const struct snapshot *s, const struct queue_seen *q,
                                 node_bits silent)
{
    node_bits master = q->master >= 0 ? (node_bits)1 << q->master : 0;
    if (!master || (master & silent))
        return;
    if (a->served_by >= 0 && a->served_by != q->master && (silent & ((node_bits)1 << a->served_by))) {
        if (a->taken_len == TAKEN_MOST) {
            memmove(a->taken, a->taken + 1, --a->taken_len * sizeof(a->taken[0]));
            a->forgot++;
        }
        a->taken[a->taken_len++] = (struct taking_over){.from = a->served_by,
                                                        .to = q->master,
                                                        .level = a->level & master,
                                                        .held = a->serves,
                                                        .holds = -1};
        a->consumed = false;
        bool short_of = !(a->level & master) && (a->count.mirrors & master) && !s->traces;
        if (short_of && a->count.master == a->served_by)
            a->short_of = (struct short_of){.from = a->served_by,
                                            .to = q->master,
                                            .had = a->count.messages,
                                            .has = -1,
                                            .open = true,
                                            .still = s->taken_at >= a->count.since + COUNTS_MS};
    }
    struct taking_over *last = a->taken_len ? &a->taken[a->taken_len - 1] : NULL;
    if (last && !last->before && last->to == q->master && last->holds < 0)
        last->holds = q->messages;
    a->serves = q->messages;
    a->served_by = q->master;
    a->level = q->synced;
}

static void remember_unserved(struct away *a, const struct queue_seen *q, node_bits copies)
{
    if (a->held < 0 || a->back_at) {
        a->lost_earlier += a->back_at ? a->missing : 0;
        a->held = q->was_messages;
        a->kept_on = a->lost_earlier ? a->kept_on : 0;
    }
    a->kept_on |= copies;
    a->back_at = 0;
    a->loss_told = a->restarted = false;
    a->missing = 0;
}

/* Of which messages no disk has a copy, as long as somebody counts them. */
static void remember_memory(struct away *a, const struct queue_seen *q)
{
    if (q->messages < 0)
        return;
    bool transient = !q->durable || q->exclusive;
    a->in_memory = transient                                          ? q->messages
                   : q->persistent < 0 || q->persistent > q->messages ? -1
                                                                      : q->messages - q->persistent;
}

/* Its master does not run, no other takes its place, and nobody calls the queue stopped: RabbitMQ does so
 * where the mirrors are not in sync and may not take over. What that master is without when it serves the
 * queue again is missing as well. */
static void remember_unsaid(struct away *a, const struct snapshot *s, const struct queue_seen *q)
{
    if (q->master < 0 || s->traces)
        return;
    const struct node_seen *n = &s->nodes[q->master];
    if (q->state == QUEUE_SEEN_UNKNOWN && !n->answers && n->state == NODE_NOT_RUNNING) {
        a->unsaid_master = q->master;
        a->unsaid = q->was_messages;
        a->unsaid_on = a->copies | (node_bits)1 << q->master;
    } else if (q->messages >= 0 && a->unsaid >= 0) {
        if (q->master == a->unsaid_master && (a->held < 0 || a->back_at)) {
            remember_unserved(a, q, a->unsaid_on);
            a->held = a->unsaid;
        }
        a->unsaid = -1;
    }
}

static void remember_missing(struct away *a, const struct snapshot *s, const struct queue_seen *q)
{
    if (q->state == QUEUE_SEEN_STOPPED || q->state == QUEUE_SEEN_DOWN) {
        remember_unserved(a, q, a->copies | (q->master >= 0 ? (node_bits)1 << q->master : 0));
    } else if (a->held >= 0 && q->messages >= 0) {
        int64_t missing = q->messages < a->held ? a->held - q->messages : 0;
        if (!a->back_at)
            a->missing = missing;
        else if (s->taken_at - a->back_at < COUNTS_MS && missing < a->missing)
            a->missing = missing;
        a->back_at = a->back_at ? a->back_at : s->taken_at;
    }
}

/* Several serve it at the same time. That is another partition if they were one cluster since the last. */
static void remember_split(struct away *a, const struct snapshot *s, const struct queue_seen *q,
                           node_bits masters, node_bits silent)
{
    if (queue_seen_masters(q) <= 1) {
        a->split_over = a->split_over || (a->split && !(a->split & silent) && !snapshot_partitioned(s));
        return;
    }
    if (!a->split || a->split_over) {
        a->split = 0;
        a->split_wall_ms = s->taken_wall_ms;
        a->splits++;
    }
    a->split |= masters;
    a->split_over = a->split_before = false;
}

bool away_restarted(const struct snapshot *s, const struct away *a, const struct queue_seen *q)
{
    bool anew = a->left > 0 && a->left_on && q && q->messages >= 0 && q->state != QUEUE_SEEN_STOPPED &&
                q->state != QUEUE_SEEN_DOWN;
    for (size_t i = 0; anew && i < s->nodes_len && i < LIMIT_NODES; i++) {
        const struct node_seen *n = &s->nodes[i];
        if (a->left_on >> i & 1)
            anew = n->answers && n->uptime_ms >= (s->traces ? 0 : COUNTS_MS) &&
                   s->taken_wall_ms - n->uptime_ms > a->left_wall_ms;
    }
    return anew;
}

/* Nobody answers since this look: what the queue held in the one before it, and where. */
static void remember_left(struct away *a, const struct snapshot *before, const struct queue_seen *q)
{
    a->left = q->was_messages;
    a->left_in_memory = a->in_memory;
    a->left_on = a->now;
    a->left_wall_ms = before->taken_wall_ms;
    a->left_here = true;
}

/* All nodes went and came back: what is missing since was seen to be there before. */
static void remember_restart(struct away *a, const struct snapshot *s, const struct queue_seen *q)
{
    if (!a->left_here || !away_restarted(s, a, q))
        return;
    if (a->held < 0 || a->back_at) { /* else it was seen to be served by nobody meanwhile */
        remember_unserved(a, q, a->left_on);
        a->held = a->left;
    }
    a->restarted = a->held - q->messages <= a->left_in_memory;
    a->left_here = false;
    a->left = -1;
}

/* The newest that was heard of the node is that it was stopped. */
static bool told_to_stop(const struct snapshot *s, size_t node)
{
    char *stopped = format_text("%s was stopped", s->nodes[node].name);
    char *up = format_text("%s is up", s->nodes[node].name);
    bool told = false;
    for (size_t i = 0; i < s->events_len; i++)
        if (strcmp(s->events[i].text, stopped) == 0)
            told = true;
        else if (strcmp(s->events[i].text, up) == 0)
            told = false;
    free(stopped);
    free(up);
    return told;
}

/* Nobody answers. That alone says nothing of the nodes; but a queue whose every copy is on nodes that were
 * stopped (the log of RabbitMQ's only node says so) has nobody to serve it. */
static void remember_silence(struct model *m, const struct snapshot *s)
{
    node_bits stopped = 0;
    for (size_t i = 0; i < s->nodes_len; i++)
        stopped |= told_to_stop(s, i) ? (node_bits)1 << i : 0;
    for (size_t i = 0; i < s->queues_len && stopped; i++) {
        struct away *a = find_away(m, s->queues[i].name, i);
        if (a->now && !(a->now & ~stopped))
            remember_unserved(a, &s->queues[i], a->now);
    }
}

/* The copies a queue had on a node when that node fell silent are away with it, until it answers again (then
 * what it has is what the nodes list) or the queue is gone. Silent, not stopped: others can take over a queue
 * long before they agree that its node does not run. */
void away_observe(struct model *m, const struct snapshot *s)
{
    node_bits silent = 0;
    if (s->source < 0) { /* nobody says what is where */
        for (size_t i = 0; m->snapshot && m->snapshot->source >= 0 && i < s->queues_len; i++)
            remember_left(find_away(m, s->queues[i].name, i), m->snapshot, &s->queues[i]);
        remember_silence(m, s);
        return;
    }
    m->any_away = 0;
    bool looked = m->snapshot && m->snapshot->source >= 0;
    for (size_t i = 0; i < s->nodes_len; i++)
        if (!s->nodes[i].answers)
            silent |= (node_bits)1 << i;
    for (size_t i = 0; i < s->queues_len; i++) {
        const struct queue_seen *q = &s->queues[i];
        struct away *a = find_away(m, q->name, i);
        node_bits master = queue_seen_masters_bits(q);
        node_bits copies = queue_seen_mirrors(q, false) | master;
        a->copies = (a->copies | a->now | copies) & silent;
        a->masters = (a->masters | a->now_master | master) & silent;
        a->now = copies;
        a->now_master = master;
        a->known |= looked && !snapshot_queue(m->snapshot, q->name) ? ~(node_bits)0 : ~silent;
        remember_told(a, s, q);
        remember_split(a, s, q, master, silent);
        remember_taking_over(a, s, q, silent);
        remember_short_of(a, s, q);
        remember_count(a, s, q, silent);
        remember_memory(a, q);
        remember_restart(a, s, q);
        remember_unsaid(a, s, q);
        remember_missing(a, s, q);
        m->any_away |= a->copies;
    }
    for (size_t i = m->away.len; i-- > 0;)
        if (!snapshot_queue(s, m->away.items[i].queue)) {
            free(m->away.items[i].queue);
            VEC_REMOVE(&m->away, i);
        }
}

const struct away *model_past(const struct model *m, const char *queue)
{
    for (size_t i = 0; i < m->away.len; i++)
        if (strcmp(m->away.items[i].queue, queue) == 0)
            return &m->away.items[i];
    return NULL;
}

const struct away *model_away(const struct model *m, const char *queue)
{
    const struct away *a = m->any_away ? model_past(m, queue) : NULL;
    return a && a->copies ? a : NULL;
}

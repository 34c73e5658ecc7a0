/* snapshot.c: a snapshot's memory, what is found in it, and its words. snapshot_write.c and snapshot_read.c
 * have its JSON form. */
#include "lab/snapshot_json.h"

#include "base/text.h"

#include <stdlib.h>

static char *copy_text(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

const struct node_seen *snapshot_node(const struct snapshot *s, const char *name)
{
    int i = snapshot_node_index(s, name);
    return i < 0 ? NULL : &s->nodes[i];
}

char *snapshot_node_names(const struct snapshot *s, node_bits bits)
{
    struct text t = {0};
    text_add(&t, "");
    for (size_t i = 0; i < s->nodes_len; i++)
        if (bits >> i & 1)
            text_printf(&t, "%s%s", t.len ? ", " : "", s->nodes[i].name);
    return t.s;
}

int snapshot_node_index(const struct snapshot *s, const char *name)
{
    for (size_t i = 0; i < s->nodes_len; i++)
        if (strcmp(s->nodes[i].name, name) == 0)
            return (int)i;
    return -1;
}

const struct queue_seen *snapshot_queue(const struct snapshot *s, const char *name)
{
    size_t from = 0, to = s->queues_len;
    while (from < to) {
        size_t middle = (from + to) / 2;
        int order = strcmp(name, s->queues[middle].name);
        if (order == 0)
            return &s->queues[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    for (size_t i = 0; i < s->queues_len; i++) /* one from a file may be in any order */
        if (strcmp(s->queues[i].name, name) == 0)
            return &s->queues[i];
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct queue_seen *)a)->name, ((const struct queue_seen *)b)->name);
}

void snapshot_sort_queues(struct snapshot *s)
{
    if (s->queues_len)
        qsort(s->queues, s->queues_len, sizeof(*s->queues), by_name);
}

/* ---- partitions
 * -------------------------------------------------------------------------------------------- */

node_bits snapshot_partitions(const struct snapshot *s, int node)
{
    node_bits bits = 0;
    for (const char *at = s->nodes[node].partitions; at && *at;) {
        size_t len = strcspn(at, ",");
        for (size_t i = 0; i < s->nodes_len; i++)
            if (strncmp(s->nodes[i].name, at, len) == 0 && s->nodes[i].name[len] == '\0')
                bits |= (node_bits)1 << i;
        at += len + (at[len] == ',');
    }
    return bits;
}

/* Each says of itself that it runs and of the other that it does not; or one says that they were parted.
 * (What one says of another alone may be the past: a node that starts is up before all have heard of it.) */
bool snapshot_apart(const struct snapshot *s, int node, int other)
{
    const struct node_seen *a = &s->nodes[node], *b = &s->nodes[other];
    node_bits bit_a = (node_bits)1 << node, bit_b = (node_bits)1 << other;
    bool serve = a->answers && b->answers && (a->said_up_by & bit_a) && (b->said_up_by & bit_b);
    return node != other && serve &&
           (((a->said_down_by & bit_b) && (b->said_down_by & bit_a)) ||
            (snapshot_partitions(s, node) & bit_b) || (snapshot_partitions(s, other) & bit_a));
}

/* Both engines list a partition once the two sides have met again; RabbitMQ lists links that are cut, too. */
bool snapshot_met(const struct snapshot *s, int node, int other)
{
    bool told = (snapshot_partitions(s, node) >> other & 1) || (snapshot_partitions(s, other) >> node & 1);
    return snapshot_apart(s, node, other) && told && (s->nodes[node].links >> other & 1);
}

node_bits snapshot_apart_from(const struct snapshot *s, int node)
{
    node_bits bits = 0;
    for (size_t i = 0; i < s->nodes_len; i++)
        bits |= snapshot_apart(s, node, (int)i) ? (node_bits)1 << i : 0;
    return bits;
}

bool snapshot_partitioned(const struct snapshot *s)
{
    for (size_t i = 0; i < s->nodes_len; i++)
        if (snapshot_apart_from(s, (int)i))
            return true;
    for (size_t i = 0; i < s->queues_len; i++)
        if (queue_seen_masters(&s->queues[i]) > 1)
            return true;
    return false;
}

node_bits queue_seen_masters_bits(const struct queue_seen *q)
{
    node_bits bits = 0;
    for (size_t i = 0; i < q->sides_len; i++)
        bits |= q->sides[i].away ? 0 : (node_bits)1 << q->sides[i].master;
    return bits || q->master < 0 ? bits : (node_bits)1 << q->master;
}

unsigned queue_seen_masters(const struct queue_seen *q)
{
    int masters = __builtin_popcount(queue_seen_masters_bits(q));
    return masters > 1 ? (unsigned)masters : 1;
}

node_bits queue_seen_mirrors(const struct queue_seen *q, bool synced_only)
{
    node_bits bits = synced_only ? q->synced : q->mirrors;
    for (size_t i = 0; i < q->sides_len; i++)
        if (!q->sides[i].away)
            bits |= synced_only ? q->sides[i].synced : q->sides[i].mirrors;
    return bits & ~queue_seen_masters_bits(q);
}

bool queue_seen_one_sided(const struct snapshot *s, const struct queue_seen *q)
{
    bool served = q->state == QUEUE_SEEN_RUNNING || q->state == QUEUE_SEEN_SYNCING;
    if (!served || q->master < 0 || queue_seen_masters(q) > 1 || s->source < 0)
        return false;
    return snapshot_apart_from(s, q->master) != 0;
}

const struct side_seen *queue_seen_side(const struct queue_seen *q, int node)
{
    node_bits bit = (node_bits)1 << node;
    if (queue_seen_masters(q) < 2)
        return NULL;
    for (size_t i = 0; i < q->sides_len; i++)
        if (!q->sides[i].away && q->sides[i].master == node)
            return &q->sides[i];
    for (size_t i = 0; i < q->sides_len; i++)
        if (!q->sides[i].away && (q->sides[i].mirrors & bit))
            return &q->sides[i];
    return NULL;
}

const char *trace_seen_word(enum trace_seen_kind kind)
{
#define X(kind, word) word,
    static const char *const words[TRACE_SEEN_LEN] = {TRACE_SEEN_KINDS(X)};
#undef X
    return words[kind];
}

const char *queue_seen_state_name(enum queue_seen_state state)
{
    switch (state) {
    case QUEUE_SEEN_UNKNOWN: return "?";
    case QUEUE_SEEN_RUNNING: return N_("running");
    case QUEUE_SEEN_SYNCING: return N_("syncing");
    case QUEUE_SEEN_STOPPED: return N_("stopped");
    case QUEUE_SEEN_DOWN: return N_("down");
    }
    return "?";
}

const char *queue_seen_state_shown(enum queue_seen_state state)
{
    return state == QUEUE_SEEN_STOPPED ? N_("STOPPED")
           : state == QUEUE_SEEN_DOWN  ? N_("DOWN")
                                       : queue_seen_state_name(state);
}

const char *snapshot_node_word(enum node_state state)
{
    switch (state) {
    case NODE_UNKNOWN: return "unknown";
    case NODE_UP: return "up";
    case NODE_NOT_RUNNING: return "not running";
    }
    return "unknown";
}

const char *snapshot_queue_word(enum queue_seen_state state)
{
    return state == QUEUE_SEEN_UNKNOWN ? "unknown" : queue_seen_state_name(state);
}

/* ---- memory
 * ------------------------------------------------------------------------------------------------ */

static void node_copy(struct node_seen *to, const struct node_seen *from)
{
    *to = *from;
    to->name = copy_text(from->name);
    to->error = copy_text(from->error);
    to->partitions = copy_text(from->partitions);
}

static void queue_copy(struct queue_seen *to, const struct queue_seen *from)
{
    *to = *from;
    to->name = copy_text(from->name);
    to->policy = copy_text(from->policy);
    to->effective_definition = copy_text(from->effective_definition);
    to->sides = NULL;
    if (from->sides_len)
        to->sides = memcpy(xcalloc(from->sides_len, sizeof(*to->sides)), from->sides,
                           from->sides_len * sizeof(*to->sides));
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_rate(double a, double b)
{
    return !(a < b) && !(a > b);
}

bool queue_seen_same(const struct queue_seen *a, const struct queue_seen *b)
{
    bool same = a->state == b->state && a->master == b->master && a->mirrors == b->mirrors &&
                a->synced == b->synced && a->durable == b->durable && a->exclusive == b->exclusive &&
                a->auto_delete == b->auto_delete && a->messages == b->messages && a->ready == b->ready &&
                a->unacked == b->unacked && a->persistent == b->persistent &&
                a->was_messages == b->was_messages && a->consumers == b->consumers &&
                a->sync_messages == b->sync_messages && a->master_since == b->master_since;
    same = same && a->published == b->published && a->taken == b->taken;
    same = same && same_rate(a->publish_rate, b->publish_rate) && same_rate(a->deliver_rate, b->deliver_rate);
    return same && !a->sides_len && !b->sides_len && same_text(a->name, b->name) &&
           same_text(a->policy, b->policy) && same_text(a->effective_definition, b->effective_definition);
}

static void policy_copy(struct policy_seen *to, const struct policy_seen *from)
{
    *to = *from;
    to->name = copy_text(from->name);
    to->pattern = copy_text(from->pattern);
    to->apply_to = copy_text(from->apply_to);
    to->definition = copy_text(from->definition);
}

void snapshot_free_event(struct event_seen *e)
{
    free(e->kind);
    free(e->node);
    free(e->text);
    json_decref(e->fact);
}

void snapshot_copy_event(struct event_seen *to, const struct event_seen *from)
{
    *to = *from;
    to->kind = copy_text(from->kind);
    to->node = copy_text(from->node);
    to->text = copy_text(from->text);
    to->fact = json_incref(from->fact);
}

static void trace_copy(struct trace_seen *to, const struct trace_seen *from)
{
    *to = *from;
    to->queue = copy_text(from->queue);
}

static void copy_copy(struct copy_seen *to, const struct copy_seen *from)
{
    *to = *from;
    to->held = xcalloc(from->held_len + 1, sizeof(*to->held));
    if (from->held_len)
        memcpy(to->held, from->held, from->held_len * sizeof(*to->held));
}

#define COPY_LIST(to, from, list, copy_one)                                                                  \
    do {                                                                                                     \
        (to)->list = xcalloc((from)->list##_len, sizeof(*(to)->list));                                       \
        for (size_t i_ = 0; i_ < (from)->list##_len; i_++)                                                   \
            copy_one(&(to)->list[i_], &(from)->list[i_]);                                                    \
    } while (0)

struct snapshot *snapshot_clone(const struct snapshot *s)
{
    struct snapshot *copy = xmalloc(sizeof(*copy));
    *copy = *s;
    COPY_LIST(copy, s, nodes, node_copy);
    COPY_LIST(copy, s, queues, queue_copy);
    COPY_LIST(copy, s, policies, policy_copy);
    COPY_LIST(copy, s, events, snapshot_copy_event);
    COPY_LIST(copy, s, trace, trace_copy);
    COPY_LIST(copy, s, copies, copy_copy);
    copy->looked_at = copy_text(s->looked_at);
    copy->details = json_incref(s->details);
    return copy;
}

void snapshot_destroy(struct snapshot *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->nodes_len; i++) {
        free(s->nodes[i].name);
        free(s->nodes[i].error);
        free(s->nodes[i].partitions);
    }
    for (size_t i = 0; i < s->queues_len; i++) {
        free(s->queues[i].name);
        free(s->queues[i].policy);
        free(s->queues[i].effective_definition);
        free(s->queues[i].sides);
    }
    for (size_t i = 0; i < s->policies_len; i++) {
        free(s->policies[i].name);
        free(s->policies[i].pattern);
        free(s->policies[i].apply_to);
        free(s->policies[i].definition);
    }
    for (size_t i = 0; i < s->events_len; i++) {
        snapshot_free_event(&s->events[i]);
    }
    for (size_t i = 0; i < s->trace_len; i++)
        free(s->trace[i].queue);
    for (size_t i = 0; i < s->copies_len; i++)
        free(s->copies[i].held);
    free(s->nodes);
    free(s->queues);
    free(s->policies);
    free(s->events);
    free(s->trace);
    free(s->copies);
    free(s->looked_at);
    json_decref(s->details);
    free(s);
}

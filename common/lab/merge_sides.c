/* merge_sides.c: what a snapshot says of queues while nodes that answer do not see each other. A node knows
 * best what it serves itself: one that says "I am its master" is believed, whatever a node says that cannot
 * reach it. Where two say so, and do not see each other, the queue has two sides, each with messages of its
 * own.
 *
 * So it is before both know of it: one of two that lose each other notices it first, and counts the other out
 * with what that serves; and one that cannot reach a queue's master leaves out what that counts.
 *
 * What a side held is kept, as `away`, when its master falls silent: once that node is back and counts the
 * others as its own again, and serves the queue no more, what its side held was discarded (notice.c says so).
 */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "lab/merge.h"

struct claim { /* "I am its master", said by a node of itself */
    const char *name;
    int node;
    const json_t *entry;
};

struct claims {
    VEC(struct claim) list;
};

static int by_name_and_node(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : x->node - y->node;
}

static bool served(enum queue_seen_state state)
{
    return state == QUEUE_SEEN_RUNNING || state == QUEUE_SEEN_SYNCING;
}

static bool has_sides(const struct snapshot *s)
{
    for (size_t i = 0; s && i < s->queues_len; i++)
        if (s->queues[i].sides_len)
            return true;
    return false;
}

static bool is_served(const json_t *o)
{
    const char *state = json_string_value(json_object_get(o, "state"));
    return state && (strcmp(state, queue_seen_state_name(QUEUE_SEEN_RUNNING)) == 0 ||
                     strcmp(state, queue_seen_state_name(QUEUE_SEEN_SYNCING)) == 0);
}

/* it has it served, with its count */
static bool is_whole(const json_t *o)
{
    return is_served(o) && json_is_integer(json_object_get(o, "messages"));
}

static void gather(struct claims *c, const struct snapshot *s, const struct node_answer *answers, int node)
{
    const json_t *o;
    size_t i;
    json_array_foreach(answers[node].queues, i, o)
    {
        const char *name = merge_queue_name(o), *master = json_string_value(json_object_get(o, "node"));
        if (name && master && is_served(o) && merge_node_index(s, master) == node)
            VEC_PUSH(&c->list, (struct claim){name, node, o});
    }
}

static void add_side(struct queue_seen *q, struct side_seen side)
{
    q->sides = xrealloc(q->sides, (q->sides_len + 1) * sizeof(*q->sides));
    q->sides[q->sides_len++] = side;
}

static struct side_seen side_of(const struct snapshot *s, const struct claim *c)
{
    struct queue_seen q;
    merge_read_queue(s, c->entry, c->name, &q);
    struct side_seen side = {.master = c->node,
                             .state = q.state,
                             .mirrors = q.mirrors,
                             .synced = q.synced,
                             .messages = q.messages,
                             .ready = q.ready,
                             .unacked = q.unacked,
                             .was_messages = q.messages};
    free(q.name);
    free(q.policy);
    free(q.effective_definition);
    return side;
}

static struct queue_seen *find(const struct snapshot *s, const char *name)
{
    return (struct queue_seen *)snapshot_queue(s, name);
}

/* What stands in the list becomes what this master says; that of one that is not in the list is added. */
static void take_over(struct snapshot *s, const struct claim *c, const struct snapshot *before)
{
    struct queue_seen *q = find(s, c->name);
    if (!q) {
        s->queues = xrealloc(s->queues, (s->queues_len + 1) * sizeof(*s->queues));
        q = &s->queues[s->queues_len++];
    } else {
        free(q->name);
        free(q->policy);
        free(q->effective_definition);
    }
    merge_read_queue(s, c->entry, c->name, q);
    merge_remember(q, s, before);
    snapshot_sort_queues(s);
}

/* One of them has figures of the other, which it counts as not running: it reaches it again, and adds up what
 * both count of a queue, some time before either lists the partition (RabbitMQ does that every 5 s). */
static bool reaches(const struct snapshot *s, const struct node_answer *answers, int node, int other)
{
    const json_t *o;
    size_t i;
    json_array_foreach(answers[node].nodes, i, o)
    {
        const char *name = json_string_value(json_object_get(o, "name"));
        if (name && merge_node_index(s, name) == other && json_object_get(o, "partitions"))
            return true;
    }
    return false;
}

static bool sides_met(const struct snapshot *s, const struct node_answer *answers, const struct queue_seen *q)
{
    bool met = false;
    for (size_t i = 0; i < q->sides_len; i++)
        for (size_t k = 0; k < q->sides_len; k++) {
            int one = q->sides[i].master, other = q->sides[k].master;
            met = met || snapshot_met(s, one, other) || (i != k && reaches(s, answers, one, other));
        }
    return met;
}

static const struct side_seen *side_before(const struct queue_seen *was, int master)
{
    for (size_t k = 0; was && k < was->sides_len; k++)
        if (was->sides[k].master == master)
            return &was->sides[k];
    return NULL;
}

/* It counts what all sides held together a look ago. They may have met after their list of nodes was made:
 * the next look tells that, and is believed if it does not. */
static bool may_be_sum(const struct queue_seen *q, const struct side_seen *side, const struct queue_seen *was)
{
    const struct side_seen *before = side_before(was, side->master);
    int64_t sum = 0;
    for (size_t i = 0; i < q->sides_len; i++) {
        const struct side_seen *other = side_before(was, q->sides[i].master);
        if (!other || other->was_messages < 0)
            return false;
        sum += other->was_messages;
    }
    return before && before->messages >= 0 && side->messages == sum && sum != before->messages;
}

/* RabbitMQ adds up what nodes that see each other count of a queue, by its name: where two masters have met
 * again, each tells the sum of both, and names the mirrors of either. What one of them alone holds nobody
 * says then; and who is apart from a master is no mirror of it. */
static void forget_sums(const struct snapshot *s, const struct node_answer *answers, struct queue_seen *q,
                        const struct queue_seen *was)
{
    bool met = sides_met(s, answers, q), unsure[LIMIT_NODES] = {false};
    for (size_t i = 0; i < q->sides_len; i++)
        unsure[i] = met || may_be_sum(q, &q->sides[i], was);
    for (size_t i = 0; i < q->sides_len; i++) {
        struct side_seen *side = &q->sides[i];
        const struct side_seen *before = side_before(was, side->master);
        node_bits apart = met ? snapshot_apart_from(s, side->master) : 0;
        side->mirrors &= ~apart;
        side->synced &= ~apart;
        if (!unsure[i])
            continue;
        side->messages = side->ready = side->unacked = -1;
        side->was_messages = before ? before->was_messages : -1;
        if (side->master == q->master) {
            q->messages = q->ready = q->unacked = q->persistent = q->published = q->taken = -1;
            q->was_messages = side->was_messages;
        }
    }
    q->mirrors &= met && q->master >= 0 ? ~snapshot_apart_from(s, q->master) : ~(node_bits)0;
    q->synced &= q->mirrors;
}

/* those of one queue; at least one. sums: what nodes answered that add up what they count; NULL: none does */
static void merge_claims(struct snapshot *s, const struct node_answer *sums, const struct claim *claims,
                         size_t len, const struct snapshot *before)
{
    const struct claim *kept = NULL;
    const struct queue_seen *q = find(s, claims[0].name), *was = NULL;
    node_bits real = 0; /* those that do not see another one: no queue that is just being handed over */
    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < len; k++)
            real |= snapshot_apart(s, claims[i].node, claims[k].node) ? (node_bits)1 << claims[i].node : 0;
        if (q && served(q->state) && q->master == claims[i].node)
            kept = &claims[i];
    }
    if (!real && q && served(q->state))
        return;
    was = before ? snapshot_queue(before, claims[0].name) : NULL;
    for (size_t i = 0; i < len && !kept; i++) /* the one that was shown before stays */
        kept = was && was->master == claims[i].node ? &claims[i] : NULL;
    if (!q || !served(q->state) || (kept && q->master != kept->node))
        take_over(s, kept ? kept : claims, before);
    if (!real)
        return;
    struct queue_seen *now = find(s, claims[0].name);
    for (size_t i = 0; i < len; i++)
        if (real >> claims[i].node & 1)
            add_side(now, side_of(s, &claims[i]));
    if (sums)
        forget_sums(s, sums, now, was);
}

bool merge_was_master(const struct queue_seen *was, int node)
{
    bool master = was->master == node;
    for (size_t i = 0; i < was->sides_len; i++)
        master = master || was->sides[i].master == node;
    return master;
}

bool merge_side_goes_on(const struct queue_seen *q, const struct side_seen *side)
{
    node_bits copies = side->mirrors | (node_bits)1 << side->master;
    node_bits now = q->master >= 0 ? (node_bits)1 << q->master : 0;
    for (size_t i = 0; i < q->sides_len; i++)
        now |= q->sides[i].away ? 0 : (node_bits)1 << q->sides[i].master;
    return now & copies;
}

/* The sides that were seen before and do not speak now: kept while their master is silent. */
static void keep_away(struct snapshot *s, const struct snapshot *before)
{
    for (size_t i = 0; i < before->queues_len; i++) {
        const struct queue_seen *was = &before->queues[i];
        struct queue_seen *q = was->sides_len ? find(s, was->name) : NULL;
        for (size_t k = 0; q && k < was->sides_len; k++) {
            struct side_seen side = was->sides[k];
            if (merge_side_goes_on(q, &side) || s->nodes[side.master].answers)
                continue;
            side.away = true;
            add_side(q, side);
        }
    }
}

/* the entry of this queue in the list of the node that is its master, by its own words; NULL: there is none
 */
static const json_t *own_entry(const struct snapshot *s, const json_t *list, const char *queue, int master)
{
    const json_t *o;
    size_t i;
    json_array_foreach(list, i, o)
    {
        const char *name = merge_queue_name(o), *node = json_string_value(json_object_get(o, "node"));
        if (name && strcmp(name, queue) == 0)
            return node && merge_node_index(s, node) == master ? o : NULL;
    }
    return NULL;
}

/* Where the list has a queue without its count, or as served by nobody, its master may say otherwise, if that
 * answers and was asked for its list, too. */
static void believe_masters(struct snapshot *s, const struct labdir *lab, const struct node_answer *answers,
                            const struct snapshot *before)
{
    for (size_t i = 0; i < s->queues_len; i++) {
        const struct queue_seen *q = &s->queues[i];
        bool asked = q->messages < 0 && !q->sides_len && q->master >= 0 && q->master < (int)lab->nodes_len &&
                     q->master != s->source && s->nodes[q->master].answers;
        const json_t *o = asked ? own_entry(s, answers[q->master].queues, q->name, q->master) : NULL;
        if (o && is_whole(o))
            take_over(s, &(struct claim){merge_queue_name(o), q->master, o}, before);
    }
}

bool merge_wants_others(const struct snapshot *before, const struct node_answer *answer, node_bits others)
{
    const json_t *o;
    size_t i;
    bool wants = false;
    json_array_foreach(answer->nodes, i, o)
    {
        const char *name = json_string_value(json_object_get(o, "name"));
        int node = name ? merge_node_index(before, name) : -1;
        wants = wants || (node >= 0 && (others >> node & 1) && !json_is_true(json_object_get(o, "running")));
    }
    json_array_foreach(answer->queues, i, o)
    {
        const char *master = json_string_value(json_object_get(o, "node"));
        int node = !wants && master && !is_whole(o) ? merge_node_index(before, master) : -1;
        wants = wants || (node >= 0 && (others >> node & 1));
    }
    return wants;
}

void merge_sides(struct snapshot *s, const struct labdir *lab, const struct node_answer *answers,
                 const struct snapshot *before)
{
    struct claims c = {0};
    for (size_t i = 0; i < lab->nodes_len; i++)
        if (snapshot_apart_from(s, (int)i))
            gather(&c, s, answers, (int)i);
    if (c.list.len)
        qsort(c.list.items, c.list.len, sizeof(*c.list.items), by_name_and_node);
    for (size_t from = 0, to; from < c.list.len; from = to) {
        for (to = from + 1; to < c.list.len && strcmp(c.list.items[to].name, c.list.items[from].name) == 0;
             to++)
            ;
        merge_claims(s, lab->engine == ENGINE_RABBITMQ ? answers : NULL, c.list.items + from, to - from,
                     before);
    }
    believe_masters(s, lab, answers, before);
    if (has_sides(before))
        keep_away(s, before);
    VEC_FREE(&c.list);
}

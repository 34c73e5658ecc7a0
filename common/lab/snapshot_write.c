/* snapshot_write.c: a snapshot as JSON. It names nodes instead of numbering bits, leaves out what is unknown,
 * and snapshot_read.c makes the same snapshot of it: `lab status --json`, recordings, tests. */
#include "lab/snapshot_json.h"

static json_t *names_of(const struct snapshot *s, node_bits bits)
{
    json_t *names = json_array();
    for (size_t i = 0; i < s->nodes_len; i++)
        if (bits & ((node_bits)1 << i))
            json_array_append_new(names, json_string(s->nodes[i].name));
    return names;
}

static json_t *text_or_null(const char *s)
{
    json_t *json = s ? json_string(s) : NULL; /* NULL also if s is not UTF-8 */
    return json ? json : json_null();
}

/* a number that may be unknown: then the key is absent */
static void set_known(json_t *object, const char *key, int64_t value)
{
    if (value >= 0)
        json_object_set_new(object, key, json_integer(value));
}

static json_t *node_json(const struct snapshot *s, const struct node_seen *n)
{
    json_t *json =
        json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:s, s:I, s:I}", "name", n->name, "state",
                  snapshot_node_word(n->state), "answers", n->answers, "said_up_by",
                  names_of(s, n->said_up_by), "said_down_by", names_of(s, n->said_down_by), "error",
                  text_or_null(n->error), "partitions", n->partitions ? n->partitions : "", "answered_at",
                  (json_int_t)n->answered_at, "changed_at", (json_int_t)n->changed_at);
    if (n->gone)
        json_object_set_new(json, "process_gone", json_true());
    if (n->unrefused)
        json_object_set_new(json, "unrefused", json_true());
    if (n->links)
        json_object_set_new(json, "links", names_of(s, n->links));
    set_known(json, "memory_bytes", n->memory_bytes);
    set_known(json, "uptime_ms", n->uptime_ms);
    set_known(json, "connections", n->connections);
    return json;
}

/* what each of several masters says */
static json_t *sides_json(const struct snapshot *s, const struct queue_seen *q)
{
    json_t *sides = json_array();
    for (size_t i = 0; i < q->sides_len; i++) {
        const struct side_seen *d = &q->sides[i];
        json_t *json = json_pack("{s:s, s:s, s:o, s:o, s:b}", "master", s->nodes[d->master].name, "state",
                                 snapshot_queue_word(d->state), "mirrors", names_of(s, d->mirrors), "synced",
                                 names_of(s, d->synced), "away", d->away);
        set_known(json, "messages", d->messages);
        set_known(json, "ready", d->ready);
        set_known(json, "unacked", d->unacked);
        set_known(json, "was_messages", d->was_messages);
        json_array_append_new(sides, json);
    }
    return sides;
}

static json_t *queue_json(const struct snapshot *s, const struct queue_seen *q)
{
    const char *master = q->master >= 0 ? s->nodes[q->master].name : NULL;
    json_t *json =
        json_pack("{s:s, s:s, s:o, s:o, s:o, s:b, s:b, s:b, s:o, s:o, s:I, s:I}", "name", q->name, "state",
                  snapshot_queue_word(q->state), "master", text_or_null(master), "mirrors",
                  names_of(s, q->mirrors), "synced", names_of(s, q->synced), "durable", q->durable,
                  "exclusive", q->exclusive, "auto_delete", q->auto_delete, "policy", text_or_null(q->policy),
                  "effective_definition", text_or_null(q->effective_definition), "seen_at",
                  (json_int_t)q->seen_at, "master_since", (json_int_t)q->master_since);
    set_known(json, "messages", q->messages);
    set_known(json, "ready", q->ready);
    set_known(json, "unacked", q->unacked);
    set_known(json, "persistent", q->persistent);
    set_known(json, "was_messages", q->was_messages);
    set_known(json, "consumers", q->consumers);
    set_known(json, "sync_messages", q->sync_messages);
    if (q->publish_rate >= 0)
        json_object_set_new(json, "publish_rate", json_real(q->publish_rate));
    if (q->deliver_rate >= 0)
        json_object_set_new(json, "deliver_rate", json_real(q->deliver_rate));
    set_known(json, "published", q->published);
    set_known(json, "taken", q->taken);
    if (q->sides_len)
        json_object_set_new(json, "sides", sides_json(s, q));
    return json;
}

static json_t *node_or_null(const struct snapshot *s, int node)
{
    return node >= 0 ? json_string(s->nodes[node].name) : json_null();
}

/* What few snapshots have is only there if it is there. */
static void trace_to_json(const struct snapshot *s, json_t *json)
{
    json_t *trace = json_array(), *copies = json_array();
    for (size_t i = 0; i < s->trace_len; i++) {
        const struct trace_seen *t = &s->trace[i];
        json_array_append_new(
            trace,
            json_pack(
                "{s:s, s:o, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:b, s:b, s:o, s:o, s:I, s:I, "
                "s:I}",
                "kind", trace_seen_word(t->kind), "node", node_or_null(s, t->node), "from_us",
                (json_int_t)t->from_us, "until_us", (json_int_t)t->until_us, "queue", t->queue, "uid",
                (json_int_t)t->queue_uid, "first", (json_int_t)t->first, "last", (json_int_t)t->last, "count",
                (json_int_t)t->count, "redelivered", t->redelivered, "unsynced", t->unsynced, "more", t->more,
                "in_memory", t->in_memory, "logged", t->logged, "about", node_or_null(s, t->about), "origin",
                node_or_null(s, t->origin), "incarnation", (json_int_t)t->incarnation, "number",
                (json_int_t)t->number, "reign", (json_int_t)t->reign));
    }
    for (size_t i = 0; i < s->copies_len; i++) {
        const struct copy_seen *c = &s->copies[i];
        json_t *held = json_array();
        for (size_t j = 0; j < c->held_len; j++)
            json_array_append_new(held, json_pack("[I, I, I]", (json_int_t)c->held[j].first,
                                                  (json_int_t)c->held[j].last, (json_int_t)c->held[j].reign));
        json_array_append_new(copies, json_pack("{s:o, s:b, s:b, s:b, s:I, s:I, s:o}", "node",
                                                node_or_null(s, c->node), "master", c->master, "mirror",
                                                c->mirror, "all", c->all, "uid", (json_int_t)c->queue_uid,
                                                "next", (json_int_t)c->next, "held", held));
    }
    if (snapshot_partitioned(s))
        json_object_set_new(json, "partitioned", json_true());
    if (s->moved_to)
        json_object_set_new(json, "moved_to", json_integer(s->moved_to));
    if (s->traces)
        json_object_set_new(json, "traces", names_of(s, s->traces));
    if (s->trace_gaps)
        json_object_set_new(json, "trace_gaps", names_of(s, s->trace_gaps));
    if (s->trace_len)
        json_object_set(json, "trace", trace);
    if (s->looked_at) {
        json_object_set_new(json, "looked_at", json_string(s->looked_at));
        json_object_set(json, "copies", copies);
    }
    if (s->details)
        json_object_set(json, "details", s->details);
    json_decref(trace);
    json_decref(copies);
}

json_t *snapshot_to_json(const struct snapshot *s)
{
    json_t *nodes = json_array(), *queues = json_array(), *policies = json_array(), *events = json_array();
    for (size_t i = 0; i < s->nodes_len; i++)
        json_array_append_new(nodes, node_json(s, &s->nodes[i]));
    for (size_t i = 0; i < s->queues_len; i++)
        json_array_append_new(queues, queue_json(s, &s->queues[i]));
    for (size_t i = 0; i < s->policies_len; i++) {
        const struct policy_seen *p = &s->policies[i];
        json_array_append_new(policies, json_pack("{s:s, s:s, s:s, s:s, s:I}", "name", p->name, "pattern",
                                                  p->pattern, "apply_to", p->apply_to, "definition",
                                                  p->definition, "priority", (json_int_t)p->priority));
    }
    for (size_t i = 0; i < s->events_len; i++) {
        const struct event_seen *e = &s->events[i];
        json_array_append_new(events, json_pack("{s:I, s:I, s:s, s:o, s:o}", "seq", (json_int_t)e->seq,
                                                "wall_ms", (json_int_t)e->wall_ms, "kind", e->kind, "node",
                                                text_or_null(e->node), "text", text_or_null(e->text)));
    }
    const char *source = s->source >= 0 ? s->nodes[s->source].name : NULL;
    json_t *json = json_pack("{s:i, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "format", SNAPSHOT_FORMAT,
                             "number", (json_int_t)s->number, "taken_at", (json_int_t)s->taken_at,
                             "taken_wall_ms", (json_int_t)s->taken_wall_ms, "source", text_or_null(source),
                             "nodes", nodes, "queues", queues, "policies", policies, "events", events);
    trace_to_json(s, json);
    return json;
}

/* snapshot_read.c: a snapshot from its JSON. The file may be anyone's: what is not right ends the reading,
 * with its place and what was expected. */
#include <stdlib.h>

#include "base/text.h"
#include "lab/snapshot_json.h"

/* A recording is read from a file that anyone may have written. */
#define MAX_QUEUES 100000
#define MAX_EVENTS 1000
#define MAX_TRACE  100000 /* a full trace of every node */

/* Reading stops at the first thing that is not right; its place and what was expected are kept. */
struct reader {
    struct snapshot *s;
    char *error;
};

static bool fail(struct reader *r, const char *where, size_t i, const char *key, const char *expected)
{
    if (!r->error)
        r->error = format_text("%s[%zu].%s: %s is expected; this is not a snapshot of lab status --json",
                               where, i, key, expected);
    return false;
}

static bool read_text(struct reader *r, const json_t *o, const char *where, size_t i, const char *key,
                      bool may_be_null, char **out)
{
    const json_t *v = json_object_get(o, key);
    if (json_is_string(v)) {
        *out = xstrdup(json_string_value(v));
        return true;
    }
    *out = NULL;
    if (may_be_null && (!v || json_is_null(v)))
        return true;
    return fail(r, where, i, key, "a text");
}

static bool read_number(struct reader *r, const json_t *o, const char *where, size_t i, const char *key,
                        int64_t absent, int64_t *out)
{
    const json_t *v = json_object_get(o, key);
    *out = absent;
    if (!v)
        return true;
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return fail(r, where, i, key, "a number of 0 or more");
    *out = json_integer_value(v);
    return true;
}

static bool read_time(struct reader *r, const json_t *o, const char *where, size_t i, const char *key,
                      ms_time *out)
{
    int64_t value;
    bool ok = read_number(r, o, where, i, key, 0, &value);
    *out = (ms_time)value;
    return ok;
}

static bool read_rate(struct reader *r, const json_t *o, const char *where, size_t i, const char *key,
                      double *out)
{
    const json_t *v = json_object_get(o, key);
    *out = v ? json_number_value(v) : -1;
    return !v || json_is_number(v) || fail(r, where, i, key, "a number");
}

static bool read_flag(struct reader *r, const json_t *o, const char *where, size_t i, const char *key,
                      bool *out)
{
    const json_t *v = json_object_get(o, key);
    *out = json_is_true(v);
    return !v || json_is_boolean(v) || fail(r, where, i, key, "true or false");
}

static bool read_bits(struct reader *r, const json_t *o, const char *where, size_t i, const char *key,
                      node_bits *out)
{
    const json_t *v = json_object_get(o, key), *name;
    size_t at;
    *out = 0;
    if (v && !json_is_array(v))
        return fail(r, where, i, key, "a list of node names");
    json_array_foreach(v, at, name)
    {
        int node = json_is_string(name) ? snapshot_node_index(r->s, json_string_value(name)) : -1;
        if (node < 0)
            return fail(r, where, i, key, "the name of a node of this snapshot");
        *out |= (node_bits)1 << node;
    }
    return true;
}

/* a word of one of the two state enums; count is one past the last */
static bool read_word(struct reader *r, const json_t *o, const char *where, size_t i, const char *key,
                      const char *(*word)(int), int count, int *out)
{
    const char *text = json_string_value(json_object_get(o, key));
    for (*out = 0; *out < count; (*out)++)
        if (text && strcmp(text, word(*out)) == 0)
            return true;
    *out = 0;
    return fail(r, where, i, key, "a state");
}

static const char *node_word(int state)
{
    return snapshot_node_word((enum node_state)state);
}

static const char *queue_word(int state)
{
    return snapshot_queue_word((enum queue_seen_state)state);
}

static bool read_nodes(struct reader *r, const json_t *list)
{
    struct snapshot *s = r->s;
    s->nodes = xcalloc(json_array_size(list), sizeof(*s->nodes));
    s->nodes_len = json_array_size(list);
    for (size_t i = 0; i < s->nodes_len; i++) /* names first: others name them */
        if (!read_text(r, json_array_get(list, i), "nodes", i, "name", false, &s->nodes[i].name)) {
            s->nodes_len = i;
            return false;
        }
    for (size_t i = 0; i < s->nodes_len; i++) {
        const json_t *o = json_array_get(list, i);
        struct node_seen *n = &s->nodes[i];
        int state = 0;
        bool ok = read_word(r, o, "nodes", i, "state", node_word, NODE_NOT_RUNNING + 1, &state) &&
                  read_flag(r, o, "nodes", i, "answers", &n->answers) &&
                  read_flag(r, o, "nodes", i, "unrefused", &n->unrefused) &&
                  read_bits(r, o, "nodes", i, "said_up_by", &n->said_up_by) &&
                  read_bits(r, o, "nodes", i, "said_down_by", &n->said_down_by) &&
                  read_text(r, o, "nodes", i, "error", true, &n->error) &&
                  read_text(r, o, "nodes", i, "partitions", false, &n->partitions) &&
                  read_bits(r, o, "nodes", i, "links", &n->links) &&
                  read_time(r, o, "nodes", i, "answered_at", &n->answered_at) &&
                  read_time(r, o, "nodes", i, "changed_at", &n->changed_at) &&
                  read_number(r, o, "nodes", i, "memory_bytes", -1, &n->memory_bytes) &&
                  read_number(r, o, "nodes", i, "uptime_ms", -1, &n->uptime_ms) &&
                  read_number(r, o, "nodes", i, "connections", -1, &n->connections);
        n->state = (enum node_state)state;
        n->gone = json_is_true(json_object_get(o, "process_gone")) && !n->answers;
        n->unrefused = n->unrefused && !n->answers; /* an old one does not say it */
        if (!ok)
            return false;
    }
    return true;
}

static bool read_master(struct reader *r, const json_t *o, size_t i, int *out)
{
    const json_t *v = json_object_get(o, "master");
    *out = -1;
    if (!v || json_is_null(v))
        return true;
    if (json_is_string(v))
        *out = snapshot_node_index(r->s, json_string_value(v));
    return *out >= 0 || fail(r, "queues", i, "master", "the name of a node of this snapshot");
}

static bool read_side(struct reader *r, const json_t *o, size_t i, struct side_seen *d)
{
    const char *w = "sides";
    int state = 0;
    bool ok = read_master(r, o, i, &d->master) &&
              read_word(r, o, w, i, "state", queue_word, QUEUE_SEEN_DOWN + 1, &state) &&
              read_bits(r, o, w, i, "mirrors", &d->mirrors) && read_bits(r, o, w, i, "synced", &d->synced) &&
              read_number(r, o, w, i, "messages", -1, &d->messages) &&
              read_number(r, o, w, i, "ready", -1, &d->ready) &&
              read_number(r, o, w, i, "unacked", -1, &d->unacked) &&
              read_number(r, o, w, i, "was_messages", -1, &d->was_messages) &&
              read_flag(r, o, w, i, "away", &d->away);
    d->state = (enum queue_seen_state)state;
    return ok && (d->master >= 0 || fail(r, w, i, "master", "the name of a node of this snapshot"));
}

static bool read_sides(struct reader *r, const json_t *o, size_t i, struct queue_seen *q)
{
    const json_t *sides = json_object_get(o, "sides");
    if (!sides)
        return true;
    if (!json_is_array(sides) || json_array_size(sides) > LIMIT_NODES)
        return fail(r, "queues", i, "sides", "a list, one for each master");
    q->sides = xcalloc(json_array_size(sides) + 1, sizeof(*q->sides));
    q->sides_len = json_array_size(sides);
    for (size_t d = 0; d < q->sides_len; d++)
        if (!read_side(r, json_array_get(sides, d), d, &q->sides[d]))
            return false;
    return true;
}

static bool read_queue(struct reader *r, const json_t *o, size_t i, struct queue_seen *q)
{
    const char *w = "queues";
    int state = 0;
    bool ok = read_text(r, o, w, i, "name", false, &q->name) &&
              read_word(r, o, w, i, "state", queue_word, QUEUE_SEEN_DOWN + 1, &state) &&
              read_master(r, o, i, &q->master) && read_bits(r, o, w, i, "mirrors", &q->mirrors) &&
              read_bits(r, o, w, i, "synced", &q->synced) && read_flag(r, o, w, i, "durable", &q->durable) &&
              read_flag(r, o, w, i, "exclusive", &q->exclusive) &&
              read_flag(r, o, w, i, "auto_delete", &q->auto_delete) &&
              read_text(r, o, w, i, "policy", true, &q->policy) &&
              read_text(r, o, w, i, "effective_definition", true, &q->effective_definition) &&
              read_time(r, o, w, i, "seen_at", &q->seen_at) &&
              read_time(r, o, w, i, "master_since", &q->master_since) &&
              read_number(r, o, w, i, "messages", -1, &q->messages) &&
              read_number(r, o, w, i, "ready", -1, &q->ready) &&
              read_number(r, o, w, i, "unacked", -1, &q->unacked) &&
              read_number(r, o, w, i, "persistent", -1, &q->persistent) &&
              read_number(r, o, w, i, "was_messages", -1, &q->was_messages) &&
              read_number(r, o, w, i, "consumers", -1, &q->consumers) &&
              read_number(r, o, w, i, "sync_messages", -1, &q->sync_messages) &&
              read_rate(r, o, w, i, "publish_rate", &q->publish_rate) &&
              read_rate(r, o, w, i, "deliver_rate", &q->deliver_rate) &&
              read_number(r, o, w, i, "published", -1, &q->published) &&
              read_number(r, o, w, i, "taken", -1, &q->taken) && read_sides(r, o, i, q);
    q->state = (enum queue_seen_state)state;
    return ok;
}

static bool read_policy(struct reader *r, const json_t *o, size_t i, struct policy_seen *p)
{
    return read_text(r, o, "policies", i, "name", false, &p->name) &&
           read_text(r, o, "policies", i, "pattern", false, &p->pattern) &&
           read_text(r, o, "policies", i, "apply_to", false, &p->apply_to) &&
           read_text(r, o, "policies", i, "definition", false, &p->definition) &&
           read_number(r, o, "policies", i, "priority", 0, &p->priority);
}

static bool read_event(struct reader *r, const json_t *o, size_t i, struct event_seen *e)
{
    int64_t seq = 0;
    bool ok = read_number(r, o, "events", i, "seq", 0, &seq) &&
              read_number(r, o, "events", i, "wall_ms", 0, &e->wall_ms) &&
              read_text(r, o, "events", i, "kind", false, &e->kind) &&
              read_text(r, o, "events", i, "node", true, &e->node) &&
              read_text(r, o, "events", i, "text", false, &e->text);
    e->seq = (uint64_t)seq;
    e->fact = json_incref(json_object_get(o, "fact"));
    return ok;
}

static int trace_kind_of(const char *word)
{
    int kind = 0;
    while (kind < TRACE_SEEN_LEN && strcmp(word, trace_seen_word((enum trace_seen_kind)kind)) != 0)
        kind++;
    return kind;
}

static bool read_u64(struct reader *r, const json_t *o, const char *where, size_t i, const char *key,
                     uint64_t *out)
{
    int64_t value;
    bool ok = read_number(r, o, where, i, key, 0, &value);
    *out = (uint64_t)value;
    return ok;
}

static bool read_node(struct reader *r, const json_t *o, const char *where, size_t i, const char *key,
                      int *out)
{
    const json_t *v = json_object_get(o, key);
    *out = -1;
    if (!v || json_is_null(v))
        return true;
    if (json_is_string(v))
        *out = snapshot_node_index(r->s, json_string_value(v));
    return *out >= 0 || fail(r, where, i, key, "the name of a node of this snapshot");
}

static bool read_trace(struct reader *r, const json_t *o, size_t i, struct trace_seen *t)
{
    const char *w = "trace", *word = json_string_value(json_object_get(o, "kind"));
    int kind = word ? trace_kind_of(word) : TRACE_SEEN_LEN;
    if (kind == TRACE_SEEN_LEN)
        return fail(r, w, i, "kind", "a word of the trace");
    t->kind = (enum trace_seen_kind)kind;
    return read_node(r, o, w, i, "node", &t->node) && read_number(r, o, w, i, "from_us", 0, &t->from_us) &&
           read_number(r, o, w, i, "until_us", 0, &t->until_us) &&
           read_text(r, o, w, i, "queue", false, &t->queue) && read_u64(r, o, w, i, "uid", &t->queue_uid) &&
           read_u64(r, o, w, i, "first", &t->first) && read_u64(r, o, w, i, "last", &t->last) &&
           read_u64(r, o, w, i, "count", &t->count) &&
           read_flag(r, o, w, i, "redelivered", &t->redelivered) &&
           read_flag(r, o, w, i, "unsynced", &t->unsynced) && read_flag(r, o, w, i, "more", &t->more) &&
           read_flag(r, o, w, i, "in_memory", &t->in_memory) && read_flag(r, o, w, i, "logged", &t->logged) &&
           read_u64(r, o, w, i, "reign", &t->reign) && read_node(r, o, w, i, "about", &t->about) &&
           read_node(r, o, w, i, "origin", &t->origin) &&
           read_u64(r, o, w, i, "incarnation", &t->incarnation) &&
           read_u64(r, o, w, i, "number", &t->number) &&
           (t->node >= 0 || fail(r, w, i, "node", "the name of a node of this snapshot"));
}

static bool read_copy(struct reader *r, const json_t *o, size_t i, struct copy_seen *c)
{
    const char *w = "copies";
    const json_t *held = json_object_get(o, "held");
    bool ok = read_node(r, o, w, i, "node", &c->node) && read_flag(r, o, w, i, "master", &c->master) &&
              read_flag(r, o, w, i, "mirror", &c->mirror) && read_flag(r, o, w, i, "all", &c->all) &&
              read_u64(r, o, w, i, "uid", &c->queue_uid) && read_u64(r, o, w, i, "next", &c->next) &&
              (c->node >= 0 || fail(r, w, i, "node", "the name of a node of this snapshot"));
    c->held = xcalloc(json_array_size(held) + 1, sizeof(*c->held));
    for (size_t j = 0; ok && j < json_array_size(held); j++) {
        const json_t *range = json_array_get(held, j);
        json_int_t first, last,
            reign = json_integer_value(json_array_get(range, 2)); /* an old one has none */
        if (json_unpack((json_t *)range, "[I, I]", &first, &last) != 0 || first < 0 || last < first ||
            reign < 0)
            return fail(r, w, i, "held", "a list of [first, last, reign]");
        c->held[c->held_len++] = (struct held_range){(uint64_t)first, (uint64_t)last, (uint64_t)reign};
    }
    return ok;
}

/* The entry counts before it is read, so that snapshot_destroy frees what a failed read left in it. */
#define READ_LIST(r, list, from, read_one)                                                                   \
    do {                                                                                                     \
        (r)->s->list = xcalloc(json_array_size(from), sizeof(*(r)->s->list));                                \
        for (size_t i_ = 0; i_ < json_array_size(from) && !(r)->error; i_++) {                               \
            (r)->s->list##_len = i_ + 1;                                                                     \
            read_one((r), json_array_get((from), i_), i_, &(r)->s->list[i_]);                                \
        }                                                                                                    \
    } while (0)

static bool read_snapshot(struct reader *r, const json_t *json)
{
    json_t *nodes, *queues, *policies, *events;
    json_int_t number, taken_at, taken_wall_ms;
    int format;
    json_error_t e;
    if (json_unpack_ex((json_t *)json, &e, 0, "{s:i, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "format", &format,
                       "number", &number, "taken_at", &taken_at, "taken_wall_ms", &taken_wall_ms, "nodes",
                       &nodes, "queues", &queues, "policies", &policies, "events", &events) != 0) {
        r->error = format_text("not a snapshot: %s", e.text);
        return false;
    }
    if (format != SNAPSHOT_FORMAT) {
        r->error =
            format_text("a snapshot of format %d; this program reads format %d", format, SNAPSHOT_FORMAT);
        return false;
    }
    if (!json_is_array(nodes) || json_array_size(nodes) > LIMIT_NODES ||
        json_array_size(queues) > MAX_QUEUES || json_array_size(events) > MAX_EVENTS) {
        r->error = format_text("a snapshot has at most %d nodes, %d queues and %d events", LIMIT_NODES,
                               MAX_QUEUES, MAX_EVENTS);
        return false;
    }
    r->s->number = (uint64_t)number;
    r->s->taken_at = (ms_time)taken_at;
    r->s->taken_wall_ms = taken_wall_ms;
    if (!read_nodes(r, nodes))
        return false;
    const char *source = json_string_value(json_object_get(json, "source"));
    r->s->source = source ? snapshot_node_index(r->s, source) : -1;
    int64_t moved_to;
    if (read_number(r, json, "snapshot", 0, "moved_to", 0, &moved_to))
        r->s->moved_to = moved_to <= UINT16_MAX ? (int)moved_to : 0;
    READ_LIST(r, queues, queues, read_queue);
    READ_LIST(r, policies, policies, read_policy);
    READ_LIST(r, events, events, read_event);
    const json_t *trace = json_object_get(json, "trace"), *copies = json_object_get(json, "copies");
    if (json_array_size(trace) > MAX_TRACE || json_array_size(copies) > LIMIT_NODES)
        return fail(r, "snapshot", 0, "trace", "a shorter list");
    READ_LIST(r, trace, trace, read_trace);
    READ_LIST(r, copies, copies, read_copy);
    read_bits(r, json, "snapshot", 0, "traces", &r->s->traces);
    read_bits(r, json, "snapshot", 0, "trace_gaps", &r->s->trace_gaps);
    read_text(r, json, "snapshot", 0, "looked_at", true, &r->s->looked_at);
    json_t *details = json_object_get(json, "details");
    r->s->details = json_is_object(details) ? json_incref(details) : NULL;
    return !r->error;
}

struct snapshot *snapshot_from_json(const json_t *json, char **error)
{
    struct reader r = {.s = xcalloc(1, sizeof(*r.s))};
    r.s->source = -1;
    *error = NULL;
    if (read_snapshot(&r, json))
        return r.s;
    snapshot_destroy(r.s);
    *error = r.error;
    return NULL;
}

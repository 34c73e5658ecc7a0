/* api_trace.c: /api/trace, the kit's own: what happened to messages on this node (mirror/trace.h), and what
 * it holds of one queue. Asking begins it; ten seconds without a question end it.
 *
 *     GET /api/trace?since=SEQ&queue=NAME&message=ID
 *
 * An entry is a list, for there are many: [seq, from_us, until_us, queue uid, "word", first, last, node,
 * count, flags, origin, incarnation, number, reign]; "queues" has the names behind the uids. */
#include <stdlib.h>

#include "host/api_private.h"

#define RANGES 32

enum { FLAG_REDELIVERED = 1, FLAG_UNSYNCED = 2, FLAG_MORE = 4, FLAG_IN_MEMORY = 8, FLAG_LOGGED = 16 };

static json_t *node_name(const struct mirror *m, node_id node)
{
    return node == NODE_NONE ? json_null() : json_string(mirror_node_name(m, node));
}

static json_t *entry_json(const struct mirror *m, const struct node_traced *t)
{
    const struct trace_entry *e = &t->e;
    json_t *parts[] = {
        NUMBER(t->seq),
        NUMBER(t->wall_us),
        NUMBER(t->until_us),
        NUMBER(e->queue_uid),
        TEXT(trace_word(e->kind)),
        NUMBER(e->first),
        NUMBER(e->last == UINT64_MAX ? INT64_MAX : (int64_t)e->last),
        node_name(m, e->node),
        NUMBER(e->count),
        NUMBER((e->redelivered ? FLAG_REDELIVERED : 0) | (e->unsynced ? FLAG_UNSYNCED : 0) |
               (e->more ? FLAG_MORE : 0) | (e->in_memory ? FLAG_IN_MEMORY : 0) |
               (e->logged ? FLAG_LOGGED : 0)),
        node_name(m, e->origin),
        NUMBER(e->incarnation),
        NUMBER(e->seq),
        NUMBER(e->reign),
    };
    json_t *list = json_array();
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        json_array_append_new(list, parts[i]);
    return list;
}

static json_t *message_json(const struct mirror *m, const struct queue *q, msg_id id)
{
    struct held held;
    msg_id at = id;
    if (!mirror_queue_walk(m, q, &at, &held) || held.id != id)
        return json_null();
    const struct json_field fields[] = {
        {"id", NUMBER(id)},
        {"bytes", NUMBER(held.msg->body_len)},
        {"persistent", FLAG(held.msg->persistent)},
        {"unacked", FLAG(held.unacked)},
        {"redelivered", FLAG(held.redelivered)},
    };
    return OBJECT_OF(fields);
}

/* what this node holds of it */
static json_t *queue_json(struct api_call *c, const char *name)
{
    const struct mirror *m = call_mirror(c);
    const struct queue *q = mirror_find_queue(m, name);
    struct place_range ranges[RANGES + LIMIT_REIGNS];
    struct queue_info info;
    if (!q)
        return json_null();
    mirror_queue_info(m, q, &info);
    size_t len = mirror_queue_ranges(m, q, ranges, RANGES);
    json_t *held = json_array();
    for (size_t i = 0; i < len; i++)
        json_array_append_new(held, json_pack("[I, I, I]", (json_int_t)ranges[i].first,
                                              (json_int_t)ranges[i].last, (json_int_t)ranges[i].reign));
    const char *message = call_param(c, "message");
    const struct json_field fields[] = {
        {"name", TEXT(name)},
        {"uid", NUMBER(info.uid)},
        {"role", TEXT(info.local     ? "master"
                      : info.replica ? "mirror"
                                     : "none")},
        {"next", NUMBER(mirror_queue_next(m, q))},
        {"held", held},
        {"all", FLAG(len < RANGES)}, /* false: the last range has holes */
        {"message", message ? message_json(m, q, strtoull(message, NULL, 10)) : NULL},
    };
    return OBJECT_OF(fields);
}

json_t *trace_get(struct api_call *c)
{
    const struct mirror *m = call_mirror(c);
    const char *since = call_param(c, "since"), *queue = call_param(c, "queue");
    const struct node_traced *traced = NULL;
    uint64_t next = 0;
    int64_t began_us = 0;
    bool missed = false;
    size_t len =
        node_trace_since(c->node, since ? strtoull(since, NULL, 10) : 0, &traced, &next, &missed, &began_us);
    json_t *list = json_array(), *names = json_object();
    for (size_t i = 0; i < len; i++) {
        const struct queue *q = mirror_find_queue_uid(m, traced[i].e.queue_uid);
        struct queue_info info;
        char uid[24];
        json_array_append_new(list, entry_json(m, &traced[i]));
        snprintf(uid, sizeof(uid), "%llu", (unsigned long long)traced[i].e.queue_uid);
        if (!q || json_object_get(names, uid))
            continue;
        mirror_queue_info(m, q, &info);
        json_object_set_new(names, uid, json_string(info.name));
    }
    const struct json_field fields[] = {
        {"node", TEXT(mirror_node_name(m, mirror_view(m).self))},
        {"next", NUMBER(next)},
        {"began_us", NUMBER(began_us)},
        {"missed", FLAG(missed)},
        {"queues", names},
        {"trace", list},
        {"queue", queue ? queue_json(c, queue) : NULL},
    };
    return OBJECT_OF(fields);
}

/* api_queues.c: /api/queues. What every node knows (name, state, master, mirrors, policy) comes from this
 * node's own view; what only the master knows (counts) from the facts that its node sent. A queue that is
 * stopped or down, or whose node did not answer, has no counts at all. */
#include <string.h>

#include "host/api_private.h"

static const char *state_name(enum queue_state state)
{
    switch (state) {
    case QUEUE_RUNNING: return "running";
    case QUEUE_SYNCING: return "syncing";
    case QUEUE_STOPPED: return "stopped";
    case QUEUE_DOWN: return "down";
    }
    return "?";
}

/* ---- GET ---- */

/* "<node1.1.2.0>": the shape of an Erlang process's name: node, life of the queue, queue, 0 */
static json_t *pid_json(const struct mirror *m, node_id node, const struct queue_info *q)
{
    return json_sprintf("<%s.%llu.%llu.0>", mirror_node_name(m, node), (unsigned long long)q->generation,
                        (unsigned long long)q->uid);
}

static json_t *names_json(const struct mirror *m, const struct queue_info *q, bool pids, node_set which)
{
    json_t *list = json_array();
    for (size_t i = 0; i < q->mirrors_len; i++) {
        if (!node_in(which, q->mirrors[i]))
            continue;
        json_array_append_new(list, pids ? pid_json(m, q->mirrors[i], q)
                                         : json_string(mirror_node_name(m, q->mirrors[i])));
    }
    return list;
}

static void set_integer(json_t *object, const char *key, int64_t value)
{
    json_object_set_new(object, key, json_integer(value));
}

static int64_t fact(const json_t *facts, const char *key)
{
    return json_integer_value(json_object_get(facts, key));
}

/* The figures that only rise stand first: rates_note takes their number. */
enum {
    F_PUBLISH,
    F_DELIVER,
    F_GET,
    F_ACK,
    F_REDELIVER,
    F_COUNTERS,
    F_MESSAGES = F_COUNTERS,
    F_READY,
    F_UNACKED,
    F_LEN
};

static void set_counts(struct api_call *c, const struct queue_info *q, const json_t *counts, json_t *json)
{
    const int64_t figures[F_LEN] = {
        [F_PUBLISH] = fact(counts, "published"),
        [F_DELIVER] = fact(counts, "delivered"),
        [F_GET] = fact(counts, "got"),
        [F_ACK] = fact(counts, "acked"),
        [F_REDELIVER] = fact(counts, "redelivered"),
        [F_MESSAGES] = fact(counts, "ready") + fact(counts, "unacked"),
        [F_READY] = fact(counts, "ready"),
        [F_UNACKED] = fact(counts, "unacked"),
    };
    set_integer(json, "consumers", fact(counts, "consumers"));
    set_integer(json, "message_bytes", fact(counts, "bytes_ready") + fact(counts, "bytes_unacked"));
    set_integer(json, "message_bytes_ready", fact(counts, "bytes_ready"));
    set_integer(json, "message_bytes_unacknowledged", fact(counts, "bytes_unacked"));
    set_integer(json, "message_bytes_paged_out", fact(counts, "bytes_paged"));
    set_integer(json, "message_bytes_ram",
                fact(counts, "bytes_ready") + fact(counts, "bytes_unacked") - fact(counts, "bytes_paged"));
    set_integer(json, "messages", figures[F_MESSAGES]);
    int64_t ready_ram = figures[F_READY] - fact(counts, "paged_ready"),
            unacked_ram = figures[F_UNACKED] - fact(counts, "paged_unacked");
    set_integer(json, "messages_paged_out", figures[F_MESSAGES] - ready_ram - unacked_ram);
    set_integer(json, "messages_ram", ready_ram + unacked_ram);
    set_integer(json, "messages_ready_ram", ready_ram);
    set_integer(json, "messages_unacknowledged_ram", unacked_ram);
    set_integer(json, "messages_persistent", fact(counts, "persistent"));
    set_integer(json, "messages_ready", figures[F_READY]);
    set_integer(json, "messages_unacknowledged", figures[F_UNACKED]);
    if (json_object_get(counts, "sync_messages"))
        set_integer(json, "sync_messages", fact(counts, "sync_messages"));

    char key[LIMIT_NAME + 64];
    snprintf(key, sizeof(key), "queue/%llu/%llu/%u", (unsigned long long)q->uid,
             (unsigned long long)q->generation, (unsigned)q->master);
    double rate[F_LEN];
    ms_time now = (ms_time)fact(c->facts[q->master], "now");
    bool known = rates_note(c->api->rates, key, now, figures, F_LEN, F_COUNTERS, rate);
    if (known) {
        set_rate(json, "messages", rate[F_MESSAGES]);
        set_rate(json, "messages_ready", rate[F_READY]);
        set_rate(json, "messages_unacknowledged", rate[F_UNACKED]);
    }
    /* RabbitMQ shows message_stats once something happened */
    const struct {
        const char *name;
        int64_t value;
        double per_second;
    } stats[] = {
        {"ack", figures[F_ACK], rate[F_ACK]},
        {"deliver", figures[F_DELIVER], rate[F_DELIVER]},
        {"deliver_get", figures[F_DELIVER] + figures[F_GET], rate[F_DELIVER] + rate[F_GET]},
        {"get", figures[F_GET], rate[F_GET]},
        {"publish", figures[F_PUBLISH], rate[F_PUBLISH]},
        {"redeliver", figures[F_REDELIVER], rate[F_REDELIVER]},
    };
    json_t *message_stats = json_object();
    for (size_t i = 0; i < ARRAY_LEN(stats); i++) {
        if (!figures[F_PUBLISH] && !figures[F_DELIVER] && !figures[F_GET])
            break;
        set_integer(message_stats, stats[i].name, stats[i].value);
        if (known)
            set_rate(message_stats, stats[i].name, stats[i].per_second);
    }
    if (json_object_size(message_stats))
        json_object_set(json, "message_stats", message_stats);
    json_decref(message_stats);
}

/* wherever it is connected: the consumer that is the queue's `active` one, or its `exclusive` one */
static json_t *tag_of(const struct api_call *c, const char *which, const char *queue)
{
    json_t *tag = NULL;
    for (size_t n = 0; n < LIMIT_NODES && !tag; n++)
        tag = json_object_get(json_object_get(c->facts[n], which), queue);
    return tag ? json_incref(tag) : json_null();
}

static void set_running(struct api_call *c, const struct mirror *m, const struct queue_info *q, json_t *json)
{
    bool mirrored = q->owner.node == NODE_NONE && /* an exclusive queue never is, whatever the policy says */
                    (q->mirrors_len > 0 ||
                     json_object_get(json_object_get(json, "effective_policy_definition"), "ha-mode"));
    json_object_set_new(json, "operator_policy", json_null());
    json_object_set_new(json, "policy", TEXT_OR_NULL(q->policy));
    json_object_set_new(json, "recoverable_slaves",
                        mirrored ? names_json(m, q, false, ~(node_set)0) : json_null());
    if (mirrored) {
        json_object_set_new(json, "slave_nodes", names_json(m, q, false, ~(node_set)0));
        json_object_set_new(json, "synchronised_slave_nodes", names_json(m, q, false, q->synced));
    }
    if (c->local) {
        json_object_set_new(json, "slave_pids",
                            mirrored ? names_json(m, q, true, ~(node_set)0) : json_string(""));
        json_object_set_new(json, "synchronised_slave_pids",
                            mirrored ? names_json(m, q, true, q->synced) : json_string(""));
    }
    json_object_set_new(json, "exclusive_consumer_tag", tag_of(c, "exclusive", q->name));
    json_object_set_new(json, "single_active_consumer_tag", tag_of(c, "active", q->name));
    json_t *counts = q->master < LIMIT_NODES
                         ? json_object_get(json_object_get(c->facts[q->master], "queues"), q->name)
                         : NULL;
    if (counts)
        set_counts(c, q, counts, json);
}

static json_t *queue_json(struct api_call *c, const struct mirror *m, struct queue *queue)
{
    struct queue_info q;
    mirror_queue_info(m, queue, &q);
    bool placed = q.master != NODE_NONE;
    const struct json_field fields[] = {
        {"arguments", json_text_or_empty(q.args->json)},
        {"auto_delete", FLAG(q.auto_delete)},
        {"durable", FLAG(q.durable)},
        {"exclusive", FLAG(q.owner.node != NODE_NONE)},
        {"name", TEXT(q.name)},
        {"node", placed ? TEXT(mirror_node_name(m, q.master)) : NULL},
        {"state", TEXT(state_name(q.state))},
        {"type", TEXT("classic")},
        {"vhost", TEXT("/")},
    };
    json_t *json = OBJECT_OF(fields);
    if (placed && c->local)
        json_object_set_new(json, "pid", pid_json(m, q.master, &q));
    if (q.state == QUEUE_RUNNING || q.state == QUEUE_SYNCING) {
        json_object_set_new(json, "effective_policy_definition", json_text_or_empty(q.definition));
        set_running(c, m, &q, json);
    }
    return json;
}

struct named_queue {
    const char *name;
    struct queue *queue;
};

static int by_name(const void *left, const void *right)
{
    const struct named_queue *a = left, *b = right;
    return strcmp(a->name, b->name);
}

json_t *queues_get(struct api_call *c)
{
    const struct mirror *m = call_mirror(c);
    VEC(struct named_queue) all = {0};
    struct queue *q;
    struct queue_info info;
    size_t at = 0;
    while ((q = mirror_next_queue(m, &at))) {
        mirror_queue_info(m, q, &info);
        VEC_PUSH(&all, (struct named_queue){info.name, q});
    }
    if (all.len)
        qsort(all.items, all.len, sizeof(*all.items), by_name);
    json_t *list = json_array();
    for (size_t i = 0; i < all.len; i++)
        json_array_append_new(list, queue_json(c, m, all.items[i].queue));
    VEC_FREE(&all);
    return list;
}

static json_t *consumer_details(struct api_call *c, const char *queue)
{
    json_t *list = json_array();
    for (size_t n = 0; n < LIMIT_NODES; n++) {
        size_t i;
        json_t *consumer;
        json_array_foreach(json_object_get(c->facts[n], "consumers"), i, consumer)
        {
            const char *name = json_string_value(json_object_get(json_object_get(consumer, "queue"), "name"));
            if (name && strcmp(name, queue) == 0)
                json_array_append(list, consumer);
        }
    }
    return list;
}

json_t *queue_get(struct api_call *c)
{
    const struct mirror *m = call_mirror(c);
    struct queue *q = mirror_find_queue(m, call_word(c, 0));
    if (!q)
        return NULL;
    json_t *json = queue_json(c, m, q);
    if (json_object_get(json, "effective_policy_definition")) /* it runs */
        json_object_set_new(json, "consumer_details", consumer_details(c, call_word(c, 0)));
    return json;
}

/* api_facts.c: what a node says of itself to whoever asks: its own API, or a peer's. Plain counters and the
 * node's clock, no rates; lists are in the shape in which the API shows them. */
#include <string.h>
#include <unistd.h>

#include "host/api_private.h"

/* RabbitMQ gives connected_at in ms since 1970; the node's own clock is another. */
static int64_t wall_of(const struct node *n, ms_time at)
{
    return wall_ms() - (int64_t)(node_now(n) - at);
}

static const char *self_name(const struct node *n)
{
    const struct node_config *config = node_config_of(n);
    return config->nodes[config->self].name;
}

/* ---- queues mastered here ---- */

static json_t *queue_counts(const struct queue_info *q)
{
    const struct json_field fields[] = {
        {"ready", NUMBER(q->ready)},
        {"unacked", NUMBER(q->unacked)},
        {"consumers", NUMBER(q->consumers)},
        {"bytes_ready", NUMBER(q->bytes_ready)},
        {"bytes_unacked", NUMBER(q->bytes_unacked)},
        {"persistent", NUMBER(q->persistent)},
        {"paged_ready", NUMBER(q->paged_ready)},
        {"paged_unacked", NUMBER(q->paged_unacked)},
        {"bytes_paged", NUMBER(q->bytes_paged)},
        {"published", NUMBER(q->published)},
        {"delivered", NUMBER(q->delivered)},
        {"got", NUMBER(q->got)},
        {"acked", NUMBER(q->acked)},
        {"redelivered", NUMBER(q->redelivered)},
    };
    json_t *counts = OBJECT_OF(fields);
    if (q->sync_messages >= 0)
        json_object_set_new(counts, "sync_messages", json_integer(q->sync_messages));
    return counts;
}

static json_t *facts_queues(struct node *n, const char *name)
{
    const struct mirror *m = broker_mirror(node_broker(n));
    json_t *all = json_object();
    struct queue *q = name ? mirror_find_queue(m, name) : NULL;
    struct queue_info info;
    size_t at = 0;
    if (q) {
        mirror_queue_info(m, q, &info);
        if (info.local)
            json_object_set_new(all, info.name, queue_counts(&info));
    }
    if (name)
        return all;
    while ((q = mirror_next_queue(m, &at))) {
        mirror_queue_info(m, q, &info);
        if (info.local)
            json_object_set_new(all, info.name, queue_counts(&info));
    }
    return all;
}

/* ---- connections, channels, consumers of this node ---- */

static json_t *connection_json(struct node *n, const struct connection_info *c)
{
    const struct json_field fields[] = {
        {"auth_mechanism", TEXT("PLAIN")},
        {"channel_max", NUMBER(c->channel_max)},
        {"channels", NUMBER(c->channels)},
        {"client_properties", json_text_or_empty(c->client_properties)},
        {"connected_at", NUMBER(wall_of(n, c->connected_at))},
        {"frame_max", NUMBER(c->frame_max)},
        {"host", TEXT(c->host)},
        {"name", TEXT(c->name)},
        {"node", TEXT(self_name(n))},
        {"peer_cert_issuer", json_null()},
        {"peer_cert_subject", json_null()},
        {"peer_cert_validity", json_null()},
        {"peer_host", TEXT(c->peer_host)},
        {"peer_port", NUMBER(c->peer_port)},
        {"port", NUMBER(c->port)},
        {"protocol", TEXT("AMQP 0-9-1")},
        {"recv_cnt", NUMBER(c->frames_in)},
        {"recv_oct", NUMBER(c->bytes_in)},
        {"send_cnt", NUMBER(c->frames_out)},
        {"send_oct", NUMBER(c->bytes_out)},
        {"ssl", FLAG(false)},
        {"ssl_cipher", json_null()},
        {"ssl_hash", json_null()},
        {"ssl_key_exchange", json_null()},
        {"ssl_protocol", json_null()},
        {"state", TEXT(c->state)},
        {"timeout", NUMBER(c->heartbeat_s)},
        {"type", TEXT("network")},
        {"user", TEXT(c->user ? c->user : "")},
        {"user_who_performed_action", TEXT(c->user ? c->user : "")},
        {"vhost", TEXT("/")},
    };
    return OBJECT_OF(fields);
}

static json_t *facts_connections(struct node *n)
{
    json_t *all = json_array();
    struct connection_info info;
    size_t at = 0;
    while (broker_next_connection(node_broker(n), &at, &info))
        json_array_append_new(all, connection_json(n, &info));
    return all;
}

/* Where the client of a connection is: what the lists of channels and consumers show of it. */
struct whereabouts {
    struct map ports; /* conn -> struct place */
    struct place {
        char *host;
        uint16_t port;
    } * places;
};

static void whereabouts_init(struct whereabouts *w, struct node *n)
{
    struct connection_info info;
    size_t len = 0, at = 0;
    while (broker_next_connection(node_broker(n), &at, &info))
        len++;
    map_init(&w->ports);
    w->places = xcalloc(len + 1, sizeof(*w->places));
    at = len = 0;
    while (broker_next_connection(node_broker(n), &at, &info)) {
        w->places[len] =
            (struct place){.host = xstrdup(info.peer_host ? info.peer_host : ""), .port = info.peer_port};
        map_set_u64(&w->ports, info.conn, &w->places[len++]);
    }
}

static struct place whereabouts_of(const struct whereabouts *w, uint64_t conn)
{
    const struct place *place = map_get_u64(&w->ports, conn);
    return place ? *place : (struct place){.host = (char *)(uintptr_t) "", .port = 0};
}

static void whereabouts_finish(struct whereabouts *w)
{
    struct place *place;
    size_t at = 0;
    while ((place = map_next(&w->ports, &at)))
        free(place->host);
    map_finish(&w->ports);
    free(w->places);
}

static json_t *channel_name(const char *connection, unsigned number)
{
    return json_sprintf("%s (%u)", connection, number);
}

static json_t *channel_json(struct node *n, const struct channel_info *c, struct place client)
{
    const struct json_field fields[] = {
        {"acks_uncommitted", NUMBER(0)},
        {"confirm", FLAG(c->confirm)},
        {"connection_details", OBJECT({"name", TEXT(c->connection_name)}, {"peer_host", TEXT(client.host)},
                                      {"peer_port", NUMBER(client.port)})},
        {"consumer_count", NUMBER(c->consumers)},
        {"global_prefetch_count", NUMBER(c->global_prefetch)},
        {"messages_unacknowledged", NUMBER(c->unacked)},
        {"messages_uncommitted", NUMBER(0)},
        {"messages_unconfirmed", NUMBER(c->unconfirmed)},
        {"name", channel_name(c->connection_name, c->number)},
        {"node", TEXT(self_name(n))},
        {"number", NUMBER(c->number)},
        {"prefetch_count", NUMBER(c->prefetch)},
        {"state", TEXT("running")},
        {"transactional", FLAG(false)},
        {"user", TEXT(c->user ? c->user : "")},
        {"user_who_performed_action", TEXT(c->user ? c->user : "")},
        {"vhost", TEXT("/")},
    };
    return OBJECT_OF(fields);
}

static json_t *facts_channels(struct node *n)
{
    json_t *all = json_array();
    struct whereabouts clients;
    struct channel_info info;
    size_t at = 0;
    whereabouts_init(&clients, n);
    while (broker_next_channel(node_broker(n), &at, &info))
        json_array_append_new(all, channel_json(n, &info, whereabouts_of(&clients, info.conn)));
    whereabouts_finish(&clients);
    return all;
}

static json_t *consumer_json(struct node *n, const struct consumer_info *c, struct place client)
{
    const struct json_field fields[] = {
        {"ack_required", FLAG(!c->no_ack)},
        {"active", FLAG(c->active)},
        {"activity_status", TEXT(!c->single  ? "up"
                                 : c->active ? "single_active"
                                             : "waiting")},
        {"arguments", json_text_or_empty(c->arguments)},
        {"channel_details",
         OBJECT({"connection_name", TEXT(c->connection_name)},
                {"name", channel_name(c->connection_name, c->channel)}, {"node", TEXT(self_name(n))},
                {"number", NUMBER(c->channel)}, {"peer_host", TEXT(client.host)},
                {"peer_port", NUMBER(client.port)}, {"user", TEXT(c->user ? c->user : "")})},
        {"consumer_tag", TEXT(c->tag)},
        {"exclusive", FLAG(c->exclusive)},
        {"prefetch_count", NUMBER(c->prefetch)},
        {"queue", OBJECT({"name", TEXT(c->queue)}, {"vhost", TEXT("/")})},
    };
    return OBJECT_OF(fields);
}

static json_t *facts_consumers(struct node *n)
{
    json_t *all = json_array();
    struct whereabouts clients;
    struct consumer_info info;
    size_t at = 0;
    whereabouts_init(&clients, n);
    while (broker_next_consumer(node_broker(n), &at, &info))
        json_array_append_new(all, consumer_json(n, &info, whereabouts_of(&clients, info.conn)));
    whereabouts_finish(&clients);
    return all;
}

static bool is_single_active(const struct consumer_info *c)
{
    return c->single && c->active;
}

static bool is_exclusive(const struct consumer_info *c)
{
    return c->exclusive;
}

/* Of the queues that have one such consumer, and it is here: its tag. */
static json_t *tags_by_queue(struct node *n, bool (*is_the_one)(const struct consumer_info *))
{
    json_t *all = json_object();
    struct consumer_info info;
    size_t at = 0;
    while (broker_next_consumer(node_broker(n), &at, &info))
        if (is_the_one(&info))
            json_object_set_new(all, info.queue, json_string(info.tag));
    return all;
}

static json_t *facts_active(struct node *n)
{
    return tags_by_queue(n, is_single_active);
}

static json_t *facts_exclusive(struct node *n)
{
    return tags_by_queue(n, is_exclusive);
}

/* ---- exchanges: what went through them on this node ---- */

static json_t *facts_exchanges(struct node *n)
{
    json_t *all = json_object();
    struct exchange_info info;
    size_t at = 0;
    while (broker_next_exchange(node_broker(n), &at, &info)) {
        if (info.published_in || info.published_out)
            json_object_set_new(
                all, info.name,
                json_pack("[I, I]", (json_int_t)info.published_in, (json_int_t)info.published_out));
    }
    return all;
}

/* ---- the node itself ---- */

static json_t *names_of(const struct mirror *m, node_set set)
{
    json_t *names = json_array();
    for (node_id i = 0; i < LIMIT_NODES; i++) {
        if (node_in(set, i))
            json_array_append_new(names, json_string(mirror_node_name(m, i)));
    }
    return names;
}

static json_t *facts_figures(struct node *n)
{
    struct node_figures f = {0};
    node_figures(n, &f);
    const struct mirror *m = broker_mirror(node_broker(n));
    struct view_info view = mirror_view(m);
    const struct json_field fields[] = {
        {"mem_used", NUMBER(f.memory_bytes)},     {"mem_limit", NUMBER(f.memory_limit_bytes)},
        {"mem_alarm", FLAG(f.memory_alarm)},      {"uptime", NUMBER(f.uptime_ms)},
        {"fd_used", NUMBER(f.fds_used)},          {"fd_total", NUMBER(f.fds_total)},
        {"disk_free", NUMBER(f.disk_free_bytes)}, {"log_bytes", NUMBER(f.log_bytes)},
        {"io_sync_count", NUMBER(f.fsyncs)},      {"os_pid", NUMBER(getpid())},
        {"dir", TEXT(node_config_of(n)->dir)},    {"processors", NUMBER(sysconf(_SC_NPROCESSORS_ONLN))},
        {"links", names_of(m, node_links_up(n))}, {"partitions", names_of(m, view.partitioned)},
    };
    return OBJECT_OF(fields);
}

static json_t *facts_totals(struct node *n)
{
    struct broker_totals t = {0};
    broker_totals(node_broker(n), &t);
    const struct {
        const char *name;
        uint64_t value;
    } totals[] = {
        {"publish", t.published},
        {"confirm", t.confirmed},
        {"deliver", t.delivered},
        {"deliver_no_ack", t.delivered_no_ack},
        {"get", t.got},
        {"get_no_ack", t.got_no_ack},
        {"get_empty", t.got_empty},
        {"ack", t.acked},
        {"redeliver", t.redelivered},
        {"return_unroutable", t.returned},
        {"drop_unroutable", t.dropped_unroutable},
        {"connection_created", t.connections_created},
        {"connection_closed", t.connections_closed},
        {"channel_created", t.channels_created},
        {"channel_closed", t.channels_closed},
        {"queue_declared", t.queues_declared},
        {"queue_created", t.queues_created},
        {"queue_deleted", t.queues_deleted},
    };
    json_t *all = json_object();
    for (size_t i = 0; i < ARRAY_LEN(totals); i++)
        json_object_set_new(all, totals[i].name, json_integer((json_int_t)totals[i].value));
    return all;
}

/* ---- asking and answering ---- */

static const struct {
    unsigned bit;
    const char *name;
    json_t *(*make)(struct node *n);
} kinds[] = {
    {FACTS_QUEUES | FACTS_ONE_QUEUE, "active", facts_active},
    {FACTS_QUEUES | FACTS_ONE_QUEUE, "exclusive", facts_exclusive},
    {FACTS_CONNECTIONS, "connections", facts_connections},
    {FACTS_CHANNELS, "channels", facts_channels},
    {FACTS_CONSUMERS, "consumers", facts_consumers},
    {FACTS_EXCHANGES, "exchanges", facts_exchanges},
    {FACTS_NODE, "figures", facts_figures},
    {FACTS_NODE, "totals", facts_totals},
};

json_t *facts_here(struct node *n, unsigned facts, const char *queue)
{
    json_t *all = OBJECT({"node", TEXT(self_name(n))}, {"now", NUMBER(node_now(n))});
    if (facts & FACTS_QUEUES)
        json_object_set_new(all, "queues", facts_queues(n, queue));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (facts & kinds[i].bit)
            json_object_set_new(all, kinds[i].name, kinds[i].make(n));
    }
    return all;
}

char *facts_question(unsigned facts, const char *queue)
{
    json_t *question = OBJECT({"facts", NUMBER(facts)}, {"queue", queue ? TEXT(queue) : NULL});
    char *text = json_dumps(question, JSON_COMPACT);
    json_decref(question);
    return text;
}

bool facts_close_connection(struct node *n, const char *name, const char *reason)
{
    struct connection_info info;
    size_t at = 0;
    while (broker_next_connection(node_broker(n), &at, &info)) {
        if (strcmp(info.name, name) != 0)
            continue;
        struct effects fx = {0};
        bool closed = broker_close_connection(node_broker(n), info.conn, reason, node_now(n), &fx);
        node_perform(n, &fx);
        effects_free(&fx);
        return closed;
    }
    return false;
}

/* A question is {"facts": BITS, "queue": NAME or not there}, or {"close": CONNECTION, "reason": TEXT}. */
char *facts_answer(struct node *n, const char *question)
{
    json_t *asked = json_loads(question, 0, NULL), *said;
    const char *close = json_string_value(json_object_get(asked, "close"));
    const char *reason = json_string_value(json_object_get(asked, "reason"));
    if (!node_broker(n))
        said = json_object();
    else if (close)
        said = json_pack("{s:b}", "closed", (int)facts_close_connection(n, close, reason ? reason : ""));
    else
        said = facts_here(n, (unsigned)json_integer_value(json_object_get(asked, "facts")),
                          json_string_value(json_object_get(asked, "queue")));
    json_decref(asked);
    char *text = json_dumps(said, JSON_COMPACT);
    json_decref(said);
    return text;
}

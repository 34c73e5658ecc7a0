/* api_facts.c: what a node says of itself to whoever asks: its own API, or a peer's. Plain counters and the
 * node's clock, no rates; lists are in the shape in which the API shows them. */
#include <string.h>
#include <unistd.h>

#include "host/api_private.h"

/* "2026-11-22T21:38:25.532+00:00"-style times are not needed here: RabbitMQ gives connected_at in ms since 1970 */
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
    json_t *counts = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
                               "ready", (json_int_t)q->ready,
                               "unacked", (json_int_t)q->unacked,
                               "consumers", (json_int_t)q->consumers,
                               "bytes_ready", (json_int_t)q->bytes_ready,
                               "bytes_unacked", (json_int_t)q->bytes_unacked,
                               "persistent", (json_int_t)q->persistent,
                               "published", (json_int_t)q->published,
                               "delivered", (json_int_t)q->delivered,
                               "got", (json_int_t)q->got,
                               "acked", (json_int_t)q->acked,
                               "redelivered", (json_int_t)q->redelivered);
    if (q->sync_messages >= 0)
        json_object_set_new(counts, "sync_messages", json_integer(q->sync_messages));
    return counts;
}

static json_t *facts_queues(struct node *n)
{
    const struct mirror *m = broker_mirror(node_broker(n));
    json_t *all = json_object();
    struct queue *q;
    struct queue_info info;
    size_t at = 0;
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
    return json_pack("{s:s, s:i, s:i, s:o, s:I, s:I, s:s, s:s, s:s, s:n, s:n, s:n, s:s, s:i, s:i, s:s, s:I, s:I, "
                     "s:I, s:I, s:b, s:n, s:n, s:n, s:n, s:s, s:i, s:s, s:s, s:s, s:s, s:s}",
                     "auth_mechanism", "PLAIN",
                     "channel_max", (int)c->channel_max,
                     "channels", (int)c->channels,
                     "client_properties", json_text_or_empty(c->client_properties),
                     "connected_at", (json_int_t)wall_of(n, c->connected_at),
                     "frame_max", (json_int_t)c->frame_max,
                     "host", c->host,
                     "name", c->name,
                     "node", self_name(n),
                     "peer_cert_issuer", "peer_cert_subject", "peer_cert_validity",
                     "peer_host", c->peer_host,
                     "peer_port", (int)c->peer_port,
                     "port", (int)c->port,
                     "protocol", "AMQP 0-9-1",
                     "recv_cnt", (json_int_t)c->frames_in,
                     "recv_oct", (json_int_t)c->bytes_in,
                     "send_cnt", (json_int_t)c->frames_out,
                     "send_oct", (json_int_t)c->bytes_out,
                     "ssl", 0, "ssl_cipher", "ssl_hash", "ssl_key_exchange", "ssl_protocol",
                     "state", c->state,
                     "timeout", (int)c->heartbeat_s,
                     "type", "network",
                     "user", c->user ? c->user : "",
                     "user_who_performed_action", c->user ? c->user : "",
                     "vhost", "/");
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

/* What the lists show of the connection that a channel belongs to. */
struct peer_of {
    const char *host;
    uint16_t port;
};

static struct peer_of peer_of(struct node *n, uint64_t conn)
{
    struct connection_info info;
    size_t at = 0;
    while (broker_next_connection(node_broker(n), &at, &info)) {
        if (info.conn == conn)
            return (struct peer_of){info.peer_host, info.peer_port};
    }
    return (struct peer_of){"", 0};
}

static json_t *channel_json(struct node *n, const struct channel_info *c)
{
    struct peer_of peer = peer_of(n, c->conn);
    char *name = format_text("%s (%u)", c->connection_name, (unsigned)c->number);
    json_t *json = json_pack("{s:i, s:b, s:{s:s, s:s, s:i}, s:I, s:I, s:I, s:i, s:I, s:s, s:s, s:i, s:I, s:s, s:b, "
                             "s:s, s:s, s:s}",
                             "acks_uncommitted", 0,
                             "confirm", (int)c->confirm,
                             "connection_details", "name", c->connection_name,
                             "peer_host", peer.host,
                             "peer_port", (int)peer.port,
                             "consumer_count", (json_int_t)c->consumers,
                             "global_prefetch_count", (json_int_t)c->global_prefetch,
                             "messages_unacknowledged", (json_int_t)c->unacked,
                             "messages_uncommitted", 0,
                             "messages_unconfirmed", (json_int_t)c->unconfirmed,
                             "name", name,
                             "node", self_name(n),
                             "number", (int)c->number,
                             "prefetch_count", (json_int_t)c->prefetch,
                             "state", "running",
                             "transactional", 0,
                             "user", c->user ? c->user : "",
                             "user_who_performed_action", c->user ? c->user : "",
                             "vhost", "/");
    free(name);
    return json;
}

static json_t *facts_channels(struct node *n)
{
    json_t *all = json_array();
    struct channel_info info;
    size_t at = 0;
    while (broker_next_channel(node_broker(n), &at, &info))
        json_array_append_new(all, channel_json(n, &info));
    return all;
}

static json_t *consumer_json(struct node *n, const struct consumer_info *c)
{
    struct peer_of peer = peer_of(n, c->conn);
    char *name = format_text("%s (%u)", c->connection_name, (unsigned)c->channel);
    json_t *json = json_pack("{s:b, s:b, s:s, s:o, s:{s:s, s:s, s:s, s:i, s:s, s:i, s:s}, s:s, s:b, s:I, s:{s:s, s:s}}",
                             "ack_required", (int)!c->no_ack,
                             "active", (int)c->active,
                             "activity_status", c->active ? "up" : "waiting",
                             "arguments", json_text_or_empty(c->arguments),
                             "channel_details", "connection_name", c->connection_name,
                             "name", name,
                             "node", self_name(n),
                             "number", (int)c->channel,
                             "peer_host", peer.host,
                             "peer_port", (int)peer.port,
                             "user", c->user ? c->user : "",
                             "consumer_tag", c->tag,
                             "exclusive", (int)c->exclusive,
                             "prefetch_count", (json_int_t)c->prefetch,
                             "queue", "name", c->queue, "vhost", "/");
    free(name);
    return json;
}

static json_t *facts_consumers(struct node *n)
{
    json_t *all = json_array();
    struct consumer_info info;
    size_t at = 0;
    while (broker_next_consumer(node_broker(n), &at, &info))
        json_array_append_new(all, consumer_json(n, &info));
    return all;
}

/* ---- exchanges: what went through them on this node ---- */

static json_t *facts_exchanges(struct node *n)
{
    json_t *all = json_object();
    struct exchange_info info;
    size_t at = 0;
    while (broker_next_exchange(node_broker(n), &at, &info)) {
        if (info.published_in || info.published_out)
            json_object_set_new(all, info.name, json_pack("[I, I]", (json_int_t)info.published_in,
                                                          (json_int_t)info.published_out));
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
    return json_pack("{s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:o, s:o}",
                     "mem_used", (json_int_t)f.memory_bytes,
                     "mem_limit", (json_int_t)f.memory_limit_bytes,
                     "mem_alarm", (int)f.memory_alarm,
                     "uptime", (json_int_t)f.uptime_ms,
                     "fd_used", (json_int_t)f.fds_used,
                     "fd_total", (json_int_t)f.fds_total,
                     "disk_free", (json_int_t)f.disk_free_bytes,
                     "log_bytes", (json_int_t)f.log_bytes,
                     "io_sync_count", (json_int_t)f.fsyncs,
                     "os_pid", (json_int_t)getpid(),
                     "dir", node_config_of(n)->dir,
                     "processors", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN),
                     "links", names_of(m, node_links_up(n)),
                     "partitions", names_of(m, view.partitioned));
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
    {FACTS_QUEUES, "queues", facts_queues},
    {FACTS_CONNECTIONS, "connections", facts_connections},
    {FACTS_CHANNELS, "channels", facts_channels},
    {FACTS_CONSUMERS, "consumers", facts_consumers},
    {FACTS_EXCHANGES, "exchanges", facts_exchanges},
    {FACTS_NODE, "figures", facts_figures},
    {FACTS_NODE, "totals", facts_totals},
};

json_t *facts_here(struct node *n, unsigned facts)
{
    json_t *all = json_pack("{s:s, s:I}", "node", self_name(n), "now", (json_int_t)node_now(n));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (facts & kinds[i].bit)
            json_object_set_new(all, kinds[i].name, kinds[i].make(n));
    }
    return all;
}

char *facts_question(unsigned facts)
{
    return format_text("{\"facts\":%u}", facts);
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

/* A question is {"facts": BITS}, or {"close": CONNECTION, "reason": TEXT}. */
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
        said = facts_here(n, (unsigned)json_integer_value(json_object_get(asked, "facts")));
    json_decref(asked);
    char *text = json_dumps(said, JSON_COMPACT);
    json_decref(said);
    return text;
}

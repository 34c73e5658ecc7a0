/* api_nodes.c: /api/overview, /api/nodes, health, and the events feed. A node that is not in the view is "not
 * running"; one that is but did not answer in time has its name and nothing else. */
#include <string.h>

#include "host/api_private.h"

/* ---- totals of all nodes ---- */

/* What broker_totals counts, and which of them RabbitMQ lists under message_stats; the others are churn. */
static const char *const message_figures[] = {
    "ack",       "confirm",    "deliver", "deliver_no_ack", "drop_unroutable",  "get",
    "get_empty", "get_no_ack", "publish", "redeliver",      "return_unroutable"};
static const char *const churn_figures[] = {"channel_closed",     "channel_created", "connection_closed",
                                            "connection_created", "queue_created",   "queue_declared",
                                            "queue_deleted"};

/* The figures of one node and how fast they change. */
static bool node_rates(struct api_call *c, size_t node, const char *what, const char *const *names,
                       size_t len, int64_t *figures, double *rate)
{
    json_t *totals = json_object_get(c->facts[node], "totals");
    for (size_t i = 0; i < len; i++)
        figures[i] = json_integer_value(json_object_get(totals, names[i]));
    char key[64];
    snprintf(key, sizeof(key), "%s/%zu", what, node);
    ms_time now = (ms_time)json_integer_value(json_object_get(c->facts[node], "now"));
    return rates_note(c->api->rates, key, now, figures, len, len, rate);
}

/* Sums over the nodes that said it; with rates if all of those have one. */
static json_t *sum_totals(struct api_call *c, const char *what, const char *const *names, size_t len)
{
    int64_t sum[RATES_MAX] = {0}, figures[RATES_MAX];
    double rates[RATES_MAX] = {0}, rate[RATES_MAX];
    bool known = true;
    for (size_t n = 0; n < LIMIT_NODES; n++) {
        if (!json_object_get(c->facts[n], "totals"))
            continue;
        memset(rate, 0, sizeof(rate));
        known = node_rates(c, n, what, names, len, figures, rate) && known;
        for (size_t i = 0; i < len; i++) {
            sum[i] += figures[i];
            rates[i] += rate[i];
        }
    }
    json_t *json = json_object();
    for (size_t i = 0; i < len; i++) {
        json_object_set_new(json, names[i], json_integer(sum[i]));
        if (known)
            set_rate(json, names[i], rates[i]);
    }
    return json;
}

json_t *message_totals(struct api_call *c)
{
    json_t *stats = sum_totals(c, "messages", message_figures, ARRAY_LEN(message_figures));
    const char *const parts[] = {"deliver", "deliver_no_ack", "get", "get_no_ack"};
    json_int_t sum = 0;
    double rate = 0;
    json_t *details = NULL;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char key[64];
        snprintf(key, sizeof(key), "%s_details", parts[i]);
        sum += json_integer_value(json_object_get(stats, parts[i]));
        details = json_object_get(stats, key);
        rate += json_number_value(json_object_get(details, "rate"));
    }
    json_object_set_new(stats, "deliver_get", json_integer(sum));
    if (details)
        set_rate(stats, "deliver_get", rate);
    return stats;
}

/* ---- the whole cluster's queues ---- */

json_t *queue_totals(struct api_call *c)
{
    int64_t ready = 0, unacked = 0;
    for (size_t n = 0; n < LIMIT_NODES; n++) {
        const char *name;
        json_t *counts;
        json_object_foreach(json_object_get(c->facts[n], "queues"), name, counts)
        {
            ready += json_integer_value(json_object_get(counts, "ready"));
            unacked += json_integer_value(json_object_get(counts, "unacked"));
        }
    }
    const int64_t figures[3] = {ready + unacked, ready, unacked};
    const char *const names[3] = {"messages", "messages_ready", "messages_unacknowledged"};
    double rate[3];
    json_t *json = json_object();
    bool known = rates_note(c->api->rates, "queue totals", node_now(c->node), figures, 3, 0, rate);
    for (size_t i = 0; i < 3; i++) {
        json_object_set_new(json, names[i], json_integer(figures[i]));
        if (known)
            set_rate(json, names[i], rate[i]);
    }
    return json;
}

static size_t count_all(struct api_call *c, const char *kind)
{
    size_t sum = 0;
    for (size_t n = 0; n < LIMIT_NODES; n++)
        sum += json_array_size(json_object_get(c->facts[n], kind));
    return sum;
}

static json_t *object_totals(struct api_call *c)
{
    size_t queues = 0, exchanges = 0, at = 0;
    struct exchange_info x;
    while (mirror_next_queue(call_mirror(c), &at))
        queues++;
    at = 0;
    while (broker_next_exchange(call_broker(c), &at, &x))
        exchanges++;
    const struct json_field fields[] = {
        {"channels", NUMBER(count_all(c, "channels"))},
        {"connections", NUMBER(count_all(c, "connections"))},
        {"consumers", NUMBER(count_all(c, "consumers"))},
        {"exchanges", NUMBER(exchanges)},
        {"queues", NUMBER(queues)},
    };
    return OBJECT_OF(fields);
}

/* ---- overview ---- */

static json_t *contexts(struct api_call *c, node_set running, bool with_node)
{
    const struct node_config *config = node_config_of(c->node);
    json_t *list = json_array();
    for (size_t i = 0; i < config->nodes_len; i++) {
        if (!node_in(running, (node_id)i))
            continue;
        const struct json_field fields[] = {
            {"description", TEXT("mirrorlab management")},
            {"ip", TEXT(config->nodes[i].host)},
            {"node", with_node ? TEXT(config->nodes[i].name) : NULL},
            {"path", TEXT("/")},
            {"port", json_sprintf("%u", (unsigned)config->nodes[i].http)},
        };
        json_array_append_new(list, OBJECT_OF(fields));
    }
    return list;
}

static json_t *listeners(struct api_call *c, node_set running)
{
    const struct node_config *config = node_config_of(c->node);
    json_t *list = json_array();
    for (size_t i = 0; i < config->nodes_len; i++) {
        const struct {
            const char *protocol;
            uint16_t port;
        } ports[] = {
            {"amqp", config->nodes[i].amqp},
            {"clustering", config->nodes[i].peer},
            {"http", config->nodes[i].http},
        };
        for (size_t p = 0; p < ARRAY_LEN(ports) && node_in(running, (node_id)i); p++) {
            const struct json_field fields[] = {
                {"ip_address", TEXT(config->nodes[i].host)},
                {"node", TEXT(config->nodes[i].name)},
                {"port", NUMBER(ports[p].port)},
                {"protocol", TEXT(ports[p].protocol)},
                {"socket_opts", json_object()},
            };
            json_array_append_new(list, OBJECT_OF(fields));
        }
    }
    return list;
}

#define CLUSTER_NAME "mirrorlab"

json_t *cluster_name_get(struct api_call *c)
{
    (void)c;
    return json_pack("{s:s}", "name", CLUSTER_NAME);
}

json_t *overview_get(struct api_call *c)
{
    struct view_info view = mirror_view(call_mirror(c));
    const struct json_field fields[] = {
        {"churn_rates", sum_totals(c, "churn", churn_figures, ARRAY_LEN(churn_figures))},
        {"cluster_name", TEXT(CLUSTER_NAME)},
        {"contexts", contexts(c, view.members, true)},
        {"disable_stats", FLAG(false)},
        {"enable_queue_totals", FLAG(false)},
        {"exchange_types", exchange_types()},
        {"listeners", listeners(c, view.members)},
        {"management_version", TEXT(API_RABBITMQ_VERSION)},
        {"message_stats", message_totals(c)},
        {"node", TEXT(mirror_node_name(call_mirror(c), view.self))},
        {"object_totals", object_totals(c)},
        {"product_name", TEXT(API_PRODUCT)},
        {"product_version", TEXT(API_PRODUCT_VERSION)},
        {"queue_totals", queue_totals(c)},
        {"rabbitmq_version", TEXT(API_RABBITMQ_VERSION)},
        {"rates_mode", TEXT("basic")},
    };
    return OBJECT_OF(fields);
}

/* ---- nodes ---- */

static json_t *cluster_links(struct api_call *c, const json_t *figures)
{
    const struct node_config *config = node_config_of(c->node);
    json_t *list = json_array();
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(figures, "links"), i, name)
    {
        for (size_t p = 0; p < config->nodes_len; p++) {
            if (strcmp(config->nodes[p].name, json_string_value(name)) == 0)
                json_array_append_new(list, OBJECT({"name", json_incref(name)},
                                                   {"peer_addr", TEXT(config->nodes[p].host)},
                                                   {"peer_port", NUMBER(config->nodes[p].peer)}));
        }
    }
    return list;
}

static void set_node_figures(struct api_call *c, size_t node, json_t *json)
{
    json_t *figures = json_object_get(c->facts[node], "figures");
    static const char *const as_they_are[] = {"mem_used",   "mem_limit", "mem_alarm", "uptime",
                                              "fd_used",    "fd_total",  "disk_free", "io_sync_count",
                                              "processors", "partitions"};
    for (size_t i = 0; i < ARRAY_LEN(as_they_are); i++)
        json_object_set(json, as_they_are[i], json_object_get(figures, as_they_are[i]));
    json_object_set_new(json, "cluster_links", cluster_links(c, figures));
    json_object_set_new(
        json, "os_pid",
        json_sprintf("%lld", (long long)json_integer_value(json_object_get(figures, "os_pid"))));
    const char *dir = json_string_value(json_object_get(figures, "dir"));
    json_object_set_new(json, "db_dir", json_sprintf("%s/data", dir));
    json_object_set_new(json, "log_files", json_pack("[o]", json_sprintf("%s/log.txt", dir)));

    int64_t churn[RATES_MAX];
    double rate[RATES_MAX];
    bool known = node_rates(c, node, "node churn", churn_figures, ARRAY_LEN(churn_figures), churn, rate);
    for (size_t i = 0; i < ARRAY_LEN(churn_figures); i++) {
        json_object_set_new(json, churn_figures[i], json_integer(churn[i]));
        if (known)
            set_rate(json, churn_figures[i], rate[i]);
    }
    static const char *const gauges[] = {"mem_used", "fd_used", "disk_free", "io_sync_count"};
    int64_t level[ARRAY_LEN(gauges)];
    for (size_t i = 0; i < ARRAY_LEN(gauges); i++)
        level[i] = json_integer_value(json_object_get(figures, gauges[i]));
    char key[64];
    snprintf(key, sizeof(key), "node/%zu", node);
    ms_time now = (ms_time)json_integer_value(json_object_get(c->facts[node], "now"));
    if (rates_note(c->api->rates, key, now, level, ARRAY_LEN(gauges), 0, rate)) {
        for (size_t i = 0; i < ARRAY_LEN(gauges); i++)
            set_rate(json, gauges[i], rate[i]);
    }
}

static json_t *node_json(struct api_call *c, const struct view_info *view, node_id id)
{
    const char *name = mirror_node_name(call_mirror(c), id);
    bool running = node_in(view->members, id);
    json_t *json = OBJECT({"name", TEXT(name)}, {"running", FLAG(running)}, {"type", TEXT("disc")});
    if (!running) {
        json_object_set_new(json, "cluster_links", json_array());
        return json;
    }
    json_t *application = OBJECT({"description", TEXT("a teaching broker with mirrored queues")},
                                 {"name", TEXT(API_PRODUCT)}, {"version", TEXT(API_PRODUCT_VERSION)});
    json_t *mechanism = OBJECT({"description", TEXT("SASL PLAIN authentication mechanism")},
                               {"enabled", FLAG(true)}, {"name", TEXT("PLAIN")});
    json_object_set_new(json, "applications", json_pack("[o]", application));
    json_object_set_new(json, "auth_mechanisms", json_pack("[o]", mechanism));
    json_object_set_new(json, "contexts", contexts(c, node_bit(id), false));
    json_object_set_new(json, "enabled_plugins", json_array());
    json_object_set_new(json, "exchange_types", exchange_types());
    json_object_set_new(json, "mem_calculation_strategy", json_string("rss"));
    json_object_set_new(json, "rates_mode", json_string("basic"));
    if (json_object_get(c->facts[id], "figures"))
        set_node_figures(c, id, json);
    return json;
}

json_t *nodes_get(struct api_call *c)
{
    struct view_info view = mirror_view(call_mirror(c));
    json_t *list = json_array();
    for (node_id i = 0; i < LIMIT_NODES; i++) {
        if (node_in(view.known, i))
            json_array_append_new(list, node_json(c, &view, i));
    }
    return list;
}

json_t *node_get(struct api_call *c)
{
    struct view_info view = mirror_view(call_mirror(c));
    for (node_id i = 0; i < LIMIT_NODES; i++) {
        if (node_in(view.known, i) && strcmp(mirror_node_name(call_mirror(c), i), call_word(c, 0)) == 0)
            return node_json(c, &view, i);
    }
    return NULL;
}

/* ---- health ---- */

/* RabbitMQ publishes and gets a message to see whether it lives; here it is asked whether it serves, which is
 * what that is meant to find out. */
json_t *health_get(struct api_call *c)
{
    struct view_info view = mirror_view(call_mirror(c));
    struct node_figures figures = {0};
    node_figures(c->node, &figures);
    if (view.phase != PHASE_SERVING)
        return json_pack("{s:s, s:s}", "status", "failed", "reason", "this node does not serve now");
    if (figures.memory_alarm)
        return json_pack("{s:s, s:s}", "status", "failed", "reason", "memory alarm: publishers wait");
    return json_pack("{s:s}", "status", "ok");
}

/* ---- the events feed ---- */

json_t *events_get(struct api_call *c)
{
    const char *since = call_param(c, "since");
    const struct node_event *events = NULL;
    uint64_t next = 0;
    size_t len = node_events_since(c->node, since ? strtoull(since, NULL, 10) : 0, &events, &next);
    json_t *list = json_array();
    for (size_t i = 0; i < len; i++) {
        const struct json_field fields[] = {
            {"seq", NUMBER(events[i].seq)},
            {"time", NUMBER(events[i].wall_ms)},
            {"kind", TEXT(events[i].kind)},
            {"queue", TEXT_OR_NULL(events[i].queue)},
            {"text", TEXT(events[i].text ? events[i].text : "")},
        };
        json_array_append_new(list, OBJECT_OF(fields));
    }
    const struct mirror *m = call_mirror(c);
    return OBJECT({"node", TEXT(mirror_node_name(m, mirror_view(m).self))}, {"next", NUMBER(next)},
                  {"events", list});
}

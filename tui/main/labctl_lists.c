/* labctl_lists.c: the list_ verbs: where each gets its rows, and which columns it knows. The names are
 * rabbitmqctl's; a column without a path is one that the kit has no figure for: it is accepted and empty. */
#include <string.h>

#include "main/labctl.h"

static const struct ctl_column queue_columns[] = {
    {"arguments", "arguments", CELL_ARGUMENTS},
    {"auto_delete", "auto_delete", CELL_PLAIN},
    {"consumer_capacity", NULL, CELL_PLAIN},
    {"consumer_utilisation", NULL, CELL_PLAIN},
    {"consumers", "consumers", CELL_PLAIN},
    {"disk_reads", NULL, CELL_PLAIN},
    {"disk_writes", NULL, CELL_PLAIN},
    {"durable", "durable", CELL_PLAIN},
    {"effective_policy_definition", "effective_policy_definition", CELL_JSON},
    {"exclusive", "exclusive", CELL_PLAIN},
    {"exclusive_consumer_pid", NULL, CELL_PLAIN},
    {"exclusive_consumer_tag", "exclusive_consumer_tag", CELL_PLAIN},
    {"head_message_timestamp", NULL, CELL_PLAIN},
    {"leader", NULL, CELL_PLAIN},
    {"members", NULL, CELL_PLAIN},
    {"memory", NULL, CELL_PLAIN},
    {"message_bytes", "message_bytes", CELL_PLAIN},
    {"message_bytes_persistent", NULL, CELL_PLAIN},
    {"message_bytes_ram", "message_bytes_ram", CELL_PLAIN},
    {"message_bytes_ready", "message_bytes_ready", CELL_PLAIN},
    {"message_bytes_unacknowledged", "message_bytes_unacknowledged", CELL_PLAIN},
    {"messages", "messages", CELL_PLAIN},
    {"messages_persistent", "messages_persistent", CELL_PLAIN},
    {"messages_ram", "messages_ram", CELL_PLAIN},
    {"messages_ready", "messages_ready", CELL_PLAIN},
    {"messages_ready_ram", "messages_ready_ram", CELL_PLAIN},
    {"messages_unacknowledged", "messages_unacknowledged", CELL_PLAIN},
    {"messages_unacknowledged_ram", "messages_unacknowledged_ram", CELL_PLAIN},
    {"name", "name", CELL_PLAIN},
    {"online", NULL, CELL_PLAIN},
    {"owner_pid", NULL, CELL_PLAIN},
    {"pid", "pid", CELL_PLAIN},
    {"policy", "policy", CELL_PLAIN},
    {"slave_pids", "slave_pids", CELL_TERMS},
    {"state", "state", CELL_STATE},
    {"sync_messages", "sync_messages", CELL_PLAIN},
    {"synchronised_slave_pids", "synchronised_slave_pids", CELL_TERMS},
    {"type", "type", CELL_PLAIN},
};

static const struct ctl_column exchange_columns[] = {
    {"name", "name", CELL_PLAIN},         {"type", "type", CELL_PLAIN},
    {"durable", "durable", CELL_PLAIN},   {"auto_delete", "auto_delete", CELL_PLAIN},
    {"internal", "internal", CELL_PLAIN}, {"arguments", "arguments", CELL_ARGUMENTS},
    {"policy", "policy", CELL_PLAIN},
};

static const struct ctl_column binding_columns[] = {
    {"source_name", "source", CELL_PLAIN},           {"source_kind", "source_kind", CELL_PLAIN},
    {"destination_name", "destination", CELL_PLAIN}, {"destination_kind", "destination_type", CELL_PLAIN},
    {"routing_key", "routing_key", CELL_PLAIN},      {"arguments", "arguments", CELL_ARGUMENTS},
};

static const struct ctl_column connection_columns[] = {
    {"user", "user", CELL_PLAIN},
    {"peer_host", "peer_host", CELL_PLAIN},
    {"peer_port", "peer_port", CELL_PLAIN},
    {"state", "state", CELL_PLAIN},
    {"auth_mechanism", "auth_mechanism", CELL_PLAIN},
    {"channel_max", "channel_max", CELL_PLAIN},
    {"channels", "channels", CELL_PLAIN},
    {"client_properties", "client_properties", CELL_ARGUMENTS},
    {"connected_at", "connected_at", CELL_PLAIN},
    {"frame_max", "frame_max", CELL_PLAIN},
    {"host", "host", CELL_PLAIN},
    {"name", "name", CELL_PLAIN},
    {"peer_cert_issuer", NULL, CELL_PLAIN},
    {"peer_cert_subject", NULL, CELL_PLAIN},
    {"peer_cert_validity", NULL, CELL_PLAIN},
    {"pid", "pid", CELL_PLAIN},
    {"port", "port", CELL_PLAIN},
    {"protocol", "protocol", CELL_PLAIN},
    {"recv_cnt", "recv_cnt", CELL_PLAIN},
    {"recv_oct", "recv_oct", CELL_PLAIN},
    {"send_cnt", "send_cnt", CELL_PLAIN},
    {"send_oct", "send_oct", CELL_PLAIN},
    {"send_pend", NULL, CELL_PLAIN},
    {"ssl", "ssl", CELL_PLAIN},
    {"ssl_cipher", NULL, CELL_PLAIN},
    {"ssl_hash", NULL, CELL_PLAIN},
    {"ssl_key_exchange", NULL, CELL_PLAIN},
    {"ssl_protocol", NULL, CELL_PLAIN},
    {"timeout", "timeout", CELL_PLAIN},
    {"vhost", "vhost", CELL_PLAIN},
};

static const struct ctl_column channel_columns[] = {
    {"pid", "pid", CELL_PLAIN},
    {"user", "user", CELL_PLAIN},
    {"consumer_count", "consumer_count", CELL_PLAIN},
    {"messages_unacknowledged", "messages_unacknowledged", CELL_PLAIN},
    {"acks_uncommitted", "acks_uncommitted", CELL_PLAIN},
    {"confirm", "confirm", CELL_PLAIN},
    {"connection", "connection_pid", CELL_PLAIN},
    {"global_prefetch_count", "global_prefetch_count", CELL_PLAIN},
    {"messages_uncommitted", "messages_uncommitted", CELL_PLAIN},
    {"messages_unconfirmed", "messages_unconfirmed", CELL_PLAIN},
    {"name", "name", CELL_PLAIN},
    {"number", "number", CELL_PLAIN},
    {"prefetch_count", "prefetch_count", CELL_PLAIN},
    {"transactional", "transactional", CELL_PLAIN},
    {"vhost", "vhost", CELL_PLAIN},
};

static const struct ctl_column consumer_columns[] = {
    {"queue_name", "queue.name", CELL_PLAIN},         {"channel_pid", "channel_pid", CELL_PLAIN},
    {"consumer_tag", "consumer_tag", CELL_PLAIN},     {"ack_required", "ack_required", CELL_PLAIN},
    {"prefetch_count", "prefetch_count", CELL_PLAIN}, {"active", "active", CELL_PLAIN},
    {"arguments", "arguments", CELL_ARGUMENTS},       {"activity_status", "activity_status", CELL_PLAIN},
};

static const struct ctl_column user_columns[] = {{"user", "name", CELL_PLAIN}, {"tags", "tags", CELL_TAGS}};

static const struct ctl_column vhost_columns[] = {
    {"name", "name", CELL_PLAIN},
    {"cluster_state", "cluster_state", CELL_JSON},
    {"default_queue_type", "default_queue_type", CELL_PLAIN},
    {"description", "description", CELL_PLAIN},
    {"tags", "tags", CELL_TAGS},
    {"tracing", "tracing", CELL_PLAIN},
};

static const struct ctl_column permission_columns[] = {
    {"user", "user", CELL_PLAIN},
    {"configure", "configure", CELL_PLAIN},
    {"write", "write", CELL_PLAIN},
    {"read", "read", CELL_PLAIN},
};

static const struct ctl_column policy_columns[] = {
    {"vhost", "vhost", CELL_PLAIN},          {"name", "name", CELL_PLAIN},
    {"pattern", "pattern", CELL_PLAIN},      {"apply-to", "apply-to", CELL_PLAIN},
    {"definition", "definition", CELL_JSON}, {"priority", "priority", CELL_PLAIN},
};

/* ---- what the API does not say in one field ---- */

/* A name of the shape of an Erlang process's, unique while the thing lives: the node, and the client's port.
 */
static void set_pid(json_t *row, const char *key, const json_t *where, json_int_t channel)
{
    const char *node = json_string_value(json_object_get(where, "node"));
    json_int_t port = json_integer_value(json_object_get(where, "peer_port"));
    json_object_set_new(
        row, key, json_sprintf("<%s.%lld.%lld.0>", node ? node : "", (long long)port, (long long)channel));
}

static void prepare_connection(json_t *row)
{
    set_pid(row, "pid", row, 0);
}

static void prepare_channel(json_t *row)
{
    json_t *details = json_copy(json_object_get(row, "connection_details"));
    json_object_set(details, "node", json_object_get(row, "node"));
    set_pid(row, "pid", details, json_integer_value(json_object_get(row, "number")));
    set_pid(row, "connection_pid", details, 0);
    json_decref(details);
}

static void prepare_consumer(json_t *row)
{
    json_t *channel = json_object_get(row, "channel_details");
    set_pid(row, "channel_pid", channel, json_integer_value(json_object_get(channel, "number")));
}

static void prepare_binding(json_t *row)
{
    json_object_set_new(row, "source_kind", json_string("exchange"));
}

/* ---- the lists ---- */

#define COLUMNS(columns) columns, ARRAY_LEN(columns)

static const struct list {
    const char *verb, *path;
    const struct ctl_column *columns;
    size_t columns_len;
    size_t shown; /* so many of the first columns when none is named; 0: name and messages */
    void (*prepare)(json_t *row);
} lists[] = {
    {"list_queues", "/api/queues", COLUMNS(queue_columns), 0, NULL},
    {"list_exchanges", "/api/exchanges", COLUMNS(exchange_columns), 2, NULL},
    {"list_bindings", "/api/bindings", COLUMNS(binding_columns), ARRAY_LEN(binding_columns), prepare_binding},
    {"list_connections", "/api/connections", COLUMNS(connection_columns), 4, prepare_connection},
    {"list_channels", "/api/channels", COLUMNS(channel_columns), 4, prepare_channel},
    {"list_consumers", "/api/consumers", COLUMNS(consumer_columns), 7, prepare_consumer},
    {"list_users", "/api/users", COLUMNS(user_columns), ARRAY_LEN(user_columns), NULL},
    {"list_vhosts", "/api/vhosts", COLUMNS(vhost_columns), 1, NULL},
    {"list_permissions", "/api/permissions", COLUMNS(permission_columns), ARRAY_LEN(permission_columns),
     NULL},
    {"list_policies", "/api/policies", COLUMNS(policy_columns), ARRAY_LEN(policy_columns), NULL},
};

static const struct list *find_list(const char *verb)
{
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (strcmp(lists[i].verb, verb) == 0)
            return &lists[i];
    }
    return NULL;
}

/* ---- columns asked for ---- */

#define WANTED_MAX 64

/* The words behind the verb; they may be separated by spaces or commas. */
struct wanted {
    char *words;
    const char *names[WANTED_MAX];
    size_t len;
};

static void wanted_init(struct wanted *w, struct ctl *c, const struct list *l)
{
    struct text words = {0};
    for (size_t i = 0; i < c->line.args.len; i++)
        text_printf(&words, "%s ", c->line.args.items[i]);
    *w = (struct wanted){.words = words.s};
    char *rest = NULL;
    for (char *word = words.s ? strtok_r(words.s, ", ", &rest) : NULL; word && w->len < WANTED_MAX;
         word = strtok_r(NULL, ", ", &rest))
        w->names[w->len++] = word;
    if (w->len)
        return;
    if (l->shown == 0) {
        w->names[w->len++] = "name";
        w->names[w->len++] = "messages";
    }
    while (w->len < l->shown) {
        w->names[w->len] = l->columns[w->len].name;
        w->len++;
    }
}

int ctl_check_columns(struct ctl *c)
{
    const struct list *l = find_list(c->line.verb);
    if (!l)
        return CTL_OK;
    struct wanted w;
    struct text unknown = {0};
    wanted_init(&w, c, l);
    for (size_t n = 0; n < w.len; n++) {
        bool known = false;
        for (size_t i = 0; i < l->columns_len; i++)
            known = known || strcmp(l->columns[i].name, w.names[n]) == 0;
        if (!known)
            text_printf(&unknown, "%s%s", unknown.len ? ", " : "", w.names[n]);
    }
    int rc = CTL_OK;
    if (unknown.len)
        rc = ctl_wrong_words(c, ctl_find_verb(c->line.verb),
                             "Error (argument validation): Info key(s) %s are not supported",
                             text_str(&unknown));
    text_finish(&unknown);
    free(w.words);
    return rc;
}

/* ---- rows ---- */

/* list_queues --online, --offline, --local: by the state of the queue's node, and by which node it is. */
static bool row_wanted(struct ctl *c, const json_t *row)
{
    const char *state = json_string_value(json_object_get(row, "state"));
    const char *node = json_string_value(json_object_get(row, "node"));
    bool offline = state && (strcmp(state, "stopped") == 0 || strcmp(state, "down") == 0);
    char name[320];
    if (ctl_option_on(&c->line, "online") && offline)
        return false;
    if (ctl_option_on(&c->line, "offline") && !offline)
        return false;
    return !ctl_option_on(&c->line, "local") ||
           (node && strcmp(node, ctl_node_name(c, name, sizeof(name))) == 0);
}

static int print_list(struct ctl *c, const struct list *l, const json_t *body)
{
    json_t *rows = json_array();
    bool other_vhost = strcmp(ctl_option(&c->line, "vhost", "/"), "/") != 0; /* there is nothing in it */
    for (size_t i = 0; i < json_array_size(body) && !other_vhost; i++) {
        json_t *row = json_array_get(body, i);
        if (!row_wanted(c, row))
            continue;
        if (l->prepare)
            l->prepare(row);
        json_array_append(rows, row);
    }
    struct wanted w;
    wanted_init(&w, c, l);
    int rc = ctl_print_table(c, rows, l->columns, l->columns_len, w.names, w.len);
    free(w.words);
    json_decref(rows);
    return rc;
}

int ctl_list(struct ctl *c)
{
    const struct list *l = find_list(c->line.verb);
    int status = 0;
    json_t *body = NULL;
    int rc = ctl_api(c, "GET", l->path, NULL, &status, &body);
    if (rc == CTL_OK && status != 200)
        rc = ctl_error(c, CTL_UNAVAILABLE, "%s", ctl_reason(body));
    else if (rc == CTL_OK)
        rc = print_list(c, l, body);
    json_decref(body);
    return rc;
}

/* ---- the kit's own: what happened on this node ---- */

int ctl_events(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        {"seq", "seq", CELL_PLAIN},     {"time", "time", CELL_PLAIN}, {"kind", "kind", CELL_PLAIN},
        {"queue", "queue", CELL_PLAIN}, {"text", "text", CELL_PLAIN},
    };
    char *path = format_text("/api/events?since=%s", ctl_option(&c->line, "since", "0"));
    int status = 0;
    json_t *body = NULL;
    int rc = ctl_api(c, "GET", path, NULL, &status, &body);
    free(path);
    if (rc == CTL_OK && status != 200)
        rc = ctl_error(c, CTL_UNAVAILABLE, "%s", ctl_reason(body));
    if (rc == CTL_OK) {
        const char *const wanted[] = {"seq", "time", "kind", "queue", "text"};
        rc = ctl_print_table(c, json_object_get(body, "events"), columns, ARRAY_LEN(columns), wanted,
                             ARRAY_LEN(wanted));
    }
    json_decref(body);
    return rc;
}

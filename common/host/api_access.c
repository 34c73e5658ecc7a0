/* api_access.c: /api/whoami, users, vhosts, permissions, definitions. There is one vhost, "/", and the users
 * that the configuration names: they are shown here, not made here. Passwords and hashes are never shown. */
#include <string.h>

#include "host/api_private.h"

static json_t *tags_json(const char *tags)
{
    json_t *list = json_array();
    while (*tags) {
        size_t len = strcspn(tags, ", ");
        if (len)
            json_array_append_new(list, json_stringn(tags, len));
        tags += len + (tags[len] != '\0');
    }
    return list;
}

json_t *whoami_get(struct api_call *c)
{
    return OBJECT({"name", TEXT(c->user)}, {"tags", tags_json(c->tags)});
}

/* ---- users ---- */

/* The configured one and guest (from loopback only); both are administrators. */
static size_t user_names(struct api_call *c, const char *names[2])
{
    const char *configured = node_config_of(c->node)->user;
    size_t len = 0;
    if (configured)
        names[len++] = configured;
    if (!configured || strcmp(configured, "guest") != 0)
        names[len++] = "guest";
    return len;
}

static json_t *user_json(const char *name)
{
    return OBJECT({"limits", json_object()}, {"name", TEXT(name)}, {"tags", tags_json("administrator")});
}

static json_t *permission_json(const char *user)
{
    const struct json_field fields[] = {
        {"configure", TEXT(".*")}, {"read", TEXT(".*")},  {"user", TEXT(user)},
        {"vhost", TEXT("/")},      {"write", TEXT(".*")},
    };
    return OBJECT_OF(fields);
}

static json_t *for_each_user(struct api_call *c, json_t *(*make)(const char *name))
{
    const char *names[2];
    size_t len = user_names(c, names);
    json_t *list = json_array();
    for (size_t i = 0; i < len; i++)
        json_array_append_new(list, make(names[i]));
    return list;
}

static json_t *for_this_user(struct api_call *c, json_t *(*make)(const char *name))
{
    const char *names[2];
    size_t len = user_names(c, names);
    for (size_t i = 0; i < len; i++) {
        if (strcmp(names[i], call_word(c, 0)) == 0)
            return make(names[i]);
    }
    return NULL;
}

json_t *users_get(struct api_call *c)
{
    return for_each_user(c, user_json);
}

json_t *user_get(struct api_call *c)
{
    return for_this_user(c, user_json);
}

json_t *permissions_get(struct api_call *c)
{
    return for_each_user(c, permission_json);
}

json_t *permission_get(struct api_call *c)
{
    return for_this_user(c, permission_json);
}

/* ---- vhosts ---- */

json_t *vhost_get(struct api_call *c)
{
    const struct mirror *m = call_mirror(c);
    struct view_info view = mirror_view(m);
    json_t *state = json_object();
    for (node_id i = 0; i < LIMIT_NODES; i++) {
        if (node_in(view.members, i))
            json_object_set_new(state, mirror_node_name(m, i), json_string("running"));
    }
    const struct json_field fields[] = {
        {"cluster_state", state},
        {"default_queue_type", TEXT("undefined")},
        {"description", TEXT("Default virtual host")},
        {"metadata", OBJECT({"description", TEXT("Default virtual host")}, {"tags", json_array()})},
        {"name", TEXT("/")},
        {"tags", json_array()},
        {"tracing", FLAG(false)},
        {"message_stats", message_totals(c)},
    };
    json_t *json = OBJECT_OF(fields);
    json_t *messages = queue_totals(c);
    json_object_update(json, messages);
    json_decref(messages);
    return json;
}

json_t *vhosts_get(struct api_call *c)
{
    return json_pack("[o]", vhost_get(c));
}

/* ---- definitions: what would have to be declared again on an empty cluster ---- */

static json_t *queue_definitions(const struct mirror *m)
{
    json_t *list = json_array();
    struct queue *q;
    struct queue_info info;
    size_t at = 0;
    while ((q = mirror_next_queue(m, &at))) {
        mirror_queue_info(m, q, &info);
        if (info.durable && info.owner.node == NODE_NONE) {
            const struct json_field fields[] = {
                {"arguments", json_text_or_empty(info.args->json)},
                {"auto_delete", FLAG(info.auto_delete)},
                {"durable", FLAG(true)},
                {"name", TEXT(info.name)},
                {"vhost", TEXT("/")},
            };
            json_array_append_new(list, OBJECT_OF(fields));
        }
    }
    return list;
}

static json_t *exchange_definitions(const struct broker *b)
{
    json_t *list = json_array();
    struct exchange_info x;
    size_t at = 0;
    while (broker_next_exchange(b, &at, &x)) {
        if (x.durable && x.name[0] && strncmp(x.name, "amq.", 4) != 0) {
            const struct json_field fields[] = {
                {"arguments", json_text_or_empty(x.arguments)},
                {"auto_delete", FLAG(x.auto_delete)},
                {"durable", FLAG(true)},
                {"internal", FLAG(x.internal)},
                {"name", TEXT(x.name)},
                {"type", TEXT(x.type)},
                {"vhost", TEXT("/")},
            };
            json_array_append_new(list, OBJECT_OF(fields));
        }
    }
    return list;
}

static json_t *binding_definitions(const struct broker *b)
{
    json_t *list = json_array();
    struct binding_info info;
    size_t at = 0;
    while (broker_next_binding(b, &at, &info)) {
        if (!info.source[0])
            continue;
        json_t *json = binding_json(&info);
        json_object_del(json, "properties_key");
        json_array_append_new(list, json);
    }
    return list;
}

json_t *definitions_get(struct api_call *c)
{
    const struct json_field fields[] = {
        {"bindings", binding_definitions(call_broker(c))},
        {"exchanges", exchange_definitions(call_broker(c))},
        {"global_parameters", json_array()},
        {"parameters", json_array()},
        {"permissions", permissions_get(c)},
        {"policies", policies_get(c)},
        {"product_name", TEXT(API_PRODUCT)},
        {"product_version", TEXT(API_PRODUCT_VERSION)},
        {"queues", queue_definitions(call_mirror(c))},
        {"rabbit_version", TEXT(API_RABBITMQ_VERSION)},
        {"rabbitmq_version", TEXT(API_RABBITMQ_VERSION)},
        {"topic_permissions", json_array()},
        {"users", users_get(c)},
        {"vhosts", json_pack("[o]", OBJECT({"name", TEXT("/")}))},
    };
    return OBJECT_OF(fields);
}

/* api_exchanges.c: /api/exchanges and /api/bindings. Every node has the whole table; what went through an
 * exchange is the sum of what the nodes counted. */
#include <string.h>

#include "host/api_private.h"

/* "amq.default" is how the API names the exchange whose name is empty. */
static const char *exchange_word(const struct api_call *c, size_t i)
{
    return strcmp(call_word(c, i), "amq.default") == 0 ? "" : call_word(c, i);
}

static bool find_exchange(struct api_call *c, const char *name, struct exchange_info *out)
{
    size_t at = 0;
    while (broker_next_exchange(call_broker(c), &at, out)) {
        if (strcmp(out->name, name) == 0)
            return true;
    }
    return false;
}

/* ---- what went through ---- */

static void set_message_stats(struct api_call *c, const char *name, json_t *json)
{
    int64_t in = 0, out = 0;
    double rate_in = 0, rate_out = 0;
    bool rates = true;
    for (size_t n = 0; n < LIMIT_NODES; n++) {
        json_t *counts = json_object_get(json_object_get(c->facts[n], "exchanges"), name);
        if (!counts)
            continue;
        const int64_t figures[2] = {json_integer_value(json_array_get(counts, 0)),
                                    json_integer_value(json_array_get(counts, 1))};
        double rate[2] = {0, 0};
        char key[LIMIT_NAME + 64];
        snprintf(key, sizeof(key), "exchange/%zu/%s", n, name);
        ms_time now = (ms_time)json_integer_value(json_object_get(c->facts[n], "now"));
        if (!rates_note(c->api->rates, key, now, figures, 2, 2, rate))
            rates = false;
        in += figures[0];
        out += figures[1];
        rate_in += rate[0];
        rate_out += rate[1];
    }
    if (!in && !out)
        return;
    json_t *stats = json_pack("{s:I, s:I}", "publish_in", (json_int_t)in, "publish_out", (json_int_t)out);
    if (rates) {
        set_rate(stats, "publish_in", rate_in);
        set_rate(stats, "publish_out", rate_out);
    }
    json_object_set_new(json, "message_stats", stats);
}

static json_t *exchange_json(struct api_call *c, const struct exchange_info *x)
{
    bool own = x->name[0] == '\0' || strncmp(x->name, "amq.", 4) == 0;
    const struct json_field fields[] = {
        {"arguments", json_text_or_empty(x->arguments)},
        {"auto_delete", FLAG(x->auto_delete)},
        {"durable", FLAG(x->durable)},
        {"internal", FLAG(x->internal)},
        {"name", TEXT(x->name)},
        {"type", TEXT(x->type)},
        {"vhost", TEXT("/")},
    };
    json_t *json = OBJECT_OF(fields);
    if (own) /* who declared the others is not kept */
        json_object_set_new(json, "user_who_performed_action", json_string("rmq-internal"));
    struct policy_info policy;
    if (mirror_policy_for(call_mirror(c), "exchanges", x->name, &policy))
        json_object_set_new(json, "policy", json_string(policy.name));
    set_message_stats(c, x->name, json);
    return json;
}

json_t *exchanges_get(struct api_call *c)
{
    json_t *list = json_array();
    struct exchange_info x;
    size_t at = 0;
    while (broker_next_exchange(call_broker(c), &at, &x))
        json_array_append_new(list, exchange_json(c, &x));
    return list;
}

json_t *exchange_get(struct api_call *c)
{
    struct exchange_info x;
    return find_exchange(c, exchange_word(c, 0), &x) ? exchange_json(c, &x) : NULL;
}

json_t *exchange_types(void)
{
    const char *const names[] = {"direct", "fanout", "headers", "topic"};
    json_t *list = json_array();
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        json_array_append_new(
            list,
            OBJECT({"description", json_sprintf("AMQP %s exchange, as per the AMQP specification", names[i])},
                   {"enabled", FLAG(true)}, {"name", TEXT(names[i])}));
    return list;
}

/* ---- PUT and DELETE of an exchange ---- */

static void exchange_put_done(struct api_call *c, const struct effect *answer)
{
    const char *text = answer->u.answer.text;
    if (answer->u.answer.status == ANSWER_OK)
        call_answer(c, json_object_get(c->body, "was there") ? 204 : 201, NULL);
    else
        call_bad(c, "%s", text ? text : "the exchange cannot be declared so");
}

void exchange_put(struct api_call *c)
{
    const char *name = exchange_word(c, 0);
    const char *type = json_string_value(json_object_get(c->body, "type"));
    bool durable, auto_delete, internal;
    if (!call_flag(c, "durable", &durable) || !call_flag(c, "auto_delete", &auto_delete) ||
        !call_flag(c, "internal", &internal))
        return;
    if (!type)
        type = "direct";
    struct exchange_info is;
    bool there = find_exchange(c, name, &is);
    if (!there && (strncmp(name, "amq.", 4) == 0 || !*name || strlen(name) > LIMIT_NAME)) {
        call_refused(c);
        return;
    }
    if (there && strcmp(is.type, type) != 0) {
        call_bad(c,
                 "inequivalent arg 'type' for exchange '%s' in vhost '/': received '%s' but current is '%s'",
                 name, type, is.type);
        return;
    }
    const struct {
        const char *key;
        bool is, asked;
    } flags[] = {
        {"durable", there && is.durable, durable},
        {"auto_delete", there && is.auto_delete, auto_delete},
        {"internal", there && is.internal, internal},
    };
    for (size_t i = 0; there && i < ARRAY_LEN(flags); i++) {
        if (flags[i].is != flags[i].asked) {
            call_bad(
                c, "inequivalent arg '%s' for exchange '%s' in vhost '/': received '%s' but current is '%s'",
                flags[i].key, name, flags[i].asked ? "true" : "false", flags[i].is ? "true" : "false");
            return;
        }
    }
    bool known = false;
    json_t *types = exchange_types();
    for (size_t i = 0; i < json_array_size(types); i++)
        known =
            known || strcmp(json_string_value(json_object_get(json_array_get(types, i), "name")), type) == 0;
    json_decref(types);
    if (!known) {
        call_bad(c, "unknown exchange type '%s'", type);
        return;
    }
    if (there)
        json_object_set_new(c->body, "was there", json_true());
    struct effects fx = {0};
    uint64_t req = call_request(c, exchange_put_done);
    struct node *n = c->node;
    broker_declare_exchange(call_broker(c), req, name, type, durable, auto_delete, internal, node_now(n),
                            &fx);
    node_perform(n, &fx);
    effects_free(&fx);
}

static void exchange_deleted(struct api_call *c, const struct effect *answer)
{
    if (answer->u.answer.status == ANSWER_OK)
        call_answer(c, 204, NULL);
    else if (answer->u.answer.status == ANSWER_NOT_FOUND)
        call_not_found(c);
    else if (answer->u.answer.status == ANSWER_IN_USE)
        call_bad(c, "exchange '%s' in vhost '/' in use", exchange_word(c, 0));
    else
        call_bad(c, "%s", answer->u.answer.text ? answer->u.answer.text : "the exchange cannot be deleted");
}

void exchange_delete(struct api_call *c)
{
    const char *name = exchange_word(c, 0);
    struct exchange_info is;
    if (!find_exchange(c, name, &is)) {
        call_not_found(c);
        return;
    }
    if (!*name || strncmp(name, "amq.", 4) == 0) {
        call_refused(c);
        return;
    }
    struct effects fx = {0};
    struct node *n = c->node;
    uint64_t req = call_request(c, exchange_deleted);
    broker_delete_exchange(call_broker(c), req, name, call_param_on(c, "if-unused"), node_now(n), &fx);
    node_perform(n, &fx);
    effects_free(&fx);
}

/* ---- bindings ---- */

json_t *binding_json(const struct binding_info *b)
{
    const struct json_field fields[] = {
        {"arguments", json_text_or_empty(b->arguments)},
        {"destination", TEXT(b->destination)},
        {"destination_type", TEXT(b->destination_type)},
        {"properties_key", TEXT(b->properties_key)},
        {"routing_key", TEXT(b->key)},
        {"source", TEXT(b->source)},
        {"vhost", TEXT("/")},
    };
    return OBJECT_OF(fields);
}

/* NULL stands for any; properties_key likewise. */
static json_t *bindings_like(struct api_call *c, const char *source, const char *destination,
                             const char *type)
{
    json_t *list = json_array();
    struct binding_info b;
    size_t at = 0;
    while (broker_next_binding(call_broker(c), &at, &b)) {
        if ((!source || strcmp(b.source, source) == 0) &&
            (!destination || strcmp(b.destination, destination) == 0) &&
            (!type || strcmp(b.destination_type, type) == 0))
            json_array_append_new(list, binding_json(&b));
    }
    return list;
}

json_t *bindings_get(struct api_call *c)
{
    return bindings_like(c, NULL, NULL, NULL);
}

json_t *queue_bindings_get(struct api_call *c)
{
    if (!mirror_find_queue(call_mirror(c), call_word(c, 0)))
        return NULL;
    return bindings_like(c, NULL, call_word(c, 0), "queue");
}

json_t *exchange_bindings_from_get(struct api_call *c)
{
    struct exchange_info x;
    const char *name = exchange_word(c, 0);
    return find_exchange(c, name, &x) ? bindings_like(c, name, NULL, NULL) : NULL;
}

json_t *exchange_bindings_to_get(struct api_call *c)
{
    struct exchange_info x;
    const char *name = exchange_word(c, 0);
    return find_exchange(c, name, &x) ? bindings_like(c, NULL, name, "exchange") : NULL;
}

/* bindings/%v/e/SOURCE/{q|e}/DESTINATION: words 0, 1, 2. NULL: the type is neither. */
static const char *destination_type(const struct api_call *c)
{
    if (strcmp(call_word(c, 1), "q") == 0)
        return "queue";
    return strcmp(call_word(c, 1), "e") == 0 ? "exchange" : NULL;
}

/* "queue" or "exchange" that is missing for this binding, or NULL if both ends are there. */
static const char *missing_end(struct api_call *c, const char **name)
{
    struct exchange_info x;
    const char *type = destination_type(c);
    *name = exchange_word(c, 0);
    if (!find_exchange(c, *name, &x))
        return "exchange";
    *name = call_word(c, 2);
    if (strcmp(type, "queue") == 0)
        return mirror_find_queue(call_mirror(c), *name) ? NULL : "queue";
    return find_exchange(c, *name, &x) ? NULL : "exchange";
}

json_t *bindings_between_get(struct api_call *c)
{
    const char *type = destination_type(c), *name;
    if (!type || missing_end(c, &name))
        return NULL;
    return bindings_like(c, exchange_word(c, 0), call_word(c, 2), type);
}

json_t *binding_get(struct api_call *c)
{
    json_t *all = bindings_between_get(c), *found = NULL;
    for (size_t i = 0; i < json_array_size(all) && !found; i++) {
        json_t *b = json_array_get(all, i);
        if (strcmp(json_string_value(json_object_get(b, "properties_key")), call_word(c, 3)) == 0)
            found = json_incref(b);
    }
    json_decref(all);
    return found;
}

static void step_bind(struct api_call *c, bool bind, const char *key, call_effect_fn *done)
{
    struct effects fx = {0};
    struct node *n = c->node;
    uint64_t req = call_request(c, done);
    broker_bind(call_broker(c), req, bind, exchange_word(c, 0), call_word(c, 2),
                strcmp(destination_type(c), "queue") == 0, key, node_now(n), &fx);
    node_perform(n, &fx);
    effects_free(&fx);
}

static void bound(struct api_call *c, const struct effect *answer)
{
    if (answer->u.answer.status != ANSWER_OK) {
        call_bad(c, "%s", answer->u.answer.text ? answer->u.answer.text : "the binding cannot be made");
        return;
    }
    const char *key = json_string_value(json_object_get(c->body, "routing_key"));
    call_answer_at(c, 201, format_text("%s/%s", call_word(c, 2), key && *key ? key : "~"));
}

void bindings_post(struct api_call *c)
{
    const char *name = NULL;
    if (!destination_type(c)) {
        call_not_found(c);
        return;
    }
    const char *missing = missing_end(c, &name);
    if (missing) {
        char *reason = format_text("no %s '%s' in vhost '/'", missing, name);
        call_answer(c, 404, api_error("not_found", reason));
        free(reason);
        return;
    }
    if (!*exchange_word(c, 0)) {
        call_refused(c);
        return;
    }
    if (json_object_size(json_object_get(c->body, "arguments"))) {
        call_bad(c, "binding arguments are not supported through this API; bind with an AMQP client instead");
        return;
    }
    const char *key = json_string_value(json_object_get(c->body, "routing_key"));
    step_bind(c, true, key ? key : "", bound);
}

static void unbound(struct api_call *c, const struct effect *answer)
{
    if (answer->u.answer.status == ANSWER_OK)
        call_answer(c, 204, NULL);
    else
        call_bad(c, "%s", answer->u.answer.text ? answer->u.answer.text : "the binding cannot be removed");
}

void binding_delete(struct api_call *c)
{
    json_t *is = binding_get(c);
    if (!is) {
        call_not_found(c);
        return;
    }
    if (!*exchange_word(c, 0)) {
        call_refused(c);
    } else if (json_object_size(json_object_get(is, "arguments"))) {
        call_bad(c, "a binding with arguments is removed by an AMQP client");
    } else {
        char *key = xstrdup(json_string_value(json_object_get(is, "routing_key")));
        step_bind(c, false, key, unbound);
        free(key);
    }
    json_decref(is);
}

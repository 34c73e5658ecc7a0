/* api_messages.c: publishing to an exchange and getting from a queue through the API. A get that is to be put
 * back is settled only after all were fetched, as RabbitMQ does it. */
#include <openssl/evp.h>
#include <string.h>

#include "host/api_private.h"
#include "host/api_properties.h"

/* ---- base64 ---- */

static char *to_base64(struct bytes in)
{
    char *out = xmalloc(4 * ((in.len + 2) / 3) + 1);
    EVP_EncodeBlock((unsigned char *)out, in.data, (int)in.len);
    return out;
}

/* false: text is not base64. *out is the caller's. */
static bool from_base64(const char *text, uint8_t **out, size_t *len)
{
    size_t in = strlen(text);
    if (in % 4 != 0 || in > LIMIT_HTTP_BODY)
        return false;
    *out = xmalloc(in / 4 * 3 + 1);
    int n = EVP_DecodeBlock(*out, (const unsigned char *)text, (int)in);
    size_t padding = in >= 2 ? (size_t)(text[in - 1] == '=') + (size_t)(text[in - 2] == '=') : 0;
    if (n < 0 || (size_t)n < padding) {
        free(*out);
        return false;
    }
    *len = (size_t)n - padding;
    return true;
}

/* ---- POST /api/exchanges/%2F/X/publish ---- */

static void bad_payload(struct api_call *c, const char *what, json_t *value)
{
    call_answer(c, 400, json_pack("{s:s, s:[s, O]}", "error", "bad_request", "reason", what, value));
}

/* The payload's bytes, new; false after answering. */
static bool read_payload(struct api_call *c, uint8_t **out, size_t *len)
{
    json_t *payload = json_object_get(c->body, "payload");
    json_t *encoding = json_object_get(c->body, "payload_encoding");
    const char *how = json_is_string(encoding) ? json_string_value(encoding) : "";
    if (!json_is_string(payload)) {
        bad_payload(c, "payload_not_string", payload);
        return false;
    }
    if (strcmp(how, "string") == 0) {
        *len = json_string_length(payload);
        *out = xmalloc(*len + 1);
        memcpy(*out, json_string_value(payload), *len);
        return true;
    }
    if (strcmp(how, "base64") != 0) {
        bad_payload(c, "unsupported_encoding", encoding);
        return false;
    }
    if (from_base64(json_string_value(payload), out, len))
        return true;
    bad_payload(c, "not_base64", payload);
    return false;
}

static void publish_message(struct api_call *c, const char *exchange, struct message *m)
{
    struct effects fx = {0};
    struct node *n = c->node;
    bool routed = false;
    int rc = broker_publish(call_broker(c), exchange, m, &routed, node_now(n), &fx);
    node_perform(n, &fx);
    effects_free(&fx);
    if (rc == ERR_NOT_FOUND)
        call_bad(c, "404 NOT_FOUND - no exchange '%s' in vhost '/'", exchange);
    else if (rc != 0)
        call_bad(c, "the message was not published: %s", err_text(rc));
    else
        call_answer(c, 200, json_pack("{s:b}", "routed", (int)routed));
}

void exchange_publish(struct api_call *c)
{
    const char *exchange = strcmp(call_word(c, 0), "amq.default") == 0 ? "" : call_word(c, 0);
    if (!call_need(c, (const char *const[]){"properties", "routing_key", "payload", "payload_encoding"}, 4))
        return;
    const char *key = json_string_value(json_object_get(c->body, "routing_key"));
    if (!key || strlen(key) > LIMIT_NAME || strlen(exchange) > LIMIT_NAME) {
        call_bad(c, "routing_key and exchange have to be strings of at most %d bytes", LIMIT_NAME);
        return;
    }
    uint8_t *payload;
    size_t len;
    if (!read_payload(c, &payload, &len))
        return;
    const char *wrong = NULL;
    struct message *m = properties_message(json_object_get(c->body, "properties"), exchange, key,
                                           bytes_of(payload, len), &wrong);
    free(payload);
    if (!m) {
        call_bad(c, "property %s is not valid", wrong);
        return;
    }
    publish_message(c, exchange, m);
    message_unref(m);
}

/* ---- POST /api/queues/%2F/Q/get ---- */

struct get_state {
    int64_t left; /* still to be fetched */
    bool take;    /* gone from the queue with the get itself */
    bool base64;
    int64_t truncate; /* -1: no */
    json_t *list;
    uint64_t queue_uid, generation;
    VEC(msg_id) ids; /* to be put back, or rejected */
    enum settle how;
};

void getting_free(struct get_state *g)
{
    if (!g)
        return;
    json_decref(g->list);
    VEC_FREE(&g->ids);
    free(g);
}

static json_t *got_json(const struct get_state *g, const struct effect *fx)
{
    const struct message *m = fx->u.answer.msg;
    struct bytes body = message_body(m), key = message_key(m), exchange = message_exchange(m);
    if (g->truncate >= 0 && (uint64_t)g->truncate < body.len)
        body.len = (size_t)g->truncate;
    json_t *payload = g->base64 ? NULL : json_stringn((const char *)body.data, body.len);
    const char *encoding = payload ? "string" : "base64";
    if (!payload) { /* asked for, or not UTF-8 */
        char *text = to_base64(body);
        payload = json_string(text);
        free(text);
    }
    json_t *properties = properties_to_json(message_props(m));
    if (json_object_size(properties) == 0) { /* RabbitMQ writes an empty list there */
        json_decref(properties);
        properties = json_array();
    }
    const struct json_field fields[] = {
        {"payload_bytes", NUMBER(m->body_len)},
        {"redelivered", FLAG(fx->u.answer.redelivered)},
        {"exchange", json_stringn((const char *)exchange.data, exchange.len)},
        {"routing_key", json_stringn((const char *)key.data, key.len)},
        {"message_count", NUMBER(fx->u.answer.messages)},
        {"properties", properties},
        {"payload", payload},
        {"payload_encoding", TEXT(encoding)},
    };
    return OBJECT_OF(fields);
}

/* All fetched: give back what was only looked at, then answer. */
static void get_finish(struct api_call *c)
{
    struct get_state *g = c->getting;
    struct event ev = {.type = EV_SETTLE, .now = node_now(c->node)};
    ev.u.settle.queue_uid = g->queue_uid;
    ev.u.settle.generation = g->generation;
    ev.u.settle.how = g->how;
    ev.u.settle.ids = g->ids.items;
    ev.u.settle.ids_len = g->ids.len;
    if (g->ids.len)
        node_step(c->node, &ev);
    call_answer(c, 200, json_incref(g->list));
}

static void get_next(struct api_call *c);

static void get_done(struct api_call *c, const struct effect *fx)
{
    struct get_state *g = c->getting;
    if (fx->u.answer.status == ANSWER_OK) {
        json_array_append_new(g->list, got_json(g, fx));
        if (!g->take) {
            g->queue_uid = fx->u.answer.queue_uid;
            g->generation = fx->u.answer.generation;
            VEC_PUSH(&g->ids, fx->u.answer.id);
        }
        call_later(c, --g->left > 0 ? get_next : get_finish);
    } else if (fx->u.answer.status == ANSWER_EMPTY || json_array_size(g->list)) {
        call_later(c, get_finish);
    } else {
        call_queue_error(c, call_word(c, 0), fx);
    }
}

static void get_next(struct api_call *c)
{
    struct event ev = {.type = EV_GET};
    ev.u.queue.name = call_word(c, 0);
    ev.u.queue.no_ack = c->getting->take;
    ev.u.queue.owner.node = NODE_NONE;
    call_command(c, &ev, get_done);
}

static const struct {
    const char *name;
    bool take; /* the message leaves the queue with the get itself */
    enum settle how;
} ackmodes[] = {
    {"ack_requeue_true", false, SETTLE_REQUEUE},
    {"ack_requeue_false", true, SETTLE_ACK},
    {"reject_requeue_true", false, SETTLE_REQUEUE},
    {"reject_requeue_false", false, SETTLE_DISCARD},
};

void queue_messages(struct api_call *c)
{
    if (!call_need(c, (const char *const[]){"ackmode", "count", "encoding"}, 3))
        return;
    json_t *count = json_object_get(c->body, "count"), *truncate = json_object_get(c->body, "truncate");
    const char *ackmode = json_string_value(json_object_get(c->body, "ackmode"));
    json_t *encoding = json_object_get(c->body, "encoding");
    const char *how = json_is_string(encoding) ? json_string_value(encoding) : "";
    if (strcmp(how, "auto") != 0 && strcmp(how, "base64") != 0) {
        bad_payload(c, "unsupported_encoding", encoding);
        return;
    }
    if (!json_is_integer(count) || json_integer_value(count) < 0 ||
        (truncate && (!json_is_integer(truncate) || json_integer_value(truncate) < 0))) {
        bad_payload(c, "not_integer", json_is_integer(count) ? truncate : count);
        return;
    }
    struct get_state *g = xcalloc(1, sizeof(*g));
    c->getting = g;
    g->left = json_integer_value(count);
    g->base64 = strcmp(how, "base64") == 0;
    g->truncate = truncate ? json_integer_value(truncate) : -1;
    g->list = json_array();
    for (size_t i = 0; i < ARRAY_LEN(ackmodes); i++) {
        if (!ackmode || strcmp(ackmodes[i].name, ackmode) != 0)
            continue;
        g->take = ackmodes[i].take;
        g->how = ackmodes[i].how;
        if (g->left)
            get_next(c);
        else
            get_finish(c);
        return;
    }
    call_bad(
        c,
        "ackmode is one of ack_requeue_true, ack_requeue_false, reject_requeue_true, reject_requeue_false");
}

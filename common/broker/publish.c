/* publish.c: basic.publish: method, header and body become one message, which goes to every queue that the
 * exchange finds. Runs once per message: one allocation, the message's own. */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

void publish_method(struct channel *ch, struct bytes arguments)
{
    struct wire_publish p;
    if (wire_get_publish(arguments, &p) != 0) {
        channel_fail(ch, REPLY_FRAME_ERROR, AMQP_BASIC_PUBLISH_METHOD, "cannot decode arguments");
        return;
    }
    if (!ch->content)
        ch->content = xcalloc(1, sizeof(*ch->content));
    struct content *c = ch->content;
    memcpy(c->exchange, p.exchange.data, p.exchange.len);
    c->exchange_len = (uint8_t)p.exchange.len;
    memcpy(c->key, p.key.data, p.key.len);
    c->key_len = (uint8_t)p.key.len;
    c->mandatory = p.mandatory;
    c->immediate = p.immediate;
    ch->stage = CONTENT_HEADER;
}

void publish_drop(struct channel *ch)
{
    ch->stage = CONTENT_NONE;
    if (!ch->content)
        return;
    message_unref(ch->content->msg);
    ch->content->msg = NULL;
    VEC_FREE(&ch->content->large);
}

/* RabbitMQ's check of the expiration property: decimal digits, at most ten years. */
static bool read_expiration(struct channel *ch, struct bytes s, uint64_t *out)
{
    const char *text = (const char *)s.data;
    size_t at = s.len && (text[0] == '-' || text[0] == '+') ? 1 : 0, digits = at;
    uint64_t v = 0;
    for (; digits < s.len && text[digits] >= '0' && text[digits] <= '9'; digits++)
        v = v > LIMIT_TTL_MS ? v : v * 10 + (uint64_t)(text[digits] - '0');
    struct text why = {0};
    if (digits == at)
        text_add(&why, "no_integer");
    else if (digits < s.len)
        text_printf(&why, "{leftover_string,\"%.*s\"}", (int)(s.len - digits), text + digits);
    else if (text[0] == '-')
        text_printf(&why, "{value_negative,%.*s}", (int)s.len, text);
    else if (v > LIMIT_TTL_MS)
        text_printf(&why, "{value_too_large,%.*s}", (int)s.len, text);
    if (why.len)
        channel_fail(ch, REPLY_PRECONDITION_FAILED, AMQP_BASIC_PUBLISH_METHOD,
                     "invalid expiration '%.*s': %s", (int)s.len, text, text_str(&why));
    *out = v;
    bool ok = why.len == 0;
    text_finish(&why);
    return ok;
}

static bool header_allowed(struct channel *ch, const struct wire_header *h, uint64_t *expiration_ms)
{
    if (h->body_size > LIMIT_BODY) {
        channel_fail(ch, REPLY_PRECONDITION_FAILED, AMQP_BASIC_PUBLISH_METHOD,
                     "message size %llu is larger than configured max size %u",
                     (unsigned long long)h->body_size, LIMIT_BODY);
        return false;
    }
    if (h->delivery_mode > 2) {
        channel_fail(ch, REPLY_PRECONDITION_FAILED, AMQP_BASIC_PUBLISH_METHOD,
                     "invalid message: {delivery_mode_unknown,%u}", h->delivery_mode);
        return false;
    }
    if (h->user_id.data && !bytes_is(h->user_id, ch->conn->user)) {
        channel_fail(ch, REPLY_PRECONDITION_FAILED, AMQP_BASIC_PUBLISH_METHOD,
                     "user_id property set to '%.*s' but authenticated user was '%s'", (int)h->user_id.len,
                     (const char *)h->user_id.data, ch->conn->user);
        return false;
    }
    return !h->expiration.data || read_expiration(ch, h->expiration, expiration_ms);
}

/* mandatory and nobody takes it: it goes back before its confirm */
static void return_message(struct channel *ch, struct message *m)
{
    struct connection *c = ch->conn;
    wire_put_return(&c->out, ch->number, REPLY_NO_ROUTE, "NO_ROUTE", message_exchange(m), message_key(m));
    output_message(c, ch->number, m);
    output_check(c);
}

static struct exchange *exchange_for(struct channel *ch, const struct message *m)
{
    struct broker *b = ch->conn->broker;
    struct bytes name = message_exchange(m);
    struct exchange *x = exchange_find(b, name);
    if (!x)
        channel_fail(ch, REPLY_NOT_FOUND, AMQP_BASIC_PUBLISH_METHOD, "no exchange '%.*s' in vhost '/'",
                     (int)name.len, (const char *)name.data);
    else if (x->internal)
        channel_fail(ch, REPLY_ACCESS_REFUSED, AMQP_BASIC_PUBLISH_METHOD,
                     "cannot publish to internal exchange '%s' in vhost '/'", x->name);
    else if (ch->content->immediate)
        channel_fail(ch, REPLY_NOT_IMPLEMENTED, AMQP_BASIC_PUBLISH_METHOD, "immediate=true");
    else
        return x;
    return NULL;
}

static void note_publisher(struct connection *c)
{
    c->published = true;
    if (c->broker->alarm)
        connection_alarm(c);
}

/* The message is whole. Takes the caller's reference. */
static void publish(struct channel *ch, struct message *m)
{
    struct connection *c = ch->conn;
    struct broker *b = c->broker;
    ch->stage = CONTENT_NONE;
    struct exchange *x = exchange_for(ch, m);
    if (!x) {
        message_unref(m);
        return;
    }
    if (!c->published)
        note_publisher(c);
    b->totals.published++;
    x->published_in++;
    route_message(b, x, m);
    x->published_out += b->route.len;
    if (b->route.len == 0) {
        if (ch->content->mandatory) {
            b->totals.returned++;
            return_message(ch, m);
        } else {
            b->totals.dropped_unroutable++;
        }
    }
    uint64_t cookie = ch->confirms ? confirms_add(ch, b->route.len) : 0;
    struct event ev = {.type = EV_PUBLISH, .u.publish = {.msg = m, .cookie = cookie}};
    for (size_t i = 0; i < b->route.len; i++) {
        ev.u.publish.queue = b->route.items[i];
        broker_command(b, &ev);
        if (mirror_queue_blocked(b->mirror, ev.u.publish.queue)) {
            struct queue_info info;
            mirror_queue_info(b->mirror, ev.u.publish.queue, &info);
            connection_block_on(c, info.uid);
        }
    }
    message_unref(m);
}

static void set_facts(struct message *m, const struct wire_header *h, uint64_t expiration_ms)
{
    m->persistent = h->delivery_mode == 2;
    m->priority = h->priority;
    m->expiration_ms = expiration_ms;
}

void publish_header(struct channel *ch, struct bytes payload)
{
    struct wire_header h;
    int err = wire_get_header(payload, &h);
    if (ch->stage == CONTENT_NONE) {
        channel_fail(ch, REPLY_UNEXPECTED_FRAME, 0, "expected method frame, got non method frame instead");
        return;
    }
    if (ch->stage == CONTENT_BODY) {
        channel_fail(ch, REPLY_UNEXPECTED_FRAME, AMQP_BASIC_PUBLISH_METHOD,
                     "expected content body, got non content body frame instead");
        return;
    }
    if (h.class_id != AMQP_BASIC_CLASS) {
        channel_fail(ch, REPLY_UNEXPECTED_FRAME, AMQP_BASIC_PUBLISH_METHOD,
                     "expected content header for class 60, got one for class %u instead", h.class_id);
        return;
    }
    if (h.weight) {
        channel_fail(ch, REPLY_UNEXPECTED_FRAME, AMQP_BASIC_PUBLISH_METHOD,
                     "expected content header for class 60, got non content header frame instead");
        return;
    }
    if (err) { /* RabbitMQ breaks down here (541) */
        channel_fail(ch, REPLY_SYNTAX_ERROR, AMQP_BASIC_PUBLISH_METHOD,
                     "cannot decode the message's properties");
        return;
    }
    uint64_t expiration_ms = UINT64_MAX;
    if (!header_allowed(ch, &h, &expiration_ms))
        return;
    struct content *c = ch->content;
    bool at_once = h.body_size <= BROKER_BODY_AT_ONCE;
    /* a large one begins without its body: memory is given as it comes, not as it is announced */
    struct message *m = message_create(bytes_of(c->exchange, c->exchange_len), bytes_of(c->key, c->key_len),
                                       h.props, NULL, at_once ? (size_t)h.body_size : 0);
    set_facts(m, &h, expiration_ms);
    if (h.body_size == 0) {
        publish(ch, m);
        return;
    }
    c->msg = m;
    c->body_size = h.body_size;
    c->got = 0;
    ch->stage = CONTENT_BODY;
}

void publish_body(struct channel *ch, struct bytes payload)
{
    struct content *c = ch->content;
    if (ch->stage == CONTENT_NONE) {
        channel_fail(ch, REPLY_UNEXPECTED_FRAME, 0, "expected method frame, got non method frame instead");
        return;
    }
    if (ch->stage == CONTENT_HEADER) {
        channel_fail(ch, REPLY_UNEXPECTED_FRAME, AMQP_BASIC_PUBLISH_METHOD,
                     "expected content header for class 60, got non content header frame instead");
        return;
    }
    if (payload.len > c->body_size - c->got) {
        channel_fail(ch, REPLY_UNEXPECTED_FRAME, AMQP_BASIC_PUBLISH_METHOD,
                     "expected %llu more octets of the body, got %zu",
                     (unsigned long long)(c->body_size - c->got), payload.len);
        return;
    }
    struct message *m = c->msg;
    if (payload.len && c->body_size <= BROKER_BODY_AT_ONCE) {
        memcpy(message_body_space(m) + c->got, payload.data, payload.len);
    } else if (payload.len) {
        memcpy(wire_space(&c->large, payload.len), payload.data, payload.len);
        c->large.len += payload.len;
    }
    c->got += payload.len;
    if (c->got < c->body_size)
        return;
    c->msg = NULL;
    if (c->body_size > BROKER_BODY_AT_ONCE) {
        struct message *whole = message_create(message_exchange(m), message_key(m), message_props(m),
                                               c->large.items, c->large.len);
        whole->persistent = m->persistent;
        whole->priority = m->priority;
        whole->expiration_ms = m->expiration_ms;
        message_unref(m);
        m = whole;
        VEC_FREE(&c->large);
    }
    publish(ch, m);
}

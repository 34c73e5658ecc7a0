/* amqp.c: AMQP 0-9-1 frames, and the methods that run once per message. Every length that came from the
 * network is compared with what is there before it is used. */
#include "wire/amqp.h"

#include <amqp.h>
#include <amqp_framing.h>

#include "base/ban.h"

const uint8_t wire_protocol_header[8] = {'A', 'M', 'Q', 'P', 0, 0, 9, 1};

/* ---- reading ---- */

int64_t wire_amqp_frame(struct bytes in, uint32_t frame_max, struct wire_frame *out)
{
    if (in.len < WIRE_FRAME_HEAD)
        return 0;
    out->type = in.data[0];
    out->channel = wire_get16(in.data + 1);
    out->size = wire_get32(in.data + 3);
    out->payload = bytes_of(in.data + WIRE_FRAME_HEAD, 0);
    if (out->size > frame_max - WIRE_FRAME_OVERHEAD)
        return ERR_TOO_LARGE;
    if (in.len < (size_t)out->size + WIRE_FRAME_OVERHEAD)
        return 0;
    out->payload.len = out->size;
    out->end = in.data[WIRE_FRAME_HEAD + out->size];
    if (out->end != WIRE_FRAME_END)
        return ERR_INVALID;
    return (int64_t)out->size + WIRE_FRAME_OVERHEAD;
}

/* a cursor over bytes that remembers when it ran out */
struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static struct reader reader_of(struct bytes b)
{
    const uint8_t *at = b.data ? b.data : (const uint8_t *)""; /* C counts on from no NULL, not even by 0 */
    return (struct reader){.at = at, .end = at + b.len};
}

static const uint8_t *take(struct reader *r, size_t n)
{
    if ((size_t)(r->end - r->at) < n) {
        r->bad = true;
        r->at = r->end;
        return NULL;
    }
    const uint8_t *p = r->at;
    r->at += n;
    return p;
}

static uint8_t take8(struct reader *r)
{
    const uint8_t *p = take(r, 1);
    return p ? *p : 0;
}

static struct bytes take_short_string(struct reader *r)
{
    size_t len = take8(r);
    const uint8_t *p = take(r, len);
    return p ? bytes_of(p, len) : bytes_of(NULL, 0);
}

static struct bytes take_long_string(struct reader *r)
{
    const uint8_t *p = take(r, 4);
    size_t len = p ? wire_get32(p) : 0;
    p = take(r, len);
    return p ? bytes_of(p, len) : bytes_of(NULL, 0);
}

int wire_get_publish(struct bytes arguments, struct wire_publish *out)
{
    struct reader r = reader_of(arguments);
    take(&r, 2); /* the ticket of AMQP 0-8 */
    out->exchange = take_short_string(&r);
    out->key = take_short_string(&r);
    uint8_t bits = take8(&r);
    out->mandatory = (bits & 1) != 0;
    out->immediate = (bits & 2) != 0;
    return r.bad || r.at != r.end ? ERR_INVALID : 0;
}

int wire_get_ack(uint32_t method, struct bytes arguments, struct wire_ack *out)
{
    if (arguments.len != 9)
        return ERR_INVALID;
    uint8_t bits = arguments.data[8];
    out->tag = wire_get64(arguments.data);
    out->multiple = method != AMQP_BASIC_REJECT_METHOD && (bits & 1) != 0;
    out->requeue = method == AMQP_BASIC_REJECT_METHOD ? (bits & 1) != 0 : (bits & 2) != 0;
    return 0;
}

static bool skip_table(struct reader *r, unsigned depth);

/* one value of a field table: its type octet and what follows (AMQP 4.2.5.5, as RabbitMQ reads it) */
static bool skip_value(struct reader *r, unsigned depth)
{
    switch (take8(r)) {
    case 't':
    case 'b':
    case 'B': take(r, 1); break;
    case 's':
    case 'u': take(r, 2); break;
    case 'I':
    case 'i':
    case 'f': take(r, 4); break;
    case 'l':
    case 'L':
    case 'd':
    case 'T': take(r, 8); break;
    case 'D': take(r, 5); break;
    case 'S':
    case 'x': take_long_string(r); break;
    case 'V': break;
    case 'F': return skip_table(r, depth + 1);
    case 'A': {
        if (depth + 1 > WIRE_TABLE_DEPTH)
            return false;
        struct reader in = reader_of(take_long_string(r));
        while (!r->bad && !in.bad && in.at < in.end)
            if (!skip_value(&in, depth + 1))
                return false;
        return !r->bad && !in.bad;
    }
    default: return false;
    }
    return !r->bad;
}

static bool skip_table(struct reader *r, unsigned depth)
{
    if (depth > WIRE_TABLE_DEPTH)
        return false;
    struct reader in = reader_of(take_long_string(r));
    while (!r->bad && !in.bad && in.at < in.end) {
        take_short_string(&in);
        if (!skip_value(&in, depth))
            return false;
    }
    return !r->bad && !in.bad;
}

bool wire_table_valid(struct bytes data)
{
    struct reader r = reader_of(data);
    return skip_table(&r, 1) && r.at == r.end;
}

/* The arguments of every method that a client may send: 2 and 4 octets of a number, s a short string, S a
 * long string, b an octet of bits, t a table. */
static const struct {
    uint32_t method;
    const char *shape;
} shapes[] = {
    {AMQP_CONNECTION_START_OK_METHOD, "tsSs"},
    {AMQP_CONNECTION_TUNE_OK_METHOD, "242"},
    {AMQP_CONNECTION_OPEN_METHOD, "ssb"},
    {AMQP_CHANNEL_OPEN_METHOD, "s"},
    {AMQP_CHANNEL_FLOW_METHOD, "b"},
    {AMQP_ACCESS_REQUEST_METHOD, "sb"},
    {AMQP_EXCHANGE_DECLARE_METHOD, "2ssbt"},
    {AMQP_EXCHANGE_DELETE_METHOD, "2sb"},
    {AMQP_EXCHANGE_BIND_METHOD, "2sssbt"},
    {AMQP_EXCHANGE_UNBIND_METHOD, "2sssbt"},
    {AMQP_QUEUE_DECLARE_METHOD, "2sbt"},
    {AMQP_QUEUE_BIND_METHOD, "2sssbt"},
    {AMQP_QUEUE_PURGE_METHOD, "2sb"},
    {AMQP_QUEUE_DELETE_METHOD, "2sb"},
    {AMQP_QUEUE_UNBIND_METHOD, "2ssst"},
    {AMQP_BASIC_QOS_METHOD, "42b"},
    {AMQP_BASIC_CONSUME_METHOD, "2ssbt"},
    {AMQP_BASIC_CANCEL_METHOD, "sb"},
    {AMQP_BASIC_GET_METHOD, "2sb"},
    {AMQP_BASIC_RECOVER_METHOD, "b"},
    {AMQP_BASIC_RECOVER_ASYNC_METHOD, "b"},
    {AMQP_CONFIRM_SELECT_METHOD, "b"},
};

static bool skip_argument(struct reader *r, char shape)
{
    switch (shape) {
    case '2': take(r, 2); break;
    case '4': take(r, 4); break;
    case 's': take_short_string(r); break;
    case 'S': take_long_string(r); break;
    case 'b': take(r, 1); break;
    default: return skip_table(r, 1);
    }
    return !r->bad;
}

bool wire_method_valid(uint32_t method, struct bytes arguments)
{
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        if (shapes[i].method != method)
            continue;
        struct reader r = reader_of(arguments);
        for (const char *s = shapes[i].shape; *s; s++)
            if (!skip_argument(&r, *s))
                return false;
        return r.at == r.end;
    }
    return true;
}

int wire_get_header(struct bytes payload, struct wire_header *out)
{
    *out = (struct wire_header){0};
    if (payload.len < 14)
        return ERR_TRUNCATED;
    out->class_id = wire_get16(payload.data);
    out->weight = wire_get16(payload.data + 2);
    out->body_size = wire_get64(payload.data + 4);
    out->props = bytes_of(payload.data + 12, payload.len - 12);
    uint16_t flags = wire_get16(payload.data + 12);
    struct reader r = reader_of(bytes_of(payload.data + 14, payload.len - 14));
    if (flags & 3) /* a second flag word, or a bit that names nothing: basic has 14 properties */
        return ERR_INVALID;
    if (flags & AMQP_BASIC_CONTENT_TYPE_FLAG)
        take_short_string(&r);
    if (flags & AMQP_BASIC_CONTENT_ENCODING_FLAG)
        take_short_string(&r);
    if (flags & AMQP_BASIC_HEADERS_FLAG) {
        const uint8_t *from = r.at;
        if (!skip_table(&r, 1))
            return ERR_INVALID;
        out->headers = bytes_of(from, (size_t)(r.at - from));
    }
    if (flags & AMQP_BASIC_DELIVERY_MODE_FLAG)
        out->delivery_mode = take8(&r);
    if (flags & AMQP_BASIC_PRIORITY_FLAG)
        out->priority = take8(&r);
    if (flags & AMQP_BASIC_CORRELATION_ID_FLAG)
        take_short_string(&r);
    if (flags & AMQP_BASIC_REPLY_TO_FLAG)
        take_short_string(&r);
    if (flags & AMQP_BASIC_EXPIRATION_FLAG)
        out->expiration = take_short_string(&r);
    if (flags & AMQP_BASIC_MESSAGE_ID_FLAG)
        take_short_string(&r);
    if (flags & AMQP_BASIC_TIMESTAMP_FLAG)
        take(&r, 8);
    if (flags & AMQP_BASIC_TYPE_FLAG)
        take_short_string(&r);
    if (flags & AMQP_BASIC_USER_ID_FLAG)
        out->user_id = take_short_string(&r);
    if (flags & AMQP_BASIC_APP_ID_FLAG)
        take_short_string(&r);
    if (flags & AMQP_BASIC_CLUSTER_ID_FLAG)
        take_short_string(&r);
    return r.bad || r.at != r.end ? ERR_INVALID : 0;
}

/* ---- writing ---- */

static uint8_t *put8(uint8_t *p, uint8_t v)
{
    *p = v;
    return p + 1;
}

static uint8_t *put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
    return p + 4;
}

static uint8_t *put64(uint8_t *p, uint64_t v)
{
    return put32(put32(p, (uint32_t)(v >> 32)), (uint32_t)v);
}

static uint8_t *put_bytes(uint8_t *p, struct bytes b)
{
    if (b.len)
        memcpy(p, b.data, b.len);
    return p + b.len;
}

static uint8_t *put_short_string(uint8_t *p, struct bytes s)
{
    ASSERT(s.len <= 255);
    return put_bytes(put8(p, (uint8_t)s.len), s);
}

static uint8_t *put_head(uint8_t *p, uint8_t type, uint16_t channel, uint32_t size)
{
    return put32(put16(put8(p, type), channel), size);
}

/* begins a method frame whose size is filled in by end_method */
static uint8_t *begin_method(struct wire_buffer *b, uint16_t channel, uint32_t method, size_t room)
{
    uint8_t *p = wire_space(b, room + WIRE_FRAME_OVERHEAD + 4);
    return put32(put_head(p, WIRE_FRAME_METHOD, channel, 0), method);
}

static void end_method(struct wire_buffer *b, uint8_t *p)
{
    uint8_t *from = b->items + b->len;
    put32(from + 3, (uint32_t)(p - from) - WIRE_FRAME_HEAD);
    p = put8(p, WIRE_FRAME_END);
    b->len = (size_t)(p - b->items);
}

void wire_put_method(struct wire_buffer *b, uint16_t channel, uint32_t method, void *decoded)
{
    for (size_t room = 256;; room *= 4) {
        uint8_t *p = begin_method(b, channel, method, room);
        int len = amqp_encode_method(method, decoded, (amqp_bytes_t){.len = room, .bytes = p});
        if (len >= 0) {
            end_method(b, p + len);
            return;
        }
        ASSERT(room < (1u << 24));
    }
}

void wire_put_deliver(struct wire_buffer *b, uint16_t channel, struct bytes consumer_tag, uint64_t tag,
                      bool redelivered, struct bytes exchange, struct bytes key)
{
    uint8_t *p =
        begin_method(b, channel, AMQP_BASIC_DELIVER_METHOD, consumer_tag.len + exchange.len + key.len + 12);
    p = put_short_string(p, consumer_tag);
    p = put8(put64(p, tag), redelivered);
    p = put_short_string(p, exchange);
    p = put_short_string(p, key);
    end_method(b, p);
}

void wire_put_get_ok(struct wire_buffer *b, uint16_t channel, uint64_t tag, bool redelivered,
                     struct bytes exchange, struct bytes key, uint32_t left)
{
    uint8_t *p = begin_method(b, channel, AMQP_BASIC_GET_OK_METHOD, exchange.len + key.len + 15);
    p = put8(put64(p, tag), redelivered);
    p = put_short_string(p, exchange);
    p = put_short_string(p, key);
    end_method(b, put32(p, left));
}

void wire_put_return(struct wire_buffer *b, uint16_t channel, uint16_t code, const char *text,
                     struct bytes exchange, struct bytes key)
{
    struct bytes words = bytes_str(text);
    uint8_t *p = begin_method(b, channel, AMQP_BASIC_RETURN_METHOD, words.len + exchange.len + key.len + 5);
    p = put_short_string(put16(p, code), words);
    p = put_short_string(p, exchange);
    end_method(b, put_short_string(p, key));
}

void wire_put_header(struct wire_buffer *b, uint16_t channel, uint64_t body_size, struct bytes props)
{
    uint8_t *p = wire_space(b, WIRE_FRAME_OVERHEAD + 12 + props.len);
    p = put_head(p, WIRE_FRAME_HEADER, channel, (uint32_t)(12 + props.len));
    p = put64(put16(put16(p, AMQP_BASIC_CLASS), 0), body_size);
    p = put8(put_bytes(p, props), WIRE_FRAME_END);
    b->len = (size_t)(p - b->items);
}

void wire_put_body_head(struct wire_buffer *b, uint16_t channel, uint32_t size)
{
    put_head(wire_space(b, WIRE_FRAME_HEAD), WIRE_FRAME_BODY, channel, size);
    b->len += WIRE_FRAME_HEAD;
}

void wire_put_end(struct wire_buffer *b)
{
    *wire_space(b, 1) = WIRE_FRAME_END;
    b->len++;
}

void wire_put_body(struct wire_buffer *b, uint16_t channel, struct bytes body, uint32_t frame_max)
{
    size_t most = frame_max - WIRE_FRAME_OVERHEAD;
    while (body.len) {
        size_t n = body.len < most ? body.len : most;
        uint8_t *p = wire_space(b, n + WIRE_FRAME_OVERHEAD);
        p = put_bytes(put_head(p, WIRE_FRAME_BODY, channel, (uint32_t)n), bytes_of(body.data, n));
        p = put8(p, WIRE_FRAME_END);
        b->len = (size_t)(p - b->items);
        body = bytes_of(body.data + n, body.len - n);
    }
}

void wire_put_confirm(struct wire_buffer *b, uint16_t channel, bool nack, uint64_t tag, bool multiple)
{
    uint8_t *p = begin_method(b, channel, nack ? AMQP_BASIC_NACK_METHOD : AMQP_BASIC_ACK_METHOD, 9);
    /* a nack's bit "requeue" means nothing to a publisher; RabbitMQ sets it */
    end_method(b, put8(put64(p, tag), (uint8_t)(multiple | (nack ? 2 : 0))));
}

void wire_put_heartbeat(struct wire_buffer *b)
{
    uint8_t *p = put_head(wire_space(b, WIRE_FRAME_OVERHEAD), WIRE_FRAME_HEARTBEAT, 0, 0);
    *p = WIRE_FRAME_END;
    b->len += WIRE_FRAME_OVERHEAD;
}

/* channel.c: one channel: which method goes where, and the order that AMQP promises within it: while a
 * command waits for its answer, the frames behind it wait too (other channels go on). */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

struct channel *channel_open(struct connection *c, uint16_t number)
{
    struct channel *ch = xcalloc(1, sizeof(*ch));
    ch->conn = c;
    ch->number = number;
    map_set_u64(&c->channels, number, ch);
    c->broker->totals.channels_created++;
    return ch;
}

void channel_touch(struct channel *ch)
{
    connection_touch(ch->conn);
    if (ch->touched)
        return;
    ch->touched = true;
    VEC_PUSH(&ch->conn->busy, ch);
}

/* Takes it out of whatever list of the connection or the broker may name it. */
static void unlist(struct channel *ch)
{
    struct connection *c = ch->conn;
    if (ch->touched) {
        for (size_t i = 0; i < c->busy.len; i++)
            if (c->busy.items[i] == ch)
                VEC_REMOVE(&c->busy, i--);
        ch->touched = false;
    }
    struct broker *b = c->broker;
    if (ch->resuming) {
        for (size_t i = 0; i < b->resume.len; i++)
            if (b->resume.items[i] == ch)
                VEC_REMOVE(&b->resume, i--);
        ch->resuming = false;
    }
}

static void held_reset(struct channel *ch)
{
    ch->held.len = ch->held_at = 0;
    if (ch->held.cap > BROKER_KEPT)
        VEC_FREE(&ch->held);
    if (ch->held_much) {
        ch->held_much = false;
        if (--ch->conn->held_channels == 0)
            connection_resume(ch->conn, PAUSE_HELD);
    }
}

void channel_release(struct channel *ch)
{
    struct broker *b = ch->conn->broker;
    if (ch->op) {
        op_abandon(ch->op);
        ch->op = NULL;
    }
    publish_drop(ch);
    /* first no more deliveries, then what was delivered goes back: it must not come here again */
    settle_flush(ch);
    struct consumer *k;
    for (size_t at = 0; (k = map_next(&ch->consumers, &at));) {
        consumer_unsubscribe(b, k);
        consumer_end(k);
    }
    settle_all(ch, SETTLE_REQUEUE);
    settle_flush(ch);
    confirms_destroy(ch);
    unlist(ch);
    held_reset(ch);
}

void channel_free(struct channel *ch)
{
    map_finish(&ch->consumers);
    VEC_FREE(&ch->held);
    if (ch->content)
        VEC_FREE(&ch->content->large);
    free(ch->content);
    VEC_FREE(&ch->unacked);
    for (size_t i = 0; i < ch->settling.len; i++)
        VEC_FREE(&ch->settling.items[i].ids);
    VEC_FREE(&ch->settling);
    VEC_FREE(&ch->held_back);
    free(ch->last_queue);
    free(ch);
}

static void channel_end(struct channel *ch)
{
    struct connection *c = ch->conn;
    ch->state = CHANNEL_CLOSED;
    c->recent = NULL;
    map_remove_u64(&c->channels, ch->number);
    VEC_PUSH(&c->broker->dead_channels, ch);
    c->broker->totals.channels_closed++;
}

static void close_asked(struct channel *ch)
{
    settle_flush(ch);
    confirms_flush(ch);
    if (ch->state == CHANNEL_OPEN)
        channel_release(ch);
    wire_put_method(&ch->conn->out, ch->number, AMQP_CHANNEL_CLOSE_OK_METHOD, &(amqp_channel_close_ok_t){0});
    connection_touch(ch->conn);
    channel_end(ch);
}

static void qos(struct channel *ch, const amqp_basic_qos_t *q)
{
    if (q->prefetch_size) {
        channel_fail(ch, REPLY_NOT_IMPLEMENTED, AMQP_BASIC_QOS_METHOD, "prefetch_size!=0 (%u)",
                     q->prefetch_size);
        return;
    }
    if (q->global)
        ch->global_prefetch = q->prefetch_count;
    else
        ch->prefetch = q->prefetch_count;
    wire_put_method(&ch->conn->out, ch->number, AMQP_BASIC_QOS_OK_METHOD, &(amqp_basic_qos_ok_t){0});
    deliver_held_back(ch);
}

static void confirm_select(struct channel *ch, const amqp_confirm_select_t *s)
{
    if (!ch->confirms && !confirms_create(ch)) {
        channel_fail(ch, REPLY_RESOURCE_ERROR, AMQP_CONFIRM_SELECT_METHOD,
                     "too many channels are in confirm mode");
        return;
    }
    if (!s->nowait)
        wire_put_method(&ch->conn->out, ch->number, AMQP_CONFIRM_SELECT_OK_METHOD,
                        &(amqp_confirm_select_ok_t){0});
}

static void flow(struct channel *ch, const amqp_channel_flow_t *f)
{
    if (!f->active)
        channel_fail(ch, REPLY_NOT_IMPLEMENTED, AMQP_CHANNEL_FLOW_METHOD, "active=false");
    else
        wire_put_method(&ch->conn->out, ch->number, AMQP_CHANNEL_FLOW_OK_METHOD,
                        &(amqp_channel_flow_ok_t){.active = 1});
}

static void cannot_decode(struct channel *ch, uint32_t method, struct bytes arguments)
{
    struct text t = {0};
    for (size_t i = 0; i < arguments.len && i < 80; i++)
        text_printf(&t, "%s%u", i ? "," : "", arguments.data[i]);
    channel_fail(ch, REPLY_FRAME_ERROR, method, "cannot decode <<%s>>", text_str(&t));
    text_finish(&t);
}

/* the methods that are rare enough to go through rabbitmq-c's decoder */
static void decoded_method(struct channel *ch, uint32_t method, struct bytes arguments)
{
    struct broker *b = ch->conn->broker;
    void *decoded = NULL;
    recycle_amqp_pool(&b->pool);
    int err = AMQP_STATUS_BAD_AMQP_DATA;
    if (wire_method_valid(method, arguments))
        err = amqp_decode_method(
            method, &b->pool,
            (amqp_bytes_t){.len = arguments.len, .bytes = (void *)(uintptr_t)arguments.data}, &decoded);
    if (err == AMQP_STATUS_UNKNOWN_METHOD) {
        channel_fail(ch, REPLY_COMMAND_INVALID, method, "unimplemented method");
        return;
    }
    if (err != AMQP_STATUS_OK) {
        cannot_decode(ch, method, arguments);
        return;
    }
    switch (method) {
    case AMQP_CHANNEL_OPEN_METHOD:
        channel_fail(ch, REPLY_CHANNEL_ERROR, method, "second 'channel.open' seen");
        break;
    case AMQP_CHANNEL_FLOW_METHOD: flow(ch, decoded); break;
    case AMQP_EXCHANGE_DECLARE_METHOD:
    case AMQP_EXCHANGE_DELETE_METHOD:
    case AMQP_EXCHANGE_BIND_METHOD:
    case AMQP_EXCHANGE_UNBIND_METHOD: exchange_method(ch, method, decoded); break;
    case AMQP_QUEUE_DECLARE_METHOD:
    case AMQP_QUEUE_BIND_METHOD:
    case AMQP_QUEUE_UNBIND_METHOD:
    case AMQP_QUEUE_PURGE_METHOD:
    case AMQP_QUEUE_DELETE_METHOD: queue_method(ch, method, decoded); break;
    case AMQP_BASIC_QOS_METHOD: qos(ch, decoded); break;
    case AMQP_BASIC_CONSUME_METHOD:
    case AMQP_BASIC_CANCEL_METHOD:
    case AMQP_BASIC_GET_METHOD: consume_method(ch, method, decoded); break;
    case AMQP_BASIC_RECOVER_METHOD:
        settle_recover(ch, method, ((amqp_basic_recover_t *)decoded)->requeue);
        break;
    case AMQP_BASIC_RECOVER_ASYNC_METHOD:
        settle_recover(ch, method, ((amqp_basic_recover_async_t *)decoded)->requeue);
        break;
    case AMQP_BASIC_CANCEL_OK_METHOD: break; /* an answer to ours */
    case AMQP_CONFIRM_SELECT_METHOD: confirm_select(ch, decoded); break;
    case AMQP_TX_SELECT_METHOD:
    case AMQP_TX_COMMIT_METHOD:
    case AMQP_TX_ROLLBACK_METHOD:
        channel_fail(ch, REPLY_NOT_IMPLEMENTED, method, "transactions: use confirm.select");
        break;
    case AMQP_ACCESS_REQUEST_METHOD: /* AMQP 0-8's; some clients still send it */
        wire_put_method(&ch->conn->out, ch->number, AMQP_ACCESS_REQUEST_OK_METHOD,
                        &(amqp_access_request_ok_t){.ticket = 1});
        break;
    default: channel_fail(ch, REPLY_COMMAND_INVALID, method, "unimplemented method"); break;
    }
    connection_touch(ch->conn);
}

static void method_frame(struct channel *ch, struct bytes payload)
{
    uint32_t method = wire_get32(payload.data);
    struct bytes arguments = bytes_of(payload.data + 4, payload.len - 4);
    if (method == AMQP_CHANNEL_CLOSE_METHOD) {
        close_asked(ch);
        return;
    }
    switch (ch->stage) {
    case CONTENT_NONE: break;
    case CONTENT_HEADER:
        channel_fail(ch, REPLY_UNEXPECTED_FRAME, AMQP_BASIC_PUBLISH_METHOD,
                     "expected content header for class 60, got non content header frame instead");
        return;
    case CONTENT_BODY:
        channel_fail(ch, REPLY_UNEXPECTED_FRAME, AMQP_BASIC_PUBLISH_METHOD,
                     "expected content body, got non content body frame instead");
        return;
    }
    if (method == AMQP_BASIC_PUBLISH_METHOD)
        publish_method(ch, arguments);
    else if (method == AMQP_BASIC_ACK_METHOD || method == AMQP_BASIC_NACK_METHOD ||
             method == AMQP_BASIC_REJECT_METHOD)
        settle_method(ch, method, arguments);
    else
        decoded_method(ch, method, arguments);
}

/* A frame of a channel that is open and has no command under way. */
static void open_frame(struct channel *ch, const struct wire_frame *f)
{
    if (f->type == WIRE_FRAME_METHOD)
        method_frame(ch, f->payload);
    else if (f->type == WIRE_FRAME_HEADER)
        publish_header(ch, f->payload);
    else
        publish_body(ch, f->payload);
}

static void hold(struct channel *ch, const struct wire_frame *f)
{
    size_t len = f->payload.len + WIRE_FRAME_OVERHEAD;
    memcpy(wire_space(&ch->held, len), f->payload.data - WIRE_FRAME_HEAD, len);
    ch->held.len += len;
    if (!ch->held_much && ch->held.len - ch->held_at > BROKER_HELD_PAUSE) {
        ch->held_much = true;
        ch->conn->held_channels++;
        connection_pause(ch->conn, PAUSE_HELD);
    }
}

void channel_resume_one(struct channel *ch)
{
    struct broker *b = ch->conn->broker;
    if (ch->state != CHANNEL_OPEN || ch->op)
        return;
    struct wire_frame f;
    int64_t len = wire_amqp_frame(bytes_of(ch->held.items + ch->held_at, ch->held.len - ch->held_at),
                                  ch->conn->frame_max, &f);
    if (len > 0) {
        ch->held_at += (size_t)len;
        open_frame(ch, &f);
        if (ch->state != CHANNEL_OPEN)
            return;
    }
    if (ch->held_at == ch->held.len) {
        held_reset(ch);
    } else if (!ch->op && !ch->resuming) {
        ch->resuming = true;
        VEC_PUSH(&b->resume, ch);
    }
}

void channel_frame(struct connection *c, const struct wire_frame *f)
{
    struct channel *ch = c->recent;
    if (!ch || ch->number != f->channel)
        ch = c->recent = map_get_u64(&c->channels, f->channel);
    uint32_t method = f->type == WIRE_FRAME_METHOD ? wire_get32(f->payload.data) : 0;
    if (!ch) {
        if (method != AMQP_CHANNEL_OPEN_METHOD) {
            connection_fail(c, REPLY_CHANNEL_ERROR, method, "expected 'channel.open'");
        } else if (c->channels.count >= c->channel_max) {
            connection_fail(c, REPLY_NOT_ALLOWED, 0,
                            "number of channels opened (%zu) has reached the negotiated channel_max (%u)",
                            c->channels.count, c->channel_max);
        } else {
            channel_open(c, f->channel);
            wire_put_method(&c->out, f->channel, AMQP_CHANNEL_OPEN_OK_METHOD, &(amqp_channel_open_ok_t){0});
        }
        return;
    }
    switch (ch->state) {
    case CHANNEL_OPEN:
        if (ch->op || ch->held.len > ch->held_at)
            hold(ch, f);
        else
            open_frame(ch, f);
        break;
    case CHANNEL_CLOSING: /* what was on its way when we closed it */
        if (method == AMQP_CHANNEL_CLOSE_METHOD)
            close_asked(ch);
        else if (method == AMQP_CHANNEL_CLOSE_OK_METHOD)
            channel_end(ch);
        break;
    case CHANNEL_CLOSED: break;
    }
}

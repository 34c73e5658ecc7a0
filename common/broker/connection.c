/* connection.c: one client's connection: its life, its bytes cut into frames, its heartbeats, when it is not
 * read. Nothing is freed while it is in use: an ended connection is swept when the step ends. */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

void connection_set_state(struct connection *c, enum connection_state to)
{
    static const unsigned legal[] = {
        [CONNECTION_HEADER] = 1 << CONNECTION_START | 1 << CONNECTION_CLOSED,
        [CONNECTION_START] = 1 << CONNECTION_TUNE | 1 << CONNECTION_CLOSING | 1 << CONNECTION_CLOSED,
        [CONNECTION_TUNE] = 1 << CONNECTION_OPENING | 1 << CONNECTION_CLOSING | 1 << CONNECTION_CLOSED,
        [CONNECTION_OPENING] = 1 << CONNECTION_RUNNING | 1 << CONNECTION_CLOSING | 1 << CONNECTION_CLOSED,
        [CONNECTION_RUNNING] = 1 << CONNECTION_CLOSING | 1 << CONNECTION_CLOSED,
        [CONNECTION_CLOSING] = 1 << CONNECTION_CLOSED,
        [CONNECTION_CLOSED] = 0,
    };
    ASSERT(legal[c->state] >> to & 1);
    c->state = to;
    c->closing_at = c->broker->now + BROKER_CLOSING_MS;
    if (to == CONNECTION_CLOSED)
        c->close_after_output = true;
    connection_touch(c);
}

void connection_touch(struct connection *c)
{
    if (c->touched)
        return;
    c->touched = true;
    VEC_PUSH(&c->broker->touched, c);
}

struct owner connection_owner(const struct connection *c)
{
    const struct mirror_options *o = &c->broker->options.mirror;
    return (struct owner){.node = o->self, .incarnation = o->incarnation, .connection = c->id};
}

void connection_open(struct broker *b, const struct event *ev)
{
    struct connection *c = xcalloc(1, sizeof(*c));
    c->id = ev->u.client.conn;
    c->broker = b;
    c->frame_max = b->options.frame_max;
    c->loopback = ev->u.client.loopback;
    c->peer_host = xstrdup(ev->u.client.peer_host ? ev->u.client.peer_host : "");
    c->host = xstrdup(ev->u.client.local_host ? ev->u.client.local_host : "");
    c->peer_port = ev->u.client.peer_port;
    c->port = ev->u.client.local_port;
    c->name = format_text("%s:%u -> %s:%u", c->peer_host, c->peer_port, c->host, c->port);
    c->client_properties = xstrdup("{}");
    c->user = xstrdup("");
    c->connected_at = c->last_in = c->last_out = b->now;
    map_set_u64(&b->connections, c->id, c);
    b->totals.connections_created++;
    b->timer_at = u64_min(b->timer_at, b->now + BROKER_HANDSHAKE_MS);
}

/* Ends what a running connection holds; the struct itself stays until its socket is gone. */
static void end_running(struct connection *c)
{
    struct broker *b = c->broker;
    if (c->state != CONNECTION_RUNNING)
        return;
    struct channel *ch;
    for (size_t at = 0; (ch = map_next(&c->channels, &at));) {
        channel_release(ch);
        ch->state = CHANNEL_CLOSED;
        map_remove_u64(&c->channels, ch->number);
        VEC_PUSH(&b->dead_channels, ch);
        b->totals.channels_closed++;
    }
    c->recent = NULL;
    c->busy.len = 0;
    c->creditors.len = 0;
    c->blocked_on.len = 0;
    broker_command(b, &(struct event){.type = EV_OWNER_GONE, .u.queue.owner = connection_owner(c)});
}

/* ---- reading ---- */

static void bad_frame(struct connection *c, const struct wire_frame *f, const char *why)
{
    /* Erlang's way to show bytes, since that is what clients of RabbitMQ read */
    struct text t = {0};
    size_t shown = f->payload.len < 16 ? f->payload.len : 16;
    bool printable = shown > 0;
    for (size_t i = 0; i < shown; i++)
        if (f->payload.data[i] < 32 || f->payload.data[i] > 126)
            printable = false;
    text_add(&t, "<<");
    if (printable)
        text_printf(&t, "\"%.*s\"", (int)shown, (const char *)f->payload.data);
    else
        for (size_t i = 0; i < shown; i++)
            text_printf(&t, "%s%u", i ? "," : "", f->payload.data[i]);
    text_add(&t, ">>");
    const char *all = f->payload.len <= 16 ? "all" : "first 16";
    if (why)
        connection_fail(c, REPLY_FRAME_ERROR, 0, "type %u, %s octets = %s: %s", f->type, all, text_str(&t),
                        why);
    else
        connection_fail(c, REPLY_UNEXPECTED_FRAME, 0, "type %u, %s octets = %s", f->type, all, text_str(&t));
    text_finish(&t);
}

static void connection_method(struct connection *c, const struct wire_frame *f)
{
    uint32_t method = wire_get32(f->payload.data);
    struct bytes arguments = bytes_of(f->payload.data + 4, f->payload.len - 4);
    struct broker *b = c->broker;
    if (method == AMQP_CONNECTION_CLOSE_METHOD) {
        end_running(c);
        wire_put_method(&c->out, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &(amqp_connection_close_ok_t){0});
        connection_set_state(c, CONNECTION_CLOSED);
        return;
    }
    if (c->state == CONNECTION_CLOSING) {
        if (method == AMQP_CONNECTION_CLOSE_OK_METHOD)
            connection_set_state(c, CONNECTION_CLOSED);
        return; /* whatever else was on its way */
    }
    if (c->state == CONNECTION_RUNNING) {
        connection_fail(c, REPLY_CHANNEL_ERROR, method, "unexpected method in connection state running");
        return;
    }
    recycle_amqp_pool(&b->pool);
    void *decoded = NULL;
    if (!wire_method_valid(method, arguments) ||
        amqp_decode_method(method, &b->pool,
                           (amqp_bytes_t){.len = arguments.len, .bytes = (void *)(uintptr_t)arguments.data},
                           &decoded) != AMQP_STATUS_OK) {
        connection_fail(c, REPLY_FRAME_ERROR, method, "cannot decode arguments");
        return;
    }
    handshake_method(c, method, decoded);
}

static void connection_frame(struct connection *c, const struct wire_frame *f)
{
    c->frames_in++;
    if (f->type == WIRE_FRAME_HEARTBEAT) {
        if (f->payload.len)
            bad_frame(c, f, "unknown_frame");
        else if (f->channel)
            bad_frame(c, f, NULL);
        return; /* that bytes came was noted already */
    }
    if (f->type < WIRE_FRAME_METHOD || f->type > WIRE_FRAME_BODY ||
        (f->type == WIRE_FRAME_METHOD && f->payload.len < 4) ||
        (f->type == WIRE_FRAME_HEADER && f->payload.len < 14)) {
        if (c->state == CONNECTION_RUNNING || c->state == CONNECTION_OPENING)
            bad_frame(c, f, "unknown_frame");
        else if (c->state != CONNECTION_CLOSING)
            connection_set_state(c, CONNECTION_CLOSED);
        return;
    }
    if (f->channel == 0) {
        if (f->type == WIRE_FRAME_METHOD)
            connection_method(c, f);
        else if (c->state != CONNECTION_CLOSING)
            bad_frame(c, f, NULL);
    } else if (c->state == CONNECTION_RUNNING) {
        channel_frame(c, f);
    } else if (c->state != CONNECTION_CLOSING) {
        connection_set_state(c, CONNECTION_CLOSED); /* as RabbitMQ: who cannot shake hands is not talked to */
    }
}

/* Takes one protocol header or frame off the front of `in`: how many bytes it was; 0 if more are needed. */
static size_t take_one(struct connection *c, struct bytes in)
{
    if (c->state == CONNECTION_HEADER) {
        size_t n = in.len < 8 ? in.len : 8;
        if (memcmp(in.data, wire_protocol_header, n) != 0) {
            /* AMQP 4.2.2: say what is spoken here, and close */
            memcpy(wire_space(&c->out, 8), wire_protocol_header, 8);
            c->out.len += 8;
            connection_set_state(c, CONNECTION_CLOSED);
            return in.len;
        }
        if (n < 8)
            return 0;
        connection_say_hello(c);
        return 8;
    }
    struct wire_frame f;
    int64_t len = wire_amqp_frame(in, c->frame_max, &f);
    if (len == 0)
        return 0;
    if (len > 0) {
        connection_frame(c, &f);
        return (size_t)len;
    }
    /* the stream cannot be followed any more, not even to a close-ok: what comes is dropped for a moment, so
     * that the client can read why, and then the connection is closed */
    if (c->state == CONNECTION_RUNNING || c->state == CONNECTION_OPENING) {
        struct text why = {0};
        if (len == ERR_TOO_LARGE)
            text_printf(&why, "{frame_too_large,%u,%u}", f.size, c->frame_max - WIRE_FRAME_OVERHEAD);
        else
            text_printf(&why, "{invalid_frame_end_marker,%u}", f.end);
        bad_frame(c, &f, text_str(&why));
        text_finish(&why);
        c->deaf = true;
        c->closing_at = c->broker->now + BROKER_DEAF_MS;
        c->broker->timer_at = u64_min(c->broker->timer_at, c->closing_at);
    } else {
        connection_set_state(c, CONNECTION_CLOSED);
    }
    return in.len;
}

static bool reading(const struct connection *c)
{
    return c->state != CONNECTION_CLOSED && !c->deaf;
}

/* What a large frame needed is not kept for a connection that may be idle from here on. */
static void forget_input(struct connection *c)
{
    c->in.len = 0;
    if (c->in.cap > BROKER_KEPT)
        VEC_FREE(&c->in);
}

/* How many bytes are missing to the end of the unit that begins in c->in. */
static size_t missing(const struct connection *c)
{
    size_t have = c->in.len;
    if (c->state == CONNECTION_HEADER)
        return 8 - have;
    if (have < WIRE_FRAME_HEAD)
        return WIRE_FRAME_HEAD - have;
    size_t whole = (size_t)wire_get32(c->in.items + 3) + WIRE_FRAME_OVERHEAD;
    return whole - have; /* its size was checked as soon as its head was there */
}

void connection_data(struct connection *c, struct bytes data)
{
    struct broker *b = c->broker;
    c->bytes_in += data.len;
    c->last_in = b->now;
    while (data.len && reading(c) && !c->dead) {
        if (c->in.len == 0) {
            size_t used = take_one(c, data);
            if (used == 0) {
                memcpy(wire_space(&c->in, data.len), data.data, data.len);
                c->in.len = data.len;
                break;
            }
            data = bytes_of(data.data + used, data.len - used);
        } else {
            size_t n = missing(c);
            if (n > data.len)
                n = data.len;
            memcpy(wire_space(&c->in, n), data.data, n);
            c->in.len += n;
            data = bytes_of(data.data + n, data.len - n);
            if (take_one(c, bytes_of(c->in.items, c->in.len)))
                forget_input(c);
        }
        if (b->up.len || b->resume.len)
            broker_settle_down(b);
    }
    connection_touch(c);
}

/* ---- not reading ---- */

void connection_pause(struct connection *c, enum pause why)
{
    if (!c->paused)
        effects_add(c->broker->out, FX_PAUSE)->u.client.conn = c->id;
    c->paused |= (unsigned)why;
}

void connection_resume(struct connection *c, enum pause why)
{
    if (!(c->paused & (unsigned)why))
        return;
    c->paused &= ~(unsigned)why;
    if (c->paused)
        return;
    c->last_in = c->broker->now; /* its heartbeats could not be seen meanwhile */
    effects_add(c->broker->out, FX_RESUME)->u.client.conn = c->id;
}

void connection_alarm(struct connection *c)
{
    struct broker *b = c->broker;
    if (c->state != CONNECTION_RUNNING)
        return;
    if (b->alarm && c->published) {
        connection_pause(c, PAUSE_MEMORY);
        if (c->blocked_notify && !c->told_blocked)
            wire_put_method(&c->out, 0, AMQP_CONNECTION_BLOCKED_METHOD,
                            &(amqp_connection_blocked_t){.reason = amqp_text("low on memory")});
        c->told_blocked = true;
        connection_touch(c);
    } else if (!b->alarm) {
        connection_resume(c, PAUSE_MEMORY);
        if (c->blocked_notify && c->told_blocked)
            wire_put_method(&c->out, 0, AMQP_CONNECTION_UNBLOCKED_METHOD, &(amqp_connection_unblocked_t){0});
        c->told_blocked = false;
        connection_touch(c);
    }
}

void connection_block_on(struct connection *c, uint64_t queue_uid)
{
    for (size_t i = 0; i < c->blocked_on.len; i++)
        if (c->blocked_on.items[i] == queue_uid)
            return;
    VEC_PUSH(&c->blocked_on, queue_uid);
    connection_pause(c, PAUSE_QUEUE);
}

void connection_queue_open(struct connection *c, uint64_t queue_uid)
{
    for (size_t i = 0; i < c->blocked_on.len; i++)
        if (c->blocked_on.items[i] == queue_uid)
            VEC_REMOVE(&c->blocked_on, i--);
    if (c->blocked_on.len == 0)
        connection_resume(c, PAUSE_QUEUE);
}

void connection_drained(struct connection *c)
{
    c->unsent = 0;
    if (c->creditors.len)
        connection_touch(c);
}

/* ---- time ---- */

void connection_tick(struct connection *c, ms_time *next)
{
    ms_time now = c->broker->now;
    if (c->dead)
        return;
    if (c->state == CONNECTION_CLOSING) {
        if (now >= c->closing_at)
            connection_set_state(c, CONNECTION_CLOSED);
        else
            *next = u64_min(*next, c->closing_at);
        return;
    }
    if (c->state == CONNECTION_CLOSED)
        return;
    if (c->state != CONNECTION_RUNNING) {
        if (now >= c->connected_at + BROKER_HANDSHAKE_MS)
            connection_set_state(c, CONNECTION_CLOSED);
        else
            *next = u64_min(*next, c->connected_at + BROKER_HANDSHAKE_MS);
        return;
    }
    if (c->heartbeat_s == 0)
        return;
    ms_time beat = (ms_time)c->heartbeat_s * 1000;
    if (!c->paused && now >= c->last_in + 2 * beat) { /* AMQP 4.2.7: two intervals of silence */
        end_running(c);
        connection_set_state(c, CONNECTION_CLOSED);
        return;
    }
    if (now >= c->last_out + beat / 2) {
        wire_put_heartbeat(&c->out);
        c->frames_out++;
        c->last_out = now;
        connection_touch(c);
    }
    *next = u64_min(*next, c->last_out + beat / 2);
    *next = u64_min(*next, (c->paused ? now : c->last_in) + 2 * beat);
}

/* ---- the end ---- */

void connection_closing(struct connection *c, uint16_t code, const char *text, uint32_t method)
{
    if (c->state == CONNECTION_CLOSING || c->state == CONNECTION_CLOSED)
        return;
    end_running(c);
    wire_put_method(&c->out, 0, AMQP_CONNECTION_CLOSE_METHOD,
                    &(amqp_connection_close_t){.reply_code = code,
                                               .reply_text = amqp_text(text),
                                               .class_id = (uint16_t)(method >> 16),
                                               .method_id = (uint16_t)method});
    connection_set_state(c, CONNECTION_CLOSING);
    /* its close-ok must be read, whatever held it back */
    connection_resume(c, (enum pause)c->paused);
    c->broker->timer_at = u64_min(c->broker->timer_at, c->closing_at);
}

void connection_shutdown(struct connection *c, enum reply_code code, const char *text)
{
    if (c->state == CONNECTION_CLOSED)
        return;
    if (c->state == CONNECTION_RUNNING)
        connection_fail(c, code, 0, "%s", text);
    connection_set_state(c, CONNECTION_CLOSED);
    output_flush(c);
}

void connection_gone(struct connection *c)
{
    struct broker *b = c->broker;
    end_running(c);
    map_remove_u64(&b->connections, c->id);
    for (size_t i = 0; i < b->touched.len; i++)
        if (b->touched.items[i] == c)
            VEC_REMOVE(&b->touched, i--);
    c->dead = true;
    VEC_PUSH(&b->dead_connections, c);
    b->totals.connections_closed++;
}

void connection_free(struct connection *c)
{
    map_finish(&c->channels);
    VEC_FREE(&c->in);
    VEC_FREE(&c->out);
    message_unref(c->out_body);
    VEC_FREE(&c->blocked_on);
    VEC_FREE(&c->busy);
    VEC_FREE(&c->creditors);
    free(c->name);
    free(c->user);
    free(c->peer_host);
    free(c->host);
    free(c->client_properties);
    free(c);
}

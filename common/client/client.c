/* client.c: rabbitmq-c with words. One connection, one channel, one error kept for the reader. */
#include "client/client.h"

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/map.h"
#include "base/text.h"

#define CHANNEL           1
#define CONNECT_SECONDS   10
#define HEARTBEAT_SECONDS 20

struct client {
    amqp_connection_state_t connection;
    char *where; /* "127.0.0.1:5672" */
    char *error;
    bool open; /* the channel is */
    bool confirms;
    uint64_t published; /* since confirms were asked for; the last one's number */
    uint64_t confirmed; /* all up to this number are */
    struct map early;   /* numbers beyond it that are confirmed too; the values are only not NULL */
    struct map refused; /* of all these, answered with a nack instead; likewise */
    uint64_t first_refused;
    bool auto_ack;
    amqp_envelope_t envelope; /* the last one received */
    bool has_envelope;
    char *body; /* its body, with a NUL */
};

static __attribute__((format(printf, 3, 4))) int fail(struct client *c, int err, const char *format, ...)
{
    struct text t = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    free(c->error);
    c->error = t.s;
    return err;
}

/* a channel.close or connection.close: what the broker said, letter by letter */
static int refused(struct client *c, const char *what, const amqp_method_t *method)
{
    c->open = false;
    if (method->id == AMQP_CHANNEL_CLOSE_METHOD) {
        const amqp_channel_close_t *m = method->decoded;
        amqp_channel_close_ok_t ok = {0};
        amqp_send_method(c->connection, CHANNEL, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
        return fail(c, m->reply_code == 404 ? ERR_NOT_FOUND : ERR_REFUSED,
                    "%s: the broker refused: %u %.*s, class-id=%u, method-id=%u", what, m->reply_code,
                    (int)m->reply_text.len, (const char *)m->reply_text.bytes, m->class_id, m->method_id);
    }
    if (method->id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *m = method->decoded;
        amqp_connection_close_ok_t ok = {0};
        amqp_send_method(c->connection, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
        return fail(c, ERR_CLOSED, "%s: the broker closed the connection: %u %.*s", what, m->reply_code,
                    (int)m->reply_text.len, (const char *)m->reply_text.bytes);
    }
    return fail(c, ERR_REFUSED, "%s: an answer that was not expected: %s", what,
                amqp_method_name(method->id));
}

static int lost(struct client *c, const char *what, int status)
{
    c->open = false;
    return fail(c, ERR_CLOSED, "%s: the connection to %s is gone (%s)", what, c->where,
                amqp_error_string2(status));
}

static int check(struct client *c, const char *what, amqp_rpc_reply_t reply)
{
    switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL: return 0;
    case AMQP_RESPONSE_LIBRARY_EXCEPTION: return lost(c, what, reply.library_error);
    case AMQP_RESPONSE_SERVER_EXCEPTION: return refused(c, what, &reply.reply);
    case AMQP_RESPONSE_NONE: break;
    }
    return fail(c, ERR_CLOSED, "%s: no answer from %s", what, c->where);
}

/* an earlier error stays the one to read */
static bool usable(const struct client *c)
{
    return c->open && !c->error;
}

struct client *client_connect(const char *host, long port, const char *user, const char *password)
{
    struct client *c = xcalloc(1, sizeof(*c));
    c->where = format_text("%s:%ld", host, port);
    map_init(&c->early);
    map_init(&c->refused);
    c->connection = amqp_new_connection();
    ASSERT(c->connection);
    amqp_socket_t *socket = amqp_tcp_socket_new(c->connection);
    ASSERT(socket);
    struct timeval patience = {.tv_sec = CONNECT_SECONDS};
    int status = amqp_socket_open_noblock(socket, host, (int)port, &patience);
    if (status) {
        fail(c, ERR_CLOSED, "cannot connect to %s: nobody answers there (%s); is that node running?",
             c->where, amqp_error_string2(status));
        return c;
    }
    c->open = true;
    amqp_rpc_reply_t reply =
        amqp_login(c->connection, "/", AMQP_DEFAULT_MAX_CHANNELS, AMQP_DEFAULT_FRAME_SIZE, HEARTBEAT_SECONDS,
                   AMQP_SASL_METHOD_PLAIN, user, password);
    char *what = format_text("logging in at %s as %s", c->where, user);
    if (check(c, what, reply) == 0) {
        amqp_channel_open(c->connection, CHANNEL);
        check(c, "channel.open", amqp_get_rpc_reply(c->connection));
    }
    free(what);
    return c;
}

int client_close(struct client *c)
{
    if (!usable(c))
        return ERR_CLOSED;
    int err = check(c, "channel.close", amqp_channel_close(c->connection, CHANNEL, AMQP_REPLY_SUCCESS));
    if (!err)
        err = check(c, "connection.close", amqp_connection_close(c->connection, AMQP_REPLY_SUCCESS));
    c->open = false;
    return err;
}

void client_destroy(struct client *c)
{
    if (!c)
        return;
    if (c->has_envelope)
        amqp_destroy_envelope(&c->envelope);
    amqp_destroy_connection(c->connection);
    map_finish(&c->early);
    map_finish(&c->refused);
    free(c->body);
    free(c->where);
    free(c->error);
    free(c);
}

const char *client_error(const struct client *c)
{
    return c->error;
}

int client_declare(struct client *c, const char *queue, bool durable)
{
    if (!usable(c))
        return ERR_CLOSED;
    amqp_queue_declare(c->connection, CHANNEL, amqp_cstring_bytes(queue), 0, durable, 0, 0, amqp_empty_table);
    return check(c, "queue.declare", amqp_get_rpc_reply(c->connection));
}

int client_publish(struct client *c, const char *queue, const struct client_message *m)
{
    if (!usable(c))
        return ERR_CLOSED;
    amqp_basic_properties_t properties = {0};
    if (m->persistent) {
        properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
        properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
    }
    amqp_bytes_t body = {.len = m->len, .bytes = (void *)(uintptr_t)m->body};
    int status = amqp_basic_publish(c->connection, CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(queue), 0, 0,
                                    m->persistent ? &properties : NULL, body);
    if (status)
        return lost(c, "basic.publish", status);
    c->published++;
    return 0;
}

int client_confirms(struct client *c)
{
    if (!usable(c))
        return ERR_CLOSED;
    amqp_confirm_select(c->connection, CHANNEL);
    c->published = 0;
    c->confirms = true;
    return check(c, "confirm.select", amqp_get_rpc_reply(c->connection));
}

/* one confirm: of this number alone, or of all up to it; brokers mix both, in any order */
static void count_confirm(struct client *c, uint64_t number, bool multiple)
{
    if (!multiple && number > c->confirmed)
        map_set_u64(&c->early, number, c);
    for (; multiple && c->confirmed < number; c->confirmed++)
        map_remove_u64(&c->early, c->confirmed + 1);
    while (map_remove_u64(&c->early, c->confirmed + 1))
        c->confirmed++;
}

static uint64_t unconfirmed(const struct client *c)
{
    return c->published - c->confirmed - c->early.count;
}

/* As a confirm, it may be of all up to this number that were not answered before. */
static void count_refusal(struct client *c, uint64_t number, bool multiple)
{
    for (uint64_t n = multiple ? c->confirmed + 1 : number; n <= number; n++)
        if (n > c->confirmed && !map_get_u64(&c->early, n))
            map_set_u64(&c->refused, n, c);
    count_confirm(c, number, multiple);
}

/* a method that came by itself: confirms are counted, everything else ends the channel */
static int on_method(struct client *c, const char *what, const amqp_method_t *method)
{
    if (method->id == AMQP_BASIC_ACK_METHOD) {
        const amqp_basic_ack_t *ack = method->decoded;
        /* 0 with multiple: all there are (AMQP 1.8.3.13) */
        count_confirm(c, ack->delivery_tag ? u64_min(ack->delivery_tag, c->published) : c->published,
                      ack->multiple);
        return 0;
    }
    if (method->id == AMQP_BASIC_NACK_METHOD) {
        const amqp_basic_nack_t *nack = method->decoded;
        if (!c->refused.count)
            c->first_refused = nack->delivery_tag;
        count_refusal(c, nack->delivery_tag ? u64_min(nack->delivery_tag, c->published) : c->published,
                      nack->multiple);
        return 0;
    }
    if (method->id == AMQP_BASIC_CANCEL_METHOD)
        return fail(c, ERR_CLOSED, "%s: the broker cancelled this consumer: its queue is gone from here",
                    what);
    return refused(c, what, method);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timeval until(int64_t end)
{
    int64_t left = end - now_ms();
    if (left < 0)
        left = 0;
    return (struct timeval){.tv_sec = left / 1000, .tv_usec = (left % 1000) * 1000};
}

int client_confirmed(struct client *c, uint64_t open, int timeout_ms)
{
    int64_t end = now_ms() + timeout_ms;
    while (usable(c) && c->confirms && unconfirmed(c) > open) {
        amqp_frame_t frame;
        struct timeval left = until(end);
        amqp_maybe_release_buffers(c->connection);
        int status = amqp_simple_wait_frame_noblock(c->connection, &frame, &left);
        if (status == AMQP_STATUS_TIMEOUT)
            return fail(c, ERR_TIMEOUT, "%llu messages were not confirmed within %d ms",
                        (unsigned long long)unconfirmed(c), timeout_ms);
        if (status)
            return lost(c, "waiting for confirms", status);
        if (frame.frame_type == AMQP_FRAME_METHOD && on_method(c, "basic.publish", &frame.payload.method))
            break;
    }
    if (!c->error && c->refused.count)
        return fail(c, ERR_REFUSED, "the broker did not take message %llu (basic.nack)",
                    (unsigned long long)c->first_refused);
    return c->error ? ERR_REFUSED : c->open ? 0 : ERR_CLOSED;
}

bool client_took(const struct client *c, uint64_t number)
{
    bool answered = number <= c->confirmed || map_get_u64(&c->early, number);
    return answered && !map_get_u64(&c->refused, number);
}

int client_prefetch(struct client *c, long count)
{
    if (!usable(c))
        return ERR_CLOSED;
    uint16_t most = count > UINT16_MAX ? UINT16_MAX : (uint16_t)count;
    amqp_basic_qos(c->connection, CHANNEL, 0, most, 0);
    return check(c, "basic.qos", amqp_get_rpc_reply(c->connection));
}

int client_consume(struct client *c, const char *queue, bool auto_ack)
{
    if (!usable(c))
        return ERR_CLOSED;
    c->auto_ack = auto_ack;
    amqp_basic_consume(c->connection, CHANNEL, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, auto_ack, 0,
                       amqp_empty_table);
    return check(c, "basic.consume", amqp_get_rpc_reply(c->connection));
}

int client_receive(struct client *c, int timeout_ms, struct client_message *m)
{
    int64_t end = now_ms() + timeout_ms;
    if (c->has_envelope)
        amqp_destroy_envelope(&c->envelope);
    c->has_envelope = false;
    amqp_maybe_release_buffers(c->connection);
    while (usable(c)) {
        struct timeval left = until(end);
        amqp_rpc_reply_t reply = amqp_consume_message(c->connection, &c->envelope, &left, 0);
        if (reply.reply_type == AMQP_RESPONSE_NORMAL) {
            c->has_envelope = true;
            amqp_bytes_t body = c->envelope.message.body;
            free(c->body);
            c->body = xstrndup(body.bytes ? body.bytes : "", body.len);
            *m = (struct client_message){.body = c->body,
                                         .len = body.len,
                                         .redelivered = c->envelope.redelivered != 0,
                                         .tag = c->envelope.delivery_tag,
                                         .persistent = c->envelope.message.properties._flags &
                                                           AMQP_BASIC_DELIVERY_MODE_FLAG &&
                                                       c->envelope.message.properties.delivery_mode == 2};
            return 0;
        }
        if (reply.reply_type != AMQP_RESPONSE_LIBRARY_EXCEPTION)
            return check(c, "basic.deliver", reply);
        if (reply.library_error == AMQP_STATUS_TIMEOUT)
            return ERR_TIMEOUT;
        if (reply.library_error != AMQP_STATUS_UNEXPECTED_STATE)
            return lost(c, "consuming", reply.library_error);
        /* a frame that is no delivery is next: a confirm, a cancel, a close */
        amqp_frame_t frame;
        int status = amqp_simple_wait_frame(c->connection, &frame);
        if (status)
            return lost(c, "consuming", status);
        if (frame.frame_type == AMQP_FRAME_METHOD)
            on_method(c, "consuming", &frame.payload.method);
    }
    return ERR_CLOSED;
}

int client_ack(struct client *c, const struct client_message *m)
{
    if (!usable(c))
        return ERR_CLOSED;
    int status = c->auto_ack ? 0 : amqp_basic_ack(c->connection, CHANNEL, m->tag, 0);
    return status ? lost(c, "basic.ack", status) : 0;
}

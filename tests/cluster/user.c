/* user.c: rabbitmq-c, its events made one list. */
#include "tests/cluster/user.h"

#include <amqp_tcp_socket.h>
#include <stdio.h>

enum { CHANNEL = 1, CONNECT_MS = 10000, HEARTBEAT_SECONDS = 30, WINDOW_BYTES = 131072 };

static struct timeval as_time(int ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
}

static bool lost(struct user *u, const char *what, int status)
{
    snprintf(u->error, sizeof(u->error), "%s: %s", what, amqp_error_string2(status));
    return false;
}

static bool closed_by_broker(struct user *u, const amqp_method_t *method)
{
    if (method->id == AMQP_CHANNEL_CLOSE_METHOD) {
        const amqp_channel_close_t *m = method->decoded;
        snprintf(u->error, sizeof(u->error), "%u %.*s", m->reply_code, (int)m->reply_text.len,
                 (const char *)m->reply_text.bytes);
        amqp_channel_close_ok_t ok = {0};
        amqp_send_method(u->connection, CHANNEL, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
        return true;
    }
    if (method->id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *m = method->decoded;
        snprintf(u->error, sizeof(u->error), "%u %.*s", m->reply_code, (int)m->reply_text.len,
                 (const char *)m->reply_text.bytes);
        amqp_connection_close_ok_t ok = {0};
        amqp_send_method(u->connection, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
        return true;
    }
    return false;
}

static bool good(struct user *u, const char *what)
{
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(u->connection);
    switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL: return true;
    case AMQP_RESPONSE_LIBRARY_EXCEPTION: return lost(u, what, reply.library_error);
    case AMQP_RESPONSE_SERVER_EXCEPTION:
        if (!closed_by_broker(u, &reply.reply))
            snprintf(u->error, sizeof(u->error), "%s: not expected: %s", what,
                     amqp_method_name(reply.reply.id));
        return false;
    case AMQP_RESPONSE_NONE: break;
    }
    snprintf(u->error, sizeof(u->error), "%s: no answer", what);
    return false;
}

/* ---- connection ---------------------------------------------------------------------------------------- */

static bool log_in(struct user *u)
{
    static const char *const can[] = {"consumer_cancel_notify", "basic.nack", "publisher_confirms",
                                      "authentication_failure_close"};
    amqp_table_entry_t entries[ARRAY_LEN(can)], property;
    for (size_t i = 0; i < ARRAY_LEN(can); i++) {
        entries[i].key = amqp_cstring_bytes(can[i]);
        entries[i].value.kind = AMQP_FIELD_KIND_BOOLEAN;
        entries[i].value.value.boolean = 1;
    }
    property.key = amqp_cstring_bytes("capabilities");
    property.value.kind = AMQP_FIELD_KIND_TABLE;
    property.value.value.table = (amqp_table_t){.num_entries = ARRAY_LEN(can), .entries = entries};
    amqp_table_t properties = {.num_entries = 1, .entries = &property};
    amqp_rpc_reply_t reply =
        amqp_login_with_properties(u->connection, "/", 0, WINDOW_BYTES, HEARTBEAT_SECONDS, &properties,
                                   AMQP_SASL_METHOD_PLAIN, "admin", "123");
    if (reply.reply_type == AMQP_RESPONSE_NORMAL)
        return true;
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
        closed_by_broker(u, &reply.reply);
    else
        lost(u, "login", reply.library_error);
    return false;
}

bool user_open(struct user *u, const struct lab *lab, unsigned node)
{
    user_drop(u);
    u->error[0] = 0;
    u->connection = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(u->connection);
    struct timeval patience = as_time(CONNECT_MS), answer = as_time(USER_WAIT_MS);
    amqp_set_handshake_timeout(u->connection, &patience);
    amqp_set_rpc_timeout(u->connection, &answer);
    int status = amqp_socket_open_noblock(socket, "127.0.0.1", lab_amqp(lab, node), &patience);
    bool open = status ? lost(u, "connect", status) : log_in(u) && user_open_channel(u);
    if (!open)
        user_drop(u);
    return open;
}

bool user_open_channel(struct user *u)
{
    amqp_channel_open(u->connection, CHANNEL);
    return good(u, "channel.open");
}

void user_drop(struct user *u)
{
    if (u->connection)
        amqp_destroy_connection(u->connection);
    u->connection = NULL;
    text_finish(&u->body);
}

/* ---- queues -------------------------------------------------------------------------------------------- */

bool user_declare(struct user *u, const char *queue, unsigned flags, uint32_t *messages)
{
    return user_declare_with(u, queue, flags, NULL, NULL, messages);
}

bool user_declare_with(struct user *u, const char *queue, unsigned flags, const char *key, const char *value,
                       uint32_t *messages)
{
    amqp_table_entry_t entry = {.value.kind = AMQP_FIELD_KIND_UTF8};
    entry.key = amqp_cstring_bytes(key ? key : "");
    entry.value.value.bytes = amqp_cstring_bytes(value ? value : "");
    amqp_queue_declare_t m = {
        .queue = amqp_cstring_bytes(queue),
        .passive = flags & USER_PASSIVE ? 1 : 0,
        .durable = flags & USER_DURABLE ? 1 : 0,
        .exclusive = flags & USER_EXCLUSIVE ? 1 : 0,
        .auto_delete = flags & USER_AUTO_DELETE ? 1 : 0,
        .nowait = flags & USER_NOWAIT ? 1 : 0,
        .arguments = key ? (amqp_table_t){.num_entries = 1, .entries = &entry} : amqp_empty_table,
    };
    if (flags & USER_NOWAIT) {
        int status = amqp_send_method(u->connection, CHANNEL, AMQP_QUEUE_DECLARE_METHOD, &m);
        return status ? lost(u, "queue.declare", status) : true;
    }
    amqp_queue_declare_ok_t *ok = amqp_queue_declare(u->connection, CHANNEL, m.queue, m.passive, m.durable,
                                                     m.exclusive, m.auto_delete, m.arguments);
    if (!good(u, "queue.declare"))
        return false;
    if (messages)
        *messages = ok->message_count;
    return true;
}

bool user_delete(struct user *u, const char *queue, bool if_empty, uint32_t *messages)
{
    amqp_queue_delete_ok_t *ok =
        amqp_queue_delete(u->connection, CHANNEL, amqp_cstring_bytes(queue), 0, if_empty);
    if (!good(u, "queue.delete"))
        return false;
    if (messages)
        *messages = ok->message_count;
    return true;
}

/* ---- messages ------------------------------------------------------------------------------------------ */

bool user_confirms(struct user *u)
{
    amqp_confirm_select(u->connection, CHANNEL);
    return good(u, "confirm.select");
}

bool user_confirms_nowait(struct user *u)
{
    amqp_confirm_select_t m = {.nowait = 1};
    int status = amqp_send_method(u->connection, CHANNEL, AMQP_CONFIRM_SELECT_METHOD, &m);
    return status ? lost(u, "confirm.select", status) : true;
}

bool user_publish(struct user *u, const char *queue, const char *body, bool persistent, bool mandatory)
{
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
                                          .delivery_mode = persistent ? 2 : 1};
    int status = amqp_basic_publish(u->connection, CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(queue),
                                    mandatory, 0, &properties, amqp_cstring_bytes(body));
    return status ? lost(u, "basic.publish", status) : true;
}

bool user_consume(struct user *u, struct user_consumer how)
{
    amqp_table_entry_t entry = {.value.kind = AMQP_FIELD_KIND_BOOLEAN, .value.value.boolean = 1};
    entry.key = amqp_cstring_bytes("x-cancel-on-ha-failover");
    amqp_table_t arguments =
        how.cancel_on_failover ? (amqp_table_t){.num_entries = 1, .entries = &entry} : amqp_empty_table;
    if (how.prefetch) {
        amqp_basic_qos(u->connection, CHANNEL, 0, how.prefetch, 0);
        if (!good(u, "basic.qos"))
            return false;
    }
    amqp_basic_consume(u->connection, CHANNEL, amqp_cstring_bytes(how.queue),
                       how.tag ? amqp_cstring_bytes(how.tag) : amqp_empty_bytes, 0, how.no_ack, how.exclusive,
                       arguments);
    return good(u, "basic.consume");
}

bool user_ack(struct user *u, uint64_t tag, bool multiple)
{
    int status = amqp_basic_ack(u->connection, CHANNEL, tag, multiple);
    return status ? lost(u, "basic.ack", status) : true;
}

bool user_requeue(struct user *u, uint64_t tag)
{
    int status = amqp_basic_nack(u->connection, CHANNEL, tag, 0, 1);
    return status ? lost(u, "basic.nack", status) : true;
}

/* the header and body frames after a delivery, a return or a get-ok */
static bool read_body(struct user *u, struct user_news *news)
{
    amqp_message_t message;
    amqp_rpc_reply_t reply = amqp_read_message(u->connection, CHANNEL, &message, 0);
    if (reply.reply_type != AMQP_RESPONSE_NORMAL)
        return lost(u, "reading a message", reply.library_error);
    text_clear(&u->body);
    text_add_bytes(&u->body, message.body.bytes, message.body.len);
    amqp_destroy_message(&message);
    news->body = text_str(&u->body);
    news->len = u->body.len;
    return true;
}

bool user_get(struct user *u, const char *queue, bool no_ack, struct user_news *news, bool *empty)
{
    *news = (struct user_news){0};
    amqp_rpc_reply_t reply = amqp_basic_get(u->connection, CHANNEL, amqp_cstring_bytes(queue), no_ack);
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
        return lost(u, "basic.get", reply.library_error);
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
        closed_by_broker(u, &reply.reply);
        return false;
    }
    *empty = reply.reply.id == AMQP_BASIC_GET_EMPTY_METHOD;
    if (*empty)
        return true;
    const amqp_basic_get_ok_t *ok = reply.reply.decoded;
    news->event = USER_DELIVERY;
    news->tag = ok->delivery_tag;
    news->redelivered = ok->redelivered;
    return read_body(u, news);
}

/* ---- events -------------------------------------------------------------------------------------------- */

static bool read_event(struct user *u, const amqp_method_t *method, struct user_news *news)
{
    if (method->id == AMQP_BASIC_DELIVER_METHOD) {
        const amqp_basic_deliver_t *m = method->decoded;
        news->event = USER_DELIVERY;
        news->tag = m->delivery_tag;
        news->redelivered = m->redelivered;
        return read_body(u, news);
    }
    if (method->id == AMQP_BASIC_RETURN_METHOD) {
        news->event = USER_RETURN;
        return read_body(u, news);
    }
    if (method->id == AMQP_BASIC_ACK_METHOD) {
        const amqp_basic_ack_t *m = method->decoded;
        *news = (struct user_news){.event = USER_ACK, .tag = m->delivery_tag, .multiple = m->multiple};
        return true;
    }
    if (method->id == AMQP_BASIC_NACK_METHOD) {
        const amqp_basic_nack_t *m = method->decoded;
        *news = (struct user_news){.event = USER_NACK, .tag = m->delivery_tag, .multiple = m->multiple};
        return true;
    }
    if (method->id == AMQP_BASIC_CANCEL_METHOD) {
        news->event = USER_CANCEL;
        return true;
    }
    if (!closed_by_broker(u, method))
        snprintf(u->error, sizeof(u->error), "not expected: %s", amqp_method_name(method->id));
    return false;
}

struct user_news user_next(struct user *u, int timeout_ms)
{
    struct user_news news = {.event = USER_NOTHING};
    if (!u->connection)
        return (struct user_news){.event = USER_GONE};
    amqp_frame_t frame;
    struct timeval patience = as_time(timeout_ms);
    amqp_maybe_release_buffers(u->connection);
    int status = amqp_simple_wait_frame_noblock(u->connection, &frame, &patience);
    if (status == AMQP_STATUS_TIMEOUT)
        return news;
    bool there = status == AMQP_STATUS_OK;
    if (!there)
        lost(u, "reading", status);
    else if (frame.frame_type == AMQP_FRAME_METHOD)
        there = read_event(u, &frame.payload.method, &news);
    if (!there)
        news = (struct user_news){.event = USER_GONE};
    return news;
}

bool user_await(struct user *u, enum user_event wanted, int timeout_ms, struct user_news *news)
{
    int64_t end = support_now_ms() + timeout_ms, left;
    while ((left = end - support_now_ms()) > 0) {
        *news = user_next(u, (int)left);
        if (news->event == wanted)
            return true;
        if (news->event == USER_GONE)
            return false;
    }
    snprintf(u->error, sizeof(u->error), "nothing came within %d ms", timeout_ms);
    return false;
}

/* handshake.c: from the protocol header to open-ok: who is there, who may come in, which limits hold.
 * AMQP 2.2.4 and 4.2.2; texts as RabbitMQ's. */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

static amqp_table_entry_t entry_bool(const char *key, bool v)
{
    amqp_table_entry_t e = {.key = amqp_text(key), .value = {.kind = AMQP_FIELD_KIND_BOOLEAN}};
    e.value.value.boolean = v;
    return e;
}

static amqp_table_entry_t entry_text(const char *key, const char *v)
{
    amqp_table_entry_t e = {.key = amqp_text(key), .value = {.kind = AMQP_FIELD_KIND_UTF8}};
    e.value.value.bytes = amqp_text(v);
    return e;
}

void connection_say_hello(struct connection *c)
{
    const struct broker_options *o = &c->broker->options;
    amqp_table_entry_t can[] = {
        entry_bool("publisher_confirms", true),
        entry_bool("exchange_exchange_bindings", true),
        entry_bool("basic.nack", true),
        entry_bool("consumer_cancel_notify", true),
        entry_bool("connection.blocked", true),
        entry_bool("consumer_priorities", true),
        entry_bool("authentication_failure_close", true),
        entry_bool("per_consumer_qos", true),
        entry_bool("direct_reply_to", false),
    };
    amqp_table_entry_t properties[] = {
        {.key = amqp_text("capabilities"), .value = {.kind = AMQP_FIELD_KIND_TABLE}},
        entry_text("cluster_name", mirror_node_name(c->broker->mirror, o->mirror.self)),
        entry_text("information", "a teaching kit about mirrored queues"),
        entry_text("platform", "C11"),
        entry_text("product", o->product),
        entry_text("version", o->version),
    };
    properties[0].value.value.table = (amqp_table_t){.num_entries = ARRAY_LEN(can), .entries = can};
    amqp_connection_start_t start = {
        .version_major = 0,
        .version_minor = 9,
        .server_properties = {.num_entries = ARRAY_LEN(properties), .entries = properties},
        .mechanisms = amqp_text("AMQPLAIN PLAIN"),
        .locales = amqp_text("en_US"),
    };
    wire_put_method(&c->out, 0, AMQP_CONNECTION_START_METHOD, &start);
    connection_set_state(c, CONNECTION_START);
}

const struct broker_user *broker_login(const struct broker *b, struct bytes name, struct bytes password,
                                       bool loopback)
{
    for (size_t i = 0; i < b->options.users_len; i++) {
        const struct broker_user *u = &b->options.users[i];
        if (bytes_is(name, u->name) && bytes_is(password, u->password) && (loopback || !u->loopback_only))
            return u;
    }
    return NULL;
}

/* PLAIN (RFC 4616): authorization identity, NUL, name, NUL, password */
static bool plain(struct bytes response, struct bytes *name, struct bytes *password)
{
    const uint8_t *end = response.data + response.len;
    const uint8_t *first = response.len ? memchr(response.data, 0, response.len) : NULL;
    if (!first)
        return false;
    const uint8_t *second = memchr(first + 1, 0, (size_t)(end - first - 1));
    if (!second)
        return false;
    *name = bytes_of(first + 1, (size_t)(second - first - 1));
    *password = bytes_of(second + 1, (size_t)(end - second - 1));
    return true;
}

/* AMQPLAIN: a field table without its length, with LOGIN and PASSWORD as long strings */
static bool amqplain(struct bytes response, struct bytes *name, struct bytes *password)
{
    struct bytes *want[2] = {name, password};
    static const char *const keys[2] = {"\5LOGINS", "\10PASSWORDS"};
    unsigned found = 0;
    const uint8_t *at = response.data, *end = at + response.len;
    while (end - at >= 6) {
        size_t head = (size_t)at[0] + 2;
        if ((size_t)(end - at) < head + 4 || at[head - 1] != 'S')
            return false;
        size_t len = wire_get32(at + head);
        if ((size_t)(end - at) - head - 4 < len)
            return false;
        for (unsigned i = 0; i < 2; i++) {
            if (bytes_is(bytes_of(at, head), keys[i])) {
                *want[i] = bytes_of(at + head + 4, len);
                found |= 1u << i;
            }
        }
        at += head + 4 + len;
    }
    return found == 3;
}

static bool capability(const amqp_table_t *properties, const char *name)
{
    const amqp_field_value_t *can = wire_table_find(properties, "capabilities");
    if (!can || can->kind != AMQP_FIELD_KIND_TABLE)
        return false;
    const amqp_field_value_t *v = wire_table_find(&can->value.table, name);
    return v && v->kind == AMQP_FIELD_KIND_BOOLEAN && v->value.boolean;
}

static void refuse_login(struct connection *c, struct bytes mechanism)
{
    if (c->failure_close) {
        connection_fail(
            c, REPLY_ACCESS_REFUSED, 0,
            "Login was refused using authentication mechanism %.*s. For details see the broker logfile.",
            (int)mechanism.len, (const char *)mechanism.data);
        c->closing_at = c->broker->now + BROKER_DEAF_MS; /* many clients just close after reading this */
        c->broker->timer_at = u64_min(c->broker->timer_at, c->closing_at);
    } else {
        connection_set_state(c, CONNECTION_CLOSED);
    }
}

static void start_ok(struct connection *c, const amqp_connection_start_ok_t *ok)
{
    free(c->client_properties);
    c->client_properties = wire_table_text(&ok->client_properties);
    c->cancel_notify = capability(&ok->client_properties, "consumer_cancel_notify");
    c->blocked_notify = capability(&ok->client_properties, "connection.blocked");
    c->failure_close = capability(&ok->client_properties, "authentication_failure_close");
    struct bytes mechanism = bytes_amqp(ok->mechanism), name = {0}, password = {0};
    bool readable;
    if (bytes_is(mechanism, "PLAIN")) {
        readable = plain(bytes_amqp(ok->response), &name, &password);
    } else if (bytes_is(mechanism, "AMQPLAIN")) {
        readable = amqplain(bytes_amqp(ok->response), &name, &password);
    } else { /* not offered */
        connection_set_state(c, CONNECTION_CLOSED);
        return;
    }
    const struct broker_user *user = readable ? broker_login(c->broker, name, password, c->loopback) : NULL;
    if (!user) {
        refuse_login(c, mechanism);
        return;
    }
    free(c->user);
    c->user = xstrdup(user->name);
    const struct broker_options *o = &c->broker->options;
    amqp_connection_tune_t tune = {
        .channel_max = o->channel_max, .frame_max = o->frame_max, .heartbeat = o->heartbeat_s};
    wire_put_method(&c->out, 0, AMQP_CONNECTION_TUNE_METHOD, &tune);
    connection_set_state(c, CONNECTION_TUNE);
}

static void tune_ok(struct connection *c, const amqp_connection_tune_ok_t *ok)
{
    const struct broker_options *o = &c->broker->options;
    if (ok->frame_max == 0 || ok->frame_max > o->frame_max || ok->frame_max < AMQP_FRAME_MIN_SIZE) {
        connection_fail(c, REPLY_NOT_ALLOWED, AMQP_CONNECTION_TUNE_OK_METHOD,
                        "negotiated frame_max = %u is not between %u and %u", ok->frame_max,
                        AMQP_FRAME_MIN_SIZE, o->frame_max);
        return;
    }
    if (ok->channel_max == 0 || ok->channel_max > o->channel_max) {
        connection_fail(c, REPLY_NOT_ALLOWED, AMQP_CONNECTION_TUNE_OK_METHOD,
                        "negotiated channel_max = %u is not between 1 and %u", ok->channel_max,
                        o->channel_max);
        return;
    }
    c->frame_max = ok->frame_max;
    c->channel_max = ok->channel_max;
    c->heartbeat_s = ok->heartbeat;
    connection_set_state(c, CONNECTION_OPENING);
}

static void open_vhost(struct connection *c, const amqp_connection_open_t *open)
{
    struct bytes vhost = bytes_amqp(open->virtual_host);
    if (!bytes_is(vhost, "/")) {
        connection_fail(c, REPLY_NOT_ALLOWED, AMQP_CONNECTION_OPEN_METHOD, "vhost %.*s not found",
                        (int)vhost.len, (const char *)vhost.data);
        return;
    }
    wire_put_method(&c->out, 0, AMQP_CONNECTION_OPEN_OK_METHOD, &(amqp_connection_open_ok_t){0});
    connection_set_state(c, CONNECTION_RUNNING);
    if (c->heartbeat_s)
        c->broker->timer_at = u64_min(c->broker->timer_at, c->broker->now + (ms_time)c->heartbeat_s * 500);
}

void handshake_method(struct connection *c, uint32_t method, void *decoded)
{
    if (c->state == CONNECTION_START && method == AMQP_CONNECTION_START_OK_METHOD)
        start_ok(c, decoded);
    else if (c->state == CONNECTION_TUNE && method == AMQP_CONNECTION_TUNE_OK_METHOD)
        tune_ok(c, decoded);
    else if (c->state == CONNECTION_OPENING && method == AMQP_CONNECTION_OPEN_METHOD)
        open_vhost(c, decoded);
    else /* as RabbitMQ: who cannot shake hands is not talked to */
        connection_set_state(c, CONNECTION_CLOSED);
}

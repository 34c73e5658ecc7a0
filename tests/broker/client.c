/* client.c: see rig.h: what a client sends. */
#include "tests/broker/rig.h"

#include <stdlib.h>

amqp_bytes_t words(const char *s)
{
    return (amqp_bytes_t){.len = strlen(s), .bytes = (void *)(uintptr_t)s};
}

struct client *client_connect(struct rig *r, size_t node)
{
    struct client *c = xcalloc(1, sizeof(*c));
    c->rig = r;
    c->node = node;
    c->id = ++r->next_conn;
    VEC_PUSH(&r->clients, c);
    struct event ev = {.type = EV_CLIENT_OPEN};
    ev.u.client.conn = c->id;
    ev.u.client.peer_host = ev.u.client.local_host = "127.0.0.1";
    ev.u.client.peer_port = (uint16_t)(40000 + c->id);
    ev.u.client.local_port = 5672;
    ev.u.client.loopback = true;
    rig_step(r, node, &ev);
    return c;
}

static void hand_over(struct client *c, const uint8_t *data, size_t len)
{
    struct event ev = {.type = EV_CLIENT_DATA};
    ev.u.client.conn = c->id;
    /* a copy of exactly this size, so that the sanitizers see a byte read too far */
    uint8_t *copy = xmalloc(len);
    memcpy(copy, data, len);
    ev.u.client.data = bytes_of(copy, len);
    rig_step(c->rig, c->node, &ev);
    free(copy);
    rig_step(c->rig, c->node, &(struct event){.type = EV_CLIENT_DRAINED, .u.client.conn = c->id});
}

void client_send(struct client *c, const void *data, size_t len)
{
    size_t piece = c->rig->bytes_cut ? c->rig->bytes_cut : len;
    for (size_t at = 0; at < len; at += piece)
        hand_over(c, (const uint8_t *)data + at, len - at < piece ? len - at : piece);
    rig_run(c->rig);
}

void client_buffer(struct client *c, struct wire_buffer *b)
{
    client_send(c, b->items, b->len);
    b->len = 0;
}

void client_method(struct client *c, uint16_t channel, uint32_t method, void *decoded)
{
    struct wire_buffer b = {0};
    wire_put_method(&b, channel, method, decoded);
    client_buffer(c, &b);
    VEC_FREE(&b);
}

struct client *client_login(struct rig *r, size_t node, const char *user, const char *password,
                            const char *vhost, bool capabilities, uint16_t heartbeat_s, uint32_t frame_max,
                            uint16_t channel_max)
{
    struct client *c = client_connect(r, node);
    client_send(c, wire_protocol_header, 8);
    expect(c, "0: connection.start");
    amqp_table_entry_t can[] = {
        {.key = words("consumer_cancel_notify"),
         .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}},
        {.key = words("connection.blocked"), .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}},
        {.key = words("authentication_failure_close"),
         .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}},
    };
    amqp_table_entry_t property = {.key = words("capabilities"), .value = {.kind = AMQP_FIELD_KIND_TABLE}};
    property.value.value.table = (amqp_table_t){.num_entries = 3, .entries = can};
    struct text response = {0};
    text_add_bytes(&response, "", 1);
    text_add(&response, user);
    text_add_bytes(&response, "", 1);
    text_add(&response, password);
    client_method(c, 0, AMQP_CONNECTION_START_OK_METHOD,
                  &(amqp_connection_start_ok_t){
                      .client_properties = {.num_entries = capabilities, .entries = &property},
                      .mechanism = words("PLAIN"),
                      .response = {.len = response.len, .bytes = response.s},
                      .locale = words("en_US"),
                  });
    text_finish(&response);
    const char *line = client_read(c);
    if (!line || strcmp(line, "0: connection.tune 2047 131072 60") != 0) {
        if (line)
            c->in_at = 0; /* the caller wants to see it; start is before it */
        return c;
    }
    client_method(c, 0, AMQP_CONNECTION_TUNE_OK_METHOD,
                  &(amqp_connection_tune_ok_t){
                      .channel_max = channel_max, .frame_max = frame_max, .heartbeat = heartbeat_s});
    if (!c->closed && c->in_at == c->in.len)
        client_method(c, 0, AMQP_CONNECTION_OPEN_METHOD,
                      &(amqp_connection_open_t){.virtual_host = words(vhost)});
    return c;
}

struct client *client_open(struct rig *r, size_t node)
{
    struct client *c = client_login(r, node, "admin", "123", "/", true, 0, 131072, 2047);
    expect(c, "0: connection.open-ok");
    client_method(c, 1, AMQP_CHANNEL_OPEN_METHOD, &(amqp_channel_open_t){0});
    expect(c, "1: channel.open-ok");
    return c;
}

void client_hang_up(struct client *c)
{
    rig_step(c->rig, c->node, &(struct event){.type = EV_CLIENT_CLOSED, .u.client.conn = c->id});
    c->closed = true;
    rig_run(c->rig);
}

void client_declare(struct client *c, uint16_t channel, const char *queue, bool durable)
{
    client_method(c, channel, AMQP_QUEUE_DECLARE_METHOD,
                  &(amqp_queue_declare_t){.queue = words(queue), .durable = durable});
}

#define ARGUMENTS_MAX 8

void client_declare_with(struct client *c, uint16_t channel, const char *queue, bool durable,
                         const char *arguments)
{
    amqp_table_entry_t entries[ARGUMENTS_MAX];
    amqp_table_t table = {.entries = entries};
    char *copy = xstrdup(arguments), *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(word, '='), *end;
        assert_non_null(value);
        *value++ = '\0';
        long long number = strtoll(value, &end, 10);
        amqp_field_value_t v = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = words(value)};
        if (*value && !*end)
            v = (amqp_field_value_t){.kind = AMQP_FIELD_KIND_I64, .value.i64 = number};
        else if (strcmp(value, "true") == 0)
            v = (amqp_field_value_t){.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1};
        assert_true(table.num_entries < ARGUMENTS_MAX);
        entries[table.num_entries++] = (amqp_table_entry_t){.key = words(word), .value = v};
    }
    client_method(c, channel, AMQP_QUEUE_DECLARE_METHOD,
                  &(amqp_queue_declare_t){.queue = words(queue), .durable = durable, .arguments = table});
    free(copy);
}

void client_declare_exchange(struct client *c, uint16_t channel, const char *name, const char *type)
{
    client_method(c, channel, AMQP_EXCHANGE_DECLARE_METHOD,
                  &(amqp_exchange_declare_t){.exchange = words(name), .type = words(type)});
}

void client_bind(struct client *c, uint16_t channel, const char *queue, const char *exchange, const char *key)
{
    client_method(
        c, channel, AMQP_QUEUE_BIND_METHOD,
        &(amqp_queue_bind_t){.queue = words(queue), .exchange = words(exchange), .routing_key = words(key)});
}

void client_get(struct client *c, uint16_t channel, const char *queue)
{
    client_method(c, channel, AMQP_BASIC_GET_METHOD, &(amqp_basic_get_t){.queue = words(queue)});
}

void client_consume(struct client *c, uint16_t channel, const char *queue, const char *tag, bool no_ack)
{
    client_method(
        c, channel, AMQP_BASIC_CONSUME_METHOD,
        &(amqp_basic_consume_t){.queue = words(queue), .consumer_tag = words(tag), .no_ack = no_ack});
}

void client_qos(struct client *c, uint16_t channel, uint16_t count, bool global)
{
    client_method(c, channel, AMQP_BASIC_QOS_METHOD,
                  &(amqp_basic_qos_t){.prefetch_count = count, .global = global});
}

void client_ack(struct client *c, uint16_t channel, uint64_t tag, bool multiple)
{
    client_method(c, channel, AMQP_BASIC_ACK_METHOD,
                  &(amqp_basic_ack_t){.delivery_tag = tag, .multiple = multiple});
}

void client_nack(struct client *c, uint16_t channel, uint64_t tag, bool multiple, bool requeue)
{
    client_method(c, channel, AMQP_BASIC_NACK_METHOD,
                  &(amqp_basic_nack_t){.delivery_tag = tag, .multiple = multiple, .requeue = requeue});
}

void client_confirm(struct client *c, uint16_t channel)
{
    client_method(c, channel, AMQP_CONFIRM_SELECT_METHOD, &(amqp_confirm_select_t){0});
    client_drain(c);
}

void put_publish(struct wire_buffer *b, uint16_t channel, const char *exchange, const char *key,
                 const void *body, size_t len, bool mandatory, const amqp_basic_properties_t *properties)
{
    wire_put_method(b, channel, AMQP_BASIC_PUBLISH_METHOD,
                    &(amqp_basic_publish_t){
                        .exchange = words(exchange), .routing_key = words(key), .mandatory = mandatory});
    uint8_t props[4096] = {0, 0};
    size_t props_len = 2;
    if (properties) {
        int n = amqp_encode_properties(AMQP_BASIC_CLASS, (void *)(uintptr_t)properties,
                                       (amqp_bytes_t){.len = sizeof(props), .bytes = props});
        assert_true(n > 0);
        props_len = (size_t)n;
    }
    wire_put_header(b, channel, len, bytes_of(props, props_len));
    wire_put_body(b, channel, bytes_of(body, len), LIMIT_FRAME_MAX);
}

void client_publish_as(struct client *c, uint16_t channel, const char *exchange, const char *key,
                       const void *body, size_t len, bool mandatory,
                       const amqp_basic_properties_t *properties)
{
    struct wire_buffer b = {0};
    put_publish(&b, channel, exchange, key, body, len, mandatory, properties);
    client_buffer(c, &b);
    VEC_FREE(&b);
}

void client_publish(struct client *c, uint16_t channel, const char *exchange, const char *key,
                    const char *body)
{
    client_publish_as(c, channel, exchange, key, body, strlen(body), false, NULL);
}

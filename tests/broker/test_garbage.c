/* test_garbage.c: bytes that make no sense, from seeds: no crash (the sanitizers watch), and other clients go
 * on. */
#include "tests/broker/rig.h"

#include <stdlib.h>

#include "base/rng.h"

static int setup(void **state)
{
    *state = rig_create(1);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

static void still_works(struct client *c, unsigned round)
{
    char line[64], body[16];
    snprintf(body, sizeof(body), "%u", round);
    client_publish(c, 1, "", "steady", body);
    client_get(c, 1, "steady");
    snprintf(line, sizeof(line), "1: basic.get-ok %u left 0 %u", round + 1, round);
    expect(c, line);
    client_ack(c, 1, round + 1, false);
}

static struct client *steady(struct rig *r)
{
    struct client *c = client_open(r, 0);
    client_declare(c, 1, "steady", false);
    client_drain(c);
    return c;
}

static void nonsense_from_the_start(void **state)
{
    struct rig *r = *state;
    struct client *bystander = steady(r);
    struct rng rng;
    rng_init(&rng, 1);
    for (unsigned round = 0; round < 300; round++) {
        struct client *c = client_connect(r, 0);
        uint8_t bytes[400];
        size_t len = 1 + rng_below(&rng, sizeof(bytes) - 1);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)rng_next(&rng);
        if (rng_chance(&rng, 70))
            memcpy(bytes, wire_protocol_header, len < 8 ? len : 8);
        client_send(c, bytes, len);
        client_hang_up(c);
        still_works(bystander, round);
    }
}

static uint8_t *random_method(struct rng *rng, struct wire_buffer *b)
{
    static const uint32_t methods[] = {
        AMQP_CHANNEL_OPEN_METHOD,     AMQP_CHANNEL_CLOSE_METHOD,    AMQP_CHANNEL_CLOSE_OK_METHOD,
        AMQP_EXCHANGE_DECLARE_METHOD, AMQP_EXCHANGE_DELETE_METHOD,  AMQP_EXCHANGE_BIND_METHOD,
        AMQP_QUEUE_DECLARE_METHOD,    AMQP_QUEUE_BIND_METHOD,       AMQP_QUEUE_UNBIND_METHOD,
        AMQP_QUEUE_DELETE_METHOD,     AMQP_QUEUE_PURGE_METHOD,      AMQP_BASIC_QOS_METHOD,
        AMQP_BASIC_CONSUME_METHOD,    AMQP_BASIC_CANCEL_METHOD,     AMQP_BASIC_PUBLISH_METHOD,
        AMQP_BASIC_GET_METHOD,        AMQP_BASIC_ACK_METHOD,        AMQP_BASIC_REJECT_METHOD,
        AMQP_BASIC_NACK_METHOD,       AMQP_BASIC_RECOVER_METHOD,    AMQP_CONFIRM_SELECT_METHOD,
        AMQP_TX_SELECT_METHOD,        AMQP_CONNECTION_CLOSE_METHOD, AMQP_CONNECTION_OPEN_METHOD,
    };
    size_t at = b->len;
    uint32_t method = methods[rng_below(rng, ARRAY_LEN(methods))];
    uint16_t channel = (uint16_t)rng_below(rng, 3);
    uint8_t *p = wire_space(b, 600);
    size_t len = 0;
    p[0] = 1;
    p[1] = 0;
    p[2] = (uint8_t)channel;
    p[7] = (uint8_t)(method >> 24);
    p[8] = (uint8_t)(method >> 16);
    p[9] = (uint8_t)(method >> 8);
    p[10] = (uint8_t)method;
    for (uint64_t n = rng_below(rng, 12); n--;) { /* likely pieces: short strings, small numbers, tables */
        static const char *const pieces[] = {"\1q",     "\1x",           "\0",    "\6direct",
                                             "\5topic", "\12amq.direct", "\3#.*", "\1t"};
        uint64_t kind = rng_below(rng, 3);
        const char *piece = pieces[rng_below(rng, ARRAY_LEN(pieces))];
        size_t size = kind == 0 ? 1 + (size_t)(uint8_t)piece[0] : kind == 1 ? 2 : 4;
        if (kind == 0)
            memcpy(p + 11 + len, piece, size);
        else
            for (size_t i = 0; i < size; i++)
                p[11 + len + i] = rng_chance(rng, 80) ? 0 : (uint8_t)rng_below(rng, 4);
        len += size;
    }
    size_t payload = len + 4;
    p[3] = p[4] = 0;
    p[5] = (uint8_t)(payload >> 8);
    p[6] = (uint8_t)payload;
    p[7 + payload] = WIRE_FRAME_END;
    b->len += payload + 8;
    return b->items + at;
}

static void whole_methods_with_random_arguments(void **state)
{
    struct rig *r = *state;
    struct client *bystander = steady(r);
    struct rng rng;
    rng_init(&rng, 2);
    struct wire_buffer b = {0};
    for (unsigned round = 0; round < 600; round++) {
        struct client *c = client_open(r, 0);
        for (uint64_t n = 1 + rng_below(&rng, 20); n--;)
            random_method(&rng, &b);
        r->bytes_cut = rng_chance(&rng, 30) ? 1 + rng_below(&rng, 30) : 0;
        client_buffer(c, &b);
        r->bytes_cut = 0;
        client_drain(c); /* whatever it was told is whole frames */
        client_hang_up(c);
        still_works(bystander, round);
    }
    VEC_FREE(&b);
}

/* An honest conversation with some octets changed. */
static void damaged_conversations(void **state)
{
    struct rig *r = *state;
    struct client *bystander = steady(r);
    struct rng rng;
    rng_init(&rng, 3);
    struct wire_buffer honest = {0}, b = {0};
    amqp_table_entry_t e = {words("x-message-ttl"), {.kind = AMQP_FIELD_KIND_I32, .value.i32 = 60000}};
    amqp_basic_properties_t p = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_HEADERS_FLAG,
                                 .delivery_mode = 2,
                                 .headers = {.num_entries = 1, .entries = &e}};
    wire_put_method(&honest, 1, AMQP_CONFIRM_SELECT_METHOD, &(amqp_confirm_select_t){0});
    wire_put_method(
        &honest, 1, AMQP_QUEUE_DECLARE_METHOD,
        &(amqp_queue_declare_t){.queue = words("d"), .arguments = {.num_entries = 1, .entries = &e}});
    wire_put_method(
        &honest, 1, AMQP_EXCHANGE_DECLARE_METHOD,
        &(amqp_exchange_declare_t){.exchange = words("dx"), .type = words("headers"), .auto_delete = 1});
    wire_put_method(&honest, 1, AMQP_QUEUE_BIND_METHOD,
                    &(amqp_queue_bind_t){.queue = words("d"),
                                         .exchange = words("dx"),
                                         .arguments = {.num_entries = 1, .entries = &e}});
    put_publish(&honest, 1, "dx", "k", "body", 4, true, &p);
    put_publish(&honest, 1, "", "d", "body", 4, true, &p);
    wire_put_method(&honest, 1, AMQP_BASIC_CONSUME_METHOD,
                    &(amqp_basic_consume_t){.queue = words("d"), .consumer_tag = words("t")});
    wire_put_method(&honest, 1, AMQP_BASIC_ACK_METHOD, &(amqp_basic_ack_t){.delivery_tag = 1, .multiple = 1});
    wire_put_method(&honest, 1, AMQP_BASIC_CANCEL_METHOD, &(amqp_basic_cancel_t){.consumer_tag = words("t")});
    for (unsigned round = 0; round < 1500; round++) {
        struct client *c = client_open(r, 0);
        b.len = 0;
        memcpy(wire_space(&b, honest.len), honest.items, honest.len);
        b.len = honest.len;
        for (uint64_t n = 1 + rng_below(&rng, 3); n--;)
            b.items[rng_below(&rng, b.len)] =
                rng_chance(&rng, 50) ? (uint8_t)rng_next(&rng) : (uint8_t)rng_below(&rng, 8);
        client_buffer(c, &b);
        client_drain(c);
        client_hang_up(c);
        still_works(bystander, round);
    }
    VEC_FREE(&honest);
    VEC_FREE(&b);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(nonsense_from_the_start),
        T(whole_methods_with_random_arguments),
        T(damaged_conversations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

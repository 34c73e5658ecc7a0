/* test_publish.c: publishes and their ends: confirms in order and with `multiple`, returns before acks, what
 * is refused, bodies of all sizes. */
#include "tests/broker/rig.h"

#include <stdlib.h>

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

static struct client *confirming(struct rig *r)
{
    struct client *c = client_open(r, 0);
    client_method(c, 1, AMQP_CONFIRM_SELECT_METHOD, &(amqp_confirm_select_t){0});
    expect(c, "1: confirm.select-ok");
    return c;
}

static const amqp_basic_properties_t persistent = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
                                                   .delivery_mode = 2};

static void confirms_count_from_one(void **state)
{
    struct client *c = confirming(*state);
    client_declare(c, 1, "q", false);
    client_drain(c);
    client_publish(c, 1, "", "q", "a");
    expect(c, "1: basic.ack 1");
    client_publish(c, 1, "", "q", "b");
    expect(c, "1: basic.ack 2");
    client_method(c, 1, AMQP_CONFIRM_SELECT_METHOD,
                  &(amqp_confirm_select_t){0}); /* once more changes nothing */
    expect(c, "1: confirm.select-ok");
    client_publish(c, 1, "", "q", "c");
    expect(c, "1: basic.ack 3");
}

static void one_ack_for_many(void **state)
{
    struct client *c = confirming(*state);
    client_declare(c, 1, "q", false);
    client_drain(c);
    struct wire_buffer b = {0};
    for (int i = 0; i < 500; i++)
        put_publish(&b, 1, "", "q", "x", 1, false, NULL);
    client_buffer(c, &b);
    expect(c, "1: basic.ack 500 multiple");
    expect_nothing(c);
    VEC_FREE(&b);
}

/* A persistent message waits for the disk; transient ones behind it do not wait for it, and each is told
 * once. */
static void a_slow_one_holds_back_nobody(void **state)
{
    struct rig *r = *state;
    struct client *c = confirming(r);
    client_declare(c, 1, "durable", true);
    client_declare(c, 1, "fast", false);
    client_drain(c);
    r->hold_disk = true;
    struct wire_buffer b = {0};
    put_publish(&b, 1, "", "fast", "1", 1, false, NULL);
    put_publish(&b, 1, "", "durable", "2", 1, false, &persistent);
    put_publish(&b, 1, "", "fast", "3", 1, false, NULL);
    put_publish(&b, 1, "", "durable", "4", 1, false, &persistent);
    put_publish(&b, 1, "", "fast", "5", 1, false, NULL);
    client_buffer(c, &b);
    expect(c, "1: basic.ack 1");
    expect(c, "1: basic.ack 3");
    expect(c, "1: basic.ack 5");
    expect_nothing(c);
    struct channel_info info;
    size_t at = 0;
    assert_true(broker_next_channel(r->nodes[0], &at, &info));
    assert_int_equal(info.unconfirmed, 2);
    r->hold_disk = false;
    rig_run(r);
    expect(c, "1: basic.ack 4 multiple");
    expect_nothing(c);
    client_publish(c, 1, "", "fast", "6");
    expect(c, "1: basic.ack 6");
    VEC_FREE(&b);
}

static void a_message_to_two_queues_waits_for_both(void **state)
{
    struct rig *r = *state;
    struct client *c = confirming(r);
    client_declare(c, 1, "durable", true);
    client_declare(c, 1, "fast", false);
    client_bind(c, 1, "durable", "amq.fanout", "");
    client_bind(c, 1, "fast", "amq.fanout", "");
    client_drain(c);
    r->hold_disk = true;
    client_publish_as(c, 1, "amq.fanout", "", "x", 1, false, &persistent);
    expect_nothing(c);
    r->hold_disk = false;
    rig_run(r);
    expect(c, "1: basic.ack 1");
    expect_nothing(c);
}

static void the_return_comes_before_the_ack(void **state)
{
    struct client *c = confirming(*state);
    client_publish_as(c, 1, "", "nowhere", "lost", 4, true, NULL);
    expect(c, "1: basic.return 312 NO_ROUTE lost");
    expect(c, "1: basic.ack 1");
    client_publish(c, 1, "", "nowhere", "dropped");
    expect(c, "1: basic.ack 2");
    expect_nothing(c);
    struct broker_totals t;
    broker_totals(((struct rig *)*state)->nodes[0], &t);
    assert_int_equal(t.returned, 1);
    assert_int_equal(t.dropped_unroutable, 1);
    assert_int_equal(t.confirmed, 2);
}

static void a_channel_that_closed_hears_nothing_more(void **state)
{
    struct rig *r = *state;
    struct client *c = confirming(r);
    client_declare(c, 1, "durable", true);
    client_drain(c);
    r->hold_disk = true;
    client_publish_as(c, 1, "", "durable", "x", 1, false, &persistent);
    client_method(c, 1, AMQP_CHANNEL_CLOSE_METHOD, &(amqp_channel_close_t){.reply_code = 200});
    expect(c, "1: channel.close-ok");
    client_method(c, 1, AMQP_CHANNEL_OPEN_METHOD, &(amqp_channel_open_t){0});
    client_method(c, 1, AMQP_CONFIRM_SELECT_METHOD, &(amqp_confirm_select_t){0});
    expect(c, "1: channel.open-ok");
    expect(c, "1: confirm.select-ok");
    client_publish_as(c, 1, "", "durable", "y", 1, false, &persistent);
    r->hold_disk = false;
    rig_run(r);
    expect(c, "1: basic.ack 1"); /* of the second, once */
    expect_nothing(c);
}

static void what_publish_refuses(void **state)
{
    static const struct {
        const char *exchange;
        amqp_basic_properties_t p;
        const char *says;
    } cases[] = {
        {"none", {0}, "1: channel.close 404 NOT_FOUND - no exchange 'none' in vhost '/' 60.40"},
        {"amq.rabbitmq.trace",
         {0},
         "1: channel.close 403 ACCESS_REFUSED - cannot publish to internal exchange 'amq.rabbitmq.trace' in "
         "vhost '/' "
         "60.40"},
        {"",
         {._flags = AMQP_BASIC_EXPIRATION_FLAG, .expiration = {3, "abc"}},
         "1: channel.close 406 PRECONDITION_FAILED - invalid expiration 'abc': no_integer 60.40"},
        {"",
         {._flags = AMQP_BASIC_EXPIRATION_FLAG, .expiration = {3, "12x"}},
         "1: channel.close 406 PRECONDITION_FAILED - invalid expiration '12x': {leftover_string,\"x\"} "
         "60.40"},
        {"",
         {._flags = AMQP_BASIC_EXPIRATION_FLAG, .expiration = {2, "-1"}},
         "1: channel.close 406 PRECONDITION_FAILED - invalid expiration '-1': {value_negative,-1} 60.40"},
        {"",
         {._flags = AMQP_BASIC_EXPIRATION_FLAG, .expiration = {12, "315360000001"}}, /* ten years and 1 ms */
         "1: channel.close 406 PRECONDITION_FAILED - invalid expiration '315360000001': "
         "{value_too_large,315360000001} 60.40"},
        {"",
         {._flags = AMQP_BASIC_EXPIRATION_FLAG, .expiration = {26, "99999999999999999999999999"}},
         "1: channel.close 406 PRECONDITION_FAILED - invalid expiration '99999999999999999999999999': "
         "{value_too_large,99999999999999999999999999} 60.40"},
        {"",
         {._flags = AMQP_BASIC_USER_ID_FLAG, .user_id = {3, "bob"}},
         "1: channel.close 406 PRECONDITION_FAILED - user_id property set to 'bob' but authenticated user "
         "was 'admin' "
         "60.40"},
        {"",
         {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = 7},
         "1: channel.close 406 PRECONDITION_FAILED - invalid message: {delivery_mode_unknown,7} 60.40"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct client *c = client_open(*state, 0);
        client_publish_as(c, 1, cases[i].exchange, "q", "x", 1, false, &cases[i].p);
        expect(c, cases[i].says);
        expect_nothing(c);
    }
    struct client *c = client_open(*state, 0);
    client_method(c, 1, AMQP_BASIC_PUBLISH_METHOD,
                  &(amqp_basic_publish_t){.routing_key = words("q"), .immediate = 1});
    struct wire_buffer b = {0};
    wire_put_header(&b, 1, 0, bytes_of("\0\0", 2));
    client_buffer(c, &b);
    expect(c, "0: connection.close 540 NOT_IMPLEMENTED - immediate=true 60.40");
    c = client_open(*state, 0);
    client_method(c, 1, AMQP_BASIC_PUBLISH_METHOD, &(amqp_basic_publish_t){.routing_key = words("q")});
    wire_put_header(&b, 1, LIMIT_BODY + 1, bytes_of("\0\0", 2));
    client_buffer(c, &b);
    expect(c, "1: channel.close 406 PRECONDITION_FAILED - message size 134217729 is larger than configured "
              "max size "
              "134217728 60.40");
    VEC_FREE(&b);
}

static void bodies_of_all_sizes_come_back(void **state)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 131064, 131065, 1 << 20, (1 << 20) + 1, 3000000};
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    client_declare(c, 1, "q", false);
    client_drain(c);
    uint8_t *body = xmalloc(3000000);
    for (size_t i = 0; i < 3000000; i++)
        body[i] = (uint8_t)(i * 7 + (i >> 8));
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        client_publish_as(c, 1, "", "q", body, sizes[i], false, NULL);
        client_publish_as(c, 1, "", "q", body, sizes[i], false, NULL);
        client_drain(c);
        c->in.len = c->in_at = 0;
        client_method(c, 1, AMQP_BASIC_GET_METHOD, &(amqp_basic_get_t){.queue = words("q"), .no_ack = 1});
        client_method(c, 1, AMQP_BASIC_GET_METHOD, &(amqp_basic_get_t){.queue = words("q"), .no_ack = 1});
        for (int twice = 0; twice < 2; twice++) {
            size_t got = 0;
            bool header = false;
            while (!header || got < sizes[i]) {
                struct wire_frame f;
                int64_t len = wire_amqp_frame(bytes_of(c->in.items + c->in_at, c->in.len - c->in_at),
                                              LIMIT_FRAME_MAX, &f);
                assert_true(len > 0);
                c->in_at += (size_t)len;
                header = header || f.type == WIRE_FRAME_HEADER;
                if (f.type == WIRE_FRAME_BODY) {
                    assert_memory_equal(body + got, f.payload.data, f.payload.len);
                    got += f.payload.len;
                }
            }
            assert_int_equal(got, sizes[i]);
        }
        assert_int_equal(c->in_at, c->in.len);
    }
    free(body);
}

static void frames_wait_behind_a_command_of_their_channel(void **state)
{
    struct rig *r = *state;
    struct client *c = confirming(r);
    client_method(c, 2, AMQP_CHANNEL_OPEN_METHOD, &(amqp_channel_open_t){0});
    expect(c, "2: channel.open-ok");
    /* declared, bound and published to without waiting for any answer */
    struct wire_buffer b = {0};
    wire_put_method(&b, 1, AMQP_QUEUE_DECLARE_METHOD,
                    &(amqp_queue_declare_t){.queue = words("q"), .nowait = 1});
    wire_put_method(&b, 1, AMQP_QUEUE_BIND_METHOD,
                    &(amqp_queue_bind_t){.queue = words("q"), .exchange = words("amq.fanout"), .nowait = 1});
    put_publish(&b, 1, "amq.fanout", "", "first", 5, true, NULL);
    put_publish(&b, 1, "amq.fanout", "", "second", 6, true, NULL);
    wire_put_method(&b, 1, AMQP_BASIC_GET_METHOD, &(amqp_basic_get_t){.queue = words("q"), .no_ack = 1});
    client_buffer(c, &b);
    expect(c, "1: basic.get-ok 1 left 1 first");
    expect(c, "1: basic.ack 2 multiple");
    expect_nothing(c);
    VEC_FREE(&b);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(confirms_count_from_one),
        T(one_ack_for_many),
        T(a_slow_one_holds_back_nobody),
        T(a_message_to_two_queues_waits_for_both),
        T(the_return_comes_before_the_ack),
        T(a_channel_that_closed_hears_nothing_more),
        T(what_publish_refuses),
        T(bodies_of_all_sizes_come_back),
        T(frames_wait_behind_a_command_of_their_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

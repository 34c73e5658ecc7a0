/* test_connection.c: who may come in, what ends a connection, heartbeats, many channels, bytes cut anywhere.
 * The texts are RabbitMQ 3.10.8's. */
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

static struct client *login(struct rig *r, const char *user, const char *password, const char *vhost,
                            bool can)
{
    return client_login(r, 0, user, password, vhost, can, 0, 131072, 2047);
}

static void other_protocols_get_the_header_back(void **state)
{
    static const char *const greetings[] = {"GET / HTTP/1.0\r\n\r\n", "AMQP\1\1\0\12", "AMQP\0\1\0\0", "X"};
    static const size_t lens[] = {18, 8, 8, 1};
    for (size_t i = 0; i < ARRAY_LEN(greetings); i++) {
        struct client *c = client_connect(*state, 0);
        client_send(c, greetings[i], lens[i]);
        expect(c, "protocol header");
        expect_nothing(c);
        assert_true(c->closed);
        client_hang_up(c);
    }
}

static void the_password_counts(void **state)
{
    struct rig *r = *state;
    struct client *c = login(r, "admin", "wrong", "/", true);
    expect(c, "0: connection.start");
    expect(c, "0: connection.close 403 ACCESS_REFUSED - Login was refused using authentication mechanism "
              "PLAIN. For "
              "details see the broker logfile. 0.0");
    assert_false(c->closed); /* its close-ok is waited for */
    client_method(c, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &(amqp_connection_close_ok_t){0});
    assert_true(c->closed);
    c = login(r, "admin", "wrong", "/", false); /* a client that does not know that close */
    expect_nothing(c);
    assert_true(c->closed);
    c = login(r, "guest", "guest", "/", true); /* from loopback */
    expect(c, "0: connection.open-ok");
}

static void only_the_vhost_that_is_there(void **state)
{
    struct client *c = login(*state, "admin", "123", "nope", true);
    expect(c, "0: connection.close 530 NOT_ALLOWED - vhost nope not found 10.40");
}

static void limits_are_negotiated(void **state)
{
    struct client *c = client_login(*state, 0, "admin", "123", "/", true, 0, 200000, 2047);
    expect(c, "0: connection.close 530 NOT_ALLOWED - negotiated frame_max = 200000 *");
    c = client_login(*state, 0, "admin", "123", "/", true, 0, 4096, 3);
    expect(c, "0: connection.open-ok");
    for (uint16_t ch = 1; ch <= 3; ch++) {
        client_method(c, ch, AMQP_CHANNEL_OPEN_METHOD, &(amqp_channel_open_t){0});
        expect(c, ch == 1 ? "1: channel.open-ok" : ch == 2 ? "2: channel.open-ok" : "3: channel.open-ok");
    }
    client_method(c, 4, AMQP_CHANNEL_OPEN_METHOD, &(amqp_channel_open_t){0});
    expect(c,
           "0: connection.close 530 NOT_ALLOWED - number of channels opened (3) has reached the negotiated "
           "channel_max (3) 0.0");
}

/* The same conversation, its bytes handed over in pieces of every size. */
static void frames_may_be_cut_anywhere(void **state)
{
    struct rig *r = *state;
    char body[6000];
    memset(body, 'b', sizeof(body));
    for (size_t cut = 1; cut < 64; cut++) {
        r->bytes_cut = cut;
        struct client *c = client_open(r, 0);
        struct wire_buffer b = {0};
        wire_put_method(&b, 1, AMQP_QUEUE_DECLARE_METHOD, &(amqp_queue_declare_t){.queue = words("q")});
        put_publish(&b, 1, "", "q", "small", 5, false, NULL);
        put_publish(&b, 1, "", "q", body, sizeof(body), false, NULL);
        wire_put_heartbeat(&b);
        wire_put_method(&b, 1, AMQP_BASIC_GET_METHOD, &(amqp_basic_get_t){.queue = words("q"), .no_ack = 1});
        wire_put_method(&b, 1, AMQP_BASIC_GET_METHOD, &(amqp_basic_get_t){.queue = words("q"), .no_ack = 1});
        client_buffer(c, &b);
        expect(c, "1: queue.declare-ok q 0 0");
        expect(c, "1: basic.get-ok 1 left 1 small");
        expect(c, "1: basic.get-ok 2 left 0 (6000 octets)");
        expect_nothing(c);
        wire_put_method(&b, 0, AMQP_CONNECTION_CLOSE_METHOD, &(amqp_connection_close_t){.reply_code = 200});
        client_buffer(c, &b);
        expect(c, "0: connection.close-ok");
        assert_true(c->closed);
        VEC_FREE(&b);
        client_hang_up(c);
    }
    r->bytes_cut = 0;
}

static void malformed_frames_end_one_connection(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *answer;
    } cases[] = {
        {"\1\0\1\0\0\0\4\0\x32\0\x0a\0", 12,
         "501 FRAME_ERROR - type 1, all octets = <<0,50,0,10>>: {invalid_frame_end_marker,0} 0.0"},
        {"\x09\0\1\0\0\0\3abc\xce", 11,
         "501 FRAME_ERROR - type 9, all octets = <<\"abc\">>: unknown_frame 0.0"},
        {"\1\0\1\0\3\x0d\x40", 7,
         "501 FRAME_ERROR - type 1, all octets = <<>>: {frame_too_large,200000,131064} 0.0"},
        {"\1\0\1\0\0\0\2\0\x32\xce", 10,
         "501 FRAME_ERROR - type 1, all octets = <<0,50>>: unknown_frame 0.0"},
        {"\x08\0\1\0\0\0\0\xce", 8, "505 UNEXPECTED_FRAME - type 8, all octets = <<>> 0.0"},
        {"\2\0\1\0\0\0\x0e\0\x3c\0\0\0\0\0\0\0\0\0\5\0\0\xce", 22,
         "505 UNEXPECTED_FRAME - expected method frame, got non method frame instead 0.0"},
        {"\1\0\1\0\0\0\5\0\x32\0\x0a\0\xce", 13, "501 FRAME_ERROR - cannot decode <<0>> 50.10"},
        {"\1\0\1\0\0\0\4\0\x32\0\x63\xce", 12, "503 COMMAND_INVALID - unimplemented method 50.99"},
    };
    struct rig *r = *state;
    struct client *bystander = client_open(r, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct client *c = client_open(r, 0);
        client_send(c, cases[i].bytes, cases[i].len);
        char line[300];
        snprintf(line, sizeof(line), "0: connection.close %s", cases[i].answer);
        expect(c, line);
        client_send(c, "garbage", 7);
        rig_later(r, 40000);
        assert_true(c->closed);
        client_hang_up(c);
    }
    client_declare(bystander, 1, "q", false);
    expect(bystander, "1: queue.declare-ok q 0 0");
}

static void content_frames_come_in_order(void **state)
{
    struct rig *r = *state;
    struct wire_buffer publish = {0}, b = {0};
    wire_put_method(&publish, 1, AMQP_BASIC_PUBLISH_METHOD,
                    &(amqp_basic_publish_t){.routing_key = words("q")});
    static const char *const want[] = {
        "0: connection.close 505 UNEXPECTED_FRAME - expected content header for class 60, got non content "
        "header frame "
        "instead 60.40",
        "0: connection.close 505 UNEXPECTED_FRAME - expected content body, got non content body frame "
        "instead 60.40",
        "0: connection.close 505 UNEXPECTED_FRAME - expected content header for class 60, got one for class "
        "50 instead "
        "60.40",
        "0: connection.close 505 UNEXPECTED_FRAME - expected 5 more octets of the body, got 7 60.40",
    };
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct client *c = client_open(r, 0);
        b.len = 0;
        memcpy(wire_space(&b, publish.len), publish.items, publish.len);
        b.len = publish.len;
        if (i == 0)
            wire_put_body(&b, 1, bytes_str("x"), 4096);
        if (i > 0)
            wire_put_header(&b, 1, 5, bytes_of("\0\0", 2));
        if (i == 1)
            wire_put_header(&b, 1, 5, bytes_of("\0\0", 2));
        if (i == 2)
            b.items[publish.len + 8] = 50; /* the header's class */
        if (i == 3)
            wire_put_body(&b, 1, bytes_str("toolong"), 4096);
        client_buffer(c, &b);
        expect(c, want[i]);
    }
    VEC_FREE(&publish);
    VEC_FREE(&b);
}

static void heartbeats_go_both_ways(void **state)
{
    struct rig *r = *state;
    struct client *c = client_login(r, 0, "admin", "123", "/", true, 10, 131072, 2047);
    expect(c, "0: connection.open-ok");
    for (int i = 0; i < 6; i++) { /* we speak every 5 s, the client too */
        rig_later(r, 5000);
        expect(c, "heartbeat");
        expect_nothing(c);
        client_send(c, "\x08\0\0\0\0\0\0\xce", 8);
    }
    assert_false(c->closed);
    rig_later(r, 19000);
    assert_false(c->closed);
    rig_later(r, 2000); /* two intervals of silence */
    assert_true(c->closed);
}

static void a_handshake_takes_ten_seconds_at_most(void **state)
{
    struct rig *r = *state;
    struct client *c = client_connect(r, 0);
    client_send(c, "AMQ", 3);
    rig_later(r, 9000);
    assert_false(c->closed);
    rig_later(r, 1500);
    assert_true(c->closed);
}

static void shutdown_is_said(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0), *early = client_connect(r, 0);
    client_declare(c, 1, "q", true);
    client_drain(c);
    rig_step(r, 0, &(struct event){.type = EV_STOP});
    expect(c, "0: connection.close 320 CONNECTION_FORCED - broker forced connection closure with reason "
              "'shutdown' 0.0");
    assert_true(c->closed && early->closed);
}

static void management_closes_a_connection(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    struct effects fx = {0};
    assert_true(broker_close_connection(r->nodes[0], c->id, "enough", r->now, &fx));
    assert_false(broker_close_connection(r->nodes[0], 12345, "enough", r->now, &fx));
    rig_perform(r, 0, &fx);
    expect(c, "0: connection.close 320 CONNECTION_FORCED - enough 0.0");
}

static void the_memory_alarm_blocks_publishers(void **state)
{
    struct rig *r = *state;
    struct client *publisher = client_open(r, 0), *consumer = client_open(r, 0);
    client_publish(publisher, 1, "", "nowhere", "x");
    rig_step(r, 0, &(struct event){.type = EV_MEMORY, .u.memory.alarm = true});
    rig_run(r);
    expect(publisher, "0: connection.blocked low on memory");
    assert_true(publisher->paused && !consumer->paused);
    client_publish(consumer, 1, "", "nowhere", "x"); /* it begins to publish while the alarm is on */
    expect(consumer, "0: connection.blocked low on memory");
    assert_true(consumer->paused);
    rig_step(r, 0, &(struct event){.type = EV_MEMORY, .u.memory.alarm = false});
    rig_run(r);
    expect(publisher, "0: connection.unblocked");
    expect(consumer, "0: connection.unblocked");
    assert_true(!publisher->paused && !consumer->paused);
}

static void what_can_be_looked_at(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    client_declare(c, 1, "q", false);
    client_consume(c, 1, "q", "t", false);
    struct connection_info ci;
    size_t at = 0;
    assert_true(broker_next_connection(r->nodes[0], &at, &ci));
    assert_string_equal(ci.user, "admin");
    assert_string_equal(ci.state, "running");
    assert_int_equal(ci.channels, 1);
    assert_non_null(strstr(ci.client_properties, "consumer_cancel_notify"));
    assert_false(broker_next_connection(r->nodes[0], &at, &ci));
    struct channel_info ch;
    at = 0;
    assert_true(broker_next_channel(r->nodes[0], &at, &ch));
    assert_int_equal(ch.number, 1);
    assert_int_equal(ch.consumers, 1);
    assert_false(broker_next_channel(r->nodes[0], &at, &ch));
    struct consumer_info k;
    at = 0;
    assert_true(broker_next_consumer(r->nodes[0], &at, &k));
    assert_string_equal(k.queue, "q");
    assert_string_equal(k.tag, "t");
    assert_false(broker_next_consumer(r->nodes[0], &at, &k));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(other_protocols_get_the_header_back),
        T(the_password_counts),
        T(only_the_vhost_that_is_there),
        T(limits_are_negotiated),
        T(frames_may_be_cut_anywhere),
        T(malformed_frames_end_one_connection),
        T(content_frames_come_in_order),
        T(heartbeats_go_both_ways),
        T(a_handshake_takes_ten_seconds_at_most),
        T(shutdown_is_said),
        T(management_closes_a_connection),
        T(the_memory_alarm_blocks_publishers),
        T(what_can_be_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

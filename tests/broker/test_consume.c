/* test_consume.c: deliveries and how they are settled: prefetch, multiple, requeue, cancel, what a closed
 * channel gives back. */
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

/* queue q with messages m1 .. mN */
static struct client *with_messages(struct rig *r, unsigned n)
{
    struct client *c = client_open(r, 0);
    client_declare(c, 1, "q", false);
    struct wire_buffer b = {0};
    char body[16];
    for (unsigned i = 1; i <= n; i++) {
        snprintf(body, sizeof(body), "m%u", i);
        put_publish(&b, 1, "", "q", body, strlen(body), false, NULL);
    }
    if (b.len)
        client_buffer(c, &b);
    VEC_FREE(&b);
    client_drain(c);
    return c;
}

static void nack(struct client *c, uint64_t tag, bool multiple, bool requeue)
{
    client_method(c, 1, AMQP_BASIC_NACK_METHOD,
                  &(amqp_basic_nack_t){.delivery_tag = tag, .multiple = multiple, .requeue = requeue});
}

static void counts(struct client *c, unsigned messages, unsigned consumers)
{
    char line[64];
    client_method(c, 1, AMQP_QUEUE_DECLARE_METHOD,
                  &(amqp_queue_declare_t){.queue = words("q"), .passive = 1});
    snprintf(line, sizeof(line), "1: queue.declare-ok q %u %u", messages, consumers);
    expect(c, line);
}

static void unknown_tags_are_refused(void **state)
{
    struct rig *r = *state;
    static const char *const says = "1: channel.close 406 PRECONDITION_FAILED - unknown delivery tag %llu %s";
    static const struct {
        uint64_t tag;
        bool multiple;
    } cases[] = {{7, false}, {0, false}, {7, true}, {3, true}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct client *c = client_open(r, 0);
        char line[120];
        client_ack(c, 1, cases[i].tag, cases[i].multiple);
        snprintf(line, sizeof(line), says, (unsigned long long)cases[i].tag, "60.80");
        expect(c, line);
    }
    struct client *c = client_open(r, 0);
    client_ack(c, 1, 0, true); /* all of none */
    nack(c, 5, false, true);
    expect(c, "1: channel.close 406 PRECONDITION_FAILED - unknown delivery tag 5 60.120");
    c = with_messages(r, 2);
    client_get(c, 1, "q");
    client_drain(c);
    client_ack(c, 1, 1, false);
    client_ack(c, 1, 1, false); /* twice */
    expect(c, "1: channel.close 406 PRECONDITION_FAILED - unknown delivery tag 1 60.80");
}

static void acks_settle_one_or_all_before(void **state)
{
    struct client *c = with_messages(*state, 9);
    client_consume(c, 1, "q", "t", false);
    client_drain(c);
    client_ack(c, 1, 3, false);
    client_ack(c, 1, 5, true); /* 1 2 4 5 */
    client_ack(c, 1, 6, false);
    client_ack(c, 1, 9, false);
    nack(c, 8, true, true); /* 7 8 go back and come again */
    expect(c, "1: basic.deliver t 10 redelivered m7");
    expect(c, "1: basic.deliver t 11 redelivered m8");
    expect_nothing(c);
    nack(c, 10, false, false); /* thrown away */
    client_ack(c, 1, 0, true);
    counts(c, 0, 1);
    client_ack(c, 1, 11, true);
    expect(c, "1: channel.close 406 PRECONDITION_FAILED - unknown delivery tag 11 60.80");
}

/* Acks in a random order, with and without multiple, against a plain list. */
static void acks_in_any_order(void **state)
{
    enum { N = 2000 };
    struct client *c = with_messages(*state, N);
    client_consume(c, 1, "q", "t", false);
    client_drain(c);
    bool open[N + 1];
    memset(open, 1, sizeof(open));
    unsigned left = N;
    uint64_t seed = 99;
    struct wire_buffer b = {0};
    while (left) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        unsigned tag = 1 + (unsigned)((seed >> 33) % N);
        bool multiple = (seed >> 20) % 50 == 0;
        if (!open[tag])
            continue;
        wire_put_method(&b, 1, AMQP_BASIC_ACK_METHOD,
                        &(amqp_basic_ack_t){.delivery_tag = tag, .multiple = multiple});
        for (unsigned i = multiple ? 1 : tag; i <= tag; i++) {
            left -= open[i];
            open[i] = false;
        }
    }
    client_buffer(c, &b);
    expect_nothing(c);
    counts(c, 0, 1);
    struct broker_totals t;
    broker_totals(((struct rig *)*state)->nodes[0], &t);
    assert_int_equal(t.acked, N);
    VEC_FREE(&b);
}

static void prefetch_limits_a_consumer(void **state)
{
    struct client *c = with_messages(*state, 5);
    client_qos(c, 1, 2, false);
    expect(c, "1: basic.qos-ok");
    client_consume(c, 1, "q", "t", false);
    expect(c, "1: basic.consume-ok t");
    expect(c, "1: basic.deliver t 1 m1");
    expect(c, "1: basic.deliver t 2 m2");
    expect_nothing(c);
    client_ack(c, 1, 1, false);
    expect(c, "1: basic.deliver t 3 m3");
    expect_nothing(c);
    client_ack(c, 1, 3, true);
    expect(c, "1: basic.deliver t 4 m4");
    expect(c, "1: basic.deliver t 5 m5");
    expect_nothing(c);
}

static void a_global_prefetch_limits_the_channel(void **state)
{
    struct client *c = with_messages(*state, 6);
    client_qos(c, 1, 2, true);
    client_consume(c, 1, "q", "a", false);
    client_consume(c, 1, "q", "b", false);
    expect(c, "1: basic.qos-ok");
    expect(c, "1: basic.consume-ok a");
    expect(c, "1: basic.deliver a 1 m1");
    expect(c, "1: basic.deliver a 2 m2");
    expect(c, "1: basic.consume-ok b");
    expect_nothing(c);     /* b's are held back */
    client_get(c, 1, "q"); /* a get does not count, nor is it limited */
    expect(c, "1: basic.get-ok 3 left 1 m5");
    client_ack(c, 1, 3, false);
    expect_nothing(c);
    client_ack(c, 1, 1, false);
    expect(c, "1: basic.deliver b 4 m3");
    expect_nothing(c);
    client_method(c, 1, AMQP_BASIC_CANCEL_METHOD, &(amqp_basic_cancel_t){.consumer_tag = words("b")});
    expect(c, "1: basic.cancel-ok b"); /* what was held back for b is there for others again */
    struct client *d = client_open(*state, 0);
    client_get(d, 1, "q");
    expect(d, "1: basic.get-ok 1 redelivered left 0 m4");
    client_hang_up(d);
    client_qos(c, 1, 0, true); /* no limit any more */
    expect(c, "1: basic.qos-ok");
    client_drain(c);
    client_method(c, 1, AMQP_CHANNEL_CLOSE_METHOD, &(amqp_channel_close_t){.reply_code = 200});
    expect(c, "1: channel.close-ok");
    client_method(c, 1, AMQP_CHANNEL_OPEN_METHOD, &(amqp_channel_open_t){0});
    expect(c, "1: channel.open-ok");
    counts(c, 4, 0);
}

static void recover_and_requeue_bring_them_again(void **state)
{
    struct client *c = with_messages(*state, 2);
    client_get(c, 1, "q");
    client_get(c, 1, "q");
    client_drain(c);
    client_method(c, 1, AMQP_BASIC_RECOVER_METHOD, &(amqp_basic_recover_t){.requeue = 1});
    expect(c, "1: basic.recover-ok");
    client_get(c, 1, "q");
    expect(c, "1: basic.get-ok 3 redelivered left 1 m1");
    client_method(c, 1, AMQP_BASIC_REJECT_METHOD, &(amqp_basic_reject_t){.delivery_tag = 3, .requeue = 1});
    client_get(c, 1, "q");
    expect(c, "1: basic.get-ok 4 redelivered left 1 m1");
    client_method(c, 1, AMQP_BASIC_REJECT_METHOD, &(amqp_basic_reject_t){.delivery_tag = 4});
    client_get(c, 1, "q");
    expect(c, "1: basic.get-ok 5 redelivered left 0 m2");
    client_method(c, 1, AMQP_BASIC_RECOVER_ASYNC_METHOD, &(amqp_basic_recover_async_t){.requeue = 1});
    client_get(c, 1, "q");
    expect(c, "1: basic.get-ok 6 redelivered left 0 m2");
    client_get(c, 1, "q");
    expect(c, "1: basic.get-empty");
    client_method(c, 1, AMQP_BASIC_RECOVER_METHOD, &(amqp_basic_recover_t){.requeue = 0});
    expect(c, "0: connection.close 540 NOT_IMPLEMENTED - requeue=false 60.110");
}

static void consumers_come_and_go(void **state)
{
    struct rig *r = *state;
    struct client *c = with_messages(r, 1), *d = client_open(r, 0);
    client_consume(c, 1, "q", "", false);
    expect(c, "1: basic.consume-ok amq.ctag-*");
    expect(c, "1: basic.deliver amq.ctag-*");
    client_consume(d, 1, "q", "mine", false);
    expect(d, "1: basic.consume-ok mine");
    client_method(d, 1, AMQP_BASIC_CANCEL_METHOD, &(amqp_basic_cancel_t){.consumer_tag = words("mine")});
    expect(d, "1: basic.cancel-ok mine");
    client_method(d, 1, AMQP_BASIC_CANCEL_METHOD, &(amqp_basic_cancel_t){.consumer_tag = words("mine")});
    expect(d, "1: basic.cancel-ok mine"); /* nothing to cancel is fine */
    counts(d, 0, 1);
    client_hang_up(c); /* without a word: what it had comes back */
    client_consume(d, 1, "q", "again", false);
    expect(d, "1: basic.consume-ok again");
    expect(d, "1: basic.deliver again 1 redelivered m1");
    client_consume(d, 1, "q", "again", false);
    expect(d, "0: connection.close 530 NOT_ALLOWED - attempt to reuse consumer tag 'again' 60.20");
}

static void an_exclusive_consumer_is_alone(void **state)
{
    struct client *c = with_messages(*state, 0);
    client_method(c, 1, AMQP_BASIC_CONSUME_METHOD,
                  &(amqp_basic_consume_t){.queue = words("q"), .consumer_tag = words("t"), .exclusive = 1});
    expect(c, "1: basic.consume-ok t");
    client_consume(c, 1, "q", "u", false);
    expect(c, "1: channel.close 403 ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use 60.20");
}

static void what_only_streams_know_is_refused(void **state)
{
    struct client *c = client_open(*state, 0);
    client_declare(c, 1, "q", false);
    client_drain(c);
    amqp_table_entry_t e = {words("x-stream-offset"),
                            {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = words("first")}};
    client_method(
        c, 1, AMQP_BASIC_CONSUME_METHOD,
        &(amqp_basic_consume_t){.queue = words("q"), .arguments = {.num_entries = 1, .entries = &e}});
    expect(c,
           "1: channel.close 406 PRECONDITION_FAILED - invalid arg 'x-stream-offset' for queue 'q' in vhost "
           "'/' of queue type rabbit_classic_queue 60.20");
}

static void a_deleted_queue_cancels_its_consumers(void **state)
{
    struct rig *r = *state;
    struct client *c = with_messages(r, 0);
    struct client *old = client_login(r, 0, "admin", "123", "/", false, 0, 131072, 2047); /* cannot be told */
    expect(old, "0: connection.open-ok");
    client_method(old, 1, AMQP_CHANNEL_OPEN_METHOD, &(amqp_channel_open_t){0});
    struct client *d = client_open(r, 0);
    client_consume(old, 1, "q", "o", false);
    client_consume(d, 1, "q", "n", false);
    client_drain(old);
    client_drain(d);
    client_method(c, 1, AMQP_QUEUE_DELETE_METHOD, &(amqp_queue_delete_t){.queue = words("q")});
    expect(c, "1: queue.delete-ok 0");
    expect(d, "1: basic.cancel n");
    expect_nothing(d);
    expect_nothing(old);
    client_consume(d, 1, "q", "n", false);
    expect(d, "1: channel.close 404 NOT_FOUND - no queue 'q' in vhost '/' 60.20");
}

static void auto_ack_leaves_nothing_to_settle(void **state)
{
    struct client *c = with_messages(*state, 3);
    client_consume(c, 1, "q", "t", true);
    expect(c, "1: basic.consume-ok t");
    expect(c, "1: basic.deliver t 1 m1");
    expect(c, "1: basic.deliver t 2 m2");
    expect(c, "1: basic.deliver t 3 m3");
    counts(c, 0, 1);
    client_hang_up(c);
    c = client_open(*state, 0);
    counts(c, 0, 0);
}

/* Three windows of deliveries to one consumer: credit must come back as the socket takes them. */
static void deliveries_go_on_past_the_window(void **state)
{
    enum { N = 3 * LIMIT_DELIVERY_WINDOW };
    struct client *c = with_messages(*state, N);
    client_consume(c, 1, "q", "t", true);
    struct rig *r = *state;
    unsigned got = 0;
    expect(c, "1: basic.consume-ok t");
    for (unsigned round = 0; round < 100 && got < N; round++) {
        char line[64];
        const char *read;
        while ((read = client_read(c))) {
            snprintf(line, sizeof(line), "1: basic.deliver t %u m%u", got + 1, got + 1);
            assert_string_equal(read, line);
            got++;
        }
        rig_step(r, 0, &(struct event){.type = EV_CLIENT_DRAINED, .u.client.conn = c->id});
        rig_run(r);
    }
    assert_int_equal(got, N);
}

/* A client that reads nothing gets a window of deliveries and no more. */
static void a_socket_that_takes_nothing_earns_nothing(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0), *reader = client_open(r, 0);
    client_declare(c, 1, "q", false);
    client_drain(c);
    char *body = xcalloc(1, 8192);
    struct wire_buffer b = {0};
    for (int i = 0; i < 3 * LIMIT_DELIVERY_WINDOW; i++)
        put_publish(&b, 1, "", "q", body, 8192, false, NULL);
    client_buffer(c, &b);
    free(body);
    VEC_FREE(&b);
    wire_put_method(&b, 1, AMQP_BASIC_CONSUME_METHOD,
                    &(amqp_basic_consume_t){.queue = words("q"), .no_ack = 1});
    /* by hand: without the EV_CLIENT_DRAINED that the rig says after each piece of bytes */
    struct event ev = {.type = EV_CLIENT_DATA};
    ev.u.client.conn = reader->id;
    ev.u.client.data = bytes_of(b.items, b.len);
    rig_step(r, 0, &ev);
    rig_run(r);
    VEC_FREE(&b);
    counts(c, 2 * LIMIT_DELIVERY_WINDOW, 1);
    rig_step(r, 0, &(struct event){.type = EV_CLIENT_DRAINED, .u.client.conn = reader->id});
    rig_run(r);
    client_method(c, 1, AMQP_QUEUE_DECLARE_METHOD,
                  &(amqp_queue_declare_t){.queue = words("q"), .passive = 1});
    unsigned left = 0;
    assert_int_equal(sscanf(client_read(c), "1: queue.declare-ok q %u", &left), 1);
    assert_true(left < 2 * LIMIT_DELIVERY_WINDOW);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(unknown_tags_are_refused),
        T(acks_settle_one_or_all_before),
        T(acks_in_any_order),
        T(prefetch_limits_a_consumer),
        T(a_global_prefetch_limits_the_channel),
        T(recover_and_requeue_bring_them_again),
        T(consumers_come_and_go),
        T(an_exclusive_consumer_is_alone),
        T(what_only_streams_know_is_refused),
        T(a_deleted_queue_cancels_its_consumers),
        T(auto_ack_leaves_nothing_to_settle),
        T(deliveries_go_on_past_the_window),
        T(a_socket_that_takes_nothing_earns_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

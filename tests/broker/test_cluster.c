/* test_cluster.c: three brokers: what clients of one see of queues, exchanges and failures of the others. */
#include "tests/broker/rig.h"

#include <stdlib.h>

static int setup(void **state)
{
    *state = rig_create(3);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

static const amqp_basic_properties_t persistent = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
                                                   .delivery_mode = 2};

static void any_node_reaches_any_queue(void **state)
{
    struct rig *r = *state;
    struct client *a = client_open(r, 0), *b = client_open(r, 1), *c = client_open(r, 2);
    client_declare(a, 1, "q", true);
    expect(a, "1: queue.declare-ok q 0 0");
    client_publish(b, 1, "", "q", "from node2");
    client_get(c, 1, "q");
    expect(c, "1: basic.get-ok 1 left 0 from node2");
    client_hang_up(c);
    client_consume(b, 1, "q", "t", false);
    expect(b, "1: basic.consume-ok t");
    expect(b, "1: basic.deliver t 1 redelivered from node2");
    client_ack(b, 1, 1, false);
    client_declare(a, 1, "q", true);
    expect(a, "1: queue.declare-ok q 0 1");
}

/* Exchanges and bindings are the same everywhere, whoever made them. */
static void all_nodes_route_alike(void **state)
{
    struct rig *r = *state;
    struct client *c[3];
    for (size_t n = 0; n < 3; n++)
        c[n] = client_open(r, n);
    client_declare_exchange(c[0], 1, "x", "topic");
    client_declare(c[1], 1, "q", false);
    client_drain(c[1]);
    client_bind(c[1], 1, "q", "x", "a.*");
    expect(c[1], "1: queue.bind-ok");
    for (size_t n = 0; n < 3; n++)
        client_publish(c[n], 1, "x", "a.b", "x");
    client_declare(c[2], 1, "q", false);
    expect(c[2], "1: queue.declare-ok q 3 0");
    client_declare_exchange(c[2], 1, "x", "fanout");
    expect(c[2], "1: channel.close 406 *");
    client_method(c[1], 1, AMQP_EXCHANGE_DELETE_METHOD, &(amqp_exchange_delete_t){.exchange = words("x")});
    client_drain(c[0]);
    client_publish(c[0], 1, "x", "a.b", "x");
    expect(c[0], "1: channel.close 404 NOT_FOUND - no exchange 'x' in vhost '/' 60.40");
    for (size_t n = 0; n < 3; n++) {
        struct exchange_info info;
        size_t at = 0, count = 0;
        while (broker_next_exchange(r->nodes[n], &at, &info))
            count++;
        assert_int_equal(count, 7); /* the built-in ones */
    }
}

static void say(struct client *c, const char *queue, const char *what, uint16_t class_id, uint16_t method_id)
{
    char line[300];
    snprintf(line, sizeof(line), "1: channel.close 404 NOT_FOUND - %s %u.%u", what, class_id, method_id);
    expect(c, line);
    client_method(c, 1, AMQP_CHANNEL_CLOSE_OK_METHOD, &(amqp_channel_close_ok_t){0});
    client_method(c, 1, AMQP_CHANNEL_OPEN_METHOD, &(amqp_channel_open_t){0});
    expect(c, "1: channel.open-ok");
    (void)queue;
}

static void a_queue_without_its_node(struct rig *r, const char *words_)
{
    struct client *c = client_open(r, 2);
    client_declare(c, 1, "hello", true);
    say(c, "hello", words_, 50, 10);
    client_get(c, 1, "hello");
    say(c, "hello", words_, 60, 70);
    client_consume(c, 1, "hello", "t", true);
    say(c, "hello", words_, 60, 20);
    client_method(c, 1, AMQP_QUEUE_PURGE_METHOD, &(amqp_queue_purge_t){.queue = words("hello")});
    say(c, "hello", words_, 50, 30);
    client_bind(c, 1, "hello", "amq.fanout", "");
    say(c, "hello", words_, 50, 20);
    /* publishing to it: unroutable, returned if mandatory, and confirmed */
    client_method(c, 1, AMQP_CONFIRM_SELECT_METHOD, &(amqp_confirm_select_t){0});
    expect(c, "1: confirm.select-ok");
    client_publish_as(c, 1, "", "hello", "x", 1, true, NULL);
    expect(c, "1: basic.return 312 NO_ROUTE x");
    expect(c, "1: basic.ack 1");
    client_publish(c, 1, "", "hello", "x");
    expect(c, "1: basic.ack 2");
    /* it can be deleted; whether it is empty nobody can say */
    client_method(c, 1, AMQP_QUEUE_DELETE_METHOD,
                  &(amqp_queue_delete_t){.queue = words("hello"), .if_empty = true});
    expect(c, "1: channel.close 406 PRECONDITION_FAILED - queue 'hello' in vhost '/' not empty 50.40");
    client_method(c, 1, AMQP_CHANNEL_CLOSE_OK_METHOD, &(amqp_channel_close_ok_t){0});
    client_method(c, 1, AMQP_CHANNEL_OPEN_METHOD, &(amqp_channel_open_t){0});
    expect(c, "1: channel.open-ok");
    client_method(c, 1, AMQP_QUEUE_DELETE_METHOD, &(amqp_queue_delete_t){.queue = words("hello")});
    expect(c, "1: queue.delete-ok 0");
}

/* The article, part 1. */
static void a_stopped_node_s_queue_is_stopped(void **state)
{
    struct rig *r = *state;
    struct client *a = client_open(r, 0);
    client_declare(a, 1, "hello", true);
    client_publish(a, 1, "", "hello", "Hello World");
    client_drain(a);
    rig_stop(r, 0);
    expect(a, "0: connection.close 320 *");
    a_queue_without_its_node(r, "queue 'hello' in vhost '/' process is stopped by supervisor");
}

static void a_killed_node_s_queue_is_down(void **state)
{
    struct rig *r = *state;
    struct client *a = client_open(r, 0);
    client_declare(a, 1, "hello", true);
    client_drain(a);
    rig_kill(r, 0);
    a_queue_without_its_node(
        r, "home node 'node1' of durable queue 'hello' in vhost '/' is down or inaccessible");
}

/* The article, part 2: a consumer on node3 goes on without noticing. */
static void a_mirrored_queue_survives_its_master(void **state)
{
    struct rig *r = *state;
    rig_policy(r, 0, "^mirrior", "{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}");
    struct client *a = client_open(r, 0), *c = client_open(r, 2), *b = client_open(r, 1);
    client_declare(a, 1, "mirrior_hello", true);
    client_drain(a);
    client_consume(c, 1, "mirrior_hello", "t", false);
    expect(c, "1: basic.consume-ok t");
    client_method(b, 1, AMQP_CONFIRM_SELECT_METHOD, &(amqp_confirm_select_t){0});
    expect(b, "1: confirm.select-ok");
    client_publish_as(b, 1, "", "mirrior_hello", "one", 3, true, &persistent);
    expect(b, "1: basic.ack 1");
    expect(c, "1: basic.deliver t 1 one");
    rig_stop(r, 0);
    client_publish_as(b, 1, "", "mirrior_hello", "two", 3, true, &persistent);
    expect(b, "1: basic.ack 2");
    /* what was not acknowledged comes again, flagged; an ack with the old tag says nothing any more */
    expect(c, "1: basic.deliver t 2 redelivered one");
    expect(c, "1: basic.deliver t 3 two");
    client_ack(c, 1, 1, false);
    client_ack(c, 1, 2, false);
    client_ack(c, 1, 3, false);
    expect_nothing(c);
    client_method(b, 1, AMQP_QUEUE_DECLARE_METHOD,
                  &(amqp_queue_declare_t){.queue = words("mirrior_hello"), .passive = 1});
    expect(b, "1: queue.declare-ok mirrior_hello 0 1");
}

static void client_consume_till_failover(struct client *c, const char *queue, const char *tag)
{
    amqp_table_entry_t e = {words("x-cancel-on-ha-failover"),
                            {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}};
    client_method(c, 1, AMQP_BASIC_CONSUME_METHOD,
                  &(amqp_basic_consume_t){.queue = words(queue),
                                          .consumer_tag = words(tag),
                                          .arguments = {.num_entries = 1, .entries = &e}});
    char ok[64];
    snprintf(ok, sizeof(ok), "1: basic.consume-ok %s", tag);
    expect(c, ok);
}

static void cancel_on_failover_is_heard(void **state)
{
    struct rig *r = *state;
    rig_policy(r, 0, "", "{\"ha-mode\":\"all\"}");
    struct client *a = client_open(r, 0), *c = client_open(r, 2);
    client_declare(a, 1, "q", true);
    client_drain(a);
    client_consume_till_failover(c, "q", "t");
    rig_kill(r, 0);
    expect(c, "1: basic.cancel t");
    client_consume(c, 1, "q", "t", false);
    expect(c, "1: basic.consume-ok t");
}

/* A client that does not know consumer_cancel_notify hears nothing; it is a consumer no more all the same. */
static void who_cannot_be_told_of_a_failover_is_cancelled_unheard(void **state)
{
    struct rig *r = *state;
    rig_policy(r, 0, "", "{\"ha-mode\":\"all\"}");
    struct client *a = client_open(r, 0), *b = client_open(r, 1);
    struct client *old = client_login(r, 2, "admin", "123", "/", false, 0, 131072, 2047);
    expect(old, "0: connection.open-ok");
    client_method(old, 1, AMQP_CHANNEL_OPEN_METHOD, &(amqp_channel_open_t){0});
    expect(old, "1: channel.open-ok");
    client_declare(a, 1, "q", true);
    client_drain(a);
    client_consume_till_failover(old, "q", "o");
    client_consume(b, 1, "q", "t", false);
    expect(b, "1: basic.consume-ok t");
    rig_kill(r, 0);
    for (unsigned i = 0; i < 2; i++)
        client_publish(b, 1, "", "q", i ? "two" : "one");
    expect(b, "1: basic.deliver t 1 one");
    expect(b, "1: basic.deliver t 2 two");
    expect_nothing(old);
}

/* Published through node2 to a queue of node1 that never got it: the publisher hears that it is not there. */
static void what_nobody_can_hold_is_nacked(void **state)
{
    struct rig *r = *state;
    struct client *a = client_open(r, 0), *b = client_open(r, 1);
    client_declare(a, 1, "q", true);
    client_drain(a);
    client_method(b, 1, AMQP_CONFIRM_SELECT_METHOD, &(amqp_confirm_select_t){0});
    expect(b, "1: confirm.select-ok");
    r->hold_mail = true;
    client_publish(b, 1, "", "q", "x");
    client_publish(b, 1, "", "q", "y");
    expect_nothing(b);
    rig_kill(r, 0);
    r->hold_mail = false;
    rig_run(r);
    rig_later(r, 5000);
    expect(b, "1: basic.nack 2 multiple");
    expect_nothing(b);
}

/* Two connections declare the same exchange at once: one entry, and both are told the truth. */
static void declarations_may_race(void **state)
{
    struct rig *r = *state;
    struct client *a = client_open(r, 0), *b = client_open(r, 1), *c = client_open(r, 2);
    r->hold_mail = true;
    client_declare_exchange(b, 1, "x", "fanout");
    client_declare_exchange(c, 1, "x", "fanout");
    client_declare_exchange(a, 1, "y", "fanout");
    client_declare_exchange(b, 1, "z", "direct");
    r->hold_mail = false;
    rig_run(r);
    expect(b, "1: exchange.declare-ok");
    expect(b, "1: exchange.declare-ok");
    expect(c, "1: exchange.declare-ok");
    expect(a, "1: exchange.declare-ok");
    r->hold_mail = true;
    client_declare_exchange(b, 1, "w", "fanout");
    client_declare_exchange(c, 1, "w", "topic");
    r->hold_mail = false;
    rig_run(r);
    const char *line = client_read(b);
    assert_non_null(line);
    bool b_won = strcmp(line, "1: exchange.declare-ok") == 0;
    static const char *const refused = "1: channel.close 406 PRECONDITION_FAILED - inequivalent arg 'type' *";
    expect(c, b_won ? refused : "1: exchange.declare-ok");
}

/* What is mirrored and durable, exchanges and bindings too, is there for a node that comes to know of it
 * later. */
static void a_queue_s_node_goes_and_its_bindings_stay(void **state)
{
    struct rig *r = *state;
    struct client *a = client_open(r, 0), *b = client_open(r, 1);
    rig_policy(r, 0, "", "{\"ha-mode\":\"all\"}");
    client_declare(a, 1, "q", true);
    client_bind(a, 1, "q", "amq.topic", "a.#");
    client_drain(a);
    rig_kill(r, 0);
    client_publish_as(b, 1, "amq.topic", "a.b", "x", 1, true, NULL);
    client_get(b, 1, "q");
    expect(b, "1: basic.get-ok 1 left 0 x");
}

/* More than 256 KiB behind one command: the connection is not read until the command is answered. */
static void what_waits_is_bounded(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 1);
    r->hold_mail = true; /* a declaration waits for the other nodes */
    struct wire_buffer b = {0};
    wire_put_method(&b, 1, AMQP_QUEUE_DECLARE_METHOD, &(amqp_queue_declare_t){.queue = words("q")});
    char *body = xcalloc(1, 300000);
    put_publish(&b, 1, "", "q", body, 300000, true, NULL);
    client_buffer(c, &b);
    assert_true(c->paused);
    expect_nothing(c);
    r->hold_mail = false;
    rig_run(r);
    assert_false(c->paused);
    expect(c, "1: queue.declare-ok q 0 0");
    client_get(c, 1, "q");
    expect(c, "1: basic.get-ok 1 left 0 (300000 octets)");
    free(body);
    VEC_FREE(&b);
}

/* Node1 does not answer: what node2's publisher may send ahead is bounded, and goes on when node1 answers or
 * is gone. */
static void a_publisher_waits_for_a_slow_queue(void **state)
{
    struct rig *r = *state;
    struct client *a = client_open(r, 0), *b = client_open(r, 1);
    client_declare(a, 1, "q", true);
    client_drain(a);
    client_method(b, 1, AMQP_CONFIRM_SELECT_METHOD, &(amqp_confirm_select_t){0});
    expect(b, "1: confirm.select-ok");
    for (int twice = 0; twice < 2; twice++) {
        r->hold_mail = true;
        struct wire_buffer batch = {0};
        for (int i = 0; i < 1000; i++)
            put_publish(&batch, 1, "", "q", "x", 1, false, NULL);
        unsigned sent = 0;
        for (; !b->paused && sent < 100000; sent += 1000)
            client_send(b, batch.items, batch.len);
        assert_in_range(sent, 1, LIMIT_UNCONFIRMED_MESSAGES + 1000);
        struct connection_info info;
        size_t at = 0;
        assert_true(broker_next_connection(r->nodes[1], &at, &info));
        assert_string_equal(info.state, "flow");
        char line[64];
        if (twice == 0) {
            r->hold_mail = false;
            rig_run(r);
            snprintf(line, sizeof(line), "1: basic.ack %u multiple", sent);
            expect(b, line);
        } else {
            rig_kill(r, 0);
            r->hold_mail = false;
            rig_run(r);
            rig_later(r, 5000);
            expect(b, "1: basic.nack *");
        }
        assert_false(b->paused);
        VEC_FREE(&batch);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(any_node_reaches_any_queue),
        T(all_nodes_route_alike),
        T(a_stopped_node_s_queue_is_stopped),
        T(a_killed_node_s_queue_is_down),
        T(a_mirrored_queue_survives_its_master),
        T(cancel_on_failover_is_heard),
        T(who_cannot_be_told_of_a_failover_is_cancelled_unheard),
        T(what_nobody_can_hold_is_nacked),
        T(declarations_may_race),
        T(what_waits_is_bounded),
        T(a_publisher_waits_for_a_slow_queue),
        T(a_queue_s_node_goes_and_its_bindings_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

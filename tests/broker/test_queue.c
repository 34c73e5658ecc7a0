/* test_queue.c: class queue and class exchange: each method, and each refusal word for word as
 * RabbitMQ 3.10.8. */
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

/* A channel that was refused something is closed; the next test line opens another. */
static void refused(struct client *c, const char *line)
{
    char whole[600];
    snprintf(whole, sizeof(whole), "1: channel.close %s", line);
    expect(c, whole);
    client_method(c, 1, AMQP_CHANNEL_CLOSE_OK_METHOD, &(amqp_channel_close_ok_t){0});
    client_method(c, 1, AMQP_CHANNEL_OPEN_METHOD, &(amqp_channel_open_t){0});
    expect(c, "1: channel.open-ok");
}

static void declare(struct client *c, amqp_queue_declare_t d)
{
    client_method(c, 1, AMQP_QUEUE_DECLARE_METHOD, &d);
}

static void queues_are_declared_and_deleted(void **state)
{
    struct client *c = client_open(*state, 0);
    client_declare(c, 1, "q", true);
    expect(c, "1: queue.declare-ok q 0 0");
    client_publish(c, 1, "", "q", "one");
    client_declare(c, 1, "q", true);
    expect(c, "1: queue.declare-ok q 1 0");
    declare(c, (amqp_queue_declare_t){.queue = words("q"), .passive = 1});
    expect(c, "1: queue.declare-ok q 1 0");
    client_method(c, 1, AMQP_QUEUE_PURGE_METHOD, &(amqp_queue_purge_t){.queue = words("q")});
    expect(c, "1: queue.purge-ok 1");
    client_publish(c, 1, "", "q", "two");
    client_method(c, 1, AMQP_QUEUE_DELETE_METHOD, &(amqp_queue_delete_t){.queue = words("q"), .if_empty = 1});
    refused(c, "406 PRECONDITION_FAILED - queue 'q' in vhost '/' not empty 50.40");
    client_consume(c, 1, "q", "t", false);
    client_drain(c);
    client_method(c, 1, AMQP_QUEUE_DELETE_METHOD,
                  &(amqp_queue_delete_t){.queue = words("q"), .if_unused = 1});
    refused(c, "406 PRECONDITION_FAILED - queue 'q' in vhost '/' in use 50.40");
    client_method(c, 1, AMQP_QUEUE_DELETE_METHOD, &(amqp_queue_delete_t){.queue = words("q")});
    expect(c, "1: queue.delete-ok 1");
    client_method(c, 1, AMQP_QUEUE_DELETE_METHOD, &(amqp_queue_delete_t){.queue = words("q")});
    expect(c, "1: queue.delete-ok 0");
    declare(c, (amqp_queue_declare_t){.queue = words("q"), .passive = 1});
    refused(c, "404 NOT_FOUND - no queue 'q' in vhost '/' 50.10");
    expect_nothing(c);
}

/* People are told of a client that was refused, but not of each, where they are many. */
static void refusals_are_told(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    unsigned before = r->told_len;
    for (int i = 0; i < 3; i++) {
        declare(c, (amqp_queue_declare_t){.queue = words("q"), .passive = 1});
        refused(c, "404 NOT_FOUND - no queue 'q' in vhost '/' 50.10");
    }
    assert_int_equal(r->told_len, before + 1);
    assert_string_equal(r->told, "a client was refused: NOT_FOUND - no queue 'q' in vhost '/'");
    rig_later(r, 1000);
    declare(c, (amqp_queue_declare_t){.queue = words("p"), .passive = 1});
    refused(c, "404 NOT_FOUND - no queue 'p' in vhost '/' 50.10");
    assert_string_equal(r->told,
                        "a client was refused, and 2 before it: NOT_FOUND - no queue 'p' in vhost '/'");
}

static void names_are_made_up_remembered_and_reserved(void **state)
{
    struct client *c = client_open(*state, 0);
    client_method(c, 1, AMQP_QUEUE_PURGE_METHOD, &(amqp_queue_purge_t){0});
    refused(c, "404 NOT_FOUND - no previously declared queue 50.30");
    declare(c, (amqp_queue_declare_t){0});
    expect(c, "1: queue.declare-ok amq.gen-*");
    client_publish(c, 1, "", "nobody", "x");
    client_method(c, 1, AMQP_QUEUE_PURGE_METHOD, &(amqp_queue_purge_t){0}); /* the last declared */
    expect(c, "1: queue.purge-ok 0");
    client_declare(c, 1, "amq.mine", false);
    refused(c, "403 ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*' 50.10");
    client_declare(c, 1, "a\r\nb", false);
    expect(c, "1: queue.declare-ok ab 0 0");
    declare(c, (amqp_queue_declare_t){.queue = {.len = 3, .bytes = "a\0b"}});
    refused(c, "406 PRECONDITION_FAILED - a queue's name is UTF-8 without zero octets 50.10");
    declare(c, (amqp_queue_declare_t){.queue = words("quiet"), .nowait = 1});
    expect_nothing(c);
    declare(c, (amqp_queue_declare_t){.queue = words("quiet"), .passive = 1});
    expect(c, "1: queue.declare-ok quiet 0 0");
}

static amqp_table_t table(amqp_table_entry_t *entries, int len)
{
    return (amqp_table_t){.num_entries = len, .entries = entries};
}

static amqp_table_entry_t number(const char *key, int32_t v)
{
    return (amqp_table_entry_t){.key = words(key), .value = {.kind = AMQP_FIELD_KIND_I32, .value.i32 = v}};
}

static amqp_table_entry_t text(const char *key, const char *v)
{
    return (amqp_table_entry_t){.key = words(key),
                                .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = words(v)}};
}

static void a_queue_is_declared_the_same_way_again(void **state)
{
    struct client *c = client_open(*state, 0);
    client_declare(c, 1, "q", true);
    expect(c, "1: queue.declare-ok q 0 0");
    client_declare(c, 1, "q", false);
    refused(c, "406 PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost '/': received "
               "'false' but "
               "current is 'true' 50.10");
    declare(c, (amqp_queue_declare_t){.queue = words("q"), .durable = 1, .auto_delete = 1});
    refused(c, "406 PRECONDITION_FAILED - inequivalent arg 'auto_delete' for queue 'q' in vhost '/': "
               "received 'true' "
               "but current is 'false' 50.10");
    declare(c, (amqp_queue_declare_t){.queue = words("q"), .durable = 1, .exclusive = 1});
    refused(
        c,
        "405 RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q' in vhost '/'. It could be "
        "originally declared on another connection or the exclusive property value does not match that of "
        "the "
        "original declaration. 50.10");
    amqp_table_entry_t ttl = number("x-message-ttl", 5), other = number("x-message-ttl", 6),
                       unknown = number("foo", 1);
    declare(c, (amqp_queue_declare_t){.queue = words("q"), .durable = 1, .arguments = table(&ttl, 1)});
    refused(
        c,
        "406 PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received the "
        "value '5' of type 'signedint' but current is none 50.10");
    declare(c, (amqp_queue_declare_t){.queue = words("q"), .durable = 1, .arguments = table(&unknown, 1)});
    expect(c, "1: queue.declare-ok q 0 0");
    declare(c, (amqp_queue_declare_t){.queue = words("t"), .arguments = table(&ttl, 1)});
    expect(c, "1: queue.declare-ok t 0 0");
    declare(c, (amqp_queue_declare_t){.queue = words("t"), .arguments = table(&other, 1)});
    refused(
        c,
        "406 PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue 't' in vhost '/': received '6' "
        "but current is '5' 50.10");
    ttl.value.kind = AMQP_FIELD_KIND_I64; /* the same number, wider */
    ttl.value.value.i64 = 5;
    declare(c, (amqp_queue_declare_t){.queue = words("t"), .arguments = table(&ttl, 1)});
    expect(c, "1: queue.declare-ok t 0 0");
}

/* A queue that is there is compared with what is wanted before that is judged on its own. */
static void what_is_there_is_compared_before_anything_is_judged(void **state)
{
    static const struct {
        const char *key, *word; /* word NULL: the number */
        int32_t number;
        const char *says; /* NULL: taken */
    } cases[] = {
        {"x-max-length", "5", 0, "received '5' but current is '5'"},
        {"x-max-length", NULL, -1, "received '-1' but current is '5'"},
        {"x-overflow", "foo", 0, "received the value 'foo' of type 'longstr' but current is none"},
        {"x-dead-letter-routing-key", "k", 0, "received the value 'k' of type 'longstr' but current is none"},
        {"x-queue-type", "quorum", 0, "received the value 'quorum' of type 'longstr' but current is none"},
        {"x-queue-version", NULL, 9, "received the value '9' of type 'signedint' but current is none"},
        {"x-queue-master-locator", "random", 0,
         "received the value 'random' of type 'longstr' but current is none"},
        {"x-queue-type", "classic", 0, NULL},
        {"x-delivery-limit", NULL, 3, NULL},
    };
    struct client *c = client_open(*state, 0);
    amqp_table_entry_t length = number("x-max-length", 5);
    declare(c, (amqp_queue_declare_t){.queue = words("q"), .arguments = table(&length, 1)});
    expect(c, "1: queue.declare-ok q 0 0");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        amqp_table_entry_t e[] = {cases[i].word ? text(cases[i].key, cases[i].word)
                                                : number(cases[i].key, cases[i].number),
                                  length};
        int n = strcmp(cases[i].key, "x-max-length") == 0 ? 1 : 2;
        declare(c, (amqp_queue_declare_t){.queue = words("q"), .arguments = table(e, n)});
        if (!cases[i].says) {
            expect(c, "1: queue.declare-ok q 0 0");
            continue;
        }
        char line[300];
        snprintf(line, sizeof(line),
                 "406 PRECONDITION_FAILED - inequivalent arg '%s' for queue 'q' in vhost '/': %s 50.10",
                 cases[i].key, cases[i].says);
        refused(c, line);
    }
    struct client *other = client_open(*state, 0);
    declare(c, (amqp_queue_declare_t){.queue = words("mine"), .exclusive = 1});
    expect(c, "1: queue.declare-ok mine 0 0");
    amqp_table_entry_t wrong = number("x-max-length", -1);
    declare(other, (amqp_queue_declare_t){.queue = words("mine"), .arguments = table(&wrong, 1)});
    expect(other, "1: channel.close 405 RESOURCE_LOCKED *");
}

static void arguments_are_checked(void **state)
{
    static const struct {
        const char *key, *word; /* word NULL: the number */
        int32_t number;
        const char *says;
    } cases[] = {
        {"x-message-ttl", NULL, -1, "{value_negative,-1}"},
        {"x-message-ttl", "a", 0, "\"expected integer, got longstr\""},
        {"x-expires", NULL, 0, "{value_zero,0}"},
        {"x-max-length", NULL, -1, "{value_negative,-1}"},
        {"x-max-length-bytes", NULL, -5, "{value_negative,-5}"},
        {"x-overflow", "foo", 0, "invalid_overflow"},
        {"x-overflow", NULL, 5, "{unacceptable_type,signedint}"},
        {"x-max-priority", NULL, 300, "{max_value_exceeded,300}"},
        {"x-dead-letter-routing-key", "k", 0, "routing_key_but_no_dlx_defined"},
        {"x-queue-mode", "foo", 0, "\"unsupported queue mode 'foo'\""},
        {"x-queue-type", "quorum", 0, "\"unsupported queue type 'quorum'\""},
        {"x-queue-master-locator", "foo", 0, "invalid_queue_locator"},
        {"x-single-active-consumer", "x", 0, "{unacceptable_type,longstr}"},
        {"x-queue-version", NULL, 3, "\"unsupported queue version '3'\""},
        {"x-queue-version", NULL, -1, "{value_negative,-1}"},
        {"x-queue-version", "2", 0, "\"expected integer, got longstr\""},
    };
    struct client *c = client_open(*state, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        amqp_table_entry_t e =
            cases[i].word ? text(cases[i].key, cases[i].word) : number(cases[i].key, cases[i].number);
        declare(c, (amqp_queue_declare_t){.queue = words("q"), .arguments = table(&e, 1)});
        char line[300];
        snprintf(line, sizeof(line),
                 "406 PRECONDITION_FAILED - invalid arg '%s' for queue 'q' in vhost '/': %s 50.10",
                 cases[i].key, cases[i].says);
        refused(c, line);
    }
    /* what only other types of queues know is refused, whatever it says; but the type and the values first */
    amqp_table_entry_t foreign[] = {text("x-max-age", "1D"), number("x-delivery-limit", 3),
                                    number("x-max-length", -1), text("x-queue-type", "foo")};
    static const char *const says[] = {
        "406 PRECONDITION_FAILED - invalid arg 'x-max-age' for queue 'q' in vhost '/' of queue type "
        "rabbit_classic_queue 50.10",
        "406 PRECONDITION_FAILED - invalid arg 'x-max-age' for queue 'q' in vhost '/' of queue type "
        "rabbit_classic_queue 50.10",
        "406 PRECONDITION_FAILED - invalid arg 'x-max-length' for queue 'q' in vhost '/': "
        "{value_negative,-1} 50.10",
        "406 PRECONDITION_FAILED - invalid arg 'x-queue-type' for queue 'q' in vhost '/': \"unsupported "
        "queue "
        "type 'foo'\" 50.10",
    };
    for (int i = 0; i < (int)ARRAY_LEN(foreign); i++) {
        declare(c, (amqp_queue_declare_t){.queue = words("q"), .arguments = table(foreign, i + 1)});
        refused(c, says[i]);
    }
    amqp_table_entry_t long_time = {words("x-message-ttl"),
                                    {.kind = AMQP_FIELD_KIND_I64, .value.i64 = 315360000001}};
    declare(c, (amqp_queue_declare_t){.queue = words("q"), .arguments = table(&long_time, 1)});
    refused(c, "406 PRECONDITION_FAILED - invalid arg 'x-message-ttl' for queue 'q' in vhost '/': "
               "{value_too_large,315360000001} 50.10");
    long_time.value.value.i64 = 315360000000; /* ten years are not too long */
    declare(c, (amqp_queue_declare_t){.queue = words("ten"), .arguments = table(&long_time, 1)});
    expect(c, "1: queue.declare-ok ten 0 0");
    amqp_table_entry_t good[] = {text("x-queue-type", "classic"),    text("x-overflow", "reject-publish"),
                                 number("x-max-length", 0),          number("x-message-ttl", 0),
                                 text("x-dead-letter-exchange", ""), text("x-dead-letter-routing-key", "k")};
    declare(c, (amqp_queue_declare_t){.queue = words("q"), .arguments = table(good, ARRAY_LEN(good))});
    expect(c, "1: queue.declare-ok q 0 0");
    struct queue_info info;
    const struct mirror *m = broker_mirror(((struct rig *)*state)->nodes[0]);
    mirror_queue_info(m, mirror_find_queue(m, "q"), &info);
    assert_int_equal(info.args->max_length, 0);
    assert_int_equal(info.args->message_ttl_ms, 0);
    assert_int_equal(info.args->expires_ms, -1);
    assert_string_equal(info.args->overflow, "reject-publish");
    assert_string_equal(info.args->dead_letter_key, "k");
}

static void exclusive_queues_are_their_connection_s(void **state)
{
    static const char *const says = "405 RESOURCE_LOCKED - cannot obtain exclusive access to locked queue "
                                    "'mine' in vhost '/'. It could be "
                                    "originally declared on another connection or the exclusive property "
                                    "value does not match that of the original "
                                    "declaration.";
    struct client *a = client_open(*state, 0), *b = client_open(*state, 0);
    declare(a, (amqp_queue_declare_t){.queue = words("mine"), .exclusive = 1});
    expect(a, "1: queue.declare-ok mine 0 0");
    char line[400];
    static const char *const methods[] = {"50.10", "50.30", "50.40", "50.20", "60.70", "60.20"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        switch (i) {
        case 0: declare(b, (amqp_queue_declare_t){.queue = words("mine"), .exclusive = 1}); break;
        case 1:
            client_method(b, 1, AMQP_QUEUE_PURGE_METHOD, &(amqp_queue_purge_t){.queue = words("mine")});
            break;
        case 2:
            client_method(b, 1, AMQP_QUEUE_DELETE_METHOD, &(amqp_queue_delete_t){.queue = words("mine")});
            break;
        case 3: client_bind(b, 1, "mine", "amq.direct", "k"); break;
        case 4: client_get(b, 1, "mine"); break;
        default: client_consume(b, 1, "mine", "", false); break;
        }
        snprintf(line, sizeof(line), "%s %s", says, methods[i]);
        refused(b, line);
    }
    client_publish(b, 1, "", "mine", "anyone may publish");
    client_get(a, 1, "mine");
    expect(a, "1: basic.get-ok 1 left 0 anyone may publish");
    client_hang_up(a);
    declare(b, (amqp_queue_declare_t){.queue = words("mine"), .passive = 1});
    refused(b, "404 NOT_FOUND - no queue 'mine' in vhost '/' 50.10");
}

static void exchanges_are_declared_and_deleted(void **state)
{
    struct client *c = client_open(*state, 0);
    client_declare_exchange(c, 1, "x", "topic");
    expect(c, "1: exchange.declare-ok");
    client_declare_exchange(c, 1, "x", "topic");
    expect(c, "1: exchange.declare-ok");
    client_declare_exchange(c, 1, "x", "direct");
    refused(c, "406 PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'x' in vhost '/': received "
               "'direct' but "
               "current is 'topic' 40.10");
    client_method(c, 1, AMQP_EXCHANGE_DECLARE_METHOD,
                  &(amqp_exchange_declare_t){.exchange = words("x"), .type = words("topic"), .durable = 1});
    refused(c, "406 PRECONDITION_FAILED - inequivalent arg 'durable' for exchange 'x' in vhost '/': received "
               "'true' but "
               "current is 'false' 40.10");
    client_declare_exchange(c, 1, "amq.x", "direct");
    refused(c, "403 ACCESS_REFUSED - exchange name 'amq.x' contains reserved prefix 'amq.*' 40.10");
    client_declare_exchange(c, 1, "", "direct");
    refused(c, "403 ACCESS_REFUSED - operation not permitted on the default exchange 40.10");
    client_method(c, 1, AMQP_EXCHANGE_DECLARE_METHOD,
                  &(amqp_exchange_declare_t){.exchange = words("none"), .passive = 1});
    refused(c, "404 NOT_FOUND - no exchange 'none' in vhost '/' 40.10");
    client_declare(c, 1, "q", false);
    expect(c, "1: queue.declare-ok q 0 0");
    client_bind(c, 1, "q", "x", "a.#");
    expect(c, "1: queue.bind-ok");
    client_method(c, 1, AMQP_EXCHANGE_DELETE_METHOD,
                  &(amqp_exchange_delete_t){.exchange = words("x"), .if_unused = 1});
    refused(c, "406 PRECONDITION_FAILED - exchange 'x' in vhost '/' in use 40.20");
    client_method(c, 1, AMQP_EXCHANGE_DELETE_METHOD, &(amqp_exchange_delete_t){.exchange = words("x")});
    expect(c, "1: exchange.delete-ok");
    client_method(c, 1, AMQP_EXCHANGE_DELETE_METHOD, &(amqp_exchange_delete_t){.exchange = words("x")});
    expect(c, "1: exchange.delete-ok");
    client_method(c, 1, AMQP_EXCHANGE_DELETE_METHOD,
                  &(amqp_exchange_delete_t){.exchange = words("amq.topic")});
    refused(c, "403 ACCESS_REFUSED - deletion of system exchange 'amq.topic' in vhost '/' not allowed 40.20");
    client_method(c, 1, AMQP_EXCHANGE_DELETE_METHOD,
                  &(amqp_exchange_delete_t){.exchange = words("amq.none")}); /* there or not */
    refused(c, "403 ACCESS_REFUSED - deletion of system exchange 'amq.none' in vhost '/' not allowed 40.20");
    client_publish(c, 1, "x", "k", "x");
    refused(c, "404 NOT_FOUND - no exchange 'x' in vhost '/' 60.40");
    client_declare_exchange(c, 1, "x", "nonsense");
    expect(c, "0: connection.close 503 COMMAND_INVALID - invalid exchange type 'nonsense' 40.10");
}

static void bindings_need_both_ends(void **state)
{
    struct client *c = client_open(*state, 0);
    client_declare(c, 1, "q", false);
    expect(c, "1: queue.declare-ok q 0 0");
    client_bind(c, 1, "q", "none", "k");
    refused(c, "404 NOT_FOUND - no exchange 'none' in vhost '/' 50.20");
    client_bind(c, 1, "none", "amq.direct", "k");
    refused(c, "404 NOT_FOUND - no queue 'none' in vhost '/' 50.20");
    client_bind(c, 1, "q", "", "k");
    refused(c, "403 ACCESS_REFUSED - operation not permitted on the default exchange 50.20");
    client_method(c, 1, AMQP_QUEUE_UNBIND_METHOD,
                  &(amqp_queue_unbind_t){.queue = words("none"), .exchange = words("none")});
    expect(c, "1: queue.unbind-ok");
    client_method(c, 1, AMQP_EXCHANGE_BIND_METHOD,
                  &(amqp_exchange_bind_t){.destination = words("none"), .source = words("amq.direct")});
    refused(c, "404 NOT_FOUND - no exchange 'none' in vhost '/' 40.30");
}

/* An exchange deleted and declared again begins without bindings; so does a queue. */
static void bindings_end_with_either_end(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    client_declare(c, 1, "q", false);
    client_declare_exchange(c, 1, "x", "direct");
    client_declare_exchange(c, 1, "y", "fanout");
    client_bind(c, 1, "q", "x", "k");
    client_method(
        c, 1, AMQP_EXCHANGE_BIND_METHOD,
        &(amqp_exchange_bind_t){.destination = words("x"), .source = words("y"), .routing_key = words("")});
    client_drain(c);
    size_t at = 0, count = 0;
    struct binding_info info;
    while (broker_next_binding(r->nodes[0], &at, &info))
        count++;
    assert_int_equal(count, 3); /* and the default exchange's */
    client_method(c, 1, AMQP_EXCHANGE_DELETE_METHOD, &(amqp_exchange_delete_t){.exchange = words("x")});
    client_declare_exchange(c, 1, "x", "direct");
    client_drain(c);
    client_publish_as(c, 1, "x", "k", "x", 1, true, NULL);
    expect(c, "1: basic.return 312 NO_ROUTE x");
    client_publish_as(c, 1, "y", "k", "x", 1, true, NULL);
    expect(c, "1: basic.return 312 NO_ROUTE x");
    client_bind(c, 1, "q", "x", "k");
    client_method(c, 1, AMQP_QUEUE_DELETE_METHOD, &(amqp_queue_delete_t){.queue = words("q")});
    client_declare(c, 1, "q", false);
    client_drain(c);
    client_publish_as(c, 1, "x", "k", "x", 1, true, NULL);
    expect(c, "1: basic.return 312 NO_ROUTE x");
    for (at = 0, count = 0; broker_next_binding(r->nodes[0], &at, &info);)
        count++;
    assert_int_equal(count, 1);
}

static void auto_delete_exchanges_go_with_their_last_binding(void **state)
{
    struct client *c = client_open(*state, 0);
    client_declare(c, 1, "q", false);
    client_method(
        c, 1, AMQP_EXCHANGE_DECLARE_METHOD,
        &(amqp_exchange_declare_t){.exchange = words("x"), .type = words("fanout"), .auto_delete = 1});
    client_bind(c, 1, "q", "x", "1");
    client_bind(c, 1, "q", "x", "2");
    client_method(
        c, 1, AMQP_QUEUE_UNBIND_METHOD,
        &(amqp_queue_unbind_t){.queue = words("q"), .exchange = words("x"), .routing_key = words("1")});
    client_drain(c);
    client_method(c, 1, AMQP_EXCHANGE_DECLARE_METHOD,
                  &(amqp_exchange_declare_t){.exchange = words("x"), .passive = 1});
    expect(c, "1: exchange.declare-ok");
    client_method(c, 1, AMQP_QUEUE_DELETE_METHOD, &(amqp_queue_delete_t){.queue = words("q")});
    expect(c, "1: queue.delete-ok 0");
    client_method(c, 1, AMQP_EXCHANGE_DECLARE_METHOD,
                  &(amqp_exchange_declare_t){.exchange = words("x"), .passive = 1});
    refused(c, "404 NOT_FOUND - no exchange 'x' in vhost '/' 40.10");
}

/* x1 -> x2 -> x3 -> q: with q go x3, x2 and x1; deleting x2 takes x1 along */
static void auto_delete_exchanges_go_with_the_exchange_they_lead_to(void **state)
{
    static const char *const names[] = {"x1", "x2", "x3"};
    struct client *c = client_open(*state, 0);
    for (int round = 0; round < 2; round++) {
        client_declare(c, 1, "q", false);
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            client_method(c, 1, AMQP_EXCHANGE_DECLARE_METHOD,
                          &(amqp_exchange_declare_t){
                              .exchange = words(names[i]), .type = words("fanout"), .auto_delete = 1});
        for (size_t i = 0; i + 1 < ARRAY_LEN(names); i++)
            client_method(
                c, 1, AMQP_EXCHANGE_BIND_METHOD,
                &(amqp_exchange_bind_t){.destination = words(names[i + 1]), .source = words(names[i])});
        client_bind(c, 1, "q", "x3", "k");
        client_drain(c);
        if (round == 0) {
            client_method(c, 1, AMQP_QUEUE_DELETE_METHOD, &(amqp_queue_delete_t){.queue = words("q")});
            expect(c, "1: queue.delete-ok 0");
        } else {
            client_method(c, 1, AMQP_EXCHANGE_DELETE_METHOD,
                          &(amqp_exchange_delete_t){.exchange = words("x2")});
            expect(c, "1: exchange.delete-ok");
        }
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            client_method(c, 1, AMQP_EXCHANGE_DECLARE_METHOD,
                          &(amqp_exchange_declare_t){.exchange = words(names[i]), .passive = 1});
            if (round == 1 && i == 2) { /* nothing that it led to went */
                expect(c, "1: exchange.declare-ok");
                continue;
            }
            char line[100];
            snprintf(line, sizeof(line), "404 NOT_FOUND - no exchange '%s' in vhost '/' 40.10", names[i]);
            refused(c, line);
        }
    }
}

static const struct effect *answered(struct rig *r, uint64_t req)
{
    rig_run(r);
    assert_non_null(r->answer);
    assert_int_equal(r->answer->u.answer.req, req);
    return r->answer;
}

static void management_does_the_same(void **state)
{
    struct rig *r = *state;
    struct broker *b = r->nodes[0];
    struct client *c = client_open(r, 0);
    client_declare(c, 1, "q", false);
    client_drain(c);
    struct effects fx = {0};
    uint64_t req = REQ_HOST;
    broker_declare_exchange(b, ++req, "x", "direct", true, false, false, r->now, &fx);
    rig_perform(r, 0, &fx);
    assert_int_equal(answered(r, req)->u.answer.status, ANSWER_OK);
    broker_declare_exchange(b, ++req, "x", "fanout", true, false, false, r->now, &fx);
    rig_perform(r, 0, &fx);
    assert_int_equal(answered(r, req)->u.answer.status, ANSWER_INVALID);
    assert_string_equal(r->answer->u.answer.text,
                        "inequivalent arg 'type' for exchange 'x' in vhost '/': received "
                        "'fanout' but current is 'direct'");
    broker_bind(b, ++req, true, "x", "q", true, "k", r->now, &fx);
    rig_perform(r, 0, &fx);
    assert_int_equal(answered(r, req)->u.answer.status, ANSWER_OK);
    broker_bind(b, ++req, true, "x", "none", true, "k", r->now, &fx);
    rig_perform(r, 0, &fx);
    assert_int_equal(answered(r, req)->u.answer.status, ANSWER_NOT_FOUND);
    bool routed = false;
    struct message *m = message_create(bytes_str("x"), bytes_str("k"), bytes_of("\0\0", 2), "hi", 2);
    assert_int_equal(broker_publish(b, "x", m, &routed, r->now, &fx), 0);
    assert_true(routed);
    assert_int_equal(broker_publish(b, "none", m, &routed, r->now, &fx), ERR_NOT_FOUND);
    message_unref(m);
    rig_perform(r, 0, &fx);
    rig_run(r);
    client_get(c, 1, "q");
    expect(c, "1: basic.get-ok 1 left 0 hi");
    broker_delete_exchange(b, ++req, "x", false, r->now, &fx);
    rig_perform(r, 0, &fx);
    assert_int_equal(answered(r, req)->u.answer.status, ANSWER_OK);
    broker_delete_exchange(b, ++req, "x", false, r->now, &fx);
    rig_perform(r, 0, &fx);
    assert_int_equal(answered(r, req)->u.answer.status, ANSWER_NOT_FOUND);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(refusals_are_told),
        T(queues_are_declared_and_deleted),
        T(names_are_made_up_remembered_and_reserved),
        T(a_queue_is_declared_the_same_way_again),
        T(what_is_there_is_compared_before_anything_is_judged),
        T(arguments_are_checked),
        T(exclusive_queues_are_their_connection_s),
        T(exchanges_are_declared_and_deleted),
        T(bindings_need_both_ends),
        T(bindings_end_with_either_end),
        T(auto_delete_exchanges_go_with_their_last_binding),
        T(auto_delete_exchanges_go_with_the_exchange_they_lead_to),
        T(management_does_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

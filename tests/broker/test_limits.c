/* test_limits.c: how long a queue and its messages may be: max-length and what a full queue does, time to
 * live, expiry of queues, priorities. What is expected was asked of RabbitMQ 3.10.8. */
#include "tests/broker/rig.h"

#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    *state = rig_create(1);
    return 0;
}

static int three(void **state)
{
    *state = rig_create(3);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

static struct client *with_queue(struct rig *r, const char *queue, const char *arguments)
{
    struct client *c = client_open(r, 0);
    client_declare_with(c, 1, queue, true, arguments);
    char line[64];
    snprintf(line, sizeof(line), "1: queue.declare-ok %s 0 0", queue);
    expect(c, line);
    return c;
}

/* every word is a message */
static void publish(struct client *c, const char *queue, const char *bodies)
{
    char *copy = xstrdup(bodies), *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        client_publish(c, 1, "", queue, word);
    free(copy);
}

static void publish_for(struct client *c, const char *queue, const char *body, const char *expiration)
{
    client_publish_as(
        c, 1, "", queue, body, strlen(body), false,
        &(amqp_basic_properties_t){._flags = AMQP_BASIC_EXPIRATION_FLAG, .expiration = words(expiration)});
}

static void publish_first(struct client *c, const char *queue, const char *body, uint8_t priority)
{
    client_publish_as(c, 1, "", queue, body, strlen(body), false,
                      &(amqp_basic_properties_t){._flags = AMQP_BASIC_PRIORITY_FLAG, .priority = priority});
}

static void ready(struct client *c, const char *queue, unsigned messages)
{
    char line[64];
    client_method(c, 1, AMQP_QUEUE_DECLARE_METHOD,
                  &(amqp_queue_declare_t){.queue = words(queue), .passive = 1});
    snprintf(line, sizeof(line), "1: queue.declare-ok %s %u 0", queue, messages);
    expect(c, line);
}

/* takes all there is, through a client of its own */
static void holds(struct rig *r, const char *queue, const char *bodies)
{
    size_t node = 0;
    while (!r->nodes[node])
        node++;
    struct client *c = client_open(r, node);
    struct text got = {0};
    for (;;) {
        client_method(c, 1, AMQP_BASIC_GET_METHOD, &(amqp_basic_get_t){.queue = words(queue), .no_ack = 1});
        const char *line = client_read(c);
        assert_non_null(line);
        if (strstr(line, "get-empty"))
            break;
        text_printf(&got, "%s%s", got.len ? " " : "", strrchr(line, ' ') + 1);
    }
    assert_string_equal(text_str(&got), bodies);
    text_finish(&got);
    client_hang_up(c);
}

/* ---- length ---- */

static void a_full_queue_drops_its_head(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-max-length=3");
    client_confirm(c, 1);
    publish(c, "q", "m1 m2 m3 m4 m5");
    for (unsigned i = 1; i <= 5; i++) {
        char line[32];
        snprintf(line, sizeof(line), "1: basic.ack %u", i);
        expect(c, line); /* dropping is no refusal */
    }
    ready(c, "q", 3);
    holds(r, "q", "m3 m4 m5");
}

static void bytes_of_bodies_count(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-max-length-bytes=10");
    publish(c, "q", "aaaa bbbb cc");
    ready(c, "q", 3);
    publish(c, "q", "ddd");
    holds(r, "q", "bbbb cc ddd");
    publish(c, "q", "aaaa morethanten");
    holds(r, "q", ""); /* itself, too */
}

static void what_consumers_hold_does_not_count(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-max-length=3");
    publish(c, "q", "m1 m2 m3");
    client_get(c, 1, "q");
    expect(c, "1: basic.get-ok 1 left 2 m1");
    client_get(c, 1, "q");
    expect(c, "1: basic.get-ok 2 left 1 m2");
    publish(c, "q", "m4 m5");
    ready(c, "q", 3);
    client_nack(c, 1, 2, true, true); /* back at the head, and too many */
    ready(c, "q", 3);
    holds(r, "q", "m3 m4 m5");
}

static void a_consumer_that_waits_comes_before_the_limit(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-max-length=0"), *k = client_open(r, 0);
    client_consume(k, 1, "q", "t", true);
    expect(k, "1: basic.consume-ok t");
    publish(c, "q", "m1 m2");
    expect(k, "1: basic.deliver t 1 m1");
    expect(k, "1: basic.deliver t 2 m2");
    client_hang_up(k);
    publish(c, "q", "m3");
    ready(c, "q", 0);
}

static void a_full_queue_refuses(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-max-length=2 x-overflow=reject-publish");
    client_confirm(c, 1);
    publish(c, "q", "m1 m2 m3");
    expect(c, "1: basic.ack 1");
    expect(c, "1: basic.ack 2");
    expect(c, "1: basic.nack 3");
    client_get(c, 1, "q");
    expect(c, "1: basic.get-ok 1 left 1 m1");
    publish(c, "q", "m4 m5");
    expect(c, "1: basic.ack 4");
    expect(c, "1: basic.nack 5");
    client_nack(c, 1, 1, false, true); /* what goes back is not refused, nor dropped */
    ready(c, "q", 3);
    holds(r, "q", "m1 m2 m4");
}

static void one_that_refuses_makes_a_nack_of_all(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-max-length=1 x-overflow=reject-publish");
    client_declare(c, 1, "free", false);
    client_declare_exchange(c, 1, "x", "fanout");
    client_bind(c, 1, "q", "x", "");
    client_bind(c, 1, "free", "x", "");
    client_drain(c);
    client_confirm(c, 1);
    client_publish(c, 1, "x", "", "m1");
    expect(c, "1: basic.ack 1");
    client_publish(c, 1, "x", "", "m2");
    expect(c, "1: basic.nack 2");
    holds(r, "q", "m1");
    holds(r, "free", "m1 m2");
}

static void the_lower_of_argument_and_policy_counts(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-max-length=5");
    publish(c, "q", "1 2 3 4 5 6");
    ready(c, "q", 5);
    rig_policy(r, 0, "^q", "{\"max-length\":3}"); /* what is there already is cut, too */
    ready(c, "q", 3);
    rig_policy(r, 0, "^q", "{\"max-length\":30}");
    publish(c, "q", "7 8 9 10");
    ready(c, "q", 5);
    holds(r, "q", "6 7 8 9 10");
}

static void a_policy_applies_its_length_before_its_overflow(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-max-length=100");
    publish(c, "q", "1 2 3 4 5 6");
    rig_policy(r, 0, "^q", "{\"max-length\":2,\"overflow\":\"reject-publish\"}");
    holds(r, "q", "5 6"); /* so does RabbitMQ */
    publish(c, "q", "7 8 9");
    holds(r, "q", "7 8");
}

/* ---- time ---- */

static void messages_expire_when_nobody_looks(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-message-ttl=500");
    publish(c, "q", "m1");
    rig_later(r, 300);
    publish(c, "q", "m2");
    publish_for(c, "q", "m3", "60000"); /* the lower one counts */
    rig_later(r, 199);
    ready(c, "q", 3);
    struct queue_info info;
    const struct mirror *m = broker_mirror(r->nodes[0]);
    rig_later(r, 1);
    mirror_queue_info(m, mirror_find_queue(m, "q"), &info);
    assert_int_equal(info.ready, 2);
    rig_later(r, 300);
    mirror_queue_info(m, mirror_find_queue(m, "q"), &info);
    assert_int_equal(info.ready, 0);
    assert_int_equal(broker_deadline(r->nodes[0]) > r->now + 1000, 1); /* and nothing is left to wait for */
}

static void only_the_head_expires(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "");
    publish(c, "q", "stays");
    publish_for(c, "q", "short", "100");
    publish(c, "q", "last");
    rig_later(r, 500);
    ready(c, "q", 3);
    client_get(c, 1, "q"); /* what was behind it is over: it does not count */
    expect(c, "1: basic.get-ok 1 left 1 stays");
    ready(c, "q", 1);
    holds(r, "q", "last");
}

static void what_a_consumer_holds_expires_when_it_comes_back(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-message-ttl=500");
    publish(c, "q", "m1");
    client_get(c, 1, "q");
    expect(c, "1: basic.get-ok 1 left 0 m1");
    rig_later(r, 300);
    client_nack(c, 1, 1, false, true);
    client_get(c, 1, "q"); /* its time did not begin again */
    expect(c, "1: basic.get-ok 2 redelivered left 0 m1");
    rig_later(r, 1000);
    const struct mirror *m = broker_mirror(r->nodes[0]);
    struct queue_info info;
    mirror_queue_info(m, mirror_find_queue(m, "q"), &info);
    assert_int_equal(info.unacked, 1);
    client_nack(c, 1, 2, false, true);
    ready(c, "q", 0);
}

static void a_time_of_zero_is_for_consumers_that_wait(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-message-ttl=0"), *k = client_open(r, 0);
    client_confirm(c, 1);
    publish(c, "q", "m1");
    expect(c, "1: basic.ack 1");
    ready(c, "q", 0);
    client_consume(k, 1, "q", "t", true);
    expect(k, "1: basic.consume-ok t");
    publish(c, "q", "m2 m3");
    expect(k, "1: basic.deliver t 1 m2");
    expect(k, "1: basic.deliver t 2 m3");
}

static void a_new_ttl_is_for_new_messages(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "");
    publish(c, "q", "old");
    rig_policy(r, 0, "^q", "{\"message-ttl\":300}");
    publish(c, "q", "new");
    rig_later(r, 1000);
    ready(c, "q", 2);
    holds(r, "q", "old");
}

static void an_unused_queue_goes(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-expires=1000");
    rig_later(r, 900);
    client_declare_with(c, 1, "q", true, "x-expires=1000");
    expect(c, "1: queue.declare-ok q 0 0");
    rig_later(r, 900);
    client_get(c, 1, "q");
    expect(c, "1: basic.get-empty");
    rig_later(r, 900);
    publish(c, "q", "m1"); /* does not count as use */
    client_consume(c, 1, "q", "t", true);
    expect(c, "1: basic.consume-ok t");
    expect(c, "1: basic.deliver t 1 m1");
    rig_later(r, 5000);
    client_method(c, 1, AMQP_BASIC_CANCEL_METHOD, &(amqp_basic_cancel_t){.consumer_tag = words("t")});
    expect(c, "1: basic.cancel-ok t");
    rig_later(r, 999);
    assert_non_null(mirror_find_queue(broker_mirror(r->nodes[0]), "q"));
    rig_later(r, 1);
    assert_null(mirror_find_queue(broker_mirror(r->nodes[0]), "q"));
    client_get(c, 1, "q");
    expect(c, "1: channel.close 404 NOT_FOUND - no queue 'q' in vhost '/'*");
}

/* ---- priorities ---- */

static void higher_ones_come_first(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-max-priority=5");
    static const uint8_t priorities[] = {1, 5, 3, 2, 9, 0, 3, 5, 1};
    for (unsigned i = 0; i < ARRAY_LEN(priorities); i++) {
        char body[8];
        snprintf(body, sizeof(body), "p%u-%u", priorities[i], i);
        publish_first(c, "q", body, priorities[i]);
    }
    publish(c, "q", "none"); /* counts as 0 */
    holds(r, "q", "p5-1 p9-4 p5-7 p3-2 p3-6 p2-3 p1-0 p1-8 p0-5 none");
}

static void a_requeued_one_has_its_place_in_its_priority(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-max-priority=5");
    publish_first(c, "q", "low1", 1);
    publish_first(c, "q", "high1", 5);
    publish_first(c, "q", "high2", 5);
    publish_first(c, "q", "low2", 1);
    for (unsigned i = 0; i < 3; i++)
        client_get(c, 1, "q");
    client_drain(c);
    publish_first(c, "q", "high3", 5);
    client_nack(c, 1, 2, false, true);
    client_nack(c, 1, 1, false, true);
    client_nack(c, 1, 3, false, true);
    holds(r, "q", "high1 high2 high3 low1 low2");
}

static void a_full_queue_drops_the_head_of_the_highest_priority(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-max-priority=5 x-max-length=3");
    static const uint8_t priorities[] = {1, 5, 3, 2, 9, 0};
    for (unsigned i = 0; i < ARRAY_LEN(priorities); i++) {
        char body[8];
        snprintf(body, sizeof(body), "p%u", priorities[i]);
        publish_first(c, "q", body, priorities[i]);
    }
    holds(r, "q", "p2 p1 p0"); /* the head is what would be delivered next */
}

static void a_higher_one_holds_back_the_expiry_of_lower_ones(void **state)
{
    struct rig *r = *state;
    struct client *c = with_queue(r, "q", "x-max-priority=5");
    client_publish_as(
        c, 1, "", "q", "low", 3, false,
        &(amqp_basic_properties_t){._flags = AMQP_BASIC_PRIORITY_FLAG | AMQP_BASIC_EXPIRATION_FLAG,
                                   .priority = 1,
                                   .expiration = words("100")});
    publish_first(c, "q", "high", 5);
    rig_later(r, 500);
    ready(c, "q", 2);
    holds(r, "q", "high");
}

/* ---- on several nodes ---- */

static void mirrors_follow(void **state)
{
    struct rig *r = *state;
    rig_policy(r, 0, "^q", "{\"ha-mode\":\"all\"}");
    struct client *c = with_queue(r, "q", "x-max-length=3 x-message-ttl=10000 x-max-priority=2");
    publish_first(c, "q", "p1", 1);
    ms_time began = r->now;
    rig_later(r, 400);
    publish(c, "q", "a b c"); /* p1 is the head, and goes */
    client_get(c, 1, "q");
    expect(c, "1: basic.get-ok 1 left 2 a");
    rig_later(r, 500);
    publish_first(c, "q", "p2", 2);
    rig_kill(r, 0); /* a was not settled: it is back, and one too many; the highest goes */
    struct client *k = client_open(r, 1);
    const struct mirror *m = broker_mirror(r->nodes[1]);
    struct queue_info info;
    mirror_queue_info(m, mirror_find_queue(m, "q"), &info);
    assert_true(info.local);
    ready(k, "q", 3);
    client_get(k, 1, "q");
    expect(k, "1: basic.get-ok 1 redelivered left 2 a");
    rig_later(r, 400 + 10000 - (r->now - began) - 1); /* over at the time that the first master said */
    ready(k, "q", 2);
    rig_later(r, 1);
    ready(k, "q", 0);
}

static void refused_stays_refused(void **state)
{
    struct rig *r = *state;
    rig_policy(r, 0, "^q", "{\"ha-mode\":\"all\"}");
    struct client *c = client_open(r, 1), *k = client_open(r, 0);
    client_declare_with(k, 1, "q", true, "x-max-length=1 x-overflow=reject-publish");
    expect(k, "1: queue.declare-ok q 0 0");
    client_confirm(c, 1);
    publish(c, "q", "m1");
    expect(c, "1: basic.ack 1");
    r->hold_disk = true; /* so that nothing that comes now can be confirmed */
    client_publish_as(
        c, 1, "", "q", "m2", 2, false,
        &(amqp_basic_properties_t){._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = 2});
    client_method(k, 1, AMQP_QUEUE_PURGE_METHOD, &(amqp_queue_purge_t){.queue = words("q")});
    client_publish_as(
        c, 1, "", "q", "m3", 2, false,
        &(amqp_basic_properties_t){._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = 2});
    expect(c, "1: basic.nack 2");
    expect_nothing(c); /* m3 is there, and not on disk */
    r->hold_disk = false;
    rig_kill(r, 0); /* offered again to a master that has m3 and never had m2 */
    expect(c, "1: basic.ack 3");
    holds(r, "q", "m3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define T3(name) cmocka_unit_test_setup_teardown(name, three, teardown)
        T(a_full_queue_drops_its_head),
        T(bytes_of_bodies_count),
        T(what_consumers_hold_does_not_count),
        T(a_consumer_that_waits_comes_before_the_limit),
        T(a_full_queue_refuses),
        T(one_that_refuses_makes_a_nack_of_all),
        T(the_lower_of_argument_and_policy_counts),
        T(a_policy_applies_its_length_before_its_overflow),
        T(messages_expire_when_nobody_looks),
        T(only_the_head_expires),
        T(what_a_consumer_holds_expires_when_it_comes_back),
        T(a_time_of_zero_is_for_consumers_that_wait),
        T(a_new_ttl_is_for_new_messages),
        T(an_unused_queue_goes),
        T(higher_ones_come_first),
        T(a_requeued_one_has_its_place_in_its_priority),
        T(a_full_queue_drops_the_head_of_the_highest_priority),
        T(a_higher_one_holds_back_the_expiry_of_lower_ones),
        T3(mirrors_follow),
        T3(refused_stays_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

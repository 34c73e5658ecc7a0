/* test_turns.c: which of several consumers gets the next message: by x-priority, or one alone (single active
 * consumer). */
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

static void consume(struct client *c, const char *tag, int32_t priority, bool exclusive)
{
    amqp_table_entry_t e = {.key = words("x-priority"),
                            .value = {.kind = AMQP_FIELD_KIND_I32, .value.i32 = priority}};
    client_method(c, 1, AMQP_BASIC_CONSUME_METHOD,
                  &(amqp_basic_consume_t){.queue = words("q"),
                                          .consumer_tag = words(tag),
                                          .exclusive = exclusive,
                                          .arguments = {.num_entries = priority ? 1 : 0, .entries = &e}});
    char line[64];
    snprintf(line, sizeof(line), "1: basic.consume-ok %s", tag);
    if (!exclusive)
        expect(c, line);
}

static void publish(struct client *c, unsigned from, unsigned to)
{
    char body[8];
    for (unsigned i = from; i <= to; i++) {
        snprintf(body, sizeof(body), "m%u", i);
        client_publish(c, 1, "", "q", body);
    }
}

/* who is shown as active: "x" of x, y, z */
static void active(struct rig *r, const char *tags)
{
    struct text said = {0};
    for (size_t n = 0; n < r->nodes_len; n++) {
        struct consumer_info info;
        size_t at = 0;
        while (r->nodes[n] && broker_next_consumer(r->nodes[n], &at, &info)) {
            assert_true(info.single);
            text_add(&said, info.active ? info.tag : "");
        }
    }
    assert_string_equal(text_str(&said), tags);
    text_finish(&said);
}

static void higher_priorities_first_until_they_are_full(void **state)
{
    struct rig *r = *state;
    struct client *p = client_open(r, 0), *k[3];
    client_declare(p, 1, "q", false);
    for (unsigned i = 0; i < 3; i++) {
        k[i] = client_open(r, 0);
        client_qos(k[i], 1, 2, false);
        client_drain(k[i]);
    }
    consume(k[0], "low", 0, false);
    consume(k[1], "high", 10, false);
    consume(k[2], "high2", 10, false);
    publish(p, 1, 7);
    expect(k[1], "1: basic.deliver high 1 m1");
    expect(k[1], "1: basic.deliver high 2 m3");
    expect(k[2], "1: basic.deliver high2 1 m2");
    expect(k[2], "1: basic.deliver high2 2 m4");
    expect(k[0], "1: basic.deliver low 1 m5");
    expect(k[0], "1: basic.deliver low 2 m6");
    client_ack(k[1], 1, 1, false);
    expect(k[1], "1: basic.deliver high 3 m7");
    client_ack(k[0], 1, 1, true); /* it waits alone, and the others come before it again */
    client_ack(k[2], 1, 1, true);
    publish(p, 8, 9);
    expect(k[2], "1: basic.deliver high2 3 m8");
    expect(k[0], "1: basic.deliver low 3 m9");
}

static void one_at_a_time(void **state)
{
    struct rig *r = *state;
    struct client *p = client_open(r, 0), *x = client_open(r, 0), *y = client_open(r, 0),
                  *z = client_open(r, 0);
    client_declare_with(p, 1, "q", false, "x-single-active-consumer=true");
    client_qos(x, 1, 1, false);
    client_drain(x);
    consume(x, "x", 0, false);
    consume(y, "y", 0, false);
    consume(z, "z", 5, false); /* nobody makes way for it */
    active(r, "x");
    publish(p, 1, 3);
    expect(x, "1: basic.deliver x 1 m1");
    expect_nothing(x);
    expect_nothing(y);
    expect_nothing(z);
    client_method(x, 1, AMQP_BASIC_CANCEL_METHOD, &(amqp_basic_cancel_t){.consumer_tag = words("x")});
    expect(x, "1: basic.cancel-ok x");
    active(r, "z"); /* of those that wait the highest priority, then the longest */
    expect(z, "1: basic.deliver z 1 m2");
    expect(z, "1: basic.deliver z 2 m3");
    client_nack(x, 1, 1, false, true);
    expect(z, "1: basic.deliver z 3 redelivered m1");
    client_hang_up(z);
    active(r, "y");
    expect(y, "1: basic.deliver y 1 redelivered m1");
    expect(y, "1: basic.deliver y 2 redelivered m2");
    expect(y, "1: basic.deliver y 3 redelivered m3");
    client_hang_up(y);
    active(r, "");
    consume(x, "again", 0, false);
    active(r, "again");
    expect(x, "1: basic.deliver again 2 redelivered m1");
    client_get(p, 1, "q"); /* get asks nobody */
    client_drain(p);
}

static void exclusive_is_refused(void **state)
{
    struct rig *r = *state;
    struct client *p = client_open(r, 0);
    client_declare_with(p, 1, "q", false, "x-single-active-consumer=true");
    client_drain(p);
    consume(p, "e", 0, true);
    expect(p, "1: channel.close 403 ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use*");
}

static void the_next_takes_over_when_a_node_goes(void **state)
{
    struct rig *r = *state;
    rig_policy(r, 0, "^q", "{\"ha-mode\":\"all\"}");
    struct client *p = client_open(r, 0), *x = client_open(r, 1), *y = client_open(r, 2);
    client_declare_with(p, 1, "q", true, "x-single-active-consumer=true");
    consume(x, "x", 0, false);
    consume(y, "y", 0, false);
    active(r, "x");
    publish(p, 1, 2);
    expect(x, "1: basic.deliver x 1 m1");
    expect(x, "1: basic.deliver x 2 m2");
    expect_nothing(y);
    rig_kill(r, 1); /* the consumer's node */
    active(r, "y");
    expect(y, "1: basic.deliver y 1 redelivered m1");
    expect(y, "1: basic.deliver y 2 redelivered m2");
    rig_kill(r, 0); /* the master's: y is the only one, and resumed */
    active(r, "y");
    expect(y, "1: basic.deliver y 3 redelivered m1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(higher_priorities_first_until_they_are_full, setup, teardown),
        cmocka_unit_test_setup_teardown(one_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(exclusive_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(the_next_takes_over_when_a_node_goes, three, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

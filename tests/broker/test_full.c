/* test_full.c: what the broker has room for, and its answer when there is none: 506 RESOURCE_ERROR. It costs
 * the connection, as AMQP wants it; what others have stays, and what goes makes room. */
#include "tests/broker/rig.h"

#include <stdlib.h>

#include "broker/private.h"

/* how many consumers q has, by what another client's declare is told */
static unsigned consumers(struct client *c)
{
    unsigned messages = 0, n = 0;
    client_method(c, 1, AMQP_QUEUE_DECLARE_METHOD,
                  &(amqp_queue_declare_t){.queue = words("q"), .passive = 1});
    assert_int_equal(sscanf(client_read(c), "1: queue.declare-ok q %u %u", &messages, &n), 2);
    return n;
}

static void a_channel_has_so_many_consumers(void **state)
{
    (void)state;
    enum { AT_ONCE = 1024 };
    struct rig *r = rig_create(1);
    r->unchecked = true; /* the invariants look at every consumer after every step */
    struct client *c = client_open(r, 0), *looks = client_open(r, 0);
    client_declare(c, 1, "q", false);
    expect(c, "1: queue.declare-ok q 0 0");
    struct wire_buffer b = {0};
    for (unsigned i = 0; i < BROKER_CONSUMERS; i += AT_ONCE) {
        for (unsigned k = 0; k < AT_ONCE; k++)
            wire_put_method(&b, 1, AMQP_BASIC_CONSUME_METHOD,
                            &(amqp_basic_consume_t){.queue = words("q"), .nowait = 1});
        client_buffer(c, &b);
    }
    VEC_FREE(&b);
    expect_nothing(c);
    assert_int_equal(consumers(looks), BROKER_CONSUMERS);
    client_consume(c, 1, "q", "one too many", false);
    expect(c, "0: connection.close 506 RESOURCE_ERROR - a channel has at most 65536 consumers 60.20");
    assert_int_equal(consumers(looks), 0); /* they were the connection's */
    client_consume(looks, 1, "q", "the first", false);
    expect(looks, "1: basic.consume-ok the first");
    rig_destroy(r);
}

/* A million channels would be a gigabyte: their places are taken here as channels in confirm mode take them.
 */
static void so_many_channels_are_in_confirm_mode(void **state)
{
    (void)state;
    struct rig *r = rig_create(1);
    struct client *had = client_open(r, 0), *refused = client_open(r, 0), *late = client_open(r, 0);
    client_declare(had, 1, "q", false);
    expect(had, "1: queue.declare-ok q 0 0");
    client_confirm(had, 1);
    struct broker *b = r->nodes[0];
    while (b->confirm_slots.len < BROKER_CONFIRM_SLOTS)
        VEC_PUSH(&b->confirm_slots, (struct confirm_slot){.next = 1});
    client_method(refused, 1, AMQP_CONFIRM_SELECT_METHOD, &(amqp_confirm_select_t){0});
    expect(refused, "0: connection.close 506 RESOURCE_ERROR - too many channels are in confirm mode 85.10");
    client_publish(late, 1, "", "q", "without confirms");
    client_get(late, 1, "q");
    expect(late, "1: basic.get-ok 1 left 0 without confirms");
    client_publish(had, 1, "", "q", "m");
    expect(had, "1: basic.ack 1");
    client_hang_up(had); /* its place is free */
    client_confirm(late, 1);
    client_publish(late, 1, "", "q", "with confirms");
    expect(late, "1: basic.ack 1");
    rig_destroy(r);
}

static void a_full_table_takes_no_queue_and_no_binding(void **state)
{
    (void)state;
    struct rig *r = rig_create_with(2, 10000);
    struct client *c = client_open(r, 1);
    char name[24], ok[64];
    unsigned n = 0;
    const char *answer;
    for (;; n++) {
        snprintf(name, sizeof(name), "q%u", n);
        snprintf(ok, sizeof(ok), "1: queue.declare-ok %s 0 0", name);
        client_declare(c, 1, name, true);
        answer = client_read(c);
        assert_non_null(answer);
        if (strcmp(answer, ok) != 0)
            break;
        assert_true(n < 1000);
    }
    static const char full[] = "0: connection.close 506 RESOURCE_ERROR - the cluster's table of queues, "
                               "exchanges, bindings, policies and "
                               "users is as large as it may be: delete some that nobody needs, and ask again";
    assert_true(n > 0);
    assert_memory_equal(answer, full, sizeof(full) - 1);
    c = client_open(r, 0);            /* the same on every node */
    client_declare(c, 1, "q0", true); /* it is there */
    expect(c, "1: queue.declare-ok q0 0 0");
    client_publish(c, 1, "", "q0", "m");
    client_get(c, 1, "q0");
    expect(c, "1: basic.get-ok 1 left 0 m");
    char key[256] = {0};
    memset(key, 'k', sizeof(key) - 1);
    client_bind(c, 1, "q0", "amq.direct", key);
    answer = client_read(c);
    assert_memory_equal(answer, full, sizeof(full) - 1);
    c = client_open(r, 1);
    client_method(c, 1, AMQP_QUEUE_DELETE_METHOD, &(amqp_queue_delete_t){.queue = words("q1")});
    expect(c, "1: queue.delete-ok 0");
    client_declare(c, 1, name, true);
    snprintf(ok, sizeof(ok), "1: queue.declare-ok %s 0 0", name);
    expect(c, ok);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_channel_has_so_many_consumers),
        cmocka_unit_test(so_many_channels_are_in_confirm_mode),
        cmocka_unit_test(a_full_table_takes_no_queue_and_no_binding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

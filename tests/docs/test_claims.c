/* test_claims.c: sentences of docs/semantics.md and docs/protocol.md that no other test shows. */
#include "tests/broker/rig.h"

#include "sim/sim.h"

#define LIMIT_MS 60000

/* "The memory alarm: only the publishers of the node that is over its limit wait." */
static void the_memory_alarm_is_of_one_node(void **state)
{
    (void)state;
    struct rig *r = rig_create(2);
    struct client *here = client_open(r, 0), *there = client_open(r, 1);
    client_declare(here, 1, "q", true);
    client_publish(here, 1, "", "q", "one");
    client_publish(there, 1, "", "q", "two");
    client_drain(here);
    client_drain(there);
    rig_step(r, 0, &(struct event){.type = EV_MEMORY, .u.memory.alarm = true});
    rig_run(r);
    expect(here, "0: connection.blocked low on memory");
    assert_true(here->paused);
    expect_nothing(there);
    client_publish(there, 1, "", "q", "three"); /* also into a queue of the node that is over it */
    expect_nothing(there);
    assert_false(there->paused);
    client_get(there, 1, "q");
    expect(there, "1: basic.get-ok 1 left 2 one");
    rig_destroy(r);
}

/* "Lazy queues: accepted and shown, without effect." */
static void a_lazy_queue_is_a_queue(void **state)
{
    (void)state;
    struct rig *r = rig_create(1);
    struct client *c = client_open(r, 0);
    client_declare_with(c, 1, "q", true, "x-queue-mode=lazy");
    client_publish(c, 1, "", "q", "one");
    client_get(c, 1, "q");
    client_drain(c);
    struct queue_info info;
    const struct mirror *m = broker_mirror(r->nodes[0]);
    mirror_queue_info(m, mirror_find_queue(m, "q"), &info);
    assert_string_equal(info.args->json, "{\"x-queue-mode\":\"lazy\"}");
    rig_destroy(r);
}

/* "What a client does": properties that cannot be read, a delivery by a client, transactions. */
static void what_is_no_amqp_is_answered(void **state)
{
    (void)state;
    struct rig *r = rig_create(1);
    struct client *c = client_open(r, 0);
    client_method(c, 1, AMQP_BASIC_PUBLISH_METHOD, &(amqp_basic_publish_t){.routing_key = words("q")});
    /* class 60, weight 0, 3 bytes of body, a content type of 200 bytes that are not there */
    client_send(c, "\2\0\1\0\0\0\17\0\74\0\0\0\0\0\0\0\0\0\3\200\0\310\316", 23);
    expect(c, "0: connection.close 502 *");
    c = client_open(r, 0);
    client_method(c, 1, AMQP_BASIC_DELIVER_METHOD,
                  &(amqp_basic_deliver_t){.consumer_tag = words("t"), .routing_key = words("q")});
    expect(c, "0: connection.close 503 *");
    c = client_open(r, 0);
    client_method(c, 1, AMQP_TX_SELECT_METHOD, &(amqp_tx_select_t){0});
    expect(c, "0: connection.close 540 *");
    rig_destroy(r);
}

static bool left_alone(struct sim *s, void *arg)
{
    (void)arg;
    return !sim_serving(s, 0);
}

/* "pause_minority: nodes that were stopped in order are not reached either." */
static void stops_in_order_leave_a_minority_too(void **state)
{
    (void)state;
    struct sim_options o;
    sim_options_defaults(&o);
    o.partition_handling = PARTITION_PAUSE_MINORITY;
    struct sim *s = sim_create(&o);
    for (node_id n = 0; n < 3; n++)
        sim_start(s, n);
    assert_true(sim_calm(s, LIMIT_MS));
    sim_stop_wait(s, 2);
    assert_true(sim_calm(s, LIMIT_MS));
    assert_true(sim_serving(s, 0) && sim_serving(s, 1));
    sim_stop_wait(s, 1);
    assert_true(sim_until(s, left_alone, NULL, LIMIT_MS));
    assert_true(sim_running(s, 0)); /* it pauses, it is not gone */
    sim_start(s, 1);
    assert_true(sim_calm(s, LIMIT_MS));
    assert_true(sim_serving(s, 0) && sim_serving(s, 1));
    assert_null(sim_failure(s));
    sim_destroy(s);
}

static bool apart(struct sim *s, void *arg)
{
    (void)arg;
    for (node_id n = 0; n < 3; n++) {
        struct view_info v = mirror_view(sim_mirror(s, n));
        if (!sim_serving(s, n) || v.members != (n == 2 ? node_bit(2) : (node_bit(0) | node_bit(1))))
            return false;
    }
    return true;
}

/* once each has heard what the other says of itself */
static bool list_each_other(struct sim *s, void *arg)
{
    (void)arg;
    return node_in(mirror_view(sim_mirror(s, 1)).partitioned, 2) &&
           node_in(mirror_view(sim_mirror(s, 2)).partitioned, 1);
}

/* docs/protocol.md, "Partitions": node1 and node3 lose each other, node2 reaches both. */
static void a_partial_cut_becomes_a_full_one(void **state)
{
    (void)state;
    struct sim_options o;
    sim_options_defaults(&o);
    struct sim *s = sim_create(&o);
    for (node_id n = 0; n < 3; n++)
        sim_start(s, n);
    assert_true(sim_calm(s, LIMIT_MS));
    struct view_info before = mirror_view(sim_mirror(s, 0));
    assert_int_equal(before.members, 7);
    sim_cut(s, 0, 2);
    assert_true(sim_until(s, apart, NULL, LIMIT_MS));
    assert_false(sim_is_cut(s, 1, 2));
    assert_true(sim_until(s, list_each_other, NULL, LIMIT_MS));
    struct view_info two = mirror_view(sim_mirror(s, 1)), three = mirror_view(sim_mirror(s, 2));
    /* epochs: multiples of 32, and who led */
    assert_int_equal(two.epoch % LIMIT_NODES, two.coordinator);
    assert_int_equal(three.epoch % LIMIT_NODES, 2);
    assert_true(two.epoch > before.epoch && three.epoch > before.epoch && two.epoch != three.epoch);
    assert_null(sim_failure(s));
    sim_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_memory_alarm_is_of_one_node),
        cmocka_unit_test(a_lazy_queue_is_a_queue),
        cmocka_unit_test(what_is_no_amqp_is_answered),
        cmocka_unit_test(a_partial_cut_becomes_a_full_one),
        cmocka_unit_test(stops_in_order_leave_a_minority_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* figures.c: what a message costs, counted in instructions by callgrind and in time by the clock: the broker
 * and the mirroring library alone, with no socket and no disk.
 *
 *     figures publish N      N 100-octet transient publishes with confirms, 100 to a read
 *     figures deliver N      N deliveries with acks of 50
 *     figures topic N        as publish, through a topic exchange with 1000 bindings
 *
 * tests/broker/figures.sh runs each twice, with N and 2N, so that what is not per message falls out. */
#include "tests/broker/rig.h"

#include <stdlib.h>
#include <time.h>

static void discard(struct client *c)
{
    c->in.len = c->in_at = 0;
}

static void publish(struct rig *r, unsigned n, const char *exchange, const char *key)
{
    struct client *c = client_open(r, 0);
    client_method(c, 1, AMQP_CONFIRM_SELECT_METHOD, &(amqp_confirm_select_t){0});
    char body[100] = {0};
    struct wire_buffer b = {0};
    for (int i = 0; i < 100; i++)
        put_publish(&b, 1, exchange, key, body, sizeof(body), false, NULL);
    struct event ev = {.type = EV_CLIENT_DATA};
    ev.u.client.conn = c->id;
    ev.u.client.data = bytes_of(b.items, b.len);
    for (unsigned i = 0; i < n; i += 100) {
        rig_step(r, 0, &ev);
        rig_step(r, 0, &(struct event){.type = EV_TURN_END});
        rig_step(r, 0, &(struct event){.type = EV_CLIENT_DRAINED, .u.client.conn = c->id});
        discard(c);
    }
    VEC_FREE(&b);
}

static void deliver(struct rig *r, unsigned n)
{
    struct client *c = client_open(r, 0);
    client_qos(c, 1, 500, false);
    client_consume(c, 1, "q", "t", false);
    discard(c);
    struct wire_buffer b = {0};
    for (unsigned i = 50; i <= n; i += 50) {
        b.len = 0;
        wire_put_method(&b, 1, AMQP_BASIC_ACK_METHOD, &(amqp_basic_ack_t){.delivery_tag = i, .multiple = 1});
        struct event ev = {.type = EV_CLIENT_DATA};
        ev.u.client.conn = c->id;
        ev.u.client.data = bytes_of(b.items, b.len);
        rig_step(r, 0, &ev);
        rig_step(r, 0, &(struct event){.type = EV_TURN_END});
        rig_step(r, 0, &(struct event){.type = EV_CLIENT_DRAINED, .u.client.conn = c->id});
        discard(c);
    }
    VEC_FREE(&b);
}

static void many_bindings(struct client *c)
{
    char pattern[64];
    client_declare_exchange(c, 1, "t", "topic");
    for (int i = 0; i < 1000; i++) {
        snprintf(pattern, sizeof(pattern), i % 3 ? "stock.%d.*" : "stock.*.%d.#", i);
        client_bind(c, 1, "q", "t", pattern);
    }
    discard(c);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "figures publish|deliver|topic N\n");
        return 64;
    }
    unsigned n = (unsigned)strtoul(argv[2], NULL, 10);
    struct rig *r = rig_create(1);
    r->unchecked = true;
    struct client *c = client_open(r, 0);
    client_declare(c, 1, "q", false);
    bool topic = strcmp(argv[1], "topic") == 0;
    if (topic)
        many_bindings(c);
    double from = seconds();
    publish(r, n, topic ? "t" : "", topic ? "stock.500.nyse" : "q");
    if (strcmp(argv[1], "deliver") == 0) {
        from = seconds();
        deliver(r, n);
    }
    printf("%s: %.0f messages/s\n", argv[1], n / (seconds() - from));
    rig_destroy(r);
    return 0;
}

/* load.h: the load that is measured: a publisher with a window of unconfirmed messages, a consumer that
 * acknowledges every so many, both at once, one message in flight, and a publisher that watches a failover.
 *
 * One thread, one poll loop; every message is numbered, and what comes back is checked: each number confirmed
 * exactly once, first deliveries in order. A figure of a run that broke a promise is an error, not a figure.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "tests/bench/amqp.h"

struct load_spec {
    uint16_t publish_port, consume_port; /* on 127.0.0.1, user admin / 123 */
    const char *queue;                   /* declared already */
    size_t size;                         /* of a body, >= 8 */
    bool persistent;
    unsigned window;              /* unconfirmed messages at most */
    uint64_t most_per_second;     /* what is published, at most; 0: as fast as it goes */
    unsigned prefetch, ack_every; /* consumer */
    double warm_up_s, measured_s; /* publish, both: how long; only what happens in measured_s counts */
    uint64_t count;               /* publish with measured_s 0, consume, round trips, failover: how many */
};

struct load_result {
    uint64_t messages; /* confirmed, consumed or gone round, in `seconds` */
    double seconds, per_second;
    double median_us, p99_us; /* round trips */
    double longest_gap_ms;    /* failover: between two confirms, from the fault on */
    uint64_t nacked;
    char error[500]; /* the sentence, if the function returned false */
};

bool load_publish(const struct load_spec *spec, struct load_result *r);
bool load_consume(const struct load_spec *spec,
                  struct load_result *r); /* count messages that are in the queue */
bool load_both(const struct load_spec *spec, struct load_result *r);
bool load_round_trips(const struct load_spec *spec, struct load_result *r);

/* Publishes; after warm_up_s calls fault(arg) once; goes on until confirms have come again and measured_s
 * have passed since. */
bool load_failover(const struct load_spec *spec, bool (*fault)(void *arg), void *arg, struct load_result *r);

int64_t load_now_us(void);

#endif

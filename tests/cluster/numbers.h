/* numbers.h: numbered messages: what was confirmed is compared with what comes back, number by number. */
#ifndef CLUSTER_NUMBERS_H
#define CLUSTER_NUMBERS_H

#include "tests/bench/amqp.h"
#include "tests/cluster/test.h"

enum { NUMBERS_MAX = 200000 };

struct numbers {
    unsigned sent, count;               /* count: confirmed */
    uint8_t confirmed[NUMBERS_MAX + 1]; /* by number, from 1 */
    uint8_t nacked[NUMBERS_MAX + 1];    /* the broker refused them: nothing was promised */
    unsigned back[NUMBERS_MAX + 1];     /* how often each came out */
    unsigned out_of_order;              /* messages, not redelivered, that came after a higher number */
};

struct message_kind {
    const char *queue;
    size_t size; /* of the body, >= 8 */
    bool persistent;
};

/* Publishes, 200 unconfirmed at most, until `limit` are confirmed or refused, or the connection ends, or 20 s
 * pass without a word. If fault is not NULL it is called once, when half of them are. Returns how many are
 * confirmed. */
unsigned numbers_publish(struct numbers *n, const struct lab *lab, unsigned node, struct message_kind kind,
                         unsigned limit, void (*fault)(void *arg), void *arg);

/* Takes out of the queue all that is in it; returns how many different numbers came. */
unsigned numbers_take(struct numbers *n, const struct lab *lab, unsigned node, const char *queue,
                      size_t size);

void assert_confirmed_are_back(const struct numbers *n);
void assert_declare(const struct lab *lab, unsigned node, const char *queue); /* durable */

#endif

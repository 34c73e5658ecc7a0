/* account.h: what became of every message of a kill loop, as its producers and consumers know it. Each
 * publishing of a message has a sequence number of its own, so that a repeat by the publisher (new sequence
 * number) is told from a repeat by the broker (the same one, which must be flagged).
 *
 * The rules it keeps: the broker is never asked; the first promise that is broken is kept in words and stays.
 * Any thread may call. */
#ifndef CLUSTER_ACCOUNT_H
#define CLUSTER_ACCOUNT_H

#include <pthread.h>

#include "base/text.h"
#include "base/vec.h"

enum { ACCOUNT_QUEUES_MAX = 4 };

struct account_message { /* by number, from 1 */
    bool persistent, confirmed, seen;
    uint8_t node;                /* it was last published on */
    uint16_t sent, confirmed_in; /* rounds */
    uint32_t attempts;
};

struct account_attempt { /* by sequence number, from 1 */
    uint32_t number, channel;
    bool delivered;
};

struct account_queue {
    const char *name;
    VEC(struct account_message) messages;
    VEC(struct account_attempt) attempts;
    VEC(uint32_t) highest; /* by channel: the latest attempt that was delivered for the first time */
    unsigned confirmed, refused, seen, redelivered, repeated, cancels;
    unsigned missing; /* confirmed, not seen yet */
};

struct account {
    pthread_mutex_t lock;
    struct account_queue queues[ACCOUNT_QUEUES_MAX];
    unsigned queues_len;
    unsigned round;
    char broken[400]; /* the promise that broke first; "" none */
};

void account_init(struct account *a, const char *const *names, unsigned len);
void account_finish(struct account *a);

/* A new message, or number != 0: again. The sequence number; *number is filled in. */
uint32_t account_publish(struct account *a, unsigned queue, uint32_t *number, unsigned node, uint32_t channel,
                         bool persistent);
bool account_persistent(struct account *a, unsigned queue, uint32_t number);
void account_confirm(struct account *a, unsigned queue, uint32_t sequence, bool refused);
void account_deliver(struct account *a, unsigned queue, uint32_t number, uint32_t sequence, bool redelivered);
void account_cancel(struct account *a, unsigned queue, bool allowed);
void account_broken(struct account *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct account_sums {
    unsigned sent, confirmed, unconfirmed, missing; /* missing: confirmed and not seen yet */
    unsigned seen, redelivered, repeated, cancels, refused;
};
struct account_sums account_sums(struct account *a, unsigned queue);

/* What is missing in a queue, one line a message, at most `lines`. */
void account_list_missing(struct account *a, unsigned queue, unsigned lines, struct text *out);

#endif

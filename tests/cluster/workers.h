/* workers.h: a producer and a consumer for each queue of a kill loop, each a thread with a connection of its
 * own, which do what a careful program does: confirm, publish again what was not confirmed, acknowledge what
 * was worked on, connect to another node when theirs is gone.
 *
 * The rule they keep: they only stop when told to; what they see goes into the account, nothing else. */
#ifndef CLUSTER_WORKERS_H
#define CLUSTER_WORKERS_H

#include <stdatomic.h>

#include "base/rng.h"
#include "tests/cluster/account.h"
#include "tests/cluster/user.h"

struct workers;

struct published {
    uint32_t number, sequence;
    bool answered;
};

struct worker {
    pthread_t thread;
    struct workers *all;
    unsigned queue;
    struct rng rng;
    struct user user;
    _Atomic unsigned node; /* it is connected to; 0: none */
    atomic_bool ready;     /* confirms are on, or it is subscribed */

    /* a producer's: what it sent on this channel, and what it has to send again */
    uint32_t channel;
    unsigned open;                   /* not answered yet */
    VEC(struct published) published; /* by delivery tag, from 1 */
    size_t settled;                  /* all before this one are answered */
    VEC(uint32_t) again;
    size_t again_at;

    /* a consumer's: deliveries that it has not acknowledged */
    VEC(uint64_t) held;
    unsigned patience; /* it acknowledges when it holds this many */
};

struct workers {
    const struct lab *lab;
    struct account *account;
    unsigned window;                    /* most unconfirmed of a producer */
    bool cancelled[ACCOUNT_QUEUES_MAX]; /* whose consumers ask for x-cancel-on-ha-failover */

    atomic_bool stop;
    atomic_bool quiet;        /* producers: nothing new */
    atomic_bool hold;         /* consumers: keep what you have, acknowledge nothing */
    _Atomic unsigned backlog; /* most that a producer may be ahead of its consumer */
    _Atomic unsigned avoid;   /* bits: nodes that nobody connects to */

    struct worker producers[ACCOUNT_QUEUES_MAX], consumers[ACCOUNT_QUEUES_MAX];
};

void workers_start(struct workers *w, const struct lab *lab, struct account *account, uint64_t seed);
void workers_end(struct workers *w);

#endif

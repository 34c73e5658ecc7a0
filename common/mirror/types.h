/* types.h: the words that everything about mirroring is said in. */
#ifndef MIRROR_TYPES_H
#define MIRROR_TYPES_H

#include "base/base.h"
#include "base/limits.h"
#include "base/message.h"

/* A node's place in the cluster's list (the same list on every node). */
typedef uint8_t node_id;
#define NODE_NONE 255

/* Bit i: node i. */
typedef uint32_t node_set;
static inline node_set node_bit(node_id n)
{
    return n == NODE_NONE ? 0 : (node_set)1 << n;
}
static inline bool node_in(node_set s, node_id n)
{
    return (s & node_bit(n)) != 0;
}
static inline unsigned node_count(node_set s)
{
    return (unsigned)__builtin_popcount(s);
}

/* A message's place in its queue, given by the master in the order of publishing and kept for ever: also
 * when it is requeued, also on mirrors, also after a failover. */
typedef uint64_t msg_id;

struct id_range {
    msg_id first, last; /* both included */
};

enum queue_state {
    QUEUE_RUNNING, /* its master serves */
    QUEUE_SYNCING, /* its master copies to a mirror; clients wait */
    QUEUE_STOPPED, /* its node was stopped in order and no mirror may take over */
    QUEUE_DOWN,    /* its node crashed and no mirror may take over */
};

/* What a client asked of a queue when it declared it. */
struct queue_args {
    char *json;             /* the whole arguments table as canonical JSON; compared at re-declare, shown */
    char *master_locator;   /* x-queue-master-locator or NULL */
    int64_t message_ttl_ms; /* -1: not set, as all below */
    int64_t expires_ms;
    int64_t max_length;
    int64_t max_length_bytes;
    char *overflow;             /* NULL: not set */
    char *dead_letter_exchange; /* NULL: not set */
    char *dead_letter_key;      /* NULL: not set */
    int32_t max_priority;       /* 0: none */
    bool single_active_consumer;
};
void queue_args_init(struct queue_args *a); /* nothing set, json "{}" */
void queue_args_copy(struct queue_args *to, const struct queue_args *from);
void queue_args_finish(struct queue_args *a);

/* Why a message leaves its queue without having been consumed, as the header x-death says it. */
enum death {
    DEATH_REJECTED, /* a consumer refused it for good */
    DEATH_EXPIRED,  /* its time was over */
    DEATH_MAXLEN,   /* the queue was full */
};

/* Who owns an exclusive queue: a connection of one life of one node. */
struct owner {
    node_id node; /* NODE_NONE: nobody, the queue is not exclusive */
    uint64_t incarnation;
    uint64_t connection;
};

/* A node that was removed from the cluster, and in which view: if it comes again with a past that is no later
 * than that, it has to be emptied first. */
struct forgotten {
    node_id node;
    uint64_t epoch;
};

/* How a command ended. */
enum answer_status {
    ANSWER_OK,
    ANSWER_EMPTY,              /* get: nothing ready */
    ANSWER_NOT_FOUND,          /* no such queue (policy, key, ...) */
    ANSWER_STOPPED,            /* the queue's node was stopped; no mirror may take over */
    ANSWER_DOWN,               /* the queue's node crashed; no mirror may take over */
    ANSWER_INEQUIVALENT,       /* declare: it is there with other properties */
    ANSWER_LOCKED,             /* exclusive to another connection */
    ANSWER_IN_USE,             /* delete if-unused: it has consumers */
    ANSWER_NOT_EMPTY,          /* delete if-empty: it has messages */
    ANSWER_EXCLUSIVE_CONSUMER, /* subscribe: somebody consumes exclusively, or exclusive was asked and others
                                  are there */
    ANSWER_EXISTS,             /* put if absent: it was there; nothing changed */
    ANSWER_INVALID,            /* text says what is wrong (a policy) */
    ANSWER_NOT_MIRRORED,       /* sync: the queue has no mirrors */
    ANSWER_NOT_SYNCING,        /* cancel sync: nothing to cancel */
    ANSWER_FULL,               /* the table of queues, policies and keys is as large as it may be */
    ANSWER_NOT_SERVING,        /* this node does not serve now (it is starting, pausing or stopping) */
};

/* How published messages end: FX_CONFIRM. */
enum confirm { CONFIRM_ACK, CONFIRM_NACK };

/* What a consumer does with what it got. */
enum settle {
    SETTLE_ACK,
    SETTLE_REQUEUE,
    SETTLE_DISCARD /* reject without requeue: dead-lettered if so configured */
};

#endif

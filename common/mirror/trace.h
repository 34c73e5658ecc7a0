/* trace.h: what happened to single messages on this node, for whoever wants to see one message's life.
 * Nothing is noted unless it was asked for (mirror_trace), and then runs of numbers, not messages: the notes
 * of a turn are a few entries, however many messages went through it, and never more than TRACE_MAX.
 *
 * A message has two numbers: the one that its publisher's node gave it (of that node's life and queue:
 * ACCEPTED, CONFIRMED, REFUSED), and its place in the queue, which the master gave it (all others). ENQUEUED
 * and COPIED have both, and so connect them. A place may be given again after a loss: with the master's reign
 * it is one message's. */
#ifndef MIRROR_TRACE_H
#define MIRROR_TRACE_H

#include "mirror/types.h"

/* kind, its word, what it says. `node`: see there; else NODE_NONE */
#define TRACE_KINDS(X)                                                                                       \
    X(TRACE_ACCEPTED, "accepted")     /* publishes of this node's clients, numbered */                       \
    X(TRACE_CONFIRMED, "confirmed")   /* ... were confirmed to them (if they asked for it) */                \
    X(TRACE_REFUSED, "refused")       /* ... were refused: nobody holds them (nack) */                       \
    X(TRACE_ENQUEUED, "enqueued")     /* master: has them now; from node */                                  \
    X(TRACE_COPIED, "copied")         /* mirror: has them now */                                             \
    X(TRACE_FILLED, "filled")         /* mirror: a sync is complete; it holds what there is of these */      \
    X(TRACE_BEGINS, "begins")         /* mirror: empty; nothing older than first will come but by a sync */  \
    X(TRACE_SENT, "sent")             /* master: to node, where a consumer of it is */                       \
    X(TRACE_DELIVERED, "delivered")   /* this node: to its consumer */                                       \
    X(TRACE_ACKED, "acked")           /* master: acknowledged by a consumer on node; gone */                 \
    X(TRACE_AUTO_ACKED, "auto-acked") /* master: gone with the delivery to node, nobody acknowledges it */   \
    X(TRACE_DISCARDED, "discarded")   /* master: rejected by a consumer on node; gone */                     \
    X(TRACE_REQUEUED, "requeued")     /* master: back to their place; node: where the consumer was */        \
    X(TRACE_EXPIRED, "expired")       /* master: gone, their time was over */                                \
    X(TRACE_DROPPED, "dropped")       /* master: gone, the queue was full */                                 \
    X(TRACE_PURGED, "purged")         /* master: gone, somebody emptied the queue */                         \
    X(TRACE_DEAD_LETTERED, "dead-lettered") /* master: given up, and gone to the dead letter exchange */     \
    X(TRACE_PROMOTED, "promoted") /* this mirror is the master now; it holds what there is of these */       \
    X(TRACE_BACK, "back")         /* this node is the master again, with what its log had of these */        \
    X(TRACE_VOID, "void")         /* this node's copy is void, whatever it held */

enum trace_kind {
#define X(kind, word) kind,
    TRACE_KINDS(X)
#undef X
};

#define TRACE_MAX 256 /* entries a turn; what comes after is missed, and said to be */

struct trace_entry {
    enum trace_kind kind;
    bool redelivered; /* SENT, DELIVERED */
    bool unsynced;    /* PROMOTED: it did not have all that the master had */
    bool
        in_memory; /* ENQUEUED, COPIED: some of them are in memory alone: transient ones, or a queue's that */
    bool logged;   /* does not outlive its node; and some are written to the log */
    node_id node;  /* SENT: to whom; FILLED: by which master */
    uint64_t queue_uid;
    uint64_t first, last;      /* both included; last < first: none */
    uint64_t reign;            /* which master gave these places (struct reign); 0: they are none */
    uint64_t count;            /* FILLED, PROMOTED, BACK: how many of these it holds */
    bool more;                 /* of the same moment as the entry before: places of another reign */
    node_id origin;            /* ENQUEUED, COPIED: who published them, */
    uint64_t incarnation, seq; /* in which life of it, the first of them as which number; ACCEPTED,
                                  CONFIRMED, REFUSED: incarnation is this node's. DELIVERED:
                                  incarnation is the consumer, by its number here; 0: a get */
};

const char *trace_word(enum trace_kind kind);

#endif

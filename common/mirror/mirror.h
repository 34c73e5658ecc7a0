/* mirror.h: THE SHARED MIRRORING LIBRARY. Queues with one master and any number of mirrors, on nodes that
 * agree on views. Pure: events in, effects out, time inside the event.
 *
 *     struct mirror *m = mirror_create(&options);
 *     mirror_recover(m, record) ...                 what the log held, in order
 *     mirror_step(m, &(struct event){.type = EV_START, .now = now}, &effects);
 *
 * The rules are RabbitMQ 3.10.8's (docs/semantics.md says where not, and why); the messages between nodes
 * are in docs/protocol.md. */
#ifndef MIRROR_MIRROR_H
#define MIRROR_MIRROR_H

#include "mirror/effects.h"
#include "mirror/event.h"
#include "mirror/rules.h"
#include "mirror/trace.h"
#include "mirror/types.h"

struct mirror;
struct queue;

/* What a node does when it cannot reach the others (RabbitMQ's cluster_partition_handling). */
enum partition_handling {
    PARTITION_IGNORE,         /* each side installs its own view and goes on */
    PARTITION_PAUSE_MINORITY, /* half or fewer of the cluster's nodes: stop serving until more are there */
    PARTITION_AUTOHEAL,       /* as ignore; once healed, the sides with fewer clients begin again */
};

/* "ignore", "pause_minority", "autoheal", as RabbitMQ writes them. */
const char *partition_handling_name(enum partition_handling h);
bool partition_handling_parse(const char *name, enum partition_handling *out); /* false: none of them */

struct mirror_options {
    const char *const *names; /* of all nodes, in the cluster's order; copied */
    size_t nodes_len;
    node_id self;
    uint64_t incarnation; /* of this life of the node: larger than that of any earlier one, not 0 */
    bool lived;           /* there was an earlier life, whatever its disk holds now (reset) */
    uint64_t seed;        /* where a rule asks for a random choice */

    /* rules, one a line; all true in a full node */
    bool confirm_after_mirrors; /* a publish is confirmed when every mirror has it */
    bool confirm_after_disk;    /* and, if persistent, when it is on disk wherever it is held */
    bool oldest_promoted;       /* the oldest mirror takes over; false: the newest (lesson 8 shows why not) */
    const struct mirror_rules *rules; /* in place of those: somebody's own; borrowed. NULL: the kit's */

    enum partition_handling partition_handling;
    bool paused; /* the life before this one ended because it reached too few nodes */
    bool forced; /* by an operator: it serves without those it would wait for (what only they know is lost) */
    node_set forgets; /* taken off the cluster's list by an operator while this node was stopped */

    size_t batch_bytes; /* what goes to another node together: so much, and the message that goes beyond it */
    size_t table_bytes; /* the table of queues, policies and keys may be so large */
    ms_time rejoin_ms;  /* how long a candidate waits for an answer before it asks again */
};
void mirror_options_defaults(struct mirror_options *o); /* all rules on */

struct mirror *mirror_create(const struct mirror_options *o);
void mirror_destroy(struct mirror *m); /* takes NULL */

/* Hands in one record of the log, before EV_START, in the order they were written. Takes its own references.
 * 0, or ERR_INVALID for a record that contradicts the ones before. */
int mirror_recover(struct mirror *m, const struct record *rec);

/* The one way in. Effects are appended to out. Returns 0; commands that fail answer so in FX_ANSWER. */
int mirror_step(struct mirror *m, const struct event *ev, struct effects *out);

/* When it next wants an EV_TICK; UINT64_MAX: never. A pure query. */
ms_time mirror_deadline(const struct mirror *m);

/* Stops the process if an invariant of semantics.md that one node can see does not hold. */
void mirror_check(const struct mirror *m);

/* ---- looking (pure queries; what they return is valid until the next step) ---- */

enum node_phase {
    PHASE_STARTING, /* looking for the others, or waiting for the ones that were running last */
    PHASE_SERVING,  /* in an installed view */
    PHASE_CHANGING, /* a view change is under way; clients wait */
    PHASE_STOPPING, /* handing over */
    PHASE_STOPPED,
    PHASE_PAUSED, /* pause_minority: too few nodes in reach */
};

struct view_info {
    uint64_t epoch;
    node_set members;
    node_id coordinator;
    node_id self;
    enum node_phase phase;
    node_set waiting_for; /* PHASE_STARTING: who must come first */
    node_set ran_last;    /* PHASE_STARTING: who ran when this node left, as it knows itself */
    node_set known;       /* all nodes of the cluster, running or not: who ever joined and was not removed */
    node_set partitioned; /* from whom this node has been cut off (field `partitions`) */
};
struct view_info mirror_view(const struct mirror *m);
const char *mirror_node_name(const struct mirror *m, node_id n);

struct queue_info {
    const char *name;
    uint64_t uid, generation;
    enum queue_state state;
    node_id master;
    node_id mirrors[LIMIT_NODES]; /* in order of age, oldest first */
    size_t mirrors_len;
    node_set synced; /* mirrors in sync */
    bool durable, auto_delete;
    struct owner owner; /* node == NODE_NONE: not exclusive */
    const struct queue_args *args;
    const char *policy;     /* name, or NULL */
    const char *definition; /* effective definition, JSON; "{}" if none */
    /* from here on known at the master only (master == self, state running or syncing); else local is false
     */
    bool local;
    uint64_t ready, unacked, consumers;
    uint64_t bytes_ready, bytes_unacked, persistent;
    uint64_t paged_ready, paged_unacked, bytes_paged; /* of those, what is not in memory */
    int64_t sync_messages;                            /* copied so far by a running sync; -1: none runs */
    uint64_t published, delivered, acked, redelivered, got; /* since this master took over */
    /* a mirror's own copy (role mirror on this node) */
    bool replica;
    uint64_t replica_depth;
};
struct queue *mirror_find_queue(const struct mirror *m, const char *name); /* NULL if absent */
struct queue *mirror_next_queue(const struct mirror *m,
                                size_t *at); /* walk: at = 0 to begin; NULL at the end */
void mirror_queue_info(const struct mirror *m, const struct queue *q, struct queue_info *out);
struct queue *mirror_find_queue_uid(const struct mirror *m, uint64_t uid);

/* True while publishers of this queue must wait (too much unconfirmed); FX_QUEUE_OPEN says when to go on. */
bool mirror_queue_blocked(const struct mirror *m, const struct queue *q);

/* True if the queue has a master that serves (running or syncing). What is published to others is unroutable:
 * the broker asks this for every message, so it is cheaper than mirror_queue_info. */
bool mirror_queue_serves(const struct mirror *m, const struct queue *q);

/* Walks what this node holds of the queue, oldest first, whatever its role: at = 0 to begin. For checkers and
 * exports; the message is borrowed. */
struct held {
    msg_id id;
    bool unacked, redelivered;
    struct message *msg;
};
bool mirror_queue_walk(const struct mirror *m, const struct queue *q, msg_id *at, struct held *out);

/* The same as ranges, each of places that one master gave (its reign). From max of them on (1 at least) a
 * range covers the holes, too, as far as its reign goes: there is room in out for max + LIMIT_REIGNS. Returns
 * how many. */
struct place_range {
    msg_id first, last; /* both included */
    uint64_t reign;
};
size_t mirror_queue_ranges(const struct mirror *m, const struct queue *q, struct place_range *out,
                           size_t max);
/* No message that this node heard of has this id or a higher one. */
msg_id mirror_queue_next(const struct mirror *m, const struct queue *q);

/* Begins to note what happens to messages, or ends it (trace.h); either way what was noted is forgotten. It
 * changes nothing else. */
void mirror_trace(struct mirror *m, bool on);
/* What was noted since; missed: not everything. */
size_t mirror_traced(const struct mirror *m, const struct trace_entry **out, bool *missed);

struct sub_info { /* a consumer, as its queue's master knows it */
    const struct queue *queue;
    node_id node;
    uint64_t sub;
    bool active, exclusive, no_ack;
    uint32_t prefetch;
};
bool mirror_next_sub(const struct mirror *m, const struct queue *q, size_t *at, struct sub_info *out);

/* Is this consumer of this node handed messages? false: of its queue another is the single active one.
 * single: the queue has such a rule. */
bool mirror_sub_active(const struct mirror *m, uint64_t sub, bool *single);

struct policy_info {
    const char *name, *pattern, *apply_to, *definition;
    int32_t priority;
};
bool mirror_next_policy(const struct mirror *m, size_t *at, struct policy_info *out);

/* The policy that applies to this name ("queues" or "exchanges"), or false. */
bool mirror_policy_for(const struct mirror *m, const char *what, const char *name, struct policy_info *out);

#endif

/* snapshot.h: what was observed of a cluster, by asking the management HTTP API of its nodes. The TUI draws
 * it, the lessons' proofs read it, `lab status --json` prints it. It knows no engine: kit and RabbitMQ look
 * alike.
 *
 * The rule it keeps: nothing is in a snapshot that a node that is alive did not say; but that a node's
 * process is not there the machine says on which the lab has started it. What nobody can say now is unknown
 * (-1), with the last known value beside it; every figure has the time it was seen. */
#ifndef LAB_SNAPSHOT_H
#define LAB_SNAPSHOT_H

#include <jansson.h>

#include "base/base.h"
#include "base/limits.h"

typedef uint32_t node_bits; /* bit i = snapshot->nodes[i] */

enum node_state {
    NODE_UNKNOWN,     /* no node that answers says anything of it */
    NODE_UP,          /* it answers itself, or a node that answers says it runs */
    NODE_NOT_RUNNING, /* a node that answers says it does not run */
};

struct node_seen {
    char *name; /* "node1": the part before '@' */
    enum node_state state;
    bool answers;         /* its own API answered the last request */
    bool gone;            /* it does not, and this machine has no process of it: stop_app leaves one */
    bool unrefused;       /* it does not, and refuses no connection either, as one that stopped does: it is
                             frozen, or cut off from here */
    node_bits said_up_by; /* nodes (answering) that say it runs */
    node_bits said_down_by;
    char *error;                     /* why it does not answer, for the screen; NULL if it does */
    char *partitions;                /* comma-separated names it lists as partitioned from; "" if none */
    node_bits links;                 /* nodes it says it has a link to; only while it answers */
    ms_time answered_at;             /* last time its own API answered; 0: never */
    ms_time changed_at;              /* last time state changed */
    int64_t memory_bytes, uptime_ms; /* -1: unknown */
    int64_t connections;             /* clients', as told while it answered; -1: nobody asked then */
};

enum queue_seen_state {
    QUEUE_SEEN_UNKNOWN,
    QUEUE_SEEN_RUNNING,
    QUEUE_SEEN_SYNCING,
    QUEUE_SEEN_STOPPED,
    QUEUE_SEEN_DOWN,
};

/* What one of several masters says of a queue. Nodes that do not see each other may each serve it, to clients
 * of their own: a partition. */
struct side_seen {
    int master; /* index in nodes: it says so itself */
    enum queue_seen_state state;
    node_bits mirrors, synced;
    int64_t messages, ready, unacked; /* -1: it does not say */
    int64_t was_messages;             /* the last known number; -1: never known */
    bool away; /* it does not answer any more: this is what it said last, and nobody discarded it yet */
};

struct queue_seen {
    char *name;
    enum queue_seen_state state;
    int master;                /* index in nodes, or -1 */
    node_bits mirrors, synced; /* mirrors: all of them; synced: those in sync */
    bool durable, exclusive, auto_delete;
    int64_t messages, ready, unacked;  /* -1: nobody can say now */
    int64_t persistent;                /* of the messages; -1: nobody says */
    int64_t was_messages;              /* the last known number; -1: never known */
    int64_t consumers;                 /* -1: unknown */
    int64_t sync_messages;             /* messages already copied by a running sync; -1: no sync seen */
    double publish_rate, deliver_rate; /* per second; negative: unknown */
    int64_t published, taken;   /* so far, as its master has counted (of RabbitMQ: the nodes that its clients
                                   use); taken: acknowledged, and of RabbitMQ gone with the delivery. -1: nobody
                                   says */
    char *policy;               /* name, NULL if none applies */
    char *effective_definition; /* JSON text, "{}" if none, NULL if unknown */
    ms_time seen_at;            /* when a node that is alive said so */
    ms_time master_since;       /* when this master was first seen; 0: from the beginning */
    struct side_seen *sides;    /* where there are several: each of them, by master; what stands above is then
                                   what the source's side says */
    size_t sides_len;           /* 0: all that answer say the same */
};

struct policy_seen {
    char *name, *pattern, *apply_to, *definition; /* definition: JSON text */
    int64_t priority;
};

struct event_seen {
    uint64_t seq;    /* rising in the order in which they were heard of; the list is sorted by wall_ms */
    int64_t wall_ms; /* milliseconds since 1970: from the feed, or when polling noticed it */
    char *kind;      /* "publish", "mirror", "promote", "node", "queue", "policy", "sync", "hint", ... */
    char *node;      /* who said it; NULL: noticed by polling */
    char *text;      /* in English, as nodes tell it */
    json_t *fact;    /* the same for any language (fact.h); NULL: as text only */
};

/* What a node notes of messages: GET /api/trace of the kit's nodes; docs/trace.md has the words. */
#define TRACE_SEEN_KINDS(X)                                                                                  \
    X(TRACE_SEEN_ACCEPTED, "accepted")                                                                       \
    X(TRACE_SEEN_CONFIRMED, "confirmed")                                                                     \
    X(TRACE_SEEN_REFUSED, "refused")                                                                         \
    X(TRACE_SEEN_ENQUEUED, "enqueued")                                                                       \
    X(TRACE_SEEN_COPIED, "copied")                                                                           \
    X(TRACE_SEEN_FILLED, "filled")                                                                           \
    X(TRACE_SEEN_BEGINS, "begins")                                                                           \
    X(TRACE_SEEN_SENT, "sent")                                                                               \
    X(TRACE_SEEN_DELIVERED, "delivered")                                                                     \
    X(TRACE_SEEN_ACKED, "acked")                                                                             \
    X(TRACE_SEEN_AUTO_ACKED, "auto-acked")                                                                   \
    X(TRACE_SEEN_DISCARDED, "discarded")                                                                     \
    X(TRACE_SEEN_REQUEUED, "requeued")                                                                       \
    X(TRACE_SEEN_EXPIRED, "expired")                                                                         \
    X(TRACE_SEEN_DROPPED, "dropped")                                                                         \
    X(TRACE_SEEN_PURGED, "purged")                                                                           \
    X(TRACE_SEEN_DEAD_LETTERED, "dead-lettered")                                                             \
    X(TRACE_SEEN_PROMOTED, "promoted")                                                                       \
    X(TRACE_SEEN_BACK, "back")                                                                               \
    X(TRACE_SEEN_VOID, "void")

enum trace_seen_kind {
#define X(kind, word) kind,
    TRACE_SEEN_KINDS(X)
#undef X
        TRACE_SEEN_LEN
};

struct trace_seen {
    enum trace_seen_kind kind;
    int node;                  /* who noted it, index in nodes */
    int64_t from_us, until_us; /* since 1970, of the first and the last of them */
    char *queue;               /* its name */
    uint64_t queue_uid;        /* a queue that was deleted and declared again has another */
    uint64_t first, last; /* messages by their place in the queue, from 0; of ACCEPTED, CONFIRMED, REFUSED:
                             by the number their publisher's node gave them */
    uint64_t reign;       /* the master that gave these places: a place alone may be two messages'; 0: none */
    uint64_t count;       /* FILLED, PROMOTED, BACK: how many of these there are */
    bool redelivered, unsynced;
    bool in_memory, logged;       /* ENQUEUED, COPIED: some are in memory alone; some are written to a log;
                                     neither: nobody says */
    bool more;                    /* of the same moment as the one before: places of another reign */
    int about, origin;            /* other nodes, -1: none */
    uint64_t incarnation, number; /* ENQUEUED, COPIED: first was the origin's `number` in that life of it */
};

struct held_range {
    uint64_t first, last, reign;
};

/* What one node holds of the queue that is looked at. */
struct copy_seen {
    int node;
    bool master, mirror; /* neither: it has no part in this queue */
    bool all;            /* false: the last range has holes that are not told */
    uint64_t queue_uid, next;
    struct held_range *held;
    size_t held_len;
};

struct snapshot {
    ms_time taken_at; /* monotonic clock of the observer */
    int64_t taken_wall_ms;
    uint64_t number; /* rises by one with each snapshot */
    int source;      /* node whose lists were used; -1: no node answers: queues and policies are then old,
                        every queue's state and counts unknown */
    int moved_to; /* no node answers, and the lab runs on other ports now: node1's for AMQP; 0: it does not */
    struct node_seen *nodes;
    size_t nodes_len; /* in the lab's order: node1, node2, ... */
    struct queue_seen *queues;
    size_t queues_len; /* sorted by name */
    struct policy_seen *policies;
    size_t policies_len;
    struct event_seen *events;
    size_t events_len; /* oldest first, at most 1000 */

    /* single messages, as far as nodes tell of them */
    node_bits traces, trace_gaps; /* nodes that keep a trace; of those: something before it was not noted */
    struct trace_seen *trace;     /* what was heard since the snapshot before this one */
    size_t trace_len;
    char *looked_at; /* the queue that was asked about; NULL: none */
    struct copy_seen *copies;
    size_t copies_len; /* of the nodes that answered */

    /* Documents as the nodes sent them, NULL if not asked for: "nodes" (each node's own entry of GET
     * /api/nodes), "queue" (GET /api/queues/%2F/NAME), "bindings" (the same/bindings), "connections" (GET
     * /api/connections), "channels" (GET /api/channels). */
    json_t *details;
};

const struct node_seen *snapshot_node(const struct snapshot *s, const char *name);   /* NULL if absent */
const struct queue_seen *snapshot_queue(const struct snapshot *s, const char *name); /* NULL if absent */
int snapshot_node_index(const struct snapshot *s, const char *name);                 /* -1 if absent */
char *snapshot_node_names(const struct snapshot *s, node_bits bits); /* "node2, node3"; the caller's */

/* Nodes that run, answer and do not count each other as running: the sides of a partition. */
node_bits snapshot_partitions(const struct snapshot *s, int node); /* which this one lists, as it says */
bool snapshot_apart(const struct snapshot *s, int node, int other);
bool snapshot_met(const struct snapshot *s, int node,
                  int other); /* they are apart, though their link is back */
node_bits snapshot_apart_from(const struct snapshot *s, int node);
bool snapshot_partitioned(const struct snapshot *s); /* some are apart, or some queue has two masters */

/* How many nodes that answer say that they are this queue's master; 1: no more than one. */
unsigned queue_seen_masters(const struct queue_seen *q);
/* It runs, though nodes that answer cannot reach its master: for clients of one side only. */
bool queue_seen_one_sided(const struct snapshot *s, const struct queue_seen *q);
/* What the side that this node has a copy in says of the queue; NULL: it has none, or all say the same. */
const struct side_seen *queue_seen_side(const struct queue_seen *q, int node);
node_bits queue_seen_masters_bits(const struct queue_seen *q);              /* of all that answer */
node_bits queue_seen_mirrors(const struct queue_seen *q, bool synced_only); /* on any of their sides */

struct snapshot *snapshot_clone(const struct snapshot *s);
void snapshot_destroy(struct snapshot *s);     /* takes NULL */
void snapshot_sort_queues(struct snapshot *s); /* after any is added: they are found by halves */
bool queue_seen_same(const struct queue_seen *a, const struct queue_seen *b); /* but for seen_at */
void snapshot_copy_event(struct event_seen *to, const struct event_seen *from);
void snapshot_free_event(struct event_seen *e); /* what it owns */
const char *trace_seen_word(enum trace_seen_kind kind);
const char *queue_seen_state_name(enum queue_seen_state state); /* "running", "stopped", ... , "?" */
/* The one word that people read for it: of a queue that nobody serves it is "STOPPED", "DOWN". */
const char *queue_seen_state_shown(enum queue_seen_state state);

/* The same as JSON (a new reference), and back: `lab status --json`, recordings, replays, tests. from_json
 * returns NULL and a message in *error (caller frees) if the text is not a snapshot. */
json_t *snapshot_to_json(const struct snapshot *s);
struct snapshot *snapshot_from_json(const json_t *json, char **error);

#endif

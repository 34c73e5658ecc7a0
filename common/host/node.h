/* node.h: the parts that a lesson's node.c puts together: a loop, listeners, links to the other nodes, a log.
 * Each part is a plain struct with init and finish; node.c owns them and says in perform() which effect goes
 * to which part. Everything below does the work of the real world; nothing below knows a rule of mirroring.
 *
 * The process stays while its app stops and starts (rabbitmqctl stop_app, start_app): the control socket
 * belongs to the process, the rest to the app. */
#ifndef HOST_NODE_H
#define HOST_NODE_H

#include <event2/event.h>

#include "broker/broker.h"

struct node_config {  /* from lab.cfg, with --name and --dir */
    char *name, *dir; /* "node1", its folder */
    struct node_config_peer {
        char *name, *host;
        uint16_t amqp, http, peer;
    } nodes[LIMIT_NODES];
    size_t nodes_len, self;
    char *secret; /* what nodes prove to each other that they know */
    char *user, *password;
    unsigned silence_ms;                        /* a peer that says nothing for so long is gone; 4000 */
    enum partition_handling partition_handling; /* RabbitMQ's cluster_partition_handling */
    uint64_t memory_limit_bytes;                /* publishers wait above it */
    uint64_t paging_bytes; /* messages leave memory above this: memory_paging_ratio of the limit */
};

struct node; /* one process's node: its lesson's own (node.c there), begins with a struct loop */

/* The management API and the control socket look at the node through these. */
struct broker *node_broker(struct node *n); /* NULL while the app is stopped */
const struct node_config *node_config_of(const struct node *n);
struct event_base *node_base(struct node *n);
ms_time node_now(const struct node *n);

/* Steps the broker with one event and performs the effects (may be called from HTTP and control handlers;
 * never from inside perform). */
void node_step(struct node *n, const struct event *ev);
/* Performs effects that a broker_* function made. */
void node_perform(struct node *n, struct effects *fx);

/* A command with an answer later: allocates a host req, steps; fn is called once with the FX_ANSWER, or with
 * NULL when the app stops first. */
typedef void node_answer_fn(void *arg, const struct effect *answer);
void node_command(struct node *n, struct event *ev, node_answer_fn *fn, void *arg);
/* The same for the broker_* functions that take a req: a host req whose FX_ANSWER goes to fn. */
uint64_t node_request(struct node *n, node_answer_fn *fn, void *arg);

/* The app: each calls fn once, when it is so (or with an error text). */
typedef void node_done_fn(void *arg, const char *error);
void node_stop_app(struct node *n, node_done_fn *fn, void *arg);
void node_start_app(struct node *n, node_done_fn *fn, void *arg);
bool node_app_running(const struct node *n);

/* Forgets everything that the node's log holds, as if it had never run; what is left is who it is (folder,
 * pid, incarnation, secret). The app has to be stopped: else, and if the disk fails, *error says so (caller
 * frees). */
bool node_reset(struct node *n, char **error);
/* Its next start, alone, waits for no other node. false: *error, as above. */
bool node_force_boot(struct node *n, char **error);
bool node_is_blank(struct node *n); /* a stopped app would start with nothing */
/* Who is of the cluster, as this node knows it: now, or when its app last stopped. */
node_set node_known(struct node *n);

/* This end of the link to a peer is cut, one way or both: until it is healed, what comes is not taken, what
 * is to go is kept. Each end is told its part: of a cut that stops what A says to B, A has CUT_OUT, B has
 * CUT_IN. A way that is cut stays so when the other is cut later. */
enum cut_way { CUT_IN = 1, CUT_OUT = 2, CUT_BOTH = CUT_IN | CUT_OUT };
void node_cut(struct node *n, node_id peer, enum cut_way way);
void node_heal(struct node *n, node_id peer);

/* Asks every live peer's host the same question (opaque JSON text) over the peer link; fn gets each answer
 * as it comes (peer, text), then once (NODE_NONE, NULL) when all came or timeout_ms passed. A peer's question
 * to us is answered by the function set with node_on_query (returns a new string). */
typedef void node_query_fn(void *arg, node_id peer, const char *answer);
void node_query(struct node *n, const char *question, unsigned timeout_ms, node_query_fn *fn, void *arg);
typedef char *node_query_handler(struct node *n, const char *question);
void node_on_query(struct node *n, node_query_handler *fn);
node_set node_links_up(const struct node *n);

/* The events feed: FX_EVENT lands here with the wall clock. */
struct node_event {
    uint64_t seq;
    int64_t wall_ms;
    const char *kind;
    char *queue, *text;
};
size_t node_events_since(const struct node *n, uint64_t seq, const struct node_event **out, uint64_t *next);

/* What happened to messages (mirror/trace.h), with the time of the turn in which it did; where several were
 * made one, until_us is that of the last. It is noted from the first question on, until nobody has asked for
 * 10 s: since began_us. missed: something between seq and the first of these was not noted or is not kept. */
struct node_traced {
    uint64_t seq;
    int64_t wall_us, until_us; /* microseconds since 1970 */
    struct trace_entry e;
};
size_t node_trace_since(struct node *n, uint64_t seq, const struct node_traced **out, uint64_t *next,
                        bool *missed, int64_t *began_us);

struct node_figures { /* for /api/nodes and status */
    uint64_t memory_bytes, memory_limit_bytes, uptime_ms, fds_used, fds_total, disk_free_bytes, log_bytes,
        fsyncs, paged_bytes; /* paged_bytes: in the pager's file */
    bool memory_alarm;
};
void node_figures(const struct node *n, struct node_figures *out);

#endif

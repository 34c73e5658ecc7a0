/* sim.h: a cluster in one process, without clocks, sockets, threads or luck: 1 to 6 nodes of the mirroring
 * library, their disks and links, clients that keep a ledger of every message, and a checker that looks after
 * every step. The same options give the same run, byte for byte.
 *
 *     struct sim *s = sim_create(&options);            nodes are down
 *     sim_start(s, 0); ... sim_calm(s, 10000);         let them find each other
 *     sim_declare(s, 0, "q", SIM_DURABLE); ...
 *     sim_kill(s, 0); sim_calm(s, 10000);
 *     if (sim_failure(s)) ...                          the first promise that was broken
 *
 * Stories (tests/sim/story_*.c) drive it by hand as above; plan.h drives it from a seed. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "mirror/mirror.h"
#include "sim/ledger.h"

struct sim;

/* Faults planted in the simulator itself, between the library and the checker: each must be noticed. They are
 * how the checker is tested (tests/sim/test_checker.c). */
enum sim_sabotage {
    SABOTAGE_NONE,
    SABOTAGE_CONFIRM_TWICE,       /* one confirm in 50 is told twice */
    SABOTAGE_CONFIRM_SWALLOWED,   /* one confirm in 50 is not told */
    SABOTAGE_CONFIRM_EARLY,       /* publishers are told "confirmed" at once */
    SABOTAGE_DISK_LIES,           /* a kill loses records that were said to be on disk */
    SABOTAGE_MESSAGE_DROPPED,     /* a link loses one message in 100 and goes on */
    SABOTAGE_REDELIVERED_HIDDEN,  /* consumers are never told "redelivered" */
    SABOTAGE_ANSWER_TWICE,        /* one answer in 20 comes twice */
    SABOTAGE_SYNC_ERROR_IGNORED,  /* a node whose disk could not write goes on as if it had */
    SABOTAGE_DISK_ROTS,           /* a kill turns over one bit of what was synced */
    SABOTAGE_ORDER_SWAPPED,       /* a client gets the second of two deliveries first */
    SABOTAGE_ACK_SWALLOWED,       /* one acknowledgement in 20 does not reach the library */
    SABOTAGE_TRANSIENT_FORGOTTEN, /* who takes over does not show what is transient */
    SABOTAGE_MIRROR_HOLE,         /* a mirror does not show one message in the middle */
    SABOTAGE_TWO_MASTERS,         /* a mirror says that it is the master, too */
    SABOTAGE_POLICY_IGNORED,      /* a policy is accepted, and another one is set */
    SABOTAGE_NEVER_PAUSES,        /* nodes ignore partitions whatever they were told to do */
    SABOTAGE_PARTITIONS_HIDDEN,   /* no node lists any other as partitioned */
    SABOTAGE_NO_RECONNECT,        /* a link that was cut stays down when it is healed */
    SABOTAGE_LENGTH_LOWER,        /* queues show that they may hold one less than they do */
    SABOTAGE_TIMES_LONGER,        /* and that messages and queues last three times as long, */
    SABOTAGE_TIMES_SHORTER,       /* or a third of it */
    SABOTAGE_PRIORITY_TURNED,     /* messages are published with other priorities than their publishers say */
    SABOTAGE_SINGLE_SHOWN,        /* all queues show that they have a single active consumer */
    SABOTAGE_DEAD_LETTER_SWALLOWED, /* one dead letter in 5 is not heard of */
    SABOTAGE_DEAD_LETTER_TWICE,     /* each is heard of twice */
    SABOTAGE_CANCEL_SWALLOWED,      /* consumers are not told that they were cancelled */
    SABOTAGE_RETURN_HIDDEN,   /* one in 5 of those who give messages back still believe that they have them */
    SABOTAGE_CONFIRM_TURNED,  /* one confirm in 50 is told as a refusal */
    SABOTAGE_OWNER_STAYS,     /* nodes are not told that an owner of exclusive queues has gone */
    SABOTAGE_GOT_TWICE,       /* one delivery in 20 comes twice to those who do not acknowledge */
    SABOTAGE_CONSUMER_HIDDEN, /* a master shows no consumers */
    SABOTAGE_LEFT_WAITED_FOR, /* a node that starts says that it waits for who stopped before it */
    SABOTAGE_STAYED_FORGOTTEN, /* or for nobody, whoever went on when it stopped */
    SABOTAGE_EPOCH_CUT,        /* views show numbers that do not say on which side they are */
    SABOTAGE_YOUNGEST_FIRST,   /* consumers subscribe with priorities, the later the higher */
    SABOTAGE_PUBLISH_SWAPPED,  /* of two publishes in a row the second is told as the first */
    SABOTAGE_GOT_EARLIER,      /* gets are answered as if an earlier master had */
    SABOTAGE_PLACE_MOVED,      /* after a cut mirrors show another id for what its master has given away */
    SABOTAGE_MIRROR_AHEAD, /* a mirror of a queue with limits shows an id, too, that no master has given yet
                            */
    SABOTAGE_UNLUCKY_KILL, /* a kill counts as wrong when its node has just taken in what nobody else has */
    SABOTAGE_COUNT_
};
const char *sim_sabotage_name(enum sim_sabotage s);

struct sim_options {
    unsigned nodes; /* 1 .. SIM_NODES */
    uint64_t seed;  /* of delays, batching and what a kill tears */

    /* microseconds; each link and each disk sync takes a random time between its two */
    uint64_t link_min_us, link_max_us, disk_min_us, disk_max_us, turn_max_us;
    uint64_t silence_ms;   /* a peer that is not heard for so long is gone */
    uint64_t reconnect_ms; /* and is tried again so often */
    size_t batch_bytes; /* as in struct mirror_options. A message that grows with a queue and is longer than a
                           few batches would be too long for a link with larger messages: it breaks `frame` */

    size_t table_bytes;                                              /* too */
    bool confirm_after_mirrors, confirm_after_disk, oldest_promoted; /* as in struct mirror_options */
    const struct mirror_rules *rules; /* too; the checker then judges what is lost, not how they decide */
    enum partition_handling partition_handling;
    enum sim_sabotage sabotage;
    bool torn_sectors;  /* a kill in the middle of a write leaves any sectors of it, not only a beginning */
    bool forgotten_end; /* a node that learns at its start that it was removed ends, as a real one does; else
                           an operator is at hand, who resets it and starts it again */
    bool one_fault_at_a_time; /* the driver promises to resynchronise in between: then every loss is a failure
                               */

    /* each line of the trace, without newline; NULL: none is made */
    void (*trace)(void *arg, const char *line);
    void *trace_arg;
};
void sim_options_defaults(struct sim_options *o); /* 3 nodes, all rules on, a fast LAN, a slow disk */

struct sim *sim_create(const struct sim_options *o);
void sim_destroy(struct sim *s);              /* takes NULL */
void sim_throw(struct sim *s, uint64_t luck); /* from here on its dice fall otherwise, with each number */

/* ---- time ---- */

bool sim_step(
    struct sim *s); /* lets one thing happen; false: nothing is left to happen, or a promise broke */
uint64_t sim_now_us(const struct sim *s);
uint64_t sim_steps(const struct sim *s); /* events handed to nodes so far */
uint64_t sim_hash(const struct sim *s);  /* of everything that happened */

/* Runs until fact(s, arg) holds, asked after every step. False: limit_ms of virtual time passed (or a promise
 * broke) and it does not hold. */
typedef bool sim_fact(struct sim *s, void *arg);
bool sim_until(struct sim *s, sim_fact *fact, void *arg, uint64_t limit_ms);
void sim_run(struct sim *s, uint64_t ms);

/* Until nothing is on its way (no message, no disk write, no question unanswered, no sync) and all running
 * nodes serve in one view. Clients must be idle. True: so it is, and the stricter checks of check.h held. */
bool sim_calm(struct sim *s, uint64_t limit_ms);

/* The first broken promise, or NULL: "I1: ..." */
const char *sim_failure(const struct sim *s);

/* ---- nodes ---- */

void sim_start(struct sim *s, node_id n); /* no effect if it runs */
void sim_stop(struct sim *s, node_id n);  /* in order; it is off once sim_state says so */
void sim_kill(struct sim *s, node_id n);
void sim_stop_wait(struct sim *s, node_id n); /* stop, and wait until it is off */
bool sim_running(const struct sim *s, node_id n);
bool sim_serving(const struct sim *s, node_id n);                /* clients can connect */
const struct mirror *sim_mirror(const struct sim *s, node_id n); /* NULL while it does not run */
node_set sim_running_set(const struct sim *s);
node_set sim_removed(const struct sim *s); /* by an operator, and not reset since */
unsigned sim_nodes(const struct sim *s);
/* An operator removes a node that does not run from the cluster, through some node that serves; empties the
 * log of a node that does not run and was removed. A node that learns at its start that it was removed is
 * reset and started again, or ends (forgotten_end). */
void sim_forget(struct sim *s, node_id n);
void sim_forget_by(struct sim *s, node_id by, node_id n);
void sim_reset(struct sim *s, node_id n);
/* The next start of a node that does not serve waits for nobody. */
void sim_force(struct sim *s, node_id n);
/* By a node whose process is not there, from its next start on (forget_cluster_node --offline). */
void sim_forget_offline(struct sim *s, node_id by, node_id n);
/* While all nodes are off: somebody puts an empty disk into n. No effect unless all were killed in one view:
 * else that disk may be the only one that knows of a queue. */
void sim_lose_disk(struct sim *s, node_id n);
/* For ms from now, messages between a and b take factor times as long. */
void sim_slow(struct sim *s, node_id a, node_id b, unsigned factor, uint64_t ms);

/* ---- links ----
 *
 * A cut link carries no byte. Who hears nothing any more closes its end after silence_ms at most
 * (EV_PEER_DOWN); the other end learns of it if that direction still works, and notices the silence itself if
 * it does not. What was on its way is lost with the connection. If the link is healed before anybody has
 * noticed, the connection has survived, and what was on its way arrives: it was only late, as with TCP. */
void sim_cut(struct sim *s, node_id a, node_id b);
void sim_cut_now(struct sim *s, node_id a, node_id b); /* both ends see the connection closed at once */
void sim_cut_one_way(struct sim *s, node_id from, node_id to); /* `to` does not hear `from` any more */
void sim_cut_off(struct sim *s, node_set side, bool at_once);  /* every link between side and the others */
void sim_heal(struct sim *s, node_id a, node_id b);            /* both directions; they connect again */
void sim_heal_all(struct sim *s);
bool sim_is_cut(const struct sim *s, node_id from, node_id to);
/* No byte moves from a to b for ms from now, half of silence_ms at most: nothing is lost, nobody gives up. */
void sim_clog(struct sim *s, node_id from, node_id to, uint64_t ms);
/* So many more clients are connected to node n (EV_CLIENTS); those of a plan count by themselves. */
void sim_more_clients(struct sim *s, node_id n, int count);

/* ---- disks: a node whose disk fails stops by itself, and may be started again ---- */

void sim_fail_write(struct sim *s, node_id n);           /* the next write: EIO */
void sim_fail_sync(struct sim *s, node_id n);            /* the next sync: EIO */
void sim_fill_disk(struct sim *s, node_id n, bool full); /* every write: ENOSPC, until there is room again */

/* ---- clocks: a node's own; what it is told never goes back (the host's rule) ---- */

void sim_jump_clock(struct sim *s, node_id n, int64_t ms);

/* ---- what has happened, to prove that a fault was one ---- */

enum sim_count {
    SIM_KILLS,
    SIM_STOPS,
    SIM_SLOW_LINKS,
    SIM_CUTS, /* both directions */
    SIM_ONE_WAY_CUTS,
    SIM_CUTS_SURVIVED, /* healed before anybody noticed: what waited went on */
    SIM_LINKS_LOST,    /* an end was closed because it heard nothing */
    SIM_SPLITS,        /* two views were served at a time */
    SIM_RESTARTS,      /* a node began again by itself: it had paused, or its side lost */
    SIM_CLOGS,         /* something had to wait */
    SIM_CLOCK_JUMPS,
    SIM_TORN_TAILS,       /* a log had to be cut at its end */
    SIM_REORDERED_WRITES, /* a later sector survived an earlier one */
    SIM_WRITE_ERRORS,
    SIM_SYNC_ERRORS,
    SIM_DISK_FULL,
    SIM_FORGOTTEN, /* nodes were removed from the cluster, */
    SIM_RESETS,    /* and came back empty */
    SIM_FORCED,    /* starts that waited for nobody */
    SIM_DISKS_LOST,
    SIM_OFFERED_AGAIN,   /* a publish went to a master a second time, */
    SIM_SUBMITTED_AGAIN, /* a command to a coordinator, */
    SIM_DELIVERED_AGAIN, /* a message to a consumer */
    SIM_COUNT_
};
const char *sim_count_name(enum sim_count c);
uint64_t sim_count(const struct sim *s, enum sim_count c);

/* ---- commands, as a client or an operator of node n gives them ---- */

struct sim_answer {
    bool answered;
    enum answer_status status; /* if answered */
    char text[160];
    uint64_t messages, consumers;
    /* a get */
    uint32_t message; /* in the ledger */
    uint64_t queue_uid, generation;
    msg_id id;
    bool redelivered;
};
const char *status_name(enum answer_status st);
/* Asks and returns at once: a number for sim_answered; 0: the node does not run. Fills ev's req. */
uint64_t sim_ask(struct sim *s, node_id n, struct event *ev);
const struct sim_answer *sim_answered(const struct sim *s, uint64_t ask);
/* Asks and lets time pass until the answer is there, 60 s at most. */
struct sim_answer sim_command(struct sim *s, node_id n, struct event *ev);

enum {
    SIM_DURABLE = 1,
    SIM_AUTO_DELETE = 2,
    SIM_EXCLUSIVE = 4,
    SIM_PASSIVE = 8,
    SIM_IF_EMPTY = 16,
    SIM_NO_ACK = 32,
    SIM_CANCEL_ON_FAILOVER = 64
};
struct sim_answer sim_declare(struct sim *s, node_id n, const char *queue, unsigned flags);
struct sim_answer sim_declare_with(struct sim *s, node_id n, const char *queue, unsigned flags,
                                   const struct queue_args *args);
struct sim_answer sim_delete(struct sim *s, node_id n, const char *queue, unsigned flags);
struct sim_answer sim_purge(struct sim *s, node_id n, const char *queue);
struct sim_answer sim_get(struct sim *s, node_id n, const char *queue, unsigned flags);
struct sim_answer sim_set_policy(struct sim *s, node_id n, const char *name, const char *pattern,
                                 const char *definition);
struct sim_answer sim_clear_policy(struct sim *s, node_id n, const char *name);
struct sim_answer sim_sync(struct sim *s, node_id n, const char *queue);
struct sim_answer sim_cancel_sync(struct sim *s, node_id n, const char *queue);

/* Publishes through node n; the message's place in the ledger. SIM_UNROUTABLE: no such queue there, or it is
 * stopped or down (the broker then treats the message as unroutable). */
#define SIM_UNROUTABLE UINT32_MAX
uint32_t sim_publish(struct sim *s, node_id n, const char *queue, bool persistent);
/* Publishes `count` and waits until each is confirmed, 60 s at most. False: not all were. */
bool sim_publish_confirmed(struct sim *s, node_id n, const char *queue, bool persistent, unsigned count);
const struct ledger_message *sim_message(const struct sim *s, uint32_t message);
const struct ledger *sim_ledger(const struct sim *s);

/* A consumer that only takes: what it got is in sim_delivery until it is settled. 0: refused. */
uint64_t sim_subscribe(struct sim *s, node_id n, const char *queue, uint32_t prefetch, unsigned flags);
struct sim_delivery {
    uint32_t message;
    uint64_t sub; /* 0: by a get */
    node_id node;
    uint64_t life; /* of that node */
    uint64_t queue_uid, generation;
    msg_id id;
    bool redelivered, settled;
};
/* The i-th delivery of this subscription (in order), NULL if there is none yet. */
const struct sim_delivery *sim_delivery(const struct sim *s, uint64_t sub, size_t i);
size_t sim_deliveries(const struct sim *s, uint64_t sub);
bool sim_sub_over(const struct sim *s, uint64_t sub); /* cancelled, or its node went */
void sim_settle(struct sim *s, uint64_t sub, size_t i, enum settle how);
void sim_settle_get(struct sim *s, node_id n, const struct sim_answer *got, enum settle how);
void sim_unsubscribe(struct sim *s, uint64_t sub);

/* ---- looking ---- */

/* What node n says of the queue; false: it does not know it (or does not run). */
bool sim_queue(const struct sim *s, node_id n, const char *queue, struct queue_info *out);
/* "0/12" master 0, mirrors 1 and 2; "0/1(2)": 2 not synchronised; "0/-": no mirrors; "?": unknown. As node n
 * says. */
const char *sim_placement(struct sim *s, node_id n, const char *queue); /* valid until asked again */

#endif

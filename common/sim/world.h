/* world.h: the simulated world as its own files see it. world.c owns time and nodes, faults.c what is done to
 * them, link.c the links, disk.c the disks, clients.c the clients, check.c what was seen after each step. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/rng.h"
#include "base/text.h"
#include "sim/check.h"
#include "sim/heap.h"
#include "sim/sim.h"
#include "store/log.h"

/* How a node's last life ended. */
enum departure {
    DEPARTURE_NONE,    /* it never ran */
    DEPARTURE_STOPPED, /* in order, to the end */
    DEPARTURE_KILLED,
    DEPARTURE_BROKEN_OFF, /* killed while it stopped: others may have seen either */
};

/* ---- disk.c: one log per node ---- */

struct disk_segment {
    uint64_t number;
    struct text data;
    size_t synced; /* so many bytes would survive */
};

enum disk_fails { DISK_FAILS_NOT, DISK_FAILS_WRITE, DISK_FAILS_SYNC };

struct sim_disk {
    VEC(struct disk_segment) segments; /* rising */
    bool full;
    enum disk_fails fails; /* what the next write or sync will do */
    bool looking;          /* log_open only looks: it must not cut */
    bool lied;             /* by sabotage: it said it had synced what it had not */
    struct rng *random;    /* the world's */

    /* while the node runs */
    struct disk five;
    struct log *log;
    uint64_t writing; /* the segment that is written */
    int error;        /* of that write */

    size_t records;   /* in the log, or on their way to it */
    size_t synced;    /* the first so many would survive a kill */
    size_t syncing;   /* a sync is under way that covers the first so many; 0: none */
    size_t life_base; /* records that were there when this life began */
};

void disk_append(struct sim *s, node_id n, const struct record *rec);
bool disk_sync_done(struct sim *s, node_id n); /* false: it failed; the node must go */
void disk_killed(struct sim *s, node_id n);    /* loses what was not synced, or parts of it */
void disk_stopped(struct sim *s, node_id n);   /* all is written */
/* Hands all records to the new life; false: a record was refused. */
bool disk_recover(struct sim *s, node_id n);
bool disk_has(const struct sim *s, node_id n, const struct ledger_message *m); /* synced, and not void */
void disk_reset(struct sim *s, node_id n);                                     /* an operator empties it */
void disk_finish(struct sim_disk *d);

/* ---- link.c: one direction between two nodes ---- */

enum link_item_type { LINK_UP, LINK_MESSAGE, LINK_DOWN };

struct link_item {
    enum link_item_type type;
    uint64_t serial;
    uint64_t connection; /* which connection it belongs to */
    uint8_t *data;
    size_t len;
};

struct link {
    VEC(struct link_item) items; /* a FIFO: [head, len) */
    size_t head;
    uint64_t connection; /* the newest between the two; 0: none yet */
    bool connected;      /* that one stands */
    uint64_t seen;       /* at the receiver: the connection it knows to be up; 0: none */
    uint64_t last_at_us; /* nothing arrives before what was sent earlier */
    uint64_t slow_until_us;
    unsigned slow_factor;
    bool was_cut;  /* once */
    uint64_t cut;  /* no byte passes: the serial of the cut; 0: it is whole */
    uint64_t clog; /* no byte passes for a while: its serial; 0: they move */
};

void link_cut(struct sim *s, node_id from, node_id to, bool noticed); /* noticed: EV_PEER_DOWN will come */
void link_heal(struct sim *s, node_id from, node_id to);
void link_clog(struct sim *s, node_id from, node_id to, uint64_t us);
void link_unclog(struct sim *s, node_id from, node_id to, uint64_t serial);
void link_silence(struct sim *s, node_id from, node_id to, uint64_t serial); /* `to` gives `from` up */
void link_close(struct sim *s, node_id n, node_id other);                    /* n closes its end */
void link_try(struct sim *s, node_id a, node_id b);                          /* connects, if both can */
void link_connect_all(struct sim *s, node_id n);                             /* n has started */
void link_disconnect_all(struct sim *s, node_id n, bool in_order);           /* n has gone */
void link_send(struct sim *s, node_id from, node_id to, const struct text *bytes);
void link_arrive(struct sim *s, node_id from, node_id to, uint64_t serial);
void link_count_repeats(struct sim *s, node_id n, const struct peer_msg *msg); /* n sends it */
void link_finish(struct link *l);

/* ---- world.c ---- */

struct offered { /* publishes to one queue: the last number that was sent, in which life */
    uint64_t uid, incarnation, last;
};

struct sim_node {
    struct mirror *m;  /* NULL: it does not run */
    bool let_go;       /* it was told that the others are in a view without it */
    bool stopping;     /* EV_STOP was given, */
    ms_time stop_ms;   /* then, by its own clock */
    uint64_t start_us; /* its life began */
    bool serving;      /* between FX_SERVING on and off */
    bool booting;      /* HAPPEN_BOOT is on its way */
    bool start_again;  /* a start was asked for while it stopped */
    bool forced;       /* its next life waits for nobody */
    node_set forgets;  /* in its next life these are of the cluster no more */
    uint32_t clients;  /* connected, as it was told */
    int64_t clock_ms;  /* its clock is so far ahead of the world's; negative: behind */
    ms_time told_ms;   /* the latest time it was told: it never goes back */
    bool turn_due;     /* HAPPEN_TURN_END is on its way */
    ms_time tick_for;  /* the deadline a HAPPEN_TICK is on its way for; UINT64_MAX: none */
    unsigned idle_ticks;
    uint64_t lives, incarnation;
    enum departure departure;
    bool restarted; /* its last life ended by itself: pause_minority, or the losing side of autoheal */
    VEC(struct offered) offered;
    uint64_t submitted, submitted_in; /* the last command that was sent, in which life */
    struct sim_disk disk;
};

struct ask {
    node_id node;
    uint64_t life;
    enum event_type type;
    uint32_t client; /* CLIENT_NONE: asked by hand */
    uint32_t queue;  /* in the ledger, where the checker must know; UINT32_MAX */
    uint64_t asked_ms, asked_step;
    bool no_ack;
    uint64_t sub;   /* SUBSCRIBE, UNSUBSCRIBE */
    char about[24]; /* DELETE: the name, whatever had it then */
    struct sim_answer answer;
};

struct sub_order {
    uint64_t channel;
    uint32_t number, priority;
};

struct sub {
    node_id node;
    uint64_t life;
    uint32_t client;
    uint32_t queue; /* in the ledger */
    bool no_ack, over;
    bool cancel_on_failover, leaving; /* leaving: it was cancelled; over once that is answered */
    uint64_t since_ms;                /* it was answered then: messages may come; 0: not yet */
    uint64_t first_generation;        /* of the queue, then */
    uint64_t asked_step, since_step;  /* who was answered before another one asked came before it */
    uint32_t prefetch;
    uint64_t current_generation; /* of the last delivery, */
    uint32_t outstanding;        /* and how many of those are not settled */
    uint32_t taken;              /* by the client's socket, not told to the library yet */
    VEC(uint32_t) deliveries;    /* indexes */
    VEC(struct sub_order) order; /* of each channel and priority, the last that came for the first time */
};

struct sim {
    struct sim_options options;
    const char *names[SIM_NODES];
    struct rng net, disk, turn, client; /* one stream each: a change in one does not shift the others */
    uint64_t now_us, steps, hash, link_serial, incarnations;
    uint64_t cuts; /* so many so far */
    bool forced; /* a node was started without those it would have waited for: what they knew may be lost (L4)
                  */
    node_set removed; /* an operator asked to forget them; they were not reset since */
    uint64_t counts[SIM_COUNT_];
    struct heap heap;
    struct sim_node nodes[SIM_NODES];
    struct link links[SIM_NODES][SIM_NODES]; /* [from][to] */
    struct effects effects;
    struct text bytes, line, placement;

    struct ledger ledger;
    VEC(struct ask) asks; /* req - 1 */
    size_t open_asks;
    VEC(struct sub) subs; /* sub - 1 */
    VEC(struct sim_delivery) deliveries;
    VEC(uint32_t) strays;    /* deliveries that came after their subscription's end: to be requeued */
    VEC(uint64_t) taking;    /* subscriptions with enough taken */
    struct clients *clients; /* of a plan; NULL in stories */
    struct check check;

    enum event_type stepping; /* what the present step is about */
    char *failure;
    uint64_t failed_step;
};

#define CLIENT_NONE UINT32_MAX

void node_step(struct sim *s, node_id n, struct event *ev);
void node_plan_tick(struct sim *s, node_id n); /* its clock or its deadline has changed */
void node_reset(struct sim *s, node_id n);     /* its log is emptied, and it may come back */
void sim_fail(struct sim *s, const char *promise, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sim_tell(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define TRACING(s) ((s)->options.trace != NULL)
static inline void sim_mix(struct sim *s, uint64_t value)
{
    uint64_t z = (s->hash ^ value) * 0x9e3779b97f4a7c15ULL;
    s->hash = z ^ (z >> 29);
}
static inline uint64_t random_between(struct rng *r, uint64_t low, uint64_t high)
{
    return low + (high > low ? rng_below(r, high - low + 1) : 0);
}
const char *event_name(enum event_type t);

/* ---- ask.c: commands, publishes, deliveries: what a broker's connections would do ---- */

uint64_t ask_as(struct sim *s, node_id n, struct event *ev, uint32_t client);
uint32_t publish_as(struct sim *s, node_id n, const char *queue, bool persistent, uint32_t publisher,
                    uint64_t channel, uint32_t number);
void ask_perform(struct sim *s, node_id n, const struct effect *fx); /* ANSWER, DELIVER, CONFIRM, CANCELLED */
void ask_node_gone(struct sim *s, node_id n); /* its clients are cut off; nothing is settled */
void ask_after(struct sim *s, node_id n);     /* what connections do when a step is over */
uint64_t subscribe_as(struct sim *s, node_id n, const char *queue, uint32_t prefetch, unsigned flags,
                      uint32_t client, uint64_t connection, uint64_t *ask);
struct event declare_event(struct sim *s, node_id n, const char *queue, unsigned flags, uint64_t connection);
void settle_deliveries(struct sim *s, node_id n, const uint32_t *deliveries, size_t len, enum settle how);
void unsubscribe(struct sim *s, uint64_t sub, bool requeue);

/* ---- sabotage.c: what the checker is shown; nothing changes unless the options say so ---- */

void sabotage_queue(const struct sim *s, struct queue_info *info,
                    struct queue_args *args); /* args: the copy */
msg_id sabotage_place(const struct sim *s, const struct queue_info *info, const struct ledger_message *m,
                      msg_id id);
void sabotage_copy(struct sim *s, const struct queue_info *info, const struct ledger_queue *lq);
void sabotage_kill(struct sim *s, node_id n);
void sabotage_view(const struct sim *s, node_id n, struct view_info *v);

/* ---- clients.c hooks ---- */

void clients_wake(struct sim *s, uint32_t client, uint64_t serial);
void clients_answered(struct sim *s, uint32_t client, uint64_t ask);
void clients_delivered(struct sim *s, uint32_t client, uint32_t delivery);
void clients_cancelled(struct sim *s, uint32_t client, uint64_t sub);
void clients_node_gone(struct sim *s, node_id n);   /* cut off */
void clients_node_closes(struct sim *s, node_id n); /* FX_SERVING off: connections end in order */
bool clients_own(const struct sim *s, const struct owner *owner); /* this connection is there */
void clients_destroy(struct clients *c);
void clients_count(struct sim *s, node_id n, int more); /* tells the node how many there are now */

#endif

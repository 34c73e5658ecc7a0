/* ledger.h: what became of every message, as the clients and the disks know it. The library under test is
 * never asked what it thinks happened: only what it holds now (check.c), and what it told clients.
 *
 * A message carries its place in the ledger in its body, so that whoever finds it knows which one it is. */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include "base/text.h"
#include "base/vec.h"
#include "mirror/types.h"

#define SIM_NODES 6 /* the most that are simulated; BFS and swarms need no more */

enum fate {
    FATE_UNCONFIRMED,
    FATE_CONFIRMED,
    FATE_REFUSED, /* nacked */
    FATE_UNKNOWN, /* the publisher's node went before it answered */
};

/* Through which door a confirmed, unconsumed message was lost (semantics.md, I3). */
enum door {
    DOOR_NONE,
    DOOR_L1, /* an unsynchronised mirror was promoted because the policy allows it */
    DOOR_L2, /* every node that held it was restarted and its copy was a mirror's */
    DOOR_L3, /* the losing side of a partition was discarded */
    DOOR_L4, /* an operator's reset, forget or force */
    DOOR_L5, /* it was transient and its last holder stopped */
};

/* How its queue's limits ended a message (check_limits.c). */
enum ending { ENDING_NONE, ENDING_EXPIRED, ENDING_DROPPED };

struct ledger_message {
    /* its publisher */
    uint32_t publisher;
    uint64_t channel;     /* order is promised within one of these, */
    uint32_t number;      /* and this is the place in it */
    node_id at;           /* the node it was published on, */
    uint64_t incarnation; /* and that node's life */
    uint32_t queue;       /* index of the ledger's queue */
    bool persistent;      /* and its queue durable: it must reach the disks */
    uint64_t asked_ms;    /* when it was published there */
    enum fate fate;

    uint32_t view; /* CONFIRMED: in this view (check_split.c) */

    /* where it is: kept by check.c and the disks */
    msg_id id; /* if anybody was ever seen to hold it: as it was confirmed, or seen last */
    bool placed;
    bool id_unseen;              /* its queue was deleted: nobody saw which id its last master gave it */
    uint64_t placed_ms;          /* when it was seen first, with this id, */
    uint64_t first_ms;           /* and with any: another side of a partition may count from there */
    uint64_t written_ms;         /* when a record of it was first made for a disk; 0: never */
    bool limited;                /* and its master gave it a time to live by then */
    msg_id ids[SIM_NODES];       /* under which each node held it last, */
    uint32_t ids_in[SIM_NODES];  /* in this view */
    node_set memory;             /* running nodes that hold it now */
    node_set disk;               /* nodes that are away (or starting) and will find it on their disk */
    uint32_t disk_at[SIM_NODES]; /* 1 + the log record that holds it; 0: none */
    msg_id disk_ids[SIM_NODES];  /* under which it is there */
    uint32_t gone_at[SIM_NODES]; /* 1 + the log record that removes it; 0: none */

    /* its consumers */
    uint32_t deliveries;
    uint32_t delivered_in[4];     /* the views of the latest, round and round */
    node_set told;                /* nodes whose copies were there then, or come from such a one */
    uint64_t generation;          /* of the queue, at the last delivery */
    bool consumed;                /* a client acknowledged it, or took it without acknowledgement */
    uint64_t consumed_generation; /* under this master, */
    node_id consumed_at;          /* through this node, */
    uint64_t consumed_life; /* in that life of it: if the node goes, the acknowledgement may go with it */
    uint32_t consumed_in;   /* in this view, */
    uint64_t consumed_cuts; /* after so many cuts: one more may have caught the acknowledgement */

    /* its end otherwise */
    bool again; /* every copy was lost before it was confirmed, and its publisher's node offered it again */
    uint64_t ended_in;     /* consumed, and its master removed it under this generation, */
    uint64_t ended_life;   /* in this life of that node */
    node_set dropped;      /* running nodes that held it and gave it up */
    uint64_t taker;        /* 1 + the latest delivery that has to be acknowledged; 0: none */
    bool auto_acked;       /* delivered to somebody who does not */
    uint64_t discarded_in; /* a client rejected it for good, under this master (generation) */
    uint64_t dead_in;      /* dead-lettered, under this one, */
    node_id dead_at;       /* by this node, */
    uint64_t dead_life;    /* in this life of it, */
    uint64_t dead_step;    /* in this step */
    bool removed; /* an operator purged or deleted, or the queue ended as it should, or its limits: */
    enum ending ending;
    enum door door;
    uint64_t lost_step;
    uint32_t lost_in;  /* the view of the node that showed it */
    bool at_risk;      /* after L1 the new master holds it, and its disk does not yet */
    enum door pending; /* one side of a partition has lost it so; another holds it, and may win */
};

/* What a queue may hold, as its arguments and its policy say: of two numbers the lower. -1: no limit. */
struct queue_limits {
    int64_t max_length, max_bytes, ttl_ms, expires_ms;
    bool rejects, rejects_dead; /* overflow: reject-publish, reject-publish-dlx; neither: drop-head */
    bool dead_letters;
};

struct ledger_placed { /* the latest of a channel that this master took in, in this life of it */
    uint64_t channel, generation, life;
    node_id master;
    uint32_t message;
};

struct ledger_queue {
    char *name;
    uint64_t uid;
    bool durable, exclusive, auto_delete;
    bool auto_ack;   /* somebody takes without acknowledging: a message may vanish on its way to a client */
    unsigned purges; /* asked for, not answered yet */
    bool purged_once;
    bool purge_unclear; /* one was asked for through a node that went */
    bool deletion;      /* somebody asked to delete it */
    bool cancelled;     /* or to stop copying it to its mirrors */
    bool gone;

    /* its limits: check_limits.c */
    char *definition;           /* of the policy that was seen last, on whatever node; NULL: none yet */
    struct queue_limits limits; /* with that one */
    uint32_t limits_changes;    /* how often it was another one */
    uint64_t max_length, max_bytes, ttl_ms, expires_ms; /* 1 + the lowest that ever was; 0: none */
    bool ttl_changed;                                   /* since it had one */
    bool rejected_once, dead_lettered_once;             /* some policy said so */
    char *dead_letter_key;                              /* of its arguments, or NULL */
    uint32_t max_priority;
    bool single_active;
    uint32_t disk_lost;         /* 1 + its master, whose disk went while a copy was in sync; 0: none */
    uint64_t single_generation; /* under this master */
    uint64_t single_sub;        /* this one is the active consumer */
    uint64_t used_ms;       /* somebody who was answered asked then: its time to expire is not over before */
    uint64_t changed_ms;    /* and it may have begun as late as this */
    uint32_t view;          /* in which it was seen first */
    VEC(uint32_t) messages; /* published to it */
    VEC(struct ledger_placed) placed;
};

struct ledger {
    VEC(struct ledger_message) messages;
    VEC(struct ledger_queue) queues;
    uint64_t lost[DOOR_L5 + 1];
    uint64_t ended[ENDING_DROPPED + 1];
    uint64_t confirmed, refused, unknown, consumed, redelivered, dead_letters;
};

void sim_ledger_finish(struct ledger *l);

/* What a message is like follows from its number. Its queue may know fewer priorities. */
static inline uint8_t ledger_priority(uint32_t message)
{
    return (uint8_t)(message * 7 % 12);
}
static inline uint32_t ledger_bytes(uint32_t message) /* of its body */
{
    return 8 + message % 7;
}

/* Its priority in its queue: 0 where that has none. */
uint32_t ledger_order(const struct ledger *l, uint32_t message);

uint32_t ledger_publish(struct ledger *l, uint32_t queue, bool persistent);
struct message *ledger_body(const struct ledger *l, uint32_t message); /* the caller's reference */
bool ledger_which(const struct ledger *l, const struct message *m,
                  uint32_t *out); /* false: not one of ours */

uint32_t ledger_queue_of(struct ledger *l, const char *name, uint64_t uid); /* adds it if it is new */

/* Somebody takes from queues of this name without acknowledging; also from one that has the name later. */
void ledger_auto_ack(struct ledger *l, const char *name);

const char *door_name(enum door d);

#endif

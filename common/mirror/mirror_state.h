/* mirror_state.h: the state of one node's mirroring library. Only mirror_private.h includes it.
 *
 * Who may touch what: each group of fields names the file that owns it; others read. */
#ifndef MIRROR_STATE_H
#define MIRROR_STATE_H

#include "base/map.h"
#include "base/rng.h"
#include "base/vec.h"
#include "mirror/content.h"
#include "mirror/mirror.h"
#include "mirror/peer_msg.h"
#include "mirror/policy.h"
#include "mirror/ring.h"

enum role {
    ROLE_NONE,
    ROLE_MASTER,
    ROLE_MIRROR,
};

/* ---- a queue's consumers, at its master (consume.c) ---- */

struct consumer {
    node_id node;
    uint64_t sub; /* 0: basic.get of that node */
    struct owner owner;
    bool no_ack, exclusive, gone; /* gone: unsubscribed, still has unacknowledged messages */
    int32_t priority;             /* x-priority: higher ones are asked first */
    uint64_t order;               /* of subscribing */
    uint32_t prefetch, index;     /* index: in master->consumers, and in a slot's taker */
    uint64_t unacked;
    uint32_t window; /* deliveries its node still takes */
    bool waiting;    /* in the list of those that can take a message, the highest priority first */
    struct consumer *next, *prev;
};

/* ---- what a master knows of one mirror (master.c) ---- */

struct copy {
    node_id node;
    bool synced;
    bool counted;     /* META_SYNCED was asked for */
    uint32_t since;   /* version that added it */
    uint64_t gone_at; /* removed by this version, and counts until every member has that; 0: it is there */
    msg_id join;      /* it has every message from this id on */
    uint64_t applied, durable;
};

struct waiting_confirm {
    uint64_t op;
    uint32_t origin; /* index in master->origins */
    bool on_disk;    /* needs the disk */
    uint64_t seq;
};

struct outgoing { /* a delivery or a get's answer that waits until the mirrors know of it */
    uint64_t op;
    node_id node;
    uint64_t sub, req; /* req: a get */
    msg_id id;
    bool redelivered;
    bool after_disk;     /* not before this turn's records are on disk: */
    uint64_t lsn;        /* so many of them */
    struct message *msg; /* NULL: a plain reply */
    enum answer_status status;
    uint64_t messages, consumers;
};

struct origin_at {
    struct origin o;    /* last number taken from this publisher's node */
    uint64_t confirmed; /* last number confirmed to it */
    bool dirty;
    VEC(uint64_t) rejected;
};

struct held_msg {
    node_id from;
    struct peer_msg *msg;
};

struct sync { /* a running sync, at the master (sync.c) */
    bool running;
    bool requested; /* by an operator: goes on after a view change */
    node_set targets, done;
    msg_id at;  /* next id to send */
    msg_id end; /* ids from here on every target has */
    uint64_t total, sent;
    uint64_t previous; /* sent before the last batch: the next one goes once all have that */
    uint64_t acked[LIMIT_NODES];
    bool ended; /* SYNC_END is out */
    uint32_t batch;
};

/* what holds for a queue now: its arguments and its policy (limit.c); numbers UINT64_MAX: no limit */
enum overflow { OVERFLOW_DROP_HEAD, OVERFLOW_REJECT, OVERFLOW_REJECT_DEAD_LETTER };

struct limits {
    bool known;
    uint64_t policies; /* mirror->policies_changed when this was worked out */
    uint64_t max_length, max_bytes, ttl_ms, expires_ms;
    enum overflow overflow;
    char *dead_letter_exchange, *dead_letter_key; /* or NULL */
};

struct master {
    VEC(struct copy) copies; /* same order as the queue's mirrors */
    uint64_t sent;           /* operations up to this one were sent to the mirrors */
    RING(struct waiting_confirm) confirms;
    RING(struct outgoing) outbox;
    size_t stamped; /* of the outbox: entries whose lsn is known */
    VEC(struct origin_at) origins;
    VEC(struct consumer *) consumers; /* [0] unused; NULL: free, and its index in free_indexes */
    VEC(uint32_t) free_indexes;
    struct map consumer_by; /* node and sub -> struct consumer */
    bool exclusive;         /* the one that is subscribed is alone */
    struct consumer *wait_first, *wait_last;
    uint32_t consumers_len;  /* subscribed now */
    uint64_t subscribed;     /* ever */
    struct consumer *active; /* of a queue with a single active consumer; NULL: none */
    uint64_t active_told;    /* its node knows; the order it has */
    bool had_consumer, deleting;
    struct limits limits;
    ms_time unused_since; /* nobody consumed, got or declared since; counts while there is no consumer */
    struct sync sync;
    enum { SYNC_NOT_ASKED, SYNC_ASKED_BY_POLICY, SYNC_ASKED_BY_HAND } sync_asked; /* it waits for its turn */
    RING(struct held_msg) held;                                                   /* while it syncs */
    uint64_t published, delivered, acked, redelivered, got;
};

/* ---- publishes of this node's clients to one queue (stream.c) ---- */

struct unconfirmed {
    struct message *msg;
    uint64_t cookie;
};

struct stream {
    uint64_t base;    /* number of pending[0]; numbers begin at 1 */
    uint64_t offered; /* numbers below this were offered to the present master */
    uint64_t bytes;
    bool blocked;
    RING(struct unconfirmed) pending;
};

struct applied { /* which policy is a queue's: queue_policy looks again after policies have changed */
    bool known;
    uint64_t policies; /* mirror->policies_changed when it was looked for */
    const struct policy *policy;
};

struct queue {
    struct meta_entry rec;   /* what all members agree on (meta.c); type META_QUEUE */
    struct applied *applied; /* the queue's own */

    /* this node's replica (replica.c, master.c) */
    enum role role;
    bool recovered;   /* content is from the log of an earlier life */
    bool promoting;   /* this view change makes it the master */
    bool synced;      /* mirror: it has all the master has */
    bool synced_told; /* mirror: that all members agree on it */
    struct content content;
    struct reigns reigns;     /* who gave its places: those of rec, once what they void is discarded */
    uint64_t op;              /* last operation issued (master) or applied (mirror) */
    RING(struct op) retained; /* the last retained.len operations, up to op: not every mirror may have them */
    struct master *master;    /* role master, or NULL */
    VEC(struct rejected) rejected; /* publishes that were refused and may be offered again (limit.c) */
    size_t rejected_trim;          /* look for those that will not be when there are so many */
    VEC(struct origin) origins;    /* role mirror: where publishers stand */
    struct content *incoming;      /* mirror: a sync in progress */
    uint64_t incoming_len;

    /* disk (disk.c) */
    uint64_t durable;     /* operations up to this one are on disk ... */
    uint32_t disk_waits;  /* ... unless nothing waits: then all are */
    bool unsaved;         /* handed records out in this turn */
    uint32_t disk_life;   /* rises when the replica is discarded */
    bool sync_done_waits; /* mirror: SYNC_DONE goes out with the next disk done */
    bool sync_merges;     /* mirror: a copy is complete; from this id on it goes to the disk: */
    msg_id merge_at;
    VEC(struct id_range) removed, taken;
    msg_id leased, lease_wanted; /* ids below may be handed out: the log says they may have been */

    msg_id told_join;
    uint64_t told_applied, told_durable; /* mirror: last OPS_ACK */
    msg_id join;                         /* mirror: it has every message from this id on; 0 once in sync */
    uint32_t since;                      /* mirror: the metadata version that added this replica */
    uint64_t level_op;                   /* where all replicas stood when the view was installed */
    uint64_t repair_upto;                /* this view change brings it up to here; 0: nothing to wait for */

    struct stream *stream;      /* stream.c; NULL before the first publish from here */
    uint64_t served_generation; /* the generation streams and subscriptions were last offered to */
    struct subscription *subs_first, *subs_last; /* of this node's clients (subs.c), oldest first */
    size_t exclusive_place;                      /* 1 + its index in mirror->exclusive; 0: none */
    bool dirty;                                  /* in mirror->dirty */

    ms_time timer_at;   /* expiry.c; counts while it has a place */
    size_t timer_place; /* 1 + its index in mirror->timers; 0: none */
};

/* ---- commands of this node's clients that have no answer yet (command.c) ---- */

struct pending {
    uint64_t req; /* the client's */
    uint64_t id;  /* ours, on the wire */
    enum event_type type;
    char *name;
    bool passive, durable, exclusive, auto_delete, no_ack, if_unused, if_empty, prefix, if_absent;
    struct queue_args args;
    struct owner owner;
    uint64_t sub;
    uint64_t uid, generation; /* where it was sent; 0: nowhere */
    bool submitted;           /* waits for the metadata log */
    unsigned met;             /* a declare: so often the queue was there, and then it was not */
    struct meta_entry entry;  /* policy and key commands */
};

struct subscription {
    uint64_t sub, uid, generation;
    bool no_ack, exclusive, cancel_on_failover, established;
    bool active; /* of a queue with a single active consumer: its master says it is this one */
    uint32_t prefetch;
    int32_t priority;
    struct owner owner;
    struct queue *queue;              /* in whose list it is; NULL: in none */
    struct subscription *next, *prev; /* there */
};

/* ---- metadata on its way (coordinate.c) ---- */

struct submit { /* asked of the coordinator, not answered */
    uint64_t req;
    struct owner owner;
    struct meta_entry entry;
    uint64_t pending; /* a client's command waits for it: its pending id; 0: none */
    node_id reply_to; /* a delete: answer this node's request */
    uint64_t reply_req, reply_count;
    bool sent; /* to the present coordinator */
};

struct removal { /* coordinator: a mirror was taken from this queue */
    uint64_t version, uid;
};

struct result { /* coordinator: to be told once `version` is everywhere */
    uint64_t version, req;
    node_id to;
    enum answer_status status;
};

struct key {
    uint8_t *key, *value;
    uint32_t key_len, value_len;
    char *queue;
    bool durable;
    struct key *next, *prev; /* of the same queue */
};

struct disk_wait {
    uint64_t lsn;     /* count of records handed out */
    uint64_t uid, op; /* a queue's operations; uid 0: metadata version `op` */
    uint32_t life;    /* of the replica or the view it belongs to; of an earlier one: void */
};

struct hello { /* what a linked peer last said of itself */
    bool known, serving, fresh;
    bool elsewhere; /* it refused: it is, or is about to be, in another view; until it says hello again */
    uint64_t epoch, incarnation, version;
    node_set members, others, links;
    node_id coordinator;
    uint32_t clients;
};

struct leftovers {
    struct leftover *items;
    size_t len, cap;
};

struct change { /* a view change this node leads (view.c) */
    bool running;
    uint64_t epoch;
    node_set targets, prepared, installed;
    bool install_sent;
    struct peer_msg *answers[LIMIT_NODES]; /* PREPARED */
    uint64_t incarnations[LIMIT_NODES];
    struct peer_msg *install;
    struct leftovers leftovers; /* of the members that have installed it */
};

struct mirror {
    struct mirror_options o;
    char *names[LIMIT_NODES];
    struct rng rng;
    ms_time now;

    /* view.c */
    enum node_phase phase;
    node_set links;
    struct hello peers[LIMIT_NODES];
    uint64_t epoch; /* of the installed view */
    node_set members;
    node_id coordinator;
    uint64_t joins[LIMIT_NODES], incarnations[LIMIT_NODES];
    uint64_t with_us[LIMIT_NODES];  /* the epoch of the last view that had this life of it */
    uint64_t promised;              /* epoch it has sealed for; == epoch when not changing */
    uint64_t promised_before;       /* in earlier lives, as the log has it */
    uint64_t promised_lsn;          /* its record is handed out: the promise holds once this is on disk */
    node_id candidate;              /* to whom */
    uint64_t candidate_incarnation; /* in which life of it */
    uint64_t candidate_join;        /* how long it is in its cluster */
    bool installed_waits;           /* INSTALLED not sent: repairs missing, or not on disk */
    uint64_t view_lsn;              /* records up to the one that completes the view */
    struct leftovers leftovers;     /* handover.c: of the queues this node hands over in this change */
    struct leftovers handed_over;   /* what SERVE brought so far; it is delivered with the last part */
    bool retry_wanted;              /* it serves again: commands that wait are asked at the end of the turn */
    bool declares_wait;             /* some of these are for queues whose removal is on its way */
    struct peer_msg *prepare_waits; /* a PREPARE that cannot be answered before all links are up */
    node_id prepare_from;
    struct change change;
    node_set asked;       /* targets of the PREPARE this node sealed for */
    node_set leaving;     /* members that said LEAVE */
    node_set wants_left;  /* not members (any more), said LEAVE, not told LEFT */
    node_set left_others; /* who was running when the others said LEFT */
    node_set joined;      /* members that came with the present view */
    node_set partitioned; /* told by the field `partitions` */

    /* partition.c */
    node_set excluded_by; /* linked, members by our view, but they refuse us, */
    uint64_t excluded_at; /* for views up to this epoch */
    node_set
        broken; /* the link to it was lost, and with it messages: in this life it is out of reach for good */
    uint64_t broken_life[LIMIT_NODES]; /* which life of it */
    node_set lost;          /* went without a word since they were last in our view: dead, or on their own */
    ms_time start_deadline; /* a node that starts looks so long for others before it serves without them */
    bool looks;             /* and that time is not over */
    node_set waits_told;    /* a node that starts has said that it waits for these */
    node_set cuts[LIMIT_NODES]; /* [n]: whom n reported to have lost, since the last change began */
    node_set shun; /* left out of the change that is led: cut off from somebody older, or led by another */
    struct peer_msg *held_prepares[LIMIT_NODES]; /* of candidates that leave out somebody older who lives */
    uint32_t clients;
    bool over; /* FX_RESTART is out: this life does nothing more */

    bool fresh, started, served /* in a view, in this life */, stopping, leave_sent, left, serving_told,
        stopped_told;
    uint64_t stopped_lsn; /* REC_STOPPED is handed out: FX_STOPPED when this is on disk */
    ms_time stop_deadline;
    node_set recovered_others;
    bool recovering_table; /* between REC_META_RESET and the REC_VIEW that completes it */
    VEC(struct meta_entry) recovered_table;
    bool recovered_clean;      /* the log ends with an orderly stop */
    struct map recovered_seen; /* recover.c: queues the last table names */
    uint64_t recovered_epoch;

    /* meta.c */
    uint64_t version;
    node_set cluster;                   /* whoever joined, running or not */
    node_set forgotten;                 /* and was removed since, */
    uint64_t forgotten_in[LIMIT_NODES]; /* in the view of this epoch */
    struct map queues;                  /* name -> struct queue */
    struct map by_uid;
    VEC(struct policy *) policies; /* sorted by name */
    uint64_t policies_changed;     /* how often */
    struct map keys;               /* -> struct key */
    struct map queue_keys;         /* name of a queue -> the first of its keys */
    VEC(struct queue *) exclusive; /* queues that have an owner */
    uint32_t syncs;                /* of its queues that run; LIMIT_SYNCS at most */
    RING(uint64_t) sync_waits;     /* uids of those that wait for that; some may have gone */
    size_t table_bytes;            /* all of this in a message, at most */

    /* coordinate.c */
    VEC(struct submit *) submits;
    bool submits_unsent;
    uint64_t next_id;
    uint64_t acked_version[LIMIT_NODES];
    uint64_t own_version_on_disk;
    uint32_t meta_life;      /* rises with every installed view */
    uint64_t version_to_ack; /* member: on disk, ack not sent */
    RING(struct result) results;
    RING(struct removal) removals;
    bool review_all;         /* are all queues where the policies want them? */
    VEC(uint64_t) reviews;   /* or these only */
    uint64_t policy_version; /* of the last change of a policy that was ordered in this view */

    /* command.c */
    struct map pending;            /* id -> struct pending */
    struct map subs;               /* sub -> struct subscription */
    VEC(struct held_msg) deferred; /* session messages that came during a change */
    VEC(struct held_msg) early;    /* view messages that wait for metadata or an install */

    /* disk.c */
    uint64_t handed_out; /* records, ever */
    uint64_t on_disk;
    RING(struct disk_wait) disk_waits;

    VEC(struct queue *) dirty;  /* touched in this turn */
    VEC(struct queue *) timers; /* expiry.c: a heap, the earliest first */

    /* trace.c */
    bool tracing, trace_missed;
    VEC(struct trace_entry) trace;
};

#endif

/* peer_msg.h: what nodes say to each other, as structs. wire/peer.c turns them into bytes and back;
 * docs/protocol.md tells the story message by message.
 *
 * Two classes. *View* messages belong to one epoch: a node that has promised a later epoch drops them, and
 * the view change repairs what was lost. *Session* messages (from PEER_PUBLISH on) belong to one queue and
 * generation between two members: a node in the middle of a view change keeps them until it serves again,
 * and drops those of an earlier generation then. */
#ifndef MIRROR_PEER_MSG_H
#define MIRROR_PEER_MSG_H

#include "mirror/types.h"

enum peer_type {
    PEER_HELLO = 1, /* first on every link: who I am, where I stand */
    PEER_PREPARE,   /* candidate: seal your epoch, tell me what you hold */
    PEER_PREPARED,
    PEER_REFUSED, /* I promised a later epoch, or an older candidate */
    PEER_INSTALL, /* the new view, the whole metadata, repairs to be made */
    PEER_INSTALLED,
    PEER_SERVE,  /* all have installed: go */
    PEER_LEAVE,  /* I stop in order */
    PEER_LEFT,   /* you are out of the view: you may go */
    PEER_HEAL,   /* autoheal: your side lost, begin again */
    PEER_REPORT, /* I lost the link to this node */
    PEER_SUBMIT, /* to the coordinator: please order this metadata change */
    PEER_RESULT, /* how it ended, once all members have it */
    PEER_META,   /* one ordered metadata entry */
    PEER_META_ACK,
    PEER_COMMITTED, /* coordinator to a queue's master: every member has this version */
    PEER_INIT,      /* master to a new mirror: you begin here */
    PEER_OPS,       /* master to mirrors: operations in order */
    PEER_OPS_ACK,   /* cumulative */
    PEER_SYNC_BEGIN,
    PEER_SYNC_BATCH,
    PEER_SYNC_ACK,
    PEER_SYNC_END,
    PEER_SYNC_CANCEL,
    PEER_SYNC_DONE, /* mirror: I have it all (on disk where it must be) */
    PEER_PUBLISH,   /* publisher's node to master */
    PEER_CONFIRM,   /* master to publisher's node, cumulative */
    PEER_REQUEST,   /* a client's command for the master */
    PEER_REPLY,
    PEER_DELIVER, /* master to consumer's node */
    PEER_SETTLE,
    PEER_CREDIT,
    PEER_ACTIVE, /* master to consumer's node: it is the queue's single active consumer now */
};

enum meta_type {
    META_QUEUE = 1,    /* a queue as it stands: added, or replaced (its state, master, mirrors, ...) */
    META_QUEUE_REMOVE, /* uid */
    META_SYNCED,       /* uid, generation, master = the mirror that is now in sync */
    META_POLICY,
    META_POLICY_REMOVE,
    META_KEY,        /* key, value, queue */
    META_KEY_REMOVE, /* key, prefix */
    META_FORGET,     /* master = a node that is of the cluster no more */
};

/* Which master gave a place. Places count up, but a master that knows less than an earlier one (its log was
 * empty, it was promoted without the last messages, it is on the other side of a partition) gives some of
 * them again: reign and place together are one message for ever. */
struct reign {
    msg_id from;     /* its places begin here, and end where the next reign's begin */
    uint64_t number; /* of the master: its node's life and place in the list; no two have the same */
};
struct reigns {
    struct reign items[LIMIT_REIGNS]; /* oldest first */
    uint8_t len;
};
void reigns_add(struct reigns *r, msg_id from, node_id master, uint64_t incarnation);
uint64_t reign_of(const struct reigns *r, msg_id id); /* 0: of one that is forgotten */

/* One change of the replicated metadata. Flat: which fields count depends on the type. Owns its strings. */
struct meta_entry {
    enum meta_type type;
    /* a queue */
    char *name;
    uint64_t uid, generation;
    bool durable, auto_delete;
    struct owner owner;
    struct queue_args args;
    enum queue_state state; /* never SYNCING here: that is the master's to say */
    node_id master;
    node_id mirrors[LIMIT_NODES]; /* oldest first */
    uint32_t since[LIMIT_NODES];  /* parallel: (low half of) the version that added it; SYNCED: since[0] */
    uint8_t mirrors_len;
    node_set synced;
    struct reigns reigns;
    /* a policy: name, and */
    char *pattern, *apply_to, *definition;
    int32_t priority;
    /* a key */
    uint8_t *key, *value;
    uint32_t key_len, value_len;
    char *queue;
    bool if_absent, prefix;
};
void meta_entry_init(struct meta_entry *e, enum meta_type type);
void meta_entry_copy(struct meta_entry *to, const struct meta_entry *from);
void meta_entry_finish(struct meta_entry *e);

/* One operation on a queue, ordered by its master, applied by its mirrors. */
enum op_type {
    OP_PUBLISH = 1, /* id, origin, msg */
    OP_TAKE,        /* ids: delivered, waiting for acknowledgement */
    OP_REMOVE,      /* ids: acknowledged, or delivered to a no-ack consumer, or dropped */
    OP_REQUEUE,     /* ids: back to their places, redelivered */
    OP_REQUEUE_ALL, /* a new master: everything unacknowledged goes back */
    OP_PURGE,       /* everything ready is removed */
    OP_REJECT,      /* a full queue refused this publish: origin */
    OP_LOST,        /* an unsynchronised master never had this publish, nor earlier ones of its origin */
};
struct op {
    enum op_type type;
    msg_id first, last; /* PUBLISH: first is the id. REJECT: first: this origin's numbers below it ended */
    node_id origin;     /* PUBLISH, REJECT, LOST: the publisher's node, */
    uint64_t incarnation, seq; /* its life, and its number for this queue */
    ms_time expiry;            /* PUBLISH: when its time is over; UINT64_MAX: never */
    bool persistent;           /* REJECT: the message was */
    struct message *msg;       /* PUBLISH: a reference */
};

/* A publish that was refused: it must not be taken for one that is there when it is offered again. */
struct rejected {
    node_id node;
    uint64_t incarnation, seq;
};

/* Where a publisher's node stands with a queue: publishes up to seq are in its history. */
struct origin {
    node_id node;
    uint64_t incarnation, seq;
    uint64_t lost;      /* numbers up to this one went with an earlier master; never confirmed as there */
    uint64_t join;      /* a mirror's own: what it has begins after this number (not sent) */
    uint64_t recovered; /* a log's own: of numbers up to this one, the persistent ones are there (not sent) */
};

/* What a member holds of a queue, told to the candidate. */
struct replica_state {
    uint64_t uid, generation;
    bool live; /* false: read from its log, from an earlier life */
    bool synced;
    uint64_t op;    /* last operation applied */
    uint64_t since; /* it can repeat the operations after this one */
    uint64_t depth;
    msg_id next; /* the place that the next publish would get */
};

struct repair { /* source sends operations from+1 .. upto to the node */
    uint64_t uid;
    node_id source, node;
    uint64_t from, upto;
};

struct view_member {
    node_id node;
    uint64_t join; /* rises with every join; the lowest is the longest-running */
    uint64_t incarnation;
};

/* Why a PREPARE or an INSTALL, or anything of an earlier view, is refused. */
enum refusal {
    REFUSE_LATER = 1, /* I hold to a later epoch, or to an older candidate: ask again */
    REFUSE_APART,     /* I am in a view without you: we are partitioned */
    REFUSE_WITHOUT,   /* I follow another view's coordinator: go on without me */
    REFUSE_FORGOTTEN, /* you were removed from the cluster: reset first */
};

enum request_kind {
    REQUEST_STAT = 1, /* declare of a queue that is there: counts */
    REQUEST_GET,
    REQUEST_SUBSCRIBE,
    REQUEST_UNSUBSCRIBE,
    REQUEST_PURGE,
    REQUEST_DELETE,
    REQUEST_SYNC,
    REQUEST_CANCEL_SYNC,
};

struct sync_item {
    msg_id id;
    bool unacked, redelivered;
    ms_time expiry; /* UINT64_MAX: never */
    struct message *msg;
};

struct deliver_item {
    uint64_t sub;
    msg_id id;
    bool redelivered;
    struct message *msg;
};

/* What an old master removed for a client that does not acknowledge, and had not sent yet (handover.c). */
struct leftover {
    uint64_t uid;      /* of the queue */
    node_id node;      /* of the client */
    uint64_t sub, req; /* a consumer's delivery, or a get's answer */
    msg_id id;
    uint64_t messages; /* a get's: how many are left */
    bool redelivered;
    struct message *msg; /* a reference */
};
void leftovers_free(struct leftover *items, size_t len);

struct peer_msg {
    enum peer_type type;
    uint64_t epoch;
    uint64_t uid, generation; /* of the queue; 0 where there is none */
    uint64_t version; /* INIT, OPS, PUBLISH, REQUEST: the sender's metadata version; who is behind waits for
                         it. OPS_ACK, SYNC_ACK, SYNC_DONE: the version that added this mirror; of an earlier
                         replica: void */
    union {
        struct {
            uint64_t incarnation, version;
            bool serving;        /* in an installed view (epoch) */
            bool fresh;          /* nothing on its disk: it has never been in a view */
            node_set members;    /* of the view it is in, or was in last */
            node_set others;     /* not serving: who else was running when it left */
            node_set links;      /* whom it can reach */
            node_id coordinator; /* of that view */
            uint32_t clients;    /* connected to it */
        } hello;
        struct {
            uint64_t join;                      /* of the candidate, in the view it is in */
            uint64_t version;                   /* its metadata's */
            node_set targets;                   /* who is asked; answer once you can reach them all, */
            uint64_t incarnations[LIMIT_NODES]; /* in these lives (of the targets) */
        } prepare;
        struct {
            uint64_t version;
            node_set cluster;            /* as of that version */
            struct forgotten *forgotten; /* so too */
            size_t forgotten_len;
            struct meta_entry *entries; /* its whole metadata, if newer than the candidate's */
            size_t entries_len;
            struct replica_state *replicas;
            size_t replicas_len;
        } prepared;
        struct {
            uint64_t promised; /* the epoch it holds to */
            node_id candidate;
            enum refusal why;
        } refused;
        struct {
            struct view_member *members;
            size_t members_len;
            node_set lost; /* went without a word, and may serve on their own */
            node_set cluster;
            struct forgotten *forgotten;
            size_t forgotten_len;
            uint64_t version;
            struct meta_entry *entries;
            size_t entries_len;
            struct repair *repairs;
            size_t repairs_len;
        } install;
        struct {
            bool more; /* another part follows; only the last one counts as said */
            struct leftover *items;
            size_t items_len;
        } serve; /* and INSTALLED */
        struct {
            node_id node;
            uint64_t incarnation; /* the life that was lost, */
            bool back;            /* and is linked again: it was no death */
        } report;
        struct {
            node_set members; /* of the view that goes on without it */
        } left;
        struct {
            uint64_t req;
            struct owner owner; /* of the connection that asks */
            struct meta_entry entry;
        } submit;
        struct {
            uint64_t req;
            enum answer_status status;
            char *text;
        } result;
        struct {
            uint64_t version;
            struct meta_entry entry;
        } meta;
        struct {
            uint64_t version;
        } meta_ack; /* and COMMITTED */
        struct {
            uint32_t since; /* the version that added it */
            uint64_t op;    /* the last operation before it begins */
            msg_id next;    /* the id the next publish gets */
            struct origin *origins;
            size_t origins_len;
            struct rejected *rejected;
            size_t rejected_len;
        } init;
        struct {
            uint64_t first;  /* number of ops[0] */
            uint64_t stable; /* every mirror has these */
            bool repair;     /* sent by a repair of the view change */
            struct op *ops;
            size_t ops_len;
        } ops;
        struct {
            uint64_t applied, durable;
            msg_id join; /* it has every message from this id on */
        } ops_ack;
        struct {
            uint64_t total; /* BEGIN: messages to come; ACK: received so far */
            msg_id oldest;  /* BEGIN: smallest id among them */
            struct sync_item *items;
            size_t items_len;
        } sync;
        struct {
            uint64_t incarnation; /* of the publisher's node */
            uint64_t base;        /* every number below has ended */
            uint64_t first;       /* number of msgs[0]; they count up */
            struct message **msgs;
            size_t msgs_len;
        } publish;
        struct {
            uint64_t upto;
            uint64_t lost;      /* of these, numbers up to this one: nobody is left who could hold them */
            uint64_t *rejected; /* and these were refused */
            size_t rejected_len;
        } confirm;
        struct {
            enum request_kind kind;
            uint64_t req;
            struct owner owner;
            bool no_ack, exclusive, if_unused, if_empty, resume;
            uint64_t sub;
            uint32_t prefetch, window;
            int32_t priority;
        } request;
        struct {
            uint64_t req;
            enum answer_status status;
            uint64_t messages, consumers;
            msg_id id;
            bool redelivered;
            struct message *msg;
        } reply;
        struct {
            struct deliver_item *items;
            size_t items_len;
        } deliver;
        struct {
            uint64_t sub;
            enum settle how;
            msg_id *ids;
            size_t ids_len;
        } settle;
        struct {
            uint64_t sub;
            uint32_t credit;
        } credit; /* ACTIVE: sub only */
    } u;
};

struct peer_msg *peer_msg_create(enum peer_type type, uint64_t epoch);
void peer_msg_destroy(struct peer_msg *msg); /* takes NULL */
const char *peer_type_name(enum peer_type type);

#endif

/* effects.h: everything a node wants done, as an ordered list. Whoever drives the step function performs
 * them in order and then calls effects_clear, which drops the references they carry.
 *
 * Marked U: from the mirroring library up to the broker, which handles them and adds what clients see.
 * Marked H: out of the broker to the host (a real one or the simulator's). */
#ifndef MIRROR_EFFECTS_H
#define MIRROR_EFFECTS_H

#include "mirror/types.h"

struct peer_msg;
struct meta_entry;

enum effect_type {
    FX_SEND,    /* H to the peers in `to`, in order per peer */
    FX_PERSIST, /* H append this record to the log; EV_DISK_DONE counts them */
    FX_EVENT,   /* H something to tell people (the events feed, the log) */
    FX_SERVING, /* H this node begins (on) or ceases (off) to serve clients: listeners open or close */
    FX_STOPPED, /* H the orderly stop is complete: nothing more will come out */
    FX_RESTART, /* H this life is over (a pause has ended, or its side lost): forget what is in memory,
                   recover from the log, begin a new life; clients are closed */
    FX_FAILED,  /* H this life cannot go on (text says why and what to do): nothing follows */

    FX_ANSWER,      /* U, and H when req has REQ_HOST */
    FX_DELIVER,     /* U a message for a consumer */
    FX_CONFIRM,     /* U a publish ended */
    FX_CANCELLED,   /* U the subscription is over (queue deleted, or failover with cancel_on_failover) */
    FX_META,        /* U a key of the replicated table was set (value) or removed (no value) */
    FX_META_ALL,    /* U the whole table was replaced: forget everything; FX_META for each key follows */
    FX_QUEUE_GONE,  /* U the queue was deleted (bindings to it end) */
    FX_QUEUE_OPEN,  /* U publishers that waited for this queue may go on */
    FX_DEAD_LETTER, /* U publish this message again, through its queue's dead letter exchange; said by the
                       queue's master once, when it has given the message up */

    FX_REPLY,  /* H bytes for an AMQP connection */
    FX_CLOSE,  /* H close the connection once what was written is out */
    FX_PAUSE,  /* H stop reading from this connection */
    FX_RESUME, /* H read on */
};

/* A log record: what a node must find again after a stop. */
enum record_type {
    REC_VIEW = 1,   /* completes a table: the view it lives in, who else is running */
    REC_META_RESET, /* the table is replaced by the REC_META that follow, once REC_VIEW is there */
    REC_META,       /* one entry of the metadata log */
    REC_MESSAGE,    /* a persistent message of a durable queue */
    REC_REMOVED,    /* messages acknowledged, dropped or purged */
    REC_TAKEN,      /* messages delivered: redelivered when they come back */
    REC_DISCARD,    /* everything this node holds of the queue is void */
    REC_LEASE,      /* messages that may be delivered from now on: redelivered after a crash */
    REC_STOPPED,    /* an orderly stop: nothing was in the air */
    REC_REJECTED,   /* a publish that a full queue refused: offered again after a crash, it stays refused */
    REC_PROMISED, /* the epoch it has sealed for: whatever it leads or takes part in later has a higher one */
    REC_ORIGIN, /* where a publisher's node stands with a queue that was copied: its messages do not say so */
};

struct record {
    enum record_type type;
    uint64_t queue_uid;        /* MESSAGE, REMOVED, TAKEN, LEASE, DISCARD, REJECTED, ORIGIN */
    msg_id id;                 /* MESSAGE */
    ms_time expiry;            /* MESSAGE: when its time is over; UINT64_MAX: never */
    uint64_t base;             /* REJECTED: every number of this publisher's below it has ended */
    uint64_t lost;             /* ORIGIN: numbers up to this one are not there */
    bool redelivered;          /* MESSAGE */
    node_id origin;            /* MESSAGE, REJECTED, ORIGIN: who published it (NODE_NONE: not known), */
    uint64_t incarnation, seq; /* in which life, as which number */
    struct message *msg;       /* MESSAGE: a reference */
    struct id_range *ranges;   /* REMOVED, TAKEN, LEASE: owned by the effect */
    size_t ranges_len;
    uint64_t epoch, version;  /* VIEW (both), META, META_RESET (version), PROMISED, STOPPED (epoch) */
    node_set members, others; /* VIEW: members; others that went without a word, and may serve on their own.
                                 STOPPED: others that were running when this node left; members: those that
                                 may serve on their own */
    node_set cluster;         /* VIEW: all nodes of the cluster; */
    struct forgotten *forgotten; /* VIEW: those that were removed from it; owned by the record */
    size_t forgotten_len;
    struct meta_entry *entry; /* META: owned by the record (mirror/peer_msg.h) */
};

struct effect {
    enum effect_type type;
    union {
        struct {
            node_set to;
            struct peer_msg *msg; /* owned by the effect */
        } send;
        struct record *record; /* owned by the effect; the driver encodes it before effects_clear */
        struct {
            const char *kind; /* static: "node", "queue", "mirror", "promote", "sync", "policy", "publish",
                                 "alarm", ... */
            char *queue;      /* or NULL */
            char *text;       /* owned by the effect */
        } event;
        struct {
            bool on;
        } serving;
        struct {
            char *text;
        } failed;
        struct {
            uint64_t req;
            enum answer_status status;
            char *text; /* INVALID: RabbitMQ's words; else NULL or a detail; owned by the effect */
            uint64_t messages,
                consumers; /* DECLARE: ready and consumers; DELETE, PURGE: how many; GET: left */
            /* GET */
            struct message *msg; /* a reference */
            uint64_t queue_uid, generation;
            msg_id id;
            bool redelivered;
        } answer;
        struct {
            uint64_t sub, queue_uid, generation; /* goes back with the acknowledgement; 0: of an earlier
                                                    master, there will be none */
            msg_id id;
            bool redelivered;
            struct message *msg; /* a reference */
        } deliver;
        struct {
            uint64_t cookie;
            enum confirm how;
        } confirm;
        struct {
            uint64_t sub;
        } cancelled;
        struct {
            uint8_t *key, *value; /* owned by the effect; value NULL: removed */
            size_t key_len, value_len;
        } meta;
        struct {
            char *name; /* owned by the effect */
            uint64_t uid;
        } queue;
        struct {
            struct message *msg; /* a reference */
            enum death reason;
            char *queue;          /* which it leaves; owned by the effect, as all here */
            char *exchange, *key; /* key NULL: the message's own */
        } dead_letter;
        struct {
            uint64_t conn;
            uint8_t *data; /* owned by the effect; head first, then the body of msg if any, then tail */
            size_t data_len;
            struct message *msg; /* REPLY: NULL, or its body goes out between data[0..split] and the rest */
            size_t split;
        } client; /* REPLY, CLOSE, PAUSE, RESUME */
    } u;
};

void record_finish(struct record *rec); /* drops what a record owns */

struct effects {
    struct effect *items;
    size_t len, cap;
};

struct effect *effects_add(struct effects *fx,
                           enum effect_type type); /* zeroed but for type; valid until the next add */
void effect_finish(struct effect *fx);             /* drops what one effect owns; it becomes inert */
void effects_clear(struct effects *fx);            /* drops all, keeps the array */
void effects_free(struct effects *fx);

#endif

/* event.h: everything that can happen to a node, as one struct. The broker takes all of them; those marked
 * C are about clients and stay there, the others go on to the mirroring library. What an event points to is
 * borrowed for the call. Every event carries the time it happened. */
#ifndef MIRROR_EVENT_H
#define MIRROR_EVENT_H

#include "mirror/types.h"

struct peer_msg; /* mirror/peer_msg.h */
struct queue;    /* mirror/mirror_state.h */

enum event_type {
    /* the node's own life */
    EV_START,     /* recovery is over; look for the others, then serve */
    EV_STOP,      /* stop in order: hand over, then FX_STOPPED */
    EV_TICK,      /* the deadline that was asked for has passed */
    EV_TURN_END,  /* nothing more to do right now: send what was gathered (acks, confirms, batches) */
    EV_DISK_DONE, /* the first `persisted` records ever handed out (FX_PERSIST) are on disk */
    EV_CLIENTS,   /* how many clients are connected here: autoheal lets the side with more win */
    EV_MEMORY,    /* C alarm on or off: publishers wait while it is on */

    /* the other nodes */
    EV_PEER_UP,
    EV_PEER_DOWN, /* closed link or silence; everything it sent before was handed in before */
    EV_PEER_MESSAGE,

    /* AMQP connections */
    EV_CLIENT_OPEN,    /* C a socket was accepted */
    EV_CLIENT_DATA,    /* C bytes came */
    EV_CLIENT_DRAINED, /* C the socket took what was waiting: output is below its low mark again */
    EV_CLIENT_CLOSED,  /* C the socket is gone, for whatever reason */

    /* commands; each with a `req` is answered by one FX_ANSWER with the same req */
    EV_DECLARE,
    EV_DELETE,
    EV_PURGE,
    EV_PUBLISH, /* answered by FX_CONFIRM */
    EV_GET,
    EV_SUBSCRIBE,
    EV_UNSUBSCRIBE,
    EV_CREDIT,
    EV_SETTLE,
    EV_OWNER_GONE,
    EV_SET_POLICY,
    EV_CLEAR_POLICY,
    EV_SYNC,
    EV_CANCEL_SYNC,
    EV_META_PUT,
    EV_META_DELETE,
    EV_FORGET_NODE, /* a node that does not run is of the cluster no more: OK, IN_USE (it runs), NOT_FOUND */
};

/* req numbers: the broker's own have the top bit clear; the host's (HTTP, control socket) have it set and
 * come back out of broker_step in FX_ANSWER. 0: no answer wanted. */
#define REQ_HOST ((uint64_t)1 << 63)

struct event {
    enum event_type type;
    ms_time now;
    uint64_t req;
    union {
        struct {
            uint64_t persisted;
        } disk;
        struct {
            uint32_t count;
        } clients;
        struct {
            bool alarm;
        } memory;
        struct {
            node_id node;
            struct peer_msg *msg; /* EV_PEER_MESSAGE; the callee may take references to messages in it */
        } peer;
        struct {
            uint64_t conn;     /* chosen by the host, never reused */
            struct bytes data; /* EV_CLIENT_DATA: whatever the socket gave, frames may be cut anywhere */
            const char *peer_host, *local_host; /* EV_CLIENT_OPEN */
            uint16_t peer_port, local_port;
            bool loopback; /* guest may come in */
        } client;
        struct {
            const char *name; /* queue; DECLARE: never empty (the broker makes up names) */
            bool passive, durable, exclusive, auto_delete;
            const struct queue_args *args; /* NULL if passive */
            struct owner owner;            /* the connection that asks (node, incarnation, connection) */
            bool if_unused, if_empty;      /* DELETE */
            bool no_ack;                   /* GET */
        } queue; /* DECLARE, DELETE, PURGE, GET, SYNC, CANCEL_SYNC, OWNER_GONE (owner only) */
        struct {
            struct queue *queue; /* from mirror_find_queue or routing, in this same step */
            struct message *msg; /* the library takes its own reference */
            uint64_t cookie;     /* comes back in FX_CONFIRM; 0: nobody wants to know */
        } publish;
        struct {
            const char *queue;
            uint64_t sub; /* chosen by the caller, unique in this life of the node, not 0 */
            bool no_ack, exclusive;
            bool cancel_on_failover; /* x-cancel-on-ha-failover */
            uint32_t prefetch;       /* unacknowledged at most; 0: no limit */
            int32_t priority;        /* x-priority */
            uint32_t credit; /* CREDIT: this many more deliveries may be sent (client socket took them) */
            struct owner owner;
        } sub; /* SUBSCRIBE, UNSUBSCRIBE (sub), CREDIT (sub, credit) */
        struct {
            uint64_t queue_uid;
            uint64_t generation; /* as in the FX_DELIVER; deliveries of an earlier master are ignored */
            uint64_t sub;        /* 0: they came from a get */
            enum settle how;
            const msg_id *ids;
            size_t ids_len;
        } settle;
        struct {
            const char *name, *pattern, *apply_to,
                *definition; /* apply_to NULL: all; definition: JSON text */
            int32_t priority;
        } policy; /* SET_POLICY, CLEAR_POLICY (name) */
        struct {
            struct bytes key, value; /* META_DELETE: value unused */
            const char *queue;       /* goes when this queue goes; NULL: none */
            bool if_absent;
            bool durable; /* comes back when every node was stopped */
            bool prefix;  /* META_DELETE: everything that starts with key */
        } meta;
        struct {
            node_id node;
        } forget;
    } u;
};

#endif

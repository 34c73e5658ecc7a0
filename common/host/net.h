/* net.h: the AMQP clients of a node, as a part: bytes in as events, replies out, connections that are paused
 * and closed as the broker says. Knows sockets, not AMQP. */
#ifndef HOST_NET_H
#define HOST_NET_H

#include "host/loop.h"
#include "host/tcp.h"

struct evconnlistener;
struct client;

struct net {
    struct part part;
    struct evconnlistener *listener; /* NULL while the node does not serve */
    bool accept_paused, accept_told; /* there are as many as there may be */
    ms_time accept_again_at;
    size_t clients_most;
    VEC(struct client *) slots; /* a connection's number is sequence * SLOTS + slot */
    VEC(uint32_t) free_slots;
    uint64_t last_sequence;
    VEC(struct client *) dirty;   /* has something to write */
    VEC(struct client *) drained; /* took what was waiting */
    VEC(struct client *) gone;    /* to be swept */
    size_t clients, closing;
    uint8_t *buffer; /* where every socket is read into */
};

void net_init(struct net *n, struct loop *loop);
void net_finish(struct net *n);

void net_reply(struct net *n, const struct effect *fx);  /* FX_REPLY */
void net_close(struct net *n, const struct effect *fx);  /* FX_CLOSE */
void net_pause(struct net *n, const struct effect *fx);  /* FX_PAUSE */
void net_resume(struct net *n, const struct effect *fx); /* FX_RESUME */

#endif

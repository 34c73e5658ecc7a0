/* peers.h: the links to the other nodes, as a part: what the broker sends goes out to each of a set, what
 * they send comes in as events, links that go are told at once. Every node keeps one TCP connection to every
 * other: the node that stands earlier in the cluster's list dials (50 ms, then up to 500 ms apart). A node
 * that starts knocks at the earlier ones, so that they dial now and not when their patience says.
 *
 * Everything on a link is a frame:
 *
 *      0     1            5
 *     +-----+------------+---------- ... --+
 *     | tag | length u32 | length bytes    |      numbers are big-endian
 *     +-----+------------+---------- ... --+
 *
 *     tag                 data
 *     'K' knock           "mirrorlab", version u8, name of the node that knocks (then it closes)
 *     'H' hello           "mirrorlab", version u8, incarnation u64, nonce[32], from (u8 length, name), to
 * (same) 'P' proof           HMAC-SHA256[32], keyed with the secret, of 'D' or 'A' (who proves: the dialer or
 * the acceptor), the dialer's hello, the acceptor's hello 'W' welcome         nothing 'R' refused why, as
 * text 'M' message         one message of the mirroring library (wire/peer.h: its length is the length above)
 *     '.' ping            nothing
 *     '?' question        number u64, text: one host asks another (the management API)
 *     '!' answer          number u64, text
 *
 *      dialer                               acceptor
 *        | --- hello -------------------------> |
 *        | <------------------ hello, proof --- |     the dialer checks the proof
 *        | --- proof -------------------------> |     the acceptor checks it
 *        | <------------------------ welcome --- |    the link is up for the acceptor, then for the dialer
 *
 * Both hellos go into both proofs, so a proof is good for one link, one direction and two lives of two nodes.
 * Nothing but these five frames, of at most LIMIT_HELLO bytes, is read before the proof. */
#ifndef HOST_PEERS_H
#define HOST_PEERS_H

#include "host/loop.h"
#include "host/tcp.h"

struct evconnlistener;
struct link;
struct query;
struct shared;

struct peers {
    struct part part;
    struct evconnlistener *listener;
    VEC(struct link *)
    links; /* every connection to a node: the ones that are up, and the ones on their way */
    struct peer {
        struct link *up;      /* NULL: no link */
        struct link *dialing; /* our attempt, until it is up or failed */
        unsigned cut;         /* enum cut_way: what the lab has cut */
        ms_time dial_at;      /* UINT64_MAX: not ours to dial */
        unsigned backoff_ms;
        uint64_t incarnation; /* the latest that was seen */
        char *problem;        /* why it was refused last: said once */
    } peers[LIMIT_NODES];
    unsigned silence_ms;     /* 0: only closed links are noticed */
    ms_time look_at;         /* when something is to be done by the clock */
    struct shared *spare[4]; /* memory for frames */
    size_t spare_len;
    VEC(struct query *) queries;
    uint64_t last_query;
};

void peers_init(struct peers *p, struct loop *loop);
/* Also notices a peer that is silent for the configured time: keeps saying something, and listens for it. */
void peers_watch(struct peers *p);
void peers_finish(struct peers *p);

void peers_send(struct peers *p, const struct effect *fx); /* FX_SEND */

#endif

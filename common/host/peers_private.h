/* peers_private.h: what the files of the peer links share. */
#ifndef HOST_PEERS_PRIVATE_H
#define HOST_PEERS_PRIVATE_H

#include "host/peers.h"

#define LINK_VERSION 3
#define LIMIT_HELLO  1024 /* bytes of a frame from somebody who has proved nothing */
#define FRAME_HEAD   5
#define NONCE_BYTES  32
#define PROOF_BYTES  32

enum frame_tag {
    TAG_KNOCK = 'K',
    TAG_HELLO = 'H',
    TAG_PROOF = 'P',
    TAG_WELCOME = 'W',
    TAG_REFUSED = 'R',
    TAG_MESSAGE = 'M',
    TAG_PING = '.',
    TAG_QUESTION = '?',
    TAG_ANSWER = '!',
};

enum link_state {
    LINK_CONNECTING, /* dialer: TCP's handshake */
    LINK_KNOCKING,   /* the same, to knock and go */
    LINK_HELLO,      /* their hello is waited for */
    LINK_PROOF,      /* their proof is */
    LINK_WELCOME,    /* dialer: their welcome is */
    LINK_UP,
};

struct link {
    struct peers *peers;
    struct tcp tcp;
    enum link_state state;
    node_id node;       /* NODE_NONE: has not said who it is */
    bool dialer;        /* we are */
    bool gone;          /* to be swept */
    bool shut;          /* our end is closed: the app stops */
    ms_time give_up_at; /* until it is up */
    ms_time heard_at, said_at;
    struct text hello_ours, hello_theirs;
    /* what came and is not whole yet */
    uint8_t *in;
    size_t in_len, in_cap;
};

/* peers_link.c: connections */
struct link *link_create(struct peers *p, int fd, enum link_state state, node_id node, bool dialer);
void link_free(struct link *k);
void link_send(struct link *k, enum frame_tag tag, const void *data, size_t len);
void link_mark_gone(struct link *k);
bool link_is_cut(const struct link *k, enum cut_way way); /* that way, or one of those */
void link_freeze(struct link *k);                         /* or thaw: as its peer is cut now */
void link_drain(struct link *k);                          /* hands in what it has already sent */

/* peers_handshake.c: one frame before the link is up */
void handshake_begin(struct link *k); /* dialer, connected */
void handshake_knock(struct link *k);
void handshake_frame(struct link *k, enum frame_tag tag, struct bytes data);
void handshake_hmac(struct bytes key, struct bytes data, uint8_t out[PROOF_BYTES]); /* for tests */

/* peers.c */
void peers_link_up(struct link *k);
void peers_problem(struct peers *p, node_id node, const char *text); /* says it, if it is new */
void peers_knocked(struct peers *p, node_id node);

/* peers_query.c */
void query_question(struct link *k, struct bytes data);
void query_answered(struct link *k, struct bytes data);
void query_sweep(struct peers *p, ms_time now); /* ends those that are complete or out of time */
void query_finish(struct peers *p);

static inline void put_u32(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (24 - 8 * i));
}
static inline void put_u64(uint8_t *at, uint64_t v)
{
    put_u32(at, (uint32_t)(v >> 32));
    put_u32(at + 4, (uint32_t)v);
}
static inline uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}
static inline uint64_t get_u64(const uint8_t *at)
{
    return (uint64_t)get_u32(at) << 32 | get_u32(at + 4);
}

#endif

/* peers.c: all links of a node: who dials when, which link counts, what goes out to whom. */
#include "host/peers.h"

#include <errno.h>
#include <event2/listener.h>
#include <stdlib.h>

#include "host/peers_private.h"
#include "wire/peer.h"

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 500
/* when the app stops, a peer may take so long to take what was written */
#define STOP_LINGER_MS 500
/* connections that have not proved anything yet; more are turned away */
#define LIMIT_GUESTS (4 * LIMIT_NODES)
/* from this size on a message's bytes are shared by the peers, not copied for each */
#define SHARE_FROM 4096
/* a frame's memory that is kept for the next frame */
#define SPARE_BYTES (1u << 20)
/* what may wait for a peer: more than the library's windows let through */
#define LIMIT_OUTPUT ((uint64_t)1 << 30)

static struct loop *loop_of_peers(const struct peers *p)
{
    return p->part.loop;
}

static bool ours_to_dial(const struct peers *p, size_t node)
{
    return loop_of_peers(p)->config.self < node;
}

/* ---- dialing ---- */

static void dial(struct peers *p, node_id node)
{
    struct peer *peer = &p->peers[node];
    const struct node_config_peer *at = &loop_of_peers(p)->config.nodes[node];
    peer->dial_at = loop_now(loop_of_peers(p)) + peer->backoff_ms;
    peer->backoff_ms = (unsigned)u64_min(peer->backoff_ms * 2, BACKOFF_MAX_MS);
    int fd = tcp_dial(at->host, at->peer);
    if (fd >= 0)
        peer->dialing = link_create(p, fd, LINK_CONNECTING, node, true);
}

static void dial_soon(struct peers *p, node_id node)
{
    struct peer *peer = &p->peers[node];
    if (!ours_to_dial(p, node))
        return;
    peer->backoff_ms = BACKOFF_MIN_MS;
    peer->dial_at = loop_now(loop_of_peers(p));
    p->look_at = 0;
    loop_again(loop_of_peers(p));
}

static void knock(struct peers *p, node_id node)
{
    const struct node_config_peer *at = &loop_of_peers(p)->config.nodes[node];
    int fd = ours_to_dial(p, node) ? -1 : tcp_dial(at->host, at->peer);
    if (fd >= 0)
        link_create(p, fd, LINK_KNOCKING, NODE_NONE, true);
}

void peers_knocked(struct peers *p, node_id node)
{
    if (!p->peers[node].up)
        dial_soon(p, node);
}

void peers_problem(struct peers *p, node_id node, const char *text)
{
    struct peer *peer = &p->peers[node];
    if (peer->up || (peer->problem && strcmp(peer->problem, text) == 0))
        return;
    free(peer->problem);
    peer->problem = xstrdup(text);
    loop_note(loop_of_peers(p), "node", NULL, "no link to %s: %s", loop_of_peers(p)->config.nodes[node].name,
              text);
}

/* ---- up and down ---- */

static void step_peer(struct peers *p, enum event_type type, node_id node)
{
    struct loop *loop = loop_of_peers(p);
    loop_step(loop, &(struct event){.type = type, .now = loop_now(loop), .u.peer = {.node = node}});
}

/* The link does not count any more: whatever it had sent has been handed in. */
static void link_down(struct link *k)
{
    struct peers *p = k->peers;
    struct peer *peer = &p->peers[k->node];
    ASSERT(peer->up == k);
    peer->up = NULL;
    link_mark_gone(k);
    dial_soon(p, k->node);
    step_peer(p, EV_PEER_DOWN, k->node);
}

void peers_link_up(struct link *k)
{
    struct peers *p = k->peers;
    struct peer *peer = &p->peers[k->node];
    if (peer->up) {
        /* the dialer has one link at a time: it has given up the old one, and says so on this one first */
        link_drain(peer->up);
        if (peer->up)
            link_down(peer->up);
    }
    k->state = LINK_UP;
    k->heard_at = k->said_at = loop_now(loop_of_peers(p));
    if (peer->dialing == k)
        peer->dialing = NULL;
    peer->up = k;
    peer->incarnation = get_u64((const uint8_t *)k->hello_theirs.s + sizeof("mirrorlab"));
    peer->backoff_ms = BACKOFF_MIN_MS;
    free(peer->problem);
    peer->problem = NULL;
    p->look_at = 0;
    step_peer(p, EV_PEER_UP, k->node);
}

static void sweep_link(struct peers *p, size_t i)
{
    struct link *k = p->links.items[i];
    VEC_REMOVE(&p->links, i);
    struct peer *peer = k->node == NODE_NONE ? NULL : &p->peers[k->node];
    if (peer && peer->dialing == k)
        peer->dialing = NULL;
    if (peer && peer->up == k)
        link_down(k);
    link_free(k);
}

/* ---- by the clock ---- */

static void watch(struct link *k, ms_time now)
{
    struct peers *p = k->peers;
    unsigned every = p->silence_ms / 4;
    if (now - k->heard_at >= p->silence_ms) {
        if (!link_is_cut(k, CUT_IN))
            link_drain(k); /* it may be us who were asleep */
        if (!k->gone && now - k->heard_at >= p->silence_ms) {
            loop_note(loop_of_peers(p), "node", NULL,
                      "%s has said nothing for %u ms: the link to it is closed",
                      loop_of_peers(p)->config.nodes[k->node].name, p->silence_ms);
            link_mark_gone(k);
        }
        return;
    }
    p->look_at = u64_min(p->look_at, k->heard_at + p->silence_ms);
    if (link_is_cut(k, CUT_OUT))
        return;
    if (now - k->said_at >= every) {
        link_send(k, TAG_PING, NULL, 0);
        k->said_at = now;
    }
    p->look_at = u64_min(p->look_at, k->said_at + every);
}

static void look(struct peers *p, ms_time now)
{
    p->look_at = UINT64_MAX;
    size_t nodes = loop_of_peers(p)->config.nodes_len;
    for (size_t i = 0; i < nodes && p->listener; i++) {
        struct peer *peer = &p->peers[i];
        if (!ours_to_dial(p, i) || peer->up || peer->dialing || peer->cut)
            continue;
        if (peer->dial_at <= now)
            dial(p, (node_id)i);
        if (!peer->dialing)
            p->look_at = u64_min(p->look_at, peer->dial_at);
    }
    for (size_t i = 0; i < p->links.len; i++) {
        struct link *k = p->links.items[i];
        if (k->gone)
            continue;
        if (k->state == LINK_UP) {
            if (p->silence_ms)
                watch(k, now);
        } else if (k->give_up_at <= now) {
            link_mark_gone(k);
        } else {
            p->look_at = u64_min(p->look_at, k->give_up_at);
        }
    }
}

static void peers_part_sweep(struct part *part)
{
    struct peers *p = CONTAINER_OF(part, struct peers, part);
    ms_time now = loop_now(part->loop);
    if (p->look_at <= now)
        look(p, now);
    for (size_t i = 0; i < p->links.len;) {
        if (p->links.items[i]->gone)
            sweep_link(p, i);
        else
            i++;
    }
    query_sweep(p, now);
    loop_wake_at(part->loop, p->look_at);
}

/* ---- sending ---- */

/* A message's frame, encoded once for all peers that get it, kept until the last one's socket has taken it.
 * Its memory serves for the next one. */
struct shared {
    struct peers *peers;
    size_t refs;
    struct text frame;
};

static struct shared *shared_create(struct peers *p)
{
    struct shared *s;
    if (p->spare_len) {
        s = p->spare[--p->spare_len];
    } else {
        s = xcalloc(1, sizeof(*s));
        s->peers = p;
    }
    s->refs = 1;
    return s;
}

static void shared_free(struct shared *s)
{
    text_finish(&s->frame);
    free(s);
}

static void shared_unref(const void *data, size_t len, void *arg)
{
    (void)data;
    (void)len;
    struct shared *s = arg;
    struct peers *p = s->peers;
    if (--s->refs > 0)
        return;
    if (p->spare_len == ARRAY_LEN(p->spare) || s->frame.cap > SPARE_BYTES) {
        shared_free(s);
        return;
    }
    text_clear(&s->frame);
    p->spare[p->spare_len++] = s;
}

/* The library cuts what can grow (limits.h); if it ever forgets to, the node says so here. The other side
 * would close the link, and this one must not go on as if that had arrived. */
static void not_sent(struct link *k, enum peer_type type, size_t len)
{
    loop_note(k->peers->part.loop, "node", NULL,
              "%s of %zu bytes is too long for %s, a mistake in mirrorlab: keep fewer bytes unconfirmed",
              peer_type_name(type), len, k->peers->part.loop->config.nodes[k->node].name);
    link_mark_gone(k);
}

void peers_send(struct peers *p, const struct effect *fx)
{
    static const char tag = TAG_MESSAGE;
    struct shared *s = shared_create(p);
    text_add_bytes(&s->frame, &tag, 1);
    wire_encode_peer(fx->u.send.msg, &s->frame);
    bool fits = s->frame.len <= FRAME_HEAD + LIMIT_PEER_FRAME;
    for (node_id i = 0; i < LIMIT_NODES; i++) {
        struct link *k = node_in(fx->u.send.to, i) ? p->peers[i].up : NULL;
        if (!k || k->tcp.write_failed)
            continue;
        if (!fits) {
            not_sent(k, fx->u.send.msg->type, s->frame.len);
        } else if (s->frame.len < SHARE_FROM) {
            tcp_add(&k->tcp, s->frame.s, s->frame.len);
        } else {
            s->refs++;
            ASSERT(evbuffer_add_reference(k->tcp.out, s->frame.s, s->frame.len, shared_unref, s) == 0);
        }
    }
    shared_unref(NULL, 0, s);
}

static void peers_part_flush(struct part *part)
{
    struct peers *p = CONTAINER_OF(part, struct peers, part);
    ms_time now = loop_now(part->loop);
    for (size_t i = 0; i < p->links.len; i++) {
        struct link *k = p->links.items[i];
        size_t pending = tcp_pending(&k->tcp);
        if (k->gone || pending == 0 || k->state == LINK_CONNECTING || k->state == LINK_KNOCKING)
            continue;
        if (pending > LIMIT_OUTPUT) {
            loop_note(part->loop, "node", NULL,
                      "%s has not taken %zu MiB that were sent to it: the link is closed",
                      part->loop->config.nodes[k->node].name, pending >> 20);
            link_mark_gone(k);
        } else if (!link_is_cut(k, CUT_OUT) && !watch_is_on(k->tcp.writable)) {
            loop_moved(part->loop, tcp_flush(&k->tcp));
            k->said_at = now;
        }
    }
}

/* ---- the lab's scissors ---- */

/* A link that is up carries on with what is whole of it. A connection needs both ways: one that is on its way
 * to be a link ends, and no end makes a new one, until all is healed. */
static void cut_to(struct peers *p, node_id peer, unsigned ways)
{
    p->peers[peer].cut = ways;
    for (size_t i = 0; i < p->links.len; i++) {
        struct link *k = p->links.items[i];
        if (k->node != peer)
            continue;
        if (k->state == LINK_UP)
            link_freeze(k);
        else
            link_mark_gone(k);
    }
    p->look_at = 0;
}

void node_cut(struct node *n, node_id peer, enum cut_way way)
{
    struct peers *p = loop_of(n)->peers;
    if (p && peer < LIMIT_NODES && (p->peers[peer].cut & way) != way)
        cut_to(p, peer, p->peers[peer].cut | way);
}

void node_heal(struct node *n, node_id peer)
{
    struct peers *p = loop_of(n)->peers;
    if (!p || peer >= LIMIT_NODES || !p->peers[peer].cut)
        return;
    cut_to(p, peer, 0);
    if (p->listener && !p->peers[peer].up) {
        dial_soon(p, peer);
        knock(p, peer);
    }
}

node_set node_links_up(const struct node *n)
{
    const struct peers *p = loop_of(n)->peers;
    node_set up = 0;
    for (node_id i = 0; p && i < LIMIT_NODES; i++)
        if (p->peers[i].up)
            up |= node_bit(i);
    return up;
}

/* ---- as a part ---- */

static void accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int len,
                     void *arg)
{
    (void)listener;
    (void)sa;
    (void)len;
    struct peers *p = arg;
    if (p->links.len >= LIMIT_GUESTS)
        evutil_closesocket(fd);
    else
        link_create(p, fd, LINK_HELLO, NODE_NONE, false);
}

static bool peers_part_open(struct part *part, char **error)
{
    struct peers *p = CONTAINER_OF(part, struct peers, part);
    const struct node_config *config = &part->loop->config;
    const struct node_config_peer *self = &config->nodes[config->self];
    int why, fd = tcp_listen(self->host, self->peer, &why);
    if (fd < 0) {
        *error = loop_port_error(part->loop, "peer", self->host, self->peer, why);
        return false;
    }
    p->listener = evconnlistener_new(part->loop->base, accepted, p,
                                     LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    ASSERT(p->listener);
    for (size_t i = 0; i < config->nodes_len; i++) {
        p->peers[i].dial_at = ours_to_dial(p, i) ? 0 : UINT64_MAX;
        p->peers[i].backoff_ms = BACKOFF_MIN_MS;
        if (i < config->self && !p->peers[i].cut)
            knock(p, (node_id)i);
    }
    p->look_at = 0;
    return true;
}

static void close_listener(struct peers *p)
{
    if (p->listener)
        evconnlistener_free(p->listener);
    p->listener = NULL;
}

static bool peers_part_close(struct part *part)
{
    struct peers *p = CONTAINER_OF(part, struct peers, part);
    ms_time now = loop_now(part->loop), until = part->loop->closing_since + STOP_LINGER_MS;
    close_listener(p);
    for (size_t i = 0; i < p->links.len; i++) {
        struct link *k = p->links.items[i];
        if (k->gone)
            continue;
        if (k->state != LINK_UP || link_is_cut(k, CUT_OUT) || now >= until) {
            link_mark_gone(k);
        } else if (!k->shut && tcp_pending(&k->tcp) == 0) {
            k->shut = true; /* and read on: a close with unread bytes would take back what we sent */
            tcp_shutdown(&k->tcp);
        }
    }
    if (p->links.len)
        loop_wake_at(part->loop, until);
    return p->links.len == 0;
}

static const struct part_ops peers_part = {
    .open = peers_part_open,
    .sweep = peers_part_sweep,
    .flush = peers_part_flush,
    .close = peers_part_close,
};

void peers_init(struct peers *p, struct loop *loop)
{
    *p = (struct peers){.look_at = UINT64_MAX};
    loop_add_part(loop, &p->part, &peers_part);
    loop->peers = p;
}

void peers_watch(struct peers *p)
{
    p->silence_ms = loop_of_peers(p)->config.silence_ms;
}

void peers_finish(struct peers *p)
{
    close_listener(p);
    for (size_t i = 0; i < p->links.len; i++)
        link_free(p->links.items[i]);
    VEC_FREE(&p->links);
    query_finish(p);
    while (p->spare_len)
        shared_free(p->spare[--p->spare_len]);
    for (size_t i = 0; i < LIMIT_NODES; i++)
        free(p->peers[i].problem);
}

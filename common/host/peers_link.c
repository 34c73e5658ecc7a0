/* peers_link.c: one connection to another node: frames in, frames out. One rule: a link is marked gone in the
 * middle of a turn and freed when the turn is swept. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/err.h"
#include "host/peers_private.h"
#include "wire/peer.h"

/* one read */
#define READ_BYTES (256u << 10)
/* memory for reading that a link keeps when it has nothing to read */
#define KEEP_BYTES (512u << 10)
/* how long a connection may take to become a link */
#define HANDSHAKE_MS 5000

void link_mark_gone(struct link *k)
{
    if (k->gone)
        return;
    k->gone = true;
    tcp_read(&k->tcp, false);
    k->peers->look_at = 0;
    loop_again(k->peers->part.loop);
}

bool link_is_cut(const struct link *k, enum cut_way way)
{
    return k->node != NODE_NONE && k->peers->peers[k->node].cut & way;
}

/* What is on its way stays there, as the bytes of a broken network's connection do: TCP repeats them. */
void link_freeze(struct link *k)
{
    if (k->gone)
        return;
    tcp_read(&k->tcp, !link_is_cut(k, CUT_IN));
    if (link_is_cut(k, CUT_OUT))
        watch_off(k->tcp.writable);
}

void link_send(struct link *k, enum frame_tag tag, const void *data, size_t len)
{
    uint8_t head[FRAME_HEAD] = {(uint8_t)tag};
    put_u32(head + 1, (uint32_t)len);
    tcp_add(&k->tcp, head, sizeof(head));
    tcp_add(&k->tcp, data, len);
}

/* ---- frames in ---- */

static void message_in(struct link *k, struct bytes frame)
{
    struct loop *loop = k->peers->part.loop;
    int err = 0;
    struct peer_msg *msg = wire_decode_peer(frame, &err);
    if (!msg) {
        loop_note(loop, "node", NULL, "%s sent a message that is %s: the link to it is closed",
                  loop->config.nodes[k->node].name, err_text(err));
        link_mark_gone(k);
        return;
    }
    loop_step(loop, &(struct event){.type = EV_PEER_MESSAGE,
                                    .now = loop_now(loop),
                                    .u.peer = {.node = k->node, .msg = msg}});
    peer_msg_destroy(msg);
}

/* frame: with its tag and length */
static void frame_in(struct link *k, struct bytes frame)
{
    enum frame_tag tag = (enum frame_tag)frame.data[0];
    struct bytes data = bytes_of(frame.data + FRAME_HEAD, frame.len - FRAME_HEAD);
    if (k->state != LINK_UP) {
        handshake_frame(k, tag, data);
        return;
    }
    switch (tag) {
    case TAG_MESSAGE: message_in(k, bytes_of(frame.data + 1, frame.len - 1)); return;
    case TAG_PING: return;
    case TAG_QUESTION: query_question(k, data); return;
    case TAG_ANSWER: query_answered(k, data); return;
    case TAG_KNOCK:
    case TAG_HELLO:
    case TAG_PROOF:
    case TAG_WELCOME:
    case TAG_REFUSED: break;
    }
    loop_note(k->peers->part.loop, "node", NULL,
              "%s sent a frame of unknown kind %u: the link to it is closed",
              k->peers->part.loop->config.nodes[k->node].name, frame.data[0]);
    link_mark_gone(k);
}

/* Length of the frame at the start of data, head included; 0: too long to be one. Needs FRAME_HEAD bytes. */
static size_t frame_length(const struct link *k, const uint8_t *data)
{
    uint32_t length = get_u32(data + 1);
    uint32_t most = k->state == LINK_UP ? LIMIT_PEER_FRAME : LIMIT_HELLO;
    return length <= most ? FRAME_HEAD + (size_t)length : 0;
}

/* Members that have lost a link are two clusters from then on. A stranger's first bytes are not worth a line.
 */
static void too_long(const struct link *k, uint32_t length)
{
    const struct loop *loop = k->peers->part.loop;
    if (k->state == LINK_UP)
        loop_note(
            k->peers->part.loop, "node", NULL,
            "%s begins a frame of %u bytes, too long: its link is closed. Are both nodes of one version?",
            loop->config.nodes[k->node].name, length);
}

static void frames_in(struct link *k)
{
    size_t at = 0;
    while (!k->gone && k->in_len - at >= FRAME_HEAD) {
        size_t length = frame_length(k, k->in + at);
        if (!length) {
            too_long(k, get_u32(k->in + at + 1));
            link_mark_gone(k);
            break;
        }
        if (k->in_len - at < length)
            break;
        frame_in(k, bytes_of(k->in + at, length));
        at += length;
    }
    k->in_len -= at;
    if (at && k->in_len)
        memmove(k->in, k->in + at, k->in_len);
    if (k->in_len == 0 && k->in_cap > KEEP_BYTES) {
        free(k->in);
        k->in = NULL;
        k->in_cap = 0;
    }
}

/* Room for one read, and for the whole of a frame that has begun. */
static void make_room(struct link *k)
{
    size_t want = k->in_len + READ_BYTES;
    if (k->in_len >= FRAME_HEAD)
        want = (size_t)u64_max(want, frame_length(k, k->in));
    if (k->state != LINK_UP)
        want = k->in_len + FRAME_HEAD + LIMIT_HELLO;
    if (k->in_cap >= want || (k->in_cap >= READ_BYTES && k->in_cap - k->in_len >= READ_BYTES / 4 &&
                              (k->in_len < FRAME_HEAD || k->in_cap >= frame_length(k, k->in))))
        return;
    k->in = xrealloc(k->in, want);
    k->in_cap = want;
}

/* One read. False: there is nothing now, or never again. */
static bool read_once(struct link *k)
{
    if (k->gone || link_is_cut(k, CUT_IN))
        return false;
    make_room(k);
    ssize_t n = recv(k->tcp.fd, k->in + k->in_len, k->in_cap - k->in_len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        link_mark_gone(k);
        return false;
    }
    k->heard_at = loop_now(k->peers->part.loop);
    loop_moved(k->peers->part.loop, (size_t)n);
    if (k->shut)
        return true; /* the app has stopped: only the end is waited for */
    k->in_len += (size_t)n;
    frames_in(k);
    return true;
}

static void link_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    read_once(arg);
}

void link_drain(struct link *k)
{
    while (read_once(k))
        ;
}

/* ---- connecting ---- */

static void link_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct link *k = arg;
    if (k->gone || (k->state != LINK_CONNECTING && k->state != LINK_KNOCKING))
        return; /* the end of the turn writes on */
    int why = 0;
    socklen_t len = sizeof(why);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) || why) {
        link_mark_gone(k);
        return;
    }
    if (k->state == LINK_KNOCKING)
        handshake_knock(k);
    else
        handshake_begin(k);
    tcp_read(&k->tcp, true);
}

struct link *link_create(struct peers *p, int fd, enum link_state state, node_id node, bool dialer)
{
    struct link *k = xcalloc(1, sizeof(*k));
    k->peers = p;
    k->state = state;
    k->node = node;
    k->dialer = dialer;
    k->heard_at = k->said_at = loop_now(p->part.loop);
    k->give_up_at = k->heard_at + HANDSHAKE_MS;
    tcp_init(&k->tcp, p->part.loop->base, fd, link_readable, link_writable, k);
    if (state == LINK_CONNECTING || state == LINK_KNOCKING)
        watch_on(k->tcp.writable);
    else
        tcp_read(&k->tcp, true);
    VEC_PUSH(&p->links, k);
    p->look_at = 0;
    loop_wake_at(p->part.loop, k->give_up_at);
    return k;
}

void link_free(struct link *k)
{
    tcp_finish(&k->tcp);
    text_finish(&k->hello_ours);
    text_finish(&k->hello_theirs);
    free(k->in);
    free(k);
}

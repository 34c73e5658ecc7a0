/* frames.c: two nodes' links in one process. What one says the test takes from its socket, notes, and puts
 * into the other's; so every frame is made and understood by the host's own code. Then each is laid over its
 * drawing. */
#include "tests/docs/frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "mirror/effects.h"
#include "mirror/peer_msg.h"
#include "tests/docs/fields.h"
#include "tests/mirror/check.h"

#define SECRET      "what only they know"
#define INCARNATION 0x0102030405060708u
#define EPOCH       0x1112131415161718u
#define VERSION     0x2122232425262728u
#define SILENCE_MS  4000

/* ---- two ends ---- */

struct end {
    struct loop loop; /* first: a node begins with its loop */
    struct peers peers;
    struct link *link;
    int fd; /* the test's end of its socket */
};

/* by tag: the first that was said */
static struct text frames[128];
static struct text proof_is_of; /* that of the acceptor, who proves first */

static void nothing(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static void end_up(struct end *e, size_t self)
{
    static char names[2][8] = {"node1", "node2"}, secret[] = SECRET;
    *e = (struct end){0};
    e->loop.base = event_base_new();
    e->loop.again = watch_timer(e->loop.base, nothing, NULL);
    e->loop.now_known = true;
    e->loop.now = 1000;
    e->loop.incarnation = INCARNATION + self;
    e->loop.config.name = names[self];
    e->loop.config.secret = secret;
    e->loop.config.self = self;
    e->loop.config.silence_ms = SILENCE_MS;
    e->loop.config.nodes_len = 2;
    for (size_t i = 0; i < 2; i++)
        e->loop.config.nodes[i].name = names[i];
    peers_init(&e->peers, &e->loop);
    peers_watch(&e->peers);
}

static void connect_end(struct end *e, node_id node, bool dialer)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    e->link = link_create(&e->peers, pair[0], LINK_HELLO, node, dialer);
    e->fd = pair[1];
}

static void end_down(struct end *e)
{
    peers_finish(&e->peers);
    watch_destroy(e->loop.again);
    event_base_free(e->loop.base);
    for (size_t i = 0; i < e->loop.events.len; i++) {
        free(e->loop.events.items[i].queue);
        free(e->loop.events.items[i].text);
    }
    VEC_FREE(&e->loop.events);
}

/* What `from` has said: noted, and heard by `to`. */
static void carry(struct end *from, struct end *to)
{
    uint8_t said[4096];
    tcp_flush(&from->link->tcp);
    ssize_t len = recv(from->fd, said, sizeof(said), MSG_DONTWAIT);
    for (size_t at = 0; len > 0 && at < (size_t)len;) {
        size_t whole = FRAME_HEAD + get_u32(said + at + 1);
        assert_true(said[at] < ARRAY_LEN(frames) && at + whole <= (size_t)len);
        struct text *first = &frames[said[at]];
        if (!first->len)
            text_add_bytes(first, said + at, whole);
        at += whole;
    }
    if (len > 0 && to) {
        assert_int_equal(send(to->fd, said, (size_t)len, MSG_NOSIGNAL), len);
        link_drain(to->link);
    }
}

static char *answers(struct node *n, const char *question)
{
    (void)n;
    assert_string_equal(question, "who?");
    return xstrdup("I");
}

static void answered(void *arg, node_id peer, const char *answer)
{
    if (peer != NODE_NONE)
        *(bool *)arg = strcmp(answer, "I") == 0;
}

static void up_and_talking(void)
{
    struct end a, b;
    end_up(&a, 0);
    end_up(&b, 1);
    connect_end(&a, 1, true);
    connect_end(&b, NODE_NONE, false);
    handshake_begin(a.link);
    carry(&a, &b);
    carry(&b, &a); /* hello, proof */
    text_add(&proof_is_of, "A");
    text_add_bytes(&proof_is_of, a.link->hello_ours.s, a.link->hello_ours.len);
    text_add_bytes(&proof_is_of, a.link->hello_theirs.s, a.link->hello_theirs.len);
    carry(&a, &b); /* proof */
    carry(&b, &a); /* welcome */
    assert_true(a.link->state == LINK_UP && b.link->state == LINK_UP);

    bool heard = false;
    node_on_query((struct node *)(void *)&b.loop, answers);
    node_query((struct node *)(void *)&a.loop, "who?", 1000, answered, &heard);
    carry(&a, &b);
    carry(&b, &a);
    assert_true(heard);

    struct effects fx = {0};
    struct effect *send = effects_add(&fx, FX_SEND);
    send->u.send.to = node_bit(1);
    send->u.send.msg = xcalloc(1, sizeof(*send->u.send.msg));
    send->u.send.msg->type = PEER_META_ACK;
    send->u.send.msg->epoch = EPOCH;
    send->u.send.msg->u.meta_ack.version = VERSION;
    peers_send(&a.peers, send);
    effects_free(&fx);
    carry(&a, &b);

    a.loop.now += SILENCE_MS / 2; /* time to say something */
    a.peers.part.ops->sweep(&a.peers.part);
    carry(&a, &b);
    assert_true(!a.link->gone && !b.link->gone);
    close(a.fd);
    close(b.fd);
    end_down(&a);
    end_down(&b);
}

/* node2 knocks, and refuses who speaks another version. */
static void knock_and_refuse(void)
{
    static const uint8_t stranger[] = {
        'H', 0, 0, 0, 10, 'm', 'i', 'r', 'r', 'o', 'r', 'l', 'a', 'b', LINK_VERSION + 1};
    struct end b;
    end_up(&b, 1);
    connect_end(&b, NODE_NONE, true);
    handshake_knock(b.link);
    carry(&b, NULL);
    close(b.fd);
    connect_end(&b, NODE_NONE, false);
    assert_int_equal(send(b.fd, stranger, sizeof(stranger), MSG_NOSIGNAL), (ssize_t)sizeof(stranger));
    link_drain(b.link);
    carry(&b, NULL);
    assert_true(b.link->gone);
    close(b.fd);
    end_down(&b);
}

static void listen_once(void)
{
    static bool done;
    if (!done) {
        up_and_talking();
        knock_and_refuse();
    }
    done = true;
}

/* ---- what they have to be ---- */

/* The bytes of the field `name` of a frame; false: it has none. */
static bool field(enum frame_tag tag, const char *name, struct text *out)
{
    const struct text *t = &frames[tag];
    uint8_t number[8];
    if (strcmp(name, "length") == 0) {
        put_u32(number, (uint32_t)(t->len - FRAME_HEAD));
        text_add_bytes(out, number, 4);
        return true;
    }
    switch (tag) {
    case TAG_KNOCK: text_add(out, "node2"); return strcmp(name, "name") == 0;
    case TAG_HELLO:
        if (strcmp(name, "incarnation") == 0) {
            put_u64(number, INCARNATION);
            text_add_bytes(out, number, 8);
        } else if (strcmp(name, "nonce") == 0) { /* chance; what is drawn around it has its place */
            text_add_bytes(out, t->s + FRAME_HEAD + 9 + 1 + 8, NONCE_BYTES);
        } else {
            text_add(out, strcmp(name, "from") == 0 ? "node1" : "node2");
            return strcmp(name, "from") == 0 || strcmp(name, "to") == 0;
        }
        return true;
    case TAG_PROOF: {
        uint8_t proof[PROOF_BYTES];
        handshake_hmac(bytes_str(SECRET), bytes_of(proof_is_of.s, proof_is_of.len), proof);
        text_add_bytes(out, proof, sizeof(proof));
        return strcmp(name, "hmac") == 0;
    }
    case TAG_REFUSED:
        text_printf(
            out,
            "this node speaks version %d of the peer protocol, not %d; run the same program on all nodes",
            LINK_VERSION, LINK_VERSION + 1);
        return strcmp(name, "why") == 0;
    case TAG_MESSAGE:
        if (strcmp(name, "type") == 0) {
            number[0] = PEER_META_ACK;
            text_add_bytes(out, number, 1);
        } else if (strcmp(name, "epoch") == 0) {
            put_u64(number, EPOCH);
            text_add_bytes(out, number, 8);
        } else { /* META_ACK has one */
            put_u64(number, VERSION);
            text_add_bytes(out, number, 8);
            return strcmp(name, "fields") == 0;
        }
        return true;
    case TAG_QUESTION:
    case TAG_ANSWER:
        if (strcmp(name, "number") == 0) {
            put_u64(number, 1);
            text_add_bytes(out, number, 8);
            return true;
        }
        text_add(out, tag == TAG_QUESTION ? "who?" : "I");
        return strcmp(name, "text") == 0;
    case TAG_WELCOME:
    case TAG_PING: break;
    }
    return false;
}

/* ---- laid over the drawing ---- */

/* How long a field of that type is here, its own length included; SIZE_MAX: there is no such type. *least: at
 * least. *skip: bytes before what it says. *is: what it says if that is always the same, else empty. */
static size_t extent(const char *type, struct bytes rest, size_t *least, size_t *skip, bool *varies,
                     char is[32])
{
    unsigned n;
    char c, text[32];
    *skip = 0;
    *varies = false;
    is[0] = '\0';
    if (sscanf(type, "u8 '%c'", &c) == 1) {
        snprintf(is, 32, "%c", c);
        return *least = 1;
    }
    if (sscanf(type, "u8 %u", &n) == 1) {
        snprintf(is, 32, "%c", (char)n);
        return *least = 1;
    }
    if (sscanf(type, "\"%31[a-z]\"", text) == 1) {
        snprintf(is, 32, "%s", text);
        return *least = strlen(text);
    }
    if (strcmp(type, "u8") == 0)
        return *least = 1;
    if (strcmp(type, "u32") == 0)
        return *least = 4;
    if (strcmp(type, "u64") == 0)
        return *least = 8;
    if (sscanf(type, "bytes %u", &n) == 1)
        return *least = n;
    *varies = true;
    if (strcmp(type, "name") == 0) {
        *least = *skip = 1;
        return rest.len ? 1 + (size_t)rest.data[0] : SIZE_MAX;
    }
    *least = 0;
    return strcmp(type, "bytes") == 0 ? rest.len : SIZE_MAX;
}

static void check_frame(struct page *p, const struct block *b, enum frame_tag tag)
{
    const struct text *t = &frames[tag];
    struct bytes rest = bytes_of(t->s, t->len);
    struct text wanted = {0};
    size_t sum = 0;
    bool fixed = true;
    if (!t->len)
        fail_msg("no frame %s was said", tag_name(tag));
    for (size_t i = 0; i < b->cells.len && !p->why[0]; i++) {
        const struct cell *c = &b->cells.items[i];
        size_t least, skip;
        bool varies;
        char is[32];
        size_t len = extent(c->type, rest, &least, &skip, &varies, is);
        if (len > rest.len) {
            wrong(p, "frame %s: %s is no %s there", b->name, c->name, c->type);
            break;
        }
        text_clear(&wanted);
        if (is[0])
            text_add(&wanted, is);
        else if (!field(tag, c->name, &wanted))
            wrong(p, "frame %s: the code has no %s", b->name, c->name);
        if (wanted.len != len - skip || memcmp(rest.data + skip, text_str(&wanted), len - skip) != 0)
            wrong(p, "frame %s: the code says something else as %s", b->name, c->name);
        sum += least;
        fixed = fixed && !varies;
        rest = bytes_of(rest.data + len, rest.len - len);
    }
    if (rest.len)
        wrong(p, "frame %s: the code says %zu bytes more", b->name, rest.len);
    if (sum != b->least)
        wrong(p, "frame %s has at least %zu bytes, not %zu", b->name, sum, b->least);
    if (fixed != b->fixed)
        wrong(p, "frame %s is %s long", b->name, fixed ? "always so" : "not always so");
    text_finish(&wanted);
}

void check_frames(struct page *p)
{
    listen_once();
    int known = 0;
    for (int tag = 0; tag < 128; tag++) {
        const char *name = tag_name((enum frame_tag)tag);
        if (strcmp(name, "?") == 0)
            continue;
        known++;
        const struct block *b = find_block(p, "frame", name, 0);
        if (b)
            check_frame(p, b, (enum frame_tag)tag);
        else
            wrong(p, "frame %s is not drawn", name);
    }
    if (count_blocks(p, "frame") != known)
        wrong(p, "%d frames are drawn, the code has %d", count_blocks(p, "frame"), known);
}

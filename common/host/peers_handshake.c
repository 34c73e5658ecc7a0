/* peers_handshake.c: who is at the other end, and does it know the secret? The drawing is in peers.h. One
 * rule: nothing that came before the proof changes anything but this connection (and when we dial). */
/* the plain digest functions: OpenSSL 3 calls them old, but its HMAC() loads providers and configuration,
 * which would be a third of an idle node's memory */
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "host/peers_private.h"

static const char MAGIC[9] = {'m', 'i', 'r', 'r', 'o', 'r', 'l', 'a', 'b'};

/* ---- what is sent ---- */

static void refuse(struct link *k, const char *why)
{
    if (k->node != NODE_NONE)
        peers_problem(k->peers, k->node, why);
    link_send(k, TAG_REFUSED, why, strlen(why));
    tcp_flush(&k->tcp);
    link_mark_gone(k);
}

static void add_name(struct text *t, const char *name)
{
    uint8_t len = (uint8_t)strlen(name);
    text_add_bytes(t, &len, 1);
    text_add_bytes(t, name, len);
}

static void send_hello(struct link *k)
{
    struct loop *loop = k->peers->part.loop;
    struct text *t = &k->hello_ours;
    uint8_t version = LINK_VERSION, number[8], nonce[NONCE_BYTES];
    put_u64(number, loop->incarnation);
    ASSERT(getrandom(nonce, sizeof(nonce), 0) == (ssize_t)sizeof(nonce));
    text_clear(t);
    text_add_bytes(t, MAGIC, sizeof(MAGIC));
    text_add_bytes(t, &version, 1);
    text_add_bytes(t, number, sizeof(number));
    text_add_bytes(t, nonce, sizeof(nonce));
    add_name(t, loop->config.name);
    add_name(t, loop->config.nodes[k->node].name);
    link_send(k, TAG_HELLO, t->s, t->len);
}

#define DIGEST_BLOCK 64

static void digest(struct bytes first, struct bytes second, uint8_t out[PROOF_BYTES])
{
    SHA256_CTX ctx;
    ASSERT(SHA256_Init(&ctx) && SHA256_Update(&ctx, first.data, first.len) &&
           SHA256_Update(&ctx, second.data, second.len) && SHA256_Final(out, &ctx));
}

/* HMAC-SHA256 (RFC 2104) */
void handshake_hmac(struct bytes key, struct bytes data, uint8_t out[PROOF_BYTES])
{
    uint8_t block[DIGEST_BLOCK] = {0}, inner[DIGEST_BLOCK], outer[DIGEST_BLOCK], sum[PROOF_BYTES];
    if (key.len > DIGEST_BLOCK)
        digest(key, bytes_of(NULL, 0), block);
    else if (key.len)
        memcpy(block, key.data, key.len);
    for (size_t i = 0; i < DIGEST_BLOCK; i++) {
        inner[i] = block[i] ^ 0x36;
        outer[i] = block[i] ^ 0x5c;
    }
    digest(bytes_of(inner, sizeof(inner)), data, sum);
    digest(bytes_of(outer, sizeof(outer)), bytes_of(sum, sizeof(sum)), out);
}

static void make_proof(const struct link *k, bool by_dialer, uint8_t out[PROOF_BYTES])
{
    const struct text *dialer = k->dialer ? &k->hello_ours : &k->hello_theirs;
    const struct text *acceptor = k->dialer ? &k->hello_theirs : &k->hello_ours;
    struct text said = {0};
    text_add(&said, by_dialer ? "D" : "A");
    text_add_bytes(&said, dialer->s, dialer->len);
    text_add_bytes(&said, acceptor->s, acceptor->len);
    handshake_hmac(bytes_str(k->peers->part.loop->config.secret), bytes_of(said.s, said.len), out);
    text_finish(&said);
}

static void send_proof(struct link *k)
{
    uint8_t proof[PROOF_BYTES];
    make_proof(k, k->dialer, proof);
    link_send(k, TAG_PROOF, proof, sizeof(proof));
}

static void write_out(struct link *k)
{
    if (!k->gone)
        tcp_flush(&k->tcp);
}

void handshake_begin(struct link *k)
{
    k->state = LINK_HELLO;
    send_hello(k);
    write_out(k);
}

void handshake_knock(struct link *k)
{
    const char *name = k->peers->part.loop->config.name;
    uint8_t version = LINK_VERSION;
    struct text t = {0};
    text_add_bytes(&t, MAGIC, sizeof(MAGIC));
    text_add_bytes(&t, &version, 1);
    text_add(&t, name);
    link_send(k, TAG_KNOCK, t.s, t.len);
    text_finish(&t);
    tcp_flush(&k->tcp);
    link_mark_gone(k);
}

/* ---- what comes ---- */

static node_id node_called(const struct peers *p, struct bytes name)
{
    const struct node_config *config = &p->part.loop->config;
    for (size_t i = 0; i < config->nodes_len; i++)
        if (i != config->self && bytes_is(name, config->nodes[i].name))
            return (node_id)i;
    return NODE_NONE;
}

/* Takes magic and version off; false: it is not for us (and has been told). */
static bool take_magic(struct link *k, struct bytes *data)
{
    if (data->len <= sizeof(MAGIC) || memcmp(data->data, MAGIC, sizeof(MAGIC)) != 0) {
        link_mark_gone(k); /* whoever it is, it does not speak this protocol */
        return false;
    }
    uint8_t version = data->data[sizeof(MAGIC)];
    if (version != LINK_VERSION) {
        char why[128];
        snprintf(why, sizeof(why),
                 "this node speaks version %d of the peer protocol, not %u; run the same program "
                 "on all nodes",
                 LINK_VERSION, version);
        refuse(k, why);
        return false;
    }
    *data = bytes_of(data->data + sizeof(MAGIC) + 1, data->len - sizeof(MAGIC) - 1);
    return true;
}

static bool take_name(struct bytes *data, struct bytes *name)
{
    if (data->len < 1 || data->len - 1 < data->data[0])
        return false;
    *name = bytes_of(data->data + 1, data->data[0]);
    *data = bytes_of(data->data + 1 + name->len, data->len - 1 - name->len);
    return true;
}

static void knock_in(struct link *k, struct bytes data)
{
    if (!take_magic(k, &data))
        return;
    node_id node = node_called(k->peers, data);
    if (node != NODE_NONE)
        peers_knocked(k->peers, node);
    link_mark_gone(k);
}

static void hello_in(struct link *k, struct bytes data)
{
    struct peers *p = k->peers;
    struct bytes rest = data, from, to;
    if (!take_magic(k, &rest))
        return;
    if (rest.len < 8 + NONCE_BYTES) {
        link_mark_gone(k);
        return;
    }
    uint64_t incarnation = get_u64(rest.data);
    rest = bytes_of(rest.data + 8 + NONCE_BYTES, rest.len - 8 - NONCE_BYTES);
    if (!take_name(&rest, &from) || !take_name(&rest, &to) || rest.len) {
        link_mark_gone(k);
        return;
    }
    node_id node = node_called(p, from);
    if (node == NODE_NONE || (k->dialer && node != k->node) || !bytes_is(to, p->part.loop->config.name)) {
        char why[3 * LIMIT_NAME];
        snprintf(why, sizeof(why),
                 "this is %s, which knows no \"%.*s\" that dials \"%.*s\"; give all nodes the same "
                 "list of nodes",
                 p->part.loop->config.name, (int)from.len, (const char *)from.data, (int)to.len,
                 (const char *)to.data);
        refuse(k, why);
        return;
    }
    k->node = node;
    if (p->peers[node].cut) { /* a broken network says nothing */
        link_mark_gone(k);
        return;
    }
    if (incarnation < p->peers[node].incarnation) {
        refuse(k, "a later life of this node has been seen; is it running twice?");
        return;
    }
    text_clear(&k->hello_theirs);
    text_add_bytes(&k->hello_theirs, data.data, data.len);
    if (!k->dialer) {
        send_hello(k);
        send_proof(k);
        write_out(k);
    }
    k->state = LINK_PROOF;
}

static void proof_in(struct link *k, struct bytes data)
{
    uint8_t want[PROOF_BYTES];
    make_proof(k, !k->dialer, want);
    if (data.len != PROOF_BYTES || CRYPTO_memcmp(data.data, want, PROOF_BYTES) != 0) {
        refuse(
            k,
            "it knows another secret; the key secret of lab.cfg (or the file named secret beside it) must be "
            "the same for all nodes");
        return;
    }
    if (k->dialer) {
        send_proof(k);
        k->state = LINK_WELCOME;
    } else {
        link_send(k, TAG_WELCOME, NULL, 0);
        peers_link_up(k);
    }
    write_out(k);
}

static void refused_in(struct link *k, struct bytes data)
{
    char why[LIMIT_HELLO + 64];
    snprintf(why, sizeof(why), "it says: %.*s", (int)data.len, (const char *)data.data);
    for (char *at = why; *at; at++)
        if ((unsigned char)*at < ' ')
            *at = '?'; /* it goes to people's terminals */
    if (k->node != NODE_NONE)
        peers_problem(k->peers, k->node, why);
    link_mark_gone(k);
}

void handshake_frame(struct link *k, enum frame_tag tag, struct bytes data)
{
    if (tag == TAG_KNOCK && k->state == LINK_HELLO && !k->dialer)
        knock_in(k, data);
    else if (tag == TAG_HELLO && k->state == LINK_HELLO)
        hello_in(k, data);
    else if (tag == TAG_PROOF && k->state == LINK_PROOF)
        proof_in(k, data);
    else if (tag == TAG_WELCOME && k->state == LINK_WELCOME && k->dialer)
        peers_link_up(k);
    else if (tag == TAG_REFUSED)
        refused_in(k, data);
    else
        link_mark_gone(k);
}

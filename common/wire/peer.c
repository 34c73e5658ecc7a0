/* peer.c: messages between nodes as bytes and back; one visitor a message. */
#include "wire/peer.h"

#include "wire/codec.h"

#include "base/ban.h"

#define HEADER_BYTES 4 /* length of what follows */
#define MIN_BYTES    9 /* type and epoch */

static void codec_replica(struct codec *c, struct replica_state *r)
{
    codec_u64(c, &r->uid);
    codec_u64(c, &r->generation);
    codec_bool(c, &r->live);
    codec_bool(c, &r->synced);
    codec_u64(c, &r->op);
    codec_u64(c, &r->since);
    codec_u64(c, &r->depth);
    codec_u64(c, &r->next);
}

static void codec_repair(struct codec *c, struct repair *r)
{
    codec_u64(c, &r->uid);
    codec_u8(c, &r->source);
    codec_u8(c, &r->node);
    codec_u64(c, &r->from);
    codec_u64(c, &r->upto);
}

static void codec_member(struct codec *c, struct view_member *m)
{
    codec_u8(c, &m->node);
    codec_u64(c, &m->join);
    codec_u64(c, &m->incarnation);
    if (!c->out && m->node >= LIMIT_NODES)
        codec_fail(c, ERR_INVALID);
}

static void codec_origin(struct codec *c, struct origin *o)
{
    codec_u8(c, &o->node);
    codec_u64(c, &o->incarnation);
    codec_u64(c, &o->seq);
    codec_u64(c, &o->lost);
}

static void codec_op(struct codec *c, struct op *op)
{
    CODEC_ENUM(c, op->type, OP_PUBLISH, OP_LOST);
    codec_u64(c, &op->first);
    switch (op->type) {
    case OP_PUBLISH:
        codec_u8(c, &op->origin);
        codec_u64(c, &op->incarnation);
        codec_u64(c, &op->seq);
        codec_u64(c, &op->expiry);
        codec_message(c, &op->msg);
        if (!op->msg)
            codec_fail(c, ERR_INVALID);
        op->last = op->first;
        break;
    case OP_REJECT:
        codec_u8(c, &op->origin);
        codec_u64(c, &op->incarnation);
        codec_u64(c, &op->seq);
        codec_bool(c, &op->persistent);
        op->last = op->first;
        break;
    case OP_LOST:
        codec_u8(c, &op->origin);
        codec_u64(c, &op->incarnation);
        codec_u64(c, &op->seq);
        op->last = op->first;
        break;
    case OP_TAKE:
    case OP_REMOVE:
    case OP_REQUEUE:
        codec_u64(c, &op->last);
        if (op->last < op->first)
            codec_fail(c, ERR_INVALID);
        break;
    case OP_REQUEUE_ALL:
    case OP_PURGE: break;
    }
}

static void codec_leftover(struct codec *c, struct leftover *l)
{
    codec_u64(c, &l->uid);
    codec_u8(c, &l->node);
    codec_u64(c, &l->sub);
    codec_u64(c, &l->req);
    codec_u64(c, &l->id);
    codec_u64(c, &l->messages);
    codec_bool(c, &l->redelivered);
    codec_message(c, &l->msg);
    if (!l->msg)
        codec_fail(c, ERR_INVALID);
}

static void codec_sync_item(struct codec *c, struct sync_item *i)
{
    codec_u64(c, &i->id);
    codec_bool(c, &i->unacked);
    codec_bool(c, &i->redelivered);
    codec_u64(c, &i->expiry);
    codec_message(c, &i->msg);
    if (!i->msg)
        codec_fail(c, ERR_INVALID);
}

static void codec_deliver_item(struct codec *c, struct deliver_item *i)
{
    codec_u64(c, &i->sub);
    codec_u64(c, &i->id);
    codec_bool(c, &i->redelivered);
    codec_message(c, &i->msg);
    if (!i->msg)
        codec_fail(c, ERR_INVALID);
}

static void codec_rejected(struct codec *c, struct rejected *r)
{
    codec_u8(c, &r->node);
    codec_u64(c, &r->incarnation);
    codec_u64(c, &r->seq);
}

static void codec_published(struct codec *c, struct message **msg)
{
    codec_message(c, msg);
    if (!*msg)
        codec_fail(c, ERR_INVALID);
}

static void codec_queue(struct codec *c, struct peer_msg *m)
{
    codec_u64(c, &m->uid);
    codec_u64(c, &m->generation);
}

static void codec_owner(struct codec *c, struct owner *o)
{
    codec_u8(c, &o->node);
    codec_u64(c, &o->incarnation);
    codec_u64(c, &o->connection);
}

static void codec_request(struct codec *c, struct peer_msg *m)
{
    codec_queue(c, m);
    codec_u64(c, &m->version);
    CODEC_ENUM(c, m->u.request.kind, REQUEST_STAT, REQUEST_CANCEL_SYNC);
    codec_u64(c, &m->u.request.req);
    codec_owner(c, &m->u.request.owner);
    codec_bool(c, &m->u.request.no_ack);
    codec_bool(c, &m->u.request.exclusive);
    codec_bool(c, &m->u.request.if_unused);
    codec_bool(c, &m->u.request.if_empty);
    codec_bool(c, &m->u.request.resume);
    codec_u64(c, &m->u.request.sub);
    codec_u32(c, &m->u.request.prefetch);
    codec_u32(c, &m->u.request.window);
    codec_i32(c, &m->u.request.priority);
}

static void codec_reply(struct codec *c, struct peer_msg *m)
{
    codec_queue(c, m);
    codec_u64(c, &m->u.reply.req);
    CODEC_ENUM(c, m->u.reply.status, ANSWER_OK, ANSWER_NOT_SERVING);
    codec_u64(c, &m->u.reply.messages);
    codec_u64(c, &m->u.reply.consumers);
    codec_u64(c, &m->u.reply.id);
    codec_bool(c, &m->u.reply.redelivered);
    codec_message(c, &m->u.reply.msg);
}

static void codec_peer(struct codec *c, struct peer_msg *m)
{
    CODEC_ENUM(c, m->type, PEER_HELLO, PEER_ACTIVE);
    codec_u64(c, &m->epoch);
    switch (m->type) {
    case PEER_HELLO:
        codec_u64(c, &m->u.hello.incarnation);
        codec_u64(c, &m->u.hello.version);
        codec_bool(c, &m->u.hello.serving);
        codec_bool(c, &m->u.hello.fresh);
        codec_u32(c, &m->u.hello.members);
        codec_u32(c, &m->u.hello.others);
        codec_u32(c, &m->u.hello.links);
        codec_u8(c, &m->u.hello.coordinator);
        codec_u32(c, &m->u.hello.clients);
        break;
    case PEER_PREPARE:
        codec_u64(c, &m->u.prepare.join);
        codec_u64(c, &m->u.prepare.version);
        codec_u32(c, &m->u.prepare.targets);
        for (node_id n = 0; n < LIMIT_NODES; n++)
            if (node_in(m->u.prepare.targets, n))
                codec_u64(c, &m->u.prepare.incarnations[n]);
        break;
    case PEER_PREPARED:
        codec_u64(c, &m->u.prepared.version);
        codec_u32(c, &m->u.prepared.cluster);
        CODEC_ARRAY(c, m->u.prepared.forgotten, m->u.prepared.forgotten_len, 9, codec_forgotten);
        CODEC_ARRAY(c, m->u.prepared.entries, m->u.prepared.entries_len, 1, codec_meta_entry);
        CODEC_ARRAY(c, m->u.prepared.replicas, m->u.prepared.replicas_len, 42, codec_replica);
        break;
    case PEER_REFUSED:
        codec_u64(c, &m->u.refused.promised);
        codec_u8(c, &m->u.refused.candidate);
        CODEC_ENUM(c, m->u.refused.why, REFUSE_LATER, REFUSE_FORGOTTEN);
        break;
    case PEER_INSTALL:
        CODEC_ARRAY(c, m->u.install.members, m->u.install.members_len, 17, codec_member);
        codec_u32(c, &m->u.install.lost);
        codec_u32(c, &m->u.install.cluster);
        CODEC_ARRAY(c, m->u.install.forgotten, m->u.install.forgotten_len, 9, codec_forgotten);
        codec_u64(c, &m->u.install.version);
        CODEC_ARRAY(c, m->u.install.entries, m->u.install.entries_len, 1, codec_meta_entry);
        CODEC_ARRAY(c, m->u.install.repairs, m->u.install.repairs_len, 26, codec_repair);
        break;
    case PEER_HEAL:
    case PEER_LEAVE: break;
    case PEER_INSTALLED:
    case PEER_SERVE:
        codec_bool(c, &m->u.serve.more);
        CODEC_ARRAY(c, m->u.serve.items, m->u.serve.items_len, 43, codec_leftover);
        break;
    case PEER_LEFT: codec_u32(c, &m->u.left.members); break;
    case PEER_REPORT:
        codec_u8(c, &m->u.report.node);
        codec_u64(c, &m->u.report.incarnation);
        codec_bool(c, &m->u.report.back);
        break;
    case PEER_SUBMIT:
        codec_u64(c, &m->u.submit.req);
        codec_owner(c, &m->u.submit.owner);
        codec_meta_entry(c, &m->u.submit.entry);
        break;
    case PEER_RESULT:
        codec_u64(c, &m->u.result.req);
        CODEC_ENUM(c, m->u.result.status, ANSWER_OK, ANSWER_NOT_SERVING);
        codec_str(c, &m->u.result.text);
        break;
    case PEER_META:
        codec_u64(c, &m->u.meta.version);
        codec_meta_entry(c, &m->u.meta.entry);
        break;
    case PEER_META_ACK: codec_u64(c, &m->u.meta_ack.version); break;
    case PEER_COMMITTED:
        codec_queue(c, m);
        codec_u64(c, &m->u.meta_ack.version);
        break;
    case PEER_INIT:
        codec_queue(c, m);
        codec_u64(c, &m->version);
        codec_u32(c, &m->u.init.since);
        codec_u64(c, &m->u.init.op);
        codec_u64(c, &m->u.init.next);
        CODEC_ARRAY(c, m->u.init.origins, m->u.init.origins_len, 25, codec_origin);
        CODEC_ARRAY(c, m->u.init.rejected, m->u.init.rejected_len, 17, codec_rejected);
        break;
    case PEER_OPS:
        codec_queue(c, m);
        codec_u64(c, &m->version);
        codec_u64(c, &m->u.ops.first);
        codec_u64(c, &m->u.ops.stable);
        codec_bool(c, &m->u.ops.repair);
        CODEC_ARRAY(c, m->u.ops.ops, m->u.ops.ops_len, 9, codec_op);
        break;
    case PEER_OPS_ACK:
        codec_queue(c, m);
        codec_u64(c, &m->version);
        codec_u64(c, &m->u.ops_ack.applied);
        codec_u64(c, &m->u.ops_ack.durable);
        codec_u64(c, &m->u.ops_ack.join);
        break;
    case PEER_SYNC_BEGIN:
    case PEER_SYNC_ACK:
        codec_queue(c, m);
        codec_u64(c, &m->version);
        codec_u64(c, &m->u.sync.total);
        codec_u64(c, &m->u.sync.oldest);
        break;
    case PEER_SYNC_BATCH:
        codec_queue(c, m);
        CODEC_ARRAY(c, m->u.sync.items, m->u.sync.items_len, 19, codec_sync_item);
        break;
    case PEER_SYNC_END:
    case PEER_SYNC_CANCEL:
    case PEER_SYNC_DONE:
        codec_queue(c, m);
        codec_u64(c, &m->version);
        break;
    case PEER_PUBLISH:
        codec_queue(c, m);
        codec_u64(c, &m->version);
        codec_u64(c, &m->u.publish.incarnation);
        codec_u64(c, &m->u.publish.base);
        codec_u64(c, &m->u.publish.first);
        CODEC_ARRAY(c, m->u.publish.msgs, m->u.publish.msgs_len, 1, codec_published);
        break;
    case PEER_CONFIRM:
        codec_queue(c, m);
        codec_u64(c, &m->u.confirm.upto);
        codec_u64(c, &m->u.confirm.lost);
        CODEC_ARRAY(c, m->u.confirm.rejected, m->u.confirm.rejected_len, 8, codec_u64);
        break;
    case PEER_REQUEST: codec_request(c, m); break;
    case PEER_REPLY: codec_reply(c, m); break;
    case PEER_DELIVER:
        codec_queue(c, m);
        CODEC_ARRAY(c, m->u.deliver.items, m->u.deliver.items_len, 18, codec_deliver_item);
        break;
    case PEER_SETTLE:
        codec_queue(c, m);
        codec_u64(c, &m->u.settle.sub);
        CODEC_ENUM(c, m->u.settle.how, SETTLE_ACK, SETTLE_DISCARD);
        CODEC_ARRAY(c, m->u.settle.ids, m->u.settle.ids_len, 8, codec_u64);
        break;
    case PEER_CREDIT:
        codec_queue(c, m);
        codec_u64(c, &m->u.credit.sub);
        codec_u32(c, &m->u.credit.credit);
        break;
    case PEER_ACTIVE:
        codec_queue(c, m);
        codec_u64(c, &m->u.credit.sub);
        break;
    }
}

void wire_encode_peer(const struct peer_msg *msg, struct text *out)
{
    size_t start = out->len;
    text_add_bytes(out, "\0\0\0\0", HEADER_BYTES);
    struct codec c = {.out = out};
    codec_peer(&c, (struct peer_msg *)(uintptr_t)msg);
    size_t len = out->len - start - HEADER_BYTES;
    ASSERT(len <= UINT32_MAX);
    for (int i = 0; i < HEADER_BYTES; i++)
        out->s[start + (size_t)i] = (char)(uint8_t)(len >> (8 * (HEADER_BYTES - 1 - i)));
}

int64_t wire_peer_frame(struct bytes data)
{
    if (data.len < HEADER_BYTES)
        return 0;
    uint32_t len = (uint32_t)data.data[0] << 24 | (uint32_t)data.data[1] << 16 | (uint32_t)data.data[2] << 8 |
                   data.data[3];
    if (len > LIMIT_PEER_FRAME || len < MIN_BYTES)
        return ERR_TOO_LARGE;
    return data.len < HEADER_BYTES + (size_t)len ? 0 : (int64_t)len + HEADER_BYTES;
}

struct peer_msg *wire_decode_peer(struct bytes frame, int *err)
{
    int64_t len = wire_peer_frame(frame);
    if (len <= 0 || (size_t)len != frame.len) {
        *err = len < 0 ? (int)len : ERR_TRUNCATED;
        return NULL;
    }
    struct peer_msg *msg = peer_msg_create(PEER_HELLO, 0);
    struct codec c = {.at = frame.data + HEADER_BYTES, .end = frame.data + frame.len};
    codec_peer(&c, msg);
    if (!c.err && c.at != c.end)
        c.err = ERR_INVALID;
    *err = c.err;
    if (c.err) {
        peer_msg_destroy(msg);
        return NULL;
    }
    return msg;
}

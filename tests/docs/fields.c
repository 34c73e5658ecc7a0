/* fields.c: the fields and kinds of the code, by name. */
#include "tests/docs/fields.h"

#include <stdio.h>
#include <string.h>

#include "mirror/effects.h"
#include "mirror/peer_msg.h"

#define IN(block, type, member)                                                                              \
    {                                                                                                        \
        block, #member, offsetof(type, member), sizeof(((type *)0)->member), 0, 0                            \
    }
#define MANY(block, type, member)                                                                            \
    {                                                                                                        \
        block, #member, offsetof(type, member), 0, offsetof(type, member##_len),                             \
            sizeof(*((type *)0)->member)                                                                     \
    }
#define MSG(name, member)  IN("message " name, struct peer_msg, member)
#define MSGS(name, member) MANY("message " name, struct peer_msg, member)
#define REC(name, member)  IN("record " name, struct record, member)
#define ENTRY(member)      IN("entry", struct meta_entry, member)
#define ARGS(member)       IN("part args", struct queue_args, member)
#define OP(member)         IN("operation", struct op, member)

/* What is said of a kind alone holds for all of its blocks that do not say otherwise. */
static const struct field FIELDS[] = {
    MSG("HELLO", u.hello.incarnation),
    MSG("HELLO", u.hello.version),
    MSG("HELLO", u.hello.serving),
    MSG("HELLO", u.hello.fresh),
    MSG("HELLO", u.hello.members),
    MSG("HELLO", u.hello.others),
    MSG("HELLO", u.hello.links),
    MSG("HELLO", u.hello.coordinator),
    MSG("HELLO", u.hello.clients),
    MSG("PREPARE", u.prepare.join),
    MSG("PREPARE", u.prepare.version),
    MSG("PREPARE", u.prepare.targets),
    MSG("PREPARE", u.prepare.incarnations),
    MSG("PREPARED", u.prepared.version),
    MSG("PREPARED", u.prepared.cluster),
    MSGS("PREPARED", u.prepared.forgotten),
    MSGS("PREPARED", u.prepared.entries),
    MSGS("PREPARED", u.prepared.replicas),
    MSG("REFUSED", u.refused.promised),
    MSG("REFUSED", u.refused.candidate),
    MSG("REFUSED", u.refused.why),
    MSGS("INSTALL", u.install.members),
    MSG("INSTALL", u.install.lost),
    MSG("INSTALL", u.install.cluster),
    MSGS("INSTALL", u.install.forgotten),
    MSG("INSTALL", u.install.version),
    MSGS("INSTALL", u.install.entries),
    MSGS("INSTALL", u.install.repairs),
    MSG("INSTALLED", u.serve.more),
    MSGS("INSTALLED", u.serve.items),
    MSG("SERVE", u.serve.more),
    MSGS("SERVE", u.serve.items),
    MSG("LEFT", u.left.members),
    MSG("REPORT", u.report.node),
    MSG("REPORT", u.report.incarnation),
    MSG("REPORT", u.report.back),
    MSG("SUBMIT", u.submit.req),
    MSG("SUBMIT", u.submit.owner),
    MSG("SUBMIT", u.submit.entry),
    MSG("RESULT", u.result.req),
    MSG("RESULT", u.result.status),
    MSG("RESULT", u.result.text),
    MSG("META", u.meta.version),
    MSG("META", u.meta.entry),
    MSG("META_ACK", u.meta_ack.version),
    MSG("COMMITTED", u.meta_ack.version),
    MSG("INIT", u.init.since),
    MSG("INIT", u.init.op),
    MSG("INIT", u.init.next),
    MSGS("INIT", u.init.origins),
    MSGS("INIT", u.init.rejected),
    MSG("OPS", u.ops.first),
    MSG("OPS", u.ops.stable),
    MSG("OPS", u.ops.repair),
    MSGS("OPS", u.ops.ops),
    MSG("OPS_ACK", u.ops_ack.applied),
    MSG("OPS_ACK", u.ops_ack.durable),
    MSG("OPS_ACK", u.ops_ack.join),
    MSG("SYNC_BEGIN", u.sync.total),
    MSG("SYNC_BEGIN", u.sync.oldest),
    MSG("SYNC_ACK", u.sync.total),
    MSG("SYNC_ACK", u.sync.oldest),
    MSGS("SYNC_BATCH", u.sync.items),
    MSG("PUBLISH", u.publish.incarnation),
    MSG("PUBLISH", u.publish.base),
    MSG("PUBLISH", u.publish.first),
    MSGS("PUBLISH", u.publish.msgs),
    MSG("CONFIRM", u.confirm.upto),
    MSG("CONFIRM", u.confirm.lost),
    MSGS("CONFIRM", u.confirm.rejected),
    MSG("REQUEST", u.request.kind),
    MSG("REQUEST", u.request.req),
    MSG("REQUEST", u.request.owner),
    MSG("REQUEST", u.request.no_ack),
    MSG("REQUEST", u.request.exclusive),
    MSG("REQUEST", u.request.if_unused),
    MSG("REQUEST", u.request.if_empty),
    MSG("REQUEST", u.request.resume),
    MSG("REQUEST", u.request.sub),
    MSG("REQUEST", u.request.prefetch),
    MSG("REQUEST", u.request.window),
    MSG("REQUEST", u.request.priority),
    MSG("REPLY", u.reply.req),
    MSG("REPLY", u.reply.status),
    MSG("REPLY", u.reply.messages),
    MSG("REPLY", u.reply.consumers),
    MSG("REPLY", u.reply.id),
    MSG("REPLY", u.reply.redelivered),
    MSG("REPLY", u.reply.msg),
    MSGS("DELIVER", u.deliver.items),
    MSG("SETTLE", u.settle.sub),
    MSG("SETTLE", u.settle.how),
    MSGS("SETTLE", u.settle.ids),
    MSG("CREDIT", u.credit.sub),
    MSG("CREDIT", u.credit.credit),
    MSG("ACTIVE", u.credit.sub),
    IN("message", struct peer_msg, epoch),
    IN("message", struct peer_msg, uid),
    IN("message", struct peer_msg, generation),
    IN("message", struct peer_msg, version),

    MANY("record VIEW", struct record, forgotten),
    MANY("record REMOVED", struct record, ranges),
    MANY("record TAKEN", struct record, ranges),
    MANY("record LEASE", struct record, ranges),
    IN("record", struct record, epoch),
    IN("record", struct record, version),
    IN("record", struct record, members),
    IN("record", struct record, others),
    IN("record", struct record, cluster),
    IN("record", struct record, queue_uid),
    IN("record", struct record, id),
    IN("record", struct record, redelivered),
    IN("record", struct record, origin),
    IN("record", struct record, incarnation),
    IN("record", struct record, seq),
    IN("record", struct record, base),
    IN("record", struct record, lost),
    IN("record", struct record, expiry),
    IN("record", struct record, msg),

    {"entry SYNCED", "since", offsetof(struct meta_entry, since), sizeof(uint32_t), 0, 0},
    {"entry", "key", offsetof(struct meta_entry, key), 0, offsetof(struct meta_entry, key_len), 1},
    {"entry", "value", offsetof(struct meta_entry, value), 0, offsetof(struct meta_entry, value_len), 1},
    ENTRY(name),
    ENTRY(uid),
    ENTRY(generation),
    ENTRY(durable),
    ENTRY(auto_delete),
    ENTRY(owner),
    ENTRY(args),
    ENTRY(state),
    ENTRY(master),
    ENTRY(mirrors),
    ENTRY(synced),
    ENTRY(reigns),
    ENTRY(pattern),
    ENTRY(apply_to),
    ENTRY(definition),
    ENTRY(priority),
    ENTRY(queue),
    ENTRY(if_absent),
    ENTRY(prefix),

    ARGS(json),
    ARGS(master_locator),
    ARGS(message_ttl_ms),
    ARGS(expires_ms),
    ARGS(max_length),
    ARGS(max_length_bytes),
    ARGS(overflow),
    ARGS(dead_letter_exchange),
    ARGS(dead_letter_key),
    ARGS(max_priority),
    ARGS(single_active_consumer),

    OP(first),
    OP(last),
    OP(origin),
    OP(incarnation),
    OP(seq),
    OP(expiry),
    OP(persistent),
    OP(msg),

    IN("part owner", struct owner, node),
    IN("part owner", struct owner, incarnation),
    IN("part owner", struct owner, connection),
    IN("part range", struct id_range, first),
    IN("part range", struct id_range, last),
    IN("part member", struct view_member, node),
    IN("part member", struct view_member, join),
    IN("part member", struct view_member, incarnation),
    IN("part forgotten", struct forgotten, node),
    IN("part forgotten", struct forgotten, epoch),
    IN("part replica", struct replica_state, uid),
    IN("part replica", struct replica_state, generation),
    IN("part replica", struct replica_state, live),
    IN("part replica", struct replica_state, synced),
    IN("part replica", struct replica_state, op),
    IN("part replica", struct replica_state, since),
    IN("part replica", struct replica_state, depth),
    IN("part replica", struct replica_state, next),
    IN("part reign", struct reign, from),
    IN("part reign", struct reign, number),
    IN("part repair", struct repair, uid),
    IN("part repair", struct repair, source),
    IN("part repair", struct repair, node),
    IN("part repair", struct repair, from),
    IN("part repair", struct repair, upto),
    IN("part origin", struct origin, node),
    IN("part origin", struct origin, incarnation),
    IN("part origin", struct origin, seq),
    IN("part origin", struct origin, lost),
    IN("part rejected", struct rejected, node),
    IN("part rejected", struct rejected, incarnation),
    IN("part rejected", struct rejected, seq),
    IN("part sync_item", struct sync_item, id),
    IN("part sync_item", struct sync_item, unacked),
    IN("part sync_item", struct sync_item, redelivered),
    IN("part sync_item", struct sync_item, expiry),
    IN("part sync_item", struct sync_item, msg),
    IN("part leftover", struct leftover, uid),
    IN("part leftover", struct leftover, node),
    IN("part leftover", struct leftover, sub),
    IN("part leftover", struct leftover, req),
    IN("part leftover", struct leftover, id),
    IN("part leftover", struct leftover, messages),
    IN("part leftover", struct leftover, redelivered),
    IN("part leftover", struct leftover, msg),
    IN("part deliver_item", struct deliver_item, sub),
    IN("part deliver_item", struct deliver_item, id),
    IN("part deliver_item", struct deliver_item, redelivered),
    IN("part deliver_item", struct deliver_item, msg),
};

static const char *leaf(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

const struct field *find_field(const struct block *b, const char *name)
{
    char whole[64];
    snprintf(whole, sizeof(whole), "%s %s", b->kind, b->name);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < sizeof(FIELDS) / sizeof(*FIELDS); i++)
            if (strcmp(FIELDS[i].block, pass ? b->kind : whole) == 0 &&
                strcmp(leaf(FIELDS[i].member), name) == 0)
                return &FIELDS[i];
    return NULL;
}

/* Every kind that the code has. A new one does not compile before it is here, and then must be drawn. */
static const char *record_name(enum record_type type)
{
    switch (type) {
    case REC_VIEW: return "VIEW";
    case REC_META_RESET: return "META_RESET";
    case REC_META: return "META";
    case REC_MESSAGE: return "MESSAGE";
    case REC_REMOVED: return "REMOVED";
    case REC_TAKEN: return "TAKEN";
    case REC_DISCARD: return "DISCARD";
    case REC_LEASE: return "LEASE";
    case REC_STOPPED: return "STOPPED";
    case REC_REJECTED: return "REJECTED";
    case REC_PROMISED: return "PROMISED";
    case REC_ORIGIN: return "ORIGIN";
    }
    return "?";
}

static const char *entry_name(enum meta_type type)
{
    switch (type) {
    case META_QUEUE: return "QUEUE";
    case META_QUEUE_REMOVE: return "QUEUE_REMOVE";
    case META_SYNCED: return "SYNCED";
    case META_POLICY: return "POLICY";
    case META_POLICY_REMOVE: return "POLICY_REMOVE";
    case META_KEY: return "KEY";
    case META_KEY_REMOVE: return "KEY_REMOVE";
    case META_FORGET: return "FORGET";
    }
    return "?";
}

static const char *operation_name(enum op_type type)
{
    switch (type) {
    case OP_PUBLISH: return "PUBLISH";
    case OP_TAKE: return "TAKE";
    case OP_REMOVE: return "REMOVE";
    case OP_REQUEUE: return "REQUEUE";
    case OP_REQUEUE_ALL: return "REQUEUE_ALL";
    case OP_PURGE: return "PURGE";
    case OP_REJECT: return "REJECT";
    case OP_LOST: return "LOST";
    }
    return "?";
}

const char *tag_name(enum frame_tag tag)
{
    switch (tag) {
    case TAG_KNOCK: return "knock";
    case TAG_HELLO: return "hello";
    case TAG_PROOF: return "proof";
    case TAG_WELCOME: return "welcome";
    case TAG_REFUSED: return "refused";
    case TAG_MESSAGE: return "message";
    case TAG_PING: return "ping";
    case TAG_QUESTION: return "question";
    case TAG_ANSWER: return "answer";
    }
    return "?";
}

const char *kind_name(const char *kind, int number)
{
    if (strcmp(kind, "message") == 0)
        return peer_type_name((enum peer_type)number);
    if (strcmp(kind, "record") == 0)
        return record_name((enum record_type)number);
    if (strcmp(kind, "entry") == 0)
        return entry_name((enum meta_type)number);
    return operation_name((enum op_type)number);
}

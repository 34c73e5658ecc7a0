/* replica.c: a mirror. It begins empty at a point of the master's order, applies every operation from there
 * on, and says how far it is. What it holds is always a tail of the master's content, never with a hole. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

/* Everything this node holds of the queue is void. */
void replica_discard(struct mirror *m, struct queue *q, struct effects *out)
{
    trace_void(m, q);
    if (q->rec.durable && q->rec.owner.node == NODE_NONE && (q->role != ROLE_NONE || q->recovered))
        persist(m, out, REC_DISCARD)->queue_uid = q->rec.uid;
    if (q->master)
        master_end(m, q);
    content_reset(&q->content, 0);
    q->rejected.len = 0;
    retained_clear(q);
    sync_incoming_drop(q);
    q->origins.len = 0;
    q->removed.len = q->taken.len = 0;
    q->role = ROLE_NONE;
    q->recovered = q->promoting = q->synced = q->synced_told = q->unsaved = q->sync_done_waits = false;
    q->op = q->durable = q->level_op = q->repair_upto = 0;
    q->leased = q->lease_wanted = 0;
    q->disk_waits = 0;
    q->disk_life++;
}

static void begun(const struct mirror *m, const struct queue *q, struct effects *out)
{
    tell(out, "mirror", q->rec.name, "mirror of %s on %s added, empty", q->rec.name, m->names[m->o.self]);
}

/* Nothing is missing any more. */
void replica_complete(struct mirror *m, struct queue *q, struct effects *out)
{
    for (size_t i = 0; i < q->origins.len && q->join; i++)
        persist_origin(m, q, &q->origins.items[i], q->origins.items[i].lost, out);
    q->join = 0;
}

/* All members agree that this mirror is in sync. It tells so once in its life, whichever way it hears. */
void replica_synced(struct mirror *m, struct queue *q, struct effects *out)
{
    q->synced = true;
    if (q->synced_told)
        return;
    q->synced_told = true;
    tell(out, "mirror", q->rec.name, "%s on %s in sync", q->rec.name, m->names[m->o.self]);
}

void replica_begin(struct mirror *m, struct queue *q, struct effects *out)
{
    replica_discard(m, q, out);
    q->role = ROLE_MIRROR;
    lease_all(m, q, out);
    q->join = 0;
    q->since = added_by(&q->rec, m->o.self);
    q->told_applied = q->told_durable = 0;
    begun(m, q, out);
    replica_synced(m, q, out); /* as empty as its master */
}

void handle_init(struct mirror *m, struct queue *q, const struct peer_msg *msg, struct effects *out)
{
    replica_discard(m, q, out);
    q->role = ROLE_MIRROR;
    lease_all(m, q, out);
    q->synced = false;
    content_reset(&q->content, msg->u.init.next);
    q->join = msg->u.init.next;
    q->since = msg->u.init.since;
    q->op = q->durable = msg->u.init.op;
    for (size_t i = 0; i < msg->u.init.origins_len; i++)
        VEC_PUSH(&q->origins, msg->u.init.origins[i]);
    for (size_t i = 0; i < msg->u.init.rejected_len; i++)
        VEC_PUSH(&q->rejected, msg->u.init.rejected[i]);
    for (size_t i = 0; i < q->origins.len; i++) {
        struct origin *o = &q->origins.items[i];
        o->join = o->seq; /* that is the master's, not ours */
        persist_origin(m, q, o, o->join, out);
    }
    q->told_applied = q->told_durable = UINT64_MAX;
    trace(m, q, TRACE_BEGINS, q->join, UINT64_MAX, NODE_NONE);
    begun(m, q, out);
    /* The coordinator's word that it is in sync may overtake the master's first one to it: of a queue that is
     * empty both are sent at once, over two links. */
    if (node_in(q->rec.synced, m->o.self) && added_by(&q->rec, m->o.self) == q->since)
        replica_synced(m, q, out);
    queue_touch(m, q);
}

/* ---- operations ---- */

struct origin *note_origin(struct queue *q, node_id node, uint64_t incarnation, uint64_t seq)
{
    for (size_t i = 0; i < q->origins.len; i++) {
        struct origin *o = &q->origins.items[i];
        if (o->node == node && o->incarnation == incarnation) {
            o->seq = u64_max(o->seq, seq);
            return o;
        }
    }
    VEC_PUSH(&q->origins, (struct origin){.node = node, .incarnation = incarnation, .seq = seq});
    return &q->origins.items[q->origins.len - 1];
}

/* If this mirror takes over one day, it must not confirm them as repeats either. */
static void note_lost(struct mirror *m, struct queue *q, const struct op *op, struct effects *out)
{
    struct origin *o = note_origin(q, op->origin, op->incarnation, op->seq);
    o->lost = u64_max(o->lost, op->seq);
    persist_origin(m, q, o, u64_max(o->lost, o->join), out);
}

static void remove_one(struct queue *q, msg_id id)
{
    struct slot *s = content_find(&q->content, id);
    if (s) {
        note_removed(q, s, id);
        content_remove(&q->content, id);
    }
}

static void each_in_range(struct queue *q, const struct op *op)
{
    msg_id at = op->first;
    struct slot *s;
    while ((s = content_walk(&q->content, &at)) && at - 1 <= op->last) {
        msg_id id = at - 1;
        if (op->type == OP_REMOVE) {
            remove_one(q, id);
        } else if (op->type == OP_TAKE) {
            note_taken(q, s, id);
            content_take(&q->content, id);
        } else {
            content_requeue(&q->content, id);
        }
    }
}

static void requeue_all(struct queue *q)
{
    msg_id at = 0;
    while (q->content.unacked && content_walk_state(&q->content, SLOT_UNACKED, &at))
        content_requeue(&q->content, at - 1);
}

static void purge_ready(struct queue *q)
{
    msg_id at = 0;
    while (q->content.ready && content_walk_state(&q->content, SLOT_READY, &at))
        remove_one(q, at - 1);
}

static void apply_op(struct mirror *m, struct queue *q, struct op *op, struct effects *out)
{
    switch (op->type) {
    case OP_PUBLISH:
        note_origin(q, op->origin, op->incarnation, op->seq);
        if (op->first >= q->content.next) {
            struct slot *s = content_put(&q->content, op->first, op->msg, false, false);
            s->expiry = op->expiry;
            struct origin publisher = {op->origin, op->incarnation, op->seq, 0, 0, 0};
            persist_message(m, q, s, op->first, &publisher, out);
            trace_placed(m, q, TRACE_COPIED, s, op->first, &publisher);
        }
        break;
    case OP_TAKE:
    case OP_REMOVE:
    case OP_REQUEUE: each_in_range(q, op); break;
    case OP_REQUEUE_ALL: requeue_all(q); break;
    case OP_PURGE: purge_ready(q); break;
    case OP_REJECT: {
        struct rejected r = {op->origin, op->incarnation, op->seq};
        note_origin(q, op->origin, op->incarnation, op->seq);
        rejected_add(m, q, r, op->first);
        if (op->persistent)
            persist_rejected(m, q, r, op->first, out);
        break;
    }
    case OP_LOST: note_lost(m, q, op, out); break;
    }
    q->op++;
    struct op kept = *op;
    if (kept.msg)
        message_ref(kept.msg);
    RING_PUSH(&q->retained, kept);
}

void handle_ops(struct mirror *m, struct queue *q, struct peer_msg *msg, struct effects *out)
{
    if (!msg->u.ops.repair && msg->generation != q->rec.generation)
        return;
    for (size_t i = 0; i < msg->u.ops.ops_len; i++)
        if (msg->u.ops.first + i == q->op + 1) /* a repair may repeat what came by itself */
            apply_op(m, q, &msg->u.ops.ops[i], out);
    retained_trim(q, msg->u.ops.stable);
    queue_touch(m, q);
    if (msg->u.ops.repair)
        repairs_check(m, out);
}

void replica_flush(struct mirror *m, struct queue *q, struct effects *out)
{
    disk_turn(m, q, out);
    uint64_t durable = queue_durable(q);
    if (q->synced)
        replica_complete(m, q, out);
    /* complete, but not on disk: not in sync yet */
    msg_id join = q->join == 0 && !q->synced && q->disk_waits ? UINT64_MAX : q->join;
    if (!serving(m) || (q->told_applied == q->op && q->told_durable == durable && q->told_join == join))
        return;
    q->told_applied = q->op;
    q->told_durable = durable;
    struct peer_msg *msg = peer_msg_create(PEER_OPS_ACK, m->epoch);
    msg->uid = q->rec.uid;
    msg->generation = q->rec.generation;
    msg->version = q->since;
    msg->u.ops_ack.applied = q->op;
    msg->u.ops_ack.durable = durable;
    q->told_join = join;
    msg->u.ops_ack.join = join;
    send_to(out, node_bit(q->rec.master), msg);
}

/* ---- taking over ---- */

/* This node is the master now: a mirror that was promoted, a node that came back with what its log had, or a
 * home that has nothing. The mirrors are level with it (install.c); promoted_ops tells them the rest. */
void promote(struct mirror *m, struct queue *q, struct effects *out)
{
    bool was_mirror = q->role == ROLE_MIRROR, recovered = q->recovered;
    q->promoting = false;
    if (was_mirror)
        tell(out, "promote", q->rec.name, "%s: %s promoted, %s, %llu message%s", q->rec.name,
             m->names[m->o.self], q->synced || q->join == 0 ? "in sync" : "NOT in sync",
             (unsigned long long)content_depth(&q->content), plural(content_depth(&q->content)));
    else if (recovered)
        tell(out, "queue", q->rec.name, "%s is back on %s, %llu message%s", q->rec.name, m->names[m->o.self],
             (unsigned long long)content_depth(&q->content), plural(content_depth(&q->content)));
    msg_id join = q->synced ? 0 : q->join;
    if (was_mirror || recovered)
        trace_content(m, q, was_mirror ? TRACE_PROMOTED : TRACE_BACK, join > 0);
    master_begin(m, q);
    q->join = join;
    for (size_t i = 0; i < q->origins.len; i++) {
        struct origin o = q->origins.items[i];
        if (join) /* unsynchronised: what it never had must not be confirmed as a repeat */
            o.lost = u64_max(o.lost, o.join);
        o.join = 0;
        struct origin_at at = {.o = o};
        for (size_t k = 0; k < q->rejected.len; k++)
            if (q->rejected.items[k].node == o.node && q->rejected.items[k].incarnation == o.incarnation)
                VEC_PUSH(&at.rejected, q->rejected.items[k].seq);
        VEC_PUSH(&q->master->origins, at);
    }
    q->origins.len = 0;
}

/* The first operations of a new master: what was delivered and not settled goes back to its place,
 * redelivered; what a mirror has and the new master does not is dropped, and it hears up to where; publishers
 * hear that what is in the history is safe as soon as it is. */
void promoted_ops(struct mirror *m, struct queue *q)
{
    requeue_all(q);
    content_rewind(&q->content);
    master_op(q, OP_REQUEUE_ALL, 0);
    if (q->join > 0 && q->master->copies.len) {
        master_op(q, OP_REMOVE, 0);
        RING_AT(&q->retained, q->retained.len - 1).last = q->join - 1;
        for (size_t i = 0; i < q->master->origins.len; i++) {
            const struct origin *o = &q->master->origins.items[i].o;
            q->op++;
            RING_PUSH(&q->retained,
                      (struct op){
                          .type = OP_LOST, .origin = o->node, .incarnation = o->incarnation, .seq = o->lost});
        }
    }
    q->join = 0;
    for (size_t i = 0; i < q->master->origins.len; i++) {
        const struct origin *o = &q->master->origins.items[i].o;
        if (o->recovered) /* a log vouches for the persistent ones only: what is offered again tells them
                             apart */
            continue;
        RING_PUSH(
            &q->master->confirms,
            (struct waiting_confirm){.op = q->op, .origin = (uint32_t)i, .on_disk = true, .seq = o->seq});
    }
    (void)m;
}

/* master.c: a queue's master. It numbers every operation, sends them to the mirrors in batches, and lets
 * confirms and deliveries out once every mirror has what they rest on.
 *
 *   I1: a publish is confirmed when the master and every mirror have it, on disk where it must be;
 *   I6: a message is handed out when every mirror knows that it was. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

void master_begin(struct mirror *m, struct queue *q)
{
    ASSERT(!q->master);
    q->role = ROLE_MASTER;
    q->synced = true;
    q->join = 0;
    q->recovered = false;
    q->master = xcalloc(1, sizeof(*q->master));
    q->master->sent = q->op;
    q->master->unused_since = m->now;
    VEC_PUSH(&q->master->consumers, NULL); /* index 0 means nobody */
    queue_touch(m, q);
}

void master_end(struct mirror *m, struct queue *q)
{
    struct master *ms = q->master;
    m->syncs -= ms->sync.running;
    timer_off(m, q);
    limits_finish(&ms->limits);
    VEC_FREE(&ms->copies);
    RING_FREE(&ms->confirms);
    for (size_t i = 0; i < ms->outbox.len; i++)
        message_unref(RING_AT(&ms->outbox, i).msg);
    RING_FREE(&ms->outbox);
    for (size_t i = 0; i < ms->origins.len; i++)
        VEC_FREE(&ms->origins.items[i].rejected);
    VEC_FREE(&ms->origins);
    consumers_free(ms);
    for (size_t i = 0; i < ms->held.len; i++)
        peer_msg_destroy(RING_AT(&ms->held, i).msg);
    RING_FREE(&ms->held);
    free(ms);
    q->master = NULL;
    q->role = ROLE_NONE;
}

struct copy *find_copy(struct queue *q, node_id node)
{
    for (size_t i = 0; i < q->master->copies.len; i++)
        if (q->master->copies.items[i].node == node && !q->master->copies.items[i].gone_at)
            return &q->master->copies.items[i];
    return NULL;
}

void retained_trim(struct queue *q, uint64_t upto)
{
    while (q->retained.len && q->op - q->retained.len + 1 <= upto) {
        message_unref(RING_AT(&q->retained, 0).msg);
        RING_POP(&q->retained);
    }
}

void retained_clear(struct queue *q)
{
    retained_trim(q, UINT64_MAX);
    RING_FREE(&q->retained);
}

/* ---- operations ---- */

static bool last_unsent(const struct queue *q)
{
    return q->retained.len && q->op > q->master->sent;
}

/* The next operation. Runs of the same kind on ids that follow each other become one. */
void master_op(struct queue *q, enum op_type type, msg_id id)
{
    if (q->master->copies.len == 0) {
        q->op++;
        q->master->sent = q->op;
        return;
    }
    if (last_unsent(q) && type != OP_PURGE && type != OP_REQUEUE_ALL) {
        struct op *last = &RING_AT(&q->retained, q->retained.len - 1);
        if (last->type == type && last->last + 1 == id) {
            last->last = id;
            return;
        }
    }
    q->op++;
    RING_PUSH(&q->retained, (struct op){.type = type, .first = id, .last = id});
}

static struct origin_at *find_origin(struct master *ms, node_id node, uint64_t incarnation)
{
    for (size_t i = 0; i < ms->origins.len; i++)
        if (ms->origins.items[i].o.node == node && ms->origins.items[i].o.incarnation == incarnation)
            return &ms->origins.items[i];
    VEC_PUSH(&ms->origins, (struct origin_at){.o = {.node = node, .incarnation = incarnation}});
    return &ms->origins.items[ms->origins.len - 1];
}

/* A full queue refuses this publish: the mirrors hear it, so that whoever is master when it is offered again
 * does not take it for one that is there. */
static void refuse_publish(struct mirror *m, struct queue *q, struct origin_at *o, uint64_t base,
                           uint64_t seq, const struct message *msg, struct effects *out)
{
    struct master *ms = q->master;
    struct rejected r = {.node = o->o.node, .incarnation = o->o.incarnation, .seq = seq};
    rejected_add(m, q, r, base);
    VEC_PUSH(&o->rejected, seq);
    q->op++;
    if (ms->copies.len)
        RING_PUSH(&q->retained, (struct op){.type = OP_REJECT,
                                            .first = base,
                                            .last = base,
                                            .origin = r.node,
                                            .incarnation = r.incarnation,
                                            .seq = seq,
                                            .persistent = msg->persistent});
    else
        ms->sent = q->op;
    if (msg->persistent)
        persist_rejected(m, q, r, base, out);
    RING_PUSH(&ms->confirms,
              (struct waiting_confirm){.op = q->op, .seq = seq, .origin = (uint32_t)(o - ms->origins.items)});
    queue_touch(m, q);
}

/* Publish number seq of that node, below base all have ended: repeats (offered again after a failover) are
 * recognised and only confirmed; a number that leaves a gap is never taken, for confirms are cumulative. */
void master_publish(struct mirror *m, struct queue *q, node_id from, uint64_t incarnation, uint64_t base,
                    uint64_t seq, struct message *msg, struct effects *out)
{
    struct master *ms = q->master;
    struct origin_at *o = find_origin(ms, from, incarnation);
    bool gone =
        seq <= o->o.recovered && !msg->persistent; /* in the history, but it did not outlive the restart */
    if (seq <= o->o.seq && !gone) {
        if (seq == o->o.seq) /* the last repeat: confirmed once everything so far is everywhere */
            RING_PUSH(&ms->confirms, (struct waiting_confirm){.op = q->op,
                                                              .on_disk = true,
                                                              .seq = seq,
                                                              .origin = (uint32_t)(o - ms->origins.items)});
        queue_touch(m, q);
        return;
    }
    if (seq != o->o.seq + 1 && seq != base && !gone)
        return;
    o->o.seq = u64_max(o->o.seq, seq);
    limits_refresh(m, q, out);
    if (limit_refuses(m, q, msg, out)) {
        refuse_publish(m, q, o, base, seq, msg, out);
        return;
    }
    msg_id id = q->content.next;
    struct slot *s = content_put(&q->content, id, msg, false, false);
    s->expiry = expiry_of(m, q, msg);
    if (ms->copies.len) {
        q->op++;
        RING_PUSH(&q->retained, (struct op){.type = OP_PUBLISH,
                                            .first = id,
                                            .last = id,
                                            .origin = from,
                                            .incarnation = incarnation,
                                            .seq = seq,
                                            .expiry = s->expiry,
                                            .msg = message_ref(msg)});
    } else {
        ms->sent = ++q->op;
    }
    struct origin publisher = {from, incarnation, seq, 0, 0, 0};
    persist_message(m, q, s, id, &publisher, out);
    ms->published++;
    trace_placed(m, q, TRACE_ENQUEUED, s, id, &publisher);
    RING_PUSH(&ms->confirms, (struct waiting_confirm){.op = q->op,
                                                      .on_disk = s->logged,
                                                      .seq = seq,
                                                      .origin = (uint32_t)(o - ms->origins.items)});
    limit_published(m, q, id, out);
    queue_touch(m, q);
}

struct peer_msg *ops_batch(const struct mirror *m, const struct queue *q, uint64_t epoch, uint64_t first,
                           uint64_t upto)
{
    size_t from = (size_t)(first - (q->op - q->retained.len + 1)), n = 0, bytes = 0;
    while (first + n <= upto && n < LIMIT_BATCH_MESSAGES && bytes < m->o.batch_bytes) {
        const struct op *op = &RING_AT(&q->retained, from + n);
        bytes += op->msg ? message_size(op->msg) : 16;
        n++;
    }
    struct peer_msg *msg = peer_msg_create(PEER_OPS, epoch);
    msg->uid = q->rec.uid;
    msg->u.ops.first = first;
    msg->u.ops.ops_len = n;
    msg->u.ops.ops = xmalloc(n * sizeof(struct op));
    for (size_t i = 0; i < n; i++) {
        msg->u.ops.ops[i] = RING_AT(&q->retained, from + i);
        if (msg->u.ops.ops[i].msg)
            message_ref(msg->u.ops.ops[i].msg);
    }
    return msg;
}

static void send_ops(struct mirror *m, struct queue *q, node_set to, struct effects *out)
{
    struct master *ms = q->master;
    while (ms->sent < q->op) {
        struct peer_msg *msg = ops_batch(m, q, m->epoch, ms->sent + 1, q->op);
        msg->generation = q->rec.generation;
        msg->version = m->version;
        msg->u.ops.stable = master_applied(m, q);
        ms->sent += msg->u.ops.ops_len;
        send_to(out, to, msg);
    }
}

/* what was not sent to the mirrors yet */
void master_send(struct mirror *m, struct queue *q, struct effects *out)
{
    node_set to = 0;
    for (size_t i = 0; i < q->master->copies.len; i++)
        if (!q->master->copies.items[i].gone_at)
            to |= node_bit(q->master->copies.items[i].node);
    if (!to)
        q->master->sent = q->op;
    else if (serving(m))
        send_ops(m, q, to, out);
}

/* the end of a turn: what happened goes to the mirrors, and out what may go out */
void master_flush(struct mirror *m, struct queue *q, struct effects *out)
{
    if (serving(m) && !q->master->sync.running) { /* a change of the view and a copy rest on what it is */
        limits_refresh(m, q, out);
        limit_enforce(m, q, out); /* what was put back may be too many */
    }
    dispatch(m, q, out);
    tell_active(m, q, out);
    expiry_turn(m, q, out);
    master_send(m, q, out);
    disk_turn(m, q, out);
    for (size_t i = q->master->stamped; i < q->master->outbox.len; i++) {
        struct outgoing *o = &RING_AT(&q->master->outbox, i);
        o->lsn = o->after_disk ? m->handed_out : 0;
    }
    q->master->stamped = q->master->outbox.len;
    master_release(m, q, out);
    master_check_synced(m, q);
}

/* ---- what the mirrors have ---- */

uint64_t master_applied(const struct mirror *m, const struct queue *q)
{
    uint64_t low = q->op;
    (void)m;
    for (size_t i = 0; i < q->master->copies.len; i++)
        low = u64_min(low, q->master->copies.items[i].applied);
    return low;
}

static uint64_t confirmable(const struct mirror *m, const struct queue *q, bool on_disk)
{
    uint64_t low = on_disk && m->o.confirm_after_disk ? queue_durable(q) : q->op;
    for (size_t i = 0; i < q->master->copies.len && m->o.confirm_after_mirrors; i++) {
        const struct copy *c = &q->master->copies.items[i];
        low = u64_min(low, on_disk && m->o.confirm_after_disk ? c->durable : c->applied);
    }
    return low;
}

void reply(struct mirror *m, uint64_t uid, uint64_t generation, node_id to, const struct outgoing *r,
           struct effects *out)
{
    struct peer_msg *msg = peer_msg_create(PEER_REPLY, m->epoch);
    msg->uid = uid;
    msg->generation = generation;
    msg->u.reply.req = r->req;
    msg->u.reply.status = r->status;
    msg->u.reply.messages = r->messages;
    msg->u.reply.consumers = r->consumers;
    msg->u.reply.id = r->id;
    msg->u.reply.redelivered = r->redelivered;
    msg->u.reply.msg = r->msg; /* moved */
    if (to != m->o.self) {
        send_to(out, node_bit(to), msg);
        return;
    }
    handle_reply(m, msg, out);
    peer_msg_destroy(msg);
}

/* the queue is gone: whoever waits for an answer gets this one */
void master_refuse(struct mirror *m, struct queue *q, enum answer_status status, struct effects *out)
{
    struct master *ms = q->master;
    for (size_t i = 0; i < ms->outbox.len; i++) {
        const struct outgoing *o = &RING_AT(&ms->outbox, i);
        if (!o->sub && o->req) /* a get has lost its message; any other answer stands */
            reply(m, q->rec.uid, q->rec.generation, o->node,
                  &(struct outgoing){.req = o->req, .status = o->msg ? status : o->status}, out);
    }
    for (size_t i = 0; i < ms->held.len; i++) {
        const struct held_msg *h = &RING_AT(&ms->held, i);
        if (h->msg->type == PEER_REQUEST && h->msg->u.request.req)
            reply(m, q->rec.uid, q->rec.generation, h->from,
                  &(struct outgoing){.req = h->msg->u.request.req, .status = status}, out);
    }
}

/* somebody's own rule instead */
static bool rule_confirms(const struct mirror *m, const struct queue *q, const struct waiting_confirm *w)
{
    struct message_copy copies[LIMIT_NODES];
    struct confirmation c = {
        .needs_disk = w->on_disk, .on_disk = queue_durable(q) >= w->op, .mirrors = copies};
    for (size_t i = 0; i < q->master->copies.len && c.len < LIMIT_NODES; i++) {
        const struct copy *k = &q->master->copies.items[i];
        copies[c.len++] = (struct message_copy){.node = k->node,
                                                .synchronised = k->synced,
                                                .has = k->applied >= w->op,
                                                .on_disk = k->durable >= w->op};
    }
    return m->o.rules->can_confirm(m->o.rules->arg, &c);
}

/* of the numbers that were refused those that are told now; the rest stays */
static size_t rejected_told(const struct origin_at *o)
{
    size_t n = 0;
    while (n < o->rejected.len && o->rejected.items[n] <= o->confirmed)
        n++;
    return n;
}

static void rejected_forget(struct origin_at *o, size_t n)
{
    o->rejected.len -= n;
    if (n)
        memmove(o->rejected.items, o->rejected.items + n, o->rejected.len * sizeof(uint64_t));
}

static void release_confirms(struct mirror *m, struct queue *q, struct effects *out)
{
    struct master *ms = q->master;
    bool own_rule = m->o.rules && m->o.rules->can_confirm;
    uint64_t memory = confirmable(m, q, false), disk = confirmable(m, q, true);
    bool any = false;
    while (ms->confirms.len) {
        struct waiting_confirm w = RING_AT(&ms->confirms, 0);
        if (own_rule ? !rule_confirms(m, q, &w) : w.op > (w.on_disk ? disk : memory))
            break;
        struct origin_at *o = &ms->origins.items[w.origin];
        o->confirmed = u64_max(o->confirmed, w.seq);
        o->dirty = any = true;
        RING_POP(&ms->confirms);
    }
    for (size_t i = 0; any && i < ms->origins.len; i++) {
        struct origin_at *o = &ms->origins.items[i];
        if (!o->dirty)
            continue;
        o->dirty = false;
        size_t rejected = rejected_told(o);
        if (!node_in(m->members, o->o.node) || m->incarnations[o->o.node] != o->o.incarnation)
            continue; /* nobody there waits for it */
        if (o->o.node == m->o.self) {
            stream_confirm(m, q, o->confirmed, o->o.lost, o->rejected.items, rejected, out);
            rejected_forget(o, rejected);
            continue;
        }
        struct peer_msg *msg = peer_msg_create(PEER_CONFIRM, m->epoch);
        msg->uid = q->rec.uid;
        msg->generation = q->rec.generation;
        msg->u.confirm.upto = o->confirmed;
        msg->u.confirm.lost = o->o.lost;
        if (rejected) {
            msg->u.confirm.rejected_len = rejected;
            msg->u.confirm.rejected = xmalloc(rejected * sizeof(uint64_t));
            memcpy(msg->u.confirm.rejected, o->rejected.items, rejected * sizeof(uint64_t));
            rejected_forget(o, rejected);
        }
        send_to(out, node_bit(o->o.node), msg);
    }
}

static void deliver_local(struct mirror *m, struct queue *q, const struct outgoing *o, struct effects *out)
{
    struct peer_msg msg = {.type = PEER_DELIVER, .uid = q->rec.uid, .generation = q->rec.generation};
    struct deliver_item item = {.sub = o->sub, .id = o->id, .redelivered = o->redelivered, .msg = o->msg};
    msg.u.deliver.items = &item;
    msg.u.deliver.items_len = 1;
    handle_deliver(m, q, &msg, out);
    message_unref(item.msg);
}

static bool may_go(const struct mirror *m, const struct master *ms, uint64_t applied)
{
    if (!ms->stamped)
        return false;
    const struct outgoing *o = &RING_AT(&ms->outbox, 0);
    return o->op <= applied && o->lsn <= m->on_disk;
}

static struct outgoing pop_outbox(struct master *ms)
{
    struct outgoing o = RING_AT(&ms->outbox, 0);
    RING_POP(&ms->outbox);
    ms->stamped--;
    return o;
}

static void release_outbox(struct mirror *m, struct queue *q, struct effects *out)
{
    struct master *ms = q->master;
    uint64_t applied = master_applied(m, q);
    while (may_go(m, ms, applied)) {
        struct outgoing o = RING_AT(&ms->outbox, 0);
        if (!o.sub || o.node == m->o.self) {
            bool gives = o.msg && o.node != m->o.self; /* a get's answer for another node */
            pop_outbox(ms);
            if (!o.sub && !o.req) { /* for a node that is gone */
                message_unref(o.msg);
                continue;
            }
            if (o.sub)
                deliver_local(m, q, &o, out);
            else
                reply(m, q->rec.uid, q->rec.generation, o.node, &o, out);
            if (gives)
                trace(m, q, TRACE_SENT, o.id, o.id, o.node);
            continue;
        }
        /* a run of deliveries to the same node is one message */
        struct peer_msg *msg = peer_msg_create(PEER_DELIVER, m->epoch);
        msg->uid = q->rec.uid;
        msg->generation = q->rec.generation;
        VEC(struct deliver_item) items = {0};
        size_t bytes = 0;
        while (may_go(m, ms, applied) && items.len < LIMIT_BATCH_MESSAGES && bytes < m->o.batch_bytes) {
            if (!RING_AT(&ms->outbox, 0).sub || RING_AT(&ms->outbox, 0).node != o.node)
                break;
            struct outgoing next = pop_outbox(ms);
            trace(m, q, TRACE_SENT, next.id, next.id, o.node);
            VEC_PUSH(&items, (struct deliver_item){next.sub, next.id, next.redelivered, next.msg});
            bytes += message_size(next.msg);
        }
        msg->u.deliver.items = items.items;
        msg->u.deliver.items_len = items.len;
        send_to(out, node_bit(o.node), msg);
    }
}

void master_release(struct mirror *m, struct queue *q, struct effects *out)
{
    if (!serving(m))
        return;
    release_confirms(m, q, out);
    release_outbox(m, q, out);
    retained_trim(q, u64_min(master_applied(m, q), q->master->sent));
}

void master_ack(struct mirror *m, struct queue *q, node_id from, uint64_t applied, uint64_t durable,
                struct effects *out)
{
    struct copy *c = find_copy(q, from);
    if (!c)
        return;
    c->applied = u64_max(c->applied, u64_min(applied, q->op));
    c->durable = u64_max(c->durable, u64_min(durable, q->op));
    queue_touch(m, q);
    (void)out;
}

/* ---- mirrors come and go ---- */

static void send_init(struct mirror *m, struct queue *q, node_id to, struct effects *out)
{
    struct peer_msg *msg = peer_msg_create(PEER_INIT, m->epoch);
    msg->uid = q->rec.uid;
    msg->generation = q->rec.generation;
    msg->version = m->version;
    for (size_t i = 0; i < q->rec.mirrors_len; i++)
        if (q->rec.mirrors[i] == to)
            msg->u.init.since = q->rec.since[i];
    msg->u.init.op = q->op;
    msg->u.init.next = q->content.next;
    msg->u.init.origins_len = q->master->origins.len;
    msg->u.init.origins = xcalloc(q->master->origins.len, sizeof(struct origin));
    for (size_t i = 0; i < q->master->origins.len; i++)
        msg->u.init.origins[i] = q->master->origins.items[i].o;
    msg->u.init.rejected_len = q->rejected.len;
    msg->u.init.rejected = xcalloc(q->rejected.len, sizeof(struct rejected));
    for (size_t i = 0; i < q->rejected.len; i++)
        msg->u.init.rejected[i] = q->rejected.items[i];
    send_to(out, node_bit(to), msg);
}

/* Every member knows that a mirror was removed: nobody can promote it any more, so nothing waits for it. */
void master_committed(struct mirror *m, uint64_t uid, uint64_t version)
{
    struct queue *q = queue_by_uid(m, uid);
    if (!q || !q->master)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < q->master->copies.len; i++) {
        struct copy c = q->master->copies.items[i];
        if (!c.gone_at || c.gone_at > version)
            q->master->copies.items[kept++] = c;
    }
    q->master->copies.len = kept;
    queue_touch(m, q);
}

/* The queue's mirrors were changed by an entry: new ones begin at the next operation, whatever came before is
 * a sync's business. One that went is waited for until master_committed. */
void master_copies(struct mirror *m, struct queue *q, struct effects *out)
{
    struct master *ms = q->master;
    node_set now = 0;
    for (size_t i = 0; i < ms->copies.len; i++)
        if (!ms->copies.items[i].gone_at)
            now |= node_bit(ms->copies.items[i].node);
    if (now && serving(m))
        send_ops(m, q, now, out); /* so that a new mirror's first operation is the next one for all */
    ms->sent = q->op;
    VEC(struct copy) fresh = {0};
    for (size_t i = 0; i < q->rec.mirrors_len; i++) {
        node_id n = q->rec.mirrors[i];
        struct copy *old = find_copy(q, n);
        if (old) {
            VEC_PUSH(&fresh, *old);
            continue;
        }
        send_init(m, q, n, out);
        VEC_PUSH(&fresh, (struct copy){
                             .node = n, .join = q->content.next, .applied = q->op, .since = q->rec.since[i]});
    }
    for (size_t i = 0; i < ms->copies.len; i++) {
        struct copy c = ms->copies.items[i];
        if (c.gone_at || in_mirrors(q, c.node)) {
            if (c.gone_at)
                VEC_PUSH(&fresh, c);
            continue;
        }
        c.gone_at = m->version;
        VEC_PUSH(&fresh, c);
    }
    VEC_FREE(&ms->copies);
    ms->copies.items = fresh.items;
    ms->copies.len = fresh.len;
    ms->copies.cap = fresh.cap;
    if (ms->sync.running) {
        sync_step(m, q, out);
    }
    sync_maybe(m, q, out);
    queue_touch(m, q);
}

/* A mirror is in sync as soon as nothing is left that is older than its beginning (its depth then equals the
 * master's): RabbitMQ's rule. */
void master_check_synced(struct mirror *m, struct queue *q)
{
    for (size_t i = 0; i < q->master->copies.len; i++) {
        struct copy *c = &q->master->copies.items[i];
        if (c->gone_at || c->counted || c->join == UINT64_MAX ||
            (!c->synced && content_oldest(&q->content) < c->join))
            continue;
        c->synced = c->counted = true;
        c->join = 0;
        struct submit *s = submit_create(META_SYNCED);
        s->entry.uid = q->rec.uid;
        s->entry.generation = q->rec.generation;
        s->entry.master = c->node;
        s->entry.since[0] = c->since;
        submit_entry(m, s);
        queue_touch(m, q);
        return; /* the copies may have changed: look again */
    }
}

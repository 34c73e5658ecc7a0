/* receive.c: a peer's message finds the function that handles it, or waits, or is of the past. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

bool in_mirrors(const struct queue *q, node_id n)
{
    for (size_t i = 0; i < q->rec.mirrors_len; i++)
        if (q->rec.mirrors[i] == n)
            return true;
    return false;
}

struct peer_msg *steal(struct peer_msg *msg)
{
    struct peer_msg *mine = xmalloc(sizeof(*mine));
    *mine = *msg;
    memset(msg, 0, sizeof(*msg));
    msg->type = PEER_LEAVE; /* owns nothing */
    return mine;
}

void drop_held(struct held_msg *items, size_t len)
{
    for (size_t i = 0; i < len; i++)
        peer_msg_destroy(items[i].msg);
}

static void keep_early(struct mirror *m, node_id from, struct peer_msg *msg)
{
    VEC_PUSH(&m->early, (struct held_msg){from, steal(msg)});
}

/* Nothing overtakes what waits. */
static bool waits_behind(const struct mirror *m, node_id from, const struct peer_msg *msg)
{
    for (size_t i = 0; i < m->early.len; i++)
        if (m->early.items[i].from == from && m->early.items[i].msg->uid == msg->uid)
            return true;
    return false;
}

/* A view message of the present epoch about one queue's replication. */
static void replication(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out)
{
    struct queue *q = queue_by_uid(m, msg->uid);
    bool rests_on_metadata = msg->type == PEER_INIT || (msg->type == PEER_OPS && !msg->u.ops.repair);
    if (waits_behind(m, from, msg) || (rests_on_metadata && msg->version > m->version)) {
        keep_early(m, from, msg); /* the metadata it relies on is still on its way from the coordinator */
        return;
    }
    if (!q)
        return;
    switch (msg->type) {
    case PEER_INIT:
        if (in_mirrors(q, m->o.self) && q->rec.master == from)
            handle_init(m, q, msg, out);
        break;
    case PEER_OPS:
        if (q->role == ROLE_MIRROR)
            handle_ops(m, q, msg, out);
        break;
    case PEER_OPS_ACK:
        if (q->role == ROLE_MASTER) {
            struct copy *c = find_copy(q, from);
            if (!c || c->since != msg->version)
                return;
            if (!c->synced)
                c->join = msg->u.ops_ack.join;
            master_ack(m, q, from, msg->u.ops_ack.applied, msg->u.ops_ack.durable, out);
        }
        break;
    case PEER_SYNC_BEGIN:
    case PEER_SYNC_BATCH:
    case PEER_SYNC_ACK:
    case PEER_SYNC_END:
    case PEER_SYNC_CANCEL:
    case PEER_SYNC_DONE: sync_handle(m, q, from, msg, out); break;
    case PEER_HELLO:
    case PEER_PREPARE:
    case PEER_PREPARED:
    case PEER_REFUSED:
    case PEER_INSTALL:
    case PEER_INSTALLED:
    case PEER_SERVE:
    case PEER_LEAVE:
    case PEER_LEFT:
    case PEER_HEAL:
    case PEER_REPORT:
    case PEER_SUBMIT:
    case PEER_RESULT:
    case PEER_META:
    case PEER_META_ACK:
    case PEER_COMMITTED:
    case PEER_PUBLISH:
    case PEER_CONFIRM:
    case PEER_REQUEST:
    case PEER_REPLY:
    case PEER_DELIVER:
    case PEER_SETTLE:
    case PEER_CREDIT:
    case PEER_ACTIVE: break;
    }
}

/* view messages that came before what they need */
void retry_early(struct mirror *m, struct effects *out)
{
    if (m->early.len == 0)
        return;
    VEC(struct held_msg) waiting = {m->early.items, m->early.len, m->early.cap};
    m->early.items = NULL;
    m->early.len = m->early.cap = 0;
    for (size_t i = 0; i < waiting.len; i++)
        if (node_in(m->links, waiting.items[i].from))
            receive(m, waiting.items[i].from, waiting.items[i].msg, out);
    drop_held(waiting.items, waiting.len);
    free(waiting.items);
}

static bool session(enum peer_type type)
{
    return type >= PEER_PUBLISH;
}

/* Something that was sent to the queue's master before it waits for metadata. */
static bool overtakes(const struct mirror *m, node_id from, const struct peer_msg *msg)
{
    bool to_master = msg->type == PEER_PUBLISH || msg->type == PEER_REQUEST || msg->type == PEER_SETTLE ||
                     msg->type == PEER_CREDIT;
    return to_master && waits_behind(m, from, msg);
}

/* What waited here, for a view or for a copy to end, names a node and not a life of it. Who asked may have
 * died meanwhile, and the node may have come back with the very view that left that life out: nobody waits
 * for this answer, and a consumer of that life would take messages for ever. What it published may be here
 * since, under a number that is forgotten with its life. */
static bool of_an_earlier_life(const struct mirror *m, node_id from, const struct peer_msg *msg)
{
    if (from == m->o.self)
        return false;
    if (msg->type == PEER_PUBLISH)
        return msg->u.publish.incarnation != m->incarnations[from];
    return msg->type == PEER_REQUEST && msg->u.request.owner.incarnation != m->incarnations[from];
}

void take_session(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out)
{
    if ((!node_in(m->members, from) && from != m->o.self) || of_an_earlier_life(m, from, msg))
        return;
    if (msg->type == PEER_REPLY) {
        handle_reply(m, msg, out);
        return;
    }
    struct queue *q = queue_by_uid(m, msg->uid);
    if (!q && msg->type == PEER_REQUEST && msg->u.request.req)
        reply(m, msg->uid, msg->generation, from,
              &(struct outgoing){.req = msg->u.request.req, .status = ANSWER_NOT_FOUND}, out);
    if (q && msg->type == PEER_DELIVER && msg->generation < q->rec.generation)
        for (size_t i = 0; i < msg->u.deliver.items_len; i++)
            deliver_no_ack(m, q, &msg->u.deliver.items[i], out);
    if (!q || q->rec.generation != msg->generation)
        return;
    if (msg->type == PEER_CONFIRM) {
        stream_confirm(m, q, msg->u.confirm.upto, msg->u.confirm.lost, msg->u.confirm.rejected,
                       msg->u.confirm.rejected_len, out);
        return;
    }
    if (msg->type == PEER_DELIVER) {
        handle_deliver(m, q, msg, out);
        return;
    }
    if (msg->type == PEER_ACTIVE) {
        handle_active(m, msg->u.credit.sub);
        return;
    }
    if (q->role != ROLE_MASTER)
        return;
    if (q->master->sync.running &&
        !(msg->type == PEER_REQUEST && msg->u.request.kind == REQUEST_CANCEL_SYNC)) {
        RING_PUSH(&q->master->held, (struct held_msg){from, steal(msg)}); /* the queue waits */
        return;
    }
    switch (msg->type) {
    case PEER_PUBLISH: handle_publish(m, q, from, msg, out); break;
    case PEER_REQUEST: handle_request(m, q, from, msg, out); break;
    case PEER_SETTLE:
        handle_settle(m, q, from, msg->u.settle.sub, msg->u.settle.how, msg->u.settle.ids,
                      msg->u.settle.ids_len, out);
        break;
    case PEER_CREDIT: handle_credit(m, q, from, msg->u.credit.sub, msg->u.credit.credit); break;
    case PEER_HELLO:
    case PEER_PREPARE:
    case PEER_PREPARED:
    case PEER_REFUSED:
    case PEER_INSTALL:
    case PEER_INSTALLED:
    case PEER_SERVE:
    case PEER_LEAVE:
    case PEER_LEFT:
    case PEER_HEAL:
    case PEER_REPORT:
    case PEER_SUBMIT:
    case PEER_RESULT:
    case PEER_META:
    case PEER_META_ACK:
    case PEER_COMMITTED:
    case PEER_INIT:
    case PEER_OPS:
    case PEER_OPS_ACK:
    case PEER_SYNC_BEGIN:
    case PEER_SYNC_BATCH:
    case PEER_SYNC_ACK:
    case PEER_SYNC_END:
    case PEER_SYNC_CANCEL:
    case PEER_SYNC_DONE:
    case PEER_CONFIRM:
    case PEER_REPLY:
    case PEER_ACTIVE:
    case PEER_DELIVER: break;
    }
}

/* between two members about one queue, one generation; only while this node serves */
void receive_session(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out)
{
    bool asks = msg->type == PEER_PUBLISH || msg->type == PEER_REQUEST;
    if ((asks && msg->version > m->version) || overtakes(m, from, msg))
        keep_early(m, from, msg); /* its queue's metadata is still on its way here */
    else
        take_session(m, from, msg, out);
}

/* Somebody who was excluded from our view and does not know it yet: it goes on speaking in the old one. */
static bool of_the_excluded(const struct mirror *m, node_id from, const struct peer_msg *msg)
{
    bool in_view = msg->type >= PEER_REPORT;
    if (msg->type == PEER_REPORT && m->change.running && node_in(m->change.targets, from))
        return false; /* it is being taken in */
    return in_view && m->served && !m->leave_sent && !node_in(m->members, from) && msg->epoch < m->epoch;
}

void receive(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out)
{
    if (!m->started || m->phase == PHASE_STOPPED || m->over)
        return;
    if (of_the_excluded(m, from, msg)) {
        struct peer_msg *no = peer_msg_create(PEER_REFUSED, msg->epoch);
        no->u.refused.promised = m->epoch;
        no->u.refused.candidate = m->coordinator;
        no->u.refused.why = REFUSE_APART;
        send_to(out, node_bit(from), no);
        return;
    }
    if (msg->type > PEER_REPORT && cut_from(m, from))
        return; /* what came before this was lost */
    if (session(msg->type)) {
        if (serving(m))
            receive_session(m, from, msg, out);
        else if (overtakes(m, from, msg))
            keep_early(m, from, msg);
        else if (!m->leave_sent && m->phase != PHASE_STARTING)
            VEC_PUSH(&m->deferred, (struct held_msg){from, steal(msg)});
        return;
    }
    if (msg->type <= PEER_REPORT) {
        view_handle(m, from, msg, out);
        return;
    }
    if (msg->epoch > m->epoch && msg->epoch == m->promised) {
        keep_early(m, from, msg); /* its sender has installed the view we are about to install */
        return;
    }
    bool level = m->promised == m->epoch; /* not sealed for a later epoch */
    if (msg->epoch != m->epoch || !level || !node_in(m->members, from) || m->leave_sent ||
        m->phase == PHASE_STARTING)
        return;
    switch (msg->type) {
    case PEER_SUBMIT:
        if (!serving(m)) {
            if (m->coordinator == m->o.self)
                keep_early(m, from, msg);
        } else if (m->coordinator == m->o.self) {
            handle_submit(m, from, msg->u.submit.req, &msg->u.submit.owner, &msg->u.submit.entry, out);
        }
        break;
    case PEER_RESULT: handle_result(m, msg->u.result.req, msg->u.result.status, out); break;
    case PEER_META: handle_meta(m, msg, out); break;
    case PEER_META_ACK: handle_meta_ack(m, from, msg->u.meta_ack.version, out); break;
    case PEER_COMMITTED: master_committed(m, msg->uid, msg->u.meta_ack.version); break;
    case PEER_INIT:
    case PEER_OPS:
    case PEER_OPS_ACK:
    case PEER_SYNC_BEGIN:
    case PEER_SYNC_BATCH:
    case PEER_SYNC_ACK:
    case PEER_SYNC_END:
    case PEER_SYNC_CANCEL:
    case PEER_SYNC_DONE: replication(m, from, msg, out); break;
    case PEER_HELLO:
    case PEER_PREPARE:
    case PEER_PREPARED:
    case PEER_REFUSED:
    case PEER_INSTALL:
    case PEER_INSTALLED:
    case PEER_SERVE:
    case PEER_LEAVE:
    case PEER_LEFT:
    case PEER_HEAL:
    case PEER_REPORT:
    case PEER_PUBLISH:
    case PEER_CONFIRM:
    case PEER_REQUEST:
    case PEER_REPLY:
    case PEER_DELIVER:
    case PEER_SETTLE:
    case PEER_CREDIT:
    case PEER_ACTIVE: break;
    }
}

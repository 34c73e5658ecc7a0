/* consume.c: consumers at their queue's master: who gets the next message, what comes back. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

/* ---- the list of consumers that can take a message, in turn ---- */

static bool can_take(const struct master *ms, const struct consumer *c)
{
    if (ms->active && ms->active != c)
        return false; /* another one has its turn until it goes */
    return !c->gone && c->sub && c->window > 0 && (c->no_ack || c->prefetch == 0 || c->unacked < c->prefetch);
}

static void unlink_waiting(struct master *ms, struct consumer *c)
{
    if (!c->waiting)
        return;
    *(c->prev ? &c->prev->next : &ms->wait_first) = c->next;
    *(c->next ? &c->next->prev : &ms->wait_last) = c->prev;
    c->next = c->prev = NULL;
    c->waiting = false;
}

/* behind all of its priority; most of the time that is the end */
static void link_waiting(struct master *ms, struct consumer *c)
{
    if (c->waiting || !can_take(ms, c))
        return;
    struct consumer *next = NULL;
    if (ms->wait_last && ms->wait_last->priority < c->priority)
        for (next = ms->wait_first; next->priority >= c->priority;)
            next = next->next;
    c->next = next;
    c->prev = next ? next->prev : ms->wait_last;
    *(c->prev ? &c->prev->next : &ms->wait_first) = c;
    *(next ? &next->prev : &ms->wait_last) = c;
    c->waiting = true;
}

/* A single active consumer has gone: the next is the longest subscribed of the highest priority. */
static void next_active(struct master *ms)
{
    ms->active = NULL;
    for (size_t i = 1; i < ms->consumers.len; i++) {
        struct consumer *c = ms->consumers.items[i];
        if (!c || !c->sub || c->gone)
            continue;
        if (!ms->active || c->priority > ms->active->priority ||
            (c->priority == ms->active->priority && c->order < ms->active->order))
            ms->active = c;
    }
    if (ms->active)
        link_waiting(ms, ms->active);
}

static uint64_t consumer_key(node_id node, uint64_t sub)
{
    return sub * LIMIT_NODES + node;
}

static struct consumer *find_consumer(const struct master *ms, node_id node, uint64_t sub)
{
    struct consumer *c = map_get_u64(&ms->consumer_by, consumer_key(node, sub));
    return c && c->node == node && c->sub == sub ? c : NULL;
}

static struct consumer *add_consumer(struct master *ms, node_id node, uint64_t sub)
{
    struct consumer *c = xcalloc(1, sizeof(*c));
    c->node = node;
    c->sub = sub;
    if (ms->free_indexes.len) {
        c->index = ms->free_indexes.items[--ms->free_indexes.len];
        ms->consumers.items[c->index] = c;
    } else {
        c->index = (uint32_t)ms->consumers.len;
        VEC_PUSH(&ms->consumers, c);
    }
    map_set_u64(&ms->consumer_by, consumer_key(node, sub), c);
    return c;
}

static void free_if_done(struct master *ms, struct consumer *c)
{
    if ((c->sub && !c->gone) || c->unacked)
        return;
    unlink_waiting(ms, c);
    map_remove_u64(&ms->consumer_by, consumer_key(c->node, c->sub));
    ms->consumers.items[c->index] = NULL;
    VEC_PUSH(&ms->free_indexes, c->index);
    free(c);
}

void consumers_free(struct master *ms)
{
    for (size_t i = 0; i < ms->consumers.len; i++)
        free(ms->consumers.items[i]);
    VEC_FREE(&ms->consumers);
    VEC_FREE(&ms->free_indexes);
    map_finish(&ms->consumer_by);
}

/* ---- deliveries ---- */

static void hand_out(struct mirror *m, struct queue *q, struct consumer *c, msg_id id, struct outgoing *o,
                     bool no_ack)
{
    struct slot *s = content_find(&q->content, id);
    o->id = id;
    o->redelivered = s->redelivered;
    o->msg = message_ref(s->msg);
    o->node = c->node;
    q->master->redelivered += s->redelivered;
    if (s->logged &&
        (no_ack || id >= q->leased)) { /* the log knows first: no message twice without saying so */
        o->after_disk = true;
        q->unsaved = true;
        if (!no_ack)
            q->lease_wanted = id + 1;
    }
    if (no_ack) {
        note_removed(q, s, id);
        content_remove(&q->content, id);
        master_op(q, OP_REMOVE, id);
        trace(m, q, TRACE_AUTO_ACKED, id, id, c->node);
    } else {
        note_taken(q, s, id);
        content_take(&q->content, id);
        s->taker = c->index;
        c->unacked++;
        master_op(q, OP_TAKE, id);
    }
    o->op = q->op;
    RING_PUSH(&q->master->outbox, *o);
    queue_touch(m, q);
}

/* fresh: this one has just come, and a consumer that waits gets it however short its time is */
void dispatch_new(struct mirror *m, struct queue *q, msg_id fresh, struct effects *out)
{
    struct master *ms = q->master;
    if (ms->sync.running || !serving(m))
        return;
    msg_id id;
    while (ms->wait_first) {
        expire_heads(m, q, fresh, out);
        if (!content_peek(&q->content, &id))
            return;
        struct consumer *c = ms->wait_first;
        unlink_waiting(ms, c);
        struct outgoing o = {.sub = c->sub};
        c->window--;
        hand_out(m, q, c, id, &o, c->no_ack);
        ms->delivered++;
        link_waiting(ms, c);
    }
}

/* its node shows who is active */
void tell_active(struct mirror *m, struct queue *q, struct effects *out)
{
    struct master *ms = q->master;
    if (!ms->active || ms->active_told == ms->active->order || !serving(m))
        return;
    ms->active_told = ms->active->order;
    if (ms->active->node == m->o.self) {
        handle_active(m, ms->active->sub);
        return;
    }
    struct peer_msg *msg = peer_msg_create(PEER_ACTIVE, m->epoch);
    msg->uid = q->rec.uid;
    msg->generation = q->rec.generation;
    msg->u.credit.sub = ms->active->sub;
    send_to(out, node_bit(ms->active->node), msg);
}

void dispatch(struct mirror *m, struct queue *q, struct effects *out)
{
    dispatch_new(m, q, UINT64_MAX, out);
}

/* its node has left the view, or came back as another life */
static bool node_is_gone(const struct mirror *m, const struct consumer *c, node_set gone)
{
    return c && (node_in(gone, c->node) || m->incarnations[c->node] != c->owner.incarnation);
}

/* What consumers of those nodes have goes back, in one walk for all of them: a node may have had thousands.
 */
static void requeue_of_gone(struct mirror *m, struct queue *q, node_set gone)
{
    struct consumer *const *all = q->master->consumers.items;
    uint64_t left = 0;
    for (size_t i = 1; i < q->master->consumers.len; i++)
        left += node_is_gone(m, all[i], gone) ? all[i]->unacked : 0;
    msg_id at = 0;
    const struct slot *s;
    while (left && (s = content_walk_state(&q->content, SLOT_UNACKED, &at))) {
        struct consumer *c = all[s->taker];
        if (!node_is_gone(m, c, gone))
            continue;
        content_requeue(&q->content, at - 1);
        master_op(q, OP_REQUEUE, at - 1);
        trace(m, q, TRACE_REQUEUED, at - 1, at - 1, c->node);
        c->unacked--;
        left--;
    }
    queue_touch(m, q);
}

void queue_remove(struct mirror *m, struct queue *q)
{
    if (q->master->deleting)
        return;
    q->master->deleting = true;
    struct submit *s = submit_create(META_QUEUE_REMOVE);
    s->entry.uid = q->rec.uid;
    s->entry.name = xstrdup(q->rec.name);
    submit_entry(m, s);
}

static void auto_delete(struct mirror *m, struct queue *q)
{
    if (q->rec.auto_delete && q->master->had_consumer && !q->master->consumers_len)
        queue_remove(m, q);
}

static void unsubscribe(struct mirror *m, struct queue *q, struct consumer *c)
{
    struct master *ms = q->master;
    unlink_waiting(ms, c);
    c->gone = true;
    ms->exclusive = false; /* if it was, nobody else is there */
    if (--ms->consumers_len == 0)
        queue_used(m, q);
    if (ms->active == c)
        next_active(ms);
    free_if_done(ms, c);
    auto_delete(m, q);
    queue_touch(m, q);
}

/* Consumers and gets of nodes that left the view (or came back as another life) end; what they had goes back.
 * What waits in the outbox for such a node never goes there: it has gone back to its place, or is lost (at
 * most once). That node may be in a view whose master has it still, and does not know who got it. */
void consumers_of_node_gone(struct mirror *m, struct queue *q, node_set gone)
{
    struct master *ms = q->master;
    requeue_of_gone(m, q, gone);
    for (size_t i = 1; i < ms->consumers.len; i++) {
        struct consumer *c = ms->consumers.items[i];
        if (!node_is_gone(m, c, gone))
            continue;
        if (c->sub && !c->gone)
            unsubscribe(m, q, c);
        else
            free_if_done(ms, c);
    }
    for (size_t i = 0; i < ms->outbox.len; i++) {
        struct outgoing *o = &RING_AT(&ms->outbox, i);
        if (o->node != m->o.self && node_in(gone | m->joined, o->node))
            o->sub = o->req = 0;
    }
}

void handle_settle(struct mirror *m, struct queue *q, node_id from, uint64_t sub, enum settle how,
                   const msg_id *ids, size_t len, struct effects *out)
{
    struct master *ms = q->master;
    limits_refresh(m, q, out);
    for (size_t i = 0; i < len; i++) {
        struct slot *s = content_find(&q->content, ids[i]);
        if (!s || s->state != SLOT_UNACKED || s->taker == 0 || s->taker >= ms->consumers.len)
            continue;
        struct consumer *c = ms->consumers.items[s->taker];
        if (!c || c->node != from || c->sub != sub)
            continue;
        c->unacked--;
        if (how == SETTLE_REQUEUE) {
            content_requeue(&q->content, ids[i]);
            master_op(q, OP_REQUEUE, ids[i]);
            trace(m, q, TRACE_REQUEUED, ids[i], ids[i], from);
        } else {
            if (how == SETTLE_DISCARD)
                tell_dead_letter(q, s->msg, DEATH_REJECTED, out);
            note_removed(q, s, ids[i]);
            content_remove(&q->content, ids[i]);
            master_op(q, OP_REMOVE, ids[i]);
            trace(m, q, how == SETTLE_ACK ? TRACE_ACKED : TRACE_DISCARDED, ids[i], ids[i], from);
            if (how == SETTLE_DISCARD)
                trace_dead_letter(m, q, ids[i]);
            ms->acked++;
        }
        link_waiting(ms, c);
        free_if_done(ms, c);
    }
    if (how == SETTLE_REQUEUE)
        limit_enforce(m, q, out);
    queue_touch(m, q);
}

void handle_credit(struct mirror *m, struct queue *q, node_id from, uint64_t sub, uint32_t credit)
{
    struct consumer *c = find_consumer(q->master, from, sub);
    if (!c || c->gone)
        return;
    c->window = (uint32_t)u64_min((uint64_t)c->window + credit, UINT32_MAX);
    link_waiting(q->master, c);
    queue_touch(m, q);
}

/* ---- requests ---- */

static enum answer_status subscribe(struct mirror *m, struct queue *q, node_id from,
                                    const struct peer_msg *msg)
{
    struct master *ms = q->master;
    bool single = q->rec.args.single_active_consumer;
    if (ms->exclusive || (msg->u.request.exclusive && (ms->consumers_len || single)))
        return ANSWER_EXCLUSIVE_CONSUMER;
    if (find_consumer(ms, from, msg->u.request.sub))
        return ANSWER_OK; /* resumed twice */
    struct consumer *c = add_consumer(ms, from, msg->u.request.sub);
    c->owner = msg->u.request.owner;
    c->no_ack = msg->u.request.no_ack;
    c->exclusive = ms->exclusive = msg->u.request.exclusive;
    c->prefetch = msg->u.request.prefetch;
    c->window = msg->u.request.window;
    c->priority = msg->u.request.priority;
    c->order = ++ms->subscribed;
    if (single && !ms->active)
        ms->active = c;
    ms->consumers_len++;
    ms->had_consumer = true;
    link_waiting(ms, c);
    queue_touch(m, q);
    return ANSWER_OK;
}

static void get(struct mirror *m, struct queue *q, node_id from, const struct peer_msg *msg,
                struct outgoing *o, struct effects *out)
{
    msg_id id;
    queue_used(m, q);
    expire_heads(m, q, UINT64_MAX, out);
    if (!content_peek(&q->content, &id)) {
        o->status = ANSWER_EMPTY;
        reply(m, q->rec.uid, q->rec.generation, from, o, out);
        return;
    }
    struct consumer *c = find_consumer(q->master, from, 0);
    if (!c) {
        c = add_consumer(q->master, from, 0);
        c->owner = msg->u.request.owner;
    }
    q->master->got++;
    hand_out(m, q, c, id, o, msg->u.request.no_ack);
    expire_heads(m, q, UINT64_MAX, out); /* what was behind it may be over: it does not count */
    RING_AT(&q->master->outbox, q->master->outbox.len - 1).messages = q->content.ready;
    free_if_done(q->master, c);
}

static uint64_t purge(struct mirror *m, struct queue *q)
{
    uint64_t count = q->content.ready;
    msg_id at = 0;
    struct slot *s;
    while (q->content.ready && (s = content_walk_state(&q->content, SLOT_READY, &at))) {
        note_removed(q, s, at - 1);
        content_remove(&q->content, at - 1);
        trace(m, q, TRACE_PURGED, at - 1, at - 1, NODE_NONE);
    }
    master_op(q, OP_PURGE, 0);
    queue_touch(m, q);
    return count;
}

static bool delete_queue(struct mirror *m, struct queue *q, node_id from, const struct peer_msg *msg,
                         struct outgoing *o)
{
    if (msg->u.request.if_unused && q->master->consumers_len) {
        o->status = ANSWER_IN_USE;
        return false;
    }
    if (msg->u.request.if_empty && q->content.ready) {
        o->status = ANSWER_NOT_EMPTY;
        return false;
    }
    struct submit *s = submit_create(META_QUEUE_REMOVE);
    s->entry.uid = q->rec.uid;
    s->entry.generation = q->rec.generation;
    s->entry.name = xstrdup(q->rec.name);
    s->reply_to = from;
    s->reply_req = msg->u.request.req;
    s->reply_count = q->content.ready;
    q->master->deleting = true;
    submit_entry(m, s);
    return true;
}

/* A removal that is on its way counts: nobody is told that it uses what goes. */
static bool uses(enum request_kind kind)
{
    return kind == REQUEST_STAT || kind == REQUEST_GET || kind == REQUEST_SUBSCRIBE;
}

void handle_request(struct mirror *m, struct queue *q, node_id from, const struct peer_msg *msg,
                    struct effects *out)
{
    struct master *ms = q->master;
    struct outgoing o = {.req = msg->u.request.req, .status = ANSWER_OK, .node = from, .op = q->op};
    struct consumer *c;
    limits_refresh(m, q, out);
    if (ms->deleting && uses(msg->u.request.kind)) {
        o.status = ANSWER_NOT_FOUND;
        if (o.req)
            reply(m, q->rec.uid, q->rec.generation, from, &o, out);
        return;
    }
    switch (msg->u.request.kind) {
    case REQUEST_STAT:
        queue_used(m, q);
        expire_heads(m, q, UINT64_MAX, out);
        o.messages = q->content.ready;
        o.consumers = ms->consumers_len;
        break;
    case REQUEST_GET: get(m, q, from, msg, &o, out); return;
    case REQUEST_SUBSCRIBE: o.status = subscribe(m, q, from, msg); break;
    case REQUEST_UNSUBSCRIBE:
        c = find_consumer(ms, from, msg->u.request.sub);
        if (c && !c->gone)
            unsubscribe(m, q, c);
        RING_PUSH(&ms->outbox, o); /* behind the deliveries that are already on their way to it */
        queue_touch(m, q);
        return;
    case REQUEST_PURGE: o.messages = purge(m, q); break;
    case REQUEST_DELETE:
        if (delete_queue(m, q, from, msg, &o))
            return;
        break;
    case REQUEST_SYNC:
        if (q->rec.mirrors_len == 0)
            o.status = ANSWER_NOT_MIRRORED;
        else
            sync_begin(m, q, true, out);
        break;
    case REQUEST_CANCEL_SYNC:
        if (ms->sync.running)
            sync_stop(m, q, true, out);
        else if (ms->sync_asked)
            ms->sync_asked = SYNC_NOT_ASKED;
        else
            o.status = ANSWER_NOT_SYNCING;
        break;
    }
    if (o.req)
        reply(m, q->rec.uid, q->rec.generation, from, &o, out);
}

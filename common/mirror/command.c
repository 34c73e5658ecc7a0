/* command.c: what this node's clients ask for. A command waits here until it is answered; when the queue's
 * master moves it is asked again of the new one, when the queue cannot be asked it is answered with the true
 * reason at once. Subscriptions live on through a failover in the same way. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

/* Who declares a queue that expires before anybody can be told of it is told so then: it was there. */
#define DECLARES_MOST 3

void answer(struct effects *out, uint64_t req, enum answer_status status)
{
    if (!req)
        return;
    struct effect *fx = effects_add(out, FX_ANSWER);
    fx->u.answer.req = req;
    fx->u.answer.status = status;
    if (status == ANSWER_FULL)
        fx->u.answer.text =
            xstrdup("the cluster's table of queues, exchanges, bindings, policies and users is as "
                    "large as it may be: delete some that nobody needs, and ask again");
}

static void free_pending(struct mirror *m, struct pending *p)
{
    map_remove_u64(&m->pending, p->id);
    free(p->name);
    queue_args_finish(&p->args);
    meta_entry_finish(&p->entry);
    free(p);
}

static void finish(struct mirror *m, struct pending *p, enum answer_status status, struct effects *out)
{
    if (p->type == EV_SUBSCRIBE && status != ANSWER_OK)
        sub_end(m, p->sub);
    answer(out, p->req, status);
    free_pending(m, p);
}

/* ---- asking ---- */

static struct peer_msg *request(const struct mirror *m, const struct pending *p, enum request_kind kind)
{
    struct peer_msg *msg = peer_msg_create(PEER_REQUEST, m->epoch);
    msg->uid = p->uid;
    msg->generation = p->generation;
    msg->version = m->version;
    msg->u.request.kind = kind;
    msg->u.request.req = p->id;
    msg->u.request.owner = (struct owner){m->o.self, m->o.incarnation, p->owner.connection};
    msg->u.request.no_ack = p->no_ack;
    msg->u.request.exclusive = p->exclusive;
    msg->u.request.if_unused = p->if_unused;
    msg->u.request.if_empty = p->if_empty;
    msg->u.request.sub = p->sub;
    return msg;
}

/* to the queue's master; a local one is asked by the same way */
static void to_master(struct mirror *m, const struct queue *q, struct peer_msg *msg, struct effects *out)
{
    if (q->rec.master != m->o.self) {
        send_to(out, node_bit(q->rec.master), msg);
        return;
    }
    receive_session(m, m->o.self, msg, out);
    peer_msg_destroy(msg);
}

static void submit_for(struct mirror *m, struct pending *p, const struct meta_entry *e)
{
    struct submit *s = submit_create(e->type);
    meta_entry_copy(&s->entry, e);
    s->owner = p->owner;
    s->pending = p->id;
    p->submitted = true;
    submit_entry(m, s);
}

static bool same_owner(const struct owner *a, const struct owner *b)
{
    return a->node == b->node && a->incarnation == b->incarnation && a->connection == b->connection;
}

static bool locked(const struct queue *q, const struct pending *p)
{
    return q->rec.owner.node != NODE_NONE && !same_owner(&q->rec.owner, &p->owner);
}

static void declare_new(struct mirror *m, struct pending *p)
{
    struct meta_entry e;
    meta_entry_init(&e, META_QUEUE);
    e.name = xstrdup(p->name);
    e.durable = p->durable;
    e.auto_delete = p->auto_delete;
    if (p->exclusive)
        e.owner = p->owner;
    queue_args_copy(&e.args, &p->args);
    submit_for(m, p, &e);
    meta_entry_finish(&e);
}

static bool equivalent(const struct queue *q, const struct pending *p)
{
    return q->rec.durable == p->durable && q->rec.auto_delete == p->auto_delete &&
           (q->rec.owner.node != NODE_NONE) == p->exclusive && strcmp(q->rec.args.json, p->args.json) == 0;
}

static enum request_kind request_of(enum event_type type)
{
    switch ((int)type) {
    case EV_DELETE: return REQUEST_DELETE;
    case EV_PURGE: return REQUEST_PURGE;
    case EV_GET: return REQUEST_GET;
    case EV_SUBSCRIBE: return REQUEST_SUBSCRIBE;
    case EV_UNSUBSCRIBE: return REQUEST_UNSUBSCRIBE;
    case EV_SYNC: return REQUEST_SYNC;
    case EV_CANCEL_SYNC: return REQUEST_CANCEL_SYNC;
    default: return REQUEST_STAT; /* a declare of a queue that is there */
    }
}

/* the queue's node is away: only a delete can be done without it */
static void unavailable(struct mirror *m, struct queue *q, struct pending *p, struct effects *out)
{
    if (p->type == EV_DELETE && !p->if_empty) {
        struct meta_entry e;
        meta_entry_init(&e, META_QUEUE_REMOVE);
        e.uid = q->rec.uid;
        e.name = xstrdup(q->rec.name);
        submit_for(m, p, &e);
        meta_entry_finish(&e);
    } else if (p->type == EV_DELETE) {
        finish(m, p, ANSWER_NOT_EMPTY, out); /* nobody can say that it is */
    } else {
        finish(m, p, q->rec.state == QUEUE_STOPPED ? ANSWER_STOPPED : ANSWER_DOWN, out);
    }
}

void send_subscribe(struct mirror *m, struct queue *q, struct subscription *s, uint64_t req,
                    struct effects *out)
{
    sub_link(q, s);
    if (s->uid != q->rec.uid || s->generation != q->rec.generation)
        s->active = false; /* the new master chooses */
    s->uid = q->rec.uid;
    s->generation = q->rec.generation;
    struct peer_msg *msg = peer_msg_create(PEER_REQUEST, m->epoch);
    msg->uid = s->uid;
    msg->generation = s->generation;
    msg->version = m->version;
    msg->u.request.kind = REQUEST_SUBSCRIBE;
    msg->u.request.req = req;
    msg->u.request.owner = s->owner;
    msg->u.request.owner.node = m->o.self;
    msg->u.request.owner.incarnation = m->o.incarnation;
    msg->u.request.no_ack = s->no_ack;
    msg->u.request.exclusive = s->exclusive;
    msg->u.request.resume = req == 0;
    msg->u.request.sub = s->sub;
    msg->u.request.prefetch = s->prefetch;
    msg->u.request.window = LIMIT_DELIVERY_WINDOW;
    msg->u.request.priority = s->priority;
    to_master(m, q, msg, out);
}

static void ask_queue(struct mirror *m, struct queue *q, struct pending *p, struct effects *out)
{
    if (p->type != EV_UNSUBSCRIBE && locked(q, p)) {
        finish(m, p, ANSWER_LOCKED, out);
        return;
    }
    if (q->rec.state != QUEUE_RUNNING) {
        unavailable(m, q, p, out);
        return;
    }
    if (p->type == EV_DECLARE && !p->passive && !equivalent(q, p)) {
        finish(m, p, ANSWER_INEQUIVALENT, out);
        return;
    }
    if (q->stream)
        stream_flush(m, q, out); /* what was published before it comes before it */
    p->uid = q->rec.uid;
    p->generation = q->rec.generation;
    if (p->type == EV_SUBSCRIBE) {
        struct subscription *s = map_get_u64(&m->subs, p->sub);
        if (s)
            send_subscribe(m, q, s, p->id, out);
        return;
    }
    to_master(m, q, request(m, p, request_of(p->type)), out);
}

static void attempt(struct mirror *m, struct pending *p, struct effects *out)
{
    if (m->leave_sent || m->phase == PHASE_STOPPED) {
        finish(m, p, ANSWER_NOT_SERVING, out);
        return;
    }
    if (!serving(m))
        return; /* commands_retry comes back to it */
    if (p->entry.type) {
        submit_for(m, p, &p->entry);
        return;
    }
    if ((p->type == EV_DELETE || p->type == EV_PURGE) && p->uid && !queue_by_uid(m, p->uid)) {
        finish(m, p, ANSWER_OK,
               out); /* the queue it was meant for is gone; another of that name is not meant */
        return;
    }
    struct queue *q;
    if (p->type == EV_UNSUBSCRIBE) {
        struct subscription *s = map_get_u64(&m->subs, p->sub);
        q = s ? queue_by_uid(m, s->uid) : NULL;
        if (!q || q->rec.state != QUEUE_RUNNING) {
            sub_end(m, p->sub);
            finish(m, p, ANSWER_OK, out);
            return;
        }
    } else {
        q = map_get_str(&m->queues, p->name);
    }
    if (q)
        ask_queue(m, q, p, out);
    else if (p->type == EV_DECLARE && !p->passive && p->met < DECLARES_MOST)
        declare_new(m, p);
    else if (p->type == EV_DECLARE && !p->passive)
        finish(m, p, ANSWER_OK, out);
    else
        finish(m, p, ANSWER_NOT_FOUND, out);
}

/* After a view change, or the removal of a queue that somebody declares: what was asked of a master that is
 * no longer, or not asked yet, is asked (again) */
void commands_retry(struct mirror *m, struct effects *out)
{
    VEC(uint64_t) ids = {0};
    size_t at = 0;
    const struct pending *p;
    m->declares_wait = false;
    while ((p = map_next(&m->pending, &at)))
        if (!p->submitted)
            VEC_PUSH(&ids, p->id);
    for (size_t i = 0; i < ids.len; i++) {
        struct pending *again = map_get_u64(&m->pending, ids.items[i]);
        const struct queue *q = again ? queue_by_uid(m, again->uid) : NULL;
        bool asked = q && q->rec.generation == again->generation && q->rec.state == QUEUE_RUNNING;
        if (again && !asked)
            attempt(m, again, out);
        else if (again)
            m->declares_wait = m->declares_wait || again->type == EV_DECLARE;
    }
    VEC_FREE(&ids);
}

/* this node stops: nobody will answer them */
void commands_refuse(struct mirror *m, struct effects *out)
{
    size_t at = 0;
    struct pending *p;
    while ((p = map_next(&m->pending, &at)))
        finish(m, p, ANSWER_NOT_SERVING, out);
}

void commands_free(struct mirror *m)
{
    size_t at = 0;
    struct pending *p;
    while ((p = map_next(&m->pending, &at)))
        free_pending(m, p);
    map_finish(&m->pending);
    at = 0;
    struct subscription *s;
    while ((s = map_next(&m->subs, &at)))
        free(s);
    map_finish(&m->subs);
}

/* ---- answers ---- */

void command_submitted(struct mirror *m, uint64_t pending, enum answer_status status, struct effects *out)
{
    struct pending *p = map_get_u64(&m->pending, pending);
    if (!p)
        return;
    p->submitted = false;
    if (p->type == EV_DECLARE && status == ANSWER_EXISTS) {
        p->met++;
        attempt(m, p, out); /* somebody was faster: is it the same queue? */
    } else {
        finish(m, p, status, out);
    }
}

/* Some answers count if they come from the master that is asked now, and that is the queue's: only that one
 * knows who consumes, and hears what becomes of a message that was got. Else commands_retry asks it. */
static bool from_its_master(const struct mirror *m, const struct pending *p, const struct peer_msg *msg)
{
    const struct queue *q = queue_by_uid(m, msg->uid);
    return msg->uid == p->uid && msg->generation == p->generation &&
           (!q || (q->rec.state == QUEUE_RUNNING && q->rec.generation == msg->generation));
}

void handle_reply(struct mirror *m, const struct peer_msg *msg, struct effects *out)
{
    struct pending *p = map_get_u64(&m->pending, msg->u.reply.req);
    if (!p)
        return;
    /* of a get: a message that is to be acknowledged, and that there is none: the next one asked may find one
     */
    bool to_settle = p->type == EV_GET && !(msg->u.reply.msg && p->no_ack);
    if ((p->type == EV_SUBSCRIBE || p->type == EV_UNSUBSCRIBE || to_settle) && !from_its_master(m, p, msg))
        return;
    if (p->type == EV_DECLARE && !p->passive && msg->u.reply.status == ANSWER_NOT_FOUND) {
        p->met++;
        m->declares_wait = true; /* till the queue's removal comes here: then it is a new one */
        m->retry_wanted = m->retry_wanted || !queue_by_uid(m, msg->uid);
        return;
    }
    if (p->type == EV_SUBSCRIBE && !queue_by_uid(m, msg->uid)) { /* it was deleted meanwhile */
        finish(m, p, ANSWER_NOT_FOUND, out);
        return;
    }
    if (p->type == EV_SUBSCRIBE) {
        struct subscription *s = map_get_u64(&m->subs, p->sub);
        if (s && msg->u.reply.status == ANSWER_OK)
            s->established = true;
        else
            sub_end(m, p->sub);
    } else if (p->type == EV_UNSUBSCRIBE) {
        sub_end(m, p->sub);
    }
    struct effect *fx = effects_add(out, FX_ANSWER);
    fx->u.answer.req = p->req;
    fx->u.answer.status = msg->u.reply.status;
    fx->u.answer.messages = msg->u.reply.messages;
    fx->u.answer.consumers = msg->u.reply.consumers;
    if (msg->u.reply.msg) {
        fx->u.answer.msg = message_ref(msg->u.reply.msg);
        fx->u.answer.queue_uid = msg->uid;
        fx->u.answer.generation = msg->generation;
        fx->u.answer.id = msg->u.reply.id;
        fx->u.answer.redelivered = msg->u.reply.redelivered;
        const struct queue *q = queue_by_uid(m, msg->uid);
        if (q)
            trace_delivery(m, q, msg->u.reply.id, msg->u.reply.redelivered, 0);
    }
    free_pending(m, p);
}

/* generation: of the master that hands it out; 0: an earlier one, and nobody acknowledges it */
static void deliver_to_client(struct mirror *m, const struct queue *q, uint64_t generation,
                              const struct deliver_item *item, struct effects *out)
{
    struct effect *fx = effects_add(out, FX_DELIVER);
    fx->u.deliver.sub = item->sub;
    fx->u.deliver.queue_uid = q->rec.uid;
    fx->u.deliver.generation = generation;
    fx->u.deliver.id = item->id;
    fx->u.deliver.redelivered = item->redelivered;
    fx->u.deliver.msg = message_ref(item->msg);
    trace_delivery(m, q, item->id, item->redelivered, item->sub);
}

/* A delivery of an earlier master: it counts for a consumer that does not acknowledge, since that master has
 * removed the message; any other goes back to its place and comes again. */
void deliver_no_ack(struct mirror *m, const struct queue *q, const struct deliver_item *item,
                    struct effects *out)
{
    const struct subscription *s = map_get_u64(&m->subs, item->sub);
    if (s && s->uid == q->rec.uid && s->no_ack)
        deliver_to_client(m, q, 0, item, out);
}

void handle_deliver(struct mirror *m, struct queue *q, struct peer_msg *msg, struct effects *out)
{
    for (size_t i = 0; i < msg->u.deliver.items_len; i++) {
        const struct deliver_item *item = &msg->u.deliver.items[i];
        const struct subscription *s = map_get_u64(&m->subs, item->sub);
        if (s && s->uid == q->rec.uid) {
            deliver_to_client(m, q, q->rec.generation, item, out);
            continue;
        }
        /* nobody waits for it any more: back to its place */
        struct peer_msg *back = peer_msg_create(PEER_SETTLE, m->epoch);
        back->uid = q->rec.uid;
        back->generation = q->rec.generation;
        back->u.settle.sub = item->sub;
        back->u.settle.how = SETTLE_REQUEUE;
        back->u.settle.ids = xmalloc(sizeof(msg_id));
        back->u.settle.ids[0] = item->id;
        back->u.settle.ids_len = 1;
        to_master(m, q, back, out);
    }
}

/* ---- events ---- */

static struct pending *new_pending(struct mirror *m, const struct event *ev)
{
    struct pending *p = xcalloc(1, sizeof(*p));
    p->req = ev->req;
    p->id = ++m->next_id;
    p->type = ev->type;
    p->owner.node = NODE_NONE;
    map_set_u64(&m->pending, p->id, p);
    return p;
}

static void queue_command(struct mirror *m, const struct event *ev, struct effects *out)
{
    struct pending *p = new_pending(m, ev);
    p->name = xstrdup(ev->u.queue.name);
    p->passive = ev->u.queue.passive;
    p->durable = ev->u.queue.durable;
    p->exclusive = ev->u.queue.exclusive;
    p->auto_delete = ev->u.queue.auto_delete;
    p->owner = ev->u.queue.owner;
    p->if_unused = ev->u.queue.if_unused;
    p->if_empty = ev->u.queue.if_empty;
    p->no_ack = ev->u.queue.no_ack;
    if (ev->u.queue.args)
        queue_args_copy(&p->args, ev->u.queue.args);
    else
        queue_args_init(&p->args);
    attempt(m, p, out);
}

static void subscribe_command(struct mirror *m, const struct event *ev, struct effects *out)
{
    struct pending *p = new_pending(m, ev);
    p->sub = ev->u.sub.sub;
    p->owner = ev->u.sub.owner;
    if (ev->type == EV_SUBSCRIBE) {
        p->name = xstrdup(ev->u.sub.queue);
        struct subscription *s = xcalloc(1, sizeof(*s));
        s->sub = p->sub;
        s->no_ack = ev->u.sub.no_ack;
        s->exclusive = ev->u.sub.exclusive;
        s->cancel_on_failover = ev->u.sub.cancel_on_failover;
        s->prefetch = ev->u.sub.prefetch;
        s->priority = ev->u.sub.priority;
        s->owner = ev->u.sub.owner;
        ASSERT(!map_set_u64(&m->subs, s->sub, s));
    }
    attempt(m, p, out);
}

static void meta_command(struct mirror *m, const struct event *ev, enum meta_type type, struct effects *out)
{
    struct pending *p = new_pending(m, ev);
    meta_entry_init(&p->entry, type);
    struct meta_entry *e = &p->entry;
    if (type == META_POLICY || type == META_POLICY_REMOVE) {
        e->name = xstrdup(ev->u.policy.name);
        if (type == META_POLICY) {
            e->pattern = xstrdup(ev->u.policy.pattern);
            e->apply_to = xstrdup(ev->u.policy.apply_to ? ev->u.policy.apply_to : "all");
            e->definition = xstrdup(ev->u.policy.definition);
            e->priority = ev->u.policy.priority;
        }
    } else if (type == META_FORGET) {
        e->master = ev->u.forget.node;
    } else {
        e->key = (uint8_t *)xstrndup((const char *)ev->u.meta.key.data, ev->u.meta.key.len);
        e->key_len = (uint32_t)ev->u.meta.key.len;
        if (type == META_KEY) {
            e->value = (uint8_t *)xstrndup((const char *)ev->u.meta.value.data, ev->u.meta.value.len);
            e->value_len = (uint32_t)ev->u.meta.value.len;
            e->queue = ev->u.meta.queue ? xstrdup(ev->u.meta.queue) : NULL;
        }
        e->durable = ev->u.meta.durable;
        e->if_absent = ev->u.meta.if_absent;
        e->prefix = ev->u.meta.prefix;
    }
    attempt(m, p, out);
}

static void set_policy(struct mirror *m, const struct event *ev, struct effects *out)
{
    char *error = NULL;
    struct policy *p =
        policy_create(ev->u.policy.name, ev->u.policy.pattern, ev->u.policy.apply_to, ev->u.policy.definition,
                      ev->u.policy.priority, m->names, m->o.nodes_len, &error);
    if (!p) {
        struct effect *fx = effects_add(out, FX_ANSWER);
        fx->u.answer.req = ev->req;
        fx->u.answer.status = ANSWER_INVALID;
        fx->u.answer.text = error;
        return;
    }
    policy_destroy(p);
    meta_command(m, ev, META_POLICY, out);
}

static void owner_gone(struct mirror *m, const struct owner *owner)
{
    for (size_t i = 0; i < m->exclusive.len; i++) {
        const struct queue *q = m->exclusive.items[i];
        if (!same_owner(&q->rec.owner, owner))
            continue;
        struct submit *s = submit_create(META_QUEUE_REMOVE);
        s->entry.uid = q->rec.uid;
        submit_entry(m, s);
    }
}

/* a session message of this node to the queue's master; waits with the others while the view changes */
static void session(struct mirror *m, struct queue *q, struct peer_msg *msg, struct effects *out)
{
    if (serving(m) || q->rec.master != m->o.self)
        to_master(m, q, msg, out);
    else
        VEC_PUSH(&m->deferred, (struct held_msg){m->o.self, msg});
}

static void settle(struct mirror *m, const struct event *ev, struct effects *out)
{
    struct queue *q = queue_by_uid(m, ev->u.settle.queue_uid);
    if (!q || q->rec.generation != ev->u.settle.generation || q->rec.state != QUEUE_RUNNING)
        return;
    size_t most = m->o.batch_bytes / sizeof(msg_id); /* "multiple" may mean millions */
    for (size_t at = 0, n = 0; at < ev->u.settle.ids_len; at += n) {
        n = (size_t)u64_min(ev->u.settle.ids_len - at, most);
        struct peer_msg *msg = peer_msg_create(PEER_SETTLE, m->epoch);
        msg->uid = q->rec.uid;
        msg->generation = q->rec.generation;
        msg->u.settle.sub = ev->u.settle.sub;
        msg->u.settle.how = ev->u.settle.how;
        msg->u.settle.ids_len = n;
        msg->u.settle.ids = xmalloc(n * sizeof(msg_id));
        memcpy(msg->u.settle.ids, ev->u.settle.ids + at, n * sizeof(msg_id));
        session(m, q, msg, out);
    }
}

static void credit(struct mirror *m, const struct event *ev, struct effects *out)
{
    const struct subscription *s = map_get_u64(&m->subs, ev->u.sub.sub);
    struct queue *q = s ? queue_by_uid(m, s->uid) : NULL;
    if (!q || q->rec.generation != s->generation || q->rec.state != QUEUE_RUNNING)
        return;
    struct peer_msg *msg = peer_msg_create(PEER_CREDIT, m->epoch);
    msg->uid = q->rec.uid;
    msg->generation = q->rec.generation;
    msg->u.credit.sub = s->sub;
    msg->u.credit.credit = ev->u.sub.credit;
    session(m, q, msg, out);
}

void command(struct mirror *m, const struct event *ev, struct effects *out)
{
    switch (ev->type) {
    case EV_PUBLISH:
        stream_publish(m, ev->u.publish.queue, ev->u.publish.msg, ev->u.publish.cookie, out);
        break;
    case EV_SETTLE: settle(m, ev, out); break;
    case EV_CREDIT: credit(m, ev, out); break;
    case EV_DECLARE:
    case EV_DELETE:
    case EV_PURGE:
    case EV_GET:
    case EV_SYNC:
    case EV_CANCEL_SYNC: queue_command(m, ev, out); break;
    case EV_SUBSCRIBE:
    case EV_UNSUBSCRIBE: subscribe_command(m, ev, out); break;
    case EV_OWNER_GONE: owner_gone(m, &ev->u.queue.owner); break;
    case EV_SET_POLICY: set_policy(m, ev, out); break;
    case EV_CLEAR_POLICY: meta_command(m, ev, META_POLICY_REMOVE, out); break;
    case EV_META_PUT: meta_command(m, ev, META_KEY, out); break;
    case EV_META_DELETE: meta_command(m, ev, META_KEY_REMOVE, out); break;
    case EV_FORGET_NODE: meta_command(m, ev, META_FORGET, out); break;
    case EV_START:
    case EV_STOP:
    case EV_TICK:
    case EV_TURN_END:
    case EV_DISK_DONE:
    case EV_CLIENTS:
    case EV_MEMORY:
    case EV_PEER_UP:
    case EV_PEER_DOWN:
    case EV_PEER_MESSAGE:
    case EV_CLIENT_OPEN:
    case EV_CLIENT_DATA:
    case EV_CLIENT_DRAINED:
    case EV_CLIENT_CLOSED: break;
    }
}

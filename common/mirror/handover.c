/* handover.c: what an old master has promised when it hands over in order. Messages that it gave to consumers
 * that do not acknowledge (or to such a get) are removed from the queue, and wait in its outbox until the
 * mirrors know; the new view would lose them. They go with INSTALLED to the candidate and with SERVE to the
 * nodes whose clients they are for: before anything that the new master hands out. A crash loses them, as
 * RabbitMQ does: at most once. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

void leftovers_free(struct leftover *items, size_t len)
{
    for (size_t i = 0; i < len; i++)
        message_unref(items[i].msg);
    free(items);
}

void leftovers_clear(struct leftovers *l)
{
    leftovers_free(l->items, l->len);
    *l = (struct leftovers){0};
}

/* before the old master's state goes */
void handover_collect(struct mirror *m, struct queue *q)
{
    for (size_t i = 0; i < q->master->outbox.len; i++) {
        const struct outgoing *o = &RING_AT(&q->master->outbox, i);
        if (!o->msg || content_find(&q->content, o->id) || (!o->sub && !o->req))
            continue; /* it goes back to its place */
        VEC_PUSH(&m->leftovers, (struct leftover){.uid = q->rec.uid,
                                                  .node = o->node,
                                                  .sub = o->sub,
                                                  .req = o->req,
                                                  .id = o->id,
                                                  .messages = o->messages,
                                                  .redelivered = o->redelivered,
                                                  .msg = message_ref(o->msg)});
    }
}

#define ALL_SAID SIZE_MAX

/* The next part: references to those of all[*at ..] that are for `node` (NODE_NONE: any), a batch at most. The
 * last part may be empty, for it is said that all are there. */
static struct peer_msg *next_part(const struct mirror *m, enum peer_type type, uint64_t epoch,
                                  const struct leftovers *all, node_id node, size_t *at)
{
    if (*at == ALL_SAID)
        return NULL;
    struct leftovers its = {0};
    size_t bytes = 0;
    for (; *at < all->len && bytes < m->o.batch_bytes; (*at)++) {
        const struct leftover *l = &all->items[*at];
        if (node != NODE_NONE && l->node != node)
            continue;
        VEC_PUSH(&its, *l);
        bytes += message_size(message_ref(l->msg));
    }
    struct peer_msg *msg = peer_msg_create(type, epoch);
    msg->u.serve.items = its.items;
    msg->u.serve.items_len = its.len;
    msg->u.serve.more = *at < all->len;
    if (!msg->u.serve.more)
        *at = ALL_SAID;
    return msg;
}

/* they are kept until a view is served: its leader may die on the way */
struct peer_msg *installed_msg(const struct mirror *m, size_t *at)
{
    return next_part(m, PEER_INSTALLED, m->epoch, &m->leftovers, NODE_NONE, at);
}

struct peer_msg *serve_msg(const struct mirror *m, node_id to, size_t *at)
{
    return next_part(m, PEER_SERVE, m->change.epoch, &m->change.leftovers, to, at);
}

void handover_gather(struct leftovers *to, const struct peer_msg *part)
{
    for (size_t i = 0; i < part->u.serve.items_len; i++) {
        VEC_PUSH(to, part->u.serve.items[i]);
        message_ref(part->u.serve.items[i].msg);
    }
}

/* Deliveries that the old master had sent, and that came during the change: before those it had not sent. */
static void deliver_deferred(struct mirror *m, struct effects *out)
{
    for (size_t i = 0; i < m->deferred.len; i++) {
        struct peer_msg *msg = m->deferred.items[i].msg;
        const struct queue *q = msg->type == PEER_DELIVER ? queue_by_uid(m, msg->uid) : NULL;
        if (!q || msg->generation >= q->rec.generation)
            continue;
        for (size_t k = 0; k < msg->u.deliver.items_len; k++)
            deliver_no_ack(m, q, &msg->u.deliver.items[k], out);
        msg->uid = 0; /* done */
    }
}

/* On the node whose clients they are for, before it serves. */
void handover_deliver(struct mirror *m, const struct leftovers *all, struct effects *out)
{
    deliver_deferred(m, out);
    for (size_t i = 0; i < all->len; i++) {
        const struct leftover *l = &all->items[i];
        const struct queue *q = queue_by_uid(m, l->uid);
        if (l->node != m->o.self || !q)
            continue;
        struct peer_msg reply = {.type = PEER_REPLY, .uid = l->uid, .generation = q->rec.generation};
        reply.u.reply.req = l->req;
        reply.u.reply.status = ANSWER_OK;
        reply.u.reply.messages = l->messages;
        reply.u.reply.id = l->id;
        reply.u.reply.redelivered = l->redelivered;
        reply.u.reply.msg = l->msg;
        if (l->sub)
            deliver_no_ack(m, q, &(struct deliver_item){l->sub, l->id, l->redelivered, l->msg}, out);
        else
            handle_reply(m, &reply, out);
    }
}

/* stream.c: the node a publisher is connected to. It numbers the publishes to each queue, keeps them until
 * they are confirmed and offers them again to a new master, which knows from the numbers what it already has:
 * a failover costs the publisher a pause, not an error. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

static void confirm_one(struct effects *out, uint64_t cookie, enum confirm how)
{
    if (!cookie)
        return;
    struct effect *fx = effects_add(out, FX_CONFIRM);
    fx->u.confirm.cookie = cookie;
    fx->u.confirm.how = how;
}

void stream_publish(struct mirror *m, struct queue *q, struct message *msg, uint64_t cookie,
                    struct effects *out)
{
    if (q->rec.state != QUEUE_RUNNING) { /* unroutable, as RabbitMQ has it: confirmed and gone */
        confirm_one(out, cookie, CONFIRM_ACK);
        return;
    }
    if (!q->stream) {
        q->stream = xcalloc(1, sizeof(*q->stream));
        q->stream->base = q->stream->offered = 1;
    }
    struct stream *s = q->stream;
    RING_PUSH(&s->pending, (struct unconfirmed){message_ref(msg), cookie});
    s->bytes += message_size(msg);
    trace_publish(m, q, TRACE_ACCEPTED, s->base + s->pending.len - 1, NODE_NONE, m->o.incarnation, 0);
    if (s->pending.len >= LIMIT_UNCONFIRMED_MESSAGES || s->bytes >= LIMIT_UNCONFIRMED_BYTES)
        s->blocked = true;
    queue_touch(m, q);
}

/* what was not offered to the present master yet goes to it */
void stream_flush(struct mirror *m, struct queue *q, struct effects *out)
{
    struct stream *s = q->stream;
    if (!serving(m) || q->rec.state != QUEUE_RUNNING)
        return;
    uint64_t end = s->base + s->pending.len;
    if (q->rec.master == m->o.self && q->role == ROLE_MASTER) {
        if (q->master->sync.running)
            return; /* the queue waits */
        for (; s->offered < end; s->offered++)
            master_publish(m, q, m->o.self, m->o.incarnation, s->base, s->offered,
                           RING_AT(&s->pending, s->offered - s->base).msg, out);
        return;
    }
    while (s->offered < end) {
        struct peer_msg *msg = peer_msg_create(PEER_PUBLISH, m->epoch);
        msg->uid = q->rec.uid;
        msg->generation = q->rec.generation;
        msg->u.publish.incarnation = m->o.incarnation;
        msg->version = m->version;
        msg->u.publish.base = s->base;
        msg->u.publish.first = s->offered;
        size_t n = (size_t)u64_min(end - s->offered, LIMIT_BATCH_MESSAGES), bytes = 0;
        msg->u.publish.msgs = xmalloc(n * sizeof(struct message *));
        while (msg->u.publish.msgs_len < n && bytes < m->o.batch_bytes) {
            struct message *next = RING_AT(&s->pending, s->offered++ - s->base).msg;
            msg->u.publish.msgs[msg->u.publish.msgs_len++] = message_ref(next);
            bytes += message_size(next);
        }
        send_to(out, node_bit(q->rec.master), msg);
    }
}

static void maybe_open(struct queue *q, struct effects *out)
{
    struct stream *s = q->stream;
    if (!s->blocked || s->pending.len > LIMIT_UNCONFIRMED_MESSAGES / 2 ||
        s->bytes > LIMIT_UNCONFIRMED_BYTES / 2)
        return;
    s->blocked = false;
    struct effect *fx = effects_add(out, FX_QUEUE_OPEN);
    fx->u.queue.name = xstrdup(q->rec.name);
    fx->u.queue.uid = q->rec.uid;
}

static void pop(struct stream *s)
{
    struct unconfirmed *u = &RING_AT(&s->pending, 0);
    s->bytes -= message_size(u->msg);
    message_unref(u->msg);
    RING_POP(&s->pending);
    s->base++;
}

void stream_confirm(struct mirror *m, struct queue *q, uint64_t upto, uint64_t lost, const uint64_t *rejected,
                    size_t rejected_len, struct effects *out)
{
    struct stream *s = q->stream;
    if (!s)
        return;
    size_t r = 0;
    while (s->pending.len && s->base <= upto) {
        while (r < rejected_len && rejected[r] < s->base)
            r++;
        bool no = s->base <= lost;
        no = no || (r < rejected_len && rejected[r] == s->base);
        if (RING_AT(&s->pending, 0).cookie) /* it asked to be told */
            trace_publish(m, q, no ? TRACE_REFUSED : TRACE_CONFIRMED, s->base, NODE_NONE, m->o.incarnation,
                          0);
        confirm_one(out, RING_AT(&s->pending, 0).cookie, no ? CONFIRM_NACK : CONFIRM_ACK);
        pop(s);
    }
    s->offered = u64_max(s->offered, s->base);
    maybe_open(q, out);
}

/* the queue is gone or cannot be reached: everything unconfirmed ends this way */
void stream_end(struct mirror *m, struct queue *q, enum confirm how, struct effects *out)
{
    if (!q->stream)
        return;
    while (q->stream->pending.len) {
        if (RING_AT(&q->stream->pending, 0).cookie)
            trace_publish(m, q, how == CONFIRM_NACK ? TRACE_REFUSED : TRACE_CONFIRMED, q->stream->base,
                          NODE_NONE, m->o.incarnation, 0);
        confirm_one(out, RING_AT(&q->stream->pending, 0).cookie, how);
        pop(q->stream);
    }
    q->stream->offered = q->stream->base;
    maybe_open(q, out);
}

void handle_publish(struct mirror *m, struct queue *q, node_id from, const struct peer_msg *msg,
                    struct effects *out)
{
    for (size_t i = 0; i < msg->u.publish.msgs_len; i++)
        master_publish(m, q, from, msg->u.publish.incarnation, msg->u.publish.base, msg->u.publish.first + i,
                       msg->u.publish.msgs[i], out);
}

bool streams_empty(const struct mirror *m)
{
    size_t at = 0;
    const struct queue *q;
    while ((q = map_next(&m->queues, &at)))
        if (q->stream && q->stream->pending.len)
            return false;
    return true;
}

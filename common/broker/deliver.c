/* deliver.c: from a queue to a client: a tag, a place among the unsettled, three frames. What the client's
 * socket has taken earns the queue credit for more, so that a slow reader holds back its own deliveries and
 * nobody's memory.
 *
 * basic.qos with global=true limits a channel as a whole, which a queue cannot see: what is over the limit is
 * held back here, in order, until the channel settles something. */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

static void put_back(struct broker *b, uint64_t queue_uid, uint64_t generation, uint64_t sub, msg_id id)
{
    struct event ev = {.type = EV_SETTLE};
    ev.u.settle.queue_uid = queue_uid;
    ev.u.settle.generation = generation;
    ev.u.settle.sub = sub;
    ev.u.settle.how = SETTLE_REQUEUE;
    ev.u.settle.ids = &id;
    ev.u.settle.ids_len = 1;
    broker_command(b, &ev);
}

static void send_delivery(struct consumer *k, const struct held_delivery *d)
{
    struct channel *ch = k->channel;
    struct connection *c = ch->conn;
    struct broker *b = c->broker;
    uint64_t tag = ++ch->next_tag;
    if (k->no_ack) {
        b->totals.delivered_no_ack++;
    } else {
        b->totals.delivered++;
        unacked_add(&ch->unacked, (struct unacked_item){.tag = tag,
                                                        .queue_uid = d->queue_uid,
                                                        .generation = d->generation,
                                                        .sub = d->sub,
                                                        .id = d->id});
    }
    if (d->redelivered)
        b->totals.redelivered++;
    wire_put_deliver(&c->out, ch->number, bytes_of(k->tag, k->tag_len), tag, d->redelivered,
                     message_exchange(d->msg), message_key(d->msg));
    c->frames_out++;
    output_message(c, ch->number, d->msg);
    output_check(c);
    connection_touch(c);
    /* a quarter of the window at a time: one command for many deliveries */
    if (++k->owed >= LIMIT_DELIVERY_WINDOW / 4 && !k->listed) {
        k->listed = true;
        VEC_PUSH(&c->creditors, k);
    }
}

static bool over_global_limit(const struct channel *ch)
{
    return ch->global_prefetch && ch->unacked.live_delivered >= ch->global_prefetch;
}

void deliver(struct broker *b, struct effect *fx)
{
    struct held_delivery d = {
        .sub = fx->u.deliver.sub,
        .queue_uid = fx->u.deliver.queue_uid,
        .generation = fx->u.deliver.generation,
        .id = fx->u.deliver.id,
        .redelivered = fx->u.deliver.redelivered,
        .msg = fx->u.deliver.msg,
    };
    struct consumer *k = map_get_u64(&b->subs, d.sub);
    if (!k) { /* it was cancelled while this was on its way */
        put_back(b, d.queue_uid, d.generation, d.sub, d.id);
        return;
    }
    struct channel *ch = k->channel;
    if (!k->no_ack && (over_global_limit(ch) || ch->held_back.len > ch->held_back_at)) {
        message_ref(d.msg);
        VEC_PUSH(&ch->held_back, d);
        return;
    }
    send_delivery(k, &d);
}

void deliver_held_back(struct channel *ch)
{
    struct broker *b = ch->conn->broker;
    while (ch->held_back_at < ch->held_back.len && !over_global_limit(ch)) {
        struct held_delivery d = ch->held_back.items[ch->held_back_at++];
        send_delivery(map_get_u64(&b->subs, d.sub), &d); /* a consumer that ends takes its own out of here */
        message_unref(d.msg);
    }
    if (ch->held_back_at == ch->held_back.len)
        ch->held_back.len = ch->held_back_at = 0;
}

void deliver_forget(struct channel *ch, uint64_t sub)
{
    struct broker *b = ch->conn->broker;
    size_t kept = ch->held_back_at;
    for (size_t i = ch->held_back_at; i < ch->held_back.len; i++) {
        struct held_delivery *d = &ch->held_back.items[i];
        if (d->sub == sub) {
            put_back(b, d->queue_uid, d->generation, d->sub, d->id);
            message_unref(d->msg);
        } else {
            ch->held_back.items[kept++] = *d;
        }
    }
    ch->held_back.len = kept;
}

void deliver_give_credit(struct connection *c)
{
    if (c->unsent > BROKER_OUT_CHOKED)
        return;
    for (size_t i = 0; i < c->creditors.len; i++) {
        struct consumer *k = c->creditors.items[i];
        struct event ev = {.type = EV_CREDIT};
        ev.u.sub.queue = k->queue;
        ev.u.sub.sub = k->sub;
        ev.u.sub.credit = k->owed;
        k->owed = 0;
        k->listed = false;
        broker_command(c->broker, &ev);
    }
    c->creditors.len = 0;
}

/* settle.c: basic.ack, nack, reject and recover. What a client settles in one turn goes to the library in
 * groups: one command for each queue, consumer and kind. */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

static void send_batch(struct broker *b, struct settle_batch *s)
{
    if (s->ids.len == 0)
        return;
    struct event ev = {.type = EV_SETTLE};
    ev.u.settle.queue_uid = s->queue_uid;
    ev.u.settle.generation = s->generation;
    ev.u.settle.sub = s->sub;
    ev.u.settle.how = s->how;
    ev.u.settle.ids = s->ids.items;
    ev.u.settle.ids_len = s->ids.len;
    broker_command(b, &ev);
    s->ids.len = 0;
}

void settle_flush(struct channel *ch)
{
    for (size_t i = 0; i < ch->settling.len; i++)
        send_batch(ch->conn->broker, &ch->settling.items[i]);
}

static struct settle_batch *batch_for(struct channel *ch, const struct unacked_item *item, enum settle how)
{
    struct settle_batch *idle = NULL;
    for (size_t i = 0; i < ch->settling.len; i++) {
        struct settle_batch *s = &ch->settling.items[i];
        if (s->queue_uid == item->queue_uid && s->sub == item->sub && s->generation == item->generation &&
            s->how == how)
            return s;
        if (s->ids.len == 0)
            idle = s;
    }
    if (!idle && ch->settling.len < BROKER_SETTLE_BATCHES) {
        VEC_PUSH(&ch->settling, (struct settle_batch){0});
        idle = &ch->settling.items[ch->settling.len - 1];
    }
    if (!idle) {
        settle_flush(ch);
        idle = &ch->settling.items[0];
    }
    idle->queue_uid = item->queue_uid;
    idle->generation = item->generation;
    idle->sub = item->sub;
    idle->how = how;
    return idle;
}

static void settle_one(struct channel *ch, struct unacked_item *item, enum settle how)
{
    struct settle_batch *s = batch_for(ch, item, how);
    VEC_PUSH(&s->ids, item->id);
    unacked_remove(&ch->unacked, item);
    if (how == SETTLE_ACK)
        ch->conn->broker->totals.acked++;
}

void settle_all(struct channel *ch, enum settle how)
{
    struct unacked_item *item;
    while ((item = unacked_first(&ch->unacked)))
        settle_one(ch, item, how);
}

void settle_method(struct channel *ch, uint32_t method, struct bytes arguments)
{
    struct wire_ack a;
    if (wire_get_ack(method, arguments, &a) != 0) {
        channel_fail(ch, REPLY_FRAME_ERROR, method, "cannot decode arguments");
        return;
    }
    enum settle how = SETTLE_ACK;
    if (method != AMQP_BASIC_ACK_METHOD)
        how = a.requeue ? SETTLE_REQUEUE : SETTLE_DISCARD;
    if (a.multiple && a.tag == 0) { /* all of them, be there any or not (AMQP 1.8.3.13) */
        settle_all(ch, how);
    } else {
        struct unacked_item *item = unacked_find(&ch->unacked, a.tag);
        if (!item) {
            channel_fail(ch, REPLY_PRECONDITION_FAILED, method, "unknown delivery tag %llu",
                         (unsigned long long)a.tag);
            return;
        }
        struct unacked_item *first;
        if (a.multiple)
            while ((first = unacked_first(&ch->unacked)) && first->tag < a.tag)
                settle_one(ch, first, how);
        settle_one(ch, item, how);
    }
    channel_touch(ch);
    if (ch->held_back.len)
        deliver_held_back(ch);
}

void settle_recover(struct channel *ch, uint32_t method, bool requeue)
{
    if (!requeue) {
        channel_fail(ch, REPLY_NOT_IMPLEMENTED, method, "requeue=false");
        return;
    }
    settle_all(ch, SETTLE_REQUEUE);
    settle_flush(ch);
    if (method == AMQP_BASIC_RECOVER_METHOD)
        wire_put_method(&ch->conn->out, ch->number, AMQP_BASIC_RECOVER_OK_METHOD,
                        &(amqp_basic_recover_ok_t){0});
    channel_touch(ch);
    deliver_held_back(ch);
}

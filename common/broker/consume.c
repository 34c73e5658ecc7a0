/* consume.c: basic.consume, cancel and get: consumers come and go. */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

/* ---- consumers ---- */

void consumer_end(struct consumer *k)
{
    struct channel *ch = k->channel;
    struct connection *c = ch->conn;
    if (k->listed)
        for (size_t i = 0; i < c->creditors.len; i++)
            if (c->creditors.items[i] == k)
                VEC_REMOVE(&c->creditors, i--);
    deliver_forget(ch, k->sub);
    map_remove(&ch->consumers, bytes_of(k->tag, k->tag_len));
    map_remove_u64(&c->broker->subs, k->sub);
    free(k->tag);
    free(k->queue);
    free(k->arguments);
    free(k);
}

void consumer_unsubscribe(struct broker *b, struct consumer *k)
{
    struct event ev = {.type = EV_UNSUBSCRIBE};
    ev.u.sub.queue = k->queue;
    ev.u.sub.sub = k->sub;
    broker_command(b, &ev);
}

void consumer_cancelled(struct broker *b, uint64_t sub)
{
    struct consumer *k = map_get_u64(&b->subs, sub);
    if (!k)
        return;
    struct channel *ch = k->channel;
    struct connection *c = ch->conn;
    if (k->running && c->cancel_notify)
        wire_put_method(&c->out, ch->number, AMQP_BASIC_CANCEL_METHOD,
                        &(amqp_basic_cancel_t){
                            .consumer_tag = {.len = k->tag_len, .bytes = k->tag},
                            .nowait = 1,
                        });
    connection_touch(c);
    consumer_end(k);
}

static struct failure consume_arguments(const amqp_table_t *t, const char *queue, int32_t *priority,
                                        bool *cancel)
{
    int64_t v = 0;
    struct failure f = integer_argument(t, "x-priority", queue, &v);
    *priority = v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
    const amqp_field_value_t *c = wire_table_find(t, "x-cancel-on-ha-failover");
    *cancel = c && c->kind == AMQP_FIELD_KIND_BOOLEAN && c->value.boolean;
    if (!f.text && c && c->kind != AMQP_FIELD_KIND_BOOLEAN)
        f = failure_of(
            REPLY_PRECONDITION_FAILED,
            "invalid arg 'x-cancel-on-ha-failover' for queue '%s' in vhost '/': {unacceptable_type,%s}",
            queue, wire_type_name(c->kind));
    if (!f.text && wire_table_find(t, "x-stream-offset"))
        f = wrong_type_of_queue("x-stream-offset", queue);
    return f;
}

/* A global limit holds for each consumer too: the queue then hands out less that would only be held back
 * here. */
static uint32_t prefetch_of(const struct channel *ch)
{
    if (ch->global_prefetch && (ch->prefetch == 0 || ch->prefetch > ch->global_prefetch))
        return ch->global_prefetch;
    return ch->prefetch;
}

static void subscribe(struct channel *ch, const amqp_basic_consume_t *m, const char *queue, char *tag,
                      size_t tag_len, int32_t priority, bool cancel)
{
    struct broker *b = ch->conn->broker;
    struct consumer *k = xcalloc(1, sizeof(*k));
    k->channel = ch;
    k->tag = tag;
    k->tag_len = tag_len;
    k->queue = xstrdup(queue);
    k->arguments = wire_table_text(&m->arguments);
    k->sub = ++b->next_sub;
    k->no_ack = m->no_ack;
    k->exclusive = m->exclusive;
    k->prefetch = m->no_ack ? 0 : ch->prefetch;
    map_set(&ch->consumers, bytes_of(tag, tag_len), k);
    map_set_u64(&b->subs, k->sub, k);
    struct op *op = op_begin(ch, OP_CONSUME, AMQP_BASIC_CONSUME_METHOD, queue);
    op->sub = k->sub;
    op->nowait = m->nowait;
    struct event ev = {.type = EV_SUBSCRIBE};
    ev.u.sub.queue = op->name;
    ev.u.sub.sub = k->sub;
    ev.u.sub.no_ack = m->no_ack;
    ev.u.sub.exclusive = m->exclusive;
    ev.u.sub.cancel_on_failover = cancel;
    ev.u.sub.prefetch = m->no_ack ? 0 : prefetch_of(ch);
    ev.u.sub.priority = priority;
    ev.u.sub.credit = LIMIT_DELIVERY_WINDOW;
    ev.u.sub.owner = op->owner;
    op_send(b, op, &ev);
}

static void consume(struct channel *ch, const amqp_basic_consume_t *m)
{
    struct broker *b = ch->conn->broker;
    const uint32_t method = AMQP_BASIC_CONSUME_METHOD;
    char *queue = queue_name_of(ch, m->queue, method);
    if (!queue)
        return;
    struct bytes tag = bytes_amqp(m->consumer_tag);
    int32_t priority = 0;
    bool cancel = false;
    struct failure f = {0};
    if (tag.len && map_get(&ch->consumers, tag))
        f = failure_of(REPLY_NOT_ALLOWED, "attempt to reuse consumer tag '%.*s'", (int)tag.len,
                       (const char *)tag.data);
    else if (ch->consumers.count >= BROKER_CONSUMERS)
        f = failure_of(REPLY_RESOURCE_ERROR, "a channel has at most %u consumers", BROKER_CONSUMERS);
    else if (!wire_is_text(tag))
        f = failure_of(REPLY_NOT_ALLOWED, "a consumer tag is UTF-8 without zero octets");
    else if (queue_open(ch, queue, method)) /* whether it is there comes before what was asked of it */
        f = consume_arguments(&m->arguments, queue, &priority, &cancel);
    if (f.text) {
        channel_fail(ch, f.code, method, "%s", f.text);
        free(f.text);
    } else if (ch->state == CHANNEL_OPEN) {
        char *own = tag.len ? xstrndup((const char *)tag.data, tag.len) : make_name(b, "amq.ctag-");
        subscribe(ch, m, queue, own, strlen(own), priority, cancel);
    }
    free(queue);
}

static void consume_done(struct broker *b, struct op *op, struct effect *answer)
{
    struct channel *ch = op->channel;
    struct consumer *k = map_get_u64(&b->subs, op->sub);
    struct failure f = answer_failure(b, answer->u.answer.status, op->name, answer->u.answer.text);
    if (f.text) {
        if (k)
            consumer_end(k);
        op_fail(b, op, f);
        return;
    }
    if (ch && k) {
        k->running = true;
        if (!op->nowait)
            wire_put_method(&ch->conn->out, ch->number, AMQP_BASIC_CONSUME_OK_METHOD,
                            &(amqp_basic_consume_ok_t){.consumer_tag = {.len = k->tag_len, .bytes = k->tag}});
    }
    op_finish(b, op);
}

static void cancel_ok(struct channel *ch, amqp_bytes_t tag)
{
    wire_put_method(&ch->conn->out, ch->number, AMQP_BASIC_CANCEL_OK_METHOD,
                    &(amqp_basic_cancel_ok_t){.consumer_tag = tag});
}

static void cancel(struct channel *ch, const amqp_basic_cancel_t *m)
{
    struct broker *b = ch->conn->broker;
    struct consumer *k = map_get(&ch->consumers, bytes_amqp(m->consumer_tag));
    if (!k) {
        if (!m->nowait)
            cancel_ok(ch, m->consumer_tag);
        return;
    }
    struct op *op = op_begin(ch, OP_CANCEL, AMQP_BASIC_CANCEL_METHOD, k->tag);
    op->sub = k->sub;
    op->nowait = m->nowait;
    struct event ev = {.type = EV_UNSUBSCRIBE};
    ev.u.sub.queue = k->queue;
    ev.u.sub.sub = k->sub;
    op_send(b, op, &ev);
}

static void cancel_done(struct broker *b, struct op *op)
{
    struct consumer *k = map_get_u64(&b->subs, op->sub);
    if (k)
        consumer_end(k);
    if (op->channel && !op->nowait)
        cancel_ok(op->channel, amqp_text(op->name));
    op_finish(b, op);
}

/* ---- get ---- */

static void get(struct channel *ch, const amqp_basic_get_t *m)
{
    char *queue = queue_name_of(ch, m->queue, AMQP_BASIC_GET_METHOD);
    if (!queue)
        return;
    struct op *op = op_begin(ch, OP_GET, AMQP_BASIC_GET_METHOD, queue);
    op->no_ack = m->no_ack;
    struct event ev = {.type = EV_GET};
    ev.u.queue.name = op->name;
    ev.u.queue.no_ack = m->no_ack;
    ev.u.queue.owner = op->owner;
    op_send(ch->conn->broker, op, &ev);
    free(queue);
}

static void put_back(struct broker *b, const struct effect *answer)
{
    struct event ev = {.type = EV_SETTLE};
    ev.u.settle.queue_uid = answer->u.answer.queue_uid;
    ev.u.settle.generation = answer->u.answer.generation;
    ev.u.settle.how = SETTLE_REQUEUE;
    ev.u.settle.ids = &answer->u.answer.id;
    ev.u.settle.ids_len = 1;
    broker_command(b, &ev);
}

static void get_done(struct broker *b, struct op *op, struct effect *answer)
{
    struct channel *ch = op->channel;
    struct failure f = answer_failure(b, answer->u.answer.status, op->name, answer->u.answer.text);
    if (f.text) {
        op_fail(b, op, f);
        return;
    }
    struct message *m = answer->u.answer.msg;
    if (!ch) {
        if (m && !op->no_ack)
            put_back(b, answer);
    } else if (answer->u.answer.status == ANSWER_EMPTY) {
        b->totals.got_empty++;
        wire_put_method(&ch->conn->out, ch->number, AMQP_BASIC_GET_EMPTY_METHOD,
                        &(amqp_basic_get_empty_t){0});
    } else {
        uint64_t tag = ++ch->next_tag;
        if (op->no_ack) {
            b->totals.got_no_ack++;
        } else {
            b->totals.got++;
            unacked_add(&ch->unacked, (struct unacked_item){.tag = tag,
                                                            .queue_uid = answer->u.answer.queue_uid,
                                                            .generation = answer->u.answer.generation,
                                                            .id = answer->u.answer.id});
        }
        if (answer->u.answer.redelivered)
            b->totals.redelivered++;
        wire_put_get_ok(&ch->conn->out, ch->number, tag, answer->u.answer.redelivered, message_exchange(m),
                        message_key(m), (uint32_t)u64_min(answer->u.answer.messages, UINT32_MAX));
        ch->conn->frames_out++;
        output_message(ch->conn, ch->number, m);
        output_check(ch->conn);
    }
    op_finish(b, op);
}

void consume_answer(struct broker *b, struct op *op, struct effect *answer)
{
    if (op->type == OP_CONSUME)
        consume_done(b, op, answer);
    else if (op->type == OP_CANCEL)
        cancel_done(b, op);
    else
        get_done(b, op, answer);
}

void consume_method(struct channel *ch, uint32_t method, void *decoded)
{
    if (method == AMQP_BASIC_CONSUME_METHOD)
        consume(ch, decoded);
    else if (method == AMQP_BASIC_CANCEL_METHOD)
        cancel(ch, decoded);
    else
        get(ch, decoded);
}

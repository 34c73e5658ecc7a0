/* queue.c: class queue: declare, bind, unbind, purge, delete (AMQP 1.7), and the names queues may have. */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

/* prefix and 22 letters of base64url: 132 bits, as RabbitMQ's */
char *make_name(struct broker *b, const char *prefix)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct text t = {0};
    text_add(&t, prefix);
    for (int i = 0; i < 22; i++)
        text_add_bytes(&t, &letters[rng_below(&b->rng, 64)], 1);
    return t.s;
}

/* The queue a method names; an empty name is the channel's last declared one. The caller's to free. */
char *queue_name_of(struct channel *ch, amqp_bytes_t name, uint32_t method)
{
    if (name.len == 0) {
        if (ch->last_queue)
            return xstrdup(ch->last_queue);
        channel_fail(ch, REPLY_NOT_FOUND, method, "no previously declared queue");
        return NULL;
    }
    /* a name that could not be declared is not there either: cut at a zero octet, it must not hit another */
    if (!wire_is_text(bytes_amqp(name))) {
        channel_fail(ch, REPLY_NOT_FOUND, method, "no queue of a name that is not UTF-8 in vhost '/'");
        return NULL;
    }
    return xstrndup(name.bytes, name.len);
}

struct queue *queue_open(struct channel *ch, const char *name, uint32_t method)
{
    struct broker *b = ch->conn->broker;
    struct queue *q = mirror_find_queue(b->mirror, name);
    struct queue_info info = {.owner = {.node = NODE_NONE}};
    if (q)
        mirror_queue_info(b->mirror, q, &info);
    struct owner me = connection_owner(ch->conn);
    enum answer_status status = ANSWER_OK;
    if (!q)
        status = ANSWER_NOT_FOUND;
    else if (info.owner.node != NODE_NONE &&
             (info.owner.node != me.node || info.owner.incarnation != me.incarnation ||
              info.owner.connection != me.connection))
        status = ANSWER_LOCKED;
    else if (info.state == QUEUE_STOPPED)
        status = ANSWER_STOPPED;
    else if (info.state == QUEUE_DOWN)
        status = ANSWER_DOWN;
    struct failure f = answer_failure(b, status, name, NULL);
    if (!f.text)
        return q;
    channel_fail(ch, f.code, method, "%s", f.text);
    free(f.text);
    return NULL;
}

/* ---- declare ---- */

static void declare_ok(struct channel *ch, const char *name, uint64_t messages, uint64_t consumers)
{
    wire_put_method(&ch->conn->out, ch->number, AMQP_QUEUE_DECLARE_OK_METHOD,
                    &(amqp_queue_declare_ok_t){.queue = amqp_text(name),
                                               .message_count = (uint32_t)u64_min(messages, UINT32_MAX),
                                               .consumer_count = (uint32_t)u64_min(consumers, UINT32_MAX)});
}

/* RabbitMQ drops line ends out of declared names */
static char *clean_name(amqp_bytes_t given)
{
    char *name = xmalloc(given.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < given.len; i++) {
        char letter = ((const char *)given.bytes)[i];
        if (letter != '\r' && letter != '\n')
            name[len++] = letter;
    }
    name[len] = '\0';
    return name;
}

static void send_declare(struct broker *b, struct op *op, bool passive)
{
    struct event ev = {.type = EV_DECLARE};
    ev.u.queue.name = op->name;
    ev.u.queue.passive = passive;
    ev.u.queue.durable = op->durable;
    ev.u.queue.exclusive = op->exclusive;
    ev.u.queue.auto_delete = op->auto_delete;
    ev.u.queue.args = passive ? NULL : &op->args;
    ev.u.queue.owner = op->owner;
    op_send(b, op, &ev);
}

static void declare(struct channel *ch, const amqp_queue_declare_t *d)
{
    struct broker *b = ch->conn->broker;
    if (!wire_is_text(bytes_amqp(d->queue))) {
        channel_fail(ch, REPLY_PRECONDITION_FAILED, AMQP_QUEUE_DECLARE_METHOD,
                     "a queue's name is UTF-8 without zero octets");
        return;
    }
    char *name = clean_name(d->queue);
    bool made_up = !*name && !d->passive;
    if (made_up) {
        free(name);
        name = make_name(b, "amq.gen-");
    }
    struct failure f = {0};
    bool compare = false;
    struct queue_args args;
    queue_args_init(&args);
    if (d->passive) {
        if (!*name)
            f = failure_of(REPLY_NOT_FOUND, "no queue '' in vhost '/'");
    } else if (!made_up && strncmp(name, "amq.", 4) == 0 && !mirror_find_queue(b->mirror, name)) {
        f = failure_of(REPLY_ACCESS_REFUSED, "queue name '%s' contains reserved prefix 'amq.*'", name);
    } else {
        f = queue_args_parse(&args, &d->arguments, name);
        /* with a queue that is there they are compared first, and what is the same is not looked at */
        compare = f.text && mirror_find_queue(b->mirror, name);
        if (compare) {
            free(f.text);
            f.text = NULL;
        }
    }
    if (f.text) {
        channel_fail(ch, f.code, AMQP_QUEUE_DECLARE_METHOD, "%s", f.text);
        free(f.text);
        queue_args_finish(&args);
    } else {
        struct op *op = op_begin(ch, d->passive ? OP_REDECLARE : OP_DECLARE, AMQP_QUEUE_DECLARE_METHOD, name);
        queue_args_finish(&op->args);
        op->args = args;
        op->durable = d->durable;
        op->exclusive = d->exclusive;
        op->auto_delete = d->auto_delete;
        op->nowait = d->nowait;
        op->creates = !d->passive && !mirror_find_queue(b->mirror, name);
        op->compare = compare;
        send_declare(b, op, d->passive || compare);
    }
    free(name);
}

static const char *truth(bool v)
{
    return v ? "true" : "false";
}

/* What RabbitMQ says of a queue that is there with other properties; text NULL if it would not mind: of the
 * arguments it compares only those it knows. */
static struct failure declared_otherwise(struct broker *b, const struct op *op)
{
    struct queue *q = mirror_find_queue(b->mirror, op->name);
    if (!q)
        return answer_failure(b, ANSWER_NOT_FOUND, op->name, NULL);
    struct queue_info info;
    mirror_queue_info(b->mirror, q, &info);
    static const char *const form =
        "inequivalent arg '%s' for queue '%s' in vhost '/': received '%s' but current is '%s'";
    if (info.durable != op->durable)
        return failure_of(REPLY_PRECONDITION_FAILED, form, "durable", op->name, truth(op->durable),
                          truth(info.durable));
    if (info.auto_delete != op->auto_delete)
        return failure_of(REPLY_PRECONDITION_FAILED, form, "auto_delete", op->name, truth(op->auto_delete),
                          truth(info.auto_delete));
    if (op->exclusive != (info.owner.node != NODE_NONE))
        return answer_failure(b, ANSWER_LOCKED, op->name, NULL);
    return queue_args_differ(op->name, info.args->json, op->args.json);
}

static void declare_answer(struct broker *b, struct op *op, struct effect *answer)
{
    struct channel *ch = op->channel;
    enum answer_status status = answer->u.answer.status;
    if (!ch) { /* the connection went before its exclusive queue was there */
        if (op->exclusive && op->owner.node != NODE_NONE && status == ANSWER_OK)
            broker_command(b, &(struct event){.type = EV_OWNER_GONE, .u.queue.owner = op->owner});
        op_finish(b, op);
        return;
    }
    struct failure f = {0};
    if (status == ANSWER_OK && op->compare) {
        f = declared_otherwise(b, op);
    } else if (status == ANSWER_INEQUIVALENT) {
        f = declared_otherwise(b, op);
        if (!f.text) {
            op->type = OP_REDECLARE;
            send_declare(b, op, true);
            return;
        }
    } else if (status != ANSWER_OK) {
        f = answer_failure(b, status, op->name, answer->u.answer.text);
    }
    if (f.text) {
        op_fail(b, op, f);
        return;
    }
    b->totals.queues_declared++;
    b->totals.queues_created += op->creates;
    free(ch->last_queue);
    ch->last_queue = xstrdup(op->name);
    if (!op->nowait)
        declare_ok(ch, op->name, answer->u.answer.messages, answer->u.answer.consumers);
    op_finish(b, op);
}

/* ---- purge and delete ---- */

static void purge_or_delete(struct channel *ch, enum op_type type, amqp_bytes_t queue,
                            const amqp_queue_delete_t *d, bool nowait)
{
    uint32_t method = type == OP_PURGE ? AMQP_QUEUE_PURGE_METHOD : AMQP_QUEUE_DELETE_METHOD;
    char *name = queue_name_of(ch, queue, method);
    if (!name)
        return;
    struct op *op = op_begin(ch, type, method, name);
    op->nowait = nowait;
    struct event ev = {.type = type == OP_PURGE ? EV_PURGE : EV_DELETE};
    ev.u.queue.name = op->name;
    ev.u.queue.owner = op->owner;
    if (d) {
        ev.u.queue.if_unused = d->if_unused;
        ev.u.queue.if_empty = d->if_empty;
    }
    op_send(ch->conn->broker, op, &ev);
    free(name);
}

static void purge_or_delete_answer(struct broker *b, struct op *op, struct effect *answer)
{
    struct channel *ch = op->channel;
    enum answer_status status = answer->u.answer.status;
    if (op->type == OP_DELETE && status == ANSWER_NOT_FOUND)
        status = ANSWER_OK; /* gone is gone: RabbitMQ since 3.2 */
    else if (op->type == OP_DELETE && status == ANSWER_OK)
        b->totals.queues_deleted++;
    struct failure f = answer_failure(b, status, op->name, answer->u.answer.text);
    if (f.text) {
        op_fail(b, op, f);
        return;
    }
    uint32_t count = (uint32_t)u64_min(answer->u.answer.messages, UINT32_MAX);
    if (ch && !op->nowait && op->type == OP_PURGE)
        wire_put_method(&ch->conn->out, ch->number, AMQP_QUEUE_PURGE_OK_METHOD,
                        &(amqp_queue_purge_ok_t){.message_count = count});
    else if (ch && !op->nowait)
        wire_put_method(&ch->conn->out, ch->number, AMQP_QUEUE_DELETE_OK_METHOD,
                        &(amqp_queue_delete_ok_t){.message_count = count});
    op_finish(b, op);
}

/* ---- bind and unbind ---- */

static void bind_or_unbind(struct channel *ch, bool bind, amqp_bytes_t queue, amqp_bytes_t exchange,
                           amqp_bytes_t key, const amqp_table_t *arguments, bool nowait)
{
    struct broker *b = ch->conn->broker;
    uint32_t method = bind ? AMQP_QUEUE_BIND_METHOD : AMQP_QUEUE_UNBIND_METHOD;
    char *name = queue_name_of(ch, queue, method);
    if (!name)
        return;
    struct bytes with = bytes_amqp(key);
    if (queue.len == 0 && key.len == 0) /* both empty: the last declared queue, by its name (AMQP 1.7.2.3) */
        with = bytes_str(name);
    char *source = xstrndup(exchange.bytes, exchange.len);
    char *table = wire_table_text(arguments);
    struct op *op = op_begin(ch, bind ? OP_BIND : OP_UNBIND, method, name);
    op->nowait = nowait;
    struct failure f = bind_change(b, op, bind, source, name, true, with, table);
    if (f.text)
        op_fail(b, op, f);
    free(table);
    free(source);
    free(name);
}

void queue_answer(struct broker *b, struct op *op, struct effect *answer)
{
    if (op->type == OP_DECLARE || op->type == OP_REDECLARE)
        declare_answer(b, op, answer);
    else
        purge_or_delete_answer(b, op, answer);
}

void queue_method(struct channel *ch, uint32_t method, void *decoded)
{
    switch (method) {
    case AMQP_QUEUE_DECLARE_METHOD: declare(ch, decoded); break;
    case AMQP_QUEUE_PURGE_METHOD: {
        amqp_queue_purge_t *p = decoded;
        purge_or_delete(ch, OP_PURGE, p->queue, NULL, p->nowait);
        break;
    }
    case AMQP_QUEUE_DELETE_METHOD: {
        amqp_queue_delete_t *d = decoded;
        purge_or_delete(ch, OP_DELETE, d->queue, d, d->nowait);
        break;
    }
    case AMQP_QUEUE_BIND_METHOD: {
        amqp_queue_bind_t *q = decoded;
        bind_or_unbind(ch, true, q->queue, q->exchange, q->routing_key, &q->arguments, q->nowait);
        break;
    }
    default: {
        amqp_queue_unbind_t *q = decoded;
        bind_or_unbind(ch, false, q->queue, q->exchange, q->routing_key, &q->arguments, false);
        break;
    }
    }
}

/* exchange_method.c: class exchange, and all binding and unbinding: checks what RabbitMQ checks, in its order
 * and words, then changes the replicated table. The management side comes the same way. */
#include "broker/private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/ban.h"

static struct failure default_refused(void)
{
    return failure_of(REPLY_ACCESS_REFUSED, "operation not permitted on the default exchange");
}

static struct failure no_exchange(const char *name)
{
    return failure_of(REPLY_NOT_FOUND, "no exchange '%s' in vhost '/'", name);
}

static const char *truth(bool v)
{
    return v ? "true" : "false";
}

/* text NULL: the exchange that is there is the one that is wanted */
static struct failure declared_otherwise(const struct exchange *x, const struct wish *w)
{
    static const char *const form =
        "inequivalent arg '%s' for exchange '%s' in vhost '/': received '%s' but current is '%s'";
    char type[LIMIT_NAME + 1];
    snprintf(type, sizeof(type), "%.*s", (int)w->type.len, (const char *)w->type.data);
    if (!bytes_is(w->type, exchange_type_name(x->type)))
        return failure_of(REPLY_PRECONDITION_FAILED, form, "type", x->name, type,
                          exchange_type_name(x->type));
    if (w->durable != x->durable)
        return failure_of(REPLY_PRECONDITION_FAILED, form, "durable", x->name, truth(w->durable),
                          truth(x->durable));
    if (w->auto_delete != x->auto_delete)
        return failure_of(REPLY_PRECONDITION_FAILED, form, "auto_delete", x->name, truth(w->auto_delete),
                          truth(x->auto_delete));
    if (w->internal != x->internal)
        return failure_of(REPLY_PRECONDITION_FAILED, form, "internal", x->name, truth(w->internal),
                          truth(x->internal));
    json_t *have = json_loads(x->arguments, 0, NULL), *want = json_loads(w->arguments, 0, NULL);
    char *words = inequivalence("alternate-exchange", "exchange", x->name, have, want);
    json_decref(have);
    json_decref(want);
    return (struct failure){.code = REPLY_PRECONDITION_FAILED, .text = words};
}

static void put(struct broker *b, struct op *op, struct bytes key, const char *value, const char *queue,
                bool durable, bool if_absent)
{
    struct event ev = {.type = EV_META_PUT};
    ev.u.meta.key = key;
    ev.u.meta.value = bytes_str(value);
    ev.u.meta.queue = queue;
    ev.u.meta.durable = durable;
    ev.u.meta.if_absent = if_absent;
    op_send(b, op, &ev);
}

static void take_away(struct broker *b, struct op *op, struct bytes key, bool prefix)
{
    struct event ev = {.type = EV_META_DELETE};
    ev.u.meta.key = key;
    ev.u.meta.prefix = prefix;
    op_send(b, op, &ev);
}

static char *make_uid(struct broker *b)
{
    const struct mirror_options *o = &b->options.mirror;
    return format_text("%u.%llu.%llu", o->self, (unsigned long long)o->incarnation,
                       (unsigned long long)++b->declarations);
}

/* Each of these either fails at once (the caller ends op), or has finished op, or has sent commands of it. */

struct failure begin_exchange_declare(struct broker *b, struct op *op, const struct wish *w)
{
    enum exchange_type type;
    if (!exchange_type_of(w->type, &type))
        return failure_of(REPLY_COMMAND_INVALID, "invalid exchange type '%.*s'", (int)w->type.len,
                          (const char *)w->type.data);
    if (!*w->name)
        return default_refused();
    struct exchange *x = exchange_find(b, bytes_str(w->name));
    if (x) {
        struct failure f = declared_otherwise(x, w);
        if (!f.text)
            op_succeed(b, op);
        return f;
    }
    if (strncmp(w->name, "amq.", 4) == 0)
        return failure_of(REPLY_ACCESS_REFUSED, "exchange name '%s' contains reserved prefix 'amq.*'",
                          w->name);
    if (!wire_is_text(bytes_str(w->name)))
        return failure_of(REPLY_PRECONDITION_FAILED, "an exchange's name is UTF-8 without zero octets");
    char *uid = make_uid(b);
    op->text = exchange_value(uid, type, w->durable, w->auto_delete, w->internal, w->arguments);
    struct wire_buffer key = {0};
    put(b, op, exchange_id(&key, w->name), op->text, NULL, w->durable, true);
    VEC_FREE(&key);
    free(uid);
    return (struct failure){0};
}

struct failure begin_exchange_delete(struct broker *b, struct op *op, const char *name, bool if_unused)
{
    if (!*name)
        return default_refused();
    if (strncmp(name, "amq.", 4) == 0) /* there or not */
        return failure_of(REPLY_ACCESS_REFUSED, "deletion of system exchange '%s' in vhost '/' not allowed",
                          name);
    struct exchange *x = exchange_find(b, bytes_str(name));
    if (!x) {
        op_succeed(b, op); /* gone is gone */
        return (struct failure){0};
    }
    if (if_unused && x->out.len)
        return failure_of(REPLY_PRECONDITION_FAILED, "exchange '%s' in vhost '/' in use", name);
    /* the exchange first: its bindings are void without it; then those from it, and those to it */
    struct wire_buffer key = {0};
    VEC(struct bytes) to = {0};
    for (size_t i = 0; i < x->in.len; i++) {
        struct bytes id = x->in.items[i]->id;
        VEC_PUSH(&to, bytes_of(xstrndup((const char *)id.data, id.len), id.len));
    }
    take_away(b, op, exchange_id(&key, name), false);
    take_away(b, op, binding_prefix(&key, name), true);
    for (size_t i = 0; i < to.len; i++) {
        take_away(b, op, to.items[i], false);
        free((uint8_t *)(uintptr_t)to.items[i].data);
    }
    VEC_FREE(&to);
    VEC_FREE(&key);
    return (struct failure){0};
}

static struct failure check_binding(struct broker *b, const struct op *op, const char *source,
                                    const char *destination, bool to_queue, bool *durable)
{
    struct exchange *from = exchange_find(b, bytes_str(source));
    if (!from)
        return no_exchange(source);
    *durable = from->durable;
    if (!to_queue) {
        struct exchange *to = exchange_find(b, bytes_str(destination));
        *durable = *durable && to && to->durable;
        if (!to)
            return no_exchange(destination);
        return (struct failure){0};
    }
    struct queue *q = mirror_find_queue(b->mirror, destination);
    if (!q)
        return answer_failure(b, ANSWER_NOT_FOUND, destination, NULL);
    struct queue_info info;
    mirror_queue_info(b->mirror, q, &info);
    *durable = *durable && info.durable;
    const struct owner *o = &info.owner;
    if (o->node != NODE_NONE && op->owner.node != NODE_NONE &&
        (o->node != op->owner.node || o->incarnation != op->owner.incarnation ||
         o->connection != op->owner.connection))
        return answer_failure(b, ANSWER_LOCKED, destination, NULL);
    if (info.state == QUEUE_STOPPED)
        return answer_failure(b, ANSWER_STOPPED, destination, NULL);
    if (info.state == QUEUE_DOWN)
        return answer_failure(b, ANSWER_DOWN, destination, NULL);
    return (struct failure){0};
}

static char *binding_value(const struct exchange *from, const struct exchange *to, const char *arguments)
{
    json_t *v = json_pack("{s:s, s:s, s:o}", "from", from->uid, "to", to ? to->uid : "", "arguments",
                          json_loads(arguments, 0, NULL));
    char *text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(v);
    ASSERT(text);
    return text;
}

struct failure bind_change(struct broker *b, struct op *op, bool bind, const char *source,
                           const char *destination, bool to_queue, struct bytes key, const char *arguments)
{
    if (!*source || (!to_queue && !*destination))
        return default_refused();
    bool durable = false;
    struct failure f = {0};
    if (bind)
        f = check_binding(b, op, source, destination, to_queue, &durable);
    if (!f.text && bind && !wire_is_text(key))
        f = failure_of(REPLY_PRECONDITION_FAILED, "a binding's key is UTF-8 without zero octets");
    if (!f.text && bind && exchange_find(b, bytes_str(source))->type == EXCHANGE_HEADERS)
        f = headers_refuse(arguments);
    if (f.text)
        return f;
    struct wire_buffer into = {0};
    struct bytes id = binding_id(&into, source, to_queue, destination, key, arguments);
    bool there = map_get(&b->bindings, id) != NULL;
    op->id = bytes_of(xstrndup((const char *)id.data, id.len), id.len);
    if (!bind) {
        if (there)
            take_away(b, op, id, false);
        else
            op_succeed(b, op);
    } else {
        struct exchange *from = exchange_find(b, bytes_str(source));
        struct exchange *to = to_queue ? NULL : exchange_find(b, bytes_str(destination));
        char *value = binding_value(from, to, arguments);
        put(b, op, id, value, to_queue ? destination : NULL, durable, false);
        free(value);
    }
    VEC_FREE(&into);
    return f;
}

/* ---- answers ---- */

static void say_ok(struct op *op)
{
    struct channel *ch = op->channel;
    if (!ch || op->nowait)
        return;
    struct wire_buffer *out = &ch->conn->out;
    switch (op->type) {
    case OP_EXCHANGE_DECLARE:
        wire_put_method(out, ch->number, AMQP_EXCHANGE_DECLARE_OK_METHOD, &(amqp_exchange_declare_ok_t){0});
        break;
    case OP_EXCHANGE_DELETE:
        wire_put_method(out, ch->number, AMQP_EXCHANGE_DELETE_OK_METHOD, &(amqp_exchange_delete_ok_t){0});
        break;
    case OP_BIND:
        if (op->method == AMQP_QUEUE_BIND_METHOD)
            wire_put_method(out, ch->number, AMQP_QUEUE_BIND_OK_METHOD, &(amqp_queue_bind_ok_t){0});
        else
            wire_put_method(out, ch->number, AMQP_EXCHANGE_BIND_OK_METHOD, &(amqp_exchange_bind_ok_t){0});
        break;
    case OP_UNBIND:
        if (op->method == AMQP_QUEUE_UNBIND_METHOD)
            wire_put_method(out, ch->number, AMQP_QUEUE_UNBIND_OK_METHOD, &(amqp_queue_unbind_ok_t){0});
        else
            wire_put_method(out, ch->number, AMQP_EXCHANGE_UNBIND_OK_METHOD, &(amqp_exchange_unbind_ok_t){0});
        break;
    case OP_DECLARE:
    case OP_REDECLARE:
    case OP_DELETE:
    case OP_PURGE:
    case OP_GET:
    case OP_CONSUME:
    case OP_CANCEL: break; /* not of this file */
    }
}

void op_succeed(struct broker *b, struct op *op)
{
    say_ok(op);
    op_finish(b, op);
}

/* Somebody declared it first: theirs counts, if it is the same. */
static struct failure lost_the_race(struct broker *b, const struct op *op)
{
    const struct exchange *x = exchange_find(b, bytes_str(op->name));
    if (!x)
        return (struct failure){0}; /* and deleted it again: as if it had been after ours */
    json_t *v = json_loads(op->text, 0, NULL);
    char *arguments = json_dumps(json_object_get(v, "arguments"), JSON_COMPACT | JSON_SORT_KEYS);
    struct wish w = {
        .name = op->name,
        .arguments = arguments,
        .type = bytes_str(json_string_value(json_object_get(v, "type"))),
        .durable = json_is_true(json_object_get(v, "durable")),
        .auto_delete = json_is_true(json_object_get(v, "auto_delete")),
        .internal = json_is_true(json_object_get(v, "internal")),
    };
    struct failure f = declared_otherwise(x, &w);
    free(arguments);
    json_decref(v);
    return f;
}

/* The exchange was deleted while the binding was on its way: an orphan, which its maker takes out again. */
static struct failure check_orphan(struct broker *b, const struct op *op)
{
    const struct binding *bd = map_get(&b->bindings, op->id);
    if (!bd || bd->from)
        return (struct failure){0};
    struct failure f = no_exchange(exchange_find(b, bytes_str(bd->source)) ? bd->destination : bd->source);
    struct event ev = {.type = EV_META_DELETE};
    ev.u.meta.key = op->id;
    broker_command(b, &ev);
    return f;
}

void exchange_answer(struct broker *b, struct op *op, struct effect *answer)
{
    enum answer_status status = answer->u.answer.status;
    struct failure f = {0};
    if (op->type == OP_EXCHANGE_DECLARE && status == ANSWER_EXISTS)
        f = lost_the_race(b, op);
    else if (op->type == OP_BIND && status == ANSWER_OK)
        f = check_orphan(b, op);
    else if (status == ANSWER_NOT_FOUND && op->type != OP_BIND)
        ; /* taken away by somebody else meanwhile */
    else
        f = answer_failure(b, status, op->name, answer->u.answer.text);
    if (f.text)
        op_fail(b, op, f);
    else
        op_succeed(b, op);
}

/* ---- methods ---- */

static void declare(struct channel *ch, const amqp_exchange_declare_t *d)
{
    struct broker *b = ch->conn->broker;
    char *name = xstrndup(d->exchange.bytes, d->exchange.len);
    struct op *op = op_begin(ch, OP_EXCHANGE_DECLARE, AMQP_EXCHANGE_DECLARE_METHOD, name);
    op->nowait = d->nowait;
    struct failure f = {0};
    const amqp_field_value_t *alternate = wire_table_find(&d->arguments, "alternate-exchange");
    if (d->passive) {
        if (!*name)
            f = default_refused();
        else if (!exchange_find(b, bytes_amqp(d->exchange)))
            f = no_exchange(name);
        else
            op_succeed(b, op);
    } else if (d->exchange.len != strlen(name)) {
        f = failure_of(REPLY_PRECONDITION_FAILED, "an exchange's name is UTF-8 without zero octets");
    } else if (alternate && alternate->kind != AMQP_FIELD_KIND_UTF8 && *name) {
        f = failure_of(REPLY_PRECONDITION_FAILED,
                       "invalid type '%s' for arg 'alternate-exchange' in exchange '%s' in vhost '/'",
                       wire_type_name(alternate->kind), name);
    } else {
        char *arguments = wire_table_text(&d->arguments);
        struct wish w = {.name = name,
                         .arguments = arguments,
                         .type = bytes_amqp(d->type),
                         .durable = d->durable,
                         .auto_delete = d->auto_delete,
                         .internal = d->internal};
        f = begin_exchange_declare(b, op, &w);
        free(arguments);
    }
    if (f.text)
        op_fail(b, op, f);
    free(name);
}

static void delete_exchange(struct channel *ch, const amqp_exchange_delete_t *d)
{
    struct broker *b = ch->conn->broker;
    char *name = xstrndup(d->exchange.bytes, d->exchange.len);
    struct op *op = op_begin(ch, OP_EXCHANGE_DELETE, AMQP_EXCHANGE_DELETE_METHOD, name);
    op->nowait = d->nowait;
    struct failure f = begin_exchange_delete(b, op, name, d->if_unused);
    if (f.text)
        op_fail(b, op, f);
    free(name);
}

static void bind_exchange(struct channel *ch, bool bind, uint32_t method, amqp_bytes_t destination,
                          amqp_bytes_t source, amqp_bytes_t key, const amqp_table_t *arguments, bool nowait)
{
    struct broker *b = ch->conn->broker;
    char *to = xstrndup(destination.bytes, destination.len), *from = xstrndup(source.bytes, source.len);
    char *table = wire_table_text(arguments);
    struct op *op = op_begin(ch, bind ? OP_BIND : OP_UNBIND, method, to);
    op->nowait = nowait;
    struct failure f = bind_change(b, op, bind, from, to, false, bytes_amqp(key), table);
    if (f.text)
        op_fail(b, op, f);
    free(table);
    free(from);
    free(to);
}

void exchange_method(struct channel *ch, uint32_t method, void *decoded)
{
    switch (method) {
    case AMQP_EXCHANGE_DECLARE_METHOD: declare(ch, decoded); break;
    case AMQP_EXCHANGE_DELETE_METHOD: delete_exchange(ch, decoded); break;
    case AMQP_EXCHANGE_BIND_METHOD: {
        amqp_exchange_bind_t *m = decoded;
        bind_exchange(ch, true, method, m->destination, m->source, m->routing_key, &m->arguments, m->nowait);
        break;
    }
    default: {
        amqp_exchange_unbind_t *m = decoded;
        bind_exchange(ch, false, method, m->destination, m->source, m->routing_key, &m->arguments, m->nowait);
        break;
    }
    }
}

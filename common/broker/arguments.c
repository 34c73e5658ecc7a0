/* arguments.c: what may stand in the arguments table of queue.declare, and when two tables mean the same
 * queue. Rules and words are RabbitMQ 3.10.8's, whose texts show Erlang terms. */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

static bool is_integer(const amqp_field_value_t *v, int64_t *out)
{
    switch (v->kind) {
    case AMQP_FIELD_KIND_I8: *out = v->value.i8 + 0; return true;
    case AMQP_FIELD_KIND_U8: *out = v->value.u8; return true;
    case AMQP_FIELD_KIND_I16: *out = v->value.i16; return true;
    case AMQP_FIELD_KIND_U16: *out = v->value.u16; return true;
    case AMQP_FIELD_KIND_I32: *out = v->value.i32; return true;
    case AMQP_FIELD_KIND_U32: *out = v->value.u32; return true;
    case AMQP_FIELD_KIND_I64: *out = v->value.i64; return true;
    default: return false;
    }
}

static struct failure invalid(const char *key, const char *queue, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static struct failure invalid(const char *key, const char *queue, const char *format, ...)
{
    struct text why = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&why, format, args);
    va_end(args);
    struct failure f =
        failure_of(REPLY_PRECONDITION_FAILED, "invalid arg '%s' for queue '%s' in vhost '/': %s", key, queue,
                   text_str(&why));
    text_finish(&why);
    return f;
}

struct failure wrong_type_of_queue(const char *key, const char *queue)
{
    return failure_of(REPLY_PRECONDITION_FAILED,
                      "invalid arg '%s' for queue '%s' in vhost '/' of queue type rabbit_classic_queue", key,
                      queue);
}

struct failure integer_argument(const amqp_table_t *t, const char *key, const char *queue, int64_t *out)
{
    const amqp_field_value_t *v = wire_table_find(t, key);
    if (v && !is_integer(v, out))
        return invalid(key, queue, "\"expected integer, got %s\"", wire_type_name(v->kind));
    return (struct failure){0};
}

/* an integer that is not negative; -1 in *out if it is not there */
static struct failure natural(const amqp_table_t *t, const char *key, const char *queue, bool zero_allowed,
                              int64_t most, int64_t *out)
{
    *out = -1;
    const amqp_field_value_t *v = wire_table_find(t, key);
    if (!v)
        return (struct failure){0};
    struct failure f = integer_argument(t, key, queue, out);
    if (f.text)
        return f;
    if (*out < 0)
        return invalid(key, queue, "{value_negative,%lld}", (long long)*out);
    if (*out == 0 && !zero_allowed)
        return invalid(key, queue, "{value_zero,0}");
    if (*out > most)
        return invalid(key, queue, "{value_too_large,%lld}", (long long)*out);
    return f;
}

static struct failure words(const amqp_table_t *t, const char *key, const char *queue, char **out)
{
    const amqp_field_value_t *v = wire_table_find(t, key);
    if (!v)
        return (struct failure){0};
    if (v->kind != AMQP_FIELD_KIND_UTF8)
        return invalid(key, queue, "{unacceptable_type,%s}", wire_type_name(v->kind));
    free(*out);
    *out = xstrndup(v->value.bytes.bytes, v->value.bytes.len);
    return (struct failure){0};
}

static bool one_of(const char *s, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(s, *list) == 0)
            return true;
    return false;
}

static struct failure parse_limits(struct queue_args *a, const amqp_table_t *t, const char *queue)
{
    struct failure f = natural(t, "x-expires", queue, false, LIMIT_TTL_MS, &a->expires_ms);
    if (!f.text)
        f = natural(t, "x-message-ttl", queue, true, LIMIT_TTL_MS, &a->message_ttl_ms);
    if (!f.text)
        f = natural(t, "x-max-length", queue, true, INT64_MAX, &a->max_length);
    if (!f.text)
        f = natural(t, "x-max-length-bytes", queue, true, INT64_MAX, &a->max_length_bytes);
    if (f.text)
        return f;
    int64_t priority;
    f = natural(t, "x-max-priority", queue, true, INT64_MAX, &priority);
    if (!f.text && priority > 255)
        f = invalid("x-max-priority", queue, "{max_value_exceeded,%lld}", (long long)priority);
    a->max_priority = f.text || priority < 0 ? 0 : (int32_t)priority;
    return f;
}

static struct failure parse_dead_letter(struct queue_args *a, const amqp_table_t *t, const char *queue)
{
    const amqp_field_value_t *v = wire_table_find(t, "x-dead-letter-exchange");
    if (v && v->kind != AMQP_FIELD_KIND_UTF8)
        return failure_of(REPLY_PRECONDITION_FAILED,
                          "invalid type '%s' for arg 'x-dead-letter-exchange' in queue '%s' in vhost '/'",
                          wire_type_name(v->kind), queue);
    struct failure f = words(t, "x-dead-letter-exchange", queue, &a->dead_letter_exchange);
    if (!f.text)
        f = words(t, "x-dead-letter-routing-key", queue, &a->dead_letter_key);
    if (!f.text && a->dead_letter_key && !a->dead_letter_exchange)
        f = invalid("x-dead-letter-routing-key", queue, "routing_key_but_no_dlx_defined");
    return f;
}

static struct failure parse_choices(struct queue_args *a, const amqp_table_t *t, const char *queue)
{
    struct failure f = words(t, "x-overflow", queue, &a->overflow);
    if (!f.text && a->overflow &&
        !one_of(a->overflow,
                (const char *const[]){"drop-head", "reject-publish", "reject-publish-dlx", NULL}))
        f = invalid("x-overflow", queue, "invalid_overflow");
    if (!f.text)
        f = words(t, "x-queue-master-locator", queue, &a->master_locator);
    /* RabbitMQ takes any word here and breaks down later (541): the kit says what is wrong */
    if (!f.text && a->master_locator &&
        !one_of(a->master_locator, (const char *const[]){"client-local", "min-masters", "random", NULL}))
        f = invalid("x-queue-master-locator", queue, "invalid_queue_locator");
    char *mode = NULL;
    if (!f.text)
        f = words(t, "x-queue-mode", queue, &mode);
    if (!f.text && mode && !one_of(mode, (const char *const[]){"default", "lazy", NULL}))
        f = invalid("x-queue-mode", queue, "\"unsupported queue mode '%s'\"", mode);
    free(mode);
    int64_t version;
    if (!f.text)
        f = natural(t, "x-queue-version", queue, true, INT64_MAX, &version);
    if (!f.text && version >= 0 && version != 1 && version != 2)
        f = invalid("x-queue-version", queue, "\"unsupported queue version '%lld'\"", (long long)version);
    const amqp_field_value_t *v = wire_table_find(t, "x-single-active-consumer");
    if (!f.text && v && v->kind != AMQP_FIELD_KIND_BOOLEAN)
        f = invalid("x-single-active-consumer", queue, "{unacceptable_type,%s}", wire_type_name(v->kind));
    else if (!f.text && v)
        a->single_active_consumer = v->value.boolean;
    return f;
}

static struct failure parse_type(const amqp_table_t *t, const char *queue)
{
    char *type = NULL;
    struct failure f = words(t, "x-queue-type", queue, &type);
    if (!f.text && type && strcmp(type, "classic") != 0)
        f = invalid("x-queue-type", queue, "\"unsupported queue type '%s'\"", type);
    free(type);
    return f;
}

/* Keys that only other types of queues know are refused, whatever they say; those that nobody knows are not.
 */
static struct failure refuse_foreign(const amqp_table_t *t, const char *queue)
{
    static const char *const foreign[] = {
        "x-delivery-limit",
        "x-dead-letter-strategy",
        "x-initial-cluster-size",
        "x-max-age",
        "x-max-in-memory-bytes",
        "x-max-in-memory-length",
        "x-queue-leader-locator",
        "x-quorum-initial-group-size",
        "x-stream-max-segment-size-bytes",
        NULL,
    };
    for (int i = 0; i < t->num_entries; i++) {
        amqp_bytes_t k = t->entries[i].key;
        for (size_t at = 0; foreign[at]; at++)
            if (bytes_is(bytes_amqp(k), foreign[at]))
                return wrong_type_of_queue(foreign[at], queue);
    }
    return (struct failure){0};
}

/* Fills *a, which was initialised; what is in it must be finished also after a failure. */
struct failure queue_args_parse(struct queue_args *a, const amqp_table_t *t, const char *queue)
{
    free(a->json);
    a->json = wire_table_text(t);
    struct failure f = parse_type(t, queue);
    if (!f.text)
        f = parse_limits(a, t, queue);
    if (!f.text)
        f = parse_dead_letter(a, t, queue);
    if (!f.text)
        f = parse_choices(a, t, queue);
    if (!f.text)
        f = refuse_foreign(t, queue);
    return f;
}

/* without quotes */
void argument_say(struct text *t, const json_t *v)
{
    if (json_is_string(v))
        text_add(t, json_string_value(v));
    else if (json_is_integer(v))
        text_printf(t, "%lld", (long long)json_integer_value(v));
    else if (json_is_boolean(v))
        text_add(t, json_is_true(v) ? "true" : "false");
    else if (json_is_null(v))
        text_add(t, "undefined");
    else
        text_add(t, "[...]"); /* RabbitMQ shows an Erlang term */
}

static void say_plain(struct text *t, const json_t *v)
{
    text_add(t, "'");
    argument_say(t, v);
    text_add(t, "'");
}

/* JSON does not keep AMQP's types: the usual ones are said */
const char *argument_type(const json_t *v)
{
    if (json_is_integer(v))
        return json_integer_value(v) == (int32_t)json_integer_value(v) ? "signedint" : "long";
    if (json_is_boolean(v))
        return "bool";
    if (json_is_object(v))
        return "table";
    if (json_is_array(v))
        return "array";
    return json_is_null(v) ? "void" : "longstr";
}

static void say_typed(struct text *t, const json_t *v)
{
    if (!v) {
        text_add(t, "none");
        return;
    }
    text_add(t, "the value ");
    say_plain(t, v);
    text_printf(t, " of type '%s'", argument_type(v));
}

/* NULL if the key means the same in both; else RabbitMQ's words for what differs. The caller's to free. */
char *inequivalence(const char *key, const char *what, const char *name, const json_t *have,
                    const json_t *want)
{
    const json_t *h = json_object_get(have, key), *w = json_object_get(want, key);
    if ((!h && !w) || (h && w && json_equal(h, w)))
        return NULL;
    struct text t = {0};
    text_printf(&t, "inequivalent arg '%s' for %s '%s' in vhost '/': received ", key, what, name);
    if (h && json_is_null(w))
        text_add(&t, "none");
    else if (h && w)
        say_plain(&t, w);
    else
        say_typed(&t, w);
    text_add(&t, " but current is ");
    if (h && w)
        say_plain(&t, h);
    else
        say_typed(&t, h);
    return t.s;
}

/* a queue of no type is a classic one */
static void forget_classic(json_t *table)
{
    const char *type = json_string_value(json_object_get(table, "x-queue-type"));
    if (type && strcmp(type, "classic") == 0)
        json_object_del(table, "x-queue-type");
}

struct failure queue_args_differ(const char *queue, const char *have_json, const char *want_json)
{
    /* in the order in which RabbitMQ looks at them */
    static const char *const keys[] = {
        "x-expires",
        "x-message-ttl",
        "x-dead-letter-exchange",
        "x-dead-letter-routing-key",
        "x-max-length",
        "x-max-length-bytes",
        "x-max-priority",
        "x-overflow",
        "x-queue-mode",
        "x-queue-version",
        "x-single-active-consumer",
        "x-queue-type",
        "x-queue-master-locator",
    };
    json_t *have = json_loads(have_json, 0, NULL), *want = json_loads(want_json, 0, NULL);
    forget_classic(have);
    forget_classic(want);
    char *words_ = NULL;
    for (size_t i = 0; i < ARRAY_LEN(keys) && !words_; i++)
        words_ = inequivalence(keys[i], "queue", queue, have, want);
    json_decref(have);
    json_decref(want);
    return (struct failure){.code = REPLY_PRECONDITION_FAILED, .text = words_};
}

/* ---- the management side ---- */

/* One of JSON's values as a client would send it; of what has parts only the type. */
static amqp_field_value_t field_of(const json_t *v)
{
    amqp_field_value_t f = {.kind = AMQP_FIELD_KIND_VOID};
    if (json_is_string(v)) {
        f.kind = AMQP_FIELD_KIND_UTF8;
        f.value.bytes = amqp_text(json_string_value(v));
    } else if (json_is_integer(v)) {
        f.kind = AMQP_FIELD_KIND_I64;
        f.value.i64 = json_integer_value(v);
    } else if (json_is_real(v)) {
        f.kind = AMQP_FIELD_KIND_F64;
        f.value.f64 = json_real_value(v);
    } else if (json_is_boolean(v)) {
        f.kind = AMQP_FIELD_KIND_BOOLEAN;
        f.value.boolean = json_is_true(v);
    } else if (json_is_array(v)) {
        f.kind = AMQP_FIELD_KIND_ARRAY;
    } else if (json_is_object(v)) {
        f.kind = AMQP_FIELD_KIND_TABLE;
    }
    return f;
}

char *broker_queue_arguments(const char *json, const char *queue, struct queue_args *out)
{
    json_t *arguments = json_loads(json, 0, NULL);
    ASSERT(json_is_object(arguments));
    VEC(amqp_table_entry_t) entries = {0};
    const char *key;
    json_t *v;
    json_object_foreach(arguments, key, v)
    {
        amqp_table_entry_t e = {.key = amqp_text(key), .value = field_of(v)};
        VEC_PUSH(&entries, e);
    }
    struct failure f = queue_args_parse(
        out, &(amqp_table_t){.num_entries = (int)entries.len, .entries = entries.items}, queue);
    VEC_FREE(&entries);
    json_decref(arguments);
    free(out->json); /* what the table's text lacks: the parts of arrays and objects */
    out->json = xstrdup(json);
    return f.text;
}

char *broker_arguments_differ(const char *queue, const char *have, const char *want)
{
    return queue_args_differ(queue, have, want).text;
}

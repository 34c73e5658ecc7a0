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

#define TTL_MOST 4294967295 /* RabbitMQ's timers are 32 bits wide */

static struct failure parse_limits(struct queue_args *a, const amqp_table_t *t, const char *queue)
{
    struct failure f = natural(t, "x-expires", queue, false, TTL_MOST, &a->expires_ms);
    if (!f.text)
        f = natural(t, "x-message-ttl", queue, true, TTL_MOST, &a->message_ttl_ms);
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
    char *mode = NULL, *type = NULL;
    if (!f.text)
        f = words(t, "x-queue-mode", queue, &mode);
    if (!f.text && mode && !one_of(mode, (const char *const[]){"default", "lazy", NULL}))
        f = invalid("x-queue-mode", queue, "\"unsupported queue mode '%s'\"", mode);
    if (!f.text)
        f = words(t, "x-queue-type", queue, &type);
    if (!f.text && type && strcmp(type, "classic") != 0)
        f = invalid("x-queue-type", queue, "\"unsupported queue type '%s'\"", type);
    free(mode);
    free(type);
    const amqp_field_value_t *v = wire_table_find(t, "x-single-active-consumer");
    if (!f.text && v && v->kind != AMQP_FIELD_KIND_BOOLEAN)
        f = invalid("x-single-active-consumer", queue, "{unacceptable_type,%s}", wire_type_name(v->kind));
    else if (!f.text && v)
        a->single_active_consumer = v->value.boolean;
    return f;
}

/* Fills *a, which was initialised; what is in it must be finished also after a failure. */
struct failure queue_args_parse(struct queue_args *a, const amqp_table_t *t, const char *queue)
{
    free(a->json);
    a->json = wire_table_text(t);
    struct failure f = parse_limits(a, t, queue);
    if (!f.text)
        f = parse_dead_letter(a, t, queue);
    if (!f.text)
        f = parse_choices(a, t, queue);
    return f;
}

static void say_plain(struct text *t, const json_t *v)
{
    if (json_is_string(v))
        text_printf(t, "'%s'", json_string_value(v));
    else if (json_is_integer(v))
        text_printf(t, "'%lld'", (long long)json_integer_value(v));
    else if (json_is_boolean(v))
        text_printf(t, "'%s'", json_is_true(v) ? "true" : "false");
    else
        text_add(t, "another value");
}

static void say_typed(struct text *t, const json_t *v)
{
    if (!v) {
        text_add(t, "none");
        return;
    }
    const char *type = "longstr"; /* JSON does not keep AMQP's types: the usual ones are said */
    if (json_is_integer(v))
        type = json_integer_value(v) == (int32_t)json_integer_value(v) ? "signedint" : "long";
    else if (json_is_boolean(v))
        type = "bool";
    else if (json_is_object(v))
        type = "table";
    text_add(t, "the value ");
    say_plain(t, v);
    text_printf(t, " of type '%s'", type);
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
    if (h && w)
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
        "x-single-active-consumer",
        "x-queue-type",
    };
    json_t *have = json_loads(have_json, 0, NULL), *want = json_loads(want_json, 0, NULL);
    char *words_ = NULL;
    for (size_t i = 0; i < ARRAY_LEN(keys) && !words_; i++)
        words_ = inequivalence(keys[i], "queue", queue, have, want);
    json_decref(have);
    json_decref(want);
    return (struct failure){.code = REPLY_PRECONDITION_FAILED, .text = words_};
}

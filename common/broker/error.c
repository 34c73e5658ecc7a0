/* error.c: what goes wrong, in RabbitMQ's words. The code decides whether a channel or its connection ends;
 * that a channel did is told to people, too. */
#include "broker/private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/ban.h"

const char *reply_word(enum reply_code code)
{
    switch (code) {
#define X(name, number, word, hard)                                                                          \
    case name: return word;
        REPLY_TABLE(X)
#undef X
    }
    return "INTERNAL_ERROR";
}

bool reply_is_hard(enum reply_code code)
{
    switch (code) {
#define X(name, number, word, hard)                                                                          \
    case name: return hard;
        REPLY_TABLE(X)
#undef X
    }
    return true;
}

/* A reply text is a short string: what is longer ends in three dots, as in RabbitMQ. */
static void shorten(struct text *t)
{
    if (t->len <= 255)
        return;
    t->len = 252;
    while (t->len && ((uint8_t)t->s[t->len] & 0xC0) == 0x80) /* not in the middle of a letter */
        t->len--;
    t->s[t->len] = '\0';
    text_add(t, "...");
}

/* People are told of a client that was refused, once in a while: who asks again and again is not to push
 * everything else out of the feed. */
#define REFUSED_APART_MS 1000

static void tell_refused(struct broker *b, const char *text)
{
    if (b->refused_at && b->now < b->refused_at + REFUSED_APART_MS) {
        b->refused_untold++;
        return;
    }
    struct text t = {0};
    if (b->refused_untold)
        text_printf(&t, "a client was refused, and %llu before it: %s", (unsigned long long)b->refused_untold,
                    text);
    else
        text_printf(&t, "a client was refused: %s", text);
    b->refused_at = b->now;
    b->refused_untold = 0;
    struct effect *fx = effects_add(b->out, FX_EVENT);
    fx->u.event.kind = "refused";
    fx->u.event.queue = NULL;
    fx->u.event.text = t.s;
}

static void fail_connection(struct connection *c, enum reply_code code, uint32_t method, struct text *t)
{
    shorten(t);
    connection_closing(c, (uint16_t)code, text_str(t), method);
}

void connection_fail(struct connection *c, enum reply_code code, uint32_t method, const char *format, ...)
{
    struct text t = {0};
    text_printf(&t, "%s - ", reply_word(code));
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    fail_connection(c, code, method, &t);
    text_finish(&t);
}

void channel_fail(struct channel *ch, enum reply_code code, uint32_t method, const char *format, ...)
{
    struct text t = {0};
    text_printf(&t, "%s - ", reply_word(code));
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    if (reply_is_hard(code)) {
        fail_connection(ch->conn, code, method, &t);
    } else if (ch->state == CHANNEL_OPEN) {
        shorten(&t);
        confirms_flush(ch);
        tell_refused(ch->conn->broker, text_str(&t));
        wire_put_method(&ch->conn->out, ch->number, AMQP_CHANNEL_CLOSE_METHOD,
                        &(amqp_channel_close_t){.reply_code = (uint16_t)code,
                                                .reply_text = amqp_text(text_str(&t)),
                                                .class_id = (uint16_t)(method >> 16),
                                                .method_id = (uint16_t)method});
        connection_touch(ch->conn);
        channel_release(ch);
        ch->state = CHANNEL_CLOSING;
    }
    text_finish(&t);
}

struct failure failure_of(enum reply_code code, const char *format, ...)
{
    struct text t = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    return (struct failure){.code = code, .text = t.s};
}

struct failure answer_failure(const struct broker *b, enum answer_status status, const char *queue,
                              const char *text)
{
    switch (status) {
    case ANSWER_OK:
    case ANSWER_EMPTY:
    case ANSWER_EXISTS: return (struct failure){0};
    case ANSWER_NOT_FOUND: return failure_of(REPLY_NOT_FOUND, "no queue '%s' in vhost '/'", queue);
    case ANSWER_STOPPED:
        return failure_of(REPLY_NOT_FOUND, "queue '%s' in vhost '/' process is stopped by supervisor", queue);
    case ANSWER_DOWN: {
        struct queue *q = mirror_find_queue(b->mirror, queue);
        struct queue_info info = {.master = NODE_NONE};
        if (q)
            mirror_queue_info(b->mirror, q, &info);
        const char *home = info.master == NODE_NONE ? "unknown" : mirror_node_name(b->mirror, info.master);
        return failure_of(REPLY_NOT_FOUND,
                          "home node '%s' of durable queue '%s' in vhost '/' is down or inaccessible", home,
                          queue);
    }
    case ANSWER_LOCKED:
        return failure_of(
            REPLY_RESOURCE_LOCKED,
            "cannot obtain exclusive access to locked queue '%s' in vhost '/'. It could be originally "
            "declared on another connection or the exclusive property value does not match that of the "
            "original declaration.",
            queue);
    case ANSWER_IN_USE: return failure_of(REPLY_PRECONDITION_FAILED, "queue '%s' in vhost '/' in use", queue);
    case ANSWER_NOT_EMPTY:
        return failure_of(REPLY_PRECONDITION_FAILED, "queue '%s' in vhost '/' not empty", queue);
    case ANSWER_EXCLUSIVE_CONSUMER:
        return failure_of(REPLY_ACCESS_REFUSED, "queue '%s' in vhost '/' in exclusive use", queue);
    case ANSWER_NOT_SERVING:
        return failure_of(REPLY_CONNECTION_FORCED, "broker forced connection closure with reason 'shutdown'");
    case ANSWER_FULL: return failure_of(REPLY_RESOURCE_ERROR, "%s", text ? text : queue);
    case ANSWER_INEQUIVALENT:
    case ANSWER_INVALID:
    case ANSWER_NOT_MIRRORED:
    case ANSWER_NOT_SYNCING: break;
    }
    return failure_of(REPLY_PRECONDITION_FAILED, "%s", text ? text : queue);
}

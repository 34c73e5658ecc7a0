/* client_read.c: see rig.h: what came back to a client, as lines. */
#include "tests/broker/rig.h"

#define TEXT(b) (int)(b).len, (const char *)(b).bytes

static void say_method(struct text *t, uint32_t method, amqp_bytes_t arguments)
{
    amqp_pool_t pool;
    init_amqp_pool(&pool, 4096);
    void *d = NULL;
    assert_int_equal(amqp_decode_method(method, &pool, arguments, &d), AMQP_STATUS_OK);
    const char *name = amqp_method_name(method); /* AMQP_BASIC_GET_OK_METHOD */
    size_t len = strlen(name) - strlen("AMQP_") - strlen("_METHOD");
    bool dot = false;
    for (size_t i = 0; i < len; i++) {
        char letter = name[5 + i];
        char out = letter == '_' ? (dot ? '-' : '.') : (char)(letter | 0x20);
        dot = dot || letter == '_';
        text_add_bytes(t, &out, 1);
    }
    switch (method) {
    case AMQP_CONNECTION_TUNE_METHOD: {
        amqp_connection_tune_t *m = d;
        text_printf(t, " %u %u %u", m->channel_max, m->frame_max, m->heartbeat);
        break;
    }
    case AMQP_CONNECTION_CLOSE_METHOD: {
        amqp_connection_close_t *m = d;
        text_printf(t, " %u %.*s %u.%u", m->reply_code, TEXT(m->reply_text), m->class_id, m->method_id);
        break;
    }
    case AMQP_CHANNEL_CLOSE_METHOD: {
        amqp_channel_close_t *m = d;
        text_printf(t, " %u %.*s %u.%u", m->reply_code, TEXT(m->reply_text), m->class_id, m->method_id);
        break;
    }
    case AMQP_CONNECTION_BLOCKED_METHOD:
        text_printf(t, " %.*s", TEXT(((amqp_connection_blocked_t *)d)->reason));
        break;
    case AMQP_QUEUE_DECLARE_OK_METHOD: {
        amqp_queue_declare_ok_t *m = d;
        text_printf(t, " %.*s %u %u", TEXT(m->queue), m->message_count, m->consumer_count);
        break;
    }
    case AMQP_QUEUE_PURGE_OK_METHOD:
        text_printf(t, " %u", ((amqp_queue_purge_ok_t *)d)->message_count);
        break;
    case AMQP_QUEUE_DELETE_OK_METHOD:
        text_printf(t, " %u", ((amqp_queue_delete_ok_t *)d)->message_count);
        break;
    case AMQP_BASIC_CONSUME_OK_METHOD:
        text_printf(t, " %.*s", TEXT(((amqp_basic_consume_ok_t *)d)->consumer_tag));
        break;
    case AMQP_BASIC_CANCEL_METHOD:
        text_printf(t, " %.*s", TEXT(((amqp_basic_cancel_t *)d)->consumer_tag));
        break;
    case AMQP_BASIC_CANCEL_OK_METHOD:
        text_printf(t, " %.*s", TEXT(((amqp_basic_cancel_ok_t *)d)->consumer_tag));
        break;
    case AMQP_BASIC_DELIVER_METHOD: {
        amqp_basic_deliver_t *m = d;
        text_printf(t, " %.*s %llu%s", TEXT(m->consumer_tag), (unsigned long long)m->delivery_tag,
                    m->redelivered ? " redelivered" : "");
        break;
    }
    case AMQP_BASIC_GET_OK_METHOD: {
        amqp_basic_get_ok_t *m = d;
        text_printf(t, " %llu%s left %u", (unsigned long long)m->delivery_tag,
                    m->redelivered ? " redelivered" : "", m->message_count);
        break;
    }
    case AMQP_BASIC_RETURN_METHOD: {
        amqp_basic_return_t *m = d;
        text_printf(t, " %u %.*s", m->reply_code, TEXT(m->reply_text));
        break;
    }
    case AMQP_BASIC_ACK_METHOD: {
        amqp_basic_ack_t *m = d;
        text_printf(t, " %llu%s", (unsigned long long)m->delivery_tag, m->multiple ? " multiple" : "");
        break;
    }
    case AMQP_BASIC_NACK_METHOD: {
        amqp_basic_nack_t *m = d;
        text_printf(t, " %llu%s", (unsigned long long)m->delivery_tag, m->multiple ? " multiple" : "");
        break;
    }
    default: break;
    }
    empty_amqp_pool(&pool);
}

/* A method's line; for one that carries a message, its body follows in the same line. */
const char *client_read(struct client *c)
{
    text_clear(&c->line);
    uint64_t body_left = 0;
    bool want_header = false;
    while (c->in_at < c->in.len) {
        struct bytes rest = bytes_of(c->in.items + c->in_at, c->in.len - c->in_at);
        if (rest.len >= 8 && memcmp(rest.data, "AMQP", 4) == 0) {
            c->in_at += 8;
            text_add(&c->line, "protocol header");
            return c->line.s;
        }
        struct wire_frame f;
        int64_t len = wire_amqp_frame(rest, LIMIT_FRAME_MAX, &f);
        assert_true(len > 0); /* whole frames come out */
        c->in_at += (size_t)len;
        if (f.type == WIRE_FRAME_HEARTBEAT) {
            text_add(&c->line, "heartbeat");
            return c->line.s;
        }
        if (f.type == WIRE_FRAME_METHOD) {
            assert_true(body_left == 0 && !want_header);
            uint32_t method = wire_get32(f.payload.data);
            text_printf(&c->line, "%u: ", f.channel);
            say_method(
                &c->line, method,
                (amqp_bytes_t){.len = f.payload.len - 4, .bytes = (void *)(uintptr_t)(f.payload.data + 4)});
            if (method != AMQP_BASIC_DELIVER_METHOD && method != AMQP_BASIC_GET_OK_METHOD &&
                method != AMQP_BASIC_RETURN_METHOD)
                return c->line.s;
            want_header = true;
            continue;
        }
        if (f.type == WIRE_FRAME_HEADER) {
            struct wire_header h;
            assert_true(want_header);
            assert_int_equal(wire_get_header(f.payload, &h), 0);
            text_clear(&c->props);
            text_add_bytes(&c->props, h.props.data, h.props.len);
            want_header = false;
            body_left = h.body_size;
            text_add(&c->line, body_left > 100 ? "" : " ");
            if (body_left > 100)
                text_printf(&c->line, " (%llu octets)", (unsigned long long)body_left);
        } else {
            assert_true(body_left >= f.payload.len);
            if (body_left <= 100 && c->line.s[c->line.len - 1] != ')')
                text_add_bytes(&c->line, f.payload.data, f.payload.len);
            body_left -= f.payload.len;
        }
        if (body_left == 0)
            return c->line.s;
    }
    assert_true(body_left == 0 && !want_header);
    return NULL;
}

void client_drain(struct client *c)
{
    while (client_read(c))
        ;
}

void expect_at(struct client *c, const char *line, const char *file, int at)
{
    const char *got = client_read(c);
    size_t len = line ? strlen(line) : 0;
    bool same =
        line && got && (len && line[len - 1] == '*' ? strncmp(line, got, len - 1) == 0 : !strcmp(line, got));
    if (same || (!line && !got))
        return;
    print_error("expected: %s\ncame:     %s\n", line ? line : "(nothing)", got ? got : "(nothing)");
    _fail(file, at);
}

/* output.c: what goes to a client: gathered over a turn, in order, in one buffer that is handed over whole. A
 * large body is not copied into it but travels as a reference between two parts of the buffer. */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

static void send_gathered(struct connection *c)
{
    struct broker *b = c->broker;
    if (c->out.len == 0)
        return;
    struct effect *fx = effects_add(b->out, FX_REPLY);
    fx->u.client.conn = c->id;
    fx->u.client.data = c->out.items;
    fx->u.client.data_len = c->out.len;
    fx->u.client.msg = c->out_body;
    fx->u.client.split = c->out_split;
    size_t sent = c->out.len + (c->out_body ? c->out_body->body_len : 0);
    c->bytes_out += sent;
    c->unsent += sent;
    c->last_out = b->now;
    /* the next turn of a busy connection is about as large: no growing step by step */
    c->out_last = c->out.len;
    c->out = (struct wire_buffer){0};
    c->out_body = NULL;
    c->out_split = 0;
}

void output_check(struct connection *c)
{
    if (c->out.len >= BROKER_OUT_FLUSH && c->state != CONNECTION_CLOSED)
        send_gathered(c);
}

void output_message(struct connection *c, uint16_t channel, struct message *m)
{
    struct wire_buffer *out = &c->out;
    if (out->cap == 0 && c->out_last)
        VEC_RESERVE(out, u64_min(c->out_last + 64, BROKER_OUT_FLUSH * 2));
    c->frames_out += 2;
    wire_put_header(out, channel, m->body_len, message_props(m));
    if (m->body_len == 0)
        return;
    c->frames_out++;
    if (m->body_len < BROKER_BODY_BY_REF || m->body_len > c->frame_max - WIRE_FRAME_OVERHEAD) {
        wire_put_body(out, channel, message_body(m), c->frame_max);
    } else {
        if (c->out_body) /* an effect carries one: the former goes first */
            send_gathered(c);
        wire_put_body_head(out, channel, m->body_len);
        c->out_split = out->len;
        c->out_body = message_ref(m);
        wire_put_end(out);
    }
}

void output_flush(struct connection *c)
{
    struct broker *b = c->broker;
    if (c->dead)
        return;
    send_gathered(c);
    if (c->close_after_output) {
        c->close_after_output = false;
        effects_add(b->out, FX_CLOSE)->u.client.conn = c->id;
    }
}

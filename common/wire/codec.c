/* codec.c: the primitives, and the structs that both peer messages and log records carry. */
#include "wire/codec.h"

#include <stdlib.h>

#include "base/ban.h"

void codec_fail(struct codec *c, int err)
{
    if (!c->err)
        c->err = err;
    c->at = c->end;
}

/* the next len bytes of the input, or NULL */
static const uint8_t *take(struct codec *c, size_t len)
{
    if (c->err || (size_t)(c->end - c->at) < len) {
        codec_fail(c, ERR_TRUNCATED);
        return NULL;
    }
    const uint8_t *p = c->at;
    c->at += len;
    return p;
}

void codec_u8(struct codec *c, uint8_t *v)
{
    if (c->out) {
        text_add_bytes(c->out, v, 1);
        return;
    }
    const uint8_t *p = take(c, 1);
    *v = p ? *p : 0;
}

void codec_bool(struct codec *c, bool *v)
{
    uint8_t b = *v ? 1 : 0;
    codec_u8(c, &b);
    *v = b != 0;
}

void codec_u32(struct codec *c, uint32_t *v)
{
    if (c->out) {
        uint8_t b[4] = {(uint8_t)(*v >> 24), (uint8_t)(*v >> 16), (uint8_t)(*v >> 8), (uint8_t)*v};
        text_add_bytes(c->out, b, 4);
        return;
    }
    const uint8_t *p = take(c, 4);
    *v = p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

void codec_u64(struct codec *c, uint64_t *v)
{
    uint32_t high = (uint32_t)(*v >> 32), low = (uint32_t)*v;
    codec_u32(c, &high);
    codec_u32(c, &low);
    *v = (uint64_t)high << 32 | low;
}

void codec_i32(struct codec *c, int32_t *v)
{
    uint32_t u = (uint32_t)*v;
    codec_u32(c, &u);
    *v = (int32_t)u;
}

void codec_i64(struct codec *c, int64_t *v)
{
    uint64_t u = (uint64_t)*v;
    codec_u64(c, &u);
    *v = (int64_t)u;
}

void codec_str(struct codec *c, char **s)
{
    uint32_t len = *s ? (uint32_t)strlen(*s) : UINT32_MAX;
    if (c->out) {
        codec_u32(c, &len);
        if (*s)
            text_add_bytes(c->out, *s, len);
        return;
    }
    *s = NULL;
    codec_u32(c, &len);
    if (c->err || len == UINT32_MAX)
        return;
    const uint8_t *p = take(c, len);
    if (!p)
        return;
    if (memchr(p, 0, len)) {
        codec_fail(c, ERR_INVALID);
        return;
    }
    *s = xstrndup((const char *)p, len);
}

void codec_blob(struct codec *c, uint8_t **data, uint32_t *len)
{
    codec_u32(c, len);
    if (c->out) {
        text_add_bytes(c->out, *data, *len);
        return;
    }
    *data = NULL;
    const uint8_t *p = take(c, *len);
    if (p)
        *data = (uint8_t *)xstrndup((const char *)p, *len);
    else
        *len = 0;
}

bool codec_count(struct codec *c, size_t *len, size_t min_item)
{
    uint32_t n = (uint32_t)*len;
    codec_u32(c, &n);
    if (!c->out && (size_t)(c->end - c->at) / min_item < n) {
        codec_fail(c, ERR_TRUNCATED);
        n = 0;
    }
    *len = n;
    return n > 0 && !c->err;
}

/* flags u8 (1: there, 2: persistent) | priority u8 | exchange u8 | key u8 | props u32 | body u32 | expiration
 * u64 | bytes */
void codec_message(struct codec *c, struct message **msg)
{
    enum { THERE = 1, PERSISTENT = 2 };
    if (c->out) {
        const struct message *m = *msg;
        uint8_t flags = m ? (uint8_t)(THERE | (m->persistent ? PERSISTENT : 0)) : 0;
        codec_u8(c, &flags);
        if (!m)
            return;
        uint8_t lens[3] = {m->priority, m->exchange_len, m->key_len};
        text_add_bytes(c->out, lens, 3);
        uint32_t props = m->props_len, body = m->body_len;
        uint64_t expiration = m->expiration_ms;
        codec_u32(c, &props);
        codec_u32(c, &body);
        codec_u64(c, &expiration);
        text_add_bytes(c->out, m->data, (size_t)m->exchange_len + m->key_len + props + body);
        return;
    }
    *msg = NULL;
    uint8_t flags = 0, priority = 0, exchange = 0, key = 0;
    uint32_t props = 0, body = 0;
    uint64_t expiration = 0;
    codec_u8(c, &flags);
    if (!(flags & THERE))
        return;
    codec_u8(c, &priority);
    codec_u8(c, &exchange);
    codec_u8(c, &key);
    codec_u32(c, &props);
    codec_u32(c, &body);
    codec_u64(c, &expiration);
    const uint8_t *p = take(c, (size_t)exchange + key + props + body);
    if (!p)
        return;
    struct message *m = message_create(bytes_of(p, exchange), bytes_of(p + exchange, key),
                                       bytes_of(p + exchange + key, props), p + exchange + key + props, body);
    m->persistent = (flags & PERSISTENT) != 0;
    m->priority = priority;
    m->expiration_ms = expiration;
    *msg = m;
}

void codec_range(struct codec *c, struct id_range *r)
{
    codec_u64(c, &r->first);
    codec_u64(c, &r->last);
    if (!c->out && r->last < r->first)
        codec_fail(c, ERR_INVALID);
}

void codec_forgotten(struct codec *c, struct forgotten *f)
{
    codec_u8(c, &f->node);
    codec_u64(c, &f->epoch);
    if (!c->out && f->node >= LIMIT_NODES)
        codec_fail(c, ERR_INVALID);
}

static void codec_args(struct codec *c, struct queue_args *a)
{
    codec_str(c, &a->json);
    codec_str(c, &a->master_locator);
    codec_i64(c, &a->message_ttl_ms);
    codec_i64(c, &a->expires_ms);
    codec_i64(c, &a->max_length);
    codec_i64(c, &a->max_length_bytes);
    codec_str(c, &a->overflow);
    codec_str(c, &a->dead_letter_exchange);
    codec_str(c, &a->dead_letter_key);
    codec_i32(c, &a->max_priority);
    codec_bool(c, &a->single_active_consumer);
    if (!c->out && !a->json)
        codec_fail(c, ERR_INVALID);
}

static void codec_reigns(struct codec *c, struct reigns *r)
{
    codec_u8(c, &r->len);
    if (r->len > LIMIT_REIGNS) {
        r->len = 0;
        codec_fail(c, ERR_INVALID);
    }
    for (size_t i = 0; i < r->len; i++) {
        codec_u64(c, &r->items[i].from);
        codec_u64(c, &r->items[i].number);
    }
}

void codec_meta_entry(struct codec *c, struct meta_entry *e)
{
    CODEC_ENUM(c, e->type, META_QUEUE, META_FORGET);
    if (!c->out) {
        enum meta_type type = e->type;
        meta_entry_init(e, type);
    }
    switch (e->type) {
    case META_QUEUE:
        codec_str(c, &e->name);
        codec_u64(c, &e->uid);
        codec_u64(c, &e->generation);
        codec_bool(c, &e->durable);
        codec_bool(c, &e->auto_delete);
        codec_u8(c, &e->owner.node);
        codec_u64(c, &e->owner.incarnation);
        codec_u64(c, &e->owner.connection);
        codec_args(c, &e->args);
        CODEC_ENUM(c, e->state, QUEUE_RUNNING, QUEUE_DOWN);
        codec_u8(c, &e->master);
        codec_u8(c, &e->mirrors_len);
        if (e->mirrors_len > LIMIT_NODES) {
            e->mirrors_len = 0;
            codec_fail(c, ERR_INVALID);
        }
        for (size_t i = 0; i < e->mirrors_len; i++) {
            codec_u8(c, &e->mirrors[i]);
            codec_u32(c, &e->since[i]);
        }
        codec_u32(c, &e->synced);
        codec_reigns(c, &e->reigns);
        if (!c->out && !e->name)
            codec_fail(c, ERR_INVALID);
        break;
    case META_QUEUE_REMOVE:
        codec_u64(c, &e->uid);
        codec_str(c, &e->name);
        break;
    case META_SYNCED:
        codec_u64(c, &e->uid);
        codec_u64(c, &e->generation);
        codec_u8(c, &e->master);
        codec_u32(c, &e->since[0]);
        break;
    case META_POLICY:
        codec_str(c, &e->name);
        codec_str(c, &e->pattern);
        codec_str(c, &e->apply_to);
        codec_str(c, &e->definition);
        codec_i32(c, &e->priority);
        if (!c->out && (!e->name || !e->pattern || !e->apply_to || !e->definition))
            codec_fail(c, ERR_INVALID);
        break;
    case META_POLICY_REMOVE:
        codec_str(c, &e->name);
        if (!c->out && !e->name)
            codec_fail(c, ERR_INVALID);
        break;
    case META_KEY:
        codec_blob(c, &e->key, &e->key_len);
        codec_blob(c, &e->value, &e->value_len);
        codec_str(c, &e->queue);
        codec_bool(c, &e->durable);
        codec_bool(c, &e->if_absent);
        break;
    case META_KEY_REMOVE:
        codec_blob(c, &e->key, &e->key_len);
        codec_bool(c, &e->prefix);
        break;
    case META_FORGET:
        codec_u8(c, &e->master);
        if (!c->out && e->master >= LIMIT_NODES)
            codec_fail(c, ERR_INVALID);
        break;
    }
}

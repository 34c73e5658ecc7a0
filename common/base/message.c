/* message.c: one message, once in memory. */
#include "base/message.h"

#include <stdlib.h>

#include "base/ban.h"

struct message *message_create(struct bytes exchange, struct bytes key, struct bytes props, const void *body,
                               size_t body_len)
{
    ASSERT(exchange.len <= 255 && key.len <= 255 && body_len <= UINT32_MAX && props.len <= UINT32_MAX);
    struct message *m = xmalloc(sizeof(*m) + exchange.len + key.len + props.len + body_len);
    *m = (struct message){
        .refs = 1,
        .exchange_len = (uint8_t)exchange.len,
        .key_len = (uint8_t)key.len,
        .props_len = (uint32_t)props.len,
        .body_len = (uint32_t)body_len,
        .expiration_ms = UINT64_MAX,
    };
    uint8_t *at = m->data;
    if (exchange.len)
        memcpy(at, exchange.data, exchange.len);
    at += exchange.len;
    if (key.len)
        memcpy(at, key.data, key.len);
    at += key.len;
    if (props.len)
        memcpy(at, props.data, props.len);
    at += props.len;
    if (body && body_len)
        memcpy(at, body, body_len);
    return m;
}

uint8_t *message_body_space(struct message *m)
{
    return m->data + m->exchange_len + m->key_len + m->props_len;
}

/* ---- regions ---- */

/* A message in a region has a pointer to the region in front of it. */
#define REGION_HEAD sizeof(struct message_region *)

size_t message_region_size(const struct message *m)
{
    return (REGION_HEAD + message_size(m) + 7) & ~(size_t)7;
}

struct message *message_copy_to(const struct message *m, void *at, struct message_region *region)
{
    memcpy(at, &region, REGION_HEAD);
    struct message *copy = (struct message *)(void *)((char *)at + REGION_HEAD);
    memcpy(copy, m, message_size(m));
    copy->refs = 1;
    copy->in_region = true;
    region->live++;
    return copy;
}

static struct message_region *region_of(const struct message *m)
{
    struct message_region *region;
    memcpy(&region, (const char *)m - REGION_HEAD, REGION_HEAD);
    return region;
}

void message_region_release(struct message_region *region)
{
    ASSERT(region->live > 0);
    if (--region->live > 0)
        return;
    region->next = *region->empty;
    *region->empty = region;
}

/* ---- references ---- */

void message_unref(struct message *m)
{
    if (!m)
        return;
    ASSERT(m->refs > 0);
    if (--m->refs > 0)
        return;
    if (m->in_region)
        message_region_release(region_of(m));
    else
        free(m);
}

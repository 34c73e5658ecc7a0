/* message.h: one message, once in memory. From the publisher's socket to the mirrors' and the consumers'
 * sockets everyone holds a reference to the same bytes. Immutable once published. Not for several threads. */
#ifndef BASE_MESSAGE_H
#define BASE_MESSAGE_H

#include "base/base.h"

struct message {
    uint32_t refs;
    bool persistent : 1;  /* delivery-mode 2 */
    bool in_region : 1;   /* its memory is a region's (below), not the heap's */
    uint8_t priority;     /* basic property, 0 if absent */
    uint8_t exchange_len; /* published to; "" is the default exchange */
    uint8_t key_len;      /* routing key */
    uint32_t props_len;   /* property flags and list, as on the wire after body size (AMQP 4.2.6.1) */
    uint32_t body_len;
    uint64_t expiration_ms; /* basic property; UINT64_MAX if absent */
    uint8_t data[];         /* exchange, key, props, body */
};

/* Copies exchange, key and props; body may be NULL (then it is filled in through message_body_space before
 * anyone else sees the message). One reference, the caller's. */
struct message *message_create(struct bytes exchange, struct bytes key, struct bytes props, const void *body,
                               size_t body_len);
uint8_t *message_body_space(struct message *m);

static inline struct message *message_ref(struct message *m)
{
    m->refs++;
    return m;
}
void message_unref(struct message *m); /* takes NULL */

/* Memory for many messages that is not the heap's (common/host/pager.h). Whoever made it gives it back once
 * no message lives in it: then it stands in the list it names. */
struct message_region {
    uint32_t live;                 /* messages in it, and one for its maker as long as it is being filled */
    struct message_region **empty; /* the list it is put into when the last one goes, */
    struct message_region *next;   /* linked by this */
};
/* Bytes that m takes in a region. */
size_t message_region_size(const struct message *m);
/* A copy of m at `at` (8-aligned, message_region_size(m) bytes of the region's memory); one reference, the
 * caller's. */
struct message *message_copy_to(const struct message *m, void *at, struct message_region *region);
void message_region_release(struct message_region *region); /* one of `live` goes */

static inline struct bytes message_exchange(const struct message *m)
{
    return bytes_of(m->data, m->exchange_len);
}
static inline struct bytes message_key(const struct message *m)
{
    return bytes_of(m->data + m->exchange_len, m->key_len);
}
static inline struct bytes message_props(const struct message *m)
{
    return bytes_of(m->data + m->exchange_len + m->key_len, m->props_len);
}
static inline struct bytes message_body(const struct message *m)
{
    return bytes_of(m->data + m->exchange_len + m->key_len + m->props_len, m->body_len);
}
static inline size_t message_size(const struct message *m)
{
    return sizeof(*m) + m->exchange_len + m->key_len + m->props_len + m->body_len;
}

#endif

/* message.h: one message, once in memory. From the publisher's socket to the mirrors' and the consumers'
 * sockets everyone holds a reference to the same bytes. Immutable once published. Not for several threads. */
#ifndef BASE_MESSAGE_H
#define BASE_MESSAGE_H

#include "base/base.h"

struct message {
    uint32_t refs;
    bool persistent;      /* delivery-mode 2 */
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

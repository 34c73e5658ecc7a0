/* wire/amqp.h: AMQP 0-9-1 as bytes: frames out of a stream that may be cut anywhere, methods through
 * rabbitmq-c's codec, and by hand the few that carry messages (publish, header, deliver, ack): those run
 * once per message, and must not allocate.
 *
 *     frame   | type 1 | channel 2 | size 4 | payload (size) | 0xCE |     AMQP 4.2.3
 *     method  | class 2 | method 2 | arguments |                          4.2.4
 *     header  | class 2 | weight 2 | body size 8 | flags 2.. | list |     4.2.6.1 */
#ifndef WIRE_AMQP_H
#define WIRE_AMQP_H

#include "base/err.h"
#include "base/vec.h"

#define WIRE_FRAME_METHOD    1
#define WIRE_FRAME_HEADER    2
#define WIRE_FRAME_BODY      3
#define WIRE_FRAME_HEARTBEAT 8
#define WIRE_FRAME_END       0xCE
#define WIRE_FRAME_HEAD      7 /* type, channel, size */
#define WIRE_FRAME_OVERHEAD  8 /* and the end octet */

/* "AMQP" 0 0 9 1 */
extern const uint8_t wire_protocol_header[8];

static inline uint16_t wire_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t wire_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline uint64_t wire_get64(const uint8_t *p)
{
    return (uint64_t)wire_get32(p) << 32 | wire_get32(p + 4);
}

/* ---- reading ---- */

struct wire_frame {
    uint8_t type;
    uint16_t channel;
    uint32_t size;        /* as announced, also when the frame is refused */
    uint8_t end;          /* the octet where WIRE_FRAME_END belongs */
    struct bytes payload; /* points into the input */
};

/* The first frame of `in`: its whole length in bytes; 0 if more bytes are needed; ERR_TOO_LARGE if it
 * announces more than frame_max (which counts the 8 octets around the payload); ERR_INVALID if it does not
 * end in 0xCE (*out is filled in both cases, as far as it came). */
int64_t wire_amqp_frame(struct bytes in, uint32_t frame_max, struct wire_frame *out);

struct wire_publish { /* basic.publish; strings point into the input */
    struct bytes exchange, key;
    bool mandatory, immediate;
};
int wire_get_publish(struct bytes arguments, struct wire_publish *out); /* 0 or ERR_INVALID */

struct wire_ack { /* basic.ack, basic.nack, basic.reject */
    uint64_t tag;
    bool multiple, requeue;
};
int wire_get_ack(uint32_t method, struct bytes arguments, struct wire_ack *out); /* 0 or ERR_INVALID */

struct wire_header { /* a content header */
    uint16_t class_id, weight;
    uint64_t body_size;
    struct bytes props;      /* flags and list, as they are kept in a message */
    uint8_t delivery_mode;   /* 0: absent */
    uint8_t priority;        /* 0: absent */
    struct bytes expiration; /* data NULL: absent, as below */
    struct bytes user_id;
    struct bytes headers; /* the table with its 4 length octets */
};
/* ERR_TRUNCATED: not even the fixed part; ERR_INVALID: the property list is not one (*out has the fixed part)
 */
int wire_get_header(struct bytes payload, struct wire_header *out);

/* True if data is one whole field table (4 length octets and exactly that much), nested at most
 * WIRE_TABLE_DEPTH deep. Whatever goes to rabbitmq-c's decoder passes here first: it recurses. */
#define WIRE_TABLE_DEPTH 32
bool wire_table_valid(struct bytes data);

/* False if these cannot be the arguments of this method: something is missing, left over, or nested too deep.
 * True for methods that no client sends. */
bool wire_method_valid(uint32_t method, struct bytes arguments);

/* ---- writing: everything appends whole frames ---- */

struct wire_buffer {
    uint8_t *items;
    size_t len, cap;
};

/* room for n more octets; the caller fills them and adds to len */
static inline uint8_t *wire_space(struct wire_buffer *b, size_t n)
{
    VEC_RESERVE(b, b->len + n);
    return b->items + b->len;
}

/* A method through rabbitmq-c's encoder. `decoded` is its amqp_..._t. What does not fit frame_max is a
 * mistake of the caller's (strings are bounded before). */
void wire_put_method(struct wire_buffer *b, uint16_t channel, uint32_t method, void *decoded);
void wire_put_deliver(struct wire_buffer *b, uint16_t channel, struct bytes consumer_tag, uint64_t tag,
                      bool redelivered, struct bytes exchange, struct bytes key);
void wire_put_get_ok(struct wire_buffer *b, uint16_t channel, uint64_t tag, bool redelivered,
                     struct bytes exchange, struct bytes key, uint32_t left);
void wire_put_return(struct wire_buffer *b, uint16_t channel, uint16_t code, const char *text,
                     struct bytes exchange, struct bytes key);
void wire_put_header(struct wire_buffer *b, uint16_t channel, uint64_t body_size, struct bytes props);
void wire_put_body(struct wire_buffer *b, uint16_t channel, struct bytes body, uint32_t frame_max);
void wire_put_body_head(struct wire_buffer *b, uint16_t channel,
                        uint32_t size); /* the 7 octets before a body */
void wire_put_end(struct wire_buffer *b);
/* basic.ack (nack false) or basic.nack to a publisher */
void wire_put_confirm(struct wire_buffer *b, uint16_t channel, bool nack, uint64_t tag, bool multiple);
void wire_put_heartbeat(struct wire_buffer *b);

#endif

/* amqp.h: a small AMQP 0-9-1 client for measuring and for tests that must send what no client library would.
 * Frames are laid out by hand into one buffer and go out in one write; what came in one read is walked frame
 * by frame. One channel, number 1.
 *
 * The rule it keeps: the generator must cost less than what it measures. Errors are the caller's: a function
 * returns false and leaves a sentence in conn->error. */
#ifndef BENCH_AMQP_H
#define BENCH_AMQP_H

#include "base/base.h"

enum { AMQP_FRAME_METHOD = 1, AMQP_FRAME_HEADER = 2, AMQP_FRAME_BODY = 3, AMQP_FRAME_HEARTBEAT = 8 };

/* class and method in one number, as they stand in a method frame's first four bytes */
#define AMQP_METHOD(class_id, method_id) ((uint32_t)(class_id) << 16 | (uint32_t)(method_id))
enum {
    M_CONNECTION_START = AMQP_METHOD(10, 10),
    M_CONNECTION_START_OK = AMQP_METHOD(10, 11),
    M_CONNECTION_TUNE = AMQP_METHOD(10, 30),
    M_CONNECTION_TUNE_OK = AMQP_METHOD(10, 31),
    M_CONNECTION_OPEN = AMQP_METHOD(10, 40),
    M_CONNECTION_OPEN_OK = AMQP_METHOD(10, 41),
    M_CONNECTION_CLOSE = AMQP_METHOD(10, 50),
    M_CONNECTION_CLOSE_OK = AMQP_METHOD(10, 51),
    M_CHANNEL_OPEN = AMQP_METHOD(20, 10),
    M_CHANNEL_OPEN_OK = AMQP_METHOD(20, 11),
    M_CHANNEL_CLOSE = AMQP_METHOD(20, 40),
    M_CHANNEL_CLOSE_OK = AMQP_METHOD(20, 41),
    M_QUEUE_DECLARE = AMQP_METHOD(50, 10),
    M_QUEUE_DECLARE_OK = AMQP_METHOD(50, 11),
    M_QUEUE_PURGE = AMQP_METHOD(50, 30),
    M_QUEUE_PURGE_OK = AMQP_METHOD(50, 31),
    M_QUEUE_DELETE = AMQP_METHOD(50, 40),
    M_QUEUE_DELETE_OK = AMQP_METHOD(50, 41),
    M_BASIC_QOS = AMQP_METHOD(60, 10),
    M_BASIC_QOS_OK = AMQP_METHOD(60, 11),
    M_BASIC_CONSUME = AMQP_METHOD(60, 20),
    M_BASIC_CONSUME_OK = AMQP_METHOD(60, 21),
    M_BASIC_PUBLISH = AMQP_METHOD(60, 40),
    M_BASIC_DELIVER = AMQP_METHOD(60, 60),
    M_BASIC_ACK = AMQP_METHOD(60, 80),
    M_BASIC_NACK = AMQP_METHOD(60, 120),
    M_CONFIRM_SELECT = AMQP_METHOD(85, 10),
    M_CONFIRM_SELECT_OK = AMQP_METHOD(85, 11),
};

struct amqp_conn {
    int fd; /* non-blocking; -1 once closed */
    uint8_t *in;
    size_t in_at, in_len, in_cap; /* in[in_at .. in_len) is not read yet */
    uint8_t *out;
    size_t out_at, out_len, out_cap; /* out[out_at .. out_len) is not sent yet */
    char error[400];
};

struct amqp_frame {
    uint8_t type;
    uint16_t channel;
    const uint8_t *payload; /* into the connection's buffer, until the next amqp_fill */
    size_t len;
};

/* TCP only; then amqp_login does the handshake, opens channel 1. Waits up to timeout_ms. */
bool amqp_connect(struct amqp_conn *c, const char *host, uint16_t port, int timeout_ms);
bool amqp_login(struct amqp_conn *c, const char *user, const char *password, int timeout_ms);
bool amqp_open(struct amqp_conn *c, const char *host, uint16_t port, const char *user, const char *password);
void amqp_finish(struct amqp_conn *c); /* closes the socket, without a word to the server */

/* Writing: into the out buffer; amqp_flush sends what the socket takes. false: the connection is gone. */
void amqp_put(struct amqp_conn *c, const void *data, size_t len);
void amqp_put_frame(struct amqp_conn *c, uint8_t type, uint16_t channel, const void *payload, size_t len);
bool amqp_flush(struct amqp_conn *c);
bool amqp_flush_all(struct amqp_conn *c, int timeout_ms); /* waits until the socket took everything */

/* Reading: amqp_fill reads once, as much as there is (false: gone, or a wrong frame later);
 * amqp_next gives the next whole frame of what was read: 1, 0 if there is none, -1 if the bytes are no frame.
 */
bool amqp_fill(struct amqp_conn *c);
int amqp_next(struct amqp_conn *c, struct amqp_frame *frame);
uint32_t amqp_method(const struct amqp_frame *frame); /* 0 if it is not a method frame */

/* Waits for the next frame, heartbeats passed over. false: gone or out of time. */
bool amqp_wait(struct amqp_conn *c, struct amqp_frame *frame, int timeout_ms);
/* Waits for one method; a channel.close or connection.close becomes the error ("404 NOT_FOUND - ..."). */
bool amqp_expect(struct amqp_conn *c, uint32_t method, struct amqp_frame *frame, int timeout_ms);

/* Whole round trips. */
bool amqp_declare(struct amqp_conn *c, const char *queue, bool passive, uint32_t *messages, int timeout_ms);
bool amqp_purge(struct amqp_conn *c, const char *queue, int timeout_ms);
bool amqp_delete(struct amqp_conn *c, const char *queue, int timeout_ms);
bool amqp_confirms_on(struct amqp_conn *c);
bool amqp_consume(struct amqp_conn *c, const char *queue, uint16_t prefetch, bool no_ack);

/* The bytes of one publish to the default exchange (method, header and body frame), to be copied again and
 * again. size: the body's, at least 8: its first 8 bytes are a number the caller may set at *body. */
struct amqp_template {
    uint8_t *bytes;
    size_t len, body; /* body: where it starts */
};
void amqp_template_init(struct amqp_template *t, const char *queue, size_t size, bool persistent);
void amqp_template_finish(struct amqp_template *t);
void amqp_put_publish(struct amqp_conn *c, const struct amqp_template *t, uint64_t number);
void amqp_put_ack(struct amqp_conn *c, uint64_t tag, bool multiple);

static inline uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)get_u16(p) << 16 | get_u16(p + 2);
}
static inline uint64_t get_u64(const uint8_t *p)
{
    return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}
static inline void put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static inline void put_u32(uint8_t *p, uint32_t v)
{
    put_u16(p, (uint16_t)(v >> 16));
    put_u16(p + 2, (uint16_t)v);
}
static inline void put_u64(uint8_t *p, uint64_t v)
{
    put_u32(p, (uint32_t)(v >> 32));
    put_u32(p + 4, (uint32_t)v);
}

#endif

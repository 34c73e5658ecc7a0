/* amqp.c: sockets, frames and the few methods that measuring needs (AMQP 0-9-1, sections 2.3 and 4.2). */
#include "tests/bench/amqp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define READ_AT_ONCE (256u << 10)
#define FRAME_LIMIT  (1u << 20)

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

__attribute__((format(printf, 2, 3))) static bool fail(struct amqp_conn *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->error, sizeof(c->error), format, args);
    va_end(args);
    return false;
}

static bool wait_for(struct amqp_conn *c, short events, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline - now_ms();
        if (left < 0)
            return fail(c, "no answer in time");
        struct pollfd p = {.fd = c->fd, .events = events};
        int n = poll(&p, 1, (int)left);
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return fail(c, "poll: %s", strerror(errno));
    }
}

/* ---- bytes --------------------------------------------------------------------------------------------- */

bool amqp_connect(struct amqp_conn *c, const char *host, uint16_t port, int timeout_ms)
{
    memset(c, 0, sizeof(*c));
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return fail(c, "socket: %s", strerror(errno));
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, host, &to.sin_addr);
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    int error = 0;
    if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        error = errno;
        if (error == EINPROGRESS) {
            if (!wait_for(c, POLLOUT, now_ms() + timeout_ms)) {
                amqp_finish(c);
                return false;
            }
            socklen_t len = sizeof(error);
            getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        }
    }
    if (error) {
        amqp_finish(c);
        return fail(c, "%s:%u: %s", host, port, strerror(error));
    }
    return true;
}

void amqp_finish(struct amqp_conn *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    free(c->in);
    free(c->out);
    c->in = c->out = NULL;
    c->in_at = c->in_len = c->in_cap = 0;
    c->out_at = c->out_len = c->out_cap = 0;
}

static uint8_t *out_space(struct amqp_conn *c, size_t len)
{
    if (c->out_at == c->out_len)
        c->out_at = c->out_len = 0;
    if (c->out_len + len > c->out_cap) {
        c->out_cap = (c->out_len + len) * 2;
        c->out = xrealloc(c->out, c->out_cap);
    }
    uint8_t *p = c->out + c->out_len;
    c->out_len += len;
    return p;
}

void amqp_put(struct amqp_conn *c, const void *data, size_t len)
{
    if (len)
        memcpy(out_space(c, len), data, len);
}

static size_t frame_into(uint8_t *p, uint8_t type, uint16_t channel, const void *payload, size_t len)
{
    p[0] = type;
    put_u16(p + 1, channel);
    put_u32(p + 3, (uint32_t)len);
    if (len)
        memcpy(p + 7, payload, len);
    p[7 + len] = 0xce;
    return len + 8;
}

void amqp_put_frame(struct amqp_conn *c, uint8_t type, uint16_t channel, const void *payload, size_t len)
{
    frame_into(out_space(c, len + 8), type, channel, payload, len);
}

bool amqp_flush(struct amqp_conn *c)
{
    while (c->out_at < c->out_len) {
        ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL);
        if (n > 0)
            c->out_at += (size_t)n;
        else if (errno == EAGAIN)
            return true;
        else if (errno != EINTR)
            return fail(c, "send: %s", strerror(errno));
    }
    return true;
}

bool amqp_flush_all(struct amqp_conn *c, int timeout_ms)
{
    int64_t deadline = now_ms() + timeout_ms;
    for (;;) {
        if (!amqp_flush(c))
            return false;
        if (c->out_at == c->out_len)
            return true;
        if (!wait_for(c, POLLOUT, deadline))
            return false;
    }
}

bool amqp_fill(struct amqp_conn *c)
{
    if (c->in_at) {
        memmove(c->in, c->in + c->in_at, c->in_len - c->in_at);
        c->in_len -= c->in_at;
        c->in_at = 0;
    }
    if (c->in_len + READ_AT_ONCE > c->in_cap) {
        c->in_cap = c->in_len + READ_AT_ONCE;
        c->in = xrealloc(c->in, c->in_cap);
    }
    ssize_t n = recv(c->fd, c->in + c->in_len, READ_AT_ONCE, 0);
    if (n > 0) {
        c->in_len += (size_t)n;
        return true;
    }
    if (n == 0)
        return fail(c, "the server closed the connection");
    if (errno == EAGAIN || errno == EINTR)
        return true;
    return fail(c, "recv: %s", strerror(errno));
}

int amqp_next(struct amqp_conn *c, struct amqp_frame *frame)
{
    size_t have = c->in_len - c->in_at;
    const uint8_t *p = c->in + c->in_at;
    if (have < 7)
        return 0;
    uint32_t len = get_u32(p + 3);
    if (len > FRAME_LIMIT) {
        fail(c, "a frame of %u bytes", len);
        return -1;
    }
    if (have < (size_t)len + 8)
        return 0;
    if (p[7 + len] != 0xce) {
        fail(c, "a frame that does not end with 0xce");
        return -1;
    }
    *frame = (struct amqp_frame){.type = p[0], .channel = get_u16(p + 1), .payload = p + 7, .len = len};
    c->in_at += (size_t)len + 8;
    return 1;
}

uint32_t amqp_method(const struct amqp_frame *frame)
{
    return frame->type == AMQP_FRAME_METHOD && frame->len >= 4 ? get_u32(frame->payload) : 0;
}

/* ---- waiting for answers ------------------------------------------------------------------------------- */

bool amqp_wait(struct amqp_conn *c, struct amqp_frame *frame, int timeout_ms)
{
    int64_t deadline = now_ms() + timeout_ms;
    for (;;) {
        int got = amqp_next(c, frame);
        if (got < 0)
            return false;
        if (got > 0 && frame->type != AMQP_FRAME_HEARTBEAT)
            return true;
        if (got == 0 && (!wait_for(c, POLLIN, deadline) || !amqp_fill(c)))
            return false;
    }
}

bool amqp_expect(struct amqp_conn *c, uint32_t method, struct amqp_frame *frame, int timeout_ms)
{
    if (!amqp_flush_all(c, timeout_ms))
        return false;
    if (!amqp_wait(c, frame, timeout_ms))
        return false;
    uint32_t got = amqp_method(frame);
    if (got == method)
        return true;
    if ((got == M_CHANNEL_CLOSE || got == M_CONNECTION_CLOSE) && frame->len >= 7) {
        size_t len = frame->payload[6];
        if (len > frame->len - 7)
            len = frame->len - 7;
        return fail(c, "%u %.*s", get_u16(frame->payload + 4), (int)len, (const char *)frame->payload + 7);
    }
    return fail(c, "frame type %u, method %u.%u instead of %u.%u", frame->type, got >> 16, got & 0xffff,
                method >> 16, method & 0xffff);
}

/* ---- methods ------------------------------------------------------------------------------------------- */

/* a method frame's payload while it is written */
struct method {
    uint8_t bytes[1024];
    size_t len;
};

static struct method method_begin(uint32_t id)
{
    struct method m = {.len = 4};
    put_u32(m.bytes, id);
    return m;
}
static void add_u8(struct method *m, unsigned v)
{
    m->bytes[m->len++] = (uint8_t)v;
}
static void add_u16(struct method *m, unsigned v)
{
    put_u16(m->bytes + m->len, (uint16_t)v);
    m->len += 2;
}
static void add_u32(struct method *m, uint32_t v)
{
    put_u32(m->bytes + m->len, v);
    m->len += 4;
}
static void add_short(struct method *m, const char *s)
{
    size_t len = strlen(s);
    ASSERT(len < 256);
    add_u8(m, (unsigned)len);
    memcpy(m->bytes + m->len, s, len);
    m->len += len;
}
static bool ask(struct amqp_conn *c, uint16_t channel, const struct method *m, uint32_t answer,
                struct amqp_frame *frame, int timeout_ms)
{
    amqp_put_frame(c, AMQP_FRAME_METHOD, channel, m->bytes, m->len);
    return amqp_expect(c, answer, frame, timeout_ms);
}

bool amqp_login(struct amqp_conn *c, const char *user, const char *password, int timeout_ms)
{
    struct amqp_frame frame;
    amqp_put(c, "AMQP\0\0\x09\x01", 8);
    if (!amqp_expect(c, M_CONNECTION_START, &frame, timeout_ms))
        return false;
    struct method m = method_begin(M_CONNECTION_START_OK);
    add_u32(&m, 0); /* client properties: an empty table */
    add_short(&m, "PLAIN");
    add_u32(&m, (uint32_t)(strlen(user) + strlen(password) + 2));
    add_u8(&m, 0);
    memcpy(m.bytes + m.len, user, strlen(user));
    m.len += strlen(user);
    add_u8(&m, 0);
    memcpy(m.bytes + m.len, password, strlen(password));
    m.len += strlen(password);
    add_short(&m, "en_US");
    if (!ask(c, 0, &m, M_CONNECTION_TUNE, &frame, timeout_ms))
        return false;
    m = method_begin(M_CONNECTION_TUNE_OK);
    add_u16(&m, 8);
    add_u32(&m, 131072);
    add_u16(&m, 0); /* no heartbeats: measuring programs are short, and tests look at the socket */
    amqp_put_frame(c, AMQP_FRAME_METHOD, 0, m.bytes, m.len);
    m = method_begin(M_CONNECTION_OPEN);
    add_short(&m, "/");
    add_short(&m, "");
    add_u8(&m, 0);
    if (!ask(c, 0, &m, M_CONNECTION_OPEN_OK, &frame, timeout_ms))
        return false;
    m = method_begin(M_CHANNEL_OPEN);
    add_short(&m, "");
    return ask(c, 1, &m, M_CHANNEL_OPEN_OK, &frame, timeout_ms);
}

bool amqp_open(struct amqp_conn *c, const char *host, uint16_t port, const char *user, const char *password)
{
    if (!amqp_connect(c, host, port, 5000))
        return false;
    if (amqp_login(c, user, password, 10000))
        return true;
    char why[sizeof(c->error)];
    memcpy(why, c->error, sizeof(why));
    amqp_finish(c);
    return fail(c, "%s:%u: %.300s", host, port, why);
}

bool amqp_declare(struct amqp_conn *c, const char *queue, bool passive, uint32_t *messages, int timeout_ms)
{
    struct method m = method_begin(M_QUEUE_DECLARE);
    add_u16(&m, 0);
    add_short(&m, queue);
    add_u8(&m, passive ? 1 : 2); /* passive, durable */
    add_u32(&m, 0);
    struct amqp_frame frame;
    if (!ask(c, 1, &m, M_QUEUE_DECLARE_OK, &frame, timeout_ms))
        return false;
    size_t at = 5u + frame.payload[4];
    if (frame.len < at + 8)
        return fail(c, "queue.declare-ok of %zu bytes", frame.len);
    if (messages)
        *messages = get_u32(frame.payload + at);
    return true;
}

bool amqp_purge(struct amqp_conn *c, const char *queue, int timeout_ms)
{
    struct method m = method_begin(M_QUEUE_PURGE);
    add_u16(&m, 0);
    add_short(&m, queue);
    add_u8(&m, 0);
    struct amqp_frame frame;
    return ask(c, 1, &m, M_QUEUE_PURGE_OK, &frame, timeout_ms);
}

bool amqp_delete(struct amqp_conn *c, const char *queue, int timeout_ms)
{
    struct method m = method_begin(M_QUEUE_DELETE);
    add_u16(&m, 0);
    add_short(&m, queue);
    add_u8(&m, 0);
    struct amqp_frame frame;
    return ask(c, 1, &m, M_QUEUE_DELETE_OK, &frame, timeout_ms);
}

bool amqp_confirms_on(struct amqp_conn *c)
{
    struct method m = method_begin(M_CONFIRM_SELECT);
    add_u8(&m, 0);
    struct amqp_frame frame;
    return ask(c, 1, &m, M_CONFIRM_SELECT_OK, &frame, 10000);
}

bool amqp_consume(struct amqp_conn *c, const char *queue, uint16_t prefetch, bool no_ack)
{
    struct method m = method_begin(M_BASIC_QOS);
    add_u32(&m, 0);
    add_u16(&m, prefetch);
    add_u8(&m, 0);
    struct amqp_frame frame;
    if (!ask(c, 1, &m, M_BASIC_QOS_OK, &frame, 10000))
        return false;
    m = method_begin(M_BASIC_CONSUME);
    add_u16(&m, 0);
    add_short(&m, queue);
    add_short(&m, "bench");
    add_u8(&m, no_ack ? 2 : 0);
    add_u32(&m, 0);
    return ask(c, 1, &m, M_BASIC_CONSUME_OK, &frame, 10000);
}

/* ---- publishing in bulk -------------------------------------------------------------------------------- */

void amqp_template_init(struct amqp_template *t, const char *queue, size_t size, bool persistent)
{
    ASSERT(size >= 8);
    struct method m = method_begin(M_BASIC_PUBLISH);
    add_u16(&m, 0);
    add_short(&m, "");
    add_short(&m, queue);
    add_u8(&m, 0);

    struct method header = {.len = 0};
    add_u16(&header, 60);
    add_u16(&header, 0);
    add_u32(&header, 0);
    add_u32(&header, (uint32_t)size);
    add_u16(&header, persistent ? 0x1000 : 0); /* delivery-mode is property 4: bit 12 */
    if (persistent)
        add_u8(&header, 2);

    uint8_t *body = xcalloc(1, size);
    memset(body, 'x', size);
    t->bytes = xmalloc(m.len + header.len + size + 24);
    t->len = frame_into(t->bytes, AMQP_FRAME_METHOD, 1, m.bytes, m.len);
    t->len += frame_into(t->bytes + t->len, AMQP_FRAME_HEADER, 1, header.bytes, header.len);
    t->body = t->len + 7;
    t->len += frame_into(t->bytes + t->len, AMQP_FRAME_BODY, 1, body, size);
    free(body);
}

void amqp_template_finish(struct amqp_template *t)
{
    free(t->bytes);
    t->bytes = NULL;
}

void amqp_put_publish(struct amqp_conn *c, const struct amqp_template *t, uint64_t number)
{
    uint8_t *p = out_space(c, t->len);
    memcpy(p, t->bytes, t->len);
    put_u64(p + t->body, number);
}

void amqp_put_ack(struct amqp_conn *c, uint64_t tag, bool multiple)
{
    uint8_t payload[13];
    put_u32(payload, M_BASIC_ACK);
    put_u64(payload + 4, tag);
    payload[12] = multiple ? 1 : 0;
    amqp_put_frame(c, AMQP_FRAME_METHOD, 1, payload, sizeof(payload));
}

/* stream.c: one TCP connection. */
#include "host/stream.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* below this, copying is cheaper than keeping track of a reference */
#define REFERENCE_FROM 4096

void stream_init(struct stream *s, struct event_base *base, int fd, event_callback_fn *readable,
                 event_callback_fn *writable, void *arg)
{
    evutil_make_socket_nonblocking(fd);
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* we gather ourselves */
    *s = (struct stream){.fd = fd, .out = evbuffer_new()};
    ASSERT(s->out);
    event_assign(&s->readable, base, fd, EV_READ | EV_PERSIST, readable, arg);
    event_assign(&s->writable, base, fd, EV_WRITE, writable, arg);
}

void stream_finish(struct stream *s)
{
    event_del(&s->readable);
    event_del(&s->writable);
    evbuffer_free(s->out);
    close(s->fd);
}

void stream_read(struct stream *s, bool on)
{
    if (on)
        event_add(&s->readable, NULL);
    else
        event_del(&s->readable);
}

void stream_add(struct stream *s, const void *data, size_t len)
{
    if (len && !s->write_failed)
        ASSERT(evbuffer_add(s->out, data, len) == 0);
}

static void body_out(const void *data, size_t len, void *message)
{
    (void)data;
    (void)len;
    message_unref(message);
}

void stream_add_message_body(struct stream *s, struct message *m)
{
    struct bytes body = message_body(m);
    if (body.len < REFERENCE_FROM || s->write_failed)
        stream_add(s, body.data, body.len);
    else
        ASSERT(evbuffer_add_reference(s->out, body.data, body.len, body_out, message_ref(m)) == 0);
}

size_t stream_flush(struct stream *s)
{
    size_t before = stream_pending(s);
    while (stream_pending(s) > 0 && !s->write_failed) {
        int n = evbuffer_write(s->out, s->fd);
        if (n > 0 || (n < 0 && errno == EINTR))
            continue;
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            s->write_failed = true;
            break;
        }
        event_add(&s->writable, NULL);
        return before - stream_pending(s);
    }
    if (s->write_failed) {
        evbuffer_drain(s->out, stream_pending(s));
        event_active(&s->readable, EV_READ, 0); /* what it sent last, and then the end of it */
        return 0;
    }
    return before;
}

void stream_shutdown(struct stream *s)
{
    shutdown(s->fd, SHUT_WR);
}

/* ---- sockets ---- */

static struct addrinfo *resolve(const char *host, uint16_t port, int flags)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];
    snprintf(service, sizeof(service), "%u", port);
    hints.ai_flags |= AI_NUMERICHOST; /* asks nobody */
    if (getaddrinfo(host, service, &hints, &found) == 0)
        return found;
    hints.ai_flags &= ~AI_NUMERICHOST;
    return getaddrinfo(host, service, &hints, &found) == 0 ? found : NULL;
}

static int open_socket(const struct addrinfo *a)
{
    return socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
}

int stream_listen(const char *host, uint16_t port, int *why)
{
    struct addrinfo *a = resolve(host, port, AI_PASSIVE);
    *why = EADDRNOTAVAIL;
    if (!a)
        return -1;
    int fd = open_socket(a), one = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
        bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, SOMAXCONN)) {
        *why = errno;
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(a);
    return fd;
}

int stream_dial(const char *host, uint16_t port)
{
    struct addrinfo *a = resolve(host, port, 0);
    if (!a)
        return -1;
    int fd = open_socket(a);
    if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) && errno != EINPROGRESS) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(a);
    return fd;
}

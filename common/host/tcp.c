/* tcp.c: one TCP connection. */
#include "host/tcp.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* below this, copying is cheaper than keeping track of a reference */
#define REFERENCE_FROM 4096

void tcp_init(struct tcp *s, struct event_base *base, int fd, watch_fn *readable, watch_fn *writable,
              void *arg)
{
    evutil_make_socket_nonblocking(fd);
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* we gather ourselves */
    *s = (struct tcp){.fd = fd, .out = evbuffer_new()};
    ASSERT(s->out);
    s->readable = watch_readable(base, fd, readable, arg);
    s->writable = watch_writable(base, fd, writable, arg);
}

void tcp_finish(struct tcp *s)
{
    watch_destroy(s->readable);
    watch_destroy(s->writable);
    evbuffer_free(s->out);
    close(s->fd);
}

void tcp_read(struct tcp *s, bool on)
{
    if (on)
        watch_on(s->readable);
    else
        watch_off(s->readable);
}

void tcp_add(struct tcp *s, const void *data, size_t len)
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

void tcp_add_message_body(struct tcp *s, struct message *m)
{
    struct bytes body = message_body(m);
    if (body.len < REFERENCE_FROM || s->write_failed)
        tcp_add(s, body.data, body.len);
    else
        ASSERT(evbuffer_add_reference(s->out, body.data, body.len, body_out, message_ref(m)) == 0);
}

size_t tcp_flush(struct tcp *s)
{
    size_t before = tcp_pending(s);
    while (tcp_pending(s) > 0 && !s->write_failed) {
        int n = evbuffer_write(s->out, s->fd);
        if (n > 0 || (n < 0 && errno == EINTR))
            continue;
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            s->write_failed = true;
            break;
        }
        watch_on(s->writable);
        return before - tcp_pending(s);
    }
    if (s->write_failed) {
        evbuffer_drain(s->out, tcp_pending(s));
        watch_now(s->readable); /* what it sent last, and then the end of it */
        return 0;
    }
    return before;
}

void tcp_shutdown(struct tcp *s)
{
    shutdown(s->fd, SHUT_WR);
}

/* ---- sockets ---- */

static struct addrinfo *resolve(const char *host, uint16_t port, int flags)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
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

int tcp_listen(const char *host, uint16_t port, int *why)
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

int tcp_dial(const char *host, uint16_t port)
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

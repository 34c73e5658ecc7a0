/* tcp.h: one TCP connection of a node: bytes out gathered and written with few system calls, and the
 * helpers that listeners and dialers share. Nothing here frees or closes behind its user's back. */
#ifndef HOST_TCP_H
#define HOST_TCP_H

#include <event2/buffer.h>

#include "base/message.h"
#include "host/loop.h"

struct tcp {
    int fd;
    struct watch *readable, *writable;
    struct evbuffer *out;
    bool write_failed; /* the other end is gone: nothing more is written, what it sent can still be read */
};

/* Takes the descriptor (made non-blocking, no delay). Reading begins with tcp_read. */
void tcp_init(struct tcp *s, struct event_base *base, int fd, watch_fn *readable, watch_fn *writable,
              void *arg);
void tcp_finish(struct tcp *s); /* closes */

void tcp_read(struct tcp *s, bool on);
void tcp_add(struct tcp *s, const void *data, size_t len);   /* copies */
void tcp_add_message_body(struct tcp *s, struct message *m); /* a large body by reference */
static inline size_t tcp_pending(const struct tcp *s)
{
    return evbuffer_get_length(s->out);
}

/* Writes what is there; what the socket does not take now is written when it can. Returns how much went out.
 */
size_t tcp_flush(struct tcp *s);
/* No more will be written once what is there is out; reading goes on. */
void tcp_shutdown(struct tcp *s);

/* A listening socket, or -1 and errno's number in *why. host: an address or a name. */
int tcp_listen(const char *host, uint16_t port, int *why);
/* A socket whose connection is under way, or -1. */
int tcp_dial(const char *host, uint16_t port);

#endif

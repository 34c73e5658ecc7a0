/* stream.h: one TCP connection of a node: bytes out gathered and written with few system calls, and the
 * helpers that listeners and dialers share. Nothing here frees or closes behind its user's back. */
#ifndef HOST_STREAM_H
#define HOST_STREAM_H

#include <event2/buffer.h>
#include <event2/event_struct.h>

#include "base/message.h"
#include "host/loop.h"

struct stream {
    int fd;
    struct event readable, writable;
    struct evbuffer *out;
    bool write_failed; /* the other end is gone: nothing more is written, what it sent can still be read */
};

/* Takes the descriptor (made non-blocking, no delay). Reading begins with stream_read. */
void stream_init(struct stream *s, struct event_base *base, int fd, event_callback_fn *readable,
                 event_callback_fn *writable, void *arg);
void stream_finish(struct stream *s); /* closes */

void stream_read(struct stream *s, bool on);
void stream_add(struct stream *s, const void *data, size_t len);      /* copies */
void stream_add_message_body(struct stream *s, struct message *m);    /* a large body by reference */
static inline size_t stream_pending(const struct stream *s) { return evbuffer_get_length(s->out); }

/* Writes what is there; what the socket does not take now is written when it can. Returns how much went out. */
size_t stream_flush(struct stream *s);
/* No more will be written once what is there is out; reading goes on. */
void stream_shutdown(struct stream *s);

/* A listening socket, or -1 and errno's number in *why. host: an address or a name. */
int stream_listen(const char *host, uint16_t port, int *why);
/* A socket whose connection is under way, or -1. */
int stream_dial(const char *host, uint16_t port);

#endif

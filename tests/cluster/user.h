/* user.h: a client of a node as learners write them, with rabbitmq-c: one connection, channel 1, and every
 * word of the broker as an event. For tests that need arguments, capabilities, returns and cancels.
 *
 * The rule it keeps: nothing fails the test here. A function returns false and leaves a sentence in
 * user->error; what the broker itself said stands there letter by letter ("404 NOT_FOUND - ..."). One thread
 * may use one user. */
#ifndef CLUSTER_USER_H
#define CLUSTER_USER_H

#include <amqp.h>

#include "tests/cluster/support.h"

enum { USER_WAIT_MS = 120000 }; /* for an answer; RabbitMQ takes up to 70 s for some of them */

enum user_event {
    USER_NOTHING,  /* no word within the time given */
    USER_DELIVERY, /* tag, redelivered, body */
    USER_ACK,      /* tag, multiple */
    USER_NACK,     /* tag, multiple */
    USER_RETURN,   /* body */
    USER_CANCEL,   /* the broker ended the consumer */
    USER_GONE,     /* the channel or the connection: user->error says why */
};

struct user_news {
    enum user_event event;
    uint64_t tag;
    bool multiple, redelivered;
    const char *body; /* until the next call; ends with a NUL */
    size_t len;
};

struct user {
    amqp_connection_state_t connection; /* NULL: none */
    char error[400];
    struct text body;
};

enum user_flags {
    USER_PASSIVE = 1,
    USER_DURABLE = 2,
    USER_EXCLUSIVE = 4,
    USER_AUTO_DELETE = 8,
    USER_NOWAIT = 16,
};

/* Connects as admin / 123, tells that it understands basic.cancel (consumer_cancel_notify) and nacks. */
bool user_open(struct user *u, const struct lab *lab, unsigned node);
bool user_open_channel(struct user *u); /* again, after the broker closed it */
void user_drop(struct user *u);         /* hangs up without a word; also twice */

bool user_declare(struct user *u, const char *queue, unsigned flags, uint32_t *messages);
/* with one argument, a text; key NULL: none */
bool user_declare_with(struct user *u, const char *queue, unsigned flags, const char *key, const char *value,
                       uint32_t *messages);
bool user_delete(struct user *u, const char *queue, bool if_empty, uint32_t *messages);

bool user_confirms(struct user *u);
bool user_confirms_nowait(struct user *u); /* nobody answers to that */
/* To the default exchange; a NUL-terminated body. */
bool user_publish(struct user *u, const char *queue, const char *body, bool persistent, bool mandatory);

struct user_consumer {
    const char *queue;
    bool no_ack, exclusive, cancel_on_failover; /* x-cancel-on-ha-failover */
    const char *tag;                            /* NULL: the broker makes one up */
    uint16_t prefetch;                          /* 0: no limit */
};
bool user_consume(struct user *u, struct user_consumer how);
bool user_ack(struct user *u, uint64_t tag, bool multiple);
bool user_requeue(struct user *u, uint64_t tag); /* basic.nack, requeue */

/* Takes one message; *empty: there was none (and the answer is true). */
bool user_get(struct user *u, const char *queue, bool no_ack, struct user_news *news, bool *empty);

/* What came next. */
struct user_news user_next(struct user *u, int timeout_ms);
/* Passes over what is not `wanted` until it comes; false: gone (error) or nothing in time (error says so). */
bool user_await(struct user *u, enum user_event wanted, int timeout_ms, struct user_news *news);

#endif

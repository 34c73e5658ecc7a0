/* client.h: AMQP for the lessons' producers and consumers: a thin layer over rabbitmq-c that keeps what a
 * lesson is about in the program and everything else out of it. It works with any AMQP 0-9-1 broker.
 *
 * Functions return 0, or an error code of base/err.h; client_error() then has the words for a reader. What
 * the broker itself said is repeated letter by letter. Not for several threads. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "base/base.h"
#include "base/err.h"

/* ---- the command line -------------------------------------------------------------------------------------
 */

/* What a program accepts: "--name VALUE" with a default, or a switch "--name" if the default is NULL. A table
 * of them ends with {0}. */
struct client_option {
    const char *name, *value, *help;
};

#define CLIENT_OPTIONS_MAX 24

struct client_args {
    const struct client_option *options;
    const char *values[CLIENT_OPTIONS_MAX]; /* by index in options; NULL: a switch that is off */
};

/* Reads argv; prints what is wrong, or the help, and returns false if the program should end. exit_code: 0
 * for
 * --help, 64 for wrong words. */
bool client_args_read(struct client_args *args, int argc, char **argv, const struct client_option *options,
                      int *exit_code);
const char *client_text(const struct client_args *args, const char *name);
long client_number(const struct client_args *args,
                   const char *name); /* checked by client_args_read: its default
                                         is a number, so its value is one */
bool client_switch(const struct client_args *args, const char *name);

/* ---- the broker
 * --------------------------------------------------------------------------------------------- */

struct client;

struct client_message {
    const char *body; /* of a received one: valid until the next client_receive; ends with a NUL */
    size_t len;
    bool persistent;  /* delivery-mode 2: to be kept on disk */
    bool redelivered; /* received: it may have been delivered before */
    uint64_t tag;     /* received: what client_ack acknowledges */
};

/* Connects, logs in, opens one channel on vhost "/". Never NULL; look at the client_error of what comes back:
 * NULL means connected. */
struct client *client_connect(const char *host, long port, const char *user, const char *password);

/* Closes in order: what was published before has reached the broker when this returns 0. */
int client_close(struct client *c);
void client_destroy(struct client *c); /* takes NULL */

/* what went wrong last, in words; NULL: nothing */
const char *client_error(const struct client *c);

/* AMQP queue.declare: not exclusive, not auto-delete. The same declaration again changes nothing. */
int client_declare(struct client *c, const char *queue, bool durable);

/* Publishes to the default exchange, which puts it into the queue of this name. Does not wait. */
int client_publish(struct client *c, const char *queue, const struct client_message *m);

/* Asks the broker to confirm every message from now on; client_confirmed waits until at most `open` are not
 * answered yet. ERR_REFUSED: the broker did not take one (nack); which ones it took says client_took, by
 * their numbers, the first published being 1. */
int client_confirms(struct client *c);
int client_confirmed(struct client *c, uint64_t open, int timeout_ms);
bool client_took(const struct client *c, uint64_t number);

/* AMQP basic.qos, before client_consume: the broker sends no more than this many that are not acknowledged
 * yet. It is of no effect with auto_ack. */
int client_prefetch(struct client *c, long count);

/* Starts consuming; the broker sends what the queue has. auto_ack: a message is gone from the queue as soon
 * as it is sent, whatever becomes of it. */
int client_consume(struct client *c, const char *queue, bool auto_ack);

/* The next message. ERR_TIMEOUT: none came (client_error stays NULL). */
int client_receive(struct client *c, int timeout_ms, struct client_message *m);
int client_ack(struct client *c, const struct client_message *m);

#endif

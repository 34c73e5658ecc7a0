/* broker.h: AMQP 0-9-1's model on top of the mirroring library: connections, channels, exchanges, bindings,
 * consumers. Pure, one step function; takes every event of mirror/event.h and gives the effects marked H of
 * mirror/effects.h. A node is this and a driver. */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "mirror/mirror.h"

struct broker;

struct broker_user {
    const char *name, *password;
    const char *tags;   /* "administrator", "" */
    bool loopback_only; /* guest */
};

struct broker_options {
    struct mirror_options mirror;
    const struct broker_user *users;
    size_t users_len;
    uint16_t heartbeat_s; /* offered at tune; RabbitMQ's default is 60 */
    uint32_t frame_max;   /* LIMIT_FRAME_MAX */
    uint16_t channel_max; /* LIMIT_CHANNEL_MAX */
    const char *product;  /* server-properties */
    const char *version;
};
void broker_options_defaults(struct broker_options *o); /* users: admin/123 and guest/guest from loopback */

struct broker *broker_create(const struct broker_options *o); /* copies what it needs */
void broker_destroy(struct broker *b);                        /* takes NULL */
int broker_recover(struct broker *b, const struct record *rec);
int broker_step(struct broker *b, const struct event *ev, struct effects *out);
ms_time broker_deadline(const struct broker *b);
const struct mirror *broker_mirror(const struct broker *b);
void broker_trace(struct broker *b, bool on); /* mirror_trace */
const struct broker_user *broker_login(const struct broker *b, struct bytes name, struct bytes password,
                                       bool loopback); /* NULL: refused (also HTTP's basic auth) */

/* ---- looking, for the management API; valid until the next step ---- */

struct exchange_info {
    const char *name, *type;
    bool durable, auto_delete, internal;
    const char *arguments;                /* JSON */
    uint64_t published_in, published_out; /* on this node */
};
bool broker_next_exchange(const struct broker *b, size_t *at, struct exchange_info *out);

struct binding_info {
    const char *source, *destination, *destination_type /* "queue", "exchange" */, *key, *arguments,
        *properties_key;
};
bool broker_next_binding(const struct broker *b, size_t *at,
                         struct binding_info *out); /* the default exchange's too */

struct connection_info {
    uint64_t conn;
    const char *name;                            /* "127.0.0.1:44346 -> 127.0.0.1:5674" */
    const char *user, *peer_host, *host, *state; /* "running", "blocked", "flow", "starting", "closing" */
    uint16_t peer_port, port, channels, channel_max, heartbeat_s;
    uint32_t frame_max;
    const char *client_properties; /* JSON */
    uint64_t bytes_in, bytes_out, frames_in, frames_out;
    ms_time connected_at;
};
bool broker_next_connection(const struct broker *b, size_t *at, struct connection_info *out);

struct channel_info {
    uint64_t conn;
    uint16_t number;
    bool confirm;
    uint32_t consumers, prefetch, global_prefetch;
    uint64_t unacked, unconfirmed;
    const char *connection_name, *user;
};
bool broker_next_channel(const struct broker *b, size_t *at, struct channel_info *out);

struct consumer_info {
    const char *queue, *tag, *arguments /* JSON */;
    uint64_t conn;
    uint16_t channel;
    bool no_ack, exclusive;
    bool active; /* false: another one is its queue's single active consumer */
    bool single; /* its queue has such a rule */
    uint32_t prefetch;
    const char *connection_name, *user;
};
bool broker_next_consumer(const struct broker *b, size_t *at, struct consumer_info *out);

struct broker_totals { /* since start, this node */
    uint64_t published, confirmed, delivered, delivered_no_ack, got, got_no_ack, got_empty, acked,
        redelivered, returned, dropped_unroutable, connections_created, connections_closed, channels_created,
        channels_closed, queues_declared, queues_created, queues_deleted;
};
void broker_totals(const struct broker *b, struct broker_totals *out);

/* Closes one AMQP connection from the management side (320 CONNECTION_FORCED with this text). */
bool broker_close_connection(struct broker *b, uint64_t conn, const char *reason, ms_time now,
                             struct effects *out);

/* Publishes through an exchange from the management side, as basic.publish with mandatory would; routed says
 * whether any queue took it. ANSWER-less: returns ERR_NOT_FOUND if the exchange is not there. */
int broker_publish(struct broker *b, const char *exchange, struct message *msg, bool *routed, ms_time now,
                   struct effects *out);

/* Commands of the management side on exchanges and bindings; each ends in FX_ANSWER with this req. */
void broker_declare_exchange(struct broker *b, uint64_t req, const char *name, const char *type, bool durable,
                             bool auto_delete, bool internal, ms_time now, struct effects *out);
void broker_delete_exchange(struct broker *b, uint64_t req, const char *name, bool if_unused, ms_time now,
                            struct effects *out);
void broker_bind(struct broker *b, uint64_t req, bool bind /* false: unbind */, const char *source,
                 const char *destination, bool to_queue, const char *key, ms_time now, struct effects *out);

/* Reads the arguments of a queue that the management side declares, a JSON object, by the rules of
 * queue.declare: NULL, or RabbitMQ's complaint, the caller's to free. *out, which was initialised, is to be
 * finished after a complaint, too. */
char *broker_queue_arguments(const char *json, const char *queue, struct queue_args *out);
/* NULL, or RabbitMQ's words for how arguments that are wanted differ from those that a queue has (both
 * canonical JSON); the caller's to free. */
char *broker_arguments_differ(const char *queue, const char *have, const char *want);

#endif

/* private.h: what the files of the broker share. A node's broker is one struct; connections own channels,
 * channels own consumers; exchanges and bindings are derived from the replicated table and from nothing else.
 *
 * The way through it: a frame is handled by channel.c, which calls the file named after its concern; what the
 * mirroring library answers is gathered in `up` and handled one by one at the top of the stack (step.c), so
 * that no handler runs inside another. Nothing is freed inside a step: what ended goes to the `dead` lists.
 */
#ifndef BROKER_PRIVATE_H
#define BROKER_PRIVATE_H

#include <amqp.h>
#include <amqp_framing.h>

#include "base/err.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/text.h"
#include "base/vec.h"
#include "broker/broker.h"
#include "wire/amqp.h"
#include "wire/amqp_table.h"

/* ---- bounds of this layer, and why ---- */
#define BROKER_OUT_FLUSH    65536       /* gathered output goes on its way past this */
#define BROKER_BODY_BY_REF  4096        /* bodies from here on are not copied into the output */
#define BROKER_OUT_CHOKED   (4u << 20)  /* output not taken yet: no more credit past this */
#define BROKER_HELD_PAUSE   (256 << 10) /* frames that wait behind a command: no more is read past this */
#define BROKER_BODY_AT_ONCE (1u << 20)  /* bodies up to here get their memory when they are announced */
#define BROKER_CONSUMERS    65536       /* of one channel */
#define BROKER_CONFIRM_SLOTS                                                                                 \
    (1u << 20)                      /* channels in confirm mode; cookies have 20 bits for them (confirm.c) */
#define BROKER_HANDSHAKE_MS   10000 /* RabbitMQ's handshake_timeout */
#define BROKER_CLOSING_MS     30000 /* how long a close-ok is waited for */
#define BROKER_DEAF_MS        1000  /* how long a connection whose bytes make no sense may read why */
#define BROKER_KEPT           16384 /* buffers up to here are kept for the next time */
#define BROKER_SETTLE_BATCHES 8     /* groups of acks a channel gathers at once */

/* ---- words of the protocol that replies use ---- */
#define REPLY_TABLE(X)                                                                                       \
    X(REPLY_SUCCESS, 200, "OK", false)                                                                       \
    X(REPLY_NO_ROUTE, 312, "NO_ROUTE", false)                                                                \
    X(REPLY_CONNECTION_FORCED, 320, "CONNECTION_FORCED", true)                                               \
    X(REPLY_ACCESS_REFUSED, 403, "ACCESS_REFUSED", false)                                                    \
    X(REPLY_NOT_FOUND, 404, "NOT_FOUND", false)                                                              \
    X(REPLY_RESOURCE_LOCKED, 405, "RESOURCE_LOCKED", false)                                                  \
    X(REPLY_PRECONDITION_FAILED, 406, "PRECONDITION_FAILED", false)                                          \
    X(REPLY_FRAME_ERROR, 501, "FRAME_ERROR", true)                                                           \
    X(REPLY_SYNTAX_ERROR, 502, "SYNTAX_ERROR", true)                                                         \
    X(REPLY_COMMAND_INVALID, 503, "COMMAND_INVALID", true)                                                   \
    X(REPLY_CHANNEL_ERROR, 504, "CHANNEL_ERROR", true)                                                       \
    X(REPLY_UNEXPECTED_FRAME, 505, "UNEXPECTED_FRAME", true)                                                 \
    X(REPLY_RESOURCE_ERROR, 506, "RESOURCE_ERROR", true)                                                     \
    X(REPLY_NOT_ALLOWED, 530, "NOT_ALLOWED", true)                                                           \
    X(REPLY_NOT_IMPLEMENTED, 540, "NOT_IMPLEMENTED", true)

enum reply_code {
#define X(name, code, word, hard) name = (code),
    REPLY_TABLE(X)
#undef X
};

/* ---- exchanges and bindings (exchange.c), derived from FX_META ---- */

enum exchange_type { EXCHANGE_DIRECT, EXCHANGE_FANOUT, EXCHANGE_TOPIC, EXCHANGE_HEADERS };

struct binding;
struct binding_list {
    struct binding **items;
    size_t len, cap;
};

struct topic_node;

struct exchange {
    char *name;
    enum exchange_type type;
    bool durable, auto_delete, internal;
    bool builtin; /* amq.* and the default one: there from the start, never deleted, not in the table */
    char *uid;    /* which declaration made it; bindings name it, so that old ones never come alive again */
    char *arguments;          /* canonical JSON */
    char *alternate;          /* alternate-exchange or NULL */
    struct binding_list out;  /* from here, in order of binding */
    struct binding_list in;   /* to here */
    struct map direct;        /* DIRECT: key -> struct binding_list */
    struct topic_node *topic; /* TOPIC */
    uint64_t visited;         /* routing: the publish that came by last */
    uint64_t published_in, published_out;
};

/* a queue as a destination: shared by its bindings, so that a publish reaches it once */
struct target {
    char *queue;
    size_t users;
    uint64_t visited;
};

struct binding {
    struct bytes id; /* its key in the replicated table; owned */
    char *source, *destination;
    char *key;
    size_t key_len;
    char *arguments;      /* canonical JSON */
    char *properties_key; /* the management API's name of it within source and destination */
    char *from_uid, *to_uid;
    bool to_queue, durable;
    bool was_whole;        /* both its ends were there at some time */
    json_t *match;         /* headers exchange: the arguments, parsed */
    struct exchange *from; /* NULL while its source or destination exchange is not there */
    struct exchange *to;   /* to an exchange */
    struct target *target; /* to a queue */
};

/* ---- connections ---- */

enum connection_state {
    CONNECTION_HEADER,  /* the protocol header is awaited */
    CONNECTION_START,   /* start-ok */
    CONNECTION_TUNE,    /* tune-ok */
    CONNECTION_OPENING, /* open */
    CONNECTION_RUNNING,
    CONNECTION_CLOSING, /* we sent close; close-ok */
    CONNECTION_CLOSED,  /* FX_CLOSE goes out after the output; nothing is read any more */
};

enum pause { PAUSE_MEMORY = 1, PAUSE_QUEUE = 2, PAUSE_HELD = 4 };

struct channel;
struct consumer;
struct op;

struct connection {
    uint64_t id;
    enum connection_state state;
    struct broker *broker;

    /* what a client said of itself */
    char *name, *user, *peer_host, *host, *client_properties;
    uint16_t peer_port, port, channel_max, heartbeat_s;
    uint32_t frame_max;
    bool loopback, cancel_notify, blocked_notify, failure_close;

    /* reading */
    struct wire_buffer in; /* the beginning of a frame whose end has not come */
    unsigned paused;       /* enum pause, any of them */
    bool published;        /* it publishes: the memory alarm concerns it */
    bool told_blocked;
    VEC(uint64_t) blocked_on; /* uids of queues that must open first */
    size_t held_channels;     /* channels over BROKER_HELD_PAUSE */

    /* writing (output.c) */
    struct wire_buffer out;
    struct message *out_body; /* goes between out[0..out_split] and the rest */
    size_t out_split, out_last;
    uint64_t unsent; /* handed to the host since it last said that the socket took everything */
    bool close_after_output;

    /* channels */
    struct map channels;              /* number -> struct channel */
    struct channel *recent;           /* the one whose frame came last, or NULL: frames come in runs */
    VEC(struct channel *) busy;       /* with acks or confirms to send when the turn ends */
    VEC(struct consumer *) creditors; /* consumers that have credit to give back */

    /* figures and time */
    uint64_t bytes_in, bytes_out, frames_in, frames_out;
    ms_time connected_at, last_in, last_out, closing_at;
    bool touched; /* in broker.touched */
    bool deaf;    /* its bytes make no sense any more */
    bool dead;
};

/* ---- channels ---- */

struct unacked { /* unacked.c: deliveries that a client has not settled, by tag */
    struct unacked_item {
        uint64_t tag;
        uint64_t queue_uid, generation, sub; /* sub 0: from a get */
        msg_id id;
        bool live;
    } * items; /* rising tags; [head, len) */
    size_t head, len, cap;
    size_t live, live_delivered; /* all; those of consumers */
};

struct settle_batch {
    uint64_t queue_uid, generation, sub;
    enum settle how;
    VEC(msg_id) ids;
};

struct confirms {         /* confirm.c: published, not yet told */
    uint32_t slot;        /* in broker.confirm_slots */
    uint64_t base;        /* the sequence number before tag 1 */
    uint64_t first, next; /* [first, next): told in order from first */
    uint32_t *states;     /* ring, by sequence number */
    size_t states_cap;
    uint64_t unresolved;
    VEC(uint64_t) early; /* ended before an older one did */
};

enum content_stage { CONTENT_NONE, CONTENT_HEADER, CONTENT_BODY };

struct content { /* publish.c: a publish whose header or body is still coming */
    uint8_t exchange[255], key[255];
    uint8_t exchange_len, key_len;
    bool mandatory, immediate;
    struct message *msg;      /* with room for its body up to BROKER_BODY_AT_ONCE */
    struct wire_buffer large; /* a larger body grows here as it comes */
    uint64_t body_size, got;
};

struct held_delivery {
    uint64_t sub, queue_uid, generation;
    msg_id id;
    bool redelivered;
    struct message *msg;
};

enum channel_state { CHANNEL_OPEN, CHANNEL_CLOSING /* we sent close */, CHANNEL_CLOSED };

struct channel {
    struct connection *conn;
    uint16_t number;
    enum channel_state state;
    bool touched;  /* in conn.busy */
    bool resuming; /* in broker.resume */

    /* the command that is under way, and the frames that wait behind it */
    struct op *op;
    struct wire_buffer held;
    size_t held_at;
    bool held_much;

    enum content_stage stage;
    struct content *content;

    struct confirms *confirms; /* NULL: not in confirm mode */

    struct map consumers; /* tag -> struct consumer */
    uint32_t prefetch, global_prefetch;
    uint64_t next_tag;
    struct unacked unacked;
    VEC(struct settle_batch) settling;
    VEC(struct held_delivery) held_back; /* by the global prefetch; [held_back_at, len) */
    size_t held_back_at;
    char *last_queue;
};

struct consumer {
    struct channel *channel; /* NULL: cancelled, waiting for the answer only */
    char *tag, *queue, *arguments;
    size_t tag_len;
    uint64_t sub;
    bool no_ack, exclusive;
    bool running; /* the subscription was answered */
    uint32_t prefetch;
    uint32_t owed; /* credit not given back yet */
    bool listed;   /* in conn.creditors */
};

/* ---- commands under way (op.c) ---- */

enum op_type {
    OP_DECLARE,
    OP_REDECLARE, /* passive: only the counts are wanted */
    OP_DELETE,
    OP_PURGE,
    OP_GET,
    OP_CONSUME,
    OP_CANCEL,
    OP_EXCHANGE_DECLARE,
    OP_EXCHANGE_DELETE,
    OP_BIND,
    OP_UNBIND,
};

struct op {
    enum op_type type;
    struct channel *channel; /* NULL: a management command, or the channel ended meanwhile */
    uint64_t host_req;       /* a management command's */
    struct owner owner;
    uint32_t method;
    bool nowait, no_ack, exclusive;
    size_t left;       /* answers still to come */
    char *name, *text; /* queue, exchange or consumer tag; text: for OP_EXCHANGE_DECLARE the value wanted */
    struct bytes id;   /* OP_BIND: the binding; owned */
    uint64_t sub;      /* OP_CONSUME, OP_CANCEL */
    struct queue_args args; /* OP_DECLARE */
    bool durable, auto_delete;
    bool creates; /* OP_DECLARE: it was not there when it was asked for */
    bool compare; /* OP_DECLARE of one that is there, with arguments no queue may have: asked for passively */
};

/* ---- the broker ---- */

struct broker {
    struct mirror *mirror;
    struct broker_options options; /* own copies of everything */
    struct rng rng;

    /* one step */
    ms_time now;
    struct effects *out;
    struct effects up; /* the library's, [up_at, len) not handled yet */
    size_t up_at;
    bool commanded; /* the library was given a command since the last EV_TURN_END */

    /* clients */
    struct map connections; /* id -> struct connection */
    uint32_t clients_told;  /* how many of them the library last heard of */
    VEC(struct connection *) touched;
    VEC(struct channel *) resume; /* have held frames and no command under way */
    VEC(struct connection *) dead_connections;
    VEC(struct channel *) dead_channels;
    struct map subs; /* sub -> struct consumer */
    uint64_t next_sub;
    struct map ops; /* req -> struct op */
    uint64_t next_req;
    VEC(struct confirm_slot {
        struct channel *channel;
        uint64_t next;
    })
    confirm_slots; /* [0] unused: cookie 0 is nobody's */
    VEC(uint32_t) free_slots;
    amqp_pool_t pool;        /* decoded methods; recycled with each frame */
    ms_time refused_at;      /* when people were told last of a client that was refused */
    uint64_t refused_untold; /* how many were since */
    bool alarm;              /* memory */
    bool ending;             /* being destroyed: the library is told nothing any more */
    ms_time timer_at;        /* no connection wants a tick before this */

    /* routing */
    struct map exchanges; /* name -> struct exchange */
    struct exchange *default_exchange;
    struct map bindings;           /* id -> struct binding */
    struct map targets;            /* queue -> struct target */
    VEC(struct binding *) orphans; /* whose exchange is not there */
    uint64_t visit;
    VEC(struct queue *) route;
    VEC(struct exchange *) route_todo;
    VEC(struct topic_node *) topic_now, topic_next;
    struct binding_list matched;
    uint64_t declarations;

    struct broker_totals totals;
};

/* step.c */
void broker_command(struct broker *b, struct event *ev); /* to the library; effects are gathered in up */
void broker_settle_down(struct broker *b);               /* handles what came up, until nothing is left */

/* error.c: both say the code's word, " - " and the text; the code decides what is closed */
void channel_fail(struct channel *ch, enum reply_code code, uint32_t method, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void connection_fail(struct connection *c, enum reply_code code, uint32_t method, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
const char *reply_word(enum reply_code code);
bool reply_is_hard(enum reply_code code);
struct failure { /* why a command cannot be done */
    enum reply_code code;
    char *text; /* owned */
};
struct failure failure_of(enum reply_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* what an answer means for a client; text NULL: it is no failure */
struct failure answer_failure(const struct broker *b, enum answer_status status, const char *queue,
                              const char *text);

/* connection.c */
void connection_open(struct broker *b, const struct event *ev);
void connection_data(struct connection *c, struct bytes data);
void connection_drained(struct connection *c);
void connection_gone(struct connection *c); /* the socket is gone, or we want nothing more from it */
void connection_tick(struct connection *c, ms_time *next);
void connection_set_state(struct connection *c, enum connection_state to);
void connection_shutdown(struct connection *c, enum reply_code code,
                         const char *text); /* told, then closed at once */
void connection_free(struct connection *c);
void connection_pause(struct connection *c, enum pause why);
void connection_resume(struct connection *c, enum pause why);
void connection_alarm(struct connection *c);
void connection_block_on(struct connection *c, uint64_t queue_uid);
void connection_queue_open(struct connection *c, uint64_t queue_uid);
void connection_touch(struct connection *c);
struct owner connection_owner(const struct connection *c);
void connection_closing(struct connection *c, uint16_t code, const char *text, uint32_t method);

/* handshake.c */
void connection_say_hello(struct connection *c);
void handshake_method(struct connection *c, uint32_t method, void *decoded);

/* output.c */
void output_message(struct connection *c, uint16_t channel, struct message *m); /* header and body frames */
void output_check(struct connection *c); /* sends when much has gathered */
void output_flush(struct connection *c);

/* channel.c */
struct channel *channel_open(struct connection *c, uint16_t number);
void channel_frame(struct connection *c, const struct wire_frame *f);
void channel_resume_one(struct channel *ch); /* handles one held frame */
void channel_release(struct channel *ch);    /* ends it: consumers, deliveries, commands */
void channel_free(struct channel *ch);
void channel_touch(struct channel *ch);
void channel_close_sent(struct channel *ch);

/* op.c */
struct op *op_begin(struct channel *ch, enum op_type type, uint32_t method, const char *name);
struct op *op_begin_host(enum op_type type, uint64_t req, const char *name);
void op_send(struct broker *b, struct op *op, struct event *ev); /* one command of it */
void op_answer(struct broker *b, struct effect *answer);
void op_finish(struct broker *b, struct op *op); /* done: the channel goes on; the host hears OK */
void op_fail(struct broker *b, struct op *op, struct failure f); /* takes f.text; finishes op */
void op_abandon(struct op *op);
void op_free(struct op *op);

/* queue.c: methods of class queue; and names */
void queue_method(struct channel *ch, uint32_t method, void *decoded);
void queue_answer(struct broker *b, struct op *op, struct effect *answer);
char *queue_name_of(struct channel *ch, amqp_bytes_t name, uint32_t method); /* NULL: the channel failed */
struct queue *queue_open(struct channel *ch, const char *name,
                         uint32_t method); /* checks existence and owner */
char *make_name(struct broker *b, const char *prefix);
/* arguments.c */
struct failure queue_args_parse(struct queue_args *a, const amqp_table_t *t, const char *queue);
struct failure queue_args_differ(const char *queue, const char *have_json, const char *want_json);
struct failure integer_argument(const amqp_table_t *t, const char *key, const char *queue, int64_t *out);
struct failure wrong_type_of_queue(const char *key, const char *queue); /* an argument of other types only */
const char *argument_type(const json_t *v);                             /* RabbitMQ's word */
void argument_say(struct text *t, const json_t *v);
char *inequivalence(const char *key, const char *what, const char *name, const json_t *have,
                    const json_t *want);

/* exchange.c */
void exchanges_init(struct broker *b);
void exchanges_finish(struct broker *b);
void exchanges_reset(struct broker *b);
void exchanges_apply(struct broker *b, struct bytes key, const struct bytes *value); /* value NULL: removed */
struct exchange *exchange_find(const struct broker *b, struct bytes name);
const char *exchange_type_name(enum exchange_type t);
bool exchange_type_of(struct bytes name, enum exchange_type *out);
struct bytes exchange_id(struct wire_buffer *into, const char *name);
struct bytes binding_id(struct wire_buffer *into, const char *source, bool to_queue, const char *destination,
                        struct bytes key, const char *arguments);
struct bytes binding_prefix(struct wire_buffer *into, const char *source);
char *exchange_value(const char *uid, enum exchange_type type, bool durable, bool auto_delete, bool internal,
                     const char *arguments);
/* index.c: a binding in and out of what its source exchange routes by */
void index_add(struct exchange *x, struct binding *bd);
void index_remove(struct exchange *x, struct binding *bd);
void index_free(struct exchange *x);

/* exchange_method.c */
void exchange_method(struct channel *ch, uint32_t method, void *decoded);
void exchange_answer(struct broker *b, struct op *op, struct effect *answer);
void op_succeed(struct broker *b, struct op *op); /* says -ok to the client; finishes op */
struct wish {                                     /* an exchange as a client wants it */
    const char *name, *arguments;
    struct bytes type;
    bool durable, auto_delete, internal;
};
struct failure begin_exchange_declare(struct broker *b, struct op *op, const struct wish *w);
struct failure begin_exchange_delete(struct broker *b, struct op *op, const char *name, bool if_unused);
struct failure bind_change(struct broker *b, struct op *op, bool bind, const char *source,
                           const char *destination, bool to_queue, struct bytes key, const char *arguments);

/* topic.c */
struct topic_node *topic_create(void);
void topic_free(struct topic_node *n);
void topic_add(struct topic_node *n, struct bytes pattern, struct binding *bd);
void topic_remove(struct topic_node *root, struct bytes pattern, const struct binding *bd);
void topic_match(struct broker *b, struct topic_node *root,
                 struct bytes key); /* fills b->matched, each once */

/* headers.c */
bool headers_match(const json_t *arguments, const json_t *headers);
struct failure headers_refuse(const char *arguments);

/* route.c: fills b->route with the queues that take it, each once */
void route_message(struct broker *b, struct exchange *x, const struct message *m);

/* publish.c */
void publish_method(struct channel *ch, struct bytes arguments);
void publish_header(struct channel *ch, struct bytes payload);
void publish_body(struct channel *ch, struct bytes payload);
void publish_drop(struct channel *ch);

/* dead_letter.c */
void dead_letter_publish(struct broker *b, const struct effect *fx);

/* confirm.c */
bool confirms_create(struct channel *ch); /* false: too many channels are in confirm mode */
void confirms_destroy(struct channel *ch);
uint64_t confirms_add(struct channel *ch, size_t queues); /* a publish to so many queues: its cookie */
void confirms_done(struct broker *b, uint64_t cookie, enum confirm how);
void confirms_flush(struct channel *ch);

/* unacked.c */
void unacked_add(struct unacked *u, struct unacked_item item);
struct unacked_item *unacked_find(struct unacked *u, uint64_t tag);
struct unacked_item *unacked_first(struct unacked *u); /* NULL: empty */
void unacked_remove(struct unacked *u, struct unacked_item *item);

/* settle.c: basic.ack, nack, reject, recover */
void settle_method(struct channel *ch, uint32_t method, struct bytes arguments);
void settle_recover(struct channel *ch, uint32_t method, bool requeue);
void settle_all(struct channel *ch, enum settle how);
void settle_flush(struct channel *ch);

/* consume.c: basic.consume, cancel, get, qos */
void consume_method(struct channel *ch, uint32_t method, void *decoded);
void consume_answer(struct broker *b, struct op *op, struct effect *answer);
void consumer_cancelled(struct broker *b, uint64_t sub);
void consumer_end(struct consumer *k); /* forgets it; the library has been or need not be told */
void consumer_unsubscribe(struct broker *b, struct consumer *k);

/* deliver.c */
void deliver(struct broker *b, struct effect *fx);
void deliver_held_back(struct channel *ch);
void deliver_give_credit(struct connection *c);
void deliver_forget(struct channel *ch,
                    uint64_t sub); /* what is held back of a consumer that ends goes back */

/* small helpers */
static inline amqp_bytes_t amqp_text(const char *s)
{
    return (amqp_bytes_t){.len = s ? strlen(s) : 0, .bytes = (void *)(uintptr_t)s};
}
static inline struct bytes bytes_amqp(amqp_bytes_t b)
{
    return bytes_of(b.bytes, b.len);
}
static inline struct bytes bytes_text(const struct text *t)
{
    return bytes_of(t->s, t->len);
}

#endif

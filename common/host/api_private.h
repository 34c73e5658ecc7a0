/* api_private.h: inside the management API. A request becomes a call; a route says which facts of all nodes
 * it needs and which function makes the answer of them. */
#ifndef HOST_API_PRIVATE_H
#define HOST_API_PRIVATE_H

#include <stdlib.h>

#include "base/err.h"
#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"
#include "host/api.h"

/* ---- facts: what one node says of itself, as JSON (api_facts.c) ---- */

enum api_facts {
    FACTS_NONE = 0,
    FACTS_QUEUES =
        1 << 0, /* "queues": {NAME: counts} of the queues mastered here, "active", "exclusive": {NAME: tag} */
    FACTS_CONNECTIONS = 1 << 1, /* "connections": [...] */
    FACTS_CHANNELS = 1 << 2,    /* "channels": [...] */
    FACTS_CONSUMERS = 1 << 3,   /* "consumers": [...] */
    FACTS_EXCHANGES = 1 << 4,   /* "exchanges": {NAME: [in, out]} */
    FACTS_NODE = 1 << 5,        /* "figures", "totals" */
    FACTS_ONE_QUEUE = 1 << 6,   /* of the queues, the one that the path names */
};

/* What this node says now (a new reference); it always has "node" and "now" (its clock, ms). queue: counts of
 * this one only; NULL: of all. */
json_t *facts_here(struct node *n, unsigned facts, const char *queue);
char *facts_answer(struct node *n, const char *question); /* node_on_query */
char *facts_question(unsigned facts, const char *queue);
bool facts_close_connection(struct node *n, const char *name,
                            const char *reason); /* false: not one of this node's */

/* A peer that does not answer within this leaves its figures out. */
#define FACTS_TIMEOUT_MS 500

/* ---- a call ---- */

struct api_call;

enum api_shape { SHAPE_OBJECT, SHAPE_LIST }; /* lists are sorted, filtered and paged */

struct api_route {
    const char *path; /* behind /api/; "%v" is a vhost, "%" any one word */
    unsigned facts;   /* that get needs of every node */
    enum api_shape shape;
    json_t *(*get)(struct api_call *c); /* a new reference; NULL: not found */
    void (*put)(struct api_call *c);    /* these end in call_answer */
    void (*post)(struct api_call *c);
    void (*delete)(struct api_call *c);
};

struct api_param {
    char *name, *value;
};

typedef void call_effect_fn(struct api_call *c, const struct effect *answer);
typedef void call_fn(struct api_call *c);

struct api_call {
    struct api *api; /* NULL: the api is gone; the call ends with its last callback */
    struct api_call *next, **link;
    struct node *node;
    const struct api_route *route;

    /* the request */
    VEC(char *) words; /* what stood for the route's "%", decoded */
    VEC(struct api_param) params;
    json_t *body; /* an object ({} if there was no body) */
    char *user, *tags;
    bool local;

    /* while it runs */
    json_t *facts[LIMIT_NODES]; /* by node; NULL: it did not say */
    bool waiting;               /* a callback of the node's will come */
    call_effect_fn *on_effect;
    struct event *later;
    call_fn *on_later;
    struct get_state *getting; /* api_messages.c */

    api_answer_fn *fn;
    void *arg;
};

struct api {
    struct node *node;
    struct api_call *calls;
    struct rates *rates;
};

static inline const char *call_word(const struct api_call *c, size_t i)
{
    return c->words.items[i];
}
const char *call_param(const struct api_call *c, const char *name); /* NULL if absent */
bool call_param_on(const struct api_call *c, const char *name);     /* "true" */

/* The broker while the app runs. Calls are not made without one. */
struct broker *call_broker(const struct api_call *c);
const struct mirror *call_mirror(const struct api_call *c);

/* Ends the call (frees it). body: a reference that is taken; NULL for none. */
void call_answer(struct api_call *c, int status, json_t *body);
void call_answer_at(struct api_call *c, int status, char *location); /* takes location */
void call_not_found(struct api_call *c);
void call_bad(struct api_call *c, const char *reason, ...) __attribute__((format(printf, 2, 3)));
void call_refused(struct api_call *c); /* "Access refused." */

/* Turns an answer that is not ANSWER_OK into RabbitMQ's error for a client of this queue. */
void call_queue_error(struct api_call *c, const char *queue, const struct effect *answer);

/* A command; fn makes the answer of its FX_ANSWER. */
void call_command(struct api_call *c, struct event *ev, call_effect_fn *fn);
uint64_t call_request(struct api_call *c, call_effect_fn *fn); /* for broker_* functions with a req */

/* Goes on in a turn of its own: what comes back from the node may not step it again at once. */
void call_later(struct api_call *c, call_fn *fn);

/* Body fields. False: the call was answered with RabbitMQ's complaint. */
bool call_need(struct api_call *c, const char *const *keys, size_t len);
bool call_flag(struct api_call *c, const char *key, bool *out); /* absent: false */

/* Wall clock: milliseconds since 1970, and RabbitMQ's way to write it. */
int64_t wall_ms(void);

/* ---- rates (api_rates.c): how fast figures change between the times somebody asked ---- */
struct rates *rates_create(void);
void rates_destroy(struct rates *r);
#define RATES_MAX 20
/* Notes `len` figures of one thing at a time of its node's clock and gives their changes per second. The
 * first `counters` of them only rise: if one falls, the thing began anew. False: nothing to compare with yet.
 */
bool rates_note(struct rates *r, const char *key, ms_time now, const int64_t *figures, size_t len,
                size_t counters, double *per_second);

/* ---- lists (api_list.c) ---- */
/* Applies sort, sort_reverse, name, use_regex, page, page_size and columns. Takes list, returns what to
 * answer, or NULL after answering the call with the complaint. */
json_t *list_view(struct api_call *c, json_t *list);
json_t *object_view(struct api_call *c, json_t *object); /* columns only */

/* ---- resources ---- */
json_t *overview_get(struct api_call *c);
json_t *nodes_get(struct api_call *c);
json_t *node_get(struct api_call *c);
json_t *cluster_name_get(struct api_call *c);
json_t *health_get(struct api_call *c);
json_t *events_get(struct api_call *c);
json_t *trace_get(struct api_call *c);

json_t *queues_get(struct api_call *c);
json_t *queue_get(struct api_call *c);
json_t *queue_bindings_get(struct api_call *c);
void queue_put(struct api_call *c);
void queue_delete(struct api_call *c);
void queue_purge(struct api_call *c);
void queue_actions(struct api_call *c);
void queue_messages(struct api_call *c); /* POST .../get */
void getting_free(struct get_state *g);  /* takes NULL */

json_t *exchanges_get(struct api_call *c);
json_t *exchange_get(struct api_call *c);
json_t *exchange_bindings_from_get(struct api_call *c);
json_t *exchange_bindings_to_get(struct api_call *c);
void exchange_put(struct api_call *c);
void exchange_delete(struct api_call *c);
void exchange_publish(struct api_call *c);
json_t *bindings_get(struct api_call *c);
json_t *bindings_between_get(struct api_call *c);
void bindings_post(struct api_call *c);
json_t *binding_get(struct api_call *c);
void binding_delete(struct api_call *c);

json_t *connections_get(struct api_call *c);
json_t *connection_get(struct api_call *c);
void connection_delete(struct api_call *c);
json_t *channels_get(struct api_call *c);
json_t *channel_get(struct api_call *c);
json_t *consumers_get(struct api_call *c);

json_t *policies_get(struct api_call *c);
json_t *policy_get(struct api_call *c);
void policy_put(struct api_call *c);
void policy_delete(struct api_call *c);
json_t *nothing_get(struct api_call *c); /* [] */

json_t *whoami_get(struct api_call *c);
json_t *users_get(struct api_call *c);
json_t *user_get(struct api_call *c);
json_t *vhosts_get(struct api_call *c);
json_t *vhost_get(struct api_call *c);
json_t *permissions_get(struct api_call *c);
json_t *permission_get(struct api_call *c);
json_t *definitions_get(struct api_call *c);

/* ---- making JSON: one field a line ----
 *
 *     const struct json_field fields[] = {
 *         {"name", TEXT(q->name)},
 *         {"messages", NUMBER(q->ready)},
 *     };
 *     return OBJECT_OF(fields);
 */
struct json_field {
    const char *name;
    json_t *value; /* taken; NULL (text that is not UTF-8): the field is left out */
};
json_t *json_fields(const struct json_field *fields, size_t len);
#define OBJECT_OF(fields) json_fields((fields), ARRAY_LEN(fields))
#define OBJECT(...)       /* the same for two or three in a line */                                          \
    json_fields((const struct json_field[]){__VA_ARGS__},                                                    \
                sizeof((const struct json_field[]){__VA_ARGS__}) / sizeof(struct json_field))
#define TEXT(s)         json_string(s)
#define TEXT_OR_NULL(s) ((s) ? json_string(s) : json_null())
#define NUMBER(n)       json_integer((json_int_t)(n))
#define FLAG(b)         json_boolean(b)

/* ---- shared between resources ---- */
json_t *exchange_types(void);
json_t *binding_json(const struct binding_info *b);
json_t *message_totals(struct api_call *c); /* message_stats of the whole cluster; NULL: unknown */
json_t *queue_totals(
    struct api_call *c); /* messages, ready, unacknowledged of all queues that can be asked */
json_t *policy_json(const struct policy_info *p);
json_t *json_text_or_empty(const char *text); /* parses JSON text; {} if it is not JSON */
void set_rate(json_t *object, const char *figure, double per_second); /* "figure_details": {"rate": ...} */

#endif

/* observe_private.h (private to observe.c and observe_node.c): the questions of a round, and who is asked. */
#ifndef LAB_OBSERVE_PRIVATE_H
#define LAB_OBSERVE_PRIVATE_H

#include <event2/event.h>
#include <event2/http.h>
#include <jansson.h>

#include "base/base.h"
#include "lab/observe.h"

/* A node on a loopback or a LAN answers in milliseconds; RabbitMQ, busy with a failover, in some hundred. */
#define ANSWER_MS 800

enum question {
    ASK_NODES, /* the first three decide whether a node counts as answering */
    ASK_QUEUES,
    ASK_POLICIES,
    ASK_EVENTS, /* the kit's nodes */
    ASK_TRACE,  /* the kit's nodes */
    ASK_QUEUE,  /* if wanted */
    ASK_BINDINGS,
    ASK_CONNECTIONS,
    ASK_CHANNELS,
    QUESTIONS
};

struct asked_node;

/* Each question has a connection of its own: a node that is slow with one (because it waits for a peer) is
 * not slow with the sum of them. */
struct ask {
    struct asked_node *node;
    enum question question;
    struct evhttp_connection *connection; /* NULL: made with the next question */
    json_t *answer;
    bool failed;
    /* the newest body and what it says: an idle lab says the same each time, and parsing is what costs */
    char *body;
    size_t body_len;
    json_t *said;
};

struct asked_node {
    struct observer *o;
    const struct lab_node *node;
    struct event *deadline;
    struct ask asks[QUESTIONS];
    size_t pending;         /* questions without an answer */
    bool late;              /* did not answer the last time: not waited for */
    bool fresh;             /* an answer came since the last snapshot */
    bool answered;          /* the last questions were answered */
    bool refused, refusing; /* a connection for the last questions; for those that are asked now */
    bool has_feed;
    bool feed_absent; /* it said 404 to GET /api/events */
    bool trace_absent;
    uint64_t feed_next, trace_next;
    int64_t noted_us;     /* of its notes of messages, the newest so far */
    struct node_log *log; /* what stands in for a feed; NULL: none */
    ms_time answered_at;
    char *error;    /* of the last questions that failed; NULL if they were answered */
    bool error_old; /* it is from an earlier round */
};

struct observer {
    struct event_base *base;
    struct evdns_base *dns; /* made for the first host that is a name */
    const struct labdir *lab;
    observer_fn *fn;
    void *arg;
    char *authorization;
    struct event *timer; /* starts rounds */
    unsigned interval_ms;
    unsigned permille; /* of a processor that looking may take; 0: does not matter */
    uint64_t began_us; /* how much of it this program had taken when the round began */
    char *queue;       /* wanted; NULL: none */
    bool messages, queue_page, connections;
    char *queue_asked; /* in this round */
    bool in_round, asking, again;
    uint64_t parsed;           /* bodies */
    unsigned rounds_since_all; /* since every node was asked for its queues */
    bool asks_all;             /* in this round every node is */
    struct snapshot *latest;
    struct earlier *earlier; /* what an earlier screen has heard of; NULL: nothing, or it was taken in */
    struct asked_node *nodes;
    size_t nodes_len;
};

static inline struct timeval ms_timeval(unsigned ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

/* ---- one node (observe_node.c) ---- */

/* Asks it all that this round wants to know of it. observed_node_done is called once, when every answer is
 * there or its time is over; it may be called before this returns. */
void observed_node_ask(struct asked_node *n);
void observed_node_deadline(evutil_socket_t fd, short what,
                            void *arg);           /* of arg, an asked_node: its time is over */
void observed_node_hang_up(struct asked_node *n); /* closes its connections, with their questions */
void observed_node_forget_answers(struct asked_node *n);
void observed_node_forget_bodies(struct asked_node *n);

/* ---- rounds (observe.c) ---- */

void observed_node_done(struct asked_node *n);

#endif

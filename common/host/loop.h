/* loop.h: what every node process is built around: an event loop that works in turns, the app (a broker) that
 * starts and stops in it, and the parts (clients, peers, log) that a lesson's node.c adds.
 *
 * A turn: everything the sockets, timers and the disk have for us is stepped through the broker; then the
 * connections that ended are swept; then EV_TURN_END; then each part writes what was gathered with as few
 * system calls as it can; then the loop waits. No part is freed and no connection closed in the middle.
 *
 * struct node is the lesson's own, and begins with `struct loop loop;`. */
#ifndef HOST_LOOP_H
#define HOST_LOOP_H

#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"
#include "host/node.h"
#include "host/watch.h"

struct loop;
struct part;
struct peers;
struct node_log;
struct http_server;
struct control;
struct pager;

/* What the loop asks of a part. Any may be NULL. */
struct part_ops {
    /* the app starts; the broker is there. *error is the caller's */
    bool (*open)(struct part *p, char **error);
    /* what ended in this turn goes, with its last events */
    void (*sweep)(struct part *p);
    /* the turn is over: write what was gathered */
    void (*flush)(struct part *p);
    /* the app has stopped: let go; asked every turn until true */
    bool (*close)(struct part *p);
};

struct part {
    const struct part_ops *ops;
    struct loop *loop;
};

/* What a lesson's node.c decides: which effect goes to which part, and the rules the broker plays by. */
typedef void loop_perform_fn(struct node *n, const struct effect *fx);
typedef void loop_rules_fn(struct broker_options *o);

enum app_state {
    APP_STOPPED,
    APP_STARTING, /* the broker looks for the others */
    APP_RUNNING,  /* it has served since its start */
    APP_STOPPING, /* it hands over */
    APP_CLOSING,  /* it has stopped; what was written goes out */
};

#define LOOP_PARTS 4

struct loop {
    struct event_base *base;
    struct node_config config;
    char *config_file;
    loop_perform_fn *perform;
    loop_rules_fn *rules;
    struct part *parts[LOOP_PARTS];
    size_t parts_len;
    struct peers *peers;  /* NULL: a node without a cluster */
    struct node_log *log; /* NULL: nothing is kept */

    /* the process */
    struct watch *sigterm, *sigint;
    int pid_fd;
    bool done;
    int exit_code;
    struct control *control;

    /* time: milliseconds that never go back, and began as the wall clock's; read once a turn */
    ms_time now, mono_offset;
    bool now_known;
    ms_time started_at; /* of the app */

    /* turns */
    struct watch *again;    /* another turn, without waiting */
    struct watch *deadline; /* the broker's, the parts' and the memory check's */
    ms_time wake_at;        /* the parts ask for a turn by then; UINT64_MAX: not */
    struct effects spare;   /* the effects' array, when nobody uses it */

    /* the app (node_app.c) */
    struct broker *broker;
    enum app_state app;
    uint64_t incarnation;
    bool lived;                   /* there was a life before this one */
    bool serving, serving_wanted; /* listeners are open; are to be */
    bool stopped_by_broker;       /* FX_STOPPED or FX_RESTART came */
    bool restarts;                /* FX_RESTART: begins again once it has closed */
    ms_time closing_since;
    node_set known; /* while stopped: who was of the cluster */
    struct http_server *http;
    VEC(struct waiter {
        node_done_fn *fn;
        void *arg;
        bool start;
    })
    waiters;
    char *app_error; /* the app cannot go on: why */

    /* commands with an answer (node_commands.c) */
    struct map commands; /* req -> struct command */
    uint64_t last_req;
    VEC(struct answered {
        struct command *command;
        const struct effect *fx;
    })
    answered;

    struct node_trace *trace; /* node_trace.c; NULL: nobody ever asked */

    /* events and figures (node_figures.c) */
    VEC(struct node_event) events;
    uint64_t events_seq;
    int statm_fd;
    ms_time memory_checked_at;
    uint64_t moved_bytes; /* in and out of the sockets since then */
    bool memory_alarm;
    struct pager *pager;               /* node_memory.c; NULL before the first need */
    ms_time trimmed_at, paged_hard_at; /* when last */
    bool paging, paging_failed;        /* told */
    bool paging_more;                  /* this turn did not do all */
    size_t recovered_bytes;            /* since the last look */
    node_query_handler *on_query;
};

static inline struct loop *loop_of(const struct node *n)
{
    return (struct loop *)(uintptr_t)n;
}

/* ---- for node.c ---- */

/* Reads the command line and the configuration, takes the node's folder. On bad input says what is wrong on
 * stderr and exits (78: the configuration; 64: the command line; 1: else). */
void loop_init(struct loop *l, int argc, char **argv, loop_rules_fn *rules, loop_perform_fn *perform);
/* Starts the app and turns until SIGTERM, SIGINT or a failure; returns the exit code. */
int loop_run(struct loop *l);
void loop_finish(struct loop *l); /* after the parts' own finish */

/* what perform does with the effects that are the process's own */
void loop_answer(struct loop *l, const struct effect *fx);
void loop_event(struct loop *l, const struct effect *fx);
void loop_serving(struct loop *l, const struct effect *fx);
void loop_stopped(struct loop *l, const struct effect *fx);
void loop_failed(struct loop *l, const struct effect *fx);

/* ---- for the parts ---- */

void loop_add_part(struct loop *l, struct part *p, const struct part_ops *ops);
ms_time loop_now(struct loop *l);
void loop_step(struct loop *l, const struct event *ev); /* does nothing once the broker has stopped */
void loop_again(struct loop *l);                        /* do not wait after this turn */
void loop_wake_at(struct loop *l, ms_time at);          /* a turn by then at the latest */
void loop_moved(struct loop *l, size_t bytes);          /* through a socket, in or out */
/* The app cannot go on (a port is taken): it stops; a process that was starting ends. Takes error. */
void loop_app_failed(struct loop *l, char *error);
/* The process cannot go on (the disk failed): it ends at once, nothing more is written. Takes text. */
void loop_fail(struct loop *l, char *text);
/* Something to tell people that did not come from the broker. */
void loop_note(struct loop *l, const char *kind, const char *queue, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* "node2: port 5673 is taken (...)"; the caller's to free */
char *loop_port_error(const struct loop *l, const char *key, const char *host, uint16_t port, int why);

#endif

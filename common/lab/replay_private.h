/* replay_private.h: between the files that play schedules on real nodes: replay_nodes.c does what events say,
 * replay_facts.c asks the nodes what is so. */
#ifndef LAB_REPLAY_PRIVATE_H
#define LAB_REPLAY_PRIVATE_H

#include <jansson.h>

#include "lab/private.h"
#include "lab/replay.h"

struct policy_told {
    char *name, *pattern, *definition;
};

struct starter {        /* a labctl that starts a node (or cuts a link), and has not come back yet */
    int fd, pid;        /* pid 0: none */
    struct text said;   /* by it, so far */
    off_t log_from;     /* where its node's log ended before it */
    int64_t waits_from; /* since when that log says that the node waits for others; 0: it does not */
};

struct nodes {
    struct labdir *lab;
    const volatile sig_atomic_t *stop; /* the user wants no more */
    bool rabbitmq, up;
    bool cut;                             /* nodes may see different others */
    bool apart;                           /* and go on so when all links are healed (partitions ignore) */
    uint32_t cuts[SCHED_NODES];           /* links that are cut */
    uint32_t running;                     /* nodes that should serve */
    uint32_t stopped;                     /* of the others: their process is there, its app is stopped */
    uint32_t waiting;                     /* started, and waiting for others */
    struct starter starters[SCHED_NODES]; /* of nodes that wait */
    VEC(struct policy_told) policies;
    VEC(char *) queues;
    unsigned patience_ms;
};

/* clang-format off */
#define EACH_NODE(i, set)                                                                                          \
    for (unsigned i = 0; i < SCHED_NODES; i++) /* NOLINT(bugprone-macro-parentheses): a name, no expression */     \
        if ((set) >> i & 1) /* NOLINT(bugprone-macro-parentheses) */
/* clang-format on */

/* ERR_TIMEOUT, and in *why what was not so, where to look. */
int nodes_not_so(const struct nodes *w, char **why, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int nodes_first(const struct nodes *w); /* a node that runs; -1 */

/* labctl -n NODE words: its exit code, and what it printed. TOLD: 0, or ERR_REFUSED and *why. */
int nodes_ctl(const struct nodes *w, unsigned node, char **output, const char *const *words);
int nodes_told(const struct nodes *w, unsigned node, char **why, const char *const *words);
/* labctl by its words: CTL(w, node, &output, "list_queues", "name") */
#define CTL(w, node, output, ...) nodes_ctl((w), (node), (output), (const char *const[]){__VA_ARGS__, NULL})
#define TOLD(w, node, why, ...)   nodes_told((w), (node), (why), (const char *const[]){__VA_ARGS__, NULL})

/* The management API: a new reference or NULL. */
json_t *nodes_api(const struct nodes *w, unsigned node, const char *method, const char *path,
                  const char *body, int *status);

void nodes_say(const struct nodes *w, unsigned node, struct replay_others *out);
uint32_t nodes_say_running(const struct nodes *w, unsigned node); /* 0: it does not answer */

/* What this node says of the queue (labctl list_queues), all but what it holds. false: it does not answer. */
bool nodes_row(const struct nodes *w, unsigned node, const char *queue, struct replay_queue *q);

/* replay_start.c: starting nodes, and what becomes of those who wait for others. */
int nodes_start(struct nodes *w, const struct sched_event *e, json_t **fact, char **why);
bool starter_back(struct starter *s,
                  int *code);         /* it has come back, with this exit code; said: all it printed */
void starter_drop(struct starter *s); /* ends it, if it is still there */
void nodes_reap(struct nodes *w);     /* starters that have come back are forgotten */
bool nodes_waits(const struct nodes *w, unsigned node); /* it says that it waits for others */

/* Until all nodes that run agree, and every queue is where its policy wants it. */
int nodes_rest(void *arg, char **why);

#endif

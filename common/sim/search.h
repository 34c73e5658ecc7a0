/* search.h: the shortest way to lose a message. Breadth first over everything that can happen to a small
 * cluster with one queue: publish, crash, restart, synchronise. Each step plays the simulated cluster until
 * nothing is on its way; a state that was seen before, by its contents, is not looked into again. So what is
 * found is the shortest losing schedule there is, and "none" means that there is none within these numbers.
 *
 * The order is fixed: publish, crashes (the first master's last, for that is the one that decides), restarts,
 * sync; the same options give the same schedule every time. */
#ifndef SIM_SEARCH_H
#define SIM_SEARCH_H

#include "sim/sim.h"

struct search_options {
    unsigned nodes;                              /* 1 .. SIM_NODES */
    unsigned messages, crashes, restarts, syncs; /* at most so many of each */
    const struct mirror_rules *rules;            /* NULL: the kit's */
    const char *rule_name;                       /* for the schedule's header; NULL: the rules' own name */
    const char *policy;                          /* a definition; NULL: {"ha-mode":"all"} */
    bool transient;                              /* messages that are not persistent */
    bool hurried; /* a crash may also come at the moment of the confirm, with all else still on its way */
    uint64_t states_max; /* gives up after so many */
    uint64_t seed;
};
void search_options_defaults(struct search_options *o); /* 3 nodes, 3 messages, 3 crashes, 3 restarts */

struct search_result {
    char *refused; /* why the policy is none: nothing was looked at; else NULL. The caller's, too */
    bool found;    /* a losing schedule */
    bool complete; /* !found: everything was looked at; false: states_max came first */
    uint64_t states, runs;
    unsigned steps; /* of the schedule found; else of the longest that was looked at */
    /* the five lines of a failure; the caller's, by search_result_finish */
    char *promise;           /* which one broke, and how */
    char *message;           /* m1: its life */
    char *schedule;          /* "publish node1 q, kill node2, ..." */
    char *decision;          /* the deciding call with its inputs */
    char *sched;             /* the whole .sched file */
    unsigned message_number; /* 1: m1; 0: no single message */
    enum door door;
};

void search_run(const struct search_options *o, struct search_result *out);
void search_result_finish(struct search_result *r);

/* What a rule was asked and what it answered, in words: "pick_master(...) = node2". */
void promotion_words(struct text *t, const struct promotion *p, size_t answer);
void confirmation_words(struct text *t, const struct confirmation *c, bool answer);

#endif

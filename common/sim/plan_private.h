/* plan_private.h: what the files that make a plan from a seed share (plan.c, plan_queues.c, plan_storm.c). */
#ifndef SIM_PLAN_PRIVATE_H
#define SIM_PLAN_PRIVATE_H

#include "base/rng.h"
#include "base/text.h"
#include "sim/plan.h"

#define PLAN_QUEUES      4
#define SECOND_PERCENT   15 /* of seeds have a second policy */
#define RESTLESS_PERCENT 12

/* A queue as the schedule declares it. */
struct plan_queue {
    char name[24];
    unsigned declare; /* SIM_DURABLE ... */
    struct text args; /* JSON; empty: none */
};

struct chooser {
    struct rng r, limits_rng, args_rng, second_rng, restless_rng,
        storm_rng; /* one stream each: a change in one does not shift others */
    struct plan *p;
    struct plan_queue queues[PLAN_QUEUES];
    size_t queues_len;
    struct sched_client clients[SCHED_CLIENTS]; /* their queues are borrowed */
    size_t clients_len;
    bool up[SIM_NODES];
    bool limits; /* policies limit queues, too */
    bool second_policy, restless;
    unsigned restless_kind;
    bool storms; /* this seed has some, of this kind (plan_storm.c) */
    unsigned storm;
    /* which things this seed has */
    bool kills, stops, slow, policies, syncs, purges, deletes, keys, unmirrored, cuts, clogs, clocks, disks,
        forgets, loses_disks;
};

static inline uint64_t between(struct rng *r, uint64_t low, uint64_t high)
{
    return low + rng_below(r, high - low + 1);
}

/* One more line of the schedule. */
void plan_line(struct chooser *c, uint64_t wait_ms, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- plan.c ---- */
void add_client(struct chooser *c, struct sched_client like); /* one more; numbers it */

/* ---- plan_restless.c ---- */
void choose_restless(struct chooser *c); /* whether this seed is, and how */
void add_restless_clients(struct chooser *c);
void maybe_restless(struct chooser *c); /* where the schedule stands now */

/* ---- plan_policy.c ---- */
void choose_policy(struct chooser *c, uint64_t wait_ms);
void choose_second_policy(struct chooser *c); /* whether this seed has one */
void maybe_second_policy(struct chooser *c);  /* where the schedule stands now */

/* ---- plan_storm.c ---- */
void choose_storms(struct chooser *c);
void maybe_storm(struct chooser *c); /* where the schedule stands now */

/* ---- plan_queues.c ---- */
void choose_queues(struct chooser *c);
void choose_arguments(struct chooser *c);                    /* of those queues */
void add_limits(struct chooser *c, struct text *definition); /* to a policy */

#endif

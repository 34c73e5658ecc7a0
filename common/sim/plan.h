/* plan.h: a whole run from one seed: which nodes, links, disks and clients, and a schedule of what goes wrong
 * and what operators do. The schedule is made up front and is text, one event a line, so that it can be kept,
 * read as a story, cut and played again:
 *
 *     seed 77 all                 links, disks and luck
 *     nodes 3
 *     partitions autoheal
 *     publisher 1 q1 every 5000us messages 20 persistent 100%
 *     +0    policy ha ^q {"ha-mode":"exactly","ha-params":2}
 *     +50   declare q1 durable
 *     +250  kill node1            250 ms after the line before
 *     +40   slow node2 node3 20 300       20 times as slow for 300 ms
 *     +0    calm                  wait until nothing is on its way and every mirror is synchronised
 *
 * It is read by base/sched.h, which has all the verbs (docs/schedules.md). Nothing is hidden behind the seed
 * but how long things take and what the dice of the world and of each client say. */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include "base/sched.h"
#include "sim/clients.h"
#include "sim/sim.h"

/* What a seed may draw from, beside kills, stops, starts, slow links and what operators do. */
enum plan_faults {
    FAULT_CUTS = 1, /* links are cut, in one of the three modes of partition handling */
    FAULT_CLOGS = 2,
    FAULT_CLOCKS = 4,
    FAULT_FORGET = 16, /* operators remove nodes */
    FAULT_DISKS = 8,   /* writes and syncs fail, disks are full, sectors are torn */
    FAULTS_CLASSIC = 0,
    FAULTS_ALL = FAULT_CUTS | FAULT_CLOGS | FAULT_CLOCKS | FAULT_DISKS | FAULT_FORGET,
    FAULTS_DEFAULT = FAULTS_ALL,
};
/* "all", "classic", or names with commas between: "cuts,clogs"; false: there is no such fault. */
bool plan_faults_named(const char *names, unsigned *faults);
bool plan_can_happen(unsigned faults, enum sim_count c); /* among many seeds that draw from these */

/* Who looks on while it is played, by the simulator's queries alone: once all nodes have found each other,
 * before any client; after each event and what came of it until the next one; e NULL: after all has healed
 * and is consumed. Where a promise breaks, sim_failure tells it in the call for the event after which it
 * broke (before the first: NULL), and none follows. */
struct plan_watch {
    void (*begun)(void *arg, const struct sim *s);
    void (*after)(void *arg, const struct sim *s, const struct sched_event *e);
    void *arg;
};

struct plan {
    uint64_t seed;
    unsigned faults;
    struct sim_options options; /* nodes and partition handling are what the schedule says */
    struct text schedule;
    const struct plan_watch *watch; /* NULL: nobody */
};

void plan_make(struct plan *p, uint64_t seed, unsigned allowed);
/* The world of a schedule's seed, with this schedule. 0, or ERR_INVALID and *error (the caller frees it): it
 * cannot be read, or names no seed, or faults that are none; *p is then empty. */
int plan_read(struct plan *p, const char *file, const char *text, char **error);
const char *plan_handling_name(enum partition_handling h); /* as in a configuration */
void plan_finish(struct plan *p);
/* A queue's arguments from the JSON that a schedule has. 0, or ERR_INVALID and *error (the caller frees it);
 * *a is then empty. */
int plan_args_read(struct queue_args *a, const char *json, char **error);

struct plan_result {
    char *failure; /* NULL: every promise held; the caller's to free */
    uint64_t steps, hash, now_us;
    uint64_t messages, confirmed, refused, unknown, consumed, redelivered, promotions, unsynced_promotions;
    uint64_t lost[DOOR_L5 + 1], counts[SIM_COUNT_];
};

/* Plays it to its end: schedule, healing, everything consumed. */
void plan_run(const struct plan *p, struct plan_result *out);

#endif

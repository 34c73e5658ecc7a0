/* lab_sim.h: the simulator as one of the three worlds of `lab replay`. Of all that lab is made of only
 * lab_sim*.c know the simulator; everything else knows nodes by AMQP and HTTP alone. */
#ifndef TUI_MAIN_LAB_SIM_H
#define TUI_MAIN_LAB_SIM_H

#include "lab/replay.h"

/* Reads a schedule that is to be played, wherever: as sched_parse, and its rule is one that there is. */
int replay_read(struct sched *s, const char *file, const char *text, char **error);

/* Plays it on the simulator; trace: every step of every node as well. As replay_play. */
int replay_on_sim(const struct sched *s, const char *name, bool trace, FILE *out,
                  struct replay_result *result);

/* Plays a schedule that swarm wrote: its world and its clients are made from its seed. text: the whole file.
 * Prints what happened line by line, and the promise that broke. 0: all held; 1: one broke. */
int replay_seeded(const struct sched *s, const char *name, const char *text, bool trace, FILE *out);

/* For who watches (result->watch), without a word on paper: after each event what its nodes show, of each
 * message what the simulator's own ledger has, and one step more, SCHED_END. 0, or an error and
 * result->problem: it cannot be read. result->problem is the promise that broke, from the step on after which
 * it did. */
int replay_seeded_shown(const struct sched *s, const char *name, const char *text,
                        struct replay_result *result);
struct plan;
void replay_plan_shown(const struct sched *s, struct plan *p,
                       struct replay_result *result); /* the same, of a world that is there */

/* Why no other world plays it; the caller frees it. */
char *replay_seeded_elsewhere(const struct sched *s, const char *file);

#endif

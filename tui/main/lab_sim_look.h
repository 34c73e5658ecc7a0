/* lab_sim_look.h: what the nodes of a simulated cluster show, as a replay has it (lab/replay.h). Only pure
 * queries: whoever looks changes nothing. */
#ifndef TUI_MAIN_LAB_SIM_LOOK_H
#define TUI_MAIN_LAB_SIM_LOOK_H

#include "lab/replay.h"

struct sim;

uint32_t lab_sim_serving(const struct sim *s); /* bit i: node i + 1 serves clients */
uint32_t lab_sim_off(const struct sim *s);     /* it does not run */
void lab_sim_others(const struct sim *s, unsigned node, struct replay_others *out);

/* The queue as the nodes that serve show it, or, asked, those of the first one's view. numbers[i]: the
 * schedule's number of the ledger's message i, for `len` of them; NULL: i + 1. */
void lab_sim_look(const struct sim *s, const char *queue, bool asked, const unsigned *numbers, size_t len,
                  struct replay_queue *out);

#endif

/* kept.h: what a screen saw of queues stays in the lab's folder (LAB_SEEN_FILE) for the one that comes after
 * it: the copies on nodes that are away, who took over, what a queue without a server held, what its
 * consumers printed, and which of its messages were lost, and where; which nodes went while apart. At
 * most KEPT_QUEUES of each. Which nodes are cut off now the folder knows besides (lab/links.h).
 *
 * The rule it keeps: what may have changed while nobody looked is not taken up: a queue of another uid or one
 * that was declared since, how level mirrors were, what a queue held whose node came back meanwhile. */
#ifndef TUI_KEPT_H
#define TUI_KEPT_H

#include "model.h"

#define KEPT_QUEUES  64
#define KEPT_NUMBERS 256 /* runs of numbers (ledger_number.c) of queues that lost messages */

int kept_save(const struct model *m, const struct labdir *lab); /* 0; ERR_IO: it cannot be written */
void kept_take_up(struct model *m, const struct labdir *lab);   /* before the first snapshot */
void kept_check(struct model *m, const struct snapshot *s);     /* with each one, before away_observe */

#endif

/* away.h: where queues had copies on nodes that are away, who took over from them, what was missing when they
 * came back (struct away in model.h; model_past and model_away look it up).
 *
 * The rule it keeps: only what was observed counts; that nobody answers says nothing of what a queue holds.
 */
#ifndef TUI_AWAY_H
#define TUI_AWAY_H

#include "model.h"

/* Every node that had what was left (struct away) answers, and began anew since: a restart, and the queue is
 * served again and counted. */
bool away_restarted(const struct snapshot *s, const struct away *a, const struct queue_seen *q);

/* A new snapshot has come; the model's own is still the one before. */
void away_observe(struct model *m, const struct snapshot *s);

#endif

/* time_sched_ledger.h: a played schedule's book of messages as a recording has it: who holds each, what
 * became of it, and its life, a line for each step that changed anything. docs/recording.md has the form. */
#ifndef TUI_TIME_SCHED_LEDGER_H
#define TUI_TIME_SCHED_LEDGER_H

#include <jansson.h>

#include "base/vec.h"
#include "lab/replay.h"

/* The lives so far, by message: lists of [what was done, a letter for each node, what became of it]. */
struct sched_book {
    VEC(json_t *) lives;
};
void sched_book_finish(struct sched_book *b);

/* After the step `did`. away: nodes that do not run. A new reference. */
json_t *sched_ledger_json(struct sched_book *b, const char *did, unsigned nodes, uint32_t away,
                          const struct replay_result *so_far, const struct replay_seen *queues, size_t len);

/* "step 5: a mirror that was not synchronised was promoted (L1)" of a message that is lost */
json_t *sched_loss_fact(const struct replay_message *m);

#endif

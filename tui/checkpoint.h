/* checkpoint.h: what a model had made of a session up to some moment, kept aside: to go back in time is then
 * to go on from the last of these before it, not from the beginning.
 *
 * The rule it keeps: what is shown from a checkpoint is what going there from the beginning would show
 * (screen/time compares the two). */
#ifndef TUI_CHECKPOINT_H
#define TUI_CHECKPOINT_H

#include "model.h"

struct checkpoint;

/* A program that runs, by its number in the recording. */
struct running {
    int id;
    struct command *command; /* in the model */
};

/* Where it stands: so many moments of the recording were applied, the last of them a whole snapshot. */
struct kept {
    size_t at;
    struct checkpoint *checkpoint;
};

/* Copies what m observed, what was run, how far its lesson is. It never changes: several may have it, each
 * with a checkpoint_share of its own to destroy. */
struct checkpoint *checkpoint_create(const struct model *m, const struct running *running,
                                     size_t running_len);
struct checkpoint *checkpoint_share(struct checkpoint *c);
void checkpoint_destroy(struct checkpoint *c); /* takes NULL */

/* Its messages are told of the queue that m's user wants to see. */
bool checkpoint_suits(const struct checkpoint *c, const struct model *m);

/* m has observed nothing yet; its lesson has the same steps, none proved. running: as checkpoint_create was
 * given it, with m's commands; there is room for checkpoint_running. */
size_t checkpoint_running(const struct checkpoint *c);
void checkpoint_restore(const struct checkpoint *c, struct model *m, struct running *running);

/* ledger_copy.c */
void ledger_copy(struct ledger *to, const struct ledger *from); /* to: nothing so far */

#endif

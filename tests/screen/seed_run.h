/* seed_run.h: a seed's schedule as the simulator plays it, for tests of the screen: both have words of their
 * own for messages, so this knows nothing of the screen's. */
#ifndef SCREEN_SEED_RUN_H
#define SCREEN_SEED_RUN_H

#include "lab/replay.h"

/* How a run ended that nobody watched. */
struct seed_end {
    bool held; /* every promise */
    uint64_t messages, confirmed, consumed, lost;
};
bool seed_run(const char *text, struct seed_end *out); /* false: it cannot be read */

/* What the simulator is made to do wrong: each breaks a promise. */
enum seed_fault {
    SEED_AS_IT_IS,
    SEED_CONFIRM_TWICE,
    SEED_CONFIRM_SWALLOWED,
    SEED_ANSWER_TWICE,
    SEED_TRANSIENT_FORGOTTEN
};

/* Played so, as a recording, the caller's to free; file: its name there. replay_result_finish(result). */
char *seed_run_wrong(const char *file, const char *text, enum seed_fault fault, struct replay_result *result);

#endif

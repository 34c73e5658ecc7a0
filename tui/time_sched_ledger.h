/* time_sched_ledger.h: a played schedule's book of messages as a recording has it: who holds each, what
 * became of it, and its life, an entry for each step that changed anything. docs/recording.md has the form.
 */
#ifndef TUI_TIME_SCHED_LEDGER_H
#define TUI_TIME_SCHED_LEDGER_H

#include <jansson.h>

#include "base/vec.h"
#include "lab/replay.h"
#include "ledger.h"

/* One message's life so far, and how things were after the step before. */
struct sched_life {
    json_t *entries; /* [what was done, a letter for each node, what became of it, step, moments] */
    char letters[SCHED_NODES + 1]; /* "": it does not live yet */
    uint32_t masters;              /* the last that served its queue */
    uint32_t cut;                  /* nodes that were cut off, and not healed since */
    bool lost, over;               /* over: consumed, or removed */
};

struct sched_book {
    VEC(struct sched_life) lives; /* by message */
    unsigned first;               /* the first one's number: 1; 0 where they are named as the checker does */
};
void sched_book_finish(struct sched_book *b);

/* After the step e. A new reference. */
json_t *sched_ledger_json(struct sched_book *b, const struct sched_event *e, unsigned nodes,
                          const struct replay_shown *shown);

/* time_sched_life.c: what this step made of message m, whose queue is q (NULL: not there), with these letters
 * now. fate: borrowed. */
void sched_live_on(struct sched_life *life, const struct sched_event *e, unsigned nodes,
                   const struct replay_message *m, const struct replay_queue *q, const char *letters,
                   json_t *fate);
/* An entry's moment; its label is the entry's. false: it is none. */
bool sched_moment(const json_t *json, struct moment *out);

/* "step 5: a mirror that was not synchronised was promoted (L1)" of a message that is lost */
json_t *sched_loss_fact(const struct replay_message *m);

#endif

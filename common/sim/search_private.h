/* search_private.h: between the search's own files. */
#ifndef SIM_SEARCH_PRIVATE_H
#define SIM_SEARCH_PRIVATE_H

#include "base/text.h"
#include "sim/sim.h"

enum search_verb { SEARCH_PUBLISH, SEARCH_CRASH, SEARCH_RESTART, SEARCH_SYNC };
#define SEARCH_VERBS (SEARCH_SYNC + 1)

struct search_step {
    enum search_verb verb;
    node_id node; /* CRASH, RESTART */
    bool hurried; /* PUBLISH: the next step comes at the moment of the confirm */
};

/* All that decides what can still happen, as text: two worlds with the same text go on alike. used: how many
 * steps of each kind it took. */
void search_contents(struct sim *s, const uint8_t *used, struct text *out);

#endif

/* judge.h: what the ledger makes of a story, asserted in a line each. */
#ifndef SCREEN_JUDGE_H
#define SCREEN_JUDGE_H

#include "ledger.h"
#include "tests/screen/story.h"

void look(struct ledger *l, struct story *t); /* the next snapshot */

struct fate fate_of(const struct ledger *l, uint64_t id);
void assert_fate(const struct ledger *l, uint64_t id, enum verdict verdict, enum fate_word word);

/* "publish -1>0, replicate 0>1, ..." of one message; ~ what was not observed; MEMORY: where the last went who
 * had it in memory. The caller frees it. */
char *life_text(const struct ledger *l, struct story *t, uint64_t id);
void assert_life(const struct ledger *l, struct story *t, uint64_t id, const char *expected);

/* ten messages through node1, the master, mirrored on node2, confirmed */
void ten(struct story *t);

#endif

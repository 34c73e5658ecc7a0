/* compare.h: two recordings side by side, such as a lesson with its policy and without it: what was done,
 * line by line, and what the nodes said after each line, on both sides. */
#ifndef TUI_COMPARE_H
#define TUI_COMPARE_H

#include "canvas.h"
#include "time_player.h"

struct compare;

/* Takes both players over. left, right: what the columns are called. */
struct compare *compare_create(struct player *left, struct player *right, const char *left_name,
                               const char *right_name);
void compare_destroy(struct compare *c); /* takes NULL */

/* A step on both sides at once: what was done on both stands in one line. A player goes to where its next
 * step begins: it shows the result of this one. */
void compare_request(struct compare *c, enum request request);
bool compare_step(struct compare *c);         /* one line on; false: this is the end */
ms_time compare_due(const struct compare *c); /* as player_due */
void compare_pass(struct compare *c, ms_time ms);

void compare_draw(const struct compare *c, struct canvas *canvas);

/* compare_told.c: what became of each message of one side, a text each. Of a schedule by its book. Of a
 * recording by what its nodes told: of the queue that was looked at what they held, too; of others what was
 * noted, or how many did not come back. They are new: compare_told_free. */
struct told {
    char *what, *why; /* "hello #1 LOST", "no node has it" ("": nothing is known) */
    enum style style; /* of what */
};
struct told_list {
    VEC(struct told) rows;
};
struct told_list compare_told(const struct model *m);
void compare_told_free(struct told_list *t);

#endif

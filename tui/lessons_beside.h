/* lessons_beside.h: the lessons beside the one that is open: the next, the one before, and one whose programs
 * serve it. */
#ifndef TUI_LESSONS_BESIDE_H
#define TUI_LESSONS_BESIDE_H

#include "model.h"

/* Which comes after the lesson of this number (m->next_lesson; 0: none), how many nodes it wants, and which
 * comes before (m->earlier_lesson). */
void lesson_find_beside(struct model *m, int number);

/* The last lesson that has both programs: its producer and consumer serve where this lesson has none. The
 * caller destroys it; NULL: none is built. */
struct lesson *lesson_find_tools(const struct labdir *lab);

#endif

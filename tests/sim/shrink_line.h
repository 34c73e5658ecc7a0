/* shrink_line.h: a line of a schedule that says less: what shrink.c tries once no line can be spared.
 */
#ifndef TESTS_SIM_SHRINK_LINE_H
#define TESTS_SIM_SHRINK_LINE_H

#include "base/base.h"
#include "base/vec.h"

struct simpler {
    VEC(char *) forms;
};

/* The ways in which a line (without its time) could say less, the boldest first: a client that has one
 * setting less or fewer messages, a policy or a queue with one key less, one node less of several, rounder
 * times. */
void simpler_find(struct simpler *s, const char *what);
void simpler_finish(struct simpler *s);
/* The same for the time that it waits; how many there are. */
size_t simpler_waits(unsigned long wait_ms, unsigned long out[3]);

#endif

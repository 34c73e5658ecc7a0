/* shrink_story.h: a schedule as the shrinker has it: lines of which some may be left out, and which of them
 * belong together. Nothing is played here.
 */
#ifndef TESTS_SIM_SHRINK_STORY_H
#define TESTS_SIM_SHRINK_STORY_H

#include "base/text.h"
#include "base/vec.h"

struct story_line {
    bool event; /* else a client: it has no time */
    unsigned long wait_ms;
    unsigned long luck; /* 0: its dice fall as those of the line before */
    char *what;
};

struct story {
    struct text head; /* what the world is like */
    unsigned nodes;
    VEC(struct story_line) lines; /* clients first */
};

void story_split(struct story *s, const char *schedule);
void story_finish(struct story *s);
size_t story_events(const struct story *s);

/* As text, without the lines that are gone (NULL: with all). keep_time: what they waited is waited by the
 * next one that is left. */
void story_write(const struct story *s, struct text *t, const bool *gone, bool keep_time);
/* The same for good. */
void story_leave_out(struct story *s, const bool *gone, bool keep_time);

/* Lines that belong together: what begins and what ends it (a kill and the next start of that node, a cut and
 * the next heal), whatever names one node, or one queue; two and three lines in a row. Marks the k-th such
 * group in gone[]; false: there are not so many. A group may be empty. */
bool story_group(const struct story *s, size_t k, bool *gone);

/* Line i and the next one as one, where both do the same to different nodes: "kill node1 node2". The caller's
 * to free; NULL: they cannot be one. */
char *story_merged(const struct story *s, size_t i);

#endif

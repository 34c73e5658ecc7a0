/* verbs.h: what can be typed behind ':': labctl's verbs and a few words of the screen's own, with what may
 * follow each. A test keeps the table equal to labctl's. */
#ifndef TUI_VERBS_H
#define TUI_VERBS_H

#include "model.h"

enum word_kind {
    WORD_NONE,
    WORD_NODE,
    WORD_QUEUE,
    WORD_POLICY,
    WORD_DEFINITION,
    WORD_COLUMNS,
    WORD_VERB,
    WORD_FREE
};

struct verb {
    const char *name;
    enum word_kind words[3]; /* WORD_COLUMNS: it and all that follow */
    const char *usage;       /* what may follow, in labctl's way of writing it */
    const char *columns;     /* of WORD_COLUMNS, with spaces between */
    bool acts;               /* changes something: not on a read-only screen */
    enum danger danger;
    enum { OF_SELECTED, OF_RUNNING, OF_SCREEN } of; /* asks the selected node, one that runs; or no labctl */
};

extern const struct verb verb_table[];
extern const size_t verb_table_len;

const struct verb *verb_find(const char *name); /* NULL: no such verb */

/* What a word of the screen's own does, N_(); NULL: it is none of these. labctl help does not know them. */
const char *verb_says(const char *name);

/* The verb that was probably meant by one that there is not; NULL: none is like it. */
const char *verb_like(const char *name);

/* The first word of a labctl command line that is no option; NULL: there is none. */
const char *verb_of(const char *const *argv);

#endif

/* nearest.h: of the words there are, the one that was probably meant by one that there is not. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "base/base.h"

/* Begin with {.typed = what was typed}; then like is the nearest of the words tried, NULL if none is near. */
struct nearest {
    const char *typed;
    const char *like; /* borrowed from who tried it */
    size_t distance;  /* of like: letters to add, leave out or exchange */
};

/* One word there is. More than three letters away, or than half of its own, is another word. */
void nearest_try(struct nearest *n, const char *word);

#endif

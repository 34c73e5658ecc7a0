/* follow.h: a read-only screen of a lab beside one that acts: it shows the lesson as that one keeps it in the
 * lab's folder (lesson_follow), and ticks nothing by itself. While none acts it looks by itself. It writes
 * nothing. */
#ifndef TUI_FOLLOW_H
#define TUI_FOLLOW_H

#include <sys/stat.h>

#include "model.h"

struct follow {
    struct stat file; /* of what is kept, as it was read last; of none: all 0 */
    bool acts;        /* another screen did at the last look */
};

/* Before a snapshot is looked at; the model's lesson may be another object after it, its number the same.
 * The number of the lesson that the screen which acts shows; 0: none acts. */
int follow_look(struct follow *f, struct model *m, const struct labdir *lab);

#endif

/* time_private.h: a player from the inside: time_player.c goes to moments, time_apply.c hands the model what
 * was recorded of each. */
#ifndef TUI_TIME_PRIVATE_H
#define TUI_TIME_PRIVATE_H

#include "checkpoint.h"
#include "time_player.h"

struct player {
    struct recording *r;
    struct lesson *given; /* for a recording without a lesson */
    struct model model;
    size_t at;         /* moments that are shown */
    ms_time pos;       /* between them, while it plays */
    ms_time left_over; /* of the viewer's time, in hundredths of the recording's: a slow one loses none */
    bool playing;
    uint64_t applied; /* moments, so far */
    size_t speed;

    /* what the moments so far come to */
    bool begun;
    json_t *doc, *events;
    VEC(struct running) running;
    VEC(struct kept) kept; /* by their place, rising */
};

/* How much of a moment the model is told. */
enum passing {
    PASSING,       /* it is long past, and nothing was new: the model need not see it */
    PASSING_LOOK,  /* without its events: later ones are in a later list; and no message is judged */
    PASSING_LATE,  /* the one before the newest: messages are judged by two */
    PASSING_NEWEST /* all of it */
};

/* Hands moment i to the model; all before it were. */
void player_apply(struct player *p, size_t i, enum passing how);
void player_forget(struct player *p);                       /* all that was applied */
void player_resume(struct player *p, const struct kept *k); /* a model that has observed nothing */

#endif

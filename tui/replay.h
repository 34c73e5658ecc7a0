/* replay.h: a recorded session as a file: which lines it has, when each was, which can be read.
 * time_player.h shows it. Also read: a file with one `lab status --json` (compact) a line.
 *
 * The rule it keeps: a line that cannot be read is named and left out, and with it every difference that was
 * built on it; nothing is guessed. */
#ifndef TUI_REPLAY_H
#define TUI_REPLAY_H

#include <jansson.h>

#include "base/vec.h"
#include "lab/lesson.h"

/* One line of it that can be used. */
struct recorded {
    ms_time t;      /* since the beginning */
    ms_time now;    /* on the observer's clock */
    size_t at, len; /* in the text */
    int line;       /* in the file, from 1 */
    bool snapshot;  /* the nodes were looked at */
    bool whole;     /* and that is all of it, no difference */
    bool visible;   /* it says more than that time passed */
    bool printed;   /* a program printed something, or ended */
    char *mark;     /* a step begins here: what was run; NULL: none */
    bool anew;      /* and that is the beginning of the lesson once more */
    bool frame, paused;
};

struct recording {
    char *name; /* for messages */
    char *text;
    size_t text_len;
    struct indexing *indexing; /* how far it was read (replay.c) */
    VEC(struct recorded) moments;
    json_t *header;  /* NULL: a file of snapshots without one */
    char *problem;   /* which lines were left out and why; NULL: none */
    size_t left_out; /* how many */
    bool open;       /* it is still written */
    size_t doomed;   /* the moment to open at (a schedule's fatal step); SIZE_MAX: none */
};

/* Reads the whole file. NULL and "FILE:LINE: what is wrong" in *error (the caller frees it) if nothing in it
 * can be shown. */
struct recording *recording_open(const char *file, char **error);
/* As recording_open, of a file that `load` (tui.h; may be NULL) may know better. */
struct recording *recording_load(const char *file, char *(*load)(const char *file, char **error),
                                 char **error);
struct recording *recording_of(const char *name, char *text, char **error); /* takes text over */
/* One that is being written to fd: what there is of it as soon as something can be shown; the rest is read by
 * the caller (recording_append). NULL and *error: it ended before, and what its writer said last. */
struct recording *recording_from(int fd, const char *name, char **error);
/* One that is written line by line from the beginning (recording_append), nothing of it so far; the two, one
 * after the other, as one: a copy. */
struct recording *recording_begin(const char *name);
struct recording *recording_join(const char *name, const struct recording *a, const struct recording *b);
bool recording_shows(const struct recording *r); /* there is a snapshot in it */
void recording_close(struct recording *r);       /* takes NULL */

/* More of it, as it is written; of the last line what is missing comes with the next. */
void recording_append(struct recording *r, const char *data, size_t len);

json_t *recording_line(const struct recording *r, size_t i); /* parsed anew; a new reference */
ms_time recording_end(const struct recording *r);            /* how long it is */

/* It was played in the simulator: nobody saw it live. */
bool recording_is_simulated(const struct recording *r);

/* The lesson it was made in, no step done, without proofs; NULL: none. The caller's. */
struct lesson *recording_lesson(const struct recording *r);

#endif

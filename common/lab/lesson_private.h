/* lesson_private.h (private to common/lab and its tests): what a lesson keeps that nobody else looks at. */
#ifndef LAB_LESSON_PRIVATE_H
#define LAB_LESSON_PRIVATE_H

#include "base/map.h"
#include "lab/lesson.h"
#include "lab/proof.h"

struct lesson_full {
    struct lesson lesson;     /* what lesson.h shows; first */
    struct map most_messages; /* queue name -> int64_t *: the most it was seen to hold */
    uint64_t last_number;     /* of the last snapshot looked at */
};

/* what has to be so when a step is run, and what a learner is told where it is not */
struct step_need {
    struct proof *facts;
    char *say;
};

/* what lesson_step.proof points to */
struct step_proof {
    struct proof *facts;
    struct step_need *needs;
    size_t needs_len;
    int snapshots;        /* how many running it must hold in */
    int timeout_s;        /* how long a headless run waits for it */
    int missed;           /* snapshots running in which it was false (not: unknown) */
    ms_time last_as_of;   /* the last counted one was said at */
    int64_t held_wall_ms; /* and taken at */
};

static inline struct lesson_full *lesson_full(struct lesson *l)
{
    return CONTAINER_OF(l, struct lesson_full, lesson);
}

/* what a proof of this step may look at */
struct evidence lesson_evidence(const struct lesson_full *full, const struct lesson_step *step,
                                const struct snapshot *s);

/* Reads a lesson.cfg from any path; shown is its name in errors. Without folder and name. */
struct lesson *lesson_read(const char *path, const char *shown, int number, const struct labdir *lab,
                           char **error);

#endif

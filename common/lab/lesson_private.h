/* lesson_private.h (private to common/lab and its tests): what a lesson keeps that nobody else looks at. */
#ifndef LAB_LESSON_PRIVATE_H
#define LAB_LESSON_PRIVATE_H

#include "base/map.h"
#include "lab/lesson.h"
#include "lab/proof.h"

struct lesson_full {
    struct lesson lesson; /* what lesson.h shows; first */
    struct map counts;    /* queue name -> struct queue_count *: messages it was seen to hold */
    uint64_t last_number; /* of the last snapshot looked at */
    int apart;            /* in how many running nodes were apart */
    json_t *kept;         /* of it in the lab's folder, as it was written or read last; NULL: nothing */
    bool follows;         /* another screen acts: that one ticks (lesson_follow) */
};

/* What is said of a step, and the facts that it depends on. Of `needs`, which have to be so when it is run:
 * what a learner is told where they are not; a %s in it: where the master is. Of `shows`: what it has shown
 * where they were seen together with its proof. */
struct step_said {
    struct proof *facts;
    char *say;
};

/* what lesson_step.proof points to */
struct step_proof {
    struct proof *facts;
    struct proof
        *lasts; /* of what its title says: goes on being looked at; NULL: it happened, and that is so */
    char *node; /* its action goes to this one, as a client or by labctl's -n; NULL: to none */
    struct step_said *needs;
    size_t needs_len;
    struct step_said *shows; /* the first of them whose facts are there is said */
    size_t shows_len;
    bool begun;    /* something of its proof is there */
    int lacked;    /* looks running in which a need was not met before that */
    bool lacking;  /* twice running, and all were not met since: what is done by hand now does not tick it */
    bool parted;   /* or the nodes were apart: it does not if something is missing after that */
    bool too_soon; /* so its facts are there, and it is not */
    int snapshots; /* how many running it must hold in */
    int timeout_s; /* how long a headless run waits for it */
    ms_time last_as_of;     /* the last counted one was said at */
    int64_t held_wall_ms;   /* and taken at */
    json_t *shown;          /* it only looks: the nodes have shown it, and this was seen; NULL: not yet */
    char *shown_shows;      /* what lesson_step.shows becomes then */
    int missed;             /* snapshots running in which what lasts was false (not: unknown) */
    json_t *instead;        /* what was so instead in the newest of them; NULL: there is none */
    int64_t missed_wall_ms; /* the first of these was taken at */
};

static inline struct lesson_full *lesson_full(struct lesson *l)
{
    return CONTAINER_OF(l, struct lesson_full, lesson);
}

/* lesson_count.c. lesson_count: of this queue; made if there is none yet. lesson_look_at_counts: a snapshot
 * was taken. lesson_counts_anew: from here on it counts whether they become fewer. lesson_counts_before: so
 * many there are before a step that acts. */
struct queue_count *lesson_count(struct lesson_full *full, const char *queue);
void lesson_look_at_counts(struct lesson_full *full, const struct snapshot *s);
void lesson_counts_anew(struct lesson_full *full);
void lesson_counts_before(struct lesson_full *full);
void lesson_counts_finish(struct lesson_full *full);

/* lesson_ask.c. question_decide: this step's proof is there: which of the choices is, unless that was seen
 * before. question_undecide: what was seen for this step proves nothing any more. */
void question_decide(struct lesson_full *full, const struct lesson_step *step, const struct snapshot *s);
void question_undecide(struct lesson_full *full, const struct lesson_step *step);
void question_finish(struct lesson_question *q);

/* what a proof of this step may look at */
struct evidence lesson_evidence(const struct lesson_full *full, const struct lesson_step *step,
                                const struct snapshot *s);

/* lesson_mend.c. lesson_heal_links: those that are noted to be cut (links.h). lesson_rejoin: stops and starts
 * a node that is parted from others though the links are back; ERR_REFUSED: it did not, *error (caller frees)
 * says why, and what helps. */
void lesson_heal_links(const struct labdir *lab);
int lesson_rejoin(const struct labdir *lab, const struct lesson *l, size_t node, char **error);

/* lesson_read.c. Reads a lesson.cfg from any path; shown is its name in errors. Without folder and name. */
struct lesson *lesson_read(const char *path, const char *shown, int number, const struct labdir *lab,
                           char **error);

#endif

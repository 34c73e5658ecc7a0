/* shrink.h: a seed that breaks a promise, made small: the fewest lines of its schedule that still break it,
 * each as plain as can be. Each attempt is played in a child process, so that a failed assertion or an
 * endless run can be shrunk, too.
 */
#ifndef TESTS_SIM_SHRINK_H
#define TESTS_SIM_SHRINK_H

#include "sim/plan.h"

#define SHRINK_EVENTS 30 /* what one can read as a story */

struct shrink {
    void (*make)(struct plan *p, void *arg); /* the world; its schedule is what is shrunk */
    void *arg;
    unsigned limit_s;     /* of time, for all attempts */
    unsigned limit_runs;  /* of attempts; 0: as many as there is time for */
    unsigned run_limit_s; /* of CPU time, for one; longer is endless */
};

struct shrunk {
    char *schedule; /* the caller's to free; NULL: every promise held */
    size_t events;  /* how many it has left */
    unsigned runs;  /* attempts that were played */
    char broken[300];
};

void shrink(const struct shrink *job, struct shrunk *out);

#endif

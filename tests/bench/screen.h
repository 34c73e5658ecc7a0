/* screen.h: what the screen itself costs: `lab` in a terminal beside the nodes, and the processor time it
 * takes. */
#ifndef BENCH_SCREEN_H
#define BENCH_SCREEN_H

#include "base/base.h"

struct screen_spec {
    const char *bin, *dir; /* where lab is; the lab's folder */
    unsigned short columns, rows;
    double warm_up_s, measured_s; /* it settles first */
};

/* Opens the screen of that lab. percent: of one processor. false: *why says it (a constant text). */
bool screen_cpu(const struct screen_spec *spec, double *percent, const char **why);

#endif

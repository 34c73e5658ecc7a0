/* screen.h: what the screen itself costs: `lab` in a terminal beside the nodes, and the processor time it
 * takes. */
#ifndef BENCH_SCREEN_H
#define BENCH_SCREEN_H

#include "base/base.h"

/* Opens the screen of the lab in this folder (bin/lab, 80x24), lets it settle for warm_up_s and measures for
 * measured_s. percent: of one processor. false: *why says it (a constant text). */
bool screen_cpu(const char *bin, const char *dir, double warm_up_s, double measured_s, double *percent,
                const char **why);

#endif

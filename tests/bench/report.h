/* report.h: what was measured: for each measure and engine its runs; the median is what counts. Prints the
 * table, writes the JSON file. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "base/base.h"

enum { BENCH_KIT, BENCH_RABBITMQ, BENCH_ENGINES };
enum { BENCH_RUNS_MAX = 15 };

struct measure {
    const char *name; /* "publish-mirrored-transient" */
    const char *text; /* "mirrored, 100 B transient, confirmed" */
    const char *unit; /* "msg/s", "ms", "MiB", "us" */
    bool more_is_better;
    double promised; /* it stays below this; 0: nothing is promised */
    struct {
        double runs[BENCH_RUNS_MAX];
        unsigned n;
        char *error; /* why there is no figure; owned */
        double beside,
            wanted; /* messages a second that flowed beside it, the least of the runs; and were to */
    } of[BENCH_ENGINES];
};

void measure_add(struct measure *m, unsigned engine, double value);
/* What really flowed beside this run: without it the figure says nothing. */
void measure_beside(struct measure *m, unsigned engine, double per_second, double wanted);
void measure_failed(struct measure *m, unsigned engine, const char *why);
double measure_median(const struct measure *m, unsigned engine); /* 0 without runs */

/* The table, to stdout. With both engines: how many times better the kit is. */
void report_print(const struct measure *list, size_t len, const bool measured[BENCH_ENGINES]);
/* The same with every run, and the machine. false and a message on stderr if it cannot be written. */
bool report_write(const struct measure *list, size_t len, const bool measured[BENCH_ENGINES],
                  const char *file);
bool report_complete(const struct measure *list, size_t len); /* no measure failed */

#endif

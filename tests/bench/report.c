/* report.c: medians, a table, a JSON file. */
#include "tests/bench/report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char *const engine_names[BENCH_ENGINES] = {[BENCH_KIT] = "kit", [BENCH_RABBITMQ] = "rabbitmq"};

void measure_add(struct measure *m, unsigned engine, double value)
{
    ASSERT(m->of[engine].n < BENCH_RUNS_MAX);
    m->of[engine].runs[m->of[engine].n++] = value;
}

void measure_beside(struct measure *m, unsigned engine, double per_second, double wanted)
{
    double *least = &m->of[engine].beside;
    *least = *least > 0 && *least < per_second ? *least : per_second;
    m->of[engine].wanted = wanted;
}

void measure_failed(struct measure *m, unsigned engine, const char *why)
{
    fprintf(stderr, "bench: %s: %s: %s\n", engine_names[engine], m->name, why);
    if (!m->of[engine].error)
        m->of[engine].error = xstrdup(why);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double measure_median(const struct measure *m, unsigned engine)
{
    unsigned n = m->of[engine].n;
    double sorted[BENCH_RUNS_MAX];
    if (!n)
        return 0;
    memcpy(sorted, m->of[engine].runs, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_size);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* three digits that count, thousands apart: 17,200 or 0.24 */
static void figure(double v, char out[32])
{
    char plain[32];
    if (v < 100) {
        snprintf(out, 32, v < 1 ? "%.3f" : v < 10 ? "%.2f" : "%.1f", v);
        return;
    }
    int len = snprintf(plain, sizeof(plain), "%.0f", v);
    size_t at = 0;
    for (int i = 0; i < len && at < 30; i++) {
        if (i && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = plain[i];
    }
    out[at] = '\0';
}

static void cell(const struct measure *m, unsigned engine, char out[64])
{
    char number[32];
    if (m->of[engine].error) {
        snprintf(out, 64, "failed");
    } else if (!m->of[engine].n) {
        snprintf(out, 64, "-");
    } else {
        figure(measure_median(m, engine), number);
        snprintf(out, 64, "%s %s", number, m->unit);
    }
}

static double times_better(const struct measure *m)
{
    double kit = measure_median(m, BENCH_KIT), other = measure_median(m, BENCH_RABBITMQ);
    if (kit <= 0 || other <= 0 || m->of[BENCH_KIT].error || m->of[BENCH_RABBITMQ].error)
        return 0;
    return m->more_is_better ? kit / other : other / kit;
}

/* Of the kit: whether the promise is kept; and whether what it was measured beside was there at all. */
static void print_promise(const struct measure *m)
{
    char flowed[32], wanted[32];
    if (m->promised <= 0 || !m->of[BENCH_KIT].n)
        return;
    bool kept = measure_median(m, BENCH_KIT) < m->promised;
    printf("    promised below %g %s: %s", m->promised, m->unit, kept ? "kept" : "BROKEN");
    if (m->of[BENCH_KIT].wanted > 0) {
        figure(m->of[BENCH_KIT].beside, flowed);
        figure(m->of[BENCH_KIT].wanted, wanted);
        printf("; beside it flowed %s msg/s of %s%s", flowed, wanted,
               m->of[BENCH_KIT].beside < 0.95 * m->of[BENCH_KIT].wanted ? ": NOT what is promised" : "");
    }
    printf("\n");
}

void report_print(const struct measure *list, size_t len, const bool measured[BENCH_ENGINES])
{
    bool both = measured[BENCH_KIT] && measured[BENCH_RABBITMQ];
    printf("\n%-46s", "median of the runs");
    for (unsigned e = 0; e < BENCH_ENGINES; e++)
        if (measured[e])
            printf("%18s", engine_names[e]);
    printf("%s\n", both ? "     kit is better" : "");
    for (size_t i = 0; i < len; i++) {
        bool any = false;
        for (unsigned e = 0; e < BENCH_ENGINES; e++)
            any = any || list[i].of[e].n || list[i].of[e].error;
        if (!any)
            continue;
        printf("%-46s", list[i].text);
        for (unsigned e = 0; e < BENCH_ENGINES; e++) {
            char text[64];
            cell(&list[i], e, text);
            if (measured[e])
                printf("%18s", text);
        }
        double times = times_better(&list[i]);
        if (both && times > 0)
            printf("%13.1f times", times);
        printf("\n");
        print_promise(&list[i]);
    }
    fflush(stdout);
}

static json_t *machine(void)
{
    struct utsname u;
    uname(&u);
    char line[256], cpu[128] = "";
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "model name : %127[^\n]", cpu) == 1)
            break;
    if (f)
        fclose(f);
    return json_pack("{s:I, s:s, s:s, s:s}", "cores", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "cpu", cpu,
                     "system", u.sysname, "kernel", u.release);
}

bool report_write(const struct measure *list, size_t len, const bool measured[BENCH_ENGINES],
                  const char *file)
{
    json_t *measures = json_array();
    for (size_t i = 0; i < len; i++) {
        json_t *m =
            json_pack("{s:s, s:s, s:s}", "name", list[i].name, "text", list[i].text, "unit", list[i].unit);
        for (unsigned e = 0; e < BENCH_ENGINES; e++) {
            if (!measured[e])
                continue;
            json_t *runs = json_array();
            for (unsigned n = 0; n < list[i].of[e].n; n++)
                json_array_append_new(runs, json_real(list[i].of[e].runs[n]));
            json_t *one = json_pack("{s:f, s:o}", "median", measure_median(&list[i], e), "runs", runs);
            if (list[i].of[e].wanted > 0)
                json_object_set_new(one, "beside_per_second", json_real(list[i].of[e].beside));
            if (list[i].of[e].error)
                json_object_set_new(one, "error", json_string(list[i].of[e].error));
            json_object_set_new(m, engine_names[e], one);
        }
        double times = times_better(&list[i]);
        if (list[i].promised > 0)
            json_object_set_new(m, "promised_below", json_real(list[i].promised));
        if (times > 0)
            json_object_set_new(m, "times_better", json_real(times));
        json_array_append_new(measures, m);
    }
    json_t *all = json_pack("{s:o, s:o}", "machine", machine(), "measures", measures);
    int failed = json_dump_file(all, file, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    json_decref(all);
    if (failed)
        fprintf(stderr, "bench: cannot write %s; name another file with --json\n", file);
    return !failed;
}

bool report_complete(const struct measure *list, size_t len)
{
    for (size_t i = 0; i < len; i++)
        for (unsigned e = 0; e < BENCH_ENGINES; e++)
            if (list[i].of[e].error)
                return false;
    return true;
}

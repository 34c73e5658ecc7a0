/* lab_sim_seeded.c: playing a schedule of the swarm: its world and its clients come from its seed, its events
 * from the file. What is told is what went wrong with the cluster, line by line, and which promise broke. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "main/lab_sim.h"
#include "sim/plan.h"

struct teller {
    FILE *out;
    bool all;
};

static void tell(void *arg, const char *line)
{
    const struct teller *t = arg;
    if (t->all || strstr(line, "====") || strstr(line, "LOST ") || strstr(line, "FOUND ") ||
        strncmp(line, "BROKEN", 6) == 0)
        fprintf(t->out, "%s\n", line);
}

int replay_seeded(const struct sched *s, const char *name, const char *text, bool trace, FILE *out)
{
    struct teller teller = {out, trace};
    struct plan p;
    struct plan_result r;
    unsigned faults = FAULTS_DEFAULT;
    if (*s->faults && !plan_faults_named(s->faults, &faults)) {
        fprintf(out,
                "%s: seed %llu %s: there are no faults of that name; write all, classic, or names with "
                "commas between\n",
                name, (unsigned long long)s->seed, s->faults);
        return 1;
    }
    plan_make(&p, s->seed, faults);
    text_clear(&p.schedule);
    text_add(&p.schedule, text);
    p.options.trace = tell;
    p.options.trace_arg = &teller;
    fprintf(out, "%s: %s\n%u nodes, engine sim, world and clients of seed %llu\n", name, s->title,
            p.options.nodes, (unsigned long long)s->seed);
    plan_run(&p, &r);
    plan_finish(&p);
    fprintf(out, "%llu messages: %llu confirmed, %llu consumed", (unsigned long long)r.messages,
            (unsigned long long)r.confirmed, (unsigned long long)r.consumed);
    for (unsigned d = DOOR_L1; d <= DOOR_L5; d++)
        if (r.lost[d])
            fprintf(out, ", %llu lost through %s", (unsigned long long)r.lost[d], door_name((enum door)d));
    fprintf(out, "\n%s\n", r.failure ? r.failure : "every promise held");
    int code = r.failure ? 1 : 0;
    free(r.failure);
    return code;
}

/* lab_sim_seeded.c: playing a schedule of the swarm: its links, disks and luck come from its
 * seed, its clients and events from the file. What is told is what went wrong with the cluster, line by line,
 * and which promise broke. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "main/lab_sim.h"
#include "sim/plan.h"

struct teller {
    FILE *out;
    bool all;
};

static void tell(void *arg, const char *line)
{
    const struct teller *t = arg;
    if (t->all || strstr(line, "====") || strstr(line, "----") || strstr(line, "LOST ") ||
        strstr(line, "FOUND ") || strncmp(line, "BROKEN", 6) == 0)
        fprintf(t->out, "%s\n", line);
}

static void tell_clients(const struct sched *s, FILE *out)
{
    struct text t = {0};
    for (size_t i = 0; i < s->clients.len; i++)
        sched_client_write(&t, &s->clients.items[i]);
    fputs(text_str(&t), out);
    text_finish(&t);
}

int replay_seeded(const struct sched *s, const char *name, const char *text, bool trace, FILE *out)
{
    struct teller teller = {out, trace};
    struct plan p;
    struct plan_result r;
    char *error = NULL;
    if (plan_read(&p, name, text, &error)) {
        fprintf(out, "%s\n", error);
        free(error);
        return 1;
    }
    p.options.trace = tell;
    p.options.trace_arg = &teller;
    fprintf(out, "%s: %s\n%u nodes, engine sim, world of seed %llu\n", name, s->title, s->nodes,
            (unsigned long long)s->seed);
    tell_clients(s, out);
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

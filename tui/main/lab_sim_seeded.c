/* lab_sim_seeded.c: playing a schedule of the swarm: its links, disks and luck come from its seed, its
 * clients and events from the file. Told is what went wrong with the cluster, line by line, and which promise
 * broke; shown, to who watches as of any other schedule, what the nodes show after each event, and of each
 * message what the simulator's ledger has: that is kept by its clients, disks and checker. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "main/lab_sim.h"
#include "main/lab_sim_look.h"
#include "sim/plan.h"
#include "words.h"

char *replay_seeded_elsewhere(const struct sched *s, const char *file)
{
    return format_text(
        _("%s: its clients are made from seed %llu, which only the simulator does; leave --engine out"), file,
        (unsigned long long)s->seed);
}

/* ---- told ---- */

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

/* ---- shown ---- */

struct shower {
    const struct replay_watch *watch;
    struct replay_result *result;
    struct sched_event begin, end; /* what comes before the first event, what follows the last */
    VEC(struct replay_seen) queues;
    VEC(struct replay_queue) looked; /* parallel to it */
};

static const struct replay_queue *queue_named(const struct shower *h, const char *name)
{
    for (size_t i = 0; i < h->queues.len; i++)
        if (strcmp(h->queues.items[i].name, name) == 0)
            return h->queues.items[i].queue;
    return NULL;
}

/* between its masters, or while its node is not given up yet */
static bool is_known(const struct sim *s, const char *name)
{
    struct queue_info info;
    bool known = false;
    for (node_id n = 0; n < sim_nodes(s); n++)
        known = known || (sim_serving(s, n) && sim_queue(s, n, name, &info));
    return known;
}

static void look_at_queues(struct shower *h, const struct sim *s)
{
    const struct ledger *l = sim_ledger(s);
    for (size_t i = 0; i < l->queues.len; i++) {
        const char *name = l->queues.items[i].name;
        if (queue_named(h, name))
            continue; /* an earlier one of that name */
        struct replay_queue q = {.master = SCHED_NONE};
        lab_sim_look(s, name, false, NULL, 0, &q);
        replay_put_in_order(&q);
        if (q.state == REPLAY_GONE && is_known(s, name))
            q.state = REPLAY_DOWN;
        VEC_PUSH(&h->looked, q);
        struct replay_seen seen = {.name = name};
        VEC_PUSH(&h->queues, seen);
        for (size_t k = 0; k < h->looked.len; k++) /* what is pushed may move all */
            h->queues.items[k].queue = &h->looked.items[k];
    }
}

static void forget_queues(struct shower *h)
{
    for (size_t i = 0; i < h->looked.len; i++)
        replay_queue_finish(&h->looked.items[i]);
    h->looked.len = h->queues.len = 0;
}

static enum replay_answer answer_of(enum fate fate)
{
    return fate == FATE_CONFIRMED ? REPLAY_CONFIRMED
           : fate == FATE_REFUSED ? REPLAY_REFUSED
                                  : REPLAY_UNANSWERED;
}

/* A new one lives from this step on. */
static void see_message(const struct shower *h, const struct sim *s, uint32_t i, unsigned step,
                        struct replay_message *m)
{
    const struct ledger_message *at = sim_message(s, i);
    const struct ledger_queue *queue = &sim_ledger(s)->queues.items[at->queue];
    const struct replay_queue *q = queue_named(h, queue->name);
    bool runs = q && q->state == REPLAY_RUNNING;
    bool lost = at->door != DOOR_NONE;
    m->answer = answer_of(at->fate);
    m->lost_step = !lost ? 0 : m->lost_step ? m->lost_step : step;
    snprintf(m->door, sizeof(m->door), "%s", lost ? door_name(at->door) : "");
    m->consumed = at->consumed || at->discarded_in;
    m->taken_at = at->consumed ? at->consumed_at : SCHED_NONE;
    m->ending = lost || at->memory             ? REPLAY_NOT_ENDED
                : at->ending == ENDING_EXPIRED ? REPLAY_EXPIRED
                : at->ending == ENDING_DROPPED ? REPLAY_TOO_MANY
                                               : REPLAY_NOT_ENDED;
    bool gone = !at->memory && (at->removed || at->dead_in || queue->gone || queue->deletion);
    m->removed = gone && !lost && !m->ending && !m->consumed;
    m->holders = at->memory;
    m->unavailable = m->answer == REPLAY_CONFIRMED && !lost && !m->consumed && !m->removed && !m->ending &&
                     (!runs || !at->memory);
}

static void see_messages(struct shower *h, const struct sim *s, unsigned step)
{
    struct replay_result *r = h->result;
    const struct ledger *l = sim_ledger(s);
    for (uint32_t i = 0; i < l->messages.len; i++) {
        const struct ledger_message *at = sim_message(s, i);
        if (i == r->messages.len) {
            struct replay_message m = {.queue = xstrdup(l->queues.items[at->queue].name),
                                       .node = at->at,
                                       .step = step,
                                       .transient = !at->persistent,
                                       .fleeting = !at->persistent};
            VEC_PUSH(&r->messages, m);
        }
        see_message(h, s, i, step, &r->messages.items[i]);
    }
}

static json_t *counts_fact(const struct sim *s)
{
    const struct ledger *l = sim_ledger(s);
    uint64_t lost = 0;
    for (unsigned d = DOOR_L1; d <= DOOR_L5; d++)
        lost += l->lost[d];
    if (!l->messages.len)
        return fact_of(N_("nothing published so far"));
    return fact_of(N_("%zu published, %lld confirmed, %lld consumed, %lld lost"), l->messages.len,
                   (long long)l->confirmed, (long long)l->consumed, (long long)lost);
}

static void after(void *arg, const struct sim *s, const struct sched_event *e)
{
    struct shower *h = arg;
    const char *failure = sim_failure(s);
    struct replay_shown shown = {.away = lab_sim_off(s), .so_far = h->result};
    json_t *fact = counts_fact(s);
    e = e ? e : &h->end;
    look_at_queues(h, s);
    see_messages(h, s, e->step);
    for (node_id n = 0; n < sim_nodes(s); n++)
        lab_sim_others(s, n, &shown.others[n]);
    if (failure && !h->result->problem)
        h->result->problem = xstrdup(failure);
    shown.fact = fact;
    shown.queues = h->queues.items;
    shown.queues_len = h->queues.len;
    h->result->steps = e->step;
    h->watch->after(h->watch->arg, e, &shown);
    json_decref(fact);
    forget_queues(h);
}

static void begun(void *arg, const struct sim *s)
{
    after(arg, s, &((struct shower *)arg)->begin);
}

void replay_plan_shown(const struct sched *s, struct plan *p, struct replay_result *result)
{
    struct shower h = {
        .watch = result->watch,
        .result = result,
        .begin = {.verb = SCHED_START, .nodes = (1U << s->nodes) - 1, .text = (char *)SCHED_BEGIN},
        .end = {.verb = SCHED_CALM, .step = s->steps + 1, .text = (char *)SCHED_END}};
    struct plan_watch watch = {.begun = begun, .after = after, .arg = &h};
    struct plan_result r;
    h.begin.node = h.begin.other = h.end.node = h.end.other = SCHED_NONE;
    p->watch = &watch;
    plan_run(p, &r);
    p->watch = NULL;
    result->as_expected = !r.failure;
    if (r.failure && !result->problem) /* it could not be played */
        result->problem = xstrdup(r.failure);
    free(r.failure);
    VEC_FREE(&h.queues);
    VEC_FREE(&h.looked);
}

int replay_seeded_shown(const struct sched *s, const char *name, const char *text,
                        struct replay_result *result)
{
    struct plan p;
    if (plan_read(&p, name, text, &result->problem))
        return ERR_INVALID;
    replay_plan_shown(s, &p, result);
    plan_finish(&p);
    return 0;
}

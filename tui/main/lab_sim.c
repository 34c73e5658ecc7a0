/* lab_sim.c: playing a schedule on the simulator. Every event waits for calm, as on real nodes it waits for
 * its fact; what is shown of a queue is what its master holds. */
#include "main/lab_sim.h"
#include "main/lab_sim_look.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sim/plan.h"
#include "sim/sim.h"

#define LIMIT_MS 60000

struct world {
    struct sim *sim;
    bool trace, own_rule;
    FILE *out;
    VEC(unsigned) number; /* message in the ledger -> number in the schedule */
};

int replay_read(struct sched *s, const char *file, const char *text, char **error)
{
    int err = sched_parse(s, file, text, error);
    if (err || rules_named(s->rule))
        return err;
    struct text t = {0};
    text_printf(&t, "%s:%u: rule '%s': there is none of that name; write one of", file, s->rule_line,
                s->rule);
    for (size_t i = 0; rules_at(i); i++)
        text_printf(&t, " %s", rules_at(i)->name);
    *error = t.s;
    sched_finish(s);
    return ERR_INVALID;
}

static void print_trace(void *arg, const char *line)
{
    fprintf(arg, "    %s\n", line);
}

static int broken(const struct world *w, char **why)
{
    const char *failure = sim_failure(w->sim);
    /* a rule of somebody's own has lost a message: that is told as a fate, the world just ends here */
    if (!failure || (w->own_rule && strncmp(failure, "I3", 2) == 0))
        return 0;
    *why = format_text("a promise broke: %s", failure);
    return ERR_INVALID;
}

static int begin(void *arg, const struct sched *s, char **why)
{
    struct world *w = arg;
    struct sim_options o;
    sim_options_defaults(&o);
    o.nodes = s->nodes;
    o.seed = 1;
    o.forgotten_end = true;
    o.partition_handling = s->partitions == SCHED_PAUSE_MINORITY ? PARTITION_PAUSE_MINORITY
                           : s->partitions == SCHED_AUTOHEAL     ? PARTITION_AUTOHEAL
                                                                 : PARTITION_IGNORE;
    if (strcmp(s->rule, "kit") != 0) {
        o.rules = rules_named(s->rule);
        w->own_rule = true;
    }
    if (w->trace) {
        o.trace = print_trace;
        o.trace_arg = w->out;
    }
    w->sim = sim_create(&o);
    for (node_id n = 0; n < s->nodes; n++)
        sim_start(w->sim, n);
    if (!sim_calm(w->sim, LIMIT_MS))
        *why = format_text("the nodes do not find each other: %s",
                           sim_failure(w->sim) ? sim_failure(w->sim) : "no calm");
    return *why ? ERR_TIMEOUT : 0;
}

static uint32_t serving(void *arg)
{
    return lab_sim_serving(((const struct world *)arg)->sim);
}

static void others(void *arg, unsigned node, struct replay_others *out)
{
    lab_sim_others(((const struct world *)arg)->sim, node, out);
}

static uint32_t off(void *arg)
{
    return lab_sim_off(((const struct world *)arg)->sim);
}

static int look(void *arg, const char *queue, bool asked, struct replay_queue *out, char **why)
{
    const struct world *w = arg;
    (void)why;
    lab_sim_look(w->sim, queue, asked, w->number.items, w->number.len, out);
    return 0;
}

static uint64_t now_ms(void *arg)
{
    const struct world *w = arg;
    return sim_now_us(w->sim) / 1000;
}

static void wait_for_time(void *arg, uint64_t ms)
{
    struct world *w = arg;
    sim_run(w->sim, ms);
}

/* ---- events ---- */

#define START_MS 5000 /* of virtual time: who does not serve then waits for others */

static bool serves(struct sim *s, void *arg)
{
    return sim_serving(s, *(node_id *)arg);
}

/* Where several sides serve, a node that starts would be taken in by whichever is quicker. It is let see one
 * only: that of the first node which serves and which it reaches. Returns those it must not see. */
static node_set others_sides(const struct sim *s, node_id node)
{
    node_set own = 0, others = 0;
    for (node_id n = 0; n < sim_nodes(s); n++) {
        if (n == node || !sim_serving(s, n) || sim_is_cut(s, node, n) || sim_is_cut(s, n, node))
            continue;
        own = own ? own : mirror_view(sim_mirror(s, n)).members;
        others |= node_in(own, n) ? 0 : node_bit(n);
    }
    return others;
}

/* One after the other: who comes first is not left to luck. */
static void start(struct world *w, const struct sched_event *e, json_t **fact)
{
    node_set waiting = 0, running = 0, refused = 0;
    for (node_id n = 0; n < sim_nodes(w->sim); n++)
        if (node_in(e->nodes, n)) {
            node_set hidden = e->rushed ? 0 : others_sides(w->sim, n);
            for (node_id other = 0; other < sim_nodes(w->sim); other++)
                if (node_in(hidden, other))
                    sim_cut(w->sim, n, other);
            sim_start(w->sim, n);
            if (!e->rushed)
                sim_until(w->sim, serves, &n, START_MS);
            for (node_id other = 0; other < sim_nodes(w->sim); other++)
                if (node_in(hidden, other))
                    sim_heal(w->sim, n, other);
        }
    for (node_id n = 0; n < sim_nodes(w->sim) && !e->rushed;
         n++) /* who waited for the last one serves by now */
        if (node_in(e->nodes, n)) {
            bool serving_now = sim_until(w->sim, serves, &n, START_MS);
            *(serving_now ? &running : sim_running(w->sim, n) ? &waiting : &refused) |= node_bit(n);
        }
    *fact = replay_fact_started(running, waiting, refused);
}

static int end_nodes(struct world *w, const struct sched_event *e, json_t **fact)
{
    for (node_id n = 0; n < sim_nodes(w->sim); n++)
        if (node_in(e->nodes, n)) {
            if (e->verb == SCHED_KILL)
                sim_kill(w->sim, n);
            else
                sim_stop_wait(w->sim, n);
        }
    *fact = replay_fact_ended(e->nodes);
    return 0;
}

static int declare(struct world *w, node_id n, const struct sched_event *e, struct sim_answer *a, char **why)
{
    static const unsigned kinds[] = {SIM_DURABLE, 0, SIM_AUTO_DELETE};
    struct queue_args args;
    char *wrong = NULL;
    if (plan_args_read(&args, e->third ? e->third : "{}", &wrong)) {
        *why = format_text("line %u, %s: %s", e->line, e->text, wrong);
        free(wrong);
        return ERR_REFUSED;
    }
    *a = sim_declare_with(w->sim, n, e->name, kinds[e->queue_kind], &args);
    queue_args_finish(&args);
    return 0;
}

static struct sim_answer set_policy(struct world *w, node_id n, const struct sched_event *e)
{
    struct event ev = {.type = EV_SET_POLICY,
                       .u.policy = {.name = e->name,
                                    .pattern = e->second,
                                    .definition = e->third,
                                    .priority = (int32_t)e->numbers[0]}};
    return sim_command(w->sim, n, &ev);
}

/* What was answered, where it is no more than that things are so: as on real nodes (replay_nodes.c). */
static json_t *refusal(const struct sched_event *e, enum answer_status status)
{
    bool declares = e->verb == SCHED_DECLARE;
    if (e->verb == SCHED_CLEAR && status == ANSWER_NOT_FOUND)
        return fact_of(N_("refused: there is no policy %s"), e->name);
    if (declares && status == ANSWER_INEQUIVALENT)
        return fact_of(N_("refused: %s is there, and not like that"), e->name);
    if (declares && (status == ANSWER_STOPPED || status == ANSWER_DOWN))
        return fact_of(N_("refused: %s does not run"), e->name);
    return NULL;
}

static int command(struct world *w, const struct sched_event *e, json_t **fact, char **why)
{
    node_id n = (node_id)__builtin_ctz(serving(w)); /* replay.c has asked whether anybody does */
    struct sim_answer a;
    int err = 0;
    if (e->verb == SCHED_POLICY)
        a = set_policy(w, n, e);
    else if (e->verb == SCHED_CLEAR)
        a = sim_clear_policy(w->sim, n, e->name);
    else if (e->verb == SCHED_DECLARE)
        err = declare(w, n, e, &a, why);
    else if (e->verb == SCHED_DELETE)
        a = sim_delete(w->sim, n, e->name, 0);
    else if (e->verb == SCHED_PURGE)
        a = sim_purge(w->sim, n, e->name);
    else if (e->verb == SCHED_SYNC)
        a = sim_sync(w->sim, n, e->name);
    else
        a = sim_cancel_sync(w->sim, n, e->name);
    bool done = !err && a.answered && (a.status == ANSWER_OK || a.status == ANSWER_NOT_SYNCING);
    if (err || done) /* not syncing: labctl is content, too */
        return err;
    *fact = a.answered                ? refusal(e, a.status)
            : !sim_serving(w->sim, n) ? fact_of(N_("not answered: node%u serves nobody any more"), n + 1U)
                                      : NULL;
    if (*fact)
        return 0;
    const char *said = *a.text ? a.text : status_name(a.status);
    *why = format_text("line %u, %s: %s%s", e->line, e->text, a.answered ? "refused: " : "no answer",
                       a.answered ? said : "");
    return ERR_REFUSED;
}

static int act(void *arg, const struct sched_event *e, json_t **fact, char **why)
{
    struct world *w = arg;
    struct sim *s = w->sim;
    int err = 0;
    switch (e->verb) {
    case SCHED_KILL:
    case SCHED_STOP: err = end_nodes(w, e, fact); break;
    case SCHED_START: start(w, e, fact); break;
    case SCHED_CUT: sim_cut(s, e->node, e->other); break;
    case SCHED_CUT_NOW: sim_cut_now(s, e->node, e->other); break;
    case SCHED_CUT_ONE_WAY: sim_cut_one_way(s, e->node, e->other); break;
    case SCHED_PART: sim_cut_off(s, e->nodes, false); break;
    case SCHED_HEAL:
        if (e->node == SCHED_NONE)
            sim_heal_all(s);
        else
            sim_heal(s, e->node, e->other);
        break;
    case SCHED_CLOG: sim_clog(s, e->node, e->other, e->numbers[0]); break;
    case SCHED_SLOW: sim_slow(s, e->node, e->other, (unsigned)e->numbers[0], e->numbers[1]); break;
    case SCHED_FAIL_WRITE: sim_fail_write(s, e->node); break;
    case SCHED_FAIL_SYNC: sim_fail_sync(s, e->node); break;
    case SCHED_FULL_DISK:
    case SCHED_FREE_DISK: sim_fill_disk(s, e->node, e->verb == SCHED_FULL_DISK); break;
    case SCHED_FORGET: sim_forget_by(s, (node_id)__builtin_ctz(serving(w)), e->node); break;
    case SCHED_FORGET_OFFLINE: sim_forget_offline(s, e->node, e->other); break;
    case SCHED_RESET: sim_reset(s, e->node); break;
    case SCHED_FORCE: sim_force(s, e->node); break;
    case SCHED_LOSE_DISK: sim_lose_disk(s, e->node); break;
    case SCHED_CLOCK: sim_jump_clock(s, e->node, e->jump_ms); break;
    case SCHED_POLICY:
    case SCHED_CLEAR:
    case SCHED_DECLARE:
    case SCHED_DELETE:
    case SCHED_PURGE:
    case SCHED_SYNC:
    case SCHED_CANCEL_SYNC: err = command(w, e, fact, why); break;
    case SCHED_CALM: break; /* what follows every event */
    case SCHED_PUT:
    case SCHED_UNPUT:
        *why = format_text("line %u, %s: only swarm's own runs play this", e->line, e->text);
        err = ERR_INVALID;
        break;
    case SCHED_PUBLISH:
    case SCHED_CONSUME:
    case SCHED_VERB_COUNT_: break;
    }
    return err ? err : broken(w, why);
}

struct run {
    uint32_t first, last;
};

static bool answered(struct sim *s, void *arg)
{
    const struct run *r = arg;
    for (uint32_t i = r->first; i < r->last; i++)
        if (sim_message(s, i)->fate == FATE_UNCONFIRMED)
            return false;
    return true;
}

static int publish(void *arg, const struct sched_event *e, unsigned first, unsigned count,
                   enum replay_answer *answers, char **why)
{
    struct world *w = arg;
    struct run r = {.first = (uint32_t)w->number.len};
    uint32_t *at = xcalloc(count, sizeof(*at));
    bool served = sim_serving(w->sim, e->node);
    for (unsigned i = 0; i < count; i++) {
        at[i] = served ? sim_publish(w->sim, e->node, e->name, !e->transient) : SIM_UNROUTABLE;
        if (at[i] != SIM_UNROUTABLE)
            VEC_PUSH(&w->number, first + i);
    }
    r.last = (uint32_t)w->number.len;
    sim_until(w->sim, answered, &r, LIMIT_MS);
    for (unsigned i = 0; i < count; i++) {
        enum fate fate = at[i] == SIM_UNROUTABLE ? FATE_UNKNOWN : sim_message(w->sim, at[i])->fate;
        answers[i] = !served                   ? REPLAY_NOT_SERVED
                     : at[i] == SIM_UNROUTABLE ? REPLAY_UNROUTABLE
                     : fate == FATE_CONFIRMED  ? REPLAY_CONFIRMED
                     : fate == FATE_REFUSED    ? REPLAY_REFUSED
                                               : REPLAY_UNANSWERED;
    }
    free(at);
    return broken(w, why);
}

static int consume(void *arg, const struct sched_event *e, unsigned count, unsigned *taken, unsigned *len,
                   enum replay_got *got, char **why)
{
    struct world *w = arg;
    struct queue_info q;
    bool runs = sim_queue(w->sim, e->node, e->name, &q) && q.state != QUEUE_STOPPED && q.state != QUEUE_DOWN;
    *got = !sim_serving(w->sim, e->node) ? REPLAY_NOBODY_SERVES : runs ? REPLAY_TOOK : REPLAY_NOTHING_RUNS;
    while (*got == REPLAY_TOOK && *len < count) {
        struct sim_answer a = sim_get(w->sim, e->node, e->name, 0);
        if (!a.answered || a.status != ANSWER_OK)
            break;
        sim_settle_get(w->sim, e->node, &a, SETTLE_ACK);
        taken[(*len)++] = w->number.items[a.message];
    }
    return broken(w, why);
}

static int rest(void *arg, char **why)
{
    struct world *w = arg;
    if (!sim_calm(w->sim, LIMIT_MS) && !sim_failure(w->sim)) {
        *why = format_text("no calm within %u s", LIMIT_MS / 1000);
        return ERR_TIMEOUT;
    }
    return broken(w, why);
}

/* ---- afterwards ---- */

static enum sched_fate fate_of(enum ending e)
{
    return e == ENDING_DROPPED ? SCHED_DROPPED : e == ENDING_EXPIRED ? SCHED_EXPIRED : SCHED_KEPT;
}

/* Which limit ended it, if any; of one that went with its queue the checker does not say so. */
static bool ended_alike(const struct replay_message *m, const struct ledger_message *checker,
                        const struct ledger_queue *queue)
{
    enum sched_fate here = replay_fate(m);
    enum ending ending =
        checker->memory ? ENDING_NONE : checker->ending; /* one side ended it, another has it */
    bool ended = here == SCHED_DROPPED || (here == SCHED_EXPIRED && m->ending != REPLAY_QUEUE_EXPIRED);
    if (ended && ending == ENDING_NONE && (queue->gone || queue->deletion))
        return true; /* some side does not have the queue any more: it is not asked about its messages */
    return ended ? here == fate_of(ending) : ending == ENDING_NONE || here != SCHED_KEPT;
}

/* The simulator's checker has its own opinion, by looking into every node after every step. */
static void compare_with_checker(const struct world *w, FILE *out, struct replay_result *result)
{
    for (uint32_t i = 0; i < w->number.len; i++) {
        const struct replay_message *m = &result->messages.items[w->number.items[i] - 1];
        const struct ledger_message *at = sim_message(w->sim, i);
        const struct ledger_queue *queue = &sim_ledger(w->sim)->queues.items[at->queue];
        enum door door = at->door;
        enum ending ending = at->ending;
        bool lost = m->lost_step != 0;
        if (lost && ending != ENDING_NONE && m->unlooked)
            continue;                              /* the book was not shown the time between */
        bool told = m->answer == REPLAY_CONFIRMED; /* of another one the book says only how it was answered */
        if (told && !lost && !ended_alike(m, at, queue)) {
            fprintf(out, "%-8sm%u is %s here, and the checker says %s\n", "NOT SO", w->number.items[i],
                    sched_fate_word(replay_fate(m)),
                    ending == ENDING_NONE ? "no limit ended it" : sched_fate_word(fate_of(ending)));
            result->as_expected = false;
        }
        if (lost == (door != DOOR_NONE) && (!lost || strcmp(m->door, door_name(door)) == 0))
            continue;
        if (lost && door == DOOR_NONE && queue->deletion)
            continue; /* it asks for nothing of a queue that was deleted, on whatever side */
        if (lost && door == DOOR_NONE && !at->memory && !(at->disk & ~sim_removed(w->sim)))
            continue; /* only forgotten nodes have it on their disks: it waits until they are reset */
        if (lost && w->own_rule && sim_failure(w->sim))
            continue; /* it gave up at the loss, without a door */
        if (!lost && (m->unavailable || m->removed) && !m->apart)
            continue; /* it knows already what comes back, or not; without a queue that runs nobody shows it
                       */
        fprintf(out, "%-8sm%u is %s%s here, and the checker says %s\n", "NOT SO", w->number.items[i],
                lost ? "lost through " : "not lost", m->door, door_name(door));
        result->as_expected = false;
    }
}

int replay_on_sim(const struct sched *s, const char *name, bool trace, FILE *out,
                  struct replay_result *result)
{
    static const struct replay_world world = {.name = "sim",
                                              .begin = begin,
                                              .act = act,
                                              .publish = publish,
                                              .consume = consume,
                                              .wait = wait_for_time,
                                              .now_ms = now_ms,
                                              .serving = serving,
                                              .off = off,
                                              .others = others,
                                              .rest = rest,
                                              .look = look};
    struct world w = {.trace = trace, .out = out};
    int err = replay_play(s, name, &world, &w, out, result);
    if (!err)
        compare_with_checker(&w, out, result);
    if (w.sim && sim_failure(w.sim) && !err)
        fprintf(out, "%-8s%s\n", "broken", sim_failure(w.sim));
    sim_destroy(w.sim);
    VEC_FREE(&w.number);
    return err;
}

/* search.c: breadth-first over schedules. A state is reached by playing its schedule from the beginning: a
 * world cannot be copied, but it is deterministic, and small ones are played in a millisecond. What is kept
 * of a state is its schedule and, to know it again, a text of its contents (search_state.c). */
#include "sim/search.h"

#include <stdio.h>

#include "base/map.h"
#include "base/sched.h"
#include "sim/search_private.h"
#include "sim/world.h"

#define CALM_LIMIT_MS 60000
#define QUEUE         "q"

void search_options_defaults(struct search_options *o)
{
    *o = (struct search_options){
        .nodes = 3, .messages = 3, .crashes = 3, .restarts = 3, .states_max = 200000, .seed = 1};
}

/* ---- what was asked of a rule ---- */

struct recorder {
    const struct mirror_rules *inner;
    struct text picked, confirmed; /* the last calls */
    bool picked_synchronised;
    uint64_t picks;
};

void promotion_words(struct text *t, const struct promotion *p, size_t answer)
{
    text_printf(t, "pick_master(the master %s;", p->in_order ? "was stopped in order" : "crashed");
    if (p->shutdown_always)
        text_add(t, " ha-promote-on-shutdown always;");
    if (p->failure_when_synced)
        text_add(t, " ha-promote-on-failure when-synced;");
    for (size_t i = 0; i < p->len; i++)
        text_printf(t, "%s node%u %s, %llu message%s", i ? "," : " oldest first:", p->candidates[i].node + 1u,
                    p->candidates[i].synchronised ? "synchronised" : "NOT synchronised",
                    (unsigned long long)p->candidates[i].messages, p->candidates[i].messages == 1 ? "" : "s");
    if (answer == RULE_NOBODY)
        text_add(t, ") = nobody");
    else
        text_printf(t, ") = node%u", p->candidates[answer].node + 1u);
}

void confirmation_words(struct text *t, const struct confirmation *c, bool answer)
{
    text_printf(t, "can_confirm(the master has it%s;",
                !c->needs_disk ? ""
                : c->on_disk   ? " on disk"
                               : ", not on disk yet");
    for (size_t i = 0; i < c->len; i++)
        text_printf(t, "%s node%u%s %s", i ? "," : " mirrors:", c->mirrors[i].node + 1u,
                    c->mirrors[i].synchronised ? "" : " (not synchronised)",
                    !c->mirrors[i].has                       ? "has it not"
                    : c->needs_disk && c->mirrors[i].on_disk ? "has it on disk"
                                                             : "has it");
    text_printf(t, "%s) = %s", c->len ? "" : " no mirrors", answer ? "yes" : "no");
}

static size_t record_pick(void *arg, const struct promotion *p)
{
    struct recorder *r = arg;
    size_t answer = r->inner->pick_master(r->inner->arg, p);
    text_clear(&r->picked);
    promotion_words(&r->picked, p, answer);
    r->picked_synchronised = answer < p->len && p->candidates[answer].synchronised;
    r->picks++;
    return answer;
}

static bool record_confirm(void *arg, const struct confirmation *c)
{
    struct recorder *r = arg;
    bool answer = r->inner->can_confirm(r->inner->arg, c);
    if (answer) {
        text_clear(&r->confirmed);
        confirmation_words(&r->confirmed, c, answer);
    }
    return answer;
}

/* ---- playing a schedule ---- */

struct play {
    const struct search_options *o;
    struct sim *s;
    struct mirror_rules rules;
    struct recorder recorder;
    struct text text; /* NULL-like unless the schedule's lines are wanted */
    bool writes;
    unsigned step_of[64]; /* message -> the step that published it */
};

static node_id door_to(const struct sim *s)
{
    for (node_id n = 0; n < s->options.nodes; n++)
        if (sim_serving(s, n))
            return n;
    return NODE_NONE;
}

static const char *policy_of(const struct search_options *o)
{
    return o->policy ? o->policy : "{\"ha-mode\":\"all\"}";
}

static const struct mirror_rules *rules_of(const struct search_options *o)
{
    return o->rules ? o->rules : rules_at(0);
}

static struct sim_answer play_begin(struct play *p, const struct search_options *o)
{
    struct sim_options so;
    *p = (struct play){.o = o, .recorder = {.inner = rules_of(o)}};
    p->rules = (struct mirror_rules){.name = p->recorder.inner->name,
                                     .pick_master = record_pick,
                                     .can_confirm = p->recorder.inner->can_confirm ? record_confirm : NULL,
                                     .arg = &p->recorder};
    sim_options_defaults(&so);
    so.nodes = o->nodes;
    so.seed = o->seed;
    so.rules = &p->rules;
    p->s = sim_create(&so);
    for (node_id n = 0; n < o->nodes; n++)
        sim_start(p->s, n);
    sim_calm(p->s, CALM_LIMIT_MS);
    struct sim_answer policy = sim_set_policy(p->s, 0, "ha", "^" QUEUE, policy_of(o));
    sim_declare(p->s, 0, QUEUE, SIM_DURABLE);
    sim_calm(p->s, CALM_LIMIT_MS);
    return policy;
}

static void play_end(struct play *p)
{
    sim_destroy(p->s);
    text_finish(&p->recorder.picked);
    text_finish(&p->recorder.confirmed);
    text_finish(&p->text);
}

struct asked {
    uint32_t message;
};

static bool is_settled(struct sim *s, void *arg)
{
    return sim_message(s, ((struct asked *)arg)->message)->fate != FATE_UNCONFIRMED;
}

/* false: this cannot be done now */
static bool play_step(struct play *p, struct search_step step, unsigned number)
{
    struct sim *s = p->s;
    node_id via = door_to(s);
    struct queue_info q;
    switch (step.verb) {
    case SEARCH_PUBLISH: {
        if (via == NODE_NONE || !sim_queue(s, via, QUEUE, &q) || q.state != QUEUE_RUNNING)
            return false;
        struct asked asked = {sim_publish(s, via, QUEUE, !p->o->transient)};
        if (asked.message == SIM_UNROUTABLE)
            return false;
        if (asked.message < ARRAY_LEN(p->step_of))
            p->step_of[asked.message] = number;
        text_printf(&p->text, "publish node%u " QUEUE "%s%s\n", via + 1u, p->o->transient ? " transient" : "",
                    step.hurried ? " hurried" : "");
        if (step.hurried)
            return sim_until(s, is_settled, &asked, CALM_LIMIT_MS);
        break;
    }
    case SEARCH_CRASH:
        if (!sim_running(s, step.node))
            return false;
        text_printf(&p->text, "kill    node%u\n", step.node + 1u);
        sim_kill(s, step.node);
        break;
    case SEARCH_RESTART:
        if (sim_running(s, step.node))
            return false;
        text_printf(&p->text, "start   node%u\n", step.node + 1u);
        sim_start(s, step.node);
        break;
    case SEARCH_SYNC:
        if (via == NODE_NONE || !sim_queue(s, via, QUEUE, &q) || q.state != QUEUE_RUNNING ||
            node_count(q.synced) == q.mirrors_len)
            return false;
        text_add(&p->text, "sync    " QUEUE "\n");
        sim_sync(s, via, QUEUE);
        break;
    }
    if (!sim_calm(s, CALM_LIMIT_MS) && !s->failure)
        sim_fail(s, "I12", "no calm within %u s of virtual time", CALM_LIMIT_MS / 1000);
    return true;
}

/* The first confirmed message that is lost; UINT32_MAX: none. */
static uint32_t lost_message(const struct sim *s)
{
    for (uint32_t i = 0; i < s->ledger.messages.len; i++)
        if (s->ledger.messages.items[i].door != DOOR_NONE)
            return i;
    return UINT32_MAX;
}

static bool loses(const struct sim *s)
{
    return s->failure || lost_message(s) != UINT32_MAX;
}

/* ---- the frontier ---- */

#define STEPS_MAX 48

struct reached {
    struct search_step steps[STEPS_MAX];
    uint8_t len, used[SEARCH_VERBS];
    bool loses;
    char *contents;
};

struct search {
    const struct search_options *o;
    struct search_result *out;
    VEC(struct reached) levels[STEPS_MAX + 1]; /* by number of steps */
    struct map seen;
};

static bool append(struct reached *r, struct search_step step)
{
    if (r->len == STEPS_MAX)
        return false;
    r->steps[r->len++] = step;
    r->used[step.verb]++;
    return true;
}

/* Plays `from` with one or two steps more; keeps where that leads. */
static void try_steps(struct search *se, const struct reached *from, const struct search_step *more,
                      size_t len)
{
    struct reached to = *from;
    struct play p;
    bool can = true;
    to.contents = NULL;
    for (size_t i = 0; i < len && can; i++)
        can = append(&to, more[i]);
    if (!can)
        return;
    play_begin(&p, se->o);
    se->out->runs++;
    for (size_t i = 0; i < to.len && can && !loses(p.s); i++)
        can = play_step(&p, to.steps[i], (unsigned)i + 1);
    if (can) {
        struct text contents = {0};
        to.loses = loses(p.s);
        if (!to.loses)
            search_contents(p.s, to.used, &contents);
        to.contents = contents.s;
        VEC_PUSH(&se->levels[to.len], to);
    }
    play_end(&p);
}

static void expand(struct search *se, const struct reached *from)
{
    const struct search_options *o = se->o;
    bool may_publish = from->used[SEARCH_PUBLISH] < o->messages;
    bool may_crash = from->used[SEARCH_CRASH] < o->crashes;
    if (may_publish)
        try_steps(se, from, &(struct search_step){.verb = SEARCH_PUBLISH}, 1);
    for (node_id i = 1; i <= o->nodes && may_crash; i++)
        try_steps(se, from, &(struct search_step){.verb = SEARCH_CRASH, .node = (node_id)(i % o->nodes)}, 1);
    for (node_id i = 1; i <= o->nodes && may_crash && may_publish && o->hurried; i++) {
        struct search_step two[] = {{.verb = SEARCH_PUBLISH, .hurried = true},
                                    {.verb = SEARCH_CRASH, .node = (node_id)(i % o->nodes)}};
        try_steps(se, from, two, 2);
    }
    for (node_id i = 1; i <= o->nodes && from->used[SEARCH_RESTART] < o->restarts; i++)
        try_steps(se, from, &(struct search_step){.verb = SEARCH_RESTART, .node = (node_id)(i % o->nodes)},
                  1);
    if (from->used[SEARCH_SYNC] < o->syncs)
        try_steps(se, from, &(struct search_step){.verb = SEARCH_SYNC}, 1);
}

/* ---- telling ---- */

static void tell_message(const struct play *p, uint32_t message, unsigned steps, struct text *t)
{
    const struct ledger_message *m = sim_message(p->s, message);
    text_printf(t, "m%u, %s, published in step %u, confirmed; LOST in step %u", message + 1,
                m->persistent ? "persistent" : "transient",
                message < ARRAY_LEN(p->step_of) ? p->step_of[message] : 0, steps);
}

static void write_sched(const struct search_options *o, const struct reached *r, const struct play *p,
                        struct search_result *out)
{
    struct text t = {0};
    const char *rule = o->rule_name ? o->rule_name : rules_of(o)->name;
    text_printf(&t,
                "# The shortest way to lose a message with the rule \"%s\": %u steps, found by lab search.\n"
                "nodes   %u\n"
                "rule    %s\n"
                "policy  ha ^" QUEUE " %s\n"
                "declare " QUEUE " durable\n\n"
                "%s\n",
                rule, r->len, o->nodes, rule, policy_of(o), text_str(&p->text));
    if (out->message_number && out->door != DOOR_NONE)
        text_printf(&t, "expect  m%u lost %s step %u\n", out->message_number, door_name(out->door), r->len);
    else if (out->message_number)
        text_printf(&t, "expect  m%u lost step %u\n", out->message_number, r->len);
    out->sched = t.s;
}

static char *in_one_line(const char *lines)
{
    struct text t = {0};
    text_add(&t, "");
    while (*lines) {
        size_t len = strcspn(lines, "\n"), word = strcspn(lines, " \n");
        size_t gap = strspn(lines + word, " ");
        text_printf(&t, "%s%.*s %.*s", t.len ? ", " : "", (int)word, lines, (int)(len - word - gap),
                    lines + word + gap);
        lines += len + (lines[len] == '\n');
    }
    return t.s;
}

/* Plays the schedule that was found once more and puts what happened into words. */
static void tell(struct search *se, const struct reached *r)
{
    struct search_result *out = se->out;
    struct play p;
    play_begin(&p, se->o);
    bool can = true;
    for (size_t i = 0; i < r->len && can; i++)
        can = play_step(&p, r->steps[i], (unsigned)i + 1);
    uint32_t message = lost_message(p.s);
    struct text t = {0};
    out->found = true;
    out->steps = r->len;
    if (message != UINT32_MAX) {
        out->message_number = message + 1;
        out->door = sim_message(p.s, message)->door;
        tell_message(&p, message, r->len, &t);
        out->promise = format_text("I3, no confirmed message is lost: broken through %s, %s",
                                   door_name(out->door), sched_door_words(door_name(out->door)));
    } else {
        unsigned number = 0; /* "I3: m0 (id ...": the checker counts from 0 */
        const char *at = p.s->failure ? strstr(p.s->failure, " m") : NULL;
        if (at && sscanf(at, " m%u ", &number) == 1 && number < p.s->ledger.messages.len) {
            out->message_number = number + 1;
            tell_message(&p, number, r->len, &t);
        } else {
            text_add(&t, "-");
        }
        out->promise = xstrdup(p.s->failure ? p.s->failure : "-");
    }
    out->message = t.s;
    out->schedule = in_one_line(text_str(&p.text));
    bool by_confirm = p.recorder.confirmed.len && (p.recorder.picked_synchronised || !p.recorder.picks);
    out->decision = xstrdup(by_confirm              ? text_str(&p.recorder.confirmed)
                            : p.recorder.picked.len ? text_str(&p.recorder.picked)
                                                    : "no rule was asked");
    write_sched(se->o, r, &p, out);
    play_end(&p);
}

/* What the nodes say to this policy if they do not take it; new, or NULL. */
static char *policy_refused(const struct search_options *o)
{
    struct play p;
    struct sim_answer policy = play_begin(&p, o);
    play_end(&p);
    return policy.status == ANSWER_OK ? NULL : xstrdup(policy.text);
}

void search_run(const struct search_options *o, struct search_result *out)
{
    ASSERT(o->nodes >= 1 && o->nodes <= SIM_NODES);
    struct search se = {.o = o, .out = out};
    *out = (struct search_result){.refused = policy_refused(o)};
    if (out->refused)
        return;
    map_init(&se.seen);
    VEC_PUSH(&se.levels[0], (struct reached){0});
    bool full = false;
    for (size_t depth = 0; depth <= STEPS_MAX && !out->found && !full; depth++)
        for (size_t i = 0; i < se.levels[depth].len && !out->found && !full; i++) {
            struct reached r = se.levels[depth].items[i]; /* the levels grow meanwhile */
            if (r.loses) {
                tell(&se, &r);
                break;
            }
            struct bytes key = bytes_str(r.contents ? r.contents : "");
            if (map_get(&se.seen, key))
                continue;
            map_set(&se.seen, key, &se);
            out->states++;
            out->steps = (unsigned)depth;
            full = out->states > o->states_max;
            expand(&se, &r);
        }
    out->complete = !out->found && !full;
    for (size_t depth = 0; depth <= STEPS_MAX; depth++) {
        for (size_t i = 0; i < se.levels[depth].len; i++)
            free(se.levels[depth].items[i].contents);
        VEC_FREE(&se.levels[depth]);
    }
    map_finish(&se.seen);
}

void search_result_finish(struct search_result *r)
{
    free(r->refused);
    free(r->promise);
    free(r->message);
    free(r->schedule);
    free(r->decision);
    free(r->sched);
    *r = (struct search_result){0};
}

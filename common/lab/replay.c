/* replay.c: what is the same in all worlds: the order of things and the book of messages; replay_end.c says
 * what it comes to, replay_words.c has the words. */
#include "lab/replay_book.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* ---- words ---- */

void replay_say(struct replay *r, const char *head, const char *words)
{
    fprintf(r->out, "%-8s%s\n", head, words);
    fflush(r->out);
}

void replay_say_fact(struct replay *r, const char *head, const json_t *fact)
{
    char *words = fact_text(fact, r->result->translate);
    replay_say(r, head, words);
    free(words);
}

/* ---- events ---- */

static struct watched *watched(const struct replay *r, const char *name)
{
    for (size_t i = 0; i < r->queues.len; i++)
        if (strcmp(r->queues.items[i].name, name) == 0)
            return &r->queues.items[i];
    return NULL;
}

static void watch(struct replay *r, const char *name)
{
    if (!watched(r, name))
        VEC_PUSH(&r->queues, (struct watched){.name = xstrdup(name), .met.length = -1, .met.bytes = -1});
}

static int publish(struct replay *r, const struct sched_event *e, json_t **fact, char **why)
{
    unsigned first = (unsigned)r->result->messages.len + 1, count = (unsigned)e->numbers[0];
    enum replay_answer *answers = xcalloc(count, sizeof(*answers));
    uint64_t began_ms = r->world->now_ms(r->arg);
    struct replay_bounds bounds = replay_limits_of(r->limits, e->name);
    int err = r->world->publish(r->arg, e, first, count, answers, why);
    bool durable = replay_limits_durable(r->limits, e->name);
    struct watched *w = watched(r, e->name);
    VEC(unsigned) same = {0};
    for (unsigned i = 0; i < count; i++)
        VEC_PUSH(&r->result->messages, (struct replay_message){.queue = xstrdup(e->name),
                                                               .node = e->node,
                                                               .step = e->step,
                                                               .transient = e->transient,
                                                               .fleeting = e->transient || !durable,
                                                               .published_ms = began_ms,
                                                               .ttl_ms = bounds.ttl_ms,
                                                               .answer = answers[i]});
    r->gone = xrealloc(r->gone, r->result->messages.len * sizeof(*r->gone));
    memset(r->gone + first - 1, 0, count * sizeof(*r->gone));
    if (w) {
        replay_note_limits(w, &bounds);
        w->taken = 0;
    }
    for (unsigned i = 0; w && i < count; i++)
        if (answers[i] == REPLAY_CONFIRMED)
            replay_note_confirmed(r, &w->now, first + i);
    for (unsigned a = REPLAY_UNANSWERED; a <= REPLAY_NOT_SERVED; a++) {
        same.len = 0;
        for (unsigned i = 0; i < count; i++)
            if (answers[i] == (enum replay_answer)a)
                VEC_PUSH(&same, first + i);
        if (same.len)
            fact_add(fact, N_("%s, %s"),
                     fact_with("%s %s", replay_fact_messages("%s", same.items, same.len),
                               fact_word(replay_answer_word((enum replay_answer)a))));
    }
    VEC_FREE(&same);
    free(answers);
    return err;
}

static int consume(struct replay *r, const struct sched_event *e, json_t **fact, char **why)
{
    unsigned count = (unsigned)e->numbers[0], len = 0;
    unsigned *taken = xcalloc(count ? count : 1, sizeof(*taken));
    enum replay_got got = REPLAY_TOOK;
    int err = r->world->consume(r->arg, e, count, taken, &len, &got, why);
    for (unsigned i = 0; i < len; i++)
        if (taken[i] >= 1 && taken[i] <= r->result->messages.len) {
            replay_message(r, taken[i])->consumed = true;
            replay_message(r, taken[i])->taken_at = e->node;
        }
    if (watched(r, e->name))
        watched(r, e->name)->taken += (int)len;
    *fact = len                          ? replay_fact_messages(N_("%s consumed"), taken, len)
            : got == REPLAY_TOOK         ? fact_of(N_("nothing to consume"))
            : got == REPLAY_NOTHING_RUNS ? fact_of(N_("nothing consumed: its queue did not run"))
                                         : fact_of(N_("nothing consumed: the node served nobody"));
    free(taken);
    return err;
}

static int by_number(const void *a, const void *b)
{
    const unsigned *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* rising, each once: two masters may hold the same; how many are left */
static size_t in_order(unsigned *numbers, size_t len)
{
    size_t kept = 0;
    if (len)
        qsort(numbers, len, sizeof(*numbers), by_number);
    for (size_t i = 0; i < len; i++)
        if (i == 0 || numbers[i] != numbers[i - 1])
            numbers[kept++] = numbers[i];
    return kept;
}

static int by_master(const void *a, const void *b)
{
    const struct replay_side *x = a, *y = b;
    return x->master - y->master;
}

void replay_put_in_order(struct replay_queue *q)
{
    q->holds.len = in_order(q->holds.items, q->holds.len);
    for (unsigned i = 0; i < q->sides_len; i++)
        q->sides[i].holds.len = in_order(q->sides[i].holds.items, q->sides[i].holds.len);
    if (q->sides_len < 2)
        replay_queue_one_side(q); /* there is no other */
    else
        qsort(q->sides, q->sides_len, sizeof(q->sides[0]), by_master);
}

static int look_at_all(struct replay *r, unsigned step, json_t **fact, char **why)
{
    replay_look_around(r);
    for (size_t i = 0; i < r->queues.len; i++) {
        struct watched *w = &r->queues.items[i];
        replay_queue_finish(&w->now);
        w->now = (struct replay_queue){.master = SCHED_NONE};
        int err = r->world->look(r->arg, w->name, false, &w->now, why);
        if (err)
            return err;
        replay_put_in_order(&w->now);
        fact_add(fact, N_("%s; %s"), replay_fact_queue(w->name, &w->now));
    }
    if (*fact)
        replay_say_fact(r, "", *fact);
    for (size_t i = 0; i < r->queues.len; i++)
        replay_account(r, &r->queues.items[i], step);
    r->unlooked = false;
    return 0;
}

/* Before the world does it: what the book must know. */
static void prepare(struct replay *r, const struct sched_event *e)
{
    switch (e->verb) {
    case SCHED_KILL:
    case SCHED_STOP:
        replay_note_ended(r, e->nodes);
        r->away |= e->nodes;
        r->killed |= e->verb == SCHED_KILL ? e->nodes : 0;
        break;
    case SCHED_START:
        r->away &= ~e->nodes;
        r->killed &= ~e->nodes;
        r->went_on = r->went_on || (r->forced & e->nodes);
        r->by_operator = r->by_operator || (r->forced & e->nodes); /* what only the others knew is gone */
        r->forced &= ~e->nodes;
        break;
    case SCHED_FORCE: r->forced |= e->nodes; break;
    case SCHED_FORGET_OFFLINE: /* at the next start of the first */
        r->forced |= 1u << e->node;
        replay_note_emptied(r, 1u << e->other);
        break;
    case SCHED_HEAL: r->healed = true; break;
    case SCHED_FORGET:
    case SCHED_RESET:
    case SCHED_LOSE_DISK:
        replay_note_emptied(r, e->nodes);
        r->by_operator = true;
        break;
    case SCHED_DECLARE: watch(r, e->name); break;
    case SCHED_DELETE:
    case SCHED_PURGE: /* refused_of_queue has seen what it removes */
    case SCHED_PUBLISH:
    case SCHED_CONSUME:
    case SCHED_SYNC:
    case SCHED_CANCEL_SYNC:
    case SCHED_CUT:
    case SCHED_CUT_NOW:
    case SCHED_CUT_ONE_WAY:
    case SCHED_PART:
    case SCHED_CLOG:
    case SCHED_SLOW:
    case SCHED_FAIL_WRITE:
    case SCHED_FAIL_SYNC:
    case SCHED_FULL_DISK:
    case SCHED_FREE_DISK:
    case SCHED_CLOCK:
    case SCHED_POLICY:
    case SCHED_CLEAR:
    case SCHED_PUT:
    case SCHED_UNPUT:
    case SCHED_CALM:
    case SCHED_VERB_COUNT_: break;
    }
}

/* What an operator asks of a queue and cannot have as it is; NULL: it can be done, or *err. */
static json_t *refused_of_queue(struct replay *r, const struct sched_event *e, int *err, char **why)
{
    struct replay_queue q = {.master = SCHED_NONE};
    bool syncs = e->verb == SCHED_SYNC || e->verb == SCHED_CANCEL_SYNC;
    json_t *fact = NULL;
    *err = r->world->look(r->arg, e->name, true, &q, why);
    if (*err)
        ;
    else if (q.state == REPLAY_GONE)
        fact = fact_of(N_("refused: %s is not there"), e->name);
    else if (e->verb != SCHED_DELETE && q.state != REPLAY_RUNNING)
        fact = fact_of(N_("refused: %s does not run"), e->name);
    else if (syncs && !q.mirrors)
        fact = fact_of(N_("refused: %s has no mirrors"), e->name);
    else if (!syncs)
        replay_note_removal(r, &q, e->name, e->verb == SCHED_DELETE);
    replay_queue_finish(&q);
    return fact;
}

/* Not a process of the one that forgets may be there, and the other one does not run. */
static json_t *refused_offline(const struct replay *r, const struct sched_event *e)
{
    if (!(r->killed >> e->node & 1))
        return fact_of(N_("refused: node%u was not killed"), e->node + 1u);
    return r->away >> e->other & 1 ? NULL : fact_of(N_("refused: node%u was not stopped"), e->other + 1u);
}

/* What cannot be done as things are, in words; NULL: it can be, or *err. */
static json_t *refused(struct replay *r, const struct sched_event *e, int *err, char **why)
{
    bool of_queue = e->verb == SCHED_DELETE || e->verb == SCHED_PURGE || e->verb == SCHED_SYNC ||
                    e->verb == SCHED_CANCEL_SYNC;
    bool of_cluster = e->verb == SCHED_POLICY || e->verb == SCHED_CLEAR || e->verb == SCHED_DECLARE ||
                      e->verb == SCHED_FORGET;
    if (e->verb == SCHED_FORGET_OFFLINE)
        return refused_offline(r, e);
    if (!of_queue && !of_cluster && e->verb != SCHED_FORCE)
        return NULL;
    uint32_t serving = r->world->serving(r->arg);
    if (e->verb == SCHED_FORCE) /* who is told so itself, and no other node has to serve */
        return serving & e->nodes ? fact_of(N_("refused: node%u runs"), e->node + 1u) : NULL;
    if (!serving)
        return fact_of(N_("refused: no node serves"));
    if (e->verb == SCHED_FORGET && (e->nodes & ~r->away))
        return fact_of(N_("refused: node%u was not stopped"), e->node + 1u);
    return of_queue ? refused_of_queue(r, e, err, why) : NULL;
}

/* A policy's limits hold at once for what its queues hold; the next line may take it away unseen. */
static void limits_apply(struct replay *r)
{
    for (size_t i = 0; i < r->queues.len; i++) {
        struct replay_bounds b = replay_limits_of(r->limits, r->queues.items[i].name);
        replay_note_limits(&r->queues.items[i], &b);
    }
}

static int one_event(struct replay *r, const struct sched_event *e, bool rests, json_t **fact, char **why)
{
    int err = 0;
    if (!r->unlooked)
        r->healed = r->by_operator = false;
    if (e->timed)
        r->world->wait(r->arg, e->wait_ms);
    *fact = refused(r, e, &err, why);
    if (!*fact && !err) {
        uint32_t off_before = r->killed;
        prepare(r, e);
        if (e->verb == SCHED_PUBLISH)
            err = publish(r, e, fact, why);
        else if (e->verb == SCHED_CONSUME)
            err = consume(r, e, fact, why);
        else
            err = r->world->act(r->arg, e, fact, why);
        if (!err)
            replay_limits_note(r->limits, e);
        if (!err && e->verb == SCHED_POLICY)
            limits_apply(r);
        r->differ = r->differ || (r->split && (e->verb == SCHED_POLICY || e->verb == SCHED_CLEAR));
        if (e->verb == SCHED_START && !e->rushed) { /* one that was forgotten does not */
            r->away = r->world->off(r->arg);
            r->killed |= r->away & off_before;
        }
    }
    if (!err && rests)
        err = r->world->rest(r->arg, why);
    return err;
}

static void tell_watch(const struct replay *r, const struct sched_event *e, const json_t *fact)
{
    const struct replay_watch *w = r->result->watch;
    if (!w)
        return;
    struct replay_seen *seen = xcalloc(r->queues.len + 1, sizeof(*seen));
    for (size_t i = 0; i < r->queues.len; i++)
        seen[i] = (struct replay_seen){.name = r->queues.items[i].name, .queue = &r->queues.items[i].now};
    struct replay_shown shown = {
        .fact = fact, .away = r->away, .queues = seen, .queues_len = r->queues.len, .so_far = r->result};
    for (unsigned n = 0; n < r->s->nodes; n++)
        if (!(r->away >> n & 1))
            r->world->others(r->arg, n, &shown.others[n]);
    w->after(w->arg, e, &shown);
    free(seen);
}

static int events(struct replay *r, char **why)
{
    int err = 0;
    const struct sched *s = r->s;
    for (size_t i = 0; i < s->events.len && !err; i++) {
        const struct sched_event *e = &s->events.items[i];
        const struct sched_event *next = i + 1 < s->events.len ? &s->events.items[i + 1] : NULL;
        bool rests = (!e->hurried && !e->rushed) || !next; /* the end is looked at, whatever came before */
        char head[24] = "set-up";
        if (e->step)
            snprintf(head, sizeof(head), "step %u", e->step);
        replay_say(r, head, e->text);
        if (r->result->watch && r->result->watch->before)
            r->result->watch->before(r->result->watch->arg, e);
        json_t *fact = NULL;
        err = one_event(r, e, rests, &fact, why);
        bool shows = e->step ? rests : !next || next->step;
        r->unlooked = r->unlooked || !rests;
        if (!err && shows)
            err = look_at_all(r, e->step, &fact, why);
        else if (!err && fact)
            replay_say_fact(r, "", fact);
        if (!err) {
            r->result->steps = e->step;
            tell_watch(r, e, fact);
        }
        json_decref(fact);
    }
    return err;
}

int replay_play(const struct sched *s, const char *name, const struct replay_world *world, void *arg,
                FILE *out, struct replay_result *result)
{
    struct replay r = {.s = s, .world = world, .arg = arg, .out = out, .result = result};
    char *why = NULL;
    r.limits = replay_limits_create();
    *result = (struct replay_result){.watch = result->watch, .translate = result->translate};
    fprintf(out, *s->title ? "%s: %s\n" : "%s\n", name, s->title);
    json_t *head = fact_of(s->nodes == 1 ? N_("%u node, engine %s, rule %s, partitions %s")
                                         : N_("%u nodes, engine %s, rule %s, partitions %s"),
                           s->nodes, world->name, world->rule ? world->rule : s->rule,
                           s->partitions == SCHED_IGNORE           ? "ignore"
                           : s->partitions == SCHED_PAUSE_MINORITY ? "pause_minority"
                                                                   : "autoheal");
    char *words = fact_text(head, result->translate);
    fprintf(out, "%s\n", words);
    free(words);
    json_decref(head);
    int err = world->begin(arg, s, &why);
    if (!err) {
        replay_look_around(&r);
        err = events(&r, &why);
    }
    if (err) {
        result->problem = xstrdup(why ? why : err_text(err));
        fprintf(out, "NOT PLAYED TO ITS END: %s\n", result->problem);
    } else {
        replay_tell_end(&r);
    }
    free(why);
    for (size_t i = 0; i < r.queues.len; i++) {
        free(r.queues.items[i].name);
        replay_queue_finish(&r.queues.items[i].now);
    }
    VEC_FREE(&r.queues);
    replay_limits_destroy(r.limits);
    free(r.gone);
    text_finish(&r.line);
    return err;
}

void replay_result_finish(struct replay_result *r)
{
    for (size_t i = 0; i < r->messages.len; i++)
        free(r->messages.items[i].queue);
    VEC_FREE(&r->messages);
    free(r->problem);
}

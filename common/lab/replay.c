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

/* ---- the book ---- */

static bool among(const unsigned *numbers, size_t len, unsigned number)
{
    for (size_t i = 0; i < len; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

static bool holds(const struct replay_queue *q, unsigned number)
{
    return among(q->holds.items, q->holds.len, number);
}

uint32_t replay_holders(const struct replay_queue *q, unsigned number)
{
    uint32_t nodes = 0;
    if (!q->sides_len && q->master != SCHED_NONE && holds(q, number))
        nodes = q->synced | 1u << q->master;
    for (unsigned i = 0; i < q->sides_len; i++)
        if (among(q->sides[i].holds.items, q->sides[i].holds.len, number))
            nodes |= q->sides[i].synced | 1u << q->sides[i].master;
    return nodes;
}

void replay_add_side(struct replay_queue *q, const struct replay_queue *said, size_t holds_from)
{
    if (q->sides_len == SCHED_NODES)
        return;
    struct replay_side *side = &q->sides[q->sides_len++];
    *side = (struct replay_side){.master = said->master, .mirrors = said->mirrors, .synced = said->synced};
    for (size_t i = holds_from; i < q->holds.len; i++)
        VEC_PUSH(&side->holds, q->holds.items[i]);
}

static void drop_sides(struct replay_queue *q)
{
    for (unsigned i = 0; i < q->sides_len; i++)
        VEC_FREE(&q->sides[i].holds);
    q->sides_len = 0;
}

void replay_queue_finish(struct replay_queue *q)
{
    VEC_FREE(&q->holds);
    drop_sides(q);
}

/* The queue runs and this confirmed message is not in it: through which door did it go? The order is that of
 * docs/semantics.md: what an operator or a partition threw away; a transient message that ended with the last
 * node that had it, whoever takes over then; a mirror that was not in sync. */
static const char *door_of(const struct replay *r, const struct watched *w, const struct replay_message *m)
{
    const struct replay_queue *was = &w->before, *now = &w->now;
    if (r->by_operator)
        return "L4";
    if (r->healed || (was->torn && !now->torn))
        return "L3";
    if (m->transient && (!m->alive || was->master == now->master))
        return "L5";
    bool gone = now->master == SCHED_NONE; /* the queue, with all that it had */
    bool in_sync = gone || was->master == now->master || was->synced >> now->master & 1;
    return !in_sync ? "L1" : r->went_on ? "L4" : "";
}

static void lose(struct replay *r, const struct watched *w, unsigned number, unsigned step)
{
    struct replay_message *m = replay_message(r, number);
    const char *door = door_of(r, w, m);
    uint32_t mirrors = m->holders & ~(1u << w->before.master);
    m->lost_step = step;
    m->unlooked = r->unlooked;
    snprintf(m->door, sizeof(m->door), "%s", door);
    m->mirrors_gone = mirrors && (mirrors & ~r->gone[number - 1]) == 0;
    json_t *by = *door ? fact_of(N_("m%u through %s"), number, door) : fact_of("m%u", number);
    json_t *fact = fact_with("%s: %s", by, fact_word(sched_door_words(door)));
    if (m->mirrors_gone) {
        text_clear(&r->line);
        replay_node_list(&r->line, mirrors);
        fact_add(&fact, "%s (%s)",
                 fact_of(N_("and before that through L2: %s had it, as a mirror's copy, and went"),
                         text_str(&r->line)));
    }
    replay_say_fact(r, "   LOST", fact);
    json_decref(fact);
}

/* A limit of its queue has ended it: that is no loss. */
static bool ended(struct replay *r, const struct watched *w, unsigned number, unsigned step)
{
    struct replay_message *m = replay_message(r, number);
    struct replay_bounds b = replay_limits_of(r->limits, w->name);
    if (w->now.state == REPLAY_GONE && r->by_operator)
        return false;
    bool same_master = w->now.master == w->before.master && !r->healed && !r->by_operator;
    m->ending = replay_limits_ended(&b, &w->now, number, r->world->now_ms(r->arg) - m->published_ms,
                                    m->ttl_ms, same_master || !w->seen_running);
    m->ended_step = m->ending ? step : 0;
    return m->ending != REPLAY_NOT_ENDED;
}

/* those that ended in this step, by one limit each line */
static void say_ended(struct replay *r, const char *queue, unsigned step)
{
    for (unsigned e = REPLAY_TOO_MANY; e <= REPLAY_QUEUE_EXPIRED; e++) {
        VEC(unsigned) numbers = {0};
        for (unsigned number = 1; number <= r->result->messages.len; number++)
            if (replay_message(r, number)->ending == (enum replay_ending)e &&
                replay_message(r, number)->ended_step == step &&
                strcmp(replay_message(r, number)->queue, queue) == 0)
                VEC_PUSH(&numbers, number);
        if (numbers.len) {
            bool full = e == REPLAY_TOO_MANY || e == REPLAY_TOO_LONG;
            json_t *fact = fact_with("%s: %s", replay_fact_messages("%s", numbers.items, numbers.len),
                                     fact_of(full ? N_("dropped by %s") : N_("expired by %s"),
                                             replay_ending_word((enum replay_ending)e)));
            replay_say_fact(r, "  ENDED", fact);
            json_decref(fact);
        }
        VEC_FREE(&numbers);
    }
}

/* What was just seen of the queue, for every message that belongs to it. */
static void account(struct replay *r, struct watched *w, unsigned step)
{
    for (unsigned number = 1; number <= r->result->messages.len; number++) {
        struct replay_message *m = replay_message(r, number);
        if (strcmp(m->queue, w->name) != 0 || m->answer != REPLAY_CONFIRMED || m->consumed || m->removed)
            continue;
        bool runs = w->now.state == REPLAY_RUNNING, here = runs && holds(&w->now, number);
        m->unavailable = w->now.state == REPLAY_STOPPED || w->now.state == REPLAY_DOWN;
        uint32_t in_sync = here ? replay_holders(&w->now, number) : 0;
        if (here) /* at first every mirror has it: it was published to all; later, who is in sync */
            m->alive = (m->alive & (w->now.mirrors | in_sync)) | in_sync | (m->holders ? 0 : w->now.mirrors);
        if (here && !m->holders)
            m->holders = in_sync;
        if (here && (m->lost_step || m->ended_step)) {
            m->lost_step = m->ended_step = 0;
            m->ending = REPLAY_NOT_ENDED;
            json_t *fact = fact_of(N_("m%u is there again"), number);
            replay_say_fact(r, "  FOUND", fact);
            json_decref(fact);
        } else if (!here && !m->lost_step && !m->ended_step && (runs || w->now.state == REPLAY_GONE)) {
            if (!ended(r, w, number, step))
                lose(r, w, number, step);
        }
    }
    say_ended(r, w->name, step);
    if (w->now.state == REPLAY_RUNNING) {
        VEC_FREE(&w->before.holds);
        w->before = w->now;
        w->before.holds.items = NULL;
        w->before.holds.len = w->before.holds.cap = 0;
        w->before.sides_len = 0; /* those are still w->now's */
        w->seen_running = true;
    }
}

static void note_gone(struct replay *r, uint32_t nodes)
{
    for (unsigned number = 1; number <= r->result->messages.len; number++)
        replay_message(r, number)->alive &= ~nodes;
    for (unsigned number = 1; number <= r->result->messages.len; number++)
        for (size_t i = 0; i < r->queues.len; i++)
            if (strcmp(r->queues.items[i].name, replay_message(r, number)->queue) == 0)
                r->gone[number - 1] |= nodes & ~(1u << r->queues.items[i].before.master);
}

static void remove_all(struct replay *r, const char *queue)
{
    for (unsigned number = 1; number <= r->result->messages.len; number++)
        if (strcmp(replay_message(r, number)->queue, queue) == 0 && !replay_message(r, number)->consumed &&
            !replay_message(r, number)->lost_step && !replay_message(r, number)->ended_step)
            replay_message(r, number)->removed = true;
}

/* ---- events ---- */

static void watch(struct replay *r, const char *name)
{
    for (size_t i = 0; i < r->queues.len; i++)
        if (strcmp(r->queues.items[i].name, name) == 0)
            return;
    VEC_PUSH(&r->queues, (struct watched){.name = xstrdup(name)});
}

static int publish(struct replay *r, const struct sched_event *e, json_t **fact, char **why)
{
    unsigned first = (unsigned)r->result->messages.len + 1, count = (unsigned)e->numbers[0];
    enum replay_answer *answers = xcalloc(count, sizeof(*answers));
    uint64_t began_ms = r->world->now_ms(r->arg);
    int64_t ttl_ms = replay_limits_of(r->limits, e->name).ttl_ms;
    int err = r->world->publish(r->arg, e, first, count, answers, why);
    VEC(unsigned) same = {0};
    for (unsigned i = 0; i < count; i++)
        VEC_PUSH(&r->result->messages, (struct replay_message){.queue = xstrdup(e->name),
                                                               .node = e->node,
                                                               .step = e->step,
                                                               .transient = e->transient,
                                                               .published_ms = began_ms,
                                                               .ttl_ms = ttl_ms,
                                                               .answer = answers[i]});
    r->gone = xrealloc(r->gone, r->result->messages.len * sizeof(*r->gone));
    memset(r->gone + first - 1, 0, count * sizeof(*r->gone));
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
        if (taken[i] >= 1 && taken[i] <= r->result->messages.len)
            replay_message(r, taken[i])->consumed = true;
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

static void put_in_order(struct replay_queue *q)
{
    q->holds.len = in_order(q->holds.items, q->holds.len);
    for (unsigned i = 0; i < q->sides_len; i++)
        q->sides[i].holds.len = in_order(q->sides[i].holds.items, q->sides[i].holds.len);
    if (q->sides_len < 2)
        drop_sides(q); /* there is no other */
    else
        qsort(q->sides, q->sides_len, sizeof(q->sides[0]), by_master);
    q->torn = q->sides_len > 0;
}

static int look_at_all(struct replay *r, unsigned step, json_t **fact, char **why)
{
    for (size_t i = 0; i < r->queues.len; i++) {
        struct watched *w = &r->queues.items[i];
        replay_queue_finish(&w->now);
        w->now = (struct replay_queue){.master = SCHED_NONE};
        int err = r->world->look(r->arg, w->name, &w->now, why);
        if (err)
            return err;
        put_in_order(&w->now);
        fact_add(fact, N_("%s; %s"), replay_fact_queue(w->name, &w->now));
    }
    replay_say_fact(r, "", *fact);
    for (size_t i = 0; i < r->queues.len; i++)
        account(r, &r->queues.items[i], step);
    r->unlooked = false;
    return 0;
}

/* Before the world does it: what the book must know. */
static void prepare(struct replay *r, const struct sched_event *e)
{
    switch (e->verb) {
    case SCHED_KILL:
    case SCHED_STOP:
        note_gone(r, e->nodes);
        r->away |= e->nodes;
        r->killed |= e->verb == SCHED_KILL ? e->nodes : 0;
        break;
    case SCHED_START:
        r->away &= ~e->nodes;
        r->killed &= ~e->nodes;
        r->by_operator = (r->forced & e->nodes) != 0; /* what only the others knew is gone */
        r->went_on = r->went_on || r->by_operator;
        r->forced &= ~e->nodes;
        break;
    case SCHED_FORCE: r->forced |= e->nodes; break;
    case SCHED_FORGET_OFFLINE: /* at the next start of the first */
        r->forced |= 1u << e->node;
        note_gone(r, 1u << e->other);
        break;
    case SCHED_HEAL: r->healed = true; break;
    case SCHED_FORGET:
    case SCHED_RESET:
    case SCHED_LOSE_DISK:
        note_gone(r, e->nodes);
        r->by_operator = true;
        break;
    case SCHED_DECLARE: watch(r, e->name); break;
    case SCHED_DELETE:
    case SCHED_PURGE: remove_all(r, e->name); break;
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
    *err = r->world->look(r->arg, e->name, &q, why);
    replay_queue_finish(&q);
    if (*err)
        return NULL;
    if (q.state == REPLAY_GONE)
        return fact_of(N_("refused: %s is not there"), e->name);
    if (e->verb != SCHED_DELETE && q.state != REPLAY_RUNNING)
        return fact_of(N_("refused: %s does not run"), e->name);
    return syncs && !q.mirrors ? fact_of(N_("refused: %s has no mirrors"), e->name) : NULL;
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

static int one_event(struct replay *r, const struct sched_event *e, bool rests, json_t **fact, char **why)
{
    int err = 0;
    r->healed = r->by_operator = false;
    if (e->timed)
        r->world->wait(r->arg, e->wait_ms);
    *fact = refused(r, e, &err, why);
    if (!*fact && !err) {
        prepare(r, e);
        if (e->verb == SCHED_PUBLISH)
            err = publish(r, e, fact, why);
        else if (e->verb == SCHED_CONSUME)
            err = consume(r, e, fact, why);
        else
            err = r->world->act(r->arg, e, fact, why);
        if (!err)
            replay_limits_note(r->limits, e);
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
        bool rests = !e->hurried && !e->rushed;
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
    fprintf(out, "%s: %s\n", name, s->title);
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
    if (!err)
        err = events(&r, &why);
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

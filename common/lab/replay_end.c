/* replay_end.c: what a schedule that was played comes to: the fate of every message, and whether the schedule
 * expects it. */
#include <stdlib.h>
#include <string.h>

#include "lab/replay_book.h"

enum sched_fate replay_fate(const struct replay_message *m)
{
    bool full = m->ending == REPLAY_TOO_MANY || m->ending == REPLAY_TOO_LONG;
    return m->lost_step                ? SCHED_LOST
           : m->consumed || m->removed ? SCHED_CONSUMED
           : m->ending                 ? (full ? SCHED_DROPPED : SCHED_EXPIRED)
           : m->unavailable            ? SCHED_UNAVAILABLE
                                       : SCHED_KEPT;
}

static bool same_fate(const struct replay_message *a, const struct replay_message *b)
{
    return strcmp(a->queue, b->queue) == 0 && a->node == b->node && a->step == b->step &&
           a->answer == b->answer && a->removed == b->removed && replay_fate(a) == replay_fate(b) &&
           a->apart == b->apart && a->lost_step == b->lost_step && a->ending == b->ending &&
           a->ended_step == b->ended_step && strcmp(a->door, b->door) == 0 && a->transient == b->transient;
}

static json_t *fate_fact(const struct replay_message *m)
{
    if (m->lost_step)
        return *m->door ? fact_of(N_("LOST in step %u through %s"), m->lost_step, m->door)
                        : fact_of(N_("LOST in step %u"), m->lost_step);
    if (m->removed)
        return fact_word(N_("removed by an operator"));
    if (m->ending)
        return fact_of(replay_fate(m) == SCHED_DROPPED ? N_("dropped in step %u by %s")
                                                       : N_("expired in step %u by %s"),
                       m->ended_step, replay_ending_word(m->ending));
    if (m->apart)
        return fact_word(N_("unavailable: it is on disks of the other side, which does not run"));
    if (m->unavailable)
        return fact_word(N_("unavailable: its queue does not run"));
    return fact_word(sched_fate_word(replay_fate(m)));
}

static void print_fate(struct replay *r, unsigned from, unsigned to)
{
    const struct replay_message *m = replay_message(r, from);
    json_t *fact = fact_of(m->transient ? N_("transient, published in step %u through node%u")
                                        : N_("persistent, published in step %u through node%u"),
                           m->step, m->node + 1u);
    fact_add(&fact, N_("%s, %s"), fact_word(replay_answer_word(m->answer)));
    if (m->answer == REPLAY_CONFIRMED || replay_fate(m) == SCHED_CONSUMED)
        fact_add(&fact, N_("%s, %s"), fate_fact(m));
    char head[48];
    if (from == to)
        snprintf(head, sizeof(head), "  m%u", from);
    else
        snprintf(head, sizeof(head), "  m%u-m%u", from, to);
    replay_say_fact(r, head, fact);
    json_decref(fact);
}

static void print_fates(struct replay *r)
{
    unsigned count[SCHED_FATE_COUNT_] = {0}, confirmed = 0, len = (unsigned)r->result->messages.len;
    json_t *fact = len ? fact_of("%s", "") : fact_word(N_("nothing was published"));
    replay_say_fact(r, "fates", fact);
    json_decref(fact);
    for (unsigned from = 1; from <= len;) {
        unsigned to = from;
        while (to < len && same_fate(replay_message(r, from), replay_message(r, to + 1)))
            to++;
        print_fate(r, from, to);
        from = to + 1;
    }
    for (unsigned i = 1; i <= len; i++) {
        confirmed += replay_message(r, i)->answer == REPLAY_CONFIRMED;
        count[replay_fate(replay_message(r, i))] += replay_message(r, i)->answer == REPLAY_CONFIRMED;
    }
    fact = fact_of(N_("%u published, %u confirmed: %u kept, %u consumed, %u unavailable, %u lost"), len,
                   confirmed, count[SCHED_KEPT], count[SCHED_CONSUMED], count[SCHED_UNAVAILABLE],
                   count[SCHED_LOST]);
    if (count[SCHED_DROPPED])
        fact_add(&fact, N_("%s, %s"), fact_of(N_("%u dropped"), count[SCHED_DROPPED]));
    if (count[SCHED_EXPIRED])
        fact_add(&fact, N_("%s, %s"), fact_of(N_("%u expired"), count[SCHED_EXPIRED]));
    replay_say_fact(r, "", fact);
    json_decref(fact);
}

/* The line that speaks of this message in this world: one for this world before one for all worlds, one for
 * this message before one for all. */
static const struct sched_expect *expected_of(const struct replay *r, unsigned number)
{
    const struct sched_expect *best = NULL;
    int best_rank = -1;
    for (size_t i = 0; i < r->s->expects.len; i++) {
        const struct sched_expect *x = &r->s->expects.items[i];
        bool world = strcmp(x->world, r->world->name) == 0;
        if ((*x->world && !world) || (x->message && x->message != number))
            continue;
        int rank = 2 * world + (x->message != 0);
        if (rank > best_rank) {
            best = x;
            best_rank = rank;
        }
    }
    return best;
}

/* fact: taken over */
static void not_so(struct replay *r, json_t *fact)
{
    char *words = fact_text(fact, r->result->translate);
    replay_say(r, "NOT SO", words);
    r->result->as_expected = false;
    if (r->result->problem)
        free(words);
    else
        r->result->problem = words;
    json_decref(fact);
}

static void compare(struct replay *r)
{
    r->result->as_expected = true;
    for (size_t i = 0; i < r->s->expects.len; i++)
        if (r->s->expects.items[i].message > r->result->messages.len)
            not_so(r, fact_of(N_("line %u expects something of m%u, which was never published"),
                              r->s->expects.items[i].line, r->s->expects.items[i].message));
    for (unsigned number = 1; number <= r->result->messages.len; number++) {
        const struct replay_message *m = replay_message(r, number);
        const struct sched_expect *x = expected_of(r, number);
        bool door = !x || !*x->door || strcmp(x->door, m->door) == 0 ||
                    (strcmp(x->door, "L2") == 0 && m->mirrors_gone);
        if (!x || (x->fate == replay_fate(m) && door && (!x->step || x->step == m->lost_step)))
            continue;
        /* as the schedule has it: its words are no language's */
        json_t *fact =
            fact_of(N_("line %u expects m%u %s %s"), x->line, number, sched_fate_word(x->fate), x->door);
        if (x->step)
            fact_add(&fact, "%s %s", fact_of(N_("in step %u"), x->step));
        not_so(r, fact);
    }
    if (r->s->expects.len && r->result->as_expected) {
        json_t *fact = fact_word(N_("as the schedule expects"));
        replay_say_fact(r, "", fact);
        json_decref(fact);
    }
}

void replay_tell_end(struct replay *r)
{
    print_fates(r);
    compare(r);
}

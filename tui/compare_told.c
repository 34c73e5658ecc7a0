/* compare_told.c: what became of each message of one of two that are side by side; see compare.h. */
#include "compare.h"

#include <inttypes.h>
#include <stdlib.h>

#include "checkpoint.h"
#include "predict.h"
#include "view.h"
#include "words.h"

#define MOST_QUEUES 8

static void add(struct told_list *t, enum style style, char *what, char *why)
{
    VEC_PUSH(&t->rows, (struct told){.what = what, .why = why, .style = style});
}

/* The same notes, about another queue than the one that was looked at. The caller finishes it. */
static struct ledger ledger_about(const struct model *m, const char *queue)
{
    struct ledger l;
    struct snapshot s = *m->snapshot;
    s.trace_len = 0; /* it was taken in */
    ledger_copy(&l, &m->ledger);
    ledger_want(&l, queue);
    ledger_observe(&l, &s);
    return l;
}

static uint64_t unknown_in(const struct ledger *l)
{
    uint64_t count = 0;
    for (size_t i = 0; i < l->fates.len; i++)
        if (l->fates.items[i].fate.unasked)
            count += l->fates.items[i].last - l->fates.items[i].first + 1;
    return count;
}

static void add_fate(struct told_list *t, const struct model *m, const struct ledger *l,
                     const struct fate_range *f)
{
    enum style style;
    struct fate fate = predict_fate(m, &f->fate);
    /* the verdict, also where nothing went wrong: one word for one fate on both sides */
    char *range = range_text(f, verdict_word(f->fate.verdict, &style));
    add(t, style, format_text("%s %s", l->queue, range), fate_text(m->snapshot, &fate));
    free(range);
}

/* All that are unknown did not come back: then it is known which. */
static void add_missing(struct told_list *t, const struct ledger *l, bool unserved)
{
    enum style style;
    const char *word = verdict_word(unserved ? VERDICT_UNAVAILABLE : VERDICT_LOST, &style);
    for (size_t i = 0; i < l->fates.len; i++)
        if (l->fates.items[i].fate.unasked) {
            char *range = range_text(&l->fates.items[i], word);
            add(t, style, format_text("%s %s", l->queue, range), xstrdup(""));
            free(range);
        }
}

static void add_queue(struct told_list *t, const struct model *m, const struct queue_seen *q)
{
    const struct away *past = model_past(m, q->name);
    bool unserved = q->state == QUEUE_SEEN_STOPPED || q->state == QUEUE_SEEN_DOWN;
    int64_t gone = !past || past->held <= 0 ? 0 : unserved ? past->held : past->missing;
    bool looked_at = m->ledger.queue && strcmp(m->ledger.queue, q->name) == 0;
    struct ledger other = looked_at ? (struct ledger){0} : ledger_about(m, q->name);
    const struct ledger *l = looked_at ? &m->ledger : &other;
    uint64_t unknown = unknown_in(l);
    if (l->fates.len && !unknown)
        gone = 0; /* it is told of each */
    bool which = gone > 0 && (unserved || q->messages == 0) && unknown == (uint64_t)gone;
    for (size_t i = 0; i < l->fates.len; i++)
        if (gone <= 0 || !l->fates.items[i].fate.unasked)
            add_fate(t, m, l, &l->fates.items[i]);
    if (which)
        add_missing(t, l, unserved);
    else if (gone > 0)
        add(t, STYLE_DOWN,
            format_text(unserved ? _("%s: %lld UNAVAILABLE") : _("%s: %lld LOST"), q->name, (long long)gone),
            xstrdup(""));
    ledger_finish(&other);
}

struct told_list compare_told(const struct model *m)
{
    struct told_list t = {0};
    for (size_t i = 0; i < m->fates.len; i++)
        add(&t, m->fates.items[i].lost ? STYLE_DOWN : STYLE_NORMAL, xstrdup(m->fates.items[i].message),
            xstrdup(m->fates.items[i].fate));
    if (m->fates.len)
        return t;
    const struct queue_seen *first = m->ledger.queue ? snapshot_queue(m->snapshot, m->ledger.queue) : NULL;
    if (first)
        add_queue(&t, m, first);
    for (size_t i = 0; i < m->snapshot->queues_len && i < MOST_QUEUES; i++)
        if (&m->snapshot->queues[i] != first)
            add_queue(&t, m, &m->snapshot->queues[i]);
    return t;
}

void compare_told_free(struct told_list *t)
{
    for (size_t i = 0; i < t->rows.len; i++) {
        free(t->rows.items[i].what);
        free(t->rows.items[i].why);
    }
    VEC_FREE(&t->rows);
}

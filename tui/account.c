/* account.c: what became of the queues that had a copy on a node that went away: who has it, who had it, what
 * was lost, what kept the rest. Said when the lesson's steps are all seen, and nothing that was not observed;
 * what is done afterwards does not change it. */
#include <stdlib.h>

#include "view.h"
#include "words.h"

#define MOST 4 /* queues; more are no lesson any more */

static char *names_text(const struct snapshot *s, node_bits bits)
{
    struct text t = {0};
    for (size_t i = 0; i < s->nodes_len; i++)
        if (bits & ((node_bits)1 << i))
            text_printf(&t, "%s%s", t.len ? ", " : "", s->nodes[i].name);
    return t.s ? t.s : xstrdup("");
}

enum taken { TAKEN_UNTOLD, TAKEN_IN_SYNC, TAKEN_UNSYNCED };

/* What the newest event says in which this node took the queue over; RabbitMQ does not say how level it was:
 * then what was seen when the other one served it.
 */
static enum taken how_taken_over(const struct snapshot *s, const struct queue_seen *q,
                                 const struct taking_over *t)
{
    char *begin = format_text("%s: %s promoted", q->name, s->nodes[t->to].name);
    enum taken taken = TAKEN_UNTOLD;
    for (size_t i = 0; i < s->events_len; i++) {
        const struct event_seen *e = &s->events[i];
        if (strcmp(e->kind, "promote") != 0 || strncmp(e->text, begin, strlen(begin)) != 0)
            continue;
        taken = strstr(e->text, "NOT in sync") ? TAKEN_UNSYNCED
                : strstr(e->text, "in sync")   ? TAKEN_IN_SYNC
                                               : TAKEN_UNTOLD;
    }
    free(begin);
    return taken == TAKEN_UNTOLD && t->level ? TAKEN_IN_SYNC : taken;
}

static char *stopped_text(const struct snapshot *s, const struct queue_seen *q, node_bits copies)
{
    char *nodes = names_text(s, copies), *text;
    bool one = (copies & (copies - 1)) == 0;
    if (one && q->was_messages >= 0)
        text =
            format_text(NP_("%s: %lld message is out of reach: its only copy is on %s.",
                            "%s: %lld messages are out of reach: their only copy is on %s.", q->was_messages),
                        q->name, (long long)q->was_messages, nodes);
    else if (one)
        text = format_text(_("%s is out of reach: its only copy is on %s."), q->name, nodes);
    else
        text = format_text(_("%s is out of reach: its copies are on %s."), q->name, nodes);
    free(nodes);
    return text;
}

/* one node after the other took it over */
static char *taken_over_again_text(const struct snapshot *s, const struct queue_seen *q, const struct away *a)
{
    struct text chain = {0};
    bool level = !a->forgot, short_of = false;
    for (size_t i = 0; i < a->taken_len; i++) {
        const struct taking_over *t = &a->taken[i];
        enum taken taken = how_taken_over(s, q, t);
        level = level && taken == TAKEN_IN_SYNC;
        short_of = short_of || taken == TAKEN_UNSYNCED;
        text_printf(&chain, i ? _(", then %s from %s") : _("%s took over from %s"), s->nodes[t->to].name,
                    s->nodes[t->from].name);
    }
    char *text = format_text(short_of ? _("%s: %s; not each was in sync: it lacks some.")
                             : level  ? _("%s: %s; each copy was in sync: all kept.")
                                      : _("%s: %s."),
                             q->name, chain.s);
    text_finish(&chain);
    return text;
}

static char *taken_over_text(const struct snapshot *s, const struct queue_seen *q, const struct away *a)
{
    if (a->taken_len > 1)
        return taken_over_again_text(s, q, a);
    const struct taking_over *t = &a->taken[0];
    const char *gone = s->nodes[t->from].name, *now = s->nodes[t->to].name;
    switch (how_taken_over(s, q, t)) {
    case TAKEN_UNSYNCED:
        return format_text(_("%s: %s took over from %s though NOT in sync: it lacks some."), q->name, now,
                           gone);
    case TAKEN_IN_SYNC:
        return format_text(_("%s: %s took over from %s; its copy was in sync: all kept."), q->name, now,
                           gone);
    case TAKEN_UNTOLD: break;
    }
    return format_text(_("%s: %s took over from %s."), q->name, now, gone);
}

/* of the queue that is looked at: what nobody has any more, though all who ever had it answer (ledger.h) */
static unsigned long long lost_count(const struct ledger *l)
{
    unsigned long long lost = 0;
    for (size_t i = 0; i < l->fates.len; i++)
        if (l->fates.items[i].fate.verdict == VERDICT_LOST)
            lost += l->fates.items[i].last - l->fates.items[i].first + 1;
    return lost;
}

/* What did not come back with the nodes that had the only copies: nobody could take it meanwhile. Where nodes
 * tell of single messages, it is they who say what is lost. */
static char *lost_text(const struct model *m, const struct queue_seen *q, const struct away *a)
{
    const struct ledger *l = &m->ledger;
    bool told = l->queue && strcmp(l->queue, q->name) == 0 && l->fates.len;
    unsigned long long lost = told ? lost_count(l) : a && a->back_at ? (unsigned long long)a->missing : 0;
    if (!lost)
        return NULL;
    char *nodes = a && a->back_at ? names_text(m->snapshot, a->kept_on) : NULL, *text;
    if (nodes && *nodes)
        text = format_text(NP_("%s: %llu message is lost: its only copy was on %s, in memory alone.",
                               "%s: %llu messages are lost: their only copies were on %s, in memory alone.",
                               lost),
                           q->name, lost, nodes);
    else
        text = format_text(NP_("%s: %llu message is lost; 3 shows where.",
                               "%s: %llu messages are lost; 3 shows where.", lost),
                           q->name, lost);
    free(nodes);
    return text;
}

static char *queue_text(const struct model *m, const struct queue_seen *q)
{
    const struct snapshot *s = m->snapshot;
    const struct away *a = model_past(m, q->name);
    if (q->state == QUEUE_SEEN_STOPPED || q->state == QUEUE_SEEN_DOWN) {
        node_bits copies = a && a->copies ? a->copies : q->master >= 0 ? (node_bits)1 << q->master : 0;
        return copies ? stopped_text(s, q, copies) : NULL;
    }
    bool served = q->master >= 0 && q->state != QUEUE_SEEN_UNKNOWN;
    if (served && a && a->taken_len && a->taken[a->taken_len - 1].to == q->master)
        return taken_over_text(s, q, a);
    return lost_text(m, q, a);
}

static char *account_now(const struct model *m)
{
    const struct snapshot *s = m->snapshot;
    struct text t = {0};
    int said = 0;
    for (size_t i = 0; s && s->source >= 0 && i < s->queues_len && said < MOST; i++) {
        char *text = queue_text(m, &s->queues[i]);
        if (text) {
            text_printf(&t, "%s%s", t.len ? "\n" : "", text);
            said++;
        }
        free(text);
    }
    return t.s;
}

char *account_text(const struct model *m)
{
    return m->account ? xstrdup(m->account) : account_now(m);
}

/* So long after the last tick what led to it is known: RabbitMQ counts messages every 5 s. */
#define SETTLED_MS 10000

void account_keep(struct model *m, bool acts)
{
    bool done = m->lesson && m->lesson->number && model_step(m) == m->lesson->steps_len;
    if (!done) {
        free(m->account);
        m->account = NULL;
        m->done_at = 0;
        return;
    }
    if (m->account || !m->snapshot)
        return;
    m->done_at = m->done_at ? m->done_at : m->snapshot->taken_at;
    if (!acts && m->snapshot->taken_at < m->done_at + SETTLED_MS)
        return;
    m->account = account_now(m);
    m->account = m->account ? m->account : xstrdup("");
}

bool account_shows_loss(const struct model *m)
{
    const struct fate_range *f = ledger_fate(&m->ledger, ledger_first(&m->ledger));
    bool done = m->lesson && m->lesson->number && model_step(m) == m->lesson->steps_len;
    return done && f && f->fate.verdict == VERDICT_LOST;
}

static int each_line(const struct model *m, const struct canvas *c, struct canvas *draw_on, struct rect r,
                     int x, int y)
{
    char *text = account_text(m), *rest = NULL;
    int rows = 0;
    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
        if (draw_on && y + rows < r.height)
            draw_paragraph(draw_on, rect_rows(r, y + rows, r.height - y - rows), x, 0, STYLE_NORMAL, line);
        rows += paragraph_rows(c, r.width - x, line);
    }
    free(text);
    return rows;
}

int account_rows(const struct model *m, const struct canvas *c, int width)
{
    return each_line(m, c, NULL, (struct rect){0, 0, width, 0}, 1, 0);
}

void draw_account(const struct model *m, struct canvas *c, struct rect r, int y)
{
    each_line(m, c, c, r, 1, y);
}

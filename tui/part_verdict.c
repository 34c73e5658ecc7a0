/* part_verdict.c: the verdict of one message, and why: where it is, who took it, or what is known of how it
 * was lost. Of one that is out of reach it says what is to be expected, never that it is lost already; of one
 * that nothing has happened to where it is now, and no verdict. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/sched.h"
#include "diagram.h"
#include "predict.h"
#include "words.h"

/* Memory alone held it: the stop that took it, and when it was found; the caller frees it. */
static char *memory_text(const struct diagram *d, const struct moment *stop, const struct moment *found)
{
    char at[32], then[32];
    diagram_time(stop->at_us - d->begin_us, stop->about, at);
    diagram_time(found->at_us - d->begin_us, found->about, then);
    return format_text(_("at %s, %s: %s (L5 in docs/glossary.md). Found lost at %s."), at,
                       d->m->snapshot->nodes[stop->from].name, _(sched_door_words("L5")), then);
}

/* where it was lost, if that was seen; the caller frees it */
static char *lost_text(const struct diagram *d)
{
    const struct snapshot *s = d->m->snapshot;
    const struct moment *stop = NULL;
    for (size_t i = 0; d->life.fate.verdict == VERDICT_LOST && i < d->life.moments.len; i++) {
        const struct moment *m = &d->life.moments.items[i];
        char at[32];
        diagram_time(m->at_us - d->begin_us, m->about, at);
        if (m->from < 0 || m->from >= (int)s->nodes_len)
            continue;
        stop = m->memory ? m : stop;
        if (!m->bad)
            continue;
        if (stop && !m->side) /* what a side held is discarded, in memory or on disk: L3 comes before L5 */
            return memory_text(d, stop, m);
        if (m->side && stop) /* its row says that memory alone held it: that is not why */
            return format_text(
                _("at %s: %s was on a partition's losing side: from disk it would have gone, too"), at,
                s->nodes[m->from].name);
        if (m->side)
            return format_text(_("at %s: %s was on a partition's losing side"), at, s->nodes[m->from].name);
        const char *name = s->nodes[m->from].name;
        if (m->returned && d->life.fate.logged)
            return format_text(_("at %s: %s %s; it was persistent"), at, name, _(m->label));
        if (m->returned && d->life.fate.in_memory) /* its stop was not seen */
            return format_text(_("at %s: %s %s; memory alone held it"), at, name, _(m->label));
        if (m->returned)
            return format_text(_("at %s: %s %s; whether memory alone held it is not known"), at, name,
                               _(m->label));
        return format_text(_("at %s: %s %s"), at, name, _(m->label));
    }
    return NULL;
}

/* Handed out as new more than once (by both sides of a partition, say); the caller frees it; NULL: not so. */
static char *came_text(const struct diagram *d)
{
    const struct life *l = &d->life;
    node_bits acked = 0;
    if (l->delivered <= l->redelivered + 1)
        return NULL;
    for (size_t i = 0; i < l->moments.len; i++)
        acked |= l->moments.items[i].fact == TRACE_SEEN_ACKED ? (node_bits)1 << l->moments.items[i].to : 0;
    if (!acked)
        return format_text(_("consumers were sent it %u times"), l->delivered);
    bool held = l->fate.taken_on != 0; /* though acknowledged: its words say both */
    char *more = held ? fate_text(d->m->snapshot, &l->fate) : nodes_text(d->m->snapshot, acked);
    char *text = format_text(held ? _("consumers were sent it %u times: %s")
                                  : _("consumers were sent it %u times; acknowledged on %s"),
                             l->delivered, more);
    free(more);
    return text;
}

/* the caller frees it; NULL: nothing is known */
static char *why(const struct diagram *d)
{
    char *text = lost_text(d);
    if (!text)
        text = came_text(d);
    const struct fate_range *known = text ? NULL : ledger_fate(&d->m->ledger, d->id);
    if (!known && !text && d->life.moments.len && d->m->snapshot->traces)
        return xstrdup(_("what is drawn is all that is known: no node that answers has it, or noted more"));
    if (!known)
        return text;
    bool unavailable = known->fate.verdict == VERDICT_UNAVAILABLE;
    return unavailable ? predict_unavailable_text(d->m, &known->fate)
                       : fate_text(d->m->snapshot, &known->fate);
}

/* Before anything went wrong: where it is. The caller frees it; NULL: there is a verdict. */
static char *now_text(const struct diagram *d)
{
    if (life_is_judged(&d->life))
        return NULL;
    char *where = why(d), *text = format_text(_("NOW %s: %s"), d->name, where ? where : "?");
    free(where);
    return text;
}

static bool has_counts(const struct diagram *d)
{
    return d->m->ledger.facts.len && d->life.moments.len;
}

int message_verdict_rows(const struct diagram *d, int width)
{
    if (!d->m->queue && !d->m->ledger.queue)
        return 0; /* there is no queue, and no message */
    if (!message_is_known(d) && !message_only_missing(d))
        return 0; /* there is none to be judged: the words above say why */
    char *now = now_text(d), *text = now ? now : why(d);
    int rows = (now ? has_counts(d) : 1) + (text ? paragraph_rows(d->c, width - 1, text) : 0);
    free(text);
    return rows;
}

static void draw_counts(const struct diagram *d, struct rect r, int x)
{
    static const char *const formats[] = {N_("published %u  confirmed %u  delivered %u  redelivered %u"),
                                          N_("pub %u  conf %u  deliv %u  redel %u"),
                                          N_("pub %u conf %u out %u redel %u")};
    const struct life *l = &d->life;
    char *text = NULL;
    for (size_t i = d->lanes.narrow; has_counts(d) && i < ARRAY_LEN(formats); i++) {
        free(text);
        text = format_text(_(formats[i]), l->published, l->confirmed, l->delivered, l->redelivered);
        if (x + text_columns(d->c, text) <= r.width)
            break;
    }
    if (text)
        canvas_put(d->c, r, x, 0, STYLE_NORMAL, text);
    free(text);
}

static void draw_verdict(const struct diagram *d, struct rect r)
{
    enum style style;
    const char *word = verdict_word(d->life.fate.verdict, &style);
    int x = canvas_put(d->c, r, 1, 0, STYLE_STRONG, _("VERDICT")) + 1;
    if (message_only_missing(d))
        word = verdict_word(VERDICT_LOST, &style);
    else
        x = canvas_printf(d->c, r, x, 0, STYLE_STRONG, "#%" PRIu64, d->id + 1) + 1;
    x = canvas_put(d->c, r, x, 0, style, word) + 2;
    draw_counts(d, r, x);
}

void draw_message_verdict(const struct diagram *d, struct rect r)
{
    char *now = now_text(d), *text = now ? now : why(d);
    if (!now)
        draw_verdict(d, r);
    struct rect rest = now ? r : rect_rows(r, 1, r.height - 1);
    int rows = text ? draw_paragraph(d->c, rest, 1, 0, now ? STYLE_STRONG : STYLE_DIM, text) : 0;
    if (now && rows < r.height)
        draw_counts(d, rect_rows(r, rows, 1), 1);
    free(text);
}

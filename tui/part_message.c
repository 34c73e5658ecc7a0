/* part_message.c: one message's life, from what nodes note of it: above the picture the fates of all, below
 * it the verdict. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "diagram.h"
#include "predict.h"
#include "words.h"

#define GAP_US 1000000

/* Nobody chose one: the first that is lost or out of reach; else the first that came while this screen
 * looked; else the newest. */
static uint64_t shown_at_first(const struct ledger *l)
{
    uint64_t first = ledger_first(l), came = UINT64_MAX;
    const struct fate_range *f = ledger_fate(l, first);
    if (f && (f->fate.verdict == VERDICT_LOST || f->fate.verdict == VERDICT_UNAVAILABLE))
        return first;
    for (size_t i = 0; i < l->facts.len; i++) {
        const struct fact *x = &l->facts.items[i];
        if (x->kind == TRACE_SEEN_ENQUEUED && x->queue_uid == l->uid && x->from_us >= l->began_us)
            came = u64_min(came, x->first);
    }
    return came != UINT64_MAX ? came : l->fates.len ? ledger_last_number(l) : first;
}

uint64_t message_shown(const struct model *m)
{
    return m->life_chosen ? m->life_id : shown_at_first(&m->ledger);
}

/* ---- what is shown
 * ----------------------------------------------------------------------------------------- */

/* the moment is what this event told */
static bool is_a_moment(const struct diagram *d, const struct event_seen *e)
{
    for (size_t i = 0; i < d->life.moments.len; i++)
        if (d->life.moments.items[i].at_us == e->wall_ms * 1000)
            return true;
    return false;
}

/* Of a queue whose messages nobody numbers only its own changes are shown: not what another queue did. */
static bool of_this_queue(const struct diagram *d, const struct event_seen *e)
{
    static const char *const others[] = {"node", "policy", "screen", "step", "seen", "set-up", "refused"};
    const char *queue = d->m->ledger.queue ? d->m->ledger.queue : "";
    bool of = message_is_known(d);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        of = of || strcmp(e->kind, others[i]) == 0;
    size_t len = strlen(queue);
    for (const char *at = e->text; len && !of && (at = strstr(at, queue)); at += len)
        of = (at == e->text || at[-1] == ' ') && (!at[len] || at[len] == ' ' || at[len] == ':');
    return of;
}

/* Events have whole milliseconds, moments do not: of the same one the moments come first, for what they are
 * causes of is told later. */
static void add_events_between(struct diagram *d, int64_t from_us, int64_t until_us)
{
    const struct snapshot *s = d->m->snapshot;
    for (size_t i = 0; i < s->events_len; i++) {
        const struct event_seen *e = &s->events[i];
        int64_t at = e->wall_ms * 1000;
        if (e->wall_ms >= from_us / 1000 && e->wall_ms < until_us / 1000 && !is_a_moment(d, e) &&
            predict_tells_event(d->m, e) && of_this_queue(d, e))
            VEC_PUSH(&d->rows, (struct row){.e = e, .e_us = at > from_us ? at : from_us});
    }
}

/* Where this message is now, by the nodes that hold it or are away with it. */
static void find_now(struct diagram *d)
{
    const struct ledger *l = &d->m->ledger;
    const struct queue_seen *q = l->queue ? snapshot_queue(d->m->snapshot, l->queue) : NULL;
    bool known = q && !l->unasked && ledger_fate(l, d->id);
    for (size_t i = 0; known && i < d->m->snapshot->nodes_len && i < LIMIT_NODES; i++) {
        node_bits bit = (node_bits)1 << i;
        enum style style;
        char role = l->copies[i].master ? 'M' : copy_letter(d->m, q, (int)i, &style) == 'u' ? 'u' : 'm';
        d->now[i] = d->life.fate.held & bit ? role : d->life.fate.away & bit ? '!' : '.';
    }
}

static void begin(struct diagram *d, const struct model *m, struct canvas *c, int width)
{
    *d = (struct diagram){.m = m, .c = c, .id = message_shown(m)};
    ledger_life(&m->ledger, m->snapshot, d->id, &d->life);
    d->name = message_is_known(d) ? format_text("#%" PRIu64, d->id + 1) : xstrdup(_("this queue"));
    predict_life(m, &d->life);
    diagram_place(d, width);
    size_t len = d->life.moments.len;
    d->begin_us = len ? d->life.moments.items[0].at_us : 0;
    for (size_t i = 0; i < len; i++) {
        const struct moment *now = &d->life.moments.items[i], *before = i ? now - 1 : NULL;
        int64_t gap = before ? now->at_us - before->at_us : 0;
        if (before && m->life_expanded)
            add_events_between(d, before->at_us, now->at_us);
        else if (gap > GAP_US)
            VEC_PUSH(&d->rows, (struct row){.gap_us = gap});
        VEC_PUSH(&d->rows, (struct row){.m = now});
    }
    if (len && m->life_expanded) /* and what the last one was the cause of */
        add_events_between(d, d->life.moments.items[len - 1].at_us,
                           d->life.moments.items[len - 1].at_us + 1000);
    find_now(d);
}

/* ---- words
 * ------------------------------------------------------------------------------------------------- */

/* There are others, and of this one nobody has said anything. */
static bool untold(const struct diagram *d)
{
    const struct ledger *l = &d->m->ledger;
    return l->fates.len && !ledger_fate(l, d->id) && !d->life.moments.len;
}

/* "#1-#60000 confirmed" for each part of the queue, from the one before this message's on, as many as there
 * is room for */
static void draw_fates(const struct diagram *d, struct rect r, int y)
{
    const struct ledger *l = &d->m->ledger;
    size_t here = 0;
    int x = 1;
    while (here + 1 < l->fates.len && l->fates.items[here].last < d->id)
        here++;
    if (untold(d))
        x = canvas_printf(d->c, r, x, y, STYLE_STRONG, "#%" PRIu64 " ?", d->id + 1) + 2;
    for (size_t i = here > 1 ? here - 1 : 0; i < l->fates.len; i++) {
        enum style style;
        char *word = run_word(l, i, &style), *range = range_text(&l->fates.items[i], word);
        int columns = text_columns(d->c, word);
        bool fits = x + text_columns(d->c, range) + 8 <= r.width || i + 1 == l->fates.len;
        if (fits) {
            x = canvas_put(d->c, r, x, y, i == here && !untold(d) ? STYLE_STRONG : STYLE_DIM, range);
            canvas_restyle(d->c, (struct rect){r.x + x - columns, r.y + y, columns, 1}, style);
            x += 2;
        } else {
            x = canvas_printf(d->c, r, x, y, STYLE_DIM, _("+%zu more"), l->fates.len - i) + 2;
        }
        free(range);
        free(word);
        if (!fits)
            break;
    }
}

/* ---- drawing
 * ----------------------------------------------------------------------------------------------- */

bool message_is_known(const struct diagram *d)
{
    return d->m->ledger.fates.len || (d->m->ledger.facts.len && d->life.moments.len);
}

const struct away *message_only_missing(const struct diagram *d)
{
    const struct ledger *l = &d->m->ledger;
    const struct away *a = l->queue ? model_past(d->m, l->queue) : NULL;
    bool known = l->fates.len || d->life.moments.len;
    return !known && a && a->back_at && a->missing > 0 ? a : NULL;
}

/* An earlier screen saw it lost, or saw that so many are missing; the caller frees it. NULL: neither. */
static char *lost_before_text(const struct diagram *d)
{
    const struct snapshot *s = d->m->snapshot;
    const struct ledger *l = &d->m->ledger;
    const struct away *a = message_only_missing(d);
    const struct loss *k = d->life.fate.verdict == VERDICT_LOST ? ledger_lost_before(l, d->id) : NULL;
    if (k && k->how && k->node >= 0 && k->node < (int)s->nodes_len)
        return format_text(
            k->in_memory ? _("An earlier screen saw it lost: %s %s; memory alone held it. What "
                             "was noted of its life is not kept.")
                         : _("An earlier screen saw it lost: %s %s. What was noted of its life is not kept."),
            s->nodes[k->node].name, _(k->how));
    if (k)
        return xstrdup(_("An earlier screen saw it lost. What was noted of its life is not kept."));
    if (!a)
        return NULL;
    char *nodes = nodes_text(s, a->kept_on);
    char *text = format_text(NP_("%s: %lld message was seen to be lost: its only copy was on %s, in memory "
                                 "alone. This screen did not see which.",
                                 "%s: %lld messages were seen to be lost: their only copies were on %s, in "
                                 "memory alone. This screen did not see which.",
                                 a->missing),
                             a->queue, (long long)a->missing, nodes);
    free(nodes);
    return text;
}

/* An earlier screen left messages in it that memory alone held, and every node that had them has begun anew
 * since; the caller frees it. NULL: not so, or nobody knows. */
static char *left_text(const struct diagram *d)
{
    const struct snapshot *s = d->m->snapshot;
    const struct away *a = d->m->ledger.queue ? model_past(d->m, d->m->ledger.queue) : NULL;
    bool anew = a && !a->left_here && a->left > 0 && a->left_in_memory > 0 && a->left_on;
    for (size_t i = 0; anew && i < s->nodes_len && i < LIMIT_NODES; i++)
        if (a->left_on >> i & 1)
            anew = s->nodes[i].answers && s->nodes[i].uptime_ms >= 0 &&
                   s->taken_wall_ms - s->nodes[i].uptime_ms > a->left_wall_ms;
    if (!anew)
        return NULL;
    int64_t count = a->left_in_memory < a->left ? a->left_in_memory : a->left;
    char *nodes = nodes_text(s, a->left_on);
    char *text =
        format_text(NP_("When an earlier screen closed, %lld message was here, in memory alone, on %s. "
                        "What memory held went when that began anew: it is lost, unless somebody "
                        "took it before.",
                        "When an earlier screen closed, %lld messages were here, in memory alone, on "
                        "%s. What memory held went when that began anew: they are lost, unless "
                        "somebody took them before.",
                        count),
                    (long long)count, nodes);
    free(nodes);
    return text;
}

/* Nobody serves it, and this screen has seen none of its messages; the caller frees it. NULL: it is served.
 */
static char *unserved_text(const struct diagram *d)
{
    const struct queue_seen *q =
        d->m->ledger.queue ? snapshot_queue(d->m->snapshot, d->m->ledger.queue) : NULL;
    if (!q || (q->state != QUEUE_SEEN_STOPPED && q->state != QUEUE_SEEN_DOWN))
        return NULL;
    const struct away *a = model_past(d->m, q->name);
    enum style style;
    const char *state = queue_state_words(q->state, &style);
    int64_t held = q->was_messages >= 0 || !a ? q->was_messages : a->held;
    node_bits on = a && a->copies ? a->copies : q->master >= 0 ? (node_bits)1 << q->master : 0;
    char *nodes = nodes_text(d->m->snapshot, on), *text;
    if (!on)
        text = format_text(_("%s is %s: nobody can say what it holds."), q->name, state);
    else if (held >= 0)
        text = format_text(
            NP_("%s is %s: only %s can say what it holds; it was %lld message when last seen.",
                "%s is %s: only %s can say what it holds; it was %lld messages when last seen.", held),
            q->name, state, nodes, (long long)held);
    else
        text = format_text(_("%s is %s: only %s can say what it holds."), q->name, state, nodes);
    free(nodes);
    return text;
}

/* what the picture does not say by itself; the caller frees it; NULL: nothing */
static char *caveat(const struct diagram *d)
{
    const struct snapshot *s = d->m->snapshot;
    const struct ledger *l = &d->m->ledger;
    if (!d->m->queue || (l->unasked && !snapshot_queue(s, l->queue)))
        return xstrdup(_("There is no queue."));
    if (!s->traces && !l->fates.len)
        return xstrdup(_("These nodes do not say what becomes of single messages (RabbitMQ does not number "
                         "them): only the queue's own changes are shown."));
    if (!l->fates.len && !d->life.moments.len && l->unasked)
        return format_text(_("Nothing is recorded of its messages: the screen looked at %s then."),
                           s->looked_at);
    char *unserved = !l->fates.len && !d->life.moments.len ? unserved_text(d) : NULL;
    if (unserved)
        return unserved;
    char *lost = !d->life.moments.len ? lost_before_text(d) : NULL;
    if (lost)
        return lost;
    char *left = (!l->fates.len || untold(d)) && !d->life.moments.len ? left_text(d) : NULL;
    if (left)
        return left;
    if (untold(d))
        return format_text(_("No node that answers has %s, or noted anything of it."), d->name);
    if (!l->fates.len && !d->life.moments.len)
        return xstrdup(model_only_looks(d->m) || model_unanswered_refuses(d->m, REQUEST_PUBLISH)
                           ? _("No message of this queue was seen yet.")
                           : _("No message of this queue was seen yet. p publishes one."));
    if (!d->life.moments.len && d->life.fate.held)
        return xstrdup(_("It was there before this screen looked: where it is now is all that is known."));
    node_bits gaps = l->gaps & (d->life.part ? d->life.part : l->gaps);
    if (gaps && !d->life.moments.len) {
        char *nodes = nodes_text(s, gaps),
             *text = format_text(_("%s did not note everything that happened."), nodes);
        free(nodes);
        return text;
    }
    return NULL;
}

/* "Message #1 of hello, published 14:35:14.717": which one, and the wall clock's time of 0.0ms; what stands
 * at the right goes before that does, unless it says that rows are hidden. */
static void draw_message_title(const struct diagram *d, struct rect r, const char *right, bool hidden)
{
    const char *queue = d->m->ledger.queue ? d->m->ledger.queue : d->m->queue;
    bool known = message_is_known(d);
    char *title = !queue   ? xstrdup(_("Message "))
                  : !known ? format_text(_("Messages of %s "), queue)
                           : format_text(_("Message #%" PRIu64 " of %s "), d->id + 1, queue);
    if (queue && d->life.moments.len) {
        time_t seconds = (time_t)(d->begin_us / 1000000);
        struct tm t;
        char clock[16];
        localtime_r(&seconds, &t);
        snprintf(clock, sizeof(clock), "%02d:%02d:%02d.%03d", t.tm_hour, t.tm_min, t.tm_sec,
                 (int)(d->begin_us / 1000 % 1000));
        char *dated =
            !known ? format_text(_("Messages of %s, from %s on "), queue, clock)
            : d->life.moments.items[0].from == PARTY_PRODUCER
                ? format_text(_("Message #%" PRIu64 " of %s, published %s "), d->id + 1, queue, clock)
                : format_text(_("Message #%" PRIu64 " of %s, from %s on "), d->id + 1, queue, clock);
        int columns = text_columns(d->c, dated);
        bool beside = columns + text_columns(d->c, right) + 6 <= r.width;
        if (columns + 2 <= r.width && (beside || !hidden)) {
            right = beside ? right : "";
            free(title);
            title = dated;
        } else {
            free(dated);
        }
    }
    draw_title(d->c, r, 0, title, *right ? right : NULL);
    free(title);
}

static int share(const struct diagram *d, struct rect r, struct diagram_parts *p)
{
    return diagram_share((int)d->rows.len, r.height, 1, message_verdict_rows(d, r.width),
                         diagram_legend_rows(d, r.width), p);
}

void draw_message(const struct model *m, struct canvas *c, struct rect r, int scroll)
{
    struct diagram d;
    if (life_of_schedule(m)) {
        draw_life(m, c, r, scroll);
        return;
    }
    begin(&d, m, c, r.width);
    struct diagram_parts p;
    int hidden = share(&d, r, &p), first = hidden - scroll, y = 1;
    first = first < 0 ? 0 : first > hidden ? hidden : first;
    char more[48] = "";
    bool keys = m->view == VIEW_MESSAGE && (d.life.moments.len || m->ledger.fates.len);
    bool only = keys && !ledger_last_number(&m->ledger) && m->snapshot->queues_len > 1;
    if (hidden > 0)
        snprintf(more, sizeof(more), _(" %d more above, %d below "), first, hidden - first);
    else if (d.lanes.hidden)
        snprintf(more, sizeof(more), _(" +%d nodes "), d.lanes.hidden);
    else if (only)
        snprintf(more, sizeof(more), "%s", _(" 1: another queue "));
    else if (keys && ledger_last_number(&m->ledger)) /* of another one; [ ] may be time's */
        snprintf(more, sizeof(more), "%s",
                 m->replay ? _(" left, right: another message ") : _(" [ ]: another message "));
    draw_message_title(&d, r, more, hidden > 0);
    if (p.fates)
        draw_fates(&d, r, y++);
    char *note = caveat(&d);
    if (p.parties)
        diagram_parties(&d, rect_rows(r, y, p.parties));
    y += p.parties;
    diagram_rows(&d, rect_rows(r, y, p.rows), (size_t)first);
    y += p.rows;
    if (p.now && *d.now)
        diagram_now(&d, r, y++);
    if (note)
        draw_paragraph(c, rect_rows(r, y, r.height - y - p.verdict - p.legend), 1, 0, STYLE_DIM, note);
    free(note);
    if (p.verdict)
        draw_message_verdict(&d, rect_rows(r, r.height - p.legend - p.verdict, p.verdict));
    if (p.legend)
        diagram_legend(&d, rect_rows(r, r.height - p.legend, p.legend), &p, (size_t)first);
    diagram_finish(&d);
}

int message_hidden_rows(const struct model *m, struct canvas *c, struct rect r)
{
    struct diagram d;
    if (life_of_schedule(m))
        return life_hidden_rows(m, c, r);
    struct diagram_parts p;
    begin(&d, m, c, r.width);
    int hidden = share(&d, r, &p);
    diagram_finish(&d);
    return hidden > 0 ? hidden : 0;
}

int message_rows(const struct model *m, struct canvas *c, int width)
{
    struct diagram d;
    if (life_of_schedule(m))
        return life_rows(m, c, width);
    begin(&d, m, c, width);
    int rows = (int)d.rows.len + 5 + message_verdict_rows(&d, width) + diagram_legend_rows(&d, width);
    diagram_finish(&d);
    return rows;
}

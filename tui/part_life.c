/* part_life.c: one message's life in a played schedule, as the same picture as a live one's (diagram.h), with
 * steps in the place of times. It is the schedule's own book (time_sched_ledger.h): what clients were told
 * and what every copy held, looked at from outside, not what nodes note of it. */
#include "diagram.h"

#include <stdio.h>
#include <stdlib.h>

#include "time_sched_ledger.h"
#include "words.h"

static const struct fate_seen *shown(const struct model *m, size_t *at)
{
    *at = m->life_chosen && m->life_id < m->fates.len ? (size_t)m->life_id : SIZE_MAX;
    for (size_t i = 0; i < m->fates.len && *at == SIZE_MAX; i++)
        *at = m->fates.items[i].lost ? i : SIZE_MAX; /* nobody chose: what one looks for */
    *at = *at == SIZE_MAX ? 0 : *at;
    return &m->fates.items[*at];
}

bool life_of_schedule(const struct model *m)
{
    return m->fates.len > 0;
}

size_t life_shown(const struct model *m)
{
    size_t at;
    shown(m, &at);
    return at;
}

/* ---- rows
 * -------------------------------------------------------------------------------------------------- */

static const char *letters_of(const json_t *entry)
{
    const char *letters = json_string_value(json_array_get(entry, 1));
    return letters ? letters : "";
}

static unsigned step_of(const json_t *entry)
{
    json_int_t step = json_integer_value(json_array_get(entry, 3));
    return step < 0 ? 0 : (unsigned)step;
}

/* who has a part in it, and who took it when it came */
static void read_copies(struct diagram *d, const json_t *entry, bool first)
{
    const char *letters = letters_of(entry);
    for (size_t i = 0; i < d->m->snapshot->nodes_len && letters[i]; i++) {
        node_bits bit = (node_bits)1 << i;
        if (strchr("Mmu", letters[i]))
            d->life.part |= bit;
        if (first && letters[i] == 'M')
            d->life.home = (int)i;
        if (first && letters[i] == 'm')
            d->life.copies |= bit;
        if (first && letters[i] == '!')
            d->life.down_first |= bit;
    }
}

static void read_moments(struct diagram *d, const json_t *life)
{
    size_t i, k;
    const json_t *entry, *one;
    json_array_foreach(life, i, entry)
    {
        read_copies(d, entry, i == 0);
        json_array_foreach(json_array_get(entry, 4), k, one)
        {
            struct moment m;
            if (!sched_moment(one, &m) ||
                m.from >= (int)d->m->snapshot->nodes_len * (m.from != PARTY_CONSUMER))
                m = (struct moment){.kind = MOMENT_MARK, .from = PARTY_NOBODY, .label = "?"};
            d->life.part |= m.from >= 0 && m.from < LIMIT_NODES ? (node_bits)1 << m.from : 0;
            d->life.part |= m.to >= 0 && m.to < LIMIT_NODES ? (node_bits)1 << m.to : 0;
            VEC_PUSH(&d->life.moments, m);
        }
    }
}

/* steps that did nothing to it: one by its words, several as a gap, unless it is opened */
static void add_idle(struct diagram *d, unsigned from, unsigned until)
{
    const struct lesson *l = d->m->lesson;
    if (until - from > 1 && !d->m->life_expanded) {
        VEC_PUSH(&d->rows, (struct row){.step = from, .steps = until - from});
        return;
    }
    for (unsigned i = from; i < until; i++)
        VEC_PUSH(&d->rows, (struct row){.step = i,
                                        .begins = true,
                                        .did = l && i <= l->steps_len ? l->steps[i - 1].title : "?"});
}

/* The step's words stand before its moments, unless one of these says them, or is a program's. */
static bool says_itself(const struct moment *m, size_t len, const char *did)
{
    for (size_t i = 0; i < len; i++)
        if (m[i].from == PARTY_PRODUCER || m[i].from == PARTY_CONSUMER || strcmp(m[i].label, did) == 0)
            return true;
    return false;
}

static void add_step(struct diagram *d, const json_t *entry, size_t first)
{
    const struct moment *m = d->life.moments.items + first;
    const char *did = json_string_value(json_array_get(entry, 0));
    size_t len = json_array_size(json_array_get(entry, 4));
    bool words = !says_itself(m, len, did ? did : "");
    if (words)
        VEC_PUSH(&d->rows, (struct row){.step = step_of(entry), .begins = true, .did = did ? did : "?"});
    for (size_t i = 0; i < len; i++)
        VEC_PUSH(&d->rows, (struct row){.step = step_of(entry), .begins = !words && i == 0, .m = &m[i]});
}

static unsigned steps_played(const struct model *m)
{
    unsigned played = 0;
    for (size_t i = 0; m->lesson && i < m->lesson->steps_len; i++)
        played += m->lesson->steps[i].state == STEP_SEEN;
    return played;
}

static void begin(struct diagram *d, const struct model *m, struct canvas *c, int width)
{
    size_t at, i, moment = 0;
    const struct fate_seen *f = shown(m, &at);
    const json_t *entry;
    *d = (struct diagram){.m = m, .c = c, .id = at, .name = xstrdup(f->message), .stepwise = true};
    d->life.home = -1;
    read_moments(d, f->life);
    diagram_place(d, width);
    unsigned next = UINT32_MAX; /* the step after the last one that was added */
    json_array_foreach(f->life, i, entry)
    {
        unsigned step = step_of(entry);
        if (next < step)
            add_idle(d, next, step);
        add_step(d, entry, moment);
        moment += json_array_size(json_array_get(entry, 4));
        next = step + 1;
    }
    unsigned played = steps_played(m);
    if (next <= played && f->life)
        add_idle(d, next, played + 1);
    snprintf(d->now, sizeof(d->now), "%s", letters_of(json_array_get(f->life, json_array_size(f->life) - 1)));
}

/* ---- the part
 * ---------------------------------------------------------------------------------------------- */

/* "m2 of q: confirmed, LOST at step 6: ..."; the caller frees it */
static char *verdict_of(const struct fate_seen *f)
{
    return format_text(_("VERDICT %s of %s: %s"), f->message, f->queue, f->fate);
}

static int verdict_rows(const struct model *m, const struct canvas *c, int width)
{
    size_t at;
    char *text = verdict_of(shown(m, &at));
    int rows = paragraph_rows(c, width - 1, text);
    free(text);
    return rows;
}

static int share(const struct diagram *d, struct rect r, struct diagram_parts *p)
{
    return diagram_share((int)d->rows.len, r.height, 0, verdict_rows(d->m, d->c, r.width),
                         diagram_legend_rows(d, r.width), p);
}

void draw_life(const struct model *m, struct canvas *c, struct rect r, int scroll)
{
    struct diagram d;
    struct diagram_parts p;
    size_t at;
    const struct fate_seen *f = shown(m, &at);
    begin(&d, m, c, r.width);
    int hidden = share(&d, r, &p);
    int first = hidden - scroll, y = 1;
    first = first < 0 ? 0 : first > hidden ? hidden : first;
    char *title = format_text(_("Message %s, in the schedule's book "), f->message), right[48];
    if (hidden > 0)
        snprintf(right, sizeof(right), _(" %d more above, %d below "), first, hidden - first);
    else
        snprintf(right, sizeof(right), _(" left, right: %zu of %zu "), at + 1, m->fates.len);
    draw_title(c, r, 0, title, right);
    if (p.parties)
        diagram_parties(&d, rect_rows(r, y, p.parties));
    y += p.parties;
    diagram_rows(&d, rect_rows(r, y, p.rows), (size_t)first);
    y += p.rows;
    if (!f->life && y < r.height)
        canvas_put(c, r, 1, y++, STYLE_DIM,
                   _("(the steps are kept for the first messages, and the first that are lost)"));
    else if (p.now)
        diagram_now(&d, r, y);
    char *verdict = verdict_of(f);
    draw_paragraph(c, rect_rows(r, r.height - p.legend - p.verdict, p.verdict), 1, 0,
                   f->lost ? STYLE_DOWN : STYLE_STRONG, verdict);
    free(verdict);
    if (p.legend)
        diagram_legend(&d, rect_rows(r, r.height - p.legend, p.legend), &p, (size_t)first);
    free(title);
    diagram_finish(&d);
}

int life_hidden_rows(const struct model *m, struct canvas *c, struct rect r)
{
    struct diagram d;
    struct diagram_parts p;
    begin(&d, m, c, r.width);
    int hidden = share(&d, r, &p);
    diagram_finish(&d);
    return hidden > 0 ? hidden : 0;
}

int life_rows(const struct model *m, struct canvas *c, int width)
{
    struct diagram d;
    begin(&d, m, c, width);
    int rows = 3 + (int)d.rows.len + 1 + verdict_rows(m, c, width) + diagram_legend_rows(&d, width);
    diagram_finish(&d);
    return rows;
}

/* part_life.c: one message's life in a played schedule: a row for each step that changed anything, with who
 * held it then. It is the schedule's own book (time_sched_ledger.h): what clients were told and what every
 * copy held, looked at from outside, not what nodes note of it. */
#include <stdio.h>
#include <stdlib.h>

#include "view.h"
#include "words.h"

#define STEP_WIDTH 30

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

static enum style style_of(char letter)
{
    switch (letter) {
    case 'M':
    case 'm': return STYLE_FINE;
    case 'u': return STYLE_SYNCING;
    case '!':
    case '?': return STYLE_DOWN;
    default: return STYLE_DIM;
    }
}

/* where the words of a fate begin */
static int column_of_words(const struct model *m, int width)
{
    int step = width < 2 * STEP_WIDTH ? width / 3 : STEP_WIDTH;
    return 1 + step + 1 + 3 * (int)m->snapshot->nodes_len + 1;
}

static void draw_heading(const struct model *m, struct canvas *c, struct rect r, int x)
{
    canvas_put(c, r, 1, 0, STYLE_TITLE, _("AFTER"));
    for (size_t i = 0; i < m->snapshot->nodes_len; i++)
        canvas_printf(c, r, x - 1 - 3 * (int)(m->snapshot->nodes_len - i), 0, STYLE_TITLE, "n%zu", i + 1);
    canvas_put(c, r, x, 0, STYLE_TITLE, _("WHAT BECAME OF IT"));
}

static void draw_step(const struct model *m, struct canvas *c, struct rect r, int y, int x,
                      const json_t *entry, const json_t *before)
{
    const char *did = json_string_value(json_array_get(entry, 0));
    const char *letters = json_string_value(json_array_get(entry, 1));
    struct rect step = r;
    int nodes = (int)m->snapshot->nodes_len;
    step.width = x - 2 - 3 * nodes;
    canvas_put(c, step, 1, y, STYLE_NORMAL, did ? did : "?");
    for (int i = 0; letters && i < nodes && letters[i]; i++) {
        char one[2] = {letters[i], '\0'};
        canvas_put(c, r, x - 1 - 3 * (nodes - i), y, style_of(letters[i]), one);
    }
    if (before && json_equal(json_array_get(before, 2), json_array_get(entry, 2)))
        return; /* as it was */
    char *fate = fact_text(json_array_get(entry, 2), lesson_words);
    canvas_put(c, r, x, y, STYLE_NORMAL, fate);
    free(fate);
}

/* heading, steps; then what became of it, and what the letters mean */
struct parts {
    int steps, verdict;
    char *text;
};

static struct parts parts_of(const struct model *m, const struct canvas *c, struct rect r)
{
    size_t at;
    const struct fate_seen *f = shown(m, &at);
    struct parts p = {.text = format_text(_("%s of %s: %s"), f->message, f->queue, f->fate)};
    p.verdict = paragraph_rows(c, r.width - 1, p.text);
    p.steps = r.height - 2 - p.verdict - 2;
    p.steps = p.steps < 0 ? 0 : p.steps;
    return p;
}

void draw_life(const struct model *m, struct canvas *c, struct rect r, int scroll)
{
    size_t at;
    const struct fate_seen *f = shown(m, &at);
    struct parts p = parts_of(m, c, r);
    int x = column_of_words(m, r.width), len = (int)json_array_size(f->life), y = 2;
    int first = len > p.steps ? len - p.steps - scroll : 0;
    char *title = format_text(_("Message %s, in the schedule's book "), f->message);
    char *right = format_text(_("%zu of %zu"), at + 1, m->fates.len);
    draw_title(c, r, 0, title, right);
    draw_heading(m, c, rect_rows(r, 1, 1), x);
    for (int i = first < 0 ? 0 : first; i < len && y < 2 + p.steps; i++, y++)
        draw_step(m, c, r, y, x, json_array_get(f->life, (size_t)i),
                  i ? json_array_get(f->life, (size_t)i - 1) : NULL);
    if (!f->life)
        canvas_put(c, r, 1, y++, STYLE_DIM, _("(the steps are kept for the first messages only)"));
    y += y + p.verdict + 2 < r.height; /* a row between, where there is one */
    y += draw_paragraph(c, r, 1, y, f->lost ? STYLE_DOWN : STYLE_STRONG, p.text);
    canvas_put(c, r, 1, y, STYLE_DIM,
               _("M m hold it  u mirror without it  . has none  ! does not run  ? unknown"));
    canvas_put(c, r, 1, y + 1, STYLE_DIM,
               _("left, right: another message  [ ]: another step  1: the ledger of all"));
    free(title);
    free(right);
    free(p.text);
}

int life_hidden_rows(const struct model *m, struct canvas *c, struct rect r)
{
    size_t at;
    const struct fate_seen *f = shown(m, &at);
    struct parts p = parts_of(m, c, r);
    int hidden = (int)json_array_size(f->life) - p.steps;
    free(p.text);
    return hidden < 0 ? 0 : hidden;
}

int life_rows(const struct model *m, struct canvas *c, int width)
{
    size_t at;
    struct parts p = parts_of(m, c, (struct rect){0, 0, width, 4});
    free(p.text);
    return 2 + (int)json_array_size(shown(m, &at)->life) + 1 + p.verdict + 2;
}

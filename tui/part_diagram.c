/* part_diagram.c: see diagram.h. */
#include "diagram.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "words.h"

#define NARROW      60 /* below: short words */
#define MIN_SPACING 7  /* "o-ack->*" */
#define MAX_SPACING 18 /* wider, and the eye loses the line */

void diagram_place(struct diagram *d, int width)
{
    const struct snapshot *s = d->m->snapshot;
    bool narrow = width < NARROW || (width - 19) / ((int)s->nodes_len + 1) < 9;
    int first = narrow ? 10 : 14; /* the producer's column */
    int nodes = (int)s->nodes_len, room = width - first - (narrow ? 2 : 5);
    int most = room / MIN_SPACING - 1, shown = nodes < most ? nodes : most;
    node_bits show = 0;
    shown = shown < 1 ? 1 : shown;
    for (int round = 0, left = shown; round < 2; round++) /* those that have a part in it first */
        for (int i = 0; i < nodes && left > 0; i++) {
            node_bits bit = (node_bits)1 << i;
            if ((show & bit) || (round == 0 && !(d->life.part & bit)))
                continue;
            show |= bit;
            left--;
        }
    int spacing = room / (shown + 1), lane = 1;
    spacing = spacing > MAX_SPACING ? MAX_SPACING : spacing;
    d->lanes =
        (struct lanes){.producer = first, .narrow = narrow, .spacing = spacing, .hidden = nodes - shown};
    for (int i = 0; i < nodes; i++)
        if (show & ((node_bits)1 << i))
            d->lanes.x[i] = d->lanes.producer + spacing * lane++;
    d->lanes.consumer = d->lanes.producer + spacing * lane;
}

void diagram_time(int64_t us, bool about, char out[32])
{
    const char *sign = about ? "~" : "";
    if (us < 1000000)
        snprintf(out, 32, "%s%.1fms", sign, (double)us / 1000);
    else if (us < 600 * INT64_C(1000000))
        snprintf(out, 32, "%s%.3fs", sign, (double)us / 1e6);
    else
        snprintf(out, 32, "%s%" PRId64 "m%02" PRId64 "s", sign, us / 60000000, us / 1000000 % 60);
}

int diagram_lane(const struct diagram *d, int party)
{
    if (party == PARTY_PRODUCER)
        return d->lanes.producer;
    if (party == PARTY_CONSUMER)
        return d->lanes.consumer;
    return party >= 0 && party < LIMIT_NODES ? d->lanes.x[party] : 0;
}

static void put_char(const struct diagram *d, struct rect r, int x, int y, enum style style, char ch)
{
    char text[2] = {ch, '\0'};
    if (x > 0)
        canvas_put(d->c, r, x, y, style, text);
}

struct absent diagram_absent(const struct diagram *d, size_t row)
{
    struct absent a = {.down = d->life.down_first};
    for (size_t i = 0; i < row; i++) {
        const struct moment *m = d->rows.items[i].m;
        if (!m ||
            (m->kind != MOMENT_DOWN && m->kind != MOMENT_SILENT && m->kind != MOMENT_UP && !m->returned))
            continue;
        node_bits bit = (node_bits)1 << m->from;
        a.down = m->kind == MOMENT_DOWN ? a.down | bit : a.down & ~bit;
        a.silent = m->kind == MOMENT_SILENT ? a.silent | bit : a.silent & ~bit;
    }
    return a;
}

static void draw_lines(const struct diagram *d, struct rect r, int y, struct absent absent)
{
    put_char(d, r, d->lanes.producer, y, STYLE_DIM, '|');
    for (size_t i = 0; i < d->m->snapshot->nodes_len; i++) {
        node_bits bit = (node_bits)1 << i;
        put_char(d, r, d->lanes.x[i], y, STYLE_DIM,
                 absent.down & bit     ? ':'
                 : absent.silent & bit ? '?'
                                       : '|');
    }
    put_char(d, r, d->lanes.consumer, y, STYLE_DIM, '|');
}

/* for an arrow without room for the word */
static const char *short_label(const char *translated, const char *label)
{
    static const struct {
        const char *label, *words;
    } known[] = {{"replicate", N_("copy")}, {"forward", N_("pass")}, {"redeliver", N_("again")},
                 {"publish", N_("pub")},    {"confirm", N_("conf")}, {"deliver", N_("give")}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(label, known[i].label) == 0)
            return _(known[i].words);
    return translated;
}

/* what reaches a program is seen only when it acknowledges it, or prints it here */
bool diagram_arrived(const struct moment *m)
{
    bool outside = m->to == PARTY_PRODUCER || m->to == PARTY_CONSUMER;
    return m->kind == MOMENT_ARROW && (!outside || m->received);
}

static void draw_arrow(const struct diagram *d, struct rect r, int y, const struct moment *m)
{
    int from = diagram_lane(d, m->from), to = diagram_lane(d, m->to);
    bool seen = m->kind == MOMENT_ARROW, right = to > from, arrived = diagram_arrived(m);
    enum style style = seen ? STYLE_NORMAL : STYLE_DIM;
    if (!from || !to || from == to)
        return;
    int left = right ? from : to, len = (right ? to - from : from - to) - 1;
    for (int i = 1; i <= len; i++)
        put_char(d, r, left + i, y, style, seen ? '-' : '~');
    put_char(d, r, right ? to - 1 : to + 1, y, style, right ? '>' : '<');
    put_char(d, r, from, y, style, 'o');
    put_char(d, r, to, y, arrived ? STYLE_STRONG : STYLE_DIM,
             arrived || m->kind == MOMENT_INFERRED ? '*' : '~');
    const char *label = _(m->label);
    if (text_columns(d->c, label) > len - 1)
        label = short_label(label, m->label);
    int columns = text_columns(d->c, label), room = len - 1, start = left + 1 + (room - columns) / 2;
    struct rect inside = r; /* a label that is too long is cut, the arrow's point stays */
    if (!right)
        start += 1;
    if (start <= left)
        start = left + 1 + !right;
    inside.width = (right ? to - 1 : from);
    canvas_put(d->c, inside, start, y, style, label);
}

/* A node's sign that stands directly at the end or the beginning of a mark's words would be read as theirs:
 * "mirror, empty?" */
static void part_from_words(const struct diagram *d, struct rect r, int y, int x, struct absent absent)
{
    for (size_t i = 0; i < d->m->snapshot->nodes_len; i++)
        if (d->lanes.x[i] == x && ((absent.down | absent.silent) >> i & 1))
            put_char(d, r, x, y, STYLE_DIM, ' ');
}

static void draw_mark(const struct diagram *d, struct rect r, int y, const struct moment *m,
                      struct absent absent)
{
    int x = diagram_lane(d, m->from);
    enum style style = m->kind == MOMENT_DOWN || m->bad ? STYLE_DOWN : STYLE_STRONG;
    char letter = m->kind == MOMENT_DOWN       ? 'X'
                  : m->kind == MOMENT_SILENT   ? '?'
                  : m->kind == MOMENT_UNLINKED ? '/'
                  : m->kind == MOMENT_UP       ? '|'
                                               : m->letter;
    /* with auto-ack it leaves the queue as it is sent: before it has gone anywhere */
    char *label =
        m->fact == TRACE_SEEN_AUTO_ACKED ? xstrdup(_("sent: auto-ack"))
        : m->kind == MOMENT_UNLINKED ? format_text("%s %s", _(m->label), d->m->snapshot->nodes[m->to].name)
        : m->memory                  ? format_text(_("%s: memory alone held %s"), _(m->label), d->name)
        : m->bad && m->returned      ? format_text(_("%s: found lost"), _(m->label))
        : m->bad                     ? format_text(_("%s: LOST here"), _(m->label))
        : m->count ? format_text(NP_("%s, %" PRIu64 " message", "%s, %" PRIu64 " messages", m->count),
                                 _(m->label), m->count)
                   : xstrdup(_(m->label));
    bool fits = x + 2 + text_columns(d->c, label) <= r.width;
    bool needed = m->bad || m->memory || m->kind == MOMENT_UNLINKED; /* half of it says nothing */
    bool beside = needed && x - 1 - text_columns(d->c, label) > d->lanes.producer;
    if (x && !fits && !beside) { /* without the rest; then to the left of the line */
        free(label);
        label = xstrdup(_(m->label));
    }
    int columns = text_columns(d->c, label), left = x - 1 - columns;
    put_char(d, r, x, y, style, letter ? letter : '|');
    bool right = x + 2 + columns <= r.width || left <= d->lanes.producer;
    if (x) {
        canvas_put(d->c, r, right ? x + 2 : left, y, style, label);
        part_from_words(d, r, y, right ? x + 2 + columns : left - 1, absent);
    }
    free(label);
}

/* across the lines: for so long nothing happened to it */
static void draw_gap(const struct diagram *d, struct rect r, int y, const struct row *row)
{
    char *text = row->steps > 1 ? format_text(_(" steps %u-%u, nothing for %s (e: expand) "), row->step,
                                              row->step + row->steps - 1, d->name)
                                : format_text(_(" %.1f s, no event for %s (e: expand) "),
                                              (double)row->gap_us / 1e6, d->name);
    int left = d->lanes.producer, width = d->lanes.consumer - left + 1;
    int wanted = text_columns(d->c, text) + 2 * 4, most = r.width - left;
    width = width > wanted ? width : wanted < most ? wanted : most;
    for (int x = 0; x < width; x++)
        put_char(d, r, left + x, y, STYLE_DIM, '-');
    int x = left + (width - text_columns(d->c, text)) / 2;
    canvas_put(d->c, r, x < left ? left : x, y, STYLE_DIM, text);
    free(text);
}

/* what stands in the time's column: a moment, or a step of a schedule at its first row; "": nothing */
static void row_time(const struct diagram *d, const struct row *row, char out[32])
{
    out[0] = '\0';
    if (row->e)
        diagram_time(row->e_us - d->begin_us, false, out);
    else if (!d->stepwise)
        diagram_time(row->m->at_us - d->begin_us, row->m->about, out);
    else if (row->begins && row->step)
        snprintf(out, 32, d->lanes.narrow ? "%u" : _("step %u"), row->step);
    else if (row->begins)
        snprintf(out, 32, "%s", d->lanes.narrow ? "" : _("set-up"));
}

static void draw_row(const struct diagram *d, struct rect r, int y, const struct row *row,
                     struct absent absent)
{
    char at[32];
    if (row->gap_us || row->steps > 1) {
        draw_gap(d, r, y, row);
        return;
    }
    draw_lines(d, r, y, absent);
    row_time(d, row, at);
    canvas_printf(d->c, r, 0, y, STYLE_DIM, "%*s", d->lanes.producer - 3, at);
    if (row->e) {
        char *text = event_words(row->e);
        canvas_printf(d->c, r, d->lanes.producer + 2, y, STYLE_DIM, _("%s: %s"), event_kind(row->e), text);
        free(text);
    } else if (row->did) {
        canvas_put(d->c, r, d->lanes.producer + 2, y, STYLE_DIM, row->did);
    } else if (row->m->kind == MOMENT_ARROW || row->m->kind == MOMENT_INFERRED) {
        draw_arrow(d, r, y, row->m);
    } else {
        draw_mark(d, r, y, row->m, absent);
    }
}

void diagram_rows(const struct diagram *d, struct rect r, size_t first)
{
    for (int i = 0; i < r.height && first + (size_t)i < d->rows.len; i++)
        draw_row(d, r, i, &d->rows.items[first + (size_t)i], diagram_absent(d, first + (size_t)i));
}

static void draw_centred(const struct diagram *d, struct rect r, int x, int y, enum style style,
                         const char *text)
{
    int columns = text_columns(d->c, text);
    if (columns > d->lanes.spacing - 1) { /* what makes names differ is their end */
        const char *end = text + strlen(text);
        for (int left = d->lanes.spacing - 1; left > 0 && end > text; left--)
            end--;
        text = end;
        columns = text_columns(d->c, text);
    }
    canvas_put(d->c, r, x - columns / 2, y, style, text);
}

char diagram_first_letter(const struct diagram *d, size_t node)
{
    return (int)node == d->life.home ? 'M' : d->life.copies >> node & 1 ? 'm' : '.';
}

void diagram_parties(const struct diagram *d, struct rect r)
{
    const struct snapshot *s = d->m->snapshot;
    if (!d->lanes.narrow)
        canvas_put(d->c, r, 5, 0, STYLE_TITLE, _("time"));
    draw_centred(d, r, d->lanes.producer, 0, STYLE_TITLE, d->lanes.narrow ? _("prod.") : _("producer"));
    draw_centred(d, r, d->lanes.consumer, 0, STYLE_TITLE, d->lanes.narrow ? _("cons.") : _("consumer"));
    for (size_t i = 0; i < s->nodes_len; i++) {
        if (!d->lanes.x[i])
            continue;
        draw_centred(d, r, d->lanes.x[i], 0, STYLE_TITLE, s->nodes[i].name);
        if (d->life.home >= 0)
            put_char(d, r, d->lanes.x[i], 1, STYLE_NORMAL, diagram_first_letter(d, i));
    }
}

static enum style copy_style(char letter)
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

void diagram_now(const struct diagram *d, struct rect r, int y)
{
    char *label = format_text(_("%s now"), d->name);
    int columns = text_columns(d->c, label), room = d->lanes.producer - 3;
    const char *fits = columns > room ? _("now") : label;
    canvas_put(d->c, r, room - text_columns(d->c, fits), y, STYLE_DIM, fits);
    for (size_t i = 0; i < d->m->snapshot->nodes_len && d->now[i]; i++)
        put_char(d, r, d->lanes.x[i], y, copy_style(d->now[i]), d->now[i]);
    free(label);
}

int diagram_share(int rows, int height, int top, int bottom, int legend, struct diagram_parts *p)
{
    *p = (struct diagram_parts){0};
    int left = height - 1;
    p->verdict = left > bottom + 6 ? bottom : left > 0; /* in a low one its first row */
    left -= p->verdict;
    p->parties = left > 3 ? 2 : left > 1;
    left -= p->parties;
    p->fates = left > 4 ? top : 0;
    left -= p->fates;
    p->legend = left > 4 + legend ? legend : left > 5;
    left -= p->legend;
    p->now = left > 4;
    left -= p->now;
    left = left < 0 ? 0 : left;
    if (rows > left && rows <= left + p->fates) { /* the whole picture rather than what is above it */
        left += p->fates;
        p->fates = 0;
    }
    p->rows = rows < left ? rows : left;
    return rows - p->rows;
}

void diagram_finish(struct diagram *d)
{
    life_finish(&d->life);
    VEC_FREE(&d->rows);
    free(d->name);
}

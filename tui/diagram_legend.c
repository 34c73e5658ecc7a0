/* diagram_legend.c: what the signs and letters mean that are in the picture of one message's life: each that
 * can be seen now, and no other. Where there is no room for the long words, those that everybody knows are
 * short. */
#include <string.h>

#include "diagram.h"
#include "words.h"

#define MOST_ROWS 2

/* in the order in which they are explained */
enum sign {
    SIGN_SENT,
    SIGN_RECEIVED,
    SIGN_STOPPED,
    SIGN_NOT_RUNNING,
    SIGN_INFERRED,
    SIGN_SILENT,
    SIGN_UNLINKED,
    SIGN_MASTER,
    SIGN_MIRROR,
    SIGN_UNSYNCED,
    SIGN_WITHOUT,
    SIGN_AWAY,
    SIGN_UNKNOWN, /* in a schedule: its queue is not served */
    SIGNS
};

/* which of them are there, a bit each */
typedef uint32_t sign_bits;

static void see(sign_bits *seen, enum sign sign)
{
    *seen |= (sign_bits)1 << sign;
}

static void see_letter(sign_bits *seen, char letter)
{
    switch (letter) {
    case 'M': see(seen, SIGN_MASTER); break;
    case 'm': see(seen, SIGN_MIRROR); break;
    case 'u': see(seen, SIGN_UNSYNCED); break;
    case '.': see(seen, SIGN_WITHOUT); break;
    case '!': see(seen, SIGN_AWAY); break;
    case '?': see(seen, SIGN_UNKNOWN); break;
    case '*': see(seen, SIGN_RECEIVED); break;
    default: break;
    }
}

static void see_arrow(sign_bits *seen, const struct diagram *d, const struct moment *m)
{
    int from = diagram_lane(d, m->from), to = diagram_lane(d, m->to);
    if (!from || !to || from == to)
        return;
    see(seen, SIGN_SENT);
    if (m->kind == MOMENT_INFERRED || diagram_arrived(m))
        see(seen, SIGN_RECEIVED);
    if (m->kind == MOMENT_INFERRED || !diagram_arrived(m))
        see(seen, SIGN_INFERRED);
}

static void see_mark(sign_bits *seen, const struct diagram *d, const struct moment *m)
{
    if (!diagram_lane(d, m->from))
        return;
    if (m->kind == MOMENT_DOWN)
        see(seen, SIGN_STOPPED);
    else if (m->kind == MOMENT_SILENT)
        see(seen, SIGN_SILENT);
    else if (m->kind == MOMENT_UNLINKED)
        see(seen, SIGN_UNLINKED);
    else if (m->kind == MOMENT_MARK)
        see_letter(seen, m->letter);
}

/* the lines of the nodes in this row, where nothing is drawn over them */
static void see_lines(sign_bits *seen, const struct diagram *d, size_t row)
{
    const struct moment *m = d->rows.items[row].m;
    bool arrow = m && (m->kind == MOMENT_ARROW || m->kind == MOMENT_INFERRED);
    int from = m ? diagram_lane(d, m->from) : 0, to = arrow ? diagram_lane(d, m->to) : from;
    int left = from < to ? from : to, right = from < to ? to : from;
    struct absent absent = diagram_absent(d, row);
    for (size_t i = 0; i < d->m->snapshot->nodes_len; i++) {
        node_bits bit = (node_bits)1 << i;
        if (!d->lanes.x[i] || (from && to && d->lanes.x[i] >= left && d->lanes.x[i] <= right))
            continue;
        if (absent.down & bit)
            see(seen, SIGN_NOT_RUNNING);
        else if (absent.silent & bit)
            see(seen, SIGN_SILENT);
    }
}

static void see_row(sign_bits *seen, const struct diagram *d, size_t i)
{
    const struct row *row = &d->rows.items[i];
    if (row->gap_us || row->steps > 1 || row->e)
        return; /* no line is drawn there */
    see_lines(seen, d, i);
    if (!row->m)
        return;
    if (row->m->kind == MOMENT_ARROW || row->m->kind == MOMENT_INFERRED)
        see_arrow(seen, d, row->m);
    else
        see_mark(seen, d, row->m);
    if (row->m->about && !d->stepwise) /* beside its time */
        see(seen, SIGN_INFERRED);
}

/* parts: what of it is shown, from the row `first` on; NULL: all */
static sign_bits seen_in(const struct diagram *d, const struct diagram_parts *parts, size_t first)
{
    size_t last = parts ? first + (size_t)parts->rows : d->rows.len;
    sign_bits seen = 0;
    for (size_t i = first; i < last && i < d->rows.len; i++)
        see_row(&seen, d, i);
    for (size_t i = 0; i < d->m->snapshot->nodes_len; i++) {
        if (!d->lanes.x[i])
            continue;
        if (d->life.home >= 0 && (!parts || parts->parties > 1))
            see_letter(&seen, diagram_first_letter(d, i));
        if (i < strlen(d->now) && (!parts || parts->now))
            see_letter(&seen, d->now[i]);
    }
    return seen;
}

/* ---- in words
 * --------------------------------------------------------------------------------------------- */

struct legend {
    const char *words[SIGNS]; /* translated */
    size_t len;
};

/* brief: so many of the first ones are short */
static struct legend legend_of(sign_bits seen, size_t brief)
{
    static const struct {
        const char *at_length, *brief;
    } words[SIGNS] = {
        [SIGN_SENT] = {N_("o sent"), N_("o sent")},
        [SIGN_RECEIVED] = {N_("* received"), N_("* got")},
        [SIGN_STOPPED] = {N_("X stopped"), N_("X stop")},
        [SIGN_NOT_RUNNING] = {N_(": not running"), N_(": off")},
        [SIGN_INFERRED] = {N_("~ inferred (not observed)"), N_("~ not observed")},
        [SIGN_SILENT] = {N_("? no answer, or called down by others"), N_("? no answer")},
        [SIGN_UNLINKED] = {N_("/ link cut"), N_("/ cut")},
        [SIGN_MASTER] = {N_("M has it: master"), N_("M has it")},
        [SIGN_MIRROR] = {N_("m has it: mirror"), N_("m has it")},
        [SIGN_UNSYNCED] = {N_("u mirror NOT in sync"), N_("u not in sync")},
        [SIGN_WITHOUT] = {N_(". has it not"), N_(". not")},
        [SIGN_AWAY] = {N_("! had it, is away"), N_("! away")},
        [SIGN_UNKNOWN] = {N_("? nobody can say now"), N_("? unknown")},
    };
    static const sign_bits both = (sign_bits)1 << SIGN_MASTER | (sign_bits)1 << SIGN_MIRROR;
    bool two = (seen & both) == both;
    struct legend l = {0};
    for (int i = 0; i < SIGNS; i++) {
        if (!(seen >> i & 1) || (two && i == SIGN_MIRROR))
            continue;
        bool is_brief = l.len < brief, is_both = two && i == SIGN_MASTER;
        l.words[l.len++] = is_both && is_brief ? _("M m has it")
                           : is_both           ? _("M m has it: master, mirror")
                           : is_brief          ? _(words[i].brief)
                                               : _(words[i].at_length);
    }
    return l;
}

/* in lines of this width, from the part `first` on; draws them if c is there; how many they are */
static int flow(const struct legend *l, size_t first, const struct canvas *measure, struct canvas *c,
                struct rect r)
{
    int x = 1, y = 0;
    for (size_t i = first; i < l->len; i++) {
        int columns = text_columns(measure, l->words[i]);
        if (x > 1 && x + columns > r.width) {
            x = 1;
            y++;
        }
        if (c)
            canvas_put(c, r, x, y, STYLE_DIM, l->words[i]);
        x += columns + 2;
    }
    return l->len > first ? y + 1 : 0;
}

/* as long as it fits */
static struct legend fitting(const struct diagram *d, sign_bits seen, struct rect r)
{
    struct legend l = legend_of(seen, 0);
    for (size_t brief = 1; brief <= l.len && flow(&l, 0, d->c, NULL, r) > r.height; brief++)
        l = legend_of(seen, brief);
    return l;
}

int diagram_legend_rows(const struct diagram *d, int width)
{
    struct rect r = {0, 0, width, MOST_ROWS};
    struct legend l = fitting(d, seen_in(d, NULL, 0), r);
    int rows = flow(&l, 0, d->c, NULL, r);
    return rows < MOST_ROWS ? rows : MOST_ROWS;
}

/* In a terminal that is too narrow even for the short words what everybody knows goes, from the front. */
void diagram_legend(const struct diagram *d, struct rect r, const struct diagram_parts *parts, size_t from)
{
    struct legend l = fitting(d, seen_in(d, parts, from), r);
    size_t first = 0;
    while (first + 1 < l.len && flow(&l, first, d->c, NULL, r) > r.height)
        first++;
    if (r.height > 0)
        flow(&l, first, d->c, d->c, r);
}

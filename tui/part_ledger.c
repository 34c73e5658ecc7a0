/* part_ledger.c: what became of every message of a simulated run, by its ledger: what the clients were told
 * and what the disks hold, not what any node believes. The lost ones first: they are what one looks for. */
#include <stdio.h>
#include <stdlib.h>

#include "view.h"
#include "words.h"

/* what stands in the columns before it, at its longest */
static int column_of_fates(const struct model *m, const struct canvas *c)
{
    int longest = 12;
    for (size_t i = 0; i < m->fates.len; i++) {
        int columns = text_columns(c, m->fates.items[i].where);
        longest = columns > longest ? columns : longest;
    }
    return 6 + longest + 2;
}

/* how many rows it took: a fate in words is to be read to its end */
static int draw_fate(const struct fate_seen *f, struct canvas *c, struct rect r, int y, int column, bool here)
{
    canvas_put(c, r, 0, y, STYLE_STRONG, here ? ">" : "");
    canvas_put(c, r, 1, y, f->lost ? STYLE_DOWN : STYLE_NORMAL, f->message);
    canvas_put(c, r, 6, y, STYLE_NORMAL, f->where);
    int rows = draw_paragraph(c, r, column, y, f->lost ? STYLE_DOWN : STYLE_FINE, f->fate);
    return rows ? rows : 1;
}

/* Indices of the fates in the order in which they are shown, the lost ones first; the caller frees it. */
static size_t *order_of(const struct model *m, size_t *lost)
{
    size_t *order = xcalloc(m->fates.len + 1, sizeof(*order)), len = 0;
    for (int pass = 1; pass >= 0; pass--) {
        for (size_t i = 0; i < m->fates.len; i++)
            if (m->fates.items[i].lost == (pass == 1))
                order[len++] = i;
        *lost = pass == 1 ? len : *lost;
    }
    return order;
}

static int fate_rows(const struct canvas *c, int width, const struct fate_seen *f)
{
    int rows = paragraph_rows(c, width, f->fate);
    return rows ? rows : 1;
}

/* Which one is drawn first, so that the one whose life is shown is in sight. */
static size_t first_of(const struct model *m, const struct canvas *c, const size_t *order, size_t here,
                       int width, int height)
{
    size_t at = 0;
    while (at < m->fates.len && order[at] != here)
        at++;
    if (at == m->fates.len)
        return 0;
    int rows = fate_rows(c, width, &m->fates.items[order[at]]);
    while (at > 0 && (rows += fate_rows(c, width, &m->fates.items[order[at - 1]])) <= height)
        at--;
    return at;
}

void draw_ledger(const struct model *m, struct canvas *c, struct rect r)
{
    size_t lost = 0, here = m->view == VIEW_MESSAGE ? life_shown(m) : SIZE_MAX; /* whose life is beside it */
    int column = column_of_fates(m, c), y = 1;
    size_t *order = order_of(m, &lost), first = first_of(m, c, order, here, r.width - column, r.height - 1),
           i = first;
    for (; i < m->fates.len && y < r.height; i++)
        y += draw_fate(&m->fates.items[order[i]], c, r, y, column, order[i] == here);
    size_t hidden = m->fates.len - (i - first);
    char right[64];
    if (hidden)
        snprintf(right, sizeof(right), _("%zu of %zu lost, +%zu more"), lost, m->fates.len, hidden);
    else
        snprintf(right, sizeof(right), _("%zu of %zu lost"), lost, m->fates.len);
    draw_title(c, r, 0, _("Ledger: message, held by, what became of it"), right);
    free(order);
}

int ledger_rows(const struct model *m, struct canvas *c, int width)
{
    int column = column_of_fates(m, c), rows = 1;
    for (size_t i = 0; i < m->fates.len; i++)
        rows += paragraph_rows(c, width - column, m->fates.items[i].fate);
    return rows;
}

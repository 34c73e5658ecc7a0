/* part_ledger.c: what became of every message of a simulated run, by its ledger: what the clients were told
 * and what the disks hold, not what any node believes. The lost ones first: they are what one looks for. */
#include <stdio.h>

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

void draw_ledger(const struct model *m, struct canvas *c, struct rect r)
{
    size_t lost = 0, here = m->view == VIEW_MESSAGE ? life_shown(m) : SIZE_MAX; /* whose life is beside it */
    int column = column_of_fates(m, c), y = 1;
    for (size_t i = 0; i < m->fates.len; i++)
        lost += m->fates.items[i].lost;
    char right[64];
    snprintf(right, sizeof(right), _("%zu of %zu lost"), lost, m->fates.len);
    draw_title(c, r, 0, _("Ledger: message, held by, what became of it"), right);
    for (int pass = 1; pass >= 0; pass--)
        for (size_t i = 0; i < m->fates.len && y < r.height; i++)
            if (m->fates.items[i].lost == (pass == 1))
                y += draw_fate(&m->fates.items[i], c, r, y, column, i == here);
}

int ledger_rows(const struct model *m, struct canvas *c, int width)
{
    int column = column_of_fates(m, c), rows = 1;
    for (size_t i = 0; i < m->fates.len; i++)
        rows += paragraph_rows(c, width - column, m->fates.items[i].fate);
    return rows;
}

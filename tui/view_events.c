/* view_events.c: all that happened, as far as it is kept, to be paged, filtered (/) and written to a file
 * (E). */
#include "view.h"
#include "words.h"

static void draw(const struct model *m, struct canvas *c, struct rect r)
{
    draw_events(m, c, r, m->scroll);
}

static void settle(struct model *m, struct canvas *c, struct rect r)
{
    int last = events_hidden(m, c, r);
    m->scroll = m->scroll > last ? last : m->scroll;
    m->scroll = m->scroll < 0 ? 0 : m->scroll;
}

const struct view_ops view_events = {.name = N_("Events"), .draw = draw, .settle = settle};

/* part_events.c: what happened, oldest first, the newest at the bottom; a part of the cluster view and all of
 * the events view. */
#include <stdlib.h>
#include <time.h>

#include "find.h"
#include "view.h"
#include "words.h"

static enum style kind_style(const char *kind)
{
    if (strcmp(kind, "hint") == 0)
        return STYLE_STRONG;
    if (strcmp(kind, "promote") == 0 || strcmp(kind, "sync") == 0)
        return STYLE_SYNCING;
    return STYLE_NORMAL;
}

/* the text has this word in it */
static bool names(const char *text, const char *word)
{
    static const char inside[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t len = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at++)
        if ((at == text || !strchr(inside, at[-1])) && (!at[len] || !strchr(inside, at[len])))
            return true;
    return false;
}

/* "node2: node1 was stopped": who tells it, unless that is in what it tells */
static void draw_event(struct canvas *c, struct rect r, int y, const struct event_seen *e)
{
    time_t seconds = (time_t)(e->wall_ms / 1000);
    struct tm t;
    localtime_r(&seconds, &t);
    int x = canvas_printf(c, r, 1, y, STYLE_DIM, "%02d:%02d:%02d.%03d", t.tm_hour, t.tm_min, t.tm_sec,
                          (int)(e->wall_ms % 1000));
    canvas_put(c, (struct rect){r.x, r.y, x + 10, r.height}, x + 2, y, kind_style(e->kind), event_kind(e));
    x += 11;
    if (e->node && !names(e->text, e->node))
        x = canvas_printf(c, r, x, y, STYLE_DIM, _("%s: "), e->node);
    char *text = event_words(e);
    canvas_put(c, r, x, y, kind_style(e->kind), text);
    free(text);
}

void draw_events(const struct model *m, struct canvas *c, struct rect r, int from_end)
{
    const struct snapshot *s = m->snapshot;
    bool all = m->view != VIEW_EVENTS; /* the filter is that view's own */
    int rows = r.height - 1, events = (int)(all ? s->events_len : m->happened.len);
    char *status = all ? NULL : find_status(m);
    draw_title(c, r, 0, from_end ? _("Events (older ones; F: the newest)") : _("Events (newest last)"),
               status);
    free(status);
    if (events == 0)
        canvas_put(c, r, 1, 1, STYLE_DIM,
                   s->events_len ? _("(nothing that passes the filter)") : _("(nothing has happened yet)"));
    int last = events - from_end;
    last = last < rows ? (events < rows ? events : rows) : last;
    int first = last > rows ? last - rows : 0;
    for (int i = first; i < last; i++)
        draw_event(c, r, 1 + i - first, &s->events[all ? (size_t)i : m->happened.items[i]]);
}

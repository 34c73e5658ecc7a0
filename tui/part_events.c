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
    if (strcmp(kind, "lost") == 0)
        return STYLE_DOWN;
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

#define TEXT_COLUMN 24 /* behind the time and the kind */
#define MIN_TEXT    20

/* It is about another node than the one that tells it, or about what is the cluster's: whoever tells it has
 * only heard of it. */
static bool of_another(const struct snapshot *s, const struct event_seen *e)
{
    static const char *const clusters[] = {"policy", "queue", "mirror", "promote", "sync", "lost"};
    for (size_t i = 0; i < ARRAY_LEN(clusters); i++)
        if (strcmp(e->kind, clusters[i]) == 0)
            return true;
    for (size_t i = 0; i < s->nodes_len; i++)
        if (names(e->text, s->nodes[i].name))
            return true;
    return false;
}

/* Who tells it, unless that is in what it tells: "node3: a client was refused"; and, so that nobody takes the
 * one for the other, behind what is not about itself: "node1 was stopped (seen by node2)". *before,
 * *behind: how much of it that is. The caller frees it. */
static char *told_text(const struct snapshot *s, const struct event_seen *e, size_t *before, size_t *behind)
{
    struct text t = {0};
    char *text = event_words(e);
    bool told = e->node && !names(e->text, e->node), other = told && of_another(s, e);
    if (told && !other)
        text_printf(&t, _("%s: "), e->node);
    *before = t.len;
    text_add(&t, text);
    size_t len = t.len;
    if (other)
        text_printf(&t, _(" (seen by %s)"), e->node);
    *behind = t.len - len;
    free(text);
    return t.s;
}

/* what an event takes where it is to be read to its end */
static int event_rows(const struct snapshot *s, const struct canvas *c, int width, const struct event_seen *e)
{
    size_t before, behind;
    char *text = told_text(s, e, &before, &behind);
    int rows = width - TEXT_COLUMN < MIN_TEXT ? 1 : paragraph_rows(c, width - TEXT_COLUMN, text);
    free(text);
    return rows ? rows : 1;
}

/* whole: in as many rows as it takes; else in one. Returns how many. */
static int draw_event(const struct snapshot *s, struct canvas *c, struct rect r, int y,
                      const struct event_seen *e, bool whole)
{
    time_t seconds = (time_t)(e->wall_ms / 1000);
    struct tm t;
    localtime_r(&seconds, &t);
    int x = canvas_printf(c, r, 1, y, STYLE_DIM, "%02d:%02d:%02d.%03d", t.tm_hour, t.tm_min, t.tm_sec,
                          (int)(e->wall_ms % 1000));
    canvas_put(c, (struct rect){r.x, r.y, x + 10, r.height}, x + 2, y, kind_style(e->kind), event_kind(e));
    x += 11;
    size_t before, behind;
    char *text = told_text(s, e, &before, &behind);
    int rows = whole ? event_rows(s, c, r.width, e) : 1, columns = text_columns(c, text);
    draw_paragraph(c, rect_rows(r, y, rows), x, 0, kind_style(e->kind), text);
    int from = columns - text_columns(c, text + strlen(text) - behind);
    if (behind && x + columns <= r.width)
        canvas_restyle(c, (struct rect){r.x + x + from, r.y + y, columns - from, 1}, STYLE_DIM);
    text[before] = '\0';
    canvas_restyle(c, (struct rect){r.x + x, r.y + y, text_columns(c, text), before > 0}, STYLE_DIM);
    free(text);
    return rows;
}

#define MANY_ROWS 20 /* from here on each event is read to its end in the cluster view, too */

/* In the cluster view each has one row, where there are few; but a hint, which says what a stop does, and
 * what was lost or discarded are always read to their end, and so is the newest of all where its part has the
 * rows.
 */
static bool is_whole(const struct model *m, const struct event_seen *e, int rows)
{
    return m->view == VIEW_EVENTS || rows >= MANY_ROWS || strcmp(e->kind, "hint") == 0 ||
           strcmp(e->kind, "lost") == 0 || strstr(e->text, "is discarded");
}

int events_newest_rows(const struct model *m, const struct canvas *c, int width)
{
    const struct event_seen *e = m->told.len ? &m->snapshot->events[m->told.items[m->told.len - 1]] : NULL;
    return e ? event_rows(m->snapshot, c, width, e) - 1 : 0;
}

int events_hint_rows(const struct model *m, const struct canvas *c, int width)
{
    const struct event_seen *e = m->told.len ? &m->snapshot->events[m->told.items[m->told.len - 1]] : NULL;
    return e && is_whole(m, e, 0) ? event_rows(m->snapshot, c, width, e) - 1 : 0;
}

int events_hidden(const struct model *m, const struct canvas *c, struct rect r)
{
    int used = 0, shown = 0, events = (int)m->happened.len;
    while (shown < events && (used += event_rows(m->snapshot, c, r.width,
                                                 &m->snapshot->events[m->happened.items[shown]])) < r.height)
        shown++;
    return shown || !events ? events - shown : events - 1;
}

/* "+12 above, +3 below"; NULL: all is shown. The caller frees it. */
static char *place_text(int above, int below)
{
    return above > 0 && below > 0 ? format_text(_("+%d above, +%d below"), above, below)
           : above > 0            ? format_text(_("+%d above"), above)
           : below > 0            ? format_text(_("+%d below"), below)
                                  : NULL;
}

void draw_events(const struct model *m, struct canvas *c, struct rect r, int from_end)
{
    const struct snapshot *s = m->snapshot;
    bool all = m->view != VIEW_EVENTS; /* the filter is that view's own */
    const size_t *at = all ? m->told.items : m->happened.items;
    int rows = r.height - 1, events = (int)(all ? m->told.len : m->happened.len);
    if (events == 0)
        canvas_put(c, r, 1, 1, STYLE_DIM,
                   m->told.len     ? _("(nothing that passes the filter)")
                   : s->source < 0 ? _("(no node answers, and none is there to tell)")
                                   : _("(nothing has happened yet)"));
    bool newest_whole =
        all && events && event_rows(s, c, r.width, &s->events[at[events - 1]]) <= rows; /* it is the news */
    int last = events - from_end, used = 0, y = 1;
    last = last < 1 ? (events > 0) : last;
    int first = last;
    while (first > 0) {
        const struct event_seen *e = &s->events[at[first - 1]];
        bool whole = is_whole(m, e, rows) || (newest_whole && first == events);
        used += whole ? event_rows(s, c, r.width, e) : 1;
        if (used > rows && first < last)
            break;
        first--;
    }
    for (int i = first; i < last && y < r.height; i++)
        y += draw_event(s, c, r, y, &s->events[at[i]],
                        is_whole(m, &s->events[at[i]], rows) || (newest_whole && i + 1 == events));
    char *status = all ? NULL : find_status(m);
    char *place = all || status ? NULL : place_text(first, events - last);
    draw_title(c, r, 0, from_end ? _("Events (older ones; F: the newest)") : _("Events (newest last)"),
               status ? status : place);
    free(status);
    free(place);
}

/* part_header.c: the first row: the program and its views, the lab, and how old what is shown is. Where there
 * is no room for all of it, the program's name goes first, then the names of the views that are not shown,
 * then the age of what is live: what the lab is in stays. */
#include <stdio.h>

#include "view.h"
#include "words.h"

static const char *liveness(const struct model *m, enum style *style)
{
    *style = STYLE_STRONG;
    if (m->replay)
        return m->time.paused ? _("PAUSED") : _("REPLAY");
    *style = STYLE_DOWN;
    if (!m->snapshot)
        return _("WAITING");
    if (model_stale(m))
        return _("STALE");
    *style = STYLE_FINE;
    return _("LIVE");
}

static void clock_text(char buffer[16], ms_time ms)
{
    unsigned s = (unsigned)u64_min(ms / 1000, 99 * 3600 + 3599);
    if (s < 3600)
        snprintf(buffer, 16, "%u:%02u", s / 60, s % 60);
    else
        snprintf(buffer, 16, "%u:%02u:%02u", s / 3600, s / 60 % 60, s % 60);
}

/* Where in the recording this is, and whether it goes on: "|| 0:12/1:40", "x2 0:12/1:40". */
static void position_text(const struct time_shown *t, char *buffer, size_t size)
{
    char at[16], end[16], speed[16] = "||";
    clock_text(at, t->at);
    clock_text(end, t->end);
    if (t->playing && t->speed_percent >= 100)
        snprintf(speed, sizeof(speed), "x%u", t->speed_percent / 100);
    else if (t->playing)
        snprintf(speed, sizeof(speed), "x0.%02u", t->speed_percent);
    snprintf(buffer, size, "%s %s/%s", speed, at, end);
}

/* Whole seconds: a figure that changes with every look would pull the eye away from what matters. */
static void age_text(const struct model *m, char buffer[64])
{
    ms_time age = m->replay ? m->time.behind : model_age(m);
    if (!m->snapshot || (m->replay && !m->time.end))
        buffer[0] = '\0';
    else if (m->replay && !m->time.paused)
        position_text(&m->time, buffer, 64);
    else if (age == UINT64_MAX)
        snprintf(buffer, 64, _("age -"));
    else if (age < 1000)
        snprintf(buffer, 64, _("age <1s"));
    else
        snprintf(buffer, 64, _("age %llus"), (unsigned long long)(age / 1000));
}

/* what stands in the row, as far as it has room */
struct header {
    bool name, views, whole_views; /* whole: with the names of those that are not shown */
    char age[64];                  /* "": none */
};

static int tabs_columns(const struct model *m, const struct canvas *c, bool whole)
{
    int columns = 2; /* "| " behind them */
    for (int i = 0; i < VIEW_TABS; i++)
        columns +=
            2 + (whole || m->view == (enum view)i ? 1 + text_columns(c, _(view_of((enum view)i)->name)) : 0);
    return columns;
}

/* state: the columns of what stands behind the views in any case */
static struct header fit(const struct model *m, const struct canvas *c, int width, int state)
{
    struct header h;
    age_text(m, h.age);
    int age = *h.age ? 1 + text_columns(c, h.age) : 0, name = text_columns(c, "mirrorlab") + 1;
    const struct {
        bool age, name, views, whole_views;
    } ways[] = {{true, true, true, true},    {true, false, true, true},   {true, false, true, false},
                {false, false, true, false}, {true, false, false, false}, {false, false, false, false}};
    bool old = m->replay || model_stale(m); /* then it matters how old, or where in the recording this is */
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        int needs = state + (ways[i].age ? age : 0) + (ways[i].name ? name : 0) +
                    (ways[i].views ? tabs_columns(m, c, ways[i].whole_views) : 0);
        if ((needs > width || (old && !ways[i].age)) && i + 1 < ARRAY_LEN(ways))
            continue;
        h.name = ways[i].name;
        h.views = ways[i].views;
        h.whole_views = ways[i].whole_views;
        h.age[0] = ways[i].age ? h.age[0] : '\0';
        break;
    }
    return h;
}

static int draw_tabs(const struct model *m, struct canvas *c, struct rect r, int x, bool whole)
{
    for (int i = 0; i < VIEW_TABS; i++) {
        enum style style = m->view == (enum view)i ? STYLE_SELECTED : STYLE_DIM;
        const char *name = _(view_of((enum view)i)->name);
        x = whole || m->view == (enum view)i ? canvas_printf(c, r, x, 0, style, "%d:%s", i + 1, name)
                                             : canvas_printf(c, r, x, 0, style, "%d", i + 1);
        x++;
    }
    return canvas_put(c, r, x, 0, STYLE_DIM, "|") + 1;
}

void draw_header(const struct model *m, struct canvas *c, struct rect r)
{
    size_t up = nodes_up(m->snapshot), nodes = m->snapshot ? m->snapshot->nodes_len : 0;
    char lab[48];
    enum style style;
    const char *word = liveness(m, &style);
    snprintf(lab, sizeof(lab), _("lab %zu/%zu "), up, nodes);
    const struct {
        const char *word;
        enum style style;
    } more[] = {{m->snapshot && snapshot_partitioned(m->snapshot) ? _("PARTITIONED") : NULL, STYLE_DOWN},
                {m->recording ? _("REC") : NULL, STYLE_STRONG},
                {m->readonly ? _("read-only") : NULL, STYLE_DIM}};
    int state = text_columns(c, lab) + text_columns(c, word), x = 0;
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        state += more[i].word ? 1 + text_columns(c, more[i].word) : 0;
    struct header h = fit(m, c, r.width, state);
    if (h.name)
        x = canvas_put(c, r, 0, 0, STYLE_STRONG, "mirrorlab") + 1;
    if (h.views)
        x = draw_tabs(m, c, r, x, h.whole_views);
    x = canvas_put(c, r, x, 0, up == nodes ? STYLE_NORMAL : STYLE_DOWN, lab);
    x = canvas_put(c, r, x, 0, style, word);
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        x = more[i].word ? canvas_put(c, r, x + 1, 0, more[i].style, more[i].word) : x;
    canvas_put_right(c, r, 0, 0, STYLE_DIM, h.age);
}

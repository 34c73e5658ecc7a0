/* part_chart.c: sixty seconds of a figure: as one row of levels, and as a chart with an axis. A second about
 * which nobody could say anything is empty, never 0.
 *
 * A chart is drawn as of the last second in which anything changed, or of one in CHART_STILL: moved on by a
 * column each second, it would send a good part of itself to the terminal while nothing happens. So its ends
 * have the time of day. */
#include <stdio.h>
#include <time.h>

#include "view.h"
#include "words.h"

/* how many of the newest samples are as the one before them */
static size_t unchanged(const int64_t samples[HISTORY_LEN])
{
    size_t n = 0;
    while (n + 1 < HISTORY_LEN && samples[HISTORY_LEN - 1 - n] == samples[HISTORY_LEN - 2 - n])
        n++;
    return n;
}

size_t chart_from(const struct history *h)
{
    size_t behind = (size_t)(h->sampled_at / 1000 % CHART_STILL);
    const int64_t *const all[] = {h->depth, h->published, h->delivered};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        size_t n = unchanged(all[i]);
        behind = n < behind ? n : behind;
    }
    return CHART_STILL - behind;
}

void draw_sparkline(struct canvas *c, struct rect r, int x, int y, int columns,
                    const int64_t samples[CHART_LEN])
{
    static const char levels[] = "_.:-=+*#";
    char bar[CHART_LEN + 1] = "";
    int64_t most = 1;
    columns = columns > CHART_LEN ? CHART_LEN : columns;
    for (int i = 0; i < CHART_LEN; i++)
        most = samples[i] > most ? samples[i] : most;
    for (int i = 0; i < columns; i++) {
        int64_t highest = -1;
        for (int j = CHART_LEN * i / columns; j < CHART_LEN * (i + 1) / columns; j++)
            highest = samples[j] > highest ? samples[j] : highest;
        bar[i] = highest < 0 ? ' ' : levels[(size_t)((double)highest / (double)most * 7)];
    }
    canvas_put(c, r, x, y, STYLE_DIM, bar);
}

#define AXIS_COLUMNS 9
#define TIME_COLUMNS 8

static const char *time_text(int64_t wall_ms, char text[16])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm t;
    localtime_r(&seconds, &t);
    snprintf(text, 16, "%02d:%02d:%02d", t.tm_hour % 100, t.tm_min % 100, t.tm_sec % 100);
    return text;
}

int64_t chart_until(const struct snapshot *s, const struct history *h)
{
    int64_t over = (int64_t)(s->taken_at - h->sampled_at / 1000 * 1000); /* since the newest second ended */
    return s->taken_wall_ms - over - (int64_t)(CHART_STILL - chart_from(h)) * 1000;
}

void draw_chart(struct canvas *c, struct rect r, const char *title, const int64_t samples[CHART_LEN],
                int64_t until)
{
    int rows = r.height - 2, columns = r.width - AXIS_COLUMNS - 1;
    int64_t most = 1, newest = samples[CHART_LEN - 1];
    char count[24];
    if (rows < 1 || columns < 10)
        return;
    columns = columns > CHART_LEN ? columns >= 2 * CHART_LEN ? 2 * CHART_LEN : CHART_LEN : columns;
    for (int i = 0; i < CHART_LEN; i++)
        most = samples[i] > most ? samples[i] : most;
    int x = canvas_put(c, r, 1, 0, STYLE_TITLE, title);
    canvas_printf(c, r, x + 1, 0, STYLE_NORMAL, _("now %s"), count_text(newest, count));
    for (int y = 0; y < rows; y++) {
        if (y == 0 || y == rows - 1)
            canvas_printf(c, r, 0, 1 + y, STYLE_DIM, "%7s", count_text(y == 0 ? most : 0, count));
        canvas_put(c, r, AXIS_COLUMNS - 1, 1 + y, STYLE_DIM, "|");
    }
    for (int i = 0; i < columns; i++) {
        int64_t highest = -1;
        for (int j = CHART_LEN * i / columns; j <= (CHART_LEN * (i + 1) - 1) / columns && j < CHART_LEN; j++)
            highest = samples[j] > highest ? samples[j] : highest;
        /* eighths of a row: whole ones are '#', the top one says how much of it */
        int level = highest < 0 ? 0 : (int)((double)highest / (double)most * rows * 2 + 0.5);
        for (int y = 0; y < rows && highest >= 0; y++) {
            int left = level - 2 * y;
            const char *ch = left >= 2 ? "#" : left == 1 ? "." : y == 0 ? "_" : "";
            canvas_put(c, r, AXIS_COLUMNS + i, rows - y, left > 0 ? STYLE_NORMAL : STYLE_DIM, ch);
        }
    }
    r.width = AXIS_COLUMNS + columns;
    canvas_put_right(c, r, 0, rows + 1, STYLE_DIM, time_text(until, count));
    if (columns > 2 * TIME_COLUMNS)
        canvas_put(c, r, AXIS_COLUMNS, rows + 1, STYLE_DIM, time_text(until - CHART_LEN * 1000, count));
}

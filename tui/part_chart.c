/* part_chart.c: sixty seconds of a figure: as one row of levels, and as a chart with an axis. A second about
 * which nobody could say anything is empty, never 0. */
#include <stdio.h>

#include "view.h"
#include "words.h"

void draw_sparkline(struct canvas *c, struct rect r, int x, int y, int columns,
                    const int64_t samples[HISTORY_LEN])
{
    static const char levels[] = "_.:-=+*#";
    char bar[HISTORY_LEN + 1] = "";
    int64_t most = 1;
    columns = columns > HISTORY_LEN ? HISTORY_LEN : columns;
    for (int i = 0; i < HISTORY_LEN; i++)
        most = samples[i] > most ? samples[i] : most;
    for (int i = 0; i < columns; i++) {
        int64_t highest = -1;
        for (int j = HISTORY_LEN * i / columns; j < HISTORY_LEN * (i + 1) / columns; j++)
            highest = samples[j] > highest ? samples[j] : highest;
        bar[i] = highest < 0 ? ' ' : levels[(size_t)((double)highest / (double)most * 7)];
    }
    canvas_put(c, r, x, y, STYLE_DIM, bar);
}

#define AXIS_COLUMNS 9

void draw_chart(struct canvas *c, struct rect r, const char *title, const int64_t samples[HISTORY_LEN])
{
    int rows = r.height - 2, columns = r.width - AXIS_COLUMNS - 1;
    int64_t most = 1, newest = samples[HISTORY_LEN - 1];
    char count[24];
    if (rows < 1 || columns < 10)
        return;
    columns = columns > HISTORY_LEN ? columns >= 2 * HISTORY_LEN ? 2 * HISTORY_LEN : HISTORY_LEN : columns;
    for (int i = 0; i < HISTORY_LEN; i++)
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
        for (int j = HISTORY_LEN * i / columns; j <= (HISTORY_LEN * (i + 1) - 1) / columns && j < HISTORY_LEN;
             j++)
            highest = samples[j] > highest ? samples[j] : highest;
        /* eighths of a row: whole ones are '#', the top one says how much of it */
        int level = highest < 0 ? 0 : (int)((double)highest / (double)most * rows * 2 + 0.5);
        for (int y = 0; y < rows && highest >= 0; y++) {
            int left = level - 2 * y;
            const char *ch = left >= 2 ? "#" : left == 1 ? "." : y == 0 ? "_" : "";
            canvas_put(c, r, AXIS_COLUMNS + i, rows - y, left > 0 ? STYLE_NORMAL : STYLE_DIM, ch);
        }
    }
    canvas_put(c, r, AXIS_COLUMNS, rows + 1, STYLE_DIM, _("60 s ago"));
    canvas_put_right(c, (struct rect){r.x, r.y, AXIS_COLUMNS + columns, r.height}, 0, rows + 1, STYLE_DIM,
                     _("now"));
}

/* pager.c: a long text over the view: what a command printed that has more lines than there are rows for it.
 */
#include <limits.h>
#include <stdlib.h>

#include "overlay_keys.h"
#include "ran.h"
#include "view.h"
#include "words.h"

#define MARGIN       2 /* the frame, left and right */
#define MOST_COLUMNS 32
#define MOST_CELL    40

/* how far the cell at `at` goes; *columns: what it takes on the screen */
static size_t cell(const struct canvas *c, const char *at, int *columns)
{
    size_t len = strcspn(at, "\t\n");
    char *word = xstrndup(at, len);
    *columns = text_columns(c, word);
    free(word);
    return len;
}

/* Of a table, which is lines with tabs: how wide each column is; a cell that is wider than MOST_CELL stands
 * out of its column. Returns the table's end. */
static const char *measure(const struct canvas *c, const char *at, int widths[MOST_COLUMNS])
{
    memset(widths, 0, MOST_COLUMNS * sizeof(*widths));
    while (memchr(at, '\t', strcspn(at, "\n"))) {
        for (size_t i = 0; *at && *at != '\n'; i++) {
            int columns;
            at += cell(c, at, &columns);
            if (i < MOST_COLUMNS && columns <= MOST_CELL && columns > widths[i])
                widths[i] = columns;
            at += *at == '\t';
        }
        at += *at == '\n';
    }
    return at;
}

/* rabbitmqctl's tables are made with tabs: their columns are aligned. New. */
static char *aligned(const char *text)
{
    struct canvas c;
    struct text out = {0};
    int widths[MOST_COLUMNS];
    canvas_init(&c);
    text_add(&out, "");
    for (const char *at = text, *end; *at;) {
        end = measure(&c, at, widths);
        if (end == at)
            end += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n');
        for (size_t i = 0; at < end; i++) {
            int columns;
            size_t len = cell(&c, at, &columns);
            text_add_bytes(&out, at, len);
            at += len;
            if (*at == '\t')
                text_printf(&out, "%*s",
                            2 + (i < MOST_COLUMNS && widths[i] > columns ? widths[i] - columns : 0), "");
            else if (*at)
                text_add(&out, "\n");
            i = *at == '\n' ? (size_t)-1 : i;
            at += *at != '\0';
        }
    }
    canvas_finish(&c);
    return out.s;
}

void pager_open(struct model *m, const char *title, const char *text)
{
    free(m->pager.title);
    free(m->pager.text);
    m->pager.title = xstrdup(title);
    m->pager.text = aligned(text);
    m->pager.from = 0;
    m->overlay = OVERLAY_PAGER;
}

/* A line that is too long goes on in the next row. */
static int draw_lines(const struct model *m, struct canvas *c, struct rect r, int from)
{
    int y = 0;
    struct text line = {0};
    for (const char *at = m->pager.text; *at; at += *at == '\n') {
        text_clear(&line);
        for (; *at && *at != '\n'; at++)
            text_add_bytes(&line, at, 1);
        const char *rest = text_str(&line);
        do {
            size_t skip, fits = text_break(c, rest, r.width, &skip);
            char *row = xstrndup(rest, fits);
            if (y >= from)
                canvas_put(c, r, 0, y - from, STYLE_NORMAL, row);
            free(row);
            rest += fits + skip;
            y++;
        } while (*rest);
    }
    text_finish(&line);
    return y;
}

static struct rect box_of(const struct canvas *c)
{
    return (struct rect){0, c->height > 4, c->width, c->height - (c->height > 4 ? 2 : 0)};
}

static struct rect inside(struct rect box)
{
    return (struct rect){box.x + MARGIN, box.y + 1, box.width - 2 * MARGIN, box.height - 2};
}

void pager_settle(struct model *m, const struct canvas *c)
{
    struct rect r = inside(box_of(c));
    struct canvas nothing = {.utf8 = c->utf8};
    int rows = draw_lines(m, &nothing, (struct rect){0, 0, r.width, 0}, 0), last = rows - r.height;
    m->pager.from = m->pager.from > last ? last : m->pager.from;
    m->pager.from = m->pager.from < 0 ? 0 : m->pager.from;
}

void draw_pager(const struct model *m, struct canvas *c)
{
    struct rect box = box_of(c), r = inside(box);
    canvas_fill(c, box, STYLE_NORMAL);
    canvas_box(c, box, STYLE_STRONG);
    int rows = draw_lines(m, c, r, m->pager.from);
    char *title = format_text(" $ %s ", m->pager.title);
    char *place =
        rows > r.height
            ? format_text(_(" %d-%d of %d lines (j, k, PgUp, PgDn; Esc closes) "), m->pager.from + 1,
                          m->pager.from + r.height > rows ? rows : m->pager.from + r.height, rows)
            : xstrdup(_(" Esc closes "));
    canvas_put(c, (struct rect){box.x, box.y, box.width - 2, 1}, 2, 0, STYLE_STRONG, title);
    canvas_put_right(c, rect_rows(box, box.height - 1, 1), 2, 0, STYLE_STRONG, place);
    free(title);
    free(place);
}

enum effect pager_key(struct model *m, int key)
{
    switch ((int)overlay_asks(OVER_PAGER, key)) {
    case ASK_CLOSE: m->overlay = OVERLAY_NONE; break;
    case ASK_DOWN: m->pager.from++; break;
    case ASK_UP: m->pager.from--; break;
    case ASK_PAGE_DOWN: m->pager.from += 10; break;
    case ASK_PAGE_UP: m->pager.from -= 10; break;
    case ASK_TOP: m->pager.from = 0; break;
    case ASK_END: m->pager.from = INT_MAX; break; /* pager_settle knows the last one */
    default: return EFFECT_NONE;
    }
    return EFFECT_DRAW;
}

/* part_page.c: pages of named values, as the queue's and the node's detail are. What a node did not say is
 * not on them, or is a question mark. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "view.h"
#include "words.h"

#define VALUE_COLUMN 14

static bool shown(const struct page *p, int y)
{
    return !p->measure && y >= p->from && y - p->from < p->r.height;
}

void page_title(struct page *p, const char *title, const char *right)
{
    if (!p->measure)
        draw_title(p->c, p->title, 0, title, right);
}

void page_line(struct page *p, int x, enum style style, const char *format, ...)
{
    struct text t = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    if (shown(p, p->y))
        canvas_put(p->c, p->r, x, p->y - p->from, style, text_str(&t));
    p->y++;
    text_finish(&t);
}

void page_field(struct page *p, const char *name, enum style style, const char *format, ...)
{
    struct text t = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    const char *rest = text_str(&t);
    if (shown(p, p->y))
        canvas_put(p->c, p->r, 1, p->y - p->from, STYLE_TITLE, name);
    do {
        size_t skip = 0, len = text_break(p->c, rest, p->r.width - VALUE_COLUMN, &skip);
        char *line = xstrndup(rest, len);
        if (shown(p, p->y))
            canvas_put(p->c, p->r, VALUE_COLUMN, p->y - p->from, style, line);
        free(line);
        p->y++;
        rest += len + skip;
    } while (*rest);
    text_finish(&t);
}

/* Where the page's parts are; *hidden: rows that have no room. */
static struct page place(const struct model *m, struct canvas *c, struct rect r, page_fill *fill, int *hidden)
{
    struct page all = {.c = c, .r = r, .measure = true};
    fill(&all, m);
    struct page p = {.c = c, .title = rect_rows(r, 0, 1), .r = rect_rows(r, 1, r.height - 1)};
    if (all.y > p.r.height)
        p.r = rect_rows(p.r, 0, p.r.height - 1);
    *hidden = all.y > p.r.height ? all.y - p.r.height : 0;
    return p;
}

void page_show(const struct model *m, struct canvas *c, struct rect r, page_fill *fill)
{
    int hidden;
    struct page p = place(m, c, r, fill, &hidden);
    p.from = m->scroll < 0 ? -m->scroll : 0;
    fill(&p, m);
    int below = hidden - p.from;
    char *text = below > 0 && p.from > 0 ? format_text(_(" %d above, %d below (PgUp, PgDn) "), p.from, below)
                 : p.from > 0            ? format_text(_(" %d above (PgUp) "), p.from)
                 : below > 0             ? format_text(_(" %d more (PgDn) "), below)
                                         : NULL;
    if (text)
        canvas_put_right(c, r, 0, r.height - 1, STYLE_TITLE, text);
    free(text);
}

void page_settle(struct model *m, struct canvas *c, struct rect r, page_fill *fill)
{
    int hidden;
    place(m, c, r, fill, &hidden);
    m->scroll = m->scroll > 0 ? 0 : m->scroll < -hidden ? -hidden : m->scroll;
}

const char *bytes_text(int64_t bytes, char buffer[24])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1000 && unit + 1 < ARRAY_LEN(units); unit++)
        value /= 1000;
    if (bytes < 0)
        snprintf(buffer, 24, "?");
    else if (unit == 0)
        snprintf(buffer, 24, "%" PRId64 " B", bytes);
    else
        snprintf(buffer, 24, "%.1f %s", value, units[unit]);
    return buffer;
}

const char *seconds_text(int64_t ms, char buffer[32])
{
    int64_t s = ms / 1000;
    if (ms < 0)
        snprintf(buffer, 32, "?");
    else if (s < 60)
        snprintf(buffer, 32, _("%" PRId64 " s"), s);
    else if (s < 3600)
        snprintf(buffer, 32, _("%" PRId64 " min"), s / 60);
    else if (s < 86400)
        snprintf(buffer, 32, _("%" PRId64 " h %02" PRId64 " min"), s / 3600, s / 60 % 60);
    else
        snprintf(buffer, 32, _("%" PRId64 " d %02" PRId64 " h"), s / 86400, s / 3600 % 24);
    return buffer;
}

int64_t detail_count(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    if (json_is_real(v))
        return (int64_t)json_real_value(v);
    return json_is_integer(v) && json_integer_value(v) >= 0 ? json_integer_value(v) : -1;
}

double detail_rate(const json_t *o, const char *key)
{
    char name[64];
    snprintf(name, sizeof(name), "%s_details", key);
    const json_t *rate = json_object_get(json_object_get(o, name), "rate");
    return json_is_number(rate) ? json_number_value(rate) : -1;
}

const char *detail_text(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

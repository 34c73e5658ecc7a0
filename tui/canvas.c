/* canvas.c: cells in memory; see canvas.h. The rule it keeps: a wide character is either there with both its
 * halves or not at all, also at edges and when something is drawn over one half. */
#include "canvas.h"

#include <stdlib.h>
#include <wchar.h>

#define MAX_SIDE 1000 /* a terminal that says it is larger is not told the truth by somebody */

void canvas_init(struct canvas *c)
{
    *c = (struct canvas){.utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0)};
}

void canvas_finish(struct canvas *c)
{
    free(c->cells);
    if (c->utf8)
        freelocale(c->utf8);
    *c = (struct canvas){0};
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

void canvas_resize(struct canvas *c, int width, int height)
{
    c->width = clamp(width, 1, MAX_SIDE);
    c->height = clamp(height, 1, MAX_SIDE);
    free(c->cells);
    c->cells = xcalloc((size_t)c->width * (size_t)c->height, sizeof(*c->cells));
    canvas_fill(c, (struct rect){0, 0, c->width, c->height}, STYLE_NORMAL);
}

static struct cell *cell_at(const struct canvas *c, int x, int y)
{
    return &c->cells[(size_t)y * (size_t)c->width + (size_t)x];
}

static struct rect on_canvas(const struct canvas *c, struct rect r)
{
    int left = clamp(r.x, 0, c->width), top = clamp(r.y, 0, c->height);
    int right = clamp(r.x + r.width, left, c->width), bottom = clamp(r.y + r.height, top, c->height);
    return (struct rect){left, top, right - left, bottom - top};
}

struct rect rect_rows(struct rect r, int y, int height)
{
    int top = clamp(y, 0, r.height);
    return (struct rect){r.x, r.y + top, r.width, clamp(height, 0, r.height - top)};
}

/* ---- characters
 * ---------------------------------------------------------------------------------------------- */

/* Takes one character off *text; U+FFFD stands for what is not UTF-8 (overlong and surrogate forms too). */
static uint32_t next_character(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    uint32_t ch = p[0], least = 0;
    int more = 0;
    if (ch >= 0xf0 && ch < 0xf5) {
        more = 3, ch &= 0x07, least = 0x10000;
    } else if (ch >= 0xe0 && ch < 0xf0) {
        more = 2, ch &= 0x0f, least = 0x800;
    } else if (ch >= 0xc2 && ch < 0xe0) {
        more = 1, ch &= 0x1f, least = 0x80;
    } else if (ch >= 0x80) {
        *text += 1;
        return 0xfffd;
    }
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            *text += i;
            return 0xfffd;
        }
        ch = ch << 6 | (p[i] & 0x3f);
    }
    *text += 1 + more;
    return ch < least || (ch >= 0xd800 && ch < 0xe000) || ch > 0x10ffff ? 0xfffd : ch;
}

/* Columns of a character; what a terminal would obey instead of show becomes '?', a tab a
 * space: `?` means that nobody can say. */
static int character_columns(uint32_t *ch)
{
    if (*ch == '\t')
        *ch = ' ';
    if (*ch >= 0x20 && *ch < 0x7f)
        return 1;
    int columns = *ch < 0xa0 ? -1 : wcwidth((wchar_t)*ch);
    if (columns < 0 || *ch == 0xfffd || (*ch >= 0x200b && *ch <= 0x200f) ||
        (*ch >= 0x202a && *ch <= 0x202e)) {
        *ch = '?';
        return 1;
    }
    return columns;
}

int text_columns(const struct canvas *c, const char *text)
{
    locale_t before = uselocale(c->utf8);
    int columns = 0;
    while (*text) {
        uint32_t ch = next_character(&text);
        columns += character_columns(&ch);
    }
    uselocale(before);
    return columns;
}

/* bytes of text that fit into width columns */
static size_t text_fits(const struct canvas *c, const char *text, int width)
{
    locale_t before = uselocale(c->utf8);
    const char *p = text, *end = text;
    int columns = 0;
    while (*p) {
        uint32_t ch = next_character(&p);
        columns += character_columns(&ch);
        if (columns > width)
            break;
        end = p;
    }
    uselocale(before);
    return (size_t)(end - text);
}

/* What may not begin a line, in scripts that are written without spaces: closing marks. */
static bool closes(uint32_t ch)
{
    static const uint32_t marks[] = {0x3001, 0x3002, 0x300b, 0x300d, 0x300f, 0x2019, 0x201d, 0xff01,
                                     0xff09, 0xff0c, 0xff0e, 0xff1a, 0xff1b, 0xff1f, 0x2026, 0x30fc};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (marks[i] == ch)
            return true;
    return ch < 0x80 && strchr(")]},.:;!?%", (int)ch);
}

/* The last place up to `fits` where a line may end: before a space, or beside a wide character, which needs
 * no space around it. 0: there is none. */
static size_t last_break(const struct canvas *c, const char *text, size_t fits)
{
    locale_t before = uselocale(c->utf8);
    size_t found = 0;
    bool wide_before = false;
    for (const char *p = text; p <= text + fits;) {
        const char *at = p;
        uint32_t ch = next_character(&p);
        bool wide = ch > 0x7f && character_columns(&ch) == 2;
        if (at > text && (ch == ' ' || ((wide || wide_before) && !closes(ch) && ch > ' ' && at[-1] != ' ')))
            found = (size_t)(at - text);
        wide_before = wide;
    }
    uselocale(before);
    return found;
}

/* Where there is no space to end a line at, as in a document that programs write: behind what ends one of its
 * parts, or else behind a name. 0: there is neither. */
static size_t token_break(const char *text, size_t fits)
{
    size_t comma = 0, colon = 0;
    for (size_t i = 1; i < fits; i++) {
        comma = text[i - 1] == ',' ? i : comma;
        colon = text[i - 1] == ':' && text[i] != '/' ? i : colon;
    }
    return comma ? comma : colon;
}

size_t text_break(const struct canvas *c, const char *text, int width, size_t *skip)
{
    size_t fits = text_fits(c, text, width > 2 ? width : 2), at = fits; /* room for one wide character */
    *skip = 0;
    if (text[fits]) {
        at = last_break(c, text, fits);
        at = at ? at : token_break(text, fits);
        at = at ? at : fits;
    }
    while (text[at + *skip] == ' ')
        ++*skip;
    return at;
}

/* ---- drawing
 * -------------------------------------------------------------------------------------------------- */

/* makes one cell free: if it is half of a wide character, the other half becomes a space */
static void split_wide(struct canvas *c, int x, int y)
{
    struct cell *cell = cell_at(c, x, y);
    if (cell->ch == 0 && x > 0)
        cell_at(c, x - 1, y)->ch = ' ';
    if (x + 1 < c->width && cell_at(c, x + 1, y)->ch == 0)
        cell_at(c, x + 1, y)->ch = ' ';
    cell->ch = ' ';
}

static void set_cell(struct canvas *c, int x, int y, uint32_t ch, enum style style, enum line line)
{
    split_wide(c, x, y);
    *cell_at(c, x, y) = (struct cell){.ch = ch, .style = (uint8_t)style, .line = (uint8_t)line};
}

static void add_mark(struct cell *cell, uint32_t mark)
{
    for (int i = 0; i < CELL_MARKS; i++)
        if (!cell->marks[i]) {
            cell->marks[i] = mark;
            return;
        }
}

/* draws len bytes from column x of the canvas, up to column end; the column after what was drawn */
static int draw_bytes(struct canvas *c, int x, int end, int start, int y, enum style style, const char *text,
                      size_t len)
{
    locale_t before = uselocale(c->utf8);
    const char *stop = text + len;
    int base = -1; /* column of the last character drawn, for combining ones */
    while (text < stop) {
        uint32_t ch = next_character(&text);
        int columns = character_columns(&ch);
        if (columns == 0) {
            if (base >= 0)
                add_mark(cell_at(c, base, y), ch);
            continue;
        }
        if (x + columns > end)
            break;
        if (x >= start) {
            set_cell(c, x, y, ch, style, LINE_NONE);
            base = x;
            if (columns == 2) {
                set_cell(c, x + 1, y, ' ', style, LINE_NONE);
                cell_at(c, x + 1, y)->ch = 0;
            }
        }
        x += columns;
    }
    uselocale(before);
    return x;
}

int canvas_put(struct canvas *c, struct rect r, int x, int y, enum style style, const char *text)
{
    struct rect visible = on_canvas(c, r);
    int row = r.y + y, from = r.x + x, end = visible.x + visible.width;
    int columns = text_columns(c, text), room = end - from;
    if (y < 0 || row < visible.y || row >= visible.y + visible.height)
        return x + columns;
    size_t len = strlen(text);
    if (columns <= room)
        return draw_bytes(c, from, end, visible.x, row, style, text, len) - r.x;
    if (room < 5) { /* too narrow for a mark of the cut to be worth its columns */
        draw_bytes(c, from, end, visible.x, row, style, text, len);
        return x + columns;
    }
    int cut = draw_bytes(c, from, end - 2, visible.x, row, style, text, len);
    draw_bytes(c, cut, end, visible.x, row, style, "..", 2);
    return x + columns;
}

int canvas_put_name(struct canvas *c, struct rect r, int x, int y, enum style style, const char *name)
{
    struct rect visible = on_canvas(c, r);
    int room = visible.x + visible.width - (r.x + x), columns = text_columns(c, name);
    if (columns <= room || room < 5)
        return canvas_put(c, r, x, y, style, name);
    const char *tail = name;
    while (text_columns(c, tail) > (room - 2) / 2)
        next_character(&tail);
    size_t head = text_fits(c, name, room - 2 - text_columns(c, tail));
    char *cut = format_text("%.*s..%s", (int)head, name, tail);
    int end = canvas_put(c, r, x, y, style, cut);
    free(cut);
    return end;
}

int canvas_printf(struct canvas *c, struct rect r, int x, int y, enum style style, const char *format, ...)
{
    struct text t = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    int after = canvas_put(c, r, x, y, style, text_str(&t));
    text_finish(&t);
    return after;
}

void canvas_put_right(struct canvas *c, struct rect r, int from_right, int y, enum style style,
                      const char *text)
{
    int x = r.width - from_right - text_columns(c, text);
    canvas_put(c, r, x > 0 ? x : 0, y, style, text);
}

void canvas_fill(struct canvas *c, struct rect r, enum style style)
{
    r = on_canvas(c, r);
    for (int y = r.y; y < r.y + r.height; y++)
        for (int x = r.x; x < r.x + r.width; x++)
            set_cell(c, x, y, ' ', style, LINE_NONE);
}

void canvas_restyle(struct canvas *c, struct rect r, enum style style)
{
    r = on_canvas(c, r);
    for (int y = r.y; y < r.y + r.height; y++)
        for (int x = r.x; x < r.x + r.width; x++)
            cell_at(c, x, y)->style = (uint8_t)style;
}

static void put_line(struct canvas *c, struct rect visible, int x, int y, enum style style, enum line line)
{
    if (x >= visible.x && x < visible.x + visible.width && y >= visible.y && y < visible.y + visible.height)
        set_cell(c, x, y, ' ', style, line);
}

void canvas_across(struct canvas *c, struct rect r, int y, enum style style)
{
    struct rect visible = on_canvas(c, r);
    for (int x = r.x; x < r.x + r.width; x++)
        put_line(c, visible, x, r.y + y, style, LINE_ACROSS);
}

void canvas_box(struct canvas *c, struct rect r, enum style style)
{
    struct rect visible = on_canvas(c, r);
    int right = r.x + r.width - 1, bottom = r.y + r.height - 1;
    if (r.width < 2 || r.height < 2)
        return;
    canvas_across(c, r, 0, style);
    canvas_across(c, r, r.height - 1, style);
    for (int y = r.y + 1; y < bottom; y++) {
        put_line(c, visible, r.x, y, style, LINE_DOWN);
        put_line(c, visible, right, y, style, LINE_DOWN);
    }
    put_line(c, visible, r.x, r.y, style, LINE_TOP_LEFT);
    put_line(c, visible, right, r.y, style, LINE_TOP_RIGHT);
    put_line(c, visible, r.x, bottom, style, LINE_BOTTOM_LEFT);
    put_line(c, visible, right, bottom, style, LINE_BOTTOM_RIGHT);
}

/* ---- out
 * ------------------------------------------------------------------------------------------------------ */

static void add_character(struct text *out, uint32_t ch)
{
    unsigned char b[4];
    size_t len = ch < 0x80 ? 1 : ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i-- > 1; ch >>= 6)
        b[i] = (unsigned char)(0x80 | (ch & 0x3f));
    b[0] = (unsigned char)(lead[len] | ch);
    text_add_bytes(out, b, len);
}

static uint32_t plain_line(enum line line)
{
    switch (line) {
    case LINE_NONE: return ' ';
    case LINE_ACROSS: return '-';
    case LINE_DOWN: return '|';
    case LINE_TOP_LEFT:
    case LINE_TOP_RIGHT:
    case LINE_BOTTOM_LEFT:
    case LINE_BOTTOM_RIGHT: return '+';
    }
    return ' ';
}

void canvas_to_text(const struct canvas *c, struct text *out)
{
    for (int y = 0; y < c->height; y++) {
        size_t end = out->len; /* after the last character that is no space */
        for (int x = 0; x < c->width; x++) {
            const struct cell *cell = cell_at(c, x, y);
            uint32_t ch = cell->line ? plain_line((enum line)cell->line) : cell->ch;
            if (ch)
                add_character(out, ch);
            for (int i = 0; ch && i < CELL_MARKS && cell->marks[i]; i++)
                add_character(out, cell->marks[i]);
            if (ch != ' ')
                end = out->len;
        }
        out->len = end;
        text_add(out, "\n");
    }
}

uint64_t canvas_hash(const struct canvas *c)
{
    uint64_t hash = 0xcbf29ce484222325ULL; /* FNV-1a */
    for (size_t i = 0; i < (size_t)c->width * (size_t)c->height; i++) {
        const struct cell *cell = &c->cells[i];
        uint32_t words[] = {cell->ch, cell->marks[0], cell->marks[1], cell->marks[2],
                            (uint32_t)cell->style << 8 | cell->line};
        for (size_t w = 0; w < ARRAY_LEN(words); w++)
            hash = (hash ^ words[w]) * 0x100000001b3ULL;
    }
    return hash;
}

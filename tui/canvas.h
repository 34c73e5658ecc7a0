/* canvas.h: a screen as cells in memory: what views draw on. It knows columns and wide characters but no
 * terminal. Drawing outside of it, or outside of a part of it, is clipped. */
#ifndef TUI_CANVAS_H
#define TUI_CANVAS_H

#include <locale.h>

#include "base/base.h"
#include "base/text.h"

/* What a piece of the screen means; term.c decides how that looks. Every meaning is also in a word or a
 * letter. */
enum style {
    STYLE_NORMAL,
    STYLE_TITLE,    /* frames, headings */
    STYLE_DIM,      /* what is beside the point: times, commands, hints */
    STYLE_STRONG,   /* where to look now */
    STYLE_FINE,     /* running, in sync, seen */
    STYLE_SYNCING,  /* on its way: syncing, half proved */
    STYLE_DOWN,     /* not running, stopped, unavailable */
    STYLE_SELECTED, /* what keys act on */
    STYLES
};

/* Cells that are not characters: lines, for which each kind of terminal has its own way. */
enum line {
    LINE_NONE,
    LINE_ACROSS,
    LINE_DOWN,
    LINE_TOP_LEFT,
    LINE_TOP_RIGHT,
    LINE_BOTTOM_LEFT,
    LINE_BOTTOM_RIGHT
};

#define CELL_MARKS 3 /* combining characters that are kept on top of one */

struct cell {
    uint32_t ch;                /* a Unicode character; 0: the right half of the wide one before it */
    uint32_t marks[CELL_MARKS]; /* combining ones, 0 if none */
    uint8_t style;              /* enum style */
    uint8_t line;               /* enum line; then ch is not used */
};

struct canvas {
    int width, height;
    struct cell *cells;
    locale_t utf8; /* for the widths of characters, whatever the program's own locale is */
};

/* A rectangle of the canvas, in its columns and rows. */
struct rect {
    int x, y, width, height;
};

void canvas_init(struct canvas *c);
void canvas_finish(struct canvas *c);
void canvas_resize(struct canvas *c, int width, int height); /* and clears it */

/* Writes text (UTF-8; what is not becomes '?') into one row of r, starting `x` columns into it; returns the
 * column after it. What does not fit is cut, with ".." in its place if anything was cut and there is room. */
int canvas_put(struct canvas *c, struct rect r, int x, int y, enum style style, const char *text);
/* The same, cut in the middle: what makes names differ is often their end. */
int canvas_put_name(struct canvas *c, struct rect r, int x, int y, enum style style, const char *name);
int canvas_printf(struct canvas *c, struct rect r, int x, int y, enum style style, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* the same, its last column being width - 1 - from_right */
void canvas_put_right(struct canvas *c, struct rect r, int from_right, int y, enum style style,
                      const char *text);

void canvas_fill(struct canvas *c, struct rect r, enum style style);
void canvas_restyle(struct canvas *c, struct rect r, enum style style); /* keeps the characters */
void canvas_box(struct canvas *c, struct rect r, enum style style);
void canvas_across(struct canvas *c, struct rect r, int y, enum style style);

int text_columns(const struct canvas *c, const char *text);

/* Where to break text so that it fits into `width` columns: the length in bytes of the first line, at a space
 * if there is one; *skip: the spaces after it. 0 only for an empty text. */
size_t text_break(const struct canvas *c, const char *text, int width, size_t *skip);

struct rect rect_rows(struct rect r, int y, int height); /* some rows of it, clipped to it */

void canvas_to_text(const struct canvas *c, struct text *out); /* lines drawn with + - | */
uint64_t canvas_hash(const struct canvas *c);                  /* of characters and styles */

#endif

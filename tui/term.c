/* term.c: the only file that includes ncurses. Cells become characters with attributes; what a style means on
 * this terminal (256 colours, few, none, NO_COLOR) is decided once. A frame is erase, fill, one doupdate. */
#include "terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <ncurses.h>
#include <term.h>

#include "words.h"

/* <term.h> defines its capability names as macros, such as these */
#undef lines
#undef columns

struct terminal {
    SCREEN *screen;
    bool utf8; /* the terminal's locale can show what is not ASCII */
    attr_t attrs[STYLES];
    short pairs[STYLES];
    int click_x, click_y;
};

/* Without colour: bold, reverse, underlined. No style is dim: projectors make that invisible. */
static void plain_styles(struct terminal *t)
{
    t->attrs[STYLE_STRONG] = A_BOLD;
    t->attrs[STYLE_SYNCING] = A_BOLD;
    t->attrs[STYLE_DOWN] = A_REVERSE;
    t->attrs[STYLE_SELECTED] = A_BOLD | A_UNDERLINE;
}

static void color(struct terminal *t, enum style style, short foreground)
{
    short pair = (short)(style + 1);
    if (init_pair(pair, foreground, -1) == OK)
        t->pairs[style] = pair;
}

static void choose_styles(struct terminal *t)
{
    const char *no_color = getenv("NO_COLOR");
    plain_styles(t);
    if ((no_color && *no_color) || !has_colors() || start_color() != OK || use_default_colors() != OK)
        return;
    bool many = COLORS >= 256;
    color(t, STYLE_FINE, many ? 74 : COLOR_CYAN);
    color(t, STYLE_SYNCING, many ? 178 : COLOR_YELLOW);
    color(t, STYLE_DOWN, many ? 166 : COLOR_RED);
    if (many) {
        color(t, STYLE_DIM, 245);
        color(t, STYLE_TITLE, 245);
    }
}

/* NULL if the terminal of this TERM can be drawn on, else why not. (newterm would only print and exit.) */
static const char *why_not(void)
{
    int err = 0;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return _("input or output is not a terminal");
    if (setupterm(NULL, STDOUT_FILENO, &err) != OK)
        return _("the terminal's kind (TERM) is not known here");
    const char *cup = tigetstr("cup");
    bool can = cup && cup != (const char *)-1;
    del_curterm(cur_term);
    return can ? NULL : _("this kind of terminal cannot place the cursor");
}

struct terminal *terminal_open(const char **why)
{
    if ((*why = why_not()))
        return NULL;
    /* exported by some shells; ncurses would believe them for ever */
    unsetenv("LINES");
    unsetenv("COLUMNS");
    struct terminal *t = xcalloc(1, sizeof(*t));
    t->screen = newterm(NULL, stdout, stdin);
    if (!t->screen) {
        free(t);
        *why = _("the terminal cannot be set up");
        return NULL;
    }
    t->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    cbreak();
    noecho();
    nonl();
    curs_set(0);
    set_escdelay(25);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    intrflush(stdscr, FALSE);
    choose_styles(t);
    return t;
}

void terminal_close(struct terminal *t)
{
    if (!t)
        return;
    endwin();
    delscreen(t->screen);
    free(t);
}

void terminal_size(struct terminal *t, int *width, int *height)
{
    (void)t;
    *width = COLS;
    *height = LINES;
}

void terminal_resized(struct terminal *t)
{
    struct winsize size;
    (void)t;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        resizeterm(size.ws_row, size.ws_col);
}

/* ---- drawing
 * --------------------------------------------------------------------------------------------------- */

static const cchar_t *line_character(enum line line)
{
    switch (line) {
    case LINE_NONE: break;
    case LINE_ACROSS: return WACS_HLINE;
    case LINE_DOWN: return WACS_VLINE;
    case LINE_TOP_LEFT: return WACS_ULCORNER;
    case LINE_TOP_RIGHT: return WACS_URCORNER;
    case LINE_BOTTOM_LEFT: return WACS_LLCORNER;
    case LINE_BOTTOM_RIGHT: return WACS_LRCORNER;
    }
    return NULL;
}

static void draw_cell(struct terminal *t, const struct cell *cell)
{
    enum style style = (enum style)cell->style;
    const cchar_t *line = line_character((enum line)cell->line);
    wchar_t text[2 + CELL_MARKS] = {(wchar_t)cell->ch};
    cchar_t out;
    if (line) {
        attr_set(t->attrs[style], t->pairs[style], NULL);
        add_wch(line);
        return;
    }
    for (size_t i = 0; t->utf8 && i < CELL_MARKS; i++)
        text[1 + i] = (wchar_t)cell->marks[i];
    if (!t->utf8 && cell->ch >= 0x80)
        text[0] = L'?';
    attr_set(A_NORMAL, 0, NULL);
    if (setcchar(&out, text, t->attrs[style], t->pairs[style], NULL) == OK)
        add_wch(&out);
}

void terminal_draw(struct terminal *t, const struct canvas *c, bool whole)
{
    if (whole)
        clearok(curscr, TRUE);
    erase();
    for (int y = 0; y < c->height && y < LINES; y++)
        for (int x = 0; x < c->width && x < COLS; x++) {
            const struct cell *cell = &c->cells[(size_t)y * (size_t)c->width + (size_t)x];
            if (cell->ch == 0 && t->utf8)
                continue; /* the wide one before it fills it */
            struct cell half = {.ch = '?', .style = cell->style};
            move(y, x);
            draw_cell(t, cell->ch ? cell : &half);
        }
    wnoutrefresh(stdscr);
    doupdate();
}

/* ---- clipboard
 * -------------------------------------------------------------------------------------------------- */

static void add_base64(struct text *out, const unsigned char *s, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        unsigned bits =
            (unsigned)s[i] << 16 | (i + 1 < len ? (unsigned)s[i + 1] << 8 : 0) | (i + 2 < len ? s[i + 2] : 0);
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        i + 1 < len ? digits[bits >> 6 & 63] : '=', i + 2 < len ? digits[bits & 63] : '='};
        text_add_bytes(out, four, sizeof(four));
    }
}

bool terminal_copy(struct terminal *t, const char *text)
{
    struct text out = {0};
    const char *can = tigetstr("Ms"); /* terminfo's name for it (an extended one) */
    (void)t;
    if (!can || can == (const char *)-1)
        return false;
    text_add(&out, "\033]52;c;");
    add_base64(&out, (const unsigned char *)text, strlen(text));
    text_add(&out, "\a");
    fwrite(out.s, 1, out.len, stdout); /* where curses writes too, between two of its frames */
    fflush(stdout);
    text_finish(&out);
    return true;
}

/* ---- keys
 * ------------------------------------------------------------------------------------------------------- */

/* the wheel is the arrows, the button is KEY_CLICK */
static int mouse_key(struct terminal *t)
{
    MEVENT e;
    if (getmouse(&e) != OK)
        return KEY_OTHER;
    t->click_x = e.x;
    t->click_y = e.y;
    if (e.bstate & BUTTON4_PRESSED)
        return KEY_ARROW_UP;
    if (e.bstate & BUTTON5_PRESSED)
        return KEY_ARROW_DOWN;
    return e.bstate & BUTTON1_PRESSED ? KEY_CLICK : KEY_OTHER;
}

void terminal_mouse(struct terminal *t, bool ours)
{
    (void)t;
    mouseinterval(0); /* a press is a press, at once */
    mousemask(ours ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
}

void terminal_click(const struct terminal *t, int *x, int *y)
{
    *x = t->click_x;
    *y = t->click_y;
}

int terminal_key(struct terminal *t)
{
    wint_t ch;
    int kind = get_wch(&ch);
    if (kind == ERR)
        return KEY_NOTHING_;
    if (kind != KEY_CODE_YES)
        return ch == '\n' ? KEY_RETURN : (int)ch;
    switch (ch) {
    case KEY_UP: return KEY_ARROW_UP;
    case KEY_DOWN: return KEY_ARROW_DOWN;
    case KEY_LEFT: return KEY_ARROW_LEFT;
    case KEY_RIGHT: return KEY_ARROW_RIGHT;
    case KEY_PPAGE: return KEY_PAGE_UP;
    case KEY_NPAGE: return KEY_PAGE_DOWN;
    case KEY_BTAB: return KEY_BACK_TAB;
    case KEY_HOME: return KEY_FIRST;
    case KEY_END: return KEY_LAST;
    case KEY_DC: return KEY_ERASE_HERE;
    case KEY_MOUSE: return mouse_key(t);
    case KEY_BACKSPACE: return KEY_ERASE;
    case KEY_ENTER: return KEY_RETURN;
    case KEY_RESIZE: return KEY_RESIZED;
    default: return KEY_OTHER;
    }
}

/* overlay_keys.h: the keys of what lies over a view (a question, a form, a line that is typed, a page of
 * text, the help), in one table, as keys.h has those of the views. The bar, the help (?), the manual page and
 * the lookup are made from it. */
#ifndef TUI_OVERLAY_KEYS_H
#define TUI_OVERLAY_KEYS_H

#include "keys.h"

/* Where a key acts; a row of the table may name several. */
enum over {
    OVER_HELP = 1 << 0,
    OVER_CONFIRM = 1 << 1,
    OVER_FORM = 1 << 2,
    OVER_CHOICE = 1 << 3, /* a form's field that has choices */
    OVER_COMMAND = 1 << 4,
    OVER_FILTER = 1 << 5,
    OVER_PAGER = 1 << 6,
    OVER_TYPED = OVER_FORM | OVER_COMMAND | OVER_FILTER, /* a character that is in no row is typed there */
};

enum ask {
    ASK_NOTHING,
    ASK_CLOSE, /* a question: do not; a line: what was typed is dropped */
    ASK_ENTER,
    ASK_YES,
    ASK_OTHER, /* the other button, the next field or choice */
    ASK_OTHER_BACK,
    ASK_FIELD,
    ASK_FIELD_BEFORE,
    ASK_COMPLETE,
    ASK_LINE_BEFORE,
    ASK_LINE_AFTER,
    ASK_COMMAND,
    ASK_UP,
    ASK_DOWN,
    ASK_PAGE_UP,
    ASK_PAGE_DOWN,
    ASK_TOP,
    ASK_END,
    ASK_EMPTY,
    ASK_ERASE_BEFORE,
    ASK_ERASE_AT,
    ASK_ERASE_REST,
    ASK_ERASE_WORD,
    ASK_LEFT,
    ASK_RIGHT,
    ASK_LINE_BEGIN,
    ASK_LINE_END,
};

enum {
    KEY_CTRL_A = 1,
    KEY_CTRL_B = 2,
    KEY_CTRL_D = 4,
    KEY_CTRL_E = 5,
    KEY_CTRL_F = 6,
    KEY_CTRL_H = 8,
    KEY_CTRL_K = 11,
    KEY_CTRL_U = 21,
    KEY_CTRL_W = 23,
};

/* where, key, what it asks for, its name, word in the bar (NULL: not there), help (NULL: another key of the
 * line above). Of two rows for one key the first counts: a choice's arrows come before the line's. In each
 * place the bar's most important one first. */
#define OVERLAY_KEY_TABLE(X)                                                                                 \
    X(OVER_CONFIRM, KEY_RETURN, ASK_ENTER, "Enter", N_("Marked-one"),                                        \
      N_("what is marked; at first: Cancel"))                                                                \
    X(OVER_CONFIRM, KEY_TAB, ASK_OTHER, "Tab", N_("Mark-other"), N_("mark the other one"))                   \
    X(OVER_CONFIRM, KEY_BACK_TAB, ASK_OTHER, "Shift-Tab", NULL, NULL)                                        \
    X(OVER_CONFIRM, KEY_ARROW_LEFT, ASK_OTHER, "left", NULL, NULL)                                           \
    X(OVER_CONFIRM, KEY_ARROW_RIGHT, ASK_OTHER, "right", NULL, NULL)                                         \
    X(OVER_CONFIRM, 'y', ASK_YES, "y", N_("Do-it"), N_("do it"))                                             \
    X(OVER_CONFIRM, 'Y', ASK_YES, "Y", NULL, NULL)                                                           \
    X(OVER_CONFIRM, 'n', ASK_CLOSE, "n", N_("Cancel"), N_("leave it undone"))                                \
    X(OVER_CONFIRM, 'N', ASK_CLOSE, "N", NULL, NULL)                                                         \
    X(OVER_CONFIRM, 'q', ASK_CLOSE, "q", NULL, NULL)                                                         \
    X(OVER_CONFIRM, KEY_ESCAPE, ASK_CLOSE, "Esc", N_("Cancel"), NULL)                                        \
    X(OVER_FORM, KEY_RETURN, ASK_ENTER, "Enter", N_("Do-it"), N_("do it"))                                   \
    X(OVER_FORM, KEY_ESCAPE, ASK_CLOSE, "Esc", N_("Cancel"), N_("leave it undone"))                          \
    X(OVER_FORM, KEY_TAB, ASK_FIELD, "Tab", N_("Next-field"), N_("the next field, the one before"))          \
    X(OVER_FORM, KEY_ARROW_DOWN, ASK_FIELD, "down", NULL, NULL)                                              \
    X(OVER_FORM, KEY_BACK_TAB, ASK_FIELD_BEFORE, "Shift-Tab", NULL, NULL)                                    \
    X(OVER_FORM, KEY_ARROW_UP, ASK_FIELD_BEFORE, "up", NULL, NULL)                                           \
    X(OVER_CHOICE, ' ', ASK_OTHER, "Space", N_("Other-choice"), N_("another choice, where there are some"))  \
    X(OVER_CHOICE, KEY_ARROW_RIGHT, ASK_OTHER, "right", NULL, NULL)                                          \
    X(OVER_CHOICE, KEY_ARROW_LEFT, ASK_OTHER_BACK, "left", NULL, NULL)                                       \
    X(OVER_COMMAND, KEY_RETURN, ASK_ENTER, "Enter", N_("Run"), N_("run it"))                                 \
    X(OVER_COMMAND, KEY_ESCAPE, ASK_CLOSE, "Esc", N_("Cancel"), N_("leave it undone"))                       \
    X(OVER_COMMAND, KEY_TAB, ASK_COMPLETE, "Tab", N_("Complete"),                                            \
      N_("complete the word, or show what fits"))                                                            \
    X(OVER_COMMAND, KEY_ARROW_UP, ASK_LINE_BEFORE, "up", N_("Earlier-line"),                                 \
      N_("what was typed before, after"))                                                                    \
    X(OVER_COMMAND, KEY_ARROW_DOWN, ASK_LINE_AFTER, "down", NULL, NULL)                                      \
    X(OVER_FILTER, KEY_RETURN, ASK_ENTER, "Enter", N_("Keep"), N_("keep the filter"))                        \
    X(OVER_FILTER, KEY_ESCAPE, ASK_CLOSE, "Esc", N_("Show-all"), N_("show all again"))                       \
    X(OVER_TYPED, KEY_CTRL_U, ASK_EMPTY, "Ctrl-U", N_("Empty"), N_("empty it"))                              \
    X(OVER_TYPED, KEY_ERASE, ASK_ERASE_BEFORE, "Backspace", NULL,                                            \
      N_("erase the character before the cursor"))                                                           \
    X(OVER_TYPED, KEY_CTRL_H, ASK_ERASE_BEFORE, "Ctrl-H", NULL, NULL)                                        \
    X(OVER_TYPED, KEY_ERASE_HERE, ASK_ERASE_AT, "Delete", NULL, N_("erase the one it is at"))                \
    X(OVER_TYPED, KEY_CTRL_D, ASK_ERASE_AT, "Ctrl-D", NULL, NULL)                                            \
    X(OVER_TYPED, KEY_CTRL_W, ASK_ERASE_WORD, "Ctrl-W", NULL, N_("erase the word before it"))                \
    X(OVER_TYPED, KEY_CTRL_K, ASK_ERASE_REST, "Ctrl-K", NULL, N_("erase all from it on"))                    \
    X(OVER_TYPED, KEY_ARROW_LEFT, ASK_LEFT, "left", NULL, N_("move the cursor"))                             \
    X(OVER_TYPED, KEY_ARROW_RIGHT, ASK_RIGHT, "right", NULL, NULL)                                           \
    X(OVER_TYPED, KEY_CTRL_B, ASK_LEFT, "Ctrl-B", NULL, NULL)                                                \
    X(OVER_TYPED, KEY_CTRL_F, ASK_RIGHT, "Ctrl-F", NULL, NULL)                                               \
    X(OVER_TYPED, KEY_FIRST, ASK_LINE_BEGIN, "Home", NULL, N_("to the line's beginning, its end"))           \
    X(OVER_TYPED, KEY_LAST, ASK_LINE_END, "End", NULL, NULL)                                                 \
    X(OVER_TYPED, KEY_CTRL_A, ASK_LINE_BEGIN, "Ctrl-A", NULL, NULL)                                          \
    X(OVER_TYPED, KEY_CTRL_E, ASK_LINE_END, "Ctrl-E", NULL, NULL)                                            \
    X(OVER_PAGER, KEY_ESCAPE, ASK_CLOSE, "Esc", N_("Close"), N_("close it"))                                 \
    X(OVER_PAGER, KEY_RETURN, ASK_CLOSE, "Enter", NULL, NULL)                                                \
    X(OVER_PAGER, 'q', ASK_CLOSE, "q", NULL, NULL)                                                           \
    X(OVER_PAGER, 'j', ASK_DOWN, "j", N_("Down"), N_("a line down, up"))                                     \
    X(OVER_PAGER, 'k', ASK_UP, "k", N_("Up"), NULL)                                                          \
    X(OVER_PAGER, KEY_ARROW_DOWN, ASK_DOWN, "down", NULL, NULL)                                              \
    X(OVER_PAGER, KEY_ARROW_UP, ASK_UP, "up", NULL, NULL)                                                    \
    X(OVER_PAGER, ' ', ASK_PAGE_DOWN, "Space", N_("Page-down"), N_("ten lines down, up"))                    \
    X(OVER_PAGER, KEY_PAGE_DOWN, ASK_PAGE_DOWN, "PgDn", NULL, NULL)                                          \
    X(OVER_PAGER, KEY_PAGE_UP, ASK_PAGE_UP, "PgUp", N_("Page-up"), NULL)                                     \
    X(OVER_PAGER, 'g', ASK_TOP, "g", N_("Top"), N_("to its beginning, its end"))                             \
    X(OVER_PAGER, KEY_FIRST, ASK_TOP, "Home", NULL, NULL)                                                    \
    X(OVER_PAGER, 'G', ASK_END, "G", N_("End"), NULL)                                                        \
    X(OVER_PAGER, KEY_LAST, ASK_END, "End", NULL, NULL)                                                      \
    X(OVER_HELP, 'j', ASK_DOWN, "j", N_("Down"), N_("a line down, up"))                                      \
    X(OVER_HELP, 'k', ASK_UP, "k", N_("Up"), NULL)                                                           \
    X(OVER_HELP, KEY_ARROW_DOWN, ASK_DOWN, "down", NULL, NULL)                                               \
    X(OVER_HELP, KEY_ARROW_UP, ASK_UP, "up", NULL, NULL)                                                     \
    X(OVER_HELP, KEY_PAGE_DOWN, ASK_PAGE_DOWN, "PgDn", NULL, N_("ten lines down, up"))                       \
    X(OVER_HELP, KEY_PAGE_UP, ASK_PAGE_UP, "PgUp", NULL, NULL)                                               \
    X(OVER_HELP, KEY_ESCAPE, ASK_CLOSE, "Esc", N_("Close"), N_("close it, as every other key does"))         \
    X(OVER_PAGER | OVER_HELP, ':', ASK_COMMAND, ":", NULL, N_("type a command"))

struct overlay_key {
    unsigned where; /* enum over */
    int key;
    enum ask ask;
    const char *name, *bar, *help; /* bar, help: to be translated where they are drawn */
};

extern const struct overlay_key overlay_keys[];
extern const size_t overlay_keys_len;

/* The help's parts and the manual's: a title, to be translated, and the rows that are about it. */
struct overlay_part {
    unsigned where;
    const char *title;
};
extern const struct overlay_part overlay_parts[];
extern const size_t overlay_parts_len;

/* The row of the key in any of these places; NULL: it is in none. */
const struct overlay_key *overlay_key_find(unsigned where, int key);
enum ask overlay_asks(unsigned where, int key); /* its ask; ASK_NOTHING */

/* The part that lists a row, for each has one: the first that it is about. */
bool overlay_part_has(const struct overlay_part *part, const struct overlay_key *k);

#endif

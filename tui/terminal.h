/* terminal.h: the terminal: a canvas goes onto it, keys come from it. term.c is the only part that knows
 * ncurses (which has a <term.h> of its own). */
#ifndef TUI_TERMINAL_H
#define TUI_TERMINAL_H

#include "canvas.h"
#include "keys.h"

struct terminal;

/* Takes over the terminal of stdin and stdout. NULL if it cannot be drawn on (not a terminal, of an unknown
 * kind, without cursor addressing): *why says it, a constant text. */
struct terminal *terminal_open(const char **why);
void terminal_close(struct terminal *t); /* gives it back; takes NULL */

void terminal_size(struct terminal *t, int *width, int *height);
void terminal_resized(struct terminal *t); /* after SIGWINCH: asks the kernel how large it is now */

/* Shows the canvas; only what differs from what is shown is sent. whole: everything is sent. */
void terminal_draw(struct terminal *t, const struct canvas *c, bool whole);

/* Text to the clipboard of whoever looks at it, also through ssh: OSC 52. false: this kind of terminal has no
 * way for that. */
bool terminal_copy(struct terminal *t, const char *text);

void terminal_mouse(struct terminal *t, bool ours);
void terminal_click(const struct terminal *t, int *x, int *y); /* after KEY_CLICK */

int terminal_key(struct terminal *t); /* a character or one of enum key; KEY_NOTHING_ if none waits */

#endif

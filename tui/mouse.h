/* mouse.h: what a click means. It becomes keys, so that nothing can be done with the mouse that cannot be
 * done (and seen in the help, and recorded) without it. */
#ifndef TUI_MOUSE_H
#define TUI_MOUSE_H

#include "canvas.h"
#include "model.h"

#define MOUSE_KEYS 256

/* The keys that a click on this cell of the frame stands for; how many. On a view's name in the header: its
 * number. On a key of the bar: that key. On the name of a queue or node: the arrows that lead to it. */
size_t mouse_keys(const struct model *m, const struct canvas *c, int x, int y, int keys[MOUSE_KEYS]);

#endif

/* prompt.h: what is typed behind ':' (a command) and '/' (a filter), at the foot of the screen. */
#ifndef TUI_PROMPT_H
#define TUI_PROMPT_H

#include "canvas.h"
#include "model.h"

void prompt_open(struct model *m, enum overlay what); /* OVERLAY_COMMAND or OVERLAY_FILTER */
enum effect prompt_key(struct model *m, int key, struct command **run);
void draw_prompt(const struct model *m, struct canvas *c);
void prompt_finish(struct model *m);

/* What a typed command line asks for: runs it, asks first, or says why not. */
enum effect prompt_run(struct model *m, const char *line, struct command **run);

#endif

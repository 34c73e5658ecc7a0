/* refused.h: a command that a node refused, in a sentence that says what to do next. Programs answer with a
 * word or a page, as rabbitmqctl does; both are for who knows them already. */
#ifndef TUI_REFUSED_H
#define TUI_REFUSED_H

#include "model.h"

/* What the refusal means and what helps, and what a start waits for whose node was cut from this screen;
 * NULL: nothing is known of it, or nothing was refused. The caller frees it. */
char *refused_text(const struct model *m, const struct command *c);

/* Of a queue that was deleted while no node served it: that its messages were not counted. NULL: it is no
 * such command, or has not done so; the caller frees it. */
char *uncounted_text(const struct command *c);

#endif

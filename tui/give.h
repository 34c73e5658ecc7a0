/* give.h: what leaves the screen for elsewhere: events for a file, a command for a clipboard. Both say in the
 * model where it went, or why not. */
#ifndef TUI_GIVE_H
#define TUI_GIVE_H

#include "jobs.h"
#include "model.h"
#include "terminal.h"

/* EFFECT_EXPORT: to m->export_to, or to a new file (new_file.h) in the current folder or in `otherwise`. */
void give_events(struct model *m, const char *otherwise);

/* EFFECT_COPY: m->copy, by the terminal (NULL: there is none) and by tmux, which runs as one of the jobs. */
void give_copy(struct model *m, struct terminal *t, struct jobs *jobs);

#endif

/* acting.h: what the acting keys do: the command they run, the question that comes before some. */
#ifndef TUI_ACTING_H
#define TUI_ACTING_H

#include "model.h"

/* One request of a key; the model's own ones (moving, views) are answered in model.c. */
enum effect acting(struct model *m, enum request request, struct command **run);

/* Asks before this command is run; takes it over. NULL: nothing happens. */
enum effect acting_ask(struct model *m, struct command *command);
enum effect confirm_key(struct model *m, int key, struct command **run);

/* EFFECT_EXPORT, to this file (NULL: one that is not there yet), or a message that there is nothing to write.
 */
enum effect acting_export(struct model *m, const char *file);

#endif

/* acting.h: what the acting keys do: the command they run, the question that comes before some. */
#ifndef TUI_ACTING_H
#define TUI_ACTING_H

#include "model.h"

/* One request of a key; the model's own ones (moving, views) are answered in model.c. */
enum effect acting(struct model *m, enum request request, struct command **run);

/* Asks before this command is run; takes it over. NULL: nothing happens. */
enum effect acting_ask(struct model *m, struct command *command);
enum effect confirm_key(struct model *m, int key, struct command **run);

/* Where EFFECT_EXPORT writes; NULL: a name made of the time. */
void acting_export(struct model *m, const char *file);

#endif

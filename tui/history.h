/* history.h: what each queue held, took in and gave out in the last sixty seconds (struct history in model.h;
 * model_history looks it up). */
#ifndef TUI_HISTORY_H
#define TUI_HISTORY_H

#include "model.h"

/* A new snapshot has come; the model's own is still the one before. */
void history_observe(struct model *m, const struct snapshot *s);

#endif

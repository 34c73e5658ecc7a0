/* commands.h: what the acting keys run: words for labctl and for the lesson's own programs. The text that is
 * shown is made from the very words that are run. */
#ifndef TUI_COMMANDS_H
#define TUI_COMMANDS_H

#include "model.h"

/* A command of these words (copied, up to NULL); its text is the words, quoted for a shell where needed. */
struct command *command_of(const char *const *words, int step);

/* The command that a key asks for on the current selection; NULL and a message in the model if there is
 * nothing it could act on. */
struct command *command_for(struct model *m, enum request request);

#endif

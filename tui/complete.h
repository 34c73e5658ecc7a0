/* complete.h: what Tab does behind ':': the word under the cursor, from labctl's verbs and options and from
 * the names that the nodes report. */
#ifndef TUI_COMPLETE_H
#define TUI_COMPLETE_H

#include "model.h"

typedef VEC(char *) word_list;

/* A line as a shell reads it: words at spaces, '...' "..." and \ taken away. false: a quote is not closed;
 * the words are there all the same. The caller frees them with words_free. */
bool words_split(const char *line, size_t len, word_list *words);
void words_free(word_list *words);

/* Completes the word at the cursor as far as it is certain. What could follow, several words: a new text for
 * the row above, the caller's to free; NULL: nothing to choose from. */
char *complete(const struct model *m, struct input *line);

/* "set_policy [--priority ...] <name> <pattern> <definition>" of the verb in the line; NULL: none yet */
char *complete_usage(const struct input *line);

#endif

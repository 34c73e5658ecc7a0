/* input.h: one line that is typed, with a cursor in it: UTF-8, moved in and erased by whole characters. */
#ifndef TUI_INPUT_H
#define TUI_INPUT_H

#include "base/text.h"
#include "keys.h"

struct input {
    struct text text;
    size_t at; /* the cursor: bytes before it, never inside a character */
};

/* true if the key means something in a line (typing, moving, erasing); then it was done */
bool input_key(struct input *in, int key);

void input_set(struct input *in, const char *text); /* the cursor behind it */
void input_insert(struct input *in, const char *text);
const char *input_text(const struct input *in);
void input_finish(struct input *in);

#endif

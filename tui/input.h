/* input.h: one line that is typed, with a cursor in it: UTF-8, moved in and erased by whole characters. */
#ifndef TUI_INPUT_H
#define TUI_INPUT_H

#include "base/text.h"
#include "overlay_keys.h"

struct input {
    struct text text;
    size_t at; /* the cursor: bytes before it, never inside a character */
};

/* What a key asks for in a line (moving, erasing); ASK_NOTHING: the key is typed, if it is a character. */
void input_key(struct input *in, enum ask ask, int key);

void input_set(struct input *in, const char *text); /* the cursor behind it */
void input_insert(struct input *in, const char *text);
const char *input_text(const struct input *in);
void input_finish(struct input *in);

#endif

/* input.c: see input.h. The keys are a shell's. */
#include "input.h"

#define INPUT_MAX 4000 /* bytes; more is not typed by a person */

const char *input_text(const struct input *in)
{
    return text_str(&in->text);
}

void input_finish(struct input *in)
{
    text_finish(&in->text);
    in->at = 0;
}

void input_set(struct input *in, const char *text)
{
    text_clear(&in->text);
    text_add(&in->text, text);
    in->at = in->text.len;
}

void input_insert(struct input *in, const char *text)
{
    size_t len = strlen(text), after = in->text.len - in->at;
    if (in->text.len + len > INPUT_MAX)
        return;
    text_add(&in->text, text); /* makes room */
    memmove(in->text.s + in->at + len, in->text.s + in->at, after);
    memcpy(in->text.s + in->at, text, len);
    in->at += len;
}

static bool continues(const struct input *in, size_t i)
{
    return i < in->text.len && ((unsigned char)in->text.s[i] & 0xc0) == 0x80;
}

static size_t before(const struct input *in)
{
    size_t i = in->at;
    while (i > 0 && continues(in, --i))
        ;
    return i;
}

static size_t after(const struct input *in)
{
    size_t i = in->at + (in->at < in->text.len);
    while (continues(in, i))
        i++;
    return i;
}

static void erase(struct input *in, size_t from, size_t to)
{
    if (from >= to)
        return;
    memmove(in->text.s + from, in->text.s + to, in->text.len - to);
    in->text.len -= to - from;
    in->text.s[in->text.len] = '\0';
    in->at = from;
}

static void erase_word(struct input *in)
{
    size_t from = in->at;
    while (from > 0 && in->text.s[from - 1] == ' ')
        from--;
    while (from > 0 && in->text.s[from - 1] != ' ')
        from--;
    erase(in, from, in->at);
}

static void type(struct input *in, int key)
{
    uint32_t ch = (uint32_t)key;
    char utf8[5] = "";
    if (key < 0x20 || ch == 0x7f || ch > 0x10ffff || (ch >= 0xd800 && ch < 0xe000))
        return;
    if (ch < 0x80) {
        utf8[0] = (char)ch;
    } else if (ch < 0x800) {
        utf8[0] = (char)(0xc0 | ch >> 6);
        utf8[1] = (char)(0x80 | (ch & 0x3f));
    } else if (ch < 0x10000) {
        utf8[0] = (char)(0xe0 | ch >> 12);
        utf8[1] = (char)(0x80 | (ch >> 6 & 0x3f));
        utf8[2] = (char)(0x80 | (ch & 0x3f));
    } else {
        utf8[0] = (char)(0xf0 | ch >> 18);
        utf8[1] = (char)(0x80 | (ch >> 12 & 0x3f));
        utf8[2] = (char)(0x80 | (ch >> 6 & 0x3f));
        utf8[3] = (char)(0x80 | (ch & 0x3f));
    }
    input_insert(in, utf8);
}

void input_key(struct input *in, enum ask ask, int key)
{
    switch ((int)ask) {
    case ASK_LEFT: in->at = before(in); break;
    case ASK_RIGHT: in->at = after(in); break;
    case ASK_LINE_BEGIN: in->at = 0; break;
    case ASK_LINE_END: in->at = in->text.len; break;
    case ASK_ERASE_BEFORE: erase(in, before(in), in->at); break;
    case ASK_ERASE_AT: erase(in, in->at, after(in)); break;
    case ASK_ERASE_REST: erase(in, in->at, in->text.len); break;
    case ASK_ERASE_WORD: erase_word(in); break;
    case ASK_EMPTY: erase(in, 0, in->at); break;
    case ASK_NOTHING: type(in, key); break;
    default: break;
    }
}

/* text.c: a string that grows. */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/ban.h"

static void reserve(struct text *t, size_t more)
{
    if (t->len + more + 1 <= t->cap)
        return;
    size_t cap = t->cap ? t->cap * 2 : 64;
    while (cap < t->len + more + 1)
        cap *= 2;
    t->s = xrealloc(t->s, cap);
    t->cap = cap;
}

void text_add_bytes(struct text *t, const void *data, size_t len)
{
    reserve(t, len);
    if (len)
        memcpy(t->s + t->len, data, len);
    t->len += len;
    t->s[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
    text_add_bytes(t, s, strlen(s));
}

void text_vprintf(struct text *t, const char *format, va_list args)
{
    va_list again;
    ASSERT(format);
    va_copy(again, args);
    int want = vsnprintf(NULL, 0, format, args);
    ASSERT(want >= 0);
    reserve(t, (size_t)want);
    vsnprintf(t->s + t->len, (size_t)want + 1, format, again);
    va_end(again);
    t->len += (size_t)want;
}

void text_printf(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vprintf(t, format, args);
    va_end(args);
}

void text_add_shell_word(struct text *t, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
    if (t->len)
        text_add(t, " ");
    if (*word && word[strspn(word, plain)] == '\0') {
        text_add(t, word);
        return;
    }
    text_add(t, "'");
    for (; *word; word++) {
        if (*word == '\'')
            text_add(t, "'\\''");
        else
            text_add_bytes(t, word, 1);
    }
    text_add(t, "'");
}

void text_clear(struct text *t)
{
    t->len = 0;
    if (t->s)
        t->s[0] = '\0';
}

void text_finish(struct text *t)
{
    free(t->s);
    *t = (struct text){0};
}

char *format_text(const char *format, ...)
{
    struct text t = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    return t.s;
}

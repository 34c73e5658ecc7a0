/* text.h: a string that grows. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>

#include "base/base.h"

/* Marks a text that somebody above this layer shows in the reader's language (tui/po/extract, lab/fact.h). */
#define N_(text) text

struct text {
    char *s; /* NUL-terminated once anything was added; NULL before */
    size_t len, cap;
};

void text_add(struct text *t, const char *s);
void text_add_bytes(struct text *t, const void *data, size_t len);
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vprintf(struct text *t, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* The word as one types it into a shell, after a space if something is there already: quoted where it must
 * be. */
void text_add_shell_word(struct text *t, const char *word);
void text_clear(struct text *t); /* keeps the memory */
void text_finish(struct text *t);
static inline const char *text_str(const struct text *t)
{
    return t->s ? t->s : "";
}

/* a new string, the caller's to free */
char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

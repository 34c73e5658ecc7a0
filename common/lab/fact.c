/* fact.c: see fact.h. A recording may come from anywhere: what is no fact is left out, and a format without
 * its argument shows nothing there. */
#include "lab/fact.h"

#include <stdarg.h>
#include <stdlib.h>

#define DEEPEST 64 /* facts in facts: of a list each holds all before it */

/* what stands at this % and where the format goes on; NULL: a % of its own ("%%") */
static json_t *argument(const char **at, va_list *args)
{
    const char *kind = *at + 1;
    char *number = NULL;
    if (*kind == 's') {
        *at = kind + 1;
        const char *word = va_arg(*args, const char *);
        json_t *text = json_string(word);
        return text ? text : json_string("?"); /* not UTF-8 */
    }
    if (*kind == 'u') {
        number = format_text("%u", va_arg(*args, unsigned));
        *at = kind + 1;
    } else if (strncmp(kind, "zu", 2) == 0) {
        number = format_text("%zu", va_arg(*args, size_t));
        *at = kind + 2;
    } else if (strncmp(kind, "lld", 3) == 0) {
        number = format_text("%lld", va_arg(*args, long long));
        *at = kind + 3;
    } else {
        *at = kind + (*kind == '%');
        return NULL;
    }
    json_t *text = json_string(number);
    free(number);
    return text;
}

json_t *fact_of(const char *format, ...)
{
    json_t *fact = json_array();
    va_list args;
    json_array_append_new(fact, json_string(format));
    va_start(args, format);
    for (const char *at = strchr(format, '%'); at; at = strchr(at, '%')) {
        json_t *value = argument(&at, &args);
        if (value)
            json_array_append_new(fact, value);
    }
    va_end(args);
    return fact;
}

json_t *fact_word(const char *word)
{
    return json_pack("[s]", word);
}

json_t *fact_with(const char *format, json_t *first, json_t *second)
{
    json_t *fact = json_array();
    json_array_append_new(fact, json_string(format));
    json_array_append_new(fact, first);
    if (second)
        json_array_append_new(fact, second);
    return fact;
}

void fact_add(json_t **all, const char *format, json_t *more)
{
    *all = *all && more ? fact_with(format, *all, more) : more ? more : *all;
}

/* ---- in words ---- */

/* Which argument a format wants next: its number (from 1) and how long its directive is. */
static size_t directive(const char *at, size_t *next)
{
    static const char *const kinds[] = {"s", "u", "zu", "lld"};
    size_t len = 1, number = 0;
    while (at[len] >= '0' && at[len] <= '9' && number < DEEPEST)
        number = number * 10 + (size_t)(at[len++] - '0');
    if (number && at[len] == '$')
        len++;
    else
        len = 1, number = *next + 1;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strncmp(at + len, kinds[i], strlen(kinds[i])) == 0) {
            *next = number;
            return len + strlen(kinds[i]);
        }
    return 0;
}

static void add_words(struct text *t, const json_t *fact, const char *(*translate)(const char *), int depth)
{
    const char *format = json_string_value(json_is_array(fact) ? json_array_get(fact, 0) : fact);
    if (!format || depth == DEEPEST)
        return;
    if (!json_is_array(fact)) {
        text_add(t, format);
        return;
    }
    size_t next = 0, len;
    for (const char *at = translate ? translate(format) : format; *at; at += len) {
        len = *at == '%' ? directive(at, &next) : strcspn(at, "%");
        if (*at == '%' && len)
            add_words(t, json_array_get(fact, next), translate, depth + 1);
        else if (*at == '%')
            text_add_bytes(t, "%", 1), len = at[1] == '%' ? 2 : 1;
        else
            text_add_bytes(t, at, len);
    }
}

char *fact_text(const json_t *fact, const char *(*translate)(const char *format))
{
    struct text t = {0};
    text_add(&t, "");
    add_words(&t, fact, translate, 0);
    return t.s;
}

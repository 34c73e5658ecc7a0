/* shrink_line.c: how a line can say less. Each form is text again, and the shrinker plays it to see whether
 * it still breaks the promise: nothing here has to know what a word means, only where it may be left out. */
#include "shrink_line.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* The line's words; what is JSON is one of them. */
struct words {
    VEC(char *) items;
};

static void cut(struct words *w, const char *what)
{
    while (*(what += strspn(what, " "))) {
        size_t len = *what == '{' ? strlen(what) : strcspn(what, " ");
        VEC_PUSH(&w->items, xstrndup(what, len));
        what += len;
    }
}

static void add_form(struct simpler *s, const struct words *w, size_t from, size_t to, const char *instead)
{
    struct text t = {0};
    for (size_t i = 0; i < w->items.len; i++) {
        const char *word = i >= from && i < to ? (i == from ? instead : NULL) : w->items.items[i];
        if (word && *word)
            text_printf(&t, "%s%s", t.len ? " " : "", word);
    }
    VEC_PUSH(&s->forms, t.s);
}

/* A number in a client's line: fewer messages, or a time in whole milliseconds. */
static void rounder(struct simpler *s, const struct words *w, size_t i)
{
    char *unit;
    unsigned long value = strtoul(w->items.items[i], &unit, 10);
    unsigned long tries[3] = {0};
    if (strcmp(w->items.items[i - 1], "messages") == 0) {
        tries[0] = 1;
        tries[1] = value / 2;
        tries[2] = value - 1;
    } else if (strcmp(unit, "us") == 0) {
        tries[0] = value / 10000 * 10000;
        tries[1] = value / 1000 * 1000;
    }
    for (size_t k = 0; k < 3; k++)
        if (tries[k] > 0 && tries[k] < value) {
            char *number = format_text("%lu%s", tries[k], unit);
            add_form(s, w, i, i + 1, number);
            free(number);
        }
}

static bool is_number(const char *word)
{
    return *word >= '0' && *word <= '9';
}

static void simpler_client(struct simpler *s, const struct words *w)
{
    for (size_t i = 3; i < w->items.len; i++) {
        size_t to = i + 1 < w->items.len && is_number(w->items.items[i + 1]) ? i + 2 : i + 1;
        add_form(s, w, i, to, "");
        i = to - 1;
    }
    for (size_t i = 4; i < w->items.len; i++)
        if (is_number(w->items.items[i]))
            rounder(s, w, i);
}

/* What a policy or a queue says, without one of its keys; ha-params goes with its ha-mode. */
static void simpler_json(struct simpler *s, const struct words *w)
{
    size_t last = w->items.len - 1;
    json_t *all = json_loads(w->items.items[last], 0, NULL), *v;
    const char *key;
    json_object_foreach(all, key, v)
    {
        json_t *less = json_copy(all);
        json_object_del(less, key);
        if (strcmp(key, "ha-mode") == 0)
            json_object_del(less, "ha-params");
        char *text = json_dumps(less, JSON_COMPACT);
        bool nothing = json_object_size(less) == 0 && strcmp(w->items.items[0], "declare") == 0;
        if (strcmp(key, "ha-params") != 0)
            add_form(s, w, last, last + 1, nothing ? "" : text);
        free(text);
        json_decref(less);
    }
    json_decref(all);
}

static bool one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

void simpler_find(struct simpler *s, const char *what)
{
    static const char *const clients[] = {"publisher", "consumer", "getter", "owner", NULL};
    static const char *const of_nodes[] = {"kill", "stop", "start", NULL};
    struct words w = {0};
    *s = (struct simpler){0};
    cut(&w, what);
    if (w.items.len > 2 && one_of(w.items.items[0], clients))
        simpler_client(s, &w);
    else if (w.items.len > 2 && *w.items.items[w.items.len - 1] == '{')
        simpler_json(s, &w);
    else if (w.items.len > 2 && one_of(w.items.items[0], of_nodes))
        for (size_t i = 1; i < w.items.len; i++)
            add_form(s, &w, i, i + 1, "");
    for (size_t i = 0; i < w.items.len; i++)
        free(w.items.items[i]);
    VEC_FREE(&w.items);
}

void simpler_finish(struct simpler *s)
{
    for (size_t i = 0; i < s->forms.len; i++)
        free(s->forms.items[i]);
    VEC_FREE(&s->forms);
}

size_t simpler_waits(unsigned long wait_ms, unsigned long out[3])
{
    size_t count = 0;
    if (wait_ms > 0)
        out[count++] = 0;
    if (wait_ms > 100 && wait_ms % 100)
        out[count++] = wait_ms / 100 * 100;
    if (wait_ms > 10 && wait_ms % 10)
        out[count++] = wait_ms / 10 * 10;
    return count;
}

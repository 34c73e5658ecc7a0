/* page.c: reads the drawings. A row of names is followed by a row of types; both may go on in a second pair.
 */
#include "tests/docs/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void wrong(struct page *p, const char *format, ...)
{
    if (p->why[0])
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(p->why, sizeof(p->why), format, args);
    va_end(args);
}

static const char *trim(char *s)
{
    while (*s == ' ')
        s++;
    for (size_t len = strlen(s); len && s[len - 1] == ' ';)
        s[--len] = 0;
    return s;
}

/* "| a | b |": names of the next cells, or their types */
static void read_row(struct page *p, struct block *b, char *line, bool types)
{
    size_t at = 0, first = b->cells.len;
    while (types && first && !b->cells.items[first - 1].type[0])
        first--;
    char *rest = line + 1;
    for (char *cell = strsep(&rest, "|"); cell && rest; cell = strsep(&rest, "|"), at++) {
        const char *word = trim(cell);
        if (!types) {
            struct cell c = {0};
            snprintf(c.name, sizeof(c.name), "%s", word);
            VEC_PUSH(&b->cells, c);
        } else if (first + at < b->cells.len) {
            snprintf(b->cells.items[first + at].type, sizeof(b->cells.items[0].type), "%s", word);
        } else {
            wrong(p, "%s %s: a type without a field", b->kind, b->name);
        }
    }
    for (size_t i = first; types && i < b->cells.len; i++)
        if (!b->cells.items[i].type[0])
            wrong(p, "%s %s: no type for %s", b->kind, b->name, b->cells.items[i].name);
}

static bool read_head(const char *line, struct block *b)
{
    *b = (struct block){.fixed = !strstr(line, ", from ")};
    if (sscanf(line, "%15[a-z] %31[A-Za-z_] (%d)", b->kind, b->name, &b->number) < 2)
        return false;
    const char *comma = strchr(line, ',');
    const char *kinds[] = {"message", "part", "entry", "operation", "record", "frame"};
    for (size_t i = 0; comma && i < sizeof(kinds) / sizeof(*kinds); i++)
        if (strcmp(b->kind, kinds[i]) == 0)
            return sscanf(comma, b->fixed ? ", %zu bytes" : ", from %zu bytes", &b->least) == 1;
    return false;
}

void page_finish(struct page *p)
{
    for (size_t i = 0; i < p->blocks.len; i++)
        VEC_FREE(&p->blocks.items[i].cells);
    VEC_FREE(&p->blocks);
    VEC_FREE(&p->tags);
}

void page_read(struct page *p, const char *text)
{
    *p = (struct page){0};
    char *copy = xstrdup(text), *rest = copy;
    bool fenced = false, names = true;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        struct block b;
        if (strncmp(line, "```", 3) == 0)
            fenced = !fenced;
        else if (strncmp(line, "| `", 3) == 0 && line[4] == '`' && line[5] == ' ')
            VEC_PUSH(&p->tags, line[3]);
        if (!fenced)
            continue;
        if (read_head(line, &b)) {
            VEC_PUSH(&p->blocks, b);
            names = true;
        } else if (line[0] == '|' && p->blocks.len) {
            read_row(p, &p->blocks.items[p->blocks.len - 1], line, !names);
            names = !names;
        }
    }
    free(copy);
}

const struct block *find_block(const struct page *p, const char *kind, const char *name, int number)
{
    for (size_t i = 0; i < p->blocks.len; i++) {
        const struct block *b = &p->blocks.items[i];
        if (strcmp(b->kind, kind) == 0 && (name ? strcmp(b->name, name) == 0 : b->number == number))
            return b;
    }
    return NULL;
}

int count_blocks(const struct page *p, const char *kind)
{
    int n = 0;
    for (size_t i = 0; i < p->blocks.len; i++)
        n += strcmp(p->blocks.items[i].kind, kind) == 0;
    return n;
}

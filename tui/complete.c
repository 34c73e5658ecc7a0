/* complete.c: see complete.h. */
#include "complete.h"

#include <stdlib.h>

#include "commands.h"
#include "verbs.h"
#include "words.h"

void words_free(word_list *words)
{
    for (size_t i = 0; i < words->len; i++)
        free(words->items[i]);
    VEC_FREE(words);
}

bool words_split(const char *line, size_t len, word_list *words)
{
    struct text word = {0};
    bool inside = false; /* a word has begun, be it an empty one */
    char quote = '\0';
    for (size_t i = 0; i < len; i++) {
        char ch = line[i];
        if (quote == ch) {
            quote = '\0';
        } else if (!quote && (ch == '\'' || ch == '"')) {
            quote = ch;
            inside = true;
        } else if (!quote && ch == ' ') {
            if (inside)
                VEC_PUSH(words, xstrdup(text_str(&word)));
            text_clear(&word);
            inside = false;
        } else {
            bool escape = ch == '\\' && quote != '\'' && i + 1 < len;
            text_add_bytes(&word, &line[escape ? ++i : i], 1);
            inside = true;
        }
    }
    if (inside)
        VEC_PUSH(words, xstrdup(text_str(&word)));
    text_finish(&word);
    return !quote;
}

/* ---- what may stand here
 * ---------------------------------------------------------------------------------------- */

static void add(word_list *list, const char *word, const char *prefix)
{
    if (strncmp(word, prefix, strlen(prefix)) == 0)
        VEC_PUSH(list, xstrdup(word));
}

/* words with spaces between */
static void add_each(word_list *list, const char *words, const char *prefix)
{
    word_list each = {0};
    words_split(words, strlen(words), &each);
    for (size_t i = 0; i < each.len; i++)
        add(list, each.items[i], prefix);
    words_free(&each);
}

/* the options that a usage names: "[--priority <n>]" */
static void add_options(word_list *list, const char *usage, const char *prefix)
{
    for (const char *at = usage; (at = strstr(at, "--"));) {
        size_t len = strcspn(at, " ]");
        char *option = xstrndup(at, len);
        add(list, option, prefix);
        free(option);
        at += len;
    }
    add(list, "--timeout", prefix);
    add(list, "--formatter", prefix);
}

static void add_kind(word_list *list, const struct model *m, enum word_kind kind, const struct verb *v,
                     const char *prefix)
{
    static const char *const definitions[] = {
        "{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}",
        "{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}",
        "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\"]}"};
    const struct snapshot *s = m->snapshot;
    switch (kind) {
    case WORD_NODE:
        for (size_t i = 0; s && i < s->nodes_len; i++)
            add(list, s->nodes[i].name, prefix);
        break;
    case WORD_QUEUE:
        for (size_t i = 0; s && i < s->queues_len; i++)
            add(list, s->queues[i].name, prefix);
        break;
    case WORD_POLICY:
        for (size_t i = 0; s && i < s->policies_len; i++)
            add(list, s->policies[i].name, prefix);
        break;
    case WORD_DEFINITION:
        for (size_t i = 0; i < ARRAY_LEN(definitions); i++)
            add(list, definitions[i], prefix);
        break;
    case WORD_COLUMNS: add_each(list, v->columns, prefix); break;
    case WORD_VERB:
        for (size_t i = 0; i < verb_table_len; i++)
            add(list, verb_table[i].name, prefix);
        break;
    case WORD_NONE:
    case WORD_FREE: break;
    }
}

/* Where the cursor is: behind which words, in which one. */
struct place {
    word_list before;
    char *prefix; /* of the word at the cursor, without its quotes */
    size_t start; /* of that word, in the line */
    const struct verb *verb;
    size_t position; /* of the word behind the verb, options not counted */
    bool of_node;    /* it is what -n names */
};

static struct place place_of(const struct input *line)
{
    struct place p = {0};
    const char *text = input_text(line);
    word_list all = {0};
    char quote = '\0';
    for (size_t i = 0; i < line->at; i++) { /* the last space outside of quotes ends the words before */
        if (!quote && text[i] == ' ')
            p.start = i + 1;
        else if (!quote && (text[i] == '\'' || text[i] == '"'))
            quote = text[i];
        else if (quote == text[i])
            quote = '\0';
    }
    words_split(text, p.start, &p.before);
    words_split(text + p.start, line->at - p.start, &all);
    p.prefix = xstrdup(all.len ? all.items[0] : "");
    words_free(&all);
    for (size_t i = 0; i < p.before.len; i++) {
        const char *word = p.before.items[i];
        bool value = i > 0 && strcmp(p.before.items[i - 1], "-n") == 0;
        if (!p.verb && !value && word[0] != '-' && strcmp(word, "labctl") != 0)
            p.verb = verb_find(word);
        else if (p.verb && !value && word[0] != '-')
            p.position++;
    }
    p.of_node = p.before.len > 0 && strcmp(p.before.items[p.before.len - 1], "-n") == 0;
    return p;
}

static void candidates(const struct model *m, const struct place *p, word_list *list)
{
    if (p->of_node) {
        add_kind(list, m, WORD_NODE, NULL, p->prefix);
    } else if (!p->verb) {
        add_kind(list, m, WORD_VERB, NULL, p->prefix);
    } else if (p->prefix[0] == '-') {
        add_options(list, p->verb->usage, p->prefix);
    } else {
        size_t last = ARRAY_LEN(p->verb->words) - 1, at = p->position < last ? p->position : last;
        enum word_kind kind = p->verb->words[0] == WORD_COLUMNS ? WORD_COLUMNS : p->verb->words[at];
        if (p->position <= last || kind == WORD_COLUMNS)
            add_kind(list, m, kind, p->verb, p->prefix);
    }
}

/* bytes that all of them begin with, not ending inside a character */
static size_t common(const word_list *list)
{
    size_t len = strlen(list->items[0]);
    for (size_t i = 1; i < list->len; i++) {
        size_t same = 0;
        while (same < len && list->items[i][same] == list->items[0][same])
            same++;
        len = same;
    }
    while (len > 0 && ((unsigned char)list->items[0][len] & 0xc0) == 0x80)
        len--;
    return len;
}

static void replace_word(struct input *line, const struct place *p, const char *word, bool whole)
{
    struct text all = {0};
    const char *text = input_text(line);
    char *rest = xstrdup(text + line->at);
    text_add_bytes(&all, text, p->start);
    char *quoted = whole ? shell_word(word) : xstrdup(word);
    text_printf(&all, "%s%s", quoted, whole && rest[0] != ' ' ? " " : "");
    size_t at = all.len;
    text_add(&all, rest);
    input_set(line, text_str(&all));
    line->at = at;
    text_finish(&all);
    free(quoted);
    free(rest);
}

char *complete(const struct model *m, struct input *line)
{
    struct place p = place_of(line);
    word_list list = {0};
    struct text out = {0};
    candidates(m, &p, &list);
    if (list.len == 1) {
        replace_word(line, &p, list.items[0], true);
    } else if (list.len > 1) {
        size_t same = common(&list);
        if (same > strlen(p.prefix)) {
            char *word = xstrndup(list.items[0], same);
            replace_word(line, &p, word, false);
            free(word);
        }
        for (size_t i = 0; i < list.len; i++)
            text_printf(&out, "%s%s", i ? "  " : "", list.items[i]);
    }
    words_free(&list);
    words_free(&p.before);
    free(p.prefix);
    return out.s;
}

char *complete_usage(const struct input *line)
{
    word_list words = {0};
    const struct verb *v = NULL;
    words_split(input_text(line), line->text.len, &words);
    for (size_t i = 0; i < words.len && !v; i++)
        v = verb_find(words.items[i]);
    words_free(&words);
    const char *says = v ? verb_says(v->name) : NULL;
    return says ? format_text("%s %s%s-- %s", v->name, v->usage, *v->usage ? " " : "", _(says))
           : v  ? format_text("%s %s", v->name, v->usage)
                : NULL;
}

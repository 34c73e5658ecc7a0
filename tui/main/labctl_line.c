/* labctl_line.c: takes a command line apart the way rabbitmqctl does: options may stand before, between and
 * behind the words, and the first word is the verb. */
#include <string.h>

#include "main/labctl.h"

/* Options that take a value; every other "--name" is a switch. short_name 0: none. */
static const struct {
    const char *name;
    char short_name;
    bool value;
} known[] = {
    {"dir", 0, true},       {"node", 'n', true},       {"vhost", 'p', true},     {"timeout", 't', true},
    {"formatter", 0, true}, {"priority", 0, true},     {"apply-to", 0, true},    {"unit", 0, true},
    {"printer", 0, true},   {"file", 0, true},         {"since", 0, true},       {"quiet", 'q', false},
    {"silent", 's', false}, {"longnames", 'l', false}, {"if-empty", 'e', false}, {"if-unused", 'u', false},
    {"help", 'h', false},
};

static const char *long_name(char short_name, bool *value)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i].short_name == short_name) {
            *value = known[i].value;
            return known[i].name;
        }
    }
    return NULL;
}

static bool takes_value(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
            return known[i].value;
    }
    return false;
}

/* --dir and --node are labctl's own business; the rest belongs to the verb. */
static void add_option(struct ctl_line *line, const char *name, size_t len, const char *value)
{
    if (len == 3 && memcmp(name, "dir", 3) == 0) {
        line->dir = value;
    } else if (len == 4 && memcmp(name, "node", 4) == 0) {
        line->node = value;
    } else {
        struct ctl_option o = {.name = xstrndup(name, len), .value = value};
        VEC_PUSH(&line->options, o);
    }
}

void ctl_line_parse(struct ctl_line *line, int argc, char **argv)
{
    memset(line, 0, sizeof(*line));
    line->program = argc > 0 ? argv[0] : "labctl";
    bool only_words = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (only_words || word[0] != '-' || !word[1]) {
            if (!line->verb)
                line->verb = word;
            else
                VEC_PUSH(&line->args, word);
            continue;
        }
        if (strcmp(word, "--") == 0) {
            only_words = true;
            continue;
        }
        const char *name = word + 2, *value = NULL;
        size_t len;
        bool wants_value = false;
        if (word[1] == '-') {
            const char *equals = strchr(name, '=');
            len = equals ? (size_t)(equals - name) : strlen(name);
            value = equals ? equals + 1 : NULL;
            wants_value = takes_value(name, len);
        } else {
            name = word[2] ? NULL : long_name(word[1], &wants_value);
            if (!name)
                name = word + 1; /* the verb will say that it does not know it */
            len = strlen(name);
        }
        if (wants_value && !value) {
            if (i + 1 >= argc) {
                line->wrong_option = word;
                break;
            }
            value = argv[++i];
        }
        add_option(line, name, len, value);
    }
    for (int i = 1; i < argc; i++)
        VEC_PUSH(&line->given, argv[i]);
}

void ctl_line_finish(struct ctl_line *line)
{
    for (size_t i = 0; i < line->options.len; i++)
        free((char *)(uintptr_t)line->options.items[i].name);
    VEC_FREE(&line->options);
    VEC_FREE(&line->args);
    VEC_FREE(&line->given);
}

bool ctl_option_on(const struct ctl_line *line, const char *name)
{
    for (size_t i = 0; i < line->options.len; i++) {
        if (strcmp(line->options.items[i].name, name) == 0)
            return true;
    }
    return false;
}

const char *ctl_option(const struct ctl_line *line, const char *name, const char *otherwise)
{
    for (size_t i = line->options.len; i > 0; i--) { /* the last one counts */
        if (strcmp(line->options.items[i - 1].name, name) == 0)
            return line->options.items[i - 1].value;
    }
    return otherwise;
}

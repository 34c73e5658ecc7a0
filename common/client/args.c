/* args.c: the options of the lessons' programs. A word that a program does not know is an error: a misspelt
 * --persistent must not publish a transient message. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/client.h"

enum { EXIT_USAGE_WORDS = 64 };

static int find(const struct client_option *options, const char *name, size_t len)
{
    for (int i = 0; options[i].name; i++)
        if (strlen(options[i].name) == len && strncmp(options[i].name, name, len) == 0)
            return i;
    return -1;
}

static bool is_number(const char *text)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    return end != text && !*end && !errno && value >= 0;
}

static void print_help(const char *program, const struct client_option *options)
{
    printf("%s:\n", program);
    for (size_t i = 0; options[i].name; i++) {
        int width = printf("  --%s%s", options[i].name, options[i].value ? " VALUE" : "");
        printf("%*s%s", width < 24 ? 24 - width : 1, "", options[i].help);
        if (options[i].value)
            printf(" (%s)", options[i].value);
        putchar('\n');
    }
}

static bool wrong(const char *program, const char *word, const char *what, int *exit_code)
{
    fprintf(stderr, "%s: %s %s; --help lists the options\n", program, word, what);
    *exit_code = EXIT_USAGE_WORDS;
    return false;
}

bool client_args_read(struct client_args *args, int argc, char **argv, const struct client_option *options,
                      int *exit_code)
{
    setvbuf(stdout, NULL, _IOLBF, 0); /* whoever watches through a pipe sees each line at once */
    *args = (struct client_args){.options = options};
    const char *slash = strrchr(argv[0], '/'), *program = slash ? slash + 1 : argv[0];
    for (size_t i = 0; options[i].name; i++) {
        ASSERT(i < CLIENT_OPTIONS_MAX);
        args->values[i] = options[i].value;
    }
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--help") == 0) {
            print_help(program, options);
            *exit_code = 0;
            return false;
        }
        size_t len = strcspn(word, "=");
        int at = strncmp(word, "--", 2) == 0 ? find(options, word + 2, len - 2) : -1;
        if (at < 0)
            return wrong(program, word, "is not known here", exit_code);
        if (!options[at].value && word[len])
            return wrong(program, word, "is a switch and takes no value", exit_code);
        if (!options[at].value) {
            args->values[at] = "yes";
            continue;
        }
        const char *value = word[len] ? word + len + 1 : argv[++i];
        if (!value)
            return wrong(program, word, "needs a value after it", exit_code);
        if (is_number(options[at].value) && !is_number(value))
            return wrong(program, value, "is not a number", exit_code);
        args->values[at] = value;
    }
    return true;
}

const char *client_text(const struct client_args *args, const char *name)
{
    int at = find(args->options, name, strlen(name));
    ASSERT(at >= 0); /* the program asks for an option that is not in its own table */
    return args->values[at];
}

long client_number(const struct client_args *args, const char *name)
{
    return strtol(client_text(args, name), NULL, 10);
}

bool client_switch(const struct client_args *args, const char *name)
{
    return client_text(args, name) != NULL;
}

/* labctl_usage.c: what labctl says when it was called wrongly, and when it is asked for help. */
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"
#include "main/labctl.h"

const char *ctl_bold(FILE *out, bool on)
{
    if (!isatty(fileno(out)))
        return "";
    return on ? "\033[1m" : "\033[0m";
}

static void heading(FILE *out, const char *text)
{
    fprintf(out, "%s%s%s", ctl_bold(out, true), text, ctl_bold(out, false));
}

static void verb_usage(FILE *out, const struct ctl_verb *v)
{
    heading(out, "Usage");
    fprintf(out, "\n\nlabctl [--dir <dir>] [--node <node>] [--quiet] %s%s%s\n", v->name, *v->words ? " " : "",
            v->words);
}

int ctl_wrong_words(struct ctl *c, const struct ctl_verb *v, const char *why, ...)
{
    va_list args;
    va_start(args, why);
    vfprintf(c->err, why, args);
    va_end(args);
    fprintf(c->err, "\nArguments given:\n\t");
    for (size_t i = 0; i < c->line.given.len; i++)
        fprintf(c->err, "%s%s", i ? " " : "", c->line.given.items[i]);
    fprintf(c->err, "\n\n");
    if (v)
        verb_usage(c->err, v);
    return CTL_USAGE;
}

int ctl_usage(FILE *out, int exit_code)
{
    fprintf(out, "\n");
    heading(out, "Usage");
    fprintf(out, "\n\nlabctl [--dir <dir>] [--node <node>] [--timeout <timeout>] [--quiet] <command> "
                 "[<command options>]\n"
                 "\nAvailable commands:\n");
    const char *group = "";
    for (size_t i = 0; i < ctl_verbs_len; i++) {
        if (strcmp(group, ctl_verbs[i].group) != 0) {
            group = ctl_verbs[i].group;
            fprintf(out, "\n");
            heading(out, group);
            fprintf(out, ":\n\n");
        }
        fprintf(out, "   %-30s%s\n", ctl_verbs[i].name, ctl_verbs[i].summary);
    }
    fprintf(out, "\nUse 'labctl help <command>' to learn more about a specific command\n");
    return exit_code;
}

int ctl_unknown_verb(struct ctl *c, const char *verb, const char *like)
{
    struct nearest n = {.typed = verb};
    if (like)
        nearest_try(&n, like);
    for (size_t i = 0; i < ctl_verbs_len; i++)
        nearest_try(&n, ctl_verbs[i].name);
    if (n.like)
        fprintf(c->err, "Error: unknown verb '%s': did you mean '%s'? labctl help lists all verbs\n", verb,
                n.like);
    else
        fprintf(c->err, "Error: unknown verb '%s'; labctl help lists all verbs\n", verb);
    return CTL_USAGE;
}

int ctl_help(struct ctl *c)
{
    if (c->line.args.len == 0)
        return ctl_usage(c->out, CTL_OK);
    const struct ctl_verb *v = ctl_find_verb(c->line.args.items[0]);
    if (!v)
        return ctl_unknown_verb(c, c->line.args.items[0], NULL);
    fprintf(c->out, "\n");
    verb_usage(c->out, v);
    fprintf(c->out, "\n%s.\n\n", v->summary);
    return CTL_OK;
}

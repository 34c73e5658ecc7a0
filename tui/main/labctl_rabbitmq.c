/* labctl_rabbitmq.c: the rabbitmq engine. Everything rabbitmqctl can do is done by rabbitmqctl itself, in the
 * lab's environment; only what it has no verb for (kill, start; cut, heal) is done here. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/nearest.h"
#include "lab/engine.h"
#include "main/labctl.h"

/* The words as typed, without --dir and --node, behind the node's full name. */
static void rabbitmq_words(struct ctl *c, const char *program, const char *node, const char ***words)
{
    VEC(const char *) out = {0};
    VEC_PUSH(&out, program);
    VEC_PUSH(&out, "-n");
    VEC_PUSH(&out, node);
    for (size_t i = 0; i < c->line.given.len; i++) {
        const char *word = c->line.given.items[i];
        if (strncmp(word, "--dir=", 6) == 0 || strncmp(word, "--node=", 7) == 0)
            continue;
        if (strcmp(word, "--dir") == 0 || strcmp(word, "--node") == 0 || strcmp(word, "-n") == 0) {
            i++;
            continue;
        }
        VEC_PUSH(&out, word);
    }
    VEC_PUSH(&out, NULL);
    *words = out.items;
}

static int run_rabbitmqctl(struct ctl *c)
{
    char *program = NULL, **env = NULL, *error = NULL;
    if (engine_rabbitmqctl(&c->lab, &program, &env, &error) != 0) {
        fprintf(c->err, "Error: %s\n", error ? error : "rabbitmqctl cannot be run");
        free(error);
        return CTL_UNAVAILABLE;
    }
    char node[320];
    const char **words;
    rabbitmq_words(c, program, ctl_node_name(c, node, sizeof(node)), &words);
    fflush(NULL);
    execve(program, (char *const *)(uintptr_t)words, env); /* its output and exit code become ours */
    fprintf(c->err, "Error: %s cannot be run: %s\n", program, strerror(errno));
    free(words);
    engine_env_free(program, env);
    return CTL_UNAVAILABLE;
}

/* A verb that labctl itself does not know may be rabbitmqctl's; what neither knows rabbitmqctl would answer
 * with all its verbs, a page of them. So it is asked for those that begin as this one does, by the one verb
 * that is always handed on. CTL_OK: it has the verb. */
static int check_verb(struct ctl *c)
{
    static const char always[] = "autocomplete";
    const char *verb = c->line.verb;
    if (!verb || ctl_find_verb(verb) || strcmp(verb, always) == 0)
        return CTL_OK;
    const char begins[] = {verb[0], '\0'}, *const words[] = {always, begins, NULL};
    char *known = NULL, *rest = NULL;
    struct nearest n = {.typed = verb};
    bool there = engine_ctl(&c->lab, words, &known) != 0; /* it cannot be asked: it says why itself */
    for (char *at = there ? NULL : strtok_r(known, " \n", &rest); at; at = strtok_r(NULL, " \n", &rest)) {
        there = there || strcmp(at, verb) == 0;
        nearest_try(&n, at);
    }
    int rc = there ? CTL_OK : ctl_unknown_verb(c, verb, n.like);
    free(known);
    return rc;
}

int ctl_rabbitmq(struct ctl *c)
{
    const char *verb = c->line.verb ? c->line.verb : "";
    bool kill = strcmp(verb, "kill") == 0;
    if ((kill || strcmp(verb, "start") == 0) && c->line.args.len > 0) { /* of which node, -n says */
        fprintf(c->err, "Error (argument validation): too many arguments: labctl -n %s %s\n",
                c->line.args.items[0], verb);
        return CTL_USAGE;
    }
    if (kill)
        return ctl_kill(c);
    if (strcmp(verb, "start") == 0)
        return ctl_start(c);
    if (c->lab.external) {
        fprintf(c->err, "Error: this lab is an existing cluster that is known by its URLs only; "
                        "run rabbitmqctl on its own machines\n");
        return CTL_UNAVAILABLE;
    }
    if (strcmp(verb, "cut") == 0 || strcmp(verb, "heal") == 0)
        return ctl_rabbitmq_links(c);
    int rc = check_verb(c);
    return rc == CTL_OK ? run_rabbitmqctl(c) : rc;
}

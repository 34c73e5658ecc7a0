/* labctl_rabbitmq.c: the rabbitmq engine. Everything rabbitmqctl can do is done by rabbitmqctl itself, in the
 * lab's environment; only what it has no verb for (kill, start; cut, heal) is done here. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/nearest.h"
#include "lab/engine.h"
#include "main/labctl.h"

/* Verbs whose words are nodes. */
static const char *const of_nodes[] = {"join_cluster", "forget_cluster_node", "update_cluster_nodes",
                                       "rename_cluster_node"};

/* That word is the name of a node, without its host; rabbitmqctl would take this machine's name for that. */
static bool is_short_node(const struct ctl *c, const char *word)
{
    bool of_node = false, is_arg = false;
    for (size_t i = 0; i < ARRAY_LEN(of_nodes); i++)
        of_node = of_node || strcmp(c->line.verb ? c->line.verb : "", of_nodes[i]) == 0;
    for (size_t i = 0; i < c->line.args.len; i++) /* the same word of argv, not an option's value */
        is_arg = is_arg || c->line.args.items[i] == word;
    return of_node && is_arg && !strchr(word, '@');
}

/* The words as typed, without --dir and --node, behind the node's full name; NULL at the end. All new. */
static char **rabbitmq_words(const struct ctl *c, const char *program, const char *node)
{
    VEC(char *) out = {0};
    VEC_PUSH(&out, xstrdup(program));
    VEC_PUSH(&out, xstrdup("-n"));
    VEC_PUSH(&out, xstrdup(node));
    for (size_t i = 0; i < c->line.given.len; i++) {
        const char *word = c->line.given.items[i];
        if (strncmp(word, "--dir=", 6) == 0 || strncmp(word, "--node=", 7) == 0)
            continue;
        if (strcmp(word, "--dir") == 0 || strcmp(word, "--node") == 0 || strcmp(word, "-n") == 0) {
            i++;
            continue;
        }
        VEC_PUSH(&out, is_short_node(c, word) ? format_text("%s@localhost", word) : xstrdup(word));
    }
    VEC_PUSH(&out, NULL);
    return out.items;
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
    char **words = rabbitmq_words(c, program, ctl_node_name(c, node, sizeof(node)));
    fflush(NULL);
    execve(program, words, env); /* its output and exit code become ours */
    fprintf(c->err, "Error: %s cannot be run: %s\n", program, strerror(errno));
    for (size_t i = 0; words[i]; i++)
        free(words[i]);
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

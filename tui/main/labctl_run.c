/* labctl_run.c: from a command line to an engine: finds the lab and the node, and hands over. What acts on a
 * node's process (kill, start) is the same for both engines and is here. */
#include <string.h>

#include "base/err.h"
#include "lab/engine.h"
#include "main/labctl.h"

const char *ctl_node_name(struct ctl *c, char *buffer, size_t len)
{
    const char *asked = c->line.node ? c->line.node : c->lab.nodes[0].name;
    if (c->lab.engine == ENGINE_RABBITMQ) {
        snprintf(buffer, len, "%s%s", asked, strchr(asked, '@') ? "" : "@localhost");
    } else {
        const char *at = strchr(asked, '@');
        snprintf(buffer, len, "%.*s", at ? (int)(at - asked) : (int)strlen(asked), asked);
    }
    return buffer;
}

/* kill and start act on a process of this lab: the node has to be one of its nodes. */
static int own_node(struct ctl *c, const char *verb)
{
    if (c->lab.external) {
        fprintf(c->err, "Error: %s is not possible: this lab is an existing cluster, not started by lab up\n",
                verb);
        return CTL_UNAVAILABLE;
    }
    if (c->node < 0) {
        fprintf(c->err, "Error: %s: no node '%s' in the lab %s; its nodes are", verb, c->line.node,
                c->lab.path);
        for (size_t i = 0; i < c->lab.nodes_len; i++)
            fprintf(c->err, " %s", c->lab.nodes[i].name);
        fprintf(c->err, "\n");
        return CTL_USAGE;
    }
    return CTL_OK;
}

/* A verb that the engine's functions do; quiet leaves out the line that says what is being done. */
static int on_process(struct ctl *c, const char *verb, const char *doing, int (*fn)(struct ctl *, char **))
{
    int rc = own_node(c, verb);
    if (rc != CTL_OK)
        return rc;
    char name[320];
    ctl_node_name(c, name, sizeof(name));
    if (!ctl_option_on(&c->line, "quiet") && !ctl_option_on(&c->line, "silent")) {
        fprintf(c->out, "%s node %s ...\n", doing, name);
        fflush(c->out);
    }
    char *error = NULL;
    if (fn(c, &error) == 0)
        return CTL_OK;
    fprintf(c->err, "Error:\n%s\n", error ? error : "it did not happen");
    free(error);
    return CTL_UNAVAILABLE;
}

static int kill_node(struct ctl *c, char **error)
{
    return engine_kill_nodes(&c->lab, 1U << c->node, error);
}

static bool tell_waiting(void *arg, const char *text)
{
    struct ctl *c = arg;
    if (text)
        fprintf(c->err, "%s\n", text);
    fflush(c->err);
    return true;
}

static int start_node(struct ctl *c, char **error)
{
    return engine_start_node(&c->lab, (size_t)c->node, tell_waiting, c, error);
}

int ctl_kill(struct ctl *c)
{
    return on_process(c, "kill", "Killing (SIGKILL) the process of", kill_node);
}

int ctl_start(struct ctl *c)
{
    return on_process(c, "start", "Starting the process of", start_node);
}

/* What needs no lab: help, the version, and a line without a verb. -1: it does need one. */
static int without_lab(struct ctl *c)
{
    const char *verb = c->line.verb;
    if (ctl_option_on(&c->line, "help"))
        return ctl_usage(c->out, CTL_OK);
    if (!verb)
        return ctl_usage(c->err, CTL_USAGE);
    return strcmp(verb, "help") == 0 || strcmp(verb, "version") == 0 ? ctl_kit(c) : -1;
}

/* lab stands beside labctl: it is called by the same path */
static char *no_lab_text(const struct ctl *c)
{
    const char *slash = strrchr(c->line.program, '/'), *up[] = {"up", NULL};
    char *program = format_text("%.*slab", slash ? (int)(slash + 1 - c->line.program) : 0, c->line.program);
    char *typed = engine_called(&c->lab, program, up);
    char *text =
        format_text("no lab in %s: start one with `%s` (or name its folder with --dir)", c->lab.path, typed);
    free(program);
    free(typed);
    return text;
}

static int with_lab(struct ctl *c)
{
    char *error = NULL;
    int err = labdir_load(&c->lab, c->line.dir, &error);
    if (err == ERR_NOT_FOUND) {
        free(error);
        error = no_lab_text(c);
    }
    if (err) {
        fprintf(c->err, "Error: %s\n", error ? error : "the lab's folder cannot be read");
        free(error);
        return CTL_CONFIG;
    }
    c->node = labdir_find_node(&c->lab, c->line.node ? c->line.node : c->lab.nodes[0].name);
    return c->lab.engine == ENGINE_RABBITMQ ? ctl_rabbitmq(c) : ctl_kit(c);
}

int ctl_run(int argc, char **argv, FILE *out, FILE *err)
{
    struct ctl c = {.node = -1, .out = out, .err = err};
    ctl_line_parse(&c.line, argc, argv);
    int rc = without_lab(&c);
    if (rc < 0)
        rc = with_lab(&c);
    ctl_line_finish(&c.line);
    if (fflush(out) != 0 && rc == CTL_OK)
        rc = CTL_SOFTWARE;
    return rc;
}

/* refused.c: see refused.h. The words of labctl and of rabbitmqctl are the same but for the tool's name, so
 * one list serves both engines. */
#include "refused.h"
#include "ran.h"

#include <stdlib.h>

#include "apart.h"
#include "commands.h"
#include "lab/engine.h"
#include "verbs.h"
#include "view.h"
#include "words.h"

/* text has this line, whole */
static bool has_line(const char *text, const char *line)
{
    size_t len = strlen(line);
    for (const char *at = text; (at = strstr(at, line)); at++)
        if ((at == text || at[-1] == '\n') && (at[len] == '\n' || !at[len]))
            return true;
    return false;
}

/* The first word after the verb that is no option: a queue's, a policy's name. */
static const char *first_word(const struct command *c, const char *verb)
{
    size_t i = 0;
    while (c->argv[i] && strcmp(c->argv[i], verb) != 0)
        i++;
    for (i += c->argv[i] != NULL; c->argv[i]; i++)
        if (c->argv[i][0] != '-')
            return c->argv[i];
    return "?";
}

/* NULL: it has none */
static const char *option_of(const struct command *c, const char *option)
{
    for (size_t i = 0; c->argv[i]; i++)
        if (strcmp(c->argv[i], option) == 0)
            return c->argv[i + 1];
    return NULL;
}

static const char *node_of(const struct command *c)
{
    for (size_t i = 0; c->argv[i] && c->argv[i + 1]; i++)
        if (strcmp(c->argv[i], "-n") == 0 || strcmp(c->argv[i], "--node") == 0)
            return c->argv[i + 1];
    return "node1"; /* labctl's own choice */
}

/* How a node is started once it is selected: a does it, unless a is an answer now. node: NULL: not known
 * which; silent: it was heard that its process does not run. */
static const char *start_words(const struct model *m, const char *node, bool silent)
{
    int at = node && m->snapshot ? snapshot_node_index(m->snapshot, node) : -1;
    if (!question_keeps(m, 'a'))
        return _("a starts it");
    return silent || strcmp(command_start_verb(m, at), "start") == 0 ? _(":start starts it")
                                                                     : _(":start_app starts it");
}

/* The node that a queue waits for, by name; NULL: nobody has seen where it is. */
static const char *holder_of(const struct model *m, const char *queue)
{
    const struct queue_seen *q = m->snapshot ? snapshot_queue(m->snapshot, queue) : NULL;
    const struct away *a = model_away(m, queue);
    node_bits copies = a ? a->copies : 0;
    int at = q && q->master >= 0 ? q->master : copies ? __builtin_ctz(copies) : -1;
    return at >= 0 && at < (int)m->snapshot->nodes_len ? m->snapshot->nodes[at].name : NULL;
}

/* node: who was asked; NULL: not known */
static char *unreached_text(const struct model *m, const char *queue, const char *node)
{
    int at = node && m->snapshot ? snapshot_node_index(m->snapshot, node) : -1;
    int serves = apart_served_by(m, queue, at);
    if (serves >= 0)
        return format_text(_("%s does not see %s, which serves %s: arrows select %s, and do it there"), node,
                           m->snapshot->nodes[serves].name, queue, m->snapshot->nodes[serves].name);
    return format_text(_("%s cannot be reached: no node that runs may serve it. Start the one that holds it: "
                         "arrows select it, %s"),
                       queue, start_words(m, holder_of(m, queue), false));
}

/* What was said of a queue. */
static char *queue_refused(const struct model *m, const char *said, const char *queue, const char *node)
{
    int at = m->snapshot ? snapshot_node_index(m->snapshot, node) : -1;
    if (has_line(said, "not_mirrored") && at >= 0 && snapshot_apart_from(m->snapshot, at))
        return format_text(_("not_mirrored: no mirror of %s is on %s's side of the partition"), queue, node);
    if (has_line(said, "not_mirrored"))
        return format_text(
            _("not_mirrored: %s has no mirrors to copy to. P sets a policy that gives it some: "
              "pattern ^%s, exactly 2"),
            queue, queue);
    if (has_line(said, "not_syncing"))
        return format_text(
            _("not_syncing: nothing is copied to mirrors of %s now, so nothing was cancelled. S "
              "begins it where a mirror is not in sync (u)"),
            queue);
    const struct queue_seen *q = m->snapshot ? snapshot_queue(m->snapshot, queue) : NULL;
    bool missing = has_line(said, "not_found") || has_line(said, "Queue not found");
    bool unserved = q && (q->state == QUEUE_SEEN_STOPPED || q->state == QUEUE_SEEN_DOWN);
    if (missing && q && (unserved || apart_served_by(m, queue, at) >= 0))
        return unreached_text(m, queue, node);
    if (missing)
        return format_text(
            _("there is no queue %s: it was deleted, or its name is another one. 1 shows those "
              "there are"),
            queue);
    return NULL;
}

static char *policy_refused(const char *said, const char *policy)
{
    if (has_line(said, "Parameter does not exist"))
        return format_text(_("there is no policy %s: :list_policies shows those there are"), policy);
    if (has_line(said, "JSON decoding error. Reason: badarg"))
        return xstrdup(_("the definition is no JSON: write it in single quotes, such as "
                         "'{\"ha-mode\":\"all\"}', or press P for a form"));
    if (strstr(said, "is not a valid ha-mode value"))
        return xstrdup(
            _("ha-mode is one of all, exactly, nodes: '{\"ha-mode\":\"exactly\",\"ha-params\":2}', "
              "or press P for a form"));
    if (strstr(said, "ha-mode=\"exactly\" takes an integer"))
        return xstrdup(_("exactly needs ha-params, how many copies: "
                         "'{\"ha-mode\":\"exactly\",\"ha-params\":2}', or press P for a form"));
    if (strstr(said, "ha-mode=\"nodes\""))
        return xstrdup(_("nodes needs ha-params, a list of their names: "
                         "'{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\"]}', or press P for a form"));
    return NULL;
}

/* A column that a list does not have: which it has. */
static char *column_refused(const char *said, const struct verb *v)
{
    static const char begin[] = "Info key(s) ";
    const char *unknown = strstr(said, begin);
    if (!unknown || !v->columns)
        return NULL;
    unknown += strlen(begin);
    const char *end = strstr(unknown, " are not supported");
    int len = end ? (int)(end - unknown) : (int)strcspn(unknown, " \n");
    return format_text(_("%s has no column %.*s; Tab completes those it has: %s"), v->name, len, unknown,
                       v->columns);
}

/* "node1@localhost" is node1 of the lab. */
static bool is_of_lab(const struct model *m, const char *node)
{
    char *name = xstrndup(node, strcspn(node, "@"));
    bool is = !m->snapshot || snapshot_node(m->snapshot, name);
    free(name);
    return is;
}

/* Words that a verb does not take: mostly the node's name, which stands before the verb. The first one that
 * is no option's value. */
static char *words_refused(const struct model *m, const struct command *c, const char *said,
                           const struct verb *v)
{
    if (!strstr(said, "Error (argument validation): too many arguments."))
        return NULL;
    if (v->words[0] != WORD_NONE)
        return format_text(_("%s: too many words; it takes: %s"), v->name, v->usage);
    size_t i = 0;
    while (c->argv[i] && strcmp(c->argv[i], v->name) != 0)
        i++;
    for (i += c->argv[i] != NULL; c->argv[i] && (c->argv[i][0] == '-' || c->argv[i - 1][0] == '-');)
        i++;
    const char *word = c->argv[i] ? c->argv[i] : "?";
    char *nodes = m->snapshot ? nodes_text(m->snapshot, ~(node_bits)0) : xstrdup("?");
    const char *node = is_of_lab(m, word) ? word : node_of(c);
    char *text = format_text(_("%s takes no '%s' behind it: the node stands before the verb, as in "
                               ":-n %s %s; this lab has %s"),
                             v->name, word, node, v->name, nodes);
    free(nodes);
    return text;
}

/* What was said of who is in the cluster; other: the verb's own node. */
static char *member_refused(const struct model *m, const char *said, const char *node, const char *other)
{
    if (strstr(said, "{:not_a_cluster_node,"))
        return format_text(
            _("%s is not in the cluster, so nobody can forget it: :cluster_status shows who is"), other);
    if (strstr(said, "{:no_running_cluster_nodes,"))
        return format_text(_("nobody is left to let %s go: start another node of its cluster first, or "
                             ":force_reset empties it untold"),
                           node);
    if (has_line(said, "mnesia_not_running"))
        return format_text(_("%s does not run, so nobody can join it: start it first (arrows select it, %s)"),
                           other, start_words(m, other, false));
    return NULL;
}

static char *no_node_text(const struct model *m, const char *node)
{
    char *nodes = nodes_text(m->snapshot, ~(node_bits)0);
    char *text = format_text(_("this lab has no node %s: it has %s"), node, nodes);
    free(nodes);
    return text;
}

static char *node_refused(const struct model *m, const char *said, const char *node)
{
    bool silent = strstr(said, "Error: unable to perform an operation on node") != NULL;
    if (silent && !is_of_lab(m, node))
        return no_node_text(m, node);
    static const char lacks[] = "has no node '"; /* what cut and heal say */
    const char *strange = strstr(said, lacks);
    if (strange) {
        strange += strlen(lacks);
        char *name = xstrndup(strange, strcspn(strange, "'\n"));
        char *text = is_of_lab(m, name) ? NULL : no_node_text(m, name);
        free(name);
        return text;
    }
    if (silent)
        return format_text(
            _("%s does not answer: its process does not run. Arrows select it, %s; o shows all that was "
              "printed"),
            node, start_words(m, node, true));
    if (strstr(said, "app to be stopped on the target node"))
        return format_text(_("%s has to be stopped for this: arrows select it, s stops it"), node);
    if (strstr(said, "app to be running on the target node"))
        return format_text(_("%s is stopped: arrows select it, %s"), node, start_words(m, node, false));
    return NULL;
}

/* A start that waits: for a process that stands still; or for others, not because they do not run, where its
 * own links were cut from here. */
static char *start_waits(const struct model *m, const struct command *c)
{
    const char *verb = verb_of((const char *const *)c->argv), *node = node_of(c);
    bool starts = verb && (strcmp(verb, "start_app") == 0 || strcmp(verb, "start") == 0);
    int at = m->snapshot ? snapshot_node_index(m->snapshot, node) : -1;
    bool stops = verb && strcmp(verb, "stop_app") == 0, seen = at >= 0 && (starts || stops);
    if (seen && m->snapshot->nodes[at].unrefused && !m->snapshot->nodes[at].gone)
        return format_text(_("%s stands still, or is cut off from here: arrows select it, K kills it."),
                           node);
    if (!starts || at < 0 || !(m->cut >> at & 1) || !strstr(text_str(&c->output), ENGINE_WAITS))
        return NULL;
    return format_text(_("%s waits for the other nodes, and its links to them were cut: x heals"), node);
}

/* A program of a lesson, by the broker's answer: its words are what the lesson is about, so they stay. Run by
 * a step it is refused because that is what the step shows: what it printed is all there is to say. */
static char *program_refused(const struct model *m, const struct command *c)
{
    const char *said = text_str(&c->output), *error = strstr(said, "404 NOT_FOUND");
    const char *queue = option_of(c, "--queue"), *port = option_of(c, "--port");
    const char *node = port ? command_node_at(m, port) : NULL;
    if (c->step >= 0 || !c->exit_code || !error || !queue ||
        (!strstr(error, "stopped by supervisor") && !strstr(error, "down or inaccessible")))
        return NULL;
    const char *end = strstr(error, ", class-id");
    char *advice = unreached_text(m, queue, node);
    char *text = format_text("%.*s. %s", end ? (int)(end - error) : (int)strcspn(error, "\n"), error, advice);
    free(advice);
    return text;
}

char *uncounted_text(const struct command *c)
{
    if (!c->uncounted || c->running || c->exit_code)
        return NULL;
    return format_text(_("%s is deleted; how many messages it had is not known: its node is away"),
                       first_word(c, "delete_queue"));
}

char *refused_text(const struct model *m, const struct command *c)
{
    if (c->running)
        return start_waits(m, c);
    const char *said = c->output.s, *verb = verb_of((const char *const *)c->argv);
    if (said && strcmp(c->argv[0], "labctl") != 0)
        return program_refused(m, c);
    if (!said || !verb)
        return NULL;
    int told_len = 0;
    const char *told = c->exit_code ? command_told(c, &told_len) : NULL;
    if (told)
        return format_text(_("not all could be told; %.*s did as told. o shows all that was printed"),
                           told_len, told);
    char *text = c->exit_code ? node_refused(m, said, node_of(c)) : uncounted_text(c);
    if (!text && c->exit_code)
        text = member_refused(m, said, node_of(c), first_word(c, verb));
    const struct verb *v = verb_find(verb);
    if (!text && c->exit_code && v)
        text = column_refused(said, v);
    if (!text && c->exit_code && v)
        text = words_refused(m, c, said, v);
    bool acts = v && v->acts; /* what a list shows is no refusal */
    if (!text && acts && v->words[0] == WORD_QUEUE)
        text = queue_refused(m, said, first_word(c, verb), node_of(c));
    if (!text && acts && v->words[0] == WORD_POLICY)
        text = policy_refused(said, first_word(c, verb));
    return text;
}

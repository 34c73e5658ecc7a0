/* commands.c: from a key and a selection to the words that are run; see commands.h. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>

/* a word as one would type it into a shell */
static void add_word(struct text *t, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
    if (t->len)
        text_add(t, " ");
    if (*word && word[strspn(word, plain)] == '\0') {
        text_add(t, word);
        return;
    }
    text_add(t, "'");
    for (; *word; word++) {
        if (*word == '\'')
            text_add(t, "'\\''");
        else
            text_add_bytes(t, word, 1);
    }
    text_add(t, "'");
}

/* a program is known by its name, wherever it stands */
static char *shell_text(const char *const *words)
{
    struct text text = {0};
    const char *slash = words[0] ? strrchr(words[0], '/') : NULL;
    for (size_t i = 0; words[i]; i++)
        add_word(&text, i == 0 && slash ? slash + 1 : words[i]);
    return text.s ? text.s : xstrdup("");
}

struct command *command_of(const char *const *words, int step)
{
    struct command *c = xcalloc(1, sizeof(*c));
    size_t len = 0;
    while (words[len])
        len++;
    c->argv = xcalloc(len + 1, sizeof(*c->argv));
    for (size_t i = 0; i < len; i++)
        c->argv[i] = xstrdup(words[i]);
    c->text = shell_text(words);
    c->step = step;
    return c;
}

static const char *selected_node(struct model *m)
{
    if (m->snapshot && m->node < (int)m->snapshot->nodes_len)
        return m->snapshot->nodes[m->node].name;
    model_say(m, "no node is selected yet");
    return NULL;
}

static const char *selected_queue(struct model *m)
{
    if (!m->queue)
        model_say(m, "there is no queue yet: n runs the lesson's next step");
    return m->queue;
}

/* a node that runs: the selected one if it does */
static const char *running_node(struct model *m)
{
    const char *node = NULL;
    for (size_t i = 0; m->snapshot && i < m->snapshot->nodes_len; i++)
        if (m->snapshot->nodes[i].state == NODE_UP && (!node || (int)i == m->node))
            node = m->snapshot->nodes[i].name;
    if (!node)
        model_say(m, "no node runs: select one with the arrow keys and press a");
    return node;
}

static struct command *on_node(struct model *m, const char *verb)
{
    const char *node = selected_node(m);
    const char *words[] = {"labctl", "-n", node, verb, NULL};
    return node ? command_of(words, COMMAND_OF_KEY) : NULL;
}

static struct command *on_queue(struct model *m, const char *verb)
{
    const char *queue = selected_queue(m), *node = queue ? running_node(m) : NULL;
    const char *words[] = {"labctl", "-n", node, verb, queue, NULL};
    return node ? command_of(words, COMMAND_OF_KEY) : NULL;
}

/* A node whose process was killed has to be started as a process; one that was stopped in order, as an app.
 */
static struct command *start_selected(struct model *m)
{
    const char *node = selected_node(m);
    bool killed = m->killed & ((node_bits)1 << m->node);
    const char *words[] = {"labctl", "-n", node, killed ? "start" : "start_app", NULL};
    return node ? command_of(words, COMMAND_OF_KEY) : NULL;
}

/* ---- the lesson's own programs
 * --------------------------------------------------------------------------------- */

/* The words of the first step that runs this program; NULL if none does. */
static char **words_of_program(const struct model *m, const char *program)
{
    for (size_t i = 0; m->lesson && i < m->lesson->steps_len; i++) {
        char **action = m->lesson->steps[i].action;
        const char *slash = action ? strrchr(action[0], '/') : NULL;
        if (action && strcmp(slash ? slash + 1 : action[0], program) == 0)
            return action;
    }
    return NULL;
}

/* The lesson's producer or consumer as a step runs it, but for the selected queue and through this node. */
static struct command *on_program(struct model *m, const char *program)
{
    char **words = words_of_program(m, program), port[8] = "";
    const char *queue = selected_queue(m), *node = queue ? running_node(m) : NULL;
    int at = node && m->lab ? labdir_find_node(m->lab, node) : -1;
    if (!words && queue)
        model_say(m, "%s",
                  m->lesson ? "no step of this lesson runs such a program" : "no lesson is open: lab 7");
    if (!words || at < 0)
        return NULL;
    snprintf(port, sizeof(port), "%u", m->lab->nodes[at].amqp_port);
    const struct {
        const char *option, *value;
    } ours[] = {{"--queue", queue}, {"--port", port}, {"--host", m->lab->nodes[at].host}};
    struct command *c = command_of((const char *const *)words, COMMAND_OF_KEY);
    for (size_t i = 0; c->argv[i] && c->argv[i + 1]; i++)
        for (size_t o = 0; o < ARRAY_LEN(ours); o++)
            if (strcmp(c->argv[i], ours[o].option) == 0) {
                free(c->argv[i + 1]);
                c->argv[i + 1] = xstrdup(ours[o].value);
            }
    free(c->text);
    c->text = shell_text((const char *const *)c->argv);
    return c;
}

static struct command *restart_lesson(struct model *m)
{
    const char *words[] = {"lab", "clean", NULL};
    if (!m->lesson) {
        model_say(m, "no lesson is open: lab 7 opens lesson 7");
        return NULL;
    }
    struct command *c = command_of(words, COMMAND_CLEAN);
    free(c->text);
    c->text = format_text("(begin lesson %d again)", m->lesson->number);
    return c;
}

struct command *command_for(struct model *m, enum request request)
{
    switch (request) {
    case REQUEST_STOP: return on_node(m, "stop_app");
    case REQUEST_START: return start_selected(m);
    case REQUEST_KILL: return on_node(m, "kill");
    case REQUEST_RESTART: return restart_lesson(m);
    case REQUEST_SYNC: return on_queue(m, "sync_queue");
    case REQUEST_CANCEL_SYNC: return on_queue(m, "cancel_sync_queue");
    case REQUEST_PUBLISH: return on_program(m, "producer");
    case REQUEST_GET: return on_program(m, "consumer");
    case REQUEST_NONE:
    case REQUEST_NEXT:
    case REQUEST_REPEAT:
    case REQUEST_QUIT:
    case REQUEST_HELP:
    case REQUEST_POLICY:
    case REQUEST_NODE_BEFORE:
    case REQUEST_NODE_AFTER:
    case REQUEST_QUEUE_BEFORE:
    case REQUEST_QUEUE_AFTER:
    case REQUEST_PAGE_BEFORE:
    case REQUEST_PAGE_AFTER:
    case REQUEST_VIEW_CLUSTER:
    case REQUEST_VIEW_EVENTS:
    case REQUEST_VIEW_LESSON:
    case REQUEST_BACK:
    case REQUEST_LATER:
    case REQUEST_REDRAW: break;
    }
    return NULL;
}

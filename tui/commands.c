/* commands.c: from a key and a selection to the words that are run; see commands.h. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "apart.h"
#include "verbs.h"
#include "words.h"

char *shell_word(const char *word)
{
    struct text t = {0};
    text_add_shell_word(&t, word);
    return t.s;
}

const char *command_node_at(const struct model *m, const char *port)
{
    unsigned long wanted = strtoul(port, NULL, 10);
    for (size_t i = 0; m->lab && i < m->lab->nodes_len; i++)
        if (m->lab->nodes[i].amqp_port == wanted)
            return m->lab->nodes[i].name;
    for (void *at = m->lab ? NULL : json_object_iter((json_t *)m->ports); at;
         at = json_object_iter_next((json_t *)m->ports, at))
        if ((unsigned long)json_integer_value(json_object_iter_value(at)) == wanted)
            return json_object_iter_key(at);
    return NULL;
}

/* a program is known by its name, wherever it stands */
static char *shell_text(const char *const *words)
{
    struct text text = {0};
    const char *slash = words[0] ? strrchr(words[0], '/') : NULL;
    for (size_t i = 0; words[i]; i++)
        text_add_shell_word(&text, i == 0 && slash ? slash + 1 : words[i]);
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
    model_say(m, _("no node is selected yet"));
    return NULL;
}

static const char *selected_queue(struct model *m)
{
    if (!m->queue)
        model_say(m, _("there is no queue yet: n runs the lesson's next step"));
    return m->queue;
}

const char *model_running_node(const struct model *m)
{
    const char *node = NULL;
    for (size_t i = 0; m->snapshot && i < m->snapshot->nodes_len; i++)
        if (m->snapshot->nodes[i].state == NODE_UP && (!node || (int)i == m->node))
            node = m->snapshot->nodes[i].name;
    return node;
}

/* the same, and a message if none does */
static const char *running_node(struct model *m)
{
    const char *node = model_running_node(m);
    if (!node)
        model_say(m, _("no node runs: select one with the arrow keys and press a"));
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

const char *command_start_verb(const struct model *m, int node)
{
    bool seen = m->snapshot && node >= 0 && node < (int)m->snapshot->nodes_len;
    bool killed = seen && ((m->killed & ((node_bits)1 << node)) || m->snapshot->nodes[node].gone);
    return killed ? "start" : "start_app";
}

static struct command *start_selected(struct model *m)
{
    const char *node = selected_node(m);
    const char *words[] = {"labctl", "-n", node, command_start_verb(m, m->node), NULL};
    return node ? command_of(words, COMMAND_OF_KEY) : NULL;
}

/* A recording's action may be anything. */
const char *step_of_app(const struct lesson_step *s, const char *verb)
{
    char **a = s->action;
    bool is = a && a[0] && strcmp(a[0], "labctl") == 0 && a[1] && a[2] && a[3] && strcmp(a[3], verb) == 0;
    return is ? a[2] : NULL;
}

struct command *command_step(const struct model *m, size_t step)
{
    const struct lesson_step *s = &m->lesson->steps[step];
    const char *node = step_of_app(s, "start_app");
    const struct node_seen *n = node && m->snapshot ? snapshot_node(m->snapshot, node) : NULL;
    if (n && n->gone) { /* there is no app to start in a process that is not there */
        const char *words[] = {"labctl", "-n", node, "start", NULL};
        return command_of(words, (int)step);
    }
    struct command *c = command_of((const char *const *)s->action, (int)step);
    if (s->action_text) {
        free(c->text);
        c->text = xstrdup(s->action_text);
    }
    return c;
}

/* ---- the lesson's own programs
 * --------------------------------------------------------------------------------- */

const char *command_program(const struct lesson *l, const char *program)
{
    for (size_t i = 0; l && i < l->steps_len; i++) {
        char **action = l->steps[i].action;
        const char *slash = action ? strrchr(action[0], '/') : NULL;
        if (action && strcmp(slash ? slash + 1 : action[0], program) == 0)
            return action[0];
    }
    return NULL;
}

/* The lesson's own producer or consumer, or that of a lesson that has one; NULL: there is none. */
static const char *program_path(const struct model *m, const char *program)
{
    const char *path = command_program(m->lesson, program);
    return path ? path : command_program(m->tools, program);
}

/* more: up to NULL; empty words are left out */
static struct command *on_program(const struct model *m, const char *path, const char *queue,
                                  const char *const *more)
{
    const char *node = model_running_node(m);
    int at = node && m->lab ? labdir_find_node(m->lab, node) : -1;
    char port[8];
    if (!path || !queue || at < 0)
        return NULL;
    snprintf(port, sizeof(port), "%u", m->lab->nodes[at].amqp_port);
    const char *words[16] = {path, "--host", m->lab->nodes[at].host, "--port", port, "--queue", queue};
    for (size_t i = 0, len = 7; more[i] && len + 1 < ARRAY_LEN(words); i++)
        if (*more[i])
            words[len++] = more[i];
    struct command *c = command_of(words, COMMAND_OF_KEY);
    const char *selected = m->snapshot->nodes[m->node].name;
    if (strcmp(selected, node) != 0)
        c->other = format_text(_("%s is away: through %s"), selected, node);
    return c;
}

struct command *command_publish(const struct model *m, const char *queue, const char *count, const char *text,
                                bool persistent, bool confirm)
{
    bool many = strcmp(count, "1") != 0 && *count, own = *text && strcmp(text, "Hello World") != 0;
    const char *const more[] = {own ? "--message" : "",
                                own ? text : "",
                                many ? "--count" : "",
                                many ? count : "",
                                persistent ? "--persistent" : "",
                                confirm ? "--confirm" : "",
                                NULL};
    const char *newest = persistent || confirm ? command_program(m->tools, "producer") : NULL;
    return on_program(m, newest ? newest : program_path(m, "producer"), queue, more);
}

/* -1: nobody can say */
static int64_t ready_in(const struct model *m, const char *queue)
{
    const struct queue_seen *q = m->snapshot && queue ? snapshot_queue(m->snapshot, queue) : NULL;
    return q ? q->ready : -1;
}

char *command_all_wrong(const struct model *m, const char *queue)
{
    int64_t ready = ready_in(m, queue);
    return ready < 0    ? format_text(_("how many messages %s has nobody can say now: write a number"), queue)
           : ready == 0 ? format_text(_("%s has no message that is ready"), queue)
                        : NULL;
}

/* With acknowledgements, so that no more leaves the queue than is printed. The first lessons' consumers have
 * none: it is that of the newest lesson. */
struct command *command_get(const struct model *m, const char *queue, const char *count)
{
    const char *newest = command_program(m->tools, "consumer");
    char ready[24];
    if (strcmp(count, COUNT_ALL) == 0) {
        if (ready_in(m, queue) < 1)
            return NULL;
        snprintf(ready, sizeof(ready), "%lld", (long long)ready_in(m, queue));
        count = ready;
    }
    bool many = strcmp(count, "1") != 0;
    const char *const more[] = {many ? "--count" : "", many ? count : "", newest ? "--manual-ack" : "", NULL};
    return on_program(m, newest ? newest : program_path(m, "consumer"), queue, more);
}

void command_why_not(struct model *m, const char *program)
{
    if (!selected_queue(m) || !running_node(m))
        return;
    if (!program_path(m, program))
        model_say(m, _("no lesson has a %s that is built: run make"), program);
    else
        model_say(m, _("there is no lab to run a %s on"), program);
}

/* ---- what is asked first
 * ---------------------------------------------------------------------------------------- */

enum danger command_danger(const struct command *c)
{
    const struct verb *v =
        c->step == COMMAND_OF_KEY ? verb_find(verb_of((const char *const *)c->argv)) : NULL;
    return c->step == COMMAND_CLEAN   ? DANGER_CLEAN
           : c->step == COMMAND_GO_ON ? DANGER_GO_ON
           : v                        ? v->danger
                                      : DANGER_NONE;
}

bool command_wakes(const struct command *c)
{
    static const char *const verbs[] = {"start", "start_app", "heal", "force_boot", "reset", "force_reset"};
    const char *verb = verb_of((const char *const *)c->argv);
    bool wakes = c->step == COMMAND_CLEAN || c->step == COMMAND_GO_ON; /* they start all nodes first */
    for (size_t i = 0; verb && i < ARRAY_LEN(verbs); i++)
        wakes = wakes || (strcmp(c->argv[0], "labctl") == 0 && strcmp(verb, verbs[i]) == 0);
    return wakes;
}

bool command_acts(const struct command *c)
{
    bool labctl = strcmp(c->argv[0], "labctl") == 0;
    const struct verb *v = labctl ? verb_find(verb_of((const char *const *)c->argv)) : NULL;
    return !v || v->acts;
}

bool command_heals(const struct model *m, int node)
{
    if (!m->snapshot || node < 0 || (size_t)node >= m->snapshot->nodes_len)
        return false;
    const struct node_seen *n = &m->snapshot->nodes[node];
    bool alone = n->answers && n->said_down_by; /* it answers us, and not the others */
    node_bits up = 0;
    for (size_t i = 0; i < m->snapshot->nodes_len; i++) /* a link to one that does not run is not cut */
        up |= m->snapshot->nodes[i].state == NODE_UP ? (node_bits)1 << i : 0;
    return !apart_links_back(m->snapshot, node) &&
           ((m->cut & ((node_bits)1 << node)) || (apart_listed(m, node) & up) || alone);
}

bool command_cut_heals(const struct model *m)
{
    return command_heals(m, m->node);
}

static bool stops(const struct command *c, const char *node)
{
    const char *verb = c && c->running ? verb_of((const char *const *)c->argv) : NULL;
    return verb && strcmp(verb, "stop_app") == 0 && strcmp(c->argv[0], "labctl") == 0 && c->argv[1] &&
           strcmp(c->argv[1], "-n") == 0 && c->argv[2] && strcmp(c->argv[2], node) == 0;
}

bool command_still_stops(const struct model *m, int node)
{
    if (!m->snapshot || node < 0 || (size_t)node >= m->snapshot->nodes_len)
        return false;
    const char *name = m->snapshot->nodes[node].name;
    bool any = stops(m->command, name);
    for (size_t i = 0; i < m->others.len; i++)
        any = any || stops(m->others.items[i], name);
    return any;
}

/* RabbitMQ refuses to start it until then. */
static bool waits_for_its_stop(struct model *m)
{
    bool waits = command_still_stops(m, m->node);
    if (waits)
        model_say(m, _("%s is still being stopped: a starts it when that has ended"),
                  m->snapshot->nodes[m->node].name);
    return waits;
}

/* Every link that is cut is one of this node's: healing those heals the cluster. */
static bool has_all_cut_links(const struct model *m, int node)
{
    const struct snapshot *s = m->snapshot;
    for (int i = 0; i < (int)s->nodes_len; i++)
        for (int other = 0; other < i; other++) {
            bool cut = ((m->cut >> i | m->cut >> other) & 1) ||
                       (snapshot_apart(s, i, other) && !snapshot_met(s, i, other));
            if (cut && i != node && other != node)
                return false;
        }
    return true;
}

/* A node that was cut off from the others is given its links back, any other is cut off. Of one that misses
 * only others that were cut off all links are healed: x is said to heal, and the cut may be another node's.
 */
static struct command *cut_selected(struct model *m)
{
    const char *node = selected_node(m);
    if (!node)
        return NULL;
    if (apart_links_back(m->snapshot,
                         m->node)) { /* no link is cut: mending them again would change nothing */
        char *advice = apart_advice(m);
        model_say(m, "%s", advice);
        free(advice);
        return NULL;
    }
    bool heals = command_cut_heals(m);
    const char *which = heals && !has_all_cut_links(m, m->node) ? NULL : node;
    const char *words[] = {"labctl", "-n", node, heals ? "heal" : "cut", which, NULL};
    return command_of(words, COMMAND_OF_KEY);
}

static struct command *restart_lesson(struct model *m)
{
    VEC(const char *) words = {0};
    const struct policy_seen *policy;
    size_t at = 0;
    if (!m->lesson) {
        model_say(m, _("no lesson is open: lab 7 opens lesson 7"));
        return NULL;
    }
    VEC_PUSH(&words, "lab");
    VEC_PUSH(&words, "clean");
    while (m->snapshot && (policy = lesson_in_the_way(m->lesson, m->snapshot, &at, NULL)))
        VEC_PUSH(&words, policy->name);
    VEC_PUSH(&words, NULL);
    struct command *c = command_of(words.items, COMMAND_CLEAN);
    VEC_FREE(&words);
    free(c->text);
    c->text = format_text(_("(begin lesson %d again)"), m->lesson->number);
    return c;
}

static struct command *lesson_beside(struct model *m, bool back)
{
    int number = back ? m->earlier_lesson : m->next_lesson;
    char digits[16];
    const char *words[] = {"lab", "go on", digits, NULL};
    if (!number) {
        model_say(m, "%s",
                  back ? _("there is no lesson before this one") : _("there is no lesson after this one"));
        return NULL;
    }
    snprintf(digits, sizeof(digits), "%d", number);
    struct command *c = command_of(words, COMMAND_GO_ON);
    free(c->text);
    c->text = format_text(back ? _("(go back to lesson %d)") : _("(go on to lesson %d)"), number);
    return c;
}

struct command *command_for(struct model *m, enum request request)
{
    switch ((int)request) { /* the others run nothing */
    case REQUEST_STOP: return on_node(m, "stop_app");
    case REQUEST_START: return waits_for_its_stop(m) ? NULL : start_selected(m);
    case REQUEST_KILL: return on_node(m, "kill");
    case REQUEST_CUT: return cut_selected(m);
    case REQUEST_RESTART: return restart_lesson(m);
    case REQUEST_GO_ON: return lesson_beside(m, false);
    case REQUEST_GO_BACK: return lesson_beside(m, true);
    case REQUEST_SYNC: return on_queue(m, "sync_queue");
    case REQUEST_CANCEL_SYNC: return on_queue(m, "cancel_sync_queue");
    default: return NULL;
    }
}

/* advice.c: what brings a lesson's step on: one place decides it, for the step's own line, for n and for r,
 * and for the key that stands first in the bar. */
#include <stdlib.h>
#include <string.h>

#include "apart.h"
#include "commands.h"
#include "lab/engine.h"
#include "view.h"
#include "words.h"

static bool is_cut(const struct model *m, const struct node_seen *n)
{
    return n && m->cut >> (n - m->snapshot->nodes) & 1;
}

/* It says nothing, though no connection is refused: it is frozen, or cut off from here, so a start of it
 * would wait. */
static bool stands_still(const struct node_seen *n)
{
    return n->unrefused && !n->gone;
}

/* A partition is in the way: that, and what mends it. */
static char *parted_words(const struct model *m)
{
    char *advice = m->snapshot ? apart_advice(m) : NULL;
    char *text =
        advice ? format_text("%s %s", _(LESSON_LACKS_PARTED), advice) : xstrdup(_(LESSON_LACKS_PARTED));
    free(advice);
    return text;
}

static char *lacks_words(const struct model *m, const struct lesson_step *s)
{
    if (strcmp(s->lacks, LESSON_LACKS_PARTED) == 0)
        return parted_words(m);
    if (!s->lacks_at)
        return xstrdup(lesson_words(s->lacks));
    if (strcmp(s->lacks, LESSON_LACKS_START) == 0 && is_cut(m, snapshot_node(m->snapshot, s->lacks_at)))
        return format_text(
            _("%s does not run, and its links are cut: arrows select it, x heals them, a starts it."),
            s->lacks_at);
    json_t *fact = fact_with(s->lacks, json_string(s->lacks_at), NULL);
    char *text = fact_text(fact, lesson_words);
    json_decref(fact);
    return text;
}

char *step_lacks(const struct model *m, const struct lesson_step *s)
{
    bool went_well = s->action && s->acted && s->exit_code <= 0; /* or runs; what it used up is no reason */
    bool used_up = went_well && s->lacks && strcmp(s->lacks, LESSON_LACKS_QUEUE) != 0;
    bool parted = s->lacks && strcmp(s->lacks, LESSON_LACKS_PARTED) == 0;
    if (m->replay || (m->readonly && !parted)) /* what helps is a key, in the lesson's own words */
        return NULL;
    return s->lacks && !used_up ? lacks_words(m, s) : NULL;
}

/* the node that an action names, by name or by a client's port; NULL: none that is seen */
static const struct node_seen *node_of(const struct model *m, char *const *action)
{
    for (size_t i = 0; action[i] && m->snapshot; i++) {
        if (strcmp(action[i], "-n") == 0 && action[i + 1])
            return snapshot_node(m->snapshot, action[i + 1]);
        const char *at =
            strcmp(action[i], "--port") == 0 && action[i + 1] ? command_node_at(m, action[i + 1]) : NULL;
        if (at)
            return snapshot_node(m->snapshot, at);
    }
    return NULL;
}

char *step_failed_text(const struct model *m, const struct lesson_step *s)
{
    if (!s->action || !s->acted || s->exit_code <= 0 || s->by_hand)
        return NULL;
    const struct node_seen *n = node_of(m, s->action);
    bool starts = step_of_app(s, "start_app") != NULL;
    if (n && stands_still(n))
        return format_text(
            starts
                ? _("its program ended with exit code %d: %s does not answer, nor refuse connections, as one "
                    "that stands still. Arrows select it, K kills it; then r runs this once more")
                : _("its program ended with exit code %d: %s does not answer, nor refuse connections, as one "
                    "that stands still. Arrows select it, K kills it, a starts it; then r runs this once "
                    "more"),
            s->exit_code, n->name);
    if (n && !n->answers && !starts && is_cut(m, n))
        return format_text(
            _("its program ended with exit code %d: %s does not answer, and its links are cut. Arrows select "
              "it, x heals them, a starts it; then r runs this once more"),
            s->exit_code, n->name);
    if (n && !n->answers && !starts)
        return format_text(
            _("its program ended with exit code %d: %s does not answer. Arrows select it, a starts "
              "it; then r runs this once more"),
            s->exit_code, n->name);
    if (n && n->gone)
        return format_text(
            _("its program ended with exit code %d: the process of %s is gone; r runs labctl -n "
              "%s start"),
            s->exit_code, n->name, n->name);
    return format_text(_("its program ended with exit code %d; r runs it once more"), s->exit_code);
}

/* the key that the text of what it lacks names, where it is one */
static enum request lacks_key(const struct model *m, const struct lesson_step *s)
{
    if (strcmp(s->lacks, LESSON_LACKS_KILL) == 0 || strcmp(s->lacks, LESSON_LACKS_KILL_START) == 0)
        return REQUEST_KILL;
    bool start = strcmp(s->lacks, LESSON_LACKS_START) == 0;
    return start && !is_cut(m, snapshot_node(m->snapshot, s->lacks_at)) ? REQUEST_START : REQUEST_NONE;
}

enum request step_key(const struct model *m)
{
    size_t step = model_step(m);
    if (!m->lesson || step == m->lesson->steps_len)
        return REQUEST_NONE;
    const struct lesson_step *s = &m->lesson->steps[step];
    char *lacks = step_lacks(m, s), *failed = lacks ? NULL : step_failed_text(m, s);
    bool was_run = s->by_hand || (s->acted && s->exit_code == 0);
    char *cure = !lacks && !failed && was_run ? step_cure(m, step) : NULL; /* n would only say the same */
    const struct node_seen *n = failed ? node_of(m, s->action) : NULL;
    enum request key = lacks                                             ? lacks_key(m, s)
                       : cure                                            ? REQUEST_NONE
                       : !failed                                         ? REQUEST_NEXT
                       : n && stands_still(n)                            ? REQUEST_KILL
                       : !n || n->answers || step_of_app(s, "start_app") ? REQUEST_REPEAT
                       : is_cut(m, n)                                    ? REQUEST_NONE /* x, then a */
                                                                         : REQUEST_START;
    free(lacks);
    free(failed);
    free(cure);
    return key;
}

static char *joins_text(const struct model *m, size_t i, const char *missing)
{
    char *advice = apart_advice(m);
    char *text = !*missing ? parted_words(m)
                 : advice  ? format_text(_("step %zu, not yet: %s. %s"), i + 1, missing, advice)
                           : format_text(_("step %zu, not yet: %s"), i + 1, missing);
    free(advice);
    return text;
}

static char *clears_text(const struct model *m, size_t i, const struct policy_seen *policy)
{
    char *program = format_text("%sctl", m->program ? m->program : "lab");
    const char *words[] = {"clear_policy", policy->name, NULL};
    char *typed = m->lab ? engine_called(m->lab, program, words)
                         : format_text("%s clear_policy %s", program, policy->name);
    char *text = format_text(_("step %zu, not yet: policy %s (%s) is in the way: %s (here with : in front of "
                               "clear_policy) clears it. B begins again without it."),
                             i + 1, policy->name, policy->pattern, typed);
    free(program);
    free(typed);
    return text;
}

/* format has the names of these nodes; NULL: there are none. A sentence before it (taken over; NULL: none) is
 * kept. */
static char *add_of_nodes(const struct model *m, char *before, node_bits nodes, const char *format)
{
    if (!nodes)
        return before;
    char *names = nodes_text(m->snapshot, nodes), *text = format_text(format, names);
    char *both = before ? two_sentences(before, text) : text;
    free(names);
    return both;
}

/* Besides the node that the step acts on some do not answer: who else is to say so? Which, and the key. NULL:
 * there are none. */
static char *starts_text(const struct model *m, const struct lesson_step *s)
{
    const struct node_seen *its = s->action ? node_of(m, s->action) : NULL;
    node_bits away = 0, still = 0, cut = 0;
    for (size_t i = 0; i < m->snapshot->nodes_len; i++) {
        const struct node_seen *n = &m->snapshot->nodes[i];
        node_bits bit = n->answers || n == its ? 0 : (node_bits)1 << i;
        still |= stands_still(n) ? bit : 0;
        cut |= is_cut(m, n) && !stands_still(n) ? bit : 0;
        away |= bit;
    }
    char *text = add_of_nodes(m, NULL, away & ~still & ~cut, _("Start %s: arrows select, a starts."));
    text = add_of_nodes(m, text, cut, _("Links of %s are cut: arrows select, x heals, a starts."));
    return add_of_nodes(
        m, text, still,
        _("%s: no answer, and no connection refused, as one that stands still: arrows select, "
          "K kills, a starts."));
}

/* The node that the step stops stands still: that is no stop yet. NULL: it does not. */
static char *kills_text(const struct model *m, const struct lesson_step *s)
{
    const char *name = step_of_app(s, "stop_app");
    const struct node_seen *n = name && m->snapshot ? snapshot_node(m->snapshot, name) : NULL;
    return n && stands_still(n)
               ? format_text(_("%s stands still, or is cut off from here: arrows select it, K kills it."),
                             name)
               : NULL;
}

/* What helps where nodes are too few, or stand still; NULL: nothing of that kind. */
static char *nodes_cure(const struct model *m, const struct lesson_step *s, enum lesson_help help)
{
    char *kills = help == LESSON_HELP_JOIN ? NULL : kills_text(m, s);
    return kills ? kills : help == LESSON_HELP_START_NODES ? starts_text(m, s) : NULL;
}

char *step_advice(const struct model *m, size_t i, enum lesson_help *help)
{
    const struct lesson_step *step = &m->lesson->steps[i];
    json_t *fact;
    const struct policy_seen *policy;
    *help = lesson_help(m->lesson, i, m->snapshot, &fact, &policy);
    char *missing = fact_text(fact, lesson_words), *text = step_lacks(m, step), *cure;
    json_decref(fact);
    text = text ? text : step_failed_text(m, step);
    if (text) {
        free(missing);
        return text;
    }
    cure = *missing ? nodes_cure(m, step, *help) : NULL;
    if (cure) {
        text = format_text(_("step %zu, not yet: %s. %s"), i + 1, missing, cure);
        free(missing);
        free(cure);
        return text;
    }
    switch (*help) {
    case LESSON_HELP_JOIN: text = joins_text(m, i, missing); break;
    case LESSON_HELP_CLEAR: text = clears_text(m, i, policy); break;
    case LESSON_HELP_START_NODES: text = format_text(_("step %zu, not yet: %s"), i + 1, missing); break;
    case LESSON_HELP_RESTART:
        text = format_text(_("step %zu, not yet: %s. If it stays so, B begins the lesson again."), i + 1,
                           missing);
        break;
    case LESSON_HELP_REPEAT:
        text = format_text(_("step %zu, not yet: %s. If it stays so, r runs it once more."), i + 1, missing);
        break;
    case LESSON_HELP_WAIT:
        text =
            step->by_hand && *missing ? format_text(_("step %zu, not yet: %s"), i + 1, missing)
            : step->by_hand           ? xstrdup(_("its node does not answer; now the nodes have to show it"))
            : step->action
                ? format_text(_("step %zu was run; the nodes have not shown its result yet"), i + 1)
                : format_text(_("step %zu has nothing to run: it is ticked when the nodes show it"), i + 1);
        break;
    }
    free(missing);
    return text;
}

char *step_cure(const struct model *m, size_t i)
{
    const struct lesson_step *step = &m->lesson->steps[i];
    enum lesson_help help;
    char *text = step_advice(m, i, &help);
    if (help == LESSON_HELP_CLEAR)
        return text;
    free(text);
    if (help == LESSON_HELP_JOIN)
        return parted_words(m);
    return nodes_cure(m, step, help);
}

/* acting.c: see acting.h. The rule it keeps: what cannot be undone is asked first, and the answer that Enter
 * gives is Cancel. */
#include "acting.h"

#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "find.h"
#include "lab/engine.h"
#include "prompt.h"
#include "ran.h"
#include "refused.h"
#include "overlay_keys.h"
#include "view.h"
#include "words.h"

/* ---- the question
 * ----------------------------------------------------------------------------------------------- */

enum effect acting_ask(struct model *m, struct command *command)
{
    if (!command)
        return EFFECT_DRAW;
    if (command_acts(command) && !command_wakes(command) && model_refuses_unanswered(m, command->text)) {
        command_destroy(command);
        return EFFECT_DRAW;
    }
    command_destroy(m->to_confirm);
    m->to_confirm = command;
    m->confirm_yes = false; /* Cancel is the default */
    m->overlay = OVERLAY_CONFIRM;
    return EFFECT_DRAW;
}

enum effect confirm_key(struct model *m, int key, struct command **run)
{
    enum ask ask = overlay_asks(OVER_CONFIRM, key);
    if (ask == ASK_OTHER) {
        m->confirm_yes = !m->confirm_yes;
        return EFFECT_DRAW;
    }
    bool yes = ask == ASK_YES || (ask == ASK_ENTER && m->confirm_yes);
    if (!yes && ask != ASK_CLOSE && ask != ASK_ENTER)
        return EFFECT_NONE;
    m->overlay = OVERLAY_NONE;
    if (yes) {
        *run = m->to_confirm;
    } else {
        model_say(m, "%s", cancelled_text());
        command_destroy(m->to_confirm);
    }
    m->to_confirm = NULL;
    return yes ? EFFECT_RUN : EFFECT_DRAW;
}

/* ---- copy, output, export
 * --------------------------------------------------------------------------------------- */

/* What is shown is short; what is copied does the same from any shell, to this lab and no other. A recording
 * has no lab to act on: its words are copied as they are. */
static enum effect copy(struct model *m)
{
    size_t step = model_step(m);
    const struct command *c = m->command && m->command->step != COMMAND_CLEAN ? m->command : NULL;
    struct command *next = NULL;
    if (!c && m->lesson && step < m->lesson->steps_len && m->lesson->steps[step].action)
        c = next = command_step(m, step);
    if (!c) {
        model_say(m, _("there is no command to copy yet"));
        return EFFECT_DRAW;
    }
    bool acts = m->lab && (!m->replay || m->time.paused);
    free(m->copy);
    m->copy = acts ? engine_typed(m->lab, (const char *const *)c->argv) : xstrdup(c->text);
    command_destroy(next);
    return EFFECT_COPY;
}

#define TITLE_COLUMNS 40

static enum effect show_output(struct model *m)
{
    char *uncounted = m->command ? uncounted_text(m->command) : NULL;
    if (uncounted) { /* the tool's own figure is not left to itself */
        char *whole = format_text("%s\n%s", text_str(&m->command->output), uncounted);
        pager_open(m, m->command->text, whole);
        free(whole);
        free(uncounted);
    } else if (m->command && strlen(m->command->text) > TITLE_COLUMNS) { /* no room for it in a title */
        char *whole = format_text("$ %s\n%s", m->command->text, text_str(&m->command->output));
        pager_open(m, m->command->text, whole);
        free(whole);
    } else if (m->command && m->command->output.len)
        pager_open(m, m->command->text, text_str(&m->command->output));
    else
        model_say(m, "%s", m->command ? _("it has printed nothing") : _("nothing was run yet"));
    return EFFECT_DRAW;
}

enum effect acting_export(struct model *m, const char *file)
{
    if (!m->happened.len) {
        model_say(m, "%s",
                  m->filters[FOUND_EVENTS]
                      ? _("no event passes the filter: nothing is written; 2, then Esc shows all")
                      : _("nothing has happened yet: nothing is written"));
        return EFFECT_DRAW;
    }
    free(m->export_to);
    m->export_to = file ? xstrdup(file) : NULL;
    return EFFECT_EXPORT;
}

/* ---- everything else
 * -------------------------------------------------------------------------------------------- */

/* The newest again: events follow what happens, the selection the queue that came last. */
static enum effect follow(struct model *m)
{
    m->scroll = 0;
    if (m->view == VIEW_CLUSTER)
        m->queue_chosen = false;
    model_say(m, "%s",
              m->view == VIEW_CLUSTER ? _("the newest queue is selected when one comes")
                                      : _("the newest is shown"));
    return EFFECT_DRAW;
}

static enum effect quit(struct model *m)
{
    bool recorded = m->replay && !m->time.paused; /* what ran when that was recorded does not run now */
    if (recorded || !model_runs(m) || m->quit_asked)
        return EFFECT_QUIT;
    const struct command *c = m->command->running ? m->command : m->others.items[m->others.len - 1];
    char *text = leaves_running_text(c);
    model_say(m, "%s", text);
    free(text);
    m->quit_asked = true;
    return EFFECT_DRAW;
}

/* command: NULL if there is nothing to act on; a message says why */
static enum effect run_command(struct model *m, struct command *command, struct command **run)
{
    if (!command)
        return EFFECT_DRAW;
    if (command_danger(command) != DANGER_NONE)
        return acting_ask(m, command);
    *run = command;
    return EFFECT_RUN;
}

static enum effect open_publish(struct model *m)
{
    struct command *c = command_publish(m, m->queue, "1", "", false, false);
    if (!c) {
        command_why_not(m, "producer");
        return EFFECT_DRAW;
    }
    command_destroy(c);
    input_set(&m->forms[FORM_PUBLISH].fields[PUBLISH_QUEUE], m->queue);
    /* each time: its text may well be the same again, but Enter alone publishes one, and never a hundred
     * thousand because the last ones were so many, nor one for the disk because they were: lessons turn on it
     */
    input_set(&m->forms[FORM_PUBLISH].fields[PUBLISH_COUNT], "1");
    input_set(&m->forms[FORM_PUBLISH].fields[PUBLISH_PERSISTENT], "no");
    form_open(m, FORM_PUBLISH);
    m->forms[FORM_PUBLISH].at = PUBLISH_COUNT;
    return EFFECT_DRAW;
}

static enum effect open_get(struct model *m)
{
    struct command *c = command_get(m, m->queue, "1");
    if (!c) {
        command_why_not(m, "consumer");
        return EFFECT_DRAW;
    }
    command_destroy(c);
    input_set(&m->forms[FORM_GET].fields[GET_QUEUE], m->queue);
    input_set(&m->forms[FORM_GET].fields[GET_COUNT], "1"); /* each time: Enter alone takes one */
    form_open(m, FORM_GET);
    m->forms[FORM_GET].at = GET_COUNT;
    return EFFECT_DRAW;
}

/* Beginning a lesson, this one again or one beside it, puts the nodes and queues as it wants them: nothing
 * else may be at it meanwhile. */
static enum effect begin_lesson(struct model *m, enum request request)
{
    if (!model_runs(m))
        return acting_ask(m, command_for(m, request));
    const struct command *c = m->command->running ? m->command : m->others.items[m->others.len - 1];
    char *text = still_running_text(c);
    model_say(m, "%s", text);
    free(text);
    return EFFECT_DRAW;
}

/* Elsewhere nobody would see what it does. */
static enum effect open_filter(struct model *m)
{
    if (m->view == VIEW_CLUSTER || m->view == VIEW_EVENTS)
        prompt_open(m, OVERLAY_FILTER);
    else
        model_say(m, "%s", _("/ filters the queues in view 1 and the events in view 2: go there first"));
    return EFFECT_DRAW;
}

enum effect acting(struct model *m, enum request request, struct command **run)
{
    switch ((int)request) {
    case REQUEST_POLICY: form_open(m, FORM_POLICY); return EFFECT_DRAW;
    case REQUEST_PUBLISH: return open_publish(m);
    case REQUEST_GET: return open_get(m);
    case REQUEST_RESTART:
    case REQUEST_GO_ON:
    case REQUEST_GO_BACK: return begin_lesson(m, request);
    case REQUEST_COMMAND: prompt_open(m, OVERLAY_COMMAND); return EFFECT_DRAW;
    case REQUEST_FILTER: return open_filter(m);
    case REQUEST_SORT_BEFORE: find_sort(m, -1); return EFFECT_DRAW;
    case REQUEST_SORT_AFTER: find_sort(m, 1); return EFFECT_DRAW;
    case REQUEST_FOLLOW: return follow(m);
    case REQUEST_COPY: return copy(m);
    case REQUEST_OUTPUT: return show_output(m);
    case REQUEST_EXPORT: return acting_export(m, NULL);
    case REQUEST_MOUSE:
        m->mouse = !m->mouse;
        model_say(m, "%s",
                  m->mouse ? _("the mouse selects and scrolls here; the same key gives it back")
                           : _("the mouse is the terminal's again: it marks text"));
        return EFFECT_MOUSE;
    case REQUEST_QUIT: return quit(m);
    default: return run_command(m, command_for(m, request), run);
    }
}

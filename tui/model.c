/* model.c: what snapshots and keys do to what is shown; see model.h. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>

#include "acting.h"
#include "apart.h"
#include "away.h"
#include "commands.h"
#include "find.h"
#include "history.h"
#include "kept.h"
#include "prompt.h"
#include "ran.h"
#include "overlay_keys.h"
#include "view.h"
#include "words.h"

/* Older than this, data is not called live: even where looks are spared (observer_spare), they come sooner.
 */
#define STALE_MS 3000

#define OTHERS_MAX 8 /* commands at once, besides the newest */

void model_init(struct model *m, struct lesson *lesson, const struct labdir *lab, bool readonly, bool replay)
{
    *m = (struct model){.lesson = lesson, .lab = lab, .readonly = readonly, .replay = replay};
    for (int i = 0; i < FORMS; i++)
        form_reset(&m->forms[i], (enum form_kind)i);
}

void model_finish(struct model *m)
{
    snapshot_destroy(m->snapshot);
    for (size_t i = 0; i < m->away.len; i++)
        free(m->away.items[i].queue);
    for (size_t i = 0; i < m->history.len; i++)
        free(m->history.items[i].queue);
    VEC_FREE(&m->lost_told);
    for (size_t i = 0; i < FORMS; i++)
        form_finish(&m->forms[i]);
    for (size_t i = 0; i < m->others.len; i++)
        command_destroy(m->others.items[i]);
    VEC_FREE(&m->others);
    goal_forget(m);
    find_finish(m);
    prompt_finish(m);
    free(m->pager.title);
    free(m->pager.text);
    free(m->copy);
    free(m->export_to);
    VEC_FREE(&m->away);
    VEC_FREE(&m->history);
    model_forget_touched(m);
    ledger_finish(&m->ledger);
    command_destroy(m->to_confirm);
    command_destroy(m->command);
    free(m->queue);
    free(m->message);
    json_decref(m->leftover);
    model_forget_fates(m);
    *m = (struct model){0};
}

void model_take_look(struct model *m, const struct model *from)
{
    m->view = from->view;
    m->node = from->node;
    m->node_last = from->node_last;
    m->scroll = from->scroll;
    m->folded = from->folded;
    m->e_from = from->e_from;
    m->e_from_scroll = from->e_from_scroll;
    m->life_id = from->life_id;
    m->life_chosen = from->life_chosen;
    m->life_expanded = from->life_expanded;
    m->queue_chosen = from->queue_chosen;
    free(m->queue);
    m->queue = from->queue ? xstrdup(from->queue) : NULL;
    for (size_t i = 0; i < FOUNDS; i++) {
        free(m->filters[i]);
        m->filters[i] = from->filters[i] ? xstrdup(from->filters[i]) : NULL;
    }
    m->sort = from->sort;
    m->mouse = from->mouse;
    find_again(m);
}

void model_say(struct model *m, const char *format, ...)
{
    struct text t = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    free(m->message);
    m->message = t.s;
    m->message_step = model_step(m);
}

void model_forget_fates(struct model *m)
{
    for (size_t i = 0; i < m->fates.len; i++) {
        free(m->fates.items[i].message);
        free(m->fates.items[i].fate);
        free(m->fates.items[i].where);
        free(m->fates.items[i].queue);
        json_decref(m->fates.items[i].life);
    }
    VEC_FREE(&m->fates);
}

bool model_only_looks(const struct model *m)
{
    return m->readonly || m->replay;
}

bool model_refuses(struct model *m, const char *what)
{
    if (m->readonly)
        model_say(m, _("%s does nothing here: this screen is read-only (--readonly)"), what);
    else if (m->replay && m->time.paused)
        model_say(m, _("%s does nothing here: the screen is paused; Space goes back to the lab"), what);
    else if (m->replay)
        model_say(m, _("%s does nothing here: this is a replay, not a lab"), what);
    return model_only_looks(m);
}

bool model_refuses_unanswered(struct model *m, const char *what)
{
    bool unanswered = m->snapshot && !m->replay && model_stale(m);
    if (unanswered && m->snapshot->moved_to)
        model_say(m, _("%s: not now. The lab runs on other ports now (AMQP %d): q, then call lab as before."),
                  what, m->snapshot->moved_to);
    else if (unanswered)
        model_say(m,
                  question_keeps(m, 'a') ? _("%s: not now, no node answers; :start starts the selected one")
                                         : _("%s: not now, no node answers; a starts the selected one"),
                  what);
    return unanswered;
}

const char *model_message(const struct model *m)
{
    return m->message_step == model_step(m) ? m->message : NULL;
}

/* ---- observing
 * ------------------------------------------------------------------------------------------------ */

static int queue_index(const struct model *m)
{
    for (size_t i = 0; m->snapshot && m->queue && i < m->snapshot->queues_len; i++)
        if (strcmp(m->snapshot->queues[i].name, m->queue) == 0)
            return (int)i;
    return -1;
}

static void select_queue(struct model *m, int i)
{
    int len = m->snapshot ? (int)m->snapshot->queues_len : 0;
    i = i >= len ? len - 1 : i;
    i = i < 0 ? 0 : i;
    free(m->queue);
    m->queue = len ? xstrdup(m->snapshot->queues[i].name) : NULL;
}

/* of a lab that held queues before the screen was opened the lesson's is selected, not the first */
static int first_queue(const struct model *m)
{
    const char *queue = m->lesson ? m->lesson->queue : NULL;
    const struct queue_seen *q = queue ? snapshot_queue(m->snapshot, queue) : NULL;
    return q ? (int)(q - m->snapshot->queues) : 0;
}

/* a queue that was not there before; NULL if there is none */
static const char *new_queue(const struct snapshot *before, const struct snapshot *s)
{
    for (size_t i = 0; i < s->queues_len; i++)
        if (!snapshot_queue(before, s->queues[i].name))
            return s->queues[i].name;
    return NULL;
}

void model_select_queue(struct model *m, const char *name)
{
    char *queue = xstrdup(name); /* it may be the one that is selected */
    free(m->queue);
    m->queue = queue;
    m->queue_chosen = true;
    m->node_last = false;
}

/* in the order that is shown */
static void move_queue(struct model *m, int by)
{
    const char *queue = find_queue_from(m, by);
    if (queue)
        model_select_queue(m, queue);
}

/* Whom the others had noticed to be gone, and now count in again, has its links back; so has one whom they
 * should have noticed long ago: it was healed from elsewhere. */
static node_bits still_cut(const struct model *m, const struct snapshot *s)
{
    const struct snapshot *was = m->snapshot;
    bool late = s->taken_at > m->cut_at + 3 * apart_silence_ms(m);
    node_bits cut = m->cut;
    for (size_t i = 0; was && i < s->nodes_len && i < was->nodes_len; i++) {
        bool noticed = was->nodes[i].said_down_by || snapshot_partitions(was, (int)i);
        bool away = s->nodes[i].said_down_by || snapshot_partitions(s, (int)i);
        if ((noticed || late) && s->nodes[i].answers && !away)
            cut &= ~((node_bits)1 << i);
    }
    return cut;
}

/* Of a past in which nobody has chosen a queue here: whoever saw it turned to another one then. */
static bool looked_elsewhere(const struct model *m, const struct snapshot *s)
{
    const char *was = m->snapshot ? m->snapshot->looked_at : NULL, *now = s->looked_at;
    return m->replay && !m->queue_chosen && now && snapshot_queue(s, now) && (!was || strcmp(was, now) != 0);
}

void model_observe(struct model *m, const struct snapshot *s)
{
    int queue_was = queue_index(m);
    kept_check(m, s);
    away_observe(m, s);
    apart_observe(m, s);
    history_observe(m, s);
    uint64_t was_looked_at = m->ledger.uid;
    ledger_want(&m->ledger, m->replay && m->queue_chosen ? m->queue : NULL); /* the past is asked no more */
    ledger_observe(&m->ledger, s);
    m->life_chosen = m->life_chosen && (m->ledger.uid == was_looked_at || !was_looked_at);
    const char *newest = m->snapshot && !m->queue_chosen ? new_queue(m->snapshot, s) : NULL;
    if (looked_elsewhere(m, s))
        newest = s->looked_at;
    find_keep_place(m, s);
    m->cut_at = m->snapshot ? m->cut_at : s->taken_at; /* of those that were taken up */
    m->cut = still_cut(m, s);
    snapshot_destroy(m->snapshot);
    m->snapshot = snapshot_clone(s);
    if (newest)
        select_queue(m, (int)(snapshot_queue(s, newest) - s->queues));
    else if (queue_index(m) < 0 && !(m->replay && m->queue_chosen)) /* in a past it comes, or was, later */
        select_queue(m, queue_was < 0 ? first_queue(m) : queue_was);
    find_again(m);
    goal_observe(m);
    account_keep(m, false);
    if (m->node >= (int)s->nodes_len)
        m->node = 0;
    for (size_t i = 0; i < s->nodes_len; i++)
        if (s->nodes[i].answers && !(m->command && m->command->running))
            m->killed &= ~((node_bits)1 << i);
}

const struct queue_seen *model_queue(const struct model *m)
{
    int i = queue_index(m);
    return i < 0 ? NULL : &m->snapshot->queues[i];
}

ms_time model_age(const struct model *m)
{
    ms_time seen = 0;
    for (size_t i = 0; m->snapshot && i < m->snapshot->nodes_len; i++)
        seen = u64_max(seen, m->snapshot->nodes[i].answered_at);
    if (!seen)
        return UINT64_MAX; /* nobody ever answered */
    return m->now > seen ? m->now - seen : 0;
}

bool model_stale(const struct model *m)
{
    return !m->snapshot || m->snapshot->source < 0 || model_age(m) > STALE_MS;
}

size_t model_step(const struct model *m)
{
    return m->lesson ? lesson_current(m->lesson) : 0;
}

/* command: NULL if there is nothing to act on */
static enum effect run_command(struct command *command, struct command **run)
{
    if (!command)
        return EFFECT_DRAW; /* a message says why */
    *run = command;
    return EFFECT_RUN;
}

/* ---- the lesson's steps
 * ---------------------------------------------------------------------------------------- */

static enum effect answer(struct model *m, int choice)
{
    char *said = question_said_text(m, choice);
    model_say(m, "%s", said);
    free(said);
    m->answer = choice;
    return EFFECT_ANSWER;
}

/* What keeps the step that asks from being run; NULL: nothing, or it is another step's turn. The caller frees
 * it. */
static char *not_asked_text(const struct model *m)
{
    const struct lesson *l = m->lesson;
    bool its_turn = l && l->predict.text && model_step(m) == l->predict.step;
    return its_turn ? step_lacks(m, &l->steps[l->predict.step]) : NULL;
}

/* What is answered is what is seen to be asked. */
static enum effect next_answer(struct model *m)
{
    if (m->lesson && lesson_asks(m->lesson))
        return answer(m, lesson_next_answer(m->lesson));
    char *lacks = not_asked_text(m);
    model_say(m, "%s",
              lacks ? lacks
              : m->lesson
                  ? _("no question is open: A answers the one that stands under a step before it is run")
                  : _("no lesson is open, so nothing is asked"));
    free(lacks);
    return EFFECT_DRAW;
}

static enum effect next_step(struct model *m, bool repeat, struct command **run)
{
    if (!m->lesson) {
        model_say(m, _("no lesson is open: lab 7 opens lesson 7; s, a, p, g act on what is selected"));
        return EFFECT_DRAW;
    }
    size_t i = model_step(m);
    if (i == m->lesson->steps_len) {
        char *done = lesson_done_text(m);
        model_say(m, "%s", done);
        free(done);
        return EFFECT_DRAW;
    }
    const struct lesson_step *step = &m->lesson->steps[i];
    bool waits = step->by_hand || (step->acted && !(step->action && repeat));
    enum lesson_help help;
    char *advice = step_advice(m, i, &help), *lacks = step_lacks(m, step);
    /* with what it lacks it would show nothing, and if run might use up what it is about; unless it was run
     * and took that itself: then what helps is what is said, and r repeats it only if that helps */
    bool says = waits || lacks || (step->lacks && help != LESSON_HELP_REPEAT);
    free(lacks);
    if (says)
        model_say(m, "%s", advice);
    free(advice);
    if (says)
        return EFFECT_DRAW;
    if (repeat && !step->acted) { /* once more is said of what was done */
        model_say(m,
                  step->action ? _("step %zu was not run yet: n runs it")
                               : _("step %zu has nothing to run: look, then n"),
                  i + 1);
        return EFFECT_DRAW;
    }
    if (!step->action && !step->acted)
        return EFFECT_LOOK;
    struct lesson_question *q = &m->lesson->predict;
    if (!repeat && lesson_asks(m->lesson) && q->said < 0 && !q->reminded) { /* one n too many is no answer */
        q->reminded = true;
        char *reminder = question_reminder(m);
        model_say(m, "%s", reminder);
        free(reminder);
        return EFFECT_DRAW;
    }
    struct command *c = command_step(m, i);
    if (m->view == VIEW_LESSON)
        m->scroll = 0; /* back to the step that runs */
    return run_command(c, run);
}

/* ---- keys
 * ------------------------------------------------------------------------------------------------------ */

static void select_node(struct model *m, int by)
{
    int len = m->snapshot ? (int)m->snapshot->nodes_len : 0;
    if (len)
        m->node = (m->node + by + len) % len;
    m->node_last = true;
}

/* by queues, or by lines of a text */
static void move(struct model *m, int by)
{
    if (m->view == VIEW_CLUSTER)
        move_queue(m, by);
    else if (m->view == VIEW_QUEUE)
        move_queue(m, by);
    else
        m->scroll -= by; /* screen_settle knows how far that goes in the lesson */
}

enum effect model_show(struct model *m, enum view view)
{
    m->view = view;
    m->scroll = 0;
    return EFFECT_DRAW;
}

/* again: once more is back to where one was */
static enum effect show_lesson(struct model *m, bool again)
{
    if (m->view == VIEW_LESSON && again) {
        m->view = m->e_from;
        m->scroll = m->e_from_scroll;
        return EFFECT_DRAW;
    }
    if (m->view != VIEW_LESSON) {
        m->e_from = m->view;
        m->e_from_scroll = m->scroll;
    }
    return model_show(m, VIEW_LESSON);
}

/* Elsewhere nobody would see it, but whoever comes back. */
static enum effect fold(struct model *m)
{
    if (m->view == VIEW_CLUSTER)
        m->folded = !m->folded;
    else
        model_say(m, "%s", _("f folds the lesson in view 1: go there first"));
    return EFFECT_DRAW;
}

static enum effect perform(struct model *m, enum request request, struct command **run)
{
    switch (request) {
    case REQUEST_NONE: return EFFECT_NONE;
    case REQUEST_NEXT: return next_step(m, false, run);
    case REQUEST_REPEAT: return next_step(m, true, run);
    case REQUEST_ANSWER: return next_answer(m);
    case REQUEST_HELP:
        m->overlay = OVERLAY_HELP;
        m->help_from = 0;
        return EFFECT_DRAW;
    case REQUEST_QUIT:
    case REQUEST_RESTART:
    case REQUEST_GO_ON:
    case REQUEST_GO_BACK:
    case REQUEST_KILL:
    case REQUEST_STOP:
    case REQUEST_START:
    case REQUEST_CUT:
    case REQUEST_PUBLISH:
    case REQUEST_GET:
    case REQUEST_SYNC:
    case REQUEST_CANCEL_SYNC:
    case REQUEST_POLICY:
    case REQUEST_COMMAND:
    case REQUEST_FILTER:
    case REQUEST_SORT_BEFORE:
    case REQUEST_SORT_AFTER:
    case REQUEST_FOLLOW:
    case REQUEST_COPY:
    case REQUEST_OUTPUT:
    case REQUEST_EXPORT:
    case REQUEST_MOUSE: return acting(m, request, run);
    case REQUEST_NODE_BEFORE: select_node(m, -1); return EFFECT_DRAW;
    case REQUEST_NODE_AFTER: select_node(m, 1); return EFFECT_DRAW;
    case REQUEST_QUEUE_BEFORE: move(m, -1); return EFFECT_DRAW;
    case REQUEST_QUEUE_AFTER: move(m, 1); return EFFECT_DRAW;
    case REQUEST_PAGE_BEFORE: move(m, -10); return EFFECT_DRAW;
    case REQUEST_PAGE_AFTER: move(m, 10); return EFFECT_DRAW;
    case REQUEST_VIEW_CLUSTER: return model_show(m, VIEW_CLUSTER);
    case REQUEST_VIEW_EVENTS: return model_show(m, VIEW_EVENTS);
    case REQUEST_VIEW_MESSAGE:
        /* from the message that is shown, and from an account that says "3 shows where", to the first loss */
        m->life_chosen = m->life_chosen && m->view != VIEW_MESSAGE && !account_shows_loss(m);
        return model_show(m, VIEW_MESSAGE);
    case REQUEST_EXPLAIN:
    case REQUEST_VIEW_LESSON: return show_lesson(m, request == REQUEST_EXPLAIN);
    case REQUEST_DETAIL: return model_show(m, m->node_last || !m->queue ? VIEW_NODE : VIEW_QUEUE);
    case REQUEST_BACK: return find_all(m) ? EFFECT_DRAW : model_show(m, VIEW_CLUSTER);
    case REQUEST_FOLD: return fold(m);
    case REQUEST_EARLIER:
    case REQUEST_LATER:
    case REQUEST_PAUSE:
    case REQUEST_SEEK_BACK:
    case REQUEST_SEEK_ON:
    case REQUEST_FASTER:
    case REQUEST_SLOWER:
    case REQUEST_RECORD:
    case REQUEST_WRITE: m->time_request = request; return EFFECT_TIME;
    case REQUEST_REDRAW: return EFFECT_CLEAR;
    }
    return EFFECT_NONE;
}

const struct command *model_in_the_way(const struct model *m, enum request request)
{
    bool step = request == REQUEST_NEXT || request == REQUEST_REPEAT;
    for (size_t i = 0; i <= m->others.len; i++) {
        const struct command *c = i < m->others.len ? m->others.items[i] : m->command;
        if (c && c->running && (c->step == COMMAND_CLEAN || (step && c->step >= 0)))
            return c;
    }
    return m->others.len >= OTHERS_MAX ? m->others.items[0] : NULL;
}

/* Keys of what lies over the view; false: nothing does (any more). */
static bool overlay_key(struct model *m, int key, struct command **run, enum effect *effect)
{
    /* who types a verb over a page means a verb: its letters must not act as keys */
    if (overlay_asks(overlay_where(m), key) == ASK_COMMAND)
        m->overlay = OVERLAY_NONE;
    switch (m->overlay) {
    case OVERLAY_NONE: return false;
    case OVERLAY_CONFIRM: *effect = confirm_key(m, key, run); break;
    case OVERLAY_FORM: *effect = form_key(m, key, run); break;
    case OVERLAY_COMMAND:
    case OVERLAY_FILTER: *effect = prompt_key(m, key, run); break;
    case OVERLAY_PAGER: *effect = pager_key(m, key); break;
    case OVERLAY_HELP: *effect = help_key(m, key); break;
    }
    return true;
}

/* What may be asked for while nobody answers: nodes are started again, or given their links back; the
 * learner answers a question, which may be asked just then. What a step or x runs is looked at when it is
 * known. */
static bool wants_answers(enum request request)
{
    switch ((int)request) {
    case REQUEST_ANSWER:
    case REQUEST_NEXT:
    case REQUEST_REPEAT:
    case REQUEST_RESTART:
    case REQUEST_GO_ON:
    case REQUEST_GO_BACK:
    case REQUEST_START:
    case REQUEST_CUT: return false;
    default: return true;
    }
}

static enum effect key_pressed(struct model *m, int key, struct command **run)
{
    const struct key_entry *entry = key_find(key);
    if (entry && entry->request == REQUEST_REDRAW) /* whatever lies over the view */
        return perform(m, entry->request, run);
    form_pressed(m);
    enum effect effect = EFFECT_NONE;
    if (overlay_key(m, key, run, &effect))
        return effect;
    int choice = question_choice(m, key); /* then it is no other key: a starts no node while it waits */
    entry = choice >= 0 ? key_find('A') : entry;
    if (entry && choice < 0 && question_keeps(m, key)) {
        model_say(m, _("%c: A changes your answer; :%s starts the selected node"), key,
                  command_start_verb(m, m->node));
        return EFFECT_DRAW;
    }
    if (!entry && (key <= ' ' || key >= 0x7f))
        return EFFECT_NONE;
    if (!entry) {
        model_say(m,
                  question_answered(m, key) ? _("%c: A changes your answer")
                                            : _("%c: no such key; ? shows them"),
                  key);
        return EFFECT_DRAW;
    }
    free(m->message);
    m->message = NULL;
    if (entry->acts && (model_refuses(m, entry->name) ||
                        (wants_answers(entry->request) && model_refuses_unanswered(m, entry->name))))
        return EFFECT_DRAW;
    if (m->compared && !key_in_compare(entry->key)) {
        model_say(m, _("%s does nothing here: two are side by side. ? shows what does"), entry->name);
        return EFFECT_DRAW;
    }
    const struct command *other = entry->acts ? model_in_the_way(m, entry->request) : NULL;
    if (other) {
        char *text = still_running_text(other);
        model_say(m, "%s", text);
        free(text);
        return EFFECT_DRAW;
    }
    if (choice >= 0)
        return answer(m, choice);
    const struct view_ops *view = view_of(m->view);
    if (view->request && view->request(m, entry->request, &effect))
        return effect;
    return perform(m, entry->request, run);
}

/* A lesson of one node stops it and then asks it: that nobody answers is what its step is about. */
static bool asks_the_only_node(const struct model *m, const struct command *c)
{
    return c->step >= 0 && m->snapshot && m->snapshot->nodes_len == 1;
}

/* it would show nothing while nobody answers */
static bool needs_answers(const struct model *m, const struct command *c)
{
    return command_acts(c) && !command_wakes(c) && !asks_the_only_node(m, c);
}

bool model_unanswered_refuses(const struct model *m, enum request request)
{
    size_t i = model_step(m);
    const struct lesson_step *step = m->lesson && i < m->lesson->steps_len ? &m->lesson->steps[i] : NULL;
    if (!m->snapshot || m->replay || !model_stale(m))
        return false;
    if (request == REQUEST_CUT)
        return !command_cut_heals(m);
    bool runs =
        step && step->action && (request == REQUEST_REPEAT || (request == REQUEST_NEXT && !step->acted));
    if (!runs)
        return wants_answers(request);
    struct command *c = command_step(m, i);
    bool refuses = needs_answers(m, c);
    command_destroy(c);
    return refuses;
}

enum effect model_key(struct model *m, int key, struct command **run)
{
    *run = NULL;
    enum effect effect = key_pressed(m, key, run);
    if (effect != EFFECT_RUN || !needs_answers(m, *run) || !model_refuses_unanswered(m, (*run)->text))
        return effect;
    command_destroy(*run); /* also of a form, or after a question, that was opened before they fell silent */
    *run = NULL;
    return EFFECT_DRAW;
}

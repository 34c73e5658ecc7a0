/* model.c: what snapshots and keys do to what is shown; see model.h. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "policy.h"

/* Older than this, data is not called live: three missed looks at the slowest setting. */
#define STALE_MS 3000

/* Of what a command printed, one row is shown. */
#define LAST_LINE_MAX 1000

void command_destroy(struct command *c)
{
    if (!c)
        return;
    for (size_t i = 0; c->argv[i]; i++)
        free(c->argv[i]);
    free(c->argv);
    free(c->text);
    free(c->last_line);
    free(c);
}

void model_init(struct model *m, struct lesson *lesson, const struct labdir *lab, bool readonly, bool replay)
{
    *m = (struct model){.lesson = lesson, .lab = lab, .readonly = readonly, .replay = replay};
    policy_form_reset(m);
}

void model_finish(struct model *m)
{
    snapshot_destroy(m->snapshot);
    for (size_t i = 0; i < m->away.len; i++)
        free(m->away.items[i].queue);
    for (size_t i = 0; i < m->history.len; i++)
        free(m->history.items[i].queue);
    for (size_t i = 0; i < POLICY_FIELDS; i++)
        text_finish(&m->policy[i]);
    VEC_FREE(&m->away);
    VEC_FREE(&m->history);
    command_destroy(m->to_confirm);
    command_destroy(m->command);
    free(m->queue);
    free(m->message);
    free(m->leftover);
    *m = (struct model){0};
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

const char *model_message(const struct model *m)
{
    return m->message_step == model_step(m) ? m->message : NULL;
}

/* ---- observing
 * ------------------------------------------------------------------------------------------------ */

static struct away *find_away(struct model *m, const char *queue)
{
    for (size_t i = 0; i < m->away.len; i++)
        if (strcmp(m->away.items[i].queue, queue) == 0)
            return &m->away.items[i];
    VEC_PUSH(&m->away, (struct away){.queue = xstrdup(queue)});
    return &m->away.items[m->away.len - 1];
}

/* The copies a queue had on a node when that node fell silent are away with it, until it answers again (then
 * what it has is what the nodes list) or the queue is gone. Silent, not stopped: others can take over a queue
 * long before they agree that its node does not run. */
static void remember_away(struct model *m, const struct snapshot *s)
{
    node_bits silent = 0;
    if (s->source < 0)
        return; /* nobody says what is where */
    for (size_t i = 0; i < s->nodes_len; i++)
        if (!s->nodes[i].answers)
            silent |= (node_bits)1 << i;
    for (size_t i = 0; i < s->queues_len; i++) {
        const struct queue_seen *q = &s->queues[i];
        struct away *a = find_away(m, q->name);
        node_bits master = q->master >= 0 ? (node_bits)1 << q->master : 0;
        node_bits copies = q->mirrors | master;
        a->copies = (a->copies | a->now | copies) & silent;
        a->masters = (a->masters | a->now_master | master) & silent;
        a->now = copies;
        a->now_master = master;
    }
    for (size_t i = m->away.len; i-- > 0;)
        if (!snapshot_queue(s, m->away.items[i].queue)) {
            free(m->away.items[i].queue);
            VEC_REMOVE(&m->away, i);
        }
}

static struct history *find_history(struct model *m, const char *queue)
{
    for (size_t i = 0; i < m->history.len; i++)
        if (strcmp(m->history.items[i].queue, queue) == 0)
            return &m->history.items[i];
    struct history h = {.queue = xstrdup(queue)};
    for (size_t i = 0; i < HISTORY_LEN; i++)
        h.depth[i] = -1;
    VEC_PUSH(&m->history, h);
    return &m->history.items[m->history.len - 1];
}

static void remember_history(struct model *m, const struct snapshot *s)
{
    for (size_t i = 0; i < s->queues_len; i++) {
        struct history *h = find_history(m, s->queues[i].name);
        if (h->sampled_at && s->taken_at < h->sampled_at + 1000)
            continue;
        memmove(h->depth, h->depth + 1, sizeof(h->depth) - sizeof(h->depth[0]));
        h->depth[HISTORY_LEN - 1] = s->queues[i].messages;
        h->sampled_at = s->taken_at;
    }
    for (size_t i = m->history.len; i-- > 0;)
        if (!snapshot_queue(s, m->history.items[i].queue)) {
            free(m->history.items[i].queue);
            VEC_REMOVE(&m->history, i);
        }
}

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

/* a queue that was not there before; NULL if there is none */
static const char *new_queue(const struct snapshot *before, const struct snapshot *s)
{
    for (size_t i = 0; i < s->queues_len; i++)
        if (!snapshot_queue(before, s->queues[i].name))
            return s->queues[i].name;
    return NULL;
}

static void choose_queue(struct model *m, int i)
{
    select_queue(m, i);
    m->queue_chosen = true;
}

void model_observe(struct model *m, const struct snapshot *s)
{
    int queue_was = queue_index(m);
    remember_away(m, s);
    remember_history(m, s);
    const char *newest = m->snapshot && !m->queue_chosen ? new_queue(m->snapshot, s) : NULL;
    snapshot_destroy(m->snapshot);
    m->snapshot = snapshot_clone(s);
    if (newest)
        select_queue(m, (int)(snapshot_queue(s, newest) - s->queues));
    else if (queue_index(m) < 0)
        select_queue(m, queue_was < 0 ? 0 : queue_was);
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

const struct away *model_away(const struct model *m, const char *queue)
{
    for (size_t i = 0; i < m->away.len; i++)
        if (strcmp(m->away.items[i].queue, queue) == 0)
            return m->away.items[i].copies ? &m->away.items[i] : NULL;
    return NULL;
}

const struct history *model_history(const struct model *m, const char *queue)
{
    for (size_t i = 0; i < m->history.len; i++)
        if (strcmp(m->history.items[i].queue, queue) == 0)
            return &m->history.items[i];
    return NULL;
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

/* ---- running
 * ------------------------------------------------------------------------------------------------- */

/* "labctl ... -n NODE kill" */
static node_bits killed_by(const struct model *m, const struct command *c)
{
    node_bits node = 0;
    bool kills = false;
    for (size_t i = 0; c->argv[i]; i++) {
        int at = m->snapshot && strcmp(c->argv[i], "-n") == 0 && c->argv[i + 1]
                     ? snapshot_node_index(m->snapshot, c->argv[i + 1])
                     : -1;
        node |= at >= 0 ? (node_bits)1 << at : 0;
        kills = kills || strcmp(c->argv[i], "kill") == 0;
    }
    return kills ? node : 0;
}

void model_ran(struct model *m, struct command *command)
{
    m->killed |= killed_by(m, command);
    command_destroy(m->command);
    m->command = command;
    command->running = true;
    free(m->message);
    m->message = NULL;
}

/* A line that begins with a space continues the one before it. */
static void add_line(struct command *c, const char *line, size_t len)
{
    size_t indent = 0;
    while (!c->line_open && indent < len && line[indent] == ' ')
        indent++;
    if (indent == len)
        return;
    bool more = c->last_line && (indent > 0 || c->line_open) && strlen(c->last_line) < LAST_LINE_MAX;
    char *joined = format_text("%s%s%.*s", more ? c->last_line : "", more && indent ? "; " : "",
                               (int)(len - indent), line + indent);
    free(c->last_line);
    c->last_line = joined;
}

void model_output(struct model *m, const char *data, size_t len)
{
    struct command *c = m->command;
    while (c && len > 0) {
        const char *end = memchr(data, '\n', len);
        size_t line = end ? (size_t)(end - data) : len;
        add_line(c, data, line);
        c->line_open = end == NULL;
        line += end ? 1 : 0;
        data += line;
        len -= line;
    }
}

void model_ended(struct model *m, int exit_code)
{
    if (!m->command)
        return;
    m->command->running = m->quit_asked = false;
    m->command->exit_code = exit_code;
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

static enum effect next_step(struct model *m, bool repeat, struct command **run)
{
    if (!m->lesson) {
        model_say(m, "no lesson is open: lab 7 opens lesson 7; s, a, p, g act on what is selected");
        return EFFECT_DRAW;
    }
    size_t i = model_step(m);
    if (i == m->lesson->steps_len) {
        model_say(m, "lesson %d is done: all %zu steps were seen. R begins it again, q leaves",
                  m->lesson->number, m->lesson->steps_len);
        return EFFECT_DRAW;
    }
    const struct lesson_step *step = &m->lesson->steps[i];
    if (!step->action) {
        model_say(m, "step %zu has nothing to run: it is ticked when the nodes show it", i + 1);
        return EFFECT_DRAW;
    }
    if (step->acted && !repeat && step->exit_code > 0) {
        model_say(m, "step %zu's program ended with exit code %d; r runs it once more", i + 1,
                  step->exit_code);
        return EFFECT_DRAW;
    }
    if (step->acted && !repeat) {
        model_say(m, "step %zu was run; the nodes have not shown its result yet (r runs it once more)",
                  i + 1);
        return EFFECT_DRAW;
    }
    struct command *c = command_of((const char *const *)step->action, (int)i);
    if (step->action_text) {
        free(c->text);
        c->text = xstrdup(step->action_text);
    }
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
}

/* by queues, or by lines of a text */
static void move(struct model *m, int by)
{
    if (m->view == VIEW_CLUSTER)
        choose_queue(m, queue_index(m) + by);
    else
        m->scroll -= by; /* screen_settle knows how far that goes in the lesson */
    int last = m->snapshot ? (int)m->snapshot->events_len : 0;
    if (m->view == VIEW_EVENTS)
        m->scroll = m->scroll > last ? last : m->scroll < 0 ? 0 : m->scroll;
}

static enum effect ask_first(struct model *m, struct command *command)
{
    if (!command)
        return EFFECT_DRAW;
    command_destroy(m->to_confirm);
    m->to_confirm = command;
    m->confirm_yes = false; /* Cancel is the default */
    m->overlay = OVERLAY_CONFIRM;
    return EFFECT_DRAW;
}

static enum effect open_policy(struct model *m)
{
    m->overlay = OVERLAY_POLICY;
    m->policy_at = 0;
    return EFFECT_DRAW;
}

static enum effect show(struct model *m, enum view view)
{
    m->view = view;
    m->scroll = 0;
    return EFFECT_DRAW;
}

static enum effect quit(struct model *m)
{
    if (!m->command || !m->command->running || m->quit_asked)
        return EFFECT_QUIT;
    model_say(m, "still running: %s -- q again leaves without its end", m->command->text);
    m->quit_asked = true;
    return EFFECT_DRAW;
}

static enum effect perform(struct model *m, enum request request, struct command **run)
{
    switch (request) {
    case REQUEST_NONE: return EFFECT_NONE;
    case REQUEST_NEXT: return next_step(m, false, run);
    case REQUEST_REPEAT: return next_step(m, true, run);
    case REQUEST_QUIT: return quit(m);
    case REQUEST_HELP: m->overlay = OVERLAY_HELP; return EFFECT_DRAW;
    case REQUEST_RESTART:
    case REQUEST_KILL: return ask_first(m, command_for(m, request));
    case REQUEST_STOP:
    case REQUEST_START:
    case REQUEST_PUBLISH:
    case REQUEST_GET:
    case REQUEST_SYNC:
    case REQUEST_CANCEL_SYNC: return run_command(command_for(m, request), run);
    case REQUEST_POLICY: return open_policy(m);
    case REQUEST_NODE_BEFORE: select_node(m, -1); return EFFECT_DRAW;
    case REQUEST_NODE_AFTER: select_node(m, 1); return EFFECT_DRAW;
    case REQUEST_QUEUE_BEFORE: move(m, -1); return EFFECT_DRAW;
    case REQUEST_QUEUE_AFTER: move(m, 1); return EFFECT_DRAW;
    case REQUEST_PAGE_BEFORE: move(m, -10); return EFFECT_DRAW;
    case REQUEST_PAGE_AFTER: move(m, 10); return EFFECT_DRAW;
    case REQUEST_VIEW_CLUSTER: return show(m, VIEW_CLUSTER);
    case REQUEST_VIEW_EVENTS: return show(m, VIEW_EVENTS);
    case REQUEST_VIEW_LESSON: return show(m, VIEW_LESSON);
    case REQUEST_BACK: return show(m, VIEW_CLUSTER);
    case REQUEST_LATER: return m->replay ? EFFECT_LATER : EFFECT_NONE;
    case REQUEST_REDRAW: return EFFECT_CLEAR;
    }
    return EFFECT_NONE;
}

static enum effect confirm_key(struct model *m, int key, struct command **run)
{
    if (key == KEY_ARROW_LEFT || key == KEY_ARROW_RIGHT || key == KEY_TAB || key == KEY_BACK_TAB) {
        m->confirm_yes = !m->confirm_yes;
        return EFFECT_DRAW;
    }
    bool yes = key == 'y' || key == 'Y' || (key == KEY_RETURN && m->confirm_yes);
    bool no = key == 'n' || key == 'N' || key == 'q' || key == KEY_ESCAPE || key == KEY_RETURN;
    if (!yes && !no)
        return EFFECT_NONE;
    m->overlay = OVERLAY_NONE;
    if (yes)
        *run = m->to_confirm;
    else
        command_destroy(m->to_confirm);
    m->to_confirm = NULL;
    return yes ? EFFECT_RUN : EFFECT_DRAW;
}

static bool running(struct model *m)
{
    if (!m->command || !m->command->running)
        return false;
    model_say(m, "still running (Ctrl-C ends it): %s", m->command->text);
    return true;
}

enum effect model_key(struct model *m, int key, struct command **run)
{
    *run = NULL;
    if (key == KEY_CTRL_L)
        return EFFECT_CLEAR;
    if (m->overlay == OVERLAY_CONFIRM)
        return confirm_key(m, key, run);
    if (m->overlay == OVERLAY_POLICY)
        return policy_form_key(m, key, run);
    if (m->overlay == OVERLAY_HELP) { /* any key closes the page; q does no more than that */
        m->overlay = OVERLAY_NONE;
        return EFFECT_DRAW;
    }
    const struct key_entry *entry = key_find(key);
    if (!entry)
        return EFFECT_NONE;
    free(m->message);
    m->message = NULL;
    if (entry->acts && (m->readonly || m->replay)) {
        model_say(m, "%s does nothing here: %s", entry->name,
                  m->readonly ? "this screen is read-only (--readonly)" : "this is a replay, not a lab");
        return EFFECT_DRAW;
    }
    if (entry->acts && running(m))
        return EFFECT_DRAW;
    return perform(m, entry->request, run);
}

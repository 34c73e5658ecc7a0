/* ran.c: what becomes of the commands that run: what they print, how far they are, how they end. The newest
 * is shown above the keys; those that run besides it are heard of again when they end. */
#include <stdlib.h>

#include "ran.h"
#include "refused.h"
#include "verbs.h"
#include "view.h"
#include "words.h"

#define LAST_LINE_MAX 1000      /* of what a command printed, one row is shown */
#define OUTPUT_MAX    (4 << 20) /* and the pager has this much */

void command_destroy(struct command *c)
{
    if (!c)
        return;
    for (size_t i = 0; c->argv[i]; i++)
        free(c->argv[i]);
    free(c->argv);
    free(c->text);
    free(c->other);
    free(c->last_line);
    free(c->open_line);
    free(c->goal.queue);
    text_finish(&c->output);
    free(c);
}

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

/* "labctl cut node1", "labctl cut --one-way node1", "labctl heal node1", "labctl heal": which nodes are cut
 * off from all others. What one cannot see by looking (a node alone cannot tell a cut from a crash) is
 * remembered here. */
static node_bits cut_after(const struct model *m, const struct command *c)
{
    node_bits cut = m->cut;
    for (size_t i = 0; c->argv[i] && m->snapshot; i++) {
        bool cuts = strcmp(c->argv[i], "cut") == 0, heals = strcmp(c->argv[i], "heal") == 0;
        i += cuts && c->argv[i + 1] && strcmp(c->argv[i + 1], "--one-way") == 0;
        const char *node = cuts || heals ? c->argv[i + 1] : NULL;
        bool link = node && c->argv[i + 2]; /* between two nodes: neither is alone */
        int at = node && !link ? snapshot_node_index(m->snapshot, node) : -1;
        if (heals && !node)
            cut = 0;
        else if (at >= 0)
            cut = cuts ? cut | (node_bits)1 << at : cut & ~((node_bits)1 << at);
    }
    return cut;
}

const char *command_told(const struct command *c, int *len)
{
    static const char begin[] = "Told: ";
    const char *at = text_str(&c->output);
    while (at && strncmp(at, begin, strlen(begin)) != 0)
        at = (at = strchr(at, '\n')) ? at + 1 : NULL;
    at = at ? at + strlen(begin) : NULL;
    *len = at ? (int)strcspn(at, "\n") : 0;
    return at;
}

/* The step shows what was run for it: that may be another way than its own (command_step). */
static void keep_step_text(struct model *m, const struct command *c)
{
    if (!m->lesson || c->step < 0 || (size_t)c->step >= m->lesson->steps_len)
        return;
    struct lesson_step *s = &m->lesson->steps[c->step];
    free(s->ran);
    s->ran = xstrdup(c->text);
}

void model_forget_touched(struct model *m)
{
    for (size_t i = 0; i < m->touched.len; i++)
        free(m->touched.items[i]);
    VEC_FREE(&m->touched);
}

/* What a client is told to use, and what else names a queue that is there. */
static void touch(struct model *m, const struct command *c)
{
    for (size_t i = 1; c->argv[0] && c->argv[i]; i++)
        if (strcmp(c->argv[i - 1], "--queue") == 0 ||
            (m->snapshot && snapshot_queue(m->snapshot, c->argv[i])))
            VEC_PUSH(&m->touched, xstrdup(c->argv[i]));
}

/* A queue is deleted that no node serves: labctl's figure is no count then, as rabbitmqctl's is none. */
static bool is_uncounted(const struct model *m, const struct command *c)
{
    const char *verb = strcmp(c->argv[0], "labctl") == 0 ? verb_of((const char *const *)c->argv) : NULL;
    bool deletes = verb && strcmp(verb, "delete_queue") == 0, uncounted = false;
    for (size_t i = 1; deletes && m->snapshot && c->argv[i]; i++) {
        const struct queue_seen *q = snapshot_queue(m->snapshot, c->argv[i]);
        uncounted = uncounted || (q && (q->state == QUEUE_SEEN_STOPPED || q->state == QUEUE_SEEN_DOWN));
    }
    return uncounted;
}

void model_ran(struct model *m, struct command *c)
{
    c->uncounted = c->uncounted || is_uncounted(m, c);
    keep_step_text(m, c);
    account_keep(m, true);
    if (c->step == COMMAND_CLEAN)
        model_forget_touched(m);
    else if (c->step == COMMAND_OF_KEY)
        touch(m, c);
    form_ran(m, c);
    m->killed |= killed_by(m, c);
    if (m->command && m->command->running)
        VEC_PUSH(&m->others, m->command);
    else
        command_destroy(m->command);
    m->command = c;
    c->running = true;
    c->began_us = m->snapshot ? m->snapshot->taken_wall_ms * 1000 : 0;
    goal_begin(m, c);
    free(m->message);
    m->message = NULL;
}

/* A line that begins with a space continues the one before it. */
static void add_line(struct command *c, const char *line)
{
    size_t indent = strspn(line, " ");
    if (!line[indent])
        return;
    bool more = c->last_line && indent > 0;
    if (more && strlen(c->last_line) >= LAST_LINE_MAX)
        return;
    char *joined = format_text("%s%s%s", more ? c->last_line : "", more ? "\n" : "", line + indent);
    free(c->last_line);
    c->last_line = joined;
}

/* what was open is a line now: it has ended, or the program has */
static void end_line(struct command *c)
{
    if (c->open_line)
        add_line(c, c->open_line);
    free(c->open_line);
    c->open_line = NULL;
}

/* A line counts when all of it is there: what a pipe carries at a time may end in the middle of a word. */
void model_output(struct model *m, struct command *c, const char *data, size_t len)
{
    (void)m;
    if (c->output.len + len <= OUTPUT_MAX)
        text_add_bytes(&c->output, data, len);
    while (len > 0) {
        const char *end = memchr(data, '\n', len);
        size_t line = end ? (size_t)(end - data) : len, have = c->open_line ? strlen(c->open_line) : 0;
        size_t room = have < LAST_LINE_MAX ? LAST_LINE_MAX - have : 0, took = line < room ? line : room;
        char *longer = format_text("%s%.*s", c->open_line ? c->open_line : "", (int)took, data);
        free(c->open_line);
        c->open_line = longer;
        if (end)
            end_line(c);
        line += end ? 1 : 0;
        data += line;
        len -= line;
    }
}

char *still_running_text(const struct command *c)
{
    return format_text(_("still running (Ctrl-C ends it): %s"), c->text);
}

char *leaves_running_text(const struct command *c)
{
    return format_text(_("still running: %s -- q again leaves without its end"), c->text);
}

const char *cancelled_text(void)
{
    return _("cancelled: nothing was done");
}

/* What was said of it while it ran is over with it; and how it ended is newer than what was cancelled. */
static void forget_running(struct model *m, const struct command *c)
{
    char *still = still_running_text(c), *leaves = leaves_running_text(c);
    if (m->message && (strcmp(m->message, still) == 0 || strcmp(m->message, leaves) == 0 ||
                       strcmp(m->message, cancelled_text()) == 0)) {
        free(m->message);
        m->message = NULL;
    }
    free(still);
    free(leaves);
}

/* One that ran besides the newest: how it ended is said, then it is gone. */
static void other_ended(struct model *m, size_t i, int exit_code)
{
    struct command *c = m->others.items[i];
    c->running = false;
    c->exit_code = exit_code;
    char *refused = refused_text(m, c);
    form_ended(m, c, exit_code, refused);
    char *last = one_line(refused ? refused : c->last_line ? c->last_line : "");
    if (exit_code)
        model_say(m, _("ended with exit code %d: %s: %s"), exit_code, c->text, last);
    else
        model_say(m, _("done: %s: %s"), c->text, last);
    free(refused);
    free(last);
    VEC_REMOVE(&m->others, i);
    command_destroy(c);
}

/* how many lines the command printed that say something */
static int lines_of(const struct command *c)
{
    int lines = 0;
    for (const char *at = text_str(&c->output); *at; at += strcspn(at, "\n"), at += *at == '\n')
        lines += *at != '\n';
    return lines;
}

void model_ended(struct model *m, struct command *c, int exit_code)
{
    m->quit_asked = false;
    end_line(c);
    forget_running(m, c);
    int told;
    if (exit_code == 0 || command_told(c, &told)) {
        node_bits was = m->cut;
        m->cut = cut_after(m, c);
        m->cut_at = m->cut & ~was ? m->snapshot->taken_at : m->cut_at;
    }
    model_received(m, c);
    for (size_t i = 0; i < m->others.len; i++)
        if (m->others.items[i] == c) {
            other_ended(m, i, exit_code);
            return;
        }
    if (m->command != c)
        return;
    c->running = false;
    c->exit_code = exit_code;
    char *refused = refused_text(m, c); /* it says what the lines mean; o shows them */
    form_ended(m, c, exit_code, refused);
    bool now = !m->replay; /* what a past is gone through ended then */
    if (now && c->typed && m->overlay == OVERLAY_NONE && lines_of(c) > 2 && !refused)
        pager_open(m, c->text, text_str(&c->output));
    free(refused);
}

bool model_runs(const struct model *m)
{
    return m->others.len > 0 || (m->command && m->command->running);
}

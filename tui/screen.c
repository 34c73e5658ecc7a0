/* screen.c: the frame around every view: the command line (the header is part_header.c, the bar of keys
 * part_bar.c); and helpers that views share. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "find.h"
#include "predict.h"
#include "prompt.h"
#include "ran.h"
#include "refused.h"
#include "view.h"
#include "words.h"

static const struct view_ops *const views[VIEWS] = {
    [VIEW_CLUSTER] = &view_cluster, [VIEW_EVENTS] = &view_events, [VIEW_MESSAGE] = &view_message,
    [VIEW_LESSON] = &view_lesson,   [VIEW_QUEUE] = &view_queue,   [VIEW_NODE] = &view_node};

const struct view_ops *view_of(enum view view)
{
    return views[view];
}

/* ---- shared helpers
 * ------------------------------------------------------------------------------------------- */

/* " words ", however they came; the caller frees it */
static char *spaced(const char *words)
{
    words += strspn(words, " ");
    size_t len = strlen(words);
    while (len && words[len - 1] == ' ')
        len--;
    return format_text(" %.*s ", (int)len, words);
}

void draw_title(struct canvas *c, struct rect r, int y, const char *title, const char *right)
{
    char *left_words = spaced(title), *right_words = right ? spaced(right) : NULL;
    struct rect left = r;
    canvas_across(c, rect_rows(r, y, 1), 0, STYLE_TITLE);
    if (right)
        canvas_put_right(c, r, 2, y, STYLE_TITLE, right_words);
    left.width -= right ? text_columns(c, right_words) + 4 : 0;
    int x = canvas_put(c, left, 1, y, STYLE_TITLE, left_words);
    if (right && x > left.width) /* cut: the mark of it and the line are two things */
        canvas_put(c, r, left.width, y, STYLE_TITLE, " ");
    free(left_words);
    free(right_words);
}

int draw_paragraph(struct canvas *c, struct rect r, int x, int y, enum style style, const char *text)
{
    int rows = 0;
    while (*text && y + rows < r.height) {
        size_t skip, len = text_break(c, text, r.width - x, &skip);
        bool last = y + rows + 1 == r.height;
        char *line = xstrndup(text, last ? strlen(text) : len); /* the last one shows that it was cut */
        canvas_put(c, r, x, y + rows++, style, line);
        free(line);
        text += len + skip;
    }
    return rows;
}

int paragraph_rows(const struct canvas *c, int width, const char *text)
{
    int rows = 0;
    for (; *text; rows++) {
        size_t skip, len = text_break(c, text, width, &skip);
        text += len + skip;
    }
    return rows;
}

/* Lines that are ended by '\n', each a paragraph. */
static int lines_rows(const struct canvas *c, int width, const char *text)
{
    int rows = 0;
    for (size_t len; *text; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        char *line = xstrndup(text, len);
        rows += paragraph_rows(c, width, line);
        free(line);
    }
    return rows;
}

static int draw_lines(struct canvas *c, struct rect r, int x, enum style style, const char *text)
{
    int y = 0;
    for (size_t len; *text && y < r.height; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        char *line = xstrndup(text, len);
        y += draw_paragraph(c, r, x, y, style, line);
        free(line);
    }
    return y;
}

char *one_line(const char *lines)
{
    struct text t = {0};
    text_add(&t, "");
    for (size_t len; *lines; lines += len + (lines[len] == '\n')) {
        len = strcspn(lines, "\n");
        text_printf(&t, "%s%.*s", t.len ? "; " : "", (int)len, lines);
    }
    return t.s;
}

const char *count_text(int64_t count, char buffer[24])
{
    if (count < 0)
        snprintf(buffer, 24, "?");
    else if (count < 10000000)
        snprintf(buffer, 24, "%" PRId64, count);
    else
        snprintf(buffer, 24, "%.1f%c", (double)count / (count < 1000000000 ? 1e6 : 1e9),
                 count < 1000000000 ? 'M' : 'G');
    return buffer;
}

bool queue_untold(const struct snapshot *s, const struct queue_seen *q)
{
    return s->source >= 0 && q->state == QUEUE_SEEN_UNKNOWN && !q->effective_definition;
}

/* RabbitMQ goes on listing the mirrors of a queue that stopped with its master, and not its policy. */
bool queue_mirrors_untold(const struct snapshot *s, const struct queue_seen *q)
{
    bool unserved = q->state == QUEUE_SEEN_STOPPED || q->state == QUEUE_SEEN_DOWN;
    return !s->traces && unserved && q->mirrors;
}

char copy_letter(const struct model *m, const struct queue_seen *q, int node, enum style *style)
{
    node_bits bit = (node_bits)1 << node;
    const struct away *away = model_away(m, q->name);
    bool runs = m->snapshot->nodes[node].state == NODE_UP;
    bool master = queue_seen_masters_bits(q) & bit, has = master || (queue_seen_mirrors(q, false) & bit);
    *style = STYLE_DOWN;
    if ((has && !runs) || (!has && away && (away->copies & bit)))
        return '!';
    *style = STYLE_FINE;
    if (master)
        return q->state == QUEUE_SEEN_STOPPED || q->state == QUEUE_SEEN_DOWN ? '!' : 'M';
    if (has && queue_mirrors_untold(m->snapshot, q)) {
        *style = STYLE_DOWN;
        return '?';
    }
    if (queue_seen_mirrors(q, true) & bit)
        return 'm';
    *style = STYLE_SYNCING;
    if (has)
        return 'u';
    /* nobody lists a copy there; but those that remain list none on a node that they have counted out, and at
     * times none at all */
    const struct away *past = model_past(m, q->name);
    bool known = !queue_untold(m->snapshot, q) && (runs || (past && (past->known & bit)));
    *style = known ? STYLE_DIM : STYLE_DOWN;
    return known ? '.' : '?';
}

/* ---- command line and key bar
 * ------------------------------------------------------------------------------------- */

/* Nobody answers, and n would be refused for it. */
static char *silent_first(const struct model *m)
{
    if (m->snapshot->moved_to)
        return format_text(_("The lab runs on other ports now (AMQP %d): q, then call lab as before."),
                           m->snapshot->moved_to);
    return xstrdup(question_choice(m, 'a') < 0
                       ? _("No node answers: a starts the selected one, ? shows all keys.")
                       : _("No node answers: :start starts the selected one, ? shows all keys."));
}

static char *what_first(const struct model *m)
{
    bool acts = !model_only_looks(m);
    size_t nodes = m->snapshot ? m->snapshot->nodes_len : 0;
    if (m->replay && m->time.paused)
        return xstrdup(_("Paused; the lab goes on. [ ] step through what was seen, Space goes back to it."));
    if (m->replay)
        return xstrdup(_("A recording: Space plays, [ ] step, { } the next thing that was run, + - speed."));
    if (!m->lesson && !acts)
        return xstrdup(_("Read-only. Arrow keys select, Enter: all about it, 2: what happened"));
    if (!m->lesson && model_unanswered_refuses(m, REQUEST_STOP))
        return silent_first(m);
    if (!m->lesson)
        return xstrdup(_("Select with the arrow keys; s stops a node, a starts it, ? shows all keys."));
    if (acts && m->leftover) {
        char *why = fact_text(m->leftover, lesson_words);
        char *text = format_text(_("%s: B makes it ready for the lesson, n goes on."), why);
        free(why);
        return text;
    }
    size_t step = model_step(m);
    const struct lesson_step *s = acts && step < m->lesson->steps_len ? &m->lesson->steps[step] : NULL;
    char *lacks = s ? step_lacks(m, s) : NULL, *failed = s && !lacks ? step_failed_text(m, s) : NULL;
    if (lacks || failed)
        return lacks ? lacks : failed;
    if (s && model_unanswered_refuses(m, REQUEST_NEXT))
        return silent_first(m);
    if (acts && m->lesson->nodes > 0 && (size_t)m->lesson->nodes < nodes && step < m->lesson->steps_len)
        return step > 0 ? format_text(NP_("This lesson is about %d node; the others of this lab look on. n "
                                          "goes on: step %zu.",
                                          "This lesson is about %d nodes; the others of this lab look on. n "
                                          "goes on: step %zu.",
                                          m->lesson->nodes),
                                      m->lesson->nodes, step + 1)
                        : format_text(NP_("This lesson is about %d node; the others of this lab look on. "
                                          "Press n to begin.",
                                          "This lesson is about %d nodes; the others of this lab look on. "
                                          "Press n to begin.",
                                          m->lesson->nodes),
                                      m->lesson->nodes);
    if (!acts)
        return xstrdup(_("Read-only. 4: the lesson, 2: what happened"));
    if (model_step(m) == m->lesson->steps_len)
        return xstrdup(m->next_lesson ? _("N goes on to the next lesson, B begins this one again, q leaves.")
                                      : _("B begins the lesson again, q leaves."));
    if (!m->lesson->steps[step].action)
        return xstrdup(_("Look at what the step marked > names; n, when you have seen it."));
    if (m->view == VIEW_LESSON)
        return xstrdup(_("Press n to run the step marked >; 1 shows what the nodes report."));
    return xstrdup(_("Press n to run the step marked >. Watch what the nodes report; e explains."));
}

#define TALL 22 /* rows from which on there is more than one for it */

/* What stands above the keys: what was run last, in the words that ran, and the last line that it printed, or
 * what the screen has to say about it. Before anything was run: the lesson's aim, and what to do first. */
struct words {
    char *above, *below; /* NULL: nothing */
    bool printed;        /* below is what a program printed */
    bool ran;            /* above is what was run */
};

/* How far what takes its time has come, the newest first; then a synchronisation that runs by itself. NULL:
 * nothing takes time. The caller frees it. */
static char *progress_of(const struct model *m)
{
    char *text = m->command ? goal_text(m, m->command) : NULL;
    for (size_t i = m->others.len; i-- > 0 && !text;)
        text = goal_text(m, m->others.items[i]);
    for (size_t i = 0; m->snapshot && i < m->snapshot->queues_len && !text; i++)
        text = goal_sync_text(m, &m->snapshot->queues[i]);
    return text;
}

/* What B has done, by name; NULL: it has not done it. The caller frees it. */
static char *cleared_text(const struct model *m)
{
    const struct command *c = m->command;
    if (!c || c->step != COMMAND_CLEAN || c->running || c->exit_code || !m->lesson)
        return NULL;
    struct text names = {0};
    for (char **q = m->lesson->queues; q && *q; q++)
        text_printf(&names, "%s%s", names.len ? ", " : "", *q);
    for (char **p = m->lesson->policies; p && *p; p++) {
        text_add(&names, names.len ? ", " : "");
        text_printf(&names, _("policy %s"), *p);
    }
    for (size_t i = 0; c->argv[i]; i++)
        if (i >= COMMAND_CLEAN_FIRST) {
            text_add(&names, names.len ? ", " : "");
            text_printf(&names, _("policy %s"), c->argv[i]);
        }
    char *text = names.len ? format_text(_("ready: every node runs; cleared: %s"), names.s) : NULL;
    text_finish(&names);
    return text;
}

static struct words words_of(const struct model *m)
{
    const struct command *cmd = m->command;
    const char *message = model_message(m);
    struct words w = {0};
    bool failed = cmd && !cmd->running && cmd->exit_code;
    char *refused = message || !cmd ? NULL : refused_text(m, cmd);
    char *cleared = message || refused ? NULL : cleared_text(m);
    char *progress = message || failed || refused || cleared ? NULL : progress_of(m);
    w.printed = cmd && cmd->last_line && !message && !progress && !refused && !cleared;
    if (message)
        w.below = xstrdup(message);
    else if (refused)
        w.below = refused;
    else if (cleared)
        w.below = cleared;
    else if (progress)
        w.below = progress;
    else if (!cmd)
        w.below = what_first(m);
    else if (cmd->last_line)
        w.below = xstrdup(cmd->step == COMMAND_CLEAN ? _(cmd->last_line) : cmd->last_line);
    w.ran = cmd != NULL;
    if (w.ran)
        w.above = format_text("%s%s", cmd->step == COMMAND_CLEAN ? "" : "$ ", cmd->text);
    else if (m->lesson && m->lesson->aim && m->view != VIEW_LESSON)
        w.above = format_text(_("Aim: %s"), lesson_words(m->lesson->aim));
    return w;
}

static void words_finish(struct words *w)
{
    free(w->above);
    free(w->below);
}

/* Two rows, and more for what is to be read to its end: the aim, a message, the error of a program that
 * failed. */
static int command_rows(const struct model *m, const struct canvas *c)
{
    if (c->height < TALL)
        return c->height >= 6 ? 1 : 0;
    struct words w = words_of(m);
    int rows = w.ran ? 1 : w.above ? paragraph_rows(c, c->width, w.above) : 0;
    rows += w.below ? lines_rows(c, c->width - (w.printed ? 2 : 0), w.below) : 0;
    bool whole = !w.printed || strchr(w.below, '\n') || (!m->command->running && m->command->exit_code);
    words_finish(&w);
    return rows < 2 || !whole ? 2 : rows > 4 ? 4 : rows;
}

/* Room for it below the command, beside the first row of what was printed. */
static bool fits_below(const struct canvas *c, struct rect r, const struct words *w, int columns)
{
    const char *below = w->below ? w->below : "";
    int x = w->printed ? 2 : 0;
    size_t skip, len = text_break(c, below, r.width - x, &skip), first = strcspn(below, "\n");
    char *line = xstrndup(below, len < first ? len : first);
    bool fits = x + text_columns(c, line) + columns <= r.width;
    free(line);
    return fits;
}

/* What y does, beside a command that leaves room for it, or below one that does not; where neither does, it
 * is the command that is cut: y copies all of it. Returns the columns that it takes from the command. */
static int draw_copies(struct canvas *c, struct rect r, struct rect left, const struct words *w)
{
    bool cut = text_columns(c, w->above) > left.width;
    const char *copies = cut ? _("o shows it whole, y copies it") : _("y copies it");
    int columns = text_columns(c, copies) + 2;
    bool beside = text_columns(c, w->above) + columns <= left.width;
    bool under = !beside && fits_below(c, r, w, columns);
    canvas_put_right(c, under ? r : left, under ? 0 : 1, under, STYLE_DIM, copies);
    return under ? 0 : columns;
}

/* A command that has no room, where it is said which node it goes through: without that node's host and port.
 * The caller frees it. */
static char *without_address(const char *command)
{
    const char *host = strstr(command, " --host "), *port = host ? strstr(host, " --port ") : NULL;
    if (!port)
        return xstrdup(command);
    port += strlen(" --port ");
    return format_text("%.*s ..%s", (int)(host - command), command, port + strcspn(port, " "));
}

/* the command, its exit code, and, where there is no other row for it, what it printed */
static void draw_ran(const struct command *cmd, struct canvas *c, struct rect r, const struct words *w)
{
    char status[32];
    if (cmd->running)
        snprintf(status, sizeof(status), _("running..."));
    else
        snprintf(status, sizeof(status), _("exit %d"), cmd->exit_code);
    struct rect left = r;
    left.width -= text_columns(c, status) + 2;
    if (cmd->other) { /* beside the command, or below one that would lose words by it */
        int columns = text_columns(c, cmd->other) + 2;
        bool beside = text_columns(c, w->above) + columns <= left.width;
        bool under = !beside && r.height > 1 && fits_below(c, r, w, columns);
        canvas_put_right(c, r, under ? 0 : text_columns(c, status) + 2, under, STYLE_STRONG, cmd->other);
        left.width -= under ? 0 : columns;
    }
    if (!cmd->other && r.height > 1 && !cmd->running && cmd->step != COMMAND_CLEAN)
        left.width -= draw_copies(c, r, left, w);
    bool whole = !cmd->other || text_columns(c, w->above) <= left.width;
    char *above = whole ? xstrdup(w->above) : without_address(w->above);
    int x = canvas_put(c, left, 0, 0, STYLE_NORMAL, above);
    free(above);
    if (cmd->step != COMMAND_CLEAN)
        canvas_restyle(c, (struct rect){r.x, r.y, 2, 1}, STYLE_STRONG);
    canvas_put_right(c, r, 0, 0,
                     cmd->running     ? STYLE_SYNCING
                     : cmd->exit_code ? STYLE_DOWN
                                      : STYLE_DIM,
                     status);
    if (r.height == 1 && w->printed && x + 4 < left.width) {
        char *line = one_line(w->below);
        canvas_printf(c, left, x + 2, 0, STYLE_DIM, "| %s", line);
        free(line);
    }
}

/* What has no room goes from the last clause on: half of one says less than none. The first one stays. */
static void cut_at_clause(const struct canvas *c, int width, char *line)
{
    static const char *const ends[] = {". ", "; ", "。", "；"};
    if (text_columns(c, line) <= width)
        return;
    char *cut = NULL;
    for (char *at = line; *at; at++)
        for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
            if (strncmp(at, ends[i], strlen(ends[i])) != 0)
                continue;
            char kept = *at;
            *at = '\0';
            cut = text_columns(c, line) <= width ? at : cut;
            *at = kept;
        }
    if (cut)
        *cut = '\0';
}

static void draw_command(const struct model *m, struct canvas *c, struct rect r)
{
    struct words w = words_of(m);
    enum style style = w.printed ? STYLE_DIM : STYLE_STRONG;
    if (r.height == 1 && !w.printed && w.below) {
        char *line = one_line(w.below);
        cut_at_clause(c, r.width, line);
        canvas_put(c, r, 0, 0, style, line);
        free(line);
    } else {
        int below = w.below ? lines_rows(c, r.width - (w.printed ? 2 : 0), w.below) : 0;
        int above = below < r.height ? r.height - below : 1;
        if (w.ran)
            draw_ran(m->command, c, r, &w);
        else if (w.above)
            draw_paragraph(c, rect_rows(r, 0, above), 0, 0, STYLE_NORMAL, w.above);
        if (w.ran)
            above = 1; /* beside its exit code */
        else if (!w.above && below >= r.height)
            above = 0;
        struct rect rest = rect_rows(r, above, r.height - above);
        int used = w.below ? draw_lines(c, rest, w.printed ? 2 : 0, style, w.below) : 0;
        for (int y = 0; w.printed && y < used; y++)
            canvas_put(c, rest, 0, y, STYLE_DIM, "|");
    }
    words_finish(&w);
}

/* ---- the screen
 * ----------------------------------------------------------------------------------------------------- */

static void draw_view(const struct model *m, struct canvas *c, struct rect r)
{
    if (!m->snapshot) {
        canvas_put(c, r, 1, 0, STYLE_DIM, _("asking the nodes..."));
        return;
    }
    views[m->view]->draw(m, c, r);
}

/* Rows go first to the view (the step to do now), then to the keys, the header, the command line. */
struct layout {
    struct rect header, view, command, bar;
};

static struct layout layout_of(const struct model *m, const struct canvas *c)
{
    struct rect all = {0, 0, c->width, c->height};
    int bar = all.height >= 3 && !m->text_only, header = all.height >= 4;
    int command = m->text_only ? 0 : command_rows(m, c);
    int view = all.height - header - bar - command;
    return (struct layout){.header = rect_rows(all, 0, header),
                           .view = rect_rows(all, header, view),
                           .command = rect_rows(all, header + view, command),
                           .bar = rect_rows(all, all.height - bar, bar)};
}

void screen_settle(struct model *m, struct canvas *c)
{
    if (m->untold != predict_open(m))
        find_again(m);
    if (m->snapshot && views[m->view]->settle)
        views[m->view]->settle(m, c, layout_of(m, c).view);
    if (m->overlay == OVERLAY_PAGER)
        pager_settle(m, c);
    if (m->overlay == OVERLAY_HELP)
        help_settle(m, c);
}

void screen_draw(const struct model *m, struct canvas *c)
{
    struct layout at = layout_of(m, c);
    canvas_fill(c, (struct rect){0, 0, c->width, c->height}, STYLE_NORMAL);
    if (at.header.height)
        draw_header(m, c, at.header);
    draw_view(m, c, at.view);
    if (at.command.height)
        draw_command(m, c, at.command);
    if (at.bar.height && m->overlay != OVERLAY_NONE)
        draw_overlay_bar(m, c, at.bar);
    else if (at.bar.height)
        draw_bar(m, c, at.bar);
    switch (m->overlay) {
    case OVERLAY_NONE: break;
    case OVERLAY_HELP: draw_help(m, c); break;
    case OVERLAY_CONFIRM: draw_confirm(m, c); break;
    case OVERLAY_FORM: draw_form(m, c); break;
    case OVERLAY_COMMAND:
    case OVERLAY_FILTER: draw_prompt(m, c); break;
    case OVERLAY_PAGER: draw_pager(m, c); break;
    }
}

/* screen.c: the frame around every view: header, command line, key bar; and helpers that views share. */
#include <inttypes.h>
#include <stdio.h>

#include "view.h"

static const struct view_ops *const views[VIEWS] = {
    [VIEW_CLUSTER] = &view_cluster, [VIEW_EVENTS] = &view_events, [VIEW_LESSON] = &view_lesson};

/* ---- shared helpers
 * ------------------------------------------------------------------------------------------- */

void draw_title(struct canvas *c, struct rect r, int y, const char *title, const char *right)
{
    canvas_across(c, rect_rows(r, y, 1), 0, STYLE_TITLE);
    if (right)
        canvas_put_right(c, r, 2, y, STYLE_TITLE, right);
    struct rect left = r;
    left.width -= right ? text_columns(c, right) + 3 : 0;
    canvas_put(c, left, 1, y, STYLE_TITLE, title);
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

char copy_letter(const struct model *m, const struct queue_seen *q, int node, enum style *style)
{
    node_bits bit = (node_bits)1 << node;
    const struct away *away = model_away(m, q->name);
    bool runs = m->snapshot->nodes[node].state == NODE_UP;
    bool has = q->master == node || (q->mirrors & bit);
    *style = STYLE_DOWN;
    if ((has && !runs) || (!has && away && (away->copies & bit)))
        return '!';
    *style = STYLE_FINE;
    if (q->master == node)
        return q->state == QUEUE_SEEN_STOPPED || q->state == QUEUE_SEEN_DOWN ? '!' : 'M';
    if (q->synced & bit)
        return 'm';
    *style = STYLE_SYNCING;
    if (q->mirrors & bit)
        return 'u';
    *style = STYLE_DIM;
    return '.';
}

/* ---- header
 * ----------------------------------------------------------------------------------------------------- */

static const char *liveness(const struct model *m, enum style *style)
{
    *style = STYLE_STRONG;
    if (m->replay)
        return "REPLAY";
    *style = STYLE_DOWN;
    if (!m->snapshot)
        return "WAITING";
    if (model_stale(m))
        return "STALE";
    *style = STYLE_FINE;
    return "LIVE";
}

/* Whole seconds: a figure that changes with every look would pull the eye away from what matters. */
static void age_text(const struct model *m, char buffer[32])
{
    ms_time age = model_age(m);
    if (m->replay || !m->snapshot)
        buffer[0] = '\0';
    else if (age < 1000)
        snprintf(buffer, 32, "age <1s");
    else
        snprintf(buffer, 32, "age %llus", (unsigned long long)(age / 1000));
}

static void draw_header(const struct model *m, struct canvas *c, struct rect r)
{
    size_t up = 0, nodes = m->snapshot ? m->snapshot->nodes_len : 0;
    for (size_t i = 0; i < nodes; i++)
        up += m->snapshot->nodes[i].state == NODE_UP;
    char age[32], lab[48];
    enum style style;
    const char *word = liveness(m, &style);
    age_text(m, age);
    snprintf(lab, sizeof(lab), "lab %zu/%zu ", up, nodes);
    int left = r.width;
    int names = (int)strlen("mirrorlab") + 1;
    for (int i = 0; i < VIEWS; i++)
        names += 3 + (int)strlen(views[i]->name);
    int x = 0, needs = (int)(strlen(lab) + strlen(word));
    if (names + 2 + needs <= left) { /* the views' names go first where there is no room for all */
        x = canvas_put(c, r, 0, 0, STYLE_STRONG, "mirrorlab") + 1;
        for (int i = 0; i < VIEWS; i++)
            x = canvas_printf(c, r, x, 0, m->view == (enum view)i ? STYLE_SELECTED : STYLE_DIM, "%d:%s",
                              i + 1, views[i]->name) +
                1;
        x = canvas_put(c, r, x, 0, STYLE_DIM, "|") + 1;
    }
    x = canvas_put(c, r, x, 0, up == nodes ? STYLE_NORMAL : STYLE_DOWN, lab);
    x = canvas_put(c, r, x, 0, style, word);
    if (m->readonly)
        x = canvas_put(c, r, x + 1, 0, STYLE_DIM, "read-only");
    if (x + 1 + (int)strlen(age) <= r.width)
        canvas_put_right(c, r, 0, 0, STYLE_DIM, age);
}

/* ---- command line and key bar
 * ------------------------------------------------------------------------------------- */

static const char *what_first(const struct model *m)
{
    if (m->lesson && !m->readonly && !m->replay)
        return "Press n to run the step marked > and watch what the nodes report. 3 explains.";
    if (m->replay)
        return "A recording: ] shows the next snapshot, q leaves.";
    return m->lesson ? "Read-only. 3: the lesson, 2: what happened"
                     : "Select with the arrow keys; s stops a node, a starts it, ? shows all keys.";
}

/* What was run last, in the words that ran, and the last line that it printed: on the same row, or on one of
 * its own where there are two. Before anything was run: what to do first. */
static void draw_command(const struct model *m, struct canvas *c, struct rect r)
{
    const struct command *cmd = m->command;
    const char *message = model_message(m);
    if (!cmd || (message && r.height < 2)) {
        canvas_put(c, r, 0, r.height - 1, STYLE_STRONG, message ? message : what_first(m));
        if (r.height > 1 && m->lesson && m->lesson->aim)
            canvas_printf(c, r, 0, 0, STYLE_NORMAL, "Aim: %s", m->lesson->aim);
        return;
    }
    char status[32];
    if (cmd->running)
        snprintf(status, sizeof(status), "running...");
    else
        snprintf(status, sizeof(status), "exit %d", cmd->exit_code);
    enum style style = cmd->running ? STYLE_SYNCING : cmd->exit_code ? STYLE_DOWN : STYLE_DIM;
    struct rect left = r;
    left.width -= (int)strlen(status) + 2;
    int x = canvas_put(c, left, 0, 0, STYLE_STRONG, cmd->step == COMMAND_CLEAN ? "" : "$ ");
    x = canvas_put(c, left, x, 0, STYLE_NORMAL, cmd->text);
    canvas_put_right(c, r, 0, 0, style, status);
    if (message)
        canvas_put(c, r, 0, 1, STYLE_STRONG, message);
    else if (cmd->last_line && r.height > 1)
        canvas_printf(c, r, 0, 1, STYLE_DIM, "| %s", cmd->last_line);
    else if (cmd->last_line && x + 4 < left.width)
        canvas_printf(c, left, x + 2, 0, STYLE_DIM, "| %s", cmd->last_line);
}

static void draw_bar(const struct model *m, struct canvas *c, struct rect r)
{
    int x = 0;
    for (size_t i = 0; i < key_table_len; i++) {
        const struct key_entry *k = &key_table[i];
        if (!k->bar || (k->acts && (m->readonly || m->replay)) || (k->request == REQUEST_NEXT && !m->lesson))
            continue;
        if (x + (int)(strlen(k->name) + strlen(k->bar)) + 1 > r.width)
            return;
        x = canvas_put(c, r, x, 0, STYLE_STRONG, k->name);
        x = canvas_printf(c, r, x, 0, STYLE_DIM, ":%s", k->bar) + 1;
    }
}

/* ---- the screen
 * ----------------------------------------------------------------------------------------------------- */

static void draw_view(const struct model *m, struct canvas *c, struct rect r)
{
    if (!m->snapshot) {
        canvas_put(c, r, 1, 0, STYLE_DIM, "asking the nodes...");
        return;
    }
    views[m->view]->draw(m, c, r);
}

void screen_draw(const struct model *m, struct canvas *c)
{
    struct rect all = {0, 0, c->width, c->height};
    canvas_fill(c, all, STYLE_NORMAL);
    /* rows go first to the view (the step to do now), then to the keys, the header, the command line */
    int bar = all.height >= 3, header = all.height >= 4;
    int command = all.height >= 22 ? 2 : all.height >= 6 ? 1 : 0;
    if (header)
        draw_header(m, c, rect_rows(all, 0, 1));
    draw_view(m, c, rect_rows(all, header, all.height - header - bar - command));
    if (command)
        draw_command(m, c, rect_rows(all, all.height - bar - command, command));
    if (bar)
        draw_bar(m, c, rect_rows(all, all.height - 1, 1));
    switch (m->overlay) {
    case OVERLAY_NONE: break;
    case OVERLAY_HELP: draw_help(m, c); break;
    case OVERLAY_CONFIRM: draw_confirm(m, c); break;
    case OVERLAY_POLICY: draw_policy_form(m, c); break;
    }
}

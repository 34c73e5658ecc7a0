/* part_nodes.c: the nodes as cards: a node's state in words in the border, the copies it holds inside. With
 * more than four nodes, or in a narrow terminal, one line of names instead. */
#include <stdio.h>
#include <stdlib.h>

#include "apart.h"
#include "view.h"
#include "words.h"

#define MAX_CARDS        4
#define MIN_CARD_COLUMNS 20
#define PROMOTED_FOR_MS  10000 /* how long a promotion is news */

static const char *state_words(const struct node_seen *n, enum style *style)
{
    *style = STYLE_NORMAL;
    switch (n->state) {
    case NODE_UP:
        *style = n->answers ? STYLE_FINE : STYLE_SYNCING;
        return n->answers ? _("UP") : _("NO ANSWER"); /* others say that it runs */
    case NODE_NOT_RUNNING: *style = STYLE_DOWN; return _("NOT RUNNING");
    case NODE_UNKNOWN: *style = STYLE_DOWN; return _("UNKNOWN");
    }
    return "?";
}

size_t nodes_up(const struct snapshot *s)
{
    size_t up = 0;
    for (size_t i = 0; s && i < s->nodes_len; i++)
        up += s->nodes[i].state == NODE_UP && s->nodes[i].answers;
    return up;
}

bool nodes_have_cards(const struct model *m, struct rect r)
{
    int nodes = (int)m->snapshot->nodes_len;
    return nodes > 0 && nodes <= MAX_CARDS && r.width / nodes >= MIN_CARD_COLUMNS;
}

static bool on_node(const struct model *m, const struct queue_seen *q, int node)
{
    enum style style;
    char letter = copy_letter(m, q, node, &style);
    return letter == '?' ? !queue_untold(m->snapshot, q) /* no card grows for a moment */ : letter != '.';
}

int nodes_card_rows(const struct model *m)
{
    int most = 2;
    for (int node = 0; node < (int)m->snapshot->nodes_len; node++) {
        int copies = 0;
        for (size_t i = 0; i < m->snapshot->queues_len; i++)
            copies += on_node(m, &m->snapshot->queues[i], node);
        most = copies > most ? copies : most;
    }
    return most + 2;
}

/* ---- one copy in a card
 * --------------------------------------------------------------------------------------- */

static int sync_percent(const struct queue_seen *q)
{
    if (q->sync_messages < 0 || q->was_messages <= 0)
        return -1;
    int64_t percent = q->sync_messages * 100 / q->was_messages;
    return percent > 100 ? 100 : (int)percent;
}

/* What a copy holds that is level with its master: of a node that answers, what the master says; -1: nobody
 * can say. *had: what was said last; -1: nothing. */
static int64_t copy_holds(const struct model *m, const struct queue_seen *q, int node, int64_t *had)
{
    const struct side_seen *side = queue_seen_side(q, node);
    const struct away *past = model_past(m, q->name);
    bool answers = m->snapshot->nodes[node].answers;
    int64_t told = past ? past->told[node] : -1;
    *had = side ? side->was_messages : told < 0 && (answers || q->master == node) ? q->was_messages : told;
    return !answers ? -1 : side ? side->messages : q->messages;
}

/* what stands at the right end of a copy's line */
static void copy_figure(const struct model *m, const struct queue_seen *q, int node, char letter,
                        char out[32])
{
    const struct away *away = model_away(m, q->name);
    char count[24];
    out[0] = '\0';
    if (letter == '?')
        return; /* a copy, if it has any */
    if (letter == '!') {
        const struct away *past = model_past(m, q->name); /* an earlier screen may have seen it (kept.h) */
        int64_t held = q->was_messages >= 0 || !past ? q->was_messages : past->held;
        bool was_master = q->master == node || (away && (away->masters & ((node_bits)1 << node)));
        if (q->master != node) /* another one has it now */
            snprintf(out, 32, _("was %s"), was_master ? "M" : "m");
        else if (held >= 0)
            snprintf(out, 32, _("had %s"), count_text(held, count));
    } else if (letter == 'u' && sync_percent(q) >= 0) {
        snprintf(out, 32, "%d%%", sync_percent(q));
    } else if (letter == 'u') {
        snprintf(out, 32, _("not in sync"));
    } else {
        int64_t had, holds = copy_holds(m, q, node, &had);
        snprintf(out, 32, holds < 0 && had >= 0 ? _("had %s") : "%s",
                 count_text(holds < 0 && had >= 0 ? had : holds, count));
    }
}

static void draw_copy(const struct model *m, struct canvas *c, struct rect r, int y,
                      const struct queue_seen *q, int node)
{
    enum style style;
    char letter = copy_letter(m, q, node, &style), figure[32], text[2] = {letter, '\0'};
    copy_figure(m, q, node, letter, figure);
    canvas_put(c, r, 0, y, style, text);
    struct rect name = r;
    name.width -= text_columns(c, figure) + 1;
    canvas_put_name(c, name, 2, y, letter == '!' ? STYLE_DOWN : STYLE_NORMAL, q->name);
    canvas_put_right(c, r, 0, y, letter == '!' ? STYLE_DOWN : STYLE_NORMAL, figure);
}

/* A second line for what is happening to a copy; false if there is nothing to tell. */
static bool draw_copy_news(const struct model *m, struct canvas *c, struct rect r, int y,
                           const struct queue_seen *q, int node)
{
    ms_time since = m->now > q->master_since ? m->now - q->master_since : 0;
    if (q->master == node && q->master_since && since < PROMOTED_FOR_MS && m->snapshot->nodes_len > 1) {
        canvas_printf(c, r, 2, y, STYLE_STRONG, _("promoted %llus ago"), (unsigned long long)(since / 1000));
        return true;
    }
    int percent = (q->mirrors & ~q->synced & ((node_bits)1 << node)) ? sync_percent(q) : -1;
    if (percent < 0)
        return false;
    char bar[] = "[..........]", count[24];
    memset(bar + 1, '#', (size_t)percent / 10);
    canvas_printf(c, r, 2, y, STYLE_SYNCING, "%s %s", bar, count_text(q->sync_messages, count));
    return true;
}

/* Where not all have room the last line says how many more there are, and the one above it is the selected
 * queue's, if that comes later. */
static void draw_copies(const struct model *m, struct canvas *c, struct rect r, int node)
{
    const struct snapshot *s = m->snapshot;
    const struct queue_seen *selected = model_queue(m);
    int copies = 0, y = 0, shown = 0;
    for (size_t i = 0; i < s->queues_len; i++)
        copies += on_node(m, &s->queues[i], node);
    bool passed = !selected || !on_node(m, selected, node);
    for (size_t i = 0; i < s->queues_len && y < r.height; i++) {
        const struct queue_seen *q = &s->queues[i];
        if (!on_node(m, q, node))
            continue;
        if (y == r.height - 1 && shown + 1 < copies) {
            canvas_printf(c, r, 0, y, STYLE_DIM, _("+%d more"), copies - shown);
            return;
        }
        if (copies > r.height && y == r.height - 2 && !passed)
            q = selected;
        passed = passed || q == selected;
        draw_copy(m, c, r, y++, q, node);
        shown++;
        if (y + copies - shown < r.height && draw_copy_news(m, c, r, y, q, node))
            y++;
    }
}

/* In the lower border: what the node says of a broken network, or what the others say of a node that answers.
 */
static void draw_apart(const struct model *m, struct canvas *c, struct rect r, const struct node_seen *n)
{
    struct text names = {0};
    char *apart = apart_of_node(m, (int)(n - m->snapshot->nodes));
    for (size_t i = 0; n->answers && i < m->snapshot->nodes_len; i++)
        if (n->said_down_by & ((node_bits)1 << i))
            text_printf(&names, "%s%s", names.len ? "," : "", m->snapshot->nodes[i].name);
    if (apart)
        canvas_put(c, r, 0, 0, STYLE_DOWN, apart);
    else if (names.len)
        canvas_printf(c, r, 0, 0, STYLE_DOWN, _("down, say %s"), names.s);
    text_finish(&names);
    free(apart);
}

static void draw_card(const struct model *m, struct canvas *c, struct rect r, int node)
{
    const struct node_seen *n = &m->snapshot->nodes[node];
    bool selected = m->node == node;
    enum style style;
    const char *words = state_words(n, &style);
    canvas_box(c, r, selected ? STYLE_STRONG : STYLE_TITLE);
    struct rect title = {r.x + 1, r.y, r.width - 2, 1};
    int x = canvas_put(c, title, 0, 0, selected ? STYLE_SELECTED : STYLE_TITLE, selected ? ">" : " ");
    x = canvas_put(c, title, x, 0, selected ? STYLE_SELECTED : STYLE_TITLE, n->name);
    x = canvas_put(c, title, x, 0, STYLE_NORMAL, " ");
    x = canvas_put(c, title, x, 0, style, words);
    canvas_put(c, title, x, 0, STYLE_NORMAL, " ");
    draw_apart(m, c, (struct rect){r.x + 1, r.y + r.height - 1, r.width - 2, 1}, n);
    draw_copies(m, c, (struct rect){r.x + 1, r.y + 1, r.width - 2, r.height - 2}, node);
}

/* ---- all
 * ----------------------------------------------------------------------------------------------------------
 */

/* in one word: without a card there is no other place for it */
static const char *line_words(const struct model *m, int node, enum style *style)
{
    const char *words = state_words(&m->snapshot->nodes[node], style);
    if (!(apart_others(m->snapshot) & ((node_bits)1 << node)))
        return words;
    *style = STYLE_DOWN;
    return _("CUT OFF");
}

/* it runs, answers, and belongs to those whose lists are shown */
static bool is_fine(const struct model *m, int node)
{
    const struct node_seen *n = &m->snapshot->nodes[node];
    return n->state == NODE_UP && n->answers && !(apart_others(m->snapshot) & ((node_bits)1 << node));
}

static int draw_name(const struct model *m, struct canvas *c, struct rect r, int x, int node)
{
    const struct node_seen *n = &m->snapshot->nodes[node];
    enum style style;
    const char *words = line_words(m, node, &style);
    bool selected = m->node == node;
    x = canvas_put(c, r, x, 0, selected ? STYLE_SELECTED : STYLE_NORMAL, selected ? ">" : " ");
    x = canvas_put(c, r, x, 0, selected ? STYLE_SELECTED : STYLE_NORMAL, n->name) + 1;
    return canvas_put(c, r, x, 0, style, words) + 1;
}

/* Names and words side by side. Where not all have room: the selected one, how many run, and those that do
 * not.
 */
static void draw_names(const struct model *m, struct canvas *c, struct rect r)
{
    const struct snapshot *s = m->snapshot;
    int nodes = (int)s->nodes_len, needs = 0, x = 0;
    for (int i = 0; i < nodes; i++) {
        enum style style;
        needs += 3 + text_columns(c, s->nodes[i].name) + text_columns(c, line_words(m, i, &style));
    }
    if (needs - 1 <= r.width) {
        for (int i = 0; i < nodes; i++)
            x = draw_name(m, c, r, x, i);
        return;
    }
    if (m->node < nodes)
        x = draw_name(m, c, r, x, m->node);
    x = canvas_printf(c, r, x + 1, 0, STYLE_NORMAL, _("%d of %d UP"), (int)nodes_up(s), nodes) + 1;
    for (int i = 0; i < nodes; i++)
        if (i != m->node && !is_fine(m, i))
            x = draw_name(m, c, r, x, i);
}

void draw_nodes(const struct model *m, struct canvas *c, struct rect r)
{
    int nodes = (int)m->snapshot->nodes_len;
    if (r.height < 4 || !nodes_have_cards(m, r)) {
        draw_names(m, c, r);
        return;
    }
    for (int i = 0, x = 0; i < nodes; i++) {
        int width = r.width * (i + 1) / nodes - x; /* the widths differ by one at most and fill the row */
        draw_card(m, c, (struct rect){r.x + x, r.y, width, r.height}, i);
        x += width;
    }
}

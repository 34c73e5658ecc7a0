/* part_bar.c: the bar of keys in the last row: those that act now, what brings the lesson on first; of what
 * lies over a view: overlay_bar.c. */
#include <stdio.h>

#include "apart.h"
#include "commands.h"
#include "predict.h"
#include "refused.h"
#include "view.h"
#include "words.h"

/* What the key would do now. buffer: of 32 bytes, where it is made. */
static const char *bar_word(const struct model *m, const struct key_entry *k, char buffer[32])
{
    if (k->request == REQUEST_GO_ON)
        snprintf(buffer, 32, _("Lesson-%d"), m->next_lesson);
    return k->request == REQUEST_CUT && command_cut_heals(m) ? _("Heal")
           : k->request == REQUEST_REPEAT                    ? _("Again")
           : k->request == REQUEST_GO_ON                     ? buffer
           : k->request == REQUEST_ANSWER                    ? _("Answer")
                                                             : _(k->bar);
}

/* What stands in the bar while what is shown is the past; NULL: nothing. */
static const char *time_word(const struct model *m, const struct key_entry *k)
{
    if (k->request == REQUEST_PAUSE && m->time.paused)
        return N_("Live");
    if (k->request == REQUEST_PAUSE)
        return m->time.playing ? N_("Pause") : N_("Play");
    static const struct {
        enum request request;
        const char *word;
    } words[] = {{REQUEST_EARLIER, N_("Back")},     {REQUEST_LATER, N_("Step")},
                 {REQUEST_SEEK_BACK, N_("Before")}, {REQUEST_SEEK_ON, N_("Next")},
                 {REQUEST_FASTER, N_("Faster")},    {REQUEST_SLOWER, N_("Slower")}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (words[i].request == k->request && !(m->time.paused && i >= 4)) /* the lab's speed is its own */
            return words[i].word;
    return NULL;
}

/* What brings the lesson on stands first: what the step says that helps, and after the last one the next
 * lesson, if there is one. Not what would only say that something runs still. */
static enum request first_in_bar(const struct model *m)
{
    bool done = m->lesson && model_step(m) == m->lesson->steps_len;
    if (model_only_looks(m))
        return REQUEST_NONE;
    enum request key = done ? (m->next_lesson ? REQUEST_GO_ON : REQUEST_NONE) : step_key(m);
    return model_unanswered_refuses(m, key) || (key != REQUEST_NONE && model_in_the_way(m, key))
               ? REQUEST_NONE
               : key;
}

/* What acts on the selected node, on the selected queue: the bar of a page of the one has no keys of the
 * other's. */
static bool of_node(enum request request)
{
    return request == REQUEST_STOP || request == REQUEST_START || request == REQUEST_KILL ||
           request == REQUEST_CUT;
}

static bool of_queue(enum request request)
{
    return request == REQUEST_PUBLISH || request == REQUEST_GET || request == REQUEST_POLICY;
}

/* Whether it stands in the bar besides those of time. */
static bool in_bar(const struct model *m, const struct key_entry *k)
{
    if (k->request == REQUEST_NEXT || k->request == REQUEST_REPEAT || k->request == REQUEST_GO_ON)
        return k->request == first_in_bar(m);
    bool answers = question_keeps(m, 'a'); /* a is the start key when that is over */
    if ((m->view == VIEW_NODE && of_queue(k->request)) || (m->view == VIEW_QUEUE && of_node(k->request)))
        return false;
    const struct node_seen *n =
        m->snapshot && m->node < (int)m->snapshot->nodes_len ? &m->snapshot->nodes[m->node] : NULL;
    if (n && ((k->request == REQUEST_STOP && n->state == NODE_NOT_RUNNING) ||
              (k->request == REQUEST_KILL && n->gone))) /* there is nothing to stop, or to kill */
        return false;
    if (n && k->request == REQUEST_CUT && apart_links_back(m->snapshot, m->node))
        return false; /* there is no link to mend: stopping and starting a node does */
    if (k->request == REQUEST_ANSWER || k->request == REQUEST_START)
        return answers == (k->request == REQUEST_ANSWER) && !model_only_looks(m) &&
               (answers || !command_still_stops(m, m->node));
    return k->bar && !(k->acts && (model_only_looks(m) || model_unanswered_refuses(m, k->request)));
}

/* The key at this place of the bar's order: that of the table, with the one that brings the lesson on before
 * all others. */
static const struct key_entry *key_of_bar(enum request first, size_t place)
{
    size_t at = 0;
    while (first != REQUEST_NONE && key_table[at].request != first)
        at++;
    return &key_table[first == REQUEST_NONE || place > at ? place : place == 0 ? at : place - 1];
}

static int bar_columns(const struct model *m, const struct canvas *c, const struct key_entry *k, bool word)
{
    char made[32];
    return text_columns(c, k->name) + 1 + (word ? 1 + text_columns(c, bar_word(m, k, made)) : 0);
}

/* How many of these keys have their word where not all have room for it: the last ones go without. */
static size_t with_words(const struct model *m, const struct canvas *c, int width)
{
    enum request first = first_in_bar(m);
    size_t with = key_table_len;
    for (bool fits = false; !fits && with > 0; with -= !fits) {
        int columns = -1; /* nothing stands behind the last one */
        for (size_t i = 0; i < key_table_len; i++) {
            const struct key_entry *k = key_of_bar(first, i);
            columns += in_bar(m, k) ? bar_columns(m, c, k, i < with) : 0;
        }
        fits = columns <= width;
    }
    return with;
}

void draw_bar(const struct model *m, struct canvas *c, struct rect r)
{
    int x = 0;
    for (size_t i = 0; i < key_table_len && m->replay; i++) {
        const struct key_entry *k = &key_table[i];
        const char *word = k->request == REQUEST_PAUSE && !k->help ? NULL : time_word(m, k);
        if (!word || x + text_columns(c, k->name) + text_columns(c, _(word)) + 1 > r.width)
            continue;
        x = canvas_put(c, r, x, 0, STYLE_STRONG, k->name);
        x = canvas_printf(c, r, x, 0, STYLE_DIM, ":%s", _(word)) + 1;
    }
    if (m->view == VIEW_QUEUE || m->view == VIEW_NODE) { /* no number above leads to them, or away */
        x = canvas_put(c, r, x, 0, STYLE_STRONG, "Esc");
        x = canvas_printf(c, r, x, 0, STYLE_DIM, ":%s", _("Close")) + 1;
    }
    char made[32];
    enum request first = first_in_bar(m);
    size_t with = with_words(m, c, r.width - x);
    for (size_t i = 0; i < key_table_len; i++) {
        const struct key_entry *k = key_of_bar(first, i);
        if (!in_bar(m, k))
            continue;
        if (x + bar_columns(m, c, k, i < with) - 1 > r.width)
            return;
        x = canvas_put(c, r, x, 0, STYLE_STRONG, k->name);
        x = (i < with ? canvas_printf(c, r, x, 0, STYLE_DIM, ":%s", bar_word(m, k, made)) : x) + 1;
    }
}

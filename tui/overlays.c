/* overlays.c: what lies over a view: the help made from the table of keys, the question before what cannot be
 * undone. The forms are in form.c, the prompts in prompt.c, long texts in pager.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "view.h"
#include "words.h"

struct rect draw_box(struct canvas *c, int width, int height, const char *title)
{
    width = width > c->width ? c->width : width;
    height = height > c->height ? c->height : height;
    struct rect r = {(c->width - width) / 2, (c->height - height) / 2, width, height};
    char *spaced = format_text(" %s ", title);
    canvas_fill(c, (struct rect){0, r.y, c->width, r.height},
                STYLE_NORMAL); /* no halves of words beside it */
    canvas_box(c, r, STYLE_STRONG);
    canvas_put(c, (struct rect){r.x + 1, r.y, r.width - 2, 1}, 1, 0, STYLE_STRONG, spaced);
    free(spaced);
    return (struct rect){r.x + 2, r.y + 1, r.width - 4, r.height - 2};
}

/* ---- help
 * ------------------------------------------------------------------------------------------------------ */

/* what a key's line says; NULL: it has none, or is on that of the key before */
static const char *help_of(const struct model *m, size_t i)
{
    const struct key_entry *k = &key_table[i];
    bool refused = k->acts || (k->request == REQUEST_RECORD && !m->time.paused);
    if (!m->compared && m->replay && k->request == REQUEST_COMMAND)
        return N_("export or quit, typed; other verbs want a lab");
    if (!m->compared)
        return m->replay && refused ? NULL : k->help;
    return i && k[-1].request == k->request ? NULL : key_in_compare(k);
}

/* A key's name, where it is a word. In catalogues it stands behind "key|": "down" is said of nodes, too. */
const char *key_word(const char *name)
{
    static const char *const words[] = {N_("key|left"), N_("key|right"), N_("key|up"), N_("key|down"),
                                        N_("key|Space")};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i] + strlen("key|"), name) == 0)
            return strcmp(_(words[i]), words[i]) == 0 ? name : _(words[i]);
    return name;
}

/* "up down k j": a line's key and those after it that are on its line */
static void key_names(const struct model *m, size_t i, char out[64])
{
    size_t len = (size_t)snprintf(out, 64, "%s", key_word(key_table[i].name));
    for (size_t j = i + 1; j < key_table_len && (m->compared ? !help_of(m, j) : !key_table[j].help); j++)
        if (!m->compared || key_table[j].request == key_table[i].request)
            len += (size_t)snprintf(out + len, len < 64 ? 64 - len : 0, " %s", key_word(key_table[j].name));
}

#define NAMES_WIDTH  29
#define NARROW_WIDTH 58 /* below it what a key does stands under its name, to its end */
#define INDENT       2

/* What is no key: what the letters and signs of the cluster mean (the row under the queues has it only while
 * nothing is wrong), and what stands elsewhere without a word beside it. */
static const struct {
    const char *title, *text;
} signs[] = {
    {N_("In the cluster"),
     N_("M master, m mirror in sync, u mirror NOT in sync, . no copy, ! node away (was M, m), ? nobody "
        "can say now")},
    {N_("TWO MASTERS, 2/0, ONE SIDE"),
     N_("in a partition. TWO MASTERS: each side has a master of its own and serves it apart from the other; "
        "2/0 under READY: "
        "what each of them has ready, in the order of the nodes. ONE SIDE: one side alone serves the queue, "
        "the other does not reach it")},
    {N_("operator's, on a queue's page"),
     N_("the policy of an administrator that counts besides yours; RabbitMQ alone has them")},
    {N_("L1 to L5"), N_("the ways in which a confirmed message may be lost: docs/glossary.md")}};

/* A paragraph of what is scrolled: what is below the window's edge comes with the next key, it is not cut
 * off. How many rows it takes. */
static int scrolled(struct canvas *c, struct rect r, int y, const char *text)
{
    int rows = 0;
    for (size_t skip, len; *text; rows++, text += len + skip) {
        len = text_break(c, text, r.width - INDENT, &skip);
        char *line = xstrndup(text, len);
        canvas_put(c, r, INDENT, y + rows, STYLE_NORMAL, line);
        free(line);
    }
    return rows;
}

static int signs_rows(const struct model *m, const struct canvas *c, int width)
{
    int rows = 0;
    for (size_t i = 0; i < ARRAY_LEN(signs) && !m->compared; i++)
        rows += 1 + paragraph_rows(c, width - INDENT, _(signs[i].text));
    return rows;
}

static int help_rows(const struct model *m, const struct canvas *c, int width)
{
    int rows = signs_rows(m, c, width);
    for (size_t i = 0; i < key_table_len; i++)
        if (help_of(m, i))
            rows += width >= NARROW_WIDTH ? 1 : 1 + paragraph_rows(c, width - INDENT, _(help_of(m, i)));
    return rows;
}

static bool is_of_time(enum request r)
{
    return r == REQUEST_PAUSE || r == REQUEST_EARLIER || r == REQUEST_LATER || r == REQUEST_SEEK_BACK ||
           r == REQUEST_SEEK_ON || r == REQUEST_FASTER || r == REQUEST_SLOWER;
}

/* In the table's order; where what is shown is the past, the keys of time before all others. */
static void draw_keys(const struct model *m, struct canvas *c, struct rect list, int y)
{
    for (size_t n = 0; n < 2 * key_table_len; n++) {
        char names[64];
        size_t i = n % key_table_len;
        const char *help = help_of(m, i);
        bool first = m->replay && !m->compared && is_of_time(key_table[i].request);
        if (!help || first != (n < key_table_len))
            continue;
        key_names(m, i, names);
        canvas_put(c, list, 0, y, STYLE_STRONG, names);
        if (list.width >= NARROW_WIDTH)
            canvas_put(c, list, NAMES_WIDTH, y++, STYLE_NORMAL, _(help));
        else
            y += 1 + scrolled(c, list, y + 1, _(help));
    }
    for (size_t i = 0; i < ARRAY_LEN(signs) && !m->compared; i++) {
        canvas_put(c, list, 0, y, STYLE_TITLE, _(signs[i].title));
        y += 1 + scrolled(c, list, y + 1, _(signs[i].text));
    }
}

/* the box's inside, without the line above and the one below */
static struct rect help_list(const struct model *m, struct canvas *c, bool draw)
{
    int width = c->width < 78 ? c->width : 78, rows = help_rows(m, c, width - 4);
    struct rect r = {0, 0, width - 4, rows + 4 > c->height ? c->height - 2 : rows + 2};
    if (draw)
        r = draw_box(c, 78, rows + 4, _("Keys"));
    return rect_rows(r, 1, r.height - 2);
}

/* The last line is in sight at most: only drawing knows how many rows there are. */
void help_settle(struct model *m, struct canvas *c)
{
    struct rect list = help_list(m, c, false);
    int last = help_rows(m, c, list.width) - list.height;
    m->help_from = m->help_from > last ? last : m->help_from;
    m->help_from = m->help_from < 0 ? 0 : m->help_from;
}

/* What moves the list and what closes it, as long as there is room for; the caller frees it. */
static char *foot_text(const struct canvas *c, int width, int above, int below)
{
    if (above == 0 && below == 0)
        return xstrdup(_("any key closes this"));
    const char *const formats[] = {_("%d above, %d below (j, k, PgUp, PgDn)   any other key closes"),
                                   _("%d above, %d below (j, k); others close"),
                                   _("%d above, %d below (j, k)")};
    char *text = NULL;
    for (size_t i = 0; i < ARRAY_LEN(formats) && (!text || text_columns(c, text) > width); i++) {
        free(text);
        text = format_text(formats[i], above, below);
    }
    return text;
}

void draw_help(const struct model *m, struct canvas *c)
{
    struct rect list = help_list(m, c, true), r = {list.x, list.y - 1, list.width, list.height + 2};
    int from = m->help_from, below = help_rows(m, c, list.width) - from - list.height;
    canvas_put(c, r, 0, 0, STYLE_DIM,
               m->compared     ? _("> marks the step that both sides are at.")
               : r.width >= 72 ? _("> marks what keys act on: a node, a queue, the lesson's current step.")
                               : _("> marks what keys act on."));
    draw_keys(m, c, list, -from);
    char *foot = foot_text(c, r.width, from, below > 0 ? below : 0);
    canvas_put(c, r, 0, r.height - 1, STYLE_TITLE, foot);
    free(foot);
}

enum effect help_key(struct model *m, int key)
{
    int page = 10;
    switch (key) {
    case 'j':
    case KEY_ARROW_DOWN: m->help_from++; break;
    case 'k':
    case KEY_ARROW_UP: m->help_from--; break;
    case KEY_PAGE_DOWN: m->help_from += page; break;
    case KEY_PAGE_UP: m->help_from -= page; break;
    default: m->overlay = OVERLAY_NONE; break; /* q does no more than that */
    }
    return EFFECT_DRAW; /* help_settle knows the last one */
}

/* ---- question
 * ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *verb, *what;
} dangers[] = {
    [DANGER_NONE] = {N_("Do it"), ""},
    [DANGER_KILL] =
        {N_("Kill"),
         N_("The process dies at once, as in a power cut: nothing is handed over, and what only its "
            "memory holds is gone.")},
    [DANGER_PURGE] = {N_("Purge"),
                      N_("Every message that waits in the queue is gone for good, on its mirrors too.")},
    [DANGER_DELETE] = {N_("Delete"), N_("The queue is gone for good, with its messages and its mirrors.")},
    [DANGER_RESET] = {N_("Reset"),
                      N_("The node leaves its cluster and forgets everything it holds: queues, messages, "
                         "policies, users.")},
    [DANGER_CLEAN] = {N_("Begin again"),
                      N_("Starts the nodes that do not run, heals links that are cut, and removes the queues "
                         "and policies that this lesson uses, with their messages.")},
    [DANGER_GO_ON] =
        {N_("Go there"),
         N_("Starts the nodes that the other lesson needs, heals links that are cut, and removes the queues "
            "and policies that it uses, with their messages. The others stay.")},
};

/* What would be done; going on, what is left undone. The caller frees it. */
static char *what_is_changed(const struct model *m, enum danger danger)
{
    size_t seen = model_step(m), steps = m->lesson ? m->lesson->steps_len : 0;
    char **policy = m->to_confirm->argv + COMMAND_CLEAN_FIRST;
    struct text names = {0};
    for (; danger == DANGER_CLEAN && *policy; policy++)
        text_printf(&names, "%s%s", names.len ? ", " : "", *policy);
    if (names.len) {
        char *text =
            format_text(_("%s Clears what is in its way, too: policy %s."), _(dangers[danger].what), names.s);
        text_finish(&names);
        return text;
    }
    if (danger != DANGER_GO_ON || seen == steps)
        return xstrdup(_(dangers[danger].what));
    return format_text(NP_("Lesson %d is not done: %zu step of %zu was seen. %s",
                           "Lesson %d is not done: %zu steps of %zu were seen. %s", seen),
                       m->lesson->number, seen, steps, _(dangers[danger].what));
}

/* A recording is of one lesson: B goes on with it, N and L end it. */
static char *what_is_done(const struct model *m, enum danger danger)
{
    char *text = what_is_changed(m, danger);
    bool ends = danger == DANGER_GO_ON && m->recording;
    return ends ? two_sentences(text, xstrdup(_("The recording ends here."))) : text;
}

void draw_confirm(const struct model *m, struct canvas *c)
{
    const char *keys = _("Enter: the marked one   arrows: mark   y: do it   Esc: cancel");
    if (!m->to_confirm)
        return;
    enum danger danger = command_danger(m->to_confirm);
    int width = c->width < 68 ? c->width : 68, inside = width - 4;
    char *told = what_is_done(m, danger);
    int what = paragraph_rows(c, inside, told), hint = paragraph_rows(c, inside, keys);
    what = what < 3 ? 3 : what;
    struct rect r = draw_box(c, width, what + hint + 4, _("Sure?"));
    bool yes = m->confirm_yes;
    char *cancel = format_text(yes ? "  %s  " : "[ %s ]", _("Cancel"));
    canvas_printf(c, r, 0, 0, STYLE_STRONG, "%s%s",
                  danger == DANGER_CLEAN || danger == DANGER_GO_ON ? "" : "$ ", m->to_confirm->text);
    draw_paragraph(c, rect_rows(r, 1, what), 0, 0, STYLE_NORMAL, told);
    int x = canvas_put(c, r, 0, 1 + what, yes ? STYLE_NORMAL : STYLE_SELECTED, cancel) + 2;
    canvas_printf(c, r, x, 1 + what, yes ? STYLE_SELECTED : STYLE_NORMAL, yes ? "[ %s ]" : "  %s  ",
                  _(dangers[danger].verb));
    draw_paragraph(c, rect_rows(r, 2 + what, hint), 0, 0, STYLE_DIM, keys);
    free(cancel);
    free(told);
}

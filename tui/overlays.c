/* overlays.c: what lies over a view: the help made from the table of keys, the question before what cannot be
 * undone. The forms are in form.c, the prompts in prompt.c, long texts in pager.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apart.h"
#include "commands.h"
#include "overlay_keys.h"
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
    bool refused =
        (k->acts && model_only_looks(m)) || (k->request == REQUEST_RECORD && m->replay && !m->time.paused);
    if (m->replay && k->request == REQUEST_COMMAND)
        return N_("export or quit, typed; other verbs want a lab");
    return refused ? NULL : k->help;
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
    {N_("TWO MASTERS, 2/0, 2 views, ONE SIDE"),
     N_("in a partition. TWO MASTERS: each side has a master of its own and serves it apart from the other; "
        "2/0 under READY: "
        "what each of them has ready, in the order of the nodes, or 2 views, where there is no room for "
        "that: "
        "the nodes' cards have each. ONE SIDE: one side alone serves the queue, "
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

/* A key's line; its rows. */
static int draw_line(struct canvas *c, struct rect list, int y, const char *names, const char *help)
{
    canvas_put(c, list, 0, y, STYLE_STRONG, names);
    if (list.width < NARROW_WIDTH)
        return 1 + scrolled(c, list, y + 1, _(help));
    canvas_put(c, list, NAMES_WIDTH, y, STYLE_NORMAL, _(help));
    return 1;
}

static void add_name(struct text *names, const char *name)
{
    text_printf(names, "%s%s", names->len ? " " : "", key_word(name));
}

static bool is_of_time(enum request r)
{
    return r == REQUEST_PAUSE || r == REQUEST_EARLIER || r == REQUEST_LATER || r == REQUEST_SEEK_BACK ||
           r == REQUEST_SEEK_ON || r == REQUEST_FASTER || r == REQUEST_SLOWER;
}

/* Of each of these three: a key and those after it that are on its line. All return the row after the last.
 */

/* In the table's order; where what is shown is the past, the keys of time before all others. */
static int draw_keys_of_views(const struct model *m, struct canvas *c, struct rect list, int y)
{
    for (size_t n = 0; n < 2 * key_table_len; n++) {
        struct text names = {0};
        size_t i = n % key_table_len;
        const char *help = help_of(m, i);
        if (!help || (m->replay && is_of_time(key_table[i].request)) != (n < key_table_len))
            continue;
        add_name(&names, key_table[i].name);
        while (++i < key_table_len && !key_table[i].help)
            add_name(&names, key_table[i].name);
        y += draw_line(c, list, y, names.s, help);
        text_finish(&names);
    }
    return y;
}

static int draw_keys_of_compare(struct canvas *c, struct rect list, int y)
{
    for (size_t i = 0; i < compare_keys_len;) {
        struct text names = {0};
        const char *help = compare_keys[i].help;
        do
            add_name(&names, key_find(compare_keys[i].key)->name);
        while (++i < compare_keys_len && !compare_keys[i].help);
        y += draw_line(c, list, y, names.s, help);
        text_finish(&names);
    }
    return y;
}

static int draw_keys_of_part(const struct overlay_part *part, struct canvas *c, struct rect list, int y)
{
    canvas_put(c, list, 0, y++, STYLE_TITLE, _(part->title));
    for (size_t i = 0; i < overlay_keys_len; i++) {
        const struct overlay_key *k = &overlay_keys[i];
        struct text names = {0};
        if (!k->help || !overlay_part_has(part, k))
            continue;
        add_name(&names, k->name);
        for (size_t j = i + 1; j < overlay_keys_len && !overlay_keys[j].help; j++)
            add_name(&names, overlay_keys[j].name);
        y += draw_line(c, list, y, names.s, k->help);
        text_finish(&names);
    }
    return y;
}

static int draw_keys(const struct model *m, struct canvas *c, struct rect list, int y)
{
    if (m->compared)
        return draw_keys_of_compare(c, list, y);
    y = draw_keys_of_views(m, c, list, y);
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        canvas_put(c, list, 0, y, STYLE_TITLE, _(signs[i].title));
        y += 1 + scrolled(c, list, y + 1, _(signs[i].text));
    }
    for (size_t i = 0; i < overlay_parts_len; i++) {
        bool acts =
            overlay_parts[i].where & (OVER_CONFIRM | OVER_FORM) && overlay_parts[i].where != OVER_TYPED;
        if (!acts || !(m->readonly || m->replay)) /* which open neither */
            y = draw_keys_of_part(&overlay_parts[i], c, list, y);
    }
    return y;
}

static int help_rows(const struct model *m, const struct canvas *c, int width)
{
    struct canvas nothing = {.utf8 = c->utf8};
    return draw_keys(m, &nothing, (struct rect){0, 0, width, 0}, 0);
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
    switch ((int)overlay_asks(OVER_HELP, key)) {
    case ASK_DOWN: m->help_from++; break;
    case ASK_UP: m->help_from--; break;
    case ASK_PAGE_DOWN: m->help_from += 10; break;
    case ASK_PAGE_UP: m->help_from -= 10; break;
    default: m->overlay = OVERLAY_NONE; break; /* every other key, in the table or not */
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
                      N_("Removes the queues and policies that this lesson uses, with their messages.")},
    [DANGER_GO_ON] =
        {N_("Go there"),
         N_("Removes the queues and policies that the other lesson uses, with their messages. Others stay.")},
};

/* What a lesson's beginning does with the nodes as they are now (lab/lesson_mend.c), before anything else:
 * nothing is said of what is not to be done; only how many nodes another lesson needs is not known here. The
 * caller frees it. */
static char *what_is_mended(const struct model *m, bool other)
{
    const struct snapshot *s = m->snapshot;
    bool down = false, apart = false, cut = m->cut != 0;
    for (size_t i = 0; s && i < s->nodes_len; i++) {
        bool from = snapshot_apart_from(s, (int)i) != 0;
        down = down || !s->nodes[i].answers;
        apart = apart || from;
        cut = cut || (from && !apart_links_back(s, (int)i));
    }
    const char *handling = m->lab ? m->lab->partition_handling : "";
    bool by_itself = strcmp(handling, "autoheal") == 0 || strcmp(handling, "pause_minority") == 0;
    const char *said[] = {other  ? N_("Starts nodes that the other lesson needs, if they do not run.")
                          : down ? N_("Starts the nodes that do not run.")
                                 : NULL,
                          cut ? N_("Heals the links that are cut.") : NULL,
                          apart && !by_itself ? N_("Stops and starts nodes that stayed apart.") : NULL};
    char *text = NULL;
    for (size_t i = 0; i < ARRAY_LEN(said); i++)
        if (said[i])
            text = text ? two_sentences(text, xstrdup(_(said[i]))) : xstrdup(_(said[i]));
    return text;
}

/* What is done, and before it what is mended. The caller frees it. */
static char *what_it_does(const struct model *m, enum danger danger)
{
    char *mended =
        danger == DANGER_CLEAN || danger == DANGER_GO_ON ? what_is_mended(m, danger == DANGER_GO_ON) : NULL;
    char *what = xstrdup(_(dangers[danger].what));
    return mended ? two_sentences(mended, what) : what;
}

/* What would be done; going on, what is left undone. The caller frees it. */
static char *what_is_changed(const struct model *m, enum danger danger)
{
    size_t seen = model_step(m), steps = m->lesson ? m->lesson->steps_len : 0;
    char **policy = m->to_confirm->argv + COMMAND_CLEAN_FIRST;
    char *what = what_it_does(m, danger);
    struct text names = {0};
    for (; danger == DANGER_CLEAN && *policy; policy++)
        text_printf(&names, "%s%s", names.len ? ", " : "", *policy);
    if (names.len) {
        char *text = format_text(_("%s Clears what is in its way, too: policy %s."), what, names.s);
        text_finish(&names);
        free(what);
        return text;
    }
    if (danger != DANGER_GO_ON || seen == steps)
        return what;
    char *text = format_text(NP_("Lesson %d is not done: %zu step of %zu was seen. %s",
                                 "Lesson %d is not done: %zu steps of %zu were seen. %s", seen),
                             m->lesson->number, seen, steps, what);
    free(what);
    return text;
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

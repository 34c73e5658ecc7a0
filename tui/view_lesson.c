/* view_lesson.c: the lesson at length: its aim, the question to answer before looking, and every step with
 * why it is done, what is run, what was seen and what the program printed. Starts so that the current step is
 * in sight. Also the right third of a wide cluster view. */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "view.h"
#include "words.h"

/* A document of styled lines, made for the width and then shown from the right place on. */
struct lines {
    struct rect r;
    struct canvas *c;
    int y, from; /* rows before `from` are above the window */
};

/* `before` stands in front of each line */
static void block(struct lines *d, int indent, enum style style, const char *before, const char *text)
{
    int at = indent + (int)strlen(before);
    while (*text) {
        size_t skip, len = text_break(d->c, text, d->r.width - at, &skip);
        const char *newline = memchr(text, '\n', len);
        if (newline) {
            len = (size_t)(newline - text);
            skip = 1;
        } else if (text[len + skip] == '\n') {
            skip++;
        }
        char *line = xstrndup(text, len);
        int y = d->y++ - d->from;
        if (y >= 0) {
            canvas_put(d->c, d->r, indent, y, style, before);
            canvas_put(d->c, d->r, at, y, style, line);
        }
        free(line);
        text += len + skip;
    }
}

static void paragraph(struct lines *d, int indent, enum style style, const char *text)
{
    block(d, indent, style, "", text);
}

/* takes the text over */
static void made(struct lines *d, int indent, enum style style, char *text)
{
    paragraph(d, indent, style, text);
    free(text);
}

/* the last lines of it, or all */
static const char *last_lines(const char *output, int lines)
{
    const char *at = output + strlen(output);
    while (at > output && lines > 0) {
        at--;
        if (*at == '\n' && at[1] && --lines == 0)
            return at + 1;
    }
    return output;
}

#define OUTPUT_LINES 3

/* What is shown of what a program printed. A mark in the place of one line would take as much room as that
 * line. */
static const char *tail_of(const char *output)
{
    return last_lines(output, OUTPUT_LINES + 1) == output ? output : last_lines(output, OUTPUT_LINES);
}

static bool step_runs(const struct model *m, size_t i)
{
    bool runs = m->command && m->command->running && m->command->step == (int)i;
    for (size_t k = 0; k < m->others.len; k++)
        runs = runs || m->others.items[k]->step == (int)i;
    return runs;
}

/* What a step's program printed: of one that runs, the lines that are there to their end. The caller frees
 * it. */
static char *printed(const struct model *m, size_t i)
{
    const char *output = m->lesson->steps[i].output, *end = output ? strrchr(output, '\n') : NULL;
    if (!output || !step_runs(m, i))
        return xstrdup(output ? output : "");
    return xstrndup(output, end ? (size_t)(end - output) + 1 : 0);
}

static void add_step(struct lines *d, const struct model *m, size_t i)
{
    const struct lesson_step *s = &m->lesson->steps[i];
    enum step_state state = shown_state(s);
    bool current = i == model_step(m), done = state == STEP_SEEN || state == STEP_WAS;
    const char *box = done ? "[x]" : state == STEP_HALF ? "[~]" : "[ ]";
    enum style style = state == STEP_SEEN ? STYLE_FINE : state == STEP_HALF ? STYLE_SYNCING : STYLE_NORMAL;
    char *shown = done ? step_shown_text(m, i) : NULL, *why = shown ? shown : step_text(m->lesson, i);
    made(d, 0, current ? STYLE_STRONG : style,
         format_text("%s%s %zu %s", current ? ">" : " ", box, i + 1, step_title(m->lesson, i)));
    if (why && (current || done))
        paragraph(d, 6, STYLE_NORMAL, why);
    free(why);
    char *question = current ? question_text(m) : NULL;
    if (question)
        made(d, 6, STYLE_STRONG, question);
    char *lacks = current ? step_lacks(m, s) : NULL;
    if (lacks)
        made(d, 6, STYLE_STRONG, lacks);
    else if (s->action_text && s->action && current && !s->acted && !s->by_hand) {
        struct command *c = command_step(m, i);
        made(d, 6, STYLE_STRONG, step_command_text(m, c));
        command_destroy(c);
    } else if (s->action_text && s->acted)
        made(d, 6, STYLE_DIM, format_text("$ %s", s->ran ? s->ran : s->action_text));
    char *cure =
        current && (s->acted || s->by_hand) && !lacks && !model_only_looks(m) ? step_cure(m, i) : NULL;
    if (cure)
        made(d, 6, STYLE_STRONG, cure);
    char *output = printed(m, i);
    if (*output) {
        const char *tail = tail_of(output);
        if (tail > output)
            paragraph(d, 6, STYLE_DIM, "| ..");
        block(d, 6, STYLE_DIM, "| ", tail);
    }
    free(output);
    if ((state != STEP_OPEN || current) && lesson_step_reached(m->lesson, i))
        made(d, 6, state == STEP_OPEN ? STYLE_DIM : style, proof_words(s));
    if (current && m->view == VIEW_LESSON && m->lesson->number && !m->text_only) /* texts are about these */
        paragraph(d, 6, STYLE_DIM,
                  _("1 shows the nodes and the table of queues; e goes back to where you were."));
}

static void add_lesson(struct lines *d, const struct model *m, int *current_at)
{
    const struct lesson *l = m->lesson;
    size_t current = model_step(m);
    if (l->aim)
        made(d, 1, STYLE_NORMAL, format_text(_("Aim: %s"), lesson_words(l->aim)));
    d->y++;
    for (size_t i = 0; i < l->steps_len; i++) {
        if (i == current)
            *current_at = d->y;
        add_step(d, m, i);
    }
    if (current == l->steps_len) {
        *current_at = d->y;
        char *done = lesson_done_text(m), *account = l->number ? account_text(m) : NULL, *rest = NULL;
        char *asked = l->number ? lesson_asked_text(m) : NULL;
        if (asked)
            paragraph(d, 1, STYLE_DIM, asked);
        free(asked);
        for (char *line = account ? strtok_r(account, "\n", &rest) : NULL; line;
             line = strtok_r(NULL, "\n", &rest))
            paragraph(d, 1, STYLE_NORMAL, line);
        free(account);
        paragraph(d, 1, STYLE_FINE, done);
        free(done);
    }
}

/* What of the document is in the window. */
struct window {
    struct rect body; /* without the title, and without the row that says what is cut off */
    int rows;         /* of the document */
    int at_rest;      /* its first row that is shown if nobody scrolls: the current step is in sight */
    int from;         /* its first row that is shown */
};

static struct window window_of(const struct model *m, struct canvas *c, struct rect r)
{
    struct window w = {.body = rect_rows(r, 1, r.height - 1)};
    struct lines d = {.r = {r.x, r.y, r.width, 0}, .c = c}; /* nothing is drawn into no rows */
    int current_at = 0;
    add_lesson(&d, m, &current_at);
    w.rows = d.y;
    if (w.rows > w.body.height)
        w.body = rect_rows(w.body, 0, w.body.height - 1);
    int last = w.rows > w.body.height ? w.rows - w.body.height : 0, want = current_at - w.body.height / 3;
    w.at_rest = want < 0 ? 0 : want > last ? last : want;
    w.from = w.at_rest - (m->view == VIEW_LESSON ? m->scroll : 0);
    w.from = w.from < 0 ? 0 : w.from > last ? last : w.from;
    return w;
}

static void settle(struct model *m, struct canvas *c, struct rect r)
{
    if (!m->lesson)
        return;
    struct window w = window_of(m, c, r);
    m->scroll = w.at_rest - w.from;
}

static void draw_cut(const struct model *m, struct canvas *c, struct rect r, const struct window *w)
{
    int below = w->rows - w->from - w->body.height, y = 1 + w->body.height;
    bool keys = m->view == VIEW_LESSON; /* beside the cluster they act on queues */
    int x = 1;
    if (w->from > 0)
        x = 2 + canvas_printf(c, r, x, y, STYLE_TITLE,
                              keys ? _("^ %d more above (k, PgUp)") : _("^ %d more above"), w->from);
    if (below > 0)
        x = 2 + canvas_printf(c, r, x, y, STYLE_TITLE,
                              keys ? _("v %d more below (j, PgDn)") : _("v %d more below"), below);
    if (!keys)
        canvas_put(c, r, x, y, STYLE_DIM, _("4 shows all"));
}

static void draw(const struct model *m, struct canvas *c, struct rect r)
{
    if (!m->lesson) {
        canvas_put(c, r, 1, 0, STYLE_DIM, _("No lesson is open: lab 7 opens lesson 7."));
        return;
    }
    char title[256], count[32];
    if (m->lesson->number)
        snprintf(title, sizeof(title), _("Lesson %d: %s "), m->lesson->number,
                 lesson_words(m->lesson->title));
    else /* a schedule */
        snprintf(title, sizeof(title), "%s ", lesson_words(m->lesson->title));
    snprintf(count, sizeof(count), " %zu/%zu ", model_step(m), m->lesson->steps_len);
    draw_title(c, r, 0, title, count);
    struct window w = window_of(m, c, r);
    struct lines d = {.r = w.body, .c = c, .from = w.from};
    int current_at = 0;
    add_lesson(&d, m, &current_at);
    if (w.rows > w.body.height)
        draw_cut(m, c, r, &w);
}

const struct view_ops view_lesson = {.name = N_("Lesson"), .draw = draw, .settle = settle};

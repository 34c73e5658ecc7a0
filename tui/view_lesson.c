/* view_lesson.c: the lesson at length: its aim, the question to answer before looking, and every step with
 * why it is done, what is run, what was seen and what the program printed. Starts so that the current step is
 * in sight. Also the right third of a wide cluster view. */
#include <stdio.h>
#include <stdlib.h>

#include "view.h"

/* A document of styled lines, made for the width and then shown from the right place on. */
struct lines {
    struct rect r;
    struct canvas *c;
    int y, from; /* rows before `from` are above the window */
};

static void paragraph(struct lines *d, int indent, enum style style, const char *text)
{
    while (*text) {
        size_t skip, len = text_break(d->c, text, d->r.width - indent, &skip);
        const char *newline = memchr(text, '\n', len);
        if (newline) {
            len = (size_t)(newline - text);
            skip = 1;
        }
        char *line = xstrndup(text, len);
        int y = d->y++ - d->from;
        if (y >= 0)
            canvas_put(d->c, d->r, indent, y, style, line);
        free(line);
        text += len + skip;
    }
}

static void labelled(struct lines *d, int indent, enum style style, const char *label, const char *text)
{
    char *whole = format_text("%s%s", strncmp(text, label, strlen(label)) == 0 ? "" : label, text);
    paragraph(d, indent, style, whole);
    free(whole);
}

/* the last lines that a program printed */
static const char *tail_of(const char *output, int lines)
{
    const char *at = output + strlen(output);
    while (at > output && lines > 0) {
        at--;
        if (*at == '\n' && at[1] && --lines == 0)
            return at + 1;
    }
    return output;
}

static void add_step(struct lines *d, const struct model *m, size_t i)
{
    const struct lesson_step *s = &m->lesson->steps[i];
    bool current = i == model_step(m), seen = s->state == STEP_SEEN;
    bool half = s->state == STEP_HALF && (s->acted || !s->action);
    const char *box = seen || s->state == STEP_WAS ? "[x]" : half ? "[~]" : "[ ]";
    enum style style = seen ? STYLE_FINE : half ? STYLE_SYNCING : STYLE_NORMAL;
    char *title = format_text("%s%s %zu %s", current ? ">" : " ", box, i + 1, s->title);
    paragraph(d, 0, current ? STYLE_STRONG : style, title);
    free(title);
    if (s->why && current)
        paragraph(d, 6, STYLE_NORMAL, s->why);
    if (s->action_text && (current || s->acted))
        labelled(d, 6, current && !s->acted ? STYLE_STRONG : STYLE_DIM,
                 current && !s->acted ? "n runs: " : "$ ", s->action_text);
    if (s->output && *s->output)
        labelled(d, 6, STYLE_DIM, "| ", tail_of(s->output, 3));
    if (s->seen_text && (seen || half || s->state == STEP_WAS))
        labelled(d, 6, style, seen ? "seen: " : half ? "half: " : "", s->seen_text);
    else if (current && s->wait_text)
        labelled(d, 6, STYLE_DIM, "wait: ", s->wait_text);
}

static void add_lesson(struct lines *d, const struct model *m, int *current_at)
{
    const struct lesson *l = m->lesson;
    size_t current = model_step(m);
    if (l->aim)
        labelled(d, 1, STYLE_NORMAL, "Aim: ", l->aim);
    if (l->predict && current == 0)
        labelled(d, 1, STYLE_STRONG, "Before you look: ", l->predict);
    d->y++;
    for (size_t i = 0; i < l->steps_len; i++) {
        if (i == current)
            *current_at = d->y;
        add_step(d, m, i);
    }
    if (current == l->steps_len) {
        *current_at = d->y;
        labelled(d, 1, STYLE_FINE, "All steps were seen. ", "q leaves; the nodes stay as they are.");
    }
}

static void draw(const struct model *m, struct canvas *c, struct rect r)
{
    if (!m->lesson) {
        canvas_put(c, r, 1, 0, STYLE_DIM, "No lesson is open: lab 7 opens lesson 7.");
        return;
    }
    char title[256], count[32];
    snprintf(title, sizeof(title), "Lesson %d: %s ", m->lesson->number, m->lesson->title);
    snprintf(count, sizeof(count), " %zu/%zu ", model_step(m), m->lesson->steps_len);
    draw_title(c, r, 0, title, count);
    struct rect body = rect_rows(r, 1, r.height - 1);
    struct lines d = {.r = {body.x, body.y, body.width, 0}, .c = c}; /* once without drawing, to measure */
    int current_at = 0;
    add_lesson(&d, m, &current_at);
    int below = d.y - body.height, want = current_at - body.height / 3;
    d = (struct lines){.r = body, .c = c, .from = want < 0 || below < 0 ? 0 : want > below ? below : want};
    add_lesson(&d, m, &current_at);
}

const struct view_ops view_lesson = {.name = "Lesson", .draw = draw};

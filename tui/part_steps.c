/* part_steps.c: the lesson's steps in the cluster view: a box for each that only observation ticks, what was
 * seen or is waited for beside it, and under the current step why it is done and what would be run. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "view.h"
#include "words.h"

#define TEXT_COLUMN 7 /* of what is said about a step, under its title */

/* Before its action was run, what is half there is there by chance: that is not progress. Nor is it told of
 * what is to be looked at first. */
enum step_state shown_state(const struct lesson_step *s)
{
    bool by_chance = !s->acted && !s->by_hand && (s->action || s->before);
    return s->state == STEP_HALF && by_chance ? STEP_OPEN : s->state;
}

static const char *box(enum step_state state, enum style *style)
{
    switch (state) {
    case STEP_OPEN: *style = STYLE_NORMAL; return "[ ]";
    case STEP_HALF: *style = STYLE_SYNCING; return "[~]";
    case STEP_SEEN: *style = STYLE_FINE; return "[x]";
    case STEP_WAS: *style = STYLE_NORMAL; return "[x]"; /* it was proved; "true until" stands beside it */
    }
    return "[ ]";
}

const char *step_title(const struct lesson *l, size_t step)
{
    const struct lesson_step *s = &l->steps[step];
    return lesson_words(lesson_step_told(l, step) ? s->title : s->before);
}

static bool is_done(const struct lesson_step *s)
{
    return s->state == STEP_SEEN || s->state == STEP_WAS;
}

/* What was to be stopped in order, and was not: how to go on. The caller frees it; NULL: nothing to say. */
static char *gone_text(const struct lesson *l, size_t step)
{
    const char *node = step_of_app(&l->steps[step], "stop_app");
    return node && lesson_step_process_gone(l, step)
               ? format_text(_("Killed or crashed, not stopped: labctl -n %s start starts %s again."), node,
                             node)
               : NULL;
}

/* What one that is proved has shown: on whatever way, and on the one it was. The caller frees it; NULL: it
 * has no words for that. */
static char *result_text(const struct lesson *l, size_t step)
{
    const struct lesson_step *s = &l->steps[step];
    char *gone = gone_text(l, step);
    if (gone)
        return gone;
    char *result = s->result ? xstrdup(lesson_words(s->result)) : NULL;
    char *shows = s->shows ? xstrdup(lesson_words(s->shows)) : NULL;
    return result && shows ? two_sentences(result, shows) : result ? result : shows;
}

char *step_text(const struct lesson *l, size_t step)
{
    const struct lesson_step *s = &l->steps[step];
    char *result = is_done(s) ? result_text(l, step) : NULL;
    return result || !s->why ? result : xstrdup(lesson_words(s->why));
}

/* Of one that was true, where there is no room for since when it is not. */
static char *then_words(const struct lesson_step *s)
{
    char *seen = fact_text(s->seen, lesson_words);
    char *words = format_text(_("was true, then %s"), seen);
    free(seen);
    return words;
}

char *proof_words(const struct lesson_step *s)
{
    char *seen = fact_text(s->seen, lesson_words), *words = NULL;
    switch (shown_state(s)) {
    case STEP_OPEN:
        if (s->wait_text && (!s->lacks || s->acted)) /* else its own words say what it lacks */
            words = format_text(_("wait: %s"), lesson_words(s->wait_text));
        break;
    case STEP_HALF: words = format_text(_("not yet: %s"), seen); break;
    case STEP_SEEN: words = format_text(_("seen: %s"), seen); break;
    case STEP_WAS: {
        time_t seconds = (time_t)(s->seen_wall_ms / 1000);
        struct tm t;
        localtime_r(&seconds, &t);
        words = format_text(_("true until %02d:%02d:%02d, then %s"), t.tm_hour, t.tm_min, t.tm_sec, seen);
        break;
    }
    }
    free(seen);
    return words ? words : xstrdup("");
}

/* The column of the proofs: after the longest title, but never in the right third. 0: no room for any. */
static int proof_column(const struct model *m, const struct canvas *c, int width)
{
    int longest = 0;
    for (size_t i = 0; i < m->lesson->steps_len; i++) {
        const struct lesson_step *s = &m->lesson->steps[i];
        int columns = text_columns(c, lesson_words(s->title));
        int before = s->before ? text_columns(c, lesson_words(s->before)) : 0;
        columns = before > columns ? before : columns;
        longest = columns > longest ? columns : longest;
    }
    int column = longest + 10 < width * 2 / 3 ? longest + 10 : width * 2 / 3;
    return width >= 60 ? column : 0;
}

/* Rows under its title for what was seen at this step, where it does not fit beside it. */
static int rows_under(const struct model *m, const struct canvas *c, int width, size_t step)
{
    int column = proof_column(m, c, width);
    if (!column)
        return 0;
    char *proof = proof_words(&m->lesson->steps[step]);
    int rows = column + text_columns(c, proof) > width ? paragraph_rows(c, width - TEXT_COLUMN, proof) : 0;
    free(proof);
    return rows;
}

/* of the step that was ticked last; at a lesson's end its account tells more */
static int proof_rows(const struct model *m, const struct canvas *c, int width)
{
    size_t current = model_step(m);
    bool told = current == m->lesson->steps_len && m->lesson->number;
    return current == 0 || told ? 0 : rows_under(m, c, width, current - 1);
}

/* of the current one, what it waits for still: that one wants to read to its end */
static int half_rows(const struct model *m, const struct canvas *c, int width)
{
    size_t current = model_step(m);
    bool half = current < m->lesson->steps_len && shown_state(&m->lesson->steps[current]) == STEP_HALF &&
                lesson_step_reached(m->lesson, current);
    return half ? rows_under(m, c, width, current) : 0;
}

/* rows: below its title for what was seen; 0: that stands beside it */
static int draw_step(const struct model *m, struct canvas *c, struct rect r, int y, size_t i, int rows)
{
    const struct lesson_step *s = &m->lesson->steps[i];
    bool current = i == model_step(m);
    enum style style;
    const char *tick = box(shown_state(s), &style);
    int column = proof_column(m, c, r.width);
    char *proof = proof_words(s);
    if (!rows && column && s->state == STEP_WAS && column + text_columns(c, proof) > r.width) {
        free(proof); /* what came after rather than when */
        proof = then_words(s);
    }
    canvas_put(c, r, 0, y, STYLE_STRONG, current ? ">" : " ");
    canvas_put(c, r, 1, y, style, tick);
    struct rect left = r;
    left.width = column ? column - 1 : r.width;
    canvas_printf(c, left, 5, y, current ? STYLE_STRONG : STYLE_NORMAL, "%zu %s", i + 1,
                  step_title(m->lesson, i));
    if (rows)
        draw_paragraph(c, rect_rows(r, y + 1, rows), TEXT_COLUMN, 0, style, proof);
    else if (column && lesson_step_reached(m->lesson, i))
        canvas_put(c, r, column, y, shown_state(s) == STEP_OPEN ? STYLE_DIM : style, proof);
    free(proof);
    return 1 + rows;
}

/* The same where nothing can be done, in the past or read-only: no key that would is named. */
static char *past_text(const struct lesson_step *s)
{
    if (s->action && s->acted && s->exit_code < 0)
        return xstrdup(_("its command runs now"));
    if (s->action && s->acted && s->exit_code > 0)
        return format_text(_("its program ended with exit code %d"), s->exit_code);
    if (s->acted)
        return xstrdup(s->action ? _("was run; the nodes have not shown it yet")
                                 : _("it is ticked when the nodes show it"));
    if (s->by_hand)
        return xstrdup(_("its node does not answer; the nodes have not shown it yet"));
    return s->action ? NULL : xstrdup(_("nothing to run: it is only looked at"));
}

/* A screen that only looks on runs nothing: when another one does is not its to say; nor is it run now where
 * nobody answers. */
char *step_command_text(const struct model *m, const struct command *c)
{
    bool refused = m->readonly || model_unanswered_refuses(m, REQUEST_NEXT);
    return format_text(m->replay ? _("not run yet: %s")
                       : refused ? _("its command: %s")
                                 : _("n runs: %s"),
                       c->text);
}

/* what can be done at the current step; the caller frees it. NULL: nothing more */
static char *to_do_text(const struct model *m, const struct lesson_step *s, enum style *style)
{
    bool schedule = !s->action && !s->wait_text;
    if (model_only_looks(m) && !schedule && (s->acted || s->by_hand || !s->action_text)) {
        *style = STYLE_DIM;
        return past_text(s);
    }
    *style = STYLE_STRONG;
    char *lacks = step_lacks(m, s);
    if (lacks)
        return lacks;
    if (s->action_text && s->action && !s->acted && !s->by_hand) {
        struct command *c = command_step(m, (size_t)(s - m->lesson->steps));
        char *text = step_command_text(m, c);
        command_destroy(c);
        return text;
    }
    if (s->action && s->acted && s->exit_code < 0)
        return xstrdup(_("its command runs now (Ctrl-C ends it)"));
    char *failed = step_failed_text(m, s);
    if (failed)
        return failed;
    char *cure = s->acted || s->by_hand ? step_cure(m, (size_t)(s - m->lesson->steps)) : NULL;
    if (cure)
        return cure;
    *style = STYLE_DIM;
    if (schedule)
        return xstrdup(m->time.open ? _("it is played now; what the nodes show comes by itself")
                                    : _("] shows what it leads to"));
    if (!s->action)
        return xstrdup(s->acted ? _("it is ticked when the nodes show it (n: what is missing)")
                                : _("nothing to run: look, then n"));
    if (s->by_hand)
        return xstrdup(_("its node does not answer; now the nodes have to show it (n: what is missing)"));
    return s->acted ? xstrdup(_("was run; now the nodes have to show it (n: what is missing)")) : NULL;
}

char *step_shown_text(const struct model *m, size_t step)
{
    const struct lesson *l = m->lesson;
    char *shown = result_text(l, step);
    bool decided = l->predict.text && l->predict.decided == step && is_done(&l->steps[step]);
    char *outcome = decided ? outcome_text(m) : NULL;
    if (!outcome)
        return shown;
    return shown ? two_sentences(outcome, shown) : outcome;
}

/* What the step before the current one has shown, until this one is run. The caller frees it; NULL: nothing.
 */
static char *shown_text(const struct model *m)
{
    const struct lesson *l = m->lesson;
    size_t current = model_step(m);
    if (current == 0 || current == l->steps_len || l->steps[current].acted)
        return NULL; /* what the last one has shown is part of the ending */
    return step_shown_text(m, current - 1);
}

static int text_rows(const struct canvas *c, int width, const char *text)
{
    return text ? paragraph_rows(c, width - TEXT_COLUMN, text) : 0;
}

/* What stands below the last step when all were seen: the question that was asked before, what became of the
 * queues, why, and how to go on; how many rows each gets. */
struct ending {
    char *asked, *done; /* asked: NULL: nothing was */
    char *why;          /* what the last step has shown; NULL: nothing */
    int asked_rows, account_rows, why_rows, done_rows;
};

static int fits(int rows, int *left)
{
    if (rows > *left)
        return 0;
    *left -= rows;
    return rows;
}

/* how to go on first, then the account, then why, then the question */
static void share_ending(const struct model *m, const struct canvas *c, int width, int rows, struct ending *e)
{
    const struct lesson *l = m->lesson;
    bool told = l->number != 0;
    *e = (struct ending){.done = lesson_done_text(m), .asked = told ? lesson_asked_text(m) : NULL};
    e->why = told ? step_text(l, l->steps_len - 1) : NULL;
    int done = paragraph_rows(c, width - 1, e->done), account = told ? account_rows(m, c, width) : 0;
    e->done_rows = done < rows ? done : rows;
    rows -= e->done_rows;
    e->account_rows = account < rows ? account : rows;
    rows -= e->account_rows;
    e->why_rows = e->why ? fits(paragraph_rows(c, width - 1, e->why), &rows) : 0;
    e->asked_rows = e->asked ? fits(paragraph_rows(c, width - 1, e->asked), &rows) : 0;
}

static void ending_finish(struct ending *e)
{
    free(e->asked);
    free(e->why);
    free(e->done);
}

int steps_least(const struct model *m)
{
    size_t least = lesson_asks(m->lesson) ? 2 : 5; /* the question rather than what comes much later */
    return (int)(m->lesson->steps_len < least ? m->lesson->steps_len : least);
}

/* rows for why the current step is done and what is run; at its end, for what became of all */
static int current_rows(const struct model *m, const struct canvas *c, int width)
{
    size_t current = model_step(m);
    enum style style;
    if (current == m->lesson->steps_len) {
        struct ending e;
        share_ending(m, c, width, INT_MAX / 2, &e);
        ending_finish(&e);
        return e.asked_rows + e.account_rows + e.why_rows + e.done_rows;
    }
    char *text = to_do_text(m, &m->lesson->steps[current], &style);
    char *why = step_text(m->lesson, current);
    int rows = text_rows(c, width, why) + text_rows(c, width, text) + half_rows(m, c, width);
    free(why);
    free(text);
    return rows;
}

int steps_rows_asked(const struct model *m, const struct canvas *c, int width)
{
    bool ended = m->lesson && m->lesson->number && model_step(m) == m->lesson->steps_len;
    char *asked = ended ? lesson_asked_text(m) : question_text(m);
    int rows = asked ? paragraph_rows(c, width - (ended ? 1 : TEXT_COLUMN), asked) : 0;
    free(asked);
    return rows;
}

int steps_rows_to_do(const struct model *m, const struct canvas *c, int width)
{
    if (!m->lesson)
        return 0;
    char *shown = shown_text(m), *question = question_text(m);
    int rows = current_rows(m, c, width) + text_rows(c, width, shown) + text_rows(c, width, question);
    free(shown);
    free(question);
    return rows;
}

int steps_rows_of_proof(const struct model *m, struct canvas *c, int width)
{
    return m->lesson ? proof_rows(m, c, width) : 0;
}

/* Why, the question, and the command; rows it took. The question comes first where there is no room for all.
 */
static int draw_what_to_do(const struct model *m, struct canvas *c, struct rect r, int y, int rows)
{
    const struct lesson_step *s = &m->lesson->steps[model_step(m)];
    enum style style;
    char *texts[] = {step_text(m->lesson, model_step(m)), question_text(m), to_do_text(m, s, &style)};
    enum style styles[] = {STYLE_DIM, STYLE_NORMAL, style};
    int of[] = {0, 0, 0}, left = rows, used = 0;
    static const int order[] = {1, 2, 0};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        int wants = text_rows(c, r.width, texts[order[i]]);
        of[order[i]] = wants < left ? wants : left;
        left -= of[order[i]];
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (of[i])
            used += draw_paragraph(c, rect_rows(r, y + used, of[i]), TEXT_COLUMN, 0, styles[i], texts[i]);
        free(texts[i]);
    }
    return used;
}

char *lesson_done_text(const struct model *m)
{
    size_t steps = m->lesson->steps_len;
    if (!m->lesson->number)
        return xstrdup(_("This is the end of the schedule."));
    if (model_only_looks(m))
        return format_text(_("All %zu steps were seen."), steps);
    if (!m->next_lesson)
        return format_text(
            _("All %zu steps were seen. B begins it again, q leaves; the nodes stay as they are."), steps);
    if (m->next_lesson > m->lesson->number + 1)
        return format_text(_("All %zu steps were seen. N goes on to lesson %d (those between are still to be "
                             "written), B begins it again, q leaves."),
                           steps, m->next_lesson);
    return format_text(_("All %zu steps were seen. N goes on to lesson %d, B begins it again, q leaves."),
                       steps, m->next_lesson);
}

static void draw_ending(const struct model *m, struct canvas *c, struct rect r)
{
    struct ending e;
    share_ending(m, c, r.width, r.height, &e);
    int y = 0;
    if (e.asked_rows)
        y += draw_paragraph(c, rect_rows(r, y, e.asked_rows), 1, 0, STYLE_DIM, e.asked);
    if (e.account_rows)
        draw_account(m, c, rect_rows(r, y, e.account_rows), 0);
    y += e.account_rows;
    if (e.why_rows)
        y += draw_paragraph(c, rect_rows(r, y, e.why_rows), 1, 0, STYLE_NORMAL, e.why);
    draw_paragraph(c, rect_rows(r, y, e.done_rows), 1, 0, STYLE_FINE, e.done);
    ending_finish(&e);
}

/* How many of them, and which is the first: the current one is in sight, with the one before it. */
static size_t choose_listed(const struct model *m, int rows, int to_say, int asked, size_t *first)
{
    size_t steps = m->lesson->steps_len, current = model_step(m);
    int few = rows - to_say < 3 ? 2 : 3; /* the one before, the current one, and the next if all is said */
    few = rows - asked < few ? 1 : few;  /* but the question that is open rather than these */
    few = few < (int)steps ? few : (int)steps;
    int least = current == steps ? 0 : few;
    int listed = rows - to_say > least ? rows - to_say : least;
    listed = listed > (int)steps ? (int)steps : listed;
    listed = listed > rows ? rows : listed;
    *first = current > 0 && listed > 1 ? current - 1 : current;
    if (*first + (size_t)listed > steps)
        *first = steps - (size_t)listed;
    return (size_t)listed;
}

#define ROOM_FOR_BOTH 58

/* " 3/7, +2 above, +1 below ": how many of them were seen, and how many there was no room for; listed: from
 * `first` on, up to `end`. Where both would leave the title no room what is still to come is counted. The
 * caller frees it. */
static char *count_of(int width, size_t seen, size_t steps, size_t first, size_t end)
{
    size_t below = seen < steps ? steps - end : 0; /* at its end all were seen: what is said of them counts */
    if (first && below && width >= ROOM_FOR_BOTH)
        return format_text(_(" %zu/%zu, +%zu above, +%zu below "), seen, steps, first, below);
    if (first || below)
        return format_text(below ? _(" %zu/%zu, +%zu below ") : _(" %zu/%zu, +%zu above "), seen, steps,
                           below ? below : first);
    return format_text(" %zu/%zu ", seen, steps);
}

void draw_steps(const struct model *m, struct canvas *c, struct rect r)
{
    const struct lesson *l = m->lesson;
    size_t current = model_step(m), steps = l->steps_len;
    int rows = r.height, y = 0;
    if (rows == 1) {
        if (current < steps)
            draw_step(m, c, r, 0, current, 0);
        else
            draw_ending(m, c, r);
        return;
    }
    char title[256];
    if (l->number)
        snprintf(title, sizeof(title), _("Lesson %d: %s "), l->number, lesson_words(l->title));
    else /* a schedule */
        snprintf(title, sizeof(title), "%s ", lesson_words(l->title));
    y++; /* the title comes last: it says how many there was no room for */
    rows--;
    int to_say = steps_rows_to_do(m, c, r.width);
    int asked = steps_rows_asked(m, c, r.width);
    size_t first, listed = choose_listed(m, rows, to_say, current < steps ? asked : 0, &first);
    char *shown = shown_text(m);
    int extra = rows - (int)listed;
    size_t i = first;
    for (; i < first + listed && y < r.height; i++) {
        int proof =
            i + 1 == current && proof_rows(m, c, r.width) <= extra - to_say ? proof_rows(m, c, r.width) : 0;
        proof = i == current && half_rows(m, c, r.width) <= extra ? half_rows(m, c, r.width) : proof;
        y += draw_step(m, c, r, y, i, proof);
        extra -= proof;
        if (i == current && extra > 0)
            y += draw_what_to_do(m, c, r, y, extra);
        /* why the current one is done comes first */
        int spare = extra - current_rows(m, c, r.width) - (current < steps ? asked : 0);
        if (i + 1 == current && shown && spare > 0) {
            int used = draw_paragraph(c, rect_rows(r, y, spare), TEXT_COLUMN, 0, STYLE_DIM, shown);
            y += used;
            extra -= used;
        }
    }
    free(shown);
    if (current == steps && y < r.height)
        draw_ending(m, c, rect_rows(r, y, r.height - y));
    char *count = count_of(r.width, current, steps, first, i);
    draw_title(c, r, 0, title, count);
    free(count);
}

/* question_words.c: the lesson's question in words: as it stands under its step before that is run, what
 * became of it, and how it is looked back at. What was right is what was seen (lab/lesson_ask.c). */
#include <stdlib.h>

#include "view.h"
#include "words.h"

static char letter(int choice)
{
    return (char)('a' + choice);
}

static const char *choice_words(const struct lesson_question *q, int choice)
{
    return lesson_words(q->choices[choice]);
}

/* one text of two, which it takes over */
static char *joined(const char *format, char *first, char *second)
{
    struct text t = {0};
    text_printf(&t, format, first, second);
    free(first);
    free(second);
    return t.s;
}

/* after a full-width full stop there is no space */
char *two_sentences(char *first, char *second)
{
    size_t len = strlen(first);
    return joined(len && (unsigned char)first[len - 1] >= 0x80 ? "%s%s" : "%s %s", first, second);
}

/* somebody can press keys here, and they are about the lab */
static bool has_keys(const struct model *m)
{
    return !model_only_looks(m) && !m->text_only;
}

int question_choice(const struct model *m, int key)
{
    const struct lesson *l = m->lesson;
    if (!l || !has_keys(m) || !lesson_asks(l) || l->predict.said >= 0)
        return -1;
    if (l->steps[l->predict.step].acted) /* it was run without an answer */
        return -1;
    for (int i = 0; l->predict.choices[i]; i++)
        if (key == letter(i))
            return i;
    return -1;
}

bool question_answered(const struct model *m, int key)
{
    const struct lesson *l = m->lesson;
    bool answered = l && has_keys(m) && lesson_asks(l) && l->predict.said >= 0;
    for (int i = 0; answered && l->predict.choices[i]; i++)
        if (key == letter(i))
            return true;
    return false;
}

bool question_keeps(const struct model *m, int key)
{
    const struct lesson *l = m->lesson;
    return question_choice(m, key) >= 0 || (question_answered(m, key) && !l->steps[l->predict.step].acted);
}

/* the letters of all choices: "a, b or c" */
static char *letters_text(const struct lesson_question *q)
{
    char *text = format_text("%c", letter(0));
    for (int i = 1; q->choices[i]; i++) {
        char *more = q->choices[i + 1] ? format_text("%s, %c", text, letter(i))
                                       : format_text(_("%s or %c"), text, letter(i));
        free(text);
        text = more;
    }
    return text;
}

/* which keys answer it */
static char *keys_text(const struct model *m)
{
    if (question_choice(m, letter(0)) < 0)
        return xstrdup(_("A answers"));
    char *letters = letters_text(&m->lesson->predict), *text = format_text(_("press %s"), letters);
    free(letters);
    return text;
}

char *question_said_text(const struct model *m, int choice)
{
    if (choice < 0)
        return xstrdup(_("No answer now. A again is the first one; n goes on."));
    return format_text(_("You say %c: %s. A again is the next answer; n goes on."), letter(choice),
                       choice_words(&m->lesson->predict, choice));
}

char *question_reminder(const struct model *m)
{
    char *letters = letters_text(&m->lesson->predict);
    char *text = format_text(
        _("The question is open: %s answers it; n once more runs the step without an answer."), letters);
    free(letters);
    return text;
}

char *question_text(const struct model *m)
{
    const struct lesson *l = m->lesson;
    if (!l || !lesson_asks(l))
        return NULL;
    const struct lesson_question *q = &l->predict;
    char *choices = NULL, *text = NULL;
    for (int i = 0; q->choices[i]; i++) {
        char *choice = format_text(_("%c: %s"), letter(i), choice_words(q, i));
        choices = choices ? joined(_("%s; %s"), choices, choice) : choice;
    }
    text = format_text(_("Before you look: %s"), lesson_words(q->text));
    text = two_sentences(text, choices);
    if (q->said >= 0 && has_keys(m))
        text = joined(_("%s -- %s"), text, format_text(_("you say %c; A changes it"), letter(q->said)));
    else if (q->said >= 0)
        text = joined(_("%s -- %s"), text, format_text(_("you say %c"), letter(q->said)));
    else if (has_keys(m))
        text = joined(_("%s -- %s"), text, keys_text(m));
    return text;
}

char *outcome_text(const struct model *m)
{
    const struct lesson_question *q = &m->lesson->predict;
    if (q->was < 0)
        return q->said < 0 ? NULL
                           : format_text(_("You said %c: %s."), letter(q->said), choice_words(q, q->said));
    const char *was = choice_words(q, q->was);
    if (q->said < 0)
        return format_text(_("It was %c: %s."), letter(q->was), was);
    if (q->said == q->was)
        return format_text(_("You said %c, and so it was: %s."), letter(q->was), was);
    return format_text(_("You said %c: %s. It was %c: %s."), letter(q->said), choice_words(q, q->said),
                       letter(q->was), was);
}

char *lesson_asked_text(const struct model *m)
{
    const struct lesson_question *q = &m->lesson->predict;
    if (!q->text)
        return NULL;
    char *outcome = outcome_text(m), *text = format_text(_("You were asked: %s"), lesson_words(q->text));
    return outcome ? two_sentences(text, outcome) : text;
}

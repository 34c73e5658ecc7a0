/* lesson_ask.c: the question that is asked before a step is run, what the learner says to it, and what was
 * seen: each choice has a proof, and the one that holds when the step is ticked is what came out; of a step
 * that only looks, the one that was seen first: it may be over by the time the learner says so.
 *
 * The rule it keeps: nobody wrote down which choice is right; a choice without a proof that holds is not. */
#include <stdlib.h>

#include "lab/lesson_private.h"

/* the step that asks, if it is the current one; NULL: it is not */
static const struct lesson_step *asking(const struct lesson *l)
{
    size_t step = lesson_current(l);
    return l->predict.text && step == l->predict.step && step < l->steps_len ? &l->steps[step] : NULL;
}

bool lesson_asks(const struct lesson *l)
{
    const struct lesson_step *s = asking(l);
    /* one that failed has shown nothing yet; where it lacks something, or is done by hand, the question may
     * not be true */
    return s && (!s->acted || s->exit_code > 0) && !s->lacks && !s->by_hand;
}

bool lesson_to_predict(const struct lesson *l)
{
    const struct lesson_step *s = asking(l);
    return l->predict.text &&
           (lesson_current(l) < l->predict.step || (s && (!s->acted || s->exit_code != 0)));
}

int lesson_next_answer(const struct lesson *l)
{
    const struct lesson_question *q = &l->predict;
    return q->choices && q->choices[q->said + 1] ? q->said + 1 : -1;
}

bool lesson_answer(struct lesson *l, int choice)
{
    struct lesson_question *q = &l->predict;
    int choices = 0;
    while (q->choices && q->choices[choices])
        choices++;
    if (!lesson_asks(l) || choice < -1 || choice >= choices)
        return false;
    q->said = choice;
    return true;
}

static bool decides(const struct lesson_full *full, const struct lesson_step *step)
{
    return (size_t)(step - full->lesson.steps) == full->lesson.predict.decided;
}

void question_undecide(struct lesson_full *full, const struct lesson_step *step)
{
    if (decides(full, step))
        full->lesson.predict.was = -1;
}

void question_decide(struct lesson_full *full, const struct lesson_step *step, const struct snapshot *s)
{
    struct lesson_question *q = &full->lesson.predict;
    struct proof **proofs = q->proofs;
    if (!proofs || !decides(full, step) || q->was >= 0) /* what comes later undoes nothing */
        return;
    struct evidence evidence = lesson_evidence(full, step, s);
    for (int i = 0; q->choices[i] && q->was < 0; i++) {
        struct finding found;
        proof_look(proofs[i], &evidence, &found);
        q->was = found.verdict == VERDICT_YES ? i : -1;
        finding_finish(&found);
    }
}

void question_finish(struct lesson_question *q)
{
    struct proof **proofs = q->proofs;
    for (size_t i = 0; q->choices && q->choices[i]; i++) {
        if (proofs)
            proof_destroy(proofs[i]);
        free(q->choices[i]);
    }
    free(q->choices);
    free(proofs);
    free(q->text);
}

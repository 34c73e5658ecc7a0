/* predict.c: see predict.h. */
#include "predict.h"

#include <stdlib.h>

#include "view.h"
#include "words.h"

bool predict_open(const struct model *m)
{
    return m->lesson && lesson_to_predict(m->lesson);
}

bool predict_tells_event(const struct model *m, const struct event_seen *e)
{
    return strcmp(e->kind, "hint") != 0 || e->wall_ms <= m->told_wall_ms || !predict_open(m);
}

struct fate predict_fate(const struct model *m, const struct fate *f)
{
    struct fate told = *f;
    if (f->verdict == VERDICT_UNAVAILABLE && predict_open(m))
        told.in_memory = told.logged = false;
    return told;
}

void predict_life(const struct model *m, struct life *life)
{
    life->fate = predict_fate(m, &life->fate);
    for (size_t i = 0; !life->fate.in_memory && i < life->moments.len; i++)
        life->moments.items[i].memory = false;
}

char *predict_unavailable_text(const struct model *m, const struct fate *f)
{
    if (!predict_open(m))
        return unavailable_text(m->snapshot, f);
    char *away = nodes_text(m->snapshot, f->away);
    /* which kind it is its publisher said: that tells messages apart, and is no answer */
    char *text = format_text(
        f->in_memory
            ? _("transient: its only copies are on %s, away. What to expect is told after the lesson's "
                "question.")
        : f->logged
            ? _("persistent: its only copies are on %s, away. What to expect is told after the lesson's "
                "question.")
            : _("its only copies are on %s: away. What to expect is told after the lesson's question."),
        away);
    free(away);
    return text;
}

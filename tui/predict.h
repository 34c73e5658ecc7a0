/* predict.h: predict first: what would answer a lesson's question is told only when the step that asks it has
 * worked (lesson_to_predict), on all views. What nodes report (states, counts, places) and what was seen to
 * be lost is told at any time; a hint, what is to be expected of a message, and that memory alone holds it,
 * are not. The one place that knows which is which. */
#ifndef TUI_PREDICT_H
#define TUI_PREDICT_H

#include "model.h"

bool predict_open(const struct model *m); /* something is not told yet */

/* Once it was told it stays: the list never takes back what stood there (model.told_wall_ms). */
bool predict_tells_event(const struct model *m, const struct event_seen *e);

/* A message's fate and life, as far as they may be told. */
struct fate predict_fate(const struct model *m, const struct fate *f);
void predict_life(const struct model *m, struct life *life);

/* Of one that is UNAVAILABLE: where it is, and what is to be expected, or when that is told. The caller frees
 * it. */
char *predict_unavailable_text(const struct model *m, const struct fate *f);

#endif

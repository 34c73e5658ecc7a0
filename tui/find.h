/* find.h: which queues and events are shown, and in which order: the filter behind '/', the column that '<'
 * and
 * '>' sort by. */
#ifndef TUI_FIND_H
#define TUI_FIND_H

#include "model.h"

/* Makes m->shown, m->told and m->happened anew: after a snapshot, another filter or another order, and once
 * more may be told. */
void find_again(struct model *m);
void find_finish(struct model *m);

/* Before a new snapshot takes the place of the model's: an events view that is scrolled up stays where it is.
 */
void find_keep_place(struct model *m, const struct snapshot *s);

enum found find_kind(const struct model *m); /* what '/' filters in this view */

/* The queue `by` rows from the selected one in the order shown, kept inside; NULL: none is shown. */
const char *find_queue_from(const struct model *m, int by);

/* Takes away the filter of the view that is shown, if it has one, and says so. */
bool find_all(struct model *m);

void find_sort(struct model *m, int by);                  /* the next column, or the one before */
const char *find_sort_name(enum sort sort);               /* for a person, translated */
char *find_status(const struct model *m);                 /* "/x: 3 of 200 queues; ..."; NULL: all is shown */
int find_export(const struct model *m, const char *file); /* the events that pass, as text; 0 or an errno */

#endif

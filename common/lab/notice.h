/* notice.h: the list of events of a snapshot: what the nodes' own feeds tell, merged by time, and, where no
 * feed exists, what differs between this snapshot and the one before. Private to common/lab. */
#ifndef LAB_NOTICE_H
#define LAB_NOTICE_H

#include "lab/merge.h"

#define NOTICE_MAX_EVENTS 1000

/* Fills s->events from the previous snapshot's list (NULL at first) and what is new. */
void notice_events(struct snapshot *s, const struct node_answer *answers, size_t answers_len,
                   const struct snapshot *before);

/* notice_publish.c: adds what was published and taken since the snapshot before, from s->trace. */
void notice_published(struct snapshot *s, const struct snapshot *before);

#endif

/* notice.h: the list of events of a snapshot: what the nodes' own feeds tell, merged by time, and, where no
 * feed exists, what differs between this snapshot and the one before. Private to common/lab. */
#ifndef LAB_NOTICE_H
#define LAB_NOTICE_H

#include "base/vec.h"
#include "lab/merge.h"

#define NOTICE_MAX_EVENTS 1000

/* Fills s->events from the previous snapshot's list (NULL at first) and what is new. seen_wall_ms: until then
 * an earlier screen listened; 0: none did. */
void notice_events(struct snapshot *s, const struct node_answer *answers, size_t answers_len,
                   const struct snapshot *before, int64_t seen_wall_ms);

/* notice_publish.c: adds what was published and taken since the snapshot before, from s->trace. counted_us:
 * for each node until when its notes were counted by an earlier screen; NULL: there was none. */
void notice_published(struct snapshot *s, const struct snapshot *before, const int64_t counted_us[]);

/* Puts an event (what it owns is taken over) where its time is; of one moment first, or last. The oldest one
 * goes if there are too many. */
void notice_put_in(struct snapshot *s, struct event_seen *e, bool first);

/* The same thing, told by the same node: heard of twice. */
bool notice_same(const struct event_seen *a, const struct event_seen *b);

/* notice_earlier.c: what an earlier screen has heard of; in the lab's folder (LAB_EVENTS_FILE). */
struct earlier {
    VEC(struct event_seen) events;
    int64_t seen_wall_ms;          /* until when it listened */
    int64_t noted_us[LIMIT_NODES]; /* the newest note of each node's that it counted */
    VEC(char *) queues, policies;  /* that there were, by name */
};
int earlier_save(const struct labdir *lab, const struct snapshot *s, const int64_t noted_us[]); /* ERR_IO */
struct earlier *earlier_load(const struct labdir *lab); /* NULL: there is nothing */
void earlier_destroy(struct earlier *earlier);          /* takes NULL */
/* Into the first snapshot of the one that comes after it. Queues and policies that have gone since are told
 * of, too, where nodes tell of none themselves (RabbitMQ's): between two lessons their queues are deleted. */
void earlier_merge(struct snapshot *s, const struct earlier *earlier);

#endif

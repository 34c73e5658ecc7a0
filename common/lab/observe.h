/* observe.h: asks the nodes of a lab, over and over, without ever waiting for one that does not answer, and
 * makes snapshots of what they said. One libevent loop; requests to all nodes at once; a node that is frozen
 * costs nothing but its own figures. */
#ifndef LAB_OBSERVE_H
#define LAB_OBSERVE_H

#include <event2/event.h>

#include "lab/labdir.h"
#include "lab/snapshot.h"

struct observer;

/* Called in the loop after each round in which anything was heard or timed out; the snapshot belongs to the
 * observer and is valid until the next call. It must not destroy the observer: that waits for the loop. */
typedef void observer_fn(void *arg, const struct snapshot *snapshot);

/* Asks every `interval_ms` (and at once when poked). lab is borrowed. */
struct observer *observer_create(struct event_base *base, const struct labdir *lab, unsigned interval_ms,
                                 observer_fn *fn, void *arg);
/* Looks less often, but every 1.5 s, where looks as often as that would take more than so many thousandths of
 * a processor: many queues on many nodes are a lot to hear of. */
void observer_spare(struct observer *o, unsigned permille);
void observer_poke(struct observer *o); /* ask now: something was just done */

/* What is looked at closely, from the next round on; all NULL or false at first. */
struct observer_wants {
    bool messages;     /* what becomes of messages: nodes begin to note it when they are asked */
    const char *queue; /* and what they hold of this one (copied) */
    bool queue_page;   /* and its whole document */
    bool connections;  /* and their channels */
};
void observer_want(struct observer *o, const struct observer_wants *wants);

/* The events go on where an earlier observer of this lab's folder has kept them; before the first round.
 * observer_keep: for the next one; ERR_IO if it cannot be written. lab_forget_events: they are over. */
#define LAB_EVENTS_FILE "events.json"
void observer_take_up(struct observer *o);
int observer_keep(const struct observer *o);
void lab_forget_events(const struct labdir *lab);

/* Adds an event that whoever looks has found in what the nodes say: it is in the list from the next snapshot
 * on. */
void observer_tell(struct observer *o, const char *kind, const char *text);

/* How many bodies were parsed so far: one that is what the one before it was is not. */
uint64_t observer_parsed(const struct observer *o);

const struct snapshot *observer_latest(const struct observer *o); /* NULL before the first round */
void observer_destroy(struct observer *o);

/* For programs without a loop of their own: one round, waiting at most timeout_ms; the caller destroys it. */
struct snapshot *observe_once(const struct labdir *lab, unsigned timeout_ms);

#endif

/* story.h: what nodes tell of messages, made by hand: facts and copies that go into one snapshot after
 * another, as an observer would have made them. */
#ifndef SCREEN_STORY_H
#define SCREEN_STORY_H

#include "lab/snapshot.h"

#define STORY_BEGIN_MS 1795381450000 /* since 1970 */

struct story {
    struct snapshot *s; /* the next one; its nodes n1, n2, ... run and answer unless story_down */
    int64_t begin_us;   /* times of facts count from here */
    uint64_t uid;       /* of the queue */
    uint64_t reign;     /* of the master that gives the places of the facts and copies that come next */
    const char *queue;
};

void story_begin(struct story *t, size_t nodes, const char *queue);
void story_end(struct story *t);

/* A fact that `node` notes of messages first..last (from 0) at this time. Gives it to be filled further. */
struct trace_seen *story_fact(struct story *t, enum trace_seen_kind kind, int node, int64_t at_us,
                              uint64_t first, uint64_t last);
/* enqueued by n0, published through `origin` as the same numbers + 1 */
void story_published(struct story *t, int master, int origin, int64_t at_us, uint64_t first, uint64_t last);
void story_copied(struct story *t, int mirror, int origin, int64_t at_us, uint64_t first, uint64_t last);

/* What a node says that it holds; first > last: nothing. role: 'M', 'm' or '.' */
void story_holds(struct story *t, int node, char role, uint64_t first, uint64_t last);
/* and these, too, of t->reign */
void story_holds_also(struct story *t, int node, uint64_t first, uint64_t last);
void story_down(struct story *t, int node, int64_t at_us); /* it does not answer; the others say: stopped */
void story_up(struct story *t, int node, int64_t at_us);

/* Something that the observer noticed then. */
void story_event(struct story *t, const char *kind, int64_t at_us, const char *text);

/* The snapshot as it is now; then the next one begins, with the same nodes, copies and events. The caller
 * destroys it. */
struct snapshot *story_look(struct story *t);

#endif

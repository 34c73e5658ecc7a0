/* replay_book.h (private to replay.c and replay_end.c): a schedule while it is played, in whatever world, and
 * the book that is kept of its messages. */
#ifndef LAB_REPLAY_BOOK_H
#define LAB_REPLAY_BOOK_H

#include <stdio.h>

#include "base/vec.h"
#include "lab/replay.h"
#include "lab/replay_limits.h"

struct watched { /* a queue that was declared */
    char *name;
    struct replay_queue now, before; /* before: when it was last seen running, up to the step before */
    bool seen_running;
};

struct replay {
    const struct sched *s;
    const struct replay_world *world;
    void *arg;
    FILE *out;
    struct replay_result *result;
    VEC(struct watched) queues;
    struct replay_limits *limits;
    bool unlooked;   /* some event since queues were looked at was not waited for */
    uint32_t away;   /* nodes that do not run */
    uint32_t killed; /* of those: their process is not there */
    uint32_t *gone;  /* by message: nodes that were away at some time since its confirm, while mirrors */
    size_t gone_cap;
    bool healed;      /* the step healed a cut */
    bool by_operator; /* the step took a node, or its data, out of the cluster for good */
    uint32_t forced;  /* nodes whose next start waits for nobody, or not for one that is forgotten then */
    bool went_on;     /* one did: who comes back later finds a cluster that does not know what it knew */
    struct text line;
};

/* by its number, from 1 */
static inline struct replay_message *replay_message(const struct replay *r, unsigned number)
{
    return &r->result->messages.items[number - 1];
}

/* One line of what is printed: "LOST    m1 through L1"; at once, for whoever looks on. */
void replay_say(struct replay *r, const char *head, const char *words);
void replay_say_fact(struct replay *r, const char *head, const json_t *fact);

/* What became of every message, and whether it is what the schedule expects (result->as_expected, problem).
 */
void replay_tell_end(struct replay *r);

#endif

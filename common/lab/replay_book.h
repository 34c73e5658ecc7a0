/* replay_book.h (private to replay.c, replay_account.c and replay_end.c): a schedule while it is played, in
 * whatever world, and the book that is kept of its messages. */
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
    bool parted;                /* when it was seen last, not all nodes saw each other; */
    struct replay_bounds whole; /* its limits when they last did, and none was away */
    struct replay_bounds met;   /* the lowest that publishes have met since it was seen last, */
    int taken;                  /* and how many consumers have taken since */
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
    uint32_t serving;           /* nodes, when they were last looked at, */
    uint32_t with[SCHED_NODES]; /* whom each saw then, or when it last served; itself, too */
    bool split, was_split;      /* and some that served did not see each other; and the time before */
    bool differ;      /* a policy was changed meanwhile, on one side: the other may have what it had */
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

/* replay_account.c. Before queues are looked at: who serves, and who sees whom. */
void replay_look_around(struct replay *r);
/* What was just seen of the queue, for every message that belongs to it. */
void replay_account(struct replay *r, struct watched *w, unsigned step);
/* Messages are published while the queue has these limits, or a policy gives them to what it holds. */
void replay_note_limits(struct watched *w, const struct replay_bounds *b);
/* A message was confirmed while its queue was as it was last seen. */
void replay_note_confirmed(struct replay *r, const struct replay_queue *q, unsigned number);
/* These nodes end: what they have is on their disks, or gone. And: what they have is theirs no more. */
void replay_note_ended(struct replay *r, uint32_t nodes);
void replay_note_emptied(struct replay *r, uint32_t nodes);
/* Whoever serves the queue so is asked to remove what it holds; whole: with the queue itself. */
void replay_note_removal(struct replay *r, const struct replay_queue *q, const char *queue, bool whole);

/* What became of every message, and whether it is what the schedule expects (result->as_expected, problem).
 */
void replay_tell_end(struct replay *r);

#endif

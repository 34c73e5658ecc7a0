/* replay_limits.h: what a replayed schedule says of its queues' limits, and which message a queue has given
 * up because of them. Like all that lab/replay.h concludes it is read from the schedule and from what was
 * shown, by one rule for all worlds. */
#ifndef LAB_REPLAY_LIMITS_H
#define LAB_REPLAY_LIMITS_H

#include "lab/replay.h"

struct replay_limits;
struct replay_limits *replay_limits_create(void);
void replay_limits_destroy(struct replay_limits *l); /* takes NULL */

/* A policy, clear, declare or delete was done; other events say nothing of limits. */
void replay_limits_note(struct replay_limits *l, const struct sched_event *e);
/* Nobody who serves has it: its arguments went with it. elsewhere: others may have it, and come. */
void replay_limits_gone(struct replay_limits *l, const char *name, bool elsewhere);
/* Whether disks keep it: as it was declared; false: it is not there. */
bool replay_limits_durable(const struct replay_limits *l, const char *queue);
struct replay_bounds replay_limits_of(const struct replay_limits *l, const char *queue);

/* Message `number` was confirmed, and its queue, which runs or is gone, does not hold it: did a limit end it?
 * age_ms: since it was published, ttl_ms: that its queue gave it then (-1: none). same_master: nobody else
 * serves the queue than before. taken: by consumers since the queue was seen last. more: it had these limits
 * then, and more may have come since; else it has them now. */
enum replay_ending replay_limits_ended(const struct replay_bounds *b, const struct replay_queue *now,
                                       unsigned number, uint64_t age_ms, int64_t ttl_ms, bool same_master,
                                       int taken, bool more);

const char *replay_ending_word(enum replay_ending e); /* "max-length": the limit's name */

#endif

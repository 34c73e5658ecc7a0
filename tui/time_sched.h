/* time_sched.h: a schedule that is played (lab/replay.h), as a recording: its steps are the lesson's, what
 * its world shows after each are the snapshots, the fates of its messages are the ledger. So the same views
 * show a simulated run as a real one, and it can be stepped through, compared and drawn into documents. */
#ifndef TUI_TIME_SCHED_H
#define TUI_TIME_SCHED_H

#include "lab/replay.h"

struct sched_recorder;

/* name: for the title. s is borrowed until the end. */
struct sched_recorder *sched_recorder_create(const struct sched *s, const char *name);

/* To be set in the result of the replay before it is played. */
const struct replay_watch *sched_recorder_watch(struct sched_recorder *r);

/* The recording's text, the caller's to free; the recorder is gone. */
char *sched_recorder_end(struct sched_recorder *r);

#endif

/* time_sched.h: a schedule that is played (lab/replay.h), as a recording: its steps are the lesson's, what
 * its world shows after each are the snapshots, the fates of its messages are the ledger. So the same views
 * show a simulated run as a real one, and it can be stepped through, compared and drawn into documents. */
#ifndef TUI_TIME_SCHED_H
#define TUI_TIME_SCHED_H

#include "lab/replay.h"

struct sched_recorder;

/* name: for the title. s is borrowed until the end. */
struct sched_recorder *sched_recorder_create(const struct sched *s, const char *name);

/* Of nodes of that engine, in the time that passes: each step as it begins and as it is seen, written to fd
 * (taken over) at once; -1: kept for sched_recorder_end. */
struct sched_recorder *sched_recorder_live(const struct sched *s, const char *name, const char *engine,
                                           int fd);

/* To be set in the result of the replay before it is played. */
const struct replay_watch *sched_recorder_watch(struct sched_recorder *r);

/* A last word to whoever looks on; without one a screen goes to where a message was lost. */
void sched_recorder_say(struct sched_recorder *r, const char *words);

/* The recording's text, the caller's to free ("" if it was written); the recorder is gone. */
char *sched_recorder_end(struct sched_recorder *r);

#endif

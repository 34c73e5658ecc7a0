/* record.h: writes down a session while it is seen: every input of the model (snapshots, programs and what
 * they print, steps, keys), one line of JSON each, so that replay.h can show it again. docs/recording.md is
 * the format.
 *
 * The rule it keeps: each line is written whole, at once, in the order in which things were seen. A crash can
 * cost the last line, nothing else. */
#ifndef TUI_RECORD_H
#define TUI_RECORD_H

#include "model.h"

#define RECORDING_FORMAT  "mirrorlab recording"
#define RECORDING_VERSION 1

/* A file that grows without bound would fill a classroom's disk: then recording ends, and says so. */
#define RECORD_MAX_BYTES (64u << 20)

struct recorder;
struct recording;

/* What stands at its beginning. */
struct recording_start {
    ms_time at;                /* the observer's clock: time 0 of the recording */
    int64_t wall_ms;           /* the same moment, since 1970 */
    const char *engine;        /* NULL: not known */
    const struct model *model; /* its lesson, its flags */
    bool whole;                /* nothing was seen before */
};

/* To a new file (an existing one is not overwritten), or, with file == NULL, to memory: the newest part of
 * the session, at most max_bytes of it. NULL and *error (the caller frees it) if the file cannot be made. */
struct recorder *recorder_create(const char *file, size_t max_bytes, const struct recording_start *start,
                                 char **error);
/* To whoever reads the other end of fd (taken over): all of it, as it happens. */
struct recorder *recorder_to(int fd, const struct recording_start *start);
void recorder_destroy(struct recorder *r); /* takes NULL, as all below do */

/* doc: recorded_encode(s), which several recorders share. l: the lesson as it is after that. */
void recorder_snapshot(struct recorder *r, const struct snapshot *s, json_t *doc, const struct lesson *l,
                       const json_t *leftover);
void recorder_ran(struct recorder *r, ms_time now, const struct command *c, const struct lesson *l);
void recorder_output(struct recorder *r, ms_time now, const struct command *c, const char *data, size_t len,
                     const struct lesson *l);
void recorder_ended(struct recorder *r, ms_time now, const struct command *c, int exit_code,
                    const struct lesson *l);
void recorder_learned(struct recorder *r, ms_time now, const struct lesson *l); /* a key has changed it */
void recorder_said(struct recorder *r, ms_time now, const char *message);
void recorder_key(struct recorder *r, ms_time now, int key);
/* Any other line with one member (a new reference, taken over). */
void recorder_put(struct recorder *r, ms_time now, const char *key, json_t *value);
void recorder_named(struct recorder *r, ms_time now, const char *name); /* of this moment */
void recorder_paused(struct recorder *r, ms_time now, bool paused);
void recorder_frame(struct recorder *r, ms_time now, int width, int height, uint64_t hash);

/* Why it ended by itself ("disk full", too long); NULL: it goes on. */
const char *recorder_ended_why(const struct recorder *r);
uint64_t recorder_bytes(const struct recorder *r);

/* Of one in memory: the whole recording; the caller's. NULL: nothing was seen so far. As text: the caller
 * frees it. */
struct recording *recorder_recording(const struct recorder *r, const char *name);
char *recorder_text(const struct recorder *r);
/* Its moments since it began: how many are dropped by now; how many there are, if the last one is a whole
 * snapshot, else 0. The number that it gave a program; 0: it does not know it, or that has ended. */
size_t recorder_dropped(const struct recorder *r);
size_t recorder_whole(const struct recorder *r);
int recorder_number(const struct recorder *r, const struct command *c);

#endif

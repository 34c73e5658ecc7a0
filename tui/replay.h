/* replay.h: snapshots from a file, one a line, as `lab status --json` writes them (compact). */
#ifndef TUI_REPLAY_H
#define TUI_REPLAY_H

#include "lab/snapshot.h"

struct replay;

/* Reads the whole file. NULL and "FILE:LINE: what is wrong" in *error (caller frees) if it is not one. */
struct replay *replay_open(const char *file, char **error);
const struct snapshot *replay_next(struct replay *r); /* NULL after the last; valid until the next call */
void replay_close(struct replay *r);                  /* takes NULL */

#endif

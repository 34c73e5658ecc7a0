/* script.h: keys from a file, each pressed when the screen shows what it is meant for: how tests and
 * documents drive the screen. One command a line:
 *
 *     key n              presses a key: a character, or Enter Esc Tab Space up down left right PgUp PgDn ...
 *     type hello         presses each character
 *     until [x] 1        waits until the frame shows this text (60 s at most: then the program ends with 1)
 *     gone STALE         waits until it does not
 *     wait 500           lets so many milliseconds pass (of the fake clock's, with --clock fake)
 *     write FILE         the frame as text into a file
 *     name after-stop    names this moment in the recording, for lab frames --name
 *     quit               ends the screen
 *
 * Empty lines and those that begin with # mean nothing. After its end, keys come from the terminal. */
#ifndef TUI_SCRIPT_H
#define TUI_SCRIPT_H

#include <event2/event.h>

#include "canvas.h"

struct script;

/* What it drives; each may draw, none may free the script. */
struct script_fns {
    void (*key)(void *arg, int key);
    void (*pass)(void *arg, ms_time ms); /* NULL: the clock is real */
    void (*name)(void *arg, const char *name);
    void (*quit)(void *arg, int exit_code);
    const struct canvas *(*frame)(void *arg); /* what can be seen now */
};

/* NULL and "FILE:LINE: what, and what to write instead" in *error (the caller frees it). */
struct script *script_open(const char *file, char **error);
void script_start(struct script *s, struct event_base *base, const struct script_fns *fns, void *arg);
void script_drew(struct script *s); /* a new frame; takes NULL */
void script_close(struct script *s);

#endif

/* tui.h: the screen that a class looks at. It shows what surviving nodes report, with its age, and never a
 * tick that was not observed.
 *
 * The parts, from the data to the glass: a model (model.h: a snapshot, a lesson, what the user selected) is
 * drawn by views (view.h) onto a canvas of cells (canvas.h); term.c alone knows ncurses and puts the canvas
 * on a terminal; frame text puts it into a string. run.c is the loop between keys, nodes and programs. */
#ifndef TUI_TUI_H
#define TUI_TUI_H

#include <stdio.h>

#include "lab/labdir.h"
#include "lab/lesson.h"
#include "lab/snapshot.h"

struct tui_options {
    bool readonly; /* a projector: keys that change anything do nothing */
    bool follow;   /* read-only: where another screen acts on the lab, that one's lesson is shown; else the
                      one that was asked for, as that screen keeps it */
    bool plain;    /* no screen control: frames as text, one after each change; also what a terminal of
                      unknown kind gets */
    int test_fd;   /* "frame N HASH" is written here after each frame is on the terminal; 0: nowhere */
    int *go_on;    /* out: the lesson that the user went on, or back, to (follow: another screen's user);
                      untouched: to none. NULL: there is no lab */
    char **to_say; /* in: what the screen says when it opens, taken over, NULL: nothing; out: what the next
                      lesson's is to say, the caller's. NULL: there is no next one */
    const char *replay;  /* a recording (docs/recording.md), shown instead of a lab; NULL: the lab */
    int replay_fd;       /* the recording is written there meanwhile, from its beginning; replay is its name;
                            0: it is a file */
    const char *beside;  /* a second one, to be compared with it; NULL: none */
    const char *record;  /* a new file that gets all that is seen; NULL: none until R is pressed */
    const char *program; /* how lab was called, for commands that are shown to be typed; NULL: lab */
    const char *script;  /* keys and waits (script.h); NULL: none */
    bool fake_clock;     /* time is the data's: it passes when a script says so */

    /* Makes the text of a recording from a file that is none (a schedule, played in the simulator); NULL,
     * with *error NULL: it is no such file. NULL: all files are recordings. */
    char *(*load)(const char *file, char **error);
};

/* The TUI at this lesson (0: no lesson), on a lab that runs. Returns when the user quits: 0, or an exit code
 * (78: the lesson cannot be read, 69: no terminal). What went wrong is printed once the terminal is a plain
 * one again. The nodes are left as they are. */
int tui_run(struct labdir *lab, int lesson_number, const struct tui_options *opts);

/* One frame as text, without a terminal: lines of at most `width` columns (a Chinese character has two), each
 * ended by '\n', without spaces at the end. l may be NULL. The caller frees it. */
char *tui_frame_text(const struct snapshot *s, const struct lesson *l, int width, int height);

/* `lab frames`, argv[0] being "frames": chosen frames of a recording, and documents that show them. An exit
 * code. */
int tui_frames(int argc, char **argv, char *(*load)(const char *file, char **error));

#endif

/* run_private.h: what the two files of the screen's loop share: run.c (nodes, drawing, start and end) and
 * run_acts.c (keys, programs). */
#ifndef TUI_RUN_PRIVATE_H
#define TUI_RUN_PRIVATE_H

#include <event2/event.h>

#include "canvas.h"
#include "follow.h"
#include "jobs.h"
#include "model.h"

struct run {
    struct labdir *lab;
    const struct tui_options *opts;
    struct event_base *base;
    struct model model;
    struct canvas canvas;
    struct terminal *terminal; /* NULL: plain text */
    struct observer *observer; /* NULL: a replay */
    struct session *session;   /* recordings, and what is shown of them instead of the model */
    struct script *script;     /* NULL: keys come from the terminal only */
    ms_time fake_now;          /* with a fake clock */
    int exit_code;
    uint64_t shown; /* hash of the frame that can be seen */
    uint64_t frames;
    struct follow follow; /* read-only: the screen that acts on the same lab */
    bool cleaning;        /* B makes the lab ready, and forgets what was kept of the lesson */
    bool going_on;        /* this screen ends, another lesson's follows */
    bool unattended;      /* no terminal, no keys, not asked for: it says so when it ends */
    bool input_over;      /* no key will come any more, and no script has any */
    bool pressed;         /* some came */
    unsigned quiet;       /* looks since the last command ended */

    struct jobs *jobs; /* the commands that run */

    struct event *input, *tick, *resized, *quit[3], *interrupt;
    struct event *more; /* of a recording that is still written */
};

/* run.c: draws what is shown now, if it differs from what can be seen; whole: from the first cell on. */
void run_draw(struct run *r, bool whole);

/* run_acts.c. run_go_on: to another lesson: this screen ends, and the caller of tui_run opens it again. */
void run_go_on(struct run *r, int lesson);
void run_key(struct run *r, int key);
void run_click(struct run *r);         /* the terminal's last click, as the keys that it stands for */
extern const struct jobs_fns run_jobs; /* what the programs print and come to; their argument is the run */

#endif

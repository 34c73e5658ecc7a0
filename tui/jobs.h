/* jobs.h: the programs that run for the user, several at once: one may seed a queue for minutes while nodes
 * are stopped and started. Everything they print and their ends come back through the loop. */
#ifndef TUI_JOBS_H
#define TUI_JOBS_H

#include <event2/event.h>

#include "lab/labdir.h"
#include "model.h"

struct jobs;

/* What a program printed; that it ended, with its exit code (128 + signal if one ended it). The command is
 * the one that was handed to jobs_start; it is not looked at by the jobs after `ended`. */
struct jobs_fns {
    void (*output)(void *arg, struct command *c, const char *data, size_t len);
    void (*ended)(void *arg, struct command *c, int exit_code);
};

struct jobs *jobs_create(struct event_base *base, const struct jobs_fns *fns, void *arg);

/* Gives up what still runs (it goes on without us); takes NULL. */
void jobs_destroy(struct jobs *j);

/* The command's program is started; 0 or an error code: then `ended` is not called. */
int jobs_start(struct jobs *j, const struct labdir *lab, struct command *c);

/* The same for a child that runs already and writes to the other end of fd. c NULL: nobody asks for its end.
 */
void jobs_adopt(struct jobs *j, struct command *c, int fd, int pid);

/* Ctrl-C: the newest is asked to end; false if nothing runs. */
bool jobs_interrupt(struct jobs *j);

#endif

/* lab.h: between the files of the program lab. */
#ifndef TUI_MAIN_LAB_H
#define TUI_MAIN_LAB_H

#include <stdio.h>

#include "lab/labdir.h"

enum { LAB_EXIT_NOT_DONE = 1, LAB_EXIT_USAGE = 64, LAB_EXIT_CONFIG = 78 };

/* --ports AMQP,HTTP,PEER: node1's, the next nodes count up. ERR_INVALID: they are not three ports that do so.
 */
int lab_set_ports(struct labdir *lab, const char *ports);

/* A schedule on real nodes. NULL: the simulator. */
struct lab_replay_where {
    enum engine_kind engine;
    const char *dir, *ports; /* as --dir and --ports; NULL */
};

/* Commands with options of their own; argv[0] is the command. They return an exit code. */
struct sched;
struct replay_result;
int lab_replay(int argc, char **argv);
int lab_play_on_nodes(const struct sched *s, const char *name, const struct lab_replay_where *where,
                      FILE *out, struct replay_result *result);
bool lab_replay_wanted(int argc,
                       char **argv); /* it names a schedule (*.sched), an engine, or asks for help */
bool lab_replay_on_screen(int argc, char **argv); /* a schedule, and a terminal to show it on */

/* The whole file, the caller's to free; NULL and errno (EILSEQ: there is a NUL in it). */
char *lab_read_text(const char *path);

/* For tui_options.load: a schedule, played in the simulator, as a recording; NULL with *error NULL: it is
 * none.
 */
char *lab_load_schedule(const char *file, char **error);
void lab_load_on_nodes(const struct lab_replay_where *where); /* from now on there; borrowed */

/* The same on real nodes, by a child that begins at once: *fd is where it writes the recording while it
 * plays, *pid the child. 0 or an exit code; said on stderr. lab_replay_end (which closes fd) ends it if it
 * still plays, and waits until its nodes are ended: an exit code, 0 if it was played to its end and is as
 * expected. */
int lab_replay_begin(const char *file, const struct lab_replay_where *where, int *fd, pid_t *pid);
int lab_replay_end(int fd, pid_t pid);
int lab_search(int argc, char **argv);

#endif

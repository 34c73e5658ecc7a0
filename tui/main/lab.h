/* lab.h: between the files of the program lab. */
#ifndef TUI_MAIN_LAB_H
#define TUI_MAIN_LAB_H

#include "lab/labdir.h"

enum { LAB_EXIT_NOT_DONE = 1, LAB_EXIT_USAGE = 64, LAB_EXIT_CONFIG = 78 };

/* --ports AMQP,HTTP,PEER: node1's, the next nodes count up. ERR_INVALID: they are not three ports that do so.
 */
int lab_set_ports(struct labdir *lab, const char *ports);

/* Commands with options of their own; argv[0] is the command. They return an exit code. */
int lab_replay(int argc, char **argv);
bool lab_replay_wanted(int argc,
                       char **argv); /* it names a schedule (*.sched), an engine, or asks for help */
bool lab_replay_on_screen(int argc, char **argv); /* a schedule, and a terminal to show it on */

/* The whole file, the caller's to free; NULL and errno (EILSEQ: there is a NUL in it). */
char *lab_read_text(const char *path);

/* For tui_options.load: a schedule, played in the simulator, as a recording; NULL with *error NULL: it is
 * none.
 */
char *lab_load_schedule(const char *file, char **error);
int lab_search(int argc, char **argv);

#endif

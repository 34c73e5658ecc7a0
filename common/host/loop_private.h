/* loop_private.h: what the files behind loop.h share. */
#ifndef HOST_LOOP_PRIVATE_H
#define HOST_LOOP_PRIVATE_H

#include "host/loop.h"

/* node_config.c: 0, or *error is "FILE:LINE: what, and what to write instead" */
int node_config_read(struct node_config *c, const char *file, const char *name, const char *dir,
                     char **error);
void node_config_finish(struct node_config *c);

/* node_files.c: the node's folder. Errors as text, the caller's to free. */
int node_files_pid(const char *dir,
                   char **error); /* writes DIR/pid and locks it; returns the descriptor or -1 */
bool node_files_force(const char *dir, char **error); /* the next start waits for nobody */
bool node_files_forced(const char *dir);              /* was that said since the last start? Only one asks */
/* the nodes that an operator took off the cluster's list since the last start; only one asks */
node_set node_files_forgotten(const char *dir, const struct node_config *c);
bool node_files_lived(const char *dir); /* a life was counted there before, also if its log was wiped since */
uint64_t node_files_incarnation(const char *dir, ms_time now,
                                char **error); /* larger than ever before; 0: *error */
char *node_files_secret(const char *config_file,
                        char **error); /* beside lab.cfg, made by the first node that asks */

/* node_app.c */
void app_finish(struct loop *l);
void app_advance(struct loop *l); /* end of a turn: what state follows */
void app_serve(struct loop *l);   /* end of a turn: opens or closes the management API */

/* node_commands.c */
void commands_run_answered(struct loop *l);
void commands_abandon(struct loop *l); /* every one that waits gets NULL */

/* node_figures.c */
void figures_finish(struct loop *l);

/* node_memory.c */
struct memory_use {
    uint64_t resident, own, files; /* bytes; resident is both others together */
};
struct memory_use memory_use(struct loop *l);
void memory_check(struct loop *l); /* end of a turn: pages, and says when publishers must wait */
void memory_recovering(struct loop *l, size_t bytes); /* a record of the log was recovered: pages */
void memory_finish(struct loop *l);

/* node_trace.c */
void trace_turn(struct loop *l); /* end of a turn */
void trace_app_starts(struct loop *l);
void trace_finish(struct loop *l);

void loop_perform(struct loop *l, struct effects *fx); /* in order, then the answers; clears fx */

#endif

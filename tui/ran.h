/* ran.h: commands that run or ran, seen from the model; what is private to ran.c, goal.c and pager.c. The
 * rest is in model.h. */
#ifndef TUI_RAN_H
#define TUI_RAN_H

#include "canvas.h"
#include "model.h"

/* ---- how far it is (goal.c): what nodes report of the queue that a long command works on, never what the
 * command believes ---- */

/* Finds out whether the command is one that takes its time: a producer of many messages, a sync. */
void goal_begin(const struct model *m, struct command *c);

/* A new snapshot has come. */
void goal_observe(struct model *m);

void goal_forget(struct model *m); /* of what was observed */

/* "hello: 120000 of 1000000 (12%), 85000/s, 10 s left"; NULL: nothing to say. The caller frees it. */
char *goal_text(const struct model *m, const struct command *c);

/* The same of a queue's synchronisation, whoever began it; NULL: none runs. */
char *goal_sync_text(const struct model *m, const struct queue_seen *q);

/* Of a cut or heal that did not reach all: the nodes that it reached, "node1, node3", and their length; NULL:
 * none.
 */
const char *command_told(const struct command *c, int *len);

/* The queues that the user acted on are none again. */
void model_forget_touched(struct model *m);

/* ---- the form that is open (form.c) ---- */

void form_open(struct model *m, enum form_kind kind);
enum effect form_key(struct model *m, int key, struct command **run);
struct command *form_command(const struct model *m); /* what Enter runs; NULL: nothing could be run */
void draw_form(const struct model *m, struct canvas *c);
bool form_chooses(const struct model *m); /* the field that is typed in has choices */

/* What is said of one that runs, while it runs; new. */
char *still_running_text(const struct command *c);
char *leaves_running_text(const struct command *c);
const char *cancelled_text(void); /* what was asked was not done */

/* A command begins; a key is pressed; a command has ended. A policy's form is open again if the nodes refused
 * it (refused: why, in other words than theirs; may be NULL) and nothing else was done meanwhile. */
void form_ran(struct model *m, const struct command *c);
void form_pressed(struct model *m);
void form_ended(struct model *m, const struct command *c, int exit_code, const char *refused);

/* ---- a long text over the view (pager.c) ---- */

void pager_open(struct model *m, const char *title, const char *text);
enum effect pager_key(struct model *m, int key);
void pager_settle(struct model *m, const struct canvas *c); /* before drawing on this canvas */
void draw_pager(const struct model *m, struct canvas *c);

#endif

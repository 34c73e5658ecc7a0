/* session.h: time in the loop of run.c: what is seen goes into recordings (one in memory, for a paused
 * screen; one in a file, if asked for); what is shown is the lab, or a player on one of them.
 *
 * The rule it keeps: pausing and replaying never touch the live model: it goes on observing, and going back
 * to LIVE shows what is so now. */
#ifndef TUI_SESSION_H
#define TUI_SESSION_H

#include <event2/event.h>

#include "canvas.h"
#include "time_player.h"

struct session;

struct session_options {
    struct event_base *base;
    struct model *live;        /* run.c's own; it outlives the session */
    const struct labdir *lab;  /* may be NULL */
    ms_time (*now)(void *arg); /* the observer's clock */
    void (*draw)(void *arg);   /* something to see changed by itself: a replay went on */
    void *arg;
    const char *program; /* how lab was called; NULL: lab */
    bool fake_clock;     /* time passes by session_pass only */
};

struct session *session_create(const struct session_options *o);
void session_destroy(struct session *s); /* takes NULL */

/* Shows a recording instead of the lab, from now to the end (takes both over). */
void session_replay(struct session *s, struct recording *r, struct lesson *lesson);

/* More of that recording, which is still written: from now on its end is shown, unless somebody steps back.
 */
void session_append(struct session *s, const char *data, size_t len);
void session_complete(struct session *s); /* that was all */

/* Shows two recordings side by side (takes them over). */
void session_compare(struct session *s, struct recording *left, struct recording *right);

/* Records to this file from now on; false: *error (the caller frees it). whole: nothing was seen before. */
bool session_record(struct session *s, const char *file, bool whole, char **error);
const char *session_file(const struct session *s); /* NULL: it does not record */
char *session_recorded_text(
    const struct session *s); /* how it is shown again; NULL: it does not. The caller's */

/* Nobody can press a key: what is recorded is shown from its beginning, each moment that shows something new,
 * as fast as it can be drawn; then over(arg of the options) is called. */
void session_play_through(struct session *s, void (*over)(void *arg));

struct model *session_model(struct session *s); /* the one that is shown, with its time set */
const struct model *session_draw(struct session *s, struct canvas *c);

/* As model_key, on the model that is shown. */
enum effect session_press(struct session *s, int key, struct command **run);
bool session_live(const struct session *s);
const struct player *session_player(const struct session *s); /* NULL: the lab is shown */

/* What the live model was given, after it was. */
void session_saw(struct session *s, const struct snapshot *snapshot);
void session_ran(struct session *s, const struct command *c);
void session_output(struct session *s, const struct command *c, const char *data, size_t len);
void session_ended(struct session *s, const struct command *c, int exit_code); /* before model_ended */
void session_said(struct session *s);    /* run.c has put a message into it */
void session_learned(struct session *s); /* a key has changed its lesson */
void session_drew(struct session *s, const struct canvas *c, uint64_t hash);
void session_named(struct session *s, const char *name); /* this moment, for lab frames */

/* EFFECT_TIME: model->time_request. canvas: the frame that is shown. */
void session_request(struct session *s, enum request request, const struct canvas *canvas);

void session_pass(struct session *s, ms_time ms); /* a fake clock's time */

/* The frame as text. anew: over what is there; otherwise an existing file is an error. false: *error, which
 * the caller frees. */
bool session_write_frame(const struct canvas *canvas, const char *file, bool anew, char **error);

#endif

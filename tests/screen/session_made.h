/* session_made.h: a session as run.c would have it, made by hand: what is seen and run goes to a live model
 * and to a recorder, and the frames are kept to be compared with what a replay shows. */
#ifndef SCREEN_SESSION_MADE_H
#define SCREEN_SESSION_MADE_H

#include "tests/screen/support.h"

#include "record.h"
#include "time_player.h"

#define START 1000000

struct session_made {
    char file[PATH_MAX];
    struct recorder *recorder;
    struct model live;
    ms_time now;
    uint64_t number;
    bool unmirrored;    /* no policy: mirrior_hello has one copy, on node1, as hello has */
    bool unseen;        /* what happens now is compared with nothing: no frame is drawn, NULL in frames */
    VEC(char *) frames; /* after each thing that happened; drawn as if live */
};

void begin_session(struct session_made *s, size_t max_bytes); /* of its file */
void begin_session_in(struct session_made *s, const struct labdir *lab, size_t max_bytes);
void end_session(struct session_made *s);

/* The nodes are looked at: it is as in this file, 250 ms later. */
void look(struct session_made *s, const char *name);
void tick(struct session_made *s, size_t step, const char *seen); /* a step of the lesson */
/* a program that was run by a key, and how it ended */
void run_words(struct session_made *s, const char *const *words, const char *output, int exit_code);
void run_command(struct session_made *s, const char *verb, const char *output);
/* policy, stop of node1, a mirror is promoted: 9 things seen */
void play_session(struct session_made *s);

struct player *open_player(const char *file);
/* As it was seen live: without the header of a replay, and without what is said of the file. The caller frees
 * it. */
char *live_frame(struct player *p);

#endif

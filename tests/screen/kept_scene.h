/* kept_scene.h: one screen after the other on a lab of three nodes, each with what the one before it saw
 * (kept.h); what the nodes tell is a story (story.h). */
#ifndef SCREEN_KEPT_SCENE_H
#define SCREEN_KEPT_SCENE_H

#include "tests/screen/support.h"

#include "tests/screen/story.h"

struct kept_scene {
    struct labdir lab;
    struct story t;
    struct model m;
};

void kept_begin(struct kept_scene *s, const char *queue); /* the first screen, of this queue's story */
void kept_end(struct kept_scene *s);                      /* and fails if it left a file */
void kept_look(struct kept_scene *s);

/* another screen: it hears of everything from the beginning, like the first */
void kept_open_again(struct kept_scene *s);

void kept_says(struct kept_scene *s, const char *part, bool expected); /* the frame has this part, or not */
void kept_account_says(struct kept_scene *s, const char *expected);

/* hello with one message on node1 alone, which is stopped; and it comes back with nothing */
void kept_out_of_reach(struct kept_scene *s);
void kept_returns_empty(struct kept_scene *s);

#endif

/* watched.h: a screen that looks at a story: keys, and the frames that it shows. */
#ifndef SCREEN_WATCHED_H
#define SCREEN_WATCHED_H

#include "tests/screen/support.h"

#include "tests/screen/story.h"

struct watched {
    struct story t;
    struct model m;
};

void begin(struct watched *s, size_t nodes, const char *queue);
void end(struct watched *s);
void look(struct watched *s); /* the next snapshot */
void press(struct watched *s, int key);

/* The frame is that of the file; of a message's page no word was cut. */
void check(struct watched *s, const char *name, int width, int height);
void says(struct watched *s, const char *part, bool expected); /* at 80x24 */

/* As the design draws it: #7 goes through a failover and a sync, and a consumer has it. */
void failover(struct watched *s);
void taken_over(struct watched *s);

#endif

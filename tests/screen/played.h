/* played.h: schedules that were played in the simulator, as the screen shows them. */
#ifndef SCREEN_PLAYED_H
#define SCREEN_PLAYED_H

#include "tests/screen/support.h"

#include "time_player.h"

struct player *open_schedule(const char *file); /* played to its end; fails if it cannot be */
char *frame_of(struct player *p);               /* at 80x24, settled; the caller frees it */

/* A lost message's life says once where that was, and only then; all of it can be read. Those beyond the
 * first 50, and beyond the first 50 that are lost, have none. */
void check_lives(const struct model *m);

#endif

/* time_player.h: shows what was seen before: a recording, or the session so far while the screen is paused. A
 * player has a model of its own, which it takes to any moment by handing it what was recorded, in order; keys
 * that only look around work on that model as on a live one.
 *
 * The rule it keeps: what is shown at a moment depends on the recording up to it and on nothing else: going
 * back is going there from the beginning, or from what was kept of the way there (checkpoint.h). */
#ifndef TUI_TIME_PLAYER_H
#define TUI_TIME_PLAYER_H

#include "checkpoint.h"
#include "model.h"
#include "replay.h"

struct player;

/* Takes the recording over, and a lesson for one that has none of its own (may be NULL). */
struct player *player_create(struct recording *r, struct lesson *lesson, const struct labdir *lab,
                             bool readonly);
void player_destroy(struct player *p); /* takes NULL */

struct model *player_model(struct player *p); /* with its m->time and m->now */
const struct recording *player_recording(const struct player *p);

/* One more to go on from (taken over): what this recording had come to, as somebody else saw it. */
void player_keep(struct player *p, struct kept k);
uint64_t player_applied(const struct player *p); /* moments that the model was handed: its work */

/* How many of its moments are shown: 1 .. moments.len. */
size_t player_at(const struct player *p);
void player_to(struct player *p, size_t count);
void player_to_time(struct player *p, ms_time t); /* all moments up to then */

/* The model's user may have chosen another queue: what is shown is told of that one, from the beginning. */
void player_look(struct player *p);

/* More of its recording, as it is written (replay.h). Who looks at its end goes on looking at its end. */
void player_append(struct player *p, const char *data, size_t len);
/* That was all. If a message was lost and nobody has stepped back, it goes to where that was, unless the
 * recording ends with a word of its own. */
void player_complete(struct player *p);

/* What a key asked for: REQUEST_PAUSE, EARLIER and LATER (to the next moment that shows something new),
 * SEEK_BACK and SEEK_ON (to the next step, or by ten seconds), FASTER, SLOWER. Says in the model what it
 * cannot do. */
void player_request(struct player *p, enum request request);

/* To its beginning; to the next moment that shows something new, or the end (false: this is it). */
void player_rewind(struct player *p);
bool player_step(struct player *p);

/* While it plays: how long until something is to be shown, in the viewer's time; UINT64_MAX: it does not
 * play. player_pass lets that much time pass. */
ms_time player_due(const struct player *p);
void player_pass(struct player *p, ms_time ms);

#endif

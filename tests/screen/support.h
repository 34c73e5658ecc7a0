/* support.h: what the tests of the screen share: snapshots from files, a lesson made by hand, frames as text.
 */
#ifndef SCREEN_SUPPORT_H
#define SCREEN_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "canvas.h"
#include "lab/lesson.h"
#include "lab/snapshot.h"
#include "model.h"
#include "view.h"

struct snapshot *load_snapshot(const char *name); /* tests/screen/snapshots/NAME.json */
json_t *load_json(const char *path);

/* Lesson 7 as on the design's sketch: five steps, none proved; nothing of it but what is shown. */
struct lesson *sketch_lesson(void);
void sketch_step(struct lesson *l, size_t i, enum step_state state, const char *seen);
struct lesson *sketch_two_proved(void); /* the first two steps of it are proved */
void sketch_destroy(struct lesson *l);

/* The model observes this snapshot, at the time at which it was taken. */
void see(struct model *m, const char *name);

/* A model of this lesson (may be NULL) that observed these snapshots in turn; NULL ends them. */
void show(struct model *m, struct lesson *l, const char *const *names);

/* One key after the other, '\n' for Enter. What the last one asks for; *run: the command that it made, or
 * NULL. */
enum effect types(struct model *m, const char *keys, struct command **run);

char *model_frame(struct model *m, int width, int height); /* as tui_frame_text; the caller frees it */

/* The whole file and its length (may be NULL), the caller's to free; "" if it cannot be read. */
char *file_text(const char *file, size_t *len);

/* Compares with tests/screen/frames/NAME.txt. On a difference the test fails, and what came is in
 * $BUILD/frames/NAME.txt; with UPDATE_FRAMES=1 it is written to the file instead, to be looked at. */
void check_frame(const char *name, const char *frame);

#define assert_contains(text, part) assert_contains_((text), (part), true, __FILE__, __LINE__)
#define assert_lacks(text, part)    assert_contains_((text), (part), false, __FILE__, __LINE__)
void assert_contains_(const char *text, const char *part, bool expected, const char *file, int line);

/* The same of what the screen shows at 80x24. */
#define assert_frame_contains(m, part) assert_frame_((m), (part), true, __FILE__, __LINE__)
#define assert_frame_lacks(m, part)    assert_frame_((m), (part), false, __FILE__, __LINE__)
void assert_frame_(struct model *m, const char *part, bool expected, const char *file, int line);

/* These keys run this command; these keys run nothing, and the screen's message has this in it. */
void assert_keys_run(struct model *m, const char *keys, const char *expected);
void assert_keys_say(struct model *m, const char *keys, const char *expected);

#endif

/* scene.h: a test's scene: the TUI in a real terminal, on a recording or on nodes that say what the test
 * wants. */
#ifndef SCREEN_SCENE_H
#define SCREEN_SCENE_H

#include "tests/screen/support.h"

#include "tests/screen/fake.h"
#include "tests/screen/terminal.h"
#include "tui.h"

#define SOON 15000 /* ms; a fact that does not come is a failure, not a slow one */

struct scene {
    struct event_base *base;
    struct terminal_test *t;
    struct fake *fake;
    char replay[PATH_MAX];
    /* what the child does */
    struct labdir lab;
    struct tui_options options;
    int lesson;
    const char *term, *no_color, *locale;
    char forged[PATH_MAX]; /* scene_forge's folder */
};

int scene_begin(void **state); /* a test's setup and teardown */
int scene_end(void **state);

/* A recording of these snapshots (tests/screen/snapshots/NAME.json) instead of nodes. */
void scene_replay(struct scene *s, const char *const *names);
#define REPLAY(s, ...) scene_replay((s), (const char *const[]){__VA_ARGS__, NULL})

void scene_start(struct scene *s, int width, int height);
/* The screen is a copy of this program in a folder of its own, which has a labctl and a lesson's programs
 * beside it that exit 0 and do nothing; scene_forged_ran: what was called of them, a line each (the caller
 * frees it). The test's main hands its arguments to scene_main first, which returns -1 if they are not the
 * copy's. */
void scene_forge(struct scene *s);
char *scene_forged_ran(const struct scene *s);
int scene_main(int argc, char **argv);

void scene_quit(struct scene *s); /* by its key; it has to end well */

/* On three nodes with the queue hello on node1, at this lesson (0: none), until it is LIVE; 80x24. */
void scene_live(struct scene *s, int lesson);
void scene_pass_rounds(struct scene *s, uint64_t rounds); /* the nodes were asked that many times more */

#define HELLO                                                                                                \
    "{\"name\":\"hello\",\"vhost\":\"/\",\"state\":\"running\",\"node\":\"node1@localhost\",\"messages\":1," \
    "\"messages_ready\":1,\"messages_unacknowledged\":0,\"messages_persistent\":0,\"durable\":true}"
#define HELLO_DOWN                                                                                           \
    "{\"name\":\"hello\",\"vhost\":\"/\",\"state\":\"down\",\"node\":\"node1@localhost\",\"durable\":true}"
#define MIRRIOR                                                                                              \
    "{\"name\":\"mirrior\",\"pattern\":\"^mirrior\",\"apply-to\":\"queues\",\"vhost\":\"/\",\"priority\":0," \
    "\"definition\":{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}}"

void assert_seen(struct scene *s, const char *part);
void assert_goes(struct scene *s, const char *part);
void assert_ended(struct scene *s, int expected);
void assert_shows_frame(struct scene *s, const char *name, int width, int height);

#endif

/* terminal.h: a program in a real terminal: a pty with libvterm at its other end. Tests press keys, change
 * the size, and wait for what can be seen; nothing here waits for a fixed time. */
#ifndef SCREEN_TERMINAL_H
#define SCREEN_TERMINAL_H

#include <event2/event.h>
#include <sys/types.h>

#include "base/text.h"

#define TEST_FD 9 /* in the child: where it reports its frames */

struct terminal_test;

/* What runs in the child, its exit code; it may exec. Its stdin, stdout and stderr are the terminal (stderr
 * goes to the file of terminal_stderr instead). */
typedef int terminal_child(void *arg);

struct terminal_test *terminal_start(struct event_base *base, int width, int height, terminal_child *child,
                                     void *arg);

/* Ends the program if it has not ended (SIGKILL), frees everything. Its exit code, 128 + signal if one ended
 * it. */
int terminal_end(struct terminal_test *t);

void terminal_type(struct terminal_test *t, const char *keys);
void terminal_set_size(struct terminal_test *t, int width, int height); /* the program gets SIGWINCH */

/* What can be seen: lines without spaces at their ends; lines drawn as such (box drawing) as + - |. Valid
 * until the next call. */
const char *terminal_text(struct terminal_test *t);
const char *terminal_stderr(struct terminal_test *t); /* all it has written there so far */

/* Runs the loop until it can be seen (or cannot be seen), the program has shown a frame after frame number n,
 * the program has ended, the callback says so; false if it is not so within timeout_ms. */
bool terminal_wait_text(struct terminal_test *t, const char *part, int timeout_ms);
bool terminal_wait_gone(struct terminal_test *t, const char *part, int timeout_ms);
bool terminal_wait_frame(struct terminal_test *t, uint64_t after, int timeout_ms);
bool terminal_wait_end(struct terminal_test *t, int timeout_ms);
typedef bool terminal_fact(struct terminal_test *t, void *arg);
bool terminal_wait(struct terminal_test *t, terminal_fact *fact, void *arg, int timeout_ms);

uint64_t terminal_frames(const struct terminal_test *t);     /* reported so far */
int64_t terminal_frame_at_us(const struct terminal_test *t); /* when the last report came, terminal_now_us */
uint64_t terminal_bytes(const struct terminal_test *t);      /* sent to the terminal so far */
bool terminal_gives_mouse(const struct terminal_test *t);    /* clicks and the wheel go to the program */
pid_t terminal_pid(const struct terminal_test *t);
int64_t terminal_now_us(void);

/* From here on as if the terminal had just been switched on: what is not drawn again is not there. */
void terminal_forget(struct terminal_test *t);

/* The attributes of the first cell of this text on the screen; false if it is not there. */
struct terminal_look {
    bool reverse, bold, underline, colored;
    int red, green, blue; /* of what is written, 0 to 255, as a terminal has them that nobody set up */
};
bool terminal_look_of(struct terminal_test *t, const char *part, struct terminal_look *look);

#endif

/* watch.h: libevent's struct event under a name of its own: what happens to a node (mirror/event.h) is a
 * struct event, too. A watch waits for a descriptor, a signal or a time, and calls its function. */
#ifndef HOST_WATCH_H
#define HOST_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct watch;

typedef void watch_fn(int fd, short what, void *arg);

struct watch *watch_readable(struct event_base *base, int fd, watch_fn *fn, void *arg); /* until watch_off */
struct watch *watch_writable(struct event_base *base, int fd, watch_fn *fn,
                             void *arg); /* once for each watch_on */
struct watch *watch_signal(struct event_base *base, int number, watch_fn *fn, void *arg);
struct watch *watch_timer(struct event_base *base, watch_fn *fn, void *arg);
void watch_destroy(struct watch *w); /* takes NULL */

void watch_on(struct watch *w);
void watch_on_for(struct watch *w, uint64_t wait_ms); /* a timer: calls after so long */
void watch_off(struct watch *w);
void watch_now(struct watch *w); /* calls in the next round, whatever it waits for */
bool watch_is_on(const struct watch *w);

#endif

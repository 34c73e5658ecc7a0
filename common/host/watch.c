/* watch.c: libevent's events; the only file of the host that sees their type. */
#include "host/watch.h"

#include <event2/event.h>
#include <signal.h>

#include "base/base.h"

static struct event *event_in(const struct watch *w)
{
    return (struct event *)(uintptr_t)w;
}

static struct watch *create(struct event_base *base, int fd, short what, watch_fn *fn, void *arg)
{
    struct event *e = event_new(base, fd, what, fn, arg);
    ASSERT(e);
    return (struct watch *)(void *)e;
}

struct watch *watch_readable(struct event_base *base, int fd, watch_fn *fn, void *arg)
{
    return create(base, fd, EV_READ | EV_PERSIST, fn, arg);
}

struct watch *watch_writable(struct event_base *base, int fd, watch_fn *fn, void *arg)
{
    return create(base, fd, EV_WRITE, fn, arg);
}

struct watch *watch_signal(struct event_base *base, int number, watch_fn *fn, void *arg)
{
    return create(base, number, EV_SIGNAL | EV_PERSIST, fn, arg);
}

struct watch *watch_timer(struct event_base *base, watch_fn *fn, void *arg)
{
    return create(base, -1, 0, fn, arg);
}

void watch_destroy(struct watch *w)
{
    if (w)
        event_free(event_in(w));
}

void watch_on(struct watch *w)
{
    ASSERT(event_add(event_in(w), NULL) == 0);
}

void watch_on_for(struct watch *w, uint64_t wait_ms)
{
    struct timeval tv = {.tv_sec = (time_t)(wait_ms / 1000), .tv_usec = (suseconds_t)(wait_ms % 1000 * 1000)};
    ASSERT(event_add(event_in(w), &tv) == 0);
}

void watch_off(struct watch *w)
{
    event_del(event_in(w));
}

void watch_now(struct watch *w)
{
    event_active(event_in(w), EV_TIMEOUT, 0);
}

bool watch_is_on(const struct watch *w)
{
    return event_pending(event_in(w), EV_READ | EV_WRITE | EV_SIGNAL | EV_TIMEOUT, NULL) != 0;
}

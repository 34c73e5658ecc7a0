/* node_figures.c: what a node knows about itself as a process: its events feed, its size, its limits. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "host/loop_private.h"
#include "host/node_log.h"
#include "host/pager.h"

/* ---- events ---- */

static int64_t wall_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void drop_oldest(struct loop *l, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(l->events.items[i].queue);
        free(l->events.items[i].text);
    }
    if (l->events.len > count) /* there may be no memory at all: a node that ends before anything happened */
        memmove(l->events.items, l->events.items + count, (l->events.len - count) * sizeof(*l->events.items));
    l->events.len -= count;
}

static void add_event(struct loop *l, const char *kind, const char *queue, const char *text)
{
    if (l->events.len == LIMIT_EVENTS)
        drop_oldest(l, LIMIT_EVENTS / 4); /* not one by one: each time it moves the rest */
    struct node_event e = {
        .seq = ++l->events_seq,
        .wall_ms = wall_ms(),
        .kind = kind,
        .queue = queue ? xstrdup(queue) : NULL,
        .text = xstrdup(text ? text : ""),
    };
    VEC_PUSH(&l->events, e);
    time_t seconds = (time_t)(e.wall_ms / 1000);
    struct tm tm;
    localtime_r(&seconds, &tm);
    fprintf(stderr, "%02d:%02d:%02d.%03d %-8s %s\n", tm.tm_hour, tm.tm_min, tm.tm_sec,
            (int)(e.wall_ms % 1000), kind, e.text);
}

void loop_event(struct loop *l, const struct effect *fx)
{
    add_event(l, fx->u.event.kind, fx->u.event.queue, fx->u.event.text);
}

void loop_note(struct loop *l, const char *kind, const char *queue, const char *format, ...)
{
    struct text text = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&text, format, args);
    va_end(args);
    add_event(l, kind, queue, text_str(&text));
    text_finish(&text);
}

size_t node_events_since(const struct node *n, uint64_t seq, const struct node_event **out, uint64_t *next)
{
    const struct loop *l = loop_of(n);
    size_t from = 0;
    if (l->events.len && seq >= l->events.items[0].seq)
        from = (size_t)u64_min(seq - l->events.items[0].seq + 1, l->events.len);
    *out = l->events.items + from;
    *next = l->events_seq;
    return l->events.len - from;
}

/* ---- figures ---- */

static uint64_t open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return 0;
    uint64_t count = 0;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count > 3 ? count - 3 : 0; /* ".", "..", and the folder itself */
}

void node_figures(const struct node *n, struct node_figures *out)
{
    struct loop *l = loop_of(n);
    struct rlimit files = {0};
    getrlimit(RLIMIT_NOFILE, &files);
    struct statvfs disk = {0};
    if (statvfs(l->config.dir, &disk))
        disk = (struct statvfs){0};
    *out = (struct node_figures){
        .memory_bytes = memory_use(l).resident,
        .memory_limit_bytes = l->config.memory_limit_bytes,
        .uptime_ms = l->broker ? loop_now(l) - l->started_at : 0,
        .fds_used = open_files(),
        .fds_total = files.rlim_cur,
        .disk_free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize,
        .log_bytes = l->log ? node_log_bytes(l->log) : 0,
        .fsyncs = l->log ? node_log_syncs(l->log) : 0,
        .paged_bytes = l->pager ? pager_file_bytes(l->pager) : 0,
        .memory_alarm = l->memory_alarm,
    };
}

void figures_finish(struct loop *l)
{
    drop_oldest(l, l->events.len);
    VEC_FREE(&l->events);
}

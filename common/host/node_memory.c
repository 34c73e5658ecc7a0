/* node_memory.c: a node's size. Two marks: above the first (memory_paging_ratio of the limit) messages that
 * are not wanted soon leave memory, a slice at the end of each turn; above the limit publishers wait.
 *
 * What counts is what only this process can give back. Pages of files, the pager's too, are the system's to
 * take whenever it wants them. */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "host/loop_private.h"
#include "host/pager.h"

/* how often the resident size is read: while there are turns, and while the alarm is on */
#define MEMORY_CHECK_MS 50
#define ALARM_CHECK_MS  250
/* and whenever this part of the limit has gone through the sockets since: a busy node takes it in, or reads
 * it back from the pager's file, in less time than that */
#define MOVED_PART 8
/* what one turn may give to paging: the links to other nodes must not fall silent */
#define SLICE_US 20000
/* at once, so that it is not one more time for every message that comes */
#define SLICE_LEAST (4u << 20)
/* what was freed is given back to the system: after so much, or after so long */
#define TRIM_AFTER    (8u << 20)
#define TRIM_AFTER_MS 1000
/* pages of files that may stay mapped after they were read: this part of the limit */
#define FILES_PART 4
/* bytes of records between two looks while the log is read */
#define RECOVER_EVERY (4u << 20)

struct memory_use memory_use(struct loop *l)
{
    char line[128];
    if (l->statm_fd < 0)
        l->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = pread(l->statm_fd, line, sizeof(line) - 1, 0);
    unsigned long size = 0, resident = 0, shared = 0;
    line[n > 0 ? n : 0] = '\0';
    if (n <= 0 || sscanf(line, "%lu %lu %lu", &size, &resident, &shared) != 3)
        return (struct memory_use){0};
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    return (struct memory_use){
        .resident = resident * page, .own = (resident - shared) * page, .files = shared * page};
}

/* ---- paging ---- */

static void tell_paging(struct loop *l, uint64_t own)
{
    const char *error = pager_error(l->pager);
    if (error && !l->paging_failed)
        loop_note(l, "alarm", NULL,
                  "paging: %s: no message leaves memory; make room on the disk. Publishers wait at %llu MiB",
                  error, (unsigned long long)(l->config.memory_limit_bytes >> 20));
    l->paging_failed = error != NULL;
    bool paging = pager_file_bytes(l->pager) > 0;
    if (paging && !l->paging)
        loop_note(l, "memory", NULL, "%llu MiB in use: messages that are not wanted soon go to the disk",
                  (unsigned long long)(own >> 20));
    else if (!paging && l->paging)
        loop_note(l, "memory", NULL, "no message is on the disk only because of its size any more");
    l->paging = paging;
}

/* Pages a slice; own: bytes in use before and after. Returns true if the slice was too short. */
static bool page_out(struct loop *l, uint64_t *own, ms_time now, int64_t slice_us)
{
    uint64_t limit = l->config.memory_limit_bytes, mark = l->config.paging_bytes;
    if (!l->pager)
        l->pager = pager_create(l->config.dir);
    uint64_t want = u64_max(*own - u64_min(mark, *own), SLICE_LEAST);
    int64_t stop_at = pager_clock_us() + slice_us;
    const struct mirror *m = broker_mirror(l->broker);
    uint64_t gone = pager_run(l->pager, m, false, want, stop_at);
    /* little is left that is easy to spare, and the limit is near: everything else */
    bool near_limit = *own > limit - (limit - mark) / 4;
    if (gone < want && near_limit && pager_clock_us() < stop_at && now - l->paged_hard_at >= ALARM_CHECK_MS) {
        gone += pager_run(l->pager, m, true, want - gone, stop_at);
        l->paged_hard_at = now;
    }
    if (gone >= TRIM_AFTER || now - l->trimmed_at >= TRIM_AFTER_MS || *own > limit) {
        malloc_trim(0); /* what was freed still counts as in use until it is given back */
        l->trimmed_at = now;
    }
    *own = memory_use(l).own;
    return gone > 0 && *own > mark && pager_clock_us() >= stop_at;
}

void memory_recovering(struct loop *l, size_t bytes)
{
    l->recovered_bytes += bytes;
    if (l->recovered_bytes < RECOVER_EVERY)
        return;
    l->recovered_bytes = 0;
    uint64_t own = memory_use(l).own;
    if (own > l->config.paging_bytes)
        page_out(l, &own, loop_now(l), INT64_MAX / 2);
}

/* ---- the alarm ---- */

static void alarm_check(struct loop *l, uint64_t bytes, ms_time now)
{
    uint64_t limit = l->config.memory_limit_bytes;
    /* off a little below where it went on, or it would flicker */
    bool alarm = l->memory_alarm ? bytes > limit - limit / 10 : bytes > limit;
    if (alarm)
        loop_wake_at(l, now + ALARM_CHECK_MS);
    if (alarm == l->memory_alarm)
        return;
    l->memory_alarm = alarm;
    if (alarm)
        loop_note(l, "alarm", NULL, "memory: %llu MiB in use, over the limit of %llu MiB: publishers wait",
                  (unsigned long long)(bytes >> 20), (unsigned long long)(limit >> 20));
    else
        loop_note(l, "alarm", NULL, "memory: back to %llu MiB: publishers go on",
                  (unsigned long long)(bytes >> 20));
    loop_step(l, &(struct event){.type = EV_MEMORY, .now = now, .u.memory.alarm = alarm});
}

/* True if the size is to be read in this turn. What has left memory may have been read back since the last
 * time, so that there is a next time even if the node has nothing else to do. */
static bool check_is_due(struct loop *l, ms_time now)
{
    ms_time every = l->memory_alarm ? ALARM_CHECK_MS : MEMORY_CHECK_MS;
    if (l->paging_more || now - l->memory_checked_at >= every ||
        l->moved_bytes >= l->config.memory_limit_bytes / MOVED_PART)
        return true;
    if (l->memory_alarm || (l->pager && pager_file_bytes(l->pager) > 0))
        loop_wake_at(l, l->memory_checked_at + every);
    return false;
}

void memory_check(struct loop *l)
{
    ms_time now = loop_now(l);
    if (l->pager)
        pager_collect(l->pager);
    if (!l->broker || !check_is_due(l, now))
        return;
    l->memory_checked_at = now;
    l->moved_bytes = 0;
    struct memory_use use = memory_use(l);
    if (l->pager && use.files > l->config.memory_limit_bytes / FILES_PART)
        pager_cool(l->pager);
    l->paging_more = false;
    if (use.own > l->config.paging_bytes || l->memory_alarm)
        l->paging_more = page_out(l, &use.own, now, SLICE_US);
    if (l->paging_more)
        loop_again(l);
    if (l->pager)
        tell_paging(l, use.own);
    alarm_check(l, use.own, now);
}

void memory_finish(struct loop *l)
{
    pager_destroy(l->pager);
    if (l->statm_fd >= 0)
        close(l->statm_fd);
}

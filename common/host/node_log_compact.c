/* node_log_compact.c: when the log is copied without what is void, and by whom. The rule: the loop goes on
 * meanwhile; nothing depends on the copy but the size of the log. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "host/disk_files.h"
#include "host/node_log.h"
#include "host/record_sieve.h"

/* less than this is not worth a copy */
#define COMPACT_FROM (2u * LIMIT_SEGMENT_BYTES)

static void compact(struct node_log *l, struct disk *disk, struct node_log_compaction *c)
{
    struct record_sieve sieve;
    record_sieve_init(&sieve, &l->compact_cancel);
    c->error = log_compact(disk, c->last, &sieve.ops, &c->bytes, &c->note);
    record_sieve_finish(&sieve);
}

static void *compact_thread(void *arg)
{
    struct node_log *l = arg;
    struct node_log_compaction c = {.last = l->compaction.last, .ended = true};
    struct disk *disk =
        disk_files_create(l->files->where, &c.note); /* its own: the other one is being written to */
    if (disk)
        compact(l, disk, &c);
    else
        c.error = ERR_IO;
    disk_files_destroy(disk);
    pthread_mutex_lock(&l->lock);
    l->compaction = c;
    pthread_mutex_unlock(&l->lock);
    uint64_t one = 1;
    if (write(l->done_fd, &one, sizeof(one)) != sizeof(one))
        abort(); /* an eventfd below its limit always takes it */
    return NULL;
}

static void take_result(struct node_log *l, struct node_log_compaction *c)
{
    if (!c->error && l->log)
        log_compacted(l->log, c->last, c->bytes);
    else if (c->error != ERR_CLOSED && c->note)
        loop_note(l->part.loop, "disk", NULL, "the log could not be made smaller: %s", c->note);
    free(c->note);
    *c = (struct node_log_compaction){0};
}

void node_log_compact_ended(struct node_log *l)
{
    pthread_mutex_lock(&l->lock);
    bool ended = l->compaction.ended;
    pthread_mutex_unlock(&l->lock);
    if (!ended)
        return;
    pthread_join(l->compactor, NULL);
    l->compacting = false;
    take_result(l, &l->compaction);
}

void node_log_compact_if_due(struct node_log *l)
{
    if (l->compacting)
        return;
    struct log_closed closed = log_closed(l->log);
    if (closed.last <= l->compact_tried || closed.bytes - closed.base_bytes < COMPACT_FROM ||
        closed.bytes < 2 * closed.base_bytes)
        return;
    l->compact_tried = closed.last;
    l->compaction = (struct node_log_compaction){.last = closed.last};
    atomic_store(&l->compact_cancel, false);
    if (!l->files) {
        compact(l, l->memory, &l->compaction);
        take_result(l, &l->compaction);
        return;
    }
    sigset_t all, before; /* signals are the loop's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    l->compacting = pthread_create(&l->compactor, NULL, compact_thread, l) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void node_log_compact_stop(struct node_log *l)
{
    if (!l->compacting)
        return;
    atomic_store(&l->compact_cancel, true);
    pthread_join(l->compactor, NULL);
    l->compacting = false;
    take_result(l, &l->compaction);
}

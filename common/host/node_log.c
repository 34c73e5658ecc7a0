/* node_log.c: the log as a part of a node. The thread below touches nothing but its job and the disk. */
#include "host/node_log.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "host/disk_files.h"
#include "host/loop_private.h"
#include "wire/record.h"

/* ---- the thread ---- */

static void write_and_sync(struct disk *disk, struct node_log_job *job)
{
    job->doing = "writing";
    job->error = disk->append(disk->self, job->segment, job->data.data, job->data.len);
    if (job->error)
        return;
    job->doing = "fdatasync";
    job->error = disk->sync(disk->self, job->segment);
}

static void *disk_thread(void *arg)
{
    struct node_log *l = arg;
    pthread_mutex_lock(&l->lock);
    for (;;) {
        while (!l->job.given && !l->job.quit)
            pthread_cond_wait(&l->wake, &l->lock);
        if (!l->job.given)
            break;
        struct node_log_job job = l->job;
        pthread_mutex_unlock(&l->lock);
        write_and_sync(l->files, &job);
        pthread_mutex_lock(&l->lock);
        l->job.given = false;
        l->job.ended = true;
        l->job.error = job.error;
        l->job.doing = job.doing;
        uint64_t one = 1;
        if (write(l->done_fd, &one, sizeof(one)) != sizeof(one))
            abort(); /* an eventfd below its limit always takes it */
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static void start_thread(struct node_log *l)
{
    /* small: it calls write and fdatasync, nothing deep */
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 128 << 10);
    /* signals are the loop's */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ASSERT(pthread_create(&l->thread, &attr, disk_thread, l) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    l->thread_runs = true;
}

static void stop_thread(struct node_log *l)
{
    if (!l->thread_runs)
        return;
    pthread_mutex_lock(&l->lock);
    l->job.quit = true;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    l->thread_runs = l->busy = false;
    l->job = (struct node_log_job){0};
}

/* ---- the loop's side ---- */

static void fail(struct node_log *l, const struct node_log_job *job)
{
    int err = job->error;
    loop_fail(l->part.loop,
              format_text("%s: %s of segment %" PRIu64
                          " failed: %s; the node stops and confirms nothing more: what it "
                          "confirmed is on the disk. Make room or mend the disk, then start the node again",
                          l->files ? l->files->where : l->memory->where, job->doing, job->segment,
                          err > ERR_LAST_ ? strerror(-err) : err_text(err)));
}

static void written(struct node_log *l, size_t records)
{
    log_written(l->log);
    l->persisted += records;
    l->syncs++;
}

static void write_ended(struct node_log *l)
{
    pthread_mutex_lock(&l->lock);
    struct node_log_job job = l->job;
    l->job.ended = false;
    pthread_mutex_unlock(&l->lock);
    if (!job.ended)
        return;
    l->busy = false;
    if (job.error)
        fail(l, &job);
    else
        written(l, l->job_records);
}

static void thread_done(int fd, short what, void *arg)
{
    (void)what;
    struct node_log *l = arg;
    uint64_t count;
    if (read(fd, &count, sizeof(count)) != sizeof(count))
        return;
    if (l->busy)
        write_ended(l);
    if (l->compacting)
        node_log_compact_ended(l);
}

static void log_part_sweep(struct part *p)
{
    struct node_log *l = CONTAINER_OF(p, struct node_log, part);
    if (l->told == l->persisted)
        return;
    l->told = l->persisted;
    struct loop *loop = p->loop;
    loop_step(loop,
              &(struct event){.type = EV_DISK_DONE, .now = loop_now(loop), .u.disk.persisted = l->told});
}

/* Gives one group commit to the disk; false: there was none. */
static bool write_next(struct node_log *l)
{
    struct node_log_job job = {.given = true};
    size_t records = log_take(l->log, &job.segment, &job.data);
    if (!records)
        return false;
    l->handed += records;
    if (!l->files) {
        write_and_sync(l->memory, &job);
        if (job.error)
            fail(l, &job);
        else
            written(l, records);
        loop_again(l->part.loop); /* to tell the broker */
        return true;
    }
    l->job_records = records;
    l->busy = true;
    pthread_mutex_lock(&l->lock);
    l->job = job;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
    return true;
}

static void log_part_flush(struct part *p)
{
    struct node_log *l = CONTAINER_OF(p, struct node_log, part);
    while (l->log && !l->busy && write_next(l))
        ;
    if (l->log && !p->loop->done)
        node_log_compact_if_due(l);
}

static int recover(void *arg, struct bytes bytes)
{
    struct node_log *l = arg;
    struct record rec = {0};
    int err = wire_decode_record(bytes, &rec);
    if (err)
        return err;
    err = broker_recover(l->part.loop->broker, &rec);
    record_finish(&rec);
    memory_recovering(l->part.loop, bytes.len);
    return err;
}

static bool log_part_open(struct part *p, char **error)
{
    struct node_log *l = CONTAINER_OF(p, struct node_log, part);
    char *note;
    l->handed = l->persisted = l->told = l->syncs = l->compact_tried = 0;
    l->log = log_open(l->files ? l->files : l->memory, recover, l, &note);
    if (!l->log) {
        *error = format_text("%s: %s", p->loop->config.name, note);
        free(note);
        return false;
    }
    if (note)
        loop_note(p->loop, "disk", NULL, "%s", note);
    free(note);
    if (l->files)
        start_thread(l);
    return true;
}

static bool log_part_close(struct part *p)
{
    struct node_log *l = CONTAINER_OF(p, struct node_log, part);
    if (!l->log)
        return true;
    while (!l->busy && write_next(l))
        ;
    if (l->busy)
        return false;
    node_log_compact_stop(l);
    stop_thread(l);
    log_close(l->log);
    l->log = NULL;
    return true;
}

static const struct part_ops log_part = {
    .open = log_part_open,
    .sweep = log_part_sweep,
    .flush = log_part_flush,
    .close = log_part_close,
};

void node_log_init(struct node_log *l, struct loop *loop)
{
    *l = (struct node_log){.memory = disk_memory_create(), .done_fd = -1};
    loop_add_part(loop, &l->part, &log_part);
    loop->log = l;
}

void node_log_on_disk(struct node_log *l)
{
    struct loop *loop = l->part.loop;
    char *folder = format_text("%s/data", loop->config.dir), *error;
    l->files = disk_files_create(folder, &error);
    free(folder);
    if (!l->files) {
        fprintf(stderr, "%s: %s\n", loop->config.name, error);
        exit(1);
    }
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->wake, NULL);
    l->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ASSERT(l->done_fd >= 0);
    l->done = watch_readable(loop->base, l->done_fd, thread_done, l);
    watch_on(l->done);
}

void node_log_finish(struct node_log *l)
{
    stop_thread(l);
    node_log_compact_stop(l);
    log_close(l->log);
    if (l->files) {
        watch_destroy(l->done);
        close(l->done_fd);
        pthread_cond_destroy(&l->wake);
        pthread_mutex_destroy(&l->lock);
        disk_files_destroy(l->files);
    }
    disk_memory_destroy(l->memory);
}

void node_log_append(struct node_log *l, const struct effect *fx)
{
    wire_encode_record(fx->u.record, log_begin(l->log));
    log_end(l->log);
}

uint64_t node_log_bytes(const struct node_log *l)
{
    return l->log ? log_size(l->log) : 0;
}

uint64_t node_log_syncs(const struct node_log *l)
{
    return l->syncs;
}

/* ---- forgetting all ---- */

static struct disk *disk_of(const struct node_log *l)
{
    return l->files ? l->files : l->memory;
}

bool node_log_wipe(struct node_log *l, char **error)
{
    ASSERT(!l->log);
    struct disk *disk = disk_of(l);
    uint64_t *numbers = NULL;
    size_t len = 0;
    int err = disk->list(disk->self, &numbers, &len);
    /* the oldest last: what a kill leaves behind begins where the log begins */
    for (size_t i = len; i-- > 0 && !err;)
        err = disk->drop(disk->self, numbers[i], 0);
    free(numbers);
    if (err)
        *error = format_text("%s: the log cannot be removed: %s", disk->where,
                             err > ERR_LAST_ ? strerror(-err) : err_text(err));
    return !err;
}

bool node_log_is_empty(const struct node_log *l)
{
    const struct disk *disk = disk_of(l);
    uint64_t *numbers = NULL;
    size_t len = 0;
    int err = disk->list(disk->self, &numbers, &len);
    free(numbers);
    return !err && !len;
}

/* node_log.h: a node's log as a part: records in from perform, EV_DISK_DONE out. In memory, or on a disk with
 * a thread that writes and syncs, so that the loop never waits: what arrives while one fdatasync runs goes
 * out with the next. A failed write or sync ends the process; nothing is tried twice, nothing more confirmed.
 */
#ifndef HOST_NODE_LOG_H
#define HOST_NODE_LOG_H

#include <pthread.h>
#include <stdatomic.h>

#include "host/loop.h"
#include "store/log.h"

struct node_log {
    struct part part;
    struct disk *memory, *files; /* files: NULL unless node_log_on_disk was called */
    struct log *log;             /* while the app runs */
    uint64_t handed, persisted;  /* records since the app started: taken by the disk; on it */
    uint64_t told;               /* of those, the broker was told of */
    uint64_t syncs;

    /* the writing thread: its job goes in and its result comes out under the lock; what is above is the
     * loop's */
    pthread_t thread;
    bool thread_runs, busy; /* busy: a job is with the thread */
    struct watch *done;     /* done_fd: a thread has a result */
    int done_fd;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct node_log_job {
        uint64_t segment;
        struct bytes data;
        bool given, ended, quit;
        int error;
        const char *doing; /* what failed */
    } job;
    size_t job_records;

    /* the compacting thread: the same way */
    pthread_t compactor;
    bool compacting;
    uint64_t compact_tried; /* up to this segment: not again before there is another */
    atomic_bool compact_cancel;
    struct node_log_compaction {
        uint64_t last, bytes;
        bool ended;
        int error;
        char *note;
    } compaction;
};

void node_log_init(struct node_log *l, struct loop *loop); /* in memory: lost with the process */
void node_log_on_disk(struct node_log *l);                 /* in files under the node's folder */
void node_log_finish(struct node_log *l);

void node_log_append(struct node_log *l, const struct effect *fx); /* FX_PERSIST */

/* While the app is stopped: everything it holds goes (false: *error, the caller's, says what did not); is
 * there anything? */
bool node_log_wipe(struct node_log *l, char **error);
bool node_log_is_empty(const struct node_log *l);

/* node_log_compact.c */
void node_log_compact_if_due(struct node_log *l);
void node_log_compact_ended(struct node_log *l); /* the thread has a result, maybe */
void node_log_compact_stop(struct node_log *l);

uint64_t node_log_bytes(const struct node_log *l);
uint64_t node_log_syncs(const struct node_log *l);

#endif

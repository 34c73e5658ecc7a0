/* record_sieve.h: which records of a node's log are still needed: what compaction (store/log.h) asks. */
#ifndef HOST_RECORD_SIEVE_H
#define HOST_RECORD_SIEVE_H

#include <stdatomic.h>

#include "base/map.h"
#include "store/log.h"

struct record_sieve {
    struct log_sieve ops; /* what log_compact is given */
    atomic_bool *cancel;  /* set from another thread: the compaction ends with ERR_CLOSED */
    struct map queues;    /* uid -> struct sieve_queue */
    /* indices + 1; 0: none */
    uint64_t table_begin; /* of the metadata table that is being read */
    uint64_t first, last; /* of the last one that was complete */
    uint64_t stopped;     /* the last orderly stop */
    uint64_t promised;    /* the last promise */
};

void record_sieve_init(struct record_sieve *s, atomic_bool *cancel);
void record_sieve_finish(struct record_sieve *s);

#endif

/* log_private.h: how a segment looks inside: what log.c, log_read.c and log_compact.c share. */
#ifndef STORE_LOG_PRIVATE_H
#define STORE_LOG_PRIVATE_H

#include "base/vec.h"
#include "store/log.h"

#define SEGMENT_HEAD    20
#define SEGMENT_VERSION 2
#define RECORD_HEAD     20
#define RECORD_VERSION  1
#define RECORD_END      2 /* version of the last record of a copy: data is the number of records, u64 */

/* a copy of all segments before it */
static inline bool segment_is_copy(uint64_t number)
{
    return number % 2 == 0;
}

/* One group commit: bytes for one segment. */
struct run {
    uint64_t segment;
    struct text data;
    size_t records;
    uint32_t start; /* where in the segment it will stand */
};

struct segment {
    uint64_t number, size;
};

struct log {
    struct disk *disk;

    VEC(struct segment) segments; /* rising; those on disk and those that the runs will create */

    /* what was appended and not taken yet, oldest first; a new one begins with each segment */
    VEC(struct run) runs;
    bool rolled;    /* the next record begins a new segment */
    size_t open_at; /* between log_begin and log_end: where the record's head is */
    bool open;

    /* what the disk is working on */
    struct run writing;
    bool taken;

    struct text spare; /* memory of an earlier run */
};

/* ---- bytes (log_bytes.c) ---- */

uint64_t log_get_u64(const uint8_t *at);
void log_put_u64(uint8_t *at, uint64_t v);
void segment_head_put(uint8_t head[SEGMENT_HEAD], uint64_t number);
/* fills in the head of a record whose `length` bytes of data stand behind it */
void record_head_put(uint8_t *head, uint64_t segment, size_t length, uint32_t commit, uint8_t version);

/* A part of a segment: what is read of it at one time. Offsets are the segment's. */
struct segment_bytes {
    uint64_t number;
    const uint8_t *data;
    size_t base, len; /* where in the segment data begins, and its length */
};
static inline size_t segment_end(const struct segment_bytes *s)
{
    return s->base + s->len;
}
static inline const uint8_t *segment_at(const struct segment_bytes *s, size_t at)
{
    return s->data + (at - s->base);
}
bool segment_head_ok(const struct segment_bytes *s);
/* Length of the record at this offset, head included; 0: there is no whole, correct record of this version.
 */
size_t record_at(const struct segment_bytes *s, size_t at, uint8_t version);
uint32_t record_commit(const struct segment_bytes *s, size_t at);

/* ---- reading (log_read.c) ---- */

/* The segments that count, in order, from a complete copy (or the first of all) on: *numbers is the caller's
 * to free. What does not count any more, or not yet, is dropped if `clean`. 0 or an error with *note. */
int log_list(struct disk *disk, bool clean, uint64_t **numbers, size_t *len, char **note);
/* Hands in the records of one segment; *end is where the good part ends. 0 or an error with *note. */
int log_read_segment(struct disk *disk, uint64_t number, bool last, log_record_fn *fn, void *arg, size_t *len,
                     size_t *end, char **note);
char *log_disk_note(const struct disk *disk, uint64_t number, const char *doing, int err);

#endif

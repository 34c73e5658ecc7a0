/* log.h: one append-only log per node: segments of records, each with a version and a checksum (XXH3), over a
 * disk of five functions, so that a simulator can tear and lose writes. No knowledge of what a record means.
 *
 * Numbers are big-endian. A segment, and a record in it:
 *
 *      0        8         12            20
 *     +--------+---------+-------------+--------+--------+--- ...
 *     |mlab-log| version | segment no. | record | record |
 *     +--------+---------+-------------+--------+--------+--- ...
 *
 *      0            8        12       16        17     20
 *     +------------+--------+--------+---------+------+------ ... -----+
 *     | XXH3-64 of | length | commit | version | zero | data           |
 *     | the rest   | of data|        |         |      | (length bytes) |
 *     +------------+--------+--------+---------+------+------ ... -----+
 *
 * The checksum is seeded with the segment's number. `commit` is the offset in the segment where the group
 * commit of this record began; the next group commit is written only once this one is synced. So recovery can
 * tell what a crash may do from what it may not: a record that cannot be read was still being written if
 * nothing of a later commit stands behind it (a torn tail, cut off and reported), and was on disk and has
 * rotted if something does: an error that names file and offset. A torn tail is accepted in the last segment
 * only. A failed write or sync is final. */
#ifndef STORE_LOG_H
#define STORE_LOG_H

#include "base/base.h"
#include "base/text.h"

/* What a log needs of a disk. Functions return 0 or a negative error (-errno or enum err). */
struct disk {
    void *self;
    const char *where;                                        /* for messages: the folder */
    int (*list)(void *self, uint64_t **numbers, size_t *len); /* segments, rising; caller frees */
    /* up to `most` bytes from there on, less only at the end; caller frees */
    int (*read)(void *self, uint64_t number, uint64_t from, size_t most, uint8_t **data, size_t *len);
    int (*append)(void *self, uint64_t number, const void *data, size_t len); /* creates the segment if new */
    int (*sync)(void *self, uint64_t number);                      /* data of this segment, and the folder */
    int (*drop)(void *self, uint64_t number, uint64_t keep_bytes); /* 0: remove; else cut to this length */
};

struct disk *disk_memory_create(void);    /* a disk in memory: lessons before the disk, and tests */
void disk_memory_destroy(struct disk *d); /* takes NULL */

struct log;
/* Opens, checks and cuts; each record that is there goes to fn in order. On success *note is NULL or says
 * what was dropped (caller frees); on failure NULL is returned and *note says file, offset, what to do. A fn
 * that returns anything but 0 ends the opening. */
typedef int log_record_fn(void *arg, struct bytes record);
struct log *log_open(struct disk *disk, log_record_fn *fn, void *arg, char **note);
void log_close(struct log *l); /* takes NULL; what was not taken is dropped */

/* Adds one record to what will be written next. */
void log_append(struct log *l, struct bytes record);

/* The same without a copy: begin gives the text to append the record's bytes to (and nothing else may be done
 * with it), end closes the record. */
struct text *log_begin(struct log *l);
void log_end(struct log *l);

/* Takes what was appended since the last take as one run of bytes to write (group commit): *segment is where
 * it goes. The buffer stays valid until log_written. Returns the number of records in it; 0: nothing. A run
 * is to be appended and synced before log_written, and only then may the next be taken. */
size_t log_take(struct log *l, uint64_t *segment, struct bytes *data);
void log_written(struct log *l);

/* Begins a new segment with the next record: what was written before is closed once it is on the disk. */
void log_roll(struct log *l);

/* ---- compaction: closed segments are copied without what is void, then removed ----
 *
 * Ordinary segments have odd numbers: 1, 3, 5, ... The copy of all up to number n gets the even number n + 1,
 * so that the order of the numbers is the order of the records. It ends with a record of its own kind that
 * holds the number of records before it: a copy that ends so is complete, and everything of a lower number
 * counts no more; one that does not was being made when the node went, and is dropped. */

/* Which records are needed. look sees them all, in order, from index 0; then, first for the part that is to
 * come first, then for the rest, keep is asked about each: 1 to keep it, 0 to leave it out. An error of
 * either ends the compaction, and leaves everything as it was. */
struct log_sieve {
    void *self;
    int (*look)(void *self, uint64_t index, struct bytes record);
    int (*keep)(void *self, bool first_part, uint64_t index, struct bytes record);
};

struct log_closed {
    uint64_t last;       /* up to this segment nothing is written any more; 0: there are none */
    uint64_t bytes;      /* of all of them, */
    uint64_t base_bytes; /* and of the one among them that is a copy already */
};
struct log_closed log_closed(const struct log *l);

/* Copies what the sieve keeps of all segments up to `last` (log_closed) and removes them; *bytes is the
 * copy's size. Touches no log: may run on another thread, with a struct disk of its own. 0, or an error with
 * *note (caller frees): then the segments are there as before. */
int log_compact(struct disk *disk, uint64_t last, const struct log_sieve *sieve, uint64_t *bytes,
                char **note);
/* Tells the log that it has been done. */
void log_compacted(struct log *l, uint64_t last, uint64_t bytes);

uint64_t log_size(const struct log *l); /* bytes on the disk, and those on their way */

#endif

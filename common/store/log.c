/* log.c: the append-only log: gathering records into group commits, and finding them again. The rule: what
 * log_written was called for comes back, byte for byte, or log_open fails and says where. */
#include "store/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/vec.h"

#define SEGMENT_HEAD    20
#define SEGMENT_VERSION 1
#define RECORD_HEAD     20
#define RECORD_VERSION  1

static const char MAGIC[8] = {'m', 'l', 'a', 'b', '-', 'l', 'o', 'g'};

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

/* ---- numbers as bytes ---- */

static void put_u32(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void put_u64(uint8_t *at, uint64_t v)
{
    put_u32(at, (uint32_t)(v >> 32));
    put_u32(at + 4, (uint32_t)v);
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t get_u64(const uint8_t *at)
{
    return (uint64_t)get_u32(at) << 32 | get_u32(at + 4);
}

/* ---- reading ---- */

struct reader {
    struct log *log;
    uint64_t number;
    const uint8_t *data;
    size_t len;
};

/* Length of the record at this offset, head included; 0: there is no whole, correct record. */
static size_t record_at(const struct reader *r, size_t at)
{
    if (r->len - at < RECORD_HEAD)
        return 0;
    const uint8_t *head = r->data + at;
    if (head[16] != RECORD_VERSION || head[17] || head[18] || head[19])
        return 0;
    uint32_t length = get_u32(head + 8);
    if (length > LIMIT_PEER_FRAME || length > r->len - at - RECORD_HEAD)
        return 0;
    uint64_t sum = XXH3_64bits_withSeed(head + 8, RECORD_HEAD - 8 + (size_t)length, r->number);
    return sum == get_u64(head) ? RECORD_HEAD + (size_t)length : 0;
}

/* Is anything behind this offset of a group commit that began behind it? Then what stands here had been
 * synced before. */
static bool later_commit_behind(const struct reader *r, size_t broken)
{
    size_t at = broken + 1;
    while (at < r->len && r->len - at >= RECORD_HEAD) {
        size_t length = record_at(r, at);
        if (length && get_u32(r->data + at + 12) > broken)
            return true;
        at += length ? length : 1;
    }
    return false;
}

static bool segment_head_ok(const struct reader *r)
{
    return r->len >= SEGMENT_HEAD && memcmp(r->data, MAGIC, sizeof(MAGIC)) == 0 &&
           get_u32(r->data + 8) == SEGMENT_VERSION && get_u64(r->data + 12) == r->number;
}

static char *broken_note(const struct reader *r, size_t at)
{
    return format_text(
        "%s: segment %" PRIu64 " has a broken record at offset %zu of %zu, before records that were "
        "written later: the file was damaged after it had been written; restore it from a copy, or "
        "move the folder away to start this node empty (its mirrors still hold what they mirror)",
        r->log->disk->where, r->number, at, r->len);
}

/* Hands in the records of one segment. *end is where the good part ends. 0 or an error with *note. */
static int read_records(const struct reader *r, bool last, log_record_fn *fn, void *arg, size_t *end,
                        char **note)
{
    if (!segment_head_ok(r)) {
        *end = 0;
        /* the head is written with the first commit: it may be torn, unless a later commit stands behind it
         */
        if (last && !later_commit_behind(r, 0))
            return 0;
        *note =
            format_text("%s: segment %" PRIu64 " does not begin as one of this program's (version %d) does; "
                        "restore it from a copy, or move the folder away to start this node empty",
                        r->log->disk->where, r->number, SEGMENT_VERSION);
        return ERR_VERSION;
    }
    size_t at = SEGMENT_HEAD;
    while (at < r->len) {
        size_t length = record_at(r, at);
        if (!length)
            break;
        int err = fn(arg, bytes_of(r->data + at + RECORD_HEAD, length - RECORD_HEAD));
        if (err) {
            *note = format_text("%s: segment %" PRIu64
                                ": the record at offset %zu cannot be used (%s); restore it "
                                "from a copy, or move the folder away to start this node empty",
                                r->log->disk->where, r->number, at, err_text(err));
            return err;
        }
        at += length;
    }
    *end = at;
    if (at < r->len && (!last || later_commit_behind(r, at))) {
        *note = broken_note(r, at);
        return ERR_CHECKSUM;
    }
    return 0;
}

static char *disk_note(const struct log *l, uint64_t number, const char *doing, int err)
{
    return format_text("%s: segment %" PRIu64 ": %s failed: %s", l->disk->where, number, doing,
                       err > ERR_LAST_ ? strerror(-err) : err_text(err));
}

/* Reads one segment, cuts a torn tail. 0 or an error with *note; success may leave a *note too. */
static int recover_segment(struct log *l, uint64_t number, bool last, log_record_fn *fn, void *arg,
                           char **note)
{
    uint8_t *data = NULL;
    size_t len = 0, end = 0;
    int err = l->disk->read(l->disk->self, number, &data, &len);
    if (err) {
        *note = disk_note(l, number, "reading", err);
        return err;
    }
    struct reader r = {.log = l, .number = number, .data = data, .len = len};
    err = read_records(&r, last, fn, arg, &end, note);
    free(data);
    if (err)
        return err;
    if (end < len || len == 0) {
        err = l->disk->drop(l->disk->self, number, end);
        if (err) {
            *note = disk_note(l, number, "cutting off a torn tail", err);
            return err;
        }
        if (len)
            *note = format_text("%s: segment %" PRIu64
                                ": dropped the last %zu bytes (from offset %zu): they were "
                                "being written when the node went, and nobody was told they were safe",
                                l->disk->where, number, len - end, end);
    }
    if (end > 0)
        VEC_PUSH(&l->segments, (struct segment){.number = number, .size = end});
    return 0;
}

struct log *log_open(struct disk *disk, log_record_fn *fn, void *arg, char **note)
{
    struct log *l = xcalloc(1, sizeof(*l));
    l->disk = disk;
    *note = NULL;
    uint64_t *numbers = NULL;
    size_t len = 0;
    int err = disk->list(disk->self, &numbers, &len);
    if (err)
        *note = format_text("%s: cannot be read: %s", disk->where,
                            err > ERR_LAST_ ? strerror(-err) : err_text(err));
    for (size_t i = 0; i < len && !err; i++) {
        if (i > 0 && numbers[i] != numbers[i - 1] + 1) {
            *note = format_text("%s: segment %" PRIu64 " is missing (there are %" PRIu64 " and %" PRIu64
                                "); restore it from a copy, or move the folder away to start this node empty",
                                disk->where, numbers[i - 1] + 1, numbers[i - 1], numbers[i]);
            err = ERR_NOT_FOUND;
            break;
        }
        err = recover_segment(l, numbers[i], i + 1 == len, fn, arg, note);
    }
    free(numbers);
    if (err) {
        log_close(l);
        return NULL;
    }
    return l;
}

void log_close(struct log *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->runs.len; i++)
        text_finish(&l->runs.items[i].data);
    VEC_FREE(&l->runs);
    VEC_FREE(&l->segments);
    text_finish(&l->writing.data);
    text_finish(&l->spare);
    free(l);
}

/* ---- appending ---- */

static struct segment *tail_segment(struct log *l)
{
    return l->segments.len ? &l->segments.items[l->segments.len - 1] : NULL;
}

/* A new run, in the last segment or in a new one. */
static struct run *begin_run(struct log *l)
{
    struct segment *tail = tail_segment(l);
    if (!tail || l->rolled || tail->size >= LIMIT_SEGMENT_BYTES) {
        uint64_t number = tail ? tail->number + 1 : 1;
        VEC_PUSH(&l->segments, (struct segment){.number = number}); /* moves what tail points to */
        tail = tail_segment(l);
        l->rolled = false;
    }
    VEC_PUSH(&l->runs,
             (struct run){.segment = tail->number, .start = (uint32_t)tail->size, .data = l->spare});
    l->spare = (struct text){0};
    struct run *run = &l->runs.items[l->runs.len - 1];
    if (tail->size == 0) {
        uint8_t head[SEGMENT_HEAD];
        memcpy(head, MAGIC, sizeof(MAGIC));
        put_u32(head + 8, SEGMENT_VERSION);
        put_u64(head + 12, tail->number);
        text_add_bytes(&run->data, head, sizeof(head));
        tail->size += sizeof(head);
    }
    return run;
}

struct text *log_begin(struct log *l)
{
    ASSERT(!l->open);
    struct run *run = l->runs.len ? &l->runs.items[l->runs.len - 1] : NULL;
    /* runs that wait for a slow disk are kept to the size of a segment */
    if (!run || l->rolled || tail_segment(l)->size >= LIMIT_SEGMENT_BYTES)
        run = begin_run(l);
    static const uint8_t head[RECORD_HEAD];
    l->open = true;
    l->open_at = run->data.len;
    text_add_bytes(&run->data, head, sizeof(head));
    return &run->data;
}

void log_end(struct log *l)
{
    ASSERT(l->open);
    struct run *run = &l->runs.items[l->runs.len - 1];
    size_t length = run->data.len - l->open_at - RECORD_HEAD;
    ASSERT(length <= LIMIT_PEER_FRAME);
    uint8_t *head = (uint8_t *)run->data.s + l->open_at;
    put_u32(head + 8, (uint32_t)length);
    put_u32(head + 12, run->start);
    head[16] = RECORD_VERSION;
    put_u64(head, XXH3_64bits_withSeed(head + 8, RECORD_HEAD - 8 + length, run->segment));
    tail_segment(l)->size += RECORD_HEAD + length;
    run->records++;
    l->open = false;
}

void log_append(struct log *l, struct bytes record)
{
    text_add_bytes(log_begin(l), record.data, record.len);
    log_end(l);
}

size_t log_take(struct log *l, uint64_t *segment, struct bytes *data)
{
    ASSERT(!l->taken && !l->open);
    if (l->runs.len == 0)
        return 0;
    l->writing = l->runs.items[0];
    VEC_REMOVE(&l->runs, 0);
    l->taken = true;
    *segment = l->writing.segment;
    *data = bytes_of(l->writing.data.s, l->writing.data.len);
    return l->writing.records;
}

void log_written(struct log *l)
{
    ASSERT(l->taken);
    l->taken = false;
    /* one ordinary run's memory is kept for the next; what a burst needed goes back */
    if (l->spare.s || l->writing.data.cap > 1u << 20) {
        text_finish(&l->writing.data);
    } else {
        text_clear(&l->writing.data);
        l->spare = l->writing.data;
    }
    l->writing = (struct run){0};
}

uint64_t log_roll(struct log *l)
{
    struct segment *tail = tail_segment(l);
    l->rolled = tail != NULL;
    return tail ? tail->number + 1 : 1;
}

int log_drop_before(struct log *l, uint64_t segment)
{
    if ((l->taken && l->writing.segment < segment) || (l->runs.len && l->runs.items[0].segment < segment))
        return ERR_BUSY;
    while (l->segments.len && l->segments.items[0].number < segment) {
        /* the number of the last one tells the next one's: it stays until there is a next one */
        if (l->segments.len == 1)
            return ERR_BUSY;
        int err = l->disk->drop(l->disk->self, l->segments.items[0].number, 0);
        if (err)
            return err;
        VEC_REMOVE(&l->segments, 0);
    }
    return 0;
}

uint64_t log_size(const struct log *l)
{
    uint64_t size = 0;
    for (size_t i = 0; i < l->segments.len; i++)
        size += l->segments.items[i].size;
    return size;
}

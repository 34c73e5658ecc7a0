/* log.c: the append-only log: gathering records into group commits, segment by segment. */
#include "store/log.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/limits.h"
#include "store/log_private.h"

/* memory of an ordinary run is kept for the next; what a burst needed goes back */
#define SPARE_BYTES (1u << 20)

/* ---- opening ---- */

/* Reads one segment, cuts a torn tail. 0 or an error with *note; success may leave a *note too. */
static int recover_segment(struct log *l, uint64_t number, bool last, log_record_fn *fn, void *arg,
                           char **note)
{
    size_t len, end;
    int err = log_read_segment(l->disk, number, last, fn, arg, &len, &end, note);
    if (err)
        return err;
    if (end < len || len == 0) {
        err = l->disk->drop(l->disk->self, number, end);
        if (err) {
            *note = log_disk_note(l->disk, number, "cutting off a torn tail", err);
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
    uint64_t *numbers;
    size_t len;
    l->disk = disk;
    *note = NULL;
    int err = log_list(disk, true, &numbers, &len, note);
    for (size_t i = 0; i < len && !err; i++)
        err = recover_segment(l, numbers[i], i + 1 == len, fn, arg, note);
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
    ASSERT(l->segments.len > 0);
    return &l->segments.items[l->segments.len - 1];
}

static bool segment_wanted(struct log *l)
{
    return l->segments.len == 0 || l->rolled || segment_is_copy(tail_segment(l)->number) ||
           tail_segment(l)->size >= LIMIT_SEGMENT_BYTES;
}

/* A new run, in the last segment or in a new one. */
static void begin_run(struct log *l)
{
    if (segment_wanted(l)) {
        uint64_t number = 1;
        if (l->segments.len)
            number = tail_segment(l)->number + (segment_is_copy(tail_segment(l)->number) ? 1 : 2);
        VEC_PUSH(&l->segments, (struct segment){.number = number});
        l->rolled = false;
    }
    struct segment *tail = tail_segment(l);
    VEC_PUSH(&l->runs,
             (struct run){.segment = tail->number, .start = (uint32_t)tail->size, .data = l->spare});
    l->spare = (struct text){0};
    struct run *run = &l->runs.items[l->runs.len - 1];
    if (tail->size == 0) {
        uint8_t head[SEGMENT_HEAD];
        segment_head_put(head, tail->number);
        text_add_bytes(&run->data, head, sizeof(head));
        tail->size += sizeof(head);
    }
}

struct text *log_begin(struct log *l)
{
    ASSERT(!l->open);
    /* runs that wait for a slow disk are kept to the size of a segment */
    if (l->runs.len == 0 || segment_wanted(l))
        begin_run(l);
    struct run *run = &l->runs.items[l->runs.len - 1];
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
    record_head_put((uint8_t *)run->data.s + l->open_at, run->segment, length, run->start, RECORD_VERSION);
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
    if (l->spare.s || l->writing.data.cap > SPARE_BYTES) {
        text_finish(&l->writing.data);
    } else {
        text_clear(&l->writing.data);
        l->spare = l->writing.data;
    }
    l->writing = (struct run){0};
}

void log_roll(struct log *l)
{
    l->rolled = l->segments.len > 0;
}

uint64_t log_size(const struct log *l)
{
    uint64_t size = 0;
    for (size_t i = 0; i < l->segments.len; i++)
        size += l->segments.items[i].size;
    return size;
}

/* ---- compaction, as the log sees it ---- */

struct log_closed log_closed(const struct log *l)
{
    struct log_closed closed = {0};
    uint64_t open = l->segments.len ? l->segments.items[l->segments.len - 1].number : 0;
    if (l->runs.len)
        open = u64_min(open, l->runs.items[0].segment);
    if (l->taken)
        open = u64_min(open, l->writing.segment);
    for (size_t i = 0; i < l->segments.len && l->segments.items[i].number < open; i++) {
        closed.last = l->segments.items[i].number;
        closed.bytes += l->segments.items[i].size;
        if (segment_is_copy(closed.last))
            closed.base_bytes = l->segments.items[i].size;
    }
    return closed;
}

void log_compacted(struct log *l, uint64_t last, uint64_t bytes)
{
    ASSERT(!segment_is_copy(last) && l->segments.len && l->segments.items[0].number <= last);
    size_t gone = 0;
    while (gone < l->segments.len && l->segments.items[gone].number <= last)
        gone++;
    ASSERT(gone > 0);
    l->segments.len -= gone - 1;
    memmove(l->segments.items, l->segments.items + gone - 1, l->segments.len * sizeof(*l->segments.items));
    l->segments.items[0] = (struct segment){.number = last + 1, .size = bytes};
}

/* log_read.c: finding again what was written. The rule: what log_written was called for comes back, byte for
 * byte, or there is an error that says where it was. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/limits.h"
#include "store/log_private.h"

#define ADVICE                                                                                               \
    "restore it from a copy, or move the folder away to start this node empty (its mirrors still hold what " \
    "they "                                                                                                  \
    "mirror)"

char *log_disk_note(const struct disk *disk, uint64_t number, const char *doing, int err)
{
    return format_text("%s: segment %" PRIu64 ": %s failed: %s", disk->where, number, doing,
                       err > ERR_LAST_ ? strerror(-err) : err_text(err));
}

/* Is anything behind this offset of a group commit that began behind it? Then what stands here had been
 * synced before. */
static bool later_commit_behind(const struct segment_bytes *s, size_t broken)
{
    size_t at = broken + 1;
    while (at < segment_end(s) && segment_end(s) - at >= RECORD_HEAD) {
        size_t length = record_at(s, at, RECORD_VERSION);
        if (length && record_commit(s, at) > broken)
            return true;
        at += length ? length : 1;
    }
    return false;
}

static char *broken_note(const struct disk *disk, const struct segment_bytes *s, size_t at)
{
    return format_text("%s: segment %" PRIu64
                       " has a broken record at offset %zu of %zu, before records that were "
                       "written later: the file was damaged after it had been written; " ADVICE,
                       disk->where, s->number, at, segment_end(s));
}

static char *head_note(const struct disk *disk, uint64_t number)
{
    return format_text("%s: segment %" PRIu64
                       " does not begin as one of this program's (version %d) does; " ADVICE,
                       disk->where, number, SEGMENT_VERSION);
}

/* ---- a segment, a part at a time: however long it is, little of it is in memory ---- */

#define PART_BYTES (4u << 20)
/* a part in which every record that begins it has an end */
#define LONGEST_RECORD (RECORD_HEAD + (size_t)LIMIT_PEER_FRAME)

struct reader {
    struct disk *disk;
    struct segment_bytes s;
    uint8_t *memory;
    bool to_the_end; /* nothing stands behind this part */
};

static int reader_load(struct reader *r, size_t from, size_t most)
{
    free(r->memory);
    r->memory = NULL;
    r->s.data = NULL;
    r->s.base = from;
    r->s.len = 0;
    int err = r->disk->read(r->disk->self, r->s.number, from, most, &r->memory, &r->s.len);
    r->s.data = r->memory;
    r->to_the_end = r->s.len < most;
    return err;
}

/* everything from there on, for what is not right */
static int reader_load_rest(struct reader *r, size_t from)
{
    return r->to_the_end ? 0 : reader_load(r, from, SIZE_MAX);
}

/* *length of the record at this offset; 0: there is none. Returns 0 or the disk's error. */
static int reader_record(struct reader *r, size_t at, size_t *length)
{
    int err = 0;
    while (!err && !(*length = record_at(&r->s, at, RECORD_VERSION)) && !r->to_the_end) {
        if (at == r->s.base && r->s.len >= LONGEST_RECORD)
            break;
        err = reader_load(r, at, at == r->s.base ? LONGEST_RECORD : PART_BYTES); /* it was cut off */
    }
    return err;
}

static int read_error(const struct reader *r, int err, char **note)
{
    *note = log_disk_note(r->disk, r->s.number, "reading", err);
    return err;
}

/* What stands at `at`, behind the last good record, is the rest of a segment. */
static int not_a_record(struct reader *r, size_t at, bool last, size_t *end, char **note)
{
    int err = reader_load_rest(r, at);
    if (err)
        return read_error(r, err, note);
    if (at == segment_end(&r->s))
        return 0;
    if (segment_is_copy(r->s.number)) {
        *end = segment_end(&r->s); /* log_list has found it complete: what is left is its end record */
        return 0;
    }
    if (last && !later_commit_behind(&r->s, at))
        return 0;
    *note = broken_note(r->disk, &r->s, at);
    return ERR_CHECKSUM;
}

static int read_records(struct reader *r, bool last, log_record_fn *fn, void *arg, size_t *end, char **note)
{
    *end = 0;
    int err = reader_load(r, 0, PART_BYTES);
    if (err)
        return read_error(r, err, note);
    if (!segment_head_ok(&r->s)) {
        err = reader_load_rest(r, 0);
        if (err)
            return read_error(r, err, note);
        /* the head is written with the first commit: it may be torn, unless a later commit stands behind it
         */
        if (last && !later_commit_behind(&r->s, 0))
            return 0;
        *note = head_note(r->disk, r->s.number);
        return ERR_VERSION;
    }
    size_t at = SEGMENT_HEAD, length;
    for (;; at += length) {
        err = reader_record(r, at, &length);
        if (err)
            return read_error(r, err, note);
        if (!length)
            break;
        err = fn(arg, bytes_of(segment_at(&r->s, at) + RECORD_HEAD, length - RECORD_HEAD));
        if (err) {
            *note =
                format_text("%s: segment %" PRIu64 ": the record at offset %zu cannot be used (%s); " ADVICE,
                            r->disk->where, r->s.number, at, err_text(err));
            return err;
        }
    }
    *end = at;
    return not_a_record(r, at, last, end, note);
}

int log_read_segment(struct disk *disk, uint64_t number, bool last, log_record_fn *fn, void *arg, size_t *len,
                     size_t *end, char **note)
{
    struct reader r = {.disk = disk, .s = {.number = number}};
    int err = read_records(&r, last && !segment_is_copy(number), fn, arg, end, note);
    *len = segment_end(&r.s);
    free(r.memory);
    return err;
}

/* ---- which segments count ---- */

/* A copy is complete if all its records are whole and the last one counts the others. *at: where that ends.
 * 0, or the disk's error. */
static int copy_complete(struct reader *r, size_t *at, bool *complete)
{
    *at = 0;
    *complete = false;
    int err = reader_load(r, 0, PART_BYTES);
    if (err || !segment_head_ok(&r->s))
        return err;
    uint64_t records = 0;
    size_t length;
    for (*at = SEGMENT_HEAD; !(err = reader_record(r, *at, &length)) && length; *at += length)
        records++;
    size_t left = segment_end(&r->s) - *at;
    *complete = !err && r->to_the_end && left == RECORD_HEAD + 8 &&
                record_at(&r->s, *at, RECORD_END) == left &&
                log_get_u64(segment_at(&r->s, *at) + RECORD_HEAD) == records;
    return err;
}

static int check_copy(struct disk *disk, uint64_t number, bool has_originals, bool *complete, char **note)
{
    struct reader r = {.disk = disk, .s = {.number = number}};
    size_t at;
    int err = copy_complete(&r, &at, complete);
    if (!err && !*complete && !has_originals)
        err = reader_load_rest(&r, at);
    if (err) {
        read_error(&r, err, note);
    } else if (!*complete && !has_originals) {
        /* its originals were removed because it was complete: it has rotted */
        *note = broken_note(disk, &r.s, at);
        err = ERR_CHECKSUM;
    }
    free(r.memory);
    return err;
}

static int drop_some(struct disk *disk, const uint64_t *numbers, size_t len, char **note)
{
    for (size_t i = 0; i < len; i++) {
        int err = disk->drop(disk->self, numbers[i], 0);
        if (err) {
            *note = log_disk_note(disk, numbers[i], "removing", err);
            return err;
        }
    }
    return 0;
}

/* Every number between the first and the last is there. */
static int check_gaps(const struct disk *disk, const uint64_t *numbers, size_t len, char **note)
{
    uint64_t want = len && segment_is_copy(numbers[0]) ? numbers[0] : 1;
    for (size_t i = 0; i < len; i++) {
        if (numbers[i] != want) {
            *note = format_text("%s: segment %" PRIu64 " is missing (the next one is %" PRIu64 "); " ADVICE,
                                disk->where, want, numbers[i]);
            return ERR_NOT_FOUND;
        }
        want += segment_is_copy(want) ? 1 : 2;
    }
    return 0;
}

/* Takes out the unfinished copies, and everything before the last complete one. */
static int choose(struct disk *disk, bool clean, uint64_t *numbers, size_t *len, char **note)
{
    for (size_t i = *len; i-- > 0;) {
        if (!segment_is_copy(numbers[i]))
            continue;
        bool complete, has_originals = i > 0 && numbers[i - 1] == numbers[i] - 1;
        int err = check_copy(disk, numbers[i], has_originals, &complete, note);
        if (!err && complete) {
            if (clean)
                err = drop_some(disk, numbers, i, note);
            *len -= i;
            memmove(numbers, numbers + i, *len * sizeof(*numbers));
            return err;
        }
        if (!err && clean)
            err = drop_some(disk, &numbers[i], 1, note);
        if (err)
            return err;
        memmove(&numbers[i], &numbers[i + 1], (*len - i - 1) * sizeof(*numbers));
        --*len;
    }
    return 0;
}

int log_list(struct disk *disk, bool clean, uint64_t **numbers, size_t *len, char **note)
{
    *numbers = NULL;
    *len = 0;
    int err = disk->list(disk->self, numbers, len);
    if (err) {
        *note = format_text("%s: cannot be read: %s", disk->where,
                            err > ERR_LAST_ ? strerror(-err) : err_text(err));
        return err;
    }
    err = choose(disk, clean, *numbers, len, note);
    return err ? err : check_gaps(disk, *numbers, *len, note);
}

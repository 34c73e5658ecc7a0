/* log_read.c: finding again what was written. The rule: what log_written was called for comes back, byte for
 * byte, or there is an error that says where it was. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
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
    while (at < s->len && s->len - at >= RECORD_HEAD) {
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
                       disk->where, s->number, at, s->len);
}

static char *head_note(const struct disk *disk, uint64_t number)
{
    return format_text("%s: segment %" PRIu64
                       " does not begin as one of this program's (version %d) does; " ADVICE,
                       disk->where, number, SEGMENT_VERSION);
}

static int read_records(struct disk *disk, const struct segment_bytes *s, bool last, log_record_fn *fn,
                        void *arg, size_t *end, char **note)
{
    *end = 0;
    if (!segment_head_ok(s)) {
        /* the head is written with the first commit: it may be torn, unless a later commit stands behind it
         */
        if (last && !later_commit_behind(s, 0))
            return 0;
        *note = head_note(disk, s->number);
        return ERR_VERSION;
    }
    size_t at = SEGMENT_HEAD;
    while (at < s->len) {
        size_t length = record_at(s, at, RECORD_VERSION);
        if (!length)
            break;
        int err = fn(arg, bytes_of(s->data + at + RECORD_HEAD, length - RECORD_HEAD));
        if (err) {
            *note =
                format_text("%s: segment %" PRIu64 ": the record at offset %zu cannot be used (%s); " ADVICE,
                            disk->where, s->number, at, err_text(err));
            return err;
        }
        at += length;
    }
    *end = at;
    if (at == s->len)
        return 0;
    if (segment_is_copy(s->number)) {
        *end = s->len; /* log_list has found it complete: what is left is its end record */
        return 0;
    }
    if (last && !later_commit_behind(s, at))
        return 0;
    *note = broken_note(disk, s, at);
    return ERR_CHECKSUM;
}

int log_read_segment(struct disk *disk, uint64_t number, bool last, log_record_fn *fn, void *arg, size_t *len,
                     size_t *end, char **note)
{
    uint8_t *data = NULL;
    *len = *end = 0;
    int err = disk->read(disk->self, number, &data, len);
    if (err) {
        *note = log_disk_note(disk, number, "reading", err);
        return err;
    }
    struct segment_bytes s = {.number = number, .data = data, .len = *len};
    err = read_records(disk, &s, last && !segment_is_copy(number), fn, arg, end, note);
    free(data);
    return err;
}

/* ---- which segments count ---- */

/* A copy is complete if all its records are whole and the last one counts the others. *at: where that ends.
 */
static bool copy_complete(const struct segment_bytes *s, size_t *at)
{
    *at = 0;
    if (!segment_head_ok(s))
        return false;
    uint64_t records = 0;
    size_t length;
    for (*at = SEGMENT_HEAD; *at < s->len && (length = record_at(s, *at, RECORD_VERSION)); *at += length)
        records++;
    return *at < s->len && record_at(s, *at, RECORD_END) == s->len - *at && s->len - *at == RECORD_HEAD + 8 &&
           log_get_u64(s->data + *at + RECORD_HEAD) == records;
}

static int check_copy(struct disk *disk, uint64_t number, bool has_originals, bool *complete, char **note)
{
    struct segment_bytes s = {.number = number};
    uint8_t *data = NULL;
    size_t at;
    int err = disk->read(disk->self, number, &data, &s.len);
    if (err) {
        *note = log_disk_note(disk, number, "reading", err);
        return err;
    }
    s.data = data;
    *complete = copy_complete(&s, &at);
    free(data);
    if (*complete || has_originals)
        return 0;
    *note = broken_note(disk, &s, at); /* its originals were removed because it was complete: it has rotted */
    return ERR_CHECKSUM;
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

/* log_compact.c: the copy of closed segments without what is void. The rule: until the copy is complete and
 * synced nothing is removed, so that at every moment the log holds all that is needed. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "store/log_private.h"

/* what is gathered before it is given to the disk */
#define WRITE_BYTES (1u << 20)

enum pass { PASS_LOOK, PASS_FIRST, PASS_REST };

struct copy {
    struct disk *disk;
    const struct log_sieve *sieve;
    enum pass pass;
    uint64_t index;  /* of the record that comes next */
    uint64_t number; /* of the segment that is made */
    uint64_t records, bytes;
    struct text out;
    const char *doing; /* what failed */
    int err;
};

static void write_out(struct copy *c)
{
    c->doing = "writing a copy";
    c->err = c->disk->append(c->disk->self, c->number, c->out.s, c->out.len);
    c->bytes += c->out.len;
    text_clear(&c->out);
}

static void add(struct copy *c, struct bytes data, uint8_t version)
{
    static const uint8_t head[RECORD_HEAD];
    size_t at = c->out.len;
    text_add_bytes(&c->out, head, sizeof(head));
    text_add_bytes(&c->out, data.data, data.len);
    record_head_put((uint8_t *)c->out.s + at, c->number, data.len, 0, version);
    if (c->out.len >= WRITE_BYTES)
        write_out(c);
}

static int one_record(void *arg, struct bytes record)
{
    struct copy *c = arg;
    uint64_t index = c->index++;
    if (c->pass == PASS_LOOK)
        return c->sieve->look(c->sieve->self, index, record);
    int keep = c->sieve->keep(c->sieve->self, c->pass == PASS_FIRST, index, record);
    if (keep < 0)
        return keep;
    if (keep) {
        c->records++;
        add(c, record, RECORD_VERSION);
    }
    return c->err;
}

static int read_all(struct copy *c, enum pass pass, const uint64_t *numbers, size_t len, char **note)
{
    c->pass = pass;
    c->index = 0;
    for (size_t i = 0; i < len; i++) {
        size_t size, end;
        int err = log_read_segment(c->disk, numbers[i], false, one_record, c, &size, &end, note);
        if (err)
            return err;
    }
    return 0;
}

static int make_copy(struct copy *c, const uint64_t *numbers, size_t len, char **note)
{
    uint8_t head[SEGMENT_HEAD], count[8];
    int err = read_all(c, PASS_LOOK, numbers, len, note);
    if (err)
        return err;
    segment_head_put(head, c->number);
    text_add_bytes(&c->out, head, sizeof(head));
    err = read_all(c, PASS_FIRST, numbers, len, note);
    if (!err)
        err = read_all(c, PASS_REST, numbers, len, note);
    if (err)
        return err;
    log_put_u64(count, c->records);
    add(c, bytes_of(count, sizeof(count)), RECORD_END);
    if (!c->err && c->out.len)
        write_out(c);
    if (!c->err) {
        c->doing = "syncing a copy";
        c->err = c->disk->sync(c->disk->self, c->number);
    }
    return c->err;
}

int log_compact(struct disk *disk, uint64_t last, const struct log_sieve *sieve, uint64_t *bytes, char **note)
{
    uint64_t *numbers;
    size_t len;
    *note = NULL;
    ASSERT(!segment_is_copy(last));
    int err = log_list(disk, false, &numbers, &len, note);
    while (len && numbers[len - 1] > last)
        len--;
    if (err || len == 0) {
        free(numbers);
        return err ? err : ERR_NOT_FOUND;
    }
    struct copy c = {.disk = disk, .sieve = sieve, .number = last + 1};
    err = make_copy(&c, numbers, len, note);
    if (err) {
        if (c.err) { /* it was the copy, not the segments it is made of */
            free(*note);
            *note = log_disk_note(disk, c.number, c.doing, c.err);
        }
        if (c.bytes)
            disk->drop(disk->self, c.number, 0); /* if that fails, too, the next log_open does it */
    }
    for (size_t i = 0; i < len && !err; i++) {
        err = disk->drop(disk->self, numbers[i], 0);
        if (err)
            *note = log_disk_note(disk, numbers[i], "removing", err);
    }
    *bytes = c.bytes;
    text_finish(&c.out);
    free(numbers);
    return err;
}

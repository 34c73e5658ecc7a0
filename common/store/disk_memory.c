/* disk_memory.c: a disk that is a table in memory. It lives as long as whoever made it: a node whose log is
 * here finds it again after stop_app and start_app, and has lost it after a kill. */
#include <stdlib.h>

#include "base/err.h"
#include "base/vec.h"
#include "store/log.h"

struct memory_segment {
    uint64_t number;
    struct text data;
};

struct disk_memory {
    struct disk disk;
    VEC(struct memory_segment) segments; /* rising */
};

static struct memory_segment *find(struct disk_memory *d, uint64_t number)
{
    for (size_t i = d->segments.len; i-- > 0;)
        if (d->segments.items[i].number == number)
            return &d->segments.items[i];
    return NULL;
}

static int memory_list(void *self, uint64_t **numbers, size_t *len)
{
    struct disk_memory *d = self;
    *numbers = xcalloc(d->segments.len, sizeof(**numbers));
    *len = d->segments.len;
    for (size_t i = 0; i < d->segments.len; i++)
        (*numbers)[i] = d->segments.items[i].number;
    return 0;
}

static int memory_read(void *self, uint64_t number, uint64_t from, size_t most, uint8_t **data, size_t *len)
{
    struct memory_segment *s = find(self, number);
    if (!s)
        return ERR_NOT_FOUND;
    *len = s->data.len > from ? (size_t)u64_min(s->data.len - from, most) : 0;
    *data = xmalloc(*len);
    if (*len)
        memcpy(*data, s->data.s + from, *len);
    return 0;
}

static int memory_append(void *self, uint64_t number, const void *data, size_t len)
{
    struct disk_memory *d = self;
    struct memory_segment *s = find(d, number);
    if (!s) {
        size_t at = d->segments.len;
        VEC_PUSH(&d->segments, (struct memory_segment){.number = number});
        for (; at > 0 && d->segments.items[at - 1].number > number; at--) {
            d->segments.items[at] = d->segments.items[at - 1];
            d->segments.items[at - 1] = (struct memory_segment){.number = number};
        }
        s = &d->segments.items[at];
    }
    text_add_bytes(&s->data, data, len);
    return 0;
}

static int memory_sync(void *self, uint64_t number)
{
    return find(self, number) ? 0 : ERR_NOT_FOUND;
}

static int memory_drop(void *self, uint64_t number, uint64_t keep_bytes)
{
    struct disk_memory *d = self;
    struct memory_segment *s = find(d, number);
    if (!s)
        return ERR_NOT_FOUND;
    if (keep_bytes) {
        s->data.len = (size_t)u64_min(s->data.len, keep_bytes);
        return 0;
    }
    text_finish(&s->data);
    VEC_REMOVE(&d->segments, (size_t)(s - d->segments.items));
    return 0;
}

struct disk *disk_memory_create(void)
{
    struct disk_memory *d = xcalloc(1, sizeof(*d));
    d->disk = (struct disk){
        .self = d,
        .where = "the log in memory",
        .list = memory_list,
        .read = memory_read,
        .append = memory_append,
        .sync = memory_sync,
        .drop = memory_drop,
    };
    return &d->disk;
}

void disk_memory_destroy(struct disk *disk)
{
    if (!disk)
        return;
    struct disk_memory *d = disk->self;
    for (size_t i = 0; i < d->segments.len; i++)
        text_finish(&d->segments.items[i].data);
    VEC_FREE(&d->segments);
    free(d);
}

/* heap.c: a binary heap of happenings. */
#include "sim/heap.h"

static bool before(const struct happening *a, const struct happening *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->sequence < b->sequence;
}

void heap_push(struct heap *h, uint64_t at_us, enum happening_type type, uint32_t a, uint32_t b,
               uint64_t serial)
{
    struct happening new = {at_us, h->sequence++, type, a, b, serial};
    h->count[type]++;
    VEC_PUSH(&h->items, new);
    size_t i = h->items.len - 1;
    while (i > 0 && before(&new, &h->items.items[(i - 1) / 2])) {
        h->items.items[i] = h->items.items[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->items.items[i] = new;
}

bool heap_pop(struct heap *h, struct happening *out)
{
    if (h->items.len == 0)
        return false;
    *out = h->items.items[0];
    h->count[out->type]--;
    struct happening last = h->items.items[--h->items.len];
    size_t i = 0, len = h->items.len;
    while (2 * i + 1 < len) {
        size_t child = 2 * i + 1;
        if (child + 1 < len && before(&h->items.items[child + 1], &h->items.items[child]))
            child++;
        if (!before(&h->items.items[child], &last))
            break;
        h->items.items[i] = h->items.items[child];
        i = child;
    }
    if (len > 0)
        h->items.items[i] = last;
    return true;
}

const struct happening *heap_peek(const struct heap *h)
{
    return h->items.len > 0 ? &h->items.items[0] : NULL;
}

void heap_finish(struct heap *h)
{
    VEC_FREE(&h->items);
}

/* unacked.c: deliveries that a client has not settled. Tags only rise, so they stand in order in one array:
 * the oldest is at its head, a tag is found where its distance from the head says unless some in between are
 * gone, and then by halving. Settled ones leave holes, which are closed when they are the larger part. */
#include "broker/private.h"

#include "base/ban.h"

static void close_holes(struct unacked *u)
{
    size_t kept = 0;
    for (size_t i = u->head; i < u->len; i++)
        if (u->items[i].live)
            u->items[kept++] = u->items[i];
    u->head = 0;
    u->len = kept;
}

void unacked_add(struct unacked *u, struct unacked_item item)
{
    if (u->len == u->cap && u->live * 2 <= u->len)
        close_holes(u);
    item.live = true;
    VEC_PUSH(u, item);
    u->live++;
    if (item.sub)
        u->live_delivered++;
}

struct unacked_item *unacked_first(struct unacked *u)
{
    while (u->head < u->len && !u->items[u->head].live)
        u->head++;
    if (u->head == u->len) {
        u->head = u->len = 0;
        return NULL;
    }
    return &u->items[u->head];
}

struct unacked_item *unacked_find(struct unacked *u, uint64_t tag)
{
    struct unacked_item *first = unacked_first(u);
    if (!first || tag < first->tag)
        return NULL;
    uint64_t distance = tag - first->tag;
    size_t low = u->head, high = u->len;
    if (distance < high - low && u->items[low + distance].tag == tag)
        low += distance; /* nothing in between is gone */
    else
        while (high - low > 1) {
            size_t middle = low + (high - low) / 2;
            if (u->items[middle].tag <= tag)
                low = middle;
            else
                high = middle;
        }
    struct unacked_item *item = &u->items[low];
    return item->tag == tag && item->live ? item : NULL;
}

void unacked_remove(struct unacked *u, struct unacked_item *item)
{
    item->live = false;
    u->live--;
    if (item->sub)
        u->live_delivered--;
}

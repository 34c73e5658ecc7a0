/* ring.h: a first-in first-out queue of any type as a growing ring; push and pop are O(1). */
#ifndef MIRROR_RING_H
#define MIRROR_RING_H

#include <stdlib.h>

#include "base/base.h"

#define RING(type)                                                                                           \
    struct {                                                                                                 \
        type *items;                                                                                         \
        size_t head, len, cap; /* cap is a power of two */                                                   \
    }

#define RING_AT(r, i) ((r)->items[((r)->head + (i)) & ((r)->cap - 1)])

#define RING_PUSH(r, ...)                                                                                    \
    do {                                                                                                     \
        if ((r)->len == (r)->cap) {                                                                          \
            size_t ring_cap_ = (r)->cap ? (r)->cap * 2 : 8;                                                  \
            void *ring_new_ = xmalloc(ring_cap_ * sizeof(*(r)->items));                                      \
            size_t ring_first_ = (r)->cap - (r)->head < (r)->len ? (r)->cap - (r)->head : (r)->len;          \
            if ((r)->len) {                                                                                  \
                memcpy(ring_new_, (r)->items + (r)->head, ring_first_ * sizeof(*(r)->items));                \
                memcpy((char *)ring_new_ + ring_first_ * sizeof(*(r)->items), (r)->items,                    \
                       ((r)->len - ring_first_) * sizeof(*(r)->items));                                      \
            }                                                                                                \
            free((r)->items);                                                                                \
            (r)->items = ring_new_;                                                                          \
            (r)->cap = ring_cap_;                                                                            \
            (r)->head = 0;                                                                                   \
        }                                                                                                    \
        (r)->items[((r)->head + (r)->len++) & ((r)->cap - 1)] = (__VA_ARGS__);                               \
    } while (0)

/* drops the first item; give the memory of a burst back once it is empty */
#define RING_POP(r)                                                                                          \
    do {                                                                                                     \
        (r)->head = ((r)->head + 1) & ((r)->cap - 1);                                                        \
        if (--(r)->len == 0 && (r)->cap > 1024)                                                              \
            RING_FREE(r);                                                                                    \
    } while (0)

#define RING_FREE(r)                                                                                         \
    do {                                                                                                     \
        free((r)->items);                                                                                    \
        (r)->items = NULL;                                                                                   \
        (r)->head = (r)->len = (r)->cap = 0;                                                                 \
    } while (0)

#endif

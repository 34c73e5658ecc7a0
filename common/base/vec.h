/* vec.h: a growable array of any type, as three fields and a few macros.
 *
 *     struct { int *items; size_t len, cap; } numbers = {0};
 *     VEC_PUSH(&numbers, 7);
 *     VEC_FREE(&numbers);
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/base.h"

#define VEC(type)                                                                                            \
    struct {                                                                                                 \
        type *items;                                                                                         \
        size_t len, cap;                                                                                     \
    }

#define VEC_RESERVE(v, want)                                                                                 \
    do {                                                                                                     \
        if ((v)->cap < (want)) {                                                                             \
            size_t vec_cap_ = (v)->cap ? (v)->cap * 2 : 8;                                                   \
            while (vec_cap_ < (want))                                                                        \
                vec_cap_ *= 2;                                                                               \
            (v)->items = xrealloc((v)->items, vec_cap_ * sizeof(*(v)->items));                               \
            (v)->cap = vec_cap_;                                                                             \
        }                                                                                                    \
    } while (0)

#define VEC_PUSH(v, ...)                                                                                     \
    do {                                                                                                     \
        VEC_RESERVE(v, (v)->len + 1);                                                                        \
        (v)->items[(v)->len++] = (__VA_ARGS__);                                                              \
    } while (0)

/* removes item i, keeps the order of the rest */
#define VEC_REMOVE(v, i)                                                                                     \
    do {                                                                                                     \
        size_t vec_i_ = (i);                                                                                 \
        memmove(&(v)->items[vec_i_], &(v)->items[vec_i_ + 1],                                                \
                ((v)->len - vec_i_ - 1) * sizeof(*(v)->items));                                              \
        (v)->len--;                                                                                          \
    } while (0)

#define VEC_FREE(v)                                                                                          \
    do {                                                                                                     \
        free((v)->items);                                                                                    \
        (v)->items = NULL;                                                                                   \
        (v)->len = (v)->cap = 0;                                                                             \
    } while (0)

#include <stdlib.h>

#endif

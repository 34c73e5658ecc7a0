/* heap.h: what is going to happen in the simulated world, ordered by (time, sequence). Two things at the same
 * microsecond happen in the order they were planned, so a run depends on nothing but its seed. */
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include "base/base.h"
#include "base/vec.h"

enum happening_type {
    HAPPEN_LINK,     /* the head of the link a -> b arrives; serial says which item */
    HAPPEN_DISK,     /* a sync of node a's disk completes; serial: its life */
    HAPPEN_TURN_END, /* node a has nothing more to do right now; serial: its life */
    HAPPEN_TICK,     /* node a's deadline; serial: its life */
    HAPPEN_BOOT,     /* node a starts; serial: lives it had before */
    HAPPEN_CLIENT,   /* client a wakes up; serial: which of its timers */
    HAPPEN_SILENCE,  /* node b has heard nothing from node a for too long; serial: of the cut */
    HAPPEN_CONNECT,  /* nodes a and b try to connect again */
    HAPPEN_UNCLOG,   /* the link a -> b moves again; serial: of the clog */
    HAPPEN_COUNT_
};

struct happening {
    uint64_t at_us, sequence;
    enum happening_type type;
    uint32_t a, b;
    uint64_t serial;
};

struct heap {
    VEC(struct happening) items;
    uint64_t sequence;
    size_t count[HAPPEN_COUNT_]; /* waiting, by type: to know when only ticks are left */
};

void heap_push(struct heap *h, uint64_t at_us, enum happening_type type, uint32_t a, uint32_t b,
               uint64_t serial);
bool heap_pop(struct heap *h, struct happening *out);    /* false: empty */
const struct happening *heap_peek(const struct heap *h); /* NULL: empty */
void heap_finish(struct heap *h);

#endif

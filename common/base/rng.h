/* rng.h: random numbers from a seed that was handed in; the same seed gives the same numbers for ever. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include "base/base.h"

struct rng {
    uint64_t state;
};

static inline void rng_init(struct rng *r, uint64_t seed)
{
    r->state = seed;
}

/* splitmix64: a counter passed through a mixing function; passes the usual batteries, needs one word */
static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/* 0 .. n-1; n > 0. The bias of the modulo is below 2^-32 for any n used here. */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
    ASSERT(n > 0);
    return rng_next(r) % n;
}

static inline bool rng_chance(struct rng *r, unsigned percent)
{
    return rng_below(r, 100) < percent;
}

#endif

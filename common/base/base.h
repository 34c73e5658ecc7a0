/* base.h: what every layer shares: allocation, slices, time as a number, and the helpers that need no state.
 *
 * Time is always handed in: a ms_time is milliseconds on whatever clock the driver uses. Nothing here, and
 * nothing in the pure layers, reads a clock. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t ms_time;

#define ARRAY_LEN(a)                    (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline uint64_t u64_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}
static inline uint64_t u64_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Allocation that does not fail: a node that cannot get memory stops with a message that says how much it
 * wanted. What may grow is bounded by limits.h, so this is the end of the machine, not of a queue. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len); /* copies len bytes, adds a NUL */

/* Stops the process with file, line and the broken promise. Used by ASSERT, which stays on in every build:
 * a broker that has lost its invariants must not go on confirming messages. */
_Noreturn void assert_failed(const char *file, int line, const char *what);
#define ASSERT(cond) ((cond) ? (void)0 : assert_failed(__FILE__, __LINE__, #cond))

/* A borrowed run of bytes; never freed through this. */
struct bytes {
    const uint8_t *data;
    size_t len;
};

static inline struct bytes bytes_of(const void *data, size_t len)
{
    return (struct bytes){.data = (const uint8_t *)data, .len = len};
}
static inline struct bytes bytes_str(const char *s)
{
    return bytes_of(s, s ? strlen(s) : 0);
}
bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_is(struct bytes a, const char *s);

#endif

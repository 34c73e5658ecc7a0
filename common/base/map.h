/* map.h: a hash table from byte strings or numbers to pointers. It owns copies of its keys, not its values.
 * Iteration order is insertion order as long as nothing was removed in between, and always the same for the
 * same history of calls: the simulator replays runs byte for byte. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/base.h"

struct map_entry {
    uint64_t hash;
    void *value; /* NULL: removed */
    size_t key_len;
    union {
        uint64_t number;
        char *text;
    } key;
};

struct map {
    struct map_entry *entries; /* in order of insertion, holes where something was removed */
    size_t entries_len, entries_cap;
    uint32_t *slots; /* index into entries + 1; 0 free, UINT32_MAX removed */
    size_t slots_len;
    size_t count;
};

void map_init(struct map *m);
void map_finish(struct map *m);

/* set returns the value it replaces, or NULL; value must not be NULL. get and remove return NULL if absent.
 */
void *map_set(struct map *m, struct bytes key, void *value);
void *map_get(const struct map *m, struct bytes key);
void *map_remove(struct map *m, struct bytes key);

void *map_set_u64(struct map *m, uint64_t key, void *value);
void *map_get_u64(const struct map *m, uint64_t key);
void *map_remove_u64(struct map *m, uint64_t key);

static inline void *map_get_str(const struct map *m, const char *key)
{
    return map_get(m, bytes_str(key));
}

/* Walks the values: size_t at = 0; while ((v = map_next(m, &at))) ...; removing the current one is allowed,
 * adding is not. */
void *map_next(const struct map *m, size_t *at);

#endif

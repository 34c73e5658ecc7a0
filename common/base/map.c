/* map.c: open addressing over an array of entries kept in order of insertion. */
#include "base/map.h"

#include <stdlib.h>

#include "base/ban.h"

#define SLOT_FREE    0u
#define SLOT_REMOVED UINT32_MAX

void map_init(struct map *m)
{
    *m = (struct map){0};
}

static bool holds_text(const struct map_entry *e)
{
    return e->key_len != SIZE_MAX;
}

void map_finish(struct map *m)
{
    for (size_t i = 0; i < m->entries_len; i++)
        if (m->entries[i].value && holds_text(&m->entries[i]))
            free(m->entries[i].key.text);
    free(m->entries);
    free(m->slots);
    *m = (struct map){0};
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ (x >> 33);
}

static uint64_t hash_text(struct bytes key)
{
    uint64_t h = 0xcbf29ce484222325ULL;
    for (size_t i = 0; i < key.len; i++)
        h = (h ^ key.data[i]) * 0x100000001b3ULL;
    return mix(h);
}

static bool same_key(const struct map_entry *e, uint64_t hash, const struct bytes *text, uint64_t number)
{
    if (!e->value || e->hash != hash)
        return false;
    if (!text)
        return !holds_text(e) && e->key.number == number;
    return holds_text(e) && bytes_equal(bytes_of(e->key.text, e->key_len), *text);
}

/* the slot that holds the key, or SIZE_MAX */
static size_t find(const struct map *m, uint64_t hash, const struct bytes *text, uint64_t number)
{
    if (m->slots_len == 0)
        return SIZE_MAX;
    size_t mask = m->slots_len - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t s = m->slots[i];
        if (s == SLOT_FREE)
            return SIZE_MAX;
        if (s != SLOT_REMOVED && same_key(&m->entries[s - 1], hash, text, number))
            return i;
    }
}

static void insert_slot(struct map *m, uint64_t hash, size_t entry)
{
    size_t mask = m->slots_len - 1;
    size_t i = hash & mask;
    while (m->slots[i] != SLOT_FREE)
        i = (i + 1) & mask;
    m->slots[i] = (uint32_t)(entry + 1);
}

/* drops the holes and makes room for twice what is there */
static void rebuild(struct map *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->entries_len; i++)
        if (m->entries[i].value)
            m->entries[kept++] = m->entries[i];
    m->entries_len = kept;
    size_t want = 16;
    while (want < kept * 4)
        want *= 2;
    free(m->slots);
    m->slots = xcalloc(want, sizeof(*m->slots));
    m->slots_len = want;
    for (size_t i = 0; i < kept; i++)
        insert_slot(m, m->entries[i].hash, i);
}

static void *set(struct map *m, uint64_t hash, const struct bytes *text, uint64_t number, void *value)
{
    ASSERT(value);
    size_t slot = find(m, hash, text, number);
    if (slot != SIZE_MAX) {
        struct map_entry *e = &m->entries[m->slots[slot] - 1];
        void *old = e->value;
        e->value = value;
        return old;
    }
    if ((m->entries_len + 1) * 2 > m->slots_len)
        rebuild(m);
    if (m->entries_len == m->entries_cap) {
        m->entries_cap = m->entries_cap ? m->entries_cap * 2 : 8;
        m->entries = xrealloc(m->entries, m->entries_cap * sizeof(*m->entries));
    }
    struct map_entry *e = &m->entries[m->entries_len];
    *e = (struct map_entry){.hash = hash, .value = value};
    if (text) {
        e->key_len = text->len;
        e->key.text = xstrndup((const char *)text->data, text->len);
    } else {
        e->key_len = SIZE_MAX;
        e->key.number = number;
    }
    insert_slot(m, hash, m->entries_len++);
    m->count++;
    return NULL;
}

static void *get(const struct map *m, uint64_t hash, const struct bytes *text, uint64_t number)
{
    size_t slot = find(m, hash, text, number);
    return slot == SIZE_MAX ? NULL : m->entries[m->slots[slot] - 1].value;
}

static void *remove_key(struct map *m, uint64_t hash, const struct bytes *text, uint64_t number)
{
    size_t slot = find(m, hash, text, number);
    if (slot == SIZE_MAX)
        return NULL;
    struct map_entry *e = &m->entries[m->slots[slot] - 1];
    void *old = e->value;
    if (holds_text(e))
        free(e->key.text);
    e->value = NULL;
    m->slots[slot] = SLOT_REMOVED;
    m->count--;
    return old;
}

void *map_set(struct map *m, struct bytes key, void *value)
{
    return set(m, hash_text(key), &key, 0, value);
}

void *map_get(const struct map *m, struct bytes key)
{
    return get(m, hash_text(key), &key, 0);
}

void *map_remove(struct map *m, struct bytes key)
{
    return remove_key(m, hash_text(key), &key, 0);
}

void *map_set_u64(struct map *m, uint64_t key, void *value)
{
    return set(m, mix(key + 1), NULL, key, value);
}

void *map_get_u64(const struct map *m, uint64_t key)
{
    return get(m, mix(key + 1), NULL, key);
}

void *map_remove_u64(struct map *m, uint64_t key)
{
    return remove_key(m, mix(key + 1), NULL, key);
}

void *map_next(const struct map *m, size_t *at)
{
    while (*at < m->entries_len) {
        void *value = m->entries[(*at)++].value;
        if (value)
            return value;
    }
    return NULL;
}

/* log_bytes.c: segments and records as bytes; the drawing is in log.h. */
#include <xxhash.h>

#include "base/limits.h"
#include "store/log_private.h"

static const char MAGIC[8] = {'m', 'l', 'a', 'b', '-', 'l', 'o', 'g'};

static void put_u32(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void log_put_u64(uint8_t *at, uint64_t v)
{
    put_u32(at, (uint32_t)(v >> 32));
    put_u32(at + 4, (uint32_t)v);
}

uint64_t log_get_u64(const uint8_t *at)
{
    return (uint64_t)get_u32(at) << 32 | get_u32(at + 4);
}

void segment_head_put(uint8_t head[SEGMENT_HEAD], uint64_t number)
{
    memcpy(head, MAGIC, sizeof(MAGIC));
    put_u32(head + 8, SEGMENT_VERSION);
    log_put_u64(head + 12, number);
}

bool segment_head_ok(const struct segment_bytes *s)
{
    return s->len >= SEGMENT_HEAD && memcmp(s->data, MAGIC, sizeof(MAGIC)) == 0 &&
           get_u32(s->data + 8) == SEGMENT_VERSION && log_get_u64(s->data + 12) == s->number;
}

void record_head_put(uint8_t *head, uint64_t segment, size_t length, uint32_t commit, uint8_t version)
{
    ASSERT(length <= LIMIT_PEER_FRAME);
    memset(head, 0, RECORD_HEAD);
    put_u32(head + 8, (uint32_t)length);
    put_u32(head + 12, commit);
    head[16] = version;
    log_put_u64(head, XXH3_64bits_withSeed(head + 8, RECORD_HEAD - 8 + length, segment));
}

size_t record_at(const struct segment_bytes *s, size_t at, uint8_t version)
{
    if (segment_end(s) - at < RECORD_HEAD)
        return 0;
    const uint8_t *head = segment_at(s, at);
    if (head[16] != version || head[17] || head[18] || head[19])
        return 0;
    uint32_t length = get_u32(head + 8);
    if (length > LIMIT_PEER_FRAME || length > segment_end(s) - at - RECORD_HEAD)
        return 0;
    uint64_t sum = XXH3_64bits_withSeed(head + 8, RECORD_HEAD - 8 + (size_t)length, s->number);
    return sum == log_get_u64(head) ? RECORD_HEAD + (size_t)length : 0;
}

uint32_t record_commit(const struct segment_bytes *s, size_t at)
{
    return get_u32(segment_at(s, at) + 12);
}

/* content.c: the messages one replica holds of one queue. */
#include "mirror/content.h"

#include <stdlib.h>

#include "base/ban.h"

struct chunk {
    uint32_t used;
    uint32_t unacked; /* of those */
    struct slot slots[CHUNK_SLOTS];
};

struct block {
    uint32_t used;
    struct chunk *chunks[BLOCK_CHUNKS];
};

#define BLOCK_IDS ((uint64_t)BLOCK_CHUNKS * CHUNK_SLOTS)

/* a heap that has become so short gives memory back */
#define HEAP_KEEP 1024

void content_init(struct content *c, msg_id next)
{
    *c = (struct content){.head = next, .next = next, .oldest_hint = next};
}

void content_finish(struct content *c)
{
    msg_id at = 0;
    struct slot *s;
    while ((s = content_walk(c, &at)))
        message_unref(s->msg);
    for (size_t i = c->blocks_off; i < c->blocks_off + c->blocks_len; i++) {
        for (size_t k = 0; c->blocks[i] && k < BLOCK_CHUNKS; k++)
            free(c->blocks[i]->chunks[k]);
        free(c->blocks[i]);
    }
    free(c->blocks);
    free(c->heap.ids);
    for (uint32_t i = 0; c->levels && i <= c->max_priority; i++)
        free(c->levels[i].ids);
    free(c->levels);
    *c = (struct content){0};
}

void content_prioritise(struct content *c, uint32_t max_priority)
{
    ASSERT(content_depth(c) == 0 && !c->levels);
    c->max_priority = max_priority;
    if (max_priority)
        c->levels = xcalloc((size_t)max_priority + 1, sizeof(*c->levels));
}

void content_reset(struct content *c, msg_id next)
{
    uint32_t max_priority = c->max_priority;
    content_finish(c);
    content_init(c, next);
    content_prioritise(c, max_priority);
}

static struct block **block_at(const struct content *c, uint64_t number)
{
    if (number < c->first_block || number - c->first_block >= c->blocks_len)
        return NULL;
    return &c->blocks[c->blocks_off + (number - c->first_block)];
}

/* where this id's chunk stands in its block */
static size_t chunk_in_block(msg_id id)
{
    return id / CHUNK_SLOTS % BLOCK_CHUNKS;
}

static struct chunk *chunk_of(const struct content *c, msg_id id)
{
    struct block **block = block_at(c, id / BLOCK_IDS);
    return block && *block ? (*block)->chunks[chunk_in_block(id)] : NULL;
}

struct slot *content_find(const struct content *c, msg_id id)
{
    struct chunk *chunk = chunk_of(c, id);
    struct slot *s = chunk ? &chunk->slots[id % CHUNK_SLOTS] : NULL;
    return s && s->state != SLOT_GONE ? s : NULL;
}

/* makes the directory cover this block number */
static void cover(struct content *c, uint64_t number)
{
    if (c->blocks_len == 0)
        c->first_block = number;
    size_t before = number < c->first_block ? (size_t)(c->first_block - number) : 0;
    size_t want = before + (number >= c->first_block + c->blocks_len ? (size_t)(number - c->first_block) + 1
                                                                     : c->blocks_len);
    if (want == c->blocks_len)
        return;
    if (before || c->blocks_off + want > c->blocks_cap) {
        size_t cap = 4;
        while (cap < want + want / 2)
            cap *= 2;
        struct block **fresh = xcalloc(cap, sizeof(struct block *));
        if (c->blocks_len)
            memcpy(fresh + before, c->blocks + c->blocks_off, c->blocks_len * sizeof(struct block *));
        free(c->blocks);
        c->blocks = fresh;
        c->blocks_cap = cap;
        c->blocks_off = 0;
        c->first_block -= before;
    } else {
        for (size_t i = c->blocks_len; i < want; i++)
            c->blocks[c->blocks_off + i] = NULL;
    }
    c->blocks_len = want;
}

static struct chunk *chunk_make(struct content *c, msg_id id)
{
    cover(c, id / BLOCK_IDS);
    struct block **block = block_at(c, id / BLOCK_IDS);
    if (!*block)
        *block = xcalloc(1, sizeof(**block));
    struct chunk **chunk = &(*block)->chunks[chunk_in_block(id)];
    if (!*chunk) {
        *chunk = xcalloc(1, sizeof(**chunk));
        (*block)->used++;
    }
    return *chunk;
}

static void heap_push(struct id_heap *h, msg_id id)
{
    if (h->len == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 16;
        h->ids = xrealloc(h->ids, h->cap * sizeof(*h->ids));
    }
    size_t i = h->len++;
    while (i > 0 && h->ids[(i - 1) / 2] > id) {
        h->ids[i] = h->ids[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->ids[i] = id;
}

/* a burst's memory goes: half of it when a quarter is used */
static void heap_shrink(struct id_heap *h)
{
    if (h->cap <= HEAP_KEEP || h->len > h->cap / 4)
        return;
    h->cap = h->len ? h->cap / 2 : HEAP_KEEP;
    h->ids = xrealloc(h->ids, h->cap * sizeof(*h->ids));
}

static void heap_pop(struct id_heap *h)
{
    msg_id last = h->ids[--h->len];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->len)
            break;
        if (child + 1 < h->len && h->ids[child + 1] < h->ids[child])
            child++;
        if (h->ids[child] >= last)
            break;
        h->ids[i] = h->ids[child];
        i = child;
    }
    if (h->len)
        h->ids[i] = last;
    heap_shrink(h);
}

static bool is_ready(const struct content *c, msg_id id)
{
    const struct slot *s = content_find(c, id);
    return s && s->state == SLOT_READY;
}

/* the smallest id that is ready; what was taken or removed meanwhile goes */
static bool heap_first(const struct content *c, struct id_heap *h, msg_id *id)
{
    while (h->len && !is_ready(c, h->ids[0]))
        heap_pop(h);
    if (h->len)
        *id = h->ids[0];
    return h->len > 0;
}

/* where a ready message of this id waits, if not in its place from head on */
static struct id_heap *heap_of(struct content *c, const struct message *msg)
{
    if (!c->levels)
        return &c->heap;
    return &c->levels[msg->priority > c->max_priority ? c->max_priority : msg->priority];
}

static void now_ready(struct content *c, const struct slot *s, msg_id id)
{
    if (c->levels || id < c->head)
        heap_push(heap_of(c, s->msg), id);
}

/* it is the front of its heap, most of the time */
static void not_ready(struct content *c, struct id_heap *h)
{
    msg_id id;
    heap_first(c, h, &id);
    if (c->ready == 0 && !c->levels) {
        h->len = 0;
        heap_shrink(h);
    }
}

static void count(struct content *c, const struct slot *s, int by)
{
    uint64_t bytes = s->msg->body_len;
    uint64_t n = (uint64_t)(int64_t)by;
    uint64_t *messages = s->state == SLOT_READY ? &c->ready : &c->unacked;
    uint64_t *total = s->state == SLOT_READY ? &c->bytes_ready : &c->bytes_unacked;
    *messages += n;
    *total += by > 0 ? bytes : (uint64_t)0 - bytes;
    if (s->msg->persistent)
        c->persistent += n;
    if (!s->paged)
        return;
    *(s->state == SLOT_READY ? &c->paged_ready : &c->paged_unacked) += n;
    c->bytes_paged += by > 0 ? bytes : (uint64_t)0 - bytes;
}

struct slot *content_put(struct content *c, msg_id id, struct message *msg, bool unacked, bool redelivered)
{
    struct chunk *chunk = chunk_make(c, id);
    struct slot *s = &chunk->slots[id % CHUNK_SLOTS];
    ASSERT(s->state == SLOT_GONE);
    *s = (struct slot){
        .msg = message_ref(msg),
        .state = unacked ? SLOT_UNACKED : SLOT_READY,
        .redelivered = redelivered,
        .paged = msg->in_region,
        .expiry = UINT64_MAX,
    };
    chunk->used++;
    chunk->unacked += unacked;
    count(c, s, 1);
    if (id >= c->next)
        c->next = id + 1;
    if (id < c->oldest_hint || content_depth(c) == 1)
        c->oldest_hint = id;
    if (!unacked)
        now_ready(c, s, id);
    if (id < c->page_at)
        c->page_at = id;
    return s;
}

bool content_peek(struct content *c, msg_id *id)
{
    if (c->ready == 0)
        return false;
    for (uint32_t i = c->max_priority + 1; c->levels && i > 0; i--)
        if (heap_first(c, &c->levels[i - 1], id))
            return true;
    if (heap_first(c, &c->heap, id))
        return true;
    msg_id at = c->head;
    bool found = content_walk_state(c, SLOT_READY, &at) != NULL;
    c->head = found ? at - 1 : c->next;
    *id = c->head;
    return found;
}

bool content_take(struct content *c, msg_id id)
{
    struct slot *s = content_find(c, id);
    if (!s || s->state != SLOT_READY)
        return false;
    count(c, s, -1);
    s->state = SLOT_UNACKED;
    chunk_of(c, id)->unacked++;
    count(c, s, 1);
    if (c->head == id)
        c->head = id + 1;
    not_ready(c, heap_of(c, s->msg));
    return true;
}

bool content_requeue(struct content *c, msg_id id)
{
    struct slot *s = content_find(c, id);
    if (!s || s->state != SLOT_UNACKED)
        return false;
    count(c, s, -1);
    s->state = SLOT_READY;
    chunk_of(c, id)->unacked--;
    s->redelivered = true;
    s->taker = 0;
    count(c, s, 1);
    now_ready(c, s, id);
    return true;
}

void content_rewind(struct content *c)
{
    if (c->levels)
        return; /* they have every ready id at any time */
    free(c->heap.ids);
    c->heap = (struct id_heap){0};
    c->head = content_oldest(c);
}

/* An empty chunk goes, with its block if that is empty then; so do blocks that are gone at the front. */
static void chunk_drop(struct content *c, msg_id id)
{
    struct block **block = block_at(c, id / BLOCK_IDS);
    free((*block)->chunks[chunk_in_block(id)]);
    (*block)->chunks[chunk_in_block(id)] = NULL;
    if (--(*block)->used > 0)
        return;
    free(*block);
    *block = NULL;
    while (c->blocks_len && !c->blocks[c->blocks_off]) {
        c->blocks_off++;
        c->blocks_len--;
        c->first_block++;
    }
}

bool content_remove(struct content *c, msg_id id)
{
    struct slot *s = content_find(c, id);
    if (!s)
        return false;
    struct id_heap *heap = heap_of(c, s->msg);
    struct chunk *chunk = chunk_of(c, id);
    chunk->unacked -= s->state == SLOT_UNACKED;
    count(c, s, -1);
    message_unref(s->msg);
    *s = (struct slot){0};
    not_ready(c, heap);
    if (--chunk->used == 0)
        chunk_drop(c, id);
    return true;
}

void content_swap(struct content *c, struct slot *s, struct message *copy)
{
    ASSERT(copy->body_len == s->msg->body_len && copy->persistent == s->msg->persistent);
    count(c, s, -1);
    message_unref(s->msg);
    s->msg = copy;
    s->paged = copy->in_region;
    count(c, s, 1);
}

/* The chunk that *at is in, or the next one that is there: then *at is its first id. NULL: there is none. */
static struct chunk *chunk_from(const struct content *c, msg_id *at)
{
    if (*at < c->first_block * BLOCK_IDS)
        *at = c->first_block * BLOCK_IDS;
    while (*at < c->next) {
        struct block **block = block_at(c, *at / BLOCK_IDS);
        if (!block)
            break;
        struct chunk *chunk = *block ? (*block)->chunks[chunk_in_block(*at)] : NULL;
        if (chunk)
            return chunk;
        uint64_t ids = *block ? CHUNK_SLOTS : BLOCK_IDS;
        *at = (*at / ids + 1) * ids;
    }
    return NULL;
}

struct slot *content_walk(const struct content *c, msg_id *at)
{
    struct chunk *chunk;
    while ((chunk = chunk_from(c, at))) {
        do {
            struct slot *s = &chunk->slots[(*at)++ % CHUNK_SLOTS];
            if (s->state != SLOT_GONE)
                return s;
        } while (*at % CHUNK_SLOTS && *at < c->next);
    }
    return NULL;
}

/* how many slots of this state a chunk has */
static uint32_t chunk_count(const struct chunk *chunk, enum slot_state state)
{
    return state == SLOT_UNACKED ? chunk->unacked : chunk->used - chunk->unacked;
}

struct slot *content_walk_state(const struct content *c, enum slot_state state, msg_id *at)
{
    struct chunk *chunk;
    while ((chunk = chunk_from(c, at))) {
        if (chunk_count(chunk, state) == 0) {
            *at = (*at / CHUNK_SLOTS + 1) * CHUNK_SLOTS;
            continue;
        }
        struct slot *s = &chunk->slots[*at % CHUNK_SLOTS];
        (*at)++;
        if (s->state == state)
            return s;
    }
    return NULL;
}

bool content_next_range(const struct content *c, msg_id *at, struct id_range *out)
{
    if (!content_walk(c, at))
        return false;
    out->first = *at - 1;
    for (; *at < c->next; (*at)++) {
        const struct chunk *chunk = chunk_of(c, *at);
        if (!chunk)
            break;
        if (chunk->used == CHUNK_SLOTS) {
            *at |= CHUNK_SLOTS - 1; /* all of it */
            continue;
        }
        if (chunk->slots[*at % CHUNK_SLOTS].state == SLOT_GONE)
            break;
    }
    out->last = *at - 1;
    return true;
}

msg_id content_oldest(struct content *c)
{
    if (content_depth(c) == 0)
        return c->next;
    msg_id at = c->oldest_hint;
    struct slot *s = content_walk(c, &at);
    ASSERT(s);
    c->oldest_hint = at - 1;
    return c->oldest_hint;
}

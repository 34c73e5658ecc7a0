/* content.c: the messages one replica holds of one queue. */
#include "mirror/content.h"

#include <stdlib.h>

#include "base/ban.h"

struct chunk {
    uint32_t used;
    struct slot slots[CHUNK_SLOTS];
};

void content_init(struct content *c, msg_id next)
{
    *c = (struct content){.head = next, .next = next, .oldest_hint = next};
}

void content_finish(struct content *c)
{
    for (size_t i = c->chunks_off; i < c->chunks_off + c->chunks_len; i++) {
        if (!c->chunks[i])
            continue;
        for (size_t s = 0; s < CHUNK_SLOTS; s++)
            message_unref(c->chunks[i]->slots[s].msg);
        free(c->chunks[i]);
    }
    free(c->chunks);
    free(c->heap);
    *c = (struct content){0};
}

static struct chunk **chunk_at(const struct content *c, uint64_t number)
{
    if (number < c->first_chunk || number - c->first_chunk >= c->chunks_len)
        return NULL;
    return &c->chunks[c->chunks_off + (number - c->first_chunk)];
}

struct slot *content_find(const struct content *c, msg_id id)
{
    struct chunk **chunk = chunk_at(c, id / CHUNK_SLOTS);
    if (!chunk || !*chunk)
        return NULL;
    struct slot *s = &(*chunk)->slots[id % CHUNK_SLOTS];
    return s->state == SLOT_GONE ? NULL : s;
}

/* makes the directory cover this chunk number */
static void cover(struct content *c, uint64_t number)
{
    if (c->chunks_len == 0)
        c->first_chunk = number;
    size_t before = number < c->first_chunk ? (size_t)(c->first_chunk - number) : 0;
    size_t want = before + (number >= c->first_chunk + c->chunks_len ? (size_t)(number - c->first_chunk) + 1
                                                                     : c->chunks_len);
    if (want == c->chunks_len)
        return;
    if (before || c->chunks_off + want > c->chunks_cap) {
        size_t cap = 4;
        while (cap < want + want / 2)
            cap *= 2;
        struct chunk **fresh = xcalloc(cap, sizeof(struct chunk *));
        if (c->chunks_len)
            memcpy(fresh + before, c->chunks + c->chunks_off, c->chunks_len * sizeof(struct chunk *));
        free(c->chunks);
        c->chunks = fresh;
        c->chunks_cap = cap;
        c->chunks_off = 0;
        c->first_chunk -= before;
    } else {
        for (size_t i = c->chunks_len; i < want; i++)
            c->chunks[c->chunks_off + i] = NULL;
    }
    c->chunks_len = want;
}

static void heap_push(struct content *c, msg_id id)
{
    if (c->heap_len == c->heap_cap) {
        c->heap_cap = c->heap_cap ? c->heap_cap * 2 : 16;
        c->heap = xrealloc(c->heap, c->heap_cap * sizeof(*c->heap));
    }
    size_t i = c->heap_len++;
    while (i > 0 && c->heap[(i - 1) / 2] > id) {
        c->heap[i] = c->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    c->heap[i] = id;
}

static void heap_pop(struct content *c)
{
    msg_id last = c->heap[--c->heap_len];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= c->heap_len)
            break;
        if (child + 1 < c->heap_len && c->heap[child + 1] < c->heap[child])
            child++;
        if (c->heap[child] >= last)
            break;
        c->heap[i] = c->heap[child];
        i = child;
    }
    if (c->heap_len)
        c->heap[i] = last;
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
}

struct slot *content_put(struct content *c, msg_id id, struct message *msg, bool unacked, bool redelivered)
{
    uint64_t number = id / CHUNK_SLOTS;
    cover(c, number);
    struct chunk **chunk = chunk_at(c, number);
    if (!*chunk)
        *chunk = xcalloc(1, sizeof(**chunk));
    struct slot *s = &(*chunk)->slots[id % CHUNK_SLOTS];
    ASSERT(s->state == SLOT_GONE);
    *s = (struct slot){
        .msg = message_ref(msg),
        .state = unacked ? SLOT_UNACKED : SLOT_READY,
        .redelivered = redelivered,
    };
    (*chunk)->used++;
    count(c, s, 1);
    if (id >= c->next)
        c->next = id + 1;
    if (id < c->oldest_hint || content_depth(c) == 1)
        c->oldest_hint = id;
    if (id < c->head && !unacked)
        heap_push(c, id);
    return s;
}

bool content_peek(struct content *c, msg_id *id)
{
    if (c->ready == 0)
        return false;
    while (c->heap_len) {
        struct slot *s = content_find(c, c->heap[0]);
        if (s && s->state == SLOT_READY) {
            *id = c->heap[0];
            return true;
        }
        heap_pop(c); /* removed meanwhile */
    }
    for (; c->head < c->next; c->head++) {
        struct slot *s = content_find(c, c->head);
        if (s && s->state == SLOT_READY) {
            *id = c->head;
            return true;
        }
    }
    return false;
}

bool content_take(struct content *c, msg_id id)
{
    struct slot *s = content_find(c, id);
    if (!s || s->state != SLOT_READY)
        return false;
    count(c, s, -1);
    s->state = SLOT_UNACKED;
    count(c, s, 1);
    if (c->heap_len && c->heap[0] == id)
        heap_pop(c);
    else if (c->head == id)
        c->head = id + 1;
    return true;
}

bool content_requeue(struct content *c, msg_id id)
{
    struct slot *s = content_find(c, id);
    if (!s || s->state != SLOT_UNACKED)
        return false;
    count(c, s, -1);
    s->state = SLOT_READY;
    s->redelivered = true;
    s->taker = 0;
    count(c, s, 1);
    if (id < c->head)
        heap_push(c, id);
    return true;
}

void content_rewind(struct content *c)
{
    free(c->heap);
    c->heap = NULL;
    c->heap_len = c->heap_cap = 0;
    c->head = content_oldest(c);
}

/* drops empty chunks at the front of the directory */
static void trim(struct content *c)
{
    while (c->chunks_len && !c->chunks[c->chunks_off]) {
        c->chunks_off++;
        c->chunks_len--;
        c->first_chunk++;
    }
}

bool content_remove(struct content *c, msg_id id)
{
    struct slot *s = content_find(c, id);
    if (!s)
        return false;
    count(c, s, -1);
    message_unref(s->msg);
    *s = (struct slot){0};
    if (c->ready == 0)
        c->heap_len = 0;
    else if (c->heap_len && c->heap[0] == id)
        heap_pop(c);
    struct chunk **chunk = chunk_at(c, id / CHUNK_SLOTS);
    if (--(*chunk)->used == 0) {
        free(*chunk);
        *chunk = NULL;
        trim(c);
    }
    return true;
}

struct slot *content_walk(const struct content *c, msg_id *at)
{
    if (*at < c->first_chunk * CHUNK_SLOTS)
        *at = c->first_chunk * CHUNK_SLOTS;
    while (*at < c->next) {
        struct chunk **chunk = chunk_at(c, *at / CHUNK_SLOTS);
        if (!chunk)
            break;
        if (!*chunk) {
            *at = (*at / CHUNK_SLOTS + 1) * CHUNK_SLOTS;
            continue;
        }
        struct slot *s = &(*chunk)->slots[*at % CHUNK_SLOTS];
        (*at)++;
        if (s->state != SLOT_GONE)
            return s;
    }
    return NULL;
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

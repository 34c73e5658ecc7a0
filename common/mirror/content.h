/* content.h: the messages one replica holds of one queue, by id. Whatever the length of the queue, every
 * operation is O(1), requeueing O(log of the requeued).
 *
 * Ids are handed out in order; a message is READY, UNACKED (delivered, not settled) or gone. The next message
 * to deliver is the smallest READY id: requeued ones wait in a small heap, all others from `head` on.
 *
 *      first                 head              next
 *        | gone U U gone R U  | R R R R R R R R |       R ready  U unacked; the R before head is in the heap
 */
#ifndef MIRROR_CONTENT_H
#define MIRROR_CONTENT_H

#include "mirror/types.h"

#define CHUNK_SLOTS 256

enum slot_state { SLOT_GONE, SLOT_READY, SLOT_UNACKED };

struct slot {
    struct message *msg;
    uint32_t taker; /* master: index of the consumer or node that has it; 0: nobody */
    uint8_t state;  /* enum slot_state */
    bool redelivered;
    bool logged; /* it has a record in this node's log */
};

struct chunk; /* CHUNK_SLOTS slots and how many of them are used */

struct content {
    struct chunk **chunks; /* chunks[i] covers ids from (first_chunk + i) * CHUNK_SLOTS; NULL: all gone */
    size_t chunks_len, chunks_cap, chunks_off; /* chunks[0..chunks_off) were dropped at the front */
    uint64_t first_chunk;
    msg_id head, next;
    msg_id *heap;
    size_t heap_len, heap_cap;
    uint64_t ready, unacked;
    uint64_t bytes_ready, bytes_unacked;
    uint64_t persistent;
    msg_id oldest_hint; /* nothing older than this is there */
};

void content_init(struct content *c, msg_id next);
void content_finish(struct content *c); /* drops every message */

struct slot *content_find(const struct content *c, msg_id id); /* NULL if gone or never there */
static inline uint64_t content_depth(const struct content *c)
{
    return c->ready + c->unacked;
}

/* Adds a message under a new id (>= next: next follows it) or an old one (a sync, a recovery: it must not be
 * there). Takes a reference. */
struct slot *content_put(struct content *c, msg_id id, struct message *msg, bool unacked, bool redelivered);

/* The smallest ready id, or false. */
bool content_peek(struct content *c, msg_id *id);

/* Changes of state; each returns false if the message is not there (or not so), and then does nothing. */
bool content_take(struct content *c, msg_id id);    /* ready -> unacked */
bool content_requeue(struct content *c, msg_id id); /* unacked -> ready, redelivered */
bool content_remove(struct content *c, msg_id id);  /* -> gone; drops the reference */

/* Walks what is there from *at on (rising); NULL at the end. The id found is *at - 1 afterwards. */
struct slot *content_walk(const struct content *c, msg_id *at);
/* After many old messages were put: look for the next ready one from the beginning again. */
void content_rewind(struct content *c);
/* The oldest id that is there; `next` if none. */
msg_id content_oldest(struct content *c);

#endif

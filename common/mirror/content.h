/* content.h: the messages one replica holds of one queue, by id. Whatever the length of the queue, every
 * operation is O(1), requeueing O(log of the requeued); in a queue with priorities O(log of the ready).
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

#define CHUNK_SLOTS  256
#define BLOCK_CHUNKS 64

enum slot_state { SLOT_GONE, SLOT_READY, SLOT_UNACKED };

struct slot {
    struct message *msg;
    uint32_t taker; /* master: index of the consumer or node that has it; 0: nobody */
    uint8_t state;  /* enum slot_state */
    bool redelivered;
    bool logged;    /* it has a record in this node's log */
    bool paged;     /* its bytes are the pager's (paging.h) */
    ms_time expiry; /* when its time is over; UINT64_MAX: never. Kept when it is requeued */
};

struct id_heap { /* ready ids, the smallest first; those that are not ready any more are skipped */
    msg_id *ids;
    size_t len, cap;
};

struct chunk; /* CHUNK_SLOTS slots and how many of them are used, and unacknowledged */
struct block; /* BLOCK_CHUNKS chunks and how many of them are there: what is gone behind an old message that
                 stays costs half a byte for a thousand messages */

struct content {
    struct block *
        *blocks; /* blocks[off + i] covers BLOCK_CHUNKS * CHUNK_SLOTS ids of number first_block + i */
    size_t blocks_len, blocks_cap, blocks_off; /* NULL: all gone; blocks[0..off) were dropped at the front */
    uint64_t first_block;
    msg_id head, next;
    struct id_heap heap;    /* without priorities: of what was requeued */
    struct id_heap *levels; /* with priorities: everything ready, by priority; NULL: without */
    uint32_t max_priority;  /* levels has one more */
    uint64_t ready, unacked;
    uint64_t bytes_ready, bytes_unacked;
    uint64_t persistent;
    uint64_t paged_ready, paged_unacked; /* of the above: messages that the pager has, */
    uint64_t bytes_paged;                /* and their bodies' bytes */
    msg_id page_at;                      /* paging.c: from here on nobody has looked */
    msg_id oldest_hint;                  /* nothing older than this is there */
};

void content_init(struct content *c, msg_id next);
/* From now on the smallest id of the highest priority is the next one; messages above max count as max. The
 * content is empty; 0: without priorities. */
void content_prioritise(struct content *c, uint32_t max_priority);
/* Drops every message; priorities stay. */
void content_reset(struct content *c, msg_id next);
void content_finish(struct content *c); /* drops every message */

struct slot *content_find(const struct content *c, msg_id id); /* NULL if gone or never there */
static inline uint64_t content_depth(const struct content *c)
{
    return c->ready + c->unacked;
}

/* Adds a message under a new id (>= next: next follows it) or an old one (a sync, a recovery: it must not be
 * there). Takes a reference. */
struct slot *content_put(struct content *c, msg_id id, struct message *msg, bool unacked, bool redelivered);

/* The ready id that is next, or false: the smallest, of the highest priority. */
bool content_peek(struct content *c, msg_id *id);

/* Changes of state; each returns false if the message is not there (or not so), and then does nothing. */
bool content_take(struct content *c, msg_id id);    /* ready -> unacked */
bool content_requeue(struct content *c, msg_id id); /* unacked -> ready, redelivered */
bool content_remove(struct content *c, msg_id id);  /* -> gone; drops the reference */
/* The message's bytes are in this copy from now on; takes the caller's reference to it. */
void content_swap(struct content *c, struct slot *s, struct message *copy);

/* Walks what is there from *at on (rising); NULL at the end. The id found is *at - 1 afterwards. */
struct slot *content_walk(const struct content *c, msg_id *at);
/* The same, of one state only, READY or UNACKED: where a chunk has none of it costs one look for 256 ids. */
struct slot *content_walk_state(const struct content *c, enum slot_state state, msg_id *at);
/* The next run of ids that are there, from *at on; false at the end. *at is behind it afterwards. */
bool content_next_range(const struct content *c, msg_id *at, struct id_range *out);
/* After many old messages were put: look for the next ready one from the beginning again. */
void content_rewind(struct content *c);
/* The oldest id that is there; `next` if none. */
msg_id content_oldest(struct content *c);

#endif

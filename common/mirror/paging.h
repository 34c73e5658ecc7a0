/* paging.h: which messages may leave memory. The library knows no file: whoever drives it walks the messages
 * that are not wanted soon, copies them to where they take no memory, and gives the copy back in their place:
 *
 *     struct page_walk w = {.hard = false};
 *     while ((msg = mirror_page_next(m, &w)))
 *         mirror_page_swap(&w, message_copy_to(msg, at, region));
 *
 * Nothing else changes: whoever else holds the message keeps the bytes it has. */
#ifndef MIRROR_PAGING_H
#define MIRROR_PAGING_H

#include "mirror/mirror.h"

struct content;
struct slot;

struct page_walk {
    /* false: only messages that nobody but the queue holds and that are not the next to be delivered; each is
     * looked at once, however often it is walked. true: all that are in memory; a long queue's whole length
     * is walked for it */
    bool hard;

    /* paging.c */
    size_t at;
    struct queue *queue;
    bool incoming;
    struct content *content;
    struct slot *slot;
    msg_id next;
};

/* The next message that may go, borrowed; NULL: none. The walk ends with the next step of the library. */
struct message *mirror_page_next(const struct mirror *m, struct page_walk *w);

/* The message that was returned last is in this copy from now on; takes the reference. */
void mirror_page_swap(struct page_walk *w, struct message *copy);

#endif

/* paging.c: which messages may leave memory: first the middle of each queue, which nobody wants for a while,
 * from the front to the end; what is in the air (more than the queue holds it) stays where it is. */
#include "mirror/paging.h"

#include "mirror/mirror_private.h"

#include "base/ban.h"

/* What stays at the front of each queue: its consumers come for it next. */
#define KEEP_MESSAGES 256
#define KEEP_BYTES    (1u << 20)

/* the first id behind what stays */
static msg_id behind_the_front(const struct content *c)
{
    msg_id at = c->head;
    uint64_t messages = 0, bytes = 0;
    const struct slot *s;
    while (messages < KEEP_MESSAGES && bytes < KEEP_BYTES && (s = content_walk(c, &at))) {
        messages++;
        bytes += s->paged ? 0 : message_size(s->msg); /* to look at one that is away would bring it back */
    }
    return at;
}

/* Where to begin in this content; false: it has nothing that may go. */
static bool enter(struct page_walk *w, struct content *c)
{
    if (!c || content_depth(c) == c->paged_ready + c->paged_unacked)
        return false;
    w->content = c;
    if (w->hard) {
        w->next = content_oldest(c);
        return true;
    }
    /* at most one message has each id: further on than that is behind the front for certain */
    if (c->page_at < c->head + KEEP_MESSAGES)
        c->page_at = u64_max(c->page_at, behind_the_front(c));
    w->next = c->page_at;
    return w->next < c->next;
}

/* the next content: a queue's own, then what a sync brings it */
static bool enter_next(const struct mirror *m, struct page_walk *w)
{
    for (;;) {
        w->incoming = w->queue && !w->incoming;
        if (!w->incoming)
            w->queue = mirror_next_queue(m, &w->at);
        if (!w->queue)
            return false;
        if (enter(w, w->incoming ? w->queue->incoming : &w->queue->content))
            return true;
    }
}

struct message *mirror_page_next(const struct mirror *m, struct page_walk *w)
{
    for (;;) {
        w->slot = w->content ? content_walk(w->content, &w->next) : NULL;
        bool in_the_air = w->slot && !w->hard && !w->slot->paged && w->slot->msg->refs > 1;
        if (w->content && !w->hard) /* one that is in the air is looked at again next time */
            w->content->page_at = w->slot ? w->next - in_the_air : w->content->next;
        if (w->slot && !in_the_air && !w->slot->paged)
            return w->slot->msg;
        if ((!w->slot || in_the_air) && !enter_next(m, w))
            return NULL;
    }
}

void mirror_page_swap(struct page_walk *w, struct message *copy)
{
    content_swap(w->content, w->slot, copy);
}

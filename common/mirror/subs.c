/* subs.c: the subscriptions of this node's clients, each in the list of the queue it consumes from: a queue that
 * goes or gets another master looks at its own only. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

static void unlink_sub(struct subscription *s)
{
    struct queue *q = s->queue;
    if (!q)
        return;
    *(s->prev ? &s->prev->next : &q->subs_first) = s->next;
    *(s->next ? &s->next->prev : &q->subs_last) = s->prev;
    s->queue = NULL;
    s->next = s->prev = NULL;
}

void sub_link(struct queue *q, struct subscription *s)
{
    if (s->queue == q)
        return;
    unlink_sub(s);
    s->queue = q;
    s->prev = q->subs_last;
    *(q->subs_last ? &q->subs_last->next : &q->subs_first) = s;
    q->subs_last = s;
}

void sub_end(struct mirror *m, uint64_t sub)
{
    struct subscription *s = map_remove_u64(&m->subs, sub);
    if (s)
        unlink_sub(s);
    free(s);
}

void handle_active(struct mirror *m, uint64_t sub)
{
    struct subscription *s = map_get_u64(&m->subs, sub);
    if (s)
        s->active = true;
}

static void cancelled(struct mirror *m, uint64_t sub, struct effects *out)
{
    sub_end(m, sub);
    effects_add(out, FX_CANCELLED)->u.cancelled.sub = sub;
}

/* one that waits for its first answer gets that one */
void subs_of_queue_end(struct mirror *m, struct queue *q, struct effects *out)
{
    while (q->subs_first) {
        if (q->subs_first->established)
            cancelled(m, q->subs_first->sub, out);
        else
            unlink_sub(q->subs_first);
    }
}

/* the queue has another master, or none: subscriptions follow it, or end and say so */
void subs_resume(struct mirror *m, struct queue *q, struct effects *out)
{
    struct subscription *next;
    for (struct subscription *s = q->subs_first; s; s = next) {
        next = s->next;
        if (!s->established)
            continue;
        if (q->rec.state != QUEUE_RUNNING || s->cancel_on_failover)
            cancelled(m, s->sub, out);
        else
            send_subscribe(m, q, s, 0, out);
    }
}

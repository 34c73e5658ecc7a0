/* check.c: the invariants that one node can see of itself. The simulator asks after every step; a broken one
 * stops the process with its words. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

static void check_content(const struct queue *q)
{
    uint64_t ready = 0, unacked = 0;
    msg_id at = 0;
    const struct slot *s;
    while ((s = content_walk(&q->content, &at))) {
        ASSERT(s->msg && s->msg->refs > 0);
        ready += s->state == SLOT_READY;
        unacked += s->state == SLOT_UNACKED;
        ASSERT(at - 1 < q->content.next);
    }
    ASSERT(ready == q->content.ready && unacked == q->content.unacked);
}

static void check_master(const struct mirror *m, const struct queue *q)
{
    ASSERT(q->rec.master == m->o.self && q->rec.state == QUEUE_RUNNING);
    ASSERT(q->master->sent <= q->op);
    /* the next place is of its own reign */
    ASSERT(reign_of(&q->reigns, q->content.next) == m->o.incarnation * LIMIT_NODES + m->o.self);
    uint64_t unacked = 0;
    for (size_t i = 1; i < q->master->consumers.len; i++)
        if (q->master->consumers.items[i]) {
            const struct consumer *c = q->master->consumers.items[i];
            ASSERT(!c->sub || c->no_ack || !c->prefetch || c->unacked <= c->prefetch);
            unacked += c->unacked;
        }
    ASSERT(unacked == q->content.unacked); /* whoever has a message is known */
    for (size_t i = 0; i < q->master->copies.len; i++) {
        const struct copy *c = &q->master->copies.items[i];
        ASSERT(c->applied <= q->op && c->durable <= q->op);
        ASSERT(c->node != m->o.self);
    }
}

void mirror_check(const struct mirror *m)
{
    size_t at = 0;
    const struct queue *q;
    while ((q = map_next(&m->queues, &at))) {
        check_content(q);
        ASSERT((q->role == ROLE_MASTER) == (q->master != NULL));
        ASSERT(q->op >= q->retained.len);
        if (m->phase == PHASE_SERVING && q->role == ROLE_MASTER)
            check_master(m, q);
        if (m->phase == PHASE_SERVING && q->role == ROLE_MIRROR)
            ASSERT(in_mirrors(q, m->o.self) && q->rec.master != m->o.self);
        for (size_t i = 0; i < q->rec.mirrors_len; i++)
            ASSERT(q->rec.mirrors[i] != q->rec.master);
    }
    ASSERT(m->promised >= m->epoch);
}

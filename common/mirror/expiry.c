/* expiry.c: time. Messages whose time is over leave from the head of the queue, where RabbitMQ's classic
 * queue looks, too: one that stands behind a longer-lived one waits for it. A queue that nobody used for as
 * long as it says is deleted. Only the master looks at the clock; mirrors hear of removals.
 *
 * Each queue has at most one place in the heap of timers: when its master next has to look. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

/* ---- timers ---- */

static void place_timer(struct mirror *m, size_t at, struct queue *q)
{
    m->timers.items[at] = q;
    q->timer_place = at + 1;
}

static void sift_up(struct mirror *m, size_t at, struct queue *q)
{
    while (at > 0 && m->timers.items[(at - 1) / 2]->timer_at > q->timer_at) {
        place_timer(m, at, m->timers.items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place_timer(m, at, q);
}

static void sift_down(struct mirror *m, size_t at, struct queue *q)
{
    for (size_t child; (child = 2 * at + 1) < m->timers.len; at = child) {
        if (child + 1 < m->timers.len &&
            m->timers.items[child + 1]->timer_at < m->timers.items[child]->timer_at)
            child++;
        if (m->timers.items[child]->timer_at >= q->timer_at)
            break;
        place_timer(m, at, m->timers.items[child]);
    }
    place_timer(m, at, q);
}

void timer_off(struct mirror *m, struct queue *q)
{
    if (!q->timer_place)
        return;
    size_t at = q->timer_place - 1;
    q->timer_place = 0;
    struct queue *last = m->timers.items[--m->timers.len];
    if (last == q)
        return;
    if (at > 0 && m->timers.items[(at - 1) / 2]->timer_at > last->timer_at)
        sift_up(m, at, last);
    else
        sift_down(m, at, last);
}

static void timer_on(struct mirror *m, struct queue *q, ms_time at)
{
    if (q->timer_place && q->timer_at == at)
        return;
    timer_off(m, q);
    q->timer_at = at;
    VEC_PUSH(&m->timers, q);
    sift_up(m, m->timers.len - 1, q);
}

void timers_fire(struct mirror *m)
{
    while (m->timers.len && m->timers.items[0]->timer_at <= m->now) {
        struct queue *q = m->timers.items[0];
        timer_off(m, q);
        queue_touch(m, q);
    }
}

/* ---- messages ---- */

/* When the time of a message published now is over: its own or the queue's, whichever is sooner. */
ms_time expiry_of(const struct mirror *m, const struct queue *q, const struct message *msg)
{
    uint64_t ttl = u64_min(q->master->limits.ttl_ms, msg->expiration_ms);
    return ttl >= UINT64_MAX - m->now ? UINT64_MAX : m->now + ttl;
}

/* Drops from the head what is over; spare: not this one, it has just come. */
void expire_heads(struct mirror *m, struct queue *q, msg_id spare, struct effects *out)
{
    msg_id id;
    while (content_peek(&q->content, &id) && id != spare && content_find(&q->content, id)->expiry <= m->now)
        drop_message(m, q, id, DEATH_EXPIRED, out);
}

/* ---- queues ---- */

/* Somebody declared it, got from it, or was its last consumer: its time begins again. */
void queue_used(struct mirror *m, struct queue *q)
{
    q->master->unused_since = m->now;
    queue_touch(m, q);
}

static ms_time unused_until(const struct queue *q)
{
    const struct master *ms = q->master;
    if (ms->limits.expires_ms == UINT64_MAX || ms->consumers_len || ms->deleting)
        return UINT64_MAX;
    return ms->unused_since + ms->limits.expires_ms;
}

/* The end of a turn: what is due happens, and a timer is set for what will be. While a sync runs the queue
 * waits, and so does its clock. */
void expiry_turn(struct mirror *m, struct queue *q, struct effects *out)
{
    if (!serving(m) || q->master->sync.running) {
        timer_off(m, q);
        return;
    }
    expire_heads(m, q, UINT64_MAX, out);
    if (unused_until(q) <= m->now) {
        tell(out, "queue", q->rec.name, "%s was not used for %llu ms", q->rec.name,
             (unsigned long long)q->master->limits.expires_ms);
        queue_remove(m, q);
    }
    ms_time next = unused_until(q);
    msg_id id;
    if (content_peek(&q->content, &id))
        next = u64_min(next, content_find(&q->content, id)->expiry);
    if (next == UINT64_MAX)
        timer_off(m, q);
    else
        timer_on(m, q, next);
}

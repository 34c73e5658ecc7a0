/* limit.c: what a queue's arguments and its policy say of its length, its messages' time and its end, and
 * what becomes of messages that are too many. Rules are RabbitMQ 3.10.8's: of two numbers the lower counts,
 * of two words the argument; ready messages count, what consumers hold does not; a full queue drops its head
 * (with priorities: of the highest) or refuses what comes. The master decides; mirrors hear of removals. */
#include "mirror/mirror_private.h"

#include <stdlib.h>

#include "base/ban.h"

/* ---- what holds for a queue ---- */

static uint64_t lower(int64_t a, int64_t b)
{
    return u64_min(a < 0 ? UINT64_MAX : (uint64_t)a, b < 0 ? UINT64_MAX : (uint64_t)b);
}

static char *copy_of(const char *argument, const char *policy)
{
    const char *s = argument ? argument : policy;
    return s ? xstrdup(s) : NULL;
}

static enum overflow overflow_of(const char *word)
{
    if (word && strcmp(word, "reject-publish") == 0)
        return OVERFLOW_REJECT;
    if (word && strcmp(word, "reject-publish-dlx") == 0)
        return OVERFLOW_REJECT_DEAD_LETTER;
    return OVERFLOW_DROP_HEAD;
}

void limits_finish(struct limits *l)
{
    free(l->dead_letter_exchange);
    free(l->dead_letter_key);
    *l = (struct limits){0};
}

static bool over(const struct queue *q)
{
    const struct limits *l = &q->master->limits;
    return q->content.ready > l->max_length || q->content.bytes_ready > l->max_bytes;
}

static void drop_heads(struct mirror *m, struct queue *q, struct effects *out)
{
    msg_id id;
    while (over(q) && content_peek(&q->content, &id))
        drop_message(m, q, id, DEATH_MAXLEN, out);
}

/* Works the limits out again if policies have changed since. A lower limit drops at once: also when the
 * policy that brings it says reject-publish and the one before did not, and when a new master of a queue that
 * refuses publishes finds too many, because consumers gave back what they had (RabbitMQ applies the length
 * before it asks what becomes of too many). */
void limits_refresh(struct mirror *m, struct queue *q, struct effects *out)
{
    struct master *ms = q->master;
    if (ms->limits.known && ms->limits.policies == m->policies_changed)
        return;
    const struct policy *p = queue_policy(m, q);
    const struct queue_args *a = &q->rec.args;
    struct limits old = ms->limits;
    ms->limits = (struct limits){
        .known = true,
        .policies = m->policies_changed,
        .max_length = lower(a->max_length, p ? p->max_length : -1),
        .max_bytes = lower(a->max_length_bytes, p ? p->max_length_bytes : -1),
        .ttl_ms = lower(a->message_ttl_ms, p ? p->message_ttl_ms : -1),
        .expires_ms = lower(a->expires_ms, p ? p->expires_ms : -1),
        .overflow = overflow_of(a->overflow ? a->overflow
                                : p         ? p->overflow
                                            : NULL),
        .dead_letter_exchange = copy_of(a->dead_letter_exchange, p ? p->dead_letter_exchange : NULL),
        .dead_letter_key = copy_of(a->dead_letter_key, p ? p->dead_letter_key : NULL),
    };
    if (old.expires_ms != ms->limits.expires_ms)
        ms->unused_since = m->now;
    if (!old.known || old.overflow == OVERFLOW_DROP_HEAD)
        drop_heads(m, q, out);
    limits_finish(&old);
    queue_touch(m, q);
}

/* ---- giving messages up ---- */

void tell_dead_letter(const struct queue *q, struct message *msg, enum death reason, struct effects *out)
{
    const struct limits *l = &q->master->limits;
    if (!l->dead_letter_exchange)
        return;
    struct effect *fx = effects_add(out, FX_DEAD_LETTER);
    fx->u.dead_letter.msg = message_ref(msg);
    fx->u.dead_letter.reason = reason;
    fx->u.dead_letter.queue = xstrdup(q->rec.name);
    fx->u.dead_letter.exchange = xstrdup(l->dead_letter_exchange);
    fx->u.dead_letter.key = l->dead_letter_key ? xstrdup(l->dead_letter_key) : NULL;
}

void drop_message(struct mirror *m, struct queue *q, msg_id id, enum death reason, struct effects *out)
{
    struct slot *s = content_find(&q->content, id);
    tell_dead_letter(q, s->msg, reason, out);
    note_removed(q, s, id);
    content_remove(&q->content, id);
    master_op(q, OP_REMOVE, id);
    trace(m, q, reason == DEATH_EXPIRED ? TRACE_EXPIRED : TRACE_DROPPED, id, id, NODE_NONE);
    trace_dead_letter(m, q, id);
    queue_touch(m, q);
}

void limit_enforce(struct mirror *m, struct queue *q, struct effects *out)
{
    if (q->master->limits.overflow == OVERFLOW_DROP_HEAD)
        drop_heads(m, q, out);
}

/* True: the queue is full and refuses this one; where it is to be dead-lettered, it was. */
bool limit_refuses(struct mirror *m, struct queue *q, struct message *msg, struct effects *out)
{
    const struct limits *l = &q->master->limits;
    if (l->overflow == OVERFLOW_DROP_HEAD || (l->max_length == UINT64_MAX && l->max_bytes == UINT64_MAX))
        return false;
    dispatch(m, q, out); /* what consumers are waiting for does not count */
    if (q->content.ready < l->max_length && q->content.bytes_ready + msg->body_len <= l->max_bytes)
        return false;
    if (l->overflow == OVERFLOW_REJECT_DEAD_LETTER)
        tell_dead_letter(q, msg, DEATH_MAXLEN, out);
    return true;
}

/* This one has come. A consumer that waits takes it first, however full the queue and short its time. */
void limit_published(struct mirror *m, struct queue *q, msg_id id, struct effects *out)
{
    const struct limits *l = &q->master->limits;
    const struct slot *s = content_find(&q->content, id);
    if (s->expiry > m->now && !over(q))
        return;
    dispatch_new(m, q, id, out);
    if (l->overflow == OVERFLOW_DROP_HEAD)
        drop_heads(m, q, out);
}

/* ---- publishes that were refused ---- */

/* Remembers one; those below base have ended, and those of lives that are over are asked for by nobody. */
void rejected_add(const struct mirror *m, struct queue *q, struct rejected r, uint64_t base)
{
    if (q->rejected.len >= q->rejected_trim) {
        size_t kept = 0;
        for (size_t i = 0; i < q->rejected.len; i++) {
            struct rejected k = q->rejected.items[i];
            bool same = k.node == r.node && k.incarnation == r.incarnation;
            bool over_ =
                m->served && (!node_in(m->members, k.node) || m->incarnations[k.node] != k.incarnation);
            if (!over_ && !(same && k.seq < base))
                q->rejected.items[kept++] = k;
        }
        q->rejected.len = kept;
        q->rejected_trim = kept < 32 ? 64 : kept * 2;
    }
    VEC_PUSH(&q->rejected, r);
}

/* The log knows, so that after a restart the number is not taken for one that is there; for a message that
 * would not have outlived the restart nobody asks. */
void persist_rejected(struct mirror *m, struct queue *q, struct rejected r, uint64_t base,
                      struct effects *out)
{
    if (!q->rec.durable || q->rec.owner.node != NODE_NONE)
        return;
    struct record *rec = persist(m, out, REC_REJECTED);
    rec->queue_uid = q->rec.uid;
    rec->origin = r.node;
    rec->incarnation = r.incarnation;
    rec->seq = r.seq;
    rec->base = base;
}

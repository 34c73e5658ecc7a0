/* ledger_memory.c: which messages memory alone holds, where nobody noted it as they came (they were there
 * before this screen looked, or an old recording is shown): the queue's own counts say it, if all of its
 * messages are of one kind. Counts and what is held are asked one after the other, so only what was seen
 * twice running counts. */
#include "ledger.h"

#define MAX_KEEPINGS 64

static const struct last_copy *only_master(const struct ledger *l, const struct queue_seen *q)
{
    const struct last_copy *master = NULL;
    for (size_t i = 0; i < LIMIT_NODES; i++)
        if (l->copies[i].answers && l->copies[i].master && l->copies[i].all)
            master = &l->copies[i];
    return queue_seen_masters(q) > 1 ? NULL : master;
}

/* what the counts say of all that the master holds; count 0: nothing that is sure */
static struct counted_keeping count(const struct ledger *l, const struct snapshot *s)
{
    const struct queue_seen *q = l->queue ? snapshot_queue(s, l->queue) : NULL;
    const struct last_copy *c = q && q->state == QUEUE_SEEN_RUNNING ? only_master(l, q) : NULL;
    struct counted_keeping now = {.uid = l->uid};
    for (size_t i = 0; c && i < c->held_len; i++)
        now.count += c->held[i].last - c->held[i].first + 1;
    if (!now.count || q->messages < 0 || (uint64_t)q->messages != now.count)
        return (struct counted_keeping){0};
    bool in_memory = !q->durable || q->exclusive || q->persistent == 0;
    now.logged = !in_memory && q->persistent == q->messages;
    now.first = c->held[0].first;
    now.last = c->held[c->held_len - 1].last;
    return in_memory || now.logged ? now : (struct counted_keeping){0};
}

static bool known_already(const struct ledger *l, const struct keeping *k)
{
    for (size_t i = 0; i < l->keepings.len; i++) {
        const struct keeping *known = &l->keepings.items[i];
        if (known->uid == k->uid && known->logged == k->logged && known->first <= k->first &&
            k->last <= known->last)
            return true;
    }
    return false;
}

bool ledger_note_keeping(struct ledger *l, const struct snapshot *s)
{
    struct counted_keeping now = count(l, s), before = l->counted;
    bool any = false;
    l->counted = now;
    if (!now.count || now.uid != before.uid || now.logged != before.logged || now.count != before.count ||
        now.first != before.first || now.last != before.last)
        return false;
    const struct last_copy *c = only_master(l, snapshot_queue(s, l->queue));
    for (size_t i = 0; i < c->held_len; i++) {
        struct keeping k = {now.uid, c->held[i].first, c->held[i].last, now.logged};
        struct keeping *last = l->keepings.len ? &l->keepings.items[l->keepings.len - 1] : NULL;
        if (known_already(l, &k))
            continue;
        any = true;
        if (last && last->uid == k.uid && last->logged == k.logged && last->first <= k.first &&
            k.first <= last->last + 1) {
            last->last = k.last;
            continue;
        }
        if (l->keepings.len == MAX_KEEPINGS)
            VEC_REMOVE(&l->keepings, 0);
        VEC_PUSH(&l->keepings, k);
    }
    return any;
}

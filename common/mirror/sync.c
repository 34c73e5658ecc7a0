/* sync.c: copying a queue to mirrors that do not have all of it. The queue waits meanwhile; the copy goes in
 * batches, two on their way at most; the mirror keeps what it has and adds the rest only when it is complete,
 * so a master that dies in the middle costs nothing that was there before. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

#define BATCHES     4          /* the queue waits, so more goes at a time */
#define MERGE_BYTES (1u << 20) /* to the disk at a time */

/* from a mirror it names the replica */
static struct peer_msg *sync_msg(const struct mirror *m, const struct queue *q, enum peer_type type)
{
    struct peer_msg *msg = peer_msg_create(type, m->epoch);
    msg->uid = q->rec.uid;
    msg->generation = q->rec.generation;
    msg->version = q->since;
    return msg;
}

void sync_maybe(struct mirror *m, struct queue *q, struct effects *out)
{
    const struct policy *p = queue_policy(m, q);
    if (p && p->automatic)
        sync_begin(m, q, false, out);
}

void sync_begin(struct mirror *m, struct queue *q, bool requested, struct effects *out)
{
    struct master *ms = q->master;
    if (ms->sync.running || !serving(m))
        return;
    master_send(m, q, out); /* a copy is of what the queue is now: what led to it comes first */
    struct sync s = {.running = true, .requested = requested, .end = 0};
    for (size_t i = 0; i < ms->copies.len; i++)
        if (!ms->copies.items[i].synced && !ms->copies.items[i].gone_at) {
            s.targets |= node_bit(ms->copies.items[i].node);
            /* everything below the youngest beginning; a mirror that has some of it already skips it */
            s.end = u64_max(s.end, ms->copies.items[i].join == UINT64_MAX ? q->content.next
                                                                          : ms->copies.items[i].join);
        }
    if (!s.targets)
        return;
    if (content_oldest(&q->content) >= s.end) { /* nothing to copy */
        for (size_t i = 0; i < ms->copies.len; i++)
            if (node_in(s.targets, ms->copies.items[i].node) && ms->copies.items[i].join == UINT64_MAX)
                ms->copies.items[i].join = s.end;
        queue_touch(m, q);
        return;
    }
    if (m->syncs >= LIMIT_SYNCS) {
        if (ms->sync_asked == SYNC_NOT_ASKED)
            RING_PUSH(&m->sync_waits, q->rec.uid);
        if (ms->sync_asked != SYNC_ASKED_BY_HAND)
            ms->sync_asked = requested ? SYNC_ASKED_BY_HAND : SYNC_ASKED_BY_POLICY;
        return;
    }
    m->syncs++;
    const struct policy *p = queue_policy(m, q);
    s.batch = p ? p->sync_batch : LIMIT_SYNC_BATCH;
    s.at = content_oldest(&q->content);
    msg_id at = s.at;
    while (at < s.end && content_walk(&q->content, &at) && at - 1 < s.end)
        s.total++;
    ms->sync = s;
    tell(out, "sync", q->rec.name, "%s: copying %llu message%s", q->rec.name, (unsigned long long)s.total,
         plural(s.total));
    struct peer_msg *msg = sync_msg(m, q, PEER_SYNC_BEGIN);
    msg->u.sync.total = s.total;
    msg->u.sync.oldest = s.at;
    send_to(out, s.targets, msg);
    sync_step(m, q, out);
}

/* the queue goes on: what waited is done now, in order */
static void resume(struct mirror *m, struct queue *q, struct effects *out)
{
    uint64_t uid = q->rec.uid;
    while ((q = queue_by_uid(m, uid)) && q->master && !q->master->sync.running && q->master->held.len) {
        struct held_msg h = RING_AT(&q->master->held, 0);
        RING_POP(&q->master->held);
        take_session(m, h.from, h.msg, out); /* what waits for metadata came later */
        peer_msg_destroy(h.msg);
    }
    if (q)
        queue_touch(m, q);
}

void sync_stop(struct mirror *m, struct queue *q, bool cancelled, struct effects *out)
{
    struct sync *s = &q->master->sync;
    if (!s->running)
        return;
    if (cancelled) {
        send_to(out, s->targets & ~s->done, sync_msg(m, q, PEER_SYNC_CANCEL));
        tell(out, "sync", q->rec.name, "%s: copying cancelled", q->rec.name);
    }
    *s = (struct sync){0};
    m->syncs--;
    resume(m, q, out);
}

void syncs_begin(struct mirror *m, struct effects *out)
{
    while (serving(m) && m->syncs < LIMIT_SYNCS && m->sync_waits.len) {
        struct queue *q = queue_by_uid(m, RING_AT(&m->sync_waits, 0));
        RING_POP(&m->sync_waits);
        if (!q || !q->master)
            continue;
        bool by_hand = q->master->sync_asked == SYNC_ASKED_BY_HAND,
             by_policy = q->master->sync_asked == SYNC_ASKED_BY_POLICY;
        q->master->sync_asked = SYNC_NOT_ASKED;
        if (by_hand)
            sync_begin(m, q, true, out);
        else if (by_policy)
            sync_maybe(m, q, out);
    }
}

static void send_batch(struct mirror *m, struct queue *q, struct effects *out)
{
    struct sync *s = &q->master->sync;
    VEC(struct sync_item) items = {0};
    size_t bytes = 0;
    while (s->at < s->end && items.len < s->batch && bytes < BATCHES * m->o.batch_bytes) {
        struct slot *slot = content_walk(&q->content, &s->at);
        if (!slot || s->at - 1 >= s->end) {
            s->at = s->end;
            break;
        }
        VEC_PUSH(&items, (struct sync_item){.id = s->at - 1,
                                            .unacked = slot->state == SLOT_UNACKED,
                                            .redelivered = slot->redelivered,
                                            .expiry = slot->expiry,
                                            .msg = message_ref(slot->msg)});
        bytes += message_size(slot->msg);
    }
    s->sent += items.len;
    struct peer_msg *msg = sync_msg(m, q, PEER_SYNC_BATCH);
    msg->u.sync.items = items.items;
    msg->u.sync.items_len = items.len;
    send_to(out, s->targets & ~s->done, msg);
}

/* sends what may go, ends when all have all */
void sync_step(struct mirror *m, struct queue *q, struct effects *out)
{
    struct sync *s = &q->master->sync;
    node_set copies = 0;
    for (size_t i = 0; i < q->master->copies.len; i++)
        if (!q->master->copies.items[i].gone_at)
            copies |= node_bit(q->master->copies.items[i].node);
    s->targets &= copies; /* those that were removed meanwhile are not waited for */
    if ((s->targets & ~s->done) == 0) {
        tell(out, "sync", q->rec.name, "%s: copied %llu message%s", q->rec.name, (unsigned long long)s->total,
             plural(s->total));
        uint64_t uid = q->rec.uid;
        sync_stop(m, q, false, out);
        if ((q = queue_by_uid(m, uid)) && q->master)
            sync_maybe(m, q, out); /* for mirrors that were added meanwhile */
        return;
    }
    uint64_t slowest = UINT64_MAX;
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (node_in(s->targets & ~s->done, n))
            slowest = u64_min(slowest, s->acked[n]);
    while (s->at < s->end && slowest >= s->previous) {
        uint64_t previous = s->sent;
        send_batch(m, q, out);
        s->previous = previous;
    }
    if (s->at >= s->end && !s->ended) {
        s->ended = true;
        send_to(out, s->targets & ~s->done, sync_msg(m, q, PEER_SYNC_END));
    }
}

/* ---- the mirror's side ---- */

/* The log hears, at the end of a turn, that what it was told of the copy is void. */
void sync_incoming_drop(struct queue *q)
{
    q->sync_done_waits = q->sync_merges = false;
    if (!q->incoming)
        return;
    msg_id at = 0;
    const struct slot *s;
    while ((s = content_walk(q->incoming, &at)))
        note_removed(q, s, at - 1);
    content_finish(q->incoming);
    free(q->incoming);
    q->incoming = NULL;
    q->incoming_len = 0;
}

static void take_batch(struct mirror *m, struct queue *q, const struct peer_msg *msg, struct effects *out)
{
    for (size_t i = 0; i < msg->u.sync.items_len; i++) {
        const struct sync_item *item = &msg->u.sync.items[i];
        q->incoming_len++;
        if (!content_find(q->incoming, item->id))
            content_put(q->incoming, item->id, item->msg, item->unacked, item->redelivered)->expiry =
                item->expiry;
    }
    struct peer_msg *ack = sync_msg(m, q, PEER_SYNC_ACK);
    ack->u.sync.total = q->incoming_len;
    send_to(out, node_bit(q->rec.master), ack);
}

/* what was missing takes its place in front of what was there */
static void merge(struct mirror *m, struct queue *q, struct effects *out)
{
    msg_id at = 0;
    struct slot *s;
    while ((s = content_walk(q->incoming, &at))) {
        if (content_find(&q->content, at - 1))
            continue;
        struct slot *mine =
            content_put(&q->content, at - 1, s->msg, s->state == SLOT_UNACKED, s->redelivered);
        mine->expiry = s->expiry;
        mine->logged = s->logged;
        s->logged = false; /* the log's record is of that one now */
    }
    content_rewind(&q->content);
    trace_content(m, q, TRACE_FILLED, false);
    sync_incoming_drop(q);
    replica_complete(m, q, out); /* it counts as in sync once it is on disk */
    q->sync_done_waits = true;
    disk_turn(m, q, out);
    sync_mirror_disk(m, q, out);
}

/* The copy is complete. What must be on disk goes there first, a slice at a time: the memory that its records
 * take on their way does not depend on the queue's length. */
static void merge_on(struct mirror *m, struct queue *q, struct effects *out)
{
    struct slot *s = NULL;
    do {
        size_t bytes = 0;
        while (bytes < MERGE_BYTES && (s = content_walk(q->incoming, &q->merge_at))) {
            if (content_find(&q->content, q->merge_at - 1))
                continue;
            persist_message(m, q, s, q->merge_at - 1, NULL, out);
            bytes += s->logged ? message_size(s->msg) : 0;
        }
        disk_turn(m, q, out);
    } while (s && !q->disk_waits);
    if (!s)
        merge(m, q, out);
}

/* goes on with a merge, and says SYNC_DONE, once everything that must be is on disk */
void sync_mirror_disk(struct mirror *m, struct queue *q, struct effects *out)
{
    if (q->disk_waits || q->role != ROLE_MIRROR || m->promised != m->epoch)
        return; /* sealed: the new view begins the sync again */
    if (q->sync_merges)
        merge_on(m, q, out);
    if (!q->sync_done_waits || q->disk_waits)
        return;
    q->sync_done_waits = false;
    q->synced = true;
    q->join = 0;
    send_to(out, node_bit(q->rec.master), sync_msg(m, q, PEER_SYNC_DONE));
}

static void done(struct mirror *m, struct queue *q, node_id from, struct effects *out)
{
    struct sync *s = &q->master->sync;
    struct copy *c = find_copy(q, from);
    if (!s->running || !node_in(s->targets, from) || !c)
        return;
    s->done |= node_bit(from);
    c->synced = true;
    c->join = 0;
    master_check_synced(m, q);
    if (q->master)
        sync_step(m, q, out);
}

void sync_handle(struct mirror *m, struct queue *q, node_id from, struct peer_msg *msg, struct effects *out)
{
    if (msg->generation != q->rec.generation)
        return;
    struct copy *copy = q->role == ROLE_MASTER ? find_copy(q, from) : NULL;
    if (q->role == ROLE_MASTER && (!copy || copy->since != msg->version))
        return;
    bool mirror = q->role == ROLE_MIRROR && from == q->rec.master;
    bool master = q->role == ROLE_MASTER && serving(m); /* else: the new view begins it again */
    if (msg->type == PEER_SYNC_ACK && master && q->master->sync.running) {
        q->master->sync.acked[from] = u64_max(q->master->sync.acked[from], msg->u.sync.total);
        sync_step(m, q, out);
    } else if (msg->type == PEER_SYNC_DONE && master) {
        done(m, q, from, out);
    } else if (msg->type == PEER_SYNC_BEGIN && mirror) {
        sync_incoming_drop(q);
        disk_turn(m, q, out); /* before the log hears of the new copy */
        q->incoming = xcalloc(1, sizeof(*q->incoming));
        content_init(q->incoming, msg->u.sync.oldest);
    } else if (msg->type == PEER_SYNC_BATCH && mirror && q->incoming) {
        take_batch(m, q, msg, out);
    } else if (msg->type == PEER_SYNC_END && mirror && q->incoming) {
        q->sync_merges = true;
        q->merge_at = 0;
        merge_on(m, q, out);
    } else if (msg->type == PEER_SYNC_CANCEL && mirror) {
        sync_incoming_drop(q);
        queue_touch(m, q);
    }
}

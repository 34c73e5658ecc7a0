/* coordinate.c: metadata as one ordered log. Any member submits a change; the coordinator gives it a version
 * and sends it to all; who asked is answered once every member has it (on disk). After a view change what was
 * not answered is submitted again: every change can be asked for twice without harm. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

struct submit *submit_create(enum meta_type type)
{
    struct submit *s = xcalloc(1, sizeof(*s));
    meta_entry_init(&s->entry, type);
    s->reply_to = NODE_NONE;
    s->owner.node = NODE_NONE;
    return s;
}

void submit_destroy(struct submit *s)
{
    meta_entry_finish(&s->entry);
    free(s);
}

static void send_submit(struct mirror *m, const struct submit *s, struct effects *out)
{
    if (m->coordinator == m->o.self) {
        handle_submit(m, m->o.self, s->req, &s->owner, &s->entry, out);
        return;
    }
    struct peer_msg *msg = peer_msg_create(PEER_SUBMIT, m->epoch);
    msg->u.submit.req = s->req;
    msg->u.submit.owner = s->owner;
    meta_entry_copy(&msg->u.submit.entry, &s->entry);
    send_to(out, node_bit(m->coordinator), msg);
}

/* It goes out at the end of the turn: what it changes may be what the caller is looking at. */
void submit_entry(struct mirror *m, struct submit *s)
{
    s->req = ++m->next_id;
    VEC_PUSH(&m->submits, s);
    m->submits_unsent = true;
}

static struct submit *find_submit(const struct mirror *m, uint64_t req, size_t *at)
{
    for (size_t i = 0; i < m->submits.len; i++)
        if (m->submits.items[i]->req == req) {
            *at = i;
            return m->submits.items[i];
        }
    return NULL;
}

void submits_flush(struct mirror *m, struct effects *out)
{
    if (!m->submits_unsent || !serving(m))
        return;
    m->submits_unsent = false;
    VEC(uint64_t) reqs = {0}; /* the list changes while we go through it */
    for (size_t i = 0; i < m->submits.len; i++)
        if (!m->submits.items[i]->sent)
            VEC_PUSH(&reqs, m->submits.items[i]->req);
    for (size_t i = 0; i < reqs.len && serving(m); i++) {
        size_t at;
        struct submit *s = find_submit(m, reqs.items[i], &at);
        if (!s)
            continue;
        s->sent = true;
        send_submit(m, s, out);
    }
    VEC_FREE(&reqs);
}

/* after a view change: what was not answered is asked again */
void resubmit(struct mirror *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->submits.len; i++) {
        struct submit *s = m->submits.items[i];
        if (s->entry.type == META_SYNCED) { /* of mirrors as they were; the master looks again */
            submit_destroy(s);
            continue;
        }
        s->sent = false;
        m->submits.items[kept++] = s;
    }
    m->submits.len = kept;
    m->submits_unsent = kept > 0;
}

/* ---- the coordinator ---- */

static uint64_t committed(const struct mirror *m)
{
    uint64_t low = m->own_version_on_disk;
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (n != m->o.self && node_in(m->members, n))
            low = u64_min(low, m->acked_version[n]);
    return low;
}

static void order(struct mirror *m, const struct meta_entry *e, struct effects *out)
{
    m->version++;
    ASSERT(e->type != META_QUEUE || e->uid);
    node_set others = others_of(m, m->members);
    if (others) {
        struct peer_msg *msg = peer_msg_create(PEER_META, m->epoch);
        msg->u.meta.version = m->version;
        meta_entry_copy(&msg->u.meta.entry, e);
        send_to(out, others, msg);
    }
    persist_meta(m, e, out);
    meta_apply(m, e, out);
    retry_early(m, out);
}

static node_id choose_master(struct mirror *m, node_id from, const struct meta_entry *e)
{
    const struct policy *p = policy_for(m, "queues", e->name);
    const char *how = e->args.master_locator ? e->args.master_locator : p ? p->master_locator : NULL;
    if (!how || e->owner.node != NODE_NONE || strcmp(how, "client-local") == 0)
        return from;
    if (strcmp(how, "random") == 0) {
        uint64_t nth = rng_below(&m->rng, node_count(m->members));
        for (node_id n = 0; n < m->o.nodes_len; n++)
            if (node_in(m->members, n) && nth-- == 0)
                return n;
    }
    uint64_t masters[LIMIT_NODES] = {0}; /* min-masters */
    size_t at = 0;
    const struct queue *q;
    while ((q = map_next(&m->queues, &at)))
        masters[q->rec.master]++;
    node_id best = from;
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (node_in(m->members, n) &&
            (masters[n] < masters[best] || (masters[n] == masters[best] && n < best)))
            best = n;
    return best;
}

static enum answer_status order_queue(struct mirror *m, node_id from, const struct meta_entry *asked,
                                      struct effects *out)
{
    if (map_get_str(&m->queues, asked->name))
        return ANSWER_EXISTS;
    struct meta_entry e;
    meta_entry_copy(&e, asked);
    e.uid = m->epoch << 32 | (m->version + 1);
    e.generation = 1;
    e.reigns.len = 0;
    e.state = QUEUE_RUNNING;
    e.master = choose_master(m, from, &e);
    reigns_add(&e.reigns, 0, e.master, m->incarnations[e.master]);
    struct placement where = {.master = e.master};
    if (e.owner.node == NODE_NONE)
        where = place(policy_for(m, "queues", e.name), e.master, NULL, 0, 0, m->members);
    e.mirrors_len = (uint8_t)where.mirrors_len;
    memcpy(e.mirrors, where.mirrors, where.mirrors_len);
    e.synced = 0;
    for (size_t i = 0; i < where.mirrors_len; i++) {
        e.synced |= node_bit(where.mirrors[i]);
        e.since[i] = (uint32_t)(m->version + 1);
    }
    order(m, &e, out);
    VEC_PUSH(&m->reviews, e.uid);
    meta_entry_finish(&e);
    return ANSWER_OK;
}

static enum answer_status order_asked(struct mirror *m, node_id from, const struct meta_entry *e,
                                      struct effects *out)
{
    const struct queue *q;
    if (!table_takes(m, e))
        return e->type == META_QUEUE && map_get_str(&m->queues, e->name) ? ANSWER_EXISTS : ANSWER_FULL;
    switch (e->type) {
    case META_QUEUE: return order_queue(m, from, e, out);
    case META_QUEUE_REMOVE:
        if (queue_by_uid(m, e->uid))
            order(m, e, out);
        return ANSWER_OK;
    case META_SYNCED:
        q = queue_by_uid(m, e->uid);
        if (q && q->rec.generation == e->generation && !node_in(q->rec.synced, e->master) &&
            added_by(&q->rec, e->master) == e->since[0]) {
            order(m, e, out);
            VEC_PUSH(&m->reviews, e->uid);
        }
        return ANSWER_OK;
    case META_POLICY:
        order(m, e, out);
        m->review_all = true;
        return ANSWER_OK;
    case META_POLICY_REMOVE:
        for (size_t i = 0; i < m->policies.len; i++)
            if (strcmp(m->policies.items[i]->name, e->name) == 0) {
                order(m, e, out);
                m->review_all = true;
                return ANSWER_OK;
            }
        return ANSWER_NOT_FOUND;
    case META_KEY:
        if (e->if_absent && map_get(&m->keys, bytes_of(e->key, e->key_len)))
            return ANSWER_EXISTS;
        if (e->queue && !map_get_str(&m->queues, e->queue))
            return ANSWER_NOT_FOUND;
        order(m, e, out);
        return ANSWER_OK;
    case META_KEY_REMOVE:
        if (!e->prefix && !map_get(&m->keys, bytes_of(e->key, e->key_len)))
            return ANSWER_NOT_FOUND;
        order(m, e, out);
        return ANSWER_OK;
    case META_FORGET:
        if (!node_in(m->cluster, e->master))
            return ANSWER_NOT_FOUND;
        if (node_in(m->members, e->master))
            return ANSWER_IN_USE;
        order(m, e, out);
        return ANSWER_OK;
    }
    return ANSWER_INVALID;
}

void handle_submit(struct mirror *m, node_id from, uint64_t req, const struct owner *owner,
                   const struct meta_entry *e, struct effects *out)
{
    (void)owner;
    enum answer_status status = order_asked(m, from, e, out);
    if (e->type == META_POLICY || e->type == META_POLICY_REMOVE)
        m->policy_version = m->version;
    RING_PUSH(&m->results, (struct result){.version = m->version, .req = req, .to = from, .status = status});
    results_flush(m, out);
}

/* masters hear when a mirror that was removed need not be waited for any more */
static void removals_flush(struct mirror *m, struct effects *out)
{
    uint64_t done = committed(m);
    while (m->removals.len && RING_AT(&m->removals, 0).version <= done) {
        struct removal r = RING_AT(&m->removals, 0);
        RING_POP(&m->removals);
        const struct queue *q = queue_by_uid(m, r.uid);
        if (!q || q->rec.master == m->o.self) {
            master_committed(m, r.uid, r.version);
            continue;
        }
        struct peer_msg *msg = peer_msg_create(PEER_COMMITTED, m->epoch);
        msg->uid = r.uid;
        msg->generation = q->rec.generation;
        msg->u.meta_ack.version = r.version;
        send_to(out, node_bit(q->rec.master), msg);
    }
}

void results_flush(struct mirror *m, struct effects *out)
{
    uint64_t done = committed(m);
    removals_flush(m, out);
    while (m->results.len && RING_AT(&m->results, 0).version <= done) {
        struct result r = RING_AT(&m->results, 0);
        RING_POP(&m->results);
        if (r.to == m->o.self) {
            handle_result(m, r.req, r.status, out);
            continue;
        }
        struct peer_msg *msg = peer_msg_create(PEER_RESULT, m->epoch);
        msg->u.result.req = r.req;
        msg->u.result.status = r.status;
        send_to(out, node_bit(r.to), msg);
    }
}

void handle_meta_ack(struct mirror *m, node_id from, uint64_t version, struct effects *out)
{
    m->acked_version[from] = u64_max(m->acked_version[from], version);
    results_flush(m, out);
}

/* Are the replicas where the policies want them? Of the queues that an entry has touched; of all where a
 * policy or the view has changed. Mirrors come and go by metadata entries; a master moves by a view change,
 * which seals and levels its replicas first. */
void review(struct mirror *m, struct effects *out)
{
    if ((!m->review_all && !m->reviews.len) || m->coordinator != m->o.self || !serving(m) ||
        m->change.running || m->leave_sent)
        return;
    bool move = false;
    VEC(uint64_t) uids = {m->reviews.items, m->reviews.len, m->reviews.cap};
    m->reviews.items = NULL;
    m->reviews.len = m->reviews.cap = 0;
    size_t at = 0;
    const struct queue *each;
    if (m->review_all)
        uids.len = 0;
    while (m->review_all && (each = map_next(&m->queues, &at)))
        VEC_PUSH(&uids, each->rec.uid);
    m->review_all = false;
    for (size_t i = 0; i < uids.len; i++) {
        const struct queue *q = queue_by_uid(m, uids.items[i]);
        if (!q || q->rec.state != QUEUE_RUNNING || q->rec.owner.node != NODE_NONE)
            continue;
        struct placement want = place(queue_policy(m, q), q->rec.master, q->rec.mirrors, q->rec.mirrors_len,
                                      q->rec.synced, m->members & ~m->leaving);
        if (want.master != q->rec.master) {
            move = true;
            continue;
        }
        if (want.mirrors_len == q->rec.mirrors_len &&
            memcmp(want.mirrors, q->rec.mirrors, want.mirrors_len) == 0)
            continue;
        struct meta_entry e;
        meta_entry_copy(&e, &q->rec);
        node_set now = 0;
        for (size_t j = 0; j < want.mirrors_len; j++) {
            now |= node_bit(want.mirrors[j]);
            bool there = in_mirrors(q, want.mirrors[j]);
            e.since[j] = there ? added_by(&q->rec, want.mirrors[j]) : (uint32_t)(m->version + 1);
        }
        bool removes = false;
        for (size_t j = 0; j < q->rec.mirrors_len; j++)
            removes = removes || !node_in(now, q->rec.mirrors[j]);
        memcpy(e.mirrors, want.mirrors, want.mirrors_len);
        e.mirrors_len = (uint8_t)want.mirrors_len;
        e.synced &= now;
        order(m, &e, out);
        if (removes)
            RING_PUSH(&m->removals, (struct removal){.version = m->version, .uid = e.uid});
        meta_entry_finish(&e);
    }
    VEC_FREE(&uids);
    /* Not while a change of a policy has no answer: after a change of the view it would be asked for again,
     * and two that want the master in different places would move it to and fro for ever. */
    if (move && m->policy_version > committed(m))
        m->review_all = true;
    else if (move)
        begin_change(m, out);
}

/* ---- every member ---- */

void handle_meta(struct mirror *m, struct peer_msg *msg, struct effects *out)
{
    if (msg->u.meta.version != m->version + 1)
        return; /* of before the snapshot that brought us here */
    m->version = msg->u.meta.version;
    persist_meta(m, &msg->u.meta.entry, out);
    meta_apply(m, &msg->u.meta.entry, out);
    retry_early(m, out);
}

void handle_result(struct mirror *m, uint64_t req, enum answer_status status, struct effects *out)
{
    size_t at;
    struct submit *s = find_submit(m, req, &at);
    if (!s)
        return;
    VEC_REMOVE(&m->submits, at);
    if (s->pending)
        command_submitted(m, s->pending, status, out);
    if (s->reply_to != NODE_NONE)
        reply(m, s->entry.uid, s->entry.generation, s->reply_to,
              &(struct outgoing){.req = s->reply_req, .status = ANSWER_OK, .messages = s->reply_count}, out);
    submit_destroy(s);
}

/* install.c: a member adopts a new view. First it sends the repairs it was asked for, then every queue gets
 * its new role; when all members are level they serve: new masters take over, publishers' nodes offer again
 * what was not confirmed, consumers are resumed or told. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

static void send_repair(struct mirror *m, const struct repair *r, uint64_t epoch, struct effects *out)
{
    struct queue *q = queue_by_uid(m, r->uid);
    if (!q)
        return;
    ASSERT(q->op >= r->upto && q->op - q->retained.len <= r->from);
    for (uint64_t sent = r->from; sent < r->upto;) {
        struct peer_msg *msg = ops_batch(m, q, epoch, sent + 1, r->upto);
        msg->u.ops.repair = true;
        sent += msg->u.ops.ops_len;
        send_to(out, node_bit(r->node), msg);
    }
}

/* a master that hands over keeps its content as a mirror in sync */
static void demote(struct mirror *m, struct queue *q)
{
    handover_collect(m, q);
    q->origins.len = 0;
    for (size_t i = 0; i < q->master->origins.len; i++)
        VEC_PUSH(&q->origins, q->master->origins.items[i].o); /* join 0: all of it is there */
    master_end(m, q);
    q->role = ROLE_MIRROR;
    q->synced = q->synced_told = true; /* who takes over tells what there is to tell */
    q->join = 0;
}

static void new_role(struct mirror *m, struct queue *q, uint64_t old_generation, struct effects *out)
{
    const struct meta_entry *e = &q->rec;
    bool mine = e->state == QUEUE_RUNNING && e->master == m->o.self;
    if (mine) {
        if (q->role == ROLE_MASTER && e->generation != old_generation)
            demote(m, q); /* promoted again below */
        q->promoting = q->role != ROLE_MASTER;
    } else if (e->state == QUEUE_RUNNING && in_mirrors(q, m->o.self) && q->role != ROLE_NONE) {
        q->promoting = false;
        if (q->role == ROLE_MASTER)
            demote(m, q);
        q->since =
            added_by(e, m->o.self); /* removed and added again, it may know of neither: it is level now */
    } else {
        q->promoting = false;
        if (q->role != ROLE_NONE || q->recovered)
            replica_discard(m, q, out);
    }
    sync_incoming_drop(q);
}

static void install_queues(struct mirror *m, const struct meta_entry *entries, size_t len,
                           struct effects *out)
{
    struct map kept = {0};
    for (size_t i = 0; i < len; i++)
        if (entries[i].type == META_QUEUE)
            map_set_u64(&kept, entries[i].uid, m);
    size_t at = 0;
    struct queue *q;
    while ((q = map_next(&m->queues, &at)))
        if (!map_get_u64(&kept, q->rec.uid))
            queue_drop(m, q, false, out);
    map_finish(&kept);
    for (size_t i = 0; i < len; i++) {
        const struct meta_entry *e = &entries[i];
        if (e->type != META_QUEUE)
            continue;
        q = queue_by_uid(m, e->uid);
        uint64_t old_generation = e->generation;
        if (q) {
            struct meta_entry old = q->rec;
            old_generation = old.generation;
            meta_entry_copy(&q->rec, e);
            meta_entry_finish(&old);
        } else {
            q = queue_create(m, e);
        }
        new_role(m, q, old_generation, out);
        q->reigns = e->reigns;
        q->repair_upto = 0;
    }
}

static void tell_members(struct mirror *m, node_set before, node_set clean, struct effects *out)
{
    if (m->coordinator != m->o.self)
        return; /* one node tells it */
    for (node_id n = 0; n < m->o.nodes_len; n++) {
        if (node_in(before & ~m->members, n))
            tell(out, "node", NULL, "%s %s", m->names[n], node_in(clean, n) ? "was stopped" : "is down");
        if (node_in(m->members & ~before, n))
            tell(out, "node", NULL, "%s is up", m->names[n]);
    }
}

void install(struct mirror *m, const struct peer_msg *msg, struct effects *out)
{
    for (size_t i = 0; i < msg->u.install.repairs_len; i++)
        if (msg->u.install.repairs[i].source == m->o.self)
            send_repair(m, &msg->u.install.repairs[i], msg->epoch, out);

    node_set before = m->phase == PHASE_STARTING ? 0 : m->members;
    m->shun = 0;
    if (m->candidate != m->o.self)
        memset(m->cuts, 0, sizeof(m->cuts)); /* the members said so to the one that led */
    m->phase = PHASE_CHANGING;
    m->epoch = m->promised = msg->epoch;
    m->coordinator = m->candidate;
    m->members = m->joined = 0;
    m->fresh = false;
    m->meta_life++;
    leftovers_clear(&m->handed_over);
    m->own_version_on_disk = m->version_to_ack = 0;
    for (size_t i = 0; i < msg->u.install.members_len; i++) {
        const struct view_member *v = &msg->u.install.members[i];
        if (v->node >= m->o.nodes_len)
            continue;
        m->members |= node_bit(v->node);
        if (!node_in(before, v->node) || m->incarnations[v->node] != v->incarnation ||
            m->joins[v->node] != v->join)
            m->joined |= node_bit(v->node);
        m->joins[v->node] = v->join;
        m->incarnations[v->node] = v->incarnation;
        m->with_us[v->node] = msg->epoch;
    }
    node_set returned = m->leaving & m->joined; /* another life than the one that left */
    m->excluded_by &= ~m->members;
    m->excluded_at = 0;
    m->broken &= m->members & ~m->joined; /* what was lost before this view does not count in it */
    m->partitioned &= ~m->members;        /* who comes back is of this view */
    memset(m->acked_version, 0, sizeof(m->acked_version));
    m->policy_version = 0;
    while (m->results.len)
        RING_POP(&m->results); /* who asked asks again */
    RING_FREE(&m->removals);

    m->version = msg->u.install.version;
    m->lost = msg->u.install.lost;
    m->cluster = msg->u.install.cluster;
    forgotten_replace(m, msg->u.install.forgotten, msg->u.install.forgotten_len);
    persist_view(m, msg->u.install.entries, msg->u.install.entries_len, out);
    m->view_lsn = m->handed_out;
    meta_replace(m, msg->u.install.entries, msg->u.install.entries_len, out);
    install_queues(m, msg->u.install.entries, msg->u.install.entries_len, out);
    tell_apart(m, before, out);
    held_refuse(m, out);
    tell_members(m, before, m->leaving, out);
    m->leaving &= ~returned;

    for (size_t i = 0; i < msg->u.install.repairs_len; i++) {
        const struct repair *r = &msg->u.install.repairs[i];
        struct queue *q = r->node == m->o.self ? queue_by_uid(m, r->uid) : NULL;
        if (q && q->role != ROLE_NONE)
            q->repair_upto = r->upto;
    }
    m->installed_waits = true;
    retry_early(m, out);
    repairs_check(m, out);
}

/* the copies a master has, as the new view lists them; everybody is level now */
static void level_copies(struct queue *q)
{
    struct master *ms = q->master;
    VEC(struct copy) fresh = {0};
    for (size_t i = 0; i < q->rec.mirrors_len; i++) {
        node_id n = q->rec.mirrors[i];
        struct copy *old = find_copy(q, n);
        struct copy c =
            old ? *old : (struct copy){.node = n, .join = UINT64_MAX, .synced = node_in(q->rec.synced, n)};
        c.applied = q->op;
        c.since = q->rec.since[i];
        c.counted = node_in(q->rec.synced, n);
        c.synced = c.synced || c.counted;
        if (c.synced)
            c.join = 0;
        VEC_PUSH(&fresh, c);
    }
    free(ms->copies.items);
    ms->copies.items = fresh.items;
    ms->copies.len = fresh.len;
    ms->copies.cap = fresh.cap;
    ms->sent = q->op;
}

/* publishers' nodes that are gone will not ask again; their numbers may be in use only while confirms wait */
static void forget_origins(const struct mirror *m, struct master *ms)
{
    if (ms->confirms.len)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < ms->origins.len; i++) {
        struct origin_at *o = &ms->origins.items[i];
        if (node_in(m->members, o->o.node) && m->incarnations[o->o.node] == o->o.incarnation)
            ms->origins.items[kept++] = *o;
        else
            VEC_FREE(&o->rejected);
    }
    ms->origins.len = kept;
}

/* acknowledgements that came during the change count before their senders are counted out */
static void settle_deferred(struct mirror *m, struct queue *q, struct effects *out)
{
    for (size_t i = 0; i < m->deferred.len; i++) {
        const struct held_msg *h = &m->deferred.items[i];
        if (h->msg->type == PEER_SETTLE && h->msg->uid == q->rec.uid &&
            h->msg->generation == q->rec.generation) {
            handle_settle(m, q, h->from, h->msg->u.settle.sub, h->msg->u.settle.how, h->msg->u.settle.ids,
                          h->msg->u.settle.ids_len, out);
            h->msg->u.settle.ids_len = 0;
        }
    }
}

static void serve_master(struct mirror *m, struct queue *q, bool promoted, struct effects *out)
{
    node_set gone = 0;
    level_copies(q);
    retained_clear(q);
    if (promoted)
        promoted_ops(m, q);
    else
        settle_deferred(m, q, out);
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (!node_in(m->members, n))
            gone |= node_bit(n);
    consumers_of_node_gone(m, q, gone);
    forget_origins(m, q->master);
    if (q->master->sync.running) {
        bool requested = q->master->sync.requested;
        sync_stop(m, q, false, out);
        if (requested)
            sync_begin(m, q, true, out);
    }
    sync_maybe(m, q, out);
    master_check_synced(m, q);
    queue_touch(m, q);
}

static void serve_queue(struct mirror *m, struct queue *q, struct effects *out)
{
    q->repair_upto = 0;
    if (q->promoting) {
        promote(m, q, out);
        serve_master(m, q, true, out);
    } else if (q->role == ROLE_MASTER) {
        serve_master(m, q, false, out);
    } else if (q->role == ROLE_MIRROR) {
        retained_trim(q, q->level_op);
        if (node_in(q->rec.synced, m->o.self))
            replica_synced(m, q, out);
        q->told_applied = q->told_durable = UINT64_MAX; /* the master wants to hear from us */
    }
    if (q->rec.generation != q->served_generation || q->rec.state != QUEUE_RUNNING) {
        q->served_generation = q->rec.generation;
        if (q->rec.state != QUEUE_RUNNING)
            stream_end(m, q, CONFIRM_NACK, out);
        else if (q->stream)
            q->stream->offered = q->stream->base;
        subs_resume(m, q, out);
    }
    queue_touch(m, q);
}

void serve(struct mirror *m, struct effects *out)
{
    leftovers_clear(&m->leftovers);
    m->phase = PHASE_SERVING;
    if (m->served)
        send_hello(m, m->links & ~m->members, out); /* who is in another view sees what became of this one */
    view_served(m, out);
    /* all members tell it: the coordinator may have no link to who leaves */
    send_left(m, (m->leaving | m->wants_left) & m->links & ~m->members, out);
    m->wants_left = 0;
    note_sides(m);
    m->leaving &= m->members; /* who left is out */
    m->recovered_others = 0;
    resubmit(m);
    size_t at = 0;
    struct queue *q;
    while ((q = map_next(&m->queues, &at)))
        serve_queue(m, q, out);
    if (!m->serving_told && !m->stopping) {
        m->serving_told = true;
        effects_add(out, FX_SERVING)->u.serving.on = true;
    }
    VEC(struct held_msg) waiting = {m->deferred.items, m->deferred.len, m->deferred.cap};
    m->deferred.items = NULL;
    m->deferred.len = m->deferred.cap = 0;
    for (size_t i = 0; i < waiting.len; i++)
        receive_session(m, waiting.items[i].from, waiting.items[i].msg, out);
    drop_held(waiting.items, waiting.len);
    free(waiting.items);
    retry_early(m, out);
    m->retry_wanted = m->review_all = true;
    heal_check(m, out);
}

/* look.c: pure queries: what a node knows, for screens, tools and checkers. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

struct view_info mirror_view(const struct mirror *m)
{
    struct view_info v = {
        .epoch = m->epoch,
        .members = m->phase == PHASE_STARTING ? 0 : m->members,
        .coordinator = m->coordinator,
        .self = m->o.self,
        .phase = m->phase,
        .partitioned = m->partitioned,
    };
    v.known = m->cluster | node_bit(m->o.self);
    if (m->phase == PHASE_STARTING) {
        node_set here = node_bit(m->o.self);
        for (node_id n = 0; n < m->o.nodes_len; n++)
            if (node_in(m->links, n) && m->peers[n].known)
                here |= node_bit(n);
        if (m->o.paused && 2 * node_count(here & m->cluster) <= node_count(m->cluster))
            v.phase = PHASE_PAUSED;
        v.waiting_for = view_waits_for(m);
        v.ran_last = m->recovered_others;
    }
    return v;
}

const char *mirror_node_name(const struct mirror *m, node_id n)
{
    return n < m->o.nodes_len ? m->names[n] : "?";
}

struct queue *mirror_find_queue(const struct mirror *m, const char *name)
{
    return map_get_str(&m->queues, name);
}

struct queue *mirror_next_queue(const struct mirror *m, size_t *at)
{
    return map_next(&m->queues, at);
}

struct queue *mirror_find_queue_uid(const struct mirror *m, uint64_t uid)
{
    return queue_by_uid(m, uid);
}

bool mirror_queue_blocked(const struct mirror *m, const struct queue *q)
{
    (void)m;
    return q->stream && q->stream->blocked;
}

bool mirror_queue_serves(const struct mirror *m, const struct queue *q)
{
    (void)m;
    return q->rec.state == QUEUE_RUNNING || q->rec.state == QUEUE_SYNCING;
}

void mirror_queue_info(const struct mirror *m, const struct queue *q, struct queue_info *out)
{
    const struct policy *p = queue_policy(m, q);
    *out = (struct queue_info){
        .name = q->rec.name,
        .uid = q->rec.uid,
        .generation = q->rec.generation,
        .state = q->rec.state,
        .master = q->rec.master,
        .mirrors_len = q->rec.mirrors_len,
        .synced = q->rec.synced,
        .durable = q->rec.durable,
        .auto_delete = q->rec.auto_delete,
        .owner = q->rec.owner,
        .args = &q->rec.args,
        .policy = p ? p->name : NULL,
        .definition = p ? p->definition : "{}",
        .sync_messages = -1,
        .replica = q->role == ROLE_MIRROR,
        .replica_depth = content_depth(&q->content),
    };
    memcpy(out->mirrors, q->rec.mirrors, sizeof(out->mirrors));
    if (!q->master)
        return;
    const struct master *ms = q->master;
    out->local = true;
    if (ms->sync.running) {
        out->state = QUEUE_SYNCING;
        out->sync_messages = INT64_MAX;
        for (node_id n = 0; n < LIMIT_NODES; n++)
            if (node_in(ms->sync.targets, n) && (int64_t)ms->sync.acked[n] < out->sync_messages)
                out->sync_messages = (int64_t)ms->sync.acked[n];
    }
    out->ready = q->content.ready;
    out->unacked = q->content.unacked;
    out->consumers = ms->consumers_len;
    out->bytes_ready = q->content.bytes_ready;
    out->bytes_unacked = q->content.bytes_unacked;
    out->persistent = q->content.persistent;
    out->paged_ready = q->content.paged_ready;
    out->paged_unacked = q->content.paged_unacked;
    out->bytes_paged = q->content.bytes_paged;
    out->published = ms->published;
    out->delivered = ms->delivered;
    out->acked = ms->acked;
    out->redelivered = ms->redelivered;
    out->got = ms->got;
}

bool mirror_queue_walk(const struct mirror *m, const struct queue *q, msg_id *at, struct held *out)
{
    (void)m;
    const struct slot *s = content_walk(&q->content, at);
    if (!s)
        return false;
    *out = (struct held){
        .id = *at - 1, .unacked = s->state == SLOT_UNACKED, .redelivered = s->redelivered, .msg = s->msg};
    return true;
}

bool mirror_next_sub(const struct mirror *m, const struct queue *q, size_t *at, struct sub_info *out)
{
    (void)m;
    if (!q->master)
        return false;
    while (*at < q->master->consumers.len) {
        const struct consumer *c = q->master->consumers.items[(*at)++];
        if (!c || !c->sub || c->gone)
            continue;
        *out = (struct sub_info){.queue = q,
                                 .node = c->node,
                                 .sub = c->sub,
                                 .active = !q->master->active || q->master->active == c,
                                 .exclusive = c->exclusive,
                                 .no_ack = c->no_ack,
                                 .prefetch = c->prefetch};
        return true;
    }
    return false;
}

bool mirror_sub_active(const struct mirror *m, uint64_t sub, bool *single)
{
    const struct subscription *s = map_get_u64(&m->subs, sub);
    const struct queue *q = s ? queue_by_uid(m, s->uid) : NULL;
    *single = q && q->rec.args.single_active_consumer;
    return !*single || s->active;
}

static struct policy_info describe(const struct policy *p)
{
    return (struct policy_info){p->name, p->pattern, p->apply_to, p->definition, p->priority};
}

bool mirror_next_policy(const struct mirror *m, size_t *at, struct policy_info *out)
{
    if (*at >= m->policies.len)
        return false;
    *out = describe(m->policies.items[(*at)++]);
    return true;
}

bool mirror_policy_for(const struct mirror *m, const char *what, const char *name, struct policy_info *out)
{
    const struct policy *p = policy_for(m, what, name);
    if (p)
        *out = describe(p);
    return p != NULL;
}

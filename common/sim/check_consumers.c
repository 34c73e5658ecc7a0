/* check_consumers.c: consumers. What one has not settled is nobody else's; who takes without acknowledging
 * gets a message once; of a queue with a single active consumer that one gets all until it goes, and who came
 * next is next; who asked to hear of a failover does, and nobody else. Once it is calm nobody waits for what
 * is there (I12). */
#include "sim/world.h"

/* It is there, for its node and for all that are in a view with that. */
static bool stays(const struct sim *s, const struct sub *c)
{
    return !c->over && !c->leaving && s->nodes[c->node].m && s->nodes[c->node].lives == c->life &&
           !s->nodes[c->node].stopping;
}

bool check_has(const struct sim *s, const struct ledger_message *m, uint64_t generation)
{
    if (!m->taker || s->cuts > 0) /* its node may have been left out */
        return false;
    const struct sim_delivery *d = &s->deliveries.items[m->taker - 1];
    return !d->settled && d->generation == generation && s->nodes[d->node].m &&
           s->nodes[d->node].lives == d->life && !s->nodes[d->node].stopping;
}

/* Sub a came to the queue's master before sub b, as far as clients can know: it was answered before b was
 * asked for, both by this master; or both are one node's and followed the queue here, in their order. */
static bool came_before(const struct sim *s, uint64_t a, uint64_t b, uint64_t generation)
{
    const struct sub *x = &s->subs.items[a - 1], *y = &s->subs.items[b - 1];
    if (x->queue != y->queue || !x->since_ms || !y->since_ms || x->since_step >= y->asked_step)
        return false;
    bool both_here = x->first_generation == generation && y->first_generation == generation;
    bool both_followed = x->first_generation < generation && y->first_generation < generation;
    return both_here || (both_followed && x->node == y->node && x->life == y->life);
}

/* This one has become the single active consumer: of those that are there it came first. */
static void check_first(struct sim *s, const char *queue, uint64_t sub, uint64_t generation)
{
    for (uint64_t other = 1; other < sub; other++)
        if (stays(s, &s->subs.items[other - 1]) && came_before(s, other, sub, generation))
            sim_fail(s, "single", "sub %llu is the active consumer of %s, and sub %llu came before it",
                     (unsigned long long)sub, queue, (unsigned long long)other);
}

/* The single active consumer is whoever got something first; another one may only follow when it has gone. */
static void check_single(struct sim *s, struct ledger_queue *lq, const struct sim_delivery *d)
{
    if (!lq->single_active || d->sub == 0 || s->cuts > 0 || s->subs.items[d->sub - 1].leaving)
        return; /* what was on its way to one that leaves still comes */
    if (lq->single_generation == d->generation && lq->single_sub != d->sub &&
        stays(s, &s->subs.items[lq->single_sub - 1]))
        sim_fail(s, "single", "sub %llu gets m%u of %s, whose single active consumer is sub %llu",
                 (unsigned long long)d->sub, d->message, lq->name, (unsigned long long)lq->single_sub);
    if (lq->single_generation < d->generation ||
        (lq->single_generation == d->generation && lq->single_sub != d->sub))
        check_first(s, lq->name, d->sub, d->generation);
    if (lq->single_generation <= d->generation) {
        lq->single_generation = d->generation;
        lq->single_sub = d->sub;
    }
}

void check_handed_out(struct sim *s, node_id n, uint32_t delivery, bool no_ack, bool late)
{
    const struct sim_delivery *d = &s->deliveries.items[delivery];
    struct ledger_message *m = &s->ledger.messages.items[d->message];
    struct ledger_queue *lq = &s->ledger.queues.items[m->queue];
    if (check_has(s, m, d->generation))
        sim_fail(s, "taken", "%s hands out m%u of %s to sub %llu; sub %llu has it and did not settle it",
                 s->names[n], d->message, lq->name, (unsigned long long)d->sub,
                 (unsigned long long)s->deliveries.items[m->taker - 1].sub);
    uint64_t present = check_shown(s, n, m->queue)->generation;
    if (d->sub == 0 && !no_ack && present > d->generation)
        sim_fail(s, "taken", "%s answers a get with m%u of %s, which an earlier master took for it",
                 s->names[n], d->message, lq->name);
    bool all_disks = s->counts[SIM_FORGOTTEN] == 0 && s->counts[SIM_DISKS_LOST] == 0;
    if (m->auto_acked && !m->again && s->cuts == 0 && all_disks && !s->forced)
        sim_fail(s, "I5", "%s hands out m%u of %s, which somebody took who does not acknowledge", s->names[n],
                 d->message, lq->name);
    if (!late)
        check_single(s, lq, d);
    if (m->discarded_in == d->generation)
        m->discarded_in = 0; /* who rejected it went before its master heard of that */
    m->auto_acked = m->auto_acked || no_ack;
    m->taker = no_ack ? 0 : (uint64_t)delivery + 1;
    const struct sub *c = d->sub ? &s->subs.items[d->sub - 1] : NULL;
    /* what a master gave away that hands over in order still comes to those who do not acknowledge */
    if (c && c->cancel_on_failover && !no_ack && c->since_ms && c->first_generation < d->generation)
        sim_fail(s, "cancel", "sub %llu gets m%u from a new master of %s, and wanted to be cancelled then",
                 (unsigned long long)d->sub, d->message, lq->name);
}

const struct seen_info *check_shown(struct sim *s, node_id n, uint32_t queue)
{
    const struct seen_queue *sq = seen_queue(s, n, queue);
    enum node_phase phase = s->check.nodes[n].view.phase;
    return phase == PHASE_SERVING || phase == PHASE_STOPPING ? &sq->now : &sq->changing;
}

void check_cancelled(struct sim *s, node_id n, uint64_t sub)
{
    const struct sub *c = &s->subs.items[sub - 1];
    const struct seen_info *here = check_shown(s, n, c->queue);
    bool moved = here->generation > c->first_generation;
    if (seen_queue(s, n, c->queue)->present && here->state == QUEUE_RUNNING &&
        !(c->cancel_on_failover && moved))
        sim_fail(s, "cancel", "%s cancels sub %llu, and %s is there, with %s master", s->names[n],
                 (unsigned long long)sub, s->ledger.queues.items[c->queue].name,
                 moved ? "another" : "the same");
}

/* It was answered. Its queue may be another one than when it was asked: declared since, or deleted and
 * declared. */
static void look_again(struct sim *s, struct ask *a)
{
    struct queue *q = mirror_find_queue(s->nodes[a->node].m, a->about);
    struct queue_info info;
    if (!q)
        return;
    mirror_queue_info(s->nodes[a->node].m, q, &info);
    a->queue = ledger_queue_of(&s->ledger, info.name, info.uid);
}

/* A declare, a get or a consumer keeps its queue from expiring, from when it was asked at the earliest. */
void check_used(struct sim *s, uint64_t ask)
{
    struct ask *a = &s->asks.items[ask - 1];
    enum answer_status how = a->answer.status;
    if ((a->type == EV_DECLARE || a->type == EV_SUBSCRIBE) && how == ANSWER_OK)
        look_again(s, a);
    if (a->queue == UINT32_MAX)
        return;
    struct ledger_queue *lq = &s->ledger.queues.items[a->queue];
    lq->changed_ms = s->now_us / 1000;
    if ((a->type == EV_DECLARE || a->type == EV_GET || a->type == EV_SUBSCRIBE) &&
        (how == ANSWER_OK || how == ANSWER_EMPTY))
        lq->used_ms = u64_max(lq->used_ms, a->asked_ms);
    if (a->type == EV_SUBSCRIBE && how == ANSWER_OK) {
        struct sub *c = &s->subs.items[a->sub - 1];
        c->queue = a->queue;
        c->since_ms = s->now_us / 1000;
        c->since_step = s->steps;
        c->first_generation = check_shown(s, a->node, a->queue)->generation;
    }
    if (a->type == EV_GET && lq->exclusive && a->client != CLIENT_NONE && how != ANSWER_LOCKED &&
        how != ANSWER_NOT_FOUND && how != ANSWER_NOT_SERVING)
        sim_fail(s, "exclusive", "%s lets another connection than its owner's get from %s", s->names[a->node],
                 lq->name);
}

static const struct queue *find(const struct sim *s, node_id n, const struct queue_info *info)
{
    return mirror_find_queue_uid(s->nodes[n].m, info->uid);
}

/* What the master says of this consumer; false: it does not know it. */
static bool known(const struct sim *s, node_id n, const struct queue_info *info, uint64_t sub,
                  struct sub_info *out)
{
    size_t at = 0;
    if (s->options.sabotage == SABOTAGE_CONSUMER_HIDDEN)
        return false;
    while (mirror_next_sub(s->nodes[n].m, find(s, n, info), &at, out))
        if (out->sub == sub && out->node == s->subs.items[sub - 1].node)
            return true;
    return false;
}

/* Nothing is on its way. n is the queue's master. */
void check_consumers_calm(struct sim *s, node_id n, uint32_t queue, const struct queue_info *info)
{
    unsigned subscribed = 0, active = 0;
    if (info->auto_delete && !info->consumers && seen_queue(s, n, queue)->consumed_in == info->generation)
        sim_fail(s, "I12", "%s has had consumers on %s, has none, and is there: it is auto-delete",
                 info->name, s->names[n]);
    for (uint64_t sub = 1; sub <= s->subs.len; sub++) {
        const struct sub *c = &s->subs.items[sub - 1];
        struct sub_info at_master;
        if (c->queue != queue || !c->since_ms || !stays(s, c) ||
            !node_in(s->check.nodes[n].view.members, c->node))
            continue;
        if (!known(s, n, info, sub, &at_master)) {
            sim_fail(s, "I12", "%s, the master of %s, does not know sub %llu on %s", s->names[n], info->name,
                     (unsigned long long)sub, s->names[c->node]);
            return;
        }
        bool single = false;
        if (info->args->single_active_consumer &&
            at_master.active != mirror_sub_active(s->nodes[c->node].m, sub, &single))
            sim_fail(s, "single", "%s says sub %llu of %s is %sactive, and its node %s does not", s->names[n],
                     (unsigned long long)sub, info->name, at_master.active ? "" : "not ", s->names[c->node]);
        if (info->args->single_active_consumer && at_master.active && s->cuts == 0)
            check_first(s, info->name, sub, info->generation);
        subscribed++;
        active += at_master.active;
        uint32_t has = c->current_generation == info->generation ? c->outstanding : 0;
        if (info->ready && at_master.active && (!c->prefetch || has < c->prefetch))
            sim_fail(s, "I12", "%s keeps %llu messages of %s ready, and sub %llu would take one", s->names[n],
                     (unsigned long long)info->ready, info->name, (unsigned long long)sub);
    }
    if (info->args->single_active_consumer && subscribed && active != 1)
        sim_fail(s, "single", "%s has %u consumers of %s, and %u of them are active", s->names[n], subscribed,
                 info->name, active);
}

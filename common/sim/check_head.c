/* check_head.c: what one step made of a master's messages. They leave from the head of the queue, whether a
 * consumer takes them, their time is over or there are too many: of the highest priority the oldest (I7).
 * There are never more than the limits allow. What is given up is dead-lettered once, for the true reason. */
#include "sim/world.h"

/* a is handed out, or dropped, before b */
static bool precedes(const struct sim *s, const struct seen_message *a, const struct seen_message *b)
{
    uint32_t pa = ledger_order(&s->ledger, a->message), pb = ledger_order(&s->ledger, b->message);
    return pa != pb ? pa > pb : a->id < b->id;
}

struct step_change {
    const struct seen_message *left;   /* was ready and is not: the last of these in the queue's order */
    const struct seen_message *stayed; /* ready before and after, never delivered: the first of these */
    bool came, came_back; /* something is there that was not; something that was delivered is ready again */
    uint64_t ready_before, bytes_before, ready, bytes;
};

/* A message that a consumer has leaves it by what that consumer says, or with it. */
static void check_kept(struct sim *s, node_id n, uint32_t queue, const struct seen_message *was, bool gone)
{
    const struct ledger_message *m = &s->ledger.messages.items[was->message];
    if (check_has(s, m, s->check.nodes[n].queues.items[queue].now.generation))
        sim_fail(s, "taken", "%s %s m%u of %s, which sub %llu has and did not settle", s->names[n],
                 gone ? "removes" : "puts back", was->message, s->ledger.queues.items[queue].name,
                 (unsigned long long)s->deliveries.items[m->taker - 1].sub);
}

/* It is not there any more. Who does not acknowledge may have got it; else it was given up. */
static void note_gone(struct sim *s, const struct ledger_queue *lq, const struct seen_message *was,
                      const struct queue_info *info)
{
    const struct ledger_message *m = &s->ledger.messages.items[was->message];
    bool rejected = was->unacked && m->discarded_in == info->generation && s->cuts == 0;
    if (rejected || (!was->unacked && !lq->auto_ack))
        VEC_PUSH(&s->check.given_up, was->message);
}

static void compare(struct sim *s, node_id n, uint32_t queue, const struct queue_info *info, bool steady,
                    struct step_change *d)
{
    const struct check *c = &s->check;
    const struct seen_queue *sq = &c->nodes[n].queues.items[queue];
    const struct ledger_queue *lq = &s->ledger.queues.items[queue];
    for (size_t i = 0, k = 0; i < sq->items.len || k < c->walk.len;) {
        const struct seen_message *was = i < sq->items.len ? &sq->items.items[i] : NULL;
        const struct seen_message *is = k < c->walk.len ? &c->walk.items[k] : NULL;
        if (was && is && was->id != is->id)
            *(was->id < is->id ? &is : &was) = NULL;
        i += was != NULL;
        k += is != NULL;
        bool was_ready = was && !was->unacked, is_ready = is && !is->unacked;
        d->ready_before += was_ready;
        d->bytes_before += was_ready ? ledger_bytes(was->message) : 0;
        d->ready += is_ready;
        d->bytes += is_ready ? ledger_bytes(is->message) : 0;
        d->came = d->came || !was;
        d->came_back = d->came_back || (is_ready && (was ? !was_ready : is->redelivered));
        if (was_ready && !is_ready && (!d->left || precedes(s, d->left, was)))
            d->left = was;
        if (was_ready && is_ready && !is->redelivered && (!d->stayed || precedes(s, is, d->stayed)))
            d->stayed = is;
        if (was && was->unacked && !(is && is->unacked))
            check_kept(s, n, queue, was, !is);
        if (was && !is && steady && lq->limits.dead_letters)
            note_gone(s, lq, was, info);
    }
}

static void check_length(struct sim *s, node_id n, const struct ledger_queue *lq, const struct step_change *d,
                         const struct queue_info *info)
{
    const struct queue_limits *l = &lq->limits;
    uint64_t length = l->max_length < 0 ? UINT64_MAX : (uint64_t)l->max_length;
    uint64_t bytes = l->max_bytes < 0 ? UINT64_MAX : (uint64_t)l->max_bytes;
    bool rejects = l->rejects || l->rejects_dead;
    /* what comes back may be too much, until the end of the turn or, where new ones are refused, for longer
     */
    bool holds = rejects ? d->came && !d->came_back
                         : s->stepping == EV_TURN_END && info->state == QUEUE_RUNNING &&
                               s->check.nodes[n].view.phase == PHASE_SERVING;
    if (!holds)
        return;
    length = rejects ? u64_max(length, d->ready_before) : length;
    bytes = rejects ? u64_max(bytes, d->bytes_before) : bytes;
    bool many = d->ready > length;
    if (many || d->bytes > bytes)
        sim_fail(s, "limits", "%s has %llu %s ready in %s; %s %lld", s->names[n],
                 (unsigned long long)(many ? d->ready : d->bytes), many ? "messages" : "bytes", lq->name,
                 rejects ? "it refuses what is more than" : "it may have",
                 (long long)(many ? l->max_length : l->max_bytes));
}

/* n is the queue's master. check.walk is what it holds after the step, its seen_queue what it held before. */
void check_head(struct sim *s, node_id n, uint32_t queue, const struct queue_info *info)
{
    struct seen_queue *sq = &s->check.nodes[n].queues.items[queue];
    const struct ledger_queue *lq = &s->ledger.queues.items[queue];
    bool went_on = sq->now.valid && sq->now.local && sq->now.life == s->nodes[n].lives &&
                   sq->now.generation == info->generation;
    bool same_limits = sq->limits_changes == lq->limits_changes;
    bool purging = lq->purges > 0 || lq->purge_unclear || lq->deletion || lq->gone;
    sq->limits_changes = lq->limits_changes;
    if (!went_on || s->options.sabotage == SABOTAGE_TRANSIENT_FORGOTTEN)
        return;
    struct step_change d = {0};
    compare(s, n, queue, info, same_limits && !purging, &d);
    if (d.left && d.stayed && !purging && precedes(s, d.stayed, d.left))
        sim_fail(s, "I7", "m%u (id %llu, priority %u) leaves %s before m%u (id %llu, priority %u)",
                 d.left->message, (unsigned long long)d.left->id, ledger_order(&s->ledger, d.left->message),
                 lq->name, d.stayed->message, (unsigned long long)d.stayed->id,
                 ledger_order(&s->ledger, d.stayed->message));
    if (same_limits)
        check_length(s, n, lq, &d, info);
}

/* ---- dead letters ---- */

static const char *wrong_reason(const struct sim *s, const struct ledger_queue *lq,
                                const struct ledger_message *m, uint64_t generation, enum death reason)
{
    switch (reason) {
    case DEATH_REJECTED:
        return m->discarded_in == generation || (m->discarded_in && s->cuts > 0) ? NULL
                                                                                 : "no client rejected it";
    case DEATH_EXPIRED:
        return lq->ttl_ms && (!m->placed || s->counts[SIM_CLOCK_JUMPS] ||
                              s->now_us / 1000 >= check_time_began(s, lq, m) + lq->ttl_ms - 1)
                   ? NULL
                   : "its time is not over";
    case DEATH_MAXLEN: return lq->max_length || lq->max_bytes ? NULL : "its queue has no length";
    }
    return "for no reason";
}

void check_dead_letter(struct sim *s, node_id n, const struct effect *fx)
{
    uint32_t message;
    if (!ledger_which(&s->ledger, fx->u.dead_letter.msg, &message)) {
        sim_fail(s, "dead-letter", "%s dead-letters a message that nobody published", s->names[n]);
        return;
    }
    struct ledger_message *m = &s->ledger.messages.items[message];
    const struct ledger_queue *lq = &s->ledger.queues.items[m->queue];
    uint64_t generation = check_shown(s, n, m->queue)->generation;
    const char *key = fx->u.dead_letter.key ? fx->u.dead_letter.key : "";
    const char *wrong = wrong_reason(s, lq, m, generation, fx->u.dead_letter.reason);
    sim_tell(s, "      dead letter m%u of %s", message, lq->name);
    if (!lq->dead_lettered_once || strcmp(fx->u.dead_letter.exchange, "dlx") != 0 ||
        strcmp(fx->u.dead_letter.queue, lq->name) != 0 ||
        strcmp(key, lq->dead_letter_key ? lq->dead_letter_key : "") != 0)
        wrong = "that is not where this queue's dead letters go";
    /* One master in one life. Another one may bear the same number: on another side of a partition, or where
     * an operator forced a node to start that knows of no later one. */
    if (m->dead_in == generation && m->dead_at == n && m->dead_life == s->nodes[n].lives)
        wrong = "it did so before";
    if (wrong)
        sim_fail(s, "dead-letter", "%s dead-letters m%u of %s to %s %s: %s", s->names[n], message, lq->name,
                 fx->u.dead_letter.exchange, key, wrong);
    if (!m->placed)
        m->placed_ms = s->now_us / 1000;
    m->dead_in = generation;
    m->dead_at = n;
    m->dead_life = s->nodes[n].lives;
    m->dead_step = s->steps;
    if (!m->placed) /* taken and given up in one step; a disk may not hear of its end before a kill */
        m->placed_ms = s->now_us / 1000;
    s->ledger.dead_letters++;
}

void check_given(struct sim *s, node_id n)
{
    for (size_t i = 0; i < s->check.given_up.len; i++) {
        uint32_t message = s->check.given_up.items[i];
        const struct ledger_message *m = &s->ledger.messages.items[message];
        if (m->dead_step != s->steps)
            sim_fail(s, "dead-letter", "%s gives m%u of %s up and does not dead-letter it", s->names[n],
                     message, s->ledger.queues.items[m->queue].name);
    }
    s->check.given_up.len = 0;
}

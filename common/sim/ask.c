/* ask.c: what connections do on a node: commands and their answers, publishes and their confirms, deliveries
 * and their settling. It stands where the broker stands, and keeps the ledger's client side. The promises
 * that are made to one client (I2, I6, I7, answers once) are checked here. */
#include "sim/world.h"

#include <stdio.h>

/* ---- commands ---- */

uint64_t ask_as(struct sim *s, node_id n, struct event *ev, uint32_t client)
{
    if (!s->nodes[n].m || s->failure)
        return 0;
    struct ask a = {
        .node = n, .life = s->nodes[n].lives, .type = ev->type, .client = client, .queue = UINT32_MAX};
    a.asked_ms = s->now_us / 1000;
    a.asked_step = s->steps;
    bool about_queue = ev->type == EV_DELETE || ev->type == EV_PURGE || ev->type == EV_GET ||
                       ev->type == EV_DECLARE || ev->type == EV_CANCEL_SYNC;
    const char *name = ev->type == EV_SUBSCRIBE ? ev->u.sub.queue : about_queue ? ev->u.queue.name : NULL;
    struct queue *q = name ? mirror_find_queue(s->nodes[n].m, name) : NULL;
    if (q) {
        struct queue_info info;
        mirror_queue_info(s->nodes[n].m, q, &info);
        a.queue = ledger_queue_of(&s->ledger, info.name, info.uid);
        struct ledger_queue *lq = &s->ledger.queues.items[a.queue];
        a.no_ack = ev->type == EV_GET ? ev->u.queue.no_ack : ev->type == EV_SUBSCRIBE && ev->u.sub.no_ack;
        if (a.no_ack)
            ledger_auto_ack(&s->ledger, lq->name);
        lq->purges += ev->type == EV_PURGE;
        lq->purged_once = lq->purged_once || ev->type == EV_PURGE;
        lq->deletion = lq->deletion || ev->type == EV_DELETE;
        lq->cancelled = lq->cancelled || ev->type == EV_CANCEL_SYNC;
    }
    a.sub = ev->type == EV_UNSUBSCRIBE || ev->type == EV_SUBSCRIBE ? ev->u.sub.sub : 0;
    if (ev->type == EV_UNSUBSCRIBE)
        a.queue = s->subs.items[a.sub - 1].queue;
    if (ev->type == EV_DELETE || ev->type == EV_DECLARE || ev->type == EV_SUBSCRIBE)
        snprintf(a.about, sizeof(a.about), "%s", name);
    VEC_PUSH(&s->asks, a);
    s->open_asks++;
    ev->req = s->asks.len;
    uint64_t req = ev->req;
    if (ev->type == EV_SET_POLICY || ev->type == EV_CLEAR_POLICY)
        check_policy_asked(s, ev, req);
    if (ev->type == EV_SET_POLICY && s->options.sabotage == SABOTAGE_POLICY_IGNORED)
        ev->u.policy.definition = "{\"ha-mode\":\"all\",\"ha-sync-batch-size\":77}";
    node_step(s, n, ev);
    return req;
}

uint64_t sim_ask(struct sim *s, node_id n, struct event *ev)
{
    return ask_as(s, n, ev, CLIENT_NONE);
}

const struct sim_answer *sim_answered(const struct sim *s, uint64_t ask)
{
    return ask && s->asks.items[ask - 1].answer.answered ? &s->asks.items[ask - 1].answer : NULL;
}

static void note_delivery(struct sim *s, uint64_t sub, node_id n, uint32_t delivery, bool no_ack);

static void sub_ends(struct sim *s, uint64_t sub)
{
    struct sub *c = &s->subs.items[sub - 1];
    if (!c->over)
        s->ledger.queues.items[c->queue].changed_ms = s->now_us / 1000;
    c->over = true;
}

/* What nobody holds by now may have come and gone within one step. Answered at once it was asked of nobody;
 * later, by a node whose side has no master any more, it may be on its way to one. */
static void purged(struct sim *s, node_id n, uint32_t queue, const struct ask *a)
{
    struct ledger_queue *lq = &s->ledger.queues.items[queue];
    enum answer_status status = a->answer.status;
    bool was_sent = status == ANSWER_NOT_SERVING || (status == ANSWER_DOWN && s->steps > a->asked_step);
    lq->purges--;
    lq->purge_unclear = lq->purge_unclear || was_sent;
    node_id master = check_shown(s, n, queue)->master;
    for (size_t i = 0; i < lq->messages.len; i++) {
        struct ledger_message *m = &s->ledger.messages.items[lq->messages.items[i]];
        bool held = node_in(m->memory, master); /* a mirror may be behind */
        if (!held && (m->fate == FATE_UNCONFIRMED || !m->placed))
            m->removed = true;
    }
}

static void got_answer(struct sim *s, node_id n, const struct effect *fx)
{
    uint64_t req = fx->u.answer.req;
    if (req == 0 || req > s->asks.len) {
        sim_fail(s, "I2", "%s answers question %llu, which nobody asked", s->names[n],
                 (unsigned long long)req);
        return;
    }
    struct ask *a = &s->asks.items[req - 1];
    sim_tell(s, "      answer to %s: %s %s %llu", event_name(a->type), status_name(fx->u.answer.status),
             fx->u.answer.text ? fx->u.answer.text : "", (unsigned long long)fx->u.answer.messages);
    if (a->node != n || a->life != s->nodes[n].lives || a->answer.answered) {
        sim_fail(s, "I2", "%s answers question %llu %s", s->names[n], (unsigned long long)req,
                 a->answer.answered ? "twice" : "of another life");
        return;
    }
    s->open_asks--;
    a->answer = (struct sim_answer){.answered = true,
                                    .status = fx->u.answer.status,
                                    .messages = fx->u.answer.messages,
                                    .consumers = fx->u.answer.consumers,
                                    .message = SIM_UNROUTABLE,
                                    .queue_uid = fx->u.answer.queue_uid,
                                    .generation = fx->u.answer.generation,
                                    .id = fx->u.answer.id,
                                    .redelivered = fx->u.answer.redelivered};
    if (s->options.sabotage == SABOTAGE_GOT_EARLIER && a->type == EV_GET && a->answer.generation > 0)
        a->answer.generation--;
    if (fx->u.answer.text)
        snprintf(a->answer.text, sizeof(a->answer.text), "%s", fx->u.answer.text);
    check_used(s, req);
    if (a->type == EV_PURGE && a->queue != UINT32_MAX)
        purged(s, n, a->queue, a);
    if (a->type == EV_GET && fx->u.answer.status == ANSWER_OK) {
        if (!fx->u.answer.msg || !ledger_which(&s->ledger, fx->u.answer.msg, &a->answer.message)) {
            sim_fail(s, "I3", "%s: a get was answered with no message, or one nobody published", s->names[n]);
            return;
        }
        struct sim_delivery d = {.message = a->answer.message,
                                 .node = n,
                                 .life = a->life,
                                 .queue_uid = a->answer.queue_uid,
                                 .generation = a->answer.generation,
                                 .id = a->answer.id,
                                 .redelivered = a->answer.redelivered,
                                 .settled = a->no_ack};
        VEC_PUSH(&s->deliveries, d);
        note_delivery(s, 0, n, (uint32_t)(s->deliveries.len - 1), a->no_ack);
        if (a->client != CLIENT_NONE)
            clients_delivered(s, a->client, (uint32_t)(s->deliveries.len - 1));
    }
    if (a->type == EV_UNSUBSCRIBE)
        sub_ends(s, a->sub);
    if (a->type == EV_DELETE && a->queue != UINT32_MAX && fx->u.answer.status != ANSWER_OK &&
        fx->u.answer.status != ANSWER_NOT_SERVING /* it may be on its way */)
        s->ledger.queues.items[a->queue].deletion = false;
    if (a->type == EV_META_PUT || a->type == EV_META_DELETE || a->type == EV_SET_POLICY ||
        a->type == EV_CLEAR_POLICY)
        check_key_answered(s, req, fx->u.answer.status);
    if (a->client != CLIENT_NONE)
        clients_answered(s, a->client, req);
}

/* ---- publishing ---- */

uint32_t publish_as(struct sim *s, node_id n, const char *queue, bool persistent, uint32_t publisher,
                    uint64_t channel, uint32_t number)
{
    struct sim_node *node = &s->nodes[n];
    struct queue *q = node->m && !s->failure ? mirror_find_queue(node->m, queue) : NULL;
    if (!q)
        return SIM_UNROUTABLE;
    struct queue_info info;
    mirror_queue_info(node->m, q, &info);
    if (info.state == QUEUE_STOPPED || info.state == QUEUE_DOWN)
        return SIM_UNROUTABLE;
    uint32_t lq = ledger_queue_of(&s->ledger, info.name, info.uid);
    s->ledger.queues.items[lq].durable = info.durable;
    uint32_t index = ledger_publish(&s->ledger, lq, persistent);
    struct ledger_message *m = &s->ledger.messages.items[index];
    m->publisher = publisher;
    m->channel = channel;
    m->number = s->options.sabotage == SABOTAGE_PUBLISH_SWAPPED ? number ^ 1 : number;
    m->at = n;
    m->incarnation = node->incarnation;
    m->asked_ms = s->now_us / 1000;
    struct message *msg = ledger_body(&s->ledger, index);
    if (s->options.sabotage == SABOTAGE_PRIORITY_TURNED)
        msg->priority = (uint8_t)(11 - msg->priority);
    struct event ev = {.type = EV_PUBLISH,
                       .u.publish = {.queue = q, .msg = msg, .cookie = (uint64_t)index + 1}};
    check_published(s, n, index);
    if (s->options.sabotage == SABOTAGE_CONFIRM_EARLY) {
        ev.u.publish.cookie = 0;
        s->ledger.messages.items[index].fate = FATE_CONFIRMED;
        check_confirmed(s, n, index);
    }
    node_step(s, n, &ev);
    message_unref(msg);
    return index;
}

static void got_confirm(struct sim *s, node_id n, const struct effect *fx)
{
    uint64_t cookie = fx->u.confirm.cookie;
    bool turned = s->options.sabotage == SABOTAGE_CONFIRM_TURNED && rng_chance(&s->client, 2);
    bool ack = fx->u.confirm.how == CONFIRM_ACK && !turned;
    if (cookie == 0 || cookie > s->ledger.messages.len) {
        sim_fail(s, "I2", "%s confirms a publish that nobody made", s->names[n]);
        return;
    }
    uint32_t index = (uint32_t)(cookie - 1);
    struct ledger_message *m = &s->ledger.messages.items[index];
    sim_tell(s, "      %s m%u", ack ? "confirm" : "REFUSED", index);
    if (m->at != n || m->incarnation != s->nodes[n].incarnation) {
        sim_fail(s, "I2", "%s confirms m%u, which was published elsewhere", s->names[n], index);
        return;
    }
    switch (m->fate) {
    case FATE_UNCONFIRMED:
        m->fate = ack ? FATE_CONFIRMED : FATE_REFUSED;
        s->ledger.confirmed += ack;
        s->ledger.refused += !ack;
        if (ack)
            check_confirmed(s, n, index);
        else
            check_refused(s, n, index);
        break;
    case FATE_CONFIRMED:
    case FATE_REFUSED:
        sim_fail(s, "I2", "%s answers m%u a second time, with %s", s->names[n], index, ack ? "ack" : "nack");
        break;
    case FATE_UNKNOWN: break; /* its publisher is gone; the broker would drop the answer */
    }
}

/* ---- consuming ---- */

/* So many cuts may have caught what is sent now: none, as long as this number stays. */
static uint64_t cuts_that_count(const struct sim *s)
{
    for (node_id a = 0; a < s->options.nodes; a++)
        for (node_id b = 0; b < s->options.nodes; b++)
            if (s->links[a][b].cut)
                return UINT64_MAX;
    return s->cuts;
}

static void check_order(struct sim *s, uint64_t sub, const struct ledger_message *m, uint32_t index)
{
    struct sub *c = &s->subs.items[sub - 1];
    uint32_t priority = ledger_order(&s->ledger, index);
    for (size_t i = 0; i < c->order.len; i++) {
        if (c->order.items[i].channel != m->channel || c->order.items[i].priority != priority)
            continue;
        if (m->number < c->order.items[i].number)
            sim_fail(s, "I7", "sub %llu gets m%u for the first time after a later one of the same channel",
                     (unsigned long long)sub, index);
        c->order.items[i].number = m->number;
        return;
    }
    VEC_PUSH(&c->order, (struct sub_order){m->channel, m->number, priority});
}

static void note_delivery(struct sim *s, uint64_t sub, node_id n, uint32_t delivery, bool no_ack)
{
    const struct sim_delivery *d = &s->deliveries.items[delivery];
    struct ledger_message *m = &s->ledger.messages.items[d->message];
    const struct ledger_queue *lq = &s->ledger.queues.items[m->queue];
    bool redelivered = d->redelivered && s->options.sabotage != SABOTAGE_REDELIVERED_HIDDEN;
    sim_tell(s, "      %s m%u to sub %llu%s%s", sub ? "deliver" : "got", d->message, (unsigned long long)sub,
             redelivered ? ", redelivered" : "", no_ack ? ", no ack" : "");
    bool held = (m->memory & s->check.nodes[n].view.members) != 0; /* else it came and went within a step */
    bool known_so = !m->placed || !held || m->id == d->id;
    for (node_id holder = 0; holder < s->options.nodes; holder++)
        known_so = known_so || (node_in(m->memory | m->dropped, holder) && m->ids[holder] == d->id);
    if (lq->uid != d->queue_uid || !known_so)
        sim_fail(s, "I3", "%s hands out m%u as id %llu of another queue or place (its id is %llu)",
                 s->names[n], d->message, (unsigned long long)d->id, (unsigned long long)m->id);
    /* what an earlier master gave to one that does not acknowledge was on a slow link, or waited for a mirror
     */
    bool late = no_ack && d->generation == 0;
    check_handed_out(s, n, delivery, no_ack, late);
    bool before = false; /* on this side, where it is known, and of a copy that was there */
    node_id master = seen_queue(s, n, m->queue)->now.master;
    for (size_t i = 0; i < ARRAY_LEN(m->delivered_in) && i < m->deliveries; i++)
        before = before || s->cuts == 0 ||
                 (!check_parted(s, n, m->delivered_in[i]) && master < SIM_NODES && node_in(m->told, master));
    if (before && !redelivered && !s->forced)
        sim_fail(s, "I6", "%s hands out m%u (id %llu of %s) again without saying redelivered", s->names[n],
                 d->message, (unsigned long long)d->id, lq->name);
    const struct sim_node *by = &s->nodes[m->consumed_at];
    bool heard =
        by->m && by->lives == m->consumed_life && !by->stopping && s->cuts == m->consumed_cuts &&
        (s->cuts == 0 || (node_in(s->check.nodes[n].view.members, m->consumed_at) &&
                          !check_parted(s, n, m->consumed_in))); /* else its ack may be lost on the way */
    if (m->consumed && m->consumed_generation == d->generation && !late && heard)
        sim_fail(s, "I5", "%s hands out m%u again though it was consumed under the same master", s->names[n],
                 d->message);
    if (m->deliveries == 0 && !redelivered && !m->again && sub && !late)
        check_order(s, sub, m, d->message);
    m->delivered_in[m->deliveries % ARRAY_LEN(m->delivered_in)] = s->check.nodes[n].at;
    for (node_id holder = 0; holder < s->options.nodes; holder++)
        if (node_in(m->memory, holder) && s->check.nodes[holder].at == s->check.nodes[n].at)
            m->told |= node_bit(holder);
    m->deliveries++;
    m->generation = d->generation;
    s->ledger.redelivered += redelivered;
    s->counts[SIM_DELIVERED_AGAIN] += m->deliveries > 1;
    if (no_ack) {
        s->ledger.consumed += !m->consumed;
        m->consumed = true;
        m->consumed_generation = d->generation;
        m->consumed_at = n;
        m->consumed_life = s->nodes[n].lives;
        m->consumed_in = s->check.nodes[n].at;
        m->consumed_cuts = cuts_that_count(s);
    }
    check_delivered(s, n, d->message);
}

static void got_delivery(struct sim *s, node_id n, const struct effect *fx)
{
    uint64_t sub = fx->u.deliver.sub;
    struct sub *c = sub && sub <= s->subs.len ? &s->subs.items[sub - 1] : NULL;
    if (!c || c->node != n || c->life != s->nodes[n].lives) {
        sim_fail(s, "I2", "%s delivers to sub %llu, which is not its", s->names[n], (unsigned long long)sub);
        return;
    }
    struct sim_delivery d = {.sub = sub,
                             .node = n,
                             .life = c->life,
                             .queue_uid = fx->u.deliver.queue_uid,
                             .generation = fx->u.deliver.generation,
                             .id = fx->u.deliver.id,
                             .redelivered = fx->u.deliver.redelivered,
                             .settled = c->no_ack};
    if (!ledger_which(&s->ledger, fx->u.deliver.msg, &d.message)) {
        sim_fail(s, "I3", "%s delivers a message nobody published", s->names[n]);
        return;
    }
    if (c->over) { /* it crossed the end of its connection: the client never sees it */
        VEC_PUSH(&s->deliveries, d);
        if (!c->no_ack)
            VEC_PUSH(&s->strays, (uint32_t)(s->deliveries.len - 1));
        else
            s->ledger.messages.items[d.message].removed = true; /* at most once */
        return;
    }
    if (d.generation != c->current_generation) {
        c->current_generation = d.generation;
        c->outstanding = 0;
    }
    c->outstanding += !c->no_ack;
    if (c->prefetch && c->outstanding > c->prefetch)
        sim_fail(s, "prefetch", "%s: sub %llu has %u unacknowledged deliveries, its prefetch is %u",
                 s->names[n], (unsigned long long)sub, c->outstanding, c->prefetch);
    VEC_PUSH(&s->deliveries, d);
    uint32_t index = (uint32_t)(s->deliveries.len - 1);
    VEC_PUSH(&c->deliveries, index);
    if (++c->taken == 8)
        VEC_PUSH(&s->taking, sub);
    uint32_t client = c->client;
    note_delivery(s, sub, n, index, c->no_ack);
    if (client != CLIENT_NONE)
        clients_delivered(s, client, index);
}

void settle_deliveries(struct sim *s, node_id n, const uint32_t *deliveries, size_t len, enum settle how)
{
    VEC(msg_id) ids = {0};
    const struct sim_delivery *first = &s->deliveries.items[deliveries[0]];
    struct event ev = {
        .type = EV_SETTLE,
        .u.settle = {
            .queue_uid = first->queue_uid, .generation = first->generation, .sub = first->sub, .how = how}};
    for (size_t i = 0; i < len; i++) {
        struct sim_delivery *d = &s->deliveries.items[deliveries[i]];
        ASSERT(!d->settled && d->generation == first->generation && d->sub == first->sub);
        d->settled = s->options.sabotage != SABOTAGE_RETURN_HIDDEN || how != SETTLE_REQUEUE ||
                     !rng_chance(&s->client, 20);
        VEC_PUSH(&ids, d->id);
        struct ledger_message *m = &s->ledger.messages.items[d->message];
        if (how == SETTLE_DISCARD)
            m->discarded_in = u64_max(m->discarded_in, d->generation); /* an earlier master's may come last */
        if (how != SETTLE_REQUEUE) {
            s->ledger.consumed += !m->consumed;
            m->consumed = true;
            /* only where the answer still counts: a later master never hears of it */
            if (m->generation == d->generation) {
                m->consumed_generation = d->generation;
                m->consumed_at = n;
                m->consumed_life = s->nodes[n].lives;
                m->consumed_in = s->check.nodes[n].at;
                m->consumed_cuts = cuts_that_count(s);
            }
        }
        if (d->sub) {
            struct sub *c = &s->subs.items[d->sub - 1];
            if (c->current_generation == d->generation && c->outstanding > 0)
                c->outstanding--;
        }
    }
    ev.u.settle.ids = ids.items;
    ev.u.settle.ids_len = ids.len;
    if (s->options.sabotage != SABOTAGE_ACK_SWALLOWED || how != SETTLE_ACK || !rng_chance(&s->client, 5))
        node_step(s, n, &ev);
    VEC_FREE(&ids);
}

/* Everything a connection has not settled goes back, as when its channel closes. */
static void requeue_all(struct sim *s, uint64_t sub)
{
    VEC(uint32_t) batch = {0};
    for (size_t i = 0; i < s->subs.items[sub - 1].deliveries.len; i++) {
        uint32_t index = s->subs.items[sub - 1].deliveries.items[i];
        const struct sim_delivery *d = &s->deliveries.items[index];
        if (d->settled)
            continue;
        if (batch.len && s->deliveries.items[batch.items[0]].generation != d->generation) {
            settle_deliveries(s, s->subs.items[sub - 1].node, batch.items, batch.len, SETTLE_REQUEUE);
            batch.len = 0;
        }
        VEC_PUSH(&batch, index);
    }
    if (batch.len)
        settle_deliveries(s, s->subs.items[sub - 1].node, batch.items, batch.len, SETTLE_REQUEUE);
    VEC_FREE(&batch);
}

void unsubscribe(struct sim *s, uint64_t sub, bool requeue)
{
    struct sub *c = &s->subs.items[sub - 1];
    if (!c->over) {
        c->leaving = true;
        if (requeue) /* a cancel is over when it is answered, a connection at once */
            sub_ends(s, sub);
        struct event ev = {.type = EV_UNSUBSCRIBE,
                           .u.sub = {.queue = s->ledger.queues.items[c->queue].name, .sub = sub}};
        ask_as(s, c->node, &ev, CLIENT_NONE);
    }
    if (requeue && s->nodes[s->subs.items[sub - 1].node].m)
        requeue_all(s, sub);
}

/* ---- effects, and the end of a node ---- */

void ask_after(struct sim *s, node_id n)
{
    while (s->strays.len && !s->failure) {
        uint32_t delivery = s->strays.items[--s->strays.len];
        settle_deliveries(s, s->deliveries.items[delivery].node, &delivery, 1, SETTLE_REQUEUE);
    }
    while (s->taking.len && !s->failure) {
        uint64_t sub = s->taking.items[--s->taking.len];
        struct sub *c = &s->subs.items[sub - 1];
        struct event ev = {.type = EV_CREDIT, .u.sub = {.sub = sub, .credit = c->taken}};
        ev.u.sub.queue = s->ledger.queues.items[c->queue].name;
        c->taken = 0;
        node_step(s, n, &ev);
    }
}

void ask_perform(struct sim *s, node_id n, const struct effect *fx)
{
    switch (fx->type) {
    case FX_ANSWER:
        got_answer(s, n, fx);
        if (s->options.sabotage == SABOTAGE_ANSWER_TWICE && rng_chance(&s->client, 5))
            got_answer(s, n, fx);
        break;
    case FX_DELIVER:
        got_delivery(s, n, fx);
        if (s->options.sabotage == SABOTAGE_GOT_TWICE && s->subs.items[fx->u.deliver.sub - 1].no_ack &&
            rng_chance(&s->client, 5))
            got_delivery(s, n, fx);
        break;
    case FX_CONFIRM:
        if (s->options.sabotage == SABOTAGE_CONFIRM_SWALLOWED && rng_chance(&s->client, 2))
            break;
        got_confirm(s, n, fx);
        if (s->options.sabotage == SABOTAGE_CONFIRM_TWICE && rng_chance(&s->client, 2))
            got_confirm(s, n, fx);
        break;
    case FX_CANCELLED: {
        uint64_t sub = fx->u.cancelled.sub;
        if (sub == 0 || sub > s->subs.len || s->subs.items[sub - 1].node != n) {
            sim_fail(s, "I2", "%s cancels sub %llu, which is not its", s->names[n], (unsigned long long)sub);
            break;
        }
        if (s->options.sabotage == SABOTAGE_CANCEL_SWALLOWED)
            break;
        check_cancelled(s, n, sub);
        sim_tell(s, "      cancelled: sub %llu", (unsigned long long)sub);
        sub_ends(s, sub);
        if (s->subs.items[sub - 1].client != CLIENT_NONE)
            clients_cancelled(s, s->subs.items[sub - 1].client, sub);
        break;
    }
    case FX_SEND:
    case FX_PERSIST:
    case FX_EVENT:
    case FX_SERVING:
    case FX_STOPPED:
    case FX_RESTART:
    case FX_FAILED:
    case FX_META:
    case FX_META_ALL:
    case FX_QUEUE_GONE:
    case FX_QUEUE_OPEN:
    case FX_DEAD_LETTER:
    case FX_REPLY:
    case FX_CLOSE:
    case FX_PAUSE:
    case FX_RESUME: break;
    }
}

void ask_node_gone(struct sim *s, node_id n)
{
    uint64_t life = s->nodes[n].lives;
    for (size_t i = 0; i < s->asks.len; i++) {
        struct ask *a = &s->asks.items[i];
        if (a->node != n || a->life != life || a->answer.answered)
            continue;
        a->life = 0; /* nobody will answer, nobody waits */
        s->open_asks--;
        if (a->type == EV_PURGE && a->queue != UINT32_MAX) {
            s->ledger.queues.items[a->queue].purges--;
            s->ledger.queues.items[a->queue].purge_unclear = true;
        }
    }
    for (size_t i = 0; i < s->ledger.messages.len; i++) {
        struct ledger_message *m = &s->ledger.messages.items[i];
        if (m->fate == FATE_UNCONFIRMED && m->at == n && m->incarnation == s->nodes[n].incarnation) {
            m->fate = FATE_UNKNOWN;
            s->ledger.unknown++;
        }
    }
    for (size_t i = 0; i < s->subs.len; i++)
        if (s->subs.items[i].node == n && s->subs.items[i].life == life)
            sub_ends(s, i + 1);
    clients_node_gone(s, n);
}

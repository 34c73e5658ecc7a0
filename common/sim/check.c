/* check.c: seeing. After each step of a node its view, its queues and what it holds of them are read again;
 * the ledger is told who holds what. Judging is done in the other check_*.c. */
#include "sim/world.h"

#include <stdio.h>
#include <xxhash.h>

void check_init(struct sim *s)
{
    s->check = (struct check){0};
    VEC_PUSH(&s->check.views, (struct seen_view){0});
}

void check_finish(struct sim *s)
{
    check_keys_finish(s);
    for (node_id n = 0; n < SIM_NODES; n++) {
        for (size_t i = 0; i < s->check.nodes[n].queues.len; i++)
            VEC_FREE(&s->check.nodes[n].queues.items[i].items);
        VEC_FREE(&s->check.nodes[n].queues);
    }
    VEC_FREE(&s->check.queues);
    VEC_FREE(&s->check.views);
    VEC_FREE(&s->check.vanished);
    VEC_FREE(&s->check.given_up);
    VEC_FREE(&s->check.synced_changes);
    VEC_FREE(&s->check.walk);
    VEC_FREE(&s->check.stamps);
}

struct seen_queue *seen_queue(struct sim *s, node_id n, uint32_t queue)
{
    while (s->check.nodes[n].queues.len <= queue)
        VEC_PUSH(&s->check.nodes[n].queues, (struct seen_queue){0});
    while (s->check.queues.len <= queue)
        VEC_PUSH(&s->check.queues, (struct watched_queue){0});
    return &s->check.nodes[n].queues.items[queue];
}

bool check_says(const char *definition, const char *key, const char *value)
{
    const char *at = definition ? strstr(definition, key) : NULL;
    if (!at)
        return false;
    at += strlen(key);
    while (*at == '"' || *at == ':' || *at == ' ')
        at++;
    return strncmp(at, value, strlen(value)) == 0 && at[strlen(value)] == '"';
}

/* What the definition says of who is to take over, and where. */
static void read_definition(const struct sim *s, const char *definition, struct seen_info *i)
{
    for (node_id n = 0; n < s->options.nodes && check_says(definition, "ha-mode", "nodes"); n++) {
        char quoted[16];
        snprintf(quoted, sizeof(quoted), "\"%.10s\"", s->names[n]);
        if (strstr(definition, quoted))
            i->named |= node_bit(n);
    }
    i->promote_always_on_shutdown = check_says(definition, "ha-promote-on-shutdown", "always");
    i->promote_synced_on_failure = check_says(definition, "ha-promote-on-failure", "when-synced");
}

/* was: what n showed of the queue before; the same definition is not read again. */
static struct seen_info shorten(const struct sim *s, node_id n, const struct queue_info *q,
                                const struct seen_info *was)
{
    struct seen_info i = {.valid = true,
                          .life = s->nodes[n].lives,
                          .epoch = s->check.nodes[n].view.epoch,
                          .view = s->check.nodes[n].at,
                          .generation = q->generation,
                          .state = q->state,
                          .master = q->master,
                          .synced = q->synced,
                          .definition = XXH3_64bits(q->definition, strlen(q->definition)),
                          .local = q->local,
                          .replica = q->replica};
    for (size_t k = 0; k < q->mirrors_len && k < SIM_NODES; k++)
        i.mirrors[i.mirrors_len++] = q->mirrors[k];
    if (was->valid && was->definition == i.definition) {
        i.named = was->named;
        i.promote_always_on_shutdown = was->promote_always_on_shutdown;
        i.promote_synced_on_failure = was->promote_synced_on_failure;
    } else {
        read_definition(s, q->definition, &i);
    }
    if (s->options.sabotage == SABOTAGE_TWO_MASTERS && i.replica && s->steps % 50 == 0)
        i.local = true;
    return i;
}

/* A master takes in what one channel publishes in the order in which it was published: one master in one
 * life. Beginning again from its disk it may find what it took and gave up in one step, in its old place; and
 * it may bear the same number then, on another side of a partition. */
static void check_taken_in(struct sim *s, node_id n, uint32_t queue, uint64_t generation, uint32_t message)
{
    struct ledger_queue *lq = &s->ledger.queues.items[queue];
    const struct ledger_message *m = &s->ledger.messages.items[message];
    for (size_t i = 0; i < lq->placed.len; i++) {
        struct ledger_placed *p = &lq->placed.items[i];
        if (p->channel != m->channel || p->master != n)
            continue;
        if (p->generation == generation && p->life == s->nodes[n].lives &&
            m->number < s->ledger.messages.items[p->message].number)
            sim_fail(s, "I7", "%s takes m%u into %s behind m%u, which its channel published later",
                     s->names[n], message, lq->name, p->message);
        p->generation = generation;
        p->life = s->nodes[n].lives;
        p->message = message;
        return;
    }
    VEC_PUSH(&lq->placed, (struct ledger_placed){m->channel, generation, s->nodes[n].lives, n, message});
}

/* A message was found in a walk: is it one of this queue's, only once, and where it always was? */
static void identify(struct sim *s, node_id n, const struct queue_info *info, uint32_t queue,
                     struct seen_message *found, const struct held *held)
{
    bool master = info->local;
    const char *name = s->ledger.queues.items[queue].name;
    if (!ledger_which(&s->ledger, held->msg, &found->message) ||
        s->ledger.messages.items[found->message].queue != queue) {
        sim_fail(s, "I3", "%s holds something in %s that no client published there", s->names[n], name);
        found->message = 0;
        return;
    }
    while (s->check.stamps.len <= found->message)
        VEC_PUSH(&s->check.stamps, 0);
    if (s->check.stamps.items[found->message] == s->check.stamp)
        sim_fail(s, "once", "%s holds m%u twice in %s", s->names[n], found->message, name);
    s->check.stamps.items[found->message] = s->check.stamp;

    struct ledger_message *m = &s->ledger.messages.items[found->message];
    msg_id id = sabotage_place(s, info, m, held->id);
    node_set here = m->memory & s->check.nodes[n].view.members; /* one that leaves may hold it, and goes */
    bool other_id = m->id_unseen && m->id != id; /* the last of its queue's masters had it so */
    if (m->placed && here == 0 && (m->fate != FATE_CONFIRMED || other_id) && !node_in(m->disk, n)) {
        m->again = true; /* to consumers it is new */
        m->deliveries = 0;
        m->dead_in = 0;
    }
    /* a node that comes back has what its log has, and that may be of another side, where it had this id */
    bool of_its_side = m->ids[n] == id && s->cuts > 0 && !view_leads_to(s, m->view, m->ids_in[n]);
    /* and one that was in the view before the one it was confirmed in, as one that stops, has what it had
     * then */
    uint32_t at = s->check.nodes[n].at;
    bool of_before = m->ids[n] == id && at != m->view && view_leads_to(s, at, m->view);
    m->ids[n] = id;
    m->ids_in[n] = of_its_side ? m->ids_in[n] : s->check.nodes[n].at;
    m->id_unseen = false;
    if (m->placed && m->id == id)
        return;
    if (m->placed && m->fate == FATE_CONFIRMED && m->door == DOOR_NONE && !other_id) {
        if (of_its_side || of_before || check_parted(s, n, m->view))
            return; /* published again on the other side, and confirmed there */
        sim_fail(s, "once", "%s holds m%u of %s as id %llu; confirmed it was id %llu", s->names[n],
                 found->message, name, (unsigned long long)id, (unsigned long long)m->id);
        return;
    }
    if (!m->placed && master)
        check_taken_in(s, n, queue, info->generation, found->message);
    if (!m->placed && master && m->ending == ENDING_NONE)
        m->removed = false; /* a purge did not meet it (ask.c) */
    m->id = id;             /* the first, or published again to a new master, which never had it */
    /* It may have come and gone in one step, and its end be lost with its node: then its time began there. */
    bool found_again = !m->placed && node_in(m->disk, n);
    m->placed_ms = found_again ? m->written_ms : s->now_us / 1000;
    m->first_ms = m->placed ? m->first_ms : m->placed_ms;
    m->placed = true;
    m->limited = seen_queue(s, n, queue)->timed; /* a policy may reach others before the master */
}

/* "node2 q1: +m7 +m8 -m3": what a step changed in what a node holds. */
static void tell_difference(struct sim *s, node_id n, uint32_t queue, const struct seen_queue *was)
{
    if (!TRACING(s))
        return;
    struct text t = {0};
    const struct check *c = &s->check;
    for (size_t i = 0, k = 0; i < was->items.len || k < c->walk.len;) {
        bool gone = k == c->walk.len || (i < was->items.len && was->items.items[i].id < c->walk.items[k].id);
        bool new = i == was->items.len || (k < c->walk.len && c->walk.items[k].id < was->items.items[i].id);
        if (gone || new)
            text_printf(&t, " %cm%u", gone ? '-' : '+',
                        gone ? was->items.items[i].message : c->walk.items[k].message);
        i += !new;
        k += !gone;
    }
    sim_tell(s, "      %s %s:%s", s->names[n], s->ledger.queues.items[queue].name, text_str(&t));
    text_finish(&t);
}

/* By sabotage: the node holds it and does not show it. */
static bool hidden(const struct sim *s, node_id n, uint32_t queue, const struct held *held, bool master)
{
    if (s->options.sabotage == SABOTAGE_TRANSIENT_FORGOTTEN)
        return master && !held->msg->persistent && s->check.queues.items[queue].generation > 1;
    return s->options.sabotage == SABOTAGE_MIRROR_HOLE && !master && held->id % 16 == 7 && n % 2 == 1;
}

/* A copy that n did not have: it comes from the master, who knows of deliveries or not, or from n's disk. */
static void copied(node_id n, node_id from, struct ledger_message *m)
{
    if (node_in(m->memory | m->disk, n))
        return;
    m->told &= ~node_bit(n);
    if (from != n && from < SIM_NODES && node_in(m->told, from))
        m->told |= node_bit(n);
}

static void look_into(struct sim *s, node_id n, uint32_t queue, const struct queue *q,
                      const struct queue_info *info)
{
    bool master = info->local;
    struct seen_queue *sq = seen_queue(s, n, queue);
    struct check *c = &s->check;
    c->walk.len = 0;
    c->stamp++;
    msg_id at = 0;
    struct held held;
    bool same = true;
    while (!s->failure && mirror_queue_walk(s->nodes[n].m, q, &at, &held)) {
        if (hidden(s, n, queue, &held, master))
            continue;
        struct seen_message found = {.id = held.id, .unacked = held.unacked, .redelivered = held.redelivered};
        size_t i = c->walk.len;
        identify(s, n, info, queue, &found, &held);
        if (i > 0 && c->walk.items[i - 1].id >= held.id)
            sim_fail(s, "I7", "%s holds %s out of order: id %llu after %llu", s->names[n],
                     s->ledger.queues.items[queue].name, (unsigned long long)held.id,
                     (unsigned long long)c->walk.items[i - 1].id);
        same = same && i < sq->items.len && sq->items.items[i].id == found.id &&
               sq->items.items[i].message == found.message;
        VEC_PUSH(&c->walk, found);
    }
    if (c->walk.len)
        sq->next = u64_max(sq->next, c->walk.items[c->walk.len - 1].id + 1);
    const struct ledger_queue *lq = &s->ledger.queues.items[queue];
    sabotage_copy(s, info, lq);
    same = same && c->walk.len == sq->items.len;
    bool purging = master && (lq->purges > 0 || lq->purge_unclear);
    if (!same) {
        tell_difference(s, n, queue, sq);
        for (size_t i = 0; i < c->walk.len; i++)
            copied(n, info->master, &s->ledger.messages.items[c->walk.items[i].message]);
        for (size_t i = 0; i < sq->items.len; i++)
            s->ledger.messages.items[sq->items.items[i].message].memory &= ~node_bit(n);
        for (size_t i = 0; i < c->walk.len; i++) {
            struct ledger_message *m = &s->ledger.messages.items[c->walk.items[i].message];
            m->memory |= node_bit(n);
            m->dropped &= ~node_bit(n);
        }
        for (size_t i = 0; i < sq->items.len; i++) {
            uint32_t message = sq->items.items[i].message;
            struct ledger_message *m = &s->ledger.messages.items[message];
            if (!node_in(m->memory, n)) {
                m->dropped |= node_bit(n);
                check_given_up(s, n, m);
                if (master && m->consumed)
                    m->ended_in = info->generation, m->ended_life = s->nodes[n].lives;
                m->removed = m->removed || purging;
                if (master && !m->consumed && !m->removed)
                    check_limits_end(s, message);
            }
            if (m->memory == 0)
                VEC_PUSH(&c->vanished, message);
        }
    }
    if (master)
        check_head(s, n, queue, info);
    /* flags may have changed even where places have not */
    VEC_RESERVE(&sq->items, c->walk.len);
    if (c->walk.len)
        memcpy(sq->items.items, c->walk.items, c->walk.len * sizeof(c->walk.items[0]));
    sq->items.len = c->walk.len;
}

static void forget_items(struct sim *s, node_id n, struct seen_queue *sq)
{
    for (size_t i = 0; i < sq->items.len; i++) {
        struct ledger_message *m = &s->ledger.messages.items[sq->items.items[i].message];
        m->memory &= ~node_bit(n);
        if (m->memory == 0)
            VEC_PUSH(&s->check.vanished, sq->items.items[i].message);
    }
    sq->items.len = 0;
    sq->next = 0;
    sq->timed = false;
}

/* Somebody waits for the answer to a delete of that name: it may hit the queue that has the name by then. */
static bool delete_under_way(const struct sim *s, const char *name)
{
    for (size_t i = 0; i < s->asks.len; i++) {
        const struct ask *a = &s->asks.items[i];
        bool open =
            !a->answer.answered || a->answer.status == ANSWER_NOT_SERVING; /* then it may be on its way */
        if (a->type == EV_DELETE && open && strcmp(a->about, name) == 0)
            return true;
    }
    return false;
}

void check_forgotten(struct sim *s, node_id n, node_set forgets)
{
    for (uint32_t i = 0; i < s->ledger.queues.len; i++) {
        struct ledger_queue *lq = &s->ledger.queues.items[i];
        const struct seen_info *knew = &seen_queue(s, n, i)->now;
        if (lq->gone || !knew->valid || !node_in(forgets, knew->master) ||
            mirror_find_queue_uid(s->nodes[n].m, lq->uid))
            continue;
        check_queue_forgotten(s, n, i);
        lq->gone = true;
    }
}

/* n's table does not list a queue that it listed before. */
static void queue_left(struct sim *s, node_id n, uint32_t queue)
{
    struct ledger_queue *lq = &s->ledger.queues.items[queue];
    struct seen_queue *sq = seen_queue(s, n, queue);
    bool left_behind = check_parted(s, n, lq->view);
    bool forgotten = s->removed && !info_available(&sq->now) && node_in(s->removed, sq->now.master);
    bool by_rule = left_behind || lq->gone || lq->deletion || lq->auto_delete || lq->exclusive ||
                   !lq->durable || delete_under_way(s, lq->name) || check_limits_expired(s, queue);
    if (forgotten || (s->forced && !by_rule)) /* or whoever is forced to start never heard of it */
        check_queue_forgotten(s, n, queue);
    bool may = forgotten || s->forced || by_rule;
    if (!may)
        sim_fail(s, "I3", "%s does not know the durable queue %s any more; nobody deleted it", s->names[n],
                 lq->name);
    sq->present = false;
    forget_items(s, n, sq);
    if (left_behind)
        check_losses(s, n, CAUSE_STEP); /* with the side on which it was declared */
    lq->gone = true;
}

static void look_at_queue(struct sim *s, node_id n, const struct queue *q)
{
    struct queue_info info;
    struct queue_args args;
    mirror_queue_info(s->nodes[n].m, q, &info);
    sabotage_queue(s, &info, &args);
    uint32_t queue = ledger_queue_of(&s->ledger, info.name, info.uid);
    struct ledger_queue *lq = &s->ledger.queues.items[queue];
    lq->view = lq->view ? lq->view : s->check.nodes[n].at;
    lq->durable = info.durable;
    lq->auto_delete = info.auto_delete;
    lq->exclusive = info.owner.node != NODE_NONE;
    check_limits_note(s, lq, &info);
    struct seen_queue *sq = seen_queue(s, n, queue);
    struct seen_info was = sq->now;
    enum node_phase phase = s->check.nodes[n].view.phase;
    sq->present = true;
    look_into(s, n, queue, q, &info);
    sq->timed = info.local && lq->limits.ttl_ms >= 0;
    sq->consumed_in = !info.local ? 0 : info.consumers ? info.generation : sq->consumed_in;
    struct seen_info says_now = shorten(s, n, &info, &was);
    if (was.generation != says_now.generation || was.state != says_now.state || was.view != says_now.view ||
        was.definition != says_now.definition)
        lq->changed_ms = s->now_us / 1000;
    struct watched_queue *w = &s->check.queues.items[queue];
    w->generation = u64_max(w->generation, says_now.generation);
    struct seen_reign *reign = says_now.master < SIM_NODES ? &w->reigns[says_now.master] : NULL;
    if (reign && (says_now.generation > reign->generation ||
                  (s->cuts > 0 && !view_leads_to(s, reign->shown_in, says_now.view)))) {
        reign->generation = says_now.generation;
        reign->shown_in = says_now.view;
        bool later = sq->changing.life == s->nodes[n].lives && sq->changing.generation > was.generation &&
                     sq->changing.generation < says_now.generation;
        struct seen_info known = later ? sq->changing : was; /* later: in a view that was not served */
        check_new_master(s, n, queue, &known, &says_now);
    }
    if (phase != PHASE_SERVING && phase != PHASE_STOPPING) {
        if (!info_same_outcome(&sq->changing, &says_now))
            sq->overtaken = sq->changing;
        sq->changing = says_now;
        return;
    }
    sq->now = says_now;
    if (info_available(&says_now) && says_now.master + 1U != lq->disk_lost)
        lq->disk_lost = 0; /* what was on that disk another one serves */
    if (was.synced != sq->now.synced || was.generation != sq->now.generation)
        VEC_PUSH(&s->check.synced_changes, queue);
    bool went_on = sq->now.local && was.valid && was.life == sq->now.life && (was.local || was.replica);
    if (was.generation != sq->now.generation && !went_on) /* from an empty log ids count from 0 again */
        sq->next = sq->items.len ? sq->items.items[sq->items.len - 1].id + 1 : 0;
    if (!info_same_outcome(&was, &sq->now)) {
        sq->before = was;
        sq->since = sq->now.view;
    }
    bool became_master =
        sq->now.local && (!was.local || was.life != sq->now.life || was.generation != sq->now.generation);
    bool became_unavailable = !info_available(&sq->now) && (!was.valid || info_available(&was));
    if (became_master || became_unavailable)
        check_choice(s, n, queue); /* before what it lacks is written off as lost */
    if (became_master)
        check_promoted(s, n, queue);
    struct seen_reign *own = &s->check.queues.items[queue].reigns[n];
    if (became_master)
        own->next = sq->next;
    else if (sq->now.local)
        own->next = u64_max(own->next, sq->next);
    if (sq->now.local && was.local && was.view == sq->now.view && was.generation == sq->now.generation) {
        node_set lost = was.synced & ~sq->now.synced;
        for (unsigned k = 0; k < sq->now.mirrors_len; k++)
            if (node_in(lost, sq->now.mirrors[k]))
                sim_fail(s, "I8", "%s: mirror %s of %s was synchronised and is not any more", s->names[n],
                         s->names[sq->now.mirrors[k]], lq->name);
    }
}

/* From now on n's memory is what counts. */
/* n is in a view again. Who is being stopped meanwhile hears of it from those who let it go, and is in no
 * view with n. */
static void came_back(struct sim *s, node_id n)
{
    s->check.nodes[n].in_view = true;
    for (node_id other = 0; other < s->options.nodes; other++)
        if (s->nodes[other].m && s->nodes[other].stopping)
            s->check.nodes[other].left &= ~node_bit(n);
}

static void begins_to_hold(struct sim *s, node_id n)
{
    for (uint32_t i = 0; i < s->ledger.messages.len; i++) {
        struct ledger_message *m = &s->ledger.messages.items[i];
        if (node_in(m->disk, n)) {
            m->disk &= ~node_bit(n);
            if (!node_in(m->memory, n))
                check_given_up(s, n, m);
            if (m->memory == 0)
                VEC_PUSH(&s->check.vanished, i);
        }
    }
    check_losses(s, n, CAUSE_UP);
}

/* n serves the view it is in. A number means one view, on whatever side of a partition. */
static void check_served(struct sim *s, node_id n)
{
    struct seen_view *v = &s->check.views.items[s->check.nodes[n].at];
    for (size_t i = 1; i < s->check.views.len && !v->served; i++) {
        const struct seen_view *other = &s->check.views.items[i];
        if (other != v && other->served && other->epoch == v->epoch)
            sim_fail(s, "I9", "two views have the number %llu: one of %s, one of %s",
                     (unsigned long long)v->epoch, s->names[v->coordinator], s->names[other->coordinator]);
    }
    v->served = true;
}

/* n was installed in a view that it never served, and looks for others again: the others may have gone on in
 * that one, so it waits for all of them. */
static void check_out(struct sim *s, node_id n, const struct view_info *was)
{
    struct seen_node *sn = &s->check.nodes[n];
    if (sn->view.phase != PHASE_STARTING || !sn->in_view || sn->holding)
        return;
    if (was->phase == PHASE_CHANGING)
        sn->out_of = was->members & ~node_bit(n);
    for (node_id other = 0; other < s->options.nodes; other++)
        if (node_in(sn->out_of & ~sn->view.ran_last, other) && !s->nodes[other].m && !s->links[other][n].seen)
            sim_fail(s, "I12", "%s was in a view with %s, never served it, and does not wait for %s",
                     s->names[n], s->names[other], s->names[other]);
}

void check_refresh(struct sim *s, node_id n)
{
    struct seen_node *sn = &s->check.nodes[n];
    struct view_info was_view = sn->view;
    sn->view = mirror_view(s->nodes[n].m);
    sabotage_view(s, n, &sn->view);
    check_out(s, n, &was_view);
    if (sn->view.phase == PHASE_STOPPING && was_view.phase != PHASE_STOPPING)
        sn->leave_ms = s->nodes[n].told_ms;
    uint32_t was = sn->at;
    sn->at = view_seen(s, n, &sn->view);
    if (was != sn->at) {
        sn->at_us = s->now_us;
        sn->changed_sides = s->cuts > 0 && (!view_leads_to(s, was, sn->at) ||
                                            (sn->changed_sides && !s->check.views.items[was].served));
    }
    if (sn->view.phase == PHASE_SERVING)
        check_served(s, n);
    sn->left &= ~sn->view.members;
    if (sn->view.phase == PHASE_STARTING && !sn->in_view && (sn->stayed & ~sn->view.ran_last))
        sim_fail(s, "I12", "%s stopped in order while %x went on, and does not wait for them", s->names[n],
                 sn->stayed & ~sn->view.ran_last);
    if (sn->view.phase != PHASE_STARTING)
        sn->stayed = 0;
    if (sn->view.ran_last & sn->left)
        sim_fail(s, "I12", "%s waits for %x, who stopped in order and left it among those who go on",
                 s->names[n], sn->view.ran_last & sn->left);
    if (!sn->in_view && sn->view.phase != PHASE_STARTING && sn->view.phase != PHASE_STOPPED)
        came_back(s, n);
    if (sn->view.phase == PHASE_CHANGING || sn->view.phase == PHASE_SERVING)
        check_begun(s, n);
    if (!sn->holding && sn->view.phase != PHASE_SERVING)
        return;
    bool first = !sn->holding;
    sn->holding = true;
    VEC(uint32_t) before = {0};
    size_t at = 0;
    const struct queue *q;
    for (uint32_t i = 0; i < sn->queues.len; i++)
        if (sn->queues.items[i].present) {
            sn->queues.items[i].present = false;
            VEC_PUSH(&before, i);
        }
    while ((q = mirror_next_queue(s->nodes[n].m, &at)))
        look_at_queue(s, n, q);
    for (size_t i = 0; i < before.len; i++)
        if (!sn->queues.items[before.items[i]].present)
            queue_left(s, n, before.items[i]);
    VEC_FREE(&before);
    if (first)
        begins_to_hold(s, n);
}

/* Those who go on without n never wait for it: that they are in a view without it is on their disks. (With
 * autoheal n may hear of that view from a HELLO before it is.) It waits for those who told it that they go
 * on: who served with it, in that same life. */
void check_left(struct sim *s, node_id n)
{
    /* else its last life was killed, or whoever would have let it go was, and they know no more than that */
    bool served = s->check.nodes[n].holding && s->nodes[n].let_go;
    bool early = s->options.partition_handling == PARTITION_AUTOHEAL;
    s->check.nodes[n].left = s->check.nodes[n].stayed = 0;
    for (node_id other = 0; other < s->options.nodes && served && s->cuts == 0; other++) {
        const struct seen_node *sn = &s->check.nodes[other];
        if (other != n && s->nodes[other].m && sn->view.phase == PHASE_SERVING &&
            !node_in(sn->view.members, n) && node_in(s->check.nodes[n].view.members, other) &&
            s->nodes[other].start_us < s->check.nodes[n].at_us)
            s->check.nodes[n].stayed |= node_bit(other);
        if (other != n && s->nodes[other].m && !s->nodes[other].stopping && sn->holding &&
            (!early || sn->view.phase == PHASE_SERVING))
            s->check.nodes[other].left |= node_bit(n);
    }
}

void check_reset(struct sim *s, node_id n)
{
    s->check.nodes[n].left = s->check.nodes[n].stayed = 0;
    for (uint32_t i = 0; i < s->ledger.messages.len; i++)
        if (!s->ledger.messages.items[i].memory && !s->ledger.messages.items[i].disk &&
            s->ledger.messages.items[i].placed)
            VEC_PUSH(&s->check.vanished, i);
    check_losses(s, n, CAUSE_OPERATOR);
}

/* The step's effects are done: what it learned of who is in sync is among these records. */
static void note_synced(struct sim *s, node_id n)
{
    for (size_t i = 0; i < s->check.synced_changes.len; i++)
        seen_queue(s, n, s->check.synced_changes.items[i])->synced_at = s->nodes[n].disk.records;
    s->check.synced_changes.len = 0;
}

void check_after(struct sim *s, node_id n)
{
    note_synced(s, n);
    check_losses(s, n, CAUSE_STEP);
    check_given(s, n);
    if (!s->check.nodes[n].holding || s->failure)
        return;
    check_views(s, n);
    check_copies(s, n);
}

void check_node_up(struct sim *s, node_id n)
{
    s->check.nodes[n].holding = s->check.nodes[n].in_view = false;
    s->check.nodes[n].out_of = 0;
}

void check_node_gone(struct sim *s, node_id n, bool restarts)
{
    struct seen_node *sn = &s->check.nodes[n];
    check_keys_forget(s, n);
    for (size_t i = 0; i < sn->queues.len; i++) {
        sn->queues.items[i].present = false;
        forget_items(s, n, &sn->queues.items[i]);
    }
    sn->holding = false;
    check_losses(s, n, restarts ? CAUSE_RESTART : CAUSE_DOWN);
}

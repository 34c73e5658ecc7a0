/* check_view.c: views and promotions. Nodes of one view agree on it; a queue has one master in it; who
 * became master, or why nobody did, follows the rules (I9) from what at least one survivor knew before. */
#include "sim/world.h"

void check_views(struct sim *s, node_id n)
{
    const struct seen_node *a = &s->check.nodes[n];
    if (a->view.phase != PHASE_SERVING)
        return;
    if (!node_in(a->view.members, n))
        sim_fail(s, "I9", "%s serves in a view it is no member of", s->names[n]);
    for (node_id other = 0; other < s->options.nodes; other++) {
        const struct seen_node *b = &s->check.nodes[other];
        if (other == n || !b->holding || b->view.phase != PHASE_SERVING)
            continue;
        check_two_views(s, n, other);
        if (b->view.epoch != a->view.epoch)
            continue;
        if (a->at != b->at && s->cuts > 0)
            continue; /* the sides of a partition count for themselves */
        if (a->view.members != b->view.members || a->view.coordinator != b->view.coordinator)
            sim_fail(s, "I9",
                     "%s and %s disagree about epoch %llu: members %x and %x, coordinators %u and %u",
                     s->names[n], s->names[other], (unsigned long long)a->view.epoch, a->view.members,
                     b->view.members, a->view.coordinator, b->view.coordinator);
        for (uint32_t i = 0; i < a->queues.len && i < b->queues.len; i++) {
            const struct seen_queue *qa = &a->queues.items[i], *qb = &b->queues.items[i];
            if (qa->present && qb->present && qa->now.local && qb->now.local &&
                qa->now.generation == qb->now.generation)
                sim_fail(s, "I9", "%s has two masters in epoch %llu: %s and %s",
                         s->ledger.queues.items[i].name, (unsigned long long)a->view.epoch, s->names[n],
                         s->names[other]);
        }
    }
    for (uint32_t i = 0; i < a->queues.len; i++) {
        const struct seen_queue *q = &a->queues.items[i];
        if (!q->present || !q->now.valid)
            continue;
        const char *name = s->ledger.queues.items[i].name;
        bool master_there = node_in(a->view.members, q->now.master);
        if (!info_available(&q->now) && !s->ledger.queues.items[i].durable)
            sim_fail(s, "I9", "%s says the transient queue %s waits for %s, and no disk has it", s->names[n],
                     name, s->names[q->now.master]);
        if (info_available(&q->now) != master_there)
            sim_fail(s, "I9", "%s says %s is %s, and its master %s %s in the view", s->names[n], name,
                     info_available(&q->now) ? "running" : "stopped or down", s->names[q->now.master],
                     master_there ? "is" : "is not");
        enum departure d = s->nodes[q->now.master].departure;
        if (!master_there &&
            ((q->now.state == QUEUE_STOPPED && d == DEPARTURE_KILLED) ||
             (q->now.state == QUEUE_DOWN && d == DEPARTURE_STOPPED)) &&
            !s->nodes[q->now.master].m && !s->nodes[q->now.master].booting &&
            s->cuts == 0 /* else it may have been left out first */ &&
            !s->forced /* else the view is of a node that did not see it go */)
            sim_fail(s, "I9", "%s says %s is %s, but %s was %s", s->names[n], name,
                     q->now.state == QUEUE_STOPPED ? "stopped" : "down", s->names[q->now.master],
                     d == DEPARTURE_KILLED ? "killed" : "stopped in order");
    }
}

#define KNOWN 3

/* What node n knew of the queue before this outcome, in this life. false: nothing of this kind. */
static bool knew(struct sim *s, node_id n, uint32_t queue, const struct seen_info *outcome, unsigned kind,
                 struct seen_info *out)
{
    const struct seen_queue *q = seen_queue(s, n, queue);
    *out = kind == 2                             ? q->overtaken
           : kind == 1                           ? q->changing
           : info_same_outcome(&q->now, outcome) ? q->before
                                                 : q->now;
    const struct seen_view *view = &s->check.views.items[out->view];
    if (s->cuts > 0 && out->valid &&
        !view_leads_to(s, view->served ? out->view : view->parent, outcome->view))
        return false; /* of the other side of a partition */
    uint32_t at = s->check.nodes[n].at;
    if (s->cuts > 0 && out->valid && !view->served && s->check.views.items[at].served &&
        !view_leads_to(s, at, outcome->view))
        return false; /* of a view that came to nothing, and n went on on the other side */
    return out->valid && s->nodes[n].m && s->check.nodes[n].in_view && out->life == s->nodes[n].lives &&
           !info_same_outcome(out, outcome);
}

/* Did it have a replica under this master? If it served in that master's view, what it said last there
 * counts: it may have been a mirror when the view was installed, as the master before, and have been removed
 * since. That it is to be a mirror again gives it no replica before the master has begun one. */
static bool had_replica(struct sim *s, node_id n, uint32_t queue, const struct seen_info *outcome,
                        uint64_t generation)
{
    struct seen_info own, last;
    bool served = knew(s, n, queue, outcome, 0, &last) && last.generation == generation;
    if (served && last.replica)
        return true;
    for (unsigned kind = 1; kind < KNOWN; kind++)
        if (knew(s, n, queue, outcome, kind, &own) && own.replica && own.generation == generation &&
            !(served && own.view == last.view))
            return true;
    return false;
}

/* Whether n holds all that is confirmed and not consumed: then it is in sync, whoever knows. */
static bool lacks_nothing(struct sim *s, node_id n, uint32_t queue)
{
    const struct ledger_queue *lq = &s->ledger.queues.items[queue];
    for (size_t i = 0; i < lq->messages.len; i++) {
        const struct ledger_message *m = &s->ledger.messages.items[lq->messages.items[i]];
        bool away = !m->memory && !m->disk; /* on its way to a consumer who does not acknowledge */
        away = away || (lq->auto_ack && (!m->memory || node_in(m->dropped, n)));
        if (m->fate == FATE_CONFIRMED && !m->consumed && !m->removed && m->door == DOOR_NONE &&
            m->pending == DOOR_NONE && !away && !node_in(m->memory, n) && !check_parted(s, n, m->view))
            return false;
    }
    return true;
}

/* As the view before had it. A view can promote and hand over at once (a policy of mode nodes): two
 * generations. */
static bool had_one_before(struct sim *s, node_id n, uint32_t queue, const struct seen_info *outcome,
                           uint64_t generation)
{
    return had_replica(s, n, queue, outcome, generation - 1) ||
           (generation > 2 && had_replica(s, n, queue, outcome, generation - 2));
}

/* The rule: who takes over, given what was known, among the members that still have that replica: the oldest
 * that is in sync, or else, where the policy allows it, the oldest. by_content: a mirror that lacks nothing
 * is in sync, though that was still on its way to the others. behind: the view that made this one the master
 * came to nothing, and a replica under the one before is as good: its node may not have heard of that view.
 */
static node_id rule(struct sim *s, uint32_t queue, const struct seen_info *known,
                    const struct seen_info *outcome, node_set members, bool in_order, bool by_content,
                    bool behind)
{
    behind = behind && !s->check.views.items[known->view].served;
    bool only_synced = in_order ? !known->promote_always_on_shutdown || known->promote_synced_on_failure
                                : known->promote_synced_on_failure;
    node_id oldest = NODE_NONE;
    for (unsigned k = 0; k < known->mirrors_len; k++) {
        node_id n = known->mirrors[k];
        if (!node_in(members, n) || !(had_replica(s, n, queue, outcome, known->generation) ||
                                      (behind && had_one_before(s, n, queue, outcome, known->generation))))
            continue;
        if (node_in(known->synced, n) || (by_content && lacks_nothing(s, n, queue)))
            return n;
        if (oldest == NODE_NONE)
            oldest = n;
    }
    return only_synced ? NODE_NONE : oldest;
}

/* n has installed a view, served or not, that decided this outcome. */
static bool took_part(struct sim *s, node_id n, uint32_t queue, const struct seen_info *outcome)
{
    const struct seen_queue *q = seen_queue(s, n, queue);
    const struct seen_info *shown[] = {&q->now, &q->before, &q->changing, &q->overtaken};
    for (size_t i = 0; i < ARRAY_LEN(shown); i++)
        if (shown[i]->valid && shown[i]->master == outcome->master &&
            shown[i]->generation == outcome->generation)
            return true;
    return false;
}

/* In an earlier life n was the master already, under a later generation than this knowledge is of. */
static bool was_ahead(struct sim *s, node_id n, uint32_t queue, const struct seen_info *known)
{
    const struct seen_queue *q = seen_queue(s, n, queue);
    const struct seen_info *shown[] = {&q->before, &q->changing};
    for (size_t i = 0; i < ARRAY_LEN(shown); i++)
        if (shown[i]->valid && shown[i]->master == n && shown[i]->generation > known->generation)
            return true;
    return false;
}

/* Is the outcome what this knowledge asks for? *wanted: what it asks for, for a message. */
static bool justified(struct sim *s, node_id n, uint32_t queue, const struct seen_info *known,
                      const struct seen_info *outcome, node_id *wanted)
{
    node_set members = s->check.nodes[n].view.members;
    node_id chosen = outcome->local ? n : NODE_NONE;
    const struct sim_node *master = &s->nodes[known->master];
    /* a master that is still there, or was in the view that decided so, handed over: only a synchronised
     * mirror may be given a queue */
    bool there =
        (node_in(members, known->master) && master->m) || took_part(s, known->master, queue, outcome);
    if (chosen != NODE_NONE && there && (node_in(known->synced, chosen) || lacks_nothing(s, chosen, queue)))
        return true;
    bool stopping = master->m && master->stopping;
    bool may_order =
        stopping || master->departure == DEPARTURE_STOPPED || master->departure == DEPARTURE_BROKEN_OFF;
    bool may_crash = master->departure == DEPARTURE_KILLED || master->departure == DEPARTURE_BROKEN_OFF ||
                     s->cuts > 0; /* it was left out: a link of its, or of another's, was cut */
    struct seen_info ignored;
    for (unsigned way = 0; way < 8; way++) {
        bool in_order = way & 1, by_content = way & 2, behind = way & 4;
        if (!(in_order ? may_order : may_crash))
            continue;
        *wanted = rule(s, queue, known, outcome, members, in_order, by_content, behind);
        if (*wanted == chosen)
            return true;
        /* that chosen is in sync was still on its way to everybody; it may be while an older one is not yet
         */
        if (chosen != NODE_NONE && (*wanted == NODE_NONE || !node_in(known->synced, *wanted)) &&
            had_replica(s, chosen, queue, outcome, known->generation) && lacks_nothing(s, chosen, queue))
            return true;
        /* promoted, and moved at once to where the policy wants it */
        if (chosen != NODE_NONE && *wanted != NODE_NONE && node_in(outcome->named, chosen) &&
            !node_in(outcome->named, *wanted) && node_in(known->synced, chosen))
            return true;
        bool back = chosen == known->master || was_ahead(s, n, queue, known);
        if (*wanted == NODE_NONE && chosen != NODE_NONE && back && !knew(s, n, queue, outcome, 0, &ignored))
            return true; /* it is back already, and its log is the queue */
    }
    return false;
}

/* Did the node that this outcome waits for show itself as the master, in whatever life? */
static bool was_master(struct sim *s, const struct seen_info *outcome, uint32_t queue)
{
    const struct seen_queue *q = seen_queue(s, outcome->master, queue);
    const struct seen_info *shown[] = {&q->now, &q->before, &q->changing};
    for (size_t i = 0; i < ARRAY_LEN(shown); i++)
        if (shown[i]->valid && shown[i]->master == outcome->master && info_available(shown[i]) &&
            shown[i]->generation == outcome->generation)
            return true;
    return false;
}

/* Somebody of this side saw the queue wait for the same master before: that was judged then. */
static bool was_so_before(struct sim *s, node_id n, uint32_t queue, const struct seen_info *outcome)
{
    for (node_id other = 0; other < s->options.nodes; other++) {
        const struct seen_queue *q = seen_queue(s, other, queue);
        if (other != n && s->check.nodes[other].holding && info_same_outcome(&q->now, outcome) &&
            q->since != outcome->view && view_leads_to(s, q->since, outcome->view))
            return true;
    }
    return false;
}

static void tell_known(struct sim *s, node_id n, uint32_t queue, const struct seen_info *outcome,
                       unsigned kind)
{
    struct seen_info i;
    bool counts = knew(s, n, queue, outcome, kind, &i);
    if (!TRACING(s) || !i.valid)
        return;
    struct text t = {0};
    for (unsigned k = 0; k < i.mirrors_len; k++)
        text_printf(&t, " %s%s", s->names[i.mirrors[k]],
                    node_in(i.synced, i.mirrors[k]) ? "" : "(not in sync)");
    sim_tell(s, "      %s %s in epoch %llu, generation %llu: master %s%s, mirrors%s%s", s->names[n],
             counts ? "knew" : "(once) knew", (unsigned long long)i.epoch, (unsigned long long)i.generation,
             i.master < s->options.nodes ? s->names[i.master] : "-", info_available(&i) ? "" : " (away)",
             text_str(&t), i.replica || i.local ? "; it has a replica" : "");
    text_finish(&t);
}

void check_choice(struct sim *s, node_id n, uint32_t queue)
{
    const struct seen_info outcome = seen_queue(s, n, queue)->now;
    node_id wanted = NODE_NONE;
    bool anybody = false;
    if (s->options.rules)
        return; /* somebody's own: what they lose is judged, not whom they pick */
    if (!outcome.local && (was_master(s, &outcome, queue) || was_so_before(s, n, queue, &outcome)))
        return; /* was_master: of this same generation, and it has gone since */
    for (node_id other = 0; other < s->options.nodes; other++)
        for (unsigned kind = 0; kind < KNOWN; kind++) {
            struct seen_info known;
            if (!knew(s, other, queue, &outcome, kind, &known) || known.master >= s->options.nodes)
                continue;
            if (!info_available(&known) && outcome.local && known.master == n)
                return; /* it was waited for, and is back */
            if (!info_available(&known))
                continue;
            anybody = true;
            if (justified(s, n, queue, &known, &outcome, &wanted))
                return;
        }
    for (node_id other = 0; other < s->options.nodes && anybody; other++)
        for (unsigned kind = 0; kind < KNOWN; kind++)
            tell_known(s, other, queue, &outcome, kind);
    if (!anybody)
        return; /* nobody lived to tell: a start, judged by what is there (I3) */
    sim_fail(s, "I9", "%s: master is now %s; by the rules it would be %s", s->ledger.queues.items[queue].name,
             outcome.local ? s->names[n] : "nobody", wanted == NODE_NONE ? "nobody" : s->names[wanted]);
}

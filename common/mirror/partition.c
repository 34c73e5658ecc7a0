/* partition.c: links between nodes that live break. The members of a view can always all reach each other:
 * where two cannot, the one that is longer in the cluster stays and the other is told that it is out, so a
 * partial cut becomes a full one, as in RabbitMQ. What a side does then is cluster_partition_handling: it
 * goes on (ignore), it ends this life unless it has more than half of the nodes (pause_minority), or it goes
 * on until both meet again and the side with fewer clients begins again (autoheal). docs/protocol.md draws
 * it. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

/* ---- this life ends ---- */

/* Nothing is confirmed, answered or sent after this: the next life starts from the log. */
static void life_over(struct mirror *m, struct effects *out)
{
    m->over = true;
    if (m->serving_told)
        effects_add(out, FX_SERVING)->u.serving.on = false;
    m->serving_told = false;
    effects_add(out, FX_RESTART);
}

/* pause_minority: where members are lost, those that stay must be more than half of the cluster's nodes. Who
 * is about to come in does not count: it may have been in a later view, without this node. A view that only
 * grows is none of its business (the first one is made by whoever was the last: view.c); one that is
 * installed counts, whether it was served in or not. A node that is being stopped goes without a view: its
 * log must not say that it was the last. */
bool pause_if_minority(struct mirror *m, node_set stay, struct effects *out)
{
    if (m->o.partition_handling != PARTITION_PAUSE_MINORITY ||
        2 * node_count(stay) > node_count(m->cluster) || !(m->members & ~stay))
        return false;
    if (m->stopping) {
        m->stopped_told = m->over = true;
        m->phase = PHASE_STOPPED;
        effects_add(out, FX_STOPPED);
        return true;
    }
    tell(out, "node", NULL, "%s pauses: it reaches %u of %u nodes, not more than half", m->names[m->o.self],
         node_count(stay), node_count(m->cluster));
    life_over(m, out);
    return true;
}

/* ---- links that were lost ---- */

/* Between two that are in one view: a link that was lost took messages with it, and its ends may have gone
 * on. That it is up again does not mend that, only a new life of either end does. */
static bool broken_with(const struct mirror *m, node_id n, uint64_t incarnation)
{
    return m->phase != PHASE_STARTING && node_in(m->broken & m->members & ~viewless(m), n) &&
           m->incarnations[n] == incarnation && m->broken_life[n] == incarnation;
}

bool cut_from(const struct mirror *m, node_id n)
{
    return m->peers[n].known && broken_with(m, n, m->peers[n].incarnation);
}

/* ---- out of the view ---- */

/* Members that have gone on in a view without us, and a candidate that has not heard of it counts on us and
 * on them: without a word of ours it would wait for us for ever, and we for them. */
bool asked_with_others_side(const struct mirror *m, const struct peer_msg *prepare)
{
    node_set with = m->served ? m->excluded_by & m->members & prepare->u.prepare.targets : 0;
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (node_in(with, n) && prepare->u.prepare.incarnations[n] == m->incarnations[n])
            return true;
    return false;
}

/* It was asked before it knew that. */
static void refuse_apart(struct mirror *m, struct effects *out)
{
    struct peer_msg *asked = m->prepare_waits;
    if (!asked || !asked_with_others_side(m, asked))
        return;
    m->prepare_waits = NULL;
    refuse(m, m->prepare_from, asked->epoch, REFUSE_APART, out);
    peer_msg_destroy(asked);
}

/* A view that comes late: a member of it has said that it is in a later one, without us. So it will never be
 * served, and who leads it may wait for us. */
bool given_up(const struct mirror *m, const struct peer_msg *view)
{
    bool gone = false;
    for (size_t i = 0; i < view->u.install.members_len; i++) {
        node_id n = view->u.install.members[i].node;
        gone = gone || (n < m->o.nodes_len && node_in(m->excluded_by, n));
    }
    return gone && m->excluded_at > view->epoch;
}

/* A member of our view has gone on in another one without us. */
void excluded(struct mirror *m, node_id by, uint64_t promised, struct effects *out)
{
    if (!m->served || promised <= m->epoch || !node_in(m->members & ~m->excluded_by, by))
        return;
    m->excluded_by |= node_bit(by);
    m->excluded_at = u64_max(m->excluded_at, promised);
    if (m->leave_sent)
        return; /* one less to wait for: view_turn */
    m->partitioned |= node_bit(by);
    tell(out, "node", NULL, "%s is in another view: the cluster is partitioned", m->names[by]);
    refuse_apart(m, out);
    if (m->change.running && node_in(m->change.targets, by))
        begin_change(m, out);
    else
        change_if_mine(m, out);
}

/* Members of the view before that can be reached and are not in the new one: they learn it from us. One that
 * lives makes a view of its own then, and says so; one whose link has not ended yet is dead. */
void tell_apart(struct mirror *m, node_set before, struct effects *out)
{
    node_set apart = 0;
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (node_in(before & ~m->members & m->links & ~m->leaving, n) && m->peers[n].known &&
            m->peers[n].incarnation == m->incarnations[n])
            apart |= node_bit(n);
    if (!apart)
        return;
    struct peer_msg *msg = peer_msg_create(PEER_REFUSED, 0);
    msg->u.refused.promised = m->epoch;
    msg->u.refused.candidate = m->candidate;
    msg->u.refused.why = REFUSE_APART;
    send_to(out, apart, msg);
}

/* ---- a link between two others ---- */

void report(struct mirror *m, node_id to, node_id lost, uint64_t incarnation, struct effects *out)
{
    struct peer_msg *msg = peer_msg_create(PEER_REPORT, m->epoch);
    msg->u.report.node = lost;
    msg->u.report.incarnation = incarnation;
    msg->u.report.back = cut_from(m, lost) && m->peers[lost].incarnation == incarnation;
    send_to(out, node_bit(to), msg);
}

/* A candidate counts on a target that this node has lost. */
void report_missing(struct mirror *m, node_id candidate, const struct peer_msg *prepare, struct effects *out)
{
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (node_in(prepare->u.prepare.targets & ~node_bit(m->o.self), n) &&
            (!node_in(m->links, n) || broken_with(m, n, prepare->u.prepare.incarnations[n])))
            report(m, candidate, n, prepare->u.prepare.incarnations[n], out);
}

static bool lives(const struct mirror *m, node_id n, uint64_t incarnation)
{
    return node_in(m->links, n) && m->peers[n].known && m->peers[n].incarnation == incarnation;
}

static uint64_t join_of(const struct mirror *m, node_id n)
{
    return m->phase != PHASE_STARTING && node_in(m->members, n) &&
                   m->peers[n].incarnation == m->incarnations[n]
               ? m->joins[n]
               : UINT64_MAX;
}

/* who has to hear of a link that was lost; NODE_NONE: nobody else */
static node_id who_leads(const struct mirror *m)
{
    if (m->phase == PHASE_STARTING || m->change.running || m->leave_sent)
        return NODE_NONE;
    node_id n = somebody_leads(m) ? m->candidate : oldest_reachable(m);
    return n == m->o.self ? NODE_NONE : n;
}

/* A member says hello again, in the life in which its link broke: it was no death, and this node will not
 * answer who counts on both. The other end may have come into the view after that, and know of no break. */
void report_back(struct mirror *m, node_id from, struct effects *out)
{
    bool waits = m->prepare_waits && node_in(m->prepare_waits->u.prepare.targets, from);
    node_id to = waits ? m->prepare_from : who_leads(m);
    if (to != NODE_NONE && to != from && cut_from(m, from))
        report(m, to, from, m->peers[from].incarnation, out);
}

/* It says only now that it serves, and is the one that leads: what this node lost before it told another. */
void report_again(struct mirror *m, node_id to, struct effects *out)
{
    for (node_id n = 0; n < m->o.nodes_len && who_leads(m) == to; n++)
        if (n != to && n != m->o.self && node_in(m->broken & m->members & ~reachable(m), n))
            report(m, to, n, m->broken_life[n], out);
}

/* They cannot be in one view: the younger goes. */
static void leave_out_one(struct mirror *m, node_id one, node_id other, struct effects *out)
{
    uint64_t a = join_of(m, one), b = join_of(m, other);
    node_id younger = a != b ? (a > b ? one : other) : (one > other ? one : other);
    m->shun |= node_bit(younger);
    begin_change(m, out);
}

/* Links of nodes that have just started may not be there yet. Who leads the first view gives them the time
 * that it gives nodes: what the one left out has on its disk may be what another has lost. */
static bool link_may_come(const struct mirror *m, node_id from)
{
    bool had_it =
        node_in(m->change.prepared, from); /* it has answered, so it reached all: this one is lost */
    return m->phase == PHASE_STARTING && m->now < m->start_deadline && !had_it;
}

/* That time is over. */
void links_did_not_come(struct mirror *m, struct effects *out)
{
    node_set targets = m->phase == PHASE_STARTING && m->change.running ? m->change.targets : 0;
    for (node_id a = 0; a < m->o.nodes_len; a++)
        for (node_id b = 0; b < a; b++)
            if (node_in(targets, a) && node_in(targets, b) && node_in(m->cuts[a], b) &&
                node_in(m->cuts[b], a)) {
                leave_out_one(m, a, b, out);
                return;
            }
}

/* Only when both ends say so, or one end that has the link back: else it may be about a death that this node
 * is about to hear of itself. */
static void lost_link(struct mirror *m, node_id from, node_id lost, uint64_t incarnation, bool back,
                      struct effects *out)
{
    if (lost >= m->o.nodes_len || lost == m->o.self || lost == from)
        return;
    if (!lives(m, lost, incarnation)) {
        if (node_in(m->members & ~reachable(m), lost) && !m->change.running)
            change_if_mine(m, out);
        return;
    }
    m->cuts[from] |= node_bit(lost);
    node_set both = node_bit(from) | node_bit(lost);
    if (!back && (!node_in(m->cuts[lost], from) || link_may_come(m, from)))
        return;
    if (m->change.running) {
        if ((m->change.targets & both) != both)
            return;
    } else if ((reachable(m) & both) != both || m->phase == PHASE_STARTING || m->leave_sent ||
               m->stopped_lsn || somebody_leads(m) || oldest_reachable(m) != m->o.self) {
        return; /* whoever leads hears it too */
    }
    leave_out_one(m, from, lost, out);
}

void handle_report(struct mirror *m, node_id from, const struct peer_msg *msg, struct effects *out)
{
    lost_link(m, from, msg->u.report.node, msg->u.report.incarnation, msg->u.report.back, out);
}

/* ---- a candidate that leaves out somebody older ---- */

/* A PREPARE without a member that this node can reach, and that is longer in the cluster than the candidate:
 * that member lives, it will lead, and its view will be without the candidate. Until then this one waits. */
bool must_wait(const struct mirror *m, node_id from, const struct peer_msg *prepare)
{
    node_set there =
        m->phase == PHASE_STARTING ? 0 : reachable(m) & ~m->leaving & ~prepare->u.prepare.targets;
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (node_in(there, n) && n != from && m->joins[n] < m->joins[from])
            return true;
    return false;
}

/* Whom it leaves out the candidate has lost: it says so by that, where it takes itself for the one that leads
 * and reports to nobody. */
void hold_prepare(struct mirror *m, node_id from, struct peer_msg *prepare, struct effects *out)
{
    node_set lost = reachable(m) & ~m->leaving & ~prepare->u.prepare.targets & ~node_bit(from);
    held_drop(m, from);
    m->held_prepares[from] = steal(prepare);
    for (node_id n = 0; n < m->o.nodes_len && !m->change.running; n++)
        if (node_in(lost, n))
            lost_link(m, from, n, m->incarnations[n], false, out);
}

void held_drop(struct mirror *m, node_id from)
{
    peer_msg_destroy(m->held_prepares[from]);
    m->held_prepares[from] = NULL;
}

/* Whom it waited for is gone, or out of our reach: whose turn is it? Of several, the one that is longer in
 * the cluster: the other would wait for it. */
void held_retry(struct mirror *m, struct effects *out)
{
    while (!m->over) {
        node_id next = NODE_NONE;
        for (node_id n = 0; n < m->o.nodes_len; n++)
            if (m->held_prepares[n] && !must_wait(m, n, m->held_prepares[n]) &&
                (next == NODE_NONE || m->joins[n] < m->joins[next]))
                next = n;
        if (next == NODE_NONE)
            return;
        struct peer_msg *msg = m->held_prepares[next];
        m->held_prepares[next] = NULL;
        handle_prepare(m, next, msg, out);
        peer_msg_destroy(msg);
    }
}

/* A view is installed. A candidate that waits and is not in it is of another one; a member that waits may
 * have asked because this view's leader died. */
void held_refuse(struct mirror *m, struct effects *out)
{
    for (node_id n = 0; n < m->o.nodes_len; n++) {
        const struct peer_msg *held = m->held_prepares[n];
        if (held && !node_in(m->members, n))
            refuse(m, n, held->epoch, REFUSE_APART, out);
        if (held && (!node_in(m->members, n) || held->epoch <= m->epoch))
            held_drop(m, n);
    }
}

/* Nodes that serve in another view than the one that is served now. What a node said while it was in a view
 * of ours, or before, does not count: it may be dead, and its link not ended yet. */
void note_sides(struct mirror *m)
{
    for (node_id n = 0; n < m->o.nodes_len; n++) {
        const struct hello *h = &m->peers[n];
        bool since = h->incarnation != m->incarnations[n] || h->epoch > m->with_us[n];
        if (node_in(m->links & ~m->members, n) && h->known && h->serving && since)
            m->partitioned |= node_bit(n);
    }
}

/* A node that cannot be reached is not listed as partitioned: it may be dead. If it lives, it says so when
 * its link is back. That it may be on its own is not forgotten. */
void unlist(struct mirror *m, node_id n)
{
    m->lost |= m->partitioned & node_bit(n);
    m->partitioned &= ~node_bit(n);
}

/* ---- autoheal ---- */

struct side {
    node_id coordinator;
    uint64_t epoch;
    node_set members;
    uint64_t clients;
};

static bool says_side(const struct mirror *m, node_id n, const struct side *s)
{
    const struct hello *h = &m->peers[n];
    return node_in(m->links, n) && h->known && h->serving && h->coordinator == s->coordinator &&
           h->epoch == s->epoch;
}

/* True if every member of the side can be reached and says that it is in it. */
static bool whole(const struct mirror *m, struct side *s)
{
    s->clients = 0;
    for (node_id n = 0; n < m->o.nodes_len; n++) {
        if (!node_in(s->members, n))
            continue;
        if (n == m->o.self) {
            s->clients += m->clients;
            continue;
        }
        if (node_in(m->members, n) ? !node_in(reachable(m), n) : !says_side(m, n, s))
            return false;
        s->clients += m->peers[n].clients;
    }
    return true;
}

/* RabbitMQ's choice: the most clients, then the most nodes; of equals the one whose coordinator comes first
 */
static bool wins(const struct side *a, const struct side *b)
{
    if (a->clients != b->clients)
        return a->clients > b->clients;
    if (node_count(a->members) != node_count(b->members))
        return node_count(a->members) > node_count(b->members);
    return a->coordinator < b->coordinator;
}

/* The sides meet again. Of their coordinators the first in the cluster's list decides, once all reach all;
 * the losers begin again and are taken in as any node that starts. */
void heal_check(struct mirror *m, struct effects *out)
{
    if (m->o.partition_handling != PARTITION_AUTOHEAL || !serving(m) || m->coordinator != m->o.self ||
        m->change.running || m->stopping || m->over)
        return;
    struct side sides[LIMIT_NODES] = {
        {.coordinator = m->o.self, .epoch = m->epoch, .members = m->members},
    };
    size_t len = 1;
    node_set seen = m->members;
    for (node_id n = 0; n < m->o.nodes_len; n++) {
        const struct hello *h = &m->peers[n];
        if (node_in(seen, n) || !node_in(m->links, n) || !h->known || !h->serving)
            continue;
        if (h->coordinator < m->o.self || (h->members & seen))
            return; /* another decides; or views are still changing */
        sides[len++] = (struct side){.coordinator = h->coordinator, .epoch = h->epoch, .members = h->members};
        seen |= h->members;
    }
    if (len == 1)
        return;
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (node_in(seen & ~node_bit(m->o.self), n) && (seen & ~node_bit(n) & ~m->peers[n].links))
            return; /* not all healed yet: it could not be taken in */
    size_t best = 0;
    for (size_t i = 0; i < len; i++) {
        if (!whole(m, &sides[i]))
            return;
        if (wins(&sides[i], &sides[best]))
            best = i;
    }
    tell(out, "node", NULL, "autoheal: the side of %s wins with %llu client%s; the others begin again",
         m->names[sides[best].coordinator], (unsigned long long)sides[best].clients,
         plural(sides[best].clients));
    for (size_t i = 0; i < len; i++)
        if (i != best)
            send_to(out, others_of(m, sides[i].members), peer_msg_create(PEER_HEAL, sides[i].epoch));
    if (best != 0)
        life_over(m, out);
}

void handle_heal(struct mirror *m, node_id from, uint64_t epoch, struct effects *out)
{
    if (m->o.partition_handling != PARTITION_AUTOHEAL || !m->served || epoch != m->epoch || m->stopping)
        return;
    tell(out, "node", NULL, "autoheal: %s begins again, the side of %s decided so", m->names[m->o.self],
         m->names[from]);
    life_over(m, out);
}

/* the others decide by it */
void clients_changed(struct mirror *m, uint32_t count, struct effects *out)
{
    if (m->clients == count)
        return;
    m->clients = count;
    if (m->started && m->o.partition_handling == PARTITION_AUTOHEAL && m->phase != PHASE_STOPPED)
        send_hello(m, m->links, out);
}

/* check_replica.c: copies. What was confirmed is held wherever it must be (I1); what vanished did so through
 * a door (I3). */
#include "sim/world.h"

/* ---- I3 ---- */

static bool ended(const struct ledger_message *m, const struct ledger_queue *q)
{
    return m->fate != FATE_CONFIRMED || m->consumed || m->removed || m->door != DOOR_NONE || q->gone ||
           q->deletion;
}

/* It ended, or a purge is on its way that may meet it. */
static bool explained(const struct ledger_message *m, const struct ledger_queue *q)
{
    return ended(m, q) || q->purges > 0 || q->purge_unclear;
}

/* of_cut: a partition, and what both sides made of it, is one fault. */
static void lose(struct sim *s, node_id n, uint32_t message, enum door door, bool of_cut, const char *why)
{
    struct ledger_message *m = &s->ledger.messages.items[message];
    m->door = door;
    m->pending = DOOR_NONE;
    m->lost_step = s->steps;
    m->lost_in = s->check.nodes[n].at;
    s->ledger.lost[door]++;
    sim_tell(s, "      LOST m%u through %s: %s", message, door_name(door), why);
    if (s->options.one_fault_at_a_time && door != DOOR_L3 && !of_cut)
        sim_fail(s, "I3", "m%u (id %llu of %s) is lost through %s (%s), with one fault at a time", message,
                 (unsigned long long)m->id, s->ledger.queues.items[m->queue].name, door_name(door), why);
}

/* The master that n knew of has gone since (who may take over then is judged by check_choice): it does not
 * run, or began again, maybe as the master of another side, whose view does not come from the one that n knew
 * it in. (While one of the two is not yet in the other's view, one comes from the other.) */
static bool went(struct sim *s, uint32_t queue, const struct seen_info *known)
{
    if (!known->valid || known->master >= s->options.nodes)
        return false;
    const struct seen_info *master = &seen_queue(s, known->master, queue)->now;
    bool other_side =
        !view_leads_to(s, known->view, master->view) && !view_leads_to(s, master->view, known->view);
    return !s->check.nodes[known->master].holding || master->life != s->nodes[known->master].lives ||
           !master->local || other_side;
}

/* n may have been installed in a view since that it never served in, and in which there was another master.
 */
static bool master_went(struct sim *s, node_id n, uint32_t queue)
{
    const struct seen_queue *q = seen_queue(s, n, queue);
    bool later = q->changing.life == s->nodes[n].lives && q->changing.generation > q->now.generation;
    return went(s, queue, &q->now) || (later && went(s, queue, &q->changing));
}

/* autoheal has decided against the side that n is on: n begins again, or its queue's master did before it. */
static bool on_losing_side(struct sim *s, node_id n, uint32_t queue, enum cause cause)
{
    if (s->options.partition_handling != PARTITION_AUTOHEAL)
        return false;
    return cause == CAUSE_RESTART || (cause == CAUSE_STEP && master_went(s, n, queue) &&
                                      s->nodes[seen_queue(s, n, queue)->now.master].restarted);
}

/* Lost to the side that n is on; as long as another side holds it, that is not the end of it. */
static void lose_here(struct sim *s, node_id n, uint32_t message, enum door door, const char *why)
{
    if (check_elsewhere(s, n, &s->ledger.messages.items[message]))
        s->ledger.messages.items[message].pending = door;
    else
        lose(s, n, message, door, false, why);
}

void check_queue_forgotten(struct sim *s, node_id n, uint32_t queue)
{
    const struct ledger_queue *q = &s->ledger.queues.items[queue];
    for (size_t i = 0; i < q->messages.len; i++)
        if (!explained(&s->ledger.messages.items[q->messages.items[i]], q))
            lose_here(s, n, q->messages.items[i], DOOR_L4,
                      s->forced ? "an operator forced a start without the nodes that knew of its queue"
                                : "an operator removed the node that its queue waited for");
}

/* The others have removed its queue, which is transient and goes with its node, before that node did. */
static bool went_with_queue(const struct ledger_message *m, const struct ledger_queue *q, enum cause cause)
{
    return q->gone && !q->durable && !q->exclusive && !q->deletion && !q->purge_unclear && !q->auto_ack &&
           (cause == CAUSE_DOWN || cause == CAUSE_RESTART) && m->fate == FATE_CONFIRMED && !m->consumed &&
           !m->removed && m->door == DOOR_NONE;
}

/* Nobody holds it, and no disk of a node that is away: where did it go? The order of the doors is that of
 * docs/semantics.md, the same as in lab/replay.c: an operator (L4); a partition (L3); transient, and the last
 * that had it went (L5), whoever is promoted then; an unsynchronised mirror was promoted (L1: here only of
 * what that one had in memory alone, for what it lacked went when it was promoted). A forced start explains
 * what nothing else does. */
static void account(struct sim *s, node_id n, uint32_t message, enum cause cause)
{
    struct ledger_message *m = &s->ledger.messages.items[message];
    const struct ledger_queue *q = &s->ledger.queues.items[m->queue];
    if (!m->memory && (q->purges > 0 || q->purge_unclear))
        m->removed = true;
    if (!m->memory && went_with_queue(m, q, cause)) {
        bool lost = check_discarded(s, n, m) || on_losing_side(s, n, m->queue, cause);
        lose(s, n, message, lost ? DOOR_L3 : DOOR_L5, true, "its queue was transient and went with its node");
        return;
    }
    if (m->memory || m->disk || explained(m, q))
        return;
    if (q->auto_ack) {
        m->removed = true; /* on its way to a client that does not acknowledge; at most once */
        return;
    }
    bool went = !m->persistent && m->placed && (cause == CAUSE_DOWN || cause == CAUSE_RESTART);
    if (!went && check_limits_end(s, message)) /* who goes drops nothing */
        return;
    if (cause == CAUSE_OPERATOR) {
        lose(s, n, message, DOOR_L4, false, "an operator reset the node that held it");
        return;
    }
    if (m->at_risk) {
        lose(s, n, message, DOOR_L1, false,
             "an unsynchronised mirror was promoted, and went before it was on its disk");
        return;
    }
    if (m->pending != DOOR_NONE && !(m->pending == DOOR_L1 && cause == CAUSE_DOWN && !m->persistent)) {
        if (cause == CAUSE_DOWN)
            lose(s, n, message, m->pending, true,
                 "one side of a partition had lost it, and the other one went");
        else
            lose(s, n, message, DOOR_L3, false, "the side of a partition that held it was discarded");
        return;
    }
    if (check_discarded(s, n, m) || on_losing_side(s, n, m->queue, cause)) {
        lose(s, n, message, DOOR_L3, false, "the losing side of a partition was discarded");
        return;
    }
    if ((cause == CAUSE_DOWN || cause == CAUSE_RESTART) && !m->persistent) {
        bool paused = cause == CAUSE_RESTART;
        lose(s, n, message, DOOR_L5, paused,
             paused ? "it was transient and its last holder paused"
                    : "it was transient and the last node that had it stopped");
        return;
    }
    if (cause == CAUSE_STEP && !m->persistent && master_went(s, n, m->queue)) {
        lose(s, n, message, DOOR_L5, false,
             "it was transient, its master stopped, and this copy was not in sync");
        return;
    }
    if (s->forced) {
        lose(s, n, message, DOOR_L4, false, "an operator forced a start without the nodes that knew of it");
        return;
    }
    /* L2 is not looked for: a queue's master holds what is confirmed, so this door opens only behind L1 */
    sim_fail(s, "I3", "m%u (id %llu of %s, confirmed%s) is gone: %s %s, and no door explains it", message,
             (unsigned long long)m->id, q->name, m->persistent ? ", persistent" : "", s->names[n],
             cause == CAUSE_STEP ? "dropped the last copy"
             : cause == CAUSE_UP ? "came back without the copy on its disk, the last one"
                                 : "had the last copy and went");
}

void check_losses(struct sim *s, node_id n, enum cause cause)
{
    for (size_t i = 0; i < s->check.vanished.len; i++)
        account(s, n, s->check.vanished.items[i], cause);
    s->check.vanished.len = 0;
}

/* All were killed in one view, and n's disk is lost with what it was the master of, unless a mirror was in
 * sync when they went: as the disks of all who are left say. */
static void lose_with_disk(struct sim *s, node_id n, uint32_t queue)
{
    struct ledger_queue *q = &s->ledger.queues.items[queue];
    node_set synced = ~node_bit(n);
    bool masters = false;
    for (node_id other = 0; other < s->options.nodes; other++) {
        const struct seen_queue *sq = seen_queue(s, other, queue);
        const struct seen_info *says = &sq->now;
        if (other == n || !says->valid || says->life != s->nodes[other].lives)
            continue;
        masters = masters || says->master == n;
        synced &= sq->synced_at <= s->nodes[other].disk.records ? says->synced : 0;
    }
    q->disk_lost = masters && synced ? n + 1 : 0;
    for (size_t i = 0; i < q->messages.len && masters && !synced; i++)
        if (!explained(&s->ledger.messages.items[q->messages.items[i]], q))
            lose(s, n, q->messages.items[i], DOOR_L4, false,
                 "the disk of its queue's node was lost, and no mirror was in sync");
}

void check_disk_lost(struct sim *s, node_id n)
{
    for (uint32_t i = 0; i < s->ledger.queues.len; i++)
        lose_with_disk(s, n, i);
}

/* A disk was lost, and n is the first to be in a view that knows the queue. The view may have been made
 * without the node of that disk: then those who have copies gave them up before it was known that they are
 * the last ones. */
void check_begun(struct sim *s, node_id n)
{
    for (uint32_t i = 0; s->counts[SIM_DISKS_LOST] && i < s->ledger.queues.len; i++) {
        struct ledger_queue *lq = &s->ledger.queues.items[i];
        struct queue *q = lq->disk_lost ? mirror_find_queue_uid(s->nodes[n].m, lq->uid) : NULL;
        if (!q)
            continue;
        struct queue_info info;
        mirror_queue_info(s->nodes[n].m, q, &info);
        bool without =
            info.master + 1U == lq->disk_lost && (info.state == QUEUE_STOPPED || info.state == QUEUE_DOWN);
        lq->disk_lost = without ? 0 : lq->disk_lost;
        for (size_t k = 0; k < lq->messages.len && without; k++)
            if (!explained(&s->ledger.messages.items[lq->messages.items[k]], lq))
                lose(s, n, lq->messages.items[k], DOOR_L4, false,
                     "the disk of its queue's node was lost, and the others had begun without it");
    }
}

/* Did anybody who should know say that n was in sync before it took over? */
static bool was_synced(struct sim *s, node_id n, uint32_t queue)
{
    const struct seen_info *own = &seen_queue(s, n, queue)->before;
    if (!own->valid || own->life != s->nodes[n].lives || !own->replica)
        return false;
    if (node_in(own->synced, n))
        return true;
    const struct seen_info *old = &seen_queue(s, own->master, queue)->now;
    return old->valid && old->local && old->generation == own->generation && old->view == own->view &&
           node_in(old->synced, n);
}

/* autoheal has discarded this master; those of its side who are to follow do not know that yet. */
static bool discarded_first(const struct sim *s, node_id master)
{
    return s->options.partition_handling == PARTITION_AUTOHEAL && master < s->options.nodes &&
           s->nodes[master].restarted;
}

/* No disk keeps it, and all who hold it are on their way out. */
static bool leaves_with(const struct sim *s, const struct ledger_message *m)
{
    node_set stay = 0;
    for (node_id n = 0; n < s->options.nodes; n++)
        if (s->nodes[n].m && !s->nodes[n].stopping)
            stay |= node_bit(n);
    return !m->persistent && !(m->memory & stay);
}

/* A view that may never be served decides, too: what its new master lacks is lost, even if that master dies
 * before anybody heard of it. (What the next master holds nevertheless is found again: check_promoted.) The
 * policy is the one that this view has: n may have been behind, and have it from a member that was not. */
void check_new_master(struct sim *s, node_id n, uint32_t queue, const struct seen_info *known,
                      const struct seen_info *now)
{
    node_id x = now->master;
    sim_tell(s, "      %s generation %llu: master %s%s (says %s in epoch %llu)",
             s->ledger.queues.items[queue].name, (unsigned long long)now->generation,
             x < s->options.nodes ? s->names[x] : "-", info_available(now) ? "" : ", away", s->names[n],
             (unsigned long long)now->epoch);
    if (!known->valid || known->life != s->nodes[n].lives || x >= s->options.nodes || x == known->master ||
        node_in(known->synced, x) || !info_available(now))
        return;
    const struct sim_node *old = &s->nodes[known->master];
    bool in_order = (old->m && old->stopping) || old->departure == DEPARTURE_STOPPED ||
                    old->departure == DEPARTURE_BROKEN_OFF;
    bool crash = old->departure == DEPARTURE_KILLED || old->departure == DEPARTURE_BROKEN_OFF || s->cuts > 0;
    bool allowed =
        !now->promote_synced_on_failure && ((in_order && now->promote_always_on_shutdown) || crash);
    if (!allowed && !s->options.rules)
        return; /* whoever serves so is judged by check_choice */
    bool discarded = discarded_first(s, known->master);
    const struct ledger_queue *lq = &s->ledger.queues.items[queue];
    for (size_t i = 0; i < lq->messages.len; i++) {
        struct ledger_message *m = &s->ledger.messages.items[lq->messages.items[i]];
        m->at_risk =
            m->at_risk || (!discarded && m->persistent && node_in(m->memory, x) && !disk_has(s, x, m));
        if (!explained(m, lq) && !node_in(m->memory | m->disk, x) && !lq->auto_ack &&
            !check_parted(s, n, m->view))
            lose_here(s, n, lq->messages.items[i],
                      discarded           ? DOOR_L3
                      : leaves_with(s, m) ? DOOR_L5
                                          : DOOR_L1,
                      discarded ? "the losing side of a partition was discarded, its queue's master first"
                                : "a view makes an unsynchronised mirror the master, as the policy allows");
    }
}

/* The view that lost it came to nothing, or is of another side of a partition; or one that had joined a view,
 * and had not served, held it. */
static void find_again(struct sim *s, node_id n, uint32_t message)
{
    struct ledger_message *m = &s->ledger.messages.items[message];
    sim_tell(s, "      FOUND m%u", message);
    s->ledger.lost[m->door]--;
    m->pending = m->door == DOOR_L1 && check_parted(s, n, m->lost_in) ? DOOR_L1 : DOOR_NONE;
    m->door = DOOR_NONE;
}

#define STOP_PATIENCE_MS 5000 /* protocol.md, "Leaving in order" */

/* A node that is being stopped leaves, or has left, without having heard that its mirrors have everything:
 * its patience was over, by its own clock, which may have jumped. */
static bool impatient(const struct sim *s, node_id n)
{
    ms_time leave_ms = s->check.nodes[n].leave_ms, stop_ms = s->nodes[n].stop_ms;
    return (leave_ms >= stop_ms ? leave_ms : s->nodes[n].told_ms) >= stop_ms + STOP_PATIENCE_MS;
}

/* A master that stops in order hands over what its mirrors have, too: what was acknowledged to it stays so.
 */
static void check_handover(struct sim *s, node_id n, uint32_t queue, const struct seen_info *own)
{
    const struct ledger_queue *lq = &s->ledger.queues.items[queue];
    const struct sim_node *old = &s->nodes[own->master];
    bool in_order = old->m ? old->stopping : old->departure == DEPARTURE_STOPPED;
    if (!in_order || s->cuts > 0 || s->forced || impatient(s, own->master))
        return;
    for (size_t i = 0; i < lq->messages.len; i++) {
        const struct ledger_message *m = &s->ledger.messages.items[lq->messages.items[i]];
        if (m->ended_in && m->ended_in == own->generation && m->ended_life == old->lives &&
            node_in(m->memory, n))
            sim_fail(s, "I5",
                     "%s takes over %s from %s, which stopped in order, with m%u, which that one removed",
                     s->names[n], lq->name, s->names[own->master], lq->messages.items[i]);
    }
}

/* n is now the queue's master, and its history the truth: what it lacks is lost, and that needs a door. */
void check_promoted(struct sim *s, node_id n, uint32_t queue)
{
    struct seen_queue *sq = seen_queue(s, n, queue);
    const struct seen_info *own = &sq->before;
    bool mirror_before = own->valid && own->life == s->nodes[n].lives && own->replica;
    bool synced = was_synced(s, n, queue), discarded = discarded_first(s, own->master);
    struct ledger_queue *lq = &s->ledger.queues.items[queue];
    s->check.promotions += mirror_before;
    s->check.unsynced_promotions += mirror_before && !synced;
    struct seen_reign *reign = &s->check.queues.items[queue].reigns[n];
    for (node_id other = 0; other < s->options.nodes; other++)
        reign->joined_in[other] = 0;
    reign->promoted_in = s->check.nodes[n].at;
    if (mirror_before && own->master < s->options.nodes)
        check_handover(s, n, queue, own);
    for (size_t i = 0; i < lq->messages.len; i++) {
        uint32_t message = lq->messages.items[i];
        struct ledger_message *m = &s->ledger.messages.items[message];
        if (mirror_before && !synced && !discarded)
            m->at_risk = m->at_risk || (m->persistent && node_in(m->memory, n) && !disk_has(s, n, m));
        if (node_in(m->memory, n) && m->door != DOOR_NONE)
            find_again(s, n, message);
        if (node_in(m->memory, n))
            continue;
        if (explained(
                m, lq)) { /* maybe by a purge, which may not find it: on another side, or on none any more */
            if (mirror_before && !synced && m->pending == DOOR_NONE &&
                (check_elsewhere(s, n, m) || !ended(m, lq)))
                m->pending = DOOR_L1;
            continue;
        }
        if (lq->auto_ack && (m->memory == 0 || node_in(m->dropped, n))) { /* taken, and on its way */
            m->removed = true;
            continue;
        }
        if (check_parted(s, n, m->view))
            continue; /* confirmed on the other side of a partition */
        if (m->pending != DOOR_NONE) {
            /* as this side has known for long; disks of the other may bring it back */
            if (!m->disk)
                lose_here(s, n, message, m->pending,
                          "one side of a partition had lost it, and the other is gone");
            continue;
        }
        if (!mirror_before && check_discarded(s, n, m)) {
            if (m->memory || m->disk)
                m->pending = DOOR_L3; /* others of its old side will discard it, too */
            else
                lose(s, n, message, DOOR_L3, true, "its queue had moved on the losing side of a partition");
            continue;
        }
        if (m->at_risk && !mirror_before) {
            lose_here(s, n, message, DOOR_L1,
                      "an unsynchronised mirror was promoted, and went before it was on its disk");
            continue;
        }
        if (mirror_before && !synced) {
            lose_here(s, n, message, leaves_with(s, m) ? DOOR_L5 : DOOR_L1,
                      "an unsynchronised mirror was promoted, as the policy allows");
            continue;
        }
        if (!mirror_before &&
            !m->persistent) { /* n was restarted; the others who held it are stopping, too */
            lose_here(s, n, message, DOOR_L5, "it was transient, and its queue begins again from a disk");
            continue;
        }
        if (check_limits_end(s, message)) /* the first thing that the new master did */
            continue;
        if (s->forced) {
            lose_here(s, n, message, DOOR_L4, "an operator forced a start without the nodes that knew of it");
            continue;
        }
        if (!mirror_before && check_lost_before(s, n, m))
            continue; /* its side loses it once more, and another one has it */
        if (lq->disk_lost == n + 1U) {
            lose_here(s, n, message, DOOR_L4,
                      "the disk of its queue's node was lost, and that one began without the mirrors");
            continue;
        }
        sim_fail(s, m->persistent || !mirror_before ? "I3" : "I4",
                 "%s takes over %s without m%u (id %llu, confirmed%s; in memory of %x, on disk of %x), %s",
                 s->names[n], lq->name, message, (unsigned long long)m->id,
                 m->persistent ? ", persistent" : "", m->memory, m->disk,
                 mirror_before ? "though it was synchronised" : "and it was no mirror before");
    }
    if (lq->disk_lost == n + 1U)
        lq->disk_lost = 0; /* what was on it is accounted for */
}

void check_on_disk(struct sim *s, node_id n)
{
    for (size_t i = 0; i < s->ledger.messages.len; i++) {
        struct ledger_message *m = &s->ledger.messages.items[i];
        m->at_risk = m->at_risk && !(node_in(m->memory, n) && disk_has(s, n, m));
    }
}

/* ---- I1 ---- */

void check_published(struct sim *s, node_id n, uint32_t message)
{
    (void)seen_queue(s, n, s->ledger.messages.items[message].queue);
}

static bool owes(struct sim *s, node_id n, uint32_t queue, const struct seen_info *master, msg_id id)
{
    if (master->master == n || node_in(master->synced, n))
        return true;
    if (master->master >= SIM_NODES)
        return false;
    const struct seen_reign *w = &s->check.queues.items[queue].reigns[master->master];
    bool listed = false;
    for (unsigned k = 0; k < master->mirrors_len; k++)
        listed = listed || master->mirrors[k] == n;
    return listed && w->joined_in[n] == master->view && id >= w->joined_at[n];
}

/* n's side confirms m. Another side may have it under another id, and have been looked at since. On this one
 * it is as its master has it, or had it in this view and has given it away; if that one was never seen to, as
 * others of the view were. */
static void id_of_side(struct sim *s, node_id n, struct ledger_message *m)
{
    node_id master = seen_queue(s, n, m->queue)->now.master;
    for (node_id other = 0; other < s->options.nodes && m->view; other++)
        if (m->ids_in[other] == m->view)
            m->id = m->ids[other];
    if (master < s->options.nodes &&
        (node_in(m->memory, master) || (m->view && m->ids_in[master] == m->view)))
        m->id = m->ids[master];
}

void check_confirmed(struct sim *s, node_id n, uint32_t message)
{
    struct ledger_message *m = &s->ledger.messages.items[message];
    const struct ledger_queue *q = &s->ledger.queues.items[m->queue];
    m->view = s->check.nodes[n].at;
    /* Confirmed because its queue was deleted, and nobody holds it: the last that held it went, and the last
     * master may have taken it anew in the step in which it deleted the queue. Its mirrors, who hear of the
     * two one after the other, show under which id. */
    m->id_unseen = !seen_queue(s, n, m->queue)->present && (m->memory & s->check.nodes[n].view.members) == 0;
    if (s->cuts > 0)
        id_of_side(s, n, m);
    if (explained(m, q) || (q->auto_ack && m->memory == 0) ||
        (s->options.rules && s->options.rules->can_confirm)) /* whose rule that is, I3 will judge */
        return;
    const struct seen_info *here = &seen_queue(s, n, m->queue)->now;
    if (!here->valid)
        return;
    if (q->auto_ack && !node_in(m->memory, here->master))
        return; /* taken already */
    const struct seen_info *master = &seen_queue(s, here->master, m->queue)->now;
    if (!master->valid || master->generation != here->generation || master->view != here->view)
        master = here;
    if (node_in(m->memory, here->master))
        m->id = m->ids[here->master];
    else if (check_limits_end_at(s, here->master, message))
        return;
    for (node_id other = 0; other < s->options.nodes; other++) {
        const struct seen_node *sn = &s->check.nodes[other];
        const struct seen_queue *sq = seen_queue(s, other, m->queue);
        if (!sn->holding || sn->at != here->view || sn->view.phase != PHASE_SERVING || !sq->present ||
            sq->now.generation != here->generation || !(sq->now.local || sq->now.replica))
            continue;
        /* by its own table: one that was removed and does not know it yet may still be promoted */
        bool in_sync = sq->now.replica && sq->now.view == here->view && node_in(sq->now.synced, other);
        if (!in_sync && !owes(s, other, m->queue, master, m->id))
            continue;
        if (!node_in(m->memory, other))
            sim_fail(s, "I1", "%s confirms m%u (id %llu of %s), but %s, %s, does not hold it", s->names[n],
                     message, (unsigned long long)m->id, q->name, s->names[other],
                     sq->now.local ? "its master" : "a mirror");
        else if (m->persistent && !disk_has(s, other, m))
            sim_fail(s, "I1", "%s confirms m%u (id %llu of %s), but it is not on %s's disk", s->names[n],
                     message, (unsigned long long)m->id, q->name, s->names[other]);
    }
    if (m->memory == 0 && m->disk == 0 && !s->failure) {
        node_id master_node = here->master;
        account(s, n, message,
                s->check.nodes[master_node].holding ? CAUSE_STEP
                : s->nodes[master_node].restarted   ? CAUSE_RESTART
                                                    : CAUSE_DOWN);
    }
}

void check_delivered(struct sim *s, node_id n, uint32_t message)
{
    const struct ledger_message *m = &s->ledger.messages.items[message];
    node_id master = check_shown(s, n, m->queue)->master;
    /* from the master before, or from one that has gone since */
    bool on_its_way = m->generation < s->check.queues.items[m->queue].generation ||
                      (master < s->options.nodes && !s->check.nodes[master].holding);
    if (m->door != DOOR_NONE && m->door != DOOR_L5 && !on_its_way)
        sim_fail(s, "I3", "%s hands out m%u, which was lost through %s at step %llu", s->names[n], message,
                 door_name(m->door), (unsigned long long)m->lost_step);
}

/* view.c: who is in the cluster. Links come and go, a candidate (the longest-running member that can be
 * reached) asks all, decides, installs; a node starts, leaves in order, or waits for those that were running
 * when it left. docs/protocol.md draws it. */
#include "mirror/mirror_private.h"

#include "base/text.h"

#include "base/ban.h"

void send_hello(struct mirror *m, node_set to, struct effects *out)
{
    if (!to || m->leave_sent)
        return;
    struct peer_msg *msg = peer_msg_create(PEER_HELLO, m->epoch ? m->epoch : m->recovered_epoch);
    msg->u.hello.incarnation = m->o.incarnation;
    msg->u.hello.version = m->version;
    msg->u.hello.serving = m->served;
    msg->u.hello.fresh = m->fresh;
    msg->u.hello.members = m->members;
    msg->u.hello.others = m->recovered_others;
    msg->u.hello.links = m->links;
    msg->u.hello.coordinator = m->coordinator;
    msg->u.hello.clients = m->clients;
    send_to(out, to, msg);
}

/* It waits to be taken in, and the cluster goes on without it. */
static void refuse_forgotten(struct mirror *m, node_id n, struct effects *out)
{
    const struct hello *h = &m->peers[n];
    if (m->served && h->known && !h->serving && is_forgotten(m, n))
        refuse(m, n, h->epoch, REFUSE_FORGOTTEN, out);
}

/* the first view this node serves in: the others must not take it for one that wants in any more */
void view_served(struct mirror *m, struct effects *out)
{
    if (m->served)
        return;
    m->served = true;
    send_hello(m, m->links, out);
    for (node_id n = 0; n < m->o.nodes_len; n++) /* who said hello before */
        refuse_forgotten(m, n, out);
}

/* ---- the first view ---- */

/* for links to nodes that may serve in a partition of their own; then it says for whom it waits */
#define START_PATIENCE_MS 1500

/* a before b: whose past rules when all start together */
static bool later_past(const struct hello *a, node_id a_id, const struct hello *b, node_id b_id)
{
    if (a->epoch != b->epoch)
        return a->epoch > b->epoch;
    if (a->version != b->version)
        return a->version > b->version;
    return a_id < b_id;
}

static struct hello own_hello(const struct mirror *m)
{
    return (struct hello){.known = true,
                          .fresh = m->fresh,
                          .epoch = m->recovered_epoch,
                          .version = m->version,
                          .others = m->recovered_others,
                          .incarnation = m->o.incarnation};
}

/* Whom a node looks for before it makes a view without them: all of its cluster, for even if it was the last
 * to stop, somebody may have been forced to start since. */
static node_set missed_at_start(const struct mirror *m)
{
    node_set all = m->o.nodes_len < LIMIT_NODES ? node_bit((node_id)m->o.nodes_len) - 1 : UINT32_MAX;
    return others_of(m, m->fresh && m->o.lived ? all : m->lost | m->cluster);
}

/* Of the nodes that are here, and of which nobody serves: whose past is the latest, and who has to come
 * before that one may lead. A node that was never in a view leaves it to the cluster's first node. */
struct forming {
    bool somebody_serves; /* its coordinator takes us in */
    node_id leader;
    node_set here, lacks;
};

static struct forming forming(const struct mirror *m)
{
    struct forming f = {.leader = m->o.self, .here = node_bit(m->o.self)};
    struct hello best = own_hello(m);
    for (node_id n = 0; n < m->o.nodes_len; n++) {
        const struct hello *h = &m->peers[n];
        if (n == m->o.self || !node_in(m->links, n) || !h->known)
            continue;
        f.somebody_serves = f.somebody_serves || h->serving;
        f.here |= node_bit(n);
        if (best.fresh == h->fresh ? later_past(h, n, &best, f.leader) : best.fresh) {
            best = *h;
            f.leader = n;
        }
    }
    f.lacks = (best.fresh ? node_bit(0) : best.others) & ~f.here;
    return f;
}

node_set view_waits_for(const struct mirror *m)
{
    struct forming f = forming(m);
    return m->phase == PHASE_STARTING && !f.somebody_serves ? f.lacks : 0;
}

static void add_names(const struct mirror *m, node_set nodes, struct text *names)
{
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (node_in(nodes, n))
            text_printf(names, "%s%s", names->len ? " " : "", m->names[n]);
}

/* Once for each set of nodes: who looks at a node that does not serve must find out why. */
static void tell_waiting(struct mirror *m, node_set lacks, struct effects *out)
{
    if (lacks == m->waits_told || m->now < m->start_deadline)
        return;
    m->waits_told = lacks;
    if (!lacks)
        return;
    struct text names = {0};
    add_names(m, lacks, &names);
    tell(out, "node", NULL, "%s waits for nodes that were running when it left: %s", m->names[m->o.self],
         text_str(&names));
    text_finish(&names);
}

/* An operator has said that those it would wait for do not count. What it knows is the cluster's metadata
 * then. */
static void tell_forced(const struct mirror *m, node_set lacks, struct effects *out)
{
    struct text names = {0};
    add_names(m, lacks, &names);
    tell(out, "node", NULL, "%s is forced to start without nodes that were running when it left: %s",
         m->names[m->o.self], text_str(&names));
    text_finish(&names);
}

/* Nobody serves yet: the node whose past is the latest leads, once everybody who was running when it left is
 * there. */
static void try_form(struct mirror *m, struct effects *out)
{
    if (m->phase != PHASE_STARTING || !m->started || m->stopping || m->change.running)
        return;
    struct forming f = forming(m);
    if (f.somebody_serves)
        return;
    if (f.lacks && m->o.forced && m->now >= m->start_deadline) {
        tell_forced(m, f.lacks, out);
        begin_change(m, out);
        return;
    }
    if (f.leader != m->o.self || f.lacks) {
        tell_waiting(m, f.lacks, out);
        return;
    }
    node_set missed = missed_at_start(m) & ~f.here;
    if (missed && m->now < m->start_deadline)
        return; /* a moment: they may serve, on the other side of a partition or without a node that was reset
                 */
    begin_change(m, out);
}

void view_start(struct mirror *m, struct effects *out)
{
    m->started = true;
    m->start_deadline = m->now + START_PATIENCE_MS;
    m->looks = true;
    send_hello(m, m->links, out);
    try_form(m, out);
}

/* Whatever happens: is the time over that it gave others to show themselves? */
void view_time(struct mirror *m, struct effects *out)
{
    if (!m->looks || m->now < m->start_deadline)
        return;
    m->looks = false;
    links_did_not_come(m, out);
    try_form(m, out);
}

/* ---- links ---- */

/* The view this node was about to join died before it was served, and nobody is left who served before: those
 * who did may have gone on, or will come back, and this node has nothing to go on with. */
static void start_over(struct mirror *m, struct effects *out)
{
    change_end(m);
    m->phase = PHASE_STARTING;
    m->recovered_epoch = m->epoch;
    m->recovered_others = others_of(m, m->members);
    m->installed_waits = false;
    m->members = m->joined = 0;
    size_t at = 0;
    struct queue *q;
    while ((q = map_next(&m->queues, &at))) {
        q->promoting = false;
        q->recovered = q->recovered || content_depth(&q->content) > 0;
    }
    send_hello(m, m->links, out);
    try_form(m, out);
}

/* This node led the first view, and somebody it counted on is in another: it waits to be taken in. */
static void give_up(struct mirror *m, struct effects *out)
{
    if (m->phase == PHASE_CHANGING)
        start_over(m, out);
    else
        change_end(m);
}

void view_peer_up(struct mirror *m, node_id peer, struct effects *out)
{
    m->links |= node_bit(peer);
    m->cuts[peer] = 0;
    m->excluded_by &= ~node_bit(peer);
    m->peers[peer] = (struct hello){0};
    if (!m->started || m->phase == PHASE_STOPPED)
        return;
    bool all = m->phase == PHASE_STARTING || m->o.partition_handling == PARTITION_AUTOHEAL;
    send_hello(m, all ? m->links : node_bit(peer), out);
    answer_prepare(m, out);
}

static void peer_down(struct mirror *m, node_id peer, uint64_t lost, struct effects *out)
{
    if (m->leave_sent) {
        node_set rest = reachable(m);
        if (rest)
            send_to(out, rest, peer_msg_create(PEER_LEAVE, m->epoch));
        last_one_stays(m, out);
        return; /* nobody left: view_turn goes on */
    }
    if (m->change.running) {
        if (node_in(m->change.targets, peer)) {
            if (m->phase == PHASE_STARTING && !m->change.install_sent) {
                change_end(m);
                try_form(m, out);
            } else {
                begin_change(m, out);
            }
        }
        return;
    }
    if (m->phase == PHASE_STARTING) {
        send_hello(m, m->links, out);
        if (m->promised > m->epoch && node_in(m->links & ~node_bit(m->o.self), m->candidate))
            report(m, m->candidate, peer, lost, out);
        try_form(m, out);
        return;
    }
    if (m->phase == PHASE_CHANGING && !m->served && peer == m->candidate && !(reachable(m) & ~m->joined)) {
        start_over(m, out);
        return;
    }
    if (!node_in(m->members, peer) &&
        !(m->phase == PHASE_CHANGING &&
          (m->candidate == peer || (somebody_leads(m) && node_in(m->asked, peer)))))
        return;
    node_id oldest = somebody_leads(m) ? m->candidate : oldest_reachable(m);
    if (oldest == m->o.self) {
        begin_change(m, out);
        return;
    }
    report(m, oldest, peer, lost, out);
}

void view_peer_down(struct mirror *m, node_id peer, struct effects *out)
{
    uint64_t lost = m->peers[peer].incarnation, asked = 0;
    /* the life that a candidate counts on: its HELLO did not come, or this was an earlier one's link */
    if (m->prepare_waits && node_in(m->prepare_waits->u.prepare.targets, peer))
        asked = m->prepare_waits->u.prepare.incarnations[peer];
    lost = lost ? lost : asked;
    m->links &= ~node_bit(peer);
    m->wants_left &= ~node_bit(peer);
    m->peers[peer] = (struct hello){0};
    m->broken |= lost ? node_bit(peer) : 0;
    m->broken_life[peer] = lost;
    m->cuts[peer] = 0;
    m->shun &= ~node_bit(peer);
    unlist(m, peer);
    held_drop(m, peer);
    if (m->prepare_waits && m->prepare_from == peer) {
        peer_msg_destroy(m->prepare_waits);
        m->prepare_waits = NULL;
    }
    if (!m->started || m->phase == PHASE_STOPPED)
        return;
    peer_down(m, peer, asked ? asked : lost, out);
    held_retry(m, out);
    heal_check(m, out); /* it was the one that was not reached by all */
}

static void handle_refused(struct mirror *m, node_id from, const struct peer_msg *msg, struct effects *out)
{
    if (msg->u.refused.why == REFUSE_FORGOTTEN && m->phase == PHASE_STARTING) {
        struct text t = {0};
        text_printf(
            &t,
            "%s was removed from the cluster, says %s; its data is not the cluster's any more: labctl -n "
            "%s reset, then start_app",
            m->names[m->o.self], m->names[from], m->names[m->o.self]);
        effects_add(out, FX_FAILED)->u.failed.text = t.s;
        m->over = true;
        return;
    }
    bool ours = m->change.running && m->change.epoch == msg->epoch;
    if (msg->u.refused.why == REFUSE_APART && m->served)
        excluded(m, from, msg->u.refused.promised, out);
    else if (msg->u.refused.why == REFUSE_APART && !ours && m->phase == PHASE_CHANGING &&
             node_in(m->members, from) && msg->u.refused.promised > m->epoch)
        start_over(m, out); /* out before it served: it may come in again */
    if (!ours || m->change.epoch != msg->epoch || m->over)
        return;
    m->promised = u64_max(m->promised, msg->u.refused.promised);
    if (msg->u.refused.why != REFUSE_LATER && !m->served) {
        give_up(m, out); /* it says hello when it serves, or when it starts over */
    } else if (msg->u.refused.why != REFUSE_LATER) {
        m->peers[from].elsewhere = true;
        begin_change(m, out);
    } else if (m->phase == PHASE_STARTING) {
        change_end(m);
        try_form(m, out);
    } else {
        node_id follows = msg->u.refused.candidate;
        if (!node_in(m->members, from) && follows != NODE_NONE && follows != m->o.self)
            m->shun |= node_bit(from); /* one that starts cannot have two leaders: it comes in afterwards */
        begin_change(m, out);
    }
}

static void handle_hello(struct mirror *m, node_id from, const struct peer_msg *msg, struct effects *out)
{
    if (!m->peers[from].known && !node_in(m->members, from))
        m->leaving &= ~node_bit(from); /* another life */
    bool serves_now = msg->u.hello.serving && !m->peers[from].serving;
    m->peers[from] = (struct hello){
        .known = true,
        .serving = msg->u.hello.serving,
        .fresh = msg->u.hello.fresh,
        .epoch = msg->epoch,
        .incarnation = msg->u.hello.incarnation,
        .version = msg->u.hello.version,
        .members = msg->u.hello.members,
        .others = msg->u.hello.others,
        .links = msg->u.hello.links,
        .coordinator = msg->u.hello.coordinator,
        .clients = msg->u.hello.clients,
    };
    if (m->served && msg->u.hello.serving && !node_in(m->members | m->partitioned, from)) {
        m->partitioned |= node_bit(from); /* it went on without us, and we without it */
        tell(out, "node", NULL, "%s serves in another view: the cluster was partitioned", m->names[from]);
    }
    if (msg->u.hello.serving && !node_in(msg->u.hello.members, m->o.self) &&
        msg->u.hello.incarnation == m->incarnations[from])
        excluded(m, from, msg->epoch, out); /* its link was broken when it went on without us */
    if (m->phase == PHASE_CHANGING && !m->served && from == m->candidate && m->epoch == m->promised &&
        msg->epoch >= m->epoch && !msg->u.hello.serving && !node_in(msg->u.hello.members, m->o.self))
        start_over(m, out); /* its leader has found others that serve, and gives the view up */
    refuse_forgotten(m, from, out);
    if (m->change.running && !m->served && msg->u.hello.serving)
        give_up(m, out);
    answer_prepare(m, out);
    report_back(m, from, out);
    if (serves_now)
        report_again(m, from, out);
    try_form(m, out);
    join_check(m, out);
    heal_check(m, out);
}

void view_handle(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out)
{
    switch (msg->type) {
    case PEER_HELLO: handle_hello(m, from, msg, out); break;
    case PEER_PREPARE: handle_prepare(m, from, msg, out); break;
    case PEER_PREPARED: handle_prepared(m, from, msg, out); break;
    case PEER_REFUSED: handle_refused(m, from, msg, out); break;
    case PEER_INSTALL:
        if (msg->epoch == m->promised && from == m->candidate && !m->leave_sent && !given_up(m, msg) &&
            !(m->stopping && m->phase == PHASE_STARTING))
            install(m, msg, out);
        else if (msg->epoch < m->promised || given_up(m, msg))
            refuse(m, from, msg->epoch, REFUSE_LATER, out); /* its leader must not wait for us */
        break;
    case PEER_INSTALLED: handle_installed(m, from, msg, out); break;
    case PEER_SERVE:
        if (msg->epoch == m->epoch && msg->epoch == m->promised && m->phase == PHASE_CHANGING) {
            handover_gather(&m->handed_over, msg);
            if (msg->u.serve.more)
                break;
            handover_deliver(m, &m->handed_over, out);
            leftovers_clear(&m->handed_over);
            serve(m, out);
            if (m->leaving & m->members) /* said to one that was not served in the view yet */
                change_if_mine(m, out);
        }
        break;
    case PEER_LEAVE: handle_leave(m, from, out); break;
    case PEER_LEFT:
        if (m->leave_sent && !m->left) { /* view_turn ends the stop */
            m->left = true;
            m->left_others = others_of(m, msg->u.left.members);
        }
        break;
    case PEER_HEAL: handle_heal(m, from, msg->epoch, out); break;
    case PEER_REPORT: handle_report(m, from, msg, out); break;
    case PEER_SUBMIT:
    case PEER_RESULT:
    case PEER_META:
    case PEER_META_ACK:
    case PEER_COMMITTED:
    case PEER_INIT:
    case PEER_OPS:
    case PEER_OPS_ACK:
    case PEER_SYNC_BEGIN:
    case PEER_SYNC_BATCH:
    case PEER_SYNC_ACK:
    case PEER_SYNC_END:
    case PEER_SYNC_CANCEL:
    case PEER_SYNC_DONE:
    case PEER_PUBLISH:
    case PEER_CONFIRM:
    case PEER_REQUEST:
    case PEER_REPLY:
    case PEER_DELIVER:
    case PEER_SETTLE:
    case PEER_CREDIT:
    case PEER_ACTIVE: break;
    }
    held_retry(m, out);
}

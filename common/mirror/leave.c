/* leave.c: stopping in order. A node hands over (its mirrors have everything, its publishes are confirmed),
 * says LEAVE, and goes when it is told that the others are in a view without it; its last record names them.
 */
#include "mirror/mirror_private.h"

#include "base/ban.h"

#define STOP_PATIENCE_MS 5000 /* how long an orderly stop waits for mirrors and confirms */

void send_left(struct mirror *m, node_set to, struct effects *out)
{
    struct peer_msg *msg = peer_msg_create(PEER_LEFT, m->epoch);
    msg->u.left.members = m->members;
    send_to(out, to, msg);
}

/* All members want to leave: somebody has to stay until the others are out. The longest-running does. Not if
 * one is missing: it may have gone on without us. */
void last_one_stays(struct mirror *m, struct effects *out)
{
    node_set there = reachable(m);
    if (!m->leave_sent || m->left || m->stopped_lsn || (there & ~m->leaving) || !there ||
        there != others_of(m, m->members))
        return;
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (node_in(there, n) && m->joins[n] < m->joins[m->o.self])
            return;
    m->leave_sent = false;
    m->phase = PHASE_CHANGING;
    send_hello(m, m->links, out); /* to those that came up meanwhile */
    begin_change(m, out);
}

void handle_leave(struct mirror *m, node_id from, struct effects *out)
{
    m->peers[from].serving = false;
    m->peers[from].elsewhere = true; /* it does not want in */
    if (!node_in(m->members, from)) {
        if (m->change.running && node_in(m->change.targets, from)) { /* it stops before it has joined */
            m->leaving |= node_bit(from);
            begin_change(m, out);
        } else if (serving(m) && m->coordinator == m->o.self) {
            send_left(m, node_bit(from), out);
        } else {
            m->wants_left |= node_bit(from); /* told once the present change is over */
        }
        return;
    }
    m->leaving |= node_bit(from);
    if (m->leave_sent)
        last_one_stays(m, out);
    else if (m->change.running && node_in(m->change.targets, from))
        begin_change(m, out); /* it does not answer any more, whoever else could lead */
    else
        change_if_mine(m, out);
}

void view_stop(struct mirror *m, struct effects *out)
{
    if (m->stopping)
        return;
    m->stopping = true;
    m->stop_deadline = m->now + STOP_PATIENCE_MS;
    if (m->serving_told) {
        m->serving_told = false;
        effects_add(out, FX_SERVING)->u.serving.on = false;
    }
}

/* mirrors have all this node's queues have, its clients' publishes are through */
static bool handed_over(const struct mirror *m)
{
    if (m->submits.len || !streams_empty(m))
        return false;
    size_t at = 0;
    const struct queue *q;
    while ((q = map_next(&m->queues, &at)))
        if (q->role == ROLE_MASTER &&
            (master_applied(m, q) < q->op || q->master->sync.running || q->master->sync_asked))
            return false;
    return true;
}

static void stop_record(struct mirror *m, node_set others, struct effects *out)
{
    struct record *rec = persist(m, out, REC_STOPPED);
    rec->epoch = m->epoch;
    rec->others = others;
    rec->members = m->lost | m->partitioned;
    m->stopped_lsn = m->handed_out;
}

/* It serves in no view, and waits for nobody. */
static void go_unserved(struct mirror *m, struct effects *out)
{
    change_end(m);
    if (m->promised > m->epoch && m->candidate != m->o.self) /* a candidate counts on us */
        send_to(out, node_bit(m->candidate) & m->links, peer_msg_create(PEER_LEAVE, m->promised));
    if (m->fresh && !m->members) {
        m->stopped_told = true; /* it was never in a view: nothing to remember */
        m->phase = PHASE_STOPPED;
        effects_add(out, FX_STOPPED);
    } else {
        stop_record(m, m->members ? others_of(m, m->members) : m->recovered_others, out);
    }
}

void view_turn(struct mirror *m, struct effects *out)
{
    if (!m->stopping || m->stopped_told)
        return;
    if (m->stopped_lsn) {
        if (m->on_disk >= m->stopped_lsn) {
            m->stopped_told = true;
            m->phase = PHASE_STOPPED;
            effects_add(out, FX_STOPPED);
        }
        return;
    }
    /* a change that cannot end, such as one of a cluster that is cut: of its view nobody is there to hand
     * over to */
    bool stuck = m->phase == PHASE_CHANGING && !m->change.running && !m->leave_sent &&
                 m->now >= m->stop_deadline && !reachable(m);
    if (m->phase == PHASE_STARTING || stuck) {
        m->leave_sent = stuck; /* no view takes it in any more */
        go_unserved(m, out);
        return;
    }
    node_set others = reachable(m);
    if (m->leave_sent) {
        if (m->left)
            stop_record(m, m->left_others, out);
        else if (!(others & ~m->leaving) && others != others_of(m, m->members))
            /* nobody is left to say that we are out, and who is missing may have gone on without us */
            stop_record(m, others_of(m, m->members), out);
        return;
    }
    if (!serving(m) || (!handed_over(m) && m->now < m->stop_deadline))
        return;
    m->leave_sent = true;
    m->phase = PHASE_STOPPING;
    if (others)
        send_to(out, others, peer_msg_create(PEER_LEAVE, m->epoch));
    else
        stop_record(m, 0, out);
}

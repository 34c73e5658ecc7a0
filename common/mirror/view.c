/* view.c: who is in the cluster. Links come and go, a candidate (the longest-running member that can be
 * reached) asks all, decides, installs; a node starts, leaves in order, or waits for those that were running
 * when it left. docs/protocol.md draws it. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

#define STOP_PATIENCE_MS 5000 /* how long an orderly stop waits for mirrors and confirms */

static void send_hello(struct mirror *m, node_set to, struct effects *out)
{
    if (!to)
        return;
    struct peer_msg *msg = peer_msg_create(PEER_HELLO, m->epoch ? m->epoch : m->recovered_epoch);
    msg->u.hello.incarnation = m->o.incarnation;
    msg->u.hello.version = m->version;
    msg->u.hello.serving = m->phase != PHASE_STARTING;
    msg->u.hello.fresh = m->fresh;
    msg->u.hello.members = m->members;
    msg->u.hello.others = m->recovered_others;
    msg->u.hello.links = m->links;
    send_to(out, to, msg);
}

/* the first view this node serves in: the others must not take it for one that wants in any more */
void view_served(struct mirror *m, struct effects *out)
{
    if (m->served)
        return;
    m->served = true;
    send_hello(m, m->links, out);
}

/* ---- the first view ---- */

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

/* Nobody serves yet: the node whose past is the latest leads, once everybody who was running when it left is
 * there. A node that was never in a view leaves it to the cluster's first node. */
static void try_form(struct mirror *m, struct effects *out)
{
    if (m->phase != PHASE_STARTING || !m->started || m->stopping || m->change.running)
        return;
    node_set here = node_bit(m->o.self);
    node_id leader = m->o.self;
    struct hello best = own_hello(m);
    for (node_id n = 0; n < m->o.nodes_len; n++) {
        const struct hello *h = &m->peers[n];
        if (n == m->o.self || !node_in(m->links, n) || !h->known)
            continue;
        if (h->serving)
            return; /* its coordinator takes us in */
        here |= node_bit(n);
        if (best.fresh == h->fresh ? later_past(h, n, &best, leader) : best.fresh) {
            best = *h;
            leader = n;
        }
    }
    if (leader != m->o.self || (best.fresh ? m->o.self != 0 : (best.others & ~here) != 0))
        return;
    begin_change(m, out);
}

void view_start(struct mirror *m, struct effects *out)
{
    m->started = true;
    send_hello(m, m->links, out);
    try_form(m, out);
}

/* ---- leading a change ---- */

/* other members that can be reached, in the life this view knows them in */
static node_set reachable(const struct mirror *m)
{
    node_set found = 0;
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (n != m->o.self && node_in(m->members & m->links & ~m->excluded_by, n) && m->peers[n].known &&
            m->peers[n].incarnation == m->incarnations[n])
            found |= node_bit(n);
    return found;
}

/* nodes that may join: they start, and can reach every member */
static node_set joiners(const struct mirror *m, node_set members)
{
    node_set found = 0;
    for (node_id n = 0; n < m->o.nodes_len; n++) {
        const struct hello *h = &m->peers[n];
        if (n != m->o.self && node_in(m->links, n) && h->known && !h->serving && !node_in(members, n) &&
            (members & ~h->links & ~node_bit(n)) == 0)
            found |= node_bit(n);
    }
    return found;
}

static void change_end(struct mirror *m)
{
    for (node_id n = 0; n < LIMIT_NODES; n++)
        peer_msg_destroy(m->change.answers[n]);
    peer_msg_destroy(m->change.install);
    m->change = (struct change){0};
}

static struct peer_msg *prepared_answer(struct mirror *m, uint64_t epoch, uint64_t candidate_version)
{
    struct peer_msg *msg = peer_msg_create(PEER_PREPARED, epoch);
    bool member = m->phase != PHASE_STARTING;
    msg->u.prepared.version = member ? m->version : 0;
    if (member && m->version > candidate_version)
        msg->u.prepared.entries = meta_snapshot(m, &msg->u.prepared.entries_len);
    VEC(struct replica_state) held = {0};
    size_t at = 0;
    const struct queue *q;
    while ((q = map_next(&m->queues, &at))) {
        if (q->role == ROLE_NONE && !q->recovered)
            continue;
        VEC_PUSH(&held, (struct replica_state){
                            .uid = q->rec.uid,
                            .generation = q->rec.generation,
                            .live = q->role != ROLE_NONE,
                            .synced = q->role == ROLE_MASTER || (q->role == ROLE_MIRROR && q->synced),
                            .op = q->op,
                            .since = q->op - q->retained.len,
                            .depth = content_depth(&q->content),
                        });
    }
    msg->u.prepared.replicas = held.items;
    msg->u.prepared.replicas_len = held.len;
    return msg;
}

static void seal(struct mirror *m, uint64_t epoch, node_id candidate)
{
    m->promised = epoch;
    m->candidate = candidate;
    m->candidate_incarnation = m->peers[candidate].incarnation;
    if (m->phase == PHASE_SERVING)
        m->phase = PHASE_CHANGING;
}

static void all_prepared(struct mirror *m, struct effects *out)
{
    struct change *c = &m->change;
    bool forming = m->phase == PHASE_STARTING;
    size_t len = 0;
    struct meta_entry *entries = meta_snapshot(m, &len);
    uint64_t version = m->version;
    for (node_id n = 0; n < m->o.nodes_len && !forming; n++)
        if (c->answers[n] && node_in(m->members, n) && c->answers[n]->u.prepared.version > version) {
            entries_free(entries, len);
            entries = c->answers[n]->u.prepared.entries;
            len = c->answers[n]->u.prepared.entries_len;
            c->answers[n]->u.prepared.entries = NULL;
            c->answers[n]->u.prepared.entries_len = 0;
            version = c->answers[n]->u.prepared.version;
        }
    struct peer_msg *msg = peer_msg_create(PEER_INSTALL, c->epoch);
    VEC(struct view_member) members = {0};
    uint64_t join = 0, incarnations[LIMIT_NODES] = {0};
    for (node_id n = 0; n < m->o.nodes_len && !forming; n++)
        if (node_in(m->members, n))
            join = u64_max(join, m->joins[n]);
    for (node_id i = 0; i < m->o.nodes_len; i++) {
        node_id n = (node_id)((m->o.self + i) % m->o.nodes_len); /* forming: the leader is the oldest */
        if (!node_in(c->targets, n))
            continue;
        bool stays = !forming && node_in(m->members, n);
        incarnations[n] = n == m->o.self ? m->o.incarnation : m->peers[n].incarnation;
        VEC_PUSH(&members, (struct view_member){.node = n,
                                                .join = stays ? m->joins[n] : ++join,
                                                .incarnation = incarnations[n]});
    }
    struct decision_in in = {.m = m,
                             .members = c->targets,
                             .clean = m->leaving,
                             .incarnations = incarnations,
                             .answers = c->answers};
    decide(&in, &entries, &len, &msg->u.install.repairs, &msg->u.install.repairs_len);
    msg->u.install.members = members.items;
    msg->u.install.members_len = members.len;
    msg->u.install.version = version + 1;
    msg->u.install.entries = entries;
    msg->u.install.entries_len = len;
    c->install_sent = true;

    node_set others = others_of(m, c->targets);
    if (others) {
        struct peer_msg *copy = peer_msg_create(PEER_INSTALL, c->epoch);
        copy->u.install = msg->u.install;
        copy->u.install.members = xmalloc(members.len * sizeof(struct view_member));
        memcpy(copy->u.install.members, members.items, members.len * sizeof(struct view_member));
        size_t bytes = msg->u.install.repairs_len * sizeof(struct repair);
        copy->u.install.repairs = xmalloc(bytes);
        if (bytes)
            memcpy(copy->u.install.repairs, msg->u.install.repairs, bytes);
        copy->u.install.entries = xcalloc(len, sizeof(struct meta_entry));
        for (size_t i = 0; i < len; i++)
            meta_entry_copy(&copy->u.install.entries[i], &entries[i]);
        send_to(out, others, copy);
    }
    c->install = msg; /* install() may finish the change: keep it from being freed meanwhile */
    install(m, msg, out);
}

/* how long this node has been in the cluster, as others may compare it; the lower the longer */
static uint64_t own_join(const struct mirror *m)
{
    return m->served ? m->joins[m->o.self] : UINT64_MAX;
}

void begin_change(struct mirror *m, struct effects *out)
{
    uint64_t epoch = u64_max(m->promised, u64_max(m->epoch, m->recovered_epoch));
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (m->peers[n].known)
            epoch = u64_max(epoch, m->peers[n].epoch);
    if (m->change.running)
        epoch = u64_max(epoch, m->change.epoch);
    change_end(m);
    struct change *c = &m->change;
    c->running = true;
    c->epoch = epoch + 1;
    node_set stay = m->phase == PHASE_STARTING ? 0 : (reachable(m) | node_bit(m->o.self)) & ~m->leaving;
    c->targets = node_bit(m->o.self) | stay | (joiners(m, stay) & ~m->leaving);
    peer_msg_destroy(m->prepare_waits);
    m->prepare_waits = NULL;
    seal(m, c->epoch, m->o.self);
    c->prepared = node_bit(m->o.self);
    c->answers[m->o.self] = prepared_answer(m, c->epoch, m->version);
    node_set others = others_of(m, c->targets);
    if (!others) {
        all_prepared(m, out);
        return;
    }
    struct peer_msg *msg = peer_msg_create(PEER_PREPARE, c->epoch);
    msg->u.prepare.version = m->version;
    msg->u.prepare.targets = c->targets;
    msg->u.prepare.join = own_join(m);
    for (node_id n = 0; n < m->o.nodes_len; n++)
        msg->u.prepare.incarnations[n] = n == m->o.self ? m->o.incarnation : m->peers[n].incarnation;
    send_to(out, others, msg);
}

/* the longest-running of the members this node can reach (or itself) */
static node_id oldest_reachable(const struct mirror *m)
{
    node_id best = m->o.self;
    node_set there = reachable(m) & ~m->leaving;
    for (node_id n = 0; n < m->o.nodes_len; n++) /* who never served may be starting over */
        if (node_in(there, n) && m->peers[n].serving && m->joins[n] < m->joins[best])
            best = n;
    return best;
}

/* a change is under way and its candidate lives: whatever happens meanwhile is its business */
static bool somebody_leads(const struct mirror *m)
{
    return m->phase == PHASE_CHANGING && m->candidate != m->o.self && node_in(m->links, m->candidate) &&
           m->peers[m->candidate].incarnation == m->candidate_incarnation;
}

static void change_if_mine(struct mirror *m, struct effects *out)
{
    if (m->phase != PHASE_STARTING && m->phase != PHASE_STOPPED && !m->leave_sent && !somebody_leads(m) &&
        oldest_reachable(m) == m->o.self)
        begin_change(m, out);
}

static void join_check(struct mirror *m, struct effects *out)
{
    if (serving(m) && m->coordinator == m->o.self && !m->change.running &&
        ((joiners(m, m->members) & ~m->leaving) || (m->leaving & m->members)))
        begin_change(m, out);
}

/* ---- answering one ---- */

static void answer_prepare(struct mirror *m, struct effects *out)
{
    struct peer_msg *msg = m->prepare_waits;
    if (!msg)
        return;
    for (node_id n = 0; n < m->o.nodes_len; n++) /* an old life's link may still look up here */
        if (n != m->o.self && node_in(msg->u.prepare.targets, n) &&
            (!m->peers[n].known || m->peers[n].incarnation != msg->u.prepare.incarnations[n]))
            return;
    send_to(out, node_bit(m->prepare_from), prepared_answer(m, msg->epoch, msg->u.prepare.version));
    m->prepare_waits = NULL;
    peer_msg_destroy(msg);
}

/* Two lead at once: the older one's change goes on. The younger yields (and lets the older know which epoch it
 * must go beyond); the older refuses. */
static bool older(const struct mirror *m, node_id from, uint64_t join)
{
    return join != own_join(m) ? join < own_join(m) : from < m->o.self;
}

static void refuse(struct mirror *m, node_id to, uint64_t epoch, bool wait, struct effects *out)
{
    struct peer_msg *no = peer_msg_create(PEER_REFUSED, epoch);
    no->u.refused.promised = m->promised;
    no->u.refused.candidate = m->candidate;
    no->u.refused.wait = wait;
    send_to(out, node_bit(to), no);
}

static void handle_prepare(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out)
{
    if (m->leave_sent || m->phase == PHASE_STOPPED || (m->stopping && m->phase == PHASE_STARTING))
        return; /* LEAVE, or the end of the link, is on its way: the candidate asks again without us */
    bool stranger = m->phase != PHASE_STARTING && !node_in(m->members, from);
    if (stranger || (m->change.running && !older(m, from, msg->u.prepare.join))) {
        refuse(m, from, msg->epoch, stranger, out);
        return;
    }
    if (m->change.running)
        change_end(m);
    if (msg->epoch <= m->promised) {
        refuse(m, from, msg->epoch, false, out);
        return;
    }
    if (m->promised > m->epoch && m->candidate != from && node_in(m->links & ~node_bit(m->o.self), m->candidate)) {
        node_id left = m->candidate; /* it must not wait for us */
        uint64_t epoch = m->promised;
        m->promised = msg->epoch;
        refuse(m, left, epoch, false, out);
    }
    seal(m, msg->epoch, from);
    peer_msg_destroy(m->prepare_waits);
    m->prepare_waits = steal(msg);
    m->prepare_from = from;
    answer_prepare(m, out);
}

static void handle_prepared(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out)
{
    struct change *c = &m->change;
    if (!c->running || c->epoch != msg->epoch || !node_in(c->targets, from) || c->install_sent)
        return;
    peer_msg_destroy(c->answers[from]);
    c->answers[from] = steal(msg);
    c->prepared |= node_bit(from);
    if (c->prepared == c->targets)
        all_prepared(m, out);
}

static void send_left(struct mirror *m, node_set to, struct effects *out)
{
    struct peer_msg *msg = peer_msg_create(PEER_LEFT, m->epoch);
    msg->u.left.members = m->members;
    send_to(out, to, msg);
}

static void handle_installed(struct mirror *m, node_id from, uint64_t epoch, struct effects *out)
{
    struct change *c = &m->change;
    if (!c->running || c->epoch != epoch)
        return;
    c->installed |= node_bit(from);
    if (c->installed != c->targets)
        return;
    node_set others = others_of(m, c->targets);
    if (others)
        send_to(out, others, peer_msg_create(PEER_SERVE, c->epoch));
    node_set left = m->leaving & m->links & ~m->members;
    send_left(m, left | (m->wants_left & m->links & ~m->members), out);
    m->wants_left = 0;
    change_end(m);
    serve(m, out);
    join_check(m, out);
}

/* Everything this node has to repair is repaired, and the view is on its disk: a node that served in it and
 * is killed must find, when it starts again, who else was there. */
void repairs_check(struct mirror *m, struct effects *out)
{
    if (!m->installed_waits || m->on_disk < m->view_lsn)
        return;
    size_t at = 0;
    struct queue *q;
    while ((q = map_next(&m->queues, &at)))
        if (q->repair_upto && q->op < q->repair_upto)
            return;
    m->installed_waits = false;
    at = 0;
    while ((q = map_next(&m->queues, &at)))
        q->level_op = q->op;
    if (m->coordinator == m->o.self)
        handle_installed(m, m->o.self, m->epoch, out);
    else
        send_to(out, node_bit(m->coordinator), peer_msg_create(PEER_INSTALLED, m->epoch));
}

/* All that are left want to leave: somebody has to stay until the others are out. The longest-running does.
 */
static void last_one_stays(struct mirror *m, struct effects *out)
{
    node_set there = reachable(m);
    if (!m->leave_sent || m->left || m->stopped_lsn || (there & ~m->leaving) || !there)
        return;
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (node_in(there, n) && m->joins[n] < m->joins[m->o.self])
            return;
    m->leave_sent = false;
    m->phase = PHASE_CHANGING;
    begin_change(m, out);
}

/* ---- links ---- */

/* The view this node was about to join died before it was served, and nobody is left who served before: those
 * who did may have gone on, or will come back, and this node has nothing to go on with. */
static void start_over(struct mirror *m, struct effects *out)
{
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
    change_end(m);
    if (m->phase == PHASE_CHANGING)
        start_over(m, out);
}

void view_peer_up(struct mirror *m, node_id peer, struct effects *out)
{
    m->links |= node_bit(peer);
    m->excluded_by &= ~node_bit(peer);
    m->peers[peer] = (struct hello){0};
    if (!m->started || m->phase == PHASE_STOPPED)
        return;
    send_hello(m, m->phase == PHASE_STARTING ? m->links : node_bit(peer), out);
    answer_prepare(m, out);
}

void view_peer_down(struct mirror *m, node_id peer, struct effects *out)
{
    m->links &= ~node_bit(peer);
    m->wants_left &= ~node_bit(peer);
    m->peers[peer] = (struct hello){0};
    if (m->prepare_waits && m->prepare_from == peer) {
        peer_msg_destroy(m->prepare_waits);
        m->prepare_waits = NULL;
    }
    if (!m->started || m->phase == PHASE_STOPPED)
        return;
    if (m->leave_sent) {
        node_set rest = reachable(m);
        if (rest)
            send_to(out, rest, peer_msg_create(PEER_LEAVE, m->epoch));
        m->leaving &= ~node_bit(peer);
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
        try_form(m, out);
        return;
    }
    if (m->phase == PHASE_CHANGING && !m->served && peer == m->candidate && !(reachable(m) & ~m->joined)) {
        start_over(m, out);
        return;
    }
    if (!node_in(m->members, peer) && !(m->phase == PHASE_CHANGING && m->candidate == peer))
        return;
    node_id oldest = somebody_leads(m) ? m->candidate : oldest_reachable(m);
    if (oldest == m->o.self) {
        begin_change(m, out);
        return;
    }
    struct peer_msg *msg = peer_msg_create(PEER_REPORT, m->epoch);
    msg->u.report.node = peer;
    send_to(out, node_bit(oldest), msg);
}

/* A member has gone on in a later view without this node (the link to its leader was cut): it is no member of
 * ours any more. Mode ignore, RabbitMQ's default: each side carries on. */
static void excluded(struct mirror *m, node_id by, uint64_t promised, struct effects *out)
{
    if (!m->served || m->leave_sent || promised <= m->epoch || !node_in(m->members & ~m->excluded_by, by))
        return;
    m->excluded_by |= node_bit(by);
    m->partitioned |= node_bit(by);
    tell(out, "node", NULL, "%s is in another view: the cluster is partitioned", m->names[by]);
    change_if_mine(m, out);
}

static void handle_refused(struct mirror *m, node_id from, const struct peer_msg *msg, struct effects *out)
{
    if (!m->change.running) {
        if (msg->u.refused.wait)
            excluded(m, from, msg->u.refused.promised, out);
        return;
    }
    if (m->change.epoch != msg->epoch)
        return;
    m->promised = u64_max(m->promised, msg->u.refused.promised);
    if (msg->u.refused.wait && !m->served) {
        give_up(m, out); /* it says hello when it serves, or when it starts over */
    } else if (msg->u.refused.wait) {
        m->peers[from].known = false;
        begin_change(m, out);
    } else if (m->phase == PHASE_STARTING) {
        change_end(m);
        try_form(m, out);
    } else {
        begin_change(m, out);
    }
}

static void handle_hello(struct mirror *m, node_id from, const struct peer_msg *msg, struct effects *out)
{
    if (!m->peers[from].known && !node_in(m->members, from))
        m->leaving &= ~node_bit(from); /* another life */
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
    };
    if (m->served && msg->u.hello.serving && !node_in(m->members | m->partitioned, from)) {
        m->partitioned |= node_bit(from); /* it went on without us, and we without it */
        tell(out, "node", NULL, "%s serves in another view: the cluster was partitioned", m->names[from]);
    }
    if (m->change.running && !m->served && msg->u.hello.serving)
        give_up(m, out);
    answer_prepare(m, out);
    try_form(m, out);
    join_check(m, out);
}

static void handle_leave(struct mirror *m, node_id from, struct effects *out)
{
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
    else
        change_if_mine(m, out);
}

void view_handle(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out)
{
    switch (msg->type) {
    case PEER_HELLO: handle_hello(m, from, msg, out); break;
    case PEER_PREPARE: handle_prepare(m, from, msg, out); break;
    case PEER_PREPARED: handle_prepared(m, from, msg, out); break;
    case PEER_REFUSED: handle_refused(m, from, msg, out); break;
    case PEER_INSTALL:
        if (msg->epoch == m->promised && from == m->candidate && !m->leave_sent &&
            !(m->stopping && m->phase == PHASE_STARTING))
            install(m, msg, out);
        else if (msg->epoch < m->promised)
            refuse(m, from, msg->epoch, false, out); /* its leader must not wait for us */
        break;
    case PEER_INSTALLED: handle_installed(m, from, msg->epoch, out); break;
    case PEER_SERVE:
        if (msg->epoch == m->epoch && msg->epoch == m->promised && m->phase != PHASE_SERVING)
            serve(m, out);
        break;
    case PEER_LEAVE: handle_leave(m, from, out); break;
    case PEER_LEFT:
        if (m->leave_sent && !m->left) { /* view_turn ends the stop */
            m->left = true;
            m->left_others = others_of(m, msg->u.left.members);
        }
        break;
    case PEER_REPORT:
        if (node_in(m->members & ~reachable(m), msg->u.report.node) && !m->change.running)
            change_if_mine(m, out);
        break;
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
    case PEER_CREDIT: break;
    }
}

/* ---- stopping in order ---- */

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
        if (q->role == ROLE_MASTER && (master_applied(m, q) < q->op || q->master->sync.running))
            return false;
    return true;
}

static void stop_record(struct mirror *m, node_set others, struct effects *out)
{
    struct record *rec = persist(m, out, REC_STOPPED);
    rec->epoch = m->epoch;
    rec->others = others;
    m->stopped_lsn = m->handed_out;
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
    if (m->phase == PHASE_STARTING) {
        change_end(m);
        if (m->promised > m->epoch && m->candidate != m->o.self) /* a candidate counts on us */
            send_to(out, node_bit(m->candidate) & m->links, peer_msg_create(PEER_LEAVE, m->promised));
        if (m->fresh) {
            m->stopped_told = true; /* it was never in a view: nothing to remember */
            m->phase = PHASE_STOPPED;
            effects_add(out, FX_STOPPED);
        } else {
            stop_record(m, m->recovered_others, out);
        }
        return;
    }
    node_set others = reachable(m);
    if (m->leave_sent) {
        if (m->left)
            stop_record(m, m->left_others, out);
        else if (!others) /* nobody said that we are out: who heard LEAVE may have gone on without us */
            stop_record(m, m->left_others, out);
        return;
    }
    if (!serving(m) || (!handed_over(m) && m->now < m->stop_deadline))
        return;
    m->leave_sent = true;
    m->left_others = others_of(m, m->members) & ~m->leaving;
    m->phase = PHASE_STOPPING;
    if (others)
        send_to(out, others, peer_msg_create(PEER_LEAVE, m->epoch));
    else
        stop_record(m, 0, out);
}

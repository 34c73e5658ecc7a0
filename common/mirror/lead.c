/* lead.c: a view change, from both sides. The candidate asks everybody it wants in the view, decides
 * (decide.c), installs, and lets all serve at once; a member seals its epoch, answers, and says so when it is
 * level. Of two that lead at once the older goes on. docs/protocol.md draws it. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

/* Members of this view that are in none, as they say themselves: they have started over before it was served
 * (view.c), or never heard of it, for the link was lost. They come in as any node that starts. */
node_set viewless(const struct mirror *m)
{
    node_set found = 0;
    for (node_id n = 0; n < m->o.nodes_len && m->phase != PHASE_STARTING; n++) {
        const struct hello *h = &m->peers[n];
        bool since = h->epoch >= m->epoch || node_in(m->broken, n); /* it said so in this view's time */
        if (node_in(m->members, n) && n != m->o.self && h->known && !h->serving && since &&
            h->incarnation == m->incarnations[n] && !node_in(h->members, m->o.self))
            found |= node_bit(n);
    }
    return found;
}

/* Other members that can be reached, in the life this view knows them in, and have not said since that they
 * follow another coordinator: one may have been taken into a view that it never heard of. */
node_set reachable(const struct mirror *m)
{
    node_set found = 0, there = m->members & m->links & ~m->excluded_by & ~viewless(m);
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (n != m->o.self && node_in(there, n) && m->peers[n].known &&
            m->peers[n].incarnation == m->incarnations[n] &&
            (!m->peers[n].elsewhere || node_in(m->leaving, n)) && !cut_from(m, n))
            found |= node_bit(n);
    return found;
}

/* It comes with a past that the cluster has forgotten. One that was taken in again since, and was killed
 * before that view was served, has a later past. */
bool is_forgotten(const struct mirror *m, node_id n)
{
    const struct hello *h = &m->peers[n];
    return node_in(m->forgotten, n) && !h->fresh && h->epoch <= m->forgotten_in[n];
}

/* A member of this view, which it does not serve in yet: if we have lost it, it has to hear that it is out
 * before it can come in again, for it takes us for lost, too. */
static bool in_our_view(const struct mirror *m, node_id n)
{
    const struct hello *h = &m->peers[n];
    return m->phase != PHASE_STARTING && h->epoch == m->epoch && node_in(h->members, m->o.self);
}

/* nodes that may join: they start, and can reach every member */
node_set joiners(const struct mirror *m, node_set members)
{
    node_set found = 0;
    for (node_id n = 0; n < m->o.nodes_len; n++) {
        const struct hello *h = &m->peers[n];
        if (n != m->o.self && node_in(m->links, n) && h->known && !h->serving && !h->elsewhere &&
            !is_forgotten(m, n) && !in_our_view(m, n) && !node_in(members, n) &&
            (members & ~h->links & ~node_bit(n)) == 0)
            found |= node_bit(n);
    }
    return found;
}

void change_end(struct mirror *m)
{
    for (node_id n = 0; n < LIMIT_NODES; n++)
        peer_msg_destroy(m->change.answers[n]);
    peer_msg_destroy(m->change.install);
    leftovers_clear(&m->change.leftovers);
    m->change = (struct change){0};
}

static struct peer_msg *prepared_answer(struct mirror *m, uint64_t epoch, uint64_t candidate_version)
{
    struct peer_msg *msg = peer_msg_create(PEER_PREPARED, epoch);
    bool member = m->phase != PHASE_STARTING;
    msg->u.prepared.version = member ? m->version : 0;
    msg->u.prepared.cluster = m->cluster;
    msg->u.prepared.forgotten = forgotten_list(m, &msg->u.prepared.forgotten_len);
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
                            .next = q->content.next,
                        });
    }
    msg->u.prepared.replicas = held.items;
    msg->u.prepared.replicas_len = held.len;
    return msg;
}

/* A view that somebody may have on its disk is one that all who are of it have promised, and a promise holds
 * in later lives, too: who goes on without that view, alone or with others, does so with a higher number. So
 * of two pasts the one with the higher epoch is the later. */
static void seal(struct mirror *m, uint64_t epoch, node_id candidate, uint64_t join, struct effects *out)
{
    m->promised = epoch;
    persist(m, out, REC_PROMISED)->epoch = epoch;
    m->promised_lsn = m->handed_out;
    m->candidate = candidate;
    m->candidate_incarnation = m->peers[candidate].incarnation;
    m->candidate_join = join;
    if (m->phase == PHASE_SERVING)
        m->phase = PHASE_CHANGING;
}

static void *copy_array(const void *items, size_t len, size_t size)
{
    void *copy = xcalloc(len, size);
    if (len)
        memcpy(copy, items, len * size);
    return copy;
}

static void all_prepared(struct mirror *m, struct effects *out)
{
    struct change *c = &m->change;
    bool forming = m->phase == PHASE_STARTING;
    size_t len = 0;
    struct meta_entry *entries = meta_snapshot(m, &len);
    uint64_t version = m->version;
    node_set cluster = m->cluster;
    size_t forgotten_len = 0;
    struct forgotten *forgotten = forgotten_list(m, &forgotten_len);
    for (node_id n = 0; n < m->o.nodes_len && !forming; n++)
        if (c->answers[n] && node_in(m->members, n) && c->answers[n]->u.prepared.version > version) {
            entries_free(entries, len);
            entries = c->answers[n]->u.prepared.entries;
            len = c->answers[n]->u.prepared.entries_len;
            c->answers[n]->u.prepared.entries = NULL;
            c->answers[n]->u.prepared.entries_len = 0;
            version = c->answers[n]->u.prepared.version;
            cluster = c->answers[n]->u.prepared.cluster;
            free(forgotten);
            forgotten = c->answers[n]->u.prepared.forgotten;
            forgotten_len = c->answers[n]->u.prepared.forgotten_len;
            c->answers[n]->u.prepared.forgotten = NULL;
            c->answers[n]->u.prepared.forgotten_len = 0;
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
        incarnations[n] = n == m->o.self ? m->o.incarnation : m->peers[n].incarnation;
        bool stays =
            !forming && node_in(m->members & ~viewless(m), n) && incarnations[n] == m->incarnations[n];
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
    msg->u.install.cluster = cluster | c->targets;
    msg->u.install.forgotten = forgotten;
    for (size_t i = 0; i < forgotten_len; i++) /* who is taken in again is forgotten no more */
        if (!node_in(c->targets, forgotten[i].node))
            forgotten[msg->u.install.forgotten_len++] = forgotten[i];
    msg->u.install.lost =
        (m->lost | m->partitioned | (forming ? m->recovered_others : m->members & ~m->leaving)) & ~c->targets;
    msg->u.install.entries = entries;
    msg->u.install.entries_len = len;
    c->install_sent = true;

    node_set others = others_of(m, c->targets);
    if (others) {
        struct peer_msg *copy = peer_msg_create(PEER_INSTALL, c->epoch);
        copy->u.install = msg->u.install;
        copy->u.install.members = copy_array(members.items, members.len, sizeof(struct view_member));
        copy->u.install.forgotten = copy_array(forgotten, msg->u.install.forgotten_len, sizeof(*forgotten));
        copy->u.install.repairs =
            copy_array(msg->u.install.repairs, msg->u.install.repairs_len, sizeof(struct repair));
        copy->u.install.entries = xcalloc(len, sizeof(struct meta_entry));
        for (size_t i = 0; i < len; i++)
            meta_entry_copy(&copy->u.install.entries[i], &entries[i]);
        send_to(out, others, copy);
    }
    c->install = msg; /* install() may finish the change: keep it from being freed meanwhile */
    install(m, msg, out);
}

/* All have answered. What it promised itself is on its disk before others can have the view on theirs. */
static void prepared_check(struct mirror *m, struct effects *out)
{
    const struct change *c = &m->change;
    bool alone = c->targets == node_bit(m->o.self);
    if (c->running && !c->install_sent && c->prepared == c->targets &&
        (alone || m->on_disk >= m->promised_lsn))
        all_prepared(m, out);
}

/* the epoch it has promised to go beyond, in this life or an earlier one */
static uint64_t held_to(const struct mirror *m)
{
    return u64_max(m->promised, m->promised_before);
}

/* how long this node has been in the cluster, as others may compare it; the lower the longer */
static uint64_t own_join(const struct mirror *m)
{
    return m->served ? m->joins[m->o.self] : UINT64_MAX;
}

void begin_change(struct mirror *m, struct effects *out)
{
    uint64_t epoch = u64_max(held_to(m), u64_max(m->epoch, m->recovered_epoch));
    for (node_id n = 0; n < m->o.nodes_len; n++)
        if (m->peers[n].known)
            epoch = u64_max(epoch, m->peers[n].epoch);
    if (m->change.running)
        epoch = u64_max(epoch, m->change.epoch);
    change_end(m);
    memset(m->cuts, 0, sizeof(m->cuts)); /* who is cut off from one that is asked says so now */
    node_set stay =
        m->phase == PHASE_STARTING ? 0 : (reachable(m) | node_bit(m->o.self)) & ~m->leaving & ~m->shun;
    node_set targets = node_bit(m->o.self) | stay | (joiners(m, stay) & ~m->leaving & ~m->shun);
    if (pause_if_minority(m, stay, out))
        return;
    struct change *c = &m->change;
    c->running = true;
    c->epoch =
        (epoch / LIMIT_NODES + 1) * LIMIT_NODES + m->o.self; /* two sides never mean two views by one */
    c->targets = targets;
    struct peer_msg *dropped = m->prepare_waits;
    m->prepare_waits = NULL;
    seal(m, c->epoch, m->o.self, own_join(m), out);
    if (dropped) /* its candidate must not wait for us */
        refuse(m, m->prepare_from, dropped->epoch, REFUSE_LATER, out);
    peer_msg_destroy(dropped);
    c->prepared = node_bit(m->o.self);
    c->answers[m->o.self] = prepared_answer(m, c->epoch, m->version);
    node_set others = others_of(m, c->targets);
    if (!others) {
        prepared_check(m, out);
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
node_id oldest_reachable(const struct mirror *m)
{
    node_id best = m->o.self;
    node_set there = reachable(m) & ~m->leaving;
    for (node_id n = 0; n < m->o.nodes_len; n++) /* who never served may be starting over */
        if (node_in(there, n) && m->peers[n].serving && m->joins[n] < m->joins[best])
            best = n;
    return best;
}

/* a change is under way and its candidate lives: whatever happens meanwhile is its business */
bool somebody_leads(const struct mirror *m)
{
    return m->phase == PHASE_CHANGING && m->candidate != m->o.self &&
           node_in(m->links & ~m->excluded_by, m->candidate) && !cut_from(m, m->candidate) &&
           m->peers[m->candidate].incarnation == m->candidate_incarnation;
}

void change_if_mine(struct mirror *m, struct effects *out)
{
    if (m->phase != PHASE_STARTING && m->phase != PHASE_STOPPED && !m->leave_sent && !somebody_leads(m) &&
        oldest_reachable(m) == m->o.self)
        begin_change(m, out);
}

void join_check(struct mirror *m, struct effects *out)
{
    if (serving(m) && m->coordinator == m->o.self && !m->change.running &&
        ((joiners(m, m->members & ~viewless(m)) & ~m->leaving) || (m->leaving & m->members)))
        begin_change(m, out);
}

/* ---- answering one ---- */

void answer_prepare(struct mirror *m, struct effects *out)
{
    struct peer_msg *msg = m->prepare_waits;
    if (!msg || m->on_disk < m->promised_lsn)
        return;
    for (node_id n = 0; n < m->o.nodes_len; n++) /* an old life's link may still look up here */
        if (n != m->o.self && node_in(msg->u.prepare.targets, n) &&
            (!m->peers[n].known || m->peers[n].incarnation != msg->u.prepare.incarnations[n] ||
             cut_from(m, n)))
            return;
    send_to(out, node_bit(m->prepare_from), prepared_answer(m, msg->epoch, msg->u.prepare.version));
    m->prepare_waits = NULL;
    peer_msg_destroy(msg);
}

/* Two lead at once: the older one's change goes on. The younger yields (and lets the older know which epoch
 * it must go beyond); the older refuses. */
static bool longer(uint64_t join, node_id n, uint64_t than_join, node_id than)
{
    return join != than_join ? join < than_join : n < than;
}

static bool older(const struct mirror *m, node_id from, uint64_t join)
{
    return longer(join, from, own_join(m), m->o.self);
}

/* A node that starts, and a cluster's coordinator that lives and has asked for it. After a partition there
 * may be two: it follows the one that is longer there, or it would run from one to the other. */
static bool takes_us_in(const struct mirror *m)
{
    return m->phase == PHASE_STARTING && m->candidate != NODE_NONE && m->candidate != m->o.self &&
           m->candidate_join != UINT64_MAX && node_in(m->links, m->candidate) &&
           m->peers[m->candidate].serving && m->peers[m->candidate].incarnation == m->candidate_incarnation;
}

void refuse(struct mirror *m, node_id to, uint64_t epoch, enum refusal why, struct effects *out)
{
    struct peer_msg *no = peer_msg_create(PEER_REFUSED, epoch);
    no->u.refused.promised = u64_max(held_to(m), m->excluded_at);
    no->u.refused.candidate = m->candidate;
    no->u.refused.why = why;
    send_to(out, node_bit(to), no);
}

void handle_prepare(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out)
{
    if (m->leave_sent || m->phase == PHASE_STOPPED || (m->stopping && m->phase == PHASE_STARTING))
        return; /* LEAVE, or the end of the link, is on its way: the candidate asks again without us */
    bool stranger =
        m->phase != PHASE_STARTING && (!node_in(m->members, from) || asked_with_others_side(m, msg));
    if (stranger || (m->change.running && !older(m, from, msg->u.prepare.join))) {
        refuse(m, from, msg->epoch, stranger ? REFUSE_APART : REFUSE_LATER, out);
        return;
    }
    if (must_wait(m, from, msg)) {
        hold_prepare(m, from, msg, out);
        return;
    }
    if (takes_us_in(m) && from != m->candidate &&
        !longer(msg->u.prepare.join, from, m->candidate_join, m->candidate)) {
        refuse(m, from, msg->epoch, REFUSE_WITHOUT, out);
        return;
    }
    if (m->change.running)
        change_end(m);
    if (msg->epoch <= held_to(m)) {
        refuse(m, from, msg->epoch, REFUSE_LATER, out);
        return;
    }
    m->shun = 0;
    m->asked = msg->u.prepare.targets;
    if (m->promised > m->epoch && m->candidate != from &&
        node_in(m->links & ~node_bit(m->o.self), m->candidate)) {
        node_id left = m->candidate; /* it must not wait for us */
        uint64_t epoch = m->promised;
        m->promised = msg->epoch;
        m->candidate = from;
        refuse(m, left, epoch, REFUSE_LATER, out);
    }
    seal(m, msg->epoch, from, msg->u.prepare.join, out);
    peer_msg_destroy(m->prepare_waits);
    m->prepare_waits = steal(msg);
    m->prepare_from = from;
    report_missing(m, from, m->prepare_waits, out);
    answer_prepare(m, out);
}

void handle_prepared(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out)
{
    struct change *c = &m->change;
    if (!c->running || c->epoch != msg->epoch || !node_in(c->targets, from) || c->install_sent)
        return;
    peer_msg_destroy(c->answers[from]);
    c->answers[from] = steal(msg);
    m->cuts[from] &= ~c->targets; /* it answers once it reaches them all */
    c->prepared |= node_bit(from);
    prepared_check(m, out);
}

void promise_on_disk(struct mirror *m, struct effects *out)
{
    answer_prepare(m, out);
    prepared_check(m, out);
}

void handle_installed(struct mirror *m, node_id from, const struct peer_msg *msg, struct effects *out)
{
    struct change *c = &m->change;
    if (!c->running || c->epoch != msg->epoch || node_in(c->installed, from))
        return;
    handover_gather(&c->leftovers, msg);
    if (msg->u.serve.more)
        return;
    c->installed |= node_bit(from);
    if (c->installed != c->targets)
        return;
    for (node_id n = 0; n < m->o.nodes_len; n++) {
        size_t at = 0;
        struct peer_msg *part;
        while (n != m->o.self && node_in(c->targets, n) && (part = serve_msg(m, n, &at)))
            send_to(out, node_bit(n), part);
    }
    struct leftovers all = c->leftovers;
    c->leftovers = (struct leftovers){0};
    change_end(m);
    handover_deliver(m, &all, out);
    leftovers_clear(&all);
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
    size_t sent = 0;
    struct peer_msg *msg;
    while ((msg = installed_msg(m, &sent))) {
        if (m->coordinator != m->o.self) {
            send_to(out, node_bit(m->coordinator), msg);
            continue;
        }
        handle_installed(m, m->o.self, msg, out);
        peer_msg_destroy(msg);
    }
}

/* decide.c: what becomes of every queue in a new view. A pure function of the metadata, the new members and
 * what they said they hold:
 *
 *   the master is there and its replica is live    it stays
 *   it left in order, or crashed                   the mirror that the rules pick (rules.c)
 *   they pick nobody                               durable: stopped or down until its node is back; else gone
 *   its node is back                               what its log had is the queue
 *   and its log knows nothing of it                its disk is another one: what a synchronised mirror's log
 * had
 */
#include "mirror/mirror_private.h"

#include "base/ban.h"

struct table {
    struct map by_uid[LIMIT_NODES]; /* what each member holds, by queue */
    VEC(struct policy *) policies;
};

static const struct replica_state *held_by(const struct table *t, node_id n, uint64_t uid)
{
    return n == NODE_NONE ? NULL : map_get_u64(&t->by_uid[n], uid);
}

static bool live(const struct table *t, node_id n, uint64_t uid)
{
    const struct replica_state *r = held_by(t, n, uid);
    return r && r->live;
}

/* the metadata may know before the mirror does, and the other way round */
static bool in_sync(const struct meta_entry *e, node_id n, const struct replica_state *r)
{
    return r->synced || node_in(e->synced, n);
}

/* who takes over, by the node's rules; NODE_NONE: nobody */
static node_id pick(const struct decision_in *in, const struct table *t, const struct meta_entry *e,
                    bool in_order)
{
    const struct mirror_rules *rules = in->m->o.rules;
    if (!rules)
        rules = rules_named(in->m->o.oldest_promoted ? "kit" : "newest");
    const struct policy *policy = policy_among(t->policies.items, t->policies.len, "queues", e->name);
    struct candidate candidates[LIMIT_NODES];
    struct promotion p = {.candidates = candidates,
                          .in_order = in_order,
                          .shutdown_always = policy && policy->shutdown_always,
                          .failure_when_synced = policy && policy->failure_when_synced};
    for (size_t i = 0; i < e->mirrors_len; i++) {
        const struct replica_state *r = held_by(t, e->mirrors[i], e->uid);
        if (r && r->live && node_in(in->members, e->mirrors[i]))
            candidates[p.len++] = (struct candidate){
                .node = e->mirrors[i], .synchronised = in_sync(e, e->mirrors[i], r), .messages = r->depth};
    }
    size_t chosen = p.len ? rules->pick_master(rules->arg, &p) : RULE_NOBODY;
    ASSERT(chosen < p.len || chosen == RULE_NOBODY);
    return chosen == RULE_NOBODY ? NODE_NONE : candidates[chosen].node;
}

static void no_mirrors(struct meta_entry *e)
{
    e->mirrors_len = 0;
    e->synced = 0;
}

/* Everybody begins from a log, and the master's does not know the queue: its disk was lost. The oldest mirror
 * that was in sync when all went has on its disk whatever was confirmed; NODE_NONE: there is none. (A log
 * knows every queue of its last view, also one of which this node holds no message.) */
static node_id kept_by(const struct decision_in *in, const struct table *t, const struct meta_entry *e)
{
    if (held_by(t, e->master, e->uid))
        return NODE_NONE;
    for (size_t i = 0; i < e->mirrors_len; i++) {
        const struct replica_state *r = held_by(t, e->mirrors[i], e->uid);
        if (node_in(in->members & e->synced, e->mirrors[i]) && r && !r->live)
            return e->mirrors[i];
    }
    return NODE_NONE;
}

/* false: the queue is gone */
static bool find_master(const struct decision_in *in, const struct table *t, struct meta_entry *e)
{
    bool home = node_in(in->members, e->master);
    if (e->state == QUEUE_RUNNING && home && live(t, e->master, e->uid))
        return true;
    if (e->state == QUEUE_RUNNING) {
        bool clean = node_in(in->clean, e->master);
        node_id next = pick(in, t, e, clean);
        if (next != NODE_NONE) {
            e->master = next;
            e->generation++;
            return true;
        }
        if (!home) {
            no_mirrors(e);
            e->state = clean ? QUEUE_STOPPED : QUEUE_DOWN;
            return e->durable;
        }
        next = kept_by(in, t, e);
        if (next != NODE_NONE)
            e->master = next;
    } else if (!home) {
        return e->durable;
    }
    /* what its log had is the queue */
    no_mirrors(e);
    e->state = QUEUE_RUNNING;
    e->generation++;
    return e->durable;
}

/* mirrors are those that live, without the master; who was in sync still is */
static void find_mirrors(const struct decision_in *in, const struct table *t, struct meta_entry *e)
{
    size_t kept = 0;
    node_set synced = 0;
    for (size_t i = 0; i < e->mirrors_len; i++) {
        node_id n = e->mirrors[i];
        const struct replica_state *r = held_by(t, n, e->uid);
        if (n == e->master || !node_in(in->members, n) || !r || !r->live)
            continue;
        e->since[kept] = e->since[i];
        e->mirrors[kept++] = n;
        if (in_sync(e, n, r))
            synced |= node_bit(n);
    }
    e->mirrors_len = (uint8_t)kept;
    e->synced = synced;
}

/* a policy of mode nodes may want another master: a listed mirror that is in sync */
static void move_master(const struct decision_in *in, const struct table *t, struct meta_entry *e)
{
    if (e->owner.node != NODE_NONE)
        return;
    struct placement want = place(policy_among(t->policies.items, t->policies.len, "queues", e->name),
                                  e->master, e->mirrors, e->mirrors_len, e->synced, in->members);
    if (want.master == e->master || !live(t, e->master, e->uid))
        return;
    node_id old = e->master;
    e->master = want.master;
    e->generation++;
    size_t len = 0;
    for (size_t i = 0; i < e->mirrors_len; i++)
        if (e->mirrors[i] != want.master) {
            e->since[len] = e->since[i];
            e->mirrors[len++] = e->mirrors[i];
        }
    /* the old master stays as a mirror in sync, in the place of the one that takes over: if that one dies
     * before the view is served nothing is lost; where the policy does not want it, an entry removes it
     * afterwards */
    e->since[len] = 0;
    e->mirrors[len++] = old;
    e->synced |= node_bit(old);
    e->mirrors_len = (uint8_t)len;
    e->synced &= ~node_bit(e->master);
}

/* who has exactly the history up to `upto` and can repeat it from `from` on; NODE_NONE: nobody */
static node_id find_source(const struct decision_in *in, const struct table *t, uint64_t uid, uint64_t from,
                           uint64_t upto)
{
    for (node_id n = 0; n < LIMIT_NODES; n++) {
        const struct replica_state *r = node_in(in->members, n) ? held_by(t, n, uid) : NULL;
        if (r && r->live && r->op == upto && r->since <= from)
            return n;
    }
    return NODE_NONE;
}

/* The history that counts is the longest one that the new master can be brought to. Every mirror is brought
 * there too; one that cannot be (what it lacks, or has too much, nobody can tell it) begins anew, empty.
 * Gives the place that the next publish gets. */
static msg_id find_repairs(const struct decision_in *in, const struct table *t, struct meta_entry *e,
                           struct repair **repairs, size_t *len, size_t *cap)
{
    const struct replica_state *master = held_by(t, e->master, e->uid);
    if (!master || !master->live)
        return master ? master->next : 0;
    uint64_t upto = master->op;
    msg_id next = master->next;
    for (node_id n = 0; n < LIMIT_NODES; n++) {
        const struct replica_state *r = node_in(in->members, n) ? held_by(t, n, e->uid) : NULL;
        if (r && r->live && r->op > upto && r->since <= master->op) {
            upto = r->op;
            next = r->next;
        }
    }
    VEC(struct repair) v = {*repairs, *len, *cap};
    size_t kept = 0;
    for (size_t i = 0; i <= e->mirrors_len; i++) {
        node_id n = i < e->mirrors_len ? e->mirrors[i] : e->master;
        const struct replica_state *r = held_by(t, n, e->uid);
        node_id source = r->op < upto ? find_source(in, t, e->uid, r->op, upto) : NODE_NONE;
        bool level = r->op == upto || source != NODE_NONE;
        if (source != NODE_NONE)
            VEC_PUSH(
                &v, (struct repair){.uid = e->uid, .source = source, .node = n, .from = r->op, .upto = upto});
        if (i == e->mirrors_len)
            break;
        if (level) {
            e->since[kept] = e->since[i];
            e->mirrors[kept++] = n;
        } else {
            e->synced &= ~node_bit(n);
        }
    }
    e->mirrors_len = (uint8_t)kept;
    *repairs = v.items;
    *len = v.len;
    *cap = v.cap;
    return next;
}

static bool owner_gone(const struct decision_in *in, const struct meta_entry *e)
{
    return e->owner.node != NODE_NONE &&
           (!node_in(in->members, e->owner.node) || in->incarnations[e->owner.node] != e->owner.incarnation);
}

/* what belongs to a queue goes with it */
static bool key_of_gone_queue(const struct meta_entry *key, const struct map *names)
{
    return key->type == META_KEY && key->queue && !map_get_str(names, key->queue);
}

void decide(const struct decision_in *in, struct meta_entry **entries, size_t *entries_len,
            struct repair **repairs, size_t *repairs_len)
{
    struct table t = {0};
    for (node_id n = 0; n < LIMIT_NODES; n++) {
        if (!in->answers[n])
            continue;
        struct replica_state *r = in->answers[n]->u.prepared.replicas;
        for (size_t i = 0; i < in->answers[n]->u.prepared.replicas_len; i++)
            map_set_u64(&t.by_uid[n], r[i].uid, &r[i]);
    }
    /* whoever leads may not have heard of the last change of a policy: the entries are the newest table's */
    for (size_t i = 0; i < *entries_len; i++)
        if ((*entries)[i].type == META_POLICY)
            VEC_PUSH(&t.policies, policy_of_entry(in->m, &(*entries)[i]));
    *repairs = NULL;
    size_t cap = 0, kept = 0;
    *repairs_len = 0;
    struct map names = {0};
    for (size_t i = 0; i < *entries_len; i++) {
        struct meta_entry *e = &(*entries)[i];
        uint64_t generation = e->generation;
        if (e->type == META_QUEUE) {
            if (owner_gone(in, e) || !find_master(in, &t, e)) {
                meta_entry_finish(e);
                continue;
            }
            if (e->state == QUEUE_RUNNING) {
                find_mirrors(in, &t, e);
                move_master(in, &t, e);
                msg_id next = find_repairs(in, &t, e, repairs, repairs_len, &cap);
                /* a view that was not served may have counted on places that its master never got */
                if (e->generation != generation ||
                    (e->reigns.len && e->reigns.items[e->reigns.len - 1].from > next))
                    reigns_add(&e->reigns, next, e->master, in->incarnations[e->master]);
            }
            map_set(&names, bytes_str(e->name), e->name);
        }
        (*entries)[kept++] = *e;
    }
    *entries_len = kept;
    kept = 0;
    for (size_t i = 0; i < *entries_len; i++) {
        struct meta_entry *e = &(*entries)[i];
        if (key_of_gone_queue(e, &names))
            meta_entry_finish(e);
        else
            (*entries)[kept++] = *e;
    }
    *entries_len = kept;
    map_finish(&names);
    for (size_t i = 0; i < t.policies.len; i++)
        policy_destroy(t.policies.items[i]);
    VEC_FREE(&t.policies);
    for (node_id n = 0; n < LIMIT_NODES; n++)
        map_finish(&t.by_uid[n]);
}

/* meta.c: the replicated tables (queues, policies, keys) and how one ordered entry changes them. The same
 * entries in the same order give the same tables on every member. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

struct queue *queue_by_uid(const struct mirror *m, uint64_t uid)
{
    return map_get_u64(&m->by_uid, uid);
}

uint32_t added_by(const struct meta_entry *rec, node_id n)
{
    for (size_t i = 0; i < rec->mirrors_len; i++)
        if (rec->mirrors[i] == n)
            return rec->since[i];
    return 0;
}

/* ---- how large the table is: it goes to other nodes in one message when a view changes ---- */

static size_t text_bytes(const char *s)
{
    return s ? strlen(s) : 0;
}

static size_t key_bytes(size_t key_len, size_t value_len, const char *queue)
{
    return 64 + key_len + value_len + text_bytes(queue);
}

/* At most so many bytes of INSTALL or PREPARED are a queue's, whatever its mirrors do: its entry, what a node
 * says of its replica, a repair for each mirror. */
static size_t queue_bytes(const struct mirror *m, const struct meta_entry *e)
{
    return 256 + sizeof(struct reigns) + 40 * m->o.nodes_len + text_bytes(e->name) +
           text_bytes(e->args.json) + text_bytes(e->args.master_locator) + text_bytes(e->args.overflow) +
           text_bytes(e->args.dead_letter_exchange) + text_bytes(e->args.dead_letter_key);
}

static size_t policy_bytes(const char *name, const char *pattern, const char *definition)
{
    return 64 + text_bytes(name) + text_bytes(pattern) + text_bytes(definition);
}

bool table_takes(const struct mirror *m, const struct meta_entry *e)
{
    size_t more = 0;
    switch (e->type) {
    case META_QUEUE: more = queue_bytes(m, e); break;
    case META_POLICY: more = policy_bytes(e->name, e->pattern, e->definition); break;
    case META_KEY: more = key_bytes(e->key_len, e->value_len, e->queue); break;
    case META_QUEUE_REMOVE:
    case META_SYNCED:
    case META_POLICY_REMOVE:
    case META_KEY_REMOVE:
    case META_FORGET: return true;
    }
    return m->table_bytes + more <= m->o.table_bytes;
}

struct queue *queue_create(struct mirror *m, const struct meta_entry *rec)
{
    struct queue *q = xcalloc(1, sizeof(*q));
    q->applied = xcalloc(1, sizeof(*q->applied));
    meta_entry_copy(&q->rec, rec);
    q->reigns = rec->reigns;
    content_init(&q->content, 0);
    content_prioritise(&q->content, (uint32_t)q->rec.args.max_priority);
    map_set(&m->queues, bytes_str(q->rec.name), q);
    map_set_u64(&m->by_uid, q->rec.uid, q);
    m->table_bytes += queue_bytes(m, &q->rec);
    if (q->rec.owner.node != NODE_NONE) {
        VEC_PUSH(&m->exclusive, q);
        q->exclusive_place = m->exclusive.len;
    }
    return q;
}

static void not_exclusive(struct mirror *m, struct queue *q)
{
    if (!q->exclusive_place)
        return;
    struct queue *last = m->exclusive.items[--m->exclusive.len];
    m->exclusive.items[q->exclusive_place - 1] = last;
    last->exclusive_place = q->exclusive_place;
    q->exclusive_place = 0;
}

/* ---- keys; those of a queue are in a list, for they go with it ---- */

static void link_key(struct mirror *m, struct key *k)
{
    if (!k->queue)
        return;
    k->next = map_get_str(&m->queue_keys, k->queue);
    if (k->next)
        k->next->prev = k;
    map_set(&m->queue_keys, bytes_str(k->queue), k);
}

static void unlink_key(struct mirror *m, struct key *k)
{
    if (k->next)
        k->next->prev = k->prev;
    if (k->prev)
        k->prev->next = k->next;
    else if (k->next)
        map_set(&m->queue_keys, bytes_str(k->queue), k->next);
    else if (k->queue)
        map_remove(&m->queue_keys, bytes_str(k->queue));
    k->next = k->prev = NULL;
}

static void free_key(struct mirror *m, struct key *k)
{
    m->table_bytes -= key_bytes(k->key_len, k->value_len, k->queue);
    free(k->key);
    free(k->value);
    free(k->queue);
    free(k);
}

static void key_removed(struct mirror *m, struct key *k, struct effects *out)
{
    map_remove(&m->keys, bytes_of(k->key, k->key_len));
    unlink_key(m, k);
    if (out) {
        struct effect *fx = effects_add(out, FX_META);
        fx->u.meta.key = k->key;
        fx->u.meta.key_len = k->key_len;
        k->key = NULL;
    }
    free_key(m, k);
}

static void key_told(const struct key *k, struct effects *out)
{
    struct effect *fx = effects_add(out, FX_META);
    fx->u.meta.key = (uint8_t *)xstrndup((const char *)k->key, k->key_len);
    fx->u.meta.key_len = k->key_len;
    fx->u.meta.value = (uint8_t *)xstrndup((const char *)k->value, k->value_len);
    fx->u.meta.value_len = k->value_len;
}

/* forgets a queue and everything of it on this node; out NULL: quietly, at the end */
void queue_drop(struct mirror *m, struct queue *q, bool deleted, struct effects *out)
{
    if (out) {
        stream_end(m, q, deleted ? CONFIRM_ACK : CONFIRM_NACK, out);
        struct effect *fx = effects_add(out, FX_QUEUE_GONE);
        fx->u.queue.name = xstrdup(q->rec.name);
        fx->u.queue.uid = q->rec.uid;
        struct key *k;
        while ((k = map_get_str(&m->queue_keys, q->rec.name)))
            key_removed(m, k, out);
        if (q->master)
            master_refuse(m, q, ANSWER_NOT_FOUND, out);
        replica_discard(m, q, out);
        subs_of_queue_end(m, q, out);
    }
    if (q->master)
        master_end(m, q);
    VEC_FREE(&q->rejected);
    if (q->stream) {
        while (q->stream->pending.len) {
            message_unref(RING_AT(&q->stream->pending, 0).msg);
            RING_POP(&q->stream->pending);
        }
        RING_FREE(&q->stream->pending);
        free(q->stream);
    }
    retained_clear(q);
    sync_incoming_drop(q);
    content_finish(&q->content);
    VEC_FREE(&q->origins);
    VEC_FREE(&q->removed);
    VEC_FREE(&q->taken);
    for (size_t i = 0; i < m->dirty.len; i++)
        if (m->dirty.items[i] == q)
            m->dirty.items[i] = NULL;
    not_exclusive(m, q);
    m->table_bytes -= queue_bytes(m, &q->rec);
    map_remove(&m->queues, bytes_str(q->rec.name));
    map_remove_u64(&m->by_uid, q->rec.uid);
    meta_entry_finish(&q->rec);
    free(q->applied);
    free(q);
    m->retry_wanted = m->retry_wanted || m->declares_wait;
}

const struct policy *policy_among(struct policy *const *policies, size_t len, const char *what,
                                  const char *name)
{
    const struct policy *best = NULL;
    for (size_t i = 0; i < len; i++) {
        const struct policy *p = policies[i];
        if ((!best || p->priority > best->priority) && policy_matches(p, what, name))
            best = p;
    }
    return best;
}

const struct policy *policy_for(const struct mirror *m, const char *what, const char *name)
{
    return policy_among(m->policies.items, m->policies.len, what, name);
}

const struct policy *queue_policy(const struct mirror *m, const struct queue *q)
{
    if (!q->applied->known || q->applied->policies != m->policies_changed)
        *q->applied = (struct applied){
            .known = true, .policies = m->policies_changed, .policy = policy_for(m, "queues", q->rec.name)};
    return q->applied->policy;
}

static void policy_gone(struct mirror *m, struct policy *p)
{
    m->table_bytes -= policy_bytes(p->name, p->pattern, p->definition);
    policy_destroy(p);
}

static size_t policy_at(const struct mirror *m, const char *name, bool *found)
{
    size_t i = 0;
    while (i < m->policies.len && strcmp(m->policies.items[i]->name, name) < 0)
        i++;
    *found = i < m->policies.len && strcmp(m->policies.items[i]->name, name) == 0;
    return i;
}

static bool policy_same(const struct policy *a, const struct policy *b)
{
    return strcmp(a->pattern, b->pattern) == 0 && strcmp(a->apply_to, b->apply_to) == 0 &&
           strcmp(a->definition, b->definition) == 0 && a->priority == b->priority;
}

struct policy *policy_of_entry(const struct mirror *m, const struct meta_entry *e)
{
    char *error;
    struct policy *p = policy_create(e->name, e->pattern, e->apply_to, e->definition, e->priority, m->names,
                                     m->o.nodes_len, &error);
    ASSERT(p); /* it was checked before it was ordered */
    return p;
}

/* tells: one node does, when somebody sets it, not when a view brings it again */
static void policy_put(struct mirror *m, const struct meta_entry *e, bool tells, struct effects *out)
{
    m->policies_changed++;
    struct policy *p = policy_of_entry(m, e);
    m->table_bytes += policy_bytes(p->name, p->pattern, p->definition);
    bool found;
    size_t i = policy_at(m, e->name, &found);
    if (tells && !found)
        tell(out, "policy", NULL, "%s set on %s: %s", p->name, p->pattern, p->definition);
    else if (tells && !policy_same(p, m->policies.items[i]))
        tell(out, "policy", NULL, "%s changed on %s: %s", p->name, p->pattern, p->definition);
    if (found) {
        policy_gone(m, m->policies.items[i]);
        m->policies.items[i] = p;
        return;
    }
    VEC_PUSH(&m->policies, p);
    memmove(&m->policies.items[i + 1], &m->policies.items[i], (m->policies.len - 1 - i) * sizeof(p));
    m->policies.items[i] = p;
}

static void policy_remove(struct mirror *m, const char *name, bool tells, struct effects *out)
{
    bool found;
    size_t i = policy_at(m, name, &found);
    m->policies_changed++;
    if (!found)
        return;
    policy_gone(m, m->policies.items[i]);
    VEC_REMOVE(&m->policies, i);
    if (tells)
        tell(out, "policy", NULL, "%s cleared", name);
}

static void key_put(struct mirror *m, const struct meta_entry *e, struct effects *out)
{
    struct key *k = xcalloc(1, sizeof(*k));
    k->key = (uint8_t *)xstrndup((const char *)e->key, e->key_len);
    k->key_len = e->key_len;
    k->value = (uint8_t *)xstrndup((const char *)e->value, e->value_len);
    k->value_len = e->value_len;
    k->queue = e->queue ? xstrdup(e->queue) : NULL;
    k->durable = e->durable;
    struct key *old = map_set(&m->keys, bytes_of(k->key, k->key_len), k);
    if (old) {
        unlink_key(m, old);
        free_key(m, old);
    }
    link_key(m, k);
    m->table_bytes += key_bytes(k->key_len, k->value_len, k->queue);
    if (out)
        key_told(k, out);
}

static void key_remove(struct mirror *m, const struct meta_entry *e, struct effects *out)
{
    if (!e->prefix) {
        struct key *k = map_get(&m->keys, bytes_of(e->key, e->key_len));
        if (k)
            key_removed(m, k, out);
        return;
    }
    size_t at = 0;
    struct key *k;
    while ((k = map_next(&m->keys, &at)))
        if (k->key_len >= e->key_len && memcmp(k->key, e->key, e->key_len) == 0)
            key_removed(m, k, out);
}

/* the queue is new, or its mirrors changed; its master never changes outside a view change */
static void queue_put(struct mirror *m, const struct meta_entry *e, struct effects *out)
{
    struct queue *q = queue_by_uid(m, e->uid);
    if (!q) {
        q = queue_create(m, e);
        q->served_generation = e->generation;
        if (e->master == m->o.self) {
            master_begin(m, q);
            tell(out, "queue", e->name, "queue %s declared on %s", e->name, m->names[m->o.self]);
            for (size_t i = 0; i < e->mirrors_len; i++) /* empty, so in sync from the first moment */
                VEC_PUSH(&q->master->copies,
                         (struct copy){
                             .node = e->mirrors[i], .synced = true, .counted = true, .since = e->since[i]});
        } else if (node_in(e->synced, m->o.self)) {
            replica_begin(m, q, out);
        }
        return;
    }
    struct meta_entry old = q->rec;
    meta_entry_copy(&q->rec, e);
    meta_entry_finish(&old);
    q->reigns = e->reigns;
    bool mirror = false;
    for (size_t i = 0; i < e->mirrors_len; i++)
        mirror = mirror || e->mirrors[i] == m->o.self;
    if (q->role == ROLE_MASTER)
        master_copies(m, q, out);
    else if (q->role == ROLE_MIRROR && !mirror) {
        tell(out, "mirror", q->rec.name, "mirror of %s on %s removed", q->rec.name, m->names[m->o.self]);
        replica_discard(m, q, out);
    }
}

struct forgotten *forgotten_list(const struct mirror *m, size_t *len)
{
    struct forgotten *list = xcalloc(node_count(m->forgotten), sizeof(*list));
    *len = 0;
    for (node_id n = 0; n < LIMIT_NODES; n++)
        if (node_in(m->forgotten, n))
            list[(*len)++] = (struct forgotten){.node = n, .epoch = m->forgotten_in[n]};
    return list;
}

void forgotten_replace(struct mirror *m, const struct forgotten *list, size_t len)
{
    m->forgotten = 0;
    for (size_t i = 0; i < len; i++) {
        m->forgotten |= node_bit(list[i].node);
        m->forgotten_in[list[i].node] = list[i].epoch;
    }
}

/* Its master's node is forgotten by one that was stopped with it: the oldest mirror that was in sync has on
 * its disk whatever was confirmed while both ran. false: there is none. */
static bool inherit(struct meta_entry *e)
{
    size_t i = 0;
    while (i < e->mirrors_len && !node_in(e->synced, e->mirrors[i]))
        i++;
    if (e->state != QUEUE_RUNNING || i == e->mirrors_len)
        return false;
    e->master = e->mirrors[i];
    e->synced &= ~node_bit(e->master);
    for (e->mirrors_len--; i < e->mirrors_len; i++) {
        e->mirrors[i] = e->mirrors[i + 1];
        e->since[i] = e->since[i + 1];
    }
    return true;
}

/* One node tells it: its master, or, if that is away, the coordinator; and who is in no view yet, of what an
 * operator had it do while it was stopped. */
static void tell_deleted(const struct mirror *m, const struct queue *q, struct effects *out)
{
    node_id teller = node_in(m->members, q->rec.master) ? q->rec.master : m->coordinator;
    if (teller == m->o.self || !node_in(m->members, m->o.self))
        tell(out, "queue", q->rec.name, "queue %s deleted", q->rec.name);
}

/* rabbitmqctl forget_cluster_node: what only that node had goes with it. While nodes serve, none of its
 * queues runs any more; a node that was stopped with it (--offline) knows them as they were. */
static void forget_node(struct mirror *m, node_id node, struct effects *out)
{
    m->cluster &= ~node_bit(node);
    m->forgotten |= node_bit(node);
    m->forgotten_in[node] = m->epoch ? m->epoch : m->recovered_epoch; /* from the log: its last view's */
    m->lost &= ~node_bit(node);
    m->recovered_others &= ~node_bit(node);
    VEC(struct queue *) gone = {0};
    size_t at = 0;
    struct queue *q;
    while ((q = map_next(&m->queues, &at)))
        if (q->rec.master == node && !inherit(&q->rec))
            VEC_PUSH(&gone, q);
    for (size_t i = 0; i < gone.len; i++) {
        tell_deleted(m, gone.items[i], out);
        queue_drop(m, gone.items[i], true, out);
    }
    VEC_FREE(&gone);
    if (m->coordinator == m->o.self && node < m->o.nodes_len)
        tell(out, "node", NULL, "%s is of this cluster no more", m->names[node]);
}

void meta_apply(struct mirror *m, const struct meta_entry *e, struct effects *out)
{
    struct queue *q;
    bool tells = m->coordinator == m->o.self; /* what is of no one queue: one node tells it */
    switch (e->type) {
    case META_QUEUE: queue_put(m, e, out); break;
    case META_QUEUE_REMOVE:
        q = queue_by_uid(m, e->uid);
        if (q) {
            tell_deleted(m, q, out);
            queue_drop(m, q, true, out);
        }
        break;
    case META_SYNCED:
        q = queue_by_uid(m, e->uid);
        if (q && q->rec.generation == e->generation) {
            for (size_t i = 0; i < q->rec.mirrors_len; i++)
                if (q->rec.mirrors[i] == e->master)
                    q->rec.synced |= node_bit(e->master);
            if (e->master == m->o.self && q->role == ROLE_MIRROR)
                replica_synced(m, q, out);
        }
        break;
    case META_POLICY: policy_put(m, e, tells, out); break;
    case META_POLICY_REMOVE: policy_remove(m, e->name, tells, out); break;
    case META_KEY: key_put(m, e, out); break;
    case META_KEY_REMOVE: key_remove(m, e, out); break;
    case META_FORGET: forget_node(m, e->master, out); break;
    }
    if (e->type == META_POLICY || e->type == META_POLICY_REMOVE) {
        size_t at = 0;
        while ((q = map_next(&m->queues, &at)))
            if (q->role == ROLE_MASTER) {
                sync_maybe(m, q, out);
                queue_touch(m, q); /* its limits may be others now */
            }
    }
}

void entries_free(struct meta_entry *e, size_t len)
{
    for (size_t i = 0; i < len; i++)
        meta_entry_finish(&e[i]);
    free(e);
}

struct meta_entry *meta_snapshot(const struct mirror *m, size_t *len)
{
    struct meta_entry *all = xcalloc(m->policies.len + m->queues.count + m->keys.count, sizeof(*all));
    size_t n = 0;
    for (size_t i = 0; i < m->policies.len; i++) {
        const struct policy *p = m->policies.items[i];
        struct meta_entry *e = &all[n++];
        meta_entry_init(e, META_POLICY);
        e->name = xstrdup(p->name);
        e->pattern = xstrdup(p->pattern);
        e->apply_to = xstrdup(p->apply_to);
        e->definition = xstrdup(p->definition);
        e->priority = p->priority;
    }
    size_t at = 0;
    const struct queue *q;
    while ((q = map_next(&m->queues, &at)))
        meta_entry_copy(&all[n++], &q->rec);
    at = 0;
    const struct key *k;
    while ((k = map_next(&m->keys, &at))) {
        struct meta_entry *e = &all[n++];
        meta_entry_init(e, META_KEY);
        e->key = (uint8_t *)xstrndup((const char *)k->key, k->key_len);
        e->key_len = k->key_len;
        e->value = (uint8_t *)xstrndup((const char *)k->value, k->value_len);
        e->value_len = k->value_len;
        e->queue = k->queue ? xstrdup(k->queue) : NULL;
        e->durable = k->durable;
    }
    *len = n;
    return all;
}

static bool same_keys(const struct mirror *m, const struct meta_entry *entries, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        const struct meta_entry *e = &entries[i];
        if (e->type != META_KEY)
            continue;
        const struct key *k = map_get(&m->keys, bytes_of(e->key, e->key_len));
        if (!k || !bytes_equal(bytes_of(k->value, k->value_len), bytes_of(e->value, e->value_len)))
            return false;
        n++;
    }
    return n == m->keys.count;
}

/* policies and keys become those of the entries; queues are install.c's, which knows about roles */
void meta_replace(struct mirror *m, const struct meta_entry *entries, size_t len, struct effects *out)
{
    for (size_t i = 0; i < m->policies.len; i++)
        policy_gone(m, m->policies.items[i]);
    m->policies.len = 0;
    m->policies_changed++;
    for (size_t i = 0; i < len; i++)
        if (entries[i].type == META_POLICY)
            policy_put(m, &entries[i], false, out);
    if (same_keys(m, entries, len))
        return;
    size_t at = 0;
    struct key *k;
    while ((k = map_next(&m->keys, &at))) {
        map_remove(&m->keys, bytes_of(k->key, k->key_len));
        free_key(m, k);
    }
    map_finish(&m->queue_keys);
    if (out)
        effects_add(out, FX_META_ALL);
    for (size_t i = 0; i < len; i++)
        if (entries[i].type == META_KEY)
            key_put(m, &entries[i], out);
}

void tables_free(struct mirror *m)
{
    size_t at = 0;
    struct queue *q;
    while ((q = map_next(&m->queues, &at)))
        queue_drop(m, q, false, NULL);
    map_finish(&m->queues);
    map_finish(&m->by_uid);
    for (size_t i = 0; i < m->policies.len; i++)
        policy_gone(m, m->policies.items[i]);
    VEC_FREE(&m->policies);
    at = 0;
    struct key *k;
    while ((k = map_next(&m->keys, &at)))
        free_key(m, k);
    ASSERT(m->table_bytes == 0);
    map_finish(&m->keys);
    map_finish(&m->queue_keys);
    VEC_FREE(&m->exclusive);
    VEC_FREE(&m->reviews);
}

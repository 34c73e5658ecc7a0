/* recover.c: what the log held becomes the state a node starts with. Durable queues and their persistent
 * messages are there again, as its own past; whether that past still counts is for the view change to say. */
#include "mirror/mirror_private.h"

#include "base/err.h"

#include "base/ban.h"

static void recover_entry(struct mirror *m, const struct meta_entry *e)
{
    struct effects none = {0};
    struct queue *q;
    switch (e->type) {
    case META_QUEUE:
        q = queue_by_uid(m, e->uid);
        if (!q)
            q = map_get_str(&m->queues, e->name); /* the name was used before; that life is over */
        if (q && q->rec.uid != e->uid) {
            queue_drop(m, q, false, NULL);
            q = NULL;
        }
        if (!q) {
            queue_create(m, e);
        } else {
            struct meta_entry old = q->rec;
            meta_entry_copy(&q->rec, e);
            meta_entry_finish(&old);
            q->reigns = e->reigns;
        }
        map_set_u64(&m->recovered_seen, e->uid, m);
        break;
    case META_QUEUE_REMOVE:
        q = queue_by_uid(m, e->uid);
        if (q)
            queue_drop(m, q, false, NULL);
        break;
    case META_SYNCED:
    case META_POLICY:
    case META_POLICY_REMOVE:
    case META_KEY:
    case META_KEY_REMOVE:
    case META_FORGET: meta_apply(m, e, &none); break;
    }
    effects_free(&none);
}

static void forget_table(struct mirror *m)
{
    for (size_t i = 0; i < m->recovered_table.len; i++)
        meta_entry_finish(&m->recovered_table.items[i]);
    m->recovered_table.len = 0;
    m->recovering_table = false;
}

/* the table that began with REC_META_RESET is complete: it replaces the one before */
static void recover_view(struct mirror *m, const struct record *rec)
{
    if (m->recovering_table) {
        map_finish(&m->recovered_seen);
        meta_replace(m, NULL, 0, NULL);
        for (size_t i = 0; i < m->recovered_table.len; i++)
            recover_entry(m, &m->recovered_table.items[i]);
        forget_table(m);
    }
    m->recovered_epoch = rec->epoch;
    m->version = rec->version;
    m->recovered_others = rec->members & ~node_bit(m->o.self);
    m->lost = rec->others;
    m->cluster = rec->cluster;
    forgotten_replace(m, rec->forgotten, rec->forgotten_len);
}

static void recover_meta(struct mirror *m, const struct record *rec)
{
    if (m->recovering_table) {
        VEC_PUSH(&m->recovered_table, (struct meta_entry){0});
        meta_entry_copy(&m->recovered_table.items[m->recovered_table.len - 1], rec->entry);
        return;
    }
    m->version = rec->version;
    recover_entry(m, rec->entry);
}

static void recover_ranges(struct queue *q, const struct record *rec)
{
    for (size_t i = 0; i < rec->ranges_len; i++) {
        msg_id at = rec->ranges[i].first;
        struct slot *s;
        while ((s = content_walk(&q->content, &at)) && at - 1 <= rec->ranges[i].last) {
            if (rec->type == REC_REMOVED)
                content_remove(&q->content, at - 1);
            else
                s->redelivered = true;
        }
    }
}

static void recover_message(struct queue *q, const struct record *rec)
{
    struct slot *s = content_put(&q->content, rec->id, rec->msg, false, rec->redelivered);
    s->logged = true;
    s->expiry = rec->expiry;
}

int mirror_recover(struct mirror *m, const struct record *rec)
{
    struct queue *q = rec->queue_uid ? queue_by_uid(m, rec->queue_uid) : NULL;
    m->fresh = false;
    m->recovered_clean = false;
    switch (rec->type) {
    case REC_VIEW: recover_view(m, rec); break;
    case REC_META_RESET:
        forget_table(m);
        m->recovering_table = true;
        break;
    case REC_META:
        if (!rec->entry)
            return ERR_INVALID;
        recover_meta(m, rec);
        break;
    case REC_MESSAGE:
        if (!q || !rec->msg)
            break; /* of a queue that was deleted since */
        if (rec->origin != NODE_NONE)
            note_origin(q, rec->origin, rec->incarnation, rec->seq);
        if (!content_find(&q->content, rec->id))
            recover_message(q, rec);
        break;
    case REC_REJECTED:
        if (!q)
            break;
        note_origin(q, rec->origin, rec->incarnation, rec->seq);
        rejected_add(m, q, (struct rejected){rec->origin, rec->incarnation, rec->seq}, rec->base);
        break;
    case REC_REMOVED:
    case REC_TAKEN:
        if (q)
            recover_ranges(q, rec);
        break;
    case REC_DISCARD:
        if (q) {
            content_reset(&q->content, 0);
            q->rejected.len = 0;
            q->leased = 0;
            q->origins.len = 0;
        }
        break;
    case REC_LEASE:
        if (q && rec->ranges_len)
            q->leased = u64_max(q->leased, rec->ranges[0].last + 1);
        break;
    case REC_ORIGIN:
        if (q)
            note_origin(q, rec->origin, rec->incarnation, rec->seq)->lost = rec->lost;
        break;
    case REC_PROMISED: m->promised_before = u64_max(m->promised_before, rec->epoch); break;
    case REC_STOPPED: {
        size_t at = 0;
        while ((q = map_next(&m->queues, &at)))
            q->leased = 0;
        m->recovered_others = rec->others;
        m->lost |= rec->members;
        m->recovered_clean = true;
        break;
    }
    }
    return 0;
}

/* After a crash nobody knows which of the leased messages were delivered: all of them may have been. After an
 * orderly stop REC_TAKEN says exactly which. */
static void recover_lease(struct queue *q, bool clean)
{
    msg_id at = 0;
    struct slot *s;
    while (!clean && at < q->leased && (s = content_walk(&q->content, &at)) && at - 1 < q->leased) {
        s->redelivered = true;
        note_taken(q, s, at - 1); /* and from now on the log knows */
    }
    q->leased = q->lease_wanted = 0;
}

/* What an operator said while this node was stopped stands in its log from now on, as if the cluster had. */
static void recover_forget(struct mirror *m, struct effects *out)
{
    for (node_id n = 0; n < m->o.nodes_len; n++) {
        if (m->fresh || n == m->o.self || !node_in(m->o.forgets & ~m->forgotten, n))
            continue;
        struct meta_entry e;
        meta_entry_init(&e, META_FORGET);
        e.master = n;
        m->version++;
        persist_meta(m, &e, out);
        meta_apply(m, &e, out);
        meta_entry_finish(&e);
        tell(out, "node", NULL, "%s is of this cluster no more", m->names[n]);
    }
}

/* the log is read: what does not outlive a stop goes */
void recover_end(struct mirror *m, struct effects *out)
{
    forget_table(m);
    VEC_FREE(&m->recovered_table);
    m->fresh = m->recovered_epoch == 0; /* killed before its first view was whole: it was in none */
    recover_forget(m, out);
    size_t at = 0;
    struct queue *q;
    while ((q = map_next(&m->queues, &at))) {
        if (!q->rec.durable || q->rec.owner.node != NODE_NONE ||
            !map_get_u64(&m->recovered_seen, q->rec.uid)) {
            queue_drop(m, q, false, NULL);
            continue;
        }
        content_rewind(&q->content);
        recover_lease(q, m->recovered_clean);
        disk_turn(m, q, out); /* at once: an orderly stop may come before anything else */
        for (size_t i = 0; i < q->origins.len; i++)
            q->origins.items[i].recovered = q->origins.items[i].seq;
        q->recovered = true;
        q->role = ROLE_NONE;
    }
    map_finish(&m->recovered_seen);
    at = 0;
    struct key *k;
    VEC(struct key *) gone = {0};
    while ((k = map_next(&m->keys, &at)))
        if (!k->durable || (k->queue && !map_get_str(&m->queues, k->queue)))
            VEC_PUSH(&gone, k);
    for (size_t i = 0; i < gone.len; i++) {
        struct meta_entry e;
        meta_entry_init(&e, META_KEY_REMOVE);
        e.key = (uint8_t *)xstrndup((const char *)gone.items[i]->key, gone.items[i]->key_len);
        e.key_len = gone.items[i]->key_len;
        struct effects none = {0};
        meta_apply(m, &e, &none);
        effects_free(&none);
        meta_entry_finish(&e);
    }
    VEC_FREE(&gone);
    effects_add(out, FX_META_ALL); /* what is left of the table, for who derives from it */
    at = 0;
    while ((k = map_next(&m->keys, &at))) {
        struct effect *fx = effects_add(out, FX_META);
        fx->u.meta.key = (uint8_t *)xstrndup((const char *)k->key, k->key_len);
        fx->u.meta.key_len = k->key_len;
        fx->u.meta.value = (uint8_t *)xstrndup((const char *)k->value, k->value_len);
        fx->u.meta.value_len = k->value_len;
    }
}

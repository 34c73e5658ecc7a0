/* recover.c: what the log held becomes the state a node starts with. Durable queues and their persistent
 * messages are there again, as its own past; whether that past still counts is for the view change to say. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

static void recover_meta(struct mirror *m, const struct record *rec)
{
    struct effects none = {0};
    const struct meta_entry *e = rec->entry;
    struct queue *q;
    m->version = rec->version;
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
    case META_KEY_REMOVE: meta_apply(m, e, &none); break;
    }
    effects_free(&none);
}

static void recover_reset(struct mirror *m, const struct record *rec)
{
    m->version = rec->version;
    map_finish(&m->recovered_seen);
    meta_replace(m, NULL, 0, NULL);
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

int mirror_recover(struct mirror *m, const struct record *rec)
{
    struct queue *q = rec->queue_uid ? queue_by_uid(m, rec->queue_uid) : NULL;
    m->fresh = false;
    switch (rec->type) {
    case REC_VIEW:
        m->recovered_epoch = rec->epoch;
        m->version = rec->version;
        m->recovered_others = rec->members & ~node_bit(m->o.self);
        break;
    case REC_META_RESET: recover_reset(m, rec); break;
    case REC_META:
        if (!rec->entry)
            return -1;
        recover_meta(m, rec);
        break;
    case REC_MESSAGE:
        if (!q || !rec->msg)
            break; /* of a queue that was deleted since */
        if (!content_find(&q->content, rec->id))
            content_put(&q->content, rec->id, rec->msg, false, rec->redelivered)->logged = true;
        break;
    case REC_REMOVED:
    case REC_TAKEN:
        if (q)
            recover_ranges(q, rec);
        break;
    case REC_DISCARD:
        if (q) {
            content_finish(&q->content);
            content_init(&q->content, 0);
        }
        break;
    case REC_STOPPED: m->recovered_others = rec->others; break;
    }
    return 0;
}

/* the log is read: what does not outlive a stop goes */
void recover_end(struct mirror *m, struct effects *out)
{
    size_t at = 0;
    struct queue *q;
    while ((q = map_next(&m->queues, &at))) {
        if (!q->rec.durable || q->rec.owner.node != NODE_NONE || !map_get_u64(&m->recovered_seen, q->rec.uid)) {
            queue_drop(m, q, false, NULL);
            continue;
        }
        content_rewind(&q->content);
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

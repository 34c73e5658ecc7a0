/* disk.c: which records a node hands out, and what may go on once they are on disk. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

struct record *persist(struct mirror *m, struct effects *out, enum record_type type)
{
    struct record *rec = xcalloc(1, sizeof(*rec));
    rec->type = type;
    effects_add(out, FX_PERSIST)->u.record = rec;
    m->handed_out++;
    return rec;
}

void persist_message(struct mirror *m, struct queue *q, struct slot *s, msg_id id, const struct origin *from,
                     struct effects *out)
{
    if (!q->rec.durable || !s->msg->persistent || q->rec.owner.node != NODE_NONE)
        return;
    struct record *rec = persist(m, out, REC_MESSAGE);
    rec->queue_uid = q->rec.uid;
    rec->id = id;
    rec->redelivered = s->redelivered || s->state == SLOT_UNACKED;
    rec->expiry = s->expiry;
    rec->msg = message_ref(s->msg);
    rec->origin = from ? from->node : NODE_NONE;
    rec->incarnation = from ? from->incarnation : 0;
    rec->seq = from ? from->seq : 0;
    s->logged = true;
    q->unsaved = true;
}

/* What came as a copy, or went with an earlier master, has no record that tells its publishers' numbers: the
 * log hears where they stand, so that after a crash a repeat is taken for one, and what is not there is not.
 */
void persist_origin(struct mirror *m, const struct queue *q, const struct origin *o, uint64_t lost,
                    struct effects *out)
{
    if (!q->rec.durable || q->rec.owner.node != NODE_NONE)
        return;
    struct record *rec = persist(m, out, REC_ORIGIN);
    rec->queue_uid = q->rec.uid;
    rec->origin = o->node;
    rec->incarnation = o->incarnation;
    rec->seq = o->seq;
    rec->lost = lost;
}

static void note(struct id_range **items, size_t *len, size_t *cap, msg_id id)
{
    if (*len && (*items)[*len - 1].last + 1 == id) {
        (*items)[*len - 1].last = id;
        return;
    }
    VEC(struct id_range) v = {*items, *len, *cap};
    VEC_PUSH(&v, (struct id_range){id, id});
    *items = v.items;
    *len = v.len;
    *cap = v.cap;
}

void note_removed(struct queue *q, const struct slot *s, msg_id id)
{
    if (s->logged)
        note(&q->removed.items, &q->removed.len, &q->removed.cap, id);
}

void note_taken(struct queue *q, const struct slot *s, msg_id id)
{
    if (s->logged)
        note(&q->taken.items, &q->taken.len, &q->taken.cap, id);
}

static void persist_ranges(struct mirror *m, struct queue *q, enum record_type type, struct id_range **items,
                           size_t *len, size_t *cap, struct effects *out)
{
    if (*len == 0)
        return;
    struct record *rec = persist(m, out, type);
    rec->queue_uid = q->rec.uid;
    rec->ranges = *items;
    rec->ranges_len = *len;
    *items = NULL;
    *len = *cap = 0;
}

/* A mirror's master hands messages out before the mirror's log can know which: after a crash all may have
 * been. */
void lease_all(struct mirror *m, struct queue *q, struct effects *out)
{
    if (!q->rec.durable || q->rec.owner.node != NODE_NONE)
        return;
    struct record *rec = persist(m, out, REC_LEASE);
    rec->queue_uid = q->rec.uid;
    rec->ranges_len = 1;
    rec->ranges = xcalloc(1, sizeof(struct id_range));
    rec->ranges[0] = (struct id_range){0, UINT64_MAX - 1};
    q->leased = UINT64_MAX;
}

/* Before a logged message is handed out the first time, the log says that it may have been (I6): for many at
 * once, so that a consumer waits for the disk once in a while and not for every message. */
#define LEASE_IDS 1024

static void persist_lease(struct mirror *m, struct queue *q, struct effects *out)
{
    if (q->lease_wanted <= q->leased)
        return;
    struct record *rec = persist(m, out, REC_LEASE);
    rec->queue_uid = q->rec.uid;
    rec->ranges_len = 1;
    rec->ranges = xcalloc(1, sizeof(struct id_range));
    rec->ranges[0] = (struct id_range){q->leased, q->lease_wanted + LEASE_IDS - 1};
    q->leased = q->lease_wanted + LEASE_IDS;
}

/* the end of a turn for one queue: what it removed and delivered, and a mark to wait for */
void disk_turn(struct mirror *m, struct queue *q, struct effects *out)
{
    persist_lease(m, q, out);
    persist_ranges(m, q, REC_TAKEN, &q->taken.items, &q->taken.len, &q->taken.cap, out);
    persist_ranges(m, q, REC_REMOVED, &q->removed.items, &q->removed.len, &q->removed.cap, out);
    if (!q->unsaved)
        return;
    q->unsaved = false;
    if (m->handed_out <= m->on_disk) { /* the disk was faster than the turn */
        q->durable = q->op;
        return;
    }
    q->disk_waits++;
    RING_PUSH(&m->disk_waits,
              (struct disk_wait){.lsn = m->handed_out, .uid = q->rec.uid, .op = q->op, .life = q->disk_life});
}

uint64_t queue_durable(const struct queue *q)
{
    return q->disk_waits == 0 && !q->unsaved ? q->op : q->durable;
}

void persist_meta(struct mirror *m, const struct meta_entry *e, struct effects *out)
{
    struct record *rec = persist(m, out, REC_META);
    rec->version = m->version;
    rec->entry = xcalloc(1, sizeof(*rec->entry));
    meta_entry_copy(rec->entry, e);
    RING_PUSH(&m->disk_waits,
              (struct disk_wait){.lsn = m->handed_out, .op = m->version, .life = m->meta_life});
}

/* A new view: the whole table, then who is in it. REC_VIEW completes the table: without it (a kill in the
 * middle) recovery stays with the one before. Handed out before anything that the view makes void, so that a
 * node never finds its copy thrown away by a view it does not remember. */
void persist_view(struct mirror *m, const struct meta_entry *entries, size_t len, struct effects *out)
{
    struct record *rec = persist(m, out, REC_META_RESET);
    rec->version = m->version;
    for (size_t i = 0; i < len; i++) {
        rec = persist(m, out, REC_META);
        rec->version = m->version;
        rec->entry = xcalloc(1, sizeof(*rec->entry));
        meta_entry_copy(rec->entry, &entries[i]);
    }
    rec = persist(m, out, REC_VIEW);
    rec->epoch = m->epoch;
    rec->version = m->version;
    rec->members = m->members;
    rec->others = m->lost;
    rec->cluster = m->cluster;
    rec->forgotten = forgotten_list(m, &rec->forgotten_len);
    RING_PUSH(&m->disk_waits,
              (struct disk_wait){.lsn = m->handed_out, .op = m->version, .life = m->meta_life});
}

static void version_on_disk(struct mirror *m, uint64_t version, struct effects *out)
{
    m->own_version_on_disk = u64_max(m->own_version_on_disk, version);
    if (m->coordinator == m->o.self)
        results_flush(m, out);
    else
        m->version_to_ack = m->own_version_on_disk;
}

void disk_done(struct mirror *m, uint64_t persisted, struct effects *out)
{
    m->on_disk = u64_max(m->on_disk, persisted);
    while (m->disk_waits.len && RING_AT(&m->disk_waits, 0).lsn <= m->on_disk) {
        struct disk_wait w = RING_AT(&m->disk_waits, 0);
        RING_POP(&m->disk_waits);
        if (w.uid == 0) {
            if (w.life == m->meta_life)
                version_on_disk(m, w.op, out);
            continue;
        }
        struct queue *q = queue_by_uid(m, w.uid);
        if (!q || q->disk_life != w.life)
            continue; /* gone, or begun anew since */
        q->disk_waits--;
        q->durable = u64_max(q->durable, w.op);
        queue_touch(m, q);
        if (q->sync_done_waits || q->sync_merges)
            sync_mirror_disk(m, q, out);
    }
}

/* disk.c: the nodes' logs. Records are kept as the bytes that wire made of them; what was synced survives a
 * kill, of what was not a random beginning does (the rest never reached the platter). */
#include "sim/world.h"

#include "wire/record.h"

static void start_sync(struct sim *s, node_id n)
{
    struct sim_disk *d = &s->nodes[n].disk;
    d->syncing = d->records.len;
    uint64_t takes = random_between(&s->disk, s->options.disk_min_us, s->options.disk_max_us);
    heap_push(&s->heap, s->now_us + takes, HAPPEN_DISK, n, 0, s->nodes[n].lives);
}

/* Tells the ledger where on this disk a message is, or is not any more. */
static void note_record(struct sim *s, node_id n, const struct record *rec, uint32_t position)
{
    switch (rec->type) {
    case REC_MESSAGE: {
        uint32_t message;
        if (!ledger_which(&s->ledger, rec->msg, &message)) {
            sim_fail(s, "log", "%s writes a message that no client published", s->names[n]);
            return;
        }
        s->ledger.messages.items[message].disk_at[n] = position;
        s->ledger.messages.items[message].disk_ids[n] = rec->id;
        s->ledger.messages.items[message].gone_at[n] = 0;
        break;
    }
    case REC_REMOVED:
        for (size_t i = 0; i < s->ledger.queues.len; i++) {
            struct ledger_queue *q = &s->ledger.queues.items[i];
            if (q->uid != rec->queue_uid)
                continue;
            for (size_t k = 0; k < q->messages.len; k++) {
                struct ledger_message *m = &s->ledger.messages.items[q->messages.items[k]];
                for (size_t r = 0; r < rec->ranges_len && m->disk_at[n]; r++)
                    if (m->disk_ids[n] >= rec->ranges[r].first && m->disk_ids[n] <= rec->ranges[r].last)
                        m->gone_at[n] = position;
            }
        }
        break;
    case REC_DISCARD:
        for (size_t i = 0; i < s->ledger.queues.len; i++) {
            struct ledger_queue *q = &s->ledger.queues.items[i];
            for (size_t k = 0; q->uid == rec->queue_uid && k < q->messages.len; k++) {
                struct ledger_message *m = &s->ledger.messages.items[q->messages.items[k]];
                if (m->disk_at[n] && !m->gone_at[n])
                    m->gone_at[n] = position;
            }
        }
        break;
    case REC_VIEW:
    case REC_META_RESET:
    case REC_META:
    case REC_TAKEN:
    case REC_LEASE:
    case REC_REJECTED:
    case REC_STOPPED: break;
    }
}

void disk_append(struct sim *s, node_id n, const struct record *rec)
{
    struct sim_disk *d = &s->nodes[n].disk;
    text_clear(&s->bytes);
    wire_encode_record(rec, &s->bytes);
    struct disk_record kept = {.data = xmalloc(s->bytes.len), .len = (uint32_t)s->bytes.len};
    memcpy(kept.data, text_str(&s->bytes), s->bytes.len);
    VEC_PUSH(&d->records, kept);
    sim_mix(s, 0x100 + (uint64_t)rec->type);
    note_record(s, n, rec, (uint32_t)d->records.len);
    if (d->syncing == 0)
        start_sync(s, n);
}

void disk_sync_done(struct sim *s, node_id n)
{
    struct sim_disk *d = &s->nodes[n].disk;
    d->synced = d->syncing;
    d->syncing = 0;
    if (d->synced < d->records.len)
        start_sync(s, n);
    struct event ev = {.type = EV_DISK_DONE, .u.disk.persisted = d->synced - d->life_base};
    node_step(s, n, &ev);
}

bool disk_has(const struct sim *s, node_id n, const struct ledger_message *m)
{
    return m->disk_at[n] && m->disk_at[n] <= s->nodes[n].disk.synced && !m->gone_at[n];
}

/* After the node's end: who will be found on this disk again. */
static void note_survivors(struct sim *s, node_id n)
{
    size_t kept = s->nodes[n].disk.records.len;
    for (size_t i = 0; i < s->ledger.messages.len; i++) {
        struct ledger_message *m = &s->ledger.messages.items[i];
        if (m->disk_at[n] > kept)
            m->disk_at[n] = 0;
        if (m->gone_at[n] > kept)
            m->gone_at[n] = 0;
        if (m->disk_at[n] && !m->gone_at[n])
            m->disk |= node_bit(n);
        else
            m->disk &= ~node_bit(n);
    }
}

void disk_killed(struct sim *s, node_id n)
{
    struct sim_disk *d = &s->nodes[n].disk;
    size_t unsynced = d->records.len - d->synced;
    size_t keep = d->synced + (unsynced ? rng_below(&s->disk, unsynced + 1) : 0);
    if (s->options.sabotage == SABOTAGE_DISK_LIES && keep > 3)
        keep -= 3;
    while (d->records.len > keep)
        free(d->records.items[--d->records.len].data);
    d->synced = keep;
    d->syncing = 0;
    note_survivors(s, n);
    sim_tell(s, "      %s's disk keeps %zu records, %zu were not synced", s->names[n], keep, unsynced);
}

void disk_stopped(struct sim *s, node_id n)
{
    struct sim_disk *d = &s->nodes[n].disk;
    d->synced = d->records.len;
    d->syncing = 0;
    note_survivors(s, n);
}

bool disk_recover(struct sim *s, node_id n)
{
    struct sim_node *node = &s->nodes[n];
    struct sim_disk *d = &node->disk;
    d->life_base = d->records.len;
    for (size_t i = 0; i < d->records.len; i++) {
        struct bytes data = bytes_of(d->records.items[i].data, d->records.items[i].len);
        struct record rec = {0};
        int err = wire_decode_record(data, &rec);
        if (err) {
            sim_fail(s, "codec", "%s: record %zu of its log cannot be read (error %d)", s->names[n], i, err);
            return false;
        }
        text_clear(&s->bytes);
        wire_encode_record(&rec, &s->bytes);
        bool same = bytes_equal(data, bytes_of(text_str(&s->bytes), s->bytes.len));
        err = same ? mirror_recover(node->m, &rec) : 0;
        record_finish(&rec);
        if (!same || err) {
            sim_fail(s, same ? "recovery" : "codec", "%s: record %zu of its log %s (error %d)", s->names[n],
                     i, same ? "is refused" : "changes when it is read and written again", err);
            return false;
        }
    }
    return true;
}

void disk_finish(struct sim_disk *d)
{
    for (size_t i = 0; i < d->records.len; i++)
        free(d->records.items[i].data);
    VEC_FREE(&d->records);
}

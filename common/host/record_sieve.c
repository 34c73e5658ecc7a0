/* record_sieve.c: follows what mirror_recover will make of the records, and keeps those that still make a
 * difference:
 *
 *     the last complete metadata table, first; of metadata, what came after it
 *     messages that were neither removed nor discarded later, of queues that are in that table or came after
 * it of what was said about messages (taken, leased), what is about those
 *
 *     of each publisher of a queue the latest message, also if it was removed (and then its removal): it
 * tells how far that publisher's numbers had come, as does the latest word on where it stands; and of what
 * the queue refused those that may be offered again
 *
 * Any other removal is not needed once what it removes is left out: all of that stands before it. */
#include "host/record_sieve.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/vec.h"
#include "mirror/peer_msg.h"
#include "wire/record.h"

/* The latest message of one publisher, by its number. */
struct latest {
    node_id origin;
    uint64_t incarnation, seq;
    msg_id id;
    uint64_t index, removed; /* its record, and the one that removed it: index + 1; 0: none */
};

/* What one publisher was refused: below base nobody offers it again. */
struct refused {
    node_id origin;
    uint64_t incarnation, base;
    uint64_t from; /* the first record that says so */
};

/* Where one publisher stands. */
struct standing {
    node_id origin;
    uint64_t incarnation;
    uint64_t index; /* the latest record that says so */
};

struct sieve_queue {
    uint64_t uid;
    VEC(struct standing) standings;
    VEC(struct latest) latest;
    VEC(struct refused) refused;
    struct map live;      /* message id -> index + 1 of its record */
    bool defined;         /* in the last table, or since */
    bool in_new_table;    /* in the one that is being read */
    uint64_t lease_end;   /* of its leases the one that reaches furthest, */
    uint64_t lease_index; /* index + 1; 0: none */
};

static struct sieve_queue *queue_of(struct record_sieve *s, uint64_t uid)
{
    struct sieve_queue *q = map_get_u64(&s->queues, uid);
    if (!q) {
        q = xcalloc(1, sizeof(*q));
        q->uid = uid;
        map_set_u64(&s->queues, uid, q);
    }
    return q;
}

/* the ids of a range that are live: fn is called for each */
typedef void id_fn(struct sieve_queue *q, uint64_t id, void *arg);

static void each_live(struct sieve_queue *q, const struct record *rec, id_fn *fn, void *arg)
{
    for (size_t i = 0; i < rec->ranges_len; i++) {
        uint64_t first = rec->ranges[i].first, last = rec->ranges[i].last;
        if (last - first < q->live.count) {
            for (uint64_t id = first; id <= last && id >= first; id++)
                if (map_get_u64(&q->live, id))
                    fn(q, id, arg);
            continue;
        }
        /* a purge names more than there are: ask those that are there */
        for (size_t k = 0; k < q->live.entries_len; k++) {
            const struct map_entry *e = &q->live.entries[k];
            if (e->value && e->key.number >= first && e->key.number <= last)
                fn(q, e->key.number, arg);
        }
    }
}

static void remove_id(struct sieve_queue *q, uint64_t id, void *arg)
{
    uint64_t *index = arg;
    map_remove_u64(&q->live, id);
    for (size_t i = 0; i < q->latest.len; i++)
        if (q->latest.items[i].id == id && !q->latest.items[i].removed)
            q->latest.items[i].removed = *index + 1;
}

static void note_latest(struct sieve_queue *q, uint64_t index, const struct record *rec)
{
    struct latest now = {.origin = rec->origin,
                         .incarnation = rec->incarnation,
                         .seq = rec->seq,
                         .id = rec->id,
                         .index = index + 1};
    if (rec->origin == NODE_NONE)
        return;
    for (size_t i = 0; i < q->latest.len; i++) {
        struct latest *l = &q->latest.items[i];
        if (l->origin != now.origin || l->incarnation != now.incarnation)
            continue;
        if (now.seq > l->seq)
            *l = now;
        return;
    }
    VEC_PUSH(&q->latest, now);
}

static struct standing *standing_of(struct sieve_queue *q, const struct record *rec)
{
    for (size_t i = 0; i < q->standings.len; i++)
        if (q->standings.items[i].origin == rec->origin &&
            q->standings.items[i].incarnation == rec->incarnation)
            return &q->standings.items[i];
    return NULL;
}

static void note_standing(struct sieve_queue *q, uint64_t index, const struct record *rec)
{
    struct standing *s = standing_of(q, rec);
    if (s)
        s->index = index;
    else
        VEC_PUSH(&q->standings, (struct standing){rec->origin, rec->incarnation, index});
}

static bool still_stands(struct sieve_queue *q, uint64_t index, const struct record *rec)
{
    const struct standing *s = standing_of(q, rec);
    return s && s->index == index;
}

static struct refused *refused_of(struct sieve_queue *q, const struct record *rec)
{
    for (size_t i = 0; i < q->refused.len; i++)
        if (q->refused.items[i].origin == rec->origin && q->refused.items[i].incarnation == rec->incarnation)
            return &q->refused.items[i];
    return NULL;
}

static void note_refused(struct sieve_queue *q, uint64_t index, const struct record *rec)
{
    struct refused *r = refused_of(q, rec);
    if (r)
        r->base = rec->base;
    else
        VEC_PUSH(&q->refused, (struct refused){rec->origin, rec->incarnation, rec->base, index});
}

static bool still_refused(struct sieve_queue *q, uint64_t index, const struct record *rec)
{
    const struct refused *r = refused_of(q, rec);
    return r && index >= r->from && rec->seq >= r->base;
}

static void forget_messages(struct sieve_queue *q)
{
    map_finish(&q->live);
    map_init(&q->live);
    q->latest.len = q->refused.len = q->standings.len = 0;
    q->lease_end = q->lease_index = 0;
}

static void look_at_entry(struct record_sieve *s, const struct meta_entry *e)
{
    if (e->type != META_QUEUE && e->type != META_QUEUE_REMOVE)
        return;
    struct sieve_queue *q = queue_of(s, e->uid);
    if (e->type == META_QUEUE_REMOVE)
        forget_messages(q);
    if (s->table_begin)
        q->in_new_table = e->type == META_QUEUE;
    else
        q->defined = e->type == META_QUEUE;
}

static void table_complete(struct record_sieve *s, uint64_t index)
{
    size_t at = 0;
    struct sieve_queue *q;
    if (!s->table_begin)
        return; /* the same table in a new view */
    s->first = s->table_begin;
    s->last = index + 1;
    s->table_begin = 0;
    while ((q = map_next(&s->queues, &at)))
        q->defined = q->in_new_table;
}

static void table_begins(struct record_sieve *s, uint64_t index)
{
    size_t at = 0;
    struct sieve_queue *q;
    s->table_begin = index + 1;
    while ((q = map_next(&s->queues, &at)))
        q->in_new_table = false;
}

static void all_leases_end(struct record_sieve *s)
{
    size_t at = 0;
    struct sieve_queue *q;
    while ((q = map_next(&s->queues, &at)))
        q->lease_end = q->lease_index = 0;
}

static void look_at(struct record_sieve *s, uint64_t index, const struct record *rec)
{
    struct sieve_queue *q = rec->queue_uid ? queue_of(s, rec->queue_uid) : NULL;
    switch (rec->type) {
    case REC_VIEW: table_complete(s, index); return;
    case REC_META_RESET: table_begins(s, index); return;
    case REC_META:
        if (rec->entry)
            look_at_entry(s, rec->entry);
        return;
    case REC_MESSAGE:
        if (!q)
            return;
        note_latest(q, index, rec);
        if (!map_get_u64(&q->live, rec->id))
            map_set_u64(&q->live, rec->id, (void *)(uintptr_t)(index + 1));
        return;
    case REC_REMOVED:
        if (q)
            each_live(q, rec, remove_id, &index);
        return;
    case REC_TAKEN: return;
    case REC_REJECTED:
        if (q)
            note_refused(q, index, rec);
        return;
    case REC_ORIGIN:
        if (q)
            note_standing(q, index, rec);
        return;
    case REC_DISCARD:
        if (q)
            forget_messages(q);
        return;
    case REC_LEASE:
        if (q && rec->ranges_len && rec->ranges[0].last >= q->lease_end) {
            q->lease_end = rec->ranges[0].last;
            q->lease_index = index + 1;
        }
        return;
    case REC_STOPPED:
        all_leases_end(s);
        s->stopped = index + 1;
        return;
    case REC_PROMISED: s->promised = index + 1; return;
    }
}

static int sieve_look(void *self, uint64_t index, struct bytes bytes)
{
    struct record_sieve *s = self;
    if (atomic_load(s->cancel))
        return ERR_CLOSED;
    struct record rec = {0};
    int err = wire_decode_record(bytes, &rec);
    if (!err)
        look_at(s, index, &rec);
    record_finish(&rec);
    return err;
}

struct before {
    uint64_t index;
    bool any;
};

static void is_before(struct sieve_queue *q, uint64_t id, void *arg)
{
    struct before *b = arg;
    if ((uint64_t)(uintptr_t)map_get_u64(&q->live, id) <= b->index)
        b->any = true;
}

static bool is_latest(const struct sieve_queue *q, uint64_t index)
{
    for (size_t i = 0; i < q->latest.len; i++)
        if (q->latest.items[i].index == index + 1 || q->latest.items[i].removed == index + 1)
            return true;
    return false;
}

static bool needed(struct record_sieve *s, uint64_t index, const struct record *rec)
{
    struct sieve_queue *q = rec->queue_uid ? map_get_u64(&s->queues, rec->queue_uid) : NULL;
    bool has_queue = q && (q->defined || !s->last || s->table_begin);
    switch (rec->type) {
    case REC_VIEW:
    case REC_META_RESET:
    case REC_META: return index + 1 > s->last;
    case REC_MESSAGE:
        return has_queue &&
               ((uint64_t)(uintptr_t)map_get_u64(&q->live, rec->id) == index + 1 || is_latest(q, index));
    case REC_REMOVED: return has_queue && is_latest(q, index);
    case REC_TAKEN: {
        struct before b = {.index = index};
        if (has_queue)
            each_live(q, rec, is_before, &b);
        return b.any;
    }
    case REC_LEASE: return has_queue && q->lease_index == index + 1;
    case REC_STOPPED: return index + 1 == s->stopped && index + 1 > s->last;
    case REC_PROMISED: return index + 1 == s->promised;
    case REC_REJECTED: return has_queue && still_refused(q, index, rec);
    case REC_ORIGIN: return has_queue && still_stands(q, index, rec);
    case REC_DISCARD: return false;
    }
    return true;
}

static int sieve_keep(void *self, bool first_part, uint64_t index, struct bytes bytes)
{
    struct record_sieve *s = self;
    if (atomic_load(s->cancel))
        return ERR_CLOSED;
    if (first_part) {
        bool of_table = index + 1 >= s->first && index + 1 <= s->last;
        if (!of_table)
            return 0;
    }
    struct record rec = {0};
    int err = wire_decode_record(bytes, &rec);
    if (err)
        return err;
    int keep;
    if (first_part)
        keep = rec.type == REC_META_RESET || rec.type == REC_META || rec.type == REC_VIEW;
    else
        keep = needed(s, index, &rec);
    record_finish(&rec);
    return keep;
}

void record_sieve_init(struct record_sieve *s, atomic_bool *cancel)
{
    *s = (struct record_sieve){.cancel = cancel};
    s->ops = (struct log_sieve){.self = s, .look = sieve_look, .keep = sieve_keep};
    map_init(&s->queues);
}

void record_sieve_finish(struct record_sieve *s)
{
    size_t at = 0;
    struct sieve_queue *q;
    while ((q = map_next(&s->queues, &at))) {
        map_finish(&q->live);
        VEC_FREE(&q->latest);
        VEC_FREE(&q->refused);
        VEC_FREE(&q->standings);
        free(q);
    }
    map_finish(&s->queues);
}

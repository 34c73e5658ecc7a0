/* disk.c: the nodes' logs: the real one (store/log.c) over a disk that forgets. What was synced survives. Of
 * a write that was under way when the node went, each sector of 512 bytes reached the platter or did not, in
 * any order; what the node had not begun to write is gone. A write or a sync that fails is final, as in a
 * real node: it stops, and nothing more comes out of it. */
#include "sim/world.h"

#include <errno.h>

#include "store/log.h"
#include "wire/record.h"

#define SECTOR 512

/* ---- the five functions ---- */

static struct disk_segment *find(struct sim_disk *d, uint64_t number)
{
    for (size_t i = d->segments.len; i-- > 0;)
        if (d->segments.items[i].number == number)
            return &d->segments.items[i];
    return NULL;
}

static int list(void *self, uint64_t **numbers, size_t *len)
{
    struct sim_disk *d = self;
    *numbers = xcalloc(d->segments.len + 1, sizeof(**numbers));
    *len = d->segments.len;
    for (size_t i = 0; i < d->segments.len; i++)
        (*numbers)[i] = d->segments.items[i].number;
    return 0;
}

static int read_segment(void *self, uint64_t number, uint64_t from, size_t most, uint8_t **data, size_t *len)
{
    const struct disk_segment *g = find(self, number);
    if (!g)
        return -ENOENT;
    *len = g->data.len > from ? (size_t)u64_min(g->data.len - from, most) : 0;
    *data = xmalloc(*len + 1);
    if (*len)
        memcpy(*data, g->data.s + from, *len);
    return 0;
}

/* The log's numbers rise: a new segment is the last one. */
static int append(void *self, uint64_t number, const void *data, size_t len)
{
    struct sim_disk *d = self;
    if (!find(d, number))
        VEC_PUSH(&d->segments, (struct disk_segment){.number = number});
    struct disk_segment *g = find(d, number);
    size_t takes = len;
    int err = 0;
    if (d->full || d->fails == DISK_FAILS_WRITE) {
        takes = rng_below(d->random, len); /* some of it was written before the disk said no */
        err = d->full ? -ENOSPC : -EIO;
    }
    text_add_bytes(&g->data, data, takes);
    return err;
}

static int sync_segment(void *self, uint64_t number)
{
    struct sim_disk *d = self;
    struct disk_segment *g = find(d, number);
    if (!g)
        return -ENOENT;
    if (d->fails == DISK_FAILS_SYNC)
        return -EIO;
    g->synced = g->data.len;
    return 0;
}

static int drop(void *self, uint64_t number, uint64_t keep_bytes)
{
    struct sim_disk *d = self;
    struct disk_segment *g = find(d, number);
    if (!g || d->looking)
        return g ? 0 : -ENOENT;
    g->data.len = (size_t)u64_min(g->data.len, keep_bytes);
    g->synced = g->data.len;
    if (keep_bytes)
        return 0;
    text_finish(&g->data);
    VEC_REMOVE(&d->segments, (size_t)(g - d->segments.items));
    return 0;
}

static struct disk five_functions(struct sim_disk *d)
{
    return (struct disk){.self = d,
                         .where = "log",
                         .list = list,
                         .read = read_segment,
                         .append = append,
                         .sync = sync_segment,
                         .drop = drop};
}

/* ---- writing ---- */

/* The next group commit: written now, synced when the disk has had its time. */
static void start_sync(struct sim *s, node_id n)
{
    struct sim_disk *d = &s->nodes[n].disk;
    struct bytes data;
    size_t records = log_take(d->log, &d->writing, &data);
    d->syncing = d->synced + records;
    d->error = append(d, d->writing, data.data, data.len);
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
        struct ledger_message *m = &s->ledger.messages.items[message];
        if (!rec->msg->persistent)
            sim_fail(s, "log", "%s writes m%u, which is transient", s->names[n], message);
        if (!m->written_ms)
            m->written_ms = s->now_us / 1000;
        m->disk_at[n] = position;
        m->disk_ids[n] = rec->id;
        m->gone_at[n] = 0;
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
    case REC_STOPPED:
    case REC_PROMISED:
    case REC_ORIGIN: break;
    }
}

void disk_append(struct sim *s, node_id n, const struct record *rec)
{
    struct sim_disk *d = &s->nodes[n].disk;
    wire_encode_record(rec, log_begin(d->log));
    log_end(d->log);
    d->records++;
    sim_mix(s, 0x100 + (uint64_t)rec->type);
    note_record(s, n, rec, (uint32_t)d->records);
    if (d->syncing == 0)
        start_sync(s, n);
}

bool disk_sync_done(struct sim *s, node_id n)
{
    struct sim_disk *d = &s->nodes[n].disk;
    int err = d->error ? d->error : sync_segment(d, d->writing);
    if (err && s->options.sabotage == SABOTAGE_SYNC_ERROR_IGNORED) {
        err = 0;
        d->fails = DISK_FAILS_NOT;
        d->lied = true;
    }
    if (err) {
        enum sim_count what = err == -ENOSPC ? SIM_DISK_FULL : d->error ? SIM_WRITE_ERRORS : SIM_SYNC_ERRORS;
        s->counts[what]++;
        sim_tell(s, "      %s: %s failed: %s", s->names[n], d->error ? "writing" : "fdatasync",
                 err == -ENOSPC ? "the disk is full" : "an I/O error");
        return false;
    }
    d->synced = d->syncing;
    d->syncing = 0;
    log_written(d->log);
    check_on_disk(s, n);
    if (rng_chance(&s->disk, 1))
        log_roll(d->log);
    if (d->synced < d->records)
        start_sync(s, n);
    struct event ev = {.type = EV_DISK_DONE, .u.disk.persisted = d->synced - d->life_base};
    node_step(s, n, &ev);
    return true;
}

bool disk_has(const struct sim *s, node_id n, const struct ledger_message *m)
{
    return m->disk_at[n] && m->disk_at[n] <= s->nodes[n].disk.synced && !m->gone_at[n];
}

/* ---- the end of a life ---- */

/* After the node's end: who will be found on this disk again. */
static void note_survivors(struct sim *s, node_id n)
{
    size_t kept = s->nodes[n].disk.records;
    for (size_t i = 0; i < s->ledger.messages.len; i++) {
        struct ledger_message *m = &s->ledger.messages.items[i];
        if (m->disk_at[n] > kept)
            m->disk_at[n] = 0;
        if (m->gone_at[n] > kept)
            m->gone_at[n] = 0;
        bool was = node_in(m->disk, n);
        if (m->disk_at[n] && !m->gone_at[n])
            m->disk |= node_bit(n);
        else
            m->disk &= ~node_bit(n);
        if (was && !m->disk && !m->memory) /* a life that never served has thrown it away */
            VEC_PUSH(&s->check.vanished, (uint32_t)i);
    }
}

/* Of what was written and not synced: a beginning, or, where this world tears sectors, any of them. */
static void tear(struct sim *s, struct sim_disk *d, struct disk_segment *g)
{
    size_t from = g->synced, len = g->data.len - from;
    if (len == 0)
        return;
    if (!s->options.torn_sectors || rng_chance(&s->disk, 30)) {
        g->data.len = from + rng_below(d->random, len + 1);
    } else {
        unsigned survive = (unsigned)random_between(&s->disk, 10, 90);
        bool later = false;
        for (size_t end = g->data.len; end > from;) {
            size_t start = (end - 1) / SECTOR * SECTOR;
            start = start > from ? start : from;
            bool here = rng_chance(&s->disk, survive);
            if (!here)
                memset(g->data.s + start, 0, end - start);
            if (!here && later)
                s->counts[SIM_REORDERED_WRITES]++;
            later = later || here;
            end = start;
        }
        if (rng_chance(&s->disk, 50)) /* the file's length may not have been written either */
            g->data.len = from + rng_below(&s->disk, len + 1);
    }
    g->synced = g->data.len;
}

static int count_record(void *arg, struct bytes record)
{
    (void)record;
    ++*(size_t *)arg;
    return 0;
}

/* How many records a start will find; touches nothing. */
static size_t readable(struct sim *s, node_id n)
{
    struct sim_disk *d = &s->nodes[n].disk;
    struct disk five = five_functions(d);
    char *note = NULL;
    size_t count = 0;
    d->looking = true;
    struct log *l = log_open(&five, count_record, &count, &note);
    d->looking = false;
    if (!l)
        sim_fail(s, "log", "%s cannot be read any more: %s", s->names[n], note);
    else if (note)
        s->counts[SIM_TORN_TAILS]++;
    if (note)
        sim_tell(s, "      %s: %s", s->names[n], note);
    free(note);
    log_close(l);
    return count;
}

static void close_log(struct sim_disk *d)
{
    log_close(d->log);
    d->log = NULL;
    d->syncing = 0;
    d->error = 0;
    d->fails = DISK_FAILS_NOT;
}

void disk_killed(struct sim *s, node_id n)
{
    struct sim_disk *d = &s->nodes[n].disk;
    size_t had = d->records, safe = d->synced;
    close_log(d);
    for (size_t i = 0; i < d->segments.len; i++)
        tear(s, d, &d->segments.items[i]);
    if (s->options.sabotage == SABOTAGE_DISK_LIES && d->segments.len) {
        struct text *last = &d->segments.items[d->segments.len - 1].data;
        last->len -= last->len > 200 ? 200 : 0;
    }
    if (s->options.sabotage == SABOTAGE_DISK_ROTS && d->segments.len && safe > 4)
        d->segments.items[0].data.s[100] ^= 1;
    d->records = d->synced = readable(s, n);
    if (d->records < safe && s->options.sabotage != SABOTAGE_DISK_LIES && !d->lied)
        sim_fail(s, "log", "%s finds %zu records in its log, %zu were synced", s->names[n], d->records, safe);
    note_survivors(s, n);
    sim_tell(s, "      %s's disk keeps %zu records of %zu, %zu were synced", s->names[n], d->records, had,
             safe);
}

void disk_stopped(struct sim *s, node_id n)
{
    struct sim_disk *d = &s->nodes[n].disk;
    struct bytes data;
    d->fails = DISK_FAILS_NOT; /* faults strike a node that runs */
    bool full = d->full;
    d->full = false;
    if (d->syncing)
        sync_segment(d, d->writing);
    if (d->syncing)
        log_written(d->log);
    while (log_take(d->log, &d->writing, &data)) {
        append(d, d->writing, data.data, data.len);
        sync_segment(d, d->writing);
        log_written(d->log);
    }
    d->full = full;
    d->synced = d->records;
    close_log(d);
    note_survivors(s, n);
}

/* ---- the beginning of one ---- */

struct recovery {
    struct sim *s;
    node_id n;
    size_t records;
    uint64_t epoch; /* of the last view */
};

static int recover_record(void *arg, struct bytes data)
{
    struct recovery *r = arg;
    struct sim *s = r->s;
    struct record rec = {0};
    int err = wire_decode_record(data, &rec);
    if (err) {
        sim_fail(s, "codec", "%s: record %zu of its log cannot be read (error %d)", s->names[r->n],
                 r->records, err);
        return err;
    }
    text_clear(&s->bytes);
    wire_encode_record(&rec, &s->bytes);
    bool same = bytes_equal(data, bytes_of(text_str(&s->bytes), s->bytes.len));
    err = same ? mirror_recover(s->nodes[r->n].m, &rec) : -EILSEQ;
    r->epoch = rec.type == REC_VIEW ? rec.epoch : r->epoch;
    record_finish(&rec);
    if (err)
        sim_fail(s, same ? "recovery" : "codec", "%s: record %zu of its log %s (error %d)", s->names[r->n],
                 r->records, same ? "is refused" : "changes when it is read and written again", err);
    r->records++;
    return err;
}

bool disk_recover(struct sim *s, node_id n)
{
    struct sim_disk *d = &s->nodes[n].disk;
    struct recovery r = {.s = s, .n = n};
    char *note = NULL;
    d->random = &s->disk;
    d->five = five_functions(d);
    d->log = log_open(&d->five, recover_record, &r, &note);
    if (note)
        sim_tell(s, "      %s: %s", s->names[n], note);
    if (!d->log && !s->failure)
        sim_fail(s, "log", "%s cannot start: %s", s->names[n], note);
    if (d->log && r.records != d->records)
        sim_fail(s, "log", "%s finds %zu records in its log; when it went there were %zu", s->names[n],
                 r.records, d->records);
    free(note);
    d->life_base = d->synced = d->records = r.records;
    view_recovered(s, n, r.epoch);
    return d->log && !s->failure;
}

void disk_reset(struct sim *s, node_id n)
{
    struct sim_disk *d = &s->nodes[n].disk;
    while (d->segments.len)
        text_finish(&d->segments.items[--d->segments.len].data);
    d->records = d->synced = d->life_base = 0;
    note_survivors(s, n);
}

void disk_finish(struct sim_disk *d)
{
    log_close(d->log);
    for (size_t i = 0; i < d->segments.len; i++)
        text_finish(&d->segments.items[i].data);
    VEC_FREE(&d->segments);
}

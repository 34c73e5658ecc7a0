/* ledger.c: keeps what nodes noted and what they hold now; what follows from that for every message says
 * ledger_fate.c. See ledger.h. */
#include "ledger.h"

#include <stdlib.h>

#define MAX_FACTS    20000
#define MAX_PENDING  4096
#define WAIT_US      (10 * 1000000) /* for what connects a publisher's number with a place in the queue */
#define LOOK_BACK    32
#define MAX_ABSENCES 256

void ledger_finish(struct ledger *l)
{
    for (size_t i = 0; i < l->names.len; i++)
        free(l->names.items[i].name);
    for (size_t i = 0; i < LIMIT_NODES; i++)
        free(l->copies[i].held);
    VEC_FREE(&l->numbers);
    VEC_FREE(&l->facts);
    VEC_FREE(&l->pending);
    VEC_FREE(&l->absences);
    for (size_t i = 0; i < l->receipts.len; i++)
        free(l->receipts.items[i].queue);
    VEC_FREE(&l->receipts);
    for (size_t i = 0; i < l->taken.len; i++)
        free(l->taken.items[i].queue);
    VEC_FREE(&l->taken);
    VEC_FREE(&l->names);
    VEC_FREE(&l->losses);
    VEC_FREE(&l->keepings);
    VEC_FREE(&l->fates);
    VEC_FREE(&l->missing);
    free(l->queue);
    free(l->wanted);
    *l = (struct ledger){0};
}

/* ---- what was noted
 * ---------------------------------------------------------------------------------------- */

static bool same_run(const struct fact *a, const struct fact *b)
{
    return a->kind == b->kind && a->reign == b->reign && !b->more && a->node == b->node &&
           a->about == b->about && a->origin == b->origin && a->redelivered == b->redelivered &&
           a->received == b->received && a->before == b->before && a->queue_uid == b->queue_uid &&
           a->last + 1 == b->first && a->incarnation == b->incarnation && !a->count && !b->count &&
           (!b->number || a->number + (a->last - a->first) + 1 == b->number);
}

/* Too many: what is long ago gets coarser times; if that is not enough, the oldest go. */
static void make_room(struct ledger *l)
{
    size_t old = l->facts.len / 2, kept = 0;
    for (size_t i = 0; i < l->facts.len; i++) {
        const struct fact f = l->facts.items[i];
        bool joined = false;
        for (size_t back = 1; i < old && !joined && back <= LOOK_BACK && back <= kept; back++) {
            struct fact *before = &l->facts.items[kept - back];
            joined = same_run(before, &f);
            if (joined) {
                before->last = f.last;
                before->until_us = f.until_us;
                before->in_memory |= f.in_memory;
                before->logged |= f.logged;
            }
        }
        if (!joined)
            l->facts.items[kept++] = f;
    }
    l->facts.len = kept;
    if (kept > MAX_FACTS * 3 / 4) {
        size_t gone = kept / 4;
        memmove(l->facts.items, l->facts.items + gone, (kept - gone) * sizeof(*l->facts.items));
        l->facts.len -= gone;
        l->forgotten = true;
    }
}

/* in its place by time; nearly always at the end */
static void add_fact(struct ledger *l, const struct fact *f)
{
    if (l->facts.len >= MAX_FACTS)
        make_room(l);
    VEC_PUSH(&l->facts, *f);
    for (size_t i = l->facts.len - 1; i > 0 && l->facts.items[i - 1].from_us > f->from_us; i--) {
        l->facts.items[i] = l->facts.items[i - 1];
        l->facts.items[i - 1] = *f;
    }
}

static bool by_number(enum trace_seen_kind kind)
{
    return kind == TRACE_SEEN_ACCEPTED || kind == TRACE_SEEN_CONFIRMED || kind == TRACE_SEEN_REFUSED;
}

static int64_t time_within(const struct fact *f, uint64_t at)
{
    uint64_t len = f->last - f->first;
    if (at <= f->first || !len)
        return f->from_us;
    return f->from_us + (int64_t)((double)(f->until_us - f->from_us) * (double)(at - f->first) / (double)len);
}

/* A part of a publisher's numbers whose places are known through `known`; what is left over is put back. */
static void resolve_part(struct ledger *l, const struct fact *p, const struct fact *known)
{
    uint64_t known_last = known->number + (known->last - known->first);
    uint64_t first = u64_max(p->first, known->number), last = u64_min(p->last, known_last);
    struct fact found = *p;
    found.first = known->first + (first - known->number);
    found.last = known->first + (last - known->number);
    found.from_us = time_within(p, first);
    found.until_us = time_within(p, last);
    add_fact(l, &found);
    struct fact before = *p, after = *p;
    before.last = first - 1;
    before.until_us = found.from_us;
    after.first = last + 1;
    after.from_us = found.until_us;
    if (p->first < first)
        VEC_PUSH(&l->pending, before);
    if (p->last > last)
        VEC_PUSH(&l->pending, after);
}

static bool connects(const struct fact *known, const struct fact *p)
{
    return (known->kind == TRACE_SEEN_ENQUEUED || known->kind == TRACE_SEEN_COPIED) &&
           known->queue_uid == p->queue_uid && known->origin == p->node &&
           known->incarnation == p->incarnation && known->number <= p->last &&
           known->number + (known->last - known->first) >= p->first;
}

/* publisher's numbers -> places in the queue, as far as they are known now */
static void resolve(struct ledger *l, int64_t now_us)
{
    VEC(struct fact) waiting = {0};
    while (l->pending.len) {
        struct fact p = l->pending.items[--l->pending.len];
        bool found = false;
        for (size_t i = l->facts.len; i > 0 && !found; i--) {
            struct fact known = l->facts.items[i - 1];
            found = connects(&known, &p);
            if (found)
                resolve_part(l, &p, &known);
            else if (known.until_us + WAIT_US < p.from_us)
                break;
        }
        if (!found && p.until_us + WAIT_US > now_us && waiting.len < MAX_PENDING)
            VEC_PUSH(&waiting, p);
    }
    VEC_FREE(&l->pending);
    l->pending.items = waiting.items;
    l->pending.len = waiting.len;
    l->pending.cap = waiting.cap;
}

void ledger_know_name(struct ledger *l, const char *name, uint64_t uid)
{
    for (size_t i = 0; i < l->names.len; i++)
        if (strcmp(l->names.items[i].name, name) == 0) {
            if (uid > l->names.items[i].uid)
                l->names.items[i].more = l->names.items[i].more_before = 0;
            l->names.items[i].uid = u64_max(l->names.items[i].uid, uid);
            return;
        }
    VEC_PUSH(&l->names, (struct ledger_name){.name = xstrdup(name), .uid = uid});
}

/* what it is about: its places are numbers from here on */
static void add_numbered(struct ledger *l, struct fact f)
{
    bool content = f.kind == TRACE_SEEN_PROMOTED || f.kind == TRACE_SEEN_BACK || f.kind == TRACE_SEEN_FILLED;
    bool queue = f.kind == TRACE_SEEN_BEGINS || (content && !f.count && !f.more); /* it is about no message */
    uint64_t len = f.last - f.first;
    for (uint64_t first = f.first, last; !queue && first <= f.last; first = last + 1) {
        struct fact part = f;
        part.first = first;
        part.number += first - f.first;
        part.from_us = time_within(&f, first);
        uint64_t number = ledger_number_of(l, &part, &last);
        part.until_us = last - f.first == len ? f.until_us : time_within(&f, last);
        part.first = number;
        part.last = number + (last - first);
        part.more = f.more || first > f.first;
        part.count = first > f.first ? 0 : f.count;
        add_fact(l, &part);
    }
    if (queue)
        add_fact(l, &f);
}

static void take_trace(struct ledger *l, const struct snapshot *s)
{
    for (size_t i = 0; i < s->trace_len; i++) {
        const struct trace_seen *t = &s->trace[i];
        struct fact f = {
            .kind = t->kind,
            .node = (int16_t)t->node,
            .about = (int16_t)t->about,
            .origin = (int16_t)t->origin,
            .redelivered = t->redelivered,
            .unsynced = t->unsynced,
            .more = t->more,
            .in_memory = t->in_memory,
            .logged = t->logged,
            .from_us = t->from_us,
            .until_us = t->until_us,
            .queue_uid = t->queue_uid,
            .reign = t->reign,
            .first = t->first,
            .last = t->last,
            .count = t->count,
            .incarnation = t->incarnation,
            .number = t->number,
        };
        ledger_know_name(l, t->queue, t->queue_uid);
        if (!by_number(t->kind))
            add_numbered(l, f);
        else if (l->pending.len < MAX_PENDING)
            VEC_PUSH(&l->pending, f);
    }
    resolve(l, s->taken_wall_ms * 1000);
}

/* ---- what the nodes hold
 * ----------------------------------------------------------------------------------- */

static void look_at(struct ledger *l, const char *queue, uint64_t uid)
{
    for (size_t i = 0; i < LIMIT_NODES; i++)
        free(l->copies[i].held);
    memset(l->copies, 0, sizeof(l->copies));
    l->fates.len = l->missing.len = 0;
    l->uid = uid;
    char *name = queue ? xstrdup(queue) : NULL;
    free(l->queue);
    l->queue = name;
}

/* asked: the snapshot looked at this queue */
static uint64_t uid_of(const struct ledger *l, const struct snapshot *s, const char *queue, bool asked)
{
    uint64_t uid = 0;
    for (size_t i = 0; asked && i < s->copies_len; i++)
        uid = u64_max(uid, s->copies[i].queue_uid);
    for (size_t i = 0; !uid && i < l->names.len; i++)
        if (strcmp(l->names.items[i].name, queue) == 0)
            uid = l->names.items[i].uid;
    return uid;
}

/* What a node holds, by number; true: it is not what it said before. */
static bool take_copy(struct ledger *l, const struct copy_seen *c)
{
    struct last_copy *mine = &l->copies[c->node];
    VEC(struct held_range) held = {0};
    for (size_t i = 0; i < c->held_len; i++)
        for (uint64_t first = c->held[i].first, last; first <= c->held[i].last; first = last + 1) {
            last = c->held[i].last;
            uint64_t number = ledger_number(l, c->queue_uid, c->held[i].reign, first, &last);
            VEC_PUSH(&held, (struct held_range){.first = number, .last = number + (last - first)});
        }
    bool same = mine->known && mine->master == c->master && mine->mirror == c->mirror &&
                mine->all == c->all && mine->held_len == held.len &&
                (!held.len || memcmp(mine->held, held.items, held.len * sizeof(*held.items)) == 0);
    free(mine->held);
    *mine = (struct last_copy){.known = true,
                               .answers = true,
                               .master = c->master,
                               .mirror = c->mirror,
                               .all = c->all,
                               .held = held.items,
                               .held_len = held.len};
    return !same;
}

static bool take_copies(struct ledger *l, const struct snapshot *s)
{
    bool changed = false;
    const char *queue = l->wanted && s->looked_at ? l->wanted : s->looked_at; /* no queue: of none is told */
    bool asked = !queue || strcmp(queue, s->looked_at) == 0;
    uint64_t uid = queue ? uid_of(l, s, queue, asked) : 0;
    if (!queue || !l->queue || strcmp(queue, l->queue) != 0 || (uid && uid != l->uid) ||
        (!asked && !l->unasked)) {
        look_at(l, queue, uid);
        changed = true;
    }
    changed = changed || l->unasked == asked;
    l->unasked = !asked;
    if (!asked)
        return changed;
    for (size_t i = 0; i < s->nodes_len && i < LIMIT_NODES; i++) {
        bool answers = false;
        for (size_t j = 0; j < s->copies_len; j++)
            answers = answers || s->copies[j].node == (int)i;
        changed = changed || answers != l->copies[i].answers;
        l->copies[i].answers = answers;
    }
    for (size_t i = 0; i < s->copies_len; i++)
        changed = take_copy(l, &s->copies[i]) || changed;
    return changed;
}

/* who answers no more, and who does again */
static void take_absences(struct ledger *l, const struct snapshot *s)
{
    l->began_us = l->began_us ? l->began_us : s->taken_wall_ms * 1000;
    for (size_t i = 0; i < s->nodes_len && i < LIMIT_NODES; i++) {
        node_bits bit = (node_bits)1 << i;
        bool answers = s->nodes[i].answers;
        if (answers ? !(l->absent & bit) : !(l->answered & ~l->absent & bit)) {
            l->answered |= answers ? bit : 0;
            continue;
        }
        if (l->absences.len == MAX_ABSENCES)
            memmove(l->absences.items, l->absences.items + 1, --l->absences.len * sizeof(*l->absences.items));
        VEC_PUSH(&l->absences, (struct absence){.node = (int)i,
                                                .ends = answers,
                                                .said = s->nodes[i].state == NODE_NOT_RUNNING,
                                                .at_us = s->taken_wall_ms * 1000});
        l->absent ^= bit;
    }
}

void ledger_want(struct ledger *l, const char *queue)
{
    char *wanted = queue ? xstrdup(queue) : NULL;
    free(l->wanted);
    l->wanted = wanted;
}

static bool somebody_goes(const struct ledger *l, const struct snapshot *s)
{
    for (size_t i = 0; i < s->nodes_len && i < LIMIT_NODES; i++)
        if (l->copies[i].answers && !s->nodes[i].answers)
            return true;
    return false;
}

/* Of a past: what could be found lost while all answered is found before somebody goes. */
static void find_before_going(struct ledger *l, const struct snapshot *s)
{
    if (!l->passing || !l->late || !l->queue || !somebody_goes(l, s))
        return;
    for (uint64_t looks = 0; looks < 2 && looks <= l->calm; looks++)
        ledger_find_fates(l, s);
    ledger_keep_losses(l, s);
}

void ledger_observe(struct ledger *l, const struct snapshot *s)
{
    find_before_going(l, s);
    take_absences(l, s);
    bool changed = s->trace_len > 0 || l->missing_changed;
    l->gaps |= s->trace_gaps;
    take_trace(l, s);
    changed = ledger_take_receipts(l) || changed;
    changed = take_copies(l, s) || changed;
    changed = (!l->unasked && ledger_note_keeping(l, s)) || changed;
    l->calm = changed ? 0 : l->calm + 1;
    if (l->passing && (changed || l->late)) {
        l->late = 2;
    } else if ((changed || l->late) && l->queue) {
        ledger_find_fates(l, s);
        ledger_keep_losses(l, s);
        l->late -= l->late > 0;
    }
}

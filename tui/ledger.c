/* ledger.c: keeps what nodes noted, and says what became of every message; see ledger.h. */
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
            l->names.items[i].uid = u64_max(l->names.items[i].uid, uid);
            return;
        }
    VEC_PUSH(&l->names, (struct ledger_name){xstrdup(name), uid});
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

/* ---- what became of every message: one walk over the places where something changes
 * ------------------------ */

/* Each message has a count for each of these. */
#define REMOVALS 4
static const enum trace_seen_kind removals[REMOVALS] = {TRACE_SEEN_DISCARDED, TRACE_SEEN_EXPIRED,
                                                        TRACE_SEEN_DROPPED, TRACE_SEEN_PURGED};
enum {
    AT_HAD,      /* a master or mirror had it */
    AT_ENQUEUED, /* its master said so: it is heard what that one did with it */
    AT_CONFIRMED,
    AT_REFUSED,
    AT_DELIVERED,
    AT_OUT, /* delivered since the queue has this master: what an earlier one delivered it has back */
    AT_REDELIVERED,
    AT_RECEIVED,
    AT_RECEIVED_BEFORE, /* by an earlier screen's program */
    AT_REQUEUED,
    AT_GIVEN_BACK, /* requeued by whichever master */
    AT_ACKED,
    AT_AUTO_ACKED,
    AT_LOST_BEFORE, /* an earlier screen saw so */
    AT_REMOVED,     /* + the place in removals */
    AT_DEAD_LETTERED = AT_REMOVED + REMOVALS,
    AT_NODE_HAD,                                /* + node: it had it at some time */
    AT_NODE_HOLDS = AT_NODE_HAD + LIMIT_NODES,  /* + node: it says so now */
    AT_NODE_HELD = AT_NODE_HOLDS + LIMIT_NODES, /* + node: it is away and said so last */
    AT_LEN = AT_NODE_HELD + LIMIT_NODES
};

struct edge {
    uint64_t place;
    int8_t by;
    uint8_t at;
};

struct edges {
    struct edge *items;
    size_t len, cap;
};

static void add_range(struct edges *e, uint64_t first, uint64_t last, int at)
{
    VEC_PUSH(e, (struct edge){first, 1, (uint8_t)at});
    if (last != UINT64_MAX)
        VEC_PUSH(e, (struct edge){last + 1, -1, (uint8_t)at});
}

/* now: of the present master */
static void add_fact_edges(struct edges *e, const struct fact *f, bool now)
{
    int at = -1;
    switch (f->kind) {
    case TRACE_SEEN_ENQUEUED:
    case TRACE_SEEN_COPIED:
        add_range(e, f->first, f->last, AT_NODE_HAD + f->node);
        if (f->kind == TRACE_SEEN_ENQUEUED)
            add_range(e, f->first, f->last, AT_ENQUEUED);
        at = AT_HAD;
        break;
    case TRACE_SEEN_CONFIRMED: at = AT_CONFIRMED; break;
    case TRACE_SEEN_REFUSED: at = AT_REFUSED; break;
    case TRACE_SEEN_DELIVERED:
        if (f->redelivered)
            add_range(e, f->first, f->last, AT_REDELIVERED);
        if (now)
            add_range(e, f->first, f->last, AT_OUT);
        if (f->received)
            add_range(e, f->first, f->last, AT_RECEIVED);
        if (f->received && f->before)
            add_range(e, f->first, f->last, AT_RECEIVED_BEFORE);
        at = AT_DELIVERED;
        break;
    case TRACE_SEEN_REQUEUED:
        if (now)
            add_range(e, f->first, f->last, AT_REQUEUED);
        at = AT_GIVEN_BACK;
        break;
    case TRACE_SEEN_ACKED: at = AT_ACKED; break;
    case TRACE_SEEN_AUTO_ACKED: at = AT_AUTO_ACKED; break;
    case TRACE_SEEN_DISCARDED: at = AT_REMOVED; break;
    case TRACE_SEEN_EXPIRED: at = AT_REMOVED + 1; break;
    case TRACE_SEEN_DROPPED: at = AT_REMOVED + 2; break;
    case TRACE_SEEN_PURGED: at = AT_REMOVED + 3; break;
    case TRACE_SEEN_DEAD_LETTERED: at = AT_DEAD_LETTERED; break;
    case TRACE_SEEN_ACCEPTED:
    case TRACE_SEEN_FILLED:
    case TRACE_SEEN_BEGINS:
    case TRACE_SEEN_SENT:
    case TRACE_SEEN_PROMOTED:
    case TRACE_SEEN_BACK:
    case TRACE_SEEN_VOID:
    case TRACE_SEEN_LEN: break;
    }
    if (at >= 0)
        add_range(e, f->first, f->last, at);
}

static int by_place(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

static bool was_missing(const struct ledger *l, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < l->missing.len; i++)
        if (l->missing.items[i].first <= first && last <= l->missing.items[i].last)
            return true;
    return false;
}

/* Every node that this queue may be on answers, and one of them is its master: nobody else can have it. */
static bool all_say(const struct ledger *l, const struct snapshot *s, const int *count)
{
    bool master = false;
    for (size_t i = 0; i < s->nodes_len; i++) {
        if (count[AT_NODE_HAD + i] && !l->copies[i].answers)
            return false;
        if (l->copies[i].answers && !l->copies[i].all)
            return false; /* with so many holes it does not name each */
        master = master || (l->copies[i].answers && l->copies[i].master);
    }
    return master;
}

/* count: of this place. *missing: nobody has it, and nobody who may have it is away */
static struct fate judge(const struct ledger *l, const struct snapshot *s, const int *count, bool *missing)
{
    struct fate f = {.confirmed = count[AT_CONFIRMED] > 0,
                     .auto_acked = count[AT_AUTO_ACKED] > 0,
                     .received = count[AT_RECEIVED] > 0,
                     .before = count[AT_RECEIVED_BEFORE] > 0};
    bool removed = false;
    for (size_t i = 0; i < REMOVALS; i++)
        if (count[AT_REMOVED + i]) {
            removed = true;
            f.removed = removals[i];
        }
    f.dead_lettered = removed && count[AT_DEAD_LETTERED];
    bool taken = count[AT_ACKED] > 0 || (f.auto_acked && f.received);
    for (size_t i = 0; i < s->nodes_len; i++) {
        node_bits bit = (node_bits)1 << i;
        if (count[AT_NODE_HOLDS + i])
            f.held |= bit;
        if (count[AT_NODE_HELD + i] || (count[AT_NODE_HAD + i] && !l->copies[i].answers && !l->unasked))
            f.away |= bit;
    }
    if (f.held) {
        bool out = count[AT_OUT] > count[AT_REQUEUED];
        f.verdict = VERDICT_KEPT;
        f.word = out && count[AT_REDELIVERED] ? FATE_REDELIVERED
                 : out                        ? FATE_DELIVERED
                 : f.confirmed                ? FATE_CONFIRMED
                                              : FATE_HELD;
    } else if (taken) {
        f.verdict = VERDICT_KEPT;
        f.word = FATE_CONSUMED;
        f.away = 0;
    } else if (f.auto_acked) { /* not even delivered: its node did not say that it came through */
        f.verdict = count[AT_DELIVERED] ? VERDICT_HANDED_OUT : VERDICT_UNKNOWN;
        f.word = FATE_DELIVERED;
        f.away = 0;
    } else if (removed) {
        f.verdict = VERDICT_REMOVED;
        f.away = 0;
    } else if (count[AT_LOST_BEFORE]) { /* that one saw every node that might have had it */
        f.verdict = VERDICT_LOST;
        f.word = FATE_LOST;
        f.before = true;
        f.away = 0;
    } else if (f.away) {
        f.verdict = VERDICT_UNAVAILABLE;
        f.word = FATE_UNAVAILABLE;
    } else if (count[AT_REFUSED]) {
        f.word = FATE_UNCONFIRMED; /* its publisher was told */
    } else if (l->unasked) {
        f.unasked = true;
    } else if (count[AT_HAD]) {
        *missing = all_say(l, s, count);
    }
    return f;
}

/* Seen twice running: nobody has it. Who was sent it may have it. And where its master's notes went with the
 * master's process, before this screen heard them, nobody can say what that one did with it. */
static void judge_missing(struct fate *f, const int *count)
{
    if (count[AT_DELIVERED] > count[AT_GIVEN_BACK]) {
        f->verdict = VERDICT_HANDED_OUT;
        f->word = FATE_DELIVERED;
    } else if (count[AT_ENQUEUED]) {
        f->verdict = VERDICT_LOST;
        f->word = FATE_LOST;
    } else {
        f->untold = true;
    }
}

static bool same_fate(const struct fate *a, const struct fate *b)
{
    return a->verdict == b->verdict && a->word == b->word && a->held == b->held && a->away == b->away &&
           a->confirmed == b->confirmed && a->auto_acked == b->auto_acked && a->received == b->received &&
           a->removed == b->removed && a->dead_lettered == b->dead_lettered && a->untold == b->untold &&
           a->unasked == b->unasked && a->before == b->before;
}

static void add_fate(struct ledger *l, uint64_t first, uint64_t last, struct fate f)
{
    struct fate_range *before = l->fates.len ? &l->fates.items[l->fates.len - 1] : NULL;
    if (before && before->last + 1 == first && same_fate(&before->fate, &f))
        before->last = last;
    else
        VEC_PUSH(&l->fates, (struct fate_range){first, last, f});
}

static void find_fates(struct ledger *l, const struct snapshot *s)
{
    struct edges e = {0};
    VEC(struct held_range) missing = {0};
    int count[AT_LEN] = {0};
    size_t present = 0; /* facts from here on are of the present master */
    for (size_t i = 0; i < l->facts.len; i++) {
        const struct fact *f = &l->facts.items[i];
        if (f->queue_uid == l->uid && (f->kind == TRACE_SEEN_PROMOTED || f->kind == TRACE_SEEN_BACK))
            present = i;
    }
    for (size_t i = 0; i < l->facts.len; i++)
        if (l->facts.items[i].queue_uid == l->uid)
            add_fact_edges(&e, &l->facts.items[i], i >= present);
    for (size_t i = 0; i < l->losses.len; i++)
        if (l->losses.items[i].before && l->losses.items[i].uid == l->uid) {
            add_range(&e, l->losses.items[i].first, l->losses.items[i].last, AT_LOST_BEFORE);
            add_range(&e, l->losses.items[i].first, l->losses.items[i].last, AT_HAD);
        }
    for (size_t i = 0; i < s->nodes_len && i < LIMIT_NODES; i++) {
        const struct last_copy *c = &l->copies[i];
        for (size_t j = 0; j < c->held_len; j++) {
            add_range(&e, c->held[j].first, c->held[j].last,
                      (int)i + (c->answers ? AT_NODE_HOLDS : AT_NODE_HELD));
            add_range(&e, c->held[j].first, c->held[j].last, AT_HAD);
        }
    }
    if (e.len)
        qsort(e.items, e.len, sizeof(*e.items), by_place);
    l->fates.len = 0;
    for (size_t i = 0; i < e.len;) {
        uint64_t place = e.items[i].place;
        for (; i < e.len && e.items[i].place == place; i++)
            count[e.items[i].at] += e.items[i].by;
        bool gone = false;
        if (i == e.len || !count[AT_HAD])
            continue; /* nobody knows of what comes here */
        uint64_t last = e.items[i].place - 1;
        struct fate f = judge(l, s, count, &gone);
        if (gone && was_missing(l, place, last))
            judge_missing(&f, count);
        add_fate(l, place, last, f);
        struct held_range *before = missing.len ? &missing.items[missing.len - 1] : NULL;
        if (gone && before && before->last + 1 == place)
            before->last = last;
        else if (gone)
            VEC_PUSH(&missing, (struct held_range){.first = place, .last = last});
    }
    l->missing_changed =
        missing.len != l->missing.len ||
        (missing.len && memcmp(missing.items, l->missing.items, missing.len * sizeof(*missing.items)) != 0);
    VEC_FREE(&l->missing);
    l->missing.items = missing.items;
    l->missing.len = missing.len;
    l->missing.cap = missing.cap;
    VEC_FREE(&e);
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

void ledger_observe(struct ledger *l, const struct snapshot *s)
{
    take_absences(l, s);
    bool changed = s->trace_len > 0 || l->missing_changed;
    l->gaps |= s->trace_gaps;
    take_trace(l, s);
    changed = ledger_take_receipts(l) || changed;
    changed = take_copies(l, s) || changed;
    if (l->passing && (changed || l->late)) {
        l->late = 2;
    } else if ((changed || l->late) && l->queue) {
        find_fates(l, s);
        ledger_keep_losses(l, s);
        l->late -= l->late > 0;
    }
}

/* ---- looking
 * ----------------------------------------------------------------------------------------------- */

const struct fate_range *ledger_fate(const struct ledger *l, uint64_t id)
{
    for (size_t i = 0; i < l->fates.len; i++)
        if (l->fates.items[i].first <= id && id <= l->fates.items[i].last)
            return &l->fates.items[i];
    return NULL;
}

uint64_t ledger_first(const struct ledger *l)
{
    static const enum verdict order[] = {VERDICT_LOST, VERDICT_UNAVAILABLE};
    for (size_t v = 0; v < ARRAY_LEN(order); v++)
        for (size_t i = 0; i < l->fates.len; i++)
            if (l->fates.items[i].fate.verdict == order[v])
                return l->fates.items[i].first;
    return l->fates.len ? l->fates.items[0].first : 0;
}

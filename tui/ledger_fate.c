/* ledger_fate.c: what became of every message of the queue that is looked at: one walk over the places where
 * something changes, and a judgement between them. See ledger.h for the rules. */
#include "ledger.h"

#include <stdlib.h>

/* Each message has a count for each of these. */
#define REMOVALS 4
static const enum trace_seen_kind removals[REMOVALS] = {TRACE_SEEN_DISCARDED, TRACE_SEEN_EXPIRED,
                                                        TRACE_SEEN_DROPPED, TRACE_SEEN_PURGED};
enum {
    AT_HAD,       /* a master or mirror had it */
    AT_ENQUEUED,  /* its master said so: it is heard what that one did with it */
    AT_IN_MEMORY, /* somebody said that memory alone holds it */
    AT_LOGGED,    /* ... that logs do */
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
    AT_FOUND_LOST,  /* this one did */
    AT_REMOVED,     /* + the place in removals */
    AT_DEAD_LETTERED = AT_REMOVED + REMOVALS,
    AT_NODE_HAD,                                /* + node: it had it at some time */
    AT_NODE_HOLDS = AT_NODE_HAD + LIMIT_NODES,  /* + node: it says so now */
    AT_NODE_HELD = AT_NODE_HOLDS + LIMIT_NODES, /* + node: it is away and said so last */
    AT_NODE_TAKEN = AT_NODE_HELD + LIMIT_NODES, /* + node: as master it let a consumer have it */
    AT_LEN = AT_NODE_TAKEN + LIMIT_NODES
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
        if (f->in_memory)
            add_range(e, f->first, f->last, AT_IN_MEMORY);
        if (f->logged)
            add_range(e, f->first, f->last, AT_LOGGED);
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
    case TRACE_SEEN_ACKED:
    case TRACE_SEEN_AUTO_ACKED:
        add_range(e, f->first, f->last, AT_NODE_TAKEN + f->node);
        at = f->kind == TRACE_SEEN_ACKED ? AT_ACKED : AT_AUTO_ACKED;
        break;
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

/* Where both were said, of a run that had messages of both kinds, it is not known. */
static void judge_keeping(struct fate *f, const int *count)
{
    f->in_memory = count[AT_IN_MEMORY] && !count[AT_LOGGED];
    f->logged = count[AT_LOGGED] && !count[AT_IN_MEMORY];
}

/* Seen twice running: nobody has it. Who was sent it may have it, and has it if it printed it. And where its
 * master's notes went with the master's process, before this screen heard them, nobody can say what that one
 * did with it. */
static void judge_missing(struct fate *f, const int *count)
{
    if (count[AT_RECEIVED] > count[AT_GIVEN_BACK]) {
        f->verdict = VERDICT_KEPT;
        f->word = FATE_CONSUMED;
    } else if (count[AT_DELIVERED] > count[AT_GIVEN_BACK]) {
        f->verdict = VERDICT_HANDED_OUT;
        f->word = FATE_DELIVERED;
    } else if (count[AT_ENQUEUED] || count[AT_FOUND_LOST]) {
        f->verdict = VERDICT_LOST;
        f->word = FATE_LOST;
        judge_keeping(f, count);
    } else {
        f->untold = true;
    }
}

/* Nobody who went since it was found lost can have it; only one who says, or said last, that it has. */
static bool stays_lost(const struct snapshot *s, const int *count)
{
    for (size_t i = 0; i < s->nodes_len; i++)
        if (count[AT_NODE_HOLDS + i] || count[AT_NODE_HELD + i])
            return false;
    return count[AT_FOUND_LOST] > 0;
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
        int taken_out = count[AT_ACKED] + count[AT_AUTO_ACKED];
        f.out = count[AT_OUT] > count[AT_REQUEUED] + taken_out;
        f.acked = count[AT_ACKED] > 0;
        for (size_t i = 0; i < s->nodes_len; i++)
            f.taken_on |= count[AT_NODE_TAKEN + i] ? (node_bits)1 << i : 0;
        f.verdict = VERDICT_KEPT;
        f.word = f.out && count[AT_REDELIVERED] ? FATE_REDELIVERED
                 : f.out                        ? FATE_DELIVERED
                 : f.confirmed                  ? FATE_CONFIRMED
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
        judge_keeping(&f, count);
    } else if (stays_lost(s, count)) {
        judge_missing(&f, count);
        f.away = 0;
    } else if (f.away) {
        f.verdict = VERDICT_UNAVAILABLE;
        f.word = FATE_UNAVAILABLE;
        judge_keeping(&f, count);
    } else if (count[AT_REFUSED]) {
        f.word = FATE_UNCONFIRMED; /* its publisher was told */
    } else if (l->unasked) {
        f.unasked = true;
    } else {
        *missing = all_say(l, s, count);
    }
    return f;
}

static bool same_fate(const struct fate *a, const struct fate *b)
{
    return a->verdict == b->verdict && a->word == b->word && a->held == b->held && a->away == b->away &&
           a->confirmed == b->confirmed && a->auto_acked == b->auto_acked && a->received == b->received &&
           a->removed == b->removed && a->dead_lettered == b->dead_lettered && a->untold == b->untold &&
           a->unasked == b->unasked && a->taken_on == b->taken_on && a->acked == b->acked &&
           a->out == b->out && a->before == b->before && a->in_memory == b->in_memory &&
           a->logged == b->logged;
}

static void add_fate(struct ledger *l, uint64_t first, uint64_t last, struct fate f)
{
    struct fate_range *before = l->fates.len ? &l->fates.items[l->fates.len - 1] : NULL;
    if (before && before->last + 1 == first && same_fate(&before->fate, &f))
        before->last = last;
    else
        VEC_PUSH(&l->fates, (struct fate_range){first, last, f});
}

/* What was found lost before, by an earlier screen or by this one: fates has still what was found last, of
 * more runs than are kept. */
static void add_losses(struct edges *e, const struct ledger *l)
{
    for (size_t i = 0; i < l->losses.len; i++) {
        const struct loss *k = &l->losses.items[i];
        if (k->uid != l->uid)
            continue;
        add_range(e, k->first, k->last, k->before ? AT_LOST_BEFORE : AT_FOUND_LOST);
        add_range(e, k->first, k->last, AT_HAD);
        if (k->in_memory || k->logged)
            add_range(e, k->first, k->last, k->logged ? AT_LOGGED : AT_IN_MEMORY);
    }
    for (size_t i = 0; i < l->fates.len; i++) {
        const struct fate_range *f = &l->fates.items[i];
        if (f->fate.verdict == VERDICT_LOST && !f->fate.before)
            add_range(e, f->first, f->last, AT_FOUND_LOST);
    }
}

void ledger_find_fates(struct ledger *l, const struct snapshot *s)
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
    for (size_t i = 0; i < l->keepings.len; i++)
        if (l->keepings.items[i].uid == l->uid)
            add_range(&e, l->keepings.items[i].first, l->keepings.items[i].last,
                      l->keepings.items[i].logged ? AT_LOGGED : AT_IN_MEMORY);
    add_losses(&e, l);
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
        if (i == e.len || (!count[AT_HAD] && !count[AT_DELIVERED]))
            continue; /* nobody knows of what comes here */
        uint64_t last = e.items[i].place - 1;
        struct fate f = judge(l, s, count, &gone);
        if (!count[AT_HAD] && !gone && f.verdict == VERDICT_UNKNOWN)
            continue; /* it was sent to somebody; who has it may be away, unheard of */
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

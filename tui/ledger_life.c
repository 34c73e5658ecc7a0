/* ledger_life.c: one message's life, moment by moment, from the facts that cover it and from what is known of
 * its queue and the nodes. What follows from the facts without having been seen is marked as inferred. */
#include "ledger_telling.h"

#include <stdlib.h>

#include "base/text.h"
#include "words.h"

struct moment *life_add(struct telling *t, enum moment_kind kind, int from, int to, int64_t at_us,
                        const char *label)
{
    VEC_PUSH(
        &t->life->moments,
        (struct moment){
            .kind = kind, .from = from, .to = to, .at_us = at_us, .label = label, .fact = TRACE_SEEN_LEN});
    if (from >= 0 && from < LIMIT_NODES)
        t->life->part |= (node_bits)1 << from;
    if (to >= 0 && to < LIMIT_NODES)
        t->life->part |= (node_bits)1 << to;
    return &t->life->moments.items[t->life->moments.len - 1];
}

int life_gets_it(const struct moment *m)
{
    if (m->fact == TRACE_SEEN_COPIED || m->fact == TRACE_SEEN_FILLED)
        return m->to == PARTY_NOBODY ? m->from : m->to;
    bool master = m->fact == TRACE_SEEN_PROMOTED || m->fact == TRACE_SEEN_BACK;
    return master && !m->without ? m->from : -1;
}

static int64_t time_of(const struct fact *f, uint64_t id)
{
    uint64_t len = f->last - f->first;
    if (!len || f->until_us <= f->from_us || id <= f->first || f->last == UINT64_MAX)
        return f->from_us;
    return f->from_us + (int64_t)((double)(f->until_us - f->from_us) * (double)(id - f->first) / (double)len);
}

static bool is_about(const struct fact *f, uint64_t id)
{
    return f->until_us > f->from_us && id > f->first && f->last != UINT64_MAX;
}

/* ---- facts
 * ------------------------------------------------------------------------------------------------- */

static void tell_enqueued(struct telling *t, const struct fact *f, int64_t at)
{
    int from = f->origin >= 0 ? f->origin : f->node;
    t->master = f->node;
    if (t->life->home < 0)
        t->life->home = f->node;
    if (!t->accepted) {
        life_add(t, from == f->node ? MOMENT_ARROW : MOMENT_INFERRED, PARTY_PRODUCER, from, at,
                 N_("publish"));
        t->accepted = true;
    }
    if (from != f->node)
        life_add(t, MOMENT_ARROW, from, f->node, at, N_("forward"));
    t->published = true;
}

static void tell_copied(struct telling *t, const struct fact *f, int64_t at)
{
    t->life->copies |= (node_bits)1 << f->node;
    if (t->master >= 0 && t->master != f->node)
        life_add(t, MOMENT_ARROW, t->master, f->node, at, N_("replicate"));
    else
        life_add(t, MOMENT_MARK, f->node, PARTY_NOBODY, at, N_("has a copy"))->letter = '*';
}

/* of the same moment: places of several reigns */
static bool belongs_to(const struct fact *part, const struct fact *f)
{
    return part->kind == f->kind && part->node == f->node && part->queue_uid == f->queue_uid &&
           part->from_us == f->from_us;
}

/* It tells of a range without a hole: then this message was among what came. */
static bool filled_without_holes(const struct ledger *l, const struct fact *f)
{
    const struct fact *from = f, *all = l->facts.items, *end = all + l->facts.len;
    uint64_t count = 0, places = 0;
    while (from > all && (from - 1)->from_us == f->from_us)
        from--;
    for (; from < end && from->from_us == f->from_us; from++)
        if (belongs_to(from, f)) {
            count += from->count;
            places += from->last - from->first + 1;
        }
    return count == places;
}

/* From the master that it names: sides of a partition have one each. Where it names none, from the newest; if
 * that does not run any more, from one that nobody told of. */
static void tell_filled(struct telling *t, const struct fact *f, int64_t at)
{
    if (f->about >= 0)
        life_add(t, filled_without_holes(t->l, f) ? MOMENT_ARROW : MOMENT_INFERRED, f->about, f->node, at,
                 N_("sync"));
    else if ((t->down | t->silent) & ((node_bits)1 << t->master))
        life_add(t, MOMENT_MARK, f->node, PARTY_NOBODY, at, N_("has a copy"))->letter = '*';
    else
        life_add(t, MOMENT_INFERRED, t->master, f->node, at, N_("sync"));
}

/* the facts of one moment follow each other: those of one reign each */
static bool among_them(const struct telling *t, const struct fact *f)
{
    const struct fact *end = t->l->facts.items + t->l->facts.len;
    bool any = f->count && f->first <= t->id && t->id <= f->last;
    for (const struct fact *m = f + 1; !any && m < end && m->from_us == f->from_us; m++)
        any = m->more && belongs_to(m, f) && m->first <= t->id && t->id <= m->last;
    return any;
}

static void tell_promoted(struct telling *t, const struct fact *f, int64_t at)
{
    bool without = !among_them(t, f);
    bool back = f->kind == TRACE_SEEN_BACK;
    struct moment *m = life_add(t, MOMENT_MARK, f->node, PARTY_NOBODY, at,
                                back ? (without ? N_("back without it") : N_("back with it"))
                                     : (without ? N_("promoted without it") : N_("promoted")));
    m->letter = back ? '|' : 'M'; /* as any return: whose note of it was heard makes no difference */
    m->without = without;
    m->returned = back;
    m->count = f->count;
    t->master = f->node;
}

/* who acknowledges or rejects a message has received it */
static void has_it(struct telling *t)
{
    if (t->delivery)
        t->life->moments.items[t->delivery - 1].received = true;
}

static void tell_fact(struct telling *t, const struct fact *f, int64_t at)
{
    struct life *life = t->life;
    size_t first = life->moments.len;
    bool about = is_about(f, t->id);
    switch (f->kind) {
    case TRACE_SEEN_ACCEPTED:
        life_add(t, MOMENT_ARROW, PARTY_PRODUCER, f->node, at, N_("publish"));
        t->accepted = true;
        break;
    case TRACE_SEEN_ENQUEUED: tell_enqueued(t, f, at); break;
    case TRACE_SEEN_COPIED: tell_copied(t, f, at); break;
    case TRACE_SEEN_CONFIRMED:
        life_add(t, MOMENT_ARROW, f->node, PARTY_PRODUCER, at, N_("confirm"))->received = f->received;
        life->confirmed++;
        break;
    case TRACE_SEEN_REFUSED:
        life_add(t, MOMENT_ARROW, f->node, PARTY_PRODUCER, at, N_("nack"));
        life->refused++;
        break;
    case TRACE_SEEN_FILLED:
        if ((f->count || f->more) && (t->master >= 0 || f->about >= 0))
            tell_filled(t, f, at);
        break;
    case TRACE_SEEN_BEGINS:
        life_add(t, MOMENT_MARK, f->node, PARTY_NOBODY, at, N_("mirror, empty"))->letter = 'u';
        break;
    case TRACE_SEEN_SENT: life_add(t, MOMENT_ARROW, f->node, f->about, at, N_("forward")); break;
    case TRACE_SEEN_DELIVERED:
        life_add(t, MOMENT_ARROW, f->node, PARTY_CONSUMER, at,
                 f->redelivered ? N_("redeliver") : N_("deliver"))
            ->received = f->received;
        life->delivered++;
        life->redelivered += f->redelivered;
        t->delivery = life->moments.len; /* 1 + its index */
        break;
    case TRACE_SEEN_ACKED:
        life_add(t, MOMENT_ARROW, PARTY_CONSUMER, f->node, at, N_("ack"));
        life->acked++;
        has_it(t);
        break;
    case TRACE_SEEN_AUTO_ACKED:
        life_add(t, MOMENT_MARK, f->node, PARTY_NOBODY, at, N_("gone: auto-ack"));
        break;
    case TRACE_SEEN_DISCARDED:
        has_it(t);
        life_add(t, MOMENT_ARROW, PARTY_CONSUMER, f->node, at, N_("reject"));
        break;
    case TRACE_SEEN_REQUEUED:
        t->delivery = 0; /* of that one nobody knows */
        life_add(t, MOMENT_MARK, f->node, PARTY_NOBODY, at, N_("requeued"));
        break;
    case TRACE_SEEN_EXPIRED: life_add(t, MOMENT_MARK, f->node, PARTY_NOBODY, at, N_("expired")); break;
    case TRACE_SEEN_DROPPED: life_add(t, MOMENT_MARK, f->node, PARTY_NOBODY, at, N_("dropped")); break;
    case TRACE_SEEN_PURGED: life_add(t, MOMENT_MARK, f->node, PARTY_NOBODY, at, N_("purged")); break;
    case TRACE_SEEN_DEAD_LETTERED:
        life_add(t, MOMENT_MARK, f->node, PARTY_NOBODY, at, N_("to the dead letter exchange"));
        break;
    case TRACE_SEEN_PROMOTED:
    case TRACE_SEEN_BACK: tell_promoted(t, f, at); break;
    case TRACE_SEEN_VOID: life_add(t, MOMENT_MARK, f->node, PARTY_NOBODY, at, N_("drops its copy")); break;
    case TRACE_SEEN_LEN: break;
    }
    for (size_t i = first; i < life->moments.len; i++) {
        life->moments.items[i].about = about;
        life->moments.items[i].fact = f->kind;
    }
}

/* what happens to a queue, from the first fact of this message on */
static bool covers(const struct fact *f, uint64_t id)
{
    bool whole = f->kind == TRACE_SEEN_PROMOTED || f->kind == TRACE_SEEN_BACK || f->kind == TRACE_SEEN_BEGINS;
    return whole ? !f->more : f->first <= id && id <= f->last;
}

/* What comes first of two at the same moment, as the times of a run are only about right: causes. From 0 on:
 * what a message itself goes through. */
static int rank(const struct fact *f)
{
    switch (f->kind) {
    case TRACE_SEEN_PROMOTED:
    case TRACE_SEEN_BACK: return -4;
    case TRACE_SEEN_VOID: return -3;
    case TRACE_SEEN_BEGINS: return -2;
    case TRACE_SEEN_FILLED: return -1;
    case TRACE_SEEN_ACCEPTED: return 0;
    case TRACE_SEEN_ENQUEUED: return 1;
    case TRACE_SEEN_COPIED: return 2;
    case TRACE_SEEN_CONFIRMED:
    case TRACE_SEEN_REFUSED: return 3;
    case TRACE_SEEN_REQUEUED: return 4;
    case TRACE_SEEN_AUTO_ACKED: return 5;
    case TRACE_SEEN_SENT: return 6;
    case TRACE_SEEN_DELIVERED: return 7;
    case TRACE_SEEN_ACKED:
    case TRACE_SEEN_DISCARDED:
    case TRACE_SEEN_EXPIRED:
    case TRACE_SEEN_DROPPED:
    case TRACE_SEEN_PURGED: return 8;
    case TRACE_SEEN_DEAD_LETTERED: return 9;
    case TRACE_SEEN_LEN: break;
    }
    return 0;
}

/* With it a message is over: what happens to its queue later is another one's. */
static bool ends_it(const struct fact *f, const struct fate *fate)
{
    return f->kind == TRACE_SEEN_ACKED || f->kind == TRACE_SEEN_DISCARDED || f->kind == TRACE_SEEN_EXPIRED ||
           f->kind == TRACE_SEEN_DROPPED || f->kind == TRACE_SEEN_PURGED ||
           (f->kind == TRACE_SEEN_DELIVERED && fate->auto_acked);
}

struct dated {
    const struct fact *f;
    int64_t at_us;
    size_t place;
};

static int by_date(const void *a, const void *b)
{
    const struct dated *x = a, *y = b;
    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    int rank_x = rank(x->f), rank_y = rank(y->f);
    if (rank_x != rank_y)
        return rank_x < rank_y ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

/* ---- together
 * ---------------------------------------------------------------------------------------------- */

/* "q on node2 in sync", "mirror of q on node2 added", "q: node2 promoted": what looking at a queue showed
 * (notice.c), as a mark at a node */
static bool queue_event(const struct telling *t, const struct event_seen *e, int *node, char *letter,
                        const char **label)
{
    static const struct {
        const char *words, *label;
        char letter;
    } known[] = {
        {" in sync", N_("mirror in sync"), 'm'},    {"not in sync yet", N_("mirror, not in sync"), 'u'},
        {"no longer on", N_("no mirror now"), '.'}, {"has a new master", N_("promoted"), 'M'},
        {" promoted", N_("promoted"), 'M'},         {" added", N_("mirror added"), 'u'},
        {"declared on", N_("declared"), 'M'}};
    /* no mirror's word, and what is told of a promotion that stands here already */
    static const char none[] = "no mirror in sync", counted[] = "NOT in sync:", of[] = "mirror of ";
    if (strstr(e->text, none) || strstr(e->text, counted))
        return false;
    size_t len = strlen(t->l->queue);
    const char *text = e->text + (strncmp(e->text, of, strlen(of)) == 0 ? strlen(of) : 0);
    if (strncmp(text, t->l->queue, len) != 0 || (text[len] != ' ' && text[len] != ':'))
        return false;
    text += len;
    *label = NULL;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strstr(text, known[i].words)) {
            *label = known[i].label;
            *letter = known[i].letter;
        }
    const char *first = NULL; /* "a new master: node2 (was node1)" */
    for (size_t n = 0; n < t->s->nodes_len; n++) {
        const char *name = strstr(text, t->s->nodes[n].name);
        if (name && (!first || name < first)) {
            first = name;
            *node = (int)n;
        }
    }
    return *label && first;
}

/* a queue of this name that was deleted was another one, and so were those before it was declared */
static size_t after_the_last_of_its_name(const struct telling *t)
{
    char *gone = format_text("%s is gone", t->l->queue),
         *declared = format_text("%s declared on ", t->l->queue);
    size_t begin = 0;
    for (size_t i = 0; i < t->s->events_len; i++) {
        const struct event_seen *e = &t->s->events[i];
        if (strcmp(e->kind, "queue") != 0)
            continue;
        begin = strcmp(e->text, gone) == 0                          ? i + 1
                : strncmp(e->text, declared, strlen(declared)) == 0 ? i
                                                                    : begin;
    }
    free(gone);
    free(declared);
    return begin;
}

/* Where nodes note nothing, there is what looking at the queue showed: its events. */
static void tell_without_trace(struct telling *t)
{
    struct around told = {0};
    size_t begin = after_the_last_of_its_name(t);
    int64_t from_us = begin < t->s->events_len ? t->s->events[begin].wall_ms * 1000 : INT64_MAX;
    for (size_t i = begin; i < t->s->events_len; i++) {
        const struct event_seen *e = &t->s->events[i];
        const char *label;
        char letter = 0;
        int node = 0;
        life_tell_around(t, &told, e->wall_ms * 1000, begin ? from_us : 0);
        if (queue_event(t, e, &node, &letter, &label))
            life_add(t, MOMENT_MARK, node, PARTY_NOBODY, e->wall_ms * 1000, label)->letter = letter;
    }
}

/* where the node that holds it is without it from then on, unless it says later that it has it */
static bool empties(const struct moment *m)
{
    return m->kind == MOMENT_UP || (m->returned && m->without) || m->fact == TRACE_SEEN_BEGINS ||
           m->fact == TRACE_SEEN_VOID || m->side;
}

static bool goes_away(const struct moment *m)
{
    return m->kind == MOMENT_DOWN || m->kind == MOMENT_SILENT;
}

/* A restart is one row, whether its node's own note of it was heard, too, or only that it runs again. */
static void join_returns(struct life *life)
{
    for (size_t i = 0; i < life->moments.len; i++) {
        int node = life->moments.items[i].from;
        bool up = life->moments.items[i].kind == MOMENT_UP;
        bool back = life->moments.items[i].fact == TRACE_SEEN_BACK;
        for (size_t k = i + 1; (up || back) && k < life->moments.len; k++) {
            const struct moment *m = &life->moments.items[k];
            if (m->from != node || (!goes_away(m) && m->kind != MOMENT_UP && m->fact != TRACE_SEEN_BACK))
                continue;
            if ((up && m->fact == TRACE_SEEN_BACK) || (back && m->kind == MOMENT_UP)) {
                VEC_REMOVE(&life->moments, up ? i : k);
                i -= up;
            }
            break;
        }
    }
}

/* Where the last who had it went: if memory alone held it that is why it is lost, or will be found to be.
 * Only what came before `until` counts (NULL: all). NULL: somebody has it, or it went in another way. */
static struct moment *last_went(struct life *life, const struct moment *until)
{
    node_bits holders = life->copies | (life->home >= 0 ? (node_bits)1 << life->home : 0), silent = 0;
    struct moment *cause = NULL;
    for (size_t i = 0; i < life->moments.len && &life->moments.items[i] != until; i++) {
        struct moment *m = &life->moments.items[i];
        int gets = life_gets_it(m);
        node_bits bit = m->from >= 0 && m->from < LIMIT_NODES ? (node_bits)1 << m->from : 0;
        if (m->kind == MOMENT_UP && (silent & bit)) { /* it may have been silent only: it has it still */
            gets = m->from;
            silent &= ~bit;
        } else if (m->kind == MOMENT_DOWN) { /* silent first, and then it went */
            silent &= ~bit;
        }
        if (gets >= 0 && gets < LIMIT_NODES) {
            holders |= (node_bits)1 << gets;
            cause = NULL;
        } else if ((holders & bit) && (goes_away(m) || empties(m))) {
            silent |= m->kind == MOMENT_SILENT ? bit : 0;
            holders &= ~bit;
            cause = !holders && goes_away(m) ? m : NULL;
        }
    }
    return cause;
}

/* Where the one that went last is without it, before `until`: no one who comes back later had it any more.
 * `until`: it does not come back before that. */
static struct moment *back_before(struct life *life, const struct moment *went, struct moment *until)
{
    for (struct moment *m = life->moments.items + (went - life->moments.items) + 1; m < until; m++)
        if (m->from == went->from && empties(m))
            return m;
    return until;
}

/* Where it was lost: where its side of a partition was discarded; else where somebody became master without
 * it, or where the last that had it came back without it, whichever was first. What happens to the queue
 * later is no reason. */
static void mark_loss(struct life *life)
{
    struct moment *emptied[LIMIT_NODES] = {0}, *without = NULL, *last = NULL, *side = NULL;
    node_bits had = life->copies | (life->home >= 0 ? (node_bits)1 << life->home : 0);
    for (size_t i = 0; i < life->moments.len; i++) {
        struct moment *m = &life->moments.items[i];
        int gets = life_gets_it(m), from = m->from;
        if (gets >= 0 && gets < LIMIT_NODES) {
            had |= (node_bits)1 << gets;
            emptied[gets] = NULL;
        } else if (m->without && !without) {
            without = m;
        } else if (from >= 0 && from < LIMIT_NODES && empties(m) && (had & ((node_bits)1 << from))) {
            emptied[from] = emptied[from] ? emptied[from] : m;
            side = m->side && !side ? m : side;
        }
    }
    for (size_t i = 0; i < LIMIT_NODES; i++)
        last = emptied[i] > last ? emptied[i] : last;
    bool found = life->fate.in_memory && last && last->kind == MOMENT_UP; /* it went when its node did */
    if (last && without && ((without < last && !found) || without->from == last->from))
        last = without;
    last = side ? side : last ? last : without;
    if (!last)
        return;
    struct moment *went = last_went(life, last);
    if (went && !side)
        last = back_before(life, went, last);
    last->bad = true;
    if (last->kind == MOMENT_UP) { /* whether or not the node's own note of it was heard: the same words */
        last->label = N_("back without it");
        last->returned = true;
    }
    life->went_with = went ? went->from : -1;
    if (went && life->fate.in_memory)
        went->memory = true;
}

void ledger_life(const struct ledger *l, const struct snapshot *s, uint64_t id, struct life *out)
{
    *out = (struct life){.home = -1, .went_with = -1};
    struct telling t = {.l = l, .s = s, .id = id, .life = out, .master = -1};
    const struct fate_range *known = ledger_fate(l, id);
    struct moment *went;
    if (known) {
        out->fate = known->fate;
        out->part = known->fate.held | known->fate.away;
    }
    VEC(struct dated) dated = {0};
    bool begun = false;
    for (size_t i = 0; i < l->facts.len; i++) {
        const struct fact *f = &l->facts.items[i];
        bool own = f->first <= id && id <= f->last && rank(f) >= 0;
        if (f->queue_uid != l->uid || !covers(f, id) || (!own && !begun))
            continue;
        begun = true;
        VEC_PUSH(&dated, (struct dated){f, time_of(f, id), i});
    }
    /* the first of each cause comes before the first of each effect, whatever the rounded times say */
    int64_t latest = 0;
    for (int r = 0; r < 4; r++)
        for (size_t i = 0; i < dated.len; i++)
            if (rank(dated.items[i].f) == r) {
                if (dated.items[i].at_us < latest && is_about(dated.items[i].f, id))
                    dated.items[i].at_us = latest;
                latest = dated.items[i].at_us > latest ? dated.items[i].at_us : latest;
                break;
            }
    if (dated.len)
        qsort(dated.items, dated.len, sizeof(*dated.items), by_date);
    struct around told = {0};
    size_t end =
        dated.len; /* taken on each side of a partition: the last; and it is not over where one holds it */
    while (end > 0 && !ends_it(dated.items[end - 1].f, &out->fate))
        end--;
    for (size_t i = 0; i < dated.len; i++) {
        t.over = end && i >= end && !out->fate.held;
        if (t.over && rank(dated.items[i].f) < 0)
            continue;
        if (!t.over)
            life_tell_around(&t, &told, dated.items[i].at_us, dated.items[0].at_us);
        tell_fact(&t, dated.items[i].f, dated.items[i].at_us);
    }
    t.over = end && !out->fate.held;
    if (dated.len && !t.over)
        life_tell_around(&t, &told, INT64_MAX, dated.items[0].at_us);
    else if (!dated.len && !s->traces && l->queue)
        tell_without_trace(&t);
    out->published = known || t.published || t.accepted;
    join_returns(out);
    if (out->fate.verdict == VERDICT_LOST)
        mark_loss(out);
    else if (out->fate.in_memory && (went = last_went(out, NULL)))
        went->memory = true;
    VEC_FREE(&dated);
}

bool life_was_tried(const struct life *life)
{
    bool tried = false;
    for (size_t i = 0; i < life->moments.len && !tried; i++) {
        const struct moment *m = &life->moments.items[i];
        tried = goes_away(m) || m->kind == MOMENT_UNLINKED || m->side || m->fact == TRACE_SEEN_PROMOTED ||
                m->fact == TRACE_SEEN_BACK || m->fact == TRACE_SEEN_VOID;
    }
    return tried;
}

void life_finish(struct life *life)
{
    VEC_FREE(&life->moments);
}

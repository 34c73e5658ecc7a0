/* replay_account.c: the book of messages: what was shown after a step, and what became of each of them by it.
 *
 * A message has copies: with nodes that serve, and, unless nothing keeps it on a disk, with nodes that do
 * not. It belongs to a side: the nodes that saw each other when it was last shown. Who serves its queue and
 * is of that side has decided what becomes of it; who is of another side has not: as long as a disk of its
 * own side may bring it back nobody can say that it is lost. */
#include "lab/replay_book.h"

#include <stdlib.h>
#include <string.h>

static bool among(const unsigned *numbers, size_t len, unsigned number)
{
    for (size_t i = 0; i < len; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

static bool holds(const struct replay_queue *q, unsigned number)
{
    return among(q->holds.items, q->holds.len, number);
}

uint32_t replay_holders(const struct replay_queue *q, unsigned number)
{
    uint32_t nodes = 0;
    if (!q->sides_len && q->master != SCHED_NONE && holds(q, number))
        nodes = q->synced | 1u << q->master;
    for (unsigned i = 0; i < q->sides_len; i++)
        if (among(q->sides[i].holds.items, q->sides[i].holds.len, number))
            nodes |= q->sides[i].synced | 1u << q->sides[i].master;
    return nodes;
}

void replay_add_side(struct replay_queue *q, const struct replay_queue *said, size_t holds_from)
{
    if (q->sides_len == SCHED_NODES)
        return;
    struct replay_side *side = &q->sides[q->sides_len++];
    *side = (struct replay_side){
        .master = said->master, .mirrors = said->mirrors, .synced = said->synced, .unacked = said->unacked};
    for (size_t i = holds_from; i < q->holds.len; i++)
        VEC_PUSH(&side->holds, q->holds.items[i]);
}

void replay_queue_one_side(struct replay_queue *q)
{
    for (unsigned i = 0; i < q->sides_len; i++)
        VEC_FREE(&q->sides[i].holds);
    q->sides_len = 0;
}

void replay_queue_finish(struct replay_queue *q)
{
    VEC_FREE(&q->holds);
    replay_queue_one_side(q);
}

/* ---- who sees whom ---- */

void replay_look_around(struct replay *r)
{
    uint32_t serving = r->world->serving(r->arg);
    if (r->serving & ~serving)
        replay_note_ended(r, r->serving & ~serving); /* it may have paused */
    r->was_split = r->split;
    r->split = false;
    for (unsigned n = 0; n < r->s->nodes; n++) {
        if (!(serving >> n & 1))
            continue;
        struct replay_others said = {0};
        r->world->others(r->arg, n, &said);
        r->with[n] = (said.running & ~said.parted) | 1u << n;
        r->split = r->split || (serving & ~r->with[n]);
    }
    r->serving = serving;
}

/* the nodes that these see, themselves among them */
static uint32_t side_of(const struct replay *r, uint32_t nodes)
{
    uint32_t side = nodes;
    for (unsigned n = 0; n < r->s->nodes; n++)
        side |= nodes >> n & 1 ? r->with[n] : 0;
    return side;
}

static uint32_t masters_of(const struct replay_queue *q)
{
    uint32_t masters = q->master != SCHED_NONE ? 1u << q->master : 0;
    for (unsigned i = 0; i < q->sides_len; i++)
        masters |= 1u << q->sides[i].master;
    return q->state == REPLAY_RUNNING ? masters : 0;
}

void replay_note_ended(struct replay *r, uint32_t nodes)
{
    for (unsigned number = 1; number <= r->result->messages.len; number++) {
        struct replay_message *m = replay_message(r, number);
        m->disk |= m->fleeting ? 0 : m->alive & nodes;
        m->alive &= ~nodes;
        r->gone[number - 1] |= nodes & ~m->masters;
    }
}

void replay_note_emptied(struct replay *r, uint32_t nodes)
{
    replay_note_ended(r, nodes);
    for (unsigned number = 1; number <= r->result->messages.len; number++)
        replay_message(r, number)->disk &= ~nodes;
}

/* ---- what was asked of a queue ---- */

void replay_note_removal(struct replay *r, const struct replay_queue *q, const char *queue, bool whole)
{
    for (unsigned number = 1; number <= r->result->messages.len; number++) {
        struct replay_message *m = replay_message(r, number);
        if (strcmp(m->queue, queue) == 0 && !m->consumed && !m->lost_step && !m->ended_step &&
            (whole || holds(q, number) ||
             (r->unlooked && !m->apart))) /* unlooked: it may have ended before */
            m->removing = true;
    }
}

static int64_t lower(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

void replay_note_limits(struct watched *w, const struct replay_bounds *b)
{
    w->met = (struct replay_bounds){.length = lower(w->met.length, b->length),
                                    .bytes = lower(w->met.bytes, b->bytes),
                                    .ttl_ms = -1,
                                    .expires_ms = -1,
                                    .priorities = b->priorities};
}

/* It was confirmed: whoever was in sync then has it. */
void replay_note_confirmed(struct replay *r, const struct replay_queue *q, unsigned number)
{
    struct replay_message *m = replay_message(r, number);
    struct replay_others said = {0};
    if (r->unlooked) /* it may see others than it saw */
        r->world->others(r->arg, m->node, &said);
    uint32_t with = said.running ? (said.running & ~said.parted) | 1u << m->node : r->with[m->node];
    m->side = with;
    if (q->state != REPLAY_RUNNING)
        return;
    if (!q->sides_len && with >> q->master & 1) {
        m->masters = 1u << q->master;
        m->synced = q->synced & with;
        m->alive = m->masters | (q->mirrors & with);
    } else if (!q->sides_len) { /* who is master on the side that took it nobody has looked at */
        m->masters = m->synced = m->alive = q->mirrors & with;
    }
    for (unsigned i = 0; i < q->sides_len; i++)
        if (with >> q->sides[i].master & 1) {
            m->masters = 1u << q->sides[i].master;
            m->synced = q->sides[i].synced;
            m->alive = m->masters | q->sides[i].mirrors;
        }
}

/* ---- losses ---- */

/* The queue does not hold this confirmed message: through which door did it go? The order is that of
 * docs/semantics.md: what an operator threw away, if there was anything left of it; what a partition did;
 * what ended with the last node that had it, for no disk keeps it, whoever takes over then; a mirror that was
 * not in sync. heirs: who serves its queue and is of its side. */
static const char *door_of(const struct replay *r, const struct watched *w, const struct replay_message *m,
                           uint32_t heirs)
{
    bool gone = w->now.state == REPLAY_GONE;
    /* who never ended, and does not have it any more, has begun again by itself: it is of the side that lost,
     * or has paused */
    bool began_again = m->alive & (gone ? r->serving : heirs);
    /* its master went, and its side is still there: no mirror of that side could take over */
    bool ended_there = !gone && !heirs && !(m->masters & r->serving) && (m->alive & m->side & r->serving);
    if (m->fleeting && r->split && ended_there)
        return "L5";
    if (m->fleeting && (!m->alive || (gone && !(m->masters & r->serving))))
        return "L5";
    if (r->by_operator)
        return "L4";
    if (m->apart || (gone ? !(m->side & r->serving) : !heirs)) /* apart: and its side is back without it */
        return "L3";
    if (heirs & ~(m->masters | m->synced))
        return "L1";
    if (began_again && r->s->partitions == SCHED_AUTOHEAL)
        return "L3";
    if (gone && r->was_split)
        return "L3";
    bool paused = m->fleeting && r->s->partitions == SCHED_PAUSE_MINORITY; /* and came back, maybe unseen */
    return r->went_on ? "L4" : paused ? "L5" : "";
}

static void lose(struct replay *r, const struct watched *w, unsigned number, unsigned step, uint32_t heirs)
{
    struct replay_message *m = replay_message(r, number);
    const char *door = door_of(r, w, m, heirs);
    uint32_t mirrors = m->holders & ~m->masters;
    m->lost_step = step;
    m->unlooked = r->unlooked;
    snprintf(m->door, sizeof(m->door), "%s", door);
    m->mirrors_gone = mirrors && (mirrors & ~r->gone[number - 1]) == 0;
    json_t *by = *door ? fact_of(N_("m%u through %s"), number, door) : fact_of("m%u", number);
    json_t *fact = fact_with("%s: %s", by, fact_word(sched_door_words(door)));
    if (m->mirrors_gone) {
        text_clear(&r->line);
        replay_node_list(&r->line, mirrors);
        fact_add(&fact, "%s (%s)",
                 fact_of(N_("and before that through L2: %s had it, as a mirror's copy, and went"),
                         text_str(&r->line)));
    }
    replay_say_fact(r, "   LOST", fact);
    json_decref(fact);
}

/* What serves its queue on its side, best who did before, or else at all. */
static struct replay_queue own_side(const struct watched *w, const struct replay_message *m, uint32_t heirs)
{
    heirs = heirs & m->masters ? heirs & m->masters : heirs;
    struct replay_queue q = w->now;
    for (unsigned i = 0; i < w->now.sides_len; i++)
        if (heirs >> w->now.sides[i].master & 1) {
            q.master = w->now.sides[i].master;
            q.holds.items = w->now.sides[i].holds.items;
            q.holds.len = w->now.sides[i].holds.len;
        }
    return q;
}

/* A limit of its queue has ended it: that is no loss. What nobody has looked at since may have met the limits
 * of then, and two sides those that they had when they parted. */
static bool ended(struct replay *r, const struct watched *w, unsigned number, unsigned step, uint32_t heirs)
{
    struct replay_message *m = replay_message(r, number);
    struct replay_bounds now = replay_limits_of(r->limits, w->name);
    bool others =
        w->now.state == REPLAY_RUNNING && !heirs; /* only they serve it: they have dropped nothing */
    if (others)
        now.length = now.bytes = -1;
    const struct replay_bounds *all[] = {&now, others ? NULL : &w->met,
                                         w->parted && !others ? &w->whole : NULL};
    const struct replay_queue q = own_side(w, m, heirs);
    if (w->now.state == REPLAY_GONE && r->by_operator)
        return false;
    bool same_master = q.master == w->before.master && !r->healed && !r->by_operator;
    for (size_t i = 0; i < ARRAY_LEN(all) && !m->ending; i++)
        if (all[i]) /* met: more may have come since */
            m->ending = replay_limits_ended(all[i], &q, number, r->world->now_ms(r->arg) - m->published_ms,
                                            m->ttl_ms, same_master || !w->seen_running, w->taken, i == 1);
    m->ended_step = m->ending ? step : 0;
    return m->ending != REPLAY_NOT_ENDED;
}

/* those that ended in this step, by one limit each line */
static void say_ended(struct replay *r, const char *queue, unsigned step)
{
    for (unsigned e = REPLAY_TOO_MANY; e <= REPLAY_QUEUE_EXPIRED; e++) {
        VEC(unsigned) numbers = {0};
        for (unsigned number = 1; number <= r->result->messages.len; number++)
            if (replay_message(r, number)->ending == (enum replay_ending)e &&
                replay_message(r, number)->ended_step == step &&
                strcmp(replay_message(r, number)->queue, queue) == 0)
                VEC_PUSH(&numbers, number);
        if (numbers.len) {
            bool full = e == REPLAY_TOO_MANY || e == REPLAY_TOO_LONG;
            json_t *fact = fact_with("%s: %s", replay_fact_messages("%s", numbers.items, numbers.len),
                                     fact_of(full ? N_("dropped by %s") : N_("expired by %s"),
                                             replay_ending_word((enum replay_ending)e)));
            replay_say_fact(r, "  ENDED", fact);
            json_decref(fact);
        }
        VEC_FREE(&numbers);
    }
}

/* Its queue holds it, by whoever serves that. */
static void is_here(struct replay *r, const struct watched *w, unsigned number)
{
    struct replay_message *m = replay_message(r, number);
    const struct replay_queue *q = &w->now;
    uint32_t in_sync = replay_holders(q, number), mirrors = 0, masters = 0;
    for (unsigned i = 0; i < q->sides_len; i++)
        if (among(q->sides[i].holds.items, q->sides[i].holds.len, number)) {
            mirrors |= q->sides[i].mirrors;
            masters |= 1u << q->sides[i].master;
        }
    if (!q->sides_len) {
        mirrors = q->mirrors;
        masters = masters_of(q);
    }
    /* at first every mirror has it: it was published to all; later, who is in sync. Who was and is no more
     * has begun again. */
    uint32_t kept = m->alive & mirrors & ~m->masters & ~m->synced;
    m->alive = kept | in_sync | (m->holders || r->unlooked ? 0 : mirrors);
    m->disk &= ~r->serving;
    m->masters = masters;
    m->synced = in_sync;
    m->side = side_of(r, masters);
    m->holders = m->holders ? m->holders : in_sync;
    m->removed = m->unavailable = m->apart = false;
    if (m->lost_step || m->ended_step) {
        m->lost_step = m->ended_step = 0;
        m->ending = REPLAY_NOT_ENDED;
        json_t *fact = fact_of(N_("m%u is there again"), number);
        replay_say_fact(r, "  FOUND", fact);
        json_decref(fact);
    }
}

static void say_apart(struct replay *r, unsigned number)
{
    text_clear(&r->line);
    replay_node_list(&r->line, replay_message(r, number)->disk);
    json_t *fact =
        fact_of(N_("m%u: on disks of the other side, which does not run: %s"), number, text_str(&r->line));
    replay_say_fact(r, "   AWAY", fact);
    json_decref(fact);
}

/* Its queue runs without it, or is there no more. */
static void is_not_here(struct replay *r, const struct watched *w, unsigned number, unsigned step)
{
    struct replay_message *m = replay_message(r, number);
    uint32_t heirs = masters_of(&w->now) & m->side;
    m->disk &= ~r->serving;
    if (m->removing || m->lost_step || m->ended_step) {
        m->removed = m->removing && !m->lost_step && !m->ended_step;
        return;
    }
    /* who serves it is of another side, and a disk of its own may come back */
    bool forgotten = w->now.state == REPLAY_GONE && r->by_operator;
    bool apart = !heirs && m->disk && !forgotten;
    if (apart)
        m->side &= ~r->serving;
    if (apart && !m->apart)
        say_apart(r, number);
    if (!apart && !ended(r, w, number, step, heirs))
        lose(r, w, number, step, heirs);
    m->apart = m->unavailable = apart;
}

void replay_account(struct replay *r, struct watched *w, unsigned step)
{
    for (unsigned number = 1; number <= r->result->messages.len; number++) {
        struct replay_message *m = replay_message(r, number);
        if (strcmp(m->queue, w->name) != 0 || m->answer != REPLAY_CONFIRMED || m->consumed)
            continue;
        bool runs = w->now.state == REPLAY_RUNNING;
        if (runs && holds(&w->now, number))
            is_here(r, w, number);
        else if (runs || w->now.state == REPLAY_GONE)
            is_not_here(r, w, number, step);
        else {
            m->unavailable = !m->lost_step && !m->ended_step && !m->removed;
            m->apart = false;
        }
    }
    say_ended(r, w->name, step);
    if (w->now.state == REPLAY_RUNNING || w->now.state == REPLAY_GONE) { /* else nobody has seen it */
        w->taken = 0;
        w->met = (struct replay_bounds){.length = -1, .bytes = -1, .ttl_ms = -1, .expires_ms = -1};
    }
    w->parted = r->split || r->differ;
    if (!w->parted && !r->away) /* who is away has those that it knew */
        w->whole = replay_limits_of(r->limits, w->name);
    if (w->now.state == REPLAY_RUNNING) {
        w->before = w->now;
        w->before.holds.items = NULL;
        w->before.holds.len = w->before.holds.cap = 0;
        w->before.sides_len = 0; /* those are still w->now's */
        w->seen_running = true;
    }
    if (w->now.state == REPLAY_GONE)
        replay_limits_gone(r->limits, w->name, r->away || r->split);
}

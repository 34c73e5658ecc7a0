/* confirm.c: publisher confirms. Each publish of a channel in confirm mode has a sequence number and a word
 * in a ring that counts the queues that still have to confirm it. At the end of a turn what is complete from
 * the oldest on is told with one basic.ack (multiple); what ended before an older one is told by itself, so
 * that a slow queue holds back nobody.
 *
 *     cookie  | slot 20 bits | sequence number 44 bits |
 *     state   | nacked 1 | told 1 | queues to go 30 |
 *
 * A slot's numbers go on when it is given to another channel: a late confirm never hits a newcomer's publish.
 */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

#define NACKED   0x80000000u
#define TOLD     0x40000000u
#define TO_GO    0x3fffffffu
#define SEQ_BITS 44
#define SEQ_MASK (((uint64_t)1 << SEQ_BITS) - 1)

bool confirms_create(struct channel *ch)
{
    struct broker *b = ch->conn->broker;
    uint32_t slot;
    if (b->free_slots.len) {
        slot = b->free_slots.items[--b->free_slots.len];
    } else {
        if (b->confirm_slots.len >= BROKER_CONFIRM_SLOTS)
            return false;
        slot = (uint32_t)b->confirm_slots.len;
        VEC_PUSH(&b->confirm_slots, (struct confirm_slot){.next = 1});
    }
    struct confirms *c = xcalloc(1, sizeof(*c));
    c->slot = slot;
    c->first = c->next = b->confirm_slots.items[slot].next;
    c->base = c->next - 1;
    c->states_cap = 64;
    c->states = xcalloc(c->states_cap, sizeof(*c->states));
    b->confirm_slots.items[slot].channel = ch;
    ch->confirms = c;
    return true;
}

void confirms_destroy(struct channel *ch)
{
    struct confirms *c = ch->confirms;
    if (!c)
        return;
    struct broker *b = ch->conn->broker;
    b->confirm_slots.items[c->slot].channel = NULL;
    b->confirm_slots.items[c->slot].next = c->next;
    VEC_PUSH(&b->free_slots, c->slot);
    free(c->states);
    VEC_FREE(&c->early);
    free(c);
    ch->confirms = NULL;
}

static uint32_t *state_of(const struct confirms *c, uint64_t seq)
{
    return &c->states[seq & (c->states_cap - 1)];
}

static void grow(struct confirms *c)
{
    size_t cap = c->states_cap * 2;
    uint32_t *states = xcalloc(cap, sizeof(*states));
    for (uint64_t s = c->first; s < c->next; s++)
        states[s & (cap - 1)] = *state_of(c, s);
    free(c->states);
    c->states = states;
    c->states_cap = cap;
}

static void ended(struct channel *ch, uint64_t seq)
{
    struct confirms *c = ch->confirms;
    if (seq != c->first)
        VEC_PUSH(&c->early, seq);
    channel_touch(ch);
}

uint64_t confirms_add(struct channel *ch, size_t queues)
{
    struct confirms *c = ch->confirms;
    ASSERT(queues <= TO_GO && c->next < SEQ_MASK);
    if (c->next - c->first == c->states_cap)
        grow(c);
    uint64_t seq = c->next++;
    *state_of(c, seq) = (uint32_t)queues;
    c->unresolved++;
    if (queues == 0)
        ended(ch, seq);
    return (uint64_t)c->slot << SEQ_BITS | seq;
}

void confirms_done(struct broker *b, uint64_t cookie, enum confirm how)
{
    uint64_t slot = cookie >> SEQ_BITS, seq = cookie & SEQ_MASK;
    if (slot == 0 || slot >= b->confirm_slots.len || !b->confirm_slots.items[slot].channel)
        return; /* its channel is gone */
    struct channel *ch = b->confirm_slots.items[slot].channel;
    struct confirms *c = ch->confirms;
    if (seq < c->first || seq >= c->next)
        return; /* of a channel that had this slot before */
    uint32_t *state = state_of(c, seq);
    if ((*state & TO_GO) == 0)
        return;
    if (how == CONFIRM_NACK)
        *state |= NACKED;
    if ((--*state & TO_GO) == 0)
        ended(ch, seq);
}

static void tell(struct channel *ch, bool nack, uint64_t seq, bool multiple)
{
    struct connection *conn = ch->conn;
    wire_put_confirm(&conn->out, ch->number, nack, seq - ch->confirms->base, multiple);
    conn->frames_out++;
}

/* From the oldest on: runs of acks and runs of nacks, one frame each. */
static void tell_front(struct channel *ch)
{
    struct confirms *c = ch->confirms;
    while (c->first < c->next && (*state_of(c, c->first) & TO_GO) == 0) {
        uint64_t last = 0, count = 0;
        bool nack = false;
        for (; c->first < c->next; c->first++) {
            uint32_t state = *state_of(c, c->first);
            if (state & TO_GO)
                break;
            if (state & TOLD)
                continue;
            if (count && nack != ((state & NACKED) != 0))
                break;
            nack = (state & NACKED) != 0;
            last = c->first;
            count++;
        }
        if (count)
            tell(ch, nack, last, count > 1);
        c->unresolved -= count;
        if (!nack)
            ch->conn->broker->totals.confirmed += count;
    }
}

void confirms_flush(struct channel *ch)
{
    struct confirms *c = ch->confirms;
    if (!c || ch->state != CHANNEL_OPEN)
        return;
    tell_front(ch);
    for (size_t i = 0; i < c->early.len; i++) {
        uint64_t seq = c->early.items[i];
        if (seq < c->first)
            continue;
        uint32_t *state = state_of(c, seq);
        tell(ch, (*state & NACKED) != 0, seq, false);
        *state |= TOLD;
        c->unresolved--;
        if (!(*state & NACKED))
            ch->conn->broker->totals.confirmed++;
    }
    c->early.len = 0;
}

/* ledger_number.c: the numbers that messages have on the screen. A place in a queue may be given twice, by
 * two masters (mirror's struct reign); the screen gives every message a number of its own, and never another
 * one.
 *
 *   reign   places        numbers
 *   A       0-4           0-4
 *   B       0-2           5-7      B began from an empty log
 *   B       3 (A's 4)     4        a publish that its publisher's node offered again: the same message
 *
 * As long as nothing is lost the number is the place. */
#include "ledger.h"

#define MAX_RUNS 4096 /* two sides of a partition take turns */

struct neighbours { /* numbers that are taken, next to a run's */
    uint64_t below, above;
};

static uint64_t last_number(const struct number_run *r)
{
    return r->number + (r->last - r->first);
}

static struct neighbours neighbours_of(const struct ledger *l, const struct number_run *run)
{
    struct neighbours n = {0, UINT64_MAX};
    for (size_t i = 0; i < l->numbers.len; i++) {
        const struct number_run *r = &l->numbers.items[i];
        if (r == run || r->uid != run->uid || r->again)
            continue;
        if (last_number(r) < run->number)
            n.below = u64_max(n.below, last_number(r) + 1);
        else
            n.above = u64_min(n.above, r->number);
    }
    return n;
}

/* Makes the run reach a place outside of it if the numbers between are free; *last: as far as they are. */
static bool reach(const struct ledger *l, struct number_run *run, uint64_t place, uint64_t *last)
{
    struct neighbours n = neighbours_of(l, run);
    if (place < run->first) {
        uint64_t down = run->first - place;
        if (run->number < n.below + down)
            return false;
        run->first = place;
        run->number -= down;
        *last = u64_min(*last, run->last);
        return true;
    }
    if (n.above - run->number <= place - run->first)
        return false;
    *last = u64_min(*last, run->first + (n.above - run->number) - 1);
    run->last = *last;
    return true;
}

static struct number_run *add_run(struct ledger *l, struct number_run run)
{
    if (l->numbers.len == MAX_RUNS) {
        size_t gone = MAX_RUNS / 4;
        memmove(l->numbers.items, l->numbers.items + gone, (MAX_RUNS - gone) * sizeof(*l->numbers.items));
        l->numbers.len -= gone;
        l->forgotten = true;
    }
    VEC_PUSH(&l->numbers, run);
    return &l->numbers.items[l->numbers.len - 1];
}

/* the run of a publish that was offered again */
static const struct number_run *find_again(const struct ledger *l, uint64_t uid, uint64_t reign,
                                           uint64_t place)
{
    for (size_t i = 0; i < l->numbers.len; i++) {
        const struct number_run *r = &l->numbers.items[i];
        if (r->again && r->uid == uid && r->reign == reign && r->first <= place && place <= r->last)
            return r;
    }
    return NULL;
}

uint64_t ledger_number(struct ledger *l, uint64_t uid, uint64_t reign, uint64_t place, uint64_t *last)
{
    uint64_t top = 0, ahead = 0; /* the first free number; how much numbers are ahead of places */
    struct number_run *newest = NULL;
    const struct number_run *again = find_again(l, uid, reign, place);
    if (again) {
        *last = u64_min(*last, again->last);
        return again->number + (place - again->first);
    }
    for (size_t i = 0; i < l->numbers.len; i++) {
        struct number_run *r = &l->numbers.items[i];
        if (r->uid != uid || r->again)
            continue;
        top = u64_max(top, last_number(r) + 1);
        ahead = r->number > r->first ? u64_max(ahead, r->number - r->first) : ahead;
        if (reign && r->reign != reign)
            continue; /* 0: nobody knows whose it was any more */
        if (r->first <= place && place <= r->last) {
            *last = u64_min(*last, r->last);
            return r->number + (place - r->first);
        }
        newest = r->reign == reign ? r : newest;
    }
    if (newest && reach(l, newest, place, last))
        return newest->number + (place - newest->first);
    struct number_run *r = add_run(l, (struct number_run){.uid = uid,
                                                          .reign = reign,
                                                          .first = place,
                                                          .last = *last,
                                                          .number = u64_max(place + ahead, top)});
    return r->number;
}

/* The same publish has a number already? Of the run from->first on; *last: so far this answer holds. */
static bool number_of_publish(const struct ledger *l, const struct fact *from, uint64_t *number,
                              uint64_t *last)
{
    for (size_t i = l->facts.len; i > 0; i--) {
        const struct fact *f = &l->facts.items[i - 1];
        if ((f->kind != TRACE_SEEN_ENQUEUED && f->kind != TRACE_SEEN_COPIED) ||
            f->queue_uid != from->queue_uid || f->reign == from->reign || f->origin != from->origin ||
            f->incarnation != from->incarnation)
            continue;
        uint64_t len = f->last - f->first;
        if (f->number <= from->number && from->number <= f->number + len) {
            *number = f->first + (from->number - f->number);
            *last = u64_min(*last, from->first + (f->number + len - from->number));
            return true;
        }
        if (f->number > from->number)
            *last = u64_min(*last, from->first + (f->number - from->number) - 1);
    }
    return false;
}

static bool other_reigns(const struct ledger *l, const struct fact *f)
{
    for (size_t i = 0; i < l->numbers.len; i++)
        if (l->numbers.items[i].uid == f->queue_uid && l->numbers.items[i].reign != f->reign)
            return true;
    return false;
}

uint64_t ledger_number_of(struct ledger *l, const struct fact *f, uint64_t *last)
{
    uint64_t number;
    bool published = f->kind == TRACE_SEEN_ENQUEUED || f->kind == TRACE_SEEN_COPIED;
    *last = f->last;
    if (published && other_reigns(l, f) && !find_again(l, f->queue_uid, f->reign, f->first) &&
        number_of_publish(l, f, &number, last))
        add_run(l, (struct number_run){.uid = f->queue_uid,
                                       .reign = f->reign,
                                       .first = f->first,
                                       .last = *last,
                                       .number = number,
                                       .again = true});
    return ledger_number(l, f->queue_uid, f->reign, f->first, last);
}

uint64_t ledger_last_number(const struct ledger *l)
{
    uint64_t last = 0;
    for (size_t i = 0; i < l->numbers.len; i++)
        if (l->numbers.items[i].uid == l->uid)
            last = u64_max(last, last_number(&l->numbers.items[i]));
    return last;
}

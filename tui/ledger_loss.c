/* ledger_loss.c: which messages were seen to be lost, and where: what is still said of them when the notes of
 * their lives are gone with the nodes' processes, and by the next screen (kept.h). */
#include "ledger.h"

#include "words.h"

#define MAX_OF_A_QUEUE 16
#define MAX_LOSSES     256

/* the labels that a moment may have where a message was lost; it is these that are kept */
static const char *known_how(const char *how)
{
    static const char *const known[] = {N_("back without it"), N_("promoted without it"),
                                        N_("side discarded"), N_("mirror, empty"), N_("drops its copy")};
    for (size_t i = 0; how && i < ARRAY_LEN(known); i++)
        if (strcmp(known[i], how) == 0)
            return known[i];
    return NULL;
}

void ledger_take_up_loss(struct ledger *l, const char *queue, struct loss loss, const char *how)
{
    loss.how = known_how(how);
    loss.before = true;
    if (l->losses.len == MAX_LOSSES || loss.last < loss.first)
        return;
    VEC_PUSH(&l->losses, loss);
    ledger_know_name(l, queue, loss.uid);
}

void ledger_take_up_more(struct ledger *l, const char *queue, uint64_t uid, uint64_t count)
{
    ledger_know_name(l, queue, uid);
    for (size_t i = 0; i < l->names.len; i++)
        if (strcmp(l->names.items[i].name, queue) == 0 && l->names.items[i].uid == uid)
            l->names.items[i].more_before = count;
}

const struct loss *ledger_lost_before(const struct ledger *l, uint64_t id)
{
    for (size_t i = 0; i < l->losses.len; i++) {
        const struct loss *k = &l->losses.items[i];
        if (k->before && k->uid == l->uid && k->first <= id && id <= k->last)
            return k;
    }
    return NULL;
}

long long ledger_lost_of(const struct ledger *l, const char *queue, bool of_side)
{
    uint64_t uid = 0, lost = 0, before = 0, more = 0, more_before = 0;
    for (size_t i = 0; i < l->names.len; i++)
        if (strcmp(l->names.items[i].name, queue) == 0) {
            uid = l->names.items[i].uid;
            more = l->names.items[i].more;
            more_before = l->names.items[i].more_before;
        }
    for (size_t i = 0; i < l->losses.len; i++) {
        const struct loss *k = &l->losses.items[i];
        if (k->uid == uid && (!of_side || (k->how && strcmp(k->how, "side discarded") == 0)))
            *(k->before ? &before : &lost) += k->last - k->first + 1;
    }
    /* what this screen finds for itself of those others is no further loss */
    return of_side && (more || more_before) ? -1 : (long long)(before + u64_max(lost + more, more_before));
}

/* where this screen saw the first of them lost */
static struct loss seen_now(const struct ledger *l, const struct snapshot *s, const struct fate_range *f)
{
    struct loss loss = {.uid = l->uid,
                        .first = f->first,
                        .last = f->last,
                        .node = -1,
                        .in_memory = f->fate.in_memory,
                        .logged = f->fate.logged};
    struct life life;
    ledger_life(l, s, f->first, &life);
    for (size_t i = 0; i < life.moments.len; i++)
        if (life.moments.items[i].bad) {
            loss.node = life.moments.items[i].from;
            loss.how = known_how(life.moments.items[i].label);
        }
    /* it is found lost when the last node that ever had it answers again; it went with another one */
    if (loss.how && strcmp(loss.how, "back without it") == 0 && life.went_with >= 0)
        loss.node = life.went_with;
    life_finish(&life);
    return loss;
}

void ledger_keep_losses(struct ledger *l, const struct snapshot *s)
{
    size_t kept = 0, of_it = 0;
    uint64_t more = 0;
    for (size_t i = 0; i < l->losses.len; i++) /* what an earlier screen saw stays as it was seen */
        if (l->losses.items[i].uid != l->uid || l->losses.items[i].before)
            l->losses.items[kept++] = l->losses.items[i];
    l->losses.len = kept;
    for (size_t i = 0; i < l->fates.len; i++) {
        const struct fate_range *f = &l->fates.items[i];
        if (f->fate.verdict != VERDICT_LOST || f->fate.before)
            continue;
        if (of_it++ < MAX_OF_A_QUEUE && l->losses.len < MAX_LOSSES)
            VEC_PUSH(&l->losses, seen_now(l, s, f));
        else
            more += f->last - f->first + 1;
    }
    for (size_t i = 0; i < l->names.len; i++)
        if (l->names.items[i].uid == l->uid)
            l->names.items[i].more = more;
}

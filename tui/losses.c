/* losses.c: see losses.h. It is an event of the list, so the list is where one looks whether it was told. */
#include "losses.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "away.h"

#define TOLD_MOST 256

/* Since the newest queue of this name was declared the list has this text. */
static bool listed(const struct snapshot *s, const char *queue, const char *text)
{
    char *declared = format_text("queue %s declared", queue);
    bool told = false;
    for (size_t i = 0; i < s->events_len; i++) {
        const struct event_seen *e = &s->events[i];
        if (strncmp(e->text, declared, strlen(declared)) == 0)
            told = false;
        told = told || (strcmp(e->kind, "lost") == 0 && strcmp(e->text, text) == 0);
    }
    free(declared);
    return told;
}

/* how the first of them was lost, if that was seen */
static const struct loss *loss_of(const struct ledger *l, uint64_t id)
{
    for (size_t i = 0; i < l->losses.len; i++) {
        const struct loss *k = &l->losses.items[i];
        if (k->uid == l->uid && k->first <= id && id <= k->last)
            return k;
    }
    return NULL;
}

/* "hello: #1 is lost: node1 came back without it" */
static char *text_of(const struct model *m, uint64_t first, uint64_t last)
{
    const struct loss *k = loss_of(&m->ledger, first);
    const char *how = k && k->how && k->node >= 0 ? k->how : "", *queue = m->ledger.queue;
    const char *node = *how ? m->snapshot->nodes[k->node].name : "";
    bool one = first == last;
    char *which = one ? format_text("#%" PRIu64, first + 1)
                      : format_text("#%" PRIu64 "-#%" PRIu64, first + 1, last + 1);
    char *text;
    if (strcmp(how, "back without it") == 0)
        text = format_text(one ? "%s: %s is lost: %s came back without it"
                               : "%s: %s are lost: %s came back without them",
                           queue, which, node);
    else if (strcmp(how, "promoted without it") == 0)
        text = format_text(one ? "%s: %s is lost: %s was promoted without it"
                               : "%s: %s are lost: %s was promoted without them",
                           queue, which, node);
    else if (strcmp(how, "side discarded") == 0)
        text = format_text(one ? "%s: %s is lost: discarded with the side of %s"
                               : "%s: %s are lost: discarded with the side of %s",
                           queue, which, node);
    else
        text = format_text(one ? "%s: %s is lost: no node has it, and nobody took it"
                               : "%s: %s are lost: no node has them, and nobody took them",
                           queue, which);
    free(which);
    return text;
}

/* The first of first..last that was not told; last + 1: all were. */
static uint64_t untold_from(const struct model *m, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < m->lost_told.len && first <= last; i++) {
        const struct lost_told *t = &m->lost_told.items[i];
        if (t->uid == m->ledger.uid && t->first <= first && first <= t->last) {
            first = t->last + 1;
            i = (size_t)-1; /* what begins there may have been told before this one */
        }
    }
    return first;
}

/* What was told when nobody looked at single messages: "1 message is lost". Looked at since, it is the same.
 */
static bool was_counted(struct model *m, const char *queue, uint64_t lost)
{
    for (size_t i = 0; i < m->away.len; i++) {
        struct away *a = &m->away.items[i];
        if (strcmp(a->queue, queue) == 0 && a->counted > 0 && lost <= (uint64_t)a->counted) {
            a->counted -= (int64_t)lost;
            return true;
        }
    }
    return false;
}

static char *next_of_ledger(struct model *m)
{
    const struct ledger *l = &m->ledger;
    for (size_t i = 0; l->queue && i < l->fates.len; i++) {
        const struct fate_range *f = &l->fates.items[i];
        if (f->fate.verdict != VERDICT_LOST || f->fate.before)
            continue;
        uint64_t first = untold_from(m, f->first, f->last);
        if (first > f->last || m->lost_told.len == TOLD_MOST)
            continue;
        VEC_PUSH(&m->lost_told, (struct lost_told){.uid = l->uid, .first = first, .last = f->last});
        char *text = text_of(m, first, f->last);
        if (!listed(m->snapshot, l->queue, text) && !was_counted(m, l->queue, f->last - first + 1))
            return text;
        free(text);
    }
    return NULL;
}

/* Nodes may count late (away.c: RabbitMQ does so every 5 s): the kit's, who tell of single messages, do not.
 */
#define COUNTED_MS 10000

static char *restart_text(const char *queue, int64_t gone)
{
    return format_text(gone == 1 ? "%s: %lld transient message gone after the restart"
                                 : "%s: %lld transient messages gone after the restart",
                       queue, (long long)gone);
}

static char *next_of_counts(struct model *m)
{
    const struct snapshot *s = m->snapshot;
    for (size_t i = 0; s->source >= 0 && i < m->away.len; i++) {
        struct away *a = &m->away.items[i];
        if (a->held < 0 || !a->back_at || a->loss_told)
            continue;
        if (!s->traces && s->taken_at < a->back_at + COUNTED_MS)
            continue;
        a->loss_told = true;
        bool by_ledger = s->traces && m->ledger.queue && strcmp(m->ledger.queue, a->queue) == 0;
        if (by_ledger || a->missing <= 0)
            continue;
        a->counted = a->missing;
        if (a->restarted)
            return restart_text(a->queue, a->missing);
        char *nodes = snapshot_node_names(s, a->kept_on);
        char *text = format_text(a->missing == 1 ? "%s: %lld message is lost: its only copy was on %s"
                                                 : "%s: %lld messages are lost: their only copies were on %s",
                                 a->queue, (long long)a->missing, nodes);
        free(nodes);
        return text;
    }
    return NULL;
}

/* A mirror that was not in sync took over, of nodes that do not say so: what was counted before and since. It
 * is a loss if nothing went in or out meanwhile, for so long that it would have been counted (away.h). */
static char *next_of_short(struct model *m, const char **kind)
{
    const struct snapshot *s = m->snapshot;
    for (size_t i = 0; s->source >= 0 && i < m->away.len; i++) {
        const char *queue = m->away.items[i].queue;
        struct short_of *k = &m->away.items[i].short_of;
        if (!k->open || !k->at)
            continue;
        const char *to = s->nodes[k->to].name;
        if (!k->told) {
            k->told = true;
            *kind = "promote";
            return format_text(k->had == 1 ? "%s: %s promoted, NOT in sync: %lld message before, now %lld"
                                           : "%s: %s promoted, NOT in sync: %lld messages before, now %lld",
                               queue, to, (long long)k->had, (long long)k->has);
        }
        if (k->lost_told || !k->still || k->had <= k->has || s->taken_at < k->at + COUNTED_MS)
            continue;
        k->lost_told = true;
        long long lost = (long long)(k->had - k->has);
        return format_text(lost == 1 ? "%s: %lld message is lost: %s was promoted without it"
                                     : "%s: %lld messages are lost: %s was promoted without them",
                           queue, lost, to);
    }
    return NULL;
}

/* What memory alone held when an earlier screen closed, and all its nodes began anew since. */
static char *next_since_earlier(struct model *m)
{
    const struct snapshot *s = m->snapshot;
    for (size_t i = 0; s->source >= 0 && i < m->away.len; i++) {
        struct away *a = &m->away.items[i];
        const struct queue_seen *q = snapshot_queue(s, a->queue);
        if (a->left_here || a->left_told || a->left_in_memory <= 0 || !away_restarted(s, a, q))
            continue;
        a->left_told = true;
        int64_t gone = a->left - q->messages;
        gone = gone < a->left_in_memory ? gone : a->left_in_memory;
        if (gone > 0)
            return restart_text(a->queue, gone);
    }
    return NULL;
}

char *losses_next(struct model *m, const char **kind)
{
    *kind = "lost";
    if (!m->snapshot)
        return NULL;
    char *text = next_of_ledger(m);
    text = text ? text : next_of_counts(m);
    text = text ? text : next_of_short(m, kind);
    if (text)
        return text;
    *kind = "queue";
    return next_since_earlier(m);
}

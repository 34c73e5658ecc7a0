/* workers.c: the producers and consumers of a kill loop. */
#include "tests/cluster/workers.h"

#include <poll.h>
#include <stdio.h>

enum { PREFETCH = 40, TURN_MS = 20, BETWEEN_TRIES_MS = 10, BIG_BODY = 9000, HANGS_UP_ONE_IN = 1000 };

static void leave(struct worker *w)
{
    atomic_store(&w->ready, false);
    user_drop(&w->user);
}

static bool avoided(const struct worker *w)
{
    return atomic_load(&w->all->avoid) >> atomic_load(&w->node) & 1;
}

/* To any node that serves, first a random one. Every queue is there: the test declared them. */
static bool connected(struct worker *w)
{
    if (w->user.connection && !avoided(w))
        return true;
    leave(w);
    unsigned nodes = w->all->lab->nodes, first = (unsigned)rng_below(&w->rng, nodes);
    for (unsigned i = 0; i < nodes && !w->user.connection; i++) {
        unsigned node = (first + i) % nodes + 1;
        if (!(atomic_load(&w->all->avoid) >> node & 1) && user_open(&w->user, w->all->lab, node))
            atomic_store(&w->node, node);
    }
    if (!w->user.connection) {
        atomic_store(&w->node, 0);
        poll(NULL, 0, BETWEEN_TRIES_MS);
    }
    return w->user.connection != NULL;
}

static const char *queue_name(const struct worker *w)
{
    return w->all->account->queues[w->queue].name;
}

/* ---- producer ------------------------------------------------------------------------------------------ */

/* A new channel: what was published on the old one and not answered is published again, in order, before
 * anything new. */
static bool begin_publishing(struct worker *w)
{
    VEC(uint32_t) left = {0};
    for (size_t i = 0; i < w->published.len; i++)
        if (!w->published.items[i].answered)
            VEC_PUSH(&left, w->published.items[i].number);
    for (; w->again_at < w->again.len; w->again_at++)
        VEC_PUSH(&left, w->again.items[w->again_at]);
    VEC_FREE(&w->again);
    w->again.items = left.items;
    w->again.len = left.len;
    w->again.cap = left.cap;
    w->again_at = 0;
    w->published.len = w->settled = 0;
    w->open = 0;
    w->channel++;
    return user_confirms(&w->user);
}

static bool publish_one(struct worker *w)
{
    struct account *a = w->all->account;
    uint32_t number = 0;
    bool persistent = rng_chance(&w->rng, 50);
    if (w->again_at < w->again.len) {
        number = w->again.items[w->again_at++];
        persistent = account_persistent(a, w->queue, number);
    }
    uint32_t sequence = account_publish(a, w->queue, &number, atomic_load(&w->node), w->channel, persistent);
    struct published p = {number, sequence, false};
    VEC_PUSH(&w->published, p);
    w->open++;
    char body[BIG_BODY];
    int len = snprintf(body, sizeof(body), "%u %u ", number, sequence);
    size_t padding = rng_chance(&w->rng, 3) ? sizeof(body) - 64 : rng_below(&w->rng, 200);
    memset(body + len, 'x', padding);
    body[(size_t)len + padding] = 0;
    return user_publish(&w->user, queue_name(w), body, persistent, false);
}

static void answered(struct worker *w, size_t tag, bool refused)
{
    struct published *p = &w->published.items[tag - 1];
    if (p->answered) {
        account_broken(w->all->account, "%s: sequence %u was answered twice", queue_name(w), p->sequence);
        return;
    }
    p->answered = true;
    w->open--;
    account_confirm(w->all->account, w->queue, p->sequence, refused);
    if (refused)
        VEC_PUSH(&w->again, p->number);
}

static void take_answer(struct worker *w, const struct user_news *news)
{
    if (news->tag < 1 || news->tag > w->published.len) {
        account_broken(w->all->account, "%s: a confirm for tag %llu, only %zu were published", queue_name(w),
                       (unsigned long long)news->tag, w->published.len);
        return;
    }
    bool refused = news->event == USER_NACK;
    for (size_t tag = w->settled + 1; news->multiple && tag < news->tag; tag++)
        if (!w->published.items[tag - 1].answered)
            answered(w, tag, refused);
    answered(w, news->tag, refused);
    while (w->settled < w->published.len && w->published.items[w->settled].answered)
        w->settled++;
}

static void *produce(void *arg)
{
    struct worker *w = arg;
    struct workers *all = w->all;
    while (!atomic_load(&all->stop)) {
        if (!connected(w))
            continue;
        if (!atomic_load(&w->ready)) {
            atomic_store(&w->ready, begin_publishing(w));
            if (!atomic_load(&w->ready))
                leave(w);
            continue;
        }
        struct account_sums s = account_sums(all->account, w->queue);
        unsigned waiting = s.sent - s.seen;
        for (; w->open < all->window && w->user.connection; waiting++) {
            bool repeat = w->again_at < w->again.len;
            if (!repeat && (atomic_load(&all->quiet) || waiting >= atomic_load(&all->backlog)))
                break;
            if (!publish_one(w))
                leave(w);
        }
        int patience_ms = w->open ? TURN_MS : TURN_MS / 4;
        struct user_news news = {.event = USER_NOTHING};
        do {
            if (!w->user.connection)
                break;
            news = user_next(&w->user, patience_ms);
            if (news.event == USER_ACK || news.event == USER_NACK)
                take_answer(w, &news);
            if (news.event == USER_GONE)
                leave(w);
            patience_ms = 0;
        } while (news.event != USER_NOTHING);
    }
    leave(w);
    return NULL;
}

/* ---- consumer ------------------------------------------------------------------------------------------ */

static bool begin_consuming(struct worker *w)
{
    w->held.len = 0;
    w->patience = 1 + (unsigned)rng_below(&w->rng, PREFETCH);
    return user_consume(&w->user, (struct user_consumer){.queue = queue_name(w),
                                                         .prefetch = PREFETCH,
                                                         .cancel_on_failover = w->all->cancelled[w->queue]});
}

static bool acknowledge(struct worker *w)
{
    bool done = true;
    if (rng_chance(&w->rng, 50)) {
        done = user_ack(&w->user, w->held.items[w->held.len - 1], true);
    } else {
        for (size_t i = 0; i < w->held.len && done; i++)
            done = user_ack(&w->user, w->held.items[i], false);
    }
    w->held.len = 0;
    w->patience = 1 + (unsigned)rng_below(&w->rng, PREFETCH);
    return done;
}

static bool work_on(struct worker *w, const struct user_news *news)
{
    unsigned number = 0, sequence = 0;
    if (sscanf(news->body, "%u %u", &number, &sequence) != 2) {
        account_broken(w->all->account, "%s: a body that nobody sent: %.40s", queue_name(w), news->body);
        return true;
    }
    account_deliver(w->all->account, w->queue, number, sequence, news->redelivered);
    bool hold = atomic_load(&w->all->hold);
    if (!hold && rng_chance(&w->rng, 2))
        return user_requeue(&w->user, news->tag);
    VEC_PUSH(&w->held, news->tag);
    return hold || w->held.len < w->patience || acknowledge(w);
}

static void *consume(void *arg)
{
    struct worker *w = arg;
    struct workers *all = w->all;
    while (!atomic_load(&all->stop)) {
        if (!connected(w))
            continue;
        if (!atomic_load(&w->ready)) {
            atomic_store(&w->ready, begin_consuming(w));
            if (!atomic_load(&w->ready)) {
                leave(w); /* a queue that is stopped or down: not for long */
                poll(NULL, 0, BETWEEN_TRIES_MS);
            }
            continue;
        }
        struct user_news news = user_next(&w->user, TURN_MS);
        bool there = news.event != USER_GONE;
        if (news.event == USER_DELIVERY)
            there = work_on(w, &news) && (atomic_load(&all->hold) || rng_below(&w->rng, HANGS_UP_ONE_IN));
        if (news.event == USER_NOTHING && w->held.len && !atomic_load(&all->hold))
            there = acknowledge(w);
        if (news.event == USER_CANCEL) {
            account_cancel(all->account, w->queue, all->cancelled[w->queue]);
            atomic_store(&w->ready, false);
        }
        if (!there)
            leave(w);
    }
    leave(w);
    return NULL;
}

/* ---- all ----------------------------------------------------------------------------------------------- */

void workers_start(struct workers *w, const struct lab *lab, struct account *account, uint64_t seed)
{
    w->lab = lab;
    w->account = account;
    struct rng rng;
    rng_init(&rng, seed);
    for (unsigned i = 0; i < w->account->queues_len; i++) {
        struct worker *both[] = {&w->producers[i], &w->consumers[i]};
        for (size_t k = 0; k < ARRAY_LEN(both); k++) {
            both[k]->all = w;
            both[k]->queue = i;
            rng_init(&both[k]->rng, rng_next(&rng));
            ASSERT(pthread_create(&both[k]->thread, NULL, k ? consume : produce, both[k]) == 0);
        }
    }
}

void workers_end(struct workers *w)
{
    atomic_store(&w->stop, true);
    for (unsigned i = 0; i < w->account->queues_len; i++) {
        struct worker *both[] = {&w->producers[i], &w->consumers[i]};
        for (size_t k = 0; k < ARRAY_LEN(both); k++) {
            pthread_join(both[k]->thread, NULL);
            VEC_FREE(&both[k]->published);
            VEC_FREE(&both[k]->again);
            VEC_FREE(&both[k]->held);
        }
    }
}

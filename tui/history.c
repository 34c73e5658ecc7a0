/* history.c: sixty seconds of each queue: how deep it was, and what went in and out. The rate of the queue's
 * master is a mean of some seconds, in which one message is less than one a second, and not nothing; nodes
 * that note single messages say in which second one came or went. */
#include <stdlib.h>

#include "history.h"

static struct history *find_history(struct model *m, const char *queue, size_t at)
{
    if (at < m->history.len && strcmp(m->history.items[at].queue, queue) == 0)
        return &m->history.items[at];
    for (size_t i = 0; i < m->history.len; i++)
        if (strcmp(m->history.items[i].queue, queue) == 0)
            return &m->history.items[i];
    struct history h = {.queue = xstrdup(queue)};
    for (size_t i = 0; i < HISTORY_LEN; i++)
        h.depth[i] = h.published[i] = h.delivered[i] = -1;
    VEC_PUSH(&m->history, h);
    return &m->history.items[m->history.len - 1];
}

static void add_sample(int64_t samples[HISTORY_LEN], int64_t newest)
{
    memmove(samples, samples + 1, (HISTORY_LEN - 1) * sizeof(samples[0]));
    samples[HISTORY_LEN - 1] = newest;
}

/* What was noted since the snapshot before. The first one of all hears of what nobody saw: that is no news.
 */
static void count_notes(struct model *m, const struct snapshot *s)
{
    for (size_t i = 0; m->snapshot && i < s->trace_len; i++) {
        const struct trace_seen *t = &s->trace[i];
        if (t->kind != TRACE_SEEN_ACCEPTED && t->kind != TRACE_SEEN_DELIVERED)
            continue;
        const struct queue_seen *q = snapshot_queue(s, t->queue);
        if (!q)
            continue;
        struct history *h = find_history(m, t->queue, (size_t)(q - s->queues));
        *(t->kind == TRACE_SEEN_ACCEPTED ? &h->in : &h->out) += (int64_t)(t->last - t->first + 1);
    }
}

/* So many a second, seconds after the last sample; -1: nobody says. */
static int64_t per_second(const struct snapshot *s, const struct queue_seen *q, double rate, int64_t noted,
                          int64_t seconds)
{
    bool served = s->source >= 0 && (q->state == QUEUE_SEEN_RUNNING || q->state == QUEUE_SEEN_SYNCING);
    int64_t most = rate < 0 ? -1 : (int64_t)rate;
    if (!s->traces || !served)
        return rate > 0 && rate < 1 ? 1 : most;
    noted = (noted + seconds - 1) / seconds;
    return noted > most ? noted : most;
}

static void sample(struct history *h, const struct snapshot *s, const struct queue_seen *q)
{
    ms_time missed = h->sampled_at ? s->taken_at / 1000 - h->sampled_at / 1000 : 1;
    int64_t seconds = (int64_t)missed;
    for (; missed > 1; missed = missed > HISTORY_LEN ? HISTORY_LEN : missed - 1) { /* nobody looked */
        add_sample(h->depth, -1);
        add_sample(h->published, -1);
        add_sample(h->delivered, -1);
    }
    add_sample(h->depth, q->messages);
    add_sample(h->published, per_second(s, q, q->publish_rate, h->in, seconds));
    add_sample(h->delivered, per_second(s, q, q->deliver_rate, h->out, seconds));
    h->in = h->out = 0;
    h->sampled_at = s->taken_at;
}

void history_observe(struct model *m, const struct snapshot *s)
{
    count_notes(m, s);
    for (size_t i = 0; i < s->queues_len; i++) {
        struct history *h = find_history(m, s->queues[i].name, i);
        if (!h->sampled_at || s->taken_at / 1000 != h->sampled_at / 1000) /* the first look of each second */
            sample(h, s, &s->queues[i]);
    }
    for (size_t i = m->history.len; i-- > 0;)
        if (!snapshot_queue(s, m->history.items[i].queue)) {
            free(m->history.items[i].queue);
            VEC_REMOVE(&m->history, i);
        }
}

const struct history *model_history(const struct model *m, const char *queue)
{
    for (size_t i = 0; i < m->history.len; i++)
        if (strcmp(m->history.items[i].queue, queue) == 0)
            return &m->history.items[i];
    return NULL;
}

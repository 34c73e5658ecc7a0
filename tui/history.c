/* history.c: sixty seconds of each queue: how deep it was, and what went in and out. Nodes that note single
 * messages say when each came or went: it is counted in its own second, also where it is heard of late, so
 * what is drawn adds up to what there was. Of other nodes there is what they have counted so far, every few
 * seconds: what has been added since the look a second before; where they do not count, their rate: a mean of
 * some seconds, in which one message is less than one a second, and not nothing. */
#include <stdlib.h>

#include "history.h"

static struct history *find_history(struct model *m, const char *queue, size_t at)
{
    if (at < m->history.len && strcmp(m->history.items[at].queue, queue) == 0)
        return &m->history.items[at];
    for (size_t i = 0; i < m->history.len; i++)
        if (strcmp(m->history.items[i].queue, queue) == 0)
            return &m->history.items[i];
    struct history h = {.queue = xstrdup(queue), .published_before = -1, .taken_before = -1};
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

/* n more, so many seconds ago: 0 is the second that is not over yet */
static void add_noted(int64_t samples[HISTORY_LEN], int64_t *unfinished, int64_t ago, int64_t n)
{
    int64_t *to = ago == 0 ? unfinished : ago > 0 && ago <= HISTORY_LEN ? &samples[HISTORY_LEN - ago] : NULL;
    if (to && n > 0)
        *to = (*to < 0 ? 0 : *to) + n;
}

/* A run is spread evenly over the time from its first to its last. Its node's clock may be another one: what
 * is heard now was noted after what was heard from it before. */
static void add_run(struct history *h, const struct snapshot *s, const struct trace_seen *t, ms_time heard_at)
{
    bool in = t->kind == TRACE_SEEN_ACCEPTED;
    int64_t now = (int64_t)s->taken_at, least = (int64_t)u64_min(s->taken_at, heard_at);
    int64_t from = now - (s->taken_wall_ms - t->from_us / 1000);
    int64_t until = now - (s->taken_wall_ms - t->until_us / 1000);
    from = from < least ? least : from > now ? now : from;
    until = until < from ? from : until > now ? now : until;
    int64_t all = (int64_t)(t->last - t->first + 1), done = 0;
    for (int64_t second = from / 1000; second <= until / 1000; second++) {
        int64_t end = (second + 1) * 1000, then = all;
        if (end <= until)
            then = (int64_t)((double)all * (double)(end - from) / (double)(until - from));
        add_noted(in ? h->published : h->delivered, in ? &h->in : &h->out, now / 1000 - second, then - done);
        done = then;
    }
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
        bool known = t->node >= 0 && (size_t)t->node < m->snapshot->nodes_len;
        if (q)
            add_run(find_history(m, t->queue, (size_t)(q - s->queues)), s, t,
                    known ? m->snapshot->nodes[t->node].answered_at : 0);
    }
}

static bool is_counted(const struct snapshot *s, const struct queue_seen *q)
{
    return s->source >= 0 && q->messages >= 0 && /* by a master that answers */
           (q->state == QUEUE_SEEN_RUNNING || q->state == QUEUE_SEEN_SYNCING);
}

/* What nodes that note nothing have added to what they counted; -1: nobody counts, or who did is away and
 * took it along. */
static int64_t added(const struct snapshot *s, const struct queue_seen *q, int64_t before, int64_t now)
{
    return !s->traces && is_counted(s, q) && before >= 0 && now >= before ? now - before : -1;
}

/* What came or went in a second that is over; -1: nobody can say. gaps: not all of it was noted. */
static int64_t in_second(const struct snapshot *s, const struct queue_seen *q, double rate, int64_t noted,
                         bool gaps)
{
    bool counted = is_counted(s, q);
    bool rare = !s->traces && rate > 0 && rate < 1;
    int64_t mean = rare ? 1 : rate < 0 ? -1 : (int64_t)rate;
    int64_t least = !counted ? -1 : !s->traces ? mean : gaps && mean > 0 ? mean : 0;
    return noted > 0 && noted > least ? noted : least;
}

/* what was added in more seconds than these is not all of the last one */
#define MOST_OVER 2

/* The first look of a second: those since the look before it are over. What is noted is heard of whenever it
 * happened; of a rate that nobody asked for nothing is known. */
static void sample(struct history *h, const struct snapshot *s, const struct queue_seen *q)
{
    bool first = !h->sampled_at; /* nobody listened before */
    ms_time over = first ? 1 : s->taken_at / 1000 - h->sampled_at / 1000;
    int64_t in = over > MOST_OVER ? -1 : added(s, q, h->published_before, q->published),
            out = over > MOST_OVER ? -1 : added(s, q, h->taken_before, q->taken);
    for (ms_time left = over; left > 0; left = left > HISTORY_LEN ? HISTORY_LEN : left - 1) {
        bool said = left == 1 || s->traces;
        bool gaps = h->gaps || first;
        add_sample(h->depth, left == 1 ? q->messages : -1);
        add_sample(h->published, !said ? -1 : in >= 0 ? in : in_second(s, q, q->publish_rate, h->in, gaps));
        add_sample(h->delivered, !said      ? -1
                                 : out >= 0 ? out
                                            : in_second(s, q, q->deliver_rate, h->out, gaps));
        h->in = h->out = 0;
    }
    if (is_counted(s, q)) {
        h->published_before = q->published;
        h->taken_before = q->taken;
    }
    h->gaps = false;
    h->sampled_at = s->taken_at;
}

void history_observe(struct model *m, const struct snapshot *s)
{
    bool gaps = m->snapshot && (s->trace_gaps & m->snapshot->traces);
    for (size_t i = 0; i < s->queues_len; i++) {
        struct history *h = find_history(m, s->queues[i].name, i);
        h->gaps = h->gaps || gaps;
        if (!h->sampled_at || s->taken_at / 1000 != h->sampled_at / 1000)
            sample(h, s, &s->queues[i]);
    }
    count_notes(m, s);
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

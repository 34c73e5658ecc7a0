/* goal.c: how far a command that takes its time has come, how fast it goes, when it will be there: from what
 * the nodes report of its queue, never from what the command believes. See ran.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "ran.h"
#include "words.h"

#define WORTH_SAYING 1000 /* messages; fewer are there before one has read the line */
#define STILL_MS     5000 /* RabbitMQ tells of what happened some seconds later */

/* the word behind this one; NULL: it is not there */
static const char *option(const struct command *c, const char *name)
{
    for (size_t i = 0; c->argv[i]; i++)
        if (strcmp(c->argv[i], name) == 0)
            return c->argv[i + 1];
    return NULL;
}

static const struct queue_seen *queue_of(const struct model *m, const char *queue)
{
    return m->snapshot ? snapshot_queue(m->snapshot, queue) : NULL;
}

/* what the queue's master has counted so far, of what the goal is about; -1: it does not say */
static int64_t total_of(const struct goal *g, const struct queue_seen *q)
{
    return !q ? -1 : g->of == GOAL_PUBLISH ? q->published : q->taken;
}

void goal_begin(const struct model *m, struct command *c)
{
    const char *slash = strrchr(c->argv[0], '/'), *program = slash ? slash + 1 : c->argv[0];
    const char *queue = option(c, "--queue"), *count = option(c, "--count"),
               *synced = option(c, "sync_queue");
    int64_t wanted = count ? strtoll(count, NULL, 10) : 0;
    bool publishes = strcmp(program, "producer") == 0, takes = strcmp(program, "consumer") == 0;
    free(c->goal.queue);
    c->goal = (struct goal){.queue = NULL};
    if ((publishes || takes) && queue && wanted >= WORTH_SAYING) {
        const struct queue_seen *q = queue_of(m, queue);
        c->goal = (struct goal){.queue = xstrdup(queue),
                                .of = publishes ? GOAL_PUBLISH : GOAL_TAKE,
                                .wanted = wanted,
                                .depth = q ? q->messages : 0};
        c->goal.total = total_of(&c->goal, q);
    } else if (synced) {
        c->goal = (struct goal){.queue = xstrdup(synced), .of = GOAL_SYNC};
    }
}

/* ---- how many came, or were taken
 * --------------------------------------------------------------------------------- */

/* Single messages, as nodes noted them: that counts each once, whatever becomes of it then. */
static void count_noted(const struct snapshot *s, struct goal *g)
{
    for (size_t i = 0; i < s->trace_len; i++) {
        const struct trace_seen *t = &s->trace[i];
        bool counts = g->of == GOAL_PUBLISH ? t->kind == TRACE_SEEN_ACCEPTED
                                            : t->kind == TRACE_SEEN_ACKED || t->kind == TRACE_SEEN_AUTO_ACKED;
        if (counts && strcmp(t->queue, g->queue) == 0)
            g->counted += (int64_t)(t->last - t->first + 1);
    }
    g->gaps = g->gaps || s->trace_gaps;
    g->least = g->gaps;
}

/* RabbitMQ counts from the first message on; and each master from when it became it. */
static void count_total(struct goal *g, int64_t total)
{
    int64_t before = g->total >= 0 ? g->total : g->depth >= 0 ? 0 : total;
    g->counted += total >= before ? total - before : total;
    g->total = total;
    g->least = false;
}

/* What the queue holds more, or less, is all that is told: of what others took out again, or the queue
 * dropped because it was full, nothing is seen then. */
static void count_depth(struct goal *g, const struct queue_seen *q)
{
    g->depth = g->depth < 0 ? q->messages : g->depth;
    int64_t came = g->of == GOAL_PUBLISH ? q->messages - g->depth : g->depth - q->messages;
    bool others = g->of == GOAL_PUBLISH ? q->consumers > 0 || q->deliver_rate > 0 : q->publish_rate > 0;
    bool full = q->effective_definition && strstr(q->effective_definition, "max-length");
    g->came = came > g->came ? came : g->came;
    g->least = others || full;
}

/* ---- pace
 * ------------------------------------------------------------------------------------------------------- */

static void pace_add(struct pace *p, ms_time at, int64_t count)
{
    if (p->len && count < p->samples[p->len - 1].count)
        p->len = 0; /* it begins anew */
    if (p->len && at <= p->samples[p->len - 1].at)
        return;
    if (!p->len || count != p->samples[p->len - 1].count)
        p->changed_at = at;
    if (p->len == PACE_SAMPLES)
        memmove(p->samples, p->samples + 1, sizeof(p->samples[0]) * (size_t)--p->len);
    p->samples[p->len].at = at;
    p->samples[p->len++].count = count;
}

/* per second, over the samples there are; negative: not known yet */
static double pace_rate(const struct pace *p)
{
    if (p->len < 2)
        return -1;
    ms_time took = p->samples[p->len - 1].at - p->samples[0].at;
    return (double)(p->samples[p->len - 1].count - p->samples[0].count) * 1000.0 / (double)took;
}

/* It is not there, and did not move for longer than nodes take to tell of it. */
static bool stands_still(const struct pace *p, int64_t wanted)
{
    return p->len && p->samples[p->len - 1].count < wanted &&
           p->samples[p->len - 1].at >= p->changed_at + STILL_MS;
}

static char *pace_text(const char *queue, const struct pace *p, int64_t wanted)
{
    int64_t count = p->len ? p->samples[p->len - 1].count : 0;
    count = count > wanted ? wanted : count; /* others may do the same */
    double rate = pace_rate(p), part = wanted > 0 ? (double)count * 100.0 / (double)wanted : 0;
    int percent = (int)part;
    if (stands_still(p, wanted))
        return format_text(_("%s: %" PRId64 " of %" PRId64 " (%d%%), it stands still"), queue, count, wanted,
                           percent);
    if (rate < 1)
        return format_text(_("%s: %" PRId64 " of %" PRId64 " (%d%%)"), queue, count, wanted, percent);
    int64_t left = wanted > count ? (int64_t)((double)(wanted - count) / rate) + 1 : 0;
    return format_text(_("%s: %" PRId64 " of %" PRId64 " (%d%%), %.0f/s, %" PRId64 " s left"), queue, count,
                       wanted, percent, rate, left);
}

static struct pace *pace_of(struct model *m, const char *queue)
{
    for (size_t i = 0; i < m->syncs.len; i++)
        if (strcmp(m->syncs.items[i].queue, queue) == 0)
            return &m->syncs.items[i].pace;
    VEC_PUSH(&m->syncs, (struct queue_pace){.queue = xstrdup(queue)});
    return &m->syncs.items[m->syncs.len - 1].pace;
}

static void observe_command(const struct model *m, struct command *c)
{
    const struct snapshot *s = m->snapshot;
    struct goal *g = &c->goal;
    const struct queue_seen *q = g->queue ? queue_of(m, g->queue) : NULL;
    if (!c->running || !g->queue || g->of == GOAL_SYNC)
        return;
    if (s->traces)
        count_noted(s, g);
    else if (total_of(g, q) >= 0)
        count_total(g, total_of(g, q));
    else if (q && q->messages >= 0)
        count_depth(g, q);
    else
        return;
    g->came = g->counted > g->came ? g->counted : g->came;
    pace_add(&g->pace, s->taken_at, g->came);
}

static bool syncs(const struct queue_seen *q)
{
    return q && q->sync_messages >= 0 && q->state == QUEUE_SEEN_SYNCING;
}

void goal_observe(struct model *m)
{
    for (size_t i = 0; i < m->others.len; i++)
        observe_command(m, m->others.items[i]);
    if (m->command)
        observe_command(m, m->command);
    for (size_t i = 0; i < m->snapshot->queues_len; i++) {
        const struct queue_seen *q = &m->snapshot->queues[i];
        if (syncs(q))
            pace_add(pace_of(m, q->name), m->snapshot->taken_at, q->sync_messages);
    }
    for (size_t i = m->syncs.len; i-- > 0;)
        if (!syncs(snapshot_queue(m->snapshot, m->syncs.items[i].queue))) {
            free(m->syncs.items[i].queue);
            VEC_REMOVE(&m->syncs, i);
        }
}

void goal_forget(struct model *m)
{
    for (size_t i = 0; i < m->syncs.len; i++)
        free(m->syncs.items[i].queue);
    VEC_FREE(&m->syncs);
}

char *goal_sync_text(const struct model *m, const struct queue_seen *q)
{
    for (size_t i = 0; q && i < m->syncs.len; i++)
        if (strcmp(m->syncs.items[i].queue, q->name) == 0)
            return pace_text(q->name, &m->syncs.items[i].pace, q->messages);
    return NULL;
}

char *goal_text(const struct model *m, const struct command *c)
{
    if (!c->running || !c->goal.queue || !m->snapshot)
        return NULL;
    if (c->goal.of == GOAL_SYNC)
        return goal_sync_text(m, snapshot_queue(m->snapshot, c->goal.queue));
    if (m->snapshot->source < 0 || !c->goal.pace.len)
        return NULL;
    if (c->goal.least)
        return c->goal.came ? format_text(_("%s: at least %" PRId64 " of %" PRId64), c->goal.queue,
                                          c->goal.came > c->goal.wanted ? c->goal.wanted : c->goal.came,
                                          c->goal.wanted)
                            : NULL;
    return pace_text(c->goal.queue, &c->goal.pace, c->goal.wanted);
}

/* goal.c: how far a command that takes its time has come, how fast it goes, when it will be there: from what
 * the nodes report of its queue, never from what the command believes. See ran.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "ran.h"
#include "words.h"

#define WORTH_SAYING 1000 /* messages; fewer are there before one has read the line */

/* the word behind this one; NULL: it is not there */
static const char *option(const struct command *c, const char *name)
{
    for (size_t i = 0; c->argv[i]; i++)
        if (strcmp(c->argv[i], name) == 0)
            return c->argv[i + 1];
    return NULL;
}

static int64_t count_of(const struct model *m, const char *queue)
{
    const struct queue_seen *q = m->snapshot ? snapshot_queue(m->snapshot, queue) : NULL;
    return q ? q->messages : -1;
}

void goal_begin(const struct model *m, struct command *c)
{
    const char *queue = option(c, "--queue"), *count = option(c, "--count"),
               *slash = strrchr(c->argv[0], '/');
    const char *synced = option(c, "sync_queue");
    int64_t wanted = count ? strtoll(count, NULL, 10) : 0;
    free(c->goal.queue);
    c->goal = (struct goal){.from = -1};
    if (strcmp(slash ? slash + 1 : c->argv[0], "producer") == 0 && queue && wanted >= WORTH_SAYING) {
        int64_t from = count_of(m, queue);
        c->goal = (struct goal){.queue = xstrdup(queue), .from = from < 0 ? 0 : from, .wanted = wanted};
    } else if (synced) {
        c->goal = (struct goal){.queue = xstrdup(synced), .sync = true};
    }
}

/* ---- pace
 * ------------------------------------------------------------------------------------------------------- */

static void pace_add(struct pace *p, ms_time at, int64_t count)
{
    if (p->len && count < p->samples[p->len - 1].count)
        p->len = 0; /* it begins anew */
    if (p->len && at <= p->samples[p->len - 1].at)
        return;
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

static char *pace_text(const char *queue, const struct pace *p, int64_t wanted)
{
    int64_t count = p->len ? p->samples[p->len - 1].count : 0;
    double rate = pace_rate(p), part = wanted > 0 ? (double)count * 100.0 / (double)wanted : 0;
    int percent = (int)(part > 100 ? 100 : part);
    if (rate < 0)
        return format_text(_("%s: %" PRId64 " of %" PRId64 " (%d%%)"), queue, count, wanted, percent);
    if (rate < 1)
        return format_text(_("%s: %" PRId64 " of %" PRId64 " (%d%%), it stands still"), queue, count, wanted,
                           percent);
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
    int64_t now = c->goal.queue && !c->goal.sync ? count_of(m, c->goal.queue) : -1;
    if (!c->running || now < 0)
        return;
    int64_t came = now - c->goal.from;
    pace_add(&c->goal.pace, m->snapshot->taken_at, came > 0 ? came : 0);
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
    if (c->goal.sync)
        return goal_sync_text(m, snapshot_queue(m->snapshot, c->goal.queue));
    if (m->snapshot->source < 0 || !c->goal.pace.len)
        return NULL;
    return pace_text(c->goal.queue, &c->goal.pace, c->goal.wanted);
}

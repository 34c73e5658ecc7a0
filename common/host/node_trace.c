/* node_trace.c: what happened to messages, kept for whoever asks: the library's notes of each turn with the
 * wall clock's time. It costs nothing until somebody asks, and ends some seconds after the last question.
 * What comes within a few milliseconds is one entry, so that a flood of messages is not a flood of entries.
 */
#include <stdlib.h>
#include <time.h>

#include "host/loop_private.h"

#define LEASE_MS  10000
#define MERGE_US  20000
#define LOOK_BACK 12 /* entries: the kinds of several queues take turns */

struct node_trace {
    VEC(struct node_traced) entries;
    uint64_t seq, told; /* given; handed out: those do not change any more */
    uint64_t missed;    /* the last that was dropped, or before which something was not noted */
    int64_t began_us;   /* noted without a break from then on */
    ms_time asked_at;
    bool on;
};

static int64_t wall_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static bool goes_on(const struct node_trace *t, const struct node_traced *before, const struct trace_entry *e,
                    int64_t now)
{
    const struct trace_entry *b = &before->e;
    return before->seq > t->told && now - before->wall_us < MERGE_US && b->kind == e->kind &&
           b->queue_uid == e->queue_uid && b->last + 1 == e->first && b->node == e->node &&
           b->redelivered == e->redelivered && b->origin == e->origin && b->incarnation == e->incarnation &&
           b->reign == e->reign && !b->count && !e->count && !e->more &&
           (!e->seq || b->seq + (b->last - b->first) + 1 == e->seq);
}

static void keep(struct node_trace *t, const struct trace_entry *e, int64_t now)
{
    for (size_t back = 1; back <= LOOK_BACK && back <= t->entries.len; back++) {
        struct node_traced *before = &t->entries.items[t->entries.len - back];
        if (goes_on(t, before, e, now)) {
            before->e.last = e->last;
            before->e.in_memory |= e->in_memory;
            before->e.logged |= e->logged;
            before->until_us = now;
            return;
        }
        if (before->e.kind >= TRACE_PROMOTED && before->e.queue_uid == e->queue_uid)
            break;
    }
    if (t->entries.len == LIMIT_TRACE) {
        size_t gone = LIMIT_TRACE / 4;
        t->missed = t->entries.items[gone - 1].seq;
        memmove(t->entries.items, t->entries.items + gone, (LIMIT_TRACE - gone) * sizeof(*t->entries.items));
        t->entries.len -= gone;
    }
    VEC_PUSH(&t->entries, (struct node_traced){.seq = ++t->seq, .wall_us = now, .until_us = now, .e = *e});
}

void trace_turn(struct loop *l)
{
    struct node_trace *t = l->trace;
    if (!t || !t->on || !l->broker)
        return;
    const struct trace_entry *noted;
    bool missed;
    size_t len = mirror_traced(broker_mirror(l->broker), &noted, &missed);
    int64_t now = len ? wall_us() : 0;
    for (size_t i = 0; i < len; i++)
        keep(t, &noted[i], now);
    t->missed = missed ? t->seq : t->missed;
    t->on = loop_now(l) < t->asked_at + LEASE_MS;
    if (len || !t->on)
        broker_trace(l->broker, t->on);
}

void trace_app_starts(struct loop *l)
{
    if (!l->trace || !l->trace->on || !l->broker)
        return;
    l->trace->asked_at =
        loop_now(l); /* while it was stopped nobody could ask: its copies come back in sight */
    broker_trace(l->broker, true);
}

size_t node_trace_since(struct node *n, uint64_t seq, const struct node_traced **out, uint64_t *next,
                        bool *missed, int64_t *began_us)
{
    struct loop *l = loop_of(n);
    if (!l->trace)
        l->trace = xcalloc(1, sizeof(*l->trace));
    struct node_trace *t = l->trace;
    if (!t->on) {
        t->on = true;
        t->began_us = wall_us();
        t->missed = t->seq; /* nobody looked until now */
        if (l->broker)
            broker_trace(l->broker, true);
    }
    t->asked_at = loop_now(l);
    size_t from = 0;
    if (t->entries.len && seq >= t->entries.items[0].seq)
        from = (size_t)u64_min(seq - t->entries.items[0].seq + 1, t->entries.len);
    *out = t->entries.items + from;
    *next = t->told = t->seq;
    *missed = seq < t->missed;
    *began_us = t->began_us;
    return t->entries.len - from;
}

void trace_finish(struct loop *l)
{
    if (l->trace)
        VEC_FREE(&l->trace->entries);
    free(l->trace);
    l->trace = NULL;
}

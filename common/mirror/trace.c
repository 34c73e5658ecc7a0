/* trace.c: notes runs of messages; see trace.h. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

#define LOOK_BACK 8 /* kinds take turns within a batch */

const char *trace_word(enum trace_kind kind)
{
#define X(kind, word) word,
    static const char *const words[] = {TRACE_KINDS(X)};
#undef X
    return words[kind];
}

static bool goes_on(const struct trace_entry *e, const struct trace_entry *next)
{
    return e->kind == next->kind && e->queue_uid == next->queue_uid && e->last + 1 == next->first &&
           e->node == next->node && e->redelivered == next->redelivered && e->origin == next->origin &&
           e->incarnation == next->incarnation &&
           (!next->seq || e->seq + (e->last - e->first) + 1 == next->seq);
}

void trace_add(struct mirror *m, const struct queue *q, struct trace_entry e)
{
    e.queue_uid = q->rec.uid;
    for (size_t back = 1; back <= LOOK_BACK && back <= m->trace.len; back++) {
        struct trace_entry *before = &m->trace.items[m->trace.len - back];
        if (!e.count && !before->count && goes_on(before, &e)) {
            before->last = e.last;
            return;
        }
        if (before->kind >= TRACE_PROMOTED && before->queue_uid == e.queue_uid)
            break; /* what comes after a change of masters stays after it */
    }
    if (m->trace.len == TRACE_MAX)
        m->trace_missed = true;
    else
        VEC_PUSH(&m->trace, e);
}

/* what this node holds of the queue now */
void trace_content(struct mirror *m, const struct queue *q, enum trace_kind kind, bool unsynced)
{
    if (!m->tracing)
        return;
    struct content c = q->content; /* content_oldest keeps a hint in it */
    msg_id oldest = content_oldest(&c);
    trace_add(m, q,
              (struct trace_entry){.kind = kind,
                                   .first = oldest,
                                   .last = c.next - 1,
                                   .count = content_depth(&c),
                                   .node = NODE_NONE,
                                   .origin = NODE_NONE,
                                   .unsynced = unsynced});
}

void mirror_trace(struct mirror *m, bool on)
{
    m->tracing = on;
    m->trace_missed = false;
    m->trace.len = 0;
    if (!on)
        VEC_FREE(&m->trace);
}

size_t mirror_traced(const struct mirror *m, const struct trace_entry **out, bool *missed)
{
    *out = m->trace.items;
    *missed = m->trace_missed;
    return m->trace.len;
}

/* Full chunks are not looked into: a long queue costs little. */
size_t mirror_queue_ranges(const struct mirror *m, const struct queue *q, struct id_range *out, size_t max)
{
    (void)m;
    size_t len = 0;
    msg_id at = 0;
    struct id_range r;
    while (content_next_range(&q->content, &at, &r)) {
        if (len == max) {
            out[len - 1].last = r.last; /* no room for the holes */
            continue;
        }
        out[len++] = r;
    }
    return len;
}

msg_id mirror_queue_next(const struct mirror *m, const struct queue *q)
{
    (void)m;
    return q->content.next;
}

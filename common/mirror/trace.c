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
           e->incarnation == next->incarnation && e->reign == next->reign &&
           (!next->seq || e->seq + (e->last - e->first) + 1 == next->seq);
}

static bool by_publisher(enum trace_kind kind)
{
    return kind == TRACE_ACCEPTED || kind == TRACE_CONFIRMED || kind == TRACE_REFUSED;
}

void trace_add(struct mirror *m, const struct queue *q, struct trace_entry e)
{
    e.queue_uid = q->rec.uid;
    e.reign = by_publisher(e.kind) ? 0 : reign_of(&q->reigns, e.first);
    for (size_t back = 1; back <= LOOK_BACK && back <= m->trace.len; back++) {
        struct trace_entry *before = &m->trace.items[m->trace.len - back];
        if (!e.count && !before->count && goes_on(before, &e)) {
            before->last = e.last;
            before->in_memory |= e.in_memory;
            before->logged |= e.logged;
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

/* behind the last place of this one's reign, or of the content */
static msg_id reign_end(const struct reigns *r, msg_id id, msg_id next)
{
    msg_id end = next;
    for (size_t i = r->len; i > 0 && r->items[i - 1].from > id; i--)
        end = u64_min(end, r->items[i - 1].from);
    return end;
}

/* e is about places of several reigns: an entry for each, the count with the first */
static void add_parts(struct mirror *m, const struct queue *q, struct trace_entry e)
{
    msg_id end = e.last + 1;
    do {
        e.last = reign_end(&q->reigns, e.first, end) - 1;
        trace_add(m, q, e);
        e.first = e.last + 1;
        e.count = 0;
        e.more = true;
    } while (e.first < end);
}

/* what this node holds of the queue now */
void trace_content(struct mirror *m, const struct queue *q, enum trace_kind kind, bool unsynced)
{
    if (!m->tracing)
        return;
    struct content c = q->content; /* content_oldest keeps a hint in it */
    msg_id oldest = content_oldest(&c);
    add_parts(m, q,
              (struct trace_entry){.kind = kind,
                                   .first = oldest,
                                   .last = c.next - 1,
                                   .count = content_depth(&c),
                                   .node = kind == TRACE_FILLED ? q->rec.master : NODE_NONE,
                                   .origin = NODE_NONE,
                                   .unsynced = unsynced});
}

void trace_void(struct mirror *m, const struct queue *q)
{
    if (m->tracing && content_depth(&q->content))
        add_parts(
            m, q,
            (struct trace_entry){
                .kind = TRACE_VOID, .last = q->content.next - 1, .node = NODE_NONE, .origin = NODE_NONE});
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
size_t mirror_queue_ranges(const struct mirror *m, const struct queue *q, struct place_range *out, size_t max)
{
    (void)m;
    size_t len = 0;
    msg_id at = 0;
    struct id_range r;
    while (content_next_range(&q->content, &at, &r))
        for (msg_id first = r.first, end; first <= r.last; first = end) {
            end = reign_end(&q->reigns, first, r.last + 1);
            uint64_t reign = reign_of(&q->reigns, first);
            if (len < max || out[len - 1].reign != reign)
                out[len++] = (struct place_range){first, end - 1, reign};
            else
                out[len - 1].last = end - 1; /* no room for the holes */
        }
    return len;
}

msg_id mirror_queue_next(const struct mirror *m, const struct queue *q)
{
    (void)m;
    return q->content.next;
}

/* story.c: see story.h. */
#include "tests/screen/story.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

void story_begin(struct story *t, size_t nodes, const char *queue)
{
    struct snapshot *s = xcalloc(1, sizeof(*s));
    *t = (struct story){.s = s, .begin_us = STORY_BEGIN_MS * 1000, .uid = 77, .queue = queue};
    s->nodes = xcalloc(nodes, sizeof(*s->nodes));
    s->nodes_len = nodes;
    s->taken_at = 100000;
    s->taken_wall_ms = STORY_BEGIN_MS;
    s->number = 1;
    s->traces = ((node_bits)1 << nodes) - 1;
    s->looked_at = xstrdup(queue);
    s->copies = xcalloc(nodes, sizeof(*s->copies));
    s->trace = xcalloc(1000, sizeof(*s->trace));
    s->events = xcalloc(100, sizeof(*s->events));
    for (size_t i = 0; i < nodes; i++)
        s->nodes[i] = (struct node_seen){.name = format_text("node%zu", i + 1),
                                         .state = NODE_UP,
                                         .answers = true,
                                         .said_up_by = s->traces,
                                         .partitions = xstrdup(""),
                                         .answered_at = 100000,
                                         .memory_bytes = 50000000,
                                         .connections = -1,
                                         .uptime_ms = 60000};
    s->queues = xcalloc(1, sizeof(*s->queues));
    s->queues_len = 1;
    s->queues[0] = (struct queue_seen){.name = xstrdup(queue),
                                       .state = QUEUE_SEEN_RUNNING,
                                       .durable = true,
                                       .messages = 10,
                                       .ready = 10,
                                       .was_messages = 10,
                                       .sync_messages = -1,
                                       .publish_rate = -1,
                                       .deliver_rate = -1,
                                       .published = -1,
                                       .taken = -1,
                                       .effective_definition = xstrdup("{}"),
                                       .seen_at = 100000};
}

void story_end(struct story *t)
{
    snapshot_destroy(t->s);
    t->s = NULL;
}

struct trace_seen *story_fact(struct story *t, enum trace_seen_kind kind, int node, int64_t at_us,
                              uint64_t first, uint64_t last)
{
    struct trace_seen *f = &t->s->trace[t->s->trace_len++];
    ASSERT(t->s->trace_len <= 1000);
    *f = (struct trace_seen){.kind = kind,
                             .node = node,
                             .from_us = t->begin_us + at_us,
                             .until_us = t->begin_us + at_us,
                             .queue = xstrdup(t->queue),
                             .queue_uid = t->uid,
                             .reign = t->reign,
                             .first = first,
                             .last = last,
                             .about = -1,
                             .origin = -1};
    return f;
}

static void published_as(struct trace_seen *f, int origin)
{
    f->origin = origin;
    f->incarnation = 5;
    f->number = f->first + 1;
}

void story_published(struct story *t, int master, int origin, int64_t at_us, uint64_t first, uint64_t last)
{
    published_as(story_fact(t, TRACE_SEEN_ENQUEUED, master, at_us, first, last), origin);
}

void story_copied(struct story *t, int mirror, int origin, int64_t at_us, uint64_t first, uint64_t last)
{
    published_as(story_fact(t, TRACE_SEEN_COPIED, mirror, at_us, first, last), origin);
}

static void drop_copy(struct snapshot *s, int node)
{
    for (size_t i = 0; i < s->copies_len; i++)
        if (s->copies[i].node == node) {
            free(s->copies[i].held);
            s->copies[i] = s->copies[--s->copies_len];
            return;
        }
}

void story_holds(struct story *t, int node, char role, uint64_t first, uint64_t last)
{
    struct snapshot *s = t->s;
    node_bits bit = (node_bits)1 << node;
    drop_copy(s, node);
    struct copy_seen *c = &s->copies[s->copies_len++];
    *c = (struct copy_seen){.node = node,
                            .master = role == 'M',
                            .mirror = role == 'm',
                            .all = true,
                            .queue_uid = t->uid,
                            .next = first > last ? 0 : last + 1,
                            .held = xcalloc(4, sizeof(*c->held)),
                            .held_len = first <= last};
    c->held[0] = (struct held_range){first, last, t->reign};
    struct queue_seen *q = &s->queues[0];
    q->mirrors = q->synced = role == 'm' ? q->mirrors | bit : q->mirrors & ~bit;
    q->master = role == 'M' ? node : q->master;
}

void story_holds_also(struct story *t, int node, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < t->s->copies_len; i++) {
        struct copy_seen *c = &t->s->copies[i];
        if (c->node != node)
            continue;
        ASSERT(c->held_len < 4);
        c->held[c->held_len++] = (struct held_range){first, last, t->reign};
        c->next = last + 1;
    }
}

static void tell_event(struct story *t, int node, int64_t at_us, const char *words)
{
    struct snapshot *s = t->s;
    s->events[s->events_len++] =
        (struct event_seen){.seq = s->events_len,
                            .wall_ms = (t->begin_us + at_us) / 1000,
                            .kind = xstrdup("node"),
                            .node = xstrdup(s->nodes[node ? 0 : 1].name),
                            .text = format_text("%s %s", s->nodes[node].name, words)};
}

void story_down(struct story *t, int node, int64_t at_us)
{
    struct node_seen *n = &t->s->nodes[node];
    n->state = NODE_NOT_RUNNING;
    n->answers = false;
    n->said_down_by = t->s->traces & ~((node_bits)1 << node);
    n->said_up_by = 0;
    n->error = xstrdup("no connection");
    drop_copy(t->s, node);
    tell_event(t, node, at_us, "was stopped");
}

void story_up(struct story *t, int node, int64_t at_us)
{
    struct node_seen *n = &t->s->nodes[node];
    n->state = NODE_UP;
    n->answers = true;
    n->said_down_by = 0;
    n->said_up_by = t->s->traces;
    free(n->error);
    n->error = NULL;
    tell_event(t, node, at_us, "is up");
}

void story_event(struct story *t, const char *kind, int64_t at_us, const char *text)
{
    struct snapshot *s = t->s;
    s->events[s->events_len++] = (struct event_seen){.seq = s->events_len,
                                                     .wall_ms = (t->begin_us + at_us) / 1000,
                                                     .kind = xstrdup(kind),
                                                     .text = xstrdup(text)};
}

struct snapshot *story_look(struct story *t)
{
    struct snapshot *s = t->s;
    for (size_t i = 0; i < s->events_len; i++) /* who tells it was asked later than it happened */
        if (s->events[i].wall_ms > s->taken_wall_ms)
            s->taken_wall_ms = s->events[i].wall_ms;
    struct snapshot *shown = snapshot_clone(s);
    for (size_t i = 0; i < s->trace_len; i++)
        free(s->trace[i].queue);
    s->trace_len = 0;
    s->number++;
    s->taken_at += 250;
    s->taken_wall_ms += 250;
    for (size_t i = 0; i < s->nodes_len; i++)
        if (s->nodes[i].answers)
            s->nodes[i].answered_at = s->taken_at;
    return shown;
}

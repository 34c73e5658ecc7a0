/* snapshot.c: a snapshot's memory, what is found in it, and its words. snapshot_write.c and snapshot_read.c
 * have its JSON form. */
#include "lab/snapshot_json.h"

#include "base/text.h"

#include <stdlib.h>

static char *copy_text(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

const struct node_seen *snapshot_node(const struct snapshot *s, const char *name)
{
    int i = snapshot_node_index(s, name);
    return i < 0 ? NULL : &s->nodes[i];
}

int snapshot_node_index(const struct snapshot *s, const char *name)
{
    for (size_t i = 0; i < s->nodes_len; i++)
        if (strcmp(s->nodes[i].name, name) == 0)
            return (int)i;
    return -1;
}

const struct queue_seen *snapshot_queue(const struct snapshot *s, const char *name)
{
    for (size_t i = 0; i < s->queues_len; i++)
        if (strcmp(s->queues[i].name, name) == 0)
            return &s->queues[i];
    return NULL;
}

const char *trace_seen_word(enum trace_seen_kind kind)
{
#define X(kind, word) word,
    static const char *const words[TRACE_SEEN_LEN] = {TRACE_SEEN_KINDS(X)};
#undef X
    return words[kind];
}

const char *queue_seen_state_name(enum queue_seen_state state)
{
    switch (state) {
    case QUEUE_SEEN_UNKNOWN: return "?";
    case QUEUE_SEEN_RUNNING: return N_("running");
    case QUEUE_SEEN_SYNCING: return N_("syncing");
    case QUEUE_SEEN_STOPPED: return N_("stopped");
    case QUEUE_SEEN_DOWN: return N_("down");
    }
    return "?";
}

const char *snapshot_node_word(enum node_state state)
{
    switch (state) {
    case NODE_UNKNOWN: return "unknown";
    case NODE_UP: return "up";
    case NODE_NOT_RUNNING: return "not running";
    }
    return "unknown";
}

const char *snapshot_queue_word(enum queue_seen_state state)
{
    return state == QUEUE_SEEN_UNKNOWN ? "unknown" : queue_seen_state_name(state);
}

/* ---- memory
 * ------------------------------------------------------------------------------------------------ */

static void node_copy(struct node_seen *to, const struct node_seen *from)
{
    *to = *from;
    to->name = copy_text(from->name);
    to->error = copy_text(from->error);
    to->partitions = copy_text(from->partitions);
}

static void queue_copy(struct queue_seen *to, const struct queue_seen *from)
{
    *to = *from;
    to->name = copy_text(from->name);
    to->policy = copy_text(from->policy);
    to->effective_definition = copy_text(from->effective_definition);
}

static void policy_copy(struct policy_seen *to, const struct policy_seen *from)
{
    *to = *from;
    to->name = copy_text(from->name);
    to->pattern = copy_text(from->pattern);
    to->apply_to = copy_text(from->apply_to);
    to->definition = copy_text(from->definition);
}

static void event_copy(struct event_seen *to, const struct event_seen *from)
{
    *to = *from;
    to->kind = copy_text(from->kind);
    to->node = copy_text(from->node);
    to->text = copy_text(from->text);
    to->fact = json_incref(from->fact);
}

static void trace_copy(struct trace_seen *to, const struct trace_seen *from)
{
    *to = *from;
    to->queue = copy_text(from->queue);
}

static void copy_copy(struct copy_seen *to, const struct copy_seen *from)
{
    *to = *from;
    to->held = xcalloc(from->held_len + 1, sizeof(*to->held));
    if (from->held_len)
        memcpy(to->held, from->held, from->held_len * sizeof(*to->held));
}

#define COPY_LIST(to, from, list, copy_one)                                                                  \
    do {                                                                                                     \
        (to)->list = xcalloc((from)->list##_len, sizeof(*(to)->list));                                       \
        for (size_t i_ = 0; i_ < (from)->list##_len; i_++)                                                   \
            copy_one(&(to)->list[i_], &(from)->list[i_]);                                                    \
    } while (0)

struct snapshot *snapshot_clone(const struct snapshot *s)
{
    struct snapshot *copy = xmalloc(sizeof(*copy));
    *copy = *s;
    COPY_LIST(copy, s, nodes, node_copy);
    COPY_LIST(copy, s, queues, queue_copy);
    COPY_LIST(copy, s, policies, policy_copy);
    COPY_LIST(copy, s, events, event_copy);
    COPY_LIST(copy, s, trace, trace_copy);
    COPY_LIST(copy, s, copies, copy_copy);
    copy->looked_at = copy_text(s->looked_at);
    copy->details = json_incref(s->details);
    return copy;
}

void snapshot_destroy(struct snapshot *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->nodes_len; i++) {
        free(s->nodes[i].name);
        free(s->nodes[i].error);
        free(s->nodes[i].partitions);
    }
    for (size_t i = 0; i < s->queues_len; i++) {
        free(s->queues[i].name);
        free(s->queues[i].policy);
        free(s->queues[i].effective_definition);
    }
    for (size_t i = 0; i < s->policies_len; i++) {
        free(s->policies[i].name);
        free(s->policies[i].pattern);
        free(s->policies[i].apply_to);
        free(s->policies[i].definition);
    }
    for (size_t i = 0; i < s->events_len; i++) {
        free(s->events[i].kind);
        free(s->events[i].node);
        free(s->events[i].text);
        json_decref(s->events[i].fact);
    }
    for (size_t i = 0; i < s->trace_len; i++)
        free(s->trace[i].queue);
    for (size_t i = 0; i < s->copies_len; i++)
        free(s->copies[i].held);
    free(s->nodes);
    free(s->queues);
    free(s->policies);
    free(s->events);
    free(s->trace);
    free(s->copies);
    free(s->looked_at);
    json_decref(s->details);
    free(s);
}

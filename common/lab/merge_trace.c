/* merge_trace.c: from the nodes' answers: what they noted of single messages, what they hold of the queue
 * that is looked at, and the documents that a queue's and a node's page show whole. As in merge.c, a field of
 * the wrong kind counts as absent. */
#include <stdlib.h>

#include "lab/merge.h"

/* an entry of the trace, by place; host/api_trace.c writes it */
enum field {
    SEQ,
    FROM,
    UNTIL,
    UID,
    WORD,
    FIRST,
    LAST,
    ABOUT,
    COUNT,
    FLAGS,
    ORIGIN,
    INCARNATION,
    NUMBER,
    REIGN,
    FIELDS
};
enum { FLAG_REDELIVERED = 1, FLAG_UNSYNCED = 2, FLAG_MORE = 4, FLAG_IN_MEMORY = 8, FLAG_LOGGED = 16 };

#define MAX_HELD 1024

static uint64_t number_at(const json_t *entry, enum field at)
{
    const json_t *v = json_array_get(entry, at);
    return json_is_integer(v) && json_integer_value(v) > 0 ? (uint64_t)json_integer_value(v) : 0;
}

static int node_at(const struct snapshot *s, const json_t *entry, enum field at)
{
    const char *name = json_string_value(json_array_get(entry, at));
    return name ? merge_node_index(s, name) : -1;
}

static bool read_entry(const struct snapshot *s, int node, const json_t *names, const json_t *entry,
                       struct trace_seen *t)
{
    const char *word = json_string_value(json_array_get(entry, WORD));
    char uid[24];
    int kind = 0;
    snprintf(uid, sizeof(uid), "%llu", (unsigned long long)number_at(entry, UID));
    const char *queue = json_string_value(json_object_get(names, uid));
    while (word && kind < TRACE_SEEN_LEN && strcmp(word, trace_seen_word((enum trace_seen_kind)kind)) != 0)
        kind++;
    if (!word || kind == TRACE_SEEN_LEN || !queue || json_array_size(entry) < FIELDS)
        return false;
    uint64_t flags = number_at(entry, FLAGS);
    *t = (struct trace_seen){
        .kind = (enum trace_seen_kind)kind,
        .node = node,
        .from_us = (int64_t)number_at(entry, FROM),
        .until_us = (int64_t)number_at(entry, UNTIL),
        .queue = xstrdup(queue),
        .queue_uid = number_at(entry, UID),
        .first = number_at(entry, FIRST),
        .last = number_at(entry, LAST),
        .count = number_at(entry, COUNT),
        .redelivered = flags & FLAG_REDELIVERED,
        .unsynced = flags & FLAG_UNSYNCED,
        .more = flags & FLAG_MORE,
        .in_memory = flags & FLAG_IN_MEMORY,
        .logged = flags & FLAG_LOGGED,
        .about = node_at(s, entry, ABOUT),
        .origin = node_at(s, entry, ORIGIN),
        .incarnation = number_at(entry, INCARNATION),
        .number = number_at(entry, NUMBER),
        .reign = number_at(entry, REIGN),
    };
    return true;
}

static int by_time(const void *a, const void *b)
{
    const struct trace_seen *x = a, *y = b;
    if (x->from_us != y->from_us)
        return x->from_us < y->from_us ? -1 : 1;
    return (x->kind > y->kind) - (x->kind < y->kind);
}

static bool read_copy(const json_t *queue, int node, struct copy_seen *c)
{
    const char *role = json_string_value(json_object_get(queue, "role"));
    const json_t *held = json_object_get(queue, "held"), *range;
    size_t i;
    if (!role)
        return false;
    *c = (struct copy_seen){.node = node,
                            .master = strcmp(role, "master") == 0,
                            .mirror = strcmp(role, "mirror") == 0,
                            .all = json_is_true(json_object_get(queue, "all")),
                            .queue_uid = (uint64_t)json_integer_value(json_object_get(queue, "uid")),
                            .next = (uint64_t)json_integer_value(json_object_get(queue, "next"))};
    size_t len = json_array_size(held) < MAX_HELD ? json_array_size(held) : MAX_HELD;
    c->held = xcalloc(len + 1, sizeof(*c->held));
    json_array_foreach(held, i, range)
    {
        json_int_t first, last, reign;
        if (c->held_len < len && json_unpack((json_t *)range, "[I, I, I]", &first, &last, &reign) == 0 &&
            first >= 0 && last >= first && reign >= 0)
            c->held[c->held_len++] = (struct held_range){(uint64_t)first, (uint64_t)last, (uint64_t)reign};
    }
    return true;
}

static void keep_details(struct snapshot *s, const struct node_answer *answers, size_t answers_len)
{
    json_t *details = json_object(), *nodes = json_object();
    for (size_t i = 0; i < answers_len; i++) {
        json_t *entry;
        size_t at;
        json_array_foreach(answers[i].nodes, at, entry)
        {
            const char *name = json_string_value(json_object_get(entry, "name"));
            if (answers[i].answered && name && merge_node_index(s, name) == (int)i)
                json_object_set(nodes, s->nodes[i].name, entry);
        }
    }
    if (s->source >= 0) {
        json_object_set(details, "queue", answers[s->source].queue); /* not if it is NULL */
        json_object_set(details, "bindings", answers[s->source].bindings);
        json_object_set(details, "connections", answers[s->source].connections);
        json_object_set(details, "channels", answers[s->source].channels);
    }
    if (json_object_size(details)) { /* somebody looks closely */
        json_object_set(details, "nodes", nodes);
        s->details = json_incref(details);
    }
    json_decref(nodes);
    json_decref(details);
}

void merge_trace(struct snapshot *s, const struct node_answer *answers, size_t answers_len,
                 const char *looked_at)
{
    size_t most = 0;
    for (size_t i = 0; i < answers_len; i++)
        most += json_array_size(json_object_get(answers[i].trace, "trace"));
    s->trace = xcalloc(most + 1, sizeof(*s->trace));
    s->copies = xcalloc(answers_len + 1, sizeof(*s->copies));
    s->looked_at = looked_at ? xstrdup(looked_at) : NULL;
    for (size_t i = 0; i < answers_len; i++) {
        const json_t *trace = answers[i].trace, *entry;
        size_t at;
        if (!trace)
            continue;
        s->traces |= (node_bits)1 << i;
        s->trace_gaps |= json_is_true(json_object_get(trace, "missed")) ? (node_bits)1 << i : 0;
        json_array_foreach(json_object_get(trace, "trace"), at, entry)
        {
            if (read_entry(s, (int)i, json_object_get(trace, "queues"), entry, &s->trace[s->trace_len]))
                s->trace_len++;
        }
        const json_t *queue = json_object_get(trace, "queue");
        const char *name = json_string_value(json_object_get(queue, "name"));
        if (looked_at && name && strcmp(name, looked_at) == 0 &&
            read_copy(queue, (int)i, &s->copies[s->copies_len]))
            s->copies_len++;
    }
    qsort(s->trace, s->trace_len, sizeof(*s->trace), by_time);
    keep_details(s, answers, answers_len);
}

/* notice.c: see notice.h. An event that polling noticed carries the time it was noticed and no node's name:
 * it happened some time before, and only between two looks can one say what came first. */
#include "lab/notice.h"

#include <stdlib.h>

#include "base/text.h"
#include "base/vec.h"

struct list {
    VEC(struct event_seen) events;
    uint64_t seq; /* the last one given */
};

static void add(struct list *l, int64_t wall_ms, const char *kind, const char *node, char *text)
{
    struct event_seen e = {.seq = ++l->seq,
                           .wall_ms = wall_ms,
                           .kind = xstrdup(kind),
                           .node = node ? xstrdup(node) : NULL,
                           .text = text};
    VEC_PUSH(&l->events, e);
}

static void drop(struct list *l, size_t i)
{
    snapshot_free_event(&l->events.items[i]);
    VEC_REMOVE(&l->events, i);
}

/* ---- what the nodes tell
 * ------------------------------------------------------------------------------------ */

bool notice_same(const struct event_seen *a, const struct event_seen *b)
{
    bool same_node = a->node && b->node ? strcmp(a->node, b->node) == 0 : a->node == b->node;
    return a->wall_ms == b->wall_ms && same_node && strcmp(a->kind, b->kind) == 0 &&
           strcmp(a->text, b->text) == 0;
}

static bool is_there(const struct list *l, size_t len, const struct event_seen *e)
{
    for (size_t i = 0; i < len; i++)
        if (notice_same(&l->events.items[i], e))
            return true;
    return false;
}

/* heard: how many of the list were heard of before. An earlier screen left them, and a node that answered
 * nobody then (its app was stopped) tells all that it has once it does. */
static void add_feed(struct list *l, size_t heard, const char *node, const json_t *feed)
{
    const json_t *e;
    size_t i;
    json_array_foreach(json_object_get(feed, "events"), i, e)
    {
        const char *kind = json_string_value(json_object_get(e, "kind"));
        const char *text = json_string_value(json_object_get(e, "text"));
        const json_t *time = json_object_get(e, "time");
        struct event_seen told = {.wall_ms = json_integer_value(time),
                                  .kind = (char *)(uintptr_t)kind,
                                  .node = (char *)(uintptr_t)node,
                                  .text = (char *)(uintptr_t)text};
        if (kind && text && json_is_integer(time) && !is_there(l, heard, &told))
            add(l, told.wall_ms, kind, node, xstrdup(text));
    }
}

/* Of the same thing: two nodes log that a third is down, a moment apart; polling notices a promotion some
 * seconds after a log told of it. */
#define LOGS_APART_MS   1500
#define NOTICED_LATE_MS 10000

static bool told(const struct list *l, int64_t wall_ms, int64_t apart_ms, const char *kind, const char *text)
{
    for (size_t i = l->events.len; i-- > 0;) {
        const struct event_seen *e = &l->events.items[i];
        size_t len = strlen(text); /* more may follow: "added, empty" */
        if (strcmp(e->kind, kind) == 0 && strncmp(e->text, text, len) == 0 &&
            e->wall_ms + apart_ms > wall_ms && e->wall_ms < wall_ms + apart_ms)
            return true;
    }
    return false;
}

/* Of a node that is up or down every other node writes; one line of them is enough. */
static void add_log(struct list *l, const char *node, const json_t *log)
{
    const json_t *e;
    size_t i;
    json_array_foreach(json_object_get(log, "events"), i, e)
    {
        const char *kind = json_string_value(json_object_get(e, "kind"));
        const char *text = json_string_value(json_object_get(e, "text"));
        int64_t time = json_integer_value(json_object_get(e, "time"));
        if (strcmp(kind, "node") != 0 || !told(l, time, LOGS_APART_MS, kind, text))
            add(l, time, kind, node, xstrdup(text));
    }
}

static int by_time(const void *a, const void *b)
{
    const struct event_seen *x = a, *y = b;
    if (x->wall_ms != y->wall_ms)
        return x->wall_ms < y->wall_ms ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* What comes first of two things that different nodes tell of the same millisecond: causes before effects. */
static int rank(const struct event_seen *e)
{
    static const char *const causes[] = {"node", "policy", "queue", "promote", "mirror", "sync"};
    size_t len = strlen(e->text), end = strlen("in sync");
    if (strcmp(e->kind, "hint") == 0)
        return 2 + (int)ARRAY_LEN(causes);
    if (strcmp(e->kind, "mirror") == 0 && len >= end && strcmp(e->text + len - end, "in sync") == 0)
        return 1 + (int)ARRAY_LEN(causes); /* a mirror is added, filled, and then in sync */
    for (size_t i = 0; i < ARRAY_LEN(causes); i++)
        if (strcmp(e->kind, causes[i]) == 0)
            return (int)i;
    return (int)ARRAY_LEN(causes);
}

static bool same_teller(const struct event_seen *a, const struct event_seen *b)
{
    return a->node && b->node ? strcmp(a->node, b->node) == 0 : a->node == b->node;
}

/* Orders the events of one millisecond by rank, but for what one node told: it knows its own order. */
static void order_moment(struct event_seen *events, size_t len)
{
    for (size_t done = 0; done + 1 < len; done++) {
        size_t best = done;
        for (size_t i = done + 1; i < len; i++) {
            bool waits = rank(&events[i]) >= rank(&events[best]);
            for (size_t j = done; j < i && !waits; j++)
                waits = same_teller(&events[j], &events[i]);
            best = waits ? best : i;
        }
        struct event_seen next = events[best];
        memmove(events + done + 1, events + done, (best - done) * sizeof(*events));
        events[done] = next;
    }
}

static void order_events(struct list *l)
{
    struct event_seen *events = l->events.items;
    size_t len = l->events.len;
    if (len < 2)
        return;
    qsort(events, len, sizeof(*events), by_time);
    for (size_t from = 0, to; from < len; from = to) {
        for (to = from + 1; to < len && events[to].wall_ms == events[from].wall_ms; to++)
            ;
        order_moment(events + from, to - from);
    }
}

/* ---- what two looks show
 * ------------------------------------------------------------------------------------ */

static const char *node_word(enum node_state state)
{
    switch (state) {
    case NODE_UNKNOWN: return "not heard of";
    case NODE_UP: return "running";
    case NODE_NOT_RUNNING: return "not running";
    }
    return "?";
}

static void notice_nodes(struct list *l, const struct snapshot *s, const struct snapshot *before)
{
    for (size_t i = 0; i < s->nodes_len; i++) {
        const struct node_seen *n = &s->nodes[i], *was = snapshot_node(before, n->name);
        if (!was || was->state == n->state || s->source < 0)
            continue;
        char *logged = format_text("%s %s", n->name, n->state == NODE_UP ? "is up" : "is down");
        if (!told(l, s->taken_wall_ms, NOTICED_LATE_MS, "node", logged))
            add(l, s->taken_wall_ms, "node", NULL, format_text("%s %s", n->name, node_word(n->state)));
        free(logged);
    }
}

/* It was out of the others' view when it went: it had nobody to say so to, and no feed tells of it. */
static void notice_gone_apart(struct list *l, const struct snapshot *s, const struct snapshot *before)
{
    for (size_t i = 0; i < s->nodes_len; i++) {
        const struct node_seen *n = &s->nodes[i], *was = snapshot_node(before, n->name);
        bool up = false, apart = true;
        for (size_t k = 0; k < s->nodes_len; k++) {
            if (s->nodes[k].state != NODE_UP)
                continue;
            up = true;
            apart = apart &&
                    ((snapshot_partitions(s, (int)k) >> i & 1) || snapshot_apart(before, (int)i, (int)k));
        }
        if (n->state == NODE_NOT_RUNNING && was && was->state != n->state && up && apart)
            add(l, s->taken_wall_ms, "node", NULL,
                format_text("%s not running; it was cut off from the others before", n->name));
    }
}

/* Nobody is left who could tell of it: that a node does not answer is then all that can be said, and that it
 * answers again, unless its own feed has it. */
static void notice_silence(struct list *l, const struct snapshot *s, const struct snapshot *before)
{
    for (size_t i = 0; i < s->nodes_len; i++) {
        const struct node_seen *n = &s->nodes[i], *was = snapshot_node(before, n->name);
        if (was && was->answers && !n->answers && s->source < 0) {
            add(l, s->taken_wall_ms, "node", NULL,
                format_text(n->gone ? "%s does not answer: its process is gone" : "%s does not answer",
                            n->name));
        } else if (was && !was->answers && n->answers && before->source < 0) {
            char *up = format_text("%s is up", n->name);
            if (!told(l, s->taken_wall_ms, NOTICED_LATE_MS, "node", up))
                add(l, s->taken_wall_ms, "node", NULL, format_text("%s answers again", n->name));
            free(up);
        }
    }
}

/* The count of a busy queue changes with every look: one line that is kept up to date, not one a look. */
static void notice_count(struct list *l, const struct snapshot *s, const struct queue_seen *q)
{
    char *text =
        format_text("%s holds %lld message%s", q->name, (long long)q->messages, q->messages == 1 ? "" : "s");
    size_t name_len = strlen(q->name), last = l->events.len;
    if (last > 0 && strcmp(l->events.items[last - 1].kind, "count") == 0 &&
        strncmp(l->events.items[last - 1].text, q->name, name_len) == 0 &&
        l->events.items[last - 1].text[name_len] == ' ')
        drop(l, last - 1);
    add(l, s->taken_wall_ms, "count", NULL, text);
}

static void notice_mirrors(struct list *l, const struct snapshot *s, const struct queue_seen *q,
                           const struct queue_seen *was)
{
    for (size_t i = 0; i < s->nodes_len; i++) {
        node_bits bit = (node_bits)1 << i;
        const char *node = s->nodes[i].name;
        if ((q->synced & bit) && !(was->synced & bit))
            add(l, s->taken_wall_ms, "mirror", NULL, format_text("%s on %s in sync", q->name, node));
        else if ((q->mirrors & bit) && !(was->mirrors & bit)) {
            char *logged = format_text("mirror of %s on %s added", q->name, node);
            if (!told(l, s->taken_wall_ms, NOTICED_LATE_MS, "mirror", logged))
                add(l, s->taken_wall_ms, "mirror", NULL,
                    format_text("%s on %s, not in sync yet", q->name, node));
            free(logged);
        } else if (!(q->mirrors & bit) && (was->mirrors & bit) && q->master != (int)i)
            add(l, s->taken_wall_ms, "mirror", NULL, format_text("%s no longer on %s", q->name, node));
    }
}

static bool served(const struct queue_seen *q)
{
    return q->state == QUEUE_SEEN_RUNNING || q->state == QUEUE_SEEN_SYNCING;
}

static void notice_queue(struct list *l, const struct snapshot *s, const struct queue_seen *q,
                         const struct queue_seen *was)
{
    if (q->master >= 0 && was->master >= 0 && !merge_was_master(was, q->master)) {
        char *logged = format_text("%s: %s promoted", q->name, s->nodes[q->master].name);
        if (!told(l, s->taken_wall_ms, NOTICED_LATE_MS, "promote", logged))
            add(l, s->taken_wall_ms, "promote", NULL,
                format_text("%s has a new master: %s (was %s)", q->name, s->nodes[q->master].name,
                            s->nodes[was->master].name));
        free(logged);
    }
    bool known = q->state != QUEUE_SEEN_UNKNOWN, was_known = was->state != QUEUE_SEEN_UNKNOWN;
    char *copies = format_text("%s: cop", q->name); /* "copying 5 messages", "copied 5 messages" */
    bool syncs = served(q) && (q->state == QUEUE_SEEN_SYNCING || was->state == QUEUE_SEEN_SYNCING) &&
                 told(l, s->taken_wall_ms, NOTICED_LATE_MS, "sync", copies);
    free(copies);
    /* a log told of the sync when it was; what is seen of it comes late, its begin even after its end;
     * between two states RabbitMQ has moments without figures: those are no news, nor is their end */
    if (q->state != was->state && known && !syncs && (was_known || q->state != QUEUE_SEEN_RUNNING))
        add(l, s->taken_wall_ms, "queue", NULL,
            format_text("%s is %s", q->name, queue_seen_state_name(q->state)));
    notice_mirrors(l, s, q, was);
    /* a queue that nobody serves is listed without its policy */
    if (served(q) && served(was) &&
        ((q->policy != NULL) != (was->policy != NULL) || (q->policy && strcmp(q->policy, was->policy) != 0)))
        add(l, s->taken_wall_ms, "policy", NULL,
            q->policy ? format_text("%s follows policy %s", q->name, q->policy)
                      : format_text("%s follows no policy", q->name));
    if (q->messages >= 0 && q->messages != was->messages)
        notice_count(l, s, q);
}

/* No feed tells that a queue has nobody to serve it any more: the nodes that remain list it as stopped. */
static void notice_unserved(struct list *l, const struct snapshot *s, const struct snapshot *before)
{
    for (size_t i = 0; i < s->queues_len && s->source >= 0; i++) {
        const struct queue_seen *q = &s->queues[i], *was = snapshot_queue(before, q->name);
        bool unserved = q->state == QUEUE_SEEN_STOPPED || q->state == QUEUE_SEEN_DOWN;
        if (!unserved || !was || !served(was) || was->master < 0)
            continue;
        node_bits copies = queue_seen_masters_bits(was) | was->mirrors;
        struct text names = {0};
        for (size_t k = 0; k < s->nodes_len; k++)
            if (copies >> k & 1)
                text_printf(&names, "%s%s", names.len ? ", " : "", s->nodes[k].name);
        const char *are = copies & (copies - 1) ? "its copies are" : "its only copy is";
        add(l, s->taken_wall_ms, "queue", NULL,
            format_text("%s is %s: %s on %s", q->name, queue_seen_state_name(q->state), are,
                        text_str(&names)));
        text_finish(&names);
    }
}

static void notice_queues(struct list *l, const struct snapshot *s, const struct snapshot *before)
{
    if (s->source < 0 || before->source < 0)
        return; /* silence is not news about queues */
    for (size_t i = 0; i < s->queues_len; i++) {
        const struct queue_seen *q = &s->queues[i], *was = snapshot_queue(before, q->name);
        struct queue_seen nothing = {.state = q->state, .master = -1, .messages = 0};
        if (!was)
            add(l, s->taken_wall_ms, "queue", NULL,
                q->master >= 0 ? format_text("%s declared on %s", q->name, s->nodes[q->master].name)
                               : format_text("%s declared", q->name));
        notice_queue(l, s, q, was ? was : &nothing);
    }
    for (size_t i = 0; i < before->queues_len; i++)
        if (!snapshot_queue(s, before->queues[i].name))
            add(l, s->taken_wall_ms, "queue", NULL, format_text("%s is gone", before->queues[i].name));
}

static const struct policy_seen *find_policy(const struct snapshot *s, const char *name)
{
    for (size_t i = 0; i < s->policies_len; i++)
        if (strcmp(s->policies[i].name, name) == 0)
            return &s->policies[i];
    return NULL;
}

static void notice_policies(struct list *l, const struct snapshot *s, const struct snapshot *before)
{
    if (s->source < 0 || before->source < 0)
        return;
    for (size_t i = 0; i < s->policies_len; i++) {
        const struct policy_seen *p = &s->policies[i], *was = find_policy(before, p->name);
        if (!was || strcmp(p->pattern, was->pattern) != 0 || strcmp(p->definition, was->definition) != 0)
            add(l, s->taken_wall_ms, "policy", NULL,
                format_text("%s %s on %s: %s", p->name, was ? "changed" : "set", p->pattern, p->definition));
    }
    for (size_t i = 0; i < before->policies_len; i++)
        if (!find_policy(s, before->policies[i].name))
            add(l, s->taken_wall_ms, "policy", NULL, format_text("%s cleared", before->policies[i].name));
}

static bool in_danger(const struct snapshot *s, const struct queue_seen *q)
{
    return q && s->nodes_len > 1 && q->state == QUEUE_SEEN_RUNNING && q->messages > 0 && !q->mirrors &&
           q->master >= 0 && queue_seen_masters(q) < 2;
}

/* what a stop of its node does to what it holds, as far as that is known */
static const char *one_copy(const struct queue_seen *q)
{
    bool transient = !q->durable || q->exclusive || q->persistent == 0;
    return transient                      ? "%s has ONE copy: stopping %s loses it"
           : q->persistent == q->messages ? "%s has ONE copy: stopping %s hides it"
                                          : "%s has ONE copy: stopping %s may lose it";
}

static void notice_hints(struct list *l, const struct snapshot *s, const struct snapshot *before)
{
    for (size_t i = 0; i < s->queues_len; i++) {
        const struct queue_seen *q = &s->queues[i];
        if (in_danger(s, q) && !(before && in_danger(before, snapshot_queue(before, q->name))))
            add(l, s->taken_wall_ms, "hint", NULL,
                format_text(one_copy(q), q->name, s->nodes[q->master].name));
    }
}

/* Two sides became one: what the other held went when its nodes began again. No node tells that of itself: it
 * begins with what the others have. */
static void notice_discarded(struct list *l, const struct snapshot *s, const struct snapshot *before)
{
    for (size_t i = 0; i < before->queues_len && s->source >= 0; i++) {
        const struct queue_seen *was = &before->queues[i];
        const struct queue_seen *q = was->sides_len ? snapshot_queue(s, was->name) : NULL;
        for (size_t k = 0; q && k < was->sides_len; k++) {
            const struct side_seen *side = &was->sides[k];
            const struct node_seen *node = &s->nodes[side->master];
            if (!node->answers || snapshot_apart_from(s, side->master) || merge_side_goes_on(q, side))
                continue;
            struct text text = {0};
            text_printf(&text, "%s: what %s held on its side is discarded", was->name, node->name);
            if (side->was_messages >= 0)
                text_printf(&text, ", %lld message%s", (long long)side->was_messages,
                            side->was_messages == 1 ? "" : "s");
            if (side->was_messages >= 0 && q->master >= 0 && q->messages >= 0)
                text_printf(&text, "; %s goes on with %lld", s->nodes[q->master].name,
                            (long long)q->messages);
            add(l, s->taken_wall_ms, "queue", NULL, text.s);
        }
    }
}

/* A queue that one side of a partition alone had, and now nobody who answers: its master begins again with
 * what the others have, or has gone. (One that still stands apart has deleted it, and says so.) */
static void notice_forgotten(struct list *l, const struct snapshot *s, const struct snapshot *before)
{
    for (size_t i = 0; i < before->queues_len && s->source >= 0; i++) {
        const struct queue_seen *was = &before->queues[i];
        if (!queue_seen_one_sided(before, was) || snapshot_queue(s, was->name) ||
            snapshot_apart_from(s, was->master))
            continue;
        struct text text = {0};
        text_printf(&text, "%s was on the side of %s alone", was->name, s->nodes[was->master].name);
        if (was->messages >= 0)
            text_printf(&text, ", with %lld message%s", (long long)was->messages,
                        was->messages == 1 ? "" : "s");
        text_add(&text, ": no node that answers knows it now");
        add(l, s->taken_wall_ms, "queue", NULL, text.s);
    }
}

/* Its feed has something from before then: its process is the one that it was. */
static bool told_before(const struct list *l, const struct node_seen *n, int64_t wall_ms)
{
    for (size_t i = 0; i < l->events.len; i++)
        if (l->events.items[i].node && strcmp(l->events.items[i].node, n->name) == 0 &&
            l->events.items[i].wall_ms < wall_ms)
            return true;
    return false;
}

/* It went, by what others told, and what it told before went with its process: it is gone still, or began
 * after that. (One that was only cut off, or whose app alone was stopped, has its feed whole: where it is
 * known since when its process is there (since_ms), that tells.) What an earlier screen listened to until it
 * went is not missing. */
static bool feed_went(const struct list *l, const struct snapshot *s, const struct node_seen *n,
                      int64_t since_ms, int64_t seen_wall_ms)
{
    size_t len = strlen(n->name);
    int64_t up_since = n->uptime_ms >= 0 ? s->taken_wall_ms - n->uptime_ms : INT64_MAX;
    int64_t began = !n->answers ? INT64_MAX : since_ms ? since_ms : up_since;
    bool gone = n->state == NODE_NOT_RUNNING, went = false, was_heard = false;
    for (size_t i = 0; i < l->events.len && !went; i++) {
        const struct event_seen *e = &l->events.items[i];
        bool goes = strcmp(e->kind, "node") == 0 && strncmp(e->text, n->name, len) == 0 &&
                    (strcmp(e->text + len, " is down") == 0 || strcmp(e->text + len, " was stopped") == 0);
        was_heard = was_heard || (goes && e->wall_ms <= seen_wall_ms);
        went = goes && e->wall_ms > seen_wall_ms && e->wall_ms < began &&
               (gone || !told_before(l, n, e->wall_ms));
    }
    return went || (gone && !was_heard);
}

/* A list that begins now has nothing of what nodes told before they went, or of that only what an earlier
 * screen heard: that is said where it begins. */
static void notice_beginning(struct list *l, const struct snapshot *s, const struct node_answer *answers,
                             int64_t seen_wall_ms)
{
    struct text gone = {0};
    for (size_t i = 0; i < s->nodes_len; i++)
        if (feed_went(l, s, &s->nodes[i], answers[i].since_ms, seen_wall_ms))
            text_printf(&gone, "%s%s", gone.len ? ", " : "", s->nodes[i].name);
    if (gone.len)
        add(l, s->taken_wall_ms, "screen", NULL,
            format_text(seen_wall_ms
                            ? "opened here; what %s told before going is listed as far as an earlier "
                              "screen kept it"
                            : "opened here; what %s told before going is not listed",
                        gone.s));
    text_finish(&gone);
}

/* ---- together
 * ----------------------------------------------------------------------------------------------- */

void notice_events(struct snapshot *s, const struct node_answer *answers, size_t answers_len,
                   const struct snapshot *before, int64_t seen_wall_ms)
{
    struct list l = {0};
    bool any_feed = false;
    for (size_t i = 0; before && i < before->events_len; i++) {
        struct event_seen e;
        snapshot_copy_event(&e, &before->events[i]);
        VEC_PUSH(&l.events, e);
        l.seq = u64_max(l.seq, e.seq);
    }
    size_t heard = l.events.len;
    for (size_t i = 0; i < answers_len; i++) {
        any_feed = any_feed || answers[i].has_feed;
        add_feed(&l, heard, s->nodes[i].name, answers[i].events);
        add_log(&l, s->nodes[i].name, answers[i].log);
    }
    if (before && !any_feed) {
        notice_nodes(&l, s, before);
        notice_policies(&l, s, before);
        notice_queues(&l, s, before);
    }
    if (before && any_feed) {
        notice_gone_apart(&l, s, before);
        notice_silence(&l, s, before);
        notice_unserved(&l, s, before);
    }
    notice_hints(&l, s, before);
    if (before) {
        notice_discarded(&l, s, before);
        notice_forgotten(&l, s, before);
    } else if (any_feed) { /* RabbitMQ's logs outlive its nodes */
        notice_beginning(&l, s, answers, seen_wall_ms);
    }
    order_events(&l);
    while (l.events.len > NOTICE_MAX_EVENTS)
        drop(&l, 0);
    s->events = l.events.items;
    s->events_len = l.events.len;
}

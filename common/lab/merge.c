/* merge.c: from what each node answered to one snapshot; the rules are in merge.h. Everything that comes in
 * was sent by somebody else: a field of the wrong kind counts as absent. */
#include "lab/merge.h"

#include <stdlib.h>

#include "base/text.h"
#include "lab/notice.h"

/* Names up to AMQP's limit; a longer one is no queue or node of ours. */
static const char *name_of(const json_t *o, const char *key)
{
    const char *name = json_string_value(json_object_get(o, key));
    return name && *name && strlen(name) <= LIMIT_NAME ? name : NULL;
}

static int64_t count_of(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_integer(v) && json_integer_value(v) >= 0 ? json_integer_value(v) : -1;
}

/* ---- nodes
 * -------------------------------------------------------------------------------------------------- */

/* The short name a node has here. "node1@localhost" is the lab's node1; a name that no node of the lab has is
 * kept whole if its part before '@' would be taken for another node. */
static char *short_name(const struct snapshot *s, const char *name)
{
    if (snapshot_node_index(s, name) >= 0)
        return xstrdup(name);
    return xstrndup(name, strcspn(name, "@"));
}

static int node_index(const struct snapshot *s, const char *name)
{
    char *name_here = short_name(s, name);
    int i = snapshot_node_index(s, name_here);
    free(name_here);
    return i;
}

int merge_node_index(const struct snapshot *s, const char *name)
{
    return node_index(s, name);
}

static int add_node(struct snapshot *s, const char *name)
{
    if (s->nodes_len == LIMIT_NODES)
        return -1;
    s->nodes[s->nodes_len] = (struct node_seen){.name = short_name(s, name),
                                                .partitions = xstrdup(""),
                                                .memory_bytes = -1,
                                                .uptime_ms = -1,
                                                .connections = -1};
    return (int)s->nodes_len++;
}

static void set_partitions(struct snapshot *s, struct node_seen *n, const json_t *list)
{
    struct text names = {0};
    const json_t *name;
    size_t i;
    json_array_foreach(list, i, name)
    {
        if (!json_is_string(name))
            continue;
        char *name_here = short_name(s, json_string_value(name));
        text_printf(&names, "%s%s", names.len ? "," : "", name_here);
        free(name_here);
    }
    free(n->partitions);
    n->partitions = xstrdup(text_str(&names));
    text_finish(&names);
}

static void set_links(const struct snapshot *s, struct node_seen *n, const json_t *list)
{
    const json_t *link;
    size_t i;
    n->links = 0;
    json_array_foreach(list, i, link)
    {
        const char *name = name_of(link, "name");
        int to = name ? node_index(s, name) : -1;
        n->links |= to >= 0 ? (node_bits)1 << to : 0;
    }
}

/* what the node `who` says of all nodes */
static void read_nodes_of(struct snapshot *s, int who, const json_t *list)
{
    const json_t *entry;
    size_t at;
    json_array_foreach(list, at, entry)
    {
        const char *name = name_of(entry, "name");
        if (!name)
            continue;
        int i = node_index(s, name);
        if (i < 0)
            i = add_node(s, name);
        if (i < 0)
            continue;
        struct node_seen *n = &s->nodes[i];
        if (json_is_true(json_object_get(entry, "running")))
            n->said_up_by |= (node_bits)1 << who;
        else
            n->said_down_by |= (node_bits)1 << who;
        if (i != who && n->answers)
            continue; /* its own figures are the better ones */
        int64_t memory = count_of(entry, "mem_used"), uptime = count_of(entry, "uptime");
        n->memory_bytes = memory >= 0 ? memory : n->memory_bytes;
        n->uptime_ms = uptime >= 0 ? uptime : n->uptime_ms;
        if (i == who) {
            set_partitions(s, n, json_object_get(entry, "partitions"));
            set_links(s, n, json_object_get(entry, "cluster_links"));
        }
    }
}

static enum node_state state_of(const struct node_seen *n)
{
    if (n->answers || n->said_up_by)
        return NODE_UP;
    return n->said_down_by ? NODE_NOT_RUNNING : NODE_UNKNOWN;
}

static void merge_nodes(struct snapshot *s, const struct labdir *lab, const struct node_answer *answers,
                        const struct snapshot *before)
{
    s->nodes = xcalloc(LIMIT_NODES, sizeof(*s->nodes));
    for (size_t i = 0; i < lab->nodes_len; i++) {
        add_node(s, lab->nodes[i].name);
        s->nodes[i].answers = answers[i].answered;
        s->nodes[i].gone = answers[i].gone && !answers[i].answered;
        s->nodes[i].unrefused = answers[i].unrefused && !answers[i].answered;
        s->nodes[i].answered_at = answers[i].at;
        s->nodes[i].error = answers[i].error ? xstrdup(answers[i].error) : NULL;
    }
    /* nodes that are not the lab's keep the place they had: bits mean the same from snapshot to snapshot */
    for (size_t i = lab->nodes_len; before && i < before->nodes_len; i++)
        add_node(s, before->nodes[i].name);
    for (size_t i = 0; i < lab->nodes_len; i++)
        if (answers[i].answered)
            read_nodes_of(s, (int)i, answers[i].nodes);
    for (size_t i = 0; i < s->nodes_len; i++) {
        struct node_seen *n = &s->nodes[i];
        const struct node_seen *was = before ? snapshot_node(before, n->name) : NULL;
        n->state = state_of(n);
        n->changed_at = was && was->state == n->state ? was->changed_at : s->taken_at;
    }
}

/* Whose lists to use, of those that were asked for them: see merge.h. Of equals the one used before, then the
 * first. */
static int pick_source(const struct snapshot *s, const struct node_answer *answers,
                       const struct snapshot *before)
{
    int best = -1, best_score = -1;
    for (size_t i = 0; i < s->nodes_len; i++) {
        if (!s->nodes[i].answers || !answers[i].queues)
            continue;
        int score = 0;
        for (size_t j = 0; j < s->nodes_len; j++) {
            bool says_up = s->nodes[j].said_up_by & ((node_bits)1 << i);
            score += says_up == s->nodes[j].answers ? 2 : 0;
        }
        score += before && before->source == (int)i ? 1 : 0;
        if (score > best_score) {
            best = (int)i;
            best_score = score;
        }
    }
    return best;
}

/* How many clients each node has, where that was asked. Of a node that is going the list forgets them before
 * it falls silent: then it is what was told before. */
static void count_connections(struct snapshot *s, const struct node_answer *answers,
                              const struct snapshot *before)
{
    const json_t *list = s->source >= 0 ? answers[s->source].connections : NULL, *entry;
    int64_t count[LIMIT_NODES] = {0};
    size_t at;
    json_array_foreach(list, at, entry)
    {
        const char *node = name_of(entry, "node");
        int i = node ? node_index(s, node) : -1;
        if (i >= 0)
            count[i]++;
    }
    for (size_t i = 0; i < s->nodes_len; i++) {
        struct node_seen *n = &s->nodes[i];
        const struct node_seen *was = before ? snapshot_node(before, n->name) : NULL;
        bool told = n->answers && !n->said_down_by;
        n->connections = !told ? (was ? was->connections : -1) : list ? count[i] : -1;
    }
}

/* ---- queues
 * ------------------------------------------------------------------------------------------------- */

static enum queue_seen_state queue_state(const char *word)
{
    static const enum queue_seen_state states[] = {QUEUE_SEEN_RUNNING, QUEUE_SEEN_SYNCING, QUEUE_SEEN_STOPPED,
                                                   QUEUE_SEEN_DOWN};
    for (size_t i = 0; word && i < ARRAY_LEN(states); i++)
        if (strcmp(word, queue_seen_state_name(states[i])) == 0)
            return states[i];
    return QUEUE_SEEN_UNKNOWN;
}

static node_bits bits_of(const struct snapshot *s, const json_t *names)
{
    node_bits bits = 0;
    const json_t *name;
    size_t i;
    json_array_foreach(names, i, name)
    {
        int node = json_is_string(name) ? node_index(s, json_string_value(name)) : -1;
        if (node >= 0)
            bits |= (node_bits)1 << node;
    }
    return bits;
}

static double rate_of(const json_t *q, const char *key)
{
    const json_t *rate = json_object_get(json_object_get(json_object_get(q, "message_stats"), key), "rate");
    return json_is_number(rate) ? json_number_value(rate) : -1;
}

/* The sum of these figures up to NULL; one that is 0 may be left out. -1: nothing is counted of this queue.
 */
static int64_t total_of(const json_t *q, const char *const *keys)
{
    const json_t *stats = json_object_get(q, "message_stats");
    int64_t sum = json_object_size(stats) ? 0 : -1;
    for (size_t i = 0; keys[i]; i++)
        sum += count_of(stats, keys[i]) > 0 ? count_of(stats, keys[i]) : 0;
    return sum;
}

static char *definition_of(const json_t *definition)
{
    /* RabbitMQ writes an empty one as {} or as [] */
    if (json_is_array(definition) && json_array_size(definition) == 0)
        return xstrdup("{}");
    return json_is_object(definition) ? json_dumps(definition, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
}

void merge_read_queue(const struct snapshot *s, const json_t *o, const char *name, struct queue_seen *q)
{
    static const char *const published[] = {"publish", NULL}, *const taken[] = {"ack", "deliver_no_ack",
                                                                                "get_no_ack", NULL};
    const char *node = name_of(o, "node"), *policy = name_of(o, "policy");
    *q = (struct queue_seen){
        .name = xstrdup(name),
        .state = queue_state(json_string_value(json_object_get(o, "state"))),
        .master = node ? node_index(s, node) : -1,
        .mirrors = bits_of(s, json_object_get(o, "slave_nodes")),
        .synced = bits_of(s, json_object_get(o, "synchronised_slave_nodes")),
        .durable = json_is_true(json_object_get(o, "durable")),
        .exclusive = json_is_true(json_object_get(o, "exclusive")),
        .auto_delete = json_is_true(json_object_get(o, "auto_delete")),
        .messages = count_of(o, "messages"),
        .ready = count_of(o, "messages_ready"),
        .unacked = count_of(o, "messages_unacknowledged"),
        .persistent = count_of(o, "messages_persistent"),
        .consumers = count_of(o, "consumers"),
        .sync_messages = count_of(o, "sync_messages"),
        .publish_rate = rate_of(o, "publish_details"),
        .deliver_rate = rate_of(o, "deliver_get_details"),
        .published = total_of(o, published),
        .taken = total_of(o, taken),
        .policy = policy ? xstrdup(policy) : NULL,
        .effective_definition = definition_of(json_object_get(o, "effective_policy_definition")),
        .seen_at = s->taken_at,
    };
    if (q->state == QUEUE_SEEN_STOPPED || q->state == QUEUE_SEEN_DOWN)
        q->messages = q->ready = q->unacked = q->persistent = q->consumers = -1; /* nobody can count it */
    /* RabbitMQ knows at once which mirrors are in sync; its word for the queue's state comes some time later
     */
    if (q->state == QUEUE_SEEN_SYNCING && q->mirrors && !(q->mirrors & ~q->synced)) {
        q->state = QUEUE_SEEN_RUNNING;
        q->sync_messages = -1;
    }
}

void merge_remember(struct queue_seen *q, const struct snapshot *s, const struct snapshot *before)
{
    const struct queue_seen *was = before ? snapshot_queue(before, q->name) : NULL;
    q->was_messages = q->messages >= 0 ? q->messages : was ? was->was_messages : -1;
    if (!was)
        return;
    bool same_master = was->master >= 0 && was->master == q->master;
    q->master_since = same_master                        ? was->master_since
                      : merge_was_master(was, q->master) ? 0 /* its side is shown now: it was that before */
                                                         : s->taken_at;
}

/* the default vhost is the lab's only one; queues of others are somebody else's business */
static bool other_vhost(const json_t *o)
{
    const char *vhost = json_string_value(json_object_get(o, "vhost"));
    return vhost && strcmp(vhost, "/") != 0;
}

const char *merge_queue_name(const json_t *o)
{
    return other_vhost(o) ? NULL : name_of(o, "name");
}

static void merge_queues(struct snapshot *s, const json_t *list, const struct snapshot *before)
{
    const json_t *o;
    size_t i;
    s->queues = xcalloc(json_array_size(list), sizeof(*s->queues));
    json_array_foreach(list, i, o)
    {
        const char *name = merge_queue_name(o);
        if (!name)
            continue;
        struct queue_seen *q = &s->queues[s->queues_len++];
        merge_read_queue(s, o, name, q);
        merge_remember(q, s, before);
    }
    snapshot_sort_queues(s);
}

static void merge_policies(struct snapshot *s, const json_t *list)
{
    const json_t *o;
    size_t i;
    s->policies = xcalloc(json_array_size(list), sizeof(*s->policies));
    json_array_foreach(list, i, o)
    {
        const char *name = name_of(o, "name"), *apply_to = name_of(o, "apply-to");
        const char *pattern = json_string_value(json_object_get(o, "pattern"));
        char *definition = definition_of(json_object_get(o, "definition"));
        if (!name || !pattern || !definition || other_vhost(o)) {
            free(definition);
            continue;
        }
        s->policies[s->policies_len++] = (struct policy_seen){
            .name = xstrdup(name),
            .pattern = xstrdup(pattern),
            .apply_to = xstrdup(apply_to ? apply_to : "all"),
            .definition = definition,
            .priority = count_of(o, "priority") > 0 ? count_of(o, "priority") : 0,
        };
    }
}

/* Nobody answers: the queues are still somewhere, but nothing about them can be said. */
static void keep_old_lists(struct snapshot *s, const struct snapshot *before)
{
    struct snapshot *old = snapshot_clone(before);
    s->queues = old->queues;
    s->queues_len = old->queues_len;
    s->policies = old->policies;
    s->policies_len = old->policies_len;
    old->queues = NULL;
    old->policies = NULL;
    old->queues_len = old->policies_len = 0;
    snapshot_destroy(old);
    for (size_t i = 0; i < s->queues_len; i++) {
        struct queue_seen *q = &s->queues[i];
        for (size_t k = 0; k < q->sides_len; k++)
            q->sides[k].away = true;
        q->state = QUEUE_SEEN_UNKNOWN;
        q->messages = q->ready = q->unacked = q->persistent = q->consumers = q->sync_messages = -1;
        q->publish_rate = q->deliver_rate = -1;
        q->published = q->taken = -1;
    }
}

struct snapshot *merge_answers(const struct labdir *lab, const struct node_answer *answers,
                               const struct snapshot *before, struct merge_time time)
{
    struct snapshot *s = xcalloc(1, sizeof(*s));
    s->taken_at = time.now;
    s->taken_wall_ms = time.wall_ms;
    s->number = before ? before->number + 1 : 1;
    merge_nodes(s, lab, answers, before);
    s->source = pick_source(s, answers, before);
    count_connections(s, answers, before);
    if (s->source >= 0) {
        merge_queues(s, answers[s->source].queues, before);
        merge_policies(s, answers[s->source].policies);
        merge_sides(s, lab, answers, before);
    } else if (before) {
        keep_old_lists(s, before);
    }
    notice_events(s, answers, lab->nodes_len, before, time.seen_wall_ms);
    return s;
}

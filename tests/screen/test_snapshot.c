/* test_snapshot.c: snapshots from what nodes said: recordings of RabbitMQ 3.10.8, and answers made to be
 * hard. */
#include "tests/screen/support.h"

#include "lab/merge.h"

static struct labdir three_nodes(void)
{
    struct labdir lab = {.nodes_len = 3};
    for (size_t i = 0; i < 3; i++)
        snprintf(lab.nodes[i].name, sizeof(lab.nodes[i].name), "node%zu", i + 1);
    return lab;
}

struct look {
    struct node_answer answers[3];
    json_t *documents[12];
    size_t documents_len;
};

static json_t *keep(struct look *l, json_t *json)
{
    assert_true(l->documents_len < ARRAY_LEN(l->documents));
    return l->documents[l->documents_len++] = json;
}

static json_t *recorded(struct look *l, const char *which, const char *what)
{
    char *path = format_text("tests/screen/recorded/%s-%s.json", which, what);
    json_t *json = keep(l, load_json(path));
    free(path);
    return json;
}

/* the same recording from the nodes of these bits */
static void answer(struct look *l, const char *which, unsigned nodes)
{
    *l = (struct look){0};
    json_t *node_list = recorded(l, which, "nodes"), *queues = recorded(l, which, "queues");
    json_t *policies = recorded(l, "up", "policies");
    for (unsigned i = 0; i < 3; i++) {
        l->answers[i].error = "no connection";
        if (nodes & (1u << i))
            l->answers[i] = (struct node_answer){
                .answered = true, .at = 100, .nodes = node_list, .queues = queues, .policies = policies};
    }
}

static struct snapshot *merge(struct look *l, const struct snapshot *before, ms_time now)
{
    struct labdir lab = three_nodes();
    struct merge_time time = {.now = now, .wall_ms = 1795381450000 + (int64_t)now};
    return merge_answers(&lab, l->answers, before, time);
}

static void look_end(struct look *l)
{
    for (size_t i = 0; i < l->documents_len; i++)
        json_decref(l->documents[i]);
}

static bool has_event(const struct snapshot *s, const char *kind, const char *text)
{
    for (size_t i = 0; i < s->events_len; i++)
        if (strcmp(s->events[i].kind, kind) == 0 && strcmp(s->events[i].text, text) == 0)
            return true;
    return false;
}

static void a_recorded_cluster(void **state)
{
    struct look up;
    (void)state;
    answer(&up, "up", 7);
    struct snapshot *s = merge(&up, NULL, 100);
    assert_int_equal(s->source, 0);
    assert_int_equal(s->nodes_len, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(s->nodes[i].state, NODE_UP);
        assert_int_equal(s->nodes[i].said_up_by, 7);
        assert_true(s->nodes[i].memory_bytes > 0);
    }
    const struct queue_seen *hello = snapshot_queue(s, "hello"),
                            *mirrored = snapshot_queue(s, "mirrior_hello");
    assert_int_equal(hello->state, QUEUE_SEEN_RUNNING);
    assert_int_equal(hello->messages, 1);
    assert_int_equal(hello->master, 0);
    assert_int_equal(hello->mirrors, 0);
    assert_string_equal(hello->effective_definition, "{}");
    assert_null(hello->policy);
    assert_int_equal(mirrored->mirrors, 2); /* node2 */
    assert_int_equal(mirrored->synced, 2);
    assert_string_equal(mirrored->policy, "mirror-policy");
    assert_int_equal(s->policies_len, 1);
    assert_string_equal(s->policies[0].pattern, "^mirrior");
    assert_true(has_event(s, "hint", "hello has ONE copy: stopping node1 may lose it"));
    snapshot_destroy(s);
    look_end(&up);
}

/* What a stop does to a queue's only copy, as far as its counts say how its messages are kept. */
static void the_only_copy(void **state)
{
    static const struct {
        int persistent; /* of one message */
        bool durable;
        const char *hint;
    } known[] = {{0, true, "hello has ONE copy: stopping node1 loses it"},
                 {1, true, "hello has ONE copy: stopping node1 hides it"},
                 {1, false, "hello has ONE copy: stopping node1 loses it"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct look up;
        answer(&up, "up", 7);
        size_t at;
        json_t *q;
        json_array_foreach(up.answers[0].queues, at, q)
        {
            json_object_set_new(q, "messages_persistent", json_integer(known[i].persistent));
            json_object_set_new(q, "durable", json_boolean(known[i].durable));
        }
        struct snapshot *s = merge(&up, NULL, 100);
        assert_true(has_event(s, "hint", known[i].hint));
        snapshot_destroy(s);
        look_end(&up);
    }
}

/* The article: node1 stops; hello's counts are unknown, not 0; mirrior_hello has a new master. */
static void a_recorded_stop(void **state)
{
    struct look up, stopped, back;
    (void)state;
    answer(&up, "up", 7);
    answer(&stopped, "node1-stopped", 6);
    answer(&back, "node1-back", 7);
    json_t *list = json_loads("[{\"node\":\"node1@localhost\"},{\"node\":\"node1\"},{\"node\":\"node3\"},"
                              "{\"node\":\"else\"},{}]",
                              0, NULL);
    up.answers[0].connections = stopped.answers[1].connections = list;
    struct snapshot *first = merge(&up, NULL, 100), *s = merge(&stopped, first, 2100),
                    *last = merge(&back, s, 9000);
    json_decref(list);
    assert_int_equal(first->nodes[0].connections, 2);
    assert_int_equal(first->nodes[1].connections, 0);
    assert_int_equal(s->nodes[0].connections, 2); /* as it was while it answered */
    assert_int_equal(s->nodes[2].connections, 1);
    assert_int_equal(last->nodes[0].connections, -1); /* it answers, and was not asked */
    const struct node_seen *node1 = snapshot_node(s, "node1");
    assert_int_equal(node1->state, NODE_NOT_RUNNING);
    assert_false(node1->answers);
    assert_int_equal(node1->said_down_by, 6);
    assert_int_equal(node1->changed_at, 2100);
    assert_string_equal(node1->error, "no connection");
    const struct queue_seen *hello = snapshot_queue(s, "hello"),
                            *mirrored = snapshot_queue(s, "mirrior_hello");
    assert_int_equal(hello->state, QUEUE_SEEN_DOWN);
    assert_int_equal(hello->messages, -1);
    assert_int_equal(hello->ready, -1);
    assert_int_equal(hello->unacked, -1);
    assert_int_equal(hello->was_messages, 1);
    assert_null(hello->effective_definition);
    assert_int_equal(mirrored->master, 1);
    assert_int_equal(mirrored->master_since, 2100);
    assert_int_equal(mirrored->mirrors, 4);
    assert_true(has_event(s, "node", "node1 not running"));
    assert_true(has_event(s, "queue", "hello is down"));
    assert_true(has_event(s, "promote", "mirrior_hello has a new master: node2 (was node1)"));
    assert_true(has_event(s, "mirror", "mirrior_hello on node3 in sync"));
    assert_int_equal(snapshot_queue(last, "hello")->messages, 0); /* lost, and one can say so again */
    assert_int_equal(snapshot_queue(last, "hello")->was_messages, 0);
    assert_true(has_event(last, "node", "node1 running"));
    for (size_t i = 1; i < last->events_len; i++)
        assert_true(last->events[i].wall_ms >= last->events[i - 1].wall_ms);
    snapshot_destroy(first);
    snapshot_destroy(s);
    snapshot_destroy(last);
    look_end(&up);
    look_end(&stopped);
    look_end(&back);
}

/* Just after a stop one node knows and the other does not: the one that knows is believed. */
static void the_fresher_view_wins(void **state)
{
    struct look l, old;
    (void)state;
    for (unsigned knows = 1; knows < 3; knows++) {
        answer(&l, "node1-stopped", 6);
        answer(&old, "up", 6);
        l.answers[3 - knows] = old.answers[3 - knows];
        struct snapshot *s = merge(&l, NULL, 100);
        assert_int_equal(s->source, (int)knows);
        assert_int_equal(snapshot_queue(s, "mirrior_hello")->master, 1);
        assert_int_equal(s->nodes[0].state, NODE_UP); /* one of two still says so: not agreed yet */
        assert_int_equal(s->nodes[0].said_down_by, 1u << knows);
        snapshot_destroy(s);
        look_end(&l);
        look_end(&old);
    }
}

static void nobody_answers(void **state)
{
    struct look up, none;
    (void)state;
    answer(&up, "up", 7);
    answer(&none, "up", 0);
    struct snapshot *first = merge(&up, NULL, 100), *s = merge(&none, first, 1000);
    assert_int_equal(s->source, -1);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(s->nodes[i].state, NODE_UNKNOWN);
    const struct queue_seen *hello = snapshot_queue(s, "hello");
    assert_int_equal(hello->state, QUEUE_SEEN_UNKNOWN);
    assert_int_equal(hello->messages, -1);
    assert_int_equal(hello->was_messages, 1);
    assert_int_equal(hello->seen_at, 100);
    assert_false(has_event(s, "queue", "hello is gone"));
    snapshot_destroy(first);
    snapshot_destroy(s);
    look_end(&up);
    look_end(&none);
}

static struct snapshot *merge_made(const char *nodes, const char *queues, const char *events,
                                   const struct snapshot *before)
{
    struct look l = {0};
    json_error_t e;
    l.answers[0] =
        (struct node_answer){.answered = true,
                             .has_feed = events != NULL,
                             .at = 100,
                             .nodes = keep(&l, json_loads(nodes, JSON_DECODE_ANY, &e)),
                             .queues = keep(&l, json_loads(queues, JSON_DECODE_ANY, &e)),
                             .policies = keep(&l, json_loads("[{\"name\":7}]", 0, &e)),
                             .events = events ? keep(&l, json_loads(events, JSON_DECODE_ANY, &e)) : NULL};
    struct snapshot *s = merge(&l, before, 100);
    look_end(&l);
    return s;
}

/* What is of the wrong kind counts as absent; nothing is taken for a number that is none. */
static void answers_made_to_be_hard(void **state)
{
    static const char *const lists[] = {
        "[]",
        "[null, 1, \"x\", [], {}]",
        "[{\"name\":\"\"}]",
        "[{\"name\":\"q\",\"messages\":\"9\",\"node\":7}]",
        "[{\"name\":\"q\",\"messages\":-5,\"messages_ready\":1e99,\"slave_nodes\":\"node1\"}]",
        "[{\"name\":\"q\",\"slave_nodes\":[null,\"nobody\",\"node2@x\"],\"synchronised_slave_nodes\":{}}]",
        "[{\"name\":\"q\",\"vhost\":\"other\"}]",
        "[{\"name\":\"q\",\"state\":\"broken\",\"policy\":{}}]"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct snapshot *s =
            merge_made(lists[i], lists[i], "{\"events\":[1,{},{\"kind\":1}],\"next\":\"x\"}", NULL);
        for (size_t q = 0; q < s->queues_len; q++) {
            assert_int_equal(s->queues[q].messages, -1);
            assert_int_equal(s->queues[q].state, QUEUE_SEEN_UNKNOWN);
            assert_int_equal(s->queues[q].mirrors & ~2u, 0);
        }
        assert_int_equal(s->policies_len, 0);
        snapshot_destroy(s);
    }
}

static void more_nodes_than_there_can_be(void **state)
{
    struct text nodes = {0};
    (void)state;
    for (int i = 0; i < 100; i++)
        text_printf(&nodes, "%s{\"name\":\"n%d@h\",\"running\":true}", i ? "," : "[", i);
    text_add(&nodes, "]");
    struct snapshot *s = merge_made(nodes.s, "[]", NULL, NULL);
    assert_int_equal(s->nodes_len, LIMIT_NODES);
    assert_string_equal(s->nodes[3].name, "n0");
    snapshot_destroy(s);
    text_finish(&nodes);
}

static void feeds_are_merged_by_time(void **state)
{
    struct snapshot *s = NULL;
    (void)state;
    for (int i = 0; i < 1300; i++) {
        char *feed =
            format_text("{\"next\":9,\"events\":[{\"seq\":2,\"time\":%d,\"kind\":\"b\",\"text\":\"late %d\"},"
                        "{\"seq\":1,\"time\":%d,\"kind\":\"a\",\"text\":\"early\"}]}",
                        2 * i + 1, i, 2 * i);
        struct snapshot *next = merge_made("[{\"name\":\"node1\",\"running\":true}]", "[]", feed, s);
        snapshot_destroy(s);
        s = next;
        free(feed);
    }
    assert_int_equal(s->events_len, 1000);
    assert_string_equal(s->events[999].text, "late 1299");
    assert_string_equal(s->events[998].text, "early");
    assert_string_equal(s->events[998].node, "node1");
    for (size_t i = 1; i < s->events_len; i++)
        assert_true(s->events[i].wall_ms > s->events[i - 1].wall_ms);
    snapshot_destroy(s);
}

/* Of one millisecond: causes before effects, and what one node tells in the order in which it tells it. */
static void one_moment_on_two_nodes(void **state)
{
    static const char *const feeds[] = {
        "{\"next\":4,\"events\":["
        "{\"seq\":1,\"time\":9,\"kind\":\"sync\",\"text\":\"q: copying 1 message\"},"
        "{\"seq\":2,\"time\":9,\"kind\":\"sync\",\"text\":\"q: copied 1 message\"},"
        "{\"seq\":3,\"time\":9,\"kind\":\"node\",\"text\":\"node3 is up\"}]}",
        "{\"next\":3,\"events\":["
        "{\"seq\":1,\"time\":9,\"kind\":\"mirror\",\"text\":\"mirror of q on node2 added, empty\"},"
        "{\"seq\":2,\"time\":9,\"kind\":\"mirror\",\"text\":\"q on node2 in sync\"}]}"};
    static const char *const expected[] = {"mirror of q on node2 added, empty", "q: copying 1 message",
                                           "q: copied 1 message", "node3 is up", "q on node2 in sync"};
    struct look l = {0};
    json_error_t e;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(feeds); i++)
        l.answers[i] = (struct node_answer){.answered = true,
                                            .has_feed = true,
                                            .at = 100,
                                            .nodes = keep(&l, json_loads("[]", 0, &e)),
                                            .queues = keep(&l, json_loads("[]", 0, &e)),
                                            .policies = keep(&l, json_loads("[]", 0, &e)),
                                            .events = keep(&l, json_loads(feeds[i], 0, &e))};
    struct snapshot *s = merge(&l, NULL, 100);
    assert_int_equal(s->events_len, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_string_equal(s->events[i].text, expected[i]);
    snapshot_destroy(s);
    look_end(&l);
}

/* What a node told goes with its process: a list that begins after that says so, where it begins, once. */
static void a_list_that_begins_late(void **state)
{
    static const char missing[] = "opened here; what node2 told before going is not listed";
    static const char up[] =
        "{\"events\":[{\"seq\":1,\"time\":9,\"kind\":\"node\",\"text\":\"node2 is up\"}]}";
    static const char down[] =
        "{\"events\":[{\"seq\":1,\"time\":9,\"kind\":\"node\",\"text\":\"node2 is down\"},"
        "{\"seq\":2,\"time\":99,\"kind\":\"node\",\"text\":\"node2 is up\"}]}";
    (void)state;
    struct snapshot *s = merge_made("[]", "[]", up, NULL);
    assert_int_equal(s->events_len, 1); /* all that there was is there */
    snapshot_destroy(s);
    s = merge_made("[{\"name\":\"node2@h\",\"running\":false}]", "[]", up, NULL);
    assert_true(has_event(s, "screen", missing));
    snapshot_destroy(s);
    static const char cut[] =
        "{\"events\":[{\"seq\":1,\"time\":9,\"kind\":\"node\",\"text\":\"node1 is down\"}]}";
    /* node1 runs since 5: what others called down at 9 was cut off; if it runs since 100, it went */
    s = merge_made("[{\"name\":\"node1@h\",\"running\":true,\"uptime\":1795381450095}]", "[]", cut, NULL);
    assert_int_equal(s->events_len, 1);
    snapshot_destroy(s);
    s = merge_made("[{\"name\":\"node1@h\",\"running\":true,\"uptime\":1795381450000}]", "[]", cut, NULL);
    assert_true(has_event(s, "screen", "opened here; what node1 told before going is not listed"));
    snapshot_destroy(s);
    static const char stopped[] = /* its app alone: the process, and so the feed, is what it was */
        "{\"events\":[{\"seq\":1,\"time\":8,\"kind\":\"node\",\"text\":\"node1 is up\"},"
        "{\"seq\":2,\"time\":9,\"kind\":\"node\",\"text\":\"node1 was stopped\"}]}";
    s = merge_made("[{\"name\":\"node1@h\",\"running\":true,\"uptime\":1795381450000}]", "[]", stopped, NULL);
    assert_int_equal(s->events_len, 2);
    snapshot_destroy(s);
    s = merge_made("[]", "[]", down, NULL);
    assert_int_equal(s->events_len, 3);
    assert_string_equal(s->events[2].text, missing);
    struct snapshot *next = merge_made("[]", "[]", "{\"events\":[]}", s);
    assert_int_equal(next->events_len, 3);
    snapshot_destroy(s);
    snapshot_destroy(next);
}

/* ---- a partition
 * ---------------------------------------------------------------------------------------------- */

#define ENTRY(name, up) "{\"name\":\"" name "\",\"running\":" up "}"
#define SAYS(one, two, three)                                                                                \
    "[" ENTRY("node1@h", one) "," ENTRY("node2@h", two) "," ENTRY("node3@h", three) "]"
#define QUEUE(name, state, node, mirrors, messages)                                                          \
    "{\"name\":\"" name "\",\"vhost\":\"/\",\"state\":\"" state "\",\"node\":\"" node                        \
    "\",\"slave_nodes\":[" mirrors "],\"synchronised_slave_nodes\":[" mirrors "],\"messages\":" messages     \
    ",\"messages_ready\":" messages "}"

static void say(struct look *l, unsigned node, const char *nodes, const char *queues)
{
    l->answers[node] = (struct node_answer){.answered = true, .at = 100};
    l->answers[node].nodes = keep(l, json_loads(nodes, 0, NULL));
    l->answers[node].queues = keep(l, json_loads(queues, 0, NULL));
    assert_non_null(l->answers[node].nodes);
    assert_non_null(l->answers[node].queues);
}

/* node1 does not see the others, nor they it; each side serves m, and has a queue of its own */
static struct look parted(void)
{
    struct look l = {0};
    say(&l, 0, SAYS("true", "false", "false"),
        "[" QUEUE("m", "running", "node1@h", "", "2") "," QUEUE("old", "running", "node1@h", "", "9") "]");
    say(&l, 1, SAYS("false", "true", "true"),
        "[" QUEUE("m", "running", "node2@h", "\"node3@h\"", "3") "," QUEUE("old", "down", "node1@h", "",
                                                                           "0") "]");
    say(&l, 2, SAYS("false", "true", "true"),
        "[" QUEUE("m", "running", "node2@h", "\"node3@h\"", "3") "," QUEUE("old", "down", "node1@h", "",
                                                                           "0") "]");
    return l;
}

static void together(struct look *l)
{
    *l = (struct look){0};
    for (unsigned i = 0; i < 3; i++)
        say(l, i, SAYS("true", "true", "true"),
            "[" QUEUE("m", "running", "node2@h", "\"node3@h\",\"node1@h\"",
                      "3") "," QUEUE("old", "running", "node1@h", "", "9") "]");
}

/* Whoever is out of the others' view when it stops has nobody to say so to: the screen notices. Nobody else's
 * going is told twice. */
static void a_node_that_goes_apart_is_told_of(void **state)
{
    static const char text[] = "node1 not running; it was cut off from the others before";
    (void)state;
    struct look l = parted(), gone = parted(), whole, went;
    together(&whole);
    together(&went);
    for (unsigned i = 1; i < 3; i++)
        say(&went, i, SAYS("false", "true", "true"), "[]");
    for (unsigned i = 0; i < 3; i++)
        l.answers[i].has_feed = gone.answers[i].has_feed = whole.answers[i].has_feed =
            went.answers[i].has_feed = true;
    gone.answers[0] = went.answers[0] = (struct node_answer){.error = "no connection", .has_feed = true};
    struct snapshot *first = merge(&l, NULL, 100), *stopped = merge(&gone, first, 400),
                    *later = merge(&gone, stopped, 700);
    assert_false(has_event(first, "node", text));
    assert_int_equal(stopped->nodes[0].state, NODE_NOT_RUNNING);
    assert_true(has_event(stopped, "node", text));
    assert_int_equal(later->events_len, stopped->events_len); /* once */
    struct snapshot *one = merge(&whole, NULL, 100), *killed = merge(&went, one, 400);
    assert_int_equal(killed->nodes[0].state, NODE_NOT_RUNNING);
    assert_false(has_event(killed, "node", text)); /* the others' feeds tell of that */
    snapshot_destroy(first);
    snapshot_destroy(stopped);
    snapshot_destroy(later);
    snapshot_destroy(one);
    snapshot_destroy(killed);
    look_end(&l);
    look_end(&gone);
    look_end(&whole);
    look_end(&went);
}

static void a_node_is_believed_about_itself(void **state)
{
    (void)state;
    struct look l = parted();
    struct snapshot *s = merge(&l, NULL, 100);
    assert_int_equal(s->source, 1); /* agrees with more */
    assert_true(snapshot_partitioned(s));
    assert_int_equal(snapshot_apart_from(s, 0), 6);
    assert_int_equal(snapshot_apart_from(s, 1), 1);
    const struct queue_seen *m = snapshot_queue(s, "m"), *old = snapshot_queue(s, "old");
    assert_int_equal(queue_seen_masters(m), 2);
    assert_int_equal(m->master, 1);
    assert_int_equal(m->messages, 3);
    assert_int_equal(m->sides_len, 2);
    assert_int_equal(m->sides[0].master, 0);
    assert_int_equal(m->sides[0].messages, 2);
    assert_int_equal(m->sides[1].master, 1);
    assert_int_equal(m->sides[1].synced, 4);
    assert_int_equal(queue_seen_masters_bits(m), 3);
    assert_int_equal(queue_seen_side(m, 2)->master, 1);
    assert_int_equal(old->state, QUEUE_SEEN_RUNNING); /* as node1 says, which serves it */
    assert_int_equal(old->master, 0);
    assert_int_equal(old->messages, 9);
    assert_true(queue_seen_one_sided(s, old));
    assert_int_equal(old->sides_len, 0);
    snapshot_destroy(s);
    look_end(&l);
}

/* What one side held is remembered while its master is away, and told of when it has gone for good. */
static void a_side_that_is_discarded_is_told(void **state)
{
    (void)state;
    struct look l = parted(), gone = parted(), back;
    gone.answers[0] = (struct node_answer){.error = "no connection"};
    together(&back);
    struct snapshot *first = merge(&l, NULL, 100), *away = merge(&gone, first, 400);
    const struct queue_seen *m = snapshot_queue(away, "m");
    assert_int_equal(queue_seen_masters(m), 1);
    assert_int_equal(queue_seen_masters_bits(m), 2);
    assert_int_equal(m->sides_len, 1);
    assert_true(m->sides[0].away);
    assert_false(snapshot_partitioned(away));
    assert_false(has_event(away, "queue",
                           "m: what node1 held on its side is discarded, 2 messages; node2 goes on with 3"));
    struct snapshot *again = merge(&l, away, 700); /* it had only been silent */
    assert_int_equal(queue_seen_masters(snapshot_queue(again, "m")), 2);
    assert_false(has_event(again, "queue",
                           "m: what node1 held on its side is discarded, 2 messages; node2 goes on with 3"));
    struct snapshot *end = merge(&back, away, 900);
    assert_true(has_event(end, "queue",
                          "m: what node1 held on its side is discarded, 2 messages; node2 goes on with 3"));
    assert_int_equal(snapshot_queue(end, "m")->sides_len, 0);
    assert_false(has_event(end, "queue",
                           "m: what node2 held on its side is discarded, 3 messages; node2 goes on with 3"));
    snapshot_destroy(first);
    snapshot_destroy(away);
    snapshot_destroy(again);
    snapshot_destroy(end);
    look_end(&l);
    look_end(&gone);
    look_end(&back);
}

/* RabbitMQ's nodes that have met again tell of each queue what both masters hold together: that is neither's.
 */
static void sums_are_nobodys_count(void **state)
{
    (void)state;
    struct labdir lab = three_nodes();
    struct look l = parted(), met = {0};
    lab.engine = ENGINE_RABBITMQ;
#define MET(name, up, from)                                                                                  \
    "{\"name\":\"" name "\",\"running\":" up ",\"partitions\":[" from                                        \
    "],\"cluster_links\":[{\"name\":\"node1@h\"},{\"name\":\"node2@h\"}]}"
    say(&met, 0, "[" MET("node1@h", "true", "\"node2@h\"") "," MET("node2@h", "false", "") "]",
        "[" QUEUE("m", "running", "node1@h", "", "5") "]");
    say(&met, 1, "[" MET("node1@h", "false", "") "," MET("node2@h", "true", "\"node1@h\"") "]",
        "[" QUEUE("m", "running", "node2@h", "", "5") "]");
    met.answers[2] = (struct node_answer){.error = "no connection"};
    struct merge_time time = {.now = 100};
    struct snapshot *first = merge_answers(&lab, l.answers, NULL, time);
    assert_int_equal(snapshot_queue(first, "m")->sides[0].messages, 2); /* cut: each counts its own */
    struct snapshot *s = merge_answers(&lab, met.answers, first, time);
    const struct queue_seen *m = snapshot_queue(s, "m");
    assert_int_equal(queue_seen_masters(m), 2);
    assert_int_equal(m->messages, -1);
    assert_int_equal(m->sides[0].messages, -1);
    assert_int_equal(m->sides[0].was_messages, 2);
    assert_int_equal(m->sides[1].was_messages, 3);
    snapshot_destroy(s);
    lab.engine = ENGINE_KIT; /* its nodes tell what they hold */
    s = merge_answers(&lab, met.answers, first, time);
    assert_int_equal(snapshot_queue(s, "m")->sides[0].messages, 5);
    snapshot_destroy(s);
    snapshot_destroy(first);
    look_end(&l);
    look_end(&met);
}

/* Two nodes that see each other and both say they are a queue's master: it is just being handed over. */
static void a_handover_is_no_partition(void **state)
{
    (void)state;
    struct look l = {0};
    say(&l, 0, SAYS("true", "true", "true"), "[" QUEUE("m", "running", "node1@h", "", "2") "]");
    say(&l, 1, SAYS("true", "true", "true"), "[" QUEUE("m", "running", "node2@h", "", "2") "]");
    say(&l, 2, SAYS("true", "true", "true"), "[" QUEUE("m", "running", "node2@h", "", "2") "]");
    struct snapshot *s = merge(&l, NULL, 100);
    assert_false(snapshot_partitioned(s));
    assert_int_equal(snapshot_queue(s, "m")->sides_len, 0);
    snapshot_destroy(s);
    look_end(&l);
    /* a node that starts, and says nothing of itself yet, is not apart either */
    l = (struct look){0};
    say(&l, 0, SAYS("false", "false", "false"), "[]");
    say(&l, 1, SAYS("false", "true", "true"), "[" QUEUE("m", "running", "node2@h", "", "2") "]");
    say(&l, 2, SAYS("false", "true", "true"), "[" QUEUE("m", "running", "node2@h", "", "2") "]");
    s = merge(&l, NULL, 100);
    assert_false(snapshot_partitioned(s));
    snapshot_destroy(s);
    look_end(&l);
}

static void json_and_back(void **state)
{
    static const char *const names[] = {"rest",   "stopped", "down", "wide",  "many",     "frozen",
                                        "silent", "empty",   "cut",  "apart", "apart-six"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct snapshot *s = load_snapshot(names[i]), *copy = snapshot_clone(s);
        json_t *a = snapshot_to_json(s), *b = snapshot_to_json(copy);
        char *error = NULL, *path = format_text("tests/screen/snapshots/%s.json", names[i]);
        struct snapshot *again = snapshot_from_json(a, &error);
        json_t *c = snapshot_to_json(again), *file = load_json(path);
        assert_true(json_equal(a, b));
        assert_true(json_equal(a, c));
        assert_true(json_equal(a, file)); /* nothing of the file was dropped */
        json_decref(a);
        json_decref(b);
        json_decref(c);
        json_decref(file);
        snapshot_destroy(s);
        snapshot_destroy(copy);
        snapshot_destroy(again);
        free(path);
    }
}

/* so a recording of a lab that has moved shows what its screen said */
static void where_a_lab_moved_is_kept(void **state)
{
    (void)state;
    char *error = NULL;
    struct snapshot *s = load_snapshot("silent");
    s->moved_to = 6672;
    json_t *json = snapshot_to_json(s);
    struct snapshot *again = snapshot_from_json(json, &error);
    assert_int_equal(again->moved_to, 6672);
    json_decref(json);
    snapshot_destroy(s);
    snapshot_destroy(again);
}

static void what_is_no_snapshot_is_refused(void **state)
{
    static const struct {
        const char *set, *to, *error;
    } wrong[] = {
        {"format", "2", "format 2"},
        {"nodes", "7", "nodes"},
        {"nodes", "[{\"name\":\"a\",\"state\":\"sleeping\"}]", "nodes[0].state: a state is expected"},
        {"nodes", "[{}]", "nodes[0].name"},
        {"queues", "[{\"name\":\"q\",\"state\":\"running\",\"master\":\"nobody\"}]", "queues[0].master"},
        {"queues", "[{\"name\":\"q\",\"state\":\"running\",\"messages\":-1}]", "queues[0].messages"},
        {"queues", "[{\"name\":\"q\",\"state\":\"running\",\"mirrors\":[\"nobody\"]}]", "queues[0].mirrors"},
        {"events", "[{\"seq\":1,\"wall_ms\":1,\"kind\":\"x\"}]", "events[0].text"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        json_error_t e;
        json_t *json = load_json("tests/screen/snapshots/empty.json");
        char *error = NULL;
        json_object_set_new(json, wrong[i].set, json_loads(wrong[i].to, JSON_DECODE_ANY, &e));
        assert_null(snapshot_from_json(json, &error));
        assert_contains(error, wrong[i].error);
        json_decref(json);
        free(error);
    }
    char *error = NULL;
    json_t *list = json_array();
    assert_null(snapshot_from_json(list, &error));
    assert_contains(error, "not a snapshot");
    free(error);
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorded_cluster),
        cmocka_unit_test(the_only_copy),
        cmocka_unit_test(a_recorded_stop),
        cmocka_unit_test(the_fresher_view_wins),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(answers_made_to_be_hard),
        cmocka_unit_test(more_nodes_than_there_can_be),
        cmocka_unit_test(feeds_are_merged_by_time),
        cmocka_unit_test(a_list_that_begins_late),
        cmocka_unit_test(one_moment_on_two_nodes),
        cmocka_unit_test(a_node_is_believed_about_itself),
        cmocka_unit_test(a_node_that_goes_apart_is_told_of),
        cmocka_unit_test(a_side_that_is_discarded_is_told),
        cmocka_unit_test(sums_are_nobodys_count),
        cmocka_unit_test(a_handover_is_no_partition),
        cmocka_unit_test(json_and_back),
        cmocka_unit_test(where_a_lab_moved_is_kept),
        cmocka_unit_test(what_is_no_snapshot_is_refused),
    };
    return cmocka_run_group_tests_name("screen/snapshot", tests, NULL, NULL);
}

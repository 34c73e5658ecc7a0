/* test_snapshot.c: snapshots from what nodes said: recordings of RabbitMQ 3.10.8, and answers made to be
 * hard. Of nodes that are parted: test_snapshot_parted.c. */
#include "tests/screen/support.h"

#include "tests/screen/merged.h"

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

/* What a master has counted of its queue: nothing is told of one with which nothing happened. */
static void what_a_master_has_counted(void **state)
{
    static const struct {
        const char *stats;
        int64_t published, taken;
    } told[] = {{"{}", -1, -1},
                {"{\"publish\":7}", 7, 0},
                {"{\"publish\":7,\"ack\":2,\"deliver_no_ack\":1,\"get_no_ack\":3,\"deliver_get\":9}", 7, 6}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(told); i++) {
        struct look up;
        answer(&up, "up", 7);
        json_object_set_new(json_array_get(up.answers[0].queues, 0), "message_stats",
                            json_loads(told[i].stats, 0, NULL));
        struct snapshot *s = merge(&up, NULL, 100);
        const char *name =
            json_string_value(json_object_get(json_array_get(up.answers[0].queues, 0), "name"));
        json_t *json = snapshot_to_json(s);
        char *error = NULL;
        struct snapshot *again = snapshot_from_json(json, &error);
        assert_int_equal(snapshot_queue(again, name)->published, told[i].published);
        assert_int_equal(snapshot_queue(again, name)->taken, told[i].taken);
        json_decref(json);
        snapshot_destroy(again);
        snapshot_destroy(s);
        look_end(&up);
    }
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

/* The list begins now. events: what node1 tells; since_ms: its process is there since then; seen_ms: an
 * earlier screen listened until then. */
static struct snapshot *began(const char *nodes, const char *events, int64_t since_ms, int64_t seen_ms)
{
    struct look l = {0};
    json_error_t e;
    struct labdir lab = three_nodes();
    l.answers[0] = (struct node_answer){.answered = true,
                                        .has_feed = true,
                                        .since_ms = since_ms,
                                        .at = 100,
                                        .nodes = keep(&l, json_loads(nodes, 0, &e)),
                                        .queues = keep(&l, json_loads("[]", 0, &e)),
                                        .policies = keep(&l, json_loads("[]", 0, &e)),
                                        .events = keep(&l, json_loads(events, 0, &e))};
    struct merge_time time = {.now = 100, .wall_ms = 1795381450100, .seen_wall_ms = seen_ms};
    struct snapshot *s = merge_answers(&lab, l.answers, NULL, time);
    look_end(&l);
    return s;
}

/* Cut off, and its app stopped and started after that: its process did not go, and nothing is missing, though
 * its feed has nothing older and it is up since later. Else what is missing is what no screen heard. */
static void what_could_not_be_heard(void **state)
{
    static const char up[] = "[{\"name\":\"node1@h\",\"running\":true,\"uptime\":10}]";
    static const char cut[] =
        "{\"events\":[{\"seq\":1,\"time\":1795381450050,\"kind\":\"node\",\"text\":\"node1 is down\"}]}";
    static const char before[] = "opened here; what node1 told before going is not listed";
    static const char since[] =
        "opened here; what node1 told before going is listed as far as an earlier screen kept it";
    (void)state;
    struct snapshot *s = began(up, cut, 1795381450040, 0);
    assert_int_equal(s->events_len, 1);
    snapshot_destroy(s);
    s = began(up, cut, 1795381450060, 0);
    assert_true(has_event(s, "screen", before));
    snapshot_destroy(s);
    s = began(up, cut, 1795381450060, 1795381450045);
    assert_int_equal(s->events_len, 2);
    assert_true(has_event(s, "screen", since));
    snapshot_destroy(s);
    s = began(up, cut, 1795381450060, 1795381450055);
    assert_int_equal(s->events_len, 1); /* that screen listened until it went */
    snapshot_destroy(s);
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

/* so a recording ticks no more than its screen did; an older one does not say it, and is read as it was */
static void a_node_that_refuses_nothing_is_kept(void **state)
{
    (void)state;
    char *error = NULL;
    struct snapshot *s = load_snapshot("stopped");
    assert_false(s->nodes[0].unrefused);
    s->nodes[0].unrefused = true;
    json_t *json = snapshot_to_json(s);
    struct snapshot *again = snapshot_from_json(json, &error);
    assert_true(again->nodes[0].unrefused);
    assert_false(again->nodes[1].unrefused);
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
        cmocka_unit_test(what_a_master_has_counted),
        cmocka_unit_test(the_only_copy),
        cmocka_unit_test(a_recorded_stop),
        cmocka_unit_test(the_fresher_view_wins),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(answers_made_to_be_hard),
        cmocka_unit_test(more_nodes_than_there_can_be),
        cmocka_unit_test(feeds_are_merged_by_time),
        cmocka_unit_test(a_list_that_begins_late),
        cmocka_unit_test(what_could_not_be_heard),
        cmocka_unit_test(one_moment_on_two_nodes),
        cmocka_unit_test(json_and_back),
        cmocka_unit_test(where_a_lab_moved_is_kept),
        cmocka_unit_test(a_node_that_refuses_nothing_is_kept),
        cmocka_unit_test(what_is_no_snapshot_is_refused),
    };
    return cmocka_run_group_tests_name("screen/snapshot", tests, NULL, NULL);
}

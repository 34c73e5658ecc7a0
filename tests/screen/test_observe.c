/* test_observe.c: the observer against nodes that answer, freeze, go away and come back. */
#include "tests/screen/support.h"

#include <time.h>

#include "lab/observe.h"
#include "tests/screen/fake.h"

struct scene {
    struct event_base *base;
    struct fake *fake;
    struct labdir lab;
    struct observer *observer;
    struct snapshot *s; /* the newest */
    bool (*fact)(const struct snapshot *s);
    bool seen;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_snapshot(void *arg, const struct snapshot *s)
{
    struct scene *scene = arg;
    snapshot_destroy(scene->s);
    scene->s = snapshot_clone(s);
    if (scene->fact && scene->fact(s)) {
        scene->seen = true;
        event_base_loopbreak(scene->base);
    }
}

static int begin(void **state)
{
    struct scene *scene = xcalloc(1, sizeof(*scene));
    scene->base = event_base_new();
    scene->fake = fake_create(scene->base, 3);
    fake_queues(scene->fake,
                "[{\"name\":\"q\",\"vhost\":\"/\",\"state\":\"running\",\"node\":\"node1@localhost\","
                "\"messages\":5,\"messages_ready\":5,\"messages_unacknowledged\":0}]");
    fake_labdir(scene->fake, &scene->lab);
    *state = scene;
    return 0;
}

static int end(void **state)
{
    struct scene *scene = *state;
    observer_destroy(scene->observer);
    fake_destroy(scene->fake);
    event_base_free(scene->base);
    snapshot_destroy(scene->s);
    free(scene);
    return 0;
}

static void watch(struct scene *scene, unsigned interval_ms)
{
    scene->observer = observer_create(scene->base, &scene->lab, interval_ms, on_snapshot, scene);
}

static void until(struct scene *scene, bool (*fact)(const struct snapshot *s))
{
    struct timeval limit = {.tv_sec = 10};
    scene->fact = fact;
    scene->seen = false;
    event_base_loopexit(scene->base, &limit);
    event_base_dispatch(scene->base);
    assert_true(scene->seen);
}

static bool all_answer(const struct snapshot *s)
{
    return s->nodes[0].answers && s->nodes[1].answers && s->nodes[2].answers;
}

static bool second_silent(const struct snapshot *s)
{
    return s->nodes[0].answers && !s->nodes[1].answers && s->nodes[2].answers;
}

static bool first_silent(const struct snapshot *s)
{
    return !s->nodes[0].answers;
}

static bool second_refuses(const struct snapshot *s)
{
    return !s->nodes[1].answers && !s->nodes[1].unrefused;
}

static bool second_down(const struct snapshot *s)
{
    return s->nodes[1].state == NODE_NOT_RUNNING;
}

static bool nobody(const struct snapshot *s)
{
    return s->source < 0;
}

static void asks_all_at_once(void **state)
{
    struct scene *scene = *state;
    watch(scene, 1000);
    int64_t from = now_ms();
    until(scene, all_answer);
    assert_true(now_ms() - from < 700); /* no interval passed */
    assert_int_equal(scene->s->number, 1);
    assert_int_equal(scene->s->queues[0].messages, 5);
    assert_int_equal(fake_rounds(scene->fake), 3);
}

static uint64_t number_then;
static bool five_more(const struct snapshot *s)
{
    return s->number >= number_then + 5;
}

/* The first look at a frozen node takes its time; after that nobody waits for it. */
static void a_frozen_node_costs_nothing(void **state)
{
    struct scene *scene = *state;
    watch(scene, 20);
    until(scene, all_answer);
    fake_node(scene->fake, 1, FAKE_FROZEN, true);
    until(scene, second_silent);
    assert_int_equal(scene->s->nodes[1].state, NODE_UP); /* the others say that it runs */
    assert_contains(scene->s->nodes[1].error, "no answer in 800 ms");
    assert_true(scene->s->nodes[1].unrefused);
    assert_false(scene->s->nodes[0].unrefused);
    number_then = scene->s->number;
    int64_t from = now_ms();
    until(scene, five_more);
    assert_true(now_ms() - from < 700); /* five rounds in less than one time limit */
    assert_int_equal(scene->s->queues[0].messages, 5);
    assert_true(second_silent(scene->s));
    fake_node(scene->fake, 1, FAKE_ANSWERS, true);
    until(scene, all_answer);
    assert_null(scene->s->nodes[1].error);
}

/* Where no process of the node is left, what comes back is another one, and its feed counts from 1: it is
 * asked for all of it, however far the one before it had counted. */
static void a_process_that_begins_again(void **state)
{
    struct scene *scene = *state;
    fake_feed(scene->fake, "{\"next\":3,\"events\":[]}");
    fake_trace(scene->fake, 1, "{\"next\":7,\"trace\":[]}");
    scene->lab.external = false; /* it is one of this machine, with no process at all */
    scene->lab.engine = ENGINE_KIT;
    snprintf(scene->lab.path, sizeof(scene->lab.path), "/nowhere");
    watch(scene, 20);
    observer_want(scene->observer, &(struct observer_wants){.messages = true});
    until(scene, all_answer);
    number_then = scene->s->number;
    until(scene, five_more);
    assert_true(fake_asked(scene->fake, "/api/trace?since=7") > 0);
    fake_node(scene->fake, 1, FAKE_GONE, false);
    until(scene, second_down);
    fake_forget(scene->fake);
    number_then = scene->s->number;
    until(scene, five_more);
    assert_int_equal(fake_asked(scene->fake, "/api/events?since=0"),
                     0); /* the others go on where they were */
    fake_node(scene->fake, 1, FAKE_ANSWERS, true);
    until(scene, all_answer);
    assert_int_equal(fake_asked(scene->fake, "/api/events?since=0"), 1);
    assert_int_equal(fake_asked(scene->fake, "/api/trace?since=0"), 1);
}

static void a_node_goes_and_comes_back(void **state)
{
    struct scene *scene = *state;
    watch(scene, 20);
    until(scene, all_answer);
    fake_node(scene->fake, 1, FAKE_GONE, true);
    until(scene, second_silent);
    assert_int_equal(scene->s->nodes[1].state, NODE_UP);
    until(scene, second_refuses);
    fake_node(scene->fake, 1, FAKE_GONE, false);
    until(scene, second_down);
    assert_int_equal(scene->s->nodes[1].said_down_by, 5);
    fake_node(scene->fake, 1, FAKE_ANSWERS, true);
    until(scene, all_answer);
}

/* One that stopped refuses connections; one that is cut off does not, nor one to which there is no way. */
static void nobody_refuses_for_one_that_is_cut_off(void **state)
{
    struct scene *scene = *state;
    fake_node(scene->fake, 1, FAKE_SILENT, false);
    snprintf(scene->lab.nodes[2].host, sizeof(scene->lab.nodes[2].host), "255.255.255.255");
    watch(scene, 20);
    until(scene, second_down);
    assert_true(scene->s->nodes[1].unrefused);
    assert_contains(scene->s->nodes[2].error, "no connection");
    assert_true(scene->s->nodes[2].unrefused);
    fake_node(scene->fake, 1, FAKE_GONE, false);
    until(scene, second_refuses);
}

static void all_go_and_come_back(void **state)
{
    struct scene *scene = *state;
    watch(scene, 20);
    until(scene, all_answer);
    for (size_t i = 0; i < 3; i++)
        fake_node(scene->fake, i, FAKE_GONE, false);
    until(scene, nobody);
    assert_int_equal(scene->s->queues[0].messages, -1);
    assert_int_equal(scene->s->queues[0].was_messages, 5);
    for (size_t i = 0; i < 3; i++)
        fake_node(scene->fake, i, i == 1 ? FAKE_FROZEN : FAKE_ANSWERS, true);
    until(scene, second_silent);
    assert_int_equal(scene->s->queues[0].messages, 5);
}

static void what_is_no_answer_is_none(void **state)
{
    struct scene *scene = *state;
    fake_node(scene->fake, 1, FAKE_GARBAGE, true);
    watch(scene, 20);
    until(scene, second_silent);
    assert_contains(scene->s->nodes[1].error, "not JSON");
    fake_queues(scene->fake, "{\"error\":\"internal\"}");
    until(scene, nobody);
    assert_contains(scene->s->nodes[0].error, "not a list");
}

static void a_wrong_password_is_said(void **state)
{
    struct scene *scene = *state;
    snprintf(scene->lab.password, sizeof(scene->lab.password), "wrong");
    watch(scene, 20);
    until(scene, nobody);
    assert_contains(scene->s->nodes[0].error, "401 (wrong user or password)");
    assert_true(scene->s->nodes[0].unrefused);
}

static bool three_events(const struct snapshot *s)
{
    return s->events_len >= 3;
}

static bool six_events(const struct snapshot *s)
{
    return s->events_len >= 6;
}

/* Each node tells its own; what was told is not asked for again; a node that begins again is heard again. */
static void feeds(void **state)
{
    struct scene *scene = *state;
    fake_queues(scene->fake, "[]");
    fake_feed(
        scene->fake,
        "{\"node\":\"x\",\"next\":7,\"events\":[{\"seq\":6,\"time\":5,\"kind\":\"k\",\"text\":\"t\"}]}");
    watch(scene, 20);
    until(scene, three_events);
    assert_string_equal(scene->s->events[0].text, "t");
    fake_forget(scene->fake);
    fake_feed(scene->fake, "{\"node\":\"x\",\"next\":7,\"events\":[]}");
    number_then = scene->s->number;
    until(scene, five_more);
    assert_int_equal(scene->s->events_len, 3);
    assert_true(fake_asked(scene->fake, "/api/events?since=7") >= 12);
    assert_int_equal(fake_asked(scene->fake, "/api/events?since=0"), 0);
    fake_feed(scene->fake,
              "{\"node\":\"x\",\"next\":2,\"events\":[]}"); /* began again: all it has is asked for */
    number_then = scene->s->number;
    until(scene, five_more);
    assert_int_equal(fake_asked(scene->fake, "/api/events?since=0"), 3);
    assert_true(fake_asked(scene->fake, "/api/events?since=2") > 0);
    fake_feed(
        scene->fake,
        "{\"node\":\"x\",\"next\":3,\"events\":[{\"seq\":2,\"time\":9,\"kind\":\"k\",\"text\":\"u\"}]}");
    until(scene, six_events);
}

static bool traced(const struct snapshot *s)
{
    return s->trace_len == 3 && s->looked_at && s->copies_len == 1;
}

static bool told_twice(const struct snapshot *s)
{
    return s->looked_at && s->trace_len == 0;
}

/* What one node notes comes once, and in the shape in which it is kept; what another has no word for is no
 * error; a queue that is looked at closely is asked for by name, and only of the node whose lists are used.
 */
static void traces(void **state)
{
    struct scene *scene = *state;
    fake_trace(scene->fake, 1,
               "{\"next\":8,\"missed\":true,\"queues\":{\"99\":\"q w\"},\"trace\":["
               "[9,3000,3000,99,\"accepted\",7,9,null,0,0,null,5,0,0],"
               "[8,2000,2500,99,\"copied\",4,6,null,0,0,\"node1@localhost\",5,7,33],"
               "[7,1000,1000,99,\"delivered\",1,1,\"node3@localhost\",0,5,null,0,0,32],"
               "[6,900,900,99,\"unheard-of\",1,1,null,0,0,null,0,0,0],[5],[4,1,1,98,\"copied\",1,1,null,0,0,"
               "null,0,0,0]],"
               "\"queue\":{\"name\":\"q w\",\"uid\":99,\"role\":\"mirror\",\"next\":7,\"all\":true,"
               "\"held\":[[4,6,33],[9,8,33],[1,2],\"x\"]}}");
    watch(scene, 20);
    observer_want(scene->observer,
                  &(struct observer_wants){.messages = true, .queue = "q w", .queue_page = true});
    until(scene, traced);
    const struct snapshot *s = scene->s;
    assert_int_equal(s->traces, 2);
    assert_int_equal(s->trace_gaps, 2);
    assert_int_equal(s->trace[0].kind, TRACE_SEEN_DELIVERED); /* by time */
    assert_int_equal(s->trace[0].about, 2);
    assert_true(s->trace[0].redelivered);
    assert_string_equal(s->trace[1].queue, "q w");
    assert_int_equal(s->trace[1].node, 1);
    assert_int_equal(s->trace[1].origin, 0);
    assert_int_equal(s->trace[1].first, 4);
    assert_int_equal(s->trace[1].number, 7);
    assert_int_equal(s->trace[1].reign, 33);
    assert_false(s->trace[1].more);
    assert_string_equal(s->events[0].text, "q w: 3 published"); /* it is older than what else was told */
    assert_true(s->trace[0].more);
    assert_true(s->copies[0].mirror);
    assert_int_equal(s->copies[0].held_len, 1); /* what is no range of one reign is none */
    assert_int_equal(s->copies[0].held[0].reign, 33);
    fake_trace(scene->fake, 1, "{\"next\":8,\"trace\":[],\"queue\":null}");
    until(scene, told_twice);
    assert_true(fake_asked(scene->fake, "/api/trace?since=8&queue=q%20w") > 0);
    assert_int_equal(fake_asked(scene->fake, "/api/trace?since=0&queue=q%20w"),
                     3); /* the two others said 404 at once */
    assert_true(fake_asked(scene->fake, "/api/queues/%2F/q%20w") > 0);
    assert_int_equal(fake_asked(scene->fake, "/api/connections"), 0); /* nobody wanted them */
    assert_int_equal(fake_asked(scene->fake, "/api/channels"), 0);
    fake_forget(scene->fake);
    observer_want(scene->observer, &(struct observer_wants){.connections = true});
    number_then = scene->s->number;
    until(scene, five_more);
    assert_true(fake_asked(scene->fake, "/api/connections") >= 3); /* of one node, each round */
    assert_true(fake_asked(scene->fake, "/api/channels") >= 3);
    assert_true(fake_asked(scene->fake, "/api/trace?since=8") <= 1); /* nobody looks: they need not note */
}

static bool forty_more(const struct snapshot *s)
{
    return s->number >= number_then + 40;
}

static bool six_messages(const struct snapshot *s)
{
    return s->queues_len && s->queues[0].messages == 6;
}

/* An idle lab: what is said again is not parsed again, and one node's list is enough. What changes is seen.
 */
static void what_does_not_change_costs_little(void **state)
{
    struct scene *scene = *state;
    watch(scene, 5);
    until(scene, all_answer);
    number_then = scene->s->number;
    fake_forget(scene->fake);
    uint64_t parsed = observer_parsed(scene->observer);
    until(scene, forty_more);
    assert_int_equal(observer_parsed(scene->observer), parsed);
    size_t rounds = scene->s->number - number_then, asked = fake_asked(scene->fake, "/api/queues");
    assert_true(asked >= rounds);
    assert_true(asked <= rounds + 2 * (rounds / 8 + 2)); /* not 3 * rounds */
    fake_queues(scene->fake,
                "[{\"name\":\"q\",\"vhost\":\"/\",\"state\":\"running\",\"node\":\"node1@localhost\","
                "\"messages\":6,\"messages_ready\":6,\"messages_unacknowledged\":0}]");
    until(scene, six_messages);
    assert_true(observer_parsed(scene->observer) > parsed);
}

/* The node whose list was shown goes: the others are asked in the same round. */
static void another_list_at_once(void **state)
{
    struct scene *scene = *state;
    watch(scene, 20);
    until(scene, all_answer);
    number_then = scene->s->number;
    until(scene, five_more);
    assert_int_equal(scene->s->source, 0);
    fake_node(scene->fake, 0, FAKE_GONE, true);
    until(scene, first_silent);
    assert_true(scene->s->source > 0);
    assert_int_equal(scene->s->queues_len, 1);
    assert_int_equal(scene->s->queues[0].messages, 5);
}

#define LOST_ENTRY(n, up) "{\"name\":\"node" n "@localhost\",\"running\":" up "}"

static uint64_t looks;
static int down, uncounted, taken;
static bool twenty_looks(const struct snapshot *s)
{
    down += s->queues_len && s->queues[0].state != QUEUE_SEEN_RUNNING;
    uncounted += s->queues_len && s->queues[0].messages < 0;
    taken += s->queues_len && s->queues[0].master == 0;
    return ++looks >= 20;
}

/* What was seen in 20 looks, when node1's list was the one that is shown, and node1 began to say this. */
static void node1_says(struct scene *scene, const char *nodes, const char *queues)
{
    fake_queues(scene->fake, "[{\"name\":\"q\",\"vhost\":\"/\",\"state\":\"running\",\"node\":"
                             "\"node2@localhost\",\"messages\":5}]");
    watch(scene, 10);
    until(scene, all_answer);
    number_then = scene->s->number;
    until(scene, five_more);
    assert_int_equal(scene->s->source, 0);
    fake_says(scene->fake, 0, nodes, queues);
    looks = 0;
    down = uncounted = taken = 0;
    until(scene, twenty_looks);
}

/* The node whose list is shown loses the others first: what they serve it calls down. They serve it all the
 * same, in every look. */
static void who_loses_the_others_is_not_believed(void **state)
{
    struct scene *scene = *state;
    node1_says(scene,
               "[" LOST_ENTRY("1", "true") "," LOST_ENTRY("2", "false") "," LOST_ENTRY("3", "false") "]",
               "[{\"name\":\"q\",\"vhost\":\"/\",\"state\":\"down\",\"node\":\"node2@localhost\"}]");
    assert_int_equal(down, 0);
    assert_int_equal(uncounted, 0);
    for (size_t i = 0; i < scene->s->events_len; i++)
        assert_lacks(scene->s->events[i].text, "is down");
}

/* Nor where it makes itself the master of what they serve. */
static void who_loses_the_others_takes_nothing(void **state)
{
    struct scene *scene = *state;
    node1_says(scene,
               "[" LOST_ENTRY("1", "true") "," LOST_ENTRY("2", "false") "," LOST_ENTRY("3", "false") "]",
               "[{\"name\":\"q\",\"vhost\":\"/\",\"state\":\"running\",\"node\":\"node1@localhost\","
               "\"messages\":4}]");
    assert_int_equal(taken, 0);
    assert_int_equal(scene->s->queues[0].messages, 5);
}

/* It cannot reach a queue's master any more, and does not know yet that it is cut off: the master counts. */
static void the_master_counts_its_queue_itself(void **state)
{
    struct scene *scene = *state;
    node1_says(scene, NULL,
               "[{\"name\":\"q\",\"vhost\":\"/\",\"state\":\"running\",\"node\":\"node2@localhost\"}]");
    assert_int_equal(uncounted, 0);
    assert_int_equal(scene->s->queues[0].messages, 5);
}

static void a_poke_asks_now(void **state)
{
    struct scene *scene = *state;
    watch(scene, 60000);
    until(scene, all_answer);
    number_then = scene->s->number - 4;
    observer_poke(scene->observer);
    until(scene, five_more);
}

static void looking_once(void **state)
{
    struct snapshot *s;
    struct labdir lab = {.nodes_len = 2};
    (void)state;
    for (size_t i = 0; i < 2; i++) { /* nobody listens there */
        snprintf(lab.nodes[i].name, sizeof(lab.nodes[i].name), "node%zu", i + 1);
        snprintf(lab.nodes[i].host, sizeof(lab.nodes[i].host), "127.0.0.1");
        lab.nodes[i].http_port = 1;
    }
    s = observe_once(&lab, 2000);
    assert_non_null(s);
    assert_int_equal(s->source, -1);
    assert_int_equal(s->nodes[0].state, NODE_UNKNOWN);
    assert_string_equal(s->nodes[0].error, "no connection");
    snapshot_destroy(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(asks_all_at_once),
        TEST(a_frozen_node_costs_nothing),
        TEST(a_node_goes_and_comes_back),
        TEST(a_process_that_begins_again),
        TEST(nobody_refuses_for_one_that_is_cut_off),
        TEST(all_go_and_come_back),
        TEST(what_is_no_answer_is_none),
        TEST(a_wrong_password_is_said),
        TEST(feeds),
        TEST(traces),
        TEST(what_does_not_change_costs_little),
        TEST(another_list_at_once),
        TEST(who_loses_the_others_is_not_believed),
        TEST(who_loses_the_others_takes_nothing),
        TEST(the_master_counts_its_queue_itself),
        TEST(a_poke_asks_now),
        cmocka_unit_test(looking_once),
    };
    return cmocka_run_group_tests_name("screen/observe", tests, NULL, NULL);
}

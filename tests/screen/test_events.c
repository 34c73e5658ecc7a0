/* test_events.c: what the list of events has beside what nodes' feeds tell: the node that nobody is left to
 * tell of, the queue that nobody serves, and what an earlier screen has heard of;
 * and who is named in a row. */
#include "tests/screen/support.h"

#include <unistd.h>

#include "lab/notice.h"
#include "lab/observe.h"
#include "tests/screen/story.h"
#include "tests/temporary.h"

/* "node node1 is up | queue hello is stopped"; the caller frees it */
static char *listed(const struct snapshot *s)
{
    struct text t = {0};
    text_add(&t, "");
    for (size_t i = 0; i < s->events_len; i++)
        text_printf(&t, "%s%s %s", i ? " | " : "", s->events[i].kind, s->events[i].text);
    return t.s;
}

static void assert_list(const struct snapshot *s, const char *expected)
{
    char *list = listed(s);
    assert_string_equal(list, expected);
    free(list);
}

/* ---- what two looks show
 * ------------------------------------------------------------------------------------- */

struct look {
    struct node_answer answers[2];
    json_t *documents[8];
    size_t documents_len;
};

static json_t *keep(struct look *l, const char *json)
{
    json_t *document = json_loads(json, 0, NULL);
    assert_non_null(document);
    assert_true(l->documents_len < ARRAY_LEN(l->documents));
    return l->documents[l->documents_len++] = document;
}

static void say(struct look *l, size_t node, const char *nodes, const char *queues, const char *feed)
{
    l->answers[node] = (struct node_answer){.answered = true, .has_feed = true, .at = 100};
    l->answers[node].nodes = keep(l, nodes);
    l->answers[node].queues = keep(l, queues);
    l->answers[node].events = keep(l, feed);
}

static void say_nothing(struct look *l, size_t node, bool gone)
{
    l->answers[node] = (struct node_answer){.has_feed = true, .gone = gone, .error = "no connection"};
}

static void look_end(struct look *l)
{
    for (size_t i = 0; i < l->documents_len; i++)
        json_decref(l->documents[i]);
    *l = (struct look){0};
}

/* The next snapshot in the place of the one before. */
static void merge(struct snapshot **s, struct look *l, size_t nodes, ms_time now)
{
    struct labdir lab = {.nodes_len = nodes};
    for (size_t i = 0; i < nodes; i++)
        snprintf(lab.nodes[i].name, sizeof(lab.nodes[i].name), "node%zu", i + 1);
    struct merge_time time = {.now = now, .wall_ms = 1000000 + (int64_t)now};
    struct snapshot *next = merge_answers(&lab, l->answers, *s, time);
    snapshot_destroy(*s);
    *s = next;
    look_end(l);
}

#define ONE_UP       "[{\"name\":\"node1\",\"running\":true}]"
#define FEED(events) "{\"next\":9,\"events\":[" events "]}"
#define UP_AT(wall)  "{\"seq\":1,\"time\":" wall ",\"kind\":\"node\",\"text\":\"node1 is up\"}"
#define HELLO(state)                                                                                         \
    "[{\"name\":\"hello\",\"vhost\":\"/\",\"state\":\"" state "\",\"node\":\"node1\",\"messages\":0}]"

static void nobody_is_left_to_tell_of_a_node(void **state)
{
    (void)state;
    struct look l = {0};
    struct snapshot *s = NULL;
    say(&l, 0, ONE_UP, "[]", FEED(UP_AT("1000000")));
    merge(&s, &l, 1, 100);
    say_nothing(&l, 0, false); /* its app was stopped, or the network is gone: who could say */
    merge(&s, &l, 1, 200);
    say_nothing(&l, 0, false);
    merge(&s, &l, 1, 300);
    assert_list(s, "node node1 is up | node node1 does not answer"); /* once */
    say(&l, 0, ONE_UP, "[]", FEED());
    merge(&s, &l, 1, 30000);
    say_nothing(&l, 0, true);
    merge(&s, &l, 1, 31000);
    say(&l, 0, ONE_UP, "[]", FEED(UP_AT("1060000")));
    merge(&s, &l, 1, 60100);
    assert_list(s, "node node1 is up | node node1 does not answer | node node1 answers again | "
                   "node node1 does not answer: its process is gone | node node1 is up");
    snapshot_destroy(s);
}

static void a_queue_that_nobody_serves(void **state)
{
    static const char both[] =
        "[{\"name\":\"node1\",\"running\":true},{\"name\":\"node2\",\"running\":true}]";
    static const char one[] =
        "[{\"name\":\"node1\",\"running\":false},{\"name\":\"node2\",\"running\":true}]";
    (void)state;
    struct look l = {0};
    struct snapshot *s = NULL;
    say(&l, 0, both, HELLO("running"), FEED());
    say(&l, 1, both, HELLO("running"), FEED());
    merge(&s, &l, 2, 100);
    for (int looks = 0; looks < 2; looks++) {
        say_nothing(&l, 0, false);
        say(&l, 1, one, HELLO("stopped"), FEED());
        merge(&s, &l, 2, 200);
    }
    assert_list(s, "queue hello is stopped: its only copy is on node1"); /* node2 is there to tell of node1 */
    snapshot_destroy(s);
}

/* ---- what an earlier screen has heard of
 * --------------------------------------------------------------------- */

static void event(struct snapshot *s, int64_t wall_ms, const char *kind, const char *node, const char *text)
{
    struct event_seen e = {.wall_ms = wall_ms,
                           .kind = xstrdup(kind),
                           .node = node ? xstrdup(node) : NULL,
                           .text = xstrdup(text)};
    notice_put_in(s, &e, false);
}

static struct labdir folder(size_t nodes)
{
    struct labdir lab = {.nodes_len = nodes};
    char *path = temporary_folder("events");
    assert_non_null(path);
    snprintf(lab.path, sizeof(lab.path), "%s", path);
    free(path);
    for (size_t i = 0; i < nodes; i++)
        snprintf(lab.nodes[i].name, sizeof(lab.nodes[i].name), "node%zu", i + 1);
    return lab;
}

static void folder_end(const struct labdir *lab)
{
    lab_forget_events(lab);
    assert_null(earlier_load(lab));
    assert_int_equal(rmdir(lab->path), 0);
}

static void the_list_goes_on_in_the_next_screen(void **state)
{
    (void)state;
    struct labdir lab = folder(3);
    int64_t noted_us[LIMIT_NODES] = {0};
    struct story t;
    story_begin(&t, 3, "hello");
    story_fact(&t, TRACE_SEEN_ACCEPTED, 0, 1000, 0, 4);
    struct snapshot *first = story_look(&t);
    event(first, 1, "node", "node2", "node1 is up");
    event(first, 1, "node", "node2", "node3 is up");
    notice_published(first, NULL, NULL);
    noted_us[0] = first->trace[0].from_us;
    assert_list(first, "node node1 is up | node node3 is up | publish hello: 5 published");
    assert_int_equal(earlier_save(&lab, first, noted_us), 0);
    snapshot_destroy(first);

    /* the next one hears of all that nodes still have: one event, and the notes again, and one more */
    story_fact(&t, TRACE_SEEN_ACCEPTED, 0, 1000, 0, 4);
    story_fact(&t, TRACE_SEEN_ACCEPTED, 0, 9000000, 5, 6);
    struct snapshot *s = story_look(&t);
    struct earlier *earlier = earlier_load(&lab);
    assert_non_null(earlier);
    event(s, 1, "node", "node2", "node3 is up");
    earlier_merge(s, earlier);
    notice_published(s, NULL, earlier->noted_us);
    assert_list(s, "node node1 is up | node node3 is up | publish hello: 5 published | "
                   "publish hello: 2 published");
    earlier_destroy(earlier);
    snapshot_destroy(s);
    story_end(&t);
    folder_end(&lab);
}

/* Between two screens a lesson's queues and policies were deleted. The kit's nodes tell of that themselves.
 */
static void what_went_between_two_screens(void **state)
{
    (void)state;
    for (int feeds = 0; feeds <= 1; feeds++) {
        struct labdir lab = folder(3);
        int64_t noted_us[LIMIT_NODES] = {0};
        struct story t;
        story_begin(&t, 3, "hello");
        t.s->traces = feeds ? t.s->traces : 0;
        struct snapshot *first = story_look(&t);
        first->policies = xrealloc(first->policies, sizeof(*first->policies));
        first->policies[first->policies_len++] = (struct policy_seen){.name = xstrdup("mirror"),
                                                                      .pattern = xstrdup("^m"),
                                                                      .apply_to = xstrdup("all"),
                                                                      .definition = xstrdup("{}")};
        assert_int_equal(earlier_save(&lab, first, noted_us), 0);
        snapshot_destroy(first);
        struct earlier *earlier = earlier_load(&lab);
        struct snapshot *s = story_look(&t);
        earlier_merge(s, earlier); /* it is there still */
        assert_list(s, feeds ? "" : "policy mirror cleared");
        snapshot_destroy(s);
        free(t.s->queues[0].name);
        t.s->queues[0].name = xstrdup("other");
        s = story_look(&t);
        earlier_merge(s, earlier);
        assert_list(s, feeds ? "" : "policy mirror cleared | queue hello is gone");
        snapshot_destroy(s);
        earlier_destroy(earlier);
        story_end(&t);
        folder_end(&lab);
    }
}

/* A node whose app was stopped while the second screen opened tells all once it runs, what the first screen
 * heard of, too: that is in the list. What it tells twice at once are two things. */
static void a_node_that_tells_late(void **state)
{
    static const char nodes[] =
        "[{\"name\":\"node1\",\"running\":true},{\"name\":\"node2\",\"running\":true}]";
    static const char feed[] =
        "{\"events\":[{\"seq\":1,\"time\":9,\"kind\":\"node\",\"text\":\"node1 is up\"},"
        "{\"seq\":2,\"time\":11,\"kind\":\"node\",\"text\":\"node2 is up\"},"
        "{\"seq\":3,\"time\":11,\"kind\":\"node\",\"text\":\"node2 is up\"}]}";
    (void)state;
    struct labdir lab = folder(2);
    int64_t noted_us[LIMIT_NODES] = {0};
    struct snapshot *first = xcalloc(1, sizeof(*first)), *s = NULL;
    event(first, 9, "node", "node1", "node1 is up");
    event(first, 10, "node", "node2", "node1 was stopped");
    assert_int_equal(earlier_save(&lab, first, noted_us), 0);
    snapshot_destroy(first);
    struct earlier *earlier = earlier_load(&lab);
    struct look l = {0};
    say_nothing(&l, 0, false);
    say(&l, 1, nodes, "[]", FEED());
    merge(&s, &l, 2, 100);
    earlier_merge(s, earlier);
    assert_list(s, "node node1 is up | node node1 was stopped");
    say(&l, 0, nodes, "[]", feed);
    say(&l, 1, nodes, "[]", FEED());
    merge(&s, &l, 2, 200);
    assert_list(s, "node node1 is up | node node1 was stopped | node node2 is up | node node2 is up");
    earlier_destroy(earlier);
    snapshot_destroy(s);
    folder_end(&lab);
}

static void the_list_stays_short(void **state)
{
    (void)state;
    struct labdir lab = folder(1);
    int64_t noted_us[LIMIT_NODES] = {0};
    struct snapshot *s = xcalloc(1, sizeof(*s)), *next = xcalloc(1, sizeof(*next));
    for (int i = 0; i < NOTICE_MAX_EVENTS + 5; i++)
        event(s, 10 + i, "node", "node1", "node1 is up");
    assert_int_equal(earlier_save(&lab, s, noted_us), 0);
    event(next, 5, "node", "node1", "the oldest of all");
    event(next, 999999, "node", "node1", "the newest of all");
    struct earlier *earlier = earlier_load(&lab);
    earlier_merge(next, earlier);
    assert_int_equal(next->events_len, NOTICE_MAX_EVENTS);
    assert_string_equal(next->events[NOTICE_MAX_EVENTS - 1].text, "the newest of all");
    assert_int_equal(next->events[0].wall_ms, 10 + 5 + 1); /* the newest ones, and that one */
    earlier_destroy(earlier);
    snapshot_destroy(s);
    snapshot_destroy(next);
    folder_end(&lab);
}

/* ---- who is named
 * -------------------------------------------------------------------------------------------- */

static void the_one_acted_on_comes_first(void **state)
{
    (void)state;
    struct story t;
    struct model m;
    story_begin(&t, 3, "hello");
    struct snapshot *s = story_look(&t);
    event(s, 1, "node", "node2", "node1 was stopped");
    event(s, 2, "refused", "node3", "a client was refused: NOT_FOUND");
    event(s, 3, "queue", "node1", "queue hello declared on node1");
    event(s, 4, "node", NULL, "node1 does not answer");
    event(s, 5, "policy", "node3", "all set on ^: {}"); /* whoever was asked to set it */
    event(s, 6, "queue", "node3", "queue hello deleted");
    event(s, 7, "memory", "node2", "300 MiB in use: messages that are not wanted soon go to the disk");
    model_init(&m, NULL, NULL, false, false);
    model_observe(&m, s);
    model_show(&m, VIEW_EVENTS);
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, "  node     node1 was stopped (seen by node2)\n");
    assert_contains(frame, "  refused  node3: a client was refused: NOT_FOUND\n");
    assert_contains(frame, "  queue    queue hello declared on node1\n");
    assert_contains(frame, "  node     node1 does not answer\n");
    assert_contains(frame, "  policy   all set on ^: {} (seen by node3)\n");
    assert_contains(frame, "  queue    queue hello deleted (seen by node3)\n");
    assert_contains(frame, "  memory   node2: 300 MiB in use");
    free(frame);
    model_finish(&m);
    snapshot_destroy(s);
    story_end(&t);
}

/* The newest goes on in the next row; those before it do beside the lesson, where a row is short and there
 * are many. */
static void a_long_event_is_read_to_its_end(void **state)
{
    static const char policy[] = "mirrior set on ^mirrior: "
                                 "{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}";
    (void)state;
    struct story t;
    struct model m;
    story_begin(&t, 3, "hello");
    struct snapshot *s = story_look(&t);
    event(s, 1, "policy", NULL, policy);
    model_init(&m, NULL, NULL, false, false);
    model_observe(&m, s);
    assert_frame_contains(&m, "\"automatic\"}");
    assert_frame_lacks(&m, "..\n");
    event(s, 2, "node", NULL, "node1 answers again");
    model_observe(&m, s);
    assert_frame_contains(&m, "..\n"); /* in 80x24 the older ones have one row each */
    assert_frame_contains(&m, "node1 answers again\n");
    char *frame = model_frame(&m, 160, 45);
    assert_contains(frame, "  policy   mirrior set on ^mirrior:");
    assert_contains(frame, "\"automatic\"}");
    assert_lacks(frame, "..");
    free(frame);
    model_finish(&m);
    snapshot_destroy(s);
    story_end(&t);
}

static void what_is_out_of_sight_is_counted(void **state)
{
    (void)state;
    struct story t;
    struct model m;
    story_begin(&t, 3, "hello");
    struct snapshot *s = story_look(&t);
    for (int i = 0; i < 30; i++)
        event(s, 1000 + i, "node", NULL, "node1 answers again");
    model_init(&m, NULL, NULL, false, false);
    model_observe(&m, s);
    model_show(&m, VIEW_EVENTS);
    char *frame = model_frame(&m, 80, 24); /* 19 rows for them */
    assert_contains(frame,
                    "- Events (newest last) -------------------------------------------- +11 above --");
    free(frame);
    struct command *run;
    for (int i = 0; i < 3; i++)
        model_key(&m, 'k', &run);
    frame = model_frame(&m, 80, 24);
    assert_contains(frame, "+8 above, +3 below --");
    free(frame);
    model_finish(&m);
    snapshot_destroy(s);
    story_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_left_to_tell_of_a_node),
        cmocka_unit_test(a_queue_that_nobody_serves),
        cmocka_unit_test(the_list_goes_on_in_the_next_screen),
        cmocka_unit_test(what_went_between_two_screens),
        cmocka_unit_test(a_node_that_tells_late),
        cmocka_unit_test(the_list_stays_short),
        cmocka_unit_test(the_one_acted_on_comes_first),
        cmocka_unit_test(a_long_event_is_read_to_its_end),
        cmocka_unit_test(what_is_out_of_sight_is_counted),
    };
    return cmocka_run_group_tests_name("screen/events", tests, NULL, NULL);
}

/* test_trace.c: /api/trace on real nodes: nothing is noted until somebody asks; then every step of a message
 * is, by the node that took it, through a failover. */
#include <signal.h>
#include <time.h>

#include "tests/cluster/test.h"

#include "tests/cluster/user.h"

static struct lab lab;

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
    REIGN
};

/* All that a node has noted of the queue q (a new reference), what it holds in "queue". */
static json_t *trace_of(unsigned node)
{
    json_t *json = http_json(lab_http(&lab, node), "/api/trace?since=0&queue=q&message=7");
    assert_non_null(json);
    return json;
}

/* "enqueued 5-14": the messages of this word, if they are one run; NULL: there is no such entry */
static const json_t *entry(const json_t *trace, const char *word)
{
    const json_t *found = NULL, *e;
    size_t i;
    json_array_foreach(json_object_get(trace, "trace"), i, e)
    {
        if (strcmp(json_string_value(json_array_get(e, WORD)), word) == 0)
            found = e;
    }
    return found;
}

/* from the first entry of this word to the last, all numbers once and in order */
static bool covers(const json_t *trace, const char *word, json_int_t first, json_int_t last)
{
    json_int_t next = first;
    const json_t *e;
    size_t i;
    json_array_foreach(json_object_get(trace, "trace"), i, e)
    {
        if (strcmp(json_string_value(json_array_get(e, WORD)), word) != 0)
            continue;
        if (json_integer_value(json_array_get(e, FIRST)) != next)
            return false;
        next = json_integer_value(json_array_get(e, LAST)) + 1;
    }
    return next == last + 1;
}

struct expected {
    unsigned node;
    const char *word;
    json_int_t first, last;
};

static bool is_noted(void *arg)
{
    const struct expected *e = arg;
    json_t *trace = http_json(lab_http(&lab, e->node), "/api/trace?since=0&queue=q");
    bool noted = trace && covers(trace, e->word, e->first, e->last);
    json_decref(trace);
    return noted;
}

static void assert_noted(unsigned node, const char *word, json_int_t first, json_int_t last)
{
    struct expected e = {node, word, first, last};
    if (wait_until(is_noted, &e, 10000))
        return;
    json_t *trace = trace_of(node);
    char *text = json_dumps(json_object_get(trace, "trace"), 0);
    fail_msg("node%u: %s %lld-%lld is not in %s", node, word, (long long)first, (long long)last, text);
}

/* what a node holds of the queue, as "0-9,12-14" */
static void held(unsigned node, char out[200])
{
    json_t *trace = trace_of(node);
    const json_t *range;
    size_t i;
    out[0] = '\0';
    json_array_foreach(json_object_get(json_object_get(trace, "queue"), "held"), i, range)
    {
        size_t len = strlen(out);
        snprintf(out + len, 200 - len, "%s%lld-%lld", len ? "," : "",
                 (long long)json_integer_value(json_array_get(range, 0)),
                 (long long)json_integer_value(json_array_get(range, 1)));
    }
    json_decref(trace);
}

static void publish(unsigned node, int count)
{
    struct user u = {0};
    struct user_news news = {0};
    assert_true(user_open(&u, &lab, node));
    assert_true(user_confirms(&u));
    for (int i = 0; i < count; i++)
        assert_true(user_publish(&u, "q", "hello", true, false));
    for (uint64_t confirmed = 0; confirmed < (uint64_t)count; confirmed = news.tag)
        assert_true(user_await(&u, USER_ACK, 10000, &news));
    user_drop(&u);
}

static void noted_from_the_first_question_on(void **state)
{
    (void)state;
    struct text out = {0};
    struct user u = {0};
    char ranges[200];
    assert_int_equal(LABCTL(&lab, &out, "-n", "node1", "set_policy", "p", "^q$",
                            "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\"]}"),
                     0);
    assert_true(user_open(&u, &lab, 1));
    assert_true(user_declare(&u, "q", USER_DURABLE, NULL));
    user_drop(&u);
    assert_queue(&lab, 1, "q", "a mirror in sync", has_a_synced_mirror, NULL);
    publish(3, 5);
    json_t *trace = trace_of(1);
    assert_int_equal(json_array_size(json_object_get(trace, "trace")), 0);
    assert_string_equal(json_string_value(json_object_get(json_object_get(trace, "queue"), "role")),
                        "master");
    json_decref(trace);
    held(1, ranges);
    assert_string_equal(ranges, "0-4");
    json_decref(trace_of(2));
    json_decref(trace_of(3));

    publish(3, 10);
    assert_noted(1, "enqueued", 5, 14);
    assert_noted(2, "copied", 5, 14);
    assert_noted(3, "accepted", 6, 15); /* its own numbers, from 1 */
    assert_noted(3, "confirmed", 6, 15);
    trace = trace_of(1);
    const json_t *e = entry(trace, "enqueued");
    assert_string_equal(json_string_value(json_array_get(e, ORIGIN)), "node3");
    assert_int_equal(json_integer_value(json_array_get(entry(trace, "enqueued"), NUMBER)) -
                         json_integer_value(json_array_get(e, FIRST)),
                     1);
    assert_int_equal(json_integer_value(json_array_get(e, FLAGS)), 16); /* persistent: in the log, too */
    const json_t *message = json_object_get(json_object_get(trace, "queue"), "message");
    assert_true(json_is_true(json_object_get(message, "persistent")));
    assert_int_equal(json_integer_value(json_object_get(message, "bytes")), 5);
    json_decref(trace);
    text_finish(&out);
}

static void taken_and_given_back(void **state)
{
    (void)state;
    struct user u = {0};
    struct user_news news;
    bool empty;
    char ranges[200];
    assert_true(user_open(&u, &lab, 2));
    for (int i = 0; i < 3; i++)
        assert_true(user_get(&u, "q", false, &news, &empty) && !empty);
    assert_true(user_ack(&u, news.tag, false)); /* the third */
    assert_noted(1, "acked", 2, 2);
    assert_noted(1, "sent", 0, 2);
    assert_noted(2, "delivered", 0, 2);
    held(1, ranges);
    assert_string_equal(ranges, "0-1,3-14");
    user_drop(&u); /* the other two go back */
    assert_noted(1, "requeued", 0, 1);
}

static void the_master_dies(void **state)
{
    (void)state;
    char ranges[200];
    assert_int_equal(kill(lab_pid(&lab, 1), SIGKILL), 0);
    assert_noted(2, "promoted", 0, 14);
    json_t *trace = trace_of(2);
    const json_t *e = entry(trace, "promoted");
    assert_int_equal(json_integer_value(json_array_get(e, COUNT)), 14);
    assert_int_equal(json_integer_value(json_array_get(e, FLAGS)), 0); /* in sync */
    json_decref(trace);
    held(2, ranges);
    assert_string_equal(ranges, "0-1,3-14");
}

/* ---- places that are given twice ---- */

static json_t *look_at(unsigned node, const char *queue)
{
    char path[80];
    snprintf(path, sizeof(path), "/api/trace?since=0&queue=%s", queue);
    return http_json(lab_http(&lab, node), path);
}

static void publish_one(unsigned node, const char *queue)
{
    struct user u = {0};
    struct user_news news = {0};
    assert_true(user_open(&u, &lab, node));
    assert_true(user_confirms(&u));
    assert_true(user_publish(&u, queue, "hello", false, false));
    assert_true(user_await(&u, USER_ACK, 10000, &news));
    user_drop(&u);
}

struct place {
    unsigned node;
    const char *queue;
    json_int_t place, not_of; /* not of this reign */
    json_int_t reign;         /* found */
};

static bool is_enqueued(void *arg)
{
    struct place *p = arg;
    json_t *trace = look_at(p->node, p->queue);
    const json_t *names = json_object_get(trace, "queues"), *e;
    size_t i;
    p->reign = 0;
    json_array_foreach(json_object_get(trace, "trace"), i, e)
    {
        char uid[24];
        snprintf(uid, sizeof(uid), "%lld", (long long)json_integer_value(json_array_get(e, UID)));
        const char *queue = json_string_value(json_object_get(names, uid));
        if (queue && strcmp(queue, p->queue) == 0 &&
            strcmp(json_string_value(json_array_get(e, WORD)), "enqueued") == 0 &&
            json_integer_value(json_array_get(e, FIRST)) == p->place &&
            json_integer_value(json_array_get(e, REIGN)) != p->not_of)
            p->reign = json_integer_value(json_array_get(e, REIGN));
    }
    json_decref(trace);
    return p->reign > 0;
}

static json_int_t reign_of_place(unsigned node, const char *queue, json_int_t place, json_int_t not_of)
{
    struct place p = {.node = node, .queue = queue, .place = place, .not_of = not_of};
    if (!wait_until(is_enqueued, &p, 10000))
        fail_msg("node%u does not say that it has enqueued %s %lld in another reign than %lld", node, queue,
                 (long long)place, (long long)not_of);
    return p.reign;
}

/* what a node holds, each range with its reign */
static void assert_held(unsigned node, const char *queue, const char *expected)
{
    json_t *trace = look_at(node, queue);
    char *text = json_dumps(json_object_get(json_object_get(trace, "queue"), "held"), JSON_COMPACT);
    assert_string_equal(text, expected);
    free(text);
    json_decref(trace);
}

/* The queue comes back empty, and its next message has the place of the one that is lost. */
static void a_queue_that_came_back_empty(void **state)
{
    (void)state;
    struct user u = {0};
    struct text out = {0};
    char held_now[80];
    assert_int_equal(LABCTL(&lab, &out, "-n", "node1", "start"), 0);
    assert_true(user_open(&u, &lab, 3));
    assert_true(user_declare(&u, "e", USER_DURABLE, NULL));
    user_drop(&u);
    json_decref(look_at(3, "e"));
    publish_one(3, "e");
    json_int_t first = reign_of_place(3, "e", 0, 0);
    assert_int_equal(LABCTL(&lab, &out, "-n", "node3", "stop_app"), 0);
    assert_int_equal(LABCTL(&lab, &out, "-n", "node3", "start_app"), 0);
    json_decref(look_at(3, "e"));
    assert_held(3, "e", "[]");
    publish_one(3, "e");
    json_int_t second = reign_of_place(3, "e", 0, first);
    snprintf(held_now, sizeof(held_now), "[[0,0,%lld]]", (long long)second);
    assert_held(3, "e", held_now);
    text_finish(&out);
}

/* the newest entry of this word began after that time */
static bool begins_since(void *arg)
{
    json_t *trace = trace_of(1);
    bool since = json_integer_value(json_array_get(entry(trace, "begins"), FROM)) > *(int64_t *)arg;
    json_decref(trace);
    return since;
}

static int64_t noted_since(unsigned node)
{
    json_t *trace = trace_of(node);
    int64_t since = json_integer_value(json_object_get(trace, "began_us"));
    json_decref(trace);
    return since;
}

static bool is_past(void *arg)
{
    return support_now_ms() > *(int64_t *)arg;
}

/* A node that is stopped cannot be asked: how its copies come back is noted all the same, also if it was
 * stopped for longer than the notes outlive the last question (10 s, and a
 * turn). That time has to pass: a stopped node
 * tells nothing that could be waited for instead, and with a shorter one the notes might end before it stops.
 * That it was long enough says node2, which runs and was asked before node1 was: its notes ended meanwhile.
 */
static void stopped_for_long(void **state)
{
    (void)state;
    struct text out = {0};
    int64_t began = noted_since(2);
    json_decref(trace_of(1));
    int64_t over = support_now_ms() + 11000;
    assert_int_equal(LABCTL(&lab, &out, "-n", "node1", "stop_app"), 0);
    assert_true(wait_until(is_past, &over, 60000));
    assert_true(noted_since(2) > began);
    int64_t since_us = (int64_t)time(NULL) * 1000000 - 1000000;
    assert_int_equal(LABCTL(&lab, &out, "-n", "node1", "start_app"), 0);
    if (!wait_until(begins_since, &since_us, 10000))
        fail_msg("node1 did not note that its copy begins");
    text_finish(&out);
}

static bool both_are_masters(void *arg)
{
    bool both = true;
    for (unsigned node = 1; node <= 3; node += 2) {
        json_t *trace = look_at(node, arg);
        const char *role = json_string_value(json_object_get(json_object_get(trace, "queue"), "role"));
        both = both && role && strcmp(role, "master") == 0;
        json_decref(trace);
    }
    return both;
}

/* Two sides of a partition: both give place 1, to different messages. */
static void two_masters(void **state)
{
    (void)state;
    struct user u = {0};
    struct text out = {0};
    char held_now[80];
    assert_int_equal(LABCTL(&lab, &out, "-n", "node1", "set_policy", "two", "^two$",
                            "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node3\"]}"),
                     0);
    assert_true(user_open(&u, &lab, 1));
    assert_true(user_declare(&u, "two", USER_DURABLE, NULL));
    user_drop(&u);
    assert_queue(&lab, 1, "two", "a mirror in sync", has_a_synced_mirror, NULL);
    json_decref(look_at(1, "two"));
    json_decref(look_at(3, "two"));
    publish_one(1, "two");
    json_int_t before = reign_of_place(1, "two", 0, 0);
    assert_int_equal(LABCTL(&lab, &out, "-n", "node3", "cut", "node3"), 0);
    assert_true(wait_until(both_are_masters, "two", 30000));
    publish_one(1, "two");
    publish_one(3, "two");
    assert_int_equal(reign_of_place(1, "two", 1, 0), before);
    json_int_t other = reign_of_place(3, "two", 1, before);
    snprintf(held_now, sizeof(held_now), "[[0,1,%lld]]", (long long)before);
    assert_held(1, "two", held_now);
    snprintf(held_now, sizeof(held_now), "[[0,0,%lld],[1,1,%lld]]", (long long)before, (long long)other);
    assert_held(3, "two", held_now);
    assert_int_equal(LABCTL(&lab, &out, "-n", "node3", "heal"), 0);
    text_finish(&out);
}

static int up(void **state)
{
    (void)state;
    return test_lab_up(&lab, 3);
}

static int down(void **state)
{
    (void)state;
    return test_lab_down(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noted_from_the_first_question_on),
        cmocka_unit_test(taken_and_given_back),
        cmocka_unit_test(the_master_dies),
        cmocka_unit_test(a_queue_that_came_back_empty),
        cmocka_unit_test(stopped_for_long),
        cmocka_unit_test(two_masters),
    };
    return cmocka_run_group_tests(tests, up, down);
}

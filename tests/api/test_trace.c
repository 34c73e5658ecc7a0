/* test_trace.c: /api/trace on real nodes: nothing is noted until somebody asks; then every step of a message
 * is, by the node that took it, through a failover. */
#include <signal.h>

#include "tests/cluster/test.h"

#include "tests/cluster/user.h"

static struct lab lab;

enum field { SEQ, FROM, UNTIL, UID, WORD, FIRST, LAST, ABOUT, COUNT, FLAGS, ORIGIN, INCARNATION, NUMBER };

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
    };
    return cmocka_run_group_tests(tests, up, down);
}

/* test_article.c: both parts of the article, row by row, on three real nodes, with Debian's amqp-tools as the
 * clients. Each row is a test; they go in order on one cluster, as a reader would.
 *
 * With MIRRORLAB_TEST_ENGINE=rabbitmq the same rows run on RabbitMQ; only the word for a queue whose node was
 * stopped differs there (docs/semantics.md). */
#include "tests/bench/amqp.h"
#include "tests/cluster/test.h"

#include <stdio.h>
#include <stdlib.h>

static struct lab lab;
static struct text out;
static unsigned first_mirror; /* where mirrior_hello's mirror was before node1 stopped */

static int setup(void **state)
{
    (void)state;
    return test_lab_up(&lab, 3);
}

static int teardown(void **state)
{
    (void)state;
    text_finish(&out);
    return test_lab_down(&lab);
}

static void stop_node1(void)
{
    assert_code(LABCTL(&lab, &out, "-n", "node1", "stop_app"), 0, &out);
    /* first: it did happen. The process is there, serves nobody, and the others say so. */
    struct amqp_conn c;
    assert_true(lab_alive(&lab, 1));
    assert_false(amqp_connect(&c, "127.0.0.1", lab_amqp(&lab, 1), 2000));
    assert_int_equal(http_ask(lab_http(&lab, 1), "GET", "/api/overview", NULL, 2000, NULL), 0);
    assert_running(&lab, 2, 1, 0);
    assert_running(&lab, 3, 1, 0);
}

static void publish(unsigned node, const char *queue, const char *body)
{
    assert_code(RUN(&out, "amqp-declare-queue", "-u", lab_url(&lab, node), "-q", queue, "-d"), 0, &out);
    assert_int_equal(strncmp(text_str(&out), queue, strlen(queue)), 0); /* it prints the queue's name */
    assert_code(RUN(&out, "amqp-publish", "-u", lab_url(&lab, node), "-r", queue, "-b", body), 0, &out);
}

static bool is_gone(const struct queue_facts *f, void *arg)
{
    (void)arg;
    const char *word = test_on_kit() ? "stopped" : "down";
    return strcmp(f->state, word) == 0 && f->messages == -1 && f->ready == -1 && f->unacked == -1;
}

/* ---- part 1: losing messages --------------------------------------------------------------------------- */

static void row_1_hello_is_published_on_node1(void **state)
{
    (void)state;
    publish(1, "hello", "Hello World");
    struct queue_facts f =
        assert_queue(&lab, 1, "hello", "one message is ready", has_messages, &(long long){1});
    assert_int_equal(f.master, 1);
    assert_int_equal(f.mirrors, 0);
}

static void row_2_node1_stops(void **state)
{
    (void)state;
    stop_node1();
}

static void row_3_hello_is_stopped_and_nobody_can_count_it(void **state)
{
    (void)state;
    assert_queue(&lab, 2, "hello", "stopped, no counts", is_gone, NULL);
    assert_queue(&lab, 3, "hello", "stopped, no counts", is_gone, NULL);
    assert_code(LABCTL(&lab, &out, "-n", "node2", "list_queues", "name", "state", "messages"), 0, &out);
    assert_says(&out, test_on_kit() ? "\nhello\tstopped\t\n" : "\nhello\tdown\t\n");
}

static void row_4_a_consumer_on_node3_fails(void **state)
{
    (void)state;
    const char *reason =
        test_on_kit()
            ? "NOT_FOUND - queue 'hello' in vhost '/' process is stopped by supervisor"
            : "NOT_FOUND - home node 'node1@localhost' of durable queue 'hello' in vhost '/' is down or "
              "inaccessible";
    int code = RUN(&out, "amqp-consume", "-u", lab_url(&lab, 3), "-q", "hello", "-A", "-c", "1", "cat");
    assert_code(code, 1, &out);
    char *line = format_text("server channel error 404, message: %s\n", reason);
    assert_says(&out, line);
    free(line);

    /* class-id=60, method-id=20: basic.consume. The tools do not print them; the frame has them. */
    struct amqp_conn c;
    struct amqp_frame f;
    assert_true(amqp_open(&c, "127.0.0.1", lab_amqp(&lab, 3), "admin", "123"));
    assert_false(amqp_consume(&c, "hello", 1, true));
    assert_string_equal(c.error + 4, reason);
    amqp_finish(&c);
    assert_true(amqp_open(&c, "127.0.0.1", lab_amqp(&lab, 3), "admin", "123"));
    amqp_put_frame(&c, AMQP_FRAME_METHOD, 1, "\0\x3c\0\x14\0\0\5hello\0\2\0\0\0\0", 18);
    assert_true(amqp_flush_all(&c, 5000) && amqp_wait(&c, &f, 10000));
    assert_int_equal(amqp_method(&f), M_CHANNEL_CLOSE);
    assert_int_equal(get_u16(f.payload + 4), 404);
    size_t text_len = f.payload[6];
    assert_int_equal(f.len, 7 + text_len + 4);
    assert_int_equal(get_u16(f.payload + 7 + text_len), 60);
    assert_int_equal(get_u16(f.payload + 9 + text_len), 20);
    amqp_finish(&c);
}

static void row_5_node1_starts_and_the_queue_is_back(void **state)
{
    (void)state;
    assert_code(LABCTL(&lab, &out, "-n", "node1", "start_app"), 0, &out);
    assert_running(&lab, 2, 1, 1);
    assert_queue(&lab, 1, "hello", "running", is_running, NULL);
    assert_queue(&lab, 3, "hello", "running", is_running, NULL);
}

static void row_6_the_message_is_lost(void **state)
{
    (void)state;
    struct queue_facts f = assert_queue(&lab, 1, "hello", "empty", has_messages, &(long long){0});
    assert_int_equal(f.master, 1);
    assert_code(RUN(&out, "amqp-get", "-u", lab_url(&lab, 3), "-q", "hello"), 2,
                &out); /* 2: the queue is empty */
}

/* The reason that many readers of such articles leave with is wrong: it was lost because it was transient. */
static void a_persistent_message_comes_back(void **state)
{
    (void)state;
    assert_code(RUN(&out, "amqp-publish", "-u", lab_url(&lab, 1), "-r", "hello", "-p", "-b", "Hello again"),
                0, &out);
    assert_queue(&lab, 1, "hello", "one message is ready", has_messages, &(long long){1});
    stop_node1();
    assert_queue(&lab, 2, "hello", "stopped, no counts", is_gone, NULL);
    assert_code(LABCTL(&lab, &out, "-n", "node1", "start_app"), 0, &out);
    assert_queue(&lab, 3, "hello", "the message is back", has_messages, &(long long){1});
    assert_code(RUN(&out, "amqp-get", "-u", lab_url(&lab, 3), "-q", "hello"), 0, &out);
    assert_string_equal(text_str(&out), "Hello again");
}

/* ---- part 2: mirroring --------------------------------------------------------------------------------- */

static const char definition[] = "{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}";

static void row_7_a_policy_is_added(void **state)
{
    (void)state;
    assert_code(LABCTL(&lab, &out, "-n", "node2", "set_policy", "mirrior", "^mirrior", definition), 0, &out);
    char *line =
        format_text("Setting policy \"mirrior\" for pattern \"^mirrior\" to \"%s\" with priority \"0\" for "
                    "vhost \"/\" ...\n",
                    definition);
    assert_says(&out, line);
    free(line);
    assert_code(LABCTL(&lab, &out, "-n", "node3", "list_policies"), 0, &out);
    line = format_text("\n/\tmirrior\t^mirrior\tall\t%s\t0\n", definition); /* apply-to: all unless told */
    assert_says(&out, line);
    free(line);
}

static void row_8_the_queue_shows_plus_one(void **state)
{
    (void)state;
    publish(1, "mirrior_hello", "Hello World");
    struct queue_facts f =
        assert_queue(&lab, 1, "mirrior_hello", "+1: one mirror, in sync", has_a_synced_mirror, NULL);
    assert_int_equal(f.master, 1);
    assert_true(f.mirror == 2 || f.mirror == 3);
    assert_string_equal(f.policy, "mirrior");
    assert_queue(&lab, 1, "mirrior_hello", "one message is ready", has_messages, &(long long){1});
    first_mirror = f.mirror;
    /* the queue that the pattern misses has no mirror */
    f = assert_queue(&lab, 1, "hello", "running", is_running, NULL);
    assert_int_equal(f.mirrors, 0);
}

static bool moved(const struct queue_facts *f, void *arg)
{
    (void)arg;
    return f->master == first_mirror && has_a_synced_mirror(f, NULL) && f->mirror == 5 - first_mirror;
}

static void row_9_node1_stops_the_mirror_takes_over(void **state)
{
    (void)state;
    assert_true(first_mirror == 2 || first_mirror == 3);
    stop_node1();
    assert_queue(&lab, 2, "mirrior_hello", "the mirror is master, the third node has a new mirror", moved,
                 NULL);
    assert_queue(&lab, 3, "mirrior_hello", "the mirror is master, the third node has a new mirror", moved,
                 NULL);
}

static void row_10_hello_world_arrives(void **state)
{
    (void)state;
    int code =
        RUN(&out, "amqp-consume", "-u", lab_url(&lab, 3), "-q", "mirrior_hello", "-A", "-c", "1", "cat");
    assert_code(code, 0, &out);
    assert_string_equal(text_str(&out), "Hello World");
}

/* recording 2: after node1 returns the two others keep the queue, its place is taken */
static void node1_returns_and_its_place_is_taken(void **state)
{
    (void)state;
    assert_code(LABCTL(&lab, &out, "-n", "node1", "start_app"), 0, &out);
    assert_running(&lab, 2, 1, 1);
    assert_queue(&lab, 1, "mirrior_hello", "still on the other two", moved, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_1_hello_is_published_on_node1),
        cmocka_unit_test(row_2_node1_stops),
        cmocka_unit_test(row_3_hello_is_stopped_and_nobody_can_count_it),
        cmocka_unit_test(row_4_a_consumer_on_node3_fails),
        cmocka_unit_test(row_5_node1_starts_and_the_queue_is_back),
        cmocka_unit_test(row_6_the_message_is_lost),
        cmocka_unit_test(a_persistent_message_comes_back),
        cmocka_unit_test(row_7_a_policy_is_added),
        cmocka_unit_test(row_8_the_queue_shows_plus_one),
        cmocka_unit_test(row_9_node1_stops_the_mirror_takes_over),
        cmocka_unit_test(row_10_hello_world_arrives),
        cmocka_unit_test(node1_returns_and_its_place_is_taken),
    };
    return cmocka_run_group_tests_name("article", tests, setup, teardown);
}

/* scenario_start.c: a cluster that starts again: in which order, and from what its disks have. */
#include "tests/cluster/scenario.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { A = 1, B = 2, C = 3 };

static struct lab lab;
static struct text out;

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

/* ---- 18 ------------------------------------------------------------------------------------------------ */

static bool answers(unsigned node)
{
    return http_ask(lab_http(&lab, node), "GET", "/api/overview", NULL, 5000, NULL) == 200;
}

static int waits_in_log(void)
{
    char *log = format_text("%s/node3/log.txt", lab.dir);
    RUN(&out, "grep", "-c", "Waiting for Mnesia tables", log);
    free(log);
    return atoi(text_str(&out));
}

static bool waits_once_more(void *before)
{
    return waits_in_log() > *(int *)before;
}

static bool says_it_waits(void *file)
{
    struct text told = {0};
    FILE *f = fopen(file, "re");
    char part[512];
    for (size_t got; f && (got = fread(part, 1, sizeof(part), f)) > 0;)
        text_add_bytes(&told, part, got);
    if (f)
        fclose(f);
    bool says =
        strstr(text_str(&told),
               "node3 waits for nodes that were running when it left: node1 node2; start them") != NULL;
    text_finish(&told);
    return says;
}

/* C was not the last: it waits, and says for whom: labctl while it goes on waiting, the node's log, and
 * whoever asks. RabbitMQ says in its log that it waits, and not for whom. */
static void c_waits(void)
{
    char *file = format_text("%s/start_app.txt", lab.dir);
    char *start = format_text("%s/labctl --dir %s -n node3 start_app >%s 2>&1 &", lab.bin, lab.dir, file);
    int before = waits_in_log();
    assert_int_equal(RUN(NULL, "sh", "-c", start), 0);
    if (test_on_kit()) {
        assert_true(wait_until(says_it_waits, file, 60000));
        char *log = format_text("%s/node3/log.txt", lab.dir);
        assert_code(
            RUN(&out, "grep", "node3 waits for nodes that were running when it left: node1 node2", log), 0,
            &out);
        free(log);
        assert_code(LABCTL(&lab, &out, "-n", "node3", "cluster_status"), 64, &out);
        assert_says(&out, "requires the 'rabbit' app to be running on the target node");
        assert_says(&out, "node3 waits for nodes that were running when it left: node1 node2; start them");
    } else {
        assert_true(wait_until(waits_once_more, &before, 60000));
        assert_code(LABCTL(&lab, &out, "-n", "node3", "cluster_status"), 64, &out);
        assert_says(&out, "requires the 'rabbit' app to be running on the target node");
    }
    free(start);
    free(file);
    assert_false(answers(C));
}

static void the_last_to_stop_serves_first(void **state)
{
    (void)state;
    set_policy(&lab, A, "kept", "{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}");
    declare(&lab, A, "kept");
    assert_placed(&lab, A, "kept", A, ON(B) | ON(C), ON(B) | ON(C));
    publish(&lab, A, "kept", 1, 10, true);
    stop_node(&lab, C);
    publish(&lab, A, "kept", 11, 20, true);
    stop_node(&lab, B);
    publish(&lab, A, "kept", 21, 30, true); /* only A has these */
    stop_node(&lab, A);
    for (unsigned node = 1; node <= 3; node++)
        assert_false(answers(node));

    c_waits();
    assert_code(LABCTL(&lab, &out, "-n", "node1", "start_app"), 0, &out);
    assert_true(answers(A));
    assert_running(&lab, A, C, 1); /* what it waited for has come */
    start_node(&lab, B);
    assert_placed(&lab, C, "kept", A, ON(B) | ON(C), ON(B) | ON(C));
    assert_holds(&lab, C, "kept", 1, 30);
}

static void the_last_to_stop_waits_for_nobody(void **state)
{
    (void)state;
    declare(&lab, A, "alone");
    publish(&lab, A, "alone", 1, 10, true);
    stop_node(&lab, C);
    stop_node(&lab, B);
    stop_node(&lab, A);
    assert_code(LABCTL(&lab, &out, "-n", "node1", "start_app"), 0, &out);
    assert_true(answers(A));
    assert_state(&lab, A, "alone", "running");
    assert_holds(&lab, A, "alone", 1, 10);
    start_node(&lab, B);
    start_node(&lab, C);
}

/* ---- one never returns ---- */

static void a_node_that_runs_is_not_forced(void **state)
{
    (void)state;
    assert_code(LABCTL(&lab, &out, "-n", "node2", "force_boot"), 64, &out);
    assert_says(
        &out,
        "Error: this command requires the 'rabbit' app to be stopped on the target node. Stop it with '");
    assert_code(LABCTL(&lab, &out, "-n", "node2", "force_boot", "now"), 64, &out);
    assert_says(&out, "Error (argument validation): too many arguments.");
}

/* C would wait for A and B. Forced, it serves with what it knows: the queue waits for A, and is whole with
 * it. */
static void a_forced_node_waits_for_nobody(void **state)
{
    (void)state;
    set_policy(&lab, A, "forced", "{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}");
    declare(&lab, A, "forced");
    assert_placed(&lab, A, "forced", A, ON(B) | ON(C), ON(B) | ON(C));
    publish(&lab, A, "forced", 1, 10, true);
    stop_node(&lab, C);
    publish(&lab, A, "forced", 11, 20, true);
    stop_node(&lab, B);
    stop_node(&lab, A);
    assert_code(LABCTL(&lab, &out, "-n", "node3", "force_boot"), 0, &out);
    assert_string_equal(text_str(&out), "");
    assert_code(LABCTL(&lab, &out, "-n", "node3", "start_app"), 0, &out);
    assert_true(answers(C));
    char *down = text_down("forced", A);
    assert_refused(&lab, C, "forced", test_on_kit() ? down : NULL);
    free(down);
    declare(&lab, C, "meanwhile");
    start_node(&lab, A);
    start_node(&lab, B);
    assert_placed(&lab, B, "forced", A, ON(B) | ON(C), ON(B) | ON(C));
    assert_holds(&lab, C, "forced", 1, 20);
    assert_state(&lab, A, "meanwhile", "running");
}

/* All are killed at once, and A never returns: B and C wait for it, and for each other. B is forced while its
 * process is not there (rabbitmqctl would have to be told where its files are), then A is forgotten, with
 * what only it had. */
static void a_killed_cluster_goes_on_without_the_one_that_never_returns(void **state)
{
    (void)state;
    if (!test_on_kit())
        skip();
    declare(&lab, A, "only_on_a");
    publish(&lab, A, "only_on_a", 1, 5, true);
    declare(&lab, B, "on_b");
    publish(&lab, B, "on_b", 1, 5, true);
    for (unsigned node = 3; node >= 1; node--) /* A is the last: B and C saw it run until they ended */
        kill_node(&lab, node);
    assert_code(LABCTL(&lab, &out, "-n", "node2", "force_boot"), 0, &out);
    assert_code(LABCTL(&lab, &out, "-n", "node2", "start"), 0, &out);
    assert_code(LABCTL(&lab, &out, "-n", "node2", "events"), 0, &out);
    assert_says(&out, "node2 is forced to start without nodes that were running when it left: node1");
    assert_code(LABCTL(&lab, &out, "-n", "node3", "start"), 0, &out); /* it need not be: somebody serves */
    assert_running(&lab, B, C, 1);
    assert_holds(&lab, C, "on_b", 1, 5);
    char *down = text_down("only_on_a", A);
    assert_refused(&lab, C, "only_on_a", down);
    free(down);
    assert_code(LABCTL(&lab, &out, "-n", "node2", "forget_cluster_node", "node1"), 0, &out);
    assert_refused(&lab, C, "only_on_a", "404 NOT_FOUND - no queue 'only_on_a' in vhost '/'");
    assert_code(LABCTL(&lab, &out, "-n", "node1", "reset"), 0, &out);
    revive_node(&lab, A);
    assert_running(&lab, B, A, 1);
    assert_holds(&lab, A, "on_b", 1, 0);
}

/* All are killed at once, and A never returns. B, whose process is not there, forgets it: B and C serve, and
 * a queue that both mirrored is whole. RabbitMQ, asked of its own nodes, does the same (docs/semantics.md).
 */
static void a_node_that_is_off_forgets_the_one_that_never_returns(void **state)
{
    (void)state;
    if (!test_on_kit())
        skip(); /* rabbitmqctl has to be told where the node's files are */
    assert_code(LABCTL(&lab, &out, "-n", "node2", "forget_cluster_node", "node1", "--offline"), 70, &out);
    assert_says(&out, "the process of node node2 must not be there");
    set_policy(&lab, A, "kept", "{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}");
    declare(&lab, A, "kept");
    assert_placed(&lab, A, "kept", A, ON(B) | ON(C), ON(B) | ON(C));
    publish(&lab, A, "kept", 1, 10, true);
    declare(&lab, A, "alone_on_a");
    publish(&lab, A, "alone_on_a", 1, 5, true);
    for (unsigned node = 3; node >= 1; node--)
        kill_node(&lab, node);
    assert_code(LABCTL(&lab, &out, "-n", "node2", "forget_cluster_node", "--offline", "node9"), 69, &out);
    assert_says(&out, "{:not_a_cluster_node, 'The node selected is not in the cluster.'}");
    assert_code(LABCTL(&lab, &out, "-n", "node2", "forget_cluster_node", "--offline", "node2"), 69, &out);
    assert_says(&out, "failed_to_remove_node");
    assert_code(LABCTL(&lab, &out, "-n", "node2", "forget_cluster_node", "--offline", "node1@localhost"), 0,
                &out);
    char *start = format_text("%s/labctl --dir %s -n node3 start >/dev/null 2>&1 &", lab.bin, lab.dir);
    assert_int_equal(RUN(NULL, "sh", "-c", start), 0); /* it waits for B, and B for it, and nobody for A */
    free(start);
    assert_code(LABCTL(&lab, &out, "-n", "node2", "start"), 0, &out);
    assert_running(&lab, B, C, 1);
    assert_code(LABCTL(&lab, &out, "-n", "node2", "events"), 0, &out);
    assert_says(&out, "node1 is of this cluster no more");
    assert_says(&out, "queue alone_on_a deleted");
    assert_placed(&lab, C, "kept", B, ON(C), ON(C));
    assert_holds(&lab, C, "kept", 1, 10);
    assert_refused(&lab, C, "alone_on_a", "404 NOT_FOUND - no queue 'alone_on_a' in vhost '/'");
    assert_code(LABCTL(&lab, &out, "-n", "node1", "reset"), 0, &out);
    revive_node(&lab, A);
    assert_placed(&lab, C, "kept", B, ON(A) | ON(C), ON(A) | ON(C));
}

/* ---- 19 ------------------------------------------------------------------------------------------------ */

/* the newest segment of a node's log: the caller's to free */
static char *last_segment(unsigned node)
{
    glob_t found;
    char *pattern = format_text("%s/node%u/data/*.log", lab.dir, node);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    char *path = xstrdup(found.gl_pathv[found.gl_pathc - 1]); /* sorted, and the names count up */
    globfree(&found);
    free(pattern);
    return path;
}

static void add_garbage(const char *path)
{
    unsigned char garbage[3000];
    for (size_t i = 0; i < sizeof(garbage); i++)
        garbage[i] = (unsigned char)(i * 167 + 13);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, garbage, sizeof(garbage)), sizeof(garbage));
    assert_int_equal(close(fd), 0);
}

/* a record is written half: the last one loses its end */
static void tear_off(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size - 5), 0);
}

/* kill -9, something happens to the end of its log, start; what it dropped stands in its events. */
static void starts_with_its_log(const char *queue, void (*damage)(const char *path), const char *dropped,
                                unsigned may_be_lost)
{
    enum { MESSAGES = 1000 };
    declare(&lab, A, queue);
    publish(&lab, A, queue, 1, MESSAGES, true);
    assert_placed(&lab, C, queue, A, 0, 0);
    kill_node(&lab, A);
    char *segment = last_segment(A);
    damage(segment);
    revive_node(&lab, A);
    assert_code(LABCTL(&lab, &out, "-n", "node1", "events"), 0, &out);
    assert_says(&out, dropped);
    free(segment);

    assert_state(&lab, C, queue, "running");
    struct user u = {0};
    uint32_t messages = 0;
    assert_user(user_open(&u, &lab, C) && user_declare(&u, queue, USER_PASSIVE, &messages), &u);
    user_drop(&u);
    assert_in_range(messages, MESSAGES - may_be_lost, MESSAGES);
    assert_holds(&lab, C, queue, 1, messages);
}

static void a_node_starts_with_garbage_behind_its_log(void **state)
{
    (void)state;
    if (!test_on_kit())
        skip(); /* the kit's own log */
    starts_with_its_log("garbage", add_garbage, "data: segment 1: dropped the last 3000 bytes ", 0);
}

static void a_node_starts_with_a_torn_log(void **state)
{
    (void)state;
    if (!test_on_kit())
        skip();
    starts_with_its_log("torn", tear_off, "data: segment 1: dropped the last ", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_to_stop_serves_first),
        cmocka_unit_test(the_last_to_stop_waits_for_nobody),
        cmocka_unit_test(a_node_that_runs_is_not_forced),
        cmocka_unit_test(a_forced_node_waits_for_nobody),
        cmocka_unit_test(a_killed_cluster_goes_on_without_the_one_that_never_returns),
        cmocka_unit_test(a_node_that_is_off_forgets_the_one_that_never_returns),
        cmocka_unit_test(a_node_starts_with_garbage_behind_its_log),
        cmocka_unit_test(a_node_starts_with_a_torn_log),
    };
    return cmocka_run_group_tests_name("start-again", tests, setup, teardown);
}

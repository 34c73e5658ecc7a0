/* test_leak.c: two nodes under valgrind: used by a client, an app stopped and started, the master killed and
 * its queues taken over and synchronised again, ended by SIGTERM: nothing they allocated is lost, no byte is
 * read before it is written. */
#include "tests/bench/amqp.h"
#include "tests/cluster/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct lab lab;
static struct text out;

/* The lab's node program becomes a script that runs the real one under valgrind. */
static bool write_script(const char *path)
{
    char *found = NULL;
    if (RUN(&out, "sh", "-c", "ls -d ${BUILD:-build}/lessons/*/node | sort | tail -n 1") == 0)
        found = realpath(strtok(out.s ? out.s : (char[]){""}, "\n"), NULL);
    FILE *f = found ? fopen(path, "w") : NULL;
    if (f)
        fprintf(
            f,
            "#!/bin/sh\nexec valgrind --quiet --leak-check=full --show-leak-kinds=definite,indirect,possible "
            "--errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99 "
            "--log-file='%s/valgrind.%%p' '%s' \"$@\"\n",
            lab.dir, found);
    free(found);
    return f && fclose(f) == 0 && chmod(path, 0755) == 0;
}

static bool write_config(const char *path, const char *script)
{
    FILE *f = fopen(path, "w");
    if (f)
        fprintf(f,
                "engine = \"kit\";\nnode_program = \"%s\";\n"
                "nodes = ( { name = \"node1\"; }, { name = \"node2\"; } );\n",
                script);
    return f && fclose(f) == 0;
}

static int setup(void **state)
{
    (void)state;
    if (!lab_init(&lab, 2))
        return -1;
    char *script = format_text("%s/node-under-valgrind", lab.dir),
         *config = format_text("%s/my.cfg", lab.dir);
    bool up = write_script(script) && write_config(config, script) && lab_up(&lab, NULL, config, &out);
    if (!up)
        print_error("lab up: %s\n", text_str(&out));
    free(script);
    free(config);
    if (!up)
        lab_finish(&lab);
    return up ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    text_finish(&out);
    return test_lab_down(&lab);
}

static void use(unsigned node, const char *queue)
{
    struct amqp_conn c;
    struct amqp_template t;
    struct amqp_frame f;
    if (!amqp_open(&c, "127.0.0.1", lab_amqp(&lab, node), "admin", "123") || !amqp_confirms_on(&c) ||
        !amqp_declare(&c, queue, false, NULL, 20000))
        fail_msg("%s", c.error);
    amqp_template_init(&t, queue, 100, true);
    for (uint64_t n = 1; n <= 500; n++)
        amqp_put_publish(&c, &t, n);
    uint64_t tag = 0;
    while (tag < 500) {
        if (!amqp_expect(&c, M_BASIC_ACK, &f, 60000))
            fail_msg("%s", c.error);
        tag = get_u64(f.payload + 4) > tag ? get_u64(f.payload + 4) : tag;
    }
    if (!amqp_consume(&c, queue, 100, false))
        fail_msg("%s", c.error);
    for (unsigned bodies = 0; bodies < 100;) {
        if (!amqp_wait(&c, &f, 60000))
            fail_msg("%s", c.error);
        bodies += f.type == AMQP_FRAME_BODY;
    }
    static const char *const paths[] = {"/api/overview",  "/api/nodes",     "/api/queues",
                                        "/api/exchanges", "/api/bindings",  "/api/connections",
                                        "/api/channels",  "/api/consumers", "/api/policies"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        if (http_ask(lab_http(&lab, node), "GET", paths[i], NULL, 20000, NULL) != 200)
            fail_msg("%s did not answer 200", paths[i]);
    amqp_template_finish(&t);
    amqp_finish(&c); /* without a word, 100 deliveries not acknowledged */
}

/* ended by SIGTERM, and valgrind has nothing to say of it */
static void ends_clean(unsigned node)
{
    pid_t pid = lab_pid(&lab, node);
    assert_true(lab_alive(&lab, node));
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_true(wait_ended(pid, 60000));
    char *log = format_text("%s/valgrind.%ld", lab.dir, (long)pid);
    assert_code(RUN(&out, "cat", log), 0, &out); /* valgrind did write one: the node ran under it */
    if (text_str(&out)[0])
        fail_msg("valgrind found in node%u: %s", node, text_str(&out));
    free(log);
}

static void nothing_leaks(void **state)
{
    (void)state;
    assert_code(LABCTL(&lab, &out, "-n", "node1", "set_policy", "all", "^all",
                       "{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}"),
                0, &out);
    use(1, "first");
    use(1, "all-first");
    assert_queue(&lab, 2, "all-first", "a synchronised mirror", has_a_synced_mirror, NULL);
    assert_code(LABCTL(&lab, &out, "-n", "node2", "stop_app"), 0, &out);
    assert_code(LABCTL(&lab, &out, "-n", "node2", "start_app"), 0, &out);
    assert_queue(&lab, 1, "all-first", "a synchronised mirror", has_a_synced_mirror, NULL);
    assert_code(LABCTL(&lab, &out, "-n", "node1", "kill"), 0, &out);
    assert_running(&lab, 2, 1, 0);
    assert_queue(&lab, 2, "all-first", "taken over", is_running, NULL);
    use(2, "all-second");
    assert_code(LABCTL(&lab, &out, "-n", "node1", "start"), 0, &out);
    assert_queue(&lab, 2, "all-first", "a synchronised mirror", has_a_synced_mirror, NULL);
    assert_queue(&lab, 2, "all-second", "a synchronised mirror", has_a_synced_mirror, NULL);
    use(1, "second");
    ends_clean(2);
    assert_running(&lab, 1, 2, 0);
    assert_queue(&lab, 1, "all-second", "taken over", is_running, NULL);
    ends_clean(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_leaks)};
    return cmocka_run_group_tests_name("leak", tests, setup, teardown);
}

/* test_start.c: `lab up` when it cannot: a port that is taken, a configuration that is wrong. It says what,
 * where, and what to write instead; its exit code tells which; and nothing is left running. */
#include "tests/cluster/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct text out;

static int make_lab(void **state)
{
    static struct lab lab;
    *state = &lab;
    return lab_init(&lab, 3) ? 0 : -1;
}

static int end_lab(void **state)
{
    struct lab *lab = *state;
    lab_finish(lab); /* `lab down` of a lab that never came up may say so; what counts is in the tests */
    text_finish(&out);
    return 0;
}

static int listen_on(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)); /* old connections of an earlier test */
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void assert_nothing_runs(const struct lab *lab)
{
    for (unsigned i = 1; i <= lab->nodes; i++)
        assert_false(lab_alive(lab, i));
}

static void a_taken_port(struct lab *lab, uint16_t port, const char *node, const char *key)
{
    int fd = listen_on(port);
    bool up = lab_up(lab, "kit", NULL, &out);
    close(fd);
    assert_false(up);
    char number[16];
    snprintf(number, sizeof(number), "%u", port);
    assert_says(&out, number);
    assert_says(&out, node);
    assert_says(&out, key);
    assert_nothing_runs(lab);
}

static void a_taken_amqp_port_is_named_with_its_key(void **state)
{
    struct lab *lab = *state;
    a_taken_port(lab, lab_amqp(lab, 2), "node2", "nodes[1].amqp");
}

static void a_taken_http_port_is_named_with_its_key(void **state)
{
    struct lab *lab = *state;
    a_taken_port(lab, lab_http(lab, 3), "node3", "nodes[2].http");
}

static void a_taken_peer_port_is_named_with_its_key(void **state)
{
    struct lab *lab = *state;
    a_taken_port(lab, lab->peer, "node1", "nodes[0].peer");
}

/* `file` of that content; lab up --config must end with 78 and say "file:LINE: ..." with those words. */
static void wrong_config(struct lab *lab, const char *content, int line, const char *words)
{
    char file[PATH_MAX + 16], program[PATH_MAX + 8];
    snprintf(file, sizeof(file), "%s/wrong.cfg", lab->dir);
    snprintf(program, sizeof(program), "%s/lab", lab->bin);
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    assert_true(fputs(content, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_code(RUN(&out, program, "up", "--dir", lab->dir, "--config", file), 78, &out);
    char *where = format_text("%s:%d: ", file, line);
    assert_says(&out, where);
    assert_says(&out, words);
    free(where);
    assert_nothing_runs(lab);
}

static void a_misspelt_key(void **state)
{
    wrong_config(*state, "engine = \"kit\";\nnodez = ();\n", 2, "nodez");
}

static void a_port_that_is_none(void **state)
{
    wrong_config(*state, "engine = \"kit\";\nnodes = (\n  { name = \"node1\"; amqp = 99999; }\n);\n", 3,
                 "99999");
}

static void an_engine_that_is_none(void **state)
{
    wrong_config(*state, "engine = \"kafka\";\n", 1, "kafka");
}

static void a_file_that_does_not_parse(void **state)
{
    wrong_config(*state, "engine = \"kit\";\nnodes = (;\n", 2, "");
}

static void one_port_for_two_things(void **state)
{
    wrong_config(
        *state,
        "nodes = (\n  { name = \"node1\"; amqp = 61990; },\n  { name = \"node2\"; http = 61990; }\n);\n", 3,
        "61990");
}

static void a_config_that_is_not_there(void **state)
{
    struct lab *lab = *state;
    char program[PATH_MAX + 8];
    snprintf(program, sizeof(program), "%s/lab", lab->bin);
    int code = RUN(&out, program, "up", "--dir", lab->dir, "--config", "/nowhere/at.all");
    assert_true(code != 0);
    assert_says(&out, "/nowhere/at.all");
}

static void labctl_without_a_lab_says_what_to_do(void **state)
{
    struct lab *lab = *state;
    assert_true(LABCTL(lab, &out, "-n", "node1", "status") != 0);
    assert_says(&out, "lab up");
}

/* An open screen goes on with the addresses it has: a lab that is started again in its folder has the same.
 */
static void a_lab_comes_back_on_its_ports(void **state)
{
    struct lab *lab = *state;
    char program[PATH_MAX + 8], address[32];
    snprintf(program, sizeof(program), "%s/lab", lab->bin);
    snprintf(address, sizeof(address), "127.0.0.1:%u", lab_amqp(lab, 2));
    assert_true(lab_up(lab, "kit", NULL, &out));
    assert_says(&out, address);
    assert_int_equal(RUN(&out, program, "down", "--dir", lab->dir), 0);
    assert_nothing_runs(lab);
    assert_int_equal(RUN(&out, program, "up", "--dir", lab->dir), 0);
    assert_says(&out, address);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_taken_amqp_port_is_named_with_its_key, make_lab, end_lab),
        cmocka_unit_test_setup_teardown(a_taken_http_port_is_named_with_its_key, make_lab, end_lab),
        cmocka_unit_test_setup_teardown(a_taken_peer_port_is_named_with_its_key, make_lab, end_lab),
        cmocka_unit_test_setup_teardown(a_misspelt_key, make_lab, end_lab),
        cmocka_unit_test_setup_teardown(a_port_that_is_none, make_lab, end_lab),
        cmocka_unit_test_setup_teardown(an_engine_that_is_none, make_lab, end_lab),
        cmocka_unit_test_setup_teardown(a_file_that_does_not_parse, make_lab, end_lab),
        cmocka_unit_test_setup_teardown(one_port_for_two_things, make_lab, end_lab),
        cmocka_unit_test_setup_teardown(a_config_that_is_not_there, make_lab, end_lab),
        cmocka_unit_test_setup_teardown(labctl_without_a_lab_says_what_to_do, make_lab, end_lab),
        cmocka_unit_test_setup_teardown(a_lab_comes_back_on_its_ports, make_lab, end_lab),
    };
    return cmocka_run_group_tests_name("start", tests, NULL, NULL);
}

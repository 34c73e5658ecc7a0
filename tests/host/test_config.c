/* test_config.c: lab.cfg as a node reads it: every default, and for every wrong line the file, the line, what
 * is wrong and what to write instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/err.h"
#include "host/loop_private.h"
#include "tests/temporary.h"

static char *file;

static int setup(void **state)
{
    (void)state;
    file = temporary_file("config", "");
    return file ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    unlink(file);
    free(file);
    return 0;
}

static void write_file(const char *content)
{
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs(content, out);
    fclose(out);
}

/* reads it as node2; the error must begin with FILE and contain both */
static void assert_refused(const char *content, const char *line_and_what, const char *instead)
{
    struct node_config c;
    char *error = NULL;
    write_file(content);
    assert_int_not_equal(node_config_read(&c, file, "node2", "/some/dir", &error), 0);
    assert_non_null(error);
    size_t len = strlen(file);
    assert_true(strncmp(error, file, len) == 0);
    if (strncmp(error + len, line_and_what, strlen(line_and_what)) != 0)
        fail_msg("wanted \"%s\" in: %s", line_and_what, error);
    if (!strstr(error, instead))
        fail_msg("wanted \"%s\" in: %s", instead, error);
    free(error);
}

static void test_defaults_are_the_articles(void **state)
{
    (void)state;
    struct node_config c;
    char *error;
    write_file("nodes = ( { }, { name = \"node2\"; }, { } );\n");
    assert_int_equal(node_config_read(&c, file, "node2", "/some/dir", &error), 0);
    assert_null(error);
    assert_int_equal(c.nodes_len, 3);
    assert_int_equal(c.self, 1);
    assert_string_equal(c.dir, "/some/dir");
    assert_string_equal(c.nodes[2].name, "node3");
    assert_string_equal(c.nodes[2].host, "127.0.0.1");
    assert_int_equal(c.nodes[1].amqp, 5673);
    assert_int_equal(c.nodes[1].http, 15673);
    assert_int_equal(c.nodes[1].peer, 25673);
    assert_string_equal(c.user, "admin");
    assert_string_equal(c.password, "123");
    assert_null(c.secret);
    assert_int_equal(c.silence_ms, 4000);
    assert_true(c.memory_limit_bytes >= 16u << 20);
    assert_int_equal(c.paging_bytes, c.memory_limit_bytes / 2);
    node_config_finish(&c);
}

static void test_what_is_written_counts(void **state)
{
    (void)state;
    struct node_config c;
    char *error;
    write_file("engine = \"kit\"; user = \"u\"; password = \"p\"; secret = \"s\"; silence_ms = 1000;\n"
               "memory_limit_mb = 64; memory_paging_ratio = 0.25; node_program = \"x\";\n"
               "nodes = ( { name = \"node2\"; host = \"10.0.0.7\"; amqp = 1; http = 2; peer = 65535; } );\n");
    assert_int_equal(node_config_read(&c, file, "node2", "d", &error), 0);
    assert_int_equal(c.self, 0);
    assert_string_equal(c.nodes[0].host, "10.0.0.7");
    assert_int_equal(c.nodes[0].amqp, 1);
    assert_int_equal(c.nodes[0].http, 2);
    assert_int_equal(c.nodes[0].peer, 65535);
    assert_string_equal(c.user, "u");
    assert_string_equal(c.password, "p");
    assert_string_equal(c.secret, "s");
    assert_int_equal(c.silence_ms, 1000);
    assert_int_equal(c.memory_limit_bytes, 64u << 20);
    assert_int_equal(c.paging_bytes, 16u << 20);
    node_config_finish(&c);
}

static void test_what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    assert_refused("nodes = (\n  { name = \"node2\"; amqp = ; }\n);\n", ":2: syntax error", "key = value;");
    assert_refused("user = \"admin\";\n", ":1: nodes is missing", "nodes = ( {");
    assert_refused("\nnodes = 3;\n", ":2: nodes is missing or not a list", "nodes = ( {");
    assert_refused("nodes = ( );\n", ":1: nodes is missing", "nodes = ( {");
    assert_refused("nodes = (\n  { },\n  7 );\n", ":3: nodes[1] is not a group",
                   "{ name = \"node2\"; amqp = 5673; }");
    assert_refused("nodes = (\n  { },\n  { name = \"node1\"; } );\n",
                   ":3: nodes[1] is called \"node1\", as nodes[0] is", "its own name");
    assert_refused("nodes = ( { name = \"other\"; } );\n", ":1: nodes has none called \"node2\"", "--name");
    assert_refused("nodes = ( { },\n { amqp = 0; } );\n", ":2: amqp is not a number from 1 to 65535",
                   "amqp = 5673;");
    assert_refused("nodes = ( { },\n { peer = 65536; } );\n", ":2: peer is not a number", "peer = 25673;");
    assert_refused("nodes = ( { },\n { http = -1; } );\n", ":2: http is not a number", "http = 15673;");
    assert_refused("nodes = ( { },\n { http = \"80\"; } );\n", ":2: http is not a number", "http = 15673;");
    assert_refused("nodes = ( { },\n { host = 5; } );\n", ":2: host is not a text", "host = \"...\";");
    assert_refused("nodes = ( { },\n { name = \"\"; } );\n", ":2: name is not a text", "name = \"...\";");
    assert_refused("nodes = ( { }, { } );\nuser = 5;\n", ":2: user is not a text", "user = \"...\";");
    assert_refused("nodes = ( { }, { } );\nsilence_ms = 1;\n",
                   ":2: silence_ms is not a number from 100 to 600000", "silence_ms = 4000;");
    assert_refused("nodes = ( { }, { } );\nmemory_limit_mb = 99999999999L;\n",
                   ":2: memory_limit_mb is not a number", "memory_limit_mb = ");
    assert_refused("nodes = ( { }, { } );\nmemory_paging_ratio = 1.5;\n",
                   ":2: memory_paging_ratio is not a number above 0 and up to 1.0",
                   "memory_paging_ratio = 0.5;");
    assert_refused("nodes = ( { }, { } );\nmemory_paging_ratio = \"half\";\n",
                   ":2: memory_paging_ratio is not a number", "memory_paging_ratio = 0.5;");
}

static void test_too_many_nodes_are_refused(void **state)
{
    (void)state;
    struct text t = {0};
    text_add(&t, "nodes = (");
    for (int i = 0; i <= LIMIT_NODES; i++)
        text_add(&t, i ? ", { }" : "{ }");
    text_add(&t, ");");
    assert_refused(text_str(&t), ":1: nodes has 33 groups; 32 are the most", "take some out");
    text_finish(&t);
}

static void test_a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct node_config c;
    char *error;
    assert_int_not_equal(node_config_read(&c, "/not/there.cfg", "node1", "d", &error), 0);
    assert_string_equal(error, "/not/there.cfg: cannot be read; name the lab's lab.cfg with --config");
    free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_the_articles),
        cmocka_unit_test(test_what_is_written_counts),
        cmocka_unit_test(test_what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(test_too_many_nodes_are_refused),
        cmocka_unit_test(test_a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests_name("a node's configuration", tests, setup, teardown);
}

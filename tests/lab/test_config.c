/* test_config.c: a wrong configuration is refused with file, line, what is wrong and what to write instead; a
 * right one fills in what it leaves out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/text.h"
#include "lab/labdir.h"
#include "tests/temporary.h"

static char *folder;

static char *write_config(const char *content)
{
    char *file = format_text("%s/my.cfg", folder);
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
    return file;
}

static int make_folder(void **state)
{
    (void)state;
    folder = temporary_folder("config");
    return folder ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char *file = format_text("%s/my.cfg", folder);
    unlink(file);
    free(file);
    int code = rmdir(folder);
    free(folder);
    return code;
}

/* the whole message after "FOLDER/my.cfg:" is compared, letter by letter */
static void expect_error(const char *content, const char *message)
{
    struct labdir lab = {0};
    char *error = NULL, *file = write_config(content);
    assert_int_equal(labdir_read_config(&lab, file, &error), ERR_INVALID);
    assert_non_null(error);
    char *expected = format_text("%s:%s", file, message);
    assert_string_equal(error, expected);
    free(expected);
    free(error);
    free(file);
}

static struct labdir expect_good(const char *content)
{
    struct labdir lab = {0};
    char *error = NULL, *file = write_config(content);
    int err = labdir_read_config(&lab, file, &error);
    if (error)
        print_message("%s\n", error);
    assert_int_equal(err, 0);
    assert_null(error);
    free(file);
    return lab;
}

static void an_empty_file_is_the_default_lab(void **state)
{
    (void)state;
    struct labdir lab = expect_good("");
    assert_int_equal(lab.engine, ENGINE_KIT);
    assert_int_equal(lab.nodes_len, 3);
    assert_string_equal(lab.nodes[2].name, "node3");
    assert_string_equal(lab.nodes[2].host, "127.0.0.1");
    assert_int_equal(lab.nodes[2].amqp_port, 5674);
    assert_int_equal(lab.nodes[2].http_port, 15674);
    assert_int_equal(lab.nodes[2].peer_port, 25674);
    assert_string_equal(lab.user, "admin");
    assert_string_equal(lab.password, "123");
    assert_false(lab.external);
}

static void what_is_left_out_counts_up(void **state)
{
    (void)state;
    struct labdir lab = expect_good("engine = \"rabbitmq\";\nuser = \"me\"; password = \"secret\";\n"
                                    "nodes = ( { amqp = 7001; }, { name = \"b\"; }, { } );\n");
    assert_int_equal(lab.engine, ENGINE_RABBITMQ);
    assert_int_equal(lab.nodes[0].amqp_port, 7001);
    assert_int_equal(lab.nodes[0].http_port, 15672);
    assert_string_equal(lab.nodes[1].name, "b");
    assert_int_equal(lab.nodes[1].amqp_port, 5673);
    assert_string_equal(lab.nodes[2].name, "node3");
    assert_string_equal(lab.user, "me");
    assert_string_equal(lab.password, "secret");
}

static void what_only_nodes_read_is_kept(void **state)
{
    (void)state;
    struct labdir lab =
        expect_good("silence_ms = 60000; memory_limit_mb = 64; memory_paging_ratio = 0.25;\n");
    assert_int_equal(lab.silence_ms, 60000);
    assert_int_equal(lab.memory_limit_mb, 64);
    assert_true(lab.memory_paging_ratio > 0.24 && lab.memory_paging_ratio < 0.26);
    lab = expect_good("");
    assert_true(lab.silence_ms == 0 && lab.memory_limit_mb == 0 && lab.memory_paging_ratio == 0);
    expect_error("memory_limit_mb = 1;\n",
                 "1: memory_limit_mb is not a number from 16 to 1048576; write memory_limit_mb = 16");
    expect_error("\nmemory_paging_ratio = 2;\n",
                 "2: memory_paging_ratio is not a number above 0 and up to 1.0; "
                 "write memory_paging_ratio = 0.5");
}

static void a_cluster_elsewhere_is_named_by_urls(void **state)
{
    (void)state;
    struct labdir lab =
        expect_good("engine = \"rabbitmq\";\n"
                    "nodes = ( { name = \"rabbit1\"; url = \"http://10.0.0.1:15672\"; amqp = 5671; },\n"
                    "          { name = \"rabbit2\"; url = \"http://10.0.0.2:15673\"; } );\n");
    assert_true(lab.external);
    assert_string_equal(lab.nodes[1].host, "10.0.0.2");
    assert_int_equal(lab.nodes[1].http_port, 15673);
    assert_int_equal(lab.nodes[0].amqp_port, 5671);
}

static void unknown_keys_are_errors(void **state)
{
    (void)state;
    expect_error("engine = \"kit\";\ncolour = \"red\";\n",
                 "2: unknown key colour; the keys here are engine, nodes, user, password, node_program, "
                 "silence_ms, memory_limit_mb, memory_paging_ratio, partition_handling");
    expect_error("nodes = ( { name = \"node1\"; },\n { ampq = 5673; } );\n",
                 "2: unknown key nodes[1].ampq; the keys here are name, host, amqp, http, peer, url");
}

static void wrong_values_are_errors(void **state)
{
    (void)state;
    expect_error("engine = \"kafka\";\n", "1: engine is \"kafka\"; write \"kit\" or \"rabbitmq\"");
    expect_error("engine = 3;\n", "1: engine is not a text; write engine = \"kit\"");
    expect_error("user = \"\";\n", "1: user is empty; write user = \"admin\"");
    expect_error("nodes = 3;\n", "1: nodes is not a list; write nodes = ( { name = \"node1\"; }, ... )");
    expect_error("nodes = ();\n", "1: nodes has 0 groups; write 1 to 32 of them");
    expect_error("nodes = ( 5 );\n", "1: nodes[0] is not a group; write { name = \"node1\"; }");
    expect_error("\n\nnodes = ( { name = \"node 1\"; } );\n",
                 "3: nodes[0].name is \"node 1\"; write letters, digits, - and _ only, such as \"node1\"");
    expect_error("nodes = ( { amqp = 99999; } );\n",
                 "1: nodes[0].amqp is 99999; write a port from 1 to 65535, such as amqp = 5672");
    expect_error("nodes = ( { }, { amqp = 0; } );\n",
                 "1: nodes[1].amqp is 0; write a port from 1 to 65535, such as amqp = 5673");
    expect_error("nodes = ( { http = \"15672\"; } );\n",
                 "1: nodes[0].http is not a number; write http = 15672");
    expect_error("engine = \"rabbitmq\";\nnodes = ( { url = \"https://x\"; } );\n",
                 "2: nodes[0].url is \"https://x\"; write \"http://HOST:PORT\" of its management API");
    expect_error("nodes = ( { url = \"http://10.0.0.1:15672\"; } );\n",
                 "1: nodes[0].url names a cluster that runs elsewhere; write engine = \"rabbitmq\"");
}

static void what_is_there_twice_is_an_error(void **state)
{
    (void)state;
    expect_error("nodes = ( { amqp = 5672; },\n  { amqp = 5672; } );\n",
                 "2: nodes[1].amqp is 5672, which is already nodes[0].amqp; write another port");
    expect_error("nodes = ( { amqp = 7000; },\n  { http = 7000; } );\n",
                 "2: nodes[1].http is 7000, which is already nodes[0].amqp; write another port");
    /* also when one of the two is a default */
    expect_error("nodes = ( { amqp = 5673; },\n  { name = \"second\"; } );\n",
                 "2: nodes[1].amqp is 5673, which is already nodes[0].amqp; write another port");
    expect_error("nodes = ( { name = \"a\"; },\n  { name = \"a\"; } );\n",
                 "2: nodes[1].name is \"a\", which is already nodes[0]; write another");
}

static void the_same_port_on_two_hosts_is_none(void **state)
{
    (void)state;
    struct labdir lab =
        expect_good("nodes = ( { }, { host = \"127.0.0.2\"; amqp = 5672; http = 15672; peer = 25672; } );");
    assert_int_equal(lab.nodes[1].amqp_port, 5672);
}

static void a_syntax_error_names_its_line(void **state)
{
    (void)state;
    expect_error("engine = \"kit\";\nnodes = ( { name = node1 } );\n",
                 "2: syntax error; write key = value; as in nodes = ( { name = \"node1\"; } );");
}

static void a_file_that_is_not_there(void **state)
{
    (void)state;
    struct labdir lab = {0};
    char *error = NULL;
    assert_int_equal(labdir_read_config(&lab, "/nonexistent/my.cfg", &error), ERR_NOT_FOUND);
    assert_string_equal(error, "/nonexistent/my.cfg: cannot read it: No such file or directory");
    free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_is_the_default_lab),
        cmocka_unit_test(what_is_left_out_counts_up),
        cmocka_unit_test(what_only_nodes_read_is_kept),
        cmocka_unit_test(a_cluster_elsewhere_is_named_by_urls),
        cmocka_unit_test(unknown_keys_are_errors),
        cmocka_unit_test(wrong_values_are_errors),
        cmocka_unit_test(what_is_there_twice_is_an_error),
        cmocka_unit_test(the_same_port_on_two_hosts_is_none),
        cmocka_unit_test(a_syntax_error_names_its_line),
        cmocka_unit_test(a_file_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

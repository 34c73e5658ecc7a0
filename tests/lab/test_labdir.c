/* test_labdir.c: where the folder is, what lab.cfg keeps, what wiping removes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/text.h"
#include "lab/engine.h"
#include "lab/labdir.h"
#include "tests/temporary.h"

static char *folder;

static int make_folder(void **state)
{
    (void)state;
    folder = temporary_folder("labdir");
    return folder ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char *file = format_text("%s/lab/lab.cfg", folder), *lab = format_text("%s/lab", folder);
    unlink(file);
    rmdir(lab);
    free(file);
    free(lab);
    int code = rmdir(folder);
    free(folder);
    return code;
}

static void the_option_comes_before_the_environment(void **state)
{
    (void)state;
    char path[PATH_MAX];
    setenv("MIRRORLAB_DIR", "/tmp/of-the-environment", 1);
    setenv("XDG_RUNTIME_DIR", "/tmp/runtime", 1);
    setenv("XDG_STATE_HOME", "/tmp/state", 1);
    setenv("HOME", "/tmp/home", 1);
    assert_int_equal(labdir_path("/tmp/of-the-option/", path, sizeof(path)), 0);
    assert_string_equal(path, "/tmp/of-the-option");
    assert_int_equal(labdir_path(NULL, path, sizeof(path)), 0);
    assert_string_equal(path, "/tmp/of-the-environment");
    unsetenv("MIRRORLAB_DIR");
    assert_int_equal(labdir_path(NULL, path, sizeof(path)), 0);
    assert_string_equal(path, "/tmp/runtime/mirrorlab");
    unsetenv("XDG_RUNTIME_DIR");
    assert_int_equal(labdir_path(NULL, path, sizeof(path)), 0);
    assert_string_equal(path, "/tmp/state/mirrorlab/lab");
    setenv("XDG_STATE_HOME", "not/absolute", 1); /* counts for nothing, says the specification */
    assert_int_equal(labdir_path(NULL, path, sizeof(path)), 0);
    assert_string_equal(path, "/tmp/home/.local/state/mirrorlab/lab");
    unsetenv("XDG_STATE_HOME");
    assert_int_equal(labdir_path(NULL, path, sizeof(path)), 0);
    assert_string_equal(path, "/tmp/home/.local/state/mirrorlab/lab");
    char small[8];
    assert_int_equal(labdir_path(NULL, small, sizeof(small)), ERR_TOO_LARGE);
}

static void a_relative_folder_becomes_absolute(void **state)
{
    (void)state;
    char path[PATH_MAX], here[PATH_MAX];
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(labdir_path("some/lab", path, sizeof(path)), 0);
    char *expected = format_text("%s/some/lab", here);
    assert_string_equal(path, expected);
    free(expected);
}

static void no_lab_is_not_found(void **state)
{
    (void)state;
    struct labdir lab;
    char *error = NULL;
    assert_int_equal(labdir_load(&lab, folder, &error), ERR_NOT_FOUND);
    char *expected = format_text("no lab in %s", folder);
    assert_string_equal(error, expected);
    free(expected);
    free(error);
}

static void what_is_saved_is_loaded(void **state)
{
    (void)state;
    struct labdir lab = {0}, back;
    char *error = NULL, *dir = format_text("%s/lab", folder), *file = format_text("%s/lab.cfg", dir);
    labdir_defaults(&lab, ENGINE_RABBITMQ, 2);
    snprintf(lab.path, sizeof(lab.path), "%s", dir);
    snprintf(lab.password, sizeof(lab.password), "a \"quoted\\ one");
    lab.nodes[1].amqp_port = 40001;
    assert_int_equal(labdir_save(&lab, &error), 0);
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600); /* it holds the password */
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(labdir_load(&back, dir, &error), 0);
    assert_int_equal(back.engine, ENGINE_RABBITMQ);
    assert_int_equal(back.nodes_len, 2);
    assert_int_equal(back.nodes[1].amqp_port, 40001);
    assert_int_equal(back.nodes[1].peer_port, 25673);
    assert_string_equal(back.password, lab.password);
    assert_string_equal(back.path, dir);
    free(dir);
    free(file);
}

static void too_long_a_folder_for_a_socket(void **state)
{
    (void)state;
    struct labdir lab = {0};
    char *error = NULL;
    labdir_defaults(&lab, ENGINE_KIT, 1);
    memset(lab.path, 'x', 100);
    lab.path[0] = '/';
    assert_int_equal(labdir_save(&lab, &error), ERR_TOO_LARGE);
    assert_non_null(
        strstr(error, "longer than 80 bytes, too long for the nodes' sockets in it; give a shorter one"));
    free(error);
}

static void nodes_are_found_by_their_short_name(void **state)
{
    (void)state;
    struct labdir lab = {0};
    labdir_defaults(&lab, ENGINE_KIT, 12);
    assert_int_equal(labdir_find_node(&lab, "node2"), 1);
    assert_int_equal(labdir_find_node(&lab, "node2@localhost"), 1);
    assert_int_equal(labdir_find_node(&lab, "node12"), 11);
    assert_int_equal(labdir_find_node(&lab, "node"), -1);
    assert_int_equal(labdir_find_node(&lab, "node13"), -1);
    assert_int_equal(labdir_find_node(&lab, ""), -1);
}

/* What is told to be typed finds this lab and no other, whichever of the two programs it is. */
static void what_is_to_be_typed_names_the_folder(void **state)
{
    (void)state;
    static const struct {
        const char *words[5], *end;
    } cases[] = {{{"lab", "down", NULL}, "lab down --dir /somewhere/else"},
                 {{"lab", "up", "--fresh", NULL}, "lab up --fresh --dir /somewhere/else"},
                 {{"labctl", "list_queues", NULL}, "labctl --dir /somewhere/else list_queues"}};
    struct labdir lab = {.path = "/somewhere/else"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *typed = engine_typed(&lab, cases[i].words);
        size_t len = strlen(typed), end = strlen(cases[i].end);
        assert_true(len >= end);
        assert_string_equal(typed + len - end, cases[i].end);
        free(typed);
    }
}

static void wiping_removes_the_nodes_and_nothing_else(void **state)
{
    (void)state;
    struct labdir lab = {0};
    char *error = NULL;
    labdir_defaults(&lab, ENGINE_KIT, 2);
    snprintf(lab.path, sizeof(lab.path), "%s", folder);
    char *node = format_text("%s/node1", folder), *data = format_text("%s/node1/data", folder);
    char *mine = format_text("%s/notes.txt", folder), *link = format_text("%s/node1/link", folder);
    mkdir(node, 0700);
    mkdir(data, 0700);
    fclose(fopen(mine, "w"));
    assert_int_equal(symlink(mine, link), 0); /* the link goes, not what it leads to */
    assert_int_equal(labdir_wipe(&lab, &error), 0);
    assert_int_equal(access(node, F_OK), -1);
    assert_int_equal(access(mine, F_OK), 0);
    unlink(mine);
    free(node);
    free(data);
    free(mine);
    free(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_option_comes_before_the_environment),
        cmocka_unit_test(a_relative_folder_becomes_absolute),
        cmocka_unit_test(no_lab_is_not_found),
        cmocka_unit_test(what_is_saved_is_loaded),
        cmocka_unit_test(too_long_a_folder_for_a_socket),
        cmocka_unit_test(nodes_are_found_by_their_short_name),
        cmocka_unit_test(what_is_to_be_typed_names_the_folder),
        cmocka_unit_test(wiping_removes_the_nodes_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

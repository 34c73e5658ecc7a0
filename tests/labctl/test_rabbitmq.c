/* test_rabbitmq.c: in a lab of RabbitMQ's nodes, none of which runs: what labctl refuses itself, and with
 * which words it hands on the rest to rabbitmqctl. */
#include "tests/labctl/run.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/labdir.h"
#include "main/labctl.h"
#include "tests/temporary.h"

static void rabbitmq_says(const char *dir, int rc, const char *says, const char *a, const char *b,
                          const char *c)
{
    const char *words[] = {"cut", a, b, c};
    struct run r = run_words(dir, c ? 4 : 3, words);
    assert_int_equal(r.rc, rc);
    if (!strstr(r.err, says))
        fail_msg("labctl says: %s\ninstead of: %s", r.err, says);
    run_finish(&r);
}

/* The folder of a lab of RabbitMQ's nodes, none of which runs; dir: PATH_MAX bytes for its name. */
static void rabbitmq_lab(char *dir)
{
    struct labdir lab;
    char *error = NULL;
    assert_true(temporary_folder_in(dir, PATH_MAX, "labctl-rabbitmq"));
    labdir_defaults(&lab, ENGINE_RABBITMQ, 3);
    snprintf(lab.path, sizeof(lab.path), "%s", dir);
    assert_int_equal(labdir_save(&lab, &error), 0);
}

static void rabbitmq_lab_end(const char *dir)
{
    char *file = format_text("%s/lab.cfg", dir);
    assert_int_equal(unlink(file), 0);
    for (unsigned i = 1; i <= 3; i++) {
        char *node = format_text("%s/node%u", dir, i);
        rmdir(node);
        free(node);
    }
    assert_int_equal(rmdir(dir), 0);
    free(file);
}

/* What a cut does where nodes run: scenario_partition.c, on RabbitMQ. */
static void what_cannot_be_cut_on_rabbitmq_is_said(void **state)
{
    (void)state;
    char dir[PATH_MAX];
    rabbitmq_lab(dir);
    rabbitmq_says(
        dir, 69,
        "a cut one way is not possible on the rabbitmq engine: two of its nodes have one connection for "
        "both ways; cut it whole (labctl cut NODE NODE), or use the kit's engine",
        "--one-way", "node1", "node2");
    rabbitmq_says(dir, 64, "has no node 'node9@localhost'", "node1", "node9@localhost", NULL);
    rabbitmq_says(dir, 64, "too many arguments", "node1", "node2", "node3");
    rabbitmq_says(dir, 69, "none of these nodes has a process that could be told so", "node1", "node2", NULL);
    rabbitmq_lab_end(dir);
}

/* A stand-in for rabbitmqctl prints its words, one a line: labctl becomes it, so that is done by a child. */
static char *handed_on(const char *dir, size_t len, const char *const *words)
{
    char *script = format_text("%s/rabbitmqctl", dir);
    FILE *f = fopen(script, "w");
    assert_non_null(f);
    fputs("#!/bin/sh\nprintf '%s\\n' \"$@\"\n", f);
    fclose(f);
    assert_int_equal(chmod(script, 0700), 0);
    assert_int_equal(setenv("MIRRORLAB_RABBITMQ_BIN", dir, 1), 0);
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    fflush(NULL); /* else the child writes it, too */
    pid_t pid = fork();
    if (pid == 0) {
        dup2(pipe_fds[1], STDOUT_FILENO);
        close(pipe_fds[0]);
        close(pipe_fds[1]);
        char *argv[16] = {"labctl", "--dir", (char *)(uintptr_t)dir};
        for (size_t i = 0; i < len; i++)
            argv[3 + i] = (char *)(uintptr_t)words[i];
        _exit(ctl_run(3 + (int)len, argv, stdout, stderr));
    }
    close(pipe_fds[1]);
    struct text t = {0};
    char buffer[512];
    ssize_t n;
    while ((n = read(pipe_fds[0], buffer, sizeof(buffer))) > 0)
        text_add_bytes(&t, buffer, (size_t)n);
    close(pipe_fds[0]);
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    unsetenv("MIRRORLAB_RABBITMQ_BIN");
    unlink(script);
    free(script);
    return t.s ? t.s : xstrdup("");
}

#define HANDED_ON(dir, ...)                                                                                  \
    handed_on(dir, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *const[]){__VA_ARGS__})

/* The real one: scenario_join.c, on RabbitMQ. */
static void nodes_are_named_to_rabbitmqctl_with_their_host(void **state)
{
    (void)state;
    char dir[PATH_MAX];
    rabbitmq_lab(dir);
    char *said = HANDED_ON(dir, "-n", "node4", "join_cluster", "--ram", "-t", "30", "node1");
    assert_string_equal(said, "-n\nnode4@localhost\njoin_cluster\n--ram\n-t\n30\nnode1@localhost\n");
    free(said);
    said = HANDED_ON(dir, "forget_cluster_node", "node5@localhost", "--offline");
    assert_string_equal(said, "-n\nnode1@localhost\nforget_cluster_node\nnode5@localhost\n--offline\n");
    free(said);
    said = HANDED_ON(dir, "delete_queue", "node1", "-n", "node2"); /* a queue of that name */
    assert_string_equal(said, "-n\nnode2@localhost\ndelete_queue\nnode1\n");
    free(said);
    rabbitmq_lab_end(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_cut_on_rabbitmq_is_said),
        cmocka_unit_test(nodes_are_named_to_rabbitmqctl_with_their_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

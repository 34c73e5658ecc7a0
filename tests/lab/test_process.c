/* test_process.c: a process is known by whom it was started for, and nothing else is ever taken for it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "lab/private.h"
#include "tests/temporary.h"

static pid_t start_sleeper(const char *owner)
{
    const char *argv[] = {"/bin/sleep", "60", NULL};
    struct process_spec spec = {.argv = argv, .owner = owner, .log = "/dev/null", .own_session = true};
    pid_t pid = 0;
    assert_int_equal(process_start(&spec, &pid), 0);
    assert_true(pid > 1);
    return pid;
}

static void a_process_belongs_to_its_owner_alone(void **state)
{
    (void)state;
    pid_t pid = start_sleeper("/tmp/lab/node1");
    assert_true(process_belongs(pid, "/tmp/lab/node1"));
    assert_false(process_belongs(pid, "/tmp/lab/node"));   /* a beginning of it */
    assert_false(process_belongs(pid, "/tmp/lab/node12")); /* it is a beginning */
    assert_false(process_belongs(pid, "lab/node1"));       /* an end of it */
    assert_false(process_belongs(getpid(), "/tmp/lab/node1"));
    assert_false(process_belongs(0, "/tmp/lab/node1"));
    assert_false(process_belongs(1, "/tmp/lab/node1"));
    kill(pid, SIGKILL);
    assert_int_equal(process_wait_gone(pid, 5000), 0);
    assert_false(process_belongs(pid, "/tmp/lab/node1"));
}

static void waiting_for_one_that_stays_ends(void **state)
{
    (void)state;
    pid_t pid = start_sleeper("/tmp/lab/node1");
    assert_false(process_gone(pid));
    assert_int_equal(process_wait_gone(pid, 30), ERR_TIMEOUT);
    kill(pid, SIGTERM); /* not ignored by the child, whatever this program does with it */
    assert_int_equal(process_wait_gone(pid, 5000), 0);
}

/* As nodes that are killed at once: after that it has no more to say, and can still be killed. */
static void one_that_is_frozen_does_nothing_any_more(void **state)
{
    (void)state;
    int said[2];
    char words[4096];
    assert_int_equal(pipe2(said, O_NONBLOCK), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        for (;;)
            (void)!write(said[1], "x", 1);
    while (read(said[0], words, sizeof(words)) <= 0) /* it speaks all the time */
        ;
    assert_int_equal(process_freeze(pid, 5000), 0);
    while (read(said[0], words, sizeof(words)) > 0)
        ;
    for (int i = 0; i < 20; i++) {
        pause_ms(5);
        assert_true(read(said[0], words, sizeof(words)) < 0);
    }
    assert_false(process_gone(pid));
    kill(pid, SIGKILL);
    assert_int_equal(process_wait_gone(pid, 5000), 0);
    assert_int_equal(process_freeze(pid, 5000), 0); /* gone: nothing to wait for */
    close(said[0]);
    close(said[1]);
}

/* What a thread in a slow flush does: it keeps the sockets of the process, until the test lets it go. */
static void *hold(void *go)
{
    char nothing;
    while (read(*(int *)go, &nothing, 1) < 0)
        ;
    return NULL;
}

/* the child's life: a listener, a second thread, and an end of the first thread alone */
static void end_first_thread(int report, int go)
{
    static int let_go;
    let_go = go; /* read once the stack of this thread is gone */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    pthread_t thread;
    if (bind(fd, (struct sockaddr *)&address, len) || listen(fd, 1) ||
        getsockname(fd, (struct sockaddr *)&address, &len) || pthread_create(&thread, NULL, hold, &let_go) ||
        write(report, &address.sin_port, sizeof(address.sin_port)) < 0)
        _exit(1);
    pthread_exit(NULL);
}

static void a_process_is_gone_when_its_last_thread_is(void **state)
{
    (void)state;
    int report[2], go[2];
    uint16_t port = 0;
    char *error = NULL;
    assert_int_equal(pipe(report), 0);
    assert_int_equal(pipe(go), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(go[1]);
        end_first_thread(report[1], go[0]);
    }
    assert_int_equal(read(report[0], &port, sizeof(port)), sizeof(port));
    port = ntohs(port);
    while (!process_ending(pid))
        assert_false(process_gone(pid)); /* ends: the first thread ends before the second */
    assert_int_equal(engine_check_port("127.0.0.1", port, "node2", "nodes[1].amqp", &error), ERR_BUSY);
    free(error);
    close(go[1]);
    assert_int_equal(process_wait_gone(pid, 5000), 0);
    assert_false(process_ending(pid));
    assert_int_equal(engine_check_port("127.0.0.1", port, "node2", "nodes[1].amqp", &error), 0);
    close(go[0]);
    close(report[0]);
    close(report[1]);
}

static void a_program_that_is_not_there_is_an_error_at_once(void **state)
{
    (void)state;
    const char *argv[] = {"/nonexistent/program", NULL};
    struct process_spec spec = {.argv = argv, .log = "/dev/null"};
    pid_t pid = 0;
    assert_int_equal(process_start(&spec, &pid), -ENOENT);
    assert_int_equal(pid, 0);
}

static void pid_files_hold_one_number(void **state)
{
    (void)state;
    char *file = temporary_file("pid", "");
    assert_non_null(file);
    assert_int_equal(process_read_pid(file), 0); /* empty */
    assert_int_equal(process_write_pid(file, 4711), 0);
    assert_int_equal(process_read_pid(file), 4711);
    static const char *const wrong[] = {"x", "-5", "0", "1", "99999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        FILE *f = fopen(file, "w");
        fputs(wrong[i], f);
        fclose(f);
        assert_int_equal(process_read_pid(file), 0);
    }
    unlink(file);
    assert_int_equal(process_read_pid(file), 0);
    free(file);
}

static void a_taken_port_names_port_and_key(void **state)
{
    (void)state;
    char *error = NULL;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    uint16_t port = ntohs(address.sin_port);
    assert_int_equal(engine_check_port("127.0.0.1", port, "node2", "nodes[1].amqp", &error), ERR_BUSY);
    char *expected = format_text("node2: port %u is taken by another program (key nodes[1].amqp): end that "
                                 "one, or choose another port; an outgoing connection may hold it for a "
                                 "minute: then run the same again",
                                 port);
    assert_string_equal(error, expected);
    free(expected);
    free(error);
    close(fd);
    assert_int_equal(engine_check_port("127.0.0.1", port, "node2", "nodes[1].amqp", &error),
                     0); /* free again */
    assert_int_equal(engine_check_port("198.51.100.1", 5672, "node1", "nodes[0].amqp", &error), ERR_INVALID);
    assert_string_equal(error,
                        "node1: cannot listen on 198.51.100.1 port 5672 (nodes[0].amqp): Cannot assign "
                        "requested address");
    free(error);
}

static void add_line(const struct labdir *lab, const char *line)
{
    char log[PATH_MAX];
    engine_node_path(lab, 0, "log.txt", log);
    FILE *f = fopen(log, "a");
    assert_non_null(f);
    fprintf(f, "2026-11-29 00:05:24.504872+00:00 [info] <0.1324.0> %s\n", line);
    fclose(f);
}

/* RabbitMQ's lines, as a node of 3.10.8 wrote them. That a replayed schedule goes by them: last-to-stop.sched
 * on RabbitMQ (make test-schedules), whose rabbitmqctl start_app says nothing while it waits. */
static void a_node_s_log_says_whether_it_waits(void **state)
{
    (void)state;
    struct labdir lab;
    char file[PATH_MAX];
    labdir_defaults(&lab, ENGINE_RABBITMQ, 1);
    assert_true(temporary_folder_in(lab.path, sizeof(lab.path), "process"));
    engine_node_path(&lab, 0, NULL, file);
    assert_int_equal(mkdir(file, 0700), 0);
    assert_int_equal(engine_log_end(&lab, 0), 0);
    assert_false(engine_log_waits(&lab, 0, 0));
    add_line(&lab, "Waiting for Mnesia tables for 30000 ms, 9 retries left");
    assert_true(engine_log_waits(&lab, 0, 0));
    off_t end = engine_log_end(&lab, 0);
    assert_false(engine_log_waits(&lab, 0, end)); /* that was an earlier life */
    add_line(&lab, "Successfully synced tables from a peer");
    assert_false(engine_log_waits(&lab, 0, 0));
    add_line(&lab, "Waiting for Mnesia tables for 30000 ms, 8 retries left");
    assert_true(engine_log_waits(&lab, 0, end));
    engine_node_path(&lab, 0, "log.txt", file);
    unlink(file);
    engine_node_path(&lab, 0, NULL, file);
    rmdir(file);
    assert_int_equal(rmdir(lab.path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_belongs_to_its_owner_alone),
        cmocka_unit_test(waiting_for_one_that_stays_ends),
        cmocka_unit_test(one_that_is_frozen_does_nothing_any_more),
        cmocka_unit_test(a_process_is_gone_when_its_last_thread_is),
        cmocka_unit_test(a_program_that_is_not_there_is_an_error_at_once),
        cmocka_unit_test(pid_files_hold_one_number),
        cmocka_unit_test(a_taken_port_names_port_and_key),
        cmocka_unit_test(a_node_s_log_says_whether_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

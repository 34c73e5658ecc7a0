/* test_recording.c: a real lab, played on the screen by a script and recorded: each frame that was seen is
 * drawn again from the recording, the same to the last character; a recording that a crash cut off shows all
 * but its last line. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/cluster/support.h"

#define TEST_FD 9

struct stage {
    struct lab lab;
    char script[PATH_MAX + 32], recording[PATH_MAX + 32], frames[PATH_MAX + 32], again[PATH_MAX + 32];
};

static const char script[] = "until LIVE\n"
                             "until Press n\n"
                             "key n\n"
                             "until [x] 1\n"
                             "key Space\n"
                             "until PAUSED\n"
                             "key [\n"
                             "key s\n"
                             "until the screen is paused; Space goes back to the lab\n"
                             "key Space\n"
                             "until LIVE\n"
                             "key n\n"
                             "until [x] 2\n"
                             "key n\n" /* looked at */
                             "until [x] 3\n"
                             "key A\n"
                             "until you say a\n"
                             "name stopped\n"
                             "key 2\n"
                             "key 3\n"
                             "key 4\n"
                             "key ?\n"
                             "key Esc\n"
                             "key 1\n"
                             "key right\n"
                             "key n\n"
                             "until [x] 4\n"
                             "until You said a: the message. It was c: an error.\n"
                             "key n\n"
                             "until [x] 5\n"
                             "key n\n"
                             "until All 6 steps\n"
                             "quit\n";

static int begin(void **state)
{
    struct stage *s = xcalloc(1, sizeof(*s));
    *state = s;
    if (!lab_init(&s->lab, 3))
        return -1;
    s->lab.up = true;
    snprintf(s->script, sizeof(s->script), "%s.script", s->lab.dir);
    snprintf(s->recording, sizeof(s->recording), "%s.ndjson", s->lab.dir);
    snprintf(s->frames, sizeof(s->frames), "%s.frames", s->lab.dir);
    snprintf(s->again, sizeof(s->again), "%s.again", s->lab.dir);
    FILE *f = fopen(s->script, "we");
    fputs(script, f);
    return fclose(f);
}

static int end(void **state)
{
    struct stage *s = *state;
    bool down = lab_finish(&s->lab);
    const char *files[] = {s->script, s->recording, s->frames, s->again};
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        unlink(files[i]);
    free(s);
    return down ? 0 : -1;
}

/* Runs lab with these words; its stdout (and, at TEST_FD, its frames) into files. The exit code, or -signal.
 */
static int run_lab(struct stage *s, const char *out, const char *frames, const char *const *words)
{
    char program[PATH_MAX + 8];
    const char *argv[32] = {program};
    snprintf(program, sizeof(program), "%s/lab", s->lab.bin);
    for (size_t i = 0; words[i] && i + 2 < ARRAY_LEN(argv); i++)
        argv[i + 1] = words[i];
    pid_t pid = fork();
    if (pid == 0) {
        int in = open("/dev/null", O_RDONLY), to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int at = frames ? open(frames, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
        setenv("TZ", "UTC", 1);
        if (in < 0 || to < 0 || dup2(in, 0) < 0 || dup2(to, 1) < 0 || (at >= 0 && dup2(at, TEST_FD) < 0))
            _exit(126);
        execv(program, (char *const *)argv);
        _exit(127);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
#define RUN_LAB(s, out, frames, ...) run_lab(s, out, frames, (const char *const[]){__VA_ARGS__, NULL})

static char *whole(const char *file)
{
    FILE *f = fopen(file, "re");
    struct text t = {0};
    char part[4096];
    text_add(&t, "");
    for (size_t got; f && (got = fread(part, 1, sizeof(part), f)) > 0;)
        text_add_bytes(&t, part, got);
    if (f)
        fclose(f);
    return t.s;
}

static void a_real_session_is_seen_again(void **state)
{
    struct stage *s = *state;
    char ports[64], fd[8];
    snprintf(ports, sizeof(ports), "%u,%u,%u", s->lab.amqp, s->lab.http, s->lab.peer);
    snprintf(fd, sizeof(fd), "%d", TEST_FD);
    int code = RUN_LAB(s, s->again, s->frames, "2", "--dir", s->lab.dir, "--ports", ports, "--plain",
                       "--script", s->script, "--record", s->recording, "--test-fd", fd);
    if (code)
        fail_msg("lab 2: exit code %d; it printed\n%s", code, whole(s->again));

    /* every frame that was seen while the screen was LIVE, in order */
    code = RUN_LAB(s, s->again, NULL, "frames", "--verify", s->recording);
    assert_int_equal(code, 0);
    char *seen = whole(s->frames), *again = whole(s->again);
    size_t same = 0, paused = 0;
    char *left = seen;
    for (char *line = again, *next; *line; line = next) {
        next = strchr(line, '\n') + 1;
        char hash[17];
        assert_int_equal(sscanf(line, "frame %*u %16s", hash), 1);
        char *at = strstr(left, hash);
        if (!at)
            fail_msg("this frame was not seen, or not in this order: %.*s", (int)(next - line), line);
        for (char *skipped = left; skipped < at && (skipped = strchr(skipped, '\n')) && skipped < at;
             skipped++)
            paused++;
        left = strchr(at, '\n') + 1;
        same++;
    }
    print_message("  %zu frames of a real session drawn again, %zu that were of a paused screen\n", same,
                  paused);
    assert_true(same > 20);
    assert_true(paused >= 2 && paused < same / 2);
    free(seen);
    free(again);
}

/* As after a crash: the file ends in the middle of a line. */
static void a_crash_costs_one_line(void **state)
{
    struct stage *s = *state;
    char *text = whole(s->recording);
    size_t len = strlen(text);
    assert_true(len > 1000);
    assert_int_equal(truncate(s->recording, (off_t)len - 20), 0);
    assert_int_equal(RUN_LAB(s, s->again, NULL, "frames", s->recording, "--name", "stopped"), 0);
    char *frame = whole(s->again);
    assert_non_null(strstr(frame, "node1 NOT RUNNING"));
    assert_non_null(strstr(frame, "hello           STOPPED       ?     ?  !  .  ."));
    free(frame);
    free(text);
}

struct growing {
    const char *file;
    size_t lines;
};

static bool has_lines(void *arg)
{
    const struct growing *g = arg;
    char *text = whole(g->file);
    size_t lines = 0;
    for (const char *c = text; (c = strchr(c, '\n')); c++)
        lines++;
    free(text);
    return lines >= g->lines;
}

/* kill -9 of the screen itself: what it had seen is in the file. */
static void a_killed_screen_leaves_its_recording(void **state)
{
    struct stage *s = *state;
    char program[PATH_MAX + 8];
    snprintf(program, sizeof(program), "%s/lab", s->lab.bin);
    unlink(s->recording);
    int keys[2]; /* none come, but they might */
    assert_int_equal(pipe(keys), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int to = open("/dev/null", O_RDWR);
        if (to < 0 || dup2(keys[0], 0) < 0 || close(keys[1]) || dup2(to, 1) < 0)
            _exit(126);
        execl(program, program, "--dir", s->lab.dir, "--plain", "--record", s->recording, (char *)NULL);
        _exit(127);
    }
    struct growing g = {s->recording, 6};
    close(keys[0]);
    bool grew = wait_until(has_lines, &g, 20000);
    kill(pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(keys[1]);
    assert_true(grew);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(RUN_LAB(s, s->again, NULL, "frames", s->recording), 0);
    char *frame = whole(s->again);
    assert_non_null(strstr(frame, "lab 3/3 LIVE"));
    free(frame);
}

/* A recording of lesson 2 is replayed by keys; the one that would stop a node stops none: node1's process and
 * its app are as they were. */
static void a_replay_stops_no_node(void **state)
{
    struct stage *s = *state;
    FILE *f = fopen(s->script, "we");
    fputs("until REPLAY\nkey s\nuntil this is a replay, not a lab\nkey K\nuntil K does nothing here\n"
          "key n\nuntil n does nothing here\nkey ]\nkey }\nquit\n",
          f);
    fclose(f);
    assert_int_equal(RUN_LAB(s, s->again, NULL, "replay", s->recording, "--dir", s->lab.dir, "--plain",
                             "--script", s->script, "--clock", "fake"),
                     0);
    int code = RUN_LAB(s, s->again, NULL, "status", "--dir", s->lab.dir);
    char *frame = whole(s->again);
    assert_int_equal(code, 0);
    assert_non_null(strstr(frame, "lab 3/3 LIVE"));
    free(frame);
    /* and the same key on the lab does */
    f = fopen(s->script, "we");
    fputs("until LIVE\nkey s\nuntil node1 NOT RUNNING\nquit\n", f);
    fclose(f);
    assert_int_equal(RUN_LAB(s, s->again, NULL, "--dir", s->lab.dir, "--plain", "--script", s->script), 0);
}

/* Without keys, and with no more of them, a screen in plain text is a look or two, and ends. */
static void where_no_key_comes_the_lab_is_looked_at_and_left(void **state)
{
    struct stage *s = *state;
    assert_int_equal(RUN_LAB(s, s->again, NULL, "--dir", s->lab.dir, "--plain"), 0);
    char *frames = whole(s->again);
    assert_non_null(strstr(frames, " LIVE "));
    free(frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_session_is_seen_again),
        cmocka_unit_test(a_crash_costs_one_line),
        cmocka_unit_test(a_killed_screen_leaves_its_recording),
        cmocka_unit_test(a_replay_stops_no_node),
        cmocka_unit_test(where_no_key_comes_the_lab_is_looked_at_and_left),
    };
    return cmocka_run_group_tests_name("screen/recording", tests, begin, end);
}

/* act_kit.c: what a teacher does at the screen, end to end: `lab` in tmux on real nodes. Keys and typed
 * commands change the cluster, the cluster's own words on the screen are what is waited for, a million
 * messages say how far they are, what was run is copied into tmux's buffer. And Ctrl-C while nodes start
 * leaves none behind.
 *
 * What is waited for is what tmux shows, and it is asked for that again and again: --test-fd says that lab
 * has written a frame, which tmux may not have read yet, and after the last one nothing more would be said.
 * (The tests in a terminal of their own, tests/screen/terminal.h, read it themselves, and wait for that.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cluster/support.h"

#define SOON    30000
#define MILLION 300000 /* where others want the cores, too, a million messages take their time */

struct act {
    struct lab lab;
    char socket[64]; /* tmux's */
    char on[32];     /* the screen that is looked at, and gets the keys: tmux's session */
    struct text screen, out;
};

static bool tmux(struct act *a, struct text *out, const char *const *words)
{
    const char *argv[24] = {"tmux", "-L", a->socket, "-f", "/dev/null"};
    size_t len = 5;
    for (; *words && len + 1 < 24; words++)
        argv[len++] = *words;
    return run_program(out, 10000, argv) == 0;
}
#define TMUX(a, ...) tmux((a), &(a)->out, (const char *const[]){__VA_ARGS__, NULL})

/* exactly it, and not a window of that name in another one */
static void turn_to(struct act *a, const char *session)
{
    snprintf(a->on, sizeof(a->on), "=%s:", session);
}

static void keys(struct act *a, const char *text)
{
    assert_true(TMUX(a, "send-keys", "-t", a->on, "-l", text));
}

static void key(struct act *a, const char *name)
{
    assert_true(TMUX(a, "send-keys", "-t", a->on, name));
}

static bool look(struct act *a)
{
    return tmux(a, &a->screen, (const char *const[]){"capture-pane", "-p", "-t", a->on, NULL});
}

struct part {
    struct act *a;
    const char *text;
    bool there;
};

static bool is_seen(void *arg)
{
    struct part *p = arg;
    return look(p->a) && (strstr(text_str(&p->a->screen), p->text) != NULL) == p->there;
}

static void seen_within(struct act *a, const char *text, int ms)
{
    if (!wait_until(is_seen, &(struct part){a, text, true}, ms))
        fail_msg("not on the screen: %s\n%s", text, text_str(&a->screen));
}

static void seen(struct act *a, const char *text)
{
    seen_within(a, text, SOON);
}

static void gone(struct act *a, const char *text)
{
    if (!wait_until(is_seen, &(struct part){a, text, false}, SOON))
        fail_msg("still on the screen: %s\n%s", text, text_str(&a->screen));
}

static int begin(void **state)
{
    struct act *a = xcalloc(1, sizeof(*a));
    *state = a;
    turn_to(a, "lab");
    snprintf(a->socket, sizeof(a->socket), "mirrorlab-test-%ld", (long)getpid());
    return lab_init(&a->lab, 3) ? 0 : -1;
}

static int end(void **state)
{
    struct act *a = *state;
    TMUX(a, "kill-server");
    bool down = lab_finish(&a->lab);
    text_finish(&a->screen);
    text_finish(&a->out);
    free(a);
    return down ? 0 : -1;
}

/* `lab WORDS` on the nodes that run, in a session of this name, which is looked at from now on */
static void open_beside(struct act *a, const char *on, const char *words)
{
    char *command = format_text("LC_ALL=C.UTF-8 %s/lab --dir %s %s", a->lab.bin, a->lab.dir, words);
    assert_true(TMUX(a, "new-session", "-d", "-s", on, "-x", "100", "-y", "30", command));
    free(command);
    turn_to(a, on);
    seen(a, "lab 3/3 LIVE");
}

static void open_screen(struct act *a, const char *lesson)
{
    struct text out = {0};
    if (!lab_up(&a->lab, "kit", NULL, &out))
        fail_msg("lab up: %s", text_str(&out));
    text_finish(&out);
    open_beside(a, "lab", lesson);
}

static bool copied(void *arg)
{
    struct act *a = arg;
    return TMUX(a, "show-buffer") && strstr(text_str(&a->out), "stop_app") != NULL;
}

static bool left(void *arg)
{
    return !look(arg); /* the only session is over, and tmux with it */
}

static void everything_that_acts(void **state)
{
    struct act *a = *state;
    open_screen(a, "7");
    seen(a, ">[ ] 1 ");
    keys(a, "n");
    seen(a, ">[ ] 2 ");
    seen(a, "exit 0"); /* a step may be seen before its program has ended; the next waits for that */
    keys(a, "n");
    seen(a, ">[ ] 3 ");
    keys(a, "n");
    seen(a, ">[ ] 4 ");

    keys(a, "p"); /* a million messages, and the screen goes on */
    seen(a, "count");
    key(a, "C-u");
    keys(a, "1000000");
    key(a, "Enter");
    seen(a, "of 1000000 (");
    seen(a, " s left");
    keys(a, "2");
    seen(a, "Events (newest last)");
    keys(a, "1");

    keys(a, ":purge_q"); /* completed, asked, done */
    key(a, "Tab");
    seen(a, ":purge_queue ");
    keys(a, "m");
    key(a, "Tab");
    seen(a, ":purge_queue mirrior_hello");
    key(a, "Enter");
    seen(a, "[ Cancel ]");
    key(a, "Enter");
    gone(a, "[ Cancel ]");

    seen_within(a, "published 1000000 message(s)", MILLION);
    keys(a, ":list_queues name messages policy");
    key(a, "Enter");
    seen(a, "Esc closes");
    seen(a, "mirrior_hello  1000001   mirrior");
    key(a, "Escape");
    gone(a, "Esc closes");

    keys(a, ":set_policy --priorty 1 a b c"); /* the error is labctl's own */
    key(a, "Enter");
    seen(a, "Invalid options for this command");
    key(a, "Escape");
    seen(a, "exit 64");

    keys(a, "llx"); /* node3 alone; then not */
    seen(a, "cut off from node1,node2");
    seen(a, "PARTITIONED");
    keys(a, "x");
    seen(a, "heal node3");
    gone(a, "cut off from");
    keys(a, "hhs");
    seen(a, "stop_app");
    seen(a, "exit 0");
    seen(a, "node1 NOT RUNNING");
    keys(a, "y");
    seen(a, "copied: ");
    assert_true(wait_until(copied, a, SOON));

    char *pasted = xstrndup(text_str(&a->out), strcspn(text_str(&a->out), "\n"));
    assert_non_null(strstr(pasted, a->lab.dir));
    keys(a, "a");
    gone(a, "node1 NOT RUNNING");
    assert_int_equal(RUN(&a->out, "/bin/sh", "-c", pasted), 0); /* labctl need not be in the PATH */
    seen(a, "node1 NOT RUNNING");
    free(pasted);

    keys(a, "q");
    assert_true(wait_until(left, a, SOON));
}

/* N: the next lesson finds its nodes up, however this one left them, and nothing of an earlier run of it. */
static void the_next_lesson_begins_on_nodes_that_run(void **state)
{
    struct act *a = *state;
    open_screen(a, "6");
    keys(a, "s"); /* node1 in order */
    seen(a, "node1 NOT RUNNING");
    keys(a, "lK"); /* node2 by force */
    seen(a, "[ Cancel ]");
    keys(a, "y");
    seen(a, "lab 1/3 LIVE");
    assert_false(lab_alive(&a->lab, 2));
    keys(a, "N");
    seen(a, "(go on to lesson 7)");
    key(a, "Enter"); /* Cancel */
    gone(a, "(go on to lesson 7)");
    seen(a, "Lesson 6");
    assert_false(lab_alive(&a->lab, 2));
    keys(a, "N");
    seen(a, "(go on to lesson 7)");
    keys(a, "y");
    seen(a, "Lesson 7");
    seen(a, "lab 3/3 LIVE");
    assert_true(lab_alive(&a->lab, 2));
    keys(a, "n"); /* and it can be played */
    seen(a, ">[ ] 2 ");
    keys(a, "q");
    assert_true(wait_until(left, a, SOON));
}

static void agrees_to(struct act *a, const char *asked, const char *key_of_it)
{
    keys(a, key_of_it);
    seen(a, asked);
    keys(a, "y");
    gone(a, "[ Cancel ]");
}

/* B and L promise a lab that is ready: they mend what was cut, whatever the two sides did meanwhile, and say
 * so where that would take what is none of the lesson's. */
static void a_lesson_begins_in_a_partition(void **state)
{
    struct act *a = *state;
    open_screen(a, "7");
    for (unsigned i = 2; i <= 4; i++) {
        char *next = format_text(">[ ] %u ", i);
        keys(a, "n");
        seen(a, next);
        seen(a, "exit 0");
        free(next);
    }
    keys(a, "x");
    seen(a, "cut off from node2,node3");
    seen(a, "PARTITIONED");
    agrees_to(a, "(begin lesson 7 again)", "B");
    seen(a, "ready: every node runs");
    gone(a, "PARTITIONED");
    seen(a, ">[ ] 1 ");

    keys(a, "s"); /* a node that would wait for those it cannot reach */
    seen(a, "node1 NOT RUNNING");
    keys(a, "x");
    seen(a, "links were cut");
    agrees_to(a, "(go back to lesson 6)", "L");
    seen(a, "Lesson 6");
    seen(a, "lab 3/3 LIVE");
    seen(a, "node1 UP");

    assert_int_equal(LABCTL(&a->lab, &a->out, "cut", "node1"), 0); /* from elsewhere */
    seen(a, "PARTITIONED");
    assert_int_equal(http_ask(a->lab.http, "PUT", "/api/queues/%2F/kept", "{\"durable\":true}", SOON, NULL),
                     201);
    agrees_to(a, "(go on to lesson 7)", "N");
    seen(a, "its kept is none of the lesson's queues"); /* it is not taken: the lesson stays */
    seen(a, "Lesson 6");
    keys(a, "q");
    assert_true(wait_until(left, a, SOON));
}

/* one screen shows this, and so does the other */
static void both_show(struct act *a, const char *text)
{
    turn_to(a, "lab");
    seen(a, text);
    turn_to(a, "projector");
    seen(a, text);
    turn_to(a, "lab");
}

/* A read-only screen shows what the one that acts has seen of its lesson, and that alone: what was looked at,
 * the answer, one that begins again, another one. */
static void a_projector_shows_the_steps_of_the_screen_that_acts(void **state)
{
    struct act *a = *state;
    open_screen(a, "7");
    open_beside(a, "projector", "--readonly");
    both_show(a, ">[ ] 1 ");
    for (unsigned i = 2; i <= 4; i++) {
        char *next = format_text(">[ ] %u ", i);
        keys(a, "n");
        both_show(a, next);
        seen(a, "exit 0");
        free(next);
    }
    keys(a, "bn");
    both_show(a, ">[ ] 5 ");
    seen(a, "exit 0");
    keys(a, "n"); /* the learner has looked */
    both_show(a, ">[ ] 6 ");
    both_show(a, "You said b, and so it was");
    keys(a, "n");
    both_show(a, ">[ ] 7 ");
    seen(a, "exit 0");
    keys(a, "n");
    both_show(a, " 7/7 ");
    both_show(a, "hello: 1 message is lost: its only copy was on node1, in memory alone.");
    seen(a, "exit 0");

    agrees_to(a, "(begin lesson 7 again)", "B");
    both_show(a, ">[ ] 1 ");
    seen(a, "ready: every node runs");
    agrees_to(a, "(go back to lesson 6)", "L");
    both_show(a, "Lesson 6");
    both_show(a, "lab 3/3 LIVE");
    keys(a, "n");
    both_show(a, ">[ ] 2 ");

    open_beside(a, "named", "7 --readonly"); /* that lesson, whatever is open elsewhere */
    seen(a, "Lesson 7");
    char *file = format_text("%s/lesson", a->lab.dir);
    assert_int_equal(RUN(&a->out, "/bin/cat", file), 0);
    assert_string_equal(text_str(&a->out), "6\n"); /* where lab goes on: who only looks changes nothing */
    free(file);
    turn_to(a, "lab");
    agrees_to(a, "(go on to lesson 7)", "N");
    both_show(a, "Lesson 7");
    seen(a, "lab 3/3 LIVE");
    keys(a, "n");
    both_show(a, ">[ ] 2 ");
    turn_to(a, "named");
    seen(a, ">[ ] 2 ");
    turn_to(a, "lab");
    keys(a, "q");
    assert_true(wait_until(left, a, SOON));
}

/* ---- Ctrl-C
 * ------------------------------------------------------------------------------------------------------- */

/* Starts the program in a process group of its own, waits until it prints the part, sends SIGINT; its exit
 * code. */
static int interrupted_at(struct act *a, const char *const *argv, const char *part)
{
    int out[2];
    char data[4096];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0); /* or nodes that stay up would hold its end open */
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        dup2(out[1], STDOUT_FILENO);
        dup2(out[1], STDERR_FILENO);
        close(out[0]);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(out[1]);
    text_clear(&a->out);
    bool sent = false;
    for (ssize_t got; (got = read(out[0], data, sizeof(data))) > 0;) {
        text_add_bytes(&a->out, data, (size_t)got);
        if (!sent && strstr(text_str(&a->out), part))
            sent = kill(pid, SIGINT) == 0;
    }
    close(out[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    if (!sent)
        fail_msg("never printed: %s\n%s", part, text_str(&a->out));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void nothing_runs(struct act *a)
{
    for (unsigned i = 1; i <= 3; i++)
        if (lab_alive(&a->lab, i))
            fail_msg("node%u still runs\n%s", i, text_str(&a->out));
}

static void an_interrupted_run_leaves_nothing_running(void **state)
{
    struct act *a = *state;
    char *lab = format_text("%s/lab", a->lab.bin);
    char *ports = format_text("%u,%u,%u", a->lab.amqp, a->lab.http, a->lab.peer);
    const char *run[] = {lab, "--dir", a->lab.dir, "run", "7", "--headless", "--ports", ports, NULL};
    assert_int_equal(interrupted_at(a, run, "node3 serves"), 130); /* before a step */
    nothing_runs(a);
    assert_int_equal(interrupted_at(a, run, "2/7 "), 130); /* in the midst of them */
    assert_non_null(strstr(text_str(&a->out), "interrupted at step 2 of 7"));
    nothing_runs(a);
    const char *up[] = {lab, "--dir", a->lab.dir, "up", "--fresh", "--ports", ports, NULL};
    int code =
        interrupted_at(a, up, "node1 serves"); /* by then the others may serve too: the start is over */
    if (code == 130)
        nothing_runs(a);
    else
        assert_int_equal(code, 0); /* the lab is up, and it said so */
    if (code == 130)
        assert_non_null(strstr(text_str(&a->out), "interrupted"));
    a->lab.up = true; /* the teardown stops what a late interrupt left, as its user asked for it */
    free(lab);
    free(ports);
}

/* Somebody starts the lab of an open screen on other ports: the screen says so, and is right. */
static void a_lab_that_moves_to_other_ports(void **state)
{
    struct act *a = *state;
    struct lab *lab = &a->lab;
    open_screen(a, "2");
    char *program = format_text("%s/lab", lab->bin);
    assert_int_equal(RUN(&a->out, program, "down", "--dir", lab->dir), 0);
    seen(a, "STALE");
    seen(a, "No node answers");
    uint16_t amqp = lab->amqp; /* the same ones, for other uses: they are free */
    lab->amqp = lab->http;
    lab->http = lab->peer;
    lab->peer = amqp;
    if (!lab_up(lab, "kit", NULL, &a->out))
        fail_msg("lab up: %s", text_str(&a->out));
    char *says =
        format_text("The lab runs on other ports now (AMQP %u): q, then call lab as before.", lab->amqp);
    seen(a, says);
    gone(a, "No node answers");
    free(says);
    free(program);
}

/* Ctrl-C ends what B began, and nothing that is run after it. */
static void beginning_again_is_interrupted(void **state)
{
    struct act *a = *state;
    open_screen(a, "7");
    pid_t frozen = lab_pid(&a->lab, 3);
    assert_true(frozen > 0 && kill(frozen, SIGSTOP) == 0);
    keys(a, "B");
    seen(a, "(begin lesson 7 again)");
    keys(a, "y");
    seen(a, "running...");
    key(a, "C-c");
    seen(a, "exit 130");
    assert_int_equal(kill(frozen, SIGCONT), 0);
    keys(a, ":version");
    key(a, "Enter");
    seen(a, "labctl -n node1 version");
    seen(a, "exit 0");
    keys(a, "q");
    assert_true(wait_until(left, a, SOON));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(everything_that_acts),
                                       TEST(the_next_lesson_begins_on_nodes_that_run),
                                       TEST(a_lesson_begins_in_a_partition),
                                       TEST(a_projector_shows_the_steps_of_the_screen_that_acts),
                                       TEST(beginning_again_is_interrupted),
                                       TEST(a_lab_that_moves_to_other_ports),
                                       TEST(an_interrupted_run_leaves_nothing_running)};
    return cmocka_run_group_tests_name("screen/act_kit", tests, NULL, NULL);
}

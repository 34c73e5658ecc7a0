/* walk_lesson.c: a newcomer's way: `lab 7` in a terminal, which starts the nodes, then n until every box is
 * ticked; then lesson 2 on the same nodes, begun anew with B. With the kit also lesson 1 on one node, with N
 * on to lesson 2 and its three, and lessons 3 and 6. Real processes, the real programs; what is waited for is
 * what can be seen, and no box is ticked before what proves it was done.
 *
 *     build/tests/screen/walk_kit        build/tests/screen/walk_rabbitmq       (the engine is in the name,
 * or is an argument: walk_kit rabbitmq) */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/cluster/support.h"
#include "tests/screen/terminal.h"

/* A lesson's step on RabbitMQ takes up to half a minute; its nodes take that to start. */
#define START_MS 120000
#define STEP_MS  90000

static const char *engine = "kit";

struct walk {
    struct lab lab;
    struct event_base *base;
    struct terminal_test *t;
    int lesson;
};

static int run_lab(void *arg)
{
    struct walk *w = arg;
    char program[PATH_MAX + 8], ports[64], lesson[8], fd[8];
    snprintf(program, sizeof(program), "%s/lab", w->lab.bin);
    snprintf(ports, sizeof(ports), "%u,%u,%u", w->lab.amqp, w->lab.http, w->lab.peer);
    snprintf(lesson, sizeof(lesson), "%d", w->lesson);
    snprintf(fd, sizeof(fd), "%d", TEST_FD);
    execl(program, program, lesson, "--dir", w->lab.dir, "--engine", engine, "--ports", ports, "--test-fd",
          fd, (char *)NULL);
    perror(program);
    return 127;
}

static void assert_seen(struct walk *w, const char *part, int timeout_ms)
{
    if (!terminal_wait_text(w->t, part, timeout_ms))
        fail_msg("not on the screen within %d s: %s\n%s\n%s", timeout_ms / 1000, part, terminal_text(w->t),
                 terminal_stderr(w->t));
}

/* How many of the lesson's steps are proved, as its title says: " 3/7 ", or " 3/7, +2 below ". */
static int proved(struct walk *w, int steps)
{
    char part[32];
    for (int i = steps; i >= 0; i--) {
        snprintf(part, sizeof(part), " %d/%d", i, steps);
        const char *at = strstr(terminal_text(w->t), part);
        if (at && strchr(" ,", at[strlen(part)]))
            return i;
    }
    return -1;
}

struct progress {
    struct walk *w;
    int steps, wanted;
};

static bool is_proved(struct terminal_test *t, void *arg)
{
    const struct progress *p = arg;
    (void)t;
    return proved(p->w, p->steps) == p->wanted; /* and not beyond: each waits for an n of its own */
}

/* Its question has no answer: n says so once before it runs the step. */
static bool asks_first(const struct walk *w)
{
    return strstr(terminal_text(w->t), "answers it; n once more");
}

static bool is_proved_or_asks(struct terminal_test *t, void *arg)
{
    const struct progress *p = arg;
    return asks_first(p->w) || is_proved(t, arg);
}

/* Nothing was done for it yet, and nothing proves it. */
static void assert_open(struct walk *w, int steps, int step)
{
    char box[24];
    snprintf(box, sizeof(box), ">[ ] %d ", step);
    assert_seen(w, box, STEP_MS);
    if (proved(w, steps) != step - 1)
        fail_msg("step %d of lesson %d is ticked though nothing was done:\n%s", step, w->lesson,
                 terminal_text(w->t));
}

/* What was seen at a step stands beside its title, to its end: once the frame that ticks it is drawn whole.
 */
static bool is_whole(struct terminal_test *t, void *arg)
{
    char ticked[24];
    snprintf(ticked, sizeof(ticked), " [x] %d ", *(const int *)arg);
    const char *row = strstr(terminal_text(t), ticked), *end = row ? strchr(row, '\n') : NULL;
    if (!row) /* the ending has no room for all of them */
        return true;
    char *text = xstrndup(row, end ? (size_t)(end - row) : strlen(row));
    char *last = text + strlen(text);
    while (last > text && last[-1] == ' ')
        *--last = '\0';
    bool whole = strstr(text, " seen: ") && !strstr(text, "..");
    free(text);
    return whole;
}

static void assert_whole(struct walk *w, int step)
{
    if (!terminal_wait(w->t, is_whole, &step, STEP_MS))
        fail_msg("step %d of lesson %d, what was seen is cut off, or not beside it:\n%s", step, w->lesson,
                 terminal_text(w->t));
}

/* acts: for each step n: there is something to do, which n does; l: it is only looked at, and n says that it
 * was. Each is empty before, and then ticked by what the nodes report. */
static void walk(struct walk *w, const char *acts)
{
    char part[64];
    int steps = (int)strlen(acts);
    for (int i = 1; i <= steps; i++) {
        assert_open(w, steps, i);
        if (acts[i - 1] == 'l')
            assert_seen(w, "nothing to run: look, then n", STEP_MS);
        terminal_type(w->t, "n");
        struct progress to = {w, steps, i};
        if (terminal_wait(w->t, is_proved_or_asks, &to, STEP_MS) && asks_first(w))
            terminal_type(w->t, "n"); /* it is skipped only on purpose */
        int64_t from = terminal_now_us();
        if (!terminal_wait(w->t, is_proved, &to, STEP_MS))
            fail_msg("step %d is not ticked within %d s:\n%s", i, STEP_MS / 1000, terminal_text(w->t));
        for (int done = 1; done <= i; done++)
            assert_whole(w, done);
        print_message("  lesson %d, step %d ticked after %.1f s\n", w->lesson, i,
                      (double)(terminal_now_us() - from) / 1e6);
    }
    snprintf(part, sizeof(part), "All %d steps were seen", steps);
    assert_seen(w, part, STEP_MS);
}

static void quit(struct walk *w)
{
    terminal_type(w->t, "q");
    assert_true(terminal_wait_end(w->t, 10000));
    if (!strstr(terminal_text(w->t), "The nodes stay as they are"))
        fail_msg("the screen after q:\n%s", terminal_text(w->t));
    char *down = format_text(" down --dir %s` stops them", w->lab.dir);
    if (!strstr(terminal_text(w->t), down))
        fail_msg("not \"%s\" after q:\n%s", down, terminal_text(w->t));
    free(down);
    int code = terminal_end(w->t);
    w->t = NULL;
    assert_int_equal(code, 0);
}

static void lesson_7_to_seven_ticks(void **state)
{
    struct walk *w = *state;
    w->lesson = 7;
    w->t = terminal_start(w->base, 80, 24, run_lab, w);
    w->lab.up = true; /* from here on there is something to stop */
    assert_seen(w, "LIVE", START_MS);
    assert_seen(w, ">[ ] 1 ", 10000);
    assert_seen(w, "Press n", 10000);
    walk(w, "nnnnlnn");
    /* with only the screen: what was lost, why, and what kept the rest, by whom */
    assert_seen(w, "hello: 1 message is lost: its only copy was on node1, in memory alone.", STEP_MS);
    bool kit = strcmp(engine, "kit") == 0; /* RabbitMQ's nodes count late: not how many */
    const char *takers[] = {"node2", "node3"};
    char *kept[ARRAY_LEN(takers)];
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        kept[i] = format_text("mirrior_hello: %s took over from node1, in sync: %s kept, then consumed.",
                              takers[i], kit ? "1" : "all");
    if (!strstr(terminal_text(w->t), kept[0])) /* RabbitMQ chooses where the mirror is */
        assert_seen(w, kept[1], 1000);
    free(kept[0]);
    free(kept[1]);
    terminal_type(w->t, "3"); /* what became of it, as far as these nodes tell */
    if (strcmp(engine, "kit") == 0) {
        assert_seen(w, "VERDICT #1 KEPT  published 1  confirmed 0  delivered 1  redelivered 0", STEP_MS);
        assert_seen(w, "o--replicate-->*", 1000);
        assert_seen(w, "M promoted, 1 message", 1000);
    } else {
        assert_seen(w, "Messages of ", STEP_MS);
        assert_seen(w, "do not say what becomes of single messages", 1000);
    }
    quit(w);
}

/* On the nodes of the lesson before: B empties them. */
static void begin_anew(struct walk *w, int lesson)
{
    w->lesson = lesson;
    w->t = terminal_start(w->base, 80, 24, run_lab, w);
    assert_seen(w, "B makes it ready", START_MS);
    terminal_type(w->t, "B");
    assert_seen(w, "[ Cancel ]", 10000);
    terminal_type(w->t, "y");
    assert_seen(w, "ready: every node runs; cleared: ", START_MS);
    assert_seen(w, "lab 3/3 LIVE", STEP_MS);
}

static void lesson_2_to_six_ticks(void **state)
{
    struct walk *w = *state;
    begin_anew(w, 2);
    walk(w, "nnlnnl");
    assert_seen(w, "hello: 1 message is lost: its only copy was on node1, in memory alone.", STEP_MS);
    quit(w);
}

static void lesson_1_and_on_to_lesson_2(void **state)
{
    struct walk *w = *state;
    w->lesson = 1;
    w->t = terminal_start(w->base, 80, 24, run_lab, w);
    w->lab.up = true;
    assert_seen(w, "lab 1/1 LIVE", START_MS);
    walk(w, "nnnnln");
    assert_seen(w, "hello: 1 message is lost", STEP_MS);
    terminal_type(w->t, "2");
    assert_seen(w, "publish  hello: 1 published", STEP_MS);
    terminal_type(w->t, "1N");
    assert_seen(w, "(go on to lesson 2)", STEP_MS);
    terminal_type(w->t, "y");
    assert_seen(w, "lab 3/3 LIVE", START_MS);
    assert_seen(w, "- Lesson 2: ", STEP_MS);
    w->lesson = 2;
    assert_open(w, 6, 1);
    quit(w);
}

/* On the nodes of the lesson before, which left nothing that this one is about. */
static void go_on(struct walk *w, int lesson)
{
    w->lesson = lesson;
    w->t = terminal_start(w->base, 80, 24, run_lab, w);
    assert_seen(w, "lab 3/3 LIVE", START_MS);
}

static void lesson_3_to_five_ticks(void **state)
{
    struct walk *w = *state;
    go_on(w, 3);
    walk(w, "nnnnn");
    assert_seen(w, "hello: 1 message is lost: its only copy was on node1, in memory alone.", STEP_MS);
    assert_seen(w, "received: written in ink", STEP_MS); /* and not what was written in pencil */
    terminal_type(w->t, "4");
    assert_seen(w, "It was b: the persistent one.", STEP_MS); /* decided by what was read */
    assert_seen(w, "| connected to ", STEP_MS);
    quit(w);
}

static void lesson_6_to_five_ticks(void **state)
{
    struct walk *w = *state;
    go_on(w, 6);
    walk(w, "nnnln");
    assert_seen(w, "mirrior_hello   running       0     0  M", STEP_MS);
    assert_seen(w, " +1            mirrior", STEP_MS);
    assert_seen(w, "two nodes held it", STEP_MS); /* they hold none now */
    terminal_type(w->t, "2");
    assert_seen(w, "publish  mirrior_hello: 1 published, 1 confirmed", STEP_MS);
    quit(w);
}

static int begin(void **state)
{
    struct walk *w = xcalloc(1, sizeof(*w));
    w->base = event_base_new();
    *state = w;
    return lab_init(&w->lab, 3) ? 0 : -1;
}

static int end(void **state)
{
    struct walk *w = *state;
    if (w->t)
        terminal_end(w->t);
    bool down = lab_finish(&w->lab);
    event_base_free(w->base);
    free(w);
    return down ? 0 : -1;
}

static void not_installed(void **state)
{
    (void)state;
    print_message("rabbitmq-server is not installed here; make deps-rabbitmq installs it\n");
    skip();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest walks[] = {
        cmocka_unit_test(lesson_7_to_seven_ticks),
        cmocka_unit_test(lesson_2_to_six_ticks),
    };
    const struct CMUnitTest first[] = {
        cmocka_unit_test(lesson_1_and_on_to_lesson_2),
        cmocka_unit_test(lesson_3_to_five_ticks),
        cmocka_unit_test(lesson_6_to_five_ticks),
    };
    const struct CMUnitTest none[] = {cmocka_unit_test(not_installed)};
    signal(SIGPIPE, SIG_IGN);
    if (argc > 1 || strstr(argv[0], "rabbitmq"))
        engine = argc > 1 ? argv[1] : "rabbitmq";
    if (strcmp(engine, "rabbitmq") == 0 && access("/usr/sbin/rabbitmq-server", X_OK) != 0)
        return cmocka_run_group_tests_name("screen/walk (skipped)", none, NULL, NULL);
    int failed = cmocka_run_group_tests_name("screen/walk", walks, begin, end);
    if (strcmp(engine, "kit") == 0) /* the other needs minutes for the two above */
        failed += cmocka_run_group_tests_name("screen/walk, first lessons", first, begin, end);
    return failed;
}

/* lesson_run.c: `lab run N --headless`: plays a lesson's steps on a running lab, as somebody at the screen
 * would: does the action, looks until the facts are there, prints what was seen. One libevent loop over the
 * observer, the action's output and the step's time limit; nothing counts as proved but what lesson.c ticks.
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "lab/lesson_private.h"
#include "lab/observe.h"
#include "lab/private.h"

/* how often the nodes are asked: two looks make a tick, so a step takes at least this long */
#define LOOK_EVERY_MS 200

/* after a program's output has ended, its end is a matter of moments */
#define REAP_EVERY_MS 10

struct run {
    struct event_base *base;
    const struct labdir *lab;
    struct lesson *lesson;
    struct observer *observer;
    size_t step;
    int64_t step_began_ms;
    int fd, pid;    /* the action's, -1 and 0 if none runs */
    bool line_open; /* its output so far does not end a line */
    const char *(*translate)(const char *text);
    struct event *readable, *limit, *reap;
    int exit_code;
};

static void next_step(struct run *r);

/* to the standard output, in the language of whoever asked for the run */
static void __attribute__((format(printf, 2, 3))) say(const struct run *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(r->translate(format), args);
    va_end(args);
    fflush(stdout);
}

static void finish(struct run *r, int exit_code)
{
    r->exit_code = exit_code;
    event_base_loopbreak(r->base);
}

/* the action's output, indented under its command */
static void print_output(struct run *r, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!r->line_open)
            fputs("      ", stdout);
        putchar(data[i]);
        r->line_open = data[i] != '\n';
    }
    fflush(stdout);
}

static void end_line(struct run *r)
{
    if (r->line_open)
        putchar('\n');
    r->line_open = false;
}

static void give_up(struct run *r, const char *why)
{
    struct lesson_step *step = &r->lesson->steps[r->step];
    end_line(r);
    say(r, N_("  NOT PROVED: %s. What was seen of each fact:\n"), why);
    const struct snapshot *s = observer_latest(r->observer);
    if (s) {
        char *facts = lesson_explain(r->lesson, r->step, s, r->translate);
        for (char *line = strtok(facts, "\n"); line; line = strtok(NULL, "\n"))
            printf("    %s\n", line);
        free(facts);
    } else {
        say(r, N_("    nothing: no node answered\n"));
    }
    say(r, N_("\nstep %zu of %zu (%s) was not proved\n"), r->step + 1, r->lesson->steps_len,
        r->translate(step->title));
    finish(r, 1);
}

/* The step is over when its action has ended and its facts are ticked. */
static void advance(struct run *r)
{
    struct lesson_step *step = &r->lesson->steps[r->step];
    if (r->pid || step->state != STEP_SEEN)
        return;
    end_line(r);
    char *seen = fact_text(step->seen, r->translate);
    say(r, N_("  [x] seen: %s (%.1f s)\n"), seen, (double)(clock_now_ms() - r->step_began_ms) / 1000.0);
    free(seen);
    r->step++;
    next_step(r);
}

static void on_snapshot(void *arg, const struct snapshot *s)
{
    struct run *r = arg;
    if (r->step >= r->lesson->steps_len)
        return;
    lesson_observe(r->lesson, s);
    advance(r);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct run *r = arg;
    const struct step_proof *proof = r->lesson->steps[r->step].proof;
    char *why = format_text(r->translate(N_("not within %d s")), proof->timeout_s);
    give_up(r, why);
    free(why);
}

static void action_ended(struct run *r, int status)
{
    lesson_action_ended(r->lesson, r->step, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    r->pid = 0;
    observer_poke(r->observer);
    advance(r);
}

static void on_reap(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct run *r = arg;
    int status = 0;
    if (waitpid(r->pid, &status, WNOHANG) == r->pid) {
        action_ended(r, status);
        return;
    }
    struct timeval again = {.tv_usec = REAP_EVERY_MS * 1000};
    event_add(r->reap, &again);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct run *r = arg;
    char part[4096];
    ssize_t got = read(fd, part, sizeof(part));
    if (got > 0) {
        lesson_output(r->lesson, r->step, part, (size_t)got);
        print_output(r, part, (size_t)got);
        return;
    }
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    event_free(r->readable);
    r->readable = NULL;
    close(r->fd);
    r->fd = -1;
    on_reap(-1, 0, r);
}

/* Prints the step and starts its action; a step without one only looks. */
static void next_step(struct run *r)
{
    if (r->step == r->lesson->steps_len) {
        say(r, N_("\nall %zu steps proved\n"), r->lesson->steps_len);
        finish(r, 0);
        return;
    }
    struct lesson_step *step = &r->lesson->steps[r->step];
    const struct step_proof *proof = step->proof;
    say(r, "\n%zu/%zu %s\n", r->step + 1, r->lesson->steps_len, r->translate(step->title));
    r->step_began_ms = clock_now_ms();
    struct timeval limit = {.tv_sec = proof->timeout_s};
    event_add(r->limit, &limit);
    lesson_look(r->lesson, r->step); /* nobody has to say so here */
    if (!step->action)
        return;
    say(r, "  $ %s\n", step->action_text);
    lesson_begin_action(r->lesson, r->step);
    int err = engine_spawn(r->lab, (const char *const *)step->action, &r->fd, &r->pid);
    if (err) {
        char *why =
            format_text(r->translate(N_("%s cannot be run (%s); run make")), step->action[0], err_text(err));
        give_up(r, why);
        free(why);
        return;
    }
    r->readable = event_new(r->base, r->fd, EV_READ | EV_PERSIST, on_readable, r);
    event_add(r->readable, NULL);
}

static void end_action(struct run *r)
{
    if (r->readable)
        event_free(r->readable);
    if (r->fd >= 0)
        close(r->fd);
    if (r->pid) {
        kill(r->pid, SIGTERM);
        if (process_wait_gone(r->pid, 5000))
            kill(r->pid, SIGKILL);
    }
}

static void print_head(const struct run *r)
{
    const struct labdir *lab = r->lab;
    const struct lesson *l = r->lesson;
    say(r, N_("Lesson %d: %s\n%s\n"), l->number, r->translate(l->title), r->translate(l->aim));
    say(r, lab->nodes_len == 1 ? N_("lab: %zu %s node in %s\n") : N_("lab: %zu %s nodes in %s\n"),
        lab->nodes_len, lab->engine == ENGINE_KIT ? "kit" : "rabbitmq", lab->path);
}

static void on_interrupt(evutil_socket_t fd, short what, void *arg)
{
    struct run *r = arg;
    (void)what;
    end_line(r);
    say(r, N_("\ninterrupted at step %zu of %zu\n"), r->step + 1, r->lesson->steps_len);
    finish(r, 128 + (int)fd); /* for a signal's event, that is its number */
}

static void play(struct run *r)
{
    r->limit = event_new(r->base, -1, 0, on_limit, r);
    r->reap = event_new(r->base, -1, 0, on_reap, r);
    r->observer = observer_create(r->base, r->lab, LOOK_EVERY_MS, on_snapshot, r);
    next_step(r);
    event_base_dispatch(r->base);
    end_action(r);
    fflush(stdout);
    observer_destroy(r->observer);
    event_free(r->limit);
    event_free(r->reap);
}

int lesson_run_headless(struct labdir *lab, struct lesson *l, const volatile sig_atomic_t *caught,
                        const char *(*translate)(const char *text))
{
    char *error = NULL;
    struct run r = {
        .base = event_base_new(), .lab = lab, .lesson = l, .fd = -1, .exit_code = 1, .translate = translate};
    ASSERT(r.base);
    /* from the first moment: what comes while the lab is made ready is answered once the loop runs */
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct event *interrupts[ARRAY_LEN(signals)];
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        interrupts[i] = evsignal_new(r.base, signals[i], on_interrupt, &r);
        event_add(interrupts[i], NULL);
    }
    if (*caught) /* while the lab was started: raised again, for the handler that is there now */
        raise(*caught);
    print_head(&r);
    int err = lesson_clean(lab, l, NULL, &error);
    if (err)
        fprintf(stderr, translate(N_("the lab cannot be made ready for the lesson: %s\n")), error);
    else
        play(&r);
    free(error);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        event_free(interrupts[i]);
    event_base_free(r.base);
    return r.exit_code;
}

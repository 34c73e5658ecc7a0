/* run.c: the loop between keys, nodes and programs. It waits for all of them at once and for none of them
 * alone: a node that does not answer and a command that takes its time never hold up a key.
 *
 * Everything that can be seen goes through the model; a frame is drawn when it differs from the last one. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "lab/engine.h"
#include "lab/observe.h"
#include "model.h"
#include "replay.h"
#include "terminal.h"
#include "tui.h"
#include "view.h"

/* How often the nodes are asked. Two looks make a tick; RabbitMQ pays more for each look than the kit. */
#define LOOK_KIT_MS      250
#define LOOK_RABBITMQ_MS 400

enum { EXIT_NO_TERMINAL = 69, EXIT_CONFIG = 78 };
enum { PLAIN_WIDTH = 80, PLAIN_HEIGHT = 24 };

struct run {
    struct labdir *lab;
    const struct tui_options *opts;
    struct event_base *base;
    struct model model;
    struct canvas canvas;
    struct terminal *terminal; /* NULL: plain text */
    struct observer *observer; /* NULL: a replay */
    struct replay *replay;
    uint64_t shown; /* hash of the frame that can be seen */
    uint64_t frames;

    /* the command that runs */
    int fd, pid; /* -1, 0: none */
    struct event *readable;

    struct event *input, *tick, *child, *resized, *quit[3], *interrupt;
};

static ms_time monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (ms_time)t.tv_sec * 1000 + (ms_time)t.tv_nsec / 1000000;
}

/* ---- drawing
 * ---------------------------------------------------------------------------------------------------- */

static void show_plain(struct run *r)
{
    struct text frame = {0};
    canvas_to_text(&r->canvas, &frame);
    printf("%s\n", text_str(&frame));
    fflush(stdout);
    text_finish(&frame);
}

static void draw(struct run *r, bool whole)
{
    int width = PLAIN_WIDTH, height = PLAIN_HEIGHT;
    if (r->terminal)
        terminal_size(r->terminal, &width, &height);
    if (width != r->canvas.width || height != r->canvas.height) {
        canvas_resize(&r->canvas, width, height);
        whole = true;
    }
    r->model.now = monotonic_ms();
    screen_settle(&r->model, &r->canvas);
    screen_draw(&r->model, &r->canvas);
    uint64_t hash = canvas_hash(&r->canvas);
    if (hash == r->shown && !whole)
        return;
    r->shown = hash;
    if (r->terminal)
        terminal_draw(r->terminal, &r->canvas, whole);
    else
        show_plain(r);
    r->frames++;
    if (r->opts->test_fd > 0)
        dprintf(r->opts->test_fd, "frame %llu %016llx\n", (unsigned long long)r->frames,
                (unsigned long long)hash);
}

/* ---- nodes
 * ------------------------------------------------------------------------------------------------------- */

static void on_snapshot(void *arg, const struct snapshot *s)
{
    struct run *r = arg;
    bool first = !r->model.snapshot;
    model_observe(&r->model, s);
    if (r->model.lesson)
        lesson_observe(r->model.lesson, s);
    if (first && r->model.lesson && s->source >= 0)
        r->model.leftover = lesson_leftover(r->model.lesson, s);
    draw(r, false);
}

static void later(struct run *r)
{
    const struct snapshot *s = replay_next(r->replay);
    if (s)
        on_snapshot(r, s);
    else
        model_say(&r->model, "this was the last snapshot of the replay");
}

/* ---- programs
 * ------------------------------------------------------------------------------------------------------ */

/* true if there may be more to read */
static bool read_output(struct run *r)
{
    char part[4096];
    ssize_t got = read(r->fd, part, sizeof(part));
    if (got <= 0)
        return got < 0 && errno == EINTR;
    model_output(&r->model, part, (size_t)got);
    int step = r->model.command ? r->model.command->step : -1;
    if (step >= 0)
        lesson_output(r->model.lesson, (size_t)step, part, (size_t)got);
    return true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct run *r = arg;
    (void)fd;
    (void)what;
    if (!read_output(r) && errno != EAGAIN)
        event_del(r->readable); /* its end; the child's exit comes as a signal */
    draw(r, false);
}

static void close_output(struct run *r)
{
    if (r->readable)
        event_free(r->readable);
    if (r->fd >= 0)
        close(r->fd);
    r->readable = NULL;
    r->fd = -1;
    r->pid = 0;
}

/* A program's end is its exit, not the end of its output: a node that it started may keep that open. */
static void on_child(evutil_socket_t fd, short what, void *arg)
{
    struct run *r = arg;
    int status = 0;
    (void)fd;
    (void)what;
    if (!r->pid || waitpid(r->pid, &status, WNOHANG) != r->pid)
        return;
    while (read_output(r))
        ;
    int exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    int step = r->model.command ? r->model.command->step : -1;
    close_output(r);
    model_ended(&r->model, exit_code);
    if (step >= 0)
        lesson_action_ended(r->model.lesson, (size_t)step, exit_code);
    if (r->observer)
        observer_poke(r->observer);
    draw(r, false);
}

/* What R does is no program of its own: a child of this one does it, so that the screen goes on meanwhile. */
static int spawn_clean(struct run *r, int *fd, int *pid)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return ERR_IO;
    fflush(NULL);
    *pid = fork();
    if (*pid == 0) {
        char *error = NULL;
        int err = lesson_clean(r->lab, r->model.lesson, &error);
        dprintf(ends[1], "%s\n",
                err ? (error ? error : err_text(err)) : "ready: nothing of an earlier run is left");
        _exit(err ? 1 : 0);
    }
    close(ends[1]);
    *fd = ends[0];
    return *pid > 0 ? 0 : ERR_IO;
}

static void begin_again(struct run *r)
{
    char *error = NULL;
    struct lesson *l = lesson_load(r->model.lesson->number, r->lab, &error);
    if (!l) {
        model_say(&r->model, "%s", error);
        free(error);
        return;
    }
    lesson_destroy(r->model.lesson);
    r->model.lesson = l;
}

static void start_command(struct run *r, struct command *c)
{
    int err;
    bool clean = c->step == COMMAND_CLEAN;
    if (clean)
        begin_again(r);
    if (c->step >= 0)
        lesson_begin_action(r->model.lesson, (size_t)c->step);
    err = clean ? spawn_clean(r, &r->fd, &r->pid)
                : engine_spawn(r->lab, (const char *const *)c->argv, &r->fd, &r->pid);
    model_ran(&r->model, c);
    if (err) {
        model_ended(&r->model, 127);
        model_say(&r->model, "%s cannot be run (%s); run make", c->argv[0], err_text(err));
        if (c->step >= 0)
            lesson_action_ended(r->model.lesson, (size_t)c->step, 127);
        r->fd = -1;
        r->pid = 0;
        return;
    }
    evutil_make_socket_nonblocking(r->fd);
    r->readable = event_new(r->base, r->fd, EV_READ | EV_PERSIST, on_readable, r);
    event_add(r->readable, NULL);
}

/* ---- keys
 * ------------------------------------------------------------------------------------------------------- */

static void on_key(struct run *r, int key)
{
    struct command *run = NULL;
    switch (model_key(&r->model, key, &run)) {
    case EFFECT_NONE:
    case EFFECT_DRAW: draw(r, false); break;
    case EFFECT_CLEAR: draw(r, true); break;
    case EFFECT_QUIT: event_base_loopbreak(r->base); break;
    case EFFECT_LATER:
        later(r);
        draw(r, false);
        break;
    case EFFECT_RUN:
        start_command(r, run);
        draw(r, false);
        break;
    }
}

static void on_input(evutil_socket_t fd, short what, void *arg)
{
    struct run *r = arg;
    char typed[64];
    (void)what;
    if (r->terminal) {
        for (int key; (key = terminal_key(r->terminal)) != KEY_NOTHING_;)
            on_key(r, key);
        return;
    }
    ssize_t got = read((int)fd, typed, sizeof(typed));
    if (got == 0) /* the end of a script of keys: what was asked for goes on */
        event_del(r->input);
    for (ssize_t i = 0; i < got; i++)
        if (typed[i] != '\n') /* without a terminal, keys come by the line */
            on_key(r, (unsigned char)typed[i]);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    draw(arg, false);
}

static void on_resized(evutil_socket_t fd, short what, void *arg)
{
    struct run *r = arg;
    (void)fd;
    (void)what;
    if (r->terminal) {
        terminal_resized(r->terminal);
        draw(r, false);
    }
}

static void on_quit(evutil_socket_t fd, short what, void *arg)
{
    struct run *r = arg;
    (void)fd;
    (void)what;
    event_base_loopbreak(r->base);
}

/* Ctrl-C ends what runs; if nothing does, the screen. */
static void on_interrupt(evutil_socket_t fd, short what, void *arg)
{
    struct run *r = arg;
    (void)fd;
    (void)what;
    if (r->pid)
        kill(r->pid, SIGINT);
    else
        event_base_loopbreak(r->base);
}

/* ---- start and end
 * ------------------------------------------------------------------------------------------------ */

static void open_events(struct run *r)
{
    struct timeval second = {.tv_sec = 1};
    r->input = event_new(r->base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, r);
    r->tick = event_new(r->base, -1, EV_PERSIST, on_tick, r);
    r->child = evsignal_new(r->base, SIGCHLD, on_child, r);
    r->resized = evsignal_new(r->base, SIGWINCH, on_resized, r);
    r->interrupt = evsignal_new(r->base, SIGINT, on_interrupt, r);
    r->quit[0] = evsignal_new(r->base, SIGTERM, on_quit, r);
    r->quit[1] = evsignal_new(r->base, SIGHUP, on_quit, r);
    r->quit[2] = evsignal_new(r->base, SIGPIPE, on_quit, r); /* plain text into a pipe that closed */
    event_add(r->input, NULL);                               /* fails for a file; then there are no keys */
    event_add(r->tick, &second);
    struct event *signals[] = {r->child, r->resized, r->interrupt, r->quit[0], r->quit[1], r->quit[2]};
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        event_add(signals[i], NULL);
}

static void close_events(struct run *r)
{
    struct event *all[] = {r->input,     r->tick,    r->child,   r->resized,
                           r->interrupt, r->quit[0], r->quit[1], r->quit[2]};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        event_free(all[i]);
}

/* The terminal, if one can be drawn on; plain text otherwise, saying why on stderr. */
static void open_terminal(struct run *r)
{
    const char *why = NULL;
    if (r->opts->plain)
        return;
    r->terminal = terminal_open(&why);
    if (!r->terminal)
        fprintf(stderr, "lab: %s: frames come as plain text (--plain)\n", why);
}

/* The last frame stays to be read after the terminal is the shell's again, but for its keys, and with two
 * rows less than the terminal has: for a line from the caller and the shell's prompt. */
static void close_terminal(struct run *r)
{
    if (!r->terminal)
        return;
    terminal_close(r->terminal);
    r->terminal = NULL;
    r->canvas.height -= r->canvas.height > 2 ? 2 : 0;
    struct text frame = {0};
    canvas_to_text(&r->canvas, &frame);
    while (frame.len > 1 && frame.s[frame.len - 2] == '\n')
        frame.len--;
    fwrite(frame.s, 1, frame.len, stdout);
    fflush(stdout);
    text_finish(&frame);
}

static void loop(struct run *r)
{
    r->base = event_base_new();
    ASSERT(r->base != NULL);
    open_terminal(r);
    open_events(r);
    if (r->replay)
        later(r);
    else
        r->observer = observer_create(
            r->base, r->lab, r->lab->engine == ENGINE_KIT ? LOOK_KIT_MS : LOOK_RABBITMQ_MS, on_snapshot, r);
    draw(r, true);
    event_base_dispatch(r->base);
    draw(r, false);
    close_terminal(r);
    observer_destroy(r->observer);
    close_output(r);
    close_events(r);
    event_base_free(r->base);
}

/* the lesson after this one, and how many nodes it wants */
static void find_next(struct model *m, int number)
{
    int numbers[99];
    char *error = NULL;
    size_t i = 0, len = lesson_list(numbers, ARRAY_LEN(numbers));
    while (i < len && numbers[i] <= number)
        i++;
    struct lesson *next = i < len ? lesson_load(numbers[i], NULL, &error) : NULL;
    m->next_lesson = next ? next->number : 0;
    m->next_nodes = next ? next->nodes : 0;
    lesson_destroy(next);
    free(error);
}

int tui_run(struct labdir *lab, int lesson_number, const struct tui_options *opts)
{
    struct run r = {.lab = lab, .opts = opts, .fd = -1};
    struct lesson *lesson = NULL;
    char *error = NULL;
    setlocale(LC_ALL, "");
    if (lesson_number > 0 && !(lesson = lesson_load(lesson_number, opts->replay ? NULL : lab, &error))) {
        fprintf(stderr, "lab: %s\n", error);
        free(error);
        return EXIT_CONFIG;
    }
    if (opts->replay && !(r.replay = replay_open(opts->replay, &error))) {
        fprintf(stderr, "lab: %s\n", error);
        free(error);
        lesson_destroy(lesson);
        return EXIT_CONFIG;
    }
    canvas_init(&r.canvas);
    model_init(&r.model, lesson, lab, opts->readonly, opts->replay != NULL);
    find_next(&r.model, lesson_number);
    loop(&r);
    lesson_destroy(r.model.lesson);
    model_finish(&r.model);
    canvas_finish(&r.canvas);
    replay_close(r.replay);
    return 0;
}

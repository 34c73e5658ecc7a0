/* run.c: the loop between keys, nodes and programs. It waits for all of them at once and for none of them
 * alone: a node that does not answer and a command that takes its time never hold up a key.
 *
 * Everything that can be seen goes through the model; a frame is drawn when it differs from the last one. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lab/engine.h"
#include "kept.h"
#include "lab/observe.h"
#include "lessons_beside.h"
#include "losses.h"
#include "run_private.h"
#include "script.h"
#include "session.h"
#include "terminal.h"
#include "tui.h"
#include "view.h"
#include "words.h"

/* How often the nodes are asked. Two looks make a tick; RabbitMQ pays more for each look than the kit. */
#define LOOK_KIT_MS      250
#define LOOK_RABBITMQ_MS 400
#define LOOK_PERMILLE    5 /* of a processor, for the looks at a large lab: the whole screen idles below 1% */

#define LOOKS_AFTER_KEYS 8 /* what the last key did is seen twice running, also where nodes tell it late */

enum { EXIT_NO_TERMINAL = 69, EXIT_CONFIG = 78 };
enum { PLAIN_WIDTH = 80, PLAIN_HEIGHT = 24 };

static ms_time monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (ms_time)t.tv_sec * 1000 + (ms_time)t.tv_nsec / 1000000;
}

/* The clock of all that is shown. A fake one is as late as the newest data, and goes on by a script's waits.
 */
static ms_time now_ms(void *arg)
{
    struct run *r = arg;
    return r->opts->fake_clock ? r->fake_now : monotonic_ms();
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

void run_draw(struct run *r, bool whole)
{
    int width = PLAIN_WIDTH, height = PLAIN_HEIGHT;
    if (r->terminal)
        terminal_size(r->terminal, &width, &height);
    if (width != r->canvas.width || height != r->canvas.height) {
        canvas_resize(&r->canvas, width, height);
        whole = true;
    }
    const struct model *m = session_draw(r->session, &r->canvas);
    if (r->observer)
        observer_want(r->observer,
                      &(struct observer_wants){.messages = true,
                                               .queue = m->queue,
                                               .queue_page = m->view == VIEW_QUEUE,
                                               .connections = m->view == VIEW_QUEUE || m->view == VIEW_NODE});
    if (!r->terminal && r->observer && !m->snapshot)
        return; /* text that scrolls by begins once there is something to tell */
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
    session_drew(r->session, &r->canvas, hash);
    script_drew(r->script);
}

static void draw_again(void *arg)
{
    run_draw(arg, false);
}

/* ---- nodes
 * ------------------------------------------------------------------------------------------------------- */

/* Where it cannot be kept, that is said at the end. */
static void keep_lesson(struct run *r)
{
    json_t *account = account_so_far(&r->model);
    lesson_keep_changes(r->model.lesson, r->lab, account);
    json_decref(account);
}

static void on_snapshot(void *arg, const struct snapshot *s)
{
    struct run *r = arg;
    r->quiet = model_runs(&r->model) ? 0 : r->quiet + 1;
    bool first = !r->model.snapshot;
    int acts = r->model.readonly ? follow_look(&r->follow, &r->model, r->lab) : 0;
    model_observe(&r->model, s);
    if (r->model.lesson)
        lesson_observe(r->model.lesson, s);
    if (r->model.lesson && !r->model.readonly && !r->cleaning)
        keep_lesson(r);
    bool begun = r->model.lesson && (model_step(&r->model) || r->model.lesson->steps[0].acted);
    if (s->source >= 0 && (r->model.leftover || (first && r->model.lesson && !begun))) {
        json_decref(r->model.leftover); /* and it is said as long as it is so */
        r->model.leftover = lesson_leftover(r->model.lesson, s);
    }
    r->fake_now = u64_max(r->fake_now, s->taken_at);
    session_saw(r->session, s);
    run_draw(r, false);
    const char *kind;
    for (char *lost; (lost = losses_next(&r->model, &kind));) { /* it is in the list from the next look on */
        observer_tell(r->observer, kind, lost);
        free(lost);
    }
    if (acts && r->opts->follow && r->model.lesson && acts != r->model.lesson->number)
        run_go_on(r, acts);
}

static void on_more(evutil_socket_t fd, short what, void *arg)
{
    struct run *r = arg;
    char part[65536];
    (void)what;
    ssize_t got = read(fd, part, sizeof(part));
    if (got > 0)
        session_append(r->session, part, (size_t)got);
    else if (got == 0 || errno != EINTR) {
        event_del(r->more);
        session_complete(r->session);
    }
}

/* ---- keys
 * ------------------------------------------------------------------------------------------------------- */

static void on_over(void *arg)
{
    struct run *r = arg;
    event_base_loopbreak(r->base);
}

/* The end of the keys. What was asked for goes on to its end; so does a recording, unless keys went through
 * it. */
static void end_input(struct run *r)
{
    if (r->terminal || r->script)
        return;
    r->input_over = true;
    if (!session_live(r->session) && r->pressed)
        on_over(r);
    else if (!session_live(r->session))
        session_play_through(r->session, on_over);
}

static void on_input(evutil_socket_t fd, short what, void *arg)
{
    struct run *r = arg;
    char typed[64];
    (void)what;
    if (r->terminal) {
        for (int key; (key = terminal_key(r->terminal)) != KEY_NOTHING_;)
            if (key == KEY_CLICK)
                run_click(r);
            else
                run_key(r, key);
        return;
    }
    ssize_t got = read((int)fd, typed, sizeof(typed));
    for (ssize_t i = 0; i < got; i++)
        if (typed[i] != '\n') { /* without a terminal, keys come by the line */
            r->pressed = true;
            run_key(r, (unsigned char)typed[i]);
        }
    if (got == 0) {
        event_del(r->input);
        end_input(r);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct run *r = arg;
    run_draw(r, false);
    if (!r->input_over || !session_live(r->session) || r->quiet < (r->pressed ? LOOKS_AFTER_KEYS : 2))
        return;
    if (r->unattended && !r->pressed)
        fputs(_("lab: nobody can press a key here, so this was all; lab status shows it again, "
                "lab run N --headless plays a lesson\n"),
              stderr);
    event_base_loopbreak(r->base);
}

static void on_resized(evutil_socket_t fd, short what, void *arg)
{
    struct run *r = arg;
    (void)fd;
    (void)what;
    if (r->terminal) {
        terminal_resized(r->terminal);
        run_draw(r, false);
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
    if (!jobs_interrupt(r->jobs))
        event_base_loopbreak(r->base);
}

/* ---- start and end
 * ------------------------------------------------------------------------------------------------ */

/* From a file, or from nowhere, come no keys. */
static bool can_be_waited_for(int fd)
{
    struct stat st;
    return isatty(fd) || (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)));
}

static void open_events(struct run *r)
{
    struct timeval second = {.tv_sec = 1};
    r->input = event_new(r->base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, r);
    r->tick = event_new(r->base, -1, EV_PERSIST, on_tick, r);
    r->resized = evsignal_new(r->base, SIGWINCH, on_resized, r);
    r->interrupt = evsignal_new(r->base, SIGINT, on_interrupt, r);
    r->quit[0] = evsignal_new(r->base, SIGTERM, on_quit, r);
    r->quit[1] = evsignal_new(r->base, SIGHUP, on_quit, r);
    r->quit[2] = evsignal_new(r->base, SIGPIPE, on_quit, r); /* plain text into a pipe that closed */
    if (can_be_waited_for(STDIN_FILENO))
        event_add(r->input, NULL);
    if (r->opts->replay_fd) {
        r->more = event_new(r->base, r->opts->replay_fd, EV_READ | EV_PERSIST, on_more, r);
        event_add(r->more, NULL);
    }
    event_add(r->tick, &second);
    struct event *signals[] = {r->resized, r->interrupt, r->quit[0], r->quit[1], r->quit[2]};
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        event_add(signals[i], NULL);
}

static void close_events(struct run *r)
{
    struct event *all[] = {r->input, r->tick, r->resized, r->interrupt, r->quit[0], r->quit[1], r->quit[2]};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        event_free(all[i]);
    if (r->more)
        event_free(r->more);
}

/* The terminal, if one can be drawn on; plain text otherwise, saying why on stderr. */
static void open_terminal(struct run *r)
{
    const char *why = NULL;
    if (r->opts->plain)
        return;
    r->terminal = terminal_open(&why);
    if (!r->terminal)
        fprintf(stderr, _("lab: %s: frames come as plain text (--plain)\n"), why);
}

/* The last frame stays to be read after the terminal is the shell's again, but for its keys, and with two
 * rows less than the terminal has: for a line from the caller and the shell's prompt. */
static void close_terminal(struct run *r)
{
    if (!r->terminal)
        return;
    terminal_close(r->terminal);
    r->terminal = NULL;
    if (r->going_on)
        return;
    r->canvas.height -= r->canvas.height > 2 ? 2 : 0;
    struct text frame = {0};
    canvas_to_text(&r->canvas, &frame);
    while (frame.len > 1 && frame.s[frame.len - 2] == '\n')
        frame.len--;
    fwrite(frame.s, 1, frame.len, stdout);
    fflush(stdout);
    text_finish(&frame);
}

/* ---- what drives it besides a person
 * ----------------------------------------------------------------------------- */

static void script_key(void *arg, int key)
{
    run_key(arg, key);
}

static void script_pass(void *arg, ms_time ms)
{
    struct run *r = arg;
    r->fake_now += ms;
    session_pass(r->session, ms);
}

static void script_name(void *arg, const char *name)
{
    struct run *r = arg;
    session_named(r->session, name);
}

static void script_quit(void *arg, int exit_code)
{
    struct run *r = arg;
    r->exit_code = exit_code;
    event_base_loopbreak(r->base);
}

static const struct canvas *script_frame(void *arg)
{
    struct run *r = arg;
    return &r->canvas;
}

static void start_script(struct run *r)
{
    const struct script_fns fns = {.key = script_key,
                                   .pass = r->opts->fake_clock ? script_pass : NULL,
                                   .name = script_name,
                                   .quit = script_quit,
                                   .frame = script_frame};
    if (r->script)
        script_start(r->script, r->base, &fns, r);
}

/* false: it cannot be recorded as was asked; said on stderr */
static bool open_session(struct run *r, struct recording *replay, struct recording *beside)
{
    const struct session_options o = {.base = r->base,
                                      .live = &r->model,
                                      .lab = r->lab,
                                      .now = now_ms,
                                      .draw = draw_again,
                                      .arg = r,
                                      .program = r->opts->program,
                                      .fake_clock = r->opts->fake_clock};
    char *error = NULL;
    r->fake_now = monotonic_ms();
    r->session = session_create(&o);
    if (beside) {
        session_compare(r->session, replay, beside);
    } else if (replay) { /* the lesson goes with it */
        session_replay(r->session, replay, r->model.lesson);
        r->model.lesson = NULL;
    } else if (r->opts->record && !session_record(r->session, r->opts->record, true, &error)) {
        fprintf(stderr, "lab: %s\n", error);
        free(error);
        return false;
    }
    return true;
}

/* Who leaves while the session is recorded is told where it is, as R would have said; who goes on, on the
 * next lesson's screen, which covers what is printed here. */
static void tell_recording(const struct run *r)
{
    char *text = session_recorded_text(r->session);
    if (text && !r->opts->plain)
        printf("%s\n", text);
    if (r->going_on && r->opts->to_say)
        *r->opts->to_say = text;
    else
        free(text);
}

/* what the screen before this one has left to say */
static void say_first(struct run *r)
{
    char **to_say = r->opts->to_say;
    if (!to_say || !*to_say)
        return;
    model_say(&r->model, "%s", *to_say);
    free(*to_say);
    *to_say = NULL;
}

static void loop(struct run *r)
{
    open_terminal(r);
    open_events(r);
    r->jobs = jobs_create(r->base, &run_jobs, r);
    start_script(r);
    if (session_live(r->session))
        r->observer = observer_create(
            r->base, r->lab, r->lab->engine == ENGINE_KIT ? LOOK_KIT_MS : LOOK_RABBITMQ_MS, on_snapshot, r);
    if (r->observer) {
        observer_take_up(r->observer);
        observer_spare(r->observer, LOOK_PERMILLE);
    }
    r->unattended = !r->opts->plain && r->observer;
    if (!can_be_waited_for(STDIN_FILENO))
        end_input(r);
    run_draw(r, true);
    event_base_dispatch(r->base);
    run_draw(r, false);
    close_terminal(r);
    tell_recording(r);
    account_keep(&r->model, true); /* what comes later is no part of it */
    if (r->observer && r->model.lesson && !r->model.readonly && lesson_keep(r->model.lesson, r->lab))
        fputs(_("lab: the lesson's ticks cannot be kept in the lab's folder\n"), stderr);
    if (r->observer && !r->model.readonly && (kept_save(&r->model, r->lab) || observer_keep(r->observer)))
        fputs(_("lab: what was seen cannot be kept in the lab's folder\n"), stderr);
    observer_destroy(r->observer);
    jobs_destroy(r->jobs);
    close_events(r);
}

int tui_run(struct labdir *lab, int lesson_number, const struct tui_options *opts)
{
    struct run r = {.lab = lab, .opts = opts};
    struct lesson *lesson = NULL;
    struct recording *replay = NULL, *beside = NULL;
    char *error = NULL;
    if (lesson_number > 0 && !(lesson = lesson_load(lesson_number, opts->replay ? NULL : lab, &error))) {
        fprintf(stderr, "lab: %s\n", error);
        free(error);
        return EXIT_CONFIG;
    }
    if (lesson && !opts->replay) {
        lesson_take_up(lesson, lab);
        account_taken_up(lesson);
    }
    if (opts->replay)
        replay = opts->replay_fd ? recording_from(opts->replay_fd, opts->replay, &error)
                                 : recording_load(opts->replay, opts->load, &error);
    if ((opts->replay && !replay) ||
        (opts->beside && !(beside = recording_load(opts->beside, opts->load, &error))) ||
        (opts->script && !(r.script = script_open(opts->script, &error)))) {
        fprintf(stderr, "lab: %s\n", error);
        free(error);
        recording_close(replay);
        recording_close(beside);
        lesson_destroy(lesson);
        return EXIT_CONFIG;
    }
    r.base = event_base_new();
    ASSERT(r.base != NULL);
    canvas_init(&r.canvas);
    model_init(&r.model, lesson, lab, opts->readonly, false);
    r.model.program = opts->program;
    lesson_find_beside(&r.model, lesson_number);
    if (!opts->replay)
        kept_take_up(&r.model, lab);
    struct lesson *tools = opts->replay ? NULL : lesson_find_tools(lab);
    r.model.tools = tools;
    say_first(&r);
    if (open_session(&r, replay, beside))
        loop(&r);
    else
        r.exit_code = EXIT_CONFIG;
    script_close(r.script);
    session_destroy(r.session);
    event_base_free(r.base);
    lesson_destroy(r.model.lesson);
    lesson_destroy(tools);
    model_finish(&r.model);
    canvas_finish(&r.canvas);
    return r.exit_code;
}

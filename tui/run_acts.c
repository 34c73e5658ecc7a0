/* run_acts.c: what a key leads to: the programs that run, and what they print and come to; the answers of a
 * lesson's learner; what is asked of the past. */
#include "run_private.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "commands.h"
#include "give.h"
#include "lab/observe.h"
#include "mouse.h"
#include "session.h"
#include "terminal.h"
#include "tui.h"
#include "words.h"

/* ---- programs
 * ------------------------------------------------------------------------------------------------------ */

static void on_output(void *arg, struct command *c, const char *data, size_t len)
{
    struct run *r = arg;
    model_output(&r->model, c, data, len);
    if (c->step >= 0)
        lesson_output(r->model.lesson, (size_t)c->step, data, len);
    session_output(r->session, c, data, len);
    run_draw(r, false);
}

static void on_ended(void *arg, struct command *c, int exit_code)
{
    struct run *r = arg;
    /* said when it is so: the next key may rest on it; screen.c translates it, as a recording has it */
    static const char ready[] = N_("ready: every node runs, and what the lesson uses is cleared");
    int step = c->step;
    r->cleaning = r->cleaning && step != COMMAND_CLEAN;
    if (step == COMMAND_CLEAN && exit_code == 0) {
        on_output(r, c, ready, sizeof(ready) - 1);
        on_output(r, c, "\n", 1);
    }
    model_ended(&r->model, c, exit_code); /* c may be gone after it */
    if (step >= 0)
        lesson_action_ended(r->model.lesson, (size_t)step, exit_code);
    session_ended(r->session, c, exit_code); /* by its address only */
    if (r->observer)
        observer_poke(r->observer);
    run_draw(r, false);
}

const struct jobs_fns run_jobs = {.output = on_output, .ended = on_ended};

/* A child that does not become another program would note its signals in this one's loop: a Ctrl-C that is
 * to end it would come back here instead, over and over. Only calls that are allowed after fork. */
static void signals_of_its_own(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD, SIGWINCH};
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        signal(signals[i], SIG_DFL);
}

/* What B does is no program of its own: a child of this one does it, so that the screen goes on meanwhile.
 * clear: the policies that it was told may go. */
static int spawn_clean(struct run *r, const char *const *clear, int *fd, int *pid)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return ERR_IO;
    fflush(NULL);
    *pid = fork();
    if (*pid == 0) {
        char *error = NULL;
        signals_of_its_own();
        int err = lesson_clean(r->lab, r->model.lesson, clear, &error);
        if (err)
            dprintf(ends[1], "%s\n", error ? error : err_text(err));
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
    lesson_forget(l, r->lab); /* who looks on sees it at once; where it cannot be, the child says so */
}

static void start_command(struct run *r, struct command *c)
{
    int err, fd = -1, pid = 0;
    bool clean = c->step == COMMAND_CLEAN;
    r->cleaning = r->cleaning || clean;
    if (clean)
        begin_again(r);
    if (c->step >= 0)
        lesson_begin_action(r->model.lesson, (size_t)c->step);
    model_ran(&r->model, c);
    session_ran(r->session, c);
    if (!clean) {
        err = jobs_start(r->jobs, r->lab, c);
    } else if ((err = spawn_clean(r, (const char *const *)c->argv + COMMAND_CLEAN_FIRST, &fd, &pid)) == 0) {
        jobs_adopt(r->jobs, c, fd, pid);
    }
    if (!err)
        return;
    model_say(&r->model, _("%s cannot be run (%s); run make"), c->argv[0], err_text(err));
    int step = c->step;
    r->cleaning = r->cleaning && !clean;
    model_ended(&r->model, c, 127);
    if (step >= 0)
        lesson_action_ended(r->model.lesson, (size_t)step, 127);
    session_ended(r->session, c, 127);
    session_said(r->session);
}

/* ---- keys
 * ------------------------------------------------------------------------------------------------------- */

void run_go_on(struct run *r, int lesson)
{
    if (r->opts->go_on)
        *r->opts->go_on = lesson;
    r->going_on = r->opts->go_on;
    event_base_loopbreak(r->base);
}

/* What a key says of the lesson: the learner has looked, or answers. Of the lab's own, not of a past one. */
static void learn(struct run *r, enum effect effect)
{
    struct lesson *l = r->model.lesson;
    if (!session_live(r->session) || !l || model_step(&r->model) == l->steps_len)
        return;
    if (effect == EFFECT_LOOK)
        lesson_look(l, model_step(&r->model));
    else
        lesson_answer(l, r->model.answer);
    session_learned(r->session);
    session_said(r->session);
    run_draw(r, false);
}

void run_key(struct run *r, int key)
{
    struct command *run = NULL;
    struct model *m = session_model(r->session);
    enum effect effect = session_press(r->session, key, &run);
    switch (effect) {
    case EFFECT_NONE:
    case EFFECT_DRAW: run_draw(r, false); break;
    case EFFECT_CLEAR: run_draw(r, true); break;
    case EFFECT_QUIT: event_base_loopbreak(r->base); break;
    case EFFECT_TIME:
        session_request(r->session, m->time_request, &r->canvas);
        run_draw(r, false);
        break;
    case EFFECT_RUN:
        if (session_live(r->session) && run->step == COMMAND_GO_ON) {
            run_go_on(r, atoi(run->argv[COMMAND_GO_ON_TO])); /* the caller makes the lab ready for it */
            command_destroy(run);
        } else if (session_live(r->session))
            start_command(r, run);
        else
            command_destroy(run); /* whatever asked for it: the past is not acted upon */
        run_draw(r, false);
        break;
    case EFFECT_LOOK:
    case EFFECT_ANSWER: learn(r, effect); break;
    case EFFECT_COPY:
        give_copy(m, r->terminal, r->jobs);
        session_said(r->session);
        run_draw(r, false);
        break;
    case EFFECT_EXPORT:
        give_events(m, r->lab->path);
        session_said(r->session);
        run_draw(r, false);
        break;
    case EFFECT_MOUSE:
        if (r->terminal)
            terminal_mouse(r->terminal, m->mouse);
        run_draw(r, false);
        break;
    }
}

void run_click(struct run *r)
{
    int x, y, keys[MOUSE_KEYS];
    terminal_click(r->terminal, &x, &y);
    size_t len = mouse_keys(session_model(r->session), &r->canvas, x, y, keys);
    for (size_t i = 0; i < len; i++)
        run_key(r, keys[i]);
}

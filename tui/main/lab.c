/* lab.c: the one command of the kit. It reads a command line and calls what does the work: engines
 * (lab/engine.h), lessons (lab/lesson.h), the screen (tui.h). Exit codes: 0 done, 1 not, 64 wrong usage,
 * 78 wrong configuration. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/nearest.h"
#include "base/text.h"
#include "lab/engine.h"
#include "lab/lab_screen.h"
#include "lab/lesson.h"
#include "lab/observe.h"
#include "main/lab.h"
#include "main/lab_options.h"
#include "tui.h"
#include "verbs.h"
#include "words.h"

enum { EXIT_NOT_DONE = LAB_EXIT_NOT_DONE, EXIT_USAGE = LAB_EXIT_USAGE, EXIT_CONFIG = LAB_EXIT_CONFIG };

static int command_up(const struct options *o)
{
    struct labdir lab;
    int code = lab_describe(o, 3, &lab);
    if (code)
        return code;
    if (lab.external) {
        char *error = NULL;
        int err = labdir_save(&lab, &error);
        if (err)
            return lab_failed(err, error);
        char *screen = lab_typed(&lab, "lab", NULL), *status = lab_typed(&lab, "lab", WORDS("status"));
        printf(_("%s: this cluster runs elsewhere; `%s` and `%s` now look at it\n"), lab.path, screen,
               status);
        free(screen);
        free(status);
        return 0;
    }
    code = lab_start(&lab, o->fresh);
    lab_forget_events(&lab); /* what happened then is no part of what happens now */
    if (!code && o->fresh)
        lesson_forget_all(&lab);
    if (code)
        return code;
    char *screen = lab_typed(&lab, "lab", NULL), *down = lab_typed(&lab, "lab", WORDS("down"));
    printf(NP_("%zu node runs in %s; `%s` shows it, `%s` stops it\n",
               "%zu nodes run in %s; `%s` shows them, `%s` stops them\n", lab.nodes_len),
           lab.nodes_len, lab.path, screen, down);
    free(screen);
    free(down);
    return 0;
}

/* The lab of a command that wants one; 0 or an exit code. */
static int load_lab(const struct options *o, struct labdir *lab)
{
    char *error = NULL;
    int err = labdir_load(lab, o->dir, &error);
    if (err == ERR_NOT_FOUND) {
        char *up = lab_typed(lab, "lab", WORDS("up"));
        free(error);
        error = format_text(_("no lab in %s: start one with `%s` (or name its folder with --dir)"), lab->path,
                            up);
        free(up);
    }
    return err ? lab_failed(err, error) : 0;
}

static int command_down(const struct options *o)
{
    struct labdir lab;
    char *error = NULL;
    int code = load_lab(o, &lab), err = code ? 0 : engine_down(&lab, &error);
    if (code)
        return code;
    if (err)
        return lab_failed(err, error);
    printf(_("stopped: nothing of %s runs any more\n"), lab.path);
    return 0;
}

static int command_status(const struct options *o)
{
    struct labdir lab;
    int code = load_lab(o, &lab);
    if (code)
        return code;
    struct snapshot *s = observe_once(&lab, 5000);
    if (!s)
        return lab_failed(ERR_TIMEOUT, NULL);
    if (o->json) {
        json_t *json = snapshot_to_json(s);
        json_dumpf(json, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(json);
    } else {
        struct winsize size = {0};
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
        char *frame = tui_frame_text(s, NULL, size.ws_col ? size.ws_col : 80, size.ws_row ? size.ws_row : 24);
        puts(frame);
        free(frame);
    }
    bool heard = s->source >= 0;
    snapshot_destroy(s);
    if (heard)
        return 0;
    bool alive = lab_any_alive(&lab);
    char *helps = alive ? lab_typed(&lab, "labctl", WORDS("-n", lab.nodes[0].name, "start_app"))
                        : lab_typed(&lab, "lab", WORDS("up"));
    fprintf(stderr,
            alive ? _("lab: no node answers; `%s` starts one whose app is stopped\n")
                  : _("lab: no node answers; `%s` starts them\n"),
            helps);
    free(helps);
    return EXIT_NOT_DONE;
}

static int command_lessons(void)
{
    int numbers[99];
    size_t n = lesson_list(numbers, ARRAY_LEN(numbers));
    for (size_t i = 0; i < n; i++) {
        char *error = NULL;
        struct lesson *l = lesson_load(numbers[i], NULL, &error);
        if (!l)
            return lab_failed(ERR_INVALID, error);
        printf("%2d  %-14s %s\n", l->number, l->name, lesson_words(l->title));
        lesson_destroy(l);
    }
    return n ? 0 : EXIT_NOT_DONE;
}

/* the lab that runs is not one for this lesson */
static int too_few(const struct labdir *lab, size_t wanted, bool other_engine)
{
    char *down = lab_typed(lab, "lab", WORDS("down"));
    if (other_engine)
        fprintf(
            stderr,
            _("lab: the lab that runs in %s is one of %s, not of the engine you named; run `%s` first, or "
              "name another folder with --dir\n"),
            lab->path, lab_engine_word(lab), down);
    else
        fprintf(stderr,
                NP_("lab: %zu node runs in %s, and this lesson wants %zu; run `%s` first, or name another "
                    "folder with --dir\n",
                    "lab: %zu nodes run in %s, and this lesson wants %zu; run `%s` first, or name another "
                    "folder with --dir\n",
                    lab->nodes_len),
                lab->nodes_len, lab->path, wanted, down);
    free(down);
    return EXIT_NOT_DONE;
}

/* A lab that runs is used as it is: what was asked for and differs is said. */
static void say_unused(const struct options *o, const struct labdir *lab)
{
    struct labdir asked = *lab;
    bool ports =
        o->ports && (lab_set_ports(&asked, o->ports) || asked.nodes[0].amqp_port != lab->nodes[0].amqp_port ||
                     asked.nodes[0].http_port != lab->nodes[0].http_port ||
                     asked.nodes[0].peer_port != lab->nodes[0].peer_port);
    const char *option = ports                                            ? "--ports"
                         : o->nodes && (size_t)o->nodes != lab->nodes_len ? "--nodes"
                         : o->config                                      ? "--config"
                                                                          : NULL;
    if (!option)
        return;
    char *down = lab_typed(lab, "lab", WORDS("down"));
    fprintf(
        stderr,
        _("lab: the lab in %s runs already and is used as it is, without %s; `%s` first for another one\n"),
        lab->path, option, down);
    free(down);
}

/* A lab in the folder that runs and fits is used; otherwise one is started and *started says so. */
static int lab_for_lesson(const struct options *o, const struct lesson *l, struct labdir *lab, bool *started)
{
    char *error = NULL;
    *started = false;
    if (labdir_load(lab, o->dir, &error) == 0 && lab_any_alive(lab)) {
        bool other_engine =
            o->engine && (strcmp(o->engine, "rabbitmq") == 0) != (lab->engine == ENGINE_RABBITMQ);
        if (!other_engine && lab->nodes_len >= (size_t)l->nodes) {
            say_unused(o, lab);
            return 0;
        }
        return too_few(lab, (size_t)l->nodes, other_engine);
    }
    free(error);
    int code = lab_describe(o, (size_t)l->nodes, lab);
    if (code)
        return code;
    if (!o->config)
        lesson_node_program(l, lab); /* the lesson's own node */
    code = lab_start(lab, true);
    *started = code == 0;
    return code;
}

/* A run begins by deleting the queues that lessons use: nobody should be looking at them. */
static int lab_is_free(const struct options *o)
{
    struct labdir lab = {0};
    int lesson = o->force || labdir_path(o->dir, lab.path, sizeof(lab.path)) ? 0 : lab_screen_lesson(&lab);
    if (!lesson)
        return 0;
    fprintf(
        stderr,
        _("lab: a screen of the lab in %s shows lesson %d, and a run deletes its queues: leave that screen "
          "(q), "
          "or run in a lab of its own (--dir FOLDER --ports 6672,16672,26672), or add --force\n"),
        lab.path, lesson);
    return EXIT_NOT_DONE;
}

static int command_run(const struct options *o, int number)
{
    struct labdir lab;
    char *error = NULL;
    struct lesson *l = lesson_load(number, NULL, &error); /* how many nodes it wants */
    if (!l)
        return lab_failed(ERR_INVALID, error);
    bool started;
    int code = lab_is_free(o);
    if (!code)
        code = lab_for_lesson(o, l, &lab, &started);
    lesson_destroy(l);
    if (code)
        return code;
    l = lesson_load(number, &lab, &error);
    if (!l)
        code = lab_failed(ERR_INVALID, error);
    else
        code = lesson_run_headless(&lab, l, lab_interrupts(), lesson_words);
    lesson_destroy(l);
    if (started) {
        int err = engine_down(&lab, &error);
        if (err)
            code = lab_failed(err, error);
    }
    return code;
}

/* the lesson shown last in this folder, 1 at first */
static int remembered_lesson(const struct labdir *lab, int now)
{
    char *file = format_text("%s/lesson", lab->path);
    FILE *f = fopen(file, now ? "we" : "re");
    int number = now ? now : 1;
    if (f && now)
        fprintf(f, "%d\n", now);
    else if (f && fscanf(f, "%d", &number) != 1)
        number = 1;
    if (f)
        fclose(f);
    free(file);
    return number;
}

/* The lab with more nodes: the same folder, engine and first ports, and nothing of what it held. */
static int enlarge(struct labdir *lab, size_t nodes)
{
    struct labdir larger = {0};
    char *error = NULL;
    memcpy(larger.path, lab->path, sizeof(larger.path));
    labdir_defaults(&larger, lab->engine, nodes);
    const struct lab_node *first = &lab->nodes[0];
    char *ports = format_text("%u,%u,%u", first->amqp_port, first->http_port, first->peer_port);
    int err = lab_set_ports(&larger, ports);
    free(ports);
    if (err) /* they run into each other, as those of a configuration may */
        return too_few(lab, nodes, false);
    if ((err = engine_down(lab, &error)))
        return lab_failed(err, error);
    *lab = larger;
    return lab_start(lab, true);
}

/* Between two lessons: as many nodes as the next one wants, and nothing of an earlier run of it. *why (the
 * caller's, where it is set): the lab runs as before, and cannot be made ready for it. */
static int make_ready(struct labdir *lab, int number, char **why)
{
    char *error = NULL;
    struct lesson *l = lesson_load(number, NULL, &error);
    if (!l)
        return lab_failed(ERR_INVALID, error);
    int code = 0, err = 0;
    printf(_("making the lab ready for lesson %d...\n"), number);
    fflush(stdout);
    if (lab->nodes_len < (size_t)l->nodes) {
        code = lab->external ? too_few(lab, (size_t)l->nodes, false) : enlarge(lab, (size_t)l->nodes);
        if (!code && lesson_forget(l, lab))
            code = lab_failed(ERR_IO, NULL);
    } else {
        lab_leave_interrupts(); /* nothing is started that would have to be stopped again */
        err = lesson_clean(lab, l, NULL, &error);
    }
    if (err && err != ERR_EXISTS)
        *why = error ? error : xstrdup(err_text(err));
    if (err == ERR_EXISTS) /* somebody's policy: the screen names it, and its B asks */
        free(error);
    lesson_destroy(l);
    return code;
}

/* Who only looks writes nothing: at the lesson that was named, else at that of the screen which acts, else at
 * the one that was shown last. */
static int lesson_to_show(const struct options *o, const struct labdir *lab, int named)
{
    if (!o->readonly)
        return remembered_lesson(lab, named);
    int acts = named ? 0 : lab_screen_lesson(lab);
    return named ? named : acts ? acts : remembered_lesson(lab, 0);
}

/* The screen that acts has gone on to a lesson, and may have enlarged the lab for it. */
static void lab_again(const struct options *o, struct labdir *lab)
{
    struct labdir fresh = {0};
    char *error = NULL;
    if (labdir_load(&fresh, o->dir, &error) == 0)
        *lab = fresh;
    free(error);
}

static int command_screen(const struct options *o, int number)
{
    struct labdir lab;
    char *error = NULL;
    size_t nodes = 3;
    struct tui_options options = {.program = lab_program,
                                  .readonly = o->readonly,
                                  .follow = o->readonly && !number,
                                  .plain = o->plain,
                                  .replay = o->replay,
                                  .replay_fd = o->replay_fd,
                                  .beside = o->beside,
                                  .record = o->record,
                                  .script = o->script,
                                  .fake_clock = o->fake_clock,
                                  .load = lab_load_schedule,
                                  .test_fd = o->test_fd};
    if (o->record && access(o->record, F_OK) == 0) { /* before any node is started for it */
        fprintf(stderr, _("lab: %s is there already; --record names a new file\n"), o->record);
        return EXIT_CONFIG;
    }
    if (number) { /* the same */
        struct lesson *l = lesson_load(number, NULL, &error);
        if (!l)
            return lab_failed(ERR_INVALID, error);
        nodes = (size_t)l->nodes;
        lesson_destroy(l);
    }
    if (o->no_locale) /* it matters here; the other commands go on without a word */
        fprintf(stderr, "lab: %s\n", o->no_locale);
    bool runs = labdir_load(&lab, o->dir, &error) == 0 && lab_any_alive(&lab);
    free(error);
    if (runs && !o->replay && number && lab.nodes_len < nodes)
        return too_few(&lab, nodes, false);
    if (runs && !o->replay)
        say_unused(o, &lab);
    if (!runs) {
        int code = lab_describe(o, nodes, &lab);
        if (code)
            return code;
        if (!o->replay && (code = lab_start(&lab, o->fresh)))
            return code;
        if (!o->replay)
            lab_forget_events(&lab);
        if (!o->replay && o->fresh)
            lesson_forget_all(&lab);
    }
    if (o->replay)
        return tui_run(&lab, number, &options);
    int code, next = 0, shown = -1;
    char *to_say = NULL;
    options.go_on = &next;
    options.to_say = &to_say;
    do {
        number = lesson_to_show(o, &lab, next ? next : number);
        next = 0;
        int before = shown; /* held until now: between two lessons this screen acts, too */
        shown = o->readonly ? -1 : lab_screen_begins(&lab, number); /* who only looks does not mind */
        lab_screen_ends(before);
        code = tui_run(&lab, number, &options);
        options.record = options.script = NULL; /* they were for the lesson that was opened with them */
        char *why = NULL;
        if (!code && next && o->readonly)
            lab_again(o, &lab);
        else if (!code && next)
            code = make_ready(&lab, next, &why);
        if (why) { /* its screen would show another lab than it promises: back to this one, which says so */
            free(to_say);
            to_say = format_text(_("the lab cannot be made ready for lesson %d: %s"), next, why);
            next = number;
            free(why);
        }
    } while (!code && next);
    lab_screen_ends(shown);
    free(to_say);
    if (lab.external || !lab_any_alive(&lab))
        return code;
    char *screen = lab_typed(&lab, "lab", NULL), *down = lab_typed(&lab, "lab", WORDS("down"));
    printf(_("The nodes stay as they are:\n`%s` comes back to them, `%s` stops them.\n"), screen, down);
    free(screen);
    free(down);
    return code;
}

static int command_replay(struct options *o, int len, char **files)
{
    if (len < 1 || len > 2)
        return lab_wrong_usage(
            _("replay: name a schedule (*.sched) or a recording (lab --record FILE makes one), or two "
              "to compare"));
    o->replay = files[0];
    o->beside = len == 2 ? files[1] : NULL;
    bool kit = o->engine && strcmp(o->engine, "kit") == 0;
    struct lab_replay_where where = {
        .engine = kit ? ENGINE_KIT : ENGINE_RABBITMQ, .dir = o->dir, .ports = o->ports};
    bool on_nodes = kit || (o->engine && strcmp(o->engine, "rabbitmq") == 0);
    if (o->engine && !on_nodes && strcmp(o->engine, "sim") != 0)
        return lab_wrong_usage(_("--engine %s: write sim, kit or rabbitmq"), o->engine);
    o->engine = NULL; /* of the replay: the screen wants none, nor where its nodes are */
    if (on_nodes)
        o->dir = o->ports = NULL;
    if (!on_nodes)
        return command_screen(o, 0);
    if (len == 2) {
        lab_load_on_nodes(&where);
        return command_screen(o, 0);
    }
    pid_t pid;
    int code = lab_replay_begin(files[0], &where, &o->replay_fd, &pid);
    if (code)
        return code;
    code = command_screen(o, 0);
    int played = lab_replay_end(o->replay_fd, pid);
    return code ? code : played;
}

/* In one line, with what was probably meant. */
static int no_such_command(const char *name)
{
    static const char *const own[] = {"up",     "down",   "run",    "status", "lessons",
                                      "replay", "search", "frames", "help"};
    const struct verb *v = verb_find(name);
    struct nearest n = {.typed = name};
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        nearest_try(&n, own[i]);
    if (v && v->of != OF_SCREEN)
        return lab_wrong_usage(_("unknown verb '%s': it is labctl's, labctl %s"), name, name);
    if (!n.like)
        return lab_wrong_usage(_("unknown verb '%s'"), name);
    fprintf(stderr, _("lab: unknown verb '%s': did you mean '%s'? lab --help shows what there is\n"), name,
            n.like);
    return EXIT_USAGE;
}

static int command(int argc, char **argv, struct options *o)
{
    if (argc > 1 && strcmp(argv[1], "replay") == 0 && lab_replay_wanted(argc - 1, argv + 1) &&
        !lab_replay_on_screen(argc - 1, argv + 1))
        return lab_replay(argc - 1, argv + 1); /* a schedule, not a recording */
    if (argc > 1 && strcmp(argv[1], "search") == 0)
        return lab_search(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "frames") == 0) /* it has options of its own */
        return tui_frames(argc - 1, argv + 1, lab_load_schedule);
    int code = lab_read_options(argc, argv, o);
    if (code > 0)
        return code;
    const char *name = optind < argc ? argv[optind] : NULL;
    const char *word = optind + 1 < argc ? argv[optind + 1] : NULL;
    if (code < 0 || (name && strcmp(name, "help") == 0)) {
        fputs(lab_usage, stdout);
        return 0;
    }
    long number = 0;
    if (!name)
        return command_screen(o, 0);
    if (lab_read_number(name, 1, 99, &number) == 0)
        return word ? lab_wrong_usage(_("%s: nothing comes after a lesson's number"), word)
                    : command_screen(o, (int)number);
    if (strcmp(name, "run") == 0) {
        if (!word || lab_read_number(word, 1, 99, &number))
            return lab_wrong_usage(_("run %s: write a lesson's number, such as lab run 2 --headless"),
                                   word ? word : "");
        return o->headless ? command_run(o, (int)number) : command_screen(o, (int)number);
    }
    if (strcmp(name, "replay") == 0)
        return command_replay(o, argc - optind - 1, argv + optind + 1);
    if (word)
        return lab_wrong_usage(_("%s: nothing comes after %s"), word, name);
    if (strcmp(name, "up") == 0)
        return command_up(o);
    if (strcmp(name, "down") == 0)
        return command_down(o);
    if (strcmp(name, "status") == 0)
        return command_status(o);
    if (strcmp(name, "lessons") == 0)
        return command_lessons();
    return no_such_command(name);
}

int main(int argc, char **argv)
{
    struct options o = {.no_locale = words_init()};
    lab_program = strchr(argv[0], '/') ? argv[0] : lab_program;
    int code = command(argc, argv, &o);
    free(o.no_locale);
    return code;
}

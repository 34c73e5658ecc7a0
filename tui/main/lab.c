/* lab.c: the one command of the kit. It reads a command line and calls what does the work: engines
 * (lab/engine.h), lessons (lab/lesson.h), the screen (tui.h). Exit codes: 0 done, 1 not, 64 wrong usage,
 * 78 wrong configuration. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/nearest.h"
#include "base/text.h"
#include "lab/engine.h"
#include "lab/lesson.h"
#include "lab/observe.h"
#include "main/lab.h"
#include "tui.h"
#include "verbs.h"
#include "words.h"

enum { EXIT_NOT_DONE = LAB_EXIT_NOT_DONE, EXIT_USAGE = LAB_EXIT_USAGE, EXIT_CONFIG = LAB_EXIT_CONFIG };

static const char usage_text[] =
    "lab: what happens to your messages when the machine that holds them stops?\n"
    "\n"
    "  lab                    the screen, at the lesson you are on (starts the nodes if none run)\n"
    "  lab N                  the screen, at lesson N\n"
    "  lab up                 start the nodes, return once every node serves\n"
    "       --engine kit|rabbitmq   the kit's own nodes (the default), or real RabbitMQ\n"
    "       --nodes N               how many (3)\n"
    "       --ports AMQP,HTTP,PEER  node1's ports (5672,15672,25672); the next nodes count up from them\n"
    "       --config FILE           a configuration of your own\n"
    "       --fresh                 without the messages and queues of last time\n"
    "  lab down               stop them all, leave nothing running\n"
    "  lab run N --headless   play lesson N, print every step with what was seen; 0 only if all was proved\n"
    "       --engine, --ports, --config as above, for the nodes it starts if none run\n"
    "  lab status [--json]    one frame of the screen as text, or its data\n"
    "  lab lessons            the lessons there are\n"
    "  lab replay FILE.sched  play a schedule, print every step and the fate of every message (--help)\n"
    "       --engine sim|kit|rabbitmq   on the simulator (the default), on real nodes, on RabbitMQ\n"
    "       --plain           text also on a terminal; there the screen shows it, at last the step that lost "
    "a "
    "message\n"
    "  lab search             the shortest schedule that loses a message with a rule (--help)\n"
    "  lab replay FILE        a recorded session on the screen: Space plays, [ ] step, { } seek\n"
    "  lab replay FILE FILE   two recordings or schedules side by side\n"
    "  lab frames FILE        frames of a recording as text (lab frames --help)\n"
    "       --record FILE     with the screen: record the session (as R does, from its beginning)\n"
    "\n"
    "  --dir DIR              the lab's folder, with every command (default: $MIRRORLAB_DIR, then\n"
    "                         $XDG_RUNTIME_DIR/mirrorlab, then ~/.local/state/mirrorlab/lab)\n"
    "  lab's twin is labctl: an administrator's commands, as rabbitmqctl has them.\n";

struct options {
    const char *dir, *config, *engine, *ports;
    long nodes; /* 0: not told */
    bool fresh, headless, json, readonly, plain;
    const char *replay, *beside, *record, *script;
    int replay_fd; /* as in tui_options */
    bool fake_clock;
    int test_fd;
    char *no_locale; /* what to say of a locale that is not installed; or NULL */
};

/* How this program was called, for texts that say what to type next: "build/lab" where it is not on the PATH.
 */
static const char *program = "lab";

static int wrong_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int wrong_usage(const char *format, ...)
{
    struct text what = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&what, format, args);
    va_end(args);
    fprintf(stderr, _("lab: %s; lab --help shows what there is\n"), text_str(&what));
    text_finish(&what);
    return EXIT_USAGE;
}

/* prints the message (and frees it); the exit code for this kind of error */
static int failed(int err, char *error)
{
    fprintf(stderr, "lab: %s\n", error ? error : err_text(err));
    free(error);
    return err == ERR_INVALID || err == ERR_TOO_LARGE ? EXIT_CONFIG : EXIT_NOT_DONE;
}

static int read_number(const char *text, long low, long high, long *out)
{
    char *end;
    errno = 0;
    *out = strtol(text, &end, 10);
    return errno || end == text || *end || *out < low || *out > high ? ERR_INVALID : 0;
}

enum {
    OPT_DIR = 1,
    OPT_CONFIG,
    OPT_ENGINE,
    OPT_PORTS,
    OPT_NODES,
    OPT_FRESH,
    OPT_HEADLESS,
    OPT_JSON,
    OPT_READONLY,
    OPT_PLAIN,
    OPT_REPLAY,
    OPT_SOURCE,
    OPT_RECORD,
    OPT_SCRIPT,
    OPT_CLOCK,
    OPT_TEST_FD,
    OPT_HELP
};

static const struct option long_options[] = {
    {"dir", required_argument, NULL, OPT_DIR},       {"config", required_argument, NULL, OPT_CONFIG},
    {"engine", required_argument, NULL, OPT_ENGINE}, {"ports", required_argument, NULL, OPT_PORTS},
    {"nodes", required_argument, NULL, OPT_NODES},   {"fresh", no_argument, NULL, OPT_FRESH},
    {"headless", no_argument, NULL, OPT_HEADLESS},   {"json", no_argument, NULL, OPT_JSON},
    {"readonly", no_argument, NULL, OPT_READONLY},   {"plain", no_argument, NULL, OPT_PLAIN},
    {"replay", required_argument, NULL, OPT_REPLAY}, {"test-fd", required_argument, NULL, OPT_TEST_FD},
    {"source", required_argument, NULL, OPT_SOURCE}, {"record", required_argument, NULL, OPT_RECORD},
    {"script", required_argument, NULL, OPT_SCRIPT}, {"clock", required_argument, NULL, OPT_CLOCK},
    {"help", no_argument, NULL, OPT_HELP},           {0},
};

/* Options may stand anywhere; the words that are left are argv[optind..]. 0, an exit code, or -1 for help. */
static int read_options(int argc, char **argv, struct options *o)
{
    long number;
    opterr = 0;
    for (int opt; (opt = getopt_long(argc, argv, "h", long_options, NULL)) != -1;) {
        switch (opt) {
        case OPT_DIR: o->dir = optarg; break;
        case OPT_CONFIG: o->config = optarg; break;
        case OPT_ENGINE: o->engine = optarg; break;
        case OPT_PORTS: o->ports = optarg; break;
        case OPT_FRESH: o->fresh = true; break;
        case OPT_HEADLESS: o->headless = true; break;
        case OPT_JSON: o->json = true; break;
        case OPT_READONLY: o->readonly = true; break;
        case OPT_PLAIN: o->plain = true; break;
        case OPT_REPLAY: o->replay = optarg; break;
        case OPT_RECORD: o->record = optarg; break;
        case OPT_SCRIPT: o->script = optarg; break;
        case OPT_SOURCE:
            if (strncmp(optarg, "replay:", strlen("replay:")) != 0)
                return wrong_usage(_("--source %s: write replay:FILE"), optarg);
            o->replay = optarg + strlen("replay:");
            break;
        case OPT_CLOCK:
            if (strcmp(optarg, "fake") != 0 && strcmp(optarg, "real") != 0)
                return wrong_usage(_("--clock %s: write real or fake"), optarg);
            o->fake_clock = strcmp(optarg, "fake") == 0;
            break;
        case OPT_NODES:
            if (read_number(optarg, 1, LIMIT_NODES, &o->nodes))
                return wrong_usage(_("--nodes %s: write a number from 1 to %d"), optarg, LIMIT_NODES);
            break;
        case OPT_TEST_FD:
            if (read_number(optarg, 1, 1023, &number))
                return wrong_usage(_("--test-fd %s: write the number of an open file"), optarg);
            o->test_fd = (int)number;
            break;
        case 'h':
        case OPT_HELP: return -1;
        default: return wrong_usage(_("%s: no such option, or its value is missing"), argv[optind - 1]);
        }
    }
    return 0;
}

/* ---- the lab that a command line describes ---------------------------------------------------------------
 */

int lab_set_ports(struct labdir *lab, const char *ports)
{
    long base[3];
    char copy[64], *rest = NULL;
    size_t n = 0;
    if (strlen(ports) >= sizeof(copy))
        return ERR_INVALID;
    memcpy(copy, ports, strlen(ports) + 1);
    for (char *part = strtok_r(copy, ",", &rest); part; part = strtok_r(NULL, ",", &rest), n++)
        if (n == 3 || read_number(part, 1, UINT16_MAX + 1 - (long)lab->nodes_len, &base[n]))
            return ERR_INVALID;
    if (n != 3)
        return ERR_INVALID;
    for (size_t a = 0; a < 3; a++)
        for (size_t b = 0; b < a; b++)
            if (labs(base[a] - base[b]) < (long)lab->nodes_len)
                return ERR_INVALID;
    for (size_t i = 0; i < lab->nodes_len; i++) {
        lab->nodes[i].amqp_port = (uint16_t)(base[0] + (long)i);
        lab->nodes[i].http_port = (uint16_t)(base[1] + (long)i);
        lab->nodes[i].peer_port = (uint16_t)(base[2] + (long)i);
    }
    return 0;
}

/* Defaults, then --config, then the other options. 0 or an exit code. */
static int describe(const struct options *o, size_t default_nodes, struct labdir *lab)
{
    char *error = NULL;
    *lab = (struct labdir){0};
    if (labdir_path(o->dir, lab->path, sizeof(lab->path)))
        return failed(ERR_TOO_LARGE, NULL);
    enum engine_kind engine = ENGINE_KIT;
    if (o->engine && strcmp(o->engine, "rabbitmq") == 0)
        engine = ENGINE_RABBITMQ;
    else if (o->engine && strcmp(o->engine, "kit") != 0)
        return wrong_usage(_("--engine %s: write kit or rabbitmq"), o->engine);
    labdir_defaults(lab, engine, o->nodes ? (size_t)o->nodes : default_nodes);
    if (o->config) {
        int err = labdir_read_config(lab, o->config, &error);
        if (err)
            return failed(err, error);
        if (o->engine)
            lab->engine = engine;
        if (o->nodes && (size_t)o->nodes != lab->nodes_len)
            return wrong_usage(_("--nodes %ld: %s has %zu of them; leave one of the two out"), o->nodes,
                               o->config, lab->nodes_len);
    }
    if (o->ports && lab_set_ports(lab, o->ports))
        return wrong_usage(
            _("--ports %s: write node1's three ports, such as 5672,15672,25672; each counts up by one "
              "for every node, without running into the next"),
            o->ports);
    return 0;
}

static bool any_alive(const struct labdir *lab)
{
    bool alive = lab->external;
    for (size_t i = 0; i < lab->nodes_len; i++)
        alive = alive || engine_node_alive(lab, i);
    return alive;
}

static const char *engine_word(const struct labdir *lab)
{
    return lab->engine == ENGINE_KIT ? "kit" : "rabbitmq";
}

/* what was kept in the folder belongs to the same nodes, so it can be used again */
static bool same_nodes(const struct labdir *a, const struct labdir *b)
{
    if (a->engine != b->engine || a->nodes_len != b->nodes_len)
        return false;
    for (size_t i = 0; i < a->nodes_len; i++)
        if (strcmp(a->nodes[i].name, b->nodes[i].name) != 0)
            return false;
    return true;
}

/* Ctrl-C while nodes are started: those that were are stopped again, nothing is left behind. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    interrupted = signal_number;
}

static void take_interrupts(bool take)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = take ? on_interrupt : SIG_DFL};
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaction(signals[i], &action, NULL);
}

static bool print_progress(void *arg, const char *text)
{
    (void)arg;
    if (text)
        printf("%s\n", text);
    fflush(stdout);
    return !interrupted;
}

/* Starts the lab; messages and queues of the last one in this folder are kept if it was of the same nodes. */
static int start(struct labdir *lab, bool fresh)
{
    struct labdir old;
    char *error = NULL;
    int err;
    if (labdir_load(&old, lab->path, &error) == 0) {
        if (any_alive(&old)) {
            fprintf(stderr,
                    _("lab: a lab is running in %s already; use it, run `%s down` first, or name another "
                      "folder with --dir\n"),
                    old.path, program);
            return EXIT_NOT_DONE;
        }
        if (!fresh && !same_nodes(&old, lab))
            printf(_("%s: the last lab here was another one (nodes of %s: %zu; now of %s: %zu): it starts "
                     "empty, "
                     "without the old one's queues and messages\n"),
                   lab->path, engine_word(&old), old.nodes_len, engine_word(lab), lab->nodes_len);
        if ((fresh || !same_nodes(&old, lab)) && (err = labdir_wipe(&old, &error)))
            return failed(err, error);
    }
    free(error);
    error = NULL;
    take_interrupts(true);
    err = engine_up(lab, print_progress, NULL, &error);
    if (interrupted && !err) /* too late to end the start, not too late to undo it */
        err = engine_down(lab, &error) ? ERR_IO : ERR_CLOSED;
    if (!err)
        return 0; /* the handler stays: what comes next answers it, or has its own */
    take_interrupts(false);
    int code = failed(err, error ? error : xstrdup(_("interrupted: the lab is stopped again")));
    if (err == ERR_BUSY)
        fprintf(stderr, _("lab: `%s down` ends the lab of %s alone; other ports: --ports 6672,16672,26672\n"),
                program, lab->path);
    return interrupted ? 128 + interrupted : code;
}

/* ---- commands --------------------------------------------------------------------------------------------
 */

static int command_up(const struct options *o)
{
    struct labdir lab;
    int code = describe(o, 3, &lab);
    if (code)
        return code;
    if (lab.external) {
        char *error = NULL;
        int err = labdir_save(&lab, &error);
        if (err)
            return failed(err, error);
        printf(_("%s: this cluster runs elsewhere; `%s` and `%s status` now look at it\n"), lab.path, program,
               program);
        return 0;
    }
    code = start(&lab, o->fresh);
    if (!code)
        printf(NP_("%zu node runs in %s; `%s` shows it, `%s down` stops it\n",
                   "%zu nodes run in %s; `%s` shows them, `%s down` stops them\n", lab.nodes_len),
               lab.nodes_len, lab.path, program, program);
    return code;
}

/* The lab of a command that wants one; 0 or an exit code. */
static int load_lab(const struct options *o, struct labdir *lab)
{
    char *error = NULL;
    int err = labdir_load(lab, o->dir, &error);
    if (err == ERR_NOT_FOUND) {
        free(error);
        error = format_text(_("no lab in %s: start one with `lab up` (or name its folder with --dir)"),
                            lab->path);
    }
    return err ? failed(err, error) : 0;
}

static int command_down(const struct options *o)
{
    struct labdir lab;
    char *error = NULL;
    int code = load_lab(o, &lab), err = code ? 0 : engine_down(&lab, &error);
    if (code)
        return code;
    if (err)
        return failed(err, error);
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
        return failed(ERR_TIMEOUT, NULL);
    if (o->json) {
        json_t *json = snapshot_to_json(s);
        json_dumpf(json, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(json);
    } else {
        struct winsize size = {0};
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
        char *frame = tui_frame_text(s, NULL, size.ws_col ? size.ws_col : 80, size.ws_row ? size.ws_row : 24);
        fputs(frame, stdout);
        free(frame);
    }
    bool heard = s->source >= 0;
    snapshot_destroy(s);
    if (!heard)
        fputs(any_alive(&lab)
                  ? _("lab: no node answers; `labctl -n node1 start_app` starts one whose app is stopped\n")
                  : _("lab: no node answers; `lab up` starts them\n"),
              stderr);
    return heard ? 0 : EXIT_NOT_DONE;
}

static int command_lessons(void)
{
    int numbers[99];
    size_t n = lesson_list(numbers, ARRAY_LEN(numbers));
    for (size_t i = 0; i < n; i++) {
        char *error = NULL;
        struct lesson *l = lesson_load(numbers[i], NULL, &error);
        if (!l)
            return failed(ERR_INVALID, error);
        printf("%2d  %-14s %s\n", l->number, l->name, lesson_words(l->title));
        lesson_destroy(l);
    }
    return n ? 0 : EXIT_NOT_DONE;
}

/* the lab that runs is not one for this lesson */
static int too_few(const struct labdir *lab, size_t wanted, bool other_engine)
{
    if (other_engine)
        fprintf(stderr,
                _("lab: the lab that runs in %s is one of %s, not of the engine you named; run `%s down` "
                  "first, or "
                  "name another folder with --dir\n"),
                lab->path, engine_word(lab), program);
    else
        fprintf(stderr,
                NP_("lab: %zu node runs in %s, and this lesson wants %zu; run `%s down` first, or name "
                    "another folder "
                    "with --dir\n",
                    "lab: %zu nodes run in %s, and this lesson wants %zu; run `%s down` first, or name "
                    "another folder "
                    "with --dir\n",
                    lab->nodes_len),
                lab->nodes_len, lab->path, wanted, program);
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
    if (option)
        fprintf(stderr,
                _("lab: the lab in %s runs already and is used as it is, without %s; `%s down` first for "
                  "another one\n"),
                lab->path, option, program);
}

/* A lab in the folder that runs and fits is used; otherwise one is started and *started says so. */
static int lab_for_lesson(const struct options *o, const struct lesson *l, struct labdir *lab, bool *started)
{
    char *error = NULL;
    *started = false;
    if (labdir_load(lab, o->dir, &error) == 0 && any_alive(lab)) {
        bool other_engine =
            o->engine && (strcmp(o->engine, "rabbitmq") == 0) != (lab->engine == ENGINE_RABBITMQ);
        if (!other_engine && lab->nodes_len >= (size_t)l->nodes) {
            say_unused(o, lab);
            return 0;
        }
        return too_few(lab, (size_t)l->nodes, other_engine);
    }
    free(error);
    int code = describe(o, (size_t)l->nodes, lab);
    if (code)
        return code;
    if (!o->config)
        lesson_node_program(l, lab); /* the lesson's own node */
    code = start(lab, true);
    *started = code == 0;
    return code;
}

static int command_run(const struct options *o, int number)
{
    struct labdir lab;
    char *error = NULL;
    struct lesson *l = lesson_load(number, NULL, &error); /* how many nodes it wants */
    if (!l)
        return failed(ERR_INVALID, error);
    bool started;
    int code = lab_for_lesson(o, l, &lab, &started);
    lesson_destroy(l);
    if (code)
        return code;
    l = lesson_load(number, &lab, &error);
    if (!l)
        code = failed(ERR_INVALID, error);
    else
        code = lesson_run_headless(&lab, l, &interrupted, lesson_words);
    lesson_destroy(l);
    if (started) {
        int err = engine_down(&lab, &error);
        if (err)
            code = failed(err, error);
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
        return failed(err, error);
    *lab = larger;
    return start(lab, true);
}

/* Between two lessons: as many nodes as the next one wants, and nothing of an earlier run of it. */
static int make_ready(struct labdir *lab, int number)
{
    char *error = NULL;
    struct lesson *l = lesson_load(number, NULL, &error);
    if (!l)
        return failed(ERR_INVALID, error);
    int code = 0, err = 0;
    printf(_("making the lab ready for lesson %d...\n"), number);
    fflush(stdout);
    if (lab->nodes_len < (size_t)l->nodes)
        code = lab->external ? too_few(lab, (size_t)l->nodes, false) : enlarge(lab, (size_t)l->nodes);
    else if ((err = lesson_clean(lab, l, &error)))
        code = failed(err, error);
    lesson_destroy(l);
    return code;
}

static int command_screen(const struct options *o, int number)
{
    struct labdir lab;
    char *error = NULL;
    size_t nodes = 3;
    struct tui_options options = {.readonly = o->readonly,
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
            return failed(ERR_INVALID, error);
        nodes = (size_t)l->nodes;
        lesson_destroy(l);
    }
    if (o->no_locale) /* it matters here; the other commands go on without a word */
        fprintf(stderr, "lab: %s\n", o->no_locale);
    bool runs = labdir_load(&lab, o->dir, &error) == 0 && any_alive(&lab);
    free(error);
    if (runs && !o->replay && number && lab.nodes_len < nodes)
        return too_few(&lab, nodes, false);
    if (runs && !o->replay)
        say_unused(o, &lab);
    if (!runs) {
        int code = describe(o, nodes, &lab);
        if (code)
            return code;
        if (!o->replay && (code = start(&lab, o->fresh)))
            return code;
    }
    if (o->replay)
        return tui_run(&lab, number, &options);
    int code, next = 0;
    options.go_on = &next;
    do {
        number = remembered_lesson(&lab, next ? next : number);
        next = 0;
        code = tui_run(&lab, number, &options);
        options.record = options.script = NULL; /* they were for the lesson that was opened with them */
        if (!code && next)
            code = make_ready(&lab, next);
    } while (!code && next);
    if (!lab.external && any_alive(&lab))
        printf(_("The nodes keep running; `%s` comes back to them, `%s down` stops them.\n"), program,
               program);
    return code;
}

static int command_replay(struct options *o, int len, char **files)
{
    if (len < 1 || len > 2)
        return wrong_usage(
            _("replay: name a schedule (*.sched) or a recording (lab --record FILE makes one), or two "
              "to compare"));
    o->replay = files[0];
    o->beside = len == 2 ? files[1] : NULL;
    bool kit = o->engine && strcmp(o->engine, "kit") == 0;
    struct lab_replay_where where = {
        .engine = kit ? ENGINE_KIT : ENGINE_RABBITMQ, .dir = o->dir, .ports = o->ports};
    bool on_nodes = kit || (o->engine && strcmp(o->engine, "rabbitmq") == 0);
    if (o->engine && !on_nodes && strcmp(o->engine, "sim") != 0)
        return wrong_usage(_("--engine %s: write sim, kit or rabbitmq"), o->engine);
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
        return wrong_usage(_("unknown verb '%s': it is labctl's, labctl %s"), name, name);
    if (!n.like)
        return wrong_usage(_("unknown verb '%s'"), name);
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
    int code = read_options(argc, argv, o);
    if (code > 0)
        return code;
    const char *name = optind < argc ? argv[optind] : NULL;
    const char *word = optind + 1 < argc ? argv[optind + 1] : NULL;
    if (code < 0 || (name && strcmp(name, "help") == 0)) {
        fputs(usage_text, stdout);
        return 0;
    }
    long number = 0;
    if (!name)
        return command_screen(o, 0);
    if (read_number(name, 1, 99, &number) == 0)
        return word ? wrong_usage(_("%s: nothing comes after a lesson's number"), word)
                    : command_screen(o, (int)number);
    if (strcmp(name, "run") == 0) {
        if (!word || read_number(word, 1, 99, &number))
            return wrong_usage(_("run %s: write a lesson's number, such as lab run 2 --headless"),
                               word ? word : "");
        return o->headless ? command_run(o, (int)number) : command_screen(o, (int)number);
    }
    if (strcmp(name, "replay") == 0)
        return command_replay(o, argc - optind - 1, argv + optind + 1);
    if (word)
        return wrong_usage(_("%s: nothing comes after %s"), word, name);
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
    program = strchr(argv[0], '/') ? argv[0] : program;
    int code = command(argc, argv, &o);
    free(o.no_locale);
    return code;
}

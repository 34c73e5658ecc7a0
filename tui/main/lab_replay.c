/* lab_replay.c: `lab replay FILE`: reads a schedule and plays it in one of the three worlds. */
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"
#include "lab/labdir.h"
#include "lab/replay.h"
#include "main/lab.h"
#include "main/lab_sim.h"
#include "words.h"

static const char usage[] =
    "lab replay FILE [--engine sim|kit|rabbitmq] [--trace] [--dir DIR] [--ports AMQP,HTTP,PEER]\n"
    "\n"
    "  Plays a schedule (*.sched), prints every step with what was seen and the fate of every message.\n"
    "  sim       on the simulator (the default): at once, the same every time\n"
    "  kit       on the kit's own processes, started for it and ended after it\n"
    "  rabbitmq  on real RabbitMQ nodes, likewise\n"
    "  --trace   sim: every step of every node as well\n"
    "  --plain   text also on a terminal, where else the screen opens (docs/recording.md)\n"
    "  --dir     keeps the nodes' folder there (a new one); else one under $TMPDIR, removed afterwards\n"
    "  --ports   node1's ports (5672,15672,25672); the next nodes count up from them\n"
    "\n"
    "  0: played, the fates are as its expect lines say; 1: not so, or not played to its end.\n";

/* ---- the nodes of a real world ---- */

static volatile sig_atomic_t stopped; /* by Ctrl-C: its nodes are ended first */

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

int lab_play_on_nodes(const struct sched *s, const char *name, const struct lab_replay_where *where,
                      FILE *out, struct replay_result *result)
{
    const char *dir = where->dir, *ports = where->ports;
    struct labdir lab = {0};
    char made[] = "mirrorlab-replay-XXXXXX";
    char *folder = NULL;
    if (!dir) {
        folder = format_text("%s/%s", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", made);
        if (!mkdtemp(folder)) {
            fprintf(stderr,
                    _("lab: %s: no folder can be made there: %s; set TMPDIR, or name one with --dir\n"),
                    folder, strerror(errno));
            free(folder);
            return 1;
        }
    }
    int err = labdir_path(dir ? dir : folder, lab.path, sizeof(lab.path));
    labdir_defaults(&lab, where->engine, s->nodes);
    if (!err && ports && lab_set_ports(&lab, ports)) {
        fputs("lab: ", stderr);
        fprintf(stderr,
                _("--ports %s: write node1's three ports, such as 5672,15672,25672; each counts up by one "
                  "for every node, without running into the next or beyond 65535"),
                ports);
        fputs("\n", stderr);
        err = ERR_INVALID;
    }
    char *config = format_text("%s/lab.cfg", lab.path);
    if (!err && dir && access(config, F_OK) == 0) {
        fprintf(stderr,
                _("lab: %s holds a lab already, and a replay begins with nothing; name another folder, or "
                  "leave --dir out\n"),
                lab.path);
        err = ERR_EXISTS;
    }
    free(config);
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    if (!err)
        err = replay_on_nodes(s, name, &lab, &stopped, out, result);
    if (folder)
        nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(folder);
    return err;
}

bool lab_replay_wanted(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        size_t len = strlen(argv[i]);
        if ((len > 6 && strcmp(argv[i] + len - 6, ".sched") == 0) || strncmp(argv[i], "--engine", 8) == 0 ||
            strcmp(argv[i], "--help") == 0)
            return true;
    }
    return false;
}

int lab_replay(int argc, char **argv)
{
    static const struct option options[] = {
        {"engine", required_argument, NULL, 'e'},
        {"trace", no_argument, NULL, 't'},
        {"plain", no_argument, NULL, 'x'},
        {"dir", required_argument, NULL, 'd'},
        {"ports", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const char *engine = "sim", *dir = NULL, *ports = NULL;
    bool trace = false;
    opterr = 0;
    optind = 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int opt; (opt = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (opt) {
        case 'e': engine = optarg; break;
        case 't': trace = true; break;
        case 'x': break; /* lab_replay_on_screen asked for it */
        case 'd': dir = optarg; break;
        case 'p': ports = optarg; break;
        case 'h': fputs(usage, stdout); return 0;
        default:
            fprintf(stderr,
                    _("lab: %s: no such option of replay, or its value is missing; lab replay --help shows "
                      "what there is\n"),
                    argv[optind - 1]);
            return LAB_EXIT_USAGE;
        }
    }
    bool sim = strcmp(engine, "sim") == 0, kit = strcmp(engine, "kit") == 0;
    if (!sim && !kit && strcmp(engine, "rabbitmq") != 0) {
        fprintf(stderr, _("lab: --engine %s: write sim, kit or rabbitmq\n"), engine);
        return LAB_EXIT_USAGE;
    }
    if (optind + 1 != argc) {
        fprintf(stderr,
                NP_("lab: replay: %d file is named, as text it plays one schedule; lab replay --help shows "
                    "more\n",
                    "lab: replay: %d files are named, as text it plays one schedule; lab replay --help shows "
                    "more\n",
                    argc - optind),
                argc - optind);
        return LAB_EXIT_USAGE;
    }
    const char *file = argv[optind];
    char *text = lab_read_text(file), *error = NULL;
    if (!text) {
        fprintf(stderr, _("lab: %s: %s; name a schedule (*.sched)\n"), file, strerror(errno));
        return 1;
    }
    struct sched s;
    struct replay_result result = {.translate = lesson_words};
    int code;
    if (replay_read(&s, file, text, &error)) {
        fprintf(stderr, "lab: %s\n", error);
        code = LAB_EXIT_CONFIG;
    } else if (s.seeded && !sim) {
        error = replay_seeded_elsewhere(&s, file);
        fprintf(stderr, "lab: %s\n", error);
        code = 1;
    } else if (s.seeded) {
        code = replay_seeded(&s, file, text, trace, stdout);
    } else {
        const struct lab_replay_where where = {
            .engine = kit ? ENGINE_KIT : ENGINE_RABBITMQ, .dir = dir, .ports = ports};
        int err = sim ? replay_on_sim(&s, file, trace, stdout, &result)
                      : lab_play_on_nodes(&s, file, &where, stdout, &result);
        code = err || !result.as_expected;
        replay_result_finish(&result);
    }
    sched_finish(&s);
    free(error);
    free(text);
    return code;
}

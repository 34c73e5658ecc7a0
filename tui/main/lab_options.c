/* lab_options.c: lab's command line: the options there are, what is wrong with others; see lab_options.h. */
#include "main/lab_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "lab/engine.h"
#include "main/lab.h"
#include "words.h"

const char lab_usage[] =
    "lab: what happens to your messages when the machine that holds them stops?\n"
    "\n"
    "  lab                    the screen, at the lesson you are on (starts the nodes if none run)\n"
    "  lab N                  the screen, at lesson N\n"
    "       --engine, --nodes, --ports, --config as below, for the nodes it starts if none run\n"
    "  lab up                 start the nodes, return once every node serves\n"
    "       --engine kit|rabbitmq   the kit's own nodes (the default), or real RabbitMQ\n"
    "       --nodes N               how many (3)\n"
    "       --ports AMQP,HTTP,PEER  node1's ports (5672,15672,25672); the next nodes count up from them\n"
    "       --config FILE           a configuration of your own\n"
    "       --fresh                 without the messages, queues and ticks of last time\n"
    "  lab down               stop them all, leave nothing running\n"
    "  lab run N --headless   play lesson N, print every step with what was seen; 0 only if all was proved\n"
    "       --engine, --ports, --config as above, for the nodes it starts if none run\n"
    "       --force                 also while a screen of this lab shows a lesson: its queues are deleted\n"
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
    "                         $XDG_RUNTIME_DIR/mirrorlab, then $XDG_STATE_HOME/mirrorlab/lab,\n"
    "                         that is ~/.local/state/mirrorlab/lab)\n"
    "  lab's twin is labctl: an administrator's commands, as rabbitmqctl has them.\n";

const char *lab_program = "lab";

int lab_wrong_usage(const char *format, ...)
{
    struct text what = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&what, format, args);
    va_end(args);
    fprintf(stderr, _("lab: %s; lab --help shows what there is\n"), text_str(&what));
    text_finish(&what);
    return LAB_EXIT_USAGE;
}

char *lab_typed(const struct labdir *lab, const char *program, const char *const *words)
{
    static const char *const none[] = {NULL};
    char *called = format_text("%s%s", lab_program, program + strlen("lab")); /* labctl stands beside lab */
    char *typed = engine_called(lab, called, words ? words : none);
    free(called);
    return typed;
}

/* prints the message (and frees it); the exit code for this kind of error */
int lab_failed(int err, char *error)
{
    fprintf(stderr, "lab: %s\n", error ? error : err_text(err));
    free(error);
    return err == ERR_INVALID || err == ERR_TOO_LARGE ? LAB_EXIT_CONFIG : LAB_EXIT_NOT_DONE;
}

int lab_read_number(const char *text, long low, long high, long *out)
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
    OPT_FORCE,
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
    {"dir", required_argument, NULL, OPT_DIR},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"engine", required_argument, NULL, OPT_ENGINE},
    {"ports", required_argument, NULL, OPT_PORTS},
    {"nodes", required_argument, NULL, OPT_NODES},
    {"fresh", no_argument, NULL, OPT_FRESH},
    {"headless", no_argument, NULL, OPT_HEADLESS},
    {"json", no_argument, NULL, OPT_JSON},
    {"readonly", no_argument, NULL, OPT_READONLY},
    {"plain", no_argument, NULL, OPT_PLAIN},
    {"replay", required_argument, NULL, OPT_REPLAY},
    {"test-fd", required_argument, NULL, OPT_TEST_FD},
    {"source", required_argument, NULL, OPT_SOURCE},
    {"record", required_argument, NULL, OPT_RECORD},
    {"script", required_argument, NULL, OPT_SCRIPT},
    {"clock", required_argument, NULL, OPT_CLOCK},
    {"help", no_argument, NULL, OPT_HELP},
    {"force", no_argument, NULL, OPT_FORCE},
    {0},
};

/* Options may stand anywhere; the words that are left are argv[optind..]. 0, an exit code, or -1 for help. */
int lab_read_options(int argc, char **argv, struct options *o)
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
        case OPT_FORCE: o->force = true; break;
        case OPT_JSON: o->json = true; break;
        case OPT_READONLY: o->readonly = true; break;
        case OPT_PLAIN: o->plain = true; break;
        case OPT_REPLAY: o->replay = optarg; break;
        case OPT_RECORD: o->record = optarg; break;
        case OPT_SCRIPT: o->script = optarg; break;
        case OPT_SOURCE:
            if (strncmp(optarg, "replay:", strlen("replay:")) != 0)
                return lab_wrong_usage(_("--source %s: write replay:FILE"), optarg);
            o->replay = optarg + strlen("replay:");
            break;
        case OPT_CLOCK:
            if (strcmp(optarg, "fake") != 0 && strcmp(optarg, "real") != 0)
                return lab_wrong_usage(_("--clock %s: write real or fake"), optarg);
            o->fake_clock = strcmp(optarg, "fake") == 0;
            break;
        case OPT_NODES:
            if (lab_read_number(optarg, 1, LIMIT_NODES, &o->nodes))
                return lab_wrong_usage(_("--nodes %s: write a number from 1 to %d"), optarg, LIMIT_NODES);
            break;
        case OPT_TEST_FD:
            if (lab_read_number(optarg, 1, 1023, &number))
                return lab_wrong_usage(_("--test-fd %s: write the number of an open file"), optarg);
            o->test_fd = (int)number;
            break;
        case 'h':
        case OPT_HELP: return -1;
        default: return lab_wrong_usage(_("%s: no such option, or its value is missing"), argv[optind - 1]);
        }
    }
    return 0;
}

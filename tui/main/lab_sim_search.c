/* lab_sim_search.c: `lab search`: the shortest schedule that loses a message with a given rule, in five
 * lines: the promise that broke, the message, the schedule, the deciding call, the command that plays it
 * again. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "main/lab.h"
#include "main/lab_options.h"
#include "sim/search.h"

static const char usage[] =
    "lab search [--rule NAME] [--nodes N] [--messages N] [--crashes N] [--restarts N] [--syncs N]\n"
    "           [--policy DEFINITION] [--transient] [--hurried] [--states N] [--out FILE.sched]\n"
    "\n"
    "  Tries everything that can happen to one queue on a few simulated nodes, shortest first, and prints "
    "the\n"
    "  shortest schedule that loses a message, or says that there is none.\n"
    "  --nodes 3 --messages 3 --crashes 3 --restarts 3 --syncs 0: at most so many of each (the defaults)\n"
    "  --policy      the queue's ({\"ha-mode\":\"all\"})\n"
    "  --transient   the messages are not persistent\n"
    "  --hurried     a crash may come at the moment of a confirm, too\n"
    "  --states      gives up after so many different states (200000)\n"
    "  --out         writes the schedule there, for lab replay\n"
    "\n"
    "  0: none is lost; 1: here is how one is; 75: given up.\n";

enum {
    OPT_RULE = 256,
    OPT_NODES,
    OPT_MESSAGES,
    OPT_CRASHES,
    OPT_RESTARTS,
    OPT_SYNCS,
    OPT_POLICY,
    OPT_TRANSIENT,
    OPT_HURRIED,
    OPT_STATES,
    OPT_OUT,
    OPT_HELP
};

#define EXIT_GIVEN_UP 75

static const struct option options[] = {
    {"rule", required_argument, NULL, OPT_RULE},
    {"nodes", required_argument, NULL, OPT_NODES},
    {"messages", required_argument, NULL, OPT_MESSAGES},
    {"crashes", required_argument, NULL, OPT_CRASHES},
    {"restarts", required_argument, NULL, OPT_RESTARTS},
    {"syncs", required_argument, NULL, OPT_SYNCS},
    {"policy", required_argument, NULL, OPT_POLICY},
    {"transient", no_argument, NULL, OPT_TRANSIENT},
    {"hurried", no_argument, NULL, OPT_HURRIED},
    {"states", required_argument, NULL, OPT_STATES},
    {"out", required_argument, NULL, OPT_OUT},
    {"help", no_argument, NULL, OPT_HELP},
    {0},
};

static int wrong_rule(const char *name)
{
    fprintf(stderr, "lab: --rule %s: no such rule; there are\n", name);
    for (size_t i = 0; rules_at(i); i++)
        fprintf(stderr, "  %-18s %s\n", rules_at(i)->name, rules_about(rules_at(i)));
    return LAB_EXIT_USAGE;
}

/* 0, or an exit code after saying what is wrong */
static int read_count(const char *name, const char *text, unsigned long low, unsigned long high,
                      unsigned *out)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno || *text < '0' || *text > '9' || *end || value < low || value > high) {
        fprintf(stderr, "lab: --%s %s: write a number from %lu to %lu\n", name, text, low, high);
        return LAB_EXIT_USAGE;
    }
    *out = (unsigned)value;
    return 0;
}

static int read_option(int opt, struct search_options *o, const char **out)
{
    unsigned states = 0;
    int code = 0;
    switch (opt) {
    case OPT_RULE: o->rules = rules_named(optarg); return o->rules ? 0 : wrong_rule(optarg);
    case OPT_NODES: return read_count("nodes", optarg, 1, SIM_NODES, &o->nodes);
    case OPT_MESSAGES: return read_count("messages", optarg, 0, 9, &o->messages);
    case OPT_CRASHES: return read_count("crashes", optarg, 0, 9, &o->crashes);
    case OPT_RESTARTS: return read_count("restarts", optarg, 0, 9, &o->restarts);
    case OPT_SYNCS: return read_count("syncs", optarg, 0, 9, &o->syncs);
    case OPT_STATES:
        code = read_count("states", optarg, 1, 10000000, &states);
        o->states_max = states;
        return code;
    case OPT_POLICY: o->policy = optarg; return 0;
    case OPT_TRANSIENT: o->transient = true; return 0;
    case OPT_HURRIED: o->hurried = true; return 0;
    case OPT_OUT: *out = optarg; return 0;
    case OPT_HELP: fputs(usage, stdout); return -1;
    default: ASSERT(false); return LAB_EXIT_USAGE;
    }
}

static bool write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");
    bool good = f && fputs(text, f) >= 0;
    return f ? fclose(f) == 0 && good : false;
}

static int tell(const struct search_options *o, const struct search_result *r, const char *out)
{
    const char *rule = o->rules ? o->rules->name : "kit";
    if (!r->found) {
        printf(
            "rule %s: %s: %llu states, schedules of up to %u steps, with at most %u messages, %u crashes, %u "
            "restarts, %u syncs on %u nodes\n",
            rule, r->complete ? "no schedule loses a message" : "given up, none found so far",
            (unsigned long long)r->states, r->steps, o->messages, o->crashes, o->restarts, o->syncs,
            o->nodes);
        return r->complete ? 0 : EXIT_GIVEN_UP;
    }
    bool written = out && write_file(out, r->sched);
    if (out && !written) {
        fprintf(stderr, "lab: %s cannot be written: %s\n", out, strerror(errno));
        return LAB_EXIT_NOT_DONE;
    }
    printf("promise   %s\n", r->promise);
    printf("message   %s\n", r->message);
    printf("schedule  %u steps: %s\n", r->steps, r->schedule);
    printf("decision  %s\n", r->decision);
    printf("replay    %s replay %s\n", lab_program,
           out ? out : "FILE.sched, once written with --out FILE.sched");
    return 1;
}

int lab_search(int argc, char **argv)
{
    struct search_options o;
    const char *out = NULL;
    search_options_defaults(&o);
    opterr = 0;
    optind = 1;
    for (int opt; (opt = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (opt == '?') {
            fprintf(
                stderr,
                "lab: %s: no such option of search, or its value is missing; lab search --help shows what "
                "there is\n",
                argv[optind - 1]);
            return LAB_EXIT_USAGE;
        }
        int code = read_option(opt, &o, &out);
        if (code)
            return code < 0 ? 0 : code;
    }
    if (optind < argc) {
        fprintf(stderr, "lab: %s: search takes options only; lab search --help shows what there is\n",
                argv[optind]);
        return LAB_EXIT_USAGE;
    }
    struct search_result r;
    search_run(&o, &r);
    if (r.refused) {
        fprintf(stderr, "lab: --policy %s: the nodes refuse it: %s\n", o.policy, r.refused);
        search_result_finish(&r);
        return LAB_EXIT_USAGE;
    }
    int code = tell(&o, &r, out);
    search_result_finish(&r);
    return code;
}

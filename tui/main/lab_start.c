/* lab_start.c: the lab that a command line describes: which nodes, and starting them; see lab_options.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "lab/engine.h"
#include "main/lab.h"
#include "main/lab_options.h"
#include "words.h"

int lab_set_ports(struct labdir *lab, const char *ports)
{
    long base[3];
    char copy[64], *rest = NULL;
    size_t n = 0;
    if (strlen(ports) >= sizeof(copy))
        return ERR_INVALID;
    memcpy(copy, ports, strlen(ports) + 1);
    for (char *part = strtok_r(copy, ",", &rest); part; part = strtok_r(NULL, ",", &rest), n++)
        if (n == 3 || lab_read_number(part, 1, UINT16_MAX + 1 - (long)lab->nodes_len, &base[n]))
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

/* The lab of this folder comes back where it was: whoever has its addresses, a screen too, goes on with them.
 */
static void keep_ports(struct labdir *lab)
{
    struct labdir old;
    char *error = NULL;
    if (labdir_load(&old, lab->path, &error) == 0 && same_nodes(&old, lab) && !old.external)
        for (size_t i = 0; i < lab->nodes_len; i++) {
            lab->nodes[i].amqp_port = old.nodes[i].amqp_port;
            lab->nodes[i].http_port = old.nodes[i].http_port;
            lab->nodes[i].peer_port = old.nodes[i].peer_port;
        }
    free(error);
}

/* Defaults, then --config, then the other options. 0 or an exit code. */
int lab_describe(const struct options *o, size_t default_nodes, struct labdir *lab)
{
    char *error = NULL;
    *lab = (struct labdir){0};
    if (labdir_path(o->dir, lab->path, sizeof(lab->path)))
        return lab_failed(ERR_TOO_LARGE, NULL);
    enum engine_kind engine = ENGINE_KIT;
    if (o->engine && strcmp(o->engine, "rabbitmq") == 0)
        engine = ENGINE_RABBITMQ;
    else if (o->engine && strcmp(o->engine, "kit") != 0)
        return lab_wrong_usage(_("--engine %s: write kit or rabbitmq"), o->engine);
    labdir_defaults(lab, engine, o->nodes ? (size_t)o->nodes : default_nodes);
    if (o->config) {
        int err = labdir_read_config(lab, o->config, &error);
        if (err)
            return lab_failed(err, error);
        if (o->engine)
            lab->engine = engine;
        if (o->nodes && (size_t)o->nodes != lab->nodes_len)
            return lab_wrong_usage(_("--nodes %ld: %s has %zu of them; leave one of the two out"), o->nodes,
                                   o->config, lab->nodes_len);
    }
    if (!o->ports && !o->config)
        keep_ports(lab);
    if (o->ports && lab_set_ports(lab, o->ports))
        return lab_wrong_usage(
            _("--ports %s: write node1's three ports, such as 5672,15672,25672; each counts up by one "
              "for every node, without running into the next or beyond 65535"),
            o->ports);
    return 0;
}

bool lab_any_alive(const struct labdir *lab)
{
    bool alive = lab->external;
    for (size_t i = 0; i < lab->nodes_len; i++)
        alive = alive || engine_node_alive(lab, i);
    return alive;
}

const char *lab_engine_word(const struct labdir *lab)
{
    return lab->engine == ENGINE_KIT ? "kit" : "rabbitmq";
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

void lab_leave_interrupts(void)
{
    take_interrupts(false);
}

static bool print_progress(void *arg, const char *text)
{
    (void)arg;
    if (text)
        printf("%s\n", text);
    fflush(stdout);
    return !interrupted;
}

const volatile sig_atomic_t *lab_interrupts(void)
{
    return &interrupted;
}

/* Starts the lab; messages and queues of the last one in this folder are kept if it was of the same nodes. */
int lab_start(struct labdir *lab, bool fresh)
{
    struct labdir old;
    char *error = NULL;
    int err;
    if (labdir_load(&old, lab->path, &error) == 0) {
        if (lab_any_alive(&old)) {
            char *down = lab_typed(&old, "lab", WORDS("down"));
            fprintf(stderr,
                    _("lab: a lab is running in %s already; use it, run `%s` first, or name another folder "
                      "with --dir\n"),
                    old.path, down);
            free(down);
            return LAB_EXIT_NOT_DONE;
        }
        if (!fresh && !same_nodes(&old, lab))
            printf(_("%s: the last lab here was another one (nodes of %s: %zu; now of %s: %zu): it starts "
                     "empty, "
                     "without the old one's queues and messages\n"),
                   lab->path, lab_engine_word(&old), old.nodes_len, lab_engine_word(lab), lab->nodes_len);
        if ((fresh || !same_nodes(&old, lab)) && (err = labdir_wipe(&old, &error)))
            return lab_failed(err, error);
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
    int code = lab_failed(err, error ? error : xstrdup(_("interrupted: the lab is stopped again")));
    if (err == ERR_BUSY) {
        char *elsewhere = lab_typed(lab, "lab", WORDS("--ports", "6672,16672,26672"));
        fprintf(stderr,
                _("lab: if that is a lab of another folder, `%s down --dir FOLDER` ends it; else start this "
                  "one on other ports: `%s`\n"),
                lab_program, elsewhere);
        free(elsewhere);
    }
    return interrupted ? 128 + interrupted : code;
}

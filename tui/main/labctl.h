/* labctl.h: what the files of labctl share. labctl is rabbitmqctl for a lab: the same verbs, columns, headers
 * and exit codes, whichever engine runs. On the rabbitmq engine it runs the real rabbitmqctl; on the kit it
 * asks a node's control socket and prints in rabbitmqctl's shapes (recorded from RabbitMQ 3.10.8).
 *
 * The rule it keeps: a verb returns when what it asked for is so, and says so with its exit code. */
#ifndef TUI_MAIN_LABCTL_H
#define TUI_MAIN_LABCTL_H

#include <jansson.h>
#include <stdio.h>

#include "base/text.h"
#include "base/vec.h"
#include "lab/labdir.h"

/* rabbitmqctl's exit codes (rabbit_common's ExitCodes; the numbers of sysexits.h) */
enum ctl_exit {
    CTL_OK = 0,
    CTL_USAGE = 64,       /* wrong words; also: the app is stopped */
    CTL_DATA = 65,        /* what was asked about is not there or not so */
    CTL_NOUSER = 67,      /* no such user */
    CTL_UNAVAILABLE = 69, /* the node cannot be reached, or it refused */
    CTL_SOFTWARE = 70,    /* labctl itself is wrong */
    CTL_TEMPFAIL = 75,    /* it did not happen in time */
    CTL_CONFIG = 78,      /* the lab's folder or configuration */
};

struct ctl_option {
    const char *name;  /* "vhost", without dashes */
    const char *value; /* NULL: a switch */
};

/* One command line, taken apart. Points into argv. */
struct ctl_line {
    const char *program; /* as it was called: "build/labctl", "labctl" */
    const char *dir, *node;
    const char *verb;               /* NULL: none was given */
    VEC(const char *) args;         /* after the verb, without options */
    VEC(struct ctl_option) options; /* all others than --dir and --node, in order */
    VEC(const char *) given;        /* the words as typed, for "Arguments given:" and rabbitmqctl */
    const char *wrong_option;       /* one that needs a value and has none, or NULL */
};

/* Takes argv apart. Options may stand anywhere; "--name=value" and "--name value" are the same. */
void ctl_line_parse(struct ctl_line *line, int argc, char **argv);
void ctl_line_finish(struct ctl_line *line);
bool ctl_option_on(const struct ctl_line *line, const char *name);
const char *ctl_option(const struct ctl_line *line, const char *name, const char *otherwise);

/* What a verb works with. */
struct ctl {
    struct ctl_line line;
    struct labdir lab;
    int node; /* index in lab.nodes, or -1: the lab has no node of that name */
    FILE *out, *err;
};

/* The name of the node that was asked for, as this engine calls it ("node1", "node1@localhost"). */
const char *ctl_node_name(struct ctl *c, char *buffer, size_t len);

/* One command, from words to exit code (labctl_run.c). */
int ctl_run(int argc, char **argv, FILE *out, FILE *err);

/* ---- verbs that are the same on both engines ---- */
int ctl_kill(struct ctl *c);
int ctl_start(struct ctl *c);

/* ---- engines ---- */
int ctl_rabbitmq(struct ctl *c);
int ctl_rabbitmq_links(struct ctl *c); /* cut, heal */
int ctl_kit(struct ctl *c);

/* ---- the kit: asking a node (labctl_kit.c) ---- */

/* One request to a node's control socket. On CTL_OK *answer is a new reference to what it said ("ok": true or
 * false); else what is wrong has been printed. timeout_ms 0: as long as it takes. */
int ctl_ask(struct ctl *c, const char *node, json_t *request /* taken */, unsigned timeout_ms,
            json_t **answer);

/* The same; while no answer comes, meanwhile(c, node) is called every CTL_MEANWHILE_MS. */
#define CTL_MEANWHILE_MS 2000
typedef void ctl_meanwhile_fn(struct ctl *c, const char *node, void *arg);
int ctl_ask_patiently(struct ctl *c, const char *node, json_t *request /* taken */, unsigned timeout_ms,
                      ctl_meanwhile_fn *meanwhile, void *arg, json_t **answer);

/* Quietly: what the node's process says of itself ({"cmd": "status"}); NULL: it does not answer. New. */
json_t *ctl_status_of(struct ctl *c, const char *node);
/* For whom it waits, and what to do, in one line; NULL: it does not wait. New. */
char *ctl_waits_text(const char *node, const json_t *status);

/* One request to its management API. On CTL_OK *status is HTTP's and *body a new reference (NULL: none). */
int ctl_api(struct ctl *c, const char *method, const char *path, json_t *body /* taken */, int *status,
            json_t **out);
char *ctl_path(const char *prefix, const char *name); /* prefix and the percent-encoded name; new */
const char *ctl_reason(const json_t *body);           /* "reason" of an error body, or "" */
unsigned ctl_timeout_ms(struct ctl *c, unsigned otherwise);

/* ---- the kit: verbs ---- */

struct ctl_verb {
    const char *name, *group, *words; /* words: for usage, behind the verb's name */
    const char *summary;
    size_t words_min, words_max; /* without options */
    const char *options;         /* space-separated names of those it takes, besides the general ones */
    const char *banner; /* NULL: none; %1 %2 %3 its words, %n the node, %v the vhost, %p the priority */
    int (*run)(struct ctl *c);
};
extern const struct ctl_verb ctl_verbs[];
extern const size_t ctl_verbs_len;
const struct ctl_verb *ctl_find_verb(const char *name);
int ctl_check_words(struct ctl *c, const struct ctl_verb *v); /* CTL_OK, or what is wrong has been said */

/* Usage, errors in how labctl was called (labctl_usage.c). */
int ctl_usage(FILE *out, int exit_code); /* the list of verbs */
/* One line: there is no such verb, which one was probably meant (one of labctl's, or like, which may be
 * NULL), where all are listed. CTL_USAGE. */
int ctl_unknown_verb(struct ctl *c, const char *verb, const char *like);
int ctl_wrong_words(struct ctl *c, const struct ctl_verb *v, const char *why, ...)
    __attribute__((format(printf, 3, 4))); /* "Error ..., Arguments given, Usage" */
int ctl_help(struct ctl *c);
const char *ctl_bold(FILE *out, bool on); /* an escape sequence on a terminal, else "" */

/* An error of a verb, as rabbitmqctl prints it: "Error:" and the text. Returns exit_code. */
int ctl_error(struct ctl *c, int exit_code, const char *text, ...) __attribute__((format(printf, 3, 4)));
bool ctl_speaks(struct ctl *c); /* banners are wanted */

/* labctl_lists.c */
int ctl_list(struct ctl *c);
int ctl_check_columns(struct ctl *c); /* CTL_OK, or what is wrong has been said */
int ctl_events(struct ctl *c);
/* labctl_status.c */
int ctl_status(struct ctl *c);
int ctl_cluster_status(struct ctl *c);
/* labctl_members.c */
int ctl_forget_cluster_node(struct ctl *c);
int ctl_reset(struct ctl *c);
int ctl_force_reset(struct ctl *c);
int ctl_join_cluster(struct ctl *c);
int ctl_force_boot(struct ctl *c);
int ctl_needs_stopped(struct ctl *c,
                      const struct ctl_verb *v); /* CTL_OK: the app is; else it has been said */
/* labctl_verbs.c: the rest */

/* ---- tables (labctl_table.c) ---- */

/* A column: its name, where it is in a row's JSON ("channel_details.name"; NULL: nobody knows it here), and
 * how it is written. */
enum ctl_cell {
    CELL_PLAIN,     /* as it is; absent and null: nothing */
    CELL_ARGUMENTS, /* [] or [{"x-message-ttl",100}] */
    CELL_TAGS,      /* [administrator] */
    CELL_TERMS,     /* [<a>, <b>] */
    CELL_JSON,      /* JSON text */
    CELL_STATE,     /* running; {syncing, 60000} */
};
struct ctl_column {
    const char *name, *path;
    enum ctl_cell cell;
};

/* Prints rows (an array of objects) as --formatter says. wanted: column names; every one is in columns. */
int ctl_print_table(struct ctl *c, const json_t *rows, const struct ctl_column *columns, size_t columns_len,
                    const char *const *wanted, size_t wanted_len);
bool ctl_formatter(struct ctl *c, const char *name); /* "json": is it asked for? */

#endif

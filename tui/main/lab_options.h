/* lab_options.h: a command line of lab, taken apart (lab_options.c), and the lab that it describes, started
 * (lab_start.c). Of lab.c and these two; lab.h is between all files of the program. */
#ifndef TUI_MAIN_LAB_OPTIONS_H
#define TUI_MAIN_LAB_OPTIONS_H

#include <signal.h>
#include <stdbool.h>

#include "lab/labdir.h"

struct options {
    const char *dir, *config, *engine, *ports;
    long nodes; /* 0: not told */
    bool fresh, headless, force, json, readonly, plain;
    const char *replay, *beside, *record, *script;
    int replay_fd; /* as in tui_options */
    bool fake_clock;
    int test_fd;
    char *no_locale; /* what to say of a locale that is not installed; or NULL */
};

/* How this program was called, for texts that say what to type next: "build/lab" where it is not on the PATH.
 * Set once, in main. */
extern const char *lab_program;
extern const char lab_usage[];
/* What is to be typed next for this lab: "lab down", "build/labctl --dir DIR -n node1 start_app" where it is
 * not in the folder that they take by themselves. program: "lab" or "labctl"; words: WORDS("down"); NULL:
 * none. The caller frees it. */
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
char *lab_typed(const struct labdir *lab, const char *program, const char *const *words);

/* Options may stand anywhere; the words that are left are argv[optind..]. 0, an exit code, or -1 for help. */
int lab_read_options(int argc, char **argv, struct options *o);
int lab_read_number(const char *text, long low, long high, long *out); /* 0 or ERR_INVALID */

/* Says what is wrong with the command line; the exit code for it. */
int lab_wrong_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints the message (NULL: the error's own) and frees it; the exit code for this kind of error. */
int lab_failed(int err, char *error);

/* Defaults, then --config, then the other options. 0 or an exit code. */
int lab_describe(const struct options *o, size_t default_nodes, struct labdir *lab);
bool lab_any_alive(const struct labdir *lab); /* true of one that runs elsewhere */
const char *lab_engine_word(const struct labdir *lab);

/* Starts the lab; messages and queues of the last one in this folder are kept if it was of the same nodes,
 * unless fresh. 0 or an exit code. Ctrl-C meanwhile stops what was started; *lab_interrupts() is the signal
 * then. */
int lab_start(struct labdir *lab, bool fresh);
const volatile sig_atomic_t *lab_interrupts(void);
void lab_leave_interrupts(void); /* from now on Ctrl-C ends this program, as it does any other */

#endif

/* support.h: what a test of real processes needs: a lab of its own in a folder and on ports of its own,
 * programs run with their output caught, and waiting for facts.
 *
 * The rules it keeps: nothing waits for a fixed time, only for a fact with a deadline; what was started is
 * ended by its pid, also when a test fails or runs out of time. Knows neither cmocka nor an engine. */
#ifndef CLUSTER_SUPPORT_H
#define CLUSTER_SUPPORT_H

#include <limits.h>
#include <sys/types.h>

#include "base/text.h"
#include "tests/cluster/http.h"

struct lab {
    char bin[PATH_MAX];        /* where lab and labctl are: $BUILD, else build */
    char dir[PATH_MAX];        /* the lab's folder, made and removed by lab_init and lab_finish */
    uint16_t amqp, http, peer; /* node1's ports; the next nodes count up */
    unsigned nodes;
    bool up;
};

/* ---- programs and time --------------------------------------------------------------------------------- */

/* Runs a program to its end (or kills it and its process group after timeout_ms), stdout and stderr together
 * into out (cleared first; may be NULL). Returns its exit code, 128 + signal, or -1 out of time, -2 if it
 * could not be started (then out says why). */
int run_program(struct text *out, int timeout_ms, const char *const argv[]);
#define RUN(out, ...) run_program((out), 60000, (const char *const[]){__VA_ARGS__, NULL})

int64_t support_now_ms(void); /* monotonic */
typedef bool fact_fn(void *arg);

/* A process is there, and no zombie. A node removes its pid file before it ends: who waits for its end keeps
 * the pid. */
bool process_alive(pid_t pid);
bool wait_ended(pid_t pid, int timeout_ms);

/* Asks until it is so; false once timeout_ms have passed. */
bool wait_until(fact_fn *fact, void *arg, int timeout_ms);

/* ---- a lab of one's own -------------------------------------------------------------------------------- */

/* A new folder under $TMPDIR or /tmp, and free ports (looked for from MIRRORLAB_TEST_PORT, else 61000, up:
 * above Linux's range for outgoing connections, one of which could otherwise sit on a port that a node
 * wants). Installs handlers so that SIGTERM, SIGINT and SIGALRM kill the lab's nodes before this program
 * ends. */
bool lab_init(struct lab *lab, unsigned nodes);
/* build/lab up with that folder and those ports; what it printed is in *out. false: it did not return 0. */
bool lab_up(struct lab *lab, const char *engine, const char *config, struct text *out);
/* build/lab down, then SIGKILL for what is left, then the folder is removed. true: down did its part. */
bool lab_finish(struct lab *lab);

static inline uint16_t lab_amqp(const struct lab *lab, unsigned node)
{
    return (uint16_t)(lab->amqp + node - 1);
}
static inline uint16_t lab_http(const struct lab *lab, unsigned node)
{
    return (uint16_t)(lab->http + node - 1);
}
const char *lab_url(const struct lab *lab,
                    unsigned node);                  /* amqp://admin:123@127.0.0.1:PORT, in a static buffer */
pid_t lab_pid(const struct lab *lab, unsigned node); /* from its pid file; 0 if there is none */
bool lab_alive(const struct lab *lab, unsigned node); /* that process is there and no zombie */

/* build/labctl --dir DIR WORDS...; -n node included in the words. Returns its exit code. */
int labctl_words(const struct lab *lab, struct text *out, const char *const *words);
#define LABCTL(lab, out, ...) labctl_words((lab), (out), (const char *const[]){__VA_ARGS__, NULL})

/* ---- facts, as node `asked` tells them over HTTP ------------------------------------------------------- */

/* A queue as JSON (GET /api/queues/%2F/NAME, else from the list); NULL if that node does not know it. */
json_t *lab_queue(const struct lab *lab, unsigned asked, const char *queue);
/* Whether `node` runs: 1, 0, or -1 if `asked` does not answer or does not list it. */
int lab_running(const struct lab *lab, unsigned asked, unsigned node);

/* The number in a name such as "node2@localhost"; 0 if it is not one. */
unsigned node_number(const char *name);

struct queue_facts {
    char state[32];
    unsigned master;                    /* 0: unknown */
    unsigned mirrors, synced;           /* how many */
    unsigned mirror;                    /* the first one's node */
    unsigned mirror_bits, synced_bits;  /* bit n: node n holds a mirror; one in sync */
    long long messages, ready, unacked; /* -1: not told */
    bool plus_one;                      /* what the console shows as "+1" */
    char policy[64];
};
bool lab_facts(const struct lab *lab, unsigned asked, const char *queue, struct queue_facts *out);

#endif

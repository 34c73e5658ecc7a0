/* sched.h: schedules: what happens to a cluster, as text, one event a line, to be read as a story and played
 * again (docs/schedules.md). The simulator writes them when a promise breaks, the search writes the shortest
 * that loses a message, `lab replay` plays them on any of the three worlds.
 *
 *     # one message, nobody synchronises the mirror that came back
 *     nodes   3
 *     rule    oldest
 *     policy  ha ^q {"ha-mode":"all"}
 *     declare q durable
 *
 *     publish node1 q
 *     kill    node2
 *     +40     kill node3          40 ms after the line before, whatever goes on
 *     expect  m1 lost L1
 *
 * Here is the one reader of that text. It only reads: what an event does is told by those who play it. */
#ifndef BASE_SCHED_H
#define BASE_SCHED_H

#include "base/base.h"
#include "base/vec.h"

#define SCHED_NODES   6 /* as many as are simulated */
#define SCHED_CLIENTS 16
#define SCHED_EVENTS  10000
#define SCHED_NONE    UINT8_MAX

/* verb, its word, its arguments (see sched.c), what they are called */
#define SCHED_VERBS(X)                                                                                       \
    X(SCHED_PUBLISH, "publish", "nwo", "NODE QUEUE [COUNT] [transient] [hurried]")                           \
    X(SCHED_CONSUME, "consume", "nwd", "NODE QUEUE COUNT")                                                   \
    X(SCHED_KILL, "kill", "N", "NODE...")                                                                    \
    X(SCHED_STOP, "stop", "N", "NODE...")                                                                    \
    X(SCHED_START, "start", "N", "NODE...")                                                                  \
    X(SCHED_SYNC, "sync", "w", "QUEUE")                                                                      \
    X(SCHED_CANCEL_SYNC, "cancel-sync", "w", "QUEUE")                                                        \
    X(SCHED_CUT, "cut", "nn", "NODE NODE")                                                                   \
    X(SCHED_CUT_NOW, "cut-now", "nn", "NODE NODE")                                                           \
    X(SCHED_CUT_ONE_WAY, "cut-one-way", "nn", "NODE NODE")                                                   \
    X(SCHED_PART, "part", "c", "NODE,NODE,...")                                                              \
    X(SCHED_HEAL, "heal", "h", "[NODE NODE]")                                                                \
    X(SCHED_CLOG, "clog", "nnd", "NODE NODE MS")                                                             \
    X(SCHED_SLOW, "slow", "nndd", "NODE NODE FACTOR MS")                                                     \
    X(SCHED_FAIL_WRITE, "fail-write", "n", "NODE")                                                           \
    X(SCHED_FAIL_SYNC, "fail-sync", "n", "NODE")                                                             \
    X(SCHED_FULL_DISK, "full-disk", "n", "NODE")                                                             \
    X(SCHED_FREE_DISK, "free-disk", "n", "NODE")                                                             \
    X(SCHED_CLOCK, "clock", "nj", "NODE MS")                                                                 \
    X(SCHED_FORGET, "forget", "n", "NODE")                                                                   \
    X(SCHED_FORGET_OFFLINE, "forget-offline", "nn", "NODE NODE")                                             \
    X(SCHED_RESET, "reset", "n", "NODE")                                                                     \
    X(SCHED_FORCE, "force", "n", "NODE")                                                                     \
    X(SCHED_LOSE_DISK, "lose-disk", "n", "NODE")                                                             \
    X(SCHED_POLICY, "policy", "wwr", "NAME PATTERN [PRIORITY] DEFINITION")                                   \
    X(SCHED_CLEAR, "clear", "w", "NAME")                                                                     \
    X(SCHED_DECLARE, "declare", "wta", "QUEUE [durable|transient|auto-delete] [ARGUMENTS]")                  \
    X(SCHED_DELETE, "delete", "w", "QUEUE")                                                                  \
    X(SCHED_PURGE, "purge", "w", "QUEUE")                                                                    \
    X(SCHED_PUT, "put", "ww", "KEY VALUE")                                                                   \
    X(SCHED_UNPUT, "unput", "w", "KEY")                                                                      \
    X(SCHED_CALM, "calm", "", "")

enum sched_verb {
#define X(verb, word, arguments, names) verb,
    SCHED_VERBS(X)
#undef X
        SCHED_VERB_COUNT_
};
const char *sched_verb_word(enum sched_verb v);

/* What begins a seed's schedule, and what ends it, as a step of its own. */
#define SCHED_BEGIN "start all"
#define SCHED_END   "heal, start and consume all"

enum sched_queue_kind { SCHED_QUEUE_DURABLE, SCHED_QUEUE_TRANSIENT, SCHED_QUEUE_AUTO_DELETE };

struct sched_event {
    unsigned line;
    unsigned step; /* 1, 2, ...; 0: it belongs to the set-up */
    bool timed;    /* wait_ms after the line before; else once all that the line before led to is over */
    uint64_t wait_ms;
    uint64_t luck; /* +MS~LUCK: from here on the dice of the seed fall otherwise, with each number; 0: they do
                      not */
    bool rushed;   /* the line after it is timed: nothing is waited for but the clock */
    enum sched_verb verb;
    uint8_t node, other;  /* 0: node1; SCHED_NONE */
    uint32_t nodes;       /* bit i: node i + 1; also `node` alone */
    char *name;           /* queue, policy, key; as the verb's first word */
    char *second, *third; /* pattern, definition; value; declare: third is its arguments, or NULL */
    uint64_t numbers[2];  /* COUNT; MS; FACTOR MS; PRIORITY (0) */
    int64_t jump_ms;      /* clock: may be negative */
    bool transient;       /* publish: not persistent */
    bool hurried;         /* publish: goes on as soon as it is confirmed */
    enum sched_queue_kind queue_kind;
    char *text; /* the line without comment, spaces made one */
};

/* Who uses the queues by itself while the events happen; only the simulator has them. A line each:
 *
 *     publisher 1 q messages 20 every 5000us persistent 100%
 *     consumer  2 q every 9000us prefetch 3 settles 2000us requeues 20%
 */
enum sched_client_kind {
    SCHED_PUBLISHER,
    SCHED_CONSUMER,
    SCHED_GETTER, /* basic.get */
    SCHED_OWNER,  /* of an exclusive queue, which it declares, and publishes to */
    SCHED_CLIENT_COUNT_
};
const char *sched_client_word(enum sched_client_kind kind);

struct sched_client {
    unsigned line;
    enum sched_client_kind kind;
    unsigned number; /* its luck comes from the seed and this */
    char *queue;
    uint32_t every_us; /* about so long between two acts */
    uint32_t messages; /* PUBLISHER: how many in all */
    uint32_t persistent_percent;
    uint32_t prefetch;  /* CONSUMER; 0: no limit */
    uint32_t settle_us; /* about so long from a delivery to its acknowledgement */
    uint32_t requeue_percent, discard_percent, leave_percent;
    bool no_ack, cancel_on_failover;
    bool durable; /* OWNER: how it declares its queue */
};
struct text;
/* Its line, with the newline, as sched_parse reads it. */
void sched_client_write(struct text *t, const struct sched_client *c);

enum sched_fate {
    SCHED_KEPT,
    SCHED_LOST,
    SCHED_UNAVAILABLE,
    SCHED_CONSUMED,
    SCHED_DROPPED, /* by its queue, which was too full */
    SCHED_EXPIRED, /* its time, or its queue's, was over */
    SCHED_FATE_COUNT_
};
const char *sched_fate_word(enum sched_fate f);
/* Through which door "L1" to "L5" it was lost, in words (docs/semantics.md). "none of the ways L1 to L5
 * explains it" for others. */
const char *sched_door_words(const char *door);

struct sched_expect {
    unsigned line;
    char world[12];   /* "": wherever it is played; else "sim", "kit", "rabbitmq", before the general one */
    unsigned message; /* 1: m1; 0: all that no other line speaks of */
    enum sched_fate fate;
    char door[4];  /* lost: "L1" to "L5"; "": any */
    unsigned step; /* lost: at this step; 0: any */
};

enum sched_partitions { SCHED_IGNORE, SCHED_PAUSE_MINORITY, SCHED_AUTOHEAL };

struct sched {
    char *title; /* its first comment line; "" */
    unsigned nodes;
    char *rule;         /* "kit" unless it says otherwise; whether there is such a rule is not known here */
    unsigned rule_line; /* that says so; 0: none */
    enum sched_partitions partitions;
    bool seeded; /* its links, disks and luck are those of swarm's seed: only the simulator has them */
    uint64_t seed;
    char *faults; /* that the seed draws from, as swarm --faults names them; "": the usual ones */
    VEC(struct sched_client) clients;
    VEC(struct sched_event) events; /* set-up first */
    unsigned steps;
    VEC(struct sched_expect) expects;
};

/* Reads a schedule's text; file is its name, for messages. 0, or ERR_INVALID and *error: "FILE:LINE: what,
 * with the value, and what to write instead" (the caller frees it); *s is then empty. */
int sched_parse(struct sched *s, const char *file, const char *text, char **error);
/* One event's line, for those who make schedules up as they go. */
int sched_parse_event(struct sched_event *e, const char *file, unsigned line, const char *text, char **error);
void sched_event_finish(struct sched_event *e);
void sched_finish(struct sched *s);

#endif

/* replay.h: plays a schedule (base/sched.h) and says what became of every message. The same schedule is
 * played in three worlds: the simulator, the kit's processes, real RabbitMQ. A world does what an event says,
 * waits until it is a fact, and shows its queues; which message was lost, at which step and through which
 * door, is concluded here, by one rule for all, from nothing but what was shown.
 *
 * The rule: a message is lost when its queue runs and does not hold it, though it was confirmed, not consumed
 * and not removed by an operator or a limit of its queue (replay_limits.h). While its queue does not run it
 * is unavailable, and nobody can say more.
 *
 * What cannot be done as things are (nobody serves, the queue does not run or has no mirrors) is a fact of
 * its step, in the same words in all worlds, and the schedule goes on; what could never be done ends it. */
#ifndef LAB_REPLAY_H
#define LAB_REPLAY_H

#include <signal.h>
#include <stdio.h>

#include "base/sched.h"
#include "base/text.h"
#include "lab/fact.h"

enum replay_state {
    REPLAY_GONE, /* no node knows it */
    REPLAY_RUNNING,
    REPLAY_STOPPED,
    REPLAY_DOWN,
};

/* One of several masters of a queue, each on its side of a partition. */
struct replay_side {
    uint8_t master;
    uint32_t mirrors, synced;
    unsigned unacked; /* of what it holds */
    VEC(unsigned) holds;
};

/* A queue at rest, as the nodes that run show it. */
struct replay_queue {
    enum replay_state state;
    uint8_t master;           /* 0: node1; SCHED_NONE: nobody says */
    uint32_t mirrors, synced; /* bit i: node i + 1 */
    VEC(unsigned) holds;      /* numbers of messages; only while it runs; by whoever serves it */
    unsigned unacked; /* of these, with clients that have not acknowledged them; only a seed's clients wait */
    bool empty;       /* holds nothing, as it counts */
    struct replay_side sides[SCHED_NODES]; /* two masters or more: each; above stands the first one's, and */
    unsigned sides_len;                    /* `holds` what any of them holds */
    char policy[64];                       /* its name, as far as there is room; "": none, or not said */
};
void replay_add_side(struct replay_queue *q, const struct replay_queue *said,
                     size_t holds_from);            /* its own: from there */
void replay_queue_one_side(struct replay_queue *q); /* forgets the others */
void replay_put_in_order(struct replay_queue *q); /* once all sides are added: each message once, by number */
void replay_queue_finish(struct replay_queue *q);
uint32_t replay_holders(const struct replay_queue *q,
                        unsigned number); /* nodes, as far as masters say; it runs */

enum replay_answer { /* of a publish */
                     REPLAY_UNANSWERED,
                     REPLAY_CONFIRMED,
                     REPLAY_REFUSED,
                     REPLAY_UNROUTABLE,
                     REPLAY_NOT_SERVED
};

/* Limits of one queue, of its arguments and the policy that applies; of two numbers the lower. -1: none. */
struct replay_bounds {
    int64_t length, bytes, ttl_ms, expires_ms;
    bool priorities; /* x-max-priority: its head need not be its oldest */
};

enum replay_ending { /* by a limit of its queue */
                     REPLAY_NOT_ENDED,
                     REPLAY_TOO_MANY,      /* max-length */
                     REPLAY_TOO_LONG,      /* max-length-bytes */
                     REPLAY_EXPIRED,       /* message-ttl */
                     REPLAY_QUEUE_EXPIRED, /* expires: its queue is gone */
};

enum replay_got {                       /* by a consume */
                  REPLAY_TOOK,          /* what there was, up to COUNT */
                  REPLAY_NOTHING_RUNS,  /* its queue did not run */
                  REPLAY_NOBODY_SERVES, /* that node served nobody */
};

/* What one node says of all the nodes, itself among them. */
struct replay_others {
    uint32_t running; /* they run, for all it knows; 0: it does not answer, or serves nobody */
    uint32_t linked;  /* it has a link to them */
    uint32_t parted;  /* from these it was cut off, and they have not come together since */
};

/* One of the three. arg is the world's own; functions return 0, or an error and in *why what could not be
 * done or did not become a fact in time, and what to do. */
struct replay_world {
    const char *name; /* "sim" */
    const char *rule; /* its rule of promotion, if it has no choice; NULL: the one the schedule names */
    int (*begin)(void *arg, const struct sched *s, char **why); /* all nodes run and see each other */
    /* Does everything but publish and consume, and returns once it is so: then *fact (NULL before) says what
     * was seen of the nodes. A timed event that another follows at once need not wait for all that it leads
     * to. */
    int (*act)(void *arg, const struct sched_event *e, json_t **fact, char **why);
    /* Publishes messages first .. first + count - 1, and waits for their answers. */
    int (*publish)(void *arg, const struct sched_event *e, unsigned first, unsigned count,
                   enum replay_answer *answers, char **why);
    /* Takes up to count messages and acknowledges them; *taken: their numbers. */
    int (*consume)(void *arg, const struct sched_event *e, unsigned count, unsigned *taken, unsigned *len,
                   enum replay_got *got, char **why);
    void (*wait)(void *arg, uint64_t ms); /* a timed event's */
    uint64_t (*now_ms)(void *arg);        /* its clock */
    uint32_t (*serving)(void *arg);       /* nodes that serve clients now */
    uint32_t (*off)(void *arg);           /* nodes that do not run: neither do they wait for others */
    /* What this node says of all; nothing (zeroes), if it does not answer. */
    void (*others)(void *arg, unsigned node, struct replay_others *out);
    int (*rest)(void *arg, char **why); /* until nothing changes any more */
    /* The queue as all that serve show it; asked: as those do whom the node sees that operators ask, the
     * first that serves. */
    int (*look)(void *arg, const char *queue, bool asked, struct replay_queue *out, char **why);
};

struct replay_message {
    char *queue;
    uint8_t node; /* published through it */
    unsigned step;
    bool transient, consumed, unavailable;
    bool fleeting;          /* no disk keeps it: it is transient, or its queue is not durable */
    bool apart;             /* unavailable, though its queue runs: on disks of another side, which is away */
    bool removing, removed; /* by an operator: asked for; done, as far as was shown */
    uint8_t taken_at;       /* consumed: through this node; SCHED_NONE: nobody says */
    enum replay_answer answer;
    unsigned lost_step;       /* 0: it is not lost */
    char door[4];             /* "L1"; "": no door explains it */
    uint32_t holders;         /* nodes that had it when it was confirmed */
    uint32_t alive;           /* nodes that have it, as far as was shown, and have not ended since; */
    uint32_t disk;            /* that have ended, and will find it on their disks; */
    uint32_t side;            /* that saw each other when it was shown last, */
    uint32_t masters, synced; /* and of those who served its queue and had it, and who was in sync */
    enum replay_ending ending;
    unsigned ended_step;   /* a limit ended it then */
    uint64_t published_ms; /* by the world's clock: not earlier */
    int64_t ttl_ms;        /* that its queue gave it then; -1: none */
    bool unlooked;         /* lost, and events since it was looked for before were not waited for */
    bool mirrors_gone;     /* lost, and every mirror that had it had been away since (L2) */
};

/* What was shown so far, for who shows it in another way (a recording of it, for the screen). */
struct replay_seen {
    const char *name;
    const struct replay_queue *queue;
};
struct replay_result;
/* After an event; all of it is borrowed for the call. */
struct replay_shown {
    const json_t *fact;                       /* what was seen of what it does; NULL: nothing */
    uint32_t away;                            /* nodes that do not run */
    struct replay_others others[SCHED_NODES]; /* what each node says of all */
    const struct replay_seen *queues;         /* as they were last looked at */
    size_t queues_len;
    const struct replay_result *so_far; /* the messages as they are known by now */
};
struct replay_watch {
    void (*before)(void *arg, const struct sched_event *e); /* it is going to be done; may be NULL */
    void (*after)(void *arg, const struct sched_event *e, const struct replay_shown *shown);
    void *arg;
};

struct replay_result {
    /* set by the caller */
    const struct replay_watch *watch;           /* NULL: nobody watches */
    const char *(*translate)(const char *text); /* as fact_text's: the language of what is printed */

    VEC(struct replay_message) messages; /* m1 first */
    bool as_expected;                    /* also if nothing was expected */
    char *problem; /* why it was not played to its end, or the first that is not as expected; NULL: nothing */
    unsigned steps; /* that were played */
};

/* Plays it and prints every step and the fates to out. 0, or an error when it could not be played to its end
 * (told on out, too). replay_result_finish frees what is in *result in both cases. */
int replay_play(const struct sched *s, const char *name, const struct replay_world *world, void *arg,
                FILE *out, struct replay_result *result);
void replay_result_finish(struct replay_result *r);
enum sched_fate replay_fate(const struct replay_message *m);

void replay_node_list(struct text *t, uint32_t nodes); /* "node1 node3" */

/* Facts that all worlds tell: these nodes do not run; these run (again), those wait for others, and those
 * were forgotten, and have been told so. */
json_t *replay_fact_ended(uint32_t nodes);
json_t *replay_fact_started(uint32_t running, uint32_t waiting, uint32_t forgotten);
/* format: of one list, "%s consumed": "m1 m3-m7 consumed" */
json_t *replay_fact_messages(const char *format, const unsigned *m, size_t len);
json_t *replay_fact_queue(const char *name, const struct replay_queue *q);

const char *replay_answer_word(enum replay_answer a); /* "confirmed", marked for translators */

/* replay_nodes.c: the kit's processes or RabbitMQ, in a lab that is started for it and ended after it. */
struct labdir;
int replay_on_nodes(const struct sched *s, const char *name, struct labdir *lab,
                    const volatile sig_atomic_t *stop, FILE *out,
                    struct replay_result *result); /* *stop becomes 1: ends early */

#endif

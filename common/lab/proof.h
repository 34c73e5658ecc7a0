/* proof.h (private to common/lab): the facts that prove a lesson's step, read from lesson.cfg and held
 * against snapshots. In lesson.cfg a proof is a list of groups, each about one thing:
 *
 *     { node = "node1"; state = "not running"; said_by_at_least = 2; }
 *     { queue = "mirrior_hello"; master_is_not = "node1"; synced_mirrors_at_least = 1; }
 *     { policy = "mirrior"; pattern = "^mirrior"; definition = "{...}"; }
 *     { output_contains = [ "this text", "or this one" ]; }
 *
 * had_messages is about the past: beside messages_unknown what the queue held when it was seen last;
 * otherwise the most it was seen to hold in this lesson. untaken: since the last step that ran something was
 * proved, no look saw it hold fewer than the one before: what that step left there is there. messages_kept:
 * it holds as many as before the last step that did something had begun to show (a stop, say), or more.
 *
 * copy_on, no_copy_on: of a queue that is served, a node that is its master or one of its mirrors, or is
 * neither.
 *
 * tell = [ "messages" ]: all of a group has to hold, and these of its keys are repeated beside the tick
 * (`seen`), where there is room for little; without it, all are; with [], none is.
 *
 * answers = false, and state = "not running": the node has stopped. One that is frozen or cut off from here
 * says nothing either, and the others may count it out; but no connection to it is refused. Then it may run
 * as well, so neither holds (node_seen.unrefused; an old recording does not say it). A node whose process is
 * gone does not run, whatever else answers at its port.
 *
 * Each key is one check. The rule it keeps: a check holds only if a node that is alive says so now; what
 * nobody can say now is neither true nor false. */
#ifndef LAB_PROOF_H
#define LAB_PROOF_H

#include "base/map.h"
#include "lab/complain.h"
#include "lab/fact.h"
#include "lab/snapshot.h"

enum verdict { VERDICT_NO, VERDICT_UNKNOWN, VERDICT_YES };

/* Of a node that is away: its process is, too. These are what proofs say then, and what is looked for in what
 * they said: no orderly stop of its app, which leaves the process. */
#define FACT_NOT_RUNNING_AND_GONE N_("%s not running, its process is gone")
#define FACT_SILENT_AND_GONE      N_("%s does not answer, its process is gone")

struct proof;

/* How many messages a queue was seen to hold in a lesson. */
struct queue_count {
    int64_t most;
    int64_t level;    /* the last that was no single look */
    ms_time fewer_at; /* one look saw fewer than that: when it was said; 0: none did */
    int64_t before;   /* `level` when nothing of the step that acts was seen yet (messages_kept); -1: never */
    bool fell;        /* fewer were there than before (untaken) */
};

/* What a proof may look at. */
struct evidence {
    const struct snapshot *snapshot;
    const struct map *counts; /* queue name -> struct queue_count */
    const char *output;       /* of the step's own action; NULL: none yet */
    bool acted, runs;         /* that action was begun; it has not ended */
    const char *waits_s;      /* how many seconds it waits at most, as a learner gave them; NULL: it does not
                                 say */
};

/* What one look found. */
struct finding {
    enum verdict verdict; /* of all checks together */
    size_t held;          /* checks that hold, not counting those that are about the past */
    ms_time as_of;        /* the oldest moment that what was used was said at */
    json_t *seen;    /* of the checks that hold, and are told: "master=node2; in sync={node3}"; NULL: none */
    json_t *missing; /* the first that is false (or else unknown): what was seen instead, and what is
                        wanted, "master=node3, node1 wanted"; NULL: all hold */
    json_t *instead; /* of it only what was seen */
    bool sayers;     /* it counts nodes that say so: too few do */
    const char *of_policy; /* the queue of which something is false that a policy decides; NULL: none; the
                              proof's */
    const char *master; /* another node than the wanted one is the master: which; the snapshot's; or NULL */
    bool torn;          /* a partition gives its queue several masters */
    bool counted;       /* it counts messages, and there are others than the step leads to */
};

/* NULL, and what is wrong and what to write instead was said, if it is not one. */
struct proof *proof_parse(const config_setting_t *list, struct complaint *complaint);
void proof_destroy(struct proof *p);

void proof_look(const struct proof *p, const struct evidence *e, struct finding *out);
void finding_finish(struct finding *f);

/* One check, by itself: in words "mirrior_hello master is not node1: master=node2", and whether it holds. */
size_t proof_checks(const struct proof *p);
json_t *proof_explain(const struct proof *p, size_t check, const struct evidence *e, bool *holds);

/* It asks that this node does not run, or does not answer. */
bool proof_wants_away(const struct proof *p, const char *node);

#endif

/* ledger.h: what became of messages, from what nodes noted of them (snapshot->trace) and what they hold now
 * (snapshot->copies). No canvas, no clock.
 *
 * The rules it keeps: what was not observed is not in it; a message is *unavailable* as long as any node that
 * may hold it is away; it is *lost* when every node that ever held it answers, none has it, nobody took it or
 * was sent it, the master that took it was heard itself, and that was seen twice running. Then it stays lost,
 * whoever goes away after that, unless a node says that it has it. */
#ifndef TUI_LEDGER_H
#define TUI_LEDGER_H

#include "base/vec.h"
#include "lab/snapshot.h"

/* One observation of a run of messages of one queue, all of them by their number, from 0 (ledger_number). */
struct fact {
    enum trace_seen_kind kind;
    int16_t node, about, origin;
    bool redelivered, unsynced, more;
    bool in_memory, logged; /* ENQUEUED, COPIED: some of them; neither: nobody says */
    bool received;          /* DELIVERED, CONFIRMED: the program said so, before our eyes */
    bool before;            /* received: before those of an earlier screen */
    int64_t from_us, until_us;
    uint64_t queue_uid, reign, first, last, count;
    uint64_t incarnation, number; /* ENQUEUED, COPIED: the publisher's node's life and number of `first` */
};

enum verdict {
    VERDICT_UNKNOWN,     /* nobody can say */
    VERDICT_KEPT,        /* somebody who is alive holds it, or a consumer has it */
    VERDICT_UNAVAILABLE, /* its only copies are on nodes that are away */
    VERDICT_LOST,
    VERDICT_REMOVED,    /* on purpose: rejected, purged, expired, dropped */
    VERDICT_HANDED_OUT, /* and gone, and no ack was heard of: whether it arrived nobody can say */
};

/* the words of docs/semantics.md */
enum fate_word {
    FATE_UNKNOWN,
    FATE_UNCONFIRMED,
    FATE_CONFIRMED,
    FATE_HELD,
    FATE_UNAVAILABLE,
    FATE_DELIVERED,
    FATE_REDELIVERED,
    FATE_CONSUMED,
    FATE_LOST,
};

struct fate {
    enum verdict verdict;
    enum fate_word word;
    node_bits held, away; /* who has it now; who had it and is away */
    node_bits taken_on;   /* masters that let it go to a consumer, though others hold it: another side's */
    bool acked, out;      /* taken_on: acknowledged, not sent with auto-ack; held: a consumer has it, too */
    bool confirmed, auto_acked, received, dead_lettered;
    bool before;            /* received: from an earlier screen's program; LOST: as that one saw */
    bool untold;            /* UNKNOWN, and that stays so: who took it forgot what it did with it */
    bool unasked;           /* UNKNOWN: nobody was asked then what nodes hold of its queue */
    bool in_memory, logged; /* UNAVAILABLE, LOST: memory alone held it, for it or its queue is transient;
                               its holders' logs, too; neither: not known */
    enum trace_seen_kind removed; /* REMOVED: how: DISCARDED, EXPIRED, DROPPED, PURGED */
};

struct fate_range {
    uint64_t first, last;
    struct fate fate;
};

/* What a node held when it last said so. */
struct last_copy {
    bool known, answers;
    bool master, mirror, all;
    struct held_range *held;
    size_t held_len;
};

/* The places first..last that one master gave are the messages from `number` on; see ledger_number.c. */
struct number_run {
    uint64_t uid, reign, first, last, number;
    bool again; /* they have these numbers already: publishes that were offered again after a failover */
};

/* A node that had answered this screen does not any more, or does again. */
struct absence {
    int node;
    bool ends;
    bool said; /* others say that it does not run */
    int64_t at_us;
};

/* A program that this screen ran says that it received so many messages, or confirms; taken with the
 * snapshot after the next. */
struct receipt {
    char *queue;
    enum trace_seen_kind kind; /* DELIVERED, CONFIRMED */
    int64_t since_us;          /* when it began */
    uint64_t count;
    bool asked;       /* the nodes were, once since then */
    bool before;      /* an earlier screen ran it (kept.h) */
    int64_t until_us; /* what came later is not its; 0: not known */
};

/* Messages that were seen to be lost, and where, if that was seen. They are kept for the next screen
 * (kept.h): what a node noted goes with its process. */
struct loss {
    uint64_t uid, first, last; /* of the queue; numbers */
    int node;                  /* -1: not seen */
    const char *how;           /* a moment's label, constant; NULL: not seen */
    bool before;               /* an earlier screen saw it */
    bool in_memory, logged;    /* memory alone held it; logs did; neither: not known */
};

/* Memory alone holds these, or logs do: as their queue's counts say (ledger_memory.c). */
struct keeping {
    uint64_t uid, first, last;
    bool logged;
};

/* the same of all that a queue had in one snapshot */
struct counted_keeping {
    uint64_t uid, count, first, last; /* count 0: they said nothing that is sure */
    bool logged;
};

/* ledger_copy.c copies all of it. */
struct ledger {
    VEC(struct keeping) keepings;
    struct counted_keeping counted; /* in the snapshot before */
    VEC(struct loss) losses;
    VEC(struct receipt) receipts, taken; /* taken: those that marked something */
    VEC(struct absence) absences;
    node_bits answered, absent; /* ever; not now, though once */
    int64_t began_us;           /* nothing was seen before */
    VEC(struct number_run) numbers;
    VEC(struct fact) facts;   /* by time */
    bool forgotten;           /* the oldest are not kept any more */
    node_bits gaps;           /* nodes that did not note everything */
    VEC(struct fact) pending; /* of a publisher's numbers whose place in the queue is not known yet */
    VEC(struct ledger_name {
        char *name;
        uint64_t uid;
        uint64_t more;        /* of its messages seen to be lost, so many are in no run of losses */
        uint64_t more_before; /* the same of an earlier screen */
    })
    names; /* the newest queue of each name */

    /* of the queue that is looked at */
    char *wanted; /* whatever snapshots looked at, it is this one (of a past: ledger_want); NULL: theirs */
    bool unasked; /* the newest snapshot looked at another: of this one only what nodes noted is known */
    char *queue;
    uint64_t uid; /* 0: not known */
    struct last_copy copies[LIMIT_NODES];
    VEC(struct fate_range) fates;   /* by number, neighbours differ; what nobody knows of is left out */
    VEC(struct held_range) missing; /* in the snapshot before */
    bool missing_changed;

    /* of a past that is gone through (time_player.c): what was noted is kept, fates are found at its end */
    bool passing;
    int late;      /* so many snapshots have to be judged anew: "twice running" looks at two */
    uint64_t calm; /* of a past: snapshots since something was new, those that were left out too */
};

void ledger_finish(struct ledger *l); /* and begins anew */

/* Takes in a snapshot; each one once, in their order. */
void ledger_observe(struct ledger *l, const struct snapshot *s);

/* From the next snapshot on it is about this queue (copied; NULL: the one that a snapshot looked at).
 * Snapshots that looked at another tell what nodes noted of this one, not what they hold of it. */
void ledger_want(struct ledger *l, const char *queue);

/* ledger_fate.c: what became of every message of the queue that is looked at. */
void ledger_find_fates(struct ledger *l, const struct snapshot *s);

/* ledger_memory.c: what the queue's counts say of how its messages are kept; true: more than was known. */
bool ledger_note_keeping(struct ledger *l, const struct snapshot *s);

/* ledger_receipt.c: marks what reached such programs as received; true: there were any. */
bool ledger_take_receipts(struct ledger *l);

/* ledger_loss.c. ledger_take_up_loss: what an earlier screen saw of this queue, how by its word, with the
 * numbers that it gave (ledger.numbers) handed in before; ledger_take_up_more: how many it saw lost besides.
 * ledger_keep_losses: what fates say now.
 * ledger_lost_before: of the queue that is looked at; NULL: no earlier screen saw this one lost. */
void ledger_take_up_loss(struct ledger *l, const char *queue, struct loss loss, const char *how);
void ledger_take_up_more(struct ledger *l, const char *queue, uint64_t uid, uint64_t count);
void ledger_keep_losses(struct ledger *l, const struct snapshot *s);
const struct loss *ledger_lost_before(const struct ledger *l, uint64_t id);
/* How many of this queue were seen to be lost; of_side: with a partition's losing side, -1: not known, for
 * there are more runs of them than are kept. */
long long ledger_lost_of(const struct ledger *l, const char *queue, bool of_side);
void ledger_know_name(struct ledger *l, const char *name, uint64_t uid);

/* The number of a place that this master gave, and up to which place they go on from there: *last, at most
 * what it was. A place that was never heard of gets one. */
uint64_t ledger_number(struct ledger *l, uint64_t uid, uint64_t reign, uint64_t place, uint64_t *last);
/* The same of a fact's first place, before it is kept: a publish that has a number keeps it. */
uint64_t ledger_number_of(struct ledger *l, const struct fact *f, uint64_t *last);
uint64_t ledger_last_number(const struct ledger *l); /* of the queue that is looked at */

const struct fate_range *ledger_fate(const struct ledger *l, uint64_t id); /* NULL: nobody knows of it */

/* The message to show when nobody chose one: the first that is lost, or unavailable, or else the first of
 * all; 0 if there is none. */
uint64_t ledger_first(const struct ledger *l);

/* ---- one message's life ----------------------------------------------------------------------------------
 */

enum { PARTY_PRODUCER = -1, PARTY_CONSUMER = LIMIT_NODES, PARTY_NOBODY = -2 };

enum moment_kind {
    MOMENT_ARROW,    /* from -> to, observed by one of them */
    MOMENT_INFERRED, /* the same, but nobody observed it: it follows from what was */
    MOMENT_MARK,     /* something at `from` */
    MOMENT_DOWN,     /* `from` does not run any more */
    MOMENT_SILENT,   /* `from` does not answer; nobody says why */
    MOMENT_UNLINKED, /* `from` calls `to` down, which answers all the time: the link between them is cut */
    MOMENT_UP,
};

struct moment {
    enum moment_kind kind;
    int from, to; /* a node's index, or PARTY_*; MARK, DOWN, SILENT, UP: to is PARTY_NOBODY */
    int64_t at_us;
    bool received;             /* by a program: it answered, or said so before our eyes */
    bool about;                /* at_us is not exact: it was noted together with others */
    char letter;               /* MARK: drawn at its place; 0: '|' */
    enum trace_seen_kind fact; /* TRACE_SEEN_LEN: none */
    const char *label;         /* an English word or two, constant; the view translates it */
    uint64_t count;            /* PROMOTED, BACK: messages; else 0 */
    bool without;              /* PROMOTED, BACK: it was not among these messages */
    bool side;                 /* MARK: what `from` held on its side of a partition is discarded */
    bool bad;                  /* here it was lost, or (returned) found to be */
    bool returned;             /* `from` runs again after it was away: UP, BACK */
    bool memory;               /* DOWN, SILENT: memory alone held it, and this was its last holder's */
};

struct life {
    VEC(struct moment) moments;
    struct fate fate;
    unsigned published, confirmed, refused, delivered, redelivered, acked;
    node_bits part;       /* nodes that have a part in it */
    node_bits down_first; /* that did not run when it began */
    int home;             /* the node whose master took it; -1: not seen */
    int went_with;        /* LOST: the node that had it last, by what was seen until it was found lost; -1 */
    node_bits copies;     /* nodes whose mirrors took it */
};

/* The life of message `id` of the queue that is looked at. s: for nodes and events. */
void ledger_life(const struct ledger *l, const struct snapshot *s, uint64_t id, struct life *out);
void life_finish(struct life *life);

/* Something went wrong in its time: a node went, was cut off or took over. Before that nothing is survived.
 */
bool life_was_tried(const struct life *life);

#endif

/* check.h: looks at every node after each of its steps and compares what it shows with what the ledger, the
 * disks and the other nodes show. It knows the promises (semantics.md, I1 to I12), not the library: all it
 * uses are the pure queries of mirror.h. What it compares with is only ever a fact, never what the library
 * says it believes; where a loss is excused, the door is established from facts, too.
 *
 * check.c sees (snapshots, who holds what), check_replica.c judges what is held and what went (I1,
 * I3), check_copies.c mirrors against masters (I8), check_view.c views and promotions (I9), check_limits.c,
 * check_head.c and check_consumers.c what a master gives to whom and what it gives up, check_calm.c holds
 * everything to its final shape once nothing is on its way. */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "base/map.h"
#include "base/vec.h"
#include "mirror/mirror.h"
#include "sim/ledger.h"

struct sim;

struct seen_message {
    msg_id id;
    uint32_t message;
    bool unacked, redelivered;
};

/* What a node says of a queue, shortened. */
struct seen_info {
    bool valid;
    uint64_t life, epoch, generation;
    uint32_t view;
    enum queue_state state;
    node_id master;
    uint8_t mirrors_len;
    node_id mirrors[SIM_NODES];
    node_set synced;
    bool local, replica;
    uint64_t
        definition; /* a hash of what policies say of it there: each node hears of a change in its own time */
    node_set named; /* by a policy of mode nodes; 0: none */
    bool promote_always_on_shutdown,
        promote_synced_on_failure; /* where the policy differs from the defaults */
};

struct seen_queue {
    bool present;                 /* in the node's table */
    struct seen_info now, before; /* before: when master, generation or availability were last different */
    uint32_t since;               /* the first view in which now was as it is in these three */
    struct seen_info changing;    /* in a view that was installed and is not served yet, */
    struct seen_info overtaken;   /* and in one before that, which never was */
    size_t synced_at;             /* its disk knows who is in sync now once it has so many records */
    VEC(struct seen_message) items;
    msg_id next;             /* after the highest id held in this life and generation */
    uint32_t limits_changes; /* of its limits, when it was looked at last */
    bool timed;              /* then it was master, and gave messages a time to live */
    uint64_t consumed_in;    /* the generation in which it is master and has had a consumer; 0: none */
};

struct seen_node {
    bool in_view; /* it was installed in a view in this life */
    bool holding; /* it has served in this life: its memory counts, its disk no more */
    struct view_info view;
    uint32_t at; /* the view it is in, or was in last as its log has it: index of check.views; 0: none yet */
    uint64_t at_us;   /* when it came into that view */
    ms_time leave_ms; /* by its own clock: when it last said that it leaves in order */
    node_set left; /* stopped in order while it served with them: it need not wait for these when it starts */
    node_set out_of; /* of the view that it was installed in in this life, and is out of before it served */
    node_set stayed; /* went on, in a view without it, when it stopped in order: it waits for these when it
                        starts */
    bool changed_sides;            /* that one does not come from the one it served in before */
    VEC(struct seen_queue) queues; /* by place in the ledger */
    struct map keys;               /* as it told them: key -> value, a string */
};

/* A node as a queue's master: two may be at a time, on two sides of a partition. */
struct seen_reign {
    uint64_t generation;         /* the latest of this master that any node has shown, */
    uint32_t shown_in;           /* in this view: another side of a partition has numbers of its own */
    msg_id next;                 /* after the highest it held */
    msg_id joined_at[SIM_NODES]; /* a mirror owes this and what came later; while it is not synchronised */
    uint32_t joined_in[SIM_NODES];
    uint32_t promoted_in; /* the view in which it took over */
};

struct watched_queue {
    uint64_t generation; /* the latest that any node has shown */
    struct seen_reign reigns[SIM_NODES];
};

/* Views form a tree: the view a coordinator was in before is the parent of the one it makes. Without cuts it
 * has one branch. */
struct seen_view {
    uint64_t epoch, life; /* life: of its coordinator */
    node_id coordinator;
    bool served; /* by any node; else it may have come to nothing */
    bool beside; /* at the same time as another branch */
    uint32_t parent;
};

struct checked_key {    /* all are durable */
    char *name, *value; /* value: of the last answered change; NULL: removed */
    char *asked;        /* of the one that is asked for */
    uint64_t ask;
    bool unclear;
};

struct check {
    struct seen_node nodes[SIM_NODES];
    VEC(struct seen_view) views;      /* [0] is none */
    VEC(struct watched_queue) queues; /* by place in the ledger */
    VEC(struct checked_key) keys;
    VEC(uint32_t) vanished;       /* in this step: nobody holds them any more */
    VEC(uint32_t) synced_changes; /* queues of which this step said anew who is in sync */
    VEC(uint32_t) given_up;       /* in this step, by their master: to be dead-lettered in the same */
    VEC(struct seen_message) walk;
    uint64_t stamp;
    VEC(uint64_t) stamps; /* by message: the walk that saw it last */
    uint64_t promotions, unsynced_promotions;
};

void check_init(struct sim *s);
void check_finish(struct sim *s);

void check_refresh(struct sim *s, node_id n);   /* after the step, before its effects */
void check_after(struct sim *s, node_id n);     /* after its effects */
void check_left(struct sim *s, node_id n);      /* it has stopped in order */
void check_reset(struct sim *s, node_id n);     /* an operator has emptied its log */
void check_disk_lost(struct sim *s, node_id n); /* it is about to be emptied, and all nodes are off */
void check_begun(struct sim *s, node_id n);     /* it is in a view */
void check_node_up(struct sim *s, node_id n);
void check_node_gone(struct sim *s, node_id n,
                     bool restarts);          /* it has stopped, was killed, or begins again by itself */
void check_on_disk(struct sim *s, node_id n); /* more of its log is synced */
void check_published(struct sim *s, node_id n, uint32_t message);
void check_confirmed(struct sim *s, node_id n, uint32_t message);
void check_delivered(struct sim *s, node_id n, uint32_t message);
void check_calm(struct sim *s); /* nothing is on its way */
void check_drained(
    struct sim *s); /* and every queue was emptied by consumers: what is confirmed was consumed */

/* check_limits.c */
void check_limits_note(const struct sim *s, struct ledger_queue *q, const struct queue_info *info);
bool check_limits_end(struct sim *s, uint32_t message); /* true: its queue's limits explain that it is gone */
/* the same, of one that the master, n, does not hold */
bool check_limits_end_at(struct sim *s, node_id n, uint32_t message);
bool check_limits_expired(struct sim *s, uint32_t queue); /* true: the queue may have expired */
void check_refused(struct sim *s, node_id n, uint32_t message);
void check_limits_calm(struct sim *s, node_id n, uint32_t queue, const struct queue_info *info);

/* check_head.c */
void check_head(struct sim *s, node_id n, uint32_t queue, const struct queue_info *info);
void check_dead_letter(struct sim *s, node_id n, const struct effect *fx);
/* Since when its time to live may count: before that its master had not taken it. */
uint64_t check_time_began(const struct sim *s, const struct ledger_queue *q, const struct ledger_message *m);
void check_given(struct sim *s, node_id n); /* what the step gave up was dead-lettered */

/* check_consumers.c */
/* Before the ledger knows. late: by an earlier master (ask.c). */
void check_handed_out(struct sim *s, node_id n, uint32_t delivery, bool no_ack, bool late);
void check_cancelled(struct sim *s, node_id n, uint64_t sub);
bool check_has(const struct sim *s, const struct ledger_message *m,
               uint64_t generation); /* a consumer does */
/* What n showed of the queue last, in whatever view, served or not. */
const struct seen_info *check_shown(struct sim *s, node_id n, uint32_t queue);
void check_used(struct sim *s, uint64_t ask); /* it was answered */
void check_consumers_calm(struct sim *s, node_id n, uint32_t queue, const struct queue_info *info);

/* check_policy.c */
char *check_policy_value(const char *pattern, int32_t priority, const char *definition); /* the caller's */
void check_policy_applies(struct sim *s, node_id n, const struct queue_info *q);         /* as n shows it */
void check_policy_asked(struct sim *s, const struct event *ev, uint64_t ask);

/* check_keys.c */
void check_key_asked(struct sim *s, const char *name, const char *value,
                     uint64_t ask); /* value NULL: delete */
void check_key_answered(struct sim *s, uint64_t ask, enum answer_status how);
void check_key_told(struct sim *s, node_id n, const struct effect *fx);
void check_keys_forced(struct sim *s); /* a forced start may go on without the last change */
void check_keys_forget(struct sim *s, node_id n);
void check_keys_calm(struct sim *s, node_set members);
void check_keys_finish(struct sim *s);

/* ---- between the checker's own files ---- */

enum cause { CAUSE_STEP, CAUSE_DOWN, CAUSE_RESTART, CAUSE_UP, CAUSE_OPERATOR };
void check_losses(struct sim *s, node_id n, enum cause cause); /* judges the vanished, empties the list */
/* n has started, and has forgotten these for good: queues of theirs that nobody can have any more are not in
 * its table. */
void check_forgotten(struct sim *s, node_id n, node_set forgets);
/* n does not list it any more, because the node it waited for was forgotten. */
void check_queue_forgotten(struct sim *s, node_id n, uint32_t queue);
void check_copies(struct sim *s,
                  node_id n); /* check_copies.c: n's replicas against their masters or mirrors */
void check_promoted(struct sim *s, node_id n, uint32_t queue); /* n has just become this queue's master */
/* n shows a master that nobody has shown before; known: what it said until then */
void check_new_master(struct sim *s, node_id n, uint32_t queue, const struct seen_info *known,
                      const struct seen_info *now);
void check_choice(struct sim *s, node_id n, uint32_t queue); /* was the outcome the rules'? */
void check_views(struct sim *s, node_id n);

/* check_split.c: on which side of a partition */
uint32_t view_seen(struct sim *s, node_id n, const struct view_info *v); /* which one this is */
void view_recovered(struct sim *s, node_id n,
                    uint64_t epoch); /* n begins with the log of this one; 0: of none */
bool view_leads_to(const struct sim *s, uint32_t a, uint32_t b);  /* a is b, or a view before it */
bool check_parted(const struct sim *s, node_id n, uint32_t view); /* that view is no past of node n's */
/* A node that runs, is in another view than n and is no member of n's, holds the message. */
bool check_elsewhere(const struct sim *s, node_id n, const struct ledger_message *m);
/* The view that lost it is n's, or one before it, and a node of another side, whose view does not come from
 * that one, has found it and holds it. */
bool check_lost_before(const struct sim *s, node_id n, const struct ledger_message *m);
/* n has come over from the side of a partition that held it. */
bool check_discarded(const struct sim *s, node_id n, const struct ledger_message *m);
/* n holds it no more. If that was so, what is left of its old side will be discarded, too. */
void check_given_up(struct sim *s, node_id n, struct ledger_message *m);
void check_two_views(struct sim *s, node_id a, node_id b); /* both serve: counts two sides */
void check_sides(struct sim *s);  /* calm, all links healed: who lists whom as partitioned */
void check_healed(struct sim *s); /* and whoever had to be restarted was: one view, nobody lists anybody */
struct seen_queue *seen_queue(struct sim *s, node_id n, uint32_t queue);
/* Whether a definition (JSON) says key: "value". */
bool check_says(const char *definition, const char *key, const char *value);
static inline bool info_available(const struct seen_info *i)
{
    return i->state == QUEUE_RUNNING || i->state == QUEUE_SYNCING;
}
static inline bool info_same_outcome(const struct seen_info *a, const struct seen_info *b)
{
    return a->valid == b->valid && a->generation == b->generation && a->master == b->master &&
           info_available(a) == info_available(b);
}

#endif

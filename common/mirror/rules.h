/* rules.h: the two decisions that keep or lose messages, as functions that anybody can write: who becomes
 * master, and when a publish is confirmed. A node takes them from mirror_options.rules; NULL means the kit's
 * own. Exercises and the search (sim/search.h) put others in their place.
 *
 * A rule is pure: the same input, the same answer, on every node that is asked. */
#ifndef MIRROR_RULES_H
#define MIRROR_RULES_H

#include "mirror/types.h"

/* A mirror that is still there when its master has gone. */
struct candidate {
    node_id node;
    bool synchronised; /* it has all that its master had */
    uint64_t messages; /* it holds */
};

struct promotion {
    const struct candidate *candidates; /* oldest mirror first */
    size_t len;                         /* at least 1 */
    bool in_order;            /* the master was stopped in order; false: it crashed, or is cut off */
    bool shutdown_always;     /* policy: ha-promote-on-shutdown is always */
    bool failure_when_synced; /* policy: ha-promote-on-failure is when-synced */
};

/* instead of a candidate: the queue waits, stopped or down, for its master's node */
#define RULE_NOBODY SIZE_MAX

/* A mirror's copy of one message. */
struct message_copy {
    node_id node;
    bool synchronised; /* this mirror has all that its master has */
    bool has, on_disk; /* the message */
};

struct confirmation {
    bool needs_disk; /* it is persistent and its queue durable */
    bool on_disk;    /* at the master, which has it */
    const struct message_copy *mirrors;
    size_t len; /* may be 0 */
};

struct mirror_rules {
    const char *name;
    /* Index of the candidate that takes over, or RULE_NOBODY. */
    size_t (*pick_master)(void *arg, const struct promotion *p);
    /* May the master confirm now? Once true for a message it must stay so. NULL: the master and every mirror
     * have it, on disk if it needs the disk. */
    bool (*can_confirm)(void *arg, const struct confirmation *c);
    void *arg; /* handed to both */
};

/* The rules that lessons talk about: "kit" (first), "oldest", "newest", "newest-of-all", "most-messages",
 * "synchronised-only". NULL: no rule has that name. */
const struct mirror_rules *rules_named(const char *name);
const struct mirror_rules *rules_at(size_t index);     /* NULL after the last */
const char *rules_about(const struct mirror_rules *r); /* one line; "" for a rule that is not built in */

#endif

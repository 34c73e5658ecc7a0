/* proof_private.h: between proof_read.c, which reads a proof, and proof.c, which holds it against what was
 * seen. One table of keys (an X-macro) is what the reader accepts, what its errors list and what the looking
 * decides. */
#ifndef LAB_PROOF_PRIVATE_H
#define LAB_PROOF_PRIVATE_H

#include "base/vec.h"
#include "lab/proof.h"

enum subject { SUBJECT_NODE, SUBJECT_QUEUE, SUBJECT_POLICY, SUBJECT_OUTPUT };
enum value_kind { VALUE_NUMBER, VALUE_TEXT, VALUE_BOOL };

/* id, subject, key in lesson.cfg, its value, what is asked for: of whom, and the value if it is not a bool */
#define CHECK_TABLE(X)                                                                                       \
    X(CHECK_NODE_STATE, SUBJECT_NODE, "state", VALUE_TEXT, N_("%s state %s"))                                \
    X(CHECK_NODE_SAID_BY, SUBJECT_NODE, "said_by_at_least", VALUE_NUMBER, N_("%s said by at least %s"))      \
    X(CHECK_NODE_ANSWERS, SUBJECT_NODE, "answers", VALUE_BOOL, N_("%s answers"))                             \
    X(CHECK_QUEUE_EXISTS, SUBJECT_QUEUE, "exists", VALUE_BOOL, N_("%s exists"))                              \
    X(CHECK_QUEUE_STATE, SUBJECT_QUEUE, "state", VALUE_TEXT, N_("%s state %s"))                              \
    X(CHECK_QUEUE_MESSAGES, SUBJECT_QUEUE, "messages", VALUE_NUMBER, N_("%s messages %s"))                   \
    X(CHECK_QUEUE_MESSAGES_MIN, SUBJECT_QUEUE, "messages_at_least", VALUE_NUMBER,                            \
      N_("%s messages at least %s"))                                                                         \
    X(CHECK_QUEUE_PERSISTENT, SUBJECT_QUEUE, "persistent_messages", VALUE_NUMBER,                            \
      N_("%s persistent messages %s"))                                                                       \
    X(CHECK_QUEUE_UNKNOWN, SUBJECT_QUEUE, "messages_unknown", VALUE_BOOL, N_("%s messages unknown"))         \
    X(CHECK_QUEUE_HAD, SUBJECT_QUEUE, "had_messages", VALUE_NUMBER, N_("%s had at least %s before"))         \
    X(CHECK_QUEUE_UNTAKEN, SUBJECT_QUEUE, "untaken", VALUE_BOOL, N_("%s untaken"))                           \
    X(CHECK_QUEUE_KEPT, SUBJECT_QUEUE, "messages_kept", VALUE_BOOL, N_("%s messages kept"))                  \
    X(CHECK_QUEUE_MASTER, SUBJECT_QUEUE, "master", VALUE_TEXT, N_("%s master %s"))                           \
    X(CHECK_QUEUE_MASTER_NOT, SUBJECT_QUEUE, "master_is_not", VALUE_TEXT, N_("%s master is not %s"))         \
    X(CHECK_QUEUE_COPY, SUBJECT_QUEUE, "copy_on", VALUE_TEXT, N_("%s has a copy on %s"))                     \
    X(CHECK_QUEUE_NO_COPY, SUBJECT_QUEUE, "no_copy_on", VALUE_TEXT, N_("%s has no copy on %s"))              \
    X(CHECK_QUEUE_MIRRORS, SUBJECT_QUEUE, "mirrors", VALUE_NUMBER, N_("%s mirrors %s"))                      \
    X(CHECK_QUEUE_MIRRORS_MIN, SUBJECT_QUEUE, "mirrors_at_least", VALUE_NUMBER,                              \
      N_("%s mirrors at least %s"))                                                                          \
    X(CHECK_QUEUE_SYNCED_MIN, SUBJECT_QUEUE, "synced_mirrors_at_least", VALUE_NUMBER,                        \
      N_("%s mirrors in sync at least %s"))                                                                  \
    X(CHECK_QUEUE_DURABLE, SUBJECT_QUEUE, "durable", VALUE_BOOL, N_("%s durable"))                           \
    X(CHECK_QUEUE_POLICY, SUBJECT_QUEUE, "policy", VALUE_TEXT, N_("%s effective policy %s"))                 \
    X(CHECK_POLICY_PATTERN, SUBJECT_POLICY, "pattern", VALUE_TEXT, N_("policy %s pattern %s"))               \
    X(CHECK_POLICY_DEFINITION, SUBJECT_POLICY, "definition", VALUE_TEXT, N_("policy %s definition %s"))      \
    X(CHECK_OUTPUT, SUBJECT_OUTPUT, "output_contains", VALUE_TEXT, N_("the program printed %s"))

enum check_id {
#define X(id, subject, key, value, words) id,
    CHECK_TABLE(X)
#undef X
        CHECK_COUNT_
};

struct check_kind {
    enum subject subject;
    const char *key;
    enum value_kind value;
    const char *asks; /* a format (fact.h) */
};
extern const struct check_kind proof_checks_known[CHECK_COUNT_]; /* by id */

struct check {
    enum check_id id;
    char *name;        /* of the node, queue or policy; NULL for output */
    int64_t number;    /* VALUE_NUMBER; VALUE_BOOL: 0 or 1 */
    VEC(char *) words; /* VALUE_TEXT: any of these */
    bool untold;       /* not repeated beside the tick */
};

struct proof {
    VEC(struct check) checks;
    size_t queues; /* how many queues it speaks of: with one, its name is not repeated on every line */
};

#endif

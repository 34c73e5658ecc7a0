/* merge.h: from what each node answered to one snapshot. Private to common/lab; no sockets here, so that
 * tests can hand it recordings of a real cluster. */
#ifndef LAB_MERGE_H
#define LAB_MERGE_H

#include "lab/labdir.h"
#include "lab/snapshot.h"

/* What one node answered in one round. The documents are null where it was not asked or did not answer. */
struct node_answer {
    bool answered;     /* nodes, and queues and policies if it was asked for them, came with status 200 */
    bool has_feed;     /* it keeps an event feed (the kit's nodes do, RabbitMQ's do not) */
    bool gone;         /* it did not, and its process is not there; false: it is, or nobody knows */
    bool unrefused;    /* it did not, though no connection to it was refused */
    int64_t since_ms;  /* its process is there since then, since 1970; 0: not known */
    ms_time at;        /* when its answer was complete; 0: never answered so far */
    const char *error; /* why not, for the screen; NULL if it answered */
    json_t *nodes, *queues, *policies, *events; /* borrowed; the bodies of GET /api/nodes, ... */
    json_t *log;   /* what its log told since the last round (node_log.h), answered or not; NULL: nothing */
    json_t *trace; /* GET /api/trace (the kit's nodes) */
    /* GET /api/queues/%2F/NAME, the same/bindings, /api/connections, /api/channels */
    json_t *queue, *bindings, *connections, *channels;
};

/* merge_trace.c: what is said of single messages, and the documents that are kept whole. looked_at: the queue
 * that was asked about, or NULL. */
void merge_trace(struct snapshot *s, const struct node_answer *answers, size_t answers_len,
                 const char *looked_at);

struct merge_time {
    ms_time now;          /* the observer's monotonic clock */
    int64_t wall_ms;      /* since 1970 */
    int64_t seen_wall_ms; /* until then an earlier screen listened to the nodes; 0: none did */
};

/* answers: one for each of lab's nodes, in its order; before: the previous snapshot or NULL. The result is
 * the caller's.
 *
 * - A node is UP if it answers or a node that answers says it runs; NOT_RUNNING if one says it does not and
 *   none says it does.
 * - The lists of queues and policies are one node's, whole: that of the answering node whose list of running
 *   nodes agrees best with who answers. (Just after a stop, that is the node that has noticed.)
 * - But a node that answers and says that it is a queue's master is believed, whatever the others say of a
 *   node that they do not reach: with two such nodes a queue has two sides (queue_seen.sides). So is the
 * master that the list names, where it has no count of the queue, or nobody to serve it.
 * - What a list leaves out (the counts of a queue that cannot be asked) is unknown, never 0.
 * - With no answer at all, queues are kept by name, with their places as last seen, their state and counts
 *   unknown. */
struct snapshot *merge_answers(const struct labdir *lab, const struct node_answer *answers,
                               const struct snapshot *before, struct merge_time time);

/* For merge_sides.c: one entry of a list of queues, and what the snapshot before knew of it (NULL: nothing).
 */
void merge_read_queue(const struct snapshot *s, const json_t *o, const char *name, struct queue_seen *q);
void merge_remember(struct queue_seen *q, const struct snapshot *s, const struct snapshot *before);
const char *merge_queue_name(const json_t *o); /* NULL: it is none of the lab's */

/* merge_sides.c: where nodes that answer do not see each other, what each side says of its queues. */
void merge_sides(struct snapshot *s, const struct labdir *lab, const struct node_answer *answers,
                 const struct snapshot *before);
/* Whether a node's lists are not enough, and all others that answer (bits) are to be asked for theirs: it
 * counts one of them out, or has a queue whose master is one of them without its count, or as served by
 * nobody. before: to know the names by. */
bool merge_wants_others(const struct snapshot *before, const struct node_answer *answer, node_bits others);
bool merge_side_goes_on(const struct queue_seen *q,
                        const struct side_seen *side); /* in what the queue is now */
/* That node was its master in this look, or the master of one of its sides. */
bool merge_was_master(const struct queue_seen *was, int node);

int merge_node_index(const struct snapshot *s, const char *name); /* "node1@host" is node1; -1: no such */

#endif

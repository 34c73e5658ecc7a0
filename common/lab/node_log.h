/* node_log.h: what RabbitMQ's nodes write in their logs, as events in the words of the kit's own feed. Its
 * API tells how things are, not what happened: a sync that took half a second stands in the log alone.
 * Private to common/lab. */
#ifndef LAB_NODE_LOG_H
#define LAB_NODE_LOG_H

#include "lab/labdir.h"
#include "lab/merge.h"

struct node_log;

/* The log of a node of lab (borrowed), beginning with its newest lines. NULL if there is none that says what
 * a feed does not: the kit's nodes have a feed, and the logs of a cluster elsewhere are not here. */
struct node_log *node_log_open(const struct labdir *lab, size_t node);
void node_log_close(struct node_log *log); /* takes NULL */

/* What was written since the last time: {"events": [{"kind", "text", "time"}]}, as GET /api/events of the
 * kit's nodes. A new reference; NULL: nothing. log may be NULL. */
json_t *node_log_read(struct node_log *log);

/* The event that one line tells, or NULL. sync: of the queue that was named last, how many messages are
 * copied. For tests too. */
struct log_sync {
    char queue[LIMIT_NAME + 1];
    long long messages;
};
json_t *node_log_event(const char *node, const char *line, struct log_sync *sync);

#endif

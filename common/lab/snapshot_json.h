/* snapshot_json.h: what the files of a snapshot share: the format's number and its words. Private to
 * common/lab. */
#ifndef LAB_SNAPSHOT_JSON_H
#define LAB_SNAPSHOT_JSON_H

#include "lab/snapshot.h"

#define SNAPSHOT_FORMAT 1

const char *snapshot_node_word(enum node_state state);        /* "up", "not running", "unknown" */
const char *snapshot_queue_word(enum queue_seen_state state); /* "running", ..., "unknown" */

#endif

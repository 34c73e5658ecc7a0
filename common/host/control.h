/* control.h: the control socket of a node's process: how labctl reaches it, also while its app is stopped.
 * One JSON object a line in, one a line out, in order. Whoever can open the socket (mode 0600) may do
 * everything.
 *
 *     {"cmd": "ping" | "pid" | "status" | "stop_app" | "start_app"}
 *     {"cmd": "cut", "peer": "node2", "way": "in"}    "in": no word of node2 is heard, "out": none is said to
 *                                                     it; without: both
 *     {"cmd": "heal", "peer": "node2"}                without a peer: all links
 *     {"cmd": "forget_cluster_node", "peer": "node2"} it is of the cluster no more; error: in_use, not_found
 *     {"cmd": "reset"}                                forgets everything; its app has to be stopped
 *     {"cmd": "force_boot"}                           its next start waits for nobody
 *     {"cmd": "api", "method": "GET", "path": "/api/queues", "body": {...}}
 *
 *     {"ok": true, ...}   or   {"ok": false, "error": WORD, "reason": TEXT}
 */
#ifndef HOST_CONTROL_H
#define HOST_CONTROL_H

#include "host/node.h"

struct control;

/* NULL and a message in *error (caller frees) if the socket cannot be made. A socket that a dead process left
 * behind is replaced; one that somebody listens on is not. */
struct control *control_create(struct node *n, const char *socket_path, char **error);
void control_destroy(struct control *c); /* removes the socket; takes NULL */

#endif

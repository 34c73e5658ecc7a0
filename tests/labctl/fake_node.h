/* fake_node.h: a node's control socket that gives answers written down in a test. */
#ifndef TESTS_LABCTL_FAKE_NODE_H
#define TESTS_LABCTL_FAKE_NODE_H

#include <jansson.h>

struct fake_answer {
    const char *request; /* "GET /api/queues", or a cmd: "stop_app" */
    const char *answer;  /* the whole line */
};

/* Serves FOLDER/NODE/control.sock in a process of its own until it is ended. What is not among the answers (a
 * list that ends with a NULL request) is answered with {"ok": false, "error": "unexpected"}. What was asked
 * is appended to FOLDER/asked. */
int fake_node_start(const char *folder, const char *node, const struct fake_answer *answers);
void fake_node_end(int pid);

#endif

/* api.h: the management API of a node without its transport: a request in (method, path, JSON), an answer out
 * (status, JSON). The HTTP server and the control socket both ask here, so labctl, browsers and the TUI see
 * the same cluster. Paths, fields and error texts are those of RabbitMQ 3.10.8's management plugin.
 *
 * The rule it keeps: a figure is either what a node that is alive said just now, or it is absent. */
#ifndef HOST_API_H
#define HOST_API_H

#include <jansson.h>

#include "host/node.h"

#define API_PRODUCT          "mirrorlab"
#define API_PRODUCT_VERSION  "0.1.0"
#define API_RABBITMQ_VERSION "3.10.8" /* whose rules and fields these are */

struct api;

/* Also makes this node answer the questions of other nodes' APIs (node_on_query). */
struct api *api_create(struct node *n);
void api_destroy(struct api *a); /* takes NULL; requests that are still open are never answered */

struct api_request {
    const char *method;      /* "GET" */
    const char *path;        /* as it came, percent-encoded: "/api/queues/%2F/hello" */
    const char *query;       /* behind the '?', or NULL */
    struct bytes body;       /* JSON text; may be empty */
    const char *user, *tags; /* who asks */
    bool local; /* through the control socket: answers name processes (pid, slave_pids) as well */
};

struct api_answer {
    int status;           /* of HTTP: 200, 201, 204, 400, ... */
    const json_t *body;   /* NULL: none; borrowed for the call */
    const char *location; /* of what was created, or NULL */
    const char *allow;    /* 405: the methods that are there */
};

/* Everything in the request is borrowed for the call. fn is called once, now or later, unless the api is
 * destroyed first. May step the node: never call it from inside perform. */
typedef void api_answer_fn(void *arg, const struct api_answer *answer);
void api_ask(struct api *a, const struct api_request *rq, api_answer_fn *fn, void *arg);

/* The error body of RabbitMQ's API: {"error": ..., "reason": ...}; a new reference. */
json_t *api_error(const char *error, const char *reason);

#endif

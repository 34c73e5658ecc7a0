/* http.h: one blocking request to a node's management API on 127.0.0.1, as user admin / 123. For tests and
 * measuring; plain sockets, so that what is tested is not the library that serves it. */
#ifndef CLUSTER_HTTP_H
#define CLUSTER_HTTP_H

#include <jansson.h>

#include "base/text.h"

/* The status (200, 404, ...), or 0 if there was no answer in time or nobody listens. body: sent if not NULL.
 * answer: the answer's body, cleared first; may be NULL. */
int http_ask(uint16_t port, const char *method, const char *path, const char *body, int timeout_ms,
             struct text *answer);

/* GET; a new reference, or NULL if the answer was not 200 or not JSON. */
json_t *http_json(uint16_t port, const char *path);

#endif

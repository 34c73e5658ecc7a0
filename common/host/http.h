/* http.h: the management API over HTTP, on libevent's evhttp. It opens when the node begins to serve clients
 * and closes when it ceases to. */
#ifndef HOST_HTTP_H
#define HOST_HTTP_H

#include "host/node.h"

struct http_server;

/* Listens at once. NULL and a message in *error (caller frees) if the port cannot be had. */
struct http_server *http_server_create(struct node *n, const char *host, uint16_t port, char **error);

/* Closes the listener and every connection. May be called from inside a request (what a request does can end
 * with this node not serving any more): the listener closes now, the rest at the end of the turn. Takes NULL.
 */
void http_server_destroy(struct http_server *s);

#endif

/* http.c: HTTP around api.c: who asks (basic authentication), how much may be sent, how answers look. What is
 * not a request at all is answered 400 by evhttp, a body over the limit 413. */
#include "host/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "host/api.h"

#define HEADERS_MAX_BYTES 16384
#define IDLE_TIMEOUT_S    60
#define CREDENTIALS_MAX   600 /* base64 of "name:password", both at most 200 bytes */

struct http_server {
    struct node *node;
    struct api *api;
    struct evhttp *http;
    struct evhttp_bound_socket *listener;
    struct event *end; /* frees the server at the end of the turn */
    unsigned handling; /* > 0: inside a request */
    bool closing;
};

/* ---- answers ---- */

static void send_json(struct evhttp_request *rq, int status, const json_t *body)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(rq);
    evhttp_add_header(headers, "Cache-Control", "no-cache");
    struct evbuffer *out = evbuffer_new();
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (text) {
        evhttp_add_header(headers, "Content-Type", "application/json");
        evbuffer_add(out, text, strlen(text));
    }
    free(text);
    const char *reason = NULL;
    switch (status) { /* evhttp knows only some */
    case 201: reason = "Created"; break;
    case 401: reason = "Unauthorized"; break;
    case 405: reason = "Method Not Allowed"; break;
    case 503: reason = "Service Unavailable"; break;
    }
    evhttp_send_reply(rq, status, reason, out);
    evbuffer_free(out);
}

static void answer_request(void *arg, const struct api_answer *answer)
{
    struct evhttp_request *rq = arg;
    struct evkeyvalq *headers = evhttp_request_get_output_headers(rq);
    if (answer->location)
        evhttp_add_header(headers, "Location", answer->location);
    if (answer->allow)
        evhttp_add_header(headers, "Allow", answer->allow);
    send_json(rq, answer->status, answer->body);
}

static const char index_page[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\"><head><meta charset=\"utf-8\"><title>mirrorlab</title></head><body>\n"
    "<h1>mirrorlab</h1>\n"
    "<p>This is the management API of one node of a teaching broker: what happens to your messages when the\n"
    "machine that holds them stops? Its paths and fields are those of RabbitMQ 3.10's management "
    "plugin.</p>\n"
    "<ul>\n"
    "<li><a href=\"/api/overview\">/api/overview</a></li>\n"
    "<li><a href=\"/api/nodes\">/api/nodes</a></li>\n"
    "<li><a href=\"/api/queues\">/api/queues</a></li>\n"
    "<li><a href=\"/api/policies\">/api/policies</a></li>\n"
    "<li><a href=\"/api/connections\">/api/connections</a></li>\n"
    "<li><a href=\"/api/events\">/api/events</a></li>\n"
    "<li><a href=\"/api/trace\">/api/trace</a></li>\n"
    "</ul>\n"
    "<p>Run <code>lab</code> for the screen that shows all of it.</p>\n"
    "</body></html>\n";

static void send_index(struct evhttp_request *rq)
{
    struct evbuffer *out = evbuffer_new();
    evhttp_add_header(evhttp_request_get_output_headers(rq), "Content-Type", "text/html; charset=utf-8");
    evbuffer_add(out, index_page, sizeof(index_page) - 1);
    evhttp_send_reply(rq, 200, "OK", out);
    evbuffer_free(out);
}

/* ---- who asks ---- */

static bool from_loopback(struct evhttp_request *rq)
{
    char *address = NULL;
    uint16_t port = 0;
    evhttp_connection_get_peer(evhttp_request_get_connection(rq), &address, &port);
    return address && (strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
                       strncmp(address, "::ffff:127.", 11) == 0);
}

/* Decodes "Basic BASE64" into plain (NUL-terminated); false: the header is not one. */
static bool basic_credentials(const char *header, char *plain, size_t size)
{
    if (strncasecmp(header, "Basic ", 6) != 0)
        return false;
    header += 6;
    header += strspn(header, " ");
    size_t len = strlen(header);
    if (len == 0 || len % 4 != 0 || len > CREDENTIALS_MAX || len / 4 * 3 >= size)
        return false;
    int n = EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)header, (int)len);
    int padding = (header[len - 1] == '=') + (header[len - 2] == '=');
    if (n < padding)
        return false;
    plain[n - padding] = '\0';
    return strlen(plain) == (size_t)(n - padding);
}

/* NULL: refused (and answered). RabbitMQ answers a missing header without a body, a wrong one with JSON. */
static const struct broker_user *login(struct http_server *s, struct evhttp_request *rq)
{
    const char *header = evhttp_find_header(evhttp_request_get_input_headers(rq), "Authorization");
    char plain[CREDENTIALS_MAX];
    const struct broker_user *user = NULL;
    struct broker *broker = node_broker(s->node);
    if (broker && header && basic_credentials(header, plain, sizeof(plain))) {
        char *colon = strchr(plain, ':');
        if (colon)
            user = broker_login(broker, bytes_of(plain, (size_t)(colon - plain)), bytes_str(colon + 1),
                                from_loopback(rq));
    }
    if (user)
        return user;
    evhttp_add_header(evhttp_request_get_output_headers(rq), "WWW-Authenticate",
                      "Basic realm=\"" API_PRODUCT " management\"");
    json_t *body = header ? api_error("not_authorized", "Login failed") : NULL;
    send_json(rq, 401, body);
    json_decref(body);
    return NULL;
}

/* ---- requests ---- */

static const char *method_name(enum evhttp_cmd_type type)
{
    switch (type) {
    case EVHTTP_REQ_GET: return "GET";
    case EVHTTP_REQ_POST: return "POST";
    case EVHTTP_REQ_HEAD: return "HEAD";
    case EVHTTP_REQ_PUT: return "PUT";
    case EVHTTP_REQ_DELETE: return "DELETE";
    case EVHTTP_REQ_OPTIONS: return "OPTIONS";
    case EVHTTP_REQ_TRACE: return "TRACE";
    case EVHTTP_REQ_CONNECT: return "CONNECT";
    case EVHTTP_REQ_PATCH: return "PATCH";
    }
    return "?";
}

static void api_request(struct http_server *s, struct evhttp_request *rq, const char *path, const char *query)
{
    const struct broker_user *user = login(s, rq);
    if (!user)
        return;
    struct evbuffer *in = evhttp_request_get_input_buffer(rq);
    size_t len = evbuffer_get_length(in);
    struct api_request request = {
        .method = method_name(evhttp_request_get_command(rq)),
        .path = path,
        .query = query,
        .body = bytes_of(len ? evbuffer_pullup(in, -1) : NULL, len),
        .user = user->name,
        .tags = user->tags,
    };
    api_ask(s->api, &request, answer_request, rq);
}

static void end_now(struct http_server *s);

static void handle_request(struct evhttp_request *rq, void *arg)
{
    struct http_server *s = arg;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(rq);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
    if (s->closing) {
        evhttp_send_error(rq, 503, "Service Unavailable");
        return;
    }
    if (!path) {
        evhttp_send_error(rq, HTTP_BADREQUEST, NULL);
        return;
    }
    s->handling++;
    if (strcmp(path, "/") == 0 || strcmp(path, "/index.html") == 0) {
        send_index(rq);
    } else if (strcmp(path, "/api") == 0 || strcmp(path, "/api/") == 0) {
        evhttp_add_header(evhttp_request_get_output_headers(rq), "Location", "/");
        send_json(rq, 301, NULL);
    } else {
        api_request(s, rq, path, evhttp_uri_get_query(uri));
    }
    s->handling--;
}

/* ---- life ---- */

struct http_server *http_server_create(struct node *n, const char *host, uint16_t port, char **error)
{
    struct http_server *s = xcalloc(1, sizeof(*s));
    s->node = n;
    s->http = evhttp_new(node_base(n));
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
                                            EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
    evhttp_set_max_headers_size(s->http, HEADERS_MAX_BYTES);
    evhttp_set_max_body_size(s->http, LIMIT_HTTP_BODY);
    evhttp_set_timeout(s->http, IDLE_TIMEOUT_S);
    evhttp_set_default_content_type(s->http, NULL);
    evhttp_set_gencb(s->http, handle_request, s);
    errno = 0;
    s->listener = evhttp_bind_socket_with_handle(s->http, host, port);
    if (!s->listener) {
        *error = format_text("port %u on %s cannot be had for HTTP: %s", (unsigned)port, host,
                             errno ? strerror(errno) : "the address is not one of this machine's");
        evhttp_free(s->http);
        free(s);
        return NULL;
    }
    s->api = api_create(n);
    return s;
}

static void end_now(struct http_server *s)
{
    api_destroy(s->api); /* open requests are answered by nobody; their connections close */
    evhttp_free(s->http);
    if (s->end)
        event_free(s->end);
    free(s);
}

static void end_later(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    end_now(arg);
}

void http_server_destroy(struct http_server *s)
{
    if (!s || s->closing)
        return;
    if (s->handling == 0) {
        end_now(s);
        return;
    }
    s->closing = true;
    evhttp_del_accept_socket(s->http, s->listener);
    s->listener = NULL;
    struct timeval now = {0};
    s->end = evtimer_new(node_base(s->node), end_later, s);
    evtimer_add(s->end, &now);
}

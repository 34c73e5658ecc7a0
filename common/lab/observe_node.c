/* observe_node.c: one node is asked: its questions all at once, each on a connection of its own; an answer
 * that is what the last one was is not parsed again. */
#include "lab/observe_private.h"

#include <event2/buffer.h>
#include <event2/dns.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Of the many figures of nodes and queues what goes into a snapshot; their pages have documents of their own.
 */
#define NODE_COLUMNS "?columns=name,running,partitions,cluster_links.name,mem_used,uptime"

/* 200 queues in RabbitMQ's words are half a megabyte. */
#define MAX_BODY    (64 << 20)
#define MAX_HEADERS (64 << 10)

static void set_error(struct asked_node *n, char *error)
{
    if (n->error && !n->error_old) {
        free(error); /* the first one is the cause */
        return;
    }
    free(n->error);
    n->error = error;
    n->error_old = false;
}

/* What the body says, borrowed; NULL: it is not JSON. */
static json_t *said_by(struct ask *a, struct evbuffer *body)
{
    size_t len = evbuffer_get_length(body);
    json_error_t e;
    const char *bytes = len ? (const char *)evbuffer_pullup(body, -1) : "";
    if (a->said && a->body_len == len && memcmp(a->body, bytes, len) == 0)
        return a->said;
    a->node->o->parsed++;
    json_decref(a->said);
    a->said = len ? json_loadb(bytes, len, 0, &e) : NULL;
    a->body = xrealloc(a->body, len + 1);
    memcpy(a->body, bytes, len);
    a->body_len = len;
    return a->said;
}

static bool read_answer(struct ask *a, struct evhttp_request *req)
{
    struct asked_node *n = a->node;
    int status = req ? evhttp_request_get_response_code(req) : 0;
    if (a->question == ASK_EVENTS && status == 404) {
        n->feed_absent = true;
        n->has_feed = false;
        return true;
    }
    if (a->question > ASK_EVENTS &&
        status != 200) { /* what only some nodes say, or of a queue that is gone */
        n->trace_absent = n->trace_absent || (a->question == ASK_TRACE && status == 404);
        return true;
    }
    if (status == 0) {
        n->refusing = n->refusing || req; /* it is NULL where a connection broke, or there is no way */
        set_error(n, xstrdup("no connection"));
        return false;
    }
    if (status != 200) {
        set_error(n, format_text("HTTP %d%s", status, status == 401 ? " (wrong user or password)" : ""));
        return false;
    }
    a->answer = json_incref(said_by(a, evhttp_request_get_input_buffer(req)));
    if (!a->answer) {
        set_error(n, xstrdup("its answer is not JSON"));
        return false;
    }
    if (a->question == ASK_EVENTS) {
        n->has_feed = true;
    } else if (a->question != ASK_TRACE && a->question != ASK_QUEUE && !json_is_array(a->answer)) {
        set_error(n, xstrdup("its answer is not a list"));
        return false;
    }
    return true;
}

static void on_answer(struct evhttp_request *req, void *arg)
{
    struct ask *a = arg;
    struct asked_node *n = a->node;
    a->failed = !read_answer(a, req);
    if (--n->pending == 0)
        observed_node_done(n);
}

void observed_node_forget_answers(struct asked_node *n)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        json_decref(n->asks[i].answer);
        n->asks[i].answer = NULL;
        n->asks[i].failed = false;
    }
}

void observed_node_forget_bodies(struct asked_node *n)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        json_decref(n->asks[i].said);
        free(n->asks[i].body);
        n->asks[i].said = NULL;
        n->asks[i].body = NULL;
    }
}

void observed_node_hang_up(struct asked_node *n)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        if (n->asks[i].connection)
            evhttp_connection_free(n->asks[i].connection); /* drops its question without calling back */
        n->asks[i].connection = NULL;
    }
    n->pending = 0;
}

void observed_node_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct asked_node *n = arg;
    (void)fd;
    (void)what;
    set_error(n, format_text("no answer in %d ms", ANSWER_MS));
    for (size_t i = 0; i < QUESTIONS; i++)
        n->asks[i].failed = !n->asks[i].answer;
    observed_node_hang_up(n);
    observed_node_done(n);
}

static bool is_address(const char *host)
{
    struct in6_addr six;
    struct in_addr four;
    return evutil_inet_pton(AF_INET, host, &four) == 1 || evutil_inet_pton(AF_INET6, host, &six) == 1;
}

static struct evhttp_connection *connect_to(struct asked_node *n)
{
    struct observer *o = n->o;
    struct evdns_base *dns = NULL;
    if (!is_address(n->node->host)) {
        if (!o->dns)
            o->dns =
                evdns_base_new(o->base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
        dns = o->dns;
    }
    struct evhttp_connection *c = evhttp_connection_base_new(o->base, dns, n->node->host, n->node->http_port);
    ASSERT(c != NULL);
    evhttp_connection_set_max_body_size(c, MAX_BODY);
    evhttp_connection_set_max_headers_size(c, MAX_HEADERS);
    return c;
}

/* a node's page shows them whole */
static bool whole_nodes(const struct observer *o)
{
    return o->queue_page || o->connections;
}

static char *path_of(const struct ask *a)
{
    const struct asked_node *n = a->node;
    char *name = n->o->queue_asked ? evhttp_uriencode(n->o->queue_asked, -1, 0) : NULL, *path = NULL;
    switch (a->question) {
    case ASK_NODES: path = format_text("/api/nodes%s", whole_nodes(n->o) ? "" : NODE_COLUMNS); break;
    case ASK_QUEUES: path = xstrdup("/api/queues"); break;
    case ASK_POLICIES: path = xstrdup("/api/policies"); break;
    case ASK_EVENTS: path = format_text("/api/events?since=%llu", (unsigned long long)n->feed_next); break;
    case ASK_TRACE:
        path = format_text("/api/trace?since=%llu%s%s", (unsigned long long)n->trace_next,
                           name ? "&queue=" : "", name ? name : "");
        break;
    case ASK_QUEUE: path = format_text("/api/queues/%%2F/%s", name ? name : ""); break;
    case ASK_BINDINGS: path = format_text("/api/queues/%%2F/%s/bindings", name ? name : ""); break;
    case ASK_CONNECTIONS: path = xstrdup("/api/connections"); break;
    case ASK_CHANNELS: path = xstrdup("/api/channels"); break;
    case QUESTIONS: break;
    }
    free(name);
    return path;
}

/* what this node can be asked and is wanted */
static bool to_ask(const struct asked_node *n, enum question question)
{
    const struct observer *o = n->o;
    bool source = o->latest && o->latest->source == (int)(n - o->nodes);
    switch (question) {
    case ASK_NODES: return true;
    case ASK_QUEUES:
    case ASK_POLICIES: return o->asks_all || source;
    case ASK_EVENTS: return !n->feed_absent;
    case ASK_TRACE: return !n->trace_absent && o->messages;
    case ASK_QUEUE:
    case ASK_BINDINGS: return o->queue_page && o->queue_asked && source; /* each asks all the others for it */
    case ASK_CONNECTIONS:
    case ASK_CHANNELS: return o->connections && source;
    case QUESTIONS: break;
    }
    return false;
}

static void send_question(struct ask *a)
{
    struct asked_node *n = a->node;
    struct evhttp_request *req = evhttp_request_new(on_answer, a);
    ASSERT(req != NULL);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    evhttp_add_header(headers, "Host", n->node->host);
    evhttp_add_header(headers, "Authorization", n->o->authorization);
    evhttp_add_header(headers, "Connection", "keep-alive");
    char *path = path_of(a);
    if (!a->connection)
        a->connection = connect_to(n);
    n->pending++;
    /* on failure libevent has freed the request and will not call back */
    if (evhttp_make_request(a->connection, req, EVHTTP_REQ_GET, path) != 0) {
        n->pending--;
        a->failed = true;
        set_error(n, xstrdup("cannot connect"));
    }
    free(path);
}

void observed_node_ask(struct asked_node *n)
{
    struct timeval deadline = ms_timeval(ANSWER_MS);
    observed_node_forget_answers(n);
    n->error_old = true;
    n->fresh = n->refusing = false;
    evtimer_add(n->deadline, &deadline);
    n->pending = 1; /* ours: a failure inside send_question must not end the round half asked */
    for (int q = 0; q < QUESTIONS; q++)
        if (to_ask(n, (enum question)q))
            send_question(&n->asks[q]);
    if (--n->pending == 0)
        observed_node_done(n);
}

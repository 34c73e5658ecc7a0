/* http.c: one blocking request to a node's management API, for commands that have no loop of their own. The
 * observer (observe.c) is the one that watches; this one acts: users, cleaning up before a lesson, readiness.
 */
#include <stdlib.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <openssl/evp.h>

#include "base/err.h"
#include "lab/private.h"

struct call {
    struct event_base *base;
    struct http_answer *answer;
    bool answered;
};

static void on_answer(struct evhttp_request *request, void *arg)
{
    struct call *call = arg;
    if (request && evhttp_request_get_response_code(request)) {
        call->answered = true;
        call->answer->status = evhttp_request_get_response_code(request);
        struct evbuffer *in = evhttp_request_get_input_buffer(request);
        text_add_bytes(&call->answer->body, evbuffer_pullup(in, -1), evbuffer_get_length(in));
    }
    event_base_loopbreak(call->base);
}

static void add_headers(struct evhttp_request *request, const struct labdir *lab, const struct lab_node *node)
{
    char *plain = format_text("%s:%s", lab->user, lab->password);
    size_t len = strlen(plain);
    unsigned char *coded = xmalloc((len + 2) / 3 * 4 + 1);
    EVP_EncodeBlock(coded, (const unsigned char *)plain, (int)len);
    char *auth = format_text("Basic %s", (const char *)coded);
    char *host = format_text("%s:%u", node->host, node->http_port);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Host", host);
    evhttp_add_header(headers, "Authorization", auth);
    evhttp_add_header(headers, "Connection", "close");
    evhttp_add_header(headers, "Content-Type", "application/json");
    free(plain);
    free(coded);
    free(auth);
    free(host);
}

static enum evhttp_cmd_type command_of(const char *method)
{
    if (!strcmp(method, "PUT"))
        return EVHTTP_REQ_PUT;
    if (!strcmp(method, "DELETE"))
        return EVHTTP_REQ_DELETE;
    if (!strcmp(method, "POST"))
        return EVHTTP_REQ_POST;
    return EVHTTP_REQ_GET;
}

int http_call(const struct labdir *lab, size_t node_index, const char *method, const char *path,
              const char *body, unsigned timeout_ms, struct http_answer *answer)
{
    const struct lab_node *node = &lab->nodes[node_index];
    *answer = (struct http_answer){0};
    struct call call = {.base = event_base_new(), .answer = answer};
    ASSERT(call.base);
    struct evhttp_connection *connection =
        evhttp_connection_base_new(call.base, NULL, node->host, node->http_port);
    struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = (int)(timeout_ms % 1000) * 1000};
    evhttp_connection_set_timeout_tv(connection, &timeout);
    struct evhttp_request *request = evhttp_request_new(on_answer, &call);
    add_headers(request, lab, node);
    if (body)
        evbuffer_add(evhttp_request_get_output_buffer(request), body, strlen(body));
    int64_t begun = clock_now_ms();
    if (evhttp_make_request(connection, request, command_of(method), path) == 0)
        event_base_dispatch(call.base);
    evhttp_connection_free(connection);
    event_base_free(call.base);
    if (call.answered)
        return 0;
    return clock_now_ms() - begun >= timeout_ms ? ERR_TIMEOUT : ERR_CLOSED;
}

char *http_path(const char *first, const char *name)
{
    char *escaped = evhttp_uriencode(name, -1, 0);
    char *path = format_text("%s%s", first, escaped);
    free(escaped);
    return path;
}

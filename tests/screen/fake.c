/* fake.c: see fake.h. */
#include "tests/screen/fake.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "base/vec.h"

enum { FILLERS = 4 };

struct fake_one {
    struct fake *f;
    struct evhttp *http; /* NULL while it is gone */
    uint16_t port;
    enum fake_mood mood;
    bool running;
    char *trace;
    char *says_nodes, *says_queues; /* another answer than the others'; NULL: the same */
    int deaf[1 + FILLERS]; /* silent: a listening socket that nobody accepts from, and who fills its queue */
};

struct fake {
    struct event_base *base;
    struct fake_one nodes[LIMIT_NODES];
    size_t nodes_len;
    char *queues, *policies, *feed;
    uint64_t rounds;
    VEC(char *) asked;
    const char *freeze_after; /* NULL: it was answered, or nothing is waited for */
    size_t freeze_after_node;
    bool freezes;
};

static void answer(struct evhttp_request *req, int code, const char *body)
{
    struct evbuffer *out = evbuffer_new();
    evbuffer_add(out, body, strlen(body));
    evhttp_send_reply(req, code, code == 200 ? "OK" : "Not Found", out);
    evbuffer_free(out);
}

static void answer_nodes(struct fake *f, struct evhttp_request *req)
{
    struct text json = {0};
    for (size_t i = 0; i < f->nodes_len; i++)
        text_printf(&json, "%s{\"name\":\"node%zu@localhost\",\"running\":%s,\"type\":\"disc\"}",
                    i ? "," : "[", i + 1,
                    f->nodes[i].running ? "true,\"uptime\":60000,\"mem_used\":1000000,\"partitions\":[]"
                                        : "false");
    text_add(&json, "]");
    answer(req, 200, json.s);
    text_finish(&json);
}

static bool is_nodes(const char *uri) /* all columns or some */
{
    return strcspn(uri, "?") == strlen("/api/nodes") && strncmp(uri, "/api/nodes", strlen("/api/nodes")) == 0;
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct fake_one *n = arg;
    struct fake *f = n->f;
    const char *uri = evhttp_request_get_uri(req);
    const char *user = evhttp_find_header(evhttp_request_get_input_headers(req), "Authorization");
    VEC_PUSH(&f->asked, xstrdup(uri));
    f->rounds += is_nodes(uri);
    if (f->freezes && is_nodes(uri))
        n->mood = FAKE_FROZEN;
    if (n->mood == FAKE_FROZEN)
        return; /* libevent keeps the request until the connection closes */
    if (f->freeze_after && n == &f->nodes[f->freeze_after_node] && strcmp(uri, f->freeze_after) == 0) {
        f->freeze_after = NULL;
        f->freezes = true;
    }
    if (n->mood == FAKE_GARBAGE)
        answer(req, 200, "<html>");
    else if (!user || strcmp(user, "Basic YWRtaW46MTIz") != 0) /* admin:123 */
        answer(req, 401, "{}");
    else if (is_nodes(uri) && n->says_nodes)
        answer(req, 200, n->says_nodes);
    else if (is_nodes(uri))
        answer_nodes(f, req);
    else if (strcmp(uri, "/api/queues") == 0)
        answer(req, 200, n->says_queues ? n->says_queues : f->queues);
    else if (strcmp(uri, "/api/policies") == 0)
        answer(req, 200, f->policies);
    else if (strncmp(uri, "/api/trace", 10) == 0 && n->trace)
        answer(req, 200, n->trace);
    else if (strncmp(uri, "/api/events", 11) == 0 && f->feed)
        answer(req, 200, f->feed);
    else
        answer(req, 404, "{\"error\":\"Object Not Found\",\"reason\":\"Not Found\"}");
}

static void listen_on(struct fake_one *n)
{
    struct sockaddr_in address = {0};
    socklen_t len = sizeof(address);
    n->http = evhttp_new(n->f->base);
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(n->http, "127.0.0.1", n->port);
    ASSERT(bound != NULL);
    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &len);
    n->port = ntohs(address.sin_port);
    evhttp_set_gencb(n->http, on_request, n);
}

static void set(char **text, const char *json)
{
    free(*text);
    *text = json ? xstrdup(json) : NULL;
}

/* With its queue full the kernel drops what asks for a connection, as a lost network does. */
static void go_deaf(struct fake_one *n)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(n->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    n->deaf[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(n->deaf[0], SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(n->deaf[0], (struct sockaddr *)&at, sizeof(at)) || listen(n->deaf[0], 0))
        abort();
    for (size_t i = 1; i < ARRAY_LEN(n->deaf); i++) {
        n->deaf[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(n->deaf[i], (struct sockaddr *)&at, sizeof(at)); /* the last ones get no answer */
    }
}

static void hear_again(struct fake_one *n)
{
    for (size_t i = 0; i < ARRAY_LEN(n->deaf); i++) {
        if (n->deaf[i] >= 0)
            close(n->deaf[i]);
        n->deaf[i] = -1;
    }
}

struct fake *fake_create(struct event_base *base, size_t nodes)
{
    struct fake *f = xcalloc(1, sizeof(*f));
    f->base = base;
    f->nodes_len = nodes;
    set(&f->queues, "[]");
    set(&f->policies, "[]");
    for (size_t i = 0; i < nodes; i++) {
        f->nodes[i] = (struct fake_one){.f = f, .running = true};
        memset(f->nodes[i].deaf, -1, sizeof(f->nodes[i].deaf));
        listen_on(&f->nodes[i]);
    }
    return f;
}

void fake_destroy(struct fake *f)
{
    for (size_t i = 0; i < f->nodes_len; i++) {
        free(f->nodes[i].trace);
        free(f->nodes[i].says_nodes);
        free(f->nodes[i].says_queues);
        hear_again(&f->nodes[i]);
        if (f->nodes[i].http)
            evhttp_free(f->nodes[i].http);
    }
    fake_forget(f);
    VEC_FREE(&f->asked);
    free(f->queues);
    free(f->policies);
    free(f->feed);
    free(f);
}

void fake_node(struct fake *f, size_t node, enum fake_mood mood, bool running)
{
    struct fake_one *n = &f->nodes[node];
    n->mood = mood;
    n->running = running;
    bool hears = mood != FAKE_GONE && mood != FAKE_SILENT;
    if (!hears && n->http) {
        evhttp_free(n->http);
        n->http = NULL;
    }
    hear_again(n);
    if (mood == FAKE_SILENT)
        go_deaf(n);
    else if (hears && !n->http)
        listen_on(n);
}

void fake_says(struct fake *f, size_t node, const char *nodes, const char *queues)
{
    set(&f->nodes[node].says_nodes, nodes);
    set(&f->nodes[node].says_queues, queues);
}

void fake_freeze_after(struct fake *f, size_t node, const char *uri)
{
    f->freeze_after_node = node;
    f->freeze_after = uri;
}

void fake_queues(struct fake *f, const char *json)
{
    set(&f->queues, json);
}

void fake_policies(struct fake *f, const char *json)
{
    set(&f->policies, json);
}

void fake_feed(struct fake *f, const char *json)
{
    set(&f->feed, json);
}

void fake_trace(struct fake *f, size_t node, const char *json)
{
    set(&f->nodes[node].trace, json);
}

void fake_labdir(const struct fake *f, struct labdir *lab)
{
    *lab = (struct labdir){.external = true, .engine = ENGINE_RABBITMQ, .nodes_len = f->nodes_len};
    snprintf(lab->user, sizeof(lab->user), "admin");
    snprintf(lab->password, sizeof(lab->password), "123");
    for (size_t i = 0; i < f->nodes_len; i++) {
        snprintf(lab->nodes[i].name, sizeof(lab->nodes[i].name), "node%zu", i + 1);
        snprintf(lab->nodes[i].host, sizeof(lab->nodes[i].host), "127.0.0.1");
        lab->nodes[i].http_port = f->nodes[i].port;
        lab->nodes[i].amqp_port = 1; /* nobody speaks AMQP here */
    }
}

uint64_t fake_rounds(const struct fake *f)
{
    return f->rounds;
}

size_t fake_asked(const struct fake *f, const char *uri)
{
    size_t count = 0;
    for (size_t i = 0; i < f->asked.len; i++)
        count += strcmp(f->asked.items[i], uri) == 0;
    return count;
}

void fake_forget(struct fake *f)
{
    for (size_t i = 0; i < f->asked.len; i++)
        free(f->asked.items[i]);
    f->asked.len = 0;
}

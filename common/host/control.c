/* control.c: the process's side of labctl. It belongs to the process, not to the app: it answers before the
 * app starts, while it is stopped, and while it waits for other nodes. */
#include "host/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "host/api.h"

#define LINE_MAX_BYTES LIMIT_HTTP_BODY /* the same request over HTTP may not be larger */
#define BACKLOG        16

struct control {
    struct node *node;
    char *path;
    int dir_fd; /* of the socket's folder: its path may be longer than an address can hold */
    struct evconnlistener *listener;
    struct control_client *clients;
    struct api *api;
};

/* One connection. It lives as long as it is open or an answer is on its way to it. */
struct control_client {
    struct control *control; /* NULL: the socket is gone */
    struct control_client *next, **link;
    struct bufferevent *bev;                               /* NULL: the client has gone */
    enum { OWES_NOTHING, OWED_BY_API, OWED_BY_NODE } owed; /* the one answer that is on its way */
};

/* ---- clients ---- */

static void client_unlink(struct control_client *k)
{
    if (!k->link)
        return;
    *k->link = k->next;
    if (k->next)
        k->next->link = k->link;
    k->link = NULL;
}

static void client_release(struct control_client *k)
{
    if (k->bev || k->owed != OWES_NOTHING)
        return;
    client_unlink(k);
    free(k);
}

static void client_close(struct control_client *k)
{
    if (k->bev)
        bufferevent_free(k->bev);
    k->bev = NULL;
    client_release(k);
}

/* Takes the answer. The next line is read only after it: answers come in the order of the questions. */
static void client_answer(struct control_client *k, json_t *answer)
{
    if (k->bev) {
        char *text = json_dumps(answer, JSON_COMPACT | JSON_ENSURE_ASCII);
        struct evbuffer *out = bufferevent_get_output(k->bev);
        evbuffer_add(out, text, strlen(text));
        evbuffer_add(out, "\n", 1);
        free(text);
    }
    json_decref(answer);
}

static json_t *refusal(const char *error, const char *reason)
{
    return json_pack("{s:b, s:s, s:s}", "ok", 0, "error", error, "reason", reason);
}

static void read_lines(struct bufferevent *bev, void *arg);

/* An answer that came later: the client may have gone meanwhile; then nobody is told. */
static void owed_answer(struct control_client *k, json_t *answer)
{
    client_answer(k, answer);
    k->owed = OWES_NOTHING;
    if (k->bev)
        bufferevent_trigger(k->bev, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
    else
        client_release(k);
}

/* ---- verbs ---- */

static const char *phase_name(enum node_phase phase)
{
    switch (phase) {
    case PHASE_STARTING: return "starting";
    case PHASE_SERVING: return "serving";
    case PHASE_CHANGING: return "changing";
    case PHASE_STOPPING: return "stopping";
    case PHASE_STOPPED: return "stopped";
    case PHASE_PAUSED: return "paused";
    }
    return "?";
}

static json_t *status_of(struct node *n)
{
    const struct node_config *config = node_config_of(n);
    json_t *json = json_pack("{s:b, s:s, s:I, s:b}", "ok", 1, "node", config->nodes[config->self].name, "pid",
                             (json_int_t)getpid(), "app", (int)node_app_running(n));
    const char *phase = "stopped";
    json_t *waiting_for = json_array();
    if (node_broker(n)) {
        const struct mirror *m = broker_mirror(node_broker(n));
        struct view_info view = mirror_view(m);
        phase = phase_name(view.phase);
        for (node_id i = 0; i < LIMIT_NODES; i++) {
            if (node_in(view.waiting_for, i))
                json_array_append_new(waiting_for, json_string(mirror_node_name(m, i)));
        }
    }
    json_object_set_new(json, "phase", json_string(phase));
    json_object_set_new(json, "waiting_for", waiting_for);
    json_t *known = json_array(); /* who is of the cluster, as far as it knows */
    for (node_id i = 0; i < config->nodes_len; i++) {
        if (node_in(node_known(n), i))
            json_array_append_new(known, json_string(config->nodes[i].name));
    }
    json_object_set_new(json, "known", known);
    json_object_set_new(json, "blank", json_boolean(node_is_blank(n)));
    return json;
}

static void app_done(void *arg, const char *error)
{
    struct control_client *k = arg;
    owed_answer(k, error ? refusal("failed", error) : json_pack("{s:b}", "ok", 1));
}

static void api_done(void *arg, const struct api_answer *answer)
{
    json_t *json = json_pack("{s:b, s:i}", "ok", 1, "status", answer->status);
    if (answer->body)
        json_object_set(json, "body", (json_t *)(uintptr_t)answer->body);
    owed_answer(arg, json);
}

static bool in_a_view(struct node *n)
{
    if (!node_broker(n))
        return false;
    enum node_phase phase = mirror_view(broker_mirror(node_broker(n))).phase;
    return phase == PHASE_SERVING || phase == PHASE_CHANGING;
}

static void ask_api(struct control_client *k, json_t *request)
{
    const char *method = json_string_value(json_object_get(request, "method"));
    const char *path = json_string_value(json_object_get(request, "path"));
    const char *query = json_string_value(json_object_get(request, "query"));
    json_t *body = json_object_get(request, "body");
    if (!method || !path) {
        client_answer(k, refusal("bad_request", "api needs a method and a path"));
        return;
    }
    if (!in_a_view(k->control->node)) {
        client_answer(k, refusal("app_stopped", "the app of this node is stopped, or waits for other nodes"));
        return;
    }
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    k->owed = OWED_BY_API;
    api_ask(k->control->api,
            &(struct api_request){.method = method,
                                  .path = path,
                                  .query = query,
                                  .body = bytes_str(text),
                                  .user = node_config_of(k->control->node)->user,
                                  .tags = "administrator",
                                  .local = true},
            api_done, k);
    free(text);
}

/* "in", "out", NULL: both; 0: none of these */
static unsigned cut_way(const char *word)
{
    if (!word)
        return CUT_BOTH;
    return strcmp(word, "in") == 0 ? CUT_IN : strcmp(word, "out") == 0 ? CUT_OUT : 0;
}

/* cut, or heal (ways 0); no peer: all of them (heal only) */
static json_t *cut_link(struct node *n, const char *peer, unsigned ways)
{
    const struct node_config *config = node_config_of(n);
    bool found = false;
    for (size_t i = 0; i < config->nodes_len; i++) {
        if (i == config->self || (peer && strcmp(config->nodes[i].name, peer) != 0))
            continue;
        if (ways)
            node_cut(n, (node_id)i, (enum cut_way)ways);
        else
            node_heal(n, (node_id)i);
        found = true;
    }
    if (found || (!peer && !ways))
        return json_pack("{s:b}", "ok", 1);
    char *reason = format_text("%s has no peer '%s'", config->nodes[config->self].name, peer ? peer : "");
    json_t *answer = refusal("no_such_node", reason);
    free(reason);
    return answer;
}

static void forgotten(void *arg, const struct effect *answer)
{
    if (!answer || answer->u.answer.status == ANSWER_NOT_SERVING)
        owed_answer(arg, refusal("app_stopped", "the app of this node is stopped, or waits for other nodes"));
    else if (answer->u.answer.status == ANSWER_IN_USE)
        owed_answer(arg, refusal("in_use", "it runs"));
    else if (answer->u.answer.status != ANSWER_OK)
        owed_answer(arg, refusal("not_found", "it is not in the cluster"));
    else
        owed_answer(arg, json_pack("{s:b}", "ok", 1));
}

static void forget_node(struct control_client *k, const char *peer)
{
    struct node *n = k->control->node;
    const struct node_config *config = node_config_of(n);
    struct event ev = {.type = EV_FORGET_NODE, .u.forget.node = NODE_NONE};
    for (size_t i = 0; i < config->nodes_len && peer; i++) {
        if (strcmp(config->nodes[i].name, peer) == 0)
            ev.u.forget.node = (node_id)i;
    }
    if (ev.u.forget.node == NODE_NONE) {
        client_answer(k, refusal("not_found", "no node of that name is configured"));
        return;
    }
    if (!in_a_view(n)) {
        client_answer(k, refusal("app_stopped", "the app of this node is stopped, or waits for other nodes"));
        return;
    }
    k->owed = OWED_BY_NODE;
    node_command(n, &ev, forgotten, k);
}

static json_t *reset(struct node *n)
{
    char *error = NULL;
    if (node_reset(n, &error))
        return json_pack("{s:b}", "ok", 1);
    json_t *answer = refusal("failed", error);
    free(error);
    return answer;
}

static json_t *force_boot(struct node *n)
{
    char *error = NULL;
    if (in_a_view(n))
        return refusal("app_running", "the app of this node runs: it waits for nobody");
    if (node_force_boot(n, &error))
        return json_pack("{s:b}", "ok", 1);
    json_t *answer = refusal("failed", error);
    free(error);
    return answer;
}

static void obey(struct control_client *k, json_t *request)
{
    struct node *n = k->control->node;
    const char *cmd = json_string_value(json_object_get(request, "cmd"));
    const char *peer = json_string_value(json_object_get(request, "peer"));
    if (!cmd) {
        client_answer(k, refusal("bad_request", "a request is one JSON object a line, with a \"cmd\""));
    } else if (strcmp(cmd, "ping") == 0) {
        client_answer(k, json_pack("{s:b}", "ok", 1));
    } else if (strcmp(cmd, "pid") == 0) {
        client_answer(k, json_pack("{s:b, s:I}", "ok", 1, "pid", (json_int_t)getpid()));
    } else if (strcmp(cmd, "status") == 0) {
        client_answer(k, status_of(n));
    } else if (strcmp(cmd, "stop_app") == 0) {
        k->owed = OWED_BY_NODE;
        node_stop_app(n, app_done, k);
    } else if (strcmp(cmd, "start_app") == 0) {
        k->owed = OWED_BY_NODE;
        node_start_app(n, app_done, k);
    } else if (strcmp(cmd, "cut") == 0) {
        unsigned ways = cut_way(json_string_value(json_object_get(request, "way")));
        client_answer(
            k, ways ? cut_link(n, peer, ways)
                    : refusal("bad_request", "the way of a cut is \"in\", \"out\", or not said: both"));
    } else if (strcmp(cmd, "heal") == 0) {
        client_answer(k, cut_link(n, peer, 0));
    } else if (strcmp(cmd, "forget_cluster_node") == 0) {
        forget_node(k, peer);
    } else if (strcmp(cmd, "reset") == 0) {
        client_answer(k, reset(n));
    } else if (strcmp(cmd, "force_boot") == 0) {
        client_answer(k, force_boot(n));
    } else if (strcmp(cmd, "api") == 0) {
        ask_api(k, request);
    } else {
        client_answer(k, refusal("bad_request", "unknown cmd"));
    }
}

/* ---- lines ---- */

static void read_lines(struct bufferevent *bev, void *arg)
{
    struct control_client *k = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    while (k->bev && k->owed == OWES_NOTHING) {
        size_t len = 0;
        char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
        if (!line) {
            if (evbuffer_get_length(in) > LINE_MAX_BYTES)
                client_close(k);
            return;
        }
        json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
        free(line);
        obey(k, request); /* not JSON: no cmd in it */
        json_decref(request);
    }
}

static void client_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        client_close(arg);
}

static void accept_client(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                          int len, void *arg)
{
    (void)address;
    (void)len;
    struct control *c = arg;
    struct control_client *k = xcalloc(1, sizeof(*k));
    k->control = c;
    k->bev = bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
    k->next = c->clients;
    k->link = &c->clients;
    if (k->next)
        k->next->link = &k->next;
    c->clients = k;
    bufferevent_setwatermark(k->bev, EV_READ, 0, LINE_MAX_BYTES + 1);
    bufferevent_setcb(k->bev, read_lines, NULL, client_event, k);
    bufferevent_enable(k->bev, EV_READ | EV_WRITE);
}

/* ---- the socket ---- */

/* An address of at most 107 bytes for any path: through the open folder. */
static bool socket_address(int dir_fd, const char *path, struct sockaddr_un *out)
{
    const char *slash = strrchr(path, '/');
    int len = snprintf(out->sun_path, sizeof(out->sun_path), "/proc/self/fd/%d/%s", dir_fd,
                       slash ? slash + 1 : path);
    out->sun_family = AF_UNIX;
    return len > 0 && (size_t)len < sizeof(out->sun_path);
}

static bool somebody_listens(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool yes = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
    close(fd);
    return yes;
}

/* The listening socket, or -errno. Made with mode 0600 from its first moment. */
static int listen_at(const struct sockaddr_un *address)
{
    if (somebody_listens(address))
        return -EADDRINUSE;
    unlink(address->sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int failed = 0;
    if (fchmod(fd, 0600) != 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 ||
        chmod(address->sun_path, 0600) != 0 || listen(fd, BACKLOG) != 0)
        failed = -errno;
    if (!failed)
        return fd;
    close(fd);
    return failed;
}

static int open_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder =
        slash && slash != path ? xstrndup(path, (size_t)(slash - path)) : xstrdup(slash ? "/" : ".");
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int why = errno;
    free(folder);
    return fd < 0 ? -why : fd;
}

struct control *control_create(struct node *n, const char *socket_path, char **error)
{
    int dir_fd = open_folder(socket_path);
    struct sockaddr_un address = {0};
    int fd = dir_fd < 0                                       ? dir_fd
             : !socket_address(dir_fd, socket_path, &address) ? -ENAMETOOLONG
                                                              : listen_at(&address);
    if (fd < 0) {
        *error = fd == -EADDRINUSE
                     ? format_text("%s: another process of this node runs already; stop it (lab down) first",
                                   socket_path)
                     : format_text("%s: the control socket cannot be made: %s", socket_path, strerror(-fd));
        if (dir_fd >= 0)
            close(dir_fd);
        return NULL;
    }
    struct control *c = xcalloc(1, sizeof(*c));
    c->node = n;
    c->path = xstrdup(socket_path);
    c->dir_fd = dir_fd;
    c->api = api_create(n);
    c->listener = evconnlistener_new(node_base(n), accept_client, c,
                                     LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    return c;
}

void control_destroy(struct control *c)
{
    if (!c)
        return;
    evconnlistener_free(c->listener);
    unlink(c->path);
    close(c->dir_fd);
    api_destroy(c->api);
    struct control_client *next;
    for (struct control_client *k = c->clients; k; k = next) {
        next = k->next;
        k->link = NULL; /* the list goes */
        k->control = NULL;
        if (k->owed == OWED_BY_API)
            k->owed = OWES_NOTHING;
        client_close(k); /* lives on while a stop_app or start_app still owes it an answer */
    }
    free(c->path);
    free(c);
}

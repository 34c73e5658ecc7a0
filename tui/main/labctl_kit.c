/* labctl_kit.c: the kit's engine: one request to a node's control socket, one answer. Everything that can be
 * wrong on the way there is said here, in the shapes that rabbitmqctl uses for it. */
#include <errno.h>
#include <event2/http.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "lab/engine.h"
#include "main/labctl.h"

#define DEFAULT_TIMEOUT_MS 60000
#define ANSWER_MAX_BYTES   (256u << 20)

/* ---- the socket ---- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A connected socket, or -errno. Through the folder's descriptor: a path may be longer than an address. */
static int connect_node(const struct labdir *lab, const char *node)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dir = open(lab->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int len =
        snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s/control.sock", dir, node);
    int fd = dir < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = 0;
    if (fd < 0)
        failed = -errno;
    else if (len < 0 || (size_t)len >= sizeof(address.sun_path))
        failed = -ENAMETOOLONG;
    else if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        failed = -errno;
    if (dir >= 0)
        close(dir);
    if (failed && fd >= 0)
        close(fd);
    return failed ? failed : fd;
}

/* 0, ERR_TIMEOUT, or -errno. deadline_ms 0: as long as it takes. */
static int wait_for(int fd, short what, int64_t deadline_ms)
{
    for (;;) {
        int64_t left = deadline_ms ? deadline_ms - now_ms() : -1;
        if (deadline_ms && left <= 0)
            return ERR_TIMEOUT;
        struct pollfd p = {.fd = fd, .events = what};
        int n = poll(&p, 1, deadline_ms ? (int)(left < 60000 ? left : 60000) : -1);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
    }
}

static int send_line(int fd, const char *text, int64_t deadline_ms)
{
    size_t len = strlen(text), sent = 0;
    while (sent < len) {
        int rc = wait_for(fd, POLLOUT, deadline_ms);
        if (rc != 0)
            return rc;
        ssize_t n = send(fd, text + sent, len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return -errno;
        sent += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int read_line(int fd, struct text *line, int64_t deadline_ms)
{
    char buffer[65536];
    for (;;) {
        int rc = wait_for(fd, POLLIN, deadline_ms);
        if (rc != 0)
            return rc;
        ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
        if (n == 0)
            return ERR_CLOSED;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        char *end = memchr(buffer, '\n', (size_t)n);
        text_add_bytes(line, buffer, end ? (size_t)(end - buffer) : (size_t)n);
        if (end)
            return 0;
        if (line->len > ANSWER_MAX_BYTES)
            return ERR_TOO_LARGE;
    }
}

/* ---- what can be wrong with a node ---- */

static const char *rc_text(int rc)
{
    return rc > -1000 ? strerror(-rc) : err_text(rc);
}

static int unreachable(struct ctl *c, const char *node, int rc)
{
    const char *what = rc == -ENOENT         ? "there is no such socket: the node was never started"
                       : rc == -ECONNREFUSED ? "nobody listens there: its process is not running"
                       : rc == ERR_CLOSED    ? "the process ended while it was asked"
                                             : rc_text(rc);
    fprintf(c->err,
            "Error: unable to perform an operation on node '%s'. Please see diagnostics information and "
            "suggestions "
            "below.\n\n"
            "Most common reasons for this are:\n\n"
            " * Target node is not running (its process was killed, or never started)\n"
            " * The node belongs to another lab (this one is %s)\n\n"
            "In addition to the diagnostics info below:\n\n"
            " * Consult the node's log, %s/%s/log.txt\n\n"
            "DIAGNOSTICS\n===========\n\n"
            "attempted to contact: [%s]\n\n"
            "%s:\n"
            "  * control socket %s/%s/control.sock: %s\n",
            node, c->lab.path, c->lab.path, node, node, node, c->lab.path, node, what);
    if (labdir_find_node(&c->lab, node) >= 0) {
        fprintf(c->err, "  * suggestion: start the node (labctl -n %s start)\n", node);
    } else {
        fprintf(c->err, "  * suggestion: name one of the lab's nodes:");
        for (size_t i = 0; i < c->lab.nodes_len; i++)
            fprintf(c->err, " %s", c->lab.nodes[i].name);
        fprintf(c->err, "\n");
    }
    fprintf(c->err, "\n");
    return CTL_UNAVAILABLE;
}

static int too_slow(struct ctl *c, const char *node)
{
    fprintf(c->err, "Error: operation %s on node %s timed out. Timeout value used: %u\n", c->line.verb, node,
            ctl_timeout_ms(c, DEFAULT_TIMEOUT_MS));
    return CTL_TEMPFAIL;
}

unsigned ctl_timeout_ms(struct ctl *c, unsigned otherwise)
{
    const char *given = ctl_option(&c->line, "timeout", NULL);
    return given ? (unsigned)(strtod(given, NULL) * 1000.0) : otherwise;
}

int ctl_ask(struct ctl *c, const char *node, json_t *request, unsigned timeout_ms, json_t **answer)
{
    return ctl_ask_patiently(c, node, request, timeout_ms, NULL, NULL, answer);
}

/* read_line, with something to do meanwhile */
static int read_patiently(struct ctl *c, const char *node, int fd, struct text *heard, int64_t deadline,
                          ctl_meanwhile_fn *meanwhile, void *arg)
{
    for (;;) {
        int64_t look = now_ms() + CTL_MEANWHILE_MS;
        bool last = !meanwhile || (deadline && deadline <= look);
        int rc = read_line(fd, heard, last ? deadline : look);
        if (rc != ERR_TIMEOUT || last)
            return rc;
        meanwhile(c, node, arg);
    }
}

int ctl_ask_patiently(struct ctl *c, const char *node, json_t *request, unsigned timeout_ms,
                      ctl_meanwhile_fn *meanwhile, void *arg, json_t **answer)
{
    char *text = json_dumps(request, JSON_COMPACT | JSON_ENSURE_ASCII);
    char *line = format_text("%s\n", text);
    json_decref(request);
    free(text);
    struct text heard = {0};
    int64_t deadline = timeout_ms ? now_ms() + timeout_ms : 0;
    int fd = connect_node(&c->lab, node);
    int rc = fd < 0 ? fd : send_line(fd, line, deadline);
    if (rc == 0)
        rc = read_patiently(c, node, fd, &heard, deadline, meanwhile, arg);
    if (fd >= 0)
        close(fd);
    free(line);
    *answer = NULL;
    int exit_code = CTL_OK;
    if (rc == ERR_TIMEOUT) {
        exit_code = too_slow(c, node);
    } else if (rc != 0) {
        exit_code = unreachable(c, node, rc);
    } else {
        *answer = json_loadb(text_str(&heard), heard.len, 0, NULL);
        if (!json_is_object(*answer))
            exit_code = ctl_error(c, CTL_SOFTWARE, "%s answered something that is not JSON", node);
    }
    text_finish(&heard);
    return exit_code;
}

json_t *ctl_status_of(struct ctl *c, const char *node)
{
    static const char request[] = "{\"cmd\":\"status\"}\n";
    struct text heard = {0};
    int64_t deadline = now_ms() + CTL_MEANWHILE_MS;
    int fd = connect_node(&c->lab, node);
    int rc = fd < 0 ? fd : send_line(fd, request, deadline);
    if (rc == 0)
        rc = read_line(fd, &heard, deadline);
    if (fd >= 0)
        close(fd);
    json_t *status = rc == 0 ? json_loadb(text_str(&heard), heard.len, 0, NULL) : NULL;
    text_finish(&heard);
    return status;
}

char *ctl_waits_text(const char *node, const json_t *status)
{
    const json_t *names = json_object_get(status, "waiting_for");
    struct text t = {0};
    if (!json_array_size(names))
        return NULL;
    for (size_t i = 0; i < json_array_size(names); i++)
        text_printf(&t, " %s", json_string_value(json_array_get(names, i)));
    const char *phase = json_string_value(json_object_get(status, "phase"));
    char *text =
        phase && strcmp(phase, "paused") == 0
            ? format_text(
                  "%s is paused (pause_minority): it reaches too few nodes, and waits for%s; heal what "
                  "cuts it off from them, or start them",
                  node, text_str(&t))
            : engine_waits_text(node, text_str(&t));
    text_finish(&t);
    return text;
}

/* ---- the management API through it ---- */

/* As rabbitmqctl says it of an app that is stopped, or that waits for other nodes; then for whom it waits. */

static int app_stopped(struct ctl *c)
{
    char node[320];
    int rc = ctl_wrong_words(
        c, ctl_find_verb(c->line.verb),
        "Error: this command requires the 'rabbit' app to be running on the target node. Start it "
        "with 'labctl start_app'.");
    json_t *status = ctl_status_of(c, ctl_node_name(c, node, sizeof(node)));
    char *waits = ctl_waits_text(node, status);
    if (waits)
        fprintf(c->err, "\n%s\n", waits);
    free(waits);
    json_decref(status);
    return rc;
}

int ctl_api(struct ctl *c, const char *method, const char *path, json_t *body, int *status, json_t **out)
{
    char node[320];
    const char *question = strchr(path, '?');
    json_t *request = json_pack("{s:s, s:s, s:s#}", "cmd", "api", "method", method, "path", path,
                                question ? (int)(question - path) : (int)strlen(path));
    if (question)
        json_object_set_new(request, "query", json_string(question + 1));
    if (body)
        json_object_set_new(request, "body", body);
    json_t *answer = NULL;
    *out = NULL;
    int rc = ctl_ask(c, ctl_node_name(c, node, sizeof(node)), request, ctl_timeout_ms(c, DEFAULT_TIMEOUT_MS),
                     &answer);
    if (rc != CTL_OK)
        return rc;
    const char *error = json_string_value(json_object_get(answer, "error"));
    *status = (int)json_integer_value(json_object_get(answer, "status"));
    if (json_is_true(json_object_get(answer, "ok"))) {
        *out = json_incref(json_object_get(answer, "body"));
        error = json_string_value(json_object_get(*out, "error"));
        if (*status == 503 && error && strcmp(error, "app_stopped") == 0) {
            json_decref(*out);
            *out = NULL;
            rc = app_stopped(c);
        }
    } else if (error && strcmp(error, "app_stopped") == 0) {
        rc = app_stopped(c);
    } else {
        rc = ctl_error(c, CTL_SOFTWARE, "%s", ctl_reason(answer));
    }
    json_decref(answer);
    return rc;
}

char *ctl_path(const char *prefix, const char *name)
{
    char *encoded = evhttp_encode_uri(name); /* RFC 3986: all but letters, digits and -._~ */
    char *path = format_text("%s%s", prefix, encoded);
    free(encoded);
    return path;
}

const char *ctl_reason(const json_t *body)
{
    const char *reason = json_string_value(json_object_get(body, "reason"));
    return reason ? reason : "";
}

int ctl_error(struct ctl *c, int exit_code, const char *text, ...)
{
    va_list args;
    va_start(args, text);
    fprintf(c->err, "Error:\n");
    vfprintf(c->err, text, args);
    fprintf(c->err, "\n");
    va_end(args);
    return exit_code;
}

bool ctl_speaks(struct ctl *c)
{
    return !ctl_option_on(&c->line, "quiet") && !ctl_option_on(&c->line, "silent") &&
           ctl_formatter(c, "table");
}

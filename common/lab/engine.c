/* engine.c: what both engines share: starting all nodes and waiting until they serve, stopping them by pid
 * (engine_programs.c: running labctl). What an engine does its own way is behind struct engine_ops. Readiness
 * is a fact that the nodes themselves state over HTTP, never a pause that is hoped to be long enough. */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "lab/links.h"
#include "lab/private.h"

/* one request while waiting for a node: long enough for a busy machine, short enough to notice a dead node */
#define ASK_MS 2000
/* for a killed process to leave the kernel: a flush that a slow disk had begun is waited for there */
#define ENDING_MS 10000

static const struct engine_ops *ops_of(const struct labdir *lab)
{
    return lab->engine == ENGINE_KIT ? &engine_kit_ops : &engine_rabbitmq_ops;
}

void engine_node_path(const struct labdir *lab, size_t node, const char *file, char out[PATH_MAX])
{
    int len = snprintf(out, PATH_MAX, "%s/%s%s%s", lab->path, lab->nodes[node].name, file ? "/" : "",
                       file ? file : "");
    ASSERT(len > 0 && len < PATH_MAX);
}

/* ---- ports --------------------------------------------------------------------------------------------- */

int engine_check_port(const char *host, uint16_t port, const char *who, const char *key, char **error)
{
    char port_text[8];
    snprintf(port_text, sizeof(port_text), "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    int why = getaddrinfo(host, port_text, &hints, &found);
    if (why) {
        *error = format_text("%s: host %s: %s; write an address of this machine, such as 127.0.0.1", who,
                             host, gai_strerror(why));
        return ERR_INVALID;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    why = bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, 1) ? errno : 0;
    close(fd);
    freeaddrinfo(found);
    if (!why)
        return 0;
    if (why == EADDRINUSE)
        *error =
            format_text("%s: port %u is taken by another program (key %s): end that one, or choose another "
                        "port; an outgoing connection may hold it for a minute: then run the same again",
                        who, port, key);
    else
        *error = format_text("%s: cannot listen on %s port %u (%s): %s", who, host, port, key, strerror(why));
    return why == EADDRINUSE ? ERR_BUSY : ERR_INVALID;
}

static int check_ports(const struct labdir *lab, char **error)
{
    for (size_t i = 0; i < lab->nodes_len; i++) {
        const struct lab_node *node = &lab->nodes[i];
        const struct {
            const char *key;
            uint16_t port;
        } ports[] = {{"amqp", node->amqp_port}, {"http", node->http_port}, {"peer", node->peer_port}};
        for (size_t p = 0; p < ARRAY_LEN(ports); p++) {
            char key[32];
            snprintf(key, sizeof(key), "nodes[%zu].%s", i, ports[p].key);
            int err = engine_check_port(node->host, ports[p].port, node->name, key, error);
            if (err)
                return err;
        }
    }
    return 0;
}

/* ---- what a node's log says ---------------------------------------------------------------------------- */

static off_t file_size(const char *file)
{
    struct stat st;
    return stat(file, &st) == 0 ? st.st_size : 0;
}

/* What a node that did not make it wrote since `from`: its first error lines if it marks them, else its last
 * lines. New, the caller frees. */
static char *log_excerpt(const char *file, off_t from)
{
    enum { KEEP = 6 };
    struct text errors = {0};
    char *last[KEEP] = {0}, *line = NULL;
    size_t lines = 0, error_lines = 0, cap = 0;
    FILE *f = fopen(file, "re");
    if (f && fseeko(f, from, SEEK_SET) == 0) {
        while (getline(&line, &cap, f) > 0) {
            if (strspn(line, " \t\r\n") == strlen(line))
                continue;
            if (strstr(line, "[error]") && error_lines++ < KEEP)
                text_printf(&errors, "\n    %.*s", (int)strcspn(line, "\r\n"), line);
            free(last[lines % KEEP]);
            last[lines++ % KEEP] = xstrndup(line, strcspn(line, "\r\n"));
        }
    }
    if (f)
        fclose(f);
    for (size_t i = lines > KEEP ? lines - KEEP : 0; i < lines && !error_lines; i++)
        text_printf(&errors, "\n    %s", last[i % KEEP]);
    if (!lines)
        text_add(&errors, "\n    (it wrote nothing)");
    for (size_t i = 0; i < KEEP; i++)
        free(last[i]);
    free(line);
    return errors.s;
}

static char *failed_text(const struct labdir *lab, size_t node, const char *what, off_t log_from)
{
    char log[PATH_MAX];
    engine_node_path(lab, node, "log.txt", log);
    char *excerpt = log_excerpt(log, log_from);
    char *text = format_text("%s %s; its log (%s) says:%s", lab->nodes[node].name, what, log, excerpt);
    free(excerpt);
    return text;
}

/* ---- starting ------------------------------------------------------------------------------------------ */

/* a node that has not served for so long is asked whether it waits for others */
#define TELL_WAITING_MS 2000

struct starting {
    pid_t pid;
    off_t log_from;
    bool serves;
    char *told; /* that it waits, the last time */
};

/* Waits until a killed process of this node has left its ports and its log. */
static int wait_ending(const struct labdir *lab, size_t node, char **error)
{
    char pid_file[PATH_MAX];
    engine_node_path(lab, node, "pid", pid_file);
    pid_t pid = process_read_pid(pid_file);
    if (!process_ending(pid) || process_wait_gone(pid, ENDING_MS) == 0)
        return 0;
    *error = format_text("%s: process %ld was killed and still holds its ports after %d s; look at its disk",
                         lab->nodes[node].name, (long)pid, ENDING_MS / 1000);
    return ERR_BUSY;
}

static int start_process(const struct labdir *lab, size_t node, struct starting *s, char **error)
{
    char folder[PATH_MAX], pid_file[PATH_MAX];
    engine_node_path(lab, node, NULL, folder);
    engine_node_path(lab, node, "pid", pid_file);
    if (mkdir(folder, 0700) && errno != EEXIST) {
        *error = format_text("%s: cannot make this folder: %s", folder, strerror(errno));
        return ERR_IO;
    }
    s->log_from = engine_log_end(lab, node);
    unlink(pid_file); /* of an earlier life */
    links_forget(lab, node);
    int err = ops_of(lab)->start(lab, node, &s->pid, error);
    if (!err && lab->engine == ENGINE_KIT)
        process_write_pid(pid_file, s->pid); /* the node does, too, but somebody may end it before that */
    return err;
}

/* how many of the lab's nodes this node says are running; 0 if it does not answer */
static size_t says_running(const struct labdir *lab, size_t node, int only)
{
    struct http_answer answer;
    size_t running = 0;
    if (http_call(lab, node, "GET", "/api/nodes", NULL, ASK_MS, &answer) == 0 && answer.status == 200) {
        json_t *list = json_loads(text_str(&answer.body), 0, NULL), *item;
        size_t i;
        json_array_foreach(list, i, item)
        {
            const char *name = json_string_value(json_object_get(item, "name"));
            int at = name ? labdir_find_node(lab, name) : -1;
            if (at >= 0 && (only < 0 || at == only) && json_is_true(json_object_get(item, "running")))
                running++;
        }
        json_decref(list);
    }
    text_finish(&answer.body);
    return running;
}

static bool answers_whoami(const struct labdir *lab, size_t node)
{
    struct http_answer answer;
    bool good =
        http_call(lab, node, "GET", "/api/whoami", NULL, ASK_MS, &answer) == 0 && answer.status == 200;
    text_finish(&answer.body);
    return good;
}

static bool accepts_amqp(const struct labdir *lab, size_t node)
{
    char port[8];
    snprintf(port, sizeof(port), "%u", lab->nodes[node].amqp_port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(lab->nodes[node].host, port, &hints, &found))
        return false;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = connect(fd, found->ai_addr, found->ai_addrlen) == 0;
    close(fd);
    freeaddrinfo(found);
    return good;
}

/* one look at a node that was started: serves, still starting (ERR_BUSY), or ended (ERR_CLOSED and *error) */
static int look(const struct labdir *lab, size_t node, struct starting *s, bool whole_cluster, char **error)
{
    if (process_gone(s->pid)) {
        *error = failed_text(lab, node, "ended while it was starting", s->log_from);
        return ERR_CLOSED;
    }
    if (!answers_whoami(lab, node) || !accepts_amqp(lab, node))
        return ERR_BUSY;
    size_t want = whole_cluster ? lab->nodes_len : 1;
    s->serves = says_running(lab, node, whole_cluster ? -1 : (int)node) == want;
    return s->serves ? 0 : ERR_BUSY;
}

char *engine_waits_text(const char *node, const char *whom)
{
    return format_text("%s" ENGINE_WAITS
                       "%s%s; start them, heal what cuts it off from them, or, if they never return: "
                       "labctl -n %s force_boot, then kill it and start it",
                       node, whom ? ":" : "", whom ? whom : "", node);
}

char *engine_up_text(const char *node)
{
    return format_text("%s waits no more: it is up", node);
}

/* What the last line of its log that says that it waits says behind that (" node1 node2"), if the waiting is
 * not over; else NULL. New. */
static char *waits_for(const struct labdir *lab, size_t node, off_t log_from)
{
    const struct engine_ops *ops = ops_of(lab);
    char path[PATH_MAX], *line = NULL, *found = NULL;
    size_t cap = 0;
    engine_node_path(lab, node, "log.txt", path);
    FILE *f = fopen(path, "re");
    if (f && fseeko(f, log_from, SEEK_SET) == 0) {
        while (getline(&line, &cap, f) > 0) {
            const char *at = strstr(line, ops->waits);
            if (!at && !(ops->goes_on && strstr(line, ops->goes_on)))
                continue;
            free(found);
            at = at ? at + strlen(ops->waits) : NULL;
            found = at ? xstrndup(at, strcspn(at, "\r\n")) : NULL;
        }
    }
    if (f)
        fclose(f);
    free(line);
    return found;
}

off_t engine_log_end(const struct labdir *lab, size_t node)
{
    char path[PATH_MAX];
    engine_node_path(lab, node, "log.txt", path);
    return file_size(path);
}

bool engine_log_waits(const struct labdir *lab, size_t node, off_t from)
{
    char *whom = waits_for(lab, node, from);
    free(whom);
    return whom != NULL;
}

/* Tells, once for each set of nodes, that it waits for them, and what to do. */
static void tell_waiting(const struct labdir *lab, size_t node, struct starting *s,
                         engine_progress_fn *progress, void *arg)
{
    char *whom = progress ? waits_for(lab, node, s->log_from) : NULL;
    if (!whom || (s->told && strcmp(whom, s->told) == 0)) {
        free(whom);
        return;
    }
    free(s->told);
    s->told = whom;
    char *text = engine_waits_text(lab->nodes[node].name, lab->engine == ENGINE_KIT ? whom : NULL);
    progress(arg, text);
    free(text);
}

static void starting_finish(struct starting *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        free(s[i].told);
}

static int wait_serving(const struct labdir *lab, struct starting *starting, engine_progress_fn *progress,
                        void *arg, char **error)
{
    int64_t begun = clock_now_ms(), end = begun + ops_of(lab)->ready_timeout_ms;
    for (size_t left = lab->nodes_len; left;) {
        for (size_t i = 0; i < lab->nodes_len; i++) {
            if (starting[i].serves)
                continue;
            int err = look(lab, i, &starting[i], true, error);
            if (err == ERR_CLOSED)
                return err;
            if (err == ERR_BUSY && clock_now_ms() > begun + TELL_WAITING_MS)
                tell_waiting(lab, i, &starting[i], progress, arg);
            if (err == ERR_BUSY && clock_now_ms() > end) {
                *error = failed_text(lab, i, "does not serve, or does not see the other nodes, in time",
                                     starting[i].log_from);
                return ERR_TIMEOUT;
            }
            if (err)
                continue;
            left--;
            if (progress) {
                char *text = format_text("%s serves: AMQP %s:%u, HTTP %s:%u (%.1f s)", lab->nodes[i].name,
                                         lab->nodes[i].host, lab->nodes[i].amqp_port, lab->nodes[i].host,
                                         lab->nodes[i].http_port, (double)(clock_now_ms() - begun) / 1000.0);
                progress(arg, text);
                free(text);
            }
        }
        if (progress && !progress(arg, NULL)) {
            *error = xstrdup("interrupted: what had been started of the lab is stopped again");
            return ERR_CLOSED;
        }
        if (left)
            pause_ms(lab->engine == ENGINE_KIT ? 5 : 50);
    }
    return 0;
}

static int refuse_external(const struct labdir *lab, const char *what, char **error)
{
    if (!lab->external)
        return 0;
    *error =
        format_text("this cluster runs elsewhere (nodes[0].url in the configuration): %s it there", what);
    return ERR_REFUSED;
}

static int up(struct labdir *lab, engine_progress_fn *progress, void *arg, char **error)
{
    int err = ops_of(lab)->prepare(lab, error);
    struct starting starting[LIMIT_NODES] = {0};
    for (size_t i = 0; i < lab->nodes_len && !err; i++)
        err = start_process(lab, i, &starting[i], error);
    if (!err)
        err = wait_serving(lab, starting, progress, arg, error);
    if (!err && ops_of(lab)->settle)
        err = ops_of(lab)->settle(lab, error);
    starting_finish(starting, lab->nodes_len);
    return err;
}

int engine_up(struct labdir *lab, engine_progress_fn *progress, void *arg, char **error)
{
    *error = NULL;
    int err = refuse_external(lab, "start", error);
    if (err)
        return err;
    for (size_t i = 0; i < lab->nodes_len; i++) {
        if (!engine_node_alive(lab, i))
            continue;
        const char *words[] = {"lab", "down", NULL};
        char *down = engine_typed(lab, words);
        *error = format_text("a lab is running in %s (%s is there); use it, run `%s` first, or name another "
                             "folder with --dir",
                             lab->path, lab->nodes[i].name, down);
        free(down);
        return ERR_EXISTS;
    }
    err = labdir_save(lab, error);
    for (size_t i = 0; i < lab->nodes_len && !err; i++)
        err = wait_ending(lab, i, error);
    if (!err)
        err = check_ports(lab, error);
    if (err)
        return err;
    err = up(lab, progress, arg, error);
    if (err) {
        char *ignored = NULL;
        engine_down(lab, &ignored);
        free(ignored);
    }
    return err;
}

int engine_start_node(const struct labdir *lab, size_t node, engine_progress_fn *progress, void *arg,
                      char **error)
{
    *error = NULL;
    int err = refuse_external(lab, "start", error);
    if (err)
        return err;
    if (engine_node_alive(lab, node)) {
        *error = format_text("%s is there already; if its app was stopped: labctl -n %s start_app",
                             lab->nodes[node].name, lab->nodes[node].name);
        return ERR_EXISTS;
    }
    err = wait_ending(lab, node, error);
    if (!err)
        err = ops_of(lab)->prepare(lab, error);
    struct starting s = {0};
    if (!err)
        err = start_process(lab, node, &s, error);
    if (err)
        return err;
    int64_t begun = clock_now_ms(), end = begun + ops_of(lab)->ready_timeout_ms;
    while ((err = look(lab, node, &s, false, error)) == ERR_BUSY) {
        if (clock_now_ms() > begun + TELL_WAITING_MS)
            tell_waiting(lab, node, &s, progress, arg);
        if (clock_now_ms() > end) {
            /* it may wait for the nodes that ran after it: a wait of its own, not ours to end */
            *error = failed_text(lab, node, "was started but does not serve yet", s.log_from);
            err = ERR_TIMEOUT;
            break;
        }
        pause_ms(lab->engine == ENGINE_KIT ? 5 : 50);
    }
    if (!err && s.told && progress) { /* or what helps one that waits would be the last word */
        char *text = engine_up_text(lab->nodes[node].name);
        progress(arg, text);
        free(text);
    }
    starting_finish(&s, 1);
    return err;
}

/* ---- stopping ------------------------------------------------------------------------------------------ */

static pid_t node_pid(const struct labdir *lab, size_t node)
{
    char pid_file[PATH_MAX], folder[PATH_MAX];
    engine_node_path(lab, node, "pid", pid_file);
    engine_node_path(lab, node, NULL, folder);
    pid_t pid = process_read_pid(pid_file);
    return process_belongs(pid, folder) ? pid : 0;
}

bool engine_node_alive(const struct labdir *lab, size_t node)
{
    return !lab->external && node_pid(lab, node) != 0;
}

int64_t engine_node_since(const struct labdir *lab, size_t node)
{
    char pid_file[PATH_MAX];
    struct stat st;
    engine_node_path(lab, node, "pid", pid_file); /* written as it starts, and not by start_app */
    if (!engine_node_alive(lab, node) || stat(pid_file, &st))
        return 0;
    return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

int engine_kill_nodes(const struct labdir *lab, uint32_t nodes, char **error)
{
    *error = NULL;
    int err = refuse_external(lab, "kill", error);
    pid_t pids[LIMIT_NODES] = {0};
    for (size_t i = 0; i < lab->nodes_len && !err; i++) {
        pids[i] = nodes >> i & 1 ? node_pid(lab, i) : 0;
        if (pids[i] || !(nodes >> i & 1))
            continue;
        *error = format_text("%s: no process of this node is there; start it with labctl -n %s start",
                             lab->nodes[i].name, lab->nodes[i].name);
        err = ERR_NOT_FOUND;
    }
    /* at once: none may see that another is dead before it is dead itself */
    for (size_t i = 0; i < lab->nodes_len && !err && (nodes & (nodes - 1)); i++)
        if (pids[i])
            process_freeze(pids[i], ENDING_MS);
    for (size_t i = 0; i < lab->nodes_len && !err; i++)
        if (pids[i])
            kill(pids[i], SIGKILL);
    for (size_t i = 0; i < lab->nodes_len && !err; i++) {
        if (pids[i])
            links_forget(lab, i);
        err = pids[i] ? process_wait_gone(pids[i], ENDING_MS) : 0;
        if (err)
            *error = format_text("%s: process %ld is still there 10 s after SIGKILL", lab->nodes[i].name,
                                 (long)pids[i]);
    }
    return err;
}

int engine_down(const struct labdir *lab, char **error)
{
    *error = NULL;
    int err = refuse_external(lab, "stop", error);
    if (err)
        return err;
    /* RabbitMQ that sees itself in the minority while it stops waits for the others for ever; if it is told
     * to stop once it waits, it does */
    bool in_turn = lab->engine == ENGINE_RABBITMQ && strcmp(lab->partition_handling, "pause_minority") == 0;
    pid_t pids[LIMIT_NODES] = {0};
    for (size_t i = 0; i < lab->nodes_len; i++) {
        pids[i] = node_pid(lab, i);
        if (pids[i] && !in_turn)
            kill(pids[i], SIGTERM);
    }
    int64_t end = clock_now_ms() + ops_of(lab)->stop_timeout_ms;
    for (size_t i = 0; i < lab->nodes_len; i++) {
        if (pids[i] && in_turn)
            kill(pids[i], SIGTERM);
        int64_t left = end - clock_now_ms();
        if (!pids[i] || process_wait_gone(pids[i], left > 0 ? (unsigned)left : 0) == 0)
            continue;
        kill(pids[i], SIGKILL); /* the process that got SIGTERM and was waited for since */
        if (process_wait_gone(pids[i], ENDING_MS) == 0 || err)
            continue;
        err = ERR_TIMEOUT;
        *error = format_text("%s: process %ld is still there 10 s after SIGKILL", lab->nodes[i].name,
                             (long)pids[i]);
    }
    if (ops_of(lab)->finish)
        ops_of(lab)->finish(lab);
    return err;
}

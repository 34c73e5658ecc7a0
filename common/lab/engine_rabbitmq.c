/* engine_rabbitmq.c: real RabbitMQ nodes as an ordinary process tree in the lab's folder: Debian's server
 * scripts, but our own ports, cookie, data, configuration, and epmd; loopback only; no root and no `rabbitmq`
 * user. Nothing of a RabbitMQ that the machine may run already is read or touched.
 *
 *     DIR/rabbitmq/.erlang.cookie, enabled_plugins, env.conf, node1.conf, data/node1/, epmd.pid
 *
 * The nodes find each other by classic_config peer discovery, which takes a lock, so all may start at once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/vec.h"
#include "lab/private.h"

#define DEBIAN_BIN "/usr/lib/rabbitmq/bin"

/* Erlang's port mapper and the command line tools get ports above the nodes' own: nobody has to write them.
 */
#define EPMD_ABOVE_PEER 100
#define CTL_ABOVE_PEER  110
#define CTL_PORTS       20

static uint16_t epmd_port(const struct labdir *lab)
{
    return (uint16_t)(lab->nodes[0].peer_port + EPMD_ABOVE_PEER);
}

static const char *bin_folder(void)
{
    const char *told = getenv("MIRRORLAB_RABBITMQ_BIN");
    return told ? told : DEBIAN_BIN;
}

/* the path of one of RabbitMQ's programs, new; NULL and *error if it is not installed */
static char *find_program(const char *name, char **error)
{
    char *path = format_text("%s/%s", bin_folder(), name);
    if (access(path, X_OK) == 0)
        return path;
    *error = format_text(
        "%s is not there: rabbitmq-server is not installed; run `make deps-rabbitmq` (or name the "
        "folder of its programs in MIRRORLAB_RABBITMQ_BIN)",
        path);
    free(path);
    return NULL;
}

/* ---- environment --------------------------------------------------------------------------------------- */

struct words {
    VEC(char *) list;
};

static __attribute__((format(printf, 2, 3))) void add(struct words *w, const char *format, ...)
{
    struct text t = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    VEC_PUSH(&w->list, t.s);
}

/* Made from nothing, so that no RABBITMQ_* or ERL_* of the user's reaches the lab's nodes. */
static struct words base_environment(const struct labdir *lab)
{
    struct words w = {0};
    const char *path = getenv("PATH");
    add(&w, "PATH=%s:/usr/sbin:/usr/bin:/sbin:/bin", path ? path : "/usr/local/bin");
    add(&w, "HOME=%s/rabbitmq", lab->path);
    add(&w, "LANG=C.UTF-8");
    add(&w, "ERL_EPMD_PORT=%u", epmd_port(lab));
    add(&w, "ERL_EPMD_ADDRESS=127.0.0.1");
    add(&w, "RABBITMQ_CONF_ENV_FILE=%s/rabbitmq/env.conf", lab->path);
    unsigned ctl_port = lab->nodes[0].peer_port + CTL_ABOVE_PEER;
    add(&w, "RABBITMQ_CTL_DIST_PORT_MIN=%u", ctl_port);
    add(&w, "RABBITMQ_CTL_DIST_PORT_MAX=%u", ctl_port + CTL_PORTS - 1);
    add(&w, "RABBITMQ_CTL_ERL_ARGS=-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}");
    return w;
}

static struct words node_environment(const struct labdir *lab, size_t node)
{
    struct words w = base_environment(lab);
    const char *name = lab->nodes[node].name;
    add(&w, "RUNNING_UNDER_SYSTEMD=true"); /* the script becomes the node instead of watching over it */
    add(&w, "RABBITMQ_NODENAME=%s@localhost", name);
    add(&w, "RABBITMQ_USE_LONGNAME=false");
    add(&w, "RABBITMQ_DIST_PORT=%u", lab->nodes[node].peer_port);
    add(&w, "RABBITMQ_CONFIG_FILE=%s/rabbitmq/%s.conf", lab->path, name);
    add(&w, "RABBITMQ_ADVANCED_CONFIG_FILE=%s/rabbitmq/advanced.config", lab->path);
    add(&w, "RABBITMQ_ENABLED_PLUGINS_FILE=%s/rabbitmq/enabled_plugins", lab->path);
    add(&w, "RABBITMQ_MNESIA_BASE=%s/rabbitmq/data/%s", lab->path, name);
    add(&w, "RABBITMQ_LOG_BASE=%s/rabbitmq/data/%s", lab->path, name);
    add(&w, "RABBITMQ_LOGS=-"); /* to its output, which is DIR/nodeN/log.txt */
    add(&w,
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}");
    return w;
}

static char **as_env(struct words *w)
{
    VEC_PUSH(&w->list, NULL);
    return w->list.items;
}

void engine_env_free(char *program, char **env)
{
    free(program);
    for (size_t i = 0; env && env[i]; i++)
        free(env[i]);
    free(env);
}

int engine_rabbitmqctl(const struct labdir *lab, char **program, char ***env, char **error)
{
    *error = NULL;
    *env = NULL;
    *program = NULL;
    if (lab->external) {
        *error = format_text(
            "this cluster runs elsewhere (nodes[0].url in the configuration): run rabbitmqctl there");
        return ERR_REFUSED;
    }
    *program = find_program("rabbitmqctl", error);
    if (!*program)
        return ERR_NOT_FOUND;
    struct words w = base_environment(lab);
    add(&w, "RABBITMQ_NODENAME=%s@localhost", lab->nodes[0].name);
    *env = as_env(&w);
    return 0;
}

/* ---- files --------------------------------------------------------------------------------------------- */

static int write_file(const char *path, const char *content, mode_t mode, char **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    size_t len = strlen(content);
    bool good = fd >= 0 && write(fd, content, len) == (ssize_t)len;
    int why = errno;
    if (fd >= 0)
        good = close(fd) == 0 && good;
    if (!good)
        *error = format_text("%s: cannot write it: %s", path, strerror(why));
    return good ? 0 : ERR_IO;
}

/* one secret for the lab's nodes and tools, made once */
static int write_cookie(const char *folder, char **error)
{
    char *path = format_text("%s/.erlang.cookie", folder);
    int err = 0;
    if (access(path, F_OK)) {
        uint8_t bytes[20];
        char letters[sizeof(bytes) + 1];
        if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
            err = ERR_IO;
        for (size_t i = 0; i < sizeof(bytes); i++)
            letters[i] = (char)('A' + bytes[i] % 26);
        letters[sizeof(bytes)] = '\0';
        if (!err)
            err = write_file(path, letters, 0400, error);
    }
    free(path);
    return err;
}

static int write_node_config(const struct labdir *lab, size_t node, const char *folder, char **error)
{
    const struct lab_node *n = &lab->nodes[node];
    struct text t = {0};
    text_printf(&t, "listeners.tcp.1 = %s:%u\n", n->host, n->amqp_port);
    text_printf(&t, "management.tcp.ip = %s\nmanagement.tcp.port = %u\n", n->host, n->http_port);
    text_printf(&t, "default_user = %s\ndefault_pass = %s\n", lab->user, lab->password);
    text_add(&t, "default_user_tags.administrator = true\n"
                 "default_permissions.configure = .*\n"
                 "default_permissions.read = .*\n"
                 "default_permissions.write = .*\n"
                 "loopback_users.guest = true\n");
    /* What the API shows is about a second old, not five: nodes report twice a second, the API samples every
     * second (RabbitMQ's shortest). */
    text_add(&t, "collect_statistics_interval = 500\n"
                 "management.sample_retention_policies.global.minute = 1\n"
                 "management.sample_retention_policies.global.hour = 60\n"
                 "management.sample_retention_policies.basic.minute = 1\n"
                 "management.sample_retention_policies.basic.hour = 60\n"
                 "management.sample_retention_policies.detailed.minute = 1\n");
    text_printf(&t, "cluster_partition_handling = %s\n",
                lab->partition_handling[0] ? lab->partition_handling : "ignore");
    text_add(&t, "cluster_formation.peer_discovery_backend = classic_config\n");
    for (size_t i = 0; i < lab->nodes_len; i++)
        text_printf(&t, "cluster_formation.classic_config.nodes.%zu = %s@localhost\n", i + 1,
                    lab->nodes[i].name);
    char *path = format_text("%s/%s.conf", folder, n->name);
    int err = write_file(path, t.s, 0600, error);
    free(path);
    text_finish(&t);
    return err;
}

static int write_files(const struct labdir *lab, const char *folder, char **error)
{
    char *data = format_text("%s/data", folder);
    char *plugins = format_text("%s/enabled_plugins", folder), *env = format_text("%s/env.conf", folder);
    int err = 0;
    if ((mkdir(folder, 0700) && errno != EEXIST) || (mkdir(data, 0700) && errno != EEXIST)) {
        *error = format_text("%s: cannot make this folder: %s", data, strerror(errno));
        err = ERR_IO;
    }
    if (!err)
        err = write_cookie(folder, error);
    if (!err)
        err = write_file(plugins, "[rabbitmq_management].\n", 0600, error);
    if (!err)
        err = write_file(env, "", 0600, error);
    for (size_t i = 0; i < lab->nodes_len && !err; i++)
        err = write_node_config(lab, i, folder, error);
    free(data);
    free(plugins);
    free(env);
    return err;
}

/* ---- epmd: Erlang's port mapper, the lab's own -----------------------------------------------------------
 */

static bool epmd_listens(const struct labdir *lab)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(epmd_port(lab)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listens = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return listens;
}

static int find_in_path(const char *name, char out[PATH_MAX])
{
    char *path = format_text("%s:/usr/local/bin:/usr/bin", getenv("PATH") ? getenv("PATH") : "/bin"),
         *rest = NULL;
    int err = ERR_NOT_FOUND;
    for (char *part = strtok_r(path, ":", &rest); part && err; part = strtok_r(NULL, ":", &rest)) {
        if (snprintf(out, PATH_MAX, "%s/%s", part, name) < PATH_MAX && access(out, X_OK) == 0)
            err = 0;
    }
    free(path);
    return err;
}

static int start_epmd(const struct labdir *lab, const char *folder, char **error)
{
    char program[PATH_MAX], port[8];
    char *pid_file = format_text("%s/epmd.pid", folder), *log = format_text("%s/epmd.log", folder);
    int err = 0;
    if (process_belongs(process_read_pid(pid_file), folder))
        goto out; /* of this lab, running */
    if ((err = engine_check_port("127.0.0.1", epmd_port(lab), "epmd (Erlang's port mapper)",
                                 "nodes[0].peer, plus 100", error)))
        goto out;
    if ((err = find_in_path("epmd", program))) {
        *error = format_text("epmd is not there: Erlang is not installed; run `make deps-rabbitmq`");
        goto out;
    }
    snprintf(port, sizeof(port), "%u", epmd_port(lab));
    const char *argv[] = {program, "-port", port, "-address", "127.0.0.1", NULL};
    struct process_spec spec = {.argv = argv, .owner = folder, .log = log, .own_session = true};
    pid_t pid = 0;
    int why = process_start(&spec, &pid);
    if (why) {
        *error = format_text("cannot start %s: %s", program, strerror(-why));
        err = ERR_IO;
        goto out;
    }
    process_write_pid(pid_file, pid);
    for (int64_t end = clock_now_ms() + 10000; !epmd_listens(lab); pause_ms(5)) {
        if (!process_gone(pid) && clock_now_ms() < end)
            continue;
        *error = format_text("epmd does not listen on port %u; see %s", epmd_port(lab), log);
        err = ERR_TIMEOUT;
        break;
    }
out:
    free(pid_file);
    free(log);
    return err;
}

static void rabbitmq_finish(const struct labdir *lab)
{
    char *folder = format_text("%s/rabbitmq", lab->path), *pid_file = format_text("%s/epmd.pid", folder);
    pid_t pid = process_read_pid(pid_file);
    if (process_belongs(pid, folder)) {
        kill(pid, SIGTERM);
        if (process_wait_gone(pid, 3000)) {
            kill(pid, SIGKILL);
            process_wait_gone(pid, 3000);
        }
    }
    unlink(pid_file);
    free(folder);
    free(pid_file);
}

/* ---- nodes --------------------------------------------------------------------------------------------- */

static int rabbitmq_prepare(const struct labdir *lab, char **error)
{
    char *server = find_program("rabbitmq-server", error);
    if (!server)
        return ERR_NOT_FOUND;
    free(server);
    if (lab->nodes[0].peer_port > UINT16_MAX - CTL_ABOVE_PEER - CTL_PORTS) {
        *error = format_text(
            "nodes[0].peer is %u; RabbitMQ's tools need the %d ports above it, write at most %d",
            lab->nodes[0].peer_port, CTL_ABOVE_PEER + CTL_PORTS, UINT16_MAX - CTL_ABOVE_PEER - CTL_PORTS);
        return ERR_INVALID;
    }
    char *folder = format_text("%s/rabbitmq", lab->path);
    int err = write_files(lab, folder, error);
    if (!err)
        err = start_epmd(lab, folder, error);
    free(folder);
    return err;
}

static int rabbitmq_start(const struct labdir *lab, size_t node, pid_t *pid, char **error)
{
    char folder[PATH_MAX], log[PATH_MAX], pid_file[PATH_MAX];
    engine_node_path(lab, node, NULL, folder);
    engine_node_path(lab, node, "log.txt", log);
    engine_node_path(lab, node, "pid", pid_file);
    char *server = find_program("rabbitmq-server", error);
    if (!server)
        return ERR_NOT_FOUND;
    struct words w = node_environment(lab, node);
    const char *argv[] = {server, NULL};
    struct process_spec spec = {
        .argv = argv, .env = as_env(&w), .owner = folder, .log = log, .own_session = true};
    int why = process_start(&spec, pid);
    if (why)
        *error = format_text("%s: cannot start %s: %s", lab->nodes[node].name, server, strerror(-why));
    else
        process_write_pid(pid_file,
                          *pid); /* the script becomes the Erlang machine: one pid from start to end */
    engine_env_free(server, w.list.items);
    return why ? ERR_IO : 0;
}

/* RabbitMQ makes one user by itself; the kit also has guest, from loopback only. */
static int rabbitmq_settle(const struct labdir *lab, char **error)
{
    static const struct {
        const char *path, *body;
    } puts[] = {
        {"/api/users/guest", "{\"password\":\"guest\",\"tags\":\"administrator\"}"},
        {"/api/permissions/%2F/guest", "{\"configure\":\".*\",\"write\":\".*\",\"read\":\".*\"}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(puts); i++) {
        struct http_answer answer;
        int err = http_call(lab, 0, "PUT", puts[i].path, puts[i].body, 10000, &answer);
        if (!err && answer.status != 201 && answer.status != 204)
            err = ERR_REFUSED;
        if (err)
            *error = format_text("%s: cannot make the user guest: PUT %s: %s %s", lab->nodes[0].name,
                                 puts[i].path, err_text(err), text_str(&answer.body));
        text_finish(&answer.body);
        if (err)
            return err;
    }
    return 0;
}

const struct engine_ops engine_rabbitmq_ops = {
    .prepare = rabbitmq_prepare,
    .start = rabbitmq_start,
    .settle = rabbitmq_settle,
    .finish = rabbitmq_finish,
    .waits = "Waiting for Mnesia tables",
    .goes_on = "Successfully synced tables",
    .ready_timeout_ms = 180000,
    .stop_timeout_ms = 60000,
};

/* support.c: labs in folders of their own, programs with their output caught, facts waited for. */
#include "tests/cluster/support.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/temporary.h"

int64_t support_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool wait_until(fact_fn *fact, void *arg, int timeout_ms)
{
    int64_t end = support_now_ms() + timeout_ms;
    while (!fact(arg)) {
        if (support_now_ms() >= end)
            return false;
        poll(NULL, 0, 20); /* between two looks */
    }
    return true;
}

/* ---- programs ------------------------------------------------------------------------------------------ */

static pid_t start_program(const char *const argv[], int *out_fd, struct text *why)
{
    int out[2], failed[2];
    if (pipe2(out, O_CLOEXEC) < 0)
        return -1;
    if (pipe2(failed, O_CLOEXEC) < 0) {
        close(out[0]);
        close(out[1]);
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        dup2(out[1], STDOUT_FILENO);
        dup2(out[1], STDERR_FILENO);
        int null = open("/dev/null", O_RDONLY);
        dup2(null, STDIN_FILENO);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        int error = errno;
        if (write(failed[1], &error, sizeof(error)) < 0)
            _exit(126);
        _exit(127);
    }
    close(out[1]);
    close(failed[1]);
    int error = 0;
    bool started = pid > 0 && read(failed[0], &error, sizeof(error)) == 0;
    close(failed[0]);
    if (started) {
        *out_fd = out[0];
        return pid;
    }
    if (pid > 0)
        waitpid(pid, NULL, 0);
    close(out[0]);
    if (why)
        text_printf(why, "%s: %s", argv[0], strerror(error ? error : errno));
    return -1;
}

int run_program(struct text *out, int timeout_ms, const char *const argv[])
{
    int fd = -1;
    if (out)
        text_clear(out);
    pid_t pid = start_program(argv, &fd, out);
    if (pid < 0)
        return -2;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    int64_t end = support_now_ms() + timeout_ms;
    int status = 0;
    bool ended = false, killed = false;
    /* What the program leaves behind (a lab's nodes) may hold the pipe: its own end is what counts. */
    for (;;) {
        char buffer[65536];
        ssize_t n;
        while ((n = read(fd, buffer, sizeof(buffer))) > 0)
            if (out)
                text_add_bytes(out, buffer, (size_t)n);
        if (ended)
            break;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        poll(n == 0 ? NULL : &p, n == 0 ? 0 : 1, 5);
        ended = waitpid(pid, &status, WNOHANG) == pid;
        if (!ended && !killed && support_now_ms() > end) {
            kill(-pid, SIGKILL);
            killed = true;
        }
    }
    close(fd);
    if (killed && out)
        text_printf(out, "\nout of time: %s was killed after %d ms\n", argv[0], timeout_ms);
    if (killed)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- a lab --------------------------------------------------------------------------------------------- */

static struct lab *guarded; /* the lab whose nodes die with this program; one at a time */

/* Only what a signal handler may call: open, read, kill. node 0: Erlang's port mapper, if the lab has one. */
static pid_t pid_from(const char *dir, unsigned node)
{
    static const char mapper[] = "/rabbitmq/epmd.pid";
    char path[PATH_MAX + 32], digits[16] = "";
    size_t len = strlen(dir), at = len;
    memcpy(path, dir, len);
    memcpy(path + at, "/node", 5);
    at += 5;
    if (node >= 10)
        path[at++] = (char)('0' + node / 10);
    path[at++] = (char)('0' + node % 10);
    memcpy(path + at, "/pid", 5);
    if (node == 0)
        memcpy(path + len, mapper, sizeof(mapper));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, digits, sizeof(digits) - 1);
    close(fd);
    pid_t pid = 0;
    for (ssize_t i = 0; i < n && digits[i] >= '0' && digits[i] <= '9'; i++)
        pid = pid * 10 + (digits[i] - '0');
    return pid;
}

static void kill_nodes(const struct lab *lab)
{
    for (unsigned i = 0; i <= lab->nodes; i++) {
        pid_t pid = pid_from(lab->dir, i);
        if (pid > 1)
            kill(pid, SIGKILL);
    }
}

static void on_signal(int signal_number)
{
    if (guarded && guarded->up)
        kill_nodes(guarded);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static bool port_free(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool is_free = bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
    close(fd);
    return is_free;
}

bool lab_init(struct lab *lab, unsigned nodes)
{
    memset(lab, 0, sizeof(*lab));
    lab->nodes = nodes;
    const char *build = getenv("BUILD"), *from = getenv("MIRRORLAB_TEST_PORT");
    if (!realpath(build ? build : "build", lab->bin))
        return false;
    if (!temporary_folder_in(lab->dir, sizeof(lab->dir), "test"))
        return false;
    unsigned found = 0, port = from ? (unsigned)atoi(from) : 61000;
    for (; found < 3 * nodes && port < 65000; port++)
        found = port_free((uint16_t)port) ? found + 1 : 0;
    if (found < 3 * nodes)
        return false;
    lab->amqp = (uint16_t)(port - 3 * nodes);
    lab->http = (uint16_t)(lab->amqp + nodes);
    lab->peer = (uint16_t)(lab->http + nodes);
    guarded = lab;
    static const int ends[] = {SIGTERM, SIGINT, SIGALRM, SIGHUP};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        signal(ends[i], on_signal);
    return true;
}

bool lab_up(struct lab *lab, const char *engine, const char *config, struct text *out)
{
    char program[PATH_MAX + 8], ports[64], nodes[16];
    snprintf(program, sizeof(program), "%s/lab", lab->bin);
    snprintf(ports, sizeof(ports), "%u,%u,%u", lab->amqp, lab->http, lab->peer);
    snprintf(nodes, sizeof(nodes), "%u", lab->nodes);
    const char *argv[16] = {program, "up", "--dir", lab->dir, "--ports", ports, "--nodes", nodes};
    size_t n = 8;
    if (engine) {
        argv[n++] = "--engine";
        argv[n++] = engine;
    }
    if (config) {
        argv[n++] = "--config";
        argv[n++] = config;
    }
    lab->up = true; /* also if it fails half way: something may run */
    return run_program(out, 180000, argv) == 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

bool lab_finish(struct lab *lab)
{
    bool down = true;
    if (lab->up) {
        char program[PATH_MAX + 8];
        snprintf(program, sizeof(program), "%s/lab", lab->bin);
        down = RUN(NULL, program, "down", "--dir", lab->dir) == 0;
        kill_nodes(lab);
        lab->up = false;
    }
    guarded = NULL;
    if (lab->dir[0] && !getenv("MIRRORLAB_TEST_KEEP"))
        nftw(lab->dir, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    return down;
}

const char *lab_url(const struct lab *lab, unsigned node)
{
    static char url[80];
    snprintf(url, sizeof(url), "amqp://admin:123@127.0.0.1:%u", lab_amqp(lab, node));
    return url;
}

pid_t lab_pid(const struct lab *lab, unsigned node)
{
    return pid_from(lab->dir, node);
}

/* Alive until its last thread has ended: the first may be gone while another still holds files and ports. */
bool process_alive(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
    DIR *tasks = opendir(path);
    bool alive = false;
    for (struct dirent *entry; tasks && !alive && (entry = readdir(tasks));) {
        char line[512];
        snprintf(path, sizeof(path), "/proc/%ld/task/%.12s/stat", (long)pid, entry->d_name);
        FILE *f = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (!f)
            continue;
        char *end = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
        fclose(f);
        alive = end && end[1] && end[2] != 'Z' && end[2] != 'X';
    }
    if (tasks)
        closedir(tasks);
    return alive;
}

static bool process_ended(void *pid)
{
    return !process_alive(*(const pid_t *)pid);
}

bool wait_ended(pid_t pid, int timeout_ms)
{
    return wait_until(process_ended, &pid, timeout_ms);
}

bool lab_alive(const struct lab *lab, unsigned node)
{
    pid_t pid = lab_pid(lab, node);
    return pid > 0 && process_alive(pid);
}

int labctl_words(const struct lab *lab, struct text *out, const char *const *words)
{
    char program[PATH_MAX + 8];
    snprintf(program, sizeof(program), "%s/labctl", lab->bin);
    const char *argv[32] = {program, "--dir", lab->dir};
    size_t n = 3;
    while (*words && n + 1 < ARRAY_LEN(argv))
        argv[n++] = *words++;
    return run_program(out, 120000, argv);
}

/* ---- facts --------------------------------------------------------------------------------------------- */

unsigned node_number(const char *name)
{
    if (!name || strncmp(name, "node", 4) != 0 || !isdigit((unsigned char)name[4]))
        return 0;
    return (unsigned)strtoul(name + 4, NULL, 10);
}

json_t *lab_queue(const struct lab *lab, unsigned asked, const char *queue)
{
    json_t *list = http_json(lab_http(lab, asked), "/api/queues/%2F"), *found = NULL, *q;
    size_t i;
    json_array_foreach(list, i, q)
    {
        const char *name = json_string_value(json_object_get(q, "name"));
        if (name && !strcmp(name, queue))
            found = json_incref(q);
    }
    json_decref(list);
    return found;
}

int lab_running(const struct lab *lab, unsigned asked, unsigned node)
{
    json_t *list = http_json(lab_http(lab, asked), "/api/nodes"), *n;
    int running = -1;
    size_t i;
    json_array_foreach(list, i, n)
    {
        if (node_number(json_string_value(json_object_get(n, "name"))) == node)
            running = json_is_true(json_object_get(n, "running"));
    }
    json_decref(list);
    return running;
}

static long long number_of(const json_t *q, const char *key)
{
    const json_t *v = json_object_get(q, key);
    return json_is_integer(v) ? json_integer_value(v) : -1;
}

bool lab_facts(const struct lab *lab, unsigned asked, const char *queue, struct queue_facts *out)
{
    memset(out, 0, sizeof(*out));
    json_t *q = lab_queue(lab, asked, queue), *name;
    if (!q)
        return false;
    const char *state = json_string_value(json_object_get(q, "state"));
    const char *policy = json_string_value(json_object_get(q, "policy"));
    snprintf(out->state, sizeof(out->state), "%s", state ? state : "");
    snprintf(out->policy, sizeof(out->policy), "%s", policy ? policy : "");
    out->master = node_number(json_string_value(json_object_get(q, "node")));
    out->messages = number_of(q, "messages");
    out->ready = number_of(q, "messages_ready");
    out->unacked = number_of(q, "messages_unacknowledged");
    size_t i;
    json_array_foreach(json_object_get(q, "slave_nodes"), i, name)
    {
        if (!out->mirrors++)
            out->mirror = node_number(json_string_value(name));
        out->mirror_bits |= 1u << (node_number(json_string_value(name)) & 31);
    }
    json_array_foreach(json_object_get(q, "synchronised_slave_nodes"), i, name)
    {
        out->synced++;
        out->synced_bits |= 1u << (node_number(json_string_value(name)) & 31);
    }
    out->plus_one = out->synced == 1;
    json_decref(q);
    return true;
}

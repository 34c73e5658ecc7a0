/* nodes.c: see nodes.h. */
#include "tests/bench/nodes.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/load.h"

const char *const engines[BENCH_ENGINES] = {[BENCH_KIT] = "kit", [BENCH_RABBITMQ] = "rabbitmq"};

bool fail(struct bench *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(b->reason, sizeof(b->reason), format, args);
    va_end(args);
    return false;
}

/* ready: greets AMQP clients, and its API lists three running nodes */
static bool node_ready(const struct lab *lab, unsigned node)
{
    struct amqp_conn c;
    if (!amqp_connect(&c, "127.0.0.1", lab_amqp(lab, node), 500))
        return false;
    struct amqp_frame f;
    amqp_put(&c, "AMQP\0\0\x09\x01", 8);
    bool greets = amqp_expect(&c, M_CONNECTION_START, &f, 500);
    amqp_finish(&c);
    if (!greets)
        return false;
    json_t *list = http_json(lab_http(lab, node), "/api/nodes"), *n;
    size_t i, running = 0;
    json_array_foreach(list, i, n) running += json_is_true(json_object_get(n, "running"));
    json_decref(list);
    return running == NODES;
}

bool start_lab(struct bench *b, double *seconds)
{
    int out[2];
    if (!lab_init(&b->lab, NODES) || pipe(out) < 0)
        return fail(b, "cannot make a lab's folder, or find free ports");
    int64_t began = load_now_us();
    pid_t pid = fork();
    if (pid == 0) {
        close(out[0]);
        struct text said = {0};
        bool up = lab_up(&b->lab, engines[b->engine], NULL, &said);
        if (write(out[1], text_str(&said), said.len) < 0)
            _exit(2);
        _exit(up ? 0 : 1);
    }
    close(out[1]);
    b->lab.up = true;
    unsigned ready = 0; /* nodes 1 .. ready are */
    int status = -1;
    bool ended = false;
    while (ready < NODES && load_now_us() - began < 180 * 1000000LL) {
        if (node_ready(&b->lab, ready + 1))
            ready++;
        else if (ended && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
            break;
        else
            poll(NULL, 0, 2);
        ended = ended || waitpid(pid, &status, WNOHANG) == pid;
    }
    *seconds = (double)(load_now_us() - began) / 1e6;
    if (!ended)
        waitpid(pid, &status, 0);
    char said[500] = "";
    ssize_t n = read(out[0], said, sizeof(said) - 1);
    close(out[0]);
    if (ready == NODES && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    return fail(b, "lab up --engine %s: %.*s", engines[b->engine], n > 0 ? (int)n : 0, said);
}

pid_t node_process(const struct lab *lab, unsigned node)
{
    json_t *list = http_json(lab_http(lab, node), "/api/nodes"), *n;
    const char *text = NULL;
    size_t i;
    json_array_foreach(list, i, n)
    {
        if (node_number(json_string_value(json_object_get(n, "name"))) == node)
            text = json_string_value(json_object_get(n, "os_pid"));
    }
    pid_t pid = text ? (pid_t)strtol(text, NULL, 10) : lab_pid(lab, node);
    json_decref(list);
    return pid;
}

double resident_mib(pid_t pid)
{
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "VmRSS: %ld kB", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return (double)kib / 1024;
}

bool set_policy(struct bench *b, const char *pattern)
{
    char body[256];
    snprintf(body, sizeof(body),
             "{\"pattern\":\"%s\",\"definition\":{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":"
             "\"automatic\"},\"priority\":0,\"apply-to\":\"queues\"}",
             pattern);
    struct text answer = {0};
    int status = http_ask(lab_http(&b->lab, 1), "PUT", "/api/policies/%2F/bench", body, 10000, &answer);
    bool ok = status >= 200 && status < 300;
    if (!ok)
        fail(b, "PUT /api/policies/%%2F/bench: %d %.300s", status, text_str(&answer));
    text_finish(&answer);
    return ok;
}

bool with_connection(struct bench *b, unsigned node, struct amqp_conn *c)
{
    return amqp_open(c, "127.0.0.1", lab_amqp(&b->lab, node), "admin", "123") || fail(b, "%s", c->error);
}

bool declare(struct bench *b, unsigned node, const char *queue)
{
    struct amqp_conn c;
    if (!with_connection(b, node, &c))
        return false;
    bool ok = amqp_declare(&c, queue, false, NULL, 30000) || fail(b, "declare %s: %s", queue, c.error);
    amqp_finish(&c);
    return ok;
}

void delete_queue(struct bench *b, unsigned node, const char *queue)
{
    struct amqp_conn c;
    if (!with_connection(b, node, &c))
        return;
    if (!amqp_delete(&c, queue, 60000))
        fprintf(stderr, "bench: delete %s: %s\n", queue, c.error);
    amqp_finish(&c);
}

bool is_mirrored(void *arg)
{
    struct mirrored *m = arg;
    return lab_facts(m->lab, m->asked, m->queue, &m->facts) && m->facts.synced >= 1 &&
           !strcmp(m->facts.state, "running");
}

bool wait_mirrored(struct bench *b, unsigned asked, const char *queue, struct queue_facts *facts)
{
    struct mirrored m = {.lab = &b->lab, .queue = queue, .asked = asked};
    if (!wait_until(is_mirrored, &m, 60000))
        return fail(b, "%s: no synchronised mirror after 60 s (state %s, %u mirrors)", queue, m.facts.state,
                    m.facts.mirrors);
    if (facts)
        *facts = m.facts;
    return true;
}

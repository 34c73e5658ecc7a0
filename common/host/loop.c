/* loop.c: the turn. One rule: whatever happens in a turn is written out at its end, once. */
#include "host/loop_private.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "host/control.h"

/* ---- time ---- */

static ms_time clock_ms(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (ms_time)ts.tv_sec * 1000 + (ms_time)ts.tv_nsec / 1000000;
}

ms_time loop_now(struct loop *l)
{
    if (!l->now_known) {
        l->now = clock_ms(CLOCK_MONOTONIC) + l->mono_offset;
        l->now_known = true;
    }
    return l->now;
}

ms_time node_now(const struct node *n)
{
    return loop_now(loop_of(n));
}

/* ---- stepping ---- */

void loop_perform(struct loop *l, struct effects *fx)
{
    struct node *n = (struct node *)(void *)l; /* a lesson's struct node begins with its loop */
    for (size_t i = 0; i < fx->len; i++)
        l->perform(n, &fx->items[i]);
    if (l->answered.len)
        commands_run_answered(l);
    effects_clear(fx);
}

void loop_step(struct loop *l, const struct event *ev)
{
    if (!l->broker || l->app == APP_CLOSING || l->done)
        return;
    /* a handler of an answer may step again: it finds no spare and uses an array of its own */
    struct effects fx = l->spare;
    l->spare = (struct effects){0};
    int err = broker_step(l->broker, ev, &fx);
    ASSERT(err == 0);
    loop_perform(l, &fx);
    if (l->spare.items)
        effects_free(&fx);
    else
        l->spare = fx;
}

void node_step(struct node *n, const struct event *ev)
{
    struct event timed = *ev;
    timed.now = node_now(n);
    loop_step(loop_of(n), &timed);
}

void node_perform(struct node *n, struct effects *fx)
{
    loop_perform(loop_of(n), fx);
}

/* ---- turns ---- */

static void woken(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg; /* the turn that follows does the work */
}

void loop_again(struct loop *l)
{
    watch_now(l->again);
}

void loop_wake_at(struct loop *l, ms_time at)
{
    l->wake_at = u64_min(l->wake_at, at);
}

void loop_moved(struct loop *l, size_t bytes)
{
    l->moved_bytes += bytes;
}

static void set_deadline(struct loop *l)
{
    ms_time at = l->wake_at;
    if (l->broker && l->app != APP_CLOSING)
        at = u64_min(at, broker_deadline(l->broker));
    if (at == UINT64_MAX) {
        watch_off(l->deadline);
        return;
    }
    ms_time now = loop_now(l);
    watch_on_for(l->deadline, at > now ? at - now : 0);
}

static void end_turn(struct loop *l)
{
    ms_time now = loop_now(l);
    if (l->wake_at <= now)
        l->wake_at = UINT64_MAX;
    if (l->broker && broker_deadline(l->broker) <= now)
        loop_step(l, &(struct event){.type = EV_TICK, .now = now});
    for (size_t i = 0; i < l->parts_len; i++)
        if (l->parts[i]->ops->sweep)
            l->parts[i]->ops->sweep(l->parts[i]);
    memory_check(l);
    loop_step(l, &(struct event){.type = EV_TURN_END, .now = now});
    trace_turn(l);
    app_serve(l);
    for (size_t i = 0; i < l->parts_len && !l->done; i++)
        if (l->parts[i]->ops->flush)
            l->parts[i]->ops->flush(l->parts[i]);
    app_advance(l);
    set_deadline(l);
    l->now_known = false;
}

/* ---- the process ---- */

static void stopped_by_signal(void *arg, const char *error)
{
    struct loop *l = arg;
    (void)error;
    l->done = true;
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct loop *l = arg;
    node_stop_app((struct node *)(void *)l, stopped_by_signal, l);
}

static void started_by_process(void *arg, const char *error)
{
    struct loop *l = arg;
    if (!error || !l->app_error) /* it serves, or somebody stopped it: the process stays */
        return;
    fprintf(stderr, "%s\n", error);
    l->exit_code = 1;
    l->done = true;
}

int loop_run(struct loop *l)
{
    node_start_app((struct node *)(void *)l, started_by_process, l);
    while (!l->done) {
        end_turn(l);
        if (!l->done)
            event_base_loop(l->base, EVLOOP_ONCE);
    }
    return l->exit_code;
}

static _Noreturn void usage(const char *program, int code)
{
    fprintf(code ? stderr : stdout,
            "usage: %s --config FILE --name NODE --dir FOLDER\n"
            "  --config FILE  the lab's configuration (lab.cfg): who the nodes are\n"
            "  --name NODE    which of them this process is\n"
            "  --dir FOLDER   where it keeps its log, its pid and its control socket\n"
            "`lab up` starts all nodes of a lab so.\n",
            program);
    exit(code);
}

static _Noreturn void refuse(char *error, int code)
{
    fprintf(stderr, "%s\n", error);
    exit(code);
}

/* One heap, for the loop allocates all but nothing of what there is. What a busy turn needs is kept for the
 * next: memory that goes back and forth costs more than the work it is for. */
static void keep_memory_small(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
}

/* a client is a descriptor: as many as the system lets us have */
static void raise_file_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static void read_arguments(struct loop *l, int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"name", required_argument, NULL, 'n'},
                                            {"dir", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *file = NULL, *name = NULL, *dir = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'c': file = optarg; break;
        case 'n': name = optarg; break;
        case 'd': dir = optarg; break;
        case 'h': usage(argv[0], 0);
        default: usage(argv[0], EX_USAGE);
        }
    }
    if (!file || !name || !dir || optind < argc)
        usage(argv[0], EX_USAGE);
    char *error;
    if (node_config_read(&l->config, file, name, dir, &error))
        refuse(error, EX_CONFIG);
    l->config_file = xstrdup(file);
    if (!l->config.secret) {
        l->config.secret = node_files_secret(file, &error);
        if (!l->config.secret)
            refuse(error, 1);
    }
    l->pid_fd = node_files_pid(dir, &error);
    if (l->pid_fd < 0)
        refuse(error, 1);
}

void loop_init(struct loop *l, int argc, char **argv, loop_rules_fn *rules, loop_perform_fn *perform)
{
    keep_memory_small();
    *l = (struct loop){.rules = rules, .perform = perform, .wake_at = UINT64_MAX, .statm_fd = -1};
    map_init(&l->commands);
    l->mono_offset = clock_ms(CLOCK_REALTIME) - clock_ms(CLOCK_MONOTONIC);
    read_arguments(l, argc, argv);
    raise_file_limit();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its size limit is a failed write, told by its errno */

    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    l->base = event_base_new_with_config(config);
    event_config_free(config);
    ASSERT(l->base);
    l->sigterm = watch_signal(l->base, SIGTERM, on_signal, l);
    l->sigint = watch_signal(l->base, SIGINT, on_signal, l);
    watch_on(l->sigterm);
    watch_on(l->sigint);
    l->again = watch_timer(l->base, woken, l);
    l->deadline = watch_timer(l->base, woken, l);

    char *socket = format_text("%s/control.sock", l->config.dir), *error = NULL;
    l->control = control_create((struct node *)(void *)l, socket, &error);
    free(socket);
    if (!l->control)
        refuse(error, 1);
}

void loop_finish(struct loop *l)
{
    app_finish(l);
    control_destroy(l->control);
    watch_destroy(l->sigterm);
    watch_destroy(l->sigint);
    watch_destroy(l->again);
    watch_destroy(l->deadline);
    event_base_free(l->base);
    effects_free(&l->spare);
    map_finish(&l->commands);
    VEC_FREE(&l->answered);
    figures_finish(l);
    memory_finish(l);
    trace_finish(l);
    char *pid = format_text("%s/pid", l->config.dir);
    unlink(pid);
    free(pid);
    close(l->pid_fd);
    free(l->config_file);
    node_config_finish(&l->config);
    libevent_global_shutdown();
}

void loop_add_part(struct loop *l, struct part *p, const struct part_ops *ops)
{
    ASSERT(l->parts_len < LOOP_PARTS);
    *p = (struct part){.ops = ops, .loop = l};
    l->parts[l->parts_len++] = p;
}

void loop_fail(struct loop *l, char *text)
{
    if (!l->done)
        fprintf(stderr, "%s: %s\n", l->config.name, text);
    free(text);
    l->exit_code = EX_IOERR;
    l->done = true;
}

char *loop_port_error(const struct loop *l, const char *key, const char *host, uint16_t port, int why)
{
    if (why == EADDRINUSE)
        return format_text(
            "%s: port %u is taken (key nodes[%zu].%s in %s); an outgoing connection may hold it for "
            "a minute: then run the same again; else choose another port or run lab down",
            l->config.name, port, l->config.self, key, l->config_file);
    return format_text("%s: cannot listen on %s port %u: %s (keys nodes[%zu].host and nodes[%zu].%s in %s)",
                       l->config.name, host, port, strerror(why), l->config.self, l->config.self, key,
                       l->config_file);
}

struct event_base *node_base(struct node *n)
{
    return loop_of(n)->base;
}

const struct node_config *node_config_of(const struct node *n)
{
    return &loop_of(n)->config;
}

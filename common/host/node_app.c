/* node_app.c: the app: a broker with its parts, that starts and stops inside a process that stays.
 *
 *     stopped --start--> starting --serves--> running --stop--> stopping --FX_STOPPED--> closing --> stopped
 *
 * One rule: state changes at the end of a turn only, in app_advance. */
#include <stdio.h>
#include <stdlib.h>

#include "host/http.h"
#include "host/loop_private.h"
#include "host/node_log.h"

static void set_state(struct loop *l, enum app_state to)
{
    switch (to) {
    case APP_STARTING: ASSERT(l->app == APP_STOPPED); break;
    case APP_RUNNING: ASSERT(l->app == APP_STARTING); break;
    case APP_STOPPING: ASSERT(l->app == APP_STARTING || l->app == APP_RUNNING); break;
    case APP_CLOSING: ASSERT(l->app == APP_STARTING || l->app == APP_STOPPING); break;
    case APP_STOPPED: ASSERT(l->app == APP_CLOSING); break;
    }
    l->app = to;
    loop_again(l); /* whoever waits for this state must not wait for a socket */
}

/* ---- starting ---- */

static struct broker *create_broker(struct loop *l)
{
    const char *names[LIMIT_NODES];
    for (size_t i = 0; i < l->config.nodes_len; i++)
        names[i] = l->config.nodes[i].name;
    const struct broker_user users[] = {
        {.name = l->config.user, .password = l->config.password, .tags = "administrator"},
        {.name = "guest", .password = "guest", .tags = "administrator", .loopback_only = true},
    };
    struct broker_options o;
    broker_options_defaults(&o);
    mirror_options_defaults(&o.mirror);
    o.mirror.names = names;
    o.mirror.nodes_len = l->config.nodes_len;
    o.mirror.self = (node_id)l->config.self;
    o.mirror.incarnation = l->incarnation;
    o.mirror.lived = l->lived;
    o.mirror.seed = l->incarnation;
    o.mirror.partition_handling = l->config.partition_handling;
    o.mirror.paused = l->restarts && l->config.partition_handling == PARTITION_PAUSE_MINORITY;
    o.mirror.forced = node_files_forced(l->config.dir);
    o.mirror.forgets = node_files_forgotten(l->config.dir, &l->config);
    o.mirror.confirm_after_mirrors = o.mirror.confirm_after_disk = o.mirror.oldest_promoted = false;
    o.users = users;
    o.users_len = ARRAY_LEN(users);
    l->rules(&o); /* the lesson says which of the rules it plays by */
    return broker_create(&o);
}

static void begin_start(struct loop *l)
{
    char *error = NULL;
    set_state(l, APP_STARTING);
    l->started_at = loop_now(l);
    l->stopped_by_broker = l->serving_wanted = l->memory_alarm = false;
    l->lived = node_files_lived(l->config.dir);
    l->incarnation = node_files_incarnation(l->config.dir, loop_now(l), &error);
    if (l->incarnation)
        l->broker = create_broker(l);
    trace_app_starts(l);
    for (size_t i = 0; i < l->parts_len && !error; i++)
        if (l->parts[i]->ops->open)
            l->parts[i]->ops->open(l->parts[i], &error);
    if (error) {
        loop_app_failed(l, error);
        l->stopped_by_broker = true; /* it never began */
        return;
    }
    l->now_known = false; /* reading the log may have taken long, and looking for the others begins now */
    loop_step(l, &(struct event){.type = EV_START, .now = loop_now(l)});
}

void node_start_app(struct node *n, node_done_fn *fn, void *arg)
{
    struct loop *l = loop_of(n);
    switch (l->app) {
    case APP_RUNNING: fn(arg, NULL); return;
    case APP_STOPPING:
    case APP_CLOSING: fn(arg, "the app is being stopped; start it once it has stopped"); return;
    case APP_STOPPED:
    case APP_STARTING: break;
    }
    VEC_PUSH(&l->waiters, (struct waiter){.fn = fn, .arg = arg, .start = true});
    if (l->app == APP_STOPPED)
        begin_start(l);
}

/* ---- stopping ---- */

static void begin_stop(struct loop *l)
{
    set_state(l, APP_STOPPING);
    if (!l->stopped_by_broker)
        loop_step(l, &(struct event){.type = EV_STOP, .now = loop_now(l)});
}

void node_stop_app(struct node *n, node_done_fn *fn, void *arg)
{
    struct loop *l = loop_of(n);
    if (l->app == APP_STOPPED) {
        fn(arg, NULL);
        return;
    }
    VEC_PUSH(&l->waiters, (struct waiter){.fn = fn, .arg = arg});
    if (l->app == APP_STARTING || l->app == APP_RUNNING)
        begin_stop(l);
}

void loop_app_failed(struct loop *l, char *error)
{
    if (l->app_error)
        free(error);
    else
        l->app_error = error;
}

void loop_failed(struct loop *l, const struct effect *fx)
{
    l->stopped_by_broker = true; /* it does nothing more */
    loop_app_failed(l, xstrdup(fx->u.failed.text));
}

void loop_stopped(struct loop *l, const struct effect *fx)
{
    l->stopped_by_broker = true;
    if (fx->type != FX_RESTART)
        return;
    l->restarts = l->app == APP_RUNNING || l->app == APP_STARTING; /* not if somebody is stopping it anyway */
    if (l->restarts)
        set_state(l, APP_STOPPING);
}

/* ---- serving ---- */

void loop_serving(struct loop *l, const struct effect *fx)
{
    l->serving_wanted = fx->u.serving.on;
}

void app_serve(struct loop *l)
{
    bool wanted = l->serving_wanted && l->broker && l->app != APP_CLOSING;
    if (wanted == l->serving)
        return;
    l->serving = wanted;
    if (!wanted) {
        http_server_destroy(l->http);
        l->http = NULL;
        return;
    }
    char *error = NULL;
    const struct node_config_peer *self = &l->config.nodes[l->config.self];
    l->http = http_server_create((struct node *)(void *)l, self->host, self->http, &error);
    if (!l->http)
        loop_app_failed(l, error);
}

/* ---- what follows ---- */

static void tell_waiters(struct loop *l)
{
    /* a waiter may start the app again, and wait again */
    struct waiter *waiters = l->waiters.items;
    size_t len = l->waiters.len;
    l->waiters.items = NULL;
    l->waiters.len = l->waiters.cap = 0;
    bool stopped = l->app == APP_STOPPED;
    const char *error = l->app_error ? l->app_error : "the app was stopped before it served";
    for (size_t i = 0; i < len; i++) {
        if (waiters[i].start == !stopped || !waiters[i].start)
            waiters[i].fn(waiters[i].arg, NULL);
        else
            waiters[i].fn(waiters[i].arg, error);
    }
    free(waiters);
}

static bool close_parts(struct loop *l)
{
    bool closed = true;
    for (size_t i = l->parts_len; i-- > 0;)
        if (l->parts[i]->ops->close && !l->parts[i]->ops->close(l->parts[i]))
            closed = false;
    return closed;
}

void app_advance(struct loop *l)
{
    if (l->done)
        return;
    if (l->app_error && (l->app == APP_STARTING || l->app == APP_RUNNING)) {
        if (l->app == APP_RUNNING ||
            !l->waiters.len) /* whoever waits is told, and the process's own says it */
            fprintf(stderr, "%s\n", l->app_error);
        begin_stop(l);
    }
    if (l->app == APP_STARTING && l->serving) {
        set_state(l, APP_RUNNING);
        tell_waiters(l);
    }
    if (l->app == APP_STOPPING && l->stopped_by_broker) {
        set_state(l, APP_CLOSING);
        l->closing_since = loop_now(l);
        app_serve(l);
        commands_abandon(l);
    }
    if (l->app == APP_CLOSING && close_parts(l)) {
        if (l->broker)
            l->known = mirror_view(broker_mirror(l->broker)).known;
        broker_destroy(l->broker);
        l->broker = NULL;
        set_state(l, APP_STOPPED);
        tell_waiters(l);
        if (l->app == APP_STOPPED) {
            free(l->app_error);
            l->app_error = NULL;
            if (l->restarts)
                begin_start(l);
            l->restarts = false;
        }
    }
}

void app_finish(struct loop *l)
{
    l->serving_wanted = false;
    l->serving = false;
    http_server_destroy(l->http);
    l->http = NULL;
    commands_abandon(l);
    broker_destroy(l->broker);
    l->broker = NULL;
    VEC_FREE(&l->waiters);
    free(l->app_error);
}

bool node_app_running(const struct node *n)
{
    return loop_of(n)->app == APP_RUNNING;
}

struct broker *node_broker(struct node *n)
{
    struct loop *l = loop_of(n);
    return l->app == APP_CLOSING ? NULL : l->broker;
}

/* ---- membership ---- */

bool node_reset(struct node *n, char **error)
{
    struct loop *l = loop_of(n);
    if (l->app != APP_STOPPED) {
        *error = format_text("the app of %s is not stopped: labctl -n %s stop_app", l->config.name,
                             l->config.name);
        return false;
    }
    if (l->log && !node_log_wipe(l->log, error))
        return false;
    (void)node_files_forced(l->config.dir); /* what it was told of its next start goes, too */
    (void)node_files_forgotten(l->config.dir, &l->config);
    l->known = 0;
    return true;
}

bool node_force_boot(struct node *n, char **error)
{
    return node_files_force(loop_of(n)->config.dir, error);
}

bool node_is_blank(struct node *n)
{
    const struct loop *l = loop_of(n);
    return l->app == APP_STOPPED && (!l->log || node_log_is_empty(l->log));
}

node_set node_known(struct node *n)
{
    struct loop *l = loop_of(n);
    struct broker *b = node_broker(n);
    return b ? mirror_view(broker_mirror(b)).known : l->known;
}

/* api_call.c: the life of one request: what it was asked, what it waits for, how it ends. A call is freed by
 * call_answer; if the api goes first, by the last callback that the node still owes it. */
#include <string.h>
#include <time.h>

#include "host/api_private.h"

const char *call_param(const struct api_call *c, const char *name)
{
    for (size_t i = 0; i < c->params.len; i++) {
        if (strcmp(c->params.items[i].name, name) == 0)
            return c->params.items[i].value;
    }
    return NULL;
}

bool call_param_on(const struct api_call *c, const char *name)
{
    const char *value = call_param(c, name);
    return value && strcmp(value, "true") == 0;
}

struct broker *call_broker(const struct api_call *c)
{
    return node_broker(c->node);
}

const struct mirror *call_mirror(const struct api_call *c)
{
    return broker_mirror(node_broker(c->node));
}

/* ---- ending ---- */

static void call_free(struct api_call *c)
{
    if (c->link) {
        *c->link = c->next;
        if (c->next)
            c->next->link = c->link;
    }
    for (size_t i = 0; i < c->words.len; i++)
        free(c->words.items[i]);
    VEC_FREE(&c->words);
    for (size_t i = 0; i < c->params.len; i++) {
        free(c->params.items[i].name);
        free(c->params.items[i].value);
    }
    VEC_FREE(&c->params);
    for (size_t i = 0; i < LIMIT_NODES; i++)
        json_decref(c->facts[i]);
    json_decref(c->body);
    if (c->later)
        event_free(c->later);
    getting_free(c->getting);
    free(c->user);
    free(c->tags);
    free(c);
}

static void call_end(struct api_call *c, int status, json_t *body, const char *location)
{
    if (c->api && c->fn) {
        struct api_answer answer = {.status = status, .body = body, .location = location};
        c->fn(c->arg, &answer);
    }
    json_decref(body);
    call_free(c);
}

void call_answer(struct api_call *c, int status, json_t *body)
{
    call_end(c, status, body, NULL);
}

void call_answer_at(struct api_call *c, int status, char *location)
{
    call_end(c, status, NULL, location);
    free(location);
}

json_t *api_error(const char *error, const char *reason)
{
    return json_pack("{s:s, s:s}", "error", error, "reason", reason);
}

void call_not_found(struct api_call *c)
{
    call_answer(c, 404, api_error("Object Not Found", "Not Found"));
}

void call_refused(struct api_call *c)
{
    call_answer(c, 401, api_error("not_authorised", "Access refused."));
}

void call_bad(struct api_call *c, const char *reason, ...)
{
    struct text t = {0};
    va_list args;
    va_start(args, reason);
    text_vprintf(&t, reason, args);
    va_end(args);
    call_answer(c, 400, api_error("bad_request", text_str(&t)));
    text_finish(&t);
}

void api_destroy(struct api *a)
{
    if (!a)
        return;
    struct api_call *c = a->calls;
    while (c) {
        struct api_call *next = c->next;
        c->api = NULL;
        c->link = NULL;
        c->next = NULL;
        if (!c->waiting)
            call_free(c);
        c = next;
    }
    rates_destroy(a->rates);
    free(a);
}

/* ---- commands ---- */

static void command_answered(void *arg, const struct effect *answer)
{
    struct api_call *c = arg;
    c->waiting = false;
    if (!c->api)
        call_free(c);
    else if (!answer)
        call_answer(c, 503, api_error("app_stopped", "the app of this node was stopped"));
    else
        c->on_effect(c, answer);
}

void call_command(struct api_call *c, struct event *ev, call_effect_fn *fn)
{
    c->waiting = true;
    c->on_effect = fn;
    ev->now = node_now(c->node);
    node_command(c->node, ev, command_answered, c);
}

uint64_t call_request(struct api_call *c, call_effect_fn *fn)
{
    c->waiting = true;
    c->on_effect = fn;
    return node_request(c->node, command_answered, c);
}

static void later_now(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct api_call *c = arg;
    if (node_broker(c->node))
        c->on_later(c);
    else
        call_answer(c, 503, api_error("app_stopped", "the app of this node was stopped"));
}

void call_later(struct api_call *c, call_fn *fn)
{
    c->on_later = fn;
    if (!c->later)
        c->later = evtimer_new(node_base(c->node), later_now, c);
    struct timeval now = {0};
    evtimer_add(c->later, &now);
}

/* ---- what clients are told ---- */

struct told {
    int status;
    const char *error;
    char *reason;
};

/* The texts are RabbitMQ's; where the transport is HTTP, a missing queue is 404 and the rest 400. */
static struct told tell(const char *queue, const struct effect *fx, const char *home)
{
    switch (fx->u.answer.status) {
    case ANSWER_STOPPED:
        return (struct told){
            404, "not_found",
            format_text("NOT_FOUND - queue '%s' in vhost '/' process is stopped by supervisor", queue)};
    case ANSWER_DOWN:
        return (struct told){
            404, "not_found",
            format_text("NOT_FOUND - home node '%s' of durable queue '%s' in vhost '/' is down or "
                        "inaccessible",
                        home, queue)};
    case ANSWER_LOCKED:
        return (struct told){
            400, "bad_request",
            format_text("RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '%s' in "
                        "vhost '/'. It could be originally declared on another connection or the "
                        "exclusive property value does not match that of the original declaration.",
                        queue)};
    case ANSWER_IN_USE:
        return (struct told){400, "bad_request", format_text("queue '%s' in vhost '/' in use", queue)};
    case ANSWER_NOT_EMPTY:
        return (struct told){400, "bad_request", format_text("queue '%s' in vhost '/' not empty", queue)};
    case ANSWER_NOT_SERVING:
        return (struct told){503, "not_serving",
                             xstrdup("this node does not serve now: it is starting or pausing")};
    case ANSWER_FULL:
    case ANSWER_INVALID:
    case ANSWER_INEQUIVALENT:
    case ANSWER_EXISTS:
    case ANSWER_EXCLUSIVE_CONSUMER:
        return (struct told){
            400, "bad_request",
            xstrdup(fx->u.answer.text ? fx->u.answer.text : "the queue is there, but different")};
    case ANSWER_NOT_MIRRORED: return (struct told){400, "bad_request", xstrdup("not_mirrored")};
    case ANSWER_NOT_SYNCING: return (struct told){400, "bad_request", xstrdup("not_syncing")};
    case ANSWER_OK:
    case ANSWER_EMPTY:
    case ANSWER_NOT_FOUND: break;
    }
    return (struct told){404, "not_found", format_text("NOT_FOUND - no queue '%s' in vhost '/'", queue)};
}

void call_queue_error(struct api_call *c, const char *queue, const struct effect *answer)
{
    struct queue_info info = {.master = NODE_NONE};
    const struct mirror *m = call_mirror(c);
    struct queue *q = mirror_find_queue(m, queue);
    if (q)
        mirror_queue_info(m, q, &info);
    const char *home = info.master == NODE_NONE ? "?" : mirror_node_name(m, info.master);
    struct told t = tell(queue, answer, home);
    json_t *body = api_error(t.error, t.reason);
    free(t.reason);
    call_answer(c, t.status, body);
}

/* ---- body fields ---- */

bool call_need(struct api_call *c, const char *const *keys, size_t len)
{
    struct text missing = {0};
    for (size_t i = 0; i < len; i++) {
        if (!json_object_get(c->body, keys[i]))
            text_printf(&missing, "%s{key_missing,%s}", missing.len ? "," : "", keys[i]);
    }
    bool complete = missing.len == 0;
    if (!complete)
        call_bad(c, "[%s]", text_str(&missing));
    text_finish(&missing);
    return complete;
}

bool call_flag(struct api_call *c, const char *key, bool *out)
{
    json_t *value = json_object_get(c->body, key);
    const char *text = json_string_value(value);
    *out = json_is_true(value) || (text && strcmp(text, "true") == 0);
    if (!value || json_is_boolean(value) || *out || (text && strcmp(text, "false") == 0))
        return true;
    call_answer(c, 400, json_pack("{s:s, s:[s, O]}", "error", "bad_request", "reason", "not_boolean", value));
    return false;
}

/* ---- small things ---- */

json_t *json_fields(const struct json_field *fields, size_t len)
{
    json_t *object = json_object();
    for (size_t i = 0; i < len; i++) {
        if (fields[i].value)
            json_object_set_new(object, fields[i].name, fields[i].value);
    }
    return object;
}

int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

json_t *json_text_or_empty(const char *text)
{
    json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    return json ? json : json_object();
}

void set_rate(json_t *object, const char *figure, double per_second)
{
    char key[80];
    snprintf(key, sizeof(key), "%s_details", figure);
    json_object_set_new(object, key, json_pack("{s:f}", "rate", per_second));
}

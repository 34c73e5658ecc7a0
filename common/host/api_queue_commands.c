/* api_queue_commands.c: what one can do to a queue through the API: declare, delete, purge, synchronise. */
#include <string.h>

#include "host/api_private.h"

static struct event queue_event(enum event_type type, const char *name)
{
    struct event ev = {.type = type};
    ev.u.queue.name = name;
    ev.u.queue.owner.node = NODE_NONE;
    return ev;
}

static bool queue_there(struct api_call *c, struct queue_info *info)
{
    const struct mirror *m = call_mirror(c);
    struct queue *q = mirror_find_queue(m, call_word(c, 0));
    if (q && info)
        mirror_queue_info(m, q, info);
    return q != NULL;
}

/* ---- PUT: declare ---- */

/* The arguments that are wanted as canonical JSON; the caller's to free. */
static char *arguments_text(const struct api_call *c)
{
    const json_t *arguments = json_object_get(c->body, "arguments");
    char *text = arguments ? json_dumps(arguments, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    return text ? text : xstrdup("{}");
}

/* What differs from the queue that is there, in RabbitMQ's order; nothing of what counts: 204, as it is. */
static void answer_inequivalent(struct api_call *c, const char *text)
{
    static const char *const form =
        "inequivalent arg '%s' for queue '%s' in vhost '/': received '%s' but current is '%s'";
    struct queue_info is = {0};
    bool durable = json_is_true(json_object_get(c->body, "durable"));
    bool auto_delete = json_is_true(json_object_get(c->body, "auto_delete"));
    const char *name = call_word(c, 0);
    bool there = queue_there(c, &is);
    if (text) {
        call_bad(c, "%s", text);
    } else if (there && is.durable != durable) {
        call_bad(c, form, "durable", name, durable ? "true" : "false", is.durable ? "true" : "false");
    } else if (there && is.auto_delete != auto_delete) {
        call_bad(c, form, "auto_delete", name, auto_delete ? "true" : "false",
                 is.auto_delete ? "true" : "false");
    } else {
        char *want = arguments_text(c);
        char *differs = there ? broker_arguments_differ(name, is.args->json, want) : NULL;
        if (differs)
            call_bad(c, "%s", differs);
        else
            call_answer(c, 204, NULL);
        free(differs);
        free(want);
    }
}

static void declared(struct api_call *c, const struct effect *answer)
{
    switch (answer->u.answer.status) {
    case ANSWER_OK: call_answer(c, json_object_get(c->body, "was there") ? 204 : 201, NULL); return;
    case ANSWER_INEQUIVALENT: answer_inequivalent(c, answer->u.answer.text); return;
    case ANSWER_EMPTY:
    case ANSWER_NOT_FOUND:
    case ANSWER_STOPPED:
    case ANSWER_DOWN:
    case ANSWER_LOCKED:
    case ANSWER_IN_USE:
    case ANSWER_NOT_EMPTY:
    case ANSWER_EXCLUSIVE_CONSUMER:
    case ANSWER_EXISTS:
    case ANSWER_FULL:
    case ANSWER_INVALID:
    case ANSWER_NOT_MIRRORED:
    case ANSWER_NOT_SYNCING:
    case ANSWER_NOT_SERVING: break;
    }
    call_queue_error(c, call_word(c, 0), answer);
}

void queue_put(struct api_call *c)
{
    const char *name = call_word(c, 0);
    struct event ev = queue_event(EV_DECLARE, name);
    if (!call_flag(c, "durable", &ev.u.queue.durable) ||
        !call_flag(c, "auto_delete", &ev.u.queue.auto_delete))
        return;
    bool there = queue_there(c, NULL);
    if (!there && (strncmp(name, "amq.", 4) == 0 || !*name || strlen(name) > LIMIT_NAME)) {
        call_refused(c);
        return;
    }
    json_t *arguments = json_object_get(c->body, "arguments");
    if (arguments && !json_is_object(arguments)) {
        call_bad(c, "arguments have to be an object");
        return;
    }
    struct queue_args args;
    queue_args_init(&args);
    char *text = arguments_text(c);
    char *wrong = broker_queue_arguments(text, name, &args);
    free(text);
    if (wrong) {
        answer_inequivalent(c, there ? NULL : wrong);
        free(wrong);
    } else {
        ev.u.queue.args = &args;
        if (there)
            json_object_set_new(c->body, "was there", json_true());
        call_command(c, &ev, declared);
    }
    queue_args_finish(&args);
}

/* ---- DELETE, purge ---- */

static void deleted(struct api_call *c, const struct effect *answer)
{
    if (answer->u.answer.status == ANSWER_OK && c->local)
        call_answer(c, 200, json_pack("{s:I}", "messages", (json_int_t)answer->u.answer.messages));
    else if (answer->u.answer.status == ANSWER_OK)
        call_answer(c, 204, NULL);
    else if (answer->u.answer.status == ANSWER_NOT_FOUND)
        call_not_found(c);
    else
        call_queue_error(c, call_word(c, 0), answer);
}

void queue_delete(struct api_call *c)
{
    struct event ev = queue_event(EV_DELETE, call_word(c, 0));
    ev.u.queue.if_empty = call_param_on(c, "if-empty");
    ev.u.queue.if_unused = call_param_on(c, "if-unused");
    call_command(c, &ev, deleted);
}

void queue_purge(struct api_call *c)
{
    struct event ev = queue_event(EV_PURGE, call_word(c, 0));
    call_command(c, &ev, deleted);
}

/* ---- actions ---- */

/* RabbitMQ's API does not say whether a sync was possible; rabbitmqctl does. */
static void acted(struct api_call *c, const struct effect *answer)
{
    enum answer_status status = answer->u.answer.status;
    bool nothing_to_do = status == ANSWER_NOT_MIRRORED || status == ANSWER_NOT_SYNCING;
    if (status == ANSWER_OK || (nothing_to_do && !c->local))
        call_answer(c, 204, NULL);
    else if (status == ANSWER_NOT_FOUND)
        call_not_found(c);
    else
        call_queue_error(c, call_word(c, 0), answer);
}

void queue_actions(struct api_call *c)
{
    if (!queue_there(c, NULL)) {
        call_not_found(c);
        return;
    }
    if (!call_need(c, (const char *const[]){"action"}, 1))
        return;
    json_t *action = json_object_get(c->body, "action");
    const char *name = json_is_string(action) ? json_string_value(action) : "";
    bool sync = strcmp(name, "sync") == 0, cancel = strcmp(name, "cancel_sync") == 0;
    if (!sync && !cancel) {
        call_answer(c, 400,
                    json_pack("{s:s, s:[s, O]}", "error", "bad_request", "reason", "unknown", action));
        return;
    }
    struct event ev = queue_event(sync ? EV_SYNC : EV_CANCEL_SYNC, call_word(c, 0));
    call_command(c, &ev, acted);
}

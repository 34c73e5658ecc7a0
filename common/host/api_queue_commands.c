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

/* x-arguments that are numbers, and where they go. */
static bool number_argument(struct queue_args *a, const char *name, int64_t value)
{
    const struct {
        const char *name;
        int64_t *to;
    } numbers[] = {
        {"x-message-ttl", &a->message_ttl_ms},
        {"x-expires", &a->expires_ms},
        {"x-max-length", &a->max_length},
        {"x-max-length-bytes", &a->max_length_bytes},
    };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (strcmp(numbers[i].name, name) == 0) {
            *numbers[i].to = value;
            return true;
        }
    }
    if (strcmp(name, "x-max-priority") == 0 && value >= 0 && value <= 255) {
        a->max_priority = (int32_t)value;
        return true;
    }
    return false;
}

static bool text_argument(struct queue_args *a, const char *name, const char *value)
{
    const struct {
        const char *name;
        char **to;
    } texts[] = {
        {"x-queue-master-locator", &a->master_locator},
        {"x-overflow", &a->overflow},
        {"x-dead-letter-exchange", &a->dead_letter_exchange},
        {"x-dead-letter-routing-key", &a->dead_letter_key},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (strcmp(texts[i].name, name) == 0) {
            free(*texts[i].to);
            *texts[i].to = xstrdup(value);
            return true;
        }
    }
    return false;
}

static bool known_argument(const char *name)
{
    struct queue_args scratch;
    queue_args_init(&scratch);
    bool known = number_argument(&scratch, name, 0);
    queue_args_finish(&scratch);
    return known;
}

static const char *amqp_type(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING: return "longstr";
    case JSON_INTEGER: return "long";
    case JSON_REAL: return "double";
    case JSON_TRUE:
    case JSON_FALSE: return "bool";
    case JSON_ARRAY: return "array";
    case JSON_OBJECT: return "table";
    case JSON_NULL: break;
    }
    return "void";
}

/* NULL, or RabbitMQ's complaint about one of them (a new string). Unknown arguments are kept, not read. */
static char *read_arguments(json_t *json, const char *queue, struct queue_args *out)
{
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value)
    {
        const char *wrong = NULL;
        char given[64];
        if (json_is_integer(value)) {
            json_int_t n = json_integer_value(value);
            if (known_argument(name) && n < 0) {
                snprintf(given, sizeof(given), "{value_negative,%lld}", (long long)n);
                wrong = given;
            } else {
                number_argument(out, name, n);
            }
        } else if (known_argument(name)) {
            snprintf(given, sizeof(given), "\"expected integer, got %s\"", amqp_type(value));
            wrong = given;
        } else if (json_is_string(value)) {
            text_argument(out, name, json_string_value(value));
        } else if (json_is_boolean(value) && strcmp(name, "x-single-active-consumer") == 0) {
            out->single_active_consumer = json_is_true(value);
        }
        if (wrong)
            return format_text("invalid arg '%s' for queue '%s' in vhost '/': %s", name, queue, wrong);
    }
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (text) {
        free(out->json);
        out->json = xstrdup(text);
        free(text);
    }
    return NULL;
}

/* What differs, in RabbitMQ's order. */
static void answer_inequivalent(struct api_call *c, const struct effect *answer)
{
    struct queue_info is = {0};
    bool durable = json_is_true(json_object_get(c->body, "durable"));
    bool auto_delete = json_is_true(json_object_get(c->body, "auto_delete"));
    const char *name = call_word(c, 0);
    if (answer->u.answer.text)
        call_bad(c, "%s", answer->u.answer.text);
    else if (queue_there(c, &is) && is.durable != durable)
        call_bad(c,
                 "inequivalent arg 'durable' for queue '%s' in vhost '/': received '%s' but current is '%s'",
                 name, durable ? "true" : "false", is.durable ? "true" : "false");
    else if (is.name && is.auto_delete != auto_delete)
        call_bad(
            c,
            "inequivalent arg 'auto_delete' for queue '%s' in vhost '/': received '%s' but current is '%s'",
            name, auto_delete ? "true" : "false", is.auto_delete ? "true" : "false");
    else
        call_bad(c, "inequivalent arguments for queue '%s' in vhost '/'", name);
}

static void declared(struct api_call *c, const struct effect *answer)
{
    switch (answer->u.answer.status) {
    case ANSWER_OK: call_answer(c, json_object_get(c->body, "was there") ? 204 : 201, NULL); return;
    case ANSWER_INEQUIVALENT: answer_inequivalent(c, answer); return;
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
    char *wrong = read_arguments(arguments, name, &args);
    if (wrong) {
        call_bad(c, "%s", wrong);
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

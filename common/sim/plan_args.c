/* plan_args.c: a queue's arguments as a schedule writes them (JSON), for the library. The names are
 * RabbitMQ's; the broker reads the same from AMQP's table (broker/arguments.c) and refuses what is wrong in
 * its words. */
#include <jansson.h>

#include "sim/plan.h"

#include "base/err.h"

static bool read_one(struct queue_args *a, const char *key, const json_t *v)
{
    const struct {
        const char *key;
        int64_t *to;
    } numbers[] = {{"x-message-ttl", &a->message_ttl_ms},
                   {"x-expires", &a->expires_ms},
                   {"x-max-length", &a->max_length},
                   {"x-max-length-bytes", &a->max_length_bytes}};
    const struct {
        const char *key;
        char **to;
    } words[] = {{"x-overflow", &a->overflow},
                 {"x-dead-letter-exchange", &a->dead_letter_exchange},
                 {"x-dead-letter-routing-key", &a->dead_letter_key},
                 {"x-queue-master-locator", &a->master_locator}};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (strcmp(key, numbers[i].key) == 0) {
            *numbers[i].to = json_integer_value(v);
            return json_is_integer(v) && json_integer_value(v) >= 0;
        }
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(key, words[i].key) == 0 && json_is_string(v)) {
            *words[i].to = xstrdup(json_string_value(v));
            return true;
        }
    if (strcmp(key, "x-max-priority") == 0) {
        a->max_priority = (int32_t)json_integer_value(v);
        return json_is_integer(v) && json_integer_value(v) >= 1 && json_integer_value(v) <= 255;
    }
    if (strcmp(key, "x-single-active-consumer") == 0) {
        a->single_active_consumer = json_is_true(v);
        return json_is_boolean(v);
    }
    return false;
}

int plan_args_read(struct queue_args *a, const char *json, char **error)
{
    json_t *all = json_loads(json, 0, NULL), *v;
    const char *key;
    int err = 0;
    queue_args_init(a);
    *error = NULL;
    if (!json_is_object(all)) {
        *error = format_text("%s: arguments are a JSON object, such as {\"x-max-length\":5}", json);
        err = ERR_INVALID;
    }
    json_object_foreach(all, key, v)
    {
        if (!err && !read_one(a, key, v)) {
            *error = format_text("%s: no queue has such an argument, or not with this value", key);
            err = ERR_INVALID;
        }
    }
    free(a->json);
    a->json = xstrdup(json);
    json_decref(all);
    if (err)
        queue_args_finish(a);
    return err;
}

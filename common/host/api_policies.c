/* api_policies.c: /api/policies. The library judges a policy and says what is wrong in RabbitMQ's words; here
 * they are only put into the API's error. */
#include <string.h>

#include "host/api_private.h"
#include "mirror/policy.h"

json_t *policy_json(const struct policy_info *p)
{
    const struct json_field fields[] = {
        {"vhost", TEXT("/")},
        {"name", TEXT(p->name)},
        {"pattern", TEXT(p->pattern)},
        {"apply-to", TEXT(p->apply_to)},
        {"definition", json_text_or_empty(p->definition)},
        {"priority", NUMBER(p->priority)},
    };
    return OBJECT_OF(fields);
}

json_t *policies_get(struct api_call *c)
{
    json_t *list = json_array();
    struct policy_info p;
    size_t at = 0;
    while (mirror_next_policy(call_mirror(c), &at, &p))
        json_array_append_new(list, policy_json(&p));
    return list;
}

json_t *policy_get(struct api_call *c)
{
    struct policy_info p;
    size_t at = 0;
    while (mirror_next_policy(call_mirror(c), &at, &p)) {
        if (strcmp(p.name, call_word(c, 0)) == 0)
            return policy_json(&p);
    }
    return NULL;
}

json_t *nothing_get(struct api_call *c)
{
    (void)c;
    return json_array();
}

static void policy_put_done(struct api_call *c, const struct effect *answer)
{
    const char *text = answer->u.answer.text ? answer->u.answer.text : "the policy was refused";
    if (answer->u.answer.status == ANSWER_OK)
        call_answer(c, json_object_get(c->body, "was there") ? 204 : 201, NULL);
    else if (answer->u.answer.status == ANSWER_NOT_SERVING)
        call_queue_error(c, "", answer);
    else if (strncmp(text, "Validation failed", 17) == 0 || strncmp(text, "JSON decoding", 13) == 0)
        call_bad(c, "%s", text);
    else
        call_bad(c, "Validation failed\n\n%s\n", text);
}

/* in RabbitMQ's words, which show the value */
static void refuse(struct api_call *c, const char *why, const json_t *value)
{
    struct text t = {0};
    policy_term(&t, value);
    call_bad(c, "Validation failed\n\n%s%s\n", why, text_str(&t));
    text_finish(&t);
}

void policy_put(struct api_call *c)
{
    if (!call_need(c, (const char *const[]){"pattern", "definition"}, 2))
        return;
    const char *pattern = json_string_value(json_object_get(c->body, "pattern"));
    json_t *definition = json_object_get(c->body, "definition");
    json_t *priority = json_object_get(c->body, "priority");
    json_t *apply_to = json_object_get(c->body, "apply-to");
    if (!pattern) {
        refuse(c, "pattern should be a binary but was ", json_object_get(c->body, "pattern"));
        return;
    }
    if (priority && (!json_is_integer(priority) || json_integer_value(priority) > INT32_MAX ||
                     json_integer_value(priority) < INT32_MIN)) {
        refuse(c, "priority should be a number, actually was ", priority);
        return;
    }
    if (apply_to && !json_is_string(apply_to)) {
        call_bad(c, "Validation failed\n\napply-to should be 'queues', 'exchanges' or 'all'\n");
        return;
    }
    json_t *old = policy_get(c);
    if (old)
        json_object_set_new(c->body, "was there", json_true());
    json_decref(old);
    /* the definition as it was written by a client who had it as text (labctl), or as JSON of ours */
    const char *given = c->local ? json_string_value(definition) : NULL;
    char *text = given ? xstrdup(given) : json_dumps(definition, JSON_COMPACT | JSON_ENCODE_ANY);
    struct event ev = {.type = EV_SET_POLICY};
    ev.u.policy.name = call_word(c, 0);
    ev.u.policy.pattern = pattern;
    ev.u.policy.apply_to = json_string_value(apply_to);
    ev.u.policy.definition = text;
    ev.u.policy.priority = (int32_t)json_integer_value(priority);
    call_command(c, &ev, policy_put_done);
    free(text);
}

static void policy_deleted(struct api_call *c, const struct effect *answer)
{
    if (answer->u.answer.status == ANSWER_OK)
        call_answer(c, 204, NULL);
    else if (answer->u.answer.status == ANSWER_NOT_FOUND)
        call_not_found(c);
    else
        call_queue_error(c, "", answer);
}

void policy_delete(struct api_call *c)
{
    struct event ev = {.type = EV_CLEAR_POLICY};
    ev.u.policy.name = call_word(c, 0);
    call_command(c, &ev, policy_deleted);
}

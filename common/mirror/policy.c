/* policy.c: policies: checking, matching, placement. */
#include "mirror/policy.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "base/vec.h"

#include "base/ban.h"

void policy_term(struct text *t, const json_t *v)
{
    if (json_is_string(v)) {
        const char *s = json_string_value(v);
        text_printf(t, *s ? "<<\"%s\">>" : "<<>>", s);
    } else if (json_is_array(v)) {
        text_add(t, "[");
        size_t i;
        const json_t *item;
        json_array_foreach(v, i, item)
        {
            text_add(t, i ? "," : "");
            policy_term(t, item);
        }
        text_add(t, "]");
    } else {
        char *s = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
        text_add(t, s ? s : "?");
        free(s);
    }
}

static char *refuse(const char *before, const json_t *v, const char *after)
{
    struct text t = {0};
    text_add(&t, before);
    if (v)
        policy_term(&t, v);
    text_add(&t, after);
    return t.s;
}

static node_id node_named(const char *name, char *const *names, size_t len)
{
    size_t n = strcspn(name, "@");
    for (size_t i = 0; i < len; i++)
        if (strlen(names[i]) == n && strncmp(names[i], name, n) == 0)
            return (node_id)i;
    return NODE_NONE;
}

/* a list of names has others in it */
static char *refuse_others(const json_t *params)
{
    json_t *others = json_array(), *item;
    size_t i;
    json_array_foreach(params, i, item)
    {
        if (!json_is_string(item))
            json_array_append(others, item);
    }
    char *error = refuse("ha-mode=\"nodes\" takes a list of strings, ", others, " was not a string");
    json_decref(others);
    return error;
}

static char *read_params(struct policy *p, const json_t *params, char *const *names, size_t names_len)
{
    switch (p->mode) {
    case HA_NONE: return NULL;
    case HA_ALL: return params ? xstrdup("ha-mode=\"all\" does not take parameters") : NULL;
    case HA_EXACTLY:
        if (!params)
            return xstrdup("ha-mode=\"exactly\" takes an integer, none given");
        if (!json_is_integer(params) || json_integer_value(params) < 1)
            return refuse("ha-mode=\"exactly\" takes an integer, ", params, " given");
        p->count = (uint32_t)u64_min((uint64_t)json_integer_value(params), LIMIT_NODES);
        return NULL;
    case HA_NODES: break;
    }
    if (!params)
        return xstrdup("ha-mode=\"nodes\" takes a list, none given");
    if (!json_is_array(params))
        return refuse("ha-mode=\"nodes\" takes a list, ", params, " given");
    if (json_array_size(params) == 0)
        return xstrdup("ha-mode=\"nodes\" list must be non-empty");
    size_t i;
    const json_t *item;
    json_array_foreach(params, i, item)
    {
        if (!json_is_string(item))
            return refuse_others(params);
        node_id n = node_named(json_string_value(item), names, names_len);
        bool seen = n == NODE_NONE;
        for (size_t j = 0; j < p->listed_len; j++)
            seen = seen || p->listed[j] == n;
        if (!seen)
            p->listed[p->listed_len++] = n;
    }
    return NULL;
}

static char *one_of_two(const json_t *v, const char *key, const char *no, const char *yes, bool *out)
{
    const char *s = json_string_value(v);
    if (s && strcmp(s, no) == 0)
        *out = false;
    else if (s && strcmp(s, yes) == 0)
        *out = true;
    else {
        char *before =
            format_text("%s must be \"%s\" or \"%s\", got ", key, strcmp(key, "ha-sync-mode") ? yes : no,
                        strcmp(key, "ha-sync-mode") ? no : yes);
        char *error = refuse(before, v, "");
        free(before);
        return error;
    }
    return NULL;
}

/* what a policy says of the content of queues; checked before (check_value) */
static void read_limits(struct policy *p, const char *key, const json_t *v)
{
    struct {
        const char *key;
        int64_t *to;
    } numbers[] = {{"max-length", &p->max_length},
                   {"max-length-bytes", &p->max_length_bytes},
                   {"message-ttl", &p->message_ttl_ms},
                   {"expires", &p->expires_ms}};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (strcmp(key, numbers[i].key) == 0)
            *numbers[i].to = json_integer_value(v);
    struct {
        const char *key;
        char **to;
    } words[] = {{"overflow", &p->overflow},
                 {"dead-letter-exchange", &p->dead_letter_exchange},
                 {"dead-letter-routing-key", &p->dead_letter_key}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(key, words[i].key) == 0)
            *words[i].to = xstrdup(json_string_value(v));
}

static char *read_value(struct policy *p, const char *key, const json_t *v, char *const *names,
                        size_t names_len)
{
    if (strcmp(key, "ha-params") == 0)
        return p->mode == HA_NONE ? NULL : read_params(p, v, names, names_len);
    if (strcmp(key, "ha-sync-mode") == 0)
        return one_of_two(v, key, "manual", "automatic", &p->automatic);
    if (strcmp(key, "ha-promote-on-shutdown") == 0)
        return one_of_two(v, key, "when-synced", "always", &p->shutdown_always);
    if (strcmp(key, "ha-promote-on-failure") == 0) {
        bool always = true;
        char *error = one_of_two(v, key, "when-synced", "always", &always);
        p->failure_when_synced = !always;
        return error;
    }
    if (strcmp(key, "ha-sync-batch-size") == 0) {
        if (!json_is_integer(v) || json_integer_value(v) < 1)
            return refuse("ha-sync-batch-size takes an integer greater than 0, ", v, " given");
        p->sync_batch = (uint32_t)u64_min((uint64_t)json_integer_value(v), LIMIT_SYNC_BATCH * 16);
        return NULL;
    }
    if (strcmp(key, "queue-master-locator") == 0) {
        const char *s = json_string_value(v);
        if (!s || (strcmp(s, "client-local") && strcmp(s, "min-masters") && strcmp(s, "random")))
            return refuse("", v, " invalid queue-master-locator value");
        p->master_locator = xstrdup(s);
        return NULL;
    }
    read_limits(p, key, v);
    return NULL;
}

/* the keys a definition may have, and what their values must be where read_value does not say */
static char *check_value(const char *key, const json_t *v, bool *known)
{
    static const char *const mirroring[] = {"ha-mode",
                                            "ha-params",
                                            "ha-sync-mode",
                                            "ha-sync-batch-size",
                                            "ha-promote-on-shutdown",
                                            "ha-promote-on-failure",
                                            "queue-master-locator"};
    static const struct {
        const char *key, *wrong;
    } numbers[] = {{"max-length", " is not a valid maximum length"},
                   {"max-length-bytes", " is not a valid maximum length in bytes"},
                   {"message-ttl", " is not a valid message TTL"}};
    static const char *const texts[] = {"dead-letter-exchange", "dead-letter-routing-key",
                                        "alternate-exchange"};
    *known = true;
    for (size_t i = 0; i < ARRAY_LEN(mirroring); i++)
        if (strcmp(key, mirroring[i]) == 0)
            return NULL;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (strcmp(key, numbers[i].key) == 0)
            return json_is_integer(v) && json_integer_value(v) >= 0 ? NULL : refuse("", v, numbers[i].wrong);
    if (strcmp(key, "expires") == 0)
        return json_is_integer(v) && json_integer_value(v) >= 1
                   ? NULL
                   : refuse("", v, " is not a valid queue expiry");
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (strcmp(key, texts[i]) == 0) {
            char *after = format_text(" is not a valid %s",
                                      strcmp(key, "dead-letter-routing-key") == 0 ? "dead letter routing key"
                                      : strcmp(key, "dead-letter-exchange") == 0 ? "dead letter exchange name"
                                                                                 : "alternate exchange name");
            char *error = json_is_string(v) ? NULL : refuse("", v, after);
            free(after);
            return error;
        }
    if (strcmp(key, "overflow") == 0) {
        const char *s = json_string_value(v);
        if (s && (strcmp(s, "drop-head") == 0 || strcmp(s, "reject-publish") == 0 ||
                  strcmp(s, "reject-publish-dlx") == 0))
            return NULL;
        return refuse("", v, " is not a valid overflow value");
    }
    if (strcmp(key, "queue-mode") == 0) { /* shown, without effect: docs/semantics.md */
        const char *s = json_string_value(v);
        return s && (strcmp(s, "lazy") == 0 || strcmp(s, "default") == 0)
                   ? NULL
                   : refuse("", v, " is not a valid queue-mode value");
    }
    *known = false;
    return NULL;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* the keys that are none, with what they were given, in the order in which RabbitMQ goes through them */
static char *refuse_keys(const json_t *def, const char **keys, size_t len)
{
    struct text t = {0};
    qsort(keys, len, sizeof(*keys), by_key);
    for (size_t i = 0; i < len; i++) {
        text_printf(&t, "%s{<<\"%s\">>,", i ? "," : "[", keys[i]);
        policy_term(&t, json_object_get(def, keys[i]));
        text_add(&t, "}");
    }
    text_add(&t, "] are not recognised policy settings");
    return t.s;
}

/* of a policy that mirrors nothing */
static bool has_a_key_of_mirroring(const json_t *def)
{
    static const char *const keys[] = {"ha-params", "ha-sync-mode", "ha-sync-batch-size",
                                       "ha-promote-on-shutdown", "ha-promote-on-failure"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (json_object_get(def, keys[i]))
            return true;
    return false;
}

static char *read_definition(struct policy *p, const json_t *def, char *const *names, size_t names_len)
{
    if (json_object_size(def) == 0)
        return xstrdup("no policy provided");
    VEC(const char *) unknown = {0};
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)def, key, v)
    {
        bool known;
        char *error = check_value(key, v, &known);
        if (error) {
            VEC_FREE(&unknown);
            return error;
        }
        if (!known)
            VEC_PUSH(&unknown, key);
    }
    if (unknown.len) {
        char *error = refuse_keys(def, unknown.items, unknown.len);
        VEC_FREE(&unknown);
        return error;
    }
    const json_t *mode = json_object_get(def, "ha-mode");
    const char *mode_name = json_string_value(mode);
    if (mode && mode_name && strcmp(mode_name, "all") == 0)
        p->mode = HA_ALL;
    else if (mode && mode_name && strcmp(mode_name, "exactly") == 0)
        p->mode = HA_EXACTLY;
    else if (mode && mode_name && strcmp(mode_name, "nodes") == 0)
        p->mode = HA_NODES;
    else if (mode)
        return refuse("", mode, " is not a valid ha-mode value");
    else if (has_a_key_of_mirroring(def))
        return xstrdup(
            "ha-mode must be specified to specify ha-params, ha-sync-mode or ha-promote-on-shutdown");
    if (!json_object_get(def, "ha-params")) {
        char *error = read_params(p, NULL, names, names_len);
        if (error)
            return error;
    }
    json_object_foreach((json_t *)(uintptr_t)def, key, v)
    {
        char *error = read_value(p, key, v, names, names_len);
        if (error)
            return error;
    }
    return NULL;
}

/* RabbitMQ shows the regular expression engine's message and place as {"message",offset}; its engine counts
 * from the place of the fault, and words two messages differently from PCRE2 */
static char *bad_pattern(int code, size_t offset)
{
    PCRE2_UCHAR message[256];
    pcre2_get_error_message(code, message, sizeof(message));
    const char *text = (const char *)message;
    if (strcmp(text, "missing closing parenthesis") == 0)
        text = "missing )";
    else if (strcmp(text, "missing terminating ] for character class") == 0)
        text = "missing terminating ] for character class";
    else if (strcmp(text, "quantifier does not follow a repeatable item") == 0)
        text = "nothing to repeat";
    return format_text("pattern should be regular expression but is invalid: {\"%s\",%zu}", text, offset);
}

struct policy *policy_create(const char *name, const char *pattern, const char *apply_to,
                             const char *definition, int32_t priority, char *const *names, size_t names_len,
                             char **error)
{
    *error = NULL;
    struct policy *p = xcalloc(1, sizeof(*p));
    p->sync_batch = LIMIT_SYNC_BATCH;
    p->max_length = p->max_length_bytes = p->message_ttl_ms = p->expires_ms = -1;
    p->priority = priority;
    p->name = xstrdup(name);
    p->pattern = xstrdup(pattern);
    p->apply_to = xstrdup(apply_to ? apply_to : "all");

    json_error_t where;
    json_t *def = json_loads(definition, JSON_REJECT_DUPLICATES, &where);
    int code = 0;
    size_t offset = 0;
    if (!json_is_object(def)) {
        *error = format_text("definition is not a JSON object: %s (line %d, column %d)",
                             def ? "it is another kind of value" : where.text, def ? 1 : where.line,
                             def ? 1 : where.column);
    } else if (!(p->code =
                     pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &code, &offset, NULL))) {
        *error = bad_pattern(code, offset);
    } else if (strcmp(p->apply_to, "all") && strcmp(p->apply_to, "queues") &&
               strcmp(p->apply_to, "exchanges")) {
        *error =
            format_text("apply-to '%s' unrecognised; should be 'queues', 'exchanges' or 'all'", p->apply_to);
    } else {
        p->match = pcre2_match_data_create_from_pattern(p->code, NULL);
        *error = read_definition(p, def, names, names_len);
        p->definition = json_dumps(def, JSON_COMPACT);
    }
    json_decref(def);
    if (*error) {
        policy_destroy(p);
        return NULL;
    }
    return p;
}

void policy_destroy(struct policy *p)
{
    if (!p)
        return;
    free(p->name);
    free(p->pattern);
    free(p->apply_to);
    free(p->definition);
    free(p->master_locator);
    free(p->overflow);
    free(p->dead_letter_exchange);
    free(p->dead_letter_key);
    pcre2_match_data_free(p->match);
    pcre2_code_free(p->code);
    free(p);
}

bool policy_matches(const struct policy *p, const char *what, const char *name)
{
    if (strcmp(p->apply_to, "all") && strcmp(p->apply_to, what))
        return false;
    return pcre2_match(p->code, (PCRE2_SPTR)name, PCRE2_ZERO_TERMINATED, 0, 0, p->match, NULL) >= 0;
}

static bool has(const struct placement *out, node_id n)
{
    for (size_t i = 0; i < out->mirrors_len; i++)
        if (out->mirrors[i] == n)
            return true;
    return false;
}

static void add(struct placement *out, node_id n)
{
    if (n != out->master && !has(out, n))
        out->mirrors[out->mirrors_len++] = n;
}

/* every running node but the master, beginning after it, so that mirrors spread over the cluster */
static void add_running(struct placement *out, node_set running, size_t want)
{
    for (size_t i = 1; i <= LIMIT_NODES && out->mirrors_len < want; i++) {
        node_id n = (node_id)((out->master + i) % LIMIT_NODES);
        if (node_in(running, n))
            add(out, n);
    }
}

static void place_exactly(struct placement *out, size_t want, const node_id *mirrors, size_t len,
                          node_set synced, node_set running)
{
    /* when there are too many, the synchronised stay: the only good copy is never thrown away */
    node_set keep = 0;
    size_t kept = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < len && kept < want; i++)
            if (node_in(running, mirrors[i]) && node_in(synced, mirrors[i]) == (pass == 0)) {
                keep |= node_bit(mirrors[i]);
                kept++;
            }
    for (size_t i = 0; i < len; i++)
        if (node_in(keep, mirrors[i]))
            add(out, mirrors[i]);
    add_running(out, running, want);
}

static void place_nodes(struct placement *out, const struct policy *p, const node_id *mirrors, size_t len,
                        node_set synced, node_set running)
{
    node_set listed = 0;
    for (size_t i = 0; i < p->listed_len; i++)
        listed |= node_bit(p->listed[i]);
    listed &= running;
    if (!listed)
        return;
    if (!node_in(listed, out->master))
        for (size_t i = 0; i < len; i++)
            if (node_in(listed & synced, mirrors[i])) {
                out->master = mirrors[i];
                break;
            }
    for (size_t i = 0; i < len; i++)
        if (node_in(listed, mirrors[i]))
            add(out, mirrors[i]);
    for (size_t i = 0; i < p->listed_len; i++)
        if (node_in(listed, p->listed[i]))
            add(out, p->listed[i]);
}

struct placement place(const struct policy *p, node_id master, const node_id *mirrors, size_t mirrors_len,
                       node_set synced, node_set running)
{
    struct placement out = {.master = master};
    switch (p ? p->mode : HA_NONE) {
    case HA_NONE: break;
    case HA_ALL:
        for (size_t i = 0; i < mirrors_len; i++)
            if (node_in(running, mirrors[i]))
                add(&out, mirrors[i]);
        add_running(&out, running, LIMIT_NODES);
        break;
    case HA_EXACTLY: place_exactly(&out, p->count - 1, mirrors, mirrors_len, synced, running); break;
    case HA_NODES: place_nodes(&out, p, mirrors, mirrors_len, synced, running); break;
    }
    return out;
}

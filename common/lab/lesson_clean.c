/* lesson_clean.c: makes a lab ready for a lesson from its beginning: every node runs, the lesson's queues and
 * policies are gone, and every node says so. */
#include <jansson.h>
#include <stdlib.h>

#include "base/err.h"
#include "lab/lesson_private.h"
#include "lab/private.h"

#define ASK_MS    5000
#define PARTED_MS 3000   /* autoheal and pause_minority mend it themselves, given a moment */
#define WAIT_MS   120000 /* a RabbitMQ node that comes back may take tens of seconds on a small machine */

static bool answers(const struct labdir *lab, size_t node)
{
    struct http_answer answer;
    bool good =
        http_call(lab, node, "GET", "/api/whoami", NULL, ASK_MS, &answer) == 0 && answer.status == 200;
    text_finish(&answer.body);
    return good;
}

/* a node that was killed is started, one whose app was stopped gets it back */
static int wake(const struct labdir *lab, size_t node, char **error)
{
    const char *name = lab->nodes[node].name;
    if (answers(lab, node))
        return 0;
    if (lab->external) {
        *error = format_text("%s does not answer; start it on its own machine", name);
        return ERR_CLOSED;
    }
    if (!engine_node_alive(lab, node))
        return engine_start_node(lab, node, NULL, NULL, error);
    const char *words[] = {"-n", name, "start_app", NULL};
    char *output = NULL;
    int code = engine_ctl(lab, words, &output);
    if (code)
        *error = format_text("labctl -n %s start_app: exit code %d: %s", name, code, output);
    free(output);
    return code ? ERR_REFUSED : 0;
}

/* every node of the lab runs, as this one sees it; *parted: from how many it says that a broken network
 * parted it, which starting nodes does not mend */
static bool sees_all(const struct labdir *lab, size_t node, size_t *parted)
{
    struct http_answer answer;
    size_t running = 0;
    *parted = 0;
    if (http_call(lab, node, "GET", "/api/nodes", NULL, ASK_MS, &answer) == 0 && answer.status == 200) {
        json_t *list = json_loads(text_str(&answer.body), 0, NULL), *item;
        size_t i;
        json_array_foreach(list, i, item)
        {
            const char *name = json_string_value(json_object_get(item, "name"));
            if (name && labdir_find_node(lab, name) >= 0 && json_is_true(json_object_get(item, "running")))
                running++;
            if (name && labdir_find_node(lab, name) == (int)node)
                *parted = json_array_size(json_object_get(item, "partitions"));
        }
        json_decref(list);
    }
    text_finish(&answer.body);
    return running == lab->nodes_len;
}

/* the status of one request, 0 if no answer came */
static int ask(const struct labdir *lab, size_t node, const char *method, const char *path)
{
    struct http_answer answer;
    int err = http_call(lab, node, method, path, NULL, ASK_MS, &answer);
    int status = err ? 0 : answer.status;
    text_finish(&answer.body);
    return status;
}

static bool all_say_gone(const struct labdir *lab, const char *path)
{
    for (size_t i = 0; i < lab->nodes_len; i++)
        if (ask(lab, i, "GET", path) != 404)
            return false;
    return true;
}

static int remove_one(const struct labdir *lab, const char *prefix, const char *name, char **error)
{
    char *path = http_path(prefix, name);
    int err = 0, status = ask(lab, 0, "DELETE", path);
    if (status != 204 && status != 404) {
        const char *down[] = {"lab", "down", NULL}, *up[] = {"lab", "up", "--fresh", NULL};
        char *typed_down = engine_typed(lab, down), *typed_up = engine_typed(lab, up);
        *error =
            format_text("%s: DELETE %s: %s %d; remove it by hand, or run `%s` and `%s`", lab->nodes[0].name,
                        path, status ? "status" : "no answer", status, typed_down, typed_up);
        free(typed_down);
        free(typed_up);
        err = ERR_REFUSED;
    }
    for (int64_t end = clock_now_ms() + WAIT_MS; !err && !all_say_gone(lab, path); pause_ms(20)) {
        if (clock_now_ms() < end)
            continue;
        *error = format_text("%s is still listed after DELETE %s", name, path);
        err = ERR_TIMEOUT;
    }
    free(path);
    return err;
}

/* The node that says it is parted from the most others: the one to mend. */
static size_t most_parted(const struct labdir *lab)
{
    size_t most = 0, found = 0;
    for (size_t i = 0; i < lab->nodes_len; i++) {
        size_t parted;
        sees_all(lab, i, &parted);
        found = parted > most ? i : found;
        most = parted > most ? parted : most;
    }
    return found;
}

/* What is set on the first node's word: with every node running, all say the same. Only the policies of the
 * default vhost, in which the lessons are. NULL: it does not say. */
static struct snapshot *policies_of(const struct labdir *lab)
{
    struct http_answer answer;
    struct snapshot *s = NULL;
    if (http_call(lab, 0, "GET", "/api/policies/%2F", NULL, ASK_MS, &answer) == 0 && answer.status == 200) {
        json_t *list = json_loads(text_str(&answer.body), 0, NULL), *item;
        size_t i;
        s = xcalloc(1, sizeof(*s));
        s->policies = xcalloc(json_array_size(list) + 1, sizeof(*s->policies));
        json_array_foreach(list, i, item)
        {
            const char *name = json_string_value(json_object_get(item, "name"));
            const char *pattern = json_string_value(json_object_get(item, "pattern"));
            const char *apply_to = json_string_value(json_object_get(item, "apply-to"));
            if (name && pattern)
                s->policies[s->policies_len++] =
                    (struct policy_seen){.name = xstrdup(name),
                                         .pattern = xstrdup(pattern),
                                         .apply_to = xstrdup(apply_to ? apply_to : "all"),
                                         .definition = xstrdup("{}")};
        }
        json_decref(list);
    }
    text_finish(&answer.body);
    return s;
}

static bool is_named(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

/* Policies that are others' and would apply to the lesson's queues: those that may go, go; one that may not
 * is an error, with what clears it. */
static int clear_the_way(const struct labdir *lab, const struct lesson *l, const char *const *clear,
                         char **error)
{
    struct snapshot *s = policies_of(lab);
    const struct policy_seen *p;
    const char *queue;
    size_t at = 0;
    int err = 0;
    while (s && !err && (p = lesson_in_the_way(l, s, &at, &queue))) {
        const char *words[] = {"labctl", "clear_policy", p->name, NULL};
        if (is_named(clear, p->name)) {
            err = remove_one(lab, "/api/policies/%2F/", p->name, error);
            continue;
        }
        char *typed = engine_typed(lab, words);
        *error =
            format_text("policy %s (pattern %s) applies to %s and is in the lesson's way; `%s` clears it",
                        p->name, p->pattern, queue, typed);
        free(typed);
        err = ERR_EXISTS;
    }
    snapshot_destroy(s);
    return err;
}

int lesson_clean(const struct labdir *lab, const struct lesson *l, const char *const *clear, char **error)
{
    *error = NULL;
    if (lesson_forget(l, lab)) {
        *error = format_text("%s/lesson.json cannot be written", lab->path);
        return ERR_IO;
    }
    for (size_t i = 0; i < lab->nodes_len; i++) {
        int err = wake(lab, i, error);
        if (err)
            return err;
    }
    int64_t begun = clock_now_ms(), end = begun + WAIT_MS;
    for (size_t i = 0; i < lab->nodes_len;) {
        const char *name = lab->nodes[i].name;
        size_t parted;
        if (sees_all(lab, i, &parted)) {
            i++;
        } else if (parted && clock_now_ms() > begun + PARTED_MS) {
            name = lab->nodes[most_parted(lab)].name;
            *error =
                format_text("%s is parted from other nodes (a network partition). What was cut, labctl heal "
                            "joins; then labctl -n %s stop_app and labctl -n %s start_app mend it: it takes "
                            "up what the others have",
                            name, name, name);
            return ERR_REFUSED;
        } else if (clock_now_ms() > end) {
            *error = format_text(
                "%s does not see every node running; labctl -n %s cluster_status shows what it sees", name,
                name);
            return ERR_TIMEOUT;
        } else {
            pause_ms(20);
        }
    }
    int err = 0;
    for (size_t i = 0; l->policies && l->policies[i] && !err; i++)
        err = remove_one(lab, "/api/policies/%2F/", l->policies[i], error);
    for (size_t i = 0; l->queues && l->queues[i] && !err; i++)
        err = remove_one(lab, "/api/queues/%2F/", l->queues[i], error);
    return err ? err : clear_the_way(lab, l, clear, error);
}

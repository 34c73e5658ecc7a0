/* lesson_clean.c: makes a lab ready for a lesson from its beginning: every node runs and sees the others, the
 * lesson's queues and policies are gone, and every node says so. */
#include <jansson.h>
#include <stdlib.h>

#include "base/err.h"
#include "lab/lesson_private.h"
#include "lab/private.h"

#define ASK_MS    5000
#define PARTED_MS 3000   /* autoheal and pause_minority mend it themselves, given a moment */
#define UNSEEN_MS 20000  /* nodes that all answer see each other by then, or something keeps them apart */
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
 * parted it, which starting nodes does not mend; *unseen: the first that does not run, as it sees it */
static bool sees_all(const struct labdir *lab, size_t node, size_t *parted, size_t *unseen)
{
    struct http_answer answer;
    uint32_t seen = 0;
    *parted = 0;
    if (http_call(lab, node, "GET", "/api/nodes", NULL, ASK_MS, &answer) == 0 && answer.status == 200) {
        json_t *list = json_loads(text_str(&answer.body), 0, NULL), *item;
        size_t i;
        json_array_foreach(list, i, item)
        {
            const char *name = json_string_value(json_object_get(item, "name"));
            int at = name ? labdir_find_node(lab, name) : -1;
            if (at >= 0 && json_is_true(json_object_get(item, "running")))
                seen |= UINT32_C(1) << at;
            if (at == (int)node)
                *parted = json_array_size(json_object_get(item, "partitions"));
        }
        json_decref(list);
    }
    text_finish(&answer.body);
    for (*unseen = 0; *unseen < lab->nodes_len && (seen >> *unseen & 1);)
        ++*unseen;
    return *unseen == lab->nodes_len;
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
        size_t parted, unseen;
        sees_all(lab, i, &parted, &unseen);
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

/* What keeps a node from seeing the others, in words: it has waited long enough. */
static char *unseen_text(const struct labdir *lab, size_t node, size_t unseen)
{
    const char *name = lab->nodes[node].name, *other = lab->nodes[unseen].name;
    if (node != unseen && answers(lab, unseen))
        return format_text("%s does not see %s, which runs and answers: the link between them is cut, or the "
                           "network is broken; labctl heal mends what labctl cut",
                           name, other);
    return format_text("%s does not see every node running; labctl -n %s cluster_status shows what it sees",
                       name, name);
}

/* Waits until every node sees every other one; who goes on in a view of its own is brought back. */
static int all_see_all(const struct labdir *lab, const struct lesson *l, char **error)
{
    int64_t begun = clock_now_ms();
    size_t rejoined = 0, parted, unseen;
    for (size_t i = 0; i < lab->nodes_len;) {
        if (sees_all(lab, i, &parted, &unseen)) {
            i++;
            continue;
        }
        int64_t waited = clock_now_ms() - begun;
        if (parted && waited > PARTED_MS && rejoined < lab->nodes_len) {
            int err = lesson_rejoin(lab, l, most_parted(lab), error);
            if (err)
                return err;
            rejoined++;
            begun = clock_now_ms();
            i = 0;
        } else if (waited > WAIT_MS || (waited > UNSEEN_MS && answers(lab, unseen))) {
            *error = unseen_text(lab, i, unseen);
            return ERR_TIMEOUT;
        } else {
            pause_ms(20);
        }
    }
    return 0;
}

int lesson_clean(const struct labdir *lab, const struct lesson *l, const char *const *clear, char **error)
{
    *error = NULL;
    if (lesson_forget(l, lab)) {
        *error = format_text("%s/lesson.json cannot be written", lab->path);
        return ERR_IO;
    }
    lesson_heal_links(lab); /* first: a node that is cut off from those it waits for does not start */
    int err = 0;
    for (size_t i = 0; i < lab->nodes_len && !err; i++)
        err = wake(lab, i, error);
    if (!err)
        err = all_see_all(lab, l, error);
    for (size_t i = 0; l->policies && l->policies[i] && !err; i++)
        err = remove_one(lab, "/api/policies/%2F/", l->policies[i], error);
    for (size_t i = 0; l->queues && l->queues[i] && !err; i++)
        err = remove_one(lab, "/api/queues/%2F/", l->queues[i], error);
    return err ? err : clear_the_way(lab, l, clear, error);
}

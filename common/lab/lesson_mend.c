/* lesson_mend.c: nodes that are kept apart are one cluster again before a lesson begins. Links that were cut
 * are healed. Where the sides then go on in views of their own, those who are parted from most are stopped
 * and started, and take up what the others have: what they had is lost by that, so it is done only where it
 * is the lesson's own, which goes anyway. */
#include <jansson.h>
#include <stdlib.h>

#include "base/err.h"
#include "lab/lesson_private.h"
#include "lab/links.h"
#include "lab/private.h"

#define ASK_MS 5000

void lesson_heal_links(const struct labdir *lab)
{
    uint32_t cut[LIMIT_NODES];
    const char *words[] = {"heal", NULL};
    char *output = NULL;
    if (lab->external || !links_cut(lab, cut))
        return;
    engine_ctl(lab, words, &output); /* a node whose process is gone cannot be told, and need not be */
    free(output);
}

static bool is_lessons(const struct lesson *l, const char *queue)
{
    for (char **q = l->queues; q && *q; q++)
        if (strcmp(*q, queue) == 0)
            return true;
    return false;
}

/* A queue that this node serves, and that is none of the lesson's; NULL: there is none. New. *known: it said
 * what it serves. */
static char *other_queue(const struct labdir *lab, const struct lesson *l, size_t node, bool *known)
{
    struct http_answer answer;
    char *found = NULL;
    *known = false;
    if (http_call(lab, node, "GET", "/api/queues", NULL, ASK_MS, &answer) == 0 && answer.status == 200) {
        json_t *list = json_loads(text_str(&answer.body), 0, NULL), *queue;
        size_t i;
        *known = json_is_array(list);
        json_array_foreach(list, i, queue)
        {
            const char *name = json_string_value(json_object_get(queue, "name"));
            const char *on = json_string_value(json_object_get(queue, "node"));
            if (!found && name && on && labdir_find_node(lab, on) == (int)node && !is_lessons(l, name))
                found = xstrdup(name);
        }
        json_decref(list);
    }
    text_finish(&answer.body);
    return found;
}

/* false: *error says what its program printed */
static bool told(const struct labdir *lab, const char *node, const char *verb, char **error)
{
    const char *words[] = {"-n", node, verb, NULL};
    char *output = NULL;
    int code = engine_ctl(lab, words, &output);
    if (code)
        *error = format_text("labctl -n %s %s: exit code %d: %s", node, verb, code, output);
    free(output);
    return code == 0;
}

int lesson_rejoin(const struct labdir *lab, const struct lesson *l, size_t node, char **error)
{
    const char *name = lab->nodes[node].name;
    bool known;
    char *queue = other_queue(lab, l, node, &known);
    if (queue || !known || lab->external) {
        char *of = queue ? format_text(", and its %s is none of the lesson's queues", queue) : xstrdup("");
        *error = format_text("%s is parted from other nodes (a network partition)%s. What was cut, labctl "
                             "heal joins; then labctl -n %s stop_app and labctl -n %s start_app mend it: it "
                             "takes up what the others have",
                             name, of, name, name);
        free(of);
        free(queue);
        return ERR_REFUSED;
    }
    return told(lab, name, "stop_app", error) && told(lab, name, "start_app", error) ? 0 : ERR_REFUSED;
}

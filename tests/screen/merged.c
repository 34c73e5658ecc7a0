/* merged.c: see merged.h. */
#include "tests/screen/merged.h"

struct labdir three_nodes(void)
{
    struct labdir lab = {.nodes_len = 3};
    for (size_t i = 0; i < 3; i++)
        snprintf(lab.nodes[i].name, sizeof(lab.nodes[i].name), "node%zu", i + 1);
    return lab;
}

json_t *keep(struct look *l, json_t *json)
{
    assert_true(l->documents_len < ARRAY_LEN(l->documents));
    return l->documents[l->documents_len++] = json;
}

struct snapshot *merge(struct look *l, const struct snapshot *before, ms_time now)
{
    struct labdir lab = three_nodes();
    struct merge_time time = {.now = now, .wall_ms = 1795381450000 + (int64_t)now};
    return merge_answers(&lab, l->answers, before, time);
}

void look_end(struct look *l)
{
    for (size_t i = 0; i < l->documents_len; i++)
        json_decref(l->documents[i]);
}

bool has_event(const struct snapshot *s, const char *kind, const char *text)
{
    for (size_t i = 0; i < s->events_len; i++)
        if (strcmp(s->events[i].kind, kind) == 0 && strcmp(s->events[i].text, text) == 0)
            return true;
    return false;
}

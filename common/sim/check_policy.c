/* check_policy.c: which policy applies to a queue, from the table alone and without the library's own
 * matching: of those whose pattern finds the name the one of the highest priority, of several such the first
 * by name. */
#include "sim/world.h"

#include <jansson.h>
#include <regex.h>

/* What operators said of a policy, as one value: what is compared is all of it. */
char *check_policy_value(const char *pattern, int32_t priority, const char *definition)
{
    json_t *d = json_loads(definition, 0, NULL);
    json_t *all =
        d ? json_pack("{s:s, s:i, s:o}", "pattern", pattern, "priority", (int)priority, "definition", d)
          : NULL;
    char *text = all ? json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS) : xstrdup(definition);
    json_decref(all);
    return text;
}

static bool finds(const char *pattern, const char *name)
{
    regex_t compiled;
    if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB))
        return false;
    bool found = regexec(&compiled, name, 0, NULL, 0) == 0;
    regfree(&compiled);
    return found;
}

static bool for_queues(const struct policy_info *p)
{
    return strcmp(p->apply_to, "all") == 0 || strcmp(p->apply_to, "queues") == 0;
}

void check_policy_applies(struct sim *s, node_id n, const struct queue_info *q)
{
    struct policy_info p, best = {0};
    size_t at = 0;
    while (mirror_next_policy(s->nodes[n].m, &at, &p)) {
        if (!for_queues(&p) || !finds(p.pattern, q->name))
            continue;
        if (!best.name || p.priority > best.priority ||
            (p.priority == best.priority && strcmp(p.name, best.name) < 0))
            best = p;
    }
    const char *shown = q->policy ? q->policy : "(none)", *wanted = best.name ? best.name : "(none)";
    if (strcmp(shown, wanted) != 0)
        sim_fail(s, "I10", "%s shows policy %s for %s, and it should be %s", s->names[n], shown, q->name,
                 wanted);
    else if (best.name && strcmp(q->definition, best.definition) != 0)
        sim_fail(s, "I10", "%s shows %s for %s as %s, and its table says %s", s->names[n], shown, q->name,
                 q->definition, best.definition);
}

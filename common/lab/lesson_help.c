/* lesson_help.c: what would bring a lesson on: what a step lacks, what of the lab is not as the lesson
 * begins.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "lab/lesson_private.h"

/* the word behind --timeout in a step's action; NULL: it names none */
static const char *waits_of(const struct lesson_step *step)
{
    for (size_t i = 0; step->action && step->action[i]; i++)
        if (strcmp(step->action[i], "--timeout") == 0)
            return step->action[i + 1];
    return NULL;
}

struct evidence lesson_evidence(const struct lesson_full *full, const struct lesson_step *step,
                                const struct snapshot *s)
{
    return (struct evidence){.snapshot = s,
                             .counts = &full->counts,
                             .output = step->output,
                             .acted = step->acted,
                             .runs = step->acted && step->exit_code < 0,
                             .waits_s = waits_of(step)};
}

static bool is_listed(char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

/* As nodes match: Perl's patterns, anywhere in the name. One that cannot be read matches nothing. */
static bool matches(const char *pattern, const char *name)
{
    int error;
    PCRE2_SIZE where;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, strlen(pattern), PCRE2_UTF, &error, &where, NULL);
    if (!code)
        return false;
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    bool found = pcre2_match(code, (PCRE2_SPTR)name, strlen(name), 0, 0, data, NULL) >= 0;
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return found;
}

const struct policy_seen *lesson_in_the_way(const struct lesson *l, const struct snapshot *s, size_t *at,
                                            const char **queue)
{
    while (*at < s->policies_len) {
        const struct policy_seen *p = &s->policies[(*at)++];
        if (is_listed(l->policies, p->name) || strcmp(p->apply_to, "exchanges") == 0)
            continue;
        for (char **name = l->queues; name && *name; name++)
            if (matches(p->pattern, *name)) {
                if (queue)
                    *queue = *name;
                return p;
            }
    }
    return NULL;
}

/* the policy that applies to this queue, if it is none of the lesson's */
static const struct policy_seen *applied(const struct lesson *l, const struct snapshot *s, const char *queue)
{
    const struct queue_seen *q = snapshot_queue(s, queue);
    for (size_t i = 0; q && q->policy && i < s->policies_len; i++)
        if (strcmp(s->policies[i].name, q->policy) == 0 && !is_listed(l->policies, q->policy))
            return &s->policies[i];
    return NULL;
}

/* it, or a fact in it, is said in these words */
static bool says(const json_t *fact, const char *words)
{
    const json_t *part;
    const char *key;
    size_t i;
    if (json_is_string(fact))
        return strcmp(json_string_value(fact), words) == 0;
    json_array_foreach((json_t *)(uintptr_t)fact, i, part) if (says(part, words)) return true;
    json_object_foreach((json_t *)(uintptr_t)fact, key, part) if (says(part, words)) return true;
    return false;
}

bool lesson_step_process_gone(const struct lesson *l, size_t step)
{
    const struct lesson_step *s = &l->steps[step];
    return s->state == STEP_SEEN &&
           (says(s->seen, FACT_NOT_RUNNING_AND_GONE) || says(s->seen, FACT_SILENT_AND_GONE));
}

enum lesson_help lesson_help(const struct lesson *l, size_t step, const struct snapshot *s, json_t **missing,
                             const struct policy_seen **policy)
{
    const struct lesson_full *full = lesson_full((struct lesson *)(uintptr_t)l);
    const struct lesson_step *it = &l->steps[step];
    const struct step_proof *proof = it->proof;
    enum lesson_help help = LESSON_HELP_WAIT;
    *missing = NULL;
    *policy = NULL;
    if (!proof || !s)
        return help;
    struct evidence evidence = lesson_evidence(full, it, s);
    struct finding found;
    proof_look(proof->facts, &evidence, &found);
    /* twice is as good as once, but it does not change how many messages there are */
    bool failed = it->exit_code > 0 && !it->by_hand;
    bool again = it->action && strcmp(it->action[0], "labctl") == 0 && !found.counted;
    if (snapshot_partitioned(s)) { /* no step counts meanwhile */
        *missing = found.verdict != VERDICT_YES ? json_incref(found.missing) : NULL;
        help = LESSON_HELP_JOIN;
    } else if (found.verdict != VERDICT_YES) {
        *missing = json_incref(found.missing);
        help = found.torn                      ? LESSON_HELP_JOIN
               : failed                        ? LESSON_HELP_REPEAT
               : found.sayers                  ? LESSON_HELP_START_NODES
               : it->lacks                     ? LESSON_HELP_RESTART /* once more would show nothing */
               : it->by_hand && !found.counted ? LESSON_HELP_WAIT    /* it is done: once more does nothing */
               : again                         ? LESSON_HELP_REPEAT
                                               : LESSON_HELP_RESTART;
        if (found.of_policy && (*policy = applied(l, s, found.of_policy)))
            help = LESSON_HELP_CLEAR;
    }
    finding_finish(&found);
    return help;
}

json_t *lesson_leftover(const struct lesson *l, const struct snapshot *s)
{
    for (size_t i = 0; i < s->nodes_len; i++)
        if (s->nodes[i].state == NODE_NOT_RUNNING)
            return fact_of(N_("%s does not run"), s->nodes[i].name);
    for (char **name = l->queues; name && *name; name++)
        if (snapshot_queue(s, *name))
            return fact_of(N_("The lab holds %s already"), *name);
    for (char **name = l->policies; name && *name; name++)
        for (size_t i = 0; i < s->policies_len; i++)
            if (strcmp(s->policies[i].name, *name) == 0)
                return fact_of(N_("The lab holds policy %s already"), *name);
    size_t at = 0;
    const char *queue;
    const struct policy_seen *policy = lesson_in_the_way(l, s, &at, &queue);
    if (policy)
        return fact_of(N_("policy %s (%s) would apply to %s"), policy->name, policy->pattern, queue);
    return NULL;
}

char *lesson_explain(const struct lesson *l, size_t step, const struct snapshot *s,
                     const char *(*translate)(const char *format))
{
    const struct lesson_full *full = lesson_full((struct lesson *)(uintptr_t)l);
    const struct step_proof *proof = l->steps[step].proof;
    if (!proof)
        return xstrdup("");
    struct evidence evidence = lesson_evidence(full, &l->steps[step], s);
    struct text out = {0};
    for (size_t i = 0; i < proof_checks(proof->facts); i++) {
        bool holds;
        json_t *fact = proof_explain(proof->facts, i, &evidence, &holds);
        char *words = fact_text(fact, translate);
        text_printf(&out, "[%c] %s\n", holds ? 'x' : ' ', words);
        json_decref(fact);
        free(words);
    }
    return out.s;
}

/* proof_read.c: reading a proof from lesson.cfg; proof.h has the format. */
#include "lab/proof_private.h"

#include <stdlib.h>

const struct check_kind proof_checks_known[CHECK_COUNT_] = {
#define X(id, subject, key, value, asks) {subject, key, value, asks},
    CHECK_TABLE(X)
#undef X
};

static const char *const subject_keys[] = {"node", "queue", "policy", "output_contains"};

static bool read_words(const config_setting_t *s, struct check *c)
{
    if (config_setting_type(s) == CONFIG_TYPE_STRING) {
        VEC_PUSH(&c->words, xstrdup(config_setting_get_string(s)));
        return true;
    }
    if (!config_setting_is_aggregate(s) || config_setting_is_group(s) || config_setting_length(s) == 0)
        return false;
    for (int i = 0; i < config_setting_length(s); i++) {
        const char *word = config_setting_get_string_elem(s, i);
        if (!word)
            return false;
        VEC_PUSH(&c->words, xstrdup(word));
    }
    return true;
}

static int read_value(const config_setting_t *s, struct check *c, struct complaint *complaint)
{
    const char *key = config_setting_name(s);
    switch (proof_checks_known[c->id].value) {
    case VALUE_NUMBER:
        if (config_setting_type(s) != CONFIG_TYPE_INT || config_setting_get_int(s) < 0)
            return complain(complaint, line_of(s), "%s is not a number; write %s = 1", key, key);
        c->number = config_setting_get_int(s);
        return 0;
    case VALUE_BOOL:
        if (config_setting_type(s) != CONFIG_TYPE_BOOL)
            return complain(complaint, line_of(s), "%s is not true or false; write %s = true", key, key);
        c->number = config_setting_get_bool(s);
        return 0;
    case VALUE_TEXT:
        if (!read_words(s, c))
            return complain(complaint, line_of(s),
                            "%s is not a text; write %s = \"...\" or [ \"...\", \"...\" ]", key, key);
        break;
    }
    /* states are words of a short list: a misspelt one would never hold */
    static const char *const node_states[] = {"running", "not running"};
    static const char *const queue_states[] = {"running", "syncing", "stopped", "down"};
    const char *const *known = c->id == CHECK_NODE_STATE ? node_states : queue_states;
    size_t known_len = c->id == CHECK_NODE_STATE ? ARRAY_LEN(node_states) : ARRAY_LEN(queue_states);
    if (c->id != CHECK_NODE_STATE && c->id != CHECK_QUEUE_STATE)
        return 0;
    for (size_t i = 0; i < c->words.len; i++) {
        bool found = false;
        for (size_t k = 0; k < known_len; k++)
            found = found || strcmp(c->words.items[i], known[k]) == 0;
        if (!found)
            return complain(complaint, line_of(s), "state \"%s\" is not one of a %s; write \"%s\" or \"%s\"",
                            c->words.items[i], c->id == CHECK_NODE_STATE ? "node" : "queue", known[0],
                            known[known_len - 1]);
    }
    return 0;
}

static void check_finish(struct check *c)
{
    free(c->name);
    for (size_t i = 0; i < c->words.len; i++)
        free(c->words.items[i]);
    VEC_FREE(&c->words);
}

/* which subject a group is about: the one of the four keys that it has */
static int find_subject(const config_setting_t *group, enum subject *subject, struct complaint *complaint)
{
    size_t found = 0;
    for (size_t i = 0; i < ARRAY_LEN(subject_keys); i++) {
        /* a queue's group may say policy = "...": there it is a check */
        if (!config_setting_get_member(group, subject_keys[i]) || (i == SUBJECT_POLICY && found))
            continue;
        *subject = (enum subject)i;
        found++;
    }
    if (found == 1)
        return 0;
    return complain(complaint, line_of(group),
                    "this fact is about %s; write one of node, queue, policy, output_contains",
                    found ? "two things" : "nothing");
}

static int parse_check(struct proof *p, const config_setting_t *group, const config_setting_t *s,
                       enum subject subject, struct complaint *complaint)
{
    const char *key = config_setting_name(s);
    struct check c = {.id = CHECK_COUNT_};
    for (size_t i = 0; i < CHECK_COUNT_; i++)
        if (proof_checks_known[i].subject == subject && strcmp(proof_checks_known[i].key, key) == 0)
            c.id = (enum check_id)i;
    if (c.id == CHECK_COUNT_) {
        struct text list = {0};
        for (size_t i = 0; i < CHECK_COUNT_; i++)
            if (proof_checks_known[i].subject == subject)
                text_printf(&list, "%s%s", list.len ? ", " : "", proof_checks_known[i].key);
        int err = complain(complaint, line_of(s), "unknown key %s; of a %s one can say %s", key,
                           subject == SUBJECT_OUTPUT ? "program" : subject_keys[subject], list.s);
        text_finish(&list);
        return err;
    }
    int err = read_value(s, &c, complaint);
    if (err) {
        check_finish(&c);
        return err;
    }
    if (subject != SUBJECT_OUTPUT)
        c.name = xstrdup(config_setting_get_string(config_setting_get_member(group, subject_keys[subject])));
    VEC_PUSH(&p->checks, c);
    return 0;
}

/* tell = [ "messages" ]: of the checks from `first` on, which are repeated beside the tick */
static int read_tell(struct proof *p, size_t first, const config_setting_t *tell, struct complaint *complaint)
{
    if (config_setting_type(tell) != CONFIG_TYPE_ARRAY)
        return complain(complaint, line_of(tell),
                        "tell is not a list of keys; write tell = [ \"messages\" ] or []");
    for (size_t i = first; i < p->checks.len; i++)
        p->checks.items[i].untold = true;
    for (int t = 0; t < config_setting_length(tell); t++) {
        const char *key = config_setting_get_string_elem(tell, t);
        bool found = false;
        for (size_t i = first; i < p->checks.len; i++) {
            struct check *c = &p->checks.items[i];
            bool is = key && strcmp(proof_checks_known[c->id].key, key) == 0;
            c->untold = c->untold && !is;
            found = found || is;
        }
        if (!found)
            return complain(complaint, line_of(tell), "tell names %s, which is not asked for here",
                            key ? key : "what is no text");
    }
    return 0;
}

static int parse_fact(struct proof *p, const config_setting_t *group, struct complaint *complaint)
{
    enum subject subject = SUBJECT_NODE;
    if (!config_setting_is_group(group))
        return complain(complaint, line_of(group),
                        "a fact is a group; write { queue = \"hello\"; messages = 1; }");
    int err = find_subject(group, &subject, complaint);
    if (err)
        return err;
    const config_setting_t *name = config_setting_get_member(group, subject_keys[subject]);
    if (subject != SUBJECT_OUTPUT && config_setting_type(name) != CONFIG_TYPE_STRING)
        return complain(complaint, line_of(name), "%s is not a name; write %s = \"...\"",
                        subject_keys[subject], subject_keys[subject]);
    size_t before = p->checks.len;
    const config_setting_t *tell = config_setting_get_member(group, "tell");
    for (int i = 0; !err && i < config_setting_length(group); i++) {
        const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
        if ((subject == SUBJECT_OUTPUT || s != name) && s != tell)
            err = parse_check(p, group, s, subject, complaint);
    }
    if (err)
        return err;
    if (p->checks.len == before)
        return complain(complaint, line_of(group),
                        "nothing is said of this %s; write what must be seen of it", subject_keys[subject]);
    if (tell)
        err = read_tell(p, before, tell, complaint);
    if (err)
        return err;
    bool counts = false, state = false; /* who says so, says what? */
    for (size_t i = before; i < p->checks.len; i++) {
        counts = counts || p->checks.items[i].id == CHECK_NODE_SAID_BY;
        state = state || p->checks.items[i].id == CHECK_NODE_STATE;
    }
    if (counts && !state)
        return complain(complaint, line_of(group),
                        "said_by_at_least counts who says what; write state = \"running\" or \"not running\" "
                        "beside it");
    return 0;
}

static size_t count_queues(const struct proof *p)
{
    size_t count = 0;
    for (size_t i = 0; i < p->checks.len; i++) {
        bool first = proof_checks_known[p->checks.items[i].id].subject == SUBJECT_QUEUE;
        for (size_t k = 0; k < i && first; k++)
            first = proof_checks_known[p->checks.items[k].id].subject != SUBJECT_QUEUE ||
                    strcmp(p->checks.items[k].name, p->checks.items[i].name) != 0;
        count += first;
    }
    return count;
}

struct proof *proof_parse(const config_setting_t *list, struct complaint *complaint)
{
    struct proof *p = xcalloc(1, sizeof(*p));
    int err = 0;
    if (!config_setting_is_list(list) || config_setting_length(list) == 0)
        err = complain(complaint, line_of(list),
                       "a proof is a list of facts; write proof = ( { queue = \"hello\"; "
                       "messages = 1; } )");
    for (int i = 0; !err && i < config_setting_length(list); i++)
        err = parse_fact(p, config_setting_get_elem(list, (unsigned)i), complaint);
    if (!err) {
        p->queues = count_queues(p);
        return p;
    }
    proof_destroy(p);
    return NULL;
}

void proof_destroy(struct proof *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->checks.len; i++)
        check_finish(&p->checks.items[i]);
    VEC_FREE(&p->checks);
    free(p);
}

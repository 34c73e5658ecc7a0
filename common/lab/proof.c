/* proof.c: reading a proof and holding it against what was seen; proof.h has the format and the rule. One
 * table of keys (an X-macro) is what the reader accepts, what the error lists and what the switch below
 * decides. */
#include "lab/proof.h"

#include <stdlib.h>

#include "base/vec.h"

enum subject { SUBJECT_NODE, SUBJECT_QUEUE, SUBJECT_POLICY, SUBJECT_OUTPUT };
enum value_kind { VALUE_NUMBER, VALUE_TEXT, VALUE_BOOL };

/* id, subject, key in lesson.cfg, its value, what is asked for: of whom, and the value if it is not a bool */
#define CHECK_TABLE(X)                                                                                       \
    X(CHECK_NODE_STATE, SUBJECT_NODE, "state", VALUE_TEXT, N_("%s state %s"))                                \
    X(CHECK_NODE_SAID_BY, SUBJECT_NODE, "said_by_at_least", VALUE_NUMBER, N_("%s said by at least %s"))      \
    X(CHECK_NODE_ANSWERS, SUBJECT_NODE, "answers", VALUE_BOOL, N_("%s answers"))                             \
    X(CHECK_QUEUE_EXISTS, SUBJECT_QUEUE, "exists", VALUE_BOOL, N_("%s exists"))                              \
    X(CHECK_QUEUE_STATE, SUBJECT_QUEUE, "state", VALUE_TEXT, N_("%s state %s"))                              \
    X(CHECK_QUEUE_MESSAGES, SUBJECT_QUEUE, "messages", VALUE_NUMBER, N_("%s messages %s"))                   \
    X(CHECK_QUEUE_MESSAGES_MIN, SUBJECT_QUEUE, "messages_at_least", VALUE_NUMBER,                            \
      N_("%s messages at least %s"))                                                                         \
    X(CHECK_QUEUE_UNKNOWN, SUBJECT_QUEUE, "messages_unknown", VALUE_BOOL, N_("%s messages unknown"))         \
    X(CHECK_QUEUE_HAD, SUBJECT_QUEUE, "had_messages", VALUE_NUMBER, N_("%s had at least %s before"))         \
    X(CHECK_QUEUE_MASTER, SUBJECT_QUEUE, "master", VALUE_TEXT, N_("%s master %s"))                           \
    X(CHECK_QUEUE_MASTER_NOT, SUBJECT_QUEUE, "master_is_not", VALUE_TEXT, N_("%s master is not %s"))         \
    X(CHECK_QUEUE_MIRRORS, SUBJECT_QUEUE, "mirrors", VALUE_NUMBER, N_("%s mirrors %s"))                      \
    X(CHECK_QUEUE_MIRRORS_MIN, SUBJECT_QUEUE, "mirrors_at_least", VALUE_NUMBER,                              \
      N_("%s mirrors at least %s"))                                                                          \
    X(CHECK_QUEUE_SYNCED_MIN, SUBJECT_QUEUE, "synced_mirrors_at_least", VALUE_NUMBER,                        \
      N_("%s mirrors in sync at least %s"))                                                                  \
    X(CHECK_QUEUE_DURABLE, SUBJECT_QUEUE, "durable", VALUE_BOOL, N_("%s durable"))                           \
    X(CHECK_QUEUE_POLICY, SUBJECT_QUEUE, "policy", VALUE_TEXT, N_("%s effective policy %s"))                 \
    X(CHECK_POLICY_PATTERN, SUBJECT_POLICY, "pattern", VALUE_TEXT, N_("policy %s pattern %s"))               \
    X(CHECK_POLICY_DEFINITION, SUBJECT_POLICY, "definition", VALUE_TEXT, N_("policy %s definition %s"))      \
    X(CHECK_OUTPUT, SUBJECT_OUTPUT, "output_contains", VALUE_TEXT, N_("the program printed %s"))

enum check_id {
#define X(id, subject, key, value, words) id,
    CHECK_TABLE(X)
#undef X
        CHECK_COUNT_
};

static const struct {
    enum subject subject;
    const char *key;
    enum value_kind value;
    const char *asks; /* a format (fact.h) */
} checks[] = {
#define X(id, subject, key, value, asks) {subject, key, value, asks},
    CHECK_TABLE(X)
#undef X
};

static const char *const subject_keys[] = {"node", "queue", "policy", "output_contains"};

struct check {
    enum check_id id;
    char *name;        /* of the node, queue or policy; NULL for output */
    int64_t number;    /* VALUE_NUMBER; VALUE_BOOL: 0 or 1 */
    VEC(char *) words; /* VALUE_TEXT: any of these */
};

struct proof {
    VEC(struct check) checks;
    size_t queues; /* how many queues it speaks of: with one, its name is not repeated on every line */
};

/* ---- reading
 * ------------------------------------------------------------------------------------------------- */

static __attribute__((format(printf, 4, 5))) bool complain(char **error, const char *file,
                                                           const config_setting_t *at, const char *format,
                                                           ...)
{
    struct text t = {0};
    text_printf(&t, "%s:%d: ", file, (int)config_setting_source_line(at));
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    free(*error);
    *error = t.s;
    return false;
}

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

static bool read_value(const config_setting_t *s, const char *file, struct check *c, char **error)
{
    const char *key = config_setting_name(s);
    switch (checks[c->id].value) {
    case VALUE_NUMBER:
        if (config_setting_type(s) != CONFIG_TYPE_INT || config_setting_get_int(s) < 0)
            return complain(error, file, s, "%s is not a number; write %s = 1", key, key);
        c->number = config_setting_get_int(s);
        return true;
    case VALUE_BOOL:
        if (config_setting_type(s) != CONFIG_TYPE_BOOL)
            return complain(error, file, s, "%s is not true or false; write %s = true", key, key);
        c->number = config_setting_get_bool(s);
        return true;
    case VALUE_TEXT:
        if (!read_words(s, c))
            return complain(error, file, s, "%s is not a text; write %s = \"...\" or [ \"...\", \"...\" ]",
                            key, key);
        break;
    }
    /* states are words of a short list: a misspelt one would never hold */
    static const char *const node_states[] = {"running", "not running"};
    static const char *const queue_states[] = {"running", "syncing", "stopped", "down"};
    const char *const *known = c->id == CHECK_NODE_STATE ? node_states : queue_states;
    size_t known_len = c->id == CHECK_NODE_STATE ? ARRAY_LEN(node_states) : ARRAY_LEN(queue_states);
    if (c->id != CHECK_NODE_STATE && c->id != CHECK_QUEUE_STATE)
        return true;
    for (size_t i = 0; i < c->words.len; i++) {
        bool found = false;
        for (size_t k = 0; k < known_len; k++)
            found = found || strcmp(c->words.items[i], known[k]) == 0;
        if (!found)
            return complain(error, file, s, "state \"%s\" is not one of a %s; write \"%s\" or \"%s\"",
                            c->words.items[i], c->id == CHECK_NODE_STATE ? "node" : "queue", known[0],
                            known[known_len - 1]);
    }
    return true;
}

static void check_finish(struct check *c)
{
    free(c->name);
    for (size_t i = 0; i < c->words.len; i++)
        free(c->words.items[i]);
    VEC_FREE(&c->words);
}

/* which subject a group is about: the one of the four keys that it has */
static bool find_subject(const config_setting_t *group, const char *file, enum subject *subject, char **error)
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
        return true;
    return complain(error, file, group,
                    "this fact is about %s; write one of node, queue, policy, output_contains",
                    found ? "two things" : "nothing");
}

static bool parse_check(struct proof *p, const config_setting_t *group, const config_setting_t *s,
                        enum subject subject, const char *file, char **error)
{
    const char *key = config_setting_name(s);
    struct check c = {.id = CHECK_COUNT_};
    for (size_t i = 0; i < CHECK_COUNT_; i++)
        if (checks[i].subject == subject && strcmp(checks[i].key, key) == 0)
            c.id = (enum check_id)i;
    if (c.id == CHECK_COUNT_) {
        struct text list = {0};
        for (size_t i = 0; i < CHECK_COUNT_; i++)
            if (checks[i].subject == subject)
                text_printf(&list, "%s%s", list.len ? ", " : "", checks[i].key);
        complain(error, file, s, "unknown key %s; of a %s one can say %s", key,
                 subject == SUBJECT_OUTPUT ? "program" : subject_keys[subject], list.s);
        text_finish(&list);
        return false;
    }
    if (!read_value(s, file, &c, error)) {
        check_finish(&c);
        return false;
    }
    if (subject != SUBJECT_OUTPUT)
        c.name = xstrdup(config_setting_get_string(config_setting_get_member(group, subject_keys[subject])));
    VEC_PUSH(&p->checks, c);
    return true;
}

static bool parse_fact(struct proof *p, const config_setting_t *group, const char *file, char **error)
{
    enum subject subject = SUBJECT_NODE;
    if (!config_setting_is_group(group))
        return complain(error, file, group, "a fact is a group; write { queue = \"hello\"; messages = 1; }");
    if (!find_subject(group, file, &subject, error))
        return false;
    const config_setting_t *name = config_setting_get_member(group, subject_keys[subject]);
    if (subject != SUBJECT_OUTPUT && config_setting_type(name) != CONFIG_TYPE_STRING)
        return complain(error, file, name, "%s is not a name; write %s = \"...\"", subject_keys[subject],
                        subject_keys[subject]);
    size_t before = p->checks.len;
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
        if (subject != SUBJECT_OUTPUT && s == name)
            continue;
        if (!parse_check(p, group, s, subject, file, error))
            return false;
    }
    if (p->checks.len == before)
        return complain(error, file, group, "nothing is said of this %s; write what must be seen of it",
                        subject_keys[subject]);
    bool counts = false, state = false; /* who says so, says what? */
    for (size_t i = before; i < p->checks.len; i++) {
        counts = counts || p->checks.items[i].id == CHECK_NODE_SAID_BY;
        state = state || p->checks.items[i].id == CHECK_NODE_STATE;
    }
    if (counts && !state)
        return complain(error, file, group,
                        "said_by_at_least counts who says what; write state = \"running\" or \"not running\" "
                        "beside it");
    return true;
}

static size_t count_queues(const struct proof *p)
{
    size_t count = 0;
    for (size_t i = 0; i < p->checks.len; i++) {
        bool first = checks[p->checks.items[i].id].subject == SUBJECT_QUEUE;
        for (size_t k = 0; k < i && first; k++)
            first = checks[p->checks.items[k].id].subject != SUBJECT_QUEUE ||
                    strcmp(p->checks.items[k].name, p->checks.items[i].name) != 0;
        count += first;
    }
    return count;
}

struct proof *proof_parse(const config_setting_t *list, const char *file, char **error)
{
    struct proof *p = xcalloc(1, sizeof(*p));
    bool good = true;
    *error = NULL;
    if (!config_setting_is_list(list) || config_setting_length(list) == 0)
        good = complain(error, file, list,
                        "a proof is a list of facts; write proof = ( { queue = \"hello\"; "
                        "messages = 1; } )");
    for (int i = 0; good && i < config_setting_length(list); i++)
        good = parse_fact(p, config_setting_get_elem(list, (unsigned)i), file, error);
    if (good) {
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

/* ---- looking
 * --------------------------------------------------------------------------------------------------- */

static enum verdict yes_if(bool holds)
{
    return holds ? VERDICT_YES : VERDICT_NO;
}

static bool is_any(const struct check *c, const char *word)
{
    for (size_t i = 0; i < c->words.len; i++)
        if (strcmp(c->words.items[i], word) == 0)
            return true;
    return false;
}

static unsigned count_bits(node_bits bits)
{
    return (unsigned)__builtin_popcount(bits);
}

/* "node2, node3" */
static char *node_names(const struct snapshot *s, node_bits bits)
{
    struct text t = {0};
    text_add(&t, "");
    for (size_t i = 0; i < s->nodes_len; i++)
        if (bits >> i & 1)
            text_printf(&t, "%s%s", t.len ? ", " : "", s->nodes[i].name);
    return t.s;
}

/* a fact about nodes: of_nodes(N_("%s say so"), s, bits) */
static json_t *of_nodes(const char *format, const struct snapshot *s, node_bits bits)
{
    char *names = node_names(s, bits);
    json_t *fact = fact_of(format, names);
    free(names);
    return fact;
}

/* the last time the most recently heard of these nodes answered: what they say is as old as that */
static ms_time heard_at(const struct snapshot *s, node_bits bits)
{
    ms_time at = 0;
    for (size_t i = 0; i < s->nodes_len; i++)
        if (bits >> i & 1)
            at = u64_max(at, s->nodes[i].answered_at);
    return at;
}

/* The state that the same proof asks of this node: what those have to say who are counted. */
static const struct check *state_of(const struct proof *p, const char *node)
{
    for (size_t i = 0; i < p->checks.len; i++)
        if (p->checks.items[i].id == CHECK_NODE_STATE && strcmp(p->checks.items[i].name, node) == 0)
            return &p->checks.items[i];
    return NULL;
}

static enum verdict look_sayers(const struct proof *p, const struct check *c, const struct snapshot *s,
                                const struct node_seen *n, json_t **seen)
{
    const struct check *state = state_of(p, c->name);
    bool up = n->state == NODE_UP;
    node_bits sayers = up ? n->said_up_by : n->said_down_by;
    if (!state || !is_any(state, up ? "running" : "not running")) { /* they say the opposite */
        *seen = fact_of(up ? N_("%s running") : N_("%s not running"), n->name);
        return VERDICT_NO;
    }
    *seen = of_nodes(count_bits(sayers) > 1 ? N_("%s say so") : N_("%s says so"), s, sayers);
    return yes_if(count_bits(sayers) >= c->number);
}

static enum verdict look_node(const struct proof *p, const struct check *c, const struct snapshot *s,
                              ms_time *as_of, json_t **seen)
{
    const struct node_seen *n = snapshot_node(s, c->name);
    if (!n) {
        *seen = fact_of(N_("no node %s here"), c->name);
        return VERDICT_NO;
    }
    if (c->id == CHECK_NODE_ANSWERS) {
        *as_of = s->taken_at;
        *seen = fact_of(n->answers ? N_("%s answers") : N_("%s does not answer"), n->name);
        return yes_if(n->answers == (c->number != 0));
    }
    bool up = n->state == NODE_UP;
    node_bits sayers = up ? n->said_up_by : n->said_down_by;
    *as_of = heard_at(s, sayers);
    if (n->state == NODE_UNKNOWN) {
        *seen = fact_of(N_("nobody can say whether %s runs"), n->name);
        return VERDICT_UNKNOWN;
    }
    if (c->id == CHECK_NODE_SAID_BY)
        return look_sayers(p, c, s, n, seen);
    *seen = fact_of(up ? N_("%s running") : N_("%s not running"), n->name);
    return yes_if(is_any(c, up ? "running" : "not running"));
}

/* "sync 60%" while one runs */
static json_t *sync_fact(const struct snapshot *s, const struct queue_seen *q)
{
    node_bits open = q->mirrors & ~q->synced;
    if (open && q->sync_messages >= 0 && q->messages > 0)
        return fact_of(N_("sync %lld%%"), (long long)(q->sync_messages * 100 / q->messages));
    return of_nodes(N_("in sync={%s}"), s, q->synced);
}

static enum verdict look_count(const struct check *c, const struct queue_seen *q, json_t **seen)
{
    if (q->messages < 0) {
        *seen = fact_of(N_("messages=%s"), "?");
        return c->id == CHECK_QUEUE_UNKNOWN ? yes_if(c->number != 0) : VERDICT_UNKNOWN;
    }
    *seen = fact_of(N_("messages=%lld"), (long long)q->messages);
    switch ((int)c->id) {
    case CHECK_QUEUE_UNKNOWN: return yes_if(c->number == 0);
    case CHECK_QUEUE_MESSAGES: return yes_if(q->messages == c->number);
    default: return yes_if(q->messages >= c->number);
    }
}

static enum verdict look_master(const struct check *c, const struct snapshot *s, const struct queue_seen *q,
                                json_t **seen)
{
    const char *master = q->master >= 0 ? s->nodes[q->master].name : NULL;
    *seen = fact_of(N_("master=%s"), master ? master : "?");
    if (!master)
        return VERDICT_UNKNOWN;
    return yes_if(is_any(c, master) == (c->id == CHECK_QUEUE_MASTER));
}

static enum verdict look_mirrors(const struct check *c, const struct snapshot *s, const struct queue_seen *q,
                                 json_t **seen)
{
    unsigned count = count_bits(q->mirrors);
    if (c->id == CHECK_QUEUE_SYNCED_MIN) {
        *seen = sync_fact(s, q);
        return yes_if(count_bits(q->synced) >= c->number);
    }
    char *names = node_names(s, q->mirrors);
    *seen = count ? fact_of(N_("+%u on %s"), count, names) : fact_of(N_("no mirror"));
    free(names);
    return yes_if(c->id == CHECK_QUEUE_MIRRORS ? count == c->number : count >= c->number);
}

static enum verdict look_had(const struct check *c, const struct evidence *e, json_t **seen)
{
    const int64_t *most = map_get_str(e->most_messages, c->name);
    *seen = fact_of(N_("had %lld before"), most ? (long long)*most : 0LL);
    return yes_if(most && *most >= c->number);
}

static enum verdict look_state(const struct check *c, const struct queue_seen *q, json_t **seen)
{
    const char *state = queue_seen_state_name(q->state);
    *seen = fact_with(N_("state=%s"), fact_word(state), NULL);
    return q->state == QUEUE_SEEN_UNKNOWN ? VERDICT_UNKNOWN : yes_if(is_any(c, state));
}

/* Two nodes say that they are its master: nothing that one of them says is so. */
static json_t *torn_fact(const struct snapshot *s, const struct queue_seen *q)
{
    return of_nodes(N_("a partition: %s each say they are its master"), s, queue_seen_masters_bits(q));
}

static enum verdict look_queue(const struct check *c, const struct evidence *e, ms_time *as_of, json_t **seen)
{
    const struct snapshot *s = e->snapshot;
    const struct queue_seen *q = snapshot_queue(s, c->name);
    *as_of = q ? q->seen_at : s->taken_at;
    if (s->source < 0) {
        *seen = fact_of(N_("no node answers"));
        return VERDICT_UNKNOWN;
    }
    if (!q || c->id == CHECK_QUEUE_EXISTS) {
        *seen = fact_of(q ? N_("%s is there") : N_("no queue %s"), c->name);
        return c->id == CHECK_QUEUE_EXISTS ? yes_if((q != NULL) == (c->number != 0)) : VERDICT_NO;
    }
    bool of_all = c->id == CHECK_QUEUE_HAD || c->id == CHECK_QUEUE_DURABLE || c->id == CHECK_QUEUE_POLICY;
    if (queue_seen_masters(q) > 1 && !of_all) {
        *seen = torn_fact(s, q);
        return VERDICT_NO;
    }
    switch ((int)c->id) {
    case CHECK_QUEUE_HAD: return look_had(c, e, seen);
    case CHECK_QUEUE_STATE: return look_state(c, q, seen);
    case CHECK_QUEUE_MASTER:
    case CHECK_QUEUE_MASTER_NOT: return look_master(c, s, q, seen);
    case CHECK_QUEUE_MIRRORS:
    case CHECK_QUEUE_MIRRORS_MIN:
    case CHECK_QUEUE_SYNCED_MIN: return look_mirrors(c, s, q, seen);
    case CHECK_QUEUE_DURABLE:
        *seen = q->durable ? fact_of(N_("durable")) : fact_of(N_("not durable"));
        return yes_if(q->durable == (c->number != 0));
    case CHECK_QUEUE_POLICY:
        *seen =
            q->policy ? fact_of(N_("effective policy=%s"), q->policy) : fact_of(N_("no effective policy"));
        return yes_if(is_any(c, q->policy ? q->policy : ""));
    default: return look_count(c, q, seen);
    }
}

/* the same JSON, however it is spelt */
static bool same_json(const char *a, const char *b)
{
    json_t *left = json_loads(a, JSON_DECODE_ANY, NULL), *right = json_loads(b, JSON_DECODE_ANY, NULL);
    bool same = left && right && json_equal(left, right);
    json_decref(left);
    json_decref(right);
    return same;
}

static enum verdict look_policy(const struct check *c, const struct snapshot *s, ms_time *as_of,
                                json_t **seen)
{
    *as_of = s->source >= 0 ? s->nodes[s->source].answered_at : 0;
    if (s->source < 0) {
        *seen = fact_of(N_("no node answers"));
        return VERDICT_UNKNOWN;
    }
    for (size_t i = 0; i < s->policies_len; i++) {
        const struct policy_seen *p = &s->policies[i];
        if (strcmp(p->name, c->name) != 0)
            continue;
        if (c->id == CHECK_POLICY_PATTERN) {
            *seen = fact_of(N_("policy %s pattern=%s"), p->name, p->pattern);
            return yes_if(is_any(c, p->pattern));
        }
        *seen = json_string(p->definition);
        bool same = false;
        for (size_t w = 0; w < c->words.len; w++)
            same = same || same_json(c->words.items[w], p->definition);
        return yes_if(same);
    }
    *seen = fact_of(N_("no policy %s"), c->name);
    return VERDICT_NO;
}

static enum verdict look_output(const struct check *c, const struct evidence *e, ms_time *as_of,
                                json_t **seen)
{
    *as_of = e->snapshot->taken_at;
    for (size_t i = 0; e->output && i < c->words.len; i++) {
        if (!strstr(e->output, c->words.items[i]))
            continue;
        *seen = fact_of(N_("printed \"%s\""), c->words.items[i]);
        return VERDICT_YES;
    }
    *seen =
        e->output ? fact_of(N_("not printed yet: \"%s\""), c->words.items[0]) : fact_of(N_("not run yet"));
    return VERDICT_UNKNOWN;
}

/* *seen: a new fact */
static enum verdict look_check(const struct proof *p, const struct check *c, const struct evidence *e,
                               ms_time *as_of, json_t **seen)
{
    enum verdict verdict = VERDICT_UNKNOWN;
    *as_of = 0;
    switch (checks[c->id].subject) {
    case SUBJECT_NODE: verdict = look_node(p, c, e->snapshot, as_of, seen); break;
    case SUBJECT_QUEUE: verdict = look_queue(c, e, as_of, seen); break;
    case SUBJECT_POLICY: verdict = look_policy(c, e->snapshot, as_of, seen); break;
    case SUBJECT_OUTPUT: verdict = look_output(c, e, as_of, seen); break;
    }
    if (p->queues > 1 && checks[c->id].subject == SUBJECT_QUEUE)
        *seen = fact_with("%s %s", json_string(c->name), *seen);
    return verdict;
}

/* the value that the check asks for, in words; NULL: what is seen instead says all */
static json_t *wanted(const struct check *c)
{
    json_t *value = NULL;
    if (checks[c->id].value == VALUE_NUMBER)
        value = fact_of("%lld", (long long)c->number);
    for (size_t w = 0; w < c->words.len; w++)
        fact_add(&value, N_("%s or %s"),
                 c->words.items[w][0] ? json_string(c->words.items[w]) : fact_of(N_("none")));
    return value;
}

/* "master=node3; node1 wanted": the check that fails is the one to be told of; alone: what is seen says all.
 * Takes seen over. */
static void take_missing(struct finding *out, const struct check *c, enum verdict verdict, json_t *seen,
                         bool alone)
{
    json_decref(out->missing);
    json_decref(out->instead);
    out->verdict = verdict;
    out->instead = json_incref(seen);
    out->sayers = c->id == CHECK_NODE_SAID_BY;
    if (alone) {
        out->missing = seen;
        return;
    }
    switch ((int)c->id) {
    case CHECK_QUEUE_MASTER_NOT: out->missing = fact_with(N_("%s, another one wanted"), seen, NULL); break;
    case CHECK_NODE_SAID_BY: out->missing = fact_with(N_("%s, %s have to"), seen, wanted(c)); break;
    case CHECK_QUEUE_MESSAGES_MIN:
    case CHECK_QUEUE_HAD:
    case CHECK_QUEUE_MIRRORS_MIN:
        out->missing = fact_with(N_("%s, at least %s wanted"), seen, wanted(c));
        break;
    case CHECK_QUEUE_SYNCED_MIN:
        out->missing = fact_with(N_("%s, %s in sync wanted"), seen, wanted(c));
        break;
    case CHECK_NODE_STATE:        /* there are only two */
    case CHECK_POLICY_DEFINITION: /* too long for a line */
    case CHECK_OUTPUT: out->missing = seen; break;
    default: {
        json_t *value = wanted(c);
        out->missing = value ? fact_with(N_("%s, %s wanted"), seen, value) : seen;
    }
    }
}

void proof_look(const struct proof *p, const struct evidence *e, struct finding *out)
{
    *out = (struct finding){.verdict = VERDICT_YES, .as_of = UINT64_MAX};
    for (size_t i = 0; i < p->checks.len; i++) {
        const struct check *c = &p->checks.items[i];
        json_t *seen;
        ms_time as_of;
        enum verdict verdict = look_check(p, c, e, &as_of, &seen);
        out->as_of = u64_min(out->as_of, as_of);
        bool about_past = c->id == CHECK_QUEUE_HAD || c->id == CHECK_QUEUE_EXISTS;
        /* what is false is more than what is unknown */
        const struct queue_seen *q = c->name ? snapshot_queue(e->snapshot, c->name) : NULL;
        if (verdict < out->verdict)
            take_missing(out, c, verdict, seen, q && queue_seen_masters(q) > 1);
        else if (verdict == VERDICT_YES)
            fact_add(&out->seen, N_("%s; %s"), seen);
        else
            json_decref(seen);
        out->held += verdict == VERDICT_YES && !about_past;
    }
}

void finding_finish(struct finding *f)
{
    json_decref(f->seen);
    json_decref(f->missing);
    json_decref(f->instead);
}

size_t proof_checks(const struct proof *p)
{
    return p->checks.len;
}

/* what the check asks for */
static json_t *asked(const struct check *c)
{
    json_t *value = wanted(c);
    if (!c->name)
        return fact_with(checks[c->id].asks, value, NULL);
    json_t *fact = fact_with(checks[c->id].asks, json_string(c->name), value);
    return checks[c->id].value == VALUE_BOOL && !c->number ? fact_with(N_("%s (no)"), fact, NULL) : fact;
}

json_t *proof_explain(const struct proof *p, size_t check, const struct evidence *e, bool *holds)
{
    const struct check *c = &p->checks.items[check];
    json_t *seen;
    ms_time as_of;
    *holds = look_check(p, c, e, &as_of, &seen) == VERDICT_YES;
    return fact_with(N_("%s: %s"), asked(c), seen);
}

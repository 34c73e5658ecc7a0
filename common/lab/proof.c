/* proof.c: holding a proof against what was seen; proof.h has the rule. */
#include "lab/proof_private.h"

#include <stdlib.h>

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

/* a fact about nodes: of_nodes(N_("%s say so"), s, bits) */
static json_t *of_nodes(const char *format, const struct snapshot *s, node_bits bits)
{
    char *names = snapshot_node_names(s, bits);
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

/* It asks whether this node has stopped, and no node that answers says that it runs. */
static bool asks_for_stopped(const struct proof *p, const struct check *c, const struct node_seen *n)
{
    const struct check *state = state_of(p, c->name);
    return c->id == CHECK_NODE_ANSWERS ? c->number == 0
                                       : n->state != NODE_UP && state && is_any(state, "not running");
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
    *seen = !up && n->gone ? fact_of(FACT_NOT_RUNNING_AND_GONE, n->name)
                           : of_nodes(count_bits(sayers) > 1 ? N_("%s say so") : N_("%s says so"), s, sayers);
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
    if (n->unrefused && !n->gone && asks_for_stopped(p, c, n)) {
        *as_of = s->taken_at;
        *seen = fact_of(N_("%s does not answer, nor refuse connections"), n->name);
        return VERDICT_UNKNOWN;
    }
    if (c->id == CHECK_NODE_ANSWERS) {
        *as_of = s->taken_at;
        bool told = state_of(p, c->name) != NULL; /* there */
        *seen = fact_of(n->answers         ? N_("%s answers")
                        : n->gone && !told ? FACT_SILENT_AND_GONE
                                           : N_("%s does not answer"),
                        n->name);
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
    *seen = fact_of(up        ? N_("%s running")
                    : n->gone ? FACT_NOT_RUNNING_AND_GONE
                              : N_("%s not running"),
                    n->name);
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
    if (c->id == CHECK_QUEUE_PERSISTENT && q->persistent < 0) {
        *seen = fact_of(N_("persistent=%s"), "?");
        return VERDICT_UNKNOWN;
    }
    if (c->id == CHECK_QUEUE_PERSISTENT) {
        *seen = fact_of(N_("persistent=%lld"), (long long)q->persistent);
        return yes_if(q->persistent == c->number);
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

/* of a queue that is served: its master knows its mirrors */
static enum verdict look_copies(const struct check *c, const struct snapshot *s, const struct queue_seen *q,
                                json_t **seen)
{
    bool served = q->master >= 0 && (q->state == QUEUE_SEEN_RUNNING || q->state == QUEUE_SEEN_SYNCING);
    node_bits copies = q->mirrors | (served ? (node_bits)1 << q->master : 0);
    bool there = false;
    for (size_t i = 0; i < s->nodes_len; i++)
        there = there || ((copies >> i & 1) && is_any(c, s->nodes[i].name));
    *seen = served ? of_nodes(N_("copies={%s}"), s, copies) : fact_of(N_("copies={%s}"), "?");
    return served ? yes_if(there == (c->id == CHECK_QUEUE_COPY)) : VERDICT_UNKNOWN;
}

static enum verdict look_mirrors(const struct check *c, const struct snapshot *s, const struct queue_seen *q,
                                 json_t **seen)
{
    unsigned count = count_bits(q->mirrors);
    if (c->id == CHECK_QUEUE_SYNCED_MIN) {
        *seen = sync_fact(s, q);
        return yes_if(count_bits(q->synced) >= c->number);
    }
    char *names = snapshot_node_names(s, q->mirrors);
    *seen = count ? fact_of(N_("+%u on %s"), count, names) : fact_of(N_("no mirror"));
    free(names);
    return yes_if(c->id == CHECK_QUEUE_MIRRORS ? count == c->number : count >= c->number);
}

/* The same proof wants that nobody can count this queue's messages. */
static bool wants_unknown(const struct proof *p, const char *queue)
{
    for (size_t i = 0; i < p->checks.len; i++)
        if (p->checks.items[i].id == CHECK_QUEUE_UNKNOWN && p->checks.items[i].number &&
            strcmp(p->checks.items[i].name, queue) == 0)
            return true;
    return false;
}

static enum verdict look_had(const struct proof *p, const struct check *c, const struct evidence *e,
                             const struct queue_seen *q, json_t **seen)
{
    const struct queue_count *count = map_get_str(e->counts, c->name);
    bool last = q->messages < 0 && q->was_messages >= 0 && wants_unknown(p, c->name);
    int64_t had = last ? q->was_messages : count ? count->most : 0;
    *seen = fact_of(N_("%s had %lld before"), c->name, (long long)had);
    return yes_if(had >= c->number);
}

static enum verdict look_untaken(const struct check *c, const struct evidence *e, json_t **seen)
{
    const struct queue_count *count = map_get_str(e->counts, c->name);
    bool fell = count && count->fell;
    *seen = fell ? fact_of(N_("a message was taken")) : fact_of(N_("none was taken"));
    return yes_if(fell == (c->number == 0));
}

/* "kept 5 of 5": of what was there before, counted; what came later is not of it */
static enum verdict look_kept(const struct check *c, const struct evidence *e, const struct queue_seen *q,
                              json_t **seen)
{
    const struct queue_count *count = map_get_str(e->counts, c->name);
    int64_t before = count ? count->before : -1, kept = q->messages < before ? q->messages : before;
    char had[24] = "?", has[24] = "?";
    if (before >= 0)
        snprintf(had, sizeof(had), "%lld", (long long)before);
    if (kept >= 0)
        snprintf(has, sizeof(has), "%lld", (long long)kept);
    *seen = fact_of(N_("kept %s of %s"), has, had);
    if (kept < 0)
        return VERDICT_UNKNOWN;
    return yes_if((kept == before) == (c->number != 0));
}

static enum verdict look_state(const struct check *c, const struct queue_seen *q, json_t **seen)
{
    const char *state = queue_seen_state_name(q->state);
    *seen = fact_with(N_("state=%s"), fact_word(queue_seen_state_shown(q->state)), NULL);
    return q->state == QUEUE_SEEN_UNKNOWN ? VERDICT_UNKNOWN : yes_if(is_any(c, state));
}

/* Two nodes say that they are its master: nothing that one of them says is so. */
static json_t *torn_fact(const struct snapshot *s, const struct queue_seen *q)
{
    return of_nodes(N_("a partition: %s each say they are its master"), s, queue_seen_masters_bits(q));
}

static enum verdict look_queue(const struct proof *p, const struct check *c, const struct evidence *e,
                               ms_time *as_of, json_t **seen)
{
    const struct snapshot *s = e->snapshot;
    const struct queue_seen *q = snapshot_queue(s, c->name);
    bool nobody_needed = q && q->messages < 0 && (c->id == CHECK_QUEUE_HAD || c->id == CHECK_QUEUE_UNKNOWN);
    *as_of = q && !nobody_needed ? q->seen_at : s->taken_at;
    if (s->source < 0 && !nobody_needed) {
        *seen = fact_of(N_("no node answers"));
        return VERDICT_UNKNOWN;
    }
    if (!q || c->id == CHECK_QUEUE_EXISTS) {
        *seen = fact_of(q ? N_("%s is there") : N_("no queue %s"), c->name);
        return c->id == CHECK_QUEUE_EXISTS ? yes_if((q != NULL) == (c->number != 0)) : VERDICT_NO;
    }
    bool of_all = c->id == CHECK_QUEUE_HAD || c->id == CHECK_QUEUE_UNTAKEN || c->id == CHECK_QUEUE_DURABLE ||
                  c->id == CHECK_QUEUE_POLICY;
    if (queue_seen_masters(q) > 1 && !of_all) {
        *seen = torn_fact(s, q);
        return VERDICT_NO;
    }
    switch ((int)c->id) {
    case CHECK_QUEUE_HAD: return look_had(p, c, e, q, seen);
    case CHECK_QUEUE_UNTAKEN: return look_untaken(c, e, seen);
    case CHECK_QUEUE_KEPT: return look_kept(c, e, q, seen);
    case CHECK_QUEUE_STATE: return look_state(c, q, seen);
    case CHECK_QUEUE_MASTER:
    case CHECK_QUEUE_MASTER_NOT: return look_master(c, s, q, seen);
    case CHECK_QUEUE_COPY:
    case CHECK_QUEUE_NO_COPY: return look_copies(c, s, q, seen);
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
    if (e->runs)
        *seen = e->waits_s ? fact_of(N_("running, waits up to %s s"), e->waits_s) : fact_of(N_("running"));
    else
        *seen = e->acted ? fact_of(N_("not printed: \"%s\""), c->words.items[0]) : fact_of(N_("not run yet"));
    return VERDICT_UNKNOWN;
}

/* queue: another name, or NULL, is none */
static bool is_torn(const struct snapshot *s, const char *queue)
{
    const struct queue_seen *q = queue ? snapshot_queue(s, queue) : NULL;
    return q && queue_seen_masters(q) > 1;
}

/* *seen: a new fact */
static enum verdict look_check(const struct proof *p, const struct check *c, const struct evidence *e,
                               ms_time *as_of, json_t **seen)
{
    enum verdict verdict = VERDICT_UNKNOWN;
    *as_of = 0;
    switch (proof_checks_known[c->id].subject) {
    case SUBJECT_NODE: verdict = look_node(p, c, e->snapshot, as_of, seen); break;
    case SUBJECT_QUEUE: verdict = look_queue(p, c, e, as_of, seen); break;
    case SUBJECT_POLICY: verdict = look_policy(c, e->snapshot, as_of, seen); break;
    case SUBJECT_OUTPUT: verdict = look_output(c, e, as_of, seen); break;
    }
    if (p->queues > 1 && proof_checks_known[c->id].subject == SUBJECT_QUEUE && c->id != CHECK_QUEUE_HAD)
        *seen =
            fact_with(is_torn(e->snapshot, c->name) ? N_("%s: %s") : "%s %s", json_string(c->name), *seen);
    return verdict;
}

/* the value that the check asks for, in words; NULL: what is seen instead says all */
static json_t *wanted(const struct check *c)
{
    json_t *value = NULL;
    if (proof_checks_known[c->id].value == VALUE_NUMBER)
        value = fact_of("%lld", (long long)c->number);
    for (size_t w = 0; w < c->words.len; w++)
        fact_add(&value, N_("%s or %s"),
                 c->words.items[w][0] ? json_string(c->words.items[w]) : fact_of(N_("none")));
    return value;
}

/* "node1 running: node2 says so, 3 have to"; takes seen over */
static json_t *too_few_say(const struct proof *p, const struct check *c, json_t *seen)
{
    const struct check *state = state_of(p, c->name);
    bool up = state && is_any(state, "running");
    return fact_with(N_("%s: %s"), fact_of(up ? N_("%s running") : N_("%s not running"), c->name),
                     fact_with(N_("%s, %s have to"), seen, wanted(c)));
}

/* "master=node3; node1 wanted": the check that fails is the one to be told of; alone: what is seen says all.
 * Takes seen over. */
static void take_missing(struct finding *out, const struct proof *p, const struct check *c,
                         enum verdict verdict, json_t *seen, bool alone)
{
    json_decref(out->missing);
    json_decref(out->instead);
    out->of_policy = NULL;
    out->verdict = verdict;
    out->instead = json_incref(seen);
    out->torn = alone;
    out->sayers = c->id == CHECK_NODE_SAID_BY && verdict == VERDICT_NO;
    bool by_policy = c->id == CHECK_QUEUE_POLICY || c->id == CHECK_QUEUE_MIRRORS ||
                     c->id == CHECK_QUEUE_MIRRORS_MIN || c->id == CHECK_QUEUE_SYNCED_MIN ||
                     c->id == CHECK_QUEUE_STATE || c->id == CHECK_QUEUE_UNKNOWN;
    if (by_policy && verdict == VERDICT_NO)
        out->of_policy = c->name;
    out->counted = verdict == VERDICT_NO && (c->id == CHECK_QUEUE_MESSAGES || c->id == CHECK_QUEUE_HAD ||
                                             c->id == CHECK_QUEUE_PERSISTENT || c->id == CHECK_QUEUE_KEPT);
    if (alone) {
        out->missing = seen;
        return;
    }
    switch ((int)c->id) {
    case CHECK_QUEUE_MASTER_NOT: out->missing = fact_with(N_("%s, another one wanted"), seen, NULL); break;
    case CHECK_NODE_SAID_BY:
        out->missing = verdict == VERDICT_UNKNOWN ? seen : too_few_say(p, c, seen);
        break;
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

/* The node that is the master where another one is asked for; NULL: the check is about something else, or
 * nobody is. */
static const char *wrong_master(const struct check *c, const struct snapshot *s)
{
    const struct queue_seen *q = c->id == CHECK_QUEUE_MASTER ? snapshot_queue(s, c->name) : NULL;
    return q && q->master >= 0 ? s->nodes[q->master].name : NULL;
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
        bool about_past =
            c->id == CHECK_QUEUE_HAD || c->id == CHECK_QUEUE_UNTAKEN || c->id == CHECK_QUEUE_EXISTS;
        /* what is false is more than what is unknown */
        if (verdict < out->verdict) {
            take_missing(out, p, c, verdict, seen, is_torn(e->snapshot, c->name));
            out->master = wrong_master(c, e->snapshot);
        } else if (verdict == VERDICT_YES && !c->untold)
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
        return fact_with(proof_checks_known[c->id].asks, value, NULL);
    json_t *fact = fact_with(proof_checks_known[c->id].asks, json_string(c->name), value);
    return proof_checks_known[c->id].value == VALUE_BOOL && !c->number ? fact_with(N_("%s (no)"), fact, NULL)
                                                                       : fact;
}

json_t *proof_explain(const struct proof *p, size_t check, const struct evidence *e, bool *holds)
{
    const struct check *c = &p->checks.items[check];
    json_t *seen;
    ms_time as_of;
    *holds = look_check(p, c, e, &as_of, &seen) == VERDICT_YES;
    return fact_with(N_("%s: %s"), asked(c), seen);
}

bool proof_wants_away(const struct proof *p, const char *node)
{
    for (size_t i = 0; i < p->checks.len; i++) {
        const struct check *c = &p->checks.items[i];
        bool away = (c->id == CHECK_NODE_ANSWERS && !c->number) ||
                    (c->id == CHECK_NODE_STATE && is_any(c, "not running"));
        if (away && strcmp(c->name, node) == 0)
            return true;
    }
    return false;
}

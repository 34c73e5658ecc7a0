/* check_keys.c: the replicated table of keys (exchanges, bindings, users of a broker) as nodes tell it with
 * FX_META, and of policies: the same on all nodes once it is calm; and an answered change of a durable key or
 * of a policy is never forgotten: the last one holds (I10). A policy counts as a key here, "policy:NAME".
 */
#include "sim/world.h"

#include <jansson.h>

#define POLICY "policy:"

void check_policy_asked(struct sim *s, const struct event *ev, uint64_t ask)
{
    char *name = format_text(POLICY "%s", ev->u.policy.name), *value = NULL;
    if (ev->type == EV_SET_POLICY)
        value = check_policy_value(ev->u.policy.pattern, ev->u.policy.priority, ev->u.policy.definition);
    check_key_asked(s, name, value, ask);
    free(name);
    free(value);
}

static char *copy(const char *value)
{
    return value ? xstrdup(value) : NULL;
}

/* What node n says the key is, the caller's to free; NULL: it has none. */
static char *value_at(const struct sim *s, node_id n, const struct checked_key *k)
{
    if (strncmp(k->name, POLICY, strlen(POLICY)) != 0)
        return copy(map_get_str(&s->check.nodes[n].keys, k->name));
    size_t at = 0;
    struct policy_info p;
    while (mirror_next_policy(s->nodes[n].m, &at, &p))
        if (strcmp(p.name, k->name + strlen(POLICY)) == 0)
            return check_policy_value(p.pattern, p.priority, p.definition);
    return NULL;
}

/* The same text, or the same JSON. */
static bool same_value(const char *a, const char *b)
{
    if (!a || !b || strcmp(a, b) == 0)
        return a && b ? true : a == b;
    json_t *ja = json_loads(a, 0, NULL), *jb = json_loads(b, 0, NULL);
    bool same = ja && jb && json_equal(ja, jb);
    json_decref(ja);
    json_decref(jb);
    return same;
}

static struct checked_key *find_key(struct sim *s, const char *name)
{
    for (size_t i = 0; i < s->check.keys.len; i++)
        if (strcmp(s->check.keys.items[i].name, name) == 0)
            return &s->check.keys.items[i];
    VEC_PUSH(&s->check.keys, (struct checked_key){.name = xstrdup(name)});
    return &s->check.keys.items[s->check.keys.len - 1];
}

void check_key_asked(struct sim *s, const char *name, const char *value, uint64_t ask)
{
    struct checked_key *k = find_key(s, name);
    k->unclear = k->unclear || k->ask != 0; /* two at a time: either may be the last */
    k->ask = ask;
    free(k->asked);
    k->asked = value ? xstrdup(value) : NULL;
}

void check_key_answered(struct sim *s, uint64_t ask, enum answer_status how)
{
    bool ok = how == ANSWER_OK || how == ANSWER_NOT_FOUND;
    for (size_t i = 0; i < s->check.keys.len; i++) {
        struct checked_key *k = &s->check.keys.items[i];
        if (k->ask != ask)
            continue;
        k->ask = 0;
        k->unclear = k->unclear || how == ANSWER_NOT_SERVING; /* it may be on its way */
        if (!ok)
            continue; /* nothing changed */
        free(k->value);
        k->value = k->asked;
        k->asked = NULL;
    }
}

void check_keys_forced(struct sim *s)
{
    for (size_t i = 0; i < s->check.keys.len; i++)
        s->check.keys.items[i].unclear = true;
}

void check_key_told(struct sim *s, node_id n, const struct effect *fx)
{
    struct map *table = &s->check.nodes[n].keys;
    char *old = NULL;
    if (fx->type == FX_META_ALL) {
        check_keys_forget(s, n);
    } else if (fx->u.meta.value) {
        old = map_set(table, bytes_of(fx->u.meta.key, fx->u.meta.key_len),
                      xstrndup((const char *)fx->u.meta.value, fx->u.meta.value_len));
    } else {
        old = map_remove(table, bytes_of(fx->u.meta.key, fx->u.meta.key_len));
    }
    free(old);
}

void check_keys_forget(struct sim *s, node_id n)
{
    size_t at = 0;
    char *value;
    while ((value = map_next(&s->check.nodes[n].keys, &at)))
        free(value);
    map_finish(&s->check.nodes[n].keys);
}

void check_keys_calm(struct sim *s, node_set members)
{
    for (size_t i = 0; i < s->check.keys.len; i++) {
        struct checked_key *k = &s->check.keys.items[i];
        /* two sides may each have answered a change; whoever was forced is one */
        bool two_sides =
            s->cuts > 0 && (s->options.partition_handling != PARTITION_PAUSE_MINORITY || s->forced);
        bool settled = k->ask == 0 && !k->unclear && !two_sides;
        char *first = NULL;
        bool any = false;
        for (node_id n = 0; n < s->options.nodes; n++) {
            if (!node_in(members, n))
                continue;
            char *here = value_at(s, n, k);
            if (any && !same_value(here, first))
                sim_fail(s, "metadata", "key %s is '%s' on %s and '%s' elsewhere", k->name,
                         here ? here : "(none)", s->names[n], first ? first : "(none)");
            if (settled && !same_value(here, k->value))
                sim_fail(s, strncmp(k->name, POLICY, strlen(POLICY)) == 0 ? "I10" : "metadata",
                         "key %s is '%s' on %s; the last answered change made it '%s'", k->name,
                         here ? here : "(none)", s->names[n], k->value ? k->value : "(none)");
            free(first);
            first = here;
            any = true;
        }
        k->ask = 0;
        k->unclear = false; /* whatever it is now is what it is */
        free(k->value);
        k->value = first;
    }
}

void check_keys_finish(struct sim *s)
{
    for (node_id n = 0; n < SIM_NODES; n++)
        check_keys_forget(s, n);
    for (size_t i = 0; i < s->check.keys.len; i++) {
        free(s->check.keys.items[i].name);
        free(s->check.keys.items[i].value);
        free(s->check.keys.items[i].asked);
    }
    VEC_FREE(&s->check.keys);
}

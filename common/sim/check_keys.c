/* check_keys.c: the replicated table of keys (exchanges, bindings, users of a broker) as nodes tell it with
 * FX_META: the same on all nodes once it is calm; and an answered change of a durable key is never forgotten.
 */
#include "sim/world.h"

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

void check_key_answered(struct sim *s, uint64_t ask, bool ok)
{
    for (size_t i = 0; i < s->check.keys.len; i++) {
        struct checked_key *k = &s->check.keys.items[i];
        if (k->ask != ask)
            continue;
        k->ask = 0;
        if (!ok)
            continue; /* nothing changed */
        free(k->value);
        k->value = k->asked;
        k->asked = NULL;
    }
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
        /* two sides may each have answered a change */
        bool two_sides = s->cuts > 0 && s->options.partition_handling != PARTITION_PAUSE_MINORITY;
        bool settled = k->ask == 0 && !k->unclear && !two_sides;
        const char *first = NULL;
        bool any = false;
        for (node_id n = 0; n < s->options.nodes; n++) {
            if (!node_in(members, n))
                continue;
            const char *here = map_get_str(&s->check.nodes[n].keys, k->name);
            if (any && (here ? !first || strcmp(here, first) != 0 : first != NULL))
                sim_fail(s, "metadata", "key %s is '%s' on %s and '%s' elsewhere", k->name,
                         here ? here : "(none)", s->names[n], first ? first : "(none)");
            if (settled && (here ? !k->value || strcmp(here, k->value) != 0 : k->value != NULL))
                sim_fail(s, "metadata", "key %s is '%s' on %s; the last answered change made it '%s'",
                         k->name, here ? here : "(none)", s->names[n], k->value ? k->value : "(none)");
            first = here;
            any = true;
        }
        k->ask = 0;
        k->unclear = false; /* whatever it is now is what it is */
        free(k->value);
        k->value = first ? xstrdup(first) : NULL;
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

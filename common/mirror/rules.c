/* rules.c: the built-in rules of promotion. The first is the kit's; the others are what people think of
 * first, and what each of them loses is found by the search (docs/schedules.md). */
#include "mirror/rules.h"

#include <string.h>

#include "base/ban.h"

static bool oldest_first(const struct candidate *now, const struct candidate *best)
{
    (void)now;
    (void)best;
    return false;
}

static bool newest_first(const struct candidate *now, const struct candidate *best)
{
    (void)now;
    (void)best;
    return true;
}

static bool more_messages(const struct candidate *now, const struct candidate *best)
{
    return now->messages > best->messages;
}

/* Best of the candidates, or of the synchronised ones, by this order; RULE_NOBODY if there is none. */
static size_t best_of(const struct promotion *p, bool only_synchronised,
                      bool (*better)(const struct candidate *now, const struct candidate *best))
{
    size_t best = RULE_NOBODY;
    for (size_t i = 0; i < p->len; i++)
        if ((p->candidates[i].synchronised || !only_synchronised) &&
            (best == RULE_NOBODY || better(&p->candidates[i], &p->candidates[best])))
            best = i;
    return best;
}

/* Does the policy let a mirror take over that is not synchronised? (rabbit_amqqueue's ha-promote keys) */
static bool policy_allows(const struct promotion *p)
{
    return p->in_order ? p->shutdown_always && !p->failure_when_synced : !p->failure_when_synced;
}

static size_t kit(void *arg, const struct promotion *p)
{
    (void)arg;
    size_t best = best_of(p, true, oldest_first);
    return best != RULE_NOBODY || !policy_allows(p) ? best : best_of(p, false, oldest_first);
}

static size_t oldest(void *arg, const struct promotion *p)
{
    (void)arg;
    return best_of(p, false, oldest_first);
}

static size_t newest(void *arg, const struct promotion *p)
{
    (void)arg;
    size_t best = best_of(p, true, newest_first);
    return best != RULE_NOBODY || !policy_allows(p) ? best : best_of(p, false, newest_first);
}

static size_t newest_of_all(void *arg, const struct promotion *p)
{
    (void)arg;
    return best_of(p, false, newest_first);
}

static size_t most_messages(void *arg, const struct promotion *p)
{
    (void)arg;
    return best_of(p, false, more_messages);
}

static size_t synchronised_only(void *arg, const struct promotion *p)
{
    (void)arg;
    return best_of(p, true, oldest_first);
}

static const struct {
    struct mirror_rules rules;
    const char *about;
} builtin[] = {
    {{.name = "kit", .pick_master = kit},
     "the oldest synchronised mirror; if there is none the oldest, where the policy allows it"},
    {{.name = "oldest", .pick_master = oldest}, "the oldest mirror, synchronised or not"},
    {{.name = "newest", .pick_master = newest},
     "the newest synchronised mirror; if there is none the newest, where the policy allows it"},
    {{.name = "newest-of-all", .pick_master = newest_of_all}, "the newest mirror, synchronised or not"},
    {{.name = "most-messages", .pick_master = most_messages},
     "the mirror with the most messages; of equals the oldest"},
    {{.name = "synchronised-only", .pick_master = synchronised_only},
     "the oldest synchronised mirror, or nobody: the queue waits"},
};

const struct mirror_rules *rules_at(size_t index)
{
    return index < ARRAY_LEN(builtin) ? &builtin[index].rules : NULL;
}

const struct mirror_rules *rules_named(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(builtin); i++)
        if (strcmp(builtin[i].rules.name, name) == 0)
            return &builtin[i].rules;
    return NULL;
}

const char *rules_about(const struct mirror_rules *r)
{
    for (size_t i = 0; i < ARRAY_LEN(builtin); i++)
        if (&builtin[i].rules == r)
            return builtin[i].about;
    return "";
}

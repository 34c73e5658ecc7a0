/* plan_queues.c: a seed's queues: their names, their kind, and, in some seeds, what arguments and policies
 * say of their length, their messages' time and order, and their end. */
#include "sim/plan_private.h"

#include <stdio.h>

void choose_queues(struct chooser *c)
{
    const struct plan *p = c->p;
    c->queues_len = between(&c->r, 1, 3);
    for (size_t i = 0; i < c->queues_len; i++) {
        bool mirrored = p->options.one_fault_at_a_time || !c->unmirrored || rng_chance(&c->r, 60);
        snprintf(c->queues[i].name, sizeof(c->queues[i].name), "%s%zu", mirrored ? "q" : "u", i + 1);
        c->queues[i].declare = rng_chance(&c->r, 80) ? SIM_DURABLE : 0;
        if (!p->options.one_fault_at_a_time && rng_chance(&c->r, 6))
            c->queues[i].declare = SIM_AUTO_DELETE;
    }
}

static const char *some_overflow(struct rng *r)
{
    static const char *const words[] = {"drop-head", "reject-publish", "reject-publish-dlx"};
    return words[rng_below(r, ARRAY_LEN(words))];
}

static void number(struct text *json, const char *key, int64_t value)
{
    text_printf(json, "%s\"%s\":%lld", json->len > 1 ? "," : "", key, (long long)value);
}

static void word(struct text *json, const char *key, const char *value)
{
    text_printf(json, "%s\"%s\":\"%s\"", json->len > 1 ? "," : "", key, value);
}

static void choose_length(struct rng *r, struct text *json)
{
    if (rng_chance(r, 35))
        number(json, "x-max-length", (int64_t)between(r, 0, rng_chance(r, 50) ? 4 : 15));
    if (rng_chance(r, 20)) /* bodies have 8 to 14 bytes */
        number(json, "x-max-length-bytes", (int64_t)between(r, 5, rng_chance(r, 50) ? 40 : 150));
    if (rng_chance(r, 50))
        word(json, "x-overflow", some_overflow(r));
}

static void choose_time(struct rng *r, struct text *json)
{
    if (rng_chance(r, 25))
        number(json, "x-message-ttl", (int64_t)between(r, 0, rng_chance(r, 50) ? 60 : 3000));
    if (rng_chance(r, 20))
        number(json, "x-expires", (int64_t)between(r, 20, rng_chance(r, 50) ? 300 : 3000));
}

/* In some seeds: what the queues are declared with. */
void choose_arguments(struct chooser *c)
{
    struct rng *r = &c->args_rng;
    if (!rng_chance(r, 30))
        return;
    for (size_t i = 0; i < c->queues_len; i++) {
        struct text *json = &c->queues[i].args;
        text_add(json, "{");
        if (rng_chance(r, 50))
            choose_length(r, json);
        if (rng_chance(r, 50))
            choose_time(r, json);
        if (rng_chance(r, 40)) {
            word(json, "x-dead-letter-exchange", "dlx");
            if (rng_chance(r, 50))
                word(json, "x-dead-letter-routing-key", "dead");
        }
        if (rng_chance(r, 35))
            number(json, "x-max-priority", (int64_t)between(r, 1, 10));
        if (rng_chance(r, 35))
            text_printf(json, "%s\"x-single-active-consumer\":true", json->len > 1 ? "," : "");
        text_add(json, "}");
        if (json->len == 2)
            text_clear(json);
    }
}

/* what the policy says of the content, in seeds that have such limits */
void add_limits(struct chooser *c, struct text *d)
{
    struct rng *r = &c->limits_rng;
    if (!c->limits)
        return;
    if (rng_chance(r, 50))
        text_printf(d, ",\"max-length\":%u", (unsigned)between(r, 1, rng_chance(r, 50) ? 3 : 20));
    if (rng_chance(r, 40))
        text_printf(d, ",\"overflow\":\"%s\"", some_overflow(r));
    if (rng_chance(r, 40))
        text_printf(d, ",\"message-ttl\":%u", (unsigned)between(r, 1, rng_chance(r, 50) ? 50 : 2000));
    if (rng_chance(r, 20))
        text_printf(d, ",\"max-length-bytes\":%u", (unsigned)between(r, 10, 150));
    if (rng_chance(r, 15))
        text_printf(d, ",\"expires\":%u", (unsigned)between(r, 100, 3000));
    if (rng_chance(r, 30))
        text_add(d, ",\"dead-letter-exchange\":\"dlx\"");
}

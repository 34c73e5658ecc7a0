/* plan_policy.c: a seed's policies. Each has one for its queues, "ha"; some have a second, whose pattern
 * overlaps with the first one's: of a lower, a higher or the same priority, set and cleared while the other
 * still applies. */
#include "sim/plan_private.h"

/* where and how, without the closing brace */
static void add_mirroring(struct chooser *c, struct rng *r, struct text *d)
{
    unsigned nodes = c->p->options.nodes;
    switch (rng_below(r, 4)) {
    case 0: text_add(d, "{\"ha-mode\":\"all\""); break;
    case 1:
    case 2:
        text_printf(d, "{\"ha-mode\":\"exactly\",\"ha-params\":%u",
                    rng_chance(r, 70) ? 2 : (unsigned)between(r, 1, nodes));
        break;
    default: {
        node_set set = (node_set)between(r, 1, (1u << nodes) - 1);
        bool first = true;
        text_add(d, "{\"ha-mode\":\"nodes\",\"ha-params\":[");
        for (unsigned n = 0; n < nodes; n++)
            if (node_in(set, (node_id)n) || (c->p->options.one_fault_at_a_time && n < 2)) {
                text_printf(d, "%s\"node%u\"", first ? "" : ",", n + 1);
                first = false;
            }
        text_add(d, "]");
    }
    }
    if (c->p->options.one_fault_at_a_time && strstr(d->s, "exactly")) {
        text_clear(d);
        text_printf(d, "{\"ha-mode\":\"exactly\",\"ha-params\":%u", (unsigned)between(r, 2, nodes));
    }
    if (c->p->options.one_fault_at_a_time || rng_chance(r, 60))
        text_add(d, ",\"ha-sync-mode\":\"automatic\"");
    else if (rng_chance(r, 30))
        text_add(d, ",\"ha-sync-mode\":\"manual\"");
    if (rng_chance(r, 30))
        text_printf(d, ",\"ha-sync-batch-size\":%u", (unsigned)between(r, 1, 5));
    if (rng_chance(r, 40))
        text_printf(d, ",\"ha-promote-on-shutdown\":\"%s\"", rng_chance(r, 60) ? "always" : "when-synced");
    if (rng_chance(r, 40))
        text_printf(d, ",\"ha-promote-on-failure\":\"%s\"", rng_chance(r, 60) ? "when-synced" : "always");
}

void choose_policy(struct chooser *c, uint64_t wait_ms)
{
    struct text d = {0};
    add_mirroring(c, &c->r, &d);
    add_limits(c, &d);
    plan_line(c, wait_ms, "policy ha ^q %s}", d.s);
    text_finish(&d);
}

void choose_second_policy(struct chooser *c)
{
    rng_init(&c->second_rng, c->p->seed ^ 0x7365636f6e64); /* its own: other choices stay what they were */
    c->second_policy = !c->p->options.one_fault_at_a_time && rng_chance(&c->second_rng, SECOND_PERCENT);
}

void maybe_second_policy(struct chooser *c)
{
    static const char *const names[] = {"above", "other"}; /* before and behind ha, by name */
    static const char *const patterns[] = {"^q", "q1", "[12]$", ".", "^u"};
    struct rng *r = &c->second_rng;
    if (!c->second_policy || !rng_chance(r, 60))
        return;
    const char *name = names[rng_below(r, 2)];
    uint64_t wait_ms = between(r, 0, rng_chance(r, 50) ? 30 : 500);
    struct text d = {0};
    add_mirroring(c, r, &d);
    switch (rng_below(r, 5)) {
    case 0: plan_line(c, wait_ms, "clear %s", name); break;
    case 1: plan_line(c, wait_ms, "policy ha ^q %u %s}", (unsigned)rng_below(r, 3), d.s); break;
    case 2: plan_line(c, wait_ms, "policy %s %s {\"max-length\":50}", name, patterns[rng_below(r, 5)]); break;
    default:
        plan_line(c, wait_ms, "policy %s %s %u %s}", name, patterns[rng_below(r, ARRAY_LEN(patterns))],
                  (unsigned)rng_below(r, 3), d.s);
    }
    text_finish(&d);
}

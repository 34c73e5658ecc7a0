/* plan_restless.c: some seeds have consumers that come and go all the time while what they depend on changes,
 * too. Both are rare elsewhere, and what breaks breaks in the few milliseconds in which they meet. */
#include "sim/plan_private.h"

enum restless {
    RESTLESS_MOVES,   /* policies name one node after the other: masters move */
    RESTLESS_CRASHES, /* all nodes, or all but one, are killed at once, and once more soon after */
    RESTLESS_LEAVES,  /* masters stop in order while much is on its way */
    RESTLESS_COUNT_
};

void choose_restless(struct chooser *c)
{
    struct rng *r = &c->restless_rng;
    rng_init(r, c->p->seed ^ 0x72657374); /* its own: other choices stay what they were */
    c->restless = !c->p->options.one_fault_at_a_time && rng_chance(r, RESTLESS_PERCENT);
    c->restless_kind = (unsigned)rng_below(r, RESTLESS_COUNT_);
}

void add_restless_clients(struct chooser *c)
{
    struct rng *r = &c->restless_rng;
    if (!c->restless)
        return;
    char *queue = c->queues[rng_below(r, c->queues_len)].name;
    for (uint64_t count = between(r, 2, 4); count > 0 && c->clients_len < SCHED_CLIENTS; count--)
        add_client(c, (struct sched_client){.kind = SCHED_CONSUMER,
                                            .queue = queue,
                                            .every_us = (uint32_t)between(r, 500, 6000),
                                            .prefetch = (uint32_t)between(r, 1, 5),
                                            .settle_us = (uint32_t)between(r, 500, 20000),
                                            .leave_percent = (uint32_t)between(r, 20, 60)});
    if (c->clients_len < SCHED_CLIENTS)
        add_client(c, (struct sched_client){.kind = SCHED_PUBLISHER,
                                            .queue = queue,
                                            .every_us = (uint32_t)between(r, 2000, 15000),
                                            .messages = (uint32_t)between(r, 60, 200),
                                            .persistent_percent = rng_chance(r, 50) ? 100 : 50});
}

static void moves(struct chooser *c)
{
    struct rng *r = &c->restless_rng;
    unsigned nodes = c->p->options.nodes, n = (unsigned)rng_below(r, nodes);
    for (uint64_t count = between(r, 2, 6); count > 0; count--) {
        if (rng_chance(r, 40)) { /* who hears of the move before the earlier master's answer comes? */
            unsigned a = (unsigned)rng_below(r, nodes),
                     b = (a + 1 + (unsigned)rng_below(r, nodes - 1)) % nodes;
            plan_line(c, between(r, 0, 60), "slow node%u node%u %u %u", a + 1, b + 1,
                      (unsigned)between(r, 5, 60), (unsigned)between(r, 50, 400));
        }
        n = (n + 1 + (unsigned)rng_below(r, nodes - 1)) % nodes;
        plan_line(
            c, between(r, 5, 120),
            "policy ha . {\"ha-mode\":\"nodes\",\"ha-params\":[\"node%u\"],\"ha-sync-mode\":\"automatic\"}",
            n + 1);
    }
}

/* of all nodes but `without`; NODE_NONE: of all */
static void name_all(struct chooser *c, uint64_t wait_ms, const char *verb, node_id without)
{
    struct text line = {0};
    for (node_id n = 0; n < c->p->options.nodes; n++)
        if (n != without)
            text_printf(&line, " node%u", n + 1u);
    plan_line(c, wait_ms, "%s%s", verb, text_str(&line));
    text_finish(&line);
}

static void crashes(struct chooser *c)
{
    struct rng *r = &c->restless_rng;
    for (uint64_t count = between(r, 1, 4); count > 0; count--) {
        bool one_stays = rng_chance(r, 50); /* and its clients, with what was not confirmed to them */
        node_id stays = one_stays ? (node_id)rng_below(r, c->p->options.nodes) : NODE_NONE;
        name_all(c, between(r, 100, 800), "kill", stays);
        name_all(c, between(r, 0, 20), "start", stays);
    }
    for (unsigned n = 0; n < c->p->options.nodes; n++)
        c->up[n] = true;
}

static void leaves(struct chooser *c)
{
    struct rng *r = &c->restless_rng;
    for (uint64_t count = between(r, 1, 4); count > 0; count--) {
        unsigned n = (unsigned)rng_below(r, c->p->options.nodes);
        plan_line(c, between(r, 5, 150), "stop node%u", n + 1);
        plan_line(c, between(r, 5, 300), "start node%u", n + 1);
        c->up[n] = true;
    }
}

void maybe_restless(struct chooser *c)
{
    if (!c->restless || c->p->options.nodes == 1 || !rng_chance(&c->restless_rng, 40))
        return;
    switch ((enum restless)c->restless_kind) {
    case RESTLESS_MOVES: moves(c); break;
    case RESTLESS_CRASHES: crashes(c); break;
    case RESTLESS_LEAVES: leaves(c); break;
    case RESTLESS_COUNT_: break;
    }
}

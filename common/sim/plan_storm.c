/* plan_storm.c: things that happen within a few milliseconds of each other. Faults that a seed draws one by
 * one seldom meet what they would hurt most: a mirror that has just begun, a view that is about to be served,
 * a copy that is on its way. Some seeds have one kind of such moments, once or a few times. */
#include "sim/plan_private.h"

enum storm {
    STORM_EXPOSED,  /* new mirrors, and the node that has everything goes before they do */
    STORM_RELAY,    /* two nodes come and go, the others are away */
    STORM_BLINK,    /* several nodes at once, and back at once */
    STORM_UNEVEN,   /* a link lags, and a node goes */
    STORM_BOUNCE,   /* links break and are mended before or just after anybody noticed */
    STORM_TOGGLE,   /* one policy after the other, while copies run */
    STORM_FAREWELL, /* a node stops in order, and the others do not live long after it */
    STORM_LAPSE,    /* all but one begin again, nobody synchronises them, and that one goes */
};

/* links break only where the seed has such faults */
static const enum storm storms[] = {STORM_EXPOSED, STORM_RELAY,  STORM_BLINK,    STORM_UNEVEN,
                                    STORM_TOGGLE,  STORM_TOGGLE, STORM_FAREWELL, STORM_LAPSE};

static unsigned any_node(struct chooser *c)
{
    return (unsigned)rng_below(&c->storm_rng, c->p->options.nodes);
}

/* soon, mostly within what a message or a disk takes */
static uint64_t soon(struct chooser *c)
{
    struct rng *r = &c->storm_rng;
    return between(r, 0, rng_chance(r, 60) ? 15 : rng_chance(r, 70) ? 60 : 400);
}

static void go(struct chooser *c, unsigned n, unsigned stop_percent)
{
    if (c->up[n])
        plan_line(c, soon(c), "%s node%u", rng_chance(&c->storm_rng, stop_percent) ? "stop" : "kill", n + 1);
    c->up[n] = false;
}

static void come(struct chooser *c, unsigned n)
{
    if (!c->up[n])
        plan_line(c, soon(c), "start node%u", n + 1);
    c->up[n] = true;
}

static void all_come(struct chooser *c, unsigned percent)
{
    for (unsigned n = 0; n < c->p->options.nodes; n++)
        if (rng_chance(&c->storm_rng, percent))
            come(c, n);
}

/* These nodes, or all; not synchronised by itself unless asked. */
static void storm_policy(struct chooser *c, uint64_t wait_ms, node_set nodes, bool automatic)
{
    struct rng *r = &c->storm_rng;
    struct text d = {0};
    bool first = true;
    text_add(&d, nodes ? "{\"ha-mode\":\"nodes\",\"ha-params\":[" : "{\"ha-mode\":\"all\"");
    for (unsigned n = 0; n < c->p->options.nodes; n++)
        if (node_in(nodes, (node_id)n)) {
            text_printf(&d, "%s\"node%u\"", first ? "" : ",", n + 1);
            first = false;
        }
    text_add(&d, nodes ? "]" : "");
    if (automatic)
        text_add(&d, ",\"ha-sync-mode\":\"automatic\"");
    text_printf(&d, ",\"ha-sync-batch-size\":%u", (unsigned)between(r, 1, 3));
    if (rng_chance(r, 50))
        text_printf(&d, ",\"ha-promote-on-shutdown\":\"%s\"", rng_chance(r, 60) ? "always" : "when-synced");
    if (rng_chance(r, 50))
        text_printf(&d, ",\"ha-promote-on-failure\":\"%s\"", rng_chance(r, 60) ? "when-synced" : "always");
    plan_line(c, wait_ms, "policy ha ^q %s}", d.s);
    text_finish(&d);
}

static void exposed(struct chooser *c)
{
    unsigned n = any_node(c);
    struct rng *r = &c->storm_rng;
    if (rng_chance(r, 30))
        plan_line(c, soon(c), "clear ha");
    else
        storm_policy(c, soon(c), node_bit((node_id)n), true);
    storm_policy(c, between(r, 30, 200), 0, false);
    go(c, rng_chance(r, 60) ? n : any_node(c), 40);
    if (rng_chance(r, 50))
        come(c, n);
    if (rng_chance(r, 50))
        go(c, any_node(c), 40);
    all_come(c, 70);
}

static void relay(struct chooser *c)
{
    unsigned a = any_node(c), b = (a + 1) % c->p->options.nodes,
             turns = (unsigned)between(&c->storm_rng, 3, 8);
    for (unsigned n = 0; n < c->p->options.nodes; n++)
        if (n != a && n != b)
            go(c, n, 30);
    for (unsigned i = 0; i < turns; i++) {
        unsigned n = rng_chance(&c->storm_rng, 50) ? a : b;
        if (c->up[n])
            go(c, n, 25);
        else
            come(c, n);
    }
    all_come(c, 80);
}

static void blink(struct chooser *c)
{
    node_set all = ((node_set)1 << c->p->options.nodes) - 1, set = (node_set)between(&c->storm_rng, 1, all);
    for (unsigned n = 0; n < c->p->options.nodes; n++)
        if (node_in(set, (node_id)n)) {
            go(c, n, 10);
            if (rng_chance(&c->storm_rng, 50))
                come(c, n);
        }
    all_come(c, 90);
}

static void uneven(struct chooser *c)
{
    struct rng *r = &c->storm_rng;
    unsigned lags = (unsigned)between(r, 1, 3);
    for (unsigned i = 0; i < lags; i++) {
        unsigned a = any_node(c),
                 b = (a + 1 + (unsigned)rng_below(r, c->p->options.nodes - 1)) % c->p->options.nodes;
        if (rng_chance(r, 50))
            plan_line(c, soon(c), "clog node%u node%u %u", a + 1, b + 1, (unsigned)between(r, 5, 400));
        else
            plan_line(c, soon(c), "slow node%u node%u %u %u", a + 1, b + 1, (unsigned)between(r, 5, 50),
                      (unsigned)between(r, 10, 300));
    }
    if (rng_chance(r, 40))
        storm_policy(c, soon(c), (node_set)between(r, 0, ((node_set)1 << c->p->options.nodes) - 1),
                     rng_chance(r, 50));
    go(c, any_node(c), 40);
    if (rng_chance(r, 40))
        go(c, any_node(c), 40);
    all_come(c, 70);
}

static void bounce(struct chooser *c)
{
    struct rng *r = &c->storm_rng;
    unsigned times = (unsigned)between(r, 1, 4);
    static const char *const verbs[] = {"cut", "cut-now", "cut-one-way", "cut-one-way"};
    for (unsigned i = 0; i < times; i++) {
        unsigned a = any_node(c),
                 b = (a + 1 + (unsigned)rng_below(r, c->p->options.nodes - 1)) % c->p->options.nodes;
        plan_line(c, soon(c), "%s node%u node%u", verbs[rng_below(r, ARRAY_LEN(verbs))], a + 1, b + 1);
        plan_line(c, rng_chance(r, 50) ? soon(c) : c->p->options.silence_ms + soon(c), "heal");
    }
    if (rng_chance(r, 30))
        go(c, any_node(c), 30);
    all_come(c, 70);
}

static void toggle(struct chooser *c)
{
    struct rng *r = &c->storm_rng;
    unsigned times = (unsigned)between(r, 2, 6);
    for (unsigned i = 0; i < times; i++)
        switch (rng_below(r, 6)) {
        case 0: plan_line(c, soon(c), "clear ha"); break;
        case 1: plan_line(c, soon(c), "sync %s", c->queues[rng_below(r, c->queues_len)].name); break;
        case 2: plan_line(c, soon(c), "cancel-sync %s", c->queues[rng_below(r, c->queues_len)].name); break;
        default:
            storm_policy(c, soon(c), (node_set)between(r, 0, ((node_set)1 << c->p->options.nodes) - 1),
                         rng_chance(r, 50));
        }
    if (rng_chance(r, 60))
        go(c, any_node(c), 40);
    all_come(c, 70);
}

static void farewell(struct chooser *c)
{
    unsigned first = any_node(c);
    go(c, first, 100);
    for (unsigned n = 0; n < c->p->options.nodes; n++)
        if (n != first)
            go(c, n, 20);
    for (unsigned n = 0; n < c->p->options.nodes; n++)
        if (n != first)
            come(c, n);
    all_come(c, 70);
}

static void lapse(struct chooser *c)
{
    struct rng *r = &c->storm_rng;
    unsigned last = any_node(c);
    come(c, last);
    storm_policy(c, soon(c), 0, false);
    for (unsigned n = 0; n < c->p->options.nodes; n++) {
        if (n == last)
            continue;
        go(c, n, 20);
        come(c, n);
        plan_line(c, between(r, 30, 150), "start node%u", n + 1); /* it has begun by now */
    }
    go(c, last, 50);
    plan_line(c, between(r, 50, 300), "start node%u", last + 1);
    c->up[last] = true;
}

void choose_storms(struct chooser *c)
{
    struct rng *r = &c->storm_rng;
    c->storms = !c->p->options.one_fault_at_a_time && c->p->options.nodes > 1 && rng_chance(r, 45);
    c->storm = c->cuts && rng_chance(r, 40) ? STORM_BOUNCE : storms[rng_below(r, ARRAY_LEN(storms))];
}

void maybe_storm(struct chooser *c)
{
    if (!c->storms || !rng_chance(&c->storm_rng, 40))
        return;
    switch ((enum storm)c->storm) {
    case STORM_EXPOSED: exposed(c); break;
    case STORM_RELAY: relay(c); break;
    case STORM_BLINK: blink(c); break;
    case STORM_UNEVEN: uneven(c); break;
    case STORM_BOUNCE: bounce(c); break;
    case STORM_TOGGLE: toggle(c); break;
    case STORM_FAREWELL: farewell(c); break;
    case STORM_LAPSE: lapse(c); break;
    }
}

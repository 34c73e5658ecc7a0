/* faults.c: what can be done to a world from outside: links that are cut, disks that fail, clocks that jump,
 * and what operators do with nodes that are off. How often each really happened is counted here, too. */
#include "sim/world.h"

/* ---- cuts ---- */

static bool is_pair(const struct sim *s, node_id a, node_id b)
{
    return a != b && a < s->options.nodes && b < s->options.nodes;
}

void sim_cut(struct sim *s, node_id a, node_id b)
{
    if (!is_pair(s, a, b))
        return;
    sim_tell(s, "%10.3f        the link %s - %s is cut", (double)s->now_us / 1000.0, s->names[a],
             s->names[b]);
    s->counts[SIM_CUTS]++;
    link_cut(s, a, b, true);
    link_cut(s, b, a, true);
}

void sim_cut_now(struct sim *s, node_id a, node_id b)
{
    sim_cut(s, a, b);
    if (!is_pair(s, a, b))
        return;
    link_close(s, a, b);
    link_close(s, b, a);
}

void sim_cut_one_way(struct sim *s, node_id from, node_id to)
{
    if (!is_pair(s, from, to))
        return;
    sim_tell(s, "%10.3f        the link %s -> %s is cut one way", (double)s->now_us / 1000.0, s->names[from],
             s->names[to]);
    s->counts[SIM_ONE_WAY_CUTS]++;
    link_cut(s, from, to, true);
}

void sim_cut_off(struct sim *s, node_set side, bool at_once)
{
    for (node_id a = 0; a < s->options.nodes; a++)
        for (node_id b = 0; b < s->options.nodes; b++)
            if (node_in(side, a) && !node_in(side, b)) {
                if (at_once)
                    sim_cut_now(s, a, b);
                else
                    sim_cut(s, a, b);
            }
}

void sim_heal(struct sim *s, node_id a, node_id b)
{
    if (!is_pair(s, a, b) || (!s->links[a][b].cut && !s->links[b][a].cut))
        return;
    sim_tell(s, "%10.3f        the link %s - %s is healed", (double)s->now_us / 1000.0, s->names[a],
             s->names[b]);
    link_heal(s, a, b);
    link_heal(s, b, a);
}

void sim_heal_all(struct sim *s)
{
    for (node_id a = 0; a < s->options.nodes; a++)
        for (node_id b = 0; b < a; b++)
            sim_heal(s, a, b);
}

bool sim_is_cut(const struct sim *s, node_id from, node_id to)
{
    return is_pair(s, from, to) && s->links[from][to].cut;
}

void sim_clog(struct sim *s, node_id from, node_id to, uint64_t ms)
{
    if (is_pair(s, from, to))
        link_clog(s, from, to, ms * 1000);
}

/* ---- disks, clocks ---- */

void sim_fail_write(struct sim *s, node_id n)
{
    s->nodes[n].disk.fails = s->nodes[n].m ? DISK_FAILS_WRITE : DISK_FAILS_NOT;
}

void sim_fail_sync(struct sim *s, node_id n)
{
    s->nodes[n].disk.fails = s->nodes[n].m ? DISK_FAILS_SYNC : DISK_FAILS_NOT;
}

void sim_fill_disk(struct sim *s, node_id n, bool full)
{
    s->nodes[n].disk.full = full;
}

void sim_jump_clock(struct sim *s, node_id n, int64_t ms)
{
    struct sim_node *node = &s->nodes[n];
    node->clock_ms += ms;
    s->counts[SIM_CLOCK_JUMPS]++;
    sim_tell(s, "%10.3f        the clock of %s jumps by %lld ms", (double)s->now_us / 1000.0, s->names[n],
             (long long)ms);
    node->tick_for = UINT64_MAX;
    if (node->m)
        node_plan_tick(s, n);
}

/* ---- operators ---- */

void sim_forget(struct sim *s, node_id n)
{
    node_id by = NODE_NONE;
    for (node_id other = 0; other < s->options.nodes; other++)
        if (sim_serving(s, other))
            by = other;
    sim_forget_by(s, by, n);
}

void sim_forget_by(struct sim *s, node_id by, node_id n)
{
    if (s->nodes[n].m || s->nodes[n].booting || by == NODE_NONE)
        return;
    s->counts[SIM_FORGOTTEN]++;
    s->removed |= node_bit(n);
    struct event ev = {.type = EV_FORGET_NODE, .u.forget.node = n};
    sim_ask(s, by, &ev);
}

void sim_reset(struct sim *s, node_id n)
{
    if (s->nodes[n].m || s->nodes[n].booting || !node_in(s->removed, n))
        return;
    for (node_id other = 0; other < s->options.nodes; other++)
        if (s->nodes[other].m && node_in(mirror_view(s->nodes[other].m).known, n))
            return; /* not everybody has forgotten it yet */
    node_reset(s, n);
}

void sim_force(struct sim *s, node_id n)
{
    s->nodes[n].forced = !sim_serving(s, n);
}

void sim_forget_offline(struct sim *s, node_id by, node_id n)
{
    if (s->nodes[by].m || s->nodes[by].booting || s->nodes[n].m || s->nodes[n].booting || by == n)
        return;
    s->counts[SIM_FORGOTTEN]++;
    s->removed |= node_bit(n);
    s->nodes[by].forgets |= node_bit(n);
}

void sim_lose_disk(struct sim *s, node_id n)
{
    for (node_id other = 0; other < s->options.nodes; other++) {
        const struct sim_node *node = &s->nodes[other];
        if (node->m || node->booting || node->departure != DEPARTURE_KILLED ||
            s->check.nodes[other].at != s->check.nodes[n].at)
            return;
    }
    sim_tell(s, "%10.3f        the disk of %s is lost", (double)s->now_us / 1000.0, s->names[n]);
    s->counts[SIM_DISKS_LOST]++;
    check_disk_lost(s, n);
    disk_reset(s, n);
    check_reset(s, n);
}

/* ---- counting ---- */

uint64_t sim_count(const struct sim *s, enum sim_count c)
{
    return s->counts[c];
}

const char *sim_count_name(enum sim_count c)
{
    switch (c) {
    case SIM_KILLS: return "kills";
    case SIM_STOPS: return "orderly stops";
    case SIM_SLOW_LINKS: return "slow links";
    case SIM_CUTS: return "cuts";
    case SIM_ONE_WAY_CUTS: return "one-way cuts";
    case SIM_CUTS_SURVIVED: return "cuts that nobody noticed";
    case SIM_LINKS_LOST: return "links given up in silence";
    case SIM_SPLITS: return "two views at a time";
    case SIM_RESTARTS: return "restarts by themselves";
    case SIM_CLOGS: return "clogged links";
    case SIM_CLOCK_JUMPS: return "clock jumps";
    case SIM_TORN_TAILS: return "torn tails";
    case SIM_REORDERED_WRITES: return "reordered writes";
    case SIM_WRITE_ERRORS: return "failed writes";
    case SIM_SYNC_ERRORS: return "failed syncs";
    case SIM_DISK_FULL: return "full disks";
    case SIM_FORGOTTEN: return "nodes removed";
    case SIM_RESETS: return "nodes reset";
    case SIM_FORCED: return "forced starts";
    case SIM_DISKS_LOST: return "disks lost";
    case SIM_OFFERED_AGAIN: return "publishes offered again";
    case SIM_SUBMITTED_AGAIN: return "commands submitted again";
    case SIM_DELIVERED_AGAIN: return "messages delivered again";
    case SIM_COUNT_: break;
    }
    return "?";
}

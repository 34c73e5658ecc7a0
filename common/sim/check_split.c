/* check_split.c: the sides of a partition, as facts: which view came from which, which links were cut, who
 * holds what where. Two sides may number views, queues' generations and messages alike: what is of one side
 * must not be compared with what is of the other. */
#include "sim/plan.h"
#include "sim/world.h"

uint32_t view_seen(struct sim *s, node_id n, const struct view_info *v)
{
    uint32_t was = s->check.nodes[n].at;
    if (v->epoch == 0 || v->phase == PHASE_STARTING || v->coordinator >= s->options.nodes)
        return was;
    uint64_t life = s->nodes[v->coordinator].lives;
    for (uint32_t i = (uint32_t)s->check.views.len; i-- > 1;) {
        const struct seen_view *seen = &s->check.views.items[i];
        if (seen->epoch == v->epoch && seen->coordinator == v->coordinator &&
            (v->coordinator != n || seen->life == life))
            return i;
    }
    struct seen_view new = {.epoch = v->epoch,
                            .life = life,
                            .coordinator = v->coordinator,
                            .parent = s->check.nodes[v->coordinator].at};
    VEC_PUSH(&s->check.views, new);
    return (uint32_t)(s->check.views.len - 1);
}

void view_recovered(struct sim *s, node_id n, uint64_t epoch)
{
    uint32_t at = epoch ? (uint32_t)s->check.views.len - 1 : 0;
    while (at > 0 && s->check.views.items[at].epoch != epoch)
        at--;
    s->check.nodes[n].at = at;
}

bool view_leads_to(const struct sim *s, uint32_t a, uint32_t b)
{
    while (b > a)
        b = s->check.views.items[b].parent;
    return a == b;
}

bool check_parted(const struct sim *s, node_id n, uint32_t view)
{
    return s->cuts > 0 && view != 0 && !view_leads_to(s, view, s->check.nodes[n].at);
}

bool check_elsewhere(const struct sim *s, node_id n, const struct ledger_message *m)
{
    if (s->cuts == 0 || s->options.partition_handling == PARTITION_PAUSE_MINORITY)
        return false;
    for (node_id other = 0; other < s->options.nodes; other++)
        if (other != n && node_in(m->memory, other) && s->nodes[other].m &&
            s->check.nodes[other].at != s->check.nodes[n].at &&
            !node_in(s->check.nodes[n].view.members, other))
            return true;
    return false;
}

bool check_lost_before(const struct sim *s, node_id n, const struct ledger_message *m)
{
    const struct seen_node *own = &s->check.nodes[n];
    if (s->cuts == 0 || s->options.partition_handling == PARTITION_PAUSE_MINORITY || m->lost_in == 0 ||
        !view_leads_to(s, m->lost_in, own->at))
        return false;
    for (node_id other = 0; other < s->options.nodes; other++)
        if (node_in(m->memory, other) && s->nodes[other].m && !node_in(own->view.members, other) &&
            !view_leads_to(s, m->lost_in, s->check.nodes[other].at))
            return true;
    return false;
}

bool check_discarded(const struct sim *s, node_id n, const struct ledger_message *m)
{
    bool two_sides = s->cuts > 0 && s->options.partition_handling != PARTITION_PAUSE_MINORITY;
    return two_sides && (s->check.nodes[n].changed_sides || check_parted(s, n, m->view));
}

void check_given_up(struct sim *s, node_id n, struct ledger_message *m)
{
    if (m->fate == FATE_CONFIRMED && m->pending == DOOR_NONE && check_discarded(s, n, m))
        m->pending = DOOR_L3;
}

void check_two_views(struct sim *s, node_id a, node_id b)
{
    uint32_t va = s->check.nodes[a].at, vb = s->check.nodes[b].at;
    if (va == vb || s->check.views.items[va].beside || view_leads_to(s, va, vb) || view_leads_to(s, vb, va))
        return;
    s->check.views.items[va].beside = true;
    s->counts[SIM_SPLITS]++;
}

void check_sides(struct sim *s)
{
    for (node_id a = 0; a < s->options.nodes; a++)
        for (node_id b = 0; b < s->options.nodes; b++) {
            if (a == b || !s->nodes[a].m)
                continue;
            struct view_info v = mirror_view(s->nodes[a].m);
            if (!s->nodes[b].m && node_in(v.partitioned, b))
                sim_fail(s, "I11", "%s lists %s as partitioned, which does not run", s->names[a],
                         s->names[b]);
            if (!s->nodes[b].m)
                continue;
            if (s->options.sabotage == SABOTAGE_PARTITIONS_HIDDEN)
                v.partitioned = 0;
            bool other_side = !node_in(v.members, b);
            if (other_side && !node_in(v.partitioned, b))
                sim_fail(s, "I11", "%s and %s are in different views, and %s does not list %s as partitioned",
                         s->names[a], s->names[b], s->names[a], s->names[b]);
            if (node_in(v.partitioned, b) && s->options.partition_handling != PARTITION_IGNORE)
                sim_fail(s, "I11", "%s still lists %s as partitioned, though all links are healed (%s)",
                         s->names[a], s->names[b], plan_handling_name(s->options.partition_handling));
        }
}

void check_healed(struct sim *s)
{
    for (node_id n = 0; n < s->options.nodes && !s->failure; n++) {
        struct view_info v = mirror_view(s->nodes[n].m);
        if (v.phase != PHASE_SERVING)
            sim_fail(s, "I12", "%s does not serve though all nodes run", s->names[n]);
        if (v.members != mirror_view(s->nodes[0].m).members)
            sim_fail(s, "I12", "%s and %s are in different views though all is healed", s->names[0],
                     s->names[n]);
        if (v.partitioned)
            sim_fail(s, "I11", "%s lists %x as partitioned, and all are in one view", s->names[n],
                     v.partitioned);
    }
}

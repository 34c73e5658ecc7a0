/* lab_sim_look.c: see lab_sim_look.h. */
#include "main/lab_sim_look.h"

#include "sim/sim.h"

uint32_t lab_sim_serving(const struct sim *s)
{
    node_set set = 0;
    for (node_id n = 0; n < sim_nodes(s); n++)
        set |= sim_serving(s, n) ? node_bit(n) : 0;
    return set;
}

uint32_t lab_sim_off(const struct sim *s)
{
    return ((1U << sim_nodes(s)) - 1) & ~sim_running_set(s);
}

void lab_sim_others(const struct sim *s, unsigned node, struct replay_others *out)
{
    const struct mirror *m = sim_mirror(s, (node_id)node);
    if (!m)
        return;
    struct view_info v = mirror_view(m);
    *out = (struct replay_others){.running = v.members, .parted = v.partitioned};
    for (node_id n = 0; n < sim_nodes(s); n++)
        if (n != node && sim_mirror(s, n) && !sim_is_cut(s, (node_id)node, n) &&
            !sim_is_cut(s, n, (node_id)node))
            out->linked |= node_bit(n);
}

static void add_held(const struct sim *s, node_id n, const char *queue, const unsigned *numbers, size_t len,
                     struct replay_queue *out)
{
    const struct mirror *m = sim_mirror(s, n);
    const struct queue *q = mirror_find_queue(m, queue);
    msg_id at = 0;
    struct held held;
    while (mirror_queue_walk(m, q, &at, &held)) {
        uint32_t index;
        if (ledger_which(sim_ledger(s), held.msg, &index) && (!numbers || index < len))
            VEC_PUSH(&out->holds, numbers ? numbers[index] : index + 1);
    }
}

void lab_sim_look(const struct sim *s, const char *queue, bool asked, const unsigned *numbers, size_t len,
                  struct replay_queue *out)
{
    struct queue_info q;
    node_set all = lab_sim_serving(s), of = all;
    if (asked && all)
        of = mirror_view(sim_mirror(s, (node_id)__builtin_ctz(all))).members;
    out->state = REPLAY_GONE;
    bool found = false;
    for (node_id n = 0; n < sim_nodes(s); n++) {
        if (!node_in(all & of, n) || !sim_queue(s, n, queue, &q))
            continue;
        struct replay_queue said = {.master = q.master};
        for (size_t i = 0; i < q.mirrors_len; i++)
            said.mirrors |= node_bit(q.mirrors[i]);
        said.synced = q.synced & said.mirrors;
        size_t held = out->holds.len;
        if (q.local) {
            said.unacked = (unsigned)q.unacked;
            add_held(s, n, queue, numbers, len, out);
            replay_add_side(out, &said, held);
        }
        if (found && (!q.local || out->state == REPLAY_RUNNING))
            continue;
        out->master = said.master;
        out->mirrors = said.mirrors;
        out->synced = said.synced;
        out->unacked = said.unacked;
        snprintf(out->policy, sizeof(out->policy), "%s", q.policy ? q.policy : "");
        out->state = q.state == QUEUE_STOPPED ? REPLAY_STOPPED
                     : q.state == QUEUE_DOWN  ? REPLAY_DOWN
                     : q.local                ? REPLAY_RUNNING
                                              : REPLAY_GONE;
        found = true;
    }
    if (!found && !all)
        out->state = REPLAY_DOWN; /* nobody runs who could say */
}

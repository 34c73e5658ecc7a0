/* search_state.c: when two worlds are the same. Only at rest, and only what the future depends on: who runs,
 * what each node knows of the queue, what it holds in memory and what it would find on its disk. Numbers that
 * only rise (epochs, generations, ids) count by their order, not by their value. */
#include "sim/search_private.h"
#include "sim/world.h"

/* How many of these are smaller. */
static unsigned rank_of(const uint64_t *values, unsigned len, uint64_t value)
{
    unsigned rank = 0;
    for (unsigned i = 0; i < len; i++) {
        bool first = values[i] < value;
        for (unsigned k = 0; k < i && first; k++)
            first = values[k] != values[i];
        rank += first;
    }
    return rank;
}

static void add_items(const struct seen_queue *q, struct text *out)
{
    text_add(out, " holds");
    for (size_t i = 0; i < q->items.len; i++)
        text_printf(out, " %u%s%s", q->items.items[i].message, q->items.items[i].unacked ? "u" : "",
                    q->items.items[i].redelivered ? "r" : "");
}

/* What the node says of the queue, or said last. */
static void add_info(const struct seen_info *i, unsigned generation, struct text *out)
{
    if (!i->valid) {
        text_add(out, " knows nothing");
        return;
    }
    text_printf(out, " g%u s%d M%u", generation, (int)i->state, i->master);
    for (unsigned k = 0; k < i->mirrors_len; k++)
        text_printf(out, " m%u%s", i->mirrors[k], node_in(i->synced, i->mirrors[k]) ? "+" : "-");
    text_printf(out, "%s%s", i->local ? " local" : "", i->replica ? " replica" : "");
}

void search_contents(struct sim *s, const uint8_t *used, struct text *out)
{
    uint64_t epochs[SIM_NODES], generations[SIM_NODES];
    unsigned nodes = s->options.nodes;
    text_add(out, "");
    for (unsigned v = 0; v < SEARCH_VERBS; v++)
        text_printf(out, "%u ", used[v]);
    for (uint32_t i = 0; i < s->ledger.messages.len; i++) {
        const struct ledger_message *m = &s->ledger.messages.items[i];
        text_printf(out, "| %u on disk of %x ", (unsigned)m->fate, m->disk);
    }
    for (uint32_t queue = 0; queue < s->ledger.queues.len; queue++) {
        for (node_id n = 0; n < nodes; n++) {
            epochs[n] = s->check.nodes[n].view.epoch;
            generations[n] = seen_queue(s, n, queue)->now.generation;
        }
        for (node_id n = 0; n < nodes; n++) {
            const struct seen_node *sn = &s->check.nodes[n];
            const struct seen_queue *q = seen_queue(s, n, queue);
            bool up = s->nodes[n].m != NULL;
            text_printf(out, "\nnode%u %s d%d e%u members %x", n + 1u, up ? "up" : "off",
                        up ? 0 : (int)s->nodes[n].departure, rank_of(epochs, nodes, epochs[n]),
                        sn->view.members);
            if (up) {
                struct view_info v = mirror_view(s->nodes[n].m);
                text_printf(out, " phase %d waits %x coordinator %u", (int)v.phase, v.waiting_for,
                            v.coordinator);
            }
            add_info(&q->now, rank_of(generations, nodes, generations[n]), out);
            if (up)
                add_items(q, out);
        }
    }
}

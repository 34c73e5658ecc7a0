/* check_copies.c: a mirror is a tail of its master without holes (I8). */
#include "sim/world.h"

static void note_joins(struct sim *s, node_id master, uint32_t queue)
{
    const struct seen_info *now = &seen_queue(s, master, queue)->now;
    struct seen_reign *w = &s->check.queues.items[queue].reigns[master];
    node_set listed = 0;
    for (unsigned k = 0; k < now->mirrors_len; k++)
        listed |= node_bit(now->mirrors[k]);
    for (node_id n = 0; n < s->options.nodes; n++) {
        if (!node_in(listed, n)) {
            w->joined_in[n] = 0;
        } else if (w->joined_in[n] != now->view) {
            if (w->joined_in[n] == 0 || !node_in(now->synced, n))
                w->joined_at[n] = w->next;
            w->joined_in[n] = now->view;
        }
    }
}

static void compare(struct sim *s, uint32_t queue, node_id master, node_id mirror)
{
    struct seen_queue *m = seen_queue(s, master, queue), *r = seen_queue(s, mirror, queue);
    const char *name = s->ledger.queues.items[queue].name;
    bool synced = node_in(m->now.synced, mirror);
    size_t k = 0;
    for (size_t i = 0; i < m->items.len; i++) {
        const struct seen_message *want = &m->items.items[i];
        while (k < r->items.len && r->items.items[k].id < want->id)
            k++;
        if (k < r->items.len && r->items.items[k].id == want->id) {
            if (r->items.items[k].message != want->message)
                sim_fail(s, "I8", "%s id %llu is m%u on %s and m%u on %s", name, (unsigned long long)want->id,
                         want->message, s->names[master], r->items.items[k].message, s->names[mirror]);
            continue;
        }
        bool hole =
            r->items.len && want->id > r->items.items[0].id && want->id < r->items.items[r->items.len - 1].id;
        bool owed = synced && want->id < r->next;
        if (hole || owed) {
            sim_fail(s, "I8", "%s mirror %s of %s lacks id %llu (m%u), which its master %s has%s",
                     synced ? "the synchronised" : "the", s->names[mirror], name,
                     (unsigned long long)want->id, want->message, s->names[master], hole ? ": a hole" : "");
            return;
        }
    }
    /* what a mirror has and a new master has not goes with the master's first operations; then check_calm
     * looks */
    const struct seen_reign *reign = &s->check.queues.items[queue].reigns[master];
    bool settled = reign->promoted_in != m->now.view;
    if (!settled || !r->items.len || r->items.items[r->items.len - 1].id < reign->next)
        return;
    /* What a master takes and gives up in one step nobody sees there; a mirror hears of the two one after the
     * other, where batches are small or a copy begins between them (what led to it is sent before it). Then
     * its master has given that id all the same, and no higher one is excused. */
    const struct ledger_queue *lq = &s->ledger.queues.items[queue];
    bool unseen = lq->auto_ack || lq->max_length || lq->max_bytes || lq->ttl_ms || lq->purged_once;
    const struct mirror *at = s->nodes[master].m;
    msg_id last = r->items.items[r->items.len - 1].id;
    if (unseen && last < mirror_queue_next(at, mirror_find_queue_uid(at, lq->uid)))
        return;
    sim_fail(s, "I8", "mirror %s of %s has id %llu, which its master %s never had", s->names[mirror], name,
             (unsigned long long)last, s->names[master]);
}

static bool comparable(struct sim *s, node_id master, node_id mirror, uint32_t queue)
{
    const struct seen_node *a = &s->check.nodes[master], *b = &s->check.nodes[mirror];
    if (!a->holding || !b->holding || a->at != b->at || a->view.phase != PHASE_SERVING ||
        b->view.phase != PHASE_SERVING)
        return false;
    const struct seen_queue *m = seen_queue(s, master, queue), *r = seen_queue(s, mirror, queue);
    return m->present && r->present && m->now.local && r->now.replica &&
           m->now.generation == r->now.generation;
}

void check_copies(struct sim *s, node_id n)
{
    struct seen_node *sn = &s->check.nodes[n];
    if (sn->view.phase != PHASE_SERVING)
        return;
    for (uint32_t queue = 0; queue < sn->queues.len && !s->failure; queue++) {
        const struct seen_queue *sq = seen_queue(s, n, queue);
        if (!sq->present)
            continue;
        if (sq->now.local) {
            note_joins(s, n, queue);
            for (node_id other = 0; other < s->options.nodes; other++)
                if (other != n && comparable(s, n, other, queue))
                    compare(s, queue, n, other);
        } else if (sq->now.replica && sq->now.master < s->options.nodes &&
                   comparable(s, sq->now.master, n, queue)) {
            compare(s, queue, sq->now.master, n);
        }
    }
}

/* apart.c: see apart.h. Which side goes on is the user's choice; what is proposed is that the side whose
 * lists are shown does: it is the one that agrees with most nodes (lab/merge.h). But where that is one node
 * that holds less than the others it is that one which is to begin again. */
#include "apart.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "view.h"
#include "words.h"

#define SILENCE_MS 4000 /* the kit's nodes', where the lab says nothing of it (node.1) */

static void add_names(struct text *t, const struct snapshot *s, node_bits nodes, const char *between)
{
    for (size_t i = 0; i < s->nodes_len; i++)
        if (nodes & ((node_bits)1 << i))
            text_printf(t, "%s%s", t->len ? between : "", s->nodes[i].name);
}

bool apart_links_back(const struct snapshot *s, int node)
{
    node_bits from = snapshot_apart_from(s, node);
    for (size_t i = 0; i < s->nodes_len; i++)
        if ((from >> i & 1) && !snapshot_met(s, node, (int)i))
            return false;
    return from != 0;
}

node_bits apart_others(const struct snapshot *s)
{
    return s->source < 0 ? 0 : snapshot_apart_from(s, s->source);
}

static node_bits those_up(const struct snapshot *s)
{
    node_bits up = 0;
    for (size_t i = 0; i < s->nodes_len; i++)
        up |= s->nodes[i].state == NODE_UP ? (node_bits)1 << i : 0;
    return up;
}

void apart_observe(struct model *m, const struct snapshot *s)
{
    for (size_t i = 0; i < s->nodes_len && i < LIMIT_NODES; i++) {
        node_bits met = s->nodes[i].answers ? those_up(s) & ~snapshot_partitions(s, (int)i) : 0;
        m->were_apart[i] = (m->were_apart[i] & ~met) | snapshot_apart_from(s, (int)i);
        node_bits bit = (node_bits)1 << i;
        bool answered = m->snapshot && i < m->snapshot->nodes_len && m->snapshot->nodes[i].answers;
        if (s->nodes[i].answers)
            m->stopped_apart &= ~bit;
        else if (answered && ((m->cut & bit) || snapshot_apart_from(m->snapshot, (int)i)))
            m->stopped_apart |= bit;
    }
}

node_bits apart_stopped(const struct model *m)
{
    node_bits frozen = 0;
    for (size_t i = 0; i < m->snapshot->nodes_len; i++)
        frozen |= m->snapshot->nodes[i].unrefused ? (node_bits)1 << i : 0;
    return m->stopped_apart & ~frozen;
}

/* It may list one that was killed, without any partition: the new view may come before the end of the link.
 */
node_bits apart_listed(const struct model *m, int node)
{
    return snapshot_partitions(m->snapshot, node) & (m->were_apart[node] | those_up(m->snapshot));
}

/* A node goes on listing a partition when the other one was stopped since: then that is the past. */
char *apart_of_node(const struct model *m, int node)
{
    const struct snapshot *s = m->snapshot;
    node_bits from = snapshot_apart_from(s, node), told = apart_listed(m, node);
    if (from && apart_links_back(s, node))
        return xstrdup(_("links back, still apart"));
    from = from ? from : told & those_up(s);
    if (!from && (m->cut >> node & 1))
        return xstrdup(model_only_looks(m) ? _("links were cut") : _("links were cut: x heals"));
    if (!from && __builtin_popcount(told) > 1)
        return format_text(_("was apart from %d nodes"), __builtin_popcount(told));
    if (!from && !told)
        return apart_stopped(m) >> node & 1 ? xstrdup(_("went while apart")) : NULL;
    struct text names = {0};
    add_names(&names, s, from ? from : told, ",");
    char *text = format_text(from ? _("cut off from %s") : _("was apart from %s"), names.s);
    text_finish(&names);
    return text;
}

ms_time apart_silence_ms(const struct model *m)
{
    return m->lab && m->lab->silence_ms ? (ms_time)m->lab->silence_ms : SILENCE_MS;
}

/* Cut from this screen, and still counted in by the others: they notice by its silence. */
static node_bits cut_unnoticed(const struct model *m)
{
    const struct snapshot *s = m->snapshot;
    node_bits bits = 0;
    for (size_t i = 0; i < s->nodes_len; i++)
        if ((m->cut >> i & 1) && s->nodes[i].answers && !s->nodes[i].said_down_by &&
            !snapshot_partitions(s, (int)i))
            bits |= (node_bits)1 << i;
    return s->nodes_len > 1 ? bits : 0;
}

/* NULL: whoever is cut off is known to be. A node of the kit that is told nothing else waits for 4 s
 * (node.1). */
static char *unnoticed_text(const struct model *m)
{
    node_bits cut = cut_unnoticed(m);
    if (!cut)
        return NULL;
    struct text names = {0};
    add_names(&names, m->snapshot, cut, ",");
    char *text = m->lab && m->lab->engine == ENGINE_RABBITMQ
                     ? format_text(_("%s: links cut; not noticed yet"), names.s)
                     : format_text(_("%s: links cut; noticed after %g s of silence"), names.s,
                                   (double)apart_silence_ms(m) / 1000.0);
    text_finish(&names);
    return text;
}

/* "node2 node3"; of many only how many */
static char *side_names(const struct snapshot *s, node_bits side)
{
    struct text t = {0};
    int count = __builtin_popcount(side);
    if (count > 3)
        text_printf(&t, _("%d nodes"), count);
    else
        add_names(&t, s, side, " ");
    return t.s ? t.s : xstrdup("?");
}

/* What goes if these nodes begin again: what they, as masters of a side, hold of the queues that several
 * serve, and what memory alone has of those that only their side has; -1: they do not say all of it. */
static long long held_by_side(const struct snapshot *s, node_bits side)
{
    long long held = 0;
    for (size_t i = 0; i < s->queues_len; i++) {
        const struct queue_seen *q = &s->queues[i];
        for (size_t k = 0; k < q->sides_len; k++) {
            const struct side_seen *one = &q->sides[k];
            if (one->away || !(side >> one->master & 1))
                continue;
            if (one->messages < 0)
                return -1;
            held += one->messages;
        }
        if (!queue_seen_one_sided(s, q) || !(side >> q->master & 1))
            continue;
        if (q->messages < 0 || (q->durable && q->persistent < 0))
            return -1;
        held += q->durable ? q->messages - q->persistent : q->messages;
    }
    return held;
}

/* groups of nodes that answer, each in a view of its own */
static int sides_count(const struct snapshot *s)
{
    node_bits seen = 0;
    int count = 0;
    for (size_t i = 0; i < s->nodes_len; i++) {
        if (!s->nodes[i].answers || (seen >> i & 1))
            continue;
        node_bits apart = snapshot_apart_from(s, (int)i);
        for (size_t k = i; k < s->nodes_len; k++)
            seen |= s->nodes[k].answers && !(apart >> k & 1) ? (node_bits)1 << k : 0;
        count++;
    }
    return count;
}

/* B is at it: whatever keys would mend it are pressed for nothing. */
static bool being_mended(const struct model *m)
{
    for (size_t i = 0; i <= m->others.len; i++) {
        const struct command *c = i < m->others.len ? m->others.items[i] : m->command;
        if (c && c->running && c->step == COMMAND_CLEAN)
            return true;
    }
    return false;
}

/* others: who has to begin again, and their names. s and a act on the selected node, and must not meet one of
 * the side that is to stay. */
static char *still_apart(const struct model *m, node_bits others, const char *names)
{
    const char *handling = m->lab ? m->lab->partition_handling : "";
    if (strcmp(handling, "autoheal") == 0)
        return xstrdup(_("Links back: autoheal restarts the side with fewer clients, without its messages"));
    if (strcmp(handling, "pause_minority") == 0)
        return xstrdup(_("Links back: the nodes that paused start again by themselves"));
    if (being_mended(m))
        return format_text(_("Two views: %s stayed apart; beginning the lesson again mends it"), names);
    if (model_only_looks(m)) /* there is no key that mends it */
        return format_text(_("Two views: %s stayed apart, though the links are back"), names);
    bool torn = false, selected = others == (node_bits)1 << m->node;
    for (size_t i = 0; i < m->snapshot->queues_len; i++)
        torn = torn || queue_seen_masters(&m->snapshot->queues[i]) > 1;
    if (others & (others - 1)) /* one that comes back alone may find its own side again */
        return format_text(torn ? _("%d views: stop each of %s (s), then start them (a); what they hold is "
                                    "discarded")
                                : _("%d views: stop each of %s (s), then start them (a)"),
                           sides_count(m->snapshot), names);
    long long holds = held_by_side(m->snapshot, others);
    const char *keys = question_keeps(m, 'a') ? "s, :start_app" : "s, a"; /* a is an answer there */
    if (!torn && !holds)
        return format_text(selected ? _("Two views: stop and start %s (%s)")
                                    : _("Two views: select %s, then %s (stop and start)"),
                           names, keys);
    if (holds < 0)
        return format_text(selected ? _("Two views: stop and start %s (%s); what it holds is discarded")
                                    : _("Two views: select %s, then %s; what it holds is discarded"),
                           names, keys);
    return format_text(
        selected ? NP_("Two views: stop and start %s (%s); its side, %lld message, is discarded",
                       "Two views: stop and start %s (%s); its side, %lld messages, is discarded", holds)
                 : NP_("Two views: select %s, then %s; its side, %lld message, is discarded",
                       "Two views: select %s, then %s; its side, %lld messages, is discarded", holds),
        names, keys, holds);
}

/* Whose links are still cut, best those of the selected node; -1: nobody's that a key mends. */
static int healed_by_key(const struct model *m)
{
    if (command_cut_heals(m))
        return m->node;
    for (size_t i = 0; i < m->snapshot->nodes_len; i++)
        if (command_heals(m, (int)i))
            return (int)i;
    return -1;
}

char *apart_advice(const struct model *m)
{
    const struct snapshot *s = m->snapshot;
    node_bits others = apart_others(s), ours = 0;
    if (!others)
        return snapshot_partitioned(s) ? xstrdup(_("PARTITIONED: each side serves a copy of its own"))
                                       : unnoticed_text(m);
    bool back = true;
    for (size_t i = 0; i < s->nodes_len; i++) {
        node_bits bit = (node_bits)1 << i;
        if (s->nodes[i].answers && !(others & bit))
            ours |= bit;
        if (others & bit)
            back = back && apart_links_back(s, (int)i);
    }
    long long held = held_by_side(s, others), held_here = held_by_side(s, ours);
    bool ours_less = back && ours && !(ours & (ours - 1)) && held_here >= 0 && held_here < held;
    char *theirs = side_names(s, others), *mine = side_names(s, ours), *text;
    int heals = model_only_looks(m) || being_mended(m) ? -1 : healed_by_key(m);
    if (back)
        text = ours_less ? still_apart(m, ours, mine) : still_apart(m, others, theirs);
    else if (heals < 0)
        text = format_text(_("PARTITIONED: %s | %s. Each side serves its own clients."), theirs, mine);
    else if (heals == m->node)
        text =
            format_text(_("PARTITIONED: %s | %s. Each side serves its own clients. x heals"), theirs, mine);
    else
        text = format_text(_("PARTITIONED: %s | %s. Each serves its own clients. %s: x heals"), theirs, mine,
                           s->nodes[heals].name);
    free(theirs);
    free(mine);
    return text;
}

int apart_served_by(const struct model *m, const char *queue, int node)
{
    const struct snapshot *s = m->snapshot;
    const struct queue_seen *q = s ? snapshot_queue(s, queue) : NULL;
    if (!q || node < 0 || q->state == QUEUE_SEEN_STOPPED || q->state == QUEUE_SEEN_DOWN)
        return -1;
    node_bits serve = queue_seen_masters_bits(q) & those_up(s);
    return serve && !(serve & ~snapshot_apart_from(s, node)) ? __builtin_ctz(serve) : -1;
}

const char *apart_queue_state(const struct model *m, const struct queue_seen *q, char buffer[32])
{
    unsigned masters = queue_seen_masters(q);
    if (masters == 2)
        return _("TWO MASTERS");
    if (masters > 2) {
        snprintf(buffer, 32, _("%u MASTERS"), masters);
        return buffer;
    }
    return queue_seen_one_sided(m->snapshot, q) ? _("ONE SIDE") : NULL;
}

void apart_counts(const struct queue_seen *q, char *buffer, size_t size, int width)
{
    struct text t = {0};
    for (size_t i = 0; i < q->sides_len; i++)
        if (!q->sides[i].away && q->sides[i].ready >= 0)
            text_printf(&t, "%s%" PRId64, t.len ? "/" : "", q->sides[i].ready);
        else if (!q->sides[i].away)
            text_printf(&t, "%s?", t.len ? "/" : "");
    if ((int)t.len > width)
        snprintf(buffer, size, _("%u views"), queue_seen_masters(q));
    else
        snprintf(buffer, size, "%s", text_str(&t));
    text_finish(&t);
}

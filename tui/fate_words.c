/* fate_words.c: what is known of a message, or of a run of messages, in words; see docs/trace.md. */
#include <inttypes.h>
#include <stdlib.h>

#include "view.h"
#include "words.h"

const char *verdict_word(enum verdict v, enum style *style)
{
    *style = STYLE_STRONG;
    switch (v) {
    case VERDICT_UNKNOWN: return "?";
    case VERDICT_KEPT: *style = STYLE_FINE; return _("KEPT");
    case VERDICT_UNAVAILABLE: *style = STYLE_SYNCING; return _("UNAVAILABLE");
    case VERDICT_LOST: *style = STYLE_DOWN; return _("LOST");
    case VERDICT_REMOVED: return _("REMOVED");
    case VERDICT_HANDED_OUT: return _("HANDED OUT");
    }
    return "?";
}

/* "node1, node3" */
static void add_nodes(struct text *t, const struct snapshot *s, node_bits nodes)
{
    bool any = false;
    for (size_t i = 0; i < s->nodes_len; i++)
        if (nodes & ((node_bits)1 << i)) {
            text_printf(t, "%s%s", any ? ", " : "", s->nodes[i].name);
            any = true;
        }
}

char *nodes_text(const struct snapshot *s, node_bits nodes)
{
    struct text t = {0};
    text_add(&t, "");
    add_nodes(&t, s, nodes);
    return t.s;
}

/* why it was removed, and what became of it then; the caller frees it */
static char *removed_text(const struct fate *f)
{
    const char *why = f->removed == TRACE_SEEN_EXPIRED   ? _("its time was over")
                      : f->removed == TRACE_SEEN_DROPPED ? _("the queue was full")
                      : f->removed == TRACE_SEEN_PURGED  ? _("somebody emptied the queue")
                                                         : _("a consumer rejected it");
    return f->dead_lettered ? format_text(_("%s; dead-lettered"), why) : xstrdup(why);
}

static const char *removed_word(const struct fate *f)
{
    return f->removed == TRACE_SEEN_EXPIRED   ? _("expired")
           : f->removed == TRACE_SEEN_DROPPED ? _("dropped")
           : f->removed == TRACE_SEEN_PURGED  ? _("purged")
                                              : _("rejected");
}

char *unavailable_text(const struct snapshot *s, const struct fate *f)
{
    bool stopped = true;
    char *away = nodes_text(s, f->away), *text;
    for (size_t i = 0; i < s->nodes_len; i++)
        if (f->away & ((node_bits)1 << i))
            stopped = stopped && (s->nodes[i].state == NODE_NOT_RUNNING || s->nodes[i].gone);
    if (f->in_memory && stopped)
        text =
            format_text(_("transient: memory alone held it, on %s (not running). Expected lost; known when "
                          "%s is back."),
                        away, away);
    else if (f->in_memory)
        text = format_text(_("transient: memory alone held it, on %s (no answer). Lost if that stopped; "
                             "known when %s is back."),
                           away, away);
    else if (f->logged && f->confirmed)
        text = format_text(_("persistent and confirmed: on disk on %s, away. Expected back with %s."), away,
                           away);
    else if (f->logged)
        text =
            format_text(_("persistent: its only copies are on %s, away. Known when %s is back."), away, away);
    else
        text = format_text(_("its only copies are on %s: away. Whether memory alone held it is not known."),
                           away);
    free(away);
    return text;
}

/* One side of a partition, or the master before this one, let it go, others hold it: who did, and who holds
 * it. The caller frees it. */
static char *taken_text(const struct snapshot *s, const struct fate *f)
{
    char *held = nodes_text(s, f->held), *taken = nodes_text(s, f->taken_on);
    char *text = format_text(f->acked && f->out ? _("acknowledged on %s; delivered again, not acknowledged; "
                                                    "held by %s")
                             : f->acked         ? _("acknowledged on %s; held by %s")
                             : f->out ? _("auto-ack on %s; delivered again, not acknowledged; held by %s")
                                      : _("auto-ack on %s; held by %s"),
                             taken, held);
    free(held);
    free(taken);
    return text;
}

char *fate_text(const struct snapshot *s, const struct fate *f)
{
    if (f->taken_on)
        return taken_text(s, f);
    char *held = nodes_text(s, f->held), *away = nodes_text(s, f->away), *text = NULL;
    switch (f->word) {
    case FATE_HELD: text = format_text(_("held by %s"), held); break;
    case FATE_CONFIRMED: text = format_text(_("confirmed, held by %s"), held); break;
    case FATE_DELIVERED:
        text = f->held         ? format_text(_("delivered, not acknowledged; held by %s"), held)
               : f->auto_acked ? xstrdup(_("auto-ack; nobody says whether it arrived"))
                               : xstrdup(_("handed out; nobody says whether it arrived"));
        break;
    case FATE_REDELIVERED: text = format_text(_("redelivered, not acknowledged; held by %s"), held); break;
    case FATE_UNAVAILABLE:
        text = format_text(
            f->in_memory ? _("in memory alone, on %s: away") : _("its only copies are on %s: away"), away);
        break;
    case FATE_CONSUMED:
        text = xstrdup(f->before     ? _("a consumer of an earlier screen printed it")
                       : f->received ? _("a consumer of this screen printed it")
                                     : _("a consumer acknowledged it"));
        break;
    case FATE_LOST:
        text = xstrdup(f->before ? _("seen before: no node has it, and nobody took it")
                                 : _("no node has it, and nobody took it"));
        break;
    case FATE_UNCONFIRMED: text = xstrdup(_("refused: its publisher was told")); break;
    case FATE_UNKNOWN:
        text = f->verdict == VERDICT_REMOVED ? removed_text(f)
               : f->unasked                  ? xstrdup(_("what nodes held of it was not recorded then"))
               : f->untold                   ? xstrdup(_("nobody has it; nobody says what became of it"))
                                             : xstrdup(_("nobody has it; looking again"));
        break;
    }
    free(held);
    free(away);
    return text;
}

/* one word for a run of messages */
static const char *fate_word(const struct fate *f, enum style *style)
{
    const char *verdict = verdict_word(f->verdict, style);
    if (f->taken_on && !f->out)
        return f->acked ? _("acknowledged") : _("auto-ack");
    switch (f->word) {
    case FATE_UNCONFIRMED: return _("unconfirmed");
    case FATE_CONFIRMED: return _("confirmed");
    case FATE_HELD: return _("held");
    case FATE_DELIVERED: return f->verdict == VERDICT_HANDED_OUT ? _("handed out") : _("delivered");
    case FATE_REDELIVERED: return _("redelivered");
    case FATE_CONSUMED: return _("consumed");
    case FATE_UNKNOWN:
    case FATE_UNAVAILABLE:
    case FATE_LOST: break;
    }
    return f->verdict == VERDICT_REMOVED ? removed_word(f) : verdict;
}

bool life_is_judged(const struct life *life)
{
    return life->fate.verdict != VERDICT_KEPT || life_was_tried(life);
}

char *run_word(const struct ledger *l, size_t at, enum style *style)
{
    const struct fate *f = &l->fates.items[at].fate;
    const char *word = fate_word(f, style);
    enum style other;
    bool twin = (at > 0 && strcmp(fate_word(&l->fates.items[at - 1].fate, &other), word) == 0) ||
                (at + 1 < l->fates.len && strcmp(fate_word(&l->fates.items[at + 1].fate, &other), word) == 0);
    int nodes = __builtin_popcount(f->held);
    return twin && nodes ? format_text(NP_("%s (%d node)", "%s (%d nodes)", nodes), word, nodes)
                         : xstrdup(word);
}

char *range_text(const struct fate_range *f, const char *word)
{
    if (f->first == f->last)
        return format_text("#%" PRIu64 " %s", f->first + 1, word);
    return format_text("#%" PRIu64 "-#%" PRIu64 " %s", f->first + 1, f->last + 1, word);
}

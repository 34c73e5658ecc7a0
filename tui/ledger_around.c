/* ledger_around.c: what happened around a message while it lived: nodes that went, were called down, came
 * back or were only cut off, sides of a partition that were discarded. From the nodes' feeds and from what
 * this screen saw itself; of a time before it looked only the feeds tell, and then what others say of a node
 * is drawn as said. */
#include <stdlib.h>

#include "ledger_telling.h"
#include "words.h"

/* of so many every one is shown */
#define FEW_NODES 4
/* so long after a node went this screen has seen it, too */
#define NOTICE_US 1000000

enum node_news { NEWS_NONE, NEWS_DOWN, NEWS_CALLED_DOWN, NEWS_UP };

/* "node1 was stopped", "node2 is down", "node2 is up", "node1 not running", "node1 running" */
static enum node_news node_event(const struct snapshot *s, const struct event_seen *e, int *node,
                                 const char **label)
{
    static const struct {
        const char *words, *label;
        enum node_news news;
    } known[] = {{" was stopped", N_("stopped"), NEWS_DOWN},
                 {" is down", N_("is down"), NEWS_CALLED_DOWN},
                 {" not running", N_("not running"), NEWS_DOWN},
                 {" is up", N_("back"), NEWS_UP},
                 {" running", N_("back"), NEWS_UP}};
    if (strcmp(e->kind, "node") != 0)
        return NEWS_NONE;
    for (size_t n = 0; n < s->nodes_len; n++) {
        size_t len = strlen(s->nodes[n].name);
        for (size_t i = 0; strncmp(e->text, s->nodes[n].name, len) == 0 && i < ARRAY_LEN(known); i++)
            if (strncmp(e->text + len, known[i].words, strlen(known[i].words)) == 0) {
                *node = (int)n;
                *label = known[i].label;
                return known[i].news;
            }
    }
    return NEWS_NONE;
}

/* "node3 serves in another view: the cluster was partitioned": whoever says so has a link to it again */
static bool tells_of_another_side(const struct event_seen *e, const char *name)
{
    size_t len = strlen(name);
    return strcmp(e->kind, "node") == 0 && strncmp(e->text, name, len) == 0 &&
           (strncmp(e->text + len, " serves in another view", 23) == 0 ||
            strncmp(e->text + len, " is in another view", 19) == 0);
}

/* It runs since before then: so it did at that time, too. Or it told something itself from then on, or others
 * told that it served on a side of its own, before they called it up again. */
static bool ran_at(const struct snapshot *s, int node, int64_t at_us)
{
    const struct node_seen *n = &s->nodes[node];
    if (n->answers && n->uptime_ms >= 0 && (s->taken_wall_ms - n->uptime_ms) * 1000 < at_us)
        return true;
    for (size_t i = 0; i < s->events_len; i++) {
        const struct event_seen *e = &s->events[i];
        const char *label;
        int about;
        if (e->wall_ms * 1000 < at_us)
            continue;
        if (node_event(s, e, &about, &label) == NEWS_UP && about == node)
            return false;
        if ((e->node && strcmp(e->node, n->name) == 0) || tells_of_another_side(e, n->name))
            return true;
    }
    return false;
}

/* Whom others call down may only be cut off from them: then it answered this screen all the time, or, of a
 * time before this screen looked, it ran by what it tells itself. */
static bool answered_around(const struct ledger *l, const struct snapshot *s, int node, int64_t at_us)
{
    if (at_us < l->began_us && ran_at(s, node, at_us))
        return true;
    bool absent = at_us < l->began_us;
    for (size_t i = 0; i < l->absences.len; i++) {
        const struct absence *a = &l->absences.items[i];
        if (a->node == node && a->at_us <= at_us + NOTICE_US)
            absent = !a->ends || a->at_us >= at_us;
    }
    return !absent;
}

/* of many nodes only those that have to do with this message */
static bool of_interest(const struct telling *t, node_bits node)
{
    return t->s->nodes_len <= FEW_NODES || (t->life->part & node);
}

/* Whose side was discarded, by this event: "q: what node3 held on its side is discarded, 44 messages"
 * (notice.c: a screen that was there noticed it), or, as node3's feed still tells a screen that comes late,
 * "autoheal: node3 begins again, ...". -1: nobody's */
static int discards(const struct telling *t, const struct event_seen *e)
{
    char *queue = format_text("%s: what ", t->l->queue ? t->l->queue : "");
    int found = -1;
    for (size_t i = 0; i < t->s->nodes_len && found < 0; i++) {
        const char *name = t->s->nodes[i].name;
        char *noticed = format_text("%s%s held on its side is discarded", queue, name);
        char *told = format_text("autoheal: %s begins again", name);
        if ((strcmp(e->kind, "queue") == 0 && strncmp(e->text, noticed, strlen(noticed)) == 0) ||
            (strcmp(e->kind, "node") == 0 && strncmp(e->text, told, strlen(told)) == 0))
            found = (int)i;
        free(noticed);
        free(told);
    }
    free(queue);
    return found;
}

/* once, by whoever tells it first, until the node has the message again */
static bool discarded_already(const struct life *life, int node)
{
    for (size_t i = life->moments.len; i-- > 0;) {
        const struct moment *m = &life->moments.items[i];
        if (m->side && m->from == node)
            return true;
        if (life_gets_it(m) == node)
            return false;
    }
    return false;
}

/* of the message that it had */
static void tell_discarded(struct telling *t, const struct event_seen *e, int64_t from_us)
{
    node_bits had = t->life->copies | (t->life->home >= 0 ? (node_bits)1 << t->life->home : 0);
    int node = e->wall_ms * 1000 < from_us ? -1 : discards(t, e);
    if (node < 0 || !(had & ((node_bits)1 << node)) || discarded_already(t->life, node))
        return;
    struct moment *m = life_add(t, MOMENT_MARK, node, PARTY_NOBODY, e->wall_ms * 1000, N_("side discarded"));
    m->letter = '.';
    m->side = true;
}

/* One end of a link that is cut. It may tell of it twice: that the other is silent, and that it is down. */
static void tell_unlinked(struct telling *t, int teller, int node, int64_t at_us)
{
    const struct life *life = t->life;
    for (size_t i = life->moments.len; i-- > 0 && life->moments.items[i].at_us + NOTICE_US > at_us;) {
        const struct moment *m = &life->moments.items[i];
        if (m->kind == MOMENT_UNLINKED && m->from == teller && m->to == node)
            return;
    }
    life_add(t, MOMENT_UNLINKED, teller, node, at_us, N_("no link to"));
}

/* "node1 has said nothing for 4000 ms: the link to it is closed": only who leads the view without it calls it
 * down. The node, if it answered this screen then; else -1: what it is is told by others. */
static int silent_to(const struct telling *t, const struct event_seen *e)
{
    static const char words[] = " has said nothing for ";
    for (size_t n = 0; n < t->s->nodes_len && strcmp(e->kind, "node") == 0; n++) {
        size_t len = strlen(t->s->nodes[n].name);
        if (strncmp(e->text, t->s->nodes[n].name, len) == 0 &&
            strncmp(e->text + len, words, sizeof(words) - 1) == 0)
            return answered_around(t->l, t->s, (int)n, e->wall_ms * 1000) ? (int)n : -1;
    }
    return -1;
}

/* The node noted then that its copy begins, or was filled: that is told as noted. */
static bool noted_its_copy(const struct telling *t, int node, int64_t at_us)
{
    for (size_t i = 0; i < t->l->facts.len; i++) {
        const struct fact *f = &t->l->facts.items[i];
        if (f->node == node && f->queue_uid == t->l->uid &&
            (f->kind == TRACE_SEEN_BEGINS || f->kind == TRACE_SEEN_FILLED) &&
            f->from_us > at_us - NOTICE_US && f->from_us < at_us + NOTICE_US)
            return true;
    }
    return false;
}

/* A mirror that began empty, and is in sync, while nobody asked it what it notes: its feed tells so all the
 * same. */
static void tell_mirror(struct telling *t, const struct event_seen *e, int64_t at_us)
{
    const char *queue = t->l->queue ? t->l->queue : "";
    for (size_t i = 0; i < t->s->nodes_len && strcmp(e->kind, "mirror") == 0; i++) {
        node_bits bit = (node_bits)1 << i;
        char *added = format_text("mirror of %s on %s added, empty", queue, t->s->nodes[i].name);
        char *in_sync = format_text("%s on %s in sync", queue, t->s->nodes[i].name);
        if (strcmp(e->text, added) == 0 && !noted_its_copy(t, (int)i, at_us)) {
            struct moment *m = life_add(t, MOMENT_MARK, (int)i, PARTY_NOBODY, at_us, N_("mirror, empty"));
            m->letter = 'u';
            m->fact = TRACE_SEEN_BEGINS;
            t->filling |= bit;
        } else if (strcmp(e->text, in_sync) == 0 && (t->filling & bit)) {
            life_add(t, MOMENT_MARK, (int)i, PARTY_NOBODY, at_us, N_("mirror in sync"))->letter = 'm';
            t->filling &= ~bit;
        }
        free(added);
        free(in_sync);
    }
}

/* It tells of itself that it was stopped, in order, a moment before or after the others called it down. */
static bool tells_its_stop(const struct telling *t, int node, int64_t at_us)
{
    const char *name = t->s->nodes[node].name;
    char *stopped = format_text("%s was stopped", name);
    bool tells = false;
    for (size_t i = 0; i < t->s->events_len; i++) {
        const struct event_seen *e = &t->s->events[i];
        int64_t apart_us = e->wall_ms * 1000 - at_us;
        tells = tells || (e->node && strcmp(e->node, name) == 0 && strcmp(e->text, stopped) == 0 &&
                          apart_us > -NOTICE_US && apart_us < NOTICE_US);
    }
    free(stopped);
    return tells;
}

static void tell_event(struct telling *t, const struct event_seen *e, int64_t from_us)
{
    const char *label;
    int node;
    enum node_news news = node_event(t->s, e, &node, &label);
    int64_t at_us = e->wall_ms * 1000;
    int teller = e->node ? snapshot_node_index(t->s, e->node) : -1;
    bool before = at_us + 1000 < from_us; /* it was published */
    if (news == NEWS_NONE) {
        int silent = teller >= 0 ? silent_to(t, e) : -1;
        if (silent >= 0 && !before && of_interest(t, (node_bits)1 << silent))
            tell_unlinked(t, teller, silent, at_us);
        tell_discarded(t, e, from_us);
        if (!before)
            tell_mirror(t, e, at_us);
        return;
    }
    node_bits bit = (node_bits)1 << node;
    if (news == NEWS_CALLED_DOWN && teller >= 0 && teller != node && tells_its_stop(t, node, at_us))
        return; /* one row, not another way each time */
    if (news == NEWS_CALLED_DOWN && teller >= 0 && answered_around(t->l, t->s, node, at_us)) {
        if (!before && of_interest(t, bit))
            tell_unlinked(t, teller, node, at_us);
        return;
    }
    bool down = news != NEWS_UP;
    /* before this screen looked: that others say so is all that is known */
    bool said = news == NEWS_CALLED_DOWN && teller >= 0 && at_us < t->l->began_us;
    if ((((t->down | t->silent) & bit) != 0) == down && (!(t->silent & bit) || said))
        return; /* another one says the same */
    t->down = down && !said ? t->down | bit : t->down & ~bit;
    t->silent = said ? t->silent | bit : t->silent & ~bit;
    if (before)
        t->life->down_first = t->down;
    else if (of_interest(t, bit))
        life_add(t,
                 said   ? MOMENT_SILENT
                 : down ? MOMENT_DOWN
                        : MOMENT_UP,
                 node, PARTY_NOBODY, at_us, said ? N_("called down") : label);
}

/* What no event told: this screen saw it itself. */
static void tell_absence(struct telling *t, const struct absence *a, int64_t from_us)
{
    node_bits bit = (node_bits)1 << a->node, known = t->down | t->silent;
    if (a->ends == !(known & bit))
        return;
    if (a->ends) {
        t->down &= ~bit;
        t->silent &= ~bit;
    } else if (a->said) {
        t->down |= bit;
    } else {
        t->silent |= bit;
    }
    if (a->at_us < from_us)
        t->life->down_first = t->down;
    else if (of_interest(t, bit))
        life_add(t,
                 a->ends   ? MOMENT_UP
                 : a->said ? MOMENT_DOWN
                           : MOMENT_SILENT,
                 a->node, PARTY_NOBODY, a->at_us,
                 a->ends   ? N_("answers again")
                 : a->said ? N_("not running")
                           : N_("no answer"));
}

void life_tell_around(struct telling *t, struct around *at, int64_t until_us, int64_t from_us)
{
    for (;;) {
        bool event = at->event < t->s->events_len, absence = at->absence < t->l->absences.len;
        int64_t event_us = event ? t->s->events[at->event].wall_ms * 1000 : 0;
        int64_t absence_us = absence ? t->l->absences.items[at->absence].at_us : 0;
        if (event && event_us <= until_us && (!absence || event_us <= absence_us))
            tell_event(t, &t->s->events[at->event++], from_us);
        else if (absence && absence_us <= until_us)
            tell_absence(t, &t->l->absences.items[at->absence++], from_us);
        else
            return;
    }
}

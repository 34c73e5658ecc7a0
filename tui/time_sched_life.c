/* time_sched_life.c: what one step of a schedule made of one message, as moments of the diagram
 * (part_life.c). Seen is what clients were told, what was done to nodes and links, and what each master
 * showed of its queue after the step; how a message came from one node to another in between is inferred. */
#include "time_sched_ledger.h"

#include <stdlib.h>

#include "words.h"

#define FEW_NODES 4  /* of so many every one is shown */
#define LIFE_MAX  64 /* steps that changed something, the newest */

/* ---- moments in a recording ---- */

static const char *const kinds[] = {
    [MOMENT_ARROW] = "arrow", [MOMENT_INFERRED] = "inferred", [MOMENT_MARK] = "mark",
    [MOMENT_DOWN] = "down",   [MOMENT_SILENT] = "silent",     [MOMENT_UNLINKED] = "unlinked",
    [MOMENT_UP] = "up",
};

/* ["arrow", from, to, "publish", "", bad]: parties by their index, the producer -1, the consumer -3 */
enum { CONSUMER_WRITTEN = -3 };

static int written(int party)
{
    return party == PARTY_CONSUMER ? CONSUMER_WRITTEN : party;
}

static int party_read(const json_t *json)
{
    json_int_t party = json_integer_value(json);
    return party == CONSUMER_WRITTEN                      ? PARTY_CONSUMER
           : party < PARTY_NOBODY || party >= SCHED_NODES ? PARTY_NOBODY
                                                          : (int)party;
}

bool sched_moment(const json_t *json, struct moment *out)
{
    const char *kind = json_string_value(json_array_get(json, 0));
    const char *label = json_string_value(json_array_get(json, 3));
    const char *letter = json_string_value(json_array_get(json, 4));
    *out = (struct moment){.fact = TRACE_SEEN_LEN,
                           .received = true,
                           .from = party_read(json_array_get(json, 1)),
                           .to = party_read(json_array_get(json, 2)),
                           .label = label ? label : "",
                           .letter = letter ? *letter : '\0',
                           .bad = json_is_true(json_array_get(json, 5))};
    out->returned = strcmp(out->label, "back without it") == 0;
    for (size_t i = 0; kind && i < ARRAY_LEN(kinds); i++)
        if (strcmp(kind, kinds[i]) == 0) {
            out->kind = (enum moment_kind)i;
            bool two =
                out->kind == MOMENT_ARROW || out->kind == MOMENT_INFERRED || out->kind == MOMENT_UNLINKED;
            return out->from != PARTY_NOBODY && (!two || out->to != PARTY_NOBODY);
        }
    return false;
}

struct telling {
    const struct sched_event *e;
    unsigned nodes;
    const struct replay_message *m;
    const struct sched_life *was;
    const char *letters; /* now */
    uint32_t masters;    /* who serves its queue now; 0: nobody */
    json_t *moments;
};

static void put(struct telling *t, enum moment_kind kind, int from, int to, const char *label, char letter,
                bool bad)
{
    char text[2] = {letter, '\0'};
    json_array_append_new(t->moments, json_pack("[s, i, i, s, s, b]", kinds[kind], written(from), written(to),
                                                label, text, bad));
}

static void arrow(struct telling *t, bool seen, int from, int to, const char *label)
{
    if (from != to)
        put(t, seen ? MOMENT_ARROW : MOMENT_INFERRED, from, to, label, '\0', false);
}

static void mark(struct telling *t, int node, char letter, const char *label)
{
    put(t, MOMENT_MARK, node, PARTY_NOBODY, label, letter, false);
}

/* ---- what a program does ---- */

static int first_with(const char *letters, char letter)
{
    const char *at = strchr(letters, letter);
    return at ? (int)(at - letters) : -1;
}

static void tell_publish(struct telling *t)
{
    int node = t->m->node, master = first_with(t->letters, 'M');
    if (t->m->answer == REPLAY_NOT_SERVED) {
        mark(t, node, '?', N_("serves nobody"));
        return;
    }
    arrow(t, true, PARTY_PRODUCER, node, N_("publish"));
    if (master >= 0)
        arrow(t, false, node, master, N_("forward"));
    for (unsigned n = 0; master >= 0 && n < t->nodes; n++)
        if (t->letters[n] == 'm')
            arrow(t, false, master, (int)n, N_("replicate"));
    if (t->m->answer != REPLAY_UNANSWERED)
        arrow(t, true, node, PARTY_PRODUCER,
              t->m->answer == REPLAY_CONFIRMED ? N_("confirm")
              : t->m->answer == REPLAY_REFUSED ? N_("nack")
                                               : N_("return"));
}

static void tell_consume(struct telling *t)
{
    int master = first_with(t->was->letters, 'M'), node = t->m->taken_at;
    if (node == SCHED_NONE)
        return;
    if (master >= 0)
        arrow(t, false, master, node, N_("forward"));
    arrow(t, true, node, PARTY_CONSUMER, N_("deliver"));
    arrow(t, true, PARTY_CONSUMER, node, N_("ack"));
}

/* ---- what happens to nodes and links ---- */

/* of many nodes only those that have to do with this message */
static bool of_interest(const struct telling *t, unsigned node)
{
    return t->nodes <= FEW_NODES || (t->was->letters[node] != '.' && t->was->letters[node] != '?');
}

/* the step's own words stand where it was done */
static void tell_node(struct telling *t, unsigned n)
{
    bool down = t->letters[n] == '!', was_down = t->was->letters[n] == '!';
    bool meant = t->e->nodes >> n & 1;
    if (down == was_down || !of_interest(t, n))
        return;
    const char *other = down ? N_("not running") : N_("back");
    put(t, down ? MOMENT_DOWN : MOMENT_UP, (int)n, PARTY_NOBODY, meant ? t->e->text : other, '\0', false);
}

/* nodes at which a step draws a cut */
static uint32_t cut_by(const struct sched_event *e)
{
    bool one = e->verb == SCHED_CUT || e->verb == SCHED_CUT_NOW || e->verb == SCHED_CUT_ONE_WAY;
    return one ? 1u << e->node : e->verb == SCHED_PART ? e->nodes : 0;
}

/* of the cuts that are drawn, those that it heals */
static uint32_t healed_by(const struct sched_event *e)
{
    return e->verb != SCHED_HEAL ? 0 : e->node == SCHED_NONE ? ~0u : 1u << e->node | 1u << e->other;
}

static void tell_links(struct telling *t)
{
    uint32_t cut = cut_by(t->e), healed = t->was->cut & healed_by(t->e);
    for (unsigned n = 0; n < t->nodes; n++)
        if (((cut | healed) >> n & 1) && of_interest(t, n))
            mark(t, (int)n, cut >> n & 1 ? '/' : '|', t->e->text);
}

/* ---- what its copies are then ---- */

static void tell_copy(struct telling *t, unsigned n)
{
    char was = t->was->letters[n], now = t->letters[n];
    bool served = t->was->masters >> n & 1, lost_now = t->m->lost_step && !t->was->lost;
    int master = first_with(t->letters, 'M');
    if (was == now || (now != 'M' && (t->masters >> n & 1)))
        return; /* a master without it: tell_masters */
    if (now == 'M')
        mark(t, (int)n, 'M', served ? N_("back as master") : N_("promoted"));
    else if (now == 'm' && (was == 'u' || was == '.') && master >= 0)
        arrow(t, false, master, (int)n, N_("sync"));
    else if (now == 'm')
        mark(t, (int)n, 'm', N_("mirror in sync"));
    else if (now == 'u')
        mark(t, (int)n, 'u', N_("mirror, not in sync"));
    else if (now == '.' && was != '!' && was != '?' && !lost_now)
        mark(t, (int)n, '.', N_("no mirror now"));
}

static bool is_lost_now(const struct telling *t)
{
    return t->m->lost_step && !t->was->lost;
}

/* Who serves the queue without this message; if it is lost with that, it is lost here. */
static void tell_masters(struct telling *t)
{
    bool bad = is_lost_now(t);
    for (unsigned n = 0; n < t->nodes; n++) {
        bool served = t->was->masters >> n & 1, came = strchr("!?", t->was->letters[n]) != NULL;
        if (!(t->masters >> n & 1) || t->letters[n] == 'M' || (served && !bad))
            continue;
        put(t, MOMENT_MARK, (int)n, PARTY_NOBODY,
            !served ? N_("promoted without it")
            : came  ? N_("back without it")
                    : N_("serves without it"),
            'M', bad);
        bad = false; /* once */
    }
    int node = first_with(t->was->letters, 'M');
    if (bad) /* nobody serves it: its last copies went */
        put(t, MOMENT_MARK, node < 0 ? t->m->node : node, PARTY_NOBODY, N_("its last copy is gone"), '!',
            true);
}

/* ---- together ---- */

static uint32_t masters_of(const struct replay_queue *q)
{
    uint32_t masters = 0;
    if (!q || q->state != REPLAY_RUNNING)
        return 0;
    if (!q->sides_len && q->master != SCHED_NONE)
        masters = 1u << q->master;
    for (unsigned i = 0; i < q->sides_len; i++)
        masters |= 1u << q->sides[i].master;
    return masters;
}

static void tell_step(struct telling *t)
{
    bool begins = !*t->was->letters;
    bool asked = t->e->verb == SCHED_PURGE || t->e->verb == SCHED_DELETE; /* it may have been earlier */
    if (begins)
        tell_publish(t);
    if (t->m->consumed) /* a seed's clients do it in the step in which they published it, too */
        tell_consume(t);
    if (begins && is_lost_now(t))
        tell_masters(t);
    if (begins || t->m->consumed)
        return;
    if (t->m->removed)
        for (unsigned n = 0; n < t->nodes; n++)
            if (t->was->letters[n] == 'M')
                mark(t, (int)n, '|', asked ? t->e->text : N_("removed"));
    tell_links(t);
    for (unsigned n = 0; n < t->nodes; n++)
        tell_node(t, n);
    if (t->m->removed)
        return;
    tell_masters(t);
    for (unsigned n = 0; n < t->nodes; n++)
        tell_copy(t, n);
}

void sched_live_on(struct sched_life *life, const struct sched_event *e, unsigned nodes,
                   const struct replay_message *m, const struct replay_queue *q, const char *letters,
                   json_t *fate)
{
    if (life->over)
        return;
    struct telling t = {.e = e,
                        .nodes = nodes,
                        .m = m,
                        .was = life,
                        .letters = letters,
                        .masters = masters_of(q),
                        .moments = json_array()};
    const json_t *last = json_array_get(life->entries, json_array_size(life->entries) - 1);
    tell_step(&t);
    bool changed = strcmp(life->letters, letters) != 0 || !json_equal(json_array_get(last, 2), fate);
    if (!life->entries)
        life->entries = json_array();
    if (changed || json_array_size(t.moments)) {
        if (json_array_size(life->entries) == LIFE_MAX)
            json_array_remove(life->entries, 0);
        json_array_append_new(life->entries,
                              json_pack("[s, s, O, i, O]", e->text, letters, fate, (int)e->step, t.moments));
    }
    json_decref(t.moments);
    snprintf(life->letters, sizeof(life->letters), "%s", letters);
    life->masters = t.masters ? t.masters : life->masters;
    life->cut = (life->cut & ~healed_by(e)) | cut_by(e);
    life->lost = m->lost_step != 0;
    life->over = m->consumed || m->removed || m->ending;
}

/* account.c: what became of the queues that had a copy on a node that went away: who has it, who had it, what
 * was lost, what kept the rest. Said when the lesson's steps are all seen, and nothing that was not observed;
 * what is done afterwards does not change it, nor that the screen is left or stands still: it is a fact that
 * the lesson keeps. */
#include <stdlib.h>

#include "view.h"
#include "words.h"

static const char earlier[] = N_("Seen by an earlier screen: %s");

#define MOST 4 /* queues; more are no lesson any more */

static char *names_text(const struct snapshot *s, node_bits bits)
{
    struct text t = {0};
    for (size_t i = 0; i < s->nodes_len; i++)
        if (bits & ((node_bits)1 << i))
            text_printf(&t, "%s%s", t.len ? ", " : "", s->nodes[i].name);
    return t.s ? t.s : xstrdup("");
}

enum taken { TAKEN_UNTOLD, TAKEN_IN_SYNC, TAKEN_UNSYNCED };

/* What the newest event says in which this node took the queue over; RabbitMQ does not say how level it was:
 * then what was seen when the other one served it.
 */
static enum taken how_taken_over(const struct snapshot *s, const struct queue_seen *q,
                                 const struct taking_over *t)
{
    char *begin = format_text("%s: %s promoted", q->name, s->nodes[t->to].name);
    enum taken taken = TAKEN_UNTOLD;
    for (size_t i = 0; i < s->events_len; i++) {
        const struct event_seen *e = &s->events[i];
        if (strcmp(e->kind, "promote") != 0 || strncmp(e->text, begin, strlen(begin)) != 0)
            continue;
        taken = strstr(e->text, "NOT in sync") ? TAKEN_UNSYNCED
                : strstr(e->text, "in sync")   ? TAKEN_IN_SYNC
                                               : TAKEN_UNTOLD;
    }
    free(begin);
    return taken == TAKEN_UNTOLD && t->level ? TAKEN_IN_SYNC : taken;
}

/* none of them runs: what memory alone held is gone with it (docs/trace.md) */
static bool all_ended(const struct snapshot *s, node_bits nodes)
{
    for (size_t i = 0; i < s->nodes_len; i++)
        if (nodes >> i & 1 && s->nodes[i].state != NODE_NOT_RUNNING && !s->nodes[i].gone)
            return false;
    return true;
}

/* a: may be NULL */
static json_t *stopped(const struct snapshot *s, const struct queue_seen *q, const struct away *a,
                       node_bits copies)
{
    char *nodes = names_text(s, copies);
    json_t *fact;
    bool one = (copies & (copies - 1)) == 0;
    int64_t held = q->was_messages >= 0 || !a ? q->was_messages : a->held;
    int64_t fleeting = a && held > 0 && a->in_memory <= held && all_ended(s, copies) ? a->in_memory : 0;
    if (fleeting == 1 && held == 1)
        fact = fact_of(
            N_("%s: memory alone held 1 message, on %s (not running). Expected lost; known when it is "
               "back."),
            q->name, nodes);
    else if (fleeting > 0 && fleeting == held)
        fact =
            fact_of(N_("%s: memory alone held %lld messages, on %s (not running). Expected lost; known when "
                       "it is back."),
                    q->name, (long long)held, nodes);
    else if (one && fleeting > 0)
        fact = fact_of(
            N_("%s: %lld messages are out of reach: their only copy is on %s. Memory alone held %lld: "
               "expected lost."),
            q->name, (long long)held, nodes, (long long)fleeting);
    else if (one && held == 1)
        fact = fact_of(N_("%s: 1 message is out of reach: its only copy is on %s."), q->name, nodes);
    else if (one && held >= 0)
        fact = fact_of(N_("%s: %lld messages are out of reach: their only copy is on %s."), q->name,
                       (long long)held, nodes);
    else if (one)
        fact = fact_of(N_("%s is out of reach: its only copy is on %s."), q->name, nodes);
    else
        fact = fact_of(N_("%s is out of reach: its copies are on %s."), q->name, nodes);
    free(nodes);
    return fact;
}

/* a consumer of this screen got something of it */
static bool was_consumed(const struct ledger *l, const char *queue)
{
    bool consumed = false;
    for (size_t i = 0; i < l->receipts.len; i++)
        consumed = consumed || (l->receipts.items[i].kind == TRACE_SEEN_DELIVERED &&
                                strcmp(l->receipts.items[i].queue, queue) == 0);
    for (size_t i = 0; i < l->taken.len; i++)
        consumed = consumed || (l->taken.items[i].kind == TRACE_SEEN_DELIVERED &&
                                strcmp(l->taken.items[i].queue, queue) == 0);
    return consumed;
}

/* What was kept: it is there, or what became of it. */
enum rest { REST_THERE, REST_CONSUMED, REST_EMPTIED };

static enum rest rest_of(const struct model *m, const struct queue_seen *q)
{
    const struct away *a = model_past(m, q->name);
    bool consumed = (a && a->consumed) || was_consumed(&m->ledger, q->name);
    return q->messages != 0 ? REST_THERE : consumed ? REST_CONSUMED : REST_EMPTIED;
}

/* How many were kept each time: as many as before, by the counts of both masters; -1: who counted them
 * counted others, too (published or taken between two looks), or did not; or counts late, as RabbitMQ does.
 */
static int64_t kept_count(const struct snapshot *s, const struct away *a)
{
    int64_t kept = -1;
    for (size_t i = 0; s->traces && i < a->taken_len; i++) {
        const struct taking_over *t = &a->taken[i];
        if (t->held < 0 || t->held != t->holds || (i && t->held != kept))
            return -1;
        kept = t->held;
    }
    return a->forgot ? -1 : kept;
}

/* "all 5 kept, then consumed." */
static json_t *kept_words(const struct model *m, const struct queue_seen *q, const struct away *a)
{
    static const char *const words[][3] = {
        [REST_THERE] = {N_("all kept."), N_("1 kept."), N_("all %lld kept.")},
        [REST_CONSUMED] = {N_("all kept, then consumed."), N_("1 kept, then consumed."),
                           N_("all %lld kept, then consumed.")},
        [REST_EMPTIED] = {N_("all kept, then emptied."), N_("1 kept, then emptied."),
                          N_("all %lld kept, then emptied.")}};
    int64_t kept = kept_count(m->snapshot, a);
    enum rest rest = rest_of(m, q);
    if (rest == REST_THERE && kept > 1 && q->messages >= 0 && q->messages < kept)
        return fact_of(N_("all %lld kept, %lld there now."), (long long)kept, (long long)q->messages);
    return kept > 1 ? fact_of(words[rest][2], (long long)kept) : fact_word(words[rest][kept == 1]);
}

/* one node after the other took it over; lost: something of it is, so that not all is kept */
static json_t *taken_over_again(const struct model *m, const struct queue_seen *q, const struct away *a,
                                bool lost)
{
    const struct snapshot *s = m->snapshot;
    json_t *chain = NULL;
    bool level = !a->forgot && !lost, short_of = false;
    for (size_t i = 0; i < a->taken_len; i++) {
        const struct taking_over *t = &a->taken[i];
        enum taken taken = how_taken_over(s, q, t);
        const char *to = s->nodes[t->to].name, *from = s->nodes[t->from].name;
        level = level && taken == TAKEN_IN_SYNC;
        short_of = short_of || taken == TAKEN_UNSYNCED;
        fact_add(&chain, "%s%s",
                 i ? fact_of(N_(", then %s from %s"), to, from)
                   : fact_of(N_("%s took over from %s"), to, from));
    }
    const char *format = short_of ? N_("%s: %s; not each was in sync: it lacks some.")
                         : level  ? N_("%s: %s; each copy was in sync")
                                  : N_("%s: %s.");
    json_t *fact = fact_with(format, json_string(q->name), chain);
    if (level && !short_of)
        fact_add(&fact, "%s: %s", kept_words(m, q, a));
    return fact;
}

static json_t *taken_over(const struct model *m, const struct queue_seen *q, const struct away *a, bool lost)
{
    const struct snapshot *s = m->snapshot;
    if (a->taken_len > 1)
        return taken_over_again(m, q, a, lost);
    const struct taking_over *t = &a->taken[0];
    const char *gone = s->nodes[t->from].name, *now = s->nodes[t->to].name;
    enum taken taken = how_taken_over(s, q, t);
    switch (taken == TAKEN_IN_SYNC && lost ? TAKEN_UNTOLD : taken) {
    case TAKEN_UNSYNCED:
        return fact_of(N_("%s: %s took over from %s though NOT in sync: it lacks some."), q->name, now, gone);
    case TAKEN_IN_SYNC: {
        json_t *fact =
            fact_of(rest_of(m, q) == REST_THERE ? N_("%s: %s took over from %s; its copy was in sync")
                                                : N_("%s: %s took over from %s, in sync"),
                    q->name, now, gone);
        fact_add(&fact, "%s: %s", kept_words(m, q, a));
        return fact;
    }
    case TAKEN_UNTOLD: break;
    }
    return fact_of(N_("%s: %s took over from %s."), q->name, now, gone);
}

/* of the queue that is looked at: what nobody has any more, though all who ever had it answer (ledger.h) */
static long long lost_count(const struct ledger *l)
{
    uint64_t lost = 0;
    for (size_t i = 0; i < l->fates.len; i++)
        if (l->fates.items[i].fate.verdict == VERDICT_LOST)
            lost += l->fates.items[i].last - l->fates.items[i].first + 1;
    return (long long)lost;
}

/* where the message view shows it, and elsewhere */
static const char one_shown[] = N_("%s: 1 message is lost; 3 shows where."),
                  many_shown[] = N_("%s: %lld messages are lost; 3 shows where."),
                  one_lost[] = N_("%s: 1 message is lost."), many_lost[] = N_("%s: %lld messages are lost.");
static const char one_on[] = N_("%s: 1 message is lost: its only copy was on %s, in memory alone."),
                  many_on[] =
                      N_("%s: %lld messages are lost: their only copies were on %s, in memory alone.");

/* What did not come back with the nodes that had the only copies: nobody could take it meanwhile. Where nodes
 * tell of single messages, it is they who say what is lost. */
static json_t *lost_of(const struct model *m, const struct queue_seen *q, const struct away *a)
{
    const struct ledger *l = &m->ledger;
    bool told = l->queue && strcmp(l->queue, q->name) == 0 && l->fates.len;
    long long lost = told ? lost_count(l) : a && a->back_at ? (long long)(a->missing + a->lost_earlier) : 0;
    bool elsewhere = !lost && !told; /* another queue is looked at now; what was told of this one stays */
    lost = elsewhere ? ledger_lost_of(l, q->name, false) : lost;
    if (!lost)
        return NULL;
    char *nodes = a && a->back_at && !elsewhere ? names_text(m->snapshot, a->kept_on) : NULL;
    json_t *fact;
    if (nodes && *nodes && lost == 1)
        fact = fact_of(one_on, q->name, nodes);
    else if (nodes && *nodes)
        fact = fact_of(many_on, q->name, lost, nodes);
    else if (lost == 1)
        fact = fact_of(told ? one_shown : one_lost, q->name);
    else
        fact = fact_of(told ? many_shown : many_lost, q->name, lost);
    free(nodes);
    return fact;
}

static bool told_discarded(const struct snapshot *s, const char *queue, const char *node, int64_t since_ms)
{
    char *begin = format_text("%s: what %s held on its side is discarded", queue, node);
    bool told = false;
    for (size_t i = 0; i < s->events_len && !told; i++)
        told = s->events[i].wall_ms >= since_ms && strncmp(s->events[i].text, begin, strlen(begin)) == 0;
    free(begin);
    return told;
}

/* Both sides of a partition served it, to clients of their own. */
static json_t *split(const struct model *m, const struct queue_seen *q, const struct away *a)
{
    const struct snapshot *s = m->snapshot;
    const struct ledger *l = &m->ledger;
    node_bits discarded = 0;
    for (size_t i = 0; i < s->nodes_len; i++)
        if ((a->split & ~((node_bits)1 << q->master) & ((node_bits)1 << i)) &&
            told_discarded(s, q->name, s->nodes[i].name, a->split_wall_ms))
            discarded |= (node_bits)1 << i;
    char *sides = names_text(s, a->split), *gone = names_text(s, discarded);
    json_t *fact =
        a->splits > 1 && discarded
            ? fact_of(N_("%s: in the last of %lld partitions %s served it, each side for itself; %s goes on, "
                         "what %s held is discarded."),
                      q->name, (long long)a->splits, sides, s->nodes[q->master].name, gone)
        : a->splits > 1
            ? fact_of(N_("%s: in the last of %lld partitions %s served it, each side for itself."), q->name,
                      (long long)a->splits, sides)
        : discarded ? fact_of(N_("%s: in a partition %s served it, each side for itself; %s goes on, what %s "
                                 "held is discarded."),
                              q->name, sides, s->nodes[q->master].name, gone)
                    : fact_of(N_("%s: in a partition %s served it, each side for itself."), q->name, sides);
    free(sides);
    free(gone);
    bool told = l->queue && strcmp(l->queue, q->name) == 0 && l->fates.len;
    long long lost = ledger_lost_of(l, q->name, true);
    bool other = l->queue && strcmp(l->queue, q->name) != 0;
    if (discarded && !lost && s->traces && other) /* what was not asked is not known */
        fact_add(&fact, "%s %s",
                 fact_of(N_("No message was seen to be lost with it; those of %s were followed."), l->queue));
    else if (discarded && lost >= 0 && (told || lost))
        fact_add(&fact, "%s %s",
                 lost == 1  ? fact_of(N_("1 message was lost with a losing side."))
                 : lost > 1 ? fact_of(N_("%lld messages were lost with a losing side."), lost)
                            : fact_of(N_("No message was seen to be lost with it.")));
    return fact;
}

/* By an earlier screen; takes the fact over. */
static json_t *seen_before(json_t *fact, bool before)
{
    return before ? fact_with(earlier, fact, NULL) : fact;
}

static json_t *queue_account(const struct model *m, const struct queue_seen *q)
{
    const struct snapshot *s = m->snapshot;
    const struct away *a = model_past(m, q->name);
    if (q->state == QUEUE_SEEN_STOPPED || q->state == QUEUE_SEEN_DOWN) {
        node_bits copies = a && a->copies ? a->copies : q->master >= 0 ? (node_bits)1 << q->master : 0;
        return copies ? stopped(s, q, a, copies) : NULL;
    }
    bool served = q->master >= 0 && q->state != QUEUE_SEEN_UNKNOWN;
    if (served && a && a->split)
        return seen_before(split(m, q, a), a->split_before);
    json_t *lost = lost_of(m, q, a);
    if (!served || !a || !a->taken_len || a->taken[a->taken_len - 1].to != q->master)
        return lost;
    json_t *all = seen_before(taken_over(m, q, a, lost != NULL), a->taken[a->taken_len - 1].before);
    fact_add(&all, "%s\n%s", lost);
    return all;
}

/* The lesson uses it, or the user did meanwhile: what came of others is another lesson's. A schedule names
 * none. */
static bool is_about(const struct model *m, const char *queue)
{
    char **uses = m->lesson ? m->lesson->queues : NULL;
    bool about = !uses || !*uses;
    for (; uses && *uses; uses++)
        about = about || strcmp(*uses, queue) == 0;
    for (size_t i = 0; i < m->touched.len; i++)
        about = about || strcmp(m->touched.items[i], queue) == 0;
    return about;
}

/* a new fact; NULL: there is nothing to tell */
static json_t *account_now(const struct model *m)
{
    const struct snapshot *s = m->snapshot;
    json_t *all = NULL;
    int said = 0;
    for (size_t i = 0; s && s->source >= 0 && i < s->queues_len && said < MOST; i++) {
        json_t *fact = is_about(m, s->queues[i].name) ? queue_account(m, &s->queues[i]) : NULL;
        said += fact != NULL;
        fact_add(&all, "%s\n%s", fact);
    }
    return all;
}

void account_taken_up(struct lesson *l)
{
    const char *format = json_string_value(json_array_get(l->account, 0)),
               *plain = json_string_value(l->account);
    bool nothing = !l->account || (plain && !*plain);
    if (!nothing && (!format || strcmp(format, earlier) != 0))
        l->account = fact_with(earlier, l->account, NULL);
}

/* of an account that a lesson kept, when nodes do not tell of its messages any more */
static const char *words_not_shown(const char *format)
{
    return strcmp(format, one_shown) == 0    ? _(one_lost)
           : strcmp(format, many_shown) == 0 ? _(many_lost)
                                             : lesson_words(format);
}

/* How many messages of this queue an account calls lost. */
static long long lost_in(const json_t *account, const char *queue)
{
    static const char *const ones[] = {one_shown, one_lost, one_on}, *const manys[] = {many_shown, many_lost,
                                                                                       many_on};
    const char *format = json_string_value(json_array_get(account, 0)),
               *of = json_string_value(json_array_get(account, 1)),
               *count = json_string_value(json_array_get(account, 2));
    long long lost = 0;
    for (size_t i = 1; i < json_array_size(account); i++)
        lost += lost_in(json_array_get(account, i), queue);
    for (size_t i = 0; format && of && strcmp(of, queue) == 0 && i < ARRAY_LEN(ones); i++)
        lost += strcmp(format, ones[i]) == 0 ? 1 : strcmp(format, manys[i]) == 0 && count ? atoll(count) : 0;
    return lost;
}

/* What was lost after the lesson's end, which its account says nothing of; NULL: nothing was. */
static json_t *lost_since(const struct model *m, const json_t *account)
{
    const struct snapshot *s = m->snapshot;
    json_t *all = NULL;
    for (size_t i = 0; s && s->source >= 0 && i < s->queues_len; i++) {
        const char *queue = s->queues[i].name;
        const struct away *a = model_past(m, queue);
        long long lost = ledger_lost_of(&m->ledger, queue, false) - lost_in(account, queue);
        if (lost <= 0 || (a && a->split) || !is_about(m, queue)) /* what a split cost is counted by sides */
            continue;
        json_t *fact = lost == 1 ? fact_of(one_lost, queue) : fact_of(many_lost, queue, lost);
        fact_add(&all, "%s\n%s", fact_with(N_("Since then: %s"), fact, NULL));
    }
    return all;
}

char *account_text(const struct model *m)
{
    json_t *kept = m->lesson ? m->lesson->account : NULL, *fact = kept ? json_incref(kept) : account_now(m);
    json_t *since = kept && json_is_array(kept) ? lost_since(m, kept) : NULL;
    fact_add(&fact, "%s\n%s", since);
    char *text = fact ? fact_text(fact, account_shows_loss(m) ? lesson_words : words_not_shown) : NULL;
    json_decref(fact);
    return text;
}

/* So long after the last tick what led to it is known: RabbitMQ counts messages every 5 s. */
#define SETTLED_MS 10000

void account_keep(struct model *m, bool acts)
{
    struct lesson *l = m->lesson;
    if (!l || !l->number)
        return;
    if (model_step(m) < l->steps_len) {
        json_decref(l->account);
        l->account = NULL;
        m->done_at = 0;
        return;
    }
    if (l->account || !m->snapshot)
        return;
    m->done_at = m->done_at ? m->done_at : m->snapshot->taken_at;
    if (!acts && m->snapshot->taken_at < m->done_at + SETTLED_MS)
        return;
    l->account = account_now(m);
    l->account = l->account ? l->account : json_string("");
}

json_t *account_so_far(const struct model *m)
{
    const struct lesson *l = m->lesson;
    if (!l || !l->number || !m->snapshot || model_step(m) < l->steps_len)
        return NULL;
    json_t *account = l->account ? json_incref(l->account) : account_now(m);
    return account ? account : json_string("");
}

bool account_shows_loss(const struct model *m)
{
    const struct fate_range *f = ledger_fate(&m->ledger, ledger_first(&m->ledger));
    bool done = m->lesson && m->lesson->number && model_step(m) == m->lesson->steps_len;
    return done && f && f->fate.verdict == VERDICT_LOST;
}

static int each_line(const struct model *m, const struct canvas *c, struct canvas *draw_on, struct rect r,
                     int x, int y)
{
    char *text = account_text(m), *rest = NULL;
    int rows = 0;
    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
        if (draw_on && y + rows < r.height)
            draw_paragraph(draw_on, rect_rows(r, y + rows, r.height - y - rows), x, 0, STYLE_NORMAL, line);
        rows += paragraph_rows(c, r.width - x, line);
    }
    free(text);
    return rows;
}

int account_rows(const struct model *m, const struct canvas *c, int width)
{
    return each_line(m, c, NULL, (struct rect){0, 0, width, 0}, 1, 0);
}

void draw_account(const struct model *m, struct canvas *c, struct rect r, int y)
{
    each_line(m, c, c, r, 1, y);
}

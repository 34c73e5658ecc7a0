/* notice_publish.c: "hello: 5 published, 5 confirmed", "hello: 5 acknowledged": what programs published and
 * took, as an event of the list. It is counted from what the publishers' nodes noted of single messages
 * (merge_trace.c): they number what their clients send, once, and say what they answered; what was taken the
 * master notes. Nodes note runs, and here a run is one addition: it costs the same for five and for fifty
 * thousand. (The queues' own counters would count again what is offered again after a failover, begin at 0
 * with every master, and know no confirms; a line in the nodes' feed for each turn would push everything else
 * out of it.)
 *
 * One line for each queue as long as nothing else happens: it is kept up to date, not one a look. What is
 * heard of late, by a screen that is opened later, gives the same lines: each at its own time. */
#include "lab/notice.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/vec.h"

/* What is published later than this after the last is another line, unless answers are still to come. */
#define TOGETHER_MS 3000

/* taken: acknowledged; handed_out: with auto-ack, gone with the delivery */
struct counted {
    unsigned long long published, confirmed, refused, taken, handed_out;
};

struct burst {
    const char *queue;
    bool get; /* what was taken, else what was published */
    int64_t from_ms, until_ms;
    struct counted of;
};

static char *words(const char *queue, const struct counted *c)
{
    const struct {
        unsigned long long n;
        const char *word;
    } parts[] = {{c->published, "published"},
                 {c->confirmed, "confirmed"},
                 {c->refused, "refused"},
                 {c->taken, "acknowledged"},
                 {c->handed_out, "handed out"}};
    struct text t = {0};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i].n)
            text_printf(&t, "%s%llu %s", t.len ? ", " : "", parts[i].n, parts[i].word);
    char *all = format_text("%s: %s", queue, text_str(&t));
    text_finish(&t);
    return all;
}

static const char *kind_of(const struct burst *b)
{
    return b->get ? "get" : "publish";
}

/* what the line of this burst's queue has counted; false: it is another's */
static bool counted(const struct event_seen *e, const struct burst *b, struct counted *c)
{
    size_t len = strlen(b->queue);
    *c = (struct counted){0};
    if (strcmp(e->kind, kind_of(b)) != 0 || strncmp(e->text, b->queue, len) != 0 || e->text[len] != ':')
        return false;
    for (const char *at = e->text + len + 1; at; at = strchr(at + 1, ',')) {
        char word[16] = "";
        unsigned long long n = 0;
        if (sscanf(at + (*at == ','), " %llu %15[a-z]", &n, word) != 2)
            return false;
        *(strcmp(word, "published") == 0      ? &c->published
          : strcmp(word, "confirmed") == 0    ? &c->confirmed
          : strcmp(word, "refused") == 0      ? &c->refused
          : strcmp(word, "acknowledged") == 0 ? &c->taken
                                              : &c->handed_out) = n;
    }
    return true;
}

/* A line of these may be kept up to date over another: the hint is of a count, too. */
static bool counts(const struct event_seen *e)
{
    static const char *const kinds[] = {"publish", "get", "count", "hint"};
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        any = any || strcmp(e->kind, kinds[i]) == 0;
    return any;
}

/* The queue's line, if nothing but counts came between it and this burst, and the burst belongs to it; else
 * the number of events. */
static size_t line_of(const struct snapshot *s, const struct burst *b, struct counted *c)
{
    size_t at = s->events_len;
    while (at > 0 && s->events[at - 1].wall_ms > b->until_ms)
        at--;
    while (at < s->events_len && counts(&s->events[at]))
        at++;
    while (at-- > 0 && counts(&s->events[at]))
        if (counted(&s->events[at], b, c)) {
            bool open = c->confirmed && c->confirmed + c->refused < c->published;
            bool answers = !b->get && !b->of.published;
            if (open || answers || b->from_ms <= s->events[at].wall_ms + TOGETHER_MS)
                return at;
            break;
        }
    *c = (struct counted){0};
    return s->events_len;
}

static uint64_t next_seq(const struct snapshot *s)
{
    uint64_t seq = 0;
    for (size_t i = 0; i < s->events_len; i++)
        seq = u64_max(seq, s->events[i].seq);
    return seq + 1;
}

static void take_out(struct snapshot *s, size_t i)
{
    snapshot_free_event(&s->events[i]);
    memmove(s->events + i, s->events + i + 1, (--s->events_len - i) * sizeof(*s->events));
}

static void put_where_its_time_is(struct snapshot *s, const struct event_seen *e, bool first)
{
    if (s->events_len == NOTICE_MAX_EVENTS)
        take_out(s, 0);
    size_t at = s->events_len;
    s->events = xrealloc(s->events, (s->events_len + 1) * sizeof(*s->events));
    while (at > 0 &&
           (s->events[at - 1].wall_ms > e->wall_ms || (first && s->events[at - 1].wall_ms == e->wall_ms)))
        at--;
    memmove(s->events + at + 1, s->events + at, (s->events_len++ - at) * sizeof(*s->events));
    s->events[at] = *e;
}

void notice_put_in(struct snapshot *s, struct event_seen *e, bool first)
{
    e->seq = next_seq(s);
    put_where_its_time_is(s, e, first);
}

/* takes the text over */
static void put_in(struct snapshot *s, int64_t wall_ms, const char *kind, char *text)
{
    notice_put_in(s, &(struct event_seen){.wall_ms = wall_ms, .kind = xstrdup(kind), .text = text}, false);
}

static void tell(struct snapshot *s, const struct burst *b)
{
    struct counted c;
    size_t line = line_of(s, b, &c);
    int64_t at_ms = b->until_ms;
    uint64_t seq = next_seq(s); /* not that of the line it replaces, which may be the newest: it says more */
    if (line < s->events_len) {
        at_ms = s->events[line].wall_ms > at_ms ? s->events[line].wall_ms : at_ms;
        take_out(s, line);
    }
    c.published += b->of.published;
    c.confirmed += b->of.confirmed;
    c.refused += b->of.refused;
    c.taken += b->of.taken;
    c.handed_out += b->of.handed_out;
    struct event_seen e = {
        .seq = seq, .wall_ms = at_ms, .kind = xstrdup(kind_of(b)), .text = words(b->queue, &c)};
    put_where_its_time_is(s, &e, false);
}

/* Who was listened to all the time, and says that something is missing. */
static void tell_gaps(struct snapshot *s, const struct snapshot *before)
{
    node_bits gaps = before ? s->trace_gaps & before->traces : 0;
    for (size_t i = 0; i < s->nodes_len; i++)
        if (gaps >> i & 1)
            put_in(s, s->taken_wall_ms, "publish",
                   format_text("%s did not note all: more was published than is counted", s->nodes[i].name));
}

static unsigned long long *count_of(struct burst *b, enum trace_seen_kind kind)
{
    return kind == TRACE_SEEN_ACCEPTED    ? &b->of.published
           : kind == TRACE_SEEN_CONFIRMED ? &b->of.confirmed
           : kind == TRACE_SEEN_REFUSED   ? &b->of.refused
           : kind == TRACE_SEEN_ACKED     ? &b->of.taken
                                          : &b->of.handed_out;
}

struct bursts {
    struct burst *items;
    size_t len, cap;
};

/* The one that this belongs to: the queue's last one, unless it was long before, or something else happened
 * in between, at between_ms. */
static struct burst *burst_of(struct bursts *bursts, const struct trace_seen *t, bool get, int64_t between_ms)
{
    int64_t from_ms = t->from_us / 1000;
    for (size_t i = bursts->len; i-- > 0;) {
        struct burst *b = &bursts->items[i];
        if (b->get != get || strcmp(b->queue, t->queue) != 0)
            continue;
        if (from_ms <= b->until_ms + TOGETHER_MS && between_ms <= b->until_ms)
            return b;
        break;
    }
    VEC_PUSH(bursts, (struct burst){.queue = t->queue, .get = get, .from_ms = from_ms, .until_ms = from_ms});
    return &bursts->items[bursts->len - 1];
}

void notice_published(struct snapshot *s, const struct snapshot *before, const int64_t counted_us[])
{
    struct bursts bursts = {0};
    int64_t between_ms = 0;                            /* the newest other event before what is counted */
    for (size_t i = 0, e = 0; i < s->trace_len; i++) { /* both are by time */
        const struct trace_seen *t = &s->trace[i];
        bool get = t->kind == TRACE_SEEN_ACKED || t->kind == TRACE_SEEN_AUTO_ACKED;
        if (!get && t->kind != TRACE_SEEN_ACCEPTED && t->kind != TRACE_SEEN_CONFIRMED &&
            t->kind != TRACE_SEEN_REFUSED)
            continue;
        if (counted_us && t->from_us <= counted_us[t->node])
            continue;
        for (; e < s->events_len && s->events[e].wall_ms <= t->from_us / 1000; e++)
            between_ms = counts(&s->events[e]) ? between_ms : s->events[e].wall_ms;
        struct burst *b = burst_of(&bursts, t, get, between_ms);
        *count_of(b, t->kind) += t->last - t->first + 1;
        b->until_ms = t->until_us / 1000 > b->until_ms ? t->until_us / 1000 : b->until_ms;
    }
    for (size_t i = 0; i < bursts.len; i++)
        tell(s, &bursts.items[i]);
    tell_gaps(s, before);
    VEC_FREE(&bursts);
}

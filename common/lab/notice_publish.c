/* notice_publish.c: "hello: 5 published, 5 confirmed": what programs published, as an event of the list. It
 * is counted from what the publishers' nodes noted of single messages (merge_trace.c): they number what their
 * clients send, once, and say what they answered. Nodes note runs, and here a run is one addition: it costs
 * the same for five and for fifty thousand. (The queues' own counters would count again what is offered again
 * after a failover, begin at 0 with every master, and know no confirms; a line in the nodes' feed for each
 * turn would push everything else out of it.)
 *
 * One line for each queue as long as nothing else happens: it is kept up to date, not one a look. */
#include "lab/notice.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/vec.h"

/* What is published later than this after the last is another line, unless answers are still to come. */
#define TOGETHER_MS 3000

struct published {
    unsigned long long published, confirmed, refused;
};

struct burst {
    const char *queue;
    int64_t from_ms, until_ms;
    struct published of;
};

static char *words(const char *queue, const struct published *p)
{
    if (!p->confirmed && !p->refused)
        return format_text("%s: %llu published", queue, p->published);
    if (!p->published && !p->refused)
        return format_text("%s: %llu confirmed", queue, p->confirmed);
    if (!p->published)
        return format_text("%s: %llu confirmed, %llu refused", queue, p->confirmed, p->refused);
    if (!p->refused)
        return format_text("%s: %llu published, %llu confirmed", queue, p->published, p->confirmed);
    return format_text("%s: %llu published, %llu confirmed, %llu refused", queue, p->published, p->confirmed,
                       p->refused);
}

/* what the line of this queue has counted; false: it is another's */
static bool counted(const struct event_seen *e, const char *queue, struct published *p)
{
    size_t len = strlen(queue);
    *p = (struct published){0};
    if (strcmp(e->kind, "publish") != 0 || strncmp(e->text, queue, len) != 0 || e->text[len] != ':')
        return false;
    for (const char *at = e->text + len + 1; at; at = strchr(at + 1, ',')) {
        char word[16] = "";
        unsigned long long n = 0;
        if (sscanf(at + (*at == ','), " %llu %15[a-z]", &n, word) != 2)
            return false;
        *(strcmp(word, "published") == 0   ? &p->published
          : strcmp(word, "confirmed") == 0 ? &p->confirmed
                                           : &p->refused) = n;
    }
    return true;
}

/* A line of these may be kept up to date over another: the hint is of a count, too. */
static bool counts(const struct event_seen *e)
{
    return strcmp(e->kind, "publish") == 0 || strcmp(e->kind, "count") == 0 || strcmp(e->kind, "hint") == 0;
}

/* The queue's line, if nothing but counts came between it and this burst, and the burst belongs to it; else
 * the number of events. */
static size_t line_of(const struct snapshot *s, const struct burst *b, struct published *p)
{
    size_t at = s->events_len;
    while (at > 0 && s->events[at - 1].wall_ms > b->until_ms)
        at--;
    while (at < s->events_len && counts(&s->events[at]))
        at++;
    while (at-- > 0 && counts(&s->events[at]))
        if (counted(&s->events[at], b->queue, p)) {
            bool open = p->confirmed && p->confirmed + p->refused < p->published;
            if (open || !b->of.published || b->from_ms <= s->events[at].wall_ms + TOGETHER_MS)
                return at;
            break;
        }
    *p = (struct published){0};
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
    free(s->events[i].kind);
    free(s->events[i].node);
    free(s->events[i].text);
    json_decref(s->events[i].fact);
    memmove(s->events + i, s->events + i + 1, (--s->events_len - i) * sizeof(*s->events));
}

/* takes the text over */
static void put_in(struct snapshot *s, int64_t wall_ms, char *text)
{
    struct event_seen e = {.seq = next_seq(s), .wall_ms = wall_ms, .kind = xstrdup("publish"), .text = text};
    if (s->events_len == NOTICE_MAX_EVENTS)
        take_out(s, 0);
    size_t at = s->events_len;
    s->events = xrealloc(s->events, (s->events_len + 1) * sizeof(*s->events));
    while (at > 0 && s->events[at - 1].wall_ms > wall_ms)
        at--;
    memmove(s->events + at + 1, s->events + at, (s->events_len++ - at) * sizeof(*s->events));
    s->events[at] = e;
}

static void tell(struct snapshot *s, const struct burst *b)
{
    struct published p;
    size_t line = line_of(s, b, &p);
    int64_t at_ms = b->until_ms;
    if (line < s->events_len) {
        at_ms = s->events[line].wall_ms > at_ms ? s->events[line].wall_ms : at_ms;
        take_out(s, line);
    }
    p.published += b->of.published;
    p.confirmed += b->of.confirmed;
    p.refused += b->of.refused;
    put_in(s, at_ms, words(b->queue, &p));
}

/* Who was listened to all the time, and says that something is missing. */
static void tell_gaps(struct snapshot *s, const struct snapshot *before)
{
    node_bits gaps = before ? s->trace_gaps & before->traces : 0;
    for (size_t i = 0; i < s->nodes_len; i++)
        if (gaps >> i & 1)
            put_in(s, s->taken_wall_ms,
                   format_text("%s did not note all: more was published than is counted", s->nodes[i].name));
}

void notice_published(struct snapshot *s, const struct snapshot *before)
{
    VEC(struct burst) bursts = {0};
    for (size_t i = 0; i < s->trace_len; i++) {
        const struct trace_seen *t = &s->trace[i];
        if (t->kind != TRACE_SEEN_ACCEPTED && t->kind != TRACE_SEEN_CONFIRMED &&
            t->kind != TRACE_SEEN_REFUSED)
            continue;
        struct burst *b = NULL;
        for (size_t k = 0; k < bursts.len && !b; k++)
            b = strcmp(bursts.items[k].queue, t->queue) == 0 ? &bursts.items[k] : NULL;
        if (!b) {
            VEC_PUSH(&bursts, (struct burst){.queue = t->queue, .from_ms = t->from_us / 1000});
            b = &bursts.items[bursts.len - 1];
        }
        *(t->kind == TRACE_SEEN_ACCEPTED    ? &b->of.published
          : t->kind == TRACE_SEEN_CONFIRMED ? &b->of.confirmed
                                            : &b->of.refused) += t->last - t->first + 1;
        b->until_ms = t->until_us / 1000 > b->until_ms ? t->until_us / 1000 : b->until_ms;
    }
    for (size_t i = 0; i < bursts.len; i++)
        tell(s, &bursts.items[i]);
    tell_gaps(s, before);
    VEC_FREE(&bursts);
}

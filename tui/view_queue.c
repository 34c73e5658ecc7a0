/* view_queue.c: all about the selected queue, as the management UI has it: what was asked of it, what holds
 * it, what goes through it. The list of queues is asked all the time; the rest only while this page is open.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "apart.h"
#include "predict.h"
#include "view.h"
#include "words.h"

#define WIDE 120 /* from here on two charts stand side by side */

/* the queue's own document, if it came */
static const json_t *document(const struct model *m)
{
    const json_t *o = json_object_get(m->snapshot->details, "queue");
    const char *name = json_string_value(json_object_get(o, "name"));
    return name && m->queue && strcmp(name, m->queue) == 0 ? o : NULL;
}

static void add_names(struct text *t, const struct snapshot *s, node_bits nodes, const char *what)
{
    for (size_t i = 0; i < s->nodes_len; i++)
        if (nodes & ((node_bits)1 << i))
            text_printf(t, "%s%s %s", t->len ? ", " : "", s->nodes[i].name, what);
}

/* what each of several masters says, and what one said that is away and will be discarded */
static void sides(struct page *p, const struct snapshot *s, const struct queue_seen *q)
{
    for (size_t i = 0; i < q->sides_len; i++) {
        const struct side_seen *d = &q->sides[i];
        struct text mirrors = {0};
        char all[24], ready[24], unacked[24];
        add_names(&mirrors, s, d->mirrors & d->synced, _("in sync"));
        add_names(&mirrors, s, d->mirrors & ~d->synced, _("NOT in sync"));
        page_field(p, i ? "" : _("sides"), STYLE_DOWN,
                   d->away ? _("%s had %s: %s ready, %s unacknowledged; mirrors %s; discarded once it starts")
                           : _("%s has %s: %s ready, %s unacknowledged; mirrors %s"),
                   s->nodes[d->master].name, count_text(d->messages, all), count_text(d->ready, ready),
                   count_text(d->unacked, unacked), mirrors.len ? mirrors.s : _("none"));
        text_finish(&mirrors);
    }
}

static void places(struct page *p, const struct model *m, const struct queue_seen *q)
{
    const struct snapshot *s = m->snapshot;
    const struct away *away = model_away(m, q->name);
    struct text mirrors = {0};
    add_names(&mirrors, s, q->mirrors & q->synced, _("in sync"));
    add_names(&mirrors, s, q->mirrors & ~q->synced, _("NOT in sync"));
    struct text masters = {0};
    for (size_t i = 0; i < s->nodes_len; i++)
        if (queue_seen_masters_bits(q) >> i & 1)
            text_printf(&masters, "%s%s", masters.len ? ", " : "", s->nodes[i].name);
    page_field(p, _("master"), STYLE_STRONG, "%s", masters.len ? masters.s : "?");
    text_finish(&masters);
    page_field(p, _("mirrors"), q->mirrors & ~q->synced ? STYLE_SYNCING : STYLE_NORMAL, "%s",
               queue_mirrors_untold(s, q) ? "?"
               : mirrors.len              ? mirrors.s
               : queue_untold(s, q)       ? "?"
                                          : _("none"));
    text_finish(&mirrors);
    sides(p, s, q);
    if (queue_seen_one_sided(s, q))
        page_field(p, _("one side"), STYLE_DOWN,
                   _("only the side of %s serves it; the other does not reach it"), s->nodes[q->master].name);
    if (q->sync_messages >= 0)
        page_field(p, _("syncing"), STYLE_SYNCING, _("%lld of %lld messages copied"),
                   (long long)q->sync_messages, (long long)q->was_messages);
    /* one that does not answer and is listed still stands above */
    node_bits past = away ? away->copies & ~(queue_seen_masters_bits(q) | queue_seen_mirrors(q, false)) : 0;
    if (past) {
        struct text gone = {0};
        add_names(&gone, s, past & away->masters, _("(was master)"));
        add_names(&gone, s, past & ~away->masters, _("(was mirror)"));
        page_field(p, _("away"), STYLE_DOWN, "%s", text_str(&gone));
        text_finish(&gone);
    }
}

static void rules(struct page *p, const struct model *m, const struct queue_seen *q, const json_t *o)
{
    const struct policy_seen *policy = NULL;
    for (size_t i = 0; q->policy && i < m->snapshot->policies_len; i++)
        if (strcmp(m->snapshot->policies[i].name, q->policy) == 0)
            policy = &m->snapshot->policies[i];
    if (policy)
        page_field(p, _("policy"), STYLE_NORMAL, _("%s  pattern %s  priority %lld  applies to %s"),
                   policy->name, policy->pattern, (long long)policy->priority, policy->apply_to);
    else
        page_field(p, _("policy"), STYLE_NORMAL, "%s",
                   q->policy                              ? q->policy
                   : queue_untold(m->snapshot, q)         ? "?"
                   : queue_mirrors_untold(m->snapshot, q) ? "?"
                                                          : _("none applies"));
    const char *operators = detail_text(o, "operator_policy");
    if (operators) /* RabbitMQ's alone may have one: what it says counts, whatever the policy says */
        page_field(p, _("operator's"), STYLE_NORMAL, "%s", operators);
    const char *rules_now = q->effective_definition ? q->effective_definition : "?";
    page_field(p, _("in effect"), STYLE_NORMAL, "%s",
               strcmp(rules_now, "{}") == 0 ? _("no rule of a policy") : rules_now);
    char *arguments = json_object_get(o, "arguments")
                          ? json_dumps(json_object_get(o, "arguments"), JSON_COMPACT | JSON_ENCODE_ANY)
                          : NULL;
    const char *type = detail_text(o, "type");
    const char *owner = detail_text(json_object_get(o, "owner_pid_details"), "name");
    if (owner)
        page_field(p, _("owner"), STYLE_NORMAL, "%s", owner);
    char version[24] = "";
    int64_t stored = detail_count(json_object_get(o, "backing_queue_status"), "version");
    if (stored >= 0)
        snprintf(version, sizeof(version), _(" (storage %d)"), (int)stored);
    page_field(p, _("declared"), STYLE_NORMAL, "%s%s%s%s%s%s  %s", q->durable ? _("durable") : _("transient"),
               q->exclusive ? _(", exclusive") : "", q->auto_delete ? _(", auto-delete") : "",
               type ? ", " : "", type ? type : "", version, arguments ? arguments : "");
    free(arguments);
}

static void counts(struct page *p, const struct model *m, const struct queue_seen *q)
{
    char ready[24], unacked[24], all[24], was[24];
    page_field(p, _("messages"), q->messages < 0 ? STYLE_DOWN : STYLE_NORMAL,
               _("%s: %s ready, %s unacknowledged%s%s"), count_text(q->messages, all),
               count_text(q->ready, ready), count_text(q->unacked, unacked),
               q->messages < 0 ? _("; was ") : "", q->messages < 0 ? count_text(q->was_messages, was) : "");
    if (m->lab && m->lab->engine == ENGINE_RABBITMQ && q->messages >= 0)
        page_field(p, "", STYLE_DIM, "%s",
                   _("as RabbitMQ added them up, about a second before it was asked"));
}

/* "4: 3 ready, 1 unacknowledged (1.2 kB)" */
static void held(struct page *p, const json_t *o, const char *name, const char *messages, const char *ready,
                 const char *unacked, const char *bytes)
{
    char all[24], of_ready[24], of_unacked[24], size[24];
    count_text(detail_count(o, messages), all);
    bytes_text(detail_count(o, bytes), size);
    if (ready)
        page_field(p, name, STYLE_NORMAL, _("%s: %s ready, %s unacknowledged (%s)"), all,
                   count_text(detail_count(o, ready), of_ready),
                   count_text(detail_count(o, unacked), of_unacked), size);
    else
        page_field(p, name, STYLE_NORMAL, "%s (%s)", all, size);
}

static void bytes(struct page *p, const json_t *o)
{
    char all[24], ready[24], unacked[24], persistent[24];
    page_field(p, _("bytes"), STYLE_NORMAL, _("%s: %s ready, %s unacknowledged; persistent messages: %s"),
               bytes_text(detail_count(o, "message_bytes"), all),
               bytes_text(detail_count(o, "message_bytes_ready"), ready),
               bytes_text(detail_count(o, "message_bytes_unacknowledged"), unacked),
               count_text(detail_count(o, "messages_persistent"), persistent));
    if (detail_count(o, "message_bytes_persistent") >= 0)
        page_field(p, "", STYLE_NORMAL, _("of persistent ones %s"),
                   bytes_text(detail_count(o, "message_bytes_persistent"), all));
}

/* "(default) by hello, amq.topic by a.#"; the last answer may still be about another queue */
static void bindings(struct page *p, const struct model *m, const struct queue_seen *q)
{
    const json_t *list = json_object_get(m->snapshot->details, "bindings"), *b;
    size_t i, ours = 0;
    json_array_foreach(list, i, b)
    {
        const char *to = detail_text(b, "destination"), *from = detail_text(b, "source");
        const char *key = detail_text(b, "routing_key");
        json_t *arguments = json_object_get(b, "arguments");
        if (!to || strcmp(to, q->name) != 0)
            continue;
        char *more = json_object_size(arguments) ? json_dumps(arguments, JSON_COMPACT) : NULL;
        page_field(p, ours++ ? "" : _("bindings"), STYLE_NORMAL, _("%s by %s%s%s"),
                   from && *from ? from : _("(default exchange)"), key && *key ? key : "''", more ? "  " : "",
                   more ? more : "");
        free(more);
    }
    if (!ours)
        page_field(p, _("bindings"), STYLE_NORMAL, "?"); /* the default exchange's is always there */
}

static void sizes(struct page *p, const json_t *o)
{
    char bytes[24];
    held(p, o, _("in memory"), "messages_ram", "messages_ready_ram", "messages_unacknowledged_ram",
         "message_bytes_ram");
    held(p, o, _("paged out"), "messages_paged_out", NULL, NULL, "message_bytes_paged_out");
    if (detail_count(o, "memory") >= 0)
        page_field(p, _("memory"), STYLE_NORMAL, "%s", bytes_text(detail_count(o, "memory"), bytes));
    if (detail_text(o, "idle_since"))
        page_field(p, _("idle since"), STYLE_NORMAL, "%s", detail_text(o, "idle_since"));
}

static void add_rate(struct text *t, const char *name, double rate, int64_t total)
{
    char count[24];
    if (rate < 0 && total < 0)
        return;
    text_printf(t, "%s%s ", t->len ? ",  " : "", name);
    if (rate >= 0)
        text_printf(t, _("%.1f/s"), rate);
    if (total >= 0)
        text_printf(t, _(" (%s so far)"), count_text(total, count));
}

/* Of what went out, how: the kit's nodes count deliveries and gets of a queue, RabbitMQ's also which of them
 * wanted no acknowledgement, and gets that found nothing. */
static void ways_out(struct page *p, const json_t *stats)
{
    static const struct {
        const char *key, *name;
    } ways[] = {{"deliver", N_("delivered")},
                {"deliver_no_ack", N_("delivered auto-ack")},
                {"get", N_("got")},
                {"get_no_ack", N_("got auto-ack")},
                {"get_empty", N_("got nothing")}};
    struct text t = {0};
    for (size_t i = 0; i < ARRAY_LEN(ways); i++)
        add_rate(&t, _(ways[i].name), detail_rate(stats, ways[i].key), detail_count(stats, ways[i].key));
    if (t.len)
        page_field(p, _("out by"), STYLE_NORMAL, "%s", t.s);
    text_finish(&t);
}

/* Since when a queue's master has counted: these are its own figures, and they begin at nothing with it. */
struct counting {
    enum { SINCE_UNKNOWN, SINCE_DECLARED, SINCE_TAKEN_OVER, SINCE_BACK } since;
    int64_t wall_ms; /* when that was; 0: not known */
};

static bool tells(const struct event_seen *e, const char *begin)
{
    size_t len = strlen(begin);
    return strncmp(e->text, begin, len) == 0 && (!e->text[len] || strchr(", ", e->text[len]));
}

/* What nodes tell of it last; else what this screen or one before it saw. */
static struct counting counting(const struct model *m, const struct queue_seen *q)
{
    const struct away *past = model_past(m, q->name);
    struct counting c = {SINCE_UNKNOWN, 0};
    if (q->master < 0)
        return c;
    const char *master = m->snapshot->nodes[q->master].name;
    char *begins[] = {[SINCE_DECLARED] = format_text("queue %s declared on %s", q->name, master),
                      [SINCE_TAKEN_OVER] = format_text("%s: %s promoted", q->name, master),
                      [SINCE_BACK] = format_text("%s is back on %s", q->name, master)};
    for (size_t i = 0; i < m->snapshot->events_len; i++)
        for (size_t k = SINCE_DECLARED; k < ARRAY_LEN(begins); k++)
            if (tells(&m->snapshot->events[i], begins[k]))
                c = (struct counting){k, m->snapshot->events[i].wall_ms};
    for (size_t k = SINCE_DECLARED; k < ARRAY_LEN(begins); k++)
        free(begins[k]);
    if (c.since == SINCE_UNKNOWN && past)
        c.since = past->taken_len ? SINCE_TAKEN_OVER : past->back_at ? SINCE_BACK : SINCE_UNKNOWN;
    return c;
}

/* Of one of which its master counts nothing; the caller frees it. */
static char *nothing_text(const struct counting *c, const char *master)
{
    time_t seconds = (time_t)(c->wall_ms / 1000);
    struct tm t;
    char at[16] = "?";
    localtime_r(&seconds, &t);
    if (c->wall_ms)
        snprintf(at, sizeof(at), "%02d:%02d:%02d", t.tm_hour, t.tm_min, t.tm_sec);
    switch (c->since) {
    case SINCE_DECLARED: return xstrdup(_("nothing went in or out so far"));
    case SINCE_TAKEN_OVER: return format_text(_("nothing in or out since %s took over (%s)"), master, at);
    case SINCE_BACK: return format_text(_("nothing in or out since %s is back (%s)"), master, at);
    case SINCE_UNKNOWN: break;
    }
    return format_text(_("nothing in or out since %s serves it; before that: ?"), master);
}

/* Of figures that may be less than all that ever happened; the caller frees it. NULL: they are all. RabbitMQ
 * counts on the nodes that clients talk to, by the queue's name: its master, and whether another queue had
 * that name before, are nothing to it; what a node counted goes with it. */
static char *since_text(const struct model *m, const struct counting *c, const char *master)
{
    if (!m->snapshot->traces)
        return xstrdup(_("as its clients' nodes have counted this name since they began"));
    switch (c->since) {
    case SINCE_DECLARED: break;
    case SINCE_TAKEN_OVER: return format_text(_("as %s has counted since it took over"), master);
    case SINCE_BACK: return format_text(_("as %s has counted since it is back"), master);
    case SINCE_UNKNOWN: return format_text(_("as %s has counted since it serves it"), master);
    }
    return NULL;
}

/* A served queue of which its master counts nothing has had nothing: the kit's nodes leave out what never
 * happened (RabbitMQ's may be told to count nothing). A master that does not answer tells no count of
 * messages either. */
static bool had_nothing(const struct model *m, const struct queue_seen *q, const json_t *o)
{
    return o && m->snapshot->source >= 0 && m->snapshot->traces && q->messages >= 0 &&
           (q->state == QUEUE_SEEN_RUNNING || q->state == QUEUE_SEEN_SYNCING);
}

static void rates(struct page *p, const struct model *m, const struct queue_seen *q, const json_t *o)
{
    const json_t *stats = json_object_get(o, "message_stats");
    struct text t = {0};
    add_rate(&t, _("in"), q->publish_rate, detail_count(stats, "publish"));
    add_rate(&t, _("out"), q->deliver_rate, detail_count(stats, "deliver_get"));
    add_rate(&t, _("acked"), detail_rate(stats, "ack"), detail_count(stats, "ack"));
    add_rate(&t, _("redelivered"), detail_rate(stats, "redeliver"), detail_count(stats, "redeliver"));
    struct counting since = counting(m, q);
    const char *master = q->master >= 0 ? m->snapshot->nodes[q->master].name : "?";
    char *nothing = !t.len && had_nothing(m, q, o) ? nothing_text(&since, master) : NULL;
    char *counted = t.len ? since_text(m, &since, master) : NULL;
    /* not what the charts have, each second for itself: a mean over the last 5 s or so (the kit's
     * api_rates.c; RabbitMQ samples every 5 s) */
    page_field(p, t.len ? _("rates (~5 s)") : _("rates"), STYLE_NORMAL, "%s",
               t.len     ? t.s
               : nothing ? nothing
                         : "?");
    ways_out(p, stats);
    if (counted)
        page_line(p, 14, STYLE_DIM, "%s", counted);
    free(nothing);
    free(counted);
    text_finish(&t);
}

static void consumers(struct page *p, const struct queue_seen *q, const json_t *o)
{
    const json_t *list = json_object_get(o, "consumer_details"), *entry;
    char count[24];
    size_t i;
    const json_t *capacity = json_object_get(o, "consumer_capacity"); /* RabbitMQ's alone tell it */
    capacity = capacity ? capacity : json_object_get(o, "consumer_utilisation");
    if (json_is_number(capacity) && q->consumers > 0)
        page_field(p, _("consumers"), STYLE_NORMAL, _("%s; ready to take more %.0f%% of the time"),
                   count_text(q->consumers, count), json_number_value(capacity) * 100);
    else
        page_field(p, _("consumers"), STYLE_NORMAL, "%s", count_text(q->consumers, count));
    json_array_foreach(list, i, entry)
    {
        const json_t *channel = json_object_get(entry, "channel_details");
        const char *tag = detail_text(entry, "consumer_tag"), *name = detail_text(channel, "connection_name");
        const char *status = detail_text(entry, "activity_status");
        const json_t *active = json_object_get(entry, "active");
        json_t *args = json_object_get(entry, "arguments");
        char number[24], *arguments = json_object_size(args) ? json_dumps(args, JSON_COMPACT) : NULL;
        bool single = status && strcmp(status, "single_active") == 0;
        page_field(p, "", STYLE_DIM, _("%s  %s (%s)  prefetch %s%s%s%s%s%s"), tag ? tag : "?",
                   name ? name : "?", count_text(detail_count(channel, "number"), number),
                   count_text(detail_count(entry, "prefetch_count"), count),
                   json_is_true(json_object_get(entry, "ack_required")) ? "" : _("  auto-ack"),
                   json_is_true(json_object_get(entry, "exclusive")) ? _("  exclusive") : "",
                   single                  ? _("  the single active one")
                   : json_is_true(active)  ? _("  active")
                   : json_is_false(active) ? _("  waits its turn")
                                           : _("  active ?"),
                   arguments ? "  " : "", arguments ? arguments : "");
        free(arguments);
    }
}

/* the fates of its messages, if nodes tell of them */
static void messages(struct page *p, const struct model *m)
{
    const struct ledger *l = &m->ledger;
    if (!l->queue || !m->queue || strcmp(l->queue, m->queue) != 0)
        return;
    for (size_t i = 0; i < l->fates.len && i < 5; i++) {
        const struct fate_range *f = &l->fates.items[i];
        enum style style = STYLE_NORMAL, verdict;
        struct fate fate = predict_fate(m, &f->fate);
        char *text = fate_text(m->snapshot, &fate), *told = NULL;
        if (f->fate.verdict == VERDICT_LOST) { /* that no node has it is not all that there is to say */
            told = format_text("%s  %s", verdict_word(f->fate.verdict, &verdict), text);
            style = verdict;
        }
        char *range = range_text(f, told ? told : text);
        page_field(p, i ? "" : _("fates"), style, "%s", range);
        free(range);
        free(told);
        free(text);
    }
    if (l->fates.len > 5)
        page_line(p, 14, STYLE_DIM, _("+%zu more (3: one message's life)"), l->fates.len - 5);
}

static void fill(struct page *p, const struct model *m)
{
    const struct queue_seen *q = model_queue(m);
    const json_t *o = document(m);
    if (!q) {
        page_title(p, _("Queue "), NULL);
        page_line(p, 1, STYLE_DIM, "%s", _("(no queues)"));
        return;
    }
    char *title = format_text(_("Queue %s "), q->name);
    char masters[32];
    enum style style;
    const char *apart = apart_queue_state(m, q, masters);
    page_title(p, title, apart ? apart : queue_state_words(q->state, &style));
    free(title);
    places(p, m, q);
    rules(p, m, q, o);
    if (m->snapshot->source < 0)
        page_line(p, 1, STYLE_DOWN, "%s", _("No node answers: places are those last seen."));
    if (queue_seen_masters(q) < 2) /* else there are as many counts as sides */
        counts(p, m, q);
    rates(p, m, q, o);
    consumers(p, q, o);
    if (o) {
        bytes(p, o);
        bindings(p, m, q);
        sizes(p, o);
    }
    messages(p, m);
    if (!o && m->snapshot->source >= 0)
        page_line(p, 1, STYLE_DIM, "%s", _("(its page has not come yet)"));
}

static int chart_rows(int height)
{
    return height > 36 ? 12 : height >= 24 ? 8 : height >= 18 ? 6 : 0;
}

static void draw_charts(const struct model *m, struct canvas *c, struct rect r)
{
    const struct history *h = m->queue ? model_history(m, m->queue) : NULL;
    if (!h)
        return;
    struct rect part = r;
    size_t from = chart_from(h);
    int64_t until = chart_until(m->snapshot, h);
    bool wide = r.width >= WIDE;
    part.width = wide ? r.width / 2 : r.width * 2 / 3;
    draw_chart(c, part, _("messages, 60 s:"), h->depth + from, until);
    part.x += part.width;
    part.width = r.width - part.width;
    int half = r.height / 2;
    draw_chart(c, rect_rows(part, 0, half), _("in per s:"), h->published + from, until);
    draw_chart(c, rect_rows(part, half, r.height - half), _("out per s:"), h->delivered + from, until);
}

static struct rect page_rect(struct rect r)
{
    return rect_rows(r, 0, r.height - chart_rows(r.height));
}

static void draw(const struct model *m, struct canvas *c, struct rect r)
{
    struct rect text = page_rect(r);
    page_show(m, c, text, fill);
    draw_charts(m, c, rect_rows(r, text.height, r.height - text.height));
}

static void settle(struct model *m, struct canvas *c, struct rect r)
{
    page_settle(m, c, page_rect(r), fill);
}

/* up and down choose a queue, as in the cluster; pages scroll */
static bool request(struct model *m, enum request request, enum effect *effect)
{
    *effect = EFFECT_DRAW;
    if (request == REQUEST_PAGE_BEFORE || request == REQUEST_PAGE_AFTER)
        m->scroll += request == REQUEST_PAGE_BEFORE ? 8 : -8;
    else if (request == REQUEST_DETAIL)
        *effect = model_show(m, VIEW_MESSAGE);
    else if (request == REQUEST_NODE_BEFORE || request == REQUEST_NODE_AFTER)
        *effect = model_show(m, VIEW_NODE);
    else
        return false;
    return true;
}

const struct view_ops view_queue = {.name = N_("Queue"), .draw = draw, .request = request, .settle = settle};

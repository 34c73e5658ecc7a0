/* part_message.c: one message's life as a space-time diagram: time runs down, each party has a line; what
 * went from one to another is an arrow. Only what a node saw is drawn as seen; what follows from that is
 * drawn with ~, and nobody sees what reaches a program outside the cluster unless it answers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "view.h"
#include "words.h"

#define NARROW      60 /* below: short words */
#define MIN_SPACING 7  /* "o-ack->*" */
#define MAX_SPACING 18 /* wider, and the eye loses the line */
#define GAP_US      1000000
#define MAX_LANES   (LIMIT_NODES + 2)

struct row {
    const struct moment *m;     /* NULL: another thing */
    const struct event_seen *e; /* in an opened gap */
    int64_t gap_us;             /* a gap; 0: none */
};

struct lanes {
    int x[LIMIT_NODES];     /* 0: not shown */
    int producer, consumer; /* columns */
    int spacing, hidden;    /* nodes that are not shown */
    bool narrow;
};

struct diagram {
    const struct model *m;
    struct canvas *c;
    struct life life;
    struct lanes lanes;
    VEC(struct row) rows;
    int64_t begin_us;
    uint64_t id;
};

/* Nobody chose one: the first that is lost or out of reach; else the first that came while this screen
 * looked; else the newest. */
static uint64_t shown_at_first(const struct ledger *l)
{
    uint64_t first = ledger_first(l), came = UINT64_MAX;
    const struct fate_range *f = ledger_fate(l, first);
    if (f && (f->fate.verdict == VERDICT_LOST || f->fate.verdict == VERDICT_UNAVAILABLE))
        return first;
    for (size_t i = 0; i < l->facts.len; i++) {
        const struct fact *x = &l->facts.items[i];
        if (x->kind == TRACE_SEEN_ENQUEUED && x->queue_uid == l->uid && x->from_us >= l->began_us)
            came = u64_min(came, x->first);
    }
    return came != UINT64_MAX ? came : l->fates.len ? ledger_last_number(l) : first;
}

uint64_t message_shown(const struct model *m)
{
    return m->life_chosen ? m->life_id : shown_at_first(&m->ledger);
}

/* ---- what is shown
 * ----------------------------------------------------------------------------------------- */

static void place_lanes(struct diagram *d, int width)
{
    const struct snapshot *s = d->m->snapshot;
    bool narrow = width < NARROW || (width - 19) / ((int)s->nodes_len + 1) < 9;
    int first = narrow ? 10 : 14; /* the producer's column */
    int nodes = (int)s->nodes_len, room = width - first - (narrow ? 2 : 5);
    int most = room / MIN_SPACING - 1, shown = nodes < most ? nodes : most;
    node_bits show = 0;
    shown = shown < 1 ? 1 : shown;
    for (int round = 0, left = shown; round < 2; round++) /* those that have a part in it first */
        for (int i = 0; i < nodes && left > 0; i++) {
            node_bits bit = (node_bits)1 << i;
            if ((show & bit) || (round == 0 && !(d->life.part & bit)))
                continue;
            show |= bit;
            left--;
        }
    int spacing = room / (shown + 1), lane = 1;
    spacing = spacing > MAX_SPACING ? MAX_SPACING : spacing;
    d->lanes =
        (struct lanes){.producer = first, .narrow = narrow, .spacing = spacing, .hidden = nodes - shown};
    for (int i = 0; i < nodes; i++)
        if (show & ((node_bits)1 << i))
            d->lanes.x[i] = d->lanes.producer + spacing * lane++;
    d->lanes.consumer = d->lanes.producer + spacing * lane;
}

static void add_events_between(struct diagram *d, int64_t from_us, int64_t until_us)
{
    const struct snapshot *s = d->m->snapshot;
    for (size_t i = 0; i < s->events_len; i++) {
        int64_t at = s->events[i].wall_ms * 1000;
        if (at > from_us && at < until_us)
            VEC_PUSH(&d->rows, (struct row){.e = &s->events[i]});
    }
}

static void begin(struct diagram *d, const struct model *m, struct canvas *c, int width)
{
    *d = (struct diagram){.m = m, .c = c, .id = message_shown(m)};
    ledger_life(&m->ledger, m->snapshot, d->id, &d->life);
    place_lanes(d, width);
    size_t len = d->life.moments.len;
    d->begin_us = len ? d->life.moments.items[0].at_us : 0;
    for (size_t i = 0; i < len; i++) {
        const struct moment *now = &d->life.moments.items[i], *before = i ? now - 1 : NULL;
        int64_t gap = before ? now->at_us - before->at_us : 0;
        if (gap > GAP_US && m->life_expanded)
            add_events_between(d, before->at_us, now->at_us);
        else if (gap > GAP_US)
            VEC_PUSH(&d->rows, (struct row){.gap_us = gap});
        VEC_PUSH(&d->rows, (struct row){.m = now});
    }
}

static void end(struct diagram *d)
{
    life_finish(&d->life);
    VEC_FREE(&d->rows);
}

/* ---- words
 * ------------------------------------------------------------------------------------------------- */

/* since the first moment */
static void time_text(int64_t us, bool about, char out[32])
{
    const char *sign = about ? "~" : "";
    if (us < 1000000)
        snprintf(out, 32, "%s%.1fms", sign, (double)us / 1000);
    else if (us < 600 * INT64_C(1000000))
        snprintf(out, 32, "%s%.3fs", sign, (double)us / 1e6);
    else
        snprintf(out, 32, "%s%" PRId64 "m%02" PRId64 "s", sign, us / 60000000, us / 1000000 % 60);
}

/* where it was lost, if that was seen; the caller frees it */
static char *lost_text(const struct diagram *d)
{
    const struct snapshot *s = d->m->snapshot;
    for (size_t i = 0; d->life.fate.verdict == VERDICT_LOST && i < d->life.moments.len; i++) {
        const struct moment *m = &d->life.moments.items[i];
        char at[32];
        time_text(m->at_us - d->begin_us, m->about, at);
        if (m->bad && m->from >= 0 && m->from < (int)s->nodes_len)
            return format_text(_("at %s: %s %s"), at, s->nodes[m->from].name, _(m->label));
    }
    return NULL;
}

/* "#1-#60000 confirmed" for each part of the queue, from the one before this message's on, as many as there
 * is room for; then where this message is */
static void draw_fates(const struct diagram *d, struct rect r, int y)
{
    const struct ledger *l = &d->m->ledger;
    size_t here = 0;
    int x = 1;
    while (here + 1 < l->fates.len && l->fates.items[here].last < d->id)
        here++;
    for (size_t i = here > 1 ? here - 1 : 0; i < l->fates.len; i++) {
        enum style style;
        char *word = run_word(l, i, &style), *range = range_text(&l->fates.items[i], word);
        int columns = text_columns(d->c, word);
        bool fits = x + text_columns(d->c, range) + 8 <= r.width || i + 1 == l->fates.len;
        if (fits) {
            x = canvas_put(d->c, r, x, y, i == here ? STYLE_STRONG : STYLE_DIM, range);
            canvas_restyle(d->c, (struct rect){r.x + x - columns, r.y + y, columns, 1}, style);
            x += 2;
        } else {
            x = canvas_printf(d->c, r, x, y, STYLE_DIM, "+%zu", l->fates.len - i) + 2;
        }
        free(range);
        free(word);
        if (!fits)
            break;
    }
    char *where = lost_text(d);
    if (!where && here < l->fates.len)
        where = fate_text(d->m->snapshot, &l->fates.items[here].fate);
    if (where && x + 2 + text_columns(d->c, where) <= r.width)
        canvas_printf(d->c, r, x, y, STYLE_DIM, "| %s", where);
    free(where);
}

/* ---- drawing
 * ----------------------------------------------------------------------------------------------- */

static int lane_of(const struct diagram *d, int party)
{
    if (party == PARTY_PRODUCER)
        return d->lanes.producer;
    if (party == PARTY_CONSUMER)
        return d->lanes.consumer;
    return party >= 0 && party < LIMIT_NODES ? d->lanes.x[party] : 0;
}

static void put_char(const struct diagram *d, struct rect r, int x, int y, enum style style, char ch)
{
    char text[2] = {ch, '\0'};
    if (x > 0)
        canvas_put(d->c, r, x, y, style, text);
}

/* nodes that do not run, or do not answer, at this row */
struct absent {
    node_bits down, silent;
};

static void draw_lines(const struct diagram *d, struct rect r, int y, struct absent absent)
{
    put_char(d, r, d->lanes.producer, y, STYLE_DIM, '|');
    for (size_t i = 0; i < d->m->snapshot->nodes_len; i++) {
        node_bits bit = (node_bits)1 << i;
        put_char(d, r, d->lanes.x[i], y, STYLE_DIM,
                 absent.down & bit     ? ':'
                 : absent.silent & bit ? '?'
                                       : '|');
    }
    put_char(d, r, d->lanes.consumer, y, STYLE_DIM, '|');
}

/* for an arrow without room for the word */
static const char *short_label(const char *translated, const char *label)
{
    static const struct {
        const char *label, *words;
    } known[] = {{"replicate", N_("copy")}, {"forward", N_("pass")}, {"redeliver", N_("again")},
                 {"publish", N_("pub")},    {"confirm", N_("conf")}, {"deliver", N_("give")}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(label, known[i].label) == 0)
            return _(known[i].words);
    return translated;
}

static void draw_arrow(const struct diagram *d, struct rect r, int y, const struct moment *m)
{
    int from = lane_of(d, m->from), to = lane_of(d, m->to);
    bool seen = m->kind == MOMENT_ARROW, right = to > from;
    /* what reaches a program is seen only when it acknowledges it, or prints it here */
    bool outside = m->to == PARTY_PRODUCER || m->to == PARTY_CONSUMER;
    bool arrived = seen && (!outside || m->received);
    enum style style = seen ? STYLE_NORMAL : STYLE_DIM;
    if (!from || !to || from == to)
        return;
    int left = right ? from : to, len = (right ? to - from : from - to) - 1;
    for (int i = 1; i <= len; i++)
        put_char(d, r, left + i, y, style, seen ? '-' : '~');
    put_char(d, r, right ? to - 1 : to + 1, y, style, right ? '>' : '<');
    put_char(d, r, from, y, style, 'o');
    put_char(d, r, to, y, arrived ? STYLE_STRONG : STYLE_DIM,
             arrived || m->kind == MOMENT_INFERRED ? '*' : '~');
    const char *label = _(m->label);
    if (text_columns(d->c, label) > len - 1)
        label = short_label(label, m->label);
    int columns = text_columns(d->c, label), room = len - 1, start = left + 1 + (room - columns) / 2;
    struct rect inside = r; /* a label that is too long is cut, the arrow's point stays */
    if (!right)
        start += 1;
    if (start <= left)
        start = left + 1 + !right;
    inside.width = (right ? to - 1 : from);
    canvas_put(d->c, inside, start, y, style, label);
}

static void draw_mark(const struct diagram *d, struct rect r, int y, const struct moment *m)
{
    int x = lane_of(d, m->from);
    enum style style = m->kind == MOMENT_DOWN || m->bad ? STYLE_DOWN : STYLE_STRONG;
    char letter = m->kind == MOMENT_DOWN       ? 'X'
                  : m->kind == MOMENT_SILENT   ? '?'
                  : m->kind == MOMENT_UNLINKED ? '/'
                  : m->kind == MOMENT_UP       ? '|'
                                               : m->letter;
    /* with auto-ack it leaves the queue as it is sent: before it has gone anywhere */
    char *label =
        m->fact == TRACE_SEEN_AUTO_ACKED ? xstrdup(_("sent: auto-ack"))
        : m->kind == MOMENT_UNLINKED ? format_text("%s %s", _(m->label), d->m->snapshot->nodes[m->to].name)
        : m->bad                     ? format_text(_("%s: LOST here"), _(m->label))
        : m->count ? format_text(NP_("%s, %" PRIu64 " message", "%s, %" PRIu64 " messages", m->count),
                                 _(m->label), m->count)
                   : xstrdup(_(m->label));
    if (x &&
        x + 2 + text_columns(d->c, label) > r.width) { /* without the rest; then to the left of the line */
        free(label);
        label = xstrdup(_(m->label));
    }
    int columns = text_columns(d->c, label), left = x - 1 - columns;
    put_char(d, r, x, y, style, letter ? letter : '|');
    if (x && (x + 2 + columns <= r.width || left <= d->lanes.producer))
        canvas_put(d->c, r, x + 2, y, style, label);
    else if (x)
        canvas_put(d->c, r, left, y, style, label);
    free(label);
}

static void draw_row(const struct diagram *d, struct rect r, int y, const struct row *row,
                     struct absent absent)
{
    char at[32];
    if (row->gap_us) {
        char *text = format_text(_(" %.1f s, no event for #%" PRIu64 " (e: expand) "),
                                 (double)row->gap_us / 1e6, d->id + 1);
        int left = d->lanes.producer, width = d->lanes.consumer - left + 1;
        int wanted = text_columns(d->c, text) + 2 * 4, most = r.width - left;
        width = width > wanted ? width : wanted < most ? wanted : most;
        for (int x = 0; x < width; x++)
            put_char(d, r, left + x, y, STYLE_DIM, '-');
        int x = left + (width - text_columns(d->c, text)) / 2;
        canvas_put(d->c, r, x < left ? left : x, y, STYLE_DIM, text);
        free(text);
        return;
    }
    draw_lines(d, r, y, absent);
    if (row->e) {
        time_text(row->e->wall_ms * 1000 - d->begin_us, false, at);
        canvas_printf(d->c, r, 0, y, STYLE_DIM, "%*s", d->lanes.producer - 3, at);
        char *text = event_words(row->e);
        canvas_printf(d->c, r, d->lanes.producer + 2, y, STYLE_DIM, _("%s: %s"), event_kind(row->e), text);
        free(text);
        return;
    }
    time_text(row->m->at_us - d->begin_us, row->m->about, at);
    canvas_printf(d->c, r, 0, y, STYLE_DIM, "%*s", d->lanes.producer - 3, at);
    if (row->m->kind == MOMENT_ARROW || row->m->kind == MOMENT_INFERRED)
        draw_arrow(d, r, y, row->m);
    else
        draw_mark(d, r, y, row->m);
}

static void draw_centred(const struct diagram *d, struct rect r, int x, int y, enum style style,
                         const char *text)
{
    int columns = text_columns(d->c, text);
    if (columns > d->lanes.spacing - 1) { /* what makes names differ is their end */
        const char *end = text + strlen(text);
        for (int left = d->lanes.spacing - 1; left > 0 && end > text; left--)
            end--;
        text = end;
        columns = text_columns(d->c, text);
    }
    canvas_put(d->c, r, x - columns / 2, y, style, text);
}

/* who the lines are, and what each node had of it when it came */
static void draw_parties(const struct diagram *d, struct rect r)
{
    const struct snapshot *s = d->m->snapshot;
    if (!d->lanes.narrow)
        canvas_put(d->c, r, 5, 0, STYLE_TITLE, _("time"));
    draw_centred(d, r, d->lanes.producer, 0, STYLE_TITLE, d->lanes.narrow ? _("prod.") : _("producer"));
    draw_centred(d, r, d->lanes.consumer, 0, STYLE_TITLE, d->lanes.narrow ? _("cons.") : _("consumer"));
    for (size_t i = 0; i < s->nodes_len; i++) {
        if (!d->lanes.x[i])
            continue;
        bool copy = d->life.copies & ((node_bits)1 << i);
        draw_centred(d, r, d->lanes.x[i], 0, STYLE_TITLE, s->nodes[i].name);
        if (d->life.home >= 0)
            put_char(d, r, d->lanes.x[i], 1, STYLE_NORMAL, (int)i == d->life.home ? 'M' : copy ? 'm' : '.');
    }
}

/* what each node has of the queue now */
static void draw_now(const struct diagram *d, struct rect r, int y)
{
    const struct queue_seen *q = model_queue(d->m);
    canvas_put(d->c, r, d->lanes.producer - 3 - text_columns(d->c, _("now")), y, STYLE_DIM, _("now"));
    for (size_t i = 0; q && i < d->m->snapshot->nodes_len; i++) {
        enum style style;
        char letter = copy_letter(d->m, q, (int)i, &style);
        put_char(d, r, d->lanes.x[i], y, style, letter);
    }
}

static void draw_verdict(const struct diagram *d, struct rect r, int y)
{
    const struct life *l = &d->life;
    enum style style;
    const char *word = verdict_word(l->fate.verdict, &style);
    int x = canvas_put(d->c, r, 1, y, STYLE_STRONG, _("VERDICT")) + 1;
    x = canvas_printf(d->c, r, x, y, STYLE_STRONG, "#%" PRIu64, d->id + 1) + 1;
    x = canvas_put(d->c, r, x, y, style, word) + 2;
    if (!d->m->ledger.facts.len || !l->moments.len)
        return;
    canvas_printf(d->c, r, x, y, STYLE_NORMAL,
                  d->lanes.narrow ? _("pub %u  conf %u  deliv %u  redel %u")
                                  : _("published %u  confirmed %u  delivered %u  redelivered %u"),
                  l->published, l->confirmed, l->delivered, l->redelivered);
}

/* what the picture does not say by itself; the caller frees it; NULL: nothing */
static char *caveat(const struct diagram *d)
{
    const struct snapshot *s = d->m->snapshot;
    const struct ledger *l = &d->m->ledger;
    if (!d->m->queue)
        return xstrdup(_("There is no queue yet."));
    if (!s->traces && !l->fates.len)
        return xstrdup(_("These nodes do not say what becomes of single messages (RabbitMQ does not number "
                         "them): only the queue's own changes are shown."));
    if (!l->fates.len && !d->life.moments.len)
        return xstrdup(_("No message of this queue was seen yet. p publishes one."));
    if (!d->life.moments.len && d->life.fate.held)
        return xstrdup(_("It was there before this screen looked: where it is now is all that is known."));
    node_bits gaps = l->gaps & (d->life.part ? d->life.part : l->gaps);
    if (gaps && !d->life.moments.len) {
        char *nodes = nodes_text(s, gaps),
             *text = format_text(_("%s did not note everything that happened."), nodes);
        free(nodes);
        return text;
    }
    return NULL;
}

static struct absent absent_before(const struct diagram *d, size_t row)
{
    struct absent a = {.down = d->life.down_first};
    for (size_t i = 0; i < row; i++) {
        const struct moment *m = d->rows.items[i].m;
        if (!m || (m->kind != MOMENT_DOWN && m->kind != MOMENT_SILENT && m->kind != MOMENT_UP))
            continue;
        node_bits bit = (node_bits)1 << m->from;
        a.down = m->kind == MOMENT_DOWN ? a.down | bit : a.down & ~bit;
        a.silent = m->kind == MOMENT_SILENT ? a.silent | bit : a.silent & ~bit;
    }
    return a;
}

/* How the rows of r are shared out. */
struct parts {
    int fates, parties, rows, now, verdict, legend; /* heights */
};

static struct parts share(const struct diagram *d, int height)
{
    struct parts p = {0};
    int left = height - 1, rows = (int)d->rows.len;
    p.verdict = left > 0;
    left -= p.verdict;
    p.parties = left > 3 ? 2 : left > 1;
    left -= p.parties;
    p.fates = left > 4;
    left -= p.fates;
    p.legend = left > 5;
    left -= p.legend;
    p.now = left > 4;
    left -= p.now;
    p.rows = rows < left ? rows : left;
    return p;
}

void draw_message(const struct model *m, struct canvas *c, struct rect r, int scroll)
{
    struct diagram d;
    if (life_of_schedule(m)) {
        draw_life(m, c, r, scroll);
        return;
    }
    begin(&d, m, c, r.width);
    struct parts p = share(&d, r.height);
    const char *queue = m->ledger.queue ? m->ledger.queue : m->queue;
    char *title =
        queue ? format_text(_("Message #%" PRIu64 " of %s "), d.id + 1, queue) : xstrdup(_("Message "));
    int hidden = (int)d.rows.len - p.rows, first = hidden - scroll, y = 1;
    first = first < 0 ? 0 : first > hidden ? hidden : first;
    char more[48] = "";
    if (hidden > 0)
        snprintf(more, sizeof(more), _(" %d more above, %d below "), first, hidden - first);
    else if (d.lanes.hidden)
        snprintf(more, sizeof(more), _(" +%d nodes "), d.lanes.hidden);
    else if (m->view == VIEW_MESSAGE && d.life.moments.len) /* the keys of another one; [ ] may be time's */
        snprintf(more, sizeof(more), "%s", m->replay ? _(" left, right: another ") : _(" [ and ]: another "));
    draw_title(c, r, 0, title, *more ? more : NULL);
    free(title);
    if (p.fates)
        draw_fates(&d, r, y++);
    char *note = caveat(&d);
    if (p.parties)
        draw_parties(&d, rect_rows(r, y, p.parties));
    y += p.parties;
    for (int i = 0; i < p.rows; i++)
        draw_row(&d, r, y + i, &d.rows.items[first + i], absent_before(&d, (size_t)first + (size_t)i));
    y += p.rows;
    if (note)
        draw_paragraph(c, rect_rows(r, y, r.height - y - p.verdict - p.legend), 1, 0, STYLE_DIM, note);
    else if (p.now)
        draw_now(&d, r, y);
    free(note);
    if (p.verdict)
        draw_verdict(&d, r, r.height - p.legend - 1);
    if (p.legend)
        canvas_put(c, r, 1, r.height - 1, STYLE_DIM,
                   d.lanes.narrow
                       ? _("o sent  * received  X stopped  ~ not observed")
                       : _("o sent  * received  X stopped  : not running  ~ inferred (not observed)"));
    end(&d);
}

int message_hidden_rows(const struct model *m, struct canvas *c, struct rect r)
{
    struct diagram d;
    if (life_of_schedule(m))
        return life_hidden_rows(m, c, r);
    begin(&d, m, c, r.width);
    struct parts p = share(&d, r.height);
    int hidden = (int)d.rows.len - p.rows;
    end(&d);
    return hidden > 0 ? hidden : 0;
}

int message_rows(const struct model *m, struct canvas *c, int width)
{
    struct diagram d;
    if (life_of_schedule(m))
        return life_rows(m, c, width);
    begin(&d, m, c, width);
    int rows = (int)d.rows.len + 7;
    end(&d);
    return rows;
}

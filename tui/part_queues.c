/* part_queues.c: the table of queues with the matrix of copies, and the legend under it. Columns leave from
 * the right as the terminal gets narrow; the name, the state and the matrix stay longest. Of many nodes on a
 * wide screen the matrix itself says what MIRRORS says: that leaves before the rates and the 60 s. */
#include <stdio.h>
#include <stdlib.h>

#include "apart.h"
#include "find.h"
#include "view.h"
#include "words.h"

struct columns {
    int name, state, ready, unacked, matrix, mirrors, policy, rates, history; /* start; 0: not shown */
    int name_width, policy_width, history_width;
};

#define STATE_WIDTH   8
#define APART_WIDTH   12 /* "TWO MASTERS" */
#define READY_WIDTH   8
#define UNACKED_WIDTH 6
#define MIRRORS_WIDTH 14
#define RATES_WIDTH   15
#define HISTORY_WIDTH 17
#define HISTORY_LEAST 11
#define WIDE          100
#define MANY_NODES    4 /* more than these have no cards */
#define POLICY_WIDTH  10
#define MIN_NAME      8
#define GOOD_NAME     15 /* so that the columns stay where they are when the first queues come */
#define MAX_NAME      32

static int longest_name(const struct model *m, struct canvas *c)
{
    int longest = GOOD_NAME;
    for (size_t i = 0; i < m->snapshot->queues_len; i++) {
        int columns = text_columns(c, m->snapshot->queues[i].name);
        longest = columns > longest ? columns : longest;
    }
    return longest > MAX_NAME ? MAX_NAME : longest;
}

/* of two, and not below 0 */
static int least(int a, int b)
{
    int less = a < b ? a : b;
    return less > 0 ? less : 0;
}

/* what columns there is room for, the most important ones first */
static struct columns lay_out(const struct model *m, struct canvas *c, int width)
{
    struct columns k = {.name = 1, .name_width = MIN_NAME, .history_width = HISTORY_LEAST};
    int nodes = (int)m->snapshot->nodes_len, left = width - 1 - MIN_NAME - 1;
    int state = snapshot_partitioned(m->snapshot) ? APART_WIDTH : STATE_WIDTH;
    const struct {
        int *start, needs;
    } wants[] = {
        {&k.state, state},           {&k.ready, READY_WIDTH},     {&k.matrix, nodes * 3 + 2},
        {&k.unacked, UNACKED_WIDTH}, {&k.mirrors, MIRRORS_WIDTH}, {&k.policy, POLICY_WIDTH},
        {&k.rates, RATES_WIDTH},     {&k.history, HISTORY_LEAST},
    };
    int needs_of[ARRAY_LEN(wants)] = {0};
    static const size_t first[ARRAY_LEN(wants)] = {0, 1, 2, 3, 4, 5, 6, 7},
                        of_many[ARRAY_LEN(wants)] = {0, 1, 2, 3, 6, 7, 5, 4};
    const size_t *by = nodes > MANY_NODES && width >= WIDE ? of_many : first;
    for (size_t i = 0; i < ARRAY_LEN(wants) && wants[by[i]].needs <= left; i++) {
        *wants[by[i]].start = 1;
        needs_of[by[i]] = wants[by[i]].needs;
        left -= wants[by[i]].needs;
    }
    int more = least(longest_name(m, c) - k.name_width, left);
    k.name_width += more;
    int longer = k.history ? least(HISTORY_WIDTH - HISTORY_LEAST, left - more) : 0;
    k.history_width += longer;
    needs_of[7] += longer;
    int x = 1 + k.name_width + 1;
    static const size_t order[] = {0, 1, 3, 2,
                                   4, 6, 7, 5}; /* from left to right; the policy takes the rest */
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if (!needs_of[order[i]])
            continue;
        *wants[order[i]].start = x;
        x += needs_of[order[i]];
    }
    k.policy_width = k.policy ? width - k.policy : 0;
    return k;
}

/* Without MIRRORS where the matrix of many nodes says the same. In a partition STATE takes its few more from
 * the names. */
int queues_whole_columns(const struct model *m)
{
    int nodes = (int)m->snapshot->nodes_len, whole = 1 + GOOD_NAME + 1 + STATE_WIDTH + READY_WIDTH +
                                                     UNACKED_WIDTH + nodes * 3 + 2 + POLICY_WIDTH +
                                                     RATES_WIDTH + HISTORY_LEAST;
    if (nodes <= MANY_NODES)
        return whole + MIRRORS_WIDTH;
    return whole > WIDE ? whole : WIDE;
}

/* figures, and what stands above them, end in the same column */
static void put_right_aligned(struct canvas *c, struct rect r, int x, int width, enum style style,
                              const char *text)
{
    int columns = text_columns(c, text);
    canvas_put(c, r, x + (columns < width ? width - columns : 0), 0, style, text);
}

/* What stands at the row's end, and no half of a heading before it. */
static void put_over_heading(struct canvas *c, struct rect r, const char *text)
{
    int from = r.width - text_columns(c, text);
    from = from > 0 ? from : 0;
    while (from > 0 && c->cells[r.y * c->width + r.x + from - 1].ch != ' ')
        from--;
    canvas_fill(c, (struct rect){r.x + from, r.y, r.width - from, 1}, STYLE_NORMAL);
    canvas_put_right(c, r, 0, 0, STYLE_STRONG, text);
}

unsigned queues_sortable(const struct model *m, struct canvas *c, int width)
{
    struct columns k = lay_out(m, c, width);
    return 1u << SORT_NAME | (unsigned)!!k.state << SORT_STATE | (unsigned)!!k.ready << SORT_READY |
           (unsigned)!!k.unacked << SORT_UNACKED | (unsigned)!!k.mirrors << SORT_MIRRORS |
           (unsigned)!!k.policy << SORT_POLICY | (unsigned)!!k.rates << SORT_RATE;
}

/* A heading, with a * behind it if the queues are sorted by it; width: it ends there; 0: it begins at x. By
 * name they are from the beginning: that says nothing. */
static void put_heading(const struct model *m, struct canvas *c, struct rect r, int x, int width,
                        enum sort sort, const char *text)
{
    int columns = text_columns(c, text), at = x + (columns < width ? width - columns : 0);
    at = canvas_put(c, r, at, 0, STYLE_TITLE, text);
    if (m->sort == sort && sort != SORT_NAME)
        canvas_put(c, r, at, 0, STYLE_STRONG, "*");
}

/* The columns of the nodes: "n1 n2 n3"; what makes names differ is their end. */
static void draw_heading(const struct model *m, struct canvas *c, struct rect r, const struct columns *k)
{
    put_heading(m, c, r, k->name, 0, SORT_NAME, _("QUEUE"));
    if (k->state)
        put_heading(m, c, r, k->state, 0, SORT_STATE, _("STATE"));
    if (k->ready)
        put_heading(m, c, r, k->ready, 7, SORT_READY, _("READY"));
    if (k->unacked)
        put_heading(m, c, r, k->unacked, 5, SORT_UNACKED, _("UNACK"));
    for (size_t i = 0; k->matrix && i < m->snapshot->nodes_len; i++)
        canvas_printf(c, r, k->matrix + 1 + 3 * (int)i, 0, m->node == (int)i ? STYLE_SELECTED : STYLE_TITLE,
                      "n%zu", i + 1);
    if (k->mirrors)
        put_heading(m, c, r, k->mirrors, 0, SORT_MIRRORS, _("MIRRORS"));
    if (k->rates) {
        put_heading(m, c, r, k->rates, 7, SORT_RATE, _("PUB/s"));
        put_heading(m, c, r, k->rates + 7, 7, SORTS, _("GET/s"));
    }
    if (k->history)
        put_heading(m, c, r, k->history, 0, SORTS, _("DEPTH 60 s"));
    if (k->policy)
        put_heading(m, c, r, k->policy, 0, SORT_POLICY, _("POLICY"));
}

const char *queue_state_words(enum queue_seen_state state, enum style *style)
{
    *style = state == QUEUE_SEEN_RUNNING   ? STYLE_FINE
             : state == QUEUE_SEEN_SYNCING ? STYLE_SYNCING
                                           : STYLE_DOWN;
    return _(queue_seen_state_shown(state));
}

static const char *state_text(const struct model *m, const struct queue_seen *q, enum style *style,
                              char buffer[32])
{
    const char *apart = apart_queue_state(m, q, buffer);
    *style = STYLE_DOWN;
    return apart ? apart : queue_state_words(q->state, style);
}

static int count_bits(node_bits bits)
{
    int count = 0;
    for (; bits; bits &= bits - 1)
        count++;
    return count;
}

static void draw_mirrors(const struct snapshot *s, struct canvas *c, struct rect r, int x, int y,
                         const struct queue_seen *q)
{
    int synced = count_bits(q->synced & q->mirrors), not_synced = count_bits(q->mirrors) - synced;
    if (queue_mirrors_untold(s, q))
        canvas_put(c, r, x, y, STYLE_DIM, "?");
    else if (!q->mirrors)
        canvas_put(c, r, x, y, STYLE_DIM, queue_untold(s, q) ? "?" : _("none"));
    else if (not_synced)
        canvas_printf(c, r, x, y, STYLE_SYNCING, _("+%d (%d unsync)"), synced, not_synced);
    else
        canvas_printf(c, r, x, y, STYLE_FINE, "+%d", synced);
}

static void draw_queue(const struct model *m, struct canvas *c, struct rect r, int y, const struct columns *k,
                       const struct queue_seen *q)
{
    bool selected = m->queue && strcmp(m->queue, q->name) == 0;
    char count[24], rate[24], masters[32];
    enum style style;
    const char *state = state_text(m, q, &style, masters);
    bool apart = queue_seen_masters(q) > 1;
    struct rect name = r;
    name.width = k->name + k->name_width;
    canvas_put(c, r, 0, y, selected ? STYLE_STRONG : STYLE_NORMAL, selected ? ">" : " ");
    canvas_put_name(c, name, k->name, y, selected ? STYLE_SELECTED : STYLE_NORMAL, q->name);
    if (k->state)
        canvas_put(c, r, k->state, y, style, state);
    if (apart)
        apart_counts(q, count, sizeof(count), READY_WIDTH - 1);
    else
        count_text(q->ready, count);
    if (k->ready)
        put_right_aligned(c, rect_rows(r, y, 1), k->ready, 7, STYLE_NORMAL, count);
    if (k->unacked)
        canvas_printf(c, r, k->unacked, y, STYLE_NORMAL, "%5s", count_text(q->unacked, count));
    for (size_t i = 0; k->matrix && i < m->snapshot->nodes_len; i++) {
        char letter = copy_letter(m, q, (int)i, &style);
        canvas_printf(c, r, k->matrix + 1 + 3 * (int)i, y, style, "%c", letter);
    }
    if (k->mirrors)
        draw_mirrors(m->snapshot, c, r, k->mirrors, y, q);
    const struct history *history = model_history(m, q->name);
    if (k->rates) {
        int64_t in = history ? history->published[HISTORY_LEN - 1] : -1,
                out = history ? history->delivered[HISTORY_LEN - 1] : -1;
        count_text(in, count);
        count_text(out, rate);
        canvas_printf(c, r, k->rates, y, STYLE_DIM, "%7s%7s", in < 0 ? "-" : count, out < 0 ? "-" : rate);
    }
    if (k->history && history)
        draw_sparkline(c, r, k->history, y, k->history_width - 2, history->depth + chart_from(history));
    if (k->policy)
        canvas_put(c, r, k->policy, y, STYLE_NORMAL,
                   q->policy                              ? q->policy
                   : queue_untold(m->snapshot, q)         ? "?"
                   : queue_mirrors_untold(m->snapshot, q) ? "?"
                                                          : "-");
}

/* how many more there are, over the names: "QUEUE +3", or "+3" alone */
static void put_count(struct canvas *c, struct rect r, const struct columns *k, int hidden)
{
    char *text = format_text("%s +%d", _("QUEUE"), hidden);
    bool fits = text_columns(c, text) <= k->name_width;
    struct rect name = {r.x + k->name, r.y, k->name_width, 1};
    canvas_fill(c, name, STYLE_NORMAL);
    int x = fits ? canvas_put(c, name, 0, 0, STYLE_TITLE, _("QUEUE")) + 1 : 0;
    canvas_printf(c, name, x, 0, STYLE_STRONG, "+%d", hidden);
    free(text);
}

void draw_queues(const struct model *m, struct canvas *c, struct rect r)
{
    const struct snapshot *s = m->snapshot;
    struct columns k = lay_out(m, c, r.width);
    int rows = r.height - 1, selected = 0, queues = (int)m->shown.len;
    char *status = m->view == VIEW_CLUSTER ? find_status(m) : NULL;
    draw_heading(m, c, r, &k);
    if (status)
        put_over_heading(c, r, status);
    if (queues == 0)
        canvas_put(c, r, 1, 1, STYLE_DIM,
                   s->queues_len ? _("(no queue passes the filter)") : _("(no queues)"));
    for (int i = 0; i < queues; i++)
        if (m->queue && strcmp(s->queues[m->shown.items[i]].name, m->queue) == 0)
            selected = i;
    /* what is not shown is counted in a line of its own, where there is room for one; else in the heading */
    bool counted = queues > rows && rows > 1;
    if (queues > rows && rows == 1)
        put_count(c, r, &k, queues - rows);
    rows -= counted && rows > 2;
    int first = selected >= rows ? selected - rows + 1 : 0;
    for (int i = first; i < queues && i - first < rows; i++)
        draw_queue(m, c, r, 1 + i - first, &k, &s->queues[m->shown.items[i]]);
    int below = queues - first - rows;
    char *more = !counted                 ? NULL
                 : first > 0 && below > 0 ? format_text(_(" +%d above, +%d below"), first, below)
                 : first > 0              ? format_text(_(" +%d above"), first)
                                          : format_text(_(" +%d below"), below);
    if (more)
        canvas_put_right(c, r, 0, r.height - 1, STYLE_DIM, more);
    free(status);
    free(more);
}

/* ---- legend
 * ----------------------------------------------------------------------------------------------------- */

/* the nodes that had copies of it, one or several, by name */
static char *copies_text(const struct model *m, const struct queue_seen *q)
{
    const struct away *a = model_away(m, q->name);
    node_bits master = q->master >= 0 ? (node_bits)1 << q->master : 0;
    return nodes_text(m->snapshot, a ? a->copies : master);
}

static bool unserved(const struct queue_seen *q)
{
    return q->state == QUEUE_SEEN_STOPPED || q->state == QUEUE_SEEN_DOWN;
}

/* Its master was out of their view already when it stopped: they lost it by the cut, and call it down however
 * it was stopped. That its links are cut now says nothing: that may have come later. */
static bool lost_by_cut(const struct model *m, const struct queue_seen *q)
{
    const struct snapshot *s = m->snapshot;
    if (q->state != QUEUE_SEEN_DOWN || q->master < 0 || s->source < 0)
        return false;
    return (apart_stopped(m) | apart_listed(m, s->source)) >> q->master & 1;
}

/* why nobody serves it; the caller frees it. brief: where its one copy is, in fewer words */
static char *unserved_text(const struct model *m, const struct queue_seen *q, bool brief)
{
    bool stopped = q->state == QUEUE_SEEN_STOPPED;
    char *nodes = copies_text(m, q), *text;
    if (q->mirrors)
        text = format_text(stopped ? _("%s STOPPED: no copy may take over until its node is back")
                                   : _("%s DOWN: no copy may take over until its node is back"),
                           q->name);
    else if (!*nodes)
        text = format_text(stopped ? _("%s STOPPED: its only copy is on a node that is away")
                                   : _("%s DOWN: its only copy is on a node that is away"),
                           q->name);
    else if (lost_by_cut(m, q))
        text = format_text(_("%s DOWN: its only copy is on %s, cut off before it went"), q->name, nodes);
    else if (brief)
        text = format_text(stopped ? _("%s STOPPED: only on %s") : _("%s DOWN: only on %s"), q->name, nodes);
    else
        text = format_text(stopped ? _("%s STOPPED: its only copy is on %s")
                                   : _("%s DOWN: its only copy is on %s"),
                           q->name, nodes);
    free(nodes);
    return text;
}

/* Its master does not run, no other took over, and RabbitMQ gives it no state: the mirrors are not in sync.
 */
static bool leaderless(const struct snapshot *s, const struct queue_seen *q)
{
    node_bits runs = 0;
    for (size_t i = 0; i < s->nodes_len; i++)
        runs |= s->nodes[i].answers ? (node_bits)1 << i : 0;
    return s->source >= 0 && q->state == QUEUE_SEEN_UNKNOWN && q->master >= 0 &&
           s->nodes[q->master].state == NODE_NOT_RUNNING && (q->mirrors & runs) && !(q->synced & runs);
}

/* What is wrong, first of all with the queue that is selected; NULL: nothing. The caller frees it. *asked: it
 * says what ? is. */
static char *trouble(const struct model *m, bool brief, bool *asked)
{
    const struct snapshot *s = m->snapshot;
    const struct queue_seen *worst = model_queue(m);
    *asked = s->source < 0;
    if (s->moved_to)
        return format_text(_("The lab runs on other ports now (AMQP %d): q, then call lab as before."),
                           s->moved_to);
    if (s->source < 0)
        return xstrdup(_("No node answers: states and counts are unknown (?); places are those last seen."));
    if (worst && leaderless(s, worst))
        return format_text(_("%s: its master %s does not run, no mirror is in sync"), worst->name,
                           s->nodes[worst->master].name);
    worst = worst && unserved(worst) ? worst : NULL;
    for (size_t i = 0; i < s->queues_len && !worst; i++)
        worst = s->queues[i].state == QUEUE_SEEN_STOPPED ? &s->queues[i] : NULL;
    for (size_t i = 0; i < s->queues_len && !worst; i++)
        worst = s->queues[i].state == QUEUE_SEEN_DOWN ? &s->queues[i] : NULL;
    if (worst)
        return unserved_text(m, worst, brief);
    for (size_t i = 0; i < s->queues_len; i++)
        *asked = *asked || (s->queues[i].ready < 0 && !s->queues[i].sides_len);
    if (*asked)
        return xstrdup(_("? = nobody can say now: the node that serves the queue does not tell (yet)"));
    return NULL;
}

/* The letters under n1 n2 n3, and ? for what nobody can say: in the order in which they are explained. */
static const struct sign {
    char letter;
    const char *words, *brief;
} signs[] = {{'M', N_("M master"), N_("M master")},
             {'m', N_("m mirror in sync"), N_("m mirror")},
             {'u', N_("u NOT in sync"), N_("u unsync")},
             {'.', N_(". no copy"), N_(". none")},
             {'!', N_("! node away (was M, m)"), N_("! away")},
             {'?', N_("? unknown"), N_("? unknown")}};

/* which of them the table has, a bit each */
static unsigned letters_of_table(const struct model *m)
{
    unsigned seen = 0;
    for (size_t i = 0; i < m->shown.len; i++) {
        const struct queue_seen *q = &m->snapshot->queues[m->shown.items[i]];
        for (size_t n = 0; n < m->snapshot->nodes_len; n++) {
            enum style style;
            char letter = copy_letter(m, q, (int)n, &style);
            for (size_t k = 0; k < ARRAY_LEN(signs); k++)
                seen |= signs[k].letter == letter ? 1u << k : 0;
        }
    }
    return seen;
}

static int signs_columns(const struct canvas *c, unsigned which, bool brief)
{
    int columns = 0;
    for (size_t k = 0; k < ARRAY_LEN(signs); k++)
        columns += which >> k & 1 ? 2 + text_columns(c, _(brief ? signs[k].brief : signs[k].words)) : 0;
    return columns;
}

/* those of these that fit from x on; where it ends */
static int draw_signs(struct canvas *c, struct rect r, int x, unsigned which, bool brief)
{
    for (size_t k = 0; k < ARRAY_LEN(signs); k++) {
        const char *words = _(brief ? signs[k].brief : signs[k].words);
        if (!(which >> k & 1) || (x > 1 && x + text_columns(c, words) > r.width))
            continue;
        x = canvas_put(c, r, x, 0, STYLE_DIM, words) + 2;
    }
    return x;
}

#define SIGNS_WELL 0x1fu /* all but ?: when nothing is wrong */
#define SIGN_ASKED 0x20u

/* a figure of the table is ? */
static bool asks(const struct model *m)
{
    bool any = false;
    for (size_t i = 0; i < m->shown.len; i++) {
        const struct queue_seen *q = &m->snapshot->queues[m->shown.items[i]];
        any = any || (q->ready < 0 && !q->sides_len) || q->unacked < 0;
    }
    return any;
}

/* Of these those that have room: what can be guessed goes first, what something is away or unknown by last.
 */
static unsigned signs_that_fit(const struct canvas *c, unsigned which, int columns)
{
    static const char goes[] = ".mMu!";
    for (const char *at = goes; *at && signs_columns(c, which, true) > columns; at++)
        for (size_t k = 0; k < ARRAY_LEN(signs); k++)
            which &= signs[k].letter == *at ? ~(1u << k) : ~0u;
    return which;
}

/* What is wrong, and what the letters mean that are in the table, a ? among its figures, too: these rather
 * than the long words of either; then what else there is room for. Where nothing is wrong, and nothing
 * unknown, what all letters mean. Nothing moves when something goes wrong. */
void draw_legend(const struct model *m, struct canvas *c, struct rect r)
{
    bool asked = false;
    char *apart = apart_advice(m), *what = apart ? apart : trouble(m, false, &asked);
    unsigned seen = letters_of_table(m) | (asks(m) && !asked ? SIGN_ASKED : 0);
    if (!what && !(seen & SIGN_ASKED)) {
        draw_signs(c, r, 1, SIGNS_WELL, false);
        return;
    }
    int before = what ? 1 + text_columns(c, what) : -1; /* two columns before each sign */
    bool brief = before + signs_columns(c, seen, false) > r.width;
    if (brief && what && !apart && before + signs_columns(c, seen, true) > r.width) {
        free(what);
        what = trouble(m, true, &asked);
        before = 1 + text_columns(c, what);
    }
    int x = what ? canvas_put(c, r, 1, 0, STYLE_DOWN, what) + 2 : 1;
    unsigned first = brief ? signs_that_fit(c, seen, r.width - before) : seen;
    x = draw_signs(c, r, x, first, brief);
    x = draw_signs(c, r, x, SIGN_ASKED & ~first, brief);
    draw_signs(c, r, x, SIGNS_WELL & ~first, brief);
    free(what);
}

void draw_letters(const struct model *const *models, size_t len, const char *more, struct canvas *c,
                  struct rect r)
{
    unsigned seen = 0;
    for (size_t i = 0; i < len; i++)
        seen |= letters_of_table(models[i]);
    int beside = more ? text_columns(c, more) : 0;
    int x = draw_signs(c, r, 1, seen, 1 + signs_columns(c, seen, false) + beside > r.width);
    if (more && (x == 1 || x + beside <= r.width))
        canvas_put(c, r, x, 0, STYLE_DIM, more);
}

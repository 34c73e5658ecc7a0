/* compare.c: see compare.h. Steps are aligned by their words: the longest run of equal ones in the same
 * order; what was done on one side only has a line of its own. */
#include "compare.h"

#include <stdio.h>
#include <stdlib.h>

#include "predict.h"
#include "view.h"
#include "words.h"

#define STEP_MS 2000 /* how long one line is shown while it plays */

/* A line of both: an index into the side's marks, -1: nothing was done there. */
struct pair {
    int mark[2];
};

struct side {
    struct player *player;
    char *name;
    VEC(size_t) marks; /* moments */
};

struct compare {
    struct side sides[2];
    VEC(struct pair) lines;
    size_t at; /* lines that have happened: 0 .. lines.len */
    bool playing;
    ms_time waited;
};

/* ---- aligning
 * ------------------------------------------------------------------------------------------------ */

static const char *mark_text(const struct side *s, size_t i)
{
    return player_recording(s->player)->moments.items[s->marks.items[i]].mark;
}

static void find_marks(struct side *s)
{
    const struct recording *r = player_recording(s->player);
    for (size_t i = 0; i < r->moments.len; i++)
        if (r->moments.items[i].mark)
            VEC_PUSH(&s->marks, i);
}

/* same[a][b]: how many can be aligned of what comes from a and from b on; rows of (right + 1) */
static void align(struct compare *c)
{
    struct side *l = &c->sides[0], *r = &c->sides[1];
    size_t left = l->marks.len, right = r->marks.len, width = right + 1;
    uint32_t *same = xcalloc((left + 1) * width, sizeof(*same));
    for (size_t a = left; a-- > 0;)
        for (size_t b = right; b-- > 0;) {
            uint32_t skip = same[(a + 1) * width + b], other = same[a * width + b + 1];
            bool equal = strcmp(mark_text(l, a), mark_text(r, b)) == 0;
            uint32_t best = skip > other ? skip : other;
            same[a * width + b] = equal ? same[(a + 1) * width + b + 1] + 1 : best;
        }
    for (size_t a = 0, b = 0; a < left || b < right;) {
        struct pair p = {{(int)a, (int)b}};
        bool both = a < left && b < right;
        if (!both || strcmp(mark_text(l, a), mark_text(r, b)) != 0) {
            bool left_first =
                a < left && (b == right || same[(a + 1) * width + b] >= same[a * width + b + 1]);
            p.mark[left_first ? 1 : 0] = -1;
        }
        a += p.mark[0] >= 0;
        b += p.mark[1] >= 0;
        VEC_PUSH(&c->lines, p);
    }
    free(same);
}

/* ---- moving
 * -------------------------------------------------------------------------------------------------- */

/* The side's own next mark after so many lines: it is shown up to there. */
static void move_side(struct compare *c, int which)
{
    struct side *s = &c->sides[which];
    const struct recording *r = player_recording(s->player);
    size_t done = 0;
    for (size_t i = 0; i < c->at; i++)
        done += c->lines.items[i].mark[which] >= 0;
    player_to(s->player, done < s->marks.len ? s->marks.items[done] : r->moments.len);
}

static void move_to(struct compare *c, size_t at)
{
    c->at = at;
    move_side(c, 0);
    move_side(c, 1);
}

bool compare_step(struct compare *c)
{
    if (c->at == c->lines.len)
        return false;
    move_to(c, c->at + 1);
    return true;
}

void compare_request(struct compare *c, enum request request)
{
    struct model *m = player_model(c->sides[0].player);
    free(m->message);
    m->message = NULL;
    if (request == REQUEST_LATER)
        compare_step(c);
    else if (request == REQUEST_EARLIER && c->at > 0)
        move_to(c, c->at - 1);
    else if (request == REQUEST_SEEK_ON)
        move_to(c, c->lines.len);
    else if (request == REQUEST_SEEK_BACK)
        move_to(c, 0);
    else if (request == REQUEST_PAUSE) {
        if (!c->playing && c->at == c->lines.len)
            move_to(c, 0);
        c->playing = !c->playing;
        c->waited = 0;
    }
    if (request == REQUEST_LATER || request == REQUEST_EARLIER)
        c->playing = false;
}

ms_time compare_due(const struct compare *c)
{
    return c->playing ? STEP_MS - c->waited : UINT64_MAX;
}

void compare_pass(struct compare *c, ms_time ms)
{
    if (!c->playing)
        return;
    c->waited += ms;
    while (c->waited >= STEP_MS && c->at < c->lines.len) {
        c->waited -= STEP_MS;
        move_to(c, c->at + 1);
    }
    if (c->at == c->lines.len)
        c->playing = false;
    c->waited = c->playing ? c->waited : 0;
}

/* ---- drawing
 * ------------------------------------------------------------------------------------------------- */

static int draw_nodes_line(const struct model *m, struct canvas *c, struct rect r)
{
    int x = 0;
    for (size_t i = 0; i < m->snapshot->nodes_len; i++) {
        const struct node_seen *n = &m->snapshot->nodes[i];
        x = canvas_put(c, r, x, 0, STYLE_NORMAL, n->name) + 1;
        switch (n->state) {
        case NODE_UP: x = canvas_put(c, r, x, 0, STYLE_FINE, _("UP")); break;
        case NODE_NOT_RUNNING: x = canvas_put(c, r, x, 0, STYLE_DOWN, _("OFF")); break;
        case NODE_UNKNOWN: x = canvas_put(c, r, x, 0, STYLE_DOWN, "?"); break;
        }
        x += 2;
    }
    return 1;
}

/* the most it was seen to hold so far */
static int64_t most_held(const struct model *m, const struct queue_seen *q)
{
    const struct history *h = model_history(m, q->name);
    int64_t most = q->messages > q->was_messages ? q->messages : q->was_messages;
    for (size_t i = 0; h && i < HISTORY_LEN; i++)
        most = h->depth[i] > most ? h->depth[i] : most;
    return most;
}

static void draw_queue(const struct model *m, const struct queue_seen *q, struct canvas *c, struct rect r)
{
    struct rect name = r;
    name.width = r.width > 36 ? 16 : r.width / 2;
    canvas_put(c, name, 1, 0, STYLE_NORMAL, q->name);
    int x = name.width;
    for (size_t i = 0; i < m->snapshot->nodes_len; i++, x += 2) {
        enum style style;
        char letter[2] = {copy_letter(m, q, (int)i, &style), '\0'};
        canvas_put(c, r, x, 0, style, letter);
    }
    char now[24], most[24];
    count_text(q->messages, now);
    bool away = q->messages<0, had = most_held(m, q)> q->messages;
    x = canvas_put(c, r, x, 0, away ? STYLE_DOWN : STYLE_STRONG,
                   away ? _(queue_seen_state_name(q->state)) : now) +
        1;
    count_text(most_held(m, q), most);
    if (had)
        canvas_printf(c, r, x, 0, STYLE_DIM, away ? _("was %s") : _("had %s"), most);
}

static int draw_queues_of(const struct model *m, struct canvas *c, struct rect r)
{
    int y = 0;
    for (size_t i = 0; i < m->snapshot->queues_len && y < r.height; i++)
        draw_queue(m, &m->snapshot->queues[i], c, rect_rows(r, y++, 1));
    if (y == 0)
        canvas_put(c, r, 1, y++, STYLE_DIM, _("(no queues)"));
    return y;
}

static void draw_fate(const struct model *m, struct canvas *c, struct rect r, int y,
                      const struct fate_range *f)
{
    enum style style;
    struct life life;
    ledger_life(&m->ledger, m->snapshot, f->first, &life);
    struct fate fate = predict_fate(m, &f->fate);
    char *range = range_text(f, life_word(&life, &style)), *why = fate_text(m->snapshot, &fate);
    int x = canvas_put(c, r, 1, y, STYLE_NORMAL, m->ledger.queue);
    x = canvas_put(c, r, x + 1, y, style, range);
    canvas_put(c, r, x + 1, y, STYLE_DIM, why);
    life_finish(&life);
    free(range);
    free(why);
}

/* Of a recording: what its nodes told of the messages of the queue that was looked at, and of other queues
 * how many did not come back. c: NULL to count the rows only. */
static int draw_told(const struct model *m, struct canvas *c, struct rect r)
{
    const struct ledger *l = &m->ledger;
    int y = 0;
    for (size_t i = 0; l->queue && i < l->fates.len; i++, y++)
        if (c && y < r.height)
            draw_fate(m, c, r, y, &l->fates.items[i]);
    for (size_t i = 0; i < m->snapshot->queues_len; i++) {
        const struct queue_seen *q = &m->snapshot->queues[i];
        const struct away *past = model_past(m, q->name);
        bool told = l->queue && l->fates.len && strcmp(l->queue, q->name) == 0;
        bool unserved = q->state == QUEUE_SEEN_STOPPED || q->state == QUEUE_SEEN_DOWN;
        if (told || !past || past->held <= 0 || !(unserved || past->missing > 0))
            continue;
        if (c && y < r.height)
            canvas_printf(c, r, 1, y, STYLE_DOWN, unserved ? _("%s: %lld UNAVAILABLE") : _("%s: %lld LOST"),
                          q->name, (long long)(unserved ? past->held : past->missing));
        y++;
    }
    return y;
}

static void draw_fates(const struct model *m, struct canvas *c, struct rect r)
{
    if (!m->fates.len)
        draw_told(m, c, r);
    for (size_t i = 0; i < m->fates.len && (int)i < r.height; i++) {
        const struct fate_seen *f = &m->fates.items[i];
        enum style style = f->lost ? STYLE_DOWN : STYLE_NORMAL;
        int x = canvas_put(c, r, 1, (int)i, style, f->message);
        canvas_put(c, r, x + 1, (int)i, style, f->fate);
    }
}

static void draw_lines(const struct compare *cmp, struct canvas *c, struct rect r, int which)
{
    const struct side *s = &cmp->sides[which];
    int len = (int)cmp->lines.len, from = (int)cmp->at - r.height / 2 - 1;
    from = from + r.height > len ? len - r.height : from;
    from = from < 0 ? 0 : from;
    for (int y = 0; y < r.height && from + y < len; y++) {
        int i = from + y, mark = cmp->lines.items[i].mark[which];
        bool done = (size_t)i < cmp->at;
        if ((size_t)i + 1 == cmp->at)
            canvas_put(c, r, 0, y, STYLE_STRONG, ">");
        if (mark >= 0)
            canvas_put(c, r, 1, y,
                       (size_t)i + 1 == cmp->at ? STYLE_STRONG
                       : done                   ? STYLE_NORMAL
                                                : STYLE_DIM,
                       mark_text(s, (size_t)mark));
        else
            canvas_put(c, r, 1, y, STYLE_DIM, "-");
    }
}

static int queue_rows(const struct compare *cmp)
{
    size_t rows = 1;
    for (int i = 0; i < 2; i++) {
        const struct model *m = player_model(cmp->sides[i].player);
        rows = m->snapshot->queues_len > rows ? m->snapshot->queues_len : rows;
    }
    return rows > 8 ? 8 : (int)rows;
}

static int fate_rows(const struct compare *cmp)
{
    size_t rows = 0;
    for (int i = 0; i < 2; i++) {
        const struct model *m = player_model(cmp->sides[i].player);
        size_t here = m->fates.len ? m->fates.len : (size_t)draw_told(m, NULL, (struct rect){0});
        rows = here > rows ? here : rows;
    }
    return rows > 6 ? 6 : (int)rows;
}

/* title, nodes, queues, steps, fates: the same rows on both sides */
static void draw_side(const struct compare *cmp, struct canvas *c, struct rect r, int which)
{
    const struct side *s = &cmp->sides[which];
    const struct model *m = player_model(s->player);
    int queues = queue_rows(cmp), fates = fate_rows(cmp), y = 0;
    draw_title(c, rect_rows(r, y++, 1), 0, s->name, NULL);
    draw_nodes_line(m, c, rect_rows(r, y++, 1));
    draw_queues_of(m, c, rect_rows(r, y, queues));
    y += queues;
    int rest = r.height - y - 1 - (fates ? fates + 1 : 0);
    draw_title(c, rect_rows(r, y++, 1), 0, _("What was done"), NULL);
    draw_lines(cmp, c, rect_rows(r, y, rest), which);
    y += rest > 0 ? rest : 0;
    if (fates) {
        draw_title(c, rect_rows(r, y++, 1), 0, _("What became of each message"), NULL);
        draw_fates(m, c, rect_rows(r, y, fates));
    }
}

static bool is_schedule(const struct side *s)
{
    const char *dot = strrchr(s->name, '.');
    return dot && strcmp(dot, ".sched") == 0;
}

static const char *what_they_are(const struct compare *cmp)
{
    int schedules = is_schedule(&cmp->sides[0]) + is_schedule(&cmp->sides[1]);
    return schedules == 2 ? _("two schedules")
           : schedules    ? _("a schedule and a recording")
                          : _("two recordings");
}

void compare_draw(const struct compare *cmp, struct canvas *c)
{
    struct rect all = {0, 0, c->width, c->height};
    char position[48];
    canvas_fill(c, all, STYLE_NORMAL);
    int x = canvas_put(c, all, 0, 0, STYLE_STRONG, "mirrorlab") + 1;
    x = canvas_put(c, all, x, 0, STYLE_NORMAL, what_they_are(cmp)) + 1;
    x = canvas_put(c, all, x, 0, STYLE_DIM, "|") + 1;
    canvas_put(c, all, x, 0, STYLE_STRONG, _("REPLAY"));
    snprintf(position, sizeof(position), "%s %zu/%zu", cmp->playing ? "x1" : "||", cmp->at, cmp->lines.len);
    canvas_put_right(c, all, 0, 0, STYLE_DIM, position);
    struct rect left = rect_rows(all, 1, c->height - 2), right = left;
    left.width = (c->width - 1) / 2;
    right.x = left.width + 1;
    right.width = c->width - right.x;
    draw_side(cmp, c, left, 0);
    draw_side(cmp, c, right, 1);
    for (int y = 1; y + 1 < c->height; y++)
        canvas_put(c, all, left.width, y, STYLE_TITLE, "|");
    const char *message = model_message(player_model(cmp->sides[0].player));
    canvas_put(c, all, 0, c->height - 1, message ? STYLE_STRONG : STYLE_DIM,
               message ? message
                       : _("]:Next step  [:Back  { }:Begin, end  Space:Play  w:Write  ?:Help  q:Quit"));
}

/* ---- begin and end
 * --------------------------------------------------------------------------------------------- */

struct compare *compare_create(struct player *left, struct player *right, const char *left_name,
                               const char *right_name)
{
    struct compare *c = xcalloc(1, sizeof(*c));
    const char *names[2] = {left_name, right_name};
    for (int i = 0; i < 2; i++) { /* the folder is mostly the same, and long */
        const char *slash = strrchr(names[i], '/');
        c->sides[i] =
            (struct side){.player = i ? right : left, .name = xstrdup(slash ? slash + 1 : names[i])};
    }
    find_marks(&c->sides[0]);
    find_marks(&c->sides[1]);
    align(c);
    move_to(c, 0);
    return c;
}

void compare_destroy(struct compare *c)
{
    if (!c)
        return;
    for (int i = 0; i < 2; i++) {
        player_destroy(c->sides[i].player);
        free(c->sides[i].name);
        VEC_FREE(&c->sides[i].marks);
    }
    VEC_FREE(&c->lines);
    free(c);
}

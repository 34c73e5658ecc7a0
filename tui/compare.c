/* compare.c: see compare.h. Steps are aligned by their words: the longest run of equal ones in the same
 * order; what was done on one side only has a line of its own. */
#include "compare.h"

#include <stdio.h>
#include <stdlib.h>

#include "view.h"
#include "words.h"

#define LEGEND_FROM 16   /* rows */
#define STEP_MS     2000 /* how long one line is shown while it plays */

/* A line of both: an index into the side's marks, -1: nothing was done there. */
struct pair {
    int mark[2];
};

struct side {
    struct player *player;
    char *name;
    VEC(size_t) marks; /* moments */
    size_t end;        /* the moment where it ends: what comes after it is no part of it */
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
    /* at last the lesson was begun again, and nothing more was done: what was there before is its end */
    for (s->end = r->moments.len; s->marks.len > 1; s->marks.len--) {
        size_t last = s->marks.items[s->marks.len - 1];
        if (!r->moments.items[last].anew)
            break;
        s->end = last;
    }
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
    size_t done = 0;
    for (size_t i = 0; i < c->at; i++)
        done += c->lines.items[i].mark[which] >= 0;
    player_to(s->player, done < s->marks.len ? s->marks.items[done] : s->end);
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

/* "node1 UP  node2 NOT RUNNING", in as many rows as it takes; how many, also where r has none of them. */
static int draw_nodes_of(const struct model *m, struct canvas *c, struct rect r)
{
    int x = 0, y = 0;
    for (size_t i = 0; i < m->snapshot->nodes_len; i++) {
        const struct node_seen *n = &m->snapshot->nodes[i];
        const char *word = n->state == NODE_UP ? _("UP") : n->state == NODE_UNKNOWN ? "?" : _("NOT RUNNING");
        int columns = text_columns(c, n->name) + 1 + text_columns(c, word);
        if (x > 0 && x + columns > r.width) {
            x = 0;
            y++;
        }
        if (y < r.height) {
            int at = canvas_put(c, r, x, y, STYLE_NORMAL, n->name) + 1;
            canvas_put(c, r, at, y, n->state == NODE_UP ? STYLE_FINE : STYLE_DOWN, word);
        }
        x += columns + 2;
    }
    return y + 1;
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
    enum style style;
    const char *word = queue_state_words(q->state, &style);
    x = canvas_put(c, r, x, 0, away ? STYLE_DOWN : STYLE_STRONG, away ? word : now) + 1;
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

/* What has no room beside its name goes on below: below that, if the name is long. */
static int draw_told(const struct told *t, struct canvas *c, struct rect r)
{
    int beside = 1 + text_columns(c, t->what) + 1, all = beside + text_columns(c, t->why);
    bool below = all > r.width && beside > r.width / 3;
    int rows = all <= r.width ? 1 : below + paragraph_rows(c, r.width - (below ? 3 : beside), t->why);
    canvas_put(c, r, 1, 0, t->style, t->what);
    draw_paragraph(c, rect_rows(r, below, r.height - below), below ? 3 : beside, 0, STYLE_DIM, t->why);
    return rows;
}

static void draw_fates(const struct model *m, struct canvas *c, struct rect r)
{
    struct told_list told = compare_told(m);
    int y = 0;
    for (size_t i = 0; i < told.rows.len && y < r.height; i++)
        y += draw_told(&told.rows.items[i], c, rect_rows(r, y, r.height - y));
    compare_told_free(&told);
}

static bool is_schedule(const struct side *s)
{
    const char *dot = strrchr(s->name, '.');
    return dot && strcmp(dot, ".sched") == 0;
}

/* A schedule's step with its number there: what is said of a message ("LOST at step 5") counts these, not the
 * lines of both. */
static void draw_mark(const struct side *s, size_t mark, enum style style, struct canvas *c, struct rect r)
{
    if (is_schedule(s))
        canvas_printf(c, r, 1, 0, style, "%zu %s", mark + 1, mark_text(s, mark));
    else
        canvas_put(c, r, 1, 0, style, mark_text(s, mark));
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
            draw_mark(s, (size_t)mark,
                      (size_t)i + 1 == cmp->at ? STYLE_STRONG
                      : done                   ? STYLE_NORMAL
                                               : STYLE_DIM,
                      c, rect_rows(r, y, 1));
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

/* As many as they need, of what the steps leave; without that room the steps give some. */
#define FATES_AT_LEAST 6
static int fate_rows(const struct compare *cmp, struct canvas *c, int width, int room)
{
    int rows = 0, free_rows = room - (int)cmp->lines.len;
    for (int i = 0; i < 2; i++) {
        struct told_list told = compare_told(player_model(cmp->sides[i].player));
        int here = 0;
        for (size_t k = 0; k < told.rows.len; k++)
            here += draw_told(&told.rows.items[k], c, (struct rect){0, 0, width, 0});
        rows = here > rows ? here : rows;
        compare_told_free(&told);
    }
    int most = free_rows > FATES_AT_LEAST ? free_rows : FATES_AT_LEAST;
    return rows > most ? most : rows;
}

static int nodes_rows(const struct compare *cmp, struct canvas *c, int width)
{
    int rows = 1;
    for (int i = 0; i < 2; i++) {
        int here = draw_nodes_of(player_model(cmp->sides[i].player), c, (struct rect){0, 0, width, 0});
        rows = here > rows ? here : rows;
    }
    return rows;
}

/* title, nodes, queues, steps, fates: the same rows on both sides */
static void draw_side(const struct compare *cmp, struct canvas *c, struct rect r, int which)
{
    const struct side *s = &cmp->sides[which];
    const struct model *m = player_model(s->player);
    int queues = queue_rows(cmp), width = (c->width - 1) / 2, nodes = nodes_rows(cmp, c, width), y = 0;
    int fates = fate_rows(cmp, c, width, r.height - nodes - queues - 3);
    draw_title(c, rect_rows(r, y++, 1), 0, s->name, NULL);
    draw_nodes_of(m, c, rect_rows(r, y, nodes));
    y += nodes;
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

/* Across both sides: what the letters mean that are in either table, and the - of what was not done. */
static void draw_signs_of(const struct compare *cmp, struct canvas *c, struct rect r)
{
    const struct model *models[2] = {player_model(cmp->sides[0].player), player_model(cmp->sides[1].player)};
    bool lacks = false;
    for (size_t i = 0; i < cmp->lines.len; i++)
        lacks = lacks || cmp->lines.items[i].mark[0] < 0 || cmp->lines.items[i].mark[1] < 0;
    draw_letters(models, 2, lacks ? _("- not done here") : NULL, c, r);
}

static const char *what_they_are(const struct compare *cmp)
{
    int schedules = is_schedule(&cmp->sides[0]) + is_schedule(&cmp->sides[1]);
    return schedules == 2 ? _("two schedules")
           : schedules    ? _("a schedule and a recording")
                          : _("two recordings");
}

static void draw_bar_of(struct canvas *c, struct rect r, bool playing)
{
    int x = 0;
    for (size_t i = 0; i < compare_keys_len; i++)
        if (compare_keys[i].bar)
            x = draw_bar_key(c, r, x, key_find(compare_keys[i].key)->name,
                             playing && compare_keys[i].key == ' ' ? _("Pause") : _(compare_keys[i].bar));
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
    int before = snprintf(position, sizeof(position), "%s ", cmp->playing ? "x1" : "||");
    snprintf(position + before, sizeof(position) - (size_t)before, _("line %zu/%zu"), cmp->at,
             cmp->lines.len);
    canvas_put_right(c, all, 0, 0, STYLE_DIM, position);
    int legend = c->height >= LEGEND_FROM; /* a low one has no room for it */
    struct rect left = rect_rows(all, 1, c->height - 2 - legend), right = left;
    left.width = (c->width - 1) / 2;
    right.x = left.width + 1;
    right.width = c->width - right.x;
    draw_side(cmp, c, left, 0);
    draw_side(cmp, c, right, 1);
    for (int y = 1; y + 1 + legend < c->height; y++)
        canvas_put(c, all, left.width, y, STYLE_TITLE, "|");
    if (legend)
        draw_signs_of(cmp, c, rect_rows(all, c->height - 2, 1));
    const char *message = model_message(player_model(cmp->sides[0].player));
    if (message)
        canvas_put(c, all, 0, c->height - 1, STYLE_STRONG, message);
    else
        draw_bar_of(c, rect_rows(all, c->height - 1, 1), cmp->playing);
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

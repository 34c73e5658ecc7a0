/* view_cluster.c: the first view: nodes, queues with the matrix of copies, the lesson, the newest events.
 *
 * Rows are given out by priority: what one must see first gets its rows first, so that a small terminal loses
 * the least important parts and a large one spreads out. */
#include "view.h"
#include "words.h"

enum part { PART_NODES, PART_QUEUES, PART_LEGEND, PART_STEPS, PART_EVENTS, PARTS };

#define MIN_RIGHT   39 /* columns for the lesson on the right, above a message's life */
#define MIN_MESSAGE 12

struct want {
    enum part part;
    int rows;
    bool whole; /* all of these rows or none */
};

struct rows {
    int of[PARTS];
    int left;
};

static void grant(struct rows *rows, struct want w)
{
    if (w.rows <= 0 || (w.whole && w.rows > rows->left))
        return;
    int given = w.rows < rows->left ? w.rows : rows->left;
    rows->of[w.part] += given;
    rows->left -= given;
}

/* What the lesson asks for, in the order in which it gets it. */
struct steps_want {
    int first;  /* the step to do now; all that is to be said, when all were seen */
    int few;    /* its title, and as many steps as are always listed */
    int asks;   /* the question that is open: to be read before its step is run */
    int to_do;  /* why, and the command */
    int asked;  /* at the end: the question, looked back at */
    int others; /* the other steps */
    int proof;  /* what was seen at the last one, where it does not fit beside its title */
};

static struct steps_want want_of_steps(const struct model *m, struct canvas *c, int width)
{
    int steps = m->lesson ? (int)m->lesson->steps_len : 0;
    if (!steps || m->folded)
        return (struct steps_want){.first = steps > 0};
    int to_do = steps_rows_to_do(m, c, width), few = steps_least(m);
    int asked = steps_rows_asked(m, c, width);
    if ((int)model_step(m) == steps)
        return (struct steps_want){.first = to_do - asked + 1,
                                   .asked = asked,
                                   .others = steps,
                                   .proof = steps_rows_of_proof(m, c, width)};
    return (struct steps_want){.first = 1,
                               .few = few,
                               .asks = asked,
                               .to_do = to_do - asked,
                               .others = steps - few,
                               .proof = steps_rows_of_proof(m, c, width)};
}

static void draw_newest(const struct model *m, struct canvas *c, struct rect r)
{
    draw_events(m, c, r, 0);
}

static void draw_parts(const struct model *m, struct canvas *c, struct rect r, const struct rows *rows)
{
    int y = 0;
    for (int i = 0; i < PARTS; i++) {
        struct rect part = rect_rows(r, y, rows->of[i]);
        y += rows->of[i];
        if (part.height == 0)
            continue;
        switch ((enum part)i) {
        case PART_NODES: draw_nodes(m, c, part); break;
        case PART_QUEUES: draw_queues(m, c, part); break;
        case PART_LEGEND: draw_legend(m, c, part); break;
        case PART_STEPS: draw_steps(m, c, part); break;
        case PART_EVENTS: (m->fates.len ? draw_ledger : draw_newest)(m, c, part); break;
        case PARTS: break;
        }
    }
}

/* Rows for each part of one column. tight: what is said of the step comes before what only gives the picture
 * more room, or is to be had with another key. */
static struct rows share(const struct model *m, struct canvas *c, struct rect r,
                         const struct steps_want *steps, bool tight)
{
    int queues = (int)m->snapshot->queues_len;
    bool cards = nodes_have_cards(m, r);
    int names = !cards || tight; /* which runs, at least */
    bool apart = snapshot_partitioned(m->snapshot);
    int first_queues = queues < 4 ? queues - 1 : 3, more_cards = cards ? nodes_card_rows(m) - 4 : 0;
    const struct want wants[] = {
        {PART_LEGEND, apart, true}, /* that nodes are apart, and what mends it */
        {PART_STEPS, steps->first, false},
        {PART_STEPS, steps->asks ? steps->asks + 1 : 0, true}, /* with the lesson's title */
        {PART_QUEUES, 2, true},                                /* heading, the selected queue */
        {PART_NODES, names, true},                             /* one line of names */
        {PART_STEPS, steps->asks ? steps->few - 1 : steps->few, false},
        {PART_STEPS, tight ? steps->to_do : 0, false},
        {PART_QUEUES, first_queues, false},
        {PART_NODES, cards ? 4 - names : 0, true},
        {PART_STEPS, steps->asked, true},
        {PART_EVENTS, 2, true}, /* title, the newest */
        {PART_EVENTS, m->fates.len ? 0 : events_hint_rows(m, c, r.width), true},
        {PART_LEGEND, !apart, true},
        {PART_STEPS, tight ? 0 : steps->to_do, false},
        {PART_STEPS, steps->others, false},
        {PART_EVENTS, m->fates.len ? ledger_rows(m, c, r.width) - 2 : 0,
         false}, /* what became of each message */
        {PART_STEPS, steps->proof, true},
        {PART_EVENTS, m->fates.len ? 0 : events_newest_rows(m, c, r.width) - events_hint_rows(m, c, r.width),
         true},
        {PART_EVENTS, 2, false},
        {PART_NODES, more_cards < 4 ? more_cards : 4, false},
        {PART_QUEUES, queues - 1 - first_queues, false},
        {PART_EVENTS, r.height, false},
    };
    struct rows rows = {.left = r.height};
    for (size_t i = 0; i < ARRAY_LEN(wants); i++) {
        if (wants[i].part == PART_NODES && !wants[i].whole && rows.of[PART_NODES] < 4)
            continue; /* a line of names has no more rows than that */
        grant(&rows, wants[i]);
        if (wants[i].part == PART_NODES && wants[i].rows && !rows.of[PART_NODES])
            grant(&rows, (struct want){PART_NODES, 1, true}); /* no room for cards: their names */
    }
    return rows;
}

static void draw_one_column(const struct model *m, struct canvas *c, struct rect r, bool with_steps)
{
    struct steps_want steps = {0};
    if (with_steps)
        steps = want_of_steps(m, c, r.width);
    struct rows rows = share(m, c, r, &steps, false);
    bool small = c->width < 80 || c->height < 24;
    if (small && rows.of[PART_STEPS] < steps.first + steps.few + steps.asks + steps.to_do)
        rows = share(m, c, r, &steps, true);
    draw_parts(m, c, r, &rows);
}

/* Two thirds of the width, and what the table of queues takes to have the columns that it had in a narrower
 * terminal; all of it where the rest would be too narrow for the lesson. */
static int left_columns(const struct model *m, int width)
{
    int table = queues_whole_columns(m), thirds = width * 2 / 3, left = table > thirds ? table : thirds;
    return width - left - 1 < MIN_RIGHT ? width : left;
}

static void draw(const struct model *m, struct canvas *c, struct rect r)
{
    struct rect left = r, right = r;
    left.width = left_columns(m, r.width);
    if (left.width == r.width) {
        draw_one_column(m, c, r, true);
        return;
    }
    right.x = r.x + left.width + 1;
    right.width = r.width - left.width - 1;
    draw_one_column(m, c, left, false);
    int message = message_rows(m, c, right.width), most = right.height / 2;
    message = message < MIN_MESSAGE ? MIN_MESSAGE : message > most ? most : message;
    bool lesson = m->lesson && !m->folded;
    message = lesson ? message : right.height;
    if (right.height < 2 * MIN_MESSAGE && lesson)
        message = 0;
    if (lesson)
        view_lesson.draw(m, c, rect_rows(right, 0, right.height - message));
    if (message)
        draw_message(m, c, rect_rows(right, right.height - message, message), 0);
}

/* What is sorted by is seen: only by what is drawn. */
static void settle(struct model *m, struct canvas *c, struct rect r)
{
    m->sortable = queues_sortable(m, c, left_columns(m, r.width));
}

const struct view_ops view_cluster = {.name = N_("Cluster"), .draw = draw, .settle = settle};

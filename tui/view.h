/* view.h: what draws the model. A view fills the rows between the header and the command line; it is made of
 * parts, one file each, that draw into the rectangle they are given and clip themselves to it. */
#ifndef TUI_VIEW_H
#define TUI_VIEW_H

#include "canvas.h"
#include "model.h"

struct view_ops {
    const char *name; /* in the header */
    void (*draw)(const struct model *m, struct canvas *c, struct rect r);
};

extern const struct view_ops view_cluster; /* view_cluster.c: nodes, queues, the lesson, the newest events */
extern const struct view_ops view_events;  /* view_events.c */
extern const struct view_ops view_lesson;  /* view_lesson.c */

/* Keeps how far the view is scrolled within what there is to see on a canvas of this size; before drawing. */
void screen_settle(struct model *m, struct canvas *c);

/* The same for the lesson, which has this rectangle. */
void lesson_settle(struct model *m, struct canvas *c, struct rect r);

/* The whole screen: header, the current view, command line, key bar, and what lies over them. */
void screen_draw(const struct model *m, struct canvas *c);

/* ---- parts of the cluster view
 * ------------------------------------------------------------------------------- */

void draw_nodes(const struct model *m, struct canvas *c, struct rect r); /* cards, or one line of names */
bool nodes_have_cards(const struct model *m, struct rect r);
int nodes_card_rows(const struct model *m); /* rows that the fullest card could use, borders included */

void draw_queues(const struct model *m, struct canvas *c, struct rect r); /* the table with its heading */
void draw_legend(const struct model *m, struct canvas *c,
                 struct rect r); /* what the letters mean, what is wrong */

void draw_steps(const struct model *m, struct canvas *c, struct rect r); /* title, steps, what to do now */
char *lesson_done_text(const struct model *m); /* what comes after the last step; the caller frees it */
int steps_rows_to_do(const struct model *m, const struct canvas *c, int width); /* beside one for each step */
void draw_events(const struct model *m, struct canvas *c, struct rect r, int from_end); /* newest last */

/* ---- what lies over
 * ----------------------------------------------------------------------------------------- */

void draw_help(const struct model *m, struct canvas *c);
void draw_confirm(const struct model *m, struct canvas *c);
void draw_policy_form(const struct model *m, struct canvas *c);

/* ---- shared -----------------------------------------------------------------------------------------------
 */

/* A line with a title in it: "-Events (newest last)-----". */
void draw_title(struct canvas *c, struct rect r, int y, const char *title, const char *right);

/* Text over several lines, broken at spaces, at most r.height of them; how many it took. */
int draw_paragraph(struct canvas *c, struct rect r, int x, int y, enum style style, const char *text);

/* how many it takes if there is room, `width` columns wide */
int paragraph_rows(const struct canvas *c, int width, const char *text);

/* 100000, 12.3M; at most 7 columns. count < 0: "?" */
const char *count_text(int64_t count, char buffer[24]);

/* M m u ! . : what the node has of the queue */
char copy_letter(const struct model *m, const struct queue_seen *q, int node, enum style *style);

#endif

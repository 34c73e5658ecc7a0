/* view.h: what draws the model. A view fills the rows between the header and the command line; it is made of
 * parts, one file each, that draw into the rectangle they are given and clip themselves to it. */
#ifndef TUI_VIEW_H
#define TUI_VIEW_H

#include "canvas.h"
#include "model.h"

struct view_ops {
    const char *name; /* in the header */
    void (*draw)(const struct model *m, struct canvas *c, struct rect r);

    /* What a key asked for, before the model answers it: true if this view has a meaning of its own for it,
     * its effect in *effect. NULL: none for any. */
    bool (*request)(struct model *m, enum request request, enum effect *effect);

    /* Keeps how far the view is scrolled within what there is to see in this rectangle; before drawing.
     * NULL: it does not scroll. */
    void (*settle)(struct model *m, struct canvas *c, struct rect r);
};

extern const struct view_ops view_cluster; /* view_cluster.c: nodes, queues, the lesson, the newest events */
extern const struct view_ops view_events;  /* view_events.c */
extern const struct view_ops view_message; /* view_message.c: one message's life and what became of it */
extern const struct view_ops view_lesson;  /* view_lesson.c */
extern const struct view_ops view_queue;   /* view_queue.c: all about the selected queue */
extern const struct view_ops view_node;    /* view_node.c: all about the selected node */

const struct view_ops *view_of(enum view view); /* the one table of them is in screen.c */

/* Before drawing on a canvas of this size. */
void screen_settle(struct model *m, struct canvas *c);

/* The whole screen: header, the current view, command line, key bar, and what lies over them. */
void screen_draw(const struct model *m, struct canvas *c);

void draw_header(const struct model *m, struct canvas *c, struct rect r); /* part_header.c */
void draw_bar(const struct model *m, struct canvas *c, struct rect r);    /* part_bar.c */

/* ---- parts of the cluster view
 * ------------------------------------------------------------------------------- */

void draw_nodes(const struct model *m, struct canvas *c, struct rect r); /* cards, or one line of names */
size_t nodes_up(const struct snapshot *s); /* how many run and answer: NO ANSWER is not UP; s may be NULL */
bool nodes_have_cards(const struct model *m, struct rect r);
int nodes_card_rows(const struct model *m); /* rows that the fullest card could use, borders included */

void draw_queues(const struct model *m, struct canvas *c, struct rect r); /* the table with its heading */
/* a state's one word, wherever it is shown; style: of it */
const char *queue_state_words(enum queue_seen_state state, enum style *style);
/* The width at which it has all its columns, and names room enough; where it is a part of the width, it gets
 * that. */
int queues_whole_columns(const struct model *m);
unsigned queues_sortable(const struct model *m, struct canvas *c,
                         int width); /* bits of sorts: columns drawn */
/* In one row what the letters mean that are in these models' tables, and `more` (NULL: nothing). */
void draw_letters(const struct model *const *models, size_t len, const char *more, struct canvas *c,
                  struct rect r);
void draw_legend(const struct model *m, struct canvas *c,
                 struct rect r); /* what the letters mean, what is wrong */

void draw_steps(const struct model *m, struct canvas *c, struct rect r); /* title, steps, what to do now */
char *lesson_done_text(const struct model *m); /* what comes after the last step; the caller frees it */
/* steps that are listed even where there is no room for all and for what is to be said */
int steps_least(const struct model *m);

/* question_words.c: the lesson's question where it is open, with its choices; what the learner said and what
 * was seen; both, looked back at. NULL: there is none, or nothing is known yet. The caller frees them. */
char *question_text(const struct model *m);
char *question_said_text(const struct model *m,
                         int choice);           /* what is said when the learner chose it; -1: none */
char *question_reminder(const struct model *m); /* n was pressed, and it has no answer */
/* Which choice this key is while the question waits for one: a, b, c answer it until it has an answer, and no
 * start key is taken for one of them; -1: none. A key that starts a node where the step lacks something (then
 * nothing is asked), or its program failed, does so. */
int question_choice(const struct model *m, int key);
/* It is one of the choices, of which the learner took one before: A changes that while the question is open.
 */
bool question_answered(const struct model *m, int key);
/* It answers the question that stands there, or did: until the step was run it is no other key. Who presses
 * it means the question: a node that starts then would spoil what is asked. */
bool question_keeps(const struct model *m, int key);
char *outcome_text(const struct model *m);
char *lesson_asked_text(const struct model *m);
char *two_sentences(char *first, char *second); /* one after the other; takes both over */

/* account.c: what became of the queues that had copies on nodes that are away; said after the last step. The
 * text has a line for each; NULL: there are none. The caller frees it. */
char *account_text(const struct model *m);
/* A snapshot was taken in, or something is about to be done (acts): after the lesson's end the account stays
 * what it was. */
void account_keep(struct model *m, bool acts);
/* What it is after the lesson's end, also while it may still change: a new fact, "" where there is nothing to
 * tell. NULL: the lesson has not ended. */
json_t *account_so_far(const struct model *m);
void account_taken_up(struct lesson *l);        /* it was kept by an earlier screen: it says so */
bool account_shows_loss(const struct model *m); /* the lesson is done, and key 3 can show what it lost */
int account_rows(const struct model *m, const struct canvas *c, int width);
void draw_account(const struct model *m, struct canvas *c, struct rect r, int y);
int steps_rows_to_do(const struct model *m, const struct canvas *c, int width); /* beside one for each step */
int steps_rows_asked(const struct model *m, const struct canvas *c,
                     int width); /* of them the question: open, or at the end looked back at */
int steps_rows_of_proof(const struct model *m, struct canvas *c, int width); /* and for what was seen last */
void draw_ledger(const struct model *m, struct canvas *c, struct rect r);    /* what became of each message */
int ledger_rows(const struct model *m, struct canvas *c, int width);         /* that it could use */
void draw_events(const struct model *m, struct canvas *c, struct rect r, int from_end); /* newest last */
int events_hint_rows(const struct model *m, const struct canvas *c,
                     int width); /* beside one, of the newest, if it is a hint */
int events_newest_rows(const struct model *m, const struct canvas *c,
                       int width); /* the same, whatever it is */
/* How many events, of those that pass the filter, come after the last one that is shown when the first is. */
int events_hidden(const struct model *m, const struct canvas *c, struct rect r);

/* event_words.c: an event, or what else nodes and the observer tell of, in the language of the locale; new,
 * the caller frees it */
char *told_words(const char *text);
char *event_words(const struct event_seen *e);
const char *event_kind(const struct event_seen *e);

/* part_steps.c: how far a step is to be shown, and what was seen of it, or what its tick waits for, in words
 * ("" if nothing); the caller frees them */
enum step_state shown_state(const struct lesson_step *s);
char *proof_words(const struct lesson_step *s);

/* Of a lesson and its steps what may be told by now (lesson_step_told), in the reader's language. step_text:
 * what it does and, once it was seen, what it has shown; new, NULL: nothing. */
const char *step_title(const struct lesson *l, size_t step);
char *step_text(const struct lesson *l, size_t step);
/* What running the current step would run, and with which key if one does; new, the caller frees it. */
char *step_command_text(const struct model *m, const struct command *c);
/* What a step has shown, in every view the same: what became of the question if it decides that, then its
 * result. NULL: nothing. */
char *step_shown_text(const struct model *m, size_t step);

/* advice.c: what brings a step on; the caller frees the texts. step_lacks: why it would show nothing now;
 * NULL: nothing is missing, or it ran well, or what helps is a key and none acts here. step_failed_text: how
 * its program failed and what helps; NULL: it did not fail, or what it was to stop has gone. step_advice:
 * what n says of one that was run, or lacks something. step_cure: for its own line: what helps where waiting
 * does not; else NULL. step_key: the key that brings the current step on: n; where its program failed r, or a
 * before that, or K for a node that stands still; none where something else is missing that the step itself
 * names (or all steps are done). */
char *step_lacks(const struct model *m, const struct lesson_step *s);
char *step_failed_text(const struct model *m, const struct lesson_step *s);
char *step_advice(const struct model *m, size_t i, enum lesson_help *help);
char *step_cure(const struct model *m, size_t i);
enum request step_key(const struct model *m);

/* ---- 60 s of a figure (part_chart.c); -1 in it: nobody could say. chart_from: where in the history's
 * samples these 60 begin; chart_until: when the last of them was over, ms since 1970. Both go on when
 * something changes, and once in CHART_STILL seconds. */
size_t chart_from(const struct history *h);
int64_t chart_until(const struct snapshot *s, const struct history *h);
void draw_sparkline(struct canvas *c, struct rect r, int x, int y, int columns,
                    const int64_t samples[CHART_LEN]);
void draw_chart(struct canvas *c, struct rect r, const char *title, const int64_t samples[CHART_LEN],
                int64_t until);

/* part_clients.c: a node's connections and their channels, on its page */
struct page;
void page_clients(struct page *p, const struct model *m, const struct node_seen *n);

/* ---- a page of named values (part_page.c): drawn once to see how long it is, then from the right row on */
struct page {
    struct canvas *c;
    struct rect title, r; /* the title stays; below it what scrolls */
    int y, from;          /* the next row of that; the first that is shown */
    bool measure;         /* nothing is drawn */
};
typedef void page_fill(struct page *p, const struct model *m);
/* Draws the page that fill makes, from where m->scroll is on; what has no room is counted in a row of its
 * own. page_settle: m->scroll no further than there is something. */
void page_show(const struct model *m, struct canvas *c, struct rect r, page_fill *fill);
void page_settle(struct model *m, struct canvas *c, struct rect r, page_fill *fill);
void page_title(struct page *p, const char *title, const char *right);
void page_field(struct page *p, const char *name, enum style style, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void page_line(struct page *p, int x, enum style style, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
const char *bytes_text(int64_t bytes, char buffer[24]); /* 1.7 MB; < 0: "?" */
const char *seconds_text(int64_t ms, char buffer[32]);  /* 2 h 05 min; < 0: "?" */
/* values in documents of the nodes (snapshot->details); all take NULL */
int64_t detail_count(const json_t *o, const char *key);    /* -1: absent */
double detail_rate(const json_t *o, const char *key);      /* of "key_details"; negative: absent */
const char *detail_text(const json_t *o, const char *key); /* NULL: absent */

/* ---- one message's life in a played schedule (part_life.c), where there is one: by its own book */
bool life_of_schedule(const struct model *m);
size_t life_shown(const struct model *m); /* which message, index in m->fates */
void draw_life(const struct model *m, struct canvas *c, struct rect r, int scroll);
int life_hidden_rows(const struct model *m, struct canvas *c, struct rect r);
int life_rows(const struct model *m, struct canvas *c, int width);

/* ---- one message's life (part_message.c) */
void draw_message(const struct model *m, struct canvas *c, struct rect r,
                  int scroll); /* rows up from the end */
int message_hidden_rows(const struct model *m, struct canvas *c, struct rect r);
int message_rows(const struct model *m, struct canvas *c, int width); /* that it could use */
uint64_t message_shown(const struct model *m);                        /* its number, from 0 */

/* fate_words.c; the texts are the caller's to free */
char *nodes_text(const struct snapshot *s, node_bits nodes); /* "node1, node3" */
const char *verdict_word(enum verdict v, enum style *style);
/* There is a verdict; KEPT is none before something went wrong: then it is told where it is. */
bool life_is_judged(const struct life *life);
char *fate_text(const struct snapshot *s, const struct fate *f); /* what is known of where it is */
/* UNAVAILABLE: the same at length, and what is to be expected: it is not lost before a node that had it is
 * back without it */
char *unavailable_text(const struct snapshot *s, const struct fate *f);
/* "held"; beside another run of the same word "held (on 2)": they differ in how many nodes have them */
char *run_word(const struct ledger *l, size_t at, enum style *style);
char *range_text(const struct fate_range *f, const char *word); /* "#1-#5 held" */

/* ---- what lies over
 * ----------------------------------------------------------------------------------------- */

void draw_help(const struct model *m, struct canvas *c);
const char *key_word(const char *name); /* a key's name, in the screen's language */
void draw_confirm(const struct model *m, struct canvas *c);
void draw_overlay_bar(const struct model *m, struct canvas *c, struct rect r); /* overlay_bar.c */
/* "s:Stop" of a bar; where the next one begins, r.width if this one has no room. */
int draw_bar_key(struct canvas *c, struct rect r, int x, const char *name, const char *word);
unsigned overlay_where(const struct model *m); /* overlay_keys.h: what lies over the view; 0: nothing does */
void help_settle(struct model *m, struct canvas *c); /* before drawing on this canvas */
enum effect help_key(struct model *m, int key);

/* A box in the middle, cleared, with a title; the rectangle inside it. */
struct rect draw_box(struct canvas *c, int width, int height, const char *title);

/* A line that is typed, with its cursor. */
void draw_input(struct canvas *c, struct rect r, int x, int y, const struct input *in);

/* ---- shared -----------------------------------------------------------------------------------------------
 */

/* A line with a title in it, and words at its right (NULL: none): "- Queue hello ------ running --". */
void draw_title(struct canvas *c, struct rect r, int y, const char *title, const char *right);

/* Text over several lines, broken at spaces, at most r.height of them; how many it took. */
int draw_paragraph(struct canvas *c, struct rect r, int x, int y, enum style style, const char *text);

/* What stands in lines, in one: "a; b". The caller frees it. */
char *one_line(const char *lines);

/* how many it takes if there is room, `width` columns wide */
int paragraph_rows(const struct canvas *c, int width, const char *text);

/* 100000, 12.3M; at most 7 columns. count < 0: "?" */
const char *count_text(int64_t count, char buffer[24]);

/* Nodes answer, and list this queue with nothing but where it is: RabbitMQ's do for a moment after a
 * promotion. Its mirrors and its policy are unknown then, not none. */
bool queue_untold(const struct snapshot *s, const struct queue_seen *q);
/* It lists mirrors of a queue that nobody serves (RabbitMQ does): whether they are there nobody says. */
bool queue_mirrors_untold(const struct snapshot *s, const struct queue_seen *q);

/* M m u ! . : what the node has of the queue; ? : it is away, and nobody knows whether it has any */
char copy_letter(const struct model *m, const struct queue_seen *q, int node, enum style *style);

#endif

/* diagram.h: one message's life as a space-time diagram: time runs down, each party has a line; what went
 * from one to another is an arrow. Only what somebody saw is drawn as seen; what follows from that is drawn
 * with ~, and nobody sees what reaches a program outside the cluster unless it answers.
 *
 * Two views fill it: part_message.c with what nodes note of a message, in the time that passed; part_life.c
 * with what each step of a played schedule made of it. */
#ifndef TUI_DIAGRAM_H
#define TUI_DIAGRAM_H

#include "view.h"

/* One of: a moment, an event in an opened gap, a step's words, a gap. */
struct row {
    const struct moment *m;     /* NULL: another thing */
    const struct event_seen *e; /* in an opened gap */
    int64_t e_us;               /* where it stands: not before what is above it */
    int64_t gap_us;             /* a gap; 0: none */

    /* of a schedule */
    unsigned step, steps; /* 0: the set-up; steps > 1: a gap of so many */
    bool begins;          /* it is the first row of its step */
    const char *did;      /* the step's words; NULL: none here */
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
    char *name;    /* "#7" */
    bool stepwise; /* what stands at a row is its step, not its time */
    /* what each node has of the message now, a letter for each; "": not known */
    char now[LIMIT_NODES + 1];
};

/* d->life is known: which nodes have a line, and where. */
void diagram_place(struct diagram *d, int width);
/* who the lines are, and what each node had of it when it came: two rows */
void diagram_parties(const struct diagram *d, struct rect r);
void diagram_rows(const struct diagram *d, struct rect r, size_t first); /* as many as r has */
/* d->now under the nodes */
void diagram_now(const struct diagram *d, struct rect r, int y);

/* diagram_legend.c: what the signs mean that are in the picture; rows: that it may take, whichever part of
 * the picture is shown; in as many as r has. parts: what of the picture is shown, from this row on. */
struct diagram_parts;
int diagram_legend_rows(const struct diagram *d, int width);
void diagram_legend(const struct diagram *d, struct rect r, const struct diagram_parts *parts, size_t from);

/* what is drawn, for the legend: a party's column (0: not shown), a node's letter when the message came,
 * whether an arrow was seen to arrive, nodes that do not run, or do not answer, in a row */
struct absent {
    node_bits down, silent;
};
int diagram_lane(const struct diagram *d, int party);
char diagram_first_letter(const struct diagram *d, size_t node);
bool diagram_arrived(const struct moment *m);
struct absent diagram_absent(const struct diagram *d, size_t row);

/* part_message.c, part_verdict.c: of a message that nodes noted. message_is_known: nodes told of one,
 * so there is one to be judged (RabbitMQ's tell of none; an empty queue has none). message_only_missing:
 * nothing is known of single messages of its queue, but that so many did not come back with its nodes; NULL:
 * else. */
bool message_is_known(const struct diagram *d);
const struct away *message_only_missing(const struct diagram *d);
int message_verdict_rows(const struct diagram *d, int width);
void draw_message_verdict(const struct diagram *d, struct rect r);

void diagram_finish(struct diagram *d); /* frees what is in it */

void diagram_time(int64_t us, bool about, char out[32]); /* since the first moment */

/* How the rows of a part are shared out. */
struct diagram_parts {
    int fates, parties, rows, now, verdict, legend; /* heights */
};
/* top, bottom, legend: rows of what stands above it, of its verdict and of its legend; returns how many of
 * its rows are hidden */
int diagram_share(int rows, int height, int top, int bottom, int legend, struct diagram_parts *p);

#endif

/* model.h: all that the screen shows, as data: the newest snapshot, the lesson, what is selected, what was
 * run, what is being asked. Keys go in, effects come out; no terminal, no clock (time is handed in), no
 * process.
 *
 * The rule it keeps: the model never changes what a snapshot says; a command's exit code is shown as a
 * command's exit code and nothing else. */
#ifndef TUI_MODEL_H
#define TUI_MODEL_H

#include "base/text.h"
#include "base/vec.h"
#include "form.h"
#include "input.h"
#include "keys.h"
#include "lab/lesson.h"
#include "lab/snapshot.h"
#include "ledger.h"

/* The first VIEW_TABS have a number in the header; the others are opened from them. view.h: view_of */
enum view { VIEW_CLUSTER, VIEW_EVENTS, VIEW_MESSAGE, VIEW_LESSON, VIEW_QUEUE, VIEW_NODE, VIEWS };
#define VIEW_TABS VIEW_QUEUE
enum overlay {
    OVERLAY_NONE,
    OVERLAY_HELP,
    OVERLAY_CONFIRM,
    OVERLAY_FORM,    /* form.h: m->form */
    OVERLAY_COMMAND, /* ':' */
    OVERLAY_FILTER,  /* '/' */
    OVERLAY_PAGER,
};

enum { COMMAND_OF_KEY = -1, COMMAND_CLEAN = -2, COMMAND_GO_ON = -3 };

/* where in the argv of COMMAND_GO_ON the lesson's number stands that it goes to: the next, or one before */
#define COMMAND_GO_ON_TO 2

/* How far a command that takes its time has come, by what nodes report of the queue it works on (goal.c). */
#define PACE_SAMPLES 16
struct pace {
    struct {
        ms_time at;
        int64_t count;
    } samples[PACE_SAMPLES]; /* the newest ones, oldest first */
    int len;
    ms_time changed_at; /* when another count was seen last */
};
struct goal {
    char *queue; /* NULL: the command has no such goal */
    enum { GOAL_PUBLISH, GOAL_TAKE, GOAL_SYNC } of;
    int64_t wanted;  /* how many are to come, or to be taken */
    int64_t came;    /* so many did, by all that was told since it began */
    int64_t counted; /* by single messages, or by what the queue's master has counted */
    int64_t total;   /* what that was last; -1: not told */
    int64_t depth;   /* messages in the queue when it began; -1: nobody could say */
    bool gaps;       /* a node did not note all of them */
    bool least;      /* came is the least that there were: nobody tells of all */
    struct pace pace;
};

/* What may not be undone: it is asked before. */
enum danger {
    DANGER_NONE,
    DANGER_KILL,
    DANGER_PURGE,
    DANGER_DELETE,
    DANGER_RESET,
    DANGER_CLEAN,
    DANGER_GO_ON
};

/* Something that was run for the user: a step's action, a key's, one that was typed. */
struct command {
    char **argv; /* NULL-terminated, as engine_spawn takes it */
    char *text;  /* as a learner would type it */
    char *other; /* why it goes to another node than the selected one; NULL: it does not */
    int step;    /* of the lesson; COMMAND_OF_KEY: a key's; COMMAND_CLEAN, _GO_ON: argv is only for showing */
    int64_t began_us; /* when it began, since 1970: what was seen last then */
    bool running;
    int exit_code;
    char *last_line; /* of what it printed, with the lines that only continue it; NULL: nothing so far */
    char *open_line; /* what came of a line that has not ended yet; NULL: nothing */
    bool typed;      /* behind ':': what it prints is shown in full */
    bool uncounted;  /* deletes a queue of which nobody could say then how many messages it has */
    struct text output;
    struct goal goal;
};

/* What queues or events must contain to be shown, and the order of queues (find.c). */
enum found { FOUND_QUEUES, FOUND_EVENTS, FOUNDS };
enum sort { SORT_NAME, SORT_STATE, SORT_READY, SORT_UNACKED, SORT_MIRRORS, SORT_POLICY, SORT_RATE, SORTS };

#define TAKEN_MOST 4 /* so many times that a queue was taken over are remembered */

/* Where a queue had copies on nodes that are away now (the nodes that remain do not list these any more), and
 * what its nodes' going and coming did to it: that stays true when they answer again. */
struct away {
    char *queue;
    uint64_t uid;              /* of an earlier screen's queue (kept.h); 0: this one's, or not known */
    node_bits copies, masters; /* on nodes that do not answer */
    node_bits now, now_master; /* as the last snapshot said */
    node_bits known;           /* nodes that answered since it is there, or went before it was declared */
    int64_t told[LIMIT_NODES]; /* messages in this copy while its node answered; -1: nobody could say */

    /* taking over */
    int served_by;   /* the last master that answered; -1: none yet */
    node_bits level; /* the mirrors that were in sync with it, as it was seen last */
    int64_t serves;  /* the messages that it counted last; -1: it did not */
    struct taking_over {
        int from, to;         /* from fell silent, and to took its place */
        bool level;           /* and was in sync */
        int64_t held, holds;  /* messages: as from counted last, and to first; -1: not counted */
        bool before;          /* an earlier screen saw it (kept.h) */
    } taken[TAKEN_MOST];      /* oldest first */
    size_t taken_len, forgot; /* forgot: how many more there were before these */
    bool consumed;            /* since the last of them a consumer of this screen printed messages of it */

    /* what a master counted last while it answered, and that a mirror took over that was not in sync with it;
       of nodes that tell it themselves: nothing */
    struct counted_last {
        int master;
        node_bits mirrors;
        int64_t messages, published, taken; /* -1: not counted */
        ms_time since;                      /* nothing of it has changed, and nobody consumed */
    } count;
    struct short_of {
        int from, to;
        int64_t had, has;     /* messages that `from` counted last, and `to` at first; -1: nobody said */
        bool open;            /* `to` serves it still */
        bool still;           /* by all that was counted nobody put in or took anything meanwhile */
        bool told, lost_told; /* losses.h */
        ms_time at;           /* when `to` counted first; 0: not yet */
    } short_of;
    int unsaid_master; /* it fell silent and did not run, and no other took over, nor was said to be stopped;
                        */
    int64_t unsaid;    /* so many messages it had then; -1: no such time */
    node_bits unsaid_on; /* where copies of them were away then */

    node_bits split;       /* that served it at the same time: the sides of the last partition */
    int64_t split_wall_ms; /* when that was seen first, since 1970 */
    unsigned splits;       /* how many partitions there were, one after the other */
    bool split_over;       /* all of them answer, and are one cluster again */
    bool split_before;     /* an earlier screen saw it */

    /* a time without anybody to serve it */
    node_bits kept_on; /* nodes that had copies then */
    int64_t held,
        missing;          /* messages then (-1: no such time); of these, not there when it was served again */
    int64_t lost_earlier; /* and of those times before it */
    ms_time back_at;      /* served again; 0: not yet */
    bool loss_told;       /* what is missing then was told, or is nothing (losses.h) */
    bool restarted;       /* all nodes had gone, and what is missing memory alone held */
    int64_t in_memory;    /* of those that were counted last, memory alone held so many; -1: nobody said */
    int64_t left;         /* messages when an earlier screen closed; -1: nobody says */
    int64_t left_in_memory, left_wall_ms; /* of these in memory alone (-1: nobody says); when, since 1970 */
    node_bits left_on;                    /* where they were */
    bool left_told;                       /* what of it is gone since all its nodes began anew (losses.h) */
    bool left_here;  /* no screen closed: that was when nobody answered this one any more */
    int64_t counted; /* so many were told by their number: one by one they are no loss more */
};

/* The depth of a queue and what went in and out in each second that is over (history.h), newest last; -1:
 * nobody could say. */
#define CHART_LEN   60 /* seconds that a chart shows, */
#define CHART_STILL 20 /* and stands still for at most, while nothing changes (part_chart.c) */
#define HISTORY_LEN (CHART_LEN + CHART_STILL)
struct history {
    char *queue;
    int64_t depth[HISTORY_LEN], published[HISTORY_LEN], delivered[HISTORY_LEN];
    int64_t in, out; /* noted in the second after the newest of them, which is not over */
    int64_t published_before, taken_before; /* counted so far at the newest of them; -1: nothing was */
    bool gaps;                              /* or not noted: a node said so */
    ms_time sampled_at;
};

/* Messages of a queue, by their numbers, of which was told that they are lost. */
struct lost_told {
    uint64_t uid, first, last;
};

struct queue_pace {
    char *queue;
    struct pace pace;
};

/* What became of one message, by the ledger of a simulated run (its clients' and disks' own book). */
struct fate_seen {
    char *message; /* "#3" */
    char *fate;    /* "confirmed, kept", "confirmed, LOST: ..." */
    char *where;   /* the nodes that hold it, "-" if none */
    char *queue;
    json_t *life; /* what each step made of it (time_sched_ledger.h); NULL: not kept */
    bool lost;
};

/* Where in time what is shown was: in a replay, or while the screen is paused (time_player.c). */
struct time_shown {
    ms_time at, end;        /* since the recording began; how long it is */
    unsigned speed_percent; /* 100: as it was */
    bool playing;
    bool open;      /* the recording is still written, and this is its end so far */
    bool paused;    /* the lab goes on: this is no file, but what was seen up to now */
    ms_time behind; /* how long ago what is shown was said (paused); UINT64_MAX: nobody ever answered */
    int line;       /* of the file */
};

/* where in the argv of COMMAND_CLEAN the policies begin that are cleared besides the lesson's own */
#define COMMAND_CLEAN_FIRST 2

struct model {
    /* what was observed; model_observe */
    struct snapshot *snapshot; /* NULL before the first */
    VEC(struct away) away;
    node_bits were_apart[LIMIT_NODES]; /* nodes that this one was seen to be apart from, both answering */
    node_bits stopped_apart; /* nodes that do not answer since they were so, or were cut off from here */
    node_bits any_away;      /* nodes that any of them is on */
    int64_t kept_wall_ms;    /* until when an earlier screen saw what was taken up; 0: nothing is unchecked */
    VEC(struct history) history;
    struct ledger ledger;            /* what became of messages */
    VEC(struct lost_told) lost_told; /* losses.h */

    /* the lesson; lesson.c changes it, the model reads it. NULL: none */
    struct lesson *lesson;
    ms_time done_at; /* when its last step was seen to be ticked; 0: not yet */

    /* what the user did; model_key */
    enum view view;
    enum overlay overlay;
    int node;          /* selected, index in snapshot->nodes */
    bool node_last;    /* the node was selected after the queue: Enter is about it */
    char *queue;       /* selected, by name: queues come and go. NULL: none */
    bool queue_chosen; /* by the user; until then the newest queue is selected */
    bool folded;       /* the lesson has one line of the cluster view */
    enum view e_from;  /* where `e` goes from the lesson's view: what was shown before it, */
    int e_from_scroll; /* and its scroll */
    int scroll;        /* lines up: in the events view from the end, in the lesson's from where it rests */
    uint64_t life_id;  /* the message whose life is shown, if life_chosen; else the ledger's first */
    bool life_chosen, life_expanded; /* expanded: what else happened in its gaps is shown */
    bool confirm_yes;                /* the button that Enter presses */
    struct command *to_confirm;
    struct form forms[FORMS]; /* they keep what was typed for the next time */
    enum form_kind form;      /* the one that is open */
    int help_from;            /* the first line of the help that is shown */

    /* what is typed behind ':' and '/'; prompt.c */
    struct input line;
    VEC(char *) typed; /* commands, oldest first */
    size_t typed_at;   /* which of them is in the line; typed.len: a new one */
    char *completions; /* what Tab could not decide between; NULL: nothing */

    /* what is looked for; find.c */
    char *filters[FOUNDS]; /* NULL: everything is shown */
    enum sort sort;
    unsigned sortable;    /* bits of those whose columns are drawn; 0: not drawn yet */
    VEC(size_t) shown;    /* indices of the snapshot's queues that pass, in order */
    VEC(size_t) told;     /* indices of its events that may be told (predict.h), oldest first */
    VEC(size_t) happened; /* and of those of them that pass */
    bool untold;          /* something was not told yet when these two were made */
    int64_t told_wall_ms; /* what had happened by then was told: no later question takes it back */

    /* a long text; pager.c */
    struct {
        char *title, *text;
        int from; /* its first line that is shown */
    } pager;
    bool mouse; /* clicks and the wheel come to us, not to the terminal */

    /* what was run; run.c through model_ran, model_output, model_ended */
    struct command *command;      /* the newest; NULL: none so far */
    VEC(struct command *) others; /* those that still run besides it */
    VEC(struct queue_pace) syncs; /* of the queues that are being synchronised */
    char *copy;                   /* EFFECT_COPY: what goes to the clipboard */
    char *export_to;              /* EFFECT_EXPORT: the file; NULL: a new one */
    char *message;                /* to the user; NULL: none */
    size_t message_step;          /* the lesson's step when it was said: with the next one it is old */
    bool quit_asked;              /* q was pressed while something ran */
    VEC(char *) touched;          /* queues that the user acted on since the lesson began, by name */
    node_bits killed;             /* nodes whose process was killed from here: `start` brings them back */
    node_bits cut;                /* nodes that were cut off, from here or before: x heals them */
    ms_time cut_at;               /* the newest of these cuts, by the observer's clock */

    /* set once */
    bool compared;         /* one of two that are side by side: key_in_compare has its keys */
    const char *program;   /* how lab was called, for what is to be typed; NULL: lab */
    bool text_only;        /* one frame as text: nobody presses keys in it */
    bool readonly, replay; /* replay: what is shown is the past; a recording, or a paused screen */
    int next_lesson;       /* the number of the one after this; 0: none */
    int next_nodes;        /* how many nodes that one wants */
    const json_t *ports;   /* of a recording: its nodes' AMQP ports, by name; NULL: none is known but lab's */
    int earlier_lesson;    /* the number of the one before this; 0: none */
    json_t *leftover;      /* a fact: why the lab was not as the lesson begins; NULL: it was */
    const struct lesson
        *tools;               /* one with a producer and a consumer, where the lesson has none. NULL: none */
    const struct labdir *lab; /* for the addresses that commands name; NULL: none */
    ms_time now;              /* of the observer's clock, set before drawing */

    /* time; run.c and time_player.c */
    VEC(struct fate_seen) fates; /* of a simulated run; empty otherwise */
    struct time_shown time;
    enum request time_request; /* EFFECT_TIME: which one */
    int answer;                /* EFFECT_ANSWER: a choice of the lesson's question; -1: none */
    bool recording;            /* to a file */
};

enum effect {
    EFFECT_NONE,
    EFFECT_DRAW,  /* something to see changed */
    EFFECT_CLEAR, /* draw everything anew */
    EFFECT_QUIT,
    EFFECT_RUN,    /* start *run; it is the caller's */
    EFFECT_LOOK,   /* the learner has looked at the current step: lesson_look */
    EFFECT_ANSWER, /* m->answer: lesson_answer */
    EFFECT_TIME,   /* m->time_request: pause, step, seek, speed, record, write the frame */
    EFFECT_COPY,   /* m->copy to the clipboard */
    EFFECT_EXPORT, /* the events that are shown to the file m->export_to */
    EFFECT_MOUSE,  /* take or give back the mouse, as m->mouse says */
};

void model_forget_fates(struct model *m);
void model_init(struct model *m, struct lesson *lesson, const struct labdir *lab, bool readonly, bool replay);
void model_finish(struct model *m);

/* What the user chose to look at (not what was observed or run), from one model of a lab to another. */
void model_take_look(struct model *m, const struct model *from);

/* A new snapshot (borrowed). Moves the selection if what was selected is gone. */
void model_observe(struct model *m, const struct snapshot *s);

enum effect model_key(struct model *m, int key, struct command **run);

/* Goes to a view, at its beginning. */
enum effect model_show(struct model *m, enum view view);

/* A command was started (taken over by the model), printed something, ended. */
void model_ran(struct model *m, struct command *command);
void model_output(struct model *m, struct command *command, const char *data, size_t len);
void model_ended(struct model *m, struct command *command, int exit_code);
void model_received(struct model *m, const struct command *c); /* ledger_receipt.c: if it is a consumer */
bool model_runs(const struct model *m);                        /* anything runs */
void model_say(struct model *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Nothing may be done to the lab from this screen, for it is read-only or shows the past: no key that acts is
 * named then. */
bool model_only_looks(const struct model *m);

/* The same of what was asked for: says why and returns true. what: a key's name, a verb */
bool model_refuses(struct model *m, const char *what);

/* Nobody answers, so what is done would show nothing: says what helps and returns true. */
bool model_refuses_unanswered(struct model *m, const char *what);
/* The same beforehand, of a key that acts: it would be refused so, and is not named where keys are offered.
 */
bool model_unanswered_refuses(const struct model *m, enum request request);

void model_select_queue(struct model *m, const char *name); /* as the user does */
const char *model_running_node(const struct model *m);      /* the selected one if it runs; NULL: none does */
const char *model_message(const struct model *m);           /* NULL: none that still matters */
const struct queue_seen *model_queue(const struct model *m);             /* the selected one; NULL if none */
const struct away *model_away(const struct model *m, const char *queue); /* NULL: no copies away */
const struct away *model_past(const struct model *m, const char *queue); /* NULL: never seen */
const struct history *model_history(const struct model *m, const char *queue); /* NULL: not yet */
size_t model_step(const struct model *m); /* of the lesson: the first that is not proved */

/* How old what is shown is; whether that is too old to be called live. */
ms_time model_age(const struct model *m);
bool model_stale(const struct model *m);

void command_destroy(struct command *c); /* takes NULL */

#endif

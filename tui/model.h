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
#include "keys.h"
#include "lab/lesson.h"
#include "lab/snapshot.h"

enum view { VIEW_CLUSTER, VIEW_EVENTS, VIEW_LESSON, VIEWS };
enum overlay { OVERLAY_NONE, OVERLAY_HELP, OVERLAY_CONFIRM, OVERLAY_POLICY };

enum { COMMAND_OF_KEY = -1, COMMAND_CLEAN = -2 };

/* Something that was run for the user: a step's action, or a key's. */
struct command {
    char **argv; /* NULL-terminated, as engine_spawn takes it */
    char *text;  /* as a learner would type it */
    int step;    /* of the lesson; COMMAND_OF_KEY: a key's; COMMAND_CLEAN: argv is only for showing */
    bool running;
    int exit_code;
    char *last_line; /* of what it printed, with those that only continue it; NULL: nothing so far */
    bool line_open;  /* more of that line may come */
};

/* Where a queue had copies on nodes that are away now. The nodes that remain do not list these any more. */
struct away {
    char *queue;
    node_bits copies, masters; /* on nodes that do not answer */
    node_bits now, now_master; /* as the last snapshot said */
};

/* The depth of a queue, one sample a second, newest last; -1: nobody could say. */
#define HISTORY_LEN 60
struct history {
    char *queue;
    int64_t depth[HISTORY_LEN];
    ms_time sampled_at;
};

enum policy_field {
    POLICY_NAME,
    POLICY_PATTERN,
    POLICY_HA_MODE,
    POLICY_HA_PARAMS,
    POLICY_SYNC_MODE,
    POLICY_FIELDS
};

struct model {
    /* what was observed; model_observe */
    struct snapshot *snapshot; /* NULL before the first */
    VEC(struct away) away;
    VEC(struct history) history;

    /* the lesson; lesson.c changes it, the model reads it. NULL: none */
    struct lesson *lesson;

    /* what the user did; model_key */
    enum view view;
    enum overlay overlay;
    int node;          /* selected, index in snapshot->nodes */
    char *queue;       /* selected, by name: queues come and go. NULL: none */
    bool queue_chosen; /* by the user; until then the newest queue is selected */
    int scroll;        /* lines up: in the events view from the end, in the lesson's from where it rests */
    bool confirm_yes;  /* the button that Enter presses */
    struct command *to_confirm;
    struct text policy[POLICY_FIELDS];
    int policy_at;

    /* what was run; run.c through model_ran, model_output, model_ended */
    struct command *command; /* the newest; NULL: none so far */
    char *message;           /* to the user; NULL: none */
    size_t message_step;     /* the lesson's step when it was said: with the next one it is old */
    bool quit_asked;         /* q was pressed while something ran */
    node_bits killed;        /* nodes whose process was killed from here: `start` brings them back */

    /* set once */
    bool readonly, replay;
    int next_lesson;          /* the number of the one after this; 0: none */
    int next_nodes;           /* how many nodes that one wants */
    char *leftover;           /* why the lab was not as the lesson begins; NULL: it was */
    const struct labdir *lab; /* for the addresses that commands name; NULL: none */
    ms_time now;              /* of the observer's clock, set before drawing */
};

enum effect {
    EFFECT_NONE,
    EFFECT_DRAW,  /* something to see changed */
    EFFECT_CLEAR, /* draw everything anew */
    EFFECT_QUIT,
    EFFECT_RUN,   /* start *run; it is the caller's */
    EFFECT_LATER, /* a replay's next snapshot */
};

void model_init(struct model *m, struct lesson *lesson, const struct labdir *lab, bool readonly, bool replay);
void model_finish(struct model *m);

/* A new snapshot (borrowed). Moves the selection if what was selected is gone. */
void model_observe(struct model *m, const struct snapshot *s);

enum effect model_key(struct model *m, int key, struct command **run);

/* A command was started (taken over by the model), printed something, ended. */
void model_ran(struct model *m, struct command *command);
void model_output(struct model *m, const char *data, size_t len);
void model_ended(struct model *m, int exit_code);
void model_say(struct model *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *model_message(const struct model *m);                        /* NULL: none that still matters */
const struct queue_seen *model_queue(const struct model *m);             /* the selected one; NULL if none */
const struct away *model_away(const struct model *m, const char *queue); /* NULL: no copies away */
const struct history *model_history(const struct model *m, const char *queue); /* NULL: not yet */
size_t model_step(const struct model *m); /* of the lesson: the first that is not proved */

/* How old what is shown is; whether that is too old to be called live. */
ms_time model_age(const struct model *m);
bool model_stale(const struct model *m);

/* the words and definition of the form, as JSON text; the caller frees */
char *model_policy_definition(const struct model *m);

void command_destroy(struct command *c); /* takes NULL */

#endif

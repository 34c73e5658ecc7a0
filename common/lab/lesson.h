/* lesson.h: a lesson as data: steps, each with an action and a proof, read from lessons/NN-name/lesson.cfg.
 *
 * An action is something done (a program run, a labctl verb); a proof is a set of facts that a snapshot of
 * surviving nodes must show twice running. An action's exit code never proves anything. A step without an
 * action only looks: it is ticked when the learner says so (n: lesson_look) and the nodes have shown it.
 *
 * A tick is of something that happened, and that stays so. Where a step's title says what is to last (`lasts`
 * in lesson.cfg), that goes on being looked at: once it is seen to be over, the step says since when
 * ("true until 21:05:09") and what is so instead, and goes on saying it. */
#ifndef LAB_LESSON_H
#define LAB_LESSON_H

#include <signal.h>

#include "lab/fact.h"
#include "lab/labdir.h"
#include "lab/snapshot.h"

enum step_state { STEP_OPEN, STEP_HALF, STEP_SEEN, STEP_WAS };

struct lesson_step {
    char *title;       /* "stop node1" */
    char *before;      /* its title until it is proved, where that tells the outcome; or NULL */
    char *why;         /* what it does, and what to watch: true before it is run; may be NULL */
    char *result;      /* what it has shown, on whatever way: told once it is proved; may be NULL */
    char **action;     /* argv for engine_spawn, NULL-terminated; NULL: it only looks */
    char *action_text; /* the command as a learner would type it; NULL if none */
    char *wait_text;   /* what its tick waits for: "node1 not running" */
    void *proof;       /* private to lesson.c */
    /* progress */
    enum step_state state;
    bool acted;   /* its action was run; of one that only looks: the learner has looked */
    bool by_hand; /* it stops a node, and that has gone, though no run of its action ended well (the screen's
                     s or K): what it needed before that is no question any more, its proof is */
    char *ran;    /* what was run for it, as a learner would type it; NULL: action_text */
    json_t *seen; /* the fact that was observed; STEP_HALF: what is missing, and what is there; STEP_WAS:
                     what is so instead; NULL: none */
    char *lacks;  /* why it would show nothing if it were run now, and what helps; NULL: nothing is known to
                     be missing, or it is not the current one */
    char *lacks_at; /* what stands at its %s: where the master is that it is about, which queue is not there;
                       NULL: it has none */
    char *shows;    /* what else it has shown, in the words of its lesson: what was seen together with its
                       proof; NULL: nothing, or it is not proved */
    int held;       /* snapshots running in which the proof held */
    int64_t seen_wall_ms; /* when it was proved; STEP_WAS: when it was first seen not to hold any more */
    char *output;         /* what the action's program printed so far; NULL if none */
    int exit_code;        /* of the action, for showing only; -1 while running */
};

/* Predict first: a question, and what could come out; what does is seen, as a step's proof is. */
struct lesson_question {
    char *text;     /* NULL: nothing is asked */
    size_t step;    /* it is asked at this step (from 0), before that is run */
    size_t decided; /* what came out is looked for when this one is ticked */
    char **choices; /* NULL-terminated */
    void *proofs;   /* private to lesson_ask.c: what is seen where a choice is right */
    int said;       /* the learner's, a place in choices; -1: none */
    int was;        /* the one that was seen; -1: not yet, or none of them */
    bool reminded;  /* the learner was told once that it is open (the screen's n) */
};

struct lesson {
    int number;
    char *folder; /* absolute */
    char *name;   /* "07-failover" */
    char *title;  /* "keep messages when a node stops" */
    char *aim;    /* one sentence */
    struct lesson_question predict;
    char *queue;               /* the one it is about, the first of those it uses; may be NULL */
    char **queues, **policies; /* what it uses and lesson_clean removes; NULL-terminated; NULL: none */
    int nodes;                 /* how many nodes it wants */
    struct lesson_step *steps;
    size_t steps_len;
    json_t *account; /* what became of its queues, as the screen saw it at its end (a fact, tui/account.c),
                        "": there was nothing to tell; NULL: it has not ended, or has only just */
};

/* A step's lacks in place of its lesson's words: a partition is why, and what mends it is the screen's to
 * say. */
#define LESSON_LACKS_PARTED N_("A partition keeps the nodes apart: that has to be mended first.")

/* Or a queue that an earlier step has published to was deleted: nothing can be shown of it any more, and no
 * step's own action takes it away. */
#define LESSON_LACKS_QUEUE N_("%s is not there any more: B begins the lesson again.")

/* Or the node that its action goes to: it does not run; or it does not answer and refuses no connection
 * either (node_seen.unrefused), so a start would wait for it, too. */
#define LESSON_LACKS_START N_("%s does not run, and this step goes to it: arrows select it, a starts it.")
#define LESSON_LACKS_KILL                                                                                    \
    N_("%s does not answer, nor refuse connections, as one that stands still: arrows select it, K kills "    \
       "it.")
#define LESSON_LACKS_KILL_START                                                                              \
    N_("%s does not answer, nor refuse connections, as one that stands still: arrows select it, K kills "    \
       "it, "                                                                                                \
       "then a starts it.")

/* number: 1..14. The folder is found beside the program or in the source tree. lab gives the addresses that
 * the actions name (@node1.amqp and such); NULL leaves them as they stand (for reading only). *error as
 * elsewhere: "lessons/07-failover/lesson.cfg:12: what, and what to write instead" (caller frees). */
struct lesson *lesson_load(int number, const struct labdir *lab, char **error);
void lesson_destroy(struct lesson *l);

/* An empty one with that many steps, for a recording's reader to fill in. Its steps have no proofs: it is not
 * handed to lesson_observe. */
struct lesson *lesson_create(size_t steps);

/* What came out is told once it was seen: until a step is proved its `before` is shown for its title, where
 * it has one. Such a step is reached when it was run or looked at: before that, what it waits for is not
 * shown. Nor is it of one that asks, from its run until it has worked: what it lacks would be the answer. */
bool lesson_step_told(const struct lesson *l, size_t step);
bool lesson_step_reached(const struct lesson *l, size_t step);

/* The question is open: the current step is the one that asks, it was not run yet, or failed, and lacks
 * nothing: while it does it cannot be run, and an answer that was given before stays. lesson_next_answer: the
 * choice after the learner's, after the last none again (-1). lesson_answer: this choice (-1: none); false:
 * no question is open, or it has no such choice. lesson_ask.c */
bool lesson_asks(const struct lesson *l);
int lesson_next_answer(const struct lesson *l);
bool lesson_answer(struct lesson *l, int choice);

/* The step that asks has still to work: what would answer the question is not told yet (tui/predict.h).
 * Neither is it before the question stands there, for what was read once is known; and an answer does not end
 * it, for A goes through the choices. False: nothing is asked, or that step was ticked, or its program ended
 * well. lesson_ask.c */
bool lesson_to_predict(const struct lesson *l);

size_t lesson_list(int *numbers, size_t max); /* the lessons that exist, rising */

/* Makes the lesson's own node program the one that lab's nodes are started from (kit), if it is built. */
void lesson_node_program(const struct lesson *l, struct labdir *lab);

/* Looks at every step's proof with this snapshot; true if anything changed. Steps are proved in order: a
 * later one is not ticked while an earlier one is open. */
bool lesson_observe(struct lesson *l, const struct snapshot *s);

/* A step's action is about to run (again): what was seen and printed before it does not count for it. */
void lesson_begin_action(struct lesson *l, size_t step);

/* The learner has looked at what a step without an action is about: it is ticked if the nodes have shown it
 * while it was the current one, and else as soon as they do. Any other step: nothing. */
void lesson_look(struct lesson *l, size_t step);

/* What an action's program printed is itself an observation when the proof asks for it (a consumer's
 * message, a client's error text): add output as it comes, and its end. */
void lesson_output(struct lesson *l, size_t step, const char *data, size_t len);
void lesson_action_ended(struct lesson *l, size_t step, int exit_code);

/* Makes the lab ready for the lesson from its beginning, through the HTTP API and labctl: links that were cut
 * (links.h) are healed, every node runs and sees the others (one that goes on in a view of its own is stopped
 * and started, where it serves none but the lesson's queues; else ERR_REFUSED), the queues and policies that
 * the lesson uses are gone, and those of others that would apply to its queues, if they are named in clear
 * (NULL-terminated; may be NULL); ERR_EXISTS if one of these is left. Blocking, a few seconds. *error: what
 * could not be done. */
int lesson_clean(const struct labdir *lab, const struct lesson *l, const char *const *clear, char **error);

/* The first of these policies, from *at on, that is none of the lesson's and would apply to one of its queues
 * (*queue: to which; may be NULL): with it the lesson's steps would lead to something else. *at goes behind
 * it. NULL: there is none. */
const struct policy_seen *lesson_in_the_way(const struct lesson *l, const struct snapshot *s, size_t *at,
                                            const char **queue);

/* It was proved, and what proved it tells that the node's process was gone: no orderly stop of its app. */
bool lesson_step_process_gone(const struct lesson *l, size_t step);

/* What was seen of it, in the lab's folder beside what was seen of others: lesson_kept.c.
 * lesson_keep: ERR_IO if it cannot be written; a lesson that was not begun leaves what is there.
 * lesson_keep_changes: the same where it is not as it was kept, or taken up, last; one that is not begun any
 * more is forgotten. For every look. account (borrowed): as far as it is known, in the place of the lesson's;
 * may be NULL.
 * lesson_take_up: into one that was just loaded for this lab; false if nothing of this lesson is kept.
 * lesson_follow: for a screen that only looks. *l (loaded for this lab; destroyed, where another takes its
 * place: true) becomes what is kept of it now, unless that is what was taken up last. acts: by a screen that
 * acts on the lab, and lesson_observe leaves what is ticked, over, or the question's outcome to that one,
 * until the next call. lesson_forget: this one begins again; ERR_IO. lesson_forget_all: so do all. */
int lesson_keep(const struct lesson *l, const struct labdir *lab);
int lesson_keep_changes(struct lesson *l, const struct labdir *lab, json_t *account);
bool lesson_take_up(struct lesson *l, const struct labdir *lab);
bool lesson_follow(struct lesson **l, const struct labdir *lab, bool acts);
int lesson_forget(const struct lesson *l, const struct labdir *lab);
void lesson_forget_all(const struct labdir *lab);

/* In the lab's folder: what was seen of lessons; replaced as a whole whenever it is written. */
#define LAB_LESSON_FILE "lesson.json"

/* In the lab's folder, what a screen saw of queues for the next one (tui/kept.h); goes with
 * lesson_forget_all. */
#define LAB_SEEN_FILE "seen.json"

/* Why the lab is not as the lesson begins: "node1 does not run", "The lab holds hello already" (a queue or
 * policy that the lesson uses), "policy mine (^hello) would apply to hello", the first there is: a new fact.
 * NULL: it is ready. */
json_t *lesson_leftover(const struct lesson *l, const struct snapshot *s);

/* What would bring a step on that was run and is not proved: *missing is what it lacks, a new fact or NULL.
 * policy: LESSON_HELP_CLEAR: which; the snapshot's. */
enum lesson_help {
    LESSON_HELP_WAIT,        /* nothing is known to be missing */
    LESSON_HELP_REPEAT,      /* its action once more */
    LESSON_HELP_START_NODES, /* too few nodes run that could say so */
    LESSON_HELP_RESTART,     /* the lesson from its beginning: once more would be twice */
    LESSON_HELP_JOIN,        /* the nodes are apart (a partition): to be mended first */
    LESSON_HELP_CLEAR,       /* a policy that is none of the lesson's applies to its queue: without it */
};
enum lesson_help lesson_help(const struct lesson *l, size_t step, const struct snapshot *s, json_t **missing,
                             const struct policy_seen **policy);

/* Every fact of a step's proof on a line of its own with what was seen of it: "[ ] ...", in the language of
 * translate (fact.h). The caller frees it. */
char *lesson_explain(const struct lesson *l, size_t step, const struct snapshot *s,
                     const char *(*translate)(const char *format));

size_t lesson_current(
    const struct lesson *l); /* the first step never proved (STEP_WAS was); steps_len if all are */

/* `lab run N --headless`: plays every step on the lab, prints each with what was seen; 0 only if all were
 * proved. *caught: a signal that the caller's handler has caught and not answered, or 0; from here on SIGINT,
 * SIGTERM and SIGHUP end the run with 128 and their number. translate: as in fact.h, for all that is printed.
 */
int lesson_run_headless(struct labdir *lab, struct lesson *l, const volatile sig_atomic_t *caught,
                        const char *(*translate)(const char *text));

#endif

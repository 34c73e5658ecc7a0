/* lesson.c: a lesson's steps held against what is observed, in order. A step is ticked by two snapshots
 * running in which all its facts hold, the second said later than the first; one that only looks, once the
 * learner has looked, too. */
#include "lab/lesson.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "lab/lesson_private.h"
#include "lab/private.h"
#include "lab/proof.h"

/* What a consumer of a whole class's messages prints is not needed to the last line. */
#define OUTPUT_MAX (256u << 10)

struct lesson *lesson_load(int number, const struct labdir *lab, char **error)
{
    char folder[PATH_MAX];
    *error = NULL;
    if (number < 1 || program_lesson_source(number, folder, sizeof(folder))) {
        *error = format_text(
            "there is no lesson %d here; `lab lessons` lists those there are (or name the folder of "
            "the lessons in MIRRORLAB_LESSONS)",
            number);
        return NULL;
    }
    const char *name = strrchr(folder, '/') + 1;
    char *path = format_text("%s/lesson.cfg", folder), *shown = format_text("lessons/%s/lesson.cfg", name);
    struct lesson *l = lesson_read(path, shown, number, lab, error);
    if (l) {
        l->folder = xstrdup(folder);
        l->name = xstrdup(name);
    }
    free(path);
    free(shown);
    return l;
}

struct lesson *lesson_create(size_t steps)
{
    struct lesson_full *full = xcalloc(1, sizeof(*full));
    map_init(&full->counts);
    full->lesson.steps = xcalloc(steps, sizeof(*full->lesson.steps));
    full->lesson.steps_len = steps;
    full->lesson.predict.said = full->lesson.predict.was = -1;
    return &full->lesson;
}

static void free_names(char **names)
{
    for (size_t i = 0; names && names[i]; i++)
        free(names[i]);
    free(names);
}

static void free_said(struct step_said *said, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        proof_destroy(said[i].facts);
        free(said[i].say);
    }
    free(said);
}

void lesson_destroy(struct lesson *l)
{
    if (!l)
        return;
    struct lesson_full *full = lesson_full(l);
    for (size_t i = 0; i < l->steps_len; i++) {
        struct lesson_step *step = &l->steps[i];
        struct step_proof *proof = step->proof;
        if (proof) {
            free_said(proof->needs, proof->needs_len);
            free_said(proof->shows, proof->shows_len);
            proof_destroy(proof->facts);
            proof_destroy(proof->lasts);
            json_decref(proof->shown);
            json_decref(proof->instead);
            free(proof->shown_shows);
        }
        if (proof)
            free(proof->node);
        free(proof);
        free(step->title);
        free(step->before);
        free(step->why);
        free(step->result);
        free(step->lacks);
        free(step->lacks_at);
        free(step->shows);
        free_names(step->action);
        free(step->action_text);
        free(step->ran);
        free(step->wait_text);
        json_decref(step->seen);
        free(step->output);
    }
    free(l->steps);
    free(l->folder);
    free(l->name);
    free(l->title);
    free(l->aim);
    question_finish(&l->predict);
    free(l->queue);
    json_decref(l->account);
    free_names(l->queues);
    free_names(l->policies);
    lesson_counts_finish(full);
    json_decref(full->kept);
    free(full);
}

size_t lesson_list(int *numbers, size_t max)
{
    size_t len = 0;
    char folder[PATH_MAX];
    for (int number = 1; number < 100 && len < max; number++)
        if (program_lesson_source(number, folder, sizeof(folder)) == 0)
            numbers[len++] = number;
    return len;
}

void lesson_node_program(const struct lesson *l, struct labdir *lab)
{
    char folder[PATH_MAX], program[PATH_MAX + 8];
    if (program_lesson_built(l->number, folder, sizeof(folder)))
        return;
    int len = snprintf(program, sizeof(program), "%s/node", folder);
    if (len > 0 && len < (int)sizeof(lab->node_program))
        memcpy(lab->node_program, program, (size_t)len + 1);
}

/* ---- observing
 * ----------------------------------------------------------------------------------------------- */

static bool is_done(const struct lesson_step *step)
{
    return step->state == STEP_SEEN || step->state == STEP_WAS;
}

size_t lesson_current(const struct lesson *l)
{
    size_t i = 0;
    while (i < l->steps_len && is_done(&l->steps[i]))
        i++;
    return i;
}

bool lesson_step_told(const struct lesson *l, size_t step)
{
    return !l->steps[step].before || is_done(&l->steps[step]);
}

bool lesson_step_reached(const struct lesson *l, size_t step)
{
    if (step != lesson_current(l) || !l->steps[step].acted)
        return lesson_step_told(l, step);
    return step != l->predict.step || !lesson_to_predict(l);
}

/* both may be NULL */
static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void set_text(char **text, const char *to)
{
    char *made = to ? xstrdup(to) : NULL;
    free(*text);
    *text = made;
}

/* sets state and what was seen (taken over), at what time; true if either is new */
static bool set_state(struct lesson_step *step, enum step_state state, json_t *seen, int64_t wall_ms)
{
    bool changed = state != step->state || (seen != step->seen && !json_equal(seen, step->seen));
    if (state != step->state && (state == STEP_SEEN || state == STEP_WAS))
        step->seen_wall_ms = wall_ms;
    step->state = state;
    json_decref(step->seen);
    step->seen = seen;
    return changed;
}

/* What lasts is seen not to be so any more; in two looks running, for one may be a slip. */
static bool is_over(struct lesson_full *full, struct lesson_step *step, const struct snapshot *s)
{
    struct step_proof *proof = step->proof;
    struct evidence evidence = lesson_evidence(full, step, s);
    struct finding found;
    proof_look(proof->lasts, &evidence, &found);
    if (found.verdict != VERDICT_NO)
        proof->missed = 0;
    else if (proof->missed++ == 0)
        proof->missed_wall_ms = s->taken_wall_ms; /* not before what it came of */
    json_decref(proof->instead);
    proof->instead = proof->missed ? json_incref(found.instead) : NULL;
    finding_finish(&found);
    return proof->missed >= 2;
}

/* It happened; what its title says of what lasts may be over. That stays over: what looks the same again may
 * have another reason (another message, another start). */
static bool observe_done(struct lesson_full *full, struct lesson_step *step, const struct snapshot *s)
{
    struct step_proof *proof = step->proof;
    if (step->state == STEP_WAS || !proof->lasts || full->follows)
        return false;
    return is_over(full, step, s) &&
           set_state(step, STEP_WAS, json_incref(proof->instead), proof->missed_wall_ms);
}

/* half of it, or all of it for the first time: what is shown is what this snapshot says */
static json_t *half_fact(const struct finding *found)
{
    if (found->verdict == VERDICT_YES)
        return fact_with(N_("seen once so far (%s)"), json_incref(found->seen), NULL);
    return found->seen ? fact_with(N_("%s (seen: %s)"), json_incref(found->missing), json_incref(found->seen))
                       : json_incref(found->missing);
}

/* What this look shows besides the step's proof; NULL: nothing that its lesson has words for. */
static const char *shows_now(const struct lesson_full *full, const struct lesson_step *step,
                             const struct snapshot *s)
{
    const struct step_proof *proof = step->proof;
    struct evidence evidence = lesson_evidence(full, step, s);
    for (size_t i = 0; i < proof->shows_len; i++) {
        struct finding found;
        proof_look(proof->shows[i].facts, &evidence, &found);
        bool there = found.verdict == VERDICT_YES;
        finding_finish(&found);
        if (there)
            return proof->shows[i].say;
    }
    return NULL;
}

/* One open step, one snapshot. */
static bool observe_open(struct lesson_full *full, struct lesson_step *step, const struct snapshot *s)
{
    struct step_proof *proof = step->proof;
    struct evidence evidence = lesson_evidence(full, step, s);
    struct finding found;
    bool changed = false, waits = !step->action && !step->acted; /* until the learner has looked */
    proof_look(proof->facts, &evidence, &found);
    proof->begun = found.held > 0;
    /* done by hand (the key s, say) it shows no more than its own action would without what it needs */
    proof->too_soon = found.verdict == VERDICT_YES && step->action && !step->acted &&
                      (proof->lacking || (proof->parted && step->lacks));
    if (proof->too_soon) {
        finding_finish(&found);
        step->held = 0;
        return set_state(step, STEP_OPEN, NULL, 0);
    }
    if (found.verdict != VERDICT_YES) {
        step->held = 0;
    } else if (found.as_of > proof->last_as_of) { /* said later than what was counted last */
        step->held++;
        proof->last_as_of = found.as_of;
        proof->held_wall_ms = s->taken_wall_ms;
    }
    bool shown = step->held >= proof->snapshots && (waits || !full->follows); /* the one that acts ticks */
    if (shown && !full->follows)
        question_decide(full, step, s);
    if (waits && proof->shown && proof->lasts)
        is_over(full, step, s);
    if (shown && waits) {
        json_decref(proof->shown);
        proof->shown = json_incref(found.seen);
        set_text(&proof->shown_shows, shows_now(full, step, s));
        changed = set_state(step, STEP_OPEN, NULL, 0);
    } else if (shown) {
        set_text(&step->shows, shows_now(full, step, s));
        changed = set_state(step, STEP_SEEN, json_incref(found.seen), proof->held_wall_ms);
    } else if (found.verdict == VERDICT_YES ? step->state == STEP_HALF : found.held > 0) {
        changed = set_state(step, STEP_HALF, half_fact(&found), 0);
    } else if (found.verdict != VERDICT_YES) {
        changed = set_state(step, STEP_OPEN, NULL, 0);
    }
    finding_finish(&found);
    return changed;
}

/* While the nodes are apart each side tells what it alone holds: nothing is a proof then. */
static bool observe_apart(struct lesson_full *full, struct lesson_step *step, const struct snapshot *s)
{
    struct step_proof *proof = step->proof;
    (void)s;
    step->held = 0;
    proof->begun = false;
    if (!full->follows)
        question_undecide(full, step);
    json_decref(proof->shown);
    proof->shown = NULL;
    proof->missed = 0;
    return step->state == STEP_HALF && set_state(step, STEP_OPEN, NULL, 0);
}

void lesson_look(struct lesson *l, size_t step)
{
    struct lesson_step *s = step < l->steps_len ? &l->steps[step] : NULL;
    struct step_proof *proof = s ? s->proof : NULL;
    if (!s || s->action || is_done(s))
        return;
    s->acted = true;
    s->exit_code = 0;
    if (!proof || !proof->shown)
        return;
    set_text(&s->shows, proof->shown_shows);
    if (proof->missed >= 2) /* the learner comes too late to see it; what came instead stands there */
        set_state(s, STEP_WAS, json_incref(proof->instead), proof->missed_wall_ms);
    else
        set_state(s, STEP_SEEN, json_incref(proof->shown), proof->held_wall_ms);
}

/* A node that has only just come up, or gone, may look so for a moment. */
#define APART_LOOKS 2

/* the queue that this step's program publishes to; NULL: it publishes nothing */
static const char *publishes_to(const struct lesson_step *step)
{
    const char *slash = step->action ? strrchr(step->action[0], '/') : NULL;
    if (!step->action || strcmp(slash ? slash + 1 : step->action[0], "producer") != 0)
        return NULL;
    for (size_t i = 1; step->action[i]; i++)
        if (strcmp(step->action[i - 1], "--queue") == 0)
            return step->action[i];
    return NULL;
}

/* A queue that a step before this one has made, and that nobody knows any more; NULL: there is none. What
 * publishes makes it anew. */
static const char *deleted_queue(const struct lesson *l, const struct lesson_step *step,
                                 const struct snapshot *s)
{
    for (const struct lesson_step *made = l->steps; made < step && s->source >= 0; made++) {
        const char *queue = publishes_to(made), *anew = publishes_to(step);
        if (queue && !snapshot_queue(s, queue) && (!anew || strcmp(anew, queue) != 0))
            return queue;
    }
    return NULL;
}

/* Whether what it needs was missing, before anything of its proof was there; once may be a slip. */
static void note_lacking(struct step_proof *proof, bool met, bool lacks)
{
    proof->lacked = lacks && !proof->begun ? proof->lacked + 1 : 0;
    proof->lacking = !met && (proof->lacking || proof->lacked >= 2);
}

/* "labctl -n NODE VERB" */
static bool does(const struct lesson_step *step, const char *verb)
{
    const struct step_proof *proof = step->proof;
    bool is = false;
    for (size_t i = 0; proof->node && step->action[i]; i++)
        is = is || strcmp(step->action[i], verb) == 0;
    return is;
}

/* Its node has gone, in whatever way; a single answer that does not come is no sign of that. */
static bool is_done_by_hand(const struct lesson_step *step, const struct snapshot *s)
{
    const struct step_proof *proof = step->proof;
    const struct node_seen *n = does(step, "stop_app") ? snapshot_node(s, proof->node) : NULL;
    bool ran_well = step->acted && step->exit_code <= 0; /* or runs */
    return n && !ran_well && !n->answers && (n->state != NODE_UP || n->gone || !n->unrefused);
}

/* What its action would meet at the node that it goes to, for NULL: nothing is known to be in the way. A step
 * may be about one that is away. */
static const char *node_lacks(const struct lesson_step *step, const struct snapshot *s)
{
    const struct step_proof *proof = step->proof;
    const struct node_seen *n = proof->node ? snapshot_node(s, proof->node) : NULL;
    if (!n || step->acted || n->answers || (n->state != NODE_NOT_RUNNING && !n->gone) ||
        does(step, "stop_app"))
        return NULL;
    bool away = does(step, "start_app");
    for (size_t i = 0; i < proof->needs_len; i++)
        away = away || proof_wants_away(proof->needs[i].facts, n->name);
    if (n->unrefused && !n->gone)
        return away ? LESSON_LACKS_KILL : LESSON_LACKS_KILL_START;
    return away ? NULL : LESSON_LACKS_START;
}

/* No need of the lesson's own: what it says of the lab. */
static bool is_of_lab(const char *lacks)
{
    return lacks && (strcmp(lacks, LESSON_LACKS_PARTED) == 0 || strcmp(lacks, LESSON_LACKS_QUEUE) == 0);
}

/* What the step that is to be run lacks now, in the words of its lesson; true if that is news. What nobody
 * can say now is not held against it. */
static bool look_at_needs(struct lesson_full *full, struct lesson_step *step, bool current,
                          const struct snapshot *s)
{
    struct step_proof *proof = step->proof;
    struct evidence evidence = lesson_evidence(full, step, s);
    const char *lacks = current && full->apart >= APART_LOOKS ? LESSON_LACKS_PARTED : NULL, *at = NULL;
    bool met = current, missed = false;
    if (current && !lacks && (at = deleted_queue(&full->lesson, step, s)))
        lacks = LESSON_LACKS_QUEUE;
    bool gone = current && is_done_by_hand(step, s), was_by_hand = step->by_hand;
    step->by_hand = gone && !proof->lacking && !proof->parted;
    for (size_t i = 0; current && i < proof->needs_len && !lacks && !step->by_hand; i++) {
        struct finding found;
        proof_look(proof->needs[i].facts, &evidence, &found);
        bool parted = found.torn || (found.of_policy && snapshot_partitioned(s));
        bool placed =
            strstr(proof->needs[i].say, "%s") != NULL; /* a master that is nowhere is at no other place */
        if (found.verdict == VERDICT_NO && (parted || !placed || found.master))
            lacks = parted ? LESSON_LACKS_PARTED : proof->needs[i].say;
        met = met && found.verdict == VERDICT_YES;
        missed = lacks && !parted;
        at = lacks && placed && !parted ? found.master : NULL;
        finding_finish(&found);
    }
    note_lacking(proof, met && !lacks && !gone, missed && !gone);
    if (current && !lacks && (lacks = node_lacks(step, s)))
        at = proof->node;
    proof->parted = (proof->parted && !met) || full->apart >= APART_LOOKS;
    if (gone && proof->lacking && step->lacks && !is_of_lab(step->lacks) && !is_of_lab(lacks))
        return false; /* what it lacked when it was done is why it is not ticked, and not what became of it */
    if (current && proof->too_soon && proof->lacking && !lacks)
        return false;
    bool news =
        step->by_hand != was_by_hand || !same_text(lacks, step->lacks) || !same_text(at, step->lacks_at);
    set_text(&step->lacks, lacks);
    set_text(&step->lacks_at, at);
    return news;
}

/* Something of its proof is there now. */
static bool shows(const struct lesson_full *full, const struct lesson_step *step, const struct snapshot *s)
{
    struct evidence evidence = lesson_evidence(full, step, s);
    struct finding found;
    proof_look(((const struct step_proof *)step->proof)->facts, &evidence, &found);
    bool shown = found.held > 0;
    finding_finish(&found);
    return shown;
}

bool lesson_observe(struct lesson *l, const struct snapshot *s)
{
    struct lesson_full *full = lesson_full(l);
    if (s->number <= full->last_number)
        return false; /* the same one again is no second look */
    full->last_number = s->number;
    lesson_look_at_counts(full, s);
    bool changed = false, apart = snapshot_partitioned(s);
    full->apart = apart ? full->apart + 1 : 0;
    for (size_t i = 0; i < l->steps_len; i++) {
        bool done = is_done(&l->steps[i]);
        changed = (done    ? observe_done
                   : apart ? observe_apart
                           : observe_open)(full, &l->steps[i], s) ||
                  changed;
        if (!done && is_done(&l->steps[i]) && l->steps[i].action)
            lesson_counts_anew(full);
        if (!done)
            break; /* the first open one; those after it have to wait, also if it was ticked just now */
    }
    size_t at = lesson_current(l);
    if (at < l->steps_len && l->steps[at].action && !apart && s->source >= 0 &&
        !shows(full, &l->steps[at], s))
        lesson_counts_before(full);
    for (size_t i = 0; i < l->steps_len; i++)
        changed = look_at_needs(full, &l->steps[i], i == lesson_current(l), s) || changed;
    return changed;
}

void lesson_output(struct lesson *l, size_t step, const char *data, size_t len)
{
    struct lesson_step *s = &l->steps[step];
    size_t have = s->output ? strlen(s->output) : 0;
    len = strnlen(data, len); /* it is shown as text */
    if (have + len > OUTPUT_MAX) {
        size_t keep = have < OUTPUT_MAX / 2 ? have : OUTPUT_MAX / 2; /* the newest half */
        if (keep)
            memmove(s->output, s->output + have - keep, keep);
        have = keep;
        len = len < OUTPUT_MAX / 2 ? len : OUTPUT_MAX / 2;
    }
    s->output = xrealloc(s->output, have + len + 1);
    memcpy(s->output + have, data, len);
    s->output[have + len] = '\0';
}

void lesson_begin_action(struct lesson *l, size_t step)
{
    struct lesson_step *s = &l->steps[step];
    s->acted = true;
    s->exit_code = -1;
    s->held = 0; /* what was seen before it is no proof of it */
    free(s->output);
    free(s->ran);
    s->output = s->ran = NULL;
}

void lesson_action_ended(struct lesson *l, size_t step, int exit_code)
{
    l->steps[step].acted = true;
    l->steps[step].exit_code = exit_code;
}

/* lesson_kept.c: what was seen of a lesson's steps stays in the lab's folder (DIR/lesson.json) from when it
 * is seen on, with the time it was seen at, and is there again when a screen comes back to that lesson,
 * whatever others came between: {"lessons": [...]}, the one that was kept last at the end. (A file of an
 * earlier kit is one lesson alone.) A read-only screen beside the one that acts shows the lesson as it is
 * there.
 *
 * The rule it keeps: what is taken up is what was observed then. The steps go on being looked at, and those
 * that the nodes contradict say until when they were true. A program that ran when the screen was left is not
 * known to have ended: its step counts as not run. What a step lacked it lacks until all of it was seen. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "lab/lesson_private.h"
#include "lab/private.h"

#define KEPT_LESSONS    99   /* the newest; more there are not (lesson_list) */
#define KEPT_OUTPUT_MAX 4000 /* of what a proved step's program printed, the end: more is never shown */

static char *kept_file(const struct labdir *lab)
{
    return format_text("%s/%s", lab->path, LAB_LESSON_FILE);
}

static bool is_done(enum step_state state)
{
    return state == STEP_SEEN || state == STEP_WAS;
}

static json_t *step_json(const struct lesson_step *s)
{
    const struct step_proof *proof = s->proof;
    bool ended = s->acted && s->exit_code >= 0, done = is_done(s->state);
    json_t *o = json_pack("{s:s, s:b}", "title", s->title, "acted", done ? s->acted : ended);
    if (s->ran && json_is_true(json_object_get(o, "acted")))
        json_object_set_new(o, "ran", json_string(s->ran));
    if (ended)
        json_object_set_new(o, "exit", json_integer(s->exit_code));
    if (s->acted && !done && !ended)
        json_object_set_new(o, "runs", json_true());
    if (s->output && (done || ended)) {
        size_t len = strlen(s->output), from = 0;
        if (done && len > KEPT_OUTPUT_MAX)
            from = len - KEPT_OUTPUT_MAX;
        while (from && ((unsigned char)s->output[from] & 0xc0) == 0x80)
            from++; /* not in the middle of a character */
        json_object_set_new(o, "output", json_string(s->output + from)); /* nothing, if it is no text */
    }
    if (!done) {
        if (proof->lacking)
            json_object_set_new(o, "lacking", json_true());
        if (proof->parted)
            json_object_set_new(o, "parted", json_true());
        return o;
    }
    json_object_set_new(o, "state", json_string(s->state == STEP_SEEN ? "seen" : "was"));
    json_object_set_new(o, "seen_wall_ms", json_integer(s->seen_wall_ms));
    json_object_set(o, "seen", s->seen);
    if (s->shows)
        json_object_set_new(o, "shows", json_string(s->shows));
    return o;
}

/* All that is kept, as a list: a new reference. What cannot be read is not there. */
static json_t *kept_lessons(const struct labdir *lab)
{
    char *file = kept_file(lab);
    json_t *o = json_load_file(file, 0, NULL), *list = json_object_get(o, "lessons");
    list = json_is_array(list)           ? json_incref(list)
           : json_object_get(o, "steps") ? json_pack("[O]", o)
                                         : json_array();
    json_decref(o);
    free(file);
    return list;
}

/* takes the list over */
static int write_lessons(const struct labdir *lab, json_t *list)
{
    /* of this process: of two screens that act each writes its own */
    char *file = kept_file(lab), *fresh = format_text("%s.%ld", file, (long)getpid());
    json_t *o = json_pack("{s:o}", "lessons", list);
    int err = json_dump_file(o, fresh, JSON_INDENT(1)) || rename(fresh, file) ? ERR_IO : 0;
    free(file);
    free(fresh);
    json_decref(o);
    return err;
}

static bool is_of(const json_t *kept, const struct lesson *l)
{
    return json_integer_value(json_object_get(kept, "lesson")) == l->number;
}

/* true: it was there */
static bool take_out(json_t *list, const struct lesson *l)
{
    size_t len = json_array_size(list);
    for (size_t i = len; i-- > 0;)
        if (is_of(json_array_get(list, i), l))
            json_array_remove(list, i);
    return json_array_size(list) < len;
}

/* All that is kept of it: a new reference. NULL: it was not begun. account: may be NULL */
static json_t *lesson_json(const struct lesson *l, json_t *account)
{
    const struct lesson_full *full = lesson_full((struct lesson *)(uintptr_t)l);
    bool begun = lesson_current(l) > 0 || l->predict.said >= 0;
    for (size_t i = 0; i < l->steps_len; i++)
        begun = begun || l->steps[i].acted;
    if (!begun)
        return NULL;
    json_t *steps = json_array(), *most = json_object(), *before = json_object(), *taken = json_array();
    for (size_t i = 0; i < l->steps_len; i++)
        json_array_append_new(steps, step_json(&l->steps[i]));
    for (char **name = l->queues; name && *name; name++) {
        const struct queue_count *count = map_get_str(&full->counts, *name);
        if (count)
            json_object_set_new(most, *name, json_integer(count->most));
        if (count && count->before >= 0)
            json_object_set_new(before, *name, json_integer(count->before));
        if (count && count->fell)
            json_array_append_new(taken, json_string(*name));
    }
    json_t *o = json_pack("{s:i, s:o, s:o, s:o, s:o}", "lesson", l->number, "steps", steps, "most_messages",
                          most, "messages_before", before, "taken", taken);
    if (l->predict.said >= 0)
        json_object_set_new(o, "said", json_integer(l->predict.said));
    if (l->predict.was >= 0)
        json_object_set_new(o, "was", json_integer(l->predict.was));
    json_object_set(o, "account", account); /* nothing, if there is none */
    return o;
}

static size_t ticks_of(const json_t *kept)
{
    const json_t *steps = json_object_get(kept, "steps"), *step;
    size_t i, ticks = 0;
    json_array_foreach(steps, i, step)
    {
        ticks += json_object_get(step, "state") != NULL;
    }
    return ticks;
}

/* Ticks are taken back by B alone, which forgets them first: where more of them are kept another screen has
 * seen more, and that stays. */
static int write_lesson(const struct lesson *l, const struct labdir *lab, json_t *o)
{
    json_t *list = kept_lessons(lab);
    for (size_t i = json_array_size(list); i-- > 0;)
        if (is_of(json_array_get(list, i), l) && ticks_of(json_array_get(list, i)) > ticks_of(o)) {
            json_decref(list);
            return 0;
        }
    take_out(list, l);
    json_array_append(list, o);
    while (json_array_size(list) > KEPT_LESSONS)
        json_array_remove(list, 0);
    return write_lessons(lab, list);
}

int lesson_keep(const struct lesson *l, const struct labdir *lab)
{
    json_t *o = lesson_json(l, l->account);
    int err = o ? write_lesson(l, lab, o) : 0;
    json_decref(o);
    return err;
}

int lesson_keep_changes(struct lesson *l, const struct labdir *lab, json_t *account)
{
    struct lesson_full *full = lesson_full(l);
    json_t *o = lesson_json(l, account);
    int err = o == full->kept || json_equal(o, full->kept) ? 0
              : o                                          ? write_lesson(l, lab, o)
                                                           : lesson_forget(l, lab);
    if (!err) {
        json_decref(full->kept);
        full->kept = json_incref(o);
    }
    json_decref(o);
    return err;
}

/* runs: what was run for it may run still, or else is not known to have ended */
static void take_up_step(struct lesson_step *s, const json_t *o, bool runs)
{
    struct step_proof *proof = s->proof;
    const char *state = json_string_value(json_object_get(o, "state"));
    const char *output = json_string_value(json_object_get(o, "output"));
    const json_t *exit_code = json_object_get(o, "exit");
    s->acted = json_is_true(json_object_get(o, "acted"));
    s->exit_code = exit_code ? (int)json_integer_value(exit_code) : s->acted ? 0 : -1;
    if (runs && json_is_true(json_object_get(o, "runs"))) {
        s->acted = true;
        s->exit_code = -1;
    }
    const char *ran = json_string_value(json_object_get(o, "ran"));
    s->ran = ran && s->acted ? xstrdup(ran) : NULL;
    if (output && s->acted)
        s->output = xstrdup(output);
    proof->lacking = json_is_true(json_object_get(o, "lacking"));
    proof->parted = json_is_true(json_object_get(o, "parted"));
    if (!state)
        return;
    s->state = strcmp(state, "seen") == 0 ? STEP_SEEN : STEP_WAS;
    s->seen_wall_ms = proof->held_wall_ms = json_integer_value(json_object_get(o, "seen_wall_ms"));
    s->seen = json_incref(json_object_get(o, "seen"));
    const char *shows = json_string_value(json_object_get(o, "shows"));
    s->shows = shows ? xstrdup(shows) : NULL;
}

/* one of the question's choices; -1: none */
static int choice_of(const struct lesson_question *q, const json_t *o, const char *key)
{
    json_int_t len = 0, at = json_integer_value(json_object_get(o, key));
    while (q->choices && q->choices[len])
        len++;
    return json_object_get(o, key) && at >= 0 && at < len ? (int)at : -1;
}

/* it is of this lesson, and that has the same steps still */
static bool fits(const struct lesson *l, const json_t *o)
{
    const json_t *steps = json_object_get(o, "steps");
    if (!is_of(o, l) || json_array_size(steps) != l->steps_len)
        return false;
    for (size_t i = 0; i < l->steps_len; i++) {
        const json_t *step = json_array_get(steps, i);
        const char *title = json_string_value(json_object_get(step, "title"));
        if (!title || strcmp(title, l->steps[i].title) != 0)
            return false;
    }
    return true;
}

/* What is kept of this lesson: a new reference. NULL: nothing. */
static json_t *kept_lesson(const struct lesson *l, const struct labdir *lab)
{
    json_t *list = kept_lessons(lab), *o = NULL;
    for (size_t i = json_array_size(list); i-- > 0 && !o;)
        o = fits(l, json_array_get(list, i)) ? json_incref(json_array_get(list, i)) : NULL;
    json_decref(list);
    return o;
}

/* o: may be NULL. acts: the screen that keeps it goes on with it */
static void take_up(struct lesson *l, json_t *o, bool acts)
{
    struct lesson_full *full = lesson_full(l);
    json_t *held;
    const char *name;
    size_t at;
    for (size_t i = 0; o && i < l->steps_len; i++)
        take_up_step(&l->steps[i], json_array_get(json_object_get(o, "steps"), i), acts);
    json_object_foreach(o ? json_object_get(o, "most_messages") : NULL, name, held)
    {
        lesson_count(full, name)->most = json_integer_value(held);
    }
    json_object_foreach(o ? json_object_get(o, "messages_before") : NULL, name, held)
    {
        lesson_count(full, name)->before = json_integer_value(held);
    }
    json_array_foreach(json_object_get(o, "taken"), at, held) if (json_is_string(held))
        lesson_count(full, json_string_value(held))
            ->fell = true;
    l->predict.said = choice_of(&l->predict, o, "said");
    l->predict.was = choice_of(&l->predict, o, "was");
    /* what became of it was told at its end, if at all: what is so now may have come of something else */
    json_t *account = o ? json_object_get(o, "account") : NULL;
    if (o && lesson_current(l) == l->steps_len && (account || !acts))
        l->account = account ? json_incref(account) : json_string("");
    full->kept = json_incref(o);
    full->follows = acts;
}

bool lesson_take_up(struct lesson *l, const struct labdir *lab)
{
    json_t *o = kept_lesson(l, lab);
    json_decref(lesson_full(l)->kept);
    take_up(l, o, false);
    json_decref(o);
    return o != NULL;
}

bool lesson_follow(struct lesson **l, const struct labdir *lab, bool acts)
{
    struct lesson_full *full = lesson_full(*l);
    json_t *o = kept_lesson(*l, lab);
    char *error = NULL;
    bool same = acts == full->follows && (o == full->kept || json_equal(o, full->kept));
    struct lesson *fresh = same ? NULL : lesson_load((*l)->number, lab, &error);
    if (fresh) {
        take_up(fresh, o, acts);
        lesson_full(fresh)->apart = full->apart; /* of the nodes, as this screen sees them */
        lesson_destroy(*l);
        *l = fresh;
    }
    free(error);
    json_decref(o);
    return fresh != NULL;
}

int lesson_forget(const struct lesson *l, const struct labdir *lab)
{
    json_t *list = kept_lessons(lab);
    if (take_out(list, l))
        return write_lessons(lab, list);
    json_decref(list);
    return 0;
}

void lesson_forget_all(const struct labdir *lab)
{
    char *file = kept_file(lab), *seen = format_text("%s/%s", lab->path, LAB_SEEN_FILE);
    unlink(file);
    unlink(seen);
    free(file);
    free(seen);
}

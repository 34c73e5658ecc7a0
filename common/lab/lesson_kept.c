/* lesson_kept.c: what was seen of a lesson's steps stays in the lab's folder (DIR/lesson.json) when the
 * screen is left, with the time it was seen at, and is there again when it comes back. It is one lesson's:
 * the one that was left last.
 *
 * The rule it keeps: what is taken up is what was observed then. The steps go on being looked at, and those
 * that the nodes contradict say until when they were true. A program that ran when the screen was left is not
 * known to have ended: its step counts as not run. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "lab/lesson_private.h"
#include "lab/private.h"

static char *kept_file(const struct labdir *lab)
{
    return format_text("%s/lesson.json", lab->path);
}

static bool is_done(enum step_state state)
{
    return state == STEP_SEEN || state == STEP_WAS;
}

static json_t *step_json(const struct lesson_step *s)
{
    bool ended = s->acted && s->exit_code >= 0;
    json_t *o = json_pack("{s:s, s:b}", "title", s->title, "acted", is_done(s->state) ? s->acted : ended);
    if (ended)
        json_object_set_new(o, "exit", json_integer(s->exit_code));
    if (s->output)
        json_object_set_new(o, "output", json_string(s->output)); /* nothing, if it is no text */
    if (!is_done(s->state))
        return o;
    json_object_set_new(o, "state", json_string(s->state == STEP_SEEN ? "seen" : "was"));
    json_object_set_new(o, "seen_wall_ms", json_integer(s->seen_wall_ms));
    json_object_set(o, "seen", s->seen);
    return o;
}

int lesson_keep(const struct lesson *l, const struct labdir *lab)
{
    const struct lesson_full *full = lesson_full((struct lesson *)(uintptr_t)l);
    bool begun = lesson_current(l) > 0;
    json_t *steps = json_array(), *most = json_object();
    for (size_t i = 0; i < l->steps_len; i++) {
        begun = begun || l->steps[i].acted;
        json_array_append_new(steps, step_json(&l->steps[i]));
    }
    for (char **name = full->queues; name && *name; name++) {
        const int64_t *held = map_get_str(&full->most_messages, *name);
        if (held)
            json_object_set_new(most, *name, json_integer(*held));
    }
    json_t *o = json_pack("{s:i, s:o, s:o}", "lesson", l->number, "steps", steps, "most_messages", most);
    char *file = kept_file(lab), *fresh = format_text("%s.new", file);
    int err = 0;
    if (begun && (json_dump_file(o, fresh, JSON_INDENT(1)) || rename(fresh, file)))
        err = ERR_IO;
    free(file);
    free(fresh);
    json_decref(o);
    return err;
}

static void take_up_step(struct lesson_step *s, const json_t *o)
{
    struct step_proof *proof = s->proof;
    const char *state = json_string_value(json_object_get(o, "state"));
    const char *output = json_string_value(json_object_get(o, "output"));
    const json_t *exit_code = json_object_get(o, "exit");
    s->acted = json_is_true(json_object_get(o, "acted"));
    s->exit_code = exit_code ? (int)json_integer_value(exit_code) : s->acted ? 0 : -1;
    if (output && s->acted)
        s->output = xstrdup(output);
    if (!state)
        return;
    s->state = strcmp(state, "seen") == 0 ? STEP_SEEN : STEP_WAS;
    s->seen_wall_ms = proof->held_wall_ms = json_integer_value(json_object_get(o, "seen_wall_ms"));
    s->seen = json_incref(json_object_get(o, "seen"));
}

/* it is of this lesson, and that has the same steps still */
static bool fits(const struct lesson *l, const json_t *o)
{
    const json_t *steps = json_object_get(o, "steps");
    if (json_integer_value(json_object_get(o, "lesson")) != l->number ||
        json_array_size(steps) != l->steps_len)
        return false;
    for (size_t i = 0; i < l->steps_len; i++) {
        const json_t *step = json_array_get(steps, i);
        const char *title = json_string_value(json_object_get(step, "title"));
        if (!title || strcmp(title, l->steps[i].title) != 0)
            return false;
    }
    return true;
}

bool lesson_take_up(struct lesson *l, const struct labdir *lab)
{
    struct lesson_full *full = lesson_full(l);
    char *file = kept_file(lab);
    json_t *o = json_load_file(file, 0, NULL), *held;
    const char *name;
    free(file);
    bool good = o && fits(l, o);
    for (size_t i = 0; good && i < l->steps_len; i++)
        take_up_step(&l->steps[i], json_array_get(json_object_get(o, "steps"), i));
    json_object_foreach(good ? json_object_get(o, "most_messages") : NULL, name, held)
    {
        int64_t *most = xcalloc(1, sizeof(*most));
        *most = json_integer_value(held);
        free(map_set(&full->most_messages, bytes_str(name), most));
    }
    json_decref(o);
    return good;
}

void lesson_forget(const struct labdir *lab)
{
    char *file = kept_file(lab);
    unlink(file);
    free(file);
}

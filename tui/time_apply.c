/* time_apply.c: what each line of a recording does to the model; docs/recording.md has the lines. It was
 * checked when it was read (replay.c): what makes no sense all the same is left out. */
#include <stdlib.h>

#include "commands.h"
#include "time_delta.h"
#include "time_private.h"
#include "words.h"

static int64_t number_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static size_t find_event(const json_t *events, int64_t seq)
{
    size_t i;
    json_t *e;
    json_array_foreach(events, i, e)
    {
        if (number_of(e, "seq") == seq)
            return i;
    }
    return SIZE_MAX;
}

static void apply_events(struct player *p, json_t *line)
{
    json_t *fresh = json_object_get(line, "events"), *value;
    size_t i;
    if (json_object_get(line, "snapshot") || !p->events) {
        json_decref(p->events);
        p->events = json_array();
    }
    json_array_foreach(json_object_get(line, "events_gone"), i, value)
    {
        size_t at = find_event(p->events, json_integer_value(value));
        if (at != SIZE_MAX)
            json_array_remove(p->events, at);
    }
    json_array_foreach(fresh, i, value)
    {
        json_array_append(p->events, value);
    }
    json_t *order = json_object_get(line, "events_order");
    if (!order)
        return;
    json_t *sorted = json_array();
    json_array_foreach(order, i, value)
    {
        size_t at = find_event(p->events, json_integer_value(value));
        if (at != SIZE_MAX)
            json_array_append(sorted, json_array_get(p->events, at));
    }
    json_decref(p->events);
    p->events = sorted;
}

/* The account of a lesson is made at its end, of what is known of messages then. */
static bool account_is_due(const struct model *m)
{
    return m->lesson && !m->lesson->account && model_step(m) == m->lesson->steps_len;
}

static void apply_snapshot(struct player *p, json_t *line, enum passing how)
{
    json_t *fresh = json_object_get(line, "snapshot"), *change = json_object_get(line, "change");
    char *why = NULL;
    if (fresh) {
        json_decref(p->doc);
        p->doc = json_deep_copy(fresh);
    } else if (!p->doc || !delta_apply(p->doc, change)) {
        return; /* it was checked when it was read */
    }
    apply_events(p, line);
    if (how == PASSING) {
        p->model.ledger.calm++;
        return;
    }
    json_t *json = recorded_decode(p->doc, how == PASSING_NEWEST ? p->events : NULL);
    struct snapshot *s = snapshot_from_json(json, &why);
    json_decref(json);
    if (s) {
        p->model.ledger.passing = how == PASSING_LOOK && !account_is_due(&p->model);
        model_observe(&p->model, s);
        p->model.ledger.passing = false;
    }
    snapshot_destroy(s);
    free(why);
}

static void apply_bare(struct player *p, json_t *line)
{
    char *why = NULL;
    struct snapshot *s = snapshot_from_json(line, &why);
    if (s) {
        model_observe(&p->model, s);
        if (p->given) {
            lesson_look(p->given, lesson_current(p->given)); /* nobody was there to say so */
            lesson_observe(p->given, s);
        }
    }
    snapshot_destroy(s);
    free(why);
}

static enum step_state state_of(const char *word)
{
    static const char *const words[] = {"open", "half", "seen", "was"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (word && strcmp(word, words[i]) == 0)
            return (enum step_state)i;
    return STEP_OPEN;
}

/* json: NULL: there is none */
static void set_text(char **text, const json_t *json)
{
    free(*text);
    *text = json_is_string(json) ? xstrdup(json_string_value(json)) : NULL;
}

static void apply_step(struct lesson_step *s, const json_t *o, bool cold)
{
    s->state = state_of(json_string_value(json_object_get(o, "state")));
    s->acted = json_is_true(json_object_get(o, "acted"));
    s->by_hand = json_is_true(json_object_get(o, "by_hand"));
    s->exit_code = (int)number_of(o, "exit");
    s->seen_wall_ms = number_of(o, "seen_wall_ms");
    json_decref(s->seen);
    s->seen = json_incref(json_object_get(o, "seen"));
    set_text(&s->lacks, json_object_get(o, "lacks"));
    set_text(&s->lacks_at, json_object_get(o, "lacks_at"));
    set_text(&s->shows, json_object_get(o, "shows"));
    if (cold)
        set_text(&s->output, json_object_get(o, "output"));
}

static int choice_of(const struct lesson_question *q, const json_t *at)
{
    json_int_t len = 0, i = json_integer_value(at);
    while (q->choices && q->choices[len])
        len++;
    return json_is_integer(at) && i >= 0 && i < len ? (int)i : -1;
}

static void apply_steps(struct player *p, json_t *line, bool cold)
{
    struct lesson *l = p->model.lesson;
    const char *key;
    json_t *o;
    json_object_foreach(json_object_get(line, "steps"), key, o)
    {
        size_t i = strtoul(key, NULL, 10);
        if (l && i < l->steps_len)
            apply_step(&l->steps[i], o, cold);
    }
    const json_t *answered = json_object_get(line, "answered");
    if (l && answered) {
        l->predict.said = choice_of(&l->predict, json_array_get(answered, 0));
        l->predict.was = choice_of(&l->predict, json_array_get(answered, 1));
    }
    json_t *account = json_object_get(line, "account");
    if (l && account) { /* as it was found then: what the model could find here may come too late */
        json_decref(l->account);
        l->account = json_incref(account);
    }
}

static struct command *command_from(const json_t *o)
{
    const json_t *argv = json_object_get(o, "argv");
    const char *words[256], *text = json_string_value(json_object_get(o, "text"));
    size_t len = 0;
    for (; len < json_array_size(argv) && len + 1 < ARRAY_LEN(words); len++) {
        const char *word = json_string_value(json_array_get(argv, len));
        words[len] = word ? word : "?";
    }
    if (len == 0)
        words[len++] = "?"; /* a command has a name */
    words[len] = NULL;
    struct command *c = command_of(words, (int)number_of(o, "step"));
    if (text) {
        free(c->text);
        c->text = xstrdup(text);
    }
    c->typed = json_is_true(json_object_get(o, "typed"));
    c->uncounted = json_is_true(json_object_get(o, "uncounted"));
    return c;
}

static struct running *running_of(struct player *p, json_t *line)
{
    for (size_t i = 0; i < p->running.len; i++)
        if (p->running.items[i].id == (int)number_of(line, "id"))
            return &p->running.items[i];
    return NULL;
}

static struct lesson_step *step_of(struct player *p, const struct command *c)
{
    struct lesson *l = p->model.lesson;
    return l && c->step >= 0 && (size_t)c->step < l->steps_len ? &l->steps[c->step] : NULL;
}

static void begin_lesson_again(struct lesson *l)
{
    for (size_t i = 0; l && i < l->steps_len; i++) {
        free(l->steps[i].output);
        l->steps[i].output = NULL;
    }
}

static void apply_ran(struct player *p, const json_t *ran)
{
    struct command *c = command_from(ran);
    if (c->step == COMMAND_CLEAN)
        begin_lesson_again(p->model.lesson);
    if (step_of(p, c))
        lesson_begin_action(p->model.lesson, (size_t)c->step);
    model_ran(&p->model, c);
    VEC_PUSH(&p->running, (struct running){.id = (int)number_of(ran, "id"), .command = c});
}

static void apply_output(struct player *p, json_t *line)
{
    struct running *of = running_of(p, line);
    json_t *output = json_object_get(line, "output");
    if (!of || !json_is_string(output))
        return;
    model_output(&p->model, of->command, json_string_value(output), json_string_length(output));
    if (step_of(p, of->command))
        lesson_output(p->model.lesson, (size_t)of->command->step, json_string_value(output),
                      json_string_length(output));
}

static void apply_ended(struct player *p, json_t *line)
{
    struct running *of = running_of(p, line);
    int exit_code = (int)number_of(line, "ended");
    if (!of)
        return;
    model_ended(&p->model, of->command, exit_code);
    VEC_REMOVE(&p->running, (size_t)(of - p->running.items));
}

/* what ran when the recording began, or after lines that are left out */
static void apply_commands(struct player *p, json_t *line)
{
    size_t i;
    json_t *o;
    json_array_foreach(json_object_get(line, "commands"), i, o)
    {
        const char *last = json_string_value(json_object_get(o, "last_line")),
                   *open = json_string_value(json_object_get(o, "open_line"));
        apply_ran(p, o);
        struct command *c = p->model.command;
        if (last) {
            model_output(&p->model, c, last, strlen(last));
            if (!json_is_true(json_object_get(o, "line_open"))) /* as it was written once */
                model_output(&p->model, c, "\n", 1);
        }
        if (open)
            model_output(&p->model, c, open, strlen(open));
        if (!json_is_true(json_object_get(o, "running"))) {
            model_ended(&p->model, c, (int)number_of(o, "exit"));
            p->running.len--;
        }
    }
}

static char *copy_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return xstrdup(text ? text : "-");
}

static void apply_ledger(struct player *p, json_t *ledger)
{
    size_t i;
    json_t *o;
    model_forget_fates(&p->model);
    json_array_foreach(ledger, i, o)
    {
        struct fate_seen f = {.message = copy_of(o, "message"),
                              .fate = fact_text(json_object_get(o, "fate"), lesson_words),
                              .where = copy_of(o, "where"),
                              .queue = copy_of(o, "queue"),
                              .life = json_incref(json_object_get(o, "life")),
                              .lost = json_is_true(json_object_get(o, "lost"))};
        VEC_PUSH(&p->model.fates, f);
    }
}

void player_apply(struct player *p, size_t i, enum passing how)
{
    json_t *line = recording_line(p->r, i);
    bool cold = !p->begun;
    if (!json_object_get(line, "t")) {
        apply_bare(p, line);
    } else {
        if (json_object_get(line, "snapshot") || json_object_get(line, "change")) {
            apply_snapshot(p, line, how);
            p->begun = true;
        }
        if (cold)
            apply_commands(p, line);
        if (json_object_get(line, "ran"))
            apply_ran(p, json_object_get(line, "ran"));
        if (json_object_get(line, "output"))
            apply_output(p, line);
        if (json_object_get(line, "ended"))
            apply_ended(p, line);
        apply_steps(p, line, cold);
        if (json_object_get(line, "ledger"))
            apply_ledger(p, json_object_get(line, "ledger"));
        if (json_object_get(line, "leftover")) {
            json_decref(p->model.leftover);
            p->model.leftover = json_incref(json_object_get(line, "leftover"));
        }
        if (json_is_string(json_object_get(line, "said")))
            model_say(&p->model, "%s", json_string_value(json_object_get(line, "said")));
    }
    json_decref(line);
}

void player_resume(struct player *p, const struct kept *k)
{
    const struct checkpoint *c = k->checkpoint;
    json_t *line = recording_line(p->r, k->at - 1); /* a whole snapshot */
    json_t *events = json_object_get(line, "events");
    p->doc = json_incref(json_object_get(line, "snapshot"));
    p->events = events ? json_incref(events) : json_array();
    json_decref(line);
    VEC_RESERVE(&p->running, checkpoint_running(c) + 1);
    p->running.len = checkpoint_running(c);
    checkpoint_restore(c, &p->model, p->running.items);
    p->begun = true;
    p->at = k->at;
}

void player_forget(struct player *p)
{
    json_decref(p->doc);
    json_decref(p->events);
    p->doc = p->events = NULL;
    p->running.len = 0;
    p->begun = false;
    p->at = 0;
}

/* time_player.c: see time_player.h. */
#include "time_player.h"

#include <stdlib.h>

#include "commands.h"
#include "time_delta.h"
#include "words.h"

#define SEEK_MS 10000 /* where a recording has no steps */

/* What the model remembers of looks that showed nothing new is its history: this far back. */
#define REMEMBERED_MS ((HISTORY_LEN + 2) * 1000)

static const unsigned speeds[] = {10, 25, 50, 100, 200, 400, 800, 1600, 6000}; /* per cent */
#define SPEED_NORMAL 3

struct player {
    struct recording *r;
    struct lesson *given; /* for a recording without a lesson */
    struct model model;
    size_t at;         /* moments that are shown */
    ms_time pos;       /* between them, while it plays */
    ms_time left_over; /* of the viewer's time, in hundredths of the recording's: a slow one loses none */
    bool playing;
    size_t speed;

    /* what the moments so far come to */
    bool begun;
    json_t *doc, *events;
    VEC(struct running) running;
};

struct running {
    int id;
    struct command *command; /* in the model */
};

/* ---- from a line to the model
 * -------------------------------------------------------------------------------- */

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

/* How much of a moment the model is told. */
enum passing {
    PASSING,       /* it is long past, and nothing was new: the model need not see it */
    PASSING_LOOK,  /* without its events: later ones are in a later list */
    PASSING_NEWEST /* all of it */
};

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
    if (how == PASSING)
        return;
    json_t *json = recorded_decode(p->doc, how == PASSING_NEWEST ? p->events : NULL);
    struct snapshot *s = snapshot_from_json(json, &why);
    json_decref(json);
    if (s)
        model_observe(&p->model, s);
    snapshot_destroy(s);
    free(why);
}

static void apply_bare(struct player *p, json_t *line)
{
    char *why = NULL;
    struct snapshot *s = snapshot_from_json(line, &why);
    if (s) {
        model_observe(&p->model, s);
        if (p->given)
            lesson_observe(p->given, s);
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

static void apply_step(struct lesson_step *s, const json_t *o, bool cold)
{
    const char *seen = json_string_value(json_object_get(o, "seen"));
    const char *output = json_string_value(json_object_get(o, "output"));
    s->state = state_of(json_string_value(json_object_get(o, "state")));
    s->acted = json_is_true(json_object_get(o, "acted"));
    s->exit_code = (int)number_of(o, "exit");
    s->seen_wall_ms = number_of(o, "seen_wall_ms");
    free(s->seen_text);
    s->seen_text = seen ? xstrdup(seen) : NULL;
    if (cold) {
        free(s->output);
        s->output = output ? xstrdup(output) : NULL;
    }
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
    words[len] = NULL;
    struct command *c = command_of(words, (int)number_of(o, "step"));
    if (text) {
        free(c->text);
        c->text = xstrdup(text);
    }
    c->typed = json_is_true(json_object_get(o, "typed"));
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
        const char *last = json_string_value(json_object_get(o, "last_line"));
        apply_ran(p, o);
        struct command *c = p->model.command;
        if (last) {
            model_output(&p->model, c, last, strlen(last));
            if (!json_is_true(json_object_get(o, "line_open")))
                model_output(&p->model, c, "\n", 1);
        }
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
                              .fate = copy_of(o, "fate"),
                              .where = copy_of(o, "where"),
                              .lost = json_is_true(json_object_get(o, "lost"))};
        VEC_PUSH(&p->model.fates, f);
    }
}

static void set_words(char **to, const json_t *text)
{
    if (json_is_string(text)) {
        free(*to);
        *to = xstrdup(json_string_value(text));
    }
}

static void apply(struct player *p, size_t i, enum passing how)
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
        set_words(&p->model.leftover, json_object_get(line, "leftover"));
        if (json_is_string(json_object_get(line, "said")))
            model_say(&p->model, "%s", json_string_value(json_object_get(line, "said")));
    }
    json_decref(line);
}

/* ---- to a moment
 * ---------------------------------------------------------------------------------------------- */

static void forget(struct player *p)
{
    json_decref(p->doc);
    json_decref(p->events);
    p->doc = p->events = NULL;
    p->running.len = 0;
    p->begun = false;
    p->at = 0;
}

static void start_model(struct player *p, const struct labdir *lab, bool readonly)
{
    struct lesson *lesson = recording_lesson(p->r);
    model_init(&p->model, lesson ? lesson : p->given, lab, readonly, true);
    p->model.next_lesson = (int)number_of(p->r->header, "next_lesson");
    p->model.next_nodes = (int)number_of(p->r->header, "next_nodes");
}

/* a lesson that was handed in has ticks of its own: it begins again, too */
static void reload_given(struct player *p)
{
    char *error = NULL;
    struct lesson *fresh = p->given ? lesson_load(p->given->number, NULL, &error) : NULL;
    if (fresh) {
        lesson_destroy(p->given);
        p->given = fresh;
    }
    free(error);
}

static void begin_again(struct player *p)
{
    struct model old = p->model;
    struct lesson *lesson = old.lesson;
    bool own = lesson != p->given;
    forget(p);
    old.lesson = NULL;
    reload_given(p);
    start_model(p, old.lab, old.readonly);
    model_take_look(&p->model, &old);
    model_finish(&old);
    if (own)
        lesson_destroy(lesson);
}

static void tell_time(struct player *p)
{
    const struct recorded *m = &p->r->moments.items[p->at - 1];
    p->pos = u64_max(p->pos, m->t);
    p->model.now = m->now + (p->pos - m->t);
    p->model.time = (struct time_shown){.at = p->pos,
                                        .end = recording_end(p->r),
                                        .speed_percent = speeds[p->speed],
                                        .playing = p->playing,
                                        .line = m->line};
}

static void go(struct player *p, size_t count)
{
    size_t last = SIZE_MAX;
    count = count < 1 ? 1 : count > p->r->moments.len ? p->r->moments.len : count;
    if (count < p->at)
        begin_again(p);
    for (size_t i = p->at; i < count; i++)
        if (p->r->moments.items[i].snapshot)
            last = i;
    const struct recorded *m = p->r->moments.items;
    for (; p->at < count; p->at++) {
        bool seen = m[p->at].visible || !p->begun || m[p->at].t + REMEMBERED_MS >= m[count - 1].t;
        apply(p, p->at, p->at == last ? PASSING_NEWEST : seen ? PASSING_LOOK : PASSING);
    }
}

void player_to(struct player *p, size_t count)
{
    p->pos = p->left_over = 0;
    go(p, count);
    p->pos = p->r->moments.items[p->at - 1].t;
    tell_time(p);
}

static size_t count_until(const struct player *p, ms_time t)
{
    size_t count = 1;
    while (count < p->r->moments.len && p->r->moments.items[count].t <= t)
        count++;
    return count;
}

void player_to_time(struct player *p, ms_time t)
{
    t = u64_min(t, recording_end(p->r));
    p->left_over = 0;
    go(p, count_until(p, t));
    p->pos = t;
    tell_time(p);
}

/* ---- keys
 * ------------------------------------------------------------------------------------------------------ */

/* to just after the next moment for which it holds, that way; false: there is none */
typedef bool moment_fact(const struct recorded *m);

static bool shows(const struct recorded *m)
{
    return m->visible;
}

static bool begins(const struct recorded *m)
{
    return m->mark != NULL;
}

/* What was seen in one millisecond is seen together: how many are to be shown to show moment i. */
static size_t count_with(const struct player *p, size_t i)
{
    const struct recorded *m = p->r->moments.items;
    while (i + 1 < p->r->moments.len && m[i + 1].t == m[i].t)
        i++;
    return i + 1;
}

static bool step(struct player *p, bool on, moment_fact *fact)
{
    const struct recorded *m = p->r->moments.items;
    size_t i = p->at;
    if (on) {
        while (i < p->r->moments.len && !fact(&m[i]))
            i++;
        if (i == p->r->moments.len)
            return false;
        player_to(p, count_with(p, i));
        return true;
    }
    /* what is shown ends with the newest that counts, with all of its time; back to the one before it */
    while (i > 0 && !fact(&m[i - 1]))
        i--;
    for (ms_time t = i > 0 ? m[i - 1].t : 0; i > 0 && (m[i - 1].t == t || !fact(&m[i - 1]));)
        i--;
    size_t first = count_with(p, 0);
    if (i == 0 && p->at <= first)
        return false;
    player_to(p, i ? i : first);
    return true;
}

static bool has_marks(const struct player *p)
{
    for (size_t i = 0; i < p->r->moments.len; i++)
        if (begins(&p->r->moments.items[i]))
            return true;
    return false;
}

static void seek(struct player *p, bool on)
{
    if (has_marks(p)) {
        if (!step(p, on, begins)) {
            player_to(p, on ? p->r->moments.len : 1);
            model_say(&p->model, on ? "after the last step: this is the end of the recording"
                                    : "before the first step: this is the beginning of the recording");
        }
        tell_time(p);
        return;
    }
    ms_time to = on ? p->pos + SEEK_MS : p->pos > SEEK_MS ? p->pos - SEEK_MS : 0;
    player_to_time(p, to);
}

static void pause_or_play(struct player *p)
{
    if (!p->playing && p->at == p->r->moments.len && p->pos >= recording_end(p->r))
        player_to(p, 1); /* from its end it plays again */
    p->playing = !p->playing;
}

void player_request(struct player *p, enum request request)
{
    if (request == REQUEST_PAUSE)
        pause_or_play(p);
    else if (request == REQUEST_LATER && !step(p, true, shows)) {
        player_to(p, p->r->moments.len);
        model_say(&p->model, _("this is the end of the recording; [ goes back, q leaves"));
    } else if (request == REQUEST_EARLIER && !step(p, false, shows))
        model_say(&p->model, _("this is the beginning of the recording"));
    else if (request == REQUEST_SEEK_ON || request == REQUEST_SEEK_BACK)
        seek(p, request == REQUEST_SEEK_ON);
    else if (request == REQUEST_FASTER && p->speed + 1 < ARRAY_LEN(speeds))
        p->speed++;
    else if (request == REQUEST_SLOWER && p->speed > 0)
        p->speed--;
    if (request == REQUEST_LATER || request == REQUEST_EARLIER)
        p->playing = false; /* who steps wants to look */
    tell_time(p);
}

/* ---- playing
 * --------------------------------------------------------------------------------------------------- */

ms_time player_due(const struct player *p)
{
    if (!p->playing)
        return UINT64_MAX;
    ms_time next = p->at < p->r->moments.len ? p->r->moments.items[p->at].t : p->pos;
    next = u64_min(next, (p->pos / 1000 + 1) * 1000); /* the clock in the header goes on */
    ms_time hundredths = next > p->pos ? (next - p->pos) * 100 : 0;
    hundredths = hundredths > p->left_over ? hundredths - p->left_over : 0;
    return (hundredths + speeds[p->speed] - 1) / speeds[p->speed];
}

void player_pass(struct player *p, ms_time ms)
{
    if (!p->playing)
        return;
    ms_time hundredths = p->left_over + ms * speeds[p->speed], end = recording_end(p->r);
    ms_time to = p->pos + hundredths / 100;
    if (to >= end) {
        p->playing = false;
        to = end;
    }
    player_to_time(p, to);
    p->left_over = hundredths % 100;
}

/* ---- begin and end
 * --------------------------------------------------------------------------------------------- */

struct player *player_create(struct recording *r, struct lesson *lesson, const struct labdir *lab,
                             bool readonly)
{
    struct player *p = xcalloc(1, sizeof(*p));
    size_t first = 0;
    p->r = r;
    p->given = lesson;
    p->speed = SPEED_NORMAL;
    start_model(p, lab, readonly);
    while (!r->moments.items[first].snapshot)
        first++;
    player_to(p, count_with(p, r->doomed != SIZE_MAX ? r->doomed : first));
    json_t *line = r->doomed != SIZE_MAX ? recording_line(r, r->doomed) : NULL;
    if (line)
        model_say(&p->model, "%s", json_string_value(json_object_get(line, "doomed")));
    json_decref(line);
    if (r->problem)
        model_say(&p->model, _("%s; what can be read is shown"), r->problem);
    return p;
}

void player_destroy(struct player *p)
{
    if (!p)
        return;
    forget(p);
    if (p->model.lesson != p->given)
        lesson_destroy(p->model.lesson);
    model_finish(&p->model);
    lesson_destroy(p->given);
    recording_close(p->r);
    VEC_FREE(&p->running);
    free(p);
}

struct model *player_model(struct player *p)
{
    return &p->model;
}

const struct recording *player_recording(const struct player *p)
{
    return p->r;
}

size_t player_at(const struct player *p)
{
    return p->at;
}

/* time_player.c: see time_player.h. */
#include "time_player.h"

#include <stdlib.h>

#include "time_private.h"
#include "words.h"

#define SEEK_MS 10000 /* where a recording has no steps */

/* What the model remembers of looks that showed nothing new is its history: this far back. */
#define REMEMBERED_MS ((HISTORY_LEN + 2) * 1000)

/* What lies between two checkpoints is what a step back costs: some 15 ms of a busy lab. A long recording has
 * them further apart: each holds what is known of thousands of messages. */
#define CHECKPOINT_BYTES (256u << 10)
#define CHECKPOINTS      32

static const unsigned speeds[] = {10, 25, 50, 100, 200, 400, 800, 1600, 6000}; /* per cent */
#define SPEED_NORMAL 3

/* ---- to a moment
 * ---------------------------------------------------------------------------------------------- */

static void start_model(struct player *p, const struct labdir *lab, bool readonly)
{
    struct lesson *lesson = recording_lesson(p->r);
    model_init(&p->model, lesson ? lesson : p->given, lab, readonly, true);
    p->model.next_lesson = (int)json_integer_value(json_object_get(p->r->header, "next_lesson"));
    p->model.next_nodes = (int)json_integer_value(json_object_get(p->r->header, "next_nodes"));
    p->model.ports = json_object_get(p->r->header, "ports");
    p->model.told_wall_ms = json_integer_value(json_object_get(p->r->header, "told_wall_ms"));
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
    player_forget(p);
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
                                        .open = p->r->open && p->at == p->r->moments.len,
                                        .line = m->line};
}

/* the newest two snapshots among the first `count` moments; SIZE_MAX: not there */
static void newest_two(const struct recording *r, size_t count, size_t newest[2])
{
    newest[0] = newest[1] = SIZE_MAX;
    for (size_t i = count; i-- > 0 && newest[1] == SIZE_MAX;)
        if (r->moments.items[i].snapshot)
            newest[newest[0] != SIZE_MAX] = i;
}

/* The model has to see the newest two snapshots itself: what is shown of messages rests on two. */
static const struct kept *kept_before(const struct player *p, size_t most)
{
    const struct kept *found = NULL;
    for (size_t i = 0; i < p->kept.len && p->kept.items[i].at <= most; i++)
        if (checkpoint_suits(p->kept.items[i].checkpoint, &p->model))
            found = &p->kept.items[i];
    return found;
}

void player_keep(struct player *p, struct kept k)
{
    size_t i = p->kept.len;
    VEC_PUSH(&p->kept, k);
    for (; i > 0 && p->kept.items[i - 1].at > k.at; i--)
        p->kept.items[i] = p->kept.items[i - 1];
    p->kept.items[i] = k;
}

/* after a whole snapshot, if the last one is far away */
static void keep_checkpoint(struct player *p)
{
    const struct recorded *m = p->r->moments.items;
    const struct kept *before = kept_before(p, p->at);
    size_t apart = p->r->text_len / CHECKPOINTS, from = before ? m[before->at - 1].at : m[0].at;
    apart = apart > CHECKPOINT_BYTES ? apart : CHECKPOINT_BYTES;
    if (!p->given && m[p->at - 1].whole && m[p->at - 1].at - from >= apart)
        player_keep(p, (struct kept){p->at, checkpoint_create(&p->model, p->running.items, p->running.len)});
}

static void go(struct player *p, size_t count)
{
    size_t newest[2];
    count = count < 1 ? 1 : count > p->r->moments.len ? p->r->moments.len : count;
    if (count < p->at)
        begin_again(p);
    newest_two(p->r, count, newest);
    const struct kept *k = newest[1] == SIZE_MAX ? NULL : kept_before(p, newest[1]);
    if (k && k->at > p->at) {
        if (p->at)
            begin_again(p);
        player_resume(p, k);
    }
    const struct recorded *m = p->r->moments.items;
    while (p->at < count) {
        bool seen = m[p->at].visible || !p->begun || m[p->at].t + REMEMBERED_MS >= m[count - 1].t;
        player_apply(p, p->at,
                     p->at == newest[0]   ? PASSING_NEWEST
                     : p->at == newest[1] ? PASSING_LATE
                     : seen               ? PASSING_LOOK
                                          : PASSING);
        p->at++;
        p->applied++;
        keep_checkpoint(p);
    }
}

void player_to(struct player *p, size_t count)
{
    p->pos = p->left_over = 0;
    go(p, count);
    p->pos = p->r->moments.items[p->at - 1].t;
    tell_time(p);
}

void player_look(struct player *p)
{
    const struct model *m = &p->model;
    const char *told = m->ledger.wanted ? m->ledger.wanted : m->ledger.queue;
    if (!m->queue_chosen || !m->queue || (told && strcmp(told, m->queue) == 0))
        return;
    size_t at = p->at;
    begin_again(p);
    go(p, at);
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

/* what is lost at that moment */
static void say_doomed(struct player *p)
{
    json_t *line = recording_line(p->r, p->r->doomed);
    char *doomed = fact_text(json_object_get(line, "doomed"), lesson_words);
    model_say(&p->model, "%s", doomed);
    free(doomed);
    json_decref(line);
}

void player_append(struct player *p, const char *data, size_t len)
{
    size_t before = p->r->moments.len;
    bool at_end = p->at == before, doomed = p->r->doomed != SIZE_MAX;
    recording_append(p->r, data, len);
    if (at_end && p->r->moments.len > before)
        player_to(p, p->r->moments.len);
    else
        tell_time(p);
    if (at_end && !doomed && p->r->doomed != SIZE_MAX)
        say_doomed(p);
}

/* What was seen in one millisecond is seen together: how many are to be shown to show moment i. */
static size_t count_with(const struct player *p, size_t i)
{
    const struct recorded *m = p->r->moments.items;
    while (i + 1 < p->r->moments.len && m[i + 1].t == m[i].t)
        i++;
    return i + 1;
}

void player_complete(struct player *p)
{
    size_t last = p->r->moments.len - 1;
    p->r->open = false;
    json_t *line = recording_line(p->r, last);
    if (p->at > last && p->r->doomed != SIZE_MAX && !json_object_get(line, "said")) {
        player_to(p, count_with(p, p->r->doomed));
        say_doomed(p);
    }
    json_decref(line);
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

/* How many are to be shown to stop at moment i. What a program printed is newer than what was seen of the
 * nodes before it: shown together with the next look at them, it is nothing that comes later. */
static size_t stop_of(const struct player *p, size_t i)
{
    const struct recorded *m = p->r->moments.items;
    size_t look = i;
    while (m[i].printed && look < p->r->moments.len && !m[look].snapshot)
        look++;
    return count_with(p, look < p->r->moments.len ? look : i);
}

static bool step(struct player *p, bool on, moment_fact *fact)
{
    const struct recorded *m = p->r->moments.items;
    size_t i = p->at, len = p->r->moments.len;
    while (on && i > 0 && !m[i - 1].snapshot)
        i--;
    for (; on && i < len; i++)
        if (fact(&m[i]) && stop_of(p, i) > p->at) {
            player_to(p, stop_of(p, i));
            return true;
        }
    for (; !on && i > 0; i--)
        if (fact(&m[i - 1]) && stop_of(p, i - 1) < p->at) {
            player_to(p, stop_of(p, i - 1));
            return true;
        }
    size_t first = count_with(p, 0);
    if (on || p->at <= first)
        return false;
    player_to(p, first);
    return true;
}

bool player_step(struct player *p)
{
    size_t last = p->r->moments.len;
    if (p->at == last)
        return false;
    if (!step(p, true, shows))
        player_to(p, last);
    return true;
}

static bool has_marks(const struct player *p)
{
    for (size_t i = 0; i < p->r->moments.len; i++)
        if (begins(&p->r->moments.items[i]))
            return true;
    return false;
}

/* What is said where there is no step on or back. Of a screen that is paused nothing is recorded: memory
 * keeps what was seen, the newest of it. */
static const char *end_text(const struct player *p, bool paused, bool on)
{
    if (paused)
        return on ? _("the screen was paused here; Space goes back to the lab, [ goes back in time")
                  : _("this is the oldest that is kept of what was seen; Space goes back to the lab");
    if (!on)
        return _("this is the beginning of the recording");
    return p->r->open ? _("so far it was played; what comes is shown by itself, [ goes back")
                      : _("this is the end of the recording; [ goes back, q leaves");
}

static void seek(struct player *p, bool on)
{
    bool paused = p->model.time.paused; /* stepping makes it anew */
    if (has_marks(p)) {
        if (!step(p, on, begins)) {
            player_to(p, on ? p->r->moments.len : 1);
            model_say(&p->model, "%s",
                      paused ? end_text(p, paused, on)
                      : on   ? _("after the last step: this is the end of the recording")
                             : _("before the first step: this is the beginning of the recording"));
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
    bool paused = p->model.time.paused;
    if (request == REQUEST_PAUSE)
        pause_or_play(p);
    else if (request == REQUEST_LATER && !step(p, true, shows)) {
        player_to(p, p->r->moments.len);
        model_say(&p->model, "%s", end_text(p, paused, true));
    } else if (request == REQUEST_EARLIER && !step(p, false, shows))
        model_say(&p->model, "%s", end_text(p, paused, false));
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

/* where the first snapshot is: before it there is nothing to show */
static size_t first_shown(const struct recording *r)
{
    size_t first = 0;
    while (!r->moments.items[first].snapshot)
        first++;
    return first;
}

void player_rewind(struct player *p)
{
    player_to(p, count_with(p, first_shown(p->r)));
}

struct player *player_create(struct recording *r, struct lesson *lesson, const struct labdir *lab,
                             bool readonly)
{
    struct player *p = xcalloc(1, sizeof(*p));
    p->r = r;
    p->given = lesson;
    p->speed = SPEED_NORMAL;
    start_model(p, lab, readonly);
    player_to(p, count_with(p, r->doomed != SIZE_MAX ? r->doomed : first_shown(r)));
    if (r->doomed != SIZE_MAX)
        say_doomed(p);
    if (r->problem)
        model_say(&p->model, _("%s; what can be read is shown"), r->problem);
    return p;
}

void player_destroy(struct player *p)
{
    if (!p)
        return;
    player_forget(p);
    if (p->model.lesson != p->given)
        lesson_destroy(p->model.lesson);
    model_finish(&p->model);
    lesson_destroy(p->given);
    recording_close(p->r);
    for (size_t i = 0; i < p->kept.len; i++)
        checkpoint_destroy(p->kept.items[i].checkpoint);
    VEC_FREE(&p->kept);
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

uint64_t player_applied(const struct player *p)
{
    return p->applied;
}

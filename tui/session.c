/* session.c: see session.h. */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "compare.h"
#include "new_file.h"
#include "record.h"
#include "time_delta.h"
#include "view.h"
#include "words.h"

/* What a paused screen can go back through: some ten minutes of a class's lab. */
#define MEMORY_BYTES (4u << 20)

/* What was seen is kept aside so often: that is how far a screen that pauses has to go back to go on. */
#define CHECKPOINT_BYTES (256u << 10)

struct session {
    struct session_options o;
    struct player *player;   /* what is shown instead of the lab; NULL: the lab is */
    struct compare *compare; /* two players; then `player` is the left one, which it owns */
    bool follows;            /* the player's recording is still written, and its end was shown */
    bool paused;             /* the player shows memory, and Space goes back to the lab */
    struct recorder *memory, *file;
    VEC(struct kept) kept; /* of the live model; their places are counted from memory's beginning */
    uint64_t kept_bytes;   /* memory's, at the newest */
    struct snapshot *saw;  /* the newest that was recorded, and its document */
    json_t *saw_doc;
    char *file_name;
    struct event *timer;
    ms_time timer_from;      /* when it was set */
    void (*over)(void *arg); /* it is played through, and what comes then; NULL: whoever looks has the keys */
};

/* ---- recording
 * ------------------------------------------------------------------------------------------------ */

static int64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct recorder *begin(struct session *s, const char *file, bool whole, char **error)
{
    const struct labdir *lab = s->o.lab;
    struct recording_start start = {.at = s->o.now(s->o.arg),
                                    .wall_ms = wall_ms(),
                                    .engine = !lab                        ? NULL
                                              : lab->engine == ENGINE_KIT ? "kit"
                                                                          : "rabbitmq",
                                    .model = s->o.live,
                                    .whole = whole};
    return recorder_create(file, file ? RECORD_MAX_BYTES : MEMORY_BYTES, &start, error);
}

bool session_record(struct session *s, const char *file, bool whole, char **error)
{
    *error = NULL;
    struct recorder *r = begin(s, file, whole, error);
    if (!r)
        return false;
    s->file = r;
    s->file_name = xstrdup(file);
    s->o.live->recording = true;
    if (s->o.live->snapshot) { /* what is seen now is its first line */
        json_t *doc = recorded_encode(s->o.live->snapshot);
        recorder_snapshot(s->file, s->o.live->snapshot, doc, s->o.live->lesson, s->o.live->leftover);
        json_decref(doc);
    }
    return true;
}

const char *session_file(const struct session *s)
{
    return s->file_name;
}

char *session_recorded_text(const struct session *s)
{
    return s->file
               ? format_text(_("recorded: %s replay %s"), s->o.program ? s->o.program : "lab", s->file_name)
               : NULL;
}

static void stop_recording(struct session *s)
{
    recorder_destroy(s->file);
    free(s->file_name);
    s->file = NULL;
    s->file_name = NULL;
    s->o.live->recording = false;
}

/* It may have ended by itself. */
static void look_after_file(struct session *s)
{
    const char *why = recorder_ended_why(s->file);
    if (!why)
        return;
    model_say(session_model(s), _("the recording has ended: %s"), why);
    stop_recording(s);
}

/* what memory has dropped has no use any more */
static void drop_checkpoints(struct session *s, size_t before)
{
    while (s->kept.len && s->kept.items[0].at <= before) {
        checkpoint_destroy(s->kept.items[0].checkpoint);
        VEC_REMOVE(&s->kept, 0);
    }
}

static void keep_checkpoint(struct session *s)
{
    const struct model *m = s->o.live;
    VEC(struct running) running = {0};
    for (size_t i = 0; i <= m->others.len; i++) {
        struct command *c = i < m->others.len ? m->others.items[i] : m->command;
        int id = c && c->running ? recorder_number(s->memory, c) : 0;
        if (id)
            VEC_PUSH(&running, (struct running){.id = id, .command = c});
    }
    VEC_PUSH(&s->kept,
             (struct kept){recorder_whole(s->memory), checkpoint_create(m, running.items, running.len)});
    s->kept_bytes = recorder_bytes(s->memory);
    VEC_FREE(&running);
}

void session_saw(struct session *s, const struct snapshot *snapshot)
{
    const struct model *m = s->o.live;
    if (s->player && !s->paused)
        return;
    json_t *doc = recorded_encode_next(snapshot, s->saw, s->saw_doc);
    recorder_snapshot(s->memory, snapshot, doc, m->lesson, m->leftover);
    recorder_snapshot(s->file, snapshot, doc, m->lesson, m->leftover);
    drop_checkpoints(s, recorder_dropped(s->memory));
    if (recorder_whole(s->memory) && recorder_bytes(s->memory) - s->kept_bytes >= CHECKPOINT_BYTES)
        keep_checkpoint(s);
    json_decref(s->saw_doc);
    s->saw_doc = doc;
    snapshot_destroy(s->saw);
    struct snapshot bare = *snapshot; /* only what the next one is compared with */
    bare.events_len = bare.trace_len = bare.copies_len = 0;
    s->saw = snapshot_clone(&bare);
    look_after_file(s);
}

#define BOTH(s, call, ...)                                                                                   \
    do {                                                                                                     \
        ms_time now_ = (s)->o.now((s)->o.arg);                                                               \
        call((s)->memory, now_, __VA_ARGS__);                                                                \
        call((s)->file, now_, __VA_ARGS__);                                                                  \
        look_after_file(s);                                                                                  \
    } while (0)

void session_ran(struct session *s, const struct command *c)
{
    BOTH(s, recorder_ran, c, s->o.live->lesson);
}

void session_output(struct session *s, const struct command *c, const char *data, size_t len)
{
    BOTH(s, recorder_output, c, data, len, s->o.live->lesson);
}

void session_ended(struct session *s, const struct command *c, int exit_code)
{
    BOTH(s, recorder_ended, c, exit_code, s->o.live->lesson);
}

void session_said(struct session *s)
{
    if (!s->player && s->o.live->message)
        BOTH(s, recorder_said, s->o.live->message);
}

void session_learned(struct session *s)
{
    if (!s->player)
        BOTH(s, recorder_learned, s->o.live->lesson);
}

void session_drew(struct session *s, const struct canvas *c, uint64_t hash)
{
    if (!s->player)
        recorder_frame(s->file, s->o.live->now, c->width, c->height, hash);
}

void session_named(struct session *s, const char *name)
{
    recorder_named(s->file, s->o.now(s->o.arg), name);
}

/* ---- what is shown
 * -------------------------------------------------------------------------------------------- */

bool session_live(const struct session *s)
{
    return !s->player;
}

const struct player *session_player(const struct session *s)
{
    return s->player;
}

struct model *session_model(struct session *s)
{
    ms_time now = s->o.now(s->o.arg);
    if (!s->player) {
        s->o.live->now = now;
        return s->o.live;
    }
    struct model *m = player_model(s->player);
    m->recording = s->o.live->recording;
    m->compared = s->compare != NULL;
    if (s->paused) {
        m->time.paused = true;
        ms_time age = model_age(m); /* it was as old then already */
        m->time.behind = age == UINT64_MAX ? age : age + (now > m->now ? now - m->now : 0);
    }
    return m;
}

const struct model *session_draw(struct session *s, struct canvas *c)
{
    struct model *m = session_model(s);
    if (s->compare) {
        compare_draw(s->compare, c);
        if (m->overlay == OVERLAY_HELP) {
            help_settle(m, c);
            draw_help(m, c);
        }
        return m;
    }
    screen_settle(m, c);
    screen_draw(m, c);
    return m;
}

/* Keys and frames are in the file only: nobody replays what a paused screen looked like. */
enum effect session_press(struct session *s, int key, struct command **run)
{
    *run = NULL;
    recorder_key(s->file, s->o.now(s->o.arg), key);
    enum effect effect = model_key(session_model(s), key, run);
    if (s->player && !s->compare)
        player_look(s->player);
    return effect;
}

static void on_timer(evutil_socket_t fd, short what, void *arg);

static void set_timer(struct session *s)
{
    ms_time due = s->over                         ? 0
                  : s->o.fake_clock || !s->player ? UINT64_MAX
                  : s->compare                    ? compare_due(s->compare)
                                                  : player_due(s->player);
    event_del(s->timer);
    if (due == UINT64_MAX)
        return;
    struct timeval wait = {.tv_sec = (time_t)(due / 1000), .tv_usec = (suseconds_t)(due % 1000 * 1000)};
    s->timer_from = s->o.now(s->o.arg);
    event_add(s->timer, &wait);
}

static void pass(struct session *s, ms_time ms)
{
    if (s->compare)
        compare_pass(s->compare, ms);
    else if (s->player)
        player_pass(s->player, ms);
}

/* one step; false: there is none, or none yet */
static bool play_on(struct session *s)
{
    if (s->compare ? compare_step(s->compare) : player_step(s->player))
        return true;
    if (!player_recording(s->player)->open) /* else session_complete comes */
        s->over(s->o.arg);
    return false;
}

void session_play_through(struct session *s, void (*over)(void *arg))
{
    if (!s->compare && !s->paused && !player_recording(s->player)->open)
        player_rewind(s->player);
    s->over = over;
    set_timer(s);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct session *s = arg;
    (void)fd;
    (void)what;
    if (s->over && !play_on(s))
        return;
    if (!s->over)
        pass(s, s->o.now(s->o.arg) - s->timer_from);
    set_timer(s);
    s->o.draw(s->o.arg);
}

void session_pass(struct session *s, ms_time ms)
{
    pass(s, ms);
    s->o.draw(s->o.arg);
}

void session_compare(struct session *s, struct recording *left, struct recording *right)
{
    s->player = player_create(left, NULL, s->o.lab, false);
    s->compare =
        compare_create(s->player, player_create(right, NULL, s->o.lab, false), left->name, right->name);
}

void session_replay(struct session *s, struct recording *r, struct lesson *lesson)
{
    s->player = player_create(r, lesson, s->o.lab, s->o.live->readonly);
}

void session_append(struct session *s, const char *data, size_t len)
{
    if (!s->follows) {
        s->follows = true;
        player_to(s->player, player_recording(s->player)->moments.len);
    }
    player_append(s->player, data, len);
    s->o.draw(s->o.arg);
}

void session_complete(struct session *s)
{
    player_complete(s->player);
    s->o.draw(s->o.arg);
    if (s->over)
        s->over(s->o.arg);
}

static void pause_screen(struct session *s)
{
    struct recording *r = recorder_recording(s->memory, "this session");
    if (!r) { /* nothing was seen so far */
        model_say(s->o.live, _("nothing was seen yet that could be kept on the screen"));
        return;
    }
    s->player = player_create(r, NULL, s->o.lab, s->o.live->readonly);
    s->paused = true;
    for (size_t i = 0; i < s->kept.len; i++) {
        const struct kept *k = &s->kept.items[i];
        player_keep(s->player,
                    (struct kept){k->at - recorder_dropped(s->memory), checkpoint_share(k->checkpoint)});
    }
    model_take_look(player_model(s->player), s->o.live);
    player_to(s->player, r->moments.len);
    player_look(s->player);
    recorder_paused(s->file, s->o.now(s->o.arg), true);
}

static void go_live(struct session *s)
{
    model_take_look(s->o.live, player_model(s->player));
    player_destroy(s->player);
    s->player = NULL;
    s->paused = false;
    recorder_paused(s->file, s->o.now(s->o.arg), false);
}

/* ---- keys
 * ------------------------------------------------------------------------------------------------------ */

/* where the lab is, for a folder in which nothing can be written; NULL: there is none */
static const char *otherwise(const struct session *s)
{
    return s->o.lab && *s->o.lab->path ? s->o.lab->path : NULL;
}

bool session_write_frame(const struct canvas *canvas, const char *name, bool anew, char **error)
{
    FILE *f = fopen(name, anew ? "we" : "wxe");
    struct text text = {0};
    canvas_to_text(canvas, &text);
    bool ok = f && fwrite(text.s, 1, text.len, f) == text.len;
    ok = f && fclose(f) == 0 && ok;
    text_finish(&text);
    if (!ok)
        *error = format_text("%s: %s", name, strerror(errno));
    return ok;
}

static void write_frame(struct session *s, const struct canvas *canvas)
{
    char *error = NULL, *name = new_file("mirrorlab-frame", ".txt", otherwise(s));
    if (session_write_frame(canvas, name, false, &error))
        model_say(session_model(s), _("this frame is in %s"), name);
    else
        model_say(session_model(s), _("this frame is not written: %s"), error);
    free(name);
    free(error);
}

/* What nodes hold is asked of one queue at a time: of which one, the recording's view 3 will tell. */
static void say_recording(struct model *m, const char *name)
{
    const char *queue = m->queue;
    if (queue && m->lab && m->lab->engine == ENGINE_KIT) /* RabbitMQ's nodes tell of none */
        model_say(
            m,
            _("recording to %s; R ends it. What becomes of single messages is recorded of the queue that "
              "is selected: now %s"),
            name, queue);
    else
        model_say(m, _("recording to %s; R ends it"), name);
}

static void toggle_recording(struct session *s)
{
    struct model *m = session_model(s);
    char *error = NULL;
    if (s->player && !s->paused) {
        model_say(m, _("this is a recording already: R records a lab"));
    } else if (s->file) {
        char *text = session_recorded_text(s);
        model_say(m, "%s", text);
        free(text);
        stop_recording(s);
    } else {
        char *name = new_file("mirrorlab", ".ndjson", otherwise(s));
        if (session_record(s, name, false, &error))
            say_recording(m, name);
        else
            model_say(m, _("not recorded: %s"), error);
        free(name);
        free(error);
    }
}

/* What is shown, without the header, which tells the time. */
static uint64_t shown_hash(struct session *s, const struct canvas *like)
{
    struct canvas c;
    canvas_init(&c);
    canvas_resize(&c, like->width, like->height);
    session_draw(s, &c);
    canvas_fill(&c, (struct rect){0, 0, c.width, 1}, STYLE_NORMAL);
    uint64_t hash = canvas_hash(&c);
    canvas_finish(&c);
    return hash;
}

/* A step that changes nothing on the screen would be no step: on to one that does, or to the end. */
static void step_in_time(struct session *s, enum request request, const struct canvas *canvas)
{
    uint64_t was = shown_hash(s, canvas);
    for (size_t at = SIZE_MAX; at != player_at(s->player) && shown_hash(s, canvas) == was;) {
        at = player_at(s->player);
        player_request(s->player, request);
    }
}

void session_request(struct session *s, enum request request, const struct canvas *canvas)
{
    struct model *m = session_model(s);
    if (request == REQUEST_WRITE)
        write_frame(s, canvas);
    else if (request == REQUEST_RECORD)
        toggle_recording(s);
    else if (request == REQUEST_PAUSE && s->paused)
        go_live(s);
    else if (request == REQUEST_PAUSE && !s->player)
        pause_screen(s);
    else if (s->compare)
        compare_request(s->compare, request);
    else if (!s->player)
        model_say(m,
                  _("this is the lab as it is now: Space pauses, then [ and ] step through what was seen"));
    else if (s->paused && (request == REQUEST_FASTER || request == REQUEST_SLOWER))
        model_say(m, _("the screen is paused: Space goes back to the lab; speed is a replay's"));
    else if (request == REQUEST_EARLIER || request == REQUEST_LATER)
        step_in_time(s, request, canvas);
    else
        player_request(s->player, request);
    if (request != REQUEST_RECORD) /* who sees the recording has nothing to end */
        session_said(s);
    set_timer(s);
}

/* ---- begin and end
 * --------------------------------------------------------------------------------------------- */

struct session *session_create(const struct session_options *o)
{
    struct session *s = xcalloc(1, sizeof(*s));
    char *error = NULL;
    s->o = *o;
    s->timer = evtimer_new(o->base, on_timer, s);
    s->memory = begin(s, NULL, true, &error);
    return s;
}

void session_destroy(struct session *s)
{
    if (!s)
        return;
    if (s->compare)
        compare_destroy(s->compare);
    else
        player_destroy(s->player);
    drop_checkpoints(s, SIZE_MAX);
    VEC_FREE(&s->kept);
    recorder_destroy(s->memory);
    recorder_destroy(s->file);
    snapshot_destroy(s->saw);
    json_decref(s->saw_doc);
    event_free(s->timer);
    free(s->file_name);
    free(s);
}

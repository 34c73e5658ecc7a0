/* test_time.c: sessions that are recorded and shown again: what a replay shows is what was seen, wherever one
 * goes in it; a damaged file loses its damaged lines and nothing else; nothing in a replay acts. */
#include "tests/screen/support.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/rng.h"
#include "commands.h"
#include "compare.h"
#include "record.h"
#include "time_delta.h"
#include "time_player.h"
#include "tests/temporary.h"

/* ---- a session, as run.c would have it
 * -------------------------------------------------------------------------- */

#define START 1000000

struct session_made {
    char file[PATH_MAX];
    struct recorder *recorder;
    struct model live;
    ms_time now;
    uint64_t number;
    bool unmirrored;    /* no policy: mirrior_hello has one copy, on node1, as hello has */
    bool unseen;        /* what happens now is compared with nothing: no frame is drawn, NULL in frames */
    VEC(char *) frames; /* after each thing that happened; drawn as if live */
};

static void see_frame(struct session_made *s)
{
    char *frame = s->unseen ? NULL : model_frame(&s->live, 80, 24);
    VEC_PUSH(&s->frames, frame);
}

static void begin_session(struct session_made *s, size_t max_bytes)
{
    char *error = NULL;
    *s = (struct session_made){.now = START};
    assert_true(temporary_file_in(s->file, sizeof(s->file), "time", ".ndjson"));
    unlink(s->file); /* the recorder makes it */
    model_init(&s->live, sketch_lesson(), NULL, false, false);
    struct recording_start start = {
        .at = START, .wall_ms = 1795381500000, .engine = "kit", .model = &s->live, .whole = true};
    s->recorder = recorder_create(s->file, max_bytes, &start, &error);
    assert_null(error);
    assert_non_null(s->recorder);
}

static void end_session(struct session_made *s)
{
    struct lesson *l = s->live.lesson;
    recorder_destroy(s->recorder);
    model_finish(&s->live);
    sketch_destroy(l);
    for (size_t i = 0; i < s->frames.len; i++)
        free(s->frames.items[i]);
    VEC_FREE(&s->frames);
    unlink(s->file);
}

static void take_mirror(struct snapshot *snapshot)
{
    struct queue_seen *q = (struct queue_seen *)snapshot_queue(snapshot, "mirrior_hello");
    if (!q)
        return;
    bool stopped = !snapshot->nodes[0].answers;
    q->master = 0;
    q->mirrors = q->synced = 0;
    q->sync_messages = -1;
    q->state = stopped ? QUEUE_SEEN_STOPPED : QUEUE_SEEN_RUNNING;
    q->messages = q->ready = stopped ? -1 : q->messages;
    q->unacked = stopped ? -1 : q->unacked;
    free(q->policy);
    q->policy = NULL;
}

/* The nodes are looked at: it is as in this file, 250 ms later. */
static void look(struct session_made *s, const char *name)
{
    struct snapshot *snapshot = load_snapshot(name);
    ms_time was = snapshot->taken_at;
    if (s->unmirrored)
        take_mirror(snapshot);
    s->now += 250;
    snapshot->taken_at = s->now;
    snapshot->number = ++s->number;
    for (size_t i = 0; i < snapshot->nodes_len; i++)
        if (snapshot->nodes[i].answered_at == was)
            snapshot->nodes[i].answered_at = s->now;
    for (size_t i = 0; i < snapshot->events_len; i++)
        snapshot->events[i].seq = i + 1;
    json_t *doc = recorded_encode(snapshot);
    model_observe(&s->live, snapshot);
    recorder_snapshot(s->recorder, snapshot, doc, s->live.lesson, NULL);
    json_decref(doc);
    snapshot_destroy(snapshot);
    see_frame(s);
}

static void tick(struct session_made *s, size_t step, const char *seen)
{
    sketch_step(s->live.lesson, step, STEP_SEEN, seen);
}

static void run_command(struct session_made *s, const char *verb, const char *output)
{
    const char *words[] = {"labctl", "-n", "node1", verb, NULL};
    struct command *c = command_of(words, COMMAND_OF_KEY);
    s->now += 10;
    model_ran(&s->live, c);
    recorder_ran(s->recorder, s->now, c, s->live.lesson);
    see_frame(s);
    model_output(&s->live, c, output, strlen(output));
    recorder_output(s->recorder, s->now, c, output, strlen(output), s->live.lesson);
    see_frame(s);
    s->now += 10;
    model_ended(&s->live, c, 0);
    recorder_ended(s->recorder, s->now, c, 0, s->live.lesson);
    see_frame(s);
}

/* policy, stop of node1, a mirror is promoted: 9 things seen */
static void play_session(struct session_made *s)
{
    look(s, "rest");
    run_command(s, "stop_app", "Stopping rabbit application on node node1 ...\n");
    tick(s, 0, "effective policy=mirror");
    look(s, "rest");
    look(s, "stopped");
    tick(s, 1, "node2, node3 both say so");
    look(s, "stopped");
    look(s, "down");
    run_command(s, "start_app", "\xff\xfe is no UTF-8\n");
    look(s, "rest");
}

static struct player *open_player(const char *file)
{
    char *error = NULL;
    struct recording *r = recording_open(file, &error);
    if (!r)
        fail_msg("%s", error);
    return player_create(r, NULL, NULL, false);
}

/* as it was seen live: without the header of a replay, and without what is said of the file */
static char *live_frame(struct player *p)
{
    struct model *m = player_model(p);
    free(m->message);
    m->message = NULL;
    m->replay = false;
    char *frame = model_frame(m, 80, 24);
    m->replay = true;
    return frame;
}

static char *replay_frame(struct player *p, int width, int height)
{
    struct canvas c;
    struct text out = {0};
    canvas_init(&c);
    canvas_resize(&c, width, height);
    screen_settle(player_model(p), &c);
    screen_draw(player_model(p), &c);
    canvas_to_text(&c, &out);
    canvas_finish(&c);
    return out.s;
}

/* ---- differences
 * ------------------------------------------------------------------------------------------------- */

static void differences_are_exact(void **state)
{
    (void)state;
    static const char *const names[] = {"rest", "stopped", "down",   "many",
                                        "wide", "empty",   "silent", "frozen"};
    for (size_t a = 0; a < ARRAY_LEN(names); a++)
        for (size_t b = 0; b < ARRAY_LEN(names); b++) {
            struct snapshot *from = load_snapshot(names[a]), *to = load_snapshot(names[b]);
            json_t *doc = recorded_encode(from), *wanted = recorded_encode(to);
            json_t *delta = delta_make(doc, wanted);
            assert_true(delta_apply(doc, delta));
            if (!json_equal(doc, wanted))
                fail_msg("from %s to %s: %s", names[a], names[b], json_dumps(delta, 0));
            assert_int_equal(json_object_size(delta) == 0, a == b);
            /* and what comes out is the snapshot's own JSON, but for its events */
            json_t *plain = recorded_decode(doc, NULL);
            char *error = NULL;
            struct snapshot *again = snapshot_from_json(plain, &error);
            if (!again)
                fail_msg("%s: %s", names[b], error);
            free(again->events); /* none */
            again->events = to->events;
            again->events_len = to->events_len;
            json_t *x = snapshot_to_json(again), *y = snapshot_to_json(to);
            assert_true(json_equal(x, y));
            again->events = NULL;
            again->events_len = 0;
            snapshot_destroy(again);
            json_t *all[] = {doc, wanted, delta, plain, x, y};
            for (size_t i = 0; i < ARRAY_LEN(all); i++)
                json_decref(all[i]);
            snapshot_destroy(from);
            snapshot_destroy(to);
        }
}

/* Queues that come, go and change places: 2000 random lists. */
static void differences_of_lists(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 4);
    json_t *doc = json_pack("{s:[]}", "queues");
    for (int i = 0; i < 2000; i++) {
        json_t *to = json_object(), *list = json_array();
        for (int q = 0; q < 8; q++) {
            int at = rng_chance(&rng, 90) ? q : (int)rng_below(&rng, 8);
            char name[2] = {(char)('a' + at), '\0'};
            bool twice = false;
            for (size_t j = 0; j < json_array_size(list); j++)
                twice = twice || strcmp(json_string_value(json_object_get(json_array_get(list, j), "name")),
                                        name) == 0;
            if (!twice && rng_chance(&rng, 70))
                json_array_append_new(list,
                                      json_pack("{s:s, s:i}", "name", name, "n", (int)rng_below(&rng, 3)));
        }
        json_object_set_new(to, "queues", list);
        json_t *delta = delta_make(doc, to);
        assert_true(delta_apply(doc, delta));
        if (!json_equal(doc, to))
            fail_msg("round %d: %s wanted, came %s by %s", i, json_dumps(to, 0), json_dumps(doc, 0),
                     json_dumps(delta, 0));
        json_decref(delta);
        json_decref(to);
    }
    json_decref(doc);
}

/* ---- what was seen is seen again
 * --------------------------------------------------------------------------------- */

static void a_replay_shows_what_was_seen(void **state)
{
    (void)state;
    struct session_made s;
    begin_session(&s, RECORD_MAX_BYTES);
    play_session(&s);
    struct player *p = open_player(s.file);
    const struct recording *r = player_recording(p);
    assert_null(r->problem);
    assert_int_equal(r->moments.len, s.frames.len);
    for (size_t i = 0; i < s.frames.len; i++) { /* forwards */
        player_to(p, i + 1);
        char *frame = live_frame(p);
        assert_string_equal(frame, s.frames.items[i]);
        free(frame);
    }
    struct rng rng;
    rng_init(&rng, 1);
    for (int i = 0; i < 200; i++) { /* and to and fro */
        size_t at = rng_below(&rng, s.frames.len);
        player_to(p, at + 1);
        char *frame = live_frame(p);
        assert_string_equal(frame, s.frames.items[at]);
        free(frame);
    }
    player_destroy(p);
    end_session(&s);
}

/* Ten minutes: what is long past is passed over, and what it leaves (the charts, where copies were) is the
 * same as if each look had been shown. */
static void a_long_replay(void **state)
{
    (void)state;
    struct session_made s;
    begin_session(&s, RECORD_MAX_BYTES);
    s.live.view = VIEW_QUEUE;
    static const size_t at[] = {2399, 2100, 1000, 900, 701, 700, 240, 2};
    for (size_t i = 0; i < 2400; i++) {
        s.unseen = true;
        for (size_t k = 0; k < ARRAY_LEN(at); k++)
            s.unseen = s.unseen && at[k] != i;
        look(&s, i == 700 ? "stopped" : i % 200 < 100 ? "rest" : "down");
    }
    struct player *p = open_player(s.file);
    player_model(p)->view = VIEW_QUEUE;
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        player_to(p, at[i] + 1);
        char *frame = live_frame(p);
        assert_string_equal(frame, s.frames.items[at[i]]);
        free(frame);
    }
    player_destroy(p);
    end_session(&s);
}

static void frames_of_a_replay(void **state)
{
    (void)state;
    struct session_made s;
    begin_session(&s, RECORD_MAX_BYTES);
    play_session(&s);
    struct player *p = open_player(s.file);
    char *frame = replay_frame(p, 80, 24);
    check_frame("replay-begin-80x24", frame);
    free(frame);
    player_request(p, REQUEST_SEEK_ON); /* the first thing that was run */
    frame = replay_frame(p, 80, 24);
    check_frame("replay-ran-80x24", frame);
    free(frame);
    player_request(p, REQUEST_SEEK_ON);
    player_request(p, REQUEST_EARLIER); /* what was seen before it */
    frame = replay_frame(p, 80, 24);
    check_frame("replay-step-80x24", frame);
    free(frame);
    player_request(p, REQUEST_FASTER);
    player_request(p, REQUEST_PAUSE);
    player_model(p)->view = VIEW_EVENTS;
    frame = replay_frame(p, 80, 24);
    check_frame("replay-events-80x24", frame);
    free(frame);
    player_destroy(p);
    end_session(&s);
}

static void steps_and_seeks(void **state)
{
    (void)state;
    struct session_made s;
    begin_session(&s, RECORD_MAX_BYTES);
    play_session(&s);
    struct player *p = open_player(s.file);
    size_t steps = 0, at = player_at(p);
    for (; steps < 100; steps++) {
        player_request(p, REQUEST_LATER);
        if (model_message(player_model(p)))
            break;
        assert_true(player_at(p) > at);
        at = player_at(p);
    }
    assert_contains(model_message(player_model(p)), "end of the recording");
    assert_true(steps >= 8 && steps < s.frames.len); /* a look that shows nothing new is no step */
    size_t back = 0;
    for (; back < 100; back++) {
        free(player_model(p)->message);
        player_model(p)->message = NULL;
        player_request(p, REQUEST_EARLIER);
        if (model_message(player_model(p)))
            break;
    }
    assert_contains(model_message(player_model(p)), "beginning of the recording");
    assert_int_equal(player_at(p), 1);
    assert_true(back >= steps - 1 && back <= steps + 1);
    player_to(p, 1);
    player_request(p, REQUEST_SEEK_ON);
    assert_true(player_model(p)->command && player_model(p)->command->running);
    assert_contains(player_model(p)->command->text, "stop_app");
    player_request(p, REQUEST_SEEK_ON);
    assert_contains(player_model(p)->command->text, "start_app");
    player_request(p, REQUEST_SEEK_BACK);
    assert_contains(player_model(p)->command->text, "stop_app");
    player_destroy(p);
    end_session(&s);
}

/* Time passes as it did, at any speed, and stops at the end. */
static void speeds(void **state)
{
    (void)state;
    struct session_made s;
    begin_session(&s, RECORD_MAX_BYTES);
    play_session(&s);
    struct player *p = open_player(s.file);
    ms_time end = recording_end(player_recording(p)), passed = 0;
    assert_true(player_due(p) == UINT64_MAX);
    player_request(p, REQUEST_PAUSE);
    ms_time from = player_model(p)->time.at;
    while (player_due(p) != UINT64_MAX) {
        ms_time due = player_due(p);
        assert_true(due <= 1000);
        player_pass(p, due ? due : 1);
        passed += due ? due : 1;
        assert_true(passed < 100000);
    }
    assert_int_equal(player_model(p)->time.at, end);
    assert_int_equal(passed, end - from);
    char *frame = live_frame(p);
    assert_string_equal(frame, s.frames.items[s.frames.len - 1]);
    free(frame);
    player_to(p, 1);
    player_request(p, REQUEST_SLOWER);
    player_request(p, REQUEST_SLOWER); /* a quarter */
    player_request(p, REQUEST_PAUSE);
    from = player_model(p)->time.at;
    for (int i = 0; i < 400; i++)
        player_pass(p, 1); /* no fraction is lost */
    assert_int_equal(player_model(p)->time.at, from + 100);
    player_destroy(p);
    end_session(&s);
}

/* ---- nothing acts
 * ------------------------------------------------------------------------------------------------- */

static void no_actions_in_a_replay(void **state)
{
    (void)state;
    struct session_made s;
    begin_session(&s, RECORD_MAX_BYTES);
    play_session(&s);
    struct player *p = open_player(s.file);
    size_t acting = 0;
    for (size_t i = 0; i < key_table_len; i++) {
        struct command *run = NULL;
        if (!key_table[i].acts)
            continue;
        acting++;
        assert_int_not_equal(model_key(player_model(p), key_table[i].key, &run), EFFECT_RUN);
        assert_null(run);
        assert_int_equal(player_model(p)->overlay, OVERLAY_NONE); /* no form, no question either */
        assert_contains(model_message(player_model(p)), "this is a replay, not a lab");
    }
    assert_true(acting > 5);
    struct command *run = NULL; /* the same key on the same nodes, live, acts */
    assert_int_equal(model_key(&s.live, 's', &run), EFFECT_RUN);
    assert_string_equal(run->text, "labctl -n node1 stop_app");
    command_destroy(run);
    player_model(p)->time.paused = true;
    model_key(player_model(p), 's', &run);
    assert_null(run);
    assert_contains(model_message(player_model(p)), "the screen is paused; Space goes back to the lab");
    player_destroy(p);
    end_session(&s);
}

/* ---- damaged files
 * ------------------------------------------------------------------------------------------------ */

/* Cut off after every byte, as a crash may leave it: all whole lines before are there. */
static void a_file_cut_off_anywhere(void **state)
{
    (void)state;
    struct session_made s;
    size_t len, lines = 0, opened = 0;
    begin_session(&s, RECORD_MAX_BYTES);
    play_session(&s);
    char *text = file_text(s.file, &len);
    for (size_t cut = 0; cut <= len; cut++) {
        char *error = NULL;
        lines += cut > 0 && text[cut - 1] == '\n';
        struct recording *r = recording_of("cut.ndjson", xstrndup(text, cut), &error);
        bool whole_line = cut == 0 || text[cut - 1] == '\n' || text[cut] == '\n';
        size_t whole = lines + (cut > 0 && text[cut] == '\n');
        if (whole < 2) { /* the header and a snapshot */
            assert_null(r);
            assert_contains(error, "cut.ndjson:");
            free(error);
            continue;
        }
        if (!r)
            fail_msg("cut after byte %zu: %s", cut, error);
        assert_int_equal(r->moments.len, whole - 1);
        if (whole_line) {
            assert_null(r->problem);
        } else {
            char *expected = format_text("cut.ndjson:%zu: the last line is cut off", whole + 1);
            assert_string_equal(r->problem, expected);
            free(expected);
        }
        opened++;
        struct player *p = player_create(r, NULL, NULL, false);
        player_to(p, r->moments.len);
        char *frame = live_frame(p);
        assert_string_equal(frame, s.frames.items[whole - 2]);
        free(frame);
        player_destroy(p);
    }
    assert_true(opened > 1000);
    free(text);
    end_session(&s);
}

/* A damaged line is named and left out, with the differences that were built on it; the next whole snapshot
 * is right again. */
static void a_line_is_damaged(void **state)
{
    (void)state;
    struct session_made s;
    size_t len;
    begin_session(&s, RECORD_MAX_BYTES);
    look(&s, "rest");
    look(&s, "stopped");
    look(&s, "down");
    for (int i = 0; i < 300; i++) /* until the differences outweigh a whole one */
        look(&s, i % 2 ? "many" : "rest");
    char *text = file_text(s.file, &len), *error = NULL;
    assert_non_null(strstr(strstr(text, "\"snapshot\"") + 1, "\"snapshot\""));
    char *second = strchr(strchr(text, '\n') + 1, '\n') + 1; /* line 3: the change to "stopped" */
    second[10] = '\x01';
    struct recording *r = recording_of("bad.ndjson", text, &error);
    assert_non_null(r);
    assert_contains(r->problem, "bad.ndjson:3: not JSON");
    assert_contains(r->problem, "lines are left out");
    assert_true(r->left_out > 1 && r->left_out < 300);
    struct player *p = player_create(r, NULL, NULL, false);
    assert_contains(model_message(player_model(p)), "bad.ndjson:3: not JSON");
    player_to(p, r->moments.len);
    assert_int_equal(player_model(p)->snapshot->queues_len, s.live.snapshot->queues_len);
    assert_int_equal(player_model(p)->snapshot->number, s.number);
    player_destroy(p);
    end_session(&s);
}

/* Bytes changed anywhere, JSON or not: nothing breaks, and every moment that is offered can be shown. */
static void bytes_are_damaged(void **state)
{
    (void)state;
    static const char bytes[] = "0123456789\"{}[]:,-nulltrue\\@ ax\n";
    struct session_made s;
    struct rng rng;
    size_t len, opened = 0, refused = 0, problems = 0;
    begin_session(&s, RECORD_MAX_BYTES);
    play_session(&s);
    char *text = file_text(s.file, &len);
    rng_init(&rng, 11);
    for (int round = 0; round < 1500; round++) {
        char *damaged = xstrndup(text, len), *error = NULL;
        for (uint64_t i = 0, hits = 1 + rng_below(&rng, 3); i < hits; i++)
            damaged[rng_below(&rng, len)] = bytes[rng_below(&rng, sizeof(bytes) - 1)];
        struct recording *r = recording_of("damaged", damaged, &error);
        if (!r) {
            assert_contains(error, "damaged:");
            free(error);
            refused++;
            continue;
        }
        opened++;
        problems += r->problem != NULL;
        struct player *p = player_create(r, NULL, NULL, false);
        for (size_t i = r->moments.len; i > 0; i--) {
            player_to(p, i);
            free(model_frame(player_model(p), 80, 24));
        }
        player_destroy(p);
    }
    print_message("  %zu recordings opened (%zu with a line left out), %zu refused\n", opened, problems,
                  refused);
    assert_true(opened > 500 && problems > 200 && refused > 10);
    free(text);
    end_session(&s);
}

static void what_is_no_recording(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "x:1: no snapshot in it; lab --record FILE makes a recording"},
        {"hello\n", "x:1: not JSON"},
        {"{\"format\":1}\n", "x:1: not a snapshot, and not a recording"},
        {"{\"format\":\"mirrorlab recording\",\"version\":99}\n{\"t\":0}\n",
         "x:1: a recording of version 99; this program reads version 1"},
        {"{\"format\":\"mirrorlab recording\",\"version\":1}\n", "x:1: no snapshot in it"},
        {"{\"format\":\"mirrorlab recording\",\"version\":1}\n{\"t\":0,\"change\":{}}\n",
         "x:2: it only says what changed since a line that is left out"},
        {"{\"format\":\"mirrorlab recording\",\"version\":1}\n{\"t\":-1}\n", "x:2: \"t\" is missing"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *error = NULL;
        assert_null(recording_of("x", xstrdup(cases[i].text), &error));
        assert_contains(error, cases[i].error);
        free(error);
    }
    char *error = NULL;
    assert_null(recording_open("/nowhere/x", &error));
    assert_contains(error, "/nowhere/x: ");
    free(error);
}

/* ---- bounds
 * ------------------------------------------------------------------------------------------------------- */

static void a_file_has_a_limit(void **state)
{
    (void)state;
    struct session_made s;
    struct stat st;
    begin_session(&s, 20000);
    for (int i = 0; i < 1000 && !recorder_ended_why(s.recorder); i++)
        look(&s, i % 2 ? "stopped" : "rest");
    assert_contains(recorder_ended_why(s.recorder), "has reached");
    assert_int_equal(stat(s.file, &st), 0);
    assert_true(st.st_size <= 20000 && st.st_size > 15000);
    struct player *p = open_player(s.file);
    assert_null(player_recording(p)->problem);
    player_destroy(p);
    end_session(&s);
}

static void an_existing_file_is_kept(void **state)
{
    (void)state;
    struct session_made s;
    char *error = NULL;
    begin_session(&s, RECORD_MAX_BYTES);
    struct recording_start start = {.model = &s.live};
    assert_null(recorder_create(s.file, RECORD_MAX_BYTES, &start, &error));
    assert_contains(error, "is there already");
    free(error);
    end_session(&s);
}

/* What a paused screen goes back through: the newest part, at most so many bytes, the same frames. */
static void memory_keeps_the_newest(void **state)
{
    (void)state;
    enum { MAX = 60000 };
    struct session_made s;
    char *error = NULL;
    begin_session(&s, RECORD_MAX_BYTES);
    recorder_destroy(s.recorder);
    struct recording_start start = {.at = START, .model = &s.live, .whole = true};
    s.recorder = recorder_create(NULL, MAX, &start, &error);
    for (int i = 0; i < 2000; i++) {
        s.unseen = i < 1999;
        look(&s, i % 3 == 0 ? "rest" : i % 3 == 1 ? "stopped" : "down");
        if (i == 1990)
            run_command(&s, "stop_app", "Stopping\n");
    }
    char *text = recorder_text(s.recorder);
    assert_true(strlen(text) <= MAX + 8000 && strlen(text) > MAX / 3);
    struct recording *r = recording_of("memory", text, &error);
    assert_non_null(r);
    assert_null(r->problem);
    struct player *p = player_create(r, NULL, NULL, false);
    player_to(p, r->moments.len);
    char *frame = live_frame(p);
    if (strcmp(frame, s.frames.items[s.frames.len - 1]) != 0)
        fail_msg("seen:\n%s\nkept:\n%s", s.frames.items[s.frames.len - 1], frame);
    free(frame);
    player_destroy(p);
    end_session(&s);
}

/* ---- two side by side
 * --------------------------------------------------------------------------------------------- */

static struct player *short_session(struct session_made *s, bool with_policy)
{
    begin_session(s, RECORD_MAX_BYTES);
    s->unmirrored = !with_policy;
    look(s, "empty");
    if (with_policy)
        run_command(s, "set_policy", "Setting\n");
    look(s, "rest");
    run_command(s, "stop_app", "Stopping\n");
    look(s, "stopped");
    struct player *p = open_player(s->file);
    end_session(s);
    return p;
}

/* The lesson ends with node1 stopped; then much else is done. How often it was looked at before its account
 * is fixed, and what fixed it (the time, or a command), is not to be seen from what is kept. */
static void play_beyond_the_end(struct session_made *s, bool acts, int looks)
{
    look(s, "rest");
    look(s, "stopped");
    for (size_t i = 0; i < s->live.lesson->steps_len; i++)
        tick(s, i, "so");
    for (int i = 0; i < (acts ? 3 : 45); i++)
        look(s, "stopped");
    if (acts)
        run_command(s, "start_app", "Starting\n");
    for (int i = 0; i < looks; i++)
        look(s, i % 40 < 20 ? "rest" : "down");
}

static const char account_of_the_end[] =
    "\n hello: 100000 messages are out of reach: their only copy is on node1.\n"
    " mirrior_hello: node2 took over from node1; its copy was in sync: all kept.";

/* What became of the lesson's queues is fixed at its end; a screen that stands still, and a replay, show just
 * that, from wherever one comes to the moment. */
static void the_account_of_a_lesson_stands_still(void **state)
{
    (void)state;
    for (int acts = 0; acts < 2; acts++) {
        struct session_made s;
        struct rng rng;
        begin_session(&s, RECORD_MAX_BYTES);
        play_beyond_the_end(&s, acts, 400);
        assert_contains(s.frames.items[s.frames.len - 1], account_of_the_end);
        struct player *p = open_player(s.file);
        rng_init(&rng, 1);
        for (int i = 0; i < 100; i++) {
            size_t at = i == 0 ? s.frames.len - 1 : rng_below(&rng, s.frames.len);
            player_to(p, at + 1);
            char *frame = live_frame(p);
            assert_string_equal(frame, s.frames.items[at]);
            free(frame);
        }
        player_destroy(p);
        end_session(&s);
    }
}

/* The end of the lesson is not in the memory of a paused screen any more: its account is. */
static void the_account_outlives_the_memory(void **state)
{
    (void)state;
    struct session_made s;
    char *error = NULL;
    begin_session(&s, RECORD_MAX_BYTES);
    recorder_destroy(s.recorder);
    struct recording_start start = {.at = START, .model = &s.live, .whole = true};
    s.recorder = recorder_create(NULL, 60000, &start, &error);
    s.unseen = true;
    play_beyond_the_end(&s, false, 2000);
    struct recording *r = recording_of("memory", recorder_text(s.recorder), &error);
    assert_non_null(r);
    assert_true(r->moments.items[0].t > 60000); /* since the session began: the end was long before */
    struct player *p = player_create(r, NULL, NULL, false);
    for (size_t at = r->moments.len; at > 0; at -= at > 50 ? 50 : at) {
        player_to(p, at);
        char *frame = live_frame(p);
        assert_contains(frame, account_of_the_end);
        free(frame);
    }
    player_destroy(p);
    end_session(&s);
}

static void two_recordings_side_by_side(void **state)
{
    (void)state;
    struct session_made s;
    struct canvas c;
    struct text out = {0};
    struct player *left = short_session(&s, true), *right = short_session(&s, false);
    struct compare *cmp = compare_create(left, right, "with.ndjson", "without.ndjson");
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    compare_draw(cmp, &c);
    canvas_to_text(&c, &out);
    check_frame("compare-begin-80x24", out.s);
    compare_request(cmp, REQUEST_LATER); /* the policy: on the left only */
    assert_non_null(player_model(left)->command);
    assert_null(player_model(right)->command);
    compare_request(cmp, REQUEST_LATER); /* the stop: on both */
    assert_string_equal(player_model(left)->command->text, player_model(right)->command->text);
    text_clear(&out);
    compare_draw(cmp, &c);
    canvas_to_text(&c, &out);
    check_frame("compare-end-80x24", out.s);
    for (int width = 1; width < 120; width += 7)
        for (int height = 1; height < 40; height += 3) {
            canvas_resize(&c, width, height);
            compare_draw(cmp, &c);
        }
    text_finish(&out);
    canvas_finish(&c);
    compare_destroy(cmp);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_are_exact),
        cmocka_unit_test(differences_of_lists),
        cmocka_unit_test(a_replay_shows_what_was_seen),
        cmocka_unit_test(a_long_replay),
        cmocka_unit_test(frames_of_a_replay),
        cmocka_unit_test(steps_and_seeks),
        cmocka_unit_test(speeds),
        cmocka_unit_test(no_actions_in_a_replay),
        cmocka_unit_test(a_file_cut_off_anywhere),
        cmocka_unit_test(a_line_is_damaged),
        cmocka_unit_test(bytes_are_damaged),
        cmocka_unit_test(what_is_no_recording),
        cmocka_unit_test(a_file_has_a_limit),
        cmocka_unit_test(an_existing_file_is_kept),
        cmocka_unit_test(memory_keeps_the_newest),
        cmocka_unit_test(the_account_of_a_lesson_stands_still),
        cmocka_unit_test(the_account_outlives_the_memory),
        cmocka_unit_test(two_recordings_side_by_side),
    };
    return cmocka_run_group_tests_name("screen/time", tests, NULL, NULL);
}

/* test_time.c: sessions that are recorded and shown again: what a replay shows is what was seen, wherever one
 * goes in it; nothing in a replay acts. */
#include "tests/screen/session_made.h"

#include "base/rng.h"
#include "commands.h"
#include "compare.h"
#include "tests/temporary.h"

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

/* Which node a program was run for is known by its port; a replay has no lab to ask. */
static void a_replay_knows_the_ports(void **state)
{
    static const char down[] = "queue.declare: the broker refused: 404 NOT_FOUND - home node 'node1' of "
                               "durable queue 'plain' in vhost '/' is down or inaccessible, class-id=50\n";
    static const char *const get[] = {"consumer", "--port", "5673", "--queue", "plain", NULL};
    struct labdir lab;
    struct session_made s;
    (void)state;
    labdir_defaults(&lab, ENGINE_KIT, 3);
    begin_session_in(&s, &lab, RECORD_MAX_BYTES);
    look(&s, "apart");
    run_words(&s, get, down, 1);
    assert_contains(s.frames.items[s.frames.len - 1], "node2 does not see node1, which serves plain");
    struct player *p = open_player(s.file);
    player_to(p, s.frames.len);
    char *frame = live_frame(p);
    assert_string_equal(frame, s.frames.items[s.frames.len - 1]);
    free(frame);
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
    assert_true(steps < s.frames.len); /* a look that shows nothing new is no step, */
    assert_int_equal(steps, 7);        /* nor is what a program printed before the next look */
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

/* A recording that begins in the middle of a line has both parts of it, as it is written now and was once. */
static void a_line_that_goes_on(void **state)
{
    (void)state;
    static const char *const opens[] = {"\"last_line\":\"one\",\"open_line\":\"tw\"",
                                        "\"last_line\":\"tw\",\"line_open\":true"};
    char *rest = file_text("tests/screen/snapshots/rest.json", NULL);
    for (size_t i = 0; i < ARRAY_LEN(opens); i++) {
        struct text lines = {0};
        text_add(&lines, "{\"format\":\"mirrorlab recording\",\"version\":1,\"engine\":\"kit\"}\n{\"t\":0,"
                         "\"snapshot\":");
        for (const char *c = rest; *c; c++)
            if (*c != '\n')
                text_add_bytes(&lines, c, 1);
        text_printf(&lines,
                    ",\"commands\":[{\"id\":1,\"text\":\"consumer\",\"argv\":[\"consumer\"],\"step\":-1,"
                    "\"running\":true,%s}]}\n{\"t\":500,\"id\":1,\"output\":\"o\\n\"}\n",
                    opens[i]);
        char *file = temporary_file("open-line", "");
        FILE *f = fopen(file, "w");
        assert_non_null(f);
        fputs(lines.s, f);
        fclose(f);
        struct player *p = open_player(file);
        player_to(p, 1);
        const struct command *c = player_model(p)->command;
        assert_non_null(c);
        if (i == 0)
            assert_string_equal(c->last_line, "one");
        else
            assert_null(c->last_line);
        player_to(p, player_recording(p)->moments.len);
        assert_string_equal(player_model(p)->command->last_line, "two");
        player_destroy(p);
        unlink(file);
        free(file);
        text_finish(&lines);
    }
    free(rest);
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
        cmocka_unit_test(a_replay_shows_what_was_seen),
        cmocka_unit_test(a_replay_knows_the_ports),
        cmocka_unit_test(a_long_replay),
        cmocka_unit_test(frames_of_a_replay),
        cmocka_unit_test(steps_and_seeks),
        cmocka_unit_test(a_line_that_goes_on),
        cmocka_unit_test(speeds),
        cmocka_unit_test(no_actions_in_a_replay),
        cmocka_unit_test(the_account_of_a_lesson_stands_still),
        cmocka_unit_test(the_account_outlives_the_memory),
        cmocka_unit_test(two_recordings_side_by_side),
    };
    return cmocka_run_group_tests_name("screen/time", tests, NULL, NULL);
}

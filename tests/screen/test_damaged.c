/* test_damaged.c: recordings as files: what changed from one line to the next is exact; a damaged file loses
 * its damaged lines and nothing else; none grows without bound. */
#include "tests/screen/session_made.h"

#include <sys/stat.h>

#include "base/rng.h"
#include "time_delta.h"

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

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_are_exact),   cmocka_unit_test(differences_of_lists),
        cmocka_unit_test(a_file_cut_off_anywhere), cmocka_unit_test(a_line_is_damaged),
        cmocka_unit_test(bytes_are_damaged),       cmocka_unit_test(what_is_no_recording),
        cmocka_unit_test(a_file_has_a_limit),      cmocka_unit_test(an_existing_file_is_kept),
        cmocka_unit_test(memory_keeps_the_newest),
    };
    return cmocka_run_group_tests_name("screen/damaged", tests, NULL, NULL);
}

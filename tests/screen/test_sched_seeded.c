/* test_sched_seeded.c: schedules whose world and clients come from a seed, on the screen: all that swarm
 * found, and where a replay opens when the simulator's checker accuses. */
#include "tests/screen/played.h"
#include "tests/screen/seed_run.h"

#include <glob.h>
#include <unistd.h>

#include "base/sched.h"
#include "main/lab.h"
#include "tests/temporary.h"

#define FOUND "tests/sim/found/"

static size_t count_lost(const struct model *m)
{
    size_t lost = 0;
    for (size_t i = 0; i < m->fates.len; i++)
        lost += m->fates.items[i].lost;
    return lost;
}

/* the run without anybody who watches */
static void run_alone(const char *file, struct seed_end *out)
{
    size_t len;
    char *text = file_text(file, &len);
    assert_true(seed_run(text, out));
    free(text);
}

/* Those that swarm found are shown like any other: every moment, what became of each message as the
 * simulator's own book has it at the end, opened at the step after which the first one was lost. */
static void every_schedule_of_a_seed(void **state)
{
    (void)state;
    glob_t files;
    size_t lose = 0, empty = 0;
    assert_int_equal(glob(FOUND "*.sched", 0, NULL, &files), 0);
    assert_true(files.gl_pathc > 30);
    for (size_t f = 0; f < files.gl_pathc; f++) {
        struct seed_end alone;
        run_alone(files.gl_pathv[f], &alone);
        assert_true(alone.held);
        struct player *p = open_schedule(files.gl_pathv[f]);
        const struct recording *r = player_recording(p);
        struct model *m = player_model(p);
        assert_null(r->problem);
        if (alone.lost) {
            assert_int_not_equal(r->doomed, SIZE_MAX);
            assert_contains(model_message(m), " is lost here, at step ");
            assert_true(count_lost(m) > 0);
            for (size_t i = 0; i < m->fates.len; i++) /* whoever is lost first has a picture */
                assert_true(!m->fates.items[i].lost || m->fates.items[i].life);
            player_request(p, REQUEST_EARLIER);
            assert_int_equal(count_lost(m), 0);
        } else {
            assert_int_equal(r->doomed, SIZE_MAX);
            assert_int_equal(model_step(m), 0); /* from the beginning */
        }
        lose += alone.lost > 0;
        empty += alone.messages == 0;
        for (size_t i = r->moments.len; i > 0; i--) {
            player_to(p, i);
            free(frame_of(p));
            check_lives(m);
        }
        player_to(p, r->moments.len);
        assert_int_equal(m->fates.len, alone.messages < 500 ? alone.messages : 500);
        assert_int_equal(count_lost(m), alone.lost);
        size_t confirmed = 0, consumed = 0;
        for (size_t i = 0; i < m->fates.len; i++) {
            confirmed += strncmp(m->fates.items[i].fate, "confirmed", 9) == 0;
            consumed += strstr(m->fates.items[i].fate, "consumed") != NULL;
        }
        assert_int_equal(confirmed, alone.confirmed);
        assert_true(consumed >= alone.consumed);               /* who rejects it for good has had it, too */
        assert_int_equal(model_step(m), m->lesson->steps_len); /* all happened, and the end */
        player_destroy(p);
    }
    print_message("  %zu schedules of seeds, %zu lose messages, %zu have none\n", files.gl_pathc, lose,
                  empty);
    assert_true(lose >= 5 && lose + empty < files.gl_pathc);
    globfree(&files);
}

static void its_clients_and_its_end(void **state)
{
    (void)state;
    struct command *run;
    struct player *p = open_schedule(FOUND "one-number-two-lives.sched");
    char *frame = frame_of(p);
    check_frame("sched-seed-80x24", frame);
    assert_contains(frame, "confirmed, LOST at step 5: it was transient");
    free(frame);
    player_to(p, player_recording(p)->moments.len);
    frame = frame_of(p);
    assert_contains(frame, "[x] 16 heal, start and consume all");
    assert_contains(frame, "This is the end of the schedule.");
    free(frame);
    model_key(player_model(p), '2', &run);
    frame = model_frame(player_model(p), 120, 60);
    assert_contains(frame, "set-up   publisher 1 q2 every 17430us messages 50 persistent 50%");
    assert_contains(frame, "seen     75 published, 65 confirmed, 35 consumed, 18 lost");
    free(frame);
    player_destroy(p);
}

/* Its page has no API to ask: how a queue was declared is what the schedule says. */
static void queues_are_as_declared(void **state)
{
    static const struct {
        const char *file, *declared;
    } cases[] = {{FOUND "link-of-an-earlier-life.sched", "declared     transient\n"},
                 {FOUND "two-leave-at-once.sched", "declared     transient, auto-delete\n"},
                 {"lessons/schedules/five-steps.sched", "declared     durable\n"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct command *run;
        struct player *p = open_schedule(cases[i].file);
        player_to(p, 5);
        model_key(player_model(p), KEY_RETURN, &run);
        char *frame = frame_of(p);
        assert_contains(frame, cases[i].declared);
        free(frame);
        player_destroy(p);
    }
}

/* Its clients keep what they were given for a while. */
static void what_clients_have_is_not_ready(void **state)
{
    (void)state;
    struct player *p = open_schedule(FOUND "links-not-there-yet.sched");
    size_t at = 0;
    while (model_step(player_model(p)) != 1 && at < player_recording(p)->moments.len)
        player_to(p, ++at);
    char *frame = frame_of(p);
    assert_contains(frame, ">q3              running      11     3  M  m  .   +1 ");
    free(frame);
    player_destroy(p);
}

/* A promise that breaks is where it opens, though a message was lost before; what comes after has not
 * happened.
 */
static void it_opens_where_a_promise_breaks(void **state)
{
    static const struct {
        const char *file;
        enum seed_fault fault;
        bool at_end;        /* it breaks when all has healed */
        const char *behind; /* lines more */
    } cases[] = {
        {FOUND "one-number-two-lives.sched", SEED_CONFIRM_TWICE, false},
        {FOUND "confirm-of-what-is-given-away.sched", SEED_CONFIRM_SWALLOWED, true},
        {FOUND "lost-twice-on-one-side.sched", SEED_TRANSIENT_FORGOTTEN, true},
        {FOUND "told-one-that-does-not-lead.sched", SEED_ANSWER_TWICE, false},
        {FOUND "one-number-two-lives.sched", SEED_AS_IT_IS, false, "+10 publish node1 q1\n+10 heal\n"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct replay_result result;
        char *error = NULL, file[PATH_MAX];
        char *found = file_text(cases[i].file, NULL);
        char *schedule = format_text("%s%s", found, cases[i].behind ? cases[i].behind : "");
        free(found);
        char *text = seed_run_wrong(cases[i].file, schedule, cases[i].fault, &result);
        assert_false(result.as_expected);
        assert_non_null(result.problem); /* the fault has happened, and was noticed */
        assert_true(temporary_file_in(file, sizeof(file), "seed", ".ndjson"));
        FILE *f = fopen(file, "we");
        fputs(text, f);
        fclose(f);
        struct recording *r = recording_load(file, NULL, &error);
        assert_non_null(r);
        assert_int_not_equal(r->doomed, SIZE_MAX);
        struct player *p = player_create(r, NULL, NULL, false);
        struct model *m = player_model(p);
        print_message("  %s: step %u of %zu: %s\n", cases[i].file, result.steps, m->lesson->steps_len,
                      result.problem);
        assert_contains(model_message(m), "a promise breaks here: ");
        assert_contains(model_message(m), result.problem);
        assert_int_equal(model_step(m), result.steps);
        assert_int_equal(result.steps == m->lesson->steps_len, cases[i].at_end);
        player_to(p, r->moments.len);
        assert_int_equal(model_step(m), result.steps); /* nothing follows */
        player_destroy(p);
        replay_result_finish(&result);
        unlink(file);
        free(schedule);
        free(text);
    }
}

/* Only the simulator has its clients: nothing is begun on nodes. */
static void no_nodes_play_a_seed(void **state)
{
    static const struct lab_replay_where where = {.engine = ENGINE_KIT};
    static const char file[] = FOUND "two-leave-at-once.sched";
    (void)state;
    char *error = NULL;
    int fd;
    pid_t pid;
    assert_int_equal(lab_replay_begin(file, &where, &fd, &pid), 78);
    lab_load_on_nodes(&where);
    assert_null(lab_load_schedule(file, &error));
    lab_load_on_nodes(NULL);
    assert_contains(error, file);
    assert_contains(error, ": its clients are made from seed ");
    assert_contains(error, "leave --engine out");
    free(error);
}

/* none is begun here */
int lab_play_on_nodes(const struct sched *s, const char *name, const struct lab_replay_where *where,
                      FILE *out, struct replay_result *result)
{
    (void)s;
    (void)name;
    (void)where;
    (void)out;
    (void)result;
    fail_msg("nodes were started");
    return 1;
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_schedule_of_a_seed),        cmocka_unit_test(its_clients_and_its_end),
        cmocka_unit_test(queues_are_as_declared),          cmocka_unit_test(what_clients_have_is_not_ready),
        cmocka_unit_test(it_opens_where_a_promise_breaks), cmocka_unit_test(no_nodes_play_a_seed),
    };
    return cmocka_run_group_tests_name("screen/sched_seeded", tests, NULL, NULL);
}

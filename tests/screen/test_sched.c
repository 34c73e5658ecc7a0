/* test_sched.c: schedules on the screen: played in the simulator, shown at the step that lost a message, with
 * the ledger beside it; two of them side by side. */
#include "tests/screen/played.h"
#include "tests/screen/support.h"

#include <glob.h>
#include <unistd.h>

#include "base/sched.h"
#include "compare.h"
#include "main/lab.h"
#include "main/lab_sim.h"
#include "new_file.h"
#include "session.h"
#include "time_player.h"
#include "time_sched_ledger.h"
#include "tests/temporary.h"

#define FOLDER "lessons/schedules/"

static void it_opens_at_the_step_that_lost_a_message(void **state)
{
    (void)state;
    struct player *p = open_schedule(FOLDER "five-steps.sched");
    char *frame = frame_of(p);
    check_frame("sched-doomed-80x24", frame);
    assert_contains(frame, "m1 is lost here, at step 5: a mirror that was not synchronised was");
    assert_contains(frame, "1 of 1 lost");
    free(frame);
    player_request(p, REQUEST_EARLIER); /* a step before it is still there, on one node only */
    frame = frame_of(p);
    check_frame("sched-before-80x24", frame);
    assert_contains(frame, "0 of 1 lost");
    assert_contains(frame, "m1   node1 ");
    free(frame);
    for (int i = 0; i < 20; i++)
        player_request(p, REQUEST_EARLIER);
    frame = frame_of(p);
    assert_contains(frame, "this is the beginning of the recording");
    assert_contains(frame, ">[ ] 1 publish node1 q");
    free(frame);
    struct command *run;
    model_key(player_model(p), 's', &run);
    assert_null(run);
    assert_contains(model_message(player_model(p)), "this is a replay, not a lab");
    player_destroy(p);
}

/* Both masters, and what each holds: in the cards, the table and the ledger; and the same in a message's
 * life. */
static void two_masters_in_a_schedule(void **state)
{
    (void)state;
    struct command *run;
    struct player *p = open_schedule(FOLDER "two-masters.sched");
    for (unsigned i = 0; i < 3; i++)
        player_request(p, REQUEST_EARLIER);
    char *frame = model_frame(player_model(p), 80, 22); /* what has no room is counted */
    assert_lacks(frame, "m3   node2 node3");
    assert_contains(frame, "- 0 of 3 lost, +");
    free(frame);
    frame = frame_of(p);
    check_frame("sched-two-masters-80x24", frame);
    assert_lacks(frame, "lost, +");
    assert_contains(frame, ">q               TWO MASTERS     2/2     0  M  M  m   none          ha");
    assert_contains(frame, "+cut off from node2,node3+"); /* as each node says itself */
    assert_contains(frame, "+cut off from node1------");
    assert_contains(frame, "m1   node1 node2 node3  confirmed, kept");
    assert_contains(frame, "m2   node1              confirmed, kept");
    assert_contains(frame, "m3   node2 node3        confirmed, kept");
    free(frame);
    player_request(p, REQUEST_LATER);
    frame = frame_of(p);
    assert_lacks(frame, "cut off from");
    assert_contains(frame, "+links back, still apart-");
    free(frame);
    player_request(p, REQUEST_LATER);
    frame = frame_of(p);
    assert_contains(frame, "node1 NOT RUNNING");
    assert_lacks(frame, "cut off from"); /* its links are whole: it was stopped */
    assert_lacks(frame, "apart from");   /* who cannot be reached is not listed */
    char *tall = model_frame(player_model(p), 80, 40);
    assert_contains(tall, "m2   -             confirmed, unavailable"); /* its disk may bring it back */
    free(tall);
    free(frame);
    player_request(p, REQUEST_LATER); /* it comes back, and joins the other side */
    model_key(player_model(p), '3', &run);
    frame = frame_of(p);
    check_frame("sched-life-80x24", frame);
    assert_contains(frame, "     step 6   |              X stop node1   ");
    assert_contains(frame, "              |              |              M serves without it: LOST here");
    assert_contains(frame, "     m2 now                  u              .              u");
    assert_contains(frame,
                    "VERDICT m2 of q: confirmed, LOST at step 7"); /* nobody chose: the one that is lost */
    assert_contains(frame, "\n>m2   -             confirmed, LOST at step 7"); /* the ledger, beside it */
    assert_contains(frame, "\n m1   node2 node3   confirmed, kept");
    free(frame);
    model_key(player_model(p), KEY_ARROW_RIGHT, &run);
    model_key(player_model(p), KEY_ARROW_RIGHT, &run); /* there is none after it */
    frame = frame_of(p);
    assert_contains(frame, "VERDICT m3 of q: confirmed, kept");
    assert_contains(frame, "     step 4   o----------publish----------->*");
    assert_contains(frame, "              |              |              o~~replicate~~>*");
    assert_contains(frame, "\n>m3   node2 node3   confirmed, kept");
    free(frame);
    model_key(player_model(p), KEY_ARROW_LEFT, &run);
    model_key(player_model(p), KEY_ARROW_LEFT, &run);
    frame = frame_of(p);
    assert_contains(frame, "     step 2   |              / part node1   ");
    assert_contains(frame, "- steps 3-4, nothing for m1 (e: expand) -");
    assert_lacks(frame, "step 3   |");
    free(frame);
    model_key(player_model(p), 'e', &run);
    frame = frame_of(p);
    assert_contains(frame, "     step 3   | publish node1 q             |");
    assert_lacks(frame, "nothing for m1");
    free(frame);
    player_destroy(p);
}

/* What the ledger says of a message is what its life ends with, in every schedule and at every step. */
static void lives_and_ledger_agree(void **state)
{
    (void)state;
    struct player *p = open_schedule(FOLDER "five-steps.sched");
    const struct recording *r = player_recording(p);
    size_t compared = 0;
    for (size_t i = 0; i < r->moments.len; i++) {
        player_to(p, i);
        const struct model *m = player_model(p);
        for (size_t k = 0; k < m->fates.len; k++) {
            const json_t *life = m->fates.items[k].life;
            const json_t *last = json_array_get(life, json_array_size(life) - 1);
            struct moment moment;
            assert_true(sched_moment(json_array_get(json_array_get(last, 4), 0), &moment));
            char *fate = fact_text(json_array_get(last, 2), NULL);
            const char *letters = json_string_value(json_array_get(last, 1));
            assert_string_equal(fate, m->fates.items[k].fate);
            bool held = strchr(letters, 'M') || strchr(letters, 'm');
            assert_int_equal(held, strncmp(m->fates.items[k].where, "node", 4) == 0);
            free(fate);
            compared++;
        }
    }
    assert_true(compared >= 5);
    player_destroy(p);
}

/* With the rule that keeps the message and without it: the same steps, another end. */
static void two_schedules_side_by_side(void **state)
{
    (void)state;
    struct canvas c;
    struct text out = {0};
    struct compare *cmp = compare_create(open_schedule(FOLDER "five-steps.sched"),
                                         open_schedule(FOLDER "five-steps-when-synced.sched"),
                                         FOLDER "five-steps.sched", FOLDER "five-steps-when-synced.sched");
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    for (int i = 0; i < 4; i++)
        compare_request(cmp, REQUEST_LATER);
    compare_draw(cmp, &c);
    canvas_to_text(&c, &out);
    assert_lacks(out.s, "LOST");
    compare_request(cmp, REQUEST_LATER);
    text_clear(&out);
    compare_draw(cmp, &c);
    canvas_to_text(&c, &out);
    check_frame("sched-compare-80x24", out.s);
    assert_contains(out.s, "m1 confirmed, LOST at step 5");
    assert_contains(out.s, "mirrorlab two schedules |");
    assert_contains(out.s, "| m1 confirmed, unavailable"); /* on the other side nobody took its place */
    text_finish(&out);
    canvas_finish(&c);
    compare_destroy(cmp);
}

/* With a line more on one side the same step has another number there: a loss names its own schedule's step,
 * and that number stands beside the step. */
static void a_step_has_its_schedules_number(void **state)
{
    (void)state;
    struct canvas c;
    struct text out = {0};
    struct compare *cmp = compare_create(open_schedule(FOLDER "five-steps.sched"),
                                         open_schedule(FOLDER "five-steps-kept.sched"),
                                         FOLDER "five-steps.sched", FOLDER "five-steps-kept.sched");
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    compare_request(cmp, REQUEST_SEEK_ON);
    compare_draw(cmp, &c);
    canvas_to_text(&c, &out);
    assert_contains(out.s, " m1 confirmed, LOST at step 5:");
    assert_contains(out.s, "\n>5 kill node1                          |>6 kill node1");
    assert_contains(out.s, "\n -                                     | 5 sync q");
    assert_contains(out.s, "|| line 6/6\n"); /* of both together */
    text_finish(&out);
    canvas_finish(&c);
    compare_destroy(cmp);
}

static ms_time no_time(void *arg)
{
    (void)arg;
    return 1;
}

static void no_draw(void *arg)
{
    (void)arg;
}

/* Every key of the table does what the help says, or says that it does nothing here. */
static void keys_of_two_side_by_side(void **state)
{
    (void)state;
    char *error = NULL;
    struct model live;
    struct canvas c;
    struct text out = {0};
    struct command *run;
    struct event_base *base = event_base_new();
    model_init(&live, NULL, NULL, false, false);
    struct session *s = session_create(&(struct session_options){
        .base = base, .live = &live, .now = no_time, .draw = no_draw, .fake_clock = true});
    session_compare(s, recording_load(FOLDER "five-steps.sched", lab_load_schedule, &error),
                    recording_load(FOLDER "five-steps-kept.sched", lab_load_schedule, &error));
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    size_t mute = 0;
    for (size_t i = 0; i < key_table_len; i++) {
        struct model *m = session_model(s);
        enum effect effect = session_press(s, key_table[i].key, &run);
        assert_null(run);
        if (key_table[i].request == REQUEST_REDRAW) {
            assert_int_equal(effect, EFFECT_CLEAR);
        } else if (key_in_compare(key_table[i].key)) {
            assert_null(model_message(m));
        } else {
            assert_int_equal(effect, EFFECT_DRAW);
            assert_contains(model_message(m), "does nothing here");
            mute++;
        }
        assert_int_equal(m->view, VIEW_CLUSTER);
        session_draw(s, &c);
        text_clear(&out);
        canvas_to_text(&c, &out);
        if (key_table[i].request == REQUEST_HELP) {
            for (size_t k = 0; k < compare_keys_len; k++)
                assert_contains(out.s, compare_keys[k].help ? compare_keys[k].help : "");
            assert_lacks(out.s, "Publish");
            assert_lacks(out.s, "select a node");
            session_press(s, KEY_ESCAPE, &run);
        }
        assert_int_equal(m->overlay, OVERLAY_NONE);
    }
    assert_true(mute > 20);
    session_press(s, '[', &run); /* nothing is said any more */
    session_draw(s, &c);
    text_clear(&out);
    canvas_to_text(&c, &out);
    for (size_t k = 0; k < compare_keys_len; k++) { /* and the bar has those that are named there */
        const struct key_entry *entry = key_find(compare_keys[k].key);
        assert_non_null(entry);
        char *bar = format_text(" %s:%s", entry->name, compare_keys[k].bar ? compare_keys[k].bar : "");
        assert_contains_(out.s, k ? bar : bar + 1, compare_keys[k].bar != NULL, __FILE__, __LINE__);
        free(bar);
    }
    text_finish(&out);
    canvas_finish(&c);
    session_destroy(s);
    event_base_free(base);
    model_finish(&live);
}

/* What a key writes is a new file in the folder one is in, or else in the one that is named. */
static void keys_write_new_files(void **state)
{
    (void)state;
    char here[4096], *folder = temporary_folder("new"), *other = temporary_folder("new");
    assert_non_null(getcwd(here, sizeof(here)));
    assert_true(folder && other);
    assert_int_equal(chdir(folder), 0);
    struct canvas c;
    char *error = NULL, *names[3];
    canvas_init(&c);
    canvas_resize(&c, 10, 3);
    canvas_put(&c, (struct rect){0, 0, 10, 3}, 0, 0, STYLE_NORMAL, "hello");
    canvas_put(&c, (struct rect){0, 0, 10, 3}, 4, 2, STYLE_DOWN, "\xe4\xb8\xad 1");
    for (size_t i = 0; i < 3; i++) { /* more than one in a second */
        names[i] = new_file("frame", ".txt", other);
        assert_int_equal(strncmp(names[i], folder, strlen(folder)), 0);
        assert_true(session_write_frame(&c, names[i], false, &error));
        char *text = file_text(names[i], NULL);
        assert_string_equal(text, "hello\n\n    \xe4\xb8\xad 1\n");
        free(text);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(names[i], names[j]);
    }
    assert_false(session_write_frame(&c, names[0], false, &error)); /* it is somebody's by now */
    assert_contains(error, names[0]);
    free(error);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(unlink(names[i]), 0);
        free(names[i]);
    }
    assert_int_equal(rmdir(folder), 0); /* nothing can be written there any more */
    char *name = new_file("frame", ".txt", other);
    assert_int_equal(strncmp(name, other, strlen(other)), 0);
    free(name);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(rmdir(other), 0);
    free(folder);
    free(other);
    canvas_finish(&c);
}

static bool expects_loss(const char *file)
{
    char *text = NULL, *error = NULL;
    size_t size = 0;
    struct sched s;
    FILE *f = fopen(file, "re");
    assert_true(getdelim(&text, &size, '\0', f) > 0);
    fclose(f);
    assert_int_equal(sched_parse(&s, file, text, &error), 0);
    bool loss = false;
    for (size_t i = 0; i < s.expects.len; i++)
        loss = loss || (s.expects.items[i].fate == SCHED_LOST && !*s.expects.items[i].world);
    sched_finish(&s);
    free(text);
    return loss;
}

/* Each that tells of a loss or of none: all its moments can be shown, to and fro; it opens at a loss if it
 * expects one. */
static void every_schedule(void **state)
{
    (void)state;
    glob_t files;
    size_t lost = 0, kept = 0;
    assert_int_equal(glob(FOLDER "*.sched", 0, NULL, &files), 0);
    for (size_t f = 0; f < files.gl_pathc; f++) {
        struct player *p = open_schedule(files.gl_pathv[f]);
        const struct recording *r = player_recording(p);
        assert_null(r->problem);
        bool loss = expects_loss(files.gl_pathv[f]);
        if (loss && r->doomed == SIZE_MAX)
            fail_msg("%s expects a loss, and opens at none", files.gl_pathv[f]);
        lost += loss;
        kept += r->doomed == SIZE_MAX;
        for (size_t i = r->moments.len; i > 0; i--) {
            player_to(p, i);
            free(frame_of(p));
            check_lives(player_model(p));
        }
        assert_true(player_model(p)->lesson->steps_len > 0);
        player_destroy(p);
    }
    print_message("  %zu schedules, %zu of them lose a message\n", files.gl_pathc, lost);
    assert_true(lost >= 3 && kept >= 1);
    globfree(&files);
}

/* ---- while it is played ---- */

/* The nodes of this test are the simulator's: what is looked at is the way from who plays to the screen. */
int lab_play_on_nodes(const struct sched *s, const char *name, const struct lab_replay_where *where,
                      FILE *out, struct replay_result *result)
{
    assert_int_equal(where->engine, ENGINE_KIT);
    return replay_on_sim(s, name, false, out, result);
}

static void assert_frame_says(struct player *p, const char *words)
{
    char *frame = frame_of(p);
    assert_contains(frame, words);
    free(frame);
}

static const struct lab_replay_where somewhere = {.engine = ENGINE_KIT};

/* Whoever looks at its end sees each step as it comes, and at last the one that lost a message; whoever steps
 * back stays there. */
static void it_is_shown_while_it_is_played(void **state)
{
    (void)state;
    int fd;
    pid_t pid;
    char *error = NULL, part[7]; /* lines come in pieces */
    assert_int_equal(lab_replay_begin(FOLDER "five-steps.sched", &somewhere, &fd, &pid), 0);
    struct recording *r = recording_from(fd, "five-steps.sched", &error);
    assert_non_null(r);
    assert_false(recording_is_simulated(r));
    struct player *p = player_create(r, NULL, NULL, false);
    player_to(p, r->moments.len);
    size_t steps = lesson_current(player_model(p)->lesson), back = 0;
    for (ssize_t got; (got = read(fd, part, sizeof(part))) > 0;) {
        bool at_end = player_at(p) == r->moments.len;
        player_append(p, part, (size_t)got);
        if (back) {
            assert_int_equal(player_at(p), back);
            if (lesson_current(player_model(p)->lesson) == 2 && r->moments.len > back + 3)
                player_to(p, r->moments.len), back = 0;
            continue;
        }
        assert_true(at_end && player_at(p) == r->moments.len);
        size_t now = lesson_current(player_model(p)->lesson);
        assert_true(now == steps || now == steps + 1);
        if (now == 3 && steps == 2) { /* back to the second, once */
            assert_frame_says(p, "it is played now; what the nodes show comes by itself");
            while (lesson_current(player_model(p)->lesson) > 2)
                player_to(p, player_at(p) - 1);
            back = player_at(p);
            assert_frame_says(p, "] shows what it leads to");
            assert_contains(model_message(player_model(p)), "step 3 of 5, waiting for its facts: kill node3");
        }
        steps = now;
    }
    assert_int_equal(steps, 5);
    player_complete(p);
    char *frame = frame_of(p);
    assert_contains(frame, "m1 is lost here, at step 5: a mirror that was not synchronised was");
    assert_contains(frame, "1 of 1 lost");
    free(frame);
    player_destroy(p);
    assert_int_equal(lab_replay_end(fd, pid), 0);
}

/* Nothing to be shown: its reason is told, and the exit code is not 0. */
static void what_does_not_begin_says_why(void **state)
{
    (void)state;
    int fd;
    pid_t pid;
    char *error = NULL, file[PATH_MAX];
    assert_true(temporary_file_in(file, sizeof(file), "rule", ".sched"));
    FILE *f = fopen(file, "we");
    fputs("nodes 3\nrule nobody\ndeclare q durable\npublish node1 q\n", f);
    fclose(f);
    assert_int_equal(lab_replay_begin(file, &somewhere, &fd, &pid), 78); /* a bad file, like any other */
    f = fopen(file, "we");
    fputs("nodes 3\npolicy ha ^q {\"ha-mode\":\"some\"}\n", f);
    fclose(f);
    assert_int_equal(lab_replay_begin(file, &somewhere, &fd, &pid), 0);
    assert_null(recording_from(fd, "x.sched", &error));
    assert_contains(error, "x.sched: NOT PLAYED TO ITS END: line 2, policy ha ^q");
    free(error);
    assert_int_equal(lab_replay_end(fd, pid), 1);
    unlink(file);
    assert_int_equal(lab_replay_begin("/nowhere/x.sched", &somewhere, &fd, &pid), 78);
}

static void what_cannot_be_played(void **state)
{
    (void)state;
    char *error = NULL, file[PATH_MAX];
    assert_true(temporary_file_in(file, sizeof(file), "sched", ".sched"));
    assert_null(recording_load("/nowhere/x.sched", lab_load_schedule, &error));
    assert_contains(error, "/nowhere/x.sched: ");
    free(error);
    FILE *f = fopen(file, "we");
    fputs("nodes 3\ndance node1\n", f);
    fclose(f);
    assert_null(recording_load(file, lab_load_schedule, &error));
    assert_contains(error, ".sched:2: ");
    free(error);
    unlink(file);
    assert_null(lab_load_schedule("x.ndjson", &error)); /* it is left to those who read recordings */
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_at_the_step_that_lost_a_message),
        cmocka_unit_test(two_masters_in_a_schedule),
        cmocka_unit_test(lives_and_ledger_agree),
        cmocka_unit_test(a_step_has_its_schedules_number),
        cmocka_unit_test(two_schedules_side_by_side),
        cmocka_unit_test(keys_of_two_side_by_side),
        cmocka_unit_test(keys_write_new_files),
        cmocka_unit_test(every_schedule),
        cmocka_unit_test(it_is_shown_while_it_is_played),
        cmocka_unit_test(what_does_not_begin_says_why),
        cmocka_unit_test(what_cannot_be_played),
    };
    return cmocka_run_group_tests_name("screen/sched", tests, NULL, NULL);
}

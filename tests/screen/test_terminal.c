/* test_terminal.c: the TUI in a real terminal: on recordings (sizes, characters, kinds of terminals) and on
 * nodes that freeze, die and lie. */
#include "tests/screen/scene.h"

#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <unistd.h>

#include "base/rng.h"
#include "tests/temporary.h"

/* ---- on recordings
 * ---------------------------------------------------------------------------------------------- */

/* The terminal shows the canvas, cell by cell, wide characters and lines included. */
static void the_terminal_shows_the_frame(void **state)
{
    struct scene *s = *state;
    REPLAY(s, "wide"); /* one: with more there is a time in the header */
    scene_start(s, 80, 24);
    assert_shows_frame(s, "wide", 80, 24);
    scene_quit(s);
}

static void a_replay_goes_on_by_key(void **state)
{
    struct scene *s = *state;
    REPLAY(s, "rest", "stopped");
    scene_start(s, 80, 24);
    assert_seen(s, "REPLAY");
    assert_lacks(terminal_text(s->t), "STOPPED");
    terminal_type(s->t, "]");
    assert_seen(s, "STOPPED");
    assert_seen(s, "was M");
    terminal_type(s->t, "]");
    assert_seen(s, "this is the end of the recording");
    terminal_type(s->t, "[");
    assert_goes(s, "STOPPED");
    terminal_type(s->t, "[");
    assert_seen(s, "this is the beginning of the recording");
    terminal_type(s->t, " ");
    assert_seen(s, "STOPPED"); /* it plays, to its end */
    assert_seen(s, "REPLAY    ||");
    terminal_type(s->t, "s");
    assert_seen(s, "this is a replay, not a lab");
    scene_quit(s);
}

/* 200 sizes from 1x1 to 200x60, faster than they can be drawn; then it is as if nothing had been. */
static void a_storm_of_resizes(void **state)
{
    struct scene *s = *state;
    struct rng rng;
    rng_init(&rng, 1);
    REPLAY(s, "wide");
    scene_start(s, 80, 24);
    assert_shows_frame(s, "wide", 80, 24);
    for (int i = 0; i < 200; i++) {
        terminal_set_size(s->t, 1 + (int)rng_below(&rng, 200), 1 + (int)rng_below(&rng, 60));
        if (rng_chance(&rng, 30)) /* sometimes it gets to draw */
            terminal_wait_frame(s->t, terminal_frames(s->t), 30);
        if (rng_chance(&rng, 20))
            terminal_type(s->t, "?j");
    }
    terminal_set_size(s->t, 80, 24);
    terminal_type(s->t, "\f"); /* Ctrl-L: the test's terminal kept its own remains of the storm */
    terminal_type(s->t, "1kkkkk");
    terminal_type(s->t, "?x");
    assert_shows_frame(s, "wide", 80, 24);
    terminal_forget(s->t); /* and a whole frame in a fresh terminal is the same */
    terminal_type(s->t, "\f");
    assert_shows_frame(s, "wide", 80, 24);
    static const int sizes[][2] = {{1, 1}, {200, 60}, {3, 60}, {200, 1}, {40, 12}, {80, 24}};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        terminal_set_size(s->t, sizes[i][0], sizes[i][1]);
        assert_shows_frame(s, "wide", sizes[i][0], sizes[i][1]);
    }
    scene_quit(s);
}

/* sets margins for a scroll, and scrolls when the screen has another size */
static int scroll_late(void *arg)
{
    (void)arg;
    printf("\033[20;24rmargins");
    fflush(stdout);
    if (getchar() == '\n')
        printf("\033[2S\033[Hscrolled");
    return fflush(stdout);
}

static void a_smaller_terminal_has_no_margins(void **state)
{
    struct scene *s = *state;
    s->t = terminal_start(s->base, 80, 24, scroll_late, NULL);
    assert_true(terminal_wait_text(s->t, "margins", SOON));
    terminal_set_size(s->t, 80, 5);
    terminal_type(s->t, "\n");
    assert_true(terminal_wait_text(s->t, "scrolled", SOON));
    assert_null(strstr(terminal_text(s->t), "margins")); /* by two lines, all of them */
    assert_true(terminal_wait_end(s->t, SOON));
}

static void the_last_frame_stays(void **state)
{
    struct scene *s = *state;
    REPLAY(s, "rest");
    scene_start(s, 100, 40); /* higher than the frame's own lines need */
    assert_seen(s, "mirrior_hello");
    terminal_type(s->t, "q");
    assert_true(terminal_wait_end(s->t, SOON));
    assert_contains(terminal_text(s->t), "M  m  .");
    assert_contains(terminal_text(s->t), "21:04:15.000  hint");
}

static void states_without_colour(void **state)
{
    struct scene *s = *state;
    struct terminal_look look;
    REPLAY(s, "stopped");
    s->no_color = "1";
    scene_start(s, 80, 24);
    assert_seen(s, "STOPPED");
    assert_true(terminal_look_of(s->t, "STOPPED", &look));
    assert_true(look.reverse);
    assert_false(look.colored);
    scene_quit(s);
}

static void states_with_colour(void **state)
{
    struct scene *s = *state;
    struct terminal_look down, copy, syncing, plain;
    REPLAY(s, "stopped");
    scene_start(s, 80, 24);
    assert_shows_frame(s, "stopped", 80, 24); /* all of it: a part may come first */
    assert_true(terminal_look_of(s->t, "STOPPED", &down));
    assert_true(terminal_look_of(s->t, "syncing", &syncing));
    assert_true(terminal_look_of(s->t, " mirrior_hello   ", &plain));
    assert_true(terminal_look_of(s->t, "! hello", &copy));
    assert_true(copy.reverse && copy.colored);
    assert_true(down.reverse && down.colored); /* colour comes on top of the word and the attribute */
    assert_true(syncing.bold && syncing.colored);
    assert_false(plain.reverse || plain.colored);
    scene_quit(s);
}

/* Who cannot tell red from green sees how bright both are together, and blue: no two states differ in red and
 * green alone. */
static void no_two_states_are_red_and_green(void **state)
{
    static const char *const terms[] = {"xterm-256color", "xterm"}; /* many colours, and eight */
    static const char *const words[] = {"UP -", "syncing", "STOPPED"};
    struct scene *s = *state;
    REPLAY(s, "stopped");
    for (size_t i = 0; i < ARRAY_LEN(terms); i++) {
        struct terminal_look looks[ARRAY_LEN(words)];
        s->term = terms[i];
        scene_start(s, 80, 24);
        assert_shows_frame(s, "stopped", 80, 24);
        for (size_t w = 0; w < ARRAY_LEN(words); w++) {
            assert_true(terminal_look_of(s->t, words[w], &looks[w]));
            assert_true(looks[w].colored);
        }
        for (size_t w = 0; w < ARRAY_LEN(words); w++)
            for (size_t v = 0; v < w; v++) {
                int bright = looks[w].red + looks[w].green - looks[v].red - looks[v].green;
                int blue = looks[w].blue - looks[v].blue;
                if (abs(bright) < 64 && abs(blue) < 64)
                    fail_msg("%s: %s (%d %d %d) and %s (%d %d %d)", terms[i], words[w], looks[w].red,
                             looks[w].green, looks[w].blue, words[v], looks[v].red, looks[v].green,
                             looks[v].blue);
            }
        scene_quit(s);
    }
}

static void a_locale_without_utf8(void **state)
{
    struct scene *s = *state;
    REPLAY(s, "wide");
    s->locale = "C";
    scene_start(s, 80, 24);
    assert_seen(s, ">????????              running       7"); /* as many columns as it has elsewhere */
    assert_seen(s, "+>node1 UP ----");                        /* lines by the terminal's own means */
    scene_quit(s);
}

static void an_unknown_terminal_gets_plain_text(void **state)
{
    struct scene *s = *state;
    REPLAY(s, "rest", "stopped");
    s->term = "no-such-terminal";
    scene_start(s, 80, 60);
    assert_seen(s, "M  m  .");
    assert_contains(terminal_stderr(s->t), "TERM");
    terminal_type(s->t, "]\n");
    assert_seen(s, "STOPPED");
    terminal_type(s->t, "q\n");
    assert_true(terminal_wait_end(s->t, SOON));
    s->term = "dumb"; /* known, but it cannot place the cursor */
    terminal_end(s->t);
    scene_start(s, 80, 60);
    assert_seen(s, "M  m  .");
    assert_contains(terminal_stderr(s->t), "cannot place the cursor");
}

static void a_recording_that_is_none(void **state)
{
    struct scene *s = *state;
    REPLAY(s, "rest");
    FILE *f = fopen(s->replay, "a");
    fputs("{\"format\":1}\n", f);
    fclose(f);
    scene_start(s, 80, 24);
    char *expected = format_text("%s:2: not a snapshot", s->replay);
    assert_seen(s, expected); /* and what can be read is shown */
    assert_seen(s, "mirrior_hello");
    terminal_type(s->t, "q");
    assert_true(terminal_wait_end(s->t, SOON));
    assert_ended(s, 0);
    f = fopen(s->replay, "w");
    fputs("{\"format\":1}\n", f);
    fclose(f);
    scene_start(s, 80, 24);
    assert_true(terminal_wait_end(s->t, SOON));
    free(expected);
    expected = format_text("%s:1: not a snapshot", s->replay);
    assert_contains(terminal_stderr(s->t), expected);
    free(expected);
    assert_ended(s, 78);
}

static void signals_give_the_terminal_back(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    struct scene *s = *state;
    REPLAY(s, "rest");
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        scene_start(s, 80, 40);
        assert_seen(s, "mirrior_hello");
        kill(terminal_pid(s->t), signals[i]);
        assert_true(terminal_wait_end(s->t, SOON));
        assert_contains(terminal_text(s->t), "M  m  .");
        assert_ended(s, 0);
    }
}

/* ---- on nodes
 * ------------------------------------------------------------------------------------------------------ */

static void a_node_dies_on_screen(void **state)
{
    struct scene *s = *state;
    scene_live(s, 0);
    assert_seen(s, ">hello           running       1     0  M  .  .");
    fake_node(s->fake, 0, FAKE_GONE, false);
    fake_queues(s->fake, "[" HELLO_DOWN "]");
    assert_seen(s, "node1 NOT RUNNING");
    assert_seen(s, ">hello           DOWN          ?     ?  !  .  .");
    assert_seen(s, "! hello            had 1");
    assert_seen(s, "hello is down");
    for (size_t i = 1; i < 3; i++)
        fake_node(s->fake, i, FAKE_GONE, false);
    assert_seen(s, "STALE");
    assert_seen(s, "No node answers");
    for (size_t i = 0; i < 3; i++)
        fake_node(s->fake, i, FAKE_ANSWERS, true);
    fake_queues(s->fake, "[" HELLO "]");
    assert_seen(s, "LIVE");
    assert_seen(s, ">hello           running       1     0  M  .  .");
    scene_quit(s);
}

/* What is shown to be typed can be: the program is named as it was called. */
static void a_recording_is_named_with_its_program(void **state)
{
    struct scene *s = *state;
    char here[4096], *folder = temporary_folder("rec");
    assert_non_null(getcwd(here, sizeof(here)));
    assert_non_null(folder);
    assert_int_equal(chdir(folder), 0);
    s->options.program = "some/lab";
    s->fake = fake_create(s->base, 3);
    fake_queues(s->fake, "[" HELLO "]");
    fake_labdir(s->fake, &s->lab);
    s->lab.engine = ENGINE_KIT;
    snprintf(s->lab.path, sizeof(s->lab.path), "/nowhere");
    scene_start(s, 80, 24);
    assert_seen(s, "LIVE");
    assert_seen(s, ">hello");
    assert_int_equal(chdir(here), 0); /* the screen stays there */
    terminal_type(s->t, "R");
    assert_seen(s, "recording to");
    assert_seen(s, "now hello"); /* whose messages it has */
    terminal_type(s->t, "R");
    assert_seen(s, "recorded: some/lab replay");
    terminal_type(s->t, "1"); /* the message is gone with the next key */
    assert_goes(s, "recorded:");
    terminal_type(s->t, "R");
    assert_seen(s, "recording to");
    terminal_type(s->t, "q");
    assert_true(terminal_wait_end(s->t, SOON));
    assert_contains(terminal_text(s->t), "recorded: some/lab replay"); /* what is still recorded then */
    assert_ended(s, 0);
    char *remove_it = format_text("rm -r %s", folder);
    assert_int_equal(system(remove_it), 0);
    free(remove_it);
    free(folder);
}

/* w: the file has what the screen had, all of it. */
static void a_frame_is_written_as_it_is(void **state)
{
    struct scene *s = *state;
    char here[4096], *folder = temporary_folder("frame");
    assert_non_null(getcwd(here, sizeof(here)));
    assert_non_null(folder);
    REPLAY(s, "wide");
    assert_int_equal(chdir(folder), 0);
    scene_start(s, 80, 24);
    assert_int_equal(chdir(here), 0); /* the screen stays there */
    assert_shows_frame(s, "wide", 80, 24);
    char *shown = xstrdup(terminal_text(s->t));
    terminal_type(s->t, "w");
    assert_seen(s, "this frame is in");
    scene_quit(s);
    glob_t found;
    char *pattern = format_text("%s/*", folder);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    char *written = file_text(found.gl_pathv[0], NULL);
    assert_string_equal(written, shown);
    assert_int_equal(unlink(found.gl_pathv[0]), 0);
    assert_int_equal(rmdir(folder), 0);
    globfree(&found);
    free(pattern);
    free(written);
    free(shown);
    free(folder);
}

/* N ends a recording, and says so: before, and on the next lesson's screen where it is. */
static void the_next_lesson_says_where_the_recording_is(void **state)
{
    struct scene *s = *state;
    char here[4096], *folder = temporary_folder("rec");
    assert_non_null(getcwd(here, sizeof(here)));
    assert_non_null(folder);
    assert_int_equal(chdir(folder), 0);
    char *lessons = format_text("%s/lessons", here);
    assert_int_equal(setenv("MIRRORLAB_LESSONS", lessons, 1), 0);
    free(lessons);
    s->options.program = "some/lab";
    scene_live(s, 6);
    assert_int_equal(unsetenv("MIRRORLAB_LESSONS"), 0); /* the screen has them */
    assert_int_equal(chdir(here), 0);
    terminal_type(s->t, "N");
    assert_seen(s, "(go on to lesson 7)");
    assert_lacks(terminal_text(s->t), "recording ends here.");
    terminal_type(s->t, "n");
    assert_goes(s, "(go on to lesson 7)");
    terminal_type(s->t, "R");
    assert_seen(s, "recording to");
    terminal_type(s->t, "N");
    assert_seen(s, "recording ends here.");
    terminal_type(s->t, "y");
    assert_seen(s, "Lesson 7");
    assert_seen(s, "recorded: some/lab replay");
    terminal_type(s->t, "1"); /* the message is gone with the next key */
    assert_goes(s, "recorded:");
    terminal_type(s->t, "L"); /* and back, to the one that is before it */
    assert_seen(s, "(go back to lesson 6)");
    terminal_type(s->t, "y");
    assert_seen(s, "Lesson 6");
    scene_quit(s);
    char *remove_it = format_text("rm -r %s", folder);
    assert_int_equal(system(remove_it), 0);
    free(remove_it);
    free(folder);
}

/* After the first frame nothing clears the screen: a change of one count sends its cells. */
static void a_change_sends_what_changed(void **state)
{
    struct scene *s = *state;
    scene_live(s, 0);
    assert_seen(s, "hello has ONE copy");
    scene_pass_rounds(s, 2);
    uint64_t bytes = terminal_bytes(s->t);
    fake_feed(s->fake, "{\"next\":1,\"events\":[]}"); /* no event lines, only the count */
    fake_queues(s->fake,
                "[{\"name\":\"hello\",\"vhost\":\"/\",\"state\":\"running\",\"node\":\"node1@localhost\","
                "\"messages\":7,\"messages_ready\":7,\"messages_unacknowledged\":0,\"durable\":true}]");
    assert_seen(s, ">hello           running       7     0  M  .  .");
    bytes = terminal_bytes(s->t) - bytes;
    print_message("one count changed: %llu bytes\n", (unsigned long long)bytes);
    assert_true(bytes < 400);
    scene_quit(s);
}

/* Lesson 7 on nodes that do not do what its programs say: boxes stay empty until nodes show it. */
static void only_what_nodes_show_is_ticked(void **state)
{
    struct scene *s = *state;
    scene_live(s, 7);
    assert_seen(s, ">[ ] 1 set the policy");
    terminal_type(s->t,
                  "n"); /* labctl is not beside this program: it fails; test_forged.c has one that lies */
    assert_seen(s, "$ labctl ");
    assert_goes(s, "running...");
    scene_pass_rounds(s, 6);
    assert_contains(terminal_text(s->t), ">[ ] 1 set the policy");
    fake_policies(s->fake, "[" MIRRIOR "]"); /* set by somebody else: it is there, and that is what counts */
    assert_seen(s, " [x] 1 set the policy");
    assert_seen(s, ">[ ] 3 "); /* the fake hello is there already, with its message */
    scene_pass_rounds(s, 4);
    assert_contains(terminal_text(s->t), " 2/7");
    fake_policies(s->fake, "[]");
    terminal_type(s->t, "4k"); /* at length, from the first step on */
    assert_seen(s, ", then no policy mirrior");
    scene_quit(s);
}

/* Nodes that fall silent when they have said it once: what was last seen proves nothing any more, for nobody
 * answers (lab/proof.c) and it was not said later (lab/lesson.c; tests/lab/test_proof.c has that alone). */
static void frozen_data_ticks_nothing(void **state)
{
    struct scene *s = *state;
    scene_live(s, 7);
    assert_seen(s, ">[ ] 1 set the policy");
    fake_policies(s->fake, "[" MIRRIOR "]");
    fake_freeze_after(s->fake, 0, "/api/policies"); /* whose lists are shown */
    assert_seen(s, "policy   mirrior");
    assert_seen(s, "STALE");
    uint64_t frame = terminal_frames(s->t);
    assert_true(terminal_wait_frame(s->t, frame + 2, SOON)); /* the age goes on */
    assert_contains(terminal_text(s->t), "policy   mirrior");
    assert_contains(terminal_text(s->t), ">[ ] 1 set the policy");
    assert_lacks(terminal_text(s->t), "[x]");
    scene_quit(s);
}

/* A node that stands still answers nothing, and the others count it out. It has not stopped: that is seen
 * when connections to it are refused. */
static void a_frozen_node_is_not_stopped(void **state)
{
    struct scene *s = *state;
    scene_live(s, 1);
    assert_seen(s, ">[ ] 2 stop node1");
    fake_node(s->fake, 0, FAKE_FROZEN, false);
    fake_queues(s->fake, "[" HELLO_DOWN "]");
    assert_seen(s, "node1 NOT RUNNING");
    scene_pass_rounds(s, 6);
    assert_contains(terminal_text(s->t), ">[~] 2 stop node1");
    assert_contains(terminal_text(s->t), "not yet: node1 does not answer, nor refuse connections");
    assert_contains(terminal_text(s->t), "node1 stands still, or is cut off from here");
    fake_node(s->fake, 0, FAKE_GONE, false);
    assert_seen(s, " [x] 2 stop node1");
    scene_quit(s);
}

/* What is in a lesson's way is said as long as it is there. */
static void what_is_left_over_is_said_until_it_goes(void **state)
{
    struct scene *s = *state;
    scene_live(s, 7);
    assert_seen(s, "The lab holds hello already: B makes it ready");
    fake_queues(s->fake, "[]");
    assert_goes(s, "The lab holds hello already");
    scene_quit(s);
}

static void killing_asks_first(void **state)
{
    struct scene *s = *state;
    scene_live(s, 0);
    terminal_type(s->t, "K");
    assert_seen(s, "$ labctl -n node1 kill");
    assert_seen(s, "[ Cancel ]");
    terminal_type(s->t, "\r");
    assert_goes(s, "[ Cancel ]");
    scene_pass_rounds(s, 2);
    assert_lacks(terminal_text(s->t), "labctl");
    scene_quit(s);
}

static void a_projector_is_read_only(void **state)
{
    struct scene *s = *state;
    s->options.readonly = true;
    scene_live(s, 7);
    assert_seen(s, "read-only");
    terminal_type(s->t, "n");
    assert_seen(s, "--readonly");
    scene_pass_rounds(s, 2);
    assert_lacks(terminal_text(s->t), "$ labctl");
    scene_quit(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scene_begin, scene_end)

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        TEST(the_terminal_shows_the_frame),
        TEST(a_replay_goes_on_by_key),
        TEST(a_recording_is_named_with_its_program),
        TEST(a_frame_is_written_as_it_is),
        TEST(the_next_lesson_says_where_the_recording_is),
        TEST(a_storm_of_resizes),
        TEST(a_smaller_terminal_has_no_margins),
        TEST(the_last_frame_stays),
        TEST(states_without_colour),
        TEST(states_with_colour),
        TEST(no_two_states_are_red_and_green),
        TEST(a_locale_without_utf8),
        TEST(an_unknown_terminal_gets_plain_text),
        TEST(a_recording_that_is_none),
        TEST(signals_give_the_terminal_back),
        TEST(a_node_dies_on_screen),
        TEST(a_change_sends_what_changed),
        TEST(only_what_nodes_show_is_ticked),
        TEST(frozen_data_ticks_nothing),
        TEST(a_frozen_node_is_not_stopped),
        TEST(what_is_left_over_is_said_until_it_goes),
        TEST(killing_asks_first),
        TEST(a_projector_is_read_only),
    };
    return cmocka_run_group_tests_name("screen/terminal", tests, NULL, NULL);
}

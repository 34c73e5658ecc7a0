/* test_matrix.c: every kind of terminal, with each locale, with and without colour: the frame as it should
 * be, or plain text, never rubbish. And the screen in Chinese: aligned, complete. Its locale is made here, in
 * a folder of its own, where the system has none; where that cannot be done, the tests fail and say what to
 * install. */
#include "tests/screen/scene.h"

#include <errno.h>
#include <locale.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "words.h"
#include "tests/temporary.h"

#define CHINESE "zh_CN.UTF-8"

/* glibc's setlocale never frees the list that it makes of LOCPATH, which only this test sets. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:argz_add_sep\n";
}

static bool chinese; /* the locale is there */
static char folder[PATH_MAX];

static const char *const terms[] = {"xterm-256color", "xterm", "screen", "tmux-256color", "linux", "vt100"};

/* The same terminals without "repeat this character", which ncurses uses where there is no UTF-8: libvterm
 * puts what follows one into the next row when it ends one column before the edge. */
static void make_terminals(void)
{
    for (size_t i = 0; i < ARRAY_LEN(terms); i++) {
        char *command = format_text(
            "infocmp -x %s | sed -E 's/(^|[[:space:]])rep=[^,]*,//' | tic -x -o %s/terminfo - 2>/dev/null",
            terms[i], folder);
        if (system(command) != 0)
            print_error("%s: no description without rep\n", terms[i]);
        free(command);
    }
    char *path = format_text("%s/terminfo", folder);
    setenv("TERMINFO", path, 1);
    free(path);
}

/* Makes the locale where the system has none, and tells this process and its children where it is. */
static void make_locale(void)
{
    if (setlocale(LC_CTYPE, CHINESE)) {
        setlocale(LC_CTYPE, "C");
        chinese = true;
        return;
    }
    char *command = format_text("localedef -i zh_CN -f UTF-8 %s/" CHINESE " >%s/log 2>&1", folder, folder);
    int status = system(command); /* its exit code is 1 for mere warnings */
    setenv("LOCPATH", folder, 1);
    chinese = status != -1 && setlocale(LC_CTYPE, CHINESE) != NULL;
    setlocale(LC_CTYPE, "C");
    free(command);
    if (!chinese)
        unsetenv("LOCPATH");
}

/* A third of what is tested here would be left out, and nobody would notice. */
static void need_chinese(void)
{
    if (!chinese)
        fail_msg("the locale %s is not there and cannot be made: Debian's package locales has localedef and "
                 "what it reads; make deps installs it",
                 CHINESE);
}

static void remove_folder(void)
{
    char *command = format_text("rm -rf %s", folder);
    if (system(command) != 0)
        print_error("%s is left\n", folder);
    free(command);
}

/* In this process as a program with this locale has it: the frames that are expected speak its language. */
static void speak(const char *locale)
{
    const char *build = getenv("BUILD");
    char *place = format_text("%s/locale", build ? build : "build");
    setenv("LC_ALL", locale, 1);
    setenv("MIRRORLAB_LOCALE", place, 1);
    free(words_init());
    free(place);
}

/* A terminal that cannot place its cursor gets lines. What could not be shown would stand there as remains of
 * sequences. */
static void assert_no_rubbish(struct scene *s)
{
    static const char *const remains[] = {"[?", "[0m", "[m",   "[1;",          "[H",
                                          "(B", "$<",  "\x1b", "\xef\xbf\xbd", NULL};
    for (size_t i = 0; remains[i]; i++)
        assert_lacks(terminal_text(s->t), remains[i]);
}

static bool mouse_is(struct terminal_test *t, void *given)
{
    return terminal_gives_mouse(t) == *(bool *)given;
}

/* It is the terminal's own, for selecting text, until % asks for it, and after another one. */
static void assert_mouse(struct scene *s, const char *term)
{
    bool taken = true, left = false;
    assert_false(terminal_gives_mouse(s->t));
    if (strcmp(term, "vt100") == 0 || strcmp(term, "linux") == 0)
        return; /* the one has none, the other asks gpm for it and not the terminal */
    terminal_type(s->t, "%");
    assert_true(terminal_wait(s->t, mouse_is, &taken, SOON));
    terminal_type(s->t, "%");
    assert_true(terminal_wait(s->t, mouse_is, &left, SOON));
}

static void assert_drawn(struct scene *s, const char *term, const char *locale)
{
    speak(locale);
    assert_shows_frame(s, "stopped", 80, 24);
    assert_no_rubbish(s);
    terminal_type(s->t, "2");
    assert_goes(s, "?  M  u"); /* in any language */
    terminal_type(s->t, "1");
    assert_shows_frame(s, "stopped", 80, 24);
    terminal_type(s->t, "?");
    assert_seen(s, _("this page"));
    terminal_type(s->t, "\x1b");
    assert_shows_frame(s, "stopped", 80, 24); /* what lay over it is gone without a trace */
    struct terminal_look look;
    bool colours = strcmp(term, "vt100") != 0;
    assert_true(terminal_look_of(s->t, _("STOPPED"), &look));
    assert_true(look.reverse); /* a word and an attribute, before any colour */
    assert_int_equal(look.colored, colours && !s->no_color);
    assert_mouse(s, term);
    speak("C");
    scene_quit(s);
}

static void assert_plain(struct scene *s, const char *term)
{
    assert_seen(s, "?  M  u");
    bool in_chinese = strcmp(s->locale, CHINESE) == 0;
    const char *dumb = in_chinese ? "这种终端不能移动光标" : "cannot place the cursor";
    assert_seen(s, in_chinese ? "+>node1 未运行 ---" : "+>node1 NOT RUNNING ---");
    assert_contains(terminal_stderr(s->t), strcmp(term, "dumb") == 0 ? dumb : "TERM");
    assert_no_rubbish(s);
    terminal_type(s->t, "q\n");
    assert_true(terminal_wait_end(s->t, SOON));
    assert_ended(s, 0);
}

static void every_terminal_in_every_locale(void **state)
{
    static const char *const locales[] = {"C.UTF-8", "C", CHINESE};
    static const char *const plain[] = {"dumb", "no-such-terminal"};
    struct scene *s = *state;
    need_chinese();
    REPLAY(s, "stopped");
    for (size_t l = 0; l < ARRAY_LEN(locales); l++)
        for (int no_color = 0; no_color < 2; no_color++) {
            s->locale = locales[l];
            s->no_color = no_color ? "1" : NULL;
            for (size_t i = 0; i < ARRAY_LEN(terms); i++) {
                print_message("TERM=%s LC_ALL=%s%s\n", terms[i], s->locale, no_color ? " NO_COLOR" : "");
                s->term = terms[i];
                scene_start(s, 80, 24);
                assert_drawn(s, terms[i], locales[l]);
            }
            for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
                s->term = plain[i];
                scene_start(s, 80, 60);
                assert_plain(s, plain[i]);
            }
        }
}

/* Keys that come at once: a frame of the first of them is drawn whole, though the next one waits already and
 * changes nothing more. */
static void two_keys_at_once(void **state)
{
    struct scene *s = *state;
    REPLAY(s, "stopped");
    need_chinese();
    s->locale = CHINESE;
    s->term = "linux";
    scene_start(s, 80, 24);
    speak(s->locale);
    assert_shows_frame(s, "stopped", 80, 24);
    for (int i = 0; i < 20; i++) {
        terminal_type(s->t, "22");
        assert_goes(s, ".  M  u");
        terminal_type(s->t, "11");
        assert_shows_frame(s, "stopped", 80, 24);
    }
    speak("C");
    scene_quit(s);
}

/* ---- in Chinese
 * ------------------------------------------------------------------------------------------------- */

static void the_screen_speaks_chinese(void **state)
{
    struct scene *s = *state;
    need_chinese();
    REPLAY(s, "wide");
    s->locale = CHINESE;
    scene_start(s, 80, 24);
    speak(CHINESE);
    assert_string_not_equal(_("this page"), "this page"); /* or the frames below would prove nothing */
    assert_shows_frame(s, "wide", 80, 24);
    static const int sizes[][2] = {{160, 45}, {41, 13}, {7, 5}, {1, 1}, {80, 24}};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        terminal_set_size(s->t, sizes[i][0], sizes[i][1]);
        assert_shows_frame(s, "wide", sizes[i][0], sizes[i][1]);
    }
    terminal_type(s->t, "?");
    assert_seen(s, _("this page"));
    speak("C");
    terminal_type(s->t, "\x1b");
    scene_quit(s);
}

/* the column of this text in the frame, in columns of the terminal */
static int column_of(const char *frame, const char *part)
{
    struct canvas c;
    const char *at = strstr(frame, part);
    if (!at)
        fail_msg("not found: %s in\n%s", part, frame);
    const char *line = at;
    while (line > frame && line[-1] != '\n')
        line--;
    char *before = xstrndup(line, (size_t)(at - line));
    canvas_init(&c);
    int columns = text_columns(&c, before);
    canvas_finish(&c);
    free(before);
    return columns;
}

/* Tables and boxes stay straight where a character has two columns. */
static void wide_characters_are_aligned(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    need_chinese();
    speak(CHINESE);
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *snapshot = load_snapshot("wide");
    model_observe(&m, snapshot);
    for (int overlay = 0; overlay < 3; overlay++) {
        static const int keys[] = {KEY_ESCAPE, '?', 'P'};
        model_key(&m, keys[overlay], &run);
        char *frame = model_frame(&m, 80, 24);
        struct canvas c;
        canvas_init(&c);
        for (char *line = strtok(frame, "\n"); line; line = strtok(NULL, "\n"))
            assert_true(text_columns(&c, line) <= 80);
        canvas_finish(&c);
        free(frame);
        model_key(&m, KEY_ESCAPE, &run);
    }
    char *frame = model_frame(&m, 80, 24);
    int matrix =
        column_of(frame, "n1 n2 n3"); /* the heading stands over its columns, whatever the names are */
    assert_int_equal(column_of(frame, "M  .  m"), matrix + 0);
    assert_int_equal(column_of(frame, ".  M  ."), matrix + 0);
    free(frame);
    model_key(&m, '?', &run);
    frame = model_frame(&m, 80, 24);
    int edge = column_of(frame, "+- "); /* the box's left and right edges are straight */
    for (char *line = strtok(frame, "\n"); line; line = strtok(NULL, "\n")) {
        char *copy = format_text("%s\n", line);
        struct canvas c;
        canvas_init(&c);
        canvas_resize(&c, 80, 1);
        canvas_put(&c, (struct rect){0, 0, 80, 1}, 0, 0, STYLE_NORMAL, line);
        assert_true(c.cells[edge].ch == '|' || c.cells[edge].ch == '+');
        assert_true(c.cells[edge + 77].ch == '|' || c.cells[edge + 77].ch == '+');
        canvas_finish(&c);
        free(copy);
    }
    free(frame);
    snapshot_destroy(snapshot);
    model_finish(&m);
    speak("C");
}

/* Where the terminal's locale cannot show them, texts are English: half a language would be rubbish. */
static void without_utf8_it_is_english(void **state)
{
    struct scene *s = *state;
    setenv("LANGUAGE", "zh_CN", 1);
    REPLAY(s, "rest");
    s->locale = "C";
    scene_start(s, 80, 24);
    assert_seen(s, "1:Cluster 2:Events");
    unsetenv("LANGUAGE");
    scene_quit(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scene_begin, scene_end)

int main(void)
{
    setenv("TZ", "UTC", 1);
    unsetenv("LANGUAGE");
    unsetenv("NO_COLOR");
    if (!temporary_folder_in(folder, sizeof(folder), "matrix"))
        return 1;
    make_locale();
    make_terminals();
    const struct CMUnitTest tests[] = {
        TEST(two_keys_at_once),           TEST(every_terminal_in_every_locale),
        TEST(the_screen_speaks_chinese),  cmocka_unit_test(wide_characters_are_aligned),
        TEST(without_utf8_it_is_english),
    };
    int failed = cmocka_run_group_tests_name("screen/matrix", tests, NULL, NULL);
    remove_folder();
    return failed;
}

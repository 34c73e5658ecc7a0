/* test_lint.c: the checker is checked: in a copy of the tree each kind of mistake is planted, one at a time,
 * and must be found, in its file and line; the copy as it was must be clean. Only the checks of our own:
 * layers, purity, shape, man, words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/cluster/support.h"
#include "tests/temporary.h"

static char *copy; /* of common, tui, lessons and tests */
static struct text out;

static int run_shell(const char *command)
{
    return RUN(&out, "sh", "-c", command);
}

static int setup(void **state)
{
    (void)state;
    copy = temporary_folder("lint");
    if (!copy)
        return -1;
    char *command = format_text("cp -r common tui lessons tests docs Makefile %s/", copy);
    int code = run_shell(command);
    free(command);
    return code;
}

static int teardown(void **state)
{
    (void)state;
    int code = RUN(&out, "rm", "-rf", copy);
    free(copy);
    text_finish(&out);
    return code;
}

static int lint(const char *check)
{
    char *command = format_text("cd '%s' && tests/lint/lint --build b %s", copy, check);
    int code = run_shell(command);
    free(command);
    return code;
}

/* A file of the copy gets `what` as its new first or last lines; lint must say `finding`; then it goes back.
 */
static void plant(const char *check, const char *file, bool first, const char *what, const char *finding)
{
    char *command =
        format_text("cd '%s' && cp '%s' kept && { [ %d = 0 ] || printf '%%b' '%s'; cat kept; [ %d = 1 ] || "
                    "printf '%%b' '%s'; } >'%s'",
                    copy, file, first, what, first, what, file);
    assert_int_equal(run_shell(command), 0);
    free(command);
    int code = lint(check);
    bool found = strstr(text_str(&out), finding) != NULL;
    char *said = xstrdup(text_str(&out));
    command = format_text("cd '%s' && mv kept '%s'", copy, file);
    assert_int_equal(run_shell(command), 0);
    free(command);
    if (code != 1 || !found)
        fail_msg("planted in %s, exit code %d; wanted: %s; lint said: %s", file, code, finding, said);
    free(said);
}

static void the_tree_itself_is_clean(void **state)
{
    (void)state;
    int code = lint("layers shape words");
    if (code)
        fail_msg("%s", text_str(&out));
}

static void an_include_from_above_is_found(void **state)
{
    (void)state;
    plant("layers", "common/mirror/types.h", false, "#include \"broker/broker.h\"\\n",
          "includes broker/broker.h; a file of common/mirror may include only: base mirror");
    plant("layers", "common/base/map.c", true, "#include \"mirror/types.h\"\\n",
          "common/base/map.c:1: includes mirror/");
}

static void host_and_sim_never_meet(void **state)
{
    (void)state;
    plant("layers", "common/host/node.h", false, "#include \"sim/world.h\"\\n", "includes sim/world.h");
    plant("layers", "common/sim/world.h", false, "# include \"host/node.h\"\\n", "includes host/node.h");
}

static void the_screen_does_not_look_into_the_broker(void **state)
{
    (void)state;
    plant("layers", "tui/model.c", false, "#include \"broker/broker.h\"\\n", "tui/model.c:");
    plant("layers", "common/lab/observe.c", false, "#include \"mirror/types.h\"\\n",
          "a file of common/lab may include only: base client lab");
    static const char *const of_curses[] = {"<ncurses.h>", "<ncursesw/curses.h>", "\"curses.h\"",
                                            "\"panel.h\"", "<ncursesw/panel.h>",  "<term.h>"};
    for (size_t i = 0; i < ARRAY_LEN(of_curses); i++) {
        char *include = format_text("#include %s\\n", of_curses[i]);
        plant("layers", "tui/model.c", false, include, "only tui/term.c talks to ncurses");
        plant("layers", "common/lab/observe.c", false, include, "only tui/term.c talks to ncurses");
        free(include);
    }
}

static void pure_code_includes_no_clock(void **state)
{
    (void)state;
    plant("layers", "common/wire/codec.h", false, "#include <time.h>\\n", "includes <time.h>; pure code");
    plant("layers", "common/wire/codec.c", false, "#include <stdlib.h>\\n",
          "its last include must be \"base/ban.h\"");
}

static void a_private_header_stays_at_home(void **state)
{
    (void)state;
    plant("layers", "common/host/node.h", false, "#include \"mirror/mirror_private.h\"\\n",
          "a private header of common/mirror");
    plant("layers", "common/host/node.h", false, "#include \"mirror/mirror_state.h\"\\n",
          "a private header of common/mirror");
}

static void what_is_left_to_do_is_found(void **state)
{
    (void)state;
    plant("shape", "common/base/text.c", false,
          "/* TO"
          "DO: later */\\n",
          "common/base/text.c:");
    plant("shape", "common/base/text.c", true, "int a;\\n", "does not open with a comment");
    char lines[2 * 801 + 1] = "";
    for (size_t i = 0; i < 801; i++)
        memcpy(lines + 2 * i, "\\n", 2);
    plant("shape", "common/base/rng.h", false, lines, "800 is the limit");
}

/* The archives are made here from one file each, so that this test needs no build of the tree. */
static void purity_build(const char *source)
{
    char *command = format_text(
        "cd '%s' && rm -rf b && mkdir b && printf '%%b' '%s' >b/x.c && cc -c -O1 -Icommon b/x.c -o "
        "b/x.o && printf 'int nothing_here;\\n' >b/y.c && cc -c b/y.c -o b/y.o && for l in base mirror "
        "broker; do ar rcs b/lib$l.a b/y.o; done; ar rcs b/libwire.a b/x.o",
        copy, source);
    if (run_shell(command))
        fail_msg("%s", text_str(&out));
    free(command);
}

static void a_clock_in_pure_code_is_found(void **state)
{
    (void)state;
    purity_build(
        "#include <string.h>\\nsize_t f(const char *s); size_t f(const char *s) { return strlen(s); }\\n");
    if (lint("purity"))
        fail_msg("%s", text_str(&out));
    purity_build("#include <time.h>\\nlong f(void); long f(void) { return (long)clock(); }\\n");
    assert_int_equal(lint("purity"), 1);
    assert_non_null(strstr(text_str(&out), "x.o calls clock, which is not on"));
}

/* with the programs that this test was built beside */
static int lint_manual(const char *first)
{
    char built[PATH_MAX];
    const char *build = getenv("BUILD");
    assert_non_null(realpath(build ? build : "build", built));
    char *command = format_text("cd '%s' && %s tests/lint/lint --build '%s' man", copy, first, built);
    int code = run_shell(command);
    free(command);
    return code;
}

static void a_manual_that_lies_is_found(void **state)
{
    (void)state;
    if (lint_manual(""))
        fail_msg("%s", text_str(&out));
    assert_int_equal(lint_manual("sed -i '/It Cm kill/d; s/It Cm heal/It Cm mend/' docs/man/labctl.1 &&"), 1);
    assert_non_null(strstr(text_str(&out), "labctl help: kill\n"));
    assert_non_null(strstr(text_str(&out), "mend\n"));
    assert_int_equal(lint_manual("sed -i 's/-fresh/-stale/' docs/man/lab.1 &&"), 1);
    assert_non_null(strstr(text_str(&out), "does not name the option --fresh"));
}

/* A text that no catalogue has; a translation of none, one with other figures, one kept for nothing. */
static void a_text_without_translation_is_found(void **state)
{
    (void)state;
    plant("words", "tui/words.c", false, "const char *planted = _(\"nobody has translated this\");\\n",
          "this message is used but not defined");
    plant("words", "tui/po/zh_CN.po", false, "\\nmsgid \"not a text of the screen\"\\nmsgstr \"\"\\n",
          "this message is not used");
    plant("words", "tui/po/zh_CN.po", false, "\\n#, c-format\\nmsgid \"%zu of them\"\\nmsgstr \"%s\"\\n",
          "format specifications");
    plant("words", "tui/po/zh_CN.po", false, "\\n#~ msgid \"gone\"\\n#~ msgstr \"gone\"\\n",
          "no text of the screen any more");
    plant("words", "lessons/07-failover/lesson.cfg", false, "title = \"nobody has translated this\";\\n",
          "a lesson's text is in English still: nobody has translated this");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_itself_is_clean),
        cmocka_unit_test(an_include_from_above_is_found),
        cmocka_unit_test(host_and_sim_never_meet),
        cmocka_unit_test(the_screen_does_not_look_into_the_broker),
        cmocka_unit_test(pure_code_includes_no_clock),
        cmocka_unit_test(a_private_header_stays_at_home),
        cmocka_unit_test(what_is_left_to_do_is_found),
        cmocka_unit_test(a_clock_in_pure_code_is_found),
        cmocka_unit_test(a_manual_that_lies_is_found),
        cmocka_unit_test(a_text_without_translation_is_found),
    };
    return cmocka_run_group_tests_name("lint", tests, setup, teardown);
}

/* test_run.c: the runner of the tests (tests/run), with programs that are scripts: what runs at once has
 * ports apart, what is named first begins first, and nothing passes by silence; what is to begin first is
 * there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/cluster/support.h"
#include "tests/temporary.h"

#define PASSES "echo '[==========] 1 test(s) run.'; echo '[  PASSED  ] 1 test(s).'"

static char *folder; /* of the programs, tests/NAME, and of what they write: began */
static struct text out;

static int shell(const char *command)
{
    char *there = format_text("F='%s'; %s", folder, command);
    int code = RUN(&out, "sh", "-c", there);
    free(there);
    return code;
}

/* A program that says that it has begun, and with which ports, before it does this. */
static void program(const char *name, const char *does)
{
    char *path = format_text("%s/tests/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fprintf(f, "#!/bin/sh\necho %s $MIRRORLAB_TEST_PORT >>'%s/began'\n%s\n", name, folder, does) >
                0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0755), 0);
    free(path);
}

static int setup(void **state)
{
    (void)state;
    folder = temporary_folder("run");
    return folder && shell("mkdir $F/tests") == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    int code = shell("rm -rf $F");
    free(folder);
    text_finish(&out);
    return code;
}

static void run(const char *options, const char *programs, int code)
{
    char *command =
        format_text("rm -rf $F/logs $F/began; tests/run -l $F/logs %s group %s", options, programs);
    int got = shell(command);
    free(command);
    if (got != code)
        fail_msg("exit code %d instead of %d: %s", got, code, text_str(&out));
}

static void assert_summary(const char *wanted, int code)
{
    int got = shell("tests/run -l $F/logs --summary");
    if (got != code || !strstr(text_str(&out), wanted))
        fail_msg("exit code %d instead of %d; wanted: %s; printed: %s", got, code, wanted, text_str(&out));
}

static void what_is_named_first_begins_first(void **state)
{
    (void)state;
    program("c", PASSES);
    program("a", PASSES);
    program("b", PASSES);
    run("-j 1 -p 5000", "$F/tests/c $F/tests/a $F/tests/b", 0);
    assert_int_equal(shell("cat $F/began"), 0);
    assert_string_equal(text_str(&out), "c 5000\na 5000\nb 5000\n");
    assert_summary("3 passed, 0 failed", 0);
}

/* Each of the two ends once the other has begun. */
static void what_runs_at_once_has_ports_apart(void **state)
{
    (void)state;
    char *meets = format_text("until [ $(wc -l <'%s/began') -ge 2 ]; do sleep 0.01; done; " PASSES, folder);
    program("a", meets);
    program("b", meets);
    free(meets);
    run("-j 2 -p 5000 -t 60", "$F/tests/a $F/tests/b", 0);
    assert_int_equal(shell("cut -d' ' -f2 $F/began | sort"), 0);
    assert_string_equal(text_str(&out), "5000\n5150\n");
}

static void nothing_passes_by_silence(void **state)
{
    (void)state;
    program("a", PASSES);
    program("b", "true"); /* says nothing */
    program("c", PASSES "; exit 3");
    program("d", "sleep 60");
    run("-j 2 -t 1", "$F/tests/a $F/tests/b $F/tests/c $F/tests/d $F/tests/missing", 1);
    assert_non_null(strstr(text_str(&out), "no test ran"));
    assert_non_null(strstr(text_str(&out), "ended with exit code 3"));
    assert_non_null(strstr(text_str(&out), "still running after 1 s"));
    assert_non_null(strstr(text_str(&out), "was not built"));
    assert_summary("2 passed, 4 failed", 1);
}

/* What nobody began is a failure, too: here nobody begins any. */
static void who_was_not_begun_has_failed(void **state)
{
    (void)state;
    program("a", PASSES);
    run("-j 0", "$F/tests/a", 1);
    assert_summary("failed: group/(0-of-1-ran)", 1);
}

/* A name in LONG that no test has (any more) would put nothing first, and nobody would hear of it. */
static void what_begins_first_is_a_test(void **state)
{
    (void)state;
#define DRY_RUN "env -u MAKEFLAGS -u MFLAGS make -n test-unit TEST_LOGS=$F/logs"
    assert_int_equal(shell(DRY_RUN), 0);
    assert_int_equal(shell(DRY_RUN " LONG='lint/run lint/ran'"), 2);
    assert_non_null(strstr(text_str(&out), "LONG in tests/tests.mk: no test is called lint/ran."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_named_first_begins_first),
        cmocka_unit_test(what_runs_at_once_has_ports_apart),
        cmocka_unit_test(nothing_passes_by_silence),
        cmocka_unit_test(who_was_not_begun_has_failed),
        cmocka_unit_test(what_begins_first_is_a_test),
    };
    return cmocka_run_group_tests_name("run", tests, setup, teardown);
}

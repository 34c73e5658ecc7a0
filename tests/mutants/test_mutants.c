/* test_mutants.c: the planted mistakes (tests/mutants/mutants) still fit the code, docs/mutants.md names
 * each, and the tool says so where one does not: it is tried on a copy with one line out of date. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "tests/cluster/support.h"

static struct text out;

#define FIT_MS 600000 /* every mutant is put to the code: a busy machine takes minutes */

static int run_shell(const char *command)
{
    return run_program(&out, FIT_MS, (const char *const[]){"sh", "-c", command, NULL});
}

static void every_mutant_fits(void **state)
{
    (void)state;
    if (run_shell("tests/mutants/mutants --check") != 0)
        fail_msg("%s", text_str(&out));
    assert_non_null(strstr(text_str(&out), "mutants, all fit"));
}

static void a_mutant_out_of_date_is_named(void **state)
{
    (void)state;
    const char *script = "set -e; d=$(mktemp -d); cp -r common tests docs $d/; "
                         "sed -i 's/best_of(p, true, oldest_first)/best_of(p, true, older)/' "
                         "$d/common/mirror/rules.c; "
                         "code=0; MUTANTS_ROOT=$d tests/mutants/mutants --check || code=$?; rm -rf $d; "
                         "exit $code";
    assert_int_equal(run_shell(script), 1);
    assert_non_null(strstr(text_str(&out), "newest-promoted.mutant: out of date"));
}

static void a_page_without_a_mutant_is_noticed(void **state)
{
    (void)state;
    const char *script = "set -e; d=$(mktemp -d); cp -r common tests docs $d/; "
                         "sed -i '/-hole-on-join/d' $d/docs/mutants.md; "
                         "code=0; MUTANTS_ROOT=$d tests/mutants/mutants --check || code=$?; rm -rf $d; "
                         "exit $code";
    assert_int_equal(run_shell(script), 1);
    assert_non_null(strstr(text_str(&out), "does not name"));
}

/* A few of them, of different kinds: a rule, a lost confirm, an assertion, an argument, a partition. The tool
 * shrinks what each breaks, plays it again, and plays it without the mutant. */
static void a_few_are_noticed_and_shrunk(void **state)
{
    (void)state;
    const char *script = MUTANTS " --shrink 05-newest-promoted 01-confirm-before-disk 45-batch-repeated "
                                 "56-length-one-more 24-autoheal-without-restart";
    if (run_shell(script) != 0)
        fail_msg("%s", text_str(&out));
    assert_non_null(strstr(text_str(&out), "5 mutants, all noticed, all shrunk"));
}

static int finish(void **state)
{
    (void)state;
    text_finish(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mutant_fits),
        cmocka_unit_test(a_mutant_out_of_date_is_named),
        cmocka_unit_test(a_few_are_noticed_and_shrunk),
        cmocka_unit_test(a_page_without_a_mutant_is_noticed),
    };
    return cmocka_run_group_tests_name("mutants", tests, NULL, finish);
}

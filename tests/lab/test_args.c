/* test_args.c: the command lines of the lessons' programs: a word that a program does not know never passes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/client.h"

static const struct client_option options[] = {
    {"queue", "hello", "which"}, {"count", "1", "how many"}, {"persistent", NULL, "keep"}, {0}};

static bool read_words(struct client_args *args, int *exit_code, const char *const *words)
{
    char *argv[8] = {(char *)(uintptr_t) "/somewhere/producer"};
    int argc = 1;
    for (; *words; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    *exit_code = -1;
    return client_args_read(args, argc, argv, options, exit_code);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void defaults_stand_for_what_is_not_told(void **state)
{
    (void)state;
    struct client_args args;
    int exit_code;
    assert_true(read_words(&args, &exit_code, (const char *const[]){NULL}));
    assert_string_equal(client_text(&args, "queue"), "hello");
    assert_int_equal(client_number(&args, "count"), 1);
    assert_false(client_switch(&args, "persistent"));
}

static void both_ways_to_write_a_value(void **state)
{
    (void)state;
    struct client_args args;
    int exit_code;
    assert_true(read_words(&args, &exit_code, WORDS("--queue", "a b", "--count=7", "--persistent")));
    assert_string_equal(client_text(&args, "queue"), "a b");
    assert_int_equal(client_number(&args, "count"), 7);
    assert_true(client_switch(&args, "persistent"));
}

static void wrong_words_end_the_program(void **state)
{
    (void)state;
    struct client_args args;
    int exit_code;
    assert_false(read_words(&args, &exit_code, WORDS("--persitent")));
    assert_int_equal(exit_code, 64);
    assert_false(read_words(&args, &exit_code, WORDS("hello")));
    assert_int_equal(exit_code, 64);
    assert_false(read_words(&args, &exit_code, WORDS("--queue")));
    assert_int_equal(exit_code, 64);
    assert_false(read_words(&args, &exit_code, WORDS("--count", "many")));
    assert_int_equal(exit_code, 64);
    assert_false(read_words(&args, &exit_code, WORDS("--count", "-1")));
    assert_int_equal(exit_code, 64);
    assert_false(read_words(&args, &exit_code, WORDS("--persistent=no"))); /* a switch takes no value */
    assert_int_equal(exit_code, 64);
}

static void help_is_no_mistake(void **state)
{
    (void)state;
    struct client_args args;
    int exit_code;
    assert_false(read_words(&args, &exit_code, WORDS("--help")));
    assert_int_equal(exit_code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_stand_for_what_is_not_told),
        cmocka_unit_test(both_ways_to_write_a_value),
        cmocka_unit_test(wrong_words_end_the_program),
        cmocka_unit_test(help_is_no_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

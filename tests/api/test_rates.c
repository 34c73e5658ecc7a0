/* test_rates.c: rates are differences of observations, or unknown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "host/api_private.h"

static struct rates *r;

static int begin(void **state)
{
    (void)state;
    r = rates_create();
    return 0;
}

static int end(void **state)
{
    (void)state;
    rates_destroy(r);
    return 0;
}

static bool note(ms_time now, int64_t published, int64_t depth, double out[2])
{
    const int64_t figures[2] = {published, depth};
    return rates_note(r, "queue/1", now, figures, 2, 1, out);
}

static void one_look_is_no_rate(void **state)
{
    (void)state;
    double rate[2];
    assert_false(note(1000, 500, 500, rate));
    assert_false(note(1100, 600, 600, rate)); /* too close to say much */
}

static void two_looks_are_a_rate(void **state)
{
    (void)state;
    double rate[2];
    note(1000, 500, 50, rate);
    assert_true(note(2000, 700, 30, rate));
    assert_true(rate[0] > 199.9 && rate[0] < 200.1);
    assert_true(rate[1] > -20.1 && rate[1] < -19.9); /* a queue gets shorter, too */
}

static void a_rate_is_of_the_last_seconds(void **state)
{
    (void)state;
    double rate[2];
    int64_t published = 0;
    for (ms_time now = 0; now <= 10000; now += 1000)
        note(now, published += 1000, 0, rate);
    for (ms_time now = 11000; now <= 20000; now += 1000)
        assert_true(note(now, published, 0, rate));
    assert_true(rate[0] < 0.1); /* nothing came for nine seconds */
}

static void looks_far_apart_are_averaged(void **state)
{
    (void)state;
    double rate[2];
    note(0, 0, 0, rate);
    assert_true(note(100000, 1000, 0, rate));
    assert_true(rate[0] > 9.9 && rate[0] < 10.1);
}

static void a_counter_that_falls_began_anew(void **state)
{
    (void)state;
    double rate[2];
    note(0, 1000, 0, rate);
    assert_true(note(1000, 2000, 0, rate));
    assert_false(note(2000, 10, 0, rate)); /* another master counts */
    assert_true(note(3000, 20, 0, rate));
    assert_true(rate[0] > 9.9 && rate[0] < 10.1);
}

static void a_clock_that_goes_back_began_anew(void **state)
{
    (void)state;
    double rate[2];
    note(50000, 10, 0, rate);
    assert_true(note(51000, 20, 0, rate));
    assert_false(note(100, 30, 0, rate)); /* the node was started again */
}

static void many_things_do_not_grow_without_end(void **state)
{
    (void)state;
    double rate[2];
    char key[32];
    unsigned known = 0;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 20000; i++) {
            const int64_t figures[2] = {round, round};
            snprintf(key, sizeof(key), "queue/%d", i);
            known += rates_note(r, key, (ms_time)round * 1000, figures, 2, 1, rate);
        }
    }
    assert_true(known >= 8000 && known < 10000); /* the first ones have rates, the rest is unknown */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_look_is_no_rate, begin, end),
        cmocka_unit_test_setup_teardown(two_looks_are_a_rate, begin, end),
        cmocka_unit_test_setup_teardown(a_rate_is_of_the_last_seconds, begin, end),
        cmocka_unit_test_setup_teardown(looks_far_apart_are_averaged, begin, end),
        cmocka_unit_test_setup_teardown(a_counter_that_falls_began_anew, begin, end),
        cmocka_unit_test_setup_teardown(a_clock_that_goes_back_began_anew, begin, end),
        cmocka_unit_test_setup_teardown(many_things_do_not_grow_without_end, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_ledger_number.c: a message's number is never another one's, though its place may be given again: by a
 * queue that came back empty, by a mirror that lacked the last ones, by both sides of a partition. */
#include "tests/screen/support.h"

#include "tests/screen/judge.h"

/* A queue that came back empty gives its first place again: that is another message. */
static void a_place_is_given_again(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    story_begin(&t, 1, "q");
    t.reign = 7;
    story_published(&t, 0, 0, 0, 0, 0);
    story_holds(&t, 0, 'M', 0, 0);
    look(&l, &t);
    t.reign = 8;
    story_fact(&t, TRACE_SEEN_BACK, 0, 2000, 0, INT64_MAX)->count = 0; /* as it is sent: no message */
    story_holds(&t, 0, 'M', 1, 0);
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_LOST, FATE_LOST);
    story_published(&t, 0, 0, 3000, 0, 0);
    t.s->trace[0].number = 2; /* its publisher's node has counted on */
    story_holds(&t, 0, 'M', 0, 0);
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_LOST, FATE_LOST);
    assert_fate(&l, 1, VERDICT_KEPT, FATE_HELD);
    assert_life(&l, &t, 0, "publish -1>0, back without it 0 LOST");
    assert_life(&l, &t, 1, "publish -1>0");
    assert_int_equal(ledger_last_number(&l), 1);
    story_end(&t);
    ledger_finish(&l);
}

/* A mirror that lacks the last ones takes over, and gives their places to others. */
static void a_shorter_history(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    story_begin(&t, 2, "q");
    t.reign = 7;
    story_published(&t, 0, 0, 0, 0, 9);
    story_copied(&t, 1, 0, 300, 0, 4);
    story_holds(&t, 0, 'M', 0, 9);
    story_holds(&t, 1, 'm', 0, 4);
    look(&l, &t);
    story_down(&t, 0, 1000000);
    story_fact(&t, TRACE_SEEN_PROMOTED, 1, 1001000, 0, 4)->count = 5;
    story_holds(&t, 1, 'M', 0, 4);
    t.reign = 8;
    story_published(&t, 1, 1, 1002000, 5, 6);
    t.s->trace[t.s->trace_len - 1].incarnation = 6; /* another publisher's node */
    story_holds_also(&t, 1, 5, 6);
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 4, VERDICT_KEPT, FATE_HELD);
    assert_fate(&l, 5, VERDICT_UNAVAILABLE, FATE_UNAVAILABLE); /* node1's, not the one of that place now */
    assert_fate(&l, 10, VERDICT_KEPT, FATE_HELD);
    assert_int_equal(fate_of(&l, 10).held, 2);
    assert_null(ledger_fate(&l, 12));
    assert_life(&l, &t, 10, "publish -1>1");
    assert_life(&l, &t, 4, "publish -1>0, replicate 0>1, stopped 0, promoted 1");
    story_end(&t);
    ledger_finish(&l);
}

/* Two masters in a partition give the same places to different messages, by turns. */
static void two_masters(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    story_begin(&t, 2, "q");
    t.reign = 7;
    story_published(&t, 0, 0, 0, 0, 2);
    story_copied(&t, 1, 0, 300, 0, 2);
    story_holds(&t, 0, 'M', 0, 2);
    story_holds(&t, 1, 'm', 0, 2);
    look(&l, &t);
    story_holds(&t, 1, 'M', 0, 2);
    t.reign = 8;
    story_published(&t, 1, 1, 5000, 3, 3); /* #4 */
    story_holds_also(&t, 1, 3, 3);
    look(&l, &t);
    t.reign = 7;
    story_published(&t, 0, 0, 6000, 3, 4); /* #5 and #6, at the same places */
    story_holds_also(&t, 0, 3, 4);
    look(&l, &t);
    t.reign = 8;
    story_published(&t, 1, 1, 7000, 4, 4); /* #7 */
    story_holds_also(&t, 1, 4, 4);
    look(&l, &t);
    assert_int_equal(fate_of(&l, 2).held, 3);
    assert_int_equal(fate_of(&l, 3).held, 2);
    assert_int_equal(fate_of(&l, 4).held, 1);
    assert_int_equal(fate_of(&l, 5).held, 1);
    assert_int_equal(fate_of(&l, 6).held, 2);
    assert_null(ledger_fate(&l, 7));
    /* node1's side is thrown away: its messages are lost, though their places are taken */
    t.reign = 7;
    story_holds(&t, 0, 'm', 0, 2);
    t.reign = 8;
    story_holds_also(&t, 0, 3, 4);
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 4, VERDICT_LOST, FATE_LOST);
    assert_fate(&l, 5, VERDICT_LOST, FATE_LOST);
    assert_int_equal(fate_of(&l, 6).held, 3);
    story_end(&t);
    ledger_finish(&l);
}

/* What its publisher's node offers to the new master again is the same message, wherever that puts it. */
static void offered_again(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    story_begin(&t, 3, "q");
    t.reign = 7;
    story_published(&t, 0, 2, 0, 0, 9); /* by node3, its numbers 1 to 10 */
    story_copied(&t, 1, 2, 300, 0, 4);
    story_holds(&t, 0, 'M', 0, 9);
    story_holds(&t, 1, 'm', 0, 4);
    story_holds(&t, 2, '.', 1, 0);
    look(&l, &t);
    story_down(&t, 0, 1000000);
    story_fact(&t, TRACE_SEEN_PROMOTED, 1, 1001000, 0, 4)->count = 5;
    story_holds(&t, 1, 'M', 0, 4);
    t.reign = 8;
    story_published(&t, 1, 2, 1002000, 5, 11); /* 6 to 10 again, 11 and 12 */
    story_holds_also(&t, 1, 5, 11);
    look(&l, &t);
    look(&l, &t);
    for (uint64_t id = 0; id < 12; id++)
        assert_fate(&l, id, VERDICT_KEPT, FATE_HELD);
    assert_int_equal(ledger_last_number(&l), 11);
    assert_life(&l, &t, 7, "~publish -1>2, forward 2>0, stopped 0, promoted without it 1, forward 2>1");
    assert_life(&l, &t, 11, "~publish -1>2, forward 2>1");
    story_end(&t);
    ledger_finish(&l);
}

/* Two sides of a partition that publish by turns for hours, a node that comes and goes: memory stays bounded,
 * and no number is used for two. */
static void bounds(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    uint64_t numbers[2] = {0}, top = 0;
    for (uint64_t place = 0; place < 5000; place++)
        for (uint64_t reign = 1; reign <= 2; reign++) {
            uint64_t last = place;
            numbers[reign - 1] = ledger_number(&l, 77, reign, place, &last);
            assert_int_equal(last, place);
            assert_true(numbers[reign - 1] >= top); /* never one that was given */
            top = numbers[reign - 1] + 1;
            assert_true(l.numbers.len <= 4096);
        }
    assert_true(l.forgotten);
    story_begin(&t, 2, "q");
    for (int i = 0; i < 600; i++) {
        t.s->nodes[1].answers = i % 2;
        look(&l, &t);
    }
    assert_int_equal(l.absences.len, 256);
    story_end(&t);
    ledger_finish(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_given_again),
        cmocka_unit_test(a_shorter_history),
        cmocka_unit_test(two_masters),
        cmocka_unit_test(offered_again),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

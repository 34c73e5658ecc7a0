/* test_ledger_parted.c: what became of messages while links were cut: two sides, a master each, what the
 * losing side held, and that every end of a cut is told. */
#include "tests/screen/support.h"

#include "tests/screen/judge.h"

/* Two sides, a master each: the mirror says which of them filled it. */
static void filled_by_its_own_side(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    story_begin(&t, 3, "q");
    story_published(&t, 0, 0, 0, 0, 0);
    story_copied(&t, 1, 0, 1000, 0, 0);
    story_fact(&t, TRACE_SEEN_PROMOTED, 1, 1000000, 0, 0)->count = 1;
    story_fact(&t, TRACE_SEEN_BEGINS, 2, 1001000, 1, UINT64_MAX);
    struct trace_seen *f = story_fact(&t, TRACE_SEEN_FILLED, 2, 1002000, 0, 0);
    f->count = 1;
    f->about = 0;
    look(&l, &t);
    assert_life(&l, &t, 0, "publish -1>0, replicate 0>1, promoted 1, mirror, empty 2, sync 0>2");
    f = story_fact(&t, TRACE_SEEN_FILLED, 1, 1003000, 0, 2); /* with holes: it may be one of them */
    f->count = 2;
    f->about = 0;
    look(&l, &t);
    assert_life(&l, &t, 0, "publish -1>0, replicate 0>1, promoted 1, mirror, empty 2, sync 0>2, ~sync 0>1");
    story_end(&t);
    ledger_finish(&l);
}

/* Its master was cut off, took it there, and began again as the others' mirror: that is where it was lost,
 * whatever happens to the queue afterwards. */
static void on_the_losing_side(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    story_begin(&t, 3, "q");
    story_published(&t, 2, 2, 0, 0, 4);
    story_holds(&t, 2, 'M', 0, 4);
    story_holds(&t, 0, '.', 1, 0);
    story_holds(&t, 1, 'M', 1, 0);
    look(&l, &t);
    story_down(&t, 2, 1000000);
    look(&l, &t);
    story_up(&t, 2, 2000000);
    story_holds(&t, 2, 'm', 1, 0);
    story_event(&t, "queue", 2300000, "q: what node3 held on its side is discarded, 44 messages");
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_LOST, FATE_LOST);
    static const char expected[] = "publish -1>2, stopped 2, back 2, side discarded 2 LOST";
    assert_life(&l, &t, 0, expected);
    story_down(&t, 1, 9000000);
    story_fact(&t, TRACE_SEEN_PROMOTED, 0, 9000100, 1, 0)->count = 0;
    story_fact(&t, TRACE_SEEN_BEGINS, 2, 9000200, 9, UINT64_MAX);
    story_holds(&t, 0, 'M', 1, 0);
    look(&l, &t);
    look(&l, &t);
    char *now = life_text(&l, &t, 0);
    assert_memory_equal(now, expected, strlen(expected));
    assert_null(strstr(now + strlen(expected), "LOST"));
    free(now);
    story_end(&t);
    ledger_finish(&l);
}

/* Acknowledged on one side of a partition, and held by the other: what becomes of that side is told still,
 * also when the other side has given it to a consumer, too. */
static void taken_on_the_side_that_is_discarded(void **state)
{
    static const char told[] =
        "publish -1>0, replicate 0>1, promoted 1, deliver 1>32, ack 32>1, stopped 1, back 1, "
        "side discarded 1, mirror, empty 1";
    (void)state;
    for (int again = 0; again < 2; again++) {
        struct ledger l = {0};
        struct story t;
        story_begin(&t, 3, "q");
        story_published(&t, 0, 0, 0, 0, 0);
        story_copied(&t, 1, 0, 1000, 0, 0);
        story_holds(&t, 0, 'M', 0, 0);
        story_holds(&t, 1, 'm', 0, 0);
        story_holds(&t, 2, '.', 1, 0);
        look(&l, &t);
        story_fact(&t, TRACE_SEEN_PROMOTED, 1, 1000000, 0, 0)->count = 1;
        story_fact(&t, TRACE_SEEN_DELIVERED, 1, 2000000, 0, 0);
        story_fact(&t, TRACE_SEEN_ACKED, 1, 2001000, 0, 0);
        story_holds(&t, 1, 'M', 1, 0);
        look(&l, &t);
        story_down(&t, 1, 3000000);
        look(&l, &t);
        story_up(&t, 1, 4000000);
        story_event(&t, "queue", 4100000, "q: what node2 held on its side is discarded, 0 messages");
        story_fact(&t, TRACE_SEEN_BEGINS, 1, 4200000, 1, UINT64_MAX);
        story_holds(&t, 1, 'm', 1, 0);
        look(&l, &t);
        if (again) {
            story_fact(&t, TRACE_SEEN_DELIVERED, 0, 6000000, 0, 0);
            story_fact(&t, TRACE_SEEN_ACKED, 0, 6001000, 0, 0);
            story_holds(&t, 0, 'M', 1, 0);
            look(&l, &t);
        }
        story_down(&t, 2, 9000000); /* of no interest to a message that is gone */
        look(&l, &t);
        char *life = life_text(&l, &t, 0);
        char *wanted = format_text("%s%s", told, again ? ", deliver 0>32, ack 32>0" : ", stopped 2");
        assert_string_equal(life, wanted);
        free(wanted);
        free(life);
        story_end(&t);
        ledger_finish(&l);
    }
}

/* The same for a screen that comes when all is over: nobody noticed the two sides, but the nodes' feeds tell
 * that node3 served apart from the others, so it was not down, and that it began again. */
static void on_the_losing_side_before_this_screen_looked(void **state)
{
    (void)state;
    static const struct {
        const char *teller, *text;
        int64_t at_us;
    } told[] = {{"node1", "node3 is down", 1000000},
                {"node1", "node3 serves in another view: the cluster was partitioned", 2000000},
                {"node3", "autoheal: node3 begins again, the side of node1 decided so", 2100000},
                {"node1", "node3 is up", 2200000}};
    for (int heals_itself = 1; heals_itself >= 0; heals_itself--) {
        struct ledger l = {0};
        struct story t;
        story_begin(&t, 3, "q");
        story_published(&t, 2, 2, 0, 0, 4);
        story_fact(&t, TRACE_SEEN_BEGINS, 2, 2300000, 1, UINT64_MAX);
        for (size_t i = 0; i < ARRAY_LEN(told); i++) {
            if (!heals_itself && i == 2)
                continue; /* it was stopped and started by hand, which nobody told */
            story_event(&t, "node", told[i].at_us, told[i].text);
            t.s->events[t.s->events_len - 1].node = xstrdup(told[i].teller);
        }
        t.s->taken_wall_ms += 10000;
        t.s->nodes[2].uptime_ms = 7000; /* started since */
        story_holds(&t, 0, 'M', 1, 0);
        story_holds(&t, 1, 'm', 1, 0);
        story_holds(&t, 2, 'm', 1, 0);
        look(&l, &t);
        look(&l, &t);
        look(&l, &t);
        assert_life(&l, &t, 0,
                    heals_itself ? "publish -1>2, no link to 0>2, side discarded 2 LOST, mirror, empty 2"
                                 : "publish -1>2, no link to 0>2, mirror, empty 2 LOST");
        /* a screen that was there has noticed it as well: once is enough */
        story_event(&t, "queue", 2400000, "q: what node3 held on its side is discarded, 5 messages");
        look(&l, &t);
        assert_life(&l, &t, 0,
                    heals_itself ? "publish -1>2, no link to 0>2, side discarded 2 LOST, mirror, empty 2"
                                 : "publish -1>2, no link to 0>2, mirror, empty 2, side discarded 2 LOST");
        story_end(&t);
        ledger_finish(&l);
    }
}

/* A node that others call down and that answers this screen all the time is not stopped: a link is cut. */
static void a_link_is_cut(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    ten(&t);
    look(&l, &t);
    t.s->events[0] = (struct event_seen){.seq = 1,
                                         .wall_ms = t.begin_us / 1000 + 400,
                                         .kind = xstrdup("node"),
                                         .node = xstrdup("node2"),
                                         .text = xstrdup("node1 is down")};
    t.s->events_len = 1;
    for (int i = 0; i < 6; i++) /* a second and a half */
        look(&l, &t);
    assert_life(&l, &t, 0, "publish -1>0, replicate 0>1, confirm 0>-1, no link to 1>0");
    /* and now it does not answer; nobody else has more to say */
    t.s->nodes[0].answers = false;
    look(&l, &t);
    assert_life(&l, &t, 0, "publish -1>0, replicate 0>1, confirm 0>-1, no link to 1>0, no answer 0");
    t.s->nodes[0].answers = true;
    look(&l, &t);
    assert_life(&l, &t, 0,
                "publish -1>0, replicate 0>1, confirm 0>-1, no link to 1>0, no answer 0, answers again 0");
    story_end(&t);
    ledger_finish(&l);
}

/* Only who leads the new view calls the other one down; the rest only close their links. All of them have
 * none. */
static void every_end_of_a_cut_is_told(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    ten(&t);
    look(&l, &t);
    story_event(&t, "node", 400000, "node2 has said nothing for 4000 ms: the link to it is closed");
    t.s->events[0].node = xstrdup("node1");
    story_event(&t, "node", 400000, "node1 has said nothing for 4000 ms: the link to it is closed");
    t.s->events[1].node = xstrdup("node2");
    story_event(&t, "node", 401000, "node1 is down"); /* the same end: told once */
    t.s->events[2].node = xstrdup("node2");
    for (int i = 0; i < 6; i++)
        look(&l, &t);
    assert_life(&l, &t, 0, "publish -1>0, replicate 0>1, confirm 0>-1, no link to 0>1, no link to 1>0");
    story_end(&t);
    ledger_finish(&l);
}

/* A partition that this screen did not see begin: a node that was not started since ran all the time, and
 * is no node that was down. */
static void a_link_was_cut_before_this_screen_looked(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    ten(&t);
    story_event(&t, "node", 2000, "node1 is down");
    t.s->events[0].node = xstrdup("node2");
    t.s->taken_wall_ms += 10000; /* it looks ten seconds later */
    look(&l, &t);
    assert_life(&l, &t, 6, "publish -1>0, replicate 0>1, confirm 0>-1, no link to 1>0");
    t.s->nodes[0].uptime_ms = 5000; /* it was started since */
    look(&l, &t);
    assert_life(&l, &t, 6, "publish -1>0, replicate 0>1, confirm 0>-1, called down 0");
    story_event(&t, "node", 3000, "node2 is down"); /* so says node1, which was called down itself */
    t.s->events[1].node = xstrdup("node1");
    look(&l, &t);
    assert_life(&l, &t, 6, "publish -1>0, replicate 0>1, confirm 0>-1, no link to 1>0, no link to 0>1");
    story_end(&t);
    ledger_finish(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filled_by_its_own_side),
        cmocka_unit_test(on_the_losing_side),
        cmocka_unit_test(taken_on_the_side_that_is_discarded),
        cmocka_unit_test(on_the_losing_side_before_this_screen_looked),
        cmocka_unit_test(a_link_is_cut),
        cmocka_unit_test(every_end_of_a_cut_is_told),
        cmocka_unit_test(a_link_was_cut_before_this_screen_looked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

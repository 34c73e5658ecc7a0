/* test_memory.c: messages that memory alone held, and their nodes stopped: what is known of them is said, and
 * not more: as it was noted of each, as the queue's counts say of all, or not known. */
#include "tests/screen/support.h"

#include "tests/screen/judge.h"

/* n messages through node1, which alone has them */
static void alone(struct story *t, int64_t n)
{
    story_begin(t, 3, "q");
    story_published(t, 0, 0, 0, 0, (uint64_t)n - 1);
    story_holds(t, 0, 'M', 0, (uint64_t)n - 1);
    story_holds(t, 1, '.', 1, 0);
    t->s->queues[0].messages = n;
    t->s->queues[0].persistent = -1;
}

static void assert_kept_in(const struct ledger *l, uint64_t id, bool in_memory, bool logged)
{
    struct fate f = fate_of(l, id);
    assert_int_equal(f.in_memory, in_memory);
    assert_int_equal(f.logged, logged);
}

/* Lesson 3: one of each kind, as the master noted. Never lost before node1 is back; the reason is the stop.
 */
static void as_it_was_noted(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    alone(&t, 1);
    t.s->trace[0].in_memory = true;
    story_published(&t, 0, 0, 100, 1, 1);
    t.s->trace[1].logged = true;
    story_holds(&t, 0, 'M', 0, 1);
    look(&l, &t);
    assert_kept_in(&l, 0, false, false); /* it is there: of no interest */
    story_down(&t, 0, 1000000);
    for (int i = 0; i < 3; i++) {
        look(&l, &t);
        assert_fate(&l, 0, VERDICT_UNAVAILABLE, FATE_UNAVAILABLE);
        assert_kept_in(&l, 0, true, false);
        assert_kept_in(&l, 1, false, true);
    }
    assert_life(&l, &t, 0, "publish -1>0, stopped 0 MEMORY");
    assert_life(&l, &t, 1, "publish -1>0, stopped 0");
    story_up(&t, 0, 5000000);
    story_fact(&t, TRACE_SEEN_BACK, 0, 5000010, 1, 1)->count = 1;
    story_holds(&t, 0, 'M', 1, 1);
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_LOST, FATE_LOST);
    assert_kept_in(&l, 0, true, false);
    assert_life(&l, &t, 0, "publish -1>0, stopped 0 MEMORY, back without it 0 LOST");
    assert_life(&l, &t, 1, "publish -1>0, stopped 0, back with it 0");
    story_end(&t);
    ledger_finish(&l);
}

/* Of a run with both kinds nobody can say which is which. */
static void a_run_of_both(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    alone(&t, 5);
    t.s->trace[0].in_memory = t.s->trace[0].logged = true;
    t.s->queues[0].persistent = 2;
    look(&l, &t);
    look(&l, &t);
    story_down(&t, 0, 1000000);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_UNAVAILABLE, FATE_UNAVAILABLE);
    assert_kept_in(&l, 0, false, false);
    assert_life(&l, &t, 0, "publish -1>0, stopped 0");
    story_end(&t);
    ledger_finish(&l);
}

/* Not noted (an old recording; it was there before): the counts say it of all, seen twice running. */
static void counted(int64_t persistent, bool durable, int looks, bool in_memory, bool logged)
{
    struct ledger l = {0};
    struct story t;
    alone(&t, 4);
    t.s->queues[0].durable = durable;
    t.s->queues[0].persistent = persistent;
    for (int i = 0; i < looks; i++)
        look(&l, &t);
    story_down(&t, 0, 1000000);
    look(&l, &t);
    assert_fate(&l, 3, VERDICT_UNAVAILABLE, FATE_UNAVAILABLE);
    assert_kept_in(&l, 3, in_memory, logged);
    story_end(&t);
    ledger_finish(&l);
}

static void as_the_counts_say(void **state)
{
    (void)state;
    counted(0, true, 2, true, false);
    counted(4, true, 2, false, true);
    counted(4, false, 2, true, false); /* a queue that does not outlive its node */
    counted(0, true, 1, false, false); /* seen once */
    counted(1, true, 2, false, false); /* of both kinds */
    counted(-1, true, 2, false, false);
    struct ledger l = {0};
    struct story t;
    alone(&t, 4);
    t.s->queues[0].persistent = 0;
    t.s->queues[0].messages = 3; /* counted at another time than what is held */
    look(&l, &t);
    look(&l, &t);
    story_down(&t, 0, 1000000);
    look(&l, &t);
    assert_kept_in(&l, 0, false, false);
    story_end(&t);
    ledger_finish(&l);
}

/* Two held it in memory: the stop of the last of them is the reason, not that of the first. */
static void the_last_holder(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    alone(&t, 1);
    t.s->trace[0].in_memory = true;
    story_copied(&t, 1, 0, 100, 0, 0);
    t.s->trace[1].in_memory = true;
    story_holds(&t, 1, 'm', 0, 0);
    look(&l, &t);
    story_down(&t, 0, 1000000);
    story_fact(&t, TRACE_SEEN_PROMOTED, 1, 1001000, 0, 0)->count = 1;
    story_holds(&t, 1, 'M', 0, 0);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_KEPT, FATE_HELD);
    assert_life(&l, &t, 0, "publish -1>0, replicate 0>1, stopped 0, promoted 1");
    story_up(&t, 0, 2000000); /* empty */
    story_holds(&t, 0, '.', 1, 0);
    look(&l, &t);
    story_down(&t, 1, 3000000);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_UNAVAILABLE, FATE_UNAVAILABLE);
    assert_life(&l, &t, 0, "publish -1>0, replicate 0>1, stopped 0, promoted 1, back 0, stopped 1 MEMORY");
    story_up(&t, 1, 5000000);
    story_holds(&t, 1, 'M', 1, 0);
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_LOST, FATE_LOST);
    assert_life(&l, &t, 0,
                "publish -1>0, replicate 0>1, stopped 0, promoted 1, back 0, stopped 1 MEMORY, "
                "back without it 1 LOST");
    story_end(&t);
    ledger_finish(&l);
}

/* What became of the other copy nobody told: no stop is named as the reason. */
static void another_copy_went_untold(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    alone(&t, 1);
    t.s->trace[0].in_memory = true;
    story_copied(&t, 1, 0, 100, 0, 0);
    story_holds(&t, 1, 'm', 0, 0);
    look(&l, &t);
    story_down(&t, 0, 1000000);
    story_holds(&t, 1, '.', 1, 0);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_UNAVAILABLE, FATE_UNAVAILABLE);
    assert_kept_in(&l, 0, true, false);
    assert_life(&l, &t, 0, "publish -1>0, replicate 0>1, stopped 0");
    story_end(&t);
    ledger_finish(&l);
}

/* Who only fell silent has it still: then its silence was no reason. */
static void only_silent(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    alone(&t, 1);
    t.s->trace[0].in_memory = true;
    look(&l, &t);
    t.s->nodes[0].answers = false;
    t.s->nodes[0].state = NODE_UNKNOWN;
    free(t.s->copies[0].held); /* its own, by the order in which they were made */
    t.s->copies[0] = t.s->copies[--t.s->copies_len];
    look(&l, &t);
    assert_life(&l, &t, 0, "publish -1>0, no answer 0 MEMORY");
    t.s->nodes[0].answers = true;
    t.s->nodes[0].state = NODE_UP;
    story_holds(&t, 0, 'M', 0, 0);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_KEPT, FATE_HELD);
    assert_life(&l, &t, 0, "publish -1>0, no answer 0, answers again 0");
    story_end(&t);
    ledger_finish(&l);
}

/* It does not answer, and nobody says why. */
static void silent(struct story *t, int node)
{
    struct snapshot *s = t->s;
    s->nodes[node].answers = false;
    s->nodes[node].state = NODE_UNKNOWN;
    for (size_t i = 0; i < s->copies_len; i++)
        if (s->copies[i].node == node) {
            free(s->copies[i].held);
            s->copies[i] = s->copies[--s->copies_len];
            break;
        }
}

/* Lesson 7, all three go: node1 frozen and killed, node3 stopped, and last node2, which had it last. It is
 * lost with node2's stop, and found with node2's return, whatever comes back after that. */
static void the_last_of_three(void **state)
{
    static const char told[] =
        "publish -1>0, replicate 0>1, no answer 0, is down 0, promoted 1, mirror, empty 2, "
        "sync 1>2, stopped 2, no answer 1 MEMORY, back 0, mirror, empty 0, "
        "back without it 1 LOST, back 2, mirror, empty 2";
    struct ledger l = {0};
    struct story t;
    (void)state;
    alone(&t, 1);
    t.s->trace[0].in_memory = true;
    story_copied(&t, 1, 0, 100, 0, 0);
    story_holds(&t, 1, 'm', 0, 0);
    look(&l, &t);
    silent(&t, 0);
    look(&l, &t);
    story_event(&t, "node", 4000000, "node1 is down");
    t.s->events[t.s->events_len - 1].node = xstrdup("node2");
    story_fact(&t, TRACE_SEEN_PROMOTED, 1, 4000000, 0, 0)->count = 1;
    story_holds(&t, 1, 'M', 0, 0);
    story_fact(&t, TRACE_SEEN_BEGINS, 2, 4000100, 0, 0);
    struct trace_seen *filled = story_fact(&t, TRACE_SEEN_FILLED, 2, 4000200, 0, 0);
    filled->count = 1;
    filled->about = 1;
    story_holds(&t, 2, 'm', 0, 0);
    look(&l, &t);
    story_down(&t, 2, 10000000);
    look(&l, &t);
    silent(&t, 1);
    look(&l, &t);
    story_up(&t, 0, 20000000);
    story_fact(&t, TRACE_SEEN_BEGINS, 0, 20000100, 0, 0);
    story_holds(&t, 0, 'm', 1, 0);
    story_up(&t, 1, 20000200);
    story_fact(&t, TRACE_SEEN_BACK, 1, 20000300, 0, 0);
    story_holds(&t, 1, 'M', 1, 0);
    look(&l, &t);
    story_up(&t, 2, 30000000);
    story_fact(&t, TRACE_SEEN_BEGINS, 2, 30000100, 0, 0);
    story_holds(&t, 2, 'm', 1, 0);
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_LOST, FATE_LOST);
    assert_life(&l, &t, 0, told);
    assert_int_equal(l.losses.len, 1);
    assert_int_equal(l.losses.items[0].node, 1);
    story_end(&t);
    ledger_finish(&l);
}

/* Whether a node's note of its return is heard before or after it is called up: one moment. */
static void one_return(void **state)
{
    (void)state;
    for (int order = 0; order < 3; order++) {
        struct ledger l = {0};
        struct story t;
        alone(&t, 1);
        look(&l, &t);
        story_down(&t, 0, 1000000);
        look(&l, &t);
        story_up(&t, 0, 5000000);
        if (order < 2)
            story_fact(&t, TRACE_SEEN_BACK, 0, order ? 4999000 : 5000500, 0, 0)->count = 1;
        story_holds(&t, 0, 'M', 0, 0);
        look(&l, &t);
        assert_life(&l, &t, 0,
                    order < 2 ? "publish -1>0, stopped 0, back with it 0"
                              : "publish -1>0, stopped 0, back 0");
        story_end(&t);
        ledger_finish(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_it_was_noted),          cmocka_unit_test(a_run_of_both),
        cmocka_unit_test(as_the_counts_say),        cmocka_unit_test(the_last_holder),
        cmocka_unit_test(another_copy_went_untold), cmocka_unit_test(only_silent),
        cmocka_unit_test(the_last_of_three),        cmocka_unit_test(one_return),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

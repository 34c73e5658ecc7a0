/* test_history.c: sixty seconds of a queue: a message that comes or goes is seen in its second, what nobody
 * says is no nought. */
#include "tests/screen/support.h"

#include "tests/screen/story.h"

#define NEWEST (HISTORY_LEN - 1)

static void look_after(struct story *t, struct model *m, ms_time ms)
{
    t->s->taken_at += ms;
    struct snapshot *s = story_look(t);
    model_observe(m, s);
    snapshot_destroy(s);
}

/* One message in six seconds is a rate of 0.2: no bump, if the rate is all that counts. */
static void one_message_is_a_bump(void **state)
{
    (void)state;
    struct story t;
    struct model m;
    model_init(&m, NULL, NULL, false, false);
    story_begin(&t, 3, "hello");
    story_fact(&t, TRACE_SEEN_ACCEPTED, 0, 0, 0, 99); /* before anybody looked: no news */
    look_after(&t, &m, 1000);
    const struct history *h = model_history(&m, "hello");
    assert_int_equal(h->published[NEWEST], 0);
    t.s->queues[0].publish_rate = t.s->queues[0].deliver_rate = 0.2;
    story_fact(&t, TRACE_SEEN_ACCEPTED, 0, 1000, 100, 101);
    look_after(&t, &m, 250);
    story_fact(&t, TRACE_SEEN_DELIVERED, 1, 2000, 0, 0);
    look_after(&t, &m, 750);
    assert_int_equal(h->published[NEWEST], 2); /* all that came since the sample before */
    assert_int_equal(h->delivered[NEWEST], 1);
    look_after(&t, &m, 1000);
    assert_int_equal(h->published[NEWEST], 0);
    assert_int_equal(h->delivered[NEWEST], 0);
    t.s->queues[0].state = QUEUE_SEEN_STOPPED; /* nobody counts it */
    t.s->queues[0].publish_rate = t.s->queues[0].deliver_rate = -1;
    look_after(&t, &m, 1000);
    assert_int_equal(h->published[NEWEST], -1);
    model_finish(&m);
    story_end(&t);
}

/* Nodes that note nothing of single messages have a rate only. */
static void a_rate_alone(void **state)
{
    static const struct {
        double rate;
        int64_t shown;
    } rates[] = {{-1, -1}, {0, 0}, {0.2, 1}, {1.7, 1}, {250, 250}};
    (void)state;
    struct story t;
    struct model m;
    model_init(&m, NULL, NULL, false, false);
    story_begin(&t, 3, "hello");
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        t.s->traces = 0;
        t.s->queues[0].publish_rate = rates[i].rate;
        look_after(&t, &m, 1000);
        assert_int_equal(model_history(&m, "hello")->published[NEWEST], rates[i].shown);
    }
    model_finish(&m);
    story_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_message_is_a_bump),
        cmocka_unit_test(a_rate_alone),
    };
    return cmocka_run_group_tests_name("screen/history", tests, NULL, NULL);
}

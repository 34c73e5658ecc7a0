/* test_history.c: sixty seconds of a queue: a message that comes or goes is seen in its second, what nobody
 * says is no nought. */
#include "tests/screen/support.h"

#include "tests/screen/story.h"

#define NEWEST (HISTORY_LEN - 1)

/* so many milliseconds after the story began */
static void look_at(struct story *t, struct model *m, ms_time ms)
{
    t->s->taken_at = 100000 + ms;
    t->s->taken_wall_ms = STORY_BEGIN_MS + (int64_t)ms;
    for (size_t i = 0; i < t->s->nodes_len; i++)
        if (t->s->nodes[i].answers)
            t->s->nodes[i].answered_at = t->s->taken_at;
    struct snapshot *s = story_look(t);
    model_observe(m, s);
    snapshot_destroy(s);
}

/* of the run first..last, noted from at_us to until_us */
static void noted(struct story *t, enum trace_seen_kind kind, int64_t at_us, int64_t until_us, uint64_t first,
                  uint64_t last)
{
    story_fact(t, kind, 0, at_us, first, last)->until_us = t->begin_us + until_us;
}

static int64_t drawn(const int64_t samples[HISTORY_LEN], int64_t *most)
{
    int64_t sum = *most = 0;
    for (size_t i = 0; i < HISTORY_LEN; i++) {
        sum += samples[i] > 0 ? samples[i] : 0;
        *most = samples[i] > *most ? samples[i] : *most;
    }
    return sum;
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
    look_at(&t, &m, 1000);
    const struct history *h = model_history(&m, "hello");
    assert_int_equal(h->published[NEWEST], 0);
    t.s->queues[0].publish_rate = t.s->queues[0].deliver_rate = 0.2;
    story_fact(&t, TRACE_SEEN_ACCEPTED, 0, 1200000, 100, 101);
    look_at(&t, &m, 1250);
    story_fact(&t, TRACE_SEEN_DELIVERED, 1, 1990000, 0, 0);
    assert_int_equal(h->published[NEWEST], 0); /* its second is not over */
    look_at(&t, &m, 2000);
    assert_int_equal(h->published[NEWEST], 2);
    assert_int_equal(h->delivered[NEWEST], 1);
    look_at(&t, &m, 3000);
    assert_int_equal(h->published[NEWEST], 0);
    assert_int_equal(h->delivered[NEWEST], 0);
    t.s->queues[0].state = QUEUE_SEEN_STOPPED; /* nobody counts it */
    t.s->queues[0].publish_rate = t.s->queues[0].deliver_rate = -1;
    look_at(&t, &m, 4000);
    assert_int_equal(h->published[NEWEST], -1);
    model_finish(&m);
    story_end(&t);
}

/* RabbitMQ counts every 5 s, and its rates are means: 50 were published at once, and 7,076 taken. */
static void a_burst_is_what_was_added(void **state)
{
    (void)state;
    struct story t;
    struct model m;
    model_init(&m, NULL, NULL, false, false);
    story_begin(&t, 3, "hello");
    struct queue_seen *q = &t.s->queues[0];
    t.s->traces = 0;
    q->publish_rate = q->deliver_rate = 0;
    q->published = 20000;
    q->taken = 50;
    look_at(&t, &m, 1000);
    const struct history *h = model_history(&m, "hello");
    q->published += 50;
    q->taken += 7076;
    look_at(&t, &m, 2000);
    assert_int_equal(h->published[NEWEST], 50);
    assert_int_equal(h->delivered[NEWEST], 7076);
    q->publish_rate = 10; /* the mean of what was drawn already */
    look_at(&t, &m, 3000);
    assert_int_equal(h->published[NEWEST], 0);
    q->state = QUEUE_SEEN_UNKNOWN; /* a moment without figures */
    q->messages = q->published = q->taken = -1;
    q->publish_rate = q->deliver_rate = -1;
    look_at(&t, &m, 4000);
    assert_int_equal(h->published[NEWEST], -1);
    q->state = QUEUE_SEEN_RUNNING;
    q->messages = 10;
    q->published = 20050;
    q->taken = 100; /* a node went, with what it had counted: how much went out nobody says */
    look_at(&t, &m, 5000);
    assert_int_equal(h->published[NEWEST], 0);
    assert_int_equal(h->delivered[NEWEST], -1);
    q->published = 20350; /* in 9 s, not in the last of them */
    look_at(&t, &m, 14000);
    assert_int_equal(h->published[NEWEST], -1);
    model_finish(&m);
    story_end(&t);
}

/* 300,000 in two seconds, looked at seldom and unevenly: as many are drawn, none faster than they came, and
 * none after the last, though the master's mean says for seconds that there were more. */
static void what_is_drawn_is_what_was_published(void **state)
{
    (void)state;
    struct story t;
    struct model m;
    int64_t most;
    model_init(&m, NULL, NULL, false, false);
    story_begin(&t, 3, "hello");
    look_at(&t, &m, 1050);
    const struct history *h = model_history(&m, "hello");
    t.s->queues[0].publish_rate = 54005;
    noted(&t, TRACE_SEEN_ACCEPTED, 1060000, 2960000, 1, 285000);
    noted(&t, TRACE_SEEN_DELIVERED, 1060000, 2960000, 0, 284999);
    look_at(&t, &m, 2970); /* one second later by the clock, nearly two by what happened */
    noted(&t, TRACE_SEEN_ACCEPTED, 2970000, 3060000, 285001, 300000);
    look_at(&t, &m, 3220);
    look_at(&t, &m, 4220);
    assert_int_equal(h->published[NEWEST - 2], 141000); /* of 285,000 in 1.9 s those of its 0.94 s */
    assert_int_equal(drawn(h->published, &most), 300000);
    assert_in_range(most, 141000, 150000);
    assert_int_equal(drawn(h->delivered, &most), 285000);
    for (int i = 0; i < 5; i++) {
        look_at(&t, &m, 5000 + (ms_time)i * 1000);
        assert_int_equal(h->published[NEWEST], 0);
    }
    assert_int_equal(drawn(h->published, &most), 300000);
    model_finish(&m);
    story_end(&t);
}

/* Its master does not answer: what nobody tells is no 0. What it noted then is in its own seconds, once it is
 * heard; by whichever clock. */
static void a_silent_master_is_no_nought(void **state)
{
    (void)state;
    for (int hours = 0; hours < 2; hours++) {
        struct story t;
        struct model m;
        int64_t most;
        model_init(&m, NULL, NULL, false, false);
        story_begin(&t, 3, "hello");
        look_at(&t, &m, 1000);
        const struct history *h = model_history(&m, "hello");
        t.s->nodes[0].answers = false;
        t.s->queues[0].messages = -1;
        for (int i = 0; i < 3; i++) {
            look_at(&t, &m, 2000 + (ms_time)i * 1000);
            assert_int_equal(h->published[NEWEST], -1);
            assert_int_equal(h->delivered[NEWEST], -1);
        }
        t.s->nodes[0].answers = true;
        t.s->queues[0].messages = 10;
        t.begin_us += hours * 3600000000;
        noted(&t, TRACE_SEEN_ACCEPTED, 2100000, 2900000, 1, 80);
        look_at(&t, &m, 5000);
        look_at(&t, &m, 6000);
        assert_int_equal(drawn(h->published, &most), 80);
        assert_int_equal(h->published[NEWEST - (hours ? 0 : 3)], 80);
        assert_int_equal(h->published[NEWEST - 2], -1);
        model_finish(&m);
        story_end(&t);
    }
}

/* A node that could not note all says so: then there is the mean. */
static void what_was_not_noted(void **state)
{
    (void)state;
    struct story t;
    struct model m;
    model_init(&m, NULL, NULL, false, false);
    story_begin(&t, 3, "hello");
    look_at(&t, &m, 1000);
    t.s->queues[0].publish_rate = 250;
    t.s->trace_gaps = 1;
    noted(&t, TRACE_SEEN_ACCEPTED, 1100000, 1200000, 1, 80);
    look_at(&t, &m, 1500);
    t.s->trace_gaps = 0;
    look_at(&t, &m, 2000);
    assert_int_equal(model_history(&m, "hello")->published[NEWEST], 250);
    look_at(&t, &m, 3000);
    assert_int_equal(model_history(&m, "hello")->published[NEWEST], 0);
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
        look_at(&t, &m, 1000 + (ms_time)i * 1000);
        assert_int_equal(model_history(&m, "hello")->published[NEWEST], rates[i].shown);
    }
    model_finish(&m);
    story_end(&t);
}

/* A chart stands still for a while where nothing changes; what it says of a time is true all the same, and
 * what happens is in it at once. */
static void a_chart_stands_still(void **state)
{
    (void)state;
    struct story t;
    struct model m;
    int64_t shown = 0;
    int moves = 0;
    model_init(&m, NULL, NULL, false, false);
    story_begin(&t, 3, "hello");
    t.s->queues[0].publish_rate = t.s->queues[0].deliver_rate = 0;
    for (int second = 1; second <= 200; second++) {
        if (second == 95)
            story_fact(&t, TRACE_SEEN_ACCEPTED, 0, 94500000, 0, 0);
        look_at(&t, &m, (ms_time)second * 1000);
        const struct history *h = model_history(&m, "hello");
        int64_t now = STORY_BEGIN_MS + second * 1000, until = chart_until(m.snapshot, h);
        const int64_t *samples = h->published + chart_from(h);
        assert_true(until <= now && now - until < CHART_STILL * 1000);
        moves += until != shown;
        shown = until;
        if (second == 95 || second == 96) /* a message; none more */
            assert_int_equal(until, now);
        for (int i = 0; i < CHART_LEN; i++) {
            int64_t ends = until - (CHART_LEN - 1 - i) * 1000;
            int64_t expected = ends <= STORY_BEGIN_MS ? -1 : ends == STORY_BEGIN_MS + 95000;
            assert_int_equal(samples[i], expected);
        }
    }
    assert_in_range(moves, 200 / CHART_STILL, 200 / CHART_STILL + 4);
    model_finish(&m);
    story_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_message_is_a_bump),
        cmocka_unit_test(a_burst_is_what_was_added),
        cmocka_unit_test(what_is_drawn_is_what_was_published),
        cmocka_unit_test(a_silent_master_is_no_nought),
        cmocka_unit_test(what_was_not_noted),
        cmocka_unit_test(a_rate_alone),
        cmocka_unit_test(a_chart_stands_still),
    };
    return cmocka_run_group_tests_name("screen/history", tests, NULL, NULL);
}

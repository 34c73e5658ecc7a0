/* test_published.c: what programs published, as a line of the events: counted once, kept up to date, beside
 * what else happened. */
#include "tests/screen/support.h"
#include "tests/screen/story.h"

#include "base/text.h"
#include "lab/notice.h"

#define SECOND INT64_C(1000000)

struct told {
    struct story story;
    struct snapshot *before;
};

static void begin(struct told *t)
{
    *t = (struct told){0};
    story_begin(&t->story, 3, "hello");
}

static void end(struct told *t)
{
    snapshot_destroy(t->before);
    story_end(&t->story);
}

/* The next snapshot: the events of the one before, what nodes told of at that second (NULL: nothing), and
 * what was published. */
static void look(struct told *t, int64_t at_s, const char *kind, const char *text)
{
    struct snapshot *s = story_look(&t->story);
    size_t len = t->before ? t->before->events_len : 0;
    free(s->events);
    s->events = xcalloc(len + 1, sizeof(*s->events));
    s->events_len = len;
    for (size_t i = 0; i < len; i++)
        snapshot_copy_event(&s->events[i], &t->before->events[i]);
    if (kind)
        s->events[s->events_len++] =
            (struct event_seen){.seq = 1000 + s->number,
                                .wall_ms = (t->story.begin_us + at_s * SECOND) / 1000,
                                .kind = xstrdup(kind),
                                .text = xstrdup(text)};
    notice_published(s, t->before, NULL);
    snapshot_destroy(t->before);
    t->before = s;
}

/* "publish hello: 5 published | node node1 was stopped" */
static void assert_events(const struct told *t, const char *expected)
{
    struct text all = {0};
    for (size_t i = 0; i < t->before->events_len; i++)
        text_printf(&all, "%s%s %s", i ? " | " : "", t->before->events[i].kind, t->before->events[i].text);
    assert_string_equal(text_str(&all), expected);
    text_finish(&all);
}

static void one_line_is_kept_up_to_date(void **state)
{
    (void)state;
    struct told t;
    begin(&t);
    look(&t, 0, NULL, NULL);
    assert_events(&t, ""); /* idle: nothing */
    story_fact(&t.story, TRACE_SEEN_ACCEPTED, 0, 1 * SECOND, 1, 5);
    story_published(&t.story, 0, 0, 1 * SECOND, 0, 4); /* the master's and a mirror's notes count nothing */
    story_copied(&t.story, 1, 0, 1 * SECOND, 0, 4);
    look(&t, 0, NULL, NULL);
    assert_events(&t, "publish hello: 5 published");
    uint64_t seq = t.before->events[0].seq;
    story_fact(&t.story, TRACE_SEEN_CONFIRMED, 0, 2 * SECOND, 1, 5);
    look(&t, 0, NULL, NULL);
    assert_events(&t, "publish hello: 5 published, 5 confirmed");
    assert_true(t.before->events[0].seq > seq); /* it says something else: it is heard of anew */
    seq = t.before->events[0].seq;
    look(&t, 0, NULL, NULL); /* nothing new: the same event */
    assert_int_equal(t.before->events[0].seq, seq);
    for (unsigned i = 0; i < 200; i++) { /* 50,000 a second, for some time: one line */
        story_fact(&t.story, TRACE_SEEN_ACCEPTED, 1, 2 * SECOND + i * SECOND / 4, 12500 * i,
                   12500 * i + 12499);
        story_fact(&t.story, TRACE_SEEN_CONFIRMED, 1, 2 * SECOND + i * SECOND / 4, 12500 * i,
                   12500 * i + 12499);
        look(&t, 0, NULL, NULL);
    }
    assert_events(&t, "publish hello: 2500005 published, 2500005 confirmed");
    end(&t);
}

static void what_happens_between_stands_between(void **state)
{
    (void)state;
    struct told t;
    begin(&t);
    look(&t, 0, NULL, NULL);
    story_fact(&t.story, TRACE_SEEN_ACCEPTED, 0, 1 * SECOND, 1, 3);
    look(&t, 2, "hint", "hello has ONE copy: stopping node1 hides it");
    story_fact(&t.story, TRACE_SEEN_ACCEPTED, 0, 3 * SECOND, 4, 5);
    look(&t, 0, NULL, NULL); /* a hint is of the count itself */
    assert_events(&t, "hint hello has ONE copy: stopping node1 hides it | publish hello: 5 published");
    look(&t, 4, "node", "node1 was stopped");
    story_fact(&t.story, TRACE_SEEN_CONFIRMED, 1, 5 * SECOND, 1, 3);
    story_fact(&t.story, TRACE_SEEN_REFUSED, 1, 5 * SECOND, 4, 5);
    look(&t, 0, NULL, NULL);
    assert_events(&t, "hint hello has ONE copy: stopping node1 hides it | publish hello: 5 published | "
                      "node node1 was stopped | publish hello: 3 confirmed, 2 refused");
    story_fact(&t.story, TRACE_SEEN_ACCEPTED, 1, 3 * SECOND, 6, 7); /* heard of later, but it was before */
    look(&t, 0, NULL, NULL);
    assert_events(&t, "hint hello has ONE copy: stopping node1 hides it | publish hello: 7 published | "
                      "node node1 was stopped | publish hello: 3 confirmed, 2 refused");
    end(&t);
}

static void later_is_another_line_and_queues_have_their_own(void **state)
{
    (void)state;
    struct told t;
    begin(&t);
    look(&t, 0, NULL, NULL);
    story_fact(&t.story, TRACE_SEEN_ACCEPTED, 0, 1 * SECOND, 1, 1);
    story_fact(&t.story, TRACE_SEEN_CONFIRMED, 0, 1 * SECOND, 1, 1);
    look(&t, 0, NULL, NULL);
    t.story.queue = "hello2"; /* one begins as the other */
    for (unsigned i = 0; i < 4; i++) {
        story_fact(&t.story, TRACE_SEEN_ACCEPTED, 0, 2 * SECOND + i, i, i);
        look(&t, 0, NULL, NULL);
    }
    t.story.queue = "hello";
    story_fact(&t.story, TRACE_SEEN_ACCEPTED, 0, 3 * SECOND, 2, 2);
    look(&t, 0, NULL, NULL);
    assert_events(&t, "publish hello2: 4 published | publish hello: 2 published, 1 confirmed");
    story_fact(&t.story, TRACE_SEEN_CONFIRMED, 0, 60 * SECOND, 2, 2); /* its answer was still to come */
    look(&t, 0, NULL, NULL);
    story_fact(&t.story, TRACE_SEEN_ACCEPTED, 0, 90 * SECOND, 3, 4);
    look(&t, 0, NULL, NULL);
    assert_events(&t, "publish hello2: 4 published | publish hello: 2 published, 2 confirmed | "
                      "publish hello: 2 published");
    end(&t);
}

/* A screen that is opened later hears of all at once, and says of each when it was. */
static void heard_of_late(void **state)
{
    (void)state;
    struct told t;
    begin(&t);
    story_fact(&t.story, TRACE_SEEN_ACCEPTED, 0, 1 * SECOND, 1, 1);
    story_fact(&t.story, TRACE_SEEN_ACCEPTED, 0, 5 * SECOND, 2, 2);
    story_fact(&t.story, TRACE_SEEN_CONFIRMED, 0, 5 * SECOND, 1, 2);
    story_fact(&t.story, TRACE_SEEN_ACCEPTED, 0, 7 * SECOND, 3, 7);
    story_fact(&t.story, TRACE_SEEN_ACKED, 1, 8 * SECOND, 0, 3);
    story_fact(&t.story, TRACE_SEEN_AUTO_ACKED, 1, 20 * SECOND, 4, 4);
    look(&t, 6, "node", "node3 is down");
    assert_events(&t, "publish hello: 1 published | publish hello: 1 published, 2 confirmed | "
                      "node node3 is down | publish hello: 5 published | get hello: 4 acknowledged | "
                      "get hello: 1 handed out");
    assert_int_equal(t.before->events[0].wall_ms, t.story.begin_us / 1000 + 1000);
    end(&t);
}

/* What is taken is a line of its own; both are kept up to date side by side. */
static void what_is_taken_is_counted(void **state)
{
    (void)state;
    struct told t;
    begin(&t);
    look(&t, 0, NULL, NULL);
    for (unsigned i = 0; i < 5; i++) {
        story_fact(&t.story, TRACE_SEEN_ACCEPTED, 0, 1 * SECOND + 2 * i, i + 1, i + 1);
        story_fact(&t.story, TRACE_SEEN_DELIVERED, 2, 1 * SECOND + 2 * i, i, i); /* not taken by that */
        story_fact(&t.story, TRACE_SEEN_ACKED, 1, 1 * SECOND + 2 * i + 1, i, i);
        look(&t, 0, NULL, NULL);
    }
    assert_events(&t, "publish hello: 5 published | get hello: 5 acknowledged");
    end(&t);
}

/* A node whose notes were not all heard: what is counted is not all, and that is said. */
static void what_was_not_noted_is_said(void **state)
{
    (void)state;
    struct told t;
    begin(&t);
    t.story.s->trace_gaps = 2;
    look(&t, 0, NULL, NULL); /* before this screen looked: that is no gap */
    assert_events(&t, "");
    look(&t, 0, NULL, NULL);
    assert_events(&t, "publish node2 did not note all: more was published than is counted");
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_is_kept_up_to_date),
        cmocka_unit_test(what_happens_between_stands_between),
        cmocka_unit_test(later_is_another_line_and_queues_have_their_own),
        cmocka_unit_test(heard_of_late),
        cmocka_unit_test(what_is_taken_is_counted),
        cmocka_unit_test(what_was_not_noted_is_said),
    };
    return cmocka_run_group_tests_name("screen/published", tests, NULL, NULL);
}

/* test_shrink.c: how a line of a schedule can say less, and that every seed's schedule is all there is to it:
 * what it says of its clients is read back as it was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sched.h"
#include "base/text.h"
#include "shrink_line.h"
#include "shrink_story.h"
#include "sim/plan.h"

/* The forms of a line, one a line. */
static void says_less(const char *what, const char *forms)
{
    struct simpler s;
    struct text t = {0};
    text_add(&t, "");
    simpler_find(&s, what);
    for (size_t i = 0; i < s.forms.len; i++)
        text_printf(&t, "%s\n", s.forms.items[i]);
    assert_string_equal(text_str(&t), forms);
    simpler_finish(&s);
    text_finish(&t);
}

static void a_line_says_less(void **state)
{
    (void)state;
    says_less("kill node1", "");
    says_less("heal", "");
    says_less("kill node1 node2", "kill node2\nkill node1\n");
    says_less("policy ha ^q {\"ha-mode\":\"exactly\",\"ha-params\":2,\"max-length\":5}",
              "policy ha ^q {\"max-length\":5}\n"
              "policy ha ^q {\"ha-mode\":\"exactly\",\"ha-params\":2}\n");
    says_less("declare q durable {\"x-max-length\":5}", "declare q durable\n");
    says_less("publisher 1 q every 5500us messages 9", "publisher 1 q messages 9\n"
                                                       "publisher 1 q every 5500us\n"
                                                       "publisher 1 q every 5000us messages 9\n"
                                                       "publisher 1 q every 5500us messages 1\n"
                                                       "publisher 1 q every 5500us messages 4\n"
                                                       "publisher 1 q every 5500us messages 8\n");
    says_less("consumer 2 q every 1000us no-ack", "consumer 2 q no-ack\n"
                                                  "consumer 2 q every 1000us\n");
}

static void a_wait_becomes_round(void **state)
{
    (void)state;
    unsigned long waits[3];
    assert_int_equal(simpler_waits(0, waits), 0);
    assert_int_equal(simpler_waits(249, waits), 3);
    assert_int_equal(waits[0], 0);
    assert_int_equal(waits[1], 200);
    assert_int_equal(waits[2], 240);
    assert_int_equal(simpler_waits(100, waits), 1);
}

static const char story[] = "seed 1 all\n"
                            "partitions ignore\n"
                            "nodes 3\n"
                            "publisher 1 q1 messages 5\n"
                            "consumer 2 q2\n"
                            "+5 declare q1\n"
                            "+10~4 cut node1 node2\n"
                            "+20 kill node3\n"
                            "+30 heal\n"
                            "+40 start node3\n"
                            "+50 kill node1\n"
                            "+60 kill node2\n";

/* What is left without some lines: the numbers of those that are gone, from 0. */
static void is_left(const char *without, bool keep_time, const char *left)
{
    struct story s;
    struct text t = {0}, again = {0};
    bool gone[9] = {0};
    for (; *without; without++)
        gone[*without - '0'] = true;
    story_split(&s, story);
    assert_int_equal(s.lines.len, ARRAY_LEN(gone));
    assert_int_equal(story_events(&s), 7);
    story_write(&s, &t, gone, keep_time);
    assert_string_equal(text_str(&t), left);
    story_leave_out(&s, gone, keep_time);
    story_write(&s, &again, NULL, false);
    assert_string_equal(text_str(&again), left);
    text_finish(&t);
    text_finish(&again);
    story_finish(&s);
}

static void lines_leave_their_time_or_take_it_along(void **state)
{
    (void)state;
#define HEAD "seed 1 all\npartitions ignore\nnodes 3\n"
    is_left("015", true,
            HEAD "+5 declare q1\n+10~4 cut node1 node2\n+20 kill node3\n+70 start node3\n"
                 "+50 kill node1\n+60 kill node2\n");
    is_left("01378", false, HEAD "+5 declare q1\n+20 kill node3\n+30 heal\n+40 start node3\n");
#undef HEAD
}

/* Some group is just these lines. */
static void belong_together(const char *lines)
{
    struct story s;
    bool gone[9], found = false;
    story_split(&s, story);
    for (size_t k = 0; story_group(&s, k, gone); k++) {
        char these[ARRAY_LEN(gone) + 1];
        size_t len = 0;
        for (size_t i = 0; i < ARRAY_LEN(gone); i++)
            if (gone[i])
                these[len++] = (char)('0' + i);
        these[len] = '\0';
        found = found || strcmp(these, lines) == 0;
    }
    if (!found)
        fail_msg("no group is %s", lines);
    story_finish(&s);
}

static void what_belongs_together_goes_together(void **state)
{
    (void)state;
    belong_together("46");  /* a kill, and that node's start */
    belong_together("35");  /* a cut and the heal */
    belong_together("02");  /* all of q1 */
    belong_together("37");  /* all of node1 */
    belong_together("56");  /* two in a row, where halves would not part them */
    belong_together("678"); /* three */
}

static void two_that_do_the_same_are_one(void **state)
{
    (void)state;
    struct story s;
    story_split(&s, story);
    char *one = story_merged(&s, 7);
    assert_string_equal(one, "kill node1 node2");
    assert_null(story_merged(&s, 6)); /* a start and a kill */
    assert_null(story_merged(&s, 0)); /* two clients */
    assert_null(story_merged(&s, 8)); /* the last */
    free(one);
    story_finish(&s);
}

/* From that line on all falls otherwise, each number in its own way and always the same; nothing before it.
 */
static void other_luck_is_another_run(void **state)
{
    (void)state;
    static const char *const lucks[] = {"", "~1", "~2", "~1"};
    uint64_t hashes[4];
    for (size_t i = 0; i < 4; i++) {
        struct plan p;
        struct plan_result r;
        char *error = NULL;
        char *text = format_text("seed 1\nnodes 3\npublisher 1 q every 2000us messages 30\n+50%s declare q\n",
                                 lucks[i]);
        assert_int_equal(plan_read(&p, "a.sched", text, &error), 0);
        plan_run(&p, &r);
        assert_null(r.failure);
        hashes[i] = r.hash;
        plan_finish(&p);
        free(text);
    }
    assert_int_equal(hashes[1], hashes[3]);
    assert_int_not_equal(hashes[0], hashes[1]);
    assert_int_not_equal(hashes[1], hashes[2]);
}

/* A plan that is made from its own schedule's text is the same, and runs the same. */
static void a_schedule_is_all_there_is(void **state)
{
    (void)state;
    size_t clients = 0, arguments = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct plan made, read;
        struct plan_result a, b;
        struct sched s;
        char *error = NULL;
        plan_make(&made, seed, FAULTS_ALL);
        assert_int_equal(plan_read(&read, "a.sched", text_str(&made.schedule), &error), 0);
        assert_string_equal(text_str(&read.schedule), text_str(&made.schedule));
        plan_run(&made, &a);
        plan_run(&read, &b);
        assert_null(a.failure);
        assert_int_equal(a.hash, b.hash);
        assert_int_equal(sched_parse(&s, "a.sched", text_str(&made.schedule), &error), 0);
        struct text again = {0};
        text_add(&again, "");
        for (size_t i = 0; i < s.clients.len; i++)
            sched_client_write(&again, &s.clients.items[i]);
        assert_non_null(strstr(text_str(&made.schedule), text_str(&again)));
        clients += s.clients.len;
        for (size_t i = 0; i < s.events.len; i++)
            arguments += s.events.items[i].verb == SCHED_DECLARE && s.events.items[i].third;
        text_finish(&again);
        sched_finish(&s);
        plan_finish(&made);
        plan_finish(&read);
    }
    assert_true(clients > 100 && arguments > 5);
}

/* Without its clients, nobody publishes: they are where the schedule says. */
static void who_is_left_out_does_nothing(void **state)
{
    (void)state;
    struct plan p;
    struct plan_result r;
    char *error = NULL;
    assert_int_equal(plan_read(&p, "a.sched", "seed 1\nnodes 2\n+0 declare q\n", &error), 0);
    plan_run(&p, &r);
    assert_null(r.failure);
    assert_int_equal(r.messages, 0);
    plan_finish(&p);
    assert_int_equal(plan_read(&p, "a.sched",
                               "seed 1\nnodes 2\npublisher 3 q every 2000us messages 7\n+50 declare q\n",
                               &error),
                     0);
    plan_run(&p, &r);
    assert_null(r.failure);
    assert_int_equal(r.messages, 7);
    plan_finish(&p);
    assert_int_not_equal(plan_read(&p, "a.sched", "nodes 2\nkill node1\n", &error), 0);
    assert_string_equal(error, "a.sched: it has no seed; write one at the top, such as: seed 77");
    free(error);
    assert_int_not_equal(plan_read(&p, "a.sched", "seed 2 floods\n", &error), 0);
    assert_non_null(strstr(error, "there are no faults of that name"));
    free(error);
}

/* Arguments are RabbitMQ's, and what is none breaks the schedule, not the world. */
static void wrong_arguments_are_named(void **state)
{
    (void)state;
    struct queue_args a;
    char *error = NULL;
    assert_int_equal(plan_args_read(&a, "{\"x-max-length\":5,\"x-overflow\":\"drop-head\"}", &error), 0);
    assert_int_equal(a.max_length, 5);
    assert_string_equal(a.overflow, "drop-head");
    assert_int_equal(a.expires_ms, -1);
    queue_args_finish(&a);
    assert_int_not_equal(plan_args_read(&a, "{\"x-max-size\":5}", &error), 0);
    assert_non_null(strstr(error, "no queue has such an argument"));
    free(error);
    assert_int_not_equal(plan_args_read(&a, "[1]", &error), 0);
    assert_non_null(strstr(error, "a JSON object"));
    free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_less),
        cmocka_unit_test(a_wait_becomes_round),
        cmocka_unit_test(lines_leave_their_time_or_take_it_along),
        cmocka_unit_test(what_belongs_together_goes_together),
        cmocka_unit_test(two_that_do_the_same_are_one),
        cmocka_unit_test(other_luck_is_another_run),
        cmocka_unit_test(a_schedule_is_all_there_is),
        cmocka_unit_test(who_is_left_out_does_nothing),
        cmocka_unit_test(wrong_arguments_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

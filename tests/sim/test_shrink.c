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
        cmocka_unit_test(a_line_says_less),           cmocka_unit_test(a_wait_becomes_round),
        cmocka_unit_test(a_schedule_is_all_there_is), cmocka_unit_test(who_is_left_out_does_nothing),
        cmocka_unit_test(wrong_arguments_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

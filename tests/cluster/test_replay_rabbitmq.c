/* test_replay_rabbitmq.c: what the simulator says is lost is lost on real RabbitMQ, at the same step, through
 * the same door: here the shortest schedule of all that lose a message; `make test-schedules` plays the
 * shortest of each door, and the rest (minutes). The expect lines of the files say it once for all worlds;
 * sim/replay and cluster/replay hold the other two to them. Where rabbitmq-server is not installed these are
 * shown as skipped. */
#include "tests/cluster/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIMIT_MS 400000 /* a node of RabbitMQ takes up to half a minute to start on a busy machine */

static bool installed(void)
{
    const char *told = getenv("MIRRORLAB_RABBITMQ_BIN");
    char *path = format_text("%s/rabbitmq-server", told ? told : "/usr/lib/rabbitmq/bin");
    bool there = access(path, X_OK) == 0;
    if (!there)
        print_message("%s is not there: rabbitmq-server is not installed (make deps-rabbitmq)\n", path);
    free(path);
    return there;
}

static void ends_as_it_says(const char *schedule, const char *lost)
{
    if (!installed())
        skip();
    struct lab lab;
    struct text out = {0};
    assert_true(lab_init(&lab, 3));
    char *program = format_text("%s/lab", lab.bin),
         *ports = format_text("%u,%u,%u", lab.amqp, lab.http, lab.peer);
    const char *argv[] = {program, "replay", schedule,  "--engine", "rabbitmq",
                          "--dir", lab.dir,  "--ports", ports,      NULL};
    int code = run_program(&out, LIMIT_MS, argv);
    bool left = false;
    for (unsigned n = 1; n <= 3; n++)
        left = left || lab_alive(&lab, n);
    lab_finish(&lab);
    assert_code(code, 0, &out);
    assert_says(&out, lost);
    assert_says(&out, "as the schedule expects");
    assert_false(left); /* every replay ends its nodes */
    free(program);
    free(ports);
    text_finish(&out);
}

static void the_five_steps_lose_on_rabbitmq_too(void **state)
{
    (void)state;
    ends_as_it_says("lessons/schedules/five-steps.sched", "LOST m1 through L1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_five_steps_lose_on_rabbitmq_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

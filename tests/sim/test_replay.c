/* test_replay.c: every schedule of lessons/schedules is played on the simulator and ends as it says; and what
 * the replay says when something is not so. tests/cluster/test_replay.c plays the same files on real nodes.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "main/lab_sim.h"

#define FOLDER "lessons/schedules"

struct played {
    struct sched s;
    struct replay_result result;
    char *out;
    size_t len;
    int err;
};

static void play(struct played *p, const char *name, const char *text)
{
    char *error = NULL;
    if (sched_parse(&p->s, name, text, &error))
        fail_msg("%s", error);
    FILE *out = open_memstream(&p->out, &p->len);
    p->err = replay_on_sim(&p->s, name, false, out, &p->result);
    fclose(out);
}

static void end(struct played *p)
{
    replay_result_finish(&p->result);
    sched_finish(&p->s);
    free(p->out);
}

static void says(const struct played *p, const char *words)
{
    if (!strstr(p->out, words))
        fail_msg("'%s' is not in:\n%s", words, p->out);
}

static void all_files_end_as_they_say(void **state)
{
    (void)state;
    DIR *folder = opendir(FOLDER);
    unsigned files = 0;
    assert_non_null(folder);
    for (const struct dirent *e; (e = readdir(folder));) {
        size_t len = strlen(e->d_name);
        char path[512], text[8192];
        if (len < 6 || strcmp(e->d_name + len - 6, ".sched") != 0)
            continue;
        snprintf(path, sizeof(path), FOLDER "/%s", e->d_name);
        FILE *f = fopen(path, "r");
        assert_non_null(f);
        text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
        fclose(f);
        struct played p = {0};
        play(&p, path, text);
        if (p.err || !p.result.as_expected)
            fail_msg("%s", p.out);
        assert_true(p.s.expects.len > 0);
        assert_int_equal(p.result.steps, p.s.steps);
        end(&p);
        files++;
    }
    closedir(folder);
    assert_true(files >= 7);
}

#define WORLD "nodes 3\npolicy ha ^q {\"ha-mode\":\"all\"}\ndeclare q durable\n"

static void a_wrong_expectation_is_seen(void **state)
{
    (void)state;
    struct played p = {0};
    play(&p, "x", WORLD "publish node1 q\nexpect m1 lost L1\n");
    assert_int_equal(p.err, 0);
    assert_false(p.result.as_expected);
    says(&p, "line 5 expects m1 lost L1");
    end(&p);
    p = (struct played){0};
    play(&p, "x",
         WORLD "publish node1 q\nkill node2\nkill node3\nstart node2\nkill node1\nexpect m1 lost L5\n");
    assert_false(p.result.as_expected); /* lost, but not through that door */
    says(&p, "LOST m1 through L1");
    end(&p);
    p = (struct played){0};
    play(&p, "x", WORLD "publish node1 q\nexpect m2 kept\n");
    assert_false(p.result.as_expected);
    says(&p, "line 5 expects something of m2, which was never published");
    end(&p);
    p = (struct played){0};
    play(&p, "x", WORLD "publish node1 q\nexpect m1 lost\nexpect sim m1 kept\n");
    assert_true(p.result.as_expected); /* what is said of this world counts */
    end(&p);
}

static void consumed_is_not_lost(void **state)
{
    (void)state;
    struct played p = {0};
    play(&p, "x",
         WORLD "publish node1 q 4\nconsume node2 q 2\nkill node2\nkill node3\nstart node2\nkill node1\n");
    assert_int_equal(p.err, 0);
    says(&p, "m1 m2 consumed; q runs on node1, in sync node2 node3, holds m3 m4");
    says(&p, "4 published, 4 confirmed: 0 kept, 2 consumed, 0 unavailable, 2 lost");
    end(&p);
    p = (struct played){0};
    play(&p, "x", WORLD "publish node1 q 4\npurge q\n");
    says(&p, "removed by an operator");
    says(&p, "0 lost");
    end(&p);
}

static void a_queue_that_waits_is_unavailable(void **state)
{
    (void)state;
    struct played p = {0};
    play(&p, "x", "nodes 2\ndeclare q durable\npublish node1 q 2\nstop node1\npublish node2 q\n");
    says(&p, "q is stopped with node1");
    says(&p, "m3 not routed: its queue did not run");
    says(&p, "3 published, 2 confirmed: 0 kept, 0 consumed, 2 unavailable, 0 lost");
    end(&p);
    p = (struct played){0};
    play(&p, "x", "nodes 2\ndeclare q durable\npublish node1 q\nkill node1 node2\nstart node1 node2\n");
    says(&p, "node1 node2 run; q runs on node1, no mirrors, holds m1");
    end(&p);
}

static void all_stopped_the_first_to_stop_waits_for_the_last(void **state)
{
    (void)state;
    struct played p = {0};
    play(&p, "x",
         "nodes 2\ndeclare q durable\npublish node1 q\nstop node1\nstop node2\nstart node1\nstart node2\n");
    says(&p, "node1 waits for the nodes that ran after it");
    says(&p, "1 kept");
    end(&p);
}

static void what_an_operator_forgets_is_lost_through_l4(void **state)
{
    (void)state;
    struct played p = {0};
    play(&p, "x",
         "nodes 2\ndeclare q durable\npublish node1 q\nstop node1\nforget node1\nexpect m1 lost L4 step 3\n");
    assert_int_equal(p.err, 0);
    assert_true(p.result.as_expected);
    end(&p);
}

static void timed_lines_do_not_wait(void **state)
{
    (void)state;
    struct played p = {0}, q = {0};
    play(&p, "x", WORLD "publish node1 q 2\n+5 kill node2\n+1 kill node3\n+0 start node2\n");
    assert_int_equal(p.err, 0);
    assert_int_equal(p.result.steps, 4);
    play(&q, "x", WORLD "publish node1 q 2\n+5 kill node2\n+1 kill node3\n+0 start node2\n");
    assert_string_equal(p.out, q.out); /* the same every time */
    end(&p);
    end(&q);
}

static void an_unknown_rule_is_refused(void **state)
{
    (void)state;
    struct played p = {0};
    play(&p, "x", "rule best\npublish node1 q\n");
    assert_int_equal(p.err, ERR_NOT_FOUND);
    says(&p, "rule best: the simulator knows no rule of that name; there are kit oldest newest");
    end(&p);
}

static void what_cannot_be_done_is_said(void **state)
{
    (void)state;
    struct played p = {0};
    play(&p, "x", "nodes 1\nkill node1\nsync q\n");
    assert_int_equal(p.err, ERR_NOT_FOUND);
    says(&p, "NOT PLAYED TO ITS END: line 3, sync q: no node serves that could be told so");
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_files_end_as_they_say),
        cmocka_unit_test(a_wrong_expectation_is_seen),
        cmocka_unit_test(consumed_is_not_lost),
        cmocka_unit_test(a_queue_that_waits_is_unavailable),
        cmocka_unit_test(all_stopped_the_first_to_stop_waits_for_the_last),
        cmocka_unit_test(what_an_operator_forgets_is_lost_through_l4),
        cmocka_unit_test(timed_lines_do_not_wait),
        cmocka_unit_test(an_unknown_rule_is_refused),
        cmocka_unit_test(what_cannot_be_done_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

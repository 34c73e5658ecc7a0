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
    if (replay_read(&p->s, name, text, &error))
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
    struct sched s;
    char *error = NULL;
    assert_int_equal(replay_read(&s, "a.sched", "nodes 3\n\nrule best\npublish node1 q\n", &error),
                     ERR_INVALID);
    assert_string_equal(error, "a.sched:3: rule 'best': there is none of that name; write one of kit oldest "
                               "newest newest-of-all most-messages synchronised-only");
    free(error);
}

/* As things are it cannot be done: that is a fact of the step, and the schedule goes on. */
static void what_cannot_be_done_is_said(void **state)
{
    (void)state;
    struct played p = {0};
    play(
        &p, "x",
        "nodes 2\ndeclare q durable\npublish node1 q\nsync q\ncancel-sync q\nsync r\ndelete r\nforget node2\n"
        "stop node1\nconsume node1 q 1\nconsume node2 q 1\nsync q\npurge q\nstop node2\n"
        "policy ha ^q {\"ha-mode\":\"all\"}\nconsume node2 q 1\ndeclare s durable\nstart node2\nstart node1\n"
        "start node1\nkill node2\nkill node2\nstop node2\nexpect m1 kept\n");
    assert_int_equal(p.err, 0);
    assert_true(p.result.as_expected);
    says(&p, "step 2  sync q\n        refused: q has no mirrors; q runs on node1");
    says(&p, "step 3  cancel-sync q\n        refused: q has no mirrors");
    says(&p, "step 4  sync r\n        refused: r is not there");
    says(&p, "step 5  delete r\n        refused: r is not there");
    says(&p, "step 6  forget node2\n        refused: node2 was not stopped");
    says(&p, "step 8  consume node1 q 1\n        nothing consumed: the node served nobody; q is stopped with "
             "node1");
    says(&p, "step 9  consume node2 q 1\n        nothing consumed: its queue did not run; q is stopped with "
             "node1");
    says(&p, "step 10 sync q\n        refused: q does not run");
    says(&p, "step 11 purge q\n        refused: q does not run");
    says(&p, "step 13 policy ha ^q {\"ha-mode\":\"all\"}\n        refused: no node serves; q is down");
    says(&p, "step 14 consume node2 q 1\n        nothing consumed: the node served nobody; q is down");
    says(&p, "step 15 declare s durable\n        refused: no node serves; q is down\n");
    says(&p, "step 18 start node1\n        node1 runs"); /* which it does already */
    says(&p, "step 21 stop node2\n        node2 does not run");
    says(&p, "m1    persistent, published in step 1 through node1, confirmed, kept"); /* no purge, no loss */
    end(&p);
}

static void what_could_never_be_done_ends_it(void **state)
{
    (void)state;
    struct played p = {0};
    play(&p, "x", "nodes 1\npolicy ha ^q {\"ha-mode\":\"some\"}\ndeclare q durable\n");
    assert_int_equal(p.err, ERR_REFUSED);
    says(&p, "NOT PLAYED TO ITS END: line 2, policy ha ^q {\"ha-mode\":\"some\"}: refused: ");
    says(&p, "is not a valid ha-mode value");
    end(&p);
}

/* Which door it is does not depend on who takes over: a transient message ends with its last holder. What the
 * checker says, who looks into every node, is compared at the end of every replay. */
static void a_transient_message_goes_with_its_last_holder(void **state)
{
    (void)state;
    static const char *const ends[] = {
        /* its two holders go, and the mirror that takes over never had it */
        "nodes 3\npolicy ha ^q {\"ha-mode\":\"exactly\",\"ha-params\":2}\ndeclare q durable\n"
        "publish node3 q transient\nkill node1\nkill node2\nexpect m1 lost L5 step 3\n",
        /* all that ran are gone; another one comes back first */
        WORLD "stop node3\npublish node1 q transient\nkill node1 node2\nstart node1 node2\nstart node3\n"
              "expect m1 lost L5 step 4\n",
        /* its master goes, a mirror in sync has it */
        WORLD "publish node1 q transient\nkill node1\nexpect m1 kept\n",
        /* a younger mirror has it, the older one that takes over has not */
        WORLD "kill node2\nkill node3\npublish node1 q\nstart node2\nstart node3\npublish node1 q transient\n"
              "kill node1\nexpect m1 lost L1 step 7\nexpect m2 kept\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct played p = {0};
        play(&p, "x", ends[i]);
        if (p.err || !p.result.as_expected)
            fail_msg("%s", p.out);
        end(&p);
    }
}

static void who_waits_is_started_once(void **state)
{
    (void)state;
    struct played p = {0};
    play(&p, "x",
         "nodes 3\npolicy ha ^q {\"ha-mode\":\"all\",\"ha-promote-on-failure\":\"when-synced\"}\ndeclare q "
         "durable\n"
         "publish node1 q\nstop node3\nstop node2\nstart node3\nkill node1\nkill node3\nstart node1\n"
         "start node2\nkill node1\nstart node1\nstart node3\nexpect m1 kept\n");
    assert_int_equal(p.err, 0);
    assert_true(p.result.as_expected);
    says(&p, "step 7  start node1\n        node1 waits for the nodes that ran after it; q is down");
    says(&p, "step 8  start node2\n        node2 waits for the nodes that ran after it; q is down");
    says(&p, "step 10 start node1\n        node1 waits for the nodes that ran after it; q is down");
    end(&p);
}

static void ends_as_expected(const char *text, const char *const *words)
{
    struct played p = {0};
    play(&p, "x", text);
    if (p.err || !p.result.as_expected)
        fail_msg("%s", p.out);
    for (; *words; words++)
        says(&p, *words);
    end(&p);
}

#define SAYS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* What a limit ends is no loss; whether it was one, and which, is the checker's opinion, too. */
static void what_a_limit_ends_is_no_loss(void **state)
{
    (void)state;
    ends_as_expected(
        "nodes 1\ndeclare q durable {\"x-max-length\":3}\npublish node1 q 5\npublish node1 q\nexpect m3 "
        "dropped\nexpect all kept\nexpect m1 dropped\nexpect m2 dropped\n",
        SAYS("  ENDED m1 m2: dropped by max-length\n", "  ENDED m3: dropped by max-length\n",
             "  m1-m2 persistent, published in step 1 through node1, confirmed, dropped in step 1 by "
             "max-length",
             "6 published, 6 confirmed: 3 kept, 0 consumed, 0 unavailable, 0 lost, 3 dropped\n"));
    ends_as_expected("nodes 1\ndeclare q durable {\"x-max-length\":0}\npublish node1 q\nexpect m1 dropped\n",
                     SAYS("ENDED m1"));
    ends_as_expected("nodes 1\npolicy l ^q {\"max-length-bytes\":30}\ndeclare q durable\npublish node1 q 5\n"
                     "expect m5 kept\nexpect m1 dropped\n",
                     SAYS("dropped by max-length-bytes"));
    ends_as_expected(
        "nodes 1\ndeclare q durable {\"x-max-length\":2,\"x-max-priority\":9}\npublish node1 q 6\n",
        SAYS("6 confirmed: 2 kept, 0 consumed, 0 unavailable, 0 lost, 4 dropped\n"));
    /* a policy that comes later, and one of a lower priority that says less; then none */
    ends_as_expected(
        "nodes 2\npolicy a ^q 1 {\"ha-mode\":\"all\",\"max-length\":4}\ndeclare q durable\npublish "
        "node1 q 4\npolicy b ^q {\"max-length\":1}\npolicy c ^q 2 {\"max-length\":2}\nclear c\n"
        "publish node2 q 3\nexpect m1 dropped\nexpect m2 dropped\nexpect m3 dropped\nexpect all "
        "kept\n",
        SAYS("step 3  policy c", "ENDED m1 m2: dropped by max-length\n",
             "ENDED m3: dropped by max-length\n"));
    ends_as_expected(
        "nodes 1\ndeclare q durable {\"x-message-ttl\":60000}\ndeclare r durable\npublish node1 q 2\n"
        "publish node1 r\ncalm\n+30000 publish node1 q\n+40000 calm\nexpect m1 expired\nexpect m2 expired\n"
        "expect all kept\n",
        SAYS("step 5  calm", "ENDED m1 m2: expired by message-ttl\n",
             "2 kept, 0 consumed, 0 unavailable, 0 lost, 2 expired\n", "expired in step 5 by message-ttl"));
    /* its time goes on while its queue is down */
    ends_as_expected(
        "nodes 1\ndeclare q durable {\"x-message-ttl\":60000}\npublish node1 q\nkill node1\n+70000 start "
        "node1\nexpect m1 expired\n",
        SAYS("ENDED m1"));
    ends_as_expected(
        "nodes 1\ndeclare q durable {\"x-expires\":50000}\npublish node1 q\n+90000 calm\nexpect m1 "
        "expired\n",
        SAYS("q is not there", "expired in step 2 by expires"));
    /* a limit drops two and a consumer takes the others before anybody looks */
    ends_as_expected("nodes 1\ndeclare q durable\npublish node1 q 4\npolicy ha ^q {\"max-length\":2}\n+0 "
                     "consume node1 q 2\nexpect m1 dropped\nexpect m2 dropped\nexpect m3 consumed\n",
                     SAYS("m3 m4 consumed"));
    /* a node that was away when a policy was cleared, and that a cut keeps apart, has it still */
    ends_as_expected("nodes 2\npolicy ha ^q {\"max-length\":2}\ndeclare q durable\ncut-one-way node2 node1\n"
                     "stop node1\nclear ha\nstart node1\nstart node2\npublish node1 q 3 hurried\nheal\n"
                     "expect m1 dropped\nexpect all kept\n",
                     SAYS("ENDED m1: dropped by max-length"));
    /* who refuses drops nothing; what was consumed was not dropped */
    ends_as_expected(
        "nodes 1\ndeclare q durable {\"x-max-length\":2,\"x-overflow\":\"reject-publish\"}\npublish "
        "node1 q 3\nconsume node1 q 1\npublish node1 q\nexpect m1 consumed\n",
        SAYS("m3 refused", "3 confirmed: 2 kept, 1 consumed, 0 unavailable, 0 lost\n"));
}

/* And what is lost is not called dropped or expired, in a queue that has limits. */
static void a_loss_in_a_queue_with_limits_is_a_loss(void **state)
{
    (void)state;
    ends_as_expected(
        "nodes 2\npolicy ha ^q {\"ha-mode\":\"all\",\"max-length\":3,\"message-ttl\":60000}\ndeclare q "
        "durable\npublish node1 q 4\nkill node2\nstart node2\npublish node1 q\nkill node1\nexpect m1 "
        "dropped\nexpect m2 dropped\nexpect m3 lost L1 step 5\nexpect m4 lost L1\nexpect m5 kept\n",
        SAYS("LOST m3 through L1"));
    ends_as_expected(
        "nodes 2\ndeclare q durable {\"x-expires\":60000}\npublish node1 q\nstop node1\nforget node1\n"
        "expect m1 lost L4\n",
        SAYS("LOST m1 through L4"));
}

/* In its part of a partition, which goes on without it: nobody has discarded that part. */
static void a_transient_message_goes_with_its_master_also_in_a_partition(void **state)
{
    (void)state;
    ends_as_expected(
        "nodes 4\npartitions autoheal\npolicy ha ^q {\"ha-mode\":\"exactly\",\"ha-params\":2}\ndeclare q "
        "durable\npublish node4 q transient\npart node1\npublish node4 q transient\npublish node1 q\n"
        "stop node2\nexpect m1 kept\nexpect m2 lost L5\nexpect m3 kept\n",
        SAYS("LOST m2 through L5"));
    /* and nobody looked who was master there */
    ends_as_expected(
        "nodes 3\npartitions autoheal\npolicy ha ^q "
        "{\"ha-mode\":\"all\",\"ha-promote-on-shutdown\":\"always\"}"
        "\ndeclare q durable\ncut node3 node1\n+0 publish node3 q transient hurried\nstop node3\nexpect m1 "
        "lost L5\n",
        SAYS("LOST m1 through L5"));
}

/* All were killed at once, and node1 never returns. */
static void a_node_that_is_off_forgets_another(void **state)
{
    (void)state;
    ends_as_expected(
        "nodes 3\npolicy ha ^q {\"ha-mode\":\"all\"}\ndeclare q durable\ndeclare alone durable\n"
        "publish node1 q 2\npublish node1 alone\nforget-offline node2 node1\nkill node1 node2 node3\n"
        "start node2 node3\nkill node2 node3\nforget-offline node2 node1\nstart node2\nstart node3\n"
        "expect m3 lost L4 step 9\nexpect all kept\n",
        SAYS("step 3  forget-offline node2 node1\n        refused: node2 was not killed",
             "step 5  start node2 node3\n        node2 node3 wait for the nodes that ran after them",
             "step 8  start node2\n        node2 waits for the nodes that ran after it",
             "step 9  start node3\n        node3 runs; q runs on node2, NOT in sync node3, holds m1 m2; "
             "alone is not there"));
    /* an app that is stopped is a process that is there; and who runs is not forgotten */
    ends_as_expected(
        "nodes 2\ndeclare q durable\npublish node2 q\nstop node2\nforget-offline node2 node1\nkill "
        "node2\nforget-offline node2 node1\nstart node2\nexpect all kept\n",
        SAYS("step 3  forget-offline node2 node1\n        refused: node2 was not killed",
             "step 5  forget-offline node2 node1\n        refused: node1 was not stopped",
             "step 6  start node2\n        node2 runs"));
}

/* A queue that no disk keeps goes with its node, and its messages with it, persistent or not. */
static void what_no_disk_keeps_goes_through_l5(void **state)
{
    (void)state;
    ends_as_expected("nodes 3\ndeclare q transient\npublish node1 q\nkill node1\nexpect m1 lost L5 step 2\n",
                     SAYS("q is not there", "LOST m1 through L5"));
    ends_as_expected(
        "nodes 3\ndeclare q transient {\"x-max-length\":2}\npublish node1 q 3\nstop node1\nexpect "
        "m1 dropped\nexpect all lost L5 step 2\n",
        SAYS("LOST m3 through L5"));
    /* mirrored: the mirror that takes over was not in sync, and the only copies went */
    ends_as_expected("nodes 3\npolicy ha ^q {\"ha-mode\":\"exactly\",\"ha-params\":2}\ndeclare q "
                     "transient\npublish node1 q\nstop node1\nkill node2\nexpect m1 lost L5 step 3\n",
                     SAYS("q runs on node3"));
    /* a node that pauses has ended, too, whether anybody stopped it or not */
    ends_as_expected("nodes 3\npartitions pause_minority\ndeclare q durable\npublish node1 q transient\npart "
                     "node1\nheal\nexpect m1 lost L5 step 3\n",
                     SAYS("q runs on node1"));
    /* with nothing left of it there is nothing that an operator throws away */
    ends_as_expected("nodes 2\ndeclare q transient\npublish node1 q\nkill node1 node2\nforce node2\nstart "
                     "node2\nexpect m1 lost L5\n",
                     SAYS("q is not there"));
}

/* On two sides: what one has is not lost as long as a disk of that side may come back. */
static void what_the_other_side_has_on_its_disk_is_unavailable(void **state)
{
    (void)state;
    static const char apart[] = "nodes 2\npolicy ha ^q {\"ha-mode\":\"all\"}\ndeclare q durable\npart node1\n"
                                "publish node2 q\nkill node1 node2\nstart node1\n";
    char *alone = format_text("%sexpect m1 unavailable\n", apart);
    ends_as_expected(alone, SAYS("AWAY m1: on disks of the other side, which does not run: node2",
                                 "unavailable: it is on disks of the other side, which does not run"));
    free(alone);
    char *found = format_text("%skill node1\nstart node2\nexpect m1 kept\n", apart);
    ends_as_expected(found,
                     SAYS("step 6  start node2\n        node2 runs; q runs on node2, no mirrors, holds m1"));
    free(found);
    char *discarded = format_text("%sheal\nstart node2\nexpect m1 lost L3 step 6\n", apart);
    ends_as_expected(discarded, SAYS("LOST m1 through L3"));
    free(discarded);
    /* what no disk keeps went with that side's last node */
    ends_as_expected(
        "nodes 2\npolicy ha ^q {\"ha-mode\":\"all\"}\ndeclare q durable\npart node1\npublish node2 q "
        "transient\nkill node2\nexpect m1 lost L5 step 3\n",
        SAYS("q runs on node1"));
    ends_as_expected(
        "nodes 3\npolicy ha ^q {\"ha-mode\":\"all\"}\npartitions autoheal\ndeclare q durable\npart "
        "node1\npublish node1 q\nheal\nexpect m1 lost L3 step 3\n",
        SAYS("2 masters"));
}

/* An operator is answered by one side, and what the other one has stays. */
static void operators_ask_one_side(void **state)
{
    (void)state;
    ends_as_expected(
        "nodes 3\npolicy ha ^q {\"ha-mode\":\"all\"}\ndeclare q durable\npublish node1 q\npart "
        "node1\npublish node1 q\npurge q\ndelete q\ndelete q\nexpect m1 kept\nexpect m2 consumed\n",
        SAYS("step 4  purge q\n        q has 2 masters, one on each side; node1, no mirrors, holds "
             "nothing; node2, in sync node3, holds m1",
             "step 5  delete q\n        q runs on node2",
             "step 6  delete q\n        refused: q is not there; q runs on node2", "1 kept, 1 consumed"));
    ends_as_expected(
        "nodes 2\npolicy ha ^q {\"ha-mode\":\"all\"}\ndeclare q durable\nclear ha\nclear ha\ndeclare "
        "q transient\ndeclare q durable\nkill node1\ndeclare q durable\n",
        SAYS("step 2  clear ha\n        refused: there is no policy ha; q runs",
             "step 3  declare q transient\n        refused: q is there, and not like that; q runs",
             "step 4  declare q durable\n        q runs",
             "step 6  declare q durable\n        refused: q does not run; q is down"));
}

/* Who restarts is taken in by the side of the first node that serves; its own is discarded. */
static void who_restarts_joins_the_first_side(void **state)
{
    (void)state;
    static const char two[] =
        "nodes 3\npolicy ha ^q {\"ha-mode\":\"all\"}\ndeclare q durable\ncut node1 node2\n"
        "publish node1 q\nheal\nkill %s\nstart %s\nexpect m1 kept\n";
    char *first = format_text(two, "node1", "node1"), *third = format_text(two, "node3", "node3");
    ends_as_expected(first, SAYS("node1 runs; q has 2 masters, one on each side; node2, in sync node1, holds "
                                 "nothing; node3, no mirrors, holds m1"));
    ends_as_expected(third,
                     SAYS("node3 runs; q has 2 masters, one on each side; node1, NOT in sync node3, holds "
                          "m1; node2, no mirrors, holds nothing"));
    free(first);
    free(third);
}

static void a_forgotten_node_does_not_start(void **state)
{
    (void)state;
    ends_as_expected(
        "nodes 3\npolicy ha ^q {\"ha-mode\":\"all\"}\ndeclare q durable\npublish node1 q\nkill node2\n"
        "forget node2\nstart node2\nstop node3\nforget node3\nstart node2 node3\nreset node2\nstart "
        "node2\nexpect m1 kept\n",
        SAYS("step 4  start node2\n        node2 does not start: it was forgotten; q runs on node1",
             "step 7  start node2 node3\n        node2 node3 do not start: they were forgotten",
             "step 9  start node2\n        node2 runs; q runs on node1, NOT in sync node2"));
}

/* Nobody is of more than half, or of all that there are: that is a rest, too. */
static void a_cut_that_nobody_can_go_on_with_is_a_rest(void **state)
{
    (void)state;
    ends_as_expected(
        "nodes 4\npartitions pause_minority\ndeclare q durable\npublish node1 q\nkill node4\ncut node1 "
        "node2\nheal\nstart node4\nexpect m1 kept\n",
        SAYS("step 3  cut node1 node2\n        q is down", "step 4  heal\n        q runs on node1",
             "step 5  start node4\n        node4 runs"));
    ends_as_expected(
        "nodes 4\npartitions autoheal\ndeclare q durable\npublish node1 q\ncut-one-way node4 node3\n"
        "cut node2 node3\nheal\nexpect m1 kept\n",
        SAYS("step 4  heal\n        q runs on node1"));
}

static void the_end_is_looked_at(void **state)
{
    (void)state;
    ends_as_expected("nodes 3\ndeclare q durable {\"x-max-length\":2}\npublish node1 q 4 hurried\nexpect m1 "
                     "dropped\nexpect m2 dropped\nexpect all kept\n",
                     SAYS("q runs on node1, no mirrors, holds m3 m4", "2 kept"));
    /* what was dropped before anybody looked met the limits of then */
    ends_as_expected(
        "nodes 2\npolicy l ^q {\"max-length\":2}\ndeclare q durable\npublish node1 q 2\npublish node2 "
        "q 2 hurried\nclear l\nexpect m1 dropped\nexpect m2 dropped\nexpect all kept\n",
        SAYS("ENDED m1 m2: dropped by max-length"));
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
        cmocka_unit_test(what_could_never_be_done_ends_it),
        cmocka_unit_test(a_transient_message_goes_with_its_last_holder),
        cmocka_unit_test(who_waits_is_started_once),
        cmocka_unit_test(what_a_limit_ends_is_no_loss),
        cmocka_unit_test(a_loss_in_a_queue_with_limits_is_a_loss),
        cmocka_unit_test(a_transient_message_goes_with_its_master_also_in_a_partition),
        cmocka_unit_test(a_node_that_is_off_forgets_another),
        cmocka_unit_test(what_no_disk_keeps_goes_through_l5),
        cmocka_unit_test(what_the_other_side_has_on_its_disk_is_unavailable),
        cmocka_unit_test(operators_ask_one_side),
        cmocka_unit_test(who_restarts_joins_the_first_side),
        cmocka_unit_test(a_forgotten_node_does_not_start),
        cmocka_unit_test(a_cut_that_nobody_can_go_on_with_is_a_rest),
        cmocka_unit_test(the_end_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

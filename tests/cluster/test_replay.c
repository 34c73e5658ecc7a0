/* test_replay.c: a schedule is one and the same in three worlds. Every file of lessons/schedules is played on
 * the simulator and on real nodes (the kit's; RabbitMQ with MIRRORLAB_TEST_ENGINE=rabbitmq, see make
 * test-schedules): the message that the simulator loses is lost there too, at the same step, through the same
 * door. What differs is written in the file itself (expect kit ..., expect rabbitmq ...) and in
 * docs/semantics.md. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sched.h"
#include "tests/cluster/test.h"
#include "tests/temporary.h"

#define FOLDER   "lessons/schedules"
#define LIMIT_MS 400000 /* RabbitMQ takes twenty seconds to start, and as many for a node that returns */

static struct lab lab;

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    struct text t = {0};
    char part[4096];
    assert_non_null(f);
    text_add(&t, "");
    for (size_t got; (got = fread(part, 1, sizeof(part), f)) > 0;)
        text_add_bytes(&t, part, got);
    fclose(f);
    return t.s;
}

/* `lab replay` of this file in this world, in a folder of its own; its exit code. */
static int replay(const char *path, const char *engine, struct text *out)
{
    assert_true(lab_init(&lab, 3));
    char program[PATH_MAX + 8], ports[32];
    snprintf(program, sizeof(program), "%s/lab", lab.bin);
    snprintf(ports, sizeof(ports), "%u,%u,%u", lab.amqp, lab.http, lab.peer);
    const char *argv[] = {program, "replay", path,      "--engine", engine,
                          "--dir", lab.dir,  "--ports", ports,      NULL};
    int code = run_program(out, LIMIT_MS, argv);
    for (unsigned n = 1; n <= 3; n++)
        assert_false(lab_alive(&lab, n)); /* every replay ends its nodes */
    lab_finish(&lab);
    return code;
}

static bool cuts_one_way(const struct sched *s)
{
    for (size_t i = 0; i < s->events.len; i++)
        if (s->events.items[i].verb == SCHED_CUT_ONE_WAY)
            return true;
    return false;
}

static bool forgets_offline(const struct sched *s)
{
    for (size_t i = 0; i < s->events.len; i++)
        if (s->events.items[i].verb == SCHED_FORGET_OFFLINE)
            return true;
    return false;
}

static bool differs(const struct sched *s, const char *engine)
{
    for (size_t i = 0; i < s->expects.len; i++)
        if (strcmp(s->expects.items[i].world, engine) == 0)
            return true;
    return false;
}

/* Behind the two lines that name the file and the world; on RabbitMQ what became of the messages, for its
 * words about a queue that waits are fewer. */
static const char *comparable(const char *text)
{
    const char *fates = strstr(text, "\nfates");
    if (!test_on_kit())
        return fates ? fates : text;
    for (unsigned i = 0; i < 2; i++)
        text = strchr(text, '\n') ? strchr(text, '\n') + 1 : text;
    return text;
}

static void one_file(const char *path)
{
    const char *engine = test_engine();
    struct text sim = {0}, real = {0};
    struct sched s;
    char *text = read_file(path), *error = NULL;
    if (sched_parse(&s, path, text, &error))
        fail_msg("%s", error);
    assert_code(replay(path, "sim", &sim), 0, &sim);
    int code = replay(path, engine, &real);
    if ((cuts_one_way(&s) || forgets_offline(&s)) && !test_on_kit()) {
        assert_code(code, 1, &real);
        assert_says(&real, "not possible on the engine rabbitmq");
    } else {
        assert_code(code, 0, &real);
        assert_says(&real, "as the schedule expects");
        if (!differs(&s, engine) && strcmp(comparable(text_str(&sim)), comparable(text_str(&real))) != 0)
            fail_msg("%s: the simulator says:\n%s\nand %s says:\n%s", path, text_str(&sim), engine,
                     text_str(&real));
    }
    print_message("%s: %s\n", path, engine);
    sched_finish(&s);
    free(text);
    text_finish(&sim);
    text_finish(&real);
}

static void every_schedule_ends_alike(void **state)
{
    (void)state;
    DIR *folder = opendir(FOLDER);
    unsigned files = 0;
    assert_non_null(folder);
    for (const struct dirent *e; (e = readdir(folder));) {
        size_t len = strlen(e->d_name);
        char path[512];
        if (len < 6 || strcmp(e->d_name + len - 6, ".sched") != 0)
            continue;
        snprintf(path, sizeof(path), FOLDER "/%s", e->d_name);
        one_file(path);
        files++;
    }
    closedir(folder);
    assert_true(files >= 7);
}

/* On the screen: what the nodes show after each step, at last where the message was lost; back to the step
 * before, where it is still there; and nothing runs once the screen is left. */
static void the_screen_shows_what_real_nodes_do(void **state)
{
    (void)state;
    static const char script[] = "until m1 is lost here, at step 5: a mirror that was not\n"
                                 "key {\n"
                                 "until m1   node1 \n"
                                 "until 0 of 1 lost\n"
                                 "quit\n";
    struct text out = {0};
    assert_true(lab_init(&lab, 3));
    char program[PATH_MAX + 8], ports[32], file[PATH_MAX + 16];
    snprintf(program, sizeof(program), "%s/lab", lab.bin);
    snprintf(ports, sizeof(ports), "%u,%u,%u", lab.amqp, lab.http, lab.peer);
    snprintf(file, sizeof(file), "%s.script", lab.dir);
    FILE *f = fopen(file, "we");
    fputs(script, f);
    fclose(f);
    const char *argv[] = {program,    "replay",      FOLDER "/five-steps.sched",
                          "--engine", test_engine(), "--dir",
                          lab.dir,    "--ports",     ports,
                          "--script", file,          NULL};
    assert_code(run_program(&out, LIMIT_MS, argv), 0, &out);
    assert_says(&out, "[x] 1 publish node1 q");
    assert_says(&out, "step 4 of 5, waiting for its facts: start node2");
    assert_says(&out, "1 of 1 lost");
    for (unsigned n = 1; n <= 3; n++)
        assert_false(lab_alive(&lab, n));
    unlink(file);
    text_finish(&out);
    lab_finish(&lab);
}

/* What no file of the folder has, word for word as on the simulator: a node that is off forgets the one that
 * never returns; what a limit ends. Times are long enough for a machine that is busy. */
static void a_text_ends_alike(const char *text)
{
    char *file = temporary_file("text", ".sched");
    assert_non_null(file);
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    one_file(file);
    unlink(file);
    free(file);
}

static void what_a_limit_ends_is_no_loss_on_real_nodes(void **state)
{
    (void)state;
    a_text_ends_alike("nodes 3\npolicy ha ^q {\"ha-mode\":\"all\",\"max-length\":3}\ndeclare q durable\n"
                      "publish node1 q 5\nkill node2\nkill node3\nstart node2\npublish node2 q\nkill node1\n"
                      "expect m1 dropped\nexpect m2 dropped\nexpect m3 dropped\nexpect m4 lost L1 step 6\n"
                      "expect m5 lost L1 step 6\nexpect m6 kept\n");
    a_text_ends_alike("nodes 3\ndeclare q durable {\"x-message-ttl\":20000}\ndeclare r durable "
                      "{\"x-max-length\":1,\"x-overflow\":\"reject-publish\"}\npublish node1 q 2\n"
                      "publish node1 r\npublish node1 r\n+25000 publish node1 q\nexpect m1 expired\n"
                      "expect m2 expired\nexpect m3 kept\nexpect m5 kept\n");
}

static void a_node_that_is_off_forgets_another(void **state)
{
    (void)state;
    static const char text[] =
        "nodes 3\npolicy ha ^q {\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}\ndeclare q durable\n"
        "declare alone durable\npublish node1 q 2\npublish node1 alone\nforget-offline node2 node1\n"
        "kill node3\nkill node2\nkill node1\nforget-offline node2 node1\nstart node2\nstart node3\n"
        "expect m3 lost L4 step 8\nexpect all kept\n";
    a_text_ends_alike(text);
}

/* Each message has an answer of its own: of five that come at once a queue that is full refuses three. */
static void what_is_refused_is_refused_alone(void **state)
{
    (void)state;
    a_text_ends_alike(
        "nodes 3\npolicy ha ^q {\"ha-mode\":\"all\"}\ndeclare q durable "
        "{\"x-max-length\":2,\"x-overflow\":\"reject-publish\"}\npublish node2 q 5\nconsume node1 q "
        "1\npublish node2 q 2\nexpect m1 consumed\nexpect m2 kept\nexpect m6 kept\n");
}

/* None of those that are killed at once hears of the others' end: nobody was the last. A queue that no disk
 * keeps goes with its node; what there is not, or not like that, is refused in the same words. */
static void ends_and_refusals_are_the_same(void **state)
{
    (void)state;
    a_text_ends_alike(
        "nodes 3\npolicy ha ^q {\"ha-mode\":\"all\"}\ndeclare q durable\npublish node1 q\nkill node1 "
        "node2 node3\nstart node3\nstart node1 node2\nexpect m1 kept\n");
    a_text_ends_alike("nodes 3\ndeclare q transient\npublish node1 q\nclear ha\ndeclare q durable\nkill "
                      "node1\nexpect m1 lost L5 step 4\n");
}

/* Of two sides the one of the first node that serves takes in who restarts; a link that is cut while one end
 * is off stays cut when that starts; a node that was forgotten does not start. (RabbitMQ: docs/semantics.md)
 */
static void starts_are_the_same_every_time(void **state)
{
    (void)state;
    if (!test_on_kit())
        skip();
    for (unsigned i = 0; i < 2; i++)
        a_text_ends_alike(
            "nodes 3\npolicy ha ^q {\"ha-mode\":\"all\"}\ndeclare q durable\ncut node1 node2\npublish "
            "node1 q\nheal\nstop node1\nstart node1\nexpect m1 kept\n");
    a_text_ends_alike(
        "nodes 3\npolicy ha ^q {\"ha-mode\":\"all\"}\ndeclare q durable\nkill node3\ncut node1 node3\n"
        "publish node1 q\nstart node3\nheal\nkill node2\nforget node2\nstart node2\nexpect m1 kept\n");
}

static void mistakes_are_told_before_anything_starts(void **state)
{
    (void)state;
    struct text out = {0};
    char program[PATH_MAX + 8];
    snprintf(program, sizeof(program), "%s/lab", lab.bin);
    assert_code(RUN(&out, program, "replay", "nowhere.sched"), 1, &out);
    assert_says(&out, "nowhere.sched: No such file or directory; name a schedule (*.sched)");
    assert_code(RUN(&out, program, "replay", "x.sched", "--engine", "cloud"), 64, &out);
    assert_says(&out, "--engine cloud: write sim, kit or rabbitmq");
    char *file = temporary_file("rule", ".sched");
    FILE *f = fopen(file, "we");
    assert_non_null(f);
    fputs("nodes 3\nrule best\npublish node1 q\n", f);
    fclose(f);
    assert_code(RUN(&out, program, "replay", file), 78, &out);
    assert_says(&out, ".sched:2: rule 'best': there is none of that name; write one of kit oldest");
    assert_code(
        RUN(&out, program, "replay", FOLDER "/five-steps.sched", "--engine", "kit", "--ports", "1,2,3"), 1,
        &out);
    assert_says(&out, "each counts up by one for every node, without running into the next");
    remove(file);
    free(file);
    assert_code(RUN(&out, program, "search", "--rule", "best"), 64, &out);
    assert_says(&out, "--rule best: no such rule; there are");
    assert_says(&out, "most-messages");
    assert_code(RUN(&out, program, "search", "--crashes", "many"), 64, &out);
    assert_says(&out, "--crashes many: write a number from 0 to 9");
    assert_code(RUN(&out, program, "search", "--policy", "{\"ha-mode\":\"some\"}"), 64, &out);
    assert_says(&out, "--policy {\"ha-mode\":\"some\"}: the nodes refuse it: ");
    assert_says(&out, "<<\"some\">> is not a valid ha-mode value"); /* never: nothing is lost with it */
    assert_code(RUN(&out, program, "search", "--policy", "{"), 64, &out);
    assert_code(RUN(&out, program, "search", "--rule"), 64, &out);
    assert_says(&out, "lab: --rule: no such option of search, or its value is missing");
    text_finish(&out);
}

/* lab search writes what lab replay plays, and prints five lines. */
static void what_the_search_finds_is_lost_on_real_nodes(void **state)
{
    (void)state;
    struct text out = {0};
    char program[PATH_MAX + 8], *file = temporary_file("found", ".sched");
    snprintf(program, sizeof(program), "%s/lab", lab.bin);
    assert_non_null(file);
    assert_code(RUN(&out, program, "search", "--rule", "oldest", "--crashes", "3", "--restarts", "3",
                    "--messages", "3", "--out", file),
                1, &out);
    assert_says(&out, "promise   I3, no confirmed message is lost: broken through L1");
    assert_says(&out, "message   m1, persistent, published in step 1, confirmed; LOST in step 5");
    assert_says(&out, "schedule  5 steps: publish node1 q, kill node2, kill node3, start node2, kill node1");
    assert_says(&out, "decision  pick_master(");
    assert_says(&out, "/lab replay "); /* by the path that it was started with */
    unsigned lines = 0;
    for (const char *c = text_str(&out); *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 5);
    assert_code(replay(file, test_engine(), &out), 0, &out);
    assert_says(&out, "LOST m1 through L1");
    assert_code(RUN(&out, program, "search", "--rule", "oldest", "--crashes", "2", "--restarts", "2"), 0,
                &out);
    assert_says(&out, "rule oldest: no schedule loses a message");
    remove(file);
    free(file);
    text_finish(&out);
}

static int setup(void **state)
{
    (void)state;
    bool good = lab_init(&lab, 3);
    lab_finish(&lab); /* where the programs are is all that is wanted now */
    return good ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_limit_ends_is_no_loss_on_real_nodes),
        cmocka_unit_test(a_node_that_is_off_forgets_another),
        cmocka_unit_test(what_is_refused_is_refused_alone),
        cmocka_unit_test(ends_and_refusals_are_the_same),
        cmocka_unit_test(starts_are_the_same_every_time),
        cmocka_unit_test(the_screen_shows_what_real_nodes_do),
        cmocka_unit_test(mistakes_are_told_before_anything_starts),
        cmocka_unit_test(every_schedule_ends_alike),
        cmocka_unit_test(what_the_search_finds_is_lost_on_real_nodes),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

/* test_sched.c: the text of schedules: what every line means, and what is said of a wrong one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/sched.h"
#include "base/text.h"

static struct sched read_as(const char *text)
{
    struct sched s;
    char *error = NULL;
    if (sched_parse(&s, "a.sched", text, &error))
        fail_msg("%s", error);
    return s;
}

static void refused(const char *text, const char *words)
{
    struct sched s;
    char *error = NULL;
    assert_int_equal(sched_parse(&s, "a.sched", text, &error), ERR_INVALID);
    assert_string_equal(error, words);
    free(error);
    sched_finish(&s); /* empty: nothing happens */
}

static void a_story(void **state)
{
    (void)state;
    struct sched s = read_as("# one message\n#\n# and more words\n"
                             "nodes 4\nrule oldest\npartitions pause_minority\n"
                             "policy ha ^q {\"ha-mode\": \"all\"}   # all of them\n"
                             "declare q durable\n"
                             "\n"
                             "publish node1 q 3 transient   # three\n"
                             "  kill\tnode2   node4\r\n"
                             "+250 start node2\n"
                             "part node1,node3\n"
                             "heal\nheal node1 node3\n"
                             "slow node1 node2 20 300\n"
                             "expect rabbitmq m1 lost L5 step 2\nexpect all kept");
    assert_string_equal(s.title, "one message");
    assert_int_equal(s.nodes, 4);
    assert_string_equal(s.rule, "oldest");
    assert_int_equal(s.partitions, SCHED_PAUSE_MINORITY);
    assert_int_equal(s.steps, 7);
    const struct sched_event *e = s.events.items;
    assert_int_equal(e[0].verb, SCHED_POLICY);
    assert_int_equal(e[0].step, 0);
    assert_string_equal(e[0].second, "^q");
    assert_string_equal(e[0].third, "{\"ha-mode\": \"all\"}");
    assert_int_equal(e[2].verb, SCHED_PUBLISH);
    assert_int_equal(e[2].step, 1);
    assert_int_equal(e[2].line, 10);
    assert_int_equal(e[2].numbers[0], 3);
    assert_true(e[2].transient);
    assert_string_equal(e[2].text, "publish node1 q 3 transient");
    assert_int_equal(e[3].nodes, 1u << 1 | 1u << 3);
    assert_string_equal(e[3].text, "kill node2 node4");
    assert_true(e[3].rushed && !e[3].timed);
    assert_true(e[4].timed && !e[4].rushed);
    assert_int_equal(e[4].wait_ms, 250);
    assert_int_equal(e[5].nodes, 1u | 1u << 2);
    assert_int_equal(e[6].node, SCHED_NONE);
    assert_int_equal(e[7].other, 2);
    assert_int_equal(e[8].numbers[0], 20);
    assert_int_equal(e[8].numbers[1], 300);
    assert_int_equal(s.expects.len, 2);
    assert_string_equal(s.expects.items[0].world, "rabbitmq");
    assert_int_equal(s.expects.items[0].message, 1);
    assert_string_equal(s.expects.items[0].door, "L5");
    assert_int_equal(s.expects.items[0].step, 2);
    assert_int_equal(s.expects.items[1].message, 0);
    assert_int_equal(s.expects.items[1].fate, SCHED_KEPT);
    sched_finish(&s);
}

static void set_up_ends_with_the_first_event(void **state)
{
    (void)state;
    struct sched s = read_as("declare q\nkill node1\npolicy ha ^q {}\n");
    assert_int_equal(s.events.items[0].step, 0);
    assert_int_equal(s.events.items[1].step, 1);
    assert_int_equal(s.events.items[2].step, 2); /* changing a policy is something that happens */
    sched_finish(&s);
    s = read_as("+0 policy ha ^q {}\n+50 declare q\n"); /* as the swarm writes it */
    assert_int_equal(s.events.items[0].step, 1);
    assert_true(s.events.items[0].rushed);
    sched_finish(&s);
    s = read_as("");
    assert_int_equal(s.events.len, 0);
    assert_int_equal(s.nodes, 3);
    assert_string_equal(s.rule, "kit");
    sched_finish(&s);
    s = read_as("seed 18446744073709 cuts,clogs\nnodes 6\n+0 kill node6\n");
    assert_true(s.seeded);
    sched_finish(&s);
    s = read_as("seed 3 cuts,clogs\nclock node2 -1500\nfull-disk node1\n");
    assert_true(s.events.items[0].jump_ms == -1500);
    assert_int_equal(s.events.items[1].verb, SCHED_FULL_DISK);
    assert_string_equal(s.faults, "cuts,clogs");
    sched_finish(&s);
    s = read_as("seed 3\n+250~7 kill node1\n+0 start node1\n");
    assert_int_equal(s.events.items[0].wait_ms, 250);
    assert_int_equal(s.events.items[0].luck, 7);
    assert_string_equal(s.events.items[0].text, "kill node1");
    assert_int_equal(s.events.items[1].luck, 0);
    sched_finish(&s);
}

/* What a seed's schedule says of its clients is all that they are: written and read, nothing changes. */
static void clients_are_read_as_they_are_written(void **state)
{
    (void)state;
    static const char text[] =
        "seed 7\n"
        "publisher 1 q1 every 5000us messages 20 persistent 50%\n"
        "consumer 2 q1 every 9000us prefetch 3 no-ack cancel-on-failover settles 700us requeues 20% "
        "rejects 10% leaves 5%\n"
        "getter 4 q1 every 20000us no-ack settles 20000us requeues 30%\n"
        "owner 5 qx every 30000us durable\n"
        "owner 6 qx every 30000us\n";
    struct sched s = read_as(text);
    assert_int_equal(s.clients.len, 5);
    const struct sched_client *c = s.clients.items;
    assert_int_equal(c[0].kind, SCHED_PUBLISHER);
    assert_int_equal(c[0].every_us, 5000);
    assert_int_equal(c[0].messages, 20);
    assert_int_equal(c[0].persistent_percent, 50);
    assert_int_equal(c[1].prefetch, 3);
    assert_true(c[1].no_ack && c[1].cancel_on_failover);
    assert_int_equal(c[1].discard_percent, 10);
    assert_int_equal(c[2].number, 4);
    assert_string_equal(c[3].queue, "qx");
    assert_true(c[3].durable && !c[4].durable);
    struct text again = {0};
    text_add(&again, "seed 7\n");
    for (size_t i = 0; i < s.clients.len; i++)
        sched_client_write(&again, &c[i]);
    assert_string_equal(text_str(&again), text);
    text_finish(&again);
    sched_finish(&s);
    s = read_as("policy a ^q 7 {\"ha-mode\":\"all\"}\npolicy b ^q {}\n");
    assert_int_equal(s.events.items[0].numbers[0], 7);
    assert_string_equal(s.events.items[0].third, "{\"ha-mode\":\"all\"}");
    assert_int_equal(s.events.items[1].numbers[0], 0);
    sched_finish(&s);
    s = read_as("declare q {\"x-max-length\": 5}\ndeclare p transient {\"x-max-priority\":2}\n");
    assert_string_equal(s.events.items[0].third, "{\"x-max-length\": 5}");
    assert_int_equal(s.events.items[0].queue_kind, SCHED_QUEUE_DURABLE);
    assert_string_equal(s.events.items[1].third, "{\"x-max-priority\":2}");
    assert_int_equal(s.events.items[1].queue_kind, SCHED_QUEUE_TRANSIENT);
    sched_finish(&s);
}

static void a_wrong_client_is_named(void **state)
{
    (void)state;
    refused("publisher 1 q every 5us\n",
            "a.sched:1: a publisher has its luck from a seed; write one at the top, such as: seed 77");
    refused("seed 7\nconsumer q every 5us\n",
            "a.sched:2: consumer 'q': write a number from 1 to 16, then its queue");
    refused("seed 7\nconsumer 3\n", "a.sched:2: consumer 3: write its queue behind it");
    refused("seed 7\nconsumer 3 q\n",
            "a.sched:2: consumer 3: write how often it does something, such as every 5000us");
    refused("seed 7\nowner 3 q prefetch 1\n",
            "a.sched:2: owner: 'prefetch' is no word of it; there is every Nus, durable");
    refused("seed 7\nconsumer 3 q every 5\n", "a.sched:2: every '5': write a number from 0 to 10000000us");
    refused("seed 7\nkill node1\ngetter 3 q every 5us\n",
            "a.sched:3: this says what the world is like: write it before the first event");
    refused("policy a ^q 7\n",
            "a.sched:1: 'policy a ^q 7' ends too early; write: policy NAME PATTERN [PRIORITY] DEFINITION");
    refused("declare q durable x\n",
            "a.sched:1: 'x' are no arguments; write them as JSON: {\"x-max-length\":5}");
}

static void a_wrong_line_is_named(void **state)
{
    (void)state;
    struct sched s;
    char *error = NULL;
    assert_int_equal(sched_parse(&s, "a.sched", "nodes 3\n\nkil node1\n", &error), ERR_INVALID);
    for (unsigned v = 0; v < SCHED_VERB_COUNT_; v++) /* it names them all */
        assert_non_null(strstr(error, sched_verb_word((enum sched_verb)v)));
    error[strlen("a.sched:3: 'kil' is no event; there are publish")] = '\0';
    assert_string_equal(error, "a.sched:3: 'kil' is no event; there are publish");
    free(error);
    refused("kill nod1\n", "a.sched:1: 'nod1' is not a node; write node1 to node6");
    refused("kill node7\n", "a.sched:1: 'node7' is not a node; write node1 to node6");
    refused("kill node4\n",
            "a.sched:1: 'kill node4', but there are 3 nodes; write nodes N at the top, or another node");
    refused("kill\n", "a.sched:1: 'kill' ends too early; write: kill NODE...");
    refused(
        "publish node1\n",
        "a.sched:1: 'publish node1' ends too early; write: publish NODE QUEUE [COUNT] [transient] [hurried]");
    refused("publish node1 q many\n", "a.sched:1: 'many' after publish NODE QUEUE: write how many (1 to "
                                      "1000000), transient or hurried");
    refused("publish node1 q 0\n", "a.sched:1: '0' after publish NODE QUEUE: write how many (1 to 1000000), "
                                   "transient or hurried");
    refused("sync q now\n", "a.sched:1: 'now' is one word too many; write: sync QUEUE");
    refused("cut node1 node1\n", "a.sched:1: node1 twice: a link has two ends");
    refused("forget-offline node2 node2\n", "a.sched:1: node2 twice: no node forgets itself");
    refused("forget-offline node2\n",
            "a.sched:1: 'forget-offline node2' ends too early; write: forget-offline NODE NODE");
    refused("heal node1\n", "a.sched:1: 'heal node1' ends too early; write: heal [NODE NODE]");
    refused("part node1,x\n", "a.sched:1: 'x' is not a node; write nodes with commas between: node1,node3");
    refused("nodes 2\npart node1,node2\n",
            "a.sched:2: 'part node1,node2' leaves nobody on the other side; write fewer nodes");
    refused("clog node1 node2 -5\n", "a.sched:1: '-5' is not a number from 0 to 1000000");
    refused("clock node1 soon\n",
            "a.sched:1: 'soon' is no jump of a clock; write milliseconds, such as 500 or -500");
    refused("declare q lazy\n",
            "a.sched:1: 'lazy' is no kind of queue; write durable, transient or auto-delete");
    refused("+x kill node1\n", "a.sched:1: '+x' is no time; write + and milliseconds: +250");
    refused("seed 1\n+9~0 heal\n",
            "a.sched:2: '~0' is no luck; write ~ and a number from 1 behind the time: +250~7");
    refused("+9~5 heal\n", "a.sched:1: ~5: only a seed has luck; write one at the top, such as: seed 77");
    refused("+9\n", "a.sched:1: nothing happens after +9; write an event behind it");
    refused("nodes 7\n", "a.sched:1: nodes '7': write a number from 1 to 6");
    refused("nodes 2 3\n", "a.sched:1: '3' is one word too many");
    refused("kill node1\nnodes 3\n",
            "a.sched:2: this says what the world is like: write it before the first event");
    refused("partitions none\n", "a.sched:1: partitions 'none': write ignore, pause_minority or autoheal");
    refused("seed x\n", "a.sched:1: seed 'x': write a number");
    refused("nodes 3\n\nnodes 2\n", "a.sched:3: 'nodes' stands in line 1 already; leave one of the two out");
    refused("rule kit\nrule kit\n", "a.sched:2: 'rule' stands in line 1 already; leave one of the two out");
    refused("partitions ignore\npartitions autoheal\n",
            "a.sched:2: 'partitions' stands in line 1 already; leave one of the two out");
    refused("seed 1\nseed 2\n", "a.sched:2: 'seed' stands in line 1 already; leave one of the two out");
}

static void a_wrong_expectation_is_named(void **state)
{
    (void)state;
#define FORM                                                                                                 \
    "write: expect [sim|kit|rabbitmq] mN|all kept|lost|unavailable|consumed|dropped|expired [L1 to L5] "     \
    "[step K]"
    refused("expect\n", "a.sched:1: '' is no message; " FORM);
    refused("expect m0 kept\n", "a.sched:1: 'm0' is no message; " FORM);
    refused("expect sim\n", "a.sched:1: '' is no message; " FORM);
    refused("expect m1 gone\n", "a.sched:1: 'gone' is no fate; " FORM);
    refused("expect m1 kept L1\n", "a.sched:1: 'L1' here says nothing; " FORM);
    refused("expect m1 lost L6\n", "a.sched:1: 'L6' here says nothing; " FORM);
    refused("expect m1 lost step\n", "a.sched:1: '' here says nothing; " FORM);
#undef FORM
}

static void one_event_alone(void **state)
{
    (void)state;
    struct sched_event e;
    char *error = NULL;
    assert_int_equal(sched_parse_event(&e, "x", 7, " +5  stop node3 ", &error), 0);
    assert_int_equal(e.verb, SCHED_STOP);
    assert_int_equal(e.wait_ms, 5);
    assert_string_equal(e.text, "stop node3");
    sched_event_finish(&e);
    assert_int_equal(sched_parse_event(&e, "x", 7, "  ", &error), ERR_INVALID);
    assert_string_equal(error, "x:7: there is no event");
    free(error);
}

/* Whatever the bytes: it is read, or refused with the file's name, and nothing is left behind. */
static void rubbish_is_refused_in_words(void **state)
{
    (void)state;
    static const char *const words[] = {"publish", "node1", "node2", "q",     "+10",    "kill", "expect",
                                        "m1",      "lost",  "L1",    "nodes", "3",      "seed", "part",
                                        "node1,",  ",",     "#",     "{}",    "heal",   "\xff", "policy",
                                        "getter",  "1",     "every", "5us",   "declare"};
    uint32_t random = 1;
    for (unsigned run = 0; run < 20000; run++) {
        struct text t = {0};
        text_add(&t, "");
        for (unsigned i = 0; i < 12; i++) {
            random = random * 1664525u + 1013904223u;
            text_add(&t, words[(random >> 16) % ARRAY_LEN(words)]);
            text_add(&t, (random >> 8) % 3 ? " " : "\n");
        }
        struct sched s;
        char *error = NULL;
        if (sched_parse(&s, "r", text_str(&t), &error))
            assert_int_equal(strncmp(error, "r:", 2), 0);
        else
            assert_null(error);
        sched_finish(&s);
        free(error);
        text_finish(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_story),
        cmocka_unit_test(set_up_ends_with_the_first_event),
        cmocka_unit_test(clients_are_read_as_they_are_written),
        cmocka_unit_test(a_wrong_client_is_named),
        cmocka_unit_test(a_wrong_line_is_named),
        cmocka_unit_test(a_wrong_expectation_is_named),
        cmocka_unit_test(one_event_alone),
        cmocka_unit_test(rubbish_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

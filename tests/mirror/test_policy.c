/* test_policy.c: policies refused with RabbitMQ's words, patterns, and placement case by case. */
#include "tests/mirror/check.h"

#include <stdlib.h>
#include <string.h>

#include "mirror/policy.h"

static char *const names[] = {"node1", "node2", "node3", "node4", "node5"};
enum { A, B, C, D, E };

static struct policy *policy(const char *definition)
{
    char *error = NULL;
    struct policy *p = policy_create("p", "^q", "queues", definition, 0, names, 5, &error);
    if (!p)
        fail_msg("%s: %s", definition, error);
    return p;
}

static void refused(const char *pattern, const char *apply_to, const char *definition, const char *words)
{
    char *error = NULL;
    assert_null(policy_create("p", pattern, apply_to, definition, 0, names, 5, &error));
    assert_string_equal(error, words);
    free(error);
}

/* The words behind "Validation failed" that rabbitmqctl set_policy printed. A definition that is no JSON at all does not
 * come this far: tests/labctl has what is said of it. */
static void test_refused_with_rabbitmqs_words(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *definition, *words;
    } all[] = {
        /* recorded from RabbitMQ 3.10.8 (tests/labctl/recorded/set_policy-bad.txt), in its order */
        {"^x", "{\"ha-mode\":\"some\"}", "<<\"some\">> is not a valid ha-mode value"},
        {"^x", "{\"ha-mode\":\"exactly\"}", "ha-mode=\"exactly\" takes an integer, none given"},
        {"^x(", "{\"ha-mode\":\"all\"}",
         "pattern should be regular expression but is invalid: {\"missing )\",3}"},
        /* asked of it since */
        {"^x", "{\"ha-mode\":\"all\",\"ha-params\":2}", "ha-mode=\"all\" does not take parameters"},
        {"^x", "{\"ha-mode\":\"\"}", "<<>> is not a valid ha-mode value"},
        {"^x", "{\"ha-mode\":\"exactly\",\"ha-params\":\"2\"}",
         "ha-mode=\"exactly\" takes an integer, <<\"2\">> given"},
        {"^x", "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",2,3]}",
         "ha-mode=\"nodes\" takes a list of strings, [2,3] was not a string"},
        {"^x", "{\"ha-promote-on-failure\":\"when-synced\"}",
         "ha-mode must be specified to specify ha-params, ha-sync-mode or ha-promote-on-shutdown"},
        {"^x", "{\"ha-sync-batch-size\":5}",
         "ha-mode must be specified to specify ha-params, ha-sync-mode or ha-promote-on-shutdown"},
        {"^x", "{\"message-ttl\":-1}", "-1 is not a valid message TTL"},
        {"^x", "{\"message-ttl\":\"5\"}", "<<\"5\">> is not a valid message TTL"},
        {"^x", "{\"max-length\":1.5}", "1.5 is not a valid maximum length"},
        {"^x", "{\"queue-mode\":\"x\"}", "<<\"x\">> is not a valid queue-mode value"},
        {"^x", "{\"queue-master-locator\":\"foo\"}", "<<\"foo\">> invalid queue-master-locator value"},
        {"^x", "{\"foo\":\"x\",\"bar\":[1,\"a\"]}",
         "[{<<\"bar\">>,[1,<<\"a\">>]},{<<\"foo\">>,<<\"x\">>}] are not recognised policy settings"},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        refused(all[i].pattern, NULL, all[i].definition, all[i].words);
    policy_destroy(policy("{\"queue-mode\":\"lazy\"}"));
}

static void test_patterns(void **state)
{
    (void)state;
    char *error = NULL;
    struct policy *p =
        policy_create("p", "^(?!amq\\.)", "queues", "{\"ha-mode\":\"all\"}", 0, names, 5, &error);
    assert_non_null(p);
    assert_true(policy_matches(p, "queues", "hello"));
    assert_false(policy_matches(p, "queues", "amq.gen-1"));
    assert_false(policy_matches(p, "exchanges", "hello"));
    policy_destroy(p);
}

static void places(const char *definition, node_id master, const char *mirrors, const char *synced,
                   const char *running, const char *want)
{
    node_id list[LIMIT_NODES];
    size_t len = strlen(mirrors);
    node_set synced_set = 0, running_set = 0;
    for (size_t i = 0; i < len; i++)
        list[i] = (node_id)(mirrors[i] - 'A');
    for (const char *s = synced; *s; s++)
        synced_set |= node_bit((node_id)(*s - 'A'));
    for (const char *s = running; *s; s++)
        running_set |= node_bit((node_id)(*s - 'A'));
    struct policy *p = definition ? policy(definition) : NULL;
    struct placement got = place(p, master, list, len, synced_set, running_set);
    char text[LIMIT_NODES + 3] = {(char)('A' + got.master), '/'};
    for (size_t i = 0; i < got.mirrors_len; i++)
        text[2 + i] = (char)('A' + got.mirrors[i]);
    assert_string_equal(text, want);
    policy_destroy(p);
}

#define ALL       "{\"ha-mode\":\"all\"}"
#define EXACTLY_1 "{\"ha-mode\":\"exactly\",\"ha-params\":1}"
#define EXACTLY_2 "{\"ha-mode\":\"exactly\",\"ha-params\":2}"
#define EXACTLY_4 "{\"ha-mode\":\"exactly\",\"ha-params\":4}"
#define ON(nodes) "{\"ha-mode\":\"nodes\",\"ha-params\":[" nodes "]}"

static void test_placement(void **state)
{
    (void)state;
    places(NULL, A, "", "", "ABC", "A/");
    places(NULL, A, "BC", "BC", "ABC", "A/");
    places(ALL, A, "", "", "ABC", "A/BC");
    places(ALL, B, "", "", "ABC", "B/CA");
    places(ALL, A, "CB", "C", "ABC", "A/CB"); /* age is kept */
    places(ALL, A, "BC", "BC", "AC", "A/C");
    /* exactly: keep, trim, add */
    places(EXACTLY_2, A, "", "", "ABC", "A/B");
    places(EXACTLY_2, C, "", "", "ABC", "C/A");
    places(EXACTLY_2, B, "C", "C", "ABC", "B/C");  /* the returning node1 finds no free place (recording 2) */
    places(EXACTLY_2, B, "A", "", "BC", "B/C");    /* a dead mirror's place goes to another */
    places(EXACTLY_2, A, "BC", "C", "ABC", "A/C"); /* the only synchronised copy stays */
    places(EXACTLY_2, A, "BC", "BC", "ABC", "A/B");
    places(EXACTLY_1, A, "BC", "BC", "ABC", "A/");
    places(EXACTLY_4, A, "", "", "ABC", "A/BC"); /* fewer nodes than asked: all of them */
    places(EXACTLY_4, A, "BC", "BC", "ABCDE", "A/BCD");
    places(EXACTLY_4, A, "BCD", "BCD", "ABCE", "A/BCE");
    /* nodes */
    places(ON("\"node1\",\"node2\""), A, "", "", "ABC", "A/B");
    places(ON("\"node1\",\"node3\""), A, "B", "B", "ABC", "A/C");
    places(ON("\"node2@localhost\",\"node3\""), A, "C", "C", "ABC",
           "C/B"); /* a synchronised listed mirror takes over */
    places(ON("\"node2\",\"node3\""), A, "BC", "C", "ABC", "C/B");
    places(ON("\"node2\",\"node3\""), A, "BC", "", "ABC",
           "A/BC");                                    /* none is in sync: the master stays until one is */
    places(ON("\"node4\""), A, "B", "B", "ABC", "A/"); /* none runs: the master stays, no mirrors */
    places(ON("\"node3\",\"elsewhere\""), A, "", "", "ABC", "A/C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_with_rabbitmqs_words),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_placement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_fact.c: facts come out in words as they were put in, in another order too, and whatever a recording
 * from elsewhere holds in their place does no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lab/fact.h"

static void assert_words(json_t *fact, const char *(*translate)(const char *), const char *words)
{
    char *text = fact_text(fact, translate);
    assert_string_equal(text, words);
    free(text);
    json_decref(fact);
}

static void in_english(void **state)
{
    (void)state;
    assert_words(fact_of("%s not running", "node1"), NULL, "node1 not running");
    assert_words(fact_of("+%u on %s", 2u, "node2, node3"), NULL, "+2 on node2, node3");
    assert_words(fact_of("sync %lld%%", 60LL), NULL, "sync 60%");
    assert_words(fact_of("m%zu", (size_t)7), NULL, "m7");
    assert_words(fact_with("state=%s", fact_word("running"), NULL), NULL, "state=running");
    assert_words(NULL, NULL, "");
    json_t *all = NULL;
    fact_add(&all, "%s; %s", fact_of("%s is there", "100% %s"));
    fact_add(&all, "%s; %s", NULL);
    fact_add(&all, "%s; %s", fact_word("durable"));
    fact_add(&all, "%s; %s", json_string("%d"));
    assert_words(all, NULL, "100% %s is there; durable; %d"); /* what is no format stays as it is */
}

static const char *backwards(const char *format)
{
    return strcmp(format, "%s on %s") == 0 ? "on %2$s: %1$s"
           : strcmp(format, "mirror") == 0 ? "Spiegel"
                                           : format;
}

static void in_another_language(void **state)
{
    (void)state;
    assert_words(fact_with("%s on %s", fact_word("mirror"), json_string("node2")), backwards,
                 "on node2: Spiegel");
    assert_words(fact_of("%s on %s", "mirror", "node2"), backwards, "on node2: mirror"); /* a name stays */
}

static void what_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *json, *words;
    } cases[] = {
        {"7", ""},           {"[]", ""},           {"[7]", ""},
        {"{}", ""},          {"[\"%s\"]", ""},     {"[\"%s and %s\", \"a\"]", "a and "},
        {"[\"%9$s\"]", ""},  {"[\"%\"]", "%"},     {"[\"%d %99999999999$s\", \"a\"]", "%d %99999999999$s"},
        {"[\"a\", 1]", "a"}, {"[\"%1$\"]", "%1$"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_words(json_loads(cases[i].json, JSON_DECODE_ANY, NULL), NULL, cases[i].words);
    json_t *deep = json_string("deep");
    for (int i = 0; i < 1000; i++)
        deep = fact_with("%s", deep, NULL);
    assert_words(deep, NULL, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_english),
        cmocka_unit_test(in_another_language),
        cmocka_unit_test(what_is_none),
    };
    return cmocka_run_group_tests_name("lab/fact", tests, NULL, NULL);
}

/* test_properties.c: a message's properties from JSON to AMQP's bytes and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "host/api_properties.h"

static struct message *make(const char *json, const char **wrong)
{
    json_t *properties = json_loads(json, 0, NULL);
    assert_non_null(properties);
    struct message *m = properties_message(properties, "x", "key", bytes_str("body"), wrong);
    json_decref(properties);
    return m;
}

static void what_goes_in_comes_out(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "{}",
        "{\"delivery_mode\":2}",
        "{\"content_type\":\"text/"
        "plain\",\"content_encoding\":\"utf-8\",\"correlation_id\":\"c\",\"reply_to\":\"r\","
        "\"expiration\":\"60000\",\"message_id\":\"m\",\"type\":\"t\",\"user_id\":\"u\",\"app_id\":\"a\","
        "\"cluster_id\":\"k\",\"timestamp\":1795383504,\"priority\":7,\"delivery_mode\":1}",
        "{\"headers\":{\"n\":-5,\"s\":\"\xe9\x95\x9c\xe5\x83\x8f\",\"b\":true,\"f\":false,\"list\":[1,"
        "\"two\",{\"three\":3}],"
        "\"table\":{\"deep\":{\"er\":[]}},\"nothing\":null}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *wrong = NULL;
        struct message *m = make(cases[i], &wrong);
        assert_non_null(m);
        json_t *was = json_loads(cases[i], 0, NULL), *is = properties_to_json(message_props(m));
        assert_true(json_equal(was, is));
        json_decref(was);
        json_decref(is);
        message_unref(m);
    }
}

static void the_broker_finds_what_it_needs_in_the_message(void **state)
{
    (void)state;
    const char *wrong = NULL;
    struct message *m = make("{\"delivery_mode\":2,\"priority\":9,\"expiration\":\"1500\"}", &wrong);
    assert_true(m->persistent);
    assert_int_equal(m->priority, 9);
    assert_int_equal(m->expiration_ms, 1500);
    assert_true(bytes_is(message_exchange(m), "x"));
    assert_true(bytes_is(message_key(m), "key"));
    assert_true(bytes_is(message_body(m), "body"));
    message_unref(m);
    m = make("{}", &wrong);
    assert_false(m->persistent);
    assert_true(m->expiration_ms == UINT64_MAX);
    message_unref(m);
}

static void what_cannot_be_a_property_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *json, *wrong;
    } cases[] = {
        {"{\"delivery_mode\":3}", "delivery_mode"},  {"{\"delivery_mode\":\"2\"}", "delivery_mode"},
        {"{\"priority\":256}", "priority"},          {"{\"priority\":-1}", "priority"},
        {"{\"expiration\":\"soon\"}", "expiration"}, {"{\"expiration\":\"\"}", "expiration"},
        {"{\"content_type\":5}", "content_type"},    {"{\"headers\":[]}", "headers"},
        {"{\"timestamp\":1.5}", "timestamp"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *wrong = NULL;
        assert_null(make(cases[i].json, &wrong));
        assert_string_equal(wrong, cases[i].wrong);
    }
}

static void too_long_is_refused_not_cut(void **state)
{
    (void)state;
    struct text name = {0}, json = {0};
    const char *wrong = NULL;
    while (name.len < 256)
        text_add(&name, "n");
    text_printf(&json, "{\"message_id\":\"%s\"}", name.s);
    assert_null(make(json.s, &wrong));
    assert_string_equal(wrong, "message_id");
    text_clear(&json);
    text_printf(&json, "{\"headers\":{\"a\":[{\"%s\":1}]}}", name.s);
    assert_null(make(json.s, &wrong));
    assert_string_equal(wrong, "headers");
    text_clear(&json);
    text_add(&json, "{\"headers\":{\"a\":\"");
    while (json.len < 200000)
        text_add(&json, name.s);
    text_add(&json, "\"}}");
    assert_null(make(json.s, &wrong)); /* more than properties may take */
    assert_string_equal(wrong, "headers");
    text_finish(&name);
    text_finish(&json);
}

static void broken_bytes_are_no_properties(void **state)
{
    (void)state;
    static const uint8_t cut[] = {0x80, 0x00, 0x0a, 't',
                                  'e'}; /* a content type of ten bytes, two are there */
    json_t *json = properties_to_json(bytes_of(cut, sizeof(cut)));
    assert_int_equal(json_object_size(json), 0);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(the_broker_finds_what_it_needs_in_the_message),
        cmocka_unit_test(what_cannot_be_a_property_is_named),
        cmocka_unit_test(too_long_is_refused_not_cut),
        cmocka_unit_test(broken_bytes_are_no_properties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

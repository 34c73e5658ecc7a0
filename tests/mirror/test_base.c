/* test_base.c: maps against a plain list, texts, error texts, messages. */
#include "tests/mirror/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/nearest.h"
#include "base/err.h"
#include "base/map.h"
#include "base/message.h"
#include "base/rng.h"
#include "base/text.h"
#include "base/vec.h"

#define KEYS 300

/* every operation is done on a map and on a plain array; they must agree, whatever the order */
static void test_map_agrees_with_an_array(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rng rng;
        rng_init(&rng, seed);
        struct map text, number;
        map_init(&text);
        map_init(&number);
        void *plain[KEYS] = {0};
        size_t count = 0;
        static int values[KEYS];
        for (int step = 0; step < 4000; step++) {
            size_t k = rng_below(&rng, KEYS);
            char key[16];
            snprintf(key, sizeof(key), "key-%zu", k);
            if (rng_chance(&rng, 55)) {
                assert_ptr_equal(map_set(&text, bytes_str(key), &values[k]), plain[k]);
                map_set_u64(&number, k * 7919, &values[k]);
                count += plain[k] == NULL;
                plain[k] = &values[k];
            } else {
                assert_ptr_equal(map_remove(&text, bytes_str(key)), plain[k]);
                assert_ptr_equal(map_remove_u64(&number, k * 7919), plain[k]);
                count -= plain[k] != NULL;
                plain[k] = NULL;
            }
            assert_ptr_equal(map_get_str(&text, key), plain[k]);
            assert_ptr_equal(map_get_u64(&number, k * 7919), plain[k]);
            assert_int_equal(text.count, count);
        }
        size_t at = 0, seen = 0;
        while (map_next(&text, &at))
            seen++;
        assert_int_equal(seen, count);
        map_finish(&text);
        map_finish(&number);
    }
}

static void test_map_walk_may_remove(void **state)
{
    (void)state;
    struct map m;
    map_init(&m);
    int value;
    for (uint64_t k = 0; k < 100; k++)
        map_set_u64(&m, k, &value);
    size_t at = 0;
    uint64_t k = 0;
    while (map_next(&m, &at))
        map_remove_u64(&m, k++);
    assert_int_equal(k, 100);
    assert_int_equal(m.count, 0);
    map_finish(&m);
}

static void test_text_grows(void **state)
{
    (void)state;
    struct text t = {0};
    assert_string_equal(text_str(&t), "");
    for (int i = 0; i < 1000; i++)
        text_printf(&t, "%d,", i);
    assert_int_equal(t.len, strlen(t.s));
    assert_string_equal(t.s + t.len - 8, "998,999,");
    text_clear(&t);
    text_add(&t, "again");
    assert_string_equal(t.s, "again");
    text_finish(&t);
}

static void test_words_for_a_shell(void **state)
{
    (void)state;
    struct text t = {0};
    const char *const words[] = {"labctl", "a b", "", "it's", "^q", "x=1,y%"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        text_add_shell_word(&t, words[i]);
    assert_string_equal(t.s, "labctl 'a b' '' 'it'\\''s' '^q' x=1,y%");
    text_finish(&t);
}

static void test_the_nearest_word(void **state)
{
    static const char *const words[] = {"list_queues", "sync_queue", "kill", "quit"};
    static const struct {
        const char *typed, *like;
    } all[] = {{"lst_queue", "list_queues"},
               {"sync_queu", "sync_queue"},
               {"kil", "kill"},
               {"quti", "quit"}, /* two letters changed places */
               {"lsit_queues", "list_queues"},
               {"list_q", NULL}, /* too much is missing */
               {"ki", NULL},     /* half of it */
               {"", NULL}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct nearest n = {.typed = all[i].typed};
        for (size_t j = 0; j < ARRAY_LEN(words); j++)
            nearest_try(&n, words[j]);
        if (all[i].like)
            assert_string_equal(n.like, all[i].like);
        else
            assert_null(n.like);
    }
}

static void test_every_error_has_a_text(void **state)
{
    (void)state;
    for (int e = ERR_FIRST_ + 1; e < ERR_LAST_; e++)
        assert_string_not_equal(err_text(e), "unknown error");
    assert_string_equal(err_text(12345), "unknown error");
    assert_string_equal(err_text(0), "no error");
}

static void test_message_keeps_its_parts(void **state)
{
    (void)state;
    struct message *m =
        message_create(bytes_str("ex"), bytes_str("key"), bytes_of("\x10\x00\x02", 3), "Hello World", 11);
    assert_true(bytes_is(message_exchange(m), "ex"));
    assert_true(bytes_is(message_key(m), "key"));
    assert_true(bytes_is(message_body(m), "Hello World"));
    assert_int_equal(message_props(m).len, 3);
    message_ref(m);
    message_unref(m);
    assert_int_equal(m->refs, 1);
    message_unref(m);
    message_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_agrees_with_an_array),
        cmocka_unit_test(test_map_walk_may_remove),
        cmocka_unit_test(test_text_grows),
        cmocka_unit_test(test_words_for_a_shell),
        cmocka_unit_test(test_the_nearest_word),
        cmocka_unit_test(test_every_error_has_a_text),
        cmocka_unit_test(test_message_keeps_its_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

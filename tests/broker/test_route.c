/* test_route.c: which queues a message reaches: tables of patterns and keys for each type of exchange. */
#include "tests/broker/rig.h"

#include <stdlib.h>

#include "base/rng.h"

static int setup(void **state)
{
    *state = rig_create(1);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

/* How many messages the queue has, and away with them. */
static unsigned purge(struct client *c, const char *queue)
{
    client_method(c, 1, AMQP_QUEUE_PURGE_METHOD, &(amqp_queue_purge_t){.queue = words(queue)});
    const char *line = client_read(c);
    assert_non_null(line);
    unsigned n = 99;
    assert_int_equal(sscanf(line, "1: queue.purge-ok %u", &n), 1);
    return n;
}

static void bind_ok(struct client *c, const char *queue, const char *exchange, const char *key)
{
    client_bind(c, 1, queue, exchange, key);
    expect(c, "1: queue.bind-ok");
}

static void declare_ok(struct client *c, const char *queue)
{
    client_declare(c, 1, queue, false);
    expect(c, "1: queue.declare-ok *");
}

static void topic_patterns(void **state)
{
    static const struct {
        const char *pattern, *key;
        bool match;
    } cases[] = {
        {"a", "a", true},        {"a", "b", false},         {"a", "a.a", false},
        {"a.b", "a.b", true},    {"*", "a", true},          {"*", "", false},
        {"*", "a.b", false},     {"*.*", "a.b", true},      {"*.*", "a", false},
        {"*.*", ".", true},      {"#", "", true},           {"#", "a", true},
        {"#", "a.b.c", true},    {"a.#", "a", true},        {"a.#", "a.b", true},
        {"a.#", "a.b.c", true},  {"a.#", "b", false},       {"#.a", "a", true},
        {"#.a", "b.a", true},    {"#.a", "a.b", false},     {"#.a", "a.b.a", true},
        {"a.#.b", "a.b", true},  {"a.#.b", "a.x.b", true},  {"a.#.b", "a.x.y.b", true},
        {"a.#.b", "a", false},   {"a.#.b", "a.b.c", false}, {"a.#.b", "a.b.b", true},
        {"a.*.#", "a", false},   {"a.*.#", "a.b", true},    {"a.*.#", "a.b.c", true},
        {"#.*", "", false},      {"#.*", "a", true},        {"#.#", "", true},
        {"#.#", "a", true},      {"#.*.#", "", false},      {"#.*.#", "a.b.c", true},
        {"*.#.*", "a", false},   {"*.#.*", "a.b", true},    {"*.#.*", "a.b.c.d", true},
        {"", "", true},          {"", "a", false},          {"a..b", "a..b", true},
        {"a.*.b", "a..b", true}, {"a.b", "a..b", false},    {"#a", "#a", true},
        {"#a", "xa", false},     {"*a", "ba", false},       {"a.*", "a.", true},
    };
    struct client *c = client_open(*state, 0);
    client_declare_exchange(c, 1, "t", "topic");
    expect(c, "1: exchange.declare-ok");
    declare_ok(c, "q");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bind_ok(c, "q", "t", cases[i].pattern);
        client_publish(c, 1, "t", cases[i].key, "x");
        if (purge(c, "q") != (unsigned)cases[i].match)
            fail_msg("pattern \"%s\", key \"%s\": expected %s", cases[i].pattern, cases[i].key,
                     cases[i].match ? "a match" : "none");
        client_method(c, 1, AMQP_QUEUE_UNBIND_METHOD,
                      &(amqp_queue_unbind_t){.queue = words("q"),
                                             .exchange = words("t"),
                                             .routing_key = words(cases[i].pattern)});
        expect(c, "1: queue.unbind-ok");
        client_publish(c, 1, "t", cases[i].key, "x");
        assert_int_equal(purge(c, "q"), 0);
    }
}

/* the rule itself, word by word, to compare the trie with */
static bool matches(const char *p, const char *k)
{
    if (!p)
        return !k;
    const char *p_next = strchr(p, '.');
    size_t p_len = p_next ? (size_t)(p_next - p) : strlen(p);
    const char *p_rest = p_next ? p_next + 1 : NULL;
    if (p_len == 1 && *p == '#') {
        if (matches(p_rest, k))
            return true;
        if (!k)
            return false;
        const char *dot = strchr(k, '.');
        return matches(p, dot ? dot + 1 : NULL);
    }
    if (!k)
        return false;
    const char *k_next = strchr(k, '.');
    size_t k_len = k_next ? (size_t)(k_next - k) : strlen(k);
    bool same = (p_len == 1 && *p == '*') || (p_len == k_len && memcmp(p, k, p_len) == 0);
    return same && matches(p_rest, k_next ? k_next + 1 : NULL);
}

static void topics_agree_with_the_plain_rule(void **state)
{
    struct rng rng;
    rng_init(&rng, 7);
    struct client *c = client_open(*state, 0);
    client_declare_exchange(c, 1, "t", "topic");
    expect(c, "1: exchange.declare-ok");
    static const char *const word[] = {"a", "b", "*", "#", "#"};
    char patterns[40][32], name[8];
    for (unsigned i = 0; i < ARRAY_LEN(patterns); i++) {
        patterns[i][0] = '\0';
        for (uint64_t n = 1 + rng_below(&rng, 5); n--;) {
            strncat(patterns[i], word[rng_below(&rng, 5)], 2);
            if (n)
                strncat(patterns[i], ".", 2);
        }
        snprintf(name, sizeof(name), "q%u", i);
        declare_ok(c, name);
        bind_ok(c, name, "t", patterns[i]);
    }
    for (unsigned round = 0; round < 60; round++) {
        char key[32] = "";
        for (uint64_t n = rng_below(&rng, 6); n--;) {
            strncat(key, word[rng_below(&rng, 2)], 2);
            if (n)
                strncat(key, ".", 2);
        }
        client_publish(c, 1, "t", key, "x");
        for (unsigned i = 0; i < ARRAY_LEN(patterns); i++) {
            snprintf(name, sizeof(name), "q%u", i);
            if (purge(c, name) != (unsigned)matches(patterns[i], *key ? key : NULL))
                fail_msg("pattern \"%s\", key \"%s\"", patterns[i], key);
        }
    }
}

/* Many '#' in one pattern must not make a match expensive. */
static void a_hostile_pattern_is_no_trap(void **state)
{
    struct client *c = client_open(*state, 0);
    client_declare_exchange(c, 1, "t", "topic");
    expect(c, "1: exchange.declare-ok");
    declare_ok(c, "q");
    char pattern[256] = "", key[256] = "";
    for (int i = 0; i < 60; i++)
        strncat(pattern, "#.a.", 5);
    strncat(pattern, "b", 2);
    for (int i = 0; i < 126; i++)
        strncat(key, "a.", 3);
    strncat(key, "c", 2);
    bind_ok(c, "q", "t", pattern);
    client_publish(c, 1, "t", key, "x"); /* a plain recursion would not come back */
    assert_int_equal(purge(c, "q"), 0);
    key[strlen(key) - 1] = 'b';
    client_publish(c, 1, "t", key, "x");
    assert_int_equal(purge(c, "q"), 1);
}

static void a_queue_gets_a_message_once(void **state)
{
    struct client *c = client_open(*state, 0);
    client_declare_exchange(c, 1, "f", "fanout");
    client_declare_exchange(c, 1, "g", "fanout");
    client_declare_exchange(c, 1, "t", "topic");
    client_drain(c);
    declare_ok(c, "q");
    declare_ok(c, "r");
    bind_ok(c, "q", "f", "1");
    bind_ok(c, "q", "f", "2");
    bind_ok(c, "q", "t", "#");
    bind_ok(c, "q", "t", "a.*");
    bind_ok(c, "r", "g", "");
    /* f -> g -> t -> f: a circle */
    static const char *const pairs[][2] = {{"g", "f"}, {"t", "g"}, {"f", "t"}};
    for (size_t i = 0; i < 3; i++) {
        client_method(c, 1, AMQP_EXCHANGE_BIND_METHOD,
                      &(amqp_exchange_bind_t){.destination = words(pairs[i][0]),
                                              .source = words(pairs[i][1]),
                                              .routing_key = words("#")});
        expect(c, "1: exchange.bind-ok");
    }
    client_publish(c, 1, "f", "a.b", "x");
    assert_int_equal(purge(c, "q"), 1);
    assert_int_equal(purge(c, "r"), 1);
    client_publish(c, 1, "t", "zzz", "x");
    assert_int_equal(purge(c, "q"), 1);
    assert_int_equal(purge(c, "r"), 1);
}

static void direct_and_default(void **state)
{
    struct client *c = client_open(*state, 0);
    declare_ok(c, "q");
    declare_ok(c, "r");
    bind_ok(c, "q", "amq.direct", "k");
    bind_ok(c, "r", "amq.direct", "k");
    bind_ok(c, "r", "amq.direct", "");
    client_publish(c, 1, "amq.direct", "k", "x");
    client_publish(c, 1, "amq.direct", "", "x");
    client_publish(c, 1, "amq.direct", "kk", "x");
    client_publish(c, 1, "", "q", "x");
    assert_int_equal(purge(c, "q"), 2);
    assert_int_equal(purge(c, "r"), 2);
}

static void headers_exchange(void **state)
{
    struct client *c = client_open(*state, 0);
    static const char *const queues[] = {"all", "any", "there", "default", "with"};
    static const char *const modes[] = {"all", "any", "all", NULL, "all-with-x"};
    for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
        declare_ok(c, queues[i]);
        amqp_table_entry_t e[3];
        int n = 0;
        if (modes[i])
            e[n++] = (amqp_table_entry_t){words("x-match"),
                                          {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = words(modes[i])}};
        if (i == 2)
            e[n++] = (amqp_table_entry_t){words("k"), {.kind = AMQP_FIELD_KIND_VOID}};
        else
            e[n++] = (amqp_table_entry_t){words("k"), {.kind = AMQP_FIELD_KIND_I32, .value.i32 = 1}};
        if (i != 2)
            e[n++] = (amqp_table_entry_t){words(i == 4 ? "x-s" : "s"),
                                          {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = words("v")}};
        client_method(c, 1, AMQP_QUEUE_BIND_METHOD,
                      &(amqp_queue_bind_t){.queue = words(queues[i]),
                                           .exchange = words("amq.headers"),
                                           .arguments = {.num_entries = n, .entries = e}});
        expect(c, "1: queue.bind-ok");
    }
    static const struct {
        int k; /* -1: absent; -2: a string */
        const char *s, *x_s;
        unsigned all, any, there, by_default, with;
    } cases[] = {
        {1, "v", NULL, 1, 1, 1, 1, 0},   {1, NULL, NULL, 0, 1, 1, 0, 0},  {2, "v", NULL, 0, 1, 1, 0, 0},
        {-1, NULL, NULL, 0, 0, 0, 0, 0}, {-2, NULL, NULL, 0, 0, 1, 0, 0}, {1, NULL, "v", 0, 1, 1, 0, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        amqp_table_entry_t h[3];
        int n = 0;
        if (cases[i].k == -2)
            h[n++] =
                (amqp_table_entry_t){words("k"), {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = words("1")}};
        else if (cases[i].k >= 0) /* another width than the binding's */
            h[n++] = (amqp_table_entry_t){words("k"), {.kind = AMQP_FIELD_KIND_I64, .value.i64 = cases[i].k}};
        if (cases[i].s)
            h[n++] = (amqp_table_entry_t){words("s"),
                                          {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = words(cases[i].s)}};
        if (cases[i].x_s)
            h[n++] = (amqp_table_entry_t){words("x-s"),
                                          {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = words(cases[i].x_s)}};
        amqp_basic_properties_t p = {._flags = AMQP_BASIC_HEADERS_FLAG,
                                     .headers = {.num_entries = n, .entries = h}};
        client_publish_as(c, 1, "amq.headers", "", "x", 1, false, &p);
        assert_int_equal(purge(c, "all"), cases[i].all);
        assert_int_equal(purge(c, "any"), cases[i].any);
        assert_int_equal(purge(c, "there"), cases[i].there);
        assert_int_equal(purge(c, "default"), cases[i].by_default);
        assert_int_equal(purge(c, "with"), cases[i].with);
    }
}

static void a_headers_binding_says_how_it_matches(void **state)
{
    static const struct {
        amqp_field_value_t mode;
        const char *says;
    } cases[] = {
        {{.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = {3, "foo"}},
         "Invalid x-match field value <<\"foo\">>; expected all, any, all-with-x, or any-with-x"},
        {{.kind = AMQP_FIELD_KIND_I32, .value.i32 = 5},
         "Invalid x-match field type signedint (value 5); expected longstr"},
        {{.kind = AMQP_FIELD_KIND_VOID},
         "Invalid x-match field type void (value undefined); expected longstr"},
    };
    struct client *c = client_open(*state, 0);
    declare_ok(c, "q");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        amqp_table_entry_t e = {words("x-match"), cases[i].mode};
        amqp_queue_bind_t bind = {.queue = words("q"),
                                  .exchange = words("amq.direct"), /* only a headers exchange looks at it */
                                  .arguments = {.num_entries = 1, .entries = &e}};
        client_method(c, 1, AMQP_QUEUE_BIND_METHOD, &bind);
        expect(c, "1: queue.bind-ok");
        bind.exchange = words("amq.headers");
        client_method(c, 1, AMQP_QUEUE_BIND_METHOD, &bind);
        char line[300];
        snprintf(line, sizeof(line), "1: channel.close 406 PRECONDITION_FAILED - %s 50.20", cases[i].says);
        expect(c, line);
        client_method(c, 1, AMQP_CHANNEL_CLOSE_OK_METHOD, &(amqp_channel_close_ok_t){0});
        client_method(c, 1, AMQP_CHANNEL_OPEN_METHOD, &(amqp_channel_open_t){0});
        expect(c, "1: channel.open-ok");
    }
}

static void alternate_exchanges_take_what_nobody_wants(void **state)
{
    struct client *c = client_open(*state, 0);
    amqp_table_entry_t e = {words("alternate-exchange"),
                            {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = words("amq.fanout")}};
    client_method(c, 1, AMQP_EXCHANGE_DECLARE_METHOD,
                  &(amqp_exchange_declare_t){.exchange = words("x"),
                                             .type = words("direct"),
                                             .arguments = {.num_entries = 1, .entries = &e}});
    expect(c, "1: exchange.declare-ok");
    declare_ok(c, "q");
    declare_ok(c, "rest");
    bind_ok(c, "q", "x", "k");
    bind_ok(c, "rest", "amq.fanout", "");
    client_publish(c, 1, "x", "k", "x");
    client_publish(c, 1, "x", "other", "x");
    assert_int_equal(purge(c, "q"), 1);
    assert_int_equal(purge(c, "rest"), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(topic_patterns),
        T(topics_agree_with_the_plain_rule),
        T(a_hostile_pattern_is_no_trap),
        T(direct_and_default),
        T(a_queue_gets_a_message_once),
        T(headers_exchange),
        T(a_headers_binding_says_how_it_matches),
        T(alternate_exchanges_take_what_nobody_wants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

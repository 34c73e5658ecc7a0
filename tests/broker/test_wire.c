/* test_wire.c: AMQP as bytes: frames out of a stream cut anywhere, what is refused, tables as JSON. */
#include "tests/broker/rig.h"

#include <stdlib.h>

#include "base/rng.h"
#include "wire/amqp_table.h"

static void frames_need_all_their_bytes(void **state)
{
    (void)state;
    struct wire_buffer b = {0};
    wire_put_deliver(&b, 7, bytes_str("tag"), 99, true, bytes_str("x"), bytes_str("key"));
    struct wire_frame f;
    for (size_t len = 0; len < b.len; len++)
        assert_int_equal(wire_amqp_frame(bytes_of(b.items, len), 4096, &f), 0);
    assert_int_equal(wire_amqp_frame(bytes_of(b.items, b.len), 4096, &f), b.len);
    assert_int_equal(f.type, WIRE_FRAME_METHOD);
    assert_int_equal(f.channel, 7);
    VEC_FREE(&b);
}

static void frames_are_refused(void **state)
{
    (void)state;
    struct wire_frame f;
    uint8_t large[] = {1, 0, 1, 0, 0, 0x0f, 0xf9}; /* 4089 + 8 > 4096: refused by its head alone */
    assert_int_equal(wire_amqp_frame(bytes_of(large, sizeof(large)), 4096, &f), ERR_TOO_LARGE);
    large[6] = 0xf8;
    assert_int_equal(wire_amqp_frame(bytes_of(large, sizeof(large)), 4096, &f), 0);
    uint8_t endless[] = {8, 0, 0, 0, 0, 0, 0, 0xCD};
    assert_int_equal(wire_amqp_frame(bytes_of(endless, sizeof(endless)), 4096, &f), ERR_INVALID);
    assert_int_equal(f.end, 0xCD);
}

static void publish_is_read_exactly(void **state)
{
    (void)state;
    const uint8_t p[] = {0, 0, 1, 'x', 2, 'k', 'y', 3};
    struct wire_publish out;
    for (size_t len = 0; len < sizeof(p); len++)
        assert_int_equal(wire_get_publish(bytes_of(p, len), &out), ERR_INVALID);
    assert_int_equal(wire_get_publish(bytes_of(p, sizeof(p)), &out), 0);
    assert_true(bytes_is(out.exchange, "x") && bytes_is(out.key, "ky") && out.mandatory && out.immediate);
}

/* Every property, and every way to cut the list short. */
static void properties_are_read_exactly(void **state)
{
    (void)state;
    amqp_table_entry_t entry = {.key = words("k"), .value = {.kind = AMQP_FIELD_KIND_I32, .value.i32 = 5}};
    amqp_basic_properties_t p = {._flags = 0xfffc,
                                 .content_type = words("text/plain"),
                                 .content_encoding = words("utf-8"),
                                 .headers = {.num_entries = 1, .entries = &entry},
                                 .delivery_mode = 2,
                                 .priority = 7,
                                 .correlation_id = words("c"),
                                 .reply_to = words("r"),
                                 .expiration = words("1000"),
                                 .message_id = words("m"),
                                 .timestamp = 1,
                                 .type = words("t"),
                                 .user_id = words("admin"),
                                 .app_id = words("a"),
                                 .cluster_id = words("i")};
    uint8_t payload[512] = {0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
    int n = amqp_encode_properties(AMQP_BASIC_CLASS, &p,
                                   (amqp_bytes_t){.len = sizeof(payload) - 12, .bytes = payload + 12});
    assert_true(n > 0);
    size_t len = 12 + (size_t)n;
    struct wire_header h;
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = xmalloc(cut);
        memcpy(copy, payload, cut);
        assert_int_not_equal(wire_get_header(bytes_of(copy, cut), &h), 0);
        free(copy);
    }
    assert_int_equal(wire_get_header(bytes_of(payload, len), &h), 0);
    assert_int_equal(h.body_size, 9);
    assert_int_equal(h.delivery_mode, 2);
    assert_int_equal(h.priority, 7);
    assert_true(bytes_is(h.expiration, "1000") && bytes_is(h.user_id, "admin"));
    json_t *headers = wire_table_decode(h.headers);
    assert_int_equal(json_integer_value(json_object_get(headers, "k")), 5);
    json_decref(headers);
}

static struct bytes nested(struct wire_buffer *b, unsigned depth, char kind)
{
    /* from the inside out: a table or array that holds one of its kind */
    b->len = 0;
    uint8_t inner[4096] = {0};
    size_t len = 4; /* an empty one */
    for (unsigned i = 1; i < depth; i++) {
        uint8_t outer[4096];
        size_t head = kind == 'F' ? 6 : 5;
        uint32_t size = (uint32_t)(len + head - 4);
        outer[0] = outer[1] = 0;
        outer[2] = (uint8_t)(size >> 8);
        outer[3] = (uint8_t)size;
        if (kind == 'F')
            outer[4] = 0;
        outer[head - 1] = (uint8_t)kind;
        memcpy(outer + head, inner, len);
        len += head;
        memcpy(inner, outer, len);
    }
    memcpy(wire_space(b, len), inner, len);
    b->len = len;
    return bytes_of(b->items, len);
}

static void tables_nest_only_so_deep(void **state)
{
    (void)state;
    struct wire_buffer b = {0};
    for (unsigned depth = 1; depth <= WIRE_TABLE_DEPTH; depth++)
        assert_true(wire_table_valid(nested(&b, depth, 'F')));
    assert_false(wire_table_valid(nested(&b, WIRE_TABLE_DEPTH + 1, 'F')));
    assert_false(wire_table_valid(nested(&b, 500, 'F')));
    VEC_FREE(&b);
}

static void tables_become_canonical_json(void **state)
{
    (void)state;
    amqp_field_value_t list[] = {{.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1},
                                 {.kind = AMQP_FIELD_KIND_VOID}};
    amqp_table_entry_t entries[] = {
        {.key = words("z"), .value = {.kind = AMQP_FIELD_KIND_I64, .value.i64 = -5}},
        {.key = words("bad"),
         .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = {.len = 2, .bytes = "\xff\x01"}}},
        {.key = words("a"),
         .value = {.kind = AMQP_FIELD_KIND_ARRAY, .value.array = {.num_entries = 2, .entries = list}}},
        {.key = words("d"),
         .value = {.kind = AMQP_FIELD_KIND_DECIMAL, .value.decimal = {.decimals = 2, .value = 150}}},
        {.key = words("t"), .value = {.kind = AMQP_FIELD_KIND_TABLE}},
    };
    amqp_table_t table = {.num_entries = ARRAY_LEN(entries), .entries = entries};
    char *text = wire_table_text(&table);
    assert_string_equal(text, "{\"a\":[true,null],\"bad\":\"0xff01\",\"d\":1.5,\"t\":{},\"z\":-5}");
    /* the order of keys and the width of a number do not matter */
    amqp_table_entry_t other[ARRAY_LEN(entries)];
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        other[i] = entries[ARRAY_LEN(entries) - 1 - i];
    other[4].value = (amqp_field_value_t){.kind = AMQP_FIELD_KIND_I8, .value.i8 = -5};
    char *same = wire_table_text(&(amqp_table_t){.num_entries = ARRAY_LEN(other), .entries = other});
    assert_string_equal(text, same);
    free(text);
    free(same);
}

static void methods_with_missing_or_extra_bytes_are_refused(void **state)
{
    (void)state;
    struct wire_buffer b = {0};
    amqp_table_entry_t entry = {.key = words("x-message-ttl"), .value = {.kind = AMQP_FIELD_KIND_I32}};
    wire_put_method(
        &b, 1, AMQP_QUEUE_DECLARE_METHOD,
        &(amqp_queue_declare_t){.queue = words("q"), .arguments = {.num_entries = 1, .entries = &entry}});
    struct bytes whole = bytes_of(b.items + 11, b.len - 12);
    assert_true(wire_method_valid(AMQP_QUEUE_DECLARE_METHOD, whole));
    for (size_t len = 0; len < whole.len; len++)
        assert_false(wire_method_valid(AMQP_QUEUE_DECLARE_METHOD, bytes_of(whole.data, len)));
    assert_false(wire_method_valid(AMQP_QUEUE_DECLARE_METHOD, bytes_of(whole.data, whole.len + 1)));
    VEC_FREE(&b);
}

/* Whatever the bytes, nothing reads beyond them (the sanitizers watch) and what is valid decodes. */
static void random_tables_do_no_harm(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 42);
    static const uint8_t kinds[] = "tbBsuIilLfdTDSxVFA\0";
    unsigned valid = 0;
    for (unsigned i = 0; i < 20000; i++) {
        size_t len = 4 + rng_below(&rng, 24);
        uint8_t *bytes = xmalloc(len);
        for (size_t k = 0; k < len; k++)
            bytes[k] =
                rng_chance(&rng, 40) ? kinds[rng_below(&rng, sizeof(kinds))] : (uint8_t)rng_below(&rng, 6);
        bytes[0] = bytes[1] = bytes[2] = 0;
        bytes[3] = rng_chance(&rng, 90) ? (uint8_t)(len - 4) : bytes[3];
        json_t *j = wire_table_decode(bytes_of(bytes, len));
        valid += j != NULL;
        json_decref(j);
        free(bytes);
    }
    assert_in_range(valid, 50, 19000); /* both sides were seen */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_need_all_their_bytes),
        cmocka_unit_test(frames_are_refused),
        cmocka_unit_test(publish_is_read_exactly),
        cmocka_unit_test(properties_are_read_exactly),
        cmocka_unit_test(tables_nest_only_so_deep),
        cmocka_unit_test(tables_become_canonical_json),
        cmocka_unit_test(methods_with_missing_or_extra_bytes_are_refused),
        cmocka_unit_test(random_tables_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

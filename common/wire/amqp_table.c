/* amqp_table.c: AMQP field tables as JSON. */
#include "wire/amqp_table.h"

#include <stdlib.h>

#include "base/text.h"
#include "wire/amqp.h"

#include "base/ban.h"

bool wire_is_text(struct bytes s)
{
    if (s.len && memchr(s.data, 0, s.len))
        return false;
    json_t *j = json_stringn((const char *)s.data, s.len); /* jansson checks UTF-8 */
    bool ok = j != NULL || s.len == 0;
    json_decref(j);
    return ok;
}

static json_t *string_json(amqp_bytes_t s)
{
    json_t *j = json_stringn(s.len ? (const char *)s.bytes : "", s.len);
    if (j)
        return j;
    struct text hex = {0};
    text_add(&hex, "0x");
    for (size_t i = 0; i < s.len; i++)
        text_printf(&hex, "%02x", ((const uint8_t *)s.bytes)[i]);
    j = json_string(text_str(&hex));
    text_finish(&hex);
    return j;
}

static json_t *real_json(double v)
{
    return __builtin_isfinite(v) ? json_real(v) : json_null(); /* JSON has no word for the others */
}

static json_t *decimal_json(amqp_decimal_t d)
{
    double v = (double)d.value;
    for (unsigned i = 0; i < d.decimals; i++)
        v /= 10;
    return real_json(v);
}

static json_t *value_json(const amqp_field_value_t *v)
{
    switch (v->kind) {
    case AMQP_FIELD_KIND_BOOLEAN: return json_boolean(v->value.boolean);
    case AMQP_FIELD_KIND_I8: return json_integer(v->value.i8);
    case AMQP_FIELD_KIND_U8: return json_integer(v->value.u8);
    case AMQP_FIELD_KIND_I16: return json_integer(v->value.i16);
    case AMQP_FIELD_KIND_U16: return json_integer(v->value.u16);
    case AMQP_FIELD_KIND_I32: return json_integer(v->value.i32);
    case AMQP_FIELD_KIND_U32: return json_integer(v->value.u32);
    case AMQP_FIELD_KIND_I64: return json_integer(v->value.i64);
    case AMQP_FIELD_KIND_U64:
    case AMQP_FIELD_KIND_TIMESTAMP: return json_integer((json_int_t)v->value.u64);
    case AMQP_FIELD_KIND_F32: return real_json((double)v->value.f32);
    case AMQP_FIELD_KIND_F64: return real_json(v->value.f64);
    case AMQP_FIELD_KIND_DECIMAL: return decimal_json(v->value.decimal);
    case AMQP_FIELD_KIND_UTF8:
    case AMQP_FIELD_KIND_BYTES: return string_json(v->value.bytes);
    case AMQP_FIELD_KIND_TABLE: return wire_table_json(&v->value.table);
    case AMQP_FIELD_KIND_ARRAY: {
        json_t *array = json_array();
        for (int i = 0; i < v->value.array.num_entries; i++)
            json_array_append_new(array, value_json(&v->value.array.entries[i]));
        return array;
    }
    default: return json_null(); /* void, and what the decoder does not let through */
    }
}

json_t *wire_table_json(const amqp_table_t *table)
{
    json_t *object = json_object();
    for (int i = 0; i < table->num_entries; i++) {
        json_t *key = string_json(table->entries[i].key);
        json_object_set_new_nocheck(object, json_string_value(key), value_json(&table->entries[i].value));
        json_decref(key);
    }
    return object;
}

char *wire_table_text(const amqp_table_t *table)
{
    json_t *object = wire_table_json(table);
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(object);
    ASSERT(text);
    return text;
}

json_t *wire_table_decode(struct bytes encoded)
{
    if (!wire_table_valid(encoded))
        return NULL;
    amqp_pool_t pool;
    init_amqp_pool(&pool, 4096);
    amqp_table_t table;
    size_t offset = 0;
    amqp_bytes_t in = {.len = encoded.len, .bytes = (void *)(uintptr_t)encoded.data};
    json_t *object = NULL;
    if (amqp_decode_table(in, &pool, &table, &offset) == AMQP_STATUS_OK)
        object = wire_table_json(&table);
    empty_amqp_pool(&pool);
    return object;
}

const char *wire_type_name(uint8_t kind)
{
    switch (kind) {
    case AMQP_FIELD_KIND_BOOLEAN: return "bool";
    case AMQP_FIELD_KIND_I8: return "byte";
    case AMQP_FIELD_KIND_U8: return "unsignedbyte";
    case AMQP_FIELD_KIND_I16: return "short";
    case AMQP_FIELD_KIND_U16: return "unsignedshort";
    case AMQP_FIELD_KIND_I32: return "signedint";
    case AMQP_FIELD_KIND_U32: return "unsignedint";
    case AMQP_FIELD_KIND_I64: return "long";
    case AMQP_FIELD_KIND_F32: return "float";
    case AMQP_FIELD_KIND_F64: return "double";
    case AMQP_FIELD_KIND_DECIMAL: return "decimal";
    case AMQP_FIELD_KIND_UTF8: return "longstr";
    case AMQP_FIELD_KIND_ARRAY: return "array";
    case AMQP_FIELD_KIND_TIMESTAMP: return "timestamp";
    case AMQP_FIELD_KIND_TABLE: return "table";
    case AMQP_FIELD_KIND_BYTES: return "binary";
    default: return "void";
    }
}

const amqp_field_value_t *wire_table_find(const amqp_table_t *table, const char *key)
{
    struct bytes want = bytes_str(key);
    for (int i = 0; i < table->num_entries; i++)
        if (bytes_equal(bytes_of(table->entries[i].key.bytes, table->entries[i].key.len), want))
            return &table->entries[i].value;
    return NULL;
}

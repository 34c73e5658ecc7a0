/* api_properties.c: a message's properties between JSON (as the management API shows them) and AMQP's bytes
 * (4.2.6.1: flags, then the values that are there), with rabbitmq-c's codec. */
#include <amqp.h>
#include <amqp_framing.h>
#include <string.h>

#include "host/api_properties.h"
#include "wire/amqp_table.h"

#define PROPERTIES_BYTES_MAX 65536 /* what a publisher over HTTP may use for properties and headers */

/* ---- AMQP -> JSON ---- */

static json_t *json_text(amqp_bytes_t b)
{
    json_t *text = json_stringn(b.bytes ? b.bytes : "", b.len);
    return text ? text : json_string("(not UTF-8)");
}

/* The text properties: the API's name, AMQP's flag, where it stands. */
static const struct {
    const char *name;
    amqp_flags_t flag;
    size_t at;
} texts[] = {
    {"content_type", AMQP_BASIC_CONTENT_TYPE_FLAG, offsetof(amqp_basic_properties_t, content_type)},
    {"content_encoding", AMQP_BASIC_CONTENT_ENCODING_FLAG,
     offsetof(amqp_basic_properties_t, content_encoding)},
    {"correlation_id", AMQP_BASIC_CORRELATION_ID_FLAG, offsetof(amqp_basic_properties_t, correlation_id)},
    {"reply_to", AMQP_BASIC_REPLY_TO_FLAG, offsetof(amqp_basic_properties_t, reply_to)},
    {"expiration", AMQP_BASIC_EXPIRATION_FLAG, offsetof(amqp_basic_properties_t, expiration)},
    {"message_id", AMQP_BASIC_MESSAGE_ID_FLAG, offsetof(amqp_basic_properties_t, message_id)},
    {"type", AMQP_BASIC_TYPE_FLAG, offsetof(amqp_basic_properties_t, type)},
    {"user_id", AMQP_BASIC_USER_ID_FLAG, offsetof(amqp_basic_properties_t, user_id)},
    {"app_id", AMQP_BASIC_APP_ID_FLAG, offsetof(amqp_basic_properties_t, app_id)},
    {"cluster_id", AMQP_BASIC_CLUSTER_ID_FLAG, offsetof(amqp_basic_properties_t, cluster_id)},
};

json_t *properties_to_json(struct bytes encoded)
{
    amqp_pool_t pool;
    init_amqp_pool(&pool, 4096);
    amqp_bytes_t in = {.len = encoded.len, .bytes = (void *)(uintptr_t)encoded.data};
    void *decoded = NULL;
    json_t *json = json_object();
    if (encoded.len && amqp_decode_properties(AMQP_BASIC_CLASS, &pool, in, &decoded) >= 0) {
        const amqp_basic_properties_t *p = decoded;
        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
            if (p->_flags & texts[i].flag)
                json_object_set_new(json, texts[i].name,
                                    json_text(*(const amqp_bytes_t *)((const char *)decoded + texts[i].at)));
        }
        if (p->_flags & AMQP_BASIC_HEADERS_FLAG)
            json_object_set_new(json, "headers", wire_table_json(&p->headers));
        if (p->_flags & AMQP_BASIC_DELIVERY_MODE_FLAG)
            json_object_set_new(json, "delivery_mode", json_integer(p->delivery_mode));
        if (p->_flags & AMQP_BASIC_PRIORITY_FLAG)
            json_object_set_new(json, "priority", json_integer(p->priority));
        if (p->_flags & AMQP_BASIC_TIMESTAMP_FLAG)
            json_object_set_new(json, "timestamp", json_integer((json_int_t)p->timestamp));
    }
    empty_amqp_pool(&pool);
    return json;
}

/* ---- JSON -> AMQP ---- */

static amqp_bytes_t pool_text(amqp_pool_t *pool, const char *text, size_t len)
{
    amqp_bytes_t b = {.len = len, .bytes = amqp_pool_alloc(pool, len ? len : 1)};
    ASSERT(b.bytes);
    memcpy(b.bytes, text, len);
    return b;
}

static amqp_table_t make_table(amqp_pool_t *pool, json_t *object);

static amqp_field_value_t make_value(amqp_pool_t *pool, json_t *json)
{
    amqp_field_value_t v = {.kind = AMQP_FIELD_KIND_VOID};
    switch (json_typeof(json)) {
    case JSON_STRING:
        v.kind = AMQP_FIELD_KIND_UTF8;
        v.value.bytes = pool_text(pool, json_string_value(json), json_string_length(json));
        break;
    case JSON_INTEGER:
        v.kind = AMQP_FIELD_KIND_I64;
        v.value.i64 = json_integer_value(json);
        break;
    case JSON_REAL:
        v.kind = AMQP_FIELD_KIND_F64;
        v.value.f64 = json_real_value(json);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        v.kind = AMQP_FIELD_KIND_BOOLEAN;
        v.value.boolean = json_is_true(json);
        break;
    case JSON_OBJECT:
        v.kind = AMQP_FIELD_KIND_TABLE;
        v.value.table = make_table(pool, json);
        break;
    case JSON_ARRAY: {
        size_t len = json_array_size(json);
        v.kind = AMQP_FIELD_KIND_ARRAY;
        v.value.array.num_entries = (int)len;
        v.value.array.entries = amqp_pool_alloc(pool, (len ? len : 1) * sizeof(amqp_field_value_t));
        ASSERT(v.value.array.entries);
        for (size_t i = 0; i < len; i++)
            v.value.array.entries[i] = make_value(pool, json_array_get(json, i));
        break;
    }
    case JSON_NULL: break;
    }
    return v;
}

static amqp_table_t make_table(amqp_pool_t *pool, json_t *object)
{
    size_t len = json_object_size(object);
    amqp_table_t t = {.num_entries = 0,
                      .entries = amqp_pool_alloc(pool, (len ? len : 1) * sizeof(amqp_table_entry_t))};
    ASSERT(t.entries);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        amqp_table_entry_t *e = &t.entries[t.num_entries++];
        e->key = pool_text(pool, key, strlen(key));
        e->value = make_value(pool, value);
    }
    return t;
}

/* A name in a table is a short string. */
static bool keys_short(json_t *json)
{
    const char *key;
    json_t *value;
    size_t i;
    json_object_foreach(json, key, value)
    {
        if (strlen(key) > 255 || !keys_short(value))
            return false;
    }
    json_array_foreach(json, i, value)
    {
        if (!keys_short(value))
            return false;
    }
    return true;
}

/* Fills p from JSON; false names what is wrong. */
static bool read_properties(amqp_pool_t *pool, json_t *json, amqp_basic_properties_t *p, const char **wrong)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        json_t *value = json_object_get(json, texts[i].name);
        if (!value)
            continue;
        *wrong = texts[i].name;
        if (!json_is_string(value) || json_string_length(value) > 255)
            return false;
        p->_flags |= texts[i].flag;
        *(amqp_bytes_t *)(void *)((char *)p + texts[i].at) =
            pool_text(pool, json_string_value(value), json_string_length(value));
    }
    const struct {
        const char *name;
        amqp_flags_t flag;
        json_int_t max;
    } numbers[] = {
        {"delivery_mode", AMQP_BASIC_DELIVERY_MODE_FLAG, 2},
        {"priority", AMQP_BASIC_PRIORITY_FLAG, 255},
        {"timestamp", AMQP_BASIC_TIMESTAMP_FLAG, INT64_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        json_t *value = json_object_get(json, numbers[i].name);
        if (!value)
            continue;
        json_int_t n = json_integer_value(value);
        *wrong = numbers[i].name;
        if (!json_is_integer(value) || n < 0 || n > numbers[i].max)
            return false;
        p->_flags |= numbers[i].flag;
        if (numbers[i].flag == AMQP_BASIC_DELIVERY_MODE_FLAG)
            p->delivery_mode = (uint8_t)n;
        else if (numbers[i].flag == AMQP_BASIC_PRIORITY_FLAG)
            p->priority = (uint8_t)n;
        else
            p->timestamp = (uint64_t)n;
    }
    json_t *headers = json_object_get(json, "headers");
    if (headers) {
        *wrong = "headers";
        if (!json_is_object(headers) || !keys_short(headers))
            return false;
        p->_flags |= AMQP_BASIC_HEADERS_FLAG;
        p->headers = make_table(pool, headers);
    }
    return true;
}

/* The expiration property is a number of milliseconds written as text. */
static bool read_expiration(const json_t *json, uint64_t *ms)
{
    const char *text = json_string_value(json_object_get(json, "expiration"));
    *ms = UINT64_MAX;
    if (!text)
        return true;
    size_t len = strlen(text);
    if (len == 0 || len > 15 || strspn(text, "0123456789") != len)
        return false;
    *ms = strtoull(text, NULL, 10);
    return true;
}

struct message *properties_message(json_t *json, const char *exchange, const char *key, struct bytes body,
                                   const char **wrong)
{
    amqp_pool_t pool;
    init_amqp_pool(&pool, 4096);
    amqp_basic_properties_t p = {0};
    uint64_t expiration_ms;
    struct message *m = NULL;
    uint8_t *bytes = xmalloc(PROPERTIES_BYTES_MAX);
    *wrong = "expiration";
    if (read_expiration(json, &expiration_ms) && read_properties(&pool, json, &p, wrong)) {
        amqp_bytes_t out = {.len = PROPERTIES_BYTES_MAX, .bytes = bytes};
        int len = amqp_encode_properties(AMQP_BASIC_CLASS, &p, out);
        *wrong = "headers";
        if (len >= 0) {
            m = message_create(bytes_str(exchange), bytes_str(key), bytes_of(bytes, (size_t)len), body.data,
                               body.len);
            m->persistent = p.delivery_mode == 2;
            m->priority = p.priority;
            m->expiration_ms = expiration_ms;
        }
    }
    free(bytes);
    empty_amqp_pool(&pool);
    return m;
}

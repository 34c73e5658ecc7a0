/* dead_letter.c: a message that its queue gave up is published again, through the queue's dead letter
 * exchange, with its story in the header x-death: one entry for each queue and reason, the latest first,
 * which counts how often. It is published as RabbitMQ's classic queues do: at most once, nobody waits for a
 * confirm.
 *
 * A circle ends: into a queue that it died in before, it goes only if a consumer rejected it since.
 * Order, names and types of what stands in the header are RabbitMQ 3.10.8's. */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

static const char *const reasons[] = {
    [DEATH_REJECTED] = "rejected",
    [DEATH_EXPIRED] = "expired",
    [DEATH_MAXLEN] = "maxlen",
};

/* ---- tables; what is made lives in the pool ---- */

static bool is_named(amqp_bytes_t s, const char *name)
{
    return s.len == strlen(name) && memcmp(s.bytes, name, s.len) == 0;
}

static bool same_text(const amqp_field_value_t *v, const char *s)
{
    return v && v->kind == AMQP_FIELD_KIND_UTF8 && is_named(v->value.bytes, s);
}

static void *from_pool(amqp_pool_t *pool, size_t n, size_t size)
{
    void *p = amqp_pool_alloc(pool, n * size + 1);
    ASSERT(p);
    return p;
}

static amqp_field_value_t text_value(amqp_bytes_t s)
{
    return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = s};
}

static amqp_field_value_t count_value(int64_t n)
{
    return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_I64, .value.i64 = n};
}

static void remove_key(amqp_table_t *t, const char *key)
{
    int kept = 0;
    for (int i = 0; i < t->num_entries; i++)
        if (!is_named(t->entries[i].key, key))
            t->entries[kept++] = t->entries[i];
    t->num_entries = kept;
}

/* the table has room for one more */
static void set(amqp_table_t *t, const char *key, amqp_field_value_t value)
{
    for (int i = 0; i < t->num_entries; i++)
        if (is_named(t->entries[i].key, key)) {
            t->entries[i].value = value;
            return;
        }
    t->entries[t->num_entries++] = (amqp_table_entry_t){.key = amqp_text(key), .value = value};
}

static int key_order(amqp_bytes_t a, amqp_bytes_t b)
{
    int c = memcmp(a.bytes, b.bytes, a.len < b.len ? a.len : b.len);
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

static void sort(amqp_table_t *t)
{
    for (int i = 1; i < t->num_entries; i++) {
        amqp_table_entry_t e = t->entries[i];
        int at = i;
        for (; at > 0 && key_order(t->entries[at - 1].key, e.key) > 0; at--)
            t->entries[at] = t->entries[at - 1];
        t->entries[at] = e;
    }
}

/* a copy with room for `more` */
static amqp_table_t roomy(amqp_pool_t *pool, const amqp_table_t *t, int more)
{
    amqp_table_t copy = {.num_entries = t->num_entries};
    copy.entries = from_pool(pool, (size_t)t->num_entries + (size_t)more, sizeof(amqp_table_entry_t));
    if (t->num_entries)
        memcpy(copy.entries, t->entries, (size_t)t->num_entries * sizeof(amqp_table_entry_t));
    return copy;
}

/* ---- the story ---- */

struct event_of_death {
    amqp_pool_t *pool;
    const struct message *msg;
    const char *queue, *reason;
    ms_time now;
    const amqp_basic_properties_t *props; /* as it was published */
};

static amqp_bytes_t borrowed(struct bytes b)
{
    return (amqp_bytes_t){.len = b.len, .bytes = (void *)(uintptr_t)b.data};
}

/* the key it was published with, and those of the header CC */
static amqp_field_value_t routing_keys(const struct event_of_death *d)
{
    const amqp_field_value_t *cc =
        d->props->_flags & AMQP_BASIC_HEADERS_FLAG ? wire_table_find(&d->props->headers, "CC") : NULL;
    int more = cc && cc->kind == AMQP_FIELD_KIND_ARRAY ? cc->value.array.num_entries : 0;
    amqp_field_value_t v = {.kind = AMQP_FIELD_KIND_ARRAY};
    v.value.array.entries = from_pool(d->pool, (size_t)more + 1, sizeof(amqp_field_value_t));
    v.value.array.entries[v.value.array.num_entries++] = text_value(borrowed(message_key(d->msg)));
    for (int i = 0; i < more; i++)
        if (cc->value.array.entries[i].kind == AMQP_FIELD_KIND_UTF8)
            v.value.array.entries[v.value.array.num_entries++] = cc->value.array.entries[i];
    return v;
}

static amqp_field_value_t first_entry(const struct event_of_death *d)
{
    amqp_table_t t = roomy(d->pool, &(amqp_table_t){0}, 7);
    set(&t, "count", count_value(1));
    set(&t, "reason", text_value(amqp_text(d->reason)));
    set(&t, "queue", text_value(amqp_text(d->queue)));
    set(&t, "time", (amqp_field_value_t){.kind = AMQP_FIELD_KIND_TIMESTAMP, .value.u64 = d->now / 1000});
    set(&t, "exchange", text_value(borrowed(message_exchange(d->msg))));
    set(&t, "routing-keys", routing_keys(d));
    if (d->props->_flags & AMQP_BASIC_EXPIRATION_FLAG)
        set(&t, "original-expiration", text_value(d->props->expiration));
    return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_TABLE, .value.table = t};
}

static int64_t integer_of(const amqp_field_value_t *v)
{
    if (!v)
        return 0;
    switch (v->kind) {
    case AMQP_FIELD_KIND_I64: return v->value.i64;
    case AMQP_FIELD_KIND_I32: return v->value.i32;
    case AMQP_FIELD_KIND_U32: return v->value.u32;
    case AMQP_FIELD_KIND_I16: return v->value.i16;
    case AMQP_FIELD_KIND_U16: return v->value.u16;
    case AMQP_FIELD_KIND_I8: return v->value.i8;
    case AMQP_FIELD_KIND_U8: return v->value.u8;
    default: return 0;
    }
}

static bool is_this_death(const struct event_of_death *d, const amqp_field_value_t *entry)
{
    return entry->kind == AMQP_FIELD_KIND_TABLE &&
           same_text(wire_table_find(&entry->value.table, "queue"), d->queue) &&
           same_text(wire_table_find(&entry->value.table, "reason"), d->reason);
}

/* It died before: this queue's and reason's entry counts one more and comes first, or a new one does. */
static amqp_field_value_t longer_story(const struct event_of_death *d, const amqp_array_t *before)
{
    amqp_field_value_t story = {.kind = AMQP_FIELD_KIND_ARRAY};
    amqp_field_value_t *entries =
        from_pool(d->pool, (size_t)before->num_entries + 1, sizeof(amqp_field_value_t));
    const amqp_field_value_t *same = NULL;
    int len = 1;
    for (int i = 0; i < before->num_entries; i++) {
        if (!is_this_death(d, &before->entries[i]))
            entries[len++] = before->entries[i];
        else if (!same)
            same = &before->entries[i];
    }
    if (same) {
        entries[0] = *same;
        entries[0].value.table = roomy(d->pool, &same->value.table, 1);
        set(&entries[0].value.table, "count",
            count_value(integer_of(wire_table_find(&same->value.table, "count")) + 1));
    } else {
        entries[0] = first_entry(d);
    }
    sort(&entries[0].value.table);
    story.value.array = (amqp_array_t){.num_entries = len, .entries = entries};
    return story;
}

static amqp_field_value_t begun_story(const struct event_of_death *d)
{
    amqp_field_value_t story = {.kind = AMQP_FIELD_KIND_ARRAY};
    story.value.array.num_entries = 1;
    story.value.array.entries = from_pool(d->pool, 1, sizeof(amqp_field_value_t));
    story.value.array.entries[0] = first_entry(d);
    return story;
}

/* The headers it gets: sorted by key, as RabbitMQ leaves them. */
static amqp_table_t told(const struct event_of_death *d)
{
    amqp_table_t none = {0};
    const amqp_table_t *given = d->props->_flags & AMQP_BASIC_HEADERS_FLAG ? &d->props->headers : &none;
    amqp_table_t headers = roomy(d->pool, given, 4);
    const amqp_field_value_t *before = wire_table_find(given, "x-death");
    if (!before) {
        set(&headers, "x-first-death-reason", text_value(amqp_text(d->reason)));
        set(&headers, "x-first-death-queue", text_value(amqp_text(d->queue)));
        set(&headers, "x-first-death-exchange", text_value(borrowed(message_exchange(d->msg))));
    }
    set(&headers, "x-death",
        before && before->kind == AMQP_FIELD_KIND_ARRAY ? longer_story(d, &before->value.array)
                                                        : begun_story(d));
    sort(&headers);
    return headers;
}

/* ---- publishing it again ---- */

/* Has it died in this queue before, and was it never rejected by a consumer since? */
static bool is_circle(const amqp_table_t *headers, const char *queue)
{
    const amqp_field_value_t *story = wire_table_find(headers, "x-death");
    for (int i = 0; i < story->value.array.num_entries; i++) {
        const amqp_field_value_t *e = &story->value.array.entries[i];
        if (e->kind != AMQP_FIELD_KIND_TABLE)
            continue;
        if (same_text(wire_table_find(&e->value.table, "reason"), reasons[DEATH_REJECTED]))
            return false;
        if (same_text(wire_table_find(&e->value.table, "queue"), queue))
            return true;
    }
    return false;
}

static struct message *reborn(const struct event_of_death *d, const char *exchange, const char *key,
                              amqp_table_t *headers)
{
    amqp_basic_properties_t props = *d->props;
    *headers = told(d);
    if (key)
        remove_key(headers, "CC"); /* they say where else it went; now it goes where the queue says */
    props.headers = *headers;
    props._flags |= AMQP_BASIC_HEADERS_FLAG;
    props._flags &= ~(amqp_flags_t)AMQP_BASIC_EXPIRATION_FLAG;
    /* what is new are the story's entry and three headers: texts of 255 octets at most, or copies */
    size_t room = (size_t)d->msg->props_len * 2 + 4096;
    amqp_bytes_t encoded = {.len = room, .bytes = from_pool(d->pool, room, 1)};
    int len = amqp_encode_properties(AMQP_BASIC_CLASS, &props, encoded);
    ASSERT(len >= 0);
    struct bytes body = message_body(d->msg);
    struct message *m = message_create(bytes_str(exchange), key ? bytes_str(key) : message_key(d->msg),
                                       bytes_of(encoded.bytes, (size_t)len), body.data, body.len);
    m->persistent = d->msg->persistent;
    m->priority = d->msg->priority;
    return m;
}

static void publish(struct broker *b, struct exchange *x, struct message *m, const amqp_table_t *headers,
                    enum death reason)
{
    route_message(b, x, m);
    for (size_t i = 0; i < b->route.len; i++) {
        struct queue_info info;
        mirror_queue_info(b->mirror, b->route.items[i], &info);
        if (reason != DEATH_REJECTED && is_circle(headers, info.name))
            continue;
        struct event ev = {.type = EV_PUBLISH, .u.publish = {.queue = b->route.items[i], .msg = m}};
        broker_command(b, &ev);
    }
}

void dead_letter_publish(struct broker *b, const struct effect *fx)
{
    struct exchange *x = exchange_find(b, bytes_str(fx->u.dead_letter.exchange));
    if (!x)
        return; /* nobody there to take it */
    amqp_pool_t pool;
    init_amqp_pool(&pool, 4096);
    struct event_of_death d = {.pool = &pool,
                               .msg = fx->u.dead_letter.msg,
                               .queue = fx->u.dead_letter.queue,
                               .reason = reasons[fx->u.dead_letter.reason],
                               .now = b->now};
    void *decoded = NULL;
    amqp_bytes_t props = borrowed(message_props(d.msg));
    if (amqp_decode_properties(AMQP_BASIC_CLASS, &pool, props, &decoded) >= 0) {
        d.props = decoded;
        amqp_table_t headers;
        struct message *m = reborn(&d, fx->u.dead_letter.exchange, fx->u.dead_letter.key, &headers);
        publish(b, x, m, &headers, fx->u.dead_letter.reason);
        message_unref(m);
    }
    empty_amqp_pool(&pool);
}

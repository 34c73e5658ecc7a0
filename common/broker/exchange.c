/* exchange.c: exchanges and bindings as entries of the replicated table. What is routed by is derived from
 * the table's changes (FX_META) and from nothing else: so all nodes agree.
 *
 *     exchange  key    'E' name
 *               value  {"uid", "type", "durable", "auto_delete", "internal", "arguments"}
 *     binding   key    'B' len source | 'q' or 'x' | len destination | len routing key | arguments as JSON
 *               value  {"from": uid of the source, "to": uid of a destination exchange, "arguments"}
 *
 * len is one octet. All bindings of a source share a prefix and go with one prefix delete. A uid is made with
 * each declaration: a binding that was under way when its exchange went is an orphan, and stays one when an
 * exchange of the same name is declared. The built-in exchanges are not in the table; their uid is "0". */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

static const char *const type_names[] = {
    [EXCHANGE_DIRECT] = "direct",
    [EXCHANGE_FANOUT] = "fanout",
    [EXCHANGE_TOPIC] = "topic",
    [EXCHANGE_HEADERS] = "headers",
};

const char *exchange_type_name(enum exchange_type t)
{
    return type_names[t];
}

bool exchange_type_of(struct bytes name, enum exchange_type *out)
{
    for (unsigned i = 0; i < ARRAY_LEN(type_names); i++) {
        if (bytes_is(name, type_names[i])) {
            *out = (enum exchange_type)i;
            return true;
        }
    }
    return false;
}

/* ---- keys and values ---- */

static void put_name(struct wire_buffer *into, struct bytes name)
{
    uint8_t *p = wire_space(into, name.len + 1);
    p[0] = (uint8_t)name.len;
    if (name.len)
        memcpy(p + 1, name.data, name.len);
    into->len += name.len + 1;
}

static void put_octet(struct wire_buffer *into, char v)
{
    *wire_space(into, 1) = (uint8_t)v;
    into->len++;
}

struct bytes exchange_id(struct wire_buffer *into, const char *name)
{
    into->len = 0;
    put_octet(into, 'E');
    memcpy(wire_space(into, strlen(name) + 1), name, strlen(name));
    into->len += strlen(name);
    return bytes_of(into->items, into->len);
}

struct bytes binding_prefix(struct wire_buffer *into, const char *source)
{
    into->len = 0;
    put_octet(into, 'B');
    put_name(into, bytes_str(source));
    return bytes_of(into->items, into->len);
}

struct bytes binding_id(struct wire_buffer *into, const char *source, bool to_queue, const char *destination,
                        struct bytes key, const char *arguments)
{
    binding_prefix(into, source);
    put_octet(into, to_queue ? 'q' : 'x');
    put_name(into, bytes_str(destination));
    put_name(into, key);
    memcpy(wire_space(into, strlen(arguments) + 1), arguments, strlen(arguments));
    into->len += strlen(arguments);
    return bytes_of(into->items, into->len);
}

char *exchange_value(const char *uid, enum exchange_type type, bool durable, bool auto_delete, bool internal,
                     const char *arguments)
{
    json_t *v = json_pack("{s:s, s:s, s:b, s:b, s:b, s:o}", "uid", uid, "type", exchange_type_name(type),
                          "durable", durable, "auto_delete", auto_delete, "internal", internal, "arguments",
                          json_loads(arguments, 0, NULL));
    char *text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(v);
    ASSERT(text);
    return text;
}

static char *dump_arguments(const json_t *value)
{
    const json_t *arguments = json_object_get(value, "arguments");
    char *text = arguments ? json_dumps(arguments, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    return text ? text : xstrdup("{}");
}

static const char *text_of(const json_t *value, const char *key)
{
    const char *s = json_string_value(json_object_get(value, key));
    return s ? s : "";
}

/* ---- bindings come alive and end ---- */

static void list_remove(struct binding_list *l, const struct binding *bd)
{
    for (size_t i = 0; i < l->len; i++) {
        if (l->items[i] == bd) {
            VEC_REMOVE(l, i);
            return;
        }
    }
}

/* Connects a binding to its exchanges; false while one of them is not there. */
static bool attach(struct broker *b, struct binding *bd)
{
    struct exchange *from = map_get_str(&b->exchanges, bd->source);
    struct exchange *to = bd->to_queue ? NULL : map_get_str(&b->exchanges, bd->destination);
    if (!from || strcmp(from->uid, bd->from_uid) != 0)
        return false;
    if (!bd->to_queue && (!to || strcmp(to->uid, bd->to_uid) != 0))
        return false;
    bd->from = from;
    bd->to = to;
    bd->was_whole = true;
    VEC_PUSH(&from->out, bd);
    if (to)
        VEC_PUSH(&to->in, bd);
    index_add(from, bd);
    return true;
}

static void detach(struct binding *bd)
{
    if (!bd->from)
        return;
    index_remove(bd->from, bd);
    list_remove(&bd->from->out, bd);
    if (bd->to)
        list_remove(&bd->to->in, bd);
    bd->from = bd->to = NULL;
}

static struct target *target_use(struct broker *b, const char *queue)
{
    struct target *t = map_get_str(&b->targets, queue);
    if (!t) {
        t = xcalloc(1, sizeof(*t));
        t->queue = xstrdup(queue);
        map_set(&b->targets, bytes_str(queue), t);
    }
    t->users++;
    return t;
}

static void target_drop(struct broker *b, struct target *t)
{
    if (!t || --t->users)
        return;
    map_remove(&b->targets, bytes_str(t->queue));
    free(t->queue);
    free(t);
}

static void binding_free(struct broker *b, struct binding *bd)
{
    target_drop(b, bd->target);
    json_decref(bd->match);
    free((uint8_t *)(uintptr_t)bd->id.data);
    free(bd->source);
    free(bd->destination);
    free(bd->key);
    free(bd->arguments);
    free(bd->properties_key);
    free(bd->from_uid);
    free(bd->to_uid);
    free(bd);
}

static bool take_name(struct bytes *in, struct bytes *out)
{
    if (in->len < 1 || in->len - 1 < in->data[0])
        return false;
    *out = bytes_of(in->data + 1, in->data[0]);
    *in = bytes_of(in->data + 1 + out->len, in->len - 1 - out->len);
    return true;
}

static uint32_t hash_text(const char *s)
{
    uint32_t h = 2166136261u;
    for (; *s; s++)
        h = (h ^ (uint8_t)*s) * 16777619u;
    return h;
}

/* key~hash when there are arguments, "~" for an empty key: the management API's name of a binding */
static char *properties_key(const struct binding *bd)
{
    if (strcmp(bd->arguments, "{}") != 0)
        return format_text("%s~%08x", bd->key, hash_text(bd->arguments));
    return xstrdup(bd->key_len ? bd->key : "~");
}

static struct binding *binding_read(struct broker *b, struct bytes id, struct bytes value)
{
    struct bytes rest = bytes_of(id.data + 1, id.len - 1), source, destination, key;
    if (!take_name(&rest, &source) || rest.len < 1)
        return NULL;
    uint8_t kind = rest.data[0];
    rest = bytes_of(rest.data + 1, rest.len - 1);
    json_t *v = json_loadb((const char *)value.data, value.len, 0, NULL);
    if (!take_name(&rest, &destination) || !take_name(&rest, &key) || !v) {
        json_decref(v);
        return NULL;
    }
    struct binding *bd = xcalloc(1, sizeof(*bd));
    bd->id = bytes_of(xstrndup((const char *)id.data, id.len), id.len);
    bd->source = xstrndup((const char *)source.data, source.len);
    bd->destination = xstrndup((const char *)destination.data, destination.len);
    bd->key = xstrndup((const char *)key.data, key.len);
    bd->key_len = key.len;
    bd->to_queue = kind == 'q';
    bd->from_uid = xstrdup(text_of(v, "from"));
    bd->to_uid = xstrdup(text_of(v, "to"));
    bd->arguments = dump_arguments(v);
    bd->properties_key = properties_key(bd);
    bd->match = json_incref(json_object_get(v, "arguments"));
    if (bd->to_queue)
        bd->target = target_use(b, bd->destination);
    json_decref(v);
    return bd;
}

static void binding_end(struct broker *b, struct binding *bd)
{
    if (bd->from)
        detach(bd);
    else
        for (size_t i = 0; i < b->orphans.len; i++)
            if (b->orphans.items[i] == bd)
                VEC_REMOVE(&b->orphans, i--);
    map_remove(&b->bindings, bd->id);
    binding_free(b, bd);
}

/* ---- exchanges come and go ---- */

static void exchange_free(struct exchange *x)
{
    index_free(x);
    VEC_FREE(&x->out);
    VEC_FREE(&x->in);
    free(x->name);
    free(x->uid);
    free(x->arguments);
    free(x->alternate);
    free(x);
}

static void adopt_orphans(struct broker *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->orphans.len; i++)
        if (!attach(b, b->orphans.items[i]))
            b->orphans.items[kept++] = b->orphans.items[i];
    b->orphans.len = kept;
}

/* Its bindings are left without it: what removes them from the table follows or was under way. */
static void exchange_end(struct broker *b, struct exchange *x)
{
    while (x->out.len) {
        struct binding *bd = x->out.items[x->out.len - 1];
        detach(bd);
        VEC_PUSH(&b->orphans, bd);
    }
    while (x->in.len) {
        struct binding *bd = x->in.items[x->in.len - 1];
        detach(bd);
        VEC_PUSH(&b->orphans, bd);
    }
    map_remove(&b->exchanges, bytes_str(x->name));
    exchange_free(x);
}

static void exchange_put(struct broker *b, struct bytes name, struct bytes value)
{
    json_t *v = json_loadb((const char *)value.data, value.len, 0, NULL);
    enum exchange_type type;
    if (!v || !exchange_type_of(bytes_str(text_of(v, "type")), &type)) {
        json_decref(v);
        return;
    }
    struct exchange *old = map_get(&b->exchanges, name);
    if (old)
        exchange_end(b, old);
    struct exchange *x = xcalloc(1, sizeof(*x));
    x->name = xstrndup((const char *)name.data, name.len);
    x->type = type;
    x->uid = xstrdup(text_of(v, "uid"));
    x->durable = json_is_true(json_object_get(v, "durable"));
    x->auto_delete = json_is_true(json_object_get(v, "auto_delete"));
    x->internal = json_is_true(json_object_get(v, "internal"));
    x->arguments = dump_arguments(v);
    const json_t *alternate = json_object_get(json_object_get(v, "arguments"), "alternate-exchange");
    if (json_is_string(alternate))
        x->alternate = xstrdup(json_string_value(alternate));
    if (type == EXCHANGE_TOPIC)
        x->topic = topic_create();
    json_decref(v);
    map_set(&b->exchanges, name, x);
    adopt_orphans(b);
}

static void builtin(struct broker *b, const char *name, enum exchange_type type, bool internal)
{
    struct exchange *x = xcalloc(1, sizeof(*x));
    x->name = xstrdup(name);
    x->type = type;
    x->uid = xstrdup("0");
    x->durable = x->builtin = true;
    x->internal = internal;
    x->arguments = xstrdup("{}");
    if (type == EXCHANGE_TOPIC)
        x->topic = topic_create();
    map_set(&b->exchanges, bytes_str(name), x);
}

void exchanges_init(struct broker *b)
{
    builtin(b, "", EXCHANGE_DIRECT, false);
    b->default_exchange = map_get_str(&b->exchanges, "");
    builtin(b, "amq.direct", EXCHANGE_DIRECT, false);
    builtin(b, "amq.fanout", EXCHANGE_FANOUT, false);
    builtin(b, "amq.headers", EXCHANGE_HEADERS, false);
    builtin(b, "amq.match", EXCHANGE_HEADERS, false);
    builtin(b, "amq.rabbitmq.trace", EXCHANGE_TOPIC, true);
    builtin(b, "amq.topic", EXCHANGE_TOPIC, false);
}

static void forget_all(struct broker *b)
{
    struct binding *bd;
    for (size_t at = 0; (bd = map_next(&b->bindings, &at));)
        binding_end(b, bd);
    struct exchange *x;
    for (size_t at = 0; (x = map_next(&b->exchanges, &at));)
        if (!x->builtin)
            exchange_end(b, x);
}

void exchanges_reset(struct broker *b)
{
    forget_all(b);
}

void exchanges_finish(struct broker *b)
{
    forget_all(b);
    struct exchange *x;
    for (size_t at = 0; (x = map_next(&b->exchanges, &at));)
        exchange_free(x);
    map_finish(&b->exchanges);
    map_finish(&b->bindings);
    map_finish(&b->targets);
    VEC_FREE(&b->orphans);
}

struct exchange *exchange_find(const struct broker *b, struct bytes name)
{
    return name.len ? map_get(&b->exchanges, name) : b->default_exchange;
}

/* An auto-delete exchange goes with its last binding. All nodes see that at the same place of the table's
 * order; the coordinator alone acts on it, since it also decides what comes next in that order. */
static void auto_delete(struct broker *b, struct exchange *x)
{
    struct view_info view = mirror_view(b->mirror);
    if (!x->auto_delete || x->builtin || x->out.len || view.coordinator != view.self)
        return;
    struct op *op = op_begin_host(OP_EXCHANGE_DELETE, 0, x->name);
    struct failure f = begin_exchange_delete(b, op, x->name, false);
    if (f.text)
        op_fail(b, op, f);
}

static void binding_removed(struct broker *b, struct bytes id)
{
    struct binding *bd = map_get(&b->bindings, id);
    if (!bd)
        return;
    struct exchange *from = bd->from;
    if (!from && bd->was_whole) { /* its destination exchange went just before it, its source may be there */
        from = map_get_str(&b->exchanges, bd->source);
        if (from && strcmp(from->uid, bd->from_uid) != 0)
            from = NULL;
    }
    binding_end(b, bd);
    if (from)
        auto_delete(b, from);
}

void exchanges_apply(struct broker *b, struct bytes key, const struct bytes *value)
{
    if (key.len < 2)
        return;
    struct bytes name = bytes_of(key.data + 1, key.len - 1);
    if (key.data[0] == 'E') {
        struct exchange *x = map_get(&b->exchanges, name);
        if (value)
            exchange_put(b, name, *value);
        else if (x && !x->builtin)
            exchange_end(b, x);
    } else if (key.data[0] == 'B') {
        if (!value) {
            binding_removed(b, key);
            return;
        }
        struct binding *old = map_get(&b->bindings, key);
        struct binding *bd = binding_read(b, key, *value);
        if (old)
            binding_end(b, old);
        if (!bd)
            return;
        map_set(&b->bindings, bd->id, bd);
        if (!attach(b, bd))
            VEC_PUSH(&b->orphans, bd);
    }
}
